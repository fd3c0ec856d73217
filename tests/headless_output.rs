//! What every subcommand does where its output cannot be written: one line and exit code 1 for a full disk, silence for a reader
//! who has gone, and never another exit code because the error output is full.

#![cfg(target_os = "linux")]

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::process::{Command, Output, Stdio};

fn scanout(arguments: &[&str]) -> Command {
    let program = std::env::var_os("SCANOUT_TEST_BINARY")
        .unwrap_or_else(|| OsString::from(env!("CARGO_BIN_EXE_scanout")));
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).env("SCANOUT_SHADER_CACHE", "off").env("RUST_LOG", "error");
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        command.env_remove(name);
    }
    command
}

fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").expect("the device").into()
}

/// A pipe whose reader has gone.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

fn end(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.stderr(Stdio::piped()).output().expect("it starts");
    (status.code(), String::from_utf8_lossy(&stderr).into_owned())
}

const SUBCOMMANDS: &[&[&str]] = &[
    &["--help"],
    &["photon", "--help"],
    &["--version"],
    &[
        "run",
        "--display",
        "headless",
        "--scene",
        "flip",
        "--frames",
        "5",
        "--report",
        "/dev/null",
        "--screenshot",
        "/dev/null",
    ],
    &["sim", "--frames", "500", "--policy", "auto"],
    &["bench", "--list"],
    &["bench", "--print-suite"],
    &["doctor", "--quick", "--display", "headless"],
];

#[test]
fn output_onto_a_full_disk_is_one_line_and_a_failure() {
    for arguments in SUBCOMMANDS {
        let (code, said) = end(scanout(arguments).stdout(full()));
        assert_eq!((code, said.lines().count()), (Some(1), 1), "{arguments:?}: {said}");
        assert!(said.contains("standard output: cannot write: No space left"), "{arguments:?}: {said}");
    }
}

#[test]
fn output_that_nobody_reads_any_more_is_no_failure() {
    for arguments in SUBCOMMANDS {
        assert_eq!(end(scanout(arguments).stdout(closed())), (Some(0), String::new()), "{arguments:?}");
    }
}

#[test]
fn exit_codes_are_the_same_where_the_error_cannot_be_written() {
    for (arguments, code) in [
        (&["bench", "--suite", "no such suite"][..], 2),
        (&["photon"], 2),
        (&["--nonsense"], 2),
        (&["sim", "--display", "nonsense"], 2),
        (&["watch", "nobody-has-this-name"], 2),
        (&["explain", "/no/such/file"], 2),
        (&["doctor", "--display", "window", "--quick", "--quiet"], 1),
    ] {
        let (told, said) = end(&mut scanout(arguments));
        assert_eq!(told, Some(code), "{arguments:?}: {said}");
        for lost in [full, closed] {
            let status = scanout(arguments).stdout(Stdio::null()).stderr(lost()).status().expect("it starts");
            assert_eq!(status.code(), Some(code), "{arguments:?}");
        }
    }
}

/// `scanout watch NAME --plain | head -1`: the program that is watched goes on for longer than any test.
#[test]
fn lines_of_a_watch_end_with_their_reader() {
    let folder = tempfile::tempdir().expect("a folder");
    let drawing =
        ["run", "--display", "headless", "--scene", "flip", "--size", "64x48", "--seconds", "600", "--quiet"];
    let mut run = scanout(&[&drawing[..], &["--telemetry", "t"]].concat())
        .env("XDG_RUNTIME_DIR", folder.path())
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut watch = scanout(&["watch", "t", "--plain", "--wait"]);
    let ended = end(watch.env("XDG_RUNTIME_DIR", folder.path()).stdout(closed()));
    let running = run.try_wait().expect("its state").is_none();
    run.kill().expect("it is ours");
    run.wait().expect("its end");
    assert_eq!((ended, running), ((Some(0), String::new()), true));
}
