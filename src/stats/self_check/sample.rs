use crate::pacing::Origin;
use crate::stats::{FrameRecord, Stage};
use crate::time::Timestamp;

/// Display times that are remembered, to count the frames before one that had not been displayed when it was swapped.
/// No queue is deeper.
pub(super) const DEEPEST: usize = 8;

/// What became of a frame.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum Shown {
    #[default]
    Unknown,
    Measured,
    Estimated,
    Dropped,
}

/// What is kept of a frame: spans in nanoseconds, each absent where its stamps are.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Sample {
    /// From sampling to swap, without what was done in between.
    pub(super) wait: Option<i64>,
    /// What of the time from sampling to drawing lay inside the swap of the frame before.
    pub(super) in_swap: i64,
    pub(super) swap: Option<i64>,
    /// From the return of the swap before to the return of this one.
    pub(super) interval: Option<i64>,
    pub(super) swapped: Option<Timestamp>,
    /// Frames before it that had not been displayed when it was swapped.
    pub(super) ahead: Option<u32>,
    /// Frames before it that the GPU had not finished when it began.
    pub(super) queued: Option<u32>,
    pub(super) latency: Option<i64>,
    pub(super) shown: Shown,
    pub(super) stale: bool,
    /// From what it aimed at to its display.
    pub(super) late: Option<i64>,
    pub(super) logic: Option<i64>,
    pub(super) drawing: Option<i64>,
    pub(super) gpu: Option<i64>,
    /// Its logic ran while the frame before was drawn.
    pub(super) pipelined: bool,
    /// How far animation moved, how far the display, and how far the wall clock between the starts.
    pub(super) moved: Option<[i64; 3]>,
    /// It was drawn while the window was told to be hidden.
    pub(super) hidden: bool,
}

/// The frames before the one that is looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    last: Option<FrameRecord>,
    displayed: Option<FrameRecord>,
    times: [Option<Timestamp>; DEEPEST],
    next: usize,
}

impl Before {
    /// What is kept of `frame`, which comes after those seen so far. No allocation.
    pub(super) fn take(&mut self, frame: &FrameRecord) -> Sample {
        let last = self.last.as_ref().filter(|_| !frame.after_idle);
        let mut sample = Sample {
            swap: frame.between(Stage::SwapBegin, Stage::SwapEnd),
            interval: last
                .and_then(|last| last.at(Stage::SwapEnd))
                .zip(frame.at(Stage::SwapEnd))
                .map(|(from, to)| to.signed_since(from)),
            swapped: frame.at(Stage::SwapBegin),
            queued: frame.queued,
            stale: frame.stale,
            gpu: gpu(last, frame),
            pipelined: last
                .and_then(|last| last.at(Stage::Submitted))
                .zip(frame.at(Stage::InputSampled))
                .is_some_and(|(submitted, sampled)| sampled < submitted),
            ..Sample::default()
        };
        if !frame.repeated && !frame.after_idle {
            (sample.wait, sample.in_swap) = wait(last, frame);
        }
        if !frame.repeated {
            sample.logic = logic(frame);
        }
        sample.drawing = frame
            .between(Stage::SnapshotAcquired, Stage::Submitted)
            .or_else(|| frame.between(Stage::LogicDone, Stage::Submitted));
        sample.shown = match frame.at(Stage::Presented) {
            _ if frame.dropped => Shown::Dropped,
            None => Shown::Unknown,
            Some(_) if frame.origin == Origin::Estimated => Shown::Estimated,
            Some(_) => Shown::Measured,
        };
        if sample.shown == Shown::Measured {
            self.displayed(frame, &mut sample);
        }
        self.last = Some(*frame);
        sample
    }

    fn displayed(&mut self, frame: &FrameRecord, sample: &mut Sample) {
        let Some(shown) = frame.at(Stage::Presented) else { return };
        if let Some(swapped) = frame.at(Stage::SwapBegin) {
            let ahead = self.times.iter().flatten().filter(|at| **at > swapped).count();
            sample.ahead = Some(ahead as u32);
            sample.latency = Some(shown.signed_since(swapped));
        }
        sample.late = frame.target.filter(|_| !frame.after_idle).map(|target| shown.signed_since(target));
        if let Some(before) = self.displayed.as_ref().filter(|_| !frame.after_idle && !frame.repeated) {
            let since = |stage| Some(frame.at(stage)?.signed_since(before.at(stage)?));
            let moved = frame.animation_time.as_nanos() as i64 - before.animation_time.as_nanos() as i64;
            let spans = since(Stage::Presented).zip(since(Stage::InputSampled));
            sample.moved = spans.map(|(display, wall)| [moved, display, wall]);
        }
        self.displayed = Some(*frame);
        self.times[self.next] = Some(shown);
        self.next = (self.next + 1) % DEEPEST;
    }
}

/// From sampling to swap, without logic, drawing, and what the plan wants; and what of that lay inside the swap of the
/// frame before. A wait for the GPU is none: what makes it long is found by other checks.
fn wait(last: Option<&FrameRecord>, frame: &FrameRecord) -> (Option<i64>, i64) {
    let (Some(sampled), Some(submitted)) = (frame.at(Stage::InputSampled), frame.at(Stage::Submitted)) else {
        return (None, 0);
    };
    // Before the time at which the step was to begin.
    let early = frame.planned.map_or(0, |planned| planned.min(submitted).signed_since(sampled).max(0));
    // Between logic and drawing, while this thread was not busy with the frame before.
    let mut ready = frame.at(Stage::LogicDone).unwrap_or(sampled).max(sampled.offset(early));
    let (mut idle, mut in_swap) = (0, 0);
    if let Some(acquired) = frame.at(Stage::SnapshotAcquired) {
        if let Some(last) = last {
            let drawn = if last.swap_at.is_some() { Stage::SwapBegin } else { Stage::Submitted };
            ready =
                [last.at(drawn), last.at(Stage::GpuDone)].into_iter().flatten().fold(ready, Timestamp::max);
            if let (Some(begin), Some(end)) = (last.at(Stage::SwapBegin), last.at(Stage::SwapEnd)) {
                in_swap = end.min(acquired).signed_since(begin.max(ready)).max(0);
            }
        }
        idle = acquired.signed_since(ready).max(0) - in_swap;
    }
    // Between drawing and swap, where no plan wants that.
    let held = frame.at(Stage::SwapBegin).map_or(0, |swap| {
        let planned = frame.swap_at.map_or(submitted, |at| at.max(submitted));
        swap.signed_since(planned).max(0)
    });
    (Some(early + idle + held), in_swap)
}

/// What the logic step took, without a wait for its planned start that lies inside.
fn logic(frame: &FrameRecord) -> Option<i64> {
    let (sampled, done) = (frame.at(Stage::InputSampled)?, frame.at(Stage::LogicDone)?);
    let began =
        frame.planned.map_or(sampled, |planned| if planned < done { sampled.max(planned) } else { sampled });
    Some(done.signed_since(began))
}

/// What the GPU took, after it was done with the frame before.
fn gpu(last: Option<&FrameRecord>, frame: &FrameRecord) -> Option<i64> {
    let (submitted, done) = (frame.at(Stage::Submitted)?, frame.at(Stage::GpuDone)?);
    let free = last.and_then(|last| last.at(Stage::GpuDone)).map_or(submitted, |at| at.max(submitted));
    Some(done.signed_since(free).max(0))
}
