//! What is shown: the figures as they were at one time, so that a pause shows no others.

use std::time::Duration;

use scanout::stats::{Counters, FrameRecord, Metric, Stage, Summary, Unit};
use scanout::telemetry::About;
use scanout::time::{Clock as _, MonotonicClock};

use super::live::{Live, Status};

/// Frames are counted per second from so long a time on.
const LEAST_RATED: Duration = Duration::from_millis(10);

/// The figures at one time.
#[derive(Clone, Debug)]
pub struct Picture {
    pub name: String,
    pub pid: Option<u32>,
    pub status: Status,
    pub about: About,
    /// Those that were measured, in the order of reports.
    pub measured: Vec<(Metric, Summary)>,
    pub counters: Counters,
    /// Refreshes that showed nothing new, of how many; `None` where the refresh rate is not known.
    pub missed: Option<(u64, u64)>,
    pub overwritten: u64,
    pub refused: u64,
    pub collected: Duration,
    /// Whether frames are among them that were drawn before it was watched.
    pub earlier: bool,
    /// The newest frames, oldest first.
    pub frames: Vec<FrameRecord>,
}

impl Picture {
    pub fn of(live: &Live) -> Self {
        let metrics = live.figures.metrics();
        let measured = Metric::ALL.iter().filter_map(|m| Some((*m, metrics.summary(*m)?))).collect();
        let known = !live.about.refresh.is_zero();
        Self {
            name: live.name.clone(),
            pid: live.pid,
            status: live.status.clone(),
            about: live.about.clone(),
            measured,
            counters: live.figures.counters(),
            missed: known.then(|| (metrics.missed_vsyncs(), metrics.refreshes())),
            overwritten: live.overwritten,
            refused: live.refused,
            collected: MonotonicClock.now().saturating_since(live.since),
            earlier: live.earlier,
            frames: live.frames.iter().copied().collect(),
        }
    }

    pub fn get(&self, metric: Metric) -> Option<&Summary> {
        self.measured.iter().find(|(m, _)| *m == metric).map(|(_, summary)| summary)
    }

    /// Frames per second over the newest frames; `None` of fewer than two.
    pub fn rate(&self) -> Option<f64> {
        let ends: Vec<_> = self.frames.iter().filter_map(|f| f.at(Stage::SwapBegin)).collect();
        let recent = &ends[ends.len().saturating_sub(120)..];
        let span = recent.last()?.saturating_since(*recent.first()?).as_secs_f64();
        (span > 0.0).then(|| (recent.len() - 1) as f64 / span)
    }

    /// Where the program stands, in a few words.
    pub fn standing(&self) -> String {
        match &self.status {
            Status::Waited => "not there yet".into(),
            Status::Starting => "starting".into(),
            Status::Running => "running".into(),
            Status::Ended => "ended; these are its last figures".into(),
            Status::Died => "died; these are its last figures".into(),
            Status::Refused(why) => why.clone(),
        }
    }

    /// How many frames there are, from when, and which of them the percentiles are of.
    pub fn covered(&self) -> String {
        let Counters { frames, measured, .. } = self.counters;
        let seconds = self.collected.as_secs_f64();
        let which = if self.earlier {
            format!("{frames} that its table had")
        } else {
            format!("{frames} drawn in {seconds:.1} s of watching ({}/s)", per_second(frames, self.collected))
        };
        format!("{which}; the percentiles are of the {measured} of them that were measured")
    }

    /// Why there are no figures, if there are none.
    pub fn lacks(&self) -> Option<String> {
        let Self { name, collected, counters, .. } = self;
        let seconds = collected.as_secs_f64();
        let why = match &self.status {
            _ if !self.measured.is_empty() => return None,
            Status::Waited => format!("was not there within {seconds:.1} s"),
            Status::Refused(why) => format!("cannot be read: {why}"),
            _ if counters.frames == 0 => format!("drew nothing within {seconds:.1} s"),
            _ => format!("showed none of its {} frames after its warm-up", counters.frames),
        };
        Some(format!("there are no figures: {name} {why}"))
    }

    /// The display: its rate and who says when it showed what.
    pub fn display(&self) -> String {
        let about = &self.about;
        let refresh = if about.refresh.is_zero() {
            "refresh rate not known".into()
        } else {
            format!("{:.2} Hz", 1.0 / about.refresh.as_secs_f64())
        };
        let source = if about.source.is_empty() { "no display times" } else { &about.source };
        format!("{refresh}, {source} ({})", about.origin)
    }

    /// What is counted.
    pub fn counts(&self) -> String {
        let counted = &self.counters;
        let missed = self.missed.map_or_else(
            || "missed refreshes not known".into(),
            |(missed, of)| format!("missed {missed} of {of} refreshes"),
        );
        let mut text = format!("{missed}, dropped {}, stale {}", counted.dropped, counted.stale);
        if counted.unfinished > 0 {
            text.push_str(&format!(", unfinished {}", counted.unfinished));
        }
        if self.overwritten > 0 {
            text.push_str(&format!(", not seen {}", self.overwritten));
        }
        if self.refused > 0 {
            text.push_str(&format!(", broken {}", self.refused));
        }
        text
    }
}

/// A moment has no rate.
fn per_second(frames: u64, over: Duration) -> String {
    if over < LEAST_RATED { "-".into() } else { format!("{:.1}", frames as f64 / over.as_secs_f64()) }
}

/// A figure in as few characters as it can do with.
pub fn number(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Frames => format!("{value:.1}"),
        _ if value.abs() >= 1_000.0 => format!("{value:.0}"),
        _ if value.abs() >= 100.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_at_once_has_no_rate() {
        assert_eq!(per_second(0, Duration::ZERO), "-");
        assert_eq!(per_second(7, Duration::from_millis(1)), "-");
        assert_eq!(per_second(30, Duration::from_millis(500)), "60.0");
    }
}
