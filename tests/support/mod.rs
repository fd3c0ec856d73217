//! The user's side of a window test: display servers of the test's own, the program under test, injected input,
//! and pixels to see what came of it.
//!
//! Nothing here is shared between tests: each starts its own server on a free display, so they run in parallel, and
//! every process dies with its owner (on drop, and by a parent-death signal when the test itself is killed).
//! Something that the machine lacks is a panic that says what to install; a test is never skipped silently.

#![allow(dead_code, reason = "each test crate uses a part of this")]
#![allow(clippy::disallowed_methods, reason = "the harness measures with its own clock, from outside")]

pub mod app;
pub mod capture;
pub mod cpu;
pub mod process;
pub mod rng;
pub mod screen;
pub mod sway;
pub mod wayland;
pub mod wm;
pub mod x11;
pub mod xvfb;

use std::time::{Duration, Instant};

/// Asks `check` again and again for up to `limit`; the first `Some` wins.
pub fn poll_until<T>(limit: Duration, mut check: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = check() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        pause(Duration::from_millis(2));
    }
}

/// Sleeps.
pub fn pause(span: Duration) {
    std::thread::sleep(span);
}

/// Keys that the tests press, by their evdev code; X11 adds [`Key::X11_OFFSET`].
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Key {
    Esc = 1,
    Space = 57,
    F1 = 59,
    F2 = 60,
    F3 = 61,
    F4 = 62,
    F11 = 87,
}

impl Key {
    pub const X11_OFFSET: u8 = 8;

    pub fn evdev(self) -> u32 {
        self as u32
    }

    pub fn x11(self) -> u8 {
        self as u8 + Self::X11_OFFSET
    }
}

/// Colours as the framebuffer holds them, without the unused byte.
pub const BLACK: u32 = 0x00_00_00;
pub const WHITE: u32 = 0xff_ff_ff;
