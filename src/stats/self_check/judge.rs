//! The criteria. Each looks at the median frame, so that a few bad ones decide nothing, and leaves room for what a busy
//! machine does to a good loop.

use std::time::Duration;

use super::super::quantile;
use super::Declared;
use super::finding::{Check, Finding};
use super::report::SelfReport;
use super::sample::{Sample, Shown};
use crate::pacing::Throttle;

/// Waits below this, in nanoseconds, and below this share of a refresh, are what waking a thread costs.
const LEAST_WAIT: f64 = 1e6;
const WAIT_SHARE: f64 = 0.125;
/// A check needs its stamps of at least this share of the frames.
const ENOUGH: f64 = 0.25;
/// From this many frames on it is a queue: one is drawn to, one is shown.
const QUEUE: u32 = 3;
/// As in the pacer's own test of swap: intervals below this share of a refresh cannot come from a display, and those this
/// close to whole refreshes look as if they did.
const UNTHROTTLED_SHARE: f64 = 0.5;
const REGULAR_SHARE: f64 = 0.06;
/// Swaps at least this share of a refresh apart come no faster than the display.
const SLOW: f64 = 0.9;
/// Share of stale frames that nobody sees.
const STALE_SHARE: f64 = 0.01;
/// Frames that come this much slower than wanted are bound by something, and work that takes this share of the interval by
/// itself.
const SLOWER: f64 = 1.1;
const BOUND_SHARE: f64 = 0.9;
/// An animation step this close to whole refreshes, as a share of one, is one of refreshes with a share of a debt.
const WHOLE_SHARE: f64 = 0.05;
/// A step this close to the time between two starts is that time.
const WALL_SHARE: f64 = 0.02;
/// That share of steps makes a habit; and an error below this share of a refresh is not seen.
const WALL_STEPS: f64 = 0.25;
const ERROR_SHARE: f64 = 0.0625;
/// Frames drawn while the window was told to be hidden that are no accident: one may be on its way.
const HIDDEN: usize = 3;
/// Dropped frames in a row over this long, in nanoseconds, are not a compositor's choice of the newest.
const NOTHING_SHOWN: i64 = 1_000_000_000;

/// A finding, nothing, or what is missing to say.
type Outcome = Result<Option<Finding>, &'static str>;

pub(super) fn judge(samples: &[Sample], declared: &Declared) -> SelfReport {
    let view = View { samples, declared };
    let queue_frames = view.queue_frames();
    let mut report = SelfReport { frames: samples.len(), queue_frames, ..SelfReport::default() };
    for check in Check::ALL {
        let outcome = match check {
            Check::InputBeforeWait => view.input(),
            Check::DriverQueue => view.queue(),
            Check::SwapBlocks => view.swap(),
            Check::SwapThrottle => view.throttle(),
            Check::DisplayTimes => view.display_times(),
            Check::LogicLate => Ok(view.stale()),
            Check::MissBudget => view.misses(),
            Check::GpuBound => view.gpu(),
            Check::CpuBound => view.cpu(),
            Check::AnimationStep => view.animation(),
            Check::HiddenWindow => Ok(view.hidden()),
        };
        match outcome {
            Ok(finding) => report.findings.extend(finding),
            Err(why) => report.unmeasured.push((*check, why)),
        }
    }
    report
}

struct View<'a> {
    samples: &'a [Sample],
    declared: &'a Declared,
}

impl View<'_> {
    /// The values that there are, sorted, where they are enough to speak for all frames.
    fn sorted(&self, value: impl Fn(&Sample) -> Option<i64>) -> Option<Vec<i64>> {
        let mut list: Vec<i64> = self.samples.iter().filter_map(value).collect();
        list.sort_unstable();
        (list.len() as f64 >= ENOUGH * self.samples.len() as f64 && !list.is_empty()).then_some(list)
    }

    fn median(&self, value: impl Fn(&Sample) -> Option<i64>) -> Option<i64> {
        self.sorted(value).map(|list| at(&list, 0.5))
    }

    fn refresh(&self) -> Option<f64> {
        self.declared.refresh.map(|refresh| refresh.as_nanos() as f64).filter(|refresh| *refresh > 0.0)
    }

    /// The longest wait that is none, in nanoseconds.
    fn tolerated(&self) -> f64 {
        self.refresh().map_or(LEAST_WAIT, |refresh| LEAST_WAIT.max(WAIT_SHARE * refresh))
    }

    /// How many swaps in a row came sooner than a display allows, and how many at whole refreshes, as shares.
    fn swap_intervals(&self) -> Option<(f64, f64)> {
        let refresh = self.refresh()?;
        let list = self.sorted(|s| s.interval)?;
        let share = |f: &dyn Fn(f64) -> bool| {
            list.iter().filter(|span| f(**span as f64 / refresh)).count() as f64 / list.len() as f64
        };
        let regular = |periods: f64| {
            let whole = periods.round();
            whole >= 1.0 && (periods - whole).abs() < REGULAR_SHARE * whole
        };
        Some((share(&|periods| periods < UNTHROTTLED_SHARE), share(&regular)))
    }

    /// Whether swap waits for the display: it takes long, and returns in the display's rhythm, or at least no faster where it
    /// was asked to wait (on a busy machine the rhythm is lost).
    fn swap_waits(&self) -> bool {
        let long = self.median(|s| s.swap).is_some_and(|swap| swap as f64 > self.tolerated());
        let asked = self.declared.vsync && self.declared.throttle != Throttle::Timer;
        let slow = || {
            self.median(|s| s.interval)
                .zip(self.refresh())
                .is_some_and(|(i, refresh)| i as f64 > SLOW * refresh)
        };
        let regular = || self.swap_intervals().is_some_and(|(_, regular)| regular > 0.5);
        long && (asked && slow() || regular())
    }

    fn input(&self) -> Outcome {
        let waits = self.swap_waits();
        let wait = self
            .median(|s| s.wait.map(|wait| if waits { wait + s.in_swap } else { wait }))
            .ok_or("no stamps of sampling and submission")?;
        Ok((wait as f64 > self.tolerated()).then(|| Finding::InputBeforeWait { wait: span(wait) }))
    }

    fn queue_frames(&self) -> Option<u32> {
        let displayed = self.median(|s| s.ahead.map(i64::from));
        let drawn = self.median(|s| s.queued.map(i64::from));
        // Fences count where nobody tells display times: they are looked at earlier, and know of fewer frames.
        displayed.or(drawn).map(|ahead| u32::try_from(ahead + 1).unwrap_or(u32::MAX))
    }

    fn queue(&self) -> Outcome {
        let frames = self.queue_frames().ok_or("neither display times nor fences")?;
        let latency = self.median(|s| s.latency).map(span);
        Ok((frames >= QUEUE).then_some(Finding::DriverQueues { frames, latency }))
    }

    fn swap(&self) -> Outcome {
        let time = self.median(|s| s.swap).ok_or("no stamps of swaps")?;
        let long = time as f64 > self.tolerated();
        Ok(long.then(|| Finding::SwapBlocks { time: span(time), waits: self.swap_waits() }))
    }

    fn throttle(&self) -> Outcome {
        if !self.declared.vsync {
            return Ok(None);
        }
        match self.declared.throttle {
            Throttle::Driver => return Ok(None),
            Throttle::Timer => return Ok(Some(Finding::SwapNotThrottled { interval: None })),
            Throttle::Untested => {}
        }
        let (short, _) = self.swap_intervals().ok_or("the refresh rate is not known")?;
        let interval = self.median(|s| s.interval).map(span);
        Ok((short > 0.75).then_some(Finding::SwapNotThrottled { interval }))
    }

    fn display_times(&self) -> Outcome {
        let count = |shown: Shown| self.samples.iter().filter(|s| s.shown == shown).count();
        let (estimated, measured) = (count(Shown::Estimated), count(Shown::Measured));
        let unknown = count(Shown::Unknown);
        if estimated + measured == 0 && unknown > 0 {
            return Err("nobody told display times");
        }
        let share = estimated as f64 / (estimated + measured).max(1) as f64;
        Ok((share > 0.5).then_some(Finding::DisplayTimesEstimated { share }))
    }

    fn stale(&self) -> Option<Finding> {
        let share = self.share(|s| s.stale);
        let fits = self.median(|s| s.logic).zip(self.declared.interval);
        let fits = fits.is_some_and(|(logic, wanted)| logic as f64 <= wanted.as_nanos() as f64);
        (share > STALE_SHARE)
            .then(|| Finding::LogicLate { share, beside: fits && self.share(|s| s.pipelined) <= 0.5 })
    }

    fn misses(&self) -> Outcome {
        let declared = self.declared.miss_budget.ok_or("no budget is declared")?;
        let refresh = self.refresh().ok_or("the refresh rate is not known")?;
        let late = self.sorted(|s| s.late).ok_or("frames aim at no measured display time")?;
        let missed = late.iter().filter(|late| **late as f64 > refresh / 2.0).count() as f64;
        // What is rare comes in clusters by chance: three standard deviations, and one for a miss on its own.
        let allowed = declared * late.len() as f64;
        let share = missed / late.len() as f64;
        Ok((missed > allowed + 3.0 * allowed.sqrt() + 1.0)
            .then_some(Finding::BudgetExceeded { share, declared }))
    }

    /// Of the intervals that are aimed at, in nanoseconds, the longest that frames come more slowly than and that the work fills:
    /// the one that the loop keeps to at present, or the one that it would have. With the refreshes that a frame is shown for.
    fn too_short_for(&self, work: i64) -> Result<Option<(i64, u32)>, &'static str> {
        let Some(wanted) = self.declared.interval else { return Err("no rate is aimed at") };
        let wanted = wanted.as_nanos() as f64;
        let interval = self.median(|s| s.interval).ok_or("no stamps of swaps")? as f64;
        let kept = self.declared.kept_interval.map_or(wanted, |kept| wanted.max(kept.as_nanos() as f64));
        let refreshes = self.refresh().map_or(1, |refresh| (kept / refresh).round().max(1.0) as u32);
        let bound = |aim: &f64| interval > SLOWER * aim && work as f64 > BOUND_SHARE * aim;
        Ok([kept, wanted].into_iter().find(bound).map(|aim| (aim as i64, refreshes)))
    }

    fn gpu(&self) -> Outcome {
        let work = self.median(|s| s.gpu).ok_or("nobody told when the GPU was done")?;
        let bound = self.too_short_for(work)?;
        Ok(bound.map(|(aim, refreshes)| Finding::GpuBound {
            work: span(work),
            interval: span(aim),
            refreshes,
        }))
    }

    fn cpu(&self) -> Outcome {
        let drawing = self.median(|s| s.drawing).ok_or("no stamps of drawing")?;
        let logic = self.median(|s| s.logic).unwrap_or(0);
        let pipelined = self.share(|s| s.pipelined) > 0.5;
        let work = if pipelined { logic.max(drawing) } else { logic + drawing };
        let bound = self.too_short_for(work)?;
        Ok(bound.map(|(aim, refreshes)| {
            let [logic, drawing, interval] = [logic, drawing, aim].map(span);
            Finding::CpuBound { logic, drawing, pipelined, interval, refreshes }
        }))
    }

    fn animation(&self) -> Outcome {
        let refresh = self.refresh().ok_or("the refresh rate is not known")?;
        let wanted = self.declared.interval.map_or(refresh, |interval| interval.as_nanos() as f64);
        let mut errors = self
            .sorted(|s| s.moved.map(|[moved, shown, _]| (moved - shown).saturating_abs()))
            .ok_or("no measured display times")?;
        errors.sort_unstable();
        let off = |span: f64, unit: f64| (span - (span / unit).round() * unit).abs();
        let by_wall = self.share(|s| {
            s.moved.is_some_and(|[moved, _, wall]| {
                let moved_ns = moved as f64;
                off(moved_ns, refresh).min(off(moved_ns, wanted)) > WHOLE_SHARE * refresh
                    && ((moved - wall) as f64).abs() < WALL_SHARE * refresh
            })
        });
        let rms = (errors.iter().map(|e| (*e as f64).powi(2)).sum::<f64>() / errors.len() as f64).sqrt();
        let seen = at(&errors, 0.95) as f64 > ERROR_SHARE * refresh;
        Ok((by_wall > WALL_STEPS && seen)
            .then(|| Finding::WallTimeSteps { rms: span(rms as i64), p99: span(at(&errors, 0.99)) }))
    }

    fn hidden(&self) -> Option<Finding> {
        let told = self.samples.iter().filter(|s| s.hidden).count();
        if told >= HIDDEN {
            return Some(Finding::HiddenStillDrawn { frames: told as u32 });
        }
        // The longest row of dropped frames.
        let rows = self.samples.split(|s| s.shown != Shown::Dropped);
        let lasted = |row: &[Sample]| {
            let (first, last) = (row.first()?.swapped?, row.last()?.swapped?);
            Some(last.signed_since(first))
        };
        let longest =
            rows.filter(|row| lasted(row).is_some_and(|ns| ns > NOTHING_SHOWN)).map(<[_]>::len).max();
        longest.map(|frames| Finding::HiddenStillDrawn { frames: frames as u32 })
    }

    fn share(&self, of: impl Fn(&Sample) -> bool) -> f64 {
        self.samples.iter().filter(|s| of(s)).count() as f64 / self.samples.len().max(1) as f64
    }
}

/// A quantile of a sorted list that is not empty.
fn at(sorted: &[i64], q: f64) -> i64 {
    quantile::of_sorted(sorted, q).unwrap_or(0)
}

fn span(nanos: i64) -> Duration {
    Duration::from_nanos(nanos.max(0).unsigned_abs())
}
