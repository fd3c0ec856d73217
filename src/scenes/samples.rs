//! Several samples per pixel for scenes that write bytes and no light.

use crate::error::Result;
use crate::gl::{Canvas, CreateContext, Frame};
use crate::runtime::Size;

/// A canvas with samples, where there is to be more than one of a pixel.
#[derive(Debug)]
pub(super) struct Samples {
    canvas: Option<Canvas>,
    /// That the canvas could not be made larger was said.
    failed: bool,
}

impl Samples {
    pub(super) fn new(cx: &CreateContext<'_>, samples: Option<u32>) -> Result<Self> {
        let size = if cx.size.is_empty() { Size::new(1, 1) } else { cx.size };
        let wanted = samples.filter(|&n| n > 1);
        let canvas = wanted.map(|n| Canvas::of_bytes(cx.gl, size, n)).transpose()?;
        if let Some(canvas) = &canvas {
            log::info!("{} sample(s) per pixel", canvas.samples());
        }
        Ok(Self { canvas, failed: false })
    }

    /// Whether there are several of a pixel.
    pub(super) const fn several(&self) -> bool {
        self.canvas.is_some()
    }

    /// Draws go to the canvas from now on. Where it cannot be as large as the frame they stay with the surface, and have one
    /// sample.
    pub(super) fn begin(&mut self, frame: &Frame<'_>) {
        let Some(canvas) = &mut self.canvas else { return };
        if canvas.size() != frame.size()
            && let Err(e) = canvas.resize(frame.size())
        {
            if !std::mem::replace(&mut self.failed, true) {
                log::error!("one sample per pixel: {e}");
            }
            frame.bind_surface();
            return;
        }
        canvas.begin();
    }

    /// Shows what was drawn since [`begin`](Self::begin).
    pub(super) fn finish(&self, frame: &mut Frame<'_>) {
        if let Some(canvas) = self.canvas.as_ref().filter(|c| c.size() == frame.size()) {
            frame.pass("resolve");
            canvas.finish(frame);
        }
    }
}
