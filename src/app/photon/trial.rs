//! A press that is watched by pictures, to learn what it changes.

use std::time::Duration;

use scanout::observe::{Area, Injector};
use scanout::time::{Clock as _, MonotonicClock};

use super::alone::Alone;
use super::press::{LIMIT, Press};
use super::trouble::Outcome;
use super::watcher::{Watcher, rest};

/// While an answer is waited for: so often, but no more than this share of the time.
const POLL: Duration = Duration::from_millis(5);
const POLL_SHARE: u32 = 3;
/// Not yet in this time after a press.
const SOON: Duration = Duration::from_millis(100);

/// What a press did.
#[derive(Default)]
pub struct Trial {
    /// Pixels that were another colour at some time of it, but for those that may have been by themselves.
    pub changed: Vec<usize>,
    /// Whether anything changed at all.
    pub moved: bool,
    /// Whether that came so soon that what lies beside a pixel that moves by itself is a part of the answer.
    pub lifts: bool,
    /// After about so long.
    pub first: Duration,
}

/// Presses, waits for the answer, lets go and waits for rest. `before` is the newest picture before and afterwards.
pub fn try_once(
    watcher: &mut Watcher<'_>,
    input: &mut dyn Injector,
    press: Press,
    (area, quiet, limit): (Area, Duration, Duration),
    alone: &Alone,
    before: &mut Vec<u32>,
) -> Outcome<Trial> {
    let mut settling = Settling::new(alone, before);
    press.inject(input, true)?;
    let pressed = settling.run(watcher, area, (limit, quiet));
    // Whatever came of it: on a server that is not ours what stays pressed goes on when we are gone.
    let released = press.inject(input, false);
    pressed?;
    released?;
    let Settling { last, beside, first, first_beside, .. } = settling;
    let beside: Vec<usize> = (0..beside.len()).filter(|&i| beside[i]).collect();
    let rests = |i: &&usize| !alone.restless.moves(**i);
    let mut changed: Vec<usize> = beside.iter().filter(rests).copied().collect();
    let lifts = changed.is_empty() && first_beside.is_some_and(|wait| alone.is_prompt(wait));
    if lifts {
        changed = beside;
    }
    let mut after = Settling::new(alone, &last);
    after.run(watcher, area, (quiet, quiet))?;
    let moved = *before != last || first_beside.is_some();
    *before = after.last;
    let first = if lifts { first_beside } else { first };
    Ok(Trial { changed, moved, lifts, first: first.unwrap_or(LIMIT) })
}

/// Pictures until nothing changes any more.
struct Settling<'a> {
    alone: &'a Alone,
    before: &'a [u32],
    last: Vec<u32>,
    /// Pixels that differed from `before`, those beside a restless one among them.
    beside: Vec<bool>,
    first: Option<Duration>,
    first_beside: Option<Duration>,
}

impl<'a> Settling<'a> {
    fn new(alone: &'a Alone, before: &'a [u32]) -> Self {
        let (last, beside) = (before.to_vec(), vec![false; before.len()]);
        Self { alone, before, last, beside, first: None, first_beside: None }
    }

    /// Waits so long for the first change, and then so long for one more.
    fn run(
        &mut self,
        watcher: &mut Watcher<'_>,
        area: Area,
        (answer, quiet): (Duration, Duration),
    ) -> Outcome<()> {
        let (began, restless) = (MonotonicClock.now(), &self.alone.restless);
        let (mut newest, mut now) = (began, Vec::new());
        loop {
            let looked = MonotonicClock.now();
            watcher.picture(area, &mut now)?;
            let seen = MonotonicClock.now();
            // A picture takes its time: what it shows was there when it began, or came meanwhile.
            let passed = looked.saturating_since(began);
            if now != self.last {
                if !restless.changed(&self.last, &now).is_empty() {
                    self.first.get_or_insert(passed);
                    newest = seen;
                }
                for i in restless.changed_beside(self.before, &now) {
                    self.beside[i] = true;
                    self.first_beside.get_or_insert(passed);
                }
                std::mem::swap(&mut self.last, &mut now);
            }
            let prompt = self.first_beside.is_some_and(|wait| self.alone.is_prompt(wait));
            let wait = if self.first.is_none() && !prompt { answer } else { quiet };
            if seen.saturating_since(newest) >= wait || passed >= 2 * LIMIT {
                return Ok(());
            }
            // Whether it came soon has to be seen well; later the program may have the machine.
            let busy = passed < SOON && self.first_beside.is_none();
            rest(if busy { POLL } else { POLL.max(seen.saturating_since(looked) * POLL_SHARE) })?;
        }
    }
}
