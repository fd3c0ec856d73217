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
/// As many drains that did not help are forgiven as have helped before, up to this number: a compositor that is late itself
/// spoils a drain as it spoils any frame, and what it leaves is the queue again. Until then the wait is this long.
const TRUST: u32 = 16;
const TRUSTED_WAIT: u64 = 2;
/// After so many frames in a row that were displayed before their refresh it is no queue that they come to.
const REPLACED: u32 = 8;
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
    /// No drain: it was put off because the frame before was silent.
    put_off: bool,
    /// A frame after the last drain was displayed in time.
    settled: bool,
    /// No drain before this plan.
    not_before: PlanId,
    wait: u64,
    /// How long before its deadline the latest of the frames was ready that were displayed in time lately.
    sufficed: i64,
    /// Frames in a row that were displayed before their refresh.
    early: u32,
    /// Drains that have helped less those since that have not, up to [`TRUST`].
    trust: u32,
    drains: u64,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self {
            late: 0,
            leave_out: 0,
            drained: PlanId(0),
            put_off: false,
            settled: true,
            not_before: PlanId(0),
            wait: DRAIN_WAIT,
            sufficed: i64::MAX,
            early: 0,
            trust: 0,
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

    /// Whether late frames were found to leave a queue behind.
    pub(super) const fn is_known(&self) -> bool {
        self.trust > 0
    }

    /// Whether a frame that comes while the one before waits is displayed after it, and not in its place.
    pub(super) const fn keeps_order(&self) -> bool {
        self.is_known() && self.early < REPLACED
    }

    /// A frame that came while the one before may have waited was displayed before its refresh, or not.
    pub(super) const fn came_early(&mut self, early: bool) {
        if self.early < REPLACED {
            self.early = if early { self.early + 1 } else { 0 };
        }
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

    /// Frame `id` was displayed `refreshes` late. `in_time`: it had been ready well before its deadline; `ahead`: frames
    /// come while others wait, so that one replaces another where two do. Returns whether that says something about its own
    /// budget, and not about frames before it.
    pub(super) fn judge(&mut self, id: PlanId, refreshes: u64, in_time: bool, ahead: bool) -> bool {
        if id < self.drained || self.leave_out > 0 {
            return false;
        }
        if refreshes == 0 {
            self.late = 0;
            if !self.settled {
                (self.settled, self.wait) = (true, DRAIN_WAIT);
                if !self.put_off {
                    self.trust = (self.trust + 1).min(TRUST);
                }
            }
            return true;
        }
        self.late += 1;
        if !in_time {
            return true;
        }
        let enough = if self.trust > 0 && !ahead { 1 } else { QUEUED };
        if self.late >= enough && id >= self.not_before {
            self.leave_out = refreshes.min(DEEPEST_QUEUE);
            return self.late == 1;
        }
        // The first of them is the miss that made the queue. Where leaving out a commit did not help, it is no queue.
        self.late == 1 || !self.settled
    }

    /// The frame before was not displayed when it should have been, and a commit was left out before plan `id` at once.
    pub(super) fn left_out(&mut self, id: PlanId) {
        (self.leave_out, self.put_off) = (0, true);
        (self.drained, self.settled, self.late) = (id, false, 0);
        self.not_before = PlanId(id.0 + if self.trust > 0 { TRUSTED_WAIT } else { self.wait });
    }

    /// Refreshes to leave out before the target of plan `id`.
    pub(super) fn leave_out(&mut self, id: PlanId) -> u64 {
        let refreshes = std::mem::take(&mut self.leave_out);
        if refreshes > 0 {
            self.drains += 1;
            if !self.settled && !self.put_off {
                match self.trust.checked_sub(1) {
                    Some(left) => self.trust = left,
                    None => self.wait = (self.wait * 2).min(LONGEST_DRAIN_WAIT),
                }
            }
            (self.drained, self.put_off, self.settled, self.late) = (id, false, false, 0);
            self.not_before = PlanId(id.0 + if self.trust > 0 { TRUSTED_WAIT } else { self.wait });
        }
        refreshes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames from `first` on, all ready in time and displayed a refresh late, until so many drains; the frames between
    /// them.
    fn drains_without_help(queue: &mut Queue, first: u64, drains: usize) -> Vec<u64> {
        let mut at = Vec::new();
        for id in first.. {
            if queue.leave_out(PlanId(id)) > 0 {
                at.push(id);
                if at.len() == drains {
                    break;
                }
            }
            queue.judge(PlanId(id), 1, true, false);
        }
        at.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    #[test]
    fn what_has_never_helped_is_tried_ever_more_rarely() {
        let between = drains_without_help(&mut Queue::new(), 1, 12);
        assert!(between.is_sorted() && between[10] > 4_000, "{between:?}");
    }

    #[test]
    fn as_many_drains_without_help_are_forgiven_as_have_helped() {
        let mut queue = Queue::new();
        let mut id = 1;
        for _ in 0..100 {
            while queue.leave_out(PlanId(id)) == 0 {
                queue.judge(PlanId(id), 1, true, false);
                id += 1;
            }
            queue.judge(PlanId(id), 0, true, false);
            id += 1;
        }
        let between = drains_without_help(&mut queue, id, 30);
        let soon = between.iter().filter(|&&frames| frames <= TRUSTED_WAIT + 1).count();
        assert!((15..=17).contains(&soon), "{between:?}");
        assert!(between.last().is_some_and(|&frames| frames >= LONGEST_DRAIN_WAIT), "{between:?}");
    }
}
