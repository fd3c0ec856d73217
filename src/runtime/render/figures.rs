use std::time::Duration;

use crate::pacing::{FrameId, FramePacer, Lock, Origin, Presentation, VblankSample};
use crate::runtime::{RunOptions, TargetInfo};
use crate::stats::{Declared, FrameRecord, Recorder, Stage};
use crate::telemetry::{FrameStamps, Told};
use crate::time::Timestamp;

/// A measured refresh interval that is off the one in use by more than this share of it takes its place.
const REFRESH_DIFFERS: u32 = 500;
/// Events of the timeline for which the stamps of one frame are kept: a frame makes more than these.
const EVENTS_PER_FRAME: usize = 8;

/// What is kept of the frames: the run's figures, and the same for those who look on.
#[derive(Debug)]
pub(super) struct Figures {
    recorder: Recorder,
    telemetry: Option<FrameStamps>,
    refresh_hz: Option<f64>,
    /// The intervals that frames are held against: the display's (zero: unknown) and from frame to frame.
    intervals: (Duration, Duration),
    source: Option<(&'static str, Origin)>,
}

impl Figures {
    pub(super) fn new(options: &RunOptions, refresh_hz: Option<f64>) -> Self {
        let mut recorder = Recorder::new(options.warmup, Duration::ZERO);
        let records = options.record_frames.max(options.timeline_events / EVENTS_PER_FRAME);
        if options.timeline_events > 0 || records > 0 {
            recorder.keep_records(records);
        }
        if options.trace_frames > 0 {
            recorder.keep_trace(options.trace_frames);
        }
        let intervals = (Duration::ZERO, Duration::ZERO);
        Self { recorder, telemetry: None, refresh_hz, intervals, source: None }
    }

    pub(super) fn stamp_into(&mut self, telemetry: Option<FrameStamps>) {
        self.telemetry = telemetry;
    }

    pub(super) const fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// What tells display times now, and who stands behind it.
    pub(super) const fn source(&self) -> Option<(&'static str, Origin)> {
        self.source
    }

    pub(super) const fn set_source(&mut self, name: &'static str, origin: Origin) {
        self.source = Some((name, origin));
    }

    /// The display's nominal rate in Hz, where it is known.
    pub(super) const fn refresh_hz(&self) -> Option<f64> {
        self.refresh_hz
    }

    pub(super) const fn set_refresh_hz(&mut self, hz: f64) {
        self.refresh_hz = Some(hz);
    }

    /// The intervals that frames are held against.
    pub(super) const fn intervals(&self) -> (Duration, Duration) {
        self.intervals
    }

    /// A frame begins with a snapshot that left out `skipped` before it, since the one with the index `seen` was drawn.
    pub(super) fn begin(&mut self, record: &FrameRecord, seen: u64, skipped: u64) {
        if !record.repeated && !record.apart {
            self.recorder.skipped(skipped);
        }
        if let Some(telemetry) = &mut self.telemetry {
            telemetry.begin(record, seen);
        }
    }

    /// Whether a frame is one that the figures are made of.
    pub(super) const fn counts(&self, record: &FrameRecord) -> bool {
        !record.apart && self.after_warmup(record.id)
    }

    pub(super) const fn after_warmup(&self, id: FrameId) -> bool {
        id.0 > self.recorder.warmup()
    }

    /// A stage of a frame on its way was reached.
    pub(super) fn reached(&self, record: &mut FrameRecord, stage: Stage, at: Timestamp) {
        record.mark(stage, at);
        if let Some(telemetry) = &self.telemetry {
            telemetry.stamp(record.id, stage, at);
        }
    }

    /// The newest input was read for the frame then, if it was.
    pub(super) fn latched(&self, record: &mut FrameRecord, at: Option<Timestamp>) {
        record.latched = at;
        if let Some(telemetry) = &self.telemetry {
            telemetry.latched(record.id, at);
        }
    }

    /// A frame was swapped. Nothing may be told of it before.
    pub(super) fn swapped(&mut self, mut record: FrameRecord, at: Timestamp) {
        record.mark(Stage::SwapEnd, at);
        let queued = self.recorder.submit(record);
        if let Some(telemetry) = &mut self.telemetry {
            telemetry.stamp(record.id, Stage::SwapEnd, at);
            telemetry.swapped(record.id, queued);
        }
    }

    pub(super) fn gpu_done(&mut self, id: FrameId, at: Timestamp) {
        self.recorder.gpu_done(id, at);
        if let Some(telemetry) = &mut self.telemetry {
            telemetry.gpu_done(id, at);
        }
    }

    pub(super) fn gpu_pass(&mut self, id: FrameId, name: &'static str, nanos: i64) {
        self.recorder.gpu_pass(id, name, nanos);
    }

    /// What became of a frame, as was told at `now`. Returns what of it can be: the pacer hears no more than the figures show.
    pub(super) fn presented(&mut self, id: FrameId, told: Presentation, now: Timestamp) -> Presentation {
        let presentation = self.recorder.presented(id, told);
        if let Some(telemetry) = &mut self.telemetry {
            telemetry.presented(id, presentation);
        }
        if let Presentation::At(at, _) = presentation {
            self.recorder.told_after(id, now.signed_since(at));
        }
        presentation
    }

    /// The display began a refresh.
    pub(super) fn vblank(&mut self, sample: VblankSample, pacer: &FramePacer) {
        // What we made up ourselves measures nothing.
        if sample.origin == Origin::Estimated {
            return;
        }
        let locked = pacer.model().lock() == Lock::Locked;
        let predicted = pacer.model().nearest(sample.at).filter(|_| locked);
        let error = predicted.map(|predicted| predicted.at.signed_since(sample.at));
        if let Some(error) = error {
            self.recorder.phase_error(error);
        }
        self.recorder.vblank(sample);
        if let Some(telemetry) = &mut self.telemetry {
            telemetry.refreshed(&sample, error);
        }
    }

    /// The intervals that frames are held against: the display's, and how many of them a frame is meant to last.
    pub(super) fn tell_refresh(&mut self, pacer: &FramePacer, target: &TargetInfo) {
        let (refresh, interval) = (self.refresh(pacer), pacer.interval());
        let differs = |a: Duration, b: Duration| a.abs_diff(b) > b / REFRESH_DIFFERS;
        if differs(refresh, self.intervals.0) || differs(interval, self.intervals.1) {
            self.intervals = (refresh, interval);
            self.recorder.set_refresh(refresh, interval);
            self.tell_readers(pacer, target);
        }
    }

    /// Tells readers of the telemetry what is drawn with and to, after it changed.
    pub(super) fn tell_readers(&mut self, pacer: &FramePacer, target: &TargetInfo) {
        if let Some(telemetry) = &mut self.telemetry {
            telemetry.tell(&Told {
                surface: &target.surface,
                vendor: &target.vendor,
                renderer: &target.renderer,
                version: &target.version,
                source: self.source.unwrap_or((&target.source, target.origin)),
                pacing: pacer.mode(),
                refresh: self.intervals.0,
                interval: self.intervals.1,
                warmup: self.recorder.warmup(),
            });
        }
    }

    /// What the frames are held against by their self-check. `vsync`: swap was asked to wait for the display.
    pub(super) fn declare(&mut self, pacer: &FramePacer, vsync: bool) {
        let refresh = self.refresh(pacer);
        self.recorder.declare(Declared {
            refresh: (!refresh.is_zero()).then_some(refresh),
            vsync,
            ..Declared::of(pacer)
        });
    }

    /// No more frames come.
    pub(super) fn finish(mut self) -> Recorder {
        self.recorder.finish();
        self.recorder
    }

    /// The display's refresh interval: the nominal one, else as measured; zero where neither is known.
    fn refresh(&self, pacer: &FramePacer) -> Duration {
        let measured = || {
            let model = pacer.model();
            // A measured interval stays in use while the model learns anew.
            if model.lock() == Lock::Locked { model.period() } else { Some(self.intervals.0) }
        };
        let nominal = self.refresh_hz.map(|hz| Duration::from_secs_f64(1.0 / hz));
        nominal.or_else(measured).unwrap_or_default()
    }
}
