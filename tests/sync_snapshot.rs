//! The snapshot buffer on one thread: what each operation returns, whose storage it is, what is dropped.
#![cfg(not(loom))]

use proptest::prelude::*;
use scanout::sync::snapshot::{DEFAULT_SLOTS, Reader, Writer, buffer};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// What happens next, and what it has to return.
#[derive(Copy, Clone, Debug)]
enum Step {
    /// Publish; `overwrote_unread`.
    Publish(bool),
    /// Begin to write and give it up.
    Abandon,
    /// Acquire; `index`, `fresh`, `skipped`.
    Acquire(u64, bool, u64),
    /// `has_unread`.
    Unread(bool),
}
use Step::{Abandon, Acquire, Publish, Unread};

fn play<const N: usize>(steps: &[Step]) {
    let (mut writer, mut reader) = buffer::<u64, N>(|_| 0);
    for (at, step) in steps.iter().enumerate() {
        match *step {
            Publish(overwrote) => {
                let mut slot = writer.write();
                *slot = slot.wrapping_add(1_000_000);
                *slot = index_of(steps, at);
                let published = slot.publish();
                assert_eq!(published.index, index_of(steps, at), "step {at} of {steps:?}");
                assert_eq!(published.overwrote_unread, overwrote, "step {at} of {steps:?}");
            }
            Abandon => *writer.write() = u64::MAX,
            Acquire(index, fresh, skipped) => {
                let got = reader.acquire();
                let got = (*got.value, got.index, got.fresh, got.skipped);
                assert_eq!(got, (index, index, fresh, skipped), "step {at} of {steps:?}");
                assert_eq!(*reader.current(), index);
            }
            Unread(unread) => assert_eq!(writer.has_unread(), unread, "step {at} of {steps:?}"),
        }
    }
}

/// The index that the publish at step `at` gets.
fn index_of(steps: &[Step], at: usize) -> u64 {
    steps[..=at].iter().filter(|step| matches!(step, Publish(_))).count() as u64
}

#[test]
fn both_counts_return_what_the_table_says() {
    let table: &[&[Step]] = &[
        &[Unread(false), Acquire(0, false, 0), Acquire(0, false, 0)],
        &[Publish(false), Unread(true), Acquire(1, true, 0), Unread(false), Acquire(1, false, 0)],
        &[Publish(false), Publish(true), Publish(true), Acquire(3, true, 2), Acquire(3, false, 0)],
        &[Publish(false), Acquire(1, true, 0), Publish(false), Acquire(2, true, 0), Publish(false)],
        &[
            Publish(false),
            Publish(true),
            Acquire(2, true, 1),
            Publish(false),
            Unread(true),
            Publish(true),
            Acquire(4, true, 1),
        ],
        &[Abandon, Unread(false), Acquire(0, false, 0), Publish(false), Acquire(1, true, 0)],
        // The claim is found when the write begins, and must be remembered when that write is given up.
        &[Publish(false), Acquire(1, true, 0), Abandon, Abandon, Acquire(1, false, 0), Publish(false)],
        &[
            Publish(false),
            Acquire(1, true, 0),
            Abandon,
            Publish(false),
            Acquire(2, true, 0),
            Publish(false),
            Acquire(3, true, 0),
        ],
    ];
    for steps in table {
        play::<2>(steps);
        play::<3>(steps);
    }
}

#[test]
fn two_slots_unread_is_taken_back_when_a_write_begins() {
    play::<2>(&[
        Publish(false),
        Abandon,
        Unread(false),
        Acquire(0, false, 0),
        Publish(true),
        Acquire(2, true, 1),
        Publish(false),
        Acquire(3, true, 0),
    ]);
}

#[test]
fn three_slots_unread_stays_readable_while_the_next_is_written() {
    play::<3>(&[
        Publish(false),
        Abandon,
        Unread(true),
        Acquire(1, true, 0),
        Publish(false),
        Publish(true),
        Acquire(3, true, 1),
    ]);
}

/// The same buffer, told in the simplest words: what waits to be read, and what was read.
#[derive(Default)]
struct Model {
    published: u64,
    unread: Option<u64>,
    seen: u64,
    overwritten: u64,
    taken_back: bool,
}

impl Model {
    fn begin(&mut self, slots: usize) {
        if slots == 2 && self.unread.take().is_some() {
            self.overwritten += 1;
            self.taken_back = true;
        }
    }

    fn publish(&mut self, slots: usize) -> (u64, bool) {
        self.begin(slots);
        self.published += 1;
        let replaced = self.unread.replace(self.published).is_some();
        self.overwritten += u64::from(replaced);
        (self.published, replaced || std::mem::take(&mut self.taken_back))
    }

    fn acquire(&mut self) -> (u64, bool, u64) {
        let seen = self.seen;
        match self.unread.take() {
            Some(index) => {
                self.seen = index;
                (index, true, index - seen - 1)
            }
            None => (seen, false, 0),
        }
    }
}

fn follows_the_model<const N: usize>(steps: &[u8]) {
    let (mut writer, mut reader) = buffer::<u64, N>(|_| 0);
    let (mut model, mut acquired) = (Model::default(), 0);
    for step in steps {
        match step {
            0 => {
                let mut slot = writer.write();
                let expected = model.publish(N);
                *slot = expected.0;
                let got = slot.publish();
                assert_eq!((got.index, got.overwrote_unread), expected);
            }
            1 => {
                let got = reader.acquire();
                assert_eq!(*got.value, got.index);
                acquired += u64::from(got.fresh);
                assert_eq!((got.index, got.fresh, got.skipped), model.acquire());
            }
            _ => {
                *writer.write() = u64::MAX;
                model.begin(N);
            }
        }
        assert_eq!(*reader.current(), model.seen, "what the reader has does not change under it");
        assert_eq!(writer.has_unread(), model.unread.is_some());
        assert_eq!(writer.overwritten(), model.overwritten);
        let unread = u64::from(writer.has_unread());
        assert_eq!(writer.published(), acquired + writer.overwritten() + unread);
    }
}

proptest! {
    #[test]
    fn any_sequence_follows_the_model(steps in proptest::collection::vec(0_u8..3, 0..60)) {
        follows_the_model::<2>(&steps);
        follows_the_model::<3>(&steps);
    }
}

fn reuses_storage<const N: usize>() {
    let (mut writer, mut reader) = buffer::<Vec<u8>, N>(|_| Vec::with_capacity(100));
    let mut storage = Vec::new();
    for round in 0..12 {
        let mut slot = writer.write();
        storage.push(slot.as_ptr());
        slot.clear();
        slot.push(round);
        slot.publish();
        if round % 3 != 0 {
            assert_eq!(*reader.acquire().value, [round]);
        }
    }
    storage.sort_unstable();
    storage.dedup();
    assert_eq!(storage.len(), N, "every slot is written in turn, and none is reallocated");
}

#[test]
fn write_hands_out_old_storage() {
    reuses_storage::<2>();
    reuses_storage::<3>();
}

#[test]
fn slots_share_no_cache_line() {
    let (mut writer, mut reader) = buffer::<u8, 3>(|slot| slot as u8);
    let mut lines = vec![reader.current() as *const u8 as usize / 64];
    for _ in 0..2 {
        let slot = writer.write();
        lines.push(&*slot as *const u8 as usize / 64);
        slot.publish();
        reader.acquire();
    }
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 3);
}

#[test]
fn init_is_called_once_per_slot_in_order() {
    let mut slots = Vec::new();
    let (_writer, reader) = buffer::<usize, DEFAULT_SLOTS>(|slot| {
        slots.push(slot);
        slot
    });
    assert_eq!(*reader.current(), 0, "the reader starts on slot 0");
    assert_eq!(slots, (0..DEFAULT_SLOTS).collect::<Vec<_>>());
}

/// Counts its drops.
struct Counted(Rc<Cell<usize>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

fn counted<const N: usize>() -> (Rc<Cell<usize>>, Writer<Counted, N>, Reader<Counted, N>) {
    let drops = Rc::new(Cell::new(0));
    let (writer, reader) = buffer::<Counted, N>(|_| Counted(Rc::clone(&drops)));
    (drops, writer, reader)
}

fn drops_every_slot_once<const N: usize>() {
    let (drops, mut writer, reader) = counted::<N>();
    writer.write().publish();
    drop(writer);
    assert_eq!(drops.get(), 0, "the reader may still read");
    drop(reader);
    assert_eq!(drops.get(), N);

    let (drops, mut writer, mut reader) = counted::<N>();
    writer.write().publish();
    reader.acquire();
    drop(reader);
    writer.write().publish();
    writer.write().publish();
    assert_eq!(drops.get(), 0);
    drop(writer);
    assert_eq!(drops.get(), N);
}

#[test]
fn dropping_both_sides_drops_every_slot_once() {
    drops_every_slot_once::<2>();
    drops_every_slot_once::<3>();
}

#[test]
fn replacing_the_content_drops_the_old_one() {
    let (drops, mut writer, _reader) = counted::<3>();
    let mut slot = writer.write();
    *slot = Counted(Rc::clone(&drops));
    assert_eq!(drops.get(), 1);
    slot.publish();
    assert_eq!(drops.get(), 1);
}

#[allow(clippy::forget_non_drop, reason = "holds for whatever the slot may come to do when dropped")]
fn forgets_a_write<const N: usize>() {
    let (mut writer, mut reader) = buffer::<u64, N>(|_| 0);
    for round in 1..=5 {
        let mut slot = writer.write();
        *slot = u64::MAX;
        std::mem::forget(slot);
        let mut slot = writer.write();
        *slot = round;
        assert_eq!(slot.publish().index, round);
        assert_eq!(*reader.acquire().value, round);
    }
}

#[test]
fn forgotten_write_publishes_nothing() {
    forgets_a_write::<2>();
    forgets_a_write::<3>();
}

fn panics_in_a_write<const N: usize>(read_between: bool) {
    let (mut writer, mut reader) = buffer::<[u64; 2], N>(|_| [0; 2]);
    for round in 1..=5 {
        let before = reader.current()[0];
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let mut slot = writer.write();
            slot[0] = u64::MAX; // half a snapshot
            if slot[0] != 0 {
                std::panic::resume_unwind(Box::new("no message"));
            }
            slot.publish();
        }));
        assert!(panicked.is_err());
        if read_between {
            let got = *reader.acquire().value;
            assert_eq!(got, [before; 2], "half a snapshot is never seen");
        }
        let mut slot = writer.write();
        *slot = [round; 2];
        assert_eq!(slot.publish().index, round);
        assert_eq!(*reader.acquire().value, [round; 2]);
    }
}

#[test]
fn panic_in_a_write_publishes_nothing() {
    for read_between in [false, true] {
        panics_in_a_write::<2>(read_between);
        panics_in_a_write::<3>(read_between);
    }
}

fn goes_on_without_the_other<const N: usize>() {
    let (mut writer, mut reader) = buffer::<u64, N>(|_| 0);
    let held = reader.acquire();
    for round in 1..=1000 {
        let mut slot = writer.write();
        *slot = round;
        slot.publish();
        assert_eq!(*held.value, 0, "what the reader holds does not change");
    }
    assert_eq!(reader.acquire().index, 1000);

    let mut slot = writer.write();
    *slot = 0;
    for _ in 0..1000 {
        assert_eq!(*reader.acquire().value, 1000);
    }
    *slot = 1001;
    slot.publish();
    assert_eq!(*reader.acquire().value, 1001);
}

#[test]
fn neither_side_waits_for_one_that_stopped_in_the_middle() {
    goes_on_without_the_other::<2>();
    goes_on_without_the_other::<3>();
}

#[test]
fn sides_move_between_threads_when_the_content_may() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    send::<Writer<Cell<u8>, 2>>();
    send::<Reader<Cell<u8>, 3>>();
    sync::<Writer<u8>>();
    sync::<Reader<u8>>();
}

/// The double buffer as it is often printed, step by step: one index says which slot to read, the writer writes
/// the other. One publish while the reader is in the middle, and the reader has halves of two snapshots.
#[test]
fn index_toggle_without_claim_tears_after_one_publish() {
    let (mut slots, mut index) = ([[0_u64; 2]; 2], 0);

    let reading = index; // the reader chooses its slot,
    let head = slots[reading][0]; // reads one half of it, and is interrupted.

    slots[1 - index] = [1; 2]; // The writer writes the other slot,
    index = 1 - index; // publishes it,
    slots[1 - index] = [2; 2]; // and goes on into the slot that is being read.

    let tail = slots[reading][1]; // The reader goes on.
    assert_eq!((head, tail), (0, 2), "torn");
}
