//! `scanout doctor`: what this machine can do for a picture in time. Each probe looks at one thing and writes lines.

mod compositor;
mod display;
mod environment;
mod frames;
mod graphics;
mod line;
mod machine;
mod phases;
mod priority;
mod processor;
mod swap;
mod text;
mod timer;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use scanout::Error;

use self::line::{Group, Line, State};
use self::phases::Found;
use super::cli::Display;
use super::{Failure, interrupt, output};

/// The version of the JSON below; it changes when a field changes its meaning or goes away.
const SCHEMA: &str = "scanout.doctor/1";

/// A window, a context and their threads end first, which takes some time on a busy machine: as long as `run` gives them.
const UNHEARD: Duration = Duration::from_secs(3);
/// For a probe that is under way when the user has had enough: none takes longer.
const WIND_UP: Duration = Duration::from_secs(2);

/// Half of the findings would be told as if they were all.
const LAST_WORDS: &str = "scanout: stopped before everything was looked at, so nothing is told or written; the display does not answer";

#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    /// What to draw to
    #[arg(long, value_enum, default_value_t)]
    pub display: Display,
    /// Look for 3 seconds instead of 8: rare things are missed
    #[arg(long)]
    pub quick: bool,
    /// Write what was found to a file, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Print nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
}

/// What was found, for programs.
#[derive(Debug, Serialize)]
struct Report<'a> {
    schema: &'static str,
    scanout: &'static str,
    quick: bool,
    /// What was drawn to: `window`, `headless`, or `none`.
    place: &'static str,
    /// How many lines there are of each state.
    counts: text::Counts,
    lines: &'a [Line],
}

pub fn run(args: &DoctorArgs) -> Result<(), Failure> {
    args.json.as_deref().map(output::check).transpose()?;
    interrupt::install(UNHEARD, WIND_UP, LAST_WORDS);
    // What the system does by itself is looked at before the drawing adds to it.
    let others = processor::Load::before();
    let Found { outcome, place, fell_back } = phases::measure(args)?;
    go_on()?;
    let mut lines = Vec::new();
    let error = match outcome {
        Ok(measured) => {
            graphics::lines(&measured, &mut lines);
            display::lines(&measured, &mut lines);
            swap::lines(&measured, &mut lines);
            frames::lines(&measured, &mut lines);
            measured.cut_short
        }
        Err(error) => {
            lines.push(nothing_opened(&error));
            Some(error)
        }
    };
    if let Some(error) = &fell_back {
        lines.insert(0, no_window(error));
    }
    // Threads that a dead display server has left inside the driver may crash there: what is known is told at once.
    if matches!(error, Some(Error::DisplayLost { .. })) {
        lines.push(left_out());
    } else {
        timer::lines(args.quick, &mut lines);
        go_on()?;
        priority::lines(&mut lines);
        processor::lines(&others, &mut lines);
        machine::lines(&mut lines);
        compositor::lines(&mut lines);
        environment::lines(&mut lines);
    }
    lines.sort_by_key(|line| line.group);
    go_on()?;
    tell(args, place, &lines)?;
    error.map_or(Ok(()), |error| Err(Failure::Run(error)))
}

/// Prints the lines, and writes them where that was asked for.
fn tell(args: &DoctorArgs, place: &'static str, lines: &[Line]) -> Result<(), Failure> {
    let report = Report {
        schema: SCHEMA,
        scanout: env!("CARGO_PKG_VERSION"),
        quick: args.quick,
        place,
        counts: text::Counts::of(lines),
        lines,
    };
    if !args.quiet {
        output::print_coloured(&text::page(lines, std::io::stdout().is_terminal()))?;
    }
    if let Some(path) = &args.json {
        let mut text = serde_json::to_string_pretty(&report).expect("plain data");
        text.push('\n');
        output::write(path, text.as_bytes())?;
    }
    Ok(())
}

/// Of half a look nothing is told.
fn go_on() -> Result<(), Failure> {
    if interrupt::seen() {
        Err(Failure::Failed("stopped before everything was looked at, so nothing is told or written".into()))
    } else {
        Ok(())
    }
}

fn nothing_opened(error: &Error) -> Line {
    Line::new(Group::Graphics, "opened", "OpenGL", State::Problem, format!("nothing could be drawn: {error}"))
        .advise("look at DISPLAY and WAYLAND_DISPLAY, and at whether a driver is installed (Mesa: libgl1-mesa-dri)")
}

fn left_out() -> Line {
    let text = "the display was lost: what stands here is from before, and the rest was not looked at";
    Line::new(Group::Display, "lost", "lost", State::Problem, text.to_owned())
        .advise("start it again when the display is back")
}

fn no_window(error: &Error) -> Line {
    let line = |text| Line::new(Group::Graphics, "window", "window", State::Problem, text);
    if matches!(error, Error::ThreadStuck { .. }) {
        return line(format!("it was opened, and nothing of it was shown: {error}"))
            .advise("leave it in view: on Wayland a swap that waits blocks for as long as a window is hidden. What follows was measured off screen");
    }
    line(format!("none could be opened: {error}"))
        .advise("what follows was measured off screen, which says nothing of a display")
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
