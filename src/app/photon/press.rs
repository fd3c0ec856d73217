//! One press, and what changes after it.

use std::time::Duration;

use scanout::observe::{Injector, Key};
use scanout::time::{Clock as _, MonotonicClock, Timestamp};

use super::figures::median;
use super::trouble::{Outcome, Trouble};
use super::watcher::Watcher;

/// A press that shows nothing for so long is lost.
pub const LIMIT: Duration = Duration::from_secs(1);
/// So long before a key that is held comes for the second time: what changes then is no answer to the press.
const BEFORE_REPEAT: Duration = Duration::from_millis(10);
/// Slow programs take longer for an answer than keys that come again sooner would leave them.
const LEAST_REPEAT: Duration = Duration::from_millis(200);
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

    /// How long an answer is waited for; refused where that would be too short for a program that answers well.
    pub fn limit(self, input: &dyn Injector) -> Outcome<Duration> {
        let repeats = match self {
            Self::Key(key) => input.repeats_after(key),
            Self::Button => None,
        };
        let Some(after) = repeats else { return Ok(LIMIT) };
        if after < LEAST_REPEAT {
            return Err(Trouble::Bad(format!(
                "keys that are held come again after {} ms on this server, too soon to wait for an answer: use --button, or \
                 make that longer (`xset r rate 500`)",
                after.as_millis()
            )));
        }
        Ok((after - BEFORE_REPEAT).min(LIMIT))
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

#[cfg(test)]
mod tests {
    use scanout::observe;

    use super::*;

    struct Repeats(Option<u64>);

    impl Injector for Repeats {
        fn name(&self) -> &'static str {
            "nobody"
        }

        fn key(&mut self, _: Key, _: bool) -> observe::Result<()> {
            Ok(())
        }

        fn button(&mut self, _: bool) -> observe::Result<()> {
            Ok(())
        }

        fn point(&mut self, _: u32, _: u32) -> observe::Result<()> {
            Ok(())
        }

        fn repeats_after(&self, _: Key) -> Option<Duration> {
            self.0.map(Duration::from_millis)
        }

        fn sync(&mut self) -> observe::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn keys_that_come_again_too_soon_are_refused() {
        let limit = |press: Press, after| press.limit(&Repeats(after)).map(|limit| limit.as_millis());
        let key = Press::Key(Key::Space);
        for (after, wait) in [(None, 1_000), (Some(200), 190), (Some(660), 650), (Some(5_000), 1_000)] {
            assert_eq!(limit(key, after).unwrap(), wait);
        }
        for after in [0, 10, 20, 199] {
            let Err(Trouble::Bad(why)) = limit(key, Some(after)) else { panic!("{after} ms are enough") };
            assert!(why.contains(&format!("after {after} ms")) && why.contains("--button"), "{why}");
        }
        assert_eq!(limit(Press::Button, Some(20)).unwrap(), 1_000);
    }
}
