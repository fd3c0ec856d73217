//! The command line.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

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
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            if name == "--bench" {
                continue; // from cargo
            }
            let value = rest.next().ok_or_else(|| format!("{name}: no value"))?;
            let wrong = |e: &dyn std::fmt::Display| format!("{name} {value}: {e}");
            match name.as_str() {
                "--rounds" => o.rounds = value.parse::<NonZero<usize>>().map_err(|e| wrong(&e))?.get(),
                "--seconds" => {
                    let seconds: f64 = value.parse().map_err(|e| wrong(&e))?;
                    if !(1.0..=LONGEST_TURN).contains(&seconds) {
                        return Err(wrong(&format!("1 to {LONGEST_TURN}")));
                    }
                    o.span = Duration::from_secs_f64(seconds);
                }
                "--report" => o.report = Some(value.into()),
                "--only" => o.only = list(value, &NAMES).map_err(|e| wrong(&e))?,
                "--load" => o.loads = list(value, &Load::ALL.map(Load::name)).map_err(|e| wrong(&e))?,
                _ => return Err(format!("{name}: unknown")),
            }
        }
        Ok(o)
    }

    pub fn wants(&self, program: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|one| one == program)
    }

    pub fn wants_load(&self, load: Load) -> bool {
        self.loads.is_empty() || self.loads.iter().any(|one| one == load.name())
    }
}

/// Names with commas between them, each one of `known`.
fn list(value: &str, known: &[&str]) -> Result<Vec<String>, String> {
    let names: Vec<String> = value.split(',').map(Into::into).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("there is no `{name}`, but {}", known.join(", "))),
        None => Ok(names),
    }
}
