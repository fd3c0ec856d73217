use std::sync::Arc;

use super::control::{Control, Wishes};
use super::input::{InputEvent, InputSender, Size};
use super::signal::Waker;
use crate::pacing::{LayoutChoice, MissBudget, Pacing, Rate, VrrRange};
use crate::time::Timestamp;

/// The host's grip on a run: input in, wishes, stop.
#[derive(Debug)]
pub struct Handle {
    pub(super) control: Arc<Control>,
    pub(super) input: InputSender,
    pub(super) logic: Waker,
    pub(super) render: Waker,
}

impl Handle {
    /// Passes an input event to the logic thread. Never blocks.
    pub fn input(&mut self, event: InputEvent) {
        self.input.send(event);
    }

    /// Tries again to pass on events that found the channel full. Returns whether everything is through.
    pub fn flush_input(&mut self) -> bool {
        self.input.flush()
    }

    /// The drawing area changed.
    pub fn resize(&self, size: Size, scale: f32) {
        self.wish(|w| {
            let before = w.size.replace((size, scale));
            w.wandered |= before.is_some_and(|(before, _)| before != size);
        });
    }

    /// The window became visible or invisible. While invisible nothing is drawn and the world stands still.
    pub fn set_visible(&self, visible: bool) {
        self.wish(|w| w.visible = Some(visible));
    }

    /// The window needs its contents again.
    pub fn redraw(&self) {
        self.wish(|w| w.redraw = true);
    }

    /// The window moved to a display with this nominal refresh rate, in Hz.
    pub fn set_refresh(&self, hz: f64) {
        if hz.is_finite() && hz >= 1.0 {
            self.wish(|w| w.refresh_hz = Some(hz));
        }
    }

    /// Switches the pacing mode.
    pub fn set_pacing(&self, mode: Pacing) {
        self.wish(|w| w.pacing = Some(mode));
    }

    /// Switches to the pacing mode that comes after the one in force: auto, low-latency, smooth, vsync, immediate, and auto
    /// again.
    pub fn next_pacing(&self) {
        self.wish(|w| w.next_pacing = w.next_pacing.wrapping_add(1));
    }

    /// There is input for the overlay: a scene that rests is drawn once more. No lock.
    #[cfg(feature = "window")]
    pub(crate) fn overlay_input(&self) {
        self.control.overlay_input();
        self.render.wake();
    }

    /// Declares the share of frames that may miss their display time; `None`: the mode's.
    pub fn set_miss_budget(&self, budget: Option<MissBudget>) {
        self.wish(|w| w.miss_budget = Some(budget));
    }

    /// Never more frames per second than this, in any mode but [`Pacing::Host`]; `None`: no cap. For a window in the background, say.
    pub fn set_cap(&self, cap: Option<Rate>) {
        self.wish(|w| w.cap = Some(cap));
    }

    /// The display has a variable refresh rate within this range from now on; `None`: a fixed one. Frames are held to a rate just
    /// below its ceiling ([`FramePacer::set_vrr`](crate::pacing::FramePacer::set_vrr)). The next frame is left out of the figures.
    pub fn set_vrr(&self, range: Option<VrrRange>) {
        self.wish(|w| w.vrr = Some(range));
    }

    /// Pins how logic and drawing lie in time, or lets measured times choose.
    pub fn set_layout(&self, layout: LayoutChoice) {
        self.wish(|w| w.layout = Some(layout));
    }

    /// One frame, please, for this display time where it is known: what drives [`Pacing::Host`], in which no frame is made
    /// without a tick. Ticks that come faster than frames can be made merge.
    pub fn host_tick(&self, target: Option<Timestamp>) {
        self.wish(|w| w.host_tick = Some(target));
    }

    /// Shows or hides the overlay.
    pub fn toggle_overlay(&self) {
        self.wish(|w| w.toggle_overlay = !w.toggle_overlay);
    }

    /// Asks both threads to end. Returns at once.
    pub fn stop(&self) {
        self.control.stop();
        self.logic.wake();
        self.render.wake();
    }

    /// Whether the threads were asked to end, or ended by themselves.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.control.stopping()
    }

    fn wish(&self, f: impl FnOnce(&mut Wishes)) {
        self.control.wish(f);
        self.render.wake();
    }
}

impl Drop for Handle {
    /// A host that goes away, for whatever reason, takes the threads with it.
    fn drop(&mut self) {
        self.stop();
    }
}
