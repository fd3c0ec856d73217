use std::time::Duration;

use crate::error::{Error, Result};
use crate::pacing::{Feedback, FrameId, FramePacer, Origin, Pacing, Throttle};
use crate::runtime::{Changes, Latch, Pixels, Size, TargetInfo};
use crate::stats::Recorder;

/// What one frame is drawn with.
#[derive(Copy, Clone, Debug)]
#[non_exhaustive]
pub struct FrameInfo<'a> {
    /// The frame's number.
    pub id: FrameId,
    /// The drawing area.
    pub size: Size,
    /// Physical pixels per logical pixel.
    pub scale: f32,
    /// The animation clock of the snapshot: the sum of all steps so far.
    pub animation_time: Duration,
    /// Figures of the frames so far, for a live view.
    pub stats: &'a Recorder,
    /// The pacer's state, for a live view.
    pub pacer: &'a FramePacer,
    /// The newest input.
    pub latch: &'a Latch,
    /// What tells display times now, and who stands behind it; `None` until a source has said so.
    pub source: Option<(&'static str, Origin)>,
    /// The frame is left out of the run's figures: [`FrameRecord::apart`](crate::stats::FrameRecord::apart).
    pub apart: bool,
}

/// The graphics side of the render thread: a context with its surface and the user's renderer. Made on the render
/// thread and dropped there.
pub trait Backend<S> {
    /// What this draws with and to.
    fn target(&self) -> &TargetInfo;

    /// A pacing mode is in force from the next swap on. Returns what is known about swap waiting for the display.
    fn set_pacing(&mut self, mode: Pacing) -> Throttle {
        let _ = mode;
        Throttle::Untested
    }

    /// The window is on a display of the nominal rate `hz` from now on (another monitor, another mode): whoever tells display
    /// times has to know.
    fn set_refresh(&mut self, hz: f64) {
        let _ = hz;
    }

    /// The drawing area changed. Never called with an empty size.
    ///
    /// # Errors
    /// When the surface cannot be resized.
    fn resize(&mut self, size: Size, scale: f32) -> Result<()>;

    /// Hands the frame's draw calls to the driver. Does not wait for the GPU.
    ///
    /// # Errors
    /// When the context is lost.
    fn draw(&mut self, view: &S, frame: &FrameInfo<'_>) -> Result<()>;

    /// The frame just drawn is not swapped at once: what the driver still keeps of it is to go to the GPU now.
    fn hold(&mut self) {}

    /// Swaps.
    ///
    /// # Errors
    /// When the surface or the display is lost.
    fn swap(&mut self, id: FrameId) -> Result<()>;

    /// The frame was swapped, all times of that are taken, and the next one is ordered: what that one can be spared is done
    /// now. It is in no figure of either frame.
    ///
    /// # Errors
    /// When the surface or the display is lost.
    fn prepare(&mut self) -> Result<()> {
        Ok(())
    }

    /// Reports, without waiting, what became known of earlier frames.
    fn poll(&mut self, sink: &mut dyn FnMut(Feedback));

    /// How soon to [poll](Self::poll) again while feedback is waited for and there is nothing else to do.
    fn poll_every(&self) -> Duration {
        Duration::from_micros(500)
    }

    /// Draws the frame once more and reads it back instead of showing it. Waits for the GPU.
    ///
    /// # Errors
    /// When the context is lost.
    fn capture(&mut self, view: &S, frame: &FrameInfo<'_>) -> Result<Pixels>;

    /// Shows or hides what is drawn over the scene, where there is such a thing.
    fn toggle_overlay(&mut self) {}

    /// What somebody who draws wants to be different from the next frame on, once. Asked often: it costs next to nothing.
    fn changes(&mut self) -> Option<Changes> {
        None
    }

    /// A call has failed with [`Error::ContextLost`]: makes everything anew in another context, so that the run goes on.
    ///
    /// # Errors
    /// `lost` when that is not possible, which ends the run.
    fn restore(&mut self, lost: Error) -> Result<()> {
        Err(lost)
    }

    /// No more frames come: waits for the GPU, so that the next [`poll`](Self::poll) tells all there is to tell. Called once.
    fn finish(&mut self) {}

    /// Whether the same snapshot would look different now, because shaders have changed for instance. Asked often: it costs
    /// next to nothing.
    fn changed(&self) -> bool {
        false
    }

    /// Whether another frame of the same snapshot would show more than the last one. A scene that rests is drawn once per frame
    /// interval for as long as it is so. Asked often: it costs next to nothing.
    fn unfinished(&self) -> bool {
        false
    }

    /// How often to ask that of a scene that rests; `None`: not at all.
    fn look_every(&self) -> Option<Duration> {
        None
    }
}
