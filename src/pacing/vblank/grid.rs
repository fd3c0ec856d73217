//! The tracked refreshes: a Kalman filter over phase and period.

use super::{PERIODS, Vblank, distance, moved};
use crate::time::Timestamp;

/// Random walk of the period per refresh, as a share of the jitter: the steady gain on the period. Displays keep
/// their period to millionths, so a long memory pays; real changes are caught by [`BIAS_LIMIT`]. The gain on the
/// phase that goes with it is `sqrt(2 * WALK)`.
const WALK: f64 = 0.0005;

/// Variance of phase and period (over that of the jitter) to which a changed period opens the filter again:
/// gains of about 0.5 and 0.1 at first.
const OPENED: (f64, f64) = (1.0, 0.05);

/// Phase and period, with how sure they are.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// The refresh that the phase is about: the newest that had a sample.
    pub(super) index: u64,
    /// Its time is `base + fraction` nanoseconds: split so that a fraction keeps its precision after years.
    pub(super) base: u64,
    pub(super) fraction: f64,
    pub(super) period: f64,
    pub(super) variance: Variance,
}

impl Grid {
    pub(super) fn new(index: u64, base: u64, period: f64) -> Self {
        Self { index, base, fraction: 0.0, period, variance: Variance::default() }
    }

    /// From refresh `index` to `t`, in nanoseconds.
    pub(super) fn offset(&self, t: u64) -> f64 {
        distance(t, self.base) - self.fraction
    }

    /// Refreshes from `index` to the one nearest to `t`.
    pub(super) fn steps(&self, t: u64) -> f64 {
        (self.offset(t) / self.period).round()
    }

    pub(super) fn at(&self, index: u64) -> Option<Timestamp> {
        let offset = distance(index, self.index) * self.period + self.fraction;
        // A float beyond the range becomes the nearest end of it, and the sum then fails as it should.
        let at = i128::from(self.base).checked_add(offset.round() as i128)?;
        u64::try_from(at).ok().map(Timestamp::from_nanos)
    }

    pub(super) fn vblank(&self, n: f64) -> Option<Vblank> {
        let index = u64::try_from(i128::from(self.index).checked_add(n as i128)?).ok()?;
        Some(Vblank { index, at: self.at(index)? })
    }

    /// Kalman filter of two states: a sample `n` refreshes on was `residual` later than predicted.
    pub(super) fn update(&mut self, n: f64, residual: f64) {
        let on = n.max(0.0);
        self.variance.advance(on);
        let (phase_gain, period_gain) = self.variance.measure(n - on);
        self.fraction += on * self.period + phase_gain * residual;
        self.period = (self.period + period_gain * residual).clamp(*PERIODS.start(), *PERIODS.end());
        self.index = moved(self.index, on);
        let whole = self.fraction.floor();
        self.base = moved(self.base, whole);
        self.fraction -= whole;
    }
}

/// Variance of phase and period, and their covariance, over the variance of the jitter.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Variance {
    pub(super) phase: f64,
    pub(super) both: f64,
    pub(super) period: f64,
}

impl Variance {
    /// Of the time of the refresh `n` on.
    pub(super) fn predicted(&self, n: f64) -> f64 {
        (self.phase + n * (2.0 * self.both + n * self.period)).max(0.0)
    }

    pub(super) fn advance(&mut self, n: f64) {
        self.phase = self.predicted(n);
        self.both += n * self.period;
        self.period += WALK * WALK * n;
    }

    /// Takes in a sample `n` refreshes from the phase's; gives the gains for phase and period.
    pub(super) fn measure(&mut self, n: f64) -> (f64, f64) {
        let (with_phase, with_period) = (self.phase + n * self.both, self.both + n * self.period);
        let total = 1.0 + self.predicted(n);
        let gains = (with_phase / total, with_period / total);
        self.phase = (self.phase - gains.0 * with_phase).max(0.0);
        self.both -= gains.0 * with_period;
        self.period = (self.period - gains.1 * with_period).max(0.0);
        gains
    }

    pub(super) fn open(&mut self) {
        *self = Self { phase: self.phase.max(OPENED.0), both: 0.0, period: self.period.max(OPENED.1) };
    }
}
