//! Where only the return of swap says something about the display.

use std::time::Duration;

use super::{SourceError, SourceEvent, VsyncSource};
use crate::pacing::{FrameId, Origin, Presentation, VblankSample};
use crate::time::{Timestamp, nanos};

/// Intervals looked at: enough that chance does not make them regular, few enough to follow a change within a second.
const WINDOW: usize = 12;
/// An interval this close to a whole number of refreshes may come from a display.
const REGULAR_SHARE: f64 = 0.06;
/// Swaps that wait take at least this share of a refresh, in the middle. Swaps of a loop that paces itself are just as
/// regular, and say nothing.
const WAITING_SHARE: f64 = 0.25;
/// No display is faster, and swaps that do not wait mostly are.
const SHORTEST: Duration = Duration::from_millis(2);
/// Nor slower, where its rate is not known. A swap that takes longer is drawing: that of a software rasteriser, say.
const LONGEST: Duration = Duration::from_millis(50);

/// Takes the time at which swap returns for that of a refresh, once swaps are found to return at the pace of a display.
///
/// A driver that queues frames returns when an *earlier* frame is displayed, so this is a guess and labelled
/// [`Origin::Estimated`].
#[derive(Clone, Debug)]
pub struct SwapReturn {
    nominal: Option<Duration>,
    last: Option<Timestamp>,
    began: Timestamp,
    intervals: [Duration; WINDOW],
    waits: [Duration; WINDOW],
    seen: usize,
    throttled: bool,
    returned: Option<(FrameId, Timestamp)>,
}

impl SwapReturn {
    /// For a display of this nominal refresh interval; where it is not known, the swaps themselves have to agree on
    /// one.
    #[must_use]
    pub fn new(nominal: Option<Duration>) -> Self {
        Self {
            nominal: nominal.filter(|n| !n.is_zero()),
            last: None,
            began: Timestamp::ZERO,
            intervals: [Duration::ZERO; WINDOW],
            waits: [Duration::ZERO; WINDOW],
            seen: 0,
            throttled: false,
            returned: None,
        }
    }

    /// Whether swaps wait for a display: two thirds of the last intervals lie near whole multiples of the refresh
    /// interval, three quarters are not shorter than half of it, and half of the swaps took long.
    fn regular(&self) -> bool {
        if self.seen < WINDOW {
            return false;
        }
        let median = |mut of: [Duration; WINDOW]| {
            of.sort_unstable();
            of[WINDOW / 2]
        };
        let period = self.nominal.unwrap_or(median(self.intervals));
        if period < SHORTEST || (self.nominal.is_none() && period > LONGEST) {
            return false;
        }
        let in_periods = |d: Duration| nanos(d) as f64 / nanos(period) as f64;
        let near = |d: &&Duration| {
            let n = in_periods(**d);
            n.round() >= 1.0 && (n - n.round()).abs() < REGULAR_SHARE * n.round()
        };
        let regular = self.intervals.iter().filter(near).count();
        let short = self.intervals.iter().filter(|d| in_periods(**d) < 0.5).count();
        let waits = in_periods(median(self.waits)) >= WAITING_SHARE;
        waits && regular * 3 > WINDOW * 2 && short * 4 <= WINDOW
    }
}

impl VsyncSource for SwapReturn {
    fn name(&self) -> &'static str {
        "swap return"
    }

    fn origin(&self) -> Origin {
        Origin::Estimated
    }

    fn answers(&self) -> bool {
        self.throttled
    }

    fn ready(&self) -> bool {
        self.throttled
    }

    fn set_refresh(&mut self, hz: f64) {
        *self = Self::new(Some(Duration::from_secs_f64(1.0 / hz.max(1.0))));
    }

    fn before_swap(&mut self, _id: FrameId, now: Timestamp) {
        self.began = now;
    }

    fn after_swap(&mut self, id: FrameId, now: Timestamp) {
        if let Some(last) = self.last.replace(now) {
            self.intervals[self.seen % WINDOW] = now.saturating_since(last);
            self.waits[self.seen % WINDOW] = now.saturating_since(self.began);
            self.seen += 1;
            if self.seen == 2 * WINDOW {
                self.seen = WINDOW;
            }
        }
        self.throttled = self.regular();
        self.returned = self.throttled.then_some((id, now));
    }

    fn poll(&mut self, _now: Timestamp, sink: &mut dyn FnMut(SourceEvent)) -> Result<(), SourceError> {
        if let Some((id, at)) = self.returned.take() {
            let sample = VblankSample { at, sequence: None, period: None, origin: Origin::Estimated };
            sink(SourceEvent::Vblank(sample));
            sink(SourceEvent::Presented(id, Presentation::Estimated(at)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Swaps at these distances, each of which takes `takes`; returns how many were taken for refreshes.
    fn swaps(source: &mut SwapReturn, takes: Duration, us: impl IntoIterator<Item = u64>) -> usize {
        let mut now = source.last.unwrap_or(Timestamp::from_nanos(1_000_000_000));
        let mut ticks = 0;
        for (i, us) in (1..).zip(us) {
            now += Duration::from_micros(us);
            source.before_swap(FrameId(i), now - takes);
            source.after_swap(FrameId(i), now);
            let mut take = |event| ticks += usize::from(matches!(event, SourceEvent::Vblank(_)));
            source.poll(now, &mut take).expect("it cannot fail");
        }
        ticks
    }

    const LONG: Duration = Duration::from_millis(9);
    const SHORT: Duration = Duration::from_millis(1);

    #[test]
    fn throttled_swaps_are_found_with_and_without_a_nominal_rate() {
        for nominal in [None, Some(Duration::from_micros(16_667))] {
            let mut source = SwapReturn::new(nominal);
            assert!(!source.ready());
            let ticks = swaps(&mut source, LONG, (0..40).map(|i| 16_667 + i % 3 * 90 - 90));
            assert!(source.ready() && (25..=28).contains(&ticks), "{nominal:?}: {ticks}");
            // The display is gone, or somebody set interval 0.
            swaps(&mut source, SHORT, [900; 12]);
            assert!(!source.ready(), "{nominal:?}");
        }
    }

    #[test]
    fn swaps_of_another_display_are_found_when_its_rate_is_told() {
        let mut source = SwapReturn::new(Some(Duration::from_micros(16_667)));
        let long = Duration::from_millis(4);
        assert_eq!(swaps(&mut source, long, [6_944; 40]), 0, "no display of 60 Hz does that");
        source.set_refresh(144.0);
        assert!(swaps(&mut source, long, [6_944; 40]) > 25);
        source.set_refresh(60.0);
        assert!(!source.ready(), "what was concluded of the other one no longer holds");
    }

    #[test]
    fn swaps_that_draw_are_not_taken_for_a_display_that_nobody_makes() {
        let drawing = Duration::from_millis(82);
        let eight = || (0..40).map(|i| 123_000 + i % 3 * 900);
        assert_eq!(swaps(&mut SwapReturn::new(None), drawing, eight()), 0);
        let nominal = Some(Duration::from_micros(16_667));
        assert_eq!(
            swaps(&mut SwapReturn::new(nominal), LONG, [133_336; 40]),
            28,
            "every eighth refresh of a known one"
        );
    }

    #[test]
    fn irregular_short_and_paced_swaps_are_nobodys_refreshes() {
        for nominal in [None, Some(Duration::from_micros(16_667))] {
            let work = (0..400_u64).map(|i| 9_000 + i * 7_919 % 6_000);
            assert_eq!(swaps(&mut SwapReturn::new(nominal), LONG, work), 0, "{nominal:?}");
            assert_eq!(swaps(&mut SwapReturn::new(nominal), SHORT, [700; 100]), 0, "{nominal:?}");
            // A timer of our own paces, and swap returns at once.
            assert_eq!(swaps(&mut SwapReturn::new(nominal), SHORT, [16_667; 100]), 0, "{nominal:?}");
        }
    }
}
