//! Textures of models in KTX2 (`KHR_texture_basisu`): small files made here around the pictures of `tests/textures`, drawn off
//! screen.

use std::path::Path;
use std::time::Duration;

use scanout::gl::{CreateContext, DebugLevel, Renderer};
use scanout::runtime::Pixels;
use scanout::scenes::model::ModelError;
use scanout::scenes::{Look, Quality, Scene, Visitor};
use scanout::{Config, Logic, Size};

mod model_support;
use model_support::File;
#[cfg(feature = "basis")]
use model_support::{check_promises, png};

const SIZE: Size = Size::new(320, 180);
const FILES: [&str; 4] = ["etc1s.ktx2", "etc1s-alpha.ktx2", "uastc.ktx2", "uastc-zstd.ktx2"];

fn ktx2(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/textures").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A picture twice as wide as high that shows one texture as it is: images from PNG and KTX2, by which the texture is said.
fn picture(texture: &str, images: &[&[u8]], more: &str) -> File {
    let mut file = File::new();
    let position = file.floats("VEC3", &[0., 0., 0., 2., 0., 0., 0., 1., 0., 2., 1., 0.]);
    let uv = file.floats("VEC2", &[0., 1., 1., 1., 0., 0., 1., 0.]);
    file.mesh(&format!(r#""mode":5,"material":0,"attributes":{{"POSITION":{position},"TEXCOORD_0":{uv}}}"#));
    file.nodes.push(r#"{"mesh":0}"#.to_owned());
    let images: Vec<_> =
        images.iter().map(|bytes| format!(r#"{{"bufferView":{}}}"#, file.view(bytes, ""))).collect();
    file.with(&format!(
        r#""extensionsUsed":["KHR_texture_basisu","KHR_materials_unlit"]{more},"images":[{}],"textures":[{texture}],"samplers":[{{"magFilter":9728}}],"materials":[{{"doubleSided":true,"extensions":{{"KHR_materials_unlit":{{}}}},"pbrMetallicRoughness":{{"baseColorTexture":{{"index":0}}}}}}]"#,
        images.join(",")
    ))
}

const TRANSCODED: &str = r#"{"sampler":0,"extensions":{"KHR_texture_basisu":{"source":0}}}"#;
const WITH_FALLBACK: &str = r#"{"sampler":0,"source":1,"extensions":{"KHR_texture_basisu":{"source":0}}}"#;
const REQUIRED: &str = r#","extensionsRequired":["KHR_texture_basisu"]"#;

struct Shot;

impl Visitor for Shot {
    type Output = scanout::Result<Pixels>;

    fn visit<L, R, F>(self, logic: L, make_renderer: F) -> Self::Output
    where
        L: Logic + 'static,
        L::Snapshot: 'static,
        R: Renderer<L::Snapshot> + 'static,
        F: FnOnce(&CreateContext<'_>) -> scanout::Result<R> + Send + 'static,
    {
        let config = Config { size: SIZE, debug: DebugLevel::Panic, ..Config::default() };
        scanout::headless::draw_once(&config, logic, make_renderer, 1, Duration::ZERO)
    }
}

/// The pixels of the model at `path` in a quality, or why there are none.
fn drawn(path: &Path, quality: Quality) -> scanout::Result<Pixels> {
    let look = Look { quality: Some(quality), samples: Some(1) };
    Scene::Model(Some(path.to_owned())).open_with(look, Shot)?
}

fn drawn_file(bytes: &[u8], name: &str, quality: Quality) -> scanout::Result<Pixels> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    drawn(&path, quality)
}

/// How many pixels are about as `colour`, and where their middle is.
fn middle(pixels: &Pixels, colour: [u8; 3]) -> (usize, [f64; 2]) {
    let width = pixels.size.width as usize;
    let near = |p: &[u8]| p.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 14);
    let alike = || pixels.rgba.chunks_exact(4).enumerate().filter(|(_, p)| near(p)).map(|(at, _)| at);
    let count = alike().count();
    let sum = |of: fn(usize, usize) -> usize| alike().map(|at| of(at, width)).sum::<usize>() as f64;
    let n = count.max(1) as f64;
    (count, [sum(|at, width| at % width) / n, sum(|at, width| at / width) / n])
}

/// That the four quarters of the picture in `tests/textures` are there, each in its place.
#[cfg(feature = "basis")]
#[track_caller]
fn assert_shown(pixels: &Pixels, what: &str) {
    let quarters = [[200, 180, 40], [30, 180, 220], [200, 60, 40], [30, 60, 220]];
    let [a, b, c, d] = quarters.map(|colour| {
        let (count, at) = middle(pixels, colour);
        assert!(count > 1000, "{what}: {count} pixels are about {colour:?}");
        at
    });
    assert!(a[0] < b[0] && c[0] < d[0], "{what}: red is on the left: {a:?} {b:?} {c:?} {d:?}");
    assert!(a[1] < c[1] && b[1] < d[1], "{what}: more green is above: {a:?} {b:?} {c:?} {d:?}");
}

#[cfg(feature = "basis")]
#[test]
fn basis_universal_textures_are_shown_with_the_colours_of_their_file() {
    for name in FILES {
        let file = picture(TRANSCODED, &[&ktx2(name)], REQUIRED);
        let model = file.load().unwrap_or_else(|e| panic!("{name}: {e}"));
        check_promises(&model);
        assert!(model.unsupported.is_empty(), "{name}: {:?}", model.unsupported);
        let image = &model.images[0];
        assert_eq!((image.width, image.height, image.srgb), (16, 8, true), "{name}");
        for quality in [Quality::Off, Quality::Low] {
            let pixels =
                drawn_file(&file.glb(), "model.glb", quality).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_shown(&pixels, &format!("{name} at {quality:?}"));
        }
    }
    // From a file beside the model.
    let file = picture(TRANSCODED, &[&ktx2("uastc.ktx2")], "");
    let json = String::from_utf8(file.gltf()).expect("JSON");
    let view = r#"{"bufferView":2}"#;
    assert!(json.contains(view), "{json}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("wall.ktx2"), ktx2("uastc.ktx2")).expect("a file");
    let path = folder.path().join("model.gltf");
    std::fs::write(&path, json.replace(view, r#"{"uri":"wall.ktx2","mimeType":"image/ktx2"}"#))
        .expect("a file");
    assert_shown(&drawn(&path, Quality::Low).unwrap_or_else(|e| panic!("{e}")), "beside the model");
}

/// The same texels in a file that calls them linear: a base colour is sRGB whatever its file says.
#[cfg(feature = "basis")]
#[test]
fn the_colours_of_a_ktx2_texture_are_encoded_as_their_use_asks_for() {
    for name in ["etc1s.ktx2", "uastc.ktx2"] {
        let mut bytes = ktx2(name);
        let descriptor = u32::from_le_bytes(bytes[48..52].try_into().expect("a word")) as usize;
        assert_eq!(bytes[descriptor + 14], 2, "{name} is sRGB");
        bytes[descriptor + 14] = 1;
        let file = picture(TRANSCODED, &[&bytes], "");
        let pixels =
            drawn_file(&file.gltf(), "model.gltf", Quality::Low).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_shown(&pixels, name);
    }
}

/// With the transcoder the extension's image is shown; without it the other one is, in one line that names the extension.
#[test]
fn of_an_image_and_its_fallback_the_one_that_can_be_read_is_shown() {
    let mut plain = std::io::Cursor::new(Vec::new());
    let colour = image::Rgba([90, 250, 90, 255]);
    image::RgbaImage::from_pixel(4, 4, colour)
        .write_to(&mut plain, image::ImageFormat::Png)
        .expect("a picture");
    let file = picture(WITH_FALLBACK, &[&ktx2("etc1s.ktx2"), plain.get_ref()], "");
    let model = file.load().unwrap_or_else(|e| panic!("{e}"));
    let pixels = drawn_file(&file.gltf(), "model.gltf", Quality::Low).unwrap_or_else(|e| panic!("{e}"));
    let fallback = middle(&pixels, [90, 250, 90]).0;
    #[cfg(feature = "basis")]
    {
        assert_shown(&pixels, "not the fallback");
        assert_eq!((model.unsupported.len(), fallback), (0, 0));
    }
    #[cfg(not(feature = "basis"))]
    {
        assert!(fallback > 4000, "{fallback} pixels");
        assert_eq!(model.unsupported, ["extension KHR_texture_basisu"]);
        let required = picture(WITH_FALLBACK, &[&ktx2("etc1s.ktx2"), plain.get_ref()], REQUIRED);
        assert!(
            matches!(required.load(), Err(ModelError::Extension { name }) if name == "KHR_texture_basisu")
        );
        let alone = picture(TRANSCODED, &[&ktx2("etc1s.ktx2")], "").load().unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(alone.unsupported.len(), 2, "{:?}", alone.unsupported);
        let _ = FILES;
    }
}

#[test]
fn textures_that_are_alike_are_one_and_other_samplers_count_against_the_limit() {
    let many = |samplers: usize| {
        let mut file = File::triangle();
        let view = {
            let mut out = std::io::Cursor::new(Vec::new());
            image::GrayImage::new(4096, 1024).write_to(&mut out, image::ImageFormat::Png).expect("a picture");
            file.view(out.get_ref(), "")
        };
        let (mut materials, mut textures) = (Vec::new(), Vec::new());
        for i in 0..60 {
            let mesh = file.mesh(&format!(r#""material":{i},"attributes":{{"POSITION":0}}"#));
            file.nodes.push(format!(r#"{{"mesh":{mesh}}}"#));
            materials.push(format!(r#"{{"pbrMetallicRoughness":{{"baseColorTexture":{{"index":{i}}}}}}}"#));
            textures.push(format!(r#"{{"source":0,"sampler":{}}}"#, i % samplers));
        }
        let wraps = [10497, 33648, 33071];
        let sampler = |i: usize| {
            let (u, v, mag) = (wraps[i % 3], wraps[i / 3 % 3], 9728 + i / 9);
            format!(r#"{{"wrapS":{u},"wrapT":{v},"magFilter":{mag}}}"#)
        };
        let samplers: Vec<_> = (0..18).map(sampler).collect();
        file.with(&format!(
            r#""materials":[{}],"textures":[{}],"samplers":[{}],"images":[{{"bufferView":{view}}}]"#,
            materials.join(","),
            textures.join(","),
            samplers.join(",")
        ))
        .load()
    };
    for samplers in [1, 6, 15] {
        let model = many(samplers).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((model.images.len(), model.textures.len()), (1, samplers));
    }
    // 16 MB each, and 256 MB in all.
    let refused = many(18).expect_err("18 copies of 16 MB");
    assert!(matches!(refused, ModelError::TooLarge { .. }), "{refused}");
}

// --- files that are not as they should be ---

#[cfg(feature = "basis")]
#[track_caller]
fn refused(bytes: &[u8], what: &str) -> String {
    let file = picture(TRANSCODED, &[bytes], "");
    let error = match drawn_file(&file.glb(), "model.glb", Quality::Off) {
        Err(e) => e.to_string(),
        Ok(_) => panic!("{what}: it was shown"),
    };
    assert!(!error.contains('\n') && error.len() < 300, "{what}: {error}");
    error
}

#[cfg(feature = "basis")]
#[test]
fn damaged_ktx2_textures_are_errors_of_one_line() {
    for name in FILES {
        let good = ktx2(name);
        for length in [0, 11, 12, 40, 79, 80, 90, 120, good.len() / 2, good.len() - 1] {
            refused(&good[..length], &format!("{name}, {length} bytes"));
        }
        let with = |at: usize, value: u64, bytes: usize| {
            let mut file = good.clone();
            file[at..at + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
            refused(&file, &format!("{name}, {value} at {at}"))
        };
        for side in [0, 8193, 1 << 31, u64::from(u32::MAX)] {
            with(20, side, 4);
        }
        for side in [8193, u64::from(u32::MAX)] {
            with(24, side, 4);
        }
        // Allowed by its header, and its texels are not there. (ETC1S says by a bit that all blocks to come are alike.)
        if name.starts_with("uastc") {
            with(20, 8192, 4);
        }
        // Depth, layers, faces, levels.
        for (at, value) in [(28, 2), (32, 2), (36, 6), (36, 0), (40, 6), (40, u64::from(u32::MAX))] {
            with(at, value, 4);
        }
        // Where the first level begins, and how long it is.
        for (at, value) in [(80, u64::MAX), (80, 1 << 40), (88, u64::MAX), (88, 1 << 40)] {
            with(at, value, 8);
        }
        // How long a level says it is once it is unpacked; only one that is packed has to say.
        if name == "uastc-zstd.ktx2" {
            for value in [u64::MAX, 1 << 40, 1 << 30, 0] {
                with(96, value, 8);
            }
        }
        // A format that needs no transcoder.
        with(12, 43, 4);
    }
    // PNG where KTX2 is to be is a picture all the same; a text is not.
    let png = picture(TRANSCODED, &[&png(4, 4)], "");
    assert!(png.load().is_ok());
    assert!(refused(b"not a picture", "a text").contains("KTX2"));
}

/// 300 images of one small file, each of which says it is as large as may be: said before anything is taken for them.
#[cfg(feature = "basis")]
#[test]
fn ktx2_textures_that_claim_more_than_all_may_have_are_refused_together() {
    let mut bytes = ktx2("uastc.ktx2");
    bytes[20..24].copy_from_slice(&4096_u32.to_le_bytes());
    bytes[24..28].copy_from_slice(&2048_u32.to_le_bytes());
    let with = |count: usize| {
        let mut file = File::triangle();
        let view = file.view(&bytes, "");
        let (mut materials, mut textures, mut images) = (Vec::new(), Vec::new(), Vec::new());
        for i in 0..count {
            let mesh = file.mesh(&format!(r#""material":{i},"attributes":{{"POSITION":0}}"#));
            file.nodes.push(format!(r#"{{"mesh":{mesh}}}"#));
            materials.push(format!(r#"{{"pbrMetallicRoughness":{{"baseColorTexture":{{"index":{i}}}}}}}"#));
            textures.push(format!(r#"{{"extensions":{{"KHR_texture_basisu":{{"source":{i}}}}}}}"#));
            images.push(format!(r#"{{"bufferView":{view}}}"#));
        }
        let (materials, textures, images) = (materials.join(","), textures.join(","), images.join(","));
        file.with(&format!(r#""materials":[{materials}],"textures":[{textures}],"images":[{images}]"#)).load()
    };
    assert!(with(7).is_ok());
    assert!(matches!(with(300), Err(ModelError::TooLarge { what: "bytes of decoded images", .. })));
}
