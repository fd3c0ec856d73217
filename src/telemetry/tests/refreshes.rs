use super::*;

#[test]
fn refreshes_give_a_reader_the_jitter_and_the_phase_errors_of_the_run() {
    let mut rig = Rig::new();
    let mut reader = rig.telemetry.reader();
    let [mut own, mut read] = [(); 2].map(|()| Recorder::new(0, Duration::from_millis(1)));
    let mut last = None;
    for n in 1..=400 {
        let error = (n > 10).then_some((n as i64 * 7 % 90 - 45) * 1_000);
        rig.frames.refreshed(&vblank(n), error);
        error.into_iter().for_each(|ns| own.phase_error(ns));
        own.vblank(vblank(n));
        if n % 100 == 0 {
            let given = reader.refreshes(|refresh| {
                refresh.phase_error.into_iter().for_each(|ns| read.phase_error(ns));
                read.vblank(refresh.sample);
                last = Some(refresh);
            });
            assert_eq!(given, 100);
        }
    }
    assert_eq!(last.map(|refresh| refresh.sample), Some(vblank(400)));
    for metric in [crate::stats::Metric::VsyncJitter, crate::stats::Metric::PhaseError] {
        let summary = own.metrics().summary(metric).expect("told");
        assert!(summary.n > 380 && summary.min < 0.0, "{summary:?}");
        assert_eq!(read.metrics().summary(metric), Some(summary));
    }
}

#[test]
fn reader_that_comes_late_for_refreshes_goes_on_with_the_newest_and_nonsense_is_refused() {
    let mut rig = Rig::new();
    let mut reader = rig.telemetry.reader();
    (1..=1_000).for_each(|n| rig.frames.refreshed(&vblank(n), None));
    let mut seen = Vec::new();
    assert_eq!(reader.refreshes(|refresh| seen.push(refresh.sample)), REFRESHES.rows as u64 / 2 + 1);
    assert_eq!((seen.first(), seen.last()), (Some(&vblank(872)), Some(&vblank(1_000))));
    assert_eq!(reader.refreshes(|_| ()), 0, "each comes once");
    rig.frames.refreshed(&vblank(1_001), Some(i64::MIN));
    rig.frames.refreshed(&vblank(1_002), None);
    assert_eq!((reader.refreshes(|refresh| seen.push(refresh.sample)), reader.refused()), (1, 1));
}
