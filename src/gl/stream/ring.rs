use std::time::Duration;

use bytemuck::Pod;
use glow::HasContext as _;

use super::segments::{Fences, Segments};
use super::store::Store;
use super::{Strategy, StreamError, StreamStats, StreamTarget};
use crate::gl::Gl;
use crate::time::{Clock, MonotonicClock, Timestamp};
use crate::timeline;

/// Where something lies in a ring's buffer.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct StreamRange {
    offset: usize,
    len: usize,
}

impl StreamRange {
    /// Bytes from the start of the buffer.
    #[must_use]
    pub const fn offset(self) -> usize {
        self.offset
    }

    /// Length in bytes.
    #[must_use]
    pub const fn len(self) -> usize {
        self.len
    }

    /// Whether nothing was written.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The number of the first element, counted from the start of the buffer in elements of `T`, for draws that take a
    /// first vertex, base vertex or base instance. Exact for what was written as `T` to any target but
    /// [`Uniform`](StreamTarget::Uniform).
    #[must_use]
    pub const fn first<T>(self) -> u32 {
        if size_of::<T>() == 0 { 0 } else { (self.offset / size_of::<T>()) as u32 }
    }
}

/// A buffer for what is written anew each frame: see the [module](super) for the order of calls.
///
/// A frame costs, beside the copying: nothing but a look at a fence and a new fence with [`Strategy::Persistent`]; a
/// binding, a map and an unmap more with those that map; a binding and a call per write with [`Strategy::SubData`].
/// It allocates when it is made and, with `SubData`, at the first [`alloc`](Self::alloc).
#[derive(Debug)]
pub struct StreamRing {
    segments: Segments<GlFences>,
    store: Store,
    target: StreamTarget,
    strategy: Strategy,
}

/// Room at the end of each segment for what the alignment of the first write costs, and a size that keeps segments
/// aligned for every use (256 is the most that OpenGL allows for uniform blocks).
const SLACK: usize = 256;

impl StreamRing {
    /// A ring in which each frame can write at least `segment_bytes` bytes in one go (elements of up to 256 bytes; each
    /// further write may lose up to one element, or one uniform alignment, to alignment), while so many frames before it
    /// are still with the GPU. It takes `(frames_in_flight + 1) * (segment_bytes + about 256)` bytes of GPU memory.
    ///
    /// # Errors
    /// When the size is zero or beyond 2 GiB, the driver lacks what the strategy needs, or has no memory.
    pub fn new(
        gl: &Gl,
        target: StreamTarget,
        segment_bytes: usize,
        frames_in_flight: usize,
        strategy: Strategy,
    ) -> Result<Self, StreamError> {
        if !strategy.is_supported(gl.caps()) {
            return Err(StreamError::Unsupported(strategy));
        }
        let segment = segment_bytes.checked_next_multiple_of(SLACK).and_then(|n| n.checked_add(SLACK));
        // An orphaned buffer is new in each frame: there is nothing to go round.
        let orphaned = strategy == Strategy::Orphan;
        let segments = if orphaned { Some(1) } else { frames_in_flight.checked_add(1) };
        let total = segment.zip(segments).and_then(|(a, b)| a.checked_mul(b));
        let total = total.filter(|&n| segment_bytes > 0 && i32::try_from(n).is_ok());
        let (Some(total), Some(segment), Some(segments)) = (total, segment, segments) else {
            return Err(StreamError::Size { segment: segment_bytes, frames_in_flight });
        };
        let store = Store::new(gl, strategy, total)?;
        let mut segments = Segments::new(GlFences { gl: gl.clone() }, segments, segment);
        segments.fenced = !orphaned;
        Ok(Self { segments, store, target, strategy })
    }

    /// The same with the strategy that suits the driver: [`Gl::stream_strategy`].
    ///
    /// # Errors
    /// As for [`new`](Self::new), and when the environment names a strategy that does not exist.
    pub fn auto(
        gl: &Gl,
        target: StreamTarget,
        segment_bytes: usize,
        frames_in_flight: usize,
    ) -> Result<Self, StreamError> {
        Self::new(gl, target, segment_bytes, frames_in_flight, gl.stream_strategy()?)
    }

    /// Begins a frame: goes on to the next segment. Waits, counted and timed, if the GPU is not done with it.
    ///
    /// # Errors
    /// When the GPU does not finish within seconds, or the context is gone. There is no frame then.
    pub fn begin_frame(&mut self) -> Result<(), StreamError> {
        self.alive()?;
        self.finish_writes();
        self.segments.begin()?;
        self.store.begin();
        Ok(())
    }

    /// Begins a frame if that needs no wait. Whether it did.
    ///
    /// # Errors
    /// When the context is gone.
    pub fn try_begin_frame(&mut self) -> Result<bool, StreamError> {
        self.alive()?;
        if !self.segments.is_ready() {
            // A driver may keep commands, fences among them, until they are flushed: nobody else might do it.
            // SAFETY: a command in the current context.
            unsafe { self.gl().raw().flush() };
            return Ok(false);
        }
        self.begin_frame().map(|()| true)
    }

    /// Copies values into the frame's segment.
    ///
    /// # Errors
    /// When they do not fit, when no frame was begun, or the driver would not map the buffer.
    pub fn write<T: Pod>(&mut self, values: &[T]) -> Result<StreamRange, StreamError> {
        let source: &[u8] = bytemuck::cast_slice(values);
        let range = self.take::<T>(source.len())?;
        if !range.is_empty() {
            let segment = self.segments.start()..self.segments.end();
            let _upload = timeline::upload("stream", source.len());
            self.store.write(range.offset, source, &segment)?;
        }
        Ok(range)
    }

    /// Room for `len` values in the frame's segment, to be filled in place. What they hold before is undefined, and
    /// reading them is slow on many drivers: write each once.
    ///
    /// # Errors
    /// As for [`write`](Self::write); also when the driver maps memory at an address that `T` cannot have.
    pub fn alloc<T: Pod>(&mut self, len: usize) -> Result<(StreamRange, &mut [T]), StreamError> {
        let bytes = len.saturating_mul(size_of::<T>());
        let range = self.take::<T>(bytes)?;
        if range.is_empty() {
            return Ok((range, &mut []));
        }
        let segment = self.segments.start()..self.segments.end();
        let slice = self.store.slice(range.offset, range.len, &segment)?;
        let values = bytemuck::try_cast_slice_mut(slice)
            .map_err(|e| StreamError::Driver { operation: "mapping a buffer", detail: e.to_string() })?;
        Ok((range, values))
    }

    fn take<T>(&mut self, bytes: usize) -> Result<StreamRange, StreamError> {
        self.alive()?;
        let alignment = self.target.alignment(size_of::<T>(), self.segments.fences.gl.caps());
        let offset = self.segments.take(bytes, alignment)?;
        Ok(StreamRange { offset, len: bytes })
    }

    /// What was written may be drawn from after this. More can be written and drawn in the same frame.
    pub fn finish_writes(&mut self) {
        if self.alive().is_ok() {
            self.store.finish(self.segments.start());
        }
    }

    /// Ends the frame behind the last command that reads it. [`begin_frame`](Self::begin_frame) does it where it was left
    /// out, which is later than need be.
    pub fn fence(&mut self) {
        if self.alive().is_ok() {
            self.finish_writes();
            self.segments.fence();
        }
    }

    /// The buffer, the same for the life of the ring.
    #[must_use]
    pub const fn buffer(&self) -> glow::Buffer {
        self.store.raw()
    }

    /// Binds the buffer to the binding point of the ring's target. A ring of pixels has to be unbound before textures are made
    /// from memory, whose address OpenGL would take for a place in it.
    pub fn bind(&self) {
        // SAFETY: the buffer is ours and alive.
        unsafe { self.gl().raw().bind_buffer(self.target.binding(), Some(self.buffer())) }
    }

    /// Makes a range the one that the uniform block with this binding point reads. Only for
    /// [`StreamTarget::Uniform`], whose writes are aligned for it.
    pub fn bind_uniform(&self, binding: u32, range: StreamRange) {
        // SAFETY: the buffer is ours and alive, and the range lies within it, which fits an i32.
        unsafe {
            self.gl().raw().bind_buffer_range(
                glow::UNIFORM_BUFFER,
                binding,
                Some(self.buffer()),
                range.offset as i32,
                range.len as i32,
            );
        }
    }

    /// The context that it lives in.
    #[must_use]
    pub const fn gl(&self) -> &Gl {
        &self.segments.fences.gl
    }

    /// What its data is read as.
    #[must_use]
    pub const fn target(&self) -> StreamTarget {
        self.target
    }

    /// How bytes get there.
    #[must_use]
    pub const fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// Bytes of one segment: what one frame can write, alignment included.
    #[must_use]
    pub const fn segment_bytes(&self) -> usize {
        self.segments.segment_bytes()
    }

    /// Bytes of all of it.
    pub(crate) const fn bytes(&self) -> usize {
        self.store.bytes()
    }

    /// What it has done so far.
    #[must_use]
    pub const fn stats(&self) -> StreamStats {
        self.segments.stats()
    }

    /// Memory that is mapped goes with its context.
    fn alive(&self) -> Result<(), StreamError> {
        if self.gl().is_alive() { Ok(()) } else { Err(StreamError::ContextGone) }
    }

    /// Takes the fences out of the mechanism, to see what they are for.
    #[cfg(all(test, feature = "headless"))]
    pub(super) fn without_fences(mut self) -> Self {
        self.segments.fenced = false;
        self
    }
}

impl Drop for StreamRing {
    fn drop(&mut self) {
        let StreamStats { frames, waits, waited, longest_wait, .. } = self.stats();
        if waits > 0 {
            log::info!(
                "streaming ({:?}, {}): waited for the GPU in {waits} of {frames} frames, {waited:.1?} in all, {longest_wait:.1?} at most",
                self.target,
                self.strategy,
            );
        }
    }
}

/// Fences of the current context.
#[derive(Debug)]
pub(super) struct GlFences {
    gl: Gl,
}

/// How long a frame may take before the GPU is taken to hang, in nanoseconds: the longest that a wait can be told.
const HUNG: i32 = i32::MAX; // 2.1 s

impl Fences for GlFences {
    type Fence = glow::Fence;

    fn insert(&mut self) -> Result<glow::Fence, Duration> {
        // SAFETY: makes a fence in the current context.
        let fence = unsafe { self.gl.raw().fence_sync(glow::SYNC_GPU_COMMANDS_COMPLETE, 0) };
        fence.map_err(|_| {
            let began = self.now();
            // SAFETY: waits for all commands of the current context.
            unsafe { self.gl.raw().finish() };
            self.now().saturating_since(began)
        })
    }

    fn is_signalled(&mut self, fence: &glow::Fence) -> bool {
        // SAFETY: the fence is ours and alive.
        unsafe { self.gl.raw().get_sync_status(*fence) == glow::SIGNALED }
    }

    fn wait(&mut self, fence: &glow::Fence) -> bool {
        // SAFETY: the fence is ours and alive.
        let status = unsafe { self.gl.raw().client_wait_sync(*fence, glow::SYNC_FLUSH_COMMANDS_BIT, HUNG) };
        matches!(status, glow::ALREADY_SIGNALED | glow::CONDITION_SATISFIED)
    }

    fn delete(&mut self, fence: glow::Fence) {
        if self.gl.is_alive() {
            // SAFETY: the fence is ours and alive, and forgotten with this.
            unsafe { self.gl.raw().delete_sync(fence) }
        }
    }

    fn now(&self) -> Timestamp {
        MonotonicClock.now()
    }
}
