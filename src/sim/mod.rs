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
//!
//! A policy of one's own, on the [displays and workloads](presets) that the program's own comparison has:
//!
//! ```
//! use scanout::pacing::{PlanId, Plan, VblankModel, VblankSample};
//! use scanout::sim::{Policy, presets, run};
//! use scanout::time::Timestamp;
//!
//! /// Begins each frame 6 ms before a refresh, whatever it takes.
//! struct SixMilliseconds {
//!     refreshes: VblankModel,
//!     last: PlanId,
//!     aimed: u64,
//! }
//!
//! impl Policy for SixMilliseconds {
//!     fn plan(&mut self, now: Timestamp) -> Plan {
//!         self.last = self.last.next();
//!         let mut plan = Plan::default();
//!         (plan.id, plan.wake_at) = (self.last, now.offset(16_666_667));
//!         let next = self.refreshes.after(now.offset(4_000_000)).map(|v| v.index.max(self.aimed + 1));
//!         if let Some(index) = next
//!             && let Some(target) = self.refreshes.at(index)
//!         {
//!             self.aimed = index;
//!             plan.wake_at = target.offset(-6_000_000);
//!             plan.target_presentation = Some(target);
//!         }
//!         plan
//!     }
//!
//!     fn vblank(&mut self, sample: VblankSample) {
//!         self.refreshes.observe(sample);
//!     }
//! }
//!
//! let scenario = presets::scenario("60", "constant", 2_000)?;
//! let mut mine = SixMilliseconds { refreshes: VblankModel::new(Some(60.0)), last: PlanId(0), aimed: 0 };
//! let outcome = run(&scenario, &mut mine);
//! assert_eq!(outcome.missed_vsyncs, 0);
//! assert!((outcome.start_to_display.unwrap().mean - 6.0).abs() < 0.2);
//! # Ok::<(), presets::UnknownPreset>(())
//! ```

mod display;
mod engine;
mod noise;
mod policy;
pub mod presets;
mod replay;
mod screen;
mod workload;

pub use display::FixedDisplay;
pub use engine::{Outcome, Scenario, SimFrame, run, run_observed};
pub use noise::Noise;
pub use policy::{Policy, PolicyKind};
pub use replay::{AsRecorded, as_recorded, replay};
pub use screen::{DisplaySpec, Taking};
pub use workload::{FrameCost, Oversleep, Workload};
