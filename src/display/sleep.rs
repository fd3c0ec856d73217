//! Sleeping until a point in time.

use crate::runtime::SPIN_TAIL;
use crate::time::{Clock, MonotonicClock, Timestamp};

/// Sleeps until `at`: natively to shortly before it, then spinning. Returns at once when `at` has passed.
pub fn until(at: Timestamp) {
    native(at - SPIN_TAIL);
    while MonotonicClock.now() < at {
        std::hint::spin_loop();
    }
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

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
#[allow(clippy::disallowed_methods, reason = "this is where sleeping belongs")]
fn native(at: Timestamp) {
    std::thread::sleep(at.saturating_since(MonotonicClock.now()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn sleeping_never_ends_early() {
        for us in [0, 50, 500, 3_000] {
            let at = MonotonicClock.now() + Duration::from_micros(us);
            until(at);
            assert!(MonotonicClock.now() >= at);
        }
        until(Timestamp::ZERO);
    }
}
