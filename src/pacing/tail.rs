//! How long before a deadline a sleep has to end so that it does not end after it. Pure.

use std::time::Duration;

use crate::time::nanos;

/// The share of sleeps that are to end before the deadline.
const SHARE: f64 = 0.99;
/// Shortest tail: what is left covers the wake-up itself and reading the clock.
pub const SHORTEST_TAIL: Duration = Duration::from_micros(60);
/// Longest tail. A sleep that ended later than this is not counted: the thread had no processor, which spinning does
/// not make up for. On the contrary: with a limit of 2 ms a busy machine with two cores drove the tail there, at 15 to
/// 19 % of a core, and missed more deadlines than with this one at 1 %, because a thread that spins loses its turn to
/// those that waited (`examples/oversleep.rs`).
pub const LONGEST_TAIL: Duration = Duration::from_micros(500);
/// The tail before anything is known: idle systems wake sleepers 50 to 150 us late.
pub const FIRST_TAIL: Duration = Duration::from_micros(150);

/// Width of a bucket, in nanoseconds.
const WIDTH: u64 = 10_000;
const BUCKETS: usize = (LONGEST_TAIL.as_nanos() as u64 / WIDTH) as usize;
/// After so many samples all counts are halved: three seconds at 120 Hz to forget half.
const HALVE_EVERY: u32 = 400;
/// So many samples before the measurement replaces [`FIRST_TAIL`].
const ENOUGH: u32 = 20;
/// Of so many newest samples the second largest counts at once, however rare such ones were.
const NEWEST: usize = 32;

/// Learns from how late sleeps ended how early the next one should.
///
/// The tail is the 99th percentile of a histogram that forgets half every 400 samples (slow decay), or the second
/// largest of the last 32 samples, whichever is longer (quick attack: two late sleeps near each other are a
/// trend, one is not), within [`SHORTEST_TAIL`] and [`LONGEST_TAIL`]. Fixed memory (about 1 KB), no allocation.
#[derive(Clone, Debug)]
pub struct TailEstimator {
    counts: [u32; BUCKETS],
    total: u32,
    since_halving: u32,
    newest: [u32; NEWEST],
    seen: u64,
    tail: Duration,
}

impl Default for TailEstimator {
    fn default() -> Self {
        Self::new()
    }
}

impl TailEstimator {
    /// An estimator that knows nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            counts: [0; BUCKETS],
            total: 0,
            since_halving: 0,
            newest: [0; NEWEST],
            seen: 0,
            tail: FIRST_TAIL,
        }
    }

    /// A sleep ended `late` after the time it was asked to end at. About 100 ns; once per sleep.
    pub fn record(&mut self, late: Duration) {
        let late = nanos(late);
        if late > nanos(LONGEST_TAIL) {
            return;
        }
        self.counts[((late / WIDTH) as usize).min(BUCKETS - 1)] += 1;
        self.total += 1;
        self.newest[(self.seen % NEWEST as u64) as usize] = late as u32;
        self.seen += 1;
        self.since_halving += 1;
        if self.since_halving >= HALVE_EVERY {
            self.since_halving = 0;
            self.counts.iter_mut().for_each(|n| *n /= 2);
            self.total = self.counts.iter().sum();
        }
        let learnt = self.percentile().max(self.second_newest());
        let tail = if self.seen < u64::from(ENOUGH) { learnt.max(nanos(FIRST_TAIL)) } else { learnt };
        self.tail = Duration::from_nanos(tail).clamp(SHORTEST_TAIL, LONGEST_TAIL);
    }

    /// How long before its deadline a sleep should be asked to end.
    #[must_use]
    pub const fn tail(&self) -> Duration {
        self.tail
    }

    /// The upper edge of the bucket that the percentile lies in.
    fn percentile(&self) -> u64 {
        let beyond = f64::from(self.total) * (1.0 - SHARE);
        let mut above = 0;
        // From the top, where few are.
        for (i, n) in self.counts.iter().enumerate().rev() {
            above += n;
            if f64::from(above) > beyond {
                return (i as u64 + 1) * WIDTH;
            }
        }
        0
    }

    fn second_newest(&self) -> u64 {
        let (mut first, mut second) = (0, 0);
        for &late in &self.newest {
            if late > first {
                (first, second) = (late, first);
            } else if late > second {
                second = late;
            }
        }
        second.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn us(us: u64) -> Duration {
        Duration::from_micros(us)
    }

    fn fed(samples: impl IntoIterator<Item = u64>) -> TailEstimator {
        let mut tail = TailEstimator::new();
        samples.into_iter().for_each(|late| tail.record(us(late)));
        tail
    }

    #[test]
    fn tail_before_enough_samples_is_not_below_the_first_guess() {
        assert_eq!(TailEstimator::new().tail(), FIRST_TAIL);
        assert_eq!(fed([80; 19]).tail(), FIRST_TAIL);
        assert_eq!(fed([80; 20]).tail(), us(90));
        assert_eq!(fed([300; 2]).tail(), us(310));
    }

    #[test]
    fn tail_is_the_99th_percentile_of_a_steady_machine() {
        // 0, 1, .. 199 us in a scattered order: the 99th percentile is 198 us.
        let tail = fed((0..4_000).map(|i| i * 7_919 % 200)).tail();
        assert!((us(195)..=us(200)).contains(&tail), "{tail:?}");
    }

    #[test]
    fn tail_stays_within_its_bounds() {
        assert_eq!(fed([0; 1_000]).tail(), SHORTEST_TAIL);
        assert_eq!(fed([500; 1_000]).tail(), LONGEST_TAIL);
    }

    #[test]
    fn sleeps_too_late_for_any_tail_are_not_counted() {
        assert_eq!(fed([501, 50_000, u64::MAX / 1_000]).tail(), FIRST_TAIL);
        // One sleep in five on a machine that is too busy.
        assert_eq!(fed((0..1_000).map(|i| if i % 5 == 0 { 5_000 } else { 80 })).tail(), us(90));
    }

    #[test]
    fn one_late_sleep_among_many_changes_nothing_and_two_attack_at_once() {
        let mut tail = fed([80; 350]);
        tail.record(us(400));
        assert_eq!(tail.tail(), us(90));
        tail.record(us(80));
        tail.record(us(400));
        assert_eq!(tail.tail(), us(400));
    }

    #[test]
    fn attack_decays_slowly_when_the_machine_is_quiet_again() {
        // A hundred late sleeps weigh on for as long as halving leaves more of them than one in a hundred.
        let mut tail = fed([80; 400].into_iter().chain([400; 100]));
        let mut calm = 0;
        while tail.tail() > us(100) {
            tail.record(us(80));
            calm += 1;
            assert!(calm < 10_000, "never calms down");
        }
        assert!((500..3_000).contains(&calm), "{calm} samples");
    }

    proptest! {
        #[test]
        fn any_sample_keeps_the_tail_in_bounds(samples in prop::collection::vec(any::<u64>(), 0..1_000)) {
            let mut tail = TailEstimator::new();
            for late in samples {
                tail.record(Duration::from_nanos(late));
                prop_assert!((SHORTEST_TAIL..=LONGEST_TAIL).contains(&tail.tail()));
                prop_assert_eq!(tail.total, tail.counts.iter().sum::<u32>());
            }
        }
    }
}
