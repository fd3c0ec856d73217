//! Pictures that change once in a while, or in a small part: found in the whole window, and watched at many points.

use std::time::Duration;

use scanout::observe::Area;
use scanout::time::{Clock as _, MonotonicClock, Timestamp};

use super::animation::{Change, LEAST};
use super::follow::{Follow, Shape};
use super::survey::{Point, Restless, spread};
use super::trouble::{Outcome, Trouble};
use super::watcher::{Watcher, rest};

/// Changes after which the pace is known well enough to measure.
const ENOUGH: usize = 3;
/// Pictures in a row that differ: it changes about as often as they are taken.
const BUSY: u32 = 10;
/// Between two pictures, but no more than this share of the time goes into taking them.
const POLL: Duration = Duration::from_millis(20);
const POLL_SHARE: u32 = 3;
/// What comes within this share of the period after a change, bounded, is a part of it: a digit is drawn after another.
const SETTLE: f64 = 0.05;
const SETTLE_BOUNDS: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(50));

/// How a picture changes.
pub struct Pace {
    /// From one change to the next; `None` when they come so fast that pictures do not tell them apart.
    pub period: Option<Duration>,
    /// Points that change most often.
    pub points: Vec<Point>,
    pub follow: Follow,
}

/// Looks for up to `limit` where in `area` anything changes; the watcher's points are among those that are watched later.
pub fn find(watcher: &mut Watcher<'_>, area: Area, cheap: bool, limit: Duration) -> Outcome<Pace> {
    let nothing_rests = Restless::none(area);
    let mut counts = vec![0_u32; (area.width * area.height) as usize];
    let (mut before, mut now) = (Vec::new(), Vec::new());
    let (mut times, mut former, mut last, mut busy) = (Vec::new(), Vec::new(), Vec::new(), 0);
    watcher.picture(area, &mut before)?;
    let end = MonotonicClock.now() + limit;
    loop {
        let looked = MonotonicClock.now();
        watcher.picture(area, &mut now)?;
        let seen = MonotonicClock.now();
        let changed = nothing_rests.changed(&before, &now);
        for &i in &changed {
            counts[i] += 1;
        }
        if changed.is_empty() {
            busy = 0;
        } else {
            if busy == 0 {
                times.push(seen);
                former = std::mem::replace(&mut last, changed);
            }
            busy += 1;
        }
        std::mem::swap(&mut before, &mut now);
        if times.len() >= ENOUGH && busy == 0 || busy >= BUSY || seen >= end {
            break;
        }
        rest(POLL.max(seen.saturating_since(looked) * POLL_SHARE))?;
    }
    let period = match times[..] {
        [] => return Err(still(limit)),
        [_] if busy < BUSY => return Err(changed_once(limit)),
        [first, .., last] if busy < BUSY => {
            Some(last.saturating_since(first) / u32::try_from(times.len() - 1).unwrap_or(u32::MAX))
        }
        _ => None,
    };
    let of_change = Shape::of(cheap).of_change();
    let pixels = |least: u32| -> Vec<usize> { (0..counts.len()).filter(|&i| counts[i] >= least).collect() };
    let points = spread(area, &pixels(counts.iter().copied().max().unwrap_or(1)), of_change);
    let mut kept = spread(area, &pixels(1), of_change);
    kept.extend(&watcher.points);
    let follow = Follow::new((area, Shape::of(cheap)), nothing_rests, kept, before, (&former, last));
    Ok(Pace { period, points, follow })
}

/// Why there is nothing to measure.
pub fn still(limit: Duration) -> Trouble {
    Trouble::Bad(format!(
        "the picture stands still: nothing changed within {:.0} s (watched for longer with --seconds {:.0})",
        limit.as_secs_f64(),
        longer(limit)
    ))
}

pub fn changed_once(limit: Duration) -> Trouble {
    Trouble::Bad(format!(
        "the picture changed only once within {:.0} s, which is no animation yet: watch it for longer with --seconds {:.0}",
        limit.as_secs_f64(),
        longer(limit)
    ))
}

/// Seconds in which something that changed once in this time does so often enough.
fn longer(limit: Duration) -> f64 {
    (limit.as_secs_f64() * (LEAST + 2) as f64).ceil()
}

/// How long to watch for enough intervals: as long as was asked for, if that is enough.
pub fn span_for(period: Duration, wished: Option<Duration>, usual: Duration) -> Outcome<Duration> {
    let needed = period.mul_f64((LEAST + 2) as f64);
    match wished {
        Some(span) if span < needed => Err(Trouble::Bad(format!(
            "the picture changes every {:.1} s: {:.1} s are too short, give --seconds {:.0} or more",
            period.as_secs_f64(),
            span.as_secs_f64(),
            needed.as_secs_f64().ceil()
        ))),
        Some(span) => Ok(span),
        None => Ok(usual.max(needed)),
    }
}

/// Watches for `span` when any of the watcher's points changes, and moves them on where `follow` says so.
pub fn watch(
    watcher: &mut Watcher<'_>,
    mut follow: Option<Follow>,
    (period, span): (Duration, Duration),
) -> Outcome<Vec<Change>> {
    let settle = period.mul_f64(SETTLE).clamp(SETTLE_BOUNDS.0, SETTLE_BOUNDS.1);
    let mut changes: Vec<Change> = Vec::new();
    let mut looked = watcher.look()?;
    let (mut last, end) = (watcher.pixels.clone(), looked + span);
    let mut once = |watcher: &mut Watcher<'_>, changes: &mut Vec<Change>| -> Outcome<Timestamp> {
        let now = watcher.next()?;
        if watcher.pixels == last {
            looked = now;
            return Ok(now);
        }
        changes.push((now, looked));
        watcher.until_quiet(settle, period / 4)?;
        if let Some(follow) = &mut follow {
            follow.renew(watcher)?;
        }
        looked = watcher.look()?;
        last.clone_from(&watcher.pixels);
        Ok(looked)
    };
    loop {
        match once(watcher, &mut changes) {
            Ok(now) if now < end => {}
            Ok(_) => return Ok(changes),
            // What was measured before stays, if it says something.
            Err(Trouble::Stopped) if changes.len() > LEAST => return Ok(changes),
            Err(trouble) => return Err(trouble),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_to_watch_follows_the_pace_unless_it_was_given() {
        let s = Duration::from_secs;
        assert_eq!(span_for(s(1), None, s(5)).unwrap(), s(5));
        assert_eq!(span_for(s(3), None, s(5)).unwrap(), s(15));
        assert_eq!(span_for(s(1), Some(s(20)), s(5)).unwrap(), s(20));
        let Err(Trouble::Bad(text)) = span_for(s(3), Some(s(10)), s(5)) else { panic!("too short") };
        assert!(text.contains("every 3.0 s") && text.contains("--seconds 15"), "{text}");
    }
}
