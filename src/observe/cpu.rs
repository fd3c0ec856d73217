//! CPU time: of a process, of a process with all that it started, of the whole machine (proc(5)).

use std::fs;
use std::time::Duration;

use super::pause;
use crate::proc_stat::ProcStat;
use crate::time::{Clock as _, MonotonicClock};

/// Kernel ticks per second in /proc: 100 on every Linux platform that Rust supports (USER_HZ).
const TICKS_PER_SECOND: f64 = 100.0;

fn span(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / TICKS_PER_SECOND)
}

/// User and system time that `pid` has used, all threads, in steps of 10 ms. `None` once it has ended.
#[must_use]
pub fn used(pid: u32) -> Option<Duration> {
    ProcStat::of(&pid.to_string()).map(|stat| span(stat.ticks))
}

/// The same of all processes of a group that live now; those that have ended are not counted. `None` when there are none.
/// Reads a file per process of the machine: some milliseconds.
#[must_use]
pub fn used_by_group(group: u32) -> Option<Duration> {
    let all = processes().filter_map(|pid| ProcStat::of(&pid)).filter(|stat| stat.group == group);
    all.map(|stat| stat.ticks).reduce(|a, b| a + b).map(span)
}

/// The process group of `pid`: that of the [`Process`](super::Process) that started it, unless it chose another.
#[must_use]
pub fn group_of(pid: u32) -> Option<u32> {
    ProcStat::of(&pid.to_string()).map(|stat| stat.group)
}

fn processes() -> impl Iterator<Item = String> {
    let names = fs::read_dir("/proc").into_iter().flatten().flatten();
    names
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|b| b.is_ascii_digit()))
}

/// The share of one CPU that `pid` uses during the next `span` (1.0: one CPU whole).
#[must_use]
pub fn share_during(pid: u32, span: Duration) -> Option<f64> {
    let (start, before) = (MonotonicClock.now(), used(pid)?);
    pause(span);
    let passed = MonotonicClock.now().saturating_since(start).as_secs_f64();
    Some(used(pid)?.saturating_sub(before).as_secs_f64() / passed)
}

/// What all CPUs of the machine have done since it was started.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Machine {
    /// Time in which something ran.
    pub busy: Duration,
    /// Time that a hypervisor took away (`steal`): part of neither.
    pub stolen: Duration,
}

/// Reads /proc/stat; `None` where it says something else than expected.
#[must_use]
pub fn machine() -> Option<Machine> {
    parse_machine(&fs::read_to_string("/proc/stat").ok()?)
}

fn parse_machine(text: &str) -> Option<Machine> {
    let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let fields: Vec<u64> = line.split_whitespace().map_while(|field| field.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal; guest time is in user already.
    let [user, nice, system, _, _, irq, softirq, steal, ..] = fields[..] else { return None };
    Some(Machine { busy: span(user + nice + system + irq + softirq), stolen: span(steal) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_a_hundredth_of_a_second() {
        assert_eq!(span(100), Duration::from_secs(1));
    }

    #[test]
    fn time_of_the_machine_leaves_idle_and_stolen_time_out() {
        let text = "cpu  100 20 30 4000 50 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
        let machine = parse_machine(text).unwrap();
        assert_eq!(machine, Machine { busy: span(163), stolen: span(8) });
        assert_eq!(parse_machine("cpu  1 2 3"), None);
    }

    #[test]
    fn a_process_belongs_to_its_group() {
        let me = std::process::id();
        let group = group_of(me).unwrap();
        assert!(used_by_group(group).unwrap() + Duration::from_millis(50) >= used(me).unwrap());
    }
}
