//! The scenes in macroquad's own loop, the only one that it has: a frame for each return of `next_frame`, swap interval 1.
//!
//! `others-macroquad [flash|flip|drag]`

use std::process::ExitCode;

use macroquad::miniquad::conf::{LinuxBackend, Platform};
use macroquad::prelude::*;

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

async fn run(scene: Scene) {
    let mut white = false;
    while !is_key_pressed(KeyCode::Escape) {
        match scene {
            Scene::Flash => white ^= is_key_pressed(KeyCode::Space),
            Scene::Flip => white = !white,
            Scene::Drag => {}
        }
        clear_background(if white { WHITE } else { BLACK });
        if matches!(scene, Scene::Drag) {
            let (x, _) = mouse_position();
            draw_rectangle(x - MARK / 2.0, 0.0, MARK, screen_height(), WHITE);
        }
        next_frame().await;
    }
}

fn main() -> ExitCode {
    let Some(scene) = scene() else {
        eprintln!("others-macroquad: scenes are flash, flip and drag");
        return ExitCode::from(2);
    };
    // It takes X11 unless it is told otherwise.
    let wayland = std::env::var_os("WAYLAND_DISPLAY").is_some();
    let linux_backend = if wayland { LinuxBackend::WaylandOnly } else { LinuxBackend::X11Only };
    let conf = Conf {
        window_title: "others-macroquad".to_owned(),
        window_width: 1280,
        window_height: 720,
        platform: Platform { linux_backend, ..Platform::default() },
        ..Conf::default()
    };
    macroquad::Window::from_config(conf, run(scene));
    ExitCode::SUCCESS
}
