use super::*;
use crate::time::Timestamp;

const MS: u64 = 1_000_000;

fn frame(id: u64, start_ms: u64, presented_ms: u64, animation_ms: u64) -> FrameRecord {
    let mut r = FrameRecord::new(FrameId(id));
    let at = |ms: u64| Timestamp::from_nanos(ms * MS);
    r.mark(Stage::InputSampled, at(start_ms));
    r.mark(Stage::SwapBegin, at(start_ms + 2));
    r.mark(Stage::SwapEnd, at(start_ms + 3));
    r.mark(Stage::Presented, at(presented_ms));
    r.animation_time = Duration::from_millis(animation_ms);
    r
}

fn mean(m: &Metrics, metric: Metric) -> f64 {
    m.get(metric).summary().unwrap().mean
}

#[test]
fn latch_to_photon_runs_from_the_latch_and_only_where_there_was_one() {
    let mut m = Metrics::new(Duration::ZERO);
    m.displayed(None, &frame(1, 0, 20, 0));
    let mut latched = frame(2, 10, 30, 10);
    latched.latched = Some(Timestamp::from_nanos(17 * MS));
    m.displayed(None, &latched);
    let (latch, sample) = (m.summary(Metric::LatchToPhoton), m.summary(Metric::SampleToPhoton));
    assert_eq!(latch.map(|s| (s.n, s.max.round())), Some((1, 13.0)));
    assert_eq!(sample.map(|s| (s.n, s.max.round())), Some((2, 20.0)));
}

#[test]
fn formulas_hold_on_a_worked_example() {
    let mut m = Metrics::new(Duration::from_millis(10));
    let a = frame(1, 100, 110, 10);
    let mut b = frame(2, 112, 130, 20);
    b.mark(Stage::InputReceived, Timestamp::from_nanos(105 * MS));
    m.displayed(None, &a);
    m.displayed(Some(&a), &b);
    assert!((mean(&m, Metric::ClickToPhoton) - 25.0).abs() < 1e-9);
    assert!((mean(&m, Metric::SampleToPhoton) - 14.0).abs() < 1e-9); // (10 + 18) / 2
    assert!((mean(&m, Metric::MsBetweenPresents) - 12.0).abs() < 1e-9);
    assert!((mean(&m, Metric::MsInPresentAPI) - 1.0).abs() < 1e-9);
    assert!((mean(&m, Metric::MsUntilDisplayed) - 12.0).abs() < 1e-9); // (8 + 16) / 2
    assert!((mean(&m, Metric::MsBetweenDisplayChange) - 20.0).abs() < 1e-9);
    assert!((mean(&m, Metric::DisplayLatency) - 27.0).abs() < 1e-9); // 130 - 103
    assert!((mean(&m, Metric::AnimationError) + 10.0).abs() < 1e-9); // moved 10, shown 20
    assert_eq!((m.refreshes(), m.missed_vsyncs(), m.animation_errors_over_half()), (2, 1, 1));
}

#[test]
fn thirty_frames_on_sixty_hertz_miss_nothing() {
    let mut m = Metrics::new(Duration::from_millis(10));
    m.set_refresh(Duration::from_millis(10), Duration::from_millis(20));
    let (a, b, c) = (frame(1, 100, 110, 20), frame(2, 120, 130, 40), frame(3, 140, 160, 60));
    m.displayed(Some(&a), &b);
    assert_eq!((m.refreshes(), m.missed_vsyncs()), (2, 0));
    m.displayed(Some(&b), &c);
    assert_eq!((m.refreshes(), m.missed_vsyncs()), (5, 1));
}

#[test]
fn uneven_numbers_of_refreshes_miss_nothing_where_the_rate_is_no_part_of_the_displays() {
    let refresh = Duration::from_micros(16_667);
    for (fps, lasts) in
        [(120.0, 1), (60.1, 1), (59.5, 1), (50.0, 2), (45.0, 2), (30.0, 2), (29.9, 2), (24.0, 3)]
    {
        let mut m = Metrics::new(refresh);
        m.set_refresh(refresh, Duration::from_secs_f64(1.0 / fps));
        assert_eq!(m.held_against().1, Some(lasts), "{fps}");
    }
}

#[test]
fn frame_after_idle_counts_no_interval() {
    let mut m = Metrics::new(Duration::from_millis(10));
    let a = frame(1, 100, 110, 10);
    let mut b = frame(2, 5_000, 5_010, 20);
    b.after_idle = true;
    m.displayed(None, &a);
    m.displayed(Some(&a), &b);
    assert_eq!(m.get(Metric::MsBetweenDisplayChange).count(), 0);
    assert_eq!((m.refreshes(), m.missed_vsyncs()), (0, 0));
    assert_eq!(m.get(Metric::SampleToPhoton).count(), 2);
}

#[test]
fn repeated_frame_has_no_sample_and_stale_one_an_animation_error() {
    let mut m = Metrics::new(Duration::from_millis(10));
    let a = frame(1, 100, 110, 10);
    let mut b = frame(2, 110, 120, 10);
    b.repeated = true;
    m.displayed(Some(&a), &b);
    assert_eq!(m.get(Metric::SampleToPhoton).count(), 0);
    assert_eq!(m.get(Metric::AnimationError).count(), 0);
    b.stale = true;
    m.displayed(Some(&a), &b);
    assert!((mean(&m, Metric::AnimationError) + 10.0).abs() < 1e-9);
}

#[test]
fn displayed_time_counts_idle_time_and_is_the_earlier_frames() {
    let mut m = Metrics::new(Duration::from_millis(10));
    let (a, mut b, c) = (frame(1, 100, 110, 10), frame(2, 500, 510, 20), frame(3, 510, 530, 30));
    b.after_idle = true;
    m.displayed(None, &a);
    assert_eq!(m.summary(Metric::DisplayedTime), None, "nobody knows yet how long it stays");
    m.displayed(Some(&a), &b);
    m.displayed(Some(&b), &c);
    let shown = m.summary(Metric::DisplayedTime).unwrap();
    assert_eq!((shown.n, shown.max, shown.min), (2, 400.0, 20.0));
}

#[test]
fn deadlines_are_missed_after_half_a_refresh_and_counted_only_where_there_are_some() {
    let mut m = Metrics::new(Duration::from_millis(10));
    let mut a = frame(1, 100, 110, 10);
    m.displayed(None, &a);
    assert_eq!((m.deadlines(), m.deadline_misses()), (0, 0));
    for (target_us, missed) in [(110_000, 0), (105_000, 0), (104_999, 1), (130_000, 1)] {
        a.target = Some(Timestamp::from_nanos(target_us * 1_000));
        m.displayed(None, &a);
        assert_eq!(m.deadline_misses(), missed, "target {target_us}");
    }
    assert_eq!(m.deadlines(), 4);
    m.set_refresh(Duration::ZERO, Duration::ZERO);
    m.displayed(None, &a);
    assert_eq!(m.deadlines(), 4, "half of what?");
}

#[test]
fn clock_drift_adds_up_and_leaves_idle_gaps_and_repeats_out() {
    let mut m = Metrics::new(Duration::from_millis(10));
    // Steps of 10 ms, begun 12, 9 and 11 ms apart: -2, -1, -2.
    let frames = [(1, 100, 10), (2, 112, 20), (3, 121, 30), (4, 132, 40)];
    let frames = frames.map(|(id, start, moved)| frame(id, start, start + 10, moved));
    m.displayed(None, &frames[0]);
    for pair in frames.windows(2) {
        m.displayed(Some(&pair[0]), &pair[1]);
    }
    let drift = m.summary(Metric::ClockDrift).unwrap();
    assert_eq!((drift.n, drift.max, drift.min), (3, -1.0, -2.0));
    let mut again = frame(5, 132, 150, 40);
    again.repeated = true;
    m.displayed(Some(&frames[3]), &again);
    let mut late = frame(6, 9_000, 9_010, 50);
    late.after_idle = true;
    m.displayed(Some(&again), &late);
    m.displayed(Some(&late), &frame(7, 9_010, 9_020, 65));
    let drift = m.summary(Metric::ClockDrift).unwrap();
    assert_eq!((drift.n, drift.max), (4, 3.0));
}

#[test]
fn vsync_jitter_is_about_the_nominal_interval_and_skips_gaps() {
    let mut m = Metrics::new(Duration::from_millis(10));
    assert_eq!((m.vsync_jitter(), m.summary(Metric::VsyncJitter)), (None, None));
    let at = |us: u64, sequence| VblankSample {
        at: Timestamp::from_nanos(us * 1_000),
        sequence,
        period: None,
        origin: crate::pacing::Origin::Hardware,
    };
    // 11 and 9 ms; then one is missing; then, without numbers, 10 and 30 ms.
    for (us, n) in [(0, Some(1)), (11_000, Some(2)), (20_000, Some(3)), (33_000, Some(5))] {
        m.vblank(at(us, n));
    }
    assert!((m.vsync_jitter().unwrap() - 0.1).abs() < 1e-9, "{:?}", m.vsync_jitter());
    for us in [43_000, 73_000] {
        m.vblank(at(us, None));
    }
    assert_eq!(m.get(Metric::VsyncJitter).count(), 3);
    // Another display: nothing lies between its blanks and the old one's.
    m.set_refresh(Duration::from_millis(5), Duration::from_millis(5));
    m.vblank(at(78_000, None));
    assert_eq!(m.get(Metric::VsyncJitter).count(), 3);
    let mut unknown = Metrics::new(Duration::ZERO);
    unknown.vblank(at(0, None));
    unknown.vblank(at(9_000, None));
    assert_eq!(unknown.vsync_jitter(), None);
}

#[test]
fn phase_error_and_spin_time_are_absent_until_they_are_fed() {
    let mut m = Metrics::new(Duration::from_millis(10));
    m.displayed(None, &frame(1, 100, 110, 10));
    assert_eq!((m.summary(Metric::PhaseError), m.summary(Metric::SpinTime), m.spun()), (None, None, None));
    m.phase_error(-2_000_000);
    m.phase_error(1_000_000);
    let phase = m.summary(Metric::PhaseError).unwrap();
    assert_eq!((phase.n, phase.min, phase.max), (2, -2.0, 1.0));
    for us in [0, 150] {
        let mut f = frame(2, 110, 120, 20);
        f.spun = Some(Duration::from_micros(us));
        m.displayed(None, &f);
    }
    assert_eq!(m.spun(), Some(Duration::from_micros(150)));
}

#[test]
fn metric_names_and_formulas_are_present() {
    assert_eq!(Metric::MsInPresentAPI.name(), "MsInPresentAPI");
    assert!(Metric::ALL.iter().all(|m| !m.formula().is_empty()));
}
