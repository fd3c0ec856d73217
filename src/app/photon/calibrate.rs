//! Where to look: some presses show what of the window they change, and watching without any what changes by itself.

use std::time::Duration;

use scanout::observe::{Area, Injector};
use scanout::time::{Clock as _, MonotonicClock};

use super::alone::still;
use super::click::{AtRest, Task};
use super::follow::{Follow, Shape};
use super::misses::{Misses, untold};
use super::outside::Outside;
use super::press::{LIMIT, QUIET};
use super::survey::{Point, place, spread};
use super::trial::try_once;
use super::trouble::{Outcome, Trouble};
use super::watcher::Watcher;

/// Presses with an answer from which it is known what they change.
const TRIALS: u8 = 4;
/// A pixel that changed after so many of them always does. One that a wandering answer leaves and comes to changes twice.
const ALWAYS: u8 = TRIALS - 1;
/// With this share of the grid changing at each of so many presses it sees enough of the answer.
const ENOUGH: f64 = 0.25;
const ENOUGH_TRIALS: u8 = 2;

/// Finds out where to look, beginning with the watcher's points: those, with others where they see too little, and what
/// moves them on where each press changes other pixels.
pub fn aim(
    watcher: &mut Watcher<'_>,
    input: &mut dyn Injector,
    task: Task,
    outside: &mut Option<Outside>,
    check: &mut dyn FnMut() -> Outcome<()>,
) -> Outcome<(AtRest, Option<Follow>)> {
    let Task { press, area, .. } = task;
    let (counts, mut alone) = still(watcher, area)?;
    let restless = &alone.restless;
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
    let (mut answered, mut misses) = (0, Misses::default());
    let (mut before, mut last, mut former) = (Vec::new(), Vec::new(), Vec::new());
    let (mut took, mut quiet, mut waited) = (Duration::ZERO, QUIET.1, Duration::ZERO);
    watcher.picture(area, &mut before)?;
    while answered < TRIALS {
        // As long as the press before was watched: what changes by itself has the same chance to show itself.
        alone.watch(watcher, &mut before, took, area)?;
        check()?;
        let began = MonotonicClock.now();
        let trial = try_once(watcher, input, press, (area, quiet, task.limit), &alone, &mut before)?;
        took = MonotonicClock.now().saturating_since(began).min(LIMIT + QUIET.1);
        if trial.lifts {
            alone.restless.lift();
        }
        let beside = outside.as_mut().map_or(Ok(None), |outside| outside.changed(watcher))?;
        if trial.changed.is_empty() {
            misses.note(trial.moved, beside);
            misses.check(press, task.limit, answered > 0)?;
            continue;
        }
        answered += 1;
        waited += trial.first;
        quiet = (3 * trial.first).clamp(QUIET.1 / 5, QUIET.1);
        for &i in &trial.changed {
            answers[i] += 1;
        }
        former = std::mem::replace(&mut last, trial.changed);
        if answered >= ENOUGH_TRIALS {
            let number = |at: &Point| ((at.1 - area.y) * area.width + at.0 - area.x) as usize;
            let always = grid.iter().filter(|at| answers[number(at)] == answered).count();
            if alone.explains(waited / u32::from(answered)) {
                return Err(untold(press));
            }
            if always > 0 && always as f64 >= ENOUGH * in_grid as f64 {
                return Ok((AtRest { points: grid, in_grid }, None));
            }
        }
    }
    // What was learnt later may speak against what was seen earlier.
    let restless = alone.restless;
    let rests = |i: &usize| !restless.moves(*i);
    let always: Vec<usize> = (0..answers.len()).filter(|&i| answers[i] >= ALWAYS).filter(rests).collect();
    if always.is_empty() {
        // It may go to and fro between a few places.
        let seen: Vec<usize> = (0..answers.len()).filter(|&i| answers[i] > 0).filter(rests).collect();
        let mut grid = grid;
        grid.extend(spread(area, &seen, shape.of_change()));
        let follow = Follow::new((area, shape), restless, grid, before, (&former, last));
        return Ok((AtRest { points: follow.points().to_vec(), in_grid }, Some(follow)));
    }
    let mut points = spread(area, &always, shape.of_change());
    points.retain(|at| !grid.contains(at));
    points.extend(grid);
    Ok((AtRest { points, in_grid }, None))
}

/// A place that the press changes, from the upper left corner of what is looked at, for who has named others in vain.
pub fn elsewhere(watcher: &mut Watcher<'_>, input: &mut dyn Injector, task: Task) -> Outcome<Option<Point>> {
    let area = task.area;
    let (_, alone) = still(watcher, area)?;
    let mut before = Vec::new();
    watcher.picture(area, &mut before)?;
    let trial = try_once(watcher, input, task.press, (area, QUIET.1, task.limit), &alone, &mut before)?;
    let found = trial.changed.get(trial.changed.len() / 2);
    Ok(found.map(|&i| place(Area { x: 0, y: 0, ..area }, i)))
}
