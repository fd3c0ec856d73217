//! What happens to a window when its surroundings change under it: displays that die, and displays of other rates. What
//! the report says of it in the end.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "limits on real processes are real time")]

mod support;

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use support::app::{App, Ending, Place};
use support::sway::{Layout, Sway};
use support::x11::X11;
use support::xvfb::Xvfb;
use support::{Key, WHITE, pause, poll_until};

/// For a window to open while other tests use the CPUs.
const OPEN_LIMIT: Duration = Duration::from_secs(20);
/// For the picture to change.
const SHOW_LIMIT: Duration = Duration::from_secs(5);
/// For the program to notice that its display is gone, write what it has and end.
const END_LIMIT: Duration = Duration::from_secs(15);
/// For a display that hangs to be given up and for the end after that: more than the 3 and 15 seconds that the program allows.
const HANG_LIMIT: Duration = Duration::from_secs(40);
/// Runs of which one has to wait for an answer of the server when that stops.
const TRIES: usize = 8;

fn scanout() -> OsString {
    std::env::var_os("SCANOUT_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_scanout").into())
}

/// The program with a report to write.
struct Run {
    app: App,
    report: PathBuf,
    // Dropped after the program.
    _folder: tempfile::TempDir,
}

impl Run {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        Self::start_with(place, arguments, &[])
    }

    fn start_with(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let report = folder.path().join("report.json");
        let path = report.to_str().expect("a plain path");
        let arguments =
            [&["run", "--display", "window", "--size", "320x240", "--report", path], arguments].concat();
        let app = App::start_with(scanout(), &arguments, place, variables);
        Self { app, report, _folder: folder }
    }

    /// The report, if it is whole.
    #[track_caller]
    fn report(&self, end: &Ending) -> Value {
        let text =
            std::fs::read_to_string(&self.report).unwrap_or_else(|e| panic!("no report: {e}\n{end:#?}"));
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("the report: {e}\n{text}"))
    }

    /// After the end of its display: exit code 1, the loss in one line, and the figures of what was.
    #[track_caller]
    fn expect_lost(&mut self) -> Ending {
        let end = self.app.wait(END_LIMIT);
        end.assert_code(&[1]);
        end.assert_loss_told();
        assert!(end.stderr.contains("scanout: the display was lost"), "{}", end.stderr);
        let report = self.report(&end);
        assert_eq!(report["ended"], "display lost", "{report:#}");
        assert!(report["error"].as_str().is_some_and(|e| e.contains("lost")), "{report:#}");
        assert!(report["counters"]["frames"].as_u64().is_some_and(|n| n > 0), "{report:#}");
        assert!(report["elapsed_s"].as_f64().is_some_and(|s| s > 0.0), "{report:#}");
        assert!(end.stdout.contains("MsBetweenDisplayChange"), "no table: {}", end.stdout);
        assert!(end.stdout.contains("before it was asked to"), "the table hides it: {}", end.stdout);
        end
    }
}

fn expect_moving(server: &Xvfb, app: &mut App) {
    for _ in 0..3 {
        let before = server.screen.fingerprint(3);
        let moved = server.screen.satisfies(SHOW_LIMIT, |s| s.fingerprint(3) != before);
        app.assert_runs("drawing");
        assert!(moved, "the picture stands still");
    }
}

/// In every mode, drawing and at rest: which thread notices first is another one each time.
#[test]
fn x_server_that_dies_leaves_the_report_behind() {
    for arguments in [
        &["--scene", "bars", "--pacing", "vsync"][..],
        &["--scene", "swarm", "--pacing", "immediate"],
        &["--scene", "flip", "--pacing", "fixed=30", "--hud"],
        &["--scene", "flash", "--pacing", "immediate"],
    ] {
        let mut server = Xvfb::start_sized(640, 480);
        let user = X11::connect(&server.display());
        let mut run = Run::start(&Place::X11 { display: server.display() }, arguments);
        let window = run.app.poll_while_running(OPEN_LIMIT, |pid| user.window_of(pid, Duration::ZERO));
        let window = window.unwrap_or_else(|| panic!("no window\n{}", run.app.stderr()));
        if arguments[1] == "flash" {
            user.focus(window);
            user.tap(Key::Space);
            let white = server.screen.becomes(user.area(window).centre(), WHITE, SHOW_LIMIT);
            assert!(white, "nothing was drawn\n{}", run.app.stderr());
            // All threads sleep now; whoever listens to the server hears of its end.
            pause(Duration::from_millis(100));
        } else {
            expect_moving(&server, &mut run.app);
        }
        server.crash();
        run.expect_lost();
    }
}

#[test]
fn x_server_that_dies_before_the_last_picture_is_read_leaves_the_report_behind() {
    let mut server = Xvfb::start_sized(640, 480);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let shot = folder.path().join("shot.png");
    let shot = shot.to_str().expect("a plain path");
    let arguments = ["--scene", "bars", "--pacing", "immediate", "--screenshot", shot];
    let mut run = Run::start(&Place::X11 { display: server.display() }, &arguments);
    expect_moving(&server, &mut run.app);
    server.crash();
    run.expect_lost();
}

/// The render thread may wait for an answer in its swap, with all figures: they are written all the same.
#[test]
fn x_server_that_hangs_does_not_take_the_figures_with_it() {
    let met = (0..TRIES).any(|_| {
        let server = Xvfb::start_sized(640, 480);
        let run = Run::start(&Place::X11 { display: server.display() }, &["--scene", "flip"]);
        expect_figures_of_a_hang(run, &server, server.id())
    });
    assert!(met, "no run of {TRIES} waited for the server");
}

/// Nothing waits for a compositor most of the time.
#[test]
fn compositor_that_hangs_does_not_take_the_figures_with_it() {
    let server = Xvfb::start_sized(640, 480);
    let sway = Sway::start_nested(&server, Layout::Tiled);
    let run = Run::start(&sway.place(), &["--scene", "flip"]);
    expect_figures_of_a_hang(run, &server, sway.id());
}

/// Stops the process behind the display and asks the run to end: in order where it can, else without the display. Whether it
/// was the latter.
#[track_caller]
fn expect_figures_of_a_hang(mut run: Run, server: &Xvfb, id: u32) -> bool {
    let pid = Pid::from_raw(id.cast_signed()).expect("a number");
    expect_moving(server, &mut run.app);
    pause(Duration::from_millis(500));
    kill_process(pid, Signal::STOP).expect("it is there");
    pause(Duration::from_millis(500));
    run.app.signal(Signal::INT);
    let end = run.app.wait(HANG_LIMIT);
    kill_process(pid, Signal::CONT).expect("it is there");
    end.assert_code(&[0, 1]);
    let report = run.report(&end);
    assert!(report["counters"]["frames"].as_u64().is_some_and(|n| n > 0), "{report:#}");
    let told = "the display does not answer and was given up; the figures so far are kept";
    if report["ended"] == "as asked" {
        // Nothing waited for an answer just then.
        end.assert_clean();
        return false;
    }
    end.assert_code(&[1]);
    end.assert_one_line();
    assert!(end.stderr.contains(told), "{}", end.stderr);
    assert_eq!(report["ended"], "display lost");
    true
}

/// The window is closed by then and nothing hangs: whoever writes is waited for, and not ended as a display that hangs is.
#[test]
fn figures_that_are_being_written_are_not_given_up_with_the_display() {
    let server = Xvfb::start_sized(640, 480);
    let sway = Sway::start_nested(&server, Layout::Tiled);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = folder.path().join("report.json");
    let (mut reader, writer) = full();
    let mut command = Command::new(scanout());
    command.args(["run", "--display", "window", "--scene", "bars", "--frames", "5", "--report"]).arg(&report);
    command.stdin(Stdio::null()).stdout(OwnedFd::from(writer)).stderr(Stdio::piped());
    sway.place().apply(&mut command, folder.path());
    command.env("RUST_LOG", "warn").env("SCANOUT_SHADER_CACHE", "off");
    let child = command.spawn().expect("it starts");
    // It holds the other end of the socket, too.
    drop(command);
    let written = poll_until(OPEN_LIMIT, || report.exists().then_some(())).is_some();
    // The table comes after the report, and nobody reads it yet.
    pause(Duration::from_millis(500));
    kill_process(Pid::from_child(&child), Signal::INT).expect("it is there");
    // Longer than a display has to answer.
    pause(Duration::from_secs(6));
    reader.read_to_end(&mut Vec::new()).expect("what it printed");
    let end = child.wait_with_output().expect("it ends");
    assert!(written, "no report within {OPEN_LIMIT:?}: {end:?}");
    assert_eq!(end.status.code(), Some(0), "{}", String::from_utf8_lossy(&end.stderr));
    assert!(end.stderr.is_empty(), "{}", String::from_utf8_lossy(&end.stderr));
}

/// A socket whose other end has to be read before more can be written.
fn full() -> (UnixStream, UnixStream) {
    let (reader, mut writer) = UnixStream::pair().expect("a socket");
    writer.set_nonblocking(true).expect("a socket");
    for some in [4096, 1] {
        while writer.write(&vec![b' '; some]).is_ok() {}
    }
    writer.set_nonblocking(false).expect("a socket");
    (reader, writer)
}

#[test]
fn compositor_that_dies_leaves_the_report_behind() {
    for pacing in ["vsync", "immediate", "fixed=30"] {
        let server = Xvfb::start_sized(640, 480);
        let mut sway = Sway::start_nested(&server, Layout::Tiled);
        let mut run = Run::start(&sway.place(), &["--scene", "bars", "--pacing", pacing]);
        let open = run.app.poll_while_running(OPEN_LIMIT, |pid| sway.window_of(pid, Duration::ZERO));
        assert!(open.is_some(), "no window\n{}", run.app.stderr());
        expect_moving(&server, &mut run.app);
        sway.crash();
        // libwayland has a word for it on each thread, before ours.
        let end = run.expect_lost();
        assert!(
            !end.stderr.contains("Io error") && !end.stderr.contains("trying to flush"),
            "{}",
            end.stderr
        );
        end.assert_one_line();
    }
}

#[test]
fn run_that_ends_as_asked_says_so() {
    let server = Xvfb::start_sized(640, 480);
    let mut run =
        Run::start(&Place::X11 { display: server.display() }, &["--scene", "bars", "--seconds", "0.5"]);
    let end = run.app.wait(OPEN_LIMIT);
    end.assert_clean();
    let report = run.report(&end);
    assert_eq!(report["ended"], "as asked");
    assert!(report.as_object().is_some_and(|r| r.contains_key("error")) && report["error"].is_null());
}

#[test]
fn window_that_moves_to_a_display_of_another_rate_follows_it() {
    let sway = Sway::start_with_two_outputs(800, 600, [60, 90]);
    // The log tells of displays.
    let variables = [("RUST_LOG", "warn,scanout::window=info")];
    let mut run = Run::start_with(&sway.place(), &["--scene", "bars", "--pacing", "vsync"], &variables);
    let open = run.app.poll_while_running(OPEN_LIMIT, |pid| sway.window_of(pid, Duration::ZERO));
    assert!(open.is_some(), "no window\n{}", run.app.stderr());
    let pid = run.app.id();
    let libraries = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("a running process");
    assert!(!libraries.contains("/libX11.so"), "X11 is not what it opens on, and its library is left alone");
    for (round, (output, line)) in [
        ("HEADLESS-2", "the window is on a display with 90.00 Hz now"),
        ("HEADLESS-1", "the window is on a display with 60.00 Hz now"),
        ("HEADLESS-2", "the window is on a display with 90.00 Hz now"),
    ]
    .into_iter()
    .enumerate()
    {
        sway.move_to_output(pid, output);
        let told = poll_until(SHOW_LIMIT, || {
            let lines: Vec<String> = run
                .app
                .stderr()
                .lines()
                .filter(|l| l.contains("on a display with"))
                .map(String::from)
                .collect();
            (lines.len() == round + 1).then(|| lines.last().cloned().unwrap_or_default())
        });
        run.app.assert_runs("moving");
        assert!(told.as_ref().is_some_and(|l| l.contains(line)), "{output}: {told:?}\n{}", run.app.stderr());
    }
    // The window thread has told it; the render thread hears it before its next frame, unless the end comes first.
    pause(Duration::from_millis(500));
    sway.close(pid);
    let end = run.app.wait(END_LIMIT);
    end.assert_clean();
    let hertz = run.report(&end)["target"]["refresh_hz"].as_f64().expect("a known rate");
    assert!((hertz - 90.0).abs() < 0.01, "{hertz}");
}
