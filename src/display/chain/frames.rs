//! Swapped frames, until somebody says what became of them.

use crate::pacing::{Feedback, FrameId, Presentation};
use crate::stats::PENDING;
use crate::time::Timestamp;

/// Frames that are remembered; as many as the recorder waits for.
const REMEMBERED: usize = PENDING;

/// A frame that was swapped.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct SwappedFrame {
    pub(super) id: FrameId,
    pub(super) gpu_done: Option<Timestamp>,
    open: bool,
}

/// The last frames.
#[derive(Debug)]
pub(super) struct Frames {
    ring: [SwappedFrame; REMEMBERED],
    /// The newest one of which the source in use has told a measured display time.
    measured: FrameId,
}

impl Default for Frames {
    fn default() -> Self {
        Self { ring: [SwappedFrame::default(); REMEMBERED], measured: FrameId(0) }
    }
}

impl Frames {
    pub(super) const fn swapped(&mut self, id: FrameId) {
        self.ring[id.slot(REMEMBERED)] = SwappedFrame { id, gpu_done: None, open: true };
    }

    /// The GPU was done with frame `id`. Whether anybody still waits for what became of it.
    pub(super) fn gpu_done(&mut self, id: FrameId, at: Timestamp) -> bool {
        let Some(frame) = self.open(id) else { return false };
        frame.gpu_done = Some(at);
        true
    }

    /// The source in use said what became of frame `id`. Whether it is the first to say so.
    pub(super) fn answered(&mut self, id: FrameId, presentation: Presentation) -> bool {
        let first = self.answer(id);
        if first && matches!(presentation, Presentation::At(..)) {
            self.measured = id.max(self.measured);
        }
        first
    }

    /// Nobody waits for frame `id` any more. Whether anybody did.
    pub(super) fn answer(&mut self, id: FrameId) -> bool {
        self.open(id).is_some_and(|frame| std::mem::take(&mut frame.open))
    }

    /// The newest frame of which the source in use has told a measured display time.
    pub(super) const fn measured(&self) -> FrameId {
        self.measured
    }

    /// Another source is in use: what the last one has measured, as [`measured`](Self::measured).
    pub(super) const fn start_anew(&mut self) -> FrameId {
        std::mem::replace(&mut self.measured, FrameId(0))
    }

    /// Tells of each open frame that has an end by `end` what that is.
    pub(super) fn close(
        &mut self,
        end: impl Fn(&SwappedFrame) -> Option<Presentation>,
        sink: &mut dyn FnMut(Feedback),
    ) {
        for frame in self.ring.iter_mut().filter(|f| f.open) {
            if let Some(presentation) = end(frame) {
                frame.open = false;
                sink(Feedback::Presented(frame.id, presentation));
            }
        }
    }

    fn open(&mut self, id: FrameId) -> Option<&mut SwappedFrame> {
        Some(&mut self.ring[id.slot(REMEMBERED)]).filter(|frame| frame.id == id && frame.open)
    }
}

/// What becomes of a frame that nobody answered for and that the GPU was done with at `done`. Where a later frame's display
/// time was measured (`newest`), an estimate would be a guess among measurements, and may lie before that of the frame
/// before it: no time at all is told then.
pub(super) fn unanswered(id: FrameId, newest: FrameId, done: Timestamp) -> Presentation {
    if id < newest { Presentation::Dropped } else { Presentation::Estimated(done) }
}
