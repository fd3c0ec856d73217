//! How much a picture may cost.

use std::fmt;
use std::str::FromStr;

/// How a model is shaded.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Quality {
    /// One sun and a sky, the same for every material, straight to the surface: the least latency.
    Off,
    /// Metal and roughness under lights and surroundings, without shadows.
    Low,
    /// The same with the shadow of the main light.
    High,
}

impl Quality {
    /// What is written for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Low => "low",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What is wished of the picture of a model. The scenes that measure latency have none of it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// `None`: high; where the processor draws off, or low if several samples are asked for.
    pub quality: Option<Quality>,
    /// Samples per pixel; 1 is none but the pixel's own. `None`: four where the quality is high and a GPU draws.
    /// [`Quality::Off`] has always one.
    pub samples: Option<u32>,
}

/// Most samples per pixel that can be asked for; drivers may have less.
pub const MAX_SAMPLES: u32 = 16;

impl Look {
    /// Reads `auto` or the name of a quality.
    ///
    /// # Errors
    /// One line with the names.
    pub fn parse_quality(text: &str) -> Result<Option<Quality>, String> {
        match text {
            "auto" => Ok(None),
            _ => text.parse().map(Some),
        }
    }

    /// What comes of the wishes where `software` says that the processor draws.
    #[must_use]
    pub fn resolved(&self, software: bool) -> (Quality, u32) {
        // Where the processor draws it would take the time that frames are paced in; samples ask for more than the plain picture.
        let automatic = match self.samples {
            _ if !software => Quality::High,
            Some(2..) => Quality::Low,
            _ => Quality::Off,
        };
        let quality = self.quality.unwrap_or(automatic);
        let samples = self.samples.unwrap_or(if quality == Quality::High && !software { 4 } else { 1 });
        (quality, if quality == Quality::Off { 1 } else { samples.clamp(1, MAX_SAMPLES) })
    }
}

impl FromStr for Quality {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Off, Self::Low, Self::High];
        let found = all.into_iter().find(|q| q.name() == text);
        found.ok_or_else(|| "a quality is auto, off, low or high".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_rasterisers_get_less_unless_more_is_asked_for() {
        let look = |quality, samples| Look { quality, samples };
        for (wish, software, expected) in [
            (look(None, None), true, (Quality::Off, 1)),
            (look(None, Some(1)), true, (Quality::Off, 1)),
            (look(None, None), false, (Quality::High, 4)),
            (look(Some(Quality::High), None), true, (Quality::High, 1)),
            (look(Some(Quality::Low), None), false, (Quality::Low, 1)),
            (look(None, Some(8)), true, (Quality::Low, 8)),
            (look(None, Some(0)), false, (Quality::High, 1)),
            (look(Some(Quality::Off), Some(8)), false, (Quality::Off, 1)),
            (look(None, Some(1000)), false, (Quality::High, MAX_SAMPLES)),
        ] {
            assert_eq!(wish.resolved(software), expected, "{wish:?}, {software}");
        }
    }

    #[test]
    fn names_are_read_back_and_nonsense_is_refused_with_them() {
        for quality in [Quality::Off, Quality::Low, Quality::High] {
            assert_eq!(Look::parse_quality(quality.name()), Ok(Some(quality)));
        }
        assert_eq!(Look::parse_quality("auto"), Ok(None));
        assert!(Look::parse_quality("best").unwrap_err().contains("auto, off, low or high"));
    }
}
