use super::*;
use crate::pacing::{Origin, Presentation};
use crate::stats::{FrameRecord, Metric, Stage};
use crate::time::Timestamp;

fn at(us: u64) -> Timestamp {
    Timestamp::from_nanos(us * 1_000)
}

fn frame(id: u64, input_us: Option<u64>) -> FrameRecord {
    let mut r = FrameRecord::new(FrameId(id));
    r.set(Stage::InputReceived, input_us.map(at));
    r.mark(Stage::InputSampled, at(id * 1_000));
    r.mark(Stage::SwapBegin, at(id * 1_000 + 500));
    r
}

#[test]
fn frames_finish_in_order_when_both_times_are_known() {
    let mut rec = Recorder::new(0, Duration::from_millis(1));
    rec.submitted(frame(1, None));
    rec.submitted(frame(2, None));
    rec.gpu_done(FrameId(2), at(2_600));
    rec.presented(FrameId(2), Presentation::At(at(2_700), Origin::Hardware));
    assert_eq!(rec.counters().measured, 0, "frame 1 is still open");
    rec.presented(FrameId(1), Presentation::Estimated(at(1_700)));
    rec.gpu_done(FrameId(1), at(1_600));
    assert_eq!(rec.counters().measured, 2);
    assert!(!rec.has_pending());
    assert_eq!(rec.recent().map(|r| r.id.0).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn frames_that_are_kept_apart_are_in_no_figure() {
    let mut rec = Recorder::new(0, Duration::from_millis(1));
    for id in 1..=6 {
        let mut record = frame(id, None);
        record.apart = (3..=4).contains(&id);
        rec.submitted(record);
        rec.presented(FrameId(id), Presentation::Estimated(at(id * 1_000 + 700)));
        rec.gpu_done(FrameId(id), at(id * 1_000 + 600));
    }
    let c = rec.counters();
    assert_eq!((c.frames, c.measured, c.apart), (4, 4, 2));
    let n = |metric| rec.metrics().get(metric).count();
    assert_eq!(n(Metric::SampleToPhoton), 4);
    assert_eq!(n(Metric::MsBetweenDisplayChange), 2, "1 to 2 and 5 to 6");
    assert_eq!(rec.metrics().refreshes(), 2);
}

#[test]
fn frames_that_are_kept_apart_are_counted_as_nothing_else() {
    let mut rec = Recorder::new(0, Duration::from_millis(1));
    for id in 1..=8 {
        let mut record = frame(id, None);
        (record.apart, record.repeated, record.stale) = (id > 2, true, true);
        rec.submitted(record);
        // Shown, dropped, told at a time that cannot be, and nothing told.
        let told = match id % 4 {
            1 => Some(Presentation::Estimated(at(id * 1_000 + 700))),
            2 => Some(Presentation::Dropped),
            3 => Some(Presentation::Estimated(at(1))),
            _ => None,
        };
        told.map(|told| rec.presented(FrameId(id), told));
        rec.gpu_done(FrameId(id), at(id * 1_000 + 600));
    }
    rec.finish();
    for id in 1..=8 {
        rec.gpu_pass(FrameId(id), "scene", 1_000);
        rec.told_after(FrameId(id), 1_000);
    }
    let c = rec.counters();
    assert_eq!((c.frames, c.apart, c.measured), (2, 6, 1));
    assert_eq!((c.repeated, c.stale, c.dropped, c.unfinished, c.contradicted), (2, 2, 1, 0, 0));
    assert_eq!(rec.display_times_late().count(), 2);
    assert_eq!(rec.gpu_passes().iter().map(|(_, times)| times.count()).collect::<Vec<_>>(), [2]);
}

#[test]
fn dropped_frame_hands_its_input_to_the_next_displayed() {
    let mut rec = Recorder::new(0, Duration::ZERO);
    rec.submitted(frame(1, Some(100)));
    rec.presented(FrameId(1), Presentation::Dropped);
    rec.submitted(frame(2, Some(1_900)));
    rec.presented(FrameId(2), Presentation::Estimated(at(2_100)));
    rec.gpu_done(FrameId(2), at(2_000));
    let click = rec.metrics().get(Metric::ClickToPhoton).summary().unwrap();
    assert_eq!(click.n, 1);
    assert!((click.mean - 2.0).abs() < 1e-9, "{}", click.mean);
    assert_eq!(rec.counters().dropped, 1);
}

#[test]
fn gap_before_a_dropped_frame_is_no_interval_of_the_next() {
    let mut rec = Recorder::new(0, Duration::ZERO);
    for (id, shown_us) in [(1, Some(2_000)), (2, None), (3, Some(900_000)), (4, Some(916_000))] {
        let mut record = frame(id, None);
        record.after_idle = id == 2;
        rec.submitted(record);
        rec.gpu_done(FrameId(id), at(id * 1_000 + 600));
        let shown = shown_us.map(|us| Presentation::At(at(us), Origin::Compositor));
        rec.presented(FrameId(id), shown.unwrap_or(Presentation::Dropped));
    }
    let steps = rec.metrics().get(Metric::MsBetweenDisplayChange).summary().unwrap();
    assert_eq!((steps.n, steps.max.round()), (1, 16.0));
}

#[test]
fn display_time_that_comes_dozens_of_frames_later_is_measured() {
    // 1,500 frames per second, of which a compositor shows every 25th and says so 36 ms later.
    let mut rec = Recorder::new(0, Duration::ZERO);
    for id in 1..=1_000 {
        rec.submitted(frame(id, None));
        rec.gpu_done(FrameId(id), at(id * 1_000 + 600));
        let Some(told) = id.checked_sub(54).filter(|id| *id > 0) else { continue };
        let shown = Presentation::At(at(told * 1_000 + 9_000), Origin::Compositor);
        rec.presented(FrameId(told), if told % 25 == 0 { shown } else { Presentation::Dropped });
    }
    assert_eq!((rec.counters().measured, rec.counters().unfinished), (946 / 25, 0));
}

#[test]
fn display_times_never_run_backwards() {
    let mut rec = Recorder::new(0, Duration::ZERO);
    (1..=6).for_each(|id| rec.submitted(frame(id, None)));
    // Told in no order; 2 before 1, and 4 after 5, cannot be.
    let told = [(1, 20), (3, 40), (2, 10), (5, 60), (4, 61), (6, 60)].map(|(id, ms)| {
        let said = Presentation::At(at(ms * 1_000), Origin::Compositor);
        (id, rec.presented(FrameId(id), said) == said)
    });
    assert_eq!(told, [(1, true), (3, true), (2, false), (5, true), (4, false), (6, true)]);
    (1..=6).for_each(|id| rec.gpu_done(FrameId(id), at(id * 1_000)));
    let c = rec.counters();
    assert_eq!((c.measured, c.dropped, c.contradicted), (4, 2, 2));
    // A frame that is finished still counts as the one before.
    rec.submitted(frame(7, None));
    assert_eq!(rec.presented(FrameId(7), Presentation::Estimated(at(59_000))), Presentation::Dropped);
    let step = rec.metrics().get(Metric::MsBetweenDisplayChange).summary().unwrap();
    assert!(step.min >= 0.0, "{step:?}");
}

#[test]
fn feedback_that_never_comes_is_counted_and_holds_nothing_up() {
    let mut rec = Recorder::new(0, Duration::ZERO);
    for id in 1..=500 {
        rec.submitted(frame(id, None));
    }
    assert_eq!(rec.counters().unfinished, 500 - PENDING as u64);
    // Late, duplicate and foreign feedback is ignored.
    rec.gpu_done(FrameId(1), at(1));
    rec.presented(FrameId(5_000), Presentation::Dropped);
    rec.finish();
    assert_eq!(rec.counters().unfinished, 500);
    assert!(!rec.has_pending());
}

#[test]
fn warmup_frames_are_left_out() {
    let mut rec = Recorder::new(3, Duration::ZERO);
    for id in 1..=5 {
        rec.submitted(frame(id, None));
        rec.gpu_done(FrameId(id), at(id * 1_000 + 600));
        rec.presented(FrameId(id), Presentation::Estimated(at(id * 1_000 + 700)));
    }
    assert_eq!((rec.counters().frames, rec.counters().measured), (5, 2));
    assert_eq!(rec.metrics().get(Metric::MsBetweenPresents).count(), 1);
}

#[test]
fn queue_depth_counts_frames_whose_gpu_work_was_open_at_the_start() {
    let began = |id: u64, us: u64| {
        let mut r = frame(id, None);
        r.mark(Stage::SnapshotAcquired, at(us));
        r
    };
    let mut rec = Recorder::new(0, Duration::ZERO);
    rec.submitted(began(1, 1_000));
    rec.submitted(began(2, 2_000));
    rec.gpu_done(FrameId(1), at(2_500));
    rec.submitted(began(3, 2_400)); // 1 was done only after this one had begun
    rec.submitted(began(4, 3_000));
    rec.gpu_done(FrameId(2), at(3_100));
    rec.gpu_done(FrameId(3), at(3_100));
    rec.gpu_done(FrameId(4), at(3_900));
    rec.submitted(began(5, 4_000));
    rec.gpu_done(FrameId(5), at(4_100));
    for id in 1..=5 {
        rec.presented(FrameId(id), Presentation::Estimated(at(id * 1_000 + 900)));
    }
    let queued: Vec<_> = rec.recent().map(|r| r.queued).collect();
    assert_eq!(queued, [Some(0), None, Some(2), Some(2), Some(0)], "nobody had spoken before frame 2");
    let depth = rec.metrics().summary(Metric::QueueDepth).unwrap();
    assert_eq!((depth.n, depth.mean, depth.max), (4, 1.0, 2.0));
}

#[test]
fn vblanks_of_the_warm_up_are_left_out() {
    let mut rec = Recorder::new(1, Duration::from_millis(10));
    let tick = |rec: &mut Recorder, n: u64| {
        rec.vblank(VblankSample {
            at: at(n * 10_000),
            sequence: Some(n),
            period: None,
            origin: Origin::Hardware,
        });
        rec.phase_error(1);
    };
    (1..4).for_each(|n| tick(&mut rec, n));
    assert_eq!(rec.metrics().summary(Metric::VsyncJitter), None);
    assert_eq!(rec.metrics().summary(Metric::PhaseError), None);
    rec.submitted(frame(1, None));
    (4..7).for_each(|n| tick(&mut rec, n));
    assert_eq!(rec.metrics().get(Metric::VsyncJitter).count(), 2);
    assert_eq!(rec.metrics().get(Metric::PhaseError).count(), 3);
}

#[test]
fn recent_keeps_the_last_ones_oldest_first() {
    let mut rec = Recorder::new(0, Duration::ZERO);
    for id in 1..=RECENT as u64 + 10 {
        rec.submitted(frame(id, None));
        rec.presented(FrameId(id), Presentation::Dropped);
    }
    let ids: Vec<u64> = rec.recent().map(|r| r.id.0).collect();
    assert_eq!(ids.len(), RECENT);
    assert!(ids.is_sorted() && ids[0] == 11);
}
