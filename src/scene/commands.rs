use glam::{Affine3A, Vec3A};

use super::id::{BUCKET_TRANSPARENT, bucket};
use super::pool::Pool;
use super::{MaterialId, MeshId, Sprite};

/// One object, 52 bytes, as the GPU reads it.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "gl", derive(bytemuck::Pod, bytemuck::Zeroable))]
#[repr(C)]
pub struct Instance {
    /// The first three columns of its transform: where the axes go.
    pub axes: [[f32; 3]; 3],
    /// The last one: where the origin goes.
    pub origin: [f32; 3],
    /// Mesh and material.
    pub id: u32,
}

impl Instance {
    /// Its transform.
    #[inline]
    #[must_use]
    pub fn transform(&self) -> Affine3A {
        let [x, y, z] = self.axes.map(Vec3A::from_array);
        Affine3A { matrix3: glam::Mat3A::from_cols(x, y, z), translation: Vec3A::from_array(self.origin) }
    }
}

/// What is drawn in one pass of a frame, as recorded.
#[derive(Clone, Debug)]
pub struct Commands {
    instances: Pool<Instance>,
    sprites: Pool<Sprite>,
    /// Bits that are set in some, and in all, of the objects' words: they say what a whole pass agrees in, without
    /// looking at each object again.
    ids: Seen<u32>,
    textures: Seen<u16>,
}

#[derive(Copy, Clone, Debug)]
struct Seen<T> {
    any: T,
    all: T,
}

impl Default for Commands {
    fn default() -> Self {
        Self {
            instances: Pool::default(),
            sprites: Pool::default(),
            ids: Seen { any: 0, all: !0 },
            textures: Seen { any: 0, all: !0 },
        }
    }
}

impl Commands {
    /// The objects.
    #[must_use]
    pub fn instances(&self) -> &[Instance] {
        self.instances.as_slice()
    }

    /// The sprites, in the order in which they are drawn.
    #[must_use]
    pub fn sprites(&self) -> &[Sprite] {
        self.sprites.as_slice()
    }

    /// Whether nothing is drawn.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.instances().is_empty() && self.sprites().is_empty()
    }

    pub(super) fn append(&mut self, other: &mut Self) {
        self.ids.any |= other.ids.any;
        self.ids.all &= other.ids.all;
        self.textures.any |= other.textures.any;
        self.textures.all &= other.textures.all;
        self.instances.append(&mut other.instances);
        self.sprites.append(&mut other.sprites);
        other.clear();
    }

    pub(super) fn clear(&mut self) {
        self.instances.clear();
        self.sprites.clear();
        self.ids = Seen { any: 0, all: !0 };
        self.textures = Seen { any: 0, all: !0 };
    }

    /// Whether an object is transparent.
    pub(super) const fn some_transparent(&self) -> bool {
        bucket(self.ids.any) & BUCKET_TRANSPARENT != 0
    }

    /// Whether all objects agree in mesh and state.
    pub(super) const fn one_bucket(&self) -> bool {
        bucket(self.ids.any & !self.ids.all) == 0
    }

    /// Whether all sprites lie in one texture array.
    pub(super) const fn one_array(&self) -> bool {
        (self.textures.any & !self.textures.all) >> 12 == 0
    }
}

/// Records a pass. It holds the pass's commands by itself until it is dropped, so that in a loop what is counted stays
/// in registers; make one and record many.
#[derive(Debug)]
pub struct PassRecorder<'a> {
    home: &'a mut Commands,
    commands: Commands,
}

impl<'a> PassRecorder<'a> {
    #[inline]
    pub(super) fn new(home: &'a mut Commands) -> Self {
        Self { commands: std::mem::take(home), home }
    }

    /// Draws a mesh with a material, placed by `transform`. Costs one copy of 52 bytes (docs/rendering.md has the
    /// figure), and memory when there are more objects than ever before.
    #[inline]
    pub fn draw(&mut self, mesh: MeshId, material: MaterialId, transform: &Affine3A) {
        let id = mesh.0 | material.0;
        self.commands.ids.any |= id;
        self.commands.ids.all &= id;
        self.commands.instances.push(|slot| {
            slot.axes[0] = transform.matrix3.x_axis.to_array();
            slot.axes[1] = transform.matrix3.y_axis.to_array();
            slot.axes[2] = transform.matrix3.z_axis.to_array();
            slot.origin = transform.translation.to_array();
            slot.id = id;
        });
    }

    /// Draws a sprite over the meshes of this pass and over the sprites before it. Costs one copy of 32 bytes.
    #[inline]
    pub fn sprite(&mut self, sprite: Sprite) {
        self.commands.textures.any |= sprite.texture;
        self.commands.textures.all &= sprite.texture;
        self.commands.sprites.push(|slot| *slot = sprite);
    }
}

impl Drop for PassRecorder<'_> {
    #[inline]
    fn drop(&mut self) {
        std::mem::swap(self.home, &mut self.commands);
    }
}
