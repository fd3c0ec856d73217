use glow::HasContext as _;

use super::handle::{BufferObject, Handle, VertexArrayObject};
use super::{Attribute, Buffer, Gl, StreamRange, StreamRing, Usage, VertexLayout};
use crate::error::{Error, Result};

/// What vertices are joined to.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[repr(u32)]
#[non_exhaustive]
pub enum Primitive {
    /// Each vertex a point.
    Points = glow::POINTS,
    /// Each two a line.
    Lines = glow::LINES,
    /// A closed line.
    LineLoop = glow::LINE_LOOP,
    /// An open line.
    LineStrip = glow::LINE_STRIP,
    /// Each three a triangle.
    #[default]
    Triangles = glow::TRIANGLES,
    /// Each vertex with the two before it a triangle.
    TriangleStrip = glow::TRIANGLE_STRIP,
    /// Each vertex with the one before it and the first a triangle.
    TriangleFan = glow::TRIANGLE_FAN,
}

/// Vertices, perhaps indices, perhaps instances, ready to be drawn.
#[derive(Debug)]
pub struct Mesh {
    array: Handle<VertexArrayObject>,
    /// Kept alive for the vertex array; freed with the mesh.
    _buffers: Vec<Handle<BufferObject>>,
    primitive: Primitive,
    count: i32,
    indexed: bool,
}

impl Mesh {
    /// A mesh of vertices in order.
    ///
    /// # Errors
    /// When the driver has no memory or no name left.
    pub fn new<V: VertexLayout>(gl: &Gl, primitive: Primitive, vertices: &[V]) -> Result<Self> {
        Self::build(gl, primitive, vertices, None)
    }

    /// A mesh of vertices in the order of `indices`.
    ///
    /// # Errors
    /// When an index lies outside the vertices, or the driver has no memory or no name left.
    pub fn indexed<V: VertexLayout>(
        gl: &Gl,
        primitive: Primitive,
        vertices: &[V],
        indices: &[u32],
    ) -> Result<Self> {
        if let Some(&index) = indices.iter().find(|&&i| i as usize >= vertices.len()) {
            let detail = format!("index {index} of a mesh of {} vertices", vertices.len());
            return Err(Error::Gl { operation: "making a mesh", detail });
        }
        Self::build(gl, primitive, vertices, Some(indices))
    }

    /// A mesh of `count` vertices that the vertex shader makes up from `gl_VertexID`.
    ///
    /// # Errors
    /// When the driver has no name left.
    pub fn generated(gl: &Gl, primitive: Primitive, count: u32) -> Result<Self> {
        let mut mesh = Self::build::<NoVertex>(gl, primitive, &[], None)?;
        mesh.count = i32::try_from(count).unwrap_or(i32::MAX);
        Ok(mesh)
    }

    fn build<V: VertexLayout>(
        gl: &Gl,
        primitive: Primitive,
        vertices: &[V],
        indices: Option<&[u32]>,
    ) -> Result<Self> {
        let count = indices.map_or(vertices.len(), <[u32]>::len);
        let count = i32::try_from(count).map_err(|_| Error::Gl {
            operation: "making a mesh",
            detail: format!("{count} elements are too many"),
        })?;
        // SAFETY: makes a name in the current context.
        let raw = unsafe { gl.raw().create_vertex_array() }
            .map_err(|detail| Error::Gl { operation: "making a vertex array", detail })?;
        // SAFETY: the name was just made here, for us alone.
        let array: Handle<VertexArrayObject> = unsafe { Handle::from_raw(gl, raw) };
        let bind = |array| {
            // SAFETY: binds our own vertex array, or none.
            unsafe { gl.raw().bind_vertex_array(array) }
        };
        bind(Some(array.raw()));
        let built = (|| -> Result<Vec<Handle<BufferObject>>> {
            let vertices = Buffer::vertices(gl, vertices, Usage::Static)?;
            attach::<V>(gl, V::ATTRIBUTES, 0);
            let mut buffers = vec![vertices.into_handle()];
            if let Some(indices) = indices {
                buffers.push(Buffer::indices(gl, indices)?.into_handle());
            }
            Ok(buffers)
        })();
        bind(None);
        Ok(Self { array, _buffers: built?, primitive, count, indexed: indices.is_some() })
    }

    /// Reads one `I` per instance from `instances`, beside the vertices. The buffer stays the caller's, who writes
    /// it each frame and keeps it as long as the mesh is drawn.
    pub fn attach_instances<I: VertexLayout>(&mut self, instances: &Buffer<I>) {
        let gl = self.array.gl();
        // SAFETY: binds our own vertex array.
        unsafe { gl.raw().bind_vertex_array(Some(self.array.raw())) };
        instances.bind();
        attach::<I>(gl, I::ATTRIBUTES, 1);
        // SAFETY: unbinds.
        unsafe { gl.raw().bind_vertex_array(None) };
    }

    /// Reads one `I` per instance from a ring, beside the vertices. Which ones is said at each draw:
    /// [`draw_streamed`](Self::draw_streamed). The ring stays the caller's, who keeps it as long as the mesh is drawn.
    pub fn attach_stream<I: VertexLayout>(&mut self, ring: &StreamRing) {
        self.attach_at::<I>(ring, 0);
    }

    fn attach_at<I: VertexLayout>(&self, ring: &StreamRing, offset: usize) {
        self.bind();
        let gl = self.array.gl();
        // SAFETY: the ring's buffer is alive.
        unsafe { gl.raw().bind_buffer(glow::ARRAY_BUFFER, Some(ring.buffer())) };
        attach_from::<I>(gl, I::ATTRIBUTES, 1, offset as i32);
        // SAFETY: unbinds.
        unsafe { gl.raw().bind_vertex_array(None) };
    }

    /// How many vertices or indices one draw reads.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count as u32
    }

    /// Draws it once, with the program that is in use.
    pub fn draw(&self) {
        self.bind();
        let gl = self.array.gl().raw();
        // SAFETY: the vertex array is bound and holds `count` elements; indices were checked when it was made.
        unsafe {
            if self.indexed {
                gl.draw_elements(self.primitive as u32, self.count, glow::UNSIGNED_INT, 0);
            } else {
                gl.draw_arrays(self.primitive as u32, 0, self.count);
            }
        }
    }

    /// Draws it `instances` times.
    pub fn draw_instanced(&self, instances: usize) {
        let instances = i32::try_from(instances).unwrap_or(i32::MAX);
        self.bind();
        let gl = self.array.gl().raw();
        // SAFETY: as in `draw`; reading past the instances is defined to be harmless by robust drivers, and the
        // callers in this crate pass the length of the attached buffer.
        unsafe {
            if self.indexed {
                gl.draw_elements_instanced(
                    self.primitive as u32,
                    self.count,
                    glow::UNSIGNED_INT,
                    0,
                    instances,
                );
            } else {
                gl.draw_arrays_instanced(self.primitive as u32, 0, self.count, instances);
            }
        }
    }

    /// Draws it once for each `I` in a range of the ring that was [attached](Self::attach_stream). One call where the
    /// driver takes a first instance ([`base_instance`](super::Capabilities::base_instance)); else the attributes are
    /// described anew before it.
    pub fn draw_streamed<I: VertexLayout>(&self, ring: &StreamRing, range: StreamRange) {
        let instances = i32::try_from(range.len() / size_of::<I>().max(1)).unwrap_or(i32::MAX);
        let gl = self.array.gl();
        if !gl.caps().base_instance {
            self.attach_at::<I>(ring, range.offset());
            self.draw_instanced(instances as usize);
            return;
        }
        self.bind();
        let (mode, first) = (self.primitive as u32, range.first::<I>());
        // SAFETY: as in `draw`; the instances were written to the attached ring, from whose start `first` counts.
        unsafe {
            if self.indexed {
                gl.raw().draw_elements_instanced_base_vertex_base_instance(
                    mode,
                    self.count,
                    glow::UNSIGNED_INT,
                    0,
                    instances,
                    0,
                    first,
                );
            } else {
                gl.raw().draw_arrays_instanced_base_instance(mode, 0, self.count, instances, first);
            }
        }
    }

    /// Frees it now.
    pub fn delete(self) {
        self.array.delete();
    }

    fn bind(&self) {
        // SAFETY: the vertex array is ours and alive.
        unsafe { self.array.gl().raw().bind_vertex_array(Some(self.array.raw())) }
    }
}

/// A vertex of which nothing is read.
#[derive(Copy, Clone, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct NoVertex {
    nothing: u32,
}

impl VertexLayout for NoVertex {
    const ATTRIBUTES: &'static [Attribute] = &[];
}

/// Describes the bound buffer to the bound vertex array.
fn attach<V>(gl: &Gl, attributes: &[Attribute], divisor: u32) {
    attach_from::<V>(gl, attributes, divisor, 0);
}

/// The same for values that begin `start` bytes into the buffer.
fn attach_from<V>(gl: &Gl, attributes: &[Attribute], divisor: u32, start: i32) {
    let stride = size_of::<V>() as i32;
    for a in attributes {
        // SAFETY: the offsets were worked out by the compiler from `V`, values of which the bound buffer holds.
        unsafe {
            gl.raw().enable_vertex_attrib_array(a.location);
            gl.raw().vertex_attrib_pointer_f32(
                a.location,
                a.components,
                a.kind,
                a.normalised,
                stride,
                start + a.offset,
            );
            gl.raw().vertex_attrib_divisor(a.location, divisor);
        }
    }
}
