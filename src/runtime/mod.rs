//! The logic thread and the render thread around plain `step` functions. No window system and no OpenGL here:
//! those come in as a [`Backend`].
//!
//! Take it alone when the window is yours: [`Runtime::start`] is given a world ([`Logic`]), what to draw with ([`Backend`])
//! and [`RunOptions`]; events and wishes go through its [`Handle`]; [`Runtime::finish`] returns the [`Summary`]. A whole
//! program of that kind is on the [page of the crate](crate#2-your-window-our-threads-runtime).
//!
//! ```text
//!  host thread            logic thread                     render thread
//!  ───────────            ────────────                     ─────────────
//!  event ──stamp──▶ input channel
//!                         LogicStep::due ◀──── orders ──── RenderStep: FramePacer::plan
//!                         drain input, update, extract
//!                         publish ─────── snapshots ─────▶ acquire, draw, swap
//!                                                          poll: GPU done, presented
//! ```
//!
//! Both arrows between the threads are [snapshot buffers](crate::sync): the latest value counts and nobody
//! waits. A thread with nothing to do parks; whoever makes work for it wakes it.
//!
//! **Shutdown**, whoever asks for it first: (1) the stop flag is set and both threads are woken; (2) the logic
//! thread ends after the step it is in and drops the world; (3) the render thread takes the last picture if
//! one was asked for, then drops the renderer, its OpenGL objects, the context and the surface, in that order;
//! (4) the host joins logic, then render; (5) the host drops the window. A thread that does not end within
//! [`RunOptions::shutdown_timeout`] is abandoned and reported.

mod control;
mod counted;
mod host;
mod input;
mod latch;
mod lending;
mod logic;
#[cfg(all(test, loom))]
mod loom_tests;
mod options;
#[cfg_attr(not(feature = "window"), allow(dead_code, reason = "a window has the input"))]
mod overlay;
mod render;
mod seat;
mod signal;
mod slot;
mod summary;
mod threads;
#[cfg(test)]
mod virtual_tests;
mod world;

pub use control::{Changes, SETTLING};
pub use counted::ModeFrames;
pub use host::Handle;
pub use input::{ButtonCode, InputEvent, InputKind, LatestInput, Size};
pub use keyboard_types::Code as KeyCode;
pub use latch::Latch;

pub use options::RunOptions;
#[cfg(feature = "gl")]
pub(crate) use overlay::OverlayPort;
pub use overlay::{Area, MAX_AREAS};
#[cfg(feature = "window")]
pub(crate) use overlay::{OverlayInput, overlay_channel};
pub use render::{Backend, FrameInfo};
pub use summary::{Ended, Filtered, Pixels, Summary, TargetInfo};
pub use world::{Demand, Logic, Tick};

pub use crate::pacing::Feedback;
pub use threads::Runtime;
#[cfg(any(feature = "window", feature = "textures"))]
pub(crate) use threads::panic_message;
#[cfg(feature = "gl")]
pub(crate) use threads::spawn_helper;

pub use crate::error::ThreadName;
