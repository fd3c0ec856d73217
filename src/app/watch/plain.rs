//! Figures as lines of text, for pipes and scripts.

use std::time::Duration;

use scanout::display::sleep;
use scanout::stats::{Metric, Unit};
use scanout::time::{Clock as _, MonotonicClock};

use super::super::{Failure, output};
use super::live::Live;
use super::picture::{Picture, number};
use super::{Stop, print};

/// How often the table is read: often enough that no frame is overwritten at 20,000 frames per second.
const READ_EVERY: Duration = Duration::from_millis(25);
/// How often a line is printed.
const LINE_EVERY: Duration = Duration::from_secs(1);
/// How long the first frame is waited for, where nothing else is said.
const FIRST: Duration = Duration::from_secs(2);

/// The figures, once.
pub fn once(live: &mut Live, collect: Option<Duration>, stop: &Stop) -> Result<(), Failure> {
    let until = MonotonicClock.now() + collect.unwrap_or(FIRST);
    loop {
        live.look()?;
        let enough = collect.is_none() && live.figures.counters().measured > 0;
        if stop.asked() || !live.going_on() || enough || MonotonicClock.now() >= until {
            return end(&Picture::of(live));
        }
        sleep::until(MonotonicClock.now() + READ_EVERY);
    }
}

/// A line each second until the program ends, then the figures.
pub fn follow(live: &mut Live, limit: Option<Duration>, stop: &Stop) -> Result<(), Failure> {
    let began = MonotonicClock.now();
    let mut due = began + LINE_EVERY;
    loop {
        live.look()?;
        let now = MonotonicClock.now();
        let over = limit.is_some_and(|limit| now.saturating_since(began) >= limit);
        if over || stop.asked() || !live.going_on() {
            return end(&Picture::of(live));
        }
        if now >= due {
            due = now + LINE_EVERY;
            // Whoever reads lines and goes away has seen enough, unless the frames go to a file as well.
            if !output::print_to_reader(&format!("{}\n", line(&Picture::of(live))))? && !live.logs() {
                return Ok(());
            }
        }
        sleep::until(now + READ_EVERY);
    }
}

/// Whoever asked for figures and gets none is told so by the exit code, too.
fn end(picture: &Picture) -> Result<(), Failure> {
    print(&table(picture))?;
    picture.lacks().map_or(Ok(()), |why| Err(Failure::Failed(why)))
}

fn line(picture: &Picture) -> String {
    let frames = picture.counters.frames;
    let rate = picture.rate().map_or_else(|| "-".into(), |hz| format!("{hz:.1}"));
    let latency = picture.get(Metric::SampleToPhoton).map_or_else(
        || "SampleToPhoton not measured".into(),
        |s| {
            let n = |value| number(value, Unit::Milliseconds);
            let [p50, p95, p99] = s.told().map(|p| p.map_or_else(|| "-".into(), n));
            format!("SampleToPhoton p50 {p50} p95 {p95} p99 {p99} max {} ms", n(s.max))
        },
    );
    format!("{}: {frames} frames, {rate}/s, {latency}, {}", picture.standing(), picture.counts())
}

fn table(picture: &Picture) -> Vec<String> {
    let about = &picture.about;
    let process = picture.pid.map_or_else(String::new, |pid| format!(", process {pid}"));
    let mut lines = vec![format!("{}{process}: {}", picture.name, picture.standing())];
    if !about.renderer.is_empty() {
        lines.push(format!("renderer   {} ({}, {})", about.renderer, about.version, about.surface));
        lines.push(format!("pacing     {}", about.pacing));
        lines.push(format!("display    {}", picture.display()));
    }
    lines.push(format!("frames     {}", picture.covered()));
    lines.push(format!("counted    {}", picture.counts()));
    if picture.measured.is_empty() {
        return lines;
    }
    let head = ["n", "mean", "p50", "p95", "p99", "p99.9", "max"];
    lines.push(format!("{:<24}{}", "ms", head.map(|h| format!("{h:>9}")).concat()));
    for metric in Metric::ALL {
        let Some(s) = picture.get(*metric) else {
            lines.push(format!("{:<24}{:>9}", metric.name(), "not measured"));
            continue;
        };
        let n = |value: f64| format!("{:>9}", number(value, metric.unit()));
        let told = |p: Option<f64>| p.map_or_else(|| format!("{:>9}", "-"), n);
        let [p50, p95, p99] = s.told().map(told);
        let figures = [n(s.mean), p50, p95, p99, told(s.p999), n(s.max)].concat();
        let unit = if metric.unit() == Unit::Frames { "  frames" } else { "" };
        lines.push(format!("{:<24}{:>9}{figures}{unit}", metric.name(), s.n));
    }
    lines
}
