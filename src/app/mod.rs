//! The program: command line, run, report, HUD.

mod cli;
mod hud;
mod log;
mod output;
mod profile;
mod report;
mod run;

use std::error::Error as StdError;
use std::process::ExitCode;

use clap::Parser as _;

use self::cli::{Cli, Command};

/// Why the program ends with an exit code other than 0.
#[derive(Debug)]
pub enum Failure {
    /// Wrong usage: exit code 2.
    Usage(String),
    /// The run failed: exit code 1.
    Run(scanout::Error),
}

impl From<scanout::Error> for Failure {
    fn from(error: scanout::Error) -> Self {
        match error {
            scanout::Error::Config(text) => Self::Usage(text),
            error => Self::Run(error),
        }
    }
}

/// Parses the command line and does what it says.
pub fn main() -> Result<(), Failure> {
    let cli = Cli::parse();
    log::init(cli.run.quiet);
    match cli.command {
        Some(Command::Run(args)) => run::run(&args),
        None => run::run(&cli.run),
    }
}

/// Says what went wrong, in one line with its causes, and gives the exit code.
#[allow(clippy::print_stderr, reason = "this is the program's one place for errors")]
pub fn fail(failure: &Failure) -> ExitCode {
    match failure {
        Failure::Usage(text) => {
            eprintln!("scanout: {text}");
            ExitCode::from(2)
        }
        Failure::Run(error) => {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(e) = cause {
                text.push_str(&format!(": {e}"));
                cause = e.source();
            }
            eprintln!("scanout: {}", text.replace('\n', " "));
            ExitCode::from(1)
        }
    }
}
