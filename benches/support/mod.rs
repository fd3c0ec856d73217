//! What the benches that look at screens have in common: programs to start, figures, and an observer.

#![allow(dead_code, reason = "each bench uses a part of this")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use scanout::observe::{Process, Screen};

use crate::support::{cpu, pause};

/// Given as the only argument, a bench is a process that uses one CPU until it is ended.
pub const BUSY: &str = "--busy";

/// A process that is busy ends by itself after this, whatever became of who started it.
const BUSY_LIMIT: Duration = Duration::from_secs(120);

/// Uses one CPU for a limited time; nothing at all where it would do so at a real-time priority, which would stop the
/// rest of the machine.
pub fn be_busy() {
    if !is_normal() {
        return;
    }
    let end = Instant::now() + BUSY_LIMIT;
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

/// Whether this process is scheduled as any other (proc(5): field 41 of stat, 39 after the name).
fn is_normal() -> bool {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    stat.rsplit_once(')').and_then(|(_, after)| after.split_whitespace().nth(38)) == Some("0")
}

/// Processes that are always ready to run.
pub struct Burden {
    _processes: Vec<Process>,
}

impl Burden {
    pub fn of(processes: usize) -> Self {
        let me = std::env::current_exe().expect("a path to this program");
        let start = |_| {
            Process::start(&me, "", |command| {
                command.arg(BUSY);
            })
            .unwrap_or_else(|e| panic!("{e}"))
        };
        Self { _processes: (0..processes).map(start).collect() }
    }
}

/// Gives a process or a thread a real-time priority. Whether the system granted it.
pub fn raise(id: u32, level: u8) -> bool {
    let mut chrt = Command::new("chrt");
    // What the process or thread starts in its turn has no such priority.
    chrt.args(["--reset-on-fork", "--fifo", "--pid", &level.to_string(), &id.to_string()]);
    chrt.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs `watch` on a thread of its own with a real-time priority and the finest timers, where the system grants them.
/// The thread that starts processes never has such a priority, because they would inherit it.
pub fn observe<T: Send>(level: u8, watch: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let observer = scope.spawn(|| {
            // Without either it only sees less well, which the figures of the observer show.
            let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
            raise(rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs(), level);
            watch()
        });
        observer.join().expect("an observer")
    })
}

/// The `scanout` binary that was built with this bench.
pub fn scanout_binary() -> Result<OsString, String> {
    // Cargo names the path even where the binary is not built.
    let path = std::env::var_os("SCANOUT_TEST_BINARY").or_else(|| {
        option_env!("CARGO_BIN_EXE_scanout").filter(|_| cfg!(feature = "app")).map(OsString::from)
    });
    path.filter(|p| Path::new(p).exists()).ok_or_else(|| "built without the feature `app`".into())
}

/// Builds examples with the features that this bench was built with; the folder where they lie.
pub fn build_examples(names: &[&str]) -> Result<PathBuf, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([
        "build",
        "--quiet",
        "--release",
        "--manifest-path",
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
    ]);
    if !cfg!(feature = "app") {
        cargo.args(["--no-default-features", "--features", "window"]);
    }
    cargo.args(names.iter().flat_map(|n| ["--example", n]));
    let status = cargo.status().map_err(|e| format!("cargo: {e}"))?;
    if !status.success() {
        return Err("it does not build".into());
    }
    // <target>/release/deps/<bench>-<hash>
    let here = std::env::current_exe().map_err(|e| e.to_string())?;
    here.ancestors().nth(2).map(|p| p.join("examples")).ok_or_else(|| "no target folder".into())
}

pub fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut v: Vec<f64> = values.collect();
    v.sort_by(f64::total_cmp);
    v
}

/// Nearest rank; NaN for no values.
pub fn percentile(sorted: &[f64], p: f64) -> f64 {
    scanout::stats::quantile::of_sorted(sorted, p).unwrap_or(f64::NAN)
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    percentile(&sorted(values), 0.5)
}

/// Standard deviation about the mean; NaN for no values.
pub fn deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt()
}

pub fn load() -> String {
    std::fs::read_to_string("/proc/loadavg")
        .unwrap_or_default()
        .split(' ')
        .take(3)
        .collect::<Vec<_>>()
        .join(" ")
}

pub fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|l| l.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown CPU", |m| m.1);
    let cpus = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!("{cpus} x {model}, load {}", load())
}

#[allow(clippy::print_stderr, reason = "progress is not part of the result")]
pub fn eprint_progress(round: usize, of: usize) {
    eprintln!("round {round} of {of}");
}

/// CPU time used since some moment.
pub struct Used {
    pid: u32,
    at: Instant,
    before: Option<Duration>,
}

impl Used {
    pub fn since_now(pid: u32) -> Self {
        Self { pid, at: Instant::now(), before: cpu::used(pid) }
    }

    /// The share of one CPU; NaN when the process has ended.
    pub fn share(&self) -> f64 {
        let passed = self.at.elapsed().as_secs_f64();
        let both = self.before.zip(cpu::used(self.pid));
        both.map_or(f64::NAN, |(a, b)| b.saturating_sub(a).as_secs_f64() / passed)
    }
}

/// When a pixel was seen to change.
pub struct Seen {
    pub at: Vec<Instant>,
    /// Changes that had happened before the observer began to look: seen late by an unknown time.
    pub blind: usize,
    /// Between two looks while a change was expected.
    pub gaps: Vec<Duration>,
    /// From one look to the next, where that took longer than [`STOPPED`] and should not have: nobody knows what was on the
    /// screen meanwhile.
    pub unobserved: Vec<(Instant, Instant)>,
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
/// no change is due, so that the CPU is left to who is being watched.
pub fn watch_ticks(screen: &Screen, (x, y): (u32, u32), period: Duration, span: Duration) -> Seen {
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

/// What a series of changes says about ticks of one period.
#[derive(Copy, Clone, Debug, Default)]
pub struct Ticks {
    /// Standard deviation of the interval, in ms.
    pub sd: f64,
    /// The median of what an interval is off the period by, in ms.
    pub middle: f64,
    /// The interval furthest from the period, in ms.
    pub worst: f64,
    /// Periods without a change.
    pub missed: usize,
    /// Periods in all.
    pub of: usize,
    /// Intervals that are left out of all of these, because the observer was stopped in them.
    pub unobserved: usize,
}

/// A change belongs to its tick if it comes no more than this before the earliest of them in phase.
const EARLY: f64 = 0.3e-3;

impl Ticks {
    pub fn of(seen: &Seen, period: Duration) -> Self {
        let Some(&first) = seen.at.first() else {
            return Self { sd: f64::NAN, worst: f64::NAN, ..Self::default() };
        };
        let period = period.as_secs_f64();
        let t: Vec<f64> = seen.at.iter().map(|at| (*at - first).as_secs_f64()).collect();
        let residuals = sorted(t.iter().map(|t| t - (t / period).round() * period));
        let base = percentile(&residuals, 0.05) - EARLY;
        let slot = |t: f64| ((t - base) / period).floor() as i64;
        // What is seen at the end of a stop has happened at any time in it: the interval from there is not known either.
        let stopped = |w: &[Instant]| seen.unobserved.iter().any(|(from, to)| *from < w[1] && w[0] <= *to);
        let (mut apart, mut missed, mut of) = (Vec::new(), 0, 0);
        for (_, t) in seen.at.windows(2).zip(t.windows(2)).filter(|(at, _)| !stopped(at)) {
            apart.push(t[1] - t[0]);
            let periods = usize::try_from(slot(t[1]) - slot(t[0])).unwrap_or(0);
            of += periods;
            missed += periods.saturating_sub(1);
        }
        Self {
            sd: deviation(&apart) * 1e3,
            middle: median(apart.iter().map(|d| (d - period).abs())) * 1e3,
            worst: apart.iter().map(|d| (d - period).abs()).fold(0.0, f64::max) * 1e3,
            missed,
            of,
            unobserved: t.len() - 1 - apart.len(),
        }
    }
}
