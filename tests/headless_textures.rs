//! Textures in every format, from KTX2 files, in arrays, and loaded while frames are drawn.
#![allow(clippy::print_stdout, reason = "what was loaded, for who asks with --nocapture")]
#![allow(unsafe_code, reason = "the driver is asked directly")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "every block calls OpenGL in the context that is current here, with objects made in it"
)]

use std::io::Cursor;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use image::{ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use scanout::gl::glow::{self, HasContext as _};
use scanout::gl::{
    CreateContext, DebugLevel, Frame, Gl, Hook, LoadProgress, LoaderOptions, Renderer, SharedBytes, Texture,
    TextureArray, TextureData, TextureError, TextureFormat, TextureId, TextureLoader, TextureOptions,
    TextureSource,
};
use scanout::scenes::{Scene, Visitor};
use scanout::time::{Clock as _, MonotonicClock};
use scanout::{Config, Error, Logic, Pacing, Size, headless};

#[path = "support/rng.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod rng;
use rng::Rng;

fn in_context<T>(f: impl FnOnce(&Gl) -> T) -> T {
    headless::with_context(DebugLevel::Panic, f).unwrap_or_else(|e| panic!("{e}"))
}

fn shared(bytes: Vec<u8>) -> SharedBytes {
    Arc::new(bytes)
}

fn plain(srgb: bool, mipmaps: bool) -> TextureOptions {
    let mut options = TextureOptions::default();
    (options.srgb, options.mipmaps) = (srgb, mipmaps);
    options
}

/// The texels of a level as the driver has them, decompressed.
fn texels(gl: &Gl, texture: &Texture, level: u32, size: Size) -> Vec<[u8; 4]> {
    texture.bind(0);
    let mut bytes = vec![0; size.width as usize * size.height as usize * 4];
    unsafe {
        let into = glow::PixelPackData::Slice(Some(&mut bytes));
        gl.raw().get_tex_image(glow::TEXTURE_2D, level as i32, glow::RGBA, glow::UNSIGNED_BYTE, into);
    }
    gl.hook(Hook::Draw("reading a texture"));
    bytes.chunks_exact(4).map(|p| [p[0], p[1], p[2], p[3]]).collect()
}

fn random_pixels(seed: u64, size: Size) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    (0..size.width as usize * size.height as usize * 4).map(|_| rng.between(0, 256) as u8).collect()
}

// --- formats ---

/// A block of one colour in each format, and that colour as far as the format has it.
fn solid(format: TextureFormat) -> Option<(Vec<u8>, [u8; 4])> {
    // Red 31, green 63, blue 0 in 5, 6 and 5 bits.
    let yellow = 0xffe0_u16.to_le_bytes();
    let colour = [yellow[0], yellow[1], yellow[0], yellow[1], 0, 0, 0, 0];
    let alpha = [0x80, 0x80, 0, 0, 0, 0, 0, 0];
    let with = |first: [u8; 8]| [first, colour].concat();
    Some(match format {
        TextureFormat::Rgba8 => (vec![1, 2, 3, 4], [1, 2, 3, 4]),
        TextureFormat::Bc1Rgb | TextureFormat::Bc1Rgba => (colour.to_vec(), [255, 255, 0, 255]),
        TextureFormat::Bc2 => (with([0x88; 8]), [255, 255, 0, 0x88]),
        TextureFormat::Bc3 => (with(alpha), [255, 255, 0, 0x80]),
        TextureFormat::Bc4 => (alpha.to_vec(), [0x80, 0, 0, 255]),
        TextureFormat::Bc5 => ([alpha, alpha].concat(), [0x80, 0x80, 0, 255]),
        // Mode 6 with all ends at their highest.
        TextureFormat::Bc7 => {
            ((1_u128 << 6 | ((1_u128 << 58) - 1) << 7).to_le_bytes().to_vec(), [255, 255, 255, 255])
        }
        // Two halves of 15, 15, 0 in four bits each, with the smallest step above it.
        TextureFormat::Etc2Rgb => (vec![0xff, 0xff, 0, 0, 0, 0, 0, 0], [255, 255, 2, 255]),
        TextureFormat::Etc2Rgba8 => {
            (vec![0x80, 0x10, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0], [255, 255, 2, 0x7d])
        }
        _ => return None,
    })
}

#[test]
fn every_format_that_the_driver_takes_holds_its_texels_and_the_others_are_refused() {
    in_context(|gl| {
        for &format in TextureFormat::ALL {
            for srgb in [false, true] {
                // Sizes that are no multiple of the block, and all levels.
                let size = Size::new(9, 6);
                let blocks = |side: u32| side.div_ceil(format.block_side()) as usize;
                let block = solid(format).map_or_else(|| vec![0; format.block_bytes()], |(block, _)| block);
                let levels = [(9, 6), (4, 3), (2, 1), (1, 1)];
                let level = |(w, h)| shared(block.repeat(blocks(w) * blocks(h)));
                let data = TextureData::new(format, srgb, size, levels.map(level).to_vec()).expect("it fits");
                let made = Texture::from_data(gl, "solid", &data, &plain(srgb, true));
                if !format.is_supported(srgb, gl.caps()) {
                    let refused = made.expect_err("it is not supported");
                    let reason = TextureError::Unsupported { format, srgb };
                    assert!(
                        matches!(&refused, Error::Texture { reason: r, .. } if *r == reason),
                        "{refused}"
                    );
                    continue;
                }
                let texture = made.unwrap_or_else(|e| panic!("{e}"));
                gl.hook(Hook::Draw("making it"));
                let Some((_, wanted)) = solid(format) else { continue };
                for (level, (w, h)) in (0..).zip(levels) {
                    for got in texels(gl, &texture, level, Size::new(w, h)) {
                        let near = got.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 4);
                        assert!(near, "{format:?}, sRGB {srgb}, level {level}: {got:?} and not {wanted:?}");
                    }
                }
            }
        }
    });
}

/// In a process of its own, because Mesa reads the variables when a context is made.
#[test]
fn a_driver_without_a_format_refuses_it_in_one_line_and_takes_texels_all_the_same() {
    const CHILD: &str = "SCANOUT_TEST_PLAIN_TEXTURES";
    let name = "a_driver_without_a_format_refuses_it_in_one_line_and_takes_texels_all_the_same";
    if std::env::var_os(CHILD).is_some() {
        in_context(|gl| {
            let caps = gl.caps();
            let (bptc, etc2) = (caps.compressed.bptc, caps.compressed.etc2);
            println!("storage: {}, bptc: {bptc}, etc2: {etc2}", caps.texture_storage);
            let data = TextureData::new(TextureFormat::Bc7, true, Size::new(4, 4), vec![shared(vec![0; 16])]);
            match Texture::from_data(gl, "wall", &data.expect("a block"), &plain(true, false)) {
                Ok(_) => println!("taken"),
                Err(e) => println!("refused: {e}"),
            }
        });
        every_format_that_the_driver_takes_holds_its_texels_and_the_others_are_refused();
        compressed_textures_load_within_the_budget_of_each_frame();
        return;
    }
    let without = |extensions: &str| {
        let mut child = std::process::Command::new(std::env::current_exe().expect("this program"));
        child.args(["--exact", "--nocapture", name]).env(CHILD, "1").env("MESA_GL_VERSION_OVERRIDE", "3.3");
        let output = child.env("MESA_EXTENSION_OVERRIDE", extensions).output().expect("a child");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    };
    let said = without("-GL_ARB_texture_storage");
    if in_context(|gl| gl.caps().version.contains("Mesa")) {
        assert!(said.contains("storage: false, bptc: true, etc2: false"), "{said}");
    }
    let said = without("-GL_ARB_texture_compression_bptc -GL_ARB_texture_storage -GL_ARB_ES3_compatibility");
    if in_context(|gl| gl.caps().version.contains("Mesa")) {
        assert!(said.contains("storage: false, bptc: false"), "{said}");
        let line = said.lines().find(|l| l.contains("refused: ")).expect("a refusal");
        assert!(line.contains("wall") && line.contains("sRGB Bc7"), "{line}");
    }
}

#[test]
fn a_texture_with_few_levels_is_complete() {
    // One level and asked-for mipmaps: without a limit on the levels it would be read as black.
    in_context(|gl| {
        let data = TextureData::new(
            TextureFormat::Rgba8,
            false,
            Size::new(4, 4),
            vec![shared(vec![200; 64]), shared(vec![200; 16])],
        );
        let texture =
            Texture::from_data(gl, "t", &data.expect("it fits"), &plain(false, true)).expect("a texture");
        texture.bind(0);
        let max = unsafe { gl.raw().get_tex_parameter_i32(glow::TEXTURE_2D, glow::TEXTURE_MAX_LEVEL) };
        assert_eq!(max, 1);
    });
}

// --- arrays ---

#[test]
fn the_layers_of_an_array_keep_their_pictures_and_get_smaller_copies() {
    in_context(|gl| {
        let size = Size::new(8, 4);
        let mut array = TextureArray::new(gl, "tiles", size, 3, &plain(false, true)).expect("an array");
        let layer = |n: u8| vec![n * 50 + 10; 128];
        for n in 0..3 {
            array.write(u32::from(n), &layer(n)).expect("a layer");
        }
        array.generate_mipmaps();
        assert_eq!((array.size(), array.layers()), (size, 3));
        for (level, texels) in [(0, 32), (1, 8), (3, 1)] {
            let mut bytes = vec![0; texels * 4 * 3];
            unsafe {
                array.bind(0);
                let into = glow::PixelPackData::Slice(Some(&mut bytes));
                gl.raw().get_tex_image(glow::TEXTURE_2D_ARRAY, level, glow::RGBA, glow::UNSIGNED_BYTE, into);
            }
            let want: Vec<u8> = (0..3).flat_map(|n| vec![n * 50 + 10; texels * 4]).collect();
            assert_eq!(bytes, want, "level {level}");
        }
        gl.hook(Hook::Draw("all that"));
        let refused = |e: Error| matches!(e, Error::Texture { .. });
        assert!(array.write(3, &layer(0)).is_err_and(refused));
        assert!(array.write(0, &[1, 2, 3]).is_err_and(refused));
        for (size, layers) in [(Size::new(0, 1), 1), (size, 0), (size, u32::MAX), (Size::new(u32::MAX, 1), 1)]
        {
            assert!(TextureArray::new(gl, "t", size, layers, &plain(false, false)).is_err_and(refused));
        }
    });
}

// --- KTX2 ---

/// A file with the levels of one 2D picture.
fn ktx2(vk_format: u32, size: Size, levels: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"\xabKTX 20\xbb\r\n\x1a\n".to_vec();
    let word = |file: &mut Vec<u8>, n: u32| file.extend(n.to_le_bytes());
    let long = |file: &mut Vec<u8>, n: u64| file.extend(n.to_le_bytes());
    // Format, size of a type, width, height, depth, layers, faces, levels, supercompression.
    for n in [vk_format, 1, size.width, size.height, 0, 0, 1, levels.len() as u32, 0] {
        word(&mut file, n);
    }
    let descriptor = (80 + 24 * levels.len()) as u32;
    // Where the descriptor, the key values and the global data are.
    for n in [descriptor, 4 + 24, 0, 0] {
        word(&mut file, n);
    }
    long(&mut file, 0);
    long(&mut file, 0);
    let mut at = u64::from(descriptor) + 4 + 24;
    for level in levels {
        let bytes = level.len() as u64;
        [at, bytes, bytes].into_iter().for_each(|n| long(&mut file, n));
        at += bytes;
    }
    // The smallest basic descriptor: no samples.
    for n in [4 + 24, 0, 2 | 24 << 16, 0, 0, 0, 0] {
        word(&mut file, n);
    }
    levels.iter().for_each(|level| file.extend(level));
    file
}

const VK_R8G8B8A8_SRGB: u32 = 43;
const VK_BC1_RGB_UNORM: u32 = 131;

#[test]
fn ktx2_files_bring_their_format_and_their_levels() {
    let levels: Vec<Vec<u8>> = [16, 4, 4].iter().zip(1_u8..).map(|(&n, b)| vec![b; n * 8 / 4]).collect();
    let data =
        TextureData::from_ktx2(&ktx2(VK_BC1_RGB_UNORM, Size::new(8, 8), &levels[..1])).expect("a file");
    assert_eq!((data.format(), data.srgb(), data.size()), (TextureFormat::Bc1Rgb, false, Size::new(8, 8)));
    assert_eq!((data.levels(), data.level(0)), (1, levels[0].as_slice()));
    let rgba = [vec![7; 32], vec![8; 8], vec![9; 4]];
    let data = TextureData::from_ktx2(&ktx2(VK_R8G8B8A8_SRGB, Size::new(4, 2), &rgba)).expect("a file");
    assert_eq!((data.format(), data.srgb(), data.levels()), (TextureFormat::Rgba8, true, 3));
    assert_eq!((data.level(1), data.level(2)), ([8; 8].as_slice(), [9; 4].as_slice()));
    assert!(data.level(3).is_empty());
}

#[test]
fn damaged_and_unknown_ktx2_files_are_typed_errors() {
    let good = ktx2(VK_R8G8B8A8_SRGB, Size::new(4, 2), &[vec![7; 32], vec![8; 8]]);
    assert!(TextureData::from_ktx2(&good).is_ok());
    for length in 0..good.len() {
        assert!(TextureData::from_ktx2(&good[..length]).is_err(), "{length} bytes");
    }
    let with = |at: usize, value: u32| {
        let mut file = good.clone();
        file[at..at + 4].copy_from_slice(&value.to_le_bytes());
        TextureData::from_ktx2(&file).expect_err("it is not as it should be")
    };
    assert!(matches!(with(12, 0), TextureError::KtxUnsupported(_)), "Basis Universal");
    assert!(matches!(with(12, 76), TextureError::KtxUnsupported(_)), "a format that is not known here");
    assert!(matches!(with(20, 5), TextureError::Length { level: 0, got: 32, wanted: 40 }), "another width");
    assert!(matches!(with(28, 2), TextureError::KtxUnsupported(_)), "depth");
    assert!(matches!(with(32, 2), TextureError::KtxUnsupported(_)), "layers");
    assert!(matches!(with(36, 6), TextureError::KtxUnsupported(_)), "faces");
    assert!(matches!(with(44, 2), TextureError::KtxUnsupported(_)), "Zstandard");
    // Whatever else is in the header: an answer, and no panic.
    let mut rng = Rng::new(5);
    for _ in 0..20_000 {
        let mut file = good.clone();
        for _ in 0..=rng.between(0, 4) {
            let at = rng.between(0, 160) as usize;
            file[at] = if rng.between(0, 2) == 0 { 0xff } else { rng.between(0, 256) as u8 };
        }
        let _ = TextureData::from_ktx2(&file);
    }
}

// --- loading ---

/// What was reported of textures, in order.
type Reports = Vec<(TextureId, Result<(), TextureError>)>;

/// Calls `poll` as frames would until nothing is pending. The reports, and the progress of each frame.
fn load_all(loader: &mut TextureLoader) -> (Reports, Vec<LoadProgress>) {
    let (mut reports, mut frames) = (Vec::new(), Vec::new());
    let give_up = MonotonicClock.now() + Duration::from_secs(120);
    while loader.pending() > 0 {
        assert!(MonotonicClock.now() < give_up, "{} textures never came", loader.pending());
        let progress =
            loader.poll(|id, outcome| reports.push((id, outcome.map(|_| ()).map_err(Clone::clone))));
        frames.push(progress.expect("the context is there"));
        scanout::display::sleep::until(MonotonicClock.now() + Duration::from_micros(200));
    }
    (reports, frames)
}

fn loader(gl: &Gl, frame_bytes: usize) -> TextureLoader {
    TextureLoader::new(gl, LoaderOptions::with_frame_bytes(frame_bytes)).expect("a loader")
}

#[test]
fn loaded_textures_have_every_texel_of_every_level_whatever_the_budget() {
    in_context(|gl| {
        for frame_bytes in [1024, 5000, 1 << 20] {
            let mut loader = loader(gl, frame_bytes);
            // Rows wider than the smallest budget, odd sizes, and thin ones.
            let sizes = [(300, 7), (1, 1), (33, 65), (1, 500), (64, 64)].map(|(w, h)| Size::new(w, h));
            let mut wanted = Vec::new();
            for (n, size) in sizes.into_iter().enumerate() {
                let rgba = random_pixels(n as u64, size);
                let source = TextureSource::Pixels { size, rgba: shared(rgba.clone()) };
                let id =
                    loader.load(&n.to_string(), source, plain(true, true), [9; 4]).expect("a placeholder");
                assert_eq!(loader.texture(id).size(), Size::new(1, 1), "the placeholder stands in");
                let data = TextureData::new(TextureFormat::Rgba8, true, size, vec![shared(rgba)]);
                wanted.push((id, data.expect("it fits").with_mipmaps(&|| false)));
            }
            let (reports, frames) = load_all(&mut loader);
            let order: Vec<_> = wanted.iter().map(|(id, _)| (*id, Ok(()))).collect();
            assert_eq!(reports, order, "in the order in which they were asked for");
            for (id, data) in &wanted {
                assert!(loader.is_ready(*id));
                for level in 0..data.levels() {
                    let size = scanout::gl::level_size(data.size(), level);
                    let got = texels(gl, loader.texture(*id), level, size).concat();
                    assert!(got == data.level(level), "{frame_bytes}: {id:?}, level {level}");
                }
            }
            let total: usize = wanted.iter().map(|(_, data)| data.bytes()).sum();
            assert_eq!(frames.iter().map(|f| f.bytes).sum::<usize>(), total);
            assert!(frames.iter().all(|f| f.bytes <= frame_bytes && f.largest_slice <= frame_bytes));
            assert_eq!(loader.stats().waits, 0, "putting off, and never waiting");
            // Texels from memory are taken from memory again.
            let texture = Texture::rgba8(gl, "t", Size::new(1, 1), &[7; 4], &plain(false, false));
            assert_eq!(texels(gl, &texture.expect("a texture"), 0, Size::new(1, 1)), [[7; 4]]);
            gl.hook(Hook::Draw("after loading"));
        }
    });
}

/// Blocks that are all different, in small budgets: each goes to its place, and none before its frame.
#[test]
fn compressed_textures_load_within_the_budget_of_each_frame() {
    in_context(|gl| {
        for format in [TextureFormat::Bc1Rgb, TextureFormat::Bc3, TextureFormat::Bc5, TextureFormat::Bc7] {
            if !format.is_supported(false, gl.caps()) {
                continue;
            }
            let (size, mut rng) = (Size::new(203, 77), Rng::new(8));
            let level = |n: u32| {
                let bytes = format.bytes(scanout::gl::level_size(size, n)).expect("few");
                shared((0..bytes).map(|_| rng.between(0, 256) as u8).collect())
            };
            let levels = (0..scanout::gl::full_levels(size)).map(level).collect();
            let data = TextureData::new(format, false, size, levels).expect("it fits");
            let whole = Texture::from_data(gl, "whole", &data, &plain(false, true)).expect("a texture");
            let mut loader = loader(gl, 1024);
            let source = TextureSource::Data(data.clone());
            let id = loader.load("in parts", source, plain(false, true), [0; 4]).expect("a placeholder");
            let (reports, frames) = load_all(&mut loader);
            assert_eq!(reports, [(id, Ok(()))]);
            assert!(frames.iter().all(|f| f.bytes <= 1024));
            assert_eq!(frames.iter().map(|f| f.bytes).sum::<usize>(), data.bytes());
            for n in 0..data.levels() {
                let size = scanout::gl::level_size(size, n);
                let (got, wanted) = (texels(gl, loader.texture(id), n, size), texels(gl, &whole, n, size));
                assert!(got == wanted, "{format:?}, level {n}");
            }
            gl.hook(Hook::Draw("after loading"));
        }
    });
}

// --- Basis Universal ---

fn basis_file(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/textures").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[cfg(feature = "basis")]
const BASIS_FILES: [(&str, bool, u32); 4] = [
    ("etc1s.ktx2", false, 5),
    ("etc1s-alpha.ktx2", true, 1),
    ("uastc.ktx2", true, 5),
    ("uastc-zstd.ktx2", true, 1),
];

/// The files' picture, as `tests/textures/README.md` has it.
#[cfg(feature = "basis")]
fn basis_picture(alpha: bool) -> Vec<[u8; 4]> {
    let texel = |n: usize| {
        let (x, y) = (n % 16, n / 16);
        let green = if y < 4 { 180 } else { 60 };
        if x < 8 { [200, green, 40, 255] } else { [30, green, 220, if alpha { 96 } else { 255 }] }
    };
    (0..128).map(texel).collect()
}

#[cfg(feature = "basis")]
#[test]
fn basis_universal_files_become_what_the_driver_has() {
    /// The formats that the driver is to be without, one after the other.
    const CHILD: &str = "SCANOUT_TEST_BASIS";
    let name = "basis_universal_files_become_what_the_driver_has";
    in_context(|gl| {
        let mut loader = loader(gl, 1024);
        for (file, alpha, levels) in BASIS_FILES {
            let source = TextureSource::Encoded(shared(basis_file(file)));
            let id = loader.load(file, source, plain(true, levels > 1), [0; 4]).expect("a placeholder");
            let (reports, _) = load_all(&mut loader);
            assert_eq!(reports, [(id, Ok(()))], "{file}");
            let texture = loader.texture(id);
            println!("{file}: {:?}", texture.format());
            assert_eq!(texture.size(), Size::new(16, 8));
            // Blocks of one colour each lose little, in any format.
            for (got, wanted) in texels(gl, texture, 0, Size::new(16, 8)).iter().zip(basis_picture(alpha)) {
                let near = got.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 12);
                assert!(near, "{file} as {:?}: {got:?} and not {wanted:?}", texture.format());
            }
            if levels > 1 {
                // The smallest is the mean: light, and alpha where there is some.
                let [mean] = texels(gl, texture, 4, Size::new(1, 1))[..] else { panic!("one texel") };
                assert!((100..190).contains(&mean[0]) && (100..190).contains(&mean[1]), "{mean:?}");
                assert_eq!(mean[3] < 200, alpha, "{mean:?}");
            }
        }
        gl.hook(Hook::Draw("after loading"));
    });
    if std::env::var_os(CHILD).is_some() {
        return;
    }
    let without = |extensions: &str| {
        let mut child = std::process::Command::new(std::env::current_exe().expect("this program"));
        child.args(["--exact", "--nocapture", name]).env(CHILD, "1").env("MESA_GL_VERSION_OVERRIDE", "3.3");
        let output = child.env("MESA_EXTENSION_OVERRIDE", extensions).output().expect("a child");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    };
    if !in_context(|gl| gl.caps().version.contains("Mesa")) {
        return;
    }
    let s3tc = "-GL_EXT_texture_compression_s3tc -GL_EXT_texture_compression_s3tc_srgb";
    let bptc = "-GL_ARB_texture_compression_bptc";
    for (missing, opaque, alpha) in [
        ("".to_owned(), "Bc7", "Bc7"),
        (bptc.to_owned(), "Bc1Rgb", "Bc3"),
        (format!("{bptc} {s3tc}"), "Etc2Rgb", "Etc2Rgba8"),
        (format!("{bptc} {s3tc} -GL_ARB_ES3_compatibility"), "Rgba8", "Rgba8"),
    ] {
        let said = without(&missing);
        assert!(said.contains(&format!("etc1s.ktx2: {opaque}\n")), "{missing}: {said}");
        assert!(said.contains(&format!("uastc.ktx2: {alpha}\n")), "{missing}: {said}");
    }
}

#[cfg(feature = "basis")]
#[test]
fn damaged_basis_universal_files_are_typed_errors() {
    let mut files = Vec::new();
    let mut rng = Rng::new(77);
    for (name, ..) in BASIS_FILES {
        let good = basis_file(name);
        files.extend((0..good.len()).step_by(9).map(|length| good[..length].to_vec()));
        for _ in 0..std::env::var("SCANOUT_TEST_DAMAGED").map_or(150, |n| n.parse().expect("a number")) {
            let mut file = good.clone();
            for _ in 0..=rng.between(0, 3) {
                let at = rng.between(12, file.len() as u64) as usize;
                file[at] = if rng.between(0, 2) == 0 { 0xff } else { rng.between(0, 256) as u8 };
            }
            files.push(file);
        }
    }
    in_context(|gl| {
        let mut options = LoaderOptions::with_frame_bytes(1 << 20);
        options.decoded_bytes = 1 << 22;
        let mut loader = TextureLoader::new(gl, options).expect("a loader");
        let count = files.len();
        for file in files {
            let source = TextureSource::Encoded(shared(file));
            loader.load("damaged", source, plain(true, false), [0; 4]).expect("a placeholder");
        }
        let (reports, _) = load_all(&mut loader);
        assert_eq!(reports.len(), count, "each is answered");
        let panics =
            reports.iter().filter(|(_, r)| matches!(r, Err(TextureError::DecoderPanicked(_)))).count();
        println!("{count} files, {panics} of which broke the transcoder");
        assert!(reports.iter().filter_map(|(_, r)| r.as_ref().err()).all(|e| !e.to_string().contains('\n')));
    });
}

#[test]
fn basis_universal_texels_are_named_where_nobody_transcodes_them() {
    let refused = TextureData::from_ktx2(&basis_file("uastc.ktx2")).expect_err("no driver is known");
    assert!(refused.to_string().contains("Basis Universal"), "{refused}");
    let refused = TextureData::from_ktx2(&basis_file("etc1s.ktx2")).expect_err("no driver is known");
    assert!(matches!(refused, TextureError::KtxUnsupported(what) if what.contains("Basis Universal")));
}

fn encoded(format: ImageFormat, shade: u8) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    if format == ImageFormat::Jpeg {
        RgbImage::from_pixel(16, 8, Rgb([shade; 3])).write_to(&mut bytes, format).expect("a picture");
    } else {
        RgbaImage::from_pixel(16, 8, Rgba([shade; 4])).write_to(&mut bytes, format).expect("a picture");
    }
    bytes.into_inner()
}

#[test]
fn files_of_every_kind_load_and_broken_ones_are_typed_errors_behind_their_placeholder() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        TextureSource::File(path)
    };
    let png = encoded(ImageFormat::Png, 100);
    let ktx = ktx2(VK_BC1_RGB_UNORM, Size::new(4, 4), &[solid(TextureFormat::Bc1Rgb).expect("a block").0]);
    let sources = [
        ("png", write("a.png", &png)),
        ("jpeg with another name", write("b.png", &encoded(ImageFormat::Jpeg, 100))),
        ("ktx", write("c.ktx2", &ktx)),
        ("encoded", TextureSource::Encoded(shared(png.clone()))),
        ("missing", TextureSource::File(folder.path().join("nothing.png"))),
        ("half a png", write("half.png", &png[..png.len() / 2])),
        ("text", write("d.png", b"no picture at all")),
        ("empty", write("e.png", b"")),
        ("damaged ktx", write("f.ktx2", &ktx[..90])),
        ("short pixels", TextureSource::Pixels { size: Size::new(3, 3), rgba: shared(vec![0; 35]) }),
        ("no pixels", TextureSource::Pixels { size: Size::new(0, 3), rgba: shared(vec![]) }),
        ("huge", TextureSource::Pixels { size: Size::new(100_000, 1), rgba: shared(vec![0; 400_000]) }),
    ];
    in_context(|gl| {
        let mut loader = loader(gl, 4096);
        let ids: Vec<_> = sources
            .into_iter()
            .map(|(name, source)| {
                loader.load(name, source, plain(false, true), [1, 2, 3, 4]).expect("a placeholder")
            })
            .collect();
        let (reports, _) = load_all(&mut loader);
        assert_eq!(reports.len(), ids.len(), "each is reported once");
        let outcome = |n: usize| reports.iter().find(|(id, _)| *id == ids[n]).expect("a report").1.clone();
        for n in 0..4 {
            assert_eq!(outcome(n), Ok(()), "{n}");
        }
        assert_eq!(texels(gl, loader.texture(ids[0]), 0, Size::new(16, 8)), [[100; 4]; 128]);
        assert_eq!(texels(gl, loader.texture(ids[0]), 4, Size::new(1, 1)), [[100; 4]]);
        assert_eq!(texels(gl, loader.texture(ids[1]), 0, Size::new(16, 8)), [[100, 100, 100, 255]; 128]);
        assert_eq!(texels(gl, loader.texture(ids[2]), 0, Size::new(4, 4)), [[255, 255, 0, 255]; 16]);
        let failed = |n: usize| outcome(n).expect_err("it is broken");
        assert!(matches!(failed(4), TextureError::Read(why) if why.contains("nothing.png")));
        assert!(matches!(failed(5), TextureError::Decode(_)));
        assert_eq!((failed(6), failed(7)), (TextureError::UnknownFormat, TextureError::UnknownFormat));
        assert!(matches!(failed(8), TextureError::Ktx(_)));
        assert_eq!(failed(9), TextureError::Length { level: 0, got: 35, wanted: 36 });
        assert_eq!(failed(10), TextureError::Empty);
        assert!(matches!(failed(11), TextureError::TooLarge { .. }));
        for (n, &id) in ids.iter().enumerate().skip(4) {
            assert!(!failed(n).to_string().contains('\n'));
            assert!(!loader.is_ready(id));
            assert_eq!(texels(gl, loader.texture(id), 0, Size::new(1, 1)), [[1, 2, 3, 4]], "the placeholder");
        }
        // What is taken out lives on without the loader.
        let taken = loader.take(ids[0]).expect("it is ready");
        assert!(loader.take(ids[0]).is_none() && loader.take(ids[5]).is_none());
        drop(loader);
        assert_eq!(texels(gl, &taken, 0, Size::new(16, 8))[5], [100; 4]);
    });
}

/// Neither waited for nor read without an end.
#[cfg(unix)]
#[test]
fn what_is_not_a_regular_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe.png");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    in_context(|gl| {
        let mut loader = loader(gl, 1024);
        for path in [pipe, "/dev/zero".into(), folder.path().to_owned()] {
            loader.load("t", TextureSource::File(path), plain(true, true), [0; 4]).expect("a placeholder");
        }
        let (reports, _) = load_all(&mut loader);
        for (id, outcome) in &reports {
            let refused =
                matches!(outcome, Err(TextureError::Read(why)) if why.contains("not a regular file"));
            assert!(refused, "{id:?}: {outcome:?}");
        }
        assert_eq!(reports.len(), 3);
    });
}

#[test]
fn a_budget_that_leads_nowhere_is_refused() {
    in_context(|gl| {
        let refused = TextureLoader::new(gl, LoaderOptions::with_frame_bytes(0)).map(|_| ());
        assert!(matches!(refused, Err(Error::Config(text)) if text.contains("0 bytes")));
    });
}

/// Bytes that know how often they are held.
struct Counted(Arc<AtomicUsize>, Vec<u8>);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.1
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(target_os = "linux")]
fn loader_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("this process");
    let name =
        |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
    tasks.flatten().map(name).filter(|name| name.trim() == "scanout-loader").count()
}

/// One at a time: threads are counted by name.
static THREADS: Mutex<()> = Mutex::new(());

#[test]
fn what_is_cancelled_is_not_reported_and_what_is_dropped_ends_with_all_it_held() {
    let _guard = THREADS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let held = Arc::new(AtomicUsize::new(0));
    let source = |size: Size| {
        held.fetch_add(1, Ordering::SeqCst);
        let bytes = vec![0; size.width as usize * size.height as usize * 4];
        TextureSource::Pixels { size, rgba: Arc::new(Counted(Arc::clone(&held), bytes)) }
    };
    in_context(|gl| {
        let mut loader = loader(gl, 1024);
        let ids: Vec<_> = (0..6)
            .map(|n| loader.load(&n.to_string(), source(Size::new(64, 64)), plain(true, true), [0; 4]))
            .map(|id| id.expect("a placeholder"))
            .collect();
        // Into the midst of the first upload.
        while loader.poll(|_, _| {}).expect("the context is there").bytes == 0 {
            std::thread::yield_now();
        }
        assert!(loader.cancel(ids[0]) && loader.cancel(ids[3]), "one being uploaded, one perhaps not begun");
        assert!(!loader.cancel(ids[0]), "it is cancelled already");
        let (reports, _) = load_all(&mut loader);
        let reported: Vec<_> = reports.iter().map(|(id, _)| *id).collect();
        assert_eq!(reported, [ids[1], ids[2], ids[4], ids[5]]);
        assert!(!loader.cancel(ids[1]), "it is complete");
        assert!(!loader.is_ready(ids[0]) && loader.is_ready(ids[1]));

        // Dropped with much to do, some of it prepared and waiting, one being prepared.
        for n in 0..20 {
            loader
                .load(&n.to_string(), source(Size::new(512, 512)), plain(true, true), [0; 4])
                .expect("room");
        }
        for _ in 0..3 {
            loader.poll(|_, _| {}).expect("the context is there");
        }
        drop(loader);
        soon("all bytes were given back", || held.load(Ordering::SeqCst) == 0);
        gl.hook(Hook::Draw("after all that"));
    });
}

/// However much is still to be prepared, what was uploaded does not stay in memory.
#[test]
fn uploaded_bytes_are_given_back_while_others_are_loaded() {
    let held = Arc::new(AtomicUsize::new(0));
    let all = 40;
    in_context(|gl| {
        let mut loader = loader(gl, 1 << 20);
        for n in 0..all {
            held.fetch_add(1, Ordering::SeqCst);
            let size = Size::new(128, 128);
            let rgba = Arc::new(Counted(Arc::clone(&held), vec![0; 65_536]));
            let source = TextureSource::Pixels { size, rgba };
            loader.load(&n.to_string(), source, plain(true, true), [0; 4]).expect("room");
        }
        let (mut complete, mut most) = (0, 0);
        while loader.pending() > 0 {
            loader.poll(|_, _| complete += 1).expect("the context is there");
            most = most.max(complete + held.load(Ordering::SeqCst));
            scanout::display::sleep::until(MonotonicClock.now() + Duration::from_micros(200));
        }
        // Some are on their way back.
        assert!(most <= all + 8, "{most} complete and still held, of {all}");
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_dropped_loader_leaves_no_thread() {
    let _guard = THREADS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // The other tests of this program have loaders as well: this one asks in a process of its own.
    const CHILD: &str = "SCANOUT_TEST_LOADER_CHILD";
    if std::env::var_os(CHILD).is_none() {
        let mut child = std::process::Command::new(std::env::current_exe().expect("this program"));
        child.args(["--exact", "a_dropped_loader_leaves_no_thread"]).env(CHILD, "1");
        let output = child.output().expect("a child");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    in_context(|gl| {
        for busy in [false, true] {
            let mut loader = loader(gl, 1024);
            // A thread has its name from itself, a moment after it was started.
            let give_up = MonotonicClock.now() + Duration::from_secs(20);
            while loader_threads() == 0 && MonotonicClock.now() < give_up {
                std::thread::yield_now();
            }
            assert_eq!(loader_threads(), 1);
            if busy {
                let size = Size::new(2000, 2000);
                for n in 0..4 {
                    let rgba = shared(vec![0; 16_000_000]);
                    let source = TextureSource::Pixels { size, rgba };
                    loader.load(&n.to_string(), source, plain(true, true), [0; 4]).expect("room");
                }
            }
            drop(loader);
            soon(&format!("the thread ended, busy: {busy}"), || loader_threads() == 0);
        }
    });
}

/// Bytes that nobody gets at before the test says so, as a decoder is that does not let itself be interrupted.
struct Slow {
    begun: crossbeam_channel::Sender<()>,
    go_on: crossbeam_channel::Receiver<()>,
    ended: crossbeam_channel::Sender<bool>,
}

impl AsRef<[u8]> for Slow {
    fn as_ref(&self) -> &[u8] {
        let _ = self.begun.send(());
        let told = self.go_on.recv_timeout(Duration::from_secs(20)).is_ok();
        let _ = self.ended.send(told);
        b"no picture"
    }
}

#[test]
fn a_loader_that_is_dropped_does_not_wait_for_a_decoder_that_does_not_end() {
    let _guard = THREADS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (begun, has_begun) = crossbeam_channel::bounded(4);
    let (let_go, go_on) = crossbeam_channel::bounded(1);
    let (ended, has_ended) = crossbeam_channel::bounded(4);
    let held = Arc::new(AtomicUsize::new(1));
    in_context(|gl| {
        let mut loader = loader(gl, 1024);
        let source = TextureSource::Encoded(Arc::new(Slow { begun, go_on, ended }));
        loader.load("slow", source, plain(true, true), [0; 4]).expect("a placeholder");
        let rgba = Arc::new(Counted(Arc::clone(&held), vec![0; 64]));
        let next = TextureSource::Pixels { size: Size::new(4, 4), rgba };
        loader.load("never begun", next, plain(true, true), [0; 4]).expect("a placeholder");
        has_begun.recv_timeout(Duration::from_secs(20)).expect("it is being decoded");
        drop(loader);
        // Still being decoded: had the drop waited for it, the decoder would have given up long ago.
        assert!(has_ended.try_recv().is_err(), "the drop waited for the decoder");
    });
    // Without the context as well: the thread has nothing of it.
    let_go.send(()).expect("it waits");
    assert_eq!(
        has_ended.recv_timeout(Duration::from_secs(20)),
        Ok(true),
        "the decoder was let go by the test"
    );
    soon("what was not begun is given back", || held.load(Ordering::SeqCst) == 0);
}

/// Asks until it is so.
#[track_caller]
fn soon(what: &str, is_so: impl Fn() -> bool) {
    let give_up = MonotonicClock.now() + Duration::from_secs(20);
    while !is_so() {
        assert!(MonotonicClock.now() < give_up, "{what}");
        scanout::display::sleep::until(MonotonicClock.now() + Duration::from_millis(1));
    }
}

// --- loading while frames are drawn ---

/// What a run with a loader did.
#[derive(Debug, Default)]
struct Loaded {
    frames: usize,
    frames_with_uploads: usize,
    bytes: usize,
    largest_slice: usize,
    largest_frame: usize,
    complete: usize,
    failed: usize,
    waits: u64,
    put_off: usize,
}

/// Draws a scene and loads a model's worth of textures beside it.
struct Loading {
    textures: Vec<(Size, SharedBytes)>,
    frame_bytes: usize,
}

struct LoadingRenderer<R> {
    scene: R,
    loader: TextureLoader,
    loaded: Arc<Mutex<Loaded>>,
}

impl<S, R: Renderer<S>> Renderer<S> for LoadingRenderer<R> {
    fn render(&mut self, snapshot: &S, frame: &mut Frame<'_>) {
        let mut loaded = self.loaded.lock().expect("nobody panics with it");
        let (mut complete, mut failed) = (0, 0);
        let progress = self.loader.poll(|_, outcome| match outcome {
            Ok(_) => complete += 1,
            Err(_) => failed += 1,
        });
        let progress = progress.expect("the context is there");
        self.scene.render(snapshot, frame);
        loaded.frames += 1;
        loaded.frames_with_uploads += usize::from(progress.bytes > 0);
        loaded.bytes += progress.bytes;
        loaded.largest_slice = loaded.largest_slice.max(progress.largest_slice);
        loaded.largest_frame = loaded.largest_frame.max(progress.bytes);
        loaded.put_off += usize::from(progress.put_off);
        loaded.complete += complete;
        loaded.failed += failed;
        loaded.waits = self.loader.stats().waits;
    }
}

impl Visitor for Loading {
    type Output = Loaded;

    fn visit<L, R, F>(self, logic: L, make_renderer: F) -> Loaded
    where
        L: Logic + 'static,
        L::Snapshot: 'static,
        R: Renderer<L::Snapshot> + 'static,
        F: FnOnce(&CreateContext<'_>) -> scanout::Result<R> + Send + 'static,
    {
        let loaded = Arc::new(Mutex::new(Loaded::default()));
        let (seen, all) = (Arc::clone(&loaded), self.textures.len());
        let config = Config {
            size: Size::new(64, 36),
            pacing: Pacing::fixed(60.0).expect("a rate"),
            time_limit: Some(Duration::from_secs(90)),
            shutdown_timeout: Duration::from_secs(20),
            ..Config::default()
        };
        let make = move |cx: &CreateContext<'_>| {
            let mut loader = TextureLoader::new(cx.gl, LoaderOptions::with_frame_bytes(self.frame_bytes))?;
            for (n, (size, rgba)) in self.textures.into_iter().enumerate() {
                let source = TextureSource::Pixels { size, rgba };
                loader.load(&format!("texture {n}"), source, plain(true, true), [128; 4])?;
            }
            Ok(LoadingRenderer { scene: make_renderer(cx)?, loader, loaded })
        };
        let stop = {
            let seen = Arc::clone(&seen);
            move || seen.lock().is_ok_and(|loaded| loaded.complete + loaded.failed == all)
        };
        let ended = headless::run_until(&config, logic, make, None, stop);
        assert!(ended.error.is_none(), "{:?}", ended.error);
        std::mem::take(&mut *seen.lock().expect("nobody panics with it"))
    }
}

/// Fifty megabytes of textures beside moving bars: every frame stays within its budget and none waits for the GPU. What a
/// frame takes then is for who measures on a GPU; here it is that loading never does more in a frame than it may.
#[test]
fn fifty_megabytes_load_beside_bars_within_the_budget_of_each_frame() {
    let frame_bytes = 512 << 10;
    // Base levels of 50 MB: one large, some middling, many small.
    let sizes = std::iter::once((2048, 1024))
        .chain(std::iter::repeat_n((1024, 1024), 8))
        .chain(std::iter::repeat_n((256, 256), 33));
    let mut base = 0;
    let textures: Vec<_> = sizes
        .map(|(w, h)| {
            let bytes = vec![0x5a_u8; w as usize * h as usize * 4];
            base += bytes.len();
            (Size::new(w, h), shared(bytes))
        })
        .collect();
    assert!(base >= 50_000_000, "{base}");
    let all = textures.len();
    let loaded = Scene::Bars.open(Loading { textures, frame_bytes }).unwrap_or_else(|e| panic!("{e}"));
    println!("{loaded:?}");
    assert_eq!((loaded.complete, loaded.failed), (all, 0));
    assert!(loaded.bytes > base * 4 / 3 - 100_000 && loaded.bytes < base * 4 / 3 + 100_000, "{loaded:?}");
    assert!(loaded.largest_slice <= frame_bytes && loaded.largest_frame <= frame_bytes, "{loaded:?}");
    assert!(loaded.frames_with_uploads >= loaded.bytes / frame_bytes, "{loaded:?}");
    assert_eq!(loaded.waits, 0, "{loaded:?}");
}
