//! Which presentation sources there are for a window, from best to worst.

use std::sync::{Arc, Weak};

use raw_window_handle::{HasDisplayHandle as _, HasWindowHandle as _, RawDisplayHandle, RawWindowHandle};
use winit::window::Window;

use super::init::Current;
use crate::display::{Chain, SwapReturn};

/// What the window system calls the window, on its way to the render thread.
pub(super) struct Native {
    display: Option<RawDisplayHandle>,
    window: Option<RawWindowHandle>,
    /// Never the last owner: windows are dropped on the main thread.
    winits: Weak<Window>,
}

// SAFETY: the handles are names here. What is behind them is used by the libraries that allow that on any thread (X11
// by a number, Wayland through libwayland), and `App` keeps it alive until the render thread has ended.
unsafe impl Send for Native {}

impl Native {
    pub(super) fn of(window: &Arc<Window>) -> Self {
        Self {
            display: window.display_handle().ok().map(|h| h.as_raw()),
            window: window.window_handle().ok().map(|h| h.as_raw()),
            winits: Arc::downgrade(window),
        }
    }

    /// The sources for a display of this nominal rate, on the render thread. `may_throttle`: swap may wait for it.
    pub(super) fn chain(self, current: &Current, hz: Option<f64>, may_throttle: bool) -> Chain {
        let mut chain = self.of_window(hz);
        #[cfg(x11_platform)]
        if matches!(self.window, Some(RawWindowHandle::Xlib(_))) {
            chain.add("sync control", current.sync_control().map(|s| Box::new(s) as _));
        }
        #[cfg(not(x11_platform))]
        let _ = current;
        let period = hz.filter(|hz| *hz >= 1.0).map(|hz| std::time::Duration::from_secs_f64(1.0 / hz));
        if may_throttle {
            chain.add("swap return", Ok(Box::new(SwapReturn::new(period))));
        }
        chain.start();
        chain
    }

    fn of_window(&self, hz: Option<f64>) -> Chain {
        let (Some(display), Some(window)) = (self.display, self.window) else { return Chain::new(hz) };
        let winits = Weak::clone(&self.winits);
        let ask_winit = Box::new(move || {
            if let Some(window) = winits.upgrade() {
                // winit asks for a frame callback of its own and wakes us, by way of RedrawRequested, when it comes. Else
                // nobody would look at our queue for up to a second.
                window.pre_present_notify();
                window.request_redraw();
            }
        });
        // SAFETY: winit's display and its window; `App` keeps both until this thread, and the chain with it, has ended.
        unsafe { Chain::of_window(display, window, hz, ask_winit) }
    }
}
