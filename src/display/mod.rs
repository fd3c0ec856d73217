//! When displays refresh and when frames are displayed, as far as somebody knows; sleeping until a point in
//! time, and the priority of threads that do.
//!
//! One file per source behind one trait, [`VsyncSource`]; a [`Chain`] asks the best one there is, judges by a [`Watch`]
//! what it says, and falls back to the next:
//!
//! | platform | sources, from best to worst |
//! |---|---|
//! | Wayland | `wayland`: presentation-time feedback; frame callbacks |
//! | X11 | `x11`: the Present extension; `sync_control`: OML (GLX), CHROMIUM (EGL) |
//! | Windows | `dwm`: the compositor's timing (unverified) |
//! | macOS | `display_link`: CVDisplayLink (unverified) |
//! | anywhere | [`SwapReturn`]: swaps that wait for the display; [`FreeTimer`]: the nominal rate |
//!
//! Take it alone to learn when frames of your own window are displayed: `Chain::of_window` (feature `window`) has the sources
//! of a window, [`Chain::add`] takes one of your own. The chain is told of each swap and polled; it never waits.
//!
//! ```
//! use scanout::display::Chain;
//! use scanout::pacing::{Feedback, FrameId, Origin};
//! use scanout::time::Timestamp;
//! use std::time::Duration;
//!
//! let mut chain = Chain::new(Some(60.0));
//! chain.start(); // without any other source: a timer, and the origin says so
//! assert_eq!(chain.source(), ("free timer", Origin::Estimated));
//! let mut refreshes = 0;
//! for n in 1..=60 {
//!     let now = Timestamp::ZERO + Duration::from_millis(17 * n);
//!     chain.before_swap(FrameId(n), now);
//!     // .. swap ..
//!     chain.after_swap(FrameId(n), now, now);
//!     chain.poll(now, &mut |feedback| refreshes += u32::from(matches!(feedback, Feedback::Vblank(_))));
//! }
//! assert!(refreshes > 50);
//! ```

mod attribution;
mod chain;
#[cfg(all(feature = "window", target_os = "macos"))]
mod display_link;
#[cfg(all(feature = "window", windows))]
mod dwm;
mod free_timer;
pub mod priority;
mod rate;
pub mod sleep;
mod source;
mod swap_return;
#[cfg(all(feature = "window", x11_platform))]
mod sync_control;
mod watch;
#[cfg(all(feature = "window", x11_platform))]
pub mod wayland;
#[cfg(all(feature = "window", x11_platform))]
mod x11;
#[cfg(all(feature = "window", x11_platform))]
mod x11_rate;

pub use attribution::Attribution;
pub use chain::Chain;
#[cfg(all(feature = "window", target_os = "macos"))]
pub use display_link::DisplayLink;
#[cfg(all(feature = "window", windows))]
pub use dwm::DwmTiming;
pub use free_timer::FreeTimer;
pub use rate::RefreshRate;
pub use source::{SourceError, SourceEvent, VsyncSource};
pub use swap_return::SwapReturn;
#[cfg(all(feature = "window", x11_platform))]
pub use sync_control::SyncControl;
pub use watch::{Fault, Watch, patience};
#[cfg(all(feature = "window", x11_platform))]
pub use x11::X11Present;
