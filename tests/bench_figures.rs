//! What the benches on screens compute from what they saw: intervals against times in which the machine stood, and a deviation
//! without the widest of them.

#![allow(dead_code, reason = "the benches use the rest")]
#![allow(clippy::disallowed_methods, reason = "one moment, for all others to be counted from")]

use std::time::{Duration, Instant};

#[path = "../benches/support/beat.rs"]
mod beat;
#[path = "../benches/support/figures.rs"]
mod figures;
#[path = "../benches/support/refreshes.rs"]
mod refreshes;
#[path = "../benches/support/ticks.rs"]
mod ticks;

use beat::Beat;
use figures::{deviation, deviation_without_widest};
use refreshes::{Refreshes, Stood};
use ticks::{Stop, Stops, Ticks};

const PERIOD: Duration = Duration::from_millis(10);

fn after(origin: Instant, ms: f64) -> Instant {
    // So that there is room before the first change.
    origin + Duration::from_secs_f64(1.0 + ms * 1e-3)
}

fn stop(origin: Instant, from: f64, to: f64) -> Stop {
    (after(origin, from), after(origin, to))
}

/// A hundred changes 10 ms apart but for those at `late`, which come so many milliseconds late.
fn changes(origin: Instant, late: &[(usize, f64)]) -> Vec<Instant> {
    let off = |i| late.iter().find(|(n, _)| *n == i).map_or(0.0, |(_, ms)| *ms);
    (0..100).map(|i| after(origin, i as f64 * 10.0 + off(i))).collect()
}

#[test]
fn witnesses_run_at_the_same_times_in_each_period_and_away_from_what_happens() {
    let origin = Instant::now();
    let us = |us: u64| origin + Duration::from_micros(us);
    let beat = Beat::within_from(origin, PERIOD);
    assert_eq!(beat.every, Duration::from_micros(500));
    let turns =
        |from: Instant, n: usize| std::iter::successors(Some(from), |t| Some(beat.next(*t))).skip(1).take(n);
    assert!(turns(us(0), 40).eq((1..=40).map(|n| us(500 * n))));
    // A late turn is made up for at once, and the one after it comes when it would have come anyway.
    assert_eq!([us(700), us(800)].map(|late| beat.next(late)), [us(1_000), us(1_500)]);
    beat.keep_away_from(us(30_400));
    let times: Vec<Instant> = turns(us(60_000), 20).collect();
    assert_eq!((times[0], times[19]), (us(60_525), us(70_025)), "125 us after what happens at 60,400");
    assert_eq!(beat.next(us(10)), us(525), "before the first of them");
    assert_eq!(
        Beat::within_from(origin, Duration::from_nanos(8_333_333)).every * 17,
        Duration::from_nanos(8_333_332)
    );
}

#[test]
fn interval_in_which_a_witness_stood_is_left_out_with_its_recoil() {
    let origin = Instant::now();
    let at = changes(origin, &[(20, 3.0), (60, 4.0)]);
    // The change at 200 ms came at 203 because of it; the one at 600 was late without.
    let stops = Stops::of([stop(origin, 199.5, 202.5)]);
    let ticks = Ticks::of(&at, &[], Some(&stops), PERIOD);
    let figures = ticks.regularity();
    assert_eq!((ticks.machine, ticks.unobserved, ticks.of), (Some(2), 0, 97));
    assert!((figures.worst - 4_000.0).abs() < 1.0, "{figures:?}");
    // Both ends of what the program did itself are still there: +4 and -4 of 97.
    let own = (2.0 * 16.0 / 97.0_f64).sqrt() * 1e3;
    assert!((figures.sd - own).abs() < 1.0, "{figures:?}");
}

#[test]
fn interval_beside_a_stop_is_kept() {
    let origin = Instant::now();
    let at = changes(origin, &[]);
    let left_out = |from, to| {
        let stops = Stops::of([stop(origin, from, to)]);
        Ticks::of(&at, &[], Some(&stops), PERIOD).machine.expect("witnesses")
    };
    // In the interval to 210 ms and, because that change may be late by it, the one that begins there.
    assert_eq!(left_out(203.0, 204.0), 2);
    // Over a change: in the intervals to 210 and to 220 ms, and the one after.
    assert_eq!(left_out(209.0, 211.0), 3);
    // Before everything and after everything.
    assert_eq!((left_out(-30.0, -20.0), left_out(995.0, 999.0)), (0, 0));
    assert_eq!(left_out(-5.0, -1.0), 1, "the first change may be late by it");
}

#[test]
fn missed_tick_in_a_stop_is_not_counted_as_missed() {
    let origin = Instant::now();
    let mut at = changes(origin, &[]);
    at.remove(70);
    at.remove(30);
    let all = Ticks::of(&at, &[], None, PERIOD);
    assert_eq!((all.missed, all.of, all.machine), (2, 99, None));
    let stops = Stops::of([stop(origin, 295.0, 305.0)]);
    let told = Ticks::of(&at, &[], Some(&stops), PERIOD);
    assert_eq!((told.missed, told.machine), (1, Some(2)));
}

#[test]
fn interval_in_which_the_observer_was_stopped_counts_once_for_both() {
    let origin = Instant::now();
    let at = changes(origin, &[]);
    let blind = [stop(origin, 503.0, 505.0)];
    let alone = Ticks::of(&at, &blind, None, PERIOD);
    assert_eq!((alone.unobserved, alone.machine, alone.of), (1, None, 98));
    let stops = Stops::of([stop(origin, 503.0, 505.0)]);
    let both = Ticks::of(&at, &blind, Some(&stops), PERIOD);
    assert_eq!((both.unobserved, both.machine, both.of), (1, Some(2), 97));
}

#[test]
fn stops_of_several_witnesses_are_one_where_they_overlap() {
    let origin = Instant::now();
    let stops = Stops::of([
        stop(origin, 50.0, 52.0),
        stop(origin, 10.0, 20.0),
        // Within the one before it, and one that goes on after both.
        stop(origin, 12.0, 13.0),
        stop(origin, 19.0, 25.0),
    ]);
    let lengths: Vec<u128> = stops.lengths().map(|length| length.as_micros()).collect();
    assert_eq!(lengths, [15_000, 2_000]);
    let between = |from, to| stops.between(after(origin, from), after(origin, to));
    assert!(between(0.0, 11.0) && between(24.0, 40.0) && between(14.0, 15.0) && between(0.0, 100.0));
    assert!(!between(0.0, 10.0) && !between(25.0, 50.0) && !between(52.0, 99.0));
}

#[test]
fn deviation_without_widest_leaves_out_both_ends() {
    // 198 values that are off by 1 in turn, one long and one short: two are the widest hundredth of 200.
    let mut values: Vec<f64> = (0..198).map(|i| if i % 2 == 0 { 9.0 } else { 11.0 }).collect();
    values.extend([2.0, 18.0]);
    assert!((deviation_without_widest(&values, 10.0) - 1.0).abs() < 1e-12);
    assert!(deviation(&values) > 1.2);
    // Of fewer than a hundred one goes.
    assert_eq!(deviation_without_widest(&[10.0, 10.0, 13.0], 10.0), 0.0);
    assert!(deviation_without_widest(&[10.0], 10.0).is_nan());
    assert!(deviation_without_widest(&[], 10.0).is_nan());
}

#[test]
fn turns_together_have_all_intervals_and_no_intervals_no_figures() {
    let origin = Instant::now();
    let none = Stops::default();
    let [calm, late] =
        [&[][..], &[(40, 2.0)][..]].map(|late| Ticks::of(&changes(origin, late), &[], Some(&none), PERIOD));
    let both = Ticks::together([&calm, &late].into_iter());
    assert_eq!((both.of, both.machine), (198, Some(0)));
    let expected = (2.0 * 4.0 / 198.0_f64).sqrt() * 1e3;
    assert!((both.regularity().sd - expected).abs() < 1.0, "{:?}", both.regularity());
    // One turn without witnesses, and nobody can say it of the sum.
    let blind = Ticks::of(&changes(origin, &[]), &[], None, PERIOD);
    assert_eq!(Ticks::together([&calm, &blind].into_iter()).machine, None);
    let nothing = Ticks::of(&[], &[], None, PERIOD).regularity();
    assert!([nothing.sd, nothing.sd_trimmed, nothing.middle, nothing.worst].iter().all(|f| f.is_nan()));
}

#[test]
fn refresh_without_a_frame_is_the_machines_where_it_stood_meanwhile() {
    let origin = Instant::now();
    let mut at = changes(origin, &[]);
    // Two refreshes in a row without a frame, and one.
    at.drain(70..72);
    at.remove(30);
    let pairs = || at.windows(2).map(|pair| (pair[0], pair[1]));
    let alone = Refreshes::between(pairs(), PERIOD, None);
    assert_eq!(alone, Refreshes { of: 99, repeated: 3, stood: None });
    let told = |from, to| {
        Refreshes::between(pairs(), PERIOD, Some(&Stops::of([stop(origin, from, to)])))
            .stood
            .expect("witnesses")
    };
    // While the frame that is missing at 300 ms was made, and after the next had come.
    assert_eq!(told(283.0, 284.0), Stood { repeated: 1, of: 3 });
    assert_eq!(told(311.0, 312.0), Stood { repeated: 0, of: 2 });
    assert_eq!(told(690.0, 719.0), Stood { repeated: 2, of: 4 });
    let both = Refreshes::together([alone, Refreshes { stood: Some(Stood::default()), ..alone }].into_iter());
    assert_eq!(both, Refreshes { of: 198, repeated: 6, stood: None });
}
