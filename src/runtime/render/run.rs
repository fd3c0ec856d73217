use std::time::Duration;

use super::{Backend, FrameInfo, Next, RenderStep};
use crate::display::sleep::Sleeper;
use crate::error::{Error, Result};
use crate::runtime::Logic;
use crate::runtime::control::Control;
use crate::runtime::logic::Due;
use crate::runtime::seat::RenderSeat;
use crate::runtime::signal;
use crate::runtime::{Ended, Pixels, Summary};
use crate::time::{Clock, Timestamp};
use crate::timeline;

/// The render thread's loop around the step, and around the logic's while that is lent.
pub(in crate::runtime) fn run<L: Logic, B: Backend<L::Snapshot>>(
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
        step.orders.set_lent(seat.is_here());
        // What is drawn belongs to the surface as it is: wishes wait for its swap.
        if !step.holds() {
            take_wishes(step, seat, control, clock)?;
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
                if let Some((took, interval, demand)) = step.take_made() {
                    seat.made(took, interval, demand, step.orders.logic());
                }
            }
            (_, Due::Now) => seat.run(sleeper.spun(), clock)?,
            (next, due) => wait(next, due, now, &mut sleeper),
        }
    }
    Ok(())
}

/// Hands what the host and those who draw want to the step and the seat.
fn take_wishes<L: Logic, B: Backend<L::Snapshot>>(
    step: &mut RenderStep<L::Snapshot, B>,
    seat: &mut RenderSeat<L>,
    control: &Control,
    clock: &impl Clock,
) -> Result<()> {
    let (wishes, changes) = (control.take_wishes(), step.changes());
    if wishes.is_none() && changes.is_none() {
        return Ok(());
    }
    let wishes = wishes.unwrap_or_default().with(changes);
    step.apply(wishes, clock.now())?;
    if wishes.layout.is_some() {
        seat.choose(step.layout());
    }
    Ok(())
}

/// Sleeps until there is something to do: to the microsecond for a swap or a step of the logic, otherwise about.
fn wait(next: Next, due: Due, now: Timestamp, sleeper: &mut Sleeper) {
    let park = |at: Option<Timestamp>| {
        timeline::sleeping(at, || signal::park(at.map(|at| at.saturating_since(now))));
    };
    match (next, due) {
        (Next::At(poll), Due::At(at)) if poll < at => park(Some(poll)),
        (Next::Exactly(at), _) | (_, Due::At(at)) => {
            timeline::sleeping(Some(at), || {
                sleeper.until_or_woken(at);
            });
        }
        (Next::At(at), _) => park(Some(at)),
        _ => park(None),
    }
}

impl<S, B: Backend<S>> RenderStep<S, B> {
    /// Ends the run: the last picture, if one was asked for, and the figures. Drops the backend. Of a run that failed
    /// the figures are what is left: the backend is asked for nothing more.
    pub(in crate::runtime) fn finish(mut self, now: Timestamp, mut failed: Option<Error>) -> Ended {
        let mut picture = None;
        if failed.is_none() && self.options.capture_last {
            match self.capture().transpose() {
                Ok(pixels) => picture = pixels,
                Err(e) => failed = Some(e),
            }
        }
        if failed.is_none() {
            // What has not come when the GPU is done with everything never will.
            self.backend.finish();
            self.poll(now);
        }
        let mut target = self.backend.target().clone();
        target.refresh_hz = self.figures.refresh_hz();
        let intervals = self.figures.intervals();
        let stats = self.figures.finish();
        let (apart, pacer, modes) = self.counted.finish(now, self.pacer.state());
        let summary = Summary {
            frames: stats.counters().frames,
            missed: (!intervals.0.is_zero()).then(|| stats.metrics().missed_vsyncs()),
            elapsed: self.started.map_or(Duration::ZERO, |at| now.saturating_since(at)),
            target,
            size: self.pane.size,
            apart,
            pacing: self.pacer.mode(),
            modes,
            throttle: self.pacer.throttle(),
            pacer,
            priority: self.priority,
            intervals,
            stats,
            timeline: None,
            picture,
            context_resets: self.losses.survived(),
            steps_dropped: self.snapshots.current().marks.dropped,
            delta: self.options.delta,
            filtered: self.snapshots.current().marks.filtered,
        };
        Ended { summary: Some(summary), error: failed }
    }

    /// The last picture once more; `None` where nothing was drawn.
    fn capture(&mut self) -> Option<Result<Pixels>> {
        let slot = self.snapshots.current();
        if self.pane.size.is_empty() || slot.marks.order == 0 {
            return None;
        }
        let info = FrameInfo {
            id: self.flight.last().next(),
            size: self.pane.size,
            scale: self.pane.scale,
            animation_time: slot.marks.animation_time,
            stats: self.figures.recorder(),
            pacer: &self.pacer,
            latch: &self.latch,
            source: self.figures.source(),
            apart: false,
        };
        Some(self.backend.capture(&slot.view, &info))
    }
}
