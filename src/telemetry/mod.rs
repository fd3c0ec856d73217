//! What every frame of a running program takes, for whoever looks on: a table of stage stamps that the two threads of a
//! [run](crate::runtime) fill in where each stage happens, and that any number of readers follow, in the same process or in
//! others.
//!
//! ```text
//!  logic step ──▶ steps  [snapshot mod 1024][input received, sampled, logic done, published] ─┐
//!                                                                                             ├─▶ Reader ─▶ FrameRecord
//!  render     ──▶ frames [frame mod 1024][acquired, submitted, GPU done, swap, presented ..] ─┘
//!             ──▶ refreshes of the display [n mod 256][when, phase error] ─────────────────────▶ Reader ─▶ Refresh
//! ```
//!
//! Each row carries the number of what it holds, so that a reader that comes too late notices and counts it
//! ([`Reader::overwritten`]). A stage has one producer. Nobody locks, waits or allocates, and readers write nothing: one that
//! stalls, or dies, is not noticed. Why that is sound stands in `lane.rs`; loom knows it.
//!
//! Take it with a run of your own to watch that from another thread or process. In the same process:
//!
//! ```
//! use scanout::runtime::RunOptions;
//! use scanout::telemetry::Telemetry;
//!
//! let telemetry = Telemetry::new();
//! let mut options = RunOptions::default();
//! options.telemetry = Some(telemetry.clone());
//! let mut reader = telemetry.reader();
//! // .. Runtime::start(options, ..); then, now and then, on any thread:
//! reader.poll(|frame| println!("{}: {:?}", frame.id, frame.queued));
//! assert_eq!(reader.overwritten(), 0);
//! ```
//!
//! For other processes: [`Telemetry::named`], `Config::telemetry` and `scanout run --telemetry NAME`; `scanout watch NAME`
//! reads it. The layout and its guarantees: `docs/telemetry.md`.
#![cfg_attr(
    all(feature = "telemetry", target_os = "linux"),
    allow(unsafe_code, reason = "a mapping is memory that the compiler knows nothing of")
)]

#[cfg(all(test, not(loom)))]
mod contended;
mod lane;
mod layout;
#[cfg(all(test, loom))]
mod loom_tests;
mod reader;
mod refresh;
#[cfg(all(feature = "telemetry", target_os = "linux"))]
pub mod shared;
mod shim;
mod table;
#[cfg(all(test, not(loom)))]
mod tests;
mod text;
mod writer;

pub use reader::{About, Reader};
pub use refresh::Refresh;
pub use table::{State, Telemetry};
pub(crate) use writer::{FrameStamps, StepStamps, Told};
