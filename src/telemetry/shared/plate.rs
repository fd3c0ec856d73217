//! The small file that says where the table of a name is.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `scanoutP` |
//! | 8..16 | version, 1 |
//! | 16..24 | process |
//! | 24..32 | its start, in clock ticks since the machine booted |
//! | 32..40 | the table's descriptor there |
//! | 40..48 | which run of the process it is |
//!
//! All numbers are little-endian.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use rustix::fs::OFlags;

use super::folder::Folder;
use super::{AttachError, process};
use crate::error::{Error, Result};

const MAGIC: [u8; 8] = *b"scanoutP";
const VERSION: u64 = 1;
const BYTES: usize = 48;

/// What a plate says.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(super) struct Contents {
    pub(super) pid: u32,
    pub(super) started: u64,
    pub(super) fd: u64,
    pub(super) identity: u64,
}

/// A plate of this process. It goes when this is dropped, and with it the descriptor that it names.
#[derive(Debug)]
pub(in crate::telemetry) struct Plate {
    path: PathBuf,
    /// The file, so that no other is taken away. It is kept open: its number is nobody else's for so long.
    file: File,
    _memory: File,
}

impl Plate {
    /// Puts up a plate under `name` for the table in `memory`, in place of one whose process has died.
    pub(super) fn put(folder: &Folder, name: &str, contents: Contents, memory: File) -> Result<Self> {
        let path = folder.path().join(name);
        // Names have no dot in front: nobody takes this for a plate.
        let part = folder.path().join(format!(".{name}.{}", contents.pid));
        let fail = |action, source| Error::Io { path: path.clone(), action, source };
        let _alone = folder.lock().map_err(|e| fail("lock the folder of", e))?;
        sweep(folder);
        let flags = OFlags::NOFOLLOW.bits().cast_signed();
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).custom_flags(flags).open(&part);
        let mut file = file.map_err(|e| fail("write", e))?;
        let placed = file.write_all(&contents.to_bytes()).map_err(|e| fail("write", e)).and_then(|()| {
            // A link appears whole, and not where something is.
            match fs::hard_link(&part, &path) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                    may_replace(folder, name).map_err(Error::Config)?;
                    fs::remove_file(&path).and_then(|()| fs::hard_link(&part, &path))
                }
                linked => linked,
            }
            .map_err(|e| fail("write", e))
        });
        let _ = fs::remove_file(&part);
        placed?;
        Ok(Self { path, file, _memory: memory })
    }
}

/// Takes away what processes have left in the folder that were killed: plates, and parts of them. For whoever has it locked.
fn sweep(folder: &Folder) {
    for name in folder.names().unwrap_or_default() {
        let is_left = match name.strip_prefix('.') {
            // Nobody makes one without the lock, whichever process it names.
            Some(part) => part.rsplit_once('.').is_some_and(|(_, pid)| pid.parse::<u32>().is_ok()),
            None => super::check_name(&name).is_ok() && names_the_dead(folder, &name),
        };
        if is_left && let Err(e) = fs::remove_file(folder.path().join(&name)) {
            log::debug!("{}: cannot be taken away: {e}", folder.path().join(&name).display());
        }
    }
}

/// Whether it is a plate of ours whose process has died. What is no plate is left to whoever put it there.
fn names_the_dead(folder: &Folder, name: &str) -> bool {
    let contents = read(folder, name).ok().flatten();
    contents.is_some_and(|Contents { pid, started, .. }| process::started(pid) != Some(started))
}

impl Drop for Plate {
    fn drop(&mut self) {
        let number = |about: fs::Metadata| (about.dev(), about.ino());
        let there = fs::symlink_metadata(&self.path).map(number);
        let ours = there.is_ok_and(|there| self.file.metadata().map(number).is_ok_and(|ours| there == ours));
        if ours && let Err(e) = fs::remove_file(&self.path) {
            log::warn!("{}: cannot be taken away: {e}", self.path.display());
        }
    }
}

/// Whether the name is free by now: the plate of a process that died may have stayed.
fn may_replace(folder: &Folder, name: &str) -> Result<(), String> {
    match read(folder, name) {
        Ok(None) => Ok(()),
        Ok(Some(Contents { pid, started, .. })) if process::started(pid) == Some(started) => {
            Err(format!("telemetry '{name}' is in use by process {pid}; take another name"))
        }
        Ok(Some(_)) => Ok(()),
        // Whatever it is, it is not ours to remove.
        Err(e) => Err(format!("telemetry '{name}': {e}")),
    }
}

/// The plate under `name`; `None` where there is none.
pub(super) fn read(folder: &Folder, name: &str) -> Result<Option<Contents>, AttachError> {
    let path = folder.path().join(name);
    let what = || path.display().to_string();
    let system = |source| AttachError::System { what: what(), source };
    let refused = |why: &str| Err(AttachError::Refused { what: what(), why: why.into() });
    // What is no file is not waited for, and a link not followed.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return refused("it is a link, and no plate of scanout");
        }
        Err(e) => return Err(system(e)),
    };
    let about = file.metadata().map_err(system)?;
    if !about.is_file() {
        return refused("it is no file, and no plate of scanout");
    }
    if about.uid() != rustix::process::geteuid().as_raw() {
        return refused("it belongs to another user");
    }
    if about.mode() & 0o077 != 0 {
        return refused("others than its owner may read or write it; its mode has to be 0600");
    }
    let mut bytes = Vec::with_capacity(BYTES + 1);
    file.take(BYTES as u64 + 1).read_to_end(&mut bytes).map_err(system)?;
    match Contents::from_bytes(&bytes) {
        Ok(contents) => Ok(Some(contents)),
        Err(why) => Err(AttachError::Refused { what: what(), why }),
    }
}

impl Contents {
    fn to_bytes(self) -> Vec<u8> {
        let words = [VERSION, u64::from(self.pid), self.started, self.fd, self.identity];
        MAGIC.into_iter().chain(words.into_iter().flat_map(u64::to_le_bytes)).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let Some((magic, rest)) = bytes.split_first_chunk::<8>() else {
            return Err(format!("it is truncated: {} bytes", bytes.len()));
        };
        if *magic != MAGIC {
            return Err("it is no plate of scanout".into());
        }
        let mut words = rest.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        let version = words.next();
        if let Some(version) = version.filter(|v| *v != VERSION) {
            return Err(format!("its version is {version}; this program reads {VERSION}"));
        }
        let all = (words.next(), words.next(), words.next(), words.next());
        let (Some(pid), Some(started), Some(fd), Some(identity)) = all else {
            return Err(format!("it is truncated: {} of {BYTES} bytes", bytes.len()));
        };
        if bytes.len() > BYTES {
            return Err("it is longer than a plate of scanout".into());
        }
        // 0 is nobody's number, and one that is too large neither.
        let pid = u32::try_from(pid).ok().filter(|pid| (1..=i32::MAX as u32).contains(pid));
        let pid = pid.ok_or("it names no process")?;
        Ok(Self { pid, started, fd, identity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plate_comes_back_and_nothing_else_is_one() {
        let contents = Contents { pid: 7, started: 8, fd: 9, identity: 10 };
        let bytes = contents.to_bytes();
        assert_eq!((bytes.len(), Contents::from_bytes(&bytes)), (BYTES, Ok(contents)));
        for len in 0..BYTES {
            let why = Contents::from_bytes(&bytes[..len]).expect_err("not whole");
            assert!(why.starts_with("it is truncated"), "{len}: {why}");
        }
        let changed = |at: usize, to: u8| {
            let mut bytes = bytes.clone();
            bytes[at] = to;
            Contents::from_bytes(&bytes).expect_err("not ours")
        };
        assert_eq!(changed(0, b'S'), "it is no plate of scanout");
        assert_eq!(changed(8, 2), "its version is 2; this program reads 1");
        assert_eq!(changed(23, 1), "it names no process");
        assert!(Contents::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }
}
