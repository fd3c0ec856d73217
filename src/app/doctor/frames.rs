//! What the loop made of all that, for as long as it was left alone.

use scanout::stats::{Check, Metric, Metrics, Stage};

use super::line::{Group, Line, State};
use super::ms;
use super::phases::{Measured, Phase};

/// What has lines of its own.
const TOLD: [Check; 3] = [Check::DisplayTimes, Check::DriverQueue, Check::SwapThrottle];

pub fn lines(measured: &Measured, out: &mut Vec<Line>) {
    let frames = measured.frames(Phase::Paced);
    let refresh = measured.refresh();
    let mut metrics = Metrics::new(refresh.unwrap_or_default());
    let mut before = None;
    for frame in frames.iter().filter(|f| !f.dropped && f.at(Stage::Presented).is_some()) {
        metrics.displayed(before, frame);
        before = Some(frame);
    }
    out.push(latency(measured, &metrics));
    let line = |state, text: String| Line::new(Group::Frames, "self_check", "self-check", state, text);
    match measured.self_check(Phase::Paced) {
        None => out.push(line(State::NotMeasured, format!("{} frames are too few", frames.len()))),
        Some(report) => {
            let more: Vec<_> = report.findings.iter().filter(|f| !TOLD.contains(&f.check())).collect();
            if more.is_empty() {
                let beside =
                    if report.findings.is_empty() { "nothing" } else { "nothing that is not told above" };
                out.push(line(
                    State::Ok,
                    format!("{beside} was found in {} frames of the loop", report.frames),
                ));
            }
            out.extend(more.into_iter().map(|finding| {
                let text = format!("{finding} (looked at {} frames)", report.frames);
                let mut line = line(State::Note, text).advise(finding.advice());
                line.figures = finding.figures().into_iter().collect();
                line
            }));
        }
    }
}

fn latency(measured: &Measured, metrics: &Metrics) -> Line {
    let line = |state, text: String| Line::new(Group::Frames, "latency", "SampleToPhoton", state, text);
    let Some(figures) = metrics.summary(Metric::SampleToPhoton) else {
        return line(State::NotMeasured, "no frame was displayed".into());
    };
    let origin = measured.summary.target.origin;
    let missed = match metrics.refreshes() {
        0 => "missed refreshes not measured".to_owned(),
        of => format!("{} of {of} refreshes missed", metrics.missed_vsyncs()),
    };
    let text = format!(
        "p50 {:.1} ms, p99 {:.1} ms of {} frames in mode auto (display times {origin}); {missed}",
        figures.p50, figures.p99, figures.n
    );
    let within = measured.refresh().is_none_or(|refresh| figures.p50 <= 1.5 * ms(refresh));
    let line = if within {
        line(State::Ok, text)
    } else {
        line(State::Note, text).advise(
            "more than one and a half refreshes: look at the queue above, and at what else is running",
        )
    };
    line.figure("p50_ms", figures.p50).figure("p99_ms", figures.p99).figure("n", figures.n as f64)
}
