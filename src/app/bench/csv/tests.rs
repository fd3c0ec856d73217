use super::row::NA;
use super::*;
use crate::app::bench::made_up;
use std::collections::HashMap;

type Row = HashMap<String, String>;

fn rows(runs: &[Frames<'_>]) -> Vec<Row> {
    let text = to_csv(runs).unwrap();
    csv::Reader::from_reader(&text[..]).deserialize().collect::<Result<_, _>>().unwrap()
}

fn number(row: &Row, column: &str) -> Option<f64> {
    match row[column].as_str() {
        NA => None,
        text => Some(text.parse().unwrap_or_else(|_| panic!("{column}: {text}"))),
    }
}

/// Three frames and a dropped one, by hand: times in milliseconds.
fn worked() -> Vec<FrameRow> {
    let ns = |ms: u64| Some(ms * 1_000_000);
    let row = |id, smp, sub, end, gpu, disp, sim: u64| FrameRow {
        id,
        input_sampled: ns(smp),
        swap_begin: ns(sub),
        swap_end: ns(end),
        gpu_done: ns(gpu),
        presented: disp,
        animation_time: sim * 1_000_000,
        origin: "hardware".into(),
        ..FrameRow::default()
    };
    let mut frames = vec![
        row(1, 100, 104, 105, 107, ns(116), 10),
        row(2, 116, 121, 123, 122, None, 26),
        row(3, 132, 136, 137, 141, ns(150), 42),
        row(4, 150, 153, 156, 152, ns(166), 60),
    ];
    frames[1].dropped = true;
    frames[1].input_received = ns(113);
    frames[2].input_received = ns(130);
    frames
}

#[test]
fn columns_hold_what_the_formulas_say() {
    let frames = worked();
    let rows = rows(&[Frames { scenario: "a, \"b\"", process: Some(7), rows: &frames }]);
    for (column, want) in [
        ("MsBetweenPresents", [None, Some(17.0), Some(15.0), Some(17.0)]),
        ("MsInPresentAPI", [Some(1.0), Some(2.0), Some(1.0), Some(3.0)]),
        ("MsUntilDisplayed", [Some(12.0), None, Some(14.0), Some(13.0)]),
        ("MsBetweenDisplayChange", [None, None, Some(34.0), Some(16.0)]),
        ("DisplayedTime", [Some(34.0), None, Some(16.0), None]),
        ("DisplayLatency", [None, None, Some(27.0), Some(29.0)]),
        // The GPU may be done before the swap.
        ("MsRenderPresentLatency", [Some(3.0), Some(1.0), Some(5.0), Some(-1.0)]),
        // 42 - 10 - (150 - 116), and 60 - 42 - (166 - 150).
        ("MsAnimationError", [None, None, Some(-2.0), Some(2.0)]),
        ("AnimationTime", [Some(0.0), Some(16.0), Some(32.0), Some(50.0)]),
        // The dropped frame's input is earlier and shows with the next frame.
        ("MsAllInputToPhotonLatency", [None, None, Some(37.0), None]),
        ("MsClickToPhotonLatency", [None, None, Some(37.0), None]),
        ("MsSampleToPhotonLatency", [Some(16.0), None, Some(18.0), Some(16.0)]),
        ("MsBetweenSimulationStart", [None, Some(16.0), Some(16.0), Some(18.0)]),
        ("MsCPUBusy", [None, Some(16.0), Some(13.0), Some(16.0)]),
        ("MsCPUWait", [Some(1.0), Some(2.0), Some(1.0), Some(3.0)]),
        ("MsBetweenAppStart", [None, Some(18.0), Some(14.0), Some(19.0)]),
        ("TimeInSeconds", [Some(0.004), Some(0.021), Some(0.036), Some(0.053)]),
        ("CPUStartTimeInSeconds", [None, Some(0.005), Some(0.023), Some(0.037)]),
        ("MsGPUTime", [None; 4]),
        ("ProcessID", [Some(7.0); 4]),
        ("Dropped", [Some(0.0), Some(1.0), Some(0.0), Some(0.0)]),
    ] {
        let got: Vec<Option<f64>> = rows.iter().map(|row| number(row, column)).collect();
        assert_eq!(got, want, "{column}");
    }
    assert!(rows.iter().all(|row| row["Scenario"] == "a, \"b\"" && row["Application"] == "scanout"));
}

#[test]
fn the_header_is_presentmons_with_ours_behind() {
    let text = String::from_utf8(to_csv(&[]).unwrap()).unwrap();
    assert!(text.starts_with("Application,ProcessID,SwapChainAddress,PresentRuntime,SyncInterval,PresentFlags,AllowsTearing,PresentMode,FrameType,TimeInSeconds,MsBetweenSimulationStart,MsBetweenPresents,MsBetweenDisplayChange,MsInPresentAPI,MsRenderPresentLatency,MsUntilDisplayed,CPUStartTimeInSeconds,MsBetweenAppStart,MsCPUBusy,MsCPUWait,MsGPULatency,MsGPUTime,MsGPUBusy,MsGPUWait,MsAnimationError,AnimationTime,MsFlipDelay,MsAllInputToPhotonLatency,MsClickToPhotonLatency,"));
    assert_eq!(text.lines().count(), 1);
}

/// What the recorder's metrics say of the same frames.
#[test]
fn the_rows_of_a_result_agree_with_its_samples() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frames.csv");
    let result = made_up::result(4, 0.0);
    write(&path, &result).unwrap();
    let mut reader = csv::Reader::from_path(&path).unwrap();
    let rows: Vec<Row> = reader.deserialize().collect::<Result<_, _>>().unwrap();
    let scenario = &result.scenarios[0];
    assert_eq!(rows.len(), scenario.strip.len());
    for (column, metric) in [
        ("MsUntilDisplayed", "MsUntilDisplayed"),
        ("MsBetweenDisplayChange", "MsBetweenDisplayChange"),
        ("MsSampleToPhotonLatency", "SampleToPhoton"),
    ] {
        let got: Vec<f64> = rows.iter().filter_map(|row| number(row, column)).collect();
        assert_eq!(got, scenario.samples[metric].ms, "{column}");
    }
    assert!(rows.iter().all(|row| row["SwapChainAddress"] == "0x1" && row["ProcessID"] == NA));
}

#[test]
fn frames_without_stamps_are_written_as_not_measured() {
    let rows = rows(&[Frames { scenario: "none", process: None, rows: &[FrameRow::default()] }]);
    assert_eq!(rows[0]["MsBetweenPresents"], NA);
    assert_eq!(rows[0]["TimeInSeconds"], NA);
    assert_eq!(rows[0]["DisplayOrigin"], NA);
}

#[test]
fn stamps_that_cannot_be_make_no_panic() {
    let row = |ns| FrameRow { swap_begin: Some(ns), presented: Some(u64::MAX - ns), ..FrameRow::default() };
    let frames = [row(u64::MAX), row(0), row(u64::MAX)];
    assert_eq!(rows(&[Frames { scenario: "x", process: None, rows: &frames }]).len(), 3);
}
