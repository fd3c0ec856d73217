//! From a press to the first and to the last sample point that it changes.

use std::time::Duration;

use scanout::observe::{Area, Injector, Key};
use scanout::sim::Noise;
use scanout::time::{Clock as _, MonotonicClock, Timestamp};

use super::figures::{Figures, median};
use super::trouble::{Outcome, Trouble};
use super::watcher::{Gaps, Watcher, rest};

/// Presses before the counted ones: caches, shader variants, first-time allocations; and to learn which points change.
const WARM_UP: u32 = 10;
/// A press that shows nothing for so long is lost.
const LIMIT: Duration = Duration::from_secs(1);
/// Presses that show nothing before the program is said not to answer.
const DEAF: u32 = 3;
/// How long it is watched which points change by themselves.
const RESTLESS: Duration = Duration::from_millis(1_200);
/// The picture counts as being at rest when nothing has changed for so many times the median answer, within these bounds:
/// a program may answer the letting go as well, as late as it answered the press.
const QUIET_ANSWERS: f64 = 3.0;
const QUIET: (Duration, Duration) = (Duration::from_millis(8), Duration::from_millis(250));
/// Presses come at random phases of whatever rhythm the program and its server have: the widest is a refresh at 24 Hz.
const PHASES: Duration = Duration::from_micros(41_667);

/// What is pressed.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Press {
    Key(Key),
    Button,
}

impl Press {
    pub fn name(self) -> String {
        match self {
            Self::Key(key) => format!("the key {}", key.name()),
            Self::Button => "the left button".into(),
        }
    }

    fn inject(self, input: &mut dyn Injector, down: bool) -> Outcome<()> {
        match self {
            Self::Key(key) => input.key(key, down)?,
            Self::Button => input.button(down)?,
        }
        Ok(())
    }
}

/// What came of the presses.
#[derive(Clone, Debug, Default)]
pub struct Clicks {
    pub first: Figures,
    /// Only of presses after which all points changed that usually do.
    pub all: Figures,
    /// Presses after which nothing changed.
    pub lost: u32,
    /// Presses after which only some points changed.
    pub partial: u32,
    /// First changes that were seen after a look that came late.
    pub held_up: u32,
    /// Sample points that change at a press, those that change by themselves, and all.
    pub points: [usize; 3],
}

/// A grid over the window, a little away from its edges: 9 x 9 points where looks are cheap, else 3.
pub fn grid(area: Area, cheap: bool) -> Vec<(u32, u32)> {
    let along = |length: u32, n: u32, i: u32| {
        let inset = (length / 50).min(4);
        inset + (length - 1 - 2 * inset) * i / (n - 1)
    };
    if cheap {
        let row =
            |j| (0..9).map(move |i| (area.x + along(area.width, 9, i), area.y + along(area.height, 9, j)));
        (0..9).flat_map(row).collect()
    } else {
        (0..3).map(|j| (area.centre().0, area.y + along(area.height, 3, j))).collect()
    }
}

/// One press: when it was injected, when the first point changed and when each had changed for the first time.
struct Answer {
    at: Timestamp,
    first: Option<Timestamp>,
    changed: Vec<Option<Timestamp>>,
    held_up: bool,
}

/// Presses `count` times, or until `span` has passed; `check` is asked after each press whether the program is still there.
pub fn measure(
    watcher: &mut Watcher<'_>,
    input: &mut dyn Injector,
    press: Press,
    (count, span): (u32, Option<Duration>),
    check: &mut dyn FnMut() -> Outcome<()>,
) -> Outcome<Clicks> {
    let all_points = watcher.points.len();
    let restless = watcher.count_changes(RESTLESS)?;
    let quiet_ones = watcher.points.iter().zip(&restless).filter(|(_, changes)| **changes == 0);
    let mut points: Vec<_> = quiet_ones.map(|(point, _)| *point).collect();
    let moving = all_points - points.len();
    if points.is_empty() {
        return Err(Trouble::Bad(
            "the picture changes by itself at every sample point, so that an answer cannot be told from it: name a \
             point with --at that rests"
                .into(),
        ));
    }
    watcher.turn_to(points.clone());
    let mut noise = Noise::new(MonotonicClock.now().as_nanos() ^ u64::from(std::process::id()) << 40);
    let warm_up = WARM_UP.min(count);
    // Until it is known which points answer, all that do within the time of rest count.
    let mut answering: Vec<bool> = Vec::new();
    let (mut seen_in_warm_up, mut firsts) = (vec![0_u32; points.len()], Vec::new());
    let mut clicks = Clicks::default();
    let (mut first_ms, mut all_ms) = (Vec::new(), Vec::new());
    let (mut deaf, mut end) = (0, None);
    for n in 0..warm_up + count {
        if n == warm_up {
            answering = seen_in_warm_up.iter().map(|&seen| 2 * seen > warm_up - deaf.min(warm_up)).collect();
            if !answering.contains(&true) {
                answering = seen_in_warm_up.iter().map(|&seen| seen > 0).collect();
            }
            points = watcher.points.clone();
            end = span.map(|span| MonotonicClock.now() + span);
            // What was looked at before does not count.
            watcher.gaps = Gaps::default();
        }
        if end.is_some_and(|end| MonotonicClock.now() >= end) {
            break;
        }
        let quiet = quiet_for(&firsts);
        let answer = rest(PHASES.mul_f64(noise.unit()))
            .and_then(|()| press_once(watcher, input, press, &answering, quiet))
            .and_then(|answer| {
                check()?;
                watcher.until_quiet(quiet, LIMIT)?;
                Ok(answer)
            });
        let answer = match answer {
            // What was measured before stays.
            Err(Trouble::Stopped) if !first_ms.is_empty() => break,
            answer => answer?,
        };
        let ms = |at: Timestamp| at.saturating_since(answer.at).as_secs_f64() * 1e3;
        let Some(first) = answer.first.map(ms) else {
            deaf += 1;
            clicks.lost += u32::from(n >= warm_up);
            if deaf >= DEAF && firsts.is_empty() {
                return Err(Trouble::Bad(format!(
                    "the window does not answer {}: nothing changed at {} sample points within {:.0} s, {DEAF} times (try \
                     --key, --button or --at)",
                    press.name(),
                    points.len(),
                    LIMIT.as_secs_f64()
                )));
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
        let expected = answer.changed.iter().zip(&answering).filter(|(_, expected)| **expected);
        let expected: Option<Vec<f64>> = expected.map(|(at, _)| at.map(ms)).collect();
        match expected.and_then(|all| all.into_iter().max_by(f64::total_cmp)) {
            Some(last) => all_ms.push(last),
            None => clicks.partial += 1,
        }
    }
    clicks.points = [answering.iter().filter(|a| **a).count(), moving, all_points];
    (clicks.first, clicks.all) = (Figures::of(first_ms), Figures::of(all_ms));
    Ok(clicks)
}

fn quiet_for(firsts: &[f64]) -> Duration {
    let middle = median(firsts.iter().copied()).unwrap_or(f64::MAX);
    let quiet = Duration::try_from_secs_f64(middle * QUIET_ANSWERS / 1e3).unwrap_or(Duration::MAX);
    quiet.clamp(QUIET.0, QUIET.1)
}

/// Presses, watches, and lets go. Watches until all points that usually answer have changed, or as long as `quiet` after
/// the last change.
fn press_once(
    watcher: &mut Watcher<'_>,
    input: &mut dyn Injector,
    press: Press,
    answering: &[bool],
    quiet: Duration,
) -> Outcome<Answer> {
    watcher.look()?;
    let before = watcher.pixels.clone();
    let mut answer =
        Answer { at: MonotonicClock.now(), first: None, changed: vec![None; before.len()], held_up: false };
    press.inject(input, true)?;
    let watched = watch_answer(watcher, &before, answering, quiet, &mut answer);
    // Whatever came of it, Ctrl-C too: on a server that is not ours what stays pressed goes on when we are gone.
    let released = press.inject(input, false);
    watched.and(released).map(|()| answer)
}

fn watch_answer(
    watcher: &mut Watcher<'_>,
    before: &[u32],
    answering: &[bool],
    quiet: Duration,
    answer: &mut Answer,
) -> Outcome<()> {
    let mut newest = answer.at;
    loop {
        let now = watcher.next()?;
        for (i, changed) in answer.changed.iter_mut().enumerate() {
            if changed.is_none() && watcher.pixels[i] != before[i] {
                *changed = Some(now);
                newest = now;
            }
        }
        if answer.first.is_none() && newest == now {
            answer.first = Some(now);
            answer.held_up = watcher.held_up;
        }
        let complete = !answering.is_empty()
            && answer.changed.iter().zip(answering).all(|(changed, expected)| !expected || changed.is_some());
        let limit = if answer.first.is_some() { quiet } else { LIMIT };
        if complete || now.saturating_since(newest) > limit {
            return Ok(());
        }
    }
}
