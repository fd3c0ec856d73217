//! The snapshot buffer: the newest whole snapshot, from one writer to one reader, without waiting.
//!
//! The logic thread [writes](Writer::write) a snapshot in place and publishes it; the render thread
//! [acquires](Reader::acquire) the latest one and reads it for as long as it likes. The frame index, the slot
//! of the latest snapshot and the claim on it live in one atomic word, so that "which is the latest" and "who
//! has it" can never disagree.
//!
//! ```
//! use scanout::sync::snapshot::{DEFAULT_SLOTS, buffer};
//!
//! let (mut writer, mut reader) = buffer::<Vec<f32>, DEFAULT_SLOTS>(|_slot| Vec::new());
//! assert!(!reader.acquire().fresh); // nothing is published yet: the initial value
//!
//! let mut slot = writer.write(); // holds an old snapshot, so that its storage is reused
//! slot.clear();
//! slot.push(0.5);
//! let published = slot.publish();
//! assert_eq!((published.index, published.overwrote_unread), (1, false));
//!
//! let latest = reader.acquire();
//! assert_eq!((latest.index, latest.fresh, latest.skipped), (1, true, 0));
//! assert_eq!(*latest.value, [0.5]);
//! ```
//!
//! # Guarantees
//! - Never torn: a slot that the reader has claimed is not written until the reader has claimed another.
//! - Never back in time: a snapshot acquired is never older than one acquired before.
//! - Nobody waits: every operation is a fixed number of steps, whatever the other side does or has stopped
//!   doing. There is no loop, no lock and no allocation after [`buffer`].
//! - Nothing is lost in silence: [`Published::overwrote_unread`] and [`Acquired::skipped`] tell each side of
//!   a snapshot that was never read, and `published = acquired + overwritten + (1 if one is unread)`.
//!
//! # States
//! The one word, with what each side may do in each state (`L` is the slot of the latest snapshot):
//!
//! ```text
//!                  publish                                    publish (the unread one is
//!           +------------------------> [ unread: index, L ] --+ overwritten; needs 3 slots)
//!           |                            |             |   ^  |
//!           |      Reader::acquire:      |             |   +--+
//!           |      L is the reader's,    |             | Writer::write with 2 slots:
//!           |      its former slot the   |             | L is the writer's again,
//!           |      writer's              v             v the reader keeps the slot it has
//!           +------------------------- [ claimed ] <---+
//! ```
//!
//! Who claims first, decides; the other finds the claim and goes on with the slot that it has.
//!
//! # Cost
//! Publishing costs one atomic read-modify-write (with two slots: two), acquiring something new costs one load
//! and one read-modify-write, and finding nothing new one load. Each touches one shared cache line beside the
//! snapshot itself. `benches/snapshot.rs` measures it against other designs;
//! `docs/snapshot-buffer.md` has the figures and the argument why it is right.

use super::shim::Arc;
use super::word::{Fault, State, Word};
use crossbeam_utils::CachePadded;
use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// The number of slots when none is asked for.
///
/// With three the writer always has a free slot, and an unread snapshot stays there to be read while the next
/// one is written: the reader always gets the latest one published. With two the writer has to take an unread
/// snapshot back first, so that a reader that comes in the meantime keeps an older one, for as long as it
/// happens to come in those moments; it saves the memory of one slot. `docs/snapshot-buffer.md` has the
/// measurements.
pub const DEFAULT_SLOTS: usize = 3;

/// A buffer of `N` slots, 2 or 3, each made by `init` (which is told the slot, `0..N`).
///
/// The reader starts on slot 0 with index 0, which counts as read; the first snapshot published has index 1.
/// All memory is allocated here, and each slot starts on a cache line of its own.
///
/// ```compile_fail,E0080
/// scanout::sync::snapshot::buffer::<u32, 4>(|_| 0); // neither 2 nor 3
/// ```
pub fn buffer<T, const N: usize>(init: impl FnMut(usize) -> T) -> (Writer<T, N>, Reader<T, N>) {
    with_word(Word::new(), init)
}

fn with_word<T, const N: usize>(
    word: Word,
    mut init: impl FnMut(usize) -> T,
) -> (Writer<T, N>, Reader<T, N>) {
    const { assert!(N == 2 || N == 3, "a snapshot buffer has 2 or 3 slots") };
    let slots = std::array::from_fn(|slot| CachePadded::new(UnsafeCell::new(init(slot))));
    let shared = Arc::new(Shared { word: CachePadded::new(word), slots });
    let writer = Writer {
        shared: Arc::clone(&shared),
        latest: 0,
        // As if the reader had come from the last slot and claimed slot 0 since.
        reader: N - 1,
        own: 1,
        owns_one: N == 3,
        taken_back: false,
        index: 0,
        overwritten: 0,
        content: PhantomData,
    };
    (writer, Reader { shared, slot: 0, index: 0, content: PhantomData })
}

#[cfg(all(test, loom))]
pub(super) fn faulty<T, const N: usize>(
    fault: Fault,
    init: impl FnMut(usize) -> T,
) -> (Writer<T, N>, Reader<T, N>) {
    with_word(Word::with_fault(fault), init)
}

struct Shared<T, const N: usize> {
    word: CachePadded<Word>,
    slots: [CachePadded<UnsafeCell<T>>; N],
}

// SAFETY: at any time a slot belongs to the writer or to the reader, never to both (see `Writer`), so that a
// `T` is handed over between threads, for which `Send` is enough, and never used from both at once.
unsafe impl<T: Send, const N: usize> Sync for Shared<T, N> {}

// Invariant: the reader's slot is `reader`, or `latest` if it has claimed that since the writer last looked. If
// `owns_one`, then `own` is the writer's: a third slot, or one that `write` got hold of. With three slots it
// always owns one.
/// The writing side; one per buffer.
pub struct Writer<T, const N: usize = DEFAULT_SLOTS> {
    shared: Arc<Shared<T, N>>,
    latest: usize,
    reader: usize,
    own: usize,
    owns_one: bool,
    /// The writer has claimed its own unread snapshot: `own` is `latest`. Only with two slots.
    taken_back: bool,
    index: u64,
    overwritten: u64,
    // `Sync` only if `T` is: without it, the `Arc` alone would make it so.
    content: PhantomData<T>,
}

impl<T, const N: usize> Writer<T, N> {
    /// A slot to write the next snapshot into. It holds an old snapshot (or the initial value), whose storage
    /// can be reused; which one is not specified.
    ///
    /// Cost: nothing shared is touched with three slots; at most one read-modify-write with two. With two
    /// slots an unread snapshot is taken back here: the reader no longer gets it, and keeps the older one
    /// that it has until the next publish.
    pub fn write(&mut self) -> WriteSlot<'_, T, N> {
        if N == 2 && !self.owns_one {
            self.get_hold_of_one();
        }
        WriteSlot { writer: self }
    }

    /// Whether the latest snapshot still waits for the reader. Cost: one load.
    ///
    /// The reader may acquire it right after. It is `false` as well when the snapshot was taken back.
    #[must_use]
    pub fn has_unread(&self) -> bool {
        !self.shared.word.peek().is_claimed()
    }

    /// The number of snapshots published, which is the index of the last one.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.index
    }

    /// The number of snapshots known to be gone unread: overwritten, or taken back to be overwritten.
    #[must_use]
    pub fn overwritten(&self) -> u64 {
        self.overwritten
    }

    /// With two slots, after a publish: one is the latest, the reader has claimed it or has the other. Whoever
    /// claims first decides, and leaves the other side a slot.
    fn get_hold_of_one(&mut self) {
        if self.shared.word.take_back().is_claimed() && !self.has(Fault::TakeBackUnchecked) {
            self.own = std::mem::replace(&mut self.reader, self.latest);
        } else {
            self.own = self.latest;
            self.taken_back = true;
            self.overwritten += 1;
        }
        self.owns_one = true;
    }

    fn publish(&mut self) -> Published {
        self.index += 1;
        let old = self.shared.word.publish(State::unread(self.index, self.own));
        let before = std::mem::replace(&mut self.latest, self.own);
        let overwrote_unread = if N == 2 {
            // `get_hold_of_one` has claimed the one before, or has found it claimed: `old` says nothing new.
            self.owns_one = false;
            std::mem::take(&mut self.taken_back)
        } else if old.is_claimed() && !self.has(Fault::PublishUnchecked) {
            self.own = std::mem::replace(&mut self.reader, before);
            false
        } else {
            self.own = before;
            self.overwritten += 1;
            true
        };
        Published { index: self.index, overwrote_unread }
    }

    #[inline(always)]
    fn has(&self, fault: Fault) -> bool {
        self.shared.word.has(fault)
    }
}

impl<T, const N: usize> fmt::Debug for Writer<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("published", &self.index)
            .field("overwritten", &self.overwritten)
            .finish_non_exhaustive()
    }
}

/// A slot that is the writer's alone, from [`Writer::write`].
///
/// Dropping it without [`publish`](Self::publish), by a panic too, publishes nothing: the reader never sees
/// what was written, and the next write gets the slot again.
#[must_use = "nothing is published until `publish` is called"]
pub struct WriteSlot<'a, T, const N: usize = DEFAULT_SLOTS> {
    writer: &'a mut Writer<T, N>,
}

impl<T, const N: usize> WriteSlot<'_, T, N> {
    /// Makes the content of this slot the latest snapshot, and says what became of the one before.
    ///
    /// Cost: one read-modify-write.
    pub fn publish(self) -> Published {
        self.writer.publish()
    }
}

impl<T, const N: usize> Deref for WriteSlot<'_, T, N> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `own` is the writer's until it publishes, which takes `self`.
        unsafe { &*self.writer.shared.slots[self.writer.own].get() }
    }
}

impl<T, const N: usize> DerefMut for WriteSlot<'_, T, N> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: `own` is the writer's until it publishes, which takes `self`.
        unsafe { &mut *self.writer.shared.slots[self.writer.own].get() }
    }
}

impl<T: fmt::Debug, const N: usize> fmt::Debug for WriteSlot<'_, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WriteSlot").field(&**self).finish()
    }
}

/// What [`WriteSlot::publish`] did.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Published {
    /// The index of this snapshot: 1 for the first, one more for each.
    pub index: u64,
    /// The snapshot before this one was never acquired, and now never will be.
    pub overwrote_unread: bool,
}

// Invariant: `slot` is the reader's until it claims another.
/// The reading side; one per buffer.
///
/// It can be shared between threads only if the content can, since [`current`](Self::current) needs no `&mut`:
///
/// ```compile_fail,E0277
/// fn shared<T: Sync>() {}
/// shared::<scanout::sync::snapshot::Reader<std::cell::Cell<u8>>>();
/// ```
pub struct Reader<T, const N: usize = DEFAULT_SLOTS> {
    shared: Arc<Shared<T, N>>,
    slot: usize,
    index: u64,
    // `Sync` only if `T` is: `current` hands out a `&T` from a `&self`.
    content: PhantomData<T>,
}

impl<T, const N: usize> Reader<T, N> {
    /// The latest snapshot, or the one that the reader has when there is no newer one to be had.
    ///
    /// Cost: one load, and one read-modify-write if there is something new.
    pub fn acquire(&mut self) -> Acquired<'_, T> {
        let seen = self.index;
        let fresh = !self.shared.word.peek().is_claimed() && self.claim();
        let skipped = if fresh { self.index - seen - 1 } else { 0 };
        Acquired { index: self.index, fresh, skipped, value: self.current() }
    }

    /// The snapshot acquired last (at first: the initial value of slot 0). Touches nothing shared.
    #[must_use]
    pub fn current(&self) -> &T {
        // SAFETY: the slot is the reader's until `claim`, for which `self` has to be free of borrows.
        unsafe { &*self.shared.slots[self.slot].get() }
    }

    /// Whether [`acquire`](Self::acquire) would now find a newer snapshot. One load; a hint, since the writer may
    /// take an unread snapshot back (two slots) or publish the next one at any time.
    #[must_use]
    pub fn has_fresh(&self) -> bool {
        !self.shared.word.peek().is_claimed()
    }

    /// The index of the snapshot acquired last; 0 for the initial value.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    fn claim(&mut self) -> bool {
        let latest = self.shared.word.claim();
        // The writer can have taken it back since the look.
        if latest.is_claimed() && !self.shared.word.has(Fault::ClaimUnchecked) {
            return false;
        }
        self.slot = latest.slot();
        self.index = latest.index();
        true
    }
}

impl<T, const N: usize> fmt::Debug for Reader<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("index", &self.index).finish_non_exhaustive()
    }
}

/// What [`Reader::acquire`] found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Acquired<'a, T> {
    /// The snapshot, which nobody changes until the next acquire.
    pub value: &'a T,
    /// Its index: as in [`Published::index`], or 0 for the initial value.
    pub index: u64,
    /// It is newer than the one acquired before.
    pub fresh: bool,
    /// The number of snapshots published between the one acquired before and this one: gone unread.
    pub skipped: u64,
}
