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
mod tests;
