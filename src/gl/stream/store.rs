use std::ops::Range;
use std::ptr::NonNull;

use glow::HasContext as _;

use super::{Strategy, StreamError};
use crate::gl::Gl;
use crate::gl::handle::{BufferObject, Handle};

/// Mapping and uploading go through this binding point, which no draw reads: what is bound elsewhere stays bound.
const BINDING: u32 = glow::COPY_WRITE_BUFFER;

/// The bytes of a ring, and how they are reached. It keeps no order: who writes where and when is decided before.
#[derive(Debug)]
pub(super) struct Store {
    handle: Handle<BufferObject>,
    strategy: Strategy,
    bytes: usize,
    mapped: Option<Mapped>,
    /// What `glBufferSubData` is to take, where values are filled in place. As long as a segment once it was needed;
    /// of 16-byte elements for their alignment.
    staging: Vec<u128>,
    /// The part of the buffer whose bytes are in `staging`, or written and not flushed.
    pending: Range<usize>,
}

/// The part of the buffer that is mapped now.
#[derive(Debug)]
struct Mapped {
    at: NonNull<u8>,
    range: Range<usize>,
}

impl Store {
    /// `bytes` bytes, which fit an `i32`. What the driver says of a refusal is in the error, and in no debug hook.
    pub(super) fn new(gl: &Gl, strategy: Strategy, bytes: usize) -> Result<Self, StreamError> {
        gl.attempt(|| Self::try_new(gl, strategy, bytes))
    }

    fn try_new(gl: &Gl, strategy: Strategy, bytes: usize) -> Result<Self, StreamError> {
        let fail = |operation| move |detail| StreamError::Driver { operation, detail };
        // SAFETY: makes a name in the current context.
        let raw = unsafe { gl.raw().create_buffer() }.map_err(fail("making a buffer"))?;
        // SAFETY: the name was just made here, for us alone.
        let handle = unsafe { Handle::from_raw(gl, raw) };
        let mut store = Self { handle, strategy, bytes, mapped: None, staging: Vec::new(), pending: 0..0 };
        if gl.caps().software {
            keep_freed_memory();
        }
        store.bind();
        if strategy == Strategy::Persistent {
            let flags = glow::MAP_WRITE_BIT | glow::MAP_PERSISTENT_BIT | glow::MAP_COHERENT_BIT;
            // SAFETY: the buffer is bound and has no storage yet; the size fits.
            unsafe { gl.raw().buffer_storage(BINDING, bytes as i32, None, flags) }
        } else {
            // SAFETY: the buffer is bound; the size fits.
            unsafe { gl.raw().buffer_data_size(BINDING, bytes as i32, glow::STREAM_DRAW) }
        }
        if gl.error_flag().is_some() {
            return Err(fail("taking memory")(format!("the driver has no {bytes} bytes")));
        }
        if strategy == Strategy::Persistent {
            let flags = glow::MAP_WRITE_BIT | glow::MAP_PERSISTENT_BIT | glow::MAP_COHERENT_BIT;
            store.map(0..bytes, flags)?;
        }
        Ok(store)
    }

    /// A new frame writes from now on. What the one before wrote was handed over.
    pub(super) fn begin(&mut self) {
        if self.strategy == Strategy::Orphan {
            self.bind();
            // SAFETY: the buffer is bound and not mapped; the size is the one it was made with.
            unsafe { self.gl().buffer_data_size(BINDING, self.bytes as i32, glow::STREAM_DRAW) }
        }
    }

    /// Writes `source` at byte `at` of the frame's `segment`, from which nobody reads any more.
    pub(super) fn write(
        &mut self,
        at: usize,
        source: &[u8],
        segment: &Range<usize>,
    ) -> Result<(), StreamError> {
        if self.strategy != Strategy::SubData {
            self.slice(at, source.len(), segment)?.copy_from_slice(source);
            return Ok(());
        }
        // In order: what was filled in place before goes first.
        self.finish(segment.start);
        self.bind();
        // SAFETY: the buffer is bound, and `at` with the length lies within it.
        unsafe { self.gl().buffer_sub_data_u8_slice(BINDING, at as i32, source) }
        Ok(())
    }

    /// The `len` bytes at byte `at` of the frame's `segment`, to be filled. Their contents are undefined.
    pub(super) fn slice(
        &mut self,
        at: usize,
        len: usize,
        segment: &Range<usize>,
    ) -> Result<&mut [u8], StreamError> {
        if self.pending.is_empty() {
            self.pending = at..at;
        }
        self.pending.end = at + len;
        if self.strategy == Strategy::SubData {
            if self.staging.is_empty() {
                self.staging.resize(segment.len().div_ceil(size_of::<u128>()), 0);
            }
            let from = at - segment.start;
            return Ok(&mut bytemuck::must_cast_slice_mut(&mut self.staging)[from..from + len]);
        }
        let access = match self.strategy {
            Strategy::FlushExplicit => {
                glow::MAP_WRITE_BIT | glow::MAP_INVALIDATE_RANGE_BIT | glow::MAP_FLUSH_EXPLICIT_BIT
            }
            // The memory of an orphaned buffer is new: nobody else knows it.
            _ => glow::MAP_WRITE_BIT | glow::MAP_INVALIDATE_RANGE_BIT | glow::MAP_UNSYNCHRONIZED_BIT,
        };
        let mapped = match &mut self.mapped {
            Some(mapped) => mapped,
            None => {
                self.bind();
                self.map(at..segment.end, access)?
            }
        };
        let from = at - mapped.range.start;
        assert!(from + len <= mapped.range.len(), "a write stays within what is mapped");
        // SAFETY: the bytes lie in the mapped range (just checked), stay mapped while `self` is borrowed, and no other
        // reference to them exists; they are plain memory of the driver, any value of which is a byte.
        Ok(unsafe { std::slice::from_raw_parts_mut(mapped.at.as_ptr().add(from), len) })
    }

    /// Hands what was written to the driver: after this it may be drawn from.
    pub(super) fn finish(&mut self, segment_start: usize) {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() && self.mapped.is_none() {
            return;
        }
        match self.strategy {
            Strategy::Persistent => {}
            Strategy::SubData => {
                self.bind();
                let staged = pending.start - segment_start..pending.end - segment_start;
                let source = &bytemuck::must_cast_slice::<_, u8>(&self.staging)[staged];
                // SAFETY: the buffer is bound; the range lies within it.
                unsafe { self.gl().buffer_sub_data_u8_slice(BINDING, pending.start as i32, source) }
            }
            _ => {
                let Some(mapped) = self.mapped.take() else { return };
                self.bind();
                let from = (pending.start - mapped.range.start) as i32;
                // SAFETY: the buffer is bound and mapped; what is flushed lies in the mapped range, no reference to which is
                // left.
                unsafe {
                    if self.strategy == Strategy::FlushExplicit {
                        self.gl().flush_mapped_buffer_range(BINDING, from, pending.len() as i32);
                    }
                    self.gl().unmap_buffer(BINDING);
                }
            }
        }
    }

    /// How many bytes it has.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) const fn raw(&self) -> glow::Buffer {
        self.handle.raw()
    }

    fn map(&mut self, range: Range<usize>, access: u32) -> Result<&mut Mapped, StreamError> {
        // SAFETY: the buffer is bound and not mapped; the range lies within it and is not empty.
        let at =
            unsafe { self.gl().map_buffer_range(BINDING, range.start as i32, range.len() as i32, access) };
        let at = NonNull::new(at).ok_or_else(|| StreamError::Driver {
            operation: "mapping a buffer",
            detail: format!("the driver refused {} bytes", range.len()),
        })?;
        Ok(self.mapped.insert(Mapped { at, range }))
    }

    fn bind(&self) {
        // SAFETY: the buffer is ours and alive.
        unsafe { self.gl().bind_buffer(BINDING, Some(self.handle.raw())) }
    }

    fn gl(&self) -> &glow::Context {
        self.handle.gl().raw()
    }
}

/// What a software rasteriser allocates and frees for a draw: megabytes, for a hundred thousand instances.
const SCRATCH: usize = 16 << 20;

/// glibc hands free memory at the end of a heap back to the system above a threshold, which it raises to twice the largest
/// block of its own mapping that was ever freed (mallopt(3), `M_MMAP_THRESHOLD`). Orphaned buffers raised it by being freed; a
/// ring frees nothing, and a software rasteriser's scratch memory would be paged in anew with each draw: 2,600 faults and
/// a sixth of the CPU's time per frame of 100,000 instances. A block that nobody touches is enough to raise it. Other
/// allocators take no notice.
fn keep_freed_memory() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| drop(std::hint::black_box(Vec::<u8>::with_capacity(SCRATCH))));
}
