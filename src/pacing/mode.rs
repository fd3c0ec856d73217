use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Alpha, MissBudget, Variant};

/// What decides when frames are made.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Pacing {
    /// One frame per refresh, begun as late as a declared share of missed frames (0.5 %) allows. Display times are
    /// predicted from what the display or compositor says; where nobody says anything, a timer at the nominal rate.
    #[default]
    Auto,
    /// As [`Auto`](Self::Auto), with 2 % of the frames allowed to miss: a little less latency.
    LowLatency,
    /// As [`Auto`](Self::Auto), and begun as early as the layout of logic and drawing allows, a whole refresh before its target in a
    /// serial one: a frame is late only when the machine stalls for longer than the work leaves of that. 0.1 % of the frames are
    /// allowed to miss. Where another share is declared, as late as that allows.
    Smooth,
    /// Frames on a regular grid of so many per second, without waiting for the display.
    Fixed(Rate),
    /// One frame per refresh, throttled by the driver's swap. Where the swap does not throttle (measured, not
    /// asked), a timer at the nominal refresh rate takes over.
    Vsync,
    /// As soon as input or the scene asks for a frame, as fast as the machine can; never waits for the display.
    /// A scene that asks for nothing costs nothing.
    Immediate,
    /// The loop that most programs have, to compare with: swap interval 1, and a frame begins when the swap of the one before
    /// has returned. Nothing is planned, nor held back or limited but by a cap; the driver queues as many frames as it likes. Where swap does
    /// not wait for the display the loop runs as fast as it can. On Wayland it may stand still while the window is hidden.
    Naive,
    /// As soon as a [`Ticker`](super::Ticker) has it: at the nominal rate, at the display's notices of its refreshes, or at the
    /// one led by the other. Aims at no refresh, and is kept to be compared with. Where only a notice begins a frame, the
    /// first begins at once, and so does one after three intervals without any.
    Ticker(Variant),
    /// The embedding program says when: one frame for each of its ticks.
    Host,
}

/// What the runtime makes a frame's animation step of.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum DeltaTime {
    /// What is planned ([`Plan::dt`](super::Plan::dt)). Where refreshes are predicted: whole refresh intervals and a bounded
    /// debt ([`PeriodClock`](super::PeriodClock)). Modes that plan no step ([`Pacing::Immediate`], and [`Pacing::Host`] while no
    /// display time is known) go by the time measured between steps, up to [`LONGEST_STEP`](super::LONGEST_STEP) or two
    /// intervals, where that is longer.
    #[default]
    Refreshes,
    /// The reference filter ([`ReferenceFilter`](super::ReferenceFilter)) over the times measured from one sampling of the input to
    /// the next, kept to be compared with. After a wait for input, and wherever pacing starts anew, the step is that of
    /// [`Refreshes`](Self::Refreshes), and the filter does not see it. Cut like raw ones.
    Reference(Alpha),
    /// Those times as they are, up to [`LONGEST_STEP`](super::LONGEST_STEP) or two intervals, where that is longer.
    Raw,
}

impl fmt::Display for DeltaTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refreshes => "refreshes",
            Self::Reference(Alpha::OnNew) => "reference",
            Self::Reference(Alpha::OnOld) => "reference-old",
            Self::Raw => "raw",
        })
    }
}

impl FromStr for DeltaTime {
    type Err = &'static str;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let all = [Self::Refreshes, Self::Reference(Alpha::OnNew), Self::Reference(Alpha::OnOld), Self::Raw];
        all.into_iter()
            .find(|d| d.to_string() == s)
            .ok_or("delta time is one of: refreshes, reference, reference-old, raw")
    }
}

impl Pacing {
    /// A fixed rate in frames per second.
    ///
    /// # Errors
    /// When `hz` is not a number between [`Rate::MIN`] and [`Rate::MAX`].
    pub fn fixed(hz: f64) -> Result<Self, ParsePacingError> {
        Rate::new(hz).map(Self::Fixed).ok_or(ParsePacingError::Rate)
    }

    /// Whether frames are planned towards predicted refreshes.
    #[must_use]
    pub const fn follows_display(self) -> bool {
        matches!(self, Self::Auto | Self::LowLatency | Self::Smooth)
    }

    /// Whether frames are meant for a refresh, predicted or just begun, and not for the moment at which they are ready: swapped
    /// with interval 1 where that does no harm, so that nothing tears.
    #[must_use]
    pub const fn shows_at_refreshes(self) -> bool {
        self.follows_display() || matches!(self, Self::Ticker(_))
    }

    /// What the ticker goes by that such a mode has.
    #[must_use]
    pub(super) const fn ticks_by(self) -> Variant {
        match self {
            Self::Ticker(variant) => variant,
            _ => Variant::TickerAlone,
        }
    }

    /// The mode that comes after it where a key goes through them.
    #[must_use]
    pub(crate) const fn next(self) -> Self {
        match self {
            Self::Auto => Self::LowLatency,
            Self::LowLatency => Self::Smooth,
            Self::Smooth => Self::Vsync,
            Self::Vsync => Self::Immediate,
            Self::Immediate | Self::Naive | Self::Ticker(_) | Self::Fixed(_) | Self::Host => Self::Auto,
        }
    }

    /// The share of frames that the mode allows to miss, unless another is declared.
    #[must_use]
    pub fn miss_budget(self) -> MissBudget {
        let share = match self {
            Self::LowLatency => 0.02,
            Self::Smooth => 0.001,
            _ => return MissBudget::default(),
        };
        MissBudget::new(share).unwrap_or_default()
    }
}

/// Frames per second: finite, from [`MIN`](Self::MIN) to [`MAX`](Self::MAX).
#[derive(Copy, Clone, Debug, PartialEq, PartialOrd)]
pub struct Rate(f64);

impl Rate {
    /// Slowest rate, in Hz: one frame in ten seconds.
    pub const MIN: f64 = 0.1;
    /// Fastest rate, in Hz: above it the loop is [`Pacing::Immediate`] in all but name.
    pub const MAX: f64 = 10_000.0;

    /// A rate of `hz` per second, when that is within bounds.
    #[must_use]
    pub fn new(hz: f64) -> Option<Self> {
        (Self::MIN..=Self::MAX).contains(&hz).then_some(Self(hz))
    }

    /// In frames per second.
    #[must_use]
    pub const fn hz(self) -> f64 {
        self.0
    }

    /// The highest rate that keeps a display with a variable refresh rate below its ceiling of `max_hz`, so that it
    /// never falls back to waiting for its own refresh: `R - R^2 / 3600`, which leaves `1 / (3600 - R)` seconds, some 0.3
    /// ms, between frames beyond the display's shortest interval. It is where the low-latency modes of NVIDIA's drivers cap
    /// frames: 138 of 144 Hz. `None` where nothing is left (from 3,600 Hz on) or `max_hz` is no rate.
    #[must_use]
    pub fn below_vrr_ceiling(max_hz: f64) -> Option<Self> {
        Self::new(max_hz - max_hz * max_hz / 3_600.0)
    }

    /// The time from one frame to the next.
    #[must_use]
    pub fn period(self) -> Duration {
        Duration::from_secs_f64(1.0 / self.0)
    }
}

/// Why a pacing mode's text was not understood.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ParsePacingError {
    /// No mode has that name.
    Unknown,
    /// The rate of `fixed=HZ` is not a number in bounds.
    Rate,
}

impl fmt::Display for ParsePacingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => {
                write!(
                    f,
                    "pacing is one of: auto, low-latency, smooth, fixed=HZ, vsync, immediate, naive, ticker+vsync, ticker-alone, \
                     vsync-alone, host"
                )
            }
            Self::Rate => write!(f, "the rate of fixed=HZ is a number from {} to {}", Rate::MIN, Rate::MAX),
        }
    }
}

impl std::error::Error for ParsePacingError {}

impl FromStr for Pacing {
    type Err = ParsePacingError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "auto" => Ok(Self::Auto),
            "low-latency" => Ok(Self::LowLatency),
            "smooth" => Ok(Self::Smooth),
            "vsync" => Ok(Self::Vsync),
            "immediate" => Ok(Self::Immediate),
            "naive" => Ok(Self::Naive),
            "ticker+vsync" => Ok(Self::Ticker(Variant::Both)),
            "ticker-alone" => Ok(Self::Ticker(Variant::TickerAlone)),
            "vsync-alone" => Ok(Self::Ticker(Variant::VsyncAlone)),
            "host" => Ok(Self::Host),
            _ => {
                let hz = s.strip_prefix("fixed=").ok_or(ParsePacingError::Unknown)?;
                Self::fixed(hz.parse().map_err(|_| ParsePacingError::Rate)?)
            }
        }
    }
}

impl fmt::Display for Pacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::LowLatency => f.write_str("low-latency"),
            Self::Smooth => f.write_str("smooth"),
            Self::Vsync => f.write_str("vsync"),
            Self::Immediate => f.write_str("immediate"),
            Self::Naive => f.write_str("naive"),
            Self::Ticker(Variant::Both) => f.write_str("ticker+vsync"),
            Self::Ticker(Variant::TickerAlone) => f.write_str("ticker-alone"),
            Self::Ticker(Variant::VsyncAlone) => f.write_str("vsync-alone"),
            Self::Host => f.write_str("host"),
            Self::Fixed(rate) => write!(f, "fixed={}", rate.hz()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_valid_modes_round_trips() {
        for text in [
            "auto",
            "low-latency",
            "smooth",
            "host",
            "immediate",
            "vsync",
            "fixed=120",
            "fixed=59.94",
            "naive",
            "ticker+vsync",
            "ticker-alone",
            "vsync-alone",
        ] {
            assert_eq!(text.parse::<Pacing>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn delta_times_round_trip_and_nonsense_is_refused() {
        for text in ["refreshes", "reference", "reference-old", "raw"] {
            assert_eq!(text.parse::<DeltaTime>().unwrap().to_string(), text);
        }
        assert!("".parse::<DeltaTime>().is_err() && "Raw".parse::<DeltaTime>().is_err());
    }

    #[test]
    fn cap_below_a_variable_ceiling_leaves_0_3_ms_and_refuses_what_is_no_rate() {
        for (ceiling, cap) in [(60.0, 59.0), (120.0, 116.0), (144.0, 138.24), (240.0, 224.0), (360.0, 324.0)]
        {
            let rate = Rate::below_vrr_ceiling(ceiling).unwrap();
            assert!((rate.hz() - cap).abs() < 1e-9, "{ceiling}: {}", rate.hz());
            let spare = 1.0 / rate.hz() - 1.0 / ceiling;
            assert!((spare - 1.0 / (3_600.0 - ceiling)).abs() < 1e-9, "{ceiling}: {spare}");
        }
        for bad in [0.0, -144.0, 3_600.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Rate::below_vrr_ceiling(bad), None, "{bad}");
        }
    }

    #[test]
    fn parse_nonsense_is_refused() {
        for text in [
            "",
            "fast",
            "fixed",
            "fixed=",
            "fixed=abc",
            "fixed=0",
            "fixed=-5",
            "fixed=NaN",
            "fixed=inf",
            "fixed=1e9",
        ] {
            assert!(text.parse::<Pacing>().is_err(), "{text}");
        }
    }
}
