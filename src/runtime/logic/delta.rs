//! How far the world moves on with a step.

use std::time::Duration;

use crate::pacing::{Alpha, DeltaTime, ReferenceFilter, longest_step};
use crate::runtime::summary::Filtered;

/// Turns what was planned and what was measured into steps.
#[derive(Clone, Debug)]
pub(super) struct Delta {
    from: DeltaTime,
    filter: ReferenceFilter,
}

impl Delta {
    pub(super) const fn new(from: DeltaTime) -> Self {
        let alpha = match from {
            DeltaTime::Reference(alpha) => alpha,
            _ => Alpha::OnNew,
        };
        Self { from, filter: ReferenceFilter::new(Duration::ZERO, alpha) }
    }

    /// The step of a frame of which one is due every `interval`. `planned`: what its plan says, if it says something.
    /// `passed`: the nanoseconds since the step before, if there was one. `waited`: the frame comes after a wait or another
    /// break, whose length says nothing about frames.
    pub(super) fn step(
        &mut self,
        planned: Option<Duration>,
        passed: Option<i64>,
        waited: bool,
        interval: Duration,
    ) -> Duration {
        let measured = match (self.from, passed) {
            (DeltaTime::Refreshes, _) | (_, None) => None,
            _ if waited => None,
            (DeltaTime::Raw, passed) => passed,
            (DeltaTime::Reference(_), Some(passed)) => {
                self.filter.set_target(interval);
                // A negative time is discarded: nothing moves.
                Some(self.filter.filter(passed).map_or(0, |ns| ns as i64))
            }
        };
        let longest = longest_step(interval);
        let passed = || duration(passed.unwrap_or(0)).min(longest);
        measured.map_or_else(|| planned.unwrap_or_else(passed), |ns| duration(ns).min(longest))
    }

    /// The time up to the next step says nothing about frames, nor do those before it.
    pub(super) const fn restart(&mut self) {
        self.filter.restart();
    }

    pub(super) const fn counted(&self) -> Filtered {
        Filtered { discarded: self.filter.discarded(), by_median: self.filter.medians() }
    }
}

fn duration(ns: i64) -> Duration {
    Duration::from_nanos(u64::try_from(ns).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacing::LONGEST_STEP;

    const MS: i64 = 1_000_000;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Steps of frames planned 10 ms apart of which one comes 30 ms late.
    fn steps(from: DeltaTime) -> Vec<u128> {
        let mut delta = Delta::new(from);
        [None, Some(10 * MS), Some(40 * MS), Some(10 * MS)]
            .map(|passed| delta.step(Some(ms(10)), passed, false, ms(10)).as_micros())
            .to_vec()
    }

    #[test]
    fn steps_are_what_was_chosen() {
        assert_eq!(steps(DeltaTime::Refreshes), [10_000; 4]);
        assert_eq!(steps(DeltaTime::Raw), [10_000, 10_000, 40_000, 10_000]);
        // Three targets away is an outlier, and the median waits for three of them.
        assert_eq!(steps(DeltaTime::Reference(Alpha::OnNew)), [10_000, 10_000, 35_500, 13_825]);
        assert_eq!(steps(DeltaTime::Reference(Alpha::OnOld)), [10_000, 10_000, 14_500, 13_825]);
    }

    #[test]
    fn what_is_not_planned_is_measured_and_waits_are_not() {
        let mut delta = Delta::new(DeltaTime::Refreshes);
        assert_eq!(delta.step(None, None, false, ms(10)), Duration::ZERO);
        assert_eq!(delta.step(None, Some(12 * MS), false, ms(10)), ms(12));
        assert_eq!(delta.step(None, Some(900 * MS), true, ms(10)), LONGEST_STEP);
        for from in [DeltaTime::Raw, DeltaTime::Reference(Alpha::OnOld)] {
            let mut delta = Delta::new(from);
            assert_eq!(delta.step(Some(ms(10)), Some(900 * MS), true, ms(10)), ms(10), "{from}");
            assert_eq!(delta.step(Some(ms(10)), Some(900 * MS), false, ms(10)), LONGEST_STEP, "{from}");
            assert_eq!(delta.step(Some(ms(10)), Some(-MS), false, ms(10)), Duration::ZERO, "{from}");
        }
        // On a slow display, and under a cap, a frame may last longer.
        for from in [DeltaTime::Raw, DeltaTime::Refreshes] {
            let steps =
                [210, 900].map(|passed| Delta::new(from).step(None, Some(passed * MS), false, ms(200)));
            assert_eq!(steps, [ms(210), ms(400)], "{from}");
        }
    }

    #[test]
    fn what_the_filter_leaves_out_is_counted() {
        let mut delta = Delta::new(DeltaTime::Reference(Alpha::OnNew));
        for passed in [10, 50, 60, 70, -1, 10] {
            delta.step(None, Some(passed * MS), false, ms(10));
        }
        assert_eq!(delta.counted(), Filtered { discarded: 1, by_median: 1 });
    }
}
