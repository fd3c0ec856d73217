use std::time::Duration;

use super::carry::Carry;
use super::{FrameRecord, Metrics, Stage};
use crate::pacing::{FrameId, Origin};
use crate::time::{Timestamp, nanos};

/// What the file of a [`FrameLog`] says that it is; it changes when a field changes its meaning or goes away.
pub const FRAME_LOG_SCHEMA: &str = "scanout.frames/1";

/// All that was stamped of the frames of a run, for whoever computes figures of their own from it.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FrameLog {
    /// [`FRAME_LOG_SCHEMA`].
    pub schema: String,
    /// The display's nominal refresh rate in Hz, where it was known.
    pub refresh_hz: Option<f64>,
    /// The rate as measured from what the source said.
    pub measured_hz: Option<f64>,
    /// The pacing mode of the run.
    pub pacing: String,
    /// What told display times.
    pub source: String,
    /// Frames at the start that belong to the warm-up: those with a number up to this.
    pub warmup: u64,
    /// Frames that came before those below and were pushed out by them.
    pub pushed_out: u64,
    /// The frames, oldest first.
    pub frames: Vec<FrameRow>,
}

/// One frame of a [`FrameLog`]. Times are nanoseconds of the monotonic clock; a stage that was not reached, or not
/// measured, has none. The names are those of [`Stage`] and [`FrameRecord`].
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
#[allow(missing_docs, reason = "each is the stage, or the field, of its name")]
pub struct FrameRow {
    pub id: u64,
    pub snapshot: u64,
    pub input_received: Option<u64>,
    pub input_sampled: Option<u64>,
    pub logic_done: Option<u64>,
    pub snapshot_published: Option<u64>,
    pub snapshot_acquired: Option<u64>,
    pub submitted: Option<u64>,
    pub gpu_done: Option<u64>,
    pub swap_begin: Option<u64>,
    pub swap_end: Option<u64>,
    pub presented: Option<u64>,
    /// `hardware`, `compositor`, `estimated`, `simulated`.
    pub origin: String,
    /// Nanoseconds on the animation clock.
    pub animation_time: u64,
    pub repeated: bool,
    pub stale: bool,
    pub dropped: bool,
    pub after_idle: bool,
    pub apart: bool,
    pub planned: Option<u64>,
    pub latched: Option<u64>,
    pub swap_at: Option<u64>,
    pub target: Option<u64>,
    pub queued: Option<u32>,
    /// Nanoseconds that the logic thread spun before the step.
    pub spun: Option<u64>,
    /// Nanoseconds of the refresh interval that it is held against.
    pub refresh: Option<u64>,
    /// Refresh intervals that it was meant to last.
    pub lasts: Option<u32>,
}

impl FrameLog {
    /// The metrics of the frames after the warm-up, computed as the recorder of the run did, with each value by its frame.
    /// Each frame is held against the refresh interval and the rate that the pacing mode aimed at when it was recorded; where a
    /// row says neither, against the nominal refresh rate, else the measured one, one refresh for each. What is told of
    /// refreshes rather than of frames ([`Metric::is_of_frames`](super::Metric::is_of_frames)) is not there. Allocates.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        let hz = self.refresh_hz.or(self.measured_hz).filter(|hz| hz.is_finite() && *hz >= 0.01);
        let refresh = hz.map_or(Duration::ZERO, |hz| Duration::from_secs_f64(1.0 / hz));
        let mut metrics = Metrics::new(refresh);
        metrics.keep_values();
        let mut previous: Option<FrameRecord> = None;
        for record in self.displayed() {
            if record.id.0 > self.warmup && !record.apart {
                let previous = previous.as_ref().filter(|p| p.id.0 > self.warmup && !p.apart);
                let refresh = record.refresh.unwrap_or(refresh);
                metrics.set_refresh(refresh, refresh.saturating_mul(record.lasts.unwrap_or(1)));
                metrics.displayed(previous, &record);
            }
            previous = Some(record);
        }
        metrics
    }

    /// The frames that were displayed, those of the warm-up as well, each with the input of dropped ones before it.
    pub fn displayed(&self) -> impl Iterator<Item = FrameRecord> {
        let mut carry = Carry::default();
        self.frames
            .iter()
            .map(FrameRecord::from)
            .filter_map(move |mut record| carry.pass(&mut record).then_some(record))
    }
}

impl FrameRow {
    /// The stamp of `stage`, if it was taken.
    #[must_use]
    pub const fn at(&self, stage: Stage) -> Option<u64> {
        match stage {
            Stage::InputReceived => self.input_received,
            Stage::InputSampled => self.input_sampled,
            Stage::LogicDone => self.logic_done,
            Stage::SnapshotPublished => self.snapshot_published,
            Stage::SnapshotAcquired => self.snapshot_acquired,
            Stage::Submitted => self.submitted,
            Stage::GpuDone => self.gpu_done,
            Stage::SwapBegin => self.swap_begin,
            Stage::SwapEnd => self.swap_end,
            Stage::Presented => self.presented,
        }
    }

    /// Nanoseconds from one stage to another, negative when `to` came first; `None` unless both were stamped.
    #[must_use]
    pub const fn between(&self, from: Stage, to: Stage) -> Option<i64> {
        match (self.at(from), self.at(to)) {
            (Some(a), Some(b)) => Some(b.cast_signed().wrapping_sub(a.cast_signed())),
            _ => None,
        }
    }
}

impl From<&FrameRecord> for FrameRow {
    fn from(record: &FrameRecord) -> Self {
        let at = |stage| record.at(stage).map(Timestamp::as_nanos);
        let time = |at: Option<Timestamp>| at.map(Timestamp::as_nanos);
        Self {
            id: record.id.0,
            snapshot: record.snapshot,
            input_received: at(Stage::InputReceived),
            input_sampled: at(Stage::InputSampled),
            logic_done: at(Stage::LogicDone),
            snapshot_published: at(Stage::SnapshotPublished),
            snapshot_acquired: at(Stage::SnapshotAcquired),
            submitted: at(Stage::Submitted),
            gpu_done: at(Stage::GpuDone),
            swap_begin: at(Stage::SwapBegin),
            swap_end: at(Stage::SwapEnd),
            presented: at(Stage::Presented),
            origin: record.origin.to_string(),
            animation_time: nanos(record.animation_time),
            repeated: record.repeated,
            stale: record.stale,
            dropped: record.dropped,
            after_idle: record.after_idle,
            apart: record.apart,
            planned: time(record.planned),
            latched: time(record.latched),
            swap_at: time(record.swap_at),
            target: time(record.target),
            queued: record.queued,
            spun: record.spun.map(nanos),
            refresh: record.refresh.map(nanos),
            lasts: record.lasts,
        }
    }
}

impl From<&FrameRow> for FrameRecord {
    fn from(row: &FrameRow) -> Self {
        let time = |at: Option<u64>| at.map(Timestamp::from_nanos);
        let origins = [Origin::Hardware, Origin::Compositor, Origin::Estimated, Origin::Simulated];
        let mut record = Self::new(FrameId(row.id));
        for stage in Stage::ALL {
            record.set(stage, time(row.at(stage)));
        }
        record.snapshot = row.snapshot;
        record.origin = origins.into_iter().find(|o| o.to_string() == row.origin).unwrap_or_default();
        record.animation_time = Duration::from_nanos(row.animation_time);
        (record.repeated, record.stale) = (row.repeated, row.stale);
        (record.dropped, record.after_idle) = (row.dropped, row.after_idle);
        record.apart = row.apart;
        (record.planned, record.latched) = (time(row.planned), time(row.latched));
        (record.swap_at, record.target) = (time(row.swap_at), time(row.target));
        record.spun = row.spun.map(Duration::from_nanos);
        record.queued = row.queued;
        record.refresh = row.refresh.filter(|nanos| *nanos > 0).map(Duration::from_nanos);
        record.lasts = row.lasts;
        record
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Metric, Recorder};
    use super::*;
    use crate::pacing::Presentation;

    #[test]
    fn every_stamp_of_a_record_comes_through() {
        let mut record = FrameRecord::new(FrameId(7));
        for (i, stage) in Stage::ALL.into_iter().enumerate() {
            record.mark(stage, Timestamp::from_nanos(1_000 * (i as u64 + 1)));
        }
        record.target = Some(Timestamp::from_nanos(5));
        let row = FrameRow::from(&record);
        for stage in Stage::ALL {
            assert_eq!(row.at(stage), record.at(stage).map(Timestamp::as_nanos), "{stage}");
        }
        assert_eq!(row.between(Stage::SwapBegin, Stage::InputReceived), Some(-7_000));
        assert_eq!((row.id, row.target, row.planned), (7, Some(5), None));
    }

    #[test]
    fn record_comes_back_from_its_row() {
        let mut record = FrameRecord::new(FrameId(9));
        for (i, stage) in Stage::ALL.into_iter().enumerate() {
            record.mark(stage, Timestamp::from_nanos(70 * (i as u64 + 1)));
        }
        record.origin = Origin::Compositor;
        record.animation_time = Duration::from_nanos(77);
        record.snapshot = 3;
        (record.stale, record.repeated, record.dropped, record.after_idle) = (true, true, true, true);
        record.apart = true;
        let at = |n| Some(Timestamp::from_nanos(n));
        (record.planned, record.latched, record.swap_at, record.target) = (at(1), at(2), at(3), at(4));
        (record.spun, record.queued) = (Some(Duration::from_nanos(5)), Some(6));
        (record.refresh, record.lasts) = (Some(Duration::from_nanos(8)), Some(2));
        assert_eq!(FrameRecord::from(&FrameRow::from(&record)), record);
    }

    /// The figures that a run printed and those computed from its log afterwards are one: also where frames were dropped,
    /// repeated or idle.
    #[test]
    fn metrics_of_a_log_are_those_of_the_run() {
        let mut rec = Recorder::new(4, Duration::from_millis(10));
        rec.keep_records(1_000);
        let at = |us: u64| Timestamp::from_nanos(us * 1_000);
        for id in 1..=200_u64 {
            // The mode comes to show every second refresh; then the window moves to a quicker display.
            match id {
                60 => rec.set_refresh(Duration::from_millis(10), Duration::from_millis(20)),
                150 => rec.set_refresh(Duration::from_millis(4), Duration::from_millis(8)),
                _ => {}
            }
            let mut record = FrameRecord::new(FrameId(id));
            let start = id * 10_000 + id * id % 700;
            record.set(Stage::InputReceived, (id % 3 > 0).then(|| at(start - 4_000 - id % 17)));
            for (stage, us) in [(Stage::InputSampled, 0), (Stage::LogicDone, 200), (Stage::Submitted, 900)] {
                record.mark(stage, at(start + us));
            }
            record.mark(Stage::SwapBegin, at(start + 1_000));
            record.mark(Stage::SwapEnd, at(start + 1_100));
            record.animation_time = Duration::from_millis(10 * id);
            record.spun = Some(Duration::from_micros(id));
            (record.after_idle, record.repeated) = (id % 41 == 0, id % 37 == 0);
            record.apart = (90..110).contains(&id);
            rec.submitted(record);
            rec.gpu_done(FrameId(id), at(start + 1_500));
            let shown = Presentation::At(at(start + 6_000 + id % 5 * 9_000), Origin::Compositor);
            rec.presented(FrameId(id), if id % 7 == 0 { Presentation::Dropped } else { shown });
        }
        rec.finish();
        let (records, pushed_out) = rec.records();
        let log = FrameLog {
            refresh_hz: Some(100.0),
            warmup: 4,
            pushed_out,
            frames: records.iter().map(FrameRow::from).collect(),
            ..FrameLog::default()
        };
        let (again, run) = (log.metrics(), rec.metrics());
        assert!(rec.counters().dropped > 20 && rec.counters().contradicted > 0 && rec.counters().apart > 5);
        for &metric in Metric::ALL.iter().filter(|m| m.is_of_frames()) {
            assert_eq!(again.summary(metric), run.summary(metric), "{}", metric.name());
            assert_eq!(again.values(metric).len() as u64, run.get(metric).count(), "{}", metric.name());
            assert!(again.values(metric).is_sorted_by_key(|v| v.frame), "{}", metric.name());
        }
        assert_eq!(again.missed_vsyncs(), run.missed_vsyncs());
        assert_eq!(again.refreshes(), run.refreshes());
        assert!(run.missed_vsyncs() > 20);
        assert!(run.values(Metric::SampleToPhoton).is_empty(), "the loop keeps none");
    }
}
