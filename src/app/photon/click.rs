//! From a press to the first and to the last sample point that it changes.

use std::time::Duration;

use scanout::observe::{Area, Injector};
use scanout::sim::Noise;
use scanout::time::{Clock as _, MonotonicClock, Timestamp};

use super::calibrate;
use super::figures::{Figures, median};
use super::misses::{Misses, seconds};
use super::outside::Outside;
use super::press::{LIMIT, Press, press_once, quiet_for};
use super::survey::Point;
use super::trouble::{Outcome, Trouble};
use super::watcher::{Gaps, Watcher, rest};

/// Presses before the counted ones: caches, shader variants, first-time allocations; and to learn which points change.
const WARM_UP: u32 = 10;
/// Presses that show nothing before the program is said not to answer.
pub const DEAF: u32 = 3;
/// How long it is watched what changes by itself.
pub const RESTLESS: Duration = Duration::from_millis(1_200);
/// Presses come at random phases of whatever rhythm the program and its server have: the widest is a refresh at 24 Hz.
const PHASES: Duration = Duration::from_micros(41_667);

/// What came of the presses.
#[derive(Clone, Debug, Default)]
pub struct Clicks {
    pub first: Figures,
    /// Only of presses after which all points changed that usually do.
    pub all: Figures,
    /// How long an answer was waited for.
    pub limit: Duration,
    /// Presses after which nothing changed.
    pub lost: u32,
    /// Presses after which something changed, at no sample point.
    pub unseen: u32,
    /// Presses after which something changed only outside of the area that was named.
    pub outside: u32,
    /// Presses after which only some points changed.
    pub partial: u32,
    /// First changes that were seen after a look that came late.
    pub held_up: u32,
    /// Sample points that change at a press, those that change by themselves, and all.
    pub points: [usize; 3],
    /// Whether the points were put anew after each press, because the answer wanders.
    pub follows: bool,
}

/// What is to be done.
#[derive(Copy, Clone, Debug)]
pub struct Task {
    pub press: Press,
    pub count: u32,
    pub span: Option<Duration>,
    /// What is looked at, as far as points have to be found in it.
    pub area: Area,
    /// All of the window.
    pub window: Area,
    pub points: Points,
    /// Whether looks are so cheap that many points may be looked at.
    pub cheap: bool,
    /// How long an answer is waited for.
    pub limit: Duration,
}

/// Which points are looked at.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Points {
    /// The watcher's, and others where they see too little of the answer.
    Found,
    /// The watcher's.
    Named,
}

/// Presses, and keeps what it sees; `check` is asked after each press whether the program is still there.
pub fn measure(
    watcher: &mut Watcher<'_>,
    input: &mut dyn Injector,
    task: Task,
    check: &mut dyn FnMut() -> Outcome<()>,
) -> Outcome<Clicks> {
    let Task { press, count, span, limit, .. } = task;
    let in_grid = watcher.points.len();
    let mut outside = match task.points {
        Points::Named => None,
        Points::Found => Outside::of(watcher, task.window, task.area)?,
    };
    let (quiet_ones, mut follow) = match task.points {
        Points::Named => (at_rest(watcher)?, None),
        Points::Found => calibrate::aim(watcher, input, task, &mut outside, check)?,
    };
    let moving = in_grid - quiet_ones.in_grid;
    watcher.turn_to(quiet_ones.points);
    let mut noise = Noise::new(MonotonicClock.now().as_nanos() ^ u64::from(std::process::id()) << 40);
    let warm_up = WARM_UP.min(count);
    // Until it is known which points answer, all that do within the time of rest count.
    let mut answering: Vec<bool> = Vec::new();
    let (mut seen_in_warm_up, mut firsts) = (vec![0_u32; watcher.points.len()], Vec::new());
    let mut clicks = Clicks { follows: follow.is_some(), limit, ..Clicks::default() };
    let (mut first_ms, mut all_ms, mut in_sight) = (Vec::new(), Vec::new(), Vec::new());
    let (mut deaf, mut misses, mut end) = (0, Misses::default(), None);
    for n in 0..warm_up + count {
        if n == warm_up {
            if follow.is_none() {
                answering = usual(&seen_in_warm_up, warm_up - deaf.min(warm_up));
            }
            end = span.map(|span| MonotonicClock.now() + span);
            // What was looked at before does not count.
            watcher.gaps = Gaps::default();
        }
        if end.is_some_and(|end| MonotonicClock.now() >= end) {
            break;
        }
        let quiet = quiet_for(&firsts);
        let answer = rest(PHASES.mul_f64(noise.unit()))
            .and_then(|()| press_once(watcher, input, press, &answering, (limit, quiet)))
            .and_then(|answer| {
                check()?;
                let mut look_beside = |watcher: &mut Watcher<'_>| {
                    outside.as_mut().map_or(Ok(None), |outside| outside.changed(watcher))
                };
                let beside = look_beside(watcher)?;
                // An answer that comes too late must not be taken for that of the next press.
                let late = answer.first.is_none() && beside.is_none();
                watcher.until_quiet(if late { LIMIT } else { quiet }, 2 * LIMIT)?;
                let beside = look_beside(watcher)?.or(beside);
                // The next answer is looked for where this one was.
                let moved = follow.as_mut().map_or(Ok(false), |follow| follow.renew(watcher))?;
                Ok((answer, moved, beside))
            });
        let (answer, moved, beside) = match answer {
            // What was measured before stays.
            Err(Trouble::Stopped) if !first_ms.is_empty() => break,
            answer => answer?,
        };
        let ms = |at: Timestamp| at.saturating_since(answer.at).as_secs_f64() * 1e3;
        let Some(first) = answer.first.map(ms) else {
            deaf += 1;
            misses.note(moved, beside);
            if n >= warm_up {
                if moved {
                    clicks.unseen += 1;
                } else if beside.is_some() {
                    clicks.outside += 1;
                } else {
                    clicks.lost += 1;
                }
            }
            if firsts.is_empty() {
                misses.check_outside(press, true)?;
                if misses.deaf + misses.masked >= DEAF {
                    return Err(deaf_at(watcher, input, task));
                }
            }
            continue;
        };
        firsts.push(first);
        if n < warm_up {
            for (seen, changed) in seen_in_warm_up.iter_mut().zip(&answer.changed) {
                *seen += u32::from(changed.is_some());
            }
            continue;
        }
        first_ms.push(first);
        clicks.held_up += u32::from(answer.held_up);
        let changed = answer.changed.iter().copied().map(|at| at.map(ms));
        let expected: Option<Vec<f64>> = if follow.is_some() {
            in_sight.push(answer.changed.iter().flatten().count() as f64);
            Some(changed.flatten().collect())
        } else {
            changed.zip(&answering).filter(|(_, expected)| **expected).map(|(at, _)| at).collect()
        };
        match expected.and_then(|all| all.into_iter().max_by(f64::total_cmp)) {
            Some(last) => all_ms.push(last),
            None => clicks.partial += 1,
        }
    }
    if first_ms.is_empty() {
        return Err(unanswered(&clicks));
    }
    let usual = median(in_sight.into_iter()).map_or(answering.iter().filter(|a| **a).count(), |n| n as usize);
    clicks.points = [usual, moving, watcher.points.len() + moving];
    (clicks.first, clicks.all) = (Figures::of(first_ms), Figures::of(all_ms));
    Ok(clicks)
}

/// The points of `watcher` at which nothing changes by itself, all of them from its grid.
fn at_rest(watcher: &mut Watcher<'_>) -> Outcome<AtRest> {
    let restless = watcher.count_changes(RESTLESS)?;
    let quiet_ones = watcher.points.iter().zip(&restless).filter(|(_, changes)| **changes == 0);
    let points: Vec<Point> = quiet_ones.map(|(point, _)| *point).collect();
    if points.is_empty() {
        return Err(Trouble::Bad(
            "the picture changes by itself at every sample point, so that an answer cannot be told from it: name a \
             point with --at that rests"
                .into(),
        ));
    }
    Ok(AtRest { in_grid: points.len(), points })
}

/// Points at which nothing changes without a press.
pub struct AtRest {
    pub points: Vec<Point>,
    /// So many of them were looked at from the start.
    pub in_grid: usize,
}

/// The points that changed after more than half of so many presses; those that ever did where there are none.
fn usual(seen: &[u32], presses: u32) -> Vec<bool> {
    let most: Vec<bool> = seen.iter().map(|&seen| 2 * seen > presses).collect();
    if most.contains(&true) { most } else { seen.iter().map(|&seen| seen > 0).collect() }
}

/// Why there are no figures though the program has answered before.
fn unanswered(clicks: &Clicks) -> Trouble {
    let Clicks { lost, unseen, outside, .. } = clicks;
    Trouble::Bad(match lost + unseen + outside {
        0 => "--seconds is too short for a single press".into(),
        all => format!(
            "none of {all} presses had an answer that was seen: lost {lost}, unseen {unseen}, outside of the area {outside}"
        ),
    })
}

/// Why there was no answer: none at all, or one beside the points that were named.
fn deaf_at(watcher: &mut Watcher<'_>, input: &mut dyn Injector, task: Task) -> Trouble {
    let points = watcher.points.len();
    let elsewhere = match calibrate::elsewhere(watcher, input, task) {
        Ok(found) => found,
        Err(trouble) => return trouble,
    };
    let advice = elsewhere.map_or("try --key, --button or --at".into(), |(x, y)| {
        format!("beside them it did, as at --at {x},{y}")
    });
    Trouble::Bad(format!(
        "the window does not answer {}: nothing changed at {points} sample points within {} s, {DEAF} times ({advice})",
        task.press.name(),
        seconds(task.limit)
    ))
}
