use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// Most busy threads: beyond some per core they only wait for each other.
const MOST_BUSY: u32 = 256;
/// Longest GPU work per frame and longest spike, in milliseconds. More would look like a hang.
const MOST_MS: f64 = 1_000.0;
/// Most updates from one spike to the next.
const MOST_EVERY: u32 = 1_000_000;

/// Extra load, as `--load busy=2,memory=256,gpu=4,spike=6/20` names it. Parts that are left out are none; the empty text
/// is no load at all.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct LoadSpec {
    /// Threads that never rest.
    pub busy: u32,
    /// MiB that a thread touches again and again.
    pub memory_mib: u32,
    /// What the GPU is given to do in each frame besides the scene. Whole microseconds.
    pub gpu: Duration,
    /// Updates of the logic that take longer.
    pub spike: Option<Spike>,
}

/// Every so many updates of the logic one that takes longer.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Spike {
    /// How much longer, in whole microseconds.
    pub burns: Duration,
    /// One in so many.
    pub every: NonZeroU32,
}

/// Why a load's text was not understood.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ParseLoadError {
    /// No load has that name.
    Unknown(String),
    /// It stands there twice.
    Twice(&'static str),
    /// The value of this one cannot be meant.
    Value(&'static str),
}

impl fmt::Display for ParseLoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => {
                write!(
                    f,
                    "no load is called {name:?}; there are: busy=THREADS, memory=MIB, gpu=MS, spike=MS/UPDATES"
                )
            }
            Self::Twice(name) => write!(f, "the load {name} stands there twice"),
            Self::Value("busy") => write!(f, "busy= is a number of threads from 0 to {MOST_BUSY}"),
            Self::Value("memory") => write!(f, "memory= is a whole number of MiB"),
            Self::Value("gpu") => write!(f, "gpu= is a time from 0 to {MOST_MS} ms"),
            Self::Value(_) => write!(
                f,
                "spike= is written like 6/20: 6 ms in one of 20 updates (up to {MOST_MS} ms, {MOST_EVERY} updates)"
            ),
        }
    }
}

impl std::error::Error for ParseLoadError {}

impl LoadSpec {
    /// Nothing besides the scene.
    pub const fn is_none(&self) -> bool {
        self.busy == 0 && self.memory_mib == 0 && self.gpu.is_zero() && self.spike.is_none()
    }
}

impl FromStr for LoadSpec {
    type Err = ParseLoadError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut spec = Self::default();
        let mut seen = Vec::new();
        for part in text.split(',').filter(|_| !text.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let known = ["busy", "memory", "gpu", "spike"].into_iter().find(|known| *known == name);
            let name = known.ok_or_else(|| ParseLoadError::Unknown(name.to_owned()))?;
            if seen.contains(&name) {
                return Err(ParseLoadError::Twice(name));
            }
            seen.push(name);
            let number = || value.parse::<u32>().ok();
            let understood = match name {
                "busy" => number().filter(|n| *n <= MOST_BUSY).map(|n| spec.busy = n),
                "memory" => number().map(|mib| spec.memory_mib = mib),
                "gpu" => milliseconds(value).map(|gpu| spec.gpu = gpu),
                _ => spike(value).map(|spike| spec.spike = spike),
            };
            understood.ok_or(ParseLoadError::Value(name))?;
        }
        Ok(spec)
    }
}

impl fmt::Display for LoadSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        let mut part = |text: fmt::Arguments<'_>| {
            let written = write!(f, "{comma}{text}");
            comma = ",";
            written
        };
        if self.busy > 0 {
            part(format_args!("busy={}", self.busy))?;
        }
        if self.memory_mib > 0 {
            part(format_args!("memory={}", self.memory_mib))?;
        }
        if !self.gpu.is_zero() {
            part(format_args!("gpu={}", ms(self.gpu)))?;
        }
        if let Some(Spike { burns, every }) = self.spike {
            part(format_args!("spike={}/{every}", ms(burns)))?;
        }
        Ok(())
    }
}

fn ms(span: Duration) -> f64 {
    span.as_micros() as f64 / 1e3
}

fn milliseconds(text: &str) -> Option<Duration> {
    let ms = text.parse().ok().filter(|ms| (0.0..=MOST_MS).contains(ms))?;
    Some(Duration::from_micros((ms * 1e3_f64).round() as u64))
}

/// A spike of no length is none.
fn spike(text: &str) -> Option<Option<Spike>> {
    let (burns, every) = text.split_once('/')?;
    let burns = milliseconds(burns)?;
    let every = NonZeroU32::new(every.parse().ok()?).filter(|n| n.get() <= MOST_EVERY)?;
    Some((!burns.is_zero()).then_some(Spike { burns, every }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_as_the_same_load() {
        for text in [
            "",
            "busy=2",
            "memory=256",
            "gpu=4",
            "gpu=0.125",
            "spike=6/20",
            "busy=2,memory=256,gpu=4.5,spike=6/20",
        ] {
            let spec: LoadSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), text);
            assert_eq!(spec.is_none(), text.is_empty(), "{text}");
        }
        let spec: LoadSpec = "spike=6/20,gpu=1e0,busy=0".parse().unwrap();
        assert_eq!(spec.to_string(), "gpu=1,spike=6/20", "one form, whatever the order");
        assert_eq!("spike=0/20".parse(), Ok(LoadSpec::default()));
    }

    #[test]
    fn nonsense_is_refused_in_one_line_that_says_what_is_right() {
        for (text, part) in [
            ("cpu=2", "busy=THREADS"),
            (",", "there are"),
            ("busy=2,", "there are"),
            ("busy", "threads"),
            ("busy=-1", "threads"),
            ("busy=257", "256"),
            ("busy=1,busy=2", "twice"),
            ("memory=1.5", "MiB"),
            ("gpu=NaN", "ms"),
            ("gpu=1001", "1000"),
            ("spike=6", "6/20"),
            ("spike=6/0", "6/20"),
            ("spike=/2", "6/20"),
        ] {
            let said = text.parse::<LoadSpec>().unwrap_err().to_string();
            assert!(said.contains(part) && !said.contains('\n'), "{text}: {said}");
        }
    }
}
