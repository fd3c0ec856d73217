//! `scanout doctor` where there is no display, under an X server and under a compositor: it always has something to say, the
//! JSON says the same, and exit codes tell findings from failures.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "limits on real processes are real time")]

mod support;

use std::ffi::OsString;
use std::time::Duration;

use serde_json::Value;

use support::app::{App, Ending, Place};
use support::sway::{Layout, Sway};
use support::x11::X11;
use support::xvfb::Xvfb;

/// A quick look takes three seconds; the rest is for a machine that is busy building.
const LIMIT: Duration = Duration::from_secs(60);

const GROUPS: [&str; 5] = ["graphics", "display", "frames", "timing", "machine"];
const STATES: [&str; 4] = ["ok", "note", "problem", "not_measured"];

fn doctor(arguments: &[&str], place: &Place, variables: &[(&str, &str)]) -> Ending {
    let scanout = std::env::var_os("SCANOUT_TEST_BINARY")
        .unwrap_or_else(|| OsString::from(env!("CARGO_BIN_EXE_scanout")));
    let arguments = [&["doctor", "--quick"], arguments].concat();
    App::start_with(scanout, &arguments, place, variables).wait(LIMIT)
}

/// Looks, and gives what the file says after holding it against what was printed.
fn look(place: &Place, variables: &[(&str, &str)]) -> (Ending, Value) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("doctor.json");
    let end = doctor(&["--json", file.to_str().expect("a plain path")], place, variables);
    assert_eq!(end.code, Some(0), "findings are no failure\n{}\n{}", end.stdout, end.stderr);
    let text = std::fs::read_to_string(&file).expect("the file");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((&json["schema"], &json["quick"]), (&"scanout.doctor/1".into(), &true.into()));
    let lines = json["lines"].as_array().expect("lines");
    for line in lines {
        let known = |key: &str, of: &[&str]| of.contains(&line[key].as_str().unwrap_or("none"));
        assert!(known("group", &GROUPS) && known("state", &STATES), "{line}");
        assert!(!line["text"].as_str().expect("text").is_empty(), "{line}");
        let problem = line["state"] == "problem";
        assert!(!problem || line["advice"].is_string(), "a problem without advice: {line}");
        assert!(line["figures"].as_object().is_some_and(|f| f.values().all(Value::is_number)), "{line}");
        assert!(end.stdout.contains(line["title"].as_str().expect("a title")), "{line}\n{}", end.stdout);
    }
    for state in STATES {
        let count = lines.iter().filter(|line| line["state"] == state).count();
        assert_eq!(json["counts"][state], count, "{state}");
    }
    assert!(end.stdout.lines().all(|row| row.chars().count() <= 100), "{}", end.stdout);
    assert!(!end.stdout.contains('\x1b'), "no colour in a file");
    (end, json)
}

#[track_caller]
fn line<'a>(json: &'a Value, id: &str) -> &'a Value {
    let lines = json["lines"].as_array().expect("lines");
    lines.iter().find(|line| line["id"] == id).unwrap_or_else(|| panic!("no line {id}: {json:#}"))
}

#[test]
fn without_a_display_it_looks_off_screen_and_says_so() {
    let (end, json) = look(&Place::Nowhere, &[]);
    assert_eq!(json["place"], "headless");
    assert!(line(&json, "display_times")["text"].as_str().expect("text").contains("simulated"), "{json:#}");
    assert_eq!(line(&json, "stamps")["state"], "not_measured");
    assert_eq!(line(&json, "renderer")["state"], "note", "a server may well be without a GPU");
    assert!(line(&json, "sleep")["figures"]["n"].as_f64().is_some_and(|n| n >= 50.0), "{json:#}");
    assert!(!end.stderr.contains("opens a small window"), "{}", end.stderr);
}

#[test]
fn under_an_x_server_that_throttles_nothing_that_is_the_problem_named() {
    let server = Xvfb::start();
    let place = Place::X11 { display: server.display() };
    let (end, json) = look(&place, &[("vblank_mode", "1"), ("SCANOUT_NONSENSE", "x")]);
    assert_eq!(json["place"], "window");
    let waiting = line(&json, "swap_interval_1");
    assert_eq!(waiting["state"], "problem", "Xvfb accepts interval 1 and does nothing: {waiting}");
    assert!(waiting["figures"]["interval_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{waiting}");
    assert!(line(&json, "compositor")["text"].as_str().is_some_and(|t| t.starts_with("X11 (")), "{json:#}");
    for set in ["vblank_mode=1", "SCANOUT_NONSENSE=x"] {
        assert!(end.stdout.contains(set), "{set}: {}", end.stdout);
    }
    assert!(end.stderr.contains("opens a small window"), "{}", end.stderr);
}

#[test]
fn under_a_compositor_swap_waits_and_it_is_named() {
    let server = Xvfb::start();
    let sway = Sway::start_nested(&server, Layout::Floating);
    let (_, json) = look(&sway.place(), &[]);
    assert_eq!(json["place"], "window");
    let compositor = line(&json, "compositor");
    assert!(compositor["text"].as_str().is_some_and(|t| t.contains("sway")), "{compositor}");
    let times = line(&json, "display_times");
    assert!(times["text"].as_str().is_some_and(|t| t.contains("wp_presentation")), "{times}");
    // Whether the rhythm is a display's cannot be told on a machine that is busy enough, but never that it is none.
    assert_ne!(line(&json, "swap_interval_1")["state"], "problem", "{json:#}");
}

#[test]
fn what_cannot_be_opened_is_a_failure_with_all_that_is_known_and_wrong_usage_is_another() {
    let end = doctor(&["--display", "window"], &Place::Nowhere, &[]);
    assert_eq!(end.code, Some(1), "{}", end.stdout);
    assert!(
        end.stdout.contains("nothing could be drawn") && end.stdout.contains("sleep + spin"),
        "{}",
        end.stdout
    );
    assert_eq!(end.stderr.lines().filter(|l| l.starts_with("scanout: ")).count(), 1, "{}", end.stderr);
    // A display that does not answer: off screen is better than nothing, and the window's failure is a line.
    let (end, json) = look(&Place::X11 { display: ":64999".into() }, &[]);
    assert_eq!(json["place"], "headless");
    assert_eq!(line(&json, "window")["state"], "problem", "{}", end.stdout);
    for bad in [&["--display", "moon"][..], &["--nonsense"], &["--json"]] {
        let end = doctor(bad, &Place::Nowhere, &[]);
        assert_eq!(end.code, Some(2), "{bad:?}: {}", end.stderr);
    }
    let end = doctor(&["--json", "/dev/null/doctor.json"], &Place::Nowhere, &[]);
    assert!(end.code == Some(2) && end.after < Duration::from_secs(30), "{}", end.stderr);
}

/// Not within its first look at the clock: some frames have been drawn by then.
#[test]
fn x_server_that_dies_while_it_looks_is_a_failure_that_keeps_what_was_found() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("doctor.json");
    let mut server = Xvfb::start_sized(640, 480);
    let user = X11::connect(&server.display());
    let scanout = std::env::var_os("SCANOUT_TEST_BINARY")
        .unwrap_or_else(|| OsString::from(env!("CARGO_BIN_EXE_scanout")));
    let arguments = ["doctor", "--json", file.to_str().expect("a plain path")];
    let mut app = App::start(scanout, &arguments, &Place::X11 { display: server.display() });
    let window = app.poll_while_running(LIMIT, |pid| user.window_of(pid, Duration::ZERO));
    assert!(window.is_some(), "no window\n{}", app.stderr());
    for _ in 0..3 {
        let before = server.screen.fingerprint(3);
        assert!(server.screen.satisfies(LIMIT, |s| s.fingerprint(3) != before), "nothing moves");
    }
    server.crash();
    let end = app.wait(LIMIT);
    end.assert_code(&[1]);
    let said = |text: &&str| text.contains("display was lost");
    assert_eq!(end.stderr.lines().filter(said).count(), 1, "{}", end.stderr);
    let json: Value = serde_json::from_slice(&std::fs::read(&file).expect("the file")).expect("JSON");
    assert_eq!(json["place"], "window", "nothing was measured elsewhere instead");
    assert_eq!(line(&json, "lost")["state"], "problem");
    assert!(line(&json, "renderer")["text"].as_str().is_some_and(|text| end.stdout.contains(&text[..20])));
}
