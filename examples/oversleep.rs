//! How late sleeps end, and what it costs to end on time: 120 deadlines a second, slept for in several ways in turn,
//! many times round, so that all meet the same load.
//!
//! ```sh
//! cargo run --release --no-default-features --example oversleep [SECONDS_EACH]
//! ```
#![allow(clippy::print_stdout, reason = "an example that prints")]

use std::time::Duration;

use scanout::display::sleep::{self, Sleeper};
use scanout::time::{Clock, MonotonicClock, Timestamp};

const INTERVAL: Duration = Duration::from_nanos(8_333_333);
/// Deadlines of one way before the next has its turn: half a second.
const TURN: u32 = 60;

#[derive(Copy, Clone)]
enum Way {
    /// The tail is a constant.
    Fixed,
    Until,
    UntilOrWoken,
}

struct Row {
    name: &'static str,
    way: Way,
    finest: bool,
    sleeper: Sleeper,
    late: Vec<u64>,
    took: Duration,
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(5.0_f64);
    let turns = (seconds / (INTERVAL * TURN).as_secs_f64()).ceil().max(1.0) as usize;
    let row = |name, way, finest| Row {
        name,
        way,
        finest,
        sleeper: Sleeper::new(),
        late: Vec::new(),
        took: Duration::ZERO,
    };
    let mut rows = [
        row("fixed tail of 150 us", Way::Fixed, false),
        row("learnt tail, until", Way::Until, false),
        row("learnt tail, until", Way::Until, true),
        row("learnt tail, until_or_woken", Way::UntilOrWoken, false),
        row("learnt tail, until_or_woken", Way::UntilOrWoken, true),
    ];
    for _ in 0..turns {
        rows.iter_mut().for_each(turn);
    }
    println!("| sleep | timers | late, us: p50 / p95 / p99 / max | tail at the end, us | spun | wake-ups |");
    println!("|---|---|--:|--:|--:|--:|");
    for row in &mut rows {
        let late = &mut row.late;
        late.sort_unstable();
        let q = |q: f64| scanout::stats::quantile::of_sorted(late, q).expect("there were turns");
        let timers = if row.finest { "finest" } else { "default" };
        let cost = match row.way {
            Way::Fixed => "150 | - | -".to_owned(),
            Way::Until | Way::UntilOrWoken => {
                let s = &row.sleeper;
                let share = 100.0 * s.spun().as_secs_f64() / row.took.as_secs_f64();
                format!("{} | {share:.2} % | {}", s.tail().as_micros(), s.wakes())
            }
        };
        let (p50, p95, p99, max) = (q(0.5), q(0.95), q(0.99), q(1.0));
        println!("| {} | {timers} | {p50} / {p95} / {p99} / {max} | {cost} |", row.name);
    }
}

fn turn(row: &mut Row) {
    set_timers(row.finest);
    let began = MonotonicClock.now();
    for i in 1..=TURN {
        let at = began + INTERVAL * i;
        sleep_by(row.way, &mut row.sleeper, at);
        row.late.push(MonotonicClock.now().saturating_since(at).as_micros() as u64);
    }
    row.took += MonotonicClock.now().saturating_since(began);
}

fn sleep_by(way: Way, sleeper: &mut Sleeper, at: Timestamp) {
    match way {
        Way::Fixed => sleep::until(at),
        Way::Until => sleeper.until(at),
        Way::UntilOrWoken => while !sleeper.until_or_woken(at) {},
    }
}

#[cfg(target_os = "linux")]
fn set_timers(finest: bool) {
    // The kernel's usual slack is 50 us.
    let slack = std::num::NonZeroU64::new(if finest { 1 } else { 50_000 });
    let _ = rustix::thread::set_current_timer_slack(slack);
}

#[cfg(not(target_os = "linux"))]
fn set_timers(_finest: bool) {}
