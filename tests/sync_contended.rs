//! The snapshot buffer between two threads that run as fast, or as unevenly, as they can. Meant for `--release`;
//! a debug build runs fewer rounds.
#![cfg(not(loom))]

use scanout::sync::snapshot::{Reader, Writer, buffer};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const ROUNDS: u64 = if cfg!(debug_assertions) { 5_000 } else { 100_000 };

/// 4 KiB that say whether they belong together: each word follows from the index, and the last from all others.
struct Payload([u64; 512]);

impl Payload {
    fn of(index: u64) -> Self {
        let mut payload = Self([0; 512]);
        payload.fill(index);
        payload
    }

    fn fill(&mut self, index: u64) {
        let (sum, words) = self.0.split_last_mut().unwrap();
        *sum = 0;
        for (at, word) in words.iter_mut().enumerate() {
            *word = (index ^ at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *sum = sum.rotate_left(1) ^ *word;
        }
    }

    fn check(&self, index: u64) {
        let (sum, words) = self.0.split_last().unwrap();
        let mut expected = 0_u64;
        for (at, word) in words.iter().enumerate() {
            assert_eq!(*word, (index ^ at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15), "torn at word {at}");
            expected = expected.rotate_left(1) ^ *word;
        }
        assert_eq!(*sum, expected, "checksum");
    }
}

/// How long a side dawdles between its rounds.
#[derive(Copy, Clone)]
enum Pace {
    Fast,
    /// Spins a number of turns that changes from round to round.
    Uneven(u64),
    /// Gives the processor away.
    Yield,
}

impl Pace {
    fn dawdle(self, round: u64) {
        match self {
            Self::Fast => {}
            Self::Uneven(most) => {
                for _ in 0..round.wrapping_mul(0x9e37_79b9_7f4a_7c15) % most {
                    std::hint::spin_loop();
                }
            }
            Self::Yield => thread::yield_now(),
        }
    }
}

fn write_all<const N: usize>(mut writer: Writer<Payload, N>, pace: Pace) -> (Writer<Payload, N>, u64) {
    let mut overwritten = 0;
    for index in 1..=ROUNDS {
        let mut slot = writer.write();
        slot.fill(index);
        // A write that is given up may not disturb anything.
        if index % 64 == 0 {
            slot = writer.write();
            slot.fill(index);
        }
        let published = slot.publish();
        assert_eq!(published.index, index);
        overwritten += u64::from(published.overwrote_unread);
        pace.dawdle(index);
    }
    (writer, overwritten)
}

fn read_until_done<const N: usize>(
    reader: &mut Reader<Payload, N>,
    pace: Pace,
    done: &AtomicBool,
) -> (u64, u64) {
    let (mut seen, mut skipped, mut last, mut round) = (0, 0, 0, 0);
    loop {
        // Looked at before the last acquire, so that the last snapshot published is acquired.
        let finished = done.load(Ordering::Acquire);
        let acquired = reader.acquire();
        let index = acquired.index;
        assert_eq!(index, last + acquired.skipped + u64::from(acquired.fresh), "back in time, or miscounted");
        acquired.value.check(index);
        (seen, skipped, last) = (seen + u64::from(acquired.fresh), skipped + acquired.skipped, index);
        round += 1;
        pace.dawdle(round);
        reader.current().check(index);
        if finished {
            return (seen, skipped);
        }
    }
}

fn contend<const N: usize>(writing: Pace, reading: Pace) {
    let (writer, mut reader) = buffer::<Payload, N>(|_| Payload::of(0));
    let done = AtomicBool::new(false);
    let ((writer, overwritten), (seen, skipped)) = thread::scope(|scope| {
        let read = scope.spawn(|| read_until_done(&mut reader, reading, &done));
        let written = write_all(writer, writing);
        done.store(true, Ordering::Release);
        (written, read.join().unwrap())
    });
    assert!(!writer.has_unread(), "the reader came last");
    assert_eq!(reader.current().0[0], Payload::of(ROUNDS).0[0], "the last published is the last acquired");
    assert_eq!((writer.published(), writer.overwritten()), (ROUNDS, overwritten));
    assert_eq!(ROUNDS, seen + overwritten, "published = acquired + overwritten");
    assert_eq!(overwritten, skipped, "both sides count the same losses");
}

#[test]
fn two_slots_both_fast_never_tears() {
    contend::<2>(Pace::Fast, Pace::Fast);
}

#[test]
fn three_slots_both_fast_never_tears() {
    contend::<3>(Pace::Fast, Pace::Fast);
}

#[test]
fn two_slots_fast_writer_slow_reader_never_tears() {
    contend::<2>(Pace::Fast, Pace::Uneven(5_000));
}

#[test]
fn three_slots_fast_writer_slow_reader_never_tears() {
    contend::<3>(Pace::Fast, Pace::Uneven(5_000));
}

#[test]
fn two_slots_slow_writer_fast_reader_never_tears() {
    contend::<2>(Pace::Uneven(500), Pace::Fast);
}

#[test]
fn three_slots_slow_writer_fast_reader_never_tears() {
    contend::<3>(Pace::Uneven(500), Pace::Fast);
}

#[test]
fn two_slots_yielding_sides_never_tear() {
    contend::<2>(Pace::Yield, Pace::Yield);
}

#[test]
fn three_slots_yielding_sides_never_tear() {
    contend::<3>(Pace::Yield, Pace::Yield);
}
