use glam::Vec2;

use crate::error::Result;
use crate::gl::{CreateContext, Frame, Renderer};
use crate::runtime::{InputEvent, InputKind, Logic, Size, Tick};

/// Width of the mark in pixels.
const MARK: i32 = 16;

/// A white mark over the full height, centred on the pointer; drawn every frame. The test of latency while animating.
#[derive(Clone, Debug, Default)]
pub struct Drag {
    pointer: Option<Vec2>,
}

impl Logic for Drag {
    /// Where the mark is: pixels from the left edge, `None` before the pointer was ever in the window.
    type Snapshot = Option<f32>;

    fn input(&mut self, event: &InputEvent) {
        if let InputKind::PointerMoved { position } = event.kind {
            self.pointer = Some(position);
        }
    }

    fn update(&mut self, _tick: &Tick) {}

    fn extract(&self, mark: &mut Option<f32>) {
        *mark = self.pointer.map(|p| p.x);
    }
}

#[derive(Debug)]
pub(super) struct DragRenderer;

impl Renderer<Option<f32>> for DragRenderer {
    fn render(&mut self, mark: &Option<f32>, frame: &mut Frame<'_>) {
        frame.pass("drag");
        frame.clear([0.0, 0.0, 0.0, 1.0]);
        // The pointer may have moved since the snapshot was made.
        let newest = frame.latch().pointer.map(|p| p.x);
        if let Some(x) = newest.or(*mark) {
            let Size { height, .. } = frame.size();
            let left = x.round() as i32 - MARK / 2;
            frame.fill([left, 0, MARK, height as i32], [1.0, 1.0, 1.0, 1.0]);
        }
    }

    fn restore(&mut self, _: &CreateContext<'_>) -> Result<()> {
        Ok(()) // nothing of it lives in a context
    }
}
