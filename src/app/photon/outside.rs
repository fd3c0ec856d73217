//! What of the window lies outside of the part that is looked at: what a press changes there is no answer of the part's.

use std::time::Duration;

use scanout::observe::Area;
use scanout::time::{Clock as _, MonotonicClock};

use super::click::RESTLESS;
use super::survey::{Point, Restless, place};
use super::trouble::Outcome;
use super::watcher::{Watcher, rest};

/// While nothing is pressed, pictures are taken so often.
const PICTURE_EVERY: Duration = Duration::from_millis(100);

/// Pictures of the whole window, from one press to the next.
pub struct Outside {
    window: Area,
    part: Area,
    restless: Restless,
    picture: Vec<u32>,
    spare: Vec<u32>,
}

impl Outside {
    /// Watches for a while what changes there by itself, where the part is not all of the window.
    pub fn of(watcher: &mut Watcher<'_>, window: Area, part: Area) -> Outcome<Option<Self>> {
        if window == part {
            return Ok(None);
        }
        let (picture, spare) = (Vec::new(), Vec::new());
        let mut outside = Self { window, part, restless: Restless::none(window), picture, spare };
        watcher.picture(window, &mut outside.picture)?;
        let end = MonotonicClock.now() + RESTLESS;
        while MonotonicClock.now() < end {
            rest(PICTURE_EVERY)?;
            watcher.picture(window, &mut outside.spare)?;
            outside.restless.note(&outside.picture, &outside.spare);
            std::mem::swap(&mut outside.picture, &mut outside.spare);
        }
        Ok(Some(outside))
    }

    /// A place that has changed there since the last call and does not by itself, from the window's upper left corner.
    pub fn changed(&mut self, watcher: &mut Watcher<'_>) -> Outcome<Option<Point>> {
        watcher.picture(self.window, &mut self.spare)?;
        let changed = self.restless.changed(&self.picture, &self.spare);
        std::mem::swap(&mut self.picture, &mut self.spare);
        let mut places = changed.into_iter().map(|i| place(self.window, i));
        Ok(places.find(|at| !lies_in(self.part, *at)).map(|(x, y)| (x - self.window.x, y - self.window.y)))
    }
}

fn lies_in(area: Area, (x, y): Point) -> bool {
    let within = |at: u32, from: u32, length: u32| at >= from && at - from < length;
    within(x, area.x, area.width) && within(y, area.y, area.height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_has_its_first_pixel_and_not_the_one_behind_its_last() {
        let part = Area { x: 10, y: 20, width: 5, height: 5 };
        for (at, inside) in [((10, 20), true), ((14, 24), true), ((15, 20), false), ((10, 25), false)] {
            assert_eq!(lies_in(part, at), inside, "{at:?}");
        }
        assert!(!lies_in(part, (9, 20)) && !lies_in(part, (10, 19)));
    }
}
