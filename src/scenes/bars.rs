use crate::error::Result;
use crate::gl::{CreateContext, Frame, Renderer};
use crate::runtime::{Logic, Size, Tick};

/// From the left edge of one bar to that of the next, in pixels. A bar is half as wide.
const PITCH: i32 = 160;
/// Pixels per second. A whole number of pixels per frame at 60, 120 and 240 Hz, so that judder is the pacing's and not
/// the rounding's.
const SPEED: f64 = 480.0;

/// Vertical bars that move to the right at constant speed: tearing and judder are seen by eye.
#[derive(Clone, Debug, Default)]
pub struct Bars {
    offset: f64,
}

impl Logic for Bars {
    /// How far the pattern has moved, in pixels, less than one pitch.
    type Snapshot = i32;

    fn update(&mut self, tick: &Tick) {
        self.offset = (tick.elapsed.as_secs_f64() * SPEED) % f64::from(PITCH);
    }

    fn extract(&self, offset: &mut i32) {
        *offset = self.offset.round() as i32 % PITCH;
    }
}

#[derive(Debug)]
pub(super) struct BarsRenderer;

impl Renderer<i32> for BarsRenderer {
    fn render(&mut self, offset: &i32, frame: &mut Frame<'_>) {
        frame.pass("bars");
        frame.clear([0.02, 0.02, 0.03, 1.0]);
        let Size { width, height } = frame.size();
        let mut left = *offset - PITCH;
        while left < width as i32 {
            frame.fill([left, 0, PITCH / 2, height as i32], [0.95, 0.95, 0.9, 1.0]);
            left += PITCH;
        }
    }

    fn restore(&mut self, _: &CreateContext<'_>) -> Result<()> {
        Ok(()) // nothing of it lives in a context
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn bars_move_whole_pixels_per_frame_and_wrap() {
        let mut bars = Bars::default();
        let mut seen = 0;
        for step in 1..=600 {
            bars.update(&Tick::fixed(step, Duration::from_nanos(16_666_667)));
            let mut offset = 0;
            bars.extract(&mut offset);
            assert!((0..PITCH).contains(&offset));
            assert_eq!((offset - seen).rem_euclid(PITCH), 8, "step {step}");
            seen = offset;
        }
    }
}
