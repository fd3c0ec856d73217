//! What the model makes of a sample: in a gap, while the refreshes are known, and while they are looked for.

use super::fit::{Fit, typical_short_interval};
use super::grid::{Grid, Variance};
use super::sequence::{SLOPE_AGREE, Sequence, sequence_period, sequence_slope};
use super::window::Seen;
use super::{
    AGREE, FIT_SAMPLES, GATE_FLOOR, GATE_SHARE, GATE_SIGMAS, LOCK_SPREAD, REJECT_RUN, VblankModel,
    VblankSample, Verdict, close, distance, moved,
};

/// Samples that a fit needs before it contradicts the mode's rate. Until then the period stays near it.
const CONTRADICT_SAMPLES: usize = 16;

/// Fitting samples that make a lock. The next refresh is then known to 0.4 of the jitter (`2 / sqrt(n)`), and a
/// source that speaks every second refresh still locks within 64 of them.
const LOCK_SAMPLES: usize = 24;

/// Accepted samples that confirm an old lock after a gap: the period is known, only the phase is in question.
const CONFIRM_SAMPLES: u32 = 8;

/// How far the fitted period may be from the rate that it is tried for (the mode's, an earlier one's, a stated
/// one's). Wide enough for 59.94 called 60, narrow enough that a wrong count of refreshes shows.
const NEAR: f64 = 0.02;

/// Spread, as a share of the period, above which a lock is given up.
const UNLOCK_SPREAD: f64 = 0.10;

/// As [`REJECT_RUN`], for samples of which only some fall off the grid (a doubled rate hits it every second
/// time): so many of the last [`HISTORY`].
const REJECT_MANY: u32 = 12;

/// Two stamps closer than this, in nanoseconds, are of one refresh, where the period is not known yet.
const SAME: u64 = 250_000;

/// Weight of a new residual in the running mean that shows a period that changed.
const BIAS_WEIGHT: f64 = 0.15;

/// Running mean of residuals, in standard deviations, that chance does not make (it has a deviation of 0.28).
const BIAS_LIMIT: f64 = 1.2;

/// Changes of the period seen lately (each counts `1 - 1/64` as much with every sample) at which there is none.
const CHANGES: f64 = 3.0;

/// Weight of a new residual in the variance.
const SPREAD_WEIGHT: f64 = 1.0 / 64.0;

/// Smallest spread that is believed, in nanoseconds: sources count in microseconds.
const SPREAD_FLOOR: f64 = 1_000.0;

/// How far the period may have drifted in a gap that sequence numbers bridge, as a share.
const GAP_DRIFT: f64 = 1e-3;

/// How far the period wanders by itself in a gap, as a share: a crystal that grows warm.
const GAP_WANDER: f64 = 1e-5;

/// Refreshes back from the newest that late samples may belong to: as many as a word has bits.
const LATE: f64 = 64.0;

impl VblankModel {
    /// Takes the sample as the first of all.
    pub(super) fn start(&mut self, sample: VblankSample) -> Verdict {
        let t = sample.at.as_nanos();
        let index = self.top.saturating_add(1);
        self.top = index;
        self.grid = self.expected_period().map(|period| Grid::new(index, t, period));
        self.tracking = false;
        self.window.clear();
        self.window.insert(Seen { at: t, index, sequence: sample.sequence });
        self.forget_judgements();
        self.note_judged(false);
        self.spread = 0.0;
        self.sequence = Sequence::default();
        self.heard = Some(t);
        self.last_accepted = Some((sample.at, sample.origin));
        Verdict::Restarted
    }

    /// Takes the first sample after a gap: the period is kept, the phase is new. The count goes on where sequence
    /// numbers bridge the gap.
    pub(super) fn resume(&mut self, sample: VblankSample) -> Verdict {
        let t = sample.at.as_nanos();
        let Some(grid) = self.grid.as_mut().filter(|_| self.tracking) else { return self.start(sample) };
        let counted = sample.sequence.and_then(|q| self.sequence.index(q)).filter(|&index| {
            let n = distance(index, grid.index);
            n > 0.0 && (grid.offset(t) - n * grid.period).abs() < grid.period * (GATE_SHARE + n * GAP_DRIFT)
        });
        let index = counted.unwrap_or(self.top.saturating_add(1));
        let wander = GAP_WANDER * grid.period / self.spread.max(SPREAD_FLOOR);
        let period_variance = grid.variance.period + wander * wander;
        *grid = Grid::new(index, t, grid.period);
        grid.variance = Variance { phase: 1.0, both: 0.0, period: period_variance };
        self.top = self.top.max(index);
        self.seen = 1;
        self.confirm = CONFIRM_SAMPLES;
        self.forget_judgements();
        self.note_judged(false);
        self.window.clear();
        self.window.insert(Seen { at: t, index, sequence: sample.sequence });
        self.sequence.anchor = sample.sequence.map(|q| (q, index));
        if counted.is_none() {
            self.sequence.agreed = 0;
        }
        self.heard = Some(t);
        self.last_accepted = Some((sample.at, sample.origin));
        if counted.is_some() { Verdict::Accepted } else { Verdict::Restarted }
    }

    /// A sample while the grid is known.
    pub(super) fn track(&mut self, sample: VblankSample) -> Verdict {
        let t = sample.at.as_nanos();
        let Some(grid) = self.grid.as_mut() else { return self.start(sample) };
        let n = grid.steps(t);
        let residual = grid.offset(t) - n * grid.period;
        let spread = self.spread.max(SPREAD_FLOOR);
        let variance = grid.variance.predicted(n);
        let sigma = spread * (1.0 + variance).sqrt();
        let gate = (GATE_SIGMAS * sigma).max(GATE_FLOOR).min(GATE_SHARE * grid.period);
        let outlier = residual.abs() > gate;
        if !outlier && n > -LATE && n <= 0.0 && self.seen >> (-n as u32) & 1 == 1 {
            return Verdict::Duplicate;
        }
        let index = moved(grid.index, n);
        let contradicted = self.sequence.contradicts(
            self.stated,
            grid.period,
            &Seen { at: t, index, sequence: sample.sequence },
            self.window.as_slice().last(),
        );
        self.window.insert(Seen { at: t, index, sequence: sample.sequence });
        let clipped = residual.abs().min(gate);
        self.spread =
            (self.spread * self.spread * (1.0 - SPREAD_WEIGHT) + clipped * clipped * SPREAD_WEIGHT).sqrt();
        if outlier || n <= -LATE {
            self.note_judged(true);
            if self.reject_run >= REJECT_RUN || self.history.count_ones() >= REJECT_MANY {
                self.reacquire();
            }
            return Verdict::Rejected;
        }

        grid.update(n, residual);
        self.seen = if n <= -1.0 {
            self.seen | 1 << (-n as u32)
        } else {
            self.seen.checked_shl(n.min(LATE) as u32).unwrap_or(0) | 1
        };
        self.top = self.top.max(index);
        self.bias += BIAS_WEIGHT * ((residual / sigma).clamp(-3.0, 3.0) - self.bias);
        self.changes *= 1.0 - SPREAD_WEIGHT;
        if self.bias.abs() > BIAS_LIMIT {
            grid.variance.open();
            self.bias = 0.0;
            self.changes += 1.0;
        }
        self.note_judged(false);
        self.confirm = self.confirm.saturating_sub(1);
        self.sequence.compare(sample.sequence, index);
        self.prior = self.grid.as_ref().map(|g| g.period);
        if contradicted || !self.sane() {
            self.reacquire();
        }
        Verdict::Accepted
    }

    /// Whether samples still lie near the tracked grid.
    fn sane(&self) -> bool {
        self.grid.as_ref().is_some_and(|g| self.spread <= UNLOCK_SPREAD * g.period && self.changes < CHANGES)
    }

    /// Gives the lock up. What was sampled last starts the search for a new one.
    fn reacquire(&mut self) {
        self.tracking = false;
        self.window.keep_last(REJECT_RUN as usize);
        self.forget_judgements();
    }

    /// A sample while no grid is known: looks for one that the last samples lie on.
    pub(super) fn acquire(&mut self, sample: VblankSample) -> Verdict {
        let t = sample.at.as_nanos();
        if self.window.as_slice().iter().any(|s| s.at.abs_diff(t) < SAME) {
            return Verdict::Duplicate;
        }
        let newest = self.heard.is_none_or(|heard| t > heard);
        if self.grid.is_none() {
            self.grid = self.expected_period().map(|p| Grid::new(self.top, self.heard.unwrap_or(t), p));
        }
        let mut index = self.top;
        if let Some(grid) = &self.grid {
            let n = grid.steps(t);
            index = moved(grid.index, n);
            let off = (grid.offset(t) - n * grid.period).abs();
            let weight = 4.0 * SPREAD_WEIGHT;
            self.spread = (self.spread * self.spread * (1.0 - weight) + off * off * weight).sqrt();
        }
        self.window.insert(Seen { at: t, index, sequence: sample.sequence });
        // A period that was locked to is given up for one that can be locked to, and not for what a few samples of a busy
        // machine happen to lie on.
        let proven =
            |fit: &Fit| self.prior.is_none_or(|prior| close(fit.period, prior, NEAR)) || self.may_lock(fit);
        let Some(fit) = self.choose().filter(proven) else {
            // No period that explains the samples: the last one is what is known.
            if let Some(grid) = self.grid.as_mut().filter(|_| newest) {
                *grid = Grid::new(index.max(grid.index), t, grid.period);
            }
            self.top = self.top.max(index);
            self.note_judged(false);
            return Verdict::Accepted;
        };
        self.adopt(&fit, t)
    }

    /// Whether enough samples lie on it, closely enough.
    fn may_lock(&self, fit: &Fit) -> bool {
        fit.inliers >= LOCK_SAMPLES
            && fit.spread <= LOCK_SPREAD * fit.period
            && fit.is_straight(self.window.len)
    }

    /// Puts a fitted grid in force.
    fn adopt(&mut self, fit: &Fit, t: u64) -> Verdict {
        let had_grid = self.grid.is_some();
        let kept = fit.offset(self.window.as_slice());
        let newest = kept.unwrap_or(self.top.saturating_add(1));
        let mut accepted = true;
        for (i, seen) in self.window.as_mut_slice().iter_mut().enumerate() {
            seen.index = moved(newest, fit.steps[i]);
            if seen.at == t {
                accepted = fit.fits(i);
            }
        }
        self.grid = Some(Grid {
            index: newest,
            base: fit.base,
            fraction: fit.phase,
            period: fit.period,
            variance: fit.variance,
        });
        self.top = self.top.max(newest);
        self.spread = fit.spread;
        self.note_judged(!accepted);
        if self.may_lock(fit) {
            self.tracking = true;
            self.confirm = 0;
            (self.bias, self.changes) = (0.0, 0.0);
            self.prior = Some(fit.period);
            self.seen = 0;
            self.sequence = Sequence::default();
            for (i, seen) in self.window.as_slice().iter().enumerate().filter(|(i, _)| fit.fits(*i)) {
                let back = -fit.steps[i];
                if (0.0..LATE).contains(&back) {
                    self.seen |= 1 << back as u32;
                }
                self.sequence.compare(seen.sequence, seen.index);
            }
        }
        match (kept, accepted) {
            (None, _) if had_grid => Verdict::Restarted,
            (_, true) => Verdict::Accepted,
            (_, false) => Verdict::Rejected,
        }
    }

    /// The first of the candidate periods that the samples of the window lie on, the most believable first.
    fn choose(&self) -> Option<Fit> {
        let samples = self.window.as_slice();
        if samples.len() < FIT_SAMPLES {
            return None;
        }
        let try_near = |period: f64| Fit::new(samples, period).filter(|f| close(f.period, period, NEAR));
        // The mode's rate is held to until enough samples speak against it.
        let free = self.nominal.is_none() || samples.len() >= CONTRADICT_SAMPLES;
        let counted = sequence_period(samples).filter(|_| free);
        // Sequence numbers and the source's statement agree: both would have to be wrong in the same way.
        let confirmed = counted.filter(|&p| self.stated.is_some_and(|s| close(p, s, AGREE)));
        let given = [confirmed, self.prior, self.nominal, counted, self.stated.filter(|_| free)];
        given.into_iter().flatten().find_map(try_near).or_else(|| {
            let shortest = typical_short_interval(samples).filter(|_| free)?;
            // Numbers that count refreshes do so as well where each stamp alone is late by much. Those of other things are
            // overruled by samples that lie well on a period.
            let slope = sequence_slope(samples);
            let agrees =
                |f: &Fit| slope.is_none_or(|slope| close(f.period, slope, SLOPE_AGREE)) || self.may_lock(f);
            // No interval may be a single period: try it as two and as three. But samples that come as they did before say
            // nothing for a part of the period that was locked to: whatever lies on that lies on its parts.
            let as_before = self.prior.is_some_and(|prior| close(shortest, prior, SLOPE_AGREE));
            let parts: &[f64] = if as_before { &[1.0] } else { &[1.0, 2.0, 3.0] };
            parts.iter().find_map(|parts| {
                let period = shortest / parts;
                Fit::new(samples, period).filter(|f| close(f.period, period, 5.0 * NEAR)).filter(agrees)
            })
        })
    }
}
