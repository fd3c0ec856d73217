use glow::HasContext as _;

use super::super::handle::{Handle, VertexArrayObject};
use super::super::{Attribute, Gl, VertexLayout as _};
use super::Vertex;
use super::pool::MeshPool;
use crate::error::{Error, Result};
use crate::scene::{Instance, Sprite};

/// A vertex attribute of an instance.
struct Field {
    location: u32,
    components: i32,
    kind: u32,
    offset: usize,
    read_as: ReadAs,
}

enum ReadAs {
    Float,
    Fraction,
    Integer,
}

const fn field(location: u32, components: i32, kind: u32, offset: usize, read_as: ReadAs) -> Field {
    Field { location, components, kind, offset, read_as }
}

/// As in shaders/painter_mesh.vert, from location 3.
const INSTANCE: &[Field] = &[
    field(3, 3, glow::FLOAT, 0, ReadAs::Float),
    field(4, 3, glow::FLOAT, 12, ReadAs::Float),
    field(5, 3, glow::FLOAT, 24, ReadAs::Float),
    field(6, 3, glow::FLOAT, 36, ReadAs::Float),
    field(7, 1, glow::UNSIGNED_INT, std::mem::offset_of!(Instance, id), ReadAs::Integer),
];

/// As in shaders/painter_sprite.vert. The texture and the turn lie behind the colour.
const SPRITE: &[Field] = &[
    field(0, 4, glow::FLOAT, std::mem::offset_of!(Sprite, position), ReadAs::Float),
    field(1, 4, glow::UNSIGNED_SHORT, std::mem::offset_of!(Sprite, uv), ReadAs::Fraction),
    field(2, 4, glow::UNSIGNED_BYTE, std::mem::offset_of!(Sprite, colour), ReadAs::Fraction),
    field(3, 2, glow::UNSIGNED_SHORT, std::mem::offset_of!(Sprite, colour) + 4, ReadAs::Integer),
];

/// OpenGL calls that one `describe_*` makes.
pub(super) const INSTANCE_CALLS: u32 = INSTANCE.len() as u32;
pub(super) const SPRITE_CALLS: u32 = SPRITE.len() as u32;

/// The vertex arrays: what is read per vertex and per instance, and from where.
#[derive(Debug)]
pub(super) struct Arrays {
    /// Meshes with instances from the stream.
    pub(super) meshes: Handle<VertexArrayObject>,
    /// Meshes alone; what belongs to an instance is constant.
    pub(super) plain: Handle<VertexArrayObject>,
    pub(super) sprites: Handle<VertexArrayObject>,
    /// Nothing at all, for the same.
    pub(super) empty: Handle<VertexArrayObject>,
}

impl Arrays {
    pub(super) fn new(gl: &Gl) -> Result<Self> {
        let name = || {
            // SAFETY: makes a name in the current context, which goes into a handle that owns it at once.
            unsafe {
                let raw = gl.raw().create_vertex_array();
                raw.map(|raw| Handle::from_raw(gl, raw))
                    .map_err(|detail| Error::Gl { operation: "making a vertex array", detail })
            }
        };
        Ok(Self { meshes: name()?, plain: name()?, sprites: name()?, empty: name()? })
    }

    /// The pool has other buffers.
    pub(super) fn describe_pool(&self, pool: &MeshPool) {
        for array in [&self.meshes, &self.plain] {
            let gl = array.gl().raw();
            // SAFETY: the vertex array is ours and alive.
            unsafe { gl.bind_vertex_array(Some(array.raw())) }
            pool.bind();
            for a in Vertex::ATTRIBUTES {
                let Attribute { location, components, kind, normalised, offset, .. } = *a;
                let stride = size_of::<Vertex>() as i32;
                // SAFETY: the offsets were worked out by the compiler from the vertices that the bound buffer holds.
                unsafe {
                    gl.enable_vertex_attrib_array(location);
                    gl.vertex_attrib_pointer_f32(location, components, kind, normalised, stride, offset);
                }
            }
            // SAFETY: unbinds.
            unsafe { gl.bind_vertex_array(None) }
        }
    }

    /// The stream has another buffer.
    pub(super) fn describe_stream(&self, gl: &Gl, stream: glow::Buffer) {
        for (array, fields) in [(&self.meshes, INSTANCE), (&self.sprites, SPRITE)] {
            // SAFETY: the vertex array is ours and alive, and so is the buffer.
            unsafe {
                gl.raw().bind_vertex_array(Some(array.raw()));
                gl.raw().bind_buffer(glow::ARRAY_BUFFER, Some(stream));
                for f in fields {
                    gl.raw().enable_vertex_attrib_array(f.location);
                    gl.raw().vertex_attrib_divisor(f.location, 1);
                }
            }
        }
        // The arrays are still bound one after the other: sprites now.
        describe_sprites(gl.raw(), 0);
        // SAFETY: the vertex array is ours and alive.
        unsafe { gl.raw().bind_vertex_array(Some(self.meshes.raw())) }
        describe_instances(gl.raw(), 0);
        // SAFETY: unbinds.
        unsafe { gl.raw().bind_vertex_array(None) }
    }
}

/// Instances begin at this byte of the bound buffer, for the bound array.
pub(super) fn describe_instances(gl: &glow::Context, from: usize) {
    describe(gl, INSTANCE, size_of::<Instance>(), from);
}

/// Sprites begin at this byte of the bound buffer, for the bound array.
pub(super) fn describe_sprites(gl: &glow::Context, from: usize) {
    describe(gl, SPRITE, size_of::<Sprite>(), from);
}

fn describe(gl: &glow::Context, fields: &[Field], stride: usize, from: usize) {
    for f in fields {
        let (offset, stride) = ((from + f.offset) as i32, stride as i32);
        // SAFETY: the offsets are those of the struct that the bound buffer holds from there on.
        unsafe {
            match f.read_as {
                ReadAs::Integer => {
                    gl.vertex_attrib_pointer_i32(f.location, f.components, f.kind, stride, offset);
                }
                ReadAs::Float | ReadAs::Fraction => {
                    let normalised = matches!(f.read_as, ReadAs::Fraction);
                    gl.vertex_attrib_pointer_f32(
                        f.location,
                        f.components,
                        f.kind,
                        normalised,
                        stride,
                        offset,
                    );
                }
            }
        }
    }
}
