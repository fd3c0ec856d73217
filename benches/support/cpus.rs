//! Who has which CPU.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The CPUs of this process, divided: one for the observer, the others for what is watched and its servers.
///
/// An observer that looks without sleeping takes the CPU it is on from whoever else is there, just when a change is due:
/// free to move, or on one CPU with the programs free to be on it, it made a tick thread's deviation read 0.5 to 1.2 ms
/// that is 0.15 ms. On machines with one CPU nothing is divided.
pub struct Cpus {
    all: CpuSet,
    others: CpuSet,
    observers: Option<usize>,
}

impl Cpus {
    /// Those that the calling thread may use.
    pub fn divided() -> Self {
        let all = sched_getaffinity(None).unwrap_or_default();
        let mut others = all;
        let observers = indices(&all).last().copied().filter(|_| all.count() > 1);
        if let Some(cpu) = observers {
            others.unset(cpu);
        }
        Self { all, others, observers }
    }

    /// The calling thread leaves the observer's CPU alone, and all that it starts from here on does.
    pub fn leave_the_observer_alone(&self) {
        let _ = sched_setaffinity(None, &self.others);
    }

    /// What `start` starts may use every CPU.
    pub fn on_all<T>(&self, start: impl FnOnce() -> T) -> T {
        let _ = sched_setaffinity(None, &self.all);
        let started = start();
        self.leave_the_observer_alone();
        started
    }

    /// The observer's own.
    pub const fn observers(&self) -> Option<usize> {
        self.observers
    }

    pub fn print(&self) -> String {
        match self.observers {
            Some(cpu) => format!(
                "the programs and the server on {} of {} CPUs, the observer on CPU {cpu}",
                self.others.count(),
                self.all.count()
            ),
            None => "the programs, the server and the observer share one CPU".into(),
        }
    }
}

/// Keeps the calling thread on one CPU. Whether the system did.
pub fn stay_on(cpu: usize) -> bool {
    let mut only = CpuSet::new();
    only.set(cpu);
    sched_setaffinity(None, &only).is_ok()
}

/// Those that the calling thread may use.
pub fn own_cpus() -> Vec<usize> {
    indices(&sched_getaffinity(None).unwrap_or_default())
}

fn indices(set: &CpuSet) -> Vec<usize> {
    (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect()
}
