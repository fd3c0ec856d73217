//! CPU time of a process, to see that an idle window is idle.

use std::fs;
use std::time::{Duration, Instant};

use super::pause;

/// Kernel ticks per second in /proc: 100 on every Linux platform that Rust supports (USER_HZ).
const TICKS_PER_SECOND: f64 = 100.0;

/// User and system time that `pid` has used, all threads, in steps of 10 ms. `None` once it has ended.
pub fn used(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may contain anything; the fields after it are plain. utime is field 14, stime 15.
    let after = stat.rsplit_once(')')?.1;
    let mut fields = after.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(Duration::from_secs_f64((user + system) / TICKS_PER_SECOND))
}

/// The share of one CPU that `pid` uses during the next `span` (1.0: one CPU whole).
pub fn share_during(pid: u32, span: Duration) -> Option<f64> {
    let (start, before) = (Instant::now(), used(pid)?);
    pause(span);
    Some(used(pid)?.saturating_sub(before).as_secs_f64() / start.elapsed().as_secs_f64())
}
