//! The one clock: every stamp in scanout is a [`Timestamp`] in nanoseconds of the same monotonic clock.
//!
//! On Unix that clock is `CLOCK_MONOTONIC`, because display servers (X11 Present, `wp_presentation`) and
//! OpenGL's `GL_TIMESTAMP` on Mesa stamp with it too, so that their times can be subtracted from ours without
//! a conversion. Only this module asks the system for the time; pure code is handed `now`.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// A point on the monotonic clock, in nanoseconds since an arbitrary start (usually the machine's boot).
///
/// Differences are [`Duration`]s. Where the order of two stamps is not known, [`signed_since`] gives the
/// difference in nanoseconds with its sign.
///
/// [`signed_since`]: Timestamp::signed_since
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Timestamp(u64);

impl Timestamp {
    /// The start of the clock.
    pub const ZERO: Self = Self(0);
    /// The last point that can be represented (584 years after the start): "never".
    pub const MAX: Self = Self(u64::MAX);

    /// The point `nanos` nanoseconds after the clock's start.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's start.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to `self`; zero when `earlier` is in fact later.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// `self - other` in nanoseconds, negative when `other` is later. Saturates at 292 years.
    #[must_use]
    pub const fn signed_since(self, other: Self) -> i64 {
        if self.0 >= other.0 {
            let d = self.0 - other.0;
            if d > i64::MAX as u64 { i64::MAX } else { d as i64 }
        } else {
            let d = other.0 - self.0;
            if d > i64::MAX as u64 { i64::MIN } else { -(d as i64) }
        }
    }

    /// `self` moved by a signed number of nanoseconds, clamped to the representable range.
    #[must_use]
    pub const fn offset(self, nanos: i64) -> Self {
        Self(self.0.saturating_add_signed(nanos))
    }

    /// `self - span`, or the clock's start when `span` reaches beyond it.
    #[must_use]
    pub const fn saturating_sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(span)))
    }
}

/// `span` in whole nanoseconds, saturating at `u64::MAX` (584 years).
#[must_use]
pub const fn nanos(span: Duration) -> u64 {
    let n = span.as_nanos();
    if n > u64::MAX as u128 { u64::MAX } else { n as u64 }
}

/// `span` as signed nanoseconds, at most what those hold.
pub(crate) fn signed_nanos(span: Duration) -> i64 {
    i64::try_from(nanos(span)).unwrap_or(i64::MAX)
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    /// Saturates at [`Timestamp::MAX`].
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(nanos(span)))
    }
}

impl AddAssign<Duration> for Timestamp {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    /// Saturates at [`Timestamp::ZERO`].
    fn sub(self, span: Duration) -> Self {
        self.saturating_sub(span)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}s", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

/// Where `now` comes from: the system, or a simulator in virtual time.
pub trait Clock {
    /// The present time. Never goes backwards between two calls on one thread.
    fn now(&self) -> Timestamp;

    /// For how long the machine was suspended while the clock stood, since some time before: to within microseconds, or
    /// less where the thread was stopped in between. Costs two readings. Zero where the clock does not stand, or nobody says.
    fn suspended(&self) -> Duration {
        Duration::ZERO
    }
}

/// The system's monotonic clock. Reading it costs about 20 to 50 ns where the kernel offers it without a
/// system call (vDSO on Linux), and neither allocates nor locks.
#[derive(Copy, Clone, Debug, Default)]
pub struct MonotonicClock;

impl Clock for MonotonicClock {
    fn now(&self) -> Timestamp {
        now()
    }

    #[cfg(target_os = "linux")]
    fn suspended(&self) -> Duration {
        read(rustix::time::ClockId::Boottime).saturating_since(now())
    }
}

#[cfg(unix)]
fn now() -> Timestamp {
    read(rustix::time::ClockId::Monotonic)
}

#[cfg(unix)]
fn read(clock: rustix::time::ClockId) -> Timestamp {
    let t = rustix::time::clock_gettime(clock);
    // The kernel's monotonic clocks are never negative.
    Timestamp(u64::try_from(t.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(t.tv_nsec).unwrap_or(0))
}

#[cfg(not(unix))]
#[allow(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
fn now() -> Timestamp {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    // One hour ahead of zero, so that stamps somewhat before the first reading can be represented.
    Timestamp(nanos(START.get_or_init(Instant::now).elapsed()) + 3_600_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_since_orders_and_saturates() {
        let t = Timestamp::from_nanos;
        for (a, b, want) in [
            (5, 3, 2),
            (3, 5, -2),
            (7, 7, 0),
            (u64::MAX, 0, i64::MAX),
            (0, u64::MAX, i64::MIN),
            (0, i64::MAX as u64, -i64::MAX),
        ] {
            assert_eq!(t(a).signed_since(t(b)), want, "{a} - {b}");
        }
    }

    #[test]
    fn arithmetic_beyond_the_range_saturates() {
        assert_eq!(Timestamp::MAX + Duration::from_secs(1), Timestamp::MAX);
        assert_eq!(Timestamp::from_nanos(5) - Duration::from_secs(1), Timestamp::ZERO);
        assert_eq!(Timestamp::from_nanos(5).offset(-9), Timestamp::ZERO);
        assert_eq!(Timestamp::ZERO.saturating_since(Timestamp::MAX), Duration::ZERO);
        assert_eq!(Timestamp::ZERO + Duration::MAX, Timestamp::MAX);
    }

    #[test]
    fn system_clock_read_twice_does_not_go_back() {
        let a = MonotonicClock.now();
        let b = MonotonicClock.now();
        assert!(b >= a && a > Timestamp::ZERO);
    }
}
