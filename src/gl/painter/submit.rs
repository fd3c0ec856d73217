use bytemuck::{Pod, Zeroable};
use glow::HasContext as _;

use super::arrays::{Arrays, INSTANCE_CALLS, SPRITE_CALLS, describe_instances, describe_sprites};
use super::pool::{MeshPool, Slice};
use super::{Gl, Hook};
use crate::gl::Capabilities;
use crate::scene::{Batch, Instance, Sprite, SpriteBatch};

/// How draws are handed to the driver. All make the same picture.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Submit {
    /// All draws of one state in one call, `glMultiDrawElementsIndirect` (GL 4.3, or the extensions with base instances).
    MultiDraw,
    /// A call per batch (GL 4.2 or `GL_ARB_base_instance`).
    BaseInstance,
    /// A call per batch, and the vertex attributes pointed to its instances before (GL 3.3).
    Instanced,
    /// A call per object, its instance data as constant attributes. For drivers whose instancing is at fault, and to
    /// compare with.
    PerObject,
}

impl Submit {
    /// The best that the driver has.
    #[must_use]
    pub const fn best(caps: &Capabilities) -> Self {
        if caps.multi_draw_indirect && caps.base_instance {
            Self::MultiDraw
        } else if caps.base_instance {
            Self::BaseInstance
        } else {
            Self::Instanced
        }
    }

    /// Whether the driver has it.
    #[must_use]
    pub const fn works(self, caps: &Capabilities) -> bool {
        match self {
            Self::MultiDraw => caps.multi_draw_indirect && caps.base_instance,
            Self::BaseInstance => caps.base_instance,
            Self::Instanced | Self::PerObject => true,
        }
    }
}

/// Where the data of a pass lie in the stream, in bytes.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Block {
    /// A multiple of the size of an instance.
    pub(super) instances: usize,
    /// A multiple of the size of a sprite.
    pub(super) sprites: usize,
    pub(super) indirect: usize,
}

/// One draw, as the driver reads it from the stream.
#[derive(Copy, Clone, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Indirect {
    indices: u32,
    instances: u32,
    first_index: u32,
    base_vertex: u32,
    base_instance: u32,
}

impl Indirect {
    pub(super) fn new(batch: &Batch, mesh: Slice, block: Block) -> Self {
        Self {
            indices: mesh.indices,
            instances: batch.count,
            first_index: mesh.first_index,
            base_vertex: mesh.base_vertex,
            base_instance: (block.instances / size_of::<Instance>()) as u32 + batch.first,
        }
    }
}

/// Hands draws to the driver, and counts the calls.
pub(super) struct Submitter<'a> {
    pub(super) gl: &'a Gl,
    pub(super) by: Submit,
    pub(super) block: Block,
    pub(super) stream: glow::Buffer,
    pub(super) arrays: &'a Arrays,
    pub(super) calls: u32,
    pub(super) draws: u32,
}

impl Submitter<'_> {
    /// The functions, for one call.
    pub(super) fn call(&mut self) -> &glow::Context {
        self.calls += 1;
        self.gl.raw()
    }

    fn draw(&mut self) -> &glow::Context {
        self.draws += 1;
        self.gl.hook(Hook::Draw("painter"));
        self.call()
    }

    /// Binds what meshes are drawn from.
    pub(super) fn begin_meshes(&mut self) {
        let array = if self.by == Submit::PerObject { &self.arrays.plain } else { &self.arrays.meshes };
        let (array, stream) = (array.raw(), self.stream);
        // SAFETY: array and stream are the painter's and alive.
        unsafe {
            self.call().bind_vertex_array(Some(array));
            match self.by {
                Submit::MultiDraw => self.call().bind_buffer(glow::DRAW_INDIRECT_BUFFER, Some(stream)),
                Submit::Instanced => self.call().bind_buffer(glow::ARRAY_BUFFER, Some(stream)),
                Submit::BaseInstance | Submit::PerObject => {}
            }
        }
    }

    /// Draws batches of one state, `first` being the place of the first among those of the pass. `instances` are those of
    /// the pass in the order of the batches, where a call per object is made.
    pub(super) fn meshes(
        &mut self,
        pool: &MeshPool,
        first: usize,
        batches: &[Batch],
        instances: &[Instance],
    ) {
        if self.by == Submit::MultiDraw {
            let Some(multi_draw) = self.gl.multi_draw() else { return };
            let (offset, stride) =
                (self.block.indirect + first * size_of::<Indirect>(), size_of::<Indirect>());
            self.draw();
            // The indirect buffer is bound and holds so many draws from there on.
            multi_draw(
                glow::TRIANGLES,
                glow::UNSIGNED_INT,
                std::ptr::without_provenance(offset),
                batches.len() as i32,
                stride as i32,
            );
            return;
        }
        for batch in batches {
            let Slice { indices, first_index, base_vertex, .. } = pool.slice(batch.mesh);
            let (indices, from, base_vertex) = (indices as i32, first_index as i32 * 4, base_vertex as i32);
            let (first, count) = (batch.first as usize, batch.count as i32);
            let begin = self.block.instances + first * size_of::<Instance>();
            // SAFETY: the bound vertex array has the pool's buffers, in which the mesh lies, and instances from `begin` on.
            unsafe {
                match self.by {
                    Submit::MultiDraw => {}
                    Submit::BaseInstance => self.draw().draw_elements_instanced_base_vertex_base_instance(
                        glow::TRIANGLES,
                        indices,
                        glow::UNSIGNED_INT,
                        from,
                        count,
                        base_vertex,
                        (begin / size_of::<Instance>()) as u32,
                    ),
                    Submit::Instanced => {
                        describe_instances(self.gl.raw(), begin);
                        self.calls += INSTANCE_CALLS;
                        self.draw().draw_elements_instanced_base_vertex(
                            glow::TRIANGLES,
                            indices,
                            glow::UNSIGNED_INT,
                            from,
                            count,
                            base_vertex,
                        );
                    }
                    Submit::PerObject => {
                        for instance in instances.iter().skip(first).take(batch.count as usize) {
                            self.constant_instance(instance);
                            self.draw().draw_elements_base_vertex(
                                glow::TRIANGLES,
                                indices,
                                glow::UNSIGNED_INT,
                                from,
                                base_vertex,
                            );
                        }
                    }
                }
            }
        }
    }

    /// Binds what sprites are drawn from.
    pub(super) fn begin_sprites(&mut self) {
        let array = if self.by == Submit::PerObject { &self.arrays.empty } else { &self.arrays.sprites };
        let (array, stream) = (array.raw(), self.stream);
        // SAFETY: array and stream are the painter's and alive.
        unsafe {
            self.call().bind_vertex_array(Some(array));
            if self.by == Submit::Instanced {
                self.call().bind_buffer(glow::ARRAY_BUFFER, Some(stream));
            }
        }
    }

    /// Draws a batch of sprites. `sprites` are those of the pass that are seen, where a call per sprite is made.
    pub(super) fn sprites(&mut self, batch: SpriteBatch, sprites: &[Sprite]) {
        let (first, count) = (batch.first as usize, batch.count as usize);
        let begin = self.block.sprites + first * size_of::<Sprite>();
        // SAFETY: the bound vertex array has sprites from `begin` on, and makes up four corners for each.
        unsafe {
            match self.by {
                Submit::MultiDraw | Submit::BaseInstance => self.draw().draw_arrays_instanced_base_instance(
                    glow::TRIANGLE_STRIP,
                    0,
                    4,
                    count as i32,
                    (begin / size_of::<Sprite>()) as u32,
                ),
                Submit::Instanced => {
                    describe_sprites(self.gl.raw(), begin);
                    self.calls += SPRITE_CALLS;
                    self.draw().draw_arrays_instanced(glow::TRIANGLE_STRIP, 0, 4, count as i32);
                }
                Submit::PerObject => {
                    for sprite in sprites.iter().skip(first).take(count) {
                        self.constant_sprite(sprite);
                        self.draw().draw_arrays(glow::TRIANGLE_STRIP, 0, 4);
                    }
                }
            }
        }
    }

    fn constant_instance(&mut self, instance: &Instance) {
        for (location, [x, y, z]) in (3..).zip(instance.axes.into_iter().chain([instance.origin])) {
            // SAFETY: sets a constant attribute.
            unsafe { self.call().vertex_attrib_3_f32(location, x, y, z) }
        }
        // SAFETY: as above.
        unsafe { self.call().vertex_attrib_4_u32(7, instance.id, 0, 0, 0) }
    }

    fn constant_sprite(&mut self, sprite: &Sprite) {
        let ([x, y], [width, height]) = (sprite.position, sprite.size);
        let [left, top, right, bottom] = sprite.uv.map(|c| f32::from(c) / f32::from(u16::MAX));
        let [r, g, b, a] = sprite.colour.map(|c| f32::from(c) / f32::from(u8::MAX));
        let texture = sprite.texture();
        let look = texture.array() << 12 | texture.layer();
        // SAFETY: sets constant attributes.
        unsafe {
            self.call().vertex_attrib_4_f32(0, x, y, width, height);
            self.call().vertex_attrib_4_f32(1, left, top, right, bottom);
            self.call().vertex_attrib_4_f32(2, r, g, b, a);
            self.call().vertex_attrib_4_u32(3, look, u32::from(sprite.turn), 0, 0);
        }
    }
}
