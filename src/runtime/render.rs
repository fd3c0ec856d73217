use std::time::Duration;

use super::counted::Counted;
use super::host::{Changes, Control, Ended, Pixels, RunOptions, Summary, TargetInfo, Wishes};
use super::input::{LatestInput, Size};
use super::latch::Latch;
use super::logic::{Demand, Due, Logic, Order};
use super::seat::RenderSeat;
use super::signal::Waker;
use super::slot::Slot;
use crate::display::priority::Priority;
use crate::display::sleep::Sleeper;
use crate::error::{Error, Result};
use crate::pacing::{
    Feedback, FrameId, FramePacer, LayoutChoice, Lock, Origin, Pacing, Plan, Presentation, Throttle, Work,
};
use crate::stats::{Declared, FrameRecord, PENDING, Recorder, Stage};
use crate::sync::snapshot::{Reader, Writer};
use crate::telemetry::{FrameStamps, Told};
use crate::time::{Clock, Timestamp};
use crate::timeline::{self, Event, Kind};

/// How often the fence of a frame is looked at that has to be finished before the next one is drawn.
const FENCE_EVERY: Duration = Duration::from_micros(250);
/// How long after a frame its feedback is looked for often. What takes longer is noticed with the next frame.
const POLL_FOR: Duration = Duration::from_millis(100);
/// How often the display is asked whether it shows a hidden window again, unless something wakes the thread before.
const HIDDEN_POLL_EVERY: Duration = Duration::from_secs(1);
/// Frames that waited in vain for a fence before fences are no longer waited for, until one comes.
const FENCELESS: u32 = 3;
/// A measured refresh interval that is off the one in use by more than this share of it takes its place.
const REFRESH_DIFFERS: u32 = 500;
/// Frames whose plan is remembered until the last is known of them.
const PLANNED: usize = PENDING;
/// Events of the timeline for which the stamps of one frame are kept: a frame makes more than these.
const EVENTS_PER_FRAME: usize = 8;
/// Losses of the context within [`LOSSES_WITHIN`] that a run survives. A driver that resets the GPU more often does so because
/// of what is drawn, and would do it again.
const LOSSES: u32 = 3;
/// See [`LOSSES`]. Those after suspends and driver updates lie further apart.
const LOSSES_WITHIN: Duration = Duration::from_secs(60);
/// A swap that takes more than this share of a frame interval has waited for the display.
const WAITED: u32 = 4;

/// What one frame is drawn with.
#[derive(Copy, Clone, Debug)]
#[non_exhaustive]
pub struct FrameInfo<'a> {
    /// The frame's number.
    pub id: FrameId,
    /// The drawing area.
    pub size: Size,
    /// Physical pixels per logical pixel.
    pub scale: f32,
    /// The animation clock of the snapshot: the sum of all steps so far.
    pub animation_time: Duration,
    /// Figures of the frames so far, for a live view.
    pub stats: &'a Recorder,
    /// The pacer's state, for a live view.
    pub pacer: &'a FramePacer,
    /// The newest input.
    pub latch: &'a Latch,
    /// What tells display times now, and who stands behind it; `None` until a source has said so.
    pub source: Option<(&'static str, Origin)>,
    /// The frame is left out of the run's figures: [`FrameRecord::apart`].
    pub apart: bool,
}

/// The graphics side of the render thread: a context with its surface and the user's renderer. Made on the render
/// thread and dropped there.
pub trait Backend<S> {
    /// What this draws with and to.
    fn target(&self) -> &TargetInfo;

    /// A pacing mode is in force from the next swap on. Returns what is known about swap waiting for the display.
    fn set_pacing(&mut self, mode: Pacing) -> Throttle {
        let _ = mode;
        Throttle::Untested
    }

    /// The window is on a display of the nominal rate `hz` from now on (another monitor, another mode): whoever tells display
    /// times has to know.
    fn set_refresh(&mut self, hz: f64) {
        let _ = hz;
    }

    /// The drawing area changed. Never called with an empty size.
    ///
    /// # Errors
    /// When the surface cannot be resized.
    fn resize(&mut self, size: Size, scale: f32) -> Result<()>;

    /// Hands the frame's draw calls to the driver. Does not wait for the GPU.
    ///
    /// # Errors
    /// When the context is lost.
    fn draw(&mut self, view: &S, frame: &FrameInfo<'_>) -> Result<()>;

    /// The frame just drawn is not swapped at once: what the driver still keeps of it is to go to the GPU now.
    fn hold(&mut self) {}

    /// Swaps.
    ///
    /// # Errors
    /// When the surface or the display is lost.
    fn swap(&mut self, id: FrameId) -> Result<()>;

    /// Reports, without waiting, what became known of earlier frames.
    fn poll(&mut self, sink: &mut dyn FnMut(Feedback));

    /// How soon to [poll](Self::poll) again while feedback is waited for and there is nothing else to do.
    fn poll_every(&self) -> Duration {
        Duration::from_micros(500)
    }

    /// Draws the frame once more and reads it back instead of showing it. Waits for the GPU.
    ///
    /// # Errors
    /// When the context is lost.
    fn capture(&mut self, view: &S, frame: &FrameInfo<'_>) -> Result<Pixels>;

    /// Shows or hides what is drawn over the scene, where there is such a thing.
    fn toggle_overlay(&mut self) {}

    /// What somebody who draws wants to be different from the next frame on, once. Asked often: it costs next to nothing.
    fn changes(&mut self) -> Option<Changes> {
        None
    }

    /// A call has failed with [`Error::ContextLost`]: makes everything anew in another context, so that the run goes on.
    ///
    /// # Errors
    /// `lost` when that is not possible, which ends the run.
    fn restore(&mut self, lost: Error) -> Result<()> {
        Err(lost)
    }

    /// No more frames come: waits for the GPU, so that the next [`poll`](Self::poll) tells all there is to tell. Called once.
    fn finish(&mut self) {}

    /// Whether the same snapshot would look different now, because shaders have changed for instance. Asked often: it costs
    /// next to nothing.
    fn changed(&self) -> bool {
        false
    }

    /// Whether another frame of the same snapshot would show more than the last one. A scene that rests is drawn once per frame
    /// interval for as long as it is so. Asked often: it costs next to nothing.
    fn unfinished(&self) -> bool {
        false
    }

    /// How often to ask that of a scene that rests; `None`: not at all.
    fn look_every(&self) -> Option<Duration> {
        None
    }
}

/// What the render thread should do now.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Next {
    /// The run is over.
    Stop,
    /// Draw a frame.
    Draw(Reason),
    /// Swap the frame that was drawn.
    Swap,
    /// Look again at this time, if nobody wakes the thread before.
    At(Timestamp),
    /// As [`At`](Self::At), and to the microsecond.
    Exactly(Timestamp),
    /// Nothing to do until somebody wakes the thread.
    Idle,
}

/// Why a frame is drawn.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Reason {
    /// There is a new snapshot.
    Fresh,
    /// The logic thread is late; the scene moves.
    Stale,
    /// The window needs its contents again (resized, uncovered, overlay changed).
    Redraw,
}

/// A frame between its draw calls and its swap.
#[derive(Debug)]
struct Drawn {
    record: FrameRecord,
    reason: Reason,
    mode: Pacing,
    plan: Plan,
    /// The next order was given when the snapshot was acquired.
    ahead: bool,
    acquired: Timestamp,
    submitted: Timestamp,
    /// The logic step's time.
    logic: Duration,
    swap_at: Timestamp,
}

/// The render thread without the thread.
pub(super) struct RenderStep<S, B> {
    backend: B,
    snapshots: Reader<Slot<S>>,
    orders: Writer<Order>,
    order: Order,
    logic: Waker,
    pacer: FramePacer,
    recorder: Recorder,
    options: RunOptions,
    size: Size,
    scale: f32,
    visible: bool,
    /// What the display says: `false` while it was found to show nothing of the window.
    shown: bool,
    redraw: bool,
    /// The loop stood still; the next frame's distance from the one before says nothing about pacing.
    resumed: bool,
    /// Snapshots that were sampled before this are from before the standstill.
    resumed_at: Timestamp,
    refresh_hz: Option<f64>,
    /// The intervals that frames are held against: the display's (zero: unknown) and from frame to frame.
    told: (Duration, Duration),
    last: FrameId,
    last_drawn: Timestamp,
    throttle_seen: Throttle,
    /// Swap was asked to wait for the display, and whether it does has to be found out.
    vsync: bool,
    started: Option<Timestamp>,
    drawn: Option<Drawn>,
    latch: Latch,
    /// Which plan each of the last frames was drawn for.
    planned: [(FrameId, FrameId); PLANNED],
    /// The newest frame that the GPU is known to have finished.
    finished: FrameId,
    /// Frames in a row for which no fence came in time.
    fenceless: u32,
    /// This thread runs the logic's steps: nobody has to be woken for an order.
    lent: bool,
    /// How long the last snapshot took to make, for whoever decides which thread makes the next one.
    made: Option<(Duration, Demand)>,
    /// The display says when it is ready for the next frame, and no more.
    one_by_one: bool,
    /// The frame whose answer the next order waits for.
    awaited: Option<FrameId>,
    priority: Priority,
    source: Option<(&'static str, Origin)>,
    /// Since when a frame waits for the GPU to finish an earlier one.
    fence_since: Option<Timestamp>,
    counted: Counted,
    /// Contexts that were lost, in all and since the time beside it.
    losses: u64,
    recent_losses: (u32, Timestamp),
    telemetry: Option<FrameStamps>,
}

impl<S, B: Backend<S>> RenderStep<S, B> {
    pub(super) fn new(
        mut backend: B,
        snapshots: Reader<Slot<S>>,
        orders: Writer<Order>,
        logic: Waker,
        latest: Reader<LatestInput>,
        priority: Priority,
        options: RunOptions,
    ) -> Self {
        let refresh_hz = backend.target().refresh_hz.or(options.refresh_hz);
        let mut pacer = FramePacer::new(options.pacing, refresh_hz.unwrap_or(0.0));
        let throttle = backend.set_pacing(options.pacing);
        pacer.set_throttle(throttle);
        pacer.set_miss_budget(options.miss_budget);
        pacer.set_layout(options.layout);
        pacer.set_cap(options.cap);
        pacer.set_vrr(options.vrr);
        pacer.set_delta_time(options.delta);
        let counted = Counted::new(options.pacing);
        let mut step = Self {
            backend,
            snapshots,
            orders,
            order: Order::default(),
            logic,
            throttle_seen: pacer.throttle(),
            vsync: asks_to_wait(options.pacing, throttle),
            pacer,
            recorder: Recorder::new(options.warmup, Duration::ZERO),
            size: options.size,
            scale: options.scale,
            options,
            visible: true,
            shown: true,
            redraw: false,
            resumed: true,
            resumed_at: Timestamp::ZERO,
            refresh_hz,
            told: (Duration::ZERO, Duration::ZERO),
            last: FrameId(0),
            last_drawn: Timestamp::ZERO,
            started: None,
            drawn: None,
            latch: Latch::new(latest),
            planned: [(FrameId(0), FrameId(0)); PLANNED],
            finished: FrameId(0),
            fenceless: 0,
            lent: false,
            made: None,
            one_by_one: false,
            awaited: None,
            priority,
            source: None,
            fence_since: None,
            counted,
            losses: 0,
            recent_losses: (0, Timestamp::ZERO),
            telemetry: None,
        };
        let records = step.options.record_frames.max(step.options.timeline_events / EVENTS_PER_FRAME);
        if step.options.timeline_events > 0 || records > 0 {
            step.recorder.keep_records(records);
        }
        if step.options.trace_frames > 0 {
            step.recorder.keep_trace(step.options.trace_frames);
        }
        step.tell_refresh();
        step
    }

    /// Stamps its stages there as well, and says there what is drawn with and to.
    pub(super) fn stamp_into(&mut self, telemetry: Option<FrameStamps>) {
        self.telemetry = telemetry;
        self.tell_readers();
    }

    /// Sets the size for the first time and orders the first snapshot.
    pub(super) fn start(&mut self, now: Timestamp) -> Result<()> {
        self.started = Some(now);
        if !self.size.is_empty() {
            self.backend.resize(self.size, self.scale)?;
        }
        self.order_next(now);
        Ok(())
    }

    /// Takes over what the host asked for since the last call.
    pub(super) fn apply(&mut self, wishes: Wishes, now: Timestamp) -> Result<()> {
        if let Some((size, scale)) = wishes.size
            && (size != self.size || (scale - self.scale).abs() > f32::EPSILON)
        {
            if self.size.is_empty() {
                self.resume(now);
            }
            (self.size, self.scale) = (size, scale);
            if !size.is_empty() {
                self.backend.resize(size, scale)?;
            }
            self.redraw = true;
        }
        if !self.shown && (wishes.redraw || wishes.size.is_some()) {
            // Something has happened to the window. If it is still hidden, the display says so again.
            self.set_shown(true, now);
        }
        if let Some(visible) = wishes.visible
            && visible != self.visible
        {
            self.visible = visible;
            self.tell_visible(now);
        }
        if let Some(hz) = wishes.refresh_hz {
            self.pacer.set_refresh(hz);
            self.backend.set_refresh(hz);
            self.refresh_hz = Some(hz);
            self.tell_refresh();
        }
        let stepped = (0..wishes.next_pacing).fold(self.pacer.mode(), |mode, _| mode.next());
        let stepped = (wishes.next_pacing > 0).then_some(stepped);
        if let Some(mode) = wishes.pacing.or(stepped) {
            log::info!("pacing: {mode}");
            self.counted.switched(self.pacer.mode(), mode, now, &self.pacer.state());
            self.pacer.set_mode(mode);
            self.set_throttle();
            self.tell_refresh();
            self.tell_readers();
            self.resumed = true;
            // The order in hand may be for a time that the old mode had far ahead.
            if mode == Pacing::Host {
                self.withdraw_order();
            } else {
                self.order_next(now);
            }
        }
        if let Some(budget) = wishes.miss_budget {
            self.pacer.set_miss_budget(budget);
        }
        if let Some(cap) = wishes.cap {
            self.pacer.set_cap(cap);
            self.resumed = true;
            // The order in hand may be for a time that the old cap had far ahead.
            self.order_next(now);
        }
        if let Some(layout) = wishes.layout {
            self.options.layout = layout;
            self.pacer.set_layout(layout);
        }
        if let Some(target) = wishes.host_tick {
            self.pacer.host_tick(target);
            if self.pacer.mode() == Pacing::Host {
                self.order(now);
            }
        }
        if wishes.toggle_overlay {
            self.backend.toggle_overlay();
        }
        let rests = self.snapshots.current().marks.demand == Demand::OnInput;
        self.redraw |= wishes.redraw || wishes.toggle_overlay || (wishes.overlay_input && rests);
        Ok(())
    }

    /// What somebody who draws wants to be different.
    fn changes(&mut self) -> Option<Changes> {
        self.backend.changes()
    }

    /// Goes on in a new context after the old one was lost, if the backend can. The frame that was drawn is not counted.
    pub(super) fn recover(&mut self, lost: Error, clock: &impl Clock) -> Result<()> {
        let Error::ContextLost { cause, .. } = lost else { return Err(lost) };
        let now = clock.now();
        let (recent, since) = self.recent_losses;
        let again = recent > 0 && now.saturating_since(since) < LOSSES_WITHIN;
        self.recent_losses = if again { (recent + 1, since) } else { (1, now) };
        if self.recent_losses.0 > LOSSES {
            let detail = format!("for the {}th time within {} s", LOSSES + 1, LOSSES_WITHIN.as_secs());
            return Err(Error::ContextLost { cause, detail });
        }
        log::warn!("the OpenGL context was lost ({cause}); going on in a new one");
        self.backend.restore(lost)?;
        self.losses += 1;
        let now = clock.now();
        self.drawn = None;
        // Of frames on their way nothing more is heard.
        (self.finished, self.fenceless) = (self.last, 0);
        self.set_throttle();
        if !self.size.is_empty() {
            self.backend.resize(self.size, self.scale)?;
        }
        self.redraw = true;
        self.resume(now);
        self.order_next(now);
        Ok(())
    }

    /// What to do at `now`.
    pub(super) fn next(&mut self, now: Timestamp) -> Next {
        let deadline = self.options.time_limit.zip(self.started).map(|(limit, at)| at + limit);
        let out_of_frames =
            self.options.frame_limit.is_some_and(|n| self.last.0 >= n.saturating_add(self.options.warmup));
        if out_of_frames || deadline.is_some_and(|at| now >= at) {
            return Next::Stop;
        }
        if let Some(drawn) = &self.drawn {
            return if now >= drawn.swap_at { Next::Swap } else { Next::Exactly(drawn.swap_at) };
        }
        let mut look_again = deadline.unwrap_or(Timestamp::MAX);
        if !self.shown {
            look_again = look_again.min(now + HIDDEN_POLL_EVERY);
        } else if self.visible && !self.size.is_empty() {
            if let Some(every) = self.backend.look_every() {
                look_again = look_again.min(now + every);
            }
            if self.snapshots.has_fresh() {
                return self.draw_or_wait(Reason::Fresh, now);
            }
            let current = self.snapshots.current();
            if current.marks.order > 0 {
                // What moves is drawn again anyway, at its own time.
                let rests = current.marks.demand == Demand::OnInput;
                self.redraw |= rests && self.backend.changed();
                let unfinished = rests && self.backend.unfinished();
                if unfinished {
                    let due = self.last_drawn + self.pacer.interval();
                    self.redraw |= now >= due;
                    look_again = look_again.min(due);
                }
                if self.redraw {
                    return self.draw_or_wait(Reason::Redraw, now);
                }
                if self.options.end_when_idle && rests && !unfinished {
                    log::info!("the scene asks for no more frames and no input can come: done");
                    return Next::Stop;
                }
                // The order in hand has not been delivered, and the scene moves.
                // With the logic's step on this thread nobody else can be late.
                let behind = current.marks.order < self.order.number && !self.lent;
                if current.marks.demand == Demand::EveryFrame && behind {
                    if now >= self.order.plan.stale_at {
                        return self.draw_or_wait(Reason::Stale, now);
                    }
                    look_again = look_again.min(self.order.plan.stale_at);
                }
            }
        }
        if self.awaited.is_some() {
            look_again = look_again.min((self.last_drawn + POLL_FOR).max(now) + FENCE_EVERY);
        }
        if self.shown && self.recorder.has_pending() && now < self.last_drawn + POLL_FOR {
            look_again = look_again.min(now + self.backend.poll_every());
        }
        if look_again == Timestamp::MAX { Next::Idle } else { Next::At(look_again) }
    }

    /// Draws when the GPU has finished enough of the frames before. A fence that never comes does not stop the run.
    fn draw_or_wait(&mut self, reason: Reason, now: Timestamp) -> Next {
        let limit = u64::from(self.pacer.frames_in_flight());
        let fits = self.last.0 - self.finished.0.min(self.last.0) < limit;
        if fits || self.fenceless >= FENCELESS || now > self.last_drawn + POLL_FOR {
            Next::Draw(reason)
        } else {
            self.fence_since.get_or_insert(now);
            Next::At(now + FENCE_EVERY)
        }
    }

    /// Draws one frame, which is [swapped](Self::swap) when its time has come. Allocates nothing and locks nothing by
    /// itself.
    pub(super) fn draw(&mut self, reason: Reason, clock: &impl Clock) -> Result<()> {
        crate::profile::new_frame();
        let id = self.last.next();
        timeline::set_frame(id.0);
        if let Some(since) = self.fence_since.take() {
            timeline::push(Event::new(Kind::Fence, "frames in flight", id.0, since, clock.now()));
        }
        crate::profile::scope!("frame", id.to_string());
        let drawing = timeline::span(Kind::Render, "frame");
        let seen = self.snapshots.index();
        if self.last > self.finished && self.last.0 > 1 && clock.now() > self.last_drawn + POLL_FOR {
            self.fenceless = self.fenceless.saturating_add(1);
        }
        let mut record = FrameRecord::new(id);
        let snapshot = self.snapshots.acquire();
        let acquired = clock.now();
        let marks = snapshot.value.marks;
        let fresh = snapshot.fresh;
        record.snapshot = snapshot.index;
        record.animation_time = marks.animation_time;
        record.repeated = !fresh;
        record.apart = self.counted.is_apart(acquired, || self.pacer.state());
        record.stale = !fresh && reason == Reason::Stale;
        record.mark(Stage::SnapshotAcquired, acquired);
        record.set(Stage::InputSampled, marks.sampled);
        if fresh {
            if !record.apart {
                self.recorder.skipped(snapshot.skipped);
            }
            if record.apart || id.0 <= self.recorder.warmup() {
                self.pacer.leave_out(marks.plan.id);
            }
            record.planned = marks.plan.dt.is_some().then_some(marks.plan.wake_at);
            record.target = marks.plan.target_presentation;
            record.swap_at = marks.plan.swap_at;
            record.spun = marks.spun;
            record.set(Stage::InputReceived, marks.inputs.since(seen));
            record.set(Stage::LogicDone, marks.done);
            record.set(Stage::SnapshotPublished, marks.published);
        }
        if self.resumed && marks.sampled.is_some_and(|at| at < self.resumed_at) {
            // Made before the standstill: its age says nothing about latency.
            for stage in
                [Stage::InputReceived, Stage::InputSampled, Stage::LogicDone, Stage::SnapshotPublished]
            {
                record.set(stage, None);
            }
            (record.planned, record.target, record.swap_at) = (None, None, None);
        }
        // A redraw while the scene moves is one frame more in a running sequence and leaves the pace alone.
        let still = marks.demand == Demand::OnInput;
        record.after_idle = self.resumed || (fresh && marks.after_idle) || (!fresh && still);
        if record.after_idle {
            let began = record.at(Stage::InputSampled).filter(|_| fresh).unwrap_or(acquired);
            let target = self.pacer.began_after_idle(marks.plan.id, began);
            // What was planned before the wait is over, and nothing is held until then. A host's target came with its tick.
            if self.pacer.mode() != Pacing::Host {
                record.target = record.target.and(target);
            }
            record.swap_at = None;
        }
        self.resumed = false;
        self.redraw = false;
        if let Some(telemetry) = &mut self.telemetry {
            telemetry.begin(&record, seen);
        }

        // From here on the logic thread may work on the next snapshot beside us.
        let ahead = fresh && self.pacer.plans_ahead();
        if ahead {
            self.order_next(acquired);
        }
        self.latch.begin();
        let info = FrameInfo {
            id: record.id,
            size: self.size,
            scale: self.scale,
            animation_time: marks.animation_time,
            stats: &self.recorder,
            pacer: &self.pacer,
            latch: &self.latch,
            source: self.source,
            apart: record.apart,
        };
        self.backend.draw(&self.snapshots.current().view, &info)?;
        let submitted = clock.now();
        drop(drawing);
        record.mark(Stage::Submitted, submitted);
        record.latched = self.latch.taken();
        if let Some(telemetry) = &self.telemetry {
            telemetry.stamp(id, Stage::Submitted, submitted);
            telemetry.latched(id, record.latched);
        }
        let logic = match (marks.sampled, marks.done) {
            (Some(from), Some(to)) if fresh => to.saturating_since(from),
            _ => Duration::ZERO,
        };
        if fresh {
            self.planned[id.slot(PLANNED)] = (id, marks.plan.id);
            self.made = Some((logic, marks.demand));
        }
        // What comes after a wait is shown at once, and what only repeats a picture has no time of its own.
        let held = marks.plan.swap_at.filter(|_| fresh && !record.after_idle);
        let swap_at = held.unwrap_or(Timestamp::ZERO);
        if swap_at > submitted {
            self.backend.hold();
        }
        self.drawn = Some(Drawn {
            record,
            reason,
            mode: self.pacer.mode(),
            plan: marks.plan,
            ahead,
            acquired,
            submitted,
            logic,
            swap_at,
        });
        Ok(())
    }

    /// Swaps the frame that was drawn.
    pub(super) fn swap(&mut self, clock: &impl Clock) -> Result<()> {
        let Some(Drawn { mut record, reason, mode, plan, ahead, acquired, submitted, logic, swap_at }) =
            self.drawn.take()
        else {
            return Ok(());
        };
        let fresh = !record.repeated;
        let begin = clock.now();
        record.mark(Stage::SwapBegin, begin);
        if let Some(telemetry) = &self.telemetry {
            telemetry.stamp(record.id, Stage::SwapBegin, begin);
        }
        {
            crate::profile::scope!("swap");
            let _swap = timeline::span(Kind::Swap, "swap");
            self.backend.swap(record.id)?;
        }
        let swapped = clock.now();
        record.mark(Stage::SwapEnd, swapped);
        self.last = record.id;
        self.last_drawn = swapped;
        if record.id.0 > self.recorder.warmup() {
            self.counted.drawn(mode, record.apart);
        }
        let queued = self.recorder.submit(record);
        if let Some(telemetry) = &mut self.telemetry {
            telemetry.stamp(record.id, Stage::SwapEnd, swapped);
            telemetry.swapped(record.id, queued);
        }
        if fresh {
            // The display could have had it when swap returned, unless swap waited for the display.
            let waited = swapped.saturating_since(begin) > self.pacer.interval() / WAITED;
            let ready = if waited && self.pacer.mode().follows_display() { begin } else { swapped };
            let held = if swap_at > submitted { begin.saturating_since(submitted) } else { Duration::ZERO };
            let drawing = ready.saturating_since(acquired).saturating_sub(held);
            self.pacer.submitted(plan.id, ready, Work { logic, drawing, held });
        }
        let due = fresh && !ahead;
        let awaits = due && self.one_by_one && self.pacer.mode().follows_display();
        if awaits {
            // The answer gives the order.
            self.awaited = Some(record.id);
        }
        self.poll(swapped);
        if due {
            if !awaits {
                self.order_next(swapped);
            }
        } else if reason == Reason::Stale && !fresh {
            // The same order stays open; the next stale frame is due one interval later.
            self.order.plan.stale_at = acquired + self.pacer.interval();
        }
        self.tell_throttle();
        self.tell_refresh();
        self.declare();
        Ok(())
    }

    /// Collects what became known of earlier frames and of the display.
    pub(super) fn poll(&mut self, now: Timestamp) {
        let (recorder, pacer, planned) = (&mut self.recorder, &mut self.pacer, &self.planned);
        let telemetry = &mut self.telemetry;
        let (finished, fenceless) = (&mut self.finished, &mut self.fenceless);
        let one_by_one = &mut self.one_by_one;
        let awaited = self.awaited;
        // An answer that never comes does not stop the run.
        let mut answered = awaited.is_some() && now > self.last_drawn + POLL_FOR;
        let (mut shown, mut source) = (self.shown, None);
        let plan_of = |id: FrameId| {
            Some(planned[id.slot(PLANNED)]).filter(|(frame, _)| *frame == id).map(|(_, plan)| plan)
        };
        self.backend.poll(&mut |feedback| match feedback {
            Feedback::GpuDone(id, at) => {
                *finished = id.max(*finished);
                *fenceless = 0;
                recorder.gpu_done(id, at);
                if let Some(telemetry) = telemetry {
                    telemetry.gpu_done(id, at);
                }
                if let Some(plan) = plan_of(id) {
                    pacer.gpu_done(plan, at);
                }
            }
            Feedback::Presented(id, presentation) => {
                answered |= awaited.is_some_and(|awaited| id >= awaited);
                // The one place that refuses what cannot be: the pacer hears no more than the figures show.
                let presentation = recorder.presented(id, presentation);
                if let Some(telemetry) = telemetry {
                    telemetry.presented(id, presentation);
                }
                if let Presentation::At(at, _) = presentation {
                    recorder.told_after(id, now.signed_since(at));
                }
                if let Some(plan) = plan_of(id) {
                    pacer.presented(plan, presentation);
                }
            }
            Feedback::GpuPass(id, name, begin, end) => {
                timeline::push(Event::new(Kind::Gpu, name, id.0, begin, end));
                recorder.gpu_pass(id, name, end.signed_since(begin));
            }
            Feedback::Vblank(sample) => {
                let count = sample.sequence.unwrap_or(0);
                timeline::push(Event {
                    value: count,
                    ..Event::new(Kind::Vblank, "vblank", 0, sample.at, sample.at)
                });
                // What we made up ourselves measures nothing.
                let told = sample.origin != Origin::Estimated;
                if told {
                    let locked = pacer.model().lock() == Lock::Locked;
                    let predicted = pacer.model().nearest(sample.at).filter(|_| locked);
                    let error = predicted.map(|predicted| predicted.at.signed_since(sample.at));
                    if let Some(error) = error {
                        recorder.phase_error(error);
                    }
                    recorder.vblank(sample);
                    if let Some(telemetry) = telemetry {
                        telemetry.refreshed(&sample, error);
                    }
                }
                // Answers come when we ask: they would teach the model our own rate.
                if !*one_by_one {
                    pacer.vblank(sample);
                }
            }
            Feedback::OneByOne(one) => {
                *one_by_one = one;
                pacer.set_one_by_one(one);
            }
            Feedback::Source(name, origin) => {
                pacer.set_source(origin);
                source = Some((name, origin));
            }
            Feedback::Visible(visible) => {
                shown = visible;
                if !visible {
                    pacer.set_visible(false);
                }
            }
        });
        if source.is_some() {
            self.source = source;
            self.tell_refresh();
            self.tell_readers();
        }
        if shown != self.shown {
            self.set_shown(shown, now);
        } else if answered {
            self.order_next(now);
        }
    }

    fn set_shown(&mut self, shown: bool, now: Timestamp) {
        log::debug!("the display {} the window", if shown { "shows" } else { "shows nothing of" });
        self.shown = shown;
        self.tell_visible(now);
    }

    /// The window became visible or invisible.
    fn tell_visible(&mut self, now: Timestamp) {
        let visible = self.visible && self.shown;
        self.pacer.set_visible(visible);
        if visible {
            self.redraw = true;
            self.resume(now);
            self.order_next(now);
        } else {
            // The world stands still: what was ordered is not due any more, whatever input comes.
            self.withdraw_order();
        }
    }

    /// What was ordered is not due any more.
    fn withdraw_order(&mut self) {
        self.order.plan = Plan { wake_at: Timestamp::MAX, stale_at: Timestamp::MAX, ..Plan::default() };
        self.publish_order();
    }

    /// How long the newest snapshot took to make, once.
    pub(super) fn made(&mut self) -> Option<(Duration, Duration, Demand)> {
        self.made.take().map(|(took, demand)| (took, self.pacer.interval(), demand))
    }

    /// The layout that was asked for.
    pub(super) const fn layout(&self) -> LayoutChoice {
        self.options.layout
    }

    /// Whether a frame is drawn and not yet swapped.
    const fn holds(&self) -> bool {
        self.drawn.is_some()
    }

    /// Whether feedback is waited for.
    pub(super) fn has_pending(&self) -> bool {
        // The recorder hears of a frame when it is swapped; nothing may be said of it before.
        self.drawn.is_none()
            && (self.recorder.has_pending() || !self.shown || self.pacer.mode().follows_display())
    }

    /// Ends the run: the last picture, if one was asked for, and the figures. Drops the backend. Of a run that failed
    /// the figures are what is left: the backend is asked for nothing more.
    pub(super) fn finish(mut self, now: Timestamp, mut failed: Option<Error>) -> Ended {
        let mut picture = None;
        let drawn = !self.size.is_empty() && self.snapshots.current().marks.order > 0;
        if failed.is_none() && self.options.capture_last && drawn {
            let slot = self.snapshots.current();
            let info = FrameInfo {
                id: self.last.next(),
                size: self.size,
                scale: self.scale,
                animation_time: slot.marks.animation_time,
                stats: &self.recorder,
                pacer: &self.pacer,
                latch: &self.latch,
                source: self.source,
                apart: false,
            };
            match self.backend.capture(&slot.view, &info) {
                Ok(pixels) => picture = Some(pixels),
                Err(e) => failed = Some(e),
            }
        }
        if failed.is_none() {
            // What has not come when the GPU is done with everything never will.
            self.backend.finish();
            self.poll(now);
        }
        self.recorder.finish();
        let mut target = self.backend.target().clone();
        target.refresh_hz = self.refresh_hz;
        let (apart, pacer, modes) = self.counted.finish(now, self.pacer.state());
        let summary = Summary {
            frames: self.recorder.counters().frames,
            missed: (!self.told.0.is_zero()).then(|| self.recorder.metrics().missed_vsyncs()),
            elapsed: self.started.map_or(Duration::ZERO, |at| now.saturating_since(at)),
            target,
            size: self.size,
            apart,
            pacing: self.pacer.mode(),
            modes,
            throttle: self.pacer.throttle(),
            pacer,
            priority: self.priority,
            intervals: self.told,
            stats: self.recorder,
            timeline: None,
            picture,
            context_resets: self.losses,
        };
        Ended { summary: Some(summary), error: failed }
    }

    /// The loop goes on after a standstill.
    fn resume(&mut self, now: Timestamp) {
        self.resumed = true;
        self.resumed_at = now;
    }

    /// The intervals that frames are held against: the display's, and how many of them a frame is meant to last.
    fn tell_refresh(&mut self) {
        let (refresh, interval) = (self.refresh(), self.pacer.interval());
        let differs = |a: Duration, b: Duration| a.abs_diff(b) > b / REFRESH_DIFFERS;
        if differs(refresh, self.told.0) || differs(interval, self.told.1) {
            self.told = (refresh, interval);
            self.recorder.set_refresh(refresh, interval);
            self.tell_readers();
        }
    }

    /// Tells readers of the telemetry what is drawn with and to, after it changed.
    fn tell_readers(&mut self) {
        if let Some(telemetry) = &mut self.telemetry {
            let target = self.backend.target();
            telemetry.tell(&Told {
                surface: &target.surface,
                vendor: &target.vendor,
                renderer: &target.renderer,
                version: &target.version,
                source: self.source.unwrap_or((&target.source, target.origin)),
                pacing: self.pacer.mode(),
                refresh: self.told.0,
                interval: self.told.1,
                warmup: self.recorder.warmup(),
            });
        }
    }

    /// Tells the surface what the pacing mode wants of swap.
    fn set_throttle(&mut self) {
        let mode = self.pacer.mode();
        let throttle = self.backend.set_pacing(mode);
        self.pacer.set_throttle(throttle);
        self.throttle_seen = self.pacer.throttle();
        self.vsync = asks_to_wait(mode, throttle);
    }

    /// What the frames are held against by their self-check.
    fn declare(&mut self) {
        let refresh = self.refresh();
        self.recorder.declare(Declared {
            refresh: (!refresh.is_zero()).then_some(refresh),
            interval: self.pacer.wanted_interval(),
            vsync: self.vsync,
            throttle: self.pacer.throttle(),
            miss_budget: self.pacer.miss_budget(),
        });
    }

    /// The display's refresh interval: the nominal one, else as measured; zero where neither is known.
    fn refresh(&self) -> Duration {
        let measured = || {
            let model = self.pacer.model();
            // A measured interval stays in use while the model learns anew.
            if model.lock() == Lock::Locked { model.period() } else { Some(self.told.0) }
        };
        let nominal = self.refresh_hz.map(|hz| Duration::from_secs_f64(1.0 / hz));
        nominal.or_else(measured).unwrap_or_default()
    }

    /// Orders the next frame, unless an embedding program's ticks do.
    fn order_next(&mut self, now: Timestamp) {
        if self.pacer.mode() != Pacing::Host {
            self.order(now);
        }
    }

    fn order(&mut self, now: Timestamp) {
        self.awaited = None;
        let mut plan = self.pacer.plan(now);
        if plan.parked {
            return;
        }
        if self.pacer.mode() == Pacing::Host {
            // One frame per tick, however long that takes.
            plan.stale_at = Timestamp::MAX;
        }
        timeline::push(Event {
            value: plan.target_presentation.map_or(0, Timestamp::as_nanos),
            delay: plan.budget.map_or(0, crate::time::nanos),
            ..Event::new(Kind::Plan, "plan", plan.id.0, now, plan.wake_at)
        });
        self.order = Order { number: self.order.number + 1, plan };
        self.publish_order();
    }

    fn publish_order(&mut self) {
        let mut out = self.orders.write();
        *out = self.order;
        out.publish();
        if !self.lent {
            self.logic.wake();
        }
    }

    fn tell_throttle(&mut self) {
        let throttle = self.pacer.throttle();
        if throttle != self.throttle_seen {
            self.throttle_seen = throttle;
            if throttle == Throttle::Timer {
                log::warn!(
                    "swap does not wait for the display here, though interval 1 was set: a timer at {:.2} Hz paces instead",
                    1.0 / self.pacer.interval().as_secs_f64()
                );
            }
        }
    }
}

/// Whether swap was asked to wait for the display, by a surface that does not know yet what comes of it.
fn asks_to_wait(mode: Pacing, throttle: Throttle) -> bool {
    mode == Pacing::Vsync && throttle != Throttle::Timer
}

/// The render thread's loop around the step, and around the logic's while that is lent.
pub(super) fn run<L: Logic, B: Backend<L::Snapshot>>(
    step: &mut RenderStep<L::Snapshot, B>,
    seat: &mut RenderSeat<L>,
    control: &Control,
    clock: &impl Clock,
) -> Result<()> {
    turn(step, seat, control, clock)?;
    // What is drawn is shown, however early the end came.
    step.swap(clock).or_else(|e| step.recover(e, clock))
}

fn turn<L: Logic, B: Backend<L::Snapshot>>(
    step: &mut RenderStep<L::Snapshot, B>,
    seat: &mut RenderSeat<L>,
    control: &Control,
    clock: &impl Clock,
) -> Result<()> {
    let mut sleeper = Sleeper::new();
    step.start(clock.now())?;
    while !control.stopping() {
        seat.arrive();
        step.lent = seat.is_here();
        // What is drawn belongs to the surface as it is: wishes wait for its swap.
        if !step.holds() {
            let (wishes, changes) = (control.take_wishes(), step.changes());
            if wishes.is_some() || changes.is_some() {
                let wishes = wishes.unwrap_or_default().with(changes);
                step.apply(wishes, clock.now())?;
                if wishes.layout.is_some() {
                    seat.choose(step.layout());
                }
            }
        }
        if step.has_pending() {
            step.poll(clock.now());
        }
        let now = clock.now();
        let next = step.next(now);
        let due = if matches!(next, Next::At(_) | Next::Idle) { seat.due(now) } else { Due::Idle };
        match (next, due) {
            (Next::Stop, _) => break,
            (Next::Draw(reason), _) => {
                step.draw(reason, clock).or_else(|e| step.recover(e, clock))?;
            }
            (Next::Swap, _) => {
                step.swap(clock).or_else(|e| step.recover(e, clock))?;
                if let Some((took, interval, demand)) = step.made() {
                    seat.made(took, interval, demand, &step.logic);
                }
            }
            (_, Due::Now) => seat.run(sleeper.spun(), clock)?,
            (Next::Exactly(at), _) => timeline::sleeping(Some(at), || {
                sleeper.until_or_woken(at);
            }),
            (Next::At(poll), Due::At(at)) if poll < at => {
                timeline::sleeping(Some(poll), || super::signal::park(Some(poll.saturating_since(now))));
            }
            (_, Due::At(at)) => timeline::sleeping(Some(at), || {
                sleeper.until_or_woken(at);
            }),
            (Next::At(at), Due::Idle) => {
                timeline::sleeping(Some(at), || super::signal::park(Some(at.saturating_since(now))));
            }
            (Next::Idle, Due::Idle) => timeline::sleeping(None, || super::signal::park(None)),
        }
    }
    Ok(())
}
