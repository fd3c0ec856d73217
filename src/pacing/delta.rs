//! Delta time: how far animation moves on from one frame to the next.
//!
//! Stage 1, [`ReferenceFilter`], smooths the measured times between frames; it is kept for comparison. Stage 2,
//! [`PeriodClock`], does not measure frames at all: it moves animation by whole refreshes, because that is how far
//! apart pictures are displayed, and pays the rest of the time back in steps too small to be seen.

use std::time::Duration;

#[cfg(doc)]
use super::LONGEST_STEP;
use super::{Rate, longest_step};
use crate::time::{Timestamp, nanos};

/// Weight in the smoothing of stage 1.
pub const ALPHA: f64 = 0.85;
/// How many deltas the sliding-window median of stage 1 looks at. The filter's description names no length: five
/// is the window that the same description gives its frame scheduler.
pub const MEDIAN_WINDOW: usize = 5;
/// So many outliers in a row turn the median of stage 1 on.
pub const OUTLIERS_FOR_MEDIAN: u32 = 3;
/// A delta further than this many targets from the target is an outlier.
const OUTLIER_TARGETS: f64 = 2.0;

/// Which sample [`ALPHA`] weighs: the description of the filter can be read both ways.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Alpha {
    /// `out = 0.85 * new + 0.15 * old`: quick, hardly smooths.
    OnNew,
    /// `out = 0.85 * old + 0.15 * new`: smooth, some seven frames behind.
    OnOld,
}

/// Stage 1: a delta-time filter over the times between frames, as read from a raw monotonic clock.
///
/// 1. A negative delta is discarded and counted.
/// 2. When [`OUTLIERS_FOR_MEDIAN`] deltas in a row are further than two targets from the target, the median of the
///    last [`MEDIAN_WINDOW`] deltas stands in for the delta, until one comes that is no outlier.
/// 3. An exponentially weighted mean ([`ALPHA`]) smooths. It begins with the first delta.
///
/// Not for driving animation: what it takes from a delta it never gives back, so that the sum of its deltas leaves
/// the sum of the real ones. `docs/delta-time.md` has the figures.
///
/// ```
/// use scanout::pacing::{Alpha, ReferenceFilter};
/// use std::time::Duration;
///
/// let mut filter = ReferenceFilter::new(Duration::from_millis(10), Alpha::OnNew);
/// assert_eq!(filter.filter(10_000_000), Some(10_000_000.0));
/// assert_eq!(filter.filter(-1), None);
/// assert_eq!(filter.filter(20_000_000), Some(18_500_000.0));
/// ```
#[derive(Clone, Debug)]
pub struct ReferenceFilter {
    target: f64,
    alpha: Alpha,
    window: [i64; MEDIAN_WINDOW],
    seen: u64,
    outliers: u32,
    smoothed: Option<f64>,
    discarded: u64,
    medians: u64,
}

impl ReferenceFilter {
    /// A filter for frames that are meant to be `target` apart.
    #[must_use]
    pub const fn new(target: Duration, alpha: Alpha) -> Self {
        Self {
            target: nanos(target) as f64,
            alpha,
            window: [0; MEDIAN_WINDOW],
            seen: 0,
            outliers: 0,
            smoothed: None,
            discarded: 0,
            medians: 0,
        }
    }

    /// Frames are meant to be so far apart from now on. What was seen stays.
    pub const fn set_target(&mut self, target: Duration) {
        self.target = nanos(target) as f64;
    }

    /// Begins with the next delta as with the first. What was counted stays.
    pub const fn restart(&mut self) {
        (self.seen, self.outliers, self.smoothed) = (0, 0, None);
    }

    /// The filtered delta, in nanoseconds like the given one; `None` when it was discarded. About 10 ns.
    pub fn filter(&mut self, delta_ns: i64) -> Option<f64> {
        if delta_ns < 0 {
            self.discarded += 1;
            return None;
        }
        self.window[(self.seen % MEDIAN_WINDOW as u64) as usize] = delta_ns;
        self.seen += 1;
        let mut new = delta_ns as f64;
        if (new - self.target).abs() > OUTLIER_TARGETS * self.target {
            self.outliers = self.outliers.saturating_add(1);
        } else {
            self.outliers = 0;
        }
        if self.outliers >= OUTLIERS_FOR_MEDIAN {
            self.medians += 1;
            new = self.median() as f64;
        }
        let out = self.smoothed.map_or(new, |old| match self.alpha {
            Alpha::OnNew => ALPHA * new + (1.0 - ALPHA) * old,
            Alpha::OnOld => ALPHA * old + (1.0 - ALPHA) * new,
        });
        self.smoothed = Some(out);
        Some(out)
    }

    /// Negative deltas that were discarded.
    #[must_use]
    pub const fn discarded(&self) -> u64 {
        self.discarded
    }

    /// Deltas that the median stood in for.
    #[must_use]
    pub const fn medians(&self) -> u64 {
        self.medians
    }

    /// The lower one of the two in the middle while the window holds an even number.
    fn median(&self) -> i64 {
        let mut sorted = self.window;
        let held = &mut sorted[..self.seen.min(MEDIAN_WINDOW as u64) as usize];
        held.sort_unstable();
        held[(held.len() - 1) / 2]
    }
}

/// The share of a refresh by which a step may differ from whole refreshes: 3 %, half a millisecond at 60 Hz. Small
/// enough that the speed of a motion does not visibly change, large enough that a lost refresh is made up for in
/// half a second.
pub const DEBT_SHARE: f64 = 1.0 / 32.0;

/// A debt beyond this is not paid back but dropped: making up for it would take seconds of wrong speed.
pub const LARGEST_DEBT: Duration = Duration::from_millis(100);

/// How far animation moves on, and what was given up on the way.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// How far animation moves on.
    pub dt: Duration,
    /// Nanoseconds of debt that were dropped with this step: animation will not catch up with them.
    pub snapped: Option<i64>,
}

/// Stage 2: animation time in whole refreshes, with a bounded debt.
///
/// `dt = k * P + clamp(debt, -P/32, P/32)`, where `P` is the refresh period, `k` the whole refreshes between this
/// frame's target and the one before, and `debt` the time by which the targets are ahead of animation. The
/// sum of all steps is the time between the first target and the last, less [`debt`](Self::debt) and less what was
/// reported as [`snapped`](Step::snapped): exactly, however many the steps, because the debt also holds what
/// rounding to nanoseconds leaves.
///
/// A step is never longer than [`LONGEST_STEP`] (or one refresh with its share of the debt, on a display slower than
/// ten per second; or two [intervals](Self::set_interval) between frames). What a longer gap leaves, and a debt beyond [`LARGEST_DEBT`] (or one refresh), is dropped and
/// reported.
///
/// ```
/// use scanout::pacing::PeriodClock;
/// use scanout::time::Timestamp;
///
/// let mut clock = PeriodClock::new();
/// let at = |us: u64| Timestamp::from_nanos(us * 1_000);
/// assert_eq!(clock.step(at(10_000), 1e7).dt.as_micros(), 10_000); // the first step: one refresh
/// assert_eq!(clock.step(at(20_200), 1e7).dt.as_micros(), 10_200); // small errors are followed
/// assert_eq!(clock.step(at(43_200), 1e7).dt.as_nanos(), 20_312_500); // large ones are paid in shares
/// assert_eq!(clock.debt(), 2_687_500);
/// ```
#[derive(Clone, Debug, Default)]
pub struct PeriodClock {
    last: Option<Timestamp>,
    debt: i64,
    snaps: u64,
    /// From frame to frame, where that is more than a refresh.
    interval: Duration,
}

impl PeriodClock {
    /// A clock whose next step is its first.
    #[must_use]
    pub const fn new() -> Self {
        Self { last: None, debt: 0, snaps: 0, interval: Duration::ZERO }
    }

    /// Begins anew, as after idling: the next step is one refresh long and owes nothing. Snaps stay counted.
    pub fn reset(&mut self) {
        (self.last, self.debt) = (None, 0);
    }

    /// One frame is due every `interval`, which may be several refreshes: steps of two of them are not cut. It stays through
    /// [`reset`](Self::reset).
    pub const fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
    }

    /// The step of a frame that is meant to be displayed at `target`, on a display with a refresh every `period_ns`
    /// nanoseconds (taken into the bounds of [`Rate`]; 60 Hz where it is not a positive number). A target that is
    /// not after the last one moves nothing. About 10 ns; no allocation.
    pub fn step(&mut self, target: Timestamp, period_ns: f64) -> Step {
        self.advance(target, period_ns, None)
    }

    /// As [`step`](Self::step) where the display shows frames when they come: `shown` nanoseconds after the one before in
    /// place of whole refreshes.
    pub(super) fn step_of(&mut self, shown: i64, target: Timestamp, period_ns: f64) -> Step {
        self.advance(target, period_ns, Some(shown))
    }

    fn advance(&mut self, target: Timestamp, period_ns: f64, shown: Option<i64>) -> Step {
        let period = sane_period(period_ns);
        let Some(last) = self.last else {
            self.last = Some(target);
            return Step { dt: Duration::from_nanos(period.round() as u64), snapped: None };
        };
        let elapsed = target.signed_since(last);
        if elapsed <= 0 {
            // `last` stays: the time up to it has been counted.
            return Step::default();
        }
        self.last = Some(target);
        let owed = self.debt.saturating_add(elapsed);
        let whole = shown.unwrap_or_else(|| ((elapsed as f64 / period).round() * period).round() as i64);
        let share = (period * DEBT_SHARE) as i64;
        let longest = (nanos(longest_step(self.interval)) as i64).max(period as i64 + share);
        let paid = owed.saturating_sub(whole).clamp(-share, share);
        let dt = whole.saturating_add(paid).clamp(0, longest);
        let left = owed.saturating_sub(dt);
        let largest = (nanos(LARGEST_DEBT) as i64).max(period as i64);
        let snaps = whole > longest || left.saturating_abs() > largest;
        self.debt = if snaps { 0 } else { left };
        self.snaps += u64::from(snaps);
        Step { dt: Duration::from_nanos(dt.unsigned_abs()), snapped: snaps.then_some(left) }
    }

    /// Nanoseconds by which the targets are ahead of animation; negative when animation is ahead.
    #[must_use]
    pub const fn debt(&self) -> i64 {
        self.debt
    }

    /// How often debt was dropped.
    #[must_use]
    pub const fn snaps(&self) -> u64 {
        self.snaps
    }
}

fn sane_period(period_ns: f64) -> f64 {
    if period_ns.is_finite() && period_ns > 0.0 {
        period_ns.clamp(1e9 / Rate::MAX, 1e9 / Rate::MIN)
    } else {
        1e9 / 60.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacing::LONGEST_STEP;
    use proptest::prelude::*;

    const P60: f64 = 1e9 / 60.0;
    const MS: i64 = 1_000_000;

    fn at(ns: i64) -> Timestamp {
        Timestamp::from_nanos(1_000_000_000_000).offset(ns)
    }

    fn filter60(alpha: Alpha) -> ReferenceFilter {
        ReferenceFilter::new(Duration::from_nanos(16_666_667), alpha)
    }

    #[test]
    fn reference_smooths_by_either_reading_of_alpha() {
        for (alpha, want) in
            [(Alpha::OnNew, [10.0, 18.5, 11.275, 10.191_25]), (Alpha::OnOld, [10.0, 11.5, 11.275, 11.083_75])]
        {
            let mut filter = ReferenceFilter::new(Duration::from_millis(10), alpha);
            for (delta, want) in [10, 20, 10, 10].into_iter().zip(want) {
                let got = filter.filter(delta * MS).unwrap() / 1e6;
                assert!((got - want).abs() < 1e-9, "{alpha:?}: {got} for {want}");
            }
        }
    }

    #[test]
    fn reference_negative_delta_is_discarded_and_leaves_no_trace() {
        let mut with = filter60(Alpha::OnOld);
        let mut without = filter60(Alpha::OnOld);
        for delta in [16 * MS, -1, 17 * MS, i64::MIN, 0] {
            let got = with.filter(delta);
            let want = if delta < 0 { None } else { without.filter(delta) };
            assert_eq!(got, want, "{delta}");
        }
        assert_eq!((with.discarded(), without.discarded()), (2, 0));
    }

    #[test]
    fn reference_median_takes_over_at_the_third_outlier_and_ends_with_the_outliers() {
        let mut filter = ReferenceFilter::new(Duration::from_millis(10), Alpha::OnNew);
        // Exactly two targets away is no outlier; the streak of two before it does not count on.
        let before = [10, 31, 31, 30, 31, 200];
        for delta in before {
            filter.filter(delta * MS);
            assert_eq!(filter.medians(), 0);
        }
        let old = filter.smoothed.unwrap();
        // The window: 31, 30, 31, 200, 300. The median is 31 where the delta is 300.
        let got = filter.filter(300 * MS).unwrap();
        assert_eq!(filter.medians(), 1);
        assert!((got - (0.85 * 31e6 + 0.15 * old)).abs() < 1.0, "{got}");
        filter.filter(30 * MS);
        assert_eq!(filter.medians(), 1);
    }

    #[test]
    fn reference_median_of_a_window_that_is_not_full_uses_what_there_is() {
        let mut filter = ReferenceFilter::new(Duration::from_millis(1), Alpha::OnNew);
        for delta in [40, 50, 60] {
            filter.filter(delta * MS);
        }
        assert_eq!((filter.medians(), filter.median()), (1, 50 * MS));
    }

    #[test]
    fn period_clock_steps_by_table() {
        let p = 10 * MS; // 100 Hz; the share of the debt is 312,500 ns
        let s = 312_500;
        // (target, dt, debt, snapped)
        let table = [
            (0, p, 0, None),
            (p, p, 0, None),
            (2 * p, p, 0, None),
            // A frame that was not made.
            (4 * p, 2 * p, 0, None),
            // Small errors either way are followed.
            (5 * p + 300_000, p + 300_000, 0, None),
            (6 * p, p - 300_000, 0, None),
            // Large ones are paid in shares.
            (7 * p + MS, p + s, MS - s, None),
            (8 * p + MS, p + s, MS - 2 * s, None),
            (9 * p + MS, p + s, MS - 3 * s, None),
            (10 * p + MS, p + MS - 3 * s, 0, None),
            (11 * p, p - s, s - MS, None),
            // Not after the last one: nothing moves, the debt stays.
            (11 * p, 0, s - MS, None),
            (9 * p, 0, s - MS, None),
            (12 * p, p - s, 2 * s - MS, None),
            // Less than half a refresh on: no whole refresh, and animation does not go back.
            (12 * p + 100, 0, 2 * s - MS + 100, None),
            (13 * p, p - s, 3 * s - MS, None),
            // The longest gap that is no snap, and one refresh more.
            (23 * p, 10 * p + 3 * s - MS, 0, None),
            (34 * p, 10 * p, 0, Some(p)),
            (35 * p, p, 0, None),
            (535 * p, 10 * p, 0, Some(490 * p)),
        ];
        let mut clock = PeriodClock::new();
        let mut snaps = 0;
        for (i, (target, dt, debt, snapped)) in table.into_iter().enumerate() {
            let step = clock.step(at(target), p as f64);
            assert_eq!(
                (step.dt.as_nanos() as i64, clock.debt(), step.snapped),
                (dt, debt, snapped),
                "row {i}"
            );
            snaps += u64::from(snapped.is_some());
            assert_eq!(clock.snaps(), snaps);
        }
        clock.reset();
        assert_eq!(clock.step(at(0), p as f64).dt.as_nanos() as i64, p);
        assert_eq!((clock.debt(), clock.snaps()), (0, snaps));
    }

    #[test]
    fn period_clock_debt_that_cannot_be_paid_snaps_either_way() {
        // The period is stated 5 % wrong: more is owed than a share per step can pay.
        for (real, sign) in [(10_500_000, 1), (9_500_000, -1)] {
            let mut clock = PeriodClock::new();
            let mut largest = 0;
            let snapped = (0..10_000).find_map(|i| {
                largest = largest.max(clock.debt().abs());
                clock.step(at(i * real), 1e7).snapped
            });
            let snapped = snapped.expect("a snap");
            assert!(largest <= 100 * MS);
            assert!((100 * MS..101 * MS).contains(&(snapped * sign)), "{snapped}");
            assert_eq!((clock.debt(), clock.snaps()), (0, 1));
        }
    }

    #[test]
    fn period_clock_ten_million_steps_do_not_drift() {
        for hz in [59.94, 60.0, 120.0, 143.98, 240.0] {
            let period = 1e9 / hz;
            let mut clock = PeriodClock::new();
            clock.step(at(0), period);
            let mut sum = 0_i64;
            let mut last = 0;
            for i in 1..=10_000_000_u64 {
                last = (i as f64 * period).round() as i64;
                sum += clock.step(at(last), period).dt.as_nanos() as i64;
            }
            assert!((sum - last).abs() <= 1, "{hz} Hz: {} ns", sum - last);
            assert_eq!((clock.debt(), clock.snaps()), (last - sum, 0));
        }
    }

    #[test]
    fn period_clock_stated_period_off_by_a_little_is_followed_without_debt() {
        let mut clock = PeriodClock::new();
        for i in 0..100_000_i64 {
            // 59.94 Hz, stated as 60.
            clock.step(at((i as f64 * 1e9 / 59.94).round() as i64), P60);
        }
        assert_eq!((clock.debt(), clock.snaps()), (0, 0));
    }

    #[test]
    fn period_clock_sudden_change_of_period_leaves_no_debt_after_a_while() {
        let mut clock = PeriodClock::new();
        let mut now = 0;
        for (hz, frames) in [(60.0, 100), (144.0, 100), (59.94, 100)] {
            let period = 1e9 / hz;
            for i in 0..frames {
                // The first target after the change is the old grid's.
                now += if i == 0 { 16_666_667 } else { period as i64 };
                clock.step(at(now), period);
            }
            assert_eq!((clock.debt(), clock.snaps()), (0, 0), "{hz} Hz");
        }
    }

    #[test]
    fn period_clock_on_a_slow_display_may_take_a_step_longer_than_the_limit() {
        let mut clock = PeriodClock::new();
        clock.step(at(0), 5e8);
        let step = clock.step(at(520 * MS), 5e8);
        assert_eq!((step.dt, step.snapped), (Duration::from_nanos(515_625_000), None));
        assert_eq!(clock.step(at(1_500 * MS), 5e8).dt, LONGEST_STEP.max(Duration::from_nanos(515_625_000)));
    }

    #[test]
    fn period_clock_nonsense_periods_are_sixty() {
        for period in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let step = PeriodClock::new().step(at(0), period);
            assert_eq!(step.dt.as_nanos(), 16_666_667, "{period}");
        }
    }

    fn gap() -> impl Strategy<Value = i64> {
        prop_oneof![
            8 => 0..40 * MS,
            2 => -40 * MS..400 * MS,
            1 => any::<i64>(),
        ]
    }

    fn period() -> impl Strategy<Value = f64> {
        prop_oneof![8 => 1e6..1e8, 1 => 1.0..1e11, 1 => any::<f64>()]
    }

    proptest! {
        #[test]
        fn period_clock_any_input_keeps_bounds_and_accounts_for_all_time(
            steps in prop::collection::vec((gap(), period()), 1..200),
        ) {
            let mut clock = PeriodClock::new();
            let mut now = at(0);
            let mut last: Option<Timestamp> = None;
            let mut first = true;
            let mut owed = 0_i128;
            for (gap, period) in steps {
                now = now.offset(gap);
                let step = clock.step(now, period);
                let period = sane_period(period);
                let dt = step.dt.as_nanos() as f64;
                let elapsed = last.map_or(0, |last| now.signed_since(last).max(0));
                if first {
                    prop_assert!((dt - period).abs() < 1.0);
                } else {
                    owed += i128::from(elapsed) - step.dt.as_nanos() as i128;
                    owed -= i128::from(step.snapped.unwrap_or(0));
                    if step.snapped.is_none() {
                        let k = (elapsed as f64 / period).round();
                        prop_assert!((dt - k * period).abs() <= period / 32.0 + 1.0, "{dt} for {k} * {period}");
                    }
                }
                first = false;
                prop_assert_eq!(i128::from(clock.debt()), owed);
                prop_assert!(dt <= (period * 33.0 / 32.0).max(1e8) + 1.0);
                prop_assert!(clock.debt().abs() as f64 <= period.max(1e8) || elapsed == 0);
                last = last.max(Some(now));
            }
        }

        #[test]
        fn reference_any_input_does_not_panic(
            target in any::<u64>(),
            deltas in prop::collection::vec(prop_oneof![any::<i64>(), 0..100 * MS], 0..100),
        ) {
            let mut filter = ReferenceFilter::new(Duration::from_nanos(target), Alpha::OnNew);
            for &delta in &deltas {
                prop_assert_eq!(filter.filter(delta).is_none(), delta < 0);
            }
            prop_assert_eq!(filter.discarded(), deltas.iter().filter(|d| **d < 0).count() as u64);
        }
    }
}
