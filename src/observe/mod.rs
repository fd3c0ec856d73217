//! Programs seen from outside, as their user sees them: display servers of one's own, the program in them, injected
//! input, and what of it comes to be on the screen (Linux).
//!
//! - Places to start programs in: [`Xvfb`], an X server whose screen is a file that can be mapped, and [`Sway`], a
//!   compositor nested in it or without any display. A [`Place`] is what a program's environment has to say.
//! - Input that no device made is an [`Injector`]: [`X11`] (XTEST) and [`VirtualInput`] (Wayland).
//! - Programs to try it out with: [`floor_client`], [`floor_client_wayland`], and others made of a [`ShmWindow`].
//! - What is on the screen is a [`View`]: [`Screen`] is the mapped one of an Xvfb, [`SharedImage`] that of any X server on
//!   this machine, [`Screencopy`] that of a compositor. [`Capture`] has the frames of a compositor one after another.
//! - Every process that is started here ends with its owner ([`Process`]), whatever becomes of that one, and what it started
//!   in its turn with it. What leaves its process group, or outlives an owner that is killed at once (`SIGKILL`), is for the
//!   program that uses this to end: [`adopt_orphans`], [`end_descendants`]. Temporary files lie in [`Folder`]s, which the next
//!   program to use this removes where their owner could not ([`sweep_folders`]).
//!
//! Nothing here is shared between runs: each starts servers of its own on free displays. Whatever the machine lacks is
//! an [`Error`] that says what to install.
//!
//! ```no_run
//! use std::time::Duration;
//! use scanout::observe::{Injector, Key, Program, X11, Xvfb};
//!
//! # fn main() -> Result<(), scanout::observe::Error> {
//! let server = Xvfb::start(1280, 720)?;
//! let program = Program::start("xterm", ["-fullscreen"], &server.place(), |_, _| {})?;
//! let mut user = X11::connect(&server.display())?;
//! let window = user.window_of(program.id(), Duration::from_secs(5)).expect("a window");
//! user.focus(window)?;
//! Injector::key(&mut user, Key::Space, true)?;
//! println!("{:06x}", server.screen.pixel(640, 360));
//! # Ok(())
//! # }
//! ```

/// The registry of a Wayland connection is read once, when it is made: what changes later is nobody's business here.
macro_rules! ignore_registry {
    ($state:ty) => {
        impl Dispatch<wl_registry::WlRegistry, GlobalListContents> for $state {
            fn event(
                _: &mut Self,
                _: &wl_registry::WlRegistry,
                _: wl_registry::Event,
                _: &GlobalListContents,
                _: &Connection,
                _: &QueueHandle<Self>,
            ) {
            }
        }
    };
}

mod capture;
pub mod cpu;
mod error;
mod family;
mod floor;
mod floor_wayland;
mod folder;
mod input;
mod key;
mod memory;
mod peer;
mod process;
mod program;
mod regions;
mod screen;
mod screencopy;
mod shm;
mod shm_window;
mod sway;
mod sway_ipc;
mod toplevels;
mod transcript;
mod view;
mod wayland;
mod x11;
mod x11_keyboard;
mod x11_window;
mod xvfb;

use std::time::Duration;

use crate::time::{Clock as _, MonotonicClock};

pub use capture::{Capture, Captured};
pub use error::{Error, Result};
pub use family::{adopt_orphans, end_descendants};
pub use floor::floor_client;
pub use floor_wayland::floor_client_wayland;
pub use folder::{Folder, remove_own_folders, sweep_folders};
pub use input::Injector;
pub use key::{Key, ParseKeyError};
pub use peer::server_at;
pub use process::{Process, is_there};
pub use program::{Place, Program};
pub use screen::{Screen, XwdHeader};
pub use screencopy::Screencopy;
pub use shm::SharedImage;
pub use shm_window::{ShmWindow, UserAct};
pub use sway::{Layout, Sway};
pub use toplevels::{Toplevel, Toplevels};
pub use transcript::Transcript;
pub use view::{View, cost_of_looking};
pub use wayland::VirtualInput;
pub use x11::X11;
pub use x11_window::{Fate, Keyboard};
pub use xvfb::Xvfb;

/// Black, as a [`View`] gives it: 0xRRGGBB without the unused byte.
pub const BLACK: u32 = 0x00_00_00;
/// White.
pub const WHITE: u32 = 0xff_ff_ff;

/// Between two asks of [`poll_until`].
const ASK_EVERY: Duration = Duration::from_millis(2);

/// A place on the screen, in pixels.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "they are what they are called")]
pub struct Area {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl Area {
    /// The pixel in the middle.
    #[must_use]
    pub const fn centre(self) -> (u32, u32) {
        (self.x + self.width / 2, self.y + self.height / 2)
    }

    /// The four corner pixels and the centre. Of an area without pixels: its upper left corner.
    #[must_use]
    pub const fn marks(self) -> [(u32, u32); 5] {
        let right = self.x + self.width.saturating_sub(1);
        let bottom = self.y + self.height.saturating_sub(1);
        [(self.x, self.y), (right, self.y), (self.x, bottom), (right, bottom), self.centre()]
    }

    /// Whether it lies on a screen of this size whole; else the first pixel that does not.
    pub(crate) fn check_inside(self, size: (u32, u32)) -> Result<()> {
        let right = self.x.saturating_add(self.width.saturating_sub(1));
        let bottom = self.y.saturating_add(self.height.saturating_sub(1));
        if right < size.0 && bottom < size.1 {
            return Ok(());
        }
        Err(Error::Outside { at: (right, bottom), size })
    }

    /// What of it lies on a screen of this size; `None` when nothing does.
    #[must_use]
    pub fn on_screen(self, (width, height): (u32, u32)) -> Option<Self> {
        let seen = Self {
            width: self.width.min(width.saturating_sub(self.x)),
            height: self.height.min(height.saturating_sub(self.y)),
            ..self
        };
        (seen.width > 0 && seen.height > 0).then_some(seen)
    }
}

/// Asks `check` again and again for up to `limit`, at least once; the first `Some` wins. Sleeps between.
pub fn poll_until<T>(limit: Duration, mut check: impl FnMut() -> Option<T>) -> Option<T> {
    let end = MonotonicClock.now() + limit;
    loop {
        if let Some(found) = check() {
            return Some(found);
        }
        if MonotonicClock.now() >= end {
            return None;
        }
        pause(ASK_EVERY);
    }
}

/// Sleeps for at least `span`, and longer by what the system's timers are late: an observer that spun for precision
/// would take a CPU from who is being watched. Returns at once for nothing.
#[allow(clippy::disallowed_methods, reason = "display::sleep spins at the end, which is wrong here")]
pub fn pause(span: Duration) {
    if !span.is_zero() {
        std::thread::sleep(span);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn area_beyond_the_screen_is_cut_and_one_beside_it_is_none() {
        let area = |x, width| Area { x, y: 0, width, height: 10 };
        assert_eq!(area(90, 20).on_screen((100, 100)), Some(area(90, 10)));
        assert_eq!(area(100, 20).on_screen((100, 100)), None);
        assert_eq!(area(0, 0).on_screen((100, 100)), None);
        assert_eq!(area(0, 0).marks()[3], (0, 9), "no pixel is no panic");
    }
}
