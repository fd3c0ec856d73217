//! Real windows on a Wayland compositor of the tests' own, with injected input, judged by the pixels on the screen.
//!
//! Nested in Xvfb, sway has a real 60 Hz throttle and its output can be read from outside through the framebuffer;
//! headless, it has other rates and gives no presentation times after the first frames.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "limits on real processes are real time")]

mod support;

use std::ffi::OsString;
use std::time::{Duration, Instant};

use support::app::{App, Place};
use support::rng::Rng;
use support::sway::{Layout, Sway};
use support::wayland::VirtualInput;
use support::x11::Area;
use support::xvfb::Xvfb;
use support::{BLACK, Key, WHITE, cpu, pause, poll_until};

/// For a window to open while other tests use the CPUs.
const OPEN_LIMIT: Duration = Duration::from_secs(20);
/// For something to appear on the screen after input. Latency is measured in benches/click.rs, not here.
const SHOW_LIMIT: Duration = Duration::from_secs(5);
/// Promised: a window that is asked to close is gone within a second.
const EXIT_LIMIT: Duration = Duration::from_secs(1);

const OUTPUT: (u32, u32) = (1280, 720);

fn scanout() -> OsString {
    // Lets the harness be tried against another program with the same command line.
    std::env::var_os("SCANOUT_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_scanout").into())
}

/// A compositor nested in a server whose screen is mapped, and the program with its window open.
struct Bench {
    // Dropped in this order: the program, the input, the compositor, the server.
    app: App,
    user: VirtualInput,
    sway: Sway,
    server: Xvfb,
}

impl Bench {
    fn open(layout: Layout, arguments: &[&str]) -> Self {
        let server = Xvfb::start_sized(OUTPUT.0, OUTPUT.1);
        let sway = Sway::start_nested(&server, layout);
        let mut user = VirtualInput::connect(&sway, OUTPUT);
        let app = start(&sway, &mut user, arguments);
        Self { app, user, sway, server }
    }

    /// Another run of the program in the same compositor.
    fn reopen(&mut self, arguments: &[&str]) {
        self.app = start(&self.sway, &mut self.user, arguments);
    }

    fn area(&self) -> Area {
        self.sway.window_of(self.app.id(), OPEN_LIMIT).expect("a window of the program")
    }

    /// Waits for the whole window to have one colour: its corners and its centre.
    #[track_caller]
    fn expect_filled(&mut self, area: Area, colour: u32, when: &str) {
        let full = self
            .server
            .screen
            .satisfies(SHOW_LIMIT, |s| area.marks().into_iter().all(|(x, y)| s.pixel(x, y) == colour));
        self.app.assert_runs(when);
        let are = area.marks().map(|(x, y)| format!("{:06x}", self.server.screen.pixel(x, y)));
        assert!(full, "{when}: corners and centre of {area:?} are {are:?}, not {colour:06x}");
    }

    #[track_caller]
    fn expect_moving(&mut self, times: usize, when: &str) {
        for _ in 0..times {
            let before = self.server.screen.fingerprint(3);
            let moved = self.server.screen.satisfies(SHOW_LIMIT, |s| s.fingerprint(3) != before);
            self.app.assert_runs(when);
            assert!(moved, "{when}: the picture stands still");
        }
    }

    /// The exit after `ask`, within the limit and clean.
    #[track_caller]
    fn expect_exit(&mut self, ask: impl FnOnce(&Self)) {
        ask(self);
        self.app.wait(EXIT_LIMIT).assert_clean();
    }
}

fn start(sway: &Sway, user: &mut VirtualInput, arguments: &[&str]) -> App {
    let arguments = [&["run", "--display", "window", "--size", "640x480"], arguments].concat();
    let mut app = App::start(scanout(), &arguments, &sway.place());
    let open = app.poll_while_running(OPEN_LIMIT, |pid| sway.window_of(pid, Duration::ZERO));
    if open.is_none() {
        app.assert_runs("opening the window");
        panic!("no window of the program in sway's tree\n{}", app.stderr());
    }
    // A pointer that has never moved is in no window; the button must find one.
    user.point(200, 150);
    user.sync();
    app
}

const FLASH: &[&str] = &["--scene", "flash", "--pacing", "immediate"];

#[test]
fn flash_on_key_and_button_toggles_and_rests_then_escape_closes() {
    let mut b = Bench::open(Layout::Tiled, FLASH);
    let area = b.area();
    b.expect_filled(area, BLACK, "at the start");
    for round in 0..5 {
        b.user.tap(Key::Space);
        b.expect_filled(area, WHITE, &format!("space, round {round}"));
        b.user.click();
        b.expect_filled(area, BLACK, &format!("button, round {round}"));
    }
    // Nothing moves, so nothing may be drawn.
    let share = cpu::share_during(b.app.id(), Duration::from_secs(1)).expect("a live program");
    assert!(share <= 0.05, "a picture at rest uses {:.0} % of a CPU", share * 100.0);
    b.user.tap(Key::Space);
    b.expect_filled(area, WHITE, "space after the rest");
    b.expect_exit(|b| b.user.tap(Key::Esc));
}

#[test]
fn drag_mark_follows_the_pointer_then_compositor_closes() {
    let mut b = Bench::open(Layout::Tiled, &["--scene", "drag", "--pacing", "vsync"]);
    let area = b.area();
    for x in [100, 500, 320, 33, 600, 601, 320] {
        // The row that is read lies away from the pointer.
        b.user.point(area.x + x, area.y + area.height / 2);
        let row = area.y + 20;
        let followed =
            b.server.screen.satisfies(SHOW_LIMIT, |s| mark(&s.row(row), area) == Some((x - 8, x + 8)));
        b.app.assert_runs("dragging");
        assert!(followed, "pointer at {x}, mark at {:?}", mark(&b.server.screen.row(row), area));
    }
    b.expect_exit(|b| b.sway.close(b.app.id()));
}

/// The white part of the window's row, from..to, when there is exactly one.
fn mark(row: &[u32], area: Area) -> Option<(u32, u32)> {
    let row = &row[area.x as usize..(area.x + area.width) as usize];
    let from = row.iter().position(|&p| p == WHITE)?;
    let to = from + row[from..].iter().position(|&p| p != WHITE).unwrap_or(row.len() - from);
    row[to..].iter().all(|&p| p == BLACK).then_some((from as u32, to as u32))
}

#[test]
fn bars_swarm_and_flip_move_in_every_pacing_mode() {
    let runs: [&[&str]; 4] = [
        &["--scene", "bars", "--pacing", "vsync"],
        &["--scene", "bars", "--pacing", "fixed=30"],
        &["--scene", "swarm", "--pacing", "immediate"],
        &["--scene", "flip", "--pacing", "vsync", "--hud"],
    ];
    let mut b = Bench::open(Layout::Tiled, runs[0]);
    for (i, arguments) in runs.into_iter().enumerate() {
        if i > 0 {
            b.reopen(arguments);
        }
        b.expect_moving(8, &arguments.join(" "));
        // A window that draws all the time must still hear the user.
        b.expect_exit(|b| b.user.tap(Key::Esc));
    }
}

#[test]
fn fullscreen_toggled_fifty_times_returns_to_its_size() {
    let mut b = Bench::open(Layout::Floating, FLASH);
    let small = b.area();
    assert_eq!((small.width, small.height), (640, 480));
    b.user.tap(Key::Space);
    b.expect_filled(small, WHITE, "before");
    for round in 0..50 {
        let wanted = round % 2 == 0;
        b.user.tap(Key::F11);
        let done = poll_until(SHOW_LIMIT, || (b.sway.is_fullscreen(b.app.id()) == wanted).then_some(()));
        b.app.assert_runs("F11");
        assert!(done.is_some(), "F11, round {round}: fullscreen is not {wanted}");
        // Looking at every picture would only make the test slow; the first and the last tell.
        if !(2..=47).contains(&round) {
            let area = if wanted { Area { x: 0, y: 0, width: OUTPUT.0, height: OUTPUT.1 } } else { small };
            b.expect_filled(area, WHITE, &format!("round {round}"));
        }
    }
    b.expect_exit(|b| b.user.tap(Key::Esc));
}

#[test]
fn two_thousand_resizes_end_with_the_last_size_drawn() {
    let mut b = Bench::open(Layout::Floating, FLASH);
    b.user.tap(Key::Space);
    b.expect_filled(b.area(), WHITE, "before");
    let mut rng = Rng::new(0x5ca1_ab1e);
    let start = Instant::now();
    for n in 1..=2000_u32 {
        let (width, height) = (rng.between(100, 1281), rng.between(100, 721));
        b.sway.resize(b.app.id(), width as u32, height as u32);
        // 2,000 in 5 s, evenly, or as long as the compositor takes.
        let due = Duration::from_secs(5) * n / 2000;
        pause(due.saturating_sub(start.elapsed()));
    }
    for (width, height) in [(1200, 700), (333, 477)] {
        let wanted = (width, height);
        let followed = b.sway.resize_until(b.app.id(), wanted, SHOW_LIMIT, |area| {
            b.server.screen.satisfies(Duration::from_millis(700), |s| {
                area.marks().into_iter().all(|(x, y)| s.pixel(x, y) == WHITE)
            })
        });
        b.app.assert_runs("the storm");
        let area = b.area();
        assert!(followed, "{wanted:?} wanted, {area:?} in the tree, but the window does not show it");
        assert_eq!((area.width, area.height), wanted);
        b.expect_filled(area, WHITE, "after the storm");
    }
    b.user.tap(Key::Space);
    b.expect_filled(b.area(), BLACK, "a key after the storm");
    b.expect_exit(|b| b.user.tap(Key::Esc));
}

#[test]
fn hidden_window_comes_back_and_closes_while_hidden() {
    let mut b = Bench::open(Layout::Tiled, FLASH);
    let area = b.area();
    b.expect_filled(area, BLACK, "before");
    for round in 0..3 {
        b.sway.hide();
        pause(Duration::from_millis(200));
        assert!(!b.sway.is_visible(b.app.id()));
        b.sway.show();
        b.expect_filled(area, if round % 2 == 0 { BLACK } else { WHITE }, "shown again");
        b.user.tap(Key::Space);
        b.expect_filled(area, if round % 2 == 0 { WHITE } else { BLACK }, "a key after it was shown again");
    }
    b.sway.hide();
    pause(Duration::from_millis(300));
    b.expect_exit(|b| b.sway.close(b.app.id()));
    b.sway.show();

    // The same for scenes that draw all the time: frame callbacks stop while hidden, and a swap may block.
    for pacing in ["vsync", "immediate"] {
        b.reopen(&["--scene", "bars", "--pacing", pacing]);
        b.expect_moving(3, "before it is hidden");
        b.sway.hide();
        pause(Duration::from_millis(500));
        b.app.assert_runs("hidden");
        b.sway.show();
        b.expect_moving(3, "shown again");
        b.sway.hide();
        pause(Duration::from_millis(500));
        b.expect_exit(|b| b.sway.close(b.app.id()));
        b.sway.show();
    }
}

#[test]
fn window_that_never_had_the_keyboard_keeps_to_the_rate_for_the_background() {
    let b = Bench::open(Layout::Tiled, FLASH);
    b.sway.command("focus_follows_mouse no");
    let frames = |background: &str| {
        let arguments = [
            "run",
            "--display",
            "window",
            "--scene",
            "bars",
            "--seconds",
            "4",
            "--background-fps",
            background,
        ];
        let arguments = [&arguments[..], &["--report", "report.json"]].concat();
        let mut app = App::start(scanout(), &arguments, &b.sway.place());
        app.wait(Duration::from_secs(30)).assert_clean();
        app.report("report.json")["counters"]["frames"].as_u64().expect("a number of frames")
    };
    let with = frames("4");
    b.sway.command("no_focus [title=\".*\"]");
    let without = frames("4");
    assert!(with > 2 * without, "{with} frames with the keyboard, {without} without");
    assert!(
        (10..80).contains(&without),
        "half a second at full rate and 3.5 at 4 per second: {without} frames"
    );
}

/// Runs the program to its end, with its log and a report.
fn run_with_report(sway: &Sway, pacing: &str) -> (serde_json::Value, String) {
    let arguments = ["run", "--display", "window", "--scene", "bars", "--pacing", pacing];
    let arguments = [&arguments[..], &["--seconds", "3", "--report", "report.json"]].concat();
    let mut app = App::start_with(scanout(), &arguments, &sway.place(), &[("RUST_LOG", "scanout=debug")]);
    let end = app.wait(OPEN_LIMIT);
    end.assert_clean();
    (app.report("report.json"), end.stderr)
}

/// What was said of the source, for everybody.
fn times_lines(log: &str) -> Vec<&str> {
    log.lines().filter(|l| l.contains("display times:") && !l.starts_with("debug:")).collect()
}

#[test]
fn compositor_that_tells_display_times_is_believed_frame_by_frame() {
    let server = Xvfb::start_sized(OUTPUT.0, OUTPUT.1);
    let sway = Sway::start_nested(&server, Layout::Tiled);
    for pacing in ["vsync", "immediate"] {
        let (report, log) = run_with_report(&sway, pacing);
        let (target, metrics) = (&report["target"], &report["metrics"]);
        assert_eq!((&target["source"], &target["origin"]), (&"wp_presentation".into(), &"compositor".into()));
        let told = times_lines(&log);
        assert!(told.len() == 1 && told[0].contains("wp_presentation"), "one line: {told:?}");
        let hz = target["measured_hz"].as_f64().expect("a measured rate");
        assert!((hz - 60.0).abs() < 3.0, "{hz} Hz");
        let count = |name: &str| report["counters"][name].as_u64().expect("a counter");
        let answered =
            count("measured") + count("dropped") + report["warmup_frames"].as_u64().expect("a count");
        assert!(answered * 100 >= count("frames") * 95, "{pacing}: {:#}", report["counters"]);
        if pacing == "vsync" {
            assert!(count("measured") * 100 >= (count("frames") - 30) * 80, "{:#}", report["counters"]);
        }
        // Stamps, not one constant made up for all: a refresh apart, and not all the same.
        let step = &metrics["MsBetweenDisplayChange"];
        let of = |name: &str| step[name].as_f64().expect("a figure");
        assert!(of("n") > 60.0 && of("max") > of("min") && of("min") > 5.0, "{step}");
        assert!((of("p50") - 16.67).abs() < 1.0, "{step}");
        assert!(metrics["SubmitToDisplay"]["max"].as_f64() > metrics["SubmitToDisplay"]["min"].as_f64());
    }
}

#[test]
fn compositor_that_stops_telling_is_left_for_frame_callbacks() {
    let sway = Sway::start_headless(OUTPUT.0, OUTPUT.1, 120, Layout::Tiled);
    for pacing in ["vsync", "immediate"] {
        let (report, log) = run_with_report(&sway, pacing);
        let target = &report["target"];
        assert_eq!((&target["source"], &target["origin"]), (&"frame callbacks".into(), &"estimated".into()));
        let told = times_lines(&log);
        assert!(
            told.len() == 2 && told[1].contains("warning: ") && told[1].contains("frame callbacks"),
            "{told:?}"
        );
        // It was noticed well before.
        let of = |text: &str| log.find(text).unwrap_or_else(|| panic!("{text}: {log}"));
        assert!(of("wp_presentation fell silent") < of(told[1]), "{log}");
        assert!(report["pacer"]["holdovers"].as_u64() >= Some(1), "{:#}", report["pacer"]);
        let count = |name: &str| report["counters"][name].as_u64().expect("a counter");
        assert!(count("measured") > 60 && count("unfinished") < 40, "{pacing}: {:#}", report["counters"]);
        // Those in flight at the end, and no others.
        assert!(pacing != "vsync" || count("unfinished") <= 3, "{:#}", report["counters"]);
    }
}

#[test]
fn hidden_window_rests_and_goes_on_when_shown() {
    let arguments = ["--scene", "bars", "--pacing", "immediate", "--report", "report.json"];
    let mut b = Bench::open(Layout::Tiled, &arguments);
    for _ in 0..2 {
        b.expect_moving(3, "shown");
        let busy = cpu::share_during(b.app.id(), Duration::from_millis(500)).expect("a live program");
        b.sway.hide();
        pause(Duration::from_millis(500));
        let rest = cpu::share_during(b.app.id(), Duration::from_secs(1)).expect("a live program");
        b.app.assert_runs("hidden");
        assert!(
            busy > 0.2 && rest < 0.05,
            "{:.0} % of a CPU while shown, {:.0} % hidden",
            busy * 100.0,
            rest * 100.0
        );
        b.sway.show();
    }
    b.expect_moving(3, "shown again");
    b.sway.hide();
    pause(Duration::from_millis(500));
    b.expect_exit(|b| b.sway.close(b.app.id()));
    // The standstill is nobody's latency and no interval between frames.
    let report = b.app.report("report.json");
    assert_eq!(report["target"]["source"], "wp_presentation");
    let slowest = report["metrics"]["SubmitToDisplay"]["max"].as_f64().expect("a figure");
    assert!(slowest < 1_000.0, "{slowest} ms");
    let gap = report["metrics"]["MsBetweenDisplayChange"]["max"].as_f64().expect("a figure");
    assert!(gap < 1_000.0, "{gap} ms");
}

#[test]
fn compositor_that_dies_ends_the_run_and_is_told() {
    let mut b = Bench::open(Layout::Tiled, &["--scene", "bars", "--pacing", "vsync"]);
    b.expect_moving(2, "before");
    b.sway.crash();
    let end = b.app.wait(Duration::from_secs(3));
    end.assert_code(&[1]);
    end.assert_loss_told();
}

#[test]
fn headless_compositor_at_120_hz_shows_moving_bars_and_the_flash() {
    let sway = Sway::start_headless(OUTPUT.0, OUTPUT.1, 120, Layout::Tiled);
    let mut user = VirtualInput::connect(&sway, OUTPUT);
    let mut app = start(&sway, &mut user, FLASH);
    for (round, want) in [BLACK, WHITE, BLACK].into_iter().enumerate() {
        if round > 0 {
            user.tap(Key::Space);
        }
        let shown = poll_until(SHOW_LIMIT, || {
            let (width, height, pixels) = sway.grab();
            assert_eq!((width, height), OUTPUT);
            pixels.iter().all(|&p| p == want).then_some(())
        });
        app.assert_runs("flash");
        assert!(shown.is_some(), "round {round}: the output is not all {want:06x}");
    }
    user.tap(Key::Esc);
    app.wait(EXIT_LIMIT).assert_clean();

    let mut app = start(&sway, &mut user, &["--scene", "bars", "--pacing", "vsync"]);
    let first = sway.grab();
    assert!(
        poll_until(SHOW_LIMIT, || (sway.grab() != first).then_some(())).is_some(),
        "the bars stand still"
    );
    sway.close(app.id());
    app.wait(EXIT_LIMIT).assert_clean();
}

#[test]
fn window_demanded_without_a_compositor_fails_with_one_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = Place::Wayland { runtime_dir: folder.path().into(), display: "wayland-987".into() };
    let arguments = ["run", "--display", "window", "--scene", "flash", "--seconds", "1"];
    let end = App::start(scanout(), &arguments, &place).wait(Duration::from_secs(5));
    end.assert_code(&[1, 2]);
    end.assert_one_line();
}

/// Through EGL the surface outlives the context, and gets another one.
#[test]
fn lost_contexts_are_replaced_and_the_window_goes_on() {
    let lossy = ["--scene", "swarm", "--report", "report.json", "--lose-context", "10,30"];
    let mut b = Bench::open(Layout::Tiled, &lossy);
    let lost = |b: &Bench| b.app.stderr().matches("going on in a new one").count();
    let twice = poll_until(SHOW_LIMIT, || (lost(&b) == 2).then_some(()));
    assert!(twice.is_some(), "{}", b.app.stderr());
    b.expect_moving(8, "after two losses");
    b.expect_exit(|b| b.user.tap(Key::Esc));
    assert_eq!(b.app.report("report.json")["context_resets"].as_u64(), Some(2));
}
