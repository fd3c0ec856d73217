use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::decode::{Bounds, prepare};
use super::{TextureId, TextureSource};
use crate::error::{Result, ThreadName};
use crate::gl::{TextureData, TextureError};
use crate::runtime::{panic_message, spawn_helper};

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

enum Job {
    Prepare(Request),
    /// Bytes that were uploaded are given back by the thread.
    Free(TextureData),
}

/// The thread that prepares textures. Dropping it ends the thread and waits for that.
#[derive(Debug)]
pub(super) struct Worker {
    stop: Arc<AtomicBool>,
    /// Both are taken away to end the thread, wherever it waits.
    channels: Option<(Sender<Job>, Receiver<Prepared>)>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start(max_side: u32, max_bytes: u64) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (jobs_in, jobs) = unbounded::<Job>();
        let (prepared, prepared_out) = bounded(AHEAD);
        let stopping = Arc::clone(&stop);
        let thread = spawn_helper(ThreadName::Loader, move || {
            for job in jobs {
                if stopping.load(Ordering::Relaxed) {
                    return;
                }
                let request = match job {
                    Job::Prepare(request) => request,
                    Job::Free(data) => {
                        drop(data);
                        continue;
                    }
                };
                let Request { id, source, srgb, mipmaps, cancelled } = request;
                let stop = || stopping.load(Ordering::Relaxed) || cancelled.load(Ordering::Relaxed);
                let bounds = Bounds { max_side, max_bytes, stop: &stop };
                // Hostile files have broken decoders before: that is an error of the file, and the thread goes on.
                let work = AssertUnwindSafe(|| prepare(source, srgb, mipmaps, &bounds));
                let outcome = catch_unwind(work).unwrap_or_else(|panic| {
                    Err(TextureError::DecoderPanicked(panic_message(panic.as_ref())))
                });
                if prepared.send(Prepared { id, outcome }).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { stop, channels: Some((jobs_in, prepared_out)), thread: Some(thread) })
    }

    pub(super) fn ask(&self, request: Request) {
        self.send(Job::Prepare(request));
    }

    pub(super) fn free(&self, data: TextureData) {
        self.send(Job::Free(data));
    }

    /// The next prepared texture, if there is one.
    pub(super) fn prepared(&self) -> Option<Prepared> {
        self.channels.as_ref()?.1.try_recv().ok()
    }

    fn send(&self, job: Job) {
        if let Some((jobs, _)) = &self.channels {
            // It fails only when the thread is gone, and that it is only after this.
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.channels = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
