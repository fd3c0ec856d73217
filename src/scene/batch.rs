use glam::{Mat4, Vec3, Vec4};

use super::id::{BUCKET_TRANSPARENT, bucket, bucket_mesh, bucket_state};
use super::{Commands, Entry, Frustum, Instance, Order, SortKey, Sorter, Sphere, Sprite};

/// How a pass is looked at.
#[derive(Copy, Clone, Debug)]
pub struct View {
    frustum: Option<Frustum>,
    /// The distance of a point along the view is its product with this.
    depth: Vec4,
    order: Order,
}

impl View {
    /// Through a matrix from the world to clip space. Nothing is culled.
    #[must_use]
    pub fn new(view_projection: Mat4, order: Order) -> Self {
        // With a perspective w is the distance. Without one it is constant, and z is what grows with it.
        let (z, w) = (view_projection.row(2), view_projection.row(3));
        let depth = if w.truncate() == Vec3::ZERO { z } else { w };
        Self { frustum: None, depth, order }
    }

    /// The same, leaving out what certainly lies outside `frustum`.
    #[must_use]
    pub const fn with_culling(mut self, frustum: Frustum) -> Self {
        self.frustum = Some(frustum);
        self
    }
}

/// Objects next to each other that agree in mesh, state and transparency: one instanced draw.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Batch {
    /// The mesh's index.
    pub mesh: u32,
    /// The materials' state.
    pub state: u32,
    /// Whether what is behind them shows through.
    pub transparent: bool,
    /// The place of the first among the written instances.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// Sprites next to each other whose textures are in one array: one instanced draw.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct SpriteBatch {
    /// The texture array.
    pub array: u32,
    /// The place of the first among the written sprites.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// Sorts the commands of a pass and merges them into draws. Keeps its memory from frame to frame.
#[derive(Clone, Debug, Default)]
pub struct Batches {
    entries: Vec<Entry>,
    /// The objects are drawn as they were recorded, all of them; `entries` has nothing to say.
    as_recorded: bool,
    sorter: Sorter,
    batches: Vec<Batch>,
    sprites: Vec<SpriteBatch>,
    /// Where the sprites that are seen were recorded; not filled when all of them are.
    places: Vec<u32>,
    visible_sprites: usize,
    culled_sprites: usize,
    visible: usize,
    culled: usize,
}

impl Batches {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Works out what is drawn of `commands`, in which order, in which draws. `bounds` has a ball around each mesh, by
    /// its index, in the mesh's own space; a mesh that has none is never culled, and its depth is that of its origin.
    ///
    /// Sprites outside of what is seen are left out as well, where the view says what that is; they lie in the plane z = 0.
    ///
    /// Objects of one mesh and state in a pass without culling and without depth are not even looked at. All others
    /// cost a key each, and sorting unless they are in order already (docs/rendering.md has the figures).
    pub fn build(&mut self, commands: &Commands, view: &View, bounds: &[Sphere]) {
        self.entries.clear();
        self.batches.clear();
        self.sprites.clear();
        let objects = commands.instances();
        let depth =
            view.order != Order::Painter && (view.order == Order::FrontToBack || commands.some_transparent());
        self.as_recorded = view.frustum.is_none() && !depth && view.order == Order::Painter;
        if view.frustum.is_none() && !depth && commands.one_bucket() {
            self.as_recorded = true;
            if let Some(first) = objects.first() {
                self.batches.push(Batch::starting_with(bucket(first.id), 0));
                self.batches[0].count = objects.len() as u32;
            }
        } else if self.as_recorded {
            merge(&mut self.batches, objects.iter().map(|o| bucket(o.id)));
        } else {
            self.sort(objects, view, bounds);
            merge(&mut self.batches, self.entries.iter().map(|e| e.key.bucket()));
        }
        self.visible = if self.as_recorded { objects.len() } else { self.entries.len() };
        self.culled = objects.len() - self.visible;
        self.cull_sprites(commands.sprites(), view.frustum.as_ref());
        self.merge_sprites(commands);
    }

    fn sort(&mut self, objects: &[Instance], view: &View, bounds: &[Sphere]) {
        let mut last = 0;
        let mut in_order = true;
        self.entries.reserve(objects.len());
        for (index, object) in (0..).zip(objects) {
            let mesh = bucket_mesh(bucket(object.id)) as usize;
            let transform = object.transform();
            let known = bounds.get(mesh);
            if let (Some(frustum), Some(ball)) = (&view.frustum, known)
                && !frustum.sees_sphere(&ball.transformed(&transform))
            {
                continue;
            }
            let transparent = bucket(object.id) & BUCKET_TRANSPARENT != 0;
            let key = if view.order == Order::Painter {
                SortKey::sequence(object.id, index)
            } else if view.order == Order::State && !transparent {
                SortKey::opaque(object.id, 0.0)
            } else {
                let centre = known.map_or(transform.translation, |b| transform.transform_point3a(b.centre));
                let depth = view.depth.dot(Vec3::from(centre).extend(1.0));
                if transparent {
                    SortKey::transparent(object.id, depth)
                } else {
                    SortKey::opaque(object.id, depth)
                }
            };
            in_order &= last <= key.sorted_bits();
            last = key.sorted_bits();
            self.entries.push(Entry { key, index });
        }
        if !in_order {
            self.sorter.sort(&mut self.entries);
        } else if self.entries.len() == objects.len() {
            self.as_recorded = true;
        }
    }

    fn cull_sprites(&mut self, sprites: &[Sprite], frustum: Option<&Frustum>) {
        self.places.clear();
        if let Some(frustum) = frustum {
            // For all of them, so that nothing is asked for when more are seen than in the frames before.
            self.places.reserve(sprites.len());
            let seen = (0..).zip(sprites).filter(|(_, sprite)| frustum.sees_box(&sprite.bounds()));
            self.places.extend(seen.map(|(place, _)| place));
        }
        self.visible_sprites = if frustum.is_some() { self.places.len() } else { sprites.len() };
        self.culled_sprites = sprites.len() - self.visible_sprites;
    }

    fn merge_sprites(&mut self, commands: &Commands) {
        let sprites = commands.sprites();
        let count = self.visible_sprites as u32;
        if commands.one_array() {
            if let (1.., Some(any)) = (count, sprites.first()) {
                self.sprites.push(SpriteBatch { array: any.texture().array(), first: 0, count });
            }
            return;
        }
        let all = self.sprites_as_recorded();
        for first in 0..count {
            let place = if all { first } else { self.places[first as usize] };
            let array = sprites[place as usize].texture().array();
            match self.sprites.last_mut() {
                Some(last) if last.array == array => last.count += 1,
                _ => self.sprites.push(SpriteBatch { array, first, count: 1 }),
            }
        }
    }

    /// The draws of objects, in order.
    #[must_use]
    pub fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// The draws of sprites, in order.
    #[must_use]
    pub fn sprite_batches(&self) -> &[SpriteBatch] {
        &self.sprites
    }

    /// How many objects are drawn.
    #[must_use]
    pub const fn visible(&self) -> usize {
        self.visible
    }

    /// How many objects were left out, because they are not seen.
    #[must_use]
    pub const fn culled(&self) -> usize {
        self.culled
    }

    /// Whether the objects are drawn as they were recorded, all of them: they need not be copied into another order.
    #[must_use]
    pub const fn as_recorded(&self) -> bool {
        self.as_recorded
    }

    /// How many sprites are drawn.
    #[must_use]
    pub const fn visible_sprites(&self) -> usize {
        self.visible_sprites
    }

    /// How many sprites were left out, because they are not seen.
    #[must_use]
    pub const fn culled_sprites(&self) -> usize {
        self.culled_sprites
    }

    /// Whether all sprites are drawn: they need not be copied together.
    #[must_use]
    pub const fn sprites_as_recorded(&self) -> bool {
        self.culled_sprites == 0
    }

    /// Copies the sprites that are drawn of `commands`, for which this was built. `out` is to have room for
    /// [`visible_sprites`](Self::visible_sprites) ones; what does not fit is left out.
    pub fn write_sprites(&self, commands: &Commands, out: &mut [Sprite]) {
        let sprites = commands.sprites();
        if self.sprites_as_recorded() {
            let n = sprites.len().min(out.len());
            out[..n].copy_from_slice(&sprites[..n]);
        } else {
            for (slot, place) in out.iter_mut().zip(&self.places) {
                if let Some(sprite) = sprites.get(*place as usize) {
                    *slot = *sprite;
                }
            }
        }
    }

    /// Copies what is drawn of `commands`, for which this was built, in the order of the draws. `out` is to have room for
    /// [`visible`](Self::visible) ones; what does not fit is left out.
    pub fn write(&self, commands: &Commands, out: &mut [Instance]) {
        let objects = commands.instances();
        if self.as_recorded {
            let n = objects.len().min(out.len());
            out[..n].copy_from_slice(&objects[..n]);
        } else {
            for (slot, entry) in out.iter_mut().zip(&self.entries) {
                if let Some(object) = objects.get(entry.index as usize) {
                    *slot = *object;
                }
            }
        }
    }
}

impl Batch {
    const fn starting_with(bucket: u32, first: u32) -> Self {
        Self {
            mesh: bucket_mesh(bucket),
            state: bucket_state(bucket),
            transparent: bucket & BUCKET_TRANSPARENT != 0,
            first,
            count: 0,
        }
    }
}

fn merge(into: &mut Vec<Batch>, buckets: impl Iterator<Item = u32>) {
    let mut current = None;
    let (mut first, mut count) = (0, 0);
    for bucket in buckets {
        if current != Some(bucket) {
            if let Some(before) = current {
                into.push(Batch { count, ..Batch::starting_with(before, first) });
            }
            (current, first, count) = (Some(bucket), first + count, 0);
        }
        count += 1;
    }
    if let Some(bucket) = current {
        into.push(Batch { count, ..Batch::starting_with(bucket, first) });
    }
}
