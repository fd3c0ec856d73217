//! What the terminal shows: who it is, the figures, the strip of frames, the keys.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize as _};
use ratatui::text::{Line, Span};

use scanout::stats::{Metric, Summary};

use super::live::Status;
use super::picture::{Picture, number};
use super::strip::{self, Mark, Part};

/// What the user chose to see.
#[derive(Copy, Clone, Debug, Default)]
pub struct Shown {
    pub paused: bool,
    /// The first metric of the table.
    pub first: usize,
}

/// Width of a column of figures.
const FIGURE: u16 = 8;
/// Width of the longest name, and a space.
const NAME: u16 = 23;
/// So much of a name is enough to know it by.
const SHORT_NAME: u16 = 16;
/// Room for the time at the top of the strip.
const SCALE: u16 = 8;
/// From this height on there is room for what is said about the program, and for the legend.
const TALL: u16 = 16;

/// Draws the picture into whatever room there is.
pub fn draw(frame: &mut Frame<'_>, picture: &Picture, shown: &mut Shown) {
    let area = frame.area();
    let tall = area.height >= TALL;
    let [title, about, counts, table, strip, legend, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(u16::from(tall)),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length((area.height / 3).clamp(2, 12)),
        Constraint::Length(u16::from(tall)),
        Constraint::Length(1),
    ])
    .areas(area);
    let buffer = frame.buffer_mut();
    put(buffer, title, &title_line(picture, shown));
    put(buffer, about, &about_line(picture));
    put(buffer, counts, &Line::from(picture.counts()));
    figures(buffer, table, picture, shown);
    frames(buffer, strip, picture);
    put(buffer, legend, &legend_line());
    put(buffer, keys, &Line::from("q quit  p pause  r reset  ↑↓ figures").dim());
}

fn put(buffer: &mut Buffer, area: Rect, line: &Line<'_>) {
    if area.height > 0 {
        buffer.set_line(area.x, area.y, line, area.width);
    }
}

fn title_line(picture: &Picture, shown: &Shown) -> Line<'static> {
    let style = match picture.status {
        Status::Running => Style::new().fg(Color::Green),
        Status::Waited | Status::Starting => Style::new().fg(Color::Yellow),
        Status::Ended | Status::Died | Status::Refused(_) => Style::new().fg(Color::Red),
    };
    let mut spans = vec![Span::from(picture.name.clone()).bold(), Span::from("  ")];
    if shown.paused {
        spans.push(Span::from("PAUSED").add_modifier(Modifier::REVERSED));
        spans.push(Span::from("  "));
    }
    if let Some(rate) = picture.rate().filter(|_| picture.status == Status::Running) {
        spans.push(Span::from(format!("{rate:.1} frames/s  ")));
    }
    spans.push(Span::styled(picture.standing(), style));
    if let Some(pid) = picture.pid {
        spans.push(Span::from(format!("  process {pid}")).dim());
    }
    Line::from(spans)
}

fn about_line(picture: &Picture) -> Line<'static> {
    let about = &picture.about;
    if about.renderer.is_empty() {
        return Line::default();
    }
    Line::from(format!("{}  {}  {}", about.pacing, picture.display(), about.renderer)).dim()
}

/// A column of figures: its head, and which figure it has.
type Column = (&'static str, fn(&Summary) -> Option<f64>);

/// The columns that fit into `width`, the most telling ones first in what is kept.
fn columns(width: u16) -> Vec<Column> {
    let all: [Column; 5] = [
        ("p50", |s| s.told()[0]),
        ("p99", |s| s.told_p99()),
        ("max", |s| Some(s.max)),
        ("p95", |s| s.told()[1]),
        ("mean", |s| Some(s.mean)),
    ];
    let order = ["mean", "p50", "p95", "p99", "max"];
    let fit = usize::from(width.saturating_sub(SHORT_NAME) / FIGURE).clamp(1, all.len());
    let mut kept = all[..fit].to_vec();
    kept.sort_by_key(|(name, _)| order.iter().position(|o| o == name));
    kept
}

fn figures(buffer: &mut Buffer, area: Rect, picture: &Picture, shown: &mut Shown) {
    if area.height == 0 {
        return;
    }
    if picture.measured.is_empty() {
        put(buffer, area, &Line::from("no frame after the warm-up was displayed yet").dim());
        return;
    }
    let columns = columns(area.width);
    let with_n = area.width >= NAME + FIGURE * (columns.len() as u16 + 1);
    let head: String =
        columns.iter().map(|(name, _)| format!("{name:>width$}", width = FIGURE as usize)).collect();
    let n = if with_n { format!("{:>width$}", "n", width = FIGURE as usize) } else { String::new() };
    let name_width = NAME.min(area.width.saturating_sub(FIGURE * columns.len() as u16)) as usize;
    put(buffer, area, &Line::from(format!("{:<name_width$}{head}{n}", "ms")).dim());
    let rows = usize::from(area.height) - 1;
    shown.first = shown.first.min(picture.measured.len().saturating_sub(rows));
    for (i, (metric, summary)) in picture.measured.iter().skip(shown.first).take(rows).enumerate() {
        let unit = metric.unit();
        let name: String = metric.name().chars().take(name_width.saturating_sub(1)).collect();
        let values: String = columns
            .iter()
            .map(|(_, get)| get(summary).map_or_else(|| "-".to_owned(), |figure| number(figure, unit)))
            .map(|text| format!("{text:>width$}", width = FIGURE as usize))
            .collect();
        let n =
            if with_n { format!("{:>width$}", summary.n, width = FIGURE as usize) } else { String::new() };
        let key = matches!(metric, Metric::SampleToPhoton | Metric::ClickToPhoton);
        let style = if key { Style::new().bold() } else { Style::new() };
        let row = Rect { y: area.y + 1 + i as u16, height: 1, ..area };
        put(buffer, row, &Line::styled(format!("{name:<name_width$}{values}{n}"), style));
    }
}

fn frames(buffer: &mut Buffer, area: Rect, picture: &Picture) {
    if area.height < 2 || area.width <= SCALE {
        return;
    }
    let (width, height) = (usize::from(area.width - SCALE), usize::from(area.height) - 1);
    let columns = strip::columns(&picture.frames, width, picture.about.refresh, picture.about.interval);
    let scale = strip::scale(&columns);
    if !columns.is_empty() {
        let label = format!("{} ms", scale as f64 / 1e6);
        buffer.set_string(area.x, area.y, label, Style::new().dim());
    }
    for (x, column) in (area.x + SCALE..).zip(&columns) {
        for (y, cell) in strip::cells(column, height, scale).into_iter().enumerate() {
            let y = area.y + (height - 1 - y) as u16;
            let blocks = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
            let colour = |part: Option<Part>| part.map_or(Color::Reset, Part::colour);
            if let Some(below) = cell.below {
                let style = Style::new().fg(below.colour()).bg(if cell.fill < 8 {
                    colour(cell.above)
                } else {
                    Color::Reset
                });
                buffer[(x, y)].set_char(blocks[usize::from(cell.fill.min(8))]).set_style(style);
            }
        }
        if let Some(mark) = column.mark {
            let colour = if mark == Mark::Stale { Color::Yellow } else { Color::Red };
            let style = Style::new().fg(colour).bold();
            buffer[(x, area.y + height as u16)].set_char(mark.letter()).set_style(style);
        }
    }
}

fn legend_line() -> Line<'static> {
    let parts = Part::ALL.into_iter().flat_map(|part| {
        [Span::styled("█", Style::new().fg(part.colour())), Span::from(format!(" {} ", part.name())).dim()]
    });
    let marks = [(Mark::Missed, "missed"), (Mark::Dropped, "dropped"), (Mark::Stale, "stale")];
    let marks = marks.map(|(mark, name)| Span::from(format!(" {} {name}", mark.letter())).dim());
    Line::from(parts.chain(marks).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            (at(51), at(70), at(80), at(81)),
            (Some('!'), Some('s'), Some('x'), Some('!')),
            "{lines:#?}"
        );
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
}
