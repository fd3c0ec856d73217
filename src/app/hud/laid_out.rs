//! The panels as they are laid out, without a window: where letters come to stand.

use std::sync::Arc;
use std::time::Duration;

use egui::epaint::{ClippedShape, TextShape};
use egui::{Pos2, RawInput, Rect, Shape, vec2};

use scanout::pacing::{FrameId, LayoutChoice, Origin};
use scanout::runtime::{InputEvent, InputKind};
use scanout::stats::blame::Part;
use scanout::stats::{FrameRecord, Metric, Stage};
use scanout::time::Timestamp;
use scanout::{Pacing, Size};

use super::controls::{Controls, Settings};
use super::figures::{BINS, Figures, Row, SideFigures};
use super::input::Input;
use super::panels::{self, Page};
use super::sides::{METRICS, Side};
use super::stands::Stands;
use super::strip::{Blame, Long};
use super::view::{Misses, Times, View};
use crate::app::load::{Levels, Limits, LoadSpec, Spike};
use crate::app::palette::LETTER_OF;

/// What runs, from what is usual to what breaks tables.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Case {
    Nothing,
    Usual,
    /// As usual, with other figures in every place.
    Slow,
    Compared,
    /// As much as can be of everything.
    Extreme,
    /// The same, with the wheel turned.
    Scrolled,
}

/// Letters on the screen: where their ink is, and what they may show of it.
#[derive(Debug)]
struct Letters {
    words: String,
    ink: Rect,
    clip: Rect,
}

struct LaidOut {
    letters: Vec<Letters>,
    panels: Vec<Rect>,
    window: Rect,
}

fn records(interval_ms: u64) -> Vec<FrameRecord> {
    let interval = interval_ms * 1_000_000;
    let mut shown = 1_000_000_000_000;
    let record = |n: u64| {
        // Every fifth frame is late, by one stage or the other, and now and then several in a row.
        let late = n % 5 == 4 || n % 40 > 34;
        shown += if late { 2 * interval } else { interval };
        let mut record = FrameRecord::new(FrameId(n));
        let took = |stage: u64| interval / 12 + if late && n % 7 == stage { interval } else { 0 };
        let mut at = shown - 2 * interval;
        record.planned = Some(Timestamp::from_nanos(at));
        for (i, stage) in [
            Stage::InputReceived,
            Stage::InputSampled,
            Stage::LogicDone,
            Stage::SnapshotAcquired,
            Stage::Submitted,
            Stage::GpuDone,
        ]
        .into_iter()
        .enumerate()
        {
            record.mark(stage, Timestamp::from_nanos(at));
            at += took(i as u64);
        }
        record.mark(Stage::Presented, Timestamp::from_nanos(shown));
        record
    };
    (1..=256).map(record).collect()
}

fn side(frames: u64, value: f64, paced: &str, load: &str) -> SideFigures {
    let row = Row { p50: Some(value), p95: Some(-value), p99: Some(-value), max: value };
    let histogram = vec![1.0 / BINS as f32; BINS];
    let cumulative = (0..=BINS).map(|n| n as f32 / BINS as f32).collect();
    let stands = Some(Stands { paced: paced.to_owned(), shared: format!("{load}, 1280x720") });
    SideFigures { frames, stands, rows: [Some(row); METRICS.len()], histogram, cumulative }
}

/// Fonts take long to be read.
fn context() -> egui::Context {
    let context = egui::Context::default();
    panels::style(&context);
    context
}

/// Lays one case out in a window, as often as egui needs to know all sizes.
fn lay_out(context: &egui::Context, case: Case, page: Page, (width, height, scale): Window) -> LaidOut {
    let extreme = matches!(case, Case::Extreme | Case::Scrolled);
    let (value, interval_ms) = match case {
        Case::Slow | Case::Compared => (178.98, 100),
        Case::Extreme | Case::Scrolled => (987_654.321, 60_000),
        _ => (9.37, 16),
    };
    let full = if extreme { i64::MAX } else { 500_000_000 };
    let recent = if case == Case::Nothing { Vec::new() } else { records(interval_ms) };
    let span = Duration::from_millis(interval_ms);
    let mut figures = Figures { full, blame: Blame::of(&recent, span, span), ..Figures::default() };
    let frames = if extreme { 12_345_678 } else { 144 };
    if case != Case::Nothing {
        let (paced, load) = match extreme {
            true => (
                "fixed 143.86, auto layout, 20.00 % may miss",
                "busy=64,memory=65536,gpu=900,spike=900/10000",
            ),
            false => ("auto, auto layout, 0.50 % may miss", "no load"),
        };
        figures.a = side(frames, value, paced, load);
        assert!(figures.blame.late > 20, "something is marked");
    }
    if extreme || case == Case::Compared {
        let paced = "naive loop: swap interval 1, no plan, no limit";
        figures.b = side(frames, -value, paced, "no load");
        figures.long = Long { long: 3, looked_at: 106 };
    }
    let fixed = Pacing::fixed(143.859).expect("a rate");
    let load = match extreme {
        true => LoadSpec {
            busy: 64,
            memory_mib: 65_536,
            gpu: Duration::from_millis(900),
            spike: Some(Spike {
                burns: Duration::from_millis(900),
                every: 10_000.try_into().expect("not 0"),
            }),
        },
        false => LoadSpec::default(),
    };
    let mut controls = Controls::new(Settings {
        pacing: if extreme { fixed } else { Pacing::Auto },
        layout: LayoutChoice::Auto,
        miss_budget: None,
        levels: Arc::new(Levels::new(load)),
        limits: Limits { memory_mib: Some(65_536), cores: 64 },
    });
    let facts = match case {
        Case::Nothing => vec![("drawn by", String::new())],
        Case::Extreme | Case::Scrolled => {
            vec![("drawn by", "A renderer\u{2122} of \u{9f99} with a name that is long ".repeat(9)); 8]
        }
        _ => vec![
            ("drawn by", "llvmpipe (LLVM 15.0.6, 256 bits) (software)".to_owned()),
            ("refresh", format!("{value:>7.3} ms, acquiring\n  60.00 Hz nominal")),
            ("swap", "does not wait: a timer paces (x11-glx)".to_owned()),
            ("layout", "pipelined, 2 refresh(es) per frame".to_owned()),
            ("budget", format!("{value:>7.2} ms, of it 4.17 in reserve")),
            ("GPU passes", "not timed".to_owned()),
            ("this HUD", format!("{value:>7.2} ms of the render thread")),
            ("frames", "    123 drawn\n    123 dropped\n    123 kept apart".to_owned()),
        ],
    };
    let phase = if case == Case::Nothing { Vec::new() } else { vec![1_000_000, -2_000_000, 50_000] };
    let measured = if case == Case::Slow { 1.0 } else { 0.02 };
    let view = View {
        rate: (case != Case::Nothing).then_some(if extreme { 99_999.0 } else { 1e3 / value }),
        side: if case == Case::Compared { Side::B } else { Side::A },
        mode: if extreme { fixed } else { Pacing::LowLatency },
        settles: extreme.then_some(Duration::from_millis(900)),
        times: Times { origin: Origin::Estimated, source: if extreme { "wp_presentation" } else { "" } },
        misses: Misses {
            declared: (case != Case::Compared).then_some(0.2),
            measured: (case != Case::Nothing).then_some(measured),
        },
        interval_ms: interval_ms as f32,
        recent: &recent,
        figures: &figures,
        phase: &phase,
        facts,
    };
    let scale = panels::pixels_per_point(Size::new(width, height), scale);
    let window = Rect::from_min_size(Pos2::ZERO, vec2(width as f32, height as f32) / scale);
    let mut page = page;
    let (mut panels, mut shapes) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let events = if case == Case::Scrolled { wheel(window) } else { Vec::new() };
        let mut input = RawInput { screen_rect: Some(window), events, ..RawInput::default() };
        input.viewports.entry(egui::ViewportId::ROOT).or_default().native_pixels_per_point = Some(scale);
        let mut output =
            context.run_ui(input, |ui| panels = panels::show(ui, &view, &mut page, &mut controls));
        output.textures_delta.clear();
        shapes = std::mem::take(&mut output.shapes);
    }
    let mut letters = Vec::new();
    shapes.iter().for_each(|ClippedShape { clip_rect, shape, .. }| collect(shape, *clip_rect, &mut letters));
    LaidOut { letters, panels, window }
}

fn wheel(window: Rect) -> Vec<egui::Event> {
    let turned = InputEvent::new(Timestamp::ZERO, InputKind::Scroll { lines: [0.0, -3.0].into() });
    let at = InputKind::PointerMoved { position: [100.0, window.height() / 2.0].into() };
    let mut input = Input::default();
    input.push(InputEvent::new(Timestamp::ZERO, at));
    input.push(turned);
    input.take(1.0, |_| {})
}

fn collect(shape: &Shape, clip: Rect, into: &mut Vec<Letters>) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, clip, into)),
        Shape::Text(TextShape { pos, galley, .. }) => {
            assert!(!galley.elided, "cut short: {}", galley.text());
            for row in &galley.rows {
                let words: String = row.text();
                if !words.trim().is_empty() {
                    let ink = row.visuals.mesh_bounds.translate(row.pos.to_vec2() + pos.to_vec2());
                    into.push(Letters { words, ink, clip });
                }
            }
        }
        _ => {}
    }
}

/// Pixels and scale factor.
type Window = (u32, u32, f32);

const WINDOWS: [Window; 8] = [
    (640, 360, 1.0),
    (640, 480, 2.0),
    (800, 600, 1.0),
    (1000, 600, 1.0),
    (1280, 720, 1.0),
    (1280, 720, 2.0),
    (1920, 1080, 1.0),
    (2560, 1440, 2.0),
];

/// What can be seen in a window of so many points.
fn pages((width, height, scale): Window) -> Vec<Page> {
    let scale = panels::pixels_per_point(Size::new(width, height), scale);
    let room = vec2(width as f32, height as f32) / scale;
    Page::EACH.into_iter().map(|(page, _)| page).filter(|page| page.within(room) == *page).collect()
}

#[test]
fn no_letters_overlap_or_leave_their_panel_in_any_window() {
    let context = context();
    for window in WINDOWS {
        for page in pages(window) {
            for case in [Case::Nothing, Case::Usual, Case::Slow, Case::Compared, Case::Extreme] {
                let at = format!("{case:?}, {page:?} in {window:?}");
                look_at(&lay_out(&context, case, page, window), &at);
            }
        }
    }
}

#[track_caller]
fn look_at(out: &LaidOut, at: &str) {
    assert!(out.letters.len() > 8, "{at}: {} texts", out.letters.len());
    for panel in &out.panels {
        assert!(out.window.contains_rect(*panel), "{at}: {panel:?} in {:?}", out.window);
    }
    for (i, a) in out.letters.iter().enumerate() {
        let inside = |panel: &Rect| {
            let panel = panel.shrink(4.0).x_range();
            panel.contains(a.ink.left()) && panel.contains(a.ink.right())
        };
        assert!(out.panels.iter().any(inside), "{at}: {a:?} leaves {:?}", out.panels);
        let clip = a.clip.expand(0.6).x_range();
        assert!(clip.contains(a.ink.left()) && clip.contains(a.ink.right()), "{at}: cut off: {a:?}");
        for b in &out.letters[i + 1..] {
            let common = a.ink.intersect(b.ink);
            assert!(common.width() <= 0.5 || common.height() <= 0.5, "{at}: {a:?} lies over {b:?}");
        }
    }
}

#[test]
fn what_each_side_stands_for_is_said_and_that_unlike_loads_are_not_to_be_compared() {
    let context = context();
    let says = |case, page, window| -> String {
        lay_out(&context, case, page, window).letters.into_iter().map(|l| l.words + " ").collect()
    };
    for (page, window) in [(Page::All, (1280, 720, 1.0)), (Page::Figures, (640, 480, 1.0))] {
        let alike = says(Case::Compared, page, window);
        for text in ["A  auto, auto layout, 0.50 %", "B  naive loop", "with no load, 1280x720"] {
            assert!(alike.contains(text), "{page:?}: {text} in {alike}");
        }
        assert!(!alike.contains("not to be compared"), "{page:?}");
        // It takes several lines.
        let unlike = says(Case::Extreme, page, window);
        for text in ["not to be compared: A had", "busy=64", "no load"] {
            assert!(unlike.contains(text), "{page:?}: {text} in {unlike}");
        }
        assert!(says(Case::Usual, page, window).contains("B  nothing measured yet"), "{page:?}");
    }
}

#[test]
fn late_frames_are_told_of_a_and_long_ones_of_b() {
    let context = context();
    let says = |case| -> String {
        let out = lay_out(&context, case, Page::All, (1280, 720, 1.0));
        out.letters.into_iter().map(|l| l.words + " ").collect()
    };
    let (a, b) = (says(Case::Usual), says(Case::Compared));
    assert!(a.contains("late ") && !a.contains("long "), "{a}");
    assert!(b.contains("long   3 of 106") && !b.contains("late "), "B aims at no time: {b}");
}

#[test]
fn what_is_usual_fits_without_scrolling_and_more_scrolls() {
    let context = context();
    let below = |out: &LaidOut| out.letters.iter().filter(|l| l.ink.bottom() > l.clip.bottom() + 0.6).count();
    for window in WINDOWS {
        for page in pages(window) {
            for case in [Case::Slow, Case::Compared] {
                let out = lay_out(&context, case, page, window);
                // The lowest windows have no room for all that is known.
                if page != Page::Figures || out.window.height() > 430.0 {
                    let last = out.letters.last();
                    assert_eq!(below(&out), 0, "{case:?}, {page:?} in {window:?}: {last:?}");
                }
            }
        }
    }
    let much = lay_out(&context, Case::Extreme, Page::Figures, WINDOWS[0]);
    assert!(below(&much) > 0, "that is a lot");
    let top = |out: &LaidOut| out.letters.iter().map(|l| l.ink.top()).fold(f32::MAX, f32::min);
    let scrolled = lay_out(&context, Case::Scrolled, Page::Figures, WINDOWS[0]);
    assert!(top(&scrolled) < top(&much) - 5.0, "the wheel moves it: {} to {}", top(&much), top(&scrolled));
}

/// The sources of all that the HUD says. What comes from elsewhere is asked for by name below.
const SOURCES: [(&str, &str); 11] = [
    ("controls", include_str!("controls.rs")),
    ("figures", include_str!("figures.rs")),
    ("paint", include_str!("paint.rs")),
    ("panels", include_str!("panels.rs")),
    ("stands", include_str!("stands.rs")),
    ("table", include_str!("table.rs")),
    ("text", include_str!("text.rs")),
    ("view", include_str!("view.rs")),
    ("load", include_str!("../load/spec.rs")),
    ("pacer", include_str!("../report/pacer.rs")),
    ("cause", include_str!("../../timeline/explain/mod.rs")),
];

#[test]
fn fonts_have_every_letter_that_the_hud_can_show() {
    let context = context();
    let shown = WINDOWS.map(|window| pages(window).into_iter().map(move |page| (window, page)));
    let mut texts: Vec<(String, String)> = Vec::new();
    for (window, page) in shown.into_iter().flatten() {
        for case in [Case::Nothing, Case::Compared, Case::Extreme] {
            let letters = lay_out(&context, case, page, window).letters;
            texts.extend(letters.into_iter().map(|l| (format!("{case:?}, {page:?}"), l.words)));
        }
    }
    assert!(texts.iter().any(|(_, words)| words.contains("9f99")), "a letter of the driver that no font has");
    for (name, source) in SOURCES {
        let (code, _tests) = source.split_once("#[cfg(test)]").unwrap_or((source, ""));
        let says = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        texts.extend(says.map(|line| (name.to_owned(), line.to_owned())));
    }
    texts.extend(Metric::ALL.iter().map(|metric| ("metric".to_owned(), metric.name().to_owned())));
    texts.extend(Part::ALL.iter().map(|part| ("part".to_owned(), part.name().to_owned())));
    texts.extend(LETTER_OF.iter().map(|letter| ("part".to_owned(), (*letter).to_owned())));
    let mut looked_at = 0;
    for (place, text) in &texts {
        for letter in text.chars().filter(|letter| !letter.is_whitespace()) {
            looked_at += 1;
            let known = context.fonts_mut(|fonts| super::text::has(fonts, letter));
            assert!(known, "{place}: {letter:?} of {text:?} comes out as another letter");
        }
    }
    assert!(looked_at > 10_000, "{looked_at} letters");
    for lacking in ['\u{9f99}', '\u{5d0}'] {
        assert!(!context.fonts_mut(|fonts| super::text::has(fonts, lacking)), "the test can fail");
    }
}

#[test]
fn figures_that_grow_move_nothing() {
    let context = context();
    let low = WINDOWS[0];
    for (window, page) in [((1280, 720, 1.0), Page::All), (low, Page::Plots), (low, Page::Figures)] {
        let [small, large] =
            [Case::Usual, Case::Slow].map(|case| lay_out(&context, case, page, window).letters);
        // Marks lie where frames are late.
        let words = |letters: Vec<Letters>| -> Vec<Letters> {
            let mark = |l: &Letters| l.words.len() == 1 && !l.words.chars().all(|c| c.is_ascii_digit());
            letters.into_iter().filter(|l| !mark(l)).collect()
        };
        let (small, large) = (words(small), words(large));
        let names = |l: &Letters| l.words.chars().filter(|c| c.is_alphabetic()).collect::<String>();
        let all = |letters: &[Letters]| letters.iter().map(names).collect::<Vec<_>>();
        assert_eq!(all(&small), all(&large));
        let mut other = 0;
        for (a, b) in small.iter().zip(&large) {
            let left = (a.ink.left() - b.ink.left()).abs() < 1.5;
            let right = (a.ink.right() - b.ink.right()).abs() < 1.5;
            let moved = (a.ink.center().y - b.ink.center().y).abs() > 1.5;
            // Names stay at both ends, figures at their right end; what has both is held by either.
            let held = match a.words.chars().any(char::is_alphabetic) {
                _ if a.words == b.words => left && right,
                true => left || right,
                false => right,
            };
            assert!(held && !moved, "{window:?}: {a:?} became {b:?}");
            other += usize::from(a.words != b.words);
        }
        assert!(other > 3, "{other} figures became others");
    }
}
