//! Every scene in a window, through GLX, is the picture that it is off screen, where tests/headless_pictures.rs holds it against
//! a stored one.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "limits on real processes are real time")]

mod support;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use image::RgbImage;
use support::app::{App, Place};
use support::xvfb::Xvfb;

const LIMIT: Duration = Duration::from_secs(60);

/// Mean difference of the channels, of 255, that one driver may have between its two ways to a framebuffer: single pixels at
/// edges. A window that encoded colours once more, or did not resolve its samples, is far off.
const ALIKE: f64 = 0.05;

/// The scenes, with how many colours their first picture has at least.
const SCENES: [(&str, &[&str], usize); 11] = [
    ("model", &["--msaa", "1"], 1_000),
    ("model", &["--msaa", "4"], 1_000),
    ("model", &["--quality", "high", "--msaa", "4"], 1_000),
    ("swarm", &["--msaa", "1", "--instances", "2000"], 1_000),
    ("swarm", &["--msaa", "4", "--instances", "2000"], 1_000),
    ("crowd", &["--msaa", "1", "--instances", "200"], 1_000),
    ("crowd", &["--msaa", "4", "--instances", "200"], 1_000),
    ("video", &[], 1_000),
    ("bars", &[], 2),
    ("flip", &[], 1),
    ("drag", &[], 1),
];

/// The first frame of a scene: its animation has not begun, so that it is the same in every run.
fn first_frame(place: &Place, display: &str, scene: &str, options: &[&str], folder: &Path) -> RgbImage {
    let file = folder.join(format!("{display}.png"));
    let program: OsString =
        std::env::var_os("SCANOUT_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_scanout").into());
    let file_name = file.to_str().expect("a plain path");
    let report = folder.join("report.json");
    let common = ["run", "--quiet", "--size", "640x480", "--frames", "1", "--warmup", "0"];
    let own = ["--display", display, "--scene", scene, "--screenshot", file_name];
    let written = ["--report", report.to_str().expect("a plain path")];
    let arguments = [&common[..], &own, &written, options].concat();
    App::start(program, &arguments, place).wait(LIMIT).assert_clean();
    image::open(&file).unwrap_or_else(|e| panic!("{scene} {options:?}, {display}: {e}")).into_rgb8()
}

fn mean_difference(a: &RgbImage, b: &RgbImage) -> f64 {
    let off: u64 = a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    off as f64 / a.as_raw().len() as f64
}

#[test]
fn every_scene_through_glx_is_the_picture_off_screen() {
    let server = Xvfb::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (scene, options, colours) in SCENES {
        let window = Place::X11 { display: server.display() };
        let drawn = first_frame(&Place::Nowhere, "headless", scene, options, folder.path());
        let shown = first_frame(&window, "window", scene, options, folder.path());
        assert_eq!(drawn.dimensions(), shown.dimensions(), "{scene} {options:?}");
        let mean = mean_difference(&drawn, &shown);
        assert!(mean < ALIKE, "{scene} {options:?}: {mean:.4} of 255 on the mean");
        let different = shown.pixels().collect::<std::collections::HashSet<_>>().len();
        assert!(different >= colours, "{scene} {options:?}: {different} colours are no picture");
    }
}

#[test]
fn scenes_differ_by_more_than_is_taken_for_alike() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let draw = |options: &[&str]| first_frame(&Place::Nowhere, "headless", "swarm", options, folder.path());
    let one = draw(&["--msaa", "1", "--instances", "2000"]);
    let four = draw(&["--msaa", "4", "--instances", "2000"]);
    let fewer = draw(&["--msaa", "1", "--instances", "1999"]);
    assert!(mean_difference(&one, &four) > ALIKE, "samples are seen: {}", mean_difference(&one, &four));
    assert!(mean_difference(&one, &fewer) > 0.0, "one instance less is seen");
}
