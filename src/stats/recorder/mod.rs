mod counters;
mod follow;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use self::counters::Counters;

use super::carry::Carry;
use super::trace::{Trace, Tracer};
use super::{Declared, Distribution, FrameRecord, Metrics, PassTimes, Ring, SelfCheck};
use crate::pacing::{FrameId, VblankSample};

/// Frames whose GPU or display times may still be outstanding. A compositor tells two refreshes later what it showed,
/// and an unpaced loop draws dozens of frames in that time; a frame that is pushed out is counted with what is known of
/// it.
pub(crate) const PENDING: usize = 128;
/// Finished frames kept for a live view.
const RECENT: usize = 256;

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
    /// Of the last frames: kept out of all figures. What is told of a frame may come after it is finished.
    apart: Box<[bool]>,
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
            apart: vec![false; RECENT].into_boxed_slice(),
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

    /// The measured display time of frame `id` was heard of so many nanoseconds after it.
    pub(crate) fn told_after(&mut self, id: FrameId, nanos: i64) {
        if !self.is_apart(id) {
            self.told_after.record(nanos);
        }
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

    /// A pass of frame `id` took the GPU so many nanoseconds. Those of the warm-up, and of frames that are kept apart, are left out.
    pub fn gpu_pass(&mut self, id: FrameId, name: &'static str, nanos: i64) {
        if id.0 > self.warmup && !self.is_apart(id) {
            self.passes.record(name, nanos);
        }
    }

    /// What passes took the GPU.
    #[must_use]
    pub const fn gpu_passes(&self) -> &PassTimes {
        &self.passes
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
}
