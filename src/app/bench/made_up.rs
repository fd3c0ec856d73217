//! Results that nobody measured, for tests: latencies that are correlated from frame to frame, with a heavy tail.

use scanout::sim::Noise;
use scanout::stats::FrameRow;

use super::result::{BENCH_SCHEMA, BenchResult, Figures, Machine, Samples, ScenarioResult};

/// A result with two scenarios, the second of which failed. `slower`: milliseconds added to every latency.
pub fn result(seed: u64, slower: f64) -> BenchResult {
    let failed = ScenarioResult {
        name: "swarm-immediate".into(),
        scene: "swarm".into(),
        error: Some("the display went away".into()),
        ..scenario("flash-auto", seed, slower)
    };
    BenchResult {
        schema: BENCH_SCHEMA.into(),
        scanout: "0.1.0".into(),
        began_unix_s: 1_790_000_000,
        suite: "quick".into(),
        machine: Machine {
            os: "linux".into(),
            kernel: Some("6.1.0".into()),
            cpu: Some("A made-up CPU".into()),
            cores: 2,
            governor: None,
            load_before: Some(0.5),
            load_after: Some(1.5),
        },
        interleaved: None,
        scenarios: vec![
            scenario("flash-auto", seed, slower),
            ScenarioResult {
                metrics: Default::default(),
                samples: Default::default(),
                strip: Vec::new(),
                ..failed
            },
        ],
    }
}

/// One that worked: 60 Hz, a frame in each refresh but every fiftieth, which is late for its drawing.
pub fn scenario(name: &str, seed: u64, slower: f64) -> ScenarioResult {
    let strip = strip(seed, 240, slower);
    let ms = |f: &dyn Fn(&FrameRow) -> Option<u64>| -> Vec<f64> {
        strip.iter().filter_map(|row| Some((row.presented?.checked_sub(f(row)?)?) as f64 / 1e6)).collect()
    };
    let shown: Vec<u64> = strip.iter().filter_map(|row| row.presented).collect();
    let mut result = ScenarioResult {
        name: name.into(),
        scene: "flash".into(),
        pacing: "auto".into(),
        place: "xvfb".into(),
        load: "busy=2".into(),
        size: [640, 360],
        input: "injected: XTEST".into(),
        gl_vendor: "Mesa".into(),
        gl_renderer: "llvmpipe (LLVM 15.0.6, 256 bits)".into(),
        gl_version: "4.5 (Core Profile)".into(),
        software: true,
        display_source: "X11 Present".into(),
        display_origin: "compositor".into(),
        refresh_hz: Some(60.0),
        measured_hz: Some(60.002),
        warmup_frames: 300,
        frames: strip.len() as u64,
        elapsed_s: strip.len() as f64 / 60.0,
        frames_per_second: 60.0,
        miss_budget: Some(0.005),
        missed_vsyncs: Some(5),
        refreshes: Some(244),
        dropped: 1,
        cpu_share: Some(0.4),
        ..ScenarioResult::default()
    };
    let intervals: Vec<f64> = shown.windows(2).map(|w| (w[1] - w[0]) as f64 / 1e6).collect();
    for (metric, values) in [
        ("ClickToPhoton", ms(&|row| row.input_received)),
        ("SampleToPhoton", ms(&|row| row.input_sampled)),
        ("MsUntilDisplayed", ms(&|row| row.swap_begin)),
        ("MsBetweenDisplayChange", intervals),
    ] {
        result.metrics.insert(metric.into(), figures(&values));
        result.samples.insert(metric.into(), Samples { every: 1, ms: values, rounds: Vec::new() });
    }
    result.metrics.insert("LatchToPhoton".into(), None);
    result.metrics.insert("PhaseError".into(), figures(&[-0.02, 0.01, 0.03]));
    result.strip = strip;
    result
}

/// The figures of some values.
pub fn figures(values: &[f64]) -> Option<Figures> {
    let mut figures = Figures::of_values(&mut values.to_vec())?;
    // JSON brings few decimals back exactly, and many to within the last bit.
    let rounded = |x: f64| (x * 1e6).round() / 1e6;
    (figures.mean, figures.rms) = (rounded(figures.mean), rounded(figures.rms));
    Some(figures)
}

/// Frames of a 60 Hz display.
pub fn strip(seed: u64, frames: u64, slower: f64) -> Vec<FrameRow> {
    const REFRESH: u64 = 16_666_667;
    let mut noise = Noise::new(seed);
    let mut refresh = 1_000;
    (0..frames)
        .map(|i| {
            let late = i % 50 == 49;
            refresh += 1 + u64::from(late);
            let presented = refresh * REFRESH;
            let span = |ms: f64| (ms.max(0.01) * 1e6) as u64;
            let render = span(1.5 + 0.2 * noise.normal() + slower + if late { 18.0 } else { 0.0 });
            let (logic, gpu) =
                (span(0.3 + 0.05 * noise.exponential()), span(0.8 + 0.1 * noise.exponential()));
            let swap = presented - span(1.2 + 0.4 * noise.exponential()) - gpu;
            let sampled = swap - render - logic;
            let dropped = i == 100;
            FrameRow {
                id: 301 + i,
                snapshot: 301 + i,
                input_received: Some(sampled - span(8.0 * noise.unit())),
                input_sampled: Some(sampled),
                logic_done: Some(sampled + logic),
                snapshot_published: Some(sampled + logic + 2_000),
                snapshot_acquired: Some(sampled + logic + 40_000),
                submitted: Some(swap - 20_000),
                swap_begin: Some(swap),
                swap_end: Some(swap + 300_000),
                gpu_done: Some(swap + gpu),
                presented: (!dropped).then_some(presented),
                origin: "compositor".into(),
                animation_time: presented - 1_000 * REFRESH,
                dropped,
                planned: Some(sampled - 60_000),
                target: Some((refresh - u64::from(late)) * REFRESH),
                queued: Some(0),
                ..FrameRow::default()
            }
        })
        .collect()
}
