use std::time::Duration;

use super::{DisplaySpec, FrameCost, Oversleep, Scenario, Workload};
use crate::pacing::{Lock, Origin, Pacing, VblankModel, VblankSample};
use crate::stats::{Distribution, Summary, Trace, TraceError, TraceFrame};
use crate::time::Timestamp;

/// Share of a trace's frames that are left out at the start of its replay, while policies learn.
const WARMUP_SHARE: u64 = 10;
/// A source that told of this share of all refreshes tells of each.
const EVERY: f64 = 0.9;
/// Frames of known display times from which on it is seen how early the display takes them, and the share of them that may have
/// been told wrong.
const LEAD_FRAMES: usize = 200;
const LEAD_SHARE: f64 = 0.01;

/// What a recorded run made of its own frames, without those of the warm-up.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct AsRecorded {
    /// Frames with a display time.
    pub displayed: u64,
    /// Refreshes between them that showed no new frame. Where frames were made for every second refresh those in between count
    /// as well.
    pub missed_vsyncs: u64,
    /// The share of the displayed frames that were displayed more than half a refresh after their target; `None` where they
    /// had none.
    pub miss_rate: Option<f64>,
    /// Begin of logic to display, in milliseconds.
    pub start_to_display: Option<Summary>,
}

/// What the run that was recorded made of its frames, those of the first `warmup` left out; `None` where no display times
/// were told.
#[must_use]
pub fn as_recorded(trace: &Trace, warmup: u64) -> Option<AsRecorded> {
    let period = 1e9 / display(trace).hz;
    let mut latency = Distribution::default();
    let (mut told, mut last) = (AsRecorded::default(), None);
    let (mut aimed, mut late) = (0_u64, 0_u64);
    let measured = trace.frames.iter().skip(warmup as usize);
    for (frame, at) in measured.filter_map(|f| Some((f, f.presented?))) {
        told.displayed += 1;
        if let Some(start) = frame.start {
            latency.record(Timestamp::from_nanos(at).signed_since(Timestamp::from_nanos(start)));
        }
        if let Some(target) = frame.target {
            aimed += 1;
            late += u64::from(at.saturating_sub(target) as f64 > period / 2.0);
        }
        if let Some(last) = last.replace(at) {
            let refreshes = (at.saturating_sub(last) as f64 / period).round() as u64;
            told.missed_vsyncs += refreshes.saturating_sub(1);
        }
    }
    told.miss_rate = (aimed > 0).then(|| late as f64 / aimed as f64);
    told.start_to_display = latency.summary();
    (told.displayed > 0).then_some(told)
}

/// How long before a refresh the display takes what it shows then, where the run shows that: a mode that keeps to a share of
/// misses comes as late as it can, so that those that came latest and were shown came just before.
fn lead(trace: &Trace) -> Option<Duration> {
    let mode: Pacing = trace.pacing.parse().ok()?;
    if !matches!(mode, Pacing::Auto | Pacing::LowLatency) {
        return None;
    }
    let early = |f: &TraceFrame| {
        let ready = f.start?.checked_add(f.logic)?.checked_add(f.render)?.checked_add(f.gpu)?;
        Some(f.presented?.saturating_sub(ready))
    };
    let mut early: Vec<u64> = trace.frames.iter().filter_map(early).collect();
    early.sort_unstable();
    let enough = early.len() >= LEAD_FRAMES;
    enough.then(|| Duration::from_nanos(early[(early.len() as f64 * LEAD_SHARE) as usize]))
}

/// The scenario that asks what a policy would have made of the frames of a real run: each frame takes what it took there
/// and its thread is woken as late as there, on a display of the recorded rate whose stamps are spread as they were, and which
/// takes frames as early as it did where the run shows that (it does in modes that come as late as they can). One
/// pass, of which the first tenth (at most 300 frames) is warm-up.
///
/// What it cannot know: how the frames' cost would have changed with the clock rates and caches of another pace.
///
/// # Errors
/// When the trace [cannot be true](Trace::check).
pub fn replay(trace: &Trace) -> Result<Scenario, TraceError> {
    trace.check()?;
    let costs = trace.frames.iter().map(|f| FrameCost {
        logic: Duration::from_nanos(f.logic),
        render: Duration::from_nanos(f.render),
        gpu: Duration::from_nanos(f.gpu),
    });
    let slept = trace.frames.iter().any(|f| f.late.is_some());
    let late = || trace.frames.iter().map(|f| Duration::from_nanos(f.late.unwrap_or(0)));
    let frames = trace.frames.len() as u64;
    Ok(Scenario {
        display: display(trace),
        workload: Workload::Recorded(costs.collect()),
        oversleep: if slept { Oversleep::Recorded(late().collect()) } else { Oversleep::default() },
        frames,
        warmup: (frames / WARMUP_SHARE).min(Scenario::default().warmup),
        ..Scenario::default()
    })
}

/// The display as its refreshes were told.
fn display(trace: &Trace) -> DisplaySpec {
    let stated = trace.measured_hz.or(trace.refresh_hz).unwrap_or(60.0);
    let mut spec = DisplaySpec { nominal_hz: trace.refresh_hz.unwrap_or(stated), ..DisplaySpec::at(stated) };
    let mut model = VblankModel::new(trace.refresh_hz);
    for told in &trace.vblanks {
        model.observe(VblankSample {
            at: Timestamp::from_nanos(told.at),
            sequence: told.sequence,
            period: None,
            origin: Origin::Simulated,
        });
    }
    let told = trace.vblanks.first().zip(trace.vblanks.last()).zip(model.period_nanos());
    if let (Lock::Locked, Some(((first, last), period))) = (model.lock(), told) {
        spec.hz = 1e9 / period;
        spec.jitter = model.spread();
        spec.sequence = trace.vblanks.iter().all(|v| v.sequence.is_some());
        let refreshes = last.at.saturating_sub(first.at) as f64 / period;
        spec.every_refresh = trace.vblanks.len() as f64 >= EVERY * refreshes;
    }
    spec.latch_lead = lead(trace).unwrap_or_default().min(Duration::from_secs_f64(1.0 / spec.hz));
    spec
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{PolicyKind, run};
    use crate::stats::{TRACE_SCHEMA, TraceVblank};

    fn trace() -> Trace {
        let ms = |i: u64| 1_000_000 + i % 7 * 100_000;
        Trace {
            schema: TRACE_SCHEMA.into(),
            refresh_hz: Some(60.0),
            frames: (0..2_000)
                .map(|i| TraceFrame {
                    id: i + 1,
                    logic: ms(i),
                    render: ms(i * 3),
                    gpu: if i % 200 == 0 { 6_000_000 } else { ms(i * 5) },
                    late: Some(if i % 200 == 0 { 900_000 } else { 10_000 }),
                    ..TraceFrame::default()
                })
                .collect(),
            vblanks: (0..500)
                .map(|i| TraceVblank { at: 1_000_000_000 + i * 16_683_350, sequence: None })
                .collect(),
            ..Trace::default()
        }
    }

    #[test]
    fn a_replay_has_the_costs_the_wake_errors_and_the_rate_of_the_run() {
        let scenario = replay(&trace()).unwrap();
        assert_eq!((scenario.frames, scenario.warmup), (2_000, 200));
        assert!(
            (scenario.display.hz - 59.94).abs() < 1e-3 && (scenario.display.nominal_hz - 60.0).abs() < 1e-9
        );
        let mut longest = 0;
        let mut starts = 0;
        let outcome = crate::sim::run_observed(
            &scenario,
            PolicyKind::Ours(Pacing::Smooth).make_for(&scenario.display, None).as_mut(),
            &mut |f| {
                longest = longest.max(f.gpu_done.signed_since(f.submitted));
                starts += u64::from(f.start.signed_since(f.plan.wake_at) == 900_000);
            },
        );
        assert_eq!(longest, 6_000_000);
        assert!((5..=9).contains(&starts), "the recorded late starts: {starts}");
        assert!(outcome.displayed > 1_700);
        // The same frames, woken in time, cost less.
        let woken = Scenario { oversleep: Oversleep::None, ..scenario.clone() };
        let mean = |s: &Scenario| {
            let mut policy = PolicyKind::Ours(Pacing::Auto).make_for(&s.display, None);
            run(s, policy.as_mut()).start_to_display.unwrap().max
        };
        assert!(mean(&woken) <= mean(&scenario));
    }

    /// A run of `mode` whose frames were ready so many milliseconds before their display times, the latest of them a tenth of one
    /// later; each hundredth was a refresh late.
    fn run_of(mode: &str, ready_before: f64) -> Trace {
        const PERIOD: u64 = 16_683_350;
        let mut trace = trace();
        trace.pacing = mode.into();
        let mut shown = 1_000_000_000;
        for (i, f) in (0_u64..).zip(&mut trace.frames) {
            shown += PERIOD;
            let before = (ready_before * 1e6) as u64 + i * 7_919 % 2_000_000;
            f.start = Some(shown - before - f.logic - f.render - f.gpu);
            f.target = Some(shown);
            shown += if i % 100 == 99 { PERIOD } else { 0 };
            f.presented = Some(shown);
        }
        trace
    }

    #[test]
    fn a_recorded_run_is_told_beside_what_others_would_have_made_of_it() {
        let told = as_recorded(&run_of("auto", 9.0), 200).unwrap();
        assert_eq!((told.displayed, told.missed_vsyncs), (1_800, 18));
        assert!((told.miss_rate.unwrap() - 0.01).abs() < 1e-9);
        let latency = told.start_to_display.unwrap();
        assert!(latency.n == 1_800 && latency.min > 11.0 && latency.max < 40.0, "{latency:?}");
        assert_eq!(as_recorded(&trace(), 200), None, "no display times");
    }

    #[test]
    fn how_early_the_display_takes_frames_is_seen_in_modes_that_come_as_late_as_they_can() {
        for (mode, before, lead) in [("auto", 9.0, 9.0), ("low-latency", 0.0, 0.0), ("vsync", 9.0, 0.0)] {
            let found = replay(&run_of(mode, before)).unwrap().display.latch_lead.as_secs_f64() * 1e3;
            assert!((found - lead).abs() < 0.1, "{mode}: {found} ms");
        }
        let mut few = run_of("auto", 9.0);
        few.frames.truncate(150);
        assert_eq!(replay(&few).unwrap().display.latch_lead, Duration::ZERO);
    }

    #[test]
    fn a_trace_without_refreshes_or_wake_errors_is_replayed_at_its_nominal_rate() {
        let mut trace = trace();
        trace.vblanks.clear();
        trace.frames.iter_mut().for_each(|f| f.late = None);
        let scenario = replay(&trace).unwrap();
        assert!((scenario.display.hz - 60.0).abs() < 1e-9);
        assert_eq!(scenario.oversleep, Oversleep::default());
        trace.frames.clear();
        assert_eq!(replay(&trace), Err(TraceError::Empty));
    }
}
