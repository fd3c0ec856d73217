//! Files that say something twice: they were put together from others, and what is counted in them is not what was.

use scanout::pacing::FrameId;
use scanout::stats::FrameRecord;
use scanout::timeline::Kind;

use super::scan::Kept;

/// The first frame that is there twice. `frames` are in their order.
pub fn frame(frames: &[FrameRecord]) -> Option<FrameId> {
    frames.windows(2).find(|pair| pair[0].id == pair[1].id).map(|pair| pair[0].id)
}

/// An event that is there twice: the same kind, for the same frame, from the same nanosecond to the same. What took no time
/// may happen twice.
pub fn event(kept: &Kept) -> Option<(Kind, u64)> {
    let key = |n: &u32| {
        let e = kept.at(*n);
        (e.kind as u8, e.start, e.end, e.frame)
    };
    let mut order: Vec<u32> = (0..kept.len()).filter(|n| kept.at(*n).start < kept.at(*n).end).collect();
    order.sort_unstable_by_key(key);
    let twice = order.windows(2).find(|pair| key(&pair[0]) == key(&pair[1]))?;
    let event = kept.at(twice[0]);
    Some((event.kind, event.frame))
}
