use std::sync::Arc;
use std::time::Duration;

use super::layout::{
    ABOUT, ABOUT_INTERVAL, ABOUT_ORIGIN, ABOUT_REFRESH, ABOUT_TEXTS, ABOUT_WARMUP, ABOUT_WHOLE, AT_FRAME,
    AT_REFRESHED, AT_STATE, FRAMES, ROWS, STEPS, TEXT_WORDS, TEXTS, frame, step,
};
use super::shim::{AtomicU64, Ordering};
use super::table::{State, Table};
use super::{refresh, text};
use crate::pacing::{FrameId, Origin, Pacing, Presentation, VblankSample};
use crate::stats::{FrameRecord, Stage};
use crate::time::{Timestamp, nanos};

/// A stamp in a word: 0 is none, and the clock's very start counts as its first nanosecond.
fn word(at: Timestamp) -> u64 {
    at.as_nanos().max(1)
}

fn word_or_none(at: Option<Timestamp>) -> u64 {
    at.map_or(0, word)
}

/// The producer's end for the stages of the logic: it goes with the logic's step, whichever thread makes that.
#[derive(Debug)]
pub(crate) struct StepStamps {
    table: Arc<Table>,
    step: u64,
}

impl StepStamps {
    pub(super) const fn new(table: Arc<Table>) -> Self {
        Self { table, step: 0 }
    }

    /// The step that is to become snapshot `number` begins, with the stamp of its input. A step that comes to nothing is
    /// begun anew under the same number, before anybody has heard of it.
    #[inline]
    pub(crate) fn begin(&mut self, number: u64, sampled: Timestamp) {
        self.step = number;
        STEPS.begin(self.table.words.get(), number);
        self.stamp(Stage::InputSampled, sampled);
    }

    /// Stamps a stage of the step. One relaxed store.
    #[inline]
    pub(crate) fn stamp(&self, stage: Stage, at: Timestamp) {
        let place = match stage {
            Stage::InputReceived => step::RECEIVED,
            Stage::InputSampled => step::SAMPLED,
            Stage::LogicDone => step::DONE,
            Stage::SnapshotPublished => step::PUBLISHED,
            // The other thread's.
            _ => return,
        };
        STEPS.set(self.table.words.get(), self.step, place, word(at));
    }
}

/// The producer's end for the stages of the render thread. It keeps in memory of its own what it has to know again, and
/// never reads the table.
#[derive(Debug)]
pub(crate) struct FrameStamps {
    table: Arc<Table>,
    /// The frame in each row with its flags.
    rows: Box<[(FrameId, u64)]>,
    about: u64,
    /// Refreshes that were told.
    refreshes: u64,
}

/// What is drawn with and to, as it is told.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Told<'a> {
    pub(crate) surface: &'a str,
    pub(crate) vendor: &'a str,
    pub(crate) renderer: &'a str,
    pub(crate) version: &'a str,
    /// What tells display times, and who stands behind it.
    pub(crate) source: (&'a str, Origin),
    pub(crate) pacing: Pacing,
    pub(crate) refresh: Duration,
    pub(crate) interval: Duration,
    pub(crate) warmup: u64,
}

impl FrameStamps {
    pub(super) fn new(table: Arc<Table>) -> Self {
        Self { table, rows: vec![(FrameId(0), 0); ROWS].into_boxed_slice(), about: 0, refreshes: 0 }
    }

    #[inline]
    fn words(&self) -> &[AtomicU64] {
        self.table.words.get()
    }

    /// Says what is drawn with and to. Now and then, not per frame: about 120 stores; no allocation.
    pub(crate) fn tell(&mut self, told: &Told<'_>) {
        self.about += 1;
        let (words, n) = (self.words(), self.about);
        ABOUT.begin(words, n);
        let put = |at, value| ABOUT.set(words, n, at, value);
        put(ABOUT_REFRESH, nanos(told.refresh));
        put(ABOUT_INTERVAL, nanos(told.interval));
        put(ABOUT_WARMUP, told.warmup);
        let (source, origin) = told.source;
        put(ABOUT_ORIGIN, origin_code(origin));
        let texts: [[u64; TEXT_WORDS]; TEXTS] = [
            text::to_words(told.pacing),
            text::to_words(told.surface),
            text::to_words(told.vendor),
            text::to_words(told.renderer),
            text::to_words(told.version),
            text::to_words(source),
        ];
        for (i, word) in texts.as_flattened().iter().enumerate() {
            put(ABOUT_TEXTS + i, *word);
        }
        ABOUT.flag(words, n, ABOUT_WHOLE);
        State::Running.store(&words[AT_STATE], State::ORDER);
    }

    /// A frame took its snapshot; `seen` is the snapshot of the frame before. What the record knows by then is written.
    #[inline]
    pub(crate) fn begin(&mut self, record: &FrameRecord, seen: u64) {
        let n = record.id.0;
        let flag = |on: bool, flag: u64| if on { flag } else { 0 };
        let flags = flag(record.repeated, frame::REPEATED)
            | flag(record.stale, frame::STALE)
            | flag(record.after_idle, frame::AFTER_IDLE)
            | flag(record.apart, frame::APART)
            | flag(record.at(Stage::InputSampled).is_none(), frame::STEP_VOID);
        self.rows[record.id.slot(ROWS)] = (record.id, flags);
        let words = self.words();
        FRAMES.begin(words, n);
        let put = |at, value| FRAMES.set(words, n, at, value);
        put(frame::SNAPSHOT, record.snapshot);
        put(frame::SEEN, seen);
        put(frame::ACQUIRED, word_or_none(record.at(Stage::SnapshotAcquired)));
        put(frame::ANIMATION, nanos(record.animation_time));
        put(frame::PLANNED, word_or_none(record.planned));
        put(frame::SWAP_AT, word_or_none(record.swap_at));
        put(frame::TARGET, word_or_none(record.target));
        put(frame::SPUN, record.spun.map_or(0, |spun| nanos(spun).saturating_add(1)));
    }

    /// Stamps a stage of the frame that was begun last. One relaxed store.
    #[inline]
    pub(crate) fn stamp(&self, id: FrameId, stage: Stage, at: Timestamp) {
        let place = match stage {
            Stage::Submitted => frame::SUBMITTED,
            Stage::SwapBegin => frame::SWAP_BEGIN,
            Stage::SwapEnd => frame::SWAP_END,
            // Those that come with the frame's begin, later, or from the other thread.
            _ => return,
        };
        FRAMES.set(self.words(), id.0, place, word(at));
    }

    /// The renderer read the newest input for this frame.
    #[inline]
    pub(crate) fn latched(&self, id: FrameId, at: Option<Timestamp>) {
        FRAMES.set(self.words(), id.0, frame::LATCHED, word_or_none(at));
    }

    /// The frame is swapped: readers may have it. `queued` as in [`FrameRecord::queued`].
    #[inline]
    pub(crate) fn swapped(&mut self, id: FrameId, queued: Option<u32>) {
        let queued = queued.map_or(0, |n| u64::from(n) + 1) << frame::QUEUED;
        self.raise(id, frame::SWAPPED | queued);
        // Relaxed: it only says where to look; what is there says the row itself.
        self.words()[AT_FRAME].store(id.0, Ordering::Relaxed);
    }

    /// The GPU was seen done with the frame, now or in the past.
    #[inline]
    pub(crate) fn gpu_done(&mut self, id: FrameId, at: Timestamp) {
        if self.open(id, frame::GPU_DONE) {
            FRAMES.set(self.words(), id.0, frame::GPU, word(at));
            self.raise(id, frame::GPU_DONE);
        }
    }

    /// What became of the frame, as the recorder takes it for true.
    #[inline]
    pub(crate) fn presented(&mut self, id: FrameId, presentation: Presentation) {
        if !self.open(id, frame::PRESENTED | frame::DROPPED) {
            return;
        }
        match presentation.time() {
            Some((at, origin)) => {
                FRAMES.set(self.words(), id.0, frame::SHOWN, word(at));
                self.raise(id, frame::PRESENTED | origin_code(origin) << frame::ORIGIN);
            }
            None => self.raise(id, frame::DROPPED),
        }
    }

    /// The display refreshed, so many nanoseconds before it was predicted to, where it was.
    #[inline]
    pub(crate) fn refreshed(&mut self, sample: &VblankSample, phase_error: Option<i64>) {
        self.refreshes += 1;
        refresh::write(self.words(), self.refreshes, sample, phase_error);
        // Relaxed: it only says where to look.
        self.words()[AT_REFRESHED].store(self.refreshes, Ordering::Relaxed);
    }

    /// Whether the frame still has its row, was swapped, and none of `flags` was said of it.
    #[inline]
    fn open(&self, id: FrameId, flags: u64) -> bool {
        let (holder, known) = self.rows[id.slot(ROWS)];
        holder == id && known & frame::SWAPPED != 0 && known & flags == 0
    }

    #[inline]
    fn raise(&mut self, id: FrameId, flags: u64) {
        let row = &mut self.rows[id.slot(ROWS)];
        row.1 |= flags;
        let flags = row.1;
        FRAMES.flag(self.words(), id.0, flags);
    }
}

impl Drop for FrameStamps {
    fn drop(&mut self) {
        State::Ended.store(&self.words()[AT_STATE], State::ORDER);
    }
}

pub(super) const fn origin_code(origin: Origin) -> u64 {
    match origin {
        Origin::Hardware => 0,
        Origin::Compositor => 1,
        Origin::Estimated => 2,
        Origin::Simulated => 3,
    }
}

/// The origin of a code of which only the lowest two bits count.
pub(super) const fn origin_of(code: u64) -> Origin {
    match code & 3 {
        0 => Origin::Hardware,
        1 => Origin::Compositor,
        2 => Origin::Estimated,
        _ => Origin::Simulated,
    }
}
