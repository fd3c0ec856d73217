//! `scanout sim` as a user and a CI job call it: tables, files, refusals, and the way from a recorded run to its replay.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "limits on real processes are real time")]

mod support;

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use support::app::{App, Ending, Place};

const LIMIT: Duration = Duration::from_secs(60);

fn scanout(arguments: &[&str]) -> Ending {
    App::start(env!("CARGO_BIN_EXE_scanout"), arguments, &Place::Nowhere).wait(LIMIT)
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&text(path)).expect("JSON")
}

#[test]
fn a_comparison_gives_table_json_and_plots_and_the_same_seed_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    let run = |seed: &str, name: &str, plot: &str| {
        let (json, plot) = (path(name), path(plot));
        let (json, plot) = (json.to_str().unwrap(), plot.to_str().unwrap());
        let end = scanout(&[
            "sim",
            "--display",
            "60,mode-change",
            "--policy",
            "auto,ewma+1ms,fixed-timer",
            "--frames",
            "4000",
            "--seed",
            seed,
            "--json",
            json,
            "--plot",
            plot,
        ]);
        end.assert_clean();
        end.stdout
    };
    let table = run("7", "a.json", "a.svg");
    for word in ["mode-change-144", "mode-change-59.94", "start to display", "ewma+1ms", "fixed-timer"] {
        assert!(table.contains(word), "{word}:\n{table}");
    }
    assert!(
        table
            .lines()
            .all(|line| line.starts_with("figures") || line.starts_with("plot") || line.len() <= 120)
    );
    run("7", "b.json", "a.png");
    let again = run("7", "d.json", "d.svg");
    let other = run("8", "c.json", "c.svg");
    // What the files are called is all that the tables may differ in.
    let figures_of = |table: &str| -> Vec<String> {
        let named = |line: &&str| !line.starts_with("figures") && !line.starts_with("plot");
        table.lines().filter(named).map(str::to_owned).collect()
    };
    assert!(figures_of(&table).len() > 10);
    assert_eq!(figures_of(&table), figures_of(&again), "one seed");
    assert_ne!(figures_of(&table), figures_of(&other), "another seed");
    assert_eq!(text(&path("a.svg")), text(&path("d.svg")), "one seed");
    assert_ne!(text(&path("a.svg")), text(&path("c.svg")), "another seed");
    assert_eq!(text(&path("a.json")), text(&path("b.json")), "one seed");
    assert_ne!(text(&path("a.json")), text(&path("c.json")), "another seed");
    let figures = json(&path("a.json"));
    assert_eq!(figures["schema"], "scanout.sim/1");
    let policies = &figures["scenarios"][0]["policies"];
    assert_eq!(policies[0]["policy"], "auto");
    assert!(policies[0]["miss_rate"].is_number() && policies[2]["miss_rate"].is_null(), "{policies}");
    assert!(text(&path("a.svg")).contains("ewma+1ms"));
    let picture = image::open(path("a.png")).expect("a picture").into_rgb8();
    let colours: std::collections::HashSet<_> = picture.pixels().map(|p| p.0).collect();
    assert!(picture.width() > 800 && colours.len() > 10, "something is drawn");
}

#[test]
fn nonsense_is_refused_in_one_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let foreign = folder.path().join("foreign.json");
    std::fs::write(&foreign, "{\"schema\":\"scanout.report/1\"}").expect("a file");
    let foreign = foreign.to_str().unwrap();
    for (arguments, code, word) in [
        (&["--display", "61"][..], 2, "no display '61'; there are: 59.94"),
        (&["--workload", "nosy"], 2, "no workload 'nosy'"),
        (&["--policy", "best"], 2, "no policy 'best'"),
        (&["--frames", "0"], 2, "--frames is a number from 1"),
        (&["--frames", "100", "--warmup", "100"], 2, "leave none to be measured"),
        (&["--plot", "picture.gif"], 2, "ends in .svg or .png"),
        (&["--plot", "a.svg", "--json", "a.svg"], 2, "cannot be the same file"),
        (&["--json", "/nonexistent/folder/a.json"], 2, "/nonexistent/folder/a.json: cannot write"),
        (&["--replay", "/nonexistent"], 2, "/nonexistent: cannot read"),
        (&["--replay", foreign], 2, "it is no scanout.trace/1"),
        (&["--workload", "recorded:/nonexistent"], 2, "/nonexistent: cannot read"),
    ] {
        let end = scanout(&[&["sim"], arguments].concat());
        assert_eq!(end.code, Some(code), "{arguments:?}: {}", end.stderr);
        assert_eq!(end.stderr.lines().count(), 1, "{arguments:?}: {}", end.stderr);
        assert!(end.stderr.contains(word), "{arguments:?}: {}", end.stderr);
        assert_eq!(end.stdout, "", "{arguments:?}");
    }
}

#[test]
fn what_is_no_plain_file_of_a_sane_size_is_refused_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (pipe, large) = (folder.path().join("pipe"), folder.path().join("large"));
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    std::fs::File::create(&large).and_then(|f| f.set_len(1 << 40)).expect("a file with a hole");
    for (path, word) in [
        (pipe.as_path(), "it is no plain file"),
        (folder.path(), "it is a directory"),
        (Path::new("/dev/zero"), "it is no plain file"),
        (large.as_path(), "it is larger than 64 MiB"),
    ] {
        let path = path.to_str().expect("a plain path");
        for arguments in [["--replay", path], ["--workload", &format!("recorded:{path}")]] {
            let end = scanout(&[&["sim"], &arguments[..]].concat());
            assert_eq!(end.code, Some(2), "{arguments:?}: {}", end.stderr);
            assert!(end.stderr.contains(word) && end.stderr.lines().count() == 1, "{}", end.stderr);
        }
    }
}

#[test]
fn a_recorded_run_is_replayed_and_a_truncated_one_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("run.trace");
    let path = file.to_str().unwrap();
    scanout(&[
        "run",
        "--display",
        "headless",
        "--scene",
        "bars",
        "--size",
        "64x64",
        "--refresh",
        "120",
        "--frames",
        "150",
        "--warmup",
        "20",
        "--record",
        path,
    ])
    .assert_clean();
    let trace = json(&file);
    assert_eq!(trace["schema"], "scanout.trace/1");
    let frames = trace["frames"].as_array().expect("frames");
    assert_eq!(frames.len(), 150, "those of the warm-up are not among them");
    assert!(frames.iter().all(|f| f["render"].as_u64().expect("a span") > 0), "frames were drawn");
    assert!(frames.iter().any(|f| f["late"].is_u64()), "starts were slept for");
    assert!(!trace["vblanks"].as_array().expect("refreshes").is_empty());

    let out = folder.path().join("replay.json");
    let end = scanout(&["sim", "--replay", path, "--json", out.to_str().unwrap()]);
    end.assert_clean();
    assert!(end.stdout.contains("run.trace") && end.stdout.contains("mean+3sigma"), "{}", end.stdout);
    let scenario = &json(&out)["scenarios"][0];
    assert_eq!(scenario["frames"], 150);
    assert!((scenario["refresh_hz"].as_f64().unwrap() - 120.0).abs() < 1.0, "the recorded rate");
    scanout(&["sim", "--workload", &format!("recorded:{path}"), "--display", "240", "--frames", "500"])
        .assert_clean();

    let whole = std::fs::read(&file).expect("the trace");
    for cut in [0, 1, 100, whole.len() / 2, whole.len() - 3] {
        std::fs::write(&file, &whole[..cut]).expect("a shorter trace");
        let end = scanout(&["sim", "--replay", path]);
        assert_eq!(end.code, Some(2), "cut at {cut}: {}", end.stderr);
        assert!(
            end.stderr.contains("the trace is cut off") && end.stderr.lines().count() == 1,
            "{}",
            end.stderr
        );
    }
}
