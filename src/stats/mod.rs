//! Stage stamps of frames, the metrics computed from them, and their percentiles.
//!
//! Pure and allocation-free after construction: the render thread records into it each frame.

mod distribution;
mod metrics;
mod record;
mod recorder;
mod trace;

pub use distribution::{Distribution, Summary};
pub use metrics::{Metric, Metrics, Unit};
pub use record::{FrameRecord, Stage};
pub(crate) use recorder::PENDING;
pub use recorder::{Counters, Recorder};
pub use trace::{TRACE_SCHEMA, Trace, TraceError, TraceFrame, TraceVblank};
