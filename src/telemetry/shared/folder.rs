//! Where plates lie.

use std::env;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags};

use super::AttachError;
use crate::error::{Error, Result};
use crate::time::{Clock as _, MonotonicClock};

/// A folder that only this user can look into.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    handle: File,
}

/// How long another starting program is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(1);
const LOCK_EVERY: Duration = Duration::from_millis(2);

/// The folder is this process's alone.
pub(super) struct Locked<'a>(&'a File);

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let _ = rustix::fs::flock(self.0, FlockOperation::Unlock);
    }
}

/// The folders in which plates may lie, the best first.
fn places() -> impl Iterator<Item = PathBuf> {
    let session = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let session = session.filter(|path| path.is_absolute()).map(|path| path.join("scanout"));
    let user = rustix::process::geteuid().as_raw();
    session.into_iter().chain([PathBuf::from(format!("/dev/shm/scanout-{user}"))])
}

impl Folder {
    /// The first place where there is one or one can be made.
    pub(super) fn for_writing() -> Result<Self> {
        let mut failed = None;
        for path in places() {
            let made = match DirBuilder::new().mode(0o700).create(&path) {
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e),
                _ => Ok(()),
            };
            let fail = |source| Error::Io { path: path.clone(), action: "make the folder", source };
            match made
                .map_err(fail)
                .and_then(|()| Self::open(&path).map_err(|e| Error::Config(e.to_string())))
            {
                Ok(folder) => return Ok(folder),
                // A folder that is not to be trusted is not passed over in silence.
                Err(e @ Error::Config(_)) => return Err(e),
                Err(e) => failed = Some(e),
            }
        }
        Err(failed.unwrap_or_else(|| Error::Config("there is no place for telemetry".into())))
    }

    /// All places that there are.
    pub(super) fn for_reading() -> impl Iterator<Item = Result<Self, AttachError>> {
        places().filter(|path| path.symlink_metadata().is_ok()).map(|path| Self::open(&path))
    }

    pub(super) fn open(path: &Path) -> Result<Self, AttachError> {
        let what = || path.display().to_string();
        let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits();
        let handle = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path);
        let handle = handle.map_err(|source| AttachError::System { what: what(), source })?;
        let about = handle.metadata().map_err(|source| AttachError::System { what: what(), source })?;
        let why = if about.uid() != rustix::process::geteuid().as_raw() {
            "it belongs to another user"
        } else if about.mode() & 0o077 != 0 {
            "others than its owner may look into it; its mode has to be 0700"
        } else {
            return Ok(Self { path: path.to_owned(), handle });
        };
        Err(AttachError::Refused { what: what(), why: why.into() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps other starting programs out for as long as what is returned lives. They are there for less than a millisecond:
    /// whoever keeps the lock is none of them, and is not waited for.
    pub(super) fn lock(&self) -> io::Result<Locked<'_>> {
        let give_up = MonotonicClock.now() + LOCK_WAIT;
        loop {
            match rustix::fs::flock(&self.handle, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Locked(&self.handle)),
                Err(e) if MonotonicClock.now() > give_up => return Err(e.into()),
                Err(_) => std::thread::park_timeout(LOCK_EVERY),
            }
        }
    }

    /// The names in it that could be tables'.
    pub(super) fn names(&self) -> Result<Vec<String>, AttachError> {
        let fail = |source| AttachError::System { what: self.path.display().to_string(), source };
        let entries = std::fs::read_dir(&self.path).map_err(fail)?;
        Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
    }
}
