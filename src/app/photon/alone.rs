//! What changes by itself, while nothing is pressed.

use std::time::Duration;

use scanout::observe::Area;
use scanout::time::{Clock as _, MonotonicClock};

use super::click::RESTLESS;
use super::survey::Restless;
use super::trouble::Outcome;
use super::watcher::{Watcher, rest};

/// Changes at places where none were known, while nothing is pressed, may be as frequent as makes this many of them fall
/// into the wait for an answer. One alone is no rhythm.
const BY_CHANCE: f64 = 0.1;
const LEAST_NEWS: u32 = 2;
/// The same for the first change after a press, where it lies beside pixels that change by themselves.
const PROMPT: f64 = 0.1;
/// While nothing is pressed, pictures are taken so often.
const PICTURE_EVERY: Duration = Duration::from_millis(100);

/// What was seen while nothing was pressed.
pub struct Alone {
    pub restless: Restless,
    /// Pictures with changes where none were known.
    news: u32,
    /// Pictures with changes at all.
    changes: u32,
    /// In so long.
    watched: Duration,
}

impl Alone {
    /// Takes pictures for `span`; the newest is `before` afterwards.
    pub fn watch(
        &mut self,
        watcher: &mut Watcher<'_>,
        before: &mut Vec<u32>,
        span: Duration,
        area: Area,
    ) -> Outcome<()> {
        let (mut now, end) = (Vec::new(), MonotonicClock.now() + span);
        loop {
            let left = end.saturating_since(MonotonicClock.now());
            rest(left.min(PICTURE_EVERY))?;
            self.picture(watcher, before, &mut now, area)?;
            if left.is_zero() {
                self.watched += span;
                return Ok(());
            }
        }
    }

    fn picture(
        &mut self,
        watcher: &mut Watcher<'_>,
        before: &mut Vec<u32>,
        now: &mut Vec<u32>,
        area: Area,
    ) -> Outcome<()> {
        watcher.picture(area, now)?;
        self.changes += u32::from(before != now);
        self.news += u32::from(self.restless.note(before, now));
        std::mem::swap(before, now);
        Ok(())
    }

    /// Whether something that changes by itself comes so often that a wait of this length would have met it as well.
    pub fn explains(&self, wait: Duration) -> bool {
        // What stays at its place is left out, unless it cannot be told from what lies beside it.
        let seen = if self.restless.is_lifted() { self.changes } else { self.news };
        seen >= LEAST_NEWS && self.met_within(seen, wait) > BY_CHANCE
    }

    /// Whether a change so soon after the press can hardly have come by itself.
    pub fn is_prompt(&self, wait: Duration) -> bool {
        self.met_within(self.changes, wait) < PROMPT
    }

    /// How many of so many changes fall into a wait of this length, on average.
    fn met_within(&self, changes: u32, wait: Duration) -> f64 {
        f64::from(changes) * wait.as_secs_f64() / self.watched.as_secs_f64().max(f64::EPSILON)
    }
}

/// Watches while nothing is pressed: how often each point changed, and where anything did.
pub fn still(watcher: &mut Watcher<'_>, area: Area) -> Outcome<(Vec<u32>, Alone)> {
    let mut alone = Alone { restless: Restless::none(area), news: 0, changes: 0, watched: RESTLESS };
    let (mut before, mut now) = (Vec::new(), Vec::new());
    let mut counts = vec![0; watcher.points.len()];
    watcher.picture(area, &mut before)?;
    let end = MonotonicClock.now() + RESTLESS;
    while MonotonicClock.now() < end {
        for (all, some) in counts.iter_mut().zip(watcher.count_changes(PICTURE_EVERY)?) {
            *all += some;
        }
        alone.picture(watcher, &mut before, &mut now, area)?;
    }
    Ok((counts, alone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_take_as_long_as_the_picture_rests_are_none() {
        let area = Area { x: 0, y: 0, width: 8, height: 8 };
        let alone = |news, seconds| Alone {
            restless: Restless::none(area),
            news,
            changes: news,
            watched: Duration::from_secs(seconds),
        };
        let ms = Duration::from_millis;
        assert!(
            alone(4, 4).explains(ms(500)),
            "something moves every second, and the answers came after half of one"
        );
        assert!(!alone(4, 4).explains(ms(30)), "hardly by chance");
        assert!(!alone(1, 1).explains(ms(500)), "one change is no rhythm");
    }
}
