//! What a window costs that nobody sees, and what becomes of a program that is stopped for a while.

use std::ffi::OsString;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::animate::animate_turn;
use crate::common::Used;
use crate::contender::{Contender, END_LIMIT};
use crate::nested::{Nested, SETTLE};
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
    json!({ "snaps": turn.report["snaps"], "repeated": repeated, "of": refreshes })
}
