//! Sample points that go with a change that wanders: a letter after each press, the hand of a clock.

use scanout::observe::Area;

use super::survey::{Point, Restless, onward, spread};
use super::trouble::Outcome;
use super::watcher::Watcher;

/// How many points are put on what changes.
#[derive(Copy, Clone, Debug)]
pub struct Shape {
    rows: usize,
    of_each: usize,
}

impl Shape {
    /// Where looks are cheap, many; else few rows: each costs a request of its own.
    pub const fn of(cheap: bool) -> Self {
        if cheap { Self { rows: 8, of_each: 8 } } else { Self { rows: 2, of_each: 8 } }
    }

    pub const fn of_change(self) -> (usize, usize) {
        (self.rows, self.of_each)
    }
}

/// Where the next change is expected: what the last one changed (what came there goes), and one step further.
#[derive(Debug)]
pub struct Follow {
    area: Area,
    shape: Shape,
    restless: Restless,
    /// Points that stay.
    kept: Vec<Point>,
    picture: Vec<u32>,
    spare: Vec<u32>,
    last: Vec<usize>,
    points: Vec<Point>,
}

impl Follow {
    /// From the newest picture, and the pixels of the last two changes.
    pub fn new(
        (area, shape): (Area, Shape),
        restless: Restless,
        kept: Vec<Point>,
        picture: Vec<u32>,
        (former, last): (&[usize], Vec<usize>),
    ) -> Self {
        let (spare, points) = (Vec::new(), Vec::new());
        let mut follow = Self { area, shape, restless, kept, picture, spare, last, points };
        follow.put(former);
        follow
    }

    /// Where to look now.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Has the watcher look where the next change is expected, if there was one since the picture before: whether there
    /// was.
    pub fn renew(&mut self, watcher: &mut Watcher<'_>) -> Outcome<bool> {
        watcher.picture(self.area, &mut self.spare)?;
        let changed = self.restless.changed(&self.picture, &self.spare);
        std::mem::swap(&mut self.picture, &mut self.spare);
        if changed.is_empty() {
            return Ok(false);
        }
        let former = std::mem::replace(&mut self.last, changed);
        self.put(&former);
        watcher.turn_to(self.points.clone());
        Ok(true)
    }

    fn put(&mut self, former: &[usize]) {
        let next = onward(self.area, former, &self.last);
        let mut points = spread(self.area, &self.last, self.shape.of_change());
        points.extend(spread(self.area, &next, self.shape.of_change()));
        points.extend(&self.kept);
        points.sort_unstable_by_key(|&(x, y)| (y, x));
        points.dedup();
        self.points = points;
    }
}
