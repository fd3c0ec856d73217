use super::{PENDING, RECENT, Recorder};
use crate::pacing::{FrameId, Presentation};
use crate::stats::carry::Carry;
use crate::stats::{FrameRecord, Stage};
use crate::time::Timestamp;

/// From the draw call to the figures.
impl Recorder {
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
        self.apart[record.id.slot(RECENT)] = record.apart;
        if record.apart {
            self.counters.apart += 1;
        } else {
            self.counters.frames += 1;
            self.counters.repeated += u64::from(record.repeated);
            self.counters.stale += u64::from(record.stale);
        }
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
        self.counters.contradicted += u64::from(contradicted && !self.is_apart(id));
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

    /// Whether frame `id`, one of the last, is kept out of all figures.
    pub(super) fn is_apart(&self, id: FrameId) -> bool {
        self.apart[id.slot(RECENT)]
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
        (record.refresh, record.lasts) = self.metrics.held_against();
        if record.id.0 > self.warmup
            && !record.apart
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
            self.counters.unfinished += u64::from(!record.apart && record.at(Stage::GpuDone).is_none());
            if record.id.0 > self.warmup && !record.apart {
                self.counters.measured += 1;
                // Steps from a warm-up frame to the first measured one are left out with it.
                let previous = self.previous.as_ref().filter(|p| p.id.0 > self.warmup && !p.apart);
                self.metrics.displayed(previous, &record);
            }
            self.previous = Some(record);
        } else {
            self.counters.dropped += u64::from(record.dropped && !record.apart);
            self.counters.unfinished += u64::from(!record.dropped && !record.apart);
        }
        if self.recent.len() < RECENT {
            self.recent.push(record);
        } else {
            self.recent[self.recent_next % RECENT] = record;
            self.recent_next = (self.recent_next + 1) % RECENT;
        }
    }
}
