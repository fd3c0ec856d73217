//! What the process costs the machine: CPU time and wake-ups between two looks.

use std::time::Duration;

use scanout::time::{Clock as _, MonotonicClock, Timestamp};

/// What the whole process, with its driver's threads, has used so far; `None` where the system does not tell.
#[derive(Copy, Clone, Debug)]
pub struct Usage {
    at: Timestamp,
    used: Option<Used>,
}

#[derive(Copy, Clone, Debug)]
struct Used {
    /// User and system time of all threads.
    cpu: Duration,
    /// How often a thread gave up its CPU to wait: each is woken once more.
    waits: u64,
}

/// What a run cost. `None` for what could not be measured.
#[derive(Copy, Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Cost {
    /// User and system time per time passed: 1 is one CPU core busy all the time.
    pub cpu_share: Option<f64>,
    /// Time that the logic thread spun per time passed.
    pub spin_share: Option<f64>,
    /// Wake-ups of all threads per second (voluntary context switches).
    pub wakeups_per_s: Option<f64>,
}

impl Usage {
    /// What was used up to now.
    pub fn now() -> Self {
        Self { at: MonotonicClock.now(), used: used() }
    }

    /// The same without CPU time that is known to be no part of the run.
    pub fn without(mut self, cpu: Duration) -> Self {
        if let Some(used) = &mut self.used {
            used.cpu = used.cpu.saturating_sub(cpu);
        }
        self
    }

    /// What was used since `self`; `spun` is what is known of spinning in that time.
    pub fn since(&self, now: &Self, spun: Option<Duration>) -> Cost {
        let passed = now.at.saturating_since(self.at).as_secs_f64();
        if passed <= 0.0 {
            return Cost::default();
        }
        let both = self.used.zip(now.used);
        Cost {
            cpu_share: both.map(|(a, b)| b.cpu.saturating_sub(a.cpu).as_secs_f64() / passed),
            spin_share: spun.map(|spun| spun.as_secs_f64() / passed),
            wakeups_per_s: both.map(|(a, b)| b.waits.saturating_sub(a.waits) as f64 / passed),
        }
    }
}

#[cfg(unix)]
fn used() -> Option<Used> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeVal;

    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let span = |t: TimeVal| {
        let (seconds, micros) = (u64::try_from(t.tv_sec()).ok()?, u64::try_from(t.tv_usec()).ok()?);
        Some(Duration::from_secs(seconds) + Duration::from_micros(micros))
    };
    Some(Used {
        cpu: span(usage.user_time())? + span(usage.system_time())?,
        waits: u64::try_from(usage.voluntary_context_switches()).ok()?,
    })
}

#[cfg(not(unix))]
fn used() -> Option<Used> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_is_what_was_used_per_time_and_absent_where_unknown() {
        let look = |ms: u64, used| Usage { at: Timestamp::from_nanos(ms * 1_000_000), used };
        let used = |ms, waits| Some(Used { cpu: Duration::from_millis(ms), waits });
        let (a, b) = (look(1_000, used(300, 50)), look(3_000, used(1_300, 250)));
        let cost = a.since(&b, Some(Duration::from_millis(200)));
        assert_eq!(cost, Cost { cpu_share: Some(0.5), spin_share: Some(0.1), wakeups_per_s: Some(100.0) });
        assert_eq!(a.since(&look(3_000, None), None), Cost::default());
        assert_eq!(a.since(&a, Some(Duration::ZERO)), Cost::default(), "no time, no share");
    }

    #[cfg(unix)]
    #[test]
    fn spinning_and_sleeping_show_as_what_they_are() {
        let start = Usage::now();
        // Other tests run beside this one, so only lower bounds hold.
        while Usage::now()
            .used
            .zip(start.used)
            .is_some_and(|(b, a)| b.cpu - a.cpu < Duration::from_millis(20))
        {}
        let spun = start.since(&Usage::now(), None);
        assert!(spun.cpu_share.is_some_and(|share| share > 0.0), "{spun:?}");
        let before = Usage::now();
        for _ in 0..20 {
            scanout::display::sleep::until(MonotonicClock.now() + Duration::from_millis(1));
        }
        let waits = |usage: &Usage| usage.used.expect("Unix tells").waits;
        assert!(waits(&Usage::now()) >= waits(&before) + 20);
    }
}
