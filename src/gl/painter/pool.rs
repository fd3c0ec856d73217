use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use glam::Vec3;
use glow::HasContext as _;
use range_alloc::RangeAllocator;

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
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Slice {
    pub(super) indices: u32,
    pub(super) first_index: u32,
    pub(super) base_vertex: u32,
    vertices: u32,
}

/// All meshes in one vertex and one index buffer, so that nothing has to be bound between them.
#[derive(Debug)]
pub(super) struct MeshPool {
    vertices: Grown<Vertex>,
    indices: Grown<u32>,
    slices: Vec<Option<Slice>>,
    bounds: Vec<Sphere>,
    /// Places in `slices` whose mesh was removed.
    vacant: Vec<u32>,
    /// Copies of the meshes in memory, by their places, if they are kept: a lost context takes all else.
    kept: Option<Vec<Kept>>,
    moved: bool,
}

/// A mesh in memory. Nothing, where it was removed.
#[derive(Clone, Debug, Default)]
struct Kept {
    vertices: Arc<[Vertex]>,
    indices: Arc<[u32]>,
}

impl MeshPool {
    pub(super) fn new(gl: &Gl, keep: bool) -> Result<Self> {
        Ok(Self {
            vertices: Grown::new(gl)?,
            indices: Grown::new(gl)?,
            slices: Vec::new(),
            bounds: Vec::new(),
            vacant: Vec::new(),
            kept: keep.then(Vec::new),
            moved: false,
        })
    }

    /// The same meshes under the same names, in another context.
    pub(super) fn restored(&self, gl: &Gl) -> Result<Self> {
        let Some(kept) = &self.kept else {
            let detail = "its meshes were not kept in memory".into();
            return Err(Error::Gl { operation: "restoring a painter", detail });
        };
        let mut new = Self::new(gl, true)?;
        for (slice, Kept { vertices, indices }) in self.slices.iter().zip(kept) {
            let slice = slice.is_some().then(|| new.place(vertices, indices)).transpose()?;
            new.slices.push(slice);
        }
        (new.bounds, new.vacant, new.kept) = (self.bounds.clone(), self.vacant.clone(), self.kept.clone());
        Ok(new)
    }

    /// Adds a mesh of triangles. Ask [`take_moved`](Self::take_moved) afterwards, also when it failed.
    pub(super) fn add(&mut self, vertices: &[Vertex], indices: &[u32]) -> Result<MeshId> {
        let fail = |detail| Error::Gl { operation: "adding a mesh", detail };
        if let Some(&index) = indices.iter().find(|&&i| i as usize >= vertices.len()) {
            return Err(fail(format!("index {index} of a mesh of {} vertices", vertices.len())));
        }
        let place = self.vacant.last().copied().unwrap_or(self.slices.len() as u32);
        let id = MeshId::new(place)
            .ok_or_else(|| fail(format!("there are {} already, and no more names", MeshId::COUNT)))?;
        let slice = self.place(vertices, indices)?;
        let bounds = Sphere::around(vertices.iter().map(|v| Vec3::from(v.position)));
        if self.vacant.pop().is_none() {
            self.slices.push(None);
            self.bounds.push(bounds);
            if let Some(kept) = &mut self.kept {
                kept.push(Kept::default());
            }
        }
        let place = place as usize;
        (self.slices[place], self.bounds[place]) = (Some(slice), bounds);
        if let Some(kept) = &mut self.kept {
            kept[place] = Kept { vertices: vertices.into(), indices: indices.into() };
        }
        Ok(id)
    }

    /// Takes room for a mesh and copies it there.
    fn place(&mut self, vertices: &[Vertex], indices: &[u32]) -> Result<Slice> {
        let at = self.vertices.push(vertices)?;
        self.moved |= at.moved;
        let first = match self.indices.push(indices) {
            Ok(first) => first,
            Err(e) => {
                // The vertex arrays have to hear of the vertices' other buffer all the same.
                self.vertices.free(at.first, vertices.len());
                return Err(e);
            }
        };
        self.moved |= first.moved;
        Ok(Slice {
            indices: indices.len() as u32,
            first_index: first.first,
            base_vertex: at.first,
            vertices: vertices.len() as u32,
        })
    }

    /// Takes a mesh out; its room and its name go to later ones. Whether there was one.
    pub(super) fn remove(&mut self, id: MeshId) -> bool {
        let place = self.slices.get_mut(id.index() as usize);
        let Some(slice) = place.and_then(Option::take) else { return false };
        self.vertices.free(slice.base_vertex, slice.vertices as usize);
        self.indices.free(slice.first_index, slice.indices as usize);
        self.vacant.push(id.index());
        if let Some(kept) = self.kept.as_mut().and_then(|kept| kept.get_mut(id.index() as usize)) {
            *kept = Kept::default();
        }
        true
    }

    /// Whether the buffers are other ones since this was asked last, so that vertex arrays have to be told.
    pub(super) const fn take_moved(&mut self) -> bool {
        std::mem::replace(&mut self.moved, false)
    }

    /// The mesh with that index, or one of nothing.
    pub(super) fn slice(&self, mesh: u32) -> Slice {
        self.slices.get(mesh as usize).copied().flatten().unwrap_or_default()
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
    /// Which values are taken.
    taken: RangeAllocator<u32>,
    _values: std::marker::PhantomData<T>,
}

/// Where values were put, and whether the buffer is another one for it.
struct Pushed {
    first: u32,
    moved: bool,
}

/// Values at first.
const FIRST: u32 = 4096;

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
        Ok(Self { handle, taken: RangeAllocator::new(0..FIRST), _values: std::marker::PhantomData })
    }

    /// Puts values where there is room. What is overwritten was freed: a driver that still draws from it carries this out
    /// afterwards.
    fn push(&mut self, values: &[T]) -> Result<Pushed> {
        if values.is_empty() {
            return Ok(Pushed { first: 0, moved: false });
        }
        let too_many = || Error::Gl {
            operation: "adding a mesh",
            detail: "the meshes are more than two gigabytes together".into(),
        };
        let length = u32::try_from(values.len()).map_err(|_| too_many())?;
        let (first, moved) = if let Ok(range) = self.taken.allocate_range(length) {
            (range.start, false)
        } else {
            self.grow(length, too_many)?;
            (self.taken.allocate_range(length).map_err(|_| too_many())?.start, true)
        };
        // SAFETY: the buffer is ours and has room for the values in the range that was just taken.
        unsafe {
            let gl = self.handle.gl().raw();
            gl.bind_buffer(glow::COPY_WRITE_BUFFER, Some(self.handle.raw()));
            gl.buffer_sub_data_u8_slice(
                glow::COPY_WRITE_BUFFER,
                (first as usize * size_of::<T>()) as i32,
                bytemuck::cast_slice(values),
            );
        }
        Ok(Pushed { first, moved })
    }

    /// Moves to a buffer with room for so many more values at its end.
    fn grow(&mut self, more: u32, too_many: impl Fn() -> Error) -> Result<()> {
        let capacity = self.taken.initial_range().end;
        let wanted = capacity.checked_add(more).and_then(u32::checked_next_power_of_two);
        let wanted = wanted.ok_or_else(too_many)?;
        let gl = self.handle.gl().clone();
        let larger = name(&gl)?;
        allocate::<T>(&gl, &larger, wanted)?;
        // SAFETY: both buffers are ours and hold at least `capacity` values.
        unsafe {
            gl.raw().bind_buffer(glow::COPY_READ_BUFFER, Some(self.handle.raw()));
            gl.raw().copy_buffer_sub_data(
                glow::COPY_READ_BUFFER,
                glow::COPY_WRITE_BUFFER,
                0,
                0,
                (capacity as usize * size_of::<T>()) as i32,
            );
        }
        self.handle = larger;
        self.taken.grow_to(wanted);
        Ok(())
    }

    fn free(&mut self, first: u32, length: usize) {
        if length > 0 {
            self.taken.free_range(first..first + length as u32);
        }
    }
}

/// Gives a buffer room for so many values, and leaves it bound for copies into it.
fn allocate<T>(gl: &Gl, buffer: &Handle<BufferObject>, capacity: u32) -> Result<()> {
    let bytes = i32::try_from((capacity as usize).saturating_mul(size_of::<T>())).map_err(|_| Error::Gl {
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

#[cfg(all(test, feature = "headless"))]
mod tests {
    use super::*;
    use crate::gl::DebugLevel;

    #[test]
    fn room_of_removed_meshes_is_used_again() {
        let outcome = crate::headless::with_context(DebugLevel::Panic, |gl| {
            let mut pool = MeshPool::new(gl, true).expect("a pool");
            let vertices = [Vertex::default(); 30];
            let indices: Vec<u32> = (0..30).collect();
            let kept = pool.add(&vertices, &indices).expect("room");
            for _ in 0..1_000 {
                let mesh = pool.add(&vertices, &indices).expect("room");
                assert!(pool.remove(mesh));
            }
            assert!(!pool.take_moved(), "the buffers never had to grow");
            assert_eq!((pool.slice(kept.index()).indices, pool.slices.len()), (30, 2));
        });
        outcome.unwrap_or_else(|e| panic!("{e}"));
    }
}
