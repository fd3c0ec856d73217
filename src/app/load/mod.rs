//! Extra load, so that pacing can be seen under it: busy threads, touched memory, GPU work and spikes of the logic.
//!
//! What is wanted stands in one [`Levels`], which whoever steers a run (the command line, the HUD, a bench) may change
//! while it goes on. [`Generators`] has the threads; [`WithLoad`] wraps a scene.

mod gpu;
mod levels;
mod limits;
mod scene;
mod spec;
mod threads;

pub use levels::{GpuMeasured, Levels};
pub use limits::Limits;
pub use scene::WithLoad;
pub use spec::{LoadSpec, ParseLoadError, Spike};
pub use threads::Generators;
