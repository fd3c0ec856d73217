use super::simulated::{Order, Plan, pair};
use super::*;
use crate::app::bench::made_up;

const TURNS: Plan = Plan {
    order: Order::Interleaved,
    scenarios: 6,
    rounds: 20,
    frames: 60,
    drift: 0.5,
    starts: 0.05,
    slower: 0.0,
};

/// How many of so many comparisons say that the new build is slower, and that anything differs.
fn alarms(plan: &Plan, of: u64) -> (u64, u64) {
    let compared = (0..of).map(|seed| {
        let [base, new] = pair(seed, plan);
        compare(&base, &new, &Options::default())
    });
    compared.fold((0, 0), |(slower, any), c| {
        let differs = c.shifts().any(|s| s.verdict != Verdict::NoDifferenceShown);
        (slower + u64::from(c.regressed()), any + u64::from(differs))
    })
}

#[test]
fn interleaved_comparison_of_a_build_with_itself_raises_few_alarms() {
    let (_, any) = alarms(&TURNS, 100);
    assert!(any <= 5, "{any} of 100");
}

#[test]
fn interleaved_comparison_finds_half_a_millisecond() {
    let (slower, _) = alarms(&Plan { slower: 0.5, ..TURNS }, 100);
    assert!(slower >= 95, "{slower} of 100");
}

#[test]
fn a_slower_base_makes_the_new_build_faster() {
    let [slow, quick] = pair(1, &Plan { slower: -0.5, ..TURNS });
    let comparison = compare(&slow, &quick, &Options::default());
    assert!(!comparison.regressed());
    let sample = comparison.scenarios[0].metrics.iter().find(|m| m.metric == "SampleToPhoton").unwrap();
    assert_eq!(sample.median.verdict, Verdict::Faster);
    assert!(sample.median.high < 0.0 && sample.cliffs_delta < -0.2, "{sample:?}");
}

/// One run each without drift: the frames alone have to say how certain they are.
#[test]
fn one_run_each_raises_few_alarms_where_nothing_drifts() {
    let plan = Plan {
        order: Order::OneRun,
        scenarios: 1,
        rounds: 1,
        frames: 400,
        drift: 0.0,
        starts: 0.0,
        slower: 0.0,
    };
    let (_, any) = alarms(&plan, 40);
    assert!(any <= 2, "{any} of 40");
    let (slower, _) = alarms(&Plan { slower: 0.8, ..plan }, 10);
    assert!(slower >= 9, "{slower} of 10");
}

/// The tables of docs/comparing.md: cargo test --bin scanout -- --ignored --nocapture how_often
#[test]
#[ignore = "tables for the docs, of more runs than a test needs"]
#[allow(clippy::print_stdout, reason = "this is what it is for")]
fn how_often_comparisons_err() {
    use Order::{Interleaved, OneAfterTheOther};
    const RUNS: u64 = 400;
    println!("| order | rounds x frames | drift | false alarms | 0.25 ms found | 0.5 ms found |");
    println!("|---|---|---|---|---|---|");
    for (order, rounds, frames, drift) in [
        (Interleaved, 20, 60, 0.0),
        (Interleaved, 20, 60, 0.5),
        (Interleaved, 20, 60, 1.0),
        (Interleaved, 12, 60, 0.5),
        (Interleaved, 10, 120, 0.5),
        (Interleaved, 40, 60, 1.0),
        (OneAfterTheOther, 20, 60, 0.0),
        (OneAfterTheOther, 20, 60, 0.5),
    ] {
        let plan = Plan { order, rounds, frames, drift, ..TURNS };
        let share = |n: u64| 100.0 * n as f64 / RUNS as f64;
        let any = share(alarms(&plan, RUNS).1);
        let [small, large] = [0.25, 0.5].map(|slower| share(alarms(&Plan { slower, ..plan }, RUNS).0));
        println!(
            "| {order:?} | {rounds} x {frames} | {drift} ms | {any:.1} % | {small:.1} % | {large:.1} % |"
        );
    }
}

#[test]
fn holm_allows_for_the_number_of_comparisons() {
    // By itself p is below 5 %; among many it is not.
    let [base, new] = pair(3, &TURNS);
    let shift = Shift {
        base: 5.0,
        new: 5.4,
        shift: 0.4,
        low: 0.1,
        high: 0.7,
        p: 0.01,
        p_adjusted: 1.0,
        verdict: Verdict::NoDifferenceShown,
    };
    let mut comparison = compare(&base, &new, &Options::default());
    let metrics: Vec<&mut MetricComparison> =
        comparison.scenarios.iter_mut().flat_map(|s| &mut s.metrics).collect();
    for (i, m) in metrics.into_iter().enumerate() {
        (m.median, m.p99) = (Shift { p: if i == 0 { 0.01 } else { 0.6 }, ..shift }, None);
    }
    let mut alone = comparison.clone();
    judge(&mut comparison);
    assert_eq!(comparison.slower(), Vec::<String>::new());
    alone.scenarios.truncate(1);
    alone.scenarios[0].metrics.truncate(1);
    judge(&mut alone);
    assert_eq!(alone.slower(), ["scenario-0 ClickToPhoton P50"]);
}

#[test]
fn what_is_certain_but_too_small_to_matter_is_not_reported() {
    let [base, new] = pair(4, &Plan { slower: 0.5, drift: 0.0, ..TURNS });
    assert!(compare(&base, &new, &Options::default()).regressed());
    for options in [
        Options { smallest_ms: 2.0, ..Options::default() },
        Options { smallest_share: 0.3, ..Options::default() },
    ] {
        assert!(!compare(&base, &new, &options).regressed());
    }
}

#[test]
fn a_result_does_not_differ_from_itself() {
    let result = made_up::result(1, 0.0);
    let comparison = compare(&result, &result, &Options::default());
    assert!(comparison.shifts().count() > 2);
    assert!(comparison.shifts().all(|s| s.shift == 0.0 && s.verdict == Verdict::NoDifferenceShown));
    assert!(!comparison.regressed() && comparison.remarks.is_empty());
}

#[test]
fn scenarios_without_a_counterpart_are_named_and_those_that_broke_close_the_gate() {
    let base = made_up::result(1, 0.0);
    let mut new = made_up::result(2, 0.0);
    new.scenarios[0].error = Some("it died".into());
    new.scenarios[1].name = "other".into();
    let comparison = compare(&base, &new, &Options::default());
    assert!(comparison.regressed());
    assert_eq!(comparison.broken, ["flash-auto: it died"]);
    assert_eq!(comparison.only_base, ["swarm-immediate: not in the new result"]);
    assert_eq!(comparison.only_new, ["other: not in the base"]);
    let table = comparison.to_table();
    assert!(table.contains("it died") && table.contains("other: not in the base"), "{table}");
}

#[test]
fn the_verdicts_alone_are_what_is_shown_and_what_follows() {
    let [base, new] = pair(1, &Plan { slower: 1.0, drift: 0.0, ..TURNS });
    let text = compare(&base, &new, &Options::default()).verdicts();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.iter().any(|l| l.starts_with("slower: SampleToPhoton P50 of scenario-0")), "{text}");
    assert!(lines.last().unwrap().starts_with("regression: slower in"), "{text}");
    assert!(!text.contains("no difference shown"), "{text}");
    assert_eq!(compare(&base, &base, &Options::default()).verdicts(), "no regression shown\n");
}

#[test]
fn results_that_have_nothing_in_common_are_no_comparison() {
    let base = made_up::result(1, 0.0);
    let mut new = made_up::result(2, 0.0);
    assert!(!compare(&base, &new, &Options::default()).is_empty());
    new.scenarios[0].name = "other".into();
    let comparison = compare(&base, &new, &Options::default());
    assert!(comparison.is_empty() && !comparison.regressed());
    assert!(comparison.to_table().contains("nothing could be compared"));
}

#[test]
fn what_makes_two_results_hard_to_compare_is_said() {
    let base = made_up::result(1, 0.0);
    let mut new = made_up::result(2, 0.0);
    new.machine.cores = 8;
    new.scenarios[0].size = [1280, 720];
    new.scenarios[0].samples.remove("ClickToPhoton");
    let comparison = compare(&base, &new, &Options::default());
    assert_eq!(comparison.remarks, ["the numbers of cores differ: \"2\" and \"8\""]);
    let remarks = &comparison.scenarios[0].remarks;
    assert!(remarks.iter().any(|r| r.contains("640x360") && r.contains("1280x720")), "{remarks:?}");
    assert!(remarks.iter().any(|r| r.contains("ClickToPhoton: not measured on the new side")), "{remarks:?}");
}

#[test]
fn absurd_values_make_no_panic() {
    let base = made_up::result(1, 0.0);
    for ms in [vec![], vec![0.0], vec![1e300; 3], vec![-5.0, f64::MAX, f64::MIN, 0.0, 1.0]] {
        let mut new = base.clone();
        for samples in new.scenarios[0].samples.values_mut() {
            samples.ms.clone_from(&ms);
        }
        for (a, b) in [(&base, &new), (&new, &base), (&new, &new)] {
            let _ = compare(a, b, &Options::default()).to_table();
        }
    }
}
