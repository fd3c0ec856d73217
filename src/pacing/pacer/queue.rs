use crate::pacing::PlanId;

/// Frames in a row that were ready in time and yet displayed late, before the queue is drained. Where that has helped
/// before, one is enough: by the time it is known of, the next one is on its way already.
const QUEUED: u32 = 2;
/// A frame that was ready so large a share of a refresh before its deadline was early enough for any display.
const READY_SHARE: f64 = 0.2;
/// So much more than what has sufficed lately was early enough as well, in nanoseconds; and how quickly what sufficed is
/// forgotten, in nanoseconds per frame.
const SUFFICES: f64 = 300_000.0;
const SUFFICED_FORGETS: i64 = 2_000;
/// The wait after a drain of the queue before the next one, in frames; doubled each time that it did not help, as far as
/// [`LONGEST_DRAIN_WAIT`].
const DRAIN_WAIT: u64 = 8;
const LONGEST_DRAIN_WAIT: u64 = 8_192;
/// No queue before a display holds more frames than this; what is later has stood still.
const DEEPEST_QUEUE: u64 = 3;

/// Whether frames wait behind each other before the display.
///
/// A frame that misses its refresh is displayed at the next one. A compositor, or a queue of buffers, may then keep every
/// later frame one refresh longer as well, for as long as they come once per refresh, however early each of them is
/// ready. Leaving out a commit empties the queue.
#[derive(Copy, Clone, Debug)]
pub(super) struct Queue {
    /// Frames in a row that were displayed late.
    late: u32,
    /// Refreshes to leave out with the next plan.
    leave_out: u64,
    /// The first plan after the last drain; what was planned before it was queued before it.
    drained: PlanId,
    /// A frame after the last drain was displayed in time.
    settled: bool,
    /// No drain before this plan.
    not_before: PlanId,
    wait: u64,
    /// How long before its deadline the latest of the frames was ready that were displayed in time lately.
    sufficed: i64,
    /// Leaving out a commit has helped the last time.
    helps: bool,
    drains: u64,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self {
            late: 0,
            leave_out: 0,
            drained: PlanId(0),
            settled: true,
            not_before: PlanId(0),
            wait: DRAIN_WAIT,
            sufficed: i64::MAX,
            helps: false,
            drains: 0,
        }
    }

    /// Begins anew; what was counted stays.
    pub(super) const fn start_anew(&mut self) {
        *self = Self { drains: self.drains, ..Self::new() };
    }

    /// Commits left out so far.
    pub(super) const fn drains(&self) -> u64 {
        self.drains
    }

    /// A frame was ready `early` nanoseconds before its deadline (negative: after). Whether that was early enough for any
    /// display, on one that refreshes every `period` nanoseconds.
    pub(super) fn in_time(&self, early: i64, period: f64) -> bool {
        early as f64 > (period * READY_SHARE).min(self.sufficed as f64 + SUFFICES)
    }

    /// A frame that was ready so early was displayed in time.
    pub(super) fn suffices(&mut self, early: i64) {
        self.sufficed = early.max(0).min(self.sufficed.saturating_add(SUFFICED_FORGETS));
    }

    /// Frame `id` was displayed `refreshes` late. `in_time`: it had been ready well before its deadline. Returns whether
    /// that says something about its own budget, and not about frames before it.
    pub(super) fn judge(&mut self, id: PlanId, refreshes: u64, in_time: bool) -> bool {
        if id < self.drained || self.leave_out > 0 {
            return false;
        }
        if refreshes == 0 {
            self.late = 0;
            if !self.settled {
                (self.settled, self.wait, self.helps) = (true, DRAIN_WAIT, true);
            }
            return true;
        }
        self.late += 1;
        if !in_time {
            return true;
        }
        let enough = if self.helps { 1 } else { QUEUED };
        if self.late >= enough && id >= self.not_before {
            self.leave_out = refreshes.min(DEEPEST_QUEUE);
            self.drains += 1;
            return self.late == 1;
        }
        // The first of them is the miss that made the queue. Where leaving out a commit did not help, it is no queue.
        self.late == 1 || !self.settled
    }

    /// Refreshes to leave out before the target of plan `id`.
    pub(super) fn leave_out(&mut self, id: PlanId) -> u64 {
        let refreshes = std::mem::take(&mut self.leave_out);
        if refreshes > 0 {
            if !self.settled {
                (self.wait, self.helps) = ((self.wait * 2).min(LONGEST_DRAIN_WAIT), false);
            }
            (self.drained, self.settled, self.late) = (id, false, 0);
            self.not_before = PlanId(id.0 + self.wait);
        }
        refreshes
    }
}
