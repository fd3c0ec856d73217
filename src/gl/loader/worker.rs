use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, select, unbounded};

use super::decode::{Bounds, prepare};
use super::{TextureId, TextureSource};
use crate::error::{Result, ThreadName};
use crate::gl::texture::ktx::caught;
use crate::gl::{Capabilities, TextureData, TextureError};
use crate::runtime::spawn_helper;

/// Prepared textures that wait to be uploaded: the thread stays ahead of the upload, and not by the memory of a whole
/// model.
const AHEAD: usize = 2;

/// What the thread is to do.
pub(super) struct Request {
    pub id: TextureId,
    pub source: TextureSource,
    pub srgb: bool,
    pub mipmaps: bool,
    pub cancelled: Arc<AtomicBool>,
}

/// What came of it.
pub(super) struct Prepared {
    pub id: TextureId,
    pub outcome: std::result::Result<TextureData, TextureError>,
}

#[derive(Debug)]
struct Channels {
    requests: Sender<Request>,
    /// Bytes that were uploaded are given back by the thread. A channel of its own, or they would pile up behind all that
    /// is still to be prepared.
    frees: Sender<TextureData>,
    prepared: Receiver<Prepared>,
}

/// How long the end of the thread is waited for: what it does between two looks at `stop` is mostly shorter, and whoever
/// closes a window does not see it.
const PATIENCE: Duration = Duration::from_millis(250);

/// The thread that prepares textures. Dropping it asks the thread to end and waits a moment for that. A decoder that does not
/// let itself be interrupted is left alone: it has nothing that others use, and ends after the picture it is at.
#[derive(Debug)]
pub(super) struct Worker {
    stop: Arc<AtomicBool>,
    /// Taken away to end the thread, wherever it waits.
    channels: Option<Channels>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start(caps: &Capabilities, max_bytes: u64) -> Result<Self> {
        let (max_side, compressed) = (caps.max_texture_size, caps.compressed);
        let stop = Arc::new(AtomicBool::new(false));
        let (requests, asked) = unbounded::<Request>();
        let (frees, freed) = unbounded::<TextureData>();
        let (done, prepared) = bounded(AHEAD);
        let stopping = Arc::clone(&stop);
        let thread = spawn_helper(ThreadName::Loader, move || {
            loop {
                freed.try_iter().for_each(drop);
                let request = select! {
                    recv(asked) -> request => request,
                    recv(freed) -> data => {
                        if data.is_err() { return } else { continue }
                    }
                };
                let Ok(Request { id, source, srgb, mipmaps, cancelled }) = request else { return };
                if stopping.load(Ordering::Relaxed) {
                    return;
                }
                let stop = || stopping.load(Ordering::Relaxed) || cancelled.load(Ordering::Relaxed);
                let bounds = Bounds { compressed, max_side, max_bytes, stop: &stop };
                let outcome = caught(|| prepare(source, srgb, mipmaps, &bounds));
                if done.send(Prepared { id, outcome }).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { stop, channels: Some(Channels { requests, frees, prepared }), thread: Some(thread) })
    }

    pub(super) fn ask(&self, request: Request) {
        if let Some(channels) = &self.channels {
            // It fails only when the thread is gone, and that it is only after this.
            let _ = channels.requests.send(request);
        }
    }

    pub(super) fn free(&self, data: TextureData) {
        if let Some(channels) = &self.channels {
            let _ = channels.frees.send(data);
        }
    }

    /// The next prepared texture, if there is one.
    pub(super) fn prepared(&self) -> Option<Prepared> {
        self.channels.as_ref()?.prepared.try_recv().ok()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let (Some(channels), Some(thread)) = (self.channels.take(), self.thread.take()) else { return };
        let Channels { requests, frees, prepared } = channels;
        drop((requests, frees));
        // Its end of the channel goes when the thread does. What it prepared meanwhile (one more than there is room for, at most)
        // is dropped, and makes room for it.
        loop {
            match prepared.recv_timeout(PATIENCE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let _ = thread.join();
                    return;
                }
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
        log::info!("the picture that is being decoded is left to its thread, which ends after it");
    }
}
