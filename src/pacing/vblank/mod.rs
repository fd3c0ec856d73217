mod fit;
mod grid;
mod learn;
mod sequence;
mod window;

use std::fmt;
use std::time::Duration;

use self::grid::Grid;
use self::sequence::Sequence;
use self::window::Window;
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

/// A fit of fewer samples is not tried: two outliers would decide it.
const FIT_SAMPLES: usize = 6;

/// Spread, as a share of the period, up to which a fit makes a lock. Stamps that are spread evenly over the
/// period, as those of no period at all are, would have 0.29.
const LOCK_SPREAD: f64 = 0.08;

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

/// Samples that [`REJECT_MANY`] and the confidence look back upon.
const HISTORY: u32 = 24;

/// A gap without samples after which the phase is taken to be unknown, in nanoseconds.
const GAP: i128 = 1_000_000_000;

/// How close two statements of a period (by sequence numbers, by the source in words) are to agree, as a share.
const AGREE: f64 = 0.03;

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
