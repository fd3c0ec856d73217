use std::collections::VecDeque;
use std::fmt;

use glow::HasContext as _;

use super::super::handle::{BufferObject, Handle};
use super::Gl;
use crate::error::{Error, Result};

/// How a frame's instances get to the GPU.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum UploadBy {
    /// Through memory that stays mapped, guarded by fences (GL 4.4 or `GL_ARB_buffer_storage`).
    Mapping,
    /// New storage each time, and `glBufferSubData` into it.
    Orphaning,
}

/// A stream of bytes to the GPU that never waits for it, unless the GPU is [`IN_FLIGHT`] writes behind.
///
/// The one place that knows how bytes get there: `begin` makes room, `copy` and `fill` write, `fence` closes it behind
/// the draws that read it.
pub(super) struct Upload {
    gl: Gl,
    by: UploadBy,
    buffer: Handle<BufferObject>,
    capacity: usize,
    /// Of the whole buffer, when mapping; else null.
    mapped: *mut u8,
    /// Where the next block begins.
    head: usize,
    /// Bytes behind `head`, round the ring, that the GPU may still read, those of `open` included.
    used: usize,
    /// Bytes taken since the last fence.
    open: usize,
    fences: VecDeque<(glow::Fence, usize)>,
    waits: u64,
    calls: u32,
    /// Words, because what is written is aligned to them.
    scratch: Vec<u32>,
}

/// Blocks that the GPU may be behind with before somebody waits.
const IN_FLIGHT: usize = 4;
/// How long it is waited for, in nanoseconds. A GPU that takes longer has hung.
const HUNG: i32 = i32::MAX; // 2.1 s
/// Bytes at first.
const FIRST: usize = 1 << 16;
const TARGET: u32 = glow::ARRAY_BUFFER;
const FLAGS: u32 = glow::MAP_WRITE_BIT | glow::MAP_PERSISTENT_BIT | glow::MAP_COHERENT_BIT;

impl Upload {
    pub(super) fn new(gl: &Gl, by: UploadBy) -> Result<Self> {
        let buffer = name(gl)?;
        let mut upload = Self {
            gl: gl.clone(),
            by,
            buffer,
            capacity: 0,
            mapped: std::ptr::null_mut(),
            head: 0,
            used: 0,
            open: 0,
            fences: VecDeque::with_capacity(2 * IN_FLIGHT),
            waits: 0,
            calls: 0,
            scratch: Vec::new(),
        };
        upload.allocate(FIRST)?;
        Ok(upload)
    }

    pub(super) fn buffer(&self) -> glow::Buffer {
        self.buffer.raw()
    }

    /// How often the GPU was waited for, since the beginning.
    pub(super) const fn waits(&self) -> u64 {
        self.waits
    }

    /// OpenGL calls since the last time that it was asked.
    pub(super) fn take_calls(&mut self) -> u32 {
        std::mem::take(&mut self.calls)
    }

    /// Makes room for a block of so many bytes. Returns where it begins, a multiple of `align`, and whether the buffer is
    /// another one now. Leaves it bound.
    pub(super) fn begin(&mut self, bytes: usize, align: usize) -> Result<(usize, bool)> {
        let needed = bytes + align;
        let mut another = false;
        match self.by {
            UploadBy::Orphaning => {
                if needed > self.capacity {
                    self.capacity = needed.next_power_of_two();
                }
                let size = size(self.capacity)?;
                self.calls += 2;
                // SAFETY: the buffer is ours and alive; its old storage stays with the draws that read it.
                unsafe {
                    self.gl.raw().bind_buffer(TARGET, Some(self.buffer.raw()));
                    self.gl.raw().buffer_data_size(TARGET, size, glow::STREAM_DRAW);
                }
                Ok((0, false))
            }
            UploadBy::Mapping => {
                // A block does not wrap: what is left at the end is given up.
                let taken = |head: usize, capacity: usize| {
                    if head + needed > capacity { capacity - head + needed } else { needed }
                };
                while self.used + taken(self.head, self.capacity) > self.capacity {
                    if self.retire() {
                        continue;
                    }
                    if self.fences.len() < IN_FLIGHT {
                        self.allocate((2 * self.capacity).max(IN_FLIGHT * needed))?;
                        another = true;
                    } else {
                        self.wait()?;
                    }
                }
                if self.head + needed > self.capacity {
                    self.used += self.capacity - self.head;
                    self.open += self.capacity - self.head;
                    self.head = 0;
                }
                let start = self.head.next_multiple_of(align);
                self.head += needed;
                self.used += needed;
                self.open += needed;
                self.calls += 1;
                // SAFETY: the buffer is ours and alive.
                unsafe { self.gl.raw().bind_buffer(TARGET, Some(self.buffer.raw())) }
                Ok((start, another))
            }
        }
    }

    /// Writes bytes at an offset of the block that was begun last.
    pub(super) fn copy(&mut self, offset: usize, bytes: &[u8]) {
        match self.by {
            UploadBy::Mapping => self.slice(offset, bytes.len()).copy_from_slice(bytes),
            UploadBy::Orphaning => {
                self.calls += 1;
                // SAFETY: the buffer is bound by `begin`, which made room.
                unsafe { self.gl.raw().buffer_sub_data_u8_slice(TARGET, offset as i32, bytes) }
            }
        }
    }

    /// The same, written where it goes.
    pub(super) fn fill(&mut self, offset: usize, bytes: usize, write: impl FnOnce(&mut [u8])) {
        if self.by == UploadBy::Mapping {
            write(self.slice(offset, bytes));
            return;
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        if scratch.len() < bytes.div_ceil(4) {
            scratch.resize(bytes.div_ceil(4), 0);
        }
        let room: &mut [u8] = &mut bytemuck::cast_slice_mut(&mut scratch)[..bytes];
        write(room);
        self.copy(offset, room);
        self.scratch = scratch;
    }

    fn slice(&mut self, offset: usize, bytes: usize) -> &mut [u8] {
        assert!(offset + bytes <= self.capacity && !self.mapped.is_null(), "a write beyond the block");
        // SAFETY: the whole capacity is mapped for writing while the buffer lives; the range lies within it, any bytes are
        // valid, the GPU is done with it by its fence, and `&mut self` keeps others away.
        unsafe { std::slice::from_raw_parts_mut(self.mapped.add(offset), bytes) }
    }

    /// Everything since the last fence is read by what was drawn so far.
    pub(super) fn fence(&mut self) {
        if self.fences.len() >= IN_FLIGHT {
            self.retire();
        }
        // Small blocks may be many: then the next fence stands for this one as well.
        if self.by == UploadBy::Orphaning || self.open == 0 || self.fences.len() == self.fences.capacity() {
            return;
        }
        self.calls += 1;
        // SAFETY: makes a fence in the current context.
        if let Ok(fence) = unsafe { self.gl.raw().fence_sync(glow::SYNC_GPU_COMMANDS_COMPLETE, 0) } {
            self.fences.push_back((fence, self.open));
            self.open = 0;
        }
    }

    /// Gives back what the GPU is done with. Returns whether there was something.
    fn retire(&mut self) -> bool {
        let before = self.fences.len();
        while let Some(&(fence, bytes)) = self.fences.front() {
            self.calls += 2;
            // SAFETY: the fence is ours and alive until it is deleted here, once.
            unsafe {
                if self.gl.raw().get_sync_status(fence) != glow::SIGNALED {
                    break;
                }
                self.gl.raw().delete_sync(fence);
            }
            self.used -= bytes;
            self.fences.pop_front();
        }
        self.fences.len() < before
    }

    #[cold]
    fn wait(&mut self) -> Result<()> {
        let Some(&(fence, _)) = self.fences.front() else { return Ok(()) };
        self.waits += 1;
        self.calls += 1;
        // SAFETY: the fence is ours and alive.
        match unsafe { self.gl.raw().client_wait_sync(fence, glow::SYNC_FLUSH_COMMANDS_BIT, HUNG) } {
            glow::ALREADY_SIGNALED | glow::CONDITION_SATISFIED => Ok(()),
            _ => Err(Error::DisplayLost { detail: "the GPU does not finish its work any more".into() }),
        }
    }

    /// Takes a new buffer of that many bytes. The driver keeps the old one for the draws that read it.
    fn allocate(&mut self, capacity: usize) -> Result<()> {
        let capacity = capacity.next_power_of_two();
        let size = size(capacity)?;
        self.drop_fences();
        let buffer = name(&self.gl)?;
        let gl = self.gl.raw();
        // SAFETY: the buffer was made here; it is mapped once, for as long as it lives.
        unsafe {
            gl.bind_buffer(TARGET, Some(buffer.raw()));
            if self.by == UploadBy::Mapping {
                gl.buffer_storage(TARGET, size, None, FLAGS);
                self.mapped = gl.map_buffer_range(TARGET, 0, size, FLAGS);
            } else {
                gl.buffer_data_size(TARGET, size, glow::STREAM_DRAW);
            }
        }
        if self.by == UploadBy::Mapping && self.mapped.is_null() {
            self.capacity = 0;
            return Err(Error::Gl {
                operation: "mapping a buffer",
                detail: format!("the driver did not map {capacity} bytes"),
            });
        }
        (self.buffer, self.capacity) = (buffer, capacity);
        (self.head, self.used, self.open) = (0, 0, 0);
        Ok(())
    }

    fn drop_fences(&mut self) {
        for (fence, _) in self.fences.drain(..) {
            if self.gl.is_alive() {
                // SAFETY: the fence is ours and forgotten with this.
                unsafe { self.gl.raw().delete_sync(fence) }
            }
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.drop_fences();
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("by", &self.by)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

fn name(gl: &Gl) -> Result<Handle<BufferObject>> {
    // SAFETY: makes a name in the current context, which goes into a handle that owns it at once.
    unsafe {
        let raw = gl.raw().create_buffer();
        raw.map(|raw| Handle::from_raw(gl, raw))
            .map_err(|detail| Error::Gl { operation: "making a buffer", detail })
    }
}

fn size(bytes: usize) -> Result<i32> {
    i32::try_from(bytes).map_err(|_| Error::Gl {
        operation: "uploading a frame",
        detail: format!("{bytes} bytes are more than a buffer holds"),
    })
}
