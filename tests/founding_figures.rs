//! What docs/delta-time.md says about the founding figures, recomputed.

#[path = "../examples/founding_figures.rs"]
mod figures;

use std::time::Duration;

use figures::{Events, FilterFigures, Lost, MS, P60, TickerFigures};
use scanout::pacing::{Alpha, ReferenceFilter};

/// The longer one of the two lengths that the tables have.
const LONG: usize = 100_000;

fn filter60(alpha: Alpha) -> ReferenceFilter {
    ReferenceFilter::new(Duration::from_nanos(P60 as u64), alpha)
}

/// The largest distance from the target, over a thousand frames without noise with one late one.
fn spike_left_by(filter: &mut ReferenceFilter) -> f64 {
    (0..1_000)
        .map(|i| if i == 500 { P60 + 18.3 * MS } else { P60 })
        .filter_map(|delta| filter.filter(delta as i64))
        .map(|dt| (dt - P60).abs() / MS)
        .fold(0.0, f64::max)
}

fn named<T>(rows: Vec<(&'static str, T)>, name: &str) -> T {
    rows.into_iter().find(|row| row.0 == name).unwrap_or_else(|| panic!("no row {name}")).1
}

fn filters(frames: usize, events: Events) -> [FilterFigures; 4] {
    let rows: Vec<_> =
        figures::filter_figures(&figures::trace(frames, events)).into_iter().map(|r| r.1).collect();
    rows.try_into().unwrap_or_else(|_| panic!("raw, stage 1 twice, stage 2"))
}

#[test]
fn documentation_has_the_table_that_the_example_prints() {
    let document = include_str!("../docs/delta-time.md").replace("\r\n", "\n");
    let report = figures::report();
    assert!(document.contains(&report), "docs/delta-time.md should contain:\n{report}");
}

#[test]
fn lone_spike_with_alpha_on_the_new_sample_leaves_15_6_ms() {
    let left = spike_left_by(&mut filter60(Alpha::OnNew));
    assert!((left - 0.85 * 18.3).abs() < 1e-3, "{left}");
}

#[test]
fn lone_spike_with_alpha_on_the_old_sample_leaves_2_7_ms() {
    let left = spike_left_by(&mut filter60(Alpha::OnOld));
    assert!((left - 0.15 * 18.3).abs() < 1e-3, "{left}");
}

#[test]
fn median_never_fires_on_a_lone_spike_at_60_hz() {
    for alpha in [Alpha::OnNew, Alpha::OnOld] {
        let mut filter = filter60(alpha);
        spike_left_by(&mut filter);
        assert_eq!(filter.medians(), 0);
    }
    // Nor on any number of them in a row: 18.3 ms over is no outlier where an outlier is 33.3 ms over.
    let mut filter = filter60(Alpha::OnNew);
    for _ in 0..10 {
        filter.filter((P60 + 18.3 * MS) as i64);
    }
    assert_eq!(filter.medians(), 0);
}

#[test]
fn median_deletes_time() {
    // One second at 60 Hz, two frames of 60 ms and one of 200, and a second more.
    let deltas = |i| match i {
        60 | 61 => 60.0 * MS,
        62 => 200.0 * MS,
        _ => P60,
    };
    for alpha in [Alpha::OnNew, Alpha::OnOld] {
        let mut filter = filter60(alpha);
        let (raw, sum) = (0..160).map(deltas).fold((0.0, 0.0), |(raw, sum), delta| {
            (raw + delta, sum + filter.filter(delta as i64).unwrap_or(0.0))
        });
        assert_eq!(filter.medians(), 1);
        // The frame of 200 ms counted as one of 60.
        assert!(((raw - sum) / MS - 140.0).abs() < 0.1, "{}", (raw - sum) / MS);
    }
}

#[test]
fn discarding_negative_deltas_adds_time() {
    // A stamp 20 ms early: its delta is negative, and the one after it is as much too long.
    let mut filter = filter60(Alpha::OnNew);
    let sum: f64 = [P60, P60, P60 - 20.0 * MS, P60 + 20.0 * MS, P60, P60, P60, P60, P60, P60]
        .into_iter()
        .filter_map(|delta| filter.filter(delta as i64))
        .sum();
    assert_eq!(filter.discarded(), 1);
    assert!(((sum - 10.0 * P60) / MS - (20.0 - P60 / MS)).abs() < 0.1);
}

#[test]
fn neither_reading_of_alpha_gives_what_was_claimed() {
    let [raw, on_new, on_old, _] = filters(1_000, Events::LoneSpike);
    assert!((raw.jitter / MS - 18.3).abs() < 0.5, "the trace is the claim's: {}", raw.jitter / MS);
    assert!(on_new.jitter > 15.0 * MS && on_old.jitter > 2.1 * MS);
    // On the old sample the spike is nearly gone, and with it the truth: the picture did stay up for two refreshes.
    assert!(on_old.error > 10.0 * MS && on_old.skew > 3.7 * MS);
}

#[test]
fn skew_of_stage_1_grows_with_the_run() {
    let short = filters(1_000, Events::Rough);
    let long = filters(100_000, Events::Rough);
    for i in [1, 2] {
        assert!(short[i].skew > 3.7 * MS && long[i].skew > 5.0 * short[i].skew);
    }
}

#[test]
fn stage_2_drifts_less_than_one_frame_and_follows_the_display() {
    for (frames, events) in [
        (1_000, Events::LoneSpike),
        (1_000, Events::Rough),
        (100_000, Events::Rough),
        (100_000, Events::Stalls),
    ] {
        let [.., stage_2] = filters(frames, events);
        assert!(stage_2.skew < P60, "{}", stage_2.skew / MS);
        if events == Events::Stalls {
            // Five stalls of half a second, less the tenth of one that a step may take: dropped, and said so.
            assert!((stage_2.dropped / MS - 5.0 * 416.7).abs() < 1.0, "{}", stage_2.dropped / MS);
        } else {
            assert!(stage_2.error <= P60 / 32.0, "{}", stage_2.error / MS);
        }
    }
}

#[test]
fn ticker_alone_wanders_through_the_whole_refresh() {
    let f: TickerFigures = named(figures::ticker_figures(Lost::None, LONG), "ticker alone");
    assert!(f.phase.1 > 0.49 * P60 && f.missed > 100);
    assert!(f.interval.0 < 0.3 * MS, "its own intervals show nothing of it");
}

#[test]
fn both_together_hold_the_phase_but_win_no_latency_by_themselves() {
    let both = named(figures::ticker_figures(Lost::None, LONG), "both");
    let vsync = named(figures::ticker_figures(Lost::None, LONG), "vsync alone");
    assert!(both.phase.0 < 0.3 * MS && vsync.phase.0 < 0.3 * MS);
    assert!(both.latency.0 > vsync.latency.0);
}

#[test]
fn a_deadline_known_ahead_is_what_wins_latency() {
    let vsync = named(figures::ticker_figures(Lost::None, LONG), "vsync alone");
    let late = named(figures::ticker_figures(Lost::None, LONG), "both, begun 5 ms before the refresh");
    assert!(late.latency.1 < vsync.latency.0 / 3.0);
    assert_eq!(late.missed, 0);
}

#[test]
fn lost_notices_stop_vsync_alone_and_not_both() {
    let rows = || figures::ticker_figures(Lost::Some, LONG);
    assert!(named(rows(), "vsync alone").missed > 300);
    assert_eq!(named(rows(), "both").missed, 0);
}
