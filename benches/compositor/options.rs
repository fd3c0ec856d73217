//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::common::{names, options, read, times};

pub struct Options {
    pub parts: String,
    pub rounds: usize,
    pub seconds: f64,
    pub clicks: usize,
    pub stop_seconds: f64,
    pub report: Option<PathBuf>,
    pub only: Option<String>,
    pub raise: bool,
    /// Another build of scanout, to take part beside this one.
    pub other: Option<PathBuf>,
}

const PARTS: [&str; 7] = ["animate", "click", "drag", "headless", "hidden", "stop", "sweep"];

/// A number of seconds that a bench may take.
fn seconds(value: &str) -> Result<f64, String> {
    let seconds = read(value).ok().filter(|s: &f64| (0.1..=3_600.0).contains(s));
    seconds.ok_or_else(|| "0.1 to 3600 seconds".into())
}

impl Options {
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut o = Self {
            parts: "animate,click,drag,headless,hidden,stop".into(),
            rounds: 2,
            seconds: 3.0,
            clicks: 25,
            stop_seconds: 10.0,
            report: None,
            only: None,
            raise: false,
            other: None,
        };
        options(arguments, |name, value| {
            match name {
                "--parts" => o.parts = names(value, &PARTS)?.join(","),
                "--rounds" => o.rounds = times(value)?,
                "--seconds" => o.seconds = seconds(value)?,
                "--clicks" => o.clicks = read(value)?,
                "--stop-seconds" => o.stop_seconds = seconds(value)?,
                "--report" => o.report = Some(value.into()),
                "--only" => o.only = Some(value.into()),
                "--raise" => o.raise = value == "yes",
                "--other" => o.other = Some(value.into()),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(o)
    }

    pub fn part(&self, name: &str) -> bool {
        self.parts.split(',').any(|part| part == name)
    }

    pub fn span(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}
