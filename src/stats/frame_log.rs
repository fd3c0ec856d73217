use super::{FrameRecord, Stage};
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacing::FrameId;

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
}
