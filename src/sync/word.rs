//! The one atomic word of a snapshot buffer, and the four steps that the two sides may take on it.
//!
//! Every atomic access of the buffer is in this file. They are `inline` because the buffer is generic and compiled
//! in the user's crate, and a call costs more than the step. A test build can weaken each ordering and each step on
//! its own (see [`Fault`]); loom then has to find the harm, or the line would not be needed.

use super::shim::{AtomicU64, Ordering};

/// What stands in the word: the latest snapshot while nobody has claimed it, or [`State::CLAIMED`].
///
/// ```text
///  63                              3   2   1        0
/// +---------------------------------+--------+---------+
/// | frame index of the latest       |  slot  | CLAIMED |
/// +---------------------------------+--------+---------+
/// ```
///
/// 61 bits of index last 73 years at one publish per nanosecond.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) struct State(u64);

impl State {
    const CLAIMED_BIT: u64 = 1;
    const SLOT_SHIFT: u32 = 1;
    const SLOT_MASK: u64 = 0b11;
    const INDEX_SHIFT: u32 = 3;

    /// The latest snapshot has an owner: the reader has it, or the writer took it back. Index and slot are
    /// blank, since nobody may look at them: the owner read them from the state that its claim replaced.
    pub(super) const CLAIMED: Self = Self(Self::CLAIMED_BIT);

    /// Snapshot `index` waits in `slot` for whoever claims it first.
    #[inline]
    pub(super) const fn unread(index: u64, slot: usize) -> Self {
        Self(index << Self::INDEX_SHIFT | (slot as u64) << Self::SLOT_SHIFT)
    }

    #[inline]
    pub(super) const fn is_claimed(self) -> bool {
        self.0 & Self::CLAIMED_BIT != 0
    }

    /// The slot of an unclaimed state.
    #[inline]
    pub(super) const fn slot(self) -> usize {
        (self.0 >> Self::SLOT_SHIFT & Self::SLOT_MASK) as usize
    }

    /// The frame index of an unclaimed state.
    #[inline]
    pub(super) const fn index(self) -> u64 {
        self.0 >> Self::INDEX_SHIFT
    }
}

/// The shared word. It starts claimed: the reader owns its first slot, and nothing is published.
pub(super) struct Word {
    bits: AtomicU64,
    #[cfg(test)]
    fault: Option<Fault>,
}

impl Word {
    pub(super) fn new() -> Self {
        Self {
            bits: AtomicU64::new(State::CLAIMED.0),
            #[cfg(test)]
            fault: None,
        }
    }

    /// Looks without claiming: either side may, at the cost of one load.
    #[inline]
    pub(super) fn peek(&self) -> State {
        // Relaxed: orders nothing, because nothing is touched on the strength of it. The reader goes on to
        // `claim`, which looks again; the writer only reports it. This line has no weaker form to test.
        State(self.bits.load(Ordering::Relaxed))
    }

    /// Reader: claims the latest snapshot and gives up its slot, in one step. Unless the returned state was
    /// already claimed, the reader now owns the returned slot and the writer owns the reader's former one.
    ///
    /// A swap and not a `fetch_or`: that one is a compare-exchange loop on x86 when the old value is used.
    #[inline]
    pub(super) fn claim(&self) -> State {
        if self.has(Fault::ClaimInTwoSteps) {
            let old = self.bits.load(Ordering::Acquire);
            self.bits.swap(State::CLAIMED.0, Ordering::AcqRel);
            return State(old);
        }
        let order = match () {
            () if self.has(Fault::ClaimWithoutAcquire) => Ordering::Release,
            () if self.has(Fault::ClaimWithoutRelease) => Ordering::Acquire,
            // Acquire keeps the reads of the claimed slot after this step: they see what `publish` released.
            // Release keeps the reads of the former slot before this step: the writer that finds the claim
            // (in `publish` or `take_back`) overwrites that slot only after them.
            () => Ordering::AcqRel,
        };
        State(self.bits.swap(State::CLAIMED.0, order))
    }

    /// Writer: claims back the snapshot that it published. Unless the returned state was already claimed, the
    /// writer owns the latest slot again; otherwise the reader does, and its former slot is the writer's.
    #[inline]
    pub(super) fn take_back(&self) -> State {
        if self.has(Fault::TakeBackInTwoSteps) {
            let old = self.bits.load(Ordering::Acquire);
            self.bits.swap(State::CLAIMED.0, Ordering::AcqRel);
            return State(old);
        }
        if self.has(Fault::TakeBackWithoutClaim) {
            return State(self.bits.load(Ordering::Acquire));
        }
        let order = match () {
            () if self.has(Fault::TakeBackWithoutAcquire) => Ordering::Relaxed,
            // Acquire keeps the writes into the reader's former slot after this step, and so after the reads
            // that the reader's `claim` released. No Release: a reader that finds this claim reads nothing.
            () => Ordering::Acquire,
        };
        State(self.bits.swap(State::CLAIMED.0, order))
    }

    /// Writer: makes `next` the latest. The returned state tells whether the one before had been claimed.
    ///
    /// With two slots it always had, since the writer has looked, and a plain store would do. It is a swap all
    /// the same: loom does not know that a store cannot come between the two halves of the other side's swap,
    /// and reports losses that no machine can show.
    #[inline]
    pub(super) fn publish(&self, next: State) -> State {
        if self.has(Fault::PublishInTwoSteps) {
            let old = self.bits.load(Ordering::Acquire);
            self.bits.swap(next.0, Ordering::AcqRel);
            return State(old);
        }
        let order = match () {
            () if self.has(Fault::PublishWithoutRelease) => Ordering::Acquire,
            () if self.has(Fault::PublishWithoutAcquire) => Ordering::Release,
            // Release keeps the writes into the published slot before this step: a `claim` that finds `next`
            // reads them whole. Acquire keeps the coming writes into the slot that the reader left after this
            // step, and so after the reads that the reader's `claim` released.
            () => Ordering::AcqRel,
        };
        State(self.bits.swap(next.0, order))
    }
}

/// One line of the algorithm taken out. Only test builds can build a word that has one.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    ClaimWithoutAcquire,
    ClaimWithoutRelease,
    ClaimInTwoSteps,
    ClaimUnchecked,
    TakeBackWithoutAcquire,
    TakeBackInTwoSteps,
    TakeBackWithoutClaim,
    TakeBackUnchecked,
    PublishWithoutRelease,
    PublishWithoutAcquire,
    PublishInTwoSteps,
    PublishUnchecked,
}

#[cfg(not(test))]
impl Word {
    /// No word is faulty outside tests; the compiler removes every question.
    #[inline(always)]
    pub(super) const fn has(&self, _: Fault) -> bool {
        false
    }
}

#[cfg(test)]
impl Word {
    #[cfg_attr(not(loom), allow(dead_code, reason = "only loom can show the harm of a fault"))]
    pub(super) fn with_fault(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::new() }
    }

    pub(super) fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn state_round_trip_keeps_index_and_slot() {
        for index in [0, 1, 2, 1 << 32, (1 << 61) - 1] {
            for slot in 0..3 {
                let state = State::unread(index, slot);
                assert_eq!((state.index(), state.slot(), state.is_claimed()), (index, slot, false));
            }
        }
        assert!(State::CLAIMED.is_claimed());
    }

    #[test]
    fn word_new_is_claimed() {
        assert_eq!(Word::new().peek(), State::CLAIMED);
    }

    #[test]
    fn word_claim_after_publish_gives_the_state_once() {
        let word = Word::new();
        word.publish(State::unread(7, 2));
        assert_eq!(word.peek(), State::unread(7, 2));
        assert_eq!(word.claim(), State::unread(7, 2));
        assert!(word.claim().is_claimed());
        assert!(word.publish(State::unread(8, 1)).is_claimed());
    }

    #[test]
    fn word_claim_after_take_back_finds_it_claimed() {
        let word = Word::new();
        word.publish(State::unread(1, 1));
        assert!(!word.take_back().is_claimed());
        assert!(word.claim().is_claimed());
    }
}
