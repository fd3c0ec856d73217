//! Who has which CPU.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The CPUs of this process, divided: one for the observer, the others for what is watched and its servers.
///
/// An observer that looks without sleeping takes the CPU it is on from whoever else is there, just when a change is due:
/// free to move, or on one CPU with the programs free to be on it, it made a tick thread's deviation read 0.5 to 1.1 ms
/// that is 0.15 to 0.19. On machines with one CPU, and where the system does not let CPUs be chosen, nothing is divided.
pub struct Cpus {
    all: CpuSet,
    others: CpuSet,
    observers: Option<usize>,
}

impl Cpus {
    /// Divides those that the calling thread may use: it leaves the observer's alone from here on, and so does all that it
    /// starts.
    pub fn divided() -> Self {
        let all = sched_getaffinity(None).unwrap_or_default();
        let mut others = all;
        let last = indices(&all).last().copied().filter(|_| all.count() > 1);
        if let Some(cpu) = last {
            others.unset(cpu);
        }
        let observers = last.filter(|_| sched_setaffinity(None, &others).is_ok());
        Self { all, others, observers }
    }

    /// What `start` starts may use every CPU.
    pub fn on_all<T>(&self, start: impl FnOnce() -> T) -> T {
        if self.observers.is_none() {
            return start();
        }
        let set = |cpus| sched_setaffinity(None, cpus).expect("CPUs that it had before");
        set(&self.all);
        let started = start();
        set(&self.others);
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
            None => "the programs, the server and the observer share their CPUs".into(),
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
