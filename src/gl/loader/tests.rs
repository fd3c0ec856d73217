//! What only this module can reach: drivers that refuse bytes. The other tests of loading are in `tests/headless_textures.rs`.
#![allow(clippy::undocumented_unsafe_blocks, reason = "OpenGL calls in the current context")]

use glow::HasContext as _;

use super::queue::REFUSALS;
use super::*;
use crate::gl::{DebugLevel, SharedBytes, TextureData, TextureFormat, level_size};

fn refusal() -> StreamError {
    StreamError::Driver { operation: "mapping a buffer", detail: "the driver refused".into() }
}

fn in_context(f: impl FnOnce(&Gl)) {
    crate::headless::with_context(DebugLevel::Panic, f).unwrap_or_else(|e| panic!("{e}"));
}

/// A picture without two texels alike, with its smaller copies.
fn picture(size: Size) -> TextureData {
    let texels =
        (0..size.width * size.height).flat_map(|n| (n | 0x8000_0000).to_le_bytes()).collect::<Vec<_>>();
    let levels = vec![Arc::new(texels) as SharedBytes];
    TextureData::new(TextureFormat::Rgba8, false, size, levels).expect("it fits").with_mipmaps(&|| false)
}

fn load(loader: &mut TextureLoader, name: &str, data: &TextureData) -> TextureId {
    let source = TextureSource::Data(data.clone());
    loader.load(name, source, TextureOptions::default(), [0; 4]).expect("a placeholder")
}

fn assert_whole(gl: &Gl, texture: &Texture, data: &TextureData) {
    for level in 0..data.levels() {
        let mut bytes = vec![0; TextureFormat::Rgba8.bytes(level_size(data.size(), level)).expect("few")];
        texture.bind(0);
        unsafe {
            let into = glow::PixelPackData::Slice(Some(&mut bytes));
            gl.raw().get_tex_image(glow::TEXTURE_2D, level as i32, glow::RGBA, glow::UNSIGNED_BYTE, into);
        }
        assert!(bytes == data.level(level), "level {level} has holes");
    }
}

#[test]
fn a_slice_that_the_ring_refuses_comes_again_and_leaves_no_hole() {
    in_context(|gl| {
        // Every third write is refused, then every second but the first of a frame, then a frame as a whole now and then.
        let patterns: [fn(u32, u32) -> bool; 3] =
            [|_, write| write % 3 == 2, |_, write| write % 2 == 1, |frame, _| frame % 4 != 3];
        for refuses in patterns {
            let mut loader = TextureLoader::new(gl, LoaderOptions::with_frame_bytes(4096)).expect("a loader");
            let pictures = [Size::new(61, 47), Size::new(300, 9), Size::new(16, 16)].map(picture);
            let ids = [0, 1, 2].map(|n| load(&mut loader, &n.to_string(), &pictures[n]));
            let (mut frame, mut refused, mut done) = (0, 0, Vec::new());
            while loader.pending() > 0 {
                let mut write = 0;
                let progress = loader.poll_with(
                    |id, outcome| done.push((id, outcome.is_ok())),
                    |ring, bytes| {
                        write += 1;
                        if refuses(frame, write - 1) {
                            Err(refusal())
                        } else {
                            Ok(ring.write(bytes)?.offset() as u32)
                        }
                    },
                );
                let progress = progress.expect("the context is there");
                refused += u32::from(progress.refused);
                assert!(progress.bytes <= 4096);
                frame += u32::from(write > 0);
            }
            assert!(refused > 2, "{refused} frames were refused something");
            assert_eq!(done, ids.map(|id| (id, true)));
            for (id, data) in ids.into_iter().zip(&pictures) {
                assert_whole(gl, loader.texture(id), data);
            }
        }
    });
}

#[test]
fn a_texture_that_is_always_refused_is_reported_and_the_next_one_has_its_turn() {
    in_context(|gl| {
        let mut loader = TextureLoader::new(gl, LoaderOptions::with_frame_bytes(1024)).expect("a loader");
        let (bad, good) = (picture(Size::new(64, 64)), picture(Size::new(32, 32)));
        let ids = [load(&mut loader, "bad", &bad), load(&mut loader, "good", &good)];
        let (mut frames, mut reports) = (0, Vec::new());
        while loader.pending() > 0 {
            let gone = !reports.is_empty();
            let progress = loader.poll_with(
                |id, outcome| reports.push((id, outcome.map(|_| ()).map_err(Clone::clone))),
                |ring, bytes| {
                    frames += u32::from(!gone);
                    // The first frame is taken, so that the texture is half there.
                    if gone || frames == 1 { Ok(ring.write(bytes)?.offset() as u32) } else { Err(refusal()) }
                },
            );
            progress.expect("a refusal is not the end");
        }
        let why = TextureError::Upload(refusal().to_string());
        assert_eq!(reports, [(ids[0], Err(why)), (ids[1], Ok(()))]);
        assert!(frames > REFUSALS && !loader.is_ready(ids[0]));
        assert_whole(gl, loader.texture(ids[1]), &good);
        assert_eq!(loader.texture(ids[0]).size(), Size::new(1, 1), "the placeholder stays");
    });
}

#[test]
fn a_lost_context_is_the_end_of_loading() {
    in_context(|gl| {
        let mut loader = TextureLoader::new(gl, LoaderOptions::default()).expect("a loader");
        load(&mut loader, "t", &picture(Size::new(8, 8)));
        let told = loop {
            match loader.poll_with(|_, _| {}, |_, _| Err(StreamError::ContextGone)) {
                Ok(_) => std::thread::yield_now(),
                Err(e) => break e,
            }
        };
        assert_eq!(told, StreamError::ContextGone);
    });
}

#[test]
fn what_is_over_leaves_nothing_behind_in_the_loader() {
    in_context(|gl| {
        let mut loader = TextureLoader::new(gl, LoaderOptions::default()).expect("a loader");
        let small = picture(Size::new(4, 4));
        let (mut outcomes, mut first) = ([0, 0], None);
        // Each round takes one, cancels one and has one that fails; one stays, and has to be itself to the end.
        let stays = load(&mut loader, "stays", &picture(Size::new(8, 2)));
        for round in 0..250 {
            let taken = load(&mut loader, "taken", &small);
            let cancelled = load(&mut loader, "cancelled", &small);
            let options = TextureOptions::default();
            let broken = TextureSource::Encoded(Arc::new(vec![round as u8; 7]));
            let fails = loader.load("fails", broken, options, [7; 4]).expect("a placeholder");
            assert!(loader.cancel(cancelled) && !loader.cancel(cancelled));
            let last = load(&mut loader, "taken as well", &small);
            while loader.pending() > 0 {
                let told = loader.poll(|id, outcome| {
                    outcomes[usize::from(outcome.is_err())] += 1;
                    assert_eq!(outcome.is_err(), id == fails, "{outcome:?}");
                });
                told.expect("the context is there");
            }
            assert_eq!(loader.texture(stays).size(), Size::new(8, 2));
            let earlier = *first.get_or_insert(taken);
            for id in [taken, last] {
                assert_eq!(loader.take(id).expect("complete").size(), Size::new(4, 4));
            }
            for over in [earlier, taken, cancelled, fails, last] {
                assert!(!loader.is_ready(over) && loader.take(over).is_none() && !loader.cancel(over));
                assert_eq!(loader.texture(over).size(), Size::new(1, 1), "the placeholder stays");
            }
            assert_eq!(last.index(), 4 * round + 4);
        }
        assert_eq!(outcomes, [501, 250]);
        let Entries { slots, vacant, .. } = &loader.entries;
        assert_eq!(slots.iter().flatten().count(), 1, "what was not taken");
        assert_eq!(slots.len(), 4, "as many as there were at a time");
        assert_eq!((vacant.len(), loader.placeholders.len()), (3, 2));
    });
}
