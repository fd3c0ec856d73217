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

/// One texture of a loader.
#[derive(Copy, Clone, Debug, Eq, Hash, PartialEq)]
pub struct TextureId(u32);

impl TextureId {
    /// 0 for what was asked for first, and so on.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug)]
struct Entry {
    name: String,
    options: TextureOptions,
    cancelled: Arc<AtomicBool>,
    /// What stands in for it.
    placeholder: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    Waiting,
    Ready(Texture),
    /// It failed, was cancelled or was taken.
    Over,
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
    entries: Vec<Entry>,
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
            entries: Vec::new(),
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
        let id = TextureId(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        let cancelled = Arc::new(AtomicBool::new(false));
        let request = Request {
            id,
            source,
            srgb: options.srgb,
            mipmaps: options.mipmaps,
            cancelled: Arc::clone(&cancelled),
        };
        self.worker.ask(request);
        let (name, state) = (name.to_owned(), State::Waiting);
        self.entries.push(Entry { name, options, cancelled, placeholder, state });
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
            let Some(entry) = self.entries.get_mut(id.index()) else { continue };
            if entry.cancelled.load(Ordering::Relaxed) {
                continue; // said when it was cancelled
            }
            let begun = outcome.and_then(|data| {
                let texture = Texture::reserve(&self.gl, &entry.name, &data, &entry.options)?;
                Ok(Upload::new(id, texture, data))
            });
            match begun {
                Ok(upload) => self.uploads.push(upload),
                Err(error) => {
                    entry.state = State::Over;
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
            if let Some(entry) = self.entries.get_mut(id.index()) {
                entry.state = State::Over;
            }
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
            if let Some(entry) = self.entries.get_mut(id.index()) {
                entry.state = State::Ready(texture);
                if let State::Ready(texture) = &entry.state {
                    done(id, Ok(texture));
                }
            }
        }
    }

    /// The texture, or what stands in for it.
    ///
    /// # Panics
    /// When the identifier is another loader's.
    #[must_use]
    pub fn texture(&self, id: TextureId) -> &Texture {
        let entry = &self.entries[id.index()];
        match &entry.state {
            State::Ready(texture) => texture,
            State::Waiting | State::Over => &self.placeholders[entry.placeholder].texture,
        }
    }

    /// Whether it is complete.
    #[must_use]
    pub fn is_ready(&self, id: TextureId) -> bool {
        self.entries.get(id.index()).is_some_and(|entry| matches!(entry.state, State::Ready(_)))
    }

    /// Takes a complete texture out of the loader, whose placeholder stands in for it from then on.
    pub fn take(&mut self, id: TextureId) -> Option<Texture> {
        let entry = self.entries.get_mut(id.index())?;
        match std::mem::replace(&mut entry.state, State::Over) {
            State::Ready(texture) => Some(texture),
            other => {
                entry.state = other;
                None
            }
        }
    }

    /// Gives up a texture that is not complete; its placeholder stays. Nothing is reported of it any more. Whether there
    /// was something to give up.
    pub fn cancel(&mut self, id: TextureId) -> bool {
        let Some(entry) = self.entries.get_mut(id.index()) else { return false };
        if !matches!(entry.state, State::Waiting) {
            return false;
        }
        entry.state = State::Over;
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
