//! How late threads wake: by a timer alone, and as frames are begun, with a short spin at the end.

use std::time::Duration;

use scanout::display::sleep::Sleeper;
use scanout::time::{Clock as _, MonotonicClock};

use super::line::{Group, Line, State};

/// The distance between deadlines: about that of frames on a fast display.
const EVERY: Duration = Duration::from_millis(4);
/// A timer later than this, in microseconds, once in a hundred times is felt as a late frame.
const LATE: f64 = 1_000.0;
/// The kernel's own slack for threads that ask for nothing, in nanoseconds.
const USUAL_SLACK: f64 = 50_000.0;

/// Quantiles of how late wake-ups were, in microseconds.
struct Lateness {
    p50: f64,
    p99: f64,
    max: f64,
    n: usize,
}

impl Lateness {
    fn of(mut wait: impl FnMut(scanout::time::Timestamp), n: usize) -> Self {
        let mut list: Vec<f64> = (0..n)
            .map(|_| {
                let at = MonotonicClock.now() + EVERY;
                wait(at);
                MonotonicClock.now().signed_since(at) as f64 / 1e3
            })
            .collect();
        list.sort_by(f64::total_cmp);
        let at = |q: f64| list[((list.len() - 1) as f64 * q).round() as usize];
        Self { p50: at(0.5), p99: at(0.99), max: at(1.0), n }
    }

    fn text(&self) -> String {
        format!(
            "late by p50 {:.0} us, p99 {:.0} us, max {:.0} us of {}",
            self.p50, self.p99, self.max, self.n
        )
    }

    fn figures(&self, line: Line) -> Line {
        line.figure("p50_us", self.p50)
            .figure("p99_us", self.p99)
            .figure("max_us", self.max)
            .figure("n", self.n as f64)
    }
}

pub fn lines(quick: bool, out: &mut Vec<Line>) {
    let n = if quick { 50 } else { 200 };
    let timer = Lateness::of(native, n);
    let line = |id, title, state, text: String| Line::new(Group::Timing, id, title, state, text);
    out.push(timer.figures(if timer.p99 > LATE {
        line("sleep", "sleep", State::Note, timer.text()).advise(
            "other programs keep the processors: close them, or ask for real-time priority (--realtime)",
        )
    } else {
        line("sleep", "sleep", State::Ok, timer.text())
    }));

    let mut sleeper = Sleeper::new();
    // The first ones teach it how early to wake.
    (0..10).for_each(|_| sleeper.until(MonotonicClock.now() + EVERY / 4));
    let spinning = Lateness::of(|at| sleeper.until(at), n);
    let text = format!("{}; it spins the last {:.0} us", spinning.text(), sleeper.tail().as_secs_f64() * 1e6);
    out.push(
        spinning
            .figures(if spinning.p99 > LATE {
                line("sleep_and_spin", "sleep + spin", State::Problem, text).advise(
                    "frames begin that late: other programs keep the processors; real-time priority (--realtime) helps",
                )
            } else {
                line("sleep_and_spin", "sleep + spin", State::Ok, text)
            })
            .figure("tail_us", sleeper.tail().as_secs_f64() * 1e6),
    );
    out.push(slack());
}

/// A sleep that does not spin.
#[allow(clippy::disallowed_methods, reason = "the system's own sleep is what is measured")]
fn native(at: scanout::time::Timestamp) {
    std::thread::sleep(at.saturating_since(MonotonicClock.now()));
}

fn slack() -> Line {
    let line = |state, text: String| Line::new(Group::Timing, "timer_slack", "timer slack", state, text);
    let told = std::fs::read_to_string("/proc/self/timerslack_ns").ok().and_then(|t| t.trim().parse().ok());
    let Some(nanos): Option<f64> = told else {
        return line(State::NotMeasured, "the system does not tell it".into());
    };
    let text = format!("{:.0} us: the kernel may wake a thread so much later to save power", nanos / 1e3);
    if nanos > USUAL_SLACK {
        line(State::Note, text)
            .advise("more than the usual 50 us: something (a service manager, nice tools) has raised it")
    } else {
        line(State::Ok, text)
    }
    .figure("slack_us", nanos / 1e3)
}
