//! One pixel that changes at a fixed rate, watched by a thread that sleeps where nothing is due.

use std::time::{Duration, Instant};

use scanout::observe::Screen;

use super::{Beat, Stop, Used, percentile, sorted};
use crate::support::pause;

/// When a pixel was seen to change.
pub struct Seen {
    pub at: Vec<Instant>,
    /// Changes that had happened before the observer began to look: seen late by an unknown time.
    pub blind: usize,
    /// Between two looks while a change was expected.
    pub gaps: Vec<Duration>,
    /// From one look to the next, where that took longer than [`STOPPED`] and should not have: nobody knows what was on the
    /// screen meanwhile.
    pub unobserved: Vec<Stop>,
    /// Share of a CPU that this process used meanwhile.
    pub cpu: f64,
}

/// How long before the next expected change the observer begins to look without sleeping.
const AHEAD: Duration = Duration::from_millis(1);
/// How long after it the observer goes on so, before it sleeps between looks.
const OVERDUE: Duration = Duration::from_millis(2);
/// Looks further apart than this mean that the observer itself was stopped, at whatever priority: what it saw next is the
/// machine's doing, not the program's.
pub const STOPPED: Duration = Duration::from_micros(250);
/// Between two looks at other times.
const NAP: Duration = Duration::from_micros(50);
/// Changes from which the phase is taken.
const LEARN: usize = 60;

/// Watches one pixel that changes every `period` for `span`, after learning when in the period it changes. Sleeps while
/// no change is due, so that the CPU is left to who is being watched. The witnesses' `beat` keeps away from the changes.
pub fn watch_ticks(
    screen: &Screen,
    (x, y): (u32, u32),
    period: Duration,
    span: Duration,
    beat: &Beat,
) -> Seen {
    let mut seen = Seen { at: Vec::new(), blind: 0, gaps: Vec::new(), unobserved: Vec::new(), cpu: 0.0 };
    let mut last = screen.pixel(x, y);
    let start = Instant::now();
    let mut learnt = Vec::new();
    while learnt.len() < LEARN && start.elapsed() < span {
        let now = screen.pixel(x, y);
        if now != last {
            learnt.push((Instant::now() - start).as_secs_f64());
            last = now;
        }
        pause(NAP);
    }
    let period_s = period.as_secs_f64();
    let anchor = learnt.first().copied().unwrap_or(0.0);
    let off = |t: &f64| (t - anchor) - ((t - anchor) / period_s).round() * period_s;
    // Early among them, not the middle: lateness has a long tail, and nothing may come before the first look.
    let phase = percentile(&sorted(learnt.iter().map(off)), 0.1) + anchor;
    let grid = |n: f64| start + Duration::from_secs_f64((phase + n * period_s).max(0.0));
    beat.keep_away_from(grid(0.0));
    let slot = |at: Instant| ((at - start).as_secs_f64() - phase) / period_s;

    let used = Used::since_now(std::process::id());
    let end = Instant::now() + span;
    let mut n = slot(Instant::now()).ceil() + 1.0;
    pause((grid(n) - AHEAD).saturating_duration_since(Instant::now()));
    last = screen.pixel(x, y);
    let mut looked = Instant::now();
    while Instant::now() < end {
        let due = grid(n);
        let wake = due - AHEAD;
        pause(wake.saturating_duration_since(Instant::now()));
        let (mut slept, mut first) = (true, true);
        loop {
            let now = screen.pixel(x, y);
            let at = Instant::now();
            if !slept {
                seen.gaps.push(at - looked);
            }
            // It sleeps on purpose until shortly before the change is due; a change that came meanwhile is not timed.
            let blind = if first && now == last { wake.max(looked) } else { looked };
            if at.saturating_duration_since(blind) > STOPPED {
                seen.unobserved.push((blind, at));
            }
            looked = at;
            if now != last {
                last = now;
                seen.at.push(at);
                seen.blind += usize::from(first);
                // One that was there at the first look may be the one before, come very late: its successor is still due.
                n = (slot(at).floor() + 1.0).max(if first { n } else { n + 1.0 });
                break;
            }
            if at > end {
                break;
            }
            slept = at > due + OVERDUE;
            first = false;
            if slept {
                pause(NAP);
            }
            std::hint::spin_loop();
        }
    }
    seen.cpu = used.share();
    seen
}
