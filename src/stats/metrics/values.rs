use super::Metric;
use crate::pacing::FrameId;
use crate::stats::{FrameRecord, Stage};
use crate::time::nanos;

/// What one frame gave a [`Metric`].
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Value {
    /// The frame.
    pub frame: FrameId,
    /// Nanoseconds, or frames, as [`Metric::unit`] says.
    pub value: i64,
}

/// What a displayed frame, and the step from the frame displayed before it, give of each metric that needs nothing else, in
/// the metric's own unit (nanoseconds or frames). For whoever keeps figures of their own. No allocation.
pub fn frame_values(previous: Option<&FrameRecord>, frame: &FrameRecord, mut sink: impl FnMut(Metric, i64)) {
    use Stage::{
        GpuDone, InputReceived, InputSampled, LogicDone, Presented, SnapshotAcquired, SnapshotPublished,
        Submitted, SwapBegin, SwapEnd,
    };
    let mut give = |metric, value: Option<i64>| {
        if let Some(value) = value {
            sink(metric, value);
        }
    };
    give(Metric::ClickToPhoton, frame.between(InputReceived, Presented));
    let latched = frame.at(Presented).zip(frame.latched);
    give(Metric::LatchToPhoton, latched.map(|(shown, at)| shown.signed_since(at)));
    // A frame that shows an old snapshot again has no sample and no hand-over of its own.
    if !frame.repeated {
        give(Metric::SampleToPhoton, frame.between(InputSampled, Presented));
        give(Metric::InputToLogic, frame.between(InputReceived, LogicDone));
        give(Metric::LogicToRender, frame.between(LogicDone, Submitted));
        give(Metric::LogicTime, frame.between(InputSampled, LogicDone));
        give(Metric::HandOver, frame.between(SnapshotPublished, SnapshotAcquired));
        let wake = frame.planned.zip(frame.at(InputSampled)).map(|(planned, at)| at.signed_since(planned));
        give(Metric::WakeError, wake.filter(|_| !frame.after_idle));
    }
    give(Metric::SubmitToGpuDone, frame.between(Submitted, GpuDone));
    give(Metric::SubmitToDisplay, frame.between(Submitted, Presented));
    give(Metric::RenderTime, frame.between(SnapshotAcquired, Submitted));
    give(Metric::MsInPresentAPI, frame.between(SwapBegin, SwapEnd));
    give(Metric::MsUntilDisplayed, frame.between(SwapBegin, Presented));
    give(Metric::RenderPresentLatency, frame.between(SwapBegin, GpuDone));
    give(Metric::SpinTime, frame.spun.map(|spun| nanos(spun) as i64));
    give(Metric::QueueDepth, frame.queued.map(i64::from));
    let Some(previous) = previous else { return };
    give(Metric::DisplayedTime, since(previous, frame, Presented, Presented));
    if frame.after_idle {
        return;
    }
    give(Metric::MsBetweenPresents, since(previous, frame, SwapBegin, SwapBegin));
    give(Metric::DisplayLatency, since(previous, frame, Presented, SwapEnd));
    let shown = since(previous, frame, Presented, Presented);
    give(Metric::MsBetweenDisplayChange, shown);
    if !redrawn(frame) {
        give(Metric::AnimationError, shown.map(|shown| moved(previous, frame) - shown));
    }
}

/// From `b` of the frame before to `a` of this one.
pub(super) fn since(previous: &FrameRecord, frame: &FrameRecord, a: Stage, b: Stage) -> Option<i64> {
    Some(frame.at(a)?.signed_since(previous.at(b)?))
}

/// How far animation moved.
pub(super) const fn moved(previous: &FrameRecord, frame: &FrameRecord) -> i64 {
    nanos(frame.animation_time) as i64 - nanos(previous.animation_time) as i64
}

/// Redrawn for the window's sake: the animation did not mean to move.
pub(in crate::stats) const fn redrawn(frame: &FrameRecord) -> bool {
    frame.repeated && !frame.stale
}
