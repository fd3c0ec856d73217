use std::time::Duration;

use super::Area;
use super::error::Result;
use crate::time::{Clock as _, MonotonicClock, Timestamp};

/// What is on a screen, looked at from outside. Coordinates are the screen's, pixels are 0xRRGGBB.
pub trait View {
    /// How it is looked at, for reports: `mapped framebuffer`, `MIT-SHM GetImage`.
    fn name(&self) -> &'static str;

    /// Width and height of the screen.
    fn size(&self) -> (u32, u32);

    /// Reads the pixels at `points`, as they are now, into `pixels` (the shorter of both counts). Quickest with the same
    /// points as in the call before. What it costs depends on the way: [`cost_of_looking`] measures it.
    ///
    /// # Errors
    /// When a point lies outside the screen, or the server is gone.
    fn look(&mut self, points: &[(u32, u32)], pixels: &mut [u32]) -> Result<()>;

    /// Reads all pixels of `area`, row by row, into `pixels`, whose storage is used again. For once in a while: it costs
    /// some milliseconds for a whole screen, and on Wayland a refresh as well. Leaves [`stamp`](Self::stamp) as it is.
    ///
    /// # Errors
    /// When the area lies outside the screen, or the server is gone.
    fn picture(&mut self, area: Area, pixels: &mut Vec<u32>) -> Result<()>;

    /// When what the last look gave came onto the screen, where the server says so; `None` where only the time of
    /// the look is known.
    fn stamp(&self) -> Option<Timestamp> {
        None
    }
}

/// Looks that [`cost_of_looking`] takes the median of.
const LOOKS: usize = 51;

/// How long one look at `points` takes, here and now: the median of some. An observer cannot see more sharply in time
/// than this.
///
/// # Errors
/// Those of [`View::look`].
pub fn cost_of_looking(view: &mut dyn View, points: &[(u32, u32)]) -> Result<Duration> {
    let mut pixels = vec![0; points.len()];
    let mut took = [Duration::ZERO; LOOKS];
    for one in &mut took {
        let began = MonotonicClock.now();
        view.look(points, &mut pixels)?;
        *one = MonotonicClock.now().saturating_since(began);
    }
    took.sort_unstable();
    Ok(took[LOOKS / 2])
}
