//! A writer that runs as fast as it can and readers that follow as well as they can. Meant for `--release`; a debug build
//! runs fewer rounds.
#![allow(clippy::disallowed_methods, reason = "threads of a test")]

use std::thread;

use super::{FrameStamps, Reader, State, StepStamps, Telemetry};
use crate::pacing::{FrameId, Origin, Presentation};
use crate::stats::{FrameRecord, Stage};
use crate::time::Timestamp;

const FRAMES: u64 = if cfg!(debug_assertions) { 20_000 } else { 2_000_000 };

/// Every stamp of a frame follows from its number.
fn stamp(id: u64, stage: Stage) -> Timestamp {
    Timestamp::from_nanos((id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8) + stage as u64 + 1)
}

fn write(mut steps: StepStamps, mut frames: FrameStamps, pause: impl Fn(u64)) {
    for n in 1..=FRAMES {
        let id = FrameId(n);
        steps.begin(n, stamp(n, Stage::InputSampled));
        for stage in [Stage::InputReceived, Stage::LogicDone, Stage::SnapshotPublished] {
            steps.stamp(stage, stamp(n, stage));
        }
        let mut record = FrameRecord::new(id);
        record.snapshot = n;
        record.mark(Stage::InputSampled, stamp(n, Stage::InputSampled));
        record.mark(Stage::SnapshotAcquired, stamp(n, Stage::SnapshotAcquired));
        record.target = Some(stamp(n, Stage::SnapshotAcquired));
        frames.begin(&record, n - 1);
        for stage in [Stage::Submitted, Stage::SwapBegin, Stage::SwapEnd] {
            frames.stamp(id, stage, stamp(n, stage));
        }
        frames.swapped(id, Some((n % 7) as u32));
        // What becomes known of a frame becomes known when the next ones are drawn.
        if let Some(earlier) = n.checked_sub(3).filter(|earlier| *earlier > 0) {
            frames.gpu_done(FrameId(earlier), stamp(earlier, Stage::GpuDone));
            let shown = Presentation::At(stamp(earlier, Stage::Presented), Origin::Hardware);
            frames.presented(FrameId(earlier), shown);
        }
        pause(n);
    }
}

/// Follows to the end; returns how many frames were read. `pause` is called between two looks.
fn follow(reader: &mut Reader, pause: impl Fn()) -> u64 {
    let (mut read, mut last) = (0, 0);
    loop {
        let ended = reader.state() == State::Ended;
        reader.poll(|record| {
            let id = record.id.0;
            assert!(id > last, "back from {last} to {id}");
            (read, last) = (read + 1, id);
            assert_eq!((record.snapshot, record.queued), (id, Some((id % 7) as u32)), "frame {id}");
            assert_eq!(record.target, Some(stamp(id, Stage::SnapshotAcquired)), "frame {id}");
            for stage in Stage::ALL {
                // The step of a frame may be gone where the frame is not; what is there is the frame's.
                let of_step = stage <= Stage::SnapshotPublished && record.at(stage).is_none();
                // Nobody said of the last frames what became of them.
                let open = id + 3 > FRAMES && matches!(stage, Stage::GpuDone | Stage::Presented);
                let wanted = Some(stamp(id, stage)).filter(|_| !of_step && !open);
                assert_eq!(record.at(stage), wanted, "{stage} of frame {id}");
            }
        });
        if ended {
            assert_eq!(last, FRAMES, "the last frame is read after the end");
            return read;
        }
        pause();
    }
}

fn spin(turns: u64) {
    (0..turns).for_each(|_| std::hint::spin_loop());
}

fn contend(pause: impl Fn(u64)) -> Vec<(u64, u64)> {
    let telemetry = Telemetry::new();
    let (steps, frames) = telemetry.claim().expect("the first run");
    let readers = [0_u64, 2_000, 200_000].map(|turns| {
        let mut reader = telemetry.reader();
        thread::spawn(move || {
            let read = follow(&mut reader, || {
                spin(turns);
                thread::yield_now();
            });
            (read, reader.overwritten() + reader.refused())
        })
    });
    write(steps, frames, pause);
    readers.into_iter().map(|reader| reader.join().expect("a reader")).collect()
}

#[test]
fn frames_are_whole_and_each_is_read_or_counted_however_fast_they_come() {
    // As fast as can be, so that every reader is overtaken; and with breaks in which they catch up.
    for breaks in [u64::MAX, 256] {
        let pause = |n: u64| {
            if n.is_multiple_of(breaks) {
                thread::yield_now();
            }
        };
        for (read, missed) in contend(pause) {
            assert_eq!(read + missed, FRAMES, "each frame has one fate");
            assert!(read > 0);
        }
    }
}
