use bytemuck::{Pod, Zeroable};
use glam::Vec3;
use glow::HasContext as _;

use super::super::handle::{BufferObject, Handle};
use super::Gl;
use crate::error::{Error, Result};
use crate::scene::{MeshId, Sphere};

/// A vertex of the shared pool, 32 bytes.
#[derive(Copy, Clone, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Vertex {
    /// In the space of the mesh.
    pub position: [f32; 3],
    /// Away from the surface; need not have a length of 1.
    pub normal: [f32; 3],
    /// In the texture, from its top left corner.
    pub uv: [f32; 2],
}

crate::vertex_layout!(Vertex { position, normal, uv });

/// Where a mesh lies in the pool.
#[derive(Copy, Clone, Debug)]
pub(super) struct Slice {
    pub(super) indices: u32,
    pub(super) first_index: u32,
    pub(super) base_vertex: u32,
}

/// All meshes in one vertex and one index buffer, so that nothing has to be bound between them.
#[derive(Debug)]
pub(super) struct MeshPool {
    vertices: Grown<Vertex>,
    indices: Grown<u32>,
    slices: Vec<Slice>,
    bounds: Vec<Sphere>,
    moved: bool,
}

impl MeshPool {
    pub(super) fn new(gl: &Gl) -> Result<Self> {
        Ok(Self {
            vertices: Grown::new(gl)?,
            indices: Grown::new(gl)?,
            slices: Vec::new(),
            bounds: Vec::new(),
            moved: false,
        })
    }

    /// Adds a mesh of triangles. Ask [`take_moved`](Self::take_moved) afterwards, also when it failed.
    pub(super) fn add(&mut self, vertices: &[Vertex], indices: &[u32]) -> Result<MeshId> {
        let fail = |detail| Error::Gl { operation: "adding a mesh", detail };
        if let Some(&index) = indices.iter().find(|&&i| i as usize >= vertices.len()) {
            return Err(fail(format!("index {index} of a mesh of {} vertices", vertices.len())));
        }
        let id = MeshId::new(self.slices.len() as u32)
            .ok_or_else(|| fail(format!("there are {} already, and no more names", MeshId::COUNT)))?;
        let slice = Slice {
            indices: indices.len() as u32,
            first_index: self.indices.len as u32,
            base_vertex: self.vertices.len as u32,
        };
        let (vertices_moved, indices_moved) = (self.vertices.push(vertices)?, self.indices.push(indices));
        // The vertex arrays have to hear of the first even where the second failed.
        self.moved |= vertices_moved | *indices_moved.as_ref().unwrap_or(&false);
        indices_moved?;
        self.slices.push(slice);
        self.bounds.push(Sphere::around(vertices.iter().map(|v| Vec3::from(v.position))));
        Ok(id)
    }

    /// Whether the buffers are other ones since this was asked last, so that vertex arrays have to be told.
    pub(super) const fn take_moved(&mut self) -> bool {
        std::mem::replace(&mut self.moved, false)
    }

    /// The mesh with that index, or one of nothing.
    pub(super) fn slice(&self, mesh: u32) -> Slice {
        self.slices.get(mesh as usize).copied().unwrap_or(Slice {
            indices: 0,
            first_index: 0,
            base_vertex: 0,
        })
    }

    pub(super) fn bounds(&self) -> &[Sphere] {
        &self.bounds
    }

    /// Binds the vertex buffer, and the index buffer to the vertex array that is bound.
    pub(super) fn bind(&self) {
        let gl = self.vertices.handle.gl().raw();
        // SAFETY: both buffers are ours and alive.
        unsafe {
            gl.bind_buffer(glow::ELEMENT_ARRAY_BUFFER, Some(self.indices.handle.raw()));
            gl.bind_buffer(glow::ARRAY_BUFFER, Some(self.vertices.handle.raw()));
        }
    }
}

/// A buffer that grows and keeps its contents.
#[derive(Debug)]
struct Grown<T> {
    handle: Handle<BufferObject>,
    len: usize,
    capacity: usize,
    _values: std::marker::PhantomData<T>,
}

/// Values at first.
const FIRST: usize = 4096;

fn name(gl: &Gl) -> Result<Handle<BufferObject>> {
    // SAFETY: makes a name in the current context, which goes into a handle that owns it at once.
    unsafe {
        let raw = gl.raw().create_buffer();
        raw.map(|raw| Handle::from_raw(gl, raw))
            .map_err(|detail| Error::Gl { operation: "making a buffer", detail })
    }
}

impl<T: Pod> Grown<T> {
    fn new(gl: &Gl) -> Result<Self> {
        let handle = name(gl)?;
        allocate::<T>(gl, &handle, FIRST)?;
        Ok(Self { handle, len: 0, capacity: FIRST, _values: std::marker::PhantomData })
    }

    /// Adds values. Returns whether it is another buffer now.
    fn push(&mut self, values: &[T]) -> Result<bool> {
        let gl = self.handle.gl().clone();
        let needed = self.len + values.len();
        let grows = needed > self.capacity;
        if grows {
            let capacity = needed.next_power_of_two();
            let larger = name(&gl)?;
            allocate::<T>(&gl, &larger, capacity)?;
            // SAFETY: both buffers are ours and hold at least `len` values.
            unsafe {
                gl.raw().bind_buffer(glow::COPY_READ_BUFFER, Some(self.handle.raw()));
                gl.raw().copy_buffer_sub_data(
                    glow::COPY_READ_BUFFER,
                    glow::COPY_WRITE_BUFFER,
                    0,
                    0,
                    (self.len * size_of::<T>()) as i32,
                );
            }
            (self.handle, self.capacity) = (larger, capacity);
        }
        // SAFETY: the buffer is ours and has room for the values behind the first `len`.
        unsafe {
            gl.raw().bind_buffer(glow::COPY_WRITE_BUFFER, Some(self.handle.raw()));
            gl.raw().buffer_sub_data_u8_slice(
                glow::COPY_WRITE_BUFFER,
                (self.len * size_of::<T>()) as i32,
                bytemuck::cast_slice(values),
            );
        }
        self.len = needed;
        Ok(grows)
    }
}

/// Gives a buffer room for so many values, and leaves it bound for copies into it.
fn allocate<T>(gl: &Gl, buffer: &Handle<BufferObject>, capacity: usize) -> Result<()> {
    let bytes = i32::try_from(capacity.saturating_mul(size_of::<T>())).map_err(|_| Error::Gl {
        operation: "adding a mesh",
        detail: "the meshes are more than two gigabytes together".into(),
    })?;
    // SAFETY: the buffer is ours and alive.
    unsafe {
        gl.raw().bind_buffer(glow::COPY_WRITE_BUFFER, Some(buffer.raw()));
        gl.raw().buffer_data_size(glow::COPY_WRITE_BUFFER, bytes, glow::STATIC_DRAW);
    }
    Ok(())
}
