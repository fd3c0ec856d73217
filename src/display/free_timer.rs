//! Where nobody knows anything: a grid at the nominal rate.

use std::time::Duration;

use super::{SourceError, SourceEvent, VsyncSource};
use crate::pacing::{FrameId, Origin, VblankSample};
use crate::sim::FixedDisplay;
use crate::time::Timestamp;

/// What is taken where not even the nominal rate is known, in Hz.
const USUAL_HZ: f64 = 60.0;

/// Refreshes at the nominal rate, with the phase of the first swap. Nothing of it was measured, and all of it is
/// labelled [`Origin::Estimated`].
#[derive(Clone, Debug)]
pub struct FreeTimer {
    hz: f64,
    display: Option<FixedDisplay>,
    last: Timestamp,
}

impl FreeTimer {
    /// At `hz` refreshes per second; 60 where that is not known.
    #[must_use]
    pub fn new(hz: Option<f64>) -> Self {
        let hz = hz.filter(|hz| hz.is_finite() && *hz >= 1.0).unwrap_or(USUAL_HZ);
        Self { hz, display: None, last: Timestamp::ZERO }
    }
}

impl VsyncSource for FreeTimer {
    fn name(&self) -> &'static str {
        "free timer"
    }

    fn origin(&self) -> Origin {
        Origin::Estimated
    }

    fn answers(&self) -> bool {
        false
    }

    fn set_refresh(&mut self, hz: f64) {
        *self = Self { last: self.last, ..Self::new(Some(hz)) };
    }

    fn before_swap(&mut self, _id: FrameId, _now: Timestamp) {}

    fn after_swap(&mut self, _id: FrameId, now: Timestamp) {
        if self.display.is_none() {
            self.display = Some(FixedDisplay::new(self.hz, now));
            self.last = now;
        }
    }

    fn poll(&mut self, now: Timestamp, sink: &mut dyn FnMut(SourceEvent)) -> Result<(), SourceError> {
        let Some(display) = &self.display else { return Ok(()) };
        let period = Duration::from_secs_f64(1.0 / self.hz);
        let at = display.vblank_at_or_after(now.saturating_sub(period).offset(1));
        if at > self.last && at <= now {
            self.last = at;
            sink(SourceEvent::Vblank(VblankSample {
                at,
                sequence: None,
                period: Some(period),
                origin: Origin::Estimated,
            }));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_lie_on_the_grid_of_the_first_swap_and_never_ahead() {
        for hz in [59.94, 144.0] {
            let mut timer = FreeTimer::new(Some(hz));
            let start = Timestamp::from_nanos(1_000_000_000);
            let mut ticks = Vec::new();
            assert!(timer.poll(start, &mut |_| panic!("before any swap")).is_ok());
            timer.after_swap(FrameId(1), start);
            for ms in 1..=1_000 {
                let now = start + Duration::from_millis(ms);
                let mut take = |event| match event {
                    SourceEvent::Vblank(sample) => {
                        assert!(sample.at <= now && sample.origin == Origin::Estimated);
                        ticks.push(sample.at);
                    }
                    other => panic!("{other:?}"),
                };
                timer.poll(now, &mut take).expect("it cannot fail");
            }
            assert!(ticks.windows(2).all(|w| w[1] > w[0]));
            assert_eq!(ticks.len(), hz as usize, "{hz} Hz for a second");
            for at in ticks {
                let n = at.saturating_since(start).as_secs_f64() * hz;
                assert!((n - n.round()).abs() < 1e-6, "{hz} Hz: {n}");
            }
        }
    }

    #[test]
    fn another_rate_begins_a_grid_of_its_own_with_the_next_swap() {
        let mut timer = FreeTimer::new(Some(60.0));
        let start = Timestamp::from_nanos(1_000_000_000);
        timer.after_swap(FrameId(1), start);
        timer.set_refresh(144.0);
        let mut none = |event| panic!("{event:?}");
        timer.poll(start + Duration::from_millis(20), &mut none).expect("it cannot fail");
        let swapped = start + Duration::from_millis(21);
        timer.after_swap(FrameId(2), swapped);
        let mut ticks = 0;
        for ms in 1..=1_000 {
            timer.poll(swapped + Duration::from_millis(ms), &mut |_| ticks += 1).expect("it cannot fail");
        }
        assert_eq!(ticks, 144);
    }

    #[test]
    fn unknown_and_nonsense_rates_become_sixty() {
        for hz in [None, Some(0.0), Some(f64::NAN), Some(-1.0)] {
            assert!((FreeTimer::new(hz).hz - 60.0).abs() < f64::EPSILON);
        }
    }
}
