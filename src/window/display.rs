//! Which presentation sources there are for a window, from best to worst.

use std::sync::{Arc, Weak};

use raw_window_handle::{HasDisplayHandle as _, HasWindowHandle as _, RawDisplayHandle, RawWindowHandle};
use winit::window::Window;

use super::init::Current;
use crate::display::{Chain, SwapReturn};

/// What the window system calls the window, on its way to the render thread.
#[cfg_attr(not(x11_platform), allow(dead_code, reason = "elsewhere sources are not a window's"))]
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
        let mut chain = Chain::new(hz);
        self.add_platform(current, hz, &mut chain);
        let period = hz.filter(|hz| *hz >= 1.0).map(|hz| std::time::Duration::from_secs_f64(1.0 / hz));
        if may_throttle {
            chain.add("swap return", Ok(Box::new(SwapReturn::new(period))));
        }
        chain.start();
        chain
    }

    #[cfg(x11_platform)]
    fn add_platform(self, current: &Current, hz: Option<f64>, chain: &mut Chain) {
        use crate::display::{SourceError, X11Present, wayland};
        match (self.display, self.window) {
            (Some(RawDisplayHandle::Wayland(display)), Some(RawWindowHandle::Wayland(window))) => {
                let winits = self.winits;
                let ask_winit = Box::new(move || {
                    if let Some(window) = winits.upgrade() {
                        // winit asks for a frame callback of its own and wakes us, by way of RedrawRequested, when it
                        // comes. Else nobody would look at our queue for up to a second.
                        window.pre_present_notify();
                        window.request_redraw();
                    }
                });
                // SAFETY: winit's display and the window's surface; `App` keeps both until this thread has ended.
                match unsafe { wayland::open(display.display, window.surface, hz, ask_winit) } {
                    Ok((feedback, callbacks)) => {
                        chain.add("wp_presentation", feedback.map(|s| Box::new(s) as _));
                        chain.add("frame callbacks", Ok(Box::new(callbacks)));
                    }
                    Err(why) => chain.add("wp_presentation", Err(why)),
                }
            }
            (_, Some(RawWindowHandle::Xlib(window))) => {
                let id = u32::try_from(window.window).map_err(|_| SourceError::new("no X11 window id"));
                let present = id.and_then(|id| X11Present::open(None, id));
                chain.add("X11 Present", present.map(|s| Box::new(s) as _));
                chain.add("sync control", current.sync_control().map(|s| Box::new(s) as _));
            }
            _ => {}
        }
    }

    #[cfg(windows)]
    fn add_platform(self, _current: &Current, _hz: Option<f64>, chain: &mut Chain) {
        chain.add("DWM timing", crate::display::DwmTiming::open().map(|s| Box::new(s) as _));
    }

    #[cfg(target_os = "macos")]
    fn add_platform(self, _current: &Current, _hz: Option<f64>, chain: &mut Chain) {
        chain.add("CVDisplayLink", crate::display::DisplayLink::open().map(|s| Box::new(s) as _));
    }

    #[cfg(not(any(x11_platform, windows, target_os = "macos")))]
    fn add_platform(self, _current: &Current, _hz: Option<f64>, _chain: &mut Chain) {}
}
