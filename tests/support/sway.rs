//! A sway of the test's own, with what its user does to windows. What fails is a panic.

use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

pub use scanout::observe::Layout;
use scanout::observe::{self, Area};

use super::pause;
use super::xvfb::Xvfb;

pub struct Sway(observe::Sway);

impl Deref for Sway {
    type Target = observe::Sway;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Sway {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

#[track_caller]
fn done<T>(outcome: observe::Result<T>) -> T {
    outcome.unwrap_or_else(|e| panic!("{e} (or scripts/setup test)"))
}

impl Sway {
    pub fn start_nested(server: &Xvfb, layout: Layout) -> Self {
        Self(done(observe::Sway::start_nested(server, layout)))
    }

    pub fn start_headless(width: u32, height: u32, hertz: u32, layout: Layout) -> Self {
        Self(done(observe::Sway::start_headless(width, height, hertz, layout)))
    }

    pub fn start_with_two_outputs(width: u32, height: u32, hertz: [u32; 2]) -> Self {
        Self(done(observe::Sway::start_with_two_outputs(width, height, hertz)))
    }

    #[track_caller]
    pub fn command(&self, text: &str) {
        done(self.0.command(text));
    }

    #[track_caller]
    pub fn grab(&self) -> (u32, u32, Vec<u32>) {
        done(self.0.grab())
    }

    /// Puts the window of `pid` onto another output.
    pub fn move_to_output(&self, pid: u32, name: &str) {
        self.command(&format!("[pid={pid}] move window to output {name}"));
    }

    /// The user looks at another workspace: frame callbacks stop.
    pub fn hide(&self) {
        self.command("workspace number 2");
    }

    pub fn show(&self) {
        self.command("workspace number 1");
    }

    /// Gives a floating window another size. It would keep its centre and, with many sizes, wander off the output;
    /// so it is put back into the corner.
    pub fn resize(&self, pid: u32, width: u32, height: u32) {
        self.command(&format!("[pid={pid}] resize set {width} px {height} px, move position 0 0"));
    }

    /// Resizes until `shows` says that the window has followed: whether it did within `limit`. `shows` gets to wait a
    /// little itself.
    ///
    /// On a busy machine sway 1.7 now and then changes its tree without sending the configure event that belongs to it
    /// (seen in WAYLAND_DEBUG), after many sizes in a row. A different size and the wanted one again get it going; a
    /// program that does not follow its configure events fails all the same.
    pub fn resize_until(
        &self,
        pid: u32,
        (width, height): (u32, u32),
        limit: Duration,
        shows: impl Fn(Area) -> bool,
    ) -> bool {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            self.resize(pid, width, height);
            if shows(Area { x: 0, y: 0, width, height }) {
                return true;
            }
            self.resize(pid, width - 2, height - 2);
            pause(Duration::from_millis(100));
        }
        false
    }

    pub fn set_fullscreen(&self, pid: u32, on: bool) {
        self.command(&format!("[pid={pid}] fullscreen {}", if on { "enable" } else { "disable" }));
    }

    /// Asks the window to close.
    pub fn close(&self, pid: u32) {
        self.command(&format!("[pid={pid}] kill"));
    }
}
