use std::hint::black_box;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{Builder, JoinHandle};

use super::{Levels, Limits};

/// Steps of a busy thread between two looks at whether it is to end: some tens of microseconds.
const STEPS: u32 = 20_000;
/// Words between two that are touched: one in each cache line.
const STRIDE: usize = 8;
/// Words touched between two looks: 256 KiB of memory.
const CHUNK: usize = 32_768;
const WORDS_PER_MIB: usize = (1 << 20) / size_of::<u64>();

/// The threads of a load. They run at normal priority whatever the run's threads are given, and end with this.
#[derive(Debug)]
pub struct Generators {
    levels: Arc<Levels>,
    keeper: Option<JoinHandle<()>>,
}

impl Generators {
    /// Starts a thread that keeps as many others as `levels` wants; while those are none it sleeps. Call it before anybody
    /// asks for real-time priority: threads inherit it.
    pub fn start(levels: Arc<Levels>) -> io::Result<Self> {
        let shared = Arc::clone(&levels);
        let keeper = Builder::new().name("scanout-load".into()).spawn(move || keep(&shared))?;
        let _ = levels.keeper.set(keeper.thread().clone());
        // What was wanted before the thread could be woken.
        keeper.thread().unpark();
        Ok(Self { levels, keeper: Some(keeper) })
    }
}

impl Drop for Generators {
    fn drop(&mut self) {
        self.levels.ended.store(true, Relaxed);
        if let Some(keeper) = self.keeper.take() {
            keeper.thread().unpark();
            let _ = keeper.join();
        }
    }
}

/// A thread of the load; it ends when this is dropped.
struct Worker {
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    fn start(
        name: &str,
        levels: &Arc<Levels>,
        body: impl FnOnce(&Levels, &AtomicBool) + Send + 'static,
    ) -> io::Result<Self> {
        let end = Arc::new(AtomicBool::new(false));
        let (levels, ends) = (Arc::clone(levels), Arc::clone(&end));
        let thread = Builder::new().name(name.into()).spawn(move || {
            normal_priority();
            body(&levels, &ends);
        })?;
        Ok(Self { end, thread: Some(thread) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn keep(levels: &Arc<Levels>) {
    let mut busy: Vec<Worker> = Vec::new();
    let mut memory: Option<Worker> = None;
    while !levels.ended.load(Relaxed) {
        let wanted = levels.busy() as usize;
        // All are told before the first is waited for.
        busy.iter().skip(wanted).for_each(|worker| worker.end.store(true, Relaxed));
        busy.truncate(wanted);
        while busy.len() < wanted {
            match Worker::start("scanout-busy", levels, be_busy) {
                Ok(worker) => busy.push(worker),
                Err(e) => {
                    log::warn!("only {} of {wanted} busy threads run: {e}", busy.len());
                    break;
                }
            }
        }
        if levels.memory_mib() == 0 {
            memory = None;
        } else if memory.is_none() {
            memory = Worker::start("scanout-memory", levels, touch_memory)
                .inspect_err(|e| log::warn!("no memory is touched: {e}"))
                .ok();
        }
        std::thread::park();
    }
    busy.iter().for_each(|worker| worker.end.store(true, Relaxed));
}

fn be_busy(levels: &Levels, end: &AtomicBool) {
    let mut cpu = CpuTime::default();
    let mut value = 1_u64;
    levels.running.fetch_add(1, Relaxed);
    while !end.load(Relaxed) {
        for _ in 0..STEPS {
            value = black_box(value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
        cpu.tell(levels);
    }
    levels.running.fetch_sub(1, Relaxed);
}

fn touch_memory(levels: &Levels, end: &AtomicBool) {
    let mut cpu = CpuTime::default();
    let mut words: Vec<u64> = Vec::new();
    let mut refused = 0;
    while !end.load(Relaxed) {
        let wanted = levels.memory_mib();
        let held = (words.len() / WORDS_PER_MIB) as u32;
        if wanted != held && wanted != refused {
            // What is held counts as free: it is given back first.
            words = Vec::new();
            match allocate(wanted) {
                Ok(new) => (words, refused) = (new, 0),
                Err(why) => {
                    log::warn!("{why}; no memory is touched");
                    refused = wanted;
                }
            }
            levels.held_mib.store((words.len() / WORDS_PER_MIB) as u32, Relaxed);
        }
        if words.is_empty() {
            std::thread::park_timeout(std::time::Duration::from_millis(20));
        }
        for chunk in words.chunks_mut(CHUNK) {
            if end.load(Relaxed) || levels.memory_mib() != wanted {
                break;
            }
            chunk.iter_mut().step_by(STRIDE).for_each(|word| *word = black_box(word.wrapping_add(1)));
            cpu.tell(levels);
        }
    }
    levels.held_mib.store(0, Relaxed);
}

fn allocate(mib: u32) -> Result<Vec<u64>, String> {
    let spec = super::LoadSpec { memory_mib: mib, ..super::LoadSpec::default() };
    Limits::now().check(&spec)?;
    let words = mib as usize * WORDS_PER_MIB;
    let mut memory = Vec::new();
    memory.try_reserve_exact(words).map_err(|e| format!("{mib} MiB cannot be had: {e}"))?;
    memory.resize(words, 0);
    Ok(memory)
}

/// What a thread of the load has used of the CPU, so that it can be told apart from what the run used.
#[derive(Default)]
struct CpuTime(u64);

impl CpuTime {
    fn tell(&mut self, levels: &Levels) {
        #[cfg(unix)]
        {
            let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
            let nanos = time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned();
            levels.cpu.fetch_add(nanos.saturating_sub(self.0), Relaxed);
            self.0 = nanos;
        }
        #[cfg(not(unix))]
        let _ = (levels, self.0);
    }
}

/// Whoever started the program may have given it real-time priority; a thread that never rests must not have it.
fn normal_priority() {
    #[cfg(unix)]
    {
        use thread_priority::{
            NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
            thread_native_id, thread_schedule_policy,
        };
        if let Ok(ThreadSchedulePolicy::Realtime(_)) = thread_schedule_policy() {
            let other = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Other);
            let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scanout::display::sleep;
    use scanout::time::{Clock as _, MonotonicClock};
    use std::time::Duration;

    #[cfg(target_os = "linux")]
    #[track_caller]
    fn expect(what: &str, check: impl Fn() -> bool) {
        let end = MonotonicClock.now() + Duration::from_secs(20);
        while !check() {
            assert!(MonotonicClock.now() < end, "{what}");
            sleep::until(MonotonicClock.now() + Duration::from_millis(2));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn threads_follow_the_levels_and_end_with_their_owner() {
        let levels = Arc::new(Levels::new("busy=2,memory=3".parse().unwrap()));
        let generators = Generators::start(Arc::clone(&levels)).unwrap();
        expect("two busy threads", || levels.running.load(Relaxed) == 2);
        expect("3 MiB are held", || levels.held_mib.load(Relaxed) == 3);
        expect("their CPU time is told", || levels.cpu() > Duration::from_millis(1));
        levels.set("busy=1,memory=5".parse().unwrap());
        expect("one is left", || levels.running.load(Relaxed) == 1);
        expect("5 MiB are held", || levels.held_mib.load(Relaxed) == 5);
        levels.set("busy=3".parse().unwrap());
        expect("three busy threads", || levels.running.load(Relaxed) == 3);
        expect("no memory is held", || levels.held_mib.load(Relaxed) == 0);
        drop(generators);
        assert_eq!(levels.running.load(Relaxed), 0, "they ended with it");
    }
}
