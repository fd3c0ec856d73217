//! The HUD used as a user does: real keys and a real pointer on an X11 server of the test's own.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "limits on real processes are real time")]

mod model_support;
mod support;

use std::ffi::OsString;
use std::time::Duration;

use support::app::{App, Place};
use support::x11::{Area, X11};
use support::xvfb::Xvfb;
use support::{Key, pause, poll_until};

/// For a window to open, or something to happen in it, while other tests use the CPUs.
const LIMIT: Duration = Duration::from_secs(30);
/// The frames after a switch that belong to no side.
const SETTLING: Duration = Duration::from_millis(1_200);

struct Bench {
    // Dropped in this order: the program before the server.
    app: App,
    user: X11,
    area: Area,
    server: Xvfb,
}

impl Bench {
    /// The program with its HUD shown, telling where things are in it.
    fn open(arguments: &[&str]) -> Self {
        let server = Xvfb::start();
        let user = X11::connect(&server.display());
        let place = Place::X11 { display: server.display() };
        let usual = ["run", "--display", "window", "--size", "640x480", "--hud", "--report", "report.json"];
        let program = std::env::var_os("SCANOUT_TEST_BINARY")
            .unwrap_or_else(|| OsString::from(env!("CARGO_BIN_EXE_scanout")));
        let variables = [("RUST_LOG", "warn,scanout=debug")];
        let mut app = App::start_with(program, &[&usual, arguments].concat(), &place, &variables);
        let window = app.poll_while_running(LIMIT, |pid| user.window_of(pid, Duration::ZERO));
        let Some(window) = window else {
            panic!("no window\n{}", app.stderr());
        };
        user.focus(window);
        let area = user.area(window);
        Self { app, user, area, server }
    }

    /// Where the program said last that `name` is, on the screen: left, top, right, bottom.
    #[track_caller]
    fn spot(&mut self, name: &str) -> [u32; 4] {
        let start = format!("debug: HUD: {name} at ");
        let found = poll_until(LIMIT, || {
            self.app.assert_runs(name);
            let told = self.app.stderr();
            let place = told.lines().rev().find_map(|line| line.strip_prefix(&start))?.to_owned();
            let sides: Vec<u32> =
                place.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
            <[u32; 4]>::try_from(sides).ok()
        });
        let Some([left, top, right, bottom]) = found else {
            panic!("nothing in the HUD is called {name}\n{}", self.app.stderr());
        };
        [left + self.area.x, top + self.area.y, right + self.area.x, bottom + self.area.y]
    }

    #[track_caller]
    fn click(&mut self, name: &str) {
        let [left, top, right, bottom] = self.spot(name);
        self.user.point((left + right) / 2, (top + bottom) / 2);
        self.user.click();
    }

    #[track_caller]
    fn expect_log(&mut self, line: &str, times: usize) {
        let said = poll_until(LIMIT, || {
            self.app.assert_runs(line);
            (self.app.stderr().lines().filter(|l| *l == line).count() >= times).then_some(())
        });
        assert!(said.is_some(), "not said {times} times: {line}\n{}", self.app.stderr());
    }

    /// The pixels of the window from `left` on, some rows of them.
    fn scene(&self, left: u32) -> Vec<u32> {
        let a = self.area;
        let rows = (a.y + 20..a.y + a.height - 20).step_by(7);
        rows.flat_map(|y| self.server.screen.row(y)[left as usize..(a.x + a.width) as usize].to_vec())
            .collect()
    }

    /// The same once it has not changed for a while.
    #[track_caller]
    fn resting_scene(&self, left: u32) -> Vec<u32> {
        let rests = poll_until(LIMIT, || {
            let before = self.scene(left);
            pause(Duration::from_millis(400));
            (self.scene(left) == before).then_some(before)
        });
        rests.expect("a scene that rests")
    }

    #[track_caller]
    fn end(mut self) -> serde_json::Value {
        self.user.tap(Key::Esc);
        self.app.wait(LIMIT).assert_clean();
        self.app.report("report.json")
    }
}

#[test]
fn slider_dragged_by_the_pointer_changes_the_load_and_not_the_camera() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = folder.path().join("model.gltf");
    std::fs::write(&model, model_support::showcase::balls().gltf()).expect("a file");
    let path = model.to_str().expect("a plain path");
    let mut b = Bench::open(&["--scene", path, "--quality", "off"]);
    // From the plots to the controls.
    b.spot("plots");
    b.user.tap(Key::F3);
    b.user.tap(Key::F3);
    let [left, top, right, bottom] = b.spot("busy");
    let y = (top + bottom) / 2;
    let edge = b.area.x + 360;
    assert!(right < edge, "the slider ends at {right}");
    let before = b.resting_scene(edge);
    assert!(before.iter().any(|pixel| *pixel != before[0]), "there is something to be turned");
    let slider = |b: &Bench| b.server.screen.row(y)[left as usize..right as usize].to_vec();
    let unmoved = slider(&b);
    b.user.point(left + 5, y);
    b.user.button(1, true);
    b.user.point((left + right) / 2, y);
    let moved = poll_until(LIMIT, || (slider(&b) != unmoved).then_some(()));
    assert!(moved.is_some(), "the handle follows the pointer");
    // Out of the HUD and over the scene, with the button down: it stays a drag of the slider, which goes to its end. Seen twice,
    // because the first change may be the handle's that is pressed.
    for (x, y) in [(edge + 100, y + 60), (left + 10, y + 60), (edge + 180, y + 120)] {
        let was = slider(&b);
        b.user.point(x, y);
        let moved = poll_until(LIMIT, || (slider(&b) != was).then_some(()));
        assert!(moved.is_some(), "the handle follows the pointer to {x}");
    }
    b.user.button(1, false);
    assert!(b.resting_scene(edge) == before, "the camera turned, though the drag was the slider's");
    // The same drag on the scene does turn it.
    b.user.point(edge + 100, y + 60);
    b.user.button(1, true);
    b.user.point(edge + 180, y + 120);
    let turned = poll_until(LIMIT, || (b.scene(edge) != before).then_some(()));
    b.user.button(1, false);
    assert!(turned.is_some(), "the camera does not turn at all");
    let report = b.end();
    assert_eq!(report["load"]["asked"], "");
    let at_end = report["load"]["at_end"].as_str().unwrap_or_default().to_owned();
    assert!(at_end.starts_with("busy="), "{}", report["load"]);
    assert!(report["load"]["threads_cpu_s"].as_f64().is_some_and(|s| s > 0.0), "{}", report["load"]);
}

#[test]
fn key_switches_to_the_naive_loop_and_its_frames_are_kept_out_of_the_run() {
    let mut b = Bench::open(&["--scene", "flip"]);
    b.spot("plots");
    b.user.tap(Key::F4);
    b.expect_log("pacing: naive", 1);
    pause(SETTLING);
    b.user.tap(Key::F4);
    b.expect_log("pacing: auto", 1);
    // And by the pointer.
    b.user.tap(Key::F3);
    b.user.tap(Key::F3);
    b.click("side B");
    b.expect_log("pacing: naive", 2);
    // The window's key leads out of it as well.
    b.user.tap(Key::F2);
    b.expect_log("pacing: auto", 2);
    pause(SETTLING);
    let report = b.end();
    let count = |name: &str| report["counters"][name].as_u64().expect("a number");
    assert!(count("apart") > 5, "{}", report["counters"]);
    let warmup = report["warmup_frames"].as_u64().expect("a number");
    assert!(count("measured") <= count("frames"), "{}", report["counters"]);
    assert!(count("measured") + warmup + 20 >= count("frames"), "{}", report["counters"]);
    assert_eq!(report["pacing"], "auto");
    assert!(
        report["apart_s"].as_f64().is_some_and(|s| s > 2.0),
        "two seconds of settling at least: {report}"
    );
    let naive = report["modes"].as_array().and_then(|modes| modes.iter().find(|m| m["pacing"] == "naive"));
    assert_eq!(naive.expect("frames of it")["frames"], 0);
}

#[test]
fn keys_pressed_in_the_naive_loop_leave_our_mode_as_it_was() {
    let mut b = Bench::open(&["--scene", "flip", "--pacing", "smooth"]);
    b.spot("plots");
    b.user.tap(Key::F4);
    b.expect_log("pacing: naive", 1);
    // The window's key leads to the next mode, the HUD on to the one that A had.
    b.user.tap(Key::F2);
    b.expect_log("pacing: smooth", 1);
    pause(SETTLING);
    let report = b.end();
    assert_eq!((&report["pacing"], &report["pacing_at_end"]), (&"smooth".into(), &"smooth".into()));
}

#[test]
fn mode_and_layout_are_chosen_by_the_pointer() {
    let mut b = Bench::open(&["--scene", "flip"]);
    b.spot("plots");
    b.click("controls");
    b.click("immediate");
    b.expect_log("pacing: immediate", 1);
    b.click("pipelined");
    b.click("fixed");
    b.expect_log("pacing: fixed=60", 1);
    b.user.tap(Key::F2);
    b.expect_log("pacing: auto", 1);
    pause(SETTLING);
    let report = b.end();
    assert_eq!(report["pacing_at_end"], "auto");
    assert_eq!(report["pacer"]["layout"], "pipelined");
}

#[test]
fn stages_have_the_colours_of_the_page() {
    let style = include_str!("../src/app/bench/html/style.css");
    let mut b = Bench::open(&["--scene", "flip"]);
    b.spot("plots");
    for part in 0..6 {
        let (_, colour) = style.split_once(&format!("--p{part}:#")).expect("a colour");
        let colour = u32::from_str_radix(&colour[..6], 16).expect("a number");
        let found = poll_until(LIMIT, || {
            b.app.assert_runs("drawing");
            let (a, screen) = (b.area, &b.server.screen);
            let rows = (a.y..a.y + a.height).map(|y| screen.row(y));
            // A square of the legend is as large, but for its letter and its corners.
            let count = rows.flatten().filter(|pixel| pixel & 0xff_ffff == colour).count();
            (count > 60).then_some(())
        });
        assert!(found.is_some(), "the HUD shows stage {part} otherwise than #{colour:06x}");
    }
    b.end();
}
