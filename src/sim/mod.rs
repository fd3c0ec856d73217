//! Displays that do not exist, and whole runs of the loop in virtual time. Pure: no clock, no system; whole nanoseconds
//! and a seed, so that the same scenario gives the same outcome everywhere.
//!
//! A run takes a [`Scenario`] (display, workload, how late threads are woken) and a [`Policy`]: our own
//! [`FramePacer`](crate::pacing::FramePacer), one of the limiters in use today ([`PolicyKind`]), or yours. Logic thread,
//! render thread, GPU and display have a time of their own each; snapshots pass through the same
//! [buffer](crate::sync::snapshot) as between the real threads.
//!
//! ```
//! use scanout::pacing::Pacing;
//! use scanout::sim::{DisplaySpec, PolicyKind, Scenario, run};
//!
//! let mut scenario = Scenario::default();
//! scenario.display = DisplaySpec::at(120.0);
//! scenario.frames = 5_000;
//! let ours = run(&scenario, PolicyKind::Ours(Pacing::Auto).make(120.0).as_mut());
//! let timer = run(&scenario, PolicyKind::FixedTimer.make(120.0).as_mut());
//! let latency = |o: &scanout::sim::Outcome| o.start_to_display.unwrap().mean;
//! assert!(latency(&ours) < latency(&timer));
//! ```

mod display;
mod engine;
mod noise;
mod policy;
pub mod presets;
mod screen;
mod workload;

pub use display::FixedDisplay;
pub use engine::{Outcome, Scenario, SimFrame, run, run_observed};
pub use noise::Noise;
pub use policy::{Policy, PolicyKind};
pub use screen::{DisplaySpec, Taking};
pub use workload::{FrameCost, Oversleep, Workload};
