use std::sync::Arc;
use std::time::Duration;

use super::lane::{Found, MOST};
use super::layout::{
    ABOUT, ABOUT_INTERVAL, ABOUT_ORIGIN, ABOUT_REFRESH, ABOUT_TEXTS, ABOUT_WARMUP, ABOUT_WHOLE, AT_FRAME,
    AT_REFRESHED, FRAMES, REFRESHES, ROWS, STEPS, TEXT_WORDS, frame, step,
};
use super::refresh::{self, Refresh};
use super::shim::{AtomicU64, Ordering};
use super::table::{State, Table};
use super::text;
use super::writer::origin_of;
use crate::pacing::{FrameId, Origin};
use crate::stats::{FrameRecord, PENDING, Stage};
use crate::time::Timestamp;

/// How far behind the newest frame a reader begins, also after it came too late: half the table, so that the writer does
/// not overtake it at once.
const BEHIND: u64 = ROWS as u64 / 2;
/// Values from here on are no nanoseconds that anybody measured (146 years); differences of smaller ones do not overflow.
const NONSENSE: u64 = 1 << 62;
/// No display refreshes less often than this.
const LONGEST_REFRESH: Duration = Duration::from_secs(10);

/// What is drawn with and to, as the writer tells it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct About {
    /// The display's refresh interval; zero where it is not known.
    pub refresh: Duration,
    /// The interval from frame to frame that the pacing mode aims at.
    pub interval: Duration,
    /// Frames at the start that belong to the warm-up.
    pub warmup: u64,
    /// The pacing mode.
    pub pacing: String,
    /// How the surface came about.
    pub surface: String,
    /// `GL_VENDOR`.
    pub vendor: String,
    /// `GL_RENDERER`.
    pub renderer: String,
    /// `GL_VERSION`.
    pub version: String,
    /// What tells display times; empty where nobody has told.
    pub source: String,
    /// Who stands behind those times.
    pub origin: Origin,
}

/// One reader of a [`Telemetry`](super::Telemetry): it has its own place and its own count of what it missed, and the
/// writer does not know of it. Reading a frame costs about 40 loads.
#[derive(Debug)]
pub struct Reader {
    table: Arc<Table>,
    /// The frame to be read next.
    pub(super) next: u64,
    /// The refresh to be read next.
    next_refresh: u64,
    overwritten: u64,
    refused: u64,
}

impl Reader {
    pub(super) fn new(table: Arc<Table>) -> Self {
        let mut reader = Self { table, next: 1, next_refresh: 1, overwritten: 0, refused: 0 };
        reader.next = reader.newest().saturating_sub(BEHIND).max(1);
        reader.next_refresh = reader.half_behind();
        reader
    }

    /// Leaves out what is there by now: from here on only frames and refreshes that come later are given.
    pub fn skip(&mut self) {
        self.next = self.newest() + 1;
        self.next_refresh = self.newest_refresh() + 1;
    }

    fn words(&self) -> &[AtomicU64] {
        self.table.words.get()
    }

    /// The newest frame that was swapped, 0 before the first.
    #[must_use]
    pub fn newest(&self) -> u64 {
        // Relaxed: it only says where to look.
        self.words()[AT_FRAME].load(Ordering::Relaxed) & MOST >> 1
    }

    /// Where the run stands. Whoever has seen the end and [polls](Self::poll) then has seen all.
    #[must_use]
    pub fn state(&self) -> State {
        self.table.state()
    }

    /// Frames that were overwritten before this reader came to them. A reader that is called at least once for every 512
    /// frames misses none.
    #[must_use]
    pub const fn overwritten(&self) -> u64 {
        self.overwritten
    }

    /// Frames, and refreshes, whose stamps cannot be what they say: the writer is not scanout, or is broken.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// Gives every frame of which all is known by now to `each`, in their order; once the run has [ended](State::Ended), all
    /// the others as well. A frame that waits for its GPU or display time for 128 frames is given with what is known of it.
    /// Returns how many there were. Never waits, and does not allocate.
    pub fn poll(&mut self, each: impl FnMut(FrameRecord)) -> u64 {
        let ended = self.state() == State::Ended;
        self.give(ended, each)
    }

    /// As [`poll`](Self::poll), with all the others as well: for whoever knows that the writer has died.
    pub fn rest(&mut self, each: impl FnMut(FrameRecord)) -> u64 {
        self.give(true, each)
    }

    fn give(&mut self, ended: bool, mut each: impl FnMut(FrameRecord)) -> u64 {
        let newest = self.newest();
        let mut given = 0;
        // A writer that is no scanout cannot keep this loop going.
        for _ in 0..2 * ROWS {
            match self.read(self.next) {
                Read::Frame(record, complete) => {
                    if !(complete || ended || self.next.saturating_add(PENDING as u64) <= newest) {
                        break;
                    }
                    each(record);
                    given += 1;
                    self.next += 1;
                }
                Read::Refused => {
                    self.refused += 1;
                    self.next += 1;
                }
                Read::NotYet => break,
                Read::Overwritten => {
                    let next = self.newest().saturating_sub(BEHIND).max(self.next + 1);
                    self.overwritten += next - self.next;
                    self.next = next;
                }
            }
        }
        given
    }

    /// Gives every refresh of the display that was told since the last call to `each`, in their order. Those that were
    /// overwritten meanwhile are left out: a reader that is called at least once for every 128 of them misses none. Returns how
    /// many there were. Never waits, and does not allocate.
    pub fn refreshes(&mut self, mut each: impl FnMut(Refresh)) -> u64 {
        let mut given = 0;
        for _ in 0..2 * REFRESHES.rows {
            match refresh::read(self.words(), self.next_refresh) {
                refresh::Read::Refresh(refresh) => {
                    each(refresh);
                    given += 1;
                    self.next_refresh += 1;
                }
                refresh::Read::Refused => {
                    self.refused += 1;
                    self.next_refresh += 1;
                }
                refresh::Read::NotYet => break,
                refresh::Read::Overwritten => {
                    self.next_refresh = self.half_behind().max(self.next_refresh + 1);
                }
            }
        }
        given
    }

    /// Half of the rows behind the newest refresh, so that the writer does not overtake the reader at once.
    fn half_behind(&self) -> u64 {
        self.newest_refresh().saturating_sub(REFRESHES.rows as u64 / 2).max(1)
    }

    fn newest_refresh(&self) -> u64 {
        // Relaxed: it only says where to look.
        self.words()[AT_REFRESHED].load(Ordering::Relaxed) & MOST >> 1
    }

    /// What is drawn with and to; `None` before it is known, and while it changes just now. Allocates.
    #[must_use]
    pub fn about(&self) -> Option<About> {
        let mut row = [0; ABOUT.row_words];
        // Relaxed: which version it is; `read` says whether it is whole.
        let version = self.words()[ABOUT.begin].load(Ordering::Relaxed) & MOST;
        let found = ABOUT.read(self.words(), version, &mut row);
        if version == 0 || found != Found::Flags(ABOUT_WHOLE) {
            return None;
        }
        let text = |i: usize| text::from_words(&row[ABOUT_TEXTS + i * TEXT_WORDS..][..TEXT_WORDS]);
        let span = |at: usize| Duration::from_nanos(row[at]).min(LONGEST_REFRESH);
        Some(About {
            refresh: span(ABOUT_REFRESH),
            interval: span(ABOUT_INTERVAL),
            warmup: row[ABOUT_WARMUP],
            pacing: text(0),
            surface: text(1),
            vendor: text(2),
            renderer: text(3),
            version: text(4),
            source: text(5),
            origin: origin_of(row[ABOUT_ORIGIN]),
        })
    }

    fn read(&self, n: u64) -> Read {
        let mut row = [0; FRAMES.row_words];
        let flags = match FRAMES.read(self.words(), n, &mut row) {
            Found::Flags(flags) if flags & frame::SWAPPED != 0 => flags,
            Found::Flags(_) | Found::NotYet => return Read::NotYet,
            Found::Overwritten => return Read::Overwritten,
        };
        if row[frame::SNAPSHOT..].iter().any(|word| *word >= NONSENSE) {
            return Read::Refused;
        }
        let time = |at: usize| Some(row[at]).filter(|nanos| *nanos > 0).map(Timestamp::from_nanos);
        let has = |flag: u64| flags & flag != 0;
        let mut record = FrameRecord::new(FrameId(n));
        record.snapshot = row[frame::SNAPSHOT];
        record.origin =
            if has(frame::PRESENTED) { origin_of(flags >> frame::ORIGIN) } else { Origin::default() };
        record.animation_time = Duration::from_nanos(row[frame::ANIMATION]);
        record.repeated = has(frame::REPEATED);
        record.stale = has(frame::STALE);
        record.dropped = has(frame::DROPPED);
        record.after_idle = has(frame::AFTER_IDLE);
        record.apart = has(frame::APART);
        record.planned = time(frame::PLANNED);
        record.latched = time(frame::LATCHED);
        record.swap_at = time(frame::SWAP_AT);
        record.target = time(frame::TARGET);
        record.spun = row[frame::SPUN].checked_sub(1).map(Duration::from_nanos);
        record.queued = (flags >> frame::QUEUED).checked_sub(1).and_then(|n| u32::try_from(n).ok());
        record.set(Stage::SnapshotAcquired, time(frame::ACQUIRED));
        record.set(Stage::Submitted, time(frame::SUBMITTED));
        record.set(Stage::SwapBegin, time(frame::SWAP_BEGIN));
        record.set(Stage::SwapEnd, time(frame::SWAP_END));
        record.set(Stage::GpuDone, time(frame::GPU).filter(|_| has(frame::GPU_DONE)));
        record.set(Stage::Presented, time(frame::SHOWN).filter(|_| has(frame::PRESENTED)));
        if !has(frame::STEP_VOID) {
            self.add_step(&mut record, row[frame::SEEN]);
        }
        Read::Frame(record, has(frame::DROPPED) || has(frame::GPU_DONE) && has(frame::PRESENTED))
    }

    /// The stamps of the step that made the frame's snapshot, and the earliest input since the snapshot before it. That the
    /// step's row is whole follows from the frame's: it was written before the snapshot was published, and the frame's flags
    /// after it was acquired.
    fn add_step(&self, record: &mut FrameRecord, seen: u64) {
        let Some(row) = self.step(record.snapshot) else { return };
        let time = |word: u64| Some(word).filter(|n| (1..NONSENSE).contains(n)).map(Timestamp::from_nanos);
        record.set(Stage::InputSampled, time(row[step::SAMPLED]));
        if record.repeated {
            return;
        }
        record.set(Stage::LogicDone, time(row[step::DONE]));
        record.set(Stage::SnapshotPublished, time(row[step::PUBLISHED]));
        let first = seen.saturating_add(1).max(record.snapshot.saturating_sub(ROWS as u64 - 1));
        let mut earliest: Option<Timestamp> = None;
        for n in first..=record.snapshot {
            // The input of a step that is overwritten is not known any more: then that of the frame is not, either.
            let Some(row) = self.step(n) else { return };
            earliest = match (earliest, time(row[step::RECEIVED])) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        record.set(Stage::InputReceived, earliest);
    }

    fn step(&self, n: u64) -> Option<[u64; STEPS.row_words]> {
        let mut row = [0; STEPS.row_words];
        matches!(STEPS.read(self.words(), n, &mut row), Found::Flags(_) if n > 0).then_some(row)
    }
}

#[allow(
    clippy::large_enum_variant,
    reason = "it lives on the stack for a moment; a box would be an allocation"
)]
enum Read {
    /// A frame, and whether all is known of it.
    Frame(FrameRecord, bool),
    /// A frame that cannot be.
    Refused,
    NotYet,
    Overwritten,
}
