//! `scanout bench` without any display: suites, figures, the gate, comparisons, and what happens to children.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "limits on real processes are real time")]

mod support;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use scanout::stats::{FRAME_LOG_SCHEMA, FrameLog, Metric};
use serde_json::Value;
use tempfile::TempDir;

use support::app::{App, Ending, Place};
use support::poll_until;

/// Software rendering while other tests use the CPUs.
const LIMIT: Duration = Duration::from_secs(90);

fn scanout() -> OsString {
    std::env::var_os("SCANOUT_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_scanout").into())
}

fn run(arguments: &[&str]) -> Ending {
    App::start(scanout(), arguments, &Place::Nowhere).wait(LIMIT)
}

/// A folder with a suite in it.
struct Files(TempDir);

impl Files {
    fn new(suite: &str) -> Self {
        let files = Self(tempfile::tempdir().expect("a temporary folder"));
        fs::write(files.path("s.toml"), suite).expect("a file");
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("a plain path").to_owned()
    }

    fn bench(&self, arguments: &[&str]) -> Ending {
        run(&[&["bench", "--suite", &self.text("s.toml")], arguments].concat())
    }

    fn json(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
    }
}

/// Small and quick: two scenes on a simulated display.
const SMALL: &str = "
[[scenario]]
scene = ['flip', 'flash']
pacing = 'auto'
place = 'headless=120'
size = '64x48'
frames = 60
warmup = 10
";

#[track_caller]
fn refused(end: &Ending, says: &str) {
    end.assert_code(&[2]);
    end.assert_one_line();
    assert!(end.stderr.contains(says), "{says}: {}", end.stderr);
}

#[test]
fn scenarios_are_measured_printed_and_saved() {
    let files = Files::new(SMALL);
    let end = files.bench(&[
        "--save",
        &files.text("r.json"),
        "--csv",
        &files.text("f.csv"),
        "--html",
        &files.text("p.html"),
    ]);
    end.assert_clean();
    for part in [
        "flip auto headless=120",
        "flash auto headless=120",
        "InputToLogic",
        "LogicToRender",
        "SubmitToGpuDone",
        "SubmitToDisplay",
        "SampleToPhoton",
        "ClickToPhoton",
        "0.99*T + L",
        "input synthetic",
        "(simulated)",
        "no camera was involved",
    ] {
        assert!(end.stdout.contains(part), "{part}\n{}", end.stdout);
    }
    // What was saved is printed again as it was, also beside a page.
    let page = files.text("again.html");
    for more in [&[][..], &["--html", &page]] {
        let report = run(&[&["report", &files.text("r.json")], more].concat());
        report.assert_clean();
        assert!(report.stdout.contains("0.99*T + L") && end.stdout.starts_with(&report.stdout), "{report:?}");
    }
    fs::remove_file(&page).expect("the page is there");
    let saved = files.json("r.json");
    assert_eq!((saved["schema"].as_str(), saved["suite"].as_str()), (Some("scanout.bench/1"), Some("s")));
    let scenarios = saved["scenarios"].as_array().expect("scenarios");
    assert_eq!(scenarios.len(), 2);
    for (scenario, presses) in scenarios.iter().zip([false, true]) {
        assert_eq!((scenario["error"].as_str(), scenario["frames"].as_u64()), (None, Some(60)), "{scenario}");
        assert_eq!(scenario["input"], "synthetic");
        let n = |metric: &str| scenario["metrics"][metric]["n"].as_u64();
        assert_eq!(n("MsUntilDisplayed"), Some(60));
        assert_eq!(scenario["samples"]["MsUntilDisplayed"]["ms"].as_array().map(Vec::len), Some(60));
        // On a busy machine some frames show what was there before, and have no sample of their own.
        assert!(n("SampleToPhoton").is_some_and(|n| (30..=60).contains(&n)), "{:?}", n("SampleToPhoton"));
        assert_eq!(scenario["strip"].as_array().map(Vec::len), Some(70));
        // Every frame of `flash` comes from a press; of `flip`, those that an event fell into.
        let clicks = n("ClickToPhoton").expect("input was given");
        assert!((if presses { 50 } else { 20 }..=60).contains(&clicks), "{clicks}");
        let click = &scenario["metrics"]["ClickToPhoton"];
        assert!(click["p999"].is_null(), "never from so few: {click}");
    }
    let csv = fs::read_to_string(files.path("f.csv")).expect("the frames");
    assert!(csv.lines().count() > 140, "{}", csv.lines().count());
    // Only what was asked for: the files of the children went with them.
    let mut left: Vec<_> = fs::read_dir(files.0.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["f.csv", "p.html", "r.json", "s.toml"]);
}

/// The bench computes from the log what the run computed itself.
#[test]
fn log_of_a_run_has_the_figures_of_its_report() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a plain path").to_owned();
    let (log, report) = (path("frames.json"), path("report.json"));
    let scene = ["--scene", "flip", "--size", "64x48", "--frames", "90", "--warmup", "20"];
    let files = ["--frame-log", &log, "--report", &report, "--synthetic-input", "50"];
    run(&[&["run", "--display", "headless", "--refresh", "100"], &scene[..], &files[..]].concat())
        .assert_clean();
    let bytes = fs::read(&log).expect("the log");
    let log: FrameLog = serde_json::from_slice(&bytes).expect("a log");
    assert_eq!((log.schema.as_str(), log.warmup, log.pushed_out), (FRAME_LOG_SCHEMA, 20, 0));
    assert_eq!((log.frames.len(), log.refresh_hz), (110, Some(100.0)));
    let report: Value = serde_json::from_slice(&fs::read(&report).expect("the report")).expect("a report");
    let metrics = log.metrics();
    for &metric in Metric::ALL.iter().filter(|m| m.is_of_frames()) {
        let (ours, run) = (metrics.summary(metric), &report["metrics"][metric.name()]);
        assert_eq!(ours.map(|s| s.n), run["n"].as_u64(), "{}", metric.name());
        let close = |a: f64, b: &Value| b.as_f64().is_some_and(|b| (a - b).abs() < 1e-9);
        assert!(
            ours.is_none_or(|s| close(s.p99, &run["p99"]) && close(s.mean, &run["mean"])),
            "{metric:?}: {run}"
        );
    }
    assert!(metrics.get(Metric::ClickToPhoton).count() > 20, "50 events per second, for 0.9 s or more");
    assert_eq!(report["missed_vsyncs"].as_u64(), Some(metrics.missed_vsyncs()));
}

#[test]
fn budget_is_held_or_broken_by_a_named_stage() {
    let files = Files::new(SMALL);
    let gate =
        |budget: &str| files.bench(&["--only", "flip", "--percentile", "90", "--quiet", "--budget", budget]);
    let held = gate("10s");
    held.assert_clean();
    assert!(held.stdout.contains("held") && held.stderr.trim().is_empty(), "{held:?}");
    let broken = gate("1us");
    broken.assert_code(&[1]);
    broken.assert_one_line();
    for part in ["flip auto headless=120", "P90 SampleToPhoton", " frames over", "at fault: "] {
        assert!(broken.stderr.contains(part), "{part}: {}", broken.stderr);
    }
    let stages = ["logic", "hand-over", "render", "GPU", "display"];
    let named = broken.stderr.split("at fault: ").nth(1).unwrap_or_default();
    assert!(stages.iter().any(|stage| named.starts_with(stage)), "{named}");
}

#[test]
fn mistakes_are_refused_in_one_line_before_anything_is_measured() {
    let files = Files::new(SMALL);
    for (name, text) in
        [("cut.json", "{\"schema\":"), ("old.json", "{\"schema\":\"scanout.bench/9\"}"), ("no.json", "[]")]
    {
        fs::write(files.path(name), text).expect("a file");
    }
    let [cut, old, none] = ["cut.json", "old.json", "no.json"].map(|name| files.text(name));
    let missing = files.text("missing.json");
    for (arguments, says) in [
        (&["--budget", "8ms", "--metric", "Latency"][..], "Latency"),
        (&["--budget", "8ms", "--metric", "QueueDepth"], "QueueDepth"),
        (&["--budget", "8ms"], "500 frames"),
        (&["--budget", "8ms", "--percentile", "100"], "100"),
        (&["--only", "bars"], "bars"),
        (&["--compare", &cut], "cut.json"),
        (&["--compare", &old], "scanout.bench/9"),
        (&["--compare", &none], "no.json"),
        (&["--compare", &missing], "missing.json"),
        (&["--interleave"], "--against"),
        (&["--interleave", "--against", "no-such-program"], "no-such-program"),
    ] {
        let end = files.bench(arguments);
        refused(&end, says);
        assert!(end.stdout.is_empty(), "{arguments:?}: {}", end.stdout);
    }
    refused(&run(&["bench", "--suite", "fast"]), "fast");
    refused(
        &Files::new(&SMALL.replace("'flip'", "'flop'")).bench(&[]),
        "s.toml:3: no scene is called \"flop\"",
    );
    refused(&Files::new(&SMALL.replace("auto", "often")).bench(&[]), "s.toml:4");
    files.bench(&["--budget", "8"]).assert_code(&[2]);
    let unwritable = files.bench(&["--save", "/no/such/folder/r.json"]);
    unwritable.assert_code(&[2]);
    unwritable.assert_one_line();
}

#[test]
fn built_in_suite_can_be_printed_listed_and_used_as_a_file() {
    let printed = run(&["bench", "--print-suite", "quick"]);
    printed.assert_clean();
    let files = Files::new(&printed.stdout);
    let (as_file, built_in) = (files.bench(&["--list"]), run(&["bench", "--list"]));
    as_file.assert_clean();
    assert_eq!(as_file.stdout, built_in.stdout);
    assert!(built_in.stdout.contains("flash immediate xvfb") && built_in.stdout.contains("XTEST"));
    refused(&run(&["bench", "--print-suite", "slow"]), "slow");
}

/// A program that does what a shell script says.
fn script(files: &Files, text: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = files.path("program");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
    files.text("program")
}

/// Whether the process that wrote its id into this file is still there.
fn lives(pid_file: &Path) -> bool {
    let pid = fs::read_to_string(pid_file).expect("the program was started");
    Path::new("/proc").join(pid.trim()).exists()
}

#[test]
fn child_that_dies_or_hangs_is_told_in_one_line_and_nothing_is_left_of_it() {
    let files = Files::new(SMALL);
    for (text, says) in [
        ("echo some other line >&2; echo no such display >&2; exit 3", "exit code 3: no such display"),
        ("kill -9 $$", "signal 9"),
        ("exit 0", "left no figures"),
        ("trap '' INT TERM; sleep 100 & wait", "still ran"),
    ] {
        let pid_file = files.path("pid");
        let program = script(&files, &format!("echo $$ > {}\n{text}", pid_file.display()));
        let options = ["--interleave", "--rounds", "2", "--limit", "20", "--against", &program];
        let limit = if says == "still ran" { "3" } else { "60" };
        let saved = files.text("r.json");
        let mut options = options.to_vec();
        options[4] = limit;
        let end = files.bench(&[&options[..], &["--only", "flip", "--save", &saved]].concat());
        refused(&end, says);
        assert!(end.stderr.contains("flip auto headless=120"), "{}", end.stderr);
        assert!(!lives(&pid_file), "{says}: the program is still there");
        // What was found out is kept.
        let error =
            files.json("r.base.json")["scenarios"][0]["error"].as_str().unwrap_or_default().to_owned();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn two_builds_measured_in_turns_are_compared_round_by_round() {
    let files = Files::new(SMALL);
    let saved = files.text("r.json");
    let turns = ["--interleave", "--rounds", "3", "--against-args", "--layout serial --pacing smooth"];
    let end = files.bench(&[&turns[..], &["--only", "flip", "--save", &saved]].concat());
    end.assert_code(&[0, 1]); // whether something is slower is for the comparison to say
    assert!(end.stdout.contains("verdict") && end.stdout.contains("SampleToPhoton P50"), "{}", end.stdout);
    let (this, base) = (files.json("r.json"), files.json("r.base.json"));
    assert!(this["interleaved"].is_string() && this["interleaved"] == base["interleaved"]);
    for result in [&this, &base] {
        let scenario = &result["scenarios"][0];
        assert_eq!(scenario["frames"].as_u64(), Some(180), "60 in each round");
        let rounds = &scenario["samples"]["MsUntilDisplayed"]["rounds"];
        assert_eq!(rounds, &serde_json::json!([60, 60, 60]));
        assert_eq!(scenario["name"], "flip auto headless=120");
    }
    // Its miss budget tells that the base was run with other options.
    let budget = |result: &Value| result["scenarios"][0]["miss_budget"].as_f64();
    assert_eq!((budget(&this), budget(&base)), (Some(0.005), Some(0.001)));
}

#[test]
fn saved_results_are_compared_and_a_regression_closes_the_gate() {
    let files = Files::new(&SMALL.replace("frames = 60", "frames = 120"));
    let base = files.text("base.json");
    files.bench(&["--only", "flip", "--save", &base]).assert_clean();
    // What took a second longer in the base is faster now, and the other way round.
    let mut slow = files.json("base.json");
    let shift = |value: &mut Value, by: f64| {
        let samples =
            value["scenarios"][0]["samples"]["SampleToPhoton"]["ms"].as_array_mut().expect("samples");
        samples.iter_mut().for_each(|ms| *ms = (ms.as_f64().expect("a number") + by).into());
    };
    shift(&mut slow, 1_000.0);
    fs::write(files.path("slow.json"), slow.to_string()).expect("a file");
    let faster = files.bench(&["--only", "flip", "--compare", &files.text("slow.json")]);
    assert!(faster.stdout.contains("faster"), "{}", faster.stdout);
    let mut fast = files.json("base.json");
    shift(&mut fast, -1_000.0);
    fs::write(files.path("fast.json"), fast.to_string()).expect("a file");
    let slower = files.bench(&["--only", "flip", "--compare", &files.text("fast.json")]);
    slower.assert_code(&[1]);
    slower.assert_one_line();
    assert!(
        slower.stderr.contains("SampleToPhoton") && slower.stderr.contains("slower"),
        "{}",
        slower.stderr
    );
}

/// What `--only` leaves out is not missing, and quiet means: nothing but the verdict.
#[test]
fn comparison_of_some_scenarios_is_about_those_and_quiet_says_its_verdict() {
    let files = Files::new(SMALL);
    let base = files.text("base.json");
    files.bench(&["-q", "--save", &base]).assert_clean();
    let some = files.bench(&["--only", "flip", "--compare", &base]);
    some.assert_code(&[0, 1]);
    assert!(some.stdout.contains("verdict") && !some.stdout.contains("only in the base"), "{}", some.stdout);
    let quiet = files.bench(&[
        "-q",
        "--only",
        "flip",
        "--interleave",
        "--rounds",
        "2",
        "--against-args",
        "--layout serial",
    ]);
    quiet.assert_code(&[0, 1]);
    let last = quiet.stdout.lines().last().unwrap_or_default();
    assert!(last == "no regression shown" || last.starts_with("regression: "), "{}", quiet.stdout);
    assert!(!quiet.stdout.contains("milliseconds") && !quiet.stdout.contains("note:"), "{}", quiet.stdout);
}

/// Ctrl-C in the midst of a run: its report, what came before, and no process left.
#[test]
fn interrupted_bench_writes_what_was_measured_and_leaves_nothing_running() {
    let long =
        SMALL.replace("frames = 60", "frames = 60000").replace("['flip', 'flash']", "['flip', 'bars']");
    let files = Files::new(&long);
    let (suite, saved) = (files.text("s.toml"), files.text("r.json"));
    let mut app = App::start(scanout(), &["bench", "--suite", &suite, "--save", &saved], &Place::Nowhere);
    // The child of the first scenario runs, and has had time for some frames.
    let child = app.poll_while_running(LIMIT, child_of).expect("a child");
    std::thread::sleep(Duration::from_millis(1_500));
    app.interrupt();
    let end = app.wait(LIMIT);
    end.assert_code(&[1]);
    end.assert_one_line();
    assert!(end.stderr.contains("interrupted: 1 of 2"), "{}", end.stderr);
    let process = PathBuf::from(format!("/proc/{child}"));
    assert!(poll_until(LIMIT, || (!process.exists()).then_some(())).is_some(), "the child is still there");
    let result = files.json("r.json");
    let [first, second] = [0, 1].map(|i| result["scenarios"][i].clone());
    assert!(first["frames"].as_u64().is_some_and(|n| n > 10 && n < 60_000), "{}", first["frames"]);
    assert!(first["warnings"].to_string().contains("interrupted"), "{}", first["warnings"]);
    assert!(second["error"].as_str().is_some_and(|e| e.contains("interrupted")), "{}", second["error"]);
}

/// The first child of a process that has become the program (and is no `setpriv` any more).
fn child_of(parent: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    children.split_whitespace().find_map(|child| {
        let child: u32 = child.parse().ok()?;
        let command = fs::read_to_string(format!("/proc/{child}/cmdline")).ok()?;
        // The program that measures lies between.
        if command.contains("--frame-log") { Some(child) } else { child_of(child) }
    })
}
