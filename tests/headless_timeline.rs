//! Timelines of real runs off screen: times of the GPU, and the file that trace viewers read.
#![allow(unsafe_code, reason = "OpenGL without its wrappers")]
#![allow(clippy::print_stdout, reason = "figures for who asks with --nocapture")]

use std::collections::HashMap;
use std::time::Duration;

use glow::HasContext as _;
use scanout::gl::{
    CreateContext, DebugLevel, Frame, Gl, GpuPass, GpuTimer, GpuTiming, MAX_PASSES, Mesh, Primitive, Program,
    RenderTarget, Renderer, ShaderSource, Uniform, glow,
};
use scanout::pacing::{FrameId, Pacing};
use scanout::stats::Stage;
use scanout::time::{Clock as _, MonotonicClock};
use scanout::timeline::{Kind, Timeline, scope};
use scanout::{Config, Logic, Size, Summary, Tick, headless};
use serde_json::Value;

// --- the GPU's times ---

fn finish(gl: &Gl) {
    // SAFETY: a command in the current context.
    unsafe { gl.raw().finish() }
}

fn collect(timer: &mut GpuTimer, newest: u64, all: bool) -> Vec<GpuPass> {
    let mut passes = Vec::new();
    timer.poll(FrameId(newest), all, |pass| passes.push(pass));
    passes
}

fn with_timer(f: impl FnOnce(&Gl, GpuTimer)) {
    headless::with_context(DebugLevel::Panic, |gl| f(gl, GpuTimer::new(gl).expect("time stamps")))
        .unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn passes_of_a_frame_come_in_order_on_the_cpus_clock() {
    with_timer(|gl, mut timer| {
        let before = MonotonicClock.now();
        timer.begin(FrameId(1));
        timer.pass("first"); // takes over what came before it
        timer.pass("second");
        timer.end();
        finish(gl);
        let after = MonotonicClock.now();
        let passes = collect(&mut timer, 4, false);
        assert_eq!(passes.iter().map(|p| p.name).collect::<Vec<_>>(), ["first", "second"]);
        assert!(passes.iter().all(|p| p.frame == FrameId(1) && p.begin <= p.end));
        assert_eq!(passes[0].end, passes[1].begin);
        // Both clocks are read within microseconds of each other, and drift by parts per million.
        let doubt = timer.clock().doubt().expect("it was read") as i64 + 100_000;
        assert!(passes[0].begin.signed_since(before) >= -doubt, "{passes:?} began before {before:?}");
        assert!(after.signed_since(passes[1].end) >= -doubt, "{passes:?} ended after {after:?}");
    });
}

#[test]
fn frames_are_looked_at_three_frames_later_and_not_before() {
    with_timer(|gl, mut timer| {
        for id in 1..=4 {
            timer.begin(FrameId(id));
            timer.end();
        }
        finish(gl);
        assert_eq!(collect(&mut timer, 3, false), []);
        let first = collect(&mut timer, 4, false);
        assert_eq!(first.iter().map(|p| (p.frame.0, p.name)).collect::<Vec<_>>(), [(1, "scene")]);
        let rest = collect(&mut timer, 4, true);
        assert_eq!(rest.iter().map(|p| p.frame.0).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(timer.lost(), 0);
    });
}

#[test]
fn more_passes_than_there_is_room_for_are_counted_and_not_lost_silently() {
    const NAMES: [&str; 11] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];
    with_timer(|gl, mut timer| {
        timer.begin(FrameId(1));
        NAMES.iter().for_each(|name| timer.pass(name));
        timer.end();
        timer.pass("after the end");
        finish(gl);
        let passes = collect(&mut timer, 9, false);
        assert_eq!(passes.iter().map(|p| p.name).collect::<Vec<_>>(), NAMES[..MAX_PASSES]);
        assert_eq!(timer.overflowed(), (NAMES.len() - MAX_PASSES) as u64);
    });
}

#[test]
fn frames_that_nobody_asks_for_give_their_queries_to_newer_ones() {
    with_timer(|gl, mut timer| {
        for id in 1..=20 {
            timer.begin(FrameId(id));
            timer.end();
        }
        finish(gl);
        let passes = collect(&mut timer, 20, true);
        assert_eq!(passes.iter().map(|p| p.frame.0).collect::<Vec<_>>(), (13..=20).collect::<Vec<_>>());
        assert_eq!(timer.lost(), 12);
    });
}

// --- a run with everything in it ---

#[derive(Default)]
struct World;

impl Logic for World {
    type Snapshot = u64;
    fn update(&mut self, _: &Tick) {
        let _scope = scope("world \"update\"");
    }
    fn extract(&self, out: &mut u64) {
        *out += 1;
    }
}

/// Draws, uploads, compiles, and has the driver say something.
struct Busy(Option<scanout::gl::Buffer<f32>>);

const MESSAGE: u32 = 4_711;

impl Renderer<u64> for Busy {
    fn render(&mut self, _: &u64, frame: &mut Frame<'_>) {
        frame.pass("ground");
        frame.clear([0.1, 0.2, 0.3, 1.0]);
        frame.pass("sky");
        frame.fill([0, 0, 8, 8], [1.0; 4]);
        let gl = frame.gl();
        if let Some(buffer) = &mut self.0 {
            buffer.write(&[1.0; 1024]);
        }
        if frame.id().0 == 20 {
            // SAFETY: a message of our own into the current context, whose entry point was checked when it was loaded.
            unsafe {
                gl.raw().debug_message_insert(
                    glow::DEBUG_SOURCE_APPLICATION,
                    glow::DEBUG_TYPE_PERFORMANCE,
                    MESSAGE,
                    glow::DEBUG_SEVERITY_MEDIUM,
                    "shader \"x\" was recompiled\\",
                );
            }
        }
    }
}

fn config(events: usize) -> Config {
    Config {
        size: Size::new(64, 48),
        frame_limit: Some(60),
        simulated_refresh_hz: 240.0,
        timeline_events: events,
        gpu_timing: GpuTiming::On,
        debug: DebugLevel::Off,
        ..Config::default()
    }
}

fn run(config: &Config) -> Summary {
    let make = |cx: &CreateContext<'_>| {
        Ok(Busy(Some(scanout::gl::Buffer::vertices(cx.gl, &[], scanout::gl::Usage::Stream)?)))
    };
    headless::run(config, World, make).unwrap_or_else(|e| panic!("{e}"))
}

fn timeline(events: usize) -> Timeline {
    run(&config(events)).timeline.expect("it was asked for")
}

#[test]
fn a_run_without_a_timeline_has_none_and_one_with_it_has_all_kinds() {
    assert!(run(&config(0)).timeline.is_none());
    let timeline = timeline(100_000);
    assert_eq!(timeline.threads.iter().map(|t| t.name).collect::<Vec<_>>(), ["logic", "render"]);
    let count = |kind| timeline.events().filter(|e| e.kind == kind).count();
    for kind in [Kind::Logic, Kind::Render, Kind::Swap, Kind::Upload, Kind::Sleep, Kind::Plan] {
        assert!(count(kind) >= 50, "{} of {kind:?}", count(kind));
    }
    assert!(count(Kind::Gpu) >= 100 && count(Kind::Vblank) >= 40);
    assert!(timeline.events().any(|e| e.name == "world \"update\""), "scopes of the user");
    assert!(timeline.events().any(|e| e.kind == Kind::Upload && e.value == 4096), "bytes of an upload");
    assert!(timeline.frames.len() >= 60 && timeline.refresh.as_micros() == 4_166);
    let message = timeline.messages.iter().find(|m| m.id == MESSAGE).expect("what the driver said");
    assert_eq!((message.kind_name(), message.severity_name()), ("performance", "medium"));
    assert_eq!(message.text(), "shader \"x\" was recompiled\\");
}

#[test]
fn a_full_ring_keeps_the_end_and_says_what_it_dropped() {
    let timeline = timeline(64);
    let render = timeline.threads.iter().find(|t| t.name == "render").expect("a thread");
    assert_eq!(render.events.len(), 64);
    assert!(render.pushed_out > 300, "{}", render.pushed_out);
    assert!(timeline.frames.len() == 8 && timeline.frames_pushed_out > 40);
    let newest = timeline.frames.last().and_then(|r| r.at(Stage::SwapEnd)).expect("a stamp");
    assert!(
        render.events.iter().any(|e| e.start >= newest - timeline.refresh * 2),
        "the end of the run is there"
    );
    check(&parse(&timeline), &timeline);
}

fn parse(timeline: &Timeline) -> Value {
    let mut bytes = Vec::new();
    timeline.write_chrome(&mut bytes).expect("memory takes all");
    serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{e}:\n{}", String::from_utf8_lossy(&bytes)))
}

/// What trace viewers rely on.
fn check(file: &Value, timeline: &Timeline) -> HashMap<String, usize> {
    let events = file["traceEvents"].as_array().expect("a list");
    let text = |e: &Value, key: &str| e[key].as_str().map(str::to_owned);
    let mut named = HashMap::new();
    for event in events.iter().filter(|e| e["ph"] == "M" && e["name"] == "thread_name") {
        named.insert(event["tid"].as_u64().expect("a track"), text(&event["args"], "name").expect("a name"));
    }
    let mut last: HashMap<u64, f64> = HashMap::new();
    let mut open: HashMap<u64, Vec<f64>> = HashMap::new();
    let mut flows: HashMap<u64, String> = HashMap::new();
    let mut slices: HashMap<u64, Vec<(f64, f64)>> = HashMap::new();
    let mut frames: HashMap<u64, i32> = HashMap::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for event in events.iter().filter(|e| e["ph"] != "M") {
        assert_eq!(event["pid"], 1, "{event}");
        let (tid, at) = (event["tid"].as_u64().expect("a track"), event["ts"].as_f64().expect("a time"));
        assert!(named.contains_key(&tid), "no name for the track of {event}");
        assert!(at >= 0.0 && at >= *last.get(&tid).unwrap_or(&0.0), "not in order: {event}");
        last.insert(tid, at);
        *counts.entry(text(event, "cat").expect("a category")).or_default() += 1;
        match event["ph"].as_str().expect("a phase") {
            "X" => {
                let end = at + event["dur"].as_f64().expect("a length");
                assert!(end >= at);
                let open = open.entry(tid).or_default();
                open.retain(|end| *end > at + 1e-6);
                assert!(open.iter().all(|outer| end <= outer + 1e-3), "half inside another: {event}");
                open.push(end);
                slices.entry(tid).or_default().push((at, end));
            }
            phase @ ("s" | "t" | "f") => {
                flows.entry(event["id"].as_u64().expect("a frame")).or_default().push_str(phase);
                let inside =
                    slices.get(&tid).is_some_and(|s| s.iter().rev().any(|(a, b)| *a <= at && at <= *b));
                assert!(inside, "an arrow in no slice: {event}");
            }
            "b" => *frames.entry(event["id2"]["local"].as_u64().expect("a frame")).or_default() += 1,
            "e" => *frames.entry(event["id2"]["local"].as_u64().expect("a frame")).or_default() -= 1,
            "i" | "C" => {}
            other => panic!("unknown phase {other}"),
        }
    }
    assert!(frames.values().all(|n| *n == 0), "frames that begin and do not end, or the other way round");
    assert!(
        frames.len() + 2
            >= timeline
                .frames
                .iter()
                .filter(|r| r.at(Stage::InputSampled) >= Some(timeline.complete_from()))
                .count()
    );
    for (frame, way) in &flows {
        // Rows are sorted by track, so that the letters of a flow come in the order of tracks.
        let count = |c| way.chars().filter(|x| *x == c).count();
        assert!(count('s') == 1 && count('f') == 1, "frame {frame}: {way}");
    }
    counts.insert("flows".into(), flows.len());
    assert_eq!(file["otherData"]["schema"], "scanout.timeline/1");
    counts
}

#[test]
fn the_file_is_what_trace_viewers_read() {
    let timeline = timeline(100_000);
    let file = parse(&timeline);
    let counts = check(&file, &timeline);
    println!("{counts:?}");
    for category in ["frame", "logic", "render", "swap", "upload", "gpu", "vblank", "plan", "stamps", "flow"]
    {
        assert!(counts.get(category).is_some_and(|n| *n >= 40), "{category}: {counts:?}");
    }
    assert!(counts["flows"] >= 50, "{counts:?}");
    // The base and the stamps give the clock's times back to the nanosecond.
    let base = file["otherData"]["base_ns"].as_u64().expect("a number");
    let record = timeline.frames.iter().find(|r| r.id == FrameId(30)).expect("a frame");
    let frame = file["traceEvents"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|e| e["ph"] == "b" && e["id2"]["local"] == 30);
    let stamp = &frame.expect("the frame")["args"]["swap_end_ns"];
    assert_eq!(record.at(Stage::SwapEnd).map(|at| at.as_nanos() - base), stamp.as_u64());
}

#[test]
fn the_report_of_a_run_has_the_passes() {
    let summary = run(&Config { pacing: Pacing::Immediate, warmup: 10, ..config(0) });
    let passes: Vec<_> =
        summary.stats.gpu_passes().iter().map(|(name, times)| (name, times.count())).collect();
    assert_eq!(passes.iter().map(|p| p.0).collect::<Vec<_>>(), ["ground", "sky"]);
    assert!(passes.iter().all(|p| (40..=60).contains(&p.1)), "{passes:?}");
    let off = run(&Config { gpu_timing: GpuTiming::Off, ..config(0) });
    assert!(off.stats.gpu_passes().is_empty());
}

/// Stamps between passes slow software rasterisers down: unless they are asked for, frames are timed as a whole, and only
/// where a timeline wants it.
#[test]
fn software_rasterisers_are_timed_as_a_whole_unless_asked() {
    let auto = |events| run(&Config { gpu_timing: GpuTiming::Auto, ..config(events) });
    let names = |s: &Summary| s.stats.gpu_passes().iter().map(|(name, _)| name).collect::<Vec<_>>();
    let (without, with) = (auto(0), auto(100_000));
    if !with.target.software {
        return; // a GPU tells its passes
    }
    assert_eq!((names(&without), names(&with)), (Vec::new(), vec!["frame"]));
    let timeline = with.timeline.expect("it was asked for");
    let mut before = None;
    for event in timeline.events().filter(|e| e.kind == Kind::Gpu) {
        let record = timeline.frames.iter().find(|r| r.id.0 == event.frame).expect("its frame");
        // It is over when the fence is seen, and frames come one after the other.
        let seen = record.at(Stage::GpuDone).expect("a fence");
        assert!(event.start <= event.end && event.end.signed_since(seen) < 200_000, "{event:?}, {record:?}");
        assert!(before.is_none_or(|before| event.start >= before), "{event:?}");
        before = Some(event.end);
    }
    assert!(before.is_some());
}

// --- what a pass takes ---

/// A full-screen triangle whose every fragment takes `rounds` turns of a loop.
const VERTEX: &str = "#version 330 core
void main() {
    vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
";
const FRAGMENT: &str = "#version 330 core
uniform int u_rounds;
out vec4 colour;
void main() {
    float x = gl_FragCoord.x * 0.001;
    for (int i = 0; i < u_rounds; ++i) {
        x = fract(sin(x + float(i)) * 43.7);
    }
    colour = vec4(x);
}
";

struct Heavy {
    program: Program,
    rounds: Uniform<i32>,
    triangle: Mesh,
}

impl Heavy {
    fn new(gl: &Gl) -> Self {
        let source = |text: &'static str| ShaderSource::new("heavy", text);
        let program = Program::new(gl, "heavy", &source(VERTEX), &source(FRAGMENT)).expect("a program");
        let triangle = Mesh::generated(gl, Primitive::Triangles, 3).expect("a mesh");
        Self { rounds: program.uniform("u_rounds").expect("a uniform"), program, triangle }
    }

    fn draw(&self, rounds: i32) {
        self.program.set(&self.rounds, rounds);
        self.program.use_program();
        self.triangle.draw();
    }
}

/// What a pass took the GPU is what was drawn in it, also on a rasteriser that works tile by tile.
#[test]
fn passes_take_in_proportion_to_what_is_drawn_in_them() {
    with_timer(|gl, mut timer| {
        let heavy = Heavy::new(gl);
        let target = RenderTarget::new(gl, Size::new(256, 256)).expect("a target");
        target.bind();
        // SAFETY: sets state of the current context.
        unsafe { gl.raw().viewport(0, 0, 256, 256) };
        let mut walls = Vec::new();
        for id in 1..=6 {
            let start = MonotonicClock.now();
            timer.begin(FrameId(id));
            for (name, rounds) in [("much", 200), ("little", 20), ("much again", 200)] {
                timer.pass(name);
                heavy.draw(rounds);
            }
            timer.end();
            finish(gl);
            walls.push(MonotonicClock.now().saturating_since(start));
        }
        let passes = collect(&mut timer, 9, false);
        // Together they are most of what the frame took: not those of some part of the picture.
        let share = |id: u64| {
            let of = passes.iter().filter(|p| p.frame.0 == id);
            let all: Duration = of.map(|p| p.end.saturating_since(p.begin)).sum();
            all.as_secs_f64() / walls[id as usize - 1].as_secs_f64()
        };
        let most = (2..=6).map(share).fold(0.0, f64::max);
        assert!(most > 0.5 && most < 1.1, "{most}: {passes:?}, {walls:?}");
        // The first frame compiles; of the others the least is what other load leaves.
        let least = |name: &str| {
            let of = passes.iter().filter(|p| p.name == name && p.frame.0 > 1);
            of.map(|p| p.end.saturating_since(p.begin)).min().expect("it was timed")
        };
        let (much, little, again) = (least("much"), least("little"), least("much again"));
        assert!(much > little * 3 && again > little * 3, "{much:?}, {little:?}, {again:?}");
        assert!(much < again * 3 && again < much * 3, "{much:?}, {little:?}, {again:?}");
    });
}
