//! Real windows on X11 servers of the tests' own, with injected input, judged by the pixels on the screen.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "limits on real processes are real time")]

mod model_support;
mod support;

use std::ffi::OsString;
use std::time::{Duration, Instant};

use scanout::display::{SourceError, SourceEvent, VsyncSource as _, X11Present};
use scanout::pacing::{FrameId, Origin, Presentation};
use scanout::time::{Clock as _, MonotonicClock, Timestamp};
use support::app::{App, Place};
use support::requests::{Asked, Requests};
use support::rng::Rng;
use support::wm::WindowManager;
use support::x11::{Area, X11};
use support::xvfb::Xvfb;
use support::{BLACK, Key, WHITE, cpu, pause, poll_until};
use x11rb::connection::Connection as _;
use x11rb::protocol::present::ConnectionExt as _;
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ConnectionExt as _, CreateWindowAux, InputFocus, WindowClass};

/// For a window to open while other tests use the CPUs.
const OPEN_LIMIT: Duration = Duration::from_secs(20);
/// For something to appear on the screen after input. Latency is measured in benches/click.rs, not here.
const SHOW_LIMIT: Duration = Duration::from_secs(5);
/// Promised: a window that is asked to close is gone within a second.
const EXIT_LIMIT: Duration = Duration::from_secs(1);

fn scanout() -> OsString {
    // Lets the harness be tried against another program with the same command line.
    std::env::var_os("SCANOUT_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_scanout").into())
}

/// A server, a window manager where the test needs one, and the program with its window open.
struct Bench {
    // Dropped in this order: the program before the window manager before the server.
    app: App,
    _manager: Option<WindowManager>,
    user: X11,
    window: u32,
    server: Xvfb,
}

impl Bench {
    fn open(arguments: &[&str]) -> Self {
        let server = Xvfb::start();
        Self::open_on(server, None, arguments)
    }

    fn open_managed(arguments: &[&str]) -> Self {
        let server = Xvfb::start();
        let manager = WindowManager::start(&server.display());
        Self::open_on(server, Some(manager), arguments)
    }

    fn open_on(server: Xvfb, manager: Option<WindowManager>, arguments: &[&str]) -> Self {
        let user = X11::connect(&server.display());
        let (app, window) = start(&server, &user, arguments);
        Self { app, _manager: manager, user, window, server }
    }

    /// Another run of the program on the same server.
    fn reopen(&mut self, arguments: &[&str]) {
        (self.app, self.window) = start(&self.server, &self.user, arguments);
    }

    fn area(&self) -> Area {
        self.user.area(self.window)
    }

    #[track_caller]
    fn expect_colour(&mut self, at: (u32, u32), colour: u32, when: &str) {
        let shown = self.server.screen.becomes(at, colour, SHOW_LIMIT);
        self.app.assert_runs(when);
        let is = self.server.screen.pixel(at.0, at.1);
        assert!(shown, "{when}: {at:?} is {is:06x}, not {colour:06x}\n{}", self.app.stderr());
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

    /// How many pictures differ from the one before, in so long a time; stops at `most`.
    fn changes_in(&mut self, time: Duration, most: u32) -> u32 {
        let (end, mut changes) = (Instant::now() + time, 0);
        let mut before = self.server.screen.fingerprint(3);
        while let left = end.saturating_duration_since(Instant::now())
            && !left.is_zero()
            && changes < most
        {
            self.server.screen.satisfies(left, |s| s.fingerprint(3) != before);
            let now = self.server.screen.fingerprint(3);
            changes += u32::from(now != before);
            before = now;
        }
        changes
    }

    /// Waits for more pictures than a slow rate for the background shows in this time.
    #[track_caller]
    fn expect_quick(&mut self, when: &str) {
        let changes = self.changes_in(SHOW_LIMIT, 40);
        self.app.assert_runs(when);
        assert!(changes == 40, "{when}: {changes} frames in {SHOW_LIMIT:?}");
    }

    /// The exit after `ask`, within the limit and clean.
    #[track_caller]
    fn expect_exit(&mut self, ask: impl FnOnce(&X11, u32)) {
        ask(&self.user, self.window);
        self.app.wait(EXIT_LIMIT).assert_clean();
    }
}

fn start(server: &Xvfb, user: &X11, arguments: &[&str]) -> (App, u32) {
    start_with(server, user, arguments, &[])
}

fn start_with(server: &Xvfb, user: &X11, arguments: &[&str], variables: &[(&str, &str)]) -> (App, u32) {
    let place = Place::X11 { display: server.display() };
    let arguments = [&["run", "--display", "window", "--size", "640x480"], arguments].concat();
    let mut app = App::start_with(scanout(), &arguments, &place, variables);
    let open = app.poll_while_running(OPEN_LIMIT, |pid| user.window_of(pid, Duration::ZERO));
    let Some(window) = open else {
        app.assert_runs("opening the window");
        panic!("no window with the program's _NET_WM_PID\n{}", app.stderr());
    };
    user.focus(window);
    (app, window)
}

const FLASH: &[&str] = &["--scene", "flash", "--pacing", "immediate"];

#[test]
fn compositor_that_is_named_and_does_not_answer_is_left_for_the_x_server() {
    let server = Xvfb::start();
    let place = Place::X11 { display: server.display() };
    let arguments =
        ["run", "--display", "window", "--scene", "bars", "--frames", "10", "--report", "report.json"];
    let variables = [("WAYLAND_DISPLAY", "wayland-987"), ("RUST_LOG", "warn")];
    let mut app = App::start_with(scanout(), &arguments, &place, &variables);
    let end = app.wait(OPEN_LIMIT);
    end.assert_clean();
    let told: Vec<_> = end.stderr.lines().filter(|line| line.contains("wayland-987")).collect();
    assert!(told.len() == 1 && told[0].contains("on X11"), "one line: {}", end.stderr);
    let surface = app.report("report.json")["target"]["surface"].as_str().map(str::to_owned);
    assert!(surface.as_ref().is_some_and(|s| s.starts_with("x11")), "{surface:?}");
}

#[test]
fn flash_on_key_and_button_toggles_and_rests_then_escape_closes() {
    let mut b = Bench::open(FLASH);
    let area = b.area();
    assert_eq!((area.width, area.height), (640, 480));
    b.expect_filled(area, BLACK, "at the start");
    for round in 0..5 {
        b.user.tap(Key::Space);
        b.expect_filled(area, WHITE, &format!("space, round {round}"));
        b.user.click();
        b.expect_filled(area, BLACK, &format!("button, round {round}"));
    }
    // Nothing moves, so nothing may be drawn: one repaint a second would already show as several per cent.
    let share = cpu::share_during(b.app.id(), Duration::from_secs(1)).expect("a live program");
    assert!(share <= 0.05, "a picture at rest uses {:.0} % of a CPU", share * 100.0);
    b.user.tap(Key::Space);
    b.expect_filled(area, WHITE, "space after the rest");
    b.expect_exit(|user, _| user.tap(Key::Esc));
}

#[test]
fn nothing_is_asked_of_the_server_between_a_press_and_its_picture() {
    let mut b = Bench::open(FLASH);
    let area = b.area();
    b.user.tap(Key::Space);
    b.expect_filled(area, WHITE, "a key");
    // What follows a swap is done by then.
    pause(Duration::from_millis(200));
    let requests = Requests::record(&b.server.display());
    b.user.tap(Key::Space);
    b.expect_filled(area, BLACK, "the recorded key");
    pause(Duration::from_millis(200));
    let seen = requests.end();
    let press = seen.iter().position(|&one| one == Asked::Press).expect("a press");
    assert_eq!(seen.get(press + 1), Some(&Asked::Picture), "{seen:?}");
    assert!(
        seen[press + 1..].contains(&Asked::Size),
        "the next frame's size is asked for behind it: {seen:?}"
    );
    b.expect_exit(|user, _| user.tap(Key::Esc));
}

/// How often the main thread has gone to sleep so far.
fn waits_of_main(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/status")).expect("a live program");
    let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches"));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|n| n.parse().ok()).expect("a count")
}

/// For itself, winit asks for each event of a device a second time, as it comes from there.
#[test]
fn main_thread_wakes_once_for_each_key_and_motion() {
    const EVENTS: u64 = 80;
    let mut b = Bench::open(FLASH);
    let area = b.area();
    b.expect_filled(area, BLACK, "at the start");
    let before = waits_of_main(b.app.id());
    for n in 0..EVENTS / 4 {
        for down in [true, false] {
            b.user.key(Key::Space, down);
            pause(Duration::from_millis(10));
            b.user.point(area.x + 100 + n as u32, area.y + 100 + u32::from(down));
            pause(Duration::from_millis(10));
        }
    }
    let waits = waits_of_main(b.app.id()) - before;
    // Twice as often for half of them would be too often; what comes together is read together.
    assert!(waits <= EVENTS * 5 / 4, "{waits} waits for {EVENTS} events");
}

/// The model of `file`, drawn by the program with these options in a window of 640x480 and off screen, as rows of 0xRRGGBB.
fn in_window_and_off_screen(file: &model_support::File, options: &[&str]) -> [Vec<u32>; 2] {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (model, picture) = (folder.path().join("model.gltf"), folder.path().join("picture.png"));
    std::fs::write(&model, file.gltf()).expect("a file");
    let scene = [&["--scene", model.to_str().expect("a plain path")], options].concat();

    let place = Place::Nowhere;
    let off = ["run", "--display", "headless", "--size", "640x480", "--quiet", "--screenshot"];
    let off = [&off[..], &[picture.to_str().expect("a plain path"), "--report", "r.json"], &scene].concat();
    App::start(scanout(), &off, &place).wait(OPEN_LIMIT).assert_clean();
    let drawn = image::open(&picture).unwrap_or_else(|e| panic!("{e}")).into_rgb8();
    assert_eq!(drawn.dimensions(), (640, 480));
    let drawn: Vec<u32> = drawn.pixels().map(|p| u32::from_be_bytes([0, p[0], p[1], p[2]])).collect();

    let mut bench = Bench::open(&scene);
    let area = bench.area();
    assert_eq!((area.width, area.height), (640, 480));
    let shown = || {
        let rows = area.y..area.y + area.height;
        let columns = area.x as usize..(area.x + area.width) as usize;
        rows.flat_map(|y| bench.server.screen.row(y)[columns.clone()].to_vec()).collect::<Vec<u32>>()
    };
    // The last byte of the picture is there: what is drawn later is the same.
    let like = |a: u32, b: u32| a.to_be_bytes().iter().zip(b.to_be_bytes()).all(|(a, b)| a.abs_diff(b) <= 2);
    let middle = (area.x + 320, area.y + 240);
    let arrived = bench
        .server
        .screen
        .satisfies(SHOW_LIMIT, |s| like(s.pixel(middle.0, middle.1), drawn[240 * 640 + 320]));
    bench.app.assert_runs("showing the model");
    let is = bench.server.screen.pixel(middle.0, middle.1);
    assert!(arrived, "{options:?}: the middle is {is:06x}, off screen {:06x}", drawn[240 * 640 + 320]);
    pause(Duration::from_millis(200));
    let shown = shown();
    bench.expect_exit(|user, _| user.tap(Key::Esc));
    [shown, drawn]
}

/// One driver draws both, so that next to nothing may differ: a window that encoded colours once more, or not at all,
/// or did not resolve its samples, would be far off.
#[test]
fn model_through_glx_is_the_picture_off_screen() {
    for options in [["--quality", "high", "--msaa", "4"], ["--quality", "low", "--msaa", "1"]] {
        let [shown, drawn] = in_window_and_off_screen(&model_support::showcase::balls(), &options);
        let off: u64 = shown
            .iter()
            .zip(&drawn)
            .flat_map(|(a, b)| a.to_be_bytes().into_iter().zip(b.to_be_bytes()))
            .map(|(a, b)| u64::from(a.abs_diff(b)))
            .sum();
        let mean = off as f64 / (shown.len() * 3) as f64;
        assert!(mean < 0.05, "{options:?}: {mean:.4} of 255 on the mean");
        let bright = drawn.iter().filter(|p| (*p >> 16) & 0xff > 100).count();
        assert!(bright > 10_000, "{options:?}: {bright} bright pixels are no picture");
    }
}

#[test]
fn half_of_the_light_arrives_as_188_through_glx() {
    for quality in ["off", "low", "high"] {
        for (file, what) in
            [(model_support::showcase::grey(), "grey"), (model_support::showcase::glass(), "glass")]
        {
            if (quality, what) == ("off", "glass") {
                continue; // blended as bytes there, which the documentation says
            }
            let [shown, _] = in_window_and_off_screen(&file, &["--quality", quality]);
            let [_, r, g, b] = shown[240 * 640 + 320].to_be_bytes();
            assert!([r, g, b].iter().all(|c| c.abs_diff(188) <= 1), "{quality}, {what}: {r} {g} {b}");
        }
    }
}

#[test]
fn drag_mark_follows_the_pointer_then_close_button_closes() {
    let mut b = Bench::open(&["--scene", "drag", "--pacing", "immediate"]);
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
    b.expect_exit(X11::close);
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
    let mut b = Bench::open(runs[0]);
    for (i, arguments) in runs.into_iter().enumerate() {
        if i > 0 {
            b.reopen(arguments);
        }
        b.expect_moving(8, &arguments.join(" "));
        // A window that draws all the time must still hear the user.
        b.expect_exit(|user, _| user.tap(Key::Esc));
    }
}

#[test]
fn frames_and_seconds_end_the_run_by_themselves() {
    let mut b = Bench::open(&["--scene", "bars", "--pacing", "vsync", "--seconds", "1"]);
    b.app.wait(Duration::from_secs(4)).assert_clean();
    b.reopen(&["--scene", "bars", "--pacing", "fixed=60", "--frames", "60"]);
    b.app.wait(Duration::from_secs(4)).assert_clean();
}

#[test]
fn fullscreen_toggled_fifty_times_returns_to_its_size() {
    let mut b = Bench::open_managed(FLASH);
    let small = b.area();
    b.user.tap(Key::Space);
    b.expect_filled(small, WHITE, "before");
    for round in 0..50 {
        let wanted = round % 2 == 0;
        b.user.tap(Key::F11);
        let done = poll_until(SHOW_LIMIT, || (b.user.is_fullscreen(b.window) == wanted).then_some(()));
        b.app.assert_runs("F11");
        assert!(done.is_some(), "F11, round {round}: fullscreen is not {wanted}");
        // Looking at every picture would only make the test slow; the first and the last tell.
        if !(2..=47).contains(&round) {
            let area = b.area();
            assert_eq!((area.width, area.height), if wanted { (1280, 720) } else { (640, 480) });
            b.expect_filled(area, WHITE, &format!("round {round}"));
        }
    }
    b.expect_colour((1279, 719), BLACK, "outside of the small window");
    b.expect_exit(|user, _| user.tap(Key::Esc));
}

#[test]
fn two_thousand_resizes_end_with_the_last_size_drawn() {
    let mut b = Bench::open(FLASH);
    b.user.tap(Key::Space);
    b.expect_filled(b.area(), WHITE, "before");
    let mut rng = Rng::new(0x5ca1_ab1e);
    let start = Instant::now();
    for n in 1..=2000_u32 {
        let (width, height) = (rng.between(1, 1281), rng.between(1, 721));
        b.user.resize(b.window, width as u32, height as u32);
        // 2,000 in 5 s, evenly.
        let due = Duration::from_secs(5) * n / 2000;
        pause(due.saturating_sub(start.elapsed()));
    }
    for (width, height) in [(1277, 713), (333, 477)] {
        b.user.resize(b.window, width, height);
        b.user.sync();
        let area = b.area();
        assert_eq!((area.width, area.height), (width, height));
        b.expect_filled(area, WHITE, "after the storm");
    }
    b.user.tap(Key::Space);
    b.expect_filled(b.area(), BLACK, "a key after the storm");
    b.expect_exit(|user, _| user.tap(Key::Esc));
}

/// The driver has asked for the old size by then.
#[test]
fn every_resize_of_a_window_at_rest_is_drawn_whole() {
    let mut b = Bench::open(FLASH);
    b.user.tap(Key::Space);
    b.expect_filled(b.area(), WHITE, "before");
    let mut rng = Rng::new(0x0be5_e55e);
    for n in 0..40 {
        pause(Duration::from_millis(30));
        let (width, height) = (rng.between(40, 1281) as u32, rng.between(40, 721) as u32);
        b.user.resize(b.window, width, height);
        b.user.sync();
        b.expect_filled(b.area(), WHITE, &format!("resize {n}"));
    }
    // There and back at once.
    for n in 0..20 {
        pause(Duration::from_millis(30));
        for (width, height) in [(400, 300), (900, 600)] {
            b.user.resize(b.window, width, height);
        }
        b.user.sync();
        b.expect_filled(b.area(), WHITE, &format!("there and back {n}"));
        b.user.tap(Key::Space);
        b.expect_filled(b.area(), BLACK, &format!("a key after it {n}"));
        b.user.tap(Key::Space);
        b.expect_filled(b.area(), WHITE, &format!("another key {n}"));
    }
    b.expect_exit(|user, _| user.tap(Key::Esc));
}

#[test]
fn hidden_window_comes_back_and_closes_while_hidden() {
    let mut b = Bench::open_managed(FLASH);
    let area = b.area();
    b.expect_filled(area, BLACK, "before");
    for round in 0..3 {
        b.user.iconify(b.window);
        assert!(poll_until(SHOW_LIMIT, || (!b.user.is_viewable(b.window)).then_some(())).is_some());
        pause(Duration::from_millis(200));
        b.user.activate(b.window);
        assert!(poll_until(SHOW_LIMIT, || b.user.is_viewable(b.window).then_some(())).is_some());
        b.expect_filled(area, if round % 2 == 0 { BLACK } else { WHITE }, "shown again");
        b.user.tap(Key::Space);
        b.expect_filled(area, if round % 2 == 0 { WHITE } else { BLACK }, "a key after it was shown again");
    }
    b.user.iconify(b.window);
    pause(Duration::from_millis(300));
    b.expect_exit(X11::close);

    // The same for scenes that draw all the time, unmapped by the server's means.
    for pacing in ["vsync", "immediate"] {
        b.reopen(&["--scene", "bars", "--pacing", pacing]);
        b.expect_moving(3, "before it is hidden");
        b.user.unmap(b.window);
        pause(Duration::from_millis(300));
        b.app.assert_runs("hidden");
        b.user.map(b.window);
        b.expect_moving(3, "shown again");
        b.user.unmap(b.window);
        pause(Duration::from_millis(300));
        b.expect_exit(X11::close);
    }
}

#[test]
fn unmapped_window_rests_and_goes_on_when_mapped() {
    let mut b = Bench::open(&["--scene", "bars", "--pacing", "immediate"]);
    for _ in 0..2 {
        b.expect_moving(3, "shown");
        let busy = cpu::share_during(b.app.id(), Duration::from_millis(500)).expect("a live program");
        b.user.unmap(b.window);
        pause(Duration::from_millis(300));
        let rest = cpu::share_during(b.app.id(), Duration::from_secs(1)).expect("a live program");
        b.app.assert_runs("hidden");
        assert!(busy > 0.2 && rest < 0.05, "{busy} of a CPU while shown, {rest} hidden");
        b.user.map(b.window);
    }
    b.expect_moving(3, "shown again");
}

#[test]
fn window_without_the_keyboard_keeps_to_the_rate_for_the_background() {
    let mut b = Bench::open(&["--scene", "bars", "--pacing", "fixed=60", "--background-fps", "4"]);
    let (connection, _) = x11rb::connect(Some(&b.server.display())).expect("the server");
    for _ in 0..2 {
        b.expect_quick("in the foreground");
        connection
            .set_input_focus(InputFocus::NONE, x11rb::NONE, x11rb::CURRENT_TIME)
            .unwrap()
            .check()
            .unwrap();
        pause(Duration::from_millis(500));
        let changes = b.changes_in(Duration::from_secs(2), u32::MAX);
        b.app.assert_runs("in the background");
        assert!((1..=10).contains(&changes), "{changes} frames in 2 s at 4 per second");
        b.user.focus(b.window);
    }
    b.expect_quick("in the foreground again");
}

/// Policy and priority of each thread of `pid` (proc(5), fields 41 and 40), by the thread's name.
fn scheduling(pid: u32) -> Vec<(String, (u32, u32))> {
    let of_one = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat")).ok()?;
        let (name, after) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = after.split_whitespace().collect();
        let field = |n: usize| fields.get(n - 3)?.parse().ok();
        Some((name.split_once('(')?.1.to_owned(), (field(41)?, field(40)?)))
    };
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("a live process");
    tasks.filter_map(|task| of_one(task.ok()?)).collect()
}

/// Frames wait for the threads of a software rasteriser: they need what the render thread has, and the main thread, which
/// makes them, must not keep it.
#[test]
fn realtime_reaches_the_threads_that_draw_and_no_others() {
    let bench = Bench::open(&["--scene", "flip", "--pacing", "fixed=60", "--realtime"]);
    let all = poll_until(SHOW_LIMIT, || {
        let all = scheduling(bench.app.id());
        all.iter().any(|(name, how)| name == "scanout-render" && how.0 == 1).then_some(all)
    });
    let Some(all) = all else {
        // Where the system grants it to nobody, the report says so; see display::priority.
        let allowed = std::process::Command::new("chrt").args(["-f", "10", "true"]).status();
        assert!(!allowed.is_ok_and(|s| s.success()), "{:?}", scheduling(bench.app.id()));
        return;
    };
    let of = |wanted: &str| all.iter().filter(|(name, _)| name.starts_with(wanted)).collect::<Vec<_>>();
    let rasteriser = of("llvmpipe");
    assert!(!rasteriser.is_empty() && rasteriser.iter().all(|(_, how)| *how == (1, 10)), "{all:?}");
    assert!(of("ctrl-c").iter().chain(&of("scanout:disk")).all(|(_, how)| how.0 != 1), "{all:?}");
    let main = scheduling(bench.app.id()).remove(0);
    assert_eq!(main, ("scanout".to_owned(), (0, 0)), "{all:?}");
}

#[test]
fn interrupt_ends_the_run_cleanly() {
    let mut b = Bench::open(&["--scene", "bars", "--pacing", "vsync"]);
    b.expect_moving(2, "before");
    b.app.interrupt();
    b.app.wait(EXIT_LIMIT).assert_code(&[0, 130]);
}

#[test]
fn server_that_dies_ends_the_run_and_is_told() {
    let mut flash = Bench::open(FLASH);
    let mut bars = Bench::open(&["--scene", "bars", "--pacing", "vsync"]);
    bars.expect_moving(2, "before");
    for b in [&mut flash, &mut bars] {
        b.server.crash();
        let end = b.app.wait(Duration::from_secs(3));
        end.assert_code(&[1]);
        end.assert_loss_told();
    }
}

#[test]
fn present_extension_gives_the_refreshes_of_a_server_without_a_display() {
    let server = Xvfb::start();
    let place = Place::X11 { display: server.display() };
    for (pacing, log) in [("vsync", "scanout=info"), ("immediate", "scanout=info")] {
        let arguments = ["run", "--display", "window", "--scene", "bars", "--size", "320x200"];
        let more = ["--seconds", "2", "--report", "report.json", "--pacing", pacing];
        let arguments = [&arguments[..], &more[..]].concat();
        let mut app = App::start_with(scanout(), &arguments, &place, &[("RUST_LOG", log)]);
        let end = app.wait(OPEN_LIMIT);
        end.assert_clean();
        let report = app.report("report.json");
        let (target, counters) = (&report["target"], &report["counters"]);
        assert_eq!(target["source"], "X11 Present", "{report:#}");
        // The driver does not present through the extension here: frames are estimated, and said to be.
        assert_eq!(target["origin"], "estimated");
        let hz = target["measured_hz"].as_f64().expect("a measured rate");
        assert!((hz - 60.0).abs() < 3.0, "{hz} Hz, with {pacing}");
        assert!(counters["measured"].as_u64() > Some(30), "{counters}");
        assert_eq!((&counters["unfinished"], &counters["dropped"]), (&0.into(), &0.into()), "{counters}");
        let told: Vec<&str> = end.stderr.lines().filter(|l| l.contains("display times:")).collect();
        assert!(told.len() == 1 && told[0].contains("X11 Present"), "one line: {told:?}");
    }
}

/// Gives the only display of the server another rate at the same size.
fn set_rate(user: &X11, hz: u32) {
    let connection = &user.connection;
    let root = connection.setup().roots[0].root;
    let now = connection.randr_get_screen_resources_current(root).expect("request").reply().expect("screens");
    let (crtc, output) = (now.crtcs[0], now.outputs[0]);
    let is = connection.randr_get_crtc_info(crtc, 0).expect("request").reply().expect("a display");
    let name = format!("at-{hz}");
    let mode = randr::ModeInfo {
        width: is.width,
        height: is.height,
        htotal: is.width,
        vtotal: is.height,
        dot_clock: u32::from(is.width) * u32::from(is.height) * hz,
        name_len: name.len() as u16,
        ..randr::ModeInfo::default()
    };
    let mode = connection.randr_create_mode(root, mode, name.as_bytes()).expect("request").reply();
    let mode = mode.expect("a mode").mode;
    connection.randr_add_output_mode(output, mode).expect("request").check().expect("a mode of the display");
    let (x, y, rotation) = (is.x, is.y, is.rotation);
    let set =
        connection.randr_set_crtc_config(crtc, 0, now.config_timestamp, x, y, mode, rotation, &[output]);
    assert_eq!(set.expect("request").reply().expect("an answer").status, randr::SetConfig::SUCCESS);
}

#[test]
fn another_rate_of_the_same_display_is_noticed() {
    let server = Xvfb::start();
    let user = X11::connect(&server.display());
    let arguments = ["--scene", "bars", "--report", "report.json"];
    let (mut app, _) = start_with(&server, &user, &arguments, &[("RUST_LOG", "scanout=info")]);
    for hz in [75, 50] {
        set_rate(&user, hz);
        let said = format!("the display has {hz}.00 Hz now");
        let noticed = poll_until(SHOW_LIMIT, || app.stderr().contains(&said).then_some(()));
        assert!(noticed.is_some(), "{}", app.stderr());
    }
    user.tap(Key::Esc);
    app.wait(EXIT_LIMIT).assert_clean();
    assert_eq!(app.report("report.json")["target"]["refresh_hz"], 50.0);
}

/// A window and a pixmap of its size, over a connection of their own: what a driver does that presents through the
/// extension.
struct Presenter {
    x11: X11,
    window: u32,
    pixmap: u32,
    serial: u32,
}

impl Presenter {
    fn open(server: &Xvfb) -> Self {
        let x11 = X11::connect(&server.display());
        let (window, pixmap) =
            (x11.connection.generate_id().expect("an id"), x11.connection.generate_id().expect("an id"));
        let class = WindowClass::INPUT_OUTPUT;
        x11.connection
            .create_window(0, window, x11.root, 0, 0, 64, 64, 0, class, 0, &CreateWindowAux::new())
            .expect("request");
        x11.connection.create_pixmap(24, pixmap, window, 64, 64).expect("request");
        x11.map(window);
        Self { x11, window, pixmap, serial: 0 }
    }

    /// At the next refresh, as Mesa numbers its swaps.
    fn swap(&mut self) {
        self.serial += 1;
        self.x11
            .connection
            .present_pixmap(
                self.window,
                self.pixmap,
                self.serial,
                x11rb::NONE,
                x11rb::NONE,
                0,
                0,
                x11rb::NONE,
                x11rb::NONE,
                x11rb::NONE,
                0,
                0,
                1,
                0,
                &[],
            )
            .expect("request");
        self.x11.sync();
    }
}

#[test]
fn presentations_through_the_extension_are_told_per_frame() {
    let server = Xvfb::start();
    let mut driver = Presenter::open(&server);
    let mut source = X11Present::open(Some(&server.display()), driver.window).expect("Present on Xvfb");
    let mut events: Vec<(Timestamp, SourceEvent)> = Vec::new();
    let mut poll = |source: &mut X11Present, until: &dyn Fn(&SourceEvent) -> bool| {
        poll_until(SHOW_LIMIT, || {
            let mut done = false;
            let mut take = |event| {
                done |= until(&event);
                // When it was taken, not when the look began: a busy machine may stop us in between.
                events.push((MonotonicClock.now(), event));
            };
            source.poll(MonotonicClock.now(), &mut take).expect("a live server");
            done.then_some(())
        })
    };
    assert!(!source.answers());
    for id in 1..=20 {
        // Every fourth frame is overtaken by another before the refresh that it was for.
        let ids = [FrameId(2 * id - 1), FrameId(2 * id)];
        for id in &ids[usize::from(id % 4 != 0)..] {
            source.before_swap(*id, MonotonicClock.now());
            driver.swap();
            source.after_swap(*id, MonotonicClock.now());
        }
        let answered = poll(&mut source, &|e| matches!(e, SourceEvent::Presented(id, _) if *id == ids[1]));
        assert!(answered.is_some(), "frame {} has no answer", ids[1]);
    }
    assert!(source.answers() && source.origin() == Origin::Compositor);
    let mut last = Timestamp::ZERO;
    let mut ids = Vec::new();
    for (now, event) in &events {
        match *event {
            SourceEvent::Presented(id, Presentation::At(at, Origin::Compositor)) => {
                ids.push(id.0);
                assert!(at > last && at <= *now + Duration::from_millis(1), "frame {id}: {at:?} at {now:?}");
                last = at;
            }
            SourceEvent::Presented(id, Presentation::Dropped) => assert_eq!(id.0 % 8, 7, "{id} was dropped"),
            SourceEvent::Vblank(sample) => assert!(sample.sequence.is_some()),
            ref other => panic!("{other:?}"),
        }
    }
    assert_eq!(ids.iter().filter(|id| **id % 2 == 0).count(), 20, "{ids:?}");
    let dropped =
        events.iter().filter(|(_, e)| matches!(e, SourceEvent::Presented(_, Presentation::Dropped)));
    assert!(dropped.count() > 0, "no frame was overtaken");
}

#[test]
fn present_source_of_a_dead_server_says_so_and_waits_for_nothing() {
    let mut server = Xvfb::start();
    let mut driver = Presenter::open(&server);
    let mut source = X11Present::open(Some(&server.display()), driver.window).expect("Present on Xvfb");
    source.before_swap(FrameId(1), MonotonicClock.now());
    driver.swap();
    source.after_swap(FrameId(1), MonotonicClock.now());
    server.crash();
    let lost = poll_until(SHOW_LIMIT, || source.poll(MonotonicClock.now(), &mut |_| {}).err());
    assert!(lost.as_ref().is_some_and(SourceError::is_lost), "{lost:?}");
    for id in 2..100 {
        source.before_swap(FrameId(id), MonotonicClock.now());
        source.after_swap(FrameId(id), MonotonicClock.now());
        assert!(source.poll(MonotonicClock.now(), &mut |_| {}).is_err());
    }
}

#[test]
fn window_demanded_without_a_server_fails_with_one_line() {
    let arguments = ["run", "--display", "window", "--scene", "flash", "--seconds", "1"];
    let gone = Place::X11 { display: ":987654".into() };
    for place in [Place::Nowhere, gone] {
        let end = App::start(scanout(), &arguments, &place).wait(Duration::from_secs(5));
        end.assert_code(&[1, 2]);
        end.assert_one_line();
    }
}

/// As after a reset of the GPU: the old context is thrown away, and the same window goes on with a new one.
#[test]
fn lost_contexts_are_replaced_and_the_window_goes_on() {
    let lossy = ["--scene", "swarm", "--hud", "--report", "report.json", "--lose-context", "20,60"];
    let mut b = Bench::open(&lossy);
    // The centre of the swarm is never the background's colour for long; the HUD lies in the upper left.
    b.expect_moving(8, "after two losses");
    let area = b.area();
    let panel = (area.x + 20, area.y + 20);
    let background = b.server.screen.pixel(area.x + area.width - 4, area.y + area.height - 4);
    let lost = |b: &Bench| b.app.stderr().matches("going on in a new one").count();
    let twice = poll_until(SHOW_LIMIT, || (lost(&b) == 2).then_some(()));
    assert!(twice.is_some(), "{}", b.app.stderr());
    b.expect_moving(8, "after two losses");
    assert_ne!(b.server.screen.pixel(panel.0, panel.1), background, "the HUD is there again");
    b.expect_exit(|user, _| user.tap(Key::Esc));
    let report = b.app.report("report.json");
    assert_eq!(report["context_resets"].as_u64(), Some(2));
    assert!(report["counters"]["frames"].as_u64().is_some_and(|n| n > 60), "{report}");
    assert!(b.app.stdout().contains("context resets: 2"), "{}", b.app.stdout());
}

/// A shader that is changed on disk changes the window; a broken one is named, and the picture stays. Both are told without any
/// wish about the log.
#[test]
fn shaders_that_change_on_disk_change_the_window() {
    const MAGENTA: u32 = 0xff_00_ff;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("swarm.frag");
    let shipped = include_str!("../shaders/swarm.frag");
    let write = |text: &str| std::fs::write(&path, text).expect("a shader");
    write(shipped);
    let text = folder.path().to_str().expect("a plain path");
    let server = Xvfb::start();
    let user = X11::connect(&server.display());
    let arguments = ["--scene", "swarm", "--shaders", text];
    let (app, window) = start_with(&server, &user, &arguments, &[("RUST_LOG", "")]);
    let mut b = Bench { app, _manager: None, user, window, server };
    let area = b.area();
    let magentas = |b: &Bench| {
        let row = b.server.screen.row(area.y + area.height / 2);
        row[area.x as usize..].iter().filter(|&&p| p == MAGENTA).count()
    };
    b.expect_moving(2, "as shipped");
    assert_eq!(magentas(&b), 0);
    let changed =
        shipped.replace("vec4(v_colour * (0.25 + 0.75 * light), alpha)", "vec4(1.0, light * 0.0, 1.0, 1.0)");
    assert_ne!(changed, shipped);
    write(&changed);
    assert!(poll_until(SHOW_LIMIT, || (magentas(&b) > 5).then_some(())).is_some(), "{}", b.app.stderr());
    let anew = format!("is loaded anew from {text}");
    let told = poll_until(SHOW_LIMIT, || b.app.stderr().contains(&anew).then_some(()));
    assert!(told.is_some(), "{anew} is not in\n{}", b.app.stderr());
    let line = 1 + changed.lines().position(|l| l.contains("float r2")).expect("a line to break");
    write(&changed.replace("float r2", "float wrong_here = none;\n    float r2"));
    let named = format!("{}:{line}: fragment shader failed: ", path.display());
    let told = poll_until(SHOW_LIMIT, || b.app.stderr().contains(&named).then_some(()));
    assert!(told.is_some(), "{named} is not in\n{}", b.app.stderr());
    b.expect_moving(4, "with a broken shader");
    assert!(magentas(&b) > 5, "the picture stays");
    write(shipped);
    assert!(poll_until(SHOW_LIMIT, || (magentas(&b) == 0).then_some(())).is_some(), "{}", b.app.stderr());
    b.expect_exit(|user, _| user.tap(Key::Esc));
    assert_eq!(b.app.stderr().lines().filter(|l| l.starts_with("error: ")).count(), 1, "{}", b.app.stderr());
}
