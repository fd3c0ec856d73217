use glow::HasContext as _;

use super::Gl;
use crate::pacing::FrameId;

/// Frames whose fences are watched at a time; more than any swap chain holds.
const WATCHED: usize = 8;

/// One fence per frame, polled and never waited for. Neither inserting nor polling allocates on our side.
#[derive(Debug)]
pub struct FenceRing {
    gl: Gl,
    fences: [Option<(FrameId, glow::Fence)>; WATCHED],
    oldest: usize,
    len: usize,
}

impl FenceRing {
    /// An empty ring.
    #[must_use]
    pub fn new(gl: &Gl) -> Self {
        Self { gl: gl.clone(), fences: [const { None }; WATCHED], oldest: 0, len: 0 }
    }

    /// Puts a fence behind all commands so far. When the ring is full, the oldest frame is given up.
    pub fn insert(&mut self, id: FrameId) {
        if self.len == WATCHED {
            self.drop_oldest();
        }
        // SAFETY: makes a fence in the current context.
        if let Ok(fence) = unsafe { self.gl.raw().fence_sync(glow::SYNC_GPU_COMMANDS_COMPLETE, 0) } {
            self.fences[(self.oldest + self.len) % WATCHED] = Some((id, fence));
            self.len += 1;
        }
    }

    /// Whether no frame is watched.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Calls `done` for each frame, in order, that the GPU has finished since the last call. Does not wait.
    pub fn poll(&mut self, mut done: impl FnMut(FrameId)) {
        while self.len > 0 {
            let Some((id, fence)) = &self.fences[self.oldest] else { break };
            // SAFETY: the fence is ours and alive.
            if unsafe { self.gl.raw().get_sync_status(*fence) } != glow::SIGNALED {
                return;
            }
            done(*id);
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((_, fence)) = self.fences[self.oldest].take()
            && self.gl.is_alive()
        {
            // SAFETY: the fence is ours and alive, and forgotten with this.
            unsafe { self.gl.raw().delete_sync(fence) }
        }
        self.oldest = (self.oldest + 1) % WATCHED;
        self.len -= 1;
    }
}

impl Drop for FenceRing {
    fn drop(&mut self) {
        while self.len > 0 {
            self.drop_oldest();
        }
    }
}
