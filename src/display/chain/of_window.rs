//! The sources that a window system has for a window, whoever made the window.
#![allow(unsafe_code, reason = "a Wayland connection comes as raw pointers from another library")]

use raw_window_handle::{RawDisplayHandle, RawWindowHandle};

use super::Chain;
#[cfg(x11_platform)]
use crate::display::{SourceError, X11Present, wayland};

impl Chain {
    /// The sources that the window system has for this window, from best to worst: presentation feedback and frame callbacks on
    /// Wayland, the Present extension on X11, the compositor's timing on Windows, a display link on macOS. What cannot be had is
    /// noted, and told by [`start`](Self::start), which is to be called next; a worse source may be [added](Self::add) before.
    ///
    /// Call it on the thread that swaps, and keep the chain there. `hz` is the display's nominal rate, where it is known.
    /// `on_hidden` is called when a Wayland window is found to be hidden: who owns the event loop asks for a frame callback there
    /// (winit: `pre_present_notify` and `request_redraw`), so that it wakes when the window is shown again. A loop that looks
    /// once a second anyway needs nothing there.
    ///
    /// # Safety
    /// Both handles are of one live window and of its live connection, and both outlive the chain.
    #[cfg_attr(
        not(x11_platform),
        allow(unused_variables, clippy::needless_pass_by_value, reason = "the same call on every platform")
    )]
    #[must_use]
    pub unsafe fn of_window(
        display: RawDisplayHandle,
        window: RawWindowHandle,
        hz: Option<f64>,
        on_hidden: Box<dyn Fn()>,
    ) -> Self {
        let mut chain = Self::new(hz);
        #[cfg(x11_platform)]
        {
            let id = match window {
                RawWindowHandle::Xlib(window) => Some(u32::try_from(window.window).ok()),
                RawWindowHandle::Xcb(window) => Some(Some(window.window.get())),
                _ => None,
            };
            if let (RawDisplayHandle::Wayland(display), RawWindowHandle::Wayland(window)) = (display, window)
            {
                // SAFETY: the caller promises a live display with a live surface, which outlive the chain.
                match unsafe { wayland::open(display.display, window.surface, hz, on_hidden) } {
                    Ok((feedback, callbacks)) => {
                        chain.add("wp_presentation", feedback.map(|s| Box::new(s) as _));
                        chain.add("frame callbacks", Ok(Box::new(callbacks)));
                    }
                    Err(why) => chain.add("wp_presentation", Err(why)),
                }
            } else if let Some(id) = id {
                let id = id.ok_or_else(|| SourceError::new("no X11 window id"));
                let present = id.and_then(|id| X11Present::open(None, id));
                chain.add("X11 Present", present.map(|s| Box::new(s) as _));
            }
        }
        #[cfg(windows)]
        chain.add("DWM timing", crate::display::DwmTiming::open().map(|s| Box::new(s) as _));
        #[cfg(target_os = "macos")]
        chain.add("CVDisplayLink", crate::display::DisplayLink::open().map(|s| Box::new(s) as _));
        chain
    }
}
