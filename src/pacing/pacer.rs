use std::time::Duration;

use super::Pacing;
use crate::time::{Timestamp, nanos};

/// The longest step that animation takes in one frame. A longer gap (a debugger, a suspended machine, a stall)
/// is cut to this, so that the world does not jump; the cut is counted in [`FramePacer::snaps`].
pub const LONGEST_STEP: Duration = Duration::from_millis(100);

/// Swaps looked at before the driver's throttle is believed or not: enough for a queue of three frames to fill,
/// few enough that an unthrottled start lasts only milliseconds.
const THROTTLE_SAMPLES: u32 = 12;

/// A swap-to-swap interval below this share of the refresh interval cannot come from a throttled swap. Half, so
/// that neither a fast display with a wrongly stated rate nor jitter of a few milliseconds decides it.
const UNTHROTTLED_SHARE: f64 = 0.5;

/// A swap-to-swap interval this close to a whole number of refresh intervals looks like one that a display made.
/// Wide enough for stamps that are taken after the thread was woken, narrow enough that chance meets it rarely.
const REGULAR_SHARE: f64 = 0.06;

/// When the next frame is to begin, and what it aims at.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// Input is sampled and logic runs at this time, not before. In the past: now.
    pub wake_at: Timestamp,
    /// The display time that the frame is meant for, where the mode has one.
    pub target_presentation: Option<Timestamp>,
    /// How far animation moves on. `None`: by as much time as has passed since the last step, up to
    /// [`LONGEST_STEP`].
    pub dt: Option<Duration>,
    /// When the frame is so late that the last snapshot is drawn again in its place, if the scene moves.
    pub stale_at: Timestamp,
    /// Input that arrives after the snapshot was made, but before it was drawn, makes a newer one.
    pub refresh_on_input: bool,
}

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

/// Decides when frames begin. Pure: it never asks a clock.
///
/// ```
/// use scanout::pacing::{FramePacer, Pacing};
/// use scanout::time::Timestamp;
///
/// let mut pacer = FramePacer::new(Pacing::fixed(100.0).unwrap(), 60.0);
/// let t0 = Timestamp::from_nanos(5_000_000);
/// assert_eq!(pacer.plan(t0).wake_at, t0); // the first frame: now
/// assert_eq!(pacer.plan(t0).wake_at.as_nanos(), 15_000_000); // then on the grid
/// ```
#[derive(Clone, Debug)]
pub struct FramePacer {
    mode: Pacing,
    refresh_hz: f64,
    throttle: Throttle,
    /// The caller said so, and no measurement is to change it.
    throttle_given: bool,
    short_swaps: u32,
    regular_swaps: u32,
    swaps_seen: u32,
    last_swap_end: Option<Timestamp>,
    /// The grid of timed modes: `anchor + n * period`, computed from the anchor each time so that no rounding
    /// accumulates. `tick` is the `n` of the last plan.
    anchor: Option<Timestamp>,
    tick: u64,
    last_start: Option<Timestamp>,
    missed_ticks: u64,
    snaps: u64,
}

impl FramePacer {
    /// A pacer for `mode` on a display of nominally `refresh_hz` refreshes per second (60 is taken where
    /// `refresh_hz` is not a positive number).
    #[must_use]
    pub fn new(mode: Pacing, refresh_hz: f64) -> Self {
        Self {
            mode,
            refresh_hz: sane_rate(refresh_hz),
            throttle: Throttle::Untested,
            throttle_given: false,
            short_swaps: 0,
            regular_swaps: 0,
            swaps_seen: 0,
            last_swap_end: None,
            anchor: None,
            tick: 0,
            last_start: None,
            missed_ticks: 0,
            snaps: 0,
        }
    }

    /// The mode in force.
    #[must_use]
    pub const fn mode(&self) -> Pacing {
        self.mode
    }

    /// Switches the mode; the next plan starts anew.
    pub fn set_mode(&mut self, mode: Pacing) {
        self.mode = mode;
        self.anchor = None;
        self.last_start = None;
    }

    /// The display's nominal rate changed (another monitor, another mode): what was measured no longer counts.
    pub fn set_refresh(&mut self, hz: f64) {
        let hz = sane_rate(hz);
        if (hz - self.refresh_hz).abs() > f64::EPSILON {
            self.refresh_hz = hz;
            self.anchor = None;
            if !self.throttle_given {
                self.throttle = Throttle::Untested;
            }
            self.reset_throttle_watch();
        }
    }

    /// The caller knows whether swap throttles, for instance because it asked for swap interval 0.
    pub fn set_throttle(&mut self, throttle: Throttle) {
        self.throttle = throttle;
        self.throttle_given = throttle != Throttle::Untested;
        self.anchor = None;
        self.reset_throttle_watch();
    }

    /// Whether swap was found to wait for the display.
    #[must_use]
    pub const fn throttle(&self) -> Throttle {
        self.throttle
    }

    /// Grid points that passed without a frame because the one before took too long.
    #[must_use]
    pub const fn missed_ticks(&self) -> u64 {
        self.missed_ticks
    }

    /// Steps that were cut to [`LONGEST_STEP`].
    #[must_use]
    pub const fn snaps(&self) -> u64 {
        self.snaps
    }

    /// The time from one frame to the next that the mode aims at: the fixed rate's, or the display's.
    #[must_use]
    pub fn interval(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.rate())
    }

    /// Whether the next frame may be planned (and its logic may run) while this one is still being drawn.
    /// Under a throttled swap that would sample its input a whole refresh early.
    #[must_use]
    pub fn plans_ahead(&self) -> bool {
        self.mode != Pacing::Vsync || self.throttle == Throttle::Timer
    }

    /// The next frame. `now` is the present time; call it once per frame, when [`plans_ahead`] says so: as soon
    /// as the frame before has its snapshot, otherwise when its swap has returned.
    ///
    /// [`plans_ahead`]: Self::plans_ahead
    pub fn plan(&mut self, now: Timestamp) -> Plan {
        let interval = self.interval();
        let mut plan = match self.mode {
            Pacing::Immediate => Plan { wake_at: now, refresh_on_input: true, ..Plan::default() },
            Pacing::Vsync if self.throttle != Throttle::Timer => {
                let dt = self.last_start.map_or(interval, |last| now.saturating_since(last));
                if dt > LONGEST_STEP {
                    self.snaps += 1;
                }
                Plan { wake_at: now, dt: Some(dt.min(LONGEST_STEP)), ..Plan::default() }
            }
            Pacing::Vsync | Pacing::Fixed(_) => self.plan_on_grid(now, interval),
        };
        // One whole interval late: by then another frame was due.
        plan.stale_at = plan.wake_at.max(now) + interval;
        self.last_start = Some(plan.wake_at);
        plan
    }

    fn plan_on_grid(&mut self, now: Timestamp, interval: Duration) -> Plan {
        let Some(anchor) = self.anchor else {
            self.anchor = Some(now);
            self.tick = 0;
            return Plan { wake_at: now, dt: Some(interval), ..Plan::default() };
        };
        let period = 1e9 / self.rate();
        let at = |tick: u64| anchor + Duration::from_nanos((tick as f64 * period).round() as u64);
        let mut next = self.tick + 1;
        if now > at(next) {
            // Late. The grid keeps its phase: the frame belongs to the last point that has passed.
            let passed = (nanos(now.saturating_since(anchor)) as f64 / period).floor() as u64;
            self.missed_ticks += passed.saturating_sub(next);
            next = next.max(passed);
        }
        let steps = u32::try_from(next - self.tick).unwrap_or(u32::MAX);
        let dt = interval.saturating_mul(steps);
        if dt > LONGEST_STEP.max(interval) {
            self.snaps += 1;
        }
        self.tick = next;
        Plan { wake_at: at(next), dt: Some(dt.min(LONGEST_STEP.max(interval))), ..Plan::default() }
    }

    /// A frame that had been waiting for something to show began at `at`, later than planned. The grid starts
    /// anew there: after idling a frame starts at once and not at some old grid point.
    pub fn began_after_idle(&mut self, at: Timestamp) {
        self.last_start = Some(at);
        self.last_swap_end = None;
        if self.anchor.is_some() {
            self.anchor = Some(at);
            self.tick = 0;
        }
    }

    /// A swap returned at `end`. Feeds the test of whether swap throttles.
    pub fn swapped(&mut self, end: Timestamp) {
        let interval = self.last_swap_end.replace(end).map(|last| end.saturating_since(last));
        if self.mode != Pacing::Vsync || self.throttle != Throttle::Untested {
            return;
        }
        let Some(interval) = interval else { return };
        let periods = interval.as_secs_f64() * self.refresh_hz;
        let whole = periods.round();
        self.swaps_seen += 1;
        self.short_swaps += u32::from(periods < UNTHROTTLED_SHARE);
        self.regular_swaps += u32::from(whole >= 1.0 && (periods - whole).abs() < REGULAR_SHARE * whole);
        if self.swaps_seen >= THROTTLE_SAMPLES {
            // A queue that fills makes the first few intervals short on a throttled display as well.
            if self.short_swaps * 4 > self.swaps_seen * 3 {
                self.throttle = Throttle::Timer;
            } else if self.regular_swaps * 3 > self.swaps_seen * 2 {
                self.throttle = Throttle::Driver;
            } else {
                // Work that takes about as long as a refresh says nothing either way: look on.
                (self.short_swaps, self.regular_swaps, self.swaps_seen) = (0, 0, 0);
            }
        }
    }

    fn reset_throttle_watch(&mut self) {
        (self.short_swaps, self.regular_swaps, self.swaps_seen) = (0, 0, 0);
        self.last_swap_end = None;
    }

    fn rate(&self) -> f64 {
        match self.mode {
            Pacing::Fixed(rate) => rate.hz(),
            Pacing::Immediate | Pacing::Vsync => self.refresh_hz,
        }
    }
}

fn sane_rate(hz: f64) -> f64 {
    if hz.is_finite() && hz >= 1.0 { hz.min(super::Rate::MAX) } else { 60.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_nanos(1_000_000_000 + ms * MS)
    }

    fn fixed(hz: f64) -> FramePacer {
        FramePacer::new(Pacing::fixed(hz).unwrap(), 60.0)
    }

    #[test]
    fn fixed_on_time_keeps_the_grid_for_a_million_ticks() {
        for hz in [59.94, 60.0, 120.0, 143.98, 240.0] {
            let mut pacer = fixed(hz);
            let start = pacer.plan(at(0)).wake_at;
            let mut now = start;
            for _ in 0..1_000_000 {
                now = pacer.plan(now).wake_at;
            }
            let want = 1_000_000.0 / hz;
            let got = now.saturating_since(start).as_secs_f64();
            assert!((got - want).abs() < 2e-9 * want + 1e-9, "{hz} Hz: {got} for {want}");
            assert_eq!(pacer.missed_ticks(), 0);
        }
    }

    #[test]
    fn fixed_late_frame_keeps_phase_and_counts_missed_ticks() {
        let mut pacer = fixed(100.0);
        pacer.plan(at(0));
        // Due at 10, asked at 34: the grid point at 30 is the one that it belongs to; 10 and 20 are lost.
        let plan = pacer.plan(at(34));
        assert_eq!(plan.wake_at, at(30));
        assert_eq!(plan.dt, Some(Duration::from_millis(30)));
        assert_eq!(pacer.missed_ticks(), 2);
        assert_eq!(pacer.plan(at(34)).wake_at, at(40));
    }

    #[test]
    fn fixed_slightly_late_frame_loses_no_tick() {
        let mut pacer = fixed(100.0);
        pacer.plan(at(0));
        let plan = pacer.plan(at(13));
        assert_eq!((plan.wake_at, plan.dt), (at(10), Some(Duration::from_millis(10))));
        assert_eq!(pacer.plan(at(14)).wake_at, at(20));
        assert_eq!(pacer.missed_ticks(), 0);
    }

    #[test]
    fn fixed_after_idle_starts_the_grid_anew() {
        let mut pacer = fixed(100.0);
        pacer.plan(at(0));
        pacer.plan(at(1));
        pacer.began_after_idle(at(777));
        let plan = pacer.plan(at(778));
        assert_eq!((plan.wake_at, plan.dt), (at(787), Some(Duration::from_millis(10))));
        assert_eq!(pacer.missed_ticks(), 0);
    }

    #[test]
    fn long_gap_is_cut_and_counted() {
        let mut pacer = fixed(100.0);
        pacer.plan(at(0));
        assert_eq!(pacer.plan(at(5_000)).dt, Some(LONGEST_STEP));
        let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
        pacer.plan(at(0));
        assert_eq!(pacer.plan(at(5_000)).dt, Some(LONGEST_STEP));
        assert_eq!(pacer.snaps(), 1);
        // A rate slower than ten per second is no gap.
        let mut slow = fixed(2.0);
        slow.plan(at(0));
        assert_eq!(slow.plan(at(1)).dt, Some(Duration::from_millis(500)));
        assert_eq!(slow.snaps(), 0);
    }

    #[test]
    fn vsync_unthrottled_swap_is_found_out_and_timed() {
        let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
        assert!(!pacer.plans_ahead());
        for i in 0..13 {
            pacer.plan(at(i));
            pacer.swapped(at(i));
        }
        assert_eq!(pacer.throttle(), Throttle::Timer);
        assert!(pacer.plans_ahead());
        let first = pacer.plan(at(20)).wake_at;
        let second = pacer.plan(at(21)).wake_at;
        assert_eq!(second.saturating_since(first).as_micros(), 16_666);
    }

    #[test]
    fn vsync_throttled_swap_with_a_filling_queue_is_believed() {
        let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
        let mut t = 0;
        for i in 0..13 {
            t += if i < 3 { 1_000 } else { 16_667 + i * 40 };
            pacer.swapped(at(0) + Duration::from_micros(t));
        }
        assert_eq!(pacer.throttle(), Throttle::Driver);
        assert!(!pacer.plans_ahead());
        pacer.set_refresh(144.0);
        assert_eq!(pacer.throttle(), Throttle::Untested);
    }

    #[test]
    fn another_display_is_tested_anew_unless_the_caller_knows() {
        let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
        (0..13).for_each(|i| pacer.swapped(at(i)));
        assert_eq!(pacer.throttle(), Throttle::Timer);
        pacer.set_refresh(144.0);
        assert_eq!(pacer.throttle(), Throttle::Untested);
        pacer.set_throttle(Throttle::Timer);
        pacer.set_refresh(60.0);
        assert_eq!(pacer.throttle(), Throttle::Timer);
    }

    #[test]
    fn vsync_irregular_intervals_are_not_taken_for_a_display() {
        let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
        let mut t = 0;
        for i in 0..200_u64 {
            t += 11_000 + i * 7_919 % 5_000; // work of 11 to 16 ms without any throttle
            pacer.swapped(at(0) + Duration::from_micros(t));
        }
        assert_eq!(pacer.throttle(), Throttle::Untested);
    }

    #[test]
    fn vsync_intervals_across_idle_do_not_count_as_throttled() {
        let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
        // Each frame comes after a second of idling: nothing can be learnt from those intervals.
        for i in 0..40 {
            pacer.began_after_idle(at(i * 1_000));
            pacer.swapped(at(i * 1_000 + 1));
        }
        assert_eq!(pacer.throttle(), Throttle::Untested);
    }

    #[test]
    fn nonsense_refresh_rates_become_sixty() {
        for hz in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(FramePacer::new(Pacing::Vsync, hz).interval().as_micros(), 16_666);
        }
    }
}
