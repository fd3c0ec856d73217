//! A keyboard and a pointer that exist only in the compositor. What fails is a panic.

use scanout::observe::{self, Key};

use super::sway::Sway;

pub struct VirtualInput(observe::VirtualInput);

#[track_caller]
fn done<T>(outcome: observe::Result<T>) -> T {
    outcome.unwrap_or_else(|e| panic!("{e}"))
}

impl VirtualInput {
    pub fn connect(sway: &Sway, extent: (u32, u32)) -> Self {
        Self(done(observe::VirtualInput::connect(sway, extent)))
    }

    #[track_caller]
    pub fn key(&self, key: Key, down: bool) {
        done(self.0.key(key, down));
    }

    /// Presses and releases.
    pub fn tap(&self, key: Key) {
        self.key(key, true);
        self.key(key, false);
    }

    #[track_caller]
    pub fn button(&self, down: bool) {
        done(self.0.button(down));
    }

    /// Presses and releases the left button.
    pub fn click(&self) {
        self.button(true);
        self.button(false);
    }

    #[track_caller]
    pub fn point(&self, x: u32, y: u32) {
        done(self.0.point(x, y));
    }

    #[track_caller]
    pub fn sync(&mut self) {
        done(self.0.sync());
    }
}
