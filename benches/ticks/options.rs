//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::common::{names, options, read, times};
use crate::contender::{Load, NAMES};

pub struct Options {
    pub rounds: usize,
    /// How long each program is watched in each turn.
    pub span: Duration,
    pub report: Option<PathBuf>,
    only: Vec<String>,
    loads: Vec<String>,
}

/// Longer turns than this, and the processes that burden the machine would end within a round.
const LONGEST_TURN: f64 = 30.0;

impl Options {
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut o = Self {
            rounds: 3,
            span: Duration::from_secs(3),
            report: None,
            only: Vec::new(),
            loads: Vec::new(),
        };
        options(arguments, |name, value| {
            match name {
                "--rounds" => o.rounds = times(value)?,
                "--seconds" => {
                    let seconds: f64 = read(value)?;
                    if !(1.0..=LONGEST_TURN).contains(&seconds) {
                        return Err(format!("1 to {LONGEST_TURN}"));
                    }
                    o.span = Duration::from_secs_f64(seconds);
                }
                "--report" => o.report = Some(value.into()),
                "--only" => o.only = names(value, &NAMES)?,
                "--load" => o.loads = names(value, &Load::ALL.map(Load::name))?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(o)
    }

    pub fn wants(&self, program: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|one| one == program)
    }

    pub fn wants_load(&self, load: Load) -> bool {
        self.loads.is_empty() || self.loads.iter().any(|one| one == load.name())
    }
}
