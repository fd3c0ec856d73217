//! The snapshot buffer with two and with three slots, beside the `triple_buffer` crate and a mutex.
//!
//! ```text
//! cargo bench --no-default-features --bench snapshot                 # times, then staleness; under a minute
//! cargo bench --no-default-features --bench snapshot -- staleness    # staleness only
//! valgrind --tool=callgrind <the bench binary> count ours3 publish 1000
//! ```
//!
//! Compare figures of one run with each other only. The mutex holds its lock while the snapshot is written or
//! read in place, since that is what it takes to read without a copy.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use criterion::Criterion;
use parking_lot::Mutex;
use scanout::sync::snapshot;
use scanout::time::{Clock, MonotonicClock};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// `WORDS * 8` bytes; word 0 is the index, word 1 the time of its publish in nanoseconds.
type Payload<const WORDS: usize> = [u64; WORDS];
const SMALL: usize = 64 / 8;
const LARGE: usize = 4096 / 8;

/// One way to hand snapshots from one thread to another.
trait Design<const WORDS: usize> {
    const NAME: &'static str;
    type Writer: Send;
    type Reader: Send;
    fn new() -> (Self::Writer, Self::Reader);
    /// What has to happen before `fill` runs, as a step of its own.
    fn begin(_writer: &mut Self::Writer) {}
    fn publish(writer: &mut Self::Writer, fill: impl FnOnce(&mut Payload<WORDS>));
    fn acquire<R>(reader: &mut Self::Reader, read: impl FnOnce(&Payload<WORDS>) -> R) -> R;
}

struct Ours<const N: usize>;

impl<const WORDS: usize, const N: usize> Design<WORDS> for Ours<N> {
    const NAME: &'static str = if N == 2 { "ours2" } else { "ours3" };
    type Writer = snapshot::Writer<Payload<WORDS>, N>;
    type Reader = snapshot::Reader<Payload<WORDS>, N>;

    fn new() -> (Self::Writer, Self::Reader) {
        snapshot::buffer(|_| [0; WORDS])
    }

    fn begin(writer: &mut Self::Writer) {
        // A write that is given up leaves its claim standing, as one that takes its time would.
        drop(writer.write());
    }

    #[inline]
    fn publish(writer: &mut Self::Writer, fill: impl FnOnce(&mut Payload<WORDS>)) {
        let mut slot = writer.write();
        fill(&mut slot);
        slot.publish();
    }

    #[inline]
    fn acquire<R>(reader: &mut Self::Reader, read: impl FnOnce(&Payload<WORDS>) -> R) -> R {
        read(reader.acquire().value)
    }
}

struct TripleBuffer;

impl<const WORDS: usize> Design<WORDS> for TripleBuffer {
    const NAME: &'static str = "triple_buffer";
    type Writer = triple_buffer::Input<Payload<WORDS>>;
    type Reader = triple_buffer::Output<Payload<WORDS>>;

    fn new() -> (Self::Writer, Self::Reader) {
        triple_buffer::triple_buffer(&[0; WORDS])
    }

    #[inline]
    fn publish(writer: &mut Self::Writer, fill: impl FnOnce(&mut Payload<WORDS>)) {
        fill(writer.input_buffer_mut());
        writer.publish();
    }

    #[inline]
    fn acquire<R>(reader: &mut Self::Reader, read: impl FnOnce(&Payload<WORDS>) -> R) -> R {
        read(reader.read())
    }
}

struct Locked;

impl<const WORDS: usize> Design<WORDS> for Locked {
    const NAME: &'static str = "mutex";
    type Writer = Arc<Mutex<Payload<WORDS>>>;
    type Reader = Arc<Mutex<Payload<WORDS>>>;

    fn new() -> (Self::Writer, Self::Reader) {
        let shared = Arc::new(Mutex::new([0; WORDS]));
        (Arc::clone(&shared), shared)
    }

    #[inline]
    fn publish(writer: &mut Self::Writer, fill: impl FnOnce(&mut Payload<WORDS>)) {
        fill(&mut writer.lock());
    }

    #[inline]
    fn acquire<R>(reader: &mut Self::Reader, read: impl FnOnce(&Payload<WORDS>) -> R) -> R {
        read(&reader.lock())
    }
}

fn fill<const WORDS: usize>(payload: &mut Payload<WORDS>, index: u64) {
    payload.fill(index);
}

fn sum<const WORDS: usize>(payload: &Payload<WORDS>) -> u64 {
    payload.iter().fold(0, |sum, word| sum ^ word)
}

/// Runs `$call::<design, words>($args)` for every design.
macro_rules! for_each_design {
    ($words:expr, $call:ident($($arg:expr),*)) => {
        $call::<Ours<2>, { $words }>($($arg),*);
        $call::<Ours<3>, { $words }>($($arg),*);
        $call::<TripleBuffer, { $words }>($($arg),*);
        $call::<Locked, { $words }>($($arg),*);
    };
}

fn label<D: Design<WORDS>, const WORDS: usize>() -> String {
    format!("{}/{}B", D::NAME, WORDS * 8)
}

fn bench_publish_unread<D: Design<WORDS>, const WORDS: usize>(criterion: &mut Criterion) {
    let (mut writer, _reader) = D::new();
    let mut index = 0;
    criterion.bench_function(&format!("publish, nobody reads/{}", label::<D, WORDS>()), |bench| {
        bench.iter(|| {
            index += 1;
            D::publish(&mut writer, |payload| fill(payload, index));
        });
    });
}

fn bench_round<D: Design<WORDS>, const WORDS: usize>(criterion: &mut Criterion) {
    let (mut writer, mut reader) = D::new();
    let mut index = 0;
    criterion.bench_function(&format!("publish + acquire, one thread/{}", label::<D, WORDS>()), |bench| {
        bench.iter(|| {
            index += 1;
            D::publish(&mut writer, |payload| fill(payload, index));
            D::acquire(&mut reader, |payload| black_box(sum(payload)))
        });
    });
}

fn bench_nothing_new<D: Design<WORDS>, const WORDS: usize>(criterion: &mut Criterion) {
    let (_writer, mut reader) = D::new();
    criterion.bench_function(&format!("acquire, nothing new/{}", label::<D, WORDS>()), |bench| {
        bench.iter(|| D::acquire(&mut reader, |payload| black_box(payload[0])));
    });
}

fn bench_publish_contended<D: Design<WORDS>, const WORDS: usize>(criterion: &mut Criterion) {
    let (mut writer, mut reader) = D::new();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                black_box(D::acquire(&mut reader, sum));
            }
        });
        let mut index = 0;
        criterion.bench_function(&format!("publish, contended/{}", label::<D, WORDS>()), |bench| {
            bench.iter(|| {
                index += 1;
                D::publish(&mut writer, |payload| fill(payload, index));
            });
        });
        stop.store(true, Ordering::Relaxed);
    });
}

fn bench_acquire_contended<D: Design<WORDS>, const WORDS: usize>(criterion: &mut Criterion) {
    let (mut writer, mut reader) = D::new();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut index = 0;
            while !stop.load(Ordering::Relaxed) {
                index += 1;
                D::publish(&mut writer, |payload| fill(payload, index));
            }
        });
        criterion.bench_function(&format!("acquire, contended/{}", label::<D, WORDS>()), |bench| {
            bench.iter(|| black_box(D::acquire(&mut reader, sum)));
        });
        stop.store(true, Ordering::Relaxed);
    });
}

/// The cost of the content alone, to be subtracted.
fn bench_content<const WORDS: usize>(criterion: &mut Criterion) {
    let mut payload = Box::new([0; WORDS]);
    let mut index = 0;
    criterion.bench_function(&format!("content only, written/{}B", WORDS * 8), |bench| {
        bench.iter(|| {
            index += 1;
            fill(black_box(&mut payload), index);
        });
    });
    criterion.bench_function(&format!("content only, written + read/{}B", WORDS * 8), |bench| {
        bench.iter(|| {
            index += 1;
            fill(black_box(&mut payload), index);
            black_box(sum(black_box(&payload)))
        });
    });
}

/// A writer and a reader, each with its own period; all in microseconds.
#[derive(Copy, Clone)]
struct Workload {
    name: &'static str,
    write_period: f64,
    write_time: f64,
    read_period: f64,
}

const WORKLOADS: [Workload; 5] = [
    Workload {
        name: "1 kHz, 5 % writing; read 240 Hz",
        write_period: 1000.,
        write_time: 50.,
        read_period: 4166.7,
    },
    Workload {
        name: "1 kHz, 50 % writing; read 240 Hz",
        write_period: 1000.,
        write_time: 500.,
        read_period: 4166.7,
    },
    Workload {
        name: "1 kHz, 95 % writing; read 240 Hz",
        write_period: 1000.,
        write_time: 950.,
        read_period: 4166.7,
    },
    Workload {
        name: "60 Hz, 30 % writing; read 144 Hz",
        write_period: 16_666.7,
        write_time: 5000.,
        read_period: 6944.4,
    },
    Workload {
        name: "120 Hz, 30 % writing; read 60 Hz",
        write_period: 8333.3,
        write_time: 2500.,
        read_period: 16_666.9,
    },
];

/// How far behind the newest published snapshot the reader was, each time that it acquired.
#[derive(Default)]
struct Staleness {
    publishes: Vec<u64>,
    nanos: Vec<u64>,
    acquire_nanos: Vec<u64>,
}

fn quantile(values: &mut [u64], q: f64) -> u64 {
    scanout::stats::quantile::select(values, q, u64::cmp).unwrap_or(0)
}

fn mean(values: &[u64]) -> f64 {
    values.iter().sum::<u64>() as f64 / values.len() as f64
}

impl Staleness {
    fn print(mut self, name: &str, timed: bool) {
        if self.nanos.is_empty() {
            println!("  {name:<14} the reader never got a snapshot");
            return;
        }
        let newest = self.publishes.iter().filter(|&&behind| behind == 0).count();
        let behind = [0.5, 0.99, 1.].map(|q| quantile(&mut self.publishes, q));
        let age = [0.5, 0.99, 1.].map(|q| quantile(&mut self.nanos, q) as f64 / 1e3);
        print!(
            "  {name:<14} newest {:5.1} %  behind P50 {} P99 {} max {}  age us mean {:.1} P50 {:.1} P99 {:.1} max {:.1}",
            100. * newest as f64 / self.publishes.len() as f64,
            behind[0],
            behind[1],
            behind[2],
            mean(&self.nanos) / 1e3,
            age[0],
            age[1],
            age[2],
        );
        if timed {
            let p50 = quantile(&mut self.acquire_nanos, 0.5);
            print!("  acquire ns: P50 {p50}  P99 {}", quantile(&mut self.acquire_nanos, 0.99));
        }
        println!();
    }
}

/// The real buffers driven on one thread in virtual time, which repeats exactly: the writer begins every
/// `write_period`, publishes `write_time` later, and the reader acquires every `read_period`.
fn staleness_modelled<D: Design<SMALL>, const WORDS: usize>(load: Workload) {
    let (mut writer, mut reader) = D::new();
    let mut staleness = Staleness::default();
    let (mut round, mut index, mut writing) = (0_u64, 0_u64, false);
    for read in 1..=100_000_u64 {
        let now = read as f64 * load.read_period;
        loop {
            let begin = round as f64 * load.write_period;
            if !writing && begin <= now {
                D::begin(&mut writer);
                writing = true;
            } else if writing && begin + load.write_time <= now {
                index += 1;
                let at = ((begin + load.write_time) * 1e3) as u64;
                D::publish(&mut writer, |payload| payload[..2].copy_from_slice(&[index, at]));
                (writing, round) = (false, round + 1);
            } else {
                break;
            }
        }
        let [got, at] = D::acquire(&mut reader, |payload| [payload[0], payload[1]]);
        if got > 0 {
            staleness.publishes.push(index - got);
            staleness.nanos.push((now * 1e3) as u64 - at);
        }
    }
    staleness.print(D::NAME, false);
}

/// The same with two threads and the real clock, for 1 s; both sides spin until it is time.
fn staleness_measured<D: Design<SMALL>, const WORDS: usize>(load: Workload) {
    let (mut writer, mut reader) = D::new();
    let (stop, published) = (AtomicBool::new(false), AtomicU64::new(0));
    let start = MonotonicClock.now();
    let micros = |us: f64| Duration::from_nanos((us * 1e3) as u64);
    let spin_until = |at| {
        while MonotonicClock.now() < at {
            std::hint::spin_loop();
        }
    };
    let mut staleness = Staleness::default();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut index = 0;
            while !stop.load(Ordering::Relaxed) {
                let begin = start + micros(load.write_period * index as f64);
                index += 1;
                spin_until(begin);
                D::publish(&mut writer, |payload| {
                    spin_until(begin + micros(load.write_time));
                    payload[..2].copy_from_slice(&[index, MonotonicClock.now().as_nanos()]);
                });
                published.store(index, Ordering::Relaxed);
            }
        });
        let mut read = 0_u32;
        let end = start + Duration::from_secs(1);
        while MonotonicClock.now() < end {
            read += 1;
            spin_until(start + micros(load.read_period * f64::from(read)));
            let before = MonotonicClock.now();
            let newest = published.load(Ordering::Relaxed);
            let [got, at] = D::acquire(&mut reader, |payload| [payload[0], payload[1]]);
            let now = MonotonicClock.now();
            if got > 0 {
                staleness.publishes.push(newest.saturating_sub(got));
                staleness.nanos.push(now.as_nanos().saturating_sub(at));
                staleness.acquire_nanos.push(now.signed_since(before).unsigned_abs());
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    staleness.print(D::NAME, true);
}

fn staleness() {
    println!("\nstaleness in virtual time (100,000 acquires; repeats exactly)");
    for load in WORKLOADS {
        println!("{}", load.name);
        staleness_modelled::<Ours<2>, SMALL>(load);
        staleness_modelled::<Ours<3>, SMALL>(load);
        staleness_modelled::<TripleBuffer, SMALL>(load);
    }
    println!("\nstaleness with two threads (1 s each; a busy machine shows in the tails)");
    for load in &WORKLOADS[..3] {
        println!("{}", load.name);
        for_each_design!(SMALL, staleness_measured(*load));
    }
}

/// Runs one operation `rounds` times for an instruction counter; the difference between two counts of rounds
/// is the cost of the operation.
fn count<D: Design<SMALL>, const WORDS: usize>(design: &str, operation: &str, rounds: u64) {
    if design != D::NAME {
        return;
    }
    let (mut writer, mut reader) = D::new();
    let mut publish = |index| D::publish(black_box(&mut writer), |payload| payload[0] = index);
    let mut acquire = || D::acquire(black_box(&mut reader), |payload| payload[0]);
    match operation {
        "publish" => (0..rounds).for_each(&mut publish),
        "acquire" => (0..rounds).for_each(|_| _ = black_box(acquire())),
        _ => (0..rounds).for_each(|index| {
            publish(index);
            black_box(acquire());
        }),
    }
}

fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    if let [mode, design, operation, rounds] = args.as_slice()
        && mode == "count"
    {
        let rounds = rounds.parse().expect("count DESIGN publish|acquire|both ROUNDS");
        for_each_design!(SMALL, count(design, operation, rounds));
        return;
    }
    if args.first().is_some_and(|arg| arg == "staleness") {
        return staleness();
    }
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(150))
        .measurement_time(Duration::from_millis(500))
        .sample_size(20)
        .nresamples(2_000)
        .configure_from_args();
    let criterion = &mut criterion;
    bench_content::<SMALL>(criterion);
    bench_content::<LARGE>(criterion);
    for_each_design!(SMALL, bench_publish_unread(criterion));
    for_each_design!(LARGE, bench_publish_unread(criterion));
    for_each_design!(SMALL, bench_round(criterion));
    for_each_design!(LARGE, bench_round(criterion));
    for_each_design!(SMALL, bench_nothing_new(criterion));
    for_each_design!(SMALL, bench_publish_contended(criterion));
    for_each_design!(LARGE, bench_publish_contended(criterion));
    for_each_design!(SMALL, bench_acquire_contended(criterion));
    for_each_design!(LARGE, bench_acquire_contended(criterion));
    if args.iter().any(|arg| arg == "--bench") {
        staleness();
    }
    criterion.final_summary();
}
