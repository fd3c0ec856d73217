use std::fmt;
use std::time::Duration;

/// What a [`SelfCheck`](super::SelfCheck) looks at.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
#[non_exhaustive]
pub enum Check {
    /// Whether time passes between the sampling of input and the swap in which nothing is done.
    InputBeforeWait,
    /// How many frames are on their way to the display.
    DriverQueue,
    /// How long swap takes.
    SwapBlocks,
    /// Whether swap waits for the display where that was asked for.
    SwapThrottle,
    /// Whether somebody says when frames are displayed.
    DisplayTimes,
    /// Whether the logic delivers in time.
    LogicLate,
    /// Whether more frames miss than were declared to.
    MissBudget,
    /// Whether the GPU's work fits into a frame.
    GpuBound,
    /// Whether the processor's work fits into a frame.
    CpuBound,
    /// Whether animation moves by what the display shows.
    AnimationStep,
    /// Whether frames are drawn of which nothing is seen.
    HiddenWindow,
}

impl Check {
    /// All of them, in the order in which they are told.
    pub const ALL: &[Self] = &[
        Self::InputBeforeWait,
        Self::DriverQueue,
        Self::SwapBlocks,
        Self::SwapThrottle,
        Self::DisplayTimes,
        Self::LogicLate,
        Self::MissBudget,
        Self::GpuBound,
        Self::CpuBound,
        Self::AnimationStep,
        Self::HiddenWindow,
    ];

    /// The name in reports: lower case, words joined by underscores.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InputBeforeWait => "input_before_wait",
            Self::DriverQueue => "driver_queue",
            Self::SwapBlocks => "swap_blocks",
            Self::SwapThrottle => "swap_throttle",
            Self::DisplayTimes => "display_times",
            Self::LogicLate => "logic_late",
            Self::MissBudget => "miss_budget",
            Self::GpuBound => "gpu_bound",
            Self::CpuBound => "cpu_bound",
            Self::AnimationStep => "animation_step",
            Self::HiddenWindow => "hidden_window",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What is wrong with a loop, with its figures. As text it is one line.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Finding {
    /// Input is sampled, and then the loop waits before it draws or swaps.
    InputBeforeWait {
        /// The wait, of the median frame: so much of `SampleToPhoton` could go.
        wait: Duration,
    },
    /// Frames wait behind each other on their way to the display.
    DriverQueues {
        /// From a frame's swap to its display, in frames, of the median frame. 1 or 2 are normal.
        frames: u32,
        /// The same as a time, where display times were measured.
        latency: Option<Duration>,
    },
    /// Swap takes a large part of the frame.
    SwapBlocks {
        /// How long, of the median frame.
        time: Duration,
        /// It waits for the display; else it copies, or waits for the GPU.
        waits: bool,
    },
    /// Swap was asked to wait for the display and does not.
    SwapNotThrottled {
        /// From swap to swap, of the median frame; `None` where a timer has taken over.
        interval: Option<Duration>,
    },
    /// Nobody says when frames are displayed.
    DisplayTimesEstimated {
        /// The share of displayed frames whose time was estimated.
        share: f64,
    },
    /// The logic delivers so late that old snapshots are drawn again.
    LogicLate {
        /// The share of frames that show an old snapshot for that reason.
        share: f64,
        /// The step would be done in time beside the drawing, and does not run there.
        beside: bool,
    },
    /// More frames miss their display time than were declared to.
    BudgetExceeded {
        /// The share that missed.
        share: f64,
        /// The share that may.
        declared: f64,
    },
    /// The GPU's work does not fit into a frame.
    GpuBound {
        /// What a frame takes it, of the median frame (polled: an upper bound).
        work: Duration,
        /// What there is.
        interval: Duration,
        /// Refreshes that the loop shows each frame for, because of that or because it was told to; 1: one.
        refreshes: u32,
    },
    /// The processor's work does not fit into a frame.
    CpuBound {
        /// Of the median frame.
        logic: Duration,
        /// Of the median frame.
        drawing: Duration,
        /// Both run beside each other.
        pipelined: bool,
        /// What there is.
        interval: Duration,
        /// Refreshes that the loop shows each frame for, because of that or because it was told to; 1: one.
        refreshes: u32,
    },
    /// Animation moves by the time that passed between the starts of frames, and not by what the display shows.
    WallTimeSteps {
        /// `AnimationError`, root of the mean square.
        rms: Duration,
        /// `AnimationError`, 99th percentile of its magnitude.
        p99: Duration,
    },
    /// Frames are drawn of which nothing is seen.
    HiddenStillDrawn {
        /// How many of those looked at.
        frames: u32,
    },
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

impl Finding {
    /// What was looked at.
    #[must_use]
    pub const fn check(&self) -> Check {
        match self {
            Self::InputBeforeWait { .. } => Check::InputBeforeWait,
            Self::DriverQueues { .. } => Check::DriverQueue,
            Self::SwapBlocks { .. } => Check::SwapBlocks,
            Self::SwapNotThrottled { .. } => Check::SwapThrottle,
            Self::DisplayTimesEstimated { .. } => Check::DisplayTimes,
            Self::LogicLate { .. } => Check::LogicLate,
            Self::BudgetExceeded { .. } => Check::MissBudget,
            Self::GpuBound { .. } => Check::GpuBound,
            Self::CpuBound { .. } => Check::CpuBound,
            Self::WallTimeSteps { .. } => Check::AnimationStep,
            Self::HiddenStillDrawn { .. } => Check::HiddenWindow,
        }
    }

    /// What can be done about it, in one sentence.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::InputBeforeWait { .. } => "wait first, then read input, then draw",
            Self::DriverQueues { .. } => {
                "wait for the fence of the frame before the last one, and begin frames by the display's refreshes"
            }
            Self::SwapBlocks { waits: true, .. } => {
                "begin frames later, so that they are ready just before the refresh: input that comes during the swap waits"
            }
            Self::SwapBlocks { .. } => {
                "swap copies or waits for the GPU: draw fewer pixels, or look for another way to the screen (GLX, EGL)"
            }
            Self::SwapNotThrottled { .. } => "pace with a timer or by the display's refreshes; swap cannot",
            Self::DisplayTimesEstimated { .. } => {
                "read latencies as lower bounds; Wayland's presentation feedback, or a driver that presents through X11 Present, would tell"
            }
            Self::LogicLate { beside: true, .. } => "shorten the logic step, or pin the pipelined layout",
            Self::LogicLate { .. } => "shorten the logic step",
            Self::BudgetExceeded { .. } => {
                "declare a larger budget, or look for what makes frames late (`scanout explain`)"
            }
            Self::GpuBound { refreshes: 0..=1, .. } => "draw less, or aim at every second refresh",
            Self::GpuBound { .. } => {
                "draw less: the loop shows fewer frames than there are refreshes already"
            }
            Self::CpuBound { logic, drawing, pipelined, interval, refreshes } => {
                let fits =
                    logic.as_nanos() <= interval.as_nanos() && drawing.as_nanos() <= interval.as_nanos();
                match (!*pipelined && fits, *refreshes) {
                    (true, 0..=1) => {
                        "shorten the longer part, let both run beside each other, or aim at every second refresh"
                    }
                    (false, 0..=1) => "shorten the longer part, or aim at every second refresh",
                    (true, _) => {
                        "shorten the longer part, or let both run beside each other: the loop shows fewer frames than there are refreshes already"
                    }
                    (false, _) => {
                        "shorten the longer part: the loop shows fewer frames than there are refreshes already"
                    }
                }
            }
            Self::WallTimeSteps { .. } => "move animation by whole refreshes: `Plan::dt`",
            Self::HiddenStillDrawn { .. } => "stop drawing while nothing is shown: `set_visible`",
        }
    }

    /// Its figures by name, for programs. Times are milliseconds and end in `_ms`. Allocates.
    #[must_use]
    pub fn figures(&self) -> Vec<(&'static str, f64)> {
        match *self {
            Self::InputBeforeWait { wait } => vec![("wait_ms", ms(wait))],
            Self::DriverQueues { frames, latency } => {
                let latency = latency.map(|latency| ("latency_ms", ms(latency)));
                [Some(("frames", f64::from(frames))), latency].into_iter().flatten().collect()
            }
            Self::SwapBlocks { time, .. } => vec![("swap_ms", ms(time))],
            Self::SwapNotThrottled { interval } => {
                interval.map(|interval| ("interval_ms", ms(interval))).into_iter().collect()
            }
            Self::DisplayTimesEstimated { share } | Self::LogicLate { share, .. } => vec![("share", share)],
            Self::BudgetExceeded { share, declared } => vec![("share", share), ("declared", declared)],
            Self::GpuBound { work, interval, refreshes } => {
                vec![
                    ("work_ms", ms(work)),
                    ("interval_ms", ms(interval)),
                    ("refreshes", f64::from(refreshes)),
                ]
            }
            Self::CpuBound { logic, drawing, interval, refreshes, .. } => vec![
                ("logic_ms", ms(logic)),
                ("drawing_ms", ms(drawing)),
                ("interval_ms", ms(interval)),
                ("refreshes", f64::from(refreshes)),
            ],
            Self::WallTimeSteps { rms, p99 } => vec![("rms_ms", ms(rms)), ("p99_ms", ms(p99))],
            Self::HiddenStillDrawn { frames } => vec![("frames", f64::from(frames))],
        }
    }
}

/// How long a frame is shown, where that is longer than a refresh.
struct Shown(u32);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 > 1 { write!(f, "; each is shown for {} refreshes", self.0) } else { Ok(()) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::InputBeforeWait { wait } => {
                write!(f, "input is sampled before the wait: {:.1} ms of SampleToPhoton could go", ms(wait))
            }
            Self::DriverQueues { frames, latency } => {
                write!(f, "driver queues {frames} frames")?;
                latency.map_or(Ok(()), |latency| write!(f, ": {:.1} ms from swap to display", ms(latency)))
            }
            Self::SwapBlocks { time, waits: true } => write!(f, "swap blocks {:.1} ms", ms(time)),
            Self::SwapBlocks { time, .. } => {
                write!(f, "swap takes {:.1} ms, and not because it waits for the display", ms(time))
            }
            Self::SwapNotThrottled { interval: Some(interval) } => write!(
                f,
                "swap does not wait for the display, though vsync was asked for: swaps come {:.1} ms apart",
                ms(interval)
            ),
            Self::SwapNotThrottled { interval: None } => f.write_str(
                "swap does not wait for the display, though vsync was asked for: a timer paces instead",
            ),
            Self::DisplayTimesEstimated { share } => {
                write!(f, "display times are only estimated, for {:.0} % of the frames", share * 100.0)
            }
            Self::LogicLate { share, .. } => {
                write!(f, "logic is late: {:.1} % of the frames show an old snapshot again", share * 100.0)
            }
            Self::BudgetExceeded { share, declared } => write!(
                f,
                "{:.1} % of the frames miss their display time, {:.1} % are declared to",
                share * 100.0,
                declared * 100.0
            ),
            Self::GpuBound { work, interval, refreshes } => write!(
                f,
                "GPU-bound: a frame takes the GPU {:.1} ms of the {:.1} ms that there are{}",
                ms(work),
                ms(interval),
                Shown(refreshes)
            ),
            Self::CpuBound { logic, drawing, pipelined, interval, refreshes } => write!(
                f,
                "CPU-bound: logic {:.1} ms {} drawing {:.1} ms, of the {:.1} ms that there are{}",
                ms(logic),
                if pipelined { "beside" } else { "and" },
                ms(drawing),
                ms(interval),
                Shown(refreshes)
            ),
            Self::WallTimeSteps { rms, p99 } => write!(
                f,
                "animation moves by wall time: {:.1} ms off what is shown (RMS; p99 {:.1} ms)",
                ms(rms),
                ms(p99)
            ),
            Self::HiddenStillDrawn { frames } => {
                write!(f, "a hidden window is still drawn: {frames} frames of which nothing was seen")
            }
        }
    }
}
