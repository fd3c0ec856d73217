use crate::time::Timestamp;

/// Swaps looked at before the driver's throttle is believed or not: enough for a queue of three frames to fill,
/// few enough that an unthrottled start lasts only milliseconds.
const SAMPLES: u32 = 12;

/// A swap-to-swap interval below this share of the refresh interval cannot come from a throttled swap. Half, so
/// that neither a fast display with a wrongly stated rate nor jitter of a few milliseconds decides it.
const UNTHROTTLED_SHARE: f64 = 0.5;

/// A swap-to-swap interval this close to a whole number of refresh intervals looks like one that a display made.
/// Wide enough for stamps that are taken after the thread was woken, narrow enough that chance meets it rarely.
const REGULAR_SHARE: f64 = 0.06;

/// Whether the driver's swap waits for the display.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum Throttle {
    /// Not known yet.
    #[default]
    Untested,
    /// It does: swap-to-swap intervals are those of a display.
    Driver,
    /// It does not, whatever was asked for: a timer at the nominal rate stands in.
    Timer,
}

/// Finds out, from the times at which swap returned, whether swap waits for the display.
#[derive(Clone, Debug, Default)]
pub(super) struct ThrottleTest {
    found: Throttle,
    /// The caller said so, and no measurement is to change it.
    given: bool,
    short: u32,
    regular: u32,
    seen: u32,
    last: Option<Timestamp>,
}

impl ThrottleTest {
    pub(super) const fn found(&self) -> Throttle {
        self.found
    }

    /// The caller knows.
    pub(super) fn give(&mut self, throttle: Throttle) {
        *self = Self { found: throttle, given: throttle != Throttle::Untested, ..Self::default() };
    }

    /// Another display: what was measured no longer counts.
    pub(super) fn restart(&mut self) {
        let found = if self.given { self.found } else { Throttle::Untested };
        *self = Self { found, given: self.given, ..Self::default() };
    }

    /// The gap to the next swap says nothing.
    pub(super) const fn interrupted(&mut self) {
        self.last = None;
    }

    /// A swap that asked to wait returned at `end`.
    pub(super) fn swapped(&mut self, end: Timestamp, refresh_hz: f64) {
        let interval = self.last.replace(end).map(|last| end.saturating_since(last));
        let (Throttle::Untested, Some(interval)) = (self.found, interval) else { return };
        let periods = interval.as_secs_f64() * refresh_hz;
        let whole = periods.round();
        self.seen += 1;
        self.short += u32::from(periods < UNTHROTTLED_SHARE);
        self.regular += u32::from(whole >= 1.0 && (periods - whole).abs() < REGULAR_SHARE * whole);
        if self.seen >= SAMPLES {
            // A queue that fills makes the first few intervals short on a throttled display as well.
            if self.short * 4 > self.seen * 3 {
                self.found = Throttle::Timer;
            } else if self.regular * 3 > self.seen * 2 {
                self.found = Throttle::Driver;
            } else {
                // Work that takes about as long as a refresh says nothing either way: look on.
                (self.short, self.regular, self.seen) = (0, 0, 0);
            }
        }
    }
}
