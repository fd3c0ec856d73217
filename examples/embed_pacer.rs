//! A winit loop of the user's own, on one thread, with three things of scanout's in it: a [`FramePacer`] says when a frame
//! begins, a [`Chain`] of sources says when frames were displayed, a [`Recorder`] keeps the figures and checks the loop.
//! The window, the loop and all OpenGL are the program's own. `cargo run --release --example embed_pacer -- 10`: for 10 s.
#![allow(unsafe_code, clippy::print_stdout, reason = "raw window handles; an example says what it did")]

use std::time::Duration;

use raw_window_handle::{HasDisplayHandle as _, HasWindowHandle as _};
use scanout::display::{Chain, sleep::Sleeper};
use scanout::pacing::{Feedback, FrameId, FramePacer, Pacing, Plan, PlanId, Work};
use scanout::stats::{Declared, FrameRecord, Recorder, Stage};
use scanout::time::{Clock as _, MonotonicClock, Timestamp};
use winit::{application::ApplicationHandler, event::WindowEvent, event_loop::*, window::WindowId};

#[path = "support/gl_window.rs"]
mod gl_window;
use gl_window::GlWindow;

/// The last stretch before a frame is slept here and not in the event loop, which wakes by the millisecond.
const LAST_STRETCH: Duration = Duration::from_millis(2);

struct Paced {
    chain: Chain, // before the window that its sources listen on: fields are dropped in this order
    window: GlWindow,
    pacer: FramePacer,
    recorder: Recorder,
    sleeper: Sleeper,
    plan: Option<Plan>, // of the next frame
    id: FrameId,
    fence: Option<glow::Fence>,
    plans: [PlanId; 256], // which plans became the last frames: not every plan does
}

impl Paced {
    fn new(window: GlWindow) -> Self {
        let monitor = window.window.current_monitor();
        let hz = monitor.and_then(|m| m.refresh_rate_millihertz()).map(|mhz| f64::from(mhz) / 1e3);
        let display = window.window.display_handle().expect("a live window").as_raw();
        let handle = window.window.window_handle().expect("a live window").as_raw();
        // SAFETY: both belong to the window that is kept beside the chain and dropped after it.
        let mut chain = unsafe { Chain::of_window(display, handle, hz, Box::new(|| {})) };
        chain.start(); // from here on it uses the best source there is
        let pacer = FramePacer::new(Pacing::Auto, hz.unwrap_or(60.0));
        let recorder = Recorder::new(60, pacer.interval()); // without the first 60 frames
        let (id, plans, sleeper) = (FrameId(0), [PlanId(0); 256], Sleeper::new());
        Self { chain, window, pacer, recorder, sleeper, plan: None, id, fence: None, plans }
    }

    /// Does what there is to do, and returns when to look again.
    fn look(&mut self) -> Timestamp {
        let now = MonotonicClock.now();
        let due = now + LAST_STRETCH;
        self.hear();
        match self.plan.take_if(|plan| plan.wake_at <= due) {
            // What the display does not say by now is late: the next frame would wait behind it.
            Some(mut plan) if plan.revise_from.is_some_and(|from| from <= now) => {
                plan.revise_from = None;
                self.plan = self.pacer.revise(now).or(Some(plan));
            }
            Some(plan) if !plan.parked => self.frame(&plan), // parked: hidden, so nothing is drawn
            _ => {}
        }
        self.hear();
        let now = MonotonicClock.now();
        // The next frame is planned at once; a display that says when it is ready for it is waited for.
        if self.plan.is_none() && !(self.pacer.is_one_by_one() && self.recorder.has_pending()) {
            self.plan = Some(self.pacer.plan(now));
        }
        let soon = if self.fence.is_some() { Duration::from_micros(500) } else { self.chain.poll_every() };
        let poll = self.recorder.has_pending().then(|| now + soon);
        let begin = self.plan.map(|plan| plan.wake_at.saturating_sub(LAST_STRETCH));
        poll.into_iter().chain(begin).min().unwrap_or(now + Duration::from_secs(1))
    }

    fn frame(&mut self, plan: &Plan) {
        self.sleeper.until(plan.wake_at); // to the microsecond: it sleeps, and spins at the end
        let began = MonotonicClock.now();
        // .. read input, move the world on by `plan.dt`, draw it as of `plan.target_presentation` ..
        let v = 0.5 + 0.5 * (began.as_nanos() as f64 / 1e9).sin() as f32;
        self.gpu_done(true); // at most one frame with the GPU
        self.id = self.id.next();
        self.plans[self.id.0 as usize % 256] = plan.id;
        self.fence = self.window.draw_fenced(v); // handed to the GPU, which works while the frame is held
        let drawn = MonotonicClock.now();
        self.sleeper.until(plan.swap_at.unwrap_or(drawn)); // sooner it would be displayed a refresh early
        let swapping = MonotonicClock.now();
        self.chain.before_swap(self.id, swapping); // asks for the display time of what is swapped now
        self.window.swap();
        let swapped = MonotonicClock.now();
        self.chain.after_swap(self.id, swapping, swapped);
        let (drawing, held) = (drawn.saturating_since(began), swapping.saturating_since(drawn));
        let work = Work { drawing, held, ..Work::default() };
        self.pacer.submitted(plan.id, swapped, work); // what the frame took
        let mut record = FrameRecord::for_plan(plan);
        record.id = self.id;
        let stamps =
            [(Stage::InputSampled, began), (Stage::SnapshotAcquired, began), (Stage::Submitted, drawn)];
        let swap = [(Stage::SwapBegin, swapping), (Stage::SwapEnd, swapped)];
        stamps.into_iter().chain(swap).for_each(|(stage, at)| record.mark(stage, at));
        self.recorder.submitted(record); // the stamps, for figures and self-check
        self.recorder.declare(Declared::of(&self.pacer)); // what the self-check holds them against
    }

    /// Passes on, without waiting, what has become known of earlier frames and of the display.
    fn hear(&mut self) {
        self.gpu_done(false);
        let Self { chain, pacer, recorder, plans, .. } = self;
        chain.poll(MonotonicClock.now(), &mut |feedback| match feedback {
            Feedback::Presented(id, told) => {
                let told = recorder.presented(id, told); // refused where it contradicts other frames
                pacer.presented(plans[id.0 as usize % 256], told);
            }
            Feedback::Vblank(sample) if !pacer.is_one_by_one() => _ = pacer.vblank(sample),
            Feedback::OneByOne(one) => pacer.set_one_by_one(one),
            Feedback::Source(_, origin) => pacer.set_source(origin),
            Feedback::Holdover(silent) => pacer.set_holdover(silent),
            Feedback::Visible(shown) => pacer.set_visible(shown),
            Feedback::Rate(hz) => pacer.set_refresh(hz),
            _ => {}
        });
    }

    /// Looks whether the GPU is done with the newest frame, or waits for that.
    fn gpu_done(&mut self, wait: bool) {
        if !self.window.done(&mut self.fence, wait) {
            return;
        }
        let (now, plan) = (MonotonicClock.now(), self.plans[self.id.0 as usize % 256]);
        self.pacer.gpu_done(plan, now);
        self.recorder.gpu_done(self.id, now);
        // Where no source says when frames are displayed, this is the best there is: an estimate, labelled so.
        if let Some(told) = self.chain.gpu_done(self.id, now) {
            self.pacer.presented(plan, self.recorder.presented(self.id, told));
        }
    }
}

/// winit's part: the window, and when to look.
struct App(Option<Paced>, Timestamp);

impl ApplicationHandler for App {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        self.0.get_or_insert_with(|| Paced::new(GlWindow::open(event_loop, "embed_pacer", false)));
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        match (event, &self.0) {
            (WindowEvent::CloseRequested, _) => event_loop.exit(),
            (WindowEvent::Resized(size), Some(paced)) => paced.window.resize(size),
            _ => {}
        }
    }

    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        let Some(paced) = self.0.as_mut().filter(|_| MonotonicClock.now() < self.1) else {
            return event_loop.exit();
        };
        let wait = paced.look().saturating_since(MonotonicClock.now());
        event_loop.set_control_flow(ControlFlow::wait_duration(wait));
    }
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(u64::from(u32::MAX));
    let mut app = App(None, MonotonicClock.now() + Duration::from_secs(seconds));
    EventLoop::new().expect("a display server").run_app(&mut app).expect("the event loop");
    let Some(Paced { chain, pacer, mut recorder, .. }) = app.0 else { return };
    recorder.finish();
    let (state, (source, origin)) = (pacer.state(), chain.source());
    println!("{} frames; display times: {source} ({origin})", recorder.counters().frames);
    println!("missed {} of {}, {:?} declared", state.missed, state.judged, state.miss_budget);
    recorder.self_check().report().iter().for_each(|report| println!("self-check: {report}"));
}
