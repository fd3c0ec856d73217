//! What a series of visible changes says about ticks of one period, without what the machine did to it. No clock in here.

use std::time::{Duration, Instant};

use super::figures::{deviation, deviation_without_widest, median, percentile, sorted};

/// Somebody who had to run did not: from the last moment in which it ran to the first in which it did again.
pub type Stop = (Instant, Instant);

/// Times in which the machine stood, in order, none touching another.
#[derive(Clone, Debug, Default)]
pub struct Stops(Vec<Stop>);

impl Stops {
    /// From those of several witnesses, in any order; what overlaps is one stop.
    pub fn of(each: impl IntoIterator<Item = Stop>) -> Self {
        let mut all: Vec<Stop> = each.into_iter().collect();
        all.sort();
        let mut merged: Vec<Stop> = Vec::with_capacity(all.len());
        for (from, to) in all {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        Self(merged)
    }

    /// Whether it stood at any time between two moments.
    pub fn between(&self, from: Instant, to: Instant) -> bool {
        let next = self.0.partition_point(|stop| stop.1 <= from);
        self.0.get(next).is_some_and(|stop| stop.0 < to)
    }

    pub fn lengths(&self) -> impl Iterator<Item = Duration> {
        self.0.iter().map(|(from, to)| *to - *from)
    }
}

/// A change belongs to its tick if it comes no more than this before the earliest of them in phase.
const EARLY: f64 = 0.3e-3;

/// The intervals between changes, of one turn or of several.
#[derive(Clone, Debug, Default)]
pub struct Ticks {
    /// Those that count, and the period that they should have, in seconds.
    apart: Vec<f64>,
    period: f64,
    /// Periods without a change.
    pub missed: usize,
    /// Periods in all.
    pub of: usize,
    /// Intervals that are left out of all of these because the machine stood, by the word of witnesses or of the observer.
    /// `None` without witnesses.
    pub machine: Option<usize>,
    /// Of the intervals that are left out, those in which the observer was stopped.
    pub unobserved: usize,
}

/// What is said of intervals, in microseconds; NaN where there are none.
#[derive(Copy, Clone, Debug)]
pub struct Regularity {
    /// Standard deviation.
    pub sd: f64,
    /// Standard deviation without the widest 1 % of them: those that are furthest off the period.
    pub sd_trimmed: f64,
    /// The median of what one is off the period by.
    pub middle: f64,
    /// What the one furthest from the period is off by.
    pub worst: f64,
}

impl Ticks {
    /// Of changes at `at`, without the intervals in which the observer (`unobserved`) or the machine (`machine`, where there
    /// are witnesses) was stopped.
    pub fn of(at: &[Instant], unobserved: &[Stop], machine: Option<&Stops>, period: Duration) -> Self {
        let mut ticks = Self { period: period.as_secs_f64(), machine: machine.map(|_| 0), ..Self::default() };
        let Some(&first) = at.first() else { return ticks };
        let period_s = ticks.period;
        let t: Vec<f64> = at.iter().map(|at| (*at - first).as_secs_f64()).collect();
        let residuals = sorted(t.iter().map(|t| t - (t / period_s).round() * period_s));
        let base = percentile(&residuals, 0.05) - EARLY;
        let slot = |t: f64| ((t - base) / period_s).floor() as i64;
        for i in 1..at.len() {
            let (from, to) = (at[i - 1], at[i]);
            // What is seen at the end of a stop has happened at any time in it: the interval from there is not known either.
            let blind = unobserved.iter().any(|stop| stop.0 < to && from <= stop.1);
            // The first change after a stop may be late by it, and then the interval that begins with it is too short. So
            // whatever stood since the change before counts as well.
            let since = if i > 1 { at[i - 2] } else { from.checked_sub(period).unwrap_or(from) };
            let stood = machine.is_some_and(|stops| stops.between(since, to));
            ticks.unobserved += usize::from(blind);
            if let Some(n) = &mut ticks.machine {
                *n += usize::from(blind || stood);
            }
            if blind || stood {
                continue;
            }
            ticks.apart.push(t[i] - t[i - 1]);
            let periods = usize::try_from(slot(t[i]) - slot(t[i - 1])).unwrap_or(0);
            ticks.of += periods;
            ticks.missed += periods.saturating_sub(1);
        }
        ticks
    }

    /// All intervals of several turns.
    pub fn together<'a>(turns: impl Iterator<Item = &'a Self>) -> Self {
        turns.cloned().reduce(Self::and).unwrap_or_default()
    }

    fn and(mut self, other: Self) -> Self {
        self.apart.extend(other.apart);
        self.missed += other.missed;
        self.of += other.of;
        self.machine = self.machine.zip(other.machine).map(|(a, b)| a + b);
        self.unobserved += other.unobserved;
        self
    }

    pub fn regularity(&self) -> Regularity {
        let off = sorted(self.apart.iter().map(|d| (d - self.period).abs() * 1e6));
        Regularity {
            sd: deviation(&self.apart) * 1e6,
            sd_trimmed: deviation_without_widest(&self.apart, self.period) * 1e6,
            middle: median(off.iter().copied()),
            worst: off.last().copied().unwrap_or(f64::NAN),
        }
    }
}
