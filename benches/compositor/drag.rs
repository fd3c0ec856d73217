//! The pointer moves at a constant speed: how old the position is at which the mark appears.

use std::time::{Duration, Instant};

use scanout::observe::Screen;
use serde_json::{Value, json};

use crate::common::{Beat, Refreshes, Used, figure, observe, percentile, witnessed};
use crate::contender::{Contender, Turn, end};
use crate::nested::{NAP, Nested, OBSERVER_LEVEL, OUTPUT, REFRESH, WITNESS_LEVEL};
use crate::options::Options;
use crate::print::print_latency;
use crate::support::app::App;
use crate::support::pause;
use crate::support::rng::Rng;

/// The pointer goes to and fro between these, in pixels, at so many per second.
const WAY: (f64, f64) = (100.0, 1_180.0);
const POINTER_SPEED: f64 = 1_000.0;
/// So near to where it turns, a position may be from before or after.
const TURN: f64 = 130.0;
const POINTER_EVERY: Duration = Duration::from_millis(1);
/// Below the row that is read: a drawn pointer would be taken for the mark.
const POINTER_Y: u32 = 600;
const MARK: u32 = 16;

/// The middle of the mark.
fn mark(screen: &Screen, near: u32) -> Option<u32> {
    let bright = |x: u32| screen.pixel(x, 100) & 0xff > 0x80;
    let find = |range: std::ops::Range<u32>| range.step_by(8).find(|&x| bright(x));
    let hit = find(near.saturating_sub(100)..(near + 100).min(OUTPUT.0)).or_else(|| find(0..OUTPUT.0))?;
    let left = (hit.saturating_sub(MARK)..=hit).find(|&x| bright(x))?;
    Some(left + MARK / 2)
}

pub fn drag_turn(app: App, nested: &mut Nested, _: &mut Rng, options: &Options) -> Turn {
    let used = Used::since_now(app.id());
    let (screen, user) = (&nested.server.screen, &nested.user);
    let watch = || {
        let span = WAY.1 - WAY.0;
        let start = Instant::now();
        // When each position was injected last.
        let mut injected = vec![None; OUTPUT.0 as usize];
        let (mut due, mut last, mut lags) = (start, mark(screen, 0), Vec::new());
        // When the mark moved, far from where it turns; `None` near there.
        let mut moved = Vec::new();
        while start.elapsed() < options.span() {
            let now = Instant::now();
            let gone = (now - start).as_secs_f64() * POINTER_SPEED;
            let there = gone % (2.0 * span);
            let x = WAY.0 + if there < span { there } else { 2.0 * span - there };
            if now >= due {
                let x = x.round() as u32;
                user.point(x, POINTER_Y);
                injected[x as usize] = Some(now);
                due = now.max(due + POINTER_EVERY);
            }
            let seen = mark(screen, x as u32);
            if seen != last {
                last = seen;
                let at = Instant::now();
                let clear = (WAY.0 + TURN..WAY.1 - TURN).contains(&x) && gone > 2.0 * TURN;
                moved.push(clear.then_some(at));
                let from = seen.and_then(|x| injected.get(x as usize).copied().flatten());
                if let (true, Some(from)) = (clear, from) {
                    lags.push((from, at));
                }
            }
            pause(NAP);
        }
        (lags, moved)
    };
    let ((lags, moved), witnessed) =
        witnessed(WITNESS_LEVEL, &Beat::default(), || observe(OBSERVER_LEVEL, None, watch));
    let cpu = used.share();
    let stops = witnessed.as_ref().map(|w| &w.stops);
    let pairs = moved.windows(2).filter_map(|pair| pair[0].zip(pair[1]));
    let refreshes = Refreshes::between(pairs, REFRESH, stops);
    let ms = |(from, at): &(Instant, Instant)| (*at - *from).as_secs_f64() * 1e3;
    let undisturbed =
        stops.map(|stops| lags.iter().filter(|(from, at)| !stops.between(*from, *at)).map(ms).collect());
    let values: Vec<f64> = lags.iter().map(ms).collect();
    let counts = [values.len(), 0, 0, 0];
    Turn { values, undisturbed, counts, refreshes, witnessed, cpu, report: end(app) }
}

pub fn print_drag(all: &[Contender]) -> Value {
    println!(
        "\nlag of a mark behind the pointer when it appears, 1,000 px/s, nested at 60 Hz, ms (P99 of each start)"
    );
    let mut out = print_latency(all, "frames", 0);
    println!(
        "without those whose way from the pointer to the screen the machine stood in; refreshes without a new mark:"
    );
    for c in all.iter().filter(|c| !c.turns.is_empty()) {
        let (values, kept, seen) = (c.all(), c.undisturbed(), c.refreshes());
        let p99 = kept.as_ref().map_or(f64::NAN, |kept| percentile(kept, 0.99));
        let left_out = kept.as_ref().map(|kept| values.len() - kept.len());
        let told = |n: Option<usize>| n.map_or("-".into(), |n| n.to_string());
        println!(
            "{:<18}p99 {}, without {} ms ({} of {} left out); repeated {} of {}, of them {} while the machine stood, as it did at {} \
             of all",
            c.name,
            figure(percentile(&values, 0.99), 2),
            figure(p99, 2),
            told(left_out),
            values.len(),
            seen.repeated,
            seen.of,
            told(seen.stood.map(|s| s.repeated)),
            told(seen.stood.map(|s| s.of)),
        );
        out[&c.name]["p99_undisturbed_ms"] = json!(p99);
        out[&c.name]["while_machine_stood"] = json!(left_out);
        out[&c.name]["refreshes"] = json!(seen.of);
        out[&c.name]["repeated"] = json!(seen.repeated);
        out[&c.name]["repeated_while_machine_stood"] = json!(seen.stood.map(|s| s.repeated));
        out[&c.name]["refreshes_while_machine_stood"] = json!(seen.stood.map(|s| s.of));
    }
    out
}
