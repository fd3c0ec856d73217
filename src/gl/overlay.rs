use super::{CreateContext, Gl};
use crate::error::Result;
use crate::runtime::{Area, Changes, FrameInfo, InputEvent};

/// Something drawn over the scene on the render thread.
pub trait Overlay {
    /// Draws it over the frame. What OpenGL state it changes is set back by the caller.
    fn draw(&mut self, gl: &Gl, frame: &FrameInfo<'_>);

    /// Shows or hides it.
    fn toggle(&mut self);

    /// Whether it is shown.
    fn visible(&self) -> bool;

    /// Input that belongs to it and does not reach the logic: what the pointer does over its [areas](Self::areas), a drag that
    /// began there wherever it goes, and the keys F3 to F10 while it is shown. Called before the next
    /// [`draw`](Self::draw), in order; a hidden overlay gets none.
    fn input(&mut self, event: &InputEvent) {
        let _ = event;
    }

    /// What it covers since it was last drawn: at most four areas. Without any, the pointer stays the scene's.
    fn areas(&self) -> &[Area] {
        &[]
    }

    /// What it wants of the run from the next frame on, once. Asked often: it costs next to nothing.
    fn changes(&mut self) -> Option<Changes> {
        None
    }

    /// Whether another frame of a scene that rests would show more of it. Asked often, as above.
    fn unfinished(&self) -> bool {
        false
    }

    /// The context was lost: let go of what was made in it; the next frame is drawn in a new one. Whether that can be done;
    /// if not, the overlay is not drawn any more.
    fn context_lost(&mut self) -> bool {
        false
    }
}

/// Makes an overlay on the render thread.
pub type OverlayFactory = Box<dyn FnOnce(&CreateContext<'_>) -> Result<Box<dyn Overlay>> + Send>;
