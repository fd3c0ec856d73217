//! Witnesses of what the machine does to everybody: a thread on each CPU of those who are watched that has to run about every half
//! millisecond, at a priority above every other that takes part. When one of them comes late, no program's own doing has kept it from its CPU.
//!
//! Two things they cannot tell: stops that end before their next deadline, and a program that keeps a CPU inside the kernel
//! where the kernel cannot be interrupted, which looks like the machine's doing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use super::{Beat, STOPPED, Stop, Stops, figure, median, own_cpus, raise, stay_on};
use crate::support::pause;

/// What one can write down without asking for memory; a run that has more stands nearly all the time.
const MOST_STOPS: usize = 16_384;

/// What the witnesses saw during one turn.
pub struct Witnessed {
    pub stops: Stops,
    cpus: usize,
    level: u8,
    during: Duration,
    /// Share of its CPU that the dearest of them used.
    cost: f64,
    every: Duration,
}

/// What one of them has to say.
struct Testimony {
    stops: Vec<Stop>,
    cost: f64,
}

/// Runs `work` while a witness watches each CPU that the calling thread may use. Without real-time priority for all of them they
/// would be late like any other thread and mean nothing: then there is `None`.
pub fn witnessed<T>(level: u8, beat: &Beat, work: impl FnOnce() -> T) -> (T, Option<Witnessed>) {
    let enough = AtomicBool::new(false);
    let cpus = own_cpus();
    std::thread::scope(|scope| {
        // Also when `work` panics: the scope waits for its threads.
        let ends = EndsOnDrop(&enough);
        let (ready, is_ready) = mpsc::channel();
        let threads: Vec<_> = cpus
            .iter()
            .map(|&cpu| {
                let (enough, ready) = (&enough, ready.clone());
                scope.spawn(move || {
                    let granted = is_placed(cpu, level);
                    let _ = ready.send(granted);
                    // What is waited for below ends when nobody can send any more.
                    drop(ready);
                    granted.then(|| bear_witness(enough, beat))
                })
            })
            .collect();
        drop(ready);
        let all_granted = !cpus.is_empty() && is_ready.iter().all(|granted| granted);
        if !all_granted {
            enough.store(true, Ordering::Relaxed);
        }
        let began = Instant::now();
        let result = work();
        let during = began.elapsed();
        drop(ends);
        let said: Vec<Testimony> = threads.into_iter().filter_map(|t| t.join().expect("a witness")).collect();
        let witnessed = all_granted.then(|| Witnessed {
            cost: said.iter().map(|t| t.cost).fold(0.0, f64::max),
            stops: Stops::of(said.into_iter().flat_map(|t| t.stops)),
            cpus: cpus.len(),
            level,
            during,
            every: beat.every,
        });
        (result, witnessed)
    })
}

struct EndsOnDrop<'a>(&'a AtomicBool);

impl Drop for EndsOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Puts this thread onto one CPU, with the priority and the finest timers.
fn is_placed(cpu: usize, level: u8) -> bool {
    // Real-time threads have the finest timers anyway on newer kernels.
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
    stay_on(cpu) && raise(rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs(), level)
}

fn bear_witness(enough: &AtomicBool, beat: &Beat) -> Testimony {
    let mut stops: Vec<Stop> = Vec::with_capacity(MOST_STOPS);
    let (began, used) = (Instant::now(), used_by_thread());
    // It was running at `ran`, for certain.
    let (mut ran, mut due) = (began, began);
    while !enough.load(Ordering::Relaxed) {
        due = beat.next(due);
        pause(due.saturating_duration_since(ran));
        let now = Instant::now();
        if now.saturating_duration_since(due) > STOPPED {
            if stops.len() < MOST_STOPS {
                stops.push((ran, now));
            } else if let Some(last) = stops.last_mut() {
                // Nobody knows any more what happens from here on.
                last.1 = now;
            }
            due = now;
        }
        ran = now;
    }
    let cost = used_by_thread().saturating_sub(used).as_secs_f64() / began.elapsed().as_secs_f64();
    Testimony { stops, cost }
}

/// CPU time of the calling thread: what getrusage has of it, to the nanosecond.
fn used_by_thread() -> Duration {
    let t = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(t.tv_sec.unsigned_abs(), u32::try_from(t.tv_nsec).unwrap_or(0))
}

/// Says what the witnesses of several turns saw and cost; the same for a report.
#[allow(clippy::print_stdout, reason = "part of the table that a bench is for")]
pub fn print_witnesses<'a>(turns: impl Iterator<Item = Option<&'a Witnessed>>) -> Value {
    let all: Vec<_> = turns.collect();
    if all.is_empty() {
        println!("witnesses: no program was watched");
        return Value::Null;
    }
    let seen: Vec<&Witnessed> = all.iter().copied().flatten().collect();
    let (Some(one), true) = (seen.first(), seen.len() == all.len()) else {
        println!(
            "witnesses: no real-time priority for them, so that they mean nothing: nothing is left out by them"
        );
        return Value::Null;
    };
    let lengths: Vec<f64> =
        seen.iter().flat_map(|w| w.stops.lengths()).map(|stop| stop.as_secs_f64() * 1e3).collect();
    let (stood, longest) = (lengths.iter().sum::<f64>(), lengths.iter().copied().fold(0.0, f64::max));
    let during: f64 = seen.iter().map(|w| w.during.as_secs_f64()).sum();
    let cost = 100.0 * median(seen.iter().map(|w| w.cost));
    println!(
        "witnesses: {} CPU(s), priority {}, every {} us, {} % of a CPU for the dearest; the machine stood {} times in {during:.0} s, \
         at most {longest:.1} ms, {stood:.0} ms in all, counted from when a witness last ran: each is up to {} us too long",
        one.cpus,
        one.level,
        one.every.as_micros(),
        figure(cost, 2),
        lengths.len(),
        one.every.as_micros(),
    );
    json!({
        "cpus": one.cpus, "priority": one.level, "every_us": one.every.as_micros(), "late_us": STOPPED.as_micros(),
        "cpu_percent_each": cost, "stops": lengths.len(), "longest_ms": longest, "stood_ms": stood, "during_s": during,
    })
}
