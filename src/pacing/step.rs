use std::time::Duration;

use crate::time::nanos;

/// How many steps of fixed length a frame takes, and where between the last two of them it is.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Steps {
    /// Steps to take now.
    pub count: u32,
    /// The share of a step, from 0 to below 1, by which the frame's time lies beyond the last step: draw
    /// `previous + alpha * (last - previous)`, which is one step behind and never ahead.
    pub alpha: f64,
}

/// Cuts frame times into steps of fixed length: what is left over is carried to the next frame.
///
/// A frame takes at most `most` steps. Time beyond that is dropped and counted, so that a world whose steps take longer
/// than they last slows down and does not hang.
#[derive(Clone, Debug)]
pub struct FixedStep {
    step: u64,
    most: u32,
    left: u64,
    dropped: u64,
}

impl FixedStep {
    /// The most steps that one frame takes unless said otherwise, as long as they are not too short for it: see
    /// [`usual`](Self::usual).
    pub const MOST: u32 = 8;

    /// The time that a frame may catch up with, however short the steps are: what 20 frames per second take each.
    const CAUGHT_UP: u64 = 50_000_000;
    /// A frame takes no more steps than this, however short they are: each may cost more than it lasts.
    const SHORT: u64 = 100;

    /// Steps of `step` (at least a microsecond), at most `most` (at least 1) of them per frame.
    #[must_use]
    pub fn new(step: Duration, most: u32) -> Self {
        Self { step: nanos(step).max(1_000), most: most.max(1), left: 0, dropped: 0 }
    }

    /// Steps of `step`, of which a frame takes at most [`MOST`](Self::MOST), or as many as 50 ms need where those are more, and
    /// never more than 100: the world keeps its pace at 20 frames per second and above, where steps last half a
    /// millisecond or longer and take less time than they last.
    #[must_use]
    pub fn usual(step: Duration) -> Self {
        let needed = Self::CAUGHT_UP.div_ceil(nanos(step).max(1_000)).min(Self::SHORT);
        Self::new(step, Self::MOST.max(needed as u32))
    }

    /// The length of a step.
    #[must_use]
    pub const fn step(&self) -> Duration {
        Duration::from_nanos(self.step)
    }

    /// The next frame shows the world `dt` later.
    pub fn advance(&mut self, dt: Duration) -> Steps {
        let time = self.left.saturating_add(nanos(dt));
        let due = time / self.step;
        let count = due.min(u64::from(self.most));
        self.dropped = self.dropped.saturating_add((due - count).saturating_mul(self.step));
        self.left = time % self.step;
        Steps { count: count as u32, alpha: self.left as f64 / self.step as f64 }
    }

    /// Time that was dropped because a frame would have needed more steps than allowed.
    #[must_use]
    pub const fn dropped(&self) -> Duration {
        Duration::from_nanos(self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_remainder_add_up_to_the_frame_times() {
        let step = Duration::from_nanos(8_333_333);
        let mut fixed = FixedStep::new(step, 8);
        let (mut steps, mut elapsed) = (0_u64, Duration::ZERO);
        for i in 0..100_000_u64 {
            let dt = Duration::from_nanos(16_666_667 + i * 7_919 % 300_000);
            let got = fixed.advance(dt);
            steps += u64::from(got.count);
            elapsed += dt;
            assert!((0.0..1.0).contains(&got.alpha));
            let shown = steps as f64 + got.alpha;
            assert!((shown - elapsed.as_secs_f64() / step.as_secs_f64()).abs() < 1e-3, "frame {i}");
        }
        assert_eq!(fixed.dropped(), Duration::ZERO);
    }

    #[test]
    fn short_steps_are_as_many_as_a_slow_frame_needs() {
        for (us, most) in [(16_667, 8), (6_250, 8), (5_000, 10), (1_000, 50), (500, 100), (1, 100), (0, 100)]
        {
            assert_eq!(FixedStep::usual(Duration::from_micros(us)).most, most, "{us} us");
        }
        let mut fixed = FixedStep::usual(Duration::from_millis(1));
        let steps: u32 = (0..60).map(|_| fixed.advance(Duration::from_nanos(16_666_667)).count).sum();
        assert_eq!((steps, fixed.dropped()), (1_000, Duration::ZERO));
    }

    #[test]
    fn a_long_frame_takes_no_more_steps_than_allowed_and_the_rest_is_counted() {
        let mut fixed = FixedStep::new(Duration::from_millis(10), 4);
        assert_eq!(fixed.advance(Duration::from_millis(1_003)).count, 4);
        assert_eq!(fixed.dropped(), Duration::from_millis(960));
        assert_eq!(fixed.advance(Duration::from_millis(7)), Steps { count: 1, alpha: 0.0 });
        fixed.advance(Duration::MAX);
        assert_eq!(FixedStep::new(Duration::ZERO, 0).advance(Duration::from_secs(1)).count, 1);
    }
}
