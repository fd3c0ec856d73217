//! How a run ends: on request in every state, by its limits, by panics and errors in every place where the user's code
//! runs, and when a thread does not come back.
#![allow(clippy::disallowed_methods, reason = "tests wait in real time")]

mod runtime_support;

use std::any::Any;
use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use runtime_support::{Gate, LIMIT, Screen, World, a_while, ear, fixed, guarded, key, options, pause, start};
use scanout::pacing::{Layout, LayoutChoice, Pacing};
use scanout::runtime::{Runtime, ThreadName};
use scanout::{Demand, Error, Size, Summary};

// --- on request ---

#[test]
fn stop_at_once_ends_cleanly() {
    guarded(|| {
        for _ in 0..50 {
            let (runtime, _end) =
                start(options(Pacing::Immediate), World::new(Demand::EveryFrame), Screen::default);
            runtime.finish().expect("a clean end");
        }
    });
}

#[test]
fn stop_in_the_first_logic_step_ends_without_a_frame() {
    guarded(|| {
        let (gate, barrier) = Gate::new();
        let (told, hears) = ear();
        let mut world = World::new(Demand::EveryFrame);
        world.on_update = Box::new(move |tick| {
            told.tell(tick.step);
            barrier.pass();
        });
        let (mut runtime, _end) = start(options(Pacing::Immediate), world, Screen::default);
        assert_eq!(hears.next(), 1);
        runtime.handle().stop();
        assert!(runtime.handle().stopping());
        gate.open();
        // The step that was being made is published; whether it is drawn is a matter of who is faster.
        let summary = runtime.finish().expect("a clean end");
        assert!(summary.frames <= 1);
        assert_eq!(hears.all_so_far(), [] as [u64; 0], "no step after the request");
    });
}

#[test]
fn stop_while_the_backend_is_being_made_ends_without_a_frame() {
    guarded(|| {
        let (gate, barrier) = Gate::new();
        let (told, hears) = ear();
        let (mut runtime, _end) =
            start(options(Pacing::Immediate), World::new(Demand::EveryFrame), move || {
                told.tell(());
                barrier.pass();
                Screen::default()
            });
        hears.next();
        runtime.handle().stop();
        gate.open();
        assert_eq!(runtime.finish().expect("a clean end").frames, 0);
    });
}

#[test]
fn stop_while_parked_ends_cleanly() {
    guarded(|| {
        let (told, hears) = ear();
        let (runtime, end) =
            start(options(Pacing::Immediate), World::new(Demand::OnInput), move || Screen::telling(&told));
        assert_eq!(hears.next().step, 1);
        hears.nothing(a_while()); // both threads have nothing to do and park
        end.nothing(Duration::ZERO);
        assert_eq!(runtime.finish().expect("a clean end").frames, 1);
    });
}

#[test]
fn stop_in_a_slow_logic_step_waits_for_it_and_makes_no_other() {
    guarded(|| {
        let (gate, barrier) = Gate::new();
        let (told, hears) = ear();
        let mut world = World::new(Demand::EveryFrame);
        world.on_update = Box::new(move |tick| {
            told.tell(tick.step);
            if tick.step == 5 {
                barrier.pass();
            }
        });
        let (mut runtime, _end) = start(options(fixed(500.0)), world, Screen::default);
        hears.wait_for(|&step| step == 5);
        runtime.handle().stop();
        let opener = std::thread::spawn(move || {
            pause(a_while());
            gate.open();
        });
        let summary = runtime.finish().expect("a clean end");
        opener.join().expect("the gate was opened");
        assert!(summary.frames >= 1);
        assert_eq!(hears.all_so_far(), [] as [u64; 0]);
    });
}

#[test]
fn stop_in_a_slow_swap_waits_for_it_and_counts_the_frame() {
    guarded(|| {
        let (gate, barrier) = Gate::new();
        let (told, hears) = ear();
        let (mut runtime, _end) =
            start(options(Pacing::Immediate), World::new(Demand::EveryFrame), move || {
                let mut screen = Screen::default();
                screen.on_swap = Box::new(move |id| {
                    told.tell(id);
                    if id == 3 {
                        barrier.pass();
                    }
                    Ok(())
                });
                screen
            });
        hears.wait_for(|&id| id == 3);
        runtime.handle().stop();
        gate.open();
        assert_eq!(runtime.finish().expect("a clean end").frames, 3);
    });
}

#[test]
fn stop_while_invisible_ends_cleanly() {
    guarded(|| {
        for pacing in [Pacing::Immediate, Pacing::Vsync, fixed(200.0)] {
            let (told, hears) = ear();
            let (mut runtime, _end) =
                start(options(pacing), World::new(Demand::EveryFrame), move || Screen::telling(&told));
            hears.next();
            runtime.handle().set_visible(false);
            pause(a_while());
            runtime.finish().expect("a clean end");
        }
    });
}

#[test]
fn stop_without_an_area_to_draw_ends_without_a_frame() {
    guarded(|| {
        let (told, hears) = ear();
        let mut options = options(Pacing::Immediate);
        options.size = Size::new(0, 30);
        options.capture_last = true;
        let (runtime, _end) = start(options, World::new(Demand::EveryFrame), move || Screen::telling(&told));
        hears.nothing(a_while());
        let summary = runtime.finish().expect("a clean end");
        assert_eq!((summary.frames, summary.picture), (0, None));
    });
}

#[test]
fn dropping_the_run_ends_both_threads_and_each_drops_its_own() {
    guarded(|| {
        let (told, hears) = ear();
        let tell = move |what: &'static str| {
            let told = told.clone();
            move || told.tell((what, std::thread::current().name().unwrap_or("").to_owned()))
        };
        let mut world = World::new(Demand::OnInput);
        world.on_drop = Box::new(tell("world"));
        let screen_drop = tell("screen");
        let (runtime, end) = start(options(Pacing::Immediate), world, move || {
            let mut screen = Screen::default();
            screen.on_drop = Box::new(screen_drop);
            screen
        });
        drop(runtime);
        let mut dropped = [hears.next(), hears.next()];
        dropped.sort();
        let owned = |(what, name): (&'static str, &str)| (what, name.to_owned());
        assert_eq!(dropped, [("screen", "scanout-render"), ("world", "scanout-logic")].map(owned));
        end.next();
    });
}

// --- limits ---

fn run_to_its_end(options: scanout::runtime::RunOptions, demand: Demand) -> Summary {
    let (runtime, end) = start(options, World::new(demand), Screen::default);
    end.next();
    runtime.finish().expect("a clean end")
}

#[test]
fn frame_limit_and_warmup_are_kept_exactly() {
    guarded(|| {
        for pacing in [Pacing::Immediate, Pacing::Vsync, fixed(1_000.0)] {
            for (warmup, limit) in [(0, 0), (0, 1), (0, 20), (7, 20), (20, 1), (30, 0)] {
                let mut options = options(pacing);
                (options.warmup, options.frame_limit) = (warmup, Some(limit));
                let summary = run_to_its_end(options, Demand::EveryFrame);
                let counted = summary.stats.counters();
                assert_eq!(
                    (summary.frames, counted.frames, counted.measured),
                    (warmup + limit, warmup + limit, limit),
                    "{pacing}: {limit} after {warmup}"
                );
            }
        }
    });
}

#[test]
fn time_limit_ends_a_run_in_every_state_and_never_early() {
    guarded(|| {
        let span = Duration::from_millis(80);
        for (what, demand, size) in [
            ("moving", Demand::EveryFrame, Size::new(4, 4)),
            ("idle", Demand::OnInput, Size::new(4, 4)),
            ("without area", Demand::EveryFrame, Size::new(4, 0)),
        ] {
            let mut options = options(Pacing::Immediate);
            (options.time_limit, options.size) = (Some(span), size);
            let summary = run_to_its_end(options, demand);
            assert!(summary.elapsed >= span, "{what}: {:?}", summary.elapsed);
        }
        let mut options = options(Pacing::Immediate);
        options.time_limit = Some(span);
        let (mut runtime, end) = start(options, World::new(Demand::EveryFrame), Screen::default);
        runtime.handle().set_visible(false);
        end.next();
        assert!(runtime.finish().expect("a clean end").elapsed >= span);
    });
}

#[test]
fn a_run_without_input_ends_when_nothing_moves() {
    guarded(|| {
        let mut options = options(Pacing::Immediate);
        options.end_when_idle = true;
        assert_eq!(run_to_its_end(options, Demand::OnInput).frames, 1);
    });
}

#[test]
fn the_last_picture_is_taken_when_asked_for() {
    guarded(|| {
        let mut options = options(Pacing::Immediate);
        (options.frame_limit, options.capture_last) = (Some(3), true);
        let picture = run_to_its_end(options.clone(), Demand::EveryFrame).picture.expect("a picture");
        assert_eq!((picture.size, picture.rgba.len()), (options.size, 40 * 30 * 4));
        options.capture_last = false;
        assert_eq!(run_to_its_end(options, Demand::EveryFrame).picture, None);
    });
}

// --- panics and errors ---

/// Where the user's code runs.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Place {
    Input,
    Update,
    Extract,
    Demand,
    WorldDrop,
    Make,
    SetPacing,
    Resize,
    Draw,
    Swap,
    Poll,
    Capture,
    ScreenDrop,
}
use Place::*;

const LOGIC: [Place; 5] = [Input, Update, Extract, Demand, WorldDrop];
const RENDER: [Place; 8] = [Make, SetPacing, Resize, Draw, Swap, Poll, Capture, ScreenDrop];

/// Runs a world and a screen that call `fault` at their third chance in `place`, or their first where there is only
/// one. Returns how the run ended.
fn run_with(
    place: Place,
    fault: impl Fn() -> scanout::Result<()> + Send + Sync + 'static,
) -> scanout::Result<Summary> {
    let fault = Arc::new(fault);
    let at = move |here: Place, chance: u64| {
        let (fault, calls) = (Arc::clone(&fault), AtomicU64::new(0));
        move || {
            if here == place && calls.fetch_add(1, Ordering::Relaxed) + 1 == chance {
                fault()
            } else {
                Ok(())
            }
        }
    };
    // The logic thread has nobody to return an error to.
    let certain = |result: scanout::Result<()>| result.expect("no errors here");
    let mut world = World::new(Demand::EveryFrame);
    let (input, update, extract) = (at(Input, 3), at(Update, 3), at(Extract, 3));
    let (demand, world_drop) = (at(Demand, 3), at(WorldDrop, 1));
    world.on_input = Box::new(move |_| certain(input()));
    world.on_update = Box::new(move |_| certain(update()));
    world.on_extract = Box::new(move |_| certain(extract()));
    world.on_demand = Box::new(move || {
        certain(demand());
        Demand::EveryFrame
    });
    world.on_drop = Box::new(move || certain(world_drop()));
    let (ended, end) = ear();
    let ended = std::sync::Mutex::new(ended);
    let make = move || {
        at(Make, 1)()?;
        let mut screen = Screen::default();
        let (draw, swap, resize) = (at(Draw, 3), at(Swap, 3), at(Resize, 1));
        let (poll, capture, pacing, drop) =
            (at(Poll, 3), at(Capture, 1), at(SetPacing, 1), at(ScreenDrop, 1));
        screen.on_draw = Box::new(move |_| draw());
        screen.on_swap = Box::new(move |_| swap());
        screen.on_resize = Box::new(move |_| resize());
        screen.on_poll = Box::new(move || certain(poll()));
        screen.on_capture = Box::new(capture);
        screen.on_pacing = Box::new(move |_| {
            certain(pacing());
            scanout::pacing::Throttle::Untested
        });
        screen.on_drop = Box::new(move || certain(drop()));
        Ok(screen)
    };
    let mut options = options(fixed(1_000.0));
    options.capture_last = true;
    // These come at the end only.
    if [WorldDrop, Capture, ScreenDrop].contains(&place) {
        options.frame_limit = Some(5);
    }
    let mut runtime = Runtime::start(options, world, make, move || {
        ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner).tell(());
    })
    .expect("threads");
    for _ in 0..3 {
        runtime.handle().input(key());
    }
    // The host is told, so that it can stop waiting for events, and everything else still answers.
    end.next();
    runtime.handle().input(key());
    runtime.handle().redraw();
    runtime.handle().resize(Size::new(7, 7), 1.0);
    runtime.finish()
}

#[track_caller]
fn assert_panic(place: Place, result: scanout::Result<Summary>, message: &str) {
    let wanted = if LOGIC.contains(&place) { ThreadName::Logic } else { ThreadName::Render };
    match result {
        Err(Error::ThreadPanicked { thread, message: got }) => {
            assert_eq!((thread, got.as_str()), (wanted, message), "{place:?}");
        }
        other => panic!("{place:?}: {other:?}"),
    }
}

#[test]
fn a_panic_anywhere_ends_the_run_with_its_thread_and_message() {
    guarded(|| {
        for place in LOGIC.into_iter().chain(RENDER) {
            let text = format!("on purpose, in {place:?}");
            let thrown = text.clone();
            assert_panic(place, run_with(place, move || panic!("{thrown}")), &text);
        }
    });
}

#[test]
fn a_panic_with_any_payload_is_reported() {
    fn throw(
        payload: impl Any + Send + Clone + Sync + 'static,
    ) -> impl Fn() -> scanout::Result<()> + Send + Sync {
        move || panic_any(payload.clone())
    }
    guarded(|| {
        for place in [Update, Draw] {
            assert_panic(place, run_with(place, throw("a literal")), "a literal");
            assert_panic(place, run_with(place, throw(String::from("a string"))), "a string");
            assert_panic(place, run_with(place, throw(42_u32)), "(no message)");
        }
        let text = run_with(Update, throw("why")).expect_err("a panic").to_string();
        assert_eq!(text, "the logic thread panicked: why");
    });
}

#[test]
fn a_backends_error_ends_the_run_and_is_handed_out() {
    guarded(|| {
        for place in [Make, Resize, Draw, Swap, Capture] {
            let text = format!("on purpose, in {place:?}");
            let thrown = text.clone();
            let result = run_with(place, move || Err(Error::DisplayLost { detail: thrown.clone() }));
            match result {
                Err(Error::DisplayLost { detail }) => assert_eq!(detail, text),
                other => panic!("{place:?}: {other:?}"),
            }
        }
    });
}

#[test]
fn when_both_threads_fail_the_logics_panic_is_the_cause() {
    guarded(|| {
        let (gate, barrier) = Gate::new();
        let (told, hears) = ear();
        let mut world = World::new(Demand::EveryFrame);
        world.on_update = Box::new(move |tick| {
            if tick.step == 2 {
                told.tell(());
                barrier.pass();
                panic!("the cause");
            }
        });
        let (runtime, end) = start(options(fixed(500.0)), world, move || {
            let mut screen = Screen::default();
            screen.on_drop = Box::new(|| panic!("the consequence"));
            screen
        });
        hears.next();
        gate.open();
        end.next();
        assert_panic(Update, runtime.finish(), "the cause");
    });
}

// --- threads that do not come back ---

/// Waits for as long as the test wants, as an endless loop would.
fn endless(until: &AtomicBool) {
    while !until.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_thread_that_never_ends_is_abandoned_after_the_timeout() {
    guarded(|| {
        for stuck in [ThreadName::Logic, ThreadName::Render] {
            abandon(stuck, false);
        }
    });
}

#[test]
fn what_hangs_is_named_though_the_step_is_lent_to_the_render_thread() {
    guarded(|| {
        for stuck in [ThreadName::Logic, ThreadName::Render] {
            abandon(stuck, true);
        }
    });
}

/// The step, or the swap, hangs; with the step lent to the render thread or not.
fn abandon(stuck: ThreadName, lent: bool) {
    let released = Arc::new(AtomicBool::new(false));
    let on_render = Arc::new(AtomicBool::new(!lent));
    let (told, hears) = ear();
    let mut world = World::new(Demand::EveryFrame);
    let (logic_release, logic_told) = (Arc::clone(&released), told.clone());
    let arrived = Arc::clone(&on_render);
    world.on_update = Box::new(move |tick| {
        if std::thread::current().name().is_some_and(|name| name.contains("render")) {
            arrived.store(true, Ordering::Relaxed);
        }
        if stuck == ThreadName::Logic && tick.step >= 3 && arrived.load(Ordering::Relaxed) {
            logic_told.tell(());
            endless(&logic_release);
        }
    });
    let render_release = Arc::clone(&released);
    let mut options = options(Pacing::Immediate);
    options.shutdown_timeout = Duration::from_millis(150);
    options.layout = LayoutChoice::Pinned(if lent { Layout::Serial } else { Layout::Pipelined });
    let timeout = options.shutdown_timeout;
    let (runtime, _end) = start(options, world, move || {
        let mut screen = Screen::default();
        screen.on_swap = Box::new(move |id| {
            if stuck == ThreadName::Render && id >= 3 && on_render.load(Ordering::Relaxed) {
                told.tell(());
                endless(&render_release);
            }
            Ok(())
        });
        screen
    });
    hears.next();
    let asked = Instant::now();
    let result = runtime.finish();
    let waited = asked.elapsed();
    released.store(true, Ordering::Relaxed);
    assert!(
        matches!(result, Err(Error::ThreadStuck { thread }) if thread == stuck),
        "{stuck}, lent {lent}: {result:?}"
    );
    assert!(waited >= timeout && waited < LIMIT, "{stuck}, lent {lent}: {waited:?}");
}

// --- what a run that failed leaves ---

#[test]
fn figures_of_a_run_that_failed_are_kept() {
    guarded(|| {
        for (place, frames) in [("error", 4), ("panic", 4), ("logic", 1)] {
            let mut world = World::new(Demand::EveryFrame);
            world.on_update = Box::new(move |tick| assert!(place != "logic" || tick.step < 5, "on purpose"));
            let (runtime, end) = start(options(fixed(500.0)), world, move || {
                let mut screen = Screen::default();
                screen.on_swap = Box::new(move |id| match place {
                    "error" if id == 5 => Err(Error::DisplayLost { detail: "on purpose".into() }),
                    "panic" if id == 5 => panic!("on purpose"),
                    _ => Ok(()),
                });
                screen
            });
            end.next();
            let ended = runtime.end();
            assert!(ended.error.is_some_and(|e| e.to_string().contains("on purpose")), "{place}");
            let summary = ended.summary.unwrap_or_else(|| panic!("{place}: no figures"));
            // The frame that failed was not shown and is not counted.
            assert!(
                summary.frames >= frames && (place == "logic" || summary.frames == 4),
                "{place}: {}",
                summary.frames
            );
            assert!(summary.elapsed > Duration::ZERO && summary.picture.is_none());
        }
    });
}

#[test]
fn run_that_ends_as_asked_has_figures_and_no_error() {
    guarded(|| {
        let mut options = options(fixed(500.0));
        options.frame_limit = Some(3);
        let (runtime, end) = start(options, World::new(Demand::EveryFrame), Screen::default);
        end.next();
        let ended = runtime.end();
        assert!(ended.error.is_none() && ended.summary.is_some_and(|s| s.frames == 3));
    });
}
