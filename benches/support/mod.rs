//! What the benches that look at screens have in common: programs to start, figures, and an observer.

#![allow(dead_code, unused_imports, reason = "each bench uses a part of this")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use scanout::observe::Process;

use crate::support::cpu;

mod beat;
mod cpus;
mod figures;
mod options;
mod refreshes;
mod ticks;
mod watch;
mod witness;

pub use beat::*;
pub use cpus::*;
pub use figures::*;
pub use options::*;
pub use refreshes::*;
pub use ticks::*;
pub use watch::*;
pub use witness::*;

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
/// The thread that starts processes never has such a priority, because they would inherit it. It stays on `cpu`, if one is
/// its own.
pub fn observe<T: Send>(level: u8, cpu: Option<usize>, watch: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let observer = scope.spawn(|| {
            if let Some(cpu) = cpu {
                stay_on(cpu);
            }
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
