//! Refreshes that are found in the last samples.

use super::grid::Variance;
use super::window::{Seen, WINDOW};
use super::{FIT_SAMPLES, GATE_FLOOR, GATE_SHARE, GATE_SIGMAS, LOCK_SPREAD, PERIODS, distance};

/// Difference of the mean residuals of the middle and of both ends of a fit, in standard deviations, above which
/// the samples lie on a curve and not on a line: their rate glides. Jitter has 0.4, a pure curve 1.7.
const CURVE_LIMIT: f64 = 1.2;

/// A straight line through the samples of a window: which refresh each belongs to, phase, period.
pub(super) struct Fit {
    /// Refreshes from the newest sample's to each sample's: 0 or less.
    pub(super) steps: [f64; WINDOW],
    pub(super) residuals: [f64; WINDOW],
    pub(super) limit: f64,
    pub(super) inliers: usize,
    /// The newest sample's refresh is at `base + phase` nanoseconds.
    pub(super) base: u64,
    pub(super) phase: f64,
    pub(super) period: f64,
    pub(super) spread: f64,
    pub(super) variance: Variance,
}

impl Fit {
    /// Fits samples (in the order of time) to refreshes of about `period`. `None` when they do not lie on any.
    pub(super) fn new(samples: &[Seen], period: f64) -> Option<Self> {
        let count = samples.len();
        let base = samples.last()?.at;
        if !PERIODS.contains(&period) {
            return None;
        }
        // Times before the newest sample's, in nanoseconds: exact, because the window is short.
        let mut times = [0.0; WINDOW];
        for (time, seen) in times.iter_mut().zip(samples) {
            *time = distance(seen.at, base);
        }
        let times = &times[..count];

        // A rough pass through the samples makes the period exact enough to count refreshes across all of them.
        let (mut at, mut p) = (times[0], period);
        let mut variance = Variance { phase: 10.0, both: 0.0, period: 1.0 };
        for &t in &times[1..] {
            let n = ((t - at) / p).round().max(0.0);
            variance.advance(n);
            let (phase_gain, period_gain) = variance.measure(0.0);
            let residual = (t - at - n * p).clamp(-GATE_SHARE * p, GATE_SHARE * p);
            at += n * p + phase_gain * residual;
            p += period_gain * residual;
            if !PERIODS.contains(&p) {
                return None;
            }
        }

        let mut fit = Self {
            steps: [0.0; WINDOW],
            residuals: [0.0; WINDOW],
            limit: 0.0,
            inliers: 0,
            base,
            phase: at - ((at - times[count - 1]) / p).round() * p,
            period: p,
            spread: 0.0,
            variance,
        };
        // Then least squares over those near the line, twice: the first one's outliers are not the last's.
        for _ in 0..3 {
            fit.measure(times);
            fit.solve(times)?;
        }
        fit.measure(times);
        // Most samples must be near the line, as chance does not put them, and on refreshes of their own.
        let near = fit.residuals[..count].iter().filter(|r| r.abs() < 1.5 * LOCK_SPREAD * fit.period).count();
        let shared = (1..count).filter(|&i| fit.steps[i] <= fit.steps[i - 1]).count();
        (PERIODS.contains(&fit.period) && near * 4 >= count * 3 && shared * 4 <= count).then_some(fit)
    }

    /// Residuals from the line, and how far an inlier may be from it.
    pub(super) fn measure(&mut self, times: &[f64]) {
        let mut sorted = [0.0; WINDOW];
        for (i, t) in times.iter().enumerate() {
            self.steps[i] = ((t - self.phase) / self.period).round();
            self.residuals[i] = t - self.phase - self.steps[i] * self.period;
            sorted[i] = self.residuals[i].abs();
        }
        let sorted = &mut sorted[..times.len()];
        sorted.sort_unstable_by(f64::total_cmp);
        // The median of a normal distribution's absolute values is 0.6745 of its deviation.
        let sigma = sorted[sorted.len() / 2] / 0.6745;
        self.limit = (GATE_SIGMAS * sigma).max(GATE_FLOOR).min(GATE_SHARE * self.period);
    }

    /// Whether sample `i` is near the line.
    pub(super) fn fits(&self, i: usize) -> bool {
        self.residuals[i].abs() <= self.limit
    }

    /// Whether the inliers scatter about the line, and do not bend away from it.
    pub(super) fn is_straight(&self, count: usize) -> bool {
        let (mut middle, mut ends) = ((0.0, 0.0), (0.0, 0.0));
        for i in (0..count).filter(|&i| self.fits(i)) {
            let part = if (count / 4..count - count / 4).contains(&i) { &mut middle } else { &mut ends };
            part.0 += self.residuals[i];
            part.1 += 1.0;
        }
        let bend = ends.0 / f64::max(ends.1, 1.0) - middle.0 / f64::max(middle.1, 1.0);
        bend.abs() <= (CURVE_LIMIT * self.spread).max(GATE_FLOOR)
    }

    /// The least-squares line through the samples near the present one.
    pub(super) fn solve(&mut self, times: &[f64]) -> Option<()> {
        let (mut n, mut sx, mut sxx, mut sy, mut sxy, mut syy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        self.inliers = 0;
        for i in (0..times.len()).filter(|&i| self.residuals[i].abs() <= self.limit) {
            let (x, y) = (self.steps[i], self.residuals[i]);
            n += 1.0;
            sx += x;
            sxx += x * x;
            sy += y;
            sxy += x * y;
            syy += y * y;
            self.inliers += 1;
        }
        let determinant = n * sxx - sx * sx;
        if self.inliers < FIT_SAMPLES - 1 || determinant <= 0.0 {
            return None;
        }
        let slope = (n * sxy - sx * sy) / determinant;
        let shift = (sy - slope * sx) / n;
        self.phase += shift;
        self.period += slope;
        self.spread = ((syy - shift * sy - slope * sxy).max(0.0) / (n - 2.0)).sqrt();
        self.variance =
            Variance { phase: sxx / determinant, both: -sx / determinant, period: n / determinant };
        PERIODS.contains(&self.period).then_some(())
    }

    /// The index of step 0, where the numbers that the samples were taken for go on to hold.
    pub(super) fn offset(&self, samples: &[Seen]) -> Option<u64> {
        let mut indices = (0..samples.len())
            .filter(|&i| self.fits(i))
            .map(|i| i128::from(samples[i].index) - self.steps[i] as i128);
        let first = indices.next()?;
        indices.all(|i| i == first).then(|| u64::try_from(first).ok())?
    }
}

/// The median of the shorter intervals between samples: the period, or a few of them, whatever is missing.
pub(super) fn typical_short_interval(samples: &[Seen]) -> Option<f64> {
    let mut spans = [0.0; WINDOW];
    for (span, pair) in spans.iter_mut().zip(samples.windows(2)) {
        *span = distance(pair[1].at, pair[0].at);
    }
    let spans = &mut spans[..samples.len().checked_sub(1)?];
    spans.sort_unstable_by(f64::total_cmp);
    // A fifth, because an outlier makes one interval too short.
    let short = *spans.get(spans.len() / 5)?;
    let from = spans.partition_point(|&s| s < 0.75 * short);
    let to = spans.partition_point(|&s| s <= 1.25 * short);
    spans[from..to].get((to - from) / 2).copied()
}
