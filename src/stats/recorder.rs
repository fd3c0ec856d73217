use std::time::Duration;

use super::carry::Carry;
use super::trace::{Trace, Tracer};
use super::{Declared, Distribution, FrameRecord, Metrics, PassTimes, Ring, SelfCheck, Stage};
use crate::pacing::{FrameId, Presentation, VblankSample};
use crate::time::Timestamp;

/// Frames whose GPU or display times may still be outstanding. A compositor tells two refreshes later what it showed,
/// and an unpaced loop draws dozens of frames in that time; a frame that is pushed out is counted with what is known of
/// it.
pub(crate) const PENDING: usize = 128;
/// Finished frames kept for a live view.
const RECENT: usize = 256;

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
    /// [`FrameRecord::apart`].
    pub apart: u64,
    /// Those among the dropped whose display time was refused: it lay after that of a later frame, or before that of an
    /// earlier one.
    pub contradicted: u64,
}

/// Collects the stamps of frames until each is complete, then feeds the metrics. It lives on the render thread;
/// after construction it does not allocate.
#[derive(Clone, Debug)]
pub struct Recorder {
    pending: Box<[Option<FrameRecord>]>,
    /// The oldest frame that is not finished.
    next: FrameId,
    last: FrameId,
    previous: Option<FrameRecord>,
    carry: Carry,
    warmup: u64,
    metrics: Metrics,
    counters: Counters,
    recent: Vec<FrameRecord>,
    recent_next: usize,
    /// Somebody does say when the GPU is done.
    gpu_seen: bool,
    tracer: Option<Tracer>,
    records: Option<Ring<FrameRecord>>,
    passes: PassTimes,
    self_check: SelfCheck,
    told_after: Distribution,
    phase: Ring<i64>,
}

impl Recorder {
    /// A recorder that leaves the first `warmup` frames out of the metrics, for a display with this refresh
    /// interval (zero: unknown).
    #[must_use]
    pub fn new(warmup: u64, refresh: Duration) -> Self {
        Self {
            pending: vec![None; PENDING].into_boxed_slice(),
            next: FrameId(1),
            last: FrameId(0),
            previous: None,
            carry: Carry::default(),
            warmup,
            metrics: Metrics::new(refresh),
            counters: Counters::default(),
            recent: Vec::with_capacity(RECENT),
            recent_next: 0,
            gpu_seen: false,
            tracer: None,
            records: None,
            passes: PassTimes::default(),
            self_check: SelfCheck::new(),
            told_after: Distribution::default(),
            phase: Ring::new(RECENT),
        }
    }

    /// From now on keeps what the newest `frames` frames after the warm-up took, and as many refreshes, for
    /// [`trace`](Self::trace). Takes 128 bytes for each at once, and none later.
    pub fn keep_trace(&mut self, frames: usize) {
        self.tracer = Some(Tracer::new(frames));
    }

    /// What was kept, on a display with this nominal refresh interval (zero: unknown); `None` where nothing was to be.
    /// Allocates.
    #[must_use]
    pub fn trace(&self, refresh: Duration) -> Option<Trace> {
        self.tracer.as_ref().map(|tracer| tracer.trace(refresh))
    }

    /// From now on keeps the stamps of the newest `frames` frames, of the warm-up as well, for [`records`](Self::records).
    /// Takes about 300 bytes for each at once, and none later.
    pub fn keep_records(&mut self, frames: usize) {
        self.records = Some(Ring::new(frames));
    }

    /// The kept stamps, oldest first, and how many older ones had to make room for them. Allocates.
    #[must_use]
    pub fn records(&self) -> (Vec<FrameRecord>, u64) {
        self.records.as_ref().map_or_else(Default::default, |records| (records.list(), records.pushed_out()))
    }

    /// A measured display time was heard of so many nanoseconds after it.
    pub(crate) fn told_after(&mut self, nanos: i64) {
        self.told_after.record(nanos);
    }

    /// How long after a frame's display its time was heard of, where somebody measures it; negative where it is told in advance.
    #[must_use]
    pub const fn display_times_late(&self) -> &Distribution {
        &self.told_after
    }

    /// What the loop says of itself, for its [self-check](Self::self_check).
    pub fn declare(&mut self, declared: Declared) {
        self.self_check.declare(declared);
    }

    /// What the newest finished frames after the warm-up say of the loop that made them.
    #[must_use]
    pub const fn self_check(&self) -> &SelfCheck {
        &self.self_check
    }

    /// A pass of frame `id` took the GPU so many nanoseconds. Those of the warm-up are left out.
    pub fn gpu_pass(&mut self, id: FrameId, name: &'static str, nanos: i64) {
        if id.0 > self.warmup {
            self.passes.record(name, nanos);
        }
    }

    /// What passes took the GPU.
    #[must_use]
    pub const fn gpu_passes(&self) -> &PassTimes {
        &self.passes
    }

    /// Takes the record of the frame just drawn; frame ids must come in order, without gaps.
    pub fn submitted(&mut self, record: FrameRecord) {
        self.submit(record);
    }

    /// As [`submitted`](Self::submitted). Returns what it filled in as [`FrameRecord::queued`].
    pub(crate) fn submit(&mut self, mut record: FrameRecord) -> Option<u32> {
        debug_assert_eq!(record.id, self.last.next());
        while record.id.0 >= self.next.0 + PENDING as u64 {
            self.finish_oldest();
        }
        record.queued = self.queued(&record);
        self.take(record);
        self.finish_complete();
        record.queued
    }

    /// Takes a frame of which all is known that ever will be, as a [reader of telemetry](crate::telemetry::Reader) gives it.
    /// Ids come in order; where some are missing, what follows is measured as if the run began anew. Does not go together
    /// with [`submitted`](Self::submitted).
    pub fn replayed(&mut self, record: FrameRecord) {
        if record.id != self.last.next() {
            self.finish();
            self.next = record.id;
            (self.previous, self.carry) = (None, Carry::default());
        }
        self.take(record);
        self.finish_oldest();
    }

    fn take(&mut self, record: FrameRecord) {
        self.last = record.id;
        self.counters.frames += 1;
        self.counters.repeated += u64::from(record.repeated);
        self.counters.stale += u64::from(record.stale);
        self.pending[record.id.slot(PENDING)] = Some(record);
    }

    /// Frames before `record` that the GPU was not seen done with when it began.
    fn queued(&self, record: &FrameRecord) -> Option<u32> {
        let began = record.at(Stage::SnapshotAcquired)?;
        let in_flight = |r: &&FrameRecord| r.at(Stage::GpuDone).is_none_or(|done| done > began);
        let count = self.pending.iter().flatten().filter(in_flight).count();
        // Where nobody says when the GPU is done, all would seem to be in flight.
        (self.gpu_seen || count == 0).then_some(count as u32)
    }

    /// The GPU was seen done with frame `id`.
    pub fn gpu_done(&mut self, id: FrameId, at: Timestamp) {
        self.gpu_seen = true;
        if let Some(record) = self.pending_mut(id) {
            record.mark(Stage::GpuDone, at);
            self.finish_complete();
        }
    }

    /// Frame `id` was displayed, or dropped. Returns what is taken for true of it: frames are displayed in their order, so
    /// a time that contradicts what was told before of another frame is refused, and the frame counts as dropped.
    /// At most as many comparisons as frames are pending, usually one or two.
    pub fn presented(&mut self, id: FrameId, presentation: Presentation) -> Presentation {
        if self.pending_mut(id).is_none() {
            return presentation;
        }
        let contradicted = presentation.time().is_some_and(|(at, _)| !self.in_order(id, at));
        self.counters.contradicted += u64::from(contradicted);
        let presentation = if contradicted { Presentation::Dropped } else { presentation };
        if let Some(record) = self.pending_mut(id) {
            match presentation.time() {
                Some((at, origin)) => {
                    record.mark(Stage::Presented, at);
                    record.origin = origin;
                }
                None => record.dropped = true,
            }
            self.finish_complete();
        }
        presentation
    }

    /// Whether frame `id` can have been displayed at `at`: not before an earlier frame, and not after a later one.
    fn in_order(&self, id: FrameId, at: Timestamp) -> bool {
        let shown = |n: u64| {
            let record =
                self.pending[FrameId(n).slot(PENDING)].as_ref().filter(|r| r.id.0 == n && !r.dropped);
            record.and_then(|r| r.at(Stage::Presented))
        };
        let finished = || self.previous.as_ref().and_then(|r| r.at(Stage::Presented));
        let before = (self.next.0..id.0).rev().find_map(shown).or_else(finished);
        let after = (id.0 + 1..=self.last.0).find_map(shown);
        before.is_none_or(|before| before <= at) && after.is_none_or(|after| at <= after)
    }

    /// The display began a refresh. See [`Metrics::vblank`]; those during the warm-up count as its frames do.
    pub fn vblank(&mut self, sample: VblankSample) {
        if self.last.0 >= self.warmup {
            self.metrics.vblank(sample);
            if let Some(tracer) = &mut self.tracer {
                tracer.vblank(sample);
            }
        }
    }

    /// A vertical blank came `nanos` nanoseconds before it was predicted (negative: after). Those during the warm-up
    /// count as its frames do.
    pub fn phase_error(&mut self, nanos: i64) {
        self.phase.push(nanos);
        if self.last.0 >= self.warmup {
            self.metrics.phase_error(nanos);
        }
    }

    /// Snapshots that were never drawn.
    pub const fn skipped(&mut self, snapshots: u64) {
        self.counters.snapshots_skipped += snapshots;
    }

    /// Whether some drawn frame still waits for its GPU or display time.
    #[must_use]
    pub fn has_pending(&self) -> bool {
        self.next.0 <= self.last.0
    }

    /// Counts all frames that are still pending, with what is known of them. Call it at the end of a run.
    pub fn finish(&mut self) {
        while self.has_pending() {
            self.finish_oldest();
        }
    }

    /// The metrics so far.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The counters so far.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// How many frames are left out at the start.
    #[must_use]
    pub const fn warmup(&self) -> u64 {
        self.warmup
    }

    /// What comes next is measured against these intervals: see [`Metrics::set_refresh`].
    pub fn set_refresh(&mut self, refresh: Duration, frame_interval: Duration) {
        self.metrics.set_refresh(refresh, frame_interval);
    }

    /// The last finished frames, oldest first.
    pub fn recent(&self) -> impl Iterator<Item = &FrameRecord> {
        let (newer, older) = self.recent.split_at(self.recent_next.min(self.recent.len()));
        older.iter().chain(newer)
    }

    /// The last phase errors in nanoseconds, oldest first, those of the warm-up among them. Allocates.
    #[must_use]
    pub fn recent_phase_errors(&self) -> Vec<i64> {
        self.phase.list()
    }

    fn pending_mut(&mut self, id: FrameId) -> Option<&mut FrameRecord> {
        self.pending[id.slot(PENDING)].as_mut().filter(|record| record.id == id)
    }

    fn finish_complete(&mut self) {
        while self.has_pending() {
            let complete = self.pending[self.next.slot(PENDING)].is_none_or(|r| {
                r.dropped || r.at(Stage::GpuDone).is_some() && r.at(Stage::Presented).is_some()
            });
            if !complete {
                return;
            }
            self.finish_oldest();
        }
    }

    fn finish_oldest(&mut self) {
        let taken = self.pending[self.next.slot(PENDING)].take();
        self.next = self.next.next();
        let Some(mut record) = taken else { return };
        if record.id.0 > self.warmup
            && let Some(tracer) = &mut self.tracer
        {
            tracer.frame(&record);
        }
        if let Some(records) = &mut self.records {
            records.push(record);
        }
        if record.apart {
            // Another loop's; and the frames before and after it do not follow each other.
            self.self_check.restart();
        } else if record.id.0 > self.warmup {
            self.self_check.frame(&record);
        }
        if self.carry.pass(&mut record) {
            self.counters.unfinished += u64::from(record.at(Stage::GpuDone).is_none());
            self.counters.apart += u64::from(record.apart);
            if record.id.0 > self.warmup && !record.apart {
                self.counters.measured += 1;
                // Steps from a warm-up frame to the first measured one are left out with it.
                let previous = self.previous.as_ref().filter(|p| p.id.0 > self.warmup && !p.apart);
                self.metrics.displayed(previous, &record);
            }
            self.previous = Some(record);
        } else {
            self.counters.dropped += u64::from(record.dropped);
            self.counters.unfinished += u64::from(!record.dropped);
        }
        if self.recent.len() < RECENT {
            self.recent.push(record);
        } else {
            self.recent[self.recent_next % RECENT] = record;
            self.recent_next = (self.recent_next + 1) % RECENT;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Metric;
    use super::*;
    use crate::pacing::Origin;

    fn at(us: u64) -> Timestamp {
        Timestamp::from_nanos(us * 1_000)
    }

    fn frame(id: u64, input_us: Option<u64>) -> FrameRecord {
        let mut r = FrameRecord::new(FrameId(id));
        r.set(Stage::InputReceived, input_us.map(at));
        r.mark(Stage::InputSampled, at(id * 1_000));
        r.mark(Stage::SwapBegin, at(id * 1_000 + 500));
        r
    }

    #[test]
    fn frames_finish_in_order_when_both_times_are_known() {
        let mut rec = Recorder::new(0, Duration::from_millis(1));
        rec.submitted(frame(1, None));
        rec.submitted(frame(2, None));
        rec.gpu_done(FrameId(2), at(2_600));
        rec.presented(FrameId(2), Presentation::At(at(2_700), Origin::Hardware));
        assert_eq!(rec.counters().measured, 0, "frame 1 is still open");
        rec.presented(FrameId(1), Presentation::Estimated(at(1_700)));
        rec.gpu_done(FrameId(1), at(1_600));
        assert_eq!(rec.counters().measured, 2);
        assert!(!rec.has_pending());
        assert_eq!(rec.recent().map(|r| r.id.0).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn frames_that_are_kept_apart_are_in_no_figure() {
        let mut rec = Recorder::new(0, Duration::from_millis(1));
        for id in 1..=6 {
            let mut record = frame(id, None);
            record.apart = (3..=4).contains(&id);
            rec.submitted(record);
            rec.presented(FrameId(id), Presentation::Estimated(at(id * 1_000 + 700)));
            rec.gpu_done(FrameId(id), at(id * 1_000 + 600));
        }
        let c = rec.counters();
        assert_eq!((c.frames, c.measured, c.apart), (6, 4, 2));
        let n = |metric| rec.metrics().get(metric).count();
        assert_eq!(n(Metric::SampleToPhoton), 4);
        assert_eq!(n(Metric::MsBetweenDisplayChange), 2, "1 to 2 and 5 to 6");
        assert_eq!(rec.metrics().refreshes(), 2);
    }

    #[test]
    fn dropped_frame_hands_its_input_to_the_next_displayed() {
        let mut rec = Recorder::new(0, Duration::ZERO);
        rec.submitted(frame(1, Some(100)));
        rec.presented(FrameId(1), Presentation::Dropped);
        rec.submitted(frame(2, Some(1_900)));
        rec.presented(FrameId(2), Presentation::Estimated(at(2_100)));
        rec.gpu_done(FrameId(2), at(2_000));
        let click = rec.metrics().get(Metric::ClickToPhoton).summary().unwrap();
        assert_eq!(click.n, 1);
        assert!((click.mean - 2.0).abs() < 1e-9, "{}", click.mean);
        assert_eq!(rec.counters().dropped, 1);
    }

    #[test]
    fn gap_before_a_dropped_frame_is_no_interval_of_the_next() {
        let mut rec = Recorder::new(0, Duration::ZERO);
        for (id, shown_us) in [(1, Some(2_000)), (2, None), (3, Some(900_000)), (4, Some(916_000))] {
            let mut record = frame(id, None);
            record.after_idle = id == 2;
            rec.submitted(record);
            rec.gpu_done(FrameId(id), at(id * 1_000 + 600));
            let shown = shown_us.map(|us| Presentation::At(at(us), Origin::Compositor));
            rec.presented(FrameId(id), shown.unwrap_or(Presentation::Dropped));
        }
        let steps = rec.metrics().get(Metric::MsBetweenDisplayChange).summary().unwrap();
        assert_eq!((steps.n, steps.max.round()), (1, 16.0));
    }

    #[test]
    fn display_time_that_comes_dozens_of_frames_later_is_measured() {
        // 1,500 frames per second, of which a compositor shows every 25th and says so 36 ms later.
        let mut rec = Recorder::new(0, Duration::ZERO);
        for id in 1..=1_000 {
            rec.submitted(frame(id, None));
            rec.gpu_done(FrameId(id), at(id * 1_000 + 600));
            let Some(told) = id.checked_sub(54).filter(|id| *id > 0) else { continue };
            let shown = Presentation::At(at(told * 1_000 + 9_000), Origin::Compositor);
            rec.presented(FrameId(told), if told % 25 == 0 { shown } else { Presentation::Dropped });
        }
        assert_eq!((rec.counters().measured, rec.counters().unfinished), (946 / 25, 0));
    }

    #[test]
    fn display_times_never_run_backwards() {
        let mut rec = Recorder::new(0, Duration::ZERO);
        (1..=6).for_each(|id| rec.submitted(frame(id, None)));
        // Told in no order; 2 before 1, and 4 after 5, cannot be.
        let told = [(1, 20), (3, 40), (2, 10), (5, 60), (4, 61), (6, 60)].map(|(id, ms)| {
            let said = Presentation::At(at(ms * 1_000), Origin::Compositor);
            (id, rec.presented(FrameId(id), said) == said)
        });
        assert_eq!(told, [(1, true), (3, true), (2, false), (5, true), (4, false), (6, true)]);
        (1..=6).for_each(|id| rec.gpu_done(FrameId(id), at(id * 1_000)));
        let c = rec.counters();
        assert_eq!((c.measured, c.dropped, c.contradicted), (4, 2, 2));
        // A frame that is finished still counts as the one before.
        rec.submitted(frame(7, None));
        assert_eq!(rec.presented(FrameId(7), Presentation::Estimated(at(59_000))), Presentation::Dropped);
        let step = rec.metrics().get(Metric::MsBetweenDisplayChange).summary().unwrap();
        assert!(step.min >= 0.0, "{step:?}");
    }

    #[test]
    fn feedback_that_never_comes_is_counted_and_holds_nothing_up() {
        let mut rec = Recorder::new(0, Duration::ZERO);
        for id in 1..=500 {
            rec.submitted(frame(id, None));
        }
        assert_eq!(rec.counters().unfinished, 500 - PENDING as u64);
        // Late, duplicate and foreign feedback is ignored.
        rec.gpu_done(FrameId(1), at(1));
        rec.presented(FrameId(5_000), Presentation::Dropped);
        rec.finish();
        assert_eq!(rec.counters().unfinished, 500);
        assert!(!rec.has_pending());
    }

    #[test]
    fn warmup_frames_are_left_out() {
        let mut rec = Recorder::new(3, Duration::ZERO);
        for id in 1..=5 {
            rec.submitted(frame(id, None));
            rec.gpu_done(FrameId(id), at(id * 1_000 + 600));
            rec.presented(FrameId(id), Presentation::Estimated(at(id * 1_000 + 700)));
        }
        assert_eq!((rec.counters().frames, rec.counters().measured), (5, 2));
        assert_eq!(rec.metrics().get(Metric::MsBetweenPresents).count(), 1);
    }

    #[test]
    fn queue_depth_counts_frames_whose_gpu_work_was_open_at_the_start() {
        let began = |id: u64, us: u64| {
            let mut r = frame(id, None);
            r.mark(Stage::SnapshotAcquired, at(us));
            r
        };
        let mut rec = Recorder::new(0, Duration::ZERO);
        rec.submitted(began(1, 1_000));
        rec.submitted(began(2, 2_000));
        rec.gpu_done(FrameId(1), at(2_500));
        rec.submitted(began(3, 2_400)); // 1 was done only after this one had begun
        rec.submitted(began(4, 3_000));
        rec.gpu_done(FrameId(2), at(3_100));
        rec.gpu_done(FrameId(3), at(3_100));
        rec.gpu_done(FrameId(4), at(3_900));
        rec.submitted(began(5, 4_000));
        rec.gpu_done(FrameId(5), at(4_100));
        for id in 1..=5 {
            rec.presented(FrameId(id), Presentation::Estimated(at(id * 1_000 + 900)));
        }
        let queued: Vec<_> = rec.recent().map(|r| r.queued).collect();
        assert_eq!(queued, [Some(0), None, Some(2), Some(2), Some(0)], "nobody had spoken before frame 2");
        let depth = rec.metrics().summary(Metric::QueueDepth).unwrap();
        assert_eq!((depth.n, depth.mean, depth.max), (4, 1.0, 2.0));
    }

    #[test]
    fn vblanks_of_the_warm_up_are_left_out() {
        let mut rec = Recorder::new(1, Duration::from_millis(10));
        let tick = |rec: &mut Recorder, n: u64| {
            rec.vblank(VblankSample {
                at: at(n * 10_000),
                sequence: Some(n),
                period: None,
                origin: Origin::Hardware,
            });
            rec.phase_error(1);
        };
        (1..4).for_each(|n| tick(&mut rec, n));
        assert_eq!(rec.metrics().summary(Metric::VsyncJitter), None);
        assert_eq!(rec.metrics().summary(Metric::PhaseError), None);
        rec.submitted(frame(1, None));
        (4..7).for_each(|n| tick(&mut rec, n));
        assert_eq!(rec.metrics().get(Metric::VsyncJitter).count(), 2);
        assert_eq!(rec.metrics().get(Metric::PhaseError).count(), 3);
    }

    #[test]
    fn recent_keeps_the_last_ones_oldest_first() {
        let mut rec = Recorder::new(0, Duration::ZERO);
        for id in 1..=RECENT as u64 + 10 {
            rec.submitted(frame(id, None));
            rec.presented(FrameId(id), Presentation::Dropped);
        }
        let ids: Vec<u64> = rec.recent().map(|r| r.id.0).collect();
        assert_eq!(ids.len(), RECENT);
        assert!(ids.is_sorted() && ids[0] == 11);
    }
}
