//! Every order of events of both sides, by loom; and for each line that the algorithm rests on, the proof that
//! loom notices when it is taken out.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test --release --no-default-features --lib sync::
//! ```
//!
//! The payload is made of loom's cells, which know who accessed them last: an access that is not ordered after
//! the other side's is an error, whether or not it did harm in that run.

use super::snapshot::{Reader, Writer, buffer, faulty};
use super::word::Fault;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// A snapshot in two halves, which differ when it is torn.
struct Pair {
    head: UnsafeCell<u64>,
    tail: UnsafeCell<u64>,
}

// SAFETY: loom checks every access to the cells, and fails the test on the first that is not exclusive.
unsafe impl Sync for Pair {}

impl Pair {
    fn new() -> Self {
        Self { head: UnsafeCell::new(0), tail: UnsafeCell::new(0) }
    }

    fn set(&self, value: u64) {
        // SAFETY: loom checks that no other access happens beside these.
        self.head.with_mut(|half| unsafe { *half = value });
        // SAFETY: as above.
        self.tail.with_mut(|half| unsafe { *half = value });
    }

    fn get(&self) -> u64 {
        // SAFETY: loom checks that no write happens beside these.
        let head = self.head.with(|half| unsafe { *half });
        // SAFETY: as above.
        let tail = self.tail.with(|half| unsafe { *half });
        assert_eq!(head, tail, "torn");
        head
    }
}

type Buffer<const N: usize> = (Writer<Pair, N>, Reader<Pair, N>);

/// Publishes `rounds` snapshots, each holding its index; returns the number overwritten unread.
fn write_all<const N: usize>(writer: &mut Writer<Pair, N>, rounds: u64) -> u64 {
    let mut overwritten = 0;
    for index in 1..=rounds {
        let slot = writer.write();
        slot.set(index);
        let published = slot.publish();
        assert_eq!(published.index, index);
        overwritten += u64::from(published.overwrote_unread);
    }
    overwritten
}

/// Acquires `rounds` times; returns the number of snapshots seen and the number skipped.
fn read_all<const N: usize>(reader: &mut Reader<Pair, N>, rounds: u64) -> (u64, u64) {
    let (mut seen, mut skipped) = (0, 0);
    for _ in 0..rounds {
        let before = reader.current().get();
        let acquired = reader.acquire();
        assert_eq!(
            acquired.value.get(),
            acquired.index,
            "violation: the slot holds another snapshot than the claimed one"
        );
        assert_eq!(acquired.index, before + acquired.skipped + u64::from(acquired.fresh), "back in time");
        seen += u64::from(acquired.fresh);
        skipped += acquired.skipped;
    }
    (seen, skipped)
}

/// Both sides at once. Returns the buffer with what was overwritten, seen and skipped.
fn run<const N: usize>(
    (mut writer, mut reader): Buffer<N>,
    writes: u64,
    reads: u64,
) -> (Buffer<N>, [u64; 3]) {
    let reading = thread::spawn(move || {
        let counts = read_all(&mut reader, reads);
        (reader, counts)
    });
    let overwritten = write_all(&mut writer, writes);
    let (reader, (seen, skipped)) = reading.join().unwrap();
    ((writer, reader), [overwritten, seen, skipped])
}

/// The whole life of a buffer in every order of events: no torn read, no step back, no snapshot lost in silence.
fn check<const N: usize>(writes: u64, reads: u64) {
    loom::model(move || {
        let ((writer, mut reader), [overwritten, seen, skipped]) =
            run::<N>(buffer(|_| Pair::new()), writes, reads);
        let unread = u64::from(writer.has_unread());
        assert_eq!(writer.published(), seen + overwritten + unread, "every snapshot has one fate");
        assert_eq!(writer.overwritten(), overwritten);
        let (seen_last, skipped_last) = read_all(&mut reader, 1);
        assert_eq!(seen_last, unread, "an unread snapshot can be acquired");
        let newest = reader.current().get();
        assert_eq!(newest, seen + seen_last + skipped + skipped_last, "every index is seen or skipped");
        assert!(newest == writes, "the last one published is the last one acquired");
    });
}

/// Only the accesses: what loom finds here is a slot that both sides had at once.
fn check_faulty<const N: usize>(fault: Fault) {
    loom::model(move || {
        run::<N>(faulty(fault, |_| Pair::new()), 4, 3);
    });
}

#[test]
fn two_slots_any_order_never_tears() {
    check::<2>(4, 4);
}

#[test]
fn three_slots_any_order_never_tears() {
    check::<3>(4, 4);
}

fn check_abandoned<const N: usize>() {
    loom::model(|| {
        let (mut writer, mut reader) = buffer::<Pair, N>(|_| Pair::new());
        let reading = thread::spawn(move || {
            read_all(&mut reader, 2);
            reader
        });
        write_all(&mut writer, 1);
        writer.write().set(77);
        writer.write().set(78);
        let slot = writer.write();
        slot.set(2);
        slot.publish();
        let mut reader = reading.join().unwrap();
        assert_eq!(reader.acquire().value.get(), 2);
    });
}

#[test]
fn two_slots_abandoned_write_is_never_seen() {
    check_abandoned::<2>();
}

#[test]
fn three_slots_abandoned_write_is_never_seen() {
    check_abandoned::<3>();
}

#[test]
fn either_side_dropped_first_leaks_nothing() {
    // loom fails a run that leaks its `Arc`.
    loom::model(|| {
        let (mut writer, mut reader) = buffer::<Pair, 3>(|_| Pair::new());
        let reading = thread::spawn(move || read_all(&mut reader, 1));
        write_all(&mut writer, 1);
        drop(writer);
        reading.join().unwrap();
    });
}

/// One test per line: `$fault` takes it out, and loom has to find a violation: "Causality violation" where two
/// accesses are not ordered, or the one in `read_all` where the writer was done before the reader looked.
macro_rules! guards {
    ($($(#[doc = $line:literal])+ $name:ident: $fault:ident, $n:literal;)+) => {$(
        $(#[doc = $line])+
        #[test]
        #[should_panic = "violation"]
        fn $name() {
            check_faulty::<$n>(Fault::$fault);
        }
    )+};
}

guards! {
    /// Guards `Word::claim`: Acquire (three slots).
    three_slots_claim_without_acquire_is_caught: ClaimWithoutAcquire, 3;
    /// Guards `Word::claim`: Acquire (two slots).
    two_slots_claim_without_acquire_is_caught: ClaimWithoutAcquire, 2;
    /// Guards `Word::claim`: Release (three slots).
    three_slots_claim_without_release_is_caught: ClaimWithoutRelease, 3;
    /// Guards `Word::claim`: Release (two slots).
    two_slots_claim_without_release_is_caught: ClaimWithoutRelease, 2;
    /// Guards `Word::claim`: one swap, not a load and a store (three slots).
    three_slots_claim_in_two_steps_is_caught: ClaimInTwoSteps, 3;
    /// Guards `Word::claim`: one swap, not a load and a store (two slots).
    two_slots_claim_in_two_steps_is_caught: ClaimInTwoSteps, 2;
    /// Guards `Reader::claim`: the reader keeps its slot when the writer has taken the latest back.
    two_slots_claim_unchecked_is_caught: ClaimUnchecked, 2;
    /// Guards `Word::take_back`: Acquire.
    two_slots_take_back_without_acquire_is_caught: TakeBackWithoutAcquire, 2;
    /// Guards `Word::take_back`: one swap, not a load and a store.
    two_slots_take_back_in_two_steps_is_caught: TakeBackInTwoSteps, 2;
    /// Guards `Word::take_back`: the claim is set, not only looked at.
    two_slots_take_back_without_claim_is_caught: TakeBackWithoutClaim, 2;
    /// Guards `Writer::get_hold_of_one`: the writer leaves the latest alone when the reader has claimed it.
    two_slots_take_back_unchecked_is_caught: TakeBackUnchecked, 2;
    /// Guards `Word::publish`: Release (two slots).
    two_slots_publish_without_release_is_caught: PublishWithoutRelease, 2;
    /// Guards `Word::publish`: Release (three slots).
    three_slots_publish_without_release_is_caught: PublishWithoutRelease, 3;
    /// Guards `Word::publish`: Acquire.
    three_slots_publish_without_acquire_is_caught: PublishWithoutAcquire, 3;
    /// Guards `Word::publish`: one swap, not a load and a store.
    three_slots_publish_in_two_steps_is_caught: PublishInTwoSteps, 3;
    /// Guards `Writer::publish`: a claim found means that the reader has moved.
    three_slots_publish_unchecked_is_caught: PublishUnchecked, 3;
}

/// Not a guard: with two slots the Acquire of `take_back` comes before every reuse of the reader's former slot,
/// so that the one of `publish` is needed with three slots only.
#[test]
fn two_slots_publish_without_acquire_is_harmless() {
    check_faulty::<2>(Fault::PublishWithoutAcquire);
}

/// The double buffer as it is often printed: an atomic index says which slot to read, and the writer writes the
/// other one. It knows nothing of a reader that is still reading, and so tears after a single publish.
#[test]
#[should_panic = "violation"]
fn index_toggle_without_claim_tears() {
    loom::model(|| {
        let slots = Arc::new([Pair::new(), Pair::new()]);
        let index = Arc::new(AtomicUsize::new(0));
        let reading = {
            let (slots, index) = (Arc::clone(&slots), Arc::clone(&index));
            thread::spawn(move || slots[index.load(Ordering::SeqCst) % 2].get())
        };
        for frame in 1..=2 {
            slots[frame % 2].set(frame as u64);
            index.store(frame, Ordering::SeqCst);
        }
        reading.join().unwrap();
    });
}
