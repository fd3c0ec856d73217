//! A world and a backend that do what a test tells them, and a watchdog.
#![allow(dead_code, reason = "each test program uses its part")]
#![allow(clippy::disallowed_methods, reason = "the watchdog is a thread, and watches with its own clock")]

use std::fmt::Debug;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use scanout::pacing::{FrameId, Origin, Pacing, Presentation, Throttle};
use scanout::runtime::{
    Backend, Feedback, FrameInfo, InputEvent, InputKind, KeyCode, Pixels, RunOptions, Runtime, TargetInfo,
};
use scanout::time::{Clock as _, MonotonicClock, Timestamp};
use scanout::{Demand, Logic, Result, Size, Tick};

/// What must happen happens within this time, however busy the machine; what takes longer hangs.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Runs a test's body on a thread of its own and fails when it does not come back.
pub fn guarded(body: impl FnOnce() + Send + 'static) {
    let (done, wait) = channel();
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let thread = thread::Builder::new()
        .name(format!("{name} (body)"))
        .spawn(move || {
            body();
            let _ = done.send(());
        })
        .expect("a thread");
    match wait.recv_timeout(2 * LIMIT) {
        Err(RecvTimeoutError::Timeout) => panic!("{name} hangs"),
        Ok(()) | Err(RecvTimeoutError::Disconnected) => {
            if let Err(payload) = thread.join() {
                resume_unwind(payload);
            }
        }
    }
}

/// Something that a thread of the run waits for and the test opens, or the other way round.
pub struct Gate {
    open: Sender<()>,
}

/// Where the thread waits. It also passes when the gate is gone, so that a failing test ends.
pub struct Barrier(Receiver<()>);

impl Gate {
    pub fn new() -> (Self, Barrier) {
        let (open, wait) = channel();
        (Self { open }, Barrier(wait))
    }

    pub fn open(&self) {
        let _ = self.open.send(());
    }
}

impl Barrier {
    pub fn pass(&self) {
        let _ = self.0.recv();
    }
}

/// Tells the test what happened on the threads, in order.
#[derive(Clone)]
pub struct Told<T>(Sender<T>);

pub struct Hears<T>(Receiver<T>);

pub fn ear<T>() -> (Told<T>, Hears<T>) {
    let (tx, rx) = channel();
    (Told(tx), Hears(rx))
}

impl<T> Told<T> {
    pub fn tell(&self, what: T) {
        let _ = self.0.send(what);
    }
}

impl<T: Debug> Hears<T> {
    #[track_caller]
    pub fn next(&self) -> T {
        self.0.recv_timeout(LIMIT).expect("it happens in time")
    }

    /// The next one that fits; what comes before is skipped.
    #[track_caller]
    pub fn wait_for(&self, fits: impl Fn(&T) -> bool) -> T {
        loop {
            let next = self.next();
            if fits(&next) {
                return next;
            }
        }
    }

    /// The next one, when it comes within `span`.
    pub fn within(&self, span: Duration) -> Option<T> {
        self.0.recv_timeout(span).ok()
    }

    pub fn all_so_far(&self) -> Vec<T> {
        self.0.try_iter().collect()
    }

    /// Nothing happens for a while. A short while: this can only miss a fault and never see one that is not there.
    #[track_caller]
    pub fn nothing(&self, span: Duration) {
        if let Ok(what) = self.0.recv_timeout(span) {
            panic!("{what:?} happened");
        }
    }
}

/// The snapshot: the step that made it, in several places, so that a torn one would be seen.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub step: u64,
    pub inputs: u64,
    copies: Vec<u64>,
}

type OnInput = Box<dyn FnMut(&InputEvent) + Send>;
type OnStep = Box<dyn FnMut(&Tick) + Send>;
type OnPublish = Box<dyn Fn(u64) + Send>;
type OnDemand = Box<dyn Fn() -> Demand + Send>;

/// A world that counts its steps.
pub struct World {
    pub on_input: OnInput,
    pub on_update: OnStep,
    pub on_extract: OnPublish,
    pub on_demand: OnDemand,
    pub on_drop: Box<dyn FnMut() + Send>,
    step: u64,
    inputs: u64,
}

impl World {
    pub fn new(demand: Demand) -> Self {
        Self {
            on_input: Box::new(|_| {}),
            on_update: Box::new(|_| {}),
            on_extract: Box::new(|_| {}),
            on_demand: Box::new(move || demand),
            on_drop: Box::new(|| {}),
            step: 0,
            inputs: 0,
        }
    }
}

impl Logic for World {
    type Snapshot = View;

    fn input(&mut self, event: &InputEvent) {
        self.inputs += 1;
        (self.on_input)(event);
    }

    fn update(&mut self, tick: &Tick) {
        self.step += 1;
        assert_eq!(tick.step, self.step, "steps are numbered without gaps");
        (self.on_update)(tick);
    }

    fn extract(&self, out: &mut View) {
        out.step = self.step;
        out.inputs = self.inputs;
        out.copies.clear();
        out.copies.resize(64, self.step);
        (self.on_extract)(self.step);
    }

    fn demand(&self) -> Demand {
        (self.on_demand)()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        (self.on_drop)();
    }
}

/// One drawn frame.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Drawn {
    pub id: u64,
    pub step: u64,
    pub inputs: u64,
    pub size: Size,
}

/// A display that does not exist. Frames are displayed as soon as they are swapped.
pub struct Screen {
    pub target: TargetInfo,
    pub on_draw: Box<dyn FnMut(Drawn) -> Result<()>>,
    pub on_swap: Box<dyn FnMut(u64) -> Result<()>>,
    pub on_resize: Box<dyn FnMut(Size) -> Result<()>>,
    pub on_poll: Box<dyn FnMut()>,
    pub on_capture: Box<dyn FnMut() -> Result<()>>,
    pub on_pacing: Box<dyn FnMut(Pacing) -> Throttle>,
    pub on_overlay: Box<dyn FnMut()>,
    pub on_drop: Box<dyn FnMut()>,
    /// What the display says of itself, and who hears that it was passed on.
    pub says: Option<(Hears<Feedback>, Told<()>)>,
    swapped: Vec<FrameId>,
    last_step: u64,
    last_id: u64,
    size: Option<Size>,
}

impl Default for Screen {
    fn default() -> Self {
        let mut target = TargetInfo::default();
        target.origin = Origin::Simulated;
        Self {
            target,
            on_draw: Box::new(|_| Ok(())),
            on_swap: Box::new(|_| Ok(())),
            on_resize: Box::new(|_| Ok(())),
            on_poll: Box::new(|| {}),
            on_capture: Box::new(|| Ok(())),
            on_pacing: Box::new(|_| Throttle::Untested),
            on_overlay: Box::new(|| {}),
            on_drop: Box::new(|| {}),
            says: None,
            swapped: Vec::new(),
            last_step: 0,
            last_id: 0,
            size: None,
        }
    }
}

impl Screen {
    pub fn telling(told: &Told<Drawn>) -> Self {
        let told = told.clone();
        let mut screen = Self::default();
        screen.on_draw = Box::new(move |drawn| {
            told.tell(drawn);
            Ok(())
        });
        screen
    }
}

impl Backend<View> for Screen {
    fn target(&self) -> &TargetInfo {
        &self.target
    }

    fn set_pacing(&mut self, mode: Pacing) -> Throttle {
        (self.on_pacing)(mode)
    }

    fn resize(&mut self, size: Size, _scale: f32) -> Result<()> {
        assert!(!size.is_empty(), "a backend never hears of an empty size");
        self.size = Some(size);
        (self.on_resize)(size)
    }

    fn draw(&mut self, view: &View, frame: &FrameInfo<'_>) -> Result<()> {
        // What holds for every frame of every test.
        assert_eq!(frame.id.0, self.last_id + 1, "frames are numbered without gaps");
        assert!(view.step > 0, "nothing is drawn before the first snapshot");
        assert!(view.step >= self.last_step, "step {} after step {}", view.step, self.last_step);
        assert!(view.copies.len() == 64 && view.copies.iter().all(|&c| c == view.step), "a torn snapshot");
        assert_eq!(self.size, Some(frame.size), "the backend knows the size it draws with");
        (self.last_id, self.last_step) = (frame.id.0, view.step);
        (self.on_draw)(Drawn { id: frame.id.0, step: view.step, inputs: view.inputs, size: frame.size })
    }

    fn swap(&mut self, id: FrameId) -> Result<()> {
        assert_eq!(id.0, self.last_id);
        (self.on_swap)(id.0)?;
        self.swapped.push(id);
        Ok(())
    }

    fn poll(&mut self, sink: &mut dyn FnMut(Feedback)) {
        (self.on_poll)();
        if let Some((says, passed_on)) = &self.says {
            for feedback in says.all_so_far() {
                sink(feedback);
                passed_on.tell(());
            }
        }
        for id in self.swapped.drain(..) {
            let now = MonotonicClock.now();
            sink(Feedback::GpuDone(id, now));
            sink(Feedback::Presented(id, Presentation::At(now, Origin::Simulated)));
        }
    }

    fn capture(&mut self, _view: &View, frame: &FrameInfo<'_>) -> Result<Pixels> {
        (self.on_capture)()?;
        let size = frame.size;
        Ok(Pixels { size, rgba: vec![0; size.width as usize * size.height as usize * 4] })
    }

    fn toggle_overlay(&mut self) {
        (self.on_overlay)();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        (self.on_drop)();
    }
}

/// Options for tests: threads have all the time in the world to end.
pub fn options(pacing: Pacing) -> RunOptions {
    RunOptions {
        pacing,
        size: Size::new(40, 30),
        refresh_hz: Some(200.0),
        shutdown_timeout: LIMIT,
        ..RunOptions::default()
    }
}

pub fn fixed(hz: f64) -> Pacing {
    Pacing::fixed(hz).expect("a rate")
}

/// Starts a run whose screen is made by `screen`, and tells when it ends by itself.
pub fn start(
    options: RunOptions,
    world: World,
    screen: impl FnOnce() -> Screen + Send + 'static,
) -> (Runtime, Hears<()>) {
    let (ended, end) = ear();
    // The sender of std's channel may be shared; `on_end` is called from either thread.
    let ended = std::sync::Mutex::new(ended);
    let runtime = Runtime::start(
        options,
        world,
        move || Ok(screen()),
        move || {
            ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner).tell(());
        },
    );
    (runtime.expect("threads"), end)
}

pub fn key_at(received: Timestamp) -> InputEvent {
    InputEvent::new(received, InputKind::Key { code: KeyCode::Space, pressed: true, repeat: false })
}

pub fn key() -> InputEvent {
    key_at(MonotonicClock.now())
}

pub fn a_while() -> Duration {
    Duration::from_millis(60)
}

pub fn pause(span: Duration) {
    thread::sleep(span);
}
