//! What is drawn over the scene: live figures of the frames so far, and what can be changed about them. It is drawn on the
//! render thread, within the frame, so its own cost is part of what it shows; benchmarks leave it off.

mod controls;
mod figures;
mod input;
mod paint;
mod panels;
mod sides;
mod stands;
mod strip;
mod table;
mod text;
mod values;
mod view;

#[cfg(test)]
mod laid_out;

use std::time::Duration;

use egui::{Pos2, Rect, vec2};

use scanout::gl::{CreateContext, Gl, Overlay, OverlayFactory};
use scanout::runtime::{Area, Changes, FrameInfo, InputEvent, TargetInfo};
use scanout::stats::FrameRecord;
use scanout::time::{Clock as _, MonotonicClock, Timestamp, nanos};
use scanout::{Error, Result};

pub use self::controls::Settings;
use self::controls::{Controls, Spots};
use self::figures::Figures;
use self::input::{Input, Key};
use self::panels::Page;
use self::sides::{Conditions, Sides};
use self::stands::{Ours, Shared};
use self::values::{Values, quantile};
use self::view::View;

/// How often percentiles are computed anew, so that they can be read.
const REFRESH_FIGURES: Duration = Duration::from_millis(250);
/// Frames that the HUD's own cost is the median of.
const COSTS: usize = 120;

/// Makes the HUD on the render thread, when it is first shown.
pub fn factory(visible: bool, settings: Settings) -> OverlayFactory {
    Box::new(move |cx: &CreateContext<'_>| {
        let hud: Box<dyn Overlay> = Box::new(Hud {
            egui: None,
            target: cx.target.clone(),
            visible,
            page: Page::default(),
            input: Input::default(),
            controls: Controls::new(settings),
            live: None,
            areas: Vec::new(),
            told: Vec::new(),
            unfinished: false,
        });
        Ok(hud)
    })
}

struct Hud {
    egui: Option<Egui>,
    target: TargetInfo,
    visible: bool,
    page: Page,
    input: Input,
    controls: Controls,
    /// Made when it is first shown: it takes memory.
    live: Option<Live>,
    areas: Vec<Area>,
    told: Spots,
    unfinished: bool,
}

/// What is watched while it is shown.
struct Live {
    sides: Sides<Ours, Shared>,
    figures: Option<(Timestamp, Figures)>,
    costs: Values,
    recent: Vec<FrameRecord>,
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
        panels::style(&context);
        Ok(Self { context, painter, started: MonotonicClock.now() })
    }
}

impl Drop for Egui {
    fn drop(&mut self) {
        self.painter.destroy();
    }
}

impl Live {
    fn new() -> Self {
        Self { sides: Sides::new(), figures: None, costs: Values::new(COSTS), recent: Vec::new() }
    }
}

impl Overlay for Hud {
    fn draw(&mut self, gl: &Gl, frame: &FrameInfo<'_>) {
        let began = MonotonicClock.now();
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
        let (Some(egui), live) = (&mut self.egui, self.live.get_or_insert_with(Live::new)) else { return };
        let scale = panels::pixels_per_point(frame.size, frame.scale);
        let room = vec2(frame.size.width as f32, frame.size.height as f32) / scale;
        let side = self.controls.in_force(frame.pacer.mode());
        let (controls, page) = (&mut self.controls, &mut self.page);
        let events = self.input.take(scale, |key| match key {
            Key::NextPage => *page = page.next(room),
            Key::OtherSide => controls.other_side(side),
            Key::NextLayout => controls.next_layout(side),
            Key::Restart => live.sides.restart(),
        });
        live.watch(frame, began, side, controls);
        let input = egui::RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, room)),
            time: Some(began.saturating_since(egui.started).as_secs_f64()),
            viewports: std::iter::once((
                egui::ViewportId::ROOT,
                egui::ViewportInfo { native_pixels_per_point: Some(scale), ..Default::default() },
            ))
            .collect(),
            events,
            ..Default::default()
        };
        let phase = frame.stats.recent_phase_errors();
        let cost = quantile(&live.costs.sorted(), 0.5).map(|ns| ns as f64 / 1e6);
        let none = Figures::default();
        let shown = live.figures.as_ref().map_or(&none, |(_, figures)| figures);
        let recent = (live.recent.as_slice(), shown, phase.as_slice());
        let view = View::of(frame, &self.target, recent, (side, live.sides.settles(began)), cost);
        let mut covers = Vec::new();
        let mut output = egui.context.run_ui(input, |ui| covers = panels::show(ui, &view, page, controls));
        self.areas.clear();
        self.areas.extend(covers.iter().map(|rect| area(*rect, output.pixels_per_point)));
        let root = output.viewport_output.get(&egui::ViewportId::ROOT);
        self.unfinished = self.input.more() || root.is_some_and(|root| root.repaint_delay.is_zero());
        let triangles = egui.context.tessellate(std::mem::take(&mut output.shapes), output.pixels_per_point);
        egui.painter.paint_and_update_textures(
            [frame.size.width, frame.size.height],
            output.pixels_per_point,
            &triangles,
            &mut output.textures_delta,
        );
        live.costs.push(nanos(MonotonicClock.now().saturating_since(began)).cast_signed());
        self.tell_spots(scale);
    }

    fn toggle(&mut self) {
        self.visible = !self.visible;
        self.input.forget();
        self.areas.clear();
        self.controls.hide();
        if let Some(live) = &mut self.live {
            // What happens meanwhile is not watched; what was counted stays.
            live.sides.hide();
        }
    }

    fn visible(&self) -> bool {
        self.visible
    }

    fn input(&mut self, event: &InputEvent) {
        self.input.push(*event);
    }

    fn areas(&self) -> &[Area] {
        &self.areas
    }

    fn changes(&mut self) -> Option<Changes> {
        self.controls.changes()
    }

    fn unfinished(&self) -> bool {
        self.unfinished
    }

    fn context_lost(&mut self) -> bool {
        // The next frame makes it anew.
        self.egui = None;
        true
    }
}

impl Live {
    /// Takes over what became known since the last frame.
    fn watch(&mut self, frame: &FrameInfo<'_>, now: Timestamp, side: sides::Side, controls: &Controls) {
        let (ours, load) = controls.conditions();
        let conditions = Conditions { ours, shared: (load, frame.size) };
        self.sides.drawing(frame.id, now, side, conditions);
        self.sides.finished(frame.stats.recent());
        self.recent.clear();
        self.recent.extend(frame.stats.recent().copied());
        let due = |at: &Timestamp| now.saturating_since(*at) >= REFRESH_FIGURES;
        if self.figures.as_ref().is_none_or(|(at, _)| due(at)) {
            self.figures = Some((now, Figures::of(&self.sides, frame, &self.recent)));
        }
    }
}

impl Hud {
    /// Says in the log where things are, whenever they move: for programs that use the HUD as a user would.
    fn tell_spots(&mut self, scale: f32) {
        // egui lays out what is new in one frame and hears the pointer there from the next on.
        if !self.unfinished && log::log_enabled!(log::Level::Debug) && self.told != self.controls.spots {
            self.told.clone_from(&self.controls.spots);
            for (name, rect) in &self.told {
                let Area { left, top, right, bottom } = area(*rect, scale);
                log::debug!("HUD: {name} at {left},{top} to {right},{bottom}");
            }
        }
    }
}

/// In physical pixels.
fn area(rect: Rect, scale: f32) -> Area {
    let pixel = |points: f32| (points * scale).round().clamp(0.0, f32::from(u16::MAX)) as u16;
    Area {
        left: pixel(rect.left()),
        top: pixel(rect.top()),
        right: pixel(rect.right()),
        bottom: pixel(rect.bottom()),
    }
}
