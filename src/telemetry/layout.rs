//! Where in the table what is. The same in every process, so that a change of anything here is another [`VERSION`].

use super::lane::Lane;
use crate::stats::Stage;

/// `scanoutT`, so that a table is known by its first word.
pub(super) const MAGIC: u64 = u64::from_le_bytes(*b"scanoutT");
/// The version of the layout.
pub(super) const VERSION: u64 = 2;
/// Frames, and steps of the logic, that the table holds: several times as many as frames can be on their way, and a quarter
/// of a second of them at 4,000 frames per second.
pub(super) const ROWS: usize = 1024;

// The constant part, written before anybody can read.
pub(super) const AT_MAGIC: usize = 0;
pub(super) const AT_VERSION: usize = 1;
pub(super) const AT_SHAPE: usize = 2;
pub(super) const AT_PID: usize = 10;
#[cfg(all(feature = "telemetry", target_os = "linux"))]
pub(super) const AT_STARTED: usize = 11;
#[cfg(all(feature = "telemetry", target_os = "linux"))]
pub(super) const AT_BEGAN: usize = 12;
#[cfg(all(feature = "telemetry", target_os = "linux"))]
pub(super) const AT_IDENTITY: usize = 13;
/// The names of the stages, [`NAME_WORDS`] for each.
pub(super) const AT_NAMES: usize = 16;
/// 32 bytes, filled up with 0.
pub(super) const NAME_WORDS: usize = 4;

// What changes, in cache lines by who writes it.
/// Render thread: a [`State`](super::table::State).
pub(super) const AT_STATE: usize = 64;
/// Render thread: the newest frame that was swapped, as a hint where to read on.
pub(super) const AT_FRAME: usize = 72;
/// Render thread: the newest refresh of the display, likewise.
pub(super) const AT_REFRESHED: usize = 73;

/// What is drawn with and to; its number counts its versions.
pub(super) const ABOUT: Lane = Lane::new(80, 112, 1);
pub(super) const ABOUT_REFRESH: usize = 2;
pub(super) const ABOUT_INTERVAL: usize = 3;
pub(super) const ABOUT_WARMUP: usize = 4;
pub(super) const ABOUT_ORIGIN: usize = 5;
/// Texts of [`TEXT_WORDS`] each.
pub(super) const ABOUT_TEXTS: usize = 8;
/// 128 bytes, filled up with 0; what is longer is cut.
pub(super) const TEXT_WORDS: usize = 16;
/// Pacing, surface, vendor, renderer, version, source.
pub(super) const TEXTS: usize = 6;
/// The flags of a whole version.
pub(super) const ABOUT_WHOLE: u64 = 1;

/// Steps of the logic by the number of their snapshot, written by whoever makes the step.
pub(super) const STEPS: Lane = Lane::new(ABOUT.end(), 8, ROWS);
/// Frames by their number, written by the render thread.
pub(super) const FRAMES: Lane = Lane::new(STEPS.end(), 16, ROWS);
/// Refreshes of the display in the order in which they were told, written by the render thread: a quarter of a second of
/// them at 1,000 Hz.
pub(super) const REFRESHES: Lane = Lane::new(FRAMES.end(), 8, 256);
/// Words in all.
pub(super) const WORDS: usize = REFRESHES.end();

/// What a reader holds its own layout against, word by word from [`AT_SHAPE`].
pub(super) const SHAPE: [u64; 8] = [
    WORDS as u64,
    ROWS as u64,
    STEPS.begin as u64,
    STEPS.row_words as u64,
    FRAMES.begin as u64,
    FRAMES.row_words as u64,
    ABOUT.begin as u64,
    Stage::COUNT as u64,
];

/// Flags of a frame. The lowest bits say what is complete.
pub(super) mod frame {
    /// Everything up to the return of swap.
    pub const SWAPPED: u64 = 1;
    /// The GPU was seen done.
    pub const GPU_DONE: u64 = 1 << 1;
    /// It was displayed.
    pub const PRESENTED: u64 = 1 << 2;
    /// It will never be displayed.
    pub const DROPPED: u64 = 1 << 3;
    /// As [`FrameRecord`](crate::stats::FrameRecord) has them.
    pub const REPEATED: u64 = 1 << 4;
    pub const STALE: u64 = 1 << 5;
    pub const AFTER_IDLE: u64 = 1 << 6;
    /// The stamps of its step say nothing: the step was made before a standstill.
    pub const STEP_VOID: u64 = 1 << 7;
    /// Two bits of an `Origin`.
    pub const ORIGIN: u32 = 8;
    /// As [`FrameRecord`](crate::stats::FrameRecord) has it.
    pub const APART: u64 = 1 << 10;
    /// Frames that were on their way when it began, and 1; 0 where nobody knows.
    pub const QUEUED: u32 = 32;

    // Words of a row behind tag and flags.
    pub const SNAPSHOT: usize = 2;
    /// The snapshot that the frame before showed.
    pub const SEEN: usize = 3;
    pub const ACQUIRED: usize = 4;
    pub const SUBMITTED: usize = 5;
    pub const GPU: usize = 6;
    pub const SWAP_BEGIN: usize = 7;
    pub const SWAP_END: usize = 8;
    pub const SHOWN: usize = 9;
    pub const ANIMATION: usize = 10;
    pub const PLANNED: usize = 11;
    pub const LATCHED: usize = 12;
    pub const SWAP_AT: usize = 13;
    pub const TARGET: usize = 14;
    /// Nanoseconds, and 1; 0 where nobody measured it.
    pub const SPUN: usize = 15;
}

/// Words of a step's row behind tag and flags.
pub(super) mod step {
    pub const RECEIVED: usize = 2;
    pub const SAMPLED: usize = 3;
    pub const DONE: usize = 4;
    pub const PUBLISHED: usize = 5;
}

/// A refresh's row.
pub(super) mod refresh {
    /// A flag: all of it is there.
    pub const WHOLE: u64 = 1;
    /// Two bits of an `Origin` in the flags.
    pub const ORIGIN: u32 = 8;

    // Words behind tag and flags.
    pub const AT: usize = 2;
    /// The display's number of it, and 1; 0 where it has none.
    pub const SEQUENCE: usize = 3;
    /// The size of the phase error in nanoseconds, twice, the lowest bit its sign, and 1; 0 where nothing was predicted.
    pub const PHASE: usize = 4;
}

const _: () = {
    assert!(AT_SHAPE + SHAPE.len() <= AT_PID);
    assert!(AT_NAMES + Stage::COUNT * NAME_WORDS <= AT_STATE);
    assert!(AT_REFRESHED < ABOUT.begin && refresh::PHASE < REFRESHES.row_words);
    assert!(ABOUT_TEXTS + TEXTS * TEXT_WORDS <= ABOUT.row_words);
    assert!(frame::SPUN < FRAMES.row_words && step::PUBLISHED < STEPS.row_words);
    // A frame that is on its way is not overwritten.
    assert!(ROWS > 4 * crate::stats::PENDING);
};

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Whoever changes the layout changes the version with it.
    #[test]
    fn layout_of_version_2_is_what_it_was() {
        assert_eq!(VERSION, 2);
        assert_eq!(SHAPE, [26_816, 1_024, 192, 8, 8_384, 16, 80, 10]);
        assert_eq!(
            (AT_REFRESHED, REFRESHES.begin, REFRESHES.row_words, REFRESHES.rows),
            (73, 24_768, 8, 256)
        );
        assert_eq!((AT_STATE, AT_FRAME, AT_NAMES, ABOUT_TEXTS, TEXT_WORDS), (64, 72, 16, 8, 16));
    }
}
