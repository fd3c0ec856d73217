//! Every order of events of a writer and a reader, by loom; and for each line that the algorithm rests on, the proof that
//! loom notices when it is taken out.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test --release --no-default-features --lib telemetry::
//! ```

use loom::sync::Arc;
use loom::thread;

use super::lane::{Fault, Found, Lane};
use super::shim::{AtomicU64, Ordering};
use super::table::State;

/// One row, so that each frame takes that of the one before; two words beside tag and flags.
const LANE: Lane = Lane::new(0, 4, 1);
const COMPLETE: u64 = 1;

fn write_all(lane: Lane, words: &[AtomicU64], frames: u64) {
    for n in 1..=frames {
        lane.begin(words, n);
        lane.set(words, n, 2, 10 * n);
        lane.set(words, n, 3, 10 * n + 1);
        lane.flag(words, n, COMPLETE | n << 8);
    }
}

/// Whatever is read of a frame is that frame's: whole where the flags say so, else each word stamped or not.
fn read(lane: Lane, words: &[AtomicU64], n: u64) {
    let mut copy = [0; 4];
    let Found::Flags(flags) = lane.read(words, n, &mut copy) else { return };
    let whole = [10 * n, 10 * n + 1];
    if flags & COMPLETE != 0 {
        assert_eq!(flags >> 8, n, "violation: the flags of another frame");
        assert_eq!(copy[2..], whole, "violation: the flags promise what is not there");
    } else {
        for (got, stamped) in copy[2..].iter().zip(whole) {
            assert!([0, stamped].contains(got), "violation: {got} is a stamp of another frame than {n}");
        }
    }
}

fn check(lane: Lane, frames: u64) {
    loom::model(move || {
        let words: Arc<[AtomicU64; 4]> = Arc::new(std::array::from_fn(|_| AtomicU64::new(0)));
        let reading = {
            let words = Arc::clone(&words);
            thread::spawn(move || (1..=frames).for_each(|n| read(lane, &*words, n)))
        };
        write_all(lane, &*words, frames);
        reading.join().unwrap();
        let mut copy = [0; 4];
        assert!(matches!(lane.read(&*words, frames, &mut copy), Found::Flags(_)), "the last frame stays");
        if frames > 1 {
            assert_eq!(lane.read(&*words, 1, &mut copy), Found::Overwritten);
        }
    });
}

#[test]
fn a_row_is_never_torn_and_never_of_two_frames_in_any_order() {
    check(LANE, 2);
}

/// What is told before the end is seen by who sees the end.
fn check_end(order: Ordering) {
    loom::model(move || {
        let words: Arc<[AtomicU64; 5]> = Arc::new(std::array::from_fn(|_| AtomicU64::new(0)));
        let reading = {
            let words = Arc::clone(&words);
            thread::spawn(move || {
                let state = State::load(&words[4]);
                let mut copy = [0; 4];
                let found = LANE.read(&words[..4], 1, &mut copy);
                if state == State::Ended {
                    assert_eq!(found, Found::Flags(COMPLETE | 1 << 8), "violation: the end came first");
                }
            })
        };
        write_all(LANE, &words[..4], 1);
        State::Ended.store(&words[4], order);
        reading.join().unwrap();
    });
}

#[test]
fn the_last_frame_is_seen_by_who_sees_the_end() {
    check_end(State::ORDER);
}

#[test]
#[should_panic = "violation"]
fn end_without_release_is_caught() {
    check_end(Ordering::Relaxed);
}

/// One test per line: `$fault` takes it out, and loom has to find a violation.
macro_rules! guards {
    ($($(#[doc = $line:literal])+ $name:ident: $fault:ident;)+) => {$(
        $(#[doc = $line])+
        #[test]
        #[should_panic = "violation"]
        fn $name() {
            check(LANE.with_fault(Fault::$fault), 2);
        }
    )+};
}

guards! {
    /// Guards `Lane::begin`: the row is marked before it is cleared.
    begin_unmarked_is_caught: BeginUnmarked;
    /// Guards `Lane::begin`: the release fence.
    begin_without_fence_is_caught: BeginWithoutFence;
    /// Guards `Lane::begin`: Release of the tag.
    begin_without_release_is_caught: BeginWithoutRelease;
    /// Guards `Lane::flag`: Release.
    flag_without_release_is_caught: FlagWithoutRelease;
    /// Guards `Lane::read`: the acquire fence after the tag.
    tag_without_acquire_is_caught: TagWithoutAcquire;
    /// Guards `Lane::read`: the acquire fence after the flags.
    flags_without_acquire_is_caught: FlagsWithoutAcquire;
    /// Guards `Lane::read`: the second look at the tag.
    second_look_skipped_is_caught: SecondLookSkipped;
    /// Guards `Lane::read`: the acquire fence before the second look.
    second_look_without_acquire_is_caught: SecondLookWithoutAcquire;
}
