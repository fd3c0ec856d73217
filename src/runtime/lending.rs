//! When the logic step is lent to the render thread, and returned. Pure.

use std::time::Duration;

use super::world::Demand;
use crate::pacing::{Layout, LayoutChoice};

/// Short steps in a row before the step is lent for the first time.
const PATIENCE: u32 = 8;
/// Each step that turned out long while it was lent doubles the wait, up to this many short ones.
const LONGEST_PATIENCE: u32 = 4_096;
/// A step is short below this share of the frame interval, and long above [`LONG`].
const SHORT: u32 = 16;
const LONG: u32 = 4;

/// What is better from here on.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Wish {
    Stay,
    Borrow,
    Return,
}

/// When the step is lent and returned. Pure.
#[derive(Copy, Clone, Debug)]
pub(super) struct Policy {
    choice: LayoutChoice,
    short: u32,
    patience: u32,
}

impl Policy {
    pub(super) const fn new(choice: LayoutChoice) -> Self {
        Self { choice, short: 0, patience: PATIENCE }
    }

    pub(super) fn made(&mut self, lent: bool, took: Duration, interval: Duration, demand: Demand) -> Wish {
        let wanted = match self.choice {
            LayoutChoice::Pinned(Layout::Serial) => true,
            LayoutChoice::Pinned(_) => false,
            LayoutChoice::Auto if demand == Demand::EveryFrame => {
                self.short = 0;
                false
            }
            LayoutChoice::Auto if lent => {
                let long = took > interval / LONG;
                if long {
                    (self.short, self.patience) = (0, (self.patience * 2).min(LONGEST_PATIENCE));
                }
                !long
            }
            LayoutChoice::Auto => {
                self.short = if took < interval / SHORT { self.short + 1 } else { 0 };
                self.short >= self.patience
            }
        };
        match (lent, wanted) {
            (false, true) => Wish::Borrow,
            (true, false) => Wish::Return,
            _ => Wish::Stay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Duration = Duration::from_millis(16);
    const QUICK: Duration = Duration::from_micros(20);

    #[test]
    fn short_steps_of_a_world_at_rest_are_lent_and_a_long_one_is_returned() {
        let mut policy = Policy::new(LayoutChoice::Auto);
        for _ in 1..PATIENCE {
            assert_eq!(policy.made(false, QUICK, T, Demand::OnInput), Wish::Stay);
        }
        assert_eq!(policy.made(false, QUICK, T, Demand::OnInput), Wish::Borrow);
        assert_eq!(policy.made(true, QUICK, T, Demand::OnInput), Wish::Stay);
        assert_eq!(policy.made(true, T, T, Demand::OnInput), Wish::Return);
        let again = (1..).find(|_| policy.made(false, QUICK, T, Demand::OnInput) == Wish::Borrow);
        assert_eq!(again, Some(2 * PATIENCE), "the second time is harder to get");
    }

    #[test]
    fn a_world_that_moves_keeps_its_thread_unless_serial_is_pinned() {
        let mut policy = Policy::new(LayoutChoice::Auto);
        for _ in 0..1_000 {
            assert_eq!(policy.made(false, QUICK, T, Demand::EveryFrame), Wish::Stay);
        }
        assert_eq!(policy.made(true, QUICK, T, Demand::EveryFrame), Wish::Return);
        let mut serial = Policy::new(LayoutChoice::Pinned(Layout::Serial));
        assert_eq!(serial.made(false, T, T, Demand::EveryFrame), Wish::Borrow);
        assert_eq!(serial.made(true, T, T, Demand::EveryFrame), Wish::Stay);
        let mut pipelined = Policy::new(LayoutChoice::Pinned(Layout::Pipelined));
        assert_eq!(pipelined.made(true, QUICK, T, Demand::OnInput), Wish::Return);
    }
}
