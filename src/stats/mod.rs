//! Stage stamps of frames, the metrics computed from them, and their percentiles.
//!
//! Pure and allocation-free after construction: the render thread records into it each frame.

pub mod blame;
mod carry;
mod distribution;
mod frame_log;
pub mod late;
mod metrics;
mod passes;
pub mod quantile;
mod record;
mod recorder;
mod ring;
mod self_check;
mod trace;

pub use distribution::{Distribution, Summary, enough_for};
pub use frame_log::{FRAME_LOG_SCHEMA, FrameLog, FrameRow};
pub use metrics::{Metric, Metrics, Unit, Value, frame_values};
pub use passes::PassTimes;
pub use record::{FrameRecord, Stage};
pub(crate) use recorder::PENDING;
pub use recorder::{Counters, Recorder};
pub(crate) use ring::Ring;
pub use self_check::{Check, Declared, Finding, SelfCheck, SelfReport};
pub use trace::{TRACE_SCHEMA, Trace, TraceError, TraceFrame, TraceVblank};
