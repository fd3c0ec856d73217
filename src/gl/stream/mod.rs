//! Data that is written anew each frame: uniforms, instances, vertices, indirect commands, pixels.
//!
//! A [`StreamRing`] is one buffer of (frames in flight + 1) segments with a fence each. A frame writes into the next
//! segment, and only after the GPU has passed the fence that the same segment got when it was used before. That fence
//! was set so many frames ago that in steady state nobody waits; when somebody does, the wait is counted and timed.
//!
//! ```text
//!             frame 1    frame 2    frame 3    frame 4
//! segment 0   write ─ draw ─ fence             wait for the fence of frame 1, write ..
//! segment 1              write ─ draw ─ fence
//! segment 2                         write ─ draw ─ fence
//! ```
//!
//! How the bytes get there is a [`Strategy`]. Which one is fastest depends on the driver, so that it is found out by
//! trying when it is first asked for ([`Gl::stream_strategy`](super::Gl::stream_strategy)).
//!
//! ```no_run
//! # use scanout::gl::{Gl, StreamError, StreamRing, StreamTarget};
//! # fn frame(gl: &Gl, ring: &mut StreamRing, instances: &[[f32; 4]]) -> Result<(), StreamError> {
//! // Once: let mut ring = StreamRing::auto(gl, StreamTarget::Vertex, 1 << 20, 2)?;
//! ring.begin_frame()?;
//! let range = ring.write(instances)?;
//! ring.finish_writes();
//! // .. draw from `ring.buffer()`, beginning with instance `range.first::<[f32; 4]>()` ..
//! ring.fence();
//! # Ok(())
//! # }
//! ```

mod error;
mod kind;
mod probe;
mod ring;
mod segments;
mod store;

#[cfg(all(test, feature = "headless"))]
mod gl_tests;

/// The most frames that the loop lets be with the GPU at a time: what rings of renderers are made for.
pub const FRAMES_IN_FLIGHT: usize = 2;

pub use error::StreamError;
pub use kind::{Strategy, StreamTarget};
pub(super) use probe::chosen_by_environment;
pub use probe::{Probe, Trial, probe};
pub use ring::{StreamRange, StreamRing};
pub use segments::StreamStats;
