//! What a cap on frames per second does to plans.

use super::*;
use crate::pacing::Variant;

#[test]
fn animation_keeps_up_with_a_cap_below_ten_per_second() {
    for mode in [Pacing::Vsync, Pacing::Ticker(Variant::Both)] {
        let mut pacer = FramePacer::new(mode, 60.0);
        pacer.set_cap(Rate::new(5.0));
        assert_eq!(pacer.interval(), Duration::from_millis(200), "{mode}");
        pacer.plan(at(0));
        let plan = pacer.plan(at(3));
        assert_eq!((plan.wake_at, plan.dt), (at(200), Some(Duration::from_millis(200))), "{mode}");
        // Swap came back a little later than the cap asks for.
        let late = if mode == Pacing::Vsync { 211 } else { 200 };
        assert_eq!(
            pacer.plan(at(if mode == Pacing::Vsync { 411 } else { 390 })).dt,
            Some(Duration::from_millis(late)),
            "{mode}"
        );
        assert_eq!(pacer.snaps(), 0, "{mode}");
    }
}

#[test]
fn a_cap_holds_through_another_source_and_another_mode() {
    for mode in [
        Pacing::Auto,
        Pacing::Fixed(Rate::new(60.0).unwrap()),
        Pacing::Vsync,
        Pacing::Immediate,
        Pacing::Ticker(Variant::Both),
    ] {
        let mut pacer = FramePacer::new(mode, 60.0);
        pacer.set_cap(Rate::new(5.0));
        let first = pacer.plan(at(0)).wake_at;
        pacer.set_source(Origin::Hardware);
        assert!(pacer.plan(at(2)).wake_at >= first + Duration::from_millis(200), "{mode}: another source");
        pacer.set_mode(Pacing::Auto);
        assert!(pacer.plan(at(203)).wake_at >= first + Duration::from_millis(400), "{mode}: another mode");
    }
}

#[test]
fn swaps_that_a_cap_keeps_apart_say_nothing_of_the_driver() {
    let mut pacer = FramePacer::new(Pacing::Vsync, 60.0);
    pacer.set_cap(Rate::new(30.0));
    for i in 0..40 {
        let plan = pacer.plan(at(i * 33));
        swapped(&mut pacer, plan.wake_at);
    }
    assert_eq!(pacer.throttle(), Throttle::Untested);
    pacer.set_cap(None);
    for i in 2_000..2_014 {
        pacer.plan(at(i));
        swapped(&mut pacer, at(i));
    }
    assert_eq!(pacer.throttle(), Throttle::Timer);
}
