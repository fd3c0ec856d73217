use super::figures::Figures;
use super::flight::Flight;
use super::{Backend, RenderStep};
use crate::pacing::{Feedback, FrameId, FramePacer, Presentation, VblankSample};
use crate::runtime::Demand;
use crate::runtime::slot::Marks;
use crate::time::Timestamp;
use crate::timeline::{self, Event, Kind};

/// Hands on what the backend says of earlier frames and of the display.
struct Listener<'a> {
    figures: &'a mut Figures,
    flight: &'a mut Flight,
    pacer: &'a mut FramePacer,
    now: Timestamp,
    awaited: Option<FrameId>,
    /// The awaited frame was answered for.
    answered: bool,
    /// The last that the display said about whether it shows the window.
    shown: bool,
    new_source: bool,
    /// The display has another nominal rate.
    rate: Option<f64>,
}

impl Listener<'_> {
    fn hear(&mut self, feedback: Feedback) {
        match feedback {
            Feedback::GpuDone(id, at) => self.gpu_done(id, at),
            Feedback::Presented(id, presentation) => self.presented(id, presentation),
            Feedback::GpuPass(id, name, begin, end) => {
                timeline::push(Event::new(Kind::Gpu, name, id.0, begin, end));
                self.figures.gpu_pass(id, name, end.signed_since(begin));
            }
            Feedback::Vblank(sample) => self.vblank(sample),
            Feedback::OneByOne(one) => self.pacer.set_one_by_one(one),
            Feedback::Holdover(silent) => self.pacer.set_holdover(silent),
            Feedback::Source(name, origin) => {
                self.pacer.set_source(origin);
                self.figures.set_source(name, origin);
                self.new_source = true;
            }
            Feedback::Rate(hz) => self.rate = Some(hz),
            Feedback::Visible(visible) => {
                self.shown = visible;
                if !visible {
                    self.pacer.set_visible(false);
                }
            }
        }
    }

    fn gpu_done(&mut self, id: FrameId, at: Timestamp) {
        self.flight.gpu_done(id);
        self.figures.gpu_done(id, at);
        if let Some(plan) = self.flight.plan_of(id) {
            self.pacer.gpu_done(plan, at);
        }
    }

    fn presented(&mut self, id: FrameId, told: Presentation) {
        self.answered |= self.awaited.is_some_and(|awaited| id >= awaited);
        let presentation = self.figures.presented(id, told, self.now);
        if let Some(plan) = self.flight.plan_of(id) {
            self.pacer.presented(plan, presentation);
        }
    }

    fn vblank(&mut self, sample: VblankSample) {
        let count = sample.sequence.unwrap_or(0);
        timeline::push(Event { value: count, ..Event::new(Kind::Vblank, "vblank", 0, sample.at, sample.at) });
        self.figures.vblank(sample, self.pacer);
        // Answers come when we ask: they would teach the model our own rate.
        if !self.pacer.is_one_by_one() {
            self.pacer.vblank(sample);
        }
    }
}

impl<S, B: Backend<S>> RenderStep<S, B> {
    /// Collects what became known of earlier frames and of the display.
    pub(in crate::runtime) fn poll(&mut self, now: Timestamp) {
        let awaited = self.orders.awaited();
        let mut listener = Listener {
            // An answer that never comes does not stop the run.
            answered: awaited.is_some() && now > self.flight.silent_from(),
            figures: &mut self.figures,
            flight: &mut self.flight,
            pacer: &mut self.pacer,
            now,
            awaited,
            shown: self.pane.shown,
            new_source: false,
            rate: None,
        };
        self.backend.poll(&mut |feedback| listener.hear(feedback));
        let Listener { answered, shown, new_source, rate, .. } = listener;
        if let Some(hz) = rate {
            log::info!("the display has {hz:.2} Hz now");
            self.set_refresh(hz);
        }
        if new_source {
            self.tell_refresh();
            self.tell_readers();
        }
        if shown != self.pane.shown {
            self.set_shown(shown, now);
        } else if answered || self.orders.waits().is_some() {
            self.order_next(now);
        } else {
            self.revise(now);
        }
    }

    /// Looks whether the frame that is about to begin has to wait for the one before.
    fn revise(&mut self, now: Timestamp) {
        let Marks { order, demand, .. } = self.snapshots.current().marks;
        // What waits for input has no time of its own.
        let open =
            demand == Demand::EveryFrame && order < self.orders.number() && !self.snapshots.has_fresh();
        self.orders.revise(&mut self.pacer, open, now);
    }
}
