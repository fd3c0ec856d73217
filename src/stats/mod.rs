//! Stage stamps of frames, the metrics computed from them, and their percentiles.
//!
//! Pure and allocation-free after construction: the render thread records into it each frame. Times go in as
//! [`Timestamp`](crate::time::Timestamp)s and come out in milliseconds, or in the [unit](Metric::unit) of the metric.
//!
//! Take it alone to get the figures and the [`SelfCheck`] of a loop of your own:
//!
//! ```
//! use scanout::pacing::{FrameId, Origin, Presentation};
//! use scanout::stats::{FrameRecord, Metric, Recorder, Stage};
//! use scanout::time::Timestamp;
//! use std::time::Duration;
//!
//! let mut recorder = Recorder::new(0, Duration::from_millis(10)); // a display of 100 Hz, no warm-up
//! for n in 1..=200 {
//!     let ms = |ms: u64| Timestamp::from_nanos((10 * n + ms) * 1_000_000);
//!     let mut frame = FrameRecord::new(FrameId(n));
//!     frame.mark(Stage::InputSampled, ms(0));
//!     frame.mark(Stage::Submitted, ms(2));
//!     frame.mark(Stage::SwapBegin, ms(2));
//!     frame.mark(Stage::SwapEnd, ms(3));
//!     recorder.submitted(frame);
//!     // Later, in any order, as it becomes known:
//!     recorder.gpu_done(FrameId(n), ms(4));
//!     recorder.presented(FrameId(n), Presentation::At(ms(7), Origin::Compositor));
//! }
//! let latency = recorder.metrics().summary(Metric::SampleToPhoton).expect("measured");
//! assert_eq!((latency.n, latency.p50.round()), (200, 7.0));
//! assert_eq!(recorder.metrics().missed_vsyncs(), 0);
//! // What nobody measured has no figure, rather than a zero.
//! assert!(recorder.metrics().summary(Metric::ClickToPhoton).is_none());
//! ```

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
