use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use scanout::Size;
use scanout::gl::{DebugLevel, GpuTiming, ProgramCache};
use scanout::pacing::{DeltaTime, FASTEST_HZ, Layout, LayoutChoice, MissBudget, Pacing, Rate, VrrRange};
use scanout::scenes::{Look, MAX_INSTANCES, MAX_SAMPLES, Quality, Scene};

use super::environment::SHADER_CACHE;
use super::load::LoadSpec;
use super::number::whole;
use super::photon::PhotonArgs;
#[cfg(target_os = "linux")]
use super::watch::WatchArgs;

/// The options of `run` may stand without its name, and are listed by `scanout run -h` alone.
const TOP: &str = "{about}

{usage-heading} scanout <COMMAND> [OPTIONS]
       scanout [OPTIONS of run]

Commands:
{subcommands}
{after-help}
";
/// What to try first.
const EXAMPLES: &str = "\
`scanout <COMMAND> -h` lists the options of a command, `--help` explains them.

Examples:
  scanout                                    a model in a window, until Escape
  scanout --scene swarm --seconds 10 --hud   10,000 instances for ten seconds, with live figures
  scanout photon -- PROGRAM                  from a press to the changed pixel, of any program";

/// A real-time OpenGL renderer whose every frame is timed from input to scanout.
#[derive(Debug, Parser)]
#[command(version, about, args_conflicts_with_subcommands = true, help_template = TOP, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant, reason = "there is one for the whole program")]
pub enum Command {
    /// Draw a scene and report its latency (the default).
    Run(RunArgs),
    /// Compare pacing policies on displays that do not exist
    Sim(SimArgs),
    /// Measure scenarios, hold them against a budget, compare them
    #[cfg(target_os = "linux")]
    Bench(super::bench::BenchArgs),
    /// Say what this machine can do for a picture in time, and what stands in its way
    Doctor(super::doctor::DoctorArgs),
    /// Say what made the late frames of a run late, from its `--trace FILE.json`
    Explain(ExplainArgs),
    /// Measure any program from outside: from a press to the changed pixel, display intervals, lag while dragging
    Photon(PhotonArgs),
    #[cfg(target_os = "linux")]
    /// Make a page, a table or a comparison of a stored result of `bench`
    Report(super::bench::report_cmd::ReportArgs),
    /// Show the stage times of a program that runs with `--telemetry NAME`, live
    #[cfg(target_os = "linux")]
    Watch(WatchArgs),
}

#[derive(Clone, Debug, Args)]
pub struct SimArgs {
    /// Displays, several by commas, or `all`: 59.94, 60, 120, 143.98, 240, vrr, compositor, damage, queue, jittery, stalls,
    /// mode-change (-59.94 and -144), suspend, occluded
    #[arg(long, value_name = "NAME,..", value_delimiter = ',', num_args = 1.., default_value = "60")]
    pub display: Vec<String>,
    /// Workloads, or `all`: constant, noisy, tailed, step, spikes, gpu-bound, heavy, overload, recorded:FILE
    #[arg(long, value_name = "NAME,..", value_delimiter = ',', num_args = 1.., default_value = "noisy")]
    pub workload: Vec<String>,
    /// Policies, or `all`: auto, low-latency, smooth, and what other programs do; the rest by name
    #[arg(long, value_name = "NAME,..", value_delimiter = ',', num_args = 1.., default_value = "all")]
    pub policy: Vec<String>,
    /// What each policy would have made of the frames of `scanout run --record`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["display", "workload"])]
    pub replay: Option<PathBuf>,
    /// Frames of each run, those of the warm-up among them (default: 50000; a replay: those of the trace)
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=u64::MAX))]
    pub frames: Option<u64>,
    /// Frames at the start that are left out of all figures (default: 300; a replay: a tenth)
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=u64::MAX))]
    pub warmup: Option<u64>,
    /// What chance is drawn from: the same seed gives the same figures
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = whole::<u64>(0..=u64::MAX))]
    pub seed: u64,
    /// Percentage of frames that may miss, 0.01 to 20, for all of our modes (default: the mode's)
    #[arg(long, value_name = "PERCENT", value_parser = miss_budget)]
    pub miss_budget: Option<MissBudget>,
    /// Write all figures to a file, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Draw them: latency against missed refreshes, and a strip of display intervals
    #[arg(long, value_name = "FILE.svg|.png")]
    pub plot: Option<PathBuf>,
    /// Say nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// What `scanout run --trace FILE.json` wrote
    #[arg(value_name = "FILE.json")]
    pub file: PathBuf,
    /// Frames that are named for each cause, the latest first
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = whole::<usize>(0..=u64::MAX))]
    pub frames: usize,
}

/// What to draw to.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Display {
    /// A window where there is a display, off screen otherwise.
    #[default]
    Auto,
    /// A window, or an error.
    Window,
    /// Off screen through EGL, against a simulated display.
    Headless,
}

/// How logic and drawing lie in time.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum LayoutArg {
    /// From measured times.
    #[default]
    Auto,
    /// One after the other, on one thread: the lowest latency.
    Serial,
    /// Logic of the next frame beside the drawing of this one: the highest throughput.
    Pipelined,
}

impl LayoutArg {
    pub const fn choice(self) -> LayoutChoice {
        match self {
            Self::Auto => LayoutChoice::Auto,
            Self::Serial => LayoutChoice::Pinned(Layout::Serial),
            Self::Pipelined => LayoutChoice::Pinned(Layout::Pipelined),
        }
    }
}

#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// model (default), swarm, crowd, flash, flip, drag, bars, video, or a file
    ///
    /// What to draw. A file is a .gltf or .glb model; `model` is one that comes with the program.
    #[arg(long, help_heading = "Scene", value_name = "NAME|FILE", default_value = "model", hide_default_value = true, value_parser = scene)]
    pub scene: Scene,
    /// How many in the swarm (default: 10000) or the crowd (1000)
    #[arg(long, help_heading = "Scene", value_name = "N", value_parser = whole::<u64>(1..=MAX_INSTANCES as u64))]
    pub instances: Option<u64>,
    /// Draw `flash` all the time, not only when it changes
    #[arg(long, help_heading = "Scene")]
    pub animate: bool,
    /// How a model is shaded: auto, off, low, high
    ///
    /// auto: high, or off where the processor draws.
    #[arg(long, help_heading = "Scene", value_name = "LEVEL", default_value = "auto", value_parser = quality)]
    pub quality: Wish,
    /// Samples per pixel of model, swarm and crowd, 1 to 16
    ///
    /// Default: 4 of a model at high quality on a GPU, else 1; of a model at quality off always 1.
    #[arg(long, help_heading = "Scene", value_name = "N", value_parser = whole::<u32>(1..=u64::from(MAX_SAMPLES)))]
    pub msaa: Option<u32>,
    /// What to draw to
    #[arg(long, help_heading = "Display", value_enum, default_value_t)]
    pub display: Display,
    /// Size of the drawing area in pixels
    #[arg(long, help_heading = "Display", value_name = "WxH", default_value = "1280x720", value_parser = size, allow_hyphen_values = true)]
    pub size: Size,
    /// Mode: auto, low-latency, smooth, fixed=HZ, vsync, immediate, naive
    ///
    /// When frames are made (default: auto; F2 switches). naive is the loop that most programs have. Also to compare with:
    /// ticker+vsync, ticker-alone, vsync-alone, a published scheduler and its two halves.
    #[arg(long, help_heading = "Pacing", value_name = "MODE", default_value = "auto", hide_default_value = true, value_parser = pacing)]
    pub pacing: Pacing,
    /// Percentage of frames that may miss their display time
    ///
    /// 0.01 to 20 (default: 0.5; low-latency 2, smooth 0.1, and a whole refresh early).
    #[arg(long, help_heading = "Pacing", value_name = "PERCENT", value_parser = miss_budget)]
    pub miss_budget: Option<MissBudget>,
    /// That budget as one knob, from latency (0) to smoothness (1)
    #[arg(long, help_heading = "Pacing", value_name = "0..1", conflicts_with = "miss_budget", value_parser = smoothness)]
    pub smoothness: Option<MissBudget>,
    /// Update and draw in turn or at the same time: auto, serial, pipelined
    ///
    /// serial: the update of a frame, then its drawing, for the lowest latency. pipelined: the next frame is updated
    /// while this one is drawn, for the highest frame rate. auto (the default) chooses by measured times.
    #[arg(
        long,
        help_heading = "Pacing",
        value_name = "LAYOUT",
        value_enum,
        default_value_t,
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub layout: LayoutArg,
    /// Never more frames per second than this
    #[arg(long, help_heading = "Pacing", value_name = "FPS", value_parser = rate)]
    pub max_fps: Option<Rate>,
    /// Never more than this while another window has the focus
    #[arg(long, help_heading = "Pacing", value_name = "FPS", value_parser = rate)]
    pub background_fps: Option<Rate>,
    /// The display has a variable refresh rate in this range
    ///
    /// Frames stay just below its ceiling.
    #[arg(long, help_heading = "Pacing", value_name = "MIN-MAX", value_parser = vrr, allow_hyphen_values = true)]
    pub vrr: Option<VrrRange>,
    /// Animation step from: refreshes, reference, reference-old, raw
    ///
    /// How far animation moves from frame to frame. refreshes (the default): as planned, which is by whole refreshes
    /// of the display where they are predicted, so that motion is even. raw: by the time measured between updates.
    /// reference, reference-old: by that time smoothed, as a published filter does it, for comparison.
    #[arg(long, help_heading = "Pacing", value_name = "FILTER", default_value_t, hide_default_value = true, value_parser = delta)]
    pub delta: DeltaTime,
    /// Ask for real-time priority of both threads
    ///
    /// Of level 10 or the one given.
    #[arg(long, help_heading = "Pacing", value_name = "LEVEL", num_args = 0..=1, default_missing_value = "10", value_parser = whole::<u8>(1..=99))]
    pub realtime: Option<u8>,
    /// Off screen: refresh rate of the simulated display (default: 60)
    #[arg(long, help_heading = "Display", value_name = "HZ", value_parser = refresh)]
    pub refresh: Option<f64>,
    /// End after so many frames, not counting the warm-up
    #[arg(long, help_heading = "Measuring", value_name = "N", conflicts_with = "seconds", value_parser = whole::<u64>(1..=u64::MAX))]
    pub frames: Option<u64>,
    /// End after so much time (off screen: 5)
    ///
    /// The 5 seconds only where --frames is not given either.
    #[arg(long, help_heading = "Measuring", value_name = "S", value_parser = seconds)]
    pub seconds: Option<Duration>,
    /// Frames at the start that are left out of the report
    ///
    /// Default: 30, or 0 where each frame is a press of a key.
    #[arg(long, help_heading = "Measuring", value_name = "N", value_parser = whole::<u64>(0..=1_000_000))]
    pub warmup: Option<u64>,
    /// Write the report to a file, as JSON
    #[arg(long, help_heading = "Measuring", value_name = "FILE.json")]
    pub report: Option<PathBuf>,
    /// Write what frames took, for `scanout sim --replay`
    ///
    /// The newest 65536 frames.
    #[arg(long, help_heading = "Measuring", value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Write all stamps of the frames, as JSON
    ///
    /// Of the newest 65536 frames (scanout.frames/1).
    #[arg(long, help_heading = "Measuring", value_name = "FILE.json")]
    pub frame_log: Option<PathBuf>,
    /// Off screen: made-up input, so many events per second
    ///
    /// On average, at random times: presses of space for `flash`, motion of the pointer for the other scenes.
    #[arg(long, help_heading = "Measuring", value_name = "HZ", value_parser = rate)]
    pub synthetic_input: Option<Rate>,
    /// Write a timeline of threads, GPU, driver and display
    ///
    /// Of the last seconds (half a minute at 60 Hz or more) on one time axis: .json for ui.perfetto.dev, chrome://tracing and
    /// `scanout explain`, .puffin for puffin_viewer.
    #[arg(long, help_heading = "Measuring", value_name = "FILE.json|.puffin", value_parser = timeline)]
    pub trace: Option<PathBuf>,
    /// Ask the GPU what passes take: auto, on, off
    ///
    /// auto: on software rasterisers only frames as a whole, with --trace.
    #[arg(long, help_heading = "Measuring", value_name = "WHEN", default_value = "auto", value_parser = gpu_timing)]
    pub gpu_timing: GpuTiming,
    /// Show stage times of every frame to `scanout watch NAME`
    #[arg(long, help_heading = "Measuring", value_name = "NAME")]
    pub telemetry: Option<String>,
    /// Save the last frame as a picture
    #[arg(long, help_heading = "Measuring", value_name = "FILE.png")]
    pub screenshot: Option<PathBuf>,
    /// Extra work: busy=THREADS,memory=MIB,gpu=MS,spike=MS/UPDATES
    ///
    /// Beside the scene, one kind or several by commas: busy=2 keeps two threads computing, memory=256 touches
    /// 256 MiB all the time, gpu=4 adds 4 ms of drawing to each frame, spike=6/20 adds 6 ms to every 20th update.
    #[arg(long, help_heading = "Measuring", value_name = "LOAD", value_parser = load)]
    pub load: Option<LoadSpec>,
    /// Start in full screen
    #[arg(long, help_heading = "Display")]
    pub fullscreen: bool,
    /// Show the HUD from the start (F1 shows and hides it)
    #[arg(long, help_heading = "Measuring")]
    pub hud: bool,
    /// Serve puffin scopes to puffin_viewer
    ///
    /// At this address (default: 127.0.0.1:8585).
    #[arg(long, help_heading = "Debugging", value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:8585", value_parser = address)]
    pub profile: Option<String>,
    /// Take shaders from this folder, also when they change
    #[arg(long, help_heading = "Debugging", value_name = "FOLDER")]
    pub shaders: Option<PathBuf>,
    /// Keep finished programs in this folder, or `off`
    ///
    /// Default: $SCANOUT_SHADER_CACHE, or the user's cache folder.
    #[arg(long, help_heading = "Debugging", value_name = "FOLDER|off")]
    pub shader_cache: Option<PathBuf>,
    /// Lose the context after these frames, as if the GPU had been reset (for tests)
    #[arg(long, help_heading = "Debugging", value_name = "N,..", value_delimiter = ',', hide = true, value_parser = whole::<u64>(0..=u64::MAX))]
    pub lose_context: Vec<u64>,
    /// What the OpenGL debug hooks do: off (default), log, panic
    ///
    /// The default of builds with debug assertions is panic.
    #[arg(long, help_heading = "Debugging", value_name = "LEVEL", value_parser = debug_level)]
    pub gl_debug: Option<DebugLevel>,
    /// Print all metrics, and what is found out on the way
    #[arg(long, short, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Say nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
}

/// A quality, or the choice left to the program. An option of its own would mean that the argument may be missing.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Wish(pub Option<Quality>);

impl RunArgs {
    /// Where finished programs are kept, if anywhere.
    pub fn program_cache(&self) -> Option<PathBuf> {
        let named = self.shader_cache.clone();
        let wanted = named.or_else(|| std::env::var_os(SHADER_CACHE).map(PathBuf::from));
        match wanted.filter(|path| !path.as_os_str().is_empty()) {
            Some(path) if path.as_os_str() == "off" => None,
            Some(path) => Some(path),
            None => ProgramCache::user_folder(),
        }
    }

    /// What is wished of the picture of a model.
    pub const fn look(&self) -> Look {
        Look { quality: self.quality.0, samples: self.msaa }
    }

    /// The scene with the options that belong to it.
    pub fn scene(&self) -> Result<Scene, String> {
        let count = |n: usize| self.instances.map_or(n, |n| usize::try_from(n).unwrap_or(MAX_INSTANCES));
        if self.msaa.is_some_and(|n| n > 1) && !self.scene.has_samples() {
            return Err(
                "--msaa goes with --scene model, swarm and crowd: the others have one sample per pixel"
                    .into(),
            );
        }
        if self.quality.0.is_some() && !matches!(self.scene, Scene::Model(_)) {
            return Err("--quality goes with --scene model and with files: the others have one".into());
        }
        if self.quality.0 == Some(Quality::Off) && self.msaa.is_some_and(|n| n > 1) {
            return Err(
                "--quality off has one sample per pixel: leave --msaa out, or choose low or high".into()
            );
        }
        match (&self.scene, self.instances, self.animate) {
            (Scene::Swarm(n), _, false) => Ok(Scene::Swarm(count(*n))),
            (Scene::Crowd(n), _, false) => Ok(Scene::Crowd(count(*n))),
            (Scene::Flash { .. }, None, animate) => Ok(Scene::Flash { animate }),
            (_, Some(_), _) => Err("--instances goes with --scene swarm and crowd".into()),
            (_, _, true) => Err("--animate goes with --scene flash".into()),
            (scene, None, false) => Ok(scene.clone()),
        }
    }
}

fn timeline(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|e| e.to_str()) {
        Some("json" | "puffin") => Ok(path),
        _ => Err("a timeline is written as .json or .puffin".into()),
    }
}

fn scene(text: &str) -> Result<Scene, String> {
    Scene::parse(text).map_err(|e| e.to_string())
}

fn load(text: &str) -> Result<LoadSpec, String> {
    if text.trim().is_empty() {
        return Err("a load is written like busy=2,memory=256,gpu=4,spike=6/20".into());
    }
    text.parse().map_err(|e: super::load::ParseLoadError| e.to_string())
}

fn quality(text: &str) -> Result<Wish, String> {
    Look::parse_quality(text).map(Wish)
}

fn delta(text: &str) -> Result<DeltaTime, String> {
    text.parse().map_err(|e: &str| e.to_owned())
}

fn miss_budget(text: &str) -> Result<MissBudget, String> {
    let share =
        text.trim_end_matches('%').parse().ok().and_then(|percent: f64| MissBudget::new(percent / 100.0));
    share.ok_or_else(|| "a miss budget is a percentage from 0.01 to 20".into())
}

fn smoothness(text: &str) -> Result<MissBudget, String> {
    let knob = text.parse().ok().filter(|knob| (0.0..=1.0).contains(knob));
    knob.map(MissBudget::from_smoothness).ok_or_else(|| "smoothness is a number from 0 to 1".into())
}

fn rate(text: &str) -> Result<Rate, String> {
    let rate = text.parse().ok().and_then(Rate::new);
    rate.ok_or_else(|| format!("a rate is a number from {} to {}", Rate::MIN, Rate::MAX))
}

fn vrr(text: &str) -> Result<VrrRange, String> {
    let range = text.split_once('-').and_then(|(min, max)| {
        let (min_hz, max_hz) = (min.parse().ok()?, max.parse().ok()?);
        VrrRange::new(min_hz, max_hz)
    });
    range.ok_or_else(|| "a range of refresh rates is written like 48-144".into())
}

pub fn pacing(text: &str) -> Result<Pacing, String> {
    match text.parse() {
        Ok(mode) if can_be_run(mode) => Ok(mode),
        Ok(mode) => Err(format!("pacing '{mode}' is for programs that own the loop")),
        // The library's text ends with that one.
        Err(e) => Err(e.to_string().trim_end_matches(", host").to_owned()),
    }
}

/// Whether a program can be run in it from here. In the other one a host says when frames are made, and there is none.
pub fn can_be_run(mode: Pacing) -> bool {
    mode != Pacing::Host
}

/// Whether there is somebody at an address is for the run to find out.
fn address(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once(':').filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    parts.map(|_| text.to_owned()).ok_or_else(|| "an address is written like 127.0.0.1:8585".into())
}

fn debug_level(text: &str) -> Result<DebugLevel, String> {
    text.parse()
}

fn gpu_timing(text: &str) -> Result<GpuTiming, String> {
    text.parse()
}

pub fn size(text: &str) -> Result<Size, String> {
    let (width, height) = text.split_once(['x', 'X']).ok_or("a size is written like 1280x720")?;
    let side = |text: &str| {
        text.parse::<u32>()
            .ok()
            .filter(|n| (1..=16_384).contains(n))
            .ok_or("each side is a number from 1 to 16384")
    };
    Ok(Size::new(side(width)?, side(height)?))
}

pub fn seconds(text: &str) -> Result<Duration, String> {
    let s: f64 = text.parse().map_err(|_| "seconds are a number, like 5 or 0.5")?;
    // A year is longer than any run; what is beyond it is a slip.
    if s > 0.0 && s <= 31_536_000.0 {
        Ok(Duration::from_secs_f64(s))
    } else {
        Err("seconds are a number above 0 and at most 31536000".into())
    }
}

pub fn refresh(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|hz| (1.0..=FASTEST_HZ).contains(hz))
        .ok_or_else(|| format!("a refresh rate is a number from 1 to {FASTEST_HZ}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// `-h` has a line for each option, also on a terminal of the width that clap takes where it knows none.
    #[test]
    fn options_of_run_have_a_heading_and_a_short_help_of_one_line() {
        let command = Cli::command().term_width(100);
        let run = command.find_subcommand("run").expect("a command").clone();
        for option in run.get_arguments().filter(|a| !a.is_hide_set()) {
            assert!(
                option.get_help_heading().is_some()
                    || ["quiet", "verbose"].contains(&option.get_id().as_str()),
                "{}",
                option.get_id()
            );
            assert!(option.get_help().is_some(), "{}", option.get_id());
        }
        let text = run.term_width(100).render_help().to_string();
        let options = text.lines().filter(|line| line.starts_with(' '));
        for line in options {
            assert!(line.trim_start().starts_with('-') && line.chars().count() <= 100, "{line}");
        }
        for values in [
            "fixed=HZ, vsync, immediate, naive",
            "refreshes, reference, reference-old, raw",
            "busy=THREADS,memory=MIB,gpu=MS,spike=MS/UPDATES",
            "off (default), log, panic",
            "(default: 10000)",
            "or the crowd (1000)",
            "model (default), swarm, crowd, flash, flip, drag, bars, video",
            "auto, serial, pipelined",
        ] {
            assert!(text.contains(values), "{values}\n{text}");
        }
        let defaults = |scene: &str| Scene::parse(scene).ok();
        assert_eq!(
            (defaults("swarm"), defaults("crowd")),
            (Some(Scene::Swarm(10_000)), Some(Scene::Crowd(1_000)))
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for args in [
            ["--size", "0x0"],
            ["--size", "99999x1"],
            ["--size", "1280"],
            ["--seconds", "-1"],
            ["--seconds", "NaN"],
            ["--frames", "0"],
            ["--scene", "nope"],
            ["--pacing", "fixed=0"],
            ["--miss-budget", "0"],
            ["--miss-budget", "many"],
            ["--smoothness", "1.5"],
            ["--delta", "exact"],
            ["--max-fps", "-1"],
            ["--vrr", "144"],
            ["--vrr", "144-48"],
            ["--instances", "9999999"],
            ["--refresh", "inf"],
            ["--synthetic-input", "0"],
            ["--refresh", "2001"],
            ["--gl-debug", "loud"],
            ["--trace", "trace.txt"],
            ["--gpu-timing", "sometimes"],
            ["--quality", "best"],
            ["--load", ""],
            ["--pacing", "host"],
            ["--profile=NaN", "-q"],
            ["--profile=:1", "-q"],
            ["--msaa", "0"],
            ["--msaa", "17"],
        ] {
            assert!(Cli::try_parse_from(["scanout"].iter().chain(&args)).is_err(), "{args:?}");
        }
    }

    #[test]
    fn options_that_do_not_belong_to_the_scene_are_refused() {
        let parse = |args: &[&str]| Cli::try_parse_from([&["scanout"], args].concat()).unwrap().run.scene();
        assert_eq!(parse(&["--scene", "swarm", "--instances", "5"]), Ok(Scene::Swarm(5)));
        assert_eq!(parse(&["--scene", "crowd", "--instances", "7"]), Ok(Scene::Crowd(7)));
        for scene in ["model", "swarm", "crowd"] {
            assert!(parse(&["--scene", scene, "--msaa", "4"]).is_ok(), "{scene}");
        }
        for scene in ["flash", "flip", "drag", "bars", "video"] {
            assert!(parse(&["--scene", scene, "--msaa", "4"]).unwrap_err().contains("--msaa"), "{scene}");
            assert!(parse(&["--scene", scene, "--msaa", "1"]).is_ok(), "{scene} has one sample");
        }
        for scene in ["swarm", "crowd", "flash", "flip", "drag", "bars", "video"] {
            assert!(
                parse(&["--scene", scene, "--quality", "off"]).unwrap_err().contains("--quality"),
                "{scene}"
            );
            assert!(parse(&["--scene", scene, "--quality", "auto"]).is_ok(), "{scene} has what it has");
        }
        for quality in ["off", "low", "high"] {
            assert!(parse(&["--quality", quality]).is_ok(), "{quality}");
            assert_eq!(parse(&["--quality", quality, "--msaa", "4"]).is_err(), quality == "off", "{quality}");
        }
        assert_eq!(parse(&["--scene", "flash", "--animate"]), Ok(Scene::Flash { animate: true }));
        assert!(parse(&["--scene", "bars", "--instances", "5"]).is_err());
        assert!(parse(&["--scene", "swarm", "--animate"]).is_err());
    }

    #[test]
    fn modes_that_are_named_are_those_that_can_be_run() {
        let refused = pacing("sometimes").unwrap_err();
        let modes = refused.trim_start_matches("pacing is one of: ").replace("HZ", "60");
        assert_eq!(modes.split(", ").count(), 10, "{refused}");
        for mode in modes.split(", ") {
            assert_eq!(pacing(mode).map(|mode| mode.to_string()).as_deref(), Ok(mode));
        }
        assert!(pacing("host").unwrap_err().contains("own the loop"));
        assert!(pacing("fixed=0").unwrap_err().contains("rate"));
    }

    #[test]
    fn run_may_be_left_out() {
        assert!(Cli::try_parse_from(["scanout", "run", "--scene", "bars"]).is_ok());
        assert!(Cli::try_parse_from(["scanout", "--scene", "bars"]).is_ok());
    }
}
