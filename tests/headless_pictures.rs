//! Every scene against a stored picture, drawn off screen by whatever OpenGL the machine has.
//!
//! `SCANOUT_BLESS=1` writes the stored pictures anew; look at each before it is committed. A picture that does not
//! fit is kept under `target/golden-failures/`, beside a picture of where it differs.
#![allow(clippy::print_stdout, reason = "how close each picture is, for who asks with --nocapture")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use glam::Vec2;
use image::{Rgba, RgbaImage};
use scanout::gl::{CreateContext, DebugLevel, Frame, Renderer};
use scanout::runtime::{ButtonCode, InputEvent, InputKind, KeyCode, Pixels};
use scanout::scenes::{Look, Quality, Scene, Visitor};
use scanout::time::Timestamp;
use scanout::{Config, Logic, Size};

mod model_support;
use model_support::{File, base64, showcase};

const SIZE: Size = Size::new(320, 180);
const STEP: Duration = Duration::from_nanos(16_666_667);

// --- drawing ---

/// Feeds a scene with input, moves it on and draws it once.
struct Shot {
    events: Vec<InputKind>,
    steps: u64,
    step: Duration,
    size: Size,
}

impl Visitor for Shot {
    type Output = scanout::Result<Pixels>;

    fn visit<L, R, F>(self, mut logic: L, make_renderer: F) -> Self::Output
    where
        L: Logic + 'static,
        L::Snapshot: 'static,
        R: Renderer<L::Snapshot> + 'static,
        F: FnOnce(&CreateContext<'_>) -> scanout::Result<R> + Send + 'static,
    {
        for kind in self.events {
            logic.input(&InputEvent::new(Timestamp::ZERO, kind));
        }
        // An OpenGL error anywhere on the way fails the test as well.
        let config = Config { size: self.size, debug: DebugLevel::Panic, ..Config::default() };
        scanout::headless::draw_once(&config, logic, make_renderer, self.steps, self.step)
    }
}

/// Draws what a scene began with several times before each picture.
struct Before<S, R> {
    begin: S,
    times: u32,
    renderer: R,
}

impl<S, R: Renderer<S>> Renderer<S> for Before<S, R> {
    fn render(&mut self, snapshot: &S, frame: &mut Frame<'_>) {
        (0..self.times).for_each(|_| self.renderer.render(&self.begin, frame));
        self.renderer.render(snapshot, frame);
    }
}

/// The same with so many drawings of the beginning.
struct Later(Shot, u32);

impl Visitor for Later {
    type Output = scanout::Result<Pixels>;

    fn visit<L, R, F>(self, logic: L, make_renderer: F) -> Self::Output
    where
        L: Logic + 'static,
        L::Snapshot: 'static,
        R: Renderer<L::Snapshot> + 'static,
        F: FnOnce(&CreateContext<'_>) -> scanout::Result<R> + Send + 'static,
    {
        let Self(shot, times) = self;
        let mut begin = L::Snapshot::default();
        logic.extract(&mut begin);
        shot.visit(logic, move |cx: &CreateContext<'_>| {
            Ok(Before { begin, times, renderer: make_renderer(cx)? })
        })
    }
}

fn draw(scene: &Scene, steps: u64, events: &[InputKind]) -> RgbaImage {
    draw_shot(scene, Shot { events: events.to_vec(), steps, step: STEP, size: SIZE })
}

fn draw_shot(scene: &Scene, shot: Shot) -> RgbaImage {
    draw_with(scene, look(Quality::Off, 1), shot)
}

/// The same wishes wherever the test runs: what is automatic depends on the driver.
const fn look(quality: Quality, samples: u32) -> Look {
    Look { quality: Some(quality), samples: Some(samples) }
}

fn draw_with(scene: &Scene, look: Look, shot: Shot) -> RgbaImage {
    let size = shot.size;
    let pixels =
        scene.open_with(look, shot).and_then(|drawn| drawn).unwrap_or_else(|e| panic!("{scene:?}: {e}"));
    assert_eq!(pixels.size, size);
    RgbaImage::from_raw(size.width, size.height, pixels.rgba).expect("four bytes per pixel")
}

const fn moved(x: f32, y: f32) -> InputKind {
    InputKind::PointerMoved { position: Vec2::new(x, y) }
}

fn dragged(x: f32, y: f32) -> [InputKind; 3] {
    [moved(0.0, 0.0), InputKind::Button { button: ButtonCode::Primary, pressed: true }, moved(x, y)]
}

/// Turns the camera from where it starts to straight in front (plus `right` pixels of dragging) and `closer` lines
/// closer.
fn from_the_front(right: f32, closer: f32) -> Vec<InputKind> {
    let mut events = dragged(75.0 + right, -52.5).to_vec();
    events.push(InputKind::Scroll { lines: Vec2::new(0.0, closer) });
    events
}

const SPACE: InputKind = InputKind::Key { code: KeyCode::Space, pressed: true, repeat: false };

// --- comparing ---

/// Highest mean of the absolute difference over all channels, of 255. Rasterisers may round a shade either way and
/// place an edge a fraction of a pixel elsewhere. llvmpipe gives the same bytes with another vector width; Mesa's other
/// software rasteriser, softpipe, which shares none of its code, stays below 0.3. A scene that is turned by a degree,
/// or one channel of which is three steps off, gives more than this.
const MEAN: f64 = 0.5;
/// A channel that differs by more than this share of the full range belongs to another surface, not to another
/// rounding.
const STRONG: u8 = 48;
/// Largest share of pixels that may differ that much from every pixel around their place in the other picture: what is
/// there in one picture and not in the other. An edge that falls a pixel aside does not count, so that softpipe has one
/// such pixel at most, and a thin line of 30 pixels is not lost.
const STRONG_SHARE: f64 = 0.0004;

#[derive(Copy, Clone, Debug)]
struct Difference {
    mean: f64,
    strong_share: f64,
}

impl Difference {
    fn between(a: &RgbaImage, b: &RgbaImage) -> Option<Self> {
        if a.dimensions() != b.dimensions() {
            return None;
        }
        let sum: u64 = a.as_raw().iter().zip(b.as_raw()).map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
        let strong = a
            .enumerate_pixels()
            .zip(b.pixels())
            .filter(|&((x, y, a_pixel), b_pixel)| {
                !has_near(b, x, y, *a_pixel) || !has_near(a, x, y, *b_pixel)
            })
            .count();
        let pixels = u64::from(a.width()) * u64::from(a.height());
        Some(Self { mean: sum as f64 / (4 * pixels) as f64, strong_share: strong as f64 / pixels as f64 })
    }

    fn is_tolerable(self) -> bool {
        self.mean <= MEAN && self.strong_share <= STRONG_SHARE
    }
}

/// Whether a pixel like `wanted` is at this place of `picture`, or beside it.
fn has_near(picture: &RgbaImage, x: u32, y: u32, wanted: Rgba<u8>) -> bool {
    let alike = |p: &Rgba<u8>| p.0.iter().zip(wanted.0).all(|(&p, w)| p.abs_diff(w) <= STRONG);
    let around = |at: u32, end: u32| at.saturating_sub(1)..(at + 2).min(end);
    around(y, picture.height()).any(|y| around(x, picture.width()).any(|x| alike(picture.get_pixel(x, y))))
}

/// Where two pictures differ: eight times the difference, so that little is seen too.
fn difference_picture(a: &RgbaImage, b: &RgbaImage) -> RgbaImage {
    RgbaImage::from_fn(a.width().max(b.width()), a.height().max(b.height()), |x, y| {
        match (a.get_pixel_checked(x, y), b.get_pixel_checked(x, y)) {
            (Some(a), Some(b)) => {
                let d = |i: usize| a[i].abs_diff(b[i]).max(a[3].abs_diff(b[3])).saturating_mul(8);
                Rgba([d(0), d(1), d(2), 255])
            }
            _ => Rgba([255, 0, 255, 255]),
        }
    })
}

/// Compares `actual` with the picture at `golden`; the error names the files that were kept in `failures`.
fn check(name: &str, actual: &RgbaImage, golden: &Path, failures: &Path) -> Result<Difference, String> {
    let keep = |suffix: &str, picture: &RgbaImage| {
        std::fs::create_dir_all(failures).expect("a folder for failures");
        let path = failures.join(format!("{name}{suffix}.png"));
        picture.save(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        path.display().to_string()
    };
    let golden_picture = match image::open(golden) {
        Ok(picture) => picture.into_rgba8(),
        Err(e) => {
            return Err(format!(
                "{}: {e}; drawn: {}; SCANOUT_BLESS=1 stores it",
                golden.display(),
                keep("", actual)
            ));
        }
    };
    let difference = Difference::between(actual, &golden_picture);
    match difference {
        Some(d) if d.is_tolerable() => Ok(d),
        _ => Err(format!(
            "{name}: {}\n  stored:     {}\n  drawn:      {}\n  difference: {}",
            difference.map_or_else(
                || format!("{:?} pixels and not {:?}", actual.dimensions(), golden_picture.dimensions()),
                |d| format!(
                    "differs by {:.3} of 255 on the mean ({MEAN} allowed) and strongly in {:.3} % ({} allowed)",
                    d.mean,
                    d.strong_share * 100.0,
                    STRONG_SHARE * 100.0
                )
            ),
            golden.display(),
            keep("", actual),
            keep("-difference", &difference_picture(actual, &golden_picture)),
        )),
    }
}

fn assert_golden(name: &str, actual: &RgbaImage) {
    // What has alpha below 1 lets the desktop shine through on some window systems, and the page behind a saved
    // picture everywhere.
    assert!(actual.pixels().all(|p| p[3] == 255), "{name}: the picture is not opaque");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden = root.join("tests/golden").join(name).with_extension("png");
    if std::env::var_os("SCANOUT_BLESS").is_some_and(|v| v == "1") {
        actual.save(&golden).unwrap_or_else(|e| panic!("{}: {e}", golden.display()));
        return;
    }
    match check(name, actual, &golden, &failures_folder()) {
        Ok(d) => println!("{name}: mean {:.4}, strong {:.4} %", d.mean, d.strong_share * 100.0),
        Err(text) => panic!("{text}"),
    }
}

/// Beside the test's own temporary folder, which cargo puts into the target folder in use.
fn failures_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder").join("golden-failures")
}

// --- the comparison itself ---

#[test]
fn comparison_refuses_wrong_pictures_and_keeps_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let golden = folder.path().join("golden.png");
    let failures = folder.path().join("failures");
    let right = draw(&Scene::Bars, 30, &[]);
    right.save(&golden).expect("a file");
    let compare = |picture: &RgbaImage| check("wrong", picture, &golden, &failures);
    assert!(compare(&right).is_ok());

    // Rounding the other way everywhere, a few stray pixels, and edges a pixel aside are tolerated.
    let mut rounded = right.clone();
    rounded.pixels_mut().enumerate().for_each(|(i, p)| p[i % 3] = p[i % 3].saturating_add(1));
    for i in 0..12 {
        rounded.put_pixel(i * 16, i * 9, Rgba([255, 0, 0, 255]));
    }
    assert!(compare(&rounded).is_ok(), "{:?}", compare(&rounded));
    assert!(!failures.exists(), "nothing is kept of a success");

    let mut line = right.clone();
    (100..130).for_each(|x| line.put_pixel(x, 90, Rgba([255, 0, 255, 255])));
    let mut darker = right.clone();
    darker.pixels_mut().for_each(|p| p[1] = p[1].saturating_sub(3));
    let mut translucent = right.clone();
    translucent.pixels_mut().for_each(|p| p[3] = 252);
    let smaller = image::imageops::crop_imm(&right, 0, 0, SIZE.width, SIZE.height - 1).to_image();
    let wrong = [
        ("another time", draw(&Scene::Bars, 31, &[])),
        ("upside down", image::imageops::flip_vertical(&draw(&Scene::Model(None), 0, &[]))),
        ("a line across", line),
        ("a little darker", darker),
        ("a little translucent", translucent),
        ("smaller", smaller),
    ];
    for (what, picture) in wrong {
        let text = compare(&picture).expect_err(what);
        for kept in ["wrong.png", "wrong-difference.png"] {
            let path = failures.join(kept);
            assert!(text.contains(path.to_str().expect("a plain path")), "{what}: {text}");
            let shown = image::open(&path).unwrap_or_else(|e| panic!("{what}: {e}")).into_rgba8();
            assert!(shown.pixels().any(|p| p.0[..3].iter().any(|&c| c > 0)), "{what}: {kept} shows nothing");
        }
        std::fs::remove_dir_all(&failures).expect("the folder is there");
    }
    std::fs::remove_file(&golden).expect("the file is there");
    assert!(compare(&right).expect_err("no stored picture").contains("SCANOUT_BLESS"));
}

/// A turned model, one turned by a degree less, and a moment later: each must be told from the others, or the
/// tolerances have grown too wide to guard anything.
#[test]
fn comparison_tells_small_changes_of_a_scene() {
    let scene = Scene::Model(None);
    let base = draw(&scene, 120, &[]);
    let degree = draw(&scene, 120, &dragged(2.2, 0.0));
    let later = draw(&scene, 126, &[]);
    for (what, other) in [("a degree", degree), ("a tenth of a second", later)] {
        let difference = Difference::between(&base, &other).expect("one size");
        assert!(!difference.is_tolerable(), "{what}: {difference:?}");
    }
    let swarm = |n| draw(&Scene::Swarm(n), 60, &[]);
    let difference = Difference::between(&swarm(2_000), &swarm(1_900)).expect("one size");
    assert!(!difference.is_tolerable(), "a hundred balls fewer: {difference:?}");
}

// --- the scenes ---

#[test]
fn model_looks_as_stored() {
    assert_golden("model", &draw(&Scene::Model(None), 120, &[]));
}

#[test]
fn model_turned_and_zoomed_looks_as_stored() {
    let mut events = dragged(-160.0, 40.0).to_vec();
    events.push(InputKind::Scroll { lines: Vec2::new(0.0, 4.0) });
    assert_golden("model-turned", &draw(&Scene::Model(None), 240, &events));
}

// --- the same models in linear light ---

/// A file as it is after `seconds`, from where the camera starts.
fn show(file: &File, look: Look, seconds: f64) -> RgbaImage {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.gltf");
    std::fs::write(&path, file.gltf()).expect("a file");
    let step = Duration::from_secs_f64(seconds);
    draw_with(&Scene::Model(Some(path)), look, Shot { events: vec![], steps: 1, step, size: SIZE })
}

/// With one sample and with four: each as stored, and apart from edges the same picture.
fn assert_golden_at_high(name: &str, draw: impl Fn(Look) -> RgbaImage) {
    let [one, four] = [1, 4].map(|samples| draw(look(Quality::High, samples)));
    assert_golden(name, &one);
    assert_golden(&format!("{name}-msaa"), &four);
    let outside = outside_of_neighbours(&one, &four);
    assert!(outside < 0.002, "{name}: samples change more than edges, {:.3} % of pixels", outside * 100.0);
    // A drawn edge has shades between; without samples it has none, so that there are more colours with them.
    let colours = |p: &RgbaImage| p.pixels().map(|p| p.0).collect::<std::collections::HashSet<_>>().len();
    assert!(one != four && colours(&four) > colours(&one), "{name}: samples change nothing");
}

/// The share of pixels of `smooth` that are brighter or darker than all pixels about their place in `plain`: an edge that
/// is smoothed lies between its two sides.
fn outside_of_neighbours(plain: &RgbaImage, smooth: &RgbaImage) -> f64 {
    const SLACK: u8 = 12;
    let around = |at: u32, end: u32| at.saturating_sub(1)..(at + 2).min(end);
    let outside = smooth.enumerate_pixels().filter(|(x, y, p)| {
        (0..3).any(|channel| {
            let near = around(*y, plain.height())
                .flat_map(|y| around(*x, plain.width()).map(move |x| plain.get_pixel(x, y)[channel]));
            let (low, high) = near.fold((255, 0), |(low, high), c| (c.min(low), c.max(high)));
            p[channel] < low.saturating_sub(SLACK) || p[channel] > high.saturating_add(SLACK)
        })
    });
    outside.count() as f64 / f64::from(plain.width() * plain.height())
}

#[test]
fn model_at_low_and_high_looks_as_stored() {
    let draw = |look| {
        draw_with(&Scene::Model(None), look, Shot { events: vec![], steps: 120, step: STEP, size: SIZE })
    };
    assert_golden("model-low", &draw(look(Quality::Low, 1)));
    assert_golden_at_high("model-high", draw);
}

#[test]
fn balls_from_smooth_to_rough_look_as_stored() {
    assert_golden_at_high("balls", |look| show(&showcase::balls(), look, 0.0));
}

#[test]
fn maps_look_as_stored() {
    assert_golden_at_high("maps", |look| show(&showcase::maps(), look, 0.0));
}

#[test]
fn shadows_look_as_stored() {
    assert_golden_at_high("shadows", |look| show(&showcase::shadows(), look, 0.0));
}

#[test]
fn lights_look_as_stored() {
    assert_golden_at_high("lights", |look| show(&showcase::lights(), look, 0.0));
}

/// Bent and morphed, and both back again.
#[test]
fn figure_looks_as_stored() {
    assert_golden_at_high("figure", |look| show(&showcase::figure(), look, 0.75));
    assert_golden("figure-off", &show(&showcase::figure(), look(Quality::Off, 1), 0.75));
    let rest = show(&showcase::figure(), look(Quality::Off, 1), 0.0);
    let bent = show(&showcase::figure(), look(Quality::Off, 1), 0.75);
    let difference = Difference::between(&rest, &bent).expect("one size");
    assert!(!difference.is_tolerable(), "nothing moves: {difference:?}");
}

/// What is streamed goes round a ring: wherever it lies, and whatever lay there before, the picture is the same.
#[test]
fn figure_looks_the_same_wherever_its_joints_are_streamed_to() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.gltf");
    std::fs::write(&path, showcase::figure().gltf()).expect("a file");
    let scene = Scene::Model(Some(path));
    let of = |times| {
        let shot = Shot { events: vec![], steps: 1, step: Duration::from_millis(750), size: SIZE };
        let drawn = scene.open_with(look(Quality::Off, 1), Later(shot, times));
        drawn.and_then(|drawn| drawn).unwrap_or_else(|e| panic!("{e}")).rgba
    };
    let alone = of(0);
    for times in 1..=4 {
        assert!(of(times) == alone, "the picture behind {times} others is another");
    }
}

#[test]
fn materials_at_high_look_as_stored() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("materials.gltf");
    std::fs::write(&path, materials().gltf()).expect("a file");
    let scene = Scene::Model(Some(path));
    assert_golden_at_high("materials-high", |look| {
        draw_with(&scene, look, Shot { events: from_the_front(0.0, 0.0), steps: 1, step: STEP, size: SIZE })
    });
}

/// Half of the light of white is 188 of 255 by IEC 61966-2-1, whichever way it takes to the picture; so is the mean of
/// black and white, and 128 would be the mean of their bytes.
#[test]
fn half_of_the_light_is_188_in_every_quality() {
    let centre = |file: &File, look| show(file, look, 0.0).get_pixel(SIZE.width / 2, SIZE.height / 2).0;
    let near = |p: [u8; 4]| p[..3].iter().all(|&c| c.abs_diff(188) <= 1) && p[3] == 255;
    for (quality, samples) in
        [(Quality::Off, 1), (Quality::Low, 1), (Quality::Low, 4), (Quality::High, 1), (Quality::High, 4)]
    {
        let look = look(quality, samples);
        assert!(near(centre(&showcase::grey(), look)), "{look:?}: {:?}", centre(&showcase::grey(), look));
        if quality != Quality::Off {
            assert!(
                near(centre(&showcase::glass(), look)),
                "{look:?}: {:?}",
                centre(&showcase::glass(), look)
            );
        }
    }
    // The mean of the samples at an edge is that of their light as well: where white meets black half of a pixel is 188.
    let [one, four] = [1, 4].map(|samples| show(&showcase::edge(), look(Quality::Low, samples), 0.0));
    let between = |p: &RgbaImage| p.pixels().filter(|p| (150..=215).contains(&p[0])).count();
    let below = |p: &RgbaImage| p.pixels().filter(|p| (60..=100).contains(&p[0])).count();
    // Two of four samples are 188, one is 137, three are 225: never what the mean of bytes would give (64, 128, 191).
    assert_eq!((between(&one), below(&one)), (0, 0));
    assert!(between(&four) > 20 && below(&four) == 0, "{} {}", between(&four), below(&four));
}

#[test]
fn swarm_looks_as_stored() {
    assert_golden("swarm", &draw(&Scene::Swarm(2_000), 60, &[]));
}

#[test]
fn swarm_with_samples_looks_as_stored() {
    let shot = || Shot { events: vec![], steps: 60, step: STEP, size: SIZE };
    let [one, four] = [1, 4].map(|n| draw_with(&Scene::Swarm(300), look(Quality::Off, n), shot()));
    assert_golden("swarm-msaa", &four);
    assert!(outside_of_neighbours(&one, &four) < 0.002, "samples change more than edges");
    let between = |p: &RgbaImage| p.pixels().map(|p| p.0).collect::<std::collections::HashSet<_>>().len();
    assert!(between(&four) > between(&one), "samples change nothing");
}

/// Of each kind: what is opaque, what is seen through, and what lies before it.
#[test]
fn crowd_looks_as_stored() {
    let shot = |events| Shot { events, steps: 90, step: STEP, size: SIZE };
    assert_golden_at_high("crowd", |look| draw_with(&Scene::Crowd(400), look, shot(vec![])));
    let mut events = dragged(120.0, -30.0).to_vec();
    events.push(InputKind::Scroll { lines: Vec2::new(0.0, 5.0) });
    let turned = draw_shot(&Scene::Crowd(400), shot(events));
    assert_golden("crowd-turned", &turned);
    // Haze lies over what is far away, and not over what the camera has come close to.
    let bright = turned.pixels().filter(|p| p.0[..3].iter().any(|&c| c > 100)).count();
    assert!(bright > turned.pixels().len() / 4, "{bright} bright pixels");
}

#[test]
fn flash_looks_as_stored() {
    let scene = Scene::Flash { animate: false };
    assert_golden("flash-black", &draw(&scene, 1, &[]));
    assert_golden("flash-white", &draw(&scene, 1, &[SPACE]));
}

#[test]
fn flip_looks_as_stored() {
    assert_golden("flip-first", &draw(&Scene::Flip, 1, &[]));
    assert_golden("flip-second", &draw(&Scene::Flip, 2, &[]));
}

#[test]
fn drag_looks_as_stored() {
    assert_golden("drag", &draw(&Scene::Drag, 1, &[moved(10.0, 10.0), moved(212.0, 100.0)]));
    // Half of the mark lies beyond the edge.
    assert_golden("drag-edge", &draw(&Scene::Drag, 1, &[moved(0.0, 100.0)]));
}

#[test]
fn bars_look_as_stored() {
    assert_golden("bars", &draw(&Scene::Bars, 37, &[]));
}

/// In its own shape, a wider and a higher one: with bars beside it, and above and below.
#[test]
fn video_looks_as_stored() {
    let video = |size| draw_shot(&Scene::Video, Shot { events: vec![], steps: 37, step: STEP, size });
    assert_golden("video", &video(SIZE));
    assert_golden("video-wide", &video(Size::new(320, 90)));
    assert_golden("video-high", &video(Size::new(90, 160)));
}

// --- how a model lies in the picture ---

/// Left, top, right and bottom (exclusive) of what is not background, as shares of the picture.
fn filled(picture: &RgbaImage) -> [f64; 4] {
    let background = *picture.get_pixel(0, 0);
    let other = |p: &Rgba<u8>| p.0.iter().zip(background.0).any(|(&a, b)| a.abs_diff(b) > 2);
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    picture.enumerate_pixels().filter(|(.., p)| other(p)).fold(
        [1.0, 1.0, 0.0, 0.0],
        |[l, t, r, b], (x, y, _)| {
            let (x, y) = (f64::from(x), f64::from(y));
            [l.min(x / width), t.min(y / height), r.max((x + 1.0) / width), b.max((y + 1.0) / height)]
        },
    )
}

/// What is filled while the scene plays, at every aspect ratio: in none of its frames may it reach the edge, and over
/// all of them it fills the width or the height, whichever it reaches first.
#[track_caller]
fn assert_fills(scene: &Scene, seconds: f64, what: &str) {
    for size in [Size::new(400, 100), SIZE, Size::new(200, 200), Size::new(90, 300)] {
        let frames = if seconds > 0.0 { 10 } else { 1 };
        let mut all = [1.0_f64, 1.0, 0.0, 0.0];
        for i in 1..=frames {
            let step = Duration::from_secs_f64(seconds * f64::from(i) / f64::from(frames));
            let [l, t, r, b] = filled(&draw_shot(scene, Shot { events: vec![], steps: 1, step, size }));
            assert!(l < r && t < b, "{what}, {size:?}: nothing in frame {i}");
            all = [all[0].min(l), all[1].min(t), all[2].max(r), all[3].max(b)];
        }
        let [left, top, right, bottom] = all;
        let fill = (right - left).max(bottom - top);
        let edge = left.min(top).min(1.0 - right).min(1.0 - bottom);
        println!("{what}, {}x{}: fills {fill:.3}, {edge:.3} from the edge", size.width, size.height);
        assert!((0.8..=0.92).contains(&fill), "{what}, {size:?}: fills {fill:.3}: {all:?}");
        // Half of what is left on each side, but for a pixel.
        assert!(edge > 0.03, "{what}, {size:?}: {edge:.3} from the edge: {all:?}");
    }
}

#[test]
fn bundled_model_fills_the_picture_and_stays_inside_while_it_plays() {
    assert_fills(&Scene::Model(None), 12.0, "the orrery");
}

#[test]
fn turned_long_model_fills_the_picture() {
    // A beam that lies along no axis: the box around the box around it is many times as large.
    let mut file = File::new();
    let beam = file.floats("VEC3", &[-9., 0., 0., 9., 0., 0., -9., 0.3, 0., 9., 0.3, 0.]);
    let indices = file.accessor(&[0, 1, 2, 2, 1, 3], 5121, "SCALAR", "");
    let mesh = file.mesh(&format!(r#""indices":{indices},"attributes":{{"POSITION":{beam}}},"material":0"#));
    file.nodes.push(format!(r#"{{"mesh":{mesh},"rotation":[0.2,0.1,0.5,0.836660]}}"#));
    let file = file.with(r#""materials":[{"doubleSided":true,"emissiveFactor":[1,1,1]}]"#);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("beam.gltf");
    std::fs::write(&path, file.gltf()).expect("a file");
    assert_fills(&Scene::Model(Some(path)), 0.0, "a beam");
}

#[test]
fn model_that_swings_far_out_stays_inside_while_it_plays() {
    // A small square at the end of a long arm that turns once in two seconds: seen at rest, it is elsewhere.
    let mut file = File::new();
    let square = file.floats("VEC3", &[9., 0., -1., 11., 0., -1., 9., 0., 1., 11., 0., 1.]);
    let indices = file.accessor(&[0, 1, 2, 2, 1, 3], 5121, "SCALAR", "");
    let mesh =
        file.mesh(&format!(r#""indices":{indices},"attributes":{{"POSITION":{square}}},"material":0"#));
    file.nodes.push(format!(r#"{{"mesh":{mesh}}}"#));
    let times = file.floats("SCALAR", &[0., 0.5, 1., 1.5, 2.]);
    let half = std::f32::consts::FRAC_1_SQRT_2;
    let turns = [0., 0., 0., 1., 0., half, 0., half, 0., 1., 0., 0., 0., half, 0., -half, 0., 0., 0., -1.];
    let turns = file.floats("VEC4", &turns);
    let file = file.with(&format!(
        r#""materials":[{{"doubleSided":true,"emissiveFactor":[1,1,1]}}],
        "animations":[{{"channels":[{{"sampler":0,"target":{{"node":0,"path":"rotation"}}}}],"samplers":[{{"input":{times},"output":{turns}}}]}}]"#
    ));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("arm.gltf");
    std::fs::write(&path, file.gltf()).expect("a file");
    assert_fills(&Scene::Model(Some(path)), 2.0, "an arm");
}

// --- a model with everything that materials and meshes can be ---

/// A 16 x 16 picture whose alpha grows from left to right and whose upper half is bluish, the lower half orange.
fn ramp() -> String {
    let image = RgbaImage::from_fn(16, 16, |x, y| {
        let alpha = (x * 17) as u8;
        if y < 8 { Rgba([80, 160, 255, alpha]) } else { Rgba([255, 150, 40, alpha]) }
    });
    let mut out = std::io::Cursor::new(Vec::new());
    image.write_to(&mut out, image::ImageFormat::Png).expect("a picture can be encoded");
    format!("data:image/png;base64,{}", base64(&out.into_inner()))
}

fn drawn_file(name: &str, file: &File, events: &[InputKind]) -> RgbaImage {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name).with_extension("gltf");
    std::fs::write(&path, file.gltf()).expect("a file");
    draw(&Scene::Model(Some(path)), 1, events)
}

/// Unit squares in two rows of five, two units apart, before a striped wall.
fn materials() -> File {
    let mut file = File::new();
    let square = [0., 0., 0., 1.5, 0., 0., 0., 1.5, 0., 1.5, 1.5, 0.];
    let position = file.floats("VEC3", &square);
    // (0, 0) of a texture is its upper left.
    let uv = file.floats("VEC2", &[0., 1., 1., 1., 0., 0., 1., 0.]);
    let colour = file.floats("VEC4", &[1., 0., 0., 1., 0., 1., 0., 1., 0., 0., 1., 1., 1., 1., 1., 1.]);
    let indices = file.accessor(&[0, 1, 2, 2, 1, 3], 5121, "SCALAR", "");
    let plain = format!(r#""indices":{indices},"attributes":{{"POSITION":{position}"#);
    let mesh = |file: &mut File, attributes: &str, material: usize| {
        file.mesh(&format!(r#"{plain}{attributes}}},"material":{material}"#))
    };
    let textured = format!(r#","TEXCOORD_0":{uv}"#);
    let coloured = format!(r#","COLOR_0":{colour}"#);
    let meshes = [
        mesh(&mut file, &textured, 0), // opaque: the ramp's alpha means nothing
        mesh(&mut file, &textured, 1), // masked: only the right half is there
        mesh(&mut file, &textured, 2), // blended: the wall shows through on the left
        mesh(&mut file, "", 3),        // unlit
        mesh(&mut file, &coloured, 4), // vertex colours, unlit
        mesh(&mut file, "", 5),        // lit, one-sided
        mesh(&mut file, "", 6),        // lit, double-sided
        mesh(&mut file, "", 7),        // opaque with a base colour of alpha 0.3
        mesh(&mut file, "", 8),        // red glass
        mesh(&mut file, "", 9),        // green glass
    ];
    let [opaque, masked, blended, unlit, colours, single, double, faint, near, far] = meshes;
    let mut put = |mesh: usize, more: &str| file.nodes.push(format!(r#"{{"mesh":{mesh}{more}}}"#));
    let at = |column: f32, row: f32| format!(r#","translation":[{},{},0]"#, column * 2.0, row * 2.0);
    put(opaque, &at(0., 1.));
    put(masked, &at(1., 1.));
    put(blended, &at(2., 1.));
    put(unlit, &at(3., 1.));
    put(colours, &at(4., 1.));
    put(single, &at(0., 0.));
    // Turned half round the y axis: the back is seen, so the one-sided square is not.
    let turned = |column: f32| format!(r#","translation":[{},0,0],"rotation":[0,1,0,0]"#, column * 2.0 + 1.5);
    put(single, &turned(1.0));
    put(double, &turned(2.0));
    // Mirrored: the corners go the other way round, and the front is still the front.
    put(single, r#","translation":[7.5,0,0],"scale":[-1,1,1]"#);
    put(faint, &at(4., 0.));
    // The wall.
    put(unlit, r#","translation":[-0.5,2.6,-1],"scale":[6.8,0.2,1]"#);
    put(unlit, r#","translation":[-0.5,0.6,-1],"scale":[6.8,0.2,1]"#);
    // Two sheets of glass, one behind the other, the nearer one listed first: it must be drawn last all the same.
    put(near, r#","translation":[3.2,1.2,0.6],"scale":[0.9,0.9,1]"#);
    put(far, r#","translation":[3.6,1.5,0.3],"scale":[0.9,0.9,1]"#);
    let picture = ramp();
    file.with(&format!(
        r#""images":[{{"uri":"{picture}"}}],"textures":[{{"source":0}}],"extensionsUsed":["KHR_materials_unlit"],"materials":[
        {{"pbrMetallicRoughness":{{"baseColorTexture":{{"index":0}}}}}},
        {{"alphaMode":"MASK","alphaCutoff":0.5,"pbrMetallicRoughness":{{"baseColorTexture":{{"index":0}}}}}},
        {{"alphaMode":"BLEND","pbrMetallicRoughness":{{"baseColorTexture":{{"index":0}}}}}},
        {{"pbrMetallicRoughness":{{"baseColorFactor":[0.9,0.8,0.1,1]}},"extensions":{{"KHR_materials_unlit":{{}}}}}},
        {{"extensions":{{"KHR_materials_unlit":{{}}}}}},
        {{"pbrMetallicRoughness":{{"baseColorFactor":[0.8,0.1,0.1,1]}}}},
        {{"doubleSided":true,"pbrMetallicRoughness":{{"baseColorFactor":[0.1,0.7,0.2,1]}}}},
        {{"pbrMetallicRoughness":{{"baseColorFactor":[0.6,0.3,0.8,0.3]}}}},
        {{"alphaMode":"BLEND","pbrMetallicRoughness":{{"baseColorFactor":[0.9,0.05,0.05,0.7]}},"extensions":{{"KHR_materials_unlit":{{}}}}}},
        {{"alphaMode":"BLEND","pbrMetallicRoughness":{{"baseColorFactor":[0.05,0.9,0.05,0.7]}},"extensions":{{"KHR_materials_unlit":{{}}}}}}]"#
    ))
}

#[test]
fn materials_look_as_stored() {
    assert_golden("materials", &drawn_file("materials", &materials(), &from_the_front(0.0, 0.0)));
}

/// From behind, one-sided squares are seen where they were not, and the other way round.
#[test]
fn materials_from_behind_look_as_stored() {
    let half_turn = from_the_front(std::f32::consts::PI / 0.008, 0.0);
    assert_golden("materials-behind", &drawn_file("materials", &materials(), &half_turn));
}

/// Points, lines, loops, strips and fans, each from the same points on an arc, left to right.
#[test]
fn modes_look_as_stored() {
    let mut file = File::new();
    // A zigzag for strips, an arc for the rest.
    let zigzag: Vec<f32> = (0..6).flat_map(|i| [0.3 * i as f32, (i % 2) as f32 * 1.5, 0.0]).collect();
    let arc: Vec<f32> = (0..6)
        .flat_map(|i| {
            let (sin, cos) = (i as f32 * std::f32::consts::PI / 5.0).sin_cos();
            [0.75 + 0.75 * cos, 1.5 * sin, 0.0]
        })
        .collect();
    let zigzag = file.floats("VEC3", &zigzag);
    let arc = file.floats("VEC3", &arc);
    for (column, (mode, position)) in
        [(0, arc), (1, arc), (2, arc), (3, arc), (5, zigzag), (6, arc)].into_iter().enumerate()
    {
        let mesh =
            file.mesh(&format!(r#""mode":{mode},"attributes":{{"POSITION":{position}}},"material":0"#));
        file.nodes.push(format!(r#"{{"mesh":{mesh},"translation":[{},0,0]}}"#, column as f32 * 2.0));
    }
    let file = file.with(
        r#""materials":[{"doubleSided":true,"pbrMetallicRoughness":{"baseColorFactor":[0.3,0.8,0.9,1]}}]"#,
    );
    let picture = drawn_file("modes", &file, &from_the_front(0.0, -1.5));
    assert_golden("modes", &picture);
    // The points are in the left column: six of three by three pixels. The comparison forgives a pixel aside.
    let lit = picture.enumerate_pixels().filter(|(x, _, p)| *x < 56 && p[1] > 100).count();
    assert!((6 * 7..=6 * 12).contains(&lit), "{lit} pixels of six points");
}
