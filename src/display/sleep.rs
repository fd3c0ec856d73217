//! Sleeping until a point in time.

use std::time::Duration;

use crate::pacing::{FIRST_TAIL, TailEstimator};
use crate::time::{Clock, MonotonicClock, Timestamp};

/// How long [`Sleeper::until_or_woken`] spins before its caller looks for work again. Short beside anything that is
/// drawn, long beside the looking.
const LOOK_EVERY: Duration = Duration::from_micros(50);

/// Sleeps until `at`: natively to shortly before it, then spinning. Returns at once when `at` has passed. For a single
/// sleep; a thread that sleeps again and again has a [`Sleeper`].
pub fn until(at: Timestamp) {
    native(at - FIRST_TAIL);
    spin(at);
}

/// Sleeps until deadlines: natively to a tail before them, then spinning. The tail is learnt from how late native
/// sleeps ended ([`TailEstimator`]). One per thread.
///
/// Finer timers (a slack of 1 ns instead of 50 us on Linux) are not asked for: they end a sleep earlier, but what is
/// always there is learnt anyway, and neither the deadlines met nor the time spun changed (`examples/oversleep.rs`).
/// What does help on a busy machine is [priority](super::priority). On Windows this compiles and has not been run.
///
/// ```
/// use scanout::display::sleep::Sleeper;
/// use scanout::time::{Clock, MonotonicClock};
/// use std::time::Duration;
///
/// let mut sleeper = Sleeper::new();
/// let at = MonotonicClock.now() + Duration::from_millis(2);
/// sleeper.until(at);
/// assert!(MonotonicClock.now() >= at);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Sleeper {
    tail: TailEstimator,
    spun: Duration,
    wakes: u64,
}

impl Sleeper {
    /// A sleeper that knows nothing of its thread yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { tail: TailEstimator::new(), spun: Duration::ZERO, wakes: 0 }
    }

    /// Sleeps until `at`, and not less. Returns at once when `at` has passed. No allocation.
    pub fn until(&mut self, at: Timestamp) {
        let wake_at = at - self.tail.tail();
        if MonotonicClock.now() < wake_at {
            native(wake_at);
            self.woke(wake_at, MonotonicClock.now());
        }
        self.spun += spin(at);
    }

    /// Sleeps until `at`, or until the thread's token is given ([`std::thread::Thread::unpark`]), or a part of the
    /// way: look for work, and call again with the same `at`. Returns whether `at` has passed. Shortly before `at` it
    /// returns every 50 us, because a spinning thread does not notice its token. No allocation.
    pub fn until_or_woken(&mut self, at: Timestamp) -> bool {
        let now = MonotonicClock.now();
        let wake_at = at - self.tail.tail();
        if now < wake_at {
            park(wake_at.saturating_since(now));
            let woke = MonotonicClock.now();
            self.woke(wake_at, woke);
            woke >= at
        } else {
            let look_at = at.min(now + LOOK_EVERY);
            self.spun += spin(look_at);
            look_at == at
        }
    }

    /// How long before a deadline native sleep is asked to end, as learnt so far.
    #[must_use]
    pub const fn tail(&self) -> Duration {
        self.tail.tail()
    }

    /// Time spent spinning so far.
    #[must_use]
    pub const fn spun(&self) -> Duration {
        self.spun
    }

    /// How often the thread was woken so far: by a timer or by another thread.
    #[must_use]
    pub const fn wakes(&self) -> u64 {
        self.wakes
    }

    fn woke(&mut self, asked: Timestamp, woke: Timestamp) {
        self.wakes += 1;
        // Before its time it was woken by somebody, which says nothing about timers.
        if woke >= asked {
            self.tail.record(woke.saturating_since(asked));
        }
    }
}

/// Spins until `at`; returns for how long.
fn spin(at: Timestamp) -> Duration {
    let began = MonotonicClock.now();
    let mut now = began;
    while now < at {
        std::hint::spin_loop();
        now = MonotonicClock.now();
    }
    now.saturating_since(began)
}

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn native(at: Timestamp) {
    use rustix::thread::{ClockId, clock_nanosleep_absolute};
    use rustix::time::Timespec;

    const NANOS: u64 = 1_000_000_000;
    let request = Timespec {
        tv_sec: i64::try_from(at.as_nanos() / NANOS).unwrap_or(i64::MAX),
        tv_nsec: (at.as_nanos() % NANOS) as _,
    };
    // A signal ends the sleep early; the deadline is absolute, so that sleeping again is harmless.
    while MonotonicClock.now() < at && clock_nanosleep_absolute(ClockId::Monotonic, &request).is_err() {}
}

// On Windows the standard library sleeps on a high-resolution waitable timer where there is one (Windows 10, 1803).
#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
#[allow(clippy::disallowed_methods, reason = "this is where sleeping belongs")]
fn native(at: Timestamp) {
    let left = at.saturating_since(MonotonicClock.now());
    if !left.is_zero() {
        std::thread::sleep(left);
    }
}

/// Parks the calling thread until it is woken, or for at most about `limit`. May return early.
#[cfg(not(windows))]
pub(crate) fn park(limit: Duration) {
    std::thread::park_timeout(limit);
}

// Not verified on Windows. A parked thread wakes with the system's tick there, up to 15.6 ms late, so that the last
// stretch is slept on high-resolution timers, one after another: the caller looks for work between them.
#[cfg(windows)]
#[allow(clippy::disallowed_methods, reason = "this is where sleeping belongs")]
pub(crate) fn park(limit: Duration) {
    const TICK: Duration = Duration::from_millis(16);
    const SLICE: Duration = Duration::from_millis(1);
    if limit > TICK {
        std::thread::park_timeout(limit - TICK);
    } else {
        std::thread::sleep(limit.min(SLICE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn sleeping_never_ends_early() {
        let mut sleeper = Sleeper::new();
        for us in [0, 50, 500, 3_000] {
            let at = MonotonicClock.now() + Duration::from_micros(us);
            until(at);
            assert!(MonotonicClock.now() >= at);
            let at = MonotonicClock.now() + Duration::from_micros(us);
            sleeper.until(at);
            assert!(MonotonicClock.now() >= at);
            let at = MonotonicClock.now() + Duration::from_micros(us);
            while !sleeper.until_or_woken(at) {}
            assert!(MonotonicClock.now() >= at);
        }
        until(Timestamp::ZERO);
        sleeper.until(Timestamp::ZERO);
        assert!(sleeper.until_or_woken(Timestamp::ZERO));
        assert!(sleeper.wakes() >= 2 && sleeper.spun() > Duration::ZERO);
    }

    #[test]
    fn deadline_that_has_passed_neither_sleeps_nor_spins() {
        let mut sleeper = Sleeper::new();
        sleeper.until(Timestamp::ZERO);
        assert!(sleeper.until_or_woken(Timestamp::ZERO));
        assert_eq!((sleeper.wakes(), sleeper.spun()), (0, Duration::ZERO));
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a thread to wake")]
    fn woken_sleeper_returns_before_a_far_deadline_and_learns_nothing_from_it() {
        let (ready, is_ready) = mpsc::channel();
        let far = MonotonicClock.now() + Duration::from_secs(3_600);
        let sleeping = std::thread::spawn(move || {
            let mut sleeper = Sleeper::new();
            ready.send(()).unwrap();
            let passed = sleeper.until_or_woken(far);
            (passed, sleeper.tail(), sleeper.wakes())
        });
        is_ready.recv().unwrap();
        sleeping.thread().unpark();
        assert_eq!(sleeping.join().unwrap(), (false, FIRST_TAIL, 1));
    }

    #[test]
    fn token_given_before_is_not_lost() {
        std::thread::current().unpark();
        let far = MonotonicClock.now() + Duration::from_secs(3_600);
        assert!(!Sleeper::new().until_or_woken(far));
    }

    #[test]
    fn caller_can_look_for_work_during_the_last_stretch() {
        // Within the first tail from the start: no parking, and yet more than one look. A thread that was not running
        // meanwhile has nothing to look at: try again.
        let looked = (0..1_000).any(|_| {
            let mut sleeper = Sleeper::new();
            let at = MonotonicClock.now() + FIRST_TAIL - Duration::from_micros(1);
            let mut looks = 0;
            while !sleeper.until_or_woken(at) {
                looks += 1;
            }
            assert_eq!(sleeper.wakes(), 0);
            looks >= 2
        });
        assert!(looked);
    }
}
