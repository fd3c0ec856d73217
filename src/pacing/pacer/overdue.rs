//! Frames of which nobody says that they were displayed.
//!
//! A frame that misses its refresh is known of when it is displayed, a refresh later: by then the next one is on its way
//! and waits behind it, and often the one after that. Where display times come promptly, silence says the same earlier:
//! what was due at the last refresh and was not displayed will take the next one, and what was planned for that one is
//! better begun for the one after it.

use super::cap::Cap;
use super::planning::COLD;
use super::{FixedStep, Flight, FramePacer, Lock, PeriodClock, Plan, Way};
use crate::time::Timestamp;

/// Silence is believed while less than this share of it was wrong.
const BELIEVED: f64 = 0.5;
/// Not before it is known that display times come promptly.
const FIRST: f64 = 0.52;
/// How much one silence counts that turned out right or wrong, and how much one frame that was heard of in time: silence is
/// believed where it is right more often than wrong, or nearly so where it is rare.
const TURNED_OUT: f64 = 1.0 / 8.0;
const HEARD: f64 = 1.0 / 2_048.0;

/// Display times are taken to be known so large a share of a refresh after it, until silence then was wrong: from then on so
/// many nanoseconds later, as far as a larger share. How quickly that is forgotten, for each frame that was heard of in time.
const PROMPT: f64 = 0.125;
const LATER: f64 = 500_000.0;
const LATEST: f64 = 0.375;
const FORGETS: f64 = 1.0 / 16_384.0;

/// Whether silence about a frame says that it is late.
#[derive(Copy, Clone, Debug)]
pub(super) struct Overdue {
    /// How long after its refresh a frame was still not heard of that had been displayed then, and some more, in nanoseconds.
    unheard: f64,
    /// The share of silences about frames that had been displayed in time, the newest counting most.
    wrong: f64,
    postponed: u64,
}

impl Overdue {
    pub(super) const fn new() -> Self {
        Self { unheard: 0.0, wrong: FIRST, postponed: 0 }
    }

    /// Begins anew; what was counted stays.
    pub(super) const fn start_anew(&mut self) {
        (self.unheard, self.wrong) = (0.0, FIRST);
    }

    /// Plans that were put off.
    pub(super) const fn postponed(&self) -> u64 {
        self.postponed
    }

    /// How long after a refresh it is known what was displayed at it, in nanoseconds, where the next is `period` away.
    pub(super) fn known_after(&self, period: f64) -> i64 {
        self.unheard.clamp(period * PROMPT, period * LATEST) as i64
    }

    pub(super) fn is_believed(&self) -> bool {
        self.wrong < BELIEVED
    }

    /// A frame is told to have been displayed in time, and had not been silent.
    pub(super) fn heard(&mut self) {
        self.wrong -= self.wrong * HEARD;
        self.unheard -= self.unheard * FORGETS;
    }

    /// A frame of which nothing had been heard so many nanoseconds after its refresh, of a display that refreshes every `period`
    /// nanoseconds, is told to have been late, or not.
    pub(super) fn told(&mut self, unheard: i64, late: bool, period: f64) {
        if !late {
            self.unheard = self.unheard.max(unheard as f64 + LATER).min(period * LATEST);
        }
        self.turned_out(late);
    }

    /// Silence about a frame was right: it was late. Or it was not, or nobody says.
    pub(super) fn turned_out(&mut self, late: bool) {
        self.wrong += (f64::from(u8::from(!late)) - self.wrong) * TURNED_OUT;
    }
}

/// What making a plan changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    clock: PeriodClock,
    logic_step: Option<FixedStep>,
    last_start: Option<Timestamp>,
    cap: Cap,
    snaps: u64,
}

/// What is needed to make the newest plan once more.
#[derive(Clone, Debug, Default)]
pub(super) struct Unplanned {
    /// As it was before the plan.
    progress: Progress,
    /// It is not to be made once more: that was asked, or something else has changed since.
    pub(super) closed: bool,
    /// What it was before it was revised.
    former: Option<(Flight, Progress)>,
}

impl FramePacer {
    /// The frame of the newest plan is about to begin: the time to look whether the one before was displayed, of which all
    /// that has come is to be told before. `Some`: it was not, though it should have been. Then the frame is not to begin
    /// yet: this is its plan, instead of the one that had the same number, for the refresh after the one that the late frame
    /// takes. It is not revised again. `None`: the frame begins as planned.
    ///
    /// Before [`Plan::revise_from`] it says nothing; not asked at all, late frames are noticed when they are displayed. Costs
    /// what a plan costs.
    ///
    /// ```
    /// # use scanout::pacing::{FramePacer, Pacing};
    /// # use scanout::time::Timestamp;
    /// # let mut pacer = FramePacer::new(Pacing::Auto, 60.0);
    /// # let (now, sleep_until, hear) = (|| Timestamp::from_nanos(1), |_: Timestamp| {}, |_: &mut FramePacer| {});
    /// let mut plan = pacer.plan(now());
    /// sleep_until(plan.wake_at);
    /// if plan.revise_from.is_some() {
    ///     hear(&mut pacer); // `presented` and `vblank`, as far as they are known
    ///     if let Some(later) = pacer.revise(now()) {
    ///         plan = later;
    ///         sleep_until(plan.wake_at);
    ///     }
    /// }
    /// ```
    #[must_use = "the pacer goes on from the plan that it returns"]
    pub fn revise(&mut self, now: Timestamp) -> Option<Plan> {
        if !self.visible || self.holdover || self.unplanned.closed || !self.is_settled() {
            return None;
        }
        let before = *self.before()?;
        let (_, due) = before.target.filter(|_| !before.on_grid)?;
        let next = self.model.after(now)?.index;
        // Of a frame that took an earlier refresh than the last one it would be known longer.
        let last = self.model.at(next.saturating_sub(1))?;
        let known_after = self.overdue.known_after(self.refresh_period());
        if now.signed_since(last.max(due)) < known_after {
            return None;
        }
        self.unplanned.closed = true;
        // What was never handed over is not to be displayed. Where two frames in a row are silent, it is the display that says
        // nothing.
        let earlier = self.flights.at(before.id.before());
        let speaks = earlier.answered && earlier.id.next() == before.id;
        if before.answered || before.submitted.is_none() || !speaks {
            return None;
        }
        // It is displayed at the next refresh at the soonest, which nothing else may aim at.
        let made = *self.flights.at(self.last);
        if made.target?.0 > next {
            return None;
        }
        self.flights.get(before.id)?.silent = Some(now.signed_since(due));
        if !self.queue.is_known() || !self.overdue.is_believed() {
            return None;
        }
        self.overdue.postponed += 1;
        self.queue.left_out(self.last);
        let former = (made, self.progress());
        self.restore(self.unplanned.progress.clone());
        let mut plan = self.make(now);
        plan.revise_from = None;
        self.unplanned.former = Some(former);
        Some(plan)
    }

    /// The newest plan was revised too late: its frame began by the one before.
    pub(crate) fn unrevise(&mut self) {
        if let Some((flight, progress)) = self.unplanned.former.take() {
            self.flights.put(flight);
            self.restore(progress);
            self.overdue.postponed -= 1;
        }
    }

    /// The frame before the newest plan's, as far as it is remembered.
    pub(super) fn before(&self) -> Option<&Flight> {
        Some(self.flights.at(self.last.before())).filter(|before| before.id.next() == self.last)
    }

    /// Whether what the display says is known well enough to make something of its silence.
    pub(super) fn is_settled(&self) -> bool {
        self.way() == Way::Vblank && self.model.lock() == Lock::Locked && self.work.seen() >= COLD
    }

    /// Before a plan is made.
    pub(super) fn remember(&mut self) {
        self.unplanned = Unplanned { progress: self.progress(), closed: false, former: None };
    }

    fn progress(&self) -> Progress {
        Progress {
            clock: self.clock.clone(),
            logic_step: self.logic_step.clone(),
            last_start: self.last_start,
            cap: self.cap,
            snaps: self.state.snaps,
        }
    }

    fn restore(&mut self, progress: Progress) {
        let Progress { clock, logic_step, last_start, cap, snaps } = progress;
        (self.clock, self.logic_step) = (clock, logic_step);
        (self.last_start, self.cap, self.state.snaps) = (last_start, cap, snaps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_believed_after_a_hundred_prompt_frames_and_while_it_is_right_more_often_than_wrong() {
        let mut overdue = Overdue::new();
        assert!(!overdue.is_believed());
        (0..100).for_each(|_| overdue.heard());
        assert!(overdue.is_believed());
        (0..1_000).for_each(|_| overdue.turned_out(true));
        (0..10).for_each(|_| overdue.turned_out(false));
        assert!(!overdue.is_believed());
        // As often right as wrong is not enough, whichever came last.
        (0..1_000).for_each(|n| overdue.turned_out(n % 3 == 0));
        assert!(!overdue.is_believed());
        (0..12).for_each(|_| overdue.turned_out(true));
        assert!(overdue.is_believed());
    }

    #[test]
    fn silence_that_was_wrong_is_waited_out_and_slowly_forgotten() {
        let (mut overdue, ms) = (Overdue::new(), 1_000_000);
        let period = 16e6;
        assert_eq!(overdue.known_after(period), 2 * ms);
        overdue.told(3 * ms, true, period);
        assert_eq!(overdue.known_after(period), 2 * ms);
        overdue.told(3 * ms, false, period);
        assert_eq!(overdue.known_after(period), 3 * ms + ms / 2);
        overdue.told(9 * ms, false, period);
        assert_eq!(overdue.known_after(period), 6 * ms, "as far as the limit");
        (0..100_000).for_each(|_| overdue.heard());
        assert_eq!(overdue.known_after(period), 2 * ms);
    }
}
