//! Where to look: some presses show what of the window they change, and watching without any what changes by itself.

use std::time::Duration;

use scanout::observe::{Area, Injector};
use scanout::time::{Clock as _, MonotonicClock};

use super::click::{AtRest, DEAF, RESTLESS, Task};
use super::follow::{Follow, Shape};
use super::press::{LIMIT, Press, QUIET};
use super::survey::{Point, Restless, place, spread};
use super::trouble::{Outcome, Trouble};
use super::watcher::{Watcher, rest};

/// Presses with an answer from which it is known what they change.
const TRIALS: u8 = 4;
/// A pixel that changed after so many of them always does. One that a wandering answer leaves and comes to changes twice.
const ALWAYS: u8 = TRIALS - 1;
/// Presses after which only changes what may change by itself, before that is believed. Some have to pass where letters
/// come to lie beside a caret that blinked.
const MASKED: u32 = 5;
/// With this share of the grid changing at each of so many presses it sees enough of the answer.
const ENOUGH: f64 = 0.25;
const ENOUGH_TRIALS: u8 = 2;
/// While nothing is pressed, pictures are taken so often.
const PICTURE_EVERY: Duration = Duration::from_millis(100);
/// While an answer is waited for: so often, but no more than this share of the time.
const POLL: Duration = Duration::from_millis(10);
const POLL_SHARE: u32 = 3;

/// Finds out where to look, beginning with the watcher's points: those, with others where they see too little, and what
/// moves them on where each press changes other pixels.
pub fn aim(
    watcher: &mut Watcher<'_>,
    input: &mut dyn Injector,
    task: Task,
    check: &mut dyn FnMut() -> Outcome<()>,
) -> Outcome<(AtRest, Option<Follow>)> {
    let Task { press, area, .. } = task;
    let (counts, mut restless) = still(watcher, area)?;
    let grid =
        watcher.points.iter().zip(counts).filter(|(at, changes)| *changes == 0 && !restless.is_at(**at));
    let grid: Vec<Point> = grid.map(|(at, _)| *at).collect();
    let in_grid = grid.len();
    if restless.is_everywhere() {
        return Err(Trouble::Bad(
            "the picture changes by itself everywhere, so that an answer cannot be told from it: name a point with \
             --at that rests"
                .into(),
        ));
    }
    let shape = Shape::of(task.cheap);
    let mut answers = vec![0_u8; (area.width * area.height) as usize];
    let (mut answered, mut deaf, mut masked) = (0, 0, 0);
    let (mut before, mut last, mut former) = (Vec::new(), Vec::new(), Vec::new());
    let (mut took, mut quiet) = (Duration::ZERO, QUIET.1);
    watcher.picture(area, &mut before)?;
    while answered < TRIALS {
        // As long as the press before was watched: what changes by itself has the same chance to show itself.
        alone(watcher, &mut restless, &mut before, took, area)?;
        check()?;
        let began = MonotonicClock.now();
        let trial = try_once(watcher, input, press, (area, quiet), &restless, &mut before)?;
        took = MonotonicClock.now().saturating_since(began).min(LIMIT + QUIET.1);
        if trial.changed.is_empty() {
            *(if trial.restless { &mut masked } else { &mut deaf }) += 1;
            if deaf >= DEAF || masked + deaf >= MASKED {
                return Err(no_answer(press, deaf, masked));
            }
            continue;
        }
        answered += 1;
        quiet = (3 * trial.first).clamp(QUIET.1 / 5, QUIET.1);
        for &i in &trial.changed {
            answers[i] += 1;
        }
        former = std::mem::replace(&mut last, trial.changed);
        if answered >= ENOUGH_TRIALS {
            let number = |at: &Point| ((at.1 - area.y) * area.width + at.0 - area.x) as usize;
            let always = grid.iter().filter(|at| answers[number(at)] == answered).count();
            if always > 0 && always as f64 >= ENOUGH * in_grid as f64 {
                return Ok((AtRest { points: grid, in_grid }, None));
            }
        }
    }
    // What was learnt later may speak against what was seen earlier.
    let rests = |i: &usize| !restless.is_at(place(area, *i));
    let always: Vec<usize> = (0..answers.len()).filter(|&i| answers[i] >= ALWAYS).filter(rests).collect();
    if always.is_empty() {
        let follow = Follow::new((area, shape), restless, grid, before, (&former, last));
        return Ok((AtRest { points: follow.points().to_vec(), in_grid }, Some(follow)));
    }
    let mut points = spread(area, &always, shape.of_change());
    points.retain(|at| !grid.contains(at));
    points.extend(grid);
    Ok((AtRest { points, in_grid }, None))
}

fn no_answer(press: Press, deaf: u32, masked: u32) -> Trouble {
    let (name, limit) = (press.name(), LIMIT.as_secs_f64());
    Trouble::Bad(if masked == 0 {
        format!(
            "the window does not answer {name}: nothing in it changed within {limit:.0} s, {deaf} times (try --key, --button \
             or another --window)"
        )
    } else {
        format!(
            "the window does not answer {name} where it can be told: it changes only where it changes by itself as well (try \
             --key, --button, or --at with a point that rests)"
        )
    })
}

/// A place that the press changes, from the upper left corner of what is looked at, for who has named others in vain.
pub fn elsewhere(watcher: &mut Watcher<'_>, input: &mut dyn Injector, task: Task) -> Outcome<Option<Point>> {
    let area = task.area;
    let (_, restless) = still(watcher, area)?;
    let mut before = Vec::new();
    watcher.picture(area, &mut before)?;
    let trial = try_once(watcher, input, task.press, (area, QUIET.1), &restless, &mut before)?;
    let found = trial.changed.get(trial.changed.len() / 2);
    Ok(found.map(|&i| place(Area { x: 0, y: 0, ..area }, i)))
}

/// Watches while nothing is pressed: how often each point changed, and where anything did.
fn still(watcher: &mut Watcher<'_>, area: Area) -> Outcome<(Vec<u32>, Restless)> {
    let mut restless = Restless::none(area);
    let (mut before, mut now) = (Vec::new(), Vec::new());
    let mut counts = vec![0; watcher.points.len()];
    watcher.picture(area, &mut before)?;
    let end = MonotonicClock.now() + RESTLESS;
    while MonotonicClock.now() < end {
        for (all, some) in counts.iter_mut().zip(watcher.count_changes(PICTURE_EVERY)?) {
            *all += some;
        }
        watcher.picture(area, &mut now)?;
        restless.note(&before, &now);
        std::mem::swap(&mut before, &mut now);
    }
    Ok((counts, restless))
}

/// Takes pictures for `span`; the newest is `before` afterwards.
fn alone(
    watcher: &mut Watcher<'_>,
    restless: &mut Restless,
    before: &mut Vec<u32>,
    span: Duration,
    area: Area,
) -> Outcome<()> {
    let mut now = Vec::new();
    let end = MonotonicClock.now() + span;
    loop {
        let left = end.saturating_since(MonotonicClock.now());
        rest(left.min(PICTURE_EVERY))?;
        watcher.picture(area, &mut now)?;
        restless.note(before, &now);
        std::mem::swap(before, &mut now);
        if left.is_zero() {
            return Ok(());
        }
    }
}

/// What a press did.
struct Trial {
    /// Pixels that were another colour at some time of it, but for those that may have been by themselves.
    changed: Vec<usize>,
    /// Whether others were.
    restless: bool,
    /// After about so long.
    first: Duration,
}

/// Presses, waits for the answer, lets go and waits for rest. `before` is the newest picture before and afterwards.
fn try_once(
    watcher: &mut Watcher<'_>,
    input: &mut dyn Injector,
    press: Press,
    (area, quiet): (Area, Duration),
    restless: &Restless,
    before: &mut Vec<u32>,
) -> Outcome<Trial> {
    let mut changed = vec![false; before.len()];
    press.inject(input, true)?;
    let pressed = settle(watcher, (area, quiet), restless, before, Some(&mut changed));
    // Whatever came of it: on a server that is not ours what stays pressed goes on when we are gone.
    let released = press.inject(input, false);
    let (newest, first, moved) = pressed?;
    released?;
    let (after, _, _) = settle(watcher, (area, quiet), restless, &newest, None)?;
    *before = after;
    let changed = (0..changed.len()).filter(|&i| changed[i]).collect();
    Ok(Trial { changed, restless: moved, first: first.unwrap_or(LIMIT) })
}

/// Takes pictures until nothing has changed for `quiet`; where an answer is waited for, in `changed`, for up to a second
/// until it begins. The last picture, when the first change was, and whether anything differed from `before` at all.
fn settle(
    watcher: &mut Watcher<'_>,
    (area, quiet): (Area, Duration),
    restless: &Restless,
    before: &[u32],
    mut changed: Option<&mut Vec<bool>>,
) -> Outcome<(Vec<u32>, Option<Duration>, bool)> {
    let began = MonotonicClock.now();
    let (mut last, mut now) = (before.to_vec(), Vec::new());
    let (mut newest, mut first, mut moved) = (began, None, false);
    loop {
        let looked = MonotonicClock.now();
        watcher.picture(area, &mut now)?;
        let seen = MonotonicClock.now();
        if now != last {
            moved |= now != before;
            if !restless.changed(&last, &now).is_empty() {
                newest = seen;
                first.get_or_insert(seen.saturating_since(began));
            }
            if let Some(changed) = &mut changed {
                restless.changed(before, &now).into_iter().for_each(|i| changed[i] = true);
            }
            std::mem::swap(&mut last, &mut now);
        }
        let wait = if changed.is_some() && first.is_none() { LIMIT } else { quiet };
        if seen.saturating_since(newest) >= wait || seen.saturating_since(began) >= 2 * LIMIT {
            return Ok((last, first, moved));
        }
        rest(POLL.max(seen.saturating_since(looked) * POLL_SHARE))?;
    }
}
