use std::fmt;
use std::time::Duration;

use crate::pacing::{FrameId, Origin, Plan};
use crate::time::Timestamp;

/// The points of a frame's way at which a stamp is taken, in their usual order.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Stage {
    /// The earliest input event that contributed to the frame reached the event loop.
    InputReceived,
    /// The logic thread drained its input for this frame.
    InputSampled,
    /// The logic step and the extraction of its snapshot were done.
    LogicDone,
    /// The snapshot was made visible to the render thread.
    SnapshotPublished,
    /// The render thread took the snapshot.
    SnapshotAcquired,
    /// The last draw call had been handed to the driver.
    Submitted,
    /// The GPU was seen to be done (a fence was polled: an upper bound, never waited for).
    GpuDone,
    /// Swap was called.
    SwapBegin,
    /// Swap returned.
    SwapEnd,
    /// The frame was displayed; [`FrameRecord::origin`] says who says so.
    Presented,
}

impl Stage {
    /// How many stages there are.
    pub const COUNT: usize = 10;

    /// All stages in order.
    pub const ALL: [Self; Self::COUNT] = [
        Self::InputReceived,
        Self::InputSampled,
        Self::LogicDone,
        Self::SnapshotPublished,
        Self::SnapshotAcquired,
        Self::Submitted,
        Self::GpuDone,
        Self::SwapBegin,
        Self::SwapEnd,
        Self::Presented,
    ];

    /// The stage's name in reports: lower case, words joined by underscores.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InputReceived => "input_received",
            Self::InputSampled => "input_sampled",
            Self::LogicDone => "logic_done",
            Self::SnapshotPublished => "snapshot_published",
            Self::SnapshotAcquired => "snapshot_acquired",
            Self::Submitted => "submitted",
            Self::GpuDone => "gpu_done",
            Self::SwapBegin => "swap_begin",
            Self::SwapEnd => "swap_end",
            Self::Presented => "presented",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One frame's stamps. A stage that was not reached, or not measured, has none.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FrameRecord {
    /// The frame's number.
    pub id: FrameId,
    /// The number of the snapshot that it shows; 0 when none had been published yet.
    pub snapshot: u64,
    marks: [Option<Timestamp>; Stage::COUNT],
    /// Who says when the frame was displayed.
    pub origin: Origin,
    /// The animation clock of the snapshot: the sum of all steps so far.
    pub animation_time: Duration,
    /// It shows the same snapshot as the frame before.
    pub repeated: bool,
    /// It repeats a snapshot because the logic thread did not deliver in time.
    pub stale: bool,
    /// It will never be displayed.
    pub dropped: bool,
    /// Nothing had asked for a frame before it: the gap to the frame before says nothing about pacing.
    pub after_idle: bool,
    /// It was drawn to be compared with, and is left out of the run's figures.
    pub apart: bool,
    /// When its logic step was to begin, where the pacing mode planned that.
    pub planned: Option<Timestamp>,
    /// When the renderer read the newest input once more, immediately before the draw calls that depend on it.
    pub latched: Option<Timestamp>,
    /// When it was meant to be swapped, where the pacing mode held it until a time.
    pub swap_at: Option<Timestamp>,
    /// When it was meant to be displayed, where the pacing mode aimed at a time.
    pub target: Option<Timestamp>,
    /// How long the logic thread spun, rather than slept, until its step began; `None` where nobody measured it.
    pub spun: Option<Duration>,
    /// Frames before it that had been submitted and that the GPU was not seen done with when it began. Filled in by
    /// the [`Recorder`](super::Recorder).
    pub queued: Option<u32>,
    /// The refresh interval that it is held against; `None` where nobody knew. Filled in by the
    /// [`Recorder`](super::Recorder).
    pub refresh: Option<Duration>,
    /// Refresh intervals that the pacing mode meant it to last. Filled in by the [`Recorder`](super::Recorder).
    pub lasts: Option<u32>,
}

impl FrameRecord {
    /// An empty record for frame `id`.
    #[must_use]
    pub fn new(id: FrameId) -> Self {
        Self { id, ..Self::default() }
    }

    /// An empty record for the frame of `plan`, with what the plan wants of it. It has the plan's number: for loops in which
    /// every plan becomes a frame.
    #[must_use]
    pub fn for_plan(plan: &Plan) -> Self {
        Self {
            planned: plan.dt.is_some().then_some(plan.wake_at),
            swap_at: plan.swap_at,
            target: plan.target_presentation,
            ..Self::new(FrameId(plan.id.0))
        }
    }

    /// The stamp of `stage`, if it was taken.
    #[must_use]
    pub const fn at(&self, stage: Stage) -> Option<Timestamp> {
        self.marks[stage as usize]
    }

    /// Stamps `stage`.
    pub const fn mark(&mut self, stage: Stage, at: Timestamp) {
        self.marks[stage as usize] = Some(at);
    }

    /// Stamps `stage` where a stamp was taken, and clears it where not.
    pub const fn set(&mut self, stage: Stage, at: Option<Timestamp>) {
        self.marks[stage as usize] = at;
    }

    /// Nanoseconds from one stage to another, negative when `to` came first; `None` unless both were stamped.
    #[must_use]
    pub const fn between(&self, from: Stage, to: Stage) -> Option<i64> {
        match (self.at(from), self.at(to)) {
            (Some(a), Some(b)) => Some(b.signed_since(a)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_indexed_in_their_order() {
        for (i, stage) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(stage as usize, i);
        }
    }

    #[test]
    fn between_needs_both_stamps_and_keeps_the_sign() {
        let mut r = FrameRecord::new(FrameId(1));
        assert_eq!(r.between(Stage::SwapBegin, Stage::GpuDone), None);
        r.mark(Stage::SwapBegin, Timestamp::from_nanos(50));
        assert_eq!(r.between(Stage::SwapBegin, Stage::GpuDone), None);
        r.mark(Stage::GpuDone, Timestamp::from_nanos(20));
        assert_eq!(r.between(Stage::SwapBegin, Stage::GpuDone), Some(-30));
    }
}
