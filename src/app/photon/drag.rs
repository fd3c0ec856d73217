//! How far a mark lags behind the pointer that drags it, in time.

use std::time::Duration;

use serde::Serialize;

use scanout::observe::{Area, Injector};
use scanout::time::{Clock as _, MonotonicClock, Timestamp};

use super::figures::{Figures, median};
use super::trouble::{Outcome, Trouble};
use super::watcher::{Gaps, Watcher, rest};

/// The way of the pointer leaves this share of the window free on both sides.
const MARGIN: f64 = 0.08;
/// So many seconds before and after it turns, a place may be one from the other direction: longer than any lag that can be
/// told.
const TURN_S: f64 = 0.13;
/// The pointer moves so often, as a mouse of 1000 Hz does.
const POINTER_EVERY: Duration = Duration::from_millis(1);
/// For the mark to come to where the pointer rests, before anything is measured.
const SETTLE: Duration = Duration::from_millis(500);
/// Where the pointer rests to find out where the mark lies about it, in shares of the window's width.
const RESTS: [f64; 3] = [0.3, 0.5, 0.7];
/// Marks lie this much off the pointer at most, in pixels: it is the same for all places.
const STEADY: f64 = 2.0;
/// Pointer positions are below the row that is looked at: a drawn pointer would be taken for the mark.
const POINTER_ROW: f64 = 0.85;

/// What the lags say.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Drag {
    /// From the injection of a position to the mark's appearance there.
    pub lag_ms: Figures,
    /// Standard deviation of the lag.
    pub jitter_ms: Option<f64>,
    pub speed_px_s: f64,
    /// Between two positions of the pointer: a lag is known to about this, and half of it too large on average.
    pub step_ms: f64,
    /// The mark's middle, from the pointer, in pixels.
    pub offset_px: i64,
    /// The row of the screen in which the mark was found.
    pub row: u32,
    /// Changes of the mark's place that lead back to no position of the pointer.
    pub unexplained: u64,
}

/// The row that is looked at: from the window's upper edge, or a seventh of its height.
pub fn row_of(area: Area, wished: Option<u32>) -> Outcome<u32> {
    let row = wished.unwrap_or(area.height / 7);
    if row < area.height {
        Ok(area.y + row)
    } else {
        Err(Trouble::Bad(format!("--row {row} lies below the window, which is {} pixels high", area.height)))
    }
}

/// All points of a row of the window.
pub fn points(area: Area, row: u32) -> Vec<(u32, u32)> {
    (area.x..area.x + area.width).map(|x| (x, row)).collect()
}

/// Moves the pointer to and fro for `span` and watches the mark. The watcher looks at a row of `area`.
pub fn measure(
    watcher: &mut Watcher<'_>,
    input: &mut dyn Injector,
    area: Area,
    (span, speed): (Duration, f64),
    check: &mut dyn FnMut() -> Outcome<()>,
) -> Outcome<Drag> {
    let height = area.y + (f64::from(area.height) * POINTER_ROW) as u32;
    let offset = offset(watcher, input, area, height)?;
    check()?;
    let margin = (f64::from(area.width) * MARGIN).round();
    let way = (f64::from(area.x) + margin, f64::from(area.x + area.width) - margin);
    let mut path = Path { way, speed, injected: vec![None; (area.x + area.width) as usize + 1] };
    if !path.has_clear_way() {
        return Err(Trouble::Bad(format!("a window {} pixels wide is too narrow to drag in", area.width)));
    }
    watcher.gaps = Gaps::default();
    let start = watcher.look()?;
    let mut drag = Drag {
        speed_px_s: speed,
        step_ms: POINTER_EVERY.as_secs_f64() * 1e3,
        offset_px: offset,
        row: watcher.points.first().map_or(0, |point| point.1),
        ..Drag::default()
    };
    let (mut due, mut last, mut lags) = (start, mark(&watcher.pixels), Vec::new());
    loop {
        let now = MonotonicClock.now();
        let gone = now.saturating_since(start).as_secs_f64() * speed;
        if now >= due {
            let x = path.at(gone).round() as u32;
            // The time before: what the program cannot have known earlier.
            path.inject(x, now);
            input.point(x, height)?;
            due = now.max(due + POINTER_EVERY);
        }
        let at = match watcher.next() {
            Ok(at) => at,
            // What was measured before stays.
            Err(Trouble::Stopped) if !lags.is_empty() => break,
            Err(trouble) => return Err(trouble),
        };
        let seen = mark(&watcher.pixels);
        if seen != last {
            last = seen;
            if path.is_clear(gone) {
                let x = seen.map(|x| i64::from(area.x) + x - offset);
                match x.and_then(|x| path.when(x)) {
                    Some(from) => lags.push(at.saturating_since(from).as_secs_f64() * 1e3),
                    None => drag.unexplained += 1,
                }
            }
        }
        if at.saturating_since(start) >= span {
            break;
        }
    }
    check()?;
    if lags.is_empty() {
        return Err(Trouble::Bad("the mark did not follow the pointer while it moved".into()));
    }
    drag.lag_ms = Figures::of(lags);
    drag.jitter_ms = drag.lag_ms.deviation();
    Ok(drag)
}

/// Where the mark's middle lies from a pointer that rests; an error when there is no mark that follows.
fn offset(watcher: &mut Watcher<'_>, input: &mut dyn Injector, area: Area, row: u32) -> Outcome<i64> {
    let mut offsets = Vec::new();
    for share in RESTS {
        let x = area.x + (f64::from(area.width) * share) as u32;
        // Some programs wait for a motion before they believe where the pointer is.
        input.point(x.saturating_sub(2), row)?;
        rest(SETTLE / 10)?;
        input.point(x, row)?;
        rest(SETTLE)?;
        watcher.look()?;
        let seen = mark(&watcher.pixels).ok_or_else(|| {
            let row = watcher.points.first().map_or(0, |point| point.1);
            Trouble::Bad(format!(
                "no mark is drawn in row {row} of the screen when the pointer moves (try --row)"
            ))
        })?;
        offsets.push((i64::from(area.x) + seen - i64::from(x)) as f64);
    }
    let middle = median(offsets.iter().copied()).unwrap_or_default();
    if offsets.iter().any(|offset| (offset - middle).abs() > STEADY) {
        return Err(Trouble::Bad("what is drawn there does not follow the pointer (try --row)".into()));
    }
    Ok(middle as i64)
}

/// The middle of the longest run of pixels that are not of the row's most frequent colour, from the row's start.
fn mark(row: &[u32]) -> Option<i64> {
    let ground = ground(row)?;
    let (mut best, mut begin) = (0..0, 0);
    for i in 0..=row.len() {
        if row.get(i).is_none_or(|&pixel| pixel == ground) {
            if i - begin > best.len() {
                best = begin..i;
            }
            begin = i + 1;
        }
    }
    (!best.is_empty()).then(|| ((best.start + best.end) / 2) as i64)
}

/// The colour of more than half of the row (Boyer and Moore's vote), or what comes nearest to it.
fn ground(row: &[u32]) -> Option<u32> {
    let (mut colour, mut lead) = (*row.first()?, 0_usize);
    for &pixel in row {
        if lead == 0 {
            colour = pixel;
        }
        if pixel == colour { lead += 1 } else { lead -= 1 }
    }
    Some(colour)
}

/// The way of the pointer, to and fro.
struct Path {
    way: (f64, f64),
    speed: f64,
    /// When each position was injected last.
    injected: Vec<Option<Timestamp>>,
}

impl Path {
    fn span(&self) -> f64 {
        self.way.1 - self.way.0
    }

    fn turn(&self) -> f64 {
        (TURN_S * self.speed).min(self.span() / 4.0)
    }

    fn has_clear_way(&self) -> bool {
        self.span() > 100.0
    }

    /// After so many pixels of way.
    fn at(&self, gone: f64) -> f64 {
        let there = gone % (2.0 * self.span());
        self.way.0 + if there < self.span() { there } else { 2.0 * self.span() - there }
    }

    /// Whether what is seen now cannot be from the other direction, nor from before the start.
    fn is_clear(&self, gone: f64) -> bool {
        let (x, turn) = (self.at(gone), self.turn());
        gone > 2.0 * turn && x > self.way.0 + turn && x < self.way.1 - turn
    }

    fn inject(&mut self, x: u32, now: Timestamp) {
        if let Some(one) = self.injected.get_mut(x as usize) {
            *one = Some(now);
        }
    }

    /// When the pointer was put there. At high speeds not every position is: then the nearest one within a step.
    fn when(&self, x: i64) -> Option<Timestamp> {
        let step = (self.speed * POINTER_EVERY.as_secs_f64()).ceil() as i64;
        let near = (0..=step).flat_map(|d| [x - d, x + d]);
        near.filter_map(|x| self.injected.get(usize::try_from(x).ok()?).copied().flatten()).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mark_is_the_longest_run_off_the_ground() {
        let mut row = vec![0_u32; 200];
        assert_eq!(mark(&row), None);
        row[3] = 7;
        row[100..116].fill(0xff_ff_ff);
        assert_eq!(mark(&row), Some(108));
        row[199] = 7;
        assert_eq!(mark(&row), Some(108));
        let inverse: Vec<u32> = row.iter().map(|pixel| !pixel).collect();
        assert_eq!(mark(&inverse), Some(108), "dark on light");
        assert_eq!(mark(&[]), None);
    }

    #[test]
    fn way_goes_to_and_fro_and_is_clear_between_its_turns() {
        let path = Path { way: (100.0, 1_100.0), speed: 1_000.0, injected: Vec::new() };
        assert_eq!(
            [0.0, 1_000.0, 1_300.0, 2_000.0].map(|gone| path.at(gone)),
            [100.0, 1_100.0, 800.0, 100.0]
        );
        assert_eq!(
            [100.0, 400.0, 950.0, 1_050.0, 1_500.0].map(|gone| path.is_clear(gone)),
            [false, true, false, false, true]
        );
    }

    #[test]
    fn position_leads_back_to_its_injection_or_the_nearest_one() {
        let mut path = Path { way: (0.0, 500.0), speed: 3_000.0, injected: vec![None; 500] };
        path.inject(90, Timestamp::from_nanos(5));
        path.inject(93, Timestamp::from_nanos(8));
        assert_eq!(path.when(90), Some(Timestamp::from_nanos(5)));
        assert_eq!(path.when(92), Some(Timestamp::from_nanos(8)));
        assert_eq!(path.when(80), None);
        assert_eq!(path.when(-5), None);
    }
}
