//! `scanout run --trace` and `scanout explain`, as a user types them.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "limits on real processes are real time")]

mod support;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use support::app::{App, Ending, Place};

/// Software rendering while other tests use the CPUs.
const LIMIT: Duration = Duration::from_secs(60);

fn program() -> OsString {
    std::env::var_os("SCANOUT_TEST_BINARY").unwrap_or_else(|| OsString::from(env!("CARGO_BIN_EXE_scanout")))
}

fn run(arguments: &[&str]) -> Ending {
    App::start(program(), arguments, &Place::Nowhere).wait(LIMIT)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// A run of 120 frames at 60 Hz with its timeline in `file`, and what else it is told.
fn traced(file: &Path, more: &[&str]) -> Vec<String> {
    let usual =
        ["run", "--display", "headless", "--scene", "bars", "--size", "64x48", "--frames", "220", "--trace"];
    let all = usual.iter().copied().chain([text(file)]).chain(more.iter().copied());
    all.map(str::to_owned).collect()
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

#[test]
fn a_trace_can_be_explained_and_the_report_says_the_same() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (trace, report) = (folder.path().join("t.json"), folder.path().join("r.json"));
    let end = run(&words(&traced(&trace, &["--gpu-timing", "on", "--report", text(&report)])));
    end.assert_clean();
    assert!(end.stdout.contains("late frames"), "{}", end.stdout);
    assert!(end.stdout.contains("GPU pass bars"), "{}", end.stdout);
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&report).expect("a report")).expect("a valid report");
    assert_eq!(json["gpu_passes"][0]["name"], "bars");
    let told = run(&["explain", text(&trace)]);
    told.assert_clean();
    let first = told.stdout.lines().next().unwrap_or_default();
    assert_eq!(json["late_frames"][0], first, "{}", told.stdout);
    assert!(first.contains("late"), "{first}");
}

/// A process that is stopped now and then is late through no fault of its own.
#[test]
fn a_process_that_was_stopped_was_held_up_by_the_scheduler() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = folder.path().join("t.json");
    let mut app = App::start(program(), &words(&traced(&trace, &[])), &Place::Nowhere);
    for _ in 0..6 {
        support::pause(Duration::from_millis(450));
        app.signal(rustix::process::Signal::STOP);
        support::pause(Duration::from_millis(120));
        app.signal(rustix::process::Signal::CONT);
    }
    app.wait(LIMIT).assert_clean();
    let told = run(&["explain", text(&trace)]);
    told.assert_clean();
    let line = told
        .stdout
        .lines()
        .find(|l| l.starts_with("scheduler held up "))
        .unwrap_or_else(|| panic!("{}", told.stdout));
    let count: u32 = line
        .trim_start_matches("scheduler held up ")
        .split(' ')
        .next()
        .and_then(|n| n.parse().ok())
        .expect("a number");
    assert!(count >= 3, "{}", told.stdout);
}

/// Ready like the others, and shown a refresh late: whoever stands behind the display time held it up.
#[test]
fn a_simulated_display_is_not_called_a_compositor() {
    const T: u64 = 16_666_667;
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (origin, name) in [("simulated", "simulated display"), ("compositor", "compositor")] {
        let frame = |id: u64| {
            let (start, late) = (id * T, if id == 25 { T } else { 0 });
            let at = |ms: u64| start + ms * 1_000_000;
            format!(
                "{{\"ph\":\"b\",\"cat\":\"frame\",\"args\":{{\"frame\":{id},\"snapshot\":{id},\"origin\":\"{origin}\",\
                 \"input_sampled_ns\":{},\"logic_done_ns\":{},\"snapshot_published_ns\":{},\"snapshot_acquired_ns\":{},\
                 \"submitted_ns\":{},\"gpu_done_ns\":{},\"swap_begin_ns\":{},\"swap_end_ns\":{},\
                 \"presented_ns\":{},\"target_ns\":{}}}}}",
                at(0),
                at(1),
                at(1),
                at(1),
                at(2),
                at(3),
                at(2),
                at(3),
                start + T + late,
                start + T
            )
        };
        let frames: Vec<String> = (1..=30).map(frame).collect();
        let path = with_events(folder.path(), &format!("[{}]", frames.join(",")));
        let told = run(&["explain", text(&path)]);
        told.assert_clean();
        let held = format!("{name} held up 1 of these 1: it was displayed 16.67 ms after its time");
        assert!(told.stdout.contains(&held), "{held}: {}", told.stdout);
    }
}

#[test]
fn files_that_are_no_timelines_exit_with_one_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = folder.path().join("t.json");
    run(&words(&traced(&trace, &["-q"]))).assert_clean();
    let whole = std::fs::read(&trace).expect("a trace");
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    };
    for (path, what) in [
        (folder.path().join("none.json"), "No such file"),
        (folder.path().to_owned(), "directory"),
        (put("empty.json", b""), "cut off"),
        (put("half.json", &whole[..whole.len() / 2]), "cut off"),
        (put("text.json", b"late frames: many"), "scanout.timeline/1"),
        (put("other.json", br#"{"schema":"scanout.trace/1","frames":[]}"#), "scanout.timeline/1"),
        (put("list.json", b"[1,2,3]"), "scanout.timeline/1"),
        (put("binary.json", &[0, 159, 146, 150]), "scanout.timeline/1"),
        (put("t.puffin", b"PUF0"), "puffin"),
        ("/dev/zero".into(), "no plain file"),
    ] {
        let end = run(&["explain", text(&path)]);
        end.assert_code(&[2]);
        end.assert_one_line();
        assert!(end.stderr.contains(what), "{}: {}", path.display(), end.stderr);
    }
    run(&["explain"]).assert_code(&[2]);
}

/// A timeline with these events, in `folder`.
fn with_events(folder: &Path, events: &str) -> PathBuf {
    let path = folder.join("odd.json");
    let head = r#"{"otherData":{"schema":"scanout.timeline/1","refresh_ns":16666667},"traceEvents":"#;
    std::fs::write(&path, format!("{head}{events}}}")).expect("a file");
    path
}

/// What says nothing that we read is passed over.
#[test]
fn other_events_inside_a_timeline_are_not_enough_evidence() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for events in [
        "[]",
        "[1, null, {}, \"x\", [2, {}], {\"cat\": 7}, {\"ph\": {}, \"args\": 3}]",
        "[{\"ph\":\"i\",\"cat\":\"of somebody else\",\"name\":\"x\",\"ts\":1e300}]",
        "[{\"ph\":\"X\",\"cat\":\"swap\",\"name\":\"x\",\"ts\":-5,\"dur\":1e9,\"args\":{}}]",
        "[{\"ph\":\"X\",\"cat\":\"swap\",\"name\":7,\"ts\":5}]",
    ] {
        let end = run(&["explain", text(&with_events(folder.path(), events))]);
        end.assert_clean();
        assert!(end.stdout.starts_with("not enough evidence"), "{events}: {}", end.stdout);
    }
}

/// Figures that no run has, and events that are there twice, are not judged beside the others.
#[test]
fn timelines_that_were_altered_are_refused_in_one_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let frame = |args: &str| format!("{{\"ph\":\"b\",\"cat\":\"frame\",\"args\":{{{args}}}}}");
    let event = |cat: &str, rest: &str| format!("{{\"ph\":\"X\",\"cat\":\"{cat}\",\"name\":\"x\",{rest}}}");
    let swap = event("swap", "\"ts\":5,\"dur\":2,\"args\":{\"frame\":3}");
    for (events, what) in [
        (frame("\"frame\":-1"), "`frame` of event 1"),
        (frame("\"frame\":1,\"target_ns\":9223372036854775807"), "`target_ns` of event 1"),
        (frame("\"frame\":1,\"origin\":\"hearsay\""), "`origin` of event 1"),
        (frame("\"frame\":1,\"origin\":7"), "`origin` of event 1"),
        (frame("\"frame\":1,\"presented_ns\":1e300"), "`presented` of event 1"),
        (frame("\"frame\":1,\"presented_ns\":1,\"target_ns\":90000000000000000"), "`stamps` of event 1"),
        (event("gpu", "\"ts\":1e300,\"dur\":1"), "`ts` of event 1"),
        (event("gpu", "\"ts\":1,\"args\":{\"begin_ns\":5,\"end_ns\":4}"), "`end_ns` of event 1"),
        (event("swap", "\"ts\":1,\"dur\":-1"), "`dur` of event 1"),
        (event("sleep", "\"ts\":1,\"args\":{\"late_ns\":9223372036854775808}"), "`late_ns` of event 1"),
        (format!("{},{}", frame("\"frame\":7"), frame("\"frame\":7")), "frame 7 is in it twice"),
        (format!("{swap},{},{swap}", frame("\"frame\":3")), "`swap` of frame 3 is in it twice"),
    ] {
        let end = run(&["explain", text(&with_events(folder.path(), &format!("[{events}]")))]);
        end.assert_code(&[2]);
        end.assert_one_line();
        assert!(end.stderr.contains(what), "{events}: {}", end.stderr);
    }
    for (about, what) in [("\"refresh_ns\":1e300", "refresh_ns"), ("\"interval_ns\":-1", "interval_ns")] {
        let path = folder.path().join("about.json");
        let document =
            format!("{{\"traceEvents\":[],\"otherData\":{{\"schema\":\"scanout.timeline/1\",{about}}}}}");
        std::fs::write(&path, document).expect("a file");
        let end = run(&["explain", text(&path)]);
        end.assert_code(&[2]);
        end.assert_one_line();
        assert!(end.stderr.contains(what), "{}", end.stderr);
    }
}

/// Twenty megabytes of events that no verdict needs, with less memory than they would take as a tree.
#[test]
fn a_long_timeline_takes_memory_for_what_verdicts_need_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let scope = "{\"ph\":\"X\",\"cat\":\"scope\",\"name\":\"physics\",\"ts\":1,\"dur\":1,\"args\":{\"frame\":1,\"value\":5}}";
    let path = with_events(folder.path(), &format!("[{}]", vec![scope; 220_000].join(",\n")));
    assert!(std::fs::metadata(&path).expect("a file").len() > 19_000_000);
    let limited = "ulimit -v 200000 && exec \"$0\" explain \"$1\"";
    let shell = OsString::from("/bin/sh");
    let program = program();
    let words = ["-c", limited, program.to_str().expect("a plain path"), text(&path)];
    let end = App::start(shell, &words, &Place::Nowhere).wait(LIMIT);
    end.assert_clean();
    assert!(end.stdout.starts_with("not enough evidence"), "{}", end.stdout);
}

#[test]
fn a_puffin_file_is_written_and_files_do_not_overwrite_each_other() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let trace = folder.path().join("t.puffin");
    run(&words(&traced(&trace, &["-q"]))).assert_clean();
    assert!(std::fs::read(&trace).expect("a trace").starts_with(b"PUF0"));
    for more in [["--report", text(&trace)], ["--screenshot", text(&trace)], ["--record", text(&trace)]] {
        let end = run(&words(&traced(&trace, &more)));
        end.assert_code(&[2]);
        end.assert_one_line();
    }
    run(&words(&traced(&folder.path().join("t.txt"), &[]))).assert_code(&[2]);
    run(&words(&traced(Path::new("/no/such/folder/t.json"), &[]))).assert_code(&[2]);
}
