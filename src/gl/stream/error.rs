use std::error::Error as StdError;
use std::fmt;

use super::Strategy;

/// Why data could not be streamed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StreamError {
    /// A write, with what its alignment costs, does not fit into what is left of the frame's segment.
    TooLarge {
        /// Bytes that were to be written.
        asked: usize,
        /// Bytes that are left in this frame.
        left: usize,
        /// Bytes that a whole segment has.
        segment: usize,
    },
    /// A ring of this size cannot be addressed, or a size is zero.
    Size {
        /// Bytes of each segment that were asked for.
        segment: usize,
        /// Frames in flight that were asked for.
        frames_in_flight: usize,
    },
    /// The driver has no way to do it like this.
    Unsupported(Strategy),
    /// A name that is no strategy.
    UnknownStrategy(String),
    /// The driver has no memory for it, or would not map it.
    Driver {
        /// Which operation failed.
        operation: &'static str,
        /// The driver's reason, or ours.
        detail: String,
    },
    /// A write came before [`begin_frame`](super::StreamRing::begin_frame), or after the frame's fence.
    NotBegun,
    /// The GPU did not finish a frame within seconds: it hangs.
    Hung,
    /// The context is gone, and the memory with it.
    ContextGone,
    /// No strategy passed the probe.
    NothingWorks,
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { asked, left, segment } => {
                write!(
                    f,
                    "{asked} bytes do not fit into a stream with {left} of {segment} bytes left in this frame"
                )
            }
            Self::Size { segment, frames_in_flight } => write!(
                f,
                "a stream cannot have segments of {segment} bytes for {frames_in_flight} frames in flight"
            ),
            Self::Unsupported(strategy) => write!(f, "this driver cannot stream by `{strategy}`"),
            Self::UnknownStrategy(name) => {
                write!(f, "no way of streaming is called {name:?}; there are: auto, {}", Strategy::names())
            }
            Self::Driver { operation, detail } => write!(f, "streaming: {operation}: {detail}"),
            Self::NotBegun => f.write_str("a stream was written to outside of a frame"),
            Self::Hung => f.write_str("the GPU has not finished with streamed data for seconds: it hangs"),
            Self::ContextGone => f.write_str("a stream was used after its context had gone"),
            Self::NothingWorks => f.write_str("this driver passed the streaming test in no way"),
        }
    }
}

impl StdError for StreamError {}
