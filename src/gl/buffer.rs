use std::marker::PhantomData;

use bytemuck::Pod;
use glow::HasContext as _;

use super::Gl;
use super::handle::{BufferObject, Handle};
use crate::error::{Error, Result};
use crate::timeline;

/// How often a buffer's contents change.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Usage {
    /// Written once.
    Static,
    /// Written anew each frame.
    Stream,
}

/// Values of one type in the GPU's memory.
#[derive(Debug)]
pub struct Buffer<T> {
    handle: Handle<BufferObject>,
    target: u32,
    usage: Usage,
    len: usize,
    capacity: usize,
    _values: PhantomData<T>,
}

impl<T: Pod> Buffer<T> {
    /// A buffer of vertices or instances.
    ///
    /// # Errors
    /// When the driver has no memory or no name left.
    pub fn vertices(gl: &Gl, values: &[T], usage: Usage) -> Result<Self> {
        Self::new(gl, glow::ARRAY_BUFFER, values, usage)
    }

    /// A uniform buffer.
    ///
    /// # Errors
    /// When the driver has no memory or no name left.
    pub fn uniform(gl: &Gl, values: &[T], usage: Usage) -> Result<Self> {
        Self::new(gl, glow::UNIFORM_BUFFER, values, usage)
    }

    /// An index buffer. It is bound through the vertex array that is bound at the time.
    pub(super) fn indices(gl: &Gl, values: &[T]) -> Result<Self> {
        Self::new(gl, glow::ELEMENT_ARRAY_BUFFER, values, Usage::Static)
    }

    fn new(gl: &Gl, target: u32, values: &[T], usage: Usage) -> Result<Self> {
        // SAFETY: makes a name in the current context.
        let raw = unsafe { gl.raw().create_buffer() }
            .map_err(|detail| Error::Gl { operation: "making a buffer", detail })?;
        // SAFETY: the name was just made here, for us alone.
        let handle = unsafe { Handle::from_raw(gl, raw) };
        let mut buffer = Self { handle, target, usage, len: 0, capacity: 0, _values: PhantomData };
        buffer.write(values);
        Ok(buffer)
    }

    /// Replaces the contents. The bytes go from `values` straight to the driver; storage that the GPU may still be
    /// reading is left to it and new storage taken (orphaning), so that nothing waits. Does not allocate on our side.
    pub fn write(&mut self, values: &[T]) {
        let gl = self.handle.gl().raw();
        let bytes: &[u8] = bytemuck::cast_slice(values);
        let usage = match self.usage {
            Usage::Static => glow::STATIC_DRAW,
            Usage::Stream => glow::STREAM_DRAW,
        };
        let _upload = timeline::upload("buffer", bytes.len());
        // SAFETY: the buffer is ours and alive; `bytes` is valid for the calls, which copy from it.
        unsafe {
            gl.bind_buffer(self.target, Some(self.handle.raw()));
            if self.usage == Usage::Static || bytes.len() > self.capacity {
                gl.buffer_data_u8_slice(self.target, bytes, usage);
                self.capacity = bytes.len();
            } else {
                gl.buffer_data_size(self.target, i32::try_from(self.capacity).unwrap_or(i32::MAX), usage);
                gl.buffer_sub_data_u8_slice(self.target, 0, bytes);
            }
        }
        self.len = values.len();
    }

    /// Makes a uniform buffer the one that the block with this binding point reads.
    pub fn bind_base(&self, binding: u32) {
        // SAFETY: the buffer is ours and alive.
        unsafe { self.handle.gl().raw().bind_buffer_base(self.target, binding, Some(self.handle.raw())) }
    }

    /// How many values it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it holds none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Frees it now.
    pub fn delete(self) {
        self.handle.delete();
    }

    pub(super) fn bind(&self) {
        // SAFETY: the buffer is ours and alive.
        unsafe { self.handle.gl().raw().bind_buffer(self.target, Some(self.handle.raw())) }
    }

    pub(super) fn into_handle(self) -> Handle<BufferObject> {
        self.handle
    }
}
