//! `scanout watch`: the stage times of a program that runs elsewhere, live.

mod frame_csv;
mod list;
mod live;
mod picture;
mod plain;
mod strip;
mod terminal;
mod view;

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;

use scanout::display::sleep;
use scanout::telemetry::shared::AttachError;
use scanout::time::{Clock as _, MonotonicClock};

use super::{Failure, output};
use live::Live;

#[derive(Clone, Debug, Args)]
pub struct WatchArgs {
    /// What the program was started with as `--telemetry NAME`; without it: lists what runs
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Write every frame to a file, one line each
    #[arg(long, value_name = "FILE.csv", requires = "name")]
    pub csv: Option<PathBuf>,
    /// Print the figures once and end: of the newest 512 frames that the program's table has
    #[arg(long, requires = "name", conflicts_with = "plain")]
    pub once: bool,
    /// Print a line each second until the program ends, and then the figures; the choice where the output is no terminal
    #[arg(long, requires = "name")]
    pub plain: bool,
    /// Watch for so long and end; with --once: collect for so long, only what comes meanwhile
    #[arg(long, value_name = "S", requires = "name", value_parser = seconds)]
    pub seconds: Option<Duration>,
    /// Wait for the program to start
    #[arg(long, requires = "name")]
    pub wait: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let span = text.parse().ok().and_then(|s: f64| Duration::try_from_secs_f64(s).ok());
    span.filter(|s| *s <= Duration::from_secs(366 * 86_400)).ok_or_else(|| "a number of seconds".into())
}

pub fn run(args: &WatchArgs) -> Result<(), Failure> {
    let Some(name) = &args.name else {
        return print(&list::lines().map_err(|e| refused(&e))?);
    };
    let mut live =
        Live::new(name, args.wait, args.once && args.seconds.is_none()).map_err(|e| refused(&e))?;
    if let Some(path) = &args.csv {
        live.log_to(path)?;
    }
    let stop = Stop::install();
    let ended = if args.once {
        plain::once(&mut live, args.seconds, &stop)
    } else if args.plain || !io::stdout().is_terminal() {
        plain::follow(&mut live, args.seconds, &stop)
    } else {
        terminal::follow(&mut live, args.seconds, &stop)
    };
    ended.and(live.close())
}

/// What cannot be attached to is wrong usage: another name, another version, nothing that runs.
fn refused(error: &AttachError) -> Failure {
    let hint =
        if matches!(error, AttachError::NotThere(_)) { "; `scanout watch` lists what runs" } else { "" };
    Failure::Usage(format!("{error}{hint}"))
}

/// Prints lines; whoever closed the pipe has read enough.
fn print(lines: &[String]) -> Result<(), Failure> {
    let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    output::print(&text).map_err(Failure::from)
}

/// How long after a signal the program gives up on a terminal that does not answer.
const GIVE_UP: Duration = Duration::from_secs(3);

/// Ctrl-C and SIGTERM end it in order: the terminal as it was, the file whole.
#[derive(Clone, Debug, Default)]
struct Stop(Arc<AtomicBool>);

impl Stop {
    fn install() -> Self {
        let stop = Self::default();
        let seen = Arc::clone(&stop.0);
        let handler = move || {
            seen.store(true, Ordering::Relaxed);
            // This is the handler's own thread: it may wait. A watch that ends in order ends the process before.
            sleep::until(MonotonicClock.now() + GIVE_UP);
            // The main thread hangs with all that `exit` would wait for.
            scanout::window::end_process(1)
        };
        if let Err(e) = ctrlc::set_handler(handler) {
            log::warn!("Ctrl-C will end the program at once: {e}");
        }
        stop
    }

    fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
