//! The figures that this project was founded on, beside what the same mechanisms measure here, on the same traces.
//! Prints the tables of docs/delta-time.md; the same numbers on every machine, because nothing here asks a clock.
//!
//! ```sh
//! cargo run --release --no-default-features --example founding_figures
//! ```

use std::time::Duration;

use scanout::pacing::{Alpha, PeriodClock, ReferenceFilter, Ticker, Variant};
use scanout::sim::{FixedDisplay, Noise};
use scanout::time::Timestamp;

pub(crate) const P60: f64 = 1e9 / 60.0;
pub(crate) const MS: f64 = 1e6;
const START: Timestamp = Timestamp::from_nanos(1_000_000_000);

#[allow(clippy::print_stdout, reason = "an example that prints")]
#[allow(dead_code, reason = "the tests take this file in as a module")]
fn main() {
    print!("{}", report());
}

/// The tables, as markdown.
pub(crate) fn report() -> String {
    let mut out = String::new();
    out += "| trace | frames | what | jitter, ms | animation error, ms | skew, ms | discarded | by median | dropped, ms |\n";
    out += "|---|--:|---|--:|--:|--:|--:|--:|--:|\n";
    for (name, trace) in traces() {
        for (stage, figures) in filter_figures(&trace) {
            let f = figures;
            out += &format!(
                "| {name} | {} | {stage} | {:.2} | {:.2} | {:.2} | {} | {} | {:.2} |\n",
                trace.frames.len(),
                f.jitter / MS,
                f.error / MS,
                f.skew / MS,
                f.discarded,
                f.medians,
                f.dropped / MS,
            );
        }
    }
    out += "\n| notices | frames | scheduler | phase, ms: p99 (max) | interval, ms: p99 (max) | refreshes without a new frame | start to display, ms: p50 / p99 |\n";
    out += "|---|--:|---|--:|--:|--:|--:|\n";
    let lengths = [1_000, 100_000];
    let notices = [("all come", Lost::None), ("2 % lost, one outage of 1 s", Lost::Some)];
    for (name, lost, frames) in notices.iter().flat_map(|(name, lost)| lengths.map(|n| (name, *lost, n))) {
        for (scheduler, f) in ticker_figures(lost, frames) {
            out += &format!(
                "| {name} | {frames} | {scheduler} | {:.2} ({:.2}) | {:.2} ({:.2}) | {} | {:.2} / {:.2} |\n",
                f.phase.0 / MS,
                f.phase.1 / MS,
                f.interval.0 / MS,
                f.interval.1 / MS,
                f.missed,
                f.latency.0 / MS,
                f.latency.1 / MS,
            );
        }
    }
    out
}

// --- delta time ---

/// One frame of a loop on a 60 Hz display, in nanoseconds since the start.
pub(crate) struct Frame {
    /// When the loop read its clock, right or wrong.
    pub(crate) stamp: f64,
    /// The refresh at which the frame is displayed.
    pub(crate) displayed: f64,
    /// That time as a pacer predicts it.
    pub(crate) target: f64,
}

pub(crate) struct Trace {
    pub(crate) frames: Vec<Frame>,
}

/// What happens in a trace besides noise.
#[derive(Copy, Clone, PartialEq)]
pub(crate) enum Events {
    /// One frame in the middle is 18.3 ms late.
    LoneSpike,
    /// Such spikes now and then, clock readings that come out of order, and bursts of frames that are 40 to 75 ms late.
    Rough,
    /// The same, and standstills of half a second.
    Stalls,
}

/// The traces of the first table.
pub(crate) fn traces() -> Vec<(&'static str, Trace)> {
    vec![
        ("noise, one spike of 18.3 ms", trace(1_000, Events::LoneSpike)),
        ("noise, one spike of 18.3 ms", trace(100_000, Events::LoneSpike)),
        ("rough", trace(1_000, Events::Rough)),
        ("rough", trace(100_000, Events::Rough)),
        ("rough, with stalls", trace(100_000, Events::Stalls)),
    ]
}

/// A loop that begins a frame at each refresh that it does not miss.
pub(crate) fn trace(frames: usize, events: Events) -> Trace {
    let mut random = Noise::new(18_300);
    let mut out = Vec::with_capacity(frames);
    let mut refresh = 0_u64;
    let mut burst = 0;
    for i in 0..frames {
        // The loop wakes a little late. The stamp of a late frame is that much later, and the loop then waits for the
        // next refresh.
        let noise = 0.1 * MS + 0.25 * MS * random.normal().abs();
        let mut late = 0.0;
        let mut misread = 0.0;
        match events {
            Events::LoneSpike => {
                if i == frames / 2 {
                    late = 18.3 * MS;
                }
            }
            Events::Rough | Events::Stalls => {
                if i % 400 == 200 {
                    late = 18.3 * MS;
                }
                if i % 500 == 300 {
                    misread = -(17.0 + random.unit()) * MS;
                }
                if i % 900 == 600 {
                    burst = 3 + (random.bits() % 4) as u32;
                }
                if burst > 0 {
                    burst -= 1;
                    late = (40.0 + 35.0 * random.unit()) * MS;
                }
                if events == Events::Stalls && i % 20_000 == 10_050 {
                    late = 500.0 * MS;
                }
            }
        }
        let begun = refresh as f64 * P60 + noise + late;
        // Three milliseconds of work, then the next refresh shows it.
        let shown = ((begun + 3.0 * MS) / P60).ceil();
        out.push(Frame {
            stamp: begun + misread,
            displayed: shown * P60,
            target: shown * P60 + 0.02 * MS * random.normal(),
        });
        refresh = shown as u64;
    }
    Trace { frames: out }
}

/// What a filter makes of a trace; maxima of absolute values, in nanoseconds.
#[derive(Default)]
pub(crate) struct FilterFigures {
    /// From the steps to the refresh interval.
    pub(crate) jitter: f64,
    /// From the steps to the times between the displayed pictures.
    pub(crate) error: f64,
    /// From the sum of the steps to the sum of the raw deltas, so far.
    pub(crate) skew: f64,
    pub(crate) discarded: u64,
    pub(crate) medians: u64,
    /// Time that was given up and reported.
    pub(crate) dropped: f64,
}

/// Raw deltas and both stages over one trace.
pub(crate) fn filter_figures(trace: &Trace) -> Vec<(&'static str, FilterFigures)> {
    let mut out = vec![("raw", run_filter(trace, |delta, _| (Some(delta), 0.0)))];
    for (name, alpha) in
        [("stage 1, alpha on the new sample", Alpha::OnNew), ("stage 1, alpha on the old", Alpha::OnOld)]
    {
        let mut filter = ReferenceFilter::new(Duration::from_nanos(P60 as u64), alpha);
        let mut figures = run_filter(trace, |delta, _| (filter.filter(delta as i64), 0.0));
        (figures.discarded, figures.medians) = (filter.discarded(), filter.medians());
        out.push((name, figures));
    }
    let mut clock = PeriodClock::new();
    clock.step(START.offset(trace.frames[0].target as i64), P60);
    out.push((
        "stage 2",
        run_filter(trace, |_, target| {
            let step = clock.step(START.offset(target as i64), P60);
            (Some(step.dt.as_nanos() as f64), step.snapped.unwrap_or(0) as f64)
        }),
    ));
    out
}

fn run_filter(trace: &Trace, mut filter: impl FnMut(f64, f64) -> (Option<f64>, f64)) -> FilterFigures {
    let mut figures = FilterFigures::default();
    let (mut raw, mut sum) = (0.0, 0.0);
    for pair in trace.frames.windows(2) {
        let delta = (pair[1].stamp - pair[0].stamp).round();
        raw += delta;
        let (filtered, dropped) = filter(delta, pair[1].target);
        figures.dropped += dropped;
        if let Some(dt) = filtered {
            sum += dt;
            figures.jitter = figures.jitter.max((dt - P60).abs());
            figures.error = figures.error.max((dt - (pair[1].displayed - pair[0].displayed)).abs());
        }
        // A frame with a misread stamp is a bad moment to compare sums: the raw one is wrong there, and only there.
        if (0.0..1.9 * P60).contains(&delta) {
            figures.skew = figures.skew.max((sum + figures.dropped - raw).abs());
        }
    }
    figures
}

// --- ticker and vsync ---

#[derive(Copy, Clone, PartialEq)]
pub(crate) enum Lost {
    None,
    /// One notice in fifty, and all of one second.
    Some,
}

/// What a scheduler makes of a display; (p99, max) of absolute values, in nanoseconds.
pub(crate) struct TickerFigures {
    /// How far the begin of a frame strays within the refresh, from where it is half of the time.
    pub(crate) phase: (f64, f64),
    /// From the times between two begins to the refresh interval.
    pub(crate) interval: (f64, f64),
    /// Refreshes at which the picture before was shown again.
    pub(crate) missed: u64,
    /// Median and p99.
    pub(crate) latency: (f64, f64),
}

pub(crate) const DISPLAY_HZ: f64 = 59.94;
/// What the last scheduler of the table leaves for work, wake-up and noise before the refresh.
const LEAD: f64 = 5.0 * MS;

/// The three variants, and the third once more with its frames begun late in the refresh.
pub(crate) fn ticker_figures(lost: Lost, frames: usize) -> Vec<(&'static str, TickerFigures)> {
    vec![
        ("ticker alone", run_ticker(Variant::TickerAlone, (lost, frames), 0.0)),
        ("vsync alone", run_ticker(Variant::VsyncAlone, (lost, frames), 0.0)),
        ("both", run_ticker(Variant::Both, (lost, frames), 0.0)),
        ("both, begun 5 ms before the refresh", run_ticker(Variant::Both, (lost, frames), P60 - LEAD)),
    ]
}

/// Begins so many frames, `delay` after what the ticker says, on a display of 59.94 Hz that the ticker takes for 60.
pub(crate) fn run_ticker(variant: Variant, (lost, frames): (Lost, usize), delay: f64) -> TickerFigures {
    let mut random = Noise::new(5_994);
    let display = FixedDisplay::new(DISPLAY_HZ, START);
    let period = 1e9 / DISPLAY_HZ;
    let mut ticker = Ticker::new(Duration::from_nanos(P60 as u64), variant);
    // Wake-ups and notices come as late as they were measured to on an idle Linux machine.
    let mut late = {
        let mut random = Noise::new(85);
        move || {
            let tail = if random.unit() < 0.005 { 1.5 * MS * random.unit() } else { 0.0 };
            (0.085 * MS + 0.02 * MS * random.normal()).max(0.0) + tail
        }
    };
    let outage = frames as u64 * 3 / 10;
    let mut vblank = START;
    let mut count = 0_u64;
    // The next notice: when it comes, and what it says.
    let mut notice = move || loop {
        vblank = display.vblank_after(vblank);
        count += 1;
        let gone = random.unit() < 0.02 || (outage..outage + 60).contains(&count);
        let comes = vblank.offset(late() as i64);
        let says = vblank.offset((0.05 * MS * random.normal()) as i64);
        if lost == Lost::None || !gone {
            return (comes, says);
        }
    };
    let mut pending = notice();
    let mut wake = Noise::new(133);
    let mut now = START.offset((0.3 * period) as i64);
    let mut begins = Vec::with_capacity(frames);
    let mut shown = Vec::with_capacity(frames);
    while begins.len() < frames {
        while pending.0 <= now {
            ticker.vsync(pending.1);
            pending = notice();
        }
        let deadline = ticker.next(now);
        if deadline == Timestamp::MAX {
            now = pending.0;
            continue;
        }
        let deadline = deadline.offset(delay as i64);
        if deadline > now {
            let tail = if wake.unit() < 0.005 { 1.5 * MS * wake.unit() } else { 0.0 };
            let late = (0.085 * MS + 0.02 * MS * wake.normal()).max(0.0) + tail;
            now = deadline.offset(late as i64);
        }
        begins.push(now);
        now = now.offset((3.0 * MS + 0.2 * MS * wake.normal()) as i64);
        shown.push(display.vblank_at_or_after(now));
    }
    // The first hundred frames find the phase.
    let (begins, shown) = (&begins[100..], &shown[100..]);
    let phases: Vec<f64> = begins
        .iter()
        .map(|begin| begin.signed_since(START) as f64 / period)
        .map(|n| (n - n.floor()) * period)
        .collect();
    // Phases are points on a circle: distances are taken round it, from the phase that the most lie close to.
    let round = |x: f64| x - (x / period).round() * period;
    let centre = circular_median(&phases, period);
    let intervals = begins.windows(2).map(|w| (w[1].signed_since(w[0]) as f64 - period).abs()).collect();
    let latencies = sorted(begins.iter().zip(shown).map(|(b, s)| s.signed_since(*b) as f64).collect());
    let missed = shown
        .windows(2)
        .map(|w| ((w[1].signed_since(w[0]) as f64 / period).round() as u64).saturating_sub(1))
        .sum();
    TickerFigures {
        phase: p99_max(phases.iter().map(|p| round(p - centre).abs()).collect()),
        interval: p99_max(intervals),
        missed,
        latency: (quantile(&latencies, 0.5), quantile(&latencies, 0.99)),
    }
}

/// The point of the circle, among 1,000, with the smallest sum of distances to some four hundred of them.
fn circular_median(phases: &[f64], period: f64) -> f64 {
    let every = (phases.len() / 400).max(1);
    let cost = |c: f64| {
        phases.iter().step_by(every).map(|p| (p - c - ((p - c) / period).round() * period).abs()).sum::<f64>()
    };
    (0..1_000)
        .map(|i| f64::from(i) / 1_000.0 * period)
        .min_by(|a, b| cost(*a).total_cmp(&cost(*b)))
        .unwrap_or(0.0)
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    scanout::stats::quantile::of_sorted(sorted, q).expect("a trace has frames")
}

fn p99_max(values: Vec<f64>) -> (f64, f64) {
    let values = sorted(values);
    (quantile(&values, 0.99), values[values.len() - 1])
}
