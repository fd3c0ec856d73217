//! When each rival begins frames, on a display of 100 Hz whose refreshes are at 0, 10, 20.. ms.

use super::*;
use crate::pacing::Origin;
use crate::sim::{DisplaySpec, Scenario, run};

const HZ: f64 = 100.0;

fn ticker(variant: Variant) -> PolicyKind {
    PolicyKind::Ours(Pacing::Ticker(variant))
}

fn at(us: i64) -> Timestamp {
    Timestamp::from_nanos(1_000_000_000_000).offset(us * 1_000)
}

fn refresh(policy: &mut dyn Policy, us: i64) {
    let sequence = (us % 10_000 == 0).then_some(1_000u64.saturating_add_signed(us / 10_000));
    policy.vblank(VblankSample { at: at(us), sequence, period: None, origin: Origin::Simulated });
}

/// The policy, after it has seen the hundred refreshes up to 0.
fn settled(kind: PolicyKind) -> Box<dyn Policy> {
    let mut policy = kind.make(HZ);
    for k in -100..=0 {
        refresh(policy.as_mut(), k * 10_000);
    }
    policy
}

/// Plans at the first of each pair, in microseconds, and expects to be woken at the second.
#[track_caller]
fn expect(policy: &mut dyn Policy, wakes: &[(i64, i64)]) {
    for &(now, wake) in wakes {
        assert_eq!(policy.plan(at(now)).wake_at, at(wake), "planned at {now} us");
    }
}

/// Plans at `now`, and draws the frame from `from` until `done`; it is displayed at `shown`. Microseconds.
fn frame(policy: &mut dyn Policy, now: i64, [from, done, shown]: [i64; 3]) {
    let plan = policy.plan(at(now));
    assert_eq!(plan.wake_at, at(from), "planned at {now} us");
    policy.submitted(plan.id, at(done), Work::default());
    policy.gpu_done(plan.id, at(done));
    policy.presented(plan.id, Presentation::At(at(shown), Origin::Simulated));
}

#[test]
fn every_policy_is_found_by_its_own_name() {
    let all: Vec<_> = PolicyKind::ALL.into_iter().chain(PolicyKind::ON_REQUEST).collect();
    for (i, kind) in all.iter().enumerate() {
        assert_eq!(PolicyKind::from_name(&kind.name()), Some(*kind));
        assert!(!all[..i].contains(kind), "{} twice", kind.name());
    }
}

#[test]
fn fixed_timer_keeps_the_grid_of_the_nominal_period_from_its_first_plan_on() {
    let mut policy = PolicyKind::FixedTimer.make(HZ);
    expect(policy.as_mut(), &[(3_000, 13_000), (16_000, 23_000)]);
    refresh(policy.as_mut(), 20_000);
    // After a stall the tick that passed last is due at once; the grid stays.
    expect(policy.as_mut(), &[(26_000, 33_000), (60_000, 53_000), (61_000, 63_000)]);
}

#[test]
fn limiter_sleeps_for_a_period_less_what_it_overslept() {
    let mut policy = PolicyKind::SleepMinusOversleep.make(HZ);
    expect(policy.as_mut(), &[(0, 0), (4_000, 10_000)]);
    policy.woke(at(10_000), at(10_300));
    expect(policy.as_mut(), &[(14_000, 19_700)]);
    policy.woke(at(19_700), at(19_700));
    // The period counts from the plan that is late.
    expect(policy.as_mut(), &[(35_000, 35_000), (38_000, 45_000)]);
}

#[test]
fn start_at_vblank_begins_one_frame_at_each_refresh() {
    let mut policy = settled(PolicyKind::StartAtVblank);
    expect(policy.as_mut(), &[(1_000, 0), (4_000, 10_000), (14_000, 20_000), (28_000, 30_000)]);
    // What comes late by up to a quarter of a refresh begins at once, and later ones wait for the next.
    expect(policy.as_mut(), &[(62_000, 60_000), (78_000, 80_000)]);
}

#[test]
fn moving_average_begins_a_millisecond_and_the_average_before_the_refresh() {
    let mut policy = settled(PolicyKind::AveragePlusMillisecond);
    frame(policy.as_mut(), 0, [0, 3_000, 10_000]);
    frame(policy.as_mut(), 3_000, [16_000, 20_000, 20_000]);
    // 3 ms, and a tenth of the millisecond that the second took longer.
    expect(policy.as_mut(), &[(20_000, 25_900)]);
}

#[test]
fn mean_and_three_deviations_begin_so_long_before_the_refresh() {
    let mut policy = settled(PolicyKind::MeanPlusThreeSigma);
    frame(policy.as_mut(), 0, [0, 3_000, 10_000]);
    frame(policy.as_mut(), 3_000, [10_000, 14_000, 20_000]);
    let deviation = (0.5 * 1e12_f64).sqrt();
    let budget = (3.5e6 + 3.0 * deviation) as i64;
    assert_eq!(policy.plan(at(14_000)).wake_at, at(30_000).offset(-budget));
}

#[test]
fn sawtooth_begins_20_us_later_until_a_frame_misses_and_then_2_ms_earlier() {
    let mut policy = settled(PolicyKind::Sawtooth);
    frame(policy.as_mut(), 0, [0, 3_000, 10_000]);
    frame(policy.as_mut(), 3_000, [10_020, 13_000, 20_000]);
    for k in 2..=100 {
        frame(
            policy.as_mut(),
            k * 10_000 - 7_000,
            [k * 10_000 + k * 20, k * 10_000 + 5_000, (k + 1) * 10_000],
        );
    }
    frame(policy.as_mut(), 1_005_000, [1_012_020, 1_021_000, 1_030_000]);
    expect(policy.as_mut(), &[(1_021_000, 1_020_020)]);
}

#[test]
fn ticker_alone_goes_on_from_its_first_frame_whatever_the_display_says() {
    let mut policy = settled(ticker(Variant::TickerAlone));
    expect(policy.as_mut(), &[(3_000, 3_000), (6_000, 13_000)]);
    refresh(policy.as_mut(), 10_000);
    expect(policy.as_mut(), &[(16_000, 23_000), (60_000, 53_000), (61_000, 63_000)]);
}

#[test]
fn vsync_alone_begins_a_frame_at_each_notice_and_none_without() {
    let mut policy = ticker(Variant::VsyncAlone).make(HZ);
    // Somebody has to begin.
    expect(policy.as_mut(), &[(3_000, 3_000)]);
    assert_eq!(policy.plan(at(6_000)).wake_at, Timestamp::MAX);
    refresh(policy.as_mut(), 10_000);
    let plan = policy.plan(at(10_150));
    assert_eq!((plan.id, plan.wake_at), (PlanId(2), at(10_150)), "what was waited for in vain has no number");
    assert_eq!(policy.plan(at(13_000)).wake_at, Timestamp::MAX);
    // Two notices during one frame are one frame.
    refresh(policy.as_mut(), 20_000);
    refresh(policy.as_mut(), 30_000);
    expect(policy.as_mut(), &[(30_500, 30_500)]);
    assert_eq!(policy.plan(at(31_000)).wake_at, Timestamp::MAX);
}

#[test]
fn ticker_with_vsync_takes_its_phase_from_the_first_notice_and_moves_by_a_fifth() {
    let mut policy = ticker(Variant::Both).make(HZ);
    expect(policy.as_mut(), &[(3_000, 3_000)]);
    refresh(policy.as_mut(), 10_000);
    expect(policy.as_mut(), &[(10_150, 10_000), (14_000, 20_000)]);
    // A notice that is 1 ms late moves the tick by 0.2 ms.
    refresh(policy.as_mut(), 21_000);
    expect(policy.as_mut(), &[(21_150, 30_200)]);
    // Without notices the ticks go on.
    expect(policy.as_mut(), &[(34_000, 40_200), (44_000, 50_200)]);
}

fn outcome(kind: PolicyKind, display: DisplaySpec) -> crate::sim::Outcome {
    let scenario = Scenario { frames: 2_000, display, ..Scenario::default() };
    run(&scenario, kind.make_for(&scenario.display, None).as_mut())
}

#[test]
fn vsync_alone_shows_a_frame_at_every_refresh_and_loses_one_with_each_notice() {
    let jitter = Duration::ZERO;
    let o = outcome(ticker(Variant::VsyncAlone), DisplaySpec { jitter, ..DisplaySpec::at(60.0) });
    assert_eq!((o.frames, o.dropped, o.missed_vsyncs), (1_700, 0, 0));
    // A refresh less the 0.15 ms until its notice comes, and what the thread oversleeps.
    let begun = o.start_to_display.unwrap();
    assert!((16.3..16.52).contains(&begun.mean), "{begun:?}");
    let lossy =
        outcome(ticker(Variant::VsyncAlone), DisplaySpec { jitter, lost: 0.02, ..DisplaySpec::at(60.0) });
    let share = lossy.missed_vsyncs as f64 / lossy.refreshes as f64;
    assert!((0.01..0.03).contains(&share), "{share}");
}

#[test]
fn waiting_for_a_display_that_says_nothing_ends() {
    let silent = DisplaySpec { feedback: false, ..DisplaySpec::at(60.0) };
    // One frame in three refreshes, so that the display has something to speak of.
    let o = outcome(ticker(Variant::VsyncAlone), silent);
    assert!(o.frames == 1_700 && (100.0..101.0).contains(&o.seconds), "{} s", o.seconds);
    for (display, _) in crate::sim::presets::DISPLAYS {
        let scenario = crate::sim::presets::scenario(display, "noisy", 2_000).expect("a preset");
        let o = run(&scenario, ticker(Variant::VsyncAlone).make_for(&scenario.display, None).as_mut());
        assert_eq!(o.frames, 1_700, "{display}");
    }
}
