//! The user's side of a window test: display servers of the test's own, the program under test, injected input,
//! and pixels to see what came of it. The instruments are `scanout::observe`; here they panic where they fail, and know
//! more of windows.
//!
//! Nothing here is shared between tests: each starts its own server on a free display, so they run in parallel, and
//! every process dies with its owner (on drop, and by a parent-death signal when the test itself is killed).
//! Something that the machine lacks is a panic that says what to install; a test is never skipped silently.

#![allow(dead_code, unused_imports, reason = "each test crate uses a part of this")]
#![allow(clippy::disallowed_methods, reason = "the harness measures with its own clock, from outside")]

pub mod app;
pub mod requests;
pub mod rng;
pub mod sway;
pub mod wayland;
pub mod wm;
pub mod x11;
pub mod xvfb;

pub use scanout::observe::{BLACK, Key, WHITE, cpu, pause, poll_until};
