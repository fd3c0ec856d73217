//! Streaming 4 MiB of instances per frame: every strategy of the ring beside plain copying and what a vertex buffer that is
//! orphaned and filled anew (`buffer`) costs.
//!
//! ```text
//! cargo bench --no-default-features --features headless --bench streaming             # times, then ratios
//! cargo bench --no-default-features --features headless --bench streaming -- ratios   # the ratios only; seconds
//! valgrind --tool=callgrind <the bench binary> count persistent 100    # or memcpy, ..
//! ```
//!
//! Timed is what the CPU does for a frame's data: begin, write, hand over. What the GPU makes of it (here: it copies the
//! data elsewhere, so that the buffer is in use) is not. In the ratios all ways take turns in one run; compare figures of
//! one run with each other only.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]
#![allow(unsafe_code, reason = "the consumer of the data is plain OpenGL")]
#![allow(clippy::undocumented_unsafe_blocks, reason = "OpenGL calls in the current context")]

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use scanout::gl::bytemuck::{self, Pod, Zeroable};
use scanout::gl::glow::{self, HasContext as _};
use scanout::gl::stream::probe;
use scanout::gl::{Buffer, DebugLevel, Gl, Strategy, StreamRing, StreamTarget, Usage};
use scanout::headless;
use scanout::time::{Clock, MonotonicClock};

/// Bytes of a frame.
const BYTES: usize = 4 << 20;
const IN_FLIGHT: usize = 2;
/// Rounds of the ratios, in each of which every way has one turn.
const ROUNDS: usize = 300;

#[derive(Copy, Clone, Pod, Zeroable)]
#[repr(C)]
#[bytemuck(crate = "scanout::gl::bytemuck")]
struct Instance {
    place: [f32; 3],
    size: f32,
}

fn instances() -> Vec<Instance> {
    (0..BYTES / size_of::<Instance>()).map(|i| Instance { place: [i as f32; 3], size: 1.0 }).collect()
}

/// A way to get a frame's data to where it is read.
enum Way {
    /// Copied within the CPU's memory, round as many segments as a ring has.
    Memcpy(Vec<Vec<u8>>, usize),
    /// A vertex buffer that gets new memory and is filled by `glBufferSubData`.
    Buffer(Buffer<Instance>),
    Ring(Box<StreamRing>),
}

impl Way {
    fn write(&mut self, values: &[Instance]) -> (Option<glow::Buffer>, usize) {
        match self {
            Self::Memcpy(segments, next) => {
                *next = (*next + 1) % segments.len();
                segments[*next].copy_from_slice(bytemuck::cast_slice(values));
                black_box(&mut segments[*next]);
                (None, 0)
            }
            Self::Buffer(buffer) => {
                buffer.write(values);
                (None, 0)
            }
            Self::Ring(ring) => {
                ring.begin_frame().expect("a frame");
                let range = ring.write(values).expect("room");
                ring.finish_writes();
                (Some(ring.buffer()), range.offset())
            }
        }
    }
}

struct Bench<'a> {
    gl: &'a Gl,
    values: Vec<Instance>,
    sink: glow::Buffer,
    ways: Vec<(String, Way)>,
}

impl<'a> Bench<'a> {
    fn new(gl: &'a Gl) -> Self {
        let values = instances();
        let segments = (0..=IN_FLIGHT).map(|_| vec![1_u8; BYTES]).collect();
        let buffer = Buffer::vertices(gl, &values, Usage::Stream).expect("a buffer");
        let mut ways =
            vec![("memcpy".to_owned(), Way::Memcpy(segments, 0)), ("buffer".to_owned(), Way::Buffer(buffer))];
        for &strategy in Strategy::ALL.iter().filter(|s| s.is_supported(gl.caps())) {
            let ring = StreamRing::new(gl, StreamTarget::Vertex, BYTES, IN_FLIGHT, strategy).expect("a ring");
            ways.push((strategy.to_string(), Way::Ring(Box::new(ring))));
        }
        let sink = unsafe {
            let sink = gl.raw().create_buffer().expect("a name");
            gl.raw().bind_buffer(glow::COPY_WRITE_BUFFER, Some(sink));
            gl.raw().buffer_data_size(glow::COPY_WRITE_BUFFER, BYTES as i32, glow::STREAM_COPY);
            sink
        };
        Self { gl, values, sink, ways }
    }

    /// One frame of one way; how long its data took.
    fn frame(&mut self, way: usize) -> Duration {
        let way = &mut self.ways[way].1;
        let began = MonotonicClock.now();
        let (source, offset) = way.write(&self.values);
        let took = MonotonicClock.now().saturating_since(began);
        if let Some(source) = source {
            let gl = self.gl.raw();
            unsafe {
                gl.bind_buffer(glow::COPY_READ_BUFFER, Some(source));
                gl.bind_buffer(glow::COPY_WRITE_BUFFER, Some(self.sink));
                let (from, to) = (glow::COPY_READ_BUFFER, glow::COPY_WRITE_BUFFER);
                gl.copy_buffer_sub_data(from, to, offset as i32, 0, BYTES as i32);
            }
        }
        if let Way::Ring(ring) = way {
            ring.fence();
        }
        took
    }

    /// Writes and nothing else, without asking for the time, for tools that count instructions.
    fn count(&mut self, way: usize, rounds: u32) {
        for _ in 0..rounds {
            let way = &mut self.ways[way].1;
            black_box(way.write(&self.values));
            if let Way::Ring(ring) = way {
                ring.fence();
            }
        }
    }

    fn ratios(&mut self) {
        let mut times = vec![Vec::with_capacity(ROUNDS); self.ways.len()];
        for round in 0..ROUNDS + 2 * IN_FLIGHT {
            for (way, times) in times.iter_mut().enumerate() {
                let took = self.frame(way);
                if round >= 2 * IN_FLIGHT {
                    times.push(took);
                }
            }
        }
        times.iter_mut().for_each(|t| t.sort_unstable());
        let median = |t: &[Duration]| t[t.len() / 2].as_secs_f64();
        let of = |name: &str| {
            self.ways.iter().position(|(n, _)| n == name).map_or(f64::NAN, |i| median(&times[i]))
        };
        let (memcpy, sub_data) = (of("memcpy"), of("sub-data"));
        println!("{}: {} MiB per frame, {ROUNDS} rounds", self.gl.caps().renderer, BYTES >> 20);
        println!(
            "{:<28} {:>9} {:>9} {:>7} {:>10} {:>12} {:>6}",
            "", "least ms", "median ms", "GB/s", "of memcpy", "of sub-data", "waits"
        );
        for ((name, way), times) in self.ways.iter().zip(&times) {
            let typical = median(times);
            let waits = if let Way::Ring(ring) = way { ring.stats().waits.to_string() } else { "-".into() };
            println!(
                "{name:<28} {:>9.3} {:>9.3} {:>7.2} {:>10.2} {:>12.2} {waits:>6}",
                times[0].as_secs_f64() * 1e3,
                typical * 1e3,
                BYTES as f64 / typical / 1e9,
                memcpy / typical,
                sub_data / typical,
            );
        }
        println!("chosen at the start: {}", probe(self.gl).expect("something works"));
    }

    fn criterion(&mut self, criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group("stream 4 MiB");
        group.throughput(criterion::Throughput::Bytes(BYTES as u64));
        for way in 0..self.ways.len() {
            let name = self.ways[way].0.clone();
            group.bench_function(name, |b| b.iter_custom(|n| (0..n).map(|_| self.frame(way)).sum()));
        }
        group.finish();
    }
}

fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    headless::with_context(DebugLevel::Off, |gl| {
        let mut bench = Bench::new(gl);
        if let [mode, name, rounds] = args.as_slice()
            && mode == "count"
        {
            let way = bench.ways.iter().position(|(n, _)| n == name).expect("a way of that name");
            let rounds: u32 = rounds.parse().expect("count WAY ROUNDS");
            return bench.count(way, rounds);
        }
        if args.first().is_some_and(|arg| arg == "ratios") {
            return bench.ratios();
        }
        let mut criterion = Criterion::default()
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(1))
            .sample_size(20)
            .nresamples(2_000)
            .configure_from_args();
        bench.criterion(&mut criterion);
        if args.iter().any(|arg| arg == "--bench") {
            bench.ratios();
        }
        criterion.final_summary();
    })
    .unwrap_or_else(|e| panic!("{e}"));
}
