//! Charts as SVG inside a page. plotters writes fixed colours; the page's style sheet knows these few and gives each the
//! colour of the reader's scheme.

use std::fmt::Display;
use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::Escaped;
use crate::app::{palette, plot};

/// Letters and axes.
pub const INK: RGBColor = RGBColor(0x1a, 0x1a, 0x1a);
pub const GRID: RGBColor = RGBColor(0xd8, 0xd8, 0xd8);
/// What the page is about, and what it is compared with.
pub const NEW: RGBColor = RGBColor(0x00, 0x72, 0xb2);
pub const BASE: RGBColor = RGBColor(0xb0, 0x48, 0x00);
/// Letters on the colours of parts, which are light in both schemes.
pub const ON_PART: RGBColor = colour(palette::ON_PART);
/// All charts are as wide as a column of the page; on a telephone their letters are still to be read.
pub const WIDTH: u32 = 480;
pub const LETTERS: u32 = 17;

/// A colour of the palette as plotters has it.
pub const fn colour([r, g, b]: palette::Rgb) -> RGBColor {
    RGBColor(r, g, b)
}

pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub type Drawn = Result<(), String>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// An axis with its letters.
pub struct Axis<'a> {
    pub range: Range<f64>,
    /// About how many values stand at it.
    pub labels: usize,
    /// What it counts.
    pub unit: &'a str,
    /// A value in letters.
    pub text: &'a dyn Fn(&f64) -> String,
}

/// The axes of a chart. Without a `y` the chart has rows, as many as its number, and no axis beside them; `lines`: at the values
/// of `y`.
pub fn axes<'a, 'b>(
    area: &'a Area<'b>,
    x: Axis<'_>,
    y: &Result<Axis<'_>, usize>,
    lines: bool,
) -> Result<Chart<'a, 'b>, String> {
    let mut builder = ChartBuilder::on(area);
    builder.margin_right(14).x_label_area_size(46);
    let label = ("sans-serif", LETTERS).into_font().color(&INK);
    let mut chart = match y {
        Ok(y) => builder.margin_top(8).y_label_area_size(56).build_cartesian_2d(x.range, y.range.clone()),
        Err(rows) => builder.margin_top(4).build_cartesian_2d(x.range, 0.0..*rows as f64),
    }
    .map_err(text)?;
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh()
        .axis_style(INK)
        .label_style(label)
        .x_labels(x.labels)
        .x_desc(x.unit)
        .x_label_formatter(x.text);
    match (y, lines) {
        (Ok(_), true) => mesh.light_line_style(TRANSPARENT).bold_line_style(GRID),
        _ => mesh.disable_y_mesh(),
    };
    match y {
        Ok(y) => mesh.y_labels(y.labels).y_desc(y.unit).y_label_formatter(y.text),
        Err(_) => mesh.disable_y_axis(),
    };
    mesh.draw().map_err(text)?;
    drop(mesh);
    Ok(chart)
}

/// A line through some points.
pub fn line(
    points: impl IntoIterator<Item = (f64, f64)>,
    colour: RGBColor,
    width: u32,
) -> [PathElement<(f64, f64)>; 1] {
    [PathElement::new(points.into_iter().collect::<Vec<_>>(), colour.stroke_width(width))]
}

/// An error of plotters as text.
pub fn text(error: impl Display) -> String {
    error.to_string()
}

/// A chart by its drawing; `title` is what those hear who do not see it.
pub fn draw(height: u32, title: &str, paint: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    plot::fonts();
    let mut svg = String::new();
    let drawn = {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        paint(&area).and_then(|()| area.present().map_err(text))
    };
    match drawn {
        Ok(()) => themed(&svg, height, title),
        Err(why) => format!("<p class=\"note\">This chart could not be drawn: {}</p>", Escaped(&why)),
    }
}

/// The chart without a size of its own and without what only says the default.
fn themed(svg: &str, height: u32, title: &str) -> String {
    let inside = svg.split_once('>').map_or("", |(_, inside)| inside);
    let mut out =
        format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">", Escaped(title));
    for line in inside.lines() {
        let line = line.replace(" opacity=\"1\"", "").replace(" stroke=\"none\"", "");
        out.push_str(&line.replace(" font-family=\"sans-serif\"", "").replace(" stroke-width=\"1\"", ""));
        // Between the tags of a text a line's end would be a space.
        if line.ends_with('>') {
            out.push('\n');
        }
    }
    out
}

/// Axis labels in as many digits as steps of such a range need.
pub fn tick(range: f64) -> impl Fn(&f64) -> String {
    let digits = if range < 0.5 {
        2
    } else if range < 5.0 {
        1
    } else {
        0
    };
    move |value| {
        // A label of "-0" is a zero that was computed.
        let text = format!("{value:.digits$}");
        if text.trim_start_matches('-').chars().all(|c| matches!(c, '0' | '.')) {
            text.trim_start_matches('-').to_owned()
        } else {
            text
        }
    }
}
