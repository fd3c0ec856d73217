//! What is drawn over the scene: live figures of the frames so far. It is drawn on the render thread, within the frame,
//! so its own cost is part of what it shows; benchmarks leave it off.

use std::time::Duration;

use egui::{Align2, Color32, FontId, Pos2, Rect, RichText, Stroke, Ui, Vec2, vec2};

use scanout::gl::{CreateContext, Gl, Overlay, OverlayFactory};
use scanout::pacing::{PacerState, Throttle};
use scanout::runtime::{FrameInfo, TargetInfo};
use scanout::stats::{FrameRecord, Metric, Stage, Summary};
use scanout::time::{Clock as _, MonotonicClock, Timestamp};
use scanout::{Error, Result};

use super::report::{layout_name, lock_name, miss_share};

/// How often percentiles are computed anew, so that they can be read.
const REFRESH_FIGURES: Duration = Duration::from_millis(250);
/// Frames shown in the strips: two points each.
const STRIP: usize = 190;
/// Width of the strips, in points.
const WIDTH: f32 = 380.0;

/// The figures that the HUD prints.
const FIGURES: [Metric; 7] = [
    Metric::MsBetweenDisplayChange,
    Metric::SampleToPhoton,
    Metric::LatchToPhoton,
    Metric::ClickToPhoton,
    Metric::RenderTime,
    Metric::MsInPresentAPI,
    Metric::AnimationError,
];

/// The stacked parts of a frame: from, to, name, colour.
const PARTS: [(Stage, Stage, &str, Color32); 5] = [
    (Stage::InputReceived, Stage::InputSampled, "input waits", Color32::from_rgb(148, 120, 220)),
    (Stage::InputSampled, Stage::LogicDone, "logic", Color32::from_rgb(90, 160, 240)),
    (Stage::LogicDone, Stage::SnapshotAcquired, "hand-over", Color32::from_rgb(80, 200, 190)),
    (Stage::SnapshotAcquired, Stage::Submitted, "render", Color32::from_rgb(240, 180, 70)),
    (Stage::Submitted, Stage::Presented, "swap to display", Color32::from_rgb(225, 95, 90)),
];

/// Makes the HUD on the render thread, when it is first shown.
pub fn factory(visible: bool) -> OverlayFactory {
    Box::new(move |cx: &CreateContext<'_>| {
        let hud: Box<dyn Overlay> =
            Box::new(Hud { egui: None, target: cx.target.clone(), visible, figures: None });
        Ok(hud)
    })
}

struct Hud {
    egui: Option<Egui>,
    target: TargetInfo,
    visible: bool,
    figures: Option<(Timestamp, Figures)>,
}

/// What is computed anew a few times a second.
struct Figures {
    metrics: [Option<Summary>; FIGURES.len()],
    passes: Vec<(&'static str, Option<Summary>)>,
}

struct Egui {
    context: egui::Context,
    painter: egui_glow::Painter,
    started: Timestamp,
}

impl Egui {
    fn new(gl: &Gl) -> Result<Self> {
        let painter = egui_glow::Painter::new(gl.shared(), "", None, false)
            .map_err(|e| Error::Gl { operation: "making the HUD", detail: e.to_string() })?;
        let context = egui::Context::default();
        context.set_visuals(egui::Visuals::dark());
        Ok(Self { context, painter, started: MonotonicClock.now() })
    }
}

impl Drop for Egui {
    fn drop(&mut self) {
        self.painter.destroy();
    }
}

impl Overlay for Hud {
    fn draw(&mut self, gl: &Gl, frame: &FrameInfo<'_>) {
        if self.egui.is_none() {
            match Egui::new(gl) {
                Ok(egui) => self.egui = Some(egui),
                Err(e) => {
                    log::error!("{e}");
                    self.visible = false;
                    return;
                }
            }
        }
        let now = MonotonicClock.now();
        if self.figures.as_ref().is_none_or(|(at, _)| now.saturating_since(*at) >= REFRESH_FIGURES) {
            let metrics = FIGURES.map(|m| frame.stats.metrics().get(m).summary());
            let passes =
                frame.stats.gpu_passes().iter().map(|(name, times)| (name, times.summary())).collect();
            self.figures = Some((now, Figures { metrics, passes }));
        }
        let (target, figures) = (&self.target, self.figures.as_ref().map(|(_, f)| f));
        let Some(egui) = &mut self.egui else { return };
        let size = vec2(frame.size.width as f32, frame.size.height as f32) / frame.scale;
        let input = egui::RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, size)),
            time: Some(now.saturating_since(egui.started).as_secs_f64()),
            viewports: std::iter::once((
                egui::ViewportId::ROOT,
                egui::ViewportInfo { native_pixels_per_point: Some(frame.scale), ..Default::default() },
            ))
            .collect(),
            ..Default::default()
        };
        let mut output = egui.context.run_ui(input, |ui| {
            egui::Area::new(egui::Id::unique("hud")).anchor(Align2::LEFT_TOP, vec2(12.0, 12.0)).show(
                ui.ctx(),
                |ui| {
                    egui::Frame::new()
                        .fill(Color32::from_black_alpha(200))
                        .corner_radius(6.0)
                        .inner_margin(10.0)
                        .show(ui, |ui| contents(ui, frame, target, figures));
                },
            );
        });
        let triangles = egui.context.tessellate(std::mem::take(&mut output.shapes), output.pixels_per_point);
        egui.painter.paint_and_update_textures(
            [frame.size.width, frame.size.height],
            output.pixels_per_point,
            &triangles,
            &mut output.textures_delta,
        );
    }

    fn toggle(&mut self) {
        self.visible = !self.visible;
    }

    fn visible(&self) -> bool {
        self.visible
    }

    fn context_lost(&mut self) -> bool {
        // The next frame makes it anew.
        self.egui = None;
        true
    }
}

fn contents(ui: &mut Ui, frame: &FrameInfo<'_>, target: &TargetInfo, figures: Option<&Figures>) {
    ui.set_width(WIDTH);
    let recent: Vec<&FrameRecord> = last(frame.stats.recent());
    let rate = frames_per_second(&recent);
    ui.horizontal(|ui| {
        let text = rate.map_or("--".to_owned(), |r| format!("{r:.1}"));
        ui.label(RichText::new(text).size(26.0).strong().color(Color32::WHITE));
        ui.label("frames/s");
    });
    let software = if target.software { ", software rasteriser" } else { "" };
    ui.label(format!("{}{software}", target.renderer));
    let throttle = match frame.pacer.throttle() {
        Throttle::Untested => "",
        Throttle::Driver => ", swap throttles",
        Throttle::Timer => ", swap does not throttle: timed",
    };
    ui.label(format!("{}, pacing {}{throttle}", target.surface, frame.pacer.mode()));
    let nominal = target.refresh_hz.map_or(String::new(), |hz| format!(" ({hz:.2} Hz nominal)"));
    let (source, origin) = frame.source.unwrap_or((&target.source, target.origin));
    let comma = if source.is_empty() { "" } else { ", " };
    ui.label(format!("display times: {source}{comma}{origin}{nominal}"));
    ui.add_space(4.0);
    pacing(ui, &frame.pacer.state());
    ui.add_space(6.0);
    interval_strip(ui, &recent, frame.pacer.interval());
    ui.add_space(6.0);
    stage_bars(ui, &recent);
    ui.add_space(6.0);
    if let Some(figures) = figures {
        table(ui, figures);
    }
    let c = frame.stats.counters();
    ui.add_space(4.0);
    ui.label(format!(
        "frame {}   repeated {}   late logic {}   dropped {}",
        frame.id, c.repeated, c.stale, c.dropped
    ));
}

/// What the pacer knows and does; the keys are the window's, since egui gets no input here.
fn pacing(ui: &mut Ui, state: &PacerState) {
    let refresh = state.refresh.map_or("-".to_owned(), |r| format!("{:.3} ms", r.as_secs_f64() * 1e3));
    let small = |ui: &mut Ui, text: String| ui.label(RichText::new(text).size(11.5));
    let lock = lock_name(state.lock);
    let layout = layout_name(state.layout);
    small(ui, format!("refresh {refresh} ({lock})   {layout}, every {} refresh", ordinal(state.divisor)));
    let measured = miss_share(state).map_or("-".to_owned(), |s| format!("{:.2} %", s * 100.0));
    let budget = match state.miss_budget {
        None => "frames aim at no time".to_owned(),
        Some(declared) => format!(
            "budget {:.2} ms, reserve {:.2} ms   misses {measured}, declared {:.2} %",
            state.budget.as_secs_f64() * 1e3,
            state.reserve as f64 / 1e6,
            declared * 100.0,
        ),
    };
    small(ui, budget);
    small(ui, "F1 hides this   F2 next pacing mode   F11 full screen".to_owned());
}

fn ordinal(n: u32) -> String {
    match n {
        0 | 1 => "1st".to_owned(),
        2 => "2nd".to_owned(),
        3 => "3rd".to_owned(),
        n => format!("{n}th"),
    }
}

fn last<'a>(records: impl Iterator<Item = &'a FrameRecord>) -> Vec<&'a FrameRecord> {
    let mut all: Vec<_> = records.collect();
    all.split_off(all.len().saturating_sub(STRIP))
}

fn frames_per_second(recent: &[&FrameRecord]) -> Option<f64> {
    // Over the last second at most, so that the figure follows what happens.
    let newest = recent.last()?.at(Stage::SwapEnd)?;
    let window: Vec<_> = recent
        .iter()
        .filter_map(|r| r.at(Stage::SwapEnd))
        .filter(|t| newest.saturating_since(*t) <= Duration::from_secs(1))
        .collect();
    let span = newest.saturating_since(*window.first()?).as_secs_f64();
    (window.len() > 1 && span > 0.0).then(|| (window.len() - 1) as f64 / span)
}

/// One column per frame: the time since the frame before, against the interval aimed at.
fn interval_strip(ui: &mut Ui, recent: &[&FrameRecord], interval: Duration) {
    let (rect, painter) = strip(ui, 56.0);
    let target_ms = interval.as_secs_f32() * 1e3;
    let full = target_ms * 2.5;
    let column = rect.width() / STRIP as f32;
    for (i, pair) in recent.windows(2).enumerate() {
        let (Some(before), Some(after)) = (pair[0].at(Stage::Presented), pair[1].at(Stage::Presented)) else {
            continue;
        };
        if pair[1].after_idle {
            continue;
        }
        let ms = after.signed_since(before) as f32 / 1e6;
        let colour = if pair[1].stale {
            Color32::from_rgb(225, 95, 220)
        } else if ms > target_ms * 1.5 {
            Color32::from_rgb(225, 95, 90)
        } else {
            Color32::from_rgb(110, 200, 120)
        };
        bar(&painter, rect, i, column, 0.0, ms / full, colour);
    }
    let y = rect.bottom() - rect.height() / 2.5;
    painter.hline(rect.x_range(), y, Stroke::new(1.0, Color32::from_white_alpha(90)));
    caption(&painter, rect, &format!("time between frames, line: {target_ms:.2} ms"));
}

/// One column per frame: where its time went.
fn stage_bars(ui: &mut Ui, recent: &[&FrameRecord]) {
    let (rect, painter) = strip(ui, 84.0);
    let total = |r: &FrameRecord| r.between(first_stage(r), Stage::Presented).unwrap_or(0) as f32 / 1e6;
    let mut totals: Vec<f32> = recent.iter().filter(|r| !r.repeated).map(|r| total(r)).collect();
    totals.sort_by(f32::total_cmp);
    // Scaled to what is usual: single outliers are cut off rather than flattening all others.
    let full = totals.get(totals.len() * 9 / 10).map_or(1.0, |ms| (ms * 1.25).max(0.5));
    let column = rect.width() / STRIP as f32;
    for (i, record) in recent.iter().enumerate().filter(|(_, r)| !r.repeated) {
        let mut bottom = 0.0;
        for (from, to, _, colour) in PARTS {
            let Some(part) = record.between(from, to) else { continue };
            let height = part.max(0) as f32 / 1e6 / full;
            bar(&painter, rect, i, column, bottom, height, colour);
            bottom += height;
        }
    }
    caption(&painter, rect, &format!("input to display, full height: {full:.2} ms"));
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (_, _, name, colour) in PARTS {
            let (square, _) = ui.allocate_exact_size(Vec2::splat(9.0), egui::Sense::hover());
            ui.painter().rect_filled(square, 1.0, colour);
            ui.label(RichText::new(name).size(10.5));
        }
    });
}

fn first_stage(record: &FrameRecord) -> Stage {
    if record.at(Stage::InputReceived).is_some() { Stage::InputReceived } else { Stage::InputSampled }
}

fn table(ui: &mut Ui, figures: &Figures) {
    egui::Grid::new("figures").striped(true).spacing(vec2(14.0, 3.0)).show(ui, |ui| {
        for head in ["milliseconds", "p50", "p95", "p99", "max"] {
            ui.label(RichText::new(head).strong());
        }
        ui.end_row();
        let metrics = FIGURES.iter().map(|m| m.name().to_owned()).zip(&figures.metrics);
        let passes = figures.passes.iter().map(|(name, times)| (format!("GPU: {name}"), times));
        for (name, figures) in metrics.chain(passes) {
            ui.label(name);
            match figures {
                Some(f) => {
                    for value in [f.p50, f.p95, f.p99, f.max] {
                        ui.label(RichText::new(format!("{value:.2}")).monospace());
                    }
                }
                None => {
                    ui.label("not measured");
                }
            }
            ui.end_row();
        }
    });
}

fn strip(ui: &mut Ui, height: f32) -> (Rect, egui::Painter) {
    let (rect, _) = ui.allocate_exact_size(Vec2::new(WIDTH, height), egui::Sense::hover());
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 2.0, Color32::from_white_alpha(14));
    (rect, painter)
}

fn bar(painter: &egui::Painter, rect: Rect, i: usize, column: f32, from: f32, height: f32, colour: Color32) {
    let x = rect.left() + i as f32 * column;
    let y = |share: f32| rect.bottom() - share.clamp(0.0, 1.0) * rect.height();
    let bar = Rect::from_min_max(Pos2::new(x, y(from + height)), Pos2::new(x + column * 0.9, y(from)));
    painter.rect_filled(bar, 0.0, colour);
}

fn caption(painter: &egui::Painter, rect: Rect, text: &str) {
    let at = rect.left_top() + vec2(4.0, 2.0);
    painter.text(at, Align2::LEFT_TOP, text, FontId::proportional(10.5), Color32::from_white_alpha(190));
}
