use std::time::Duration;

use super::host::{Control, Ended, Pixels, RunOptions, Summary, TargetInfo, Wishes};
use super::input::Size;
use super::logic::{Demand, Order};
use super::signal::Waker;
use super::slot::Slot;
use crate::error::{Error, Result};
use crate::pacing::{FrameId, FramePacer, Origin, Pacing, Presentation, Throttle, VblankSample};
use crate::stats::{FrameRecord, Recorder, Stage};
use crate::sync::snapshot::{Reader, Writer};
use crate::time::{Clock, Timestamp};

/// How often a fence is looked at while there is nothing else to do.
const POLL_EVERY: Duration = Duration::from_micros(500);
/// How long after a frame its fence is looked at that often. What takes longer is noticed with the next frame.
const POLL_FOR: Duration = Duration::from_millis(100);

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
}

/// What the graphics system and the display say about earlier frames and about themselves. It may come in any order
/// and at any time after the swap.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Feedback {
    /// The GPU was seen done with the frame at this time.
    GpuDone(FrameId, Timestamp),
    /// What became of the frame.
    Presented(FrameId, Presentation),
    /// The display began a refresh.
    Vblank(VblankSample),
    /// From now on this source tells display times, of this origin.
    Source(&'static str, Origin),
    /// The display was found to show nothing of the window (`false`), or to show it again.
    Visible(bool),
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

    /// Swaps.
    ///
    /// # Errors
    /// When the surface or the display is lost.
    fn swap(&mut self, id: FrameId) -> Result<()>;

    /// Reports, without waiting, what became known of earlier frames.
    fn poll(&mut self, sink: &mut dyn FnMut(Feedback));

    /// Draws the frame once more and reads it back instead of showing it. Waits for the GPU.
    ///
    /// # Errors
    /// When the context is lost.
    fn capture(&mut self, view: &S, frame: &FrameInfo<'_>) -> Result<Pixels>;

    /// Shows or hides what is drawn over the scene, where there is such a thing.
    fn toggle_overlay(&mut self) {}
}

/// What the render thread should do now.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) enum Next {
    /// The run is over.
    Stop,
    /// Draw a frame.
    Draw(Reason),
    /// Look again at this time, if nobody wakes the thread before.
    At(Timestamp),
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
    redraw: bool,
    /// The loop stood still; the next frame's distance from the one before says nothing about pacing.
    resumed: bool,
    /// Snapshots that were sampled before this are from before the standstill.
    resumed_at: Timestamp,
    refresh_hz: Option<f64>,
    last: FrameId,
    last_drawn: Timestamp,
    throttle_seen: Throttle,
    started: Option<Timestamp>,
}

impl<S, B: Backend<S>> RenderStep<S, B> {
    pub(super) fn new(
        mut backend: B,
        snapshots: Reader<Slot<S>>,
        orders: Writer<Order>,
        logic: Waker,
        options: RunOptions,
    ) -> Self {
        let refresh_hz = backend.target().refresh_hz.or(options.refresh_hz);
        let mut pacer = FramePacer::new(options.pacing, refresh_hz.unwrap_or(0.0));
        pacer.set_throttle(backend.set_pacing(options.pacing));
        let mut step = Self {
            backend,
            snapshots,
            orders,
            order: Order::default(),
            logic,
            throttle_seen: pacer.throttle(),
            pacer,
            recorder: Recorder::new(options.warmup, Duration::ZERO),
            size: options.size,
            scale: options.scale,
            options,
            visible: true,
            redraw: false,
            resumed: true,
            resumed_at: Timestamp::ZERO,
            refresh_hz,
            last: FrameId(0),
            last_drawn: Timestamp::ZERO,
            started: None,
        };
        step.tell_refresh();
        step
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
        if let Some(visible) = wishes.visible {
            self.redraw |= visible && !self.visible;
            if visible && !self.visible {
                self.resume(now);
            }
            self.visible = visible;
        }
        if let Some(hz) = wishes.refresh_hz {
            self.pacer.set_refresh(hz);
            self.refresh_hz = Some(hz);
            self.tell_refresh();
        }
        if let Some(mode) = wishes.pacing {
            self.pacer.set_mode(mode);
            self.pacer.set_throttle(self.backend.set_pacing(mode));
            self.throttle_seen = self.pacer.throttle();
            self.tell_refresh();
            self.resumed = true;
            // The order in hand may be for a time that the old mode had far ahead.
            self.order_next(now);
        }
        if wishes.toggle_overlay {
            self.backend.toggle_overlay();
        }
        self.redraw |= wishes.redraw || wishes.toggle_overlay;
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
        let mut look_again = deadline.unwrap_or(Timestamp::MAX);
        if self.visible && !self.size.is_empty() {
            if self.snapshots.has_fresh() {
                return Next::Draw(Reason::Fresh);
            }
            let current = self.snapshots.current();
            if current.marks.order > 0 {
                if self.redraw {
                    return Next::Draw(Reason::Redraw);
                }
                if self.options.end_when_idle && current.marks.demand == Demand::OnInput {
                    log::info!("the scene asks for no more frames and no input can come: done");
                    return Next::Stop;
                }
                // The order in hand has not been delivered, and the scene moves.
                if current.marks.demand == Demand::EveryFrame {
                    if now >= self.order.plan.stale_at {
                        return Next::Draw(Reason::Stale);
                    }
                    look_again = look_again.min(self.order.plan.stale_at);
                }
            }
        }
        if self.recorder.has_pending() && now < self.last_drawn + POLL_FOR {
            look_again = look_again.min(now + POLL_EVERY);
        }
        if look_again == Timestamp::MAX { Next::Idle } else { Next::At(look_again) }
    }

    /// Draws and swaps one frame. Allocates nothing and locks nothing by itself.
    pub(super) fn frame(&mut self, reason: Reason, clock: &impl Clock) -> Result<()> {
        crate::profile::new_frame();
        let id = self.last.next();
        crate::profile::scope!("frame", id.to_string());
        let seen = self.snapshots.index();
        let mut record = FrameRecord::new(id);
        let snapshot = self.snapshots.acquire();
        let acquired = clock.now();
        let marks = snapshot.value.marks;
        let fresh = snapshot.fresh;
        record.snapshot = snapshot.index;
        record.animation_time = marks.animation_time;
        record.repeated = !fresh;
        record.stale = !fresh && reason == Reason::Stale;
        record.mark(Stage::SnapshotAcquired, acquired);
        record.set(Stage::InputSampled, marks.sampled);
        if fresh {
            self.recorder.skipped(snapshot.skipped);
            record.planned = marks.planned;
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
            record.planned = None;
        }
        // A redraw while the scene moves is one frame more in a running sequence and leaves the pace alone.
        let still = marks.demand == Demand::OnInput;
        record.after_idle = self.resumed || (fresh && marks.after_idle) || (!fresh && still);
        if record.after_idle {
            self.pacer.began_after_idle(record.at(Stage::InputSampled).filter(|_| fresh).unwrap_or(acquired));
        }
        self.resumed = false;
        self.redraw = false;

        // From here on the logic thread may work on the next snapshot beside us.
        let ahead = fresh && self.pacer.plans_ahead();
        if ahead {
            self.order_next(acquired);
        }
        let info = FrameInfo {
            id: record.id,
            size: self.size,
            scale: self.scale,
            animation_time: marks.animation_time,
            stats: &self.recorder,
            pacer: &self.pacer,
        };
        self.backend.draw(&self.snapshots.current().view, &info)?;
        record.mark(Stage::Submitted, clock.now());
        record.mark(Stage::SwapBegin, clock.now());
        {
            crate::profile::scope!("swap");
            self.backend.swap(record.id)?;
        }
        let swapped = clock.now();
        record.mark(Stage::SwapEnd, swapped);
        self.last = record.id;
        self.last_drawn = swapped;
        self.pacer.swapped(swapped);
        self.recorder.submitted(record);
        if fresh && !ahead {
            self.order_next(swapped);
        } else if reason == Reason::Stale && !fresh {
            // The same order stays open; the next stale frame is due one interval later.
            self.order.plan.stale_at = acquired + self.pacer.interval();
        }
        self.poll();
        self.tell_throttle();
        Ok(())
    }

    /// Collects what became known of earlier frames.
    pub(super) fn poll(&mut self) {
        let recorder = &mut self.recorder;
        self.backend.poll(&mut |feedback| match feedback {
            Feedback::GpuDone(id, at) => recorder.gpu_done(id, at),
            Feedback::Presented(id, presentation) => recorder.presented(id, presentation),
            Feedback::Vblank(_) | Feedback::Source(..) | Feedback::Visible(_) => {}
        });
    }

    /// Whether any frame still waits for feedback.
    pub(super) fn has_pending(&self) -> bool {
        self.recorder.has_pending()
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
            };
            match self.backend.capture(&slot.view, &info) {
                Ok(pixels) => picture = Some(pixels),
                Err(e) => failed = Some(e),
            }
        }
        if failed.is_none() {
            // Reading the picture back has waited for the GPU; what has not come by now never will.
            self.poll();
        }
        self.recorder.finish();
        let mut target = self.backend.target().clone();
        target.refresh_hz = self.refresh_hz;
        let summary = Summary {
            frames: self.recorder.counters().frames,
            missed: self.refresh_hz.map(|_| self.recorder.metrics().missed_vsyncs()),
            elapsed: self.started.map_or(Duration::ZERO, |at| now.saturating_since(at)),
            target,
            size: self.size,
            pacing: self.pacer.mode(),
            throttle: self.pacer.throttle(),
            missed_ticks: self.pacer.missed_ticks(),
            snaps: self.pacer.snaps(),
            stats: self.recorder,
            picture,
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
        // Without a known refresh rate no interval can be held against one.
        let refresh = self.refresh_hz.map_or(Duration::ZERO, |hz| Duration::from_secs_f64(1.0 / hz));
        self.recorder.set_refresh(refresh, self.pacer.interval());
    }

    fn order_next(&mut self, now: Timestamp) {
        self.order = Order { number: self.order.number + 1, plan: self.pacer.plan(now) };
        let mut out = self.orders.write();
        *out = self.order;
        out.publish();
        self.logic.wake();
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

/// The render thread's loop around the step.
pub(super) fn run<S, B: Backend<S>>(
    step: &mut RenderStep<S, B>,
    control: &Control,
    clock: &impl Clock,
) -> Result<()> {
    step.start(clock.now())?;
    while !control.stopping() {
        if let Some(wishes) = control.take_wishes() {
            step.apply(wishes, clock.now())?;
        }
        if step.has_pending() {
            step.poll();
        }
        let now = clock.now();
        match step.next(now) {
            Next::Stop => break,
            Next::Draw(reason) => step.frame(reason, clock)?,
            Next::At(at) => super::signal::park(Some(at.saturating_since(now))),
            Next::Idle => super::signal::park(None),
        }
    }
    Ok(())
}
