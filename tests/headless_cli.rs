//! The program without any display: exit codes, reports and pictures, as a server or a CI job uses it.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "limits on real processes are real time")]

mod model_support;
mod support;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use support::app::{App, Ending, Place};

/// Software rendering while other tests use the CPUs.
const LIMIT: Duration = Duration::from_secs(30);

fn run(arguments: &[&str]) -> Ending {
    let scanout = std::env::var_os("SCANOUT_TEST_BINARY")
        .unwrap_or_else(|| OsString::from(env!("CARGO_BIN_EXE_scanout")));
    App::start(scanout, arguments, &Place::Nowhere).wait(LIMIT)
}

fn picture(path: &Path) -> image::RgbImage {
    image::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).into_rgb8()
}

#[test]
fn frames_asked_for_without_a_display_give_report_and_picture() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (report, shot) = (folder.path().join("report.json"), folder.path().join("shot.png"));
    // `auto` without any display variable has to mean off screen.
    for display in ["headless", "auto"] {
        let end = run(&[
            "run",
            "--display",
            display,
            "--scene",
            "bars",
            "--size",
            "320x200",
            "--frames",
            "30",
            "--pacing",
            "immediate",
            "--report",
            report.to_str().expect("a plain path"),
            "--screenshot",
            shot.to_str().expect("a plain path"),
        ]);
        end.assert_clean();
        let text = std::fs::read_to_string(&report).expect("a report");
        serde_json::from_str::<serde_json::Value>(&text)
            .unwrap_or_else(|e| panic!("the report: {e}\n{text}"));
        let picture = picture(&shot);
        assert_eq!(picture.dimensions(), (320, 200));
        let first = picture.get_pixel(0, 0);
        assert!(picture.pixels().any(|p| p != first), "bars are not one colour");
        std::fs::remove_file(&report).expect("the report is there");
        std::fs::remove_file(&shot).expect("the picture is there");
    }
}

/// What nobody measured is said to be so, in the table and in the JSON, and is not zero.
#[test]
fn figures_that_nobody_measured_are_named_so_and_the_cost_of_the_run_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = folder.path().join("report.json");
    let report_text = report.to_str().expect("a plain path");
    let arguments = ["--scene", "bars", "--size", "64x48", "--frames", "60", "--pacing", "vsync", "-v"];
    let end = run(&[&["run", "--display", "headless", "--report", report_text], &arguments[..]].concat());
    end.assert_clean();
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&report).expect("a report")).expect("a valid report");
    let metrics = &json["metrics"];
    for name in ["ClickToPhoton", "VsyncJitter", "PhaseError"] {
        assert!(
            metrics.as_object().is_some_and(|m| m.contains_key(name)) && metrics[name].is_null(),
            "{name}"
        );
        let row = end.stdout.lines().find(|l| l.starts_with(name)).expect(name);
        assert!(row.ends_with("not measured"), "{row}");
    }
    for name in ["DisplayedTime", "QueueDepth", "ClockDrift", "MsBetweenDisplayChange"] {
        assert!(metrics[name]["n"].as_u64().is_some_and(|n| n >= 50), "{name}: {}", metrics[name]);
    }
    // A throttled swap chain of two: a frame begins with one before it in flight, or with none; never with a million.
    assert!((0.0..=2.0).contains(&metrics["QueueDepth"]["max"].as_f64().expect("a number")));
    for name in ["deadlines", "deadline_misses", "vsync_jitter"] {
        assert!(json.as_object().is_some_and(|r| r.contains_key(name)) && json[name].is_null(), "{name}");
    }
    let cost = &json["cost"];
    assert!(cost["cpu_share"].as_f64().is_some_and(|share| share > 0.0), "{cost}");
    assert!(cost["wakeups_per_s"].as_f64().is_some_and(|n| n > 0.0), "{cost}");
    assert!(cost["spin_share"].as_f64().is_some_and(|share| (0.0..1.0).contains(&share)), "{cost}");
    assert!(json["pacer"]["declared_miss_share"].is_null(), "{}", json["pacer"]);
    for text in ["missed deadlines not measured", "refreshes: not measured", "frames aim at no time", "CPU "]
    {
        assert!(end.stdout.contains(text), "{text}\n{}", end.stdout);
    }
}

#[test]
fn short_runs_say_what_can_be_said_and_all_of_the_same_frames() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("report.json");
    let run = |frames: &str, warmup: &str| {
        let end = run(&[
            "run",
            "--display",
            "headless",
            "--scene",
            "bars",
            "--size",
            "64x64",
            "--frames",
            frames,
            "--warmup",
            warmup,
            "--report",
            file.to_str().expect("a plain path"),
            "--screenshot",
            folder.path().join("shot.png").to_str().expect("a plain path"),
        ]);
        end.assert_clean();
        let text = std::fs::read_to_string(&file).expect("a report");
        (end.stdout, serde_json::from_str::<serde_json::Value>(&text).expect("JSON"))
    };
    let (text, one) = run("1", "0");
    assert!(text.contains("too few for a rate") && !text.contains("/s)"), "{text}");
    assert!(one["frames_per_second"].is_null(), "{one}");
    assert!(text.contains("missed refreshes not measured"), "{text}");
    assert!(text.contains("self-check  not measured: fewer than 30 frames"), "{text}");
    let (text, short) = run("60", "20");
    assert!(text.contains("looked at 60 frames, all there are"), "{text}");
    assert_eq!(short["self_check"]["frames"], 60);
    // As many frames were judged as measured, but for the first ones, which are planned before refreshes are known.
    let count = |what: &serde_json::Value| what.as_u64().expect("a count");
    assert!(count(&short["pacer"]["judged"]) <= 60, "the warm-up was judged as well: {}", short["pacer"]);
    assert_eq!((&short["pacing"], &short["pacing_at_end"]), (&"auto".into(), &"auto".into()));
    assert_eq!(short["modes"].as_array().map(Vec::len), Some(1));
}

#[test]
fn flash_without_input_is_black() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let shot = folder.path().join("shot.png");
    let shot_text = shot.to_str().expect("a plain path");
    let size = ["--size", "64x48", "--frames", "3", "--pacing", "immediate"];
    run(&[&["run", "--display", "headless", "--scene", "flash", "--screenshot", shot_text], &size[..]]
        .concat())
    .assert_clean();
    assert!(picture(&shot).pixels().all(|p| p.0 == [0, 0, 0]));
}

#[test]
fn wrong_usage_exits_with_two_and_says_what() {
    for arguments in [
        &["run", "--scene"][..],
        &["run", "--size", "12by9"],
        &["run", "--pacing", "fixed=0"],
        &["run", "--pacing", "sometimes"],
        &["run", "--frames", "-1"],
        &["run", "--seconds", "-1"],
        &["run", "--no-such-option"],
        &["run", "--display", "mirror"],
        &["run", "--frames", "3", "--seconds", "3"],
        &["run", "--scene", "bars", "--quality", "low"],
        &["run", "--display", "headless", "--vrr", "48-144"],
        &["run", "--display", "headless", "--fullscreen"],
        &["run", "--display", "headless", "--background-fps", "5"],
        &["run", "--display", "window", "--refresh", "60"],
        &["run", "--pacing", "host"],
        &["run", "--profile=NaN"],
        &["run", "--load="],
        &["run", "-v", "-q"],
        &["bench", "--list", "--budget", "8ms"],
        &["photon", "--mode", "drag", "--count", "5", "--", "true"],
        &["photon", "--display", ":64999", "--", "true"],
        &["photon", "--", ""],
        &["no-such-command"],
        &["report"],
    ] {
        let end = run(arguments);
        end.assert_code(&[2]);
        assert_eq!(end.stderr.lines().count(), 1, "{arguments:?}: {}", end.stderr);
        assert!(end.stderr.starts_with("scanout: ") && end.stdout.is_empty(), "{arguments:?}: {end:?}");
    }
    let modes = run(&["run", "--pacing", "sometimes"]).stderr;
    assert!(modes.contains("low-latency") && !modes.contains("host"), "{modes}");
    for asked in ["--help", "-h", "--version"] {
        let end = run(&[asked]);
        end.assert_clean();
        assert!(end.stderr.is_empty() && end.stdout.contains("scanout"), "{end:?}");
    }
}

/// Before anything is opened or started, and only where it is read.
#[test]
fn variables_that_cannot_be_meant_are_wrong_usage() {
    let with = |arguments: &[&str], value: &str| {
        let scanout = std::env::var_os("SCANOUT_TEST_BINARY");
        let scanout = scanout.unwrap_or_else(|| env!("CARGO_BIN_EXE_scanout").into());
        App::start_with(scanout, arguments, &Place::Nowhere, &[("SCANOUT_STREAM", value)]).wait(LIMIT)
    };
    for command in [&["run", "--scene", "bars"][..], &["doctor"], &["bench"]] {
        let end = with(command, "nonsense");
        end.assert_code(&[2]);
        assert_eq!(end.stderr.lines().count(), 1, "{}", end.stderr);
        assert!(end.stderr.contains("SCANOUT_STREAM") && end.stderr.contains("sub-data"), "{}", end.stderr);
    }
    with(&["sim", "--frames", "500"], "nonsense").assert_clean();
    with(&["bench", "--list"], "nonsense").assert_clean();
}

/// One rule for all commands: a path on the command line that cannot be used is wrong usage. Below a file even root can make
/// nothing.
#[test]
fn files_that_cannot_be_used_are_wrong_usage_of_every_command() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let broken = folder.path().join("broken.gltf");
    std::fs::write(&broken, "{ \"asset\": ").expect("a file");
    let broken = broken.to_str().expect("a plain path");
    for arguments in [
        &["run", "--scene", broken][..],
        &["run", "--scene", "/dev/null/no.glb"],
        &["run", "--screenshot", "/dev/null/no/shot.png"],
        &["run", "--report", "/dev/null/no/report.json"],
        &["run", "--trace", "/dev/null/no/t.json"],
        &["run", "--record", "/dev/null/no/t.trace"],
        &["run", "--frame-log", "/dev/null/no/f.json"],
        &["run", "--shaders", "/dev/null/no"],
        &["explain", "/dev/null/no.json"],
        &["explain", broken],
        &["sim", "--replay", "/dev/null/no.trace"],
        &["sim", "--replay", broken],
        &["sim", "--workload", "recorded:/dev/null/no.trace"],
        &["sim", "--json", "/dev/null/no/s.json"],
        &["report", "/dev/null/no.json"],
        &["report", broken],
        &["bench", "--suite", "/dev/null/no.toml"],
        &["bench", "--save", "/dev/null/no/b.json"],
        &["bench", "--compare", "/dev/null/no.json"],
        &["doctor", "--json", "/dev/null/no/d.json"],
        &["photon", "--json", "/dev/null/no/p.json", "--", "true"],
    ] {
        let off_screen = ["--display", "headless", "--frames", "2", "--size", "64x48"];
        let more = if arguments[0] == "run" { &off_screen[..] } else { &[] };
        let end = run(&[arguments, more].concat());
        end.assert_code(&[2]);
        end.assert_one_line();
        assert!(end.stderr.contains("/dev/null/no") || end.stderr.contains(broken), "{}", end.stderr);
    }
}

/// Nothing goes to the error output that the user does not have to know, and `-v` has it, with all metrics.
#[test]
fn a_run_says_little_unless_more_is_asked_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a plain path").to_owned();
    let (report, trace, shot) = (path("r.json"), path("t.json"), path("s.png"));
    let arguments = [
        "run",
        "--display",
        "headless",
        "--scene",
        "video",
        "--size",
        "64x48",
        "--frames",
        "5",
        "--report",
        &report,
        "--screenshot",
        &shot,
        "--trace",
        &trace,
    ];
    // As a user has it, and not as the other tests do.
    let run = |more: &[&str]| {
        let scanout =
            std::env::var_os("SCANOUT_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_scanout").into());
        let arguments = [&arguments[..], more].concat();
        App::start_with(scanout, &arguments, &Place::Nowhere, &[("RUST_LOG", "")]).wait(LIMIT)
    };
    let little = run(&[]);
    little.assert_clean();
    assert_eq!(little.stderr, "");
    let all = run(&["-v"]);
    all.assert_clean();
    assert!(all.stderr.contains("streaming by ") && all.stdout.contains("streaming   "), "{all:?}");
    for (metric, always) in [("ClickToPhoton ", true), ("AnimationError ", true), ("ClockDrift ", false)] {
        let rows = |text: &str| {
            let is_row = |line: &&str| line.starts_with(metric) && !line.contains(" runs from ");
            text.lines().filter(is_row).count()
        };
        assert_eq!((rows(&little.stdout), rows(&all.stdout)), (usize::from(always), 1), "{metric}");
    }
    for written in ["report: ", "last frame: ", "timeline: "] {
        assert!(little.stdout.contains(written), "{written}: {}", little.stdout);
    }
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&report).expect("a report")).expect("a valid report");
    assert!(json["target"]["streaming"].is_string() && json["metrics"]["ClockDrift"].is_object(), "{json}");
}

#[test]
fn log_filter_that_means_nothing_is_told_and_hides_no_warning() {
    let scanout =
        || std::env::var_os("SCANOUT_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_scanout").into());
    let arguments =
        ["--display", "auto", "--scene", "bars", "--size", "64x48", "--frames", "2", "--report", "r.json"];
    let usual = "drawing off screen";
    for (filter, told, shown) in
        [("nonsense", true, true), ("scanout=loud", true, true), ("error", false, false), ("", false, true)]
    {
        let mut app = App::start_with(scanout(), &arguments, &Place::Nowhere, &[("RUST_LOG", filter)]);
        let end = app.wait(LIMIT);
        end.assert_code(&[0]);
        let lines: Vec<_> = end.stderr.lines().filter(|line| line.contains("RUST_LOG")).collect();
        assert_eq!(lines.len(), usize::from(told), "{filter}: {}", end.stderr);
        assert_eq!(end.stderr.contains(usual), shown, "{filter}: {}", end.stderr);
    }
}

/// The second run takes its programs from where the first one left them; both draw the same.
#[test]
fn finished_programs_are_kept_where_asked_and_off_means_off() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (cache, shot) = (folder.path().join("cache"), folder.path().join("shot.png"));
    let plain = |path: &Path| path.to_str().expect("a plain path").to_owned();
    let (cache_text, shot_text) = (plain(&cache), plain(&shot));
    let draw = |place: &str| {
        let size = ["--size", "64x48", "--frames", "3", "--warmup", "0"];
        let files = ["--screenshot", &shot_text, "--shader-cache", place];
        run(&[&["run", "--display", "headless", "--scene", "swarm"], &size[..], &files[..]].concat())
            .assert_clean();
        picture(&shot)
    };
    draw("off");
    assert!(!cache.exists());
    draw(&cache_text);
    let programs = || {
        let files = std::fs::read_dir(&cache).expect("the cache").map(|e| e.expect("an entry"));
        let mut names: Vec<_> = files.map(|e| (e.file_name(), e.metadata().expect("a file").len())).collect();
        names.sort();
        names
    };
    let first = programs();
    let picture = draw(&cache_text);
    assert_eq!(programs(), first, "nothing is compiled again");
    assert!(picture.pixels().any(|p| p != picture.get_pixel(0, 0)));
    // A cache that cannot be had is no failure.
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("a file");
    draw(&plain(&file));
}

#[test]
fn shader_folders_that_cannot_be_watched_exit_with_one_line() {
    let end = run(&["run", "--display", "headless", "--frames", "2", "--shaders", "/no/such/folder"]);
    end.assert_code(&[2]);
    end.assert_one_line();
    assert!(end.stderr.contains("/no/such/folder"), "{}", end.stderr);
}

#[test]
fn lost_contexts_are_counted_in_the_report() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = folder.path().join("report.json");
    let files = ["--report", report.to_str().expect("a plain path"), "--lose-context", "5,9", "--hud"];
    let arguments = ["run", "--display", "headless", "--size", "320x200", "--frames", "20", "--warmup", "0"];
    let end = run(&[&arguments[..], &files[..]].concat());
    end.assert_clean();
    assert!(end.stdout.contains("context resets: 2"), "{}", end.stdout);
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&report).expect("a report")).expect("a valid report");
    assert_eq!((json["context_resets"].as_u64(), json["counters"]["frames"].as_u64()), (Some(2), Some(20)));
}

/// Too much for one frame: the textures of a model that does not move come with the frames after the first, one in each
/// frame interval, which are drawn for that alone, and the run ends when they are there.
#[test]
fn large_textures_of_a_resting_model_come_frame_by_frame_until_they_are_there() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [model, shot, report] = ["big.gltf", "shot.png", "r.json"].map(|name| folder.path().join(name));
    std::fs::write(&model, model_support::showcase::poster(2_200, [220, 40, 30]).gltf()).expect("a file");
    let text = |path: &Path| path.to_str().expect("a plain path").to_owned();
    let (scene, picture_file, report_file) = (text(&model), text(&shot), text(&report));
    let files = ["--scene", &scene, "--screenshot", &picture_file, "--report", &report_file];
    let end =
        run(&[&["run", "--display", "headless", "--size", "64x48", "--warmup", "0"], &files[..]].concat());
    end.assert_clean();
    let at = picture(&shot).get_pixel(32, 24).0;
    assert!(at.iter().zip([220, 40, 30]).all(|(&is, wanted)| is.abs_diff(wanted) <= 2), "{at:?}");
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&report).expect("a report")).expect("a valid report");
    // 19 MB and a third more of smaller copies, at most one MiB in each frame.
    let frames = json["counters"]["frames"].as_u64().expect("a count");
    assert!((24..2_000).contains(&frames), "{frames} frames");
}

/// Presses that come after a rest: the plan of the frame was made before the wait, and what it aimed at then may be over.
#[test]
fn frames_after_a_rest_aim_at_what_is_still_to_come() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (log, shot) = (folder.path().join("log.json"), folder.path().join("shot.png"));
    run(&[
        "run",
        "--display",
        "headless",
        "--scene",
        "flash",
        "--size",
        "64x48",
        "--refresh",
        "120",
        "--synthetic-input",
        "25",
        "--frames",
        "60",
        "--frame-log",
        log.to_str().expect("a plain path"),
        "--screenshot",
        shot.to_str().expect("a plain path"),
        "--report",
        folder.path().join("report.json").to_str().expect("a plain path"),
    ])
    .assert_clean();
    let text = std::fs::read_to_string(&log).expect("a frame log");
    let log: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let frames = log["frames"].as_array().expect("frames");
    let aimed = frames.iter().filter(|f| f["after_idle"] == true && f["target"].is_u64());
    let mut n = 0;
    for frame in aimed {
        n += 1;
        assert!(frame["target"].as_u64() >= frame["input_sampled"].as_u64(), "{frame}");
    }
    assert!(n > 30, "{n} of {} frames came after a rest", frames.len());
}
