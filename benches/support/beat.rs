//! When witnesses run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often each has to run where nothing asks for another time: short beside the intervals that are measured, and 2,000
/// wake-ups a second cost little.
const EVERY: Duration = Duration::from_micros(500);

/// The times of their turns.
///
/// Each turn takes 30 to 60 us from a program that is just then at work. At any time in a frame, that made 40 % of
/// the frames so much later than the others; always at the same time it does the same to all of them.
pub struct Beat {
    pub every: Duration,
    began: Instant,
    /// Nanoseconds that the turns come after whole multiples of `every` since `began`.
    phase: AtomicU64,
}

impl Default for Beat {
    fn default() -> Self {
        Self::from(Instant::now(), EVERY)
    }
}

impl Beat {
    fn from(began: Instant, every: Duration) -> Self {
        Self { every, began, phase: AtomicU64::new(0) }
    }

    /// A whole number of turns to a period, from now on.
    pub fn within(period: Duration) -> Self {
        Self::within_from(Instant::now(), period)
    }

    pub fn within_from(began: Instant, period: Duration) -> Self {
        let turns = period.as_nanos().div_ceil(EVERY.as_nanos());
        Self::from(began, period / turns.max(1) as u32)
    }

    /// Something happens at `at` and whole periods from there: the turns keep away from it, most of all before it.
    pub fn keep_away_from(&self, at: Instant) {
        let every = self.every.as_nanos() as u64;
        let turn = (at - self.began).as_nanos() as u64 + every / 4;
        // Nothing else hangs on it.
        self.phase.store(turn % every, Ordering::Relaxed);
    }

    /// The turn after the one at `last`, or after the one nearest to it.
    pub fn next(&self, last: Instant) -> Instant {
        let every = self.every.as_nanos() as u64;
        let phase = self.phase.load(Ordering::Relaxed);
        let gone = ((last - self.began).as_nanos() as u64).saturating_sub(phase) + every / 2;
        self.began + Duration::from_nanos((gone / every + 1) * every + phase)
    }
}
