//! What became of plans, and what is learnt from that.

use super::{FramePacer, Lock, Pacing, Presentation, VblankSample, Verdict, Way, Work};
use crate::pacing::{Origin, PlanId};
use crate::time::{Timestamp, signed_nanos};

/// The reserve counts as load up to this share of a refresh.
const LOAD_RESERVE: f64 = 0.125;
/// A frame on a display with a variable rate is late when it is ready this share of a frame after its target.
const VRR_TOLERANCE: f64 = 1.0 / 32.0;
/// Frames without a measured display time before frames are judged by when they were ready.
pub(super) const UNMEASURED: u32 = 16;
/// A display time further than this share of a refresh from every refresh is a stray stamp: it says nothing about which
/// refresh showed the frame.
const STRAY_SHARE: f64 = 0.25;
/// After so many strays in a row it is the refreshes, not the stamps, that are known badly.
const STRAYS: u32 = 8;
/// Answers further apart than this share of a nominal refresh lie more than one refresh apart.
const ONE_REFRESH: f64 = 1.5;

impl FramePacer {
    /// The frame of plan `id` was handed to the display: swap returned at `at`.
    pub fn submitted(&mut self, id: PlanId, at: Timestamp, work: Work) {
        // Swaps that a cap keeps apart say nothing of what the driver does.
        let is_free = self.cap.period() * 2.0 < self.refresh_period();
        if !is_free {
            self.throttle.interrupted();
        } else if self.mode == Pacing::Vsync && self.way() == Way::Throttled {
            self.throttle.swapped(at, self.refresh_hz);
        }
        if let Some(flight) = self.flights.get(id) {
            flight.submitted = Some(at);
            flight.work = work;
            if flight.gpu_done.is_some() {
                self.count(id);
            }
        }
    }

    /// The GPU was done with the frame of plan `id` at `at`, or was seen done then. Frames of which this is not told within
    /// two more plans count as done when they were submitted.
    pub fn gpu_done(&mut self, id: PlanId, at: Timestamp) {
        if let Some(flight) = self.flights.get(id) {
            flight.gpu_done = Some(at);
            if flight.submitted.is_some() {
                self.count(id);
            }
        }
    }

    /// What became of the frame of plan `id`.
    pub fn presented(&mut self, id: PlanId, presentation: Presentation) {
        if let (true, Some((at, _))) = (self.one_by_one, presentation.time()) {
            self.answered_at(at);
            self.ticker.vsync(at);
        }
        if let Some(flight) = self.flights.get(id) {
            flight.answered = true;
        }
        let measured = match presentation {
            Presentation::At(at, origin) if origin != Origin::Estimated => at,
            Presentation::Dropped => {
                self.dropped(id);
                return;
            }
            // Nothing better will come: whether it was in time is judged by when it was ready.
            _ => {
                self.judge_unmeasured(id);
                return;
            }
        };
        self.unmeasured = 0;
        let nearest = self.model.nearest(measured);
        if nearest.is_some_and(|v| self.is_stray(measured.signed_since(v.at))) {
            return;
        }
        let shown = nearest.map(|v| v.index);
        let (lead, period) = (self.latch_lead, self.refresh_period());
        let way = self.way();
        let Some(flight) = self.flights.get(id) else { return };
        let Some((_, target)) = flight.target.filter(|_| !flight.on_grid) else { return };
        flight.shown = shown.filter(|_| way == Way::Vblank);
        let silent = std::mem::take(&mut flight.silent);
        if std::mem::replace(&mut flight.judged, true) {
            return;
        }
        let (whole, ahead) = (flight.whole, flight.ahead);
        let refreshes = (measured.signed_since(target) as f64 / period).round();
        if ahead {
            self.queue.came_early(refreshes < 0.0);
        }
        let refreshes = refreshes.max(0.0) as u64;
        match silent {
            Some(unheard) => self.overdue.told(unheard, refreshes > 0, period),
            None if refreshes == 0 => self.overdue.heard(),
            None => {}
        }
        let early = flight.ready().map_or(0, |ready| target.signed_since(ready) - lead);
        let in_time = self.queue.in_time(early, period);
        if refreshes == 0 {
            self.queue.suffices(early);
        }
        let fresh = way != Way::Vblank || self.queue.judge(id, refreshes, in_time, ahead);
        // A frame that waited behind others counts as missed like any other, and is no reason to take longer steps.
        self.judge(id, refreshes > 0, whole.map(|raises| raises.wrapping_sub(u32::from(!fresh))));
    }

    /// Whether a display time so far from the nearest refresh is to be left out. A miss is known by half a refresh, which a
    /// stamp that is late by some milliseconds exceeds though the frame was in time.
    fn is_stray(&mut self, off: i64) -> bool {
        let far = off.abs() as f64 > STRAY_SHARE * self.refresh_period();
        let stray = far && self.way() == Way::Vblank && self.model.lock() == Lock::Locked;
        self.strays = if stray { self.strays.saturating_add(1) } else { 0 };
        stray && self.strays < STRAYS
    }

    fn answered_at(&mut self, at: Timestamp) {
        let Some(apart) = self.answered.replace(at).map(|last| at.signed_since(last)) else { return };
        if apart > 0 && (apart as f64) < ONE_REFRESH * self.refresh_period() {
            self.answers.push(apart);
        }
    }

    /// The time that a frame has from one answer of the display to the next, in nanoseconds: compositors without a display
    /// refresh more slowly than they say.
    fn answer_period(&self) -> f64 {
        self.refresh_period().max(self.answers.quantile(0.5) as f64)
    }

    /// The display began a refresh.
    pub fn vblank(&mut self, sample: VblankSample) -> Verdict {
        self.ticker.vsync(sample.at);
        let verdict = self.model.observe(sample);
        if verdict == Verdict::Restarted {
            // Indices before and after are not to be compared.
            self.flights.forget_targets();
        }
        verdict
    }

    /// The frame of plan `id`, which had been waiting for something to show, began at `at`, later than planned. The grid starts
    /// anew there: after idling a frame starts at once and not at some old grid point. Returns when it is to be displayed now,
    /// where its plan had aimed at a time: what was planned before the wait may have passed.
    pub fn began_after_idle(&mut self, id: PlanId, at: Timestamp) -> Option<Timestamp> {
        self.last_start = Some(at);
        self.cap.rested(at);
        self.unplanned.closed = true;
        self.throttle.interrupted();
        self.grid.move_to(at);
        self.ticker.rested(at);
        let (lead, budget) = (self.latch_lead, self.work.nanos());
        let target = match self.way() {
            Way::Vrr => Some((0, at.offset(budget))),
            _ => self.model.after(at.offset(lead + budget)).map(|v| (v.index, v.at)),
        };
        let mut aimed = false;
        if let Some(flight) = self.flights.get(id) {
            aimed = flight.target.is_some();
            // The wait was no work, and its end no deadline.
            (flight.wake_at, flight.whole, flight.judged) = (at, None, flight.judged || flight.on_grid);
            flight.target = target.filter(|_| aimed);
        }
        self.clock.reset();
        let target = target.filter(|_| aimed).map(|(_, target)| target);
        self.clock.step(target.unwrap_or(at), self.refresh_period());
        target
    }

    /// The next plan comes after a wait of unknown length: it begins at once.
    pub const fn idled(&mut self) {
        self.idle = true;
        self.throttle.interrupted();
    }

    /// What becomes of the frame of plan `id` is not counted in [`PacerState::judged`](super::PacerState::judged): it belongs to
    /// a warm-up, or was drawn to be compared with. The pacer learns from it as from all others.
    pub fn leave_out(&mut self, id: PlanId) {
        if let Some(flight) = self.flights.get(id) {
            flight.left_out = true;
        }
    }

    fn judge(&mut self, id: PlanId, missed: bool, whole: Option<u32>) {
        if !self.flights.at(id).left_out {
            self.state.judged += 1;
            self.state.missed += u64::from(missed);
        }
        if let Some(raises) = whole {
            self.work.outcome(missed, raises);
        }
    }

    /// The frame of plan `id` was replaced by a newer one before it could be displayed.
    fn dropped(&mut self, id: PlanId) {
        if let Some(flight) = self.flights.get(id)
            && flight.target.is_some()
            && !flight.on_grid
            && !std::mem::replace(&mut flight.judged, true)
        {
            let (whole, silent) = (flight.whole, std::mem::take(&mut flight.silent));
            if silent.is_some() {
                self.overdue.turned_out(true);
            }
            self.judge(id, true, whole);
        }
    }

    /// Nobody measures when the frame of plan `id` is displayed.
    fn judge_unmeasured(&mut self, id: PlanId) {
        let lead = self.latch_lead;
        let Some(flight) = self.flights.get(id) else { return };
        let known = flight.judged || flight.on_grid;
        let (Some((_, target)), Some(ready), false) = (flight.target, flight.ready(), known) else {
            return;
        };
        flight.judged = true;
        let whole = flight.whole;
        self.judge(id, ready.offset(lead) > target, whole);
    }

    /// Takes over how long the frame of plan `id` took.
    fn count(&mut self, id: PlanId) {
        let before = *self.flights.at(id.before());
        let quickest = self.load.quickest_gpu();
        let Some(flight) = self.flights.get(id) else { return };
        let (Some(submitted), Some(ready), false) = (flight.submitted, flight.ready(), flight.counted) else {
            return;
        };
        flight.counted = true;
        let Work { logic, drawing, held } = flight.work;
        let span = ready.signed_since(flight.wake_at).saturating_sub(signed_nanos(held));
        // A frame that waited for the GPU to finish the one before did not keep it busy meanwhile.
        let gpu_from =
            before.ready().filter(|_| before.id.next() == id).map_or(submitted, |at| at.max(submitted));
        let gpu = ready.signed_since(gpu_from).max(0);
        let (on_grid, whole, target, room) = (flight.on_grid, flight.whole, flight.target, flight.room);
        let open = on_grid && !flight.judged;
        flight.judged |= on_grid;
        self.work.work(span);
        if let Some((_, target)) = target.filter(|_| open) {
            // The GPU may begin when the last draw call is made or when the frame is swapped. What even the quickest frame
            // needs after its swap is nobody's fault.
            let tolerance = (self.frame_period() * VRR_TOLERANCE) as i64;
            self.judge(id, ready.signed_since(target) > quickest + tolerance, whole);
        } else if open {
            // It was ready after its grid point.
            self.judge(id, span > room, whole);
        }
        if self.mode.follows_display() && (!on_grid || self.vrr.is_some()) {
            let (period, apart) = if self.one_by_one {
                // It begins with the answer and has until the next one: no deadline, and nothing reserved for one.
                (self.answer_period(), 0)
            } else {
                // A large reserve stands for what a compositor needs beside us, and keeps no processor busy.
                let period = self.refresh_period();
                let reserve = self.work.reserve().clamp(0, (period * LOAD_RESERVE) as i64);
                (period, reserve.saturating_add(self.latch_lead))
            };
            let (logic, drawing) = (signed_nanos(logic), signed_nanos(drawing));
            // A display that waits for frames has no deadlines.
            let deadline = target.filter(|_| !on_grid).map(|(_, target)| target);
            self.load.ready_late(deadline.is_some_and(|target| ready.offset(self.latch_lead) > target));
            self.load.frame(logic, drawing, gpu, period, apart);
        }
    }

    /// Takes over what is left to be known of a frame of which nobody told more in time.
    pub(super) fn conclude(&mut self, id: PlanId) {
        self.count(id);
        if self.flights.get(id).is_some_and(|flight| flight.silent.take().is_some()) {
            // Nobody has told of it since, or nothing that can be right.
            self.overdue.turned_out(false);
        }
        if self.holdover {
            return;
        }
        if self.unmeasured >= UNMEASURED {
            self.judge_unmeasured(id);
        }
        self.unmeasured = self.unmeasured.saturating_add(1);
    }
}
