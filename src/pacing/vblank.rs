use std::fmt;
use std::time::Duration;

use super::Origin;
use crate::time::Timestamp;

/// One time at which a display (or a compositor that stands before it) began a refresh, as a source tells it.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct VblankSample {
    /// When. Stamps arrive late and out of regular order; what counts is the time that they name.
    pub at: Timestamp,
    /// The display's own count of refreshes, where the source has one. Two samples that are `n` refreshes apart
    /// differ by `n`.
    pub sequence: Option<u64>,
    /// The refresh interval that the source states, where it states one. Not trusted, only compared.
    pub period: Option<Duration>,
    /// Who says so.
    pub origin: Origin,
}

/// Shortest and longest refresh period that is believed, in nanoseconds: 2000 Hz and 4 Hz.
const PERIODS: std::ops::RangeInclusive<f64> = 0.5e6..=250e6;

/// The fastest refresh that is believed of a display, in Hz: what comes sooner is no refresh.
pub const FASTEST_HZ: f64 = 2_000.0;

/// Samples that a fit looks at. Enough to see through a few outliers; few enough that a fit costs microseconds.
const WINDOW: usize = 32;

/// A fit of fewer samples is not tried: two outliers would decide it.
const FIT_SAMPLES: usize = 6;

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

/// Spread, as a share of the period, up to which a fit makes a lock. Stamps that are spread evenly over the
/// period, as those of no period at all are, would have 0.29.
const LOCK_SPREAD: f64 = 0.08;

/// Spread, as a share of the period, above which a lock is given up.
const UNLOCK_SPREAD: f64 = 0.10;

/// Difference of the mean residuals of the middle and of both ends of a fit, in standard deviations, above which
/// the samples lie on a curve and not on a line: their rate glides. Jitter has 0.4, a pure curve 1.7.
const CURVE_LIMIT: f64 = 1.2;

/// A residual beyond so many standard deviations is an outlier.
const GATE_SIGMAS: f64 = 3.0;

/// A residual below this is none, in nanoseconds: stamps of microseconds' precision must not make the gate so
/// narrow that a slow drift is shut out.
const GATE_FLOOR: f64 = 150_000.0;

/// A residual above this share of the period is an outlier however wide the spread: it might belong to another
/// refresh.
const GATE_SHARE: f64 = 0.25;

/// Rejected samples in a row after which the model, not the samples, is taken to be wrong.
const REJECT_RUN: u32 = 8;

/// As [`REJECT_RUN`], for samples of which only some fall off the grid (a doubled rate hits it every second
/// time): so many of the last [`HISTORY`].
const REJECT_MANY: u32 = 12;

/// Samples that [`REJECT_MANY`] and the confidence look back upon.
const HISTORY: u32 = 24;

/// A gap without samples after which the phase is taken to be unknown, in nanoseconds.
const GAP: i128 = 1_000_000_000;

/// Two stamps closer than this, in nanoseconds, are of one refresh, where the period is not known yet.
const SAME: u64 = 250_000;

/// Random walk of the period per refresh, as a share of the jitter: the steady gain on the period. Displays keep
/// their period to millionths, so a long memory pays; real changes are caught by [`BIAS_LIMIT`]. The gain on the
/// phase that goes with it is `sqrt(2 * WALK)`.
const WALK: f64 = 0.0005;

/// Weight of a new residual in the running mean that shows a period that changed.
const BIAS_WEIGHT: f64 = 0.15;

/// Running mean of residuals, in standard deviations, that chance does not make (it has a deviation of 0.28).
const BIAS_LIMIT: f64 = 1.2;

/// Changes of the period seen lately (each counts `1 - 1/64` as much with every sample) at which there is none.
const CHANGES: f64 = 3.0;

/// Variance of phase and period (over that of the jitter) to which a changed period opens the filter again:
/// gains of about 0.5 and 0.1 at first.
const OPENED: (f64, f64) = (1.0, 0.05);

/// Weight of a new residual in the variance.
const SPREAD_WEIGHT: f64 = 1.0 / 64.0;

/// Smallest spread that is believed, in nanoseconds: sources count in microseconds.
const SPREAD_FLOOR: f64 = 1_000.0;

/// Sequence numbers that agreed with the stamps before they are used to count across a gap.
const SEQUENCE_TRUST: u32 = 8;

/// Disagreeing sequence numbers in a row that end the trust. One alone may be the stamp's fault.
const SEQUENCE_MISSES: u32 = 3;

/// How far the period may have drifted in a gap that sequence numbers bridge, as a share.
const GAP_DRIFT: f64 = 1e-3;

/// How far the period wanders by itself in a gap, as a share: a crystal that grows warm.
const GAP_WANDER: f64 = 1e-5;

/// How close two statements of a period (by sequence numbers, by the source in words) are to agree, as a share.
const AGREE: f64 = 0.03;

/// Refreshes back from the newest that late samples may belong to: as many as a word has bits.
const LATE: f64 = 64.0;

/// The number of the first refresh: so large that every time before it has a number as well, were the period
/// the shortest and the time the longest.
const FIRST_INDEX: u64 = 1 << 48;

/// How much a [`VblankModel`] knows.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Hash)]
pub enum Lock {
    /// No sample since the start or the last reset.
    #[default]
    Unknown,
    /// Samples, but no period that they agree on yet; or none at all, as with a variable refresh rate.
    /// Predictions are the last sample plus whole periods of the best known rate.
    Acquiring,
    /// Phase and period are known from samples.
    Locked,
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unknown => "unknown",
            Self::Acquiring => "acquiring",
            Self::Locked => "locked",
        })
    }
}

/// What a [`VblankModel`] made of a sample.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
pub enum Verdict {
    /// It was used.
    Accepted,
    /// It lies too far from every refresh, or too far back, and was not used.
    Rejected,
    /// A sample of the same refresh was there before; it was not used.
    Duplicate,
    /// It was used, and refreshes are numbered anew from here: an index from before means nothing any more. The
    /// new numbers go on above those of the samples so far. The first sample has this verdict too.
    Restarted,
}

/// A refresh of the display: its number and its time.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, Hash)]
pub struct Vblank {
    /// Counts refreshes, from an arbitrary start.
    pub index: u64,
    /// When it begins (or began), as predicted.
    pub at: Timestamp,
}

/// When a display refreshes: phase and period, learnt from samples of any quality.
///
/// Pure, of fixed size, never panics. `observe` costs tens of nanoseconds when locked and some microseconds while
/// acquiring (a fit over the last samples per candidate period); everything else is a few multiplications. See
/// `docs/vblank-model.md` for how it works and what was measured.
///
/// ```
/// use scanout::pacing::{Lock, Origin, VblankModel, VblankSample};
/// use scanout::time::Timestamp;
///
/// let mut model = VblankModel::new(Some(60.0));
/// for i in 1..=64 {
///     let at = Timestamp::from_nanos(i * 16_683_350); // 59.94 Hz
///     model.observe(VblankSample { at, sequence: None, period: None, origin: Origin::Hardware });
/// }
/// assert_eq!(model.lock(), Lock::Locked);
/// let next = model.after(Timestamp::from_nanos(64 * 16_683_350 + 1_000_000)).unwrap();
/// assert!(next.at.signed_since(Timestamp::from_nanos(65 * 16_683_350)).abs() < 1_000);
/// ```
#[derive(Clone, Debug)]
pub struct VblankModel {
    /// The mode's period, and the source's statement, in nanoseconds, where plausible.
    nominal: Option<f64>,
    stated: Option<f64>,
    /// The period of the last lock since the last reset.
    prior: Option<f64>,
    grid: Option<Grid>,
    /// The grid is tracked sample by sample; otherwise it is fitted to the window.
    tracking: bool,
    /// Accepted samples still to come before the lock counts again, after a gap.
    confirm: u32,
    window: Window,
    /// Bit `i`: refresh `grid.index - i` had its sample.
    seen: u64,
    /// Bit `i`: the sample `i` before the last was rejected.
    history: u32,
    judged: u32,
    reject_run: u32,
    spread: f64,
    bias: f64,
    changes: f64,
    sequence: Sequence,
    /// The greatest index given out, so that numbering after a restart goes on above it.
    top: u64,
    heard: Option<u64>,
    last_accepted: Option<(Timestamp, Origin)>,
}

impl VblankModel {
    /// A model that has seen nothing. `nominal_hz` is the rate that the display's mode states; it is a start, is
    /// given up when the samples contradict it, and is ignored outside 4 to 2000 Hz.
    #[must_use]
    pub fn new(nominal_hz: Option<f64>) -> Self {
        Self {
            nominal: plausible_hz(nominal_hz),
            stated: None,
            prior: None,
            grid: None,
            tracking: false,
            confirm: 0,
            window: Window::default(),
            seen: 0,
            history: 0,
            judged: 0,
            reject_run: 0,
            spread: 0.0,
            bias: 0.0,
            changes: 0.0,
            sequence: Sequence::default(),
            top: FIRST_INDEX,
            heard: None,
            last_accepted: None,
        }
    }

    /// The window moved to another display, or the mode changed: everything learnt is forgotten, even when the
    /// rate is the same, because the phase is another.
    pub fn set_nominal(&mut self, hz: Option<f64>) {
        self.nominal = plausible_hz(hz);
        self.reset();
    }

    /// Forgets all but the nominal rate, for instance when the machine resumed from suspend.
    pub fn reset(&mut self) {
        let top = self.top;
        *self = Self { nominal: self.nominal, top, ..Self::new(None) };
    }

    /// Learns from a sample. Order and repetition do not matter; see [`Verdict`].
    pub fn observe(&mut self, sample: VblankSample) -> Verdict {
        if let Some(stated) = sample.period.map(|p| p.as_secs_f64() * 1e9).filter(|p| PERIODS.contains(p)) {
            self.stated = Some(stated);
        }
        let Some(heard) = self.heard else { return self.start(sample) };
        let t = sample.at.as_nanos();
        let ahead = i128::from(t) - i128::from(heard);
        if ahead > GAP {
            return self.resume(sample);
        }
        if ahead < -GAP {
            // An impossibly late sample, or a clock that was set back: the second if it goes on.
            self.reject_run += 1;
            return if self.reject_run >= REJECT_RUN { self.start(sample) } else { Verdict::Rejected };
        }
        let verdict = if self.tracking { self.track(sample) } else { self.acquire(sample) };
        self.heard = Some(heard.max(t));
        if matches!(verdict, Verdict::Accepted | Verdict::Restarted) {
            self.note_accepted(sample);
        }
        verdict
    }

    /// How much is known.
    #[must_use]
    pub fn lock(&self) -> Lock {
        match self.heard {
            None => Lock::Unknown,
            Some(_) if self.tracking && self.confirm == 0 => Lock::Locked,
            Some(_) => Lock::Acquiring,
        }
    }

    /// The refresh period: measured, else nominal, else as the source states it, else `None`.
    #[must_use]
    pub fn period(&self) -> Option<Duration> {
        self.period_nanos().map(|p| Duration::from_nanos(p.round() as u64))
    }

    /// [`period`](Self::period) in nanoseconds, without rounding.
    #[must_use]
    pub fn period_nanos(&self) -> Option<f64> {
        self.grid.as_ref().map(|g| g.period).or_else(|| self.expected_period())
    }

    /// One standard deviation of the samples about the prediction; outliers count as no more than the gate. Large
    /// (a third of the period and more) where there is no stable period.
    #[must_use]
    pub fn spread(&self) -> Duration {
        Duration::from_nanos(self.spread.round() as u64)
    }

    /// From 0 (a guess) to 1 (sure): `fill * share / (1 + (20 * spread / period)^2)`, where `fill` is the number of
    /// judged samples over 24, at most 1, and `share` is the share of accepted ones among the last 24. Knows nothing
    /// of the time since the last sample: see [`age`](Self::age).
    #[must_use]
    pub fn confidence(&self) -> f64 {
        let Some(grid) = self.grid.as_ref().filter(|_| self.judged > 0) else { return 0.0 };
        let fill = f64::from(self.judged) / f64::from(HISTORY);
        let share = 1.0 - f64::from(self.history.count_ones()) / f64::from(self.judged);
        let relative = 20.0 * self.spread / grid.period;
        fill * share / (1.0 + relative * relative)
    }

    /// Who gave the last accepted sample.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        self.last_accepted.map(|(_, origin)| origin)
    }

    /// The refresh nearest to `t`. `None` before the first sample, and while no period is known.
    #[must_use]
    pub fn nearest(&self, t: Timestamp) -> Option<Vblank> {
        let grid = self.grid.as_ref()?;
        let n = grid.steps(t.as_nanos());
        // The nearest one may lie before the clock's start or after its end; then its neighbour is.
        [n, n + 1.0, n - 1.0].into_iter().find_map(|n| grid.vblank(n))
    }

    /// The first refresh that begins later than `t`. `None` as for [`nearest`](Self::nearest), and at the end of
    /// time.
    #[must_use]
    pub fn after(&self, t: Timestamp) -> Option<Vblank> {
        let grid = self.grid.as_ref()?;
        let n = (grid.offset(t.as_nanos()) / grid.period).floor();
        // Rounding may put the first one on `t` or the last one before behind it.
        (-1..=3).find_map(|i| grid.vblank(n + f64::from(i)).filter(|v| v.at > t))
    }

    /// When refresh `index` begins or began.
    #[must_use]
    pub fn at(&self, index: u64) -> Option<Timestamp> {
        self.grid.as_ref()?.at(index)
    }

    /// The time that the newest accepted sample names.
    #[must_use]
    pub fn last_sample(&self) -> Option<Timestamp> {
        self.last_accepted.map(|(at, _)| at)
    }

    /// Periods from the last accepted sample to `now`, 0 where that is earlier.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<f64> {
        let span = now.saturating_since(self.last_sample()?);
        Some(span.as_secs_f64() * 1e9 / self.period_nanos()?)
    }

    fn expected_period(&self) -> Option<f64> {
        self.prior.or(self.nominal).or(self.stated)
    }

    fn note_accepted(&mut self, sample: VblankSample) {
        if self.last_accepted.is_none_or(|(at, _)| sample.at >= at) {
            self.last_accepted = Some((sample.at, sample.origin));
        }
    }

    fn note_judged(&mut self, rejected: bool) {
        self.history = (self.history << 1 | u32::from(rejected)) & ((1 << HISTORY) - 1);
        self.judged = (self.judged + 1).min(HISTORY);
        self.reject_run = if rejected { self.reject_run + 1 } else { 0 };
    }

    fn forget_judgements(&mut self) {
        (self.history, self.judged, self.reject_run) = (0, 0, 0);
        (self.bias, self.changes) = (0.0, 0.0);
    }

    /// Takes the sample as the first of all.
    fn start(&mut self, sample: VblankSample) -> Verdict {
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
    fn resume(&mut self, sample: VblankSample) -> Verdict {
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
    fn track(&mut self, sample: VblankSample) -> Verdict {
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
    fn acquire(&mut self, sample: VblankSample) -> Verdict {
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
        let Some(fit) = self.choose() else {
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
        if fit.inliers >= LOCK_SAMPLES
            && fit.spread <= LOCK_SPREAD * fit.period
            && fit.is_straight(self.window.len)
        {
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
            // No interval may be a single period: try it as two and as three.
            [1.0, 2.0, 3.0].into_iter().find_map(|parts| {
                let period = shortest / parts;
                Fit::new(samples, period).filter(|f| close(f.period, period, 5.0 * NEAR))
            })
        })
    }
}

/// Phase and period, with how sure they are.
#[derive(Clone, Debug)]
struct Grid {
    /// The refresh that the phase is about: the newest that had a sample.
    index: u64,
    /// Its time is `base + fraction` nanoseconds: split so that a fraction keeps its precision after years.
    base: u64,
    fraction: f64,
    period: f64,
    variance: Variance,
}

impl Grid {
    fn new(index: u64, base: u64, period: f64) -> Self {
        Self { index, base, fraction: 0.0, period, variance: Variance::default() }
    }

    /// From refresh `index` to `t`, in nanoseconds.
    fn offset(&self, t: u64) -> f64 {
        distance(t, self.base) - self.fraction
    }

    /// Refreshes from `index` to the one nearest to `t`.
    fn steps(&self, t: u64) -> f64 {
        (self.offset(t) / self.period).round()
    }

    fn at(&self, index: u64) -> Option<Timestamp> {
        let offset = distance(index, self.index) * self.period + self.fraction;
        // A float beyond the range becomes the nearest end of it, and the sum then fails as it should.
        let at = i128::from(self.base).checked_add(offset.round() as i128)?;
        u64::try_from(at).ok().map(Timestamp::from_nanos)
    }

    fn vblank(&self, n: f64) -> Option<Vblank> {
        let index = u64::try_from(i128::from(self.index).checked_add(n as i128)?).ok()?;
        Some(Vblank { index, at: self.at(index)? })
    }

    /// Kalman filter of two states: a sample `n` refreshes on was `residual` later than predicted.
    fn update(&mut self, n: f64, residual: f64) {
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
struct Variance {
    phase: f64,
    both: f64,
    period: f64,
}

impl Variance {
    /// Of the time of the refresh `n` on.
    fn predicted(&self, n: f64) -> f64 {
        (self.phase + n * (2.0 * self.both + n * self.period)).max(0.0)
    }

    fn advance(&mut self, n: f64) {
        self.phase = self.predicted(n);
        self.both += n * self.period;
        self.period += WALK * WALK * n;
    }

    /// Takes in a sample `n` refreshes from the phase's; gives the gains for phase and period.
    fn measure(&mut self, n: f64) -> (f64, f64) {
        let (with_phase, with_period) = (self.phase + n * self.both, self.both + n * self.period);
        let total = 1.0 + self.predicted(n);
        let gains = (with_phase / total, with_period / total);
        self.phase = (self.phase - gains.0 * with_phase).max(0.0);
        self.both -= gains.0 * with_period;
        self.period = (self.period - gains.1 * with_period).max(0.0);
        gains
    }

    fn open(&mut self) {
        *self = Self { phase: self.phase.max(OPENED.0), both: 0.0, period: self.period.max(OPENED.1) };
    }
}

/// A sample of the window, and the refresh that it was taken for.
#[derive(Copy, Clone, Debug, Default)]
struct Seen {
    at: u64,
    index: u64,
    sequence: Option<u64>,
}

/// The last samples in the order of their times.
#[derive(Clone, Debug, Default)]
struct Window {
    items: [Seen; WINDOW],
    len: usize,
}

impl Window {
    fn as_slice(&self) -> &[Seen] {
        &self.items[..self.len]
    }

    fn as_mut_slice(&mut self) -> &mut [Seen] {
        &mut self.items[..self.len]
    }

    fn clear(&mut self) {
        self.len = 0;
    }

    /// Puts a sample in its place; the oldest leaves a full window.
    fn insert(&mut self, seen: Seen) {
        if self.len == WINDOW {
            self.keep_last(WINDOW - 1);
        }
        let place = self.as_slice().iter().rposition(|s| s.at <= seen.at).map_or(0, |i| i + 1);
        self.items.copy_within(place..self.len, place + 1);
        self.items[place] = seen;
        self.len += 1;
    }

    fn keep_last(&mut self, count: usize) {
        let from = self.len.saturating_sub(count);
        self.items.copy_within(from..self.len, 0);
        self.len -= from;
    }
}

/// Whether the source's sequence numbers count refreshes.
#[derive(Copy, Clone, Debug, Default)]
struct Sequence {
    /// A sequence number and the index of the same refresh, which later ones are compared with.
    anchor: Option<(u64, u64)>,
    agreed: u32,
    missed: u32,
    /// Times in a row that numbers and the stated period spoke together against the model.
    contradicted: u32,
}

impl Sequence {
    fn compare(&mut self, sequence: Option<u64>, index: u64) {
        let Some(q) = sequence else { return };
        let agrees = self.anchor.is_some_and(|(q0, i0)| q.wrapping_sub(q0) == index.wrapping_sub(i0));
        if agrees {
            (self.anchor, self.missed) = (Some((q, index)), 0);
            self.agreed = self.agreed.saturating_add(1);
        } else {
            self.missed += 1;
            if self.missed >= SEQUENCE_MISSES || self.anchor.is_none() {
                *self = Self { anchor: Some((q, index)), contradicted: self.contradicted, ..Self::default() };
            }
        }
    }

    /// The index that belongs to sequence number `q`, where the numbers are trusted.
    fn index(&self, q: u64) -> Option<u64> {
        let (q0, i0) = self.anchor.filter(|_| self.agreed >= SEQUENCE_TRUST)?;
        i0.checked_add(q.checked_sub(q0)?)
    }

    /// Whether numbers and stated period have spoken together for another period than `period` for long enough.
    /// Without this a rate that fell to half of it would pass for one that is sampled every second time.
    fn contradicts(&mut self, stated: Option<f64>, period: f64, new: &Seen, last: Option<&Seen>) -> bool {
        let other = last
            .and_then(|last| {
                let numbers = new.sequence?.checked_sub(last.sequence?).filter(|&n| n > 0)?;
                Some(distance(new.at, last.at) / numbers as f64)
            })
            .is_some_and(|p| stated.is_some_and(|s| close(p, s, AGREE) && !close(s, period, AGREE)));
        self.contradicted = if other { self.contradicted + 1 } else { 0 };
        self.contradicted >= REJECT_RUN
    }
}

/// A straight line through the samples of a window: which refresh each belongs to, phase, period.
struct Fit {
    /// Refreshes from the newest sample's to each sample's: 0 or less.
    steps: [f64; WINDOW],
    residuals: [f64; WINDOW],
    limit: f64,
    inliers: usize,
    /// The newest sample's refresh is at `base + phase` nanoseconds.
    base: u64,
    phase: f64,
    period: f64,
    spread: f64,
    variance: Variance,
}

impl Fit {
    /// Fits samples (in the order of time) to refreshes of about `period`. `None` when they do not lie on any.
    fn new(samples: &[Seen], period: f64) -> Option<Self> {
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
    fn measure(&mut self, times: &[f64]) {
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
    fn fits(&self, i: usize) -> bool {
        self.residuals[i].abs() <= self.limit
    }

    /// Whether the inliers scatter about the line, and do not bend away from it.
    fn is_straight(&self, count: usize) -> bool {
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
    fn solve(&mut self, times: &[f64]) -> Option<()> {
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
    fn offset(&self, samples: &[Seen]) -> Option<u64> {
        let mut indices = (0..samples.len())
            .filter(|&i| self.fits(i))
            .map(|i| i128::from(samples[i].index) - self.steps[i] as i128);
        let first = indices.next()?;
        indices.all(|i| i == first).then(|| u64::try_from(first).ok())?
    }
}

/// The period that the sequence numbers make of the samples, where most of them speak for one.
fn sequence_period(samples: &[Seen]) -> Option<f64> {
    let mut slopes = [0.0; WINDOW];
    let mut count = 0;
    for pair in samples.windows(2) {
        let numbers = pair[1].sequence?.wrapping_sub(pair[0].sequence?);
        if (1..1000).contains(&numbers) {
            slopes[count] = distance(pair[1].at, pair[0].at) / numbers as f64;
            count += 1;
        }
    }
    let slopes = &mut slopes[..count];
    slopes.sort_unstable_by(f64::total_cmp);
    let median = *slopes.get(count / 2)?;
    let agreeing = slopes.iter().filter(|&&s| close(s, median, 0.2)).count();
    (agreeing * 5 >= (samples.len() - 1) * 4).then_some(median)
}

/// The median of the shorter intervals between samples: the period, or a few of them, whatever is missing.
fn typical_short_interval(samples: &[Seen]) -> Option<f64> {
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

fn close(a: f64, b: f64, share: f64) -> bool {
    (a - b).abs() <= share * b
}

fn plausible_hz(hz: Option<f64>) -> Option<f64> {
    hz.map(|hz| 1e9 / hz).filter(|p| PERIODS.contains(p))
}

/// `a - b`.
fn distance(a: u64, b: u64) -> f64 {
    if a >= b { (a - b) as f64 } else { -((b - a) as f64) }
}

/// `from + n` for a whole `n`, held within the range.
fn moved(from: u64, n: f64) -> u64 {
    if n >= 0.0 { from.saturating_add(n as u64) } else { from.saturating_sub(-n as u64) }
}
