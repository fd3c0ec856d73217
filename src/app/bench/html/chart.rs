//! Charts as SVG inside a page. plotters writes fixed colours; the page's style sheet knows these few and gives each the
//! colour of the reader's scheme.

use std::fmt::Display;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::Escaped;
use crate::app::plot;

/// Letters and axes.
pub const INK: RGBColor = RGBColor(0x1a, 0x1a, 0x1a);
pub const GRID: RGBColor = RGBColor(0xd8, 0xd8, 0xd8);
/// What the page is about, and what it is compared with.
pub const NEW: RGBColor = RGBColor(0x00, 0x72, 0xb2);
pub const BASE: RGBColor = RGBColor(0xb0, 0x48, 0x00);
/// Letters on the colours of parts, which are light in both schemes.
pub const ON_PART: RGBColor = RGBColor(0x11, 0x11, 0x11);
/// The parts of a frame's way, in their order.
pub const PARTS: [RGBColor; 6] = [
    RGBColor(0xb4, 0xb4, 0xb4),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0xe8, 0xd9, 0x4a),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x2f, 0xae, 0x87),
];
/// All charts are as wide as a column of the page; on a telephone their letters are still to be read.
pub const WIDTH: u32 = 480;
pub const LETTERS: u32 = 17;

pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub type Drawn = Result<(), String>;

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
