//! Looking at the screen again and again, and knowing how well.

use std::time::Duration;

use scanout::observe::{Area, View, pause};
use scanout::stats::Distribution;
use scanout::time::{Clock as _, MonotonicClock, Timestamp};

use super::trouble::{Outcome, Trouble};
use crate::app::interrupt;

/// Whether the user has had enough.
pub fn stopped() -> bool {
    interrupt::seen()
}

pub fn check_stop() -> Outcome<()> {
    if interrupt::seen() { Err(Trouble::Stopped) } else { Ok(()) }
}

/// Sleeps for `span`; an end that is asked for comes sooner.
pub fn rest(span: Duration) -> Outcome<()> {
    let end = MonotonicClock.now() + span;
    loop {
        check_stop()?;
        let left = end.saturating_since(MonotonicClock.now());
        if left.is_zero() {
            return Ok(());
        }
        pause(left.min(Duration::from_millis(50)));
    }
}

/// Asks every few milliseconds until there is an answer, for up to `limit`.
pub fn ask<T>(limit: Duration, mut question: impl FnMut() -> Outcome<Option<T>>) -> Outcome<Option<T>> {
    let end = MonotonicClock.now() + limit;
    loop {
        if let Some(answer) = question()? {
            return Ok(Some(answer));
        }
        if MonotonicClock.now() >= end {
            return Ok(None);
        }
        rest(Duration::from_millis(10))?;
    }
}

/// Looks further apart than this mean that the observer itself was stopped, or its view held up: what it saw next is
/// late by as much.
pub const HELD_UP: Duration = Duration::from_micros(250);

/// How far apart looks were.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    pub apart: Distribution,
    /// Of these, more than [`HELD_UP`] beyond the sleep that was asked for.
    pub held_up: u64,
    /// From the stamps of a view that has them to the looks that saw what was stamped.
    pub behind: Distribution,
}

/// An observer of some points of a screen.
pub struct Watcher<'a> {
    view: &'a mut dyn View,
    pub points: Vec<(u32, u32)>,
    pub pixels: Vec<u32>,
    nap: Duration,
    looked: Option<Timestamp>,
    stamp: Option<Timestamp>,
    /// Whether the look before this one lies further back than it should.
    pub held_up: bool,
    pub gaps: Gaps,
}

impl<'a> Watcher<'a> {
    /// With `nap` asleep between two looks.
    pub fn new(view: &'a mut dyn View, points: Vec<(u32, u32)>, nap: Duration) -> Self {
        let pixels = vec![0; points.len()];
        Self { view, points, pixels, nap, looked: None, stamp: None, held_up: false, gaps: Gaps::default() }
    }

    /// Looks at other points from now on.
    pub fn turn_to(&mut self, points: Vec<(u32, u32)>) {
        self.pixels = vec![0; points.len()];
        self.points = points;
        self.looked = None;
    }

    /// All that is in `area` now, row by row.
    pub fn picture(&mut self, area: Area, pixels: &mut Vec<u32>) -> Outcome<()> {
        check_stop()?;
        self.view.picture(area, pixels)?;
        // What passed meanwhile was no time between two looks.
        self.looked = None;
        Ok(())
    }

    /// Looks at once, after a time in which nobody needed to know.
    pub fn look(&mut self) -> Outcome<Timestamp> {
        self.view.look(&self.points, &mut self.pixels)?;
        let now = MonotonicClock.now();
        (self.looked, self.held_up) = (Some(now), false);
        self.stamp = self.view.stamp();
        Ok(now)
    }

    /// Sleeps as long as between two looks and looks: the time after it, or when what came since the look before was
    /// shown, where the view says that. What was there at the look before and is not any more has changed in the time
    /// between both.
    pub fn next(&mut self) -> Outcome<Timestamp> {
        check_stop()?;
        if self.nap.is_zero() {
            std::hint::spin_loop();
        } else {
            pause(self.nap);
        }
        let (before, stamp) = (self.looked, self.stamp);
        let now = self.look()?;
        if let Some(before) = before {
            let gap = now.saturating_since(before);
            self.gaps.apart.record(i64::try_from(gap.as_nanos()).unwrap_or(i64::MAX));
            self.held_up = gap > self.nap + HELD_UP;
            self.gaps.held_up += u64::from(self.held_up);
        }
        let Some(shown) = self.stamp.filter(|_| self.stamp != stamp) else { return Ok(now) };
        let behind = now.saturating_since(shown);
        self.gaps.behind.record(i64::try_from(behind.as_nanos()).unwrap_or(i64::MAX));
        Ok(shown)
    }

    /// Looks for `span`: which points changed, and how often.
    pub fn count_changes(&mut self, span: Duration) -> Outcome<Vec<u32>> {
        let mut counts = vec![0; self.points.len()];
        let end = self.look()? + span;
        let mut before = self.pixels.clone();
        while self.next()? < end {
            for ((count, before), now) in counts.iter_mut().zip(&mut before).zip(&self.pixels) {
                *count += u32::from(before != now);
                *before = *now;
            }
        }
        Ok(counts)
    }

    /// Waits until nothing has changed for `span`, for up to `limit`: whether it came to rest.
    pub fn until_quiet(&mut self, span: Duration, limit: Duration) -> Outcome<bool> {
        let began = self.look()?;
        let (mut before, mut since) = (self.pixels.clone(), began);
        loop {
            check_stop()?;
            pause(REST_LOOK);
            let now = self.look()?;
            if self.pixels != before {
                before.copy_from_slice(&self.pixels);
                since = now;
            } else if now.saturating_since(since) >= span {
                return Ok(true);
            }
            if now.saturating_since(began) >= limit {
                return Ok(false);
            }
        }
    }
}

/// Between two looks while only rest is waited for.
const REST_LOOK: Duration = Duration::from_millis(1);
