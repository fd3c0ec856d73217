//! Textures that are loaded while frames are drawn.
//!
//! A [`TextureLoader`] has a thread that reads, decodes and makes the smaller copies, and a ring of buffers through which the
//! render thread uploads them in slices, never more than so many bytes in a frame ([`LoaderOptions::frame_bytes`]). Until
//! a texture is complete, a placeholder of one colour stands in for it, and so it does for good when loading fails.
//!
//! ```no_run
//! # use scanout::gl::{Gl, LoaderOptions, TextureLoader, TextureOptions, TextureSource};
//! # fn example(gl: &Gl) -> scanout::Result<()> {
//! let mut loader = TextureLoader::new(gl, LoaderOptions::default())?;
//! let source = TextureSource::File("wall.ktx2".into());
//! let wall = loader.load("wall", source, TextureOptions::default(), [128; 4])?;
//! // In each frame:
//! loader.poll(|id, outcome| {
//!     if let Err(e) = outcome {
//!         log::warn!("{}: {e}", id.index());
//!     }
//! })?;
//! loader.texture(wall).bind(0);
//! # Ok(())
//! # }
//! ```

mod decode;
mod options;
mod queue;
mod source;
#[cfg(all(test, feature = "headless"))]
mod tests;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use glow::HasContext as _;

use super::stream::{FRAMES_IN_FLIGHT, StreamError, StreamRing, StreamTarget};
use super::{Gl, Texture, TextureError, TextureOptions};
use crate::error::{Error, Result};
use crate::runtime::Size;
pub use options::{LoadProgress, LoaderOptions};
use queue::{Queue, Upload};
pub use source::TextureSource;
use worker::{Prepared, Request, Worker};

/// The least bytes per frame: some rows of small pictures, and blocks of every format.
const LEAST_FRAME_BYTES: usize = 1024;
/// Textures that are begun in one frame: memory for each is taken from the driver, which costs time of its own.
const BEGUN_PER_FRAME: usize = 4;

/// One texture of a loader. Stays good for asking after the loader has forgotten the texture: then its placeholder is what
/// there is.
#[derive(Copy, Clone, Debug, Eq, Hash, PartialEq)]
pub struct TextureId {
    /// How many were asked for before.
    number: u32,
    /// Where the loader keeps it, and where it may keep a later one that has another number.
    slot: u32,
    /// What stands in for it.
    placeholder: u32,
}

impl TextureId {
    /// 0 for what was asked for first, and so on.
    #[must_use]
    pub const fn index(self) -> usize {
        self.number as usize
    }
}

#[derive(Debug)]
struct Entry {
    id: TextureId,
    name: String,
    options: TextureOptions,
    cancelled: Arc<AtomicBool>,
    /// Once it is complete.
    texture: Option<Texture>,
}

/// What is being loaded and what is complete. What failed, was cancelled or was taken makes room for later ones, so that a
/// loader grows with what it holds and not with its life.
#[derive(Debug, Default)]
struct Entries {
    slots: Vec<Option<Entry>>,
    vacant: Vec<u32>,
    /// How many there were so far.
    number: u32,
}

impl Entries {
    fn insert(&mut self, placeholder: usize, make: impl FnOnce(TextureId) -> Entry) -> TextureId {
        let slot = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() as u32 - 1
        });
        let id = TextureId { number: self.number, slot, placeholder: placeholder as u32 };
        self.number = self.number.wrapping_add(1);
        self.slots[slot as usize] = Some(make(id));
        id
    }

    fn get(&self, id: TextureId) -> Option<&Entry> {
        self.slots.get(id.slot as usize)?.as_ref().filter(|entry| entry.id == id)
    }

    fn get_mut(&mut self, id: TextureId) -> Option<&mut Entry> {
        self.slots.get_mut(id.slot as usize)?.as_mut().filter(|entry| entry.id == id)
    }

    fn remove(&mut self, id: TextureId) -> Option<Entry> {
        self.get(id)?;
        self.vacant.push(id.slot);
        self.slots[id.slot as usize].take()
    }
}

#[derive(Debug)]
struct Placeholder {
    colour: [u8; 4],
    srgb: bool,
    texture: Texture,
}

/// Loads textures while frames are drawn: see the module. Dropping it ends its thread, cutting short what that is doing; it
/// waits a moment for that, and not for a decoder that cannot be interrupted, whose thread ends after its picture.
#[derive(Debug)]
pub struct TextureLoader {
    gl: Gl,
    worker: Worker,
    ring: StreamRing,
    frame_bytes: usize,
    entries: Entries,
    placeholders: Vec<Placeholder>,
    uploads: Queue,
    pending: usize,
}

impl TextureLoader {
    /// A loader with nothing to load. Starts its thread.
    ///
    /// # Errors
    /// When so few bytes per frame lead nowhere, the system refuses the thread, or the driver the buffers.
    pub fn new(gl: &Gl, options: LoaderOptions) -> Result<Self> {
        let LoaderOptions { frame_bytes, decoded_bytes } = options;
        if frame_bytes < LEAST_FRAME_BYTES {
            return Err(Error::Config(format!(
                "textures cannot be loaded with {frame_bytes} bytes per frame; at least {LEAST_FRAME_BYTES} are needed"
            )));
        }
        let ring = StreamRing::auto(gl, StreamTarget::PixelUnpack, frame_bytes, FRAMES_IN_FLIGHT)?;
        Ok(Self {
            gl: gl.clone(),
            worker: Worker::start(gl.caps(), decoded_bytes)?,
            ring,
            frame_bytes,
            entries: Entries::default(),
            placeholders: Vec::new(),
            uploads: Queue::new(),
            pending: 0,
        })
    }

    /// Asks for a texture. Returns at once; textures are completed in the order in which they were asked for
    /// (one that fails is reported as soon as that is known). `placeholder` is the colour (as bytes of the texture) that stands in for it until then.
    ///
    /// # Errors
    /// When the placeholder cannot be made. What is wrong with the source is said by [`poll`](Self::poll).
    pub fn load(
        &mut self,
        name: &str,
        source: TextureSource,
        options: TextureOptions,
        placeholder: [u8; 4],
    ) -> Result<TextureId> {
        let placeholder = self.placeholder(placeholder, options.srgb)?;
        let (srgb, mipmaps) = (options.srgb, options.mipmaps);
        let cancelled = Arc::new(AtomicBool::new(false));
        let id = self.entries.insert(placeholder, |id| Entry {
            id,
            name: name.to_owned(),
            options,
            cancelled: Arc::clone(&cancelled),
            texture: None,
        });
        self.worker.ask(Request { id, source, srgb, mipmaps, cancelled });
        self.pending += 1;
        Ok(id)
    }

    fn placeholder(&mut self, colour: [u8; 4], srgb: bool) -> Result<usize> {
        if let Some(known) = self.placeholders.iter().position(|p| (p.colour, p.srgb) == (colour, srgb)) {
            return Ok(known);
        }
        let options = TextureOptions { srgb, mipmaps: false, ..TextureOptions::default() };
        let texture = Texture::rgba8(&self.gl, "placeholder", Size::new(1, 1), &colour, &options)?;
        self.placeholders.push(Placeholder { colour, srgb, texture });
        Ok(self.placeholders.len() - 1)
    }

    /// Once per frame: takes over what the thread has prepared, and uploads at most
    /// [`frame_bytes`](LoaderOptions::frame_bytes) of it. Never waits, neither for the thread nor for the GPU. `done` is
    /// called for each texture that was completed or given up. Without anything to load it costs a look at a channel.
    ///
    /// Bytes that the driver does not take come again in the next frame ([`LoadProgress::refused`]); a texture of which it
    /// takes none for a second is given up ([`TextureError::Upload`]).
    ///
    /// Leaves no buffer bound for unpacking pixels, and some texture bound to the active unit.
    ///
    /// # Errors
    /// When the context is gone.
    pub fn poll(
        &mut self,
        done: impl FnMut(TextureId, std::result::Result<&Texture, &TextureError>),
    ) -> std::result::Result<LoadProgress, StreamError> {
        self.poll_with(done, |ring, bytes| Ok(ring.write(bytes)?.offset() as u32))
    }

    /// The same with another way into the ring, which may be one that refuses.
    fn poll_with(
        &mut self,
        mut done: impl FnMut(TextureId, std::result::Result<&Texture, &TextureError>),
        write: impl FnMut(&mut StreamRing, &[u8]) -> std::result::Result<u32, StreamError>,
    ) -> std::result::Result<LoadProgress, StreamError> {
        let mut progress = LoadProgress::default();
        self.begin_uploads(&mut done);
        if !self.uploads.is_empty() {
            crate::profile::scope!("upload textures");
            if self.ring.try_begin_frame()? {
                self.upload(&mut progress, write, &mut done)?;
                self.finish_uploads(&mut done);
            } else {
                progress.put_off = true;
            }
        }
        progress.pending = self.pending;
        Ok(progress)
    }

    /// Takes over what the thread has prepared, and takes memory for it.
    fn begin_uploads(
        &mut self,
        done: &mut impl FnMut(TextureId, std::result::Result<&Texture, &TextureError>),
    ) {
        for _ in self.uploads.len()..BEGUN_PER_FRAME {
            let Some(Prepared { id, outcome }) = self.worker.prepared() else { return };
            let Some(entry) = self.entries.get(id) else {
                // Said when it was cancelled.
                if let Ok(data) = outcome {
                    self.worker.free(data);
                }
                continue;
            };
            let begun = outcome.and_then(|data| {
                let texture = Texture::reserve(&self.gl, &entry.name, &data, &entry.options)?;
                Ok(Upload::new(id, texture, data))
            });
            match begun {
                Ok(upload) => self.uploads.push(upload),
                Err(error) => {
                    self.entries.remove(id);
                    self.pending -= 1;
                    done(id, Err(&error));
                }
            }
        }
    }

    /// Copies slices into the frame's buffer and has the GPU read them from there.
    fn upload(
        &mut self,
        progress: &mut LoadProgress,
        mut write: impl FnMut(&mut StreamRing, &[u8]) -> std::result::Result<u32, StreamError>,
        done: &mut impl FnMut(TextureId, std::result::Result<&Texture, &TextureError>),
    ) -> std::result::Result<(), StreamError> {
        // Blocks of all formats are multiples of what the ring aligns to: the frame's segment suffices.
        let told = self.uploads.write(self.frame_bytes, |bytes| write(&mut self.ring, bytes));
        self.ring.finish_writes();
        self.ring.bind();
        self.uploads.send(progress);
        // SAFETY: unbinds, so that texels from memory are taken from memory again.
        unsafe { self.gl.raw().bind_buffer(glow::PIXEL_UNPACK_BUFFER, None) };
        self.ring.fence();
        let Err(error) = told else { return Ok(()) };
        if error == StreamError::ContextGone {
            return Err(error);
        }
        progress.refused = true;
        if let Some((id, data)) = self.uploads.given_up() {
            self.worker.free(data);
            self.entries.remove(id);
            self.pending -= 1;
            done(id, Err(&TextureError::Upload(error.to_string())));
        }
        Ok(())
    }

    fn finish_uploads(
        &mut self,
        done: &mut impl FnMut(TextureId, std::result::Result<&Texture, &TextureError>),
    ) {
        while let Some((id, texture, data)) = self.uploads.finished() {
            // Giving back tens of megabytes takes time, which the thread has.
            self.worker.free(data);
            self.pending -= 1;
            if let Some(entry) = self.entries.get_mut(id) {
                done(id, Ok(entry.texture.insert(texture)));
            }
        }
    }

    /// The texture, or what stands in for it: until it is complete, and after it failed, was cancelled or was taken. The
    /// identifier of another loader gives some texture of this one.
    ///
    /// # Panics
    /// When the identifier is another loader's, and names a placeholder that this one does not have.
    #[must_use]
    pub fn texture(&self, id: TextureId) -> &Texture {
        let ready = self.entries.get(id).and_then(|entry| entry.texture.as_ref());
        ready.unwrap_or_else(|| &self.placeholders[id.placeholder as usize].texture)
    }

    /// Whether it is complete.
    #[must_use]
    pub fn is_ready(&self, id: TextureId) -> bool {
        self.entries.get(id).is_some_and(|entry| entry.texture.is_some())
    }

    /// Takes a complete texture out of the loader, which forgets it; its placeholder stands in for it from then on.
    pub fn take(&mut self, id: TextureId) -> Option<Texture> {
        if self.is_ready(id) { self.entries.remove(id)?.texture } else { None }
    }

    /// Gives up a texture that is not complete; its placeholder stays. Nothing is reported of it any more. Whether there
    /// was something to give up.
    pub fn cancel(&mut self, id: TextureId) -> bool {
        if self.is_ready(id) {
            return false;
        }
        let Some(entry) = self.entries.remove(id) else { return false };
        entry.cancelled.store(true, Ordering::Relaxed);
        self.uploads.remove(id);
        self.pending -= 1;
        true
    }

    /// Textures that are neither complete nor given up.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.pending
    }

    /// What the buffers for uploads have done so far.
    #[must_use]
    pub const fn stats(&self) -> super::StreamStats {
        self.ring.stats()
    }
}
