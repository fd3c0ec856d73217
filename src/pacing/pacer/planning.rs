//! A plan for each way of making them.

use std::time::Duration;

use super::{FramePacer, NOTICE_INTERVALS, Pacing, Plan, Way, duration, longest_step};
use crate::pacing::{Layout, Variant};
use crate::time::Timestamp;

/// Frames at the start, and after the display changed, that are given the whole refresh.
pub(super) const COLD: usize = 30;
/// Commits keep this share of a refresh away from the refresh before, and at most [`GUARD`].
const GUARD_SHARE: f64 = 0.125;
const GUARD: f64 = 1e6;
/// How far before the refresh that shows the one before them frames may come where they queue.
const AHEAD_SHARE: f64 = 0.5;
/// Fences are looked at this often: a frame may have been done so long before it was seen to be.
const POLL_SLACK: i64 = 600_000;

/// A plan, the refresh that it aims at, and whether it has its whole budget.
pub(super) type Planned = (Plan, Option<(u64, Timestamp)>, bool);

impl FramePacer {
    pub(super) fn plan_immediately(&mut self, now: Timestamp) -> Planned {
        let wake_at = self.cap.earliest(now);
        // The logic measures its steps, and cuts them as this one is.
        self.measured_step(wake_at);
        (Plan { wake_at, refresh_on_input: true, ..Plan::default() }, None, false)
    }

    pub(super) fn plan_after_swap(&mut self, now: Timestamp) -> Plan {
        let wake_at = self.cap.earliest(now);
        Plan { wake_at, dt: Some(self.measured_step(wake_at)), ..Plan::default() }
    }

    /// From the start before to one at `start`.
    fn measured_step(&mut self, start: Timestamp) -> Duration {
        let (interval, last) = (self.interval(), self.last_start);
        let dt = last.map_or(interval, |last| start.saturating_since(last));
        let longest = longest_step(interval);
        self.state.snaps += u64::from(dt > longest);
        dt.min(longest)
    }

    /// Where only a notice of the display says when a frame begins and none has come: when it is no longer waited for.
    pub(super) fn await_notice(&mut self, now: Timestamp) -> Option<Timestamp> {
        if self.way() != Way::Ticker || !self.ticker.awaits_notice() {
            return None;
        }
        // Since the first time that it was asked for; what is drawn meanwhile does not count.
        let until = match self.notice_until {
            Some(until) => until,
            None => self.last_start? + self.interval() * NOTICE_INTERVALS,
        };
        self.notice_until = (now < until).then_some(until);
        self.notice_until
    }

    pub(super) fn plan_by_ticker(&mut self, now: Timestamp) -> Plan {
        let skipped = self.ticker.skipped();
        self.notice_until = None;
        let earliest = self.cap.earliest(now);
        let wake_at = match (self.mode.ticks_by(), self.ticker.next(now)) {
            // After too long a silence.
            (_, Timestamp::MAX) => earliest,
            // When it is heard, and no oftener than a cap allows. Ticks are as far apart as that has them.
            (Variant::VsyncAlone, notice) => notice.max(earliest),
            (_, tick) => tick,
        };
        self.state.missed_ticks += self.ticker.skipped() - skipped;
        Plan { wake_at, dt: Some(self.measured_step(wake_at.max(now))), ..Plan::default() }
    }

    pub(super) fn plan_on_grid(&mut self, now: Timestamp) -> Planned {
        let period = self.frame_period();
        self.work.set_limits(Duration::ZERO, duration(period as i64));
        let budget = if self.work.seen() == 0 { 0 } else { self.work.nanos().min(period as i64) };
        let budget = duration(budget);
        let point = self.grid.next(now, period, budget);
        self.state.missed_ticks += point.steps - 1;
        let dt = Duration::from_nanos((period * point.steps as f64).round() as u64);
        let longest = longest_step(self.interval());
        let dt = if self.mode.follows_display() {
            // The clock goes on counting where the display's refreshes become known, and where they are lost.
            let step = self.clock.step(point.at, period);
            self.state.snaps += u64::from(step.snapped.is_some());
            step.dt
        } else {
            self.state.snaps += u64::from(dt > longest);
            dt.min(longest)
        };
        let wake_at = point.at - budget;
        let plan =
            Plan { wake_at, swap_at: Some(point.at), budget: Some(budget), dt: Some(dt), ..Plan::default() };
        (plan, None, wake_at >= now)
    }

    pub(super) fn plan_for_refresh(&mut self, now: Timestamp) -> Planned {
        let Some(period) = self.model.period_nanos() else { return self.plan_on_grid(now) };
        let divisor = u64::from(self.divisor(period));
        let room = (period * divisor as f64) as i64;
        let cold = !self.is_settled();
        let most = match self.load.layout() {
            Layout::Serial => room - self.latch_lead,
            Layout::Pipelined => 2 * room - self.latch_lead,
        };
        let ahead = if self.comes_ahead() { (period * AHEAD_SHARE) as i64 } else { 0 };
        let most = most + ahead;
        // A frame that begins as early as its layout allows is late only when the machine stalls for longer than it then has
        // to spare. A share of misses is kept to by beginning later until there are some.
        let least = if self.begins_early() { most } else { 0 };
        self.work.set_limits(duration(least), duration(most));
        let needed = if cold { room } else { self.work.nanos().min(most) };
        let budget = needed.max(least);
        let reach = if self.work.seen() == 0 { room / 2 } else { self.work.typical().min(budget) };
        // The first refresh that can still be reached, and the first that is free.
        let reachable = |reach: i64| self.model.after(now.offset(self.latch_lead.saturating_add(reach)));
        let Some(soonest) = reachable(if self.idle { needed } else { reach }) else {
            return self.plan_on_grid(now);
        };
        let taken = if self.idle { None } else { self.taken(now) };
        let extra = self.queue.leave_out(self.last);
        let index = taken.map_or(soonest.index, |taken| soonest.index.max(taken + divisor + extra));
        let Some(target) = self.model.at(index) else { return self.plan_on_grid(now) };
        let deadline = target.offset(-self.latch_lead);
        let wake_at = if self.idle { now } else { deadline.offset(-budget) };
        let step = self.clock.step(target, period);
        self.state.snaps += u64::from(step.snapped.is_some());
        let guard = (period * GUARD_SHARE).min(GUARD) as i64;
        let plan = Plan {
            wake_at,
            swap_at: self.model.at(index.saturating_sub(1)).map(|at| at.offset(guard - ahead)),
            target_presentation: Some(target),
            budget: Some(duration(budget)),
            dt: Some(step.dt),
            revise_from: self.known_from(wake_at),
            ..Plan::default()
        };
        (plan, Some((index, target)), wake_at >= now && !self.idle)
    }

    /// Whether frames begin as early as they can rather than as late: what [`Pacing::Smooth`] does unless a share of misses was
    /// declared, which says how late.
    fn begins_early(&self) -> bool {
        self.mode == Pacing::Smooth && self.declared.is_none()
    }

    /// Whether frames come while the one before still waits: each is displayed a refresh after that, as is one that comes when
    /// that was displayed.
    pub(super) fn comes_ahead(&self) -> bool {
        let one_each = self.load.layout() == Layout::Serial && self.divisor(self.refresh_period()) == 1;
        one_each && self.begins_early() && self.queue.keeps_order()
    }

    /// From when on it should be known whether the frame before was displayed, where that is no later than `wake_at`.
    fn known_from(&self, wake_at: Timestamp) -> Option<Timestamp> {
        let (_, due) = self.before().filter(|before| !before.answered)?.target?;
        let known = due.offset(self.overdue.known_after(self.refresh_period()));
        (known <= wake_at && self.is_settled() && !self.idle && !self.holdover).then_some(known)
    }

    /// The newest refresh that is spoken for: nothing else may aim at it.
    fn taken(&self, now: Timestamp) -> Option<u64> {
        let newest = self.before()?;
        let (target, _) = newest.target?;
        if let Some(shown) = newest.shown {
            // A display time in the future is nobody's to know.
            let soonest = self.model.after(now)?.index;
            return Some(shown.min(soonest + 1).max(target));
        }
        if newest.silent.is_some() {
            // It was due before now.
            return Some(self.model.after(now)?.index.max(target));
        }
        // Not known yet. It is taken for late only where that is certain: if it was in time after all, leaving out a
        // refresh would be the miss; and if not, the next frame replaces it.
        let deadline = newest.target?.1.offset(-self.latch_lead);
        let surely_ready = match (newest.submitted, newest.gpu_done) {
            (Some(submitted), Some(done)) => submitted.max(done.offset(-POLL_SLACK)),
            (Some(submitted), None) => submitted.offset((self.load.quickest_gpu() - POLL_SLACK).max(0)),
            (None, _) => now,
        };
        if surely_ready <= deadline {
            return Some(target);
        }
        let next = self.model.after(surely_ready.offset(self.latch_lead - 1))?;
        Some(next.index.max(target))
    }

    pub(super) fn plan_for_vrr(&mut self, now: Timestamp) -> Planned {
        // Targets closer than the load allows would all be missed, each by a little more than the one before.
        let period = self.frame_period().max(self.load.typical() as f64);
        let cold = self.work.seen() < COLD;
        let most = 2 * period as i64;
        self.work.set_limits(Duration::ZERO, duration(most));
        let budget = if cold { period as i64 / 2 } else { self.work.nanos().min(most) };
        let earliest = now.offset(if self.idle { budget } else { self.work.typical().min(budget) });
        let before = *self.flights.at(self.last.before());
        let last = before.target.filter(|_| !self.idle && before.id.next() == self.last).map(|(_, at)| at);
        let last = last.map(|at| before.ready().map_or(at, |ready| ready.max(at)));
        let target = last.map_or(earliest, |last| earliest.max(last.offset(period as i64)));
        // The display waits for the frame: the step is what lies between the two. By how much the one before was late is
        // paid back in shares.
        let step = match last {
            Some(last) => self.clock.step_of(target.signed_since(last), target, period),
            None => self.clock.step(target, period),
        };
        self.state.snaps += u64::from(step.snapped.is_some());
        let wake_at = target.offset(-budget);
        let plan = Plan {
            wake_at,
            swap_at: Some(target),
            target_presentation: Some(target),
            budget: Some(duration(budget)),
            dt: Some(step.dt),
            ..Plan::default()
        };
        (plan, Some((0, target)), wake_at >= now && !self.idle && !cold)
    }

    pub(super) fn plan_for_host(&mut self, now: Timestamp) -> Planned {
        let given = self.host_target.take();
        let target = given.or_else(|| self.model.after(now.offset(self.work.nanos())).map(|v| v.at));
        let dt = match (target, self.model.period_nanos()) {
            (Some(target), Some(period)) => {
                let step = self.clock.step(target, period);
                self.state.snaps += u64::from(step.snapped.is_some());
                Some(step.dt)
            }
            _ => None,
        };
        (Plan { wake_at: now, target_presentation: target, dt, ..Plan::default() }, None, false)
    }
}
