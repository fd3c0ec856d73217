//! The memory itself.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{MemfdFlags, OFlags, SealFlags};

use super::AttachError;
use crate::telemetry::shim::AtomicU64;

/// What the memory is called in `/proc/PID/fd` and `/proc/PID/maps`.
const MEMORY: &str = "scanout-telemetry";
/// No table of any version is larger: what is, is none.
const LARGEST: u64 = 1 << 26;

/// Mapped words. Their number never changes: the memory is sealed.
#[derive(Debug)]
pub(in crate::telemetry) struct Mapping {
    memory: MmapRaw,
    words: usize,
}

impl Mapping {
    #[inline]
    pub(in crate::telemetry) fn words(&self) -> &[AtomicU64] {
        // SAFETY: a mapping begins at a page and has `words` words, which the seals keep there; those of a reader are only loaded from, relaxed, and never stored to.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast::<AtomicU64>(), self.words) }
    }
}

/// Memory of so many words, mapped to be written here and sealed against everybody else. All its pages are there already,
/// so that no frame waits for one.
pub(super) fn create(words: usize) -> io::Result<(File, Mapping)> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = File::from(rustix::fs::memfd_create(MEMORY, flags)?);
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let bytes = words * size_of::<AtomicU64>();
    file.set_len(bytes as u64)?;
    let mapping = Mapping { memory: MmapOptions::new().len(bytes).populate().map_raw(&file)?, words };
    let size = SealFlags::SHRINK | SealFlags::GROW;
    // Linux before 5.1 cannot keep others of the same user from writing.
    rustix::fs::fcntl_add_seals(&file, size | SealFlags::FUTURE_WRITE)
        .or_else(|_| rustix::fs::fcntl_add_seals(&file, size))?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::SEAL)?;
    Ok((file, mapping))
}

/// Maps the memory that process `pid` has as descriptor `fd`, to be read.
pub(super) fn open(pid: u32, fd: u64) -> Result<Mapping, AttachError> {
    let what = || format!("/proc/{pid}/fd/{fd}");
    let system = |source| AttachError::System { what: what(), source };
    let refused = |why: &str| AttachError::Refused { what: what(), why: why.into() };
    // Opening a device or a pipe could do something: the name comes first.
    let link = std::fs::read_link(what()).map_err(system)?;
    if !link.to_string_lossy().starts_with(&format!("/memfd:{MEMORY}")) {
        return Err(refused("it is no telemetry of scanout"));
    }
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let options = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(what());
    let file = options.map_err(system)?;
    let about = file.metadata().map_err(system)?;
    if about.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused("it belongs to another user"));
    }
    let seals = rustix::fs::fcntl_get_seals(&file).map_err(|e| system(e.into()))?;
    if !seals.contains(SealFlags::SHRINK | SealFlags::GROW) {
        // A size that can change could end this process.
        return Err(refused("it is not sealed"));
    }
    let bytes = about.len();
    if bytes == 0 || bytes > LARGEST || !bytes.is_multiple_of(size_of::<AtomicU64>() as u64) {
        return Err(refused("its size is no table's"));
    }
    let bytes = bytes as usize;
    let memory = MmapOptions::new().len(bytes).map_raw_read_only(&file).map_err(system)?;
    Ok(Mapping { memory, words: bytes / size_of::<AtomicU64>() })
}
