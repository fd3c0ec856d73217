//! `scanout bench` where a server brings the input: presses that come through XTEST.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "limits on real processes are real time")]

mod support;

use std::time::Duration;

use support::app::{App, Place};

#[test]
fn presses_through_the_server_are_measured_and_the_server_ends_with_the_run() {
    let scanout =
        std::env::var_os("SCANOUT_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_scanout").into());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a plain path").to_owned();
    let scenario = |scene: &str, length: &str| {
        format!(
            "[[scenario]]\nscene = '{scene}'\npacing = 'immediate'\nplace = 'xvfb'\nsize = '320x200'\n{length}\nwarmup = 10\n"
        )
    };
    std::fs::write(path("s.toml"), scenario("flash", "frames = 60") + &scenario("drag", "seconds = 2"))
        .expect("a file");
    // The environment names no display: the server is the bench's own.
    let arguments = ["bench", "--suite", &path("s.toml"), "--save", &path("r.json")];
    // Whatever it starts has the mark in its environment.
    let mark = path("mark");
    let mut app =
        App::start_with(scanout, &arguments, &Place::Nowhere, &[("SCANOUT_BENCH_TEST_MARK", mark.as_str())]);
    let family = || {
        let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
        let marked = |entry: &std::fs::DirEntry| {
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            environment.split(|b| *b == 0).any(|one| one.ends_with(mark.as_bytes()))
        };
        processes.filter(marked).count()
    };
    // The bench, its server and the program that it measures: so the look at the end can see them.
    let seen = app.poll_while_running(Duration::from_secs(60), |_| (family() >= 3).then_some(()));
    assert!(seen.is_some(), "{}", app.stderr());
    let end = app.wait(Duration::from_secs(90));
    end.assert_clean();
    let saved: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path("r.json")).expect("the results")).expect("JSON");
    for scenario in saved["scenarios"].as_array().expect("scenarios") {
        assert_eq!(scenario["input"], "injected: XTEST");
        assert!(scenario["frames"].as_u64().is_some_and(|n| n >= 60), "{}", scenario["error"]);
        let clicks = &scenario["metrics"]["ClickToPhoton"];
        assert!(clicks["n"].as_u64().is_some_and(|n| n >= 20), "{clicks}");
    }
    let flash = &saved["scenarios"][0];
    let clicks = &flash["metrics"]["ClickToPhoton"];
    assert!(clicks["n"].as_u64().is_some_and(|n| n >= 50), "a frame for a press: {clicks}");
    let alone = support::poll_until(Duration::from_secs(5), || (family() == 0).then_some(()));
    assert!(alone.is_some(), "a process of the bench is still there");
}
