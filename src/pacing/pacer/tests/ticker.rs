use super::*;
use crate::pacing::Variant;

fn ticker(variant: Variant) -> FramePacer {
    FramePacer::new(Pacing::Ticker(variant), 60.0)
}

fn notice(ms: u64) -> VblankSample {
    VblankSample { at: at(ms), sequence: None, period: None, origin: Origin::Hardware }
}

#[test]
fn ticker_alone_keeps_the_nominal_rate_whatever_the_display_says() {
    let mut pacer = ticker(Variant::TickerAlone);
    let began = pacer.plan(at(0)).wake_at;
    for n in 1..100 {
        pacer.vblank(notice(n * 17));
        let plan = pacer.plan(at(n * 16));
        let from = plan.wake_at.signed_since(began) as f64;
        assert!((from - n as f64 * 1e9 / 60.0).abs() < 100.0, "{n}: {from}");
        assert_eq!((plan.target_presentation, plan.swap_at, pacer.frames_in_flight()), (None, None, 1));
    }
    assert_eq!(pacer.state().missed_ticks, 0);
    pacer.plan(at(3_000));
    assert!(pacer.state().missed_ticks > 50);
}

#[test]
fn a_cap_slows_the_ticks_down() {
    let mut pacer = ticker(Variant::Both);
    pacer.set_cap(Rate::new(20.0));
    assert_eq!((pacer.plan(at(0)).wake_at, pacer.plan(at(1)).wake_at), (at(0), at(50)));
    let mut pacer = ticker(Variant::VsyncAlone);
    pacer.set_cap(Rate::new(20.0));
    pacer.plan(at(0));
    pacer.vblank(notice(16));
    assert_eq!(pacer.plan(at(17)).wake_at, at(50), "notices come oftener");
}

#[test]
fn during_a_wait_for_input_ticks_go_on_and_none_is_missed() {
    let mut pacer = ticker(Variant::TickerAlone);
    let began = pacer.plan(at(0)).wake_at;
    let plan = pacer.plan(at(1));
    assert_eq!(pacer.began_after_idle(plan.id, at(5_010)), None, "nothing is aimed at");
    let ticks = pacer.plan(at(5_011)).wake_at.signed_since(began) as f64 / (1e9 / 60.0);
    assert!((ticks - 301.0).abs() < 1e-4, "the next of the same: {ticks}");
    assert_eq!(pacer.state().missed_ticks, 0);
}

/// A display that falls silent: one frame in three intervals is drawn without a notice, and with the next it goes on as before.
#[test]
fn a_loop_that_waits_for_notices_outlives_their_end() {
    let mut pacer = ticker(Variant::VsyncAlone);
    assert_eq!(pacer.plan(at(0)).wake_at, at(0));
    assert_eq!(pacer.plan(at(5)).wake_at, Timestamp::MAX);
    pacer.vblank(notice(16));
    let plan = pacer.plan(at(17));
    assert_eq!((plan.id.0, plan.wake_at, plan.dt), (2, at(17), Some(Duration::from_millis(17))));
    for ms in [18, 50, 66] {
        assert_eq!(pacer.plan(at(ms)).wake_at, Timestamp::MAX, "{ms}");
    }
    assert_eq!(pacer.plan(at(68)).wake_at, at(68));
    assert_eq!(pacer.plan(at(70)).wake_at, Timestamp::MAX);
    // The display says no more than that it has the frame.
    pacer.set_one_by_one(true);
    pacer.presented(PlanId(3), Presentation::At(at(84), Origin::Compositor));
    assert_eq!(pacer.plan(at(85)).wake_at, at(85));
    pacer.set_visible(false);
    assert!(pacer.plan(at(86)).parked);
}
