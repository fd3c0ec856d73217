//! Refreshes of the display in the table: numbered rows as those of frames, one for each that a source told.

use super::lane::Found;
use super::layout::{REFRESHES, refresh};
use super::shim::AtomicU64;
use super::writer::{origin_code, origin_of};
use crate::pacing::VblankSample;
use crate::time::Timestamp;

/// A refresh of the display, as a source told of it.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Refresh {
    /// When it began, its number, and who says so.
    pub sample: VblankSample,
    /// By so many nanoseconds it came before it was predicted (negative: after); `None` where nothing was predicted.
    pub phase_error: Option<i64>,
}

/// Words from here on are no time that anybody measured, as for frames.
const NONSENSE: u64 = 1 << 62;

/// What a reader found in a row.
pub(super) enum Read {
    Refresh(Refresh),
    /// One that cannot be.
    Refused,
    NotYet,
    Overwritten,
}

/// Writes refresh `n` into its row. About a dozen stores; no allocation.
#[inline]
pub(super) fn write(words: &[AtomicU64], n: u64, sample: &VblankSample, phase_error: Option<i64>) {
    REFRESHES.begin(words, n);
    let put = |at, value| REFRESHES.set(words, n, at, value);
    put(refresh::AT, sample.at.as_nanos());
    put(refresh::SEQUENCE, sample.sequence.map_or(0, |sequence| sequence.saturating_add(1)));
    let phase =
        phase_error.map_or(0, |ns| ns.unsigned_abs().saturating_mul(2).saturating_add(1 + u64::from(ns < 0)));
    put(refresh::PHASE, phase);
    REFRESHES.flag(words, n, refresh::WHOLE | origin_code(sample.origin) << refresh::ORIGIN);
}

/// Reads the row of refresh `n`.
pub(super) fn read(words: &[AtomicU64], n: u64) -> Read {
    let mut row = [0; REFRESHES.row_words];
    let flags = match REFRESHES.read(words, n, &mut row) {
        Found::Flags(flags) if flags & refresh::WHOLE != 0 => flags,
        Found::Flags(_) | Found::NotYet => return Read::NotYet,
        Found::Overwritten => return Read::Overwritten,
    };
    if row[refresh::AT..].iter().any(|word| *word >= NONSENSE) {
        return Read::Refused;
    }
    let sample = VblankSample {
        at: Timestamp::from_nanos(row[refresh::AT]),
        sequence: row[refresh::SEQUENCE].checked_sub(1),
        period: None,
        origin: origin_of(flags >> refresh::ORIGIN),
    };
    let phase_error = row[refresh::PHASE].checked_sub(1).map(|code| {
        let size = (code >> 1).cast_signed();
        if code & 1 == 1 { -size } else { size }
    });
    Read::Refresh(Refresh { sample, phase_error })
}
