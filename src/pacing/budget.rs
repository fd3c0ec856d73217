use std::time::Duration;

use super::window::Window;
use crate::time::nanos;

/// What share of the window's frames may have taken longer than the base of the budget. The reserve, not this,
/// decides how many miss.
const QUANTILE: f64 = 0.95;
/// After so many frames that all took longer, the budget is at least the shortest of them: a step of the load is met
/// within three frames.
const ATTACK: usize = 3;
/// By how much one missed deadline raises the reserve, in nanoseconds, but for the share that hits take away again: half
/// the distance from the median of the work to its quantile, within these bounds. Steps as wide as that make a steady
/// load pay for a swing that it does not need.
const STEP: (f64, f64) = (50_000.0, 300_000.0);
/// How slowly the step follows the spread of the work, as the share of one frame. A step that were small just when
/// misses come would shift their share.
const FOLLOW: f64 = 1.0 / 256.0;
/// Until the first miss, hits lower the reserve so many nanoseconds more: it begins on the safe side, and nothing is known
/// yet that would keep it there.
const SEARCH: f64 = 10_000.0;
/// Where misses are not sought, so many frames at the start lower the reserve only by this share of what they would, and a miss
/// among them raises it by so many nanoseconds at least: what has been found is held to until the work is known.
const EASED_FRAMES: u32 = 1_000;
const EASED: f64 = 0.1;
const EASED_STEP: f64 = 1_000_000.0;
/// Misses in a row double the step up to this many nanoseconds: a deadline that lies a long way off is found within a
/// few frames.
const STEEPEST: f64 = 4_800_000.0;

/// How much time a frame needs before its deadline, so that a declared share of the frames misses it.
///
/// `budget = max(P95 of the last 60, min of the last 3) + reserve`. A miss raises the reserve by `step * (1 - p)`, a
/// hit lowers it by `step * p`, where `p` is the declared share and `step` is at most 0.3 ms. The reserve stands still,
/// on average, exactly when the share of misses is `p`, whatever the distribution of the work: it is an estimate of
/// the quantile by stochastic approximation (Robbins and Monro, 1951). It may be negative, where the P95 is more than is
/// needed.
///
/// Constant memory; [`work`](Self::work) costs an insertion into 60 sorted numbers, everything else a few comparisons.
#[derive(Clone, Debug)]
pub struct WorkBudget {
    miss_budget: f64,
    recent: Window,
    reserve: f64,
    step: f64,
    misses_in_a_row: u32,
    raises: u32,
    search: bool,
    /// Frames still to come that hardly lower the reserve.
    eased: u32,
    most: f64,
    least: f64,
}

impl WorkBudget {
    /// A budget for this share of missed frames, with `reserve` to begin with.
    #[must_use]
    pub fn new(miss_budget: MissBudget, reserve: Duration) -> Self {
        Self {
            miss_budget: miss_budget.share(),
            recent: Window::new(),
            reserve: nanos(reserve) as f64,
            step: STEP.1,
            misses_in_a_row: 0,
            raises: 0,
            search: true,
            eased: 0,
            most: f64::MAX,
            least: 0.0,
        }
    }

    /// Another share of missed frames is declared. What was learnt stays.
    pub const fn set_miss_budget(&mut self, miss_budget: MissBudget) {
        self.miss_budget = miss_budget.share();
    }

    /// The share of missed frames that is declared.
    #[must_use]
    pub const fn miss_budget(&self) -> MissBudget {
        MissBudget(self.miss_budget)
    }

    /// The reserve to go on with, for instance where another display is shown on.
    pub fn set_reserve(&mut self, reserve: Duration) {
        self.reserve = nanos(reserve) as f64;
        (self.misses_in_a_row, self.raises, self.search, self.eased) = (0, 0, true, 0);
    }

    /// Misses are not sought: the reserve falls no faster before the first one than after it. Until a thousand frames have been in
    /// time, each of them lowers it by a tenth of what it would, and a miss raises it by a millisecond at least. So a start misses
    /// less often than declared, and what comes after it as often.
    pub const fn keep_reserve(&mut self) {
        (self.search, self.eased) = (false, EASED_FRAMES);
    }

    /// What frames are given lies between these. The reserve does not grow beyond `most`; and where frames have `least`
    /// whatever they need, what is met says nothing against the reserve, so that it does not fall.
    pub fn set_limits(&mut self, least: Duration, most: Duration) {
        (self.least, self.most) = (nanos(least) as f64, nanos(most) as f64);
    }

    /// A frame took so long, in nanoseconds, from its planned start until the display could have had it.
    pub fn work(&mut self, span: i64) {
        self.recent.push(span.max(0));
    }

    /// Whether a frame that had its whole budget met its deadline. `raises`: what [`raises`](Self::raises) was when the
    /// frame was planned.
    pub fn outcome(&mut self, missed: bool, raises: u32) {
        let spread = (self.recent.quantile(QUANTILE) - self.recent.quantile(0.5)) as f64;
        self.step += FOLLOW * ((spread / 2.0).clamp(STEP.0, STEP.1) - self.step);
        let step = self.step;
        // What cannot be used, or is much less than the quickest frame takes, would only have to be made good again.
        let (budget, quickest) = (self.base() as f64 + self.reserve, self.recent.quantile(0.0) as f64);
        if missed {
            // A frame that was planned before the last raise says nothing about what that was worth.
            let steep =
                if raises == self.raises { f64::from(1_u32 << self.misses_in_a_row.min(16)) } else { 1.0 };
            self.misses_in_a_row += u32::from(raises == self.raises);
            self.raises = self.raises.wrapping_add(1);
            let least = if self.eased > 0 { EASED_STEP } else { 0.0 };
            let raise = (step * steep).clamp(least, STEEPEST) * (1.0 - self.miss_budget);
            self.reserve += raise.min((self.most - budget).max(0.0));
        } else {
            if raises == self.raises {
                self.misses_in_a_row = 0;
            }
            let ease = if self.eased > 0 { EASED } else { 1.0 };
            self.eased = self.eased.saturating_sub(1);
            let fall =
                ease * step * self.miss_budget + if self.raises == 0 && self.search { SEARCH } else { 0.0 };
            if budget > (quickest - STEP.1).max(self.least) {
                self.reserve -= fall;
            }
        }
    }

    /// How often the reserve was raised so far.
    #[must_use]
    pub const fn raises(&self) -> u32 {
        self.raises
    }

    /// The time before its deadline at which a frame is to begin, in nanoseconds.
    #[must_use]
    pub fn nanos(&self) -> i64 {
        ((self.base() as f64 + self.reserve) as i64).max(0)
    }

    /// What a frame usually takes, in nanoseconds: the median of the last 60.
    #[must_use]
    pub fn typical(&self) -> i64 {
        self.recent.quantile(0.5)
    }

    /// The part of the budget that answers for what the last frames do not show, in nanoseconds. May be negative.
    #[must_use]
    pub fn reserve(&self) -> i64 {
        self.reserve as i64
    }

    /// How many frames were seen, up to the window's length.
    #[must_use]
    pub const fn seen(&self) -> usize {
        self.recent.len()
    }

    /// Forgets the work, not the reserve: what is drawn is something else now.
    pub const fn forget(&mut self) {
        self.recent.clear();
    }

    fn base(&self) -> i64 {
        self.recent.quantile(QUANTILE).max(self.recent.least_of_last(ATTACK).unwrap_or(0))
    }
}

/// The share of frames that may miss their display time: the one thing to be declared between latency and
/// smoothness. From 0.0001 (0.01 %) to 0.2.
#[derive(Copy, Clone, Debug, PartialEq, PartialOrd)]
pub struct MissBudget(f64);

impl MissBudget {
    /// The smallest share: one frame in ten thousand.
    pub const MIN: f64 = 0.000_1;
    /// The largest share: one frame in five.
    pub const MAX: f64 = 0.2;

    /// `share` of all frames, when that is within bounds.
    #[must_use]
    pub fn new(share: f64) -> Option<Self> {
        (Self::MIN..=Self::MAX).contains(&share).then_some(Self(share))
    }

    /// One knob from latency (0) to smoothness (1): 5 % to 0.05 %, and 0.5 % in the middle; in between by equal ratios.
    #[must_use]
    pub fn from_smoothness(smoothness: f64) -> Self {
        Self(0.05 * 0.01_f64.powf(if smoothness.is_nan() { 0.5 } else { smoothness.clamp(0.0, 1.0) }))
    }

    /// As a share of one.
    #[must_use]
    pub const fn share(self) -> f64 {
        self.0
    }
}

impl Default for MissBudget {
    /// 0.5 %.
    fn default() -> Self {
        Self(0.005)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Noise;

    const MS: i64 = 1_000_000;

    fn budget(share: f64) -> WorkBudget {
        WorkBudget::new(MissBudget::new(share).unwrap(), Duration::ZERO)
    }

    #[test]
    fn the_share_of_misses_is_the_declared_one_whatever_the_distribution() {
        type Work = fn(&mut Noise) -> f64;
        let loads: [(&str, Work); 4] = [
            ("uniform", |n| 3.0 + n.unit()),
            ("exponential tail", |n| 2.0 - n.unit().max(1e-12).ln() * 0.4),
            ("two humps", |n| if n.unit() < 0.1 { 6.0 } else { 3.0 } + 0.1 * n.unit()),
            ("sum of twelve", |n| 1.0 + (0..12).map(|_| n.unit()).sum::<f64>() * 0.3),
        ];
        for share in [0.001, 0.005, 0.02] {
            for (name, work) in loads {
                let (mut budget, mut noise) = (budget(share), Noise::new(7));
                let (mut missed, frames) = (0_u32, 500_000);
                for _ in 0..frames {
                    let span = (work(&mut noise) * MS as f64) as i64;
                    let late = span > budget.nanos();
                    missed += u32::from(late);
                    budget.work(span);
                    budget.outcome(late, budget.raises());
                }
                let rate = f64::from(missed) / f64::from(frames);
                assert!((rate - share).abs() < 0.001_5, "{name} at {share}: {rate}");
            }
        }
    }

    #[test]
    fn a_step_of_the_load_is_met_within_three_frames_and_released_within_sixty() {
        let mut budget = budget(0.005);
        (0..100).for_each(|_| budget.work(3 * MS));
        assert!(budget.nanos() < 4 * MS);
        (0..3).for_each(|_| budget.work(9 * MS));
        assert!(budget.nanos() >= 9 * MS);
        budget.work(9 * MS);
        (0..3).for_each(|_| budget.work(3 * MS));
        assert!(budget.nanos() >= 9 * MS, "a few quick frames do not take it back");
        (0..60).for_each(|_| budget.work(3 * MS));
        assert!(budget.nanos() < 4 * MS);
    }

    #[test]
    fn where_misses_are_not_sought_the_reserve_is_held_to_for_a_thousand_frames() {
        let share = 0.005;
        let mut budget = budget(share);
        budget.keep_reserve();
        budget.set_limits(Duration::ZERO, Duration::from_millis(16));
        (0..60).for_each(|_| budget.work(5 * MS));
        let moved = |budget: &mut WorkBudget, missed| {
            let before = budget.reserve;
            budget.outcome(missed, budget.raises());
            budget.reserve - before
        };
        let early = moved(&mut budget, false);
        assert!(moved(&mut budget, true) > 0.99e6, "a miss takes a millisecond");
        (0..998).for_each(|_| _ = moved(&mut budget, false));
        let (before, step) = (budget.reserve, budget.step);
        let last = moved(&mut budget, false);
        assert!((last + 0.1 * step * share).abs() < 1.0, "{last}");
        let late = moved(&mut budget, false);
        assert!((late + step * share).abs() < 10.0, "{late} from then on");
        assert!(early < 0.0 && before < budget.reserve + 0.1e6);
        let step = budget.step;
        let raised = moved(&mut budget, true);
        assert!((raised - step * (1.0 - share)).abs() < 10_000.0, "{raised}");
    }

    #[test]
    fn misses_in_a_row_find_a_far_deadline_quickly_and_stay_within_the_limit() {
        let mut budget = budget(0.005);
        budget.set_limits(Duration::ZERO, Duration::from_millis(16));
        budget.work(2 * MS);
        let mut misses = 0;
        while budget.nanos() < 13 * MS {
            budget.outcome(true, budget.raises());
            misses += 1;
            assert!(misses <= 12, "{} ms of 13 after {misses} misses", budget.nanos() / MS);
        }
        (0..1_000).for_each(|_| budget.outcome(true, budget.raises()));
        assert_eq!(budget.nanos(), 16 * MS);
    }

    #[test]
    fn reserve_of_frames_that_have_more_than_they_need_falls_by_no_hit_and_rises_by_a_miss() {
        let mut budget = WorkBudget::new(MissBudget::default(), Duration::from_millis(4));
        (0..60).for_each(|_| budget.work(3 * MS));
        budget.set_limits(Duration::from_millis(16), Duration::from_millis(16));
        (0..10_000).for_each(|_| budget.outcome(false, budget.raises()));
        assert_eq!(budget.reserve(), 4 * MS);
        budget.outcome(true, budget.raises());
        assert!(budget.reserve() > 4 * MS);
        budget.set_limits(Duration::ZERO, Duration::from_millis(16));
        (0..10_000).for_each(|_| budget.outcome(false, budget.raises()));
        assert!(budget.reserve() < 4 * MS, "frames that begin as late as they can");
    }

    #[test]
    fn the_knob_spans_five_percent_to_a_twentieth() {
        for (knob, share) in [(0.0, 0.05), (0.5, 0.005), (1.0, 0.000_5), (f64::NAN, 0.005), (9.0, 0.000_5)] {
            let got = MissBudget::from_smoothness(knob).share();
            assert!((got / share - 1.0).abs() < 1e-9, "{knob}: {got}");
        }
        for bad in [0.0, -1.0, 0.3, f64::NAN, f64::INFINITY] {
            assert_eq!(MissBudget::new(bad), None);
        }
    }
}
