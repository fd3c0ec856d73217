//! Nothing is left behind: whoever of `scanout photon`'s processes is killed, whatever the measured program does to get away, and
//! however its server hangs. What is left is told by a mark in the environment and by a folder for temporary files of its own.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "limits on real processes are real time")]

mod support;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use scanout::observe;
use support::app::{App, Place};
use support::x11::X11;
use support::{Key, pause, poll_until};
use tempfile::TempDir;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{ConnectionExt as _, CreateWindowAux, KeyButMask, WindowClass};

/// For whatever hangs while other tests use the CPUs: nothing here is about how long it takes.
const LIMIT: Duration = Duration::from_secs(60);
const GONE_LIMIT: Duration = Duration::from_secs(20);

/// Of its three processes, one leaves the session, one leaves it and does not listen, and one is nobody's child.
const ESCAPES: &str = "setsid sleep 1000 & setsid sh -c 'trap \"\" TERM HUP INT; sleep 1001; sleep 1002' & (setsid sleep 1003 &) ; \
                       exec sleep 1004";
/// Server, CMD and the four above.
const FAMILY: usize = 6;

fn scanout() -> OsString {
    std::env::var_os("SCANOUT_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_scanout").into())
}

struct Run {
    app: App,
    mark: String,
    folder: TempDir,
}

static RUNS: AtomicU32 = AtomicU32::new(0);

impl Run {
    fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), arguments, &Place::Nowhere)
    }

    fn start_in(folder: TempDir, arguments: &[&str], place: &Place) -> Self {
        Self::start_as(folder, scanout(), arguments, place)
    }

    fn start_as(folder: TempDir, program: impl AsRef<OsStr>, arguments: &[&str], place: &Place) -> Self {
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let mark = format!("{}-{run}", std::process::id());
        let temporary = folder.path().to_str().expect("a plain path");
        let variables = [("SCANOUT_LEFT_TEST", mark.as_str()), ("TMPDIR", temporary)];
        let app = App::start_with(program, arguments, place, &variables);
        Self { app, mark: format!("SCANOUT_LEFT_TEST={mark}"), folder }
    }

    /// `scanout photon` that waits for a window of a program that has none and gets away in every manner.
    fn with_escapes() -> Self {
        let run = Self::start(&["photon", "--size", "64x48", "--wait", "1000", "--", "sh", "-c", ESCAPES]);
        let all = poll_until(LIMIT, || (run.family().len() > FAMILY).then_some(()));
        assert!(all.is_some(), "they do not start: {:#?}\n{}", run.family(), run.app.stderr());
        run
    }

    /// All that carries the mark and lives, itself left out: number and command line.
    fn family(&self) -> Vec<(u32, String)> {
        let entries = fs::read_dir("/proc").expect("proc").flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let marked = |pid: &u32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            *pid != self.app.id() && environment.split(|byte| *byte == 0).any(|v| v == self.mark.as_bytes())
        };
        let command = |pid: u32| {
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            (pid, String::from_utf8_lossy(&command).replace('\0', " "))
        };
        pids.filter(marked).map(command).collect()
    }

    /// The one that does the work for the one that was started.
    fn worker(&self) -> Pid {
        let name = format!("scanout:kept-by={} ", self.app.id());
        let found = self.family().into_iter().find(|(_, command)| command.starts_with(&name));
        Pid::from_raw(found.expect("a worker").0.cast_signed()).expect("a number")
    }

    fn folders(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("the folder").flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with("scanout-")).collect()
    }

    /// In its folders, screens left out.
    fn largest_file(&self) -> u64 {
        let folders = self.folders().into_iter().map(|name| self.folder.path().join(name));
        let files = folders.flat_map(|folder| fs::read_dir(folder).expect("it").flatten());
        let others = files.filter(|file| !file.file_name().to_string_lossy().starts_with("Xvfb"));
        others.map(|file| file.metadata().map_or(0, |about| about.len())).max().unwrap_or(0)
    }

    #[track_caller]
    fn expect_alone(&self) {
        let gone = poll_until(GONE_LIMIT, || self.family().is_empty().then_some(()));
        assert!(gone.is_some(), "still there: {:#?}\n{}", self.family(), self.app.stderr());
    }

    /// It has ended with code 1 and one line with this in it, and nothing of it is left.
    #[track_caller]
    fn expect_ended(mut self, line: &str) {
        let end = self.app.wait(LIMIT);
        self.expect_alone();
        end.assert_code(&[1]);
        end.assert_one_line();
        assert!(end.stderr.contains(line), "{line}: {}", end.stderr);
        assert_eq!(self.folders(), Vec::<String>::new());
    }
}

#[test]
fn program_that_leaves_its_session_ends_with_the_run() {
    for signal in [Signal::INT, Signal::HUP] {
        let mut run = Run::with_escapes();
        run.app.signal(signal);
        run.expect_ended("stopped before everything was measured");
    }
}

#[test]
fn second_signal_ends_everything_at_once() {
    let mut run = Run::with_escapes();
    // It cannot act on the first one.
    kill_process(run.worker(), Signal::STOP).expect("it is there");
    run.app.signal(Signal::INT);
    pause(Duration::from_millis(200));
    run.app.assert_runs("after the first signal");
    run.app.signal(Signal::INT);
    run.expect_ended("ended at once");
}

#[test]
fn killed_worker_leaves_nothing() {
    let run = Run::with_escapes();
    kill_process(run.worker(), Signal::KILL).expect("it is there");
    run.expect_ended("ended by signal 9");
}

/// Whether the key space or the left button is down, as the server has it.
fn is_held(user: &X11) -> bool {
    let c = &user.connection;
    let keys = c.query_keymap().expect("request").reply().expect("keys").keys;
    let code = usize::from(Key::Space.x11());
    let pointer = c.query_pointer(user.root).expect("request").reply().expect("a pointer");
    keys[code / 8] >> (code % 8) & 1 == 1 || pointer.mask.contains(KeyButMask::BUTTON1)
}

#[test]
fn worker_killed_in_a_press_leaves_nothing_held_down() {
    let server = observe::Xvfb::start(320, 240).expect("Xvfb");
    let user = X11::connect(&server.display());
    let window = user.connection.generate_id().expect("an id");
    let class = WindowClass::INPUT_OUTPUT;
    let aux = CreateWindowAux::new();
    user.connection.create_window(0, window, user.root, 0, 0, 200, 100, 0, class, 0, &aux).expect("request");
    user.map(window);
    let (display, id) = (server.display(), window.to_string());
    for what in [&["--key", "space"][..], &["--button"]] {
        // It answers nothing: each press lasts a second.
        let named = [&["photon", "--display", &display, "--window", &id], what].concat();
        let run = Run::start(&named);
        let held = poll_until(LIMIT, || is_held(&user).then_some(()));
        assert!(held.is_some(), "nothing is pressed: {}", run.app.stderr());
        kill_process(run.worker(), Signal::KILL).expect("it is there");
        run.expect_ended("ended by signal 9");
        assert!(!is_held(&user), "{what:?}");
    }
    // A server that takes no release does not keep the keeper from ending, and it is told.
    let mut run = Run::start(&["photon", "--display", &display, "--window", &id]);
    assert!(poll_until(LIMIT, || is_held(&user).then_some(())).is_some(), "{}", run.app.stderr());
    let pid = Pid::from_raw(server.id().cast_signed()).expect("a number");
    kill_process(pid, Signal::STOP).expect("it is there");
    kill_process(run.worker(), Signal::KILL).expect("it is there");
    let end = run.app.wait(LIMIT);
    kill_process(pid, Signal::CONT).expect("it is there");
    end.assert_code(&[1]);
    let told = format!("the key space may still be held down on X server {display}: it does not answer");
    assert!(end.stderr.contains(&told), "{}", end.stderr);
}

#[test]
fn killed_keeper_leaves_nothing() {
    let mut run = Run::with_escapes();
    run.app.signal(Signal::KILL);
    assert_eq!(run.app.wait(LIMIT).code, None);
    run.expect_alone();
    assert_eq!(run.folders(), Vec::<String>::new(), "the worker has ended in order");
}

#[test]
fn folders_of_both_killed_at_once_go_with_the_next_start() {
    let mut run = Run::start(&["photon", "--size", "64x48", "--wait", "1000", "--", "sleep", "1000"]);
    let begun = poll_until(LIMIT, || (run.family().len() >= 3).then_some(()));
    assert!(begun.is_some(), "{}", run.app.stderr());
    let worker = run.worker();
    run.app.signal(Signal::STOP);
    kill_process(worker, Signal::KILL).expect("it is there");
    run.app.signal(Signal::KILL);
    run.app.wait(LIMIT);
    // The kernel ends whom the worker started itself.
    run.expect_alone();
    assert_ne!(run.folders(), Vec::<String>::new(), "nobody was left to remove them");
    let next = Run::start_in(run.folder, &["photon", "--size", "64x48", "--", "false"], &Place::Nowhere);
    let Run { mut app, folder, .. } = next;
    app.wait(LIMIT).assert_code(&[2]);
    let left = fs::read_dir(folder.path()).expect("the folder").flatten().map(|e| e.file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("scanout-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn server_that_was_killed_leaves_no_socket() {
    let mut server = observe::Xvfb::start(64, 48).expect("Xvfb");
    let socket = format!("/tmp/.X11-unix/X{}", &server.display()[1..]);
    assert!(Path::new(&socket).exists());
    kill_process(Pid::from_raw(server.id().cast_signed()).expect("a number"), Signal::KILL)
        .expect("it is there");
    assert!(poll_until(LIMIT, || (!server.runs()).then_some(())).is_some());
    drop(server);
    assert!(!Path::new(&socket).exists());
}

#[test]
fn server_that_hangs_does_not_keep_a_program_from_ending() {
    let server = observe::Xvfb::start(320, 240).expect("Xvfb");
    let pid = Pid::from_raw(server.id().cast_signed()).expect("a number");
    let (display, place) = (server.display(), Place::X11 { display: server.display() });
    let folder = || tempfile::tempdir().expect("a folder");
    for arguments in [
        &["photon", "--display", &display, "--", "sleep", "1000"][..],
        &["photon", "--display", &display, "--window", "nobody"],
        &["doctor", "--quiet"],
    ] {
        kill_process(pid, Signal::STOP).expect("it is there");
        let mut run = Run::start_in(folder(), arguments, &place);
        // Until it waits for an answer; a signal that comes earlier ends it as well.
        pause(Duration::from_millis(1_000));
        run.app.assert_runs("while nobody answers");
        run.app.signal(Signal::TERM);
        run.expect_ended("the display does not answer");
        kill_process(pid, Signal::CONT).expect("it is there");
    }
}

#[test]
fn doctor_that_is_interrupted_says_so() {
    let server = observe::Xvfb::start(320, 240).expect("Xvfb");
    for place in [Place::Nowhere, Place::X11 { display: server.display() }] {
        let mut run = Run::start_in(tempfile::tempdir().expect("a folder"), &["doctor", "--quiet"], &place);
        pause(Duration::from_millis(1_500));
        run.app.signal(Signal::INT);
        run.expect_ended("stopped before everything was looked at");
    }
}

#[test]
fn output_without_end_is_neither_kept_nor_written_anywhere() {
    // 64 MiB; what it says last is still told.
    let flood = "yes | head -c 67108864 >&2; echo the last word; exec sleep 1000";
    let run = Run::start(&["photon", "--size", "64x48", "--wait", "1000", "--", "sh", "-c", flood]);
    let flooded = poll_until(LIMIT, || {
        let commands: Vec<String> = run.family().into_iter().map(|(_, command)| command).collect();
        commands.iter().any(|command| command.trim() == "sleep 1000").then_some(())
    });
    assert!(flooded.is_some(), "the flood is held up: {:#?}", run.family());
    let largest = run.largest_file();
    assert!(largest < 1 << 20, "{largest}");
    kill_process(run.worker(), Signal::INT).expect("it is there");
    run.expect_ended("stopped before everything was measured");
}

/// A server that writes 64 MiB before it is up, and again after that.
#[test]
fn log_of_a_server_is_neither_kept_whole_nor_written_anywhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).expect("a folder");
    let server = bin.join("Xvfb");
    let path = std::env::var("PATH").expect("a PATH");
    let script = format!(
        "#!/bin/sh\nPATH={path}\necho first >&2\nyes | head -c 67108864 >&2\n(sleep 1; yes | head -c 67108864 >&2; echo last >&2) &\n\
         exec Xvfb \"$@\"\n"
    );
    fs::write(&server, script).expect("a script");
    fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).expect("a script that can be run");
    let place = Place::Nowhere;
    let command = ["photon", "--size", "64x48", "--wait", "1000", "--", "sleep", "1000"];
    let variable = format!("PATH={}:{path}", bin.display());
    let program = scanout().into_string().expect("a plain path");
    let arguments = [&[variable.as_str(), program.as_str()][..], &command].concat();
    let run = Run::start_as(folder, "env", &arguments, &place);
    let flooded = poll_until(LIMIT, || {
        let commands: Vec<String> = run.family().into_iter().map(|(_, command)| command).collect();
        let up = commands.iter().any(|command| command.trim() == "sleep 1000");
        (up && !commands.iter().any(|command| command.contains("yes") || command.contains("sleep 1 ")))
            .then_some(())
    });
    assert!(flooded.is_some(), "the server is held up: {:#?}", run.family());
    let largest = run.largest_file();
    assert!(largest < 1 << 20, "{largest}");
    kill_process(run.worker(), Signal::INT).expect("it is there");
    run.expect_ended("stopped before everything was measured");
}
