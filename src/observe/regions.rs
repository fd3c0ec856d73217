//! Which parts of a screen have to be copied so that some points of it can be read.

/// A part of the screen, in pixels.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) struct Rect {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

/// With so many points in one row, the whole row is copied: one copy of a few kilobytes costs less than as many
/// requests for each frame, and a mark that wanders along the row stays in it.
const MANY: usize = 3;

impl Rect {
    pub fn contains(self, (x, y): (u32, u32)) -> bool {
        (self.x..self.x + self.width).contains(&x) && (self.y..self.y + self.height).contains(&y)
    }

    /// x, y, width, height.
    pub fn whole(self) -> [i32; 4] {
        [self.x, self.y, self.width, self.height].map(u32::cast_signed)
    }

    /// Where the point lies in a copy of this, which may have more pixels than this; `None` when it does not.
    pub fn inside(self, at: (u32, u32), copy: (u32, u32)) -> Option<(u32, u32)> {
        let (x, y) = (at.0.checked_sub(self.x)?, at.1.checked_sub(self.y)?);
        let scaled = |from: u32, of: u32, to: u32| {
            u32::try_from(u64::from(from) * u64::from(to) / u64::from(of.max(1))).ok().filter(|&p| p < to)
        };
        Some((scaled(x, self.width, copy.0)?, scaled(y, self.height, copy.1)?))
    }
}

/// What has to be copied besides `known` so that all `points` are, on a screen of this width.
pub(super) fn about(points: &[(u32, u32)], known: &[Rect], width: u32) -> Vec<Rect> {
    let mut found: Vec<Rect> = Vec::new();
    for &(x, y) in points {
        if known.iter().chain(&found).any(|rect| rect.contains((x, y))) {
            continue;
        }
        let many = points.iter().filter(|point| point.1 == y).count() >= MANY;
        found.push(if many {
            Rect { x: 0, y, width, height: 1 }
        } else {
            Rect { x, y, width: 1, height: 1 }
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: u32 = 1280;

    #[test]
    fn few_points_are_copied_one_by_one_and_none_twice() {
        let points = [(640, 4), (640, 360), (640, 4)];
        let rects = about(&points, &[], WIDTH);
        assert_eq!(rects.len(), 2);
        assert!(rects.iter().all(|r| (r.width, r.height) == (1, 1)));
        assert_eq!(about(&points, &rects, WIDTH), [], "what is copied already is not copied again");
    }

    #[test]
    fn many_points_of_a_row_are_one_copy_of_the_whole_row() {
        let points: Vec<(u32, u32)> = (100..200).map(|x| (x, 7)).chain([(3, 9)]).collect();
        let row = Rect { x: 0, y: 7, width: WIDTH, height: 1 };
        assert_eq!(about(&points, &[], WIDTH), [row, Rect { x: 3, y: 9, width: 1, height: 1 }]);
    }

    #[test]
    fn point_in_a_scaled_copy_is_the_first_of_its_pixels() {
        let rect = Rect { x: 10, y: 20, width: 100, height: 1 };
        assert_eq!(rect.inside((13, 20), (200, 2)), Some((6, 0)));
        assert_eq!(rect.inside((13, 20), (100, 1)), Some((3, 0)));
        assert_eq!(rect.inside((9, 20), (100, 1)), None);
        assert_eq!(rect.inside((110, 20), (100, 1)), None);
        assert_eq!(rect.inside((13, 20), (0, 0)), None, "an empty copy has no pixel");
    }
}
