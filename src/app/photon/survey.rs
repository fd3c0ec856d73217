//! Where a picture changes, by itself and otherwise.

use scanout::observe::Area;

/// A place on the screen.
pub type Point = (u32, u32);

/// Side of the squares in which it is kept where a picture changes by itself, in pixels: about a letter, so that the next
/// digit of a clock lies in a square that is known to move, or in one beside it.
const CELL: u32 = 8;

/// Where a picture changes by itself: a caret that blinks, a clock.
#[derive(Clone, Debug)]
pub struct Restless {
    area: Area,
    across: usize,
    down: usize,
    /// Squares in which something has changed, and those around them.
    cells: Vec<bool>,
    /// The very pixels.
    pixels: Vec<bool>,
    /// Whether only these are left out, and not what lies beside them.
    lifted: bool,
}

impl Restless {
    pub fn none(area: Area) -> Self {
        let [across, down] = [area.width, area.height].map(|length| length.div_ceil(CELL) as usize);
        let pixels = vec![false; (area.width * area.height) as usize];
        Self { area, across, down, cells: vec![false; across * down], pixels, lifted: false }
    }

    /// Between these two pictures nothing was pressed. Whether they differ where nothing was known to move.
    pub fn note(&mut self, before: &[u32], now: &[u32]) -> bool {
        let mut moved = vec![false; self.cells.len()];
        for i in differing(before, now) {
            moved[self.cell(i)] = true;
            self.pixels[i] = true;
        }
        let fresh = moved.iter().zip(&self.cells).any(|(moved, known)| *moved && !known);
        for (cell, _) in moved.iter().enumerate().filter(|(_, moved)| **moved) {
            let (x, y) = (cell % self.across, cell / self.across);
            for y in y.saturating_sub(1)..(y + 2).min(self.down) {
                for x in x.saturating_sub(1)..(x + 2).min(self.across) {
                    self.cells[y * self.across + x] = true;
                }
            }
        }
        fresh
    }

    fn cell(&self, pixel: usize) -> usize {
        let width = self.area.width as usize;
        let (x, y) = (pixel % width, pixel / width);
        y / CELL as usize * self.across + x / CELL as usize
    }

    /// Whether there is no place at rest.
    pub fn is_everywhere(&self) -> bool {
        self.cells.iter().all(|moves| *moves)
    }

    pub fn is_at(&self, (x, y): Point) -> bool {
        self.moves(((y - self.area.y) * self.area.width + (x - self.area.x)) as usize)
    }

    /// Whether the pixel of this number may change by itself.
    pub fn moves(&self, pixel: usize) -> bool {
        if self.lifted { self.pixels[pixel] } else { self.cells[self.cell(pixel)] }
    }

    /// Pixels that differ, by their number in the picture, but for those that may have done so by themselves.
    pub fn changed(&self, before: &[u32], now: &[u32]) -> Vec<usize> {
        differing(before, now).filter(|&i| !self.moves(i)).collect()
    }

    /// The same with those that only lie beside one that has.
    pub fn changed_beside(&self, before: &[u32], now: &[u32]) -> Vec<usize> {
        differing(before, now).filter(|&i| !self.pixels[i]).collect()
    }

    /// From now on what lies beside a pixel that changes by itself is believed not to: a letter is written where a caret
    /// blinks.
    pub fn lift(&mut self) {
        self.lifted = true;
    }

    pub const fn is_lifted(&self) -> bool {
        self.lifted
    }
}

fn differing<'a>(before: &'a [u32], now: &'a [u32]) -> impl Iterator<Item = usize> + 'a {
    before.iter().zip(now).enumerate().filter(|(_, (before, now))| before != now).map(|(i, _)| i)
}

/// The place on the screen of a pixel of a picture.
pub fn place(area: Area, pixel: usize) -> Point {
    // A screen has fewer pixels than this type has numbers.
    let pixel = pixel as u32;
    (area.x + pixel % area.width, area.y + pixel / area.width)
}

/// Some of these pixels, in ascending order, far apart: in so many rows, so many of each.
pub fn spread(area: Area, pixels: &[usize], (rows, of_each): (usize, usize)) -> Vec<Point> {
    let width = area.width as usize;
    let by_row: Vec<&[usize]> = pixels.chunk_by(|a, b| a / width == b / width).collect();
    let chosen = some(&by_row, rows).flat_map(|row| some(row, of_each));
    chosen.map(|&pixel| place(area, pixel)).collect()
}

/// At most `n` of them, the first and the last included where there are two.
fn some<T>(all: &[T], n: usize) -> impl Iterator<Item = &T> {
    let n = n.min(all.len());
    (0..n).map(move |i| if n == 1 { &all[all.len() / 2] } else { &all[i * (all.len() - 1) / (n - 1)] })
}

/// Pixels that lie as far from these as the middle of `now` does from that of `before`: where a change that wanders comes
/// to be next. Those that would lie outside are left out.
pub fn onward(area: Area, before: &[usize], now: &[usize]) -> Vec<usize> {
    let width = i64::from(area.width);
    let middle = |pixels: &[usize]| {
        let n = pixels.len().max(1) as i64;
        let sum = pixels.iter().fold((0, 0), |(x, y), &i| (x + i as i64 % width, y + i as i64 / width));
        (sum.0 / n, sum.1 / n)
    };
    if before.is_empty() || now.is_empty() {
        return Vec::new();
    }
    let (from, to) = (middle(before), middle(now));
    let step = (to.0 - from.0, to.1 - from.1);
    let moved = now.iter().filter_map(|&i| {
        let (x, y) = (i as i64 % width + step.0, i as i64 / width + step.1);
        let inside = (0..width).contains(&x) && (0..i64::from(area.height)).contains(&y);
        inside.then_some((y * width + x) as usize)
    });
    moved.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Area = Area { x: 100, y: 200, width: 64, height: 32 };

    fn picture(set: &[(u32, u32)]) -> Vec<u32> {
        let mut pixels = vec![0; 64 * 32];
        for &(x, y) in set {
            pixels[(y * 64 + x) as usize] = 1;
        }
        pixels
    }

    #[test]
    fn what_moves_by_itself_takes_its_neighbours_with_it_and_nothing_further_away() {
        let mut restless = Restless::none(AREA);
        assert!(restless.note(&picture(&[]), &picture(&[(20, 20)])), "news");
        assert!(!restless.note(&picture(&[]), &picture(&[(25, 25)])) && !restless.note(&[], &[]), "no news");
        // The squares of 8 from 8 to 32 across, and from 8 to 32 down.
        let changed =
            restless.changed(&picture(&[]), &picture(&[(8, 8), (31, 31), (20, 7), (7, 20), (40, 20)]));
        assert_eq!(changed, [7 * 64 + 20, 20 * 64 + 7, 20 * 64 + 40]);
        assert!(restless.is_at((120, 220)) && !restless.is_at((100, 200)) && !restless.is_everywhere());
        restless.lift();
        let beside = restless.changed(&picture(&[]), &picture(&[(19, 20), (20, 20)]));
        assert_eq!(beside, [20 * 64 + 19], "the very pixels stay out");
        restless.note(&picture(&[]), &vec![1; 64 * 32]);
        assert!(restless.is_everywhere());
    }

    #[test]
    fn points_are_spread_over_rows_and_along_them() {
        let pixels: Vec<usize> = (4..8).flat_map(|y| (10..20).map(move |x| y * 64 + x)).collect();
        let at = |x: u32, y: u32| (100 + x, 200 + y);
        assert_eq!(spread(AREA, &pixels, (2, 2)), [at(10, 4), at(19, 4), at(10, 7), at(19, 7)]);
        assert_eq!(spread(AREA, &[5], (3, 8)), [at(5, 0)], "none twice");
        assert!(spread(AREA, &[], (3, 8)).is_empty());
    }

    #[test]
    fn change_that_wanders_is_expected_one_step_further() {
        let row = |x: std::ops::Range<usize>, y: usize| x.map(|x| y * 64 + x).collect::<Vec<_>>();
        assert_eq!(onward(AREA, &row(0..8, 3), &row(8..16, 3)), row(16..24, 3));
        assert_eq!(onward(AREA, &row(0..8, 3), &row(0..8, 13)), row(0..8, 23));
        assert!(onward(AREA, &row(40..48, 3), &row(56..64, 3)).is_empty(), "beyond the edge");
        assert!(onward(AREA, &[], &row(0..8, 3)).is_empty());
    }
}
