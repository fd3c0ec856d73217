//! `scanout photon` on X11: the real program measures real programs, and leaves nothing behind whatever happens.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "limits on real processes are real time")]
#![allow(clippy::print_stdout, reason = "how far inside and outside are apart is told, not judged")]

mod small_program;
mod support;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use scanout::observe;
use serde_json::Value;
use small_program::{Kind, SIZE};
use support::app::{App, Ending, Place};
use support::x11::X11;
use support::xvfb::Xvfb;
use support::{pause, poll_until};
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, InputFocus, PropMode, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

/// For a whole run while other tests use the CPUs.
const LIMIT: Duration = Duration::from_secs(60);
/// For children to be gone after their owner is.
const GONE_LIMIT: Duration = Duration::from_secs(5);

fn scanout() -> OsString {
    std::env::var_os("SCANOUT_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_scanout").into())
}

/// A run of `scanout photon` whose children can be told by their environment.
struct Photon {
    app: App,
    mark: String,
}

static RUNS: AtomicU32 = AtomicU32::new(0);

impl Photon {
    fn start(arguments: &[&str]) -> Self {
        Self::start_in(arguments, &Place::Nowhere)
    }

    fn start_in(arguments: &[&str], place: &Place) -> Self {
        Self::start_as(scanout(), &[&["photon"], arguments].concat(), place)
    }

    fn start_as(program: impl AsRef<OsStr>, arguments: &[&str], place: &Place) -> Self {
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let mark = format!("SCANOUT_PHOTON_TEST={}-{run}", std::process::id());
        let variable = mark.split_once('=').expect("a variable");
        let app = App::start_with(program, arguments, place, &[variable]);
        Self { app, mark }
    }

    /// Processes that it, or something that it started, has started.
    fn family(&self) -> Vec<String> {
        let me = self.app.id().to_string();
        let all =
            fs::read_dir("/proc").expect("proc").flatten().filter_map(|e| e.file_name().into_string().ok());
        let marked = |pid: &String| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == self.mark.as_bytes())
        };
        let name = |pid: String| {
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            format!("{pid} {}", String::from_utf8_lossy(&command).replace('\0', " "))
        };
        all.filter(|pid| *pid != me && pid.bytes().all(|b| b.is_ascii_digit()) && marked(pid))
            .map(name)
            .collect()
    }

    #[track_caller]
    fn expect_alone(&self) {
        let gone = poll_until(GONE_LIMIT, || self.family().is_empty().then_some(()));
        assert!(gone.is_some(), "still there: {:#?}", self.family());
    }

    #[track_caller]
    fn end(mut self) -> (Ending, Value) {
        let ending = self.app.wait(LIMIT);
        self.expect_alone();
        let path = self.app.folder().join("figures.json");
        let text = fs::read_to_string(path).unwrap_or_else(|_| "null".into());
        (ending, serde_json::from_str(&text).expect("JSON"))
    }

    /// Its figures after a run that went well.
    #[track_caller]
    fn figures(self) -> Value {
        let (ending, figures) = self.end();
        ending.assert_clean();
        assert!(ending.stdout.contains("framebuffer"), "what a photon is: {}", ending.stdout);
        assert_eq!(figures["schema"], "scanout.photon/1");
        figures
    }

    /// One line of error, exit code 2, nothing left.
    #[track_caller]
    fn expect_refused(self, wanted: &str) {
        let (ending, _) = self.end();
        ending.assert_code(&[2]);
        ending.assert_one_line();
        assert!(ending.stderr.contains(wanted), "{wanted}: {}", ending.stderr);
    }
}

/// Our own program as the one that is measured.
fn with_scene<'a>(options: &[&'a str], program: &'a str, scene: &[&'a str]) -> Vec<&'a str> {
    let own = ["--", program, "run", "--display", "window", "--size", "640x480", "--scene"];
    [&["--size", "640x480", "--json", "figures.json"], options, &own, scene].concat()
}

fn program() -> String {
    scanout().into_string().expect("a plain path")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("a number: {value}"))
}

#[track_caller]
fn assert_figures(figures: &Value, n: u64) {
    assert_eq!(figures["n"], n, "{figures}");
    let (p50, max) = (number(&figures["p50"]), number(&figures["max"]));
    assert!(0.0 < p50 && p50 <= max, "{figures}");
    // The largest of a few values is not called by another name.
    for (percentile, needs) in [("p95", 20), ("p99", 100)] {
        if n < needs {
            assert_eq!(figures[percentile], Value::Null, "{figures}");
        } else {
            assert!((p50..=max).contains(&number(&figures[percentile])), "{figures}");
        }
    }
    assert_eq!(figures["values"].as_array().map(|v| v.len() as u64), Some(n));
}

#[test]
fn flash_is_clicked_and_agrees_with_what_it_says_of_itself() {
    let program = program();
    let report = std::env::temp_dir().join(format!("photon-inside-{}.json", std::process::id()));
    let report_text = report.to_str().expect("a plain path");
    let scene = ["flash", "--pacing", "immediate", "--report", report_text];
    let figures = Photon::start(&with_scene(&["--count", "40"], &program, &scene)).figures();
    let inside = fs::read_to_string(&report).expect("the program ended in order and wrote its report");
    let _ = fs::remove_file(&report);
    let inside: Value = serde_json::from_str(&inside).expect("JSON");
    assert_eq!(figures["mode"], "click");
    assert_eq!((&figures["input"], &figures["press"]), (&"XTEST".into(), &"the key space".into()));
    assert_eq!(figures["size"], serde_json::json!([640, 480]));
    assert_eq!(figures["window"], serde_json::json!([0, 0, 640, 480]));
    assert_eq!((&figures["clicks"]["lost"], &figures["cut_short"]), (&0.into(), &false.into()));
    assert_figures(&figures["first_ms"], 40);
    assert_figures(&figures["all_ms"], 40 - figures["clicks"]["partial"].as_u64().expect("a count"));
    assert!(number(&figures["first_ms"]["p50"]) <= number(&figures["all_ms"]["p50"]));
    // Every point of the window turns, and each was learnt to.
    assert_eq!(figures["clicks"]["points_answering"], figures["clicks"]["points"]);
    assert_figures(&figures["floor"]["first_ms"], 40);
    assert!(figures["observer"]["gap_us"]["n"].as_u64().is_some_and(|n| n > 0));
    for who in ["program", "server", "observer", "rest"] {
        assert!(number(&figures["cpu"][who]) >= 0.0, "{who}");
    }
    // How far both are apart is a measurement, and the machine is busy.
    println!(
        "first change from outside {:.3} ms, ClickToPhoton from inside {} ms, floor {:.3} ms (medians)",
        number(&figures["first_ms"]["p50"]),
        inside["metrics"]["ClickToPhoton"]["p50"],
        number(&figures["floor"]["first_ms"]["p50"]),
    );
    assert!(number(&inside["metrics"]["ClickToPhoton"]["n"]) >= 40.0, "{inside}");
}

#[test]
fn button_answers_like_a_key_and_named_points_alone_are_looked_at() {
    let program = program();
    let options =
        ["--count", "5", "--button", "--no-floor", "--at", "10,20", "--at", "630,470", "--look", "0"];
    let figures =
        Photon::start(&with_scene(&options, &program, &["flash", "--pacing", "immediate"])).figures();
    assert_eq!((&figures["clicks"]["points"], &figures["press"]), (&2.into(), &"the left button".into()));
    assert_figures(&figures["first_ms"], 5);
    assert_eq!(figures["floor"], Value::Null);
    // An observer that never sleeps must not have the machine to itself.
    assert_eq!(figures["observer"]["priority"], "normal");
}

#[test]
fn flip_shows_its_rate_and_what_it_misses_of_a_higher_one() {
    let program = program();
    let watch = |pacing: &str, refresh: &str| {
        let options = ["--mode", "animation", "--seconds", "2", "--refresh", refresh];
        let scene = ["flip", "--pacing", pacing];
        Photon::start(&with_scene(&options, &program, &scene)).figures()["animation"].clone()
    };
    let slow = watch("fixed=20", "20");
    assert_eq!((&slow["period"], &slow["period_ms"]), (&"given".into(), &50.0.into()));
    let twice = watch("fixed=20", "40");
    let fast = watch("fixed=100", "100");
    for one in [&slow, &twice, &fast] {
        assert!(one["interval_ms"]["n"].as_u64().is_some_and(|n| n > 10), "{one}");
    }
    assert!(number(&fast["interval_ms"]["p50"]) < number(&slow["interval_ms"]["p50"]));
    // At half the refresh rate every picture is shown twice, whatever else happens.
    let n = number(&twice["interval_ms"]["n"]);
    assert!(number(&twice["duplicated"]) > 0.8 * n && number(&twice["missed"]) > 0.8 * n, "{twice}");
    assert!(number(&slow["duplicated"]) < number(&twice["duplicated"]), "{slow} {twice}");
}

#[test]
fn dragged_mark_is_found_and_its_lag_told() {
    let program = program();
    let options = ["--mode", "drag", "--seconds", "2", "--speed", "600"];
    let figures =
        Photon::start(&with_scene(&options, &program, &["drag", "--pacing", "immediate"])).figures();
    let drag = &figures["drag"];
    assert!(drag["lag_ms"]["n"].as_u64().is_some_and(|n| n > 50), "{drag}");
    assert!(number(&drag["lag_ms"]["p50"]) > 0.0 && number(&drag["jitter_ms"]) > 0.0, "{drag}");
    assert_eq!((&drag["row"], &drag["speed_px_s"]), (&68.into(), &600.0.into()));
    assert!(drag["offset_px"].as_i64().is_some_and(|px| px.abs() <= 1), "the mark is centred: {drag}");
}

#[test]
fn programs_that_cannot_be_measured_are_refused_in_one_line() {
    let program = program();
    let refused = |options: &[&str], wanted: &str| Photon::start(options).expect_refused(wanted);
    refused(&["--", "true"], "true ended with exit code 0 before it showed a window");
    refused(
        &["--", "sh", "-c", "echo why not >&2; exit 3"],
        "exit code 3 before it showed a window: why not",
    );
    refused(&["--wait", "0.5", "--", "sleep", "1000"], "sleep shows no window within 0.5 s");
    refused(&["--", "scanout-no-such-program"], "neither a program on PATH nor a file");
    let resting = ["--no-floor", "--key", "f7"];
    refused(&with_scene(&resting, &program, &["flash"]), "does not answer the key f7");
    refused(&with_scene(&["--at", "640,0"], &program, &["flash"]), "--at 640,0 lies outside the window");
    refused(&with_scene(&["--mode", "animation"], &program, &["flash"]), "stands still");
    refused(&with_scene(&["--mode", "drag"], &program, &["flash"]), "no mark is drawn in row 68");
    refused(&with_scene(&["--mode", "drag"], &program, &["bars", "--pacing", "fixed=60"]), "(try --row)");
    let short = ["flash", "--pacing", "immediate", "--seconds", "2"];
    refused(
        &with_scene(&["--count", "100000"], &program, &short),
        "ended with exit code 0 while it was measured",
    );
}

#[test]
fn servers_that_cannot_be_used_are_refused_in_one_line() {
    let refused = |options: &[&str], wanted: &str| Photon::start(options).expect_refused(wanted);
    refused(&["--display", ":4321"], "no connection to X server :4321");
    refused(&[], "nothing to measure");
    refused(&["--window", "anything"], "--window needs --display");
    for (extension, wanted) in [("XTEST", "has no XTEST"), ("MIT-SHM", "has no MIT-SHM")] {
        let server = observe::Xvfb::start_with(320, 200, &["-extension", extension]).expect("Xvfb");
        refused(&["--display", &server.display(), "--", "sleep", "1000"], wanted);
    }
    let server = Xvfb::start();
    refused(&["--display", &server.display(), "--window", "nobody"], "no visible window 'nobody'");
    // Without Xvfb, and with nothing else either: `env` changes where the program looks, and not where it is looked for.
    let empty = tempfile::tempdir().expect("a folder");
    let path = format!("PATH={}", empty.path().display());
    let command = [&path, &program(), "photon", "--", "/bin/sleep", "1000"];
    let photon = Photon::start_as("env", &command, &Place::Nowhere);
    photon.expect_refused("Xvfb is not installed: run `apt-get install xvfb`");
}

#[test]
fn bad_options_are_refused_before_anything_starts() {
    for options in [
        ["--key", "spacebar"],
        ["--count", "0"],
        ["--at", "5"],
        ["--speed", "1"],
        ["--server", "windows"],
        ["--refresh", "0"],
        ["--seconds", "-1"],
        ["--json", "/no/such/folder/x.json"],
    ] {
        let photon = Photon::start(&[&options[..], &["--", "sleep", "1000"]].concat());
        let (ending, _) = photon.end();
        ending.assert_code(&[2]);
    }
    let (ending, _) = Photon::start(&["--server", "xvfb", "--display", ":0", "--", "sleep", "1000"]).end();
    ending.assert_code(&[2]);
}

#[test]
fn signals_end_the_run_with_all_that_it_started() {
    let program = program();
    // What the shell has started is nobody's child when the shell is gone.
    let script = format!(
        "sleep 1000 & '{program}' run --display window --size 640x480 --scene flash --pacing immediate; true"
    );
    for signal in [Signal::INT, Signal::TERM] {
        let mut photon = Photon::start(&["--count", "100000", "--no-floor", "--", "sh", "-c", &script]);
        let running = poll_until(LIMIT, || (photon.family().len() >= 4).then_some(()));
        assert!(
            running.is_some(),
            "server, shell, sleep and program: {:#?}\n{}",
            photon.family(),
            photon.app.stderr()
        );
        pause(Duration::from_millis(1_500));
        photon.app.assert_runs("while it presses");
        photon.app.signal(signal);
        let (ending, figures) = photon.end();
        ending.assert_code(&[1]);
        ending.assert_one_line();
        assert_eq!(figures, Value::Null);
    }
    // Before it has found a window, too.
    let mut photon = Photon::start(&["--wait", "100", "--", "sleep", "1000"]);
    assert!(poll_until(LIMIT, || (photon.family().len() >= 2).then_some(())).is_some());
    photon.app.signal(Signal::TERM);
    photon.end().0.assert_code(&[1]);
    // One that cannot be caught: the kernel ends whom it started itself.
    let mut photon = Photon::start(&["--wait", "100", "--", "sleep", "1000"]);
    assert!(poll_until(LIMIT, || (photon.family().len() >= 2).then_some(())).is_some());
    photon.app.signal(Signal::KILL);
    photon.app.wait(LIMIT);
    photon.expect_alone();
}

#[test]
fn stopped_run_writes_what_it_has_measured_in_every_mode() {
    let program = program();
    for (mode, scene, measured) in [
        ("click", "flash", "/first_ms"),
        ("animation", "flip", "/animation/interval_ms"),
        ("drag", "drag", "/drag/lag_ms"),
    ] {
        let options = ["--mode", mode, "--seconds", "1000", "--no-floor"];
        let presses: &[&str] = if mode == "click" { &["--count", "100000"] } else { &[] };
        let options = [&options[..], presses].concat();
        let pacing = if mode == "animation" { "fixed=60" } else { "immediate" };
        let mut photon = Photon::start(&with_scene(&options, &program, &[scene, "--pacing", pacing]));
        let running = poll_until(LIMIT, || (photon.family().len() >= 2).then_some(()));
        assert!(running.is_some(), "{mode}: {}", photon.app.stderr());
        // Past its start, the learning, and some of what is measured.
        pause(Duration::from_secs(12));
        photon.app.assert_runs(mode);
        photon.app.signal(Signal::INT);
        let (ending, figures) = photon.end();
        ending.assert_code(&[1]);
        ending.assert_one_line();
        assert_eq!(figures["cut_short"], true, "{mode}: {figures}");
        assert!(ending.stdout.contains("cut short"), "{mode}: {}", ending.stdout);
        let some = figures.pointer(measured).unwrap_or_else(|| panic!("{mode}: {figures}"));
        assert!(some["n"].as_u64().is_some_and(|n| n > 3), "{mode}: {some}");
    }
}

/// Not a test: what this binary does when it is run as the small program.
#[test]
fn small_program_runs() {
    small_program::be();
}

/// A run that measures the small program, without a floor.
fn small(kind: Kind, options: &[&str]) -> Photon {
    let size = format!("{}x{}", SIZE.0, SIZE.1);
    let command =
        small_program::command(kind, "small_program_runs").map(|word| word.into_string().expect("text"));
    let common = ["--size", &size, "--no-floor", "--json", "figures.json"];
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    Photon::start(&[&common, options, &["--"], &command].concat())
}

/// Nearly all of ten presses have an answer that was seen, and all are accounted for.
#[track_caller]
fn assert_pressed(figures: &Value) {
    let count = |name: &str| figures["clicks"][name].as_u64().expect("a count");
    let seen = figures["first_ms"]["n"].as_u64().expect("a count");
    assert_eq!(seen + count("lost") + count("unseen"), 10, "{figures}");
    assert!(seen >= 8, "{figures}");
    assert!(count("points_answering") > 0, "{figures}");
}

#[test]
fn few_pixels_are_found_where_a_key_changes_them() {
    // All fall between the points of a grid over the window.
    let button = small(Kind::Button, &["--count", "10"]).figures();
    assert_pressed(&button);
    assert_eq!(button["clicks"]["points_follow"], false, "always the same pixels");
    assert_eq!(button["clicks"]["points_moving"], 0);
    for kind in [Kind::Text, Kind::Caret] {
        let text = small(kind, &["--count", "10"]).figures();
        assert_pressed(&text);
        assert_eq!(text["clicks"]["points_follow"], true, "each press writes further on: {text}");
    }
}

#[test]
fn window_has_the_keyboard_before_it_is_pressed() {
    // Nobody else would give it to it: there is no window manager.
    assert_pressed(&small(Kind::Focused, &["--count", "10"]).figures());
    let server = Xvfb::start();
    assert_pressed(&small(Kind::Focused, &["--count", "10", "--display", &server.display()]).figures());
}

/// The small program behind a parent that ends at once, in a session of its own.
fn daemon(options: &[&str], before: &str) -> Photon {
    let [_, _, line] = small_program::command(Kind::Button, "small_program_runs");
    let line = line.into_string().expect("text").replace(" exec ", " exec setsid ");
    let script = format!("({before}; {line}) </dev/null >/dev/null 2>&1 & exit 0");
    let common = ["--size", "400x300", "--no-floor", "--json", "figures.json", "--count", "10"];
    Photon::start(&[&common, options, &["--", "sh", "-c", &script]].concat())
}

#[test]
fn program_that_goes_into_the_background_is_measured() {
    let figures = daemon(&[], "sleep 1").figures();
    assert_pressed(&figures);
    assert!(number(&figures["cpu"]["program"]) >= 0.0, "its own, not that of the parent which has ended");
    // Where others have windows as well it is known by its family.
    let server = Xvfb::start();
    let x11 = X11::connect(&server.display());
    let other = x11.connection.generate_id().expect("an id");
    let class = WindowClass::INPUT_OUTPUT;
    let aux = CreateWindowAux::new();
    x11.connection.create_window(0, other, x11.root, 500, 0, 700, 600, 0, class, 0, &aux).expect("request");
    let name = x11.connection.intern_atom(false, b"_NET_WM_PID").expect("request").reply().expect("an atom");
    let pid = [std::process::id()];
    x11.connection
        .change_property32(PropMode::REPLACE, other, name.atom, AtomEnum::CARDINAL, &pid)
        .expect("request");
    x11.map(other);
    let figures = daemon(&["--display", &server.display()], "sleep 1").figures();
    assert_pressed(&figures);
    assert_eq!(figures["window"], serde_json::json!([0, 0, 400, 300]), "{figures}");
    // The window that stays is measured.
    let renewed = small(Kind::Renewed, &["--count", "10"]).figures();
    assert_pressed(&renewed);
    assert_eq!(renewed["window"], serde_json::json!([0, 0, 400, 300]), "{renewed}");
    // Nobody is left, and somebody who shows nothing.
    let script = "setsid sleep 2 & exit 0";
    let refused = |options: &[&str], script: &str, wanted: &str| {
        Photon::start(&[options, &["--", "sh", "-c", script]].concat()).expect_refused(wanted);
    };
    refused(&["--wait", "50"], script, "sh ended with exit code 0 before it showed a window");
    let told = "sh ended with exit code 0, and what it left running shows no window within 1.0 s";
    refused(&["--wait", "1"], "setsid sleep 1000 & exit 0", told);
}

/// A program that failed and has left a process behind that shows nothing is not waited for, and not measured on.
#[test]
fn program_that_fails_is_over_though_it_leaves_a_process_behind() {
    let refused = |options: &[&str], script: &str, wanted: &str| {
        Photon::start(&[options, &["--", "sh", "-c", script]].concat()).expect_refused(wanted);
    };
    // Longer than this test waits.
    let long = ["--wait", "1000"];
    let told = "sh ended with exit code 3 before it showed a window: broken";
    refused(&long, "sleep 1000 & echo broken >&2; exit 3", told);
    refused(&long, "setsid sleep 1000 & kill -9 $$", "sh was ended by signal 9 before it showed a window");
    // It ends at the first press, and what it has left answers that one only then: it fails while it is measured.
    let [_, _, line] = small_program::command(Kind::Left, "small_program_runs");
    let line = line.into_string().expect("text").replace(" exec ", " ");
    let options = ["--size", "400x300", "--no-floor", "--count", "100000"];
    let script = format!("sleep 1000 & trap 'kill -9 $!; exit 7' USR1; {line} >/dev/null & wait");
    refused(&options, &script, "sh ended with exit code 7 while it was measured");
    // What goes on and shows its window is measured all the same.
    let script = format!("trap 'exit 3' USR1; {line} >/dev/null & wait");
    let common = ["--size", "400x300", "--no-floor", "--json", "figures.json", "--count", "10"];
    assert_pressed(&Photon::start(&[&common[..], &["--", "sh", "-c", &script]].concat()).figures());
}

#[test]
fn points_are_found_through_a_server_whose_looks_cost_requests() {
    let server = Xvfb::start();
    for kind in [Kind::Button, Kind::Text] {
        let figures = small(kind, &["--count", "10", "--display", &server.display()]).figures();
        assert_eq!(figures["observer"]["view"], "MIT-SHM GetImage");
        assert_pressed(&figures);
    }
}

#[test]
fn what_changes_by_itself_is_no_answer() {
    small(Kind::Ticking, &["--count", "10"])
        .expect_refused("changes by itself, and the key space changes nothing that can be told");
}

#[test]
fn only_the_area_that_is_named_is_looked_at() {
    let beside = small(Kind::Button, &["--area", "0,150,400x150"]);
    beside.expect_refused("what the key space changes lies outside of --area, as at 203,80 of the window");
    let figures = small(Kind::Button, &["--count", "10", "--area", "190,70,40x30"]).figures();
    assert_pressed(&figures);
    assert_eq!(figures["area"], serde_json::json!([190, 70, 40, 30]));
    small(Kind::Button, &["--area", "390,0,11x5"]).expect_refused("does not lie in the window of 400x300");
    small(Kind::Button, &["--mode", "drag", "--area", "0,0,50x50"]).expect_refused("--area is of no use");
    // Points beside the change: it is told where they would see it.
    let beside = small(Kind::Button, &["--at", "5,5"]);
    beside.expect_refused(
        "nothing changed at 1 sample points within 1 s, 3 times (beside them it did, as at --at 20",
    );
}

/// Of each three presses one has its answer outside of the area: it is counted as such, and its answer is not the next one's.
#[test]
fn answers_outside_of_the_area_are_counted_apart() {
    let area = ["--count", "12", "--area", "0,0,200x150"];
    // On a server that is not ours a key that is held comes again, and has another answer then.
    let server = Xvfb::start();
    let theirs = small(Kind::Wandering, &[&area[..], &["--display", &server.display()]].concat()).figures();
    assert_eq!(theirs["clicks"]["outside"], 4, "{theirs}");
    let limit = number(&theirs["clicks"]["limit_ms"]);
    assert!(0.0 < limit && limit < 1_000.0, "it comes again within a second: {theirs}");
    let figures = small(Kind::Wandering, &area).figures();
    assert_eq!(figures["clicks"]["limit_ms"], 1_000.0, "{figures}");
    let count = |name: &str| figures["clicks"][name].as_u64().expect("a count");
    let seen = figures["first_ms"]["n"].as_u64().expect("a count");
    assert_eq!((count("outside"), seen + count("lost") + count("unseen")), (4, 8), "{figures}");
    assert!(seen >= 6, "{figures}");
    let warned = figures["warnings"].as_array().expect("lines").iter().filter_map(Value::as_str);
    assert!(warned.clone().any(|line| line.starts_with("4 presses are left out")), "{figures}");
    // Without an area all of them are answers.
    let whole = small(Kind::Wandering, &["--count", "6"]).figures();
    assert_eq!((&whole["clicks"]["outside"], &whole["clicks"]["lost"]), (&0.into(), &0.into()), "{whole}");
}

#[test]
fn picture_that_changes_once_per_second_is_measured() {
    let animation =
        small(Kind::Ticking, &["--mode", "animation", "--seconds", "6", "--refresh", "1"]).figures();
    let animation = &animation["animation"];
    let n = number(&animation["interval_ms"]["n"]);
    assert!((3.0..=6.0).contains(&n), "{animation}");
    // Seconds of the program's own clock: on average neither half of them nor twice as many.
    assert!((700.0..1400.0).contains(&number(&animation["interval_ms"]["p50"])), "{animation}");
    let short = small(Kind::Ticking, &["--mode", "animation", "--seconds", "3"]);
    short.expect_refused("--seconds ");
    let blind = small(Kind::Ticking, &["--mode", "animation", "--seconds", "1", "--at", "5,5"]);
    blind.expect_refused("stands still: nothing changed within 1 s (watched for longer with --seconds 5)");
}

#[test]
fn window_is_named_by_a_part_of_its_title_that_no_other_has() {
    let server = Xvfb::start();
    let x11 = X11::connect(&server.display());
    for (x, title) in [(0, "scanout small one"), (500, "scanout small two")] {
        let window = x11.connection.generate_id().expect("an id");
        let aux = CreateWindowAux::new();
        let class = WindowClass::INPUT_OUTPUT;
        x11.connection
            .create_window(0, window, x11.root, x, 0, 300, 200, 0, class, 0, &aux)
            .expect("request");
        let name = AtomEnum::WM_NAME;
        let kind = AtomEnum::STRING;
        x11.connection
            .change_property8(PropMode::REPLACE, window, name, kind, title.as_bytes())
            .expect("request");
        x11.map(window);
    }
    x11.sync();
    let named = |name| Photon::start(&["--display", &server.display(), "--window", name]);
    named("small").expect_refused("2 windows match 'small': 0x");
    named("nobody").expect_refused("no visible window 'nobody'");
    // One is meant; it draws nothing.
    named("TWO").expect_refused("does not answer the key space");
}

#[test]
fn window_that_is_there_is_measured_through_the_server() {
    let server = Xvfb::start();
    let user = X11::connect(&server.display());
    let arguments =
        ["run", "--display", "window", "--size", "640x480", "--scene", "flash", "--pacing", "immediate"];
    let place = Place::X11 { display: server.display() };
    let mut app = App::start(scanout(), &arguments, &place);
    let window = app.poll_while_running(LIMIT, |pid| user.window_of(pid, Duration::ZERO)).expect("a window");
    let id = window.to_string();
    for named in [&id, "scanout: flash", "flash"] {
        let options =
            ["--display", &server.display(), "--window", named, "--count", "5", "--json", "figures.json"];
        let figures = Photon::start(&options).figures();
        assert_eq!(figures["observer"]["view"], "MIT-SHM GetImage");
        assert_eq!(
            (&figures["window"], &figures["floor"]),
            (&serde_json::json!([0, 0, 640, 480]), &Value::Null)
        );
        assert_eq!(figures["clicks"]["points"], 3);
        let subject = &figures["subject"];
        assert_eq!(subject["id"], format!("0x{window:x}"), "{subject}");
        assert_eq!((&subject["title"], &subject["pid"]), (&"scanout: flash".into(), &app.id().into()));
        assert_eq!(subject["program"], Value::from("scanout"), "{subject}");
        assert_figures(&figures["first_ms"], 5);
        for who in ["program", "server", "observer", "rest"] {
            assert!(number(&figures["cpu"][who]) >= 0.0, "{who}: {figures}");
        }
    }
    app.assert_runs("it is not ours to end");
    drop(app);
    // A program of ours on a server that is there.
    let (program, display) = (program(), server.display());
    let options = ["--display", &display, "--mode", "drag", "--seconds", "1"];
    let figures =
        Photon::start(&with_scene(&options, &program, &["drag", "--pacing", "immediate"])).figures();
    assert!(figures["drag"]["lag_ms"]["n"].as_u64().is_some_and(|n| n > 10), "{figures}");
}

/// What is pressed on a desktop must not come to another window than the one that was named.
#[test]
fn window_that_closes_or_loses_the_keyboard_ends_the_run() {
    let server = Xvfb::start();
    let user = X11::connect(&server.display());
    let own =
        ["run", "--display", "window", "--size", "640x480", "--scene", "flash", "--pacing", "immediate"];
    let place = Place::X11 { display: server.display() };
    let measured = |disturb: &mut dyn FnMut(&mut App, u32), wanted: &str| {
        let mut app = App::start(scanout(), &own, &place);
        let window =
            app.poll_while_running(LIMIT, |pid| user.window_of(pid, Duration::ZERO)).expect("a window");
        let id = window.to_string();
        let options = ["--display", &server.display(), "--window", &id, "--count", "100000"];
        let mut photon = Photon::start(&options);
        // The window is black until it is pressed.
        let white = || user.image_pixel(window, 9, 9) == observe::WHITE;
        let pressed = poll_until(LIMIT, || white().then_some(()));
        assert!(pressed.is_some(), "no press within {LIMIT:?}: {}", photon.app.stderr());
        photon.app.assert_runs("while it presses");
        disturb(&mut app, window);
        photon.expect_refused(wanted);
    };
    measured(&mut |app, _| app.signal(Signal::KILL), "the window was closed while it was measured");
    let mut hide = |_: &mut App, window| {
        user.connection.unmap_window(window).expect("request");
        user.sync();
    };
    measured(&mut hide, "the window is no longer shown while it was measured");
    let other = user.connection.generate_id().expect("an id");
    let (class, aux) = (WindowClass::INPUT_OUTPUT, CreateWindowAux::new());
    user.connection.create_window(0, other, user.root, 700, 0, 50, 50, 0, class, 0, &aux).expect("request");
    user.map(other);
    let give = |to: u32| {
        let request = user.connection.set_input_focus(InputFocus::NONE, to, x11rb::CURRENT_TIME);
        request.expect("request").check().expect("focus");
    };
    measured(&mut |_, _| give(other), "another window took the keyboard while it was measured");
    let told = "the window lost the keyboard, which no window has, while it was measured";
    measured(&mut |_, _| give(InputFocus::NONE.into()), told);
}

/// The keyboard of the root goes with the pointer, and that is in the window.
#[test]
fn window_is_measured_while_the_root_has_the_keyboard() {
    let server = Xvfb::start();
    let user = X11::connect(&server.display());
    let photon = small(Kind::Button, &["--display", &server.display(), "--count", "30"]);
    let window = user.wait_for_window(LIMIT, |window| user.pid(window).is_some()).expect("a window");
    let white = || user.image_pixel(window, 205, 82) == observe::WHITE;
    assert!(poll_until(LIMIT, || white().then_some(())).is_some(), "no press");
    let request = user.connection.set_input_focus(InputFocus::NONE, user.root, x11rb::CURRENT_TIME);
    request.expect("request").check().expect("focus");
    let figures = photon.figures();
    assert!(number(&figures["first_ms"]["n"]) > 20.0, "{figures}");
}

#[test]
fn desktop_that_was_not_named_gets_no_input() {
    let server = Xvfb::start();
    let x11 = X11::connect(&server.display());
    let window = x11.connection.generate_id().expect("an id");
    let mask = EventMask::KEY_PRESS | EventMask::BUTTON_PRESS | EventMask::POINTER_MOTION;
    let aux = CreateWindowAux::new().event_mask(mask);
    let class = WindowClass::INPUT_OUTPUT;
    x11.connection.create_window(0, window, x11.root, 0, 0, 1280, 720, 0, class, 0, &aux).expect("request");
    x11.map(window);
    x11.focus(window);
    x11.sync();
    while let Ok(Some(_)) = x11.connection.poll_for_event() {}
    let (program, desktop) = (program(), Place::X11 { display: server.display() });
    let options = with_scene(&["--count", "3", "--no-floor"], &program, &["flash", "--pacing", "immediate"]);
    assert_figures(&Photon::start_in(&options, &desktop).figures()["first_ms"], 3);
    Photon::start_in(&[], &desktop).expect_refused("nothing to measure");
    x11.sync();
    let events: Vec<Event> = std::iter::from_fn(|| x11.connection.poll_for_event().ok().flatten()).collect();
    assert!(events.is_empty(), "{events:?}");
}
