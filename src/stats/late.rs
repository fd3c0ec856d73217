//! The one rule for frames that are late.
//!
//! A frame that aimed at a time is late when it is displayed more than half a refresh after it (`DeadlineMiss`). Of a
//! frame that aimed at none, the refreshes since the frame before are counted (to the nearest whole number), and those beyond
//! what the pacing mode means a frame to last are missed (`MissedVsyncs`).

use std::time::Duration;

use super::metrics::redrawn;
use super::{FrameRecord, Stage};
use crate::time::nanos;

/// Whether what came `past` nanoseconds after the time that it aimed at missed that refresh. Without a refresh interval
/// (zero: unknown) nothing is late.
#[must_use]
pub const fn is_late(past: i64, refresh: Duration) -> bool {
    !refresh.is_zero() && past > (nanos(refresh) / 2).cast_signed()
}

/// Refresh intervals in a span of nanoseconds, to the nearest whole number; 0 where the interval is not known.
#[must_use]
pub fn refreshes(span: i64, refresh: Duration) -> i64 {
    if refresh.is_zero() { 0 } else { (span as f64 / nanos(refresh) as f64).round() as i64 }
}

/// Those among `refreshes` between two displayed frames that should have shown a new one, where a frame is meant to last
/// `lasts` of them.
#[must_use]
pub fn missed(refreshes: i64, lasts: i64) -> u64 {
    refreshes.saturating_sub(lasts.max(1)).max(0).unsigned_abs()
}

/// By how many refreshes a displayed frame was late: after its target where it had one, else after `previous`, the frame
/// displayed before it. It is held against what the [`Recorder`](super::Recorder) wrote into it, else against `refresh`.
/// A frame that nothing had asked for a while, or that was drawn again for the window's sake, follows nothing.
#[must_use]
pub fn by(previous: Option<&FrameRecord>, frame: &FrameRecord, refresh: Duration) -> u64 {
    let refresh = frame.refresh.unwrap_or(refresh);
    let Some(shown) = frame.at(Stage::Presented) else { return 0 };
    if let Some(target) = frame.target {
        let past = shown.signed_since(target);
        // Half a refresh and a hair is one whole refresh late.
        return if is_late(past, refresh) { refreshes(past, refresh).max(1).unsigned_abs() } else { 0 };
    }
    let before =
        previous.filter(|_| !frame.after_idle && !redrawn(frame)).and_then(|p| p.at(Stage::Presented));
    before.map_or(0, |before| {
        missed(refreshes(shown.signed_since(before), refresh), frame.lasts.unwrap_or(1).into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacing::FrameId;
    use crate::time::Timestamp;

    const T: Duration = Duration::from_millis(10);

    fn frame(shown_us: u64, target_us: Option<u64>) -> FrameRecord {
        let at = |us: u64| Timestamp::from_nanos(us * 1_000);
        let mut frame = FrameRecord::new(FrameId(1));
        frame.mark(Stage::Presented, at(shown_us));
        frame.target = target_us.map(at);
        frame
    }

    #[test]
    fn a_frame_is_late_from_half_a_refresh_after_its_target_on() {
        for (past, late) in
            [(-9_000, 0), (0, 0), (5_000, 0), (5_001, 1), (14_999, 1), (15_001, 2), (40_000, 4)]
        {
            let shown = 100_000_u64.checked_add_signed(past).unwrap();
            assert_eq!(by(None, &frame(shown, Some(100_000)), T), late, "{past} us");
            assert_eq!(is_late(past * 1_000, T), late > 0, "{past} us");
        }
        assert_eq!(by(None, &frame(900_000, Some(100_000)), Duration::ZERO), 0, "late by what?");
    }

    #[test]
    fn a_frame_without_a_target_is_held_against_the_one_before_and_what_it_is_meant_to_last() {
        let before = frame(100_000, None);
        for (shown, lasts, late) in [
            (110_000, None, 0),
            (114_000, None, 0),
            (120_000, None, 1),
            (120_000, Some(2), 0),
            (141_000, Some(2), 2),
        ] {
            let mut after = frame(shown, None);
            after.lasts = lasts;
            assert_eq!(by(Some(&before), &after, T), late, "{shown} {lasts:?}");
            after.refresh = Some(T / 2);
            assert!(by(Some(&before), &after, T) > late, "what was recorded comes first");
            after.after_idle = true;
            assert_eq!(by(Some(&before), &after, T), 0);
        }
        assert_eq!(by(None, &frame(900_000, None), T), 0);
    }
}
