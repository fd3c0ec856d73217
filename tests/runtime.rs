//! The loop itself, on real threads with a display that does not exist: who waits for whom, what is drawn when, and
//! which input a frame shows. Nothing here depends on how fast the machine is.

mod runtime_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use runtime_support::{
    Drawn, Gate, Hears, Screen, Told, World, a_while, ear, fixed, guarded, key, key_at, options, pause, start,
};
use scanout::pacing::{LONGEST_STEP, Pacing, Throttle};
use scanout::runtime::{Feedback, InputEvent, InputKind, Summary};
use scanout::stats::{FrameRecord, Stage};
use scanout::time::{Clock as _, MonotonicClock, Timestamp};
use scanout::{Demand, Size};

fn records(summary: &Summary) -> Vec<FrameRecord> {
    summary.stats.recent().copied().collect()
}

/// A screen whose swap of frame `held` waits at a gate, and the ears to know that it does.
fn holding(held: u64, told: &Told<Drawn>) -> (impl FnOnce() -> Screen + Send + use<>, Gate, Hears<u64>) {
    let (gate, barrier) = Gate::new();
    let (waiting, waits) = ear();
    let told = told.clone();
    let make = move || {
        let mut screen = Screen::telling(&told);
        screen.on_swap = Box::new(move |id| {
            if id == held {
                waiting.tell(id);
                barrier.pass();
            }
            Ok(())
        });
        screen
    };
    (make, gate, waits)
}

// --- input ---

#[test]
fn input_arrives_in_order_with_its_stamps() {
    guarded(|| {
        const EVENTS: u64 = 20_000; // more than the channel holds
        let (told, hears) = ear();
        let mut world = World::new(Demand::EveryFrame);
        world.on_input = Box::new(move |event| told.tell(*event));
        let (mut runtime, _end) = start(options(Pacing::Immediate), world, Screen::default);
        let event = |n: u64| key_at(Timestamp::from_nanos(n * 1_000));
        for n in 1..=EVENTS {
            runtime.handle().input(event(n));
        }
        while !runtime.handle().flush_input() {
            std::thread::yield_now();
        }
        for n in 1..=EVENTS {
            assert_eq!(hears.next(), event(n));
        }
        runtime.finish().expect("a clean end");
    });
}

#[test]
fn a_frames_input_is_the_earliest_that_contributed() {
    guarded(|| {
        // In a mode in which step 3 waits until step 2 is drawn.
        let (told, drawn) = ear();
        let (gate, barrier) = Gate::new();
        let (step_told, steps) = ear();
        let mut world = World::new(Demand::OnInput);
        world.on_update = Box::new(move |tick| {
            step_told.tell(tick.step);
            if tick.step == 2 {
                barrier.pass();
            }
        });
        let (mut runtime, _end) = start(options(fixed(500.0)), world, move || Screen::telling(&told));
        assert_eq!((drawn.next().step, steps.next()), (1, 1));
        let stamp = |n: u64| MonotonicClock.now().offset(-1_000_000 + n as i64);
        let (a, b, c, focus) = (stamp(0), stamp(1), stamp(2), stamp(3));
        runtime.handle().input(key_at(a));
        assert_eq!(steps.next(), 2);
        // While step 2 is being made: what follows belongs to step 3. A change of focus is no input to wait for.
        runtime.handle().input(InputEvent::new(focus, InputKind::Focus { gained: true }));
        runtime.handle().input(key_at(b));
        runtime.handle().input(key_at(c));
        gate.open();
        drawn.wait_for(|d| d.inputs == 4);
        let seen: Vec<_> = records(&runtime.finish().expect("a clean end"))
            .iter()
            .map(|r| r.at(Stage::InputReceived))
            .collect();
        assert_eq!(seen, [None, Some(a), Some(b)], "of {:?}", [a, b, c]);
    });
}

#[test]
fn input_of_snapshots_that_were_never_drawn_counts_with_the_next_frame() {
    guarded(|| {
        // Fewer than are remembered one by one, and more.
        for unread in [3, 4, 30] {
            let (told, drawn) = ear();
            let (make, gate, held) = holding(1, &told);
            let (step_told, steps) = ear();
            let mut world = World::new(Demand::OnInput);
            world.on_extract = Box::new(move |step| step_told.tell(step));
            let (mut runtime, _end) = start(options(Pacing::Immediate), world, make);
            assert_eq!((held.next(), steps.next()), (1, 1));
            // Each event makes a snapshot that replaces the one before, since the render thread is held up.
            let earliest = MonotonicClock.now();
            for n in 0..unread {
                runtime.handle().input(key_at(earliest + Duration::from_nanos(n)));
                assert_eq!(steps.next(), n + 2);
            }
            gate.open();
            // The newest is drawn; or the one before it and then the newest, when that was not out yet.
            let last = drawn.wait_for(|d| d.inputs == unread);
            assert!(last.id <= 3, "{last:?}");
            // What comes after that is a matter of its own again.
            let later = MonotonicClock.now();
            runtime.handle().input(key_at(later));
            drawn.wait_for(|d| d.inputs == unread + 1);
            let summary = runtime.finish().expect("a clean end");
            let mut seen: Vec<_> = records(&summary).iter().map(|r| r.at(Stage::InputReceived)).collect();
            if last.id == 3 {
                assert_eq!(seen.remove(2), Some(earliest + Duration::from_nanos(unread - 1)));
            }
            assert_eq!(seen, [None, Some(earliest), Some(later)], "{unread} unread");
            assert_eq!(summary.stats.counters().snapshots_skipped, unread + 1 - last.id);
        }
    });
}

#[test]
fn a_scene_that_waits_for_input_draws_once_and_then_on_input() {
    guarded(|| {
        for pacing in [Pacing::Immediate, Pacing::Vsync, fixed(500.0)] {
            let (told, drawn) = ear();
            let (mut runtime, _end) =
                start(options(pacing), World::new(Demand::OnInput), move || Screen::telling(&told));
            assert_eq!(drawn.next().step, 1);
            drawn.nothing(a_while());
            for n in 1..=20 {
                runtime.handle().input(key());
                // One frame per event, at the latest when it is asked for again.
                let frame = drawn.next();
                assert_eq!((frame.inputs, frame.step), (n, n + 1), "{pacing}");
            }
            drawn.nothing(a_while());
            let summary = runtime.finish().expect("a clean end");
            assert_eq!(summary.frames, 21);
            assert_eq!(summary.stats.counters().repeated, 0);
        }
    });
}

// --- drawing again ---

#[test]
fn redraw_draws_the_same_snapshot_again_in_every_mode() {
    guarded(|| {
        for pacing in [Pacing::Immediate, Pacing::Vsync, fixed(500.0)] {
            let (told, drawn) = ear();
            let toggles = Arc::new(AtomicU64::new(0));
            let counted = Arc::clone(&toggles);
            let (mut runtime, _end) = start(options(pacing), World::new(Demand::OnInput), move || {
                let mut screen = Screen::telling(&told);
                screen.on_overlay = Box::new(move || {
                    counted.fetch_add(1, Ordering::SeqCst);
                });
                screen
            });
            drawn.next();
            for id in 2..10 {
                runtime.handle().redraw();
                assert_eq!((drawn.next().id, toggles.load(Ordering::SeqCst)), (id, 0), "{pacing}");
            }
            runtime.handle().toggle_overlay();
            assert_eq!((drawn.next().id, toggles.load(Ordering::SeqCst)), (10, 1));
            drawn.nothing(a_while());
            let summary = runtime.finish().expect("a clean end");
            let counted = summary.stats.counters();
            assert_eq!((counted.frames, counted.repeated, counted.stale), (10, 9, 0), "{pacing}");
        }
    });
}

#[test]
fn a_storm_of_sizes_coalesces_and_the_last_one_wins() {
    guarded(|| {
        let (told, drawn) = ear();
        let (make, gate, held) = holding(1, &told);
        let (size_told, sizes) = ear();
        let make = move || {
            let mut screen = make();
            screen.on_resize = Box::new(move |size| {
                size_told.tell(size);
                Ok(())
            });
            screen
        };
        let (mut runtime, _end) = start(options(Pacing::Immediate), World::new(Demand::OnInput), make);
        assert_eq!(sizes.next(), Size::new(40, 30));
        held.next();
        for n in 1..=500 {
            // Empty ones among them, and one like the first.
            runtime.handle().resize(Size::new(n % 7, n), 1.0);
        }
        runtime.handle().resize(Size::new(123, 45), 1.0);
        gate.open();
        assert_eq!(drawn.wait_for(|d| d.id == 2).size, Size::new(123, 45));
        assert_eq!(sizes.all_so_far(), [Size::new(123, 45)]);

        // While frames are drawn: as many as the render thread sees, and the last one in any case.
        let storm = 400;
        for n in 1..=storm {
            runtime.handle().resize(Size::new(n, n), 1.0);
        }
        drawn.wait_for(|d| d.size == Size::new(storm, storm));
        let seen = sizes.all_so_far();
        assert!(seen.len() <= storm as usize && seen.last() == Some(&Size::new(storm, storm)), "{seen:?}");
        assert!(seen.windows(2).all(|w| w[0].width < w[1].width), "in order: {seen:?}");

        // The same size again is no news.
        runtime.handle().resize(Size::new(storm, storm), 1.0);
        drawn.nothing(a_while());
        assert_eq!(sizes.all_so_far(), []);
        // Another one in between is, whether it is seen or not.
        for n in [7, storm] {
            runtime.handle().resize(Size::new(n, n), 1.0);
        }
        drawn.wait_for(|d| d.size == Size::new(storm, storm));
        assert_eq!(sizes.all_so_far().last(), Some(&Size::new(storm, storm)));
        let summary = runtime.finish().expect("a clean end");
        assert_eq!(summary.size, Size::new(storm, storm));
    });
}

#[test]
fn nothing_is_drawn_without_an_area_and_all_again_with_one() {
    guarded(|| {
        let (told, drawn) = ear();
        let (make, gate, held) = holding(3, &told);
        let steps = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&steps);
        let mut world = World::new(Demand::EveryFrame);
        world.on_update = Box::new(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let (mut runtime, _end) = start(options(fixed(500.0)), world, make);
        held.next();
        runtime.handle().resize(Size::new(0, 0), 1.0);
        gate.open();
        drawn.wait_for(|d| d.id == 3);
        drawn.nothing(a_while());
        // The world makes the one step that had been ordered, and stands still.
        assert!(steps.load(Ordering::SeqCst) <= 4, "{steps:?} steps");
        runtime.handle().resize(Size::new(9, 9), 1.0);
        drawn.wait_for(|d| d.id == 20 && d.size == Size::new(9, 9));
        runtime.finish().expect("a clean end");
    });
}

#[test]
fn an_invisible_window_draws_nothing_and_its_world_stands_still() {
    guarded(|| {
        for pacing in [Pacing::Immediate, Pacing::Vsync, fixed(500.0)] {
            let (told, drawn) = ear();
            let (make, gate, held) = holding(3, &told);
            let steps = Arc::new(AtomicU64::new(0));
            let counted = Arc::clone(&steps);
            let mut world = World::new(Demand::EveryFrame);
            world.on_update = Box::new(move |_| {
                counted.fetch_add(1, Ordering::SeqCst);
            });
            let (mut runtime, _end) = start(options(pacing), world, make);
            held.next();
            runtime.handle().set_visible(false);
            runtime.handle().redraw(); // asked for and not answered
            gate.open();
            drawn.wait_for(|d| d.id == 3);
            drawn.nothing(a_while());
            assert!(steps.load(Ordering::SeqCst) <= 4, "{pacing}: {steps:?} steps");
            // Input that comes all the same is not lost.
            runtime.handle().input(key());
            drawn.nothing(a_while());
            runtime.handle().set_visible(true);
            drawn.wait_for(|d| d.id >= 10 && d.inputs == 1);
            runtime.finish().expect("a clean end");
        }
    });
}

#[test]
fn a_window_that_its_display_does_not_show_rests_until_it_is_shown() {
    guarded(|| {
        for pacing in [Pacing::Immediate, Pacing::Vsync, fixed(500.0)] {
            let (told, drawn) = ear();
            let ((says, display), (passed_on, heard)) = (ear(), ear());
            let make = move || {
                let mut screen = Screen::telling(&told);
                screen.says = Some((display, passed_on));
                screen
            };
            let (mut runtime, _end) = start(options(pacing), World::new(Demand::EveryFrame), make);
            let hide = || {
                says.tell(Feedback::Visible(false));
                heard.next();
                drawn.all_so_far();
                drawn.nothing(a_while());
            };
            drawn.wait_for(|d| d.id == 3);
            hide();
            // Nobody wakes the thread: it looks by itself.
            says.tell(Feedback::Visible(true));
            heard.next();
            drawn.next();
            drawn.next();
            // The host knows of something that happened to the window: that is worth a look.
            hide();
            runtime.handle().resize(Size::new(9, 9), 1.0);
            drawn.wait_for(|d| d.size == Size::new(9, 9));
            runtime.finish().expect("a clean end");
        }
    });
}

// --- who waits for whom ---

#[test]
fn a_stalled_logic_thread_does_not_stop_the_render_thread() {
    guarded(|| {
        for pacing in [fixed(500.0), Pacing::Immediate, Pacing::Vsync] {
            const STALLED: u64 = 10;
            let (told, drawn) = ear();
            let (gate, barrier) = Gate::new();
            let mut world = World::new(Demand::EveryFrame);
            world.on_update = Box::new(move |tick| {
                if tick.step == STALLED {
                    barrier.pass();
                }
            });
            // Of more frames than are kept the oldest go: the test's thread may be late, and none of these is to be lost.
            let screen = move || {
                let mut screen = Screen::telling(&told);
                let mut tell = std::mem::replace(&mut screen.on_draw, Box::new(|_| Ok(())));
                screen.on_draw = Box::new(move |drawn| {
                    pause(Duration::from_millis(1));
                    tell(drawn)
                });
                screen
            };
            let (mut runtime, _end) = start(options(pacing), world, screen);
            // The step before the stall is drawn, and drawn again for as long as it lasts.
            let first = drawn.wait_for(|d| d.step == STALLED - 1);
            for id in first.id + 1..=first.id + 8 {
                let frame = drawn.next();
                assert_eq!((frame.id, frame.step), (id, STALLED - 1), "{pacing}");
            }
            gate.open();
            drawn.wait_for(|d| d.step >= STALLED + 20);
            runtime.handle().stop();
            let summary = runtime.finish().expect("a clean end");
            let counted = summary.stats.counters();
            assert!(counted.stale >= 8 && counted.repeated >= counted.stale, "{pacing}: {counted:?}");
            assert!(counted.stale < counted.frames, "{pacing}: {counted:?}");
            let stale = records(&summary).iter().filter(|r| r.stale).count() as u64;
            assert_eq!(stale, counted.stale, "{pacing}");
        }
    });
}

#[test]
fn a_stalled_render_thread_does_not_stop_input_and_draws_the_newest() {
    guarded(|| {
        let (told, drawn) = ear();
        let (make, gate, held) = holding(2, &told);
        let (step_told, steps) = ear();
        let mut world = World::new(Demand::EveryFrame);
        world.on_extract = Box::new(move |step| step_told.tell(step));
        let (mut runtime, _end) = start(options(Pacing::Immediate), world, make);
        held.next();
        let before = steps.wait_for(|&step| step >= 2);
        // Every event makes a new snapshot in place of the one that nobody has taken.
        for _ in 0..50 {
            runtime.handle().input(key());
        }
        let mut newest = steps.wait_for(|&step| step > before);
        while let Some(&last) = steps.all_so_far().last() {
            newest = last;
            std::thread::yield_now();
        }
        gate.open();
        let frame = drawn.wait_for(|d| d.id == 3);
        // The newest may have been on its way out still.
        assert!(frame.step + 1 >= newest, "{frame:?} after step {newest}");
        runtime.finish().expect("a clean end");
    });
}

/// Both threads at full speed. That no snapshot is torn or older than the one before is checked in every draw.
#[test]
fn snapshots_are_whole_and_never_go_back_at_full_speed() {
    guarded(|| {
        let (told, drawn) = ear();
        let mut options = options(Pacing::Immediate);
        options.frame_limit = Some(3_000);
        let (mut runtime, end) =
            start(options, World::new(Demand::EveryFrame), move || Screen::telling(&told));
        let mut n = 0_u64;
        while end.all_so_far().is_empty() {
            // Makes the logic thread overwrite what is unread.
            runtime.handle().input(key());
            n += 1;
            if n.is_multiple_of(64) {
                std::thread::yield_now();
            }
        }
        let summary = runtime.finish().expect("nothing torn, nothing old");
        assert_eq!(summary.frames, 3_000);
        let frames = drawn.all_so_far();
        assert!(frames.windows(2).all(|w| w[0].step <= w[1].step && w[0].inputs <= w[1].inputs));
    });
}

// --- pacing ---

#[test]
fn pacing_switches_while_running() {
    guarded(|| {
        let (told, drawn) = ear();
        let (mode_told, modes) = ear();
        let make = move || {
            let mut screen = Screen::telling(&told);
            screen.on_pacing = Box::new(move |mode| {
                mode_told.tell(mode);
                Throttle::Untested
            });
            screen
        };
        let (mut runtime, _end) = start(options(Pacing::Vsync), World::new(Demand::EveryFrame), make);
        assert_eq!(modes.next(), Pacing::Vsync);
        for mode in [fixed(300.0), Pacing::Immediate, Pacing::Vsync, fixed(1_000.0), Pacing::Immediate] {
            runtime.handle().set_pacing(mode);
            assert_eq!(modes.next(), mode);
            let now = drawn.all_so_far().last().map_or(0, |d| d.id);
            drawn.wait_for(|d| d.id > now + 10);
        }
        // A slow mode is left at once, not after its next frame.
        runtime.handle().set_pacing(fixed(0.1));
        modes.next();
        let _ = drawn.all_so_far();
        runtime.handle().set_pacing(fixed(900.0));
        let now = drawn.next().id;
        drawn.wait_for(|d| d.id > now + 10);
        let summary = runtime.finish().expect("a clean end");
        assert_eq!(summary.pacing, fixed(900.0));
    });
}

#[test]
fn a_fixed_rate_keeps_its_grid_and_never_starts_early() {
    guarded(|| {
        const HZ: f64 = 300.0; // not a whole number of nanoseconds
        let mut options = options(fixed(HZ));
        options.frame_limit = Some(150);
        let mut world = World::new(Demand::EveryFrame);
        let mut n = 0_u32;
        world.on_update = Box::new(move |_| {
            n += 1;
            if n.is_multiple_of(40) {
                // Late by some periods now and then: the grid must keep its phase.
                let until = MonotonicClock.now() + Duration::from_millis(11);
                scanout::display::sleep::until(until);
            }
        });
        let (runtime, end) = start(options, world, Screen::default);
        end.next();
        let summary = runtime.finish().expect("a clean end");
        let records = records(&summary);
        assert_eq!(records.len(), 150, "all are remembered");
        // The first frame sets the grid. A repeated one has no plan of its own.
        let planned: Vec<_> = records[1..].iter().filter_map(|r| Some((r, r.swap_at?))).collect();
        assert!(planned.len() > 60, "{} frames with a plan", planned.len());
        let period = 1e9 / HZ;
        let first = planned[0].1;
        let mut ticks = Vec::new();
        for (record, at) in &planned {
            let n = (at.signed_since(first) as f64 / period).round();
            let off = at.signed_since(first) as f64 - n * period;
            assert!(off.abs() <= 2.0, "frame {} is {off} ns off the grid", record.id);
            ticks.push(n as u64);
            // Logic begins when planned, and swap is held until the grid point.
            for (stage, from) in
                [(Stage::InputSampled, record.planned.expect("a plan")), (Stage::SwapBegin, *at)]
            {
                let stamp = record.at(stage).expect("a stamp");
                assert!(stamp >= from, "frame {}: {stage} {} ns early", record.id, from.signed_since(stamp));
            }
        }
        assert!(ticks.windows(2).all(|w| w[0] < w[1]), "each grid point at most once: {ticks:?}");
        assert!(summary.pacer.missed_ticks > 0, "a step of 11 ms leaves out grid points of 3.3 ms");
        // Animation moves on by what the grid says, however late the step was.
        for (w, ticks) in planned.windows(2).zip(ticks.windows(2)) {
            let moved = w[1].0.animation_time.saturating_sub(w[0].0.animation_time);
            let wanted = Duration::from_secs_f64((ticks[1] - ticks[0]) as f64 / HZ).min(LONGEST_STEP);
            let steps = w[1].0.snapshot - w[0].0.snapshot;
            assert!(
                steps > 1 || moved.abs_diff(wanted) < Duration::from_nanos(100),
                "{moved:?} and not {wanted:?}"
            );
        }
    });
}

/// A swap that does not wait, whatever was asked for: a timer takes over, so that the loop does not run free.
#[test]
fn vsync_without_a_waiting_swap_is_paced_by_a_timer() {
    guarded(|| {
        let mut options = options(Pacing::Vsync);
        // A rate that a busy machine cannot be mistaken for.
        options.refresh_hz = Some(20.0);
        options.frame_limit = Some(24);
        let (runtime, end) = start(options, World::new(Demand::EveryFrame), Screen::default);
        end.next();
        let summary = runtime.finish().expect("a clean end");
        assert_eq!(summary.throttle, Throttle::Timer);
        // The frames at 20 Hz, less those before it was noticed. A slow machine takes longer.
        assert!(summary.elapsed >= Duration::from_millis(50 * 8), "{:?}", summary.elapsed);
    });
}
