//! The command line.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

pub struct Options {
    pub parts: String,
    pub rounds: usize,
    pub seconds: f64,
    pub clicks: usize,
    pub stop_seconds: f64,
    pub report: Option<PathBuf>,
    pub only: Option<String>,
    pub raise: bool,
}

const PARTS: [&str; 7] = ["animate", "click", "drag", "headless", "hidden", "stop", "sweep"];

/// A number of seconds that a bench may take.
fn seconds(value: &str) -> Result<f64, String> {
    let seconds = value.parse().ok().filter(|s: &f64| (0.1..=3_600.0).contains(s));
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
        };
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            if name == "--bench" {
                continue; // from cargo
            }
            let value = rest.next().ok_or_else(|| format!("{name}: no value"))?;
            let wrong = |e: &dyn std::fmt::Display| format!("{name} {value}: {e}");
            match name.as_str() {
                "--parts" => match value.split(',').find(|part| !PARTS.contains(part)) {
                    Some(part) => {
                        return Err(wrong(&format!("there is no `{part}`, but {}", PARTS.join(", "))));
                    }
                    None => o.parts.clone_from(value),
                },
                "--rounds" => o.rounds = value.parse::<NonZero<usize>>().map_err(|e| wrong(&e))?.get(),
                "--seconds" => o.seconds = seconds(value).map_err(|e| wrong(&e))?,
                "--clicks" => o.clicks = value.parse().map_err(|e| wrong(&e))?,
                "--stop-seconds" => o.stop_seconds = seconds(value).map_err(|e| wrong(&e))?,
                "--report" => o.report = Some(value.into()),
                "--only" => o.only = Some(value.clone()),
                "--raise" => o.raise = value == "yes",
                _ => return Err(format!("{name}: unknown")),
            }
        }
        Ok(o)
    }

    pub fn part(&self, name: &str) -> bool {
        self.parts.split(',').any(|part| part == name)
    }

    pub fn span(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}
