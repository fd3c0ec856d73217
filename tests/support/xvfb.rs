//! An X server without a monitor, one per test.

use std::ops::{Deref, DerefMut};

use scanout::observe;

/// A running Xvfb with its screen mapped; a panic says why there is none.
pub struct Xvfb(observe::Xvfb);

impl Xvfb {
    /// 1280x720, 24 bits.
    pub fn start() -> Self {
        Self::start_sized(1280, 720)
    }

    pub fn start_sized(width: u32, height: u32) -> Self {
        Self(observe::Xvfb::start(width, height).unwrap_or_else(|e| panic!("{e} (or scripts/setup test)")))
    }
}

impl Deref for Xvfb {
    type Target = observe::Xvfb;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Xvfb {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
