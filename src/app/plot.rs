//! The picture of a comparison.

use std::cmp::Ordering;
use std::path::Path;
use std::sync::Once;

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::FontStyle;

use scanout::runtime::Pixels;
use scanout::time::Timestamp;
use scanout::{Error, Size};

use super::sim::{Comparison, Entry};
use super::{Failure, output};

/// Frames whose display intervals are drawn.
pub const STRIP_FRAMES: u64 = 120;
/// Panels in one picture; what is beyond is in the table.
const MOST_PANELS: usize = 8;
const WIDTH: u32 = 1_400;
const PANEL: u32 = 460;
const FONT: &str = "sans-serif";
/// Colours that stay apart for colour-blind readers (six of Okabe and Ito's, and four more), from white, and from the
/// grey and the black of the strips.
const COLOURS: [RGBColor; 10] = [
    RGBColor(0, 114, 178),
    RGBColor(86, 180, 233),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(230, 159, 0),
    RGBColor(204, 121, 167),
    RGBColor(120, 94, 240),
    RGBColor(0, 30, 105),
    RGBColor(150, 75, 0),
    RGBColor(105, 30, 0),
];
/// Marks change with each policy, as colours do; no common factor, so that both come together again only after thirty.
const MARKS: [Mark; 3] = [Mark::Circle, Mark::Square, Mark::Triangle];
/// Half the size of a mark, in pixels.
const MARK: i32 = 6;

/// The shape of a policy's mark.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Mark {
    Circle,
    Square,
    Triangle,
}

/// Frames that were displayed one after the other.
#[derive(Clone, Debug, Default)]
pub struct Strip(Vec<Shown>);

#[derive(Copy, Clone, Debug)]
struct Shown {
    at: Timestamp,
    /// The display's count of refreshes then.
    refresh: u64,
    /// Refreshes that it was to last.
    lasts: u32,
}

impl Strip {
    pub fn shown(&mut self, at: Timestamp, refresh: u64, lasts: u32) {
        self.0.push(Shown { at, refresh, lasts });
    }
}

/// What the file is to be.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Format {
    Svg,
    Png,
}

impl Format {
    pub fn of(path: &Path) -> Result<Self, Failure> {
        match path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            _ => Err(Failure::Usage(format!("{}: a plot ends in .svg or .png", path.display()))),
        }
    }
}

/// Makes the font of all plots known, once.
pub fn fonts() {
    static FONTS: Once = Once::new();
    FONTS.call_once(|| {
        for style in [FontStyle::Normal, FontStyle::Bold] {
            // The font is a constant; one that cannot be read leaves the picture without letters.
            let _ = plotters::style::register_font(FONT, style, epaint_default_fonts::UBUNTU_LIGHT);
        }
    });
}

/// The picture as a file's contents.
pub fn draw(comparisons: &[Comparison], format: Format) -> Result<Vec<u8>, Error> {
    fonts();
    let panels = &comparisons[..comparisons.len().min(MOST_PANELS)];
    if panels.len() < comparisons.len() {
        log::warn!("the plot has the first {MOST_PANELS} of {} scenarios", comparisons.len());
    }
    let size = (WIDTH, PANEL * panels.len() as u32);
    let failed = |detail: String| Error::Gl { operation: "drawing the plot", detail };
    match format {
        Format::Svg => {
            let mut text = String::new();
            paint(&SVGBackend::with_string(&mut text, size).into_drawing_area(), panels).map_err(failed)?;
            Ok(text.into_bytes())
        }
        Format::Png => {
            let mut rgb = vec![255; 3 * (size.0 * size.1) as usize];
            paint(&BitMapBackend::with_buffer(&mut rgb, size).into_drawing_area(), panels).map_err(failed)?;
            let rgba = rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
            output::png(&Pixels { size: Size::new(size.0, size.1), rgba })
        }
    }
}

type Area<B> = DrawingArea<B, plotters::coord::Shift>;

fn paint<B: DrawingBackend>(area: &Area<B>, panels: &[Comparison]) -> Result<(), String> {
    let text = |e: DrawingAreaErrorKind<B::ErrorType>| e.to_string();
    area.fill(&WHITE).map_err(text)?;
    for (panel, comparison) in area.split_evenly((panels.len(), 1)).iter().zip(panels) {
        let title = format!(
            "display {} ({:.2} Hz), workload {}, {} frames",
            comparison.display, comparison.refresh_hz, comparison.workload, comparison.frames
        );
        let panel = panel.titled(&title, (FONT, 22)).map_err(text)?;
        let (left, right) = panel.split_horizontally(WIDTH * 45 / 100);
        scatter(&left, comparison).map_err(text)?;
        strips(&right, comparison).map_err(text)?;
    }
    area.present().map_err(text)
}

/// The share of refreshes that should have shown a new frame and did not, in percent.
fn missed(entry: &Entry) -> f64 {
    100.0 * entry.outcome.missed_vsyncs as f64 / entry.outcome.refreshes.max(1) as f64
}

const fn colour(i: usize) -> RGBColor {
    COLOURS[i % COLOURS.len()]
}

const fn mark(i: usize) -> Mark {
    MARKS[i % MARKS.len()]
}

/// Draws the mark of the `i`th policy at this point of a chart.
fn draw_mark<B: DrawingBackend>(
    chart: &mut ChartContext<'_, B, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    i: usize,
    at: (f64, f64),
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let style = colour(i).filled();
    match mark(i) {
        Mark::Circle => chart.draw_series([Circle::new(at, MARK, style)])?,
        Mark::Square => {
            let half = MARK - 1;
            chart
                .draw_series([EmptyElement::at(at) + Rectangle::new([(-half, -half), (half, half)], style)])?
        }
        Mark::Triangle => chart.draw_series([TriangleMarker::new(at, MARK + 1, style)])?,
    };
    Ok(())
}

/// Start to display (mean, with a line up to the P99) against missed refreshes.
fn scatter<B: DrawingBackend>(
    area: &Area<B>,
    comparison: &Comparison,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let latency = |e: &Entry| e.outcome.start_to_display.map(|l| (l.mean, l.p99));
    let entries: Vec<_> = comparison
        .policies
        .iter()
        .enumerate()
        .filter_map(|(i, e)| latency(e).map(|(mean, p99)| (i, e, missed(e), mean, p99)))
        .collect();
    let right = entries.iter().map(|e| e.2).fold(0.1, f64::max) * 1.15;
    let top = entries.iter().map(|e| e.4).fold(1.0, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(58)
        .build_cartesian_2d(-right * 0.04..right, 0.0..top)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("missed refreshes, %")
        .y_desc("start to display, ms: mean, line to P99")
        .x_label_formatter(&|x| format!("{x:.2}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .axis_desc_style((FONT, 16))
        .label_style((FONT, 14))
        .draw()?;
    for (i, _, x, mean, p99) in entries {
        let colour = colour(i);
        chart.draw_series([PathElement::new(vec![(x, mean), (x, p99)], colour.mix(0.5).stroke_width(2))])?;
        draw_mark(&mut chart, i, (x, mean))?;
    }
    Ok(())
}

/// A row per policy: one bar for each frame on the display, as long as it stayed there; grey where that is as long as it
/// was to be, in the policy's colour where longer, black where shorter.
fn strips<B: DrawingBackend>(
    area: &Area<B>,
    comparison: &Comparison,
) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
    let rows = comparison.policies.len();
    let period = 1e9 / comparison.refresh_hz;
    let begin = comparison.policies.iter().filter_map(|e| e.strip.0.first().map(|f| f.at)).min();
    let end = comparison.policies.iter().filter_map(|e| e.strip.0.last().map(|f| f.at)).max();
    let (Some(begin), Some(end)) = (begin, end) else { return Ok(()) };
    let seconds = |t: Timestamp| t.signed_since(begin) as f64 / 1e9;
    let width = seconds(end).max(0.001);
    let names = width * 0.40;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(44)
        .build_cartesian_2d(-names..width, 0.0..rows as f64)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_x_mesh()
        .disable_y_axis()
        .x_desc(
            "display intervals in the middle of the run, s (grey: on time; coloured: longer; black: shorter)",
        )
        .x_label_formatter(&|x| if *x < 0.0 { String::new() } else { format!("{x:.1}") })
        .axis_desc_style((FONT, 16))
        .label_style((FONT, 14))
        .draw()?;
    for (i, entry) in comparison.policies.iter().enumerate() {
        let row = (rows - 1 - i) as f64;
        let bars = entry.strip.0.windows(2).map(|pair| {
            let (from, to) = (pair[0], pair[1]);
            let lasted = to.refresh.saturating_sub(from.refresh);
            let style = match lasted.cmp(&from.lasts.max(1).into()) {
                Ordering::Greater => colour(i).filled(),
                Ordering::Less => BLACK.filled(),
                Ordering::Equal => RGBColor(214, 214, 214).filled(),
            };
            let (from, to) = (from.at, to.at);
            // A gap of a quarter of a refresh keeps them apart.
            let gap = period / 4e9;
            Rectangle::new(
                [(seconds(from), row + 0.2), ((seconds(to) - gap).max(seconds(from)), row + 0.8)],
                style,
            )
        });
        chart.draw_series(bars)?;
        let label = format!("{} ({:.2} %)", entry.policy, missed(entry));
        let font = (FONT, 16).into_font().color(&BLACK);
        draw_mark(&mut chart, i, (-names * 0.97, row + 0.5))?;
        chart.draw_series([Text::new(label, (-names * 0.92, row + 0.58), font)])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use scanout::sim::PolicyKind;

    use super::*;

    #[test]
    fn no_two_policies_share_a_style_and_those_of_the_default_picture_no_colour() {
        let default: HashSet<_> = (0..PolicyKind::ALL.len()).map(|i| colour(i).rgb()).collect();
        assert_eq!(default.len(), PolicyKind::ALL.len());
        let policies = PolicyKind::ALL.len() + PolicyKind::ON_REQUEST.len();
        let styles: HashSet<_> = (0..policies).map(|i| (colour(i).rgb(), mark(i) as u8)).collect();
        assert_eq!(styles.len(), policies);
    }

    #[test]
    fn the_ending_of_the_name_says_what_the_file_is() {
        assert_eq!(Format::of(Path::new("a.svg")).unwrap(), Format::Svg);
        assert_eq!(Format::of(Path::new("a.b.PNG")).unwrap(), Format::Png);
        assert!(Format::of(Path::new("svg")).is_err());
    }
}
