//! How the loop keeps to its plans: the hold before the swap, frames in flight, displays that speak and fall silent, host
//! ticks, the step that is lent, fixed steps, the late latch. On real threads with displays that do not exist; nothing
//! here depends on how fast the machine is.
#![allow(clippy::field_reassign_with_default, reason = "boards are put together piece by piece")]

mod runtime_support;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use glam::Vec2;
use runtime_support::{Gate, View, World, a_while, ear, fixed, guarded, key, key_at, options, pause};
use scanout::pacing::{
    FixedStep, FrameId, Layout, LayoutChoice, Lock, MissBudget, Origin, Pacing, Presentation, Rate, Throttle,
    VblankSample,
};
use scanout::runtime::{
    Backend, Feedback, FrameInfo, InputEvent, InputKind, Pixels, RunOptions, Runtime, Summary, TargetInfo,
    ThreadName,
};
use scanout::sim::FixedDisplay;
use scanout::stats::{FrameRecord, Stage};
use scanout::time::{Clock as _, MonotonicClock, Timestamp};
use scanout::{Demand, Error, Logic, Result, Size, Tick};

type OnDraw<S> = Box<dyn FnMut(&S, &FrameInfo<'_>)>;
type OnPoll = Box<dyn FnMut(&mut VecDeque<FrameId>, &mut dyn FnMut(Feedback))>;

/// A backend whose feedback a test decides on. By default frames are done and displayed when they are swapped.
struct Board<S> {
    target: TargetInfo,
    on_draw: OnDraw<S>,
    on_hold: Box<dyn FnMut()>,
    on_swap: Box<dyn FnMut(FrameId)>,
    on_poll: OnPoll,
    on_resize: Box<dyn FnMut(Size)>,
    on_refresh: Box<dyn FnMut(f64)>,
    /// Swapped, and nothing said of them.
    open: VecDeque<FrameId>,
}

impl<S> Default for Board<S> {
    fn default() -> Self {
        Self {
            target: TargetInfo::default(),
            on_draw: Box::new(|_, _| {}),
            on_hold: Box::new(|| {}),
            on_swap: Box::new(|_| {}),
            on_poll: Box::new(|open, sink| {
                for id in open.drain(..) {
                    let now = MonotonicClock.now();
                    sink(Feedback::GpuDone(id, now));
                    sink(Feedback::Presented(id, Presentation::Estimated(now)));
                }
            }),
            on_resize: Box::new(|_| {}),
            on_refresh: Box::new(|_| {}),
            open: VecDeque::new(),
        }
    }
}

impl<S> Backend<S> for Board<S> {
    fn target(&self) -> &TargetInfo {
        &self.target
    }

    fn set_refresh(&mut self, hz: f64) {
        (self.on_refresh)(hz);
    }

    fn resize(&mut self, size: Size, _: f32) -> Result<()> {
        (self.on_resize)(size);
        Ok(())
    }

    fn draw(&mut self, view: &S, frame: &FrameInfo<'_>) -> Result<()> {
        (self.on_draw)(view, frame);
        Ok(())
    }

    fn hold(&mut self) {
        (self.on_hold)();
    }

    fn swap(&mut self, id: FrameId) -> Result<()> {
        (self.on_swap)(id);
        self.open.push_back(id);
        Ok(())
    }

    fn poll(&mut self, sink: &mut dyn FnMut(Feedback)) {
        (self.on_poll)(&mut self.open, sink);
    }

    fn capture(&mut self, _: &S, frame: &FrameInfo<'_>) -> Result<Pixels> {
        Ok(Pixels { size: frame.size, rgba: Vec::new() })
    }
}

fn begin<L, F>(options: RunOptions, world: L, board: F) -> Runtime
where
    L: Logic + 'static,
    L::Snapshot: 'static,
    F: FnOnce() -> Board<L::Snapshot> + Send + 'static,
{
    Runtime::start(options, world, move || Ok(board()), || {}).expect("threads")
}

fn records(summary: &Summary) -> Vec<FrameRecord> {
    summary.stats.recent().copied().collect()
}

fn here() -> String {
    thread::current().name().unwrap_or_default().to_owned()
}

// --- the hold ---

#[test]
fn a_frame_is_never_swapped_before_its_time() {
    guarded(|| {
        let (told, drawn) = ear();
        let (hold_told, holds) = ear();
        let mut runtime = begin(options(fixed(100.0)), World::new(Demand::EveryFrame), move || {
            let mut board = Board::<View>::default();
            board.on_hold = Box::new(move || hold_told.tell(()));
            // Now and then a frame takes longer, so that the others are begun earlier than they need.
            board.on_draw = Box::new(move |_, frame| {
                pause(Duration::from_millis(if frame.id.0 % 4 == 0 { 4 } else { 0 }));
                told.tell(frame.id.0);
            });
            board
        });
        drawn.wait_for(|id| *id == 80);
        runtime.handle().stop();
        let records = records(&runtime.finish().expect("a clean end"));
        let last = records.last().expect("frames").id;
        let planned = |r: &&FrameRecord| !r.repeated && !r.after_idle && r.id != last;
        let mut held = 0_usize;
        for r in records.iter().filter(planned) {
            let (Some(target), Some(begin)) = (r.swap_at, r.at(Stage::SwapBegin)) else {
                panic!("a grid has a time for each frame: {r:?}")
            };
            assert!(begin >= target, "frame {} was swapped {:?} early", r.id, target.saturating_since(begin));
            held += usize::from(r.at(Stage::Submitted) < Some(target));
        }
        assert!(held > 0, "nothing was held, so nothing was tested");
        let told = holds.all_so_far().len();
        assert!(told >= held, "the GPU is not kept waiting: told of {told} of {held} holds");
    });
}

/// Frames of which all but one take long: that one is held for long before its swap.
fn long_hold(
    board_told: runtime_support::Told<&'static str>,
    quick: u64,
) -> (Runtime, Arc<AtomicU64>, Arc<AtomicU64>) {
    let (draws, swaps) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (drawn, swapped) = (Arc::clone(&draws), Arc::clone(&swaps));
    let runtime = begin(options(fixed(4.0)), World::new(Demand::EveryFrame), move || {
        let mut board = Board::<View>::default();
        let resized = board_told.clone();
        let said = board_told.clone();
        board.on_draw = Box::new(move |_, frame| {
            if frame.id.0 < quick {
                pause(Duration::from_millis(150));
            } else {
                board_told.tell("drawn");
            }
            drawn.fetch_add(1, Ordering::SeqCst);
        });
        board.on_swap = Box::new(move |id| {
            swapped.fetch_add(1, Ordering::SeqCst);
            if id.0 >= quick {
                said.tell("swapped");
            }
        });
        board.on_resize = Box::new(move |size| {
            if size.width == 77 {
                resized.tell("resized");
            }
        });
        board
    });
    (runtime, draws, swaps)
}

#[test]
fn stop_during_the_hold_still_shows_the_frame() {
    guarded(|| {
        let (told, hears) = ear();
        let (runtime, draws, swaps) = long_hold(told, 4);
        assert_eq!(hears.next(), "drawn");
        let summary = runtime.finish().expect("a clean end");
        assert_eq!(draws.load(Ordering::SeqCst), swaps.load(Ordering::SeqCst));
        assert_eq!(summary.frames, swaps.load(Ordering::SeqCst));
        assert_eq!(summary.frames, 4, "it did not wait for another frame");
    });
}

#[test]
fn a_surface_is_not_resized_under_a_held_frame() {
    guarded(|| {
        let (told, hears) = ear();
        let (mut runtime, ..) = long_hold(told, 4);
        assert_eq!(hears.next(), "drawn");
        runtime.handle().resize(Size::new(77, 7), 1.0);
        assert_eq!(hears.next(), "swapped");
        assert_eq!(hears.next(), "resized");
        runtime.finish().expect("a clean end");
    });
}

#[test]
fn another_refresh_rate_reaches_the_backend() {
    guarded(|| {
        let (told, hears) = ear();
        let mut runtime = begin(options(Pacing::Auto), World::new(Demand::OnInput), move || {
            let mut board = Board::default();
            board.on_refresh = Box::new(move |hz| told.tell(hz));
            board
        });
        runtime.handle().set_refresh(f64::NAN);
        runtime.handle().set_refresh(143.98);
        assert_eq!(hears.next(), 143.98);
        let summary = runtime.finish().expect("a clean end");
        assert_eq!((summary.target.refresh_hz, hears.all_so_far().len()), (Some(143.98), 0));
    });
}

// --- a swap that waits ---

#[test]
fn vsync_with_a_waiting_swap_follows_it() {
    guarded(|| {
        let mut options = options(Pacing::Vsync);
        options.refresh_hz = Some(50.0);
        let (told, found) = ear();
        let runtime = begin(options, World::new(Demand::EveryFrame), move || {
            // Swap returns at a refresh, however late the thread came to call it: what one wake-up is late by is not
            // handed on to the next.
            let display = FixedDisplay::new(50.0, MonotonicClock.now());
            let mut board = Board::<View>::default();
            board.on_swap = Box::new(move |_| {
                scanout::display::sleep::until(display.vblank_after(MonotonicClock.now()));
            });
            board.on_draw = Box::new(move |_, frame| told.tell(frame.pacer.throttle()));
            board
        });
        // On a busy machine it takes more than one look.
        found.wait_for(|throttle| *throttle == Throttle::Driver);
        for _ in 0..10 {
            found.next();
        }
        let summary = runtime.finish().expect("a clean end");
        assert_eq!((summary.throttle, summary.pacer.missed_ticks), (Throttle::Driver, 0));
        let stamps = |r: &FrameRecord| (r.at(Stage::SwapEnd), r.at(Stage::InputSampled));
        for pair in records(&summary).windows(2) {
            let ((swapped, _), (_, sampled)) = (stamps(&pair[0]), stamps(&pair[1]));
            // Sampled after the swap before returned: not a whole refresh early. (Beside the swap of a repeated frame
            // the logic thread makes the step that it is late with.)
            assert!(pair[0].repeated || pair[1].repeated || sampled > swapped, "frame {}", pair[1].id);
        }
    });
}

// --- frames in flight, and feedback ---

#[test]
fn late_fences_hold_every_frame_to_the_limit() {
    guarded(|| {
        for layout in [Layout::Serial, Layout::Pipelined] {
            const FRAMES: u64 = 60;
            let mut options = options(Pacing::Immediate);
            options.layout = LayoutChoice::Pinned(layout);
            let (told, drawn) = ear();
            let mut runtime = begin(options, World::new(Demand::EveryFrame), move || {
                let mut board = Board::<View>::default();
                // Swapped and not known to be done: a fence is seen some milliseconds late.
                let in_flight = Rc::new(RefCell::new(VecDeque::<(FrameId, Timestamp)>::new()));
                let (drawing, polled) = (Rc::clone(&in_flight), Rc::clone(&in_flight));
                board.on_draw = Box::new(move |_, frame| {
                    let limit = frame.pacer.frames_in_flight() as usize;
                    let with_this = drawing.borrow().len() + 1;
                    assert!(with_this <= limit, "{with_this} of {limit} in flight");
                    told.tell((frame.id.0, with_this));
                });
                board.on_swap = Box::new(move |id| {
                    in_flight.borrow_mut().push_back((id, MonotonicClock.now() + Duration::from_millis(4)));
                });
                board.on_poll = Box::new(move |open, sink| {
                    let now = MonotonicClock.now();
                    while let Some((id, _)) = polled.borrow_mut().pop_front_if(|(_, done)| *done <= now) {
                        sink(Feedback::GpuDone(id, now));
                    }
                    for id in open.drain(..) {
                        sink(Feedback::Presented(id, Presentation::Estimated(now)));
                    }
                });
                board
            });
            let mut most = 0;
            while let (id, in_flight) = drawn.next()
                && id < FRAMES
            {
                most = most.max(in_flight);
                runtime.handle().redraw(); // frames drawn again count as well
            }
            runtime.finish().expect("no frame above the limit");
            assert_eq!(most, if layout == Layout::Serial { 1 } else { 2 }, "the limit is used");
        }
    });
}

#[test]
fn fences_that_never_come_do_not_stop_the_run() {
    guarded(|| {
        let mut options = options(Pacing::Immediate);
        options.frame_limit = Some(2_000);
        let runtime = begin(options, World::new(Demand::EveryFrame), || {
            let mut board = Board::<View>::default();
            board.on_poll = Box::new(|_, _| {});
            board
        });
        while !runtime.stopping() {
            pause(Duration::from_millis(1));
        }
        // At ten frames per second this would take minutes, and the watchdog would say so.
        let summary = runtime.finish().expect("a clean end");
        assert_eq!(summary.frames, 2_000);
        assert_eq!(summary.stats.counters().unfinished, 2_000);
    });
}

#[test]
fn feedback_may_come_in_any_order_twice_and_for_frames_that_never_were() {
    guarded(|| {
        let mut options = options(Pacing::Auto);
        options.frame_limit = Some(300);
        let runtime = begin(options, World::new(Demand::EveryFrame), || {
            let mut board = Board::<View>::default();
            let mut told = Vec::<FrameId>::new();
            board.on_poll = Box::new(move |open, sink| {
                let now = MonotonicClock.now();
                let at = |origin| Presentation::At(now, origin);
                while let Some(id) = open.pop_back() {
                    if id.0 % 3 == 0 {
                        sink(Feedback::Presented(id, at(Origin::Compositor)));
                        sink(Feedback::GpuDone(id, now));
                    } else {
                        sink(Feedback::GpuDone(id, now.offset(-1_000_000)));
                        sink(Feedback::Presented(id, Presentation::Dropped));
                    }
                    told.push(id);
                }
                for id in [FrameId(0), FrameId(u64::MAX), FrameId(9_999)] {
                    sink(Feedback::Presented(id, at(Origin::Hardware)));
                    sink(Feedback::GpuDone(id, Timestamp::MAX));
                }
                if let Some(id) = told.first() {
                    sink(Feedback::GpuDone(*id, now));
                    sink(Feedback::Presented(*id, at(Origin::Hardware)));
                }
                for (at, sequence) in [(now, Some(7)), (now, Some(3)), (Timestamp::ZERO, None)] {
                    let sample = VblankSample { at, sequence, period: None, origin: Origin::Compositor };
                    sink(Feedback::Vblank(sample));
                }
            });
            board
        });
        while !runtime.stopping() {
            pause(Duration::from_millis(1));
        }
        let counted = runtime.finish().expect("a clean end").stats.counters();
        assert_eq!((counted.frames, counted.measured, counted.dropped), (300, 100, 200));
    });
}

// --- a display that speaks ---

const HZ: f64 = 200.0;

/// A display of 200 Hz in real time: a frame is shown at the next refresh after its swap, which is told after it.
/// While `hidden` it shows nothing, and says so.
fn speaking(
    phase: Timestamp,
    hidden: Arc<AtomicBool>,
    polls: Arc<AtomicU64>,
    mut on_draw: impl FnMut(&FrameInfo<'_>) + 'static,
) -> Board<View> {
    let mut board = Board::<View>::default();
    let display = FixedDisplay::new(HZ, phase);
    let shown = Rc::new(RefCell::new(VecDeque::new()));
    let swapped = Rc::clone(&shown);
    let mut visible = true;
    board.on_draw = Box::new(move |_, frame| on_draw(frame));
    board.on_swap = Box::new(move |id| {
        swapped.borrow_mut().push_back((id, display.vblank_after(MonotonicClock.now())));
    });
    board.on_poll = Box::new(move |_, sink| {
        polls.fetch_add(1, Ordering::SeqCst);
        let now = MonotonicClock.now();
        while let Some((id, at)) = shown.borrow_mut().pop_front_if(|(_, at)| *at <= now) {
            sink(Feedback::GpuDone(id, at));
            sink(Feedback::Presented(id, Presentation::At(at, Origin::Hardware)));
            let sample = VblankSample { at, sequence: None, period: None, origin: Origin::Hardware };
            sink(Feedback::Vblank(sample));
        }
        let now_visible = !hidden.load(Ordering::SeqCst);
        if now_visible != visible {
            visible = now_visible;
            sink(Feedback::Visible(visible));
        }
    });
    board
}

#[test]
fn refreshes_lock_the_pacer_which_aims_at_each_of_them_once() {
    guarded(|| {
        let phase = MonotonicClock.now();
        let (told, drawn) = ear();
        let mut runtime = begin(options(Pacing::Auto), World::new(Demand::EveryFrame), move || {
            speaking(phase, Arc::default(), Arc::default(), move |frame| {
                told.tell((frame.id.0, frame.pacer.state().lock));
            })
        });
        let (locked, _) = drawn.wait_for(|(_, lock)| *lock == Lock::Locked);
        drawn.wait_for(|(id, _)| *id >= locked + 150);
        runtime.handle().stop();
        let summary = runtime.finish().expect("a clean end");
        let measured = summary.pacer.refresh.expect("a rate").as_secs_f64() * HZ;
        assert!((measured - 1.0).abs() < 0.01, "{measured} of the true refresh interval");
        let display = FixedDisplay::new(HZ, phase);
        let mut targets: Vec<Timestamp> = records(&summary)
            .iter()
            .filter(|r| r.id.0 > locked + 2 && !r.repeated && !r.after_idle)
            .map(|r| r.target.expect("a time that it is meant for"))
            .collect();
        assert!(targets.len() > 50, "{}", targets.len());
        for target in &targets {
            // Where the display really refreshes: the model had exact stamps.
            let off = display.vblank_at_or_after(target.offset(-500_000)).signed_since(*target);
            assert!(off.abs() <= 500_000, "aims {off} ns beside a refresh");
        }
        let all = targets.len();
        targets.sort_unstable();
        targets.dedup_by(|a, b| a.saturating_since(*b) < Duration::from_millis(2));
        assert_eq!(targets.len(), all, "two frames aimed at one refresh");
    });
}

#[test]
fn a_silence_that_the_backend_tells_of_reaches_the_pacer_and_is_counted_once_it_ends() {
    guarded(|| {
        let (told, drawn) = ear();
        let silent = Arc::new(AtomicBool::new(false));
        let says = Arc::clone(&silent);
        let mut runtime = begin(options(Pacing::Auto), World::new(Demand::EveryFrame), move || {
            let mut board = speaking(MonotonicClock.now(), Arc::default(), Arc::default(), move |frame| {
                told.tell((frame.id.0, frame.pacer.state().holdover));
            });
            let mut polled = std::mem::replace(&mut board.on_poll, Box::new(|_, _| {}));
            board.on_poll = Box::new(move |now, sink| {
                polled(now, sink);
                sink(Feedback::Holdover(says.load(Ordering::SeqCst)));
            });
            board
        });
        for holds in [false, true, false] {
            silent.store(holds, Ordering::SeqCst);
            drawn.wait_for(|(_, holdover)| *holdover == holds);
        }
        runtime.handle().stop();
        assert_eq!(runtime.finish().expect("a clean end").pacer.holdovers, 1);
    });
}

#[test]
fn a_display_that_shows_nothing_parks_the_loop_until_it_shows_something() {
    guarded(|| {
        let (hidden, polls, steps) =
            (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (told, drawn) = ear();
        let mut world = World::new(Demand::EveryFrame);
        let counted = Arc::clone(&steps);
        world.on_update = Box::new(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let (hide, looked) = (Arc::clone(&hidden), Arc::clone(&polls));
        let mut runtime = begin(options(Pacing::Auto), world, move || {
            speaking(MonotonicClock.now(), hide, looked, move |frame| told.tell(frame.id.0))
        });
        drawn.wait_for(|id| *id >= 20);
        hidden.store(true, Ordering::SeqCst);
        // The frames that were on their way; then nothing.
        while let Some(_late) = drawn.within(a_while()) {}
        let (before, looks) = (steps.load(Ordering::SeqCst), polls.load(Ordering::SeqCst));
        drawn.nothing(Duration::from_millis(300));
        let looks = polls.load(Ordering::SeqCst) - looks;
        assert!(looks <= 3, "a parked loop looks {looks} times in 300 ms");
        runtime.handle().input(key());
        drawn.nothing(a_while());
        assert_eq!(steps.load(Ordering::SeqCst), before, "the world moved on");
        hidden.store(false, Ordering::SeqCst);
        let first = drawn.next();
        drawn.wait_for(|id| *id >= first + 20);
        runtime.finish().expect("a clean end");
    });
}

#[test]
fn stalled_logic_does_not_stop_the_render_thread_in_auto() {
    guarded(|| {
        for speaks in [false, true] {
            let (gate, barrier) = Gate::new();
            let (told, drawn) = ear();
            let mut world = World::new(Demand::EveryFrame);
            world.on_update = Box::new(move |tick| {
                if tick.step == 60 {
                    barrier.pass();
                }
            });
            let runtime = begin(options(Pacing::Auto), world, move || {
                let phase = MonotonicClock.now();
                let mut board = if speaks {
                    speaking(phase, Arc::default(), Arc::default(), |_| {})
                } else {
                    Board::default()
                };
                board.on_draw = Box::new(move |view, _| told.tell(view.step));
                board
            });
            drawn.wait_for(|step| *step == 59);
            for _ in 0..8 {
                assert_eq!(drawn.next(), 59);
            }
            gate.open();
            drawn.wait_for(|step| *step >= 80);
            let counted = runtime.finish().expect("a clean end").stats.counters();
            assert!(counted.stale >= 8, "{counted:?}");
        }
    });
}

// --- the host's ticks ---

#[test]
fn host_mode_makes_one_frame_per_tick_and_none_without() {
    guarded(|| {
        for demand in [Demand::EveryFrame, Demand::OnInput] {
            let (told, drawn) = ear();
            let mut world = World::new(demand);
            world.on_update = Box::new(|tick| {
                if tick.step == 5 {
                    pause(a_while()); // late by many intervals, and still one frame
                }
            });
            let mut runtime = begin(options(Pacing::Host), world, move || {
                let mut board = Board::<View>::default();
                board.on_draw = Box::new(move |view, frame| told.tell((frame.id.0, view.step)));
                board
            });
            drawn.nothing(a_while());
            let mut targets = Vec::new();
            for n in 1..=20 {
                if demand == Demand::OnInput && n > 1 {
                    runtime.handle().input(key());
                }
                let target = MonotonicClock.now() + Duration::from_millis(3);
                targets.push(Some(target));
                runtime.handle().host_tick(Some(target));
                assert_eq!(drawn.next(), (n, n), "{demand:?}");
                if n % 7 == 0 {
                    drawn.nothing(a_while()); // many intervals of this display
                }
            }
            // Another mode goes by itself; and back.
            if demand == Demand::EveryFrame {
                runtime.handle().set_pacing(fixed(500.0));
                drawn.wait_for(|(id, _)| *id >= 40);
                runtime.handle().set_pacing(Pacing::Host);
                while drawn.within(a_while()).is_some() {}
                runtime.handle().host_tick(None);
                drawn.next();
                drawn.nothing(a_while());
            }
            let summary = runtime.finish().expect("a clean end");
            let aimed: Vec<_> = records(&summary).iter().take(20).map(|r| r.target).collect();
            if demand == Demand::EveryFrame {
                assert_eq!(aimed, targets);
            }
            assert!(records(&summary).iter().take(20).all(|r| !r.stale));
        }
    });
}

// --- the step that is lent ---

/// Room for any step to count as short, and a step that sleeps as long.
fn slow_display(pacing: Pacing) -> RunOptions {
    let mut options = options(pacing);
    options.refresh_hz = Some(5.0);
    options
}

#[test]
fn a_world_at_rest_is_lent_after_short_steps_and_returned_after_a_long_one() {
    guarded(|| {
        let (step_told, steps) = ear();
        let (told, drawn) = ear();
        let long = Arc::new(AtomicBool::new(false));
        let slow = Arc::clone(&long);
        let mut world = World::new(Demand::OnInput);
        world.on_update = Box::new(move |_| {
            step_told.tell(here());
            if slow.swap(false, Ordering::SeqCst) {
                pause(Duration::from_millis(120));
            }
        });
        let mut runtime = begin(slow_display(Pacing::Immediate), world, move || {
            let mut board = Board::<View>::default();
            board.on_draw = Box::new(move |_, _| told.tell(here()));
            board
        });
        let (mut logic, mut render) = (steps.next(), drawn.next());
        assert_ne!(logic, render);
        let mut press = |runtime: &mut Runtime| {
            runtime.handle().input(key());
            (logic, render) = (steps.next(), drawn.next());
            logic == render
        };
        assert!((0..2_000).any(|_| press(&mut runtime)), "never lent");
        for _ in 0..20 {
            assert!(press(&mut runtime), "lent, and not from frame to frame");
        }
        long.store(true, Ordering::SeqCst);
        assert!(press(&mut runtime), "the long one itself");
        assert!((0..50).any(|_| !press(&mut runtime)), "never returned");
        runtime.finish().expect("a clean end");
    });
}

#[test]
fn a_panic_in_a_lent_step_is_the_logic_threads() {
    guarded(|| {
        let (told, drawn) = ear();
        let render = Arc::new(std::sync::OnceLock::<String>::new());
        let known = Arc::clone(&render);
        let (drop_told, drops) = ear();
        let mut world = World::new(Demand::OnInput);
        world.on_update = Box::new(move |_| {
            assert!(known.get() != Some(&here()), "of purpose");
        });
        world.on_drop = Box::new(move || drop_told.tell(()));
        let mut runtime = begin(slow_display(Pacing::Immediate), world, move || {
            let mut board = Board::<View>::default();
            board.on_draw = Box::new(move |_, _| {
                let _ = render.set(here());
                told.tell(());
            });
            board
        });
        drawn.next();
        while !runtime.stopping() {
            runtime.handle().input(key());
            pause(Duration::from_millis(1));
        }
        match runtime.finish() {
            Err(Error::ThreadPanicked { thread: ThreadName::Logic, message }) => {
                assert!(message.contains("of purpose"), "{message}");
            }
            other => panic!("{other:?}"),
        }
        drops.next();
        drops.nothing(Duration::ZERO);
    });
}

#[test]
fn a_world_ends_on_its_own_thread_wherever_its_step_is() {
    guarded(|| {
        for n in 0..300_u64 {
            let mut options = options(fixed(2_000.0));
            options.layout = LayoutChoice::Pinned(Layout::Serial);
            options.warmup = 0;
            options.frame_limit = (n % 3 == 0).then_some(1 + n / 3 % 5);
            let (first_told, first) = ear();
            let (drop_told, drops) = ear();
            let mut world = World::new(Demand::EveryFrame);
            let mut told = Some(first_told);
            world.on_update = Box::new(move |_| {
                if let Some(told) = told.take() {
                    told.tell(here());
                }
            });
            world.on_drop = Box::new(move || drop_told.tell(here()));
            let failing = n % 3 == 1;
            let runtime = begin(options, world, move || {
                let mut board = Board::<View>::default();
                board.on_draw = Box::new(move |_, frame| {
                    assert!(!failing || frame.id.0 < 1 + n / 3 % 5, "of purpose");
                });
                board
            });
            if n % 3 == 2 {
                // Some time during the first frames.
                pause(Duration::from_micros(n * 7 % 900));
            } else {
                while !runtime.stopping() {
                    thread::yield_now();
                }
            }
            let outcome = runtime.finish();
            assert_eq!(outcome.is_err(), failing, "{outcome:?}");
            let logic = drops.next();
            drops.nothing(Duration::ZERO);
            if let [made] = &first.all_so_far()[..] {
                assert_eq!(&logic, made, "run {n}");
            }
        }
    });
}

#[test]
fn no_input_is_lost_or_reordered_while_the_step_changes_hands() {
    guarded(|| {
        const EVENTS: u64 = 6_000;
        let (told, hears) = ear();
        let mut world = World::new(Demand::OnInput);
        let (mut on_render, mut on_logic) = (0_u64, 0_u64);
        world.on_input = Box::new(move |event| {
            *(if here().contains("render") { &mut on_render } else { &mut on_logic }) += 1;
            told.tell((event.received.as_nanos(), on_render, on_logic));
        });
        let mut runtime = begin(options(Pacing::Immediate), world, Board::<View>::default);
        let mut last = (0, 0, 0);
        for n in 1..=EVENTS {
            runtime.handle().input(key_at(Timestamp::from_nanos(n)));
            if n % 5 == 0 {
                let layout = if n % 10 == 0 { Layout::Serial } else { Layout::Pipelined };
                runtime.handle().set_layout(LayoutChoice::Pinned(layout));
            }
            if n % 3 == 0 {
                // Catch up, so that threads park and have to be woken.
                while last.0 < n {
                    let next = hears.next();
                    assert_eq!(next.0, last.0 + 1);
                    last = next;
                }
            }
        }
        while last.0 < EVENTS {
            let next = hears.next();
            assert_eq!(next.0, last.0 + 1);
            last = next;
        }
        assert!(last.1 > 100 && last.2 > 100, "the step changed hands: {last:?}");
        runtime.finish().expect("a clean end");
    });
}

// --- fixed steps ---

/// Steps of 10 ms, each recorded with the blend after it.
struct Stepper {
    told: runtime_support::Told<(u64, f64)>,
    steps: u64,
    before: u64,
    elapsed: Duration,
}

const STEP: Duration = Duration::from_millis(10);

impl Logic for Stepper {
    type Snapshot = (u64, f64);

    fn update(&mut self, tick: &Tick) {
        self.steps += 1;
        assert_eq!((tick.step, tick.dt), (self.steps, STEP));
        self.elapsed += tick.dt;
        assert_eq!(tick.elapsed, self.elapsed);
    }

    fn fixed_step(&self) -> Option<Duration> {
        Some(STEP)
    }

    fn blend(&mut self, alpha: f64) {
        assert!((0.0..1.0).contains(&alpha), "{alpha}");
        self.told.tell((self.steps - self.before, alpha));
        self.before = self.steps;
    }

    fn extract(&self, out: &mut (u64, f64)) {
        out.0 = self.steps;
    }
}

#[test]
fn fixed_steps_add_up_to_the_time_shown_and_catch_up_within_bounds() {
    guarded(|| {
        for hz in [60.0, 240.0] {
            let (told, blends) = ear();
            let (draw_told, drawn) = ear();
            let world = Stepper { told, steps: 0, before: 0, elapsed: Duration::ZERO };
            let runtime = begin(options(fixed(hz)), world, move || {
                let mut board = Board::<(u64, f64)>::default();
                board.on_draw = Box::new(move |view, frame| {
                    if frame.id.0 == 20 {
                        pause(Duration::from_millis(400)); // more than a frame may catch up with
                    }
                    draw_told.tell((view.0, frame.animation_time));
                });
                board
            });
            let mut steps = 0;
            let mut shown = Vec::new();
            for _ in 0..60 {
                let (count, alpha) = blends.next();
                assert!(count <= u64::from(FixedStep::MOST), "{count} steps in one frame");
                steps += count;
                shown.push((steps, (steps as f64 + alpha) * STEP.as_secs_f64()));
            }
            let summary = runtime.finish().expect("a clean end");
            // Of 400 ms animation steps by 100 at most, of which a frame takes 8 steps.
            let dropped = summary.steps_dropped;
            assert!(dropped >= STEP && dropped.as_nanos() % STEP.as_nanos() == 0, "{dropped:?}");
            let mut compared = 0;
            for (steps, time) in drawn.all_so_far() {
                // The steps and the share of the next one are the animation clock, to the nanosecond or two.
                let fits = |(of, t): &&(u64, f64)| *of == steps && (t - time.as_secs_f64()).abs() < 1e-7;
                compared += u32::from(shown.iter().any(|s| fits(&s)));
            }
            assert!(compared >= 30, "{compared} of 60 frames fit at {hz} Hz: {shown:?}");
        }
    });
}

// --- the late latch ---

/// Shows where the pointer was when its input was sampled.
struct Pointer(Vec2);

impl Logic for Pointer {
    type Snapshot = Vec2;

    fn input(&mut self, event: &InputEvent) {
        if let InputKind::PointerMoved { position } = event.kind {
            self.0 = position;
        }
    }

    fn update(&mut self, _: &Tick) {}

    fn extract(&self, out: &mut Vec2) {
        *out = self.0;
    }

    fn demand(&self) -> Demand {
        Demand::OnInput
    }
}

#[test]
fn a_late_latch_reads_what_came_after_the_snapshot() {
    guarded(|| {
        let (told, drawn) = ear();
        let (gate, barrier) = Gate::new();
        let mut runtime = begin(options(fixed(500.0)), Pointer(Vec2::ZERO), move || {
            let mut board = Board::<Vec2>::default();
            board.on_draw = Box::new(move |view, frame| {
                if *view == Vec2::splat(1.0) {
                    told.tell((frame.id.0, *view, None));
                    barrier.pass();
                    let latest = frame.latch.read(MonotonicClock.now());
                    told.tell((frame.id.0, *view, latest.pointer));
                }
            });
            board
        });
        let moved = |to: f32| {
            InputEvent::new(MonotonicClock.now(), InputKind::PointerMoved { position: Vec2::splat(to) })
        };
        runtime.handle().input(moved(1.0));
        let (id, ..) = drawn.next();
        runtime.handle().input(moved(2.0));
        runtime.handle().input(key());
        runtime.handle().input(moved(3.0));
        gate.open();
        assert_eq!(drawn.next(), (id, Vec2::splat(1.0), Some(Vec2::splat(3.0))));
        pause(a_while());
        let records = records(&runtime.finish().expect("a clean end"));
        let latched = records.iter().find(|r| r.id.0 == id).expect("the frame");
        assert!(latched.latched > latched.at(Stage::InputSampled), "{latched:?}");
        assert!(latched.latched < latched.at(Stage::Submitted), "{latched:?}");
        assert!(records.iter().filter(|r| r.id.0 != id).all(|r| r.latched.is_none()));
    });
}

// --- wishes while running ---

#[test]
fn cap_miss_budget_and_layout_change_while_running() {
    guarded(|| {
        let (told, drawn) = ear();
        let mut runtime = begin(options(Pacing::Immediate), World::new(Demand::EveryFrame), move || {
            let mut board = Board::<View>::default();
            board.on_draw = Box::new(move |_, frame| {
                let state = frame.pacer.state();
                told.tell((frame.id.0, MonotonicClock.now(), state.miss_budget, state.layout));
            });
            board
        });
        drawn.wait_for(|(id, ..)| *id > 50);
        runtime.handle().set_miss_budget(MissBudget::new(0.03));
        // Something is declared only where frames aim at a time.
        runtime.handle().set_pacing(fixed(1_000.0));
        drawn.wait_for(|(_, _, budget, _)| *budget == Some(0.03));
        runtime.handle().set_miss_budget(None);
        drawn.wait_for(|(_, _, budget, _)| *budget == Some(MissBudget::default().share()));
        runtime.handle().set_pacing(Pacing::Immediate);
        drawn.wait_for(|(_, _, budget, _)| budget.is_none());
        for layout in [Layout::Pipelined, Layout::Serial] {
            runtime.handle().set_layout(LayoutChoice::Pinned(layout));
            drawn.wait_for(|(.., l)| *l == layout);
        }
        runtime.handle().set_cap(Rate::new(200.0));
        pause(a_while());
        drawn.all_so_far();
        let times: Vec<(u64, Timestamp)> =
            (0..90).map(|_| drawn.next()).map(|(id, at, ..)| (id, at)).collect();
        // Where the first of thirty was not late itself, they take as long as the cap says.
        let longest = times.windows(30).map(|w| w[29].1.saturating_since(w[0].1)).max();
        assert!(longest >= Some(Duration::from_millis(5) * 28), "30 frames in {longest:?} at most");
        let last = times.last().map_or(0, |(id, _)| *id);
        runtime.handle().set_cap(None);
        drawn.wait_for(|(id, ..)| *id >= last + 200);
        runtime.finish().expect("a clean end");
    });
}
