//! One press, and what changes after it.

use std::time::Duration;

use scanout::observe::{Injector, Key};
use scanout::time::{Clock as _, MonotonicClock, Timestamp};

use super::figures::median;
use super::trouble::Outcome;
use super::watcher::Watcher;

/// A press that shows nothing for so long is lost.
pub const LIMIT: Duration = Duration::from_secs(1);
/// So long before a key that is held comes for the second time: what changes then is no answer to the press.
const BEFORE_REPEAT: Duration = Duration::from_millis(10);
/// The picture counts as being at rest when nothing has changed for so many times the median answer, within these bounds:
/// a program may answer the letting go as well, as late as it answered the press.
const QUIET_ANSWERS: f64 = 3.0;
pub const QUIET: (Duration, Duration) = (Duration::from_millis(8), Duration::from_millis(250));

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

    /// How long an answer is waited for.
    pub fn limit(self, input: &dyn Injector) -> Duration {
        let repeats = match self {
            Self::Key(key) => input.repeats_after(key),
            Self::Button => None,
        };
        repeats.map_or(LIMIT, |after| after.saturating_sub(BEFORE_REPEAT).min(LIMIT))
    }

    pub fn inject(self, input: &mut dyn Injector, down: bool) -> Outcome<()> {
        match self {
            Self::Key(key) => input.key(key, down)?,
            Self::Button => input.button(down)?,
        }
        Ok(())
    }
}

/// One press: when it was injected, when the first point changed and when each had changed for the first time.
pub struct Answer {
    pub at: Timestamp,
    pub first: Option<Timestamp>,
    pub changed: Vec<Option<Timestamp>>,
    pub held_up: bool,
}

/// How long nothing may change for the picture to be at rest, by the answers so far, in milliseconds.
pub fn quiet_for(firsts: &[f64]) -> Duration {
    let middle = median(firsts.iter().copied()).unwrap_or(f64::MAX);
    let quiet = Duration::try_from_secs_f64(middle * QUIET_ANSWERS / 1e3).unwrap_or(Duration::MAX);
    quiet.clamp(QUIET.0, QUIET.1)
}

/// Presses, watches, and lets go. Watches until all points that usually answer have changed, or as long as `quiet` after
/// the last change.
pub fn press_once(
    watcher: &mut Watcher<'_>,
    input: &mut dyn Injector,
    press: Press,
    answering: &[bool],
    (limit, quiet): (Duration, Duration),
) -> Outcome<Answer> {
    watcher.look()?;
    let before = watcher.pixels.clone();
    let mut answer =
        Answer { at: MonotonicClock.now(), first: None, changed: vec![None; before.len()], held_up: false };
    press.inject(input, true)?;
    let watched = watch_answer(watcher, &before, answering, (limit, quiet), &mut answer);
    // Whatever came of it, Ctrl-C too: on a server that is not ours what stays pressed goes on when we are gone.
    let released = press.inject(input, false);
    watched.and(released).map(|()| answer)
}

fn watch_answer(
    watcher: &mut Watcher<'_>,
    before: &[u32],
    answering: &[bool],
    (longest, quiet): (Duration, Duration),
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
        let limit = if answer.first.is_some() { quiet } else { longest };
        if complete || now.saturating_since(newest) > limit {
            return Ok(());
        }
    }
}
