use std::num::NonZeroU32;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::thread::Thread;
use std::time::Duration;

use super::spec::{LoadSpec, Spike};

/// The load that is wanted now, and what came of it. Everybody reads it without a lock; each value stands for itself, so
/// that no order between them is needed.
#[derive(Debug, Default)]
pub struct Levels {
    busy: AtomicU32,
    memory_mib: AtomicU32,
    gpu_us: AtomicU32,
    spike_us: AtomicU32,
    spike_every: AtomicU32,
    pub(super) ended: AtomicBool,
    /// Woken when threads have to be started or ended.
    pub(super) keeper: OnceLock<Thread>,
    /// CPU time of all load threads, in nanoseconds.
    pub(super) cpu: AtomicU64,
    /// Busy threads that run.
    pub(super) running: AtomicU32,
    /// MiB that are really held.
    pub(super) held_mib: AtomicU32,
    gpu_measured_us: AtomicU32,
    gpu_by: AtomicU32,
}

/// What the extra GPU work of a frame takes, and who says so.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum GpuMeasured {
    /// Nothing was drawn yet.
    Not,
    /// Estimated from draws before the first frame that were waited for.
    Estimated(Duration),
    /// The mean over the last frames by the GPU's own time stamps.
    Timed(Duration),
}

impl Levels {
    pub fn new(spec: LoadSpec) -> Self {
        let levels = Self::default();
        levels.set(spec);
        levels
    }

    /// From now on this load. No lock; one system call when threads have to start or end.
    pub fn set(&self, spec: LoadSpec) {
        let us = |span: Duration| u32::try_from(span.as_micros()).unwrap_or(u32::MAX);
        self.gpu_us.store(us(spec.gpu), Relaxed);
        self.spike_us.store(spec.spike.map_or(0, |spike| us(spike.burns)), Relaxed);
        if let Some(spike) = spec.spike {
            self.spike_every.store(spike.every.get(), Relaxed);
        }
        let before = (self.busy.swap(spec.busy, Relaxed), self.memory_mib.swap(spec.memory_mib, Relaxed));
        if before != (spec.busy, spec.memory_mib)
            && let Some(keeper) = self.keeper.get()
        {
            keeper.unpark();
        }
    }

    /// The load in force.
    pub fn spec(&self) -> LoadSpec {
        LoadSpec { busy: self.busy(), memory_mib: self.memory_mib(), gpu: self.gpu(), spike: self.spike() }
    }

    pub fn busy(&self) -> u32 {
        self.busy.load(Relaxed)
    }

    pub fn memory_mib(&self) -> u32 {
        self.memory_mib.load(Relaxed)
    }

    pub fn gpu(&self) -> Duration {
        Duration::from_micros(self.gpu_us.load(Relaxed).into())
    }

    pub fn spike(&self) -> Option<Spike> {
        let burns = Duration::from_micros(self.spike_us.load(Relaxed).into());
        let every = NonZeroU32::new(self.spike_every.load(Relaxed))?;
        (!burns.is_zero()).then_some(Spike { burns, every })
    }

    /// CPU time that the load's own threads have used: busy ones and the one that touches memory.
    pub fn cpu(&self) -> Duration {
        Duration::from_nanos(self.cpu.load(Relaxed))
    }

    pub(super) fn gpu_takes(&self, measured: GpuMeasured) {
        let us = |span: Duration| u32::try_from(span.as_micros()).unwrap_or(u32::MAX);
        let (by, took) = match measured {
            GpuMeasured::Not => (0, 0),
            GpuMeasured::Estimated(took) => (1, us(took)),
            GpuMeasured::Timed(took) => (2, us(took)),
        };
        self.gpu_measured_us.store(took, Relaxed);
        self.gpu_by.store(by, Relaxed);
    }

    pub fn gpu_measured(&self) -> GpuMeasured {
        let took = Duration::from_micros(self.gpu_measured_us.load(Relaxed).into());
        match self.gpu_by.load(Relaxed) {
            0 => GpuMeasured::Not,
            1 => GpuMeasured::Estimated(took),
            _ => GpuMeasured::Timed(took),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_that_is_set_is_the_load_in_force() {
        let levels = Levels::default();
        for text in ["", "busy=3,memory=64,gpu=1.5,spike=2/7", "spike=0.5/1", ""] {
            let spec: LoadSpec = text.parse().unwrap();
            levels.set(spec);
            assert_eq!(levels.spec(), spec, "{text}");
        }
    }
}
