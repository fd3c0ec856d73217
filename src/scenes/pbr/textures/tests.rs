//! What only this module can reach: what the driver has of a KTX2 texture. How it looks is in `tests/model_textures.rs`.
#![allow(unsafe_code, clippy::undocumented_unsafe_blocks, reason = "OpenGL calls in the current context")]

use std::path::Path;

use glow::HasContext as _;

use super::*;
use crate::gl::{DebugLevel, Hook, TextureFormat, glow};
use crate::time::{Clock as _, MonotonicClock};

/// A model whose base colour and roughness are one file of `tests/textures`.
fn model(file: &str) -> Arc<Model> {
    let json = format!(
        r#"{{"asset":{{"version":"2.0"}},"nodes":[{{"mesh":0}}],"meshes":[{{"primitives":[{{"material":0,"attributes":{{"POSITION":0}}}}]}}],"accessors":[{{"componentType":5126,"type":"VEC3","count":3}}],"images":[{{"uri":"{file}"}}],"textures":[{{"extensions":{{"KHR_texture_basisu":{{"source":0}}}}}}],"materials":[{{"pbrMetallicRoughness":{{"baseColorTexture":{{"index":0}},"metallicRoughnessTexture":{{"index":0}}}}}}]}}"#
    );
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/textures");
    Arc::new(Model::from_slice(json.as_bytes(), Some(&folder)).unwrap_or_else(|e| panic!("{file}: {e}")))
}

fn all_here(textures: &mut Textures) {
    let give_up = MonotonicClock.now() + std::time::Duration::from_secs(60);
    while textures.loading() {
        assert!(MonotonicClock.now() < give_up, "they never came");
        textures.poll();
        std::thread::yield_now();
    }
}

#[test]
fn ktx2_textures_have_the_levels_of_their_file_and_the_encoding_of_their_use_on_either_way() {
    crate::headless::with_context(DebugLevel::Panic, |gl| {
        for (file, levels) in [("etc1s.ktx2", 5), ("uastc.ktx2", 5), ("uastc-zstd.ktx2", 1)] {
            let model = model(file);
            assert_eq!(model.images.iter().map(|i| i.srgb).collect::<Vec<_>>(), [true, false]);
            // Before the first frame, and beside the frames.
            for at_once in [AT_ONCE, 0] {
                let mut textures =
                    Textures::with_limit(gl, &model, at_once).unwrap_or_else(|e| panic!("{e}"));
                assert_eq!(textures.loading(), at_once == 0);
                all_here(&mut textures);
                for (n, srgb) in [(0, true), (1, false)] {
                    let Slot::Here(texture) = &textures.slots[n] else { panic!("{file}: it was not loaded") };
                    let compressed = gl.caps().compressed;
                    assert_eq!(texture.format() == TextureFormat::Bc7, compressed.bptc, "{file}");
                    texture.bind(0);
                    let (internal, last, mut mean) = unsafe {
                        let (target, gl) = (glow::TEXTURE_2D, gl.raw());
                        let internal =
                            gl.get_tex_level_parameter_i32(target, 0, glow::TEXTURE_INTERNAL_FORMAT) as u32;
                        (internal, gl.get_tex_parameter_i32(target, glow::TEXTURE_MAX_LEVEL), [0; 4])
                    };
                    assert_eq!(internal, texture.format().internal(srgb), "{file}, use {n}");
                    if texture.format() != TextureFormat::Rgba8 {
                        assert_eq!(last, levels - 1, "{file}");
                    }
                    if levels > 1 {
                        unsafe {
                            let into = glow::PixelPackData::Slice(Some(&mut mean));
                            let (format, kind) = (glow::RGBA, glow::UNSIGNED_BYTE);
                            gl.raw().get_tex_image(glow::TEXTURE_2D, last, format, kind, into);
                        }
                        // The last level is the mean of the picture, and not a corner of it.
                        assert!((100..190).contains(&mean[0]) && (100..190).contains(&mean[2]), "{mean:?}");
                    }
                }
            }
        }
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

/// Whatever a byte is changed into: an error or a picture, and no panic.
#[test]
fn ktx2_textures_with_any_byte_changed_are_answered() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    crate::headless::with_context(DebugLevel::Panic, |gl| {
        let mut answered = [0, 0];
        for name in ["etc1s.ktx2", "etc1s-alpha.ktx2", "uastc.ktx2", "uastc-zstd.ktx2"] {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/textures").join(name);
            let good = std::fs::read(source).expect("the file");
            let base = model(name);
            for at in (12..good.len()).step_by(3) {
                for to in [0, 1, 0x7f, 0xff] {
                    let mut bytes = good.clone();
                    bytes[at] = to;
                    std::fs::write(folder.path().join("t.ktx2"), &bytes).expect("a file");
                    let json = r#"{"asset":{"version":"2.0"},"nodes":[{"mesh":0}],"meshes":[{"primitives":[{"material":0,"attributes":{"POSITION":0}}]}],"accessors":[{"componentType":5126,"type":"VEC3","count":3}],"images":[{"uri":"t.ktx2"}],"textures":[{"source":0}],"materials":[{"pbrMetallicRoughness":{"baseColorTexture":{"index":0}}}]}"#;
                    let shown = match Model::from_slice(json.as_bytes(), Some(folder.path())) {
                        Ok(model) => {
                            assert!(model.images[0].width <= 8192 && base.images[0].width == 16);
                            Textures::new(gl, &Arc::new(model)).map(drop).map_err(|e| e.to_string())
                        }
                        Err(e) => Err(e.to_string()),
                    };
                    answered[usize::from(shown.is_ok())] += 1;
                    if let Err(text) = shown {
                        assert!(!text.contains('\n'), "{text}");
                        assert!(!text.contains("broke the decoder"), "{name}, byte {at} as {to}: {text}");
                    }
                }
            }
        }
        // Both happen, or this would look at one way only.
        assert!(answered.iter().all(|&n| n > 100), "{answered:?}");
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

/// A context goes while pictures are still being decoded and uploaded: in the next one all of them come again from the model,
/// and what is left of the first takes nothing of it away.
#[test]
fn textures_that_were_still_to_come_when_a_context_went_come_in_the_next_one() {
    let model = model("uastc.ktx2");
    let contents = |gl: &Gl, textures: &Textures| {
        let texels = textures.slots.iter().map(|slot| {
            let Slot::Here(texture) = slot else { panic!("it was not loaded") };
            let mut bytes = vec![0_u8; (texture.size().width * texture.size().height * 4) as usize];
            texture.bind(0);
            unsafe {
                let into = glow::PixelPackData::Slice(Some(&mut bytes));
                gl.raw().get_tex_image(glow::TEXTURE_2D, 0, glow::RGBA, glow::UNSIGNED_BYTE, into);
            }
            bytes
        });
        texels.collect::<Vec<_>>()
    };
    let in_context = |f: &mut dyn FnMut(&Gl)| {
        crate::headless::with_context(DebugLevel::Panic, |gl| f(gl)).unwrap_or_else(|e| panic!("{e}"));
    };
    let (mut whole, mut lost) = (Vec::new(), None);
    in_context(&mut |gl| {
        let mut textures = Textures::with_limit(gl, &model, 0).unwrap_or_else(|e| panic!("{e}"));
        all_here(&mut textures);
        whole = contents(gl, &textures);
        let unfinished = Textures::with_limit(gl, &model, 0).unwrap_or_else(|e| panic!("{e}"));
        assert!(unfinished.loading());
        lost = Some(unfinished);
    });
    assert!(whole.len() == 2 && whole.iter().all(|bytes| bytes.iter().any(|&b| b != bytes[0])));
    in_context(&mut |gl| {
        let mut anew = Textures::with_limit(gl, &model, 0).unwrap_or_else(|e| panic!("{e}"));
        assert!(anew.loading());
        all_here(&mut anew);
        drop(lost.take());
        gl.hook(Hook::Draw("after the end of what was lost"));
        assert_eq!(contents(gl, &anew), whole);
    });
}
