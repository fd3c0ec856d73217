//! What the process costs the machine: CPU time and wake-ups between two looks.

use std::ops::AddAssign;
use std::time::Duration;

use scanout::time::{Clock as _, MonotonicClock, Timestamp};

/// What the whole process, with its driver's threads, has used so far; `None` where the system does not tell.
#[derive(Copy, Clone, Debug)]
pub struct Usage {
    at: Timestamp,
    used: Option<Used>,
}

/// CPU time and waits.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Used {
    /// User and system time of all threads.
    cpu: Duration,
    /// How often a thread gave up its CPU to wait: each is woken once more.
    waits: u64,
}

/// What was used between two looks; `None` where the system does not tell.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Spent {
    pub passed: Duration,
    pub used: Option<Used>,
}

impl Default for Spent {
    /// Nothing in no time.
    fn default() -> Self {
        Self { passed: Duration::ZERO, used: Some(Used::default()) }
    }
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        let both = self.used.zip(other.used);
        self.used = both.map(|(a, b)| Used { cpu: a.cpu + b.cpu, waits: a.waits + b.waits });
    }
}

impl Spent {
    /// The same without what was used in a part of the time.
    pub fn without(self, part: Self) -> Self {
        let both = self.used.zip(part.used);
        Self {
            passed: self.passed.saturating_sub(part.passed),
            used: both.map(|(a, b)| Used {
                cpu: a.cpu.saturating_sub(b.cpu),
                waits: a.waits.saturating_sub(b.waits),
            }),
        }
    }

    /// What that costs per time; `spun` is what is known of spinning in it.
    pub fn cost(&self, spun: Option<Duration>) -> Cost {
        let passed = self.passed.as_secs_f64();
        if passed <= 0.0 {
            return Cost::default();
        }
        Cost {
            cpu_share: self.used.map(|used| used.cpu.as_secs_f64() / passed),
            spin_share: spun.map(|spun| spun.as_secs_f64() / passed),
            wakeups_per_s: self.used.map(|used| used.waits as f64 / passed),
        }
    }
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

    /// What was used from this look to a later one.
    pub fn until(&self, later: &Self) -> Spent {
        let both = self.used.zip(later.used);
        Spent {
            passed: later.at.saturating_since(self.at),
            used: both.map(|(a, b)| Used {
                cpu: b.cpu.saturating_sub(a.cpu),
                waits: b.waits.saturating_sub(a.waits),
            }),
        }
    }

    /// A look as it would be at a time, for tests.
    #[cfg(test)]
    pub fn made_up(ms: u64, cpu_ms: u64, waits: u64) -> Self {
        let used = Used { cpu: Duration::from_millis(cpu_ms), waits };
        Self { at: Timestamp::from_nanos(ms * 1_000_000), used: Some(used) }
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
        let cost = a.until(&b).cost(Some(Duration::from_millis(200)));
        assert_eq!(cost, Cost { cpu_share: Some(0.5), spin_share: Some(0.1), wakeups_per_s: Some(100.0) });
        assert_eq!(a.until(&look(3_000, None)).cost(None), Cost::default());
        assert_eq!(a.until(&a).cost(Some(Duration::ZERO)), Cost::default(), "no time, no share");
        // Without a second of it in which 0.9 s of CPU were used, and 100 wake-ups.
        let part = look(0, used(0, 0)).until(&look(1_000, used(900, 100)));
        let rest = a.until(&b).without(part).cost(None);
        assert_eq!(rest.wakeups_per_s, Some(100.0));
        assert!(rest.cpu_share.is_some_and(|share| (share - 0.1).abs() < 1e-9), "{rest:?}");
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
        let spun = start.until(&Usage::now()).cost(None);
        assert!(spun.cpu_share.is_some_and(|share| share > 0.0), "{spun:?}");
        let before = Usage::now();
        for _ in 0..20 {
            scanout::display::sleep::until(MonotonicClock.now() + Duration::from_millis(1));
        }
        let waits = |usage: &Usage| usage.used.expect("Unix tells").waits;
        assert!(waits(&Usage::now()) >= waits(&before) + 20);
    }
}
