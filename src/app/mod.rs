//! The program: command line, run, report, HUD.

mod apart;
mod belongs;
#[cfg(target_os = "linux")]
mod bench;
mod cli;
mod doctor;
mod environment;
mod explain;
#[cfg(target_os = "linux")]
mod held;
mod hud;
mod interrupt;
#[cfg(target_os = "linux")]
mod keeper;
mod load;
mod log;
mod number;
mod output;
mod palette;
mod photon;
mod plain_file;
mod plot;
mod profile;
mod puffin_file;
mod refusal;
mod report;
mod run;
mod self_check;
mod sim;
mod synthetic;
mod timeline;
mod trace;
mod usage;
mod variable_rate;
#[cfg(target_os = "linux")]
mod watch;

use std::backtrace::Backtrace;
use std::error::Error as StdError;
use std::io::ErrorKind;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use self::cli::{Cli, Command};

/// Why the program ends with an exit code other than 0.
#[derive(Debug)]
pub enum Failure {
    /// Wrong usage: exit code 2.
    Usage(String),
    /// The run failed: exit code 1.
    Run(scanout::Error),
    /// The run failed, or what was measured is not what was asked for, in words: exit code 1.
    #[cfg_attr(
        not(target_os = "linux"),
        allow(dead_code, reason = "what measures other programs runs on Linux")
    )]
    Failed(String),
    /// Another process of this program has said why already: its exit code.
    #[cfg(target_os = "linux")]
    Told(u8),
}

impl From<scanout::Error> for Failure {
    fn from(error: scanout::Error) -> Self {
        match error {
            scanout::Error::Config(text) => Self::Usage(text),
            // The file of `--scene`: nothing else of a run reads one.
            error @ scanout::Error::Model(_) => Self::unusable(&error),
            error => Self::Run(error),
        }
    }
}

impl Failure {
    /// A path on the command line that cannot be used, whether it is to be read or written, is wrong usage: it is found before
    /// anything runs. A file that could be written at first and cannot in the end is a run that failed.
    pub fn unusable(error: &scanout::Error) -> Self {
        Self::Usage(with_causes(error))
    }
}

/// Parses the command line and does what it says.
pub fn main() -> Result<(), Failure> {
    #[cfg(target_os = "linux")]
    interrupt::leave_hangups_to_nohup();
    let cli = parse()?;
    environment::check(&cli)?;
    let args = match cli.command {
        Some(Command::Run(args)) => args,
        Some(Command::Sim(args)) => {
            log::init(log::Wanted::of(args.quiet));
            return sim::run(&args);
        }
        #[cfg(target_os = "linux")]
        Some(Command::Bench(args)) => {
            let starts = !args.list && args.print_suite.is_none();
            return keeper::keep(starts, args.quiet, || bench::run(&args));
        }
        Some(Command::Doctor(args)) => {
            // What the loop would say of its sources is in the lines.
            log::init(log::Wanted::of(true));
            silence_panics();
            return doctor::run(&args);
        }
        Some(Command::Explain(args)) => {
            log::init(log::Wanted::of(false));
            return explain::run(&args);
        }
        #[cfg(not(target_os = "linux"))]
        Some(Command::Photon(args)) => return photon::run(&args),
        #[cfg(target_os = "linux")]
        Some(Command::Photon(args)) => {
            let starts = args.floor_client.is_none();
            return keeper::keep(starts, args.quiet, || photon::run(&args));
        }
        #[cfg(target_os = "linux")]
        Some(Command::Report(args)) => {
            log::init(log::Wanted::of(false));
            return bench::report_cmd::run(&args);
        }
        #[cfg(target_os = "linux")]
        Some(Command::Watch(args)) => {
            log::init(log::Wanted::of(false));
            return watch::run(&args);
        }
        None => cli.run,
    };
    log::init(log::Wanted { quiet: args.quiet, verbose: args.verbose, shaders: args.shaders.is_some() });
    silence_panics();
    run::run(&args)
}

/// The command line. Help is printed here: the end of the program, unless it cannot be written.
fn parse() -> Result<Cli, Failure> {
    let command = refusal::with_negative_numbers(Cli::command());
    let matches = command.clone().try_get_matches();
    let parsed = matches.and_then(|matches| Cli::from_arg_matches(&matches).map(|cli| (cli, matches)));
    let parsed = parsed.or_else(|end| {
        if end.use_stderr() {
            return Err(Failure::Usage(refusal::line(&end, &command)));
        }
        match end.print() {
            Err(source) if source.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::from(output::cannot_print(source)))
            }
            _ => std::process::exit(end.exit_code()),
        }
    });
    let (cli, matches) = parsed?;
    if let (Some(Command::Photon(args)), Some((_, photon))) = (&cli.command, matches.subcommand()) {
        belongs::to_mode(photon, args.mode).map_err(Failure::Usage)?;
    }
    Ok(cli)
}

/// Panics become errors with the message; where they happened is for those who look for it (RUST_LOG=debug).
fn silence_panics() {
    std::panic::set_hook(Box::new(|panic| ::log::debug!("{panic}\n{}", Backtrace::capture())));
}

/// Says what went wrong, in one line with its causes, and gives the exit code.
pub fn fail(failure: &Failure) -> ExitCode {
    match failure {
        Failure::Usage(text) => {
            output::complain(&format!("scanout: {text}"));
            ExitCode::from(2)
        }
        #[cfg(target_os = "linux")]
        Failure::Told(code) => ExitCode::from(*code),
        Failure::Failed(text) => {
            output::complain(&format!("scanout: {text}"));
            ExitCode::from(1)
        }
        Failure::Run(error) => {
            output::complain(&format!("scanout: {}", with_causes(error)));
            ExitCode::from(1)
        }
    }
}

/// An error with its causes, in one line.
fn with_causes(error: &scanout::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        // Some texts have that of their cause in them already.
        let more = e.to_string();
        if !text.contains(&more) {
            text.push_str(&format!(": {more}"));
        }
        cause = e.source();
    }
    text.replace('\n', " ")
}
