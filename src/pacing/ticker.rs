//! A frame scheduler made of a monotonic ticker and vsync notices, in three variants: each alone, and both together.
//! An alternative to predicted refreshes, kept so that both can be measured side by side ([`Pacing::Ticker`](super::Pacing));
//! `docs/delta-time.md` has the figures.

use std::time::Duration;

use crate::time::{Timestamp, nanos};

/// Weight of the newest evidence when the ticker is recalibrated.
pub const TICKER_ALPHA: f64 = 0.2;
/// So many notices are averaged before they move the ticker.
pub const TICKER_WINDOW: usize = 5;
/// A notice further than this from the tick that it belongs to counts as this far.
pub const TICKER_MAX_JITTER: Duration = Duration::from_millis(2);

/// What a [`Ticker`] goes by.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Variant {
    /// The base interval alone. Notices are ignored; nothing ties the ticks to the display.
    TickerAlone,
    /// A frame begins when a notice comes, and not otherwise.
    VsyncAlone,
    /// The ticker, whose next deadline each notice recalibrates.
    Both,
}

/// When frames begin, by a ticker, by vsync notices, or by both.
///
/// Together they work like this: the distance of a notice from the tick nearest to it, cut to
/// [`TICKER_MAX_JITTER`], enters a window of the last [`TICKER_WINDOW`]; the next deadline moves by
/// [`TICKER_ALPHA`] of the window's mean. The first notice sets the phase outright. Frames go on at the base interval
/// when notices stop.
///
/// ```
/// use scanout::pacing::{Ticker, Variant};
/// use scanout::time::Timestamp;
/// use std::time::Duration;
///
/// let at = Timestamp::from_nanos;
/// let mut ticker = Ticker::new(Duration::from_nanos(1_000), Variant::Both);
/// assert_eq!(ticker.next(at(10_000)), at(10_000)); // the first frame: now
/// assert_eq!(ticker.next(at(10_100)), at(11_000));
/// ticker.vsync(at(11_100));
/// assert_eq!(ticker.next(at(11_200)), at(12_100));
/// ```
#[derive(Clone, Debug)]
pub struct Ticker {
    base: u64,
    variant: Variant,
    /// The tick of the last frame, as recalibrated since.
    tick: Option<Timestamp>,
    /// Distances of the last notices from their ticks, as the ticks are now, in nanoseconds.
    window: [f64; TICKER_WINDOW],
    notices: u64,
    /// The last notice, until a frame was begun for it.
    notice: Option<Timestamp>,
    skipped: u64,
}

impl Ticker {
    /// A ticker with a tick every `base` (at least a nanosecond).
    #[must_use]
    pub fn new(base: Duration, variant: Variant) -> Self {
        Self {
            base: nanos(base).max(1),
            variant,
            tick: None,
            window: [0.0; TICKER_WINDOW],
            notices: 0,
            notice: None,
            skipped: 0,
        }
    }

    /// When the next frame begins; in the past: now. Call it once per frame, when the one before is done. Where only
    /// a notice can tell, [`Timestamp::MAX`]: wait for one, and ask again. Ticks that passed unused are skipped.
    pub fn next(&mut self, now: Timestamp) -> Timestamp {
        if self.variant == Variant::VsyncAlone {
            return self.notice.take().unwrap_or(Timestamp::MAX);
        }
        let next = match self.tick {
            None => now,
            Some(last) => {
                let passed = nanos(now.saturating_since(last)) / self.base;
                self.skipped += passed.saturating_sub(1);
                last + Duration::from_nanos(self.base.saturating_mul(passed.max(1)))
            }
        };
        self.tick = Some(next);
        next
    }

    /// A frame began at `at`, after a wait for something to show: the ticks have gone on meanwhile, and none of them was missed.
    pub fn rested(&mut self, at: Timestamp) {
        if let Some(tick) = &mut self.tick {
            let passed = nanos(at.saturating_since(*tick)) / self.base;
            *tick += Duration::from_nanos(self.base.saturating_mul(passed));
        }
    }

    /// The display began a refresh, as noticed at `at`. About 10 ns.
    pub fn vsync(&mut self, at: Timestamp) {
        self.notice = Some(at);
        if self.variant != Variant::Both {
            return;
        }
        let Some(tick) = self.tick else { return };
        let since = at.signed_since(tick) as f64;
        let base = self.base as f64;
        let mut off = since - (since / base).round() * base;
        let moved = if self.notices == 0 {
            std::mem::take(&mut off)
        } else {
            let most = nanos(TICKER_MAX_JITTER) as f64;
            off = off.clamp(-most, most);
            self.window[(self.notices % TICKER_WINDOW as u64) as usize] = off;
            TICKER_ALPHA * self.window.iter().sum::<f64>() / self.notices.min(TICKER_WINDOW as u64) as f64
        };
        self.notices += 1;
        let moved = moved.round();
        // What was seen before was seen against the tick as it was.
        let held = (self.notices - 1).min(TICKER_WINDOW as u64) as usize;
        for i in 1..=held {
            self.window[((self.notices - i as u64) % TICKER_WINDOW as u64) as usize] -= moved;
        }
        self.tick = Some(tick.offset(moved as i64));
    }

    /// Whether only a notice can tell when the next frame begins, and none has come since the last.
    #[must_use]
    pub fn awaits_notice(&self) -> bool {
        self.variant == Variant::VsyncAlone && self.notice.is_none()
    }

    /// Ticks that passed without a frame.
    #[must_use]
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    fn at(us: u64) -> Timestamp {
        Timestamp::from_nanos(1_000_000_000 + us * 1_000)
    }

    fn ticker(variant: Variant) -> Ticker {
        Ticker::new(Duration::from_nanos(10 * MS), variant)
    }

    #[test]
    fn ticker_alone_keeps_its_grid_and_ignores_notices() {
        let mut t = ticker(Variant::TickerAlone);
        assert_eq!(t.next(at(0)), at(0));
        assert_eq!(t.next(at(3_000)), at(10_000));
        t.vsync(at(13_000));
        assert_eq!(t.next(at(14_000)), at(20_000));
        // Late: the tick that passed last is due at once, those before it are skipped.
        assert_eq!(t.next(at(54_000)), at(50_000));
        assert_eq!(t.skipped(), 2);
        assert_eq!(t.next(at(54_500)), at(60_000));
    }

    #[test]
    fn vsync_alone_begins_one_frame_per_notice() {
        let mut t = ticker(Variant::VsyncAlone);
        assert_eq!(t.next(at(0)), Timestamp::MAX);
        t.vsync(at(5_000));
        assert_eq!(t.next(at(5_100)), at(5_000));
        assert_eq!(t.next(at(5_200)), Timestamp::MAX);
        // Two notices during one frame are one frame.
        t.vsync(at(15_000));
        t.vsync(at(25_000));
        assert_eq!(t.next(at(25_100)), at(25_000));
        assert_eq!(t.next(at(25_200)), Timestamp::MAX);
    }

    #[test]
    fn both_first_notice_sets_the_phase_and_later_ones_move_it_by_alpha() {
        let mut t = ticker(Variant::Both);
        t.next(at(0));
        t.vsync(at(4_000));
        assert_eq!(t.next(at(5_000)), at(14_000));
        // One ms late: by the mean of a window of one, times alpha.
        t.vsync(at(15_000));
        assert_eq!(t.next(at(15_100)), at(24_200));
        // Far off: counts as 2 ms. The window holds the 0.8 ms left of before, and 2 ms.
        t.vsync(at(28_200));
        assert_eq!(t.next(at(28_300)), at(34_480));
    }

    #[test]
    fn both_window_forgets_after_five_notices() {
        let mut t = ticker(Variant::Both);
        let mut next = t.next(at(0));
        t.vsync(next);
        next = t.next(next);
        t.vsync(next + Duration::from_millis(1));
        for _ in 0..4 {
            next = t.next(next);
            t.vsync(next);
        }
        assert!(t.window.iter().any(|off| *off > 1e5), "{:?}", t.window);
        next = t.next(next);
        t.vsync(next);
        assert!(t.window.iter().all(|off| *off < 1e5), "{:?}", t.window);
    }

    #[test]
    fn both_follows_a_display_of_another_rate_with_a_constant_lag() {
        let base = 1e9 / 60.0;
        for hz in [59.94, 60.06] {
            let period = 1e9 / hz;
            let mut t = Ticker::new(Duration::from_nanos(base as u64), Variant::Both);
            let mut deadline = t.next(at(0));
            for i in 0..10_000_u32 {
                let vblank = at(0).offset((f64::from(i) * period) as i64);
                t.vsync(vblank);
                deadline = t.next(vblank + Duration::from_micros(10));
                if i > 100 {
                    let lag = deadline.signed_since(vblank.offset(period as i64));
                    // A loop of the first order lags by drift / alpha: the 16.7 us per frame become about 0.1 ms.
                    assert!(lag.abs() < 120_000, "{hz} Hz, {i}: {lag}");
                }
            }
            assert!(deadline > at(0));
            assert_eq!(t.skipped(), 0);
        }
    }

    #[test]
    fn both_without_notices_goes_on_at_the_base_interval() {
        let mut t = ticker(Variant::Both);
        t.next(at(0));
        t.vsync(at(2_000));
        for i in 1..100 {
            assert_eq!(t.next(at(2_000 + (i - 1) * 10_000)), at(2_000 + i * 10_000));
        }
    }

    proptest! {
        #[test]
        fn any_input_does_not_panic_and_deadlines_do_not_lag_a_whole_interval(
            base in any::<u64>(),
            steps in prop::collection::vec((any::<bool>(), any::<u64>()), 0..100),
        ) {
            for variant in [Variant::TickerAlone, Variant::VsyncAlone, Variant::Both] {
                let mut t = Ticker::new(Duration::from_nanos(base), variant);
                for &(notice, at) in &steps {
                    let at = Timestamp::from_nanos(at);
                    if notice {
                        t.vsync(at);
                    } else if variant == Variant::TickerAlone {
                        prop_assert!(nanos(at.saturating_since(t.next(at))) < base.max(1));
                    } else {
                        t.next(at);
                    }
                }
            }
        }
    }
}
