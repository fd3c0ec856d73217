use std::time::Duration;

use super::costs::{Costs, Happened};
use super::{Cause, Explanation, FEWEST, Finding, Late, Observed};
use crate::pacing::{FrameId, Origin};
use crate::stats::late::is_late;
use crate::stats::quantile::select;
use crate::stats::{FrameRecord, Stage};
use crate::time::{Timestamp, nanos};

/// A cause explains a frame when it took more than usual by at least this share of what the frame was over its deadline.
/// Below a half, because the rest is often the same cause in what came before.
const EXPLAINS: f64 = 0.4;
/// Where no frame was on time, frames that are ready by this share of a refresh before their time count as in time.
const MARGIN: u32 = 4;
/// And at most this long before it.
const LARGEST_MARGIN: Duration = Duration::from_millis(2);
/// Of the frames on time, this share may have been lucky with how late they were ready.
const LUCKY: usize = 20;

/// A frame that can be judged.
struct Judged<'a> {
    record: &'a FrameRecord,
    expected: Timestamp,
    by: i64,
    costs: Costs,
}

/// Says what made late frames late. Allocates; for the end of a run.
#[must_use]
pub fn explain(observed: &Observed<'_>) -> Explanation {
    let period = if observed.refresh.is_zero() { observed.interval } else { observed.refresh };
    let happened = Happened::new(observed.events);
    let mut out = Explanation { gpu_timed: happened.gpu_timed(), ..Explanation::default() };
    if period.is_zero() {
        out.unknown = Some("the refresh rate is not known, so that no frame has a time to be late for");
        return out;
    }
    let judged = judged(observed, &happened);
    out.judged = judged.len();
    if judged.len() < FEWEST {
        out.unknown = Some("too few frames that had a display time to be held against");
        return out;
    }
    let (late, on_time): (Vec<_>, Vec<_>) = judged.iter().partition(|frame| is_late(frame.by, period));
    let usual = (on_time.len() >= FEWEST).then(|| usual(&on_time));
    let margin = margin(&on_time, &happened, period);
    for frame in &late {
        out.late.push(judge(frame, usual.as_ref(), (margin, period), &happened));
    }
    out.findings = findings(&out.late, usual.as_ref());
    for finding in &mut out.findings {
        finding.detail = super::text::detail(finding, &happened, out.gpu_timed);
    }
    out
}

fn judged<'a>(observed: &Observed<'a>, happened: &Happened) -> Vec<Judged<'a>> {
    let mut judged = Vec::new();
    let mut before: Option<Timestamp> = None;
    let displayed = |r: &&FrameRecord| !r.dropped && r.at(Stage::Presented).is_some();
    for record in observed.frames.iter().filter(displayed) {
        if record.apart {
            // In no figure; and what comes after it follows nothing.
            before = None;
            continue;
        }
        let Some(shown) = record.at(Stage::Presented) else { continue };
        let due =
            before.replace(shown).filter(|_| !observed.interval.is_zero()).map(|b| b + observed.interval);
        // What repeats a picture, or comes after a wait, was for no time of its own.
        let counts = record.id.0 > observed.warmup && !record.after_idle && !record.repeated;
        if let Some(expected) = record.target.or(due).filter(|_| counts) {
            let by = shown.signed_since(expected);
            judged.push(Judged { record, expected, by, costs: happened.costs(record) });
        }
    }
    judged
}

fn usual(on_time: &[&Judged<'_>]) -> Costs {
    let mut usual = Costs::default();
    for &cause in Cause::ALL {
        usual.add(cause, median(on_time.iter().map(|frame| frame.costs[cause]).collect()));
    }
    usual
}

fn median(mut values: Vec<u64>) -> u64 {
    select(&mut values, 0.5, u64::cmp).unwrap_or(0)
}

/// How long before its time a frame has to be ready: as long as the latest of those that were on time.
fn margin(on_time: &[&Judged<'_>], happened: &Happened, period: Duration) -> i64 {
    let mut margins: Vec<i64> = on_time
        .iter()
        .filter_map(|frame| {
            Some(frame.record.at(Stage::Presented)?.signed_since(happened.ready(frame.record)?))
        })
        .collect();
    margins.sort_unstable();
    if margins.len() < FEWEST {
        return nanos((period / MARGIN).min(LARGEST_MARGIN)).cast_signed();
    }
    margins[margins.len() / LUCKY]
}

fn judge(
    frame: &Judged<'_>,
    usual: Option<&Costs>,
    (margin, period): (i64, Duration),
    happened: &Happened,
) -> Late {
    let by = Duration::from_nanos(frame.by.unsigned_abs());
    let mut late = Late { frame: frame.record.id, by, cause: None, took: Duration::ZERO };
    let Some(ready) = happened.ready(frame.record) else { return late };
    let over = ready.signed_since(frame.expected) + margin;
    // The refreshes that we have missed. What comes on top of them, where it is more, is not ours.
    let ours = over.max(0).cast_unsigned().div_ceil(nanos(period)) * nanos(period);
    if over <= 0 || nanos(by).saturating_sub(ours) > ours {
        (late.cause, late.took) = (Some(behind(frame.record)), by);
        return late;
    }
    let more = |cause: Cause| frame.costs[cause].saturating_sub(usual.map_or(0, |usual| usual[cause]));
    let largest = Cause::ALL.iter().copied().max_by_key(|cause| more(*cause));
    if let Some(cause) = largest.filter(|cause| more(*cause) as f64 >= over as f64 * EXPLAINS) {
        (late.cause, late.took) = (Some(cause), Duration::from_nanos(frame.costs[cause]));
    }
    late
}

/// Who has a frame between us and its display.
const fn behind(record: &FrameRecord) -> Cause {
    match record.origin {
        Origin::Simulated => Cause::SimulatedDisplay,
        _ => Cause::Compositor,
    }
}

fn findings(late: &[Late], usual: Option<&Costs>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for &cause in Cause::ALL {
        let of: Vec<&Late> = late.iter().filter(|late| late.cause == Some(cause)).collect();
        if of.is_empty() {
            continue;
        }
        let took = median(of.iter().map(|late| nanos(late.took)).collect());
        let mut frames: Vec<(FrameId, Duration)> = of.iter().map(|late| (late.frame, late.by)).collect();
        frames.sort_by_key(|(id, by)| (std::cmp::Reverse(*by), *id));
        findings.push(Finding {
            cause,
            frames,
            took: Duration::from_nanos(took),
            usual: usual.filter(|_| !cause.is_behind_us()).map(|usual| Duration::from_nanos(usual[cause])),
            detail: String::new(),
        });
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.frames.len()));
    findings
}
