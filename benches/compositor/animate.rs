//! A scene that moves in every frame: refreshes without a new frame, and steps of another length than the time they took.

use std::time::Instant;

use scanout::observe::Screen;
use serde_json::{Value, json};

use crate::common::{Beat, Refreshes, Stood, Used, median, observe, percentile, witnessed};
use crate::contender::{Contender, Turn, end};
use crate::nested::{NAP, Nested, OBSERVER_LEVEL, REFRESH, WITNESS_LEVEL};
use crate::options::Options;
use crate::print::{print_absent, print_pacers};
use crate::support::app::App;
use crate::support::pause;
use crate::support::rng::Rng;

/// Of the scene `bars`: the distance of two bars and their speed, in pixels.
const PITCH: i32 = 160;
const SPEED: f64 = 480.0;
/// A step is of another length than the time it took when it is off by more than this share of a refresh.
const OFF: f64 = 0.3;

/// Where the first bar begins, modulo the pitch.
fn bar(screen: &Screen) -> Option<i32> {
    let bright = |x: u32| screen.pixel(x, 360) & 0xff > 0x80;
    // The left edge of a bar: bright with dark before it.
    (1..PITCH as u32 + 1).find(|&x| bright(x) && !bright(x - 1)).map(|x| x as i32 % PITCH)
}

pub fn animate_turn(app: App, nested: &mut Nested, _: &mut Rng, options: &Options) -> Turn {
    let used = Used::since_now(app.id());
    let watch = || {
        let (screen, start) = (&nested.server.screen, Instant::now());
        let (mut last, mut seen) = (bar(screen), Vec::new());
        while start.elapsed() < options.span() {
            let now = bar(screen);
            if now != last {
                seen.push((Instant::now(), now));
                last = now;
            }
            pause(NAP);
        }
        seen
    };
    let (seen, witnessed) =
        witnessed(WITNESS_LEVEL, &Beat::default(), || observe(OBSERVER_LEVEL, None, watch));
    let cpu = used.share();
    let stops = witnessed.as_ref().map(|w| &w.stops);
    let pairs = seen.windows(2).map(|pair| (pair[0].0, pair[1].0));
    let refreshes = Refreshes::between(pairs, REFRESH, stops);
    let refresh = REFRESH.as_secs_f64();
    let (mut off, mut unread) = (0, 0);
    let mut apart = Vec::new();
    for pair in seen.windows(2) {
        let dt = (pair[1].0 - pair[0].0).as_secs_f64();
        apart.push(dt * 1e3);
        let k = (dt / refresh).round().max(0.0);
        let (Some(a), Some(b)) = (pair[0].1, pair[1].1) else {
            unread += 1;
            continue;
        };
        let moved = f64::from((b - a).rem_euclid(PITCH));
        let off_by = (moved - k * refresh * SPEED).abs() / (refresh * SPEED);
        off += usize::from(off_by > OFF);
    }
    let counts = [off, unread, 0, 0];
    Turn { values: apart, counts, refreshes, witnessed, cpu, report: end(app), undisturbed: None }
}

pub fn print_animate(all: &[Contender]) -> Value {
    println!(
        "\na scene that moves in every frame, nested at 60 Hz: as seen on the screen, and as scanout reports it (\"machine\": of \
         the repeated those at which the machine itself stood, \"stood\": of all refreshes)"
    );
    println!(
        "{:<18}{:>10}{:>10}{:>9}{:>7}{:>8}{:>10}{:>7} | {:>8}{:>8}{:>10}{:>12}{:>14}",
        "",
        "refreshes",
        "repeated",
        "machine",
        "stood",
        "off",
        "p99 apart",
        "CPU %",
        "missed",
        "dropped",
        "late",
        "display ms",
        "sample->disp"
    );
    let mut out = json!({});
    for c in all.iter().filter(|c| !c.turns.is_empty()) {
        let seen = c.refreshes();
        let told = |pick: fn(Stood) -> usize| seen.stood.map_or("-".into(), |s| pick(s).to_string());
        let sum = |pick: &dyn Fn(&Value) -> Option<u64>| {
            c.turns.iter().map(|t| pick(&t.report)).sum::<Option<u64>>().map_or("-".into(), |n| n.to_string())
        };
        let ms =
            |name: &str| median(c.turns.iter().filter_map(|t| t.report["metrics"][name]["p50"].as_f64()));
        println!(
            "{:<18}{:>10}{:>10}{:>9}{:>7}{:>8}{:>10.2}{:>7.1} | {:>8}{:>8}{:>10}{:>12.2}{:>14.2}",
            c.name,
            seen.of,
            seen.repeated,
            told(|stood| stood.repeated),
            told(|stood| stood.of),
            c.count(0),
            percentile(&c.all(), 0.99),
            c.cpu(),
            sum(&|r| r["missed_vsyncs"].as_u64()),
            sum(&|r| r["counters"]["dropped"].as_u64()),
            sum(&|r| r["deadline_misses"].as_u64()),
            ms("MsUntilDisplayed"),
            ms("SampleToPhoton"),
        );
        out[&c.name] = json!({
            "refreshes": seen.of, "repeated": seen.repeated, "repeated_while_machine_stood": seen.stood.map(|s| s.repeated),
            "refreshes_while_machine_stood": seen.stood.map(|s| s.of), "off": c.count(0), "cpu_percent": c.cpu(),
        });
    }
    print_absent(all);
    print_pacers(all);
    out
}
