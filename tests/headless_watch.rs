//! `scanout run --telemetry` and `scanout watch`, as a user types them: two processes, of which one looks at the other.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "limits on real processes are real time")]

mod support;

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use support::app::{App, Ending, Place};
use support::{pause, poll_until};

/// Software rendering while other tests use the CPUs.
const LIMIT: Duration = Duration::from_secs(60);

/// A folder for plates of this test alone.
struct Session(TempDir);

impl Session {
    fn new() -> Self {
        Self(TempDir::with_prefix("scanout-watch-").expect("a temporary folder"))
    }

    fn start(&self, program: impl Into<OsString>, arguments: &[&str]) -> App {
        let folder = self.0.path().to_str().expect("a plain path");
        App::start_with(program.into(), arguments, &Place::Nowhere, &[("XDG_RUNTIME_DIR", folder)])
    }

    fn scanout(&self, arguments: &[&str]) -> App {
        self.start(program(), arguments)
    }

    /// A program that draws `bars` as `t`, and what else it is told.
    fn run(&self, more: &[&str]) -> App {
        let usual =
            ["run", "--display", "headless", "--scene", "bars", "--size", "64x48", "--telemetry", "t"];
        self.scanout(&[&usual[..], more].concat())
    }

    /// The same, once it draws.
    fn running(&self, more: &[&str]) -> App {
        let mut app = self.run(more);
        let drawn = poll_until(LIMIT, || (self.frames() > 0 || !app.runs()).then_some(()));
        assert!(drawn.is_some() && app.runs(), "{}", app.stderr());
        app
    }

    fn watch(&self, arguments: &[&str]) -> Ending {
        self.scanout(&[&["watch"], arguments].concat()).wait(LIMIT)
    }

    /// The newest frame of `t`, by the list; 0 while there is none.
    fn frames(&self) -> u64 {
        let list = self.watch(&[]).stdout;
        let line = list.lines().find(|line| line.starts_with("t "));
        line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok()).unwrap_or(0)
    }

    fn plate(&self) -> PathBuf {
        self.0.path().join("scanout").join("t")
    }
}

fn program() -> OsString {
    std::env::var_os("SCANOUT_TEST_BINARY").unwrap_or_else(|| OsString::from(env!("CARGO_BIN_EXE_scanout")))
}

/// The figures of one metric in what was printed: n, mean, p50, p95, p99, p99.9, max.
fn figures<'a>(printed: &'a str, metric: &str) -> Vec<&'a str> {
    let line = printed.lines().find(|line| line.split_whitespace().next() == Some(metric));
    line.unwrap_or_else(|| panic!("no {metric} in\n{printed}")).split_whitespace().skip(1).collect()
}

fn rows(path: &Path) -> Vec<csv::StringRecord> {
    let mut reader = csv::Reader::from_path(path).expect("a file");
    reader.records().map(|row| row.expect("a row")).collect()
}

/// A reader that is there from the start sees each frame once, and comes to the figures that the program comes to.
#[test]
fn frames_and_figures_of_the_reader_are_those_of_the_run() {
    let session = Session::new();
    let mut watch = session.scanout(&["watch", "t", "--plain", "--wait", "--csv", "frames.csv"]);
    let mut app = session.run(&["--frames", "200", "--refresh", "120", "--report", "report.json"]);
    app.wait(LIMIT).assert_clean();
    let end = watch.wait(LIMIT);
    end.assert_clean();
    assert!(end.stdout.contains("ended"), "{}", end.stdout);
    let rows = rows(&watch.folder().join("frames.csv"));
    let ids: Vec<u64> = rows.iter().map(|row| row[0].parse().expect("a number")).collect();
    assert_eq!(ids, (1..=230).collect::<Vec<u64>>(), "30 of the warm-up, and 200");
    let report = app.report("report.json");
    for metric in
        ["SampleToPhoton", "MsBetweenDisplayChange", "RenderTime", "WakeError", "QueueDepth", "ClockDrift"]
    {
        let (told, seen) = (&report["metrics"][metric], figures(&end.stdout, metric));
        assert_eq!(told["n"].to_string(), seen[0], "{metric}: {told} {seen:?}");
        for (at, name) in [(1, "mean"), (2, "p50"), (4, "p99"), (6, "max")] {
            let (told, seen) =
                (told[name].as_f64().expect("a figure"), seen[at].parse::<f64>().expect("a figure"));
            assert!(
                (told - seen).abs() <= 0.051_f64.max(told.abs() * 0.01),
                "{metric} {name}: {told} {seen}"
            );
        }
    }
    // Refreshes come through as well; which of them belong to the warm-up depends on when frames are read.
    for metric in ["VsyncJitter", "PhaseError"] {
        let seen = figures(&end.stdout, metric)[0].parse::<u64>().expect("a number of refreshes");
        let told = report["metrics"][metric]["n"].as_u64().expect("a number of refreshes");
        assert!(seen > 100 && seen.abs_diff(told) <= 40, "{metric}: {seen} seen, {told} told");
    }
    assert_eq!(figures(&end.stdout, "ClickToPhoton"), ["not", "measured"]);
    assert!(!session.plate().exists(), "the run takes its name away");
}

#[test]
fn columns_of_the_file_are_those_of_the_frame_log() {
    let session = Session::new();
    let _app = session.running(&["--seconds", "60"]);
    let mut watch = session.scanout(&["watch", "t", "--once", "--seconds", "0.5", "--csv", "f.csv"]);
    watch.wait(LIMIT).assert_clean();
    let mut reader = csv::Reader::from_path(watch.folder().join("f.csv")).expect("a file");
    let head = reader.headers().expect("a head").iter().collect::<Vec<_>>().join(",");
    assert_eq!(
        head,
        "id,snapshot,input_received,input_sampled,logic_done,snapshot_published,snapshot_acquired,submitted,gpu_done,\
         swap_begin,swap_end,presented,origin,animation_time,repeated,stale,dropped,after_idle,apart,planned,latched,\
         swap_at,target,queued,spun,refresh,lasts"
    );
    for row in reader.records() {
        let row = row.expect("a row");
        let at = |column: usize| row[column].parse::<u64>().expect("a stamp");
        // No input can come off screen: an empty field, and no 0.
        assert_eq!((&row[2], &row[12]), ("", "simulated"));
        if &row[14] == "true" {
            // Late logic on a busy machine: it shows an old snapshot, whose steps are the earlier frame's.
            continue;
        }
        assert!(
            at(3) <= at(4) && at(4) <= at(6) && at(6) <= at(7) && at(7) <= at(9) && at(9) <= at(10),
            "{row:?}"
        );
    }
}

/// The number after `frames`.
fn counted(printed: &str) -> u64 {
    figures(printed, "frames")[0].parse().expect("a number of frames")
}

/// What was in the table before is no frame of the seconds in which it is watched; without any seconds it is all there is.
#[test]
fn frames_from_before_it_was_watched_are_left_out_of_the_figures() {
    let session = Session::new();
    let _app = session.running(&["--seconds", "120", "--pacing", "fixed=100"]);
    assert!(poll_until(LIMIT, || (session.frames() > 200).then_some(())).is_some());
    for how in ["--once", "--plain"] {
        let before = session.frames();
        let mut watch = session.scanout(&["watch", "t", how, "--seconds", "1", "--csv", "f.csv"]);
        let end = watch.wait(LIMIT);
        let after = session.frames();
        end.assert_clean();
        let rows = rows(&watch.folder().join("f.csv"));
        let first: u64 = rows[0][0].parse().expect("a number");
        assert!(first > before, "{how}: {first} was drawn before {before}");
        assert_eq!(counted(&end.stdout), rows.len() as u64, "{how}: {}", end.stdout);
        assert!(rows.len() as u64 <= after - before, "{how}");
        assert!(end.stdout.contains(" s of watching ("), "{how}: {}", end.stdout);
    }
    let at_once = session.watch(&["t", "--once"]);
    at_once.assert_clean();
    assert!(counted(&at_once.stdout) > 150, "those of the table: {}", at_once.stdout);
    assert!(at_once.stdout.contains("that its table had"), "{}", at_once.stdout);
}

#[test]
fn end_without_any_figures_is_told_by_a_line_and_the_exit_code() {
    let session = Session::new();
    let refused = |arguments: &[&str], wanted: &str| {
        let end = session.watch(arguments);
        end.assert_code(&[1]);
        end.assert_one_line();
        assert!(end.stderr.contains(wanted), "{wanted}: {}", end.stderr);
    };
    for how in ["--once", "--plain"] {
        refused(&["t", "--wait", how, "--seconds", "0.5"], "no figures: t was not there within ");
    }
    let mut app = session.running(&["--seconds", "120"]);
    app.signal(Signal::STOP);
    refused(&["t", "--once", "--seconds", "0.3"], "no figures: t drew nothing within ");
    app.signal(Signal::CONT);
}

#[test]
fn list_names_what_runs_and_nothing_else() {
    let session = Session::new();
    let empty = session.watch(&[]);
    empty.assert_clean();
    // The other folder belongs to the machine: what lies there is not this test's.
    assert!(empty.stdout.lines().all(|line| !line.starts_with("t ")), "{}", empty.stdout);
    let app = session.running(&["--seconds", "60"]);
    let list = session.watch(&[]);
    list.assert_clean();
    let line = list.stdout.lines().find(|line| line.starts_with("t ")).expect("a line");
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[..3], ["t", &app.id().to_string(), "running"], "{line}");
    let mode = fs::metadata(session.plate()).expect("a plate").permissions().mode();
    let folder = fs::metadata(session.0.path().join("scanout")).expect("a folder").permissions().mode();
    assert_eq!((mode & 0o777, folder & 0o777), (0o600, 0o700));
}

/// A reader that is stopped, and one that is killed, are nothing to the program: frames go on at their rate.
#[test]
fn reader_that_stalls_or_dies_does_not_slow_the_program() {
    let session = Session::new();
    let mut app = session.running(&["--seconds", "120", "--pacing", "fixed=100"]);
    let mut watch = session.scanout(&["watch", "t", "--plain"]);
    let count = || {
        let from = session.frames();
        pause(Duration::from_secs(2));
        session.frames() - from
    };
    let read = poll_until(LIMIT, || watch.stdout().contains("frames").then_some(()));
    assert!(read.is_some(), "{}", watch.stderr());
    let watched = count();
    watch.signal(Signal::STOP);
    let stalled = count();
    watch.signal(Signal::CONT);
    watch.signal(Signal::KILL);
    let killed = count();
    // Ratios within one run, wide enough for a machine with other work: one that waits for its reader makes none.
    assert!(watched > 20 && stalled * 2 > watched && killed * 2 > watched, "{watched}, {stalled}, {killed}");
    app.assert_runs("after its reader died");
    app.interrupt();
    app.wait(LIMIT).assert_clean();
}

/// A reader that stood still for longer than the table holds frames says how many it did not see.
#[test]
fn reader_that_comes_too_late_says_how_many_frames_it_did_not_see() {
    let session = Session::new();
    let _app = session.running(&["--seconds", "120", "--pacing", "immediate"]);
    let mut watch = session.scanout(&["watch", "t", "--plain"]);
    let read = poll_until(LIMIT, || watch.stdout().contains("frames").then_some(()));
    assert!(read.is_some(), "{}", watch.stderr());
    watch.signal(Signal::STOP);
    let from = session.frames();
    let passed = poll_until(LIMIT, || (session.frames() > from + 3_000).then_some(()));
    assert!(passed.is_some(), "frames go on");
    watch.signal(Signal::CONT);
    pause(Duration::from_millis(1_500));
    watch.interrupt();
    let end = watch.wait(LIMIT);
    end.assert_clean();
    assert!(end.stdout.lines().any(|l| l.starts_with("counted") && l.contains("not seen")), "{}", end.stdout);
}

#[test]
fn program_that_is_killed_is_told_and_another_takes_its_name() {
    let session = Session::new();
    let mut app = session.running(&["--seconds", "120"]);
    let mut watch = session.scanout(&["watch", "t", "--plain"]);
    let read = poll_until(LIMIT, || watch.stdout().contains("running").then_some(()));
    assert!(read.is_some(), "{}", watch.stderr());
    app.signal(Signal::KILL);
    let end = watch.wait(LIMIT);
    end.assert_clean();
    assert!(
        end.stdout.contains("died") && figures(&end.stdout, "SampleToPhoton").len() == 7,
        "{}",
        end.stdout
    );
    assert_eq!(app.wait(LIMIT).code, None);
    assert!(session.plate().exists(), "nobody was left to take it away");
    let gone = session.watch(&["t", "--once"]);
    gone.assert_code(&[2]);
    gone.assert_one_line();
    assert!(gone.stderr.contains("has died"), "{}", gone.stderr);
    let mut app = session.running(&["--seconds", "120"]);
    assert!(session.watch(&["t", "--once"]).stdout.contains("running"));
    app.interrupt();
    app.wait(LIMIT).assert_clean();
    assert!(!session.plate().exists());
}

#[test]
fn name_that_is_in_use_or_cannot_be_one_is_refused_in_one_line() {
    let session = Session::new();
    let mut app = session.running(&["--seconds", "120"]);
    let second = session.run(&["--seconds", "1"]).wait(LIMIT);
    second.assert_code(&[2]);
    second.assert_one_line();
    assert!(second.stderr.contains(&format!("in use by process {}", app.id())), "{}", second.stderr);
    app.assert_runs("after another wanted its name");
    for name in ["../t", ".t", "a b", ""] {
        let name = ["--telemetry", name];
        let runs = session
            .scanout(&[&["run", "--display", "headless", "--scene", "bars"], &name[..]].concat())
            .wait(LIMIT);
        runs.assert_code(&[2]);
        runs.assert_one_line();
    }
    let watch = session.watch(&["../t"]);
    watch.assert_code(&[2]);
    watch.assert_one_line();
}

#[test]
fn what_is_no_plate_is_refused_in_one_line() {
    let session = Session::new();
    let folder = session.0.path().join("scanout");
    fs::DirBuilder::new().mode(0o700).create(&folder).expect("a folder");
    let refused = |reason: &str| {
        for arguments in [&["watch", "t", "--once"][..], &["watch", "t", "--wait", "--plain"]] {
            let end = session.scanout(arguments).wait(LIMIT);
            end.assert_code(&[2]);
            end.assert_one_line();
            assert!(end.stderr.contains(reason), "{reason}: {}", end.stderr);
        }
    };
    for (bytes, reason) in [
        (&b"scanoutP\x01\0\0\0"[..], "truncated"),
        (b"scanoutP\x07\0\0\0\0\0\0\0", "its version is 7"),
        (b"\x7fELF and so on, for as long as a plate or longer...", "no plate of scanout"),
    ] {
        fs::write(session.plate(), bytes).expect("a file");
        fs::set_permissions(session.plate(), fs::Permissions::from_mode(0o600)).expect("a mode");
        refused(reason);
    }
    // Only root can make files that belong to others.
    if rustix::process::geteuid().is_root() {
        rustix::fs::chown(session.plate(), Some(rustix::process::Uid::from_raw(65_534)), None)
            .expect("this needs root");
        refused("belongs to another user");
        rustix::fs::chown(&folder, Some(rustix::process::Uid::from_raw(65_534)), None)
            .expect("this needs root");
        refused("belongs to another user");
    }
    let run = session.run(&["--seconds", "1"]).wait(LIMIT);
    run.assert_code(&[2]);
    run.assert_one_line();
}

/// In a terminal: the picture is drawn on the other screen, and the terminal is as it was however it ends.
#[test]
fn terminal_is_restored_at_the_end_and_by_a_signal() {
    let session = Session::new();
    let _app = session.running(&["--seconds", "120"]);
    // The warm-up is over.
    assert!(poll_until(LIMIT, || (session.frames() > 60).then_some(())).is_some());
    let scanout = program().into_string().expect("a plain path");
    for end in [format!("{scanout} watch t --seconds 1"), format!("timeout --foreground 2 {scanout} watch t")]
    {
        // A terminal of `script` has no size of its own.
        let end = format!("stty rows 24 cols 80; {end}");
        let shown = session
            .start("script", &["--quiet", "--return", "--command", &end, "/dev/null"])
            .wait(LIMIT)
            .stdout;
        let (entered, left) = (shown.find("\x1b[?1049h"), shown.rfind("\x1b[?1049l"));
        assert!(entered.is_some() && left > entered, "{end}: {shown:?}");
        assert!(shown.contains("SampleToPhoton") && shown.contains("running"), "{end}: {shown:?}");
        assert!(shown.rfind("\x1b[?25h") > entered, "the cursor is shown again: {shown:?}");
    }
}

/// The window of the terminal is closed, and nobody sends a signal (it is in a session of its own): it must not go on, and
/// least of all as fast as it can.
#[test]
fn terminal_that_is_gone_ends_it() {
    let session = Session::new();
    let _app = session.running(&["--seconds", "120"]);
    let scanout = program().into_string().expect("a plain path");
    let file = session.0.path().join("pid");
    let inner = format!("echo $$ > {}; exec {scanout} watch t", file.display());
    let command = format!("stty rows 24 cols 80; setsid --wait sh -c '{inner}'");
    let mut terminal = session.start("script", &["--quiet", "--command", &command, "/dev/null"]);
    let pid = poll_until(LIMIT, || {
        let pid: u32 = fs::read_to_string(&file).ok()?.trim().parse().ok()?;
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        (name.trim() == "scanout" && terminal.stdout().contains("SampleToPhoton")).then_some(pid)
    });
    let pid = pid.expect("a watch in a terminal");
    terminal.signal(Signal::KILL);
    let gone = poll_until(LIMIT, || (!Path::new(&format!("/proc/{pid}")).exists()).then_some(()));
    if gone.is_none() {
        let of_ours = rustix::process::Pid::from_raw(pid.cast_signed()).expect("a process id");
        rustix::process::kill_process(of_ours, Signal::KILL).expect("it still runs");
        panic!("it went on without a terminal");
    }
}
