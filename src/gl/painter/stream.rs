use bytemuck::Pod;

use super::Gl;
use crate::gl::stream::FRAMES_IN_FLIGHT;
use crate::gl::{Strategy, StreamError, StreamRange, StreamRing, StreamTarget};

/// A ring that grows: what a frame needs is known only when its list is there.
#[derive(Debug)]
pub(super) struct Stream {
    ring: StreamRing,
    frames: usize,
    /// Of rings that became too small.
    waits: u64,
}

/// Bytes of a segment at first.
const FIRST: usize = 1 << 16;

impl Stream {
    /// For so many frames, of a `begin` each, before the GPU is waited for.
    pub(super) fn new(gl: &Gl, strategy: Strategy, paints_per_frame: usize) -> Result<Self, StreamError> {
        let frames = FRAMES_IN_FLIGHT.saturating_mul(paints_per_frame.max(1));
        Ok(Self { ring: ring(gl, FIRST, frames, strategy)?, frames, waits: 0 })
    }

    /// Goes on to a segment with room for so many bytes. Returns whether it is in another buffer than the one before.
    pub(super) fn begin(&mut self, bytes: usize) -> Result<bool, StreamError> {
        let grows = bytes > self.ring.segment_bytes();
        if grows {
            self.waits += self.ring.stats().waits;
            // The driver keeps the old buffer for the draws that read it.
            let size = bytes.checked_next_power_of_two().unwrap_or(bytes);
            self.ring = ring(self.ring.gl(), size, self.frames, self.ring.strategy())?;
        }
        self.ring.begin_frame()?;
        Ok(grows)
    }

    pub(super) fn write<T: Pod>(&mut self, values: &[T]) -> Result<StreamRange, StreamError> {
        self.ring.write(values)
    }

    /// Writes so many values where they go.
    pub(super) fn fill<T: Pod>(
        &mut self,
        len: usize,
        write: impl FnOnce(&mut [T]),
    ) -> Result<StreamRange, StreamError> {
        let (range, values) = self.ring.alloc(len)?;
        write(values);
        Ok(range)
    }

    /// What was written may be drawn from.
    pub(super) fn finish_writes(&mut self) {
        self.ring.finish_writes();
    }

    /// Everything that reads what was written has been drawn.
    pub(super) fn fence(&mut self) {
        self.ring.fence();
    }

    pub(super) const fn buffer(&self) -> glow::Buffer {
        self.ring.buffer()
    }

    pub(super) const fn strategy(&self) -> Strategy {
        self.ring.strategy()
    }

    /// How often the GPU was waited for, since the beginning.
    pub(super) const fn waits(&self) -> u64 {
        self.waits + self.ring.stats().waits
    }
}

fn ring(gl: &Gl, bytes: usize, frames: usize, strategy: Strategy) -> Result<StreamRing, StreamError> {
    StreamRing::new(gl, StreamTarget::Vertex, bytes, frames, strategy)
}
