//! What recording, culling, sorting and merging cost, by themselves.
//!
//! ```text
//! cargo bench --no-default-features --bench batching                   times
//! BENCH count WHAT N ROUNDS                                            for an instruction counter
//! ```
//!
//! `BENCH` is the program that the first command builds. The difference between two counts of rounds is what the work
//! costs; docs/rendering.md has the table and how it was made.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use glam::camera::rh::proj;
use glam::{Affine3A, Mat3A, Vec2, Vec3A};
use scanout::scene::{
    Batches, DrawList, Entry, Frustum, Instance, LayerId, MaterialId, MeshId, Order, SortKey, Sorter, Sphere,
    Sprite, View,
};
use scanout::sim::Noise;

struct Random(Noise);

impl Random {
    fn below(&mut self, n: u32) -> u32 {
        (((self.0.bits() >> 32) * u64::from(n)) >> 32) as u32
    }

    fn signed(&mut self) -> f32 {
        (self.0.bits() >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}

const MESHES: u32 = 50;
const MATERIALS: u32 = 20;

#[derive(Copy, Clone)]
struct Object {
    mesh: MeshId,
    material: MaterialId,
    at: Vec3A,
}

/// Objects of 50 meshes in 20 materials at random, all of one state; a tenth of them transparent if asked for.
fn objects(n: usize, transparent: bool) -> Vec<Object> {
    let mut random = Random(Noise::new(7));
    let mut make = || {
        let clear = transparent && random.below(10) == 0;
        Object {
            mesh: MeshId::new(random.below(MESHES)).expect("a name"),
            material: MaterialId::new(0, clear, random.below(MATERIALS)).expect("a name"),
            at: Vec3A::new(20.0 * random.signed(), 20.0 * random.signed(), -50.0 + 45.0 * random.signed()),
        }
    };
    (0..n).map(|_| make()).collect()
}

fn record(list: &mut DrawList, objects: &[Object], turn: Mat3A) {
    list.clear();
    let mut pass = list.pass(0);
    for o in objects {
        pass.draw(o.mesh, o.material, &Affine3A { matrix3: turn, translation: o.at });
    }
}

fn camera() -> glam::Mat4 {
    proj::opengl::perspective(0.8, 1.5, 1.0, 100.0)
}

fn view(kind: &str) -> View {
    match kind {
        "state" => View::new(camera(), Order::State),
        "depth" => View::new(camera(), Order::FrontToBack),
        "depth+cull" => View::new(camera(), Order::FrontToBack).with_culling(Frustum::new(camera())),
        _ => View::new(camera(), Order::Painter),
    }
}

/// One frame's work on the CPU up to the instances in their final order.
struct Frame {
    objects: Vec<Object>,
    list: DrawList,
    batches: Batches,
    bounds: Vec<Sphere>,
    out: Vec<Instance>,
}

impl Frame {
    fn new(n: usize, transparent: bool) -> Self {
        Self {
            objects: objects(n, transparent),
            list: DrawList::new(),
            batches: Batches::new(),
            bounds: vec![Sphere { centre: Vec3A::ZERO, radius: 1.0 }; MESHES as usize],
            out: vec![Instance::default(); n],
        }
    }

    fn record(&mut self) {
        record(&mut self.list, black_box(&self.objects), black_box(Mat3A::IDENTITY));
    }

    fn build(&mut self, view: &View) {
        self.batches.build(&self.list.passes()[0], view, &self.bounds);
    }

    fn write(&mut self) {
        let out = &mut self.out[..self.batches.visible()];
        self.batches.write(&self.list.passes()[0], out);
        black_box(out);
    }

    fn whole(&mut self, view: &View) {
        self.record();
        self.build(view);
        self.write();
    }
}

/// Keys as a frame has them: 50 meshes with 16 bits of depth, or a whole depth.
fn entries(n: usize, transparent: bool) -> Vec<Entry> {
    let mut random = Random(Noise::new(3));
    let mut key = || {
        let depth = u64::from((50.0 + 45.0 * random.signed()).to_bits() ^ 0x8000_0000);
        if transparent {
            1 << 63 | (!depth & 0xffff_ffff) << 31
        } else {
            u64::from(random.below(MESHES)) << 44 | depth >> 16 << 28
        }
    };
    (0..n).map(|i| Entry { key: SortKey(key()), index: i as u32 }).collect()
}

fn sprites(list: &mut DrawList, n: usize) {
    list.clear();
    let mut pass = list.pass(0);
    let texture = black_box(LayerId::default());
    for i in 0..n {
        pass.sprite(Sprite::new(texture, Vec2::splat(i as f32), Vec2::splat(16.0)));
    }
}

/// What is timed and counted, by name. A second argument of `false` does only what comes before it, so that the
/// difference is the work itself.
fn run(what: &str, n: usize, rounds: u64) {
    let mut frame = Frame::new(n, what.ends_with("transparent"));
    let kind = what.split('-').nth(1).unwrap_or("state");
    let view = view(kind);
    let mut sorter = Sorter::default();
    let unsorted = entries(n, kind == "transparent");
    let mut sorted = unsorted.clone();
    frame.record();
    frame.build(&view);
    for _ in 0..rounds {
        match what.split('-').next().unwrap_or("") {
            "record" => frame.record(),
            "sprite" => sprites(black_box(&mut frame.list), n),
            "build" => frame.build(&view),
            "write" => frame.write(),
            "frame" => frame.whole(&view),
            "copy" => sorted.copy_from_slice(black_box(&unsorted)),
            "radix" => {
                sorted.copy_from_slice(&unsorted);
                sorter.sort_by_digits(black_box(&mut sorted));
            }
            "pdq" => {
                sorted.copy_from_slice(&unsorted);
                Sorter::sort_by_comparing(black_box(&mut sorted));
            }
            other => panic!("no such work: {other}"),
        }
    }
}

fn time_sorts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sort");
    for n in [64, 256, 512, 1_000, 10_000, 100_000] {
        group.throughput(Throughput::Elements(n as u64));
        for (kind, transparent) in [("opaque", false), ("transparent", true)] {
            let (unsorted, mut sorter) = (entries(n, transparent), Sorter::default());
            let mut sorted = unsorted.clone();
            group.bench_function(format!("radix/{kind}/{n}"), |b| {
                b.iter(|| {
                    sorted.copy_from_slice(&unsorted);
                    sorter.sort_by_digits(black_box(&mut sorted));
                });
            });
            group.bench_function(format!("pattern-defeating/{kind}/{n}"), |b| {
                b.iter(|| {
                    sorted.copy_from_slice(&unsorted);
                    Sorter::sort_by_comparing(black_box(&mut sorted));
                });
            });
        }
    }
    group.finish();
}

fn time_frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame");
    let n = 100_000;
    group.throughput(Throughput::Elements(n as u64));
    let mut list = DrawList::new();
    group.bench_function("record/sprites", |b| b.iter(|| sprites(black_box(&mut list), n)));
    let mut frame = Frame::new(n, false);
    group.bench_function("record/objects", |b| b.iter(|| frame.record()));
    for kind in ["state", "depth", "depth+cull", "painter"] {
        let view = view(kind);
        group.bench_function(format!("whole/{kind}"), |b| b.iter(|| frame.whole(&view)));
    }
    let mut frame = Frame::new(n, true);
    let depth = view("depth");
    group.bench_function("whole/depth, a tenth transparent", |b| b.iter(|| frame.whole(&depth)));
    let mut parts: Vec<DrawList> = (0..4).map(|_| DrawList::new()).collect();
    let mut list = DrawList::new();
    group.bench_function("record and merge/4 lists", |b| {
        b.iter(|| {
            list.clear();
            for (part, objects) in parts.iter_mut().zip(frame.objects.chunks(n / 4)) {
                record(part, objects, Mat3A::IDENTITY);
                list.append(part);
            }
        });
    });
    group.finish();
}

fn time_culling(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cull");
    let objects = objects(10_000, false);
    group.throughput(Throughput::Elements(objects.len() as u64));
    let frustum = Frustum::new(camera());
    let rows: Vec<_> = (0..4).map(|i| camera().row(i)).collect();
    let planes: Vec<_> = (0..3).flat_map(|i| [rows[3] + rows[i], rows[3] - rows[i]]).collect();
    let planes: Vec<_> = planes.iter().map(|p| *p / p.truncate().length()).collect();
    group.bench_function("four planes at a time", |b| {
        b.iter(|| {
            objects.iter().filter(|o| frustum.sees_sphere(&Sphere { centre: o.at, radius: 1.0 })).count()
        });
    });
    group.bench_function("plane by plane", |b| {
        b.iter(|| {
            let seen =
                |o: &&Object| planes.iter().all(|p| p.x * o.at.x + p.y * o.at.y + p.z * o.at.z + p.w >= -1.0);
            objects.iter().filter(seen).count()
        });
    });
    group.finish();
}

fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    if let [mode, what, n, rounds] = args.as_slice()
        && mode == "count"
    {
        let number = |text: &str| text.parse::<u64>().expect("count WHAT N ROUNDS");
        return run(what, number(n) as usize, number(rounds));
    }
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(150))
        .measurement_time(Duration::from_millis(600))
        .sample_size(20)
        .nresamples(2_000)
        .configure_from_args();
    time_sorts(&mut criterion);
    time_frames(&mut criterion);
    time_culling(&mut criterion);
    criterion.final_summary();
}
