use std::collections::VecDeque;

use super::{LoadProgress, TextureId};
use crate::gl::texture::{Slice, Slices, Source};
use crate::gl::{StreamError, Texture, TextureData};

/// Slices of one frame: small levels are one each, so that this many small textures fit.
const SLICES_PER_FRAME: usize = 64;
/// Frames in a row in which the driver takes no bytes, and a texture is given up: a shortage of memory may pass within
/// a second at 60 Hz, and nobody is to wait for ever for one that does not.
pub(super) const REFUSALS: u32 = 60;

/// A texture that has its memory and not yet all of its texels.
#[derive(Debug)]
pub(super) struct Upload {
    pub id: TextureId,
    texture: Texture,
    data: TextureData,
    slices: Slices,
}

impl Upload {
    pub(super) fn new(id: TextureId, texture: Texture, data: TextureData) -> Self {
        let slices = Slices::of(&data);
        Self { id, texture, data, slices }
    }
}

/// Textures on their way to the GPU, in their order. A slice counts as uploaded only once its bytes were taken: one that
/// was refused comes again in the next frame.
#[derive(Debug)]
pub(super) struct Queue {
    uploads: VecDeque<Upload>,
    /// What is uploaded in this frame: the upload's place in the queue, the slice, and where its bytes lie. Kept for its
    /// storage.
    written: Vec<(usize, Slice, u32)>,
    /// Frames since bytes were taken for the last time.
    refusals: u32,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self { uploads: VecDeque::new(), written: Vec::with_capacity(SLICES_PER_FRAME), refusals: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.uploads.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.uploads.is_empty()
    }

    pub(super) fn push(&mut self, upload: Upload) {
        self.uploads.push_back(upload);
    }

    pub(super) fn remove(&mut self, id: TextureId) {
        self.uploads.retain(|upload| upload.id != id);
    }

    /// Copies slices of at most `budget` bytes to where `write` puts them, which says at which byte of the buffer. Ends at
    /// the first that it refuses.
    pub(super) fn write(
        &mut self,
        budget: usize,
        mut write: impl FnMut(&[u8]) -> Result<u32, StreamError>,
    ) -> Result<(), StreamError> {
        self.written.clear();
        let mut left = budget;
        for (place, upload) in self.uploads.iter_mut().enumerate() {
            while self.written.len() < SLICES_PER_FRAME {
                let mut slices = upload.slices.clone();
                let Some(slice) = slices.next(left) else { break };
                let bytes = &upload.data.level(slice.level)[slice.from..slice.from + slice.bytes];
                let at = write(bytes).inspect_err(|_| self.refusals += 1)?;
                (upload.slices, self.refusals) = (slices, 0);
                self.written.push((place, slice, at));
                left -= slice.bytes;
            }
            if !upload.slices.is_done() {
                break;
            }
        }
        Ok(())
    }

    /// Has the GPU read what was written, from the buffer that is bound for unpacking pixels.
    pub(super) fn send(&mut self, progress: &mut LoadProgress) {
        for (place, slice, at) in self.written.drain(..) {
            let Upload { texture, data, .. } = &self.uploads[place];
            texture.upload(data.format(), data.srgb(), &slice, Source::Buffer(at));
            progress.bytes += slice.bytes;
            progress.slices += 1;
            progress.largest_slice = progress.largest_slice.max(slice.bytes);
        }
    }

    /// The first texture, if it has all of its texels.
    pub(super) fn finished(&mut self) -> Option<(TextureId, Texture, TextureData)> {
        let Upload { id, texture, data, .. } = self.uploads.pop_front_if(|upload| upload.slices.is_done())?;
        Some((id, texture, data))
    }

    /// The first texture, if bytes of it were refused for so long that it is given up.
    pub(super) fn given_up(&mut self) -> Option<(TextureId, TextureData)> {
        if self.refusals < REFUSALS {
            return None;
        }
        self.refusals = 0;
        self.uploads.pop_front().map(|upload| (upload.id, upload.data))
    }
}
