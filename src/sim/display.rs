use crate::time::{Timestamp, nanos};

/// A display with a fixed refresh rate: vertical blanks at `phase + n * period`.
///
/// The period is kept as a fraction of a nanosecond, so that blanks do not drift from the nominal rate however
/// long the run (59.94 Hz is not a whole number of nanoseconds).
#[derive(Copy, Clone, Debug)]
pub struct FixedDisplay {
    phase: Timestamp,
    hz: f64,
}

impl FixedDisplay {
    /// A display of `hz` refreshes per second with a vertical blank at `phase`.
    ///
    /// # Panics
    /// Unless `hz` is a positive number.
    #[must_use]
    pub fn new(hz: f64, phase: Timestamp) -> Self {
        assert!(hz.is_finite() && hz > 0.0, "a refresh rate is a positive number, not {hz}");
        Self { phase, hz }
    }

    /// Refreshes per second.
    #[must_use]
    pub const fn hz(&self) -> f64 {
        self.hz
    }

    /// The first vertical blank at or after `t`.
    #[must_use]
    pub fn vblank_at_or_after(&self, t: Timestamp) -> Timestamp {
        let since = t.saturating_since(self.phase);
        let period = 1e9 / self.hz;
        let n = (nanos(since) as f64 / period).floor() as u64;
        // The division rounds; the right blank is one of the next few.
        (n.saturating_sub(1)..=n + 2)
            .map(|n| self.vblank(n))
            .find(|v| *v >= t)
            .unwrap_or_else(|| self.vblank(n + 3))
    }

    /// The first vertical blank after `t`.
    #[must_use]
    pub fn vblank_after(&self, t: Timestamp) -> Timestamp {
        self.vblank_at_or_after(t.offset(1))
    }

    fn vblank(&self, n: u64) -> Timestamp {
        Timestamp::from_nanos(self.phase.as_nanos().saturating_add((n as f64 * 1e9 / self.hz).round() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vblanks_follow_each_other_without_drift() {
        for hz in [59.94, 60.0, 120.0, 143.98, 240.0] {
            let phase = Timestamp::from_nanos(123_456_789);
            let display = FixedDisplay::new(hz, phase);
            let mut t = phase;
            for _ in 0..100_000 {
                assert_eq!(display.vblank_at_or_after(t), t, "{hz} Hz");
                let next = display.vblank_after(t);
                let step = next.saturating_since(t).as_secs_f64() * hz;
                assert!((step - 1.0).abs() < 1e-6, "{hz} Hz: {step} periods");
                t = next;
            }
            let elapsed = t.saturating_since(phase).as_secs_f64() * hz;
            assert!((elapsed - 100_000.0).abs() < 1e-3, "{hz} Hz: {elapsed} periods");
        }
    }

    #[test]
    fn vblank_before_the_phase_is_the_phase() {
        let display = FixedDisplay::new(60.0, Timestamp::from_nanos(1_000));
        assert_eq!(display.vblank_at_or_after(Timestamp::ZERO).as_nanos(), 1_000);
    }
}
