use std::time::Duration;

use super::{DisplaySpec, FrameCost, Oversleep, Scenario, Workload};
use crate::pacing::{Lock, Origin, VblankModel, VblankSample};
use crate::stats::{Trace, TraceError};
use crate::time::Timestamp;

/// Share of a trace's frames that are left out at the start of its replay, while policies learn.
const WARMUP_SHARE: u64 = 10;
/// A source that told of this share of all refreshes tells of each.
const EVERY: f64 = 0.9;

/// The scenario that asks what a policy would have made of the frames of a real run: each frame takes what it took there
/// and its thread is woken as late as there, on a display of the recorded rate whose stamps are spread as they were. One
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
    spec
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacing::Pacing;
    use crate::sim::{PolicyKind, run};
    use crate::stats::{TRACE_SCHEMA, TraceFrame, TraceVblank};

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
