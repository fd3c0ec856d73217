//! Rows of atomic words that one thread writes and any number of others read, without a lock and without waiting: a
//! sequence lock for each row, whose sequence is the number of the frame that the row holds.
//!
//! Every ordered access of the table is in this file. A test build can take each ordering out on its own (see [`Fault`]);
//! loom then has to find the harm, or the line would not be needed.
//!
//! ```text
//!  word      0        1        2 ..
//!        +--------+--------+-----------------+
//!  row   |  tag   | flags  | stamps, values  |      row n mod N holds frame n, until frame n + N takes it
//!        +--------+--------+-----------------+
//! ```
//!
//! *Writer*, for frame n: the tag says BUSY; a release fence; the other words become 0; the tag says n (release); then each
//! stamp is one relaxed store as it comes, and what is complete is said in the flags (release).
//!
//! *Reader*: the tag; acquire; the flags; acquire; the other words; acquire; the tag again. When both tags are n:
//!
//! - No word is of frame n + N or later: reading one would have ordered the writer's BUSY, which comes before that word's
//!   store by the release fence, before the second look at the tag, by the last acquire fence.
//! - No word is of frame n - N or earlier: the tag n was stored after all words were cleared (release), and read before they
//!   were read (first acquire). This goes for the flags as well, hence an acquire of its own between tag and flags.
//! - What the flags promise is there: its stores come before theirs (release; second acquire).
//!
//! The reader writes nothing: the writer cannot notice it, let alone wait for it.

use super::shim::{AtomicU64, Ordering, fence};

/// In the tag while the row is being cleared.
const BUSY: u64 = 1 << 63;
/// Where in a row the tag is.
const TAG: usize = 0;
/// Where in a row the flags are.
pub(super) const FLAGS: usize = 1;
/// The largest number that a row may have.
pub(super) const MOST: u64 = BUSY - 1;

/// Where rows lie in a table of words, and how many.
#[derive(Copy, Clone, Debug)]
pub(super) struct Lane {
    pub(super) begin: usize,
    pub(super) row_words: usize,
    /// A power of two.
    pub(super) rows: usize,
    #[cfg(test)]
    pub(super) fault: Option<Fault>,
}

/// What a reader found in a row.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// It holds the frame, whole as far as its flags say; all other words are in the reader's copy.
    Flags(u64),
    /// The writer has not come there yet, or is just there.
    NotYet,
    /// A later frame has taken the row: the reader is too late.
    Overwritten,
}

impl Lane {
    pub(super) const fn new(begin: usize, row_words: usize, rows: usize) -> Self {
        assert!(rows.is_power_of_two());
        Self {
            begin,
            row_words,
            rows,
            #[cfg(test)]
            fault: None,
        }
    }

    /// The first word behind the rows.
    pub(super) const fn end(&self) -> usize {
        self.begin + self.rows * self.row_words
    }

    /// The row of frame `n`.
    #[inline]
    fn row<'a>(&self, words: &'a [AtomicU64], n: u64) -> &'a [AtomicU64] {
        let begin = self.begin + (n as usize & (self.rows - 1)) * self.row_words;
        &words[begin..begin + self.row_words]
    }

    /// Writer: frame `n` takes its row, all of whose words are 0 from now on.
    #[inline]
    pub(super) fn begin(&self, words: &[AtomicU64], n: u64) {
        let row = self.row(words, n);
        if !self.has(Fault::BeginUnmarked) {
            row[TAG].store(BUSY | n, Ordering::Relaxed);
        }
        if !self.has(Fault::BeginWithoutFence) {
            // Release keeps BUSY before the stores below, and before every later stamp of this frame.
            fence(Ordering::Release);
        }
        for word in &row[FLAGS..] {
            word.store(0, Ordering::Relaxed);
        }
        let order = match () {
            () if self.has(Fault::BeginWithoutRelease) => Ordering::Relaxed,
            // Release keeps the clearing before this: who sees the tag sees nothing older than that.
            () => Ordering::Release,
        };
        row[TAG].store(n, order);
    }

    /// Writer: sets one word of frame `n`.
    #[inline]
    pub(super) fn set(&self, words: &[AtomicU64], n: u64, at: usize, value: u64) {
        // Relaxed: `flag` says when it can be relied on.
        self.row(words, n)[at].store(value, Ordering::Relaxed);
    }

    /// Writer: says what of frame `n` is complete.
    #[inline]
    pub(super) fn flag(&self, words: &[AtomicU64], n: u64, flags: u64) {
        let order = match () {
            () if self.has(Fault::FlagWithoutRelease) => Ordering::Relaxed,
            // Release keeps the stamps before this: who sees the flags sees the stamps that they speak of.
            () => Ordering::Release,
        };
        self.row(words, n)[FLAGS].store(flags, order);
    }

    /// Reader: copies the row of frame `n` to `copy`, whose words 0 and 1 are not touched. Reads each word once and never
    /// waits. Loads are relaxed with fences behind them, since memory that is mapped for reading only may be read in no
    /// other way.
    #[inline]
    pub(super) fn read(&self, words: &[AtomicU64], n: u64, copy: &mut [u64]) -> Found {
        let row = self.row(words, n);
        let tag = row[TAG].load(Ordering::Relaxed);
        if tag != n {
            return if tag & MOST > n { Found::Overwritten } else { Found::NotYet };
        }
        if !self.has(Fault::TagWithoutAcquire) {
            // Acquire keeps the loads below after this one: they see nothing older than the tag.
            fence(Ordering::Acquire);
        }
        let flags = row[FLAGS].load(Ordering::Relaxed);
        if !self.has(Fault::FlagsWithoutAcquire) {
            // Acquire keeps the loads below after this one: they see what the flags speak of.
            fence(Ordering::Acquire);
        }
        for (copy, word) in copy.iter_mut().zip(row).skip(FLAGS + 1) {
            *copy = word.load(Ordering::Relaxed);
        }
        if self.has(Fault::SecondLookSkipped) {
            return Found::Flags(flags);
        }
        if !self.has(Fault::SecondLookWithoutAcquire) {
            // Acquire keeps the loads above before the second look: were one of them of a later frame, this would see BUSY.
            fence(Ordering::Acquire);
        }
        let again = row[TAG].load(Ordering::Relaxed);
        match again & MOST {
            _ if again == n => Found::Flags(flags),
            later if later > n => Found::Overwritten,
            // The same frame is begun anew.
            _ => Found::NotYet,
        }
    }
}

/// One line of the algorithm taken out. Only test builds can build a lane that has one.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    BeginUnmarked,
    BeginWithoutFence,
    BeginWithoutRelease,
    FlagWithoutRelease,
    TagWithoutAcquire,
    FlagsWithoutAcquire,
    SecondLookSkipped,
    SecondLookWithoutAcquire,
}

#[cfg(not(test))]
impl Lane {
    /// No lane is faulty outside tests; the compiler removes every question.
    #[inline(always)]
    #[allow(clippy::unused_self, reason = "as in the test build")]
    const fn has(&self, _: Fault) -> bool {
        false
    }
}

#[cfg(test)]
impl Lane {
    #[cfg_attr(not(loom), allow(dead_code, reason = "only loom can show the harm of a fault"))]
    pub(super) const fn with_fault(self, fault: Fault) -> Self {
        Self { fault: Some(fault), ..self }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const LANE: Lane = Lane::new(3, 4, 2);

    fn words() -> Vec<AtomicU64> {
        (0..LANE.end()).map(|_| AtomicU64::new(0)).collect()
    }

    fn read(words: &[AtomicU64], n: u64) -> (Found, [u64; 2]) {
        let mut copy = [0; 4];
        let found = LANE.read(words, n, &mut copy);
        (found, [copy[2], copy[3]])
    }

    #[test]
    fn row_not_begun_is_not_yet_and_one_taken_is_overwritten() {
        let words = words();
        assert_eq!(read(&words, 1).0, Found::NotYet);
        LANE.begin(&words, 1);
        assert_eq!(read(&words, 1).0, Found::Flags(0));
        LANE.begin(&words, 3);
        assert_eq!(read(&words, 1).0, Found::Overwritten);
        assert_eq!(read(&words, 5).0, Found::NotYet);
        assert_eq!(read(&words, 3).0, Found::Flags(0));
    }

    #[test]
    fn row_begun_anew_has_nothing_of_what_it_held() {
        let words = words();
        LANE.begin(&words, 2);
        LANE.set(&words, 2, 2, 7);
        LANE.set(&words, 2, 3, 8);
        LANE.flag(&words, 2, 5);
        assert_eq!(read(&words, 2), (Found::Flags(5), [7, 8]));
        LANE.begin(&words, 4);
        assert_eq!(read(&words, 4), (Found::Flags(0), [0, 0]));
    }

    #[test]
    fn row_that_is_busy_gives_nothing() {
        let words = words();
        LANE.begin(&words, 2);
        words[3].store(BUSY | 4, Ordering::Relaxed);
        assert_eq!(read(&words, 2).0, Found::Overwritten);
        assert_eq!(read(&words, 4).0, Found::NotYet);
    }
}
