//! Where a scenario is displayed.

use std::fmt;
use std::str::FromStr;

use scanout::pacing::FASTEST_HZ;

/// A display, real or not, that a scenario runs on.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Place {
    /// An X server of our own without a monitor, whose swaps nothing throttles.
    Xvfb,
    /// A compositor of our own inside such a server: 60 Hz, with presentation times.
    SwayNested,
    /// A compositor of our own without any display, at a nominal rate.
    SwayHeadless(u32),
    /// No display at all but a simulated one of this rate.
    Headless(f64),
    /// The display that the environment names. Nothing is injected there.
    Desktop,
}

impl Place {
    /// The rate that it refreshes at by its name; `None` where only the display knows.
    pub fn nominal_hz(self) -> Option<f64> {
        match self {
            Self::Xvfb | Self::SwayNested => Some(60.0),
            Self::SwayHeadless(hz) => Some(f64::from(hz)),
            Self::Headless(hz) => Some(hz),
            Self::Desktop => None,
        }
    }

    /// What a result calls it, without its rate.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Xvfb => "xvfb",
            Self::SwayNested => "sway-nested",
            Self::SwayHeadless(_) => "sway-headless",
            Self::Headless(_) => "headless",
            Self::Desktop => "desktop",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Self::SwayHeadless(hz) => write!(f, "={hz}"),
            Self::Headless(hz) => write!(f, "={hz}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, hz) = text.split_once('=').map_or((text, None), |(name, hz)| (name, Some(hz)));
        let bad_rate = || format!("place {text:?}: a refresh rate is a number from 1 to {FASTEST_HZ}");
        match (name, hz) {
            ("xvfb", None) => Ok(Self::Xvfb),
            ("sway-nested", None) => Ok(Self::SwayNested),
            ("desktop", None) => Ok(Self::Desktop),
            ("sway-headless", Some(hz)) => {
                let hz = hz.parse().ok().filter(|hz| (1..=FASTEST_HZ as u32).contains(hz));
                hz.map(Self::SwayHeadless).ok_or_else(bad_rate)
            }
            ("headless", Some(hz)) => {
                let hz = hz.parse().ok().filter(|hz| (1.0..=FASTEST_HZ).contains(hz));
                hz.map(Self::Headless).ok_or_else(bad_rate)
            }
            _ => Err(format!(
                "no place is called {text:?}; there are: xvfb, sway-nested, sway-headless=HZ, headless=HZ, desktop"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_read_as_it_is_written() {
        for text in ["xvfb", "sway-nested", "sway-headless=120", "headless=59.94", "headless=240", "desktop"]
        {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "x11",
            "headless",
            "headless=0",
            "headless=inf",
            "headless=x",
            "xvfb=60",
            "sway-headless=5000",
        ] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
