use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use scanout::pacing::FrameId;
use scanout::stats::{FrameRecord, Recorder, Stage};
use scanout::telemetry::About;
use scanout::time::Timestamp;

use super::*;

/// 100 frames at 60 Hz, of which one is a refresh late, one dropped and one stale.
fn picture() -> Picture {
    let refresh = Duration::from_micros(16_667);
    let mut figures = Recorder::new(0, refresh);
    figures.set_refresh(refresh, refresh);
    let mut frames = Vec::new();
    for id in 1..=100_u64 {
        let vsync = id + u64::from(id > 50);
        let at = |us: u64| Timestamp::from_nanos((vsync * 16_667 + us) * 1_000);
        let mut record = FrameRecord::new(FrameId(id));
        for (stage, us) in [
            (Stage::InputSampled, 0),
            (Stage::LogicDone, 2_000),
            (Stage::SnapshotPublished, 2_010),
            (Stage::SnapshotAcquired, 3_000),
            (Stage::Submitted, 7_000),
            (Stage::SwapBegin, 7_100),
            (Stage::SwapEnd, 8_000),
            (Stage::GpuDone, 8_000),
            (Stage::Presented, 12_000),
        ] {
            record.mark(stage, at(us));
        }
        record.animation_time = refresh * id as u32;
        record.stale = id == 70;
        if id == 80 {
            record.dropped = true;
            record.set(Stage::Presented, None);
        }
        figures.replayed(record);
        frames.push(record);
    }
    let metrics = figures.metrics();
    let mut about = About::default();
    (about.refresh, about.interval, about.renderer) = (refresh, refresh, "llvmpipe".into());
    Picture {
        name: "demo".into(),
        pid: Some(42),
        status: Status::Running,
        about,
        measured: Metric::ALL.iter().filter_map(|m| Some((*m, metrics.summary(*m)?))).collect(),
        counters: figures.counters(),
        missed: Some((metrics.missed_vsyncs(), metrics.refreshes())),
        overwritten: 7,
        refused: 0,
        collected: Duration::from_secs(2),
        earlier: false,
        frames,
    }
}

fn show(width: u16, height: u16, picture: &Picture, shown: &mut Shown) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("no terminal can fail less");
    terminal.draw(|frame| draw(frame, picture, shown)).expect("drawn");
    terminal.backend().buffer().clone()
}

fn lines(buffer: &Buffer) -> Vec<String> {
    let row = |y| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..buffer.area.height).map(|y| row(y).trim_end().to_owned()).collect()
}

#[test]
fn usual_terminal_shows_figures_strip_marks_and_keys() {
    let buffer = show(80, 24, &picture(), &mut Shown::default());
    let lines = lines(&buffer);
    assert!(lines[0].starts_with("demo  59.4 frames/s  running"), "{lines:#?}");
    assert!(lines[2].contains("dropped 1") && lines[2].contains("not seen 7"), "{lines:#?}");
    assert!(lines[3].ends_with("mean     p50     p95     p99     max       n"), "{lines:#?}");
    let sample = lines.iter().find(|l| l.starts_with("SampleToPhoton")).expect("the figure");
    assert_eq!(
        sample.split_whitespace().collect::<Vec<_>>()[1..],
        ["12.00", "12.00", "12.00", "-", "12.00", "99"]
    );
    // The newest 72 frames: 29 to 100.
    let marks = &lines[21];
    let at = |id: usize| marks.chars().nth(usize::from(SCALE) + id - 29);
    assert_eq!((at(51), at(70), at(80), at(81)), (Some('!'), Some('s'), Some('x'), Some('!')), "{lines:#?}");
    assert_eq!(marks.chars().filter(|c| !c.is_whitespace()).count(), 4, "{marks}");
    assert!(lines[14].starts_with("20 ms"), "{lines:#?}");
    assert!(lines[23].starts_with("q quit"), "{lines:#?}");
}

#[test]
fn column_has_the_colours_of_its_stages_from_the_bottom_up() {
    // 12 of 20 ms on 7 characters: 2 ms are 5.6 eighths, 3 are 8.4, 7 are 19.6, 8 are 22.4, 12 are 33.6.
    let buffer = show(80, 24, &picture(), &mut Shown::default());
    let cell = |up: u16| {
        let cell = &buffer[(79, 20 - up)];
        (cell.symbol().to_owned(), cell.fg, cell.bg)
    };
    assert_eq!(cell(0), ("▆".into(), Part::Logic.colour(), Part::HandOver.colour()));
    assert_eq!(cell(1), ("█".into(), Part::Render.colour(), Color::Reset));
    assert_eq!(cell(2), ("▄".into(), Part::Render.colour(), Part::Display.colour()));
    assert_eq!(cell(3), ("█".into(), Part::Display.colour(), Color::Reset));
    assert_eq!(cell(4).0, "▂");
    assert_eq!(cell(5).0, " ");
}

#[test]
fn small_terminal_shows_what_matters_and_none_at_all_is_no_panic() {
    let lines = lines(&show(40, 10, &picture(), &mut Shown::default()));
    assert!(lines[2].ends_with("p50     p99     max"), "{lines:#?}");
    assert!(
        lines.iter().any(|l| l.starts_with("SampleToPhoton") && l.ends_with("12.00       -   12.00")),
        "{lines:#?}"
    );
    assert!(lines[8].contains('x') && lines[8].contains('!'), "{lines:#?}");
    for (width, height) in [(1, 1), (3, 2), (9, 3), (20, 4), (200, 1), (5, 60), (300, 100)] {
        show(width, height, &picture(), &mut Shown { paused: true, first: usize::MAX });
    }
}

#[test]
fn table_is_scrolled_no_further_than_its_end() {
    let picture = picture();
    let mut shown = Shown { paused: false, first: usize::MAX };
    let lines = lines(&show(80, 24, &picture, &mut shown));
    let (last, _) = picture.measured.last().expect("figures");
    assert!(lines[13].starts_with(last.name()), "{lines:#?}");
    assert_eq!(shown.first, picture.measured.len() - 10);
}

#[test]
fn program_without_frames_is_said_to_have_none() {
    let empty = Picture { measured: Vec::new(), frames: Vec::new(), status: Status::Died, ..picture() };
    let lines = lines(&show(80, 24, &empty, &mut Shown::default()));
    assert!(lines[0].contains("died; these are its last figures"), "{lines:#?}");
    assert!(lines[3].contains("no frame after the warm-up"), "{lines:#?}");
}
