//! `scanout sim`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use scanout::sim::{
    AsRecorded, Outcome, PolicyKind, Scenario, SimFrame, Workload, as_recorded, presets, replay,
    run as simulate, run_observed,
};

use scanout::stats::Trace;

use super::cli::{self, SimArgs};
use super::plot::{self, Strip};
use super::{Failure, output, trace};

/// The version of the JSON below; it changes when a field changes its meaning or goes away.
const SCHEMA: &str = "scanout.sim/1";
/// Frames of a run unless told otherwise: enough for the reserve of the strictest mode to settle.
const FRAMES: u64 = 50_000;
/// More than a month at 60 Hz is a slip.
const MOST_FRAMES: u64 = 200_000_000;
/// Frames from which on a run is worth a progress bar.
const LONG: u64 = 2_000_000;

/// A recording of fewer frames is told to be short: as many as the [self-check](scanout::stats::SelfCheck) wants.
const FEW: u64 = scanout::stats::SelfCheck::FRAMES as u64;

/// One display with one workload, and what each policy made of it.
#[derive(Debug, Serialize)]
pub struct Comparison {
    pub display: String,
    pub workload: String,
    pub refresh_hz: f64,
    pub frames: u64,
    pub warmup_frames: u64,
    /// How long before a refresh the display takes what it shows then; of a replay, as far as the run shows it.
    pub latch_lead_ms: f64,
    /// What a recorded run made of the same frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_recorded: Option<AsRecorded>,
    pub policies: Vec<Entry>,
}

/// One policy's run.
#[derive(Debug, Serialize)]
pub struct Entry {
    pub policy: String,
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Display times of the frames in the middle of the run, for the plot.
    #[serde(skip)]
    pub strip: Strip,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: &'static str,
    scanout: &'static str,
    seed: u64,
    /// In percent; `null`: each mode's own.
    miss_budget: Option<f64>,
    scenarios: &'a [Comparison],
}

/// A scenario with what it is called.
struct Named {
    display: String,
    workload: String,
    scenario: Scenario,
    /// The run that it is a replay of.
    trace: Option<Trace>,
}

pub fn run(args: &SimArgs) -> Result<(), Failure> {
    let policies = policies(&args.policy)?;
    let scenarios = scenarios(args)?;
    check_outputs(args)?;
    let comparisons = compare(args, &policies, scenarios);
    let mut text = comparisons.iter().map(table).collect::<Vec<_>>().join("\n");
    if let Some(path) = &args.json {
        let document = Document {
            schema: SCHEMA,
            scanout: env!("CARGO_PKG_VERSION"),
            seed: args.seed,
            miss_budget: args.miss_budget.map(|share| share.share() * 100.0),
            scenarios: &comparisons,
        };
        let mut json = serde_json::to_string_pretty(&document).expect("plain data");
        json.push('\n');
        output::write(path, json.as_bytes())?;
        let _ = writeln!(text, "figures: {}", path.display());
    }
    if let Some(path) = &args.plot {
        output::write(path, &plot::draw(&comparisons, plot::Format::of(path)?)?)?;
        let _ = writeln!(text, "plot: {}", path.display());
    }
    if !args.quiet {
        output::print(&text)?;
    }
    Ok(())
}

fn policies(names: &[String]) -> Result<Vec<PolicyKind>, Failure> {
    let mut kinds: Vec<PolicyKind> = Vec::new();
    for name in names {
        if name == "all" {
            kinds.extend(PolicyKind::ALL);
        } else if let Some(kind) = PolicyKind::from_name(name).filter(can_be_run) {
            kinds.push(kind);
        } else {
            let known = PolicyKind::ALL.into_iter().chain(PolicyKind::ON_REQUEST);
            let known: Vec<_> = known.map(PolicyKind::name).collect();
            return Err(Failure::Usage(format!(
                "no policy '{name}'; there are: {}, and the other modes of `scanout run --pacing`",
                known.join(", ")
            )));
        }
    }
    let mut seen: Vec<PolicyKind> = Vec::new();
    kinds.retain(|kind| {
        !seen.contains(kind) && {
            seen.push(*kind);
            true
        }
    });
    Ok(kinds)
}

fn can_be_run(kind: &PolicyKind) -> bool {
    !matches!(kind, PolicyKind::Ours(mode) if !cli::can_be_run(*mode))
}

fn scenarios(args: &SimArgs) -> Result<Vec<Named>, Failure> {
    if args.frames.is_some_and(|n| n == 0 || n > MOST_FRAMES) {
        return Err(Failure::Usage(format!("--frames is a number from 1 to {MOST_FRAMES}")));
    }
    let mut named = Vec::new();
    if let Some(path) = &args.replay {
        named.push(replayed(path, args)?);
    } else {
        let frames = args.frames.unwrap_or(FRAMES);
        for display in expanded(&args.display, &presets::DISPLAYS) {
            for workload in expanded(&args.workload, &presets::WORKLOADS) {
                let scenario = preset(&display, &workload, frames)?;
                let workload = workload.strip_prefix("recorded:").map_or(workload.clone(), file_name);
                named.push(Named { display: display.clone(), workload, scenario, trace: None });
            }
        }
    }
    for Named { scenario, .. } in &mut named {
        scenario.seed = args.seed;
        scenario.warmup = args.warmup.unwrap_or(scenario.warmup);
        if scenario.warmup >= scenario.frames {
            return Err(Failure::Usage(format!(
                "of {} frames, {} of warm-up leave none to be measured",
                scenario.frames, scenario.warmup
            )));
        }
    }
    Ok(named)
}

/// `all`, and names that stand for more than one.
fn expanded(names: &[String], known: &[(&str, &str)]) -> Vec<String> {
    let mut all = Vec::new();
    for name in names {
        let group = format!("{name}-");
        let of_group: Vec<_> = known
            .iter()
            .map(|(k, _)| (*k).to_owned())
            .filter(|k| name == "all" || (k != name && k.starts_with(&group)))
            .collect();
        if of_group.is_empty() { all.push(name.clone()) } else { all.extend(of_group) }
    }
    let mut seen: Vec<String> = Vec::new();
    all.retain(|name| {
        !seen.contains(name) && {
            seen.push(name.clone());
            true
        }
    });
    all
}

fn preset(display: &str, workload: &str, frames: u64) -> Result<Scenario, Failure> {
    let usage = |e: presets::UnknownPreset| {
        let more = if e.what == "workload" { ", recorded:FILE" } else { "" };
        Failure::Usage(format!("{e}{more}"))
    };
    let Some(path) = workload.strip_prefix("recorded:") else {
        return presets::scenario(display, workload, frames).map_err(usage);
    };
    if path.is_empty() {
        return Err(Failure::Usage(
            "recorded: needs the file behind it that `scanout run --record` wrote".into(),
        ));
    }
    let mut scenario = presets::scenario(display, "constant", frames).map_err(usage)?;
    let of_trace =
        replay(&trace::read(Path::new(path))?).map_err(|e| Failure::Usage(format!("{path}: {e}")))?;
    debug_assert!(matches!(of_trace.workload, Workload::Recorded(_)));
    scenario.workload = of_trace.workload;
    Ok(scenario)
}

fn replayed(path: &Path, args: &SimArgs) -> Result<Named, Failure> {
    let of_trace = trace::read(path)?;
    let mut scenario = replay(&of_trace).map_err(|e| Failure::Usage(format!("{}: {e}", path.display())))?;
    if scenario.frames < FEW {
        log::warn!(
            "{}: {} recorded frames are few: what is rare, such as a miss in 200 frames, takes {FEW} and more",
            path.display(),
            scenario.frames
        );
    }
    scenario.frames = args.frames.unwrap_or(scenario.frames);
    let display = format!("{:.2} Hz", scenario.display.hz);
    let workload = file_name(&path.to_string_lossy());
    Ok(Named { display, workload, scenario, trace: Some(of_trace) })
}

fn file_name(path: &str) -> String {
    Path::new(path).file_name().map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}

fn check_outputs(args: &SimArgs) -> Result<(), Failure> {
    let files: Vec<(&str, &PathBuf)> =
        [("--json", &args.json), ("--plot", &args.plot), ("--replay", &args.replay)]
            .into_iter()
            .filter_map(|(name, path)| path.as_ref().map(|path| (name, path)))
            .collect();
    for (i, (name, path)) in files.iter().enumerate() {
        if let Some((other, _)) = files[..i].iter().find(|(_, other)| output::same(other, path)) {
            return Err(Failure::Usage(format!(
                "{}: {other} and {name} cannot be the same file",
                path.display()
            )));
        }
    }
    if let Some(path) = &args.plot {
        plot::Format::of(path)?;
    }
    for path in [&args.json, &args.plot].into_iter().flatten() {
        output::check(path)?;
    }
    Ok(())
}

fn compare(args: &SimArgs, policies: &[PolicyKind], scenarios: Vec<Named>) -> Vec<Comparison> {
    let runs = scenarios.len() as u64 * policies.len() as u64;
    let frames: u64 = scenarios.iter().map(|n| n.scenario.frames).sum::<u64>() * policies.len() as u64;
    // Drawn on a terminal only.
    let target =
        if args.quiet || frames < LONG { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(runs), target);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} runs, {msg}") {
        bar.set_style(style);
    }
    let mut comparisons = Vec::new();
    for Named { display, workload, scenario, trace } in scenarios {
        let mut entries = Vec::new();
        for kind in policies {
            bar.set_message(format!("{display}, {workload}: {}", kind.name()));
            bar.tick();
            entries.push(entry(*kind, &scenario, args));
            bar.inc(1);
        }
        comparisons.push(Comparison {
            display,
            workload,
            refresh_hz: scenario.display.hz,
            frames: scenario.frames,
            warmup_frames: scenario.warmup,
            latch_lead_ms: scenario.display.latch_lead.as_secs_f64() * 1e3,
            as_recorded: trace.and_then(|trace| as_recorded(&trace, scenario.warmup)),
            policies: entries,
        });
    }
    bar.finish_and_clear();
    comparisons
}

fn entry(kind: PolicyKind, scenario: &Scenario, args: &SimArgs) -> Entry {
    let mut policy = kind.make_for(&scenario.display, args.miss_budget);
    let mut strip = Strip::default();
    let outcome = if args.plot.is_some() {
        let middle = scenario.warmup + (scenario.frames - scenario.warmup) / 2;
        let from = middle.saturating_sub(plot::STRIP_FRAMES / 2);
        run_observed(scenario, policy.as_mut(), &mut |frame: &SimFrame| {
            if (from..from + plot::STRIP_FRAMES).contains(&frame.id.0)
                && let Some(at) = frame.displayed
            {
                strip.shown(at, frame.refresh, frame.divisor);
            }
        })
    } else {
        simulate(scenario, policy.as_mut())
    };
    Entry { policy: kind.name(), outcome, strip }
}

/// A comparison in lines of at most 120 characters.
fn table(c: &Comparison) -> String {
    let mut out = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| writeln!(out, "{text}").expect("writing to a string");
    line(format_args!(
        "display {} ({:.2} Hz{}), workload {}, {} frames after {} of warm-up; times in ms",
        c.display,
        c.refresh_hz,
        if c.latch_lead_ms > 0.0 {
            format!(", taken {:.1} ms early", c.latch_lead_ms)
        } else {
            String::new()
        },
        c.workload,
        c.frames - c.warmup_frames,
        c.warmup_frames
    ));
    line(format_args!(
        "{:<22}{:>8}{:>8}{:>7}  {:>22}  {:>20} {:>7} {:>7} {:>6}",
        "", "missed", "missed", "", "start to display", "animation error", "predict", "", "in"
    ));
    line(format_args!(
        "{:<22}{:>8}{:>8}{:>7}  {:>8}{:>7}{:>7}  {:>6}{:>7}{:>7} {:>7} {:>7} {:>6}",
        "policy", "%", "vsyncs", "drops", "mean", "p50", "p99", "rms", "p99", "max", "p99", "drift", "flight"
    ));
    let share = |of: Option<f64>| of.map_or("-".to_owned(), |share| format!("{:.3}", share * 100.0));
    let ms = |figure: Option<f64>, digits: usize| match figure {
        None => "-".to_owned(),
        Some(ms) if ms.abs() >= 1_000.0 => format!("{ms:.0}"),
        Some(ms) => format!("{ms:.digits$}"),
    };
    if let Some(AsRecorded { missed_vsyncs, miss_rate, start_to_display: latency, .. }) = &c.as_recorded {
        line(format_args!(
            "{:<22}{:>8}{missed_vsyncs:>8}{:>7}  {:>8}{:>7}{:>7}",
            "as recorded",
            share(*miss_rate),
            "-",
            ms(latency.map(|l| l.mean), 2),
            ms(latency.and_then(|l| l.told()[0]), 2),
            ms(latency.and_then(|l| l.told_p99()), 2)
        ));
    }
    for Entry { policy, outcome: o, .. } in &c.policies {
        let missed = share(o.miss_rate);
        let (latency, error) = (o.start_to_display, o.animation_error);
        line(format_args!(
            "{policy:<22}{missed:>8}{:>8}{:>7}  {:>8}{:>7}{:>7}  {:>6}{:>7}{:>7} {:>7} {:>7} {:>6}",
            o.missed_vsyncs,
            o.dropped,
            ms(latency.map(|l| l.mean), 2),
            ms(latency.and_then(|l| l.told()[0]), 2),
            ms(latency.and_then(|l| l.told_p99()), 2),
            ms(error.map(|e| e.rms), 2),
            ms(error.and_then(|e| e.told_p99()), 2),
            ms(error.map(|e| e.max), 2),
            ms(o.prediction_error.and_then(|p| p.told_p99()), 3),
            ms(Some(o.clock_drift_ms), 2),
            o.most_in_flight
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_expanded_once() {
        let names = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let displays = |list: &[&str]| expanded(&names(list), &presets::DISPLAYS);
        assert_eq!(displays(&["mode-change", "60"]), ["mode-change-59.94", "mode-change-144", "60"]);
        assert_eq!(displays(&["60", "all", "60"]).len(), presets::DISPLAYS.len());
        assert_eq!(displays(&["nope"]), ["nope"]);
        assert_eq!(policies(&names(&["auto", "all"])).unwrap().len(), PolicyKind::ALL.len());
        assert_eq!(policies(&names(&["all", "vsync-alone"])).unwrap().len(), PolicyKind::ALL.len() + 1);
    }
}
