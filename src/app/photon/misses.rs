//! Presses without an answer that was seen, and when there are enough of them to say so.

use std::time::Duration;

use super::click::DEAF;
use super::press::Press;
use super::survey::Point;
use super::trouble::{Outcome, Trouble};

/// Presses after which only what may change by itself did, before that is believed. Some have to pass where letters come
/// to lie beside a caret that blinked.
const MASKED: u32 = 5;
/// Presses that change only what lies outside of the area, before it is said to be the wrong one: with an answer in it, and
/// with none.
const OUTSIDE: (u32, u32) = (12, DEAF);

/// Of presses without an answer that was seen.
#[derive(Copy, Clone, Debug, Default)]
pub struct Misses {
    /// Nothing changed.
    pub deaf: u32,
    /// Something changed that may do so by itself, or that nobody looked at.
    pub masked: u32,
    /// Something changed outside of the area that was named.
    outside: u32,
    /// There, from the window's upper left corner.
    at: Option<Point>,
}

impl Misses {
    pub fn note(&mut self, moved: bool, outside: Option<Point>) {
        self.at = outside.or(self.at);
        *match (moved, outside) {
            (true, _) => &mut self.masked,
            (false, Some(_)) => &mut self.outside,
            (false, None) => &mut self.deaf,
        } += 1;
    }

    /// Whether it is worth going on; `answered`: whether there was an answer at all.
    pub fn check_outside(&self, press: Press, answered: bool) -> Outcome<()> {
        let Some((x, y)) = self.at else { return Ok(()) };
        if self.outside < if answered { OUTSIDE.0 } else { OUTSIDE.1 } {
            return Ok(());
        }
        Err(Trouble::Bad(format!(
            "what {} changes lies outside of --area, as at {x},{y} of the window ({} presses)",
            press.name(),
            self.outside
        )))
    }

    /// The same where it is learnt what a press changes.
    pub fn check(&self, press: Press, limit: Duration, answered: bool) -> Outcome<()> {
        self.check_outside(press, answered)?;
        if self.deaf < DEAF && self.deaf + self.masked < MASKED {
            return Ok(());
        }
        if self.masked > 0 {
            return Err(untold(press));
        }
        Err(Trouble::Bad(format!(
            "the window does not answer {}: nothing in it changed within {} s, {} times (try --key, --button or \
             another --window; what moves by itself is for --mode animation)",
            press.name(),
            seconds(limit),
            self.deaf
        )))
    }
}

/// In hundredths, without zeroes behind them.
pub fn seconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 100.0).round() / 100.0
}

pub fn untold(press: Press) -> Trouble {
    Trouble::Bad(format!(
        "the window changes by itself, and {} changes nothing that can be told from that (try --key, --button, or --at with \
         a point that rests)",
        press.name()
    ))
}

#[cfg(test)]
mod tests {
    use super::super::press::LIMIT;
    use super::*;

    #[test]
    fn answers_outside_of_the_area_are_told_by_their_place_and_are_no_deafness() {
        let text = |outcome: Outcome<()>| match outcome {
            Err(Trouble::Bad(text)) => text,
            _ => String::new(),
        };
        let mut misses = Misses::default();
        for _ in 0..OUTSIDE.1 {
            assert_eq!(text(misses.check(Press::Button, LIMIT, false)), "");
            misses.note(false, Some((7, 9)));
        }
        assert!(text(misses.check(Press::Button, LIMIT, false)).contains("outside of --area, as at 7,9"));
        assert_eq!(text(misses.check(Press::Button, LIMIT, true)), "", "an answer that wanders comes back");
        (OUTSIDE.1..OUTSIDE.0).for_each(|_| misses.note(false, Some((7, 9))));
        assert!(text(misses.check(Press::Button, LIMIT, true)).contains("(12 presses)"));
        let mut deaf = Misses::default();
        (0..DEAF).for_each(|_| deaf.note(false, None));
        assert!(
            text(deaf.check(Press::Button, LIMIT, true))
                .contains("nothing in it changed within 1 s, 3 times")
        );
        let mut masked = Misses::default();
        (0..MASKED).for_each(|_| masked.note(true, Some((7, 9))));
        assert!(text(masked.check(Press::Button, LIMIT, true)).contains("changes by itself"));
    }
}
