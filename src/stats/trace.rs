use std::fmt;
use std::time::Duration;

use super::ring::Ring;
use super::{FrameRecord, Stage};
use crate::pacing::{FASTEST_HZ, VblankSample};
use crate::time::{Timestamp, nanos};

/// What the file of a [`Trace`] says that it is; it changes when a field changes its meaning or goes away.
pub const TRACE_SCHEMA: &str = "scanout.trace/1";

/// Longest time that one frame, or one part of it, is believed to take, in nanoseconds: a minute.
const LONGEST: u64 = 60_000_000_000;

/// What the frames of a real run took, to be [replayed](crate::sim::replay). Times are nanoseconds of the monotonic clock,
/// spans are nanoseconds.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Trace {
    /// [`TRACE_SCHEMA`].
    pub schema: String,
    /// The display's nominal refresh rate in Hz, where it was known.
    pub refresh_hz: Option<f64>,
    /// The rate as measured from what the source said.
    pub measured_hz: Option<f64>,
    /// The pacing mode of the run.
    pub pacing: String,
    /// What told display times.
    pub source: String,
    /// Frames that came before those below and were pushed out by them.
    pub pushed_out: u64,
    /// The frames, oldest first.
    pub frames: Vec<TraceFrame>,
    /// The display's refreshes as they were told, oldest first.
    pub vblanks: Vec<TraceVblank>,
}

/// One frame of a [`Trace`].
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TraceFrame {
    /// Its number.
    pub id: u64,
    /// Its logic.
    pub logic: u64,
    /// Its drawing on the processor.
    pub render: u64,
    /// From its last draw call, or from when the GPU was done with the frame before, until the GPU was seen done.
    pub gpu: u64,
    /// How much later than planned its logic began; `None` where the thread did not sleep until then.
    pub late: Option<u64>,
    /// When its logic began.
    pub start: Option<u64>,
    /// When it was meant to be displayed.
    pub target: Option<u64>,
    /// When it was displayed; `None`: nobody told, or never.
    pub presented: Option<u64>,
}

/// One told refresh of a [`Trace`].
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TraceVblank {
    /// When.
    pub at: u64,
    /// The display's own count, where there is one.
    pub sequence: Option<u64>,
}

/// Why a [`Trace`] cannot be replayed.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TraceError {
    /// It has another schema.
    Schema,
    /// It has no frames.
    Empty,
    /// It names a refresh rate that no display has, or none at all.
    Rate,
    /// A frame takes longer than a minute.
    Span,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema => write!(f, "its schema is not {TRACE_SCHEMA}"),
            Self::Empty => f.write_str("it has no frames"),
            Self::Rate => f.write_str("it has no refresh rate from 1 to 2000 Hz"),
            Self::Span => f.write_str("a frame in it takes longer than a minute"),
        }
    }
}

impl std::error::Error for TraceError {}

impl Trace {
    /// Whether all that it says can be true.
    ///
    /// # Errors
    /// What cannot be.
    pub fn check(&self) -> Result<(), TraceError> {
        if self.schema != TRACE_SCHEMA {
            return Err(TraceError::Schema);
        }
        if self.frames.is_empty() {
            return Err(TraceError::Empty);
        }
        let sane = |hz: f64| (1.0..=FASTEST_HZ).contains(&hz);
        let rates = [self.refresh_hz, self.measured_hz];
        if rates.iter().all(Option::is_none) || !rates.into_iter().flatten().all(sane) {
            return Err(TraceError::Rate);
        }
        let long =
            |f: &TraceFrame| [f.logic, f.render, f.gpu, f.late.unwrap_or(0)].iter().any(|&t| t > LONGEST);
        if self.frames.iter().any(long) { Err(TraceError::Span) } else { Ok(()) }
    }
}

/// Keeps the newest frames and refreshes of a run. All memory is taken when it is made: 104 bytes per frame and 24 per
/// refresh; after that a frame costs some tens of nanoseconds.
#[derive(Clone, Debug)]
pub(super) struct Tracer {
    frames: Ring<TraceFrame>,
    vblanks: Ring<TraceVblank>,
    /// Swap return and GPU end of the frame before.
    before: (Option<Timestamp>, Option<Timestamp>),
}

impl Tracer {
    pub(super) fn new(frames: usize) -> Self {
        Self { frames: Ring::new(frames), vblanks: Ring::new(frames), before: (None, None) }
    }

    pub(super) fn frame(&mut self, record: &FrameRecord) {
        let span =
            |from: Stage, to: Stage| record.between(from, to).map_or(0, |ns| u64::try_from(ns).unwrap_or(0));
        let at = |stage: Stage| record.at(stage).map(Timestamp::as_nanos);
        let (swapped, gpu_before) = self.before;
        let start = record.at(Stage::InputSampled);
        // Where the plan came too late to be slept for, the delay is not the sleep's.
        let slept = record.planned.filter(|planned| swapped.is_some_and(|before| *planned > before));
        let late = slept
            .filter(|_| !record.after_idle)
            .zip(start)
            .map(|(planned, at)| nanos(at.saturating_since(planned)));
        let submitted = record.at(Stage::Submitted);
        let gpu = submitted.zip(record.at(Stage::GpuDone)).map_or(0, |(from, done)| {
            nanos(done.saturating_since(gpu_before.map_or(from, |before| before.max(from))))
        });
        self.before = (record.at(Stage::SwapEnd), record.at(Stage::GpuDone).or(gpu_before));
        self.frames.push(TraceFrame {
            id: record.id.0,
            // A repeated frame has no logic of its own.
            logic: if record.repeated { 0 } else { span(Stage::InputSampled, Stage::LogicDone) },
            render: span(Stage::SnapshotAcquired, Stage::Submitted),
            gpu,
            late,
            start: start.map(Timestamp::as_nanos),
            target: record.target.map(Timestamp::as_nanos),
            presented: at(Stage::Presented).filter(|_| !record.dropped),
        });
    }

    pub(super) fn vblank(&mut self, sample: VblankSample) {
        self.vblanks.push(TraceVblank { at: sample.at.as_nanos(), sequence: sample.sequence });
    }

    pub(super) fn trace(&self, refresh: Duration) -> Trace {
        let hz = Some(1.0 / refresh.as_secs_f64()).filter(|hz| hz.is_finite());
        Trace {
            schema: TRACE_SCHEMA.into(),
            refresh_hz: hz,
            pushed_out: self.frames.pushed_out(),
            frames: self.frames.list(),
            vblanks: self.vblanks.list(),
            ..Trace::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Recorder;
    use super::*;
    use crate::pacing::{FrameId, Origin, Presentation};

    fn at(us: u64) -> Timestamp {
        Timestamp::from_nanos(us * 1_000)
    }

    fn frame(id: u64, us: u64) -> FrameRecord {
        let mut r = FrameRecord::new(FrameId(id));
        r.planned = Some(at(us));
        for (stage, after) in [
            (Stage::InputSampled, 20),
            (Stage::LogicDone, 320),
            (Stage::SnapshotAcquired, 400),
            (Stage::Submitted, 1_000),
            (Stage::SwapEnd, 1_100),
        ] {
            r.mark(stage, at(us + after));
        }
        r
    }

    #[test]
    fn frames_become_costs_and_the_newest_are_kept() {
        let mut recorder = Recorder::new(2, Duration::from_millis(10));
        recorder.keep_trace(4);
        for id in 1..=10 {
            recorder.submitted(frame(id, id * 10_000));
            recorder.gpu_done(FrameId(id), at(id * 10_000 + 1_500));
            recorder.vblank(VblankSample {
                at: at(id * 10_000),
                sequence: Some(id),
                period: None,
                origin: Origin::Hardware,
            });
            recorder.presented(FrameId(id), Presentation::At(at(id * 10_000 + 9_000), Origin::Hardware));
        }
        let trace = recorder.trace(Duration::from_millis(10)).unwrap();
        assert_eq!(trace.check(), Ok(()));
        assert_eq!(trace.frames.iter().map(|f| f.id).collect::<Vec<_>>(), [7, 8, 9, 10]);
        assert_eq!(trace.pushed_out, 4, "those of the warm-up are not among them");
        let last = trace.frames[3];
        assert_eq!((last.logic, last.render, last.gpu, last.late), (300_000, 600_000, 500_000, Some(20_000)));
        assert_eq!(last.presented, Some(109_000_000));
        assert_eq!(trace.vblanks.len(), 4);
    }

    #[test]
    fn a_start_that_was_not_slept_for_has_no_wake_error_and_an_overlapped_gpu_is_not_counted_twice() {
        let mut tracer = Tracer::new(4);
        let mut first = frame(1, 10_000);
        first.mark(Stage::GpuDone, at(13_000));
        let mut second = frame(2, 11_050);
        second.mark(Stage::GpuDone, at(14_000));
        tracer.frame(&first);
        tracer.frame(&second);
        let frames = tracer.trace(Duration::from_millis(10)).frames;
        assert_eq!((frames[1].late, frames[1].gpu), (None, 1_000_000));
    }

    #[test]
    fn what_cannot_be_true_is_refused() {
        let good = Trace {
            schema: TRACE_SCHEMA.into(),
            refresh_hz: Some(60.0),
            frames: vec![TraceFrame::default()],
            ..Trace::default()
        };
        assert_eq!(good.check(), Ok(()));
        for (bad, why) in [
            (Trace { schema: "other/1".into(), ..good.clone() }, TraceError::Schema),
            (Trace { frames: Vec::new(), ..good.clone() }, TraceError::Empty),
            (Trace { refresh_hz: None, ..good.clone() }, TraceError::Rate),
            (Trace { measured_hz: Some(f64::NAN), ..good.clone() }, TraceError::Rate),
            (
                Trace { frames: vec![TraceFrame { gpu: u64::MAX, ..TraceFrame::default() }], ..good },
                TraceError::Span,
            ),
        ] {
            assert_eq!(bad.check(), Err(why));
        }
    }
}
