//! What a window costs that nobody sees, and what becomes of a program that is stopped for a while.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::animate::animate_turn;
use crate::common::Used;
use crate::contender::{Contender, END_LIMIT};
use crate::nested::{Nested, REFRESH, SETTLE};
use crate::options::Options;
use crate::print::print_absent;
use crate::support::app::App;
use crate::support::rng::Rng;
use crate::support::{pause, poll_until};

/// How often all threads of a process have waited so far: each wait ends with a wake-up.
fn waits(pid: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of = |task: std::fs::DirEntry| {
        let status = std::fs::read_to_string(task.path().join("status")).ok()?;
        status.lines().find_map(|l| l.strip_prefix("voluntary_ctxt_switches:"))?.trim().parse::<u64>().ok()
    };
    tasks.filter_map(of).sum()
}

pub fn hidden(scanout: &Result<OsString, String>, options: &Options) -> Value {
    println!("\na hidden window (nested)");
    println!(
        "{:<18}{:>16}{:>16}{:>7}{:>22}{:>18}",
        "", "swaps in it", "wake-ups per s", "CPU %", "first frame shown, ms", "closed after, ms"
    );
    let mut out = json!({});
    for pacing in ["auto", "vsync", "immediate"] {
        let nested = Nested::open(options.raise);
        let mut c = Contender::scanout(pacing, scanout, "bars", pacing);
        // It tells each request that is made of the compositor.
        let Some(mut app) = c.start(&nested.sway, &[("WAYLAND_DEBUG", "client")]) else {
            print_absent(&[c]);
            continue;
        };
        let swaps = |app: &App| {
            app.stderr().lines().filter(|l| l.contains("wl_surface") && l.contains(".attach(")).count()
        };
        pause(SETTLE);
        nested.sway.hide();
        pause(Duration::from_millis(500));
        let (before, woken, used) = (swaps(&app), waits(app.id()), Used::since_now(app.id()));
        pause(options.span());
        let drawn = swaps(&app) - before;
        let (wakes, cpu) = ((waits(app.id()) - woken) as f64 / options.seconds, used.share() * 100.0);
        let screen = &nested.server.screen;
        let at = screen.fingerprint(7);
        let shown = Instant::now();
        nested.sway.show();
        let back =
            poll_until(Duration::from_secs(3), || (screen.fingerprint(7) != at).then(|| shown.elapsed()));
        pause(Duration::from_millis(500));
        nested.sway.hide();
        pause(Duration::from_secs(1));
        let asked = Instant::now();
        nested.sway.close(app.id());
        let closed = poll_until(END_LIMIT, || (!app.runs()).then(|| asked.elapsed()));
        let ms = |d: Option<Duration>| d.map_or("never".into(), |d| format!("{:.1}", d.as_secs_f64() * 1e3));
        println!(
            "{pacing:<14}{:>16}{wakes:>16.1}{cpu:>7.1}{:>22}{:>18}",
            format!("{drawn} in {:.0} s", options.seconds),
            ms(back),
            ms(closed)
        );
        out[pacing] =
            json!({ "swaps": drawn, "wakes_per_s": wakes, "cpu_percent": cpu, "closed_ms": ms(closed) });
    }
    out
}

pub fn stop(scanout: &Result<OsString, String>, options: &Options) -> Value {
    println!("\nstopped for {:.0} s and gone on (nested, bars, auto)", options.stop_seconds);
    let mut nested = Nested::open(options.raise);
    let mut c = Contender::scanout("auto", scanout, "bars", "auto");
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stopped-frames.json");
    let _ = std::fs::remove_file(&log);
    c.arguments.extend(["--frame-log".into(), log.display().to_string()]);
    let Some(mut app) = c.start(&nested.sway, &[]) else {
        print_absent(&[c]);
        return Value::Null;
    };
    pause(SETTLE);
    app.signal(Signal::STOP);
    pause(Duration::from_secs_f64(options.stop_seconds));
    app.signal(Signal::CONT);
    pause(Duration::from_secs(1));
    let turn = animate_turn(app, &mut nested, &mut Rng::new(1), options);
    let (refreshes, repeated, off) = (turn.refreshes.of, turn.refreshes.repeated, turn.counts[0]);
    println!(
        "snaps reported: {}; one second later: {repeated} of {refreshes} refreshes repeated, {off} steps off; reported \
         missed in all: {}; animation error, largest: {} ms",
        turn.report["snaps"], turn.report["missed_vsyncs"], turn.report["metrics"]["AnimationError"]["max"]
    );
    let on_target = on_target_again(&log);
    println!(
        "refreshes from the first frame after that to the first of {IN_A_ROW} in a row that were displayed when they were meant \
         to be: {}",
        on_target.map_or("unknown, or never".into(), |n| n.to_string())
    );
    json!({ "snaps": turn.report["snaps"], "repeated": repeated, "of": refreshes, "on_target_after": on_target })
}

/// So many frames that are displayed when they are meant to be are no chance.
const IN_A_ROW: usize = 16;

/// How many refreshes after the longest gap between two frames such a row begins. `None`: never, or nothing is known.
fn on_target_again(log: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(log).ok()?;
    let log: Value = serde_json::from_str(&text).ok()?;
    let ns = |frame: &Value, what: &str| frame[what].as_i64();
    let shown: Vec<&Value> = log["frames"].as_array()?.iter().filter(|f| f["presented"].is_i64()).collect();
    let gap = |i: &usize| ns(shown[*i], "presented").zip(ns(shown[i - 1], "presented")).map(|(b, a)| b - a);
    let first = (1..shown.len()).max_by_key(gap)?;
    let refresh = REFRESH.as_nanos() as i64;
    let meant = |frame: &&Value| {
        let off = ns(frame, "presented").zip(ns(frame, "target")).map(|(shown, target)| shown - target);
        off.is_some_and(|off| off.abs() < refresh / 2)
    };
    let after = &shown[first..];
    let start = after.windows(IN_A_ROW).position(|row| row.iter().all(meant))?;
    let since = ns(after[start], "presented")? - ns(after[0], "presented")?;
    Some((since as f64 / refresh as f64).round() as u64)
}
