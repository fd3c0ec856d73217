//! The scenes in eframe, with the options that it has by default (OpenGL through glow, swap interval 1): it draws when
//! there was input, or when it was asked to.
//!
//! `others-eframe [flash|flip|drag]`

use std::process::ExitCode;

use eframe::egui::{self, Color32, CornerRadius, Key, Pos2, Rect, Vec2, ViewportCommand};

/// Width of the mark that follows the pointer, in pixels: that of the scene `drag`.
const MARK: f32 = 16.0;

#[derive(Clone, Copy)]
enum Scene {
    Flash,
    Flip,
    Drag,
}

fn scene() -> Option<Scene> {
    match std::env::args().nth(1).as_deref() {
        None | Some("flash") => Some(Scene::Flash),
        Some("flip") => Some(Scene::Flip),
        Some("drag") => Some(Scene::Drag),
        Some(_) => None,
    }
}

struct App {
    scene: Scene,
    white: bool,
    /// Where the pointer was last, which egui forgets when the compositor hides it.
    x: Option<f32>,
}

impl eframe::App for App {
    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        let context = ui.ctx().clone();
        if context.input(|i| i.key_pressed(Key::Escape)) {
            context.send_viewport_cmd(ViewportCommand::Close);
        }
        match self.scene {
            // The first press alone: egui counts repeats as presses.
            Scene::Flash => {
                self.white ^= context.input(|i| {
                    i.events.iter().any(|e| {
                        matches!(e, egui::Event::Key { key: Key::Space, pressed: true, repeat: false, .. })
                    })
                });
            }
            Scene::Flip => {
                self.white = !self.white;
                context.request_repaint();
            }
            Scene::Drag => self.x = context.input(|i| i.pointer.latest_pos()).map(|p| p.x).or(self.x),
        }
        let all = context.content_rect();
        let colour = if self.white { Color32::WHITE } else { Color32::BLACK };
        ui.painter().rect_filled(all, CornerRadius::ZERO, colour);
        if matches!(self.scene, Scene::Drag)
            && let Some(x) = self.x
        {
            let mark = Rect::from_min_size(Pos2::new(x - MARK / 2.0, 0.0), Vec2::new(MARK, all.height()));
            ui.painter().rect_filled(mark, CornerRadius::ZERO, Color32::WHITE);
        }
    }
}

fn main() -> ExitCode {
    let Some(scene) = scene() else {
        eprintln!("others-eframe: scenes are flash, flip and drag");
        return ExitCode::from(2);
    };
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default().with_inner_size([1280.0, 720.0]),
        ..eframe::NativeOptions::default()
    };
    let made = eframe::run_native(
        "others-eframe",
        options,
        Box::new(move |_| Ok(Box::new(App { scene, white: false, x: None }))),
    );
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("others-eframe: {e}");
            ExitCode::FAILURE
        }
    }
}
