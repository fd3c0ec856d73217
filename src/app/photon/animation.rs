//! Intervals between the changes of a picture: at one point that changes with every frame, or at many that seldom do.

use std::time::Duration;

use serde::Serialize;

use scanout::observe::Area;
use scanout::time::Timestamp;

use super::figures::{Figures, median};
use super::slow;
use super::survey::Point;
use super::trouble::{Outcome, Trouble};
use super::watcher::{Gaps, Watcher};

/// How long it is measured unless told otherwise.
pub const SPAN: Duration = Duration::from_secs(5);
/// How long a point is looked for that changes.
const SEARCH: Duration = Duration::from_secs(1);
/// An interval in which looks were as far apart as this share of the period is not known.
const BLIND: f64 = 0.5;

/// What the intervals say.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Animation {
    /// From one change to the next.
    pub interval_ms: Figures,
    /// What they are held against.
    pub period_ms: f64,
    /// `given`, or `learnt`: the median of the intervals.
    pub period: &'static str,
    /// Refreshes in all.
    pub refreshes: u64,
    /// Refreshes that showed no new picture.
    pub missed: u64,
    /// Pictures that were shown for more than one refresh.
    pub duplicated: u64,
    /// Pictures that were shown for less than half a refresh.
    pub early: u64,
    /// Standard deviation of what an interval is off its number of refreshes, in ms.
    pub jitter_ms: Option<f64>,
    /// Intervals left out of all of these, because the observer did not look in a good part of them.
    pub unobserved: u64,
    /// The point that was watched, on the screen; the first one where there were more.
    pub point: Point,
    /// So many were watched.
    pub points: usize,
}

/// When it changed, and when the look before that was.
pub type Change = (Timestamp, Timestamp);

/// What is to be done.
#[derive(Copy, Clone, Debug)]
pub struct Task {
    /// Where changes are looked for; `None`: at the watcher's points alone.
    pub area: Option<Area>,
    /// Whether looks are so cheap that many points may be looked at.
    pub cheap: bool,
    /// How long, where that was asked for.
    pub span: Option<Duration>,
    pub refresh_hz: Option<f64>,
}

/// Watches the point that changes most often; where none does so more than once in a second, all those at which anything
/// changes.
pub fn measure(
    watcher: &mut Watcher<'_>,
    task: Task,
    check: &mut dyn FnMut() -> Outcome<()>,
) -> Outcome<Animation> {
    let usual = task.span.unwrap_or(SPAN);
    let (changes, span) = match busiest(watcher)? {
        Some(point) => (watch(watcher, point, usual)?, usual),
        None => watch_slowly(watcher, task, usual, check)?,
    };
    check()?;
    let mut animation = judge(&changes, task.refresh_hz).ok_or_else(|| {
        Trouble::Bad(format!(
            "{} changes within {:.1} s are too few: give --seconds {:.0}",
            changes.len(),
            span.as_secs_f64(),
            (span.as_secs_f64() * (LEAST + 2) as f64 / changes.len().max(1) as f64).ceil()
        ))
    })?;
    (animation.point, animation.points) = (watcher.points[0], watcher.points.len());
    Ok(animation)
}

/// The point that changes most often; `None` when that is less than twice in a second.
fn busiest(watcher: &mut Watcher<'_>) -> Outcome<Option<Point>> {
    let counts = watcher.count_changes(SEARCH)?;
    let most = counts.iter().zip(&watcher.points).rev().max_by_key(|(count, _)| **count);
    Ok(most.filter(|(count, _)| **count > 1).map(|(_, &point)| point))
}

/// Watches one point for `span`.
fn watch(watcher: &mut Watcher<'_>, point: Point, span: Duration) -> Outcome<Vec<Change>> {
    watcher.turn_to(vec![point]);
    watcher.gaps = Gaps::default();
    let start = watcher.look()?;
    let mut changes: Vec<Change> = Vec::new();
    let (mut last, mut looked, end) = (watcher.pixels[0], start, start + span);
    loop {
        let now = match watcher.next() {
            Ok(now) => now,
            // What was measured before stays, if it says something.
            Err(Trouble::Stopped) if changes.len() > LEAST => return Ok(changes),
            Err(trouble) => return Err(trouble),
        };
        if watcher.pixels[0] != last {
            last = watcher.pixels[0];
            changes.push((now, looked));
        }
        looked = now;
        if now >= end {
            return Ok(changes);
        }
    }
}

/// What changes seldom, or at none of the points that were looked at.
fn watch_slowly(
    watcher: &mut Watcher<'_>,
    task: Task,
    limit: Duration,
    check: &mut dyn FnMut() -> Outcome<()>,
) -> Outcome<(Vec<Change>, Duration)> {
    check()?;
    let (period, follow) = if let Some(area) = task.area {
        let pace = slow::find(watcher, area, task.cheap, limit)?;
        if pace.period.is_none_or(|period| period < SEARCH) {
            watcher.turn_to(pace.points);
            if let Some(point) = busiest(watcher)? {
                return Ok((watch(watcher, point, limit)?, limit));
            }
        }
        watcher.turn_to(pace.follow.points().to_vec());
        (pace.period.unwrap_or(SEARCH), Some(pace.follow))
    } else {
        // Only these points count, and where the next change comes is known.
        let most = watcher.count_changes(limit)?.into_iter().max().unwrap_or(0);
        match most {
            0 => return Err(slow::still(limit)),
            1 => return Err(slow::changed_once(limit)),
            n => (limit / n, None),
        }
    };
    check()?;
    let span = slow::span_for(period, task.span, SPAN)?;
    watcher.gaps = Gaps::default();
    Ok((slow::watch(watcher, follow, (period, span))?, span))
}

/// Fewest intervals that say something.
pub const LEAST: usize = 3;

fn judge(changes: &[Change], refresh_hz: Option<f64>) -> Option<Animation> {
    let ms = |span: Duration| span.as_secs_f64() * 1e3;
    let all: Vec<f64> = changes.windows(2).map(|c| ms(c[1].0.saturating_since(c[0].0))).collect();
    if all.len() < LEAST {
        return None;
    }
    let period = refresh_hz.map_or_else(|| median(all.iter().copied()), |hz| Some(1e3 / hz))?;
    let mut out = Animation {
        period_ms: period,
        period: if refresh_hz.is_some() { "given" } else { "learnt" },
        ..Animation::default()
    };
    let (mut known, mut off) = (Vec::new(), Vec::new());
    for (interval, pair) in all.iter().zip(changes.windows(2)) {
        let blind = |(at, looked): Change| ms(at.saturating_since(looked)) > BLIND * period;
        if blind(pair[0]) || blind(pair[1]) {
            out.unobserved += 1;
            continue;
        }
        let refreshes = (interval / period).round();
        known.push(*interval);
        off.push(interval - refreshes * period);
        out.refreshes += refreshes as u64;
        out.missed += (refreshes as u64).saturating_sub(1);
        out.duplicated += u64::from(refreshes > 1.0);
        out.early += u64::from(refreshes < 1.0);
    }
    out.interval_ms = Figures::of(known);
    out.jitter_ms = Figures::of(off).deviation();
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes at these milliseconds, each seen by looks `apart` ms apart.
    fn seen(at: &[f64], apart: f64) -> Vec<(Timestamp, Timestamp)> {
        let stamp = |ms: f64| Timestamp::from_nanos((ms * 1e6) as u64 + 1_000_000_000);
        at.iter().map(|&ms| (stamp(ms), stamp(ms - apart))).collect()
    }

    #[test]
    fn missed_duplicated_and_early_pictures_are_told_apart() {
        // At 100 Hz: on time, one refresh missed, two missed, one early with its successor on the grid.
        let times = [0.0, 10.0, 20.0, 40.0, 50.0, 80.0, 83.0, 90.0, 100.0];
        let a = judge(&seen(&times, 0.1), Some(100.0)).unwrap();
        assert_eq!((a.missed, a.duplicated, a.early, a.refreshes), (3, 2, 1, 10));
        assert_eq!((a.period, a.unobserved, a.interval_ms.n), ("given", 0, 8));
        let learnt = judge(&seen(&times, 0.1), None).unwrap();
        assert!((learnt.period_ms - 10.0).abs() < 1e-6 && learnt.period == "learnt");
    }

    #[test]
    fn intervals_that_nobody_watched_are_left_out() {
        let mut changes = seen(&[0.0, 10.0, 20.0, 40.0, 50.0], 0.1);
        changes[3].1 = Timestamp::from_nanos(1_000_000_000 + 30_000_000);
        let a = judge(&changes, Some(100.0)).unwrap();
        assert_eq!((a.unobserved, a.missed, a.interval_ms.n), (2, 0, 2));
        assert!(judge(&changes[..3], None).is_none(), "two intervals are too few");
    }
}
