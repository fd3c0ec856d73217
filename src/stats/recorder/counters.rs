/// What is counted rather than timed.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Counters {
    /// Frames drawn, those of the warm-up among them.
    pub frames: u64,
    /// Frames that the metrics were computed from.
    pub measured: u64,
    /// Frames that were never displayed.
    pub dropped: u64,
    /// Frames that showed the snapshot of the frame before once more, for whatever reason.
    pub repeated: u64,
    /// Those among them that the logic thread was too late for.
    pub stale: u64,
    /// Snapshots that the render thread never saw, because a newer one came first.
    pub snapshots_skipped: u64,
    /// Frames whose GPU or display time never came.
    pub unfinished: u64,
    /// Frames that were displayed and left out of the metrics, because they were drawn to be compared with:
    /// [`FrameRecord::apart`](super::super::FrameRecord::apart).
    pub apart: u64,
    /// Those among the dropped whose display time was refused: it lay after that of a later frame, or before that of an
    /// earlier one.
    pub contradicted: u64,
}
