use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::layout::{
    AT_MAGIC, AT_NAMES, AT_SHAPE, AT_STATE, AT_VERSION, MAGIC, NAME_WORDS, SHAPE, VERSION, WORDS,
};
use super::reader::Reader;
use super::shim::{AtomicU64, Ordering, fence};
use super::text;
use super::writer::{FrameStamps, StepStamps};
use crate::stats::Stage;

/// Where a run stands.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[repr(u64)]
#[non_exhaustive]
pub enum State {
    /// No frame can have been drawn yet.
    #[default]
    Starting,
    /// Frames come.
    Running,
    /// No more frames come.
    Ended,
}

impl State {
    /// Release keeps all stamps before the end: who sees the end sees the last frame.
    pub(super) const ORDER: Ordering = Ordering::Release;

    #[inline]
    pub(super) fn store(self, word: &AtomicU64, order: Ordering) {
        word.store(self as u64, order);
    }

    #[inline]
    pub(super) fn load(word: &AtomicU64) -> Self {
        let state = match word.load(Ordering::Relaxed) {
            0 => Self::Starting,
            1 => Self::Running,
            _ => Self::Ended,
        };
        // Acquire keeps what is read of frames after this.
        fence(Ordering::Acquire);
        state
    }
}

/// The words of a table: memory of this process, or of the one that writes them.
pub(super) enum Words {
    Own(Box<[AtomicU64]>),
    #[cfg(all(feature = "telemetry", target_os = "linux"))]
    Shared(super::shared::Mapping),
}

impl Words {
    pub(super) fn own() -> Self {
        Self::Own((0..WORDS).map(|_| AtomicU64::new(0)).collect())
    }

    #[inline]
    pub(super) fn get(&self) -> &[AtomicU64] {
        match self {
            Self::Own(words) => words,
            #[cfg(all(feature = "telemetry", target_os = "linux"))]
            Self::Shared(mapping) => mapping.words(),
        }
    }

    /// Fills in what never changes. Before anybody else can see the words.
    pub(super) fn describe(&self) {
        let words = self.get();
        let put = |at: usize, value: u64| words[at].store(value, Ordering::Relaxed);
        put(AT_MAGIC, MAGIC);
        put(AT_VERSION, VERSION);
        SHAPE.into_iter().enumerate().for_each(|(i, value)| put(AT_SHAPE + i, value));
        for (i, stage) in Stage::ALL.into_iter().enumerate() {
            let name = text::to_words::<NAME_WORDS>(stage.name());
            name.into_iter().enumerate().for_each(|(j, word)| put(AT_NAMES + i * NAME_WORDS + j, word));
        }
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Own(_)) { "Words::Own" } else { "Words::Shared" })
    }
}

/// A stage table: what the two threads of one run stamp into, for any number of [`Reader`]s.
#[derive(Clone, Debug)]
pub struct Telemetry {
    pub(super) table: Arc<Table>,
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) words: Words,
    /// A run has it: there is one producer of each stage.
    claimed: AtomicBool,
    /// What is taken away with the table.
    #[cfg(all(feature = "telemetry", target_os = "linux"))]
    _plate: Option<super::shared::Plate>,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self::new()
    }
}

impl Telemetry {
    /// A table in the memory of this process: 194 KiB.
    #[must_use]
    pub fn new() -> Self {
        let words = Words::own();
        words.describe();
        Self { table: Arc::new(Table::new(words)) }
    }

    /// A table in memory that other processes of the same user find under `name` and can only read: see
    /// [`shared`](super::shared).
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) where the name cannot be one or a running program has it, and where this build
    /// or system has no such memory; [`Error::Io`](crate::Error::Io) where the system refuses.
    pub fn named(name: &str) -> crate::Result<Self> {
        #[cfg(all(feature = "telemetry", target_os = "linux"))]
        return super::shared::create(name);
        #[cfg(not(all(feature = "telemetry", target_os = "linux")))]
        Err(crate::Error::Config(format!(
            "telemetry '{name}': this build of scanout cannot share it with other processes (it takes Linux and the \
             feature `telemetry`)"
        )))
    }

    /// A reader of its own, which begins with the oldest frame that is surely still there.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.table))
    }

    /// The producers' ends, once: a table is for one run.
    pub(crate) fn claim(&self) -> Option<(StepStamps, FrameStamps)> {
        // AcqRel has nothing to order but the two claims themselves.
        if self.table.claimed.swap(true, Ordering::AcqRel) {
            return None;
        }
        Some((StepStamps::new(Arc::clone(&self.table)), FrameStamps::new(Arc::clone(&self.table))))
    }
}

impl Table {
    pub(super) const fn new(words: Words) -> Self {
        Self {
            words,
            claimed: AtomicBool::new(false),
            #[cfg(all(feature = "telemetry", target_os = "linux"))]
            _plate: None,
        }
    }

    #[cfg(all(feature = "telemetry", target_os = "linux"))]
    pub(super) const fn with_plate(words: Words, plate: super::shared::Plate) -> Self {
        Self { words, claimed: AtomicBool::new(false), _plate: Some(plate) }
    }

    pub(super) fn state(&self) -> State {
        State::load(&self.words.get()[AT_STATE])
    }
}
