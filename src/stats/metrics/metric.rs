macro_rules! metrics {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// A figure of which a displayed frame (or a vertical blank) gives one value. Where PresentMon defines a metric, the name
        /// and the definition are PresentMon's.
        #[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
        #[non_exhaustive]
        pub enum Metric { $($(#[doc = $doc])+ $name,)+ }

        impl Metric {
            /// All of them, in the order in which reports print them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name in reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// The formula, in words.
            #[must_use]
            pub const fn formula(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

metrics! {
    /// displayed - earliest input event that contributed; a dropped frame's input goes to the next displayed one
    ClickToPhoton,
    /// displayed - input sampled by the logic thread
    SampleToPhoton,
    /// displayed - newest input read by the renderer (a late latch), where it read it
    LatchToPhoton,
    /// input received -> logic done
    InputToLogic,
    /// logic done -> last draw call submitted
    LogicToRender,
    /// last draw call submitted -> GPU seen done (polled: an upper bound)
    SubmitToGpuDone,
    /// last draw call submitted -> displayed
    SubmitToDisplay,
    /// input sampled -> logic done
    LogicTime,
    /// snapshot published -> acquired by the render thread
    HandOver,
    /// snapshot acquired -> last draw call submitted
    RenderTime,
    /// swap called - swap called of the frame before
    MsBetweenPresents,
    /// swap returned - swap called
    MsInPresentAPI,
    /// displayed - swap called
    MsUntilDisplayed,
    /// displayed - displayed of the frame before
    MsBetweenDisplayChange,
    /// displayed of the next frame - displayed, with the time in which nothing asked for a frame
    DisplayedTime,
    /// displayed - swap returned of the frame before
    DisplayLatency,
    /// GPU seen done - swap called; negative when the GPU was done first
    RenderPresentLatency,
    /// animation step - display step, signed
    AnimationError,
    /// abs(display step - whole refresh intervals)
    IntervalJitter,
    /// start of the logic step - planned start
    WakeError,
    /// how long the logic thread spun, rather than slept, before its step
    SpinTime,
    /// frames submitted before this one that the GPU was not seen done with when it began
    QueueDepth,
    /// sum of the animation's steps - sum of the times between their starts, so far, signed; idle gaps are left out
    ClockDrift,
    /// vertical blank - the one before - nominal interval, signed; the jitter is its RMS over the interval
    VsyncJitter,
    /// predicted vertical blank - actual vertical blank, signed
    PhaseError,
}

/// What the values of a [`Metric`] are.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Unit {
    /// Recorded in nanoseconds, summed up in milliseconds.
    Milliseconds,
    /// A number of frames.
    Frames,
}

impl Metric {
    /// The metric of this name, as [`name`](Self::name) has it; `None` where there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|m| m.name() == name)
    }

    /// Whether frames give its values; the others are told by refreshes of the display.
    #[must_use]
    pub const fn is_of_frames(self) -> bool {
        !matches!(self, Self::VsyncJitter | Self::PhaseError)
    }

    /// What its values are.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::QueueDepth => Unit::Frames,
            _ => Unit::Milliseconds,
        }
    }
}
