//! A stage table in memory that other processes can read, on Linux.
//!
//! The table lies in a *sealed* memory file (`memfd_create`): nobody can change its size any more, and nobody but the writer's
//! own mapping can write to it, root included. So neither a truncated file (SIGBUS) nor a hostile reader can harm the
//! writer, and a reader that has mapped it keeps it when the writer is gone. A sealed file has no name, so that a small
//! *plate* with the table's name says where it is: which process has it, and under which descriptor. Readers open it through
//! `/proc/PID/fd`, which the kernel allows to the same user and to nobody else.
//!
//! Plates lie in `$XDG_RUNTIME_DIR/scanout` (else `/dev/shm/scanout-UID`), a folder of mode 0700, with mode 0600. They come
//! there whole or not at all, and are taken away with the table; those of processes that died go when the next table is made.

mod folder;
mod mapping;
mod plate;
mod process;

pub(super) use self::mapping::Mapping;
pub(super) use self::plate::Plate;

use std::fmt;
use std::os::fd::AsRawFd as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use self::folder::Folder;
use self::plate::Contents;
use super::Reader;
use super::layout::{
    AT_BEGAN, AT_IDENTITY, AT_MAGIC, AT_NAMES, AT_PID, AT_SHAPE, AT_STARTED, AT_VERSION, MAGIC, NAME_WORDS,
    SHAPE, VERSION, WORDS,
};
use super::table::{Table, Telemetry, Words};
use super::text;
use crate::error::{Error, Result};
use crate::stats::Stage;
use crate::time::{Clock as _, MonotonicClock};

/// Longest name of a table.
const LONGEST_NAME: usize = 64;

/// Why a table cannot be read. The text of each is one line.
#[derive(Debug)]
#[non_exhaustive]
pub enum AttachError {
    /// The name cannot be one.
    Name(String),
    /// Nothing runs under the name.
    NotThere(String),
    /// The program whose plate it is has died.
    Gone {
        /// The table's name.
        name: String,
        /// The process.
        pid: u32,
    },
    /// What lies under the name is not to be trusted, or no table: whose it is, what is wrong with it.
    Refused {
        /// The file.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// The system refuses.
    System {
        /// The file.
        what: String,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(why) => f.write_str(why),
            Self::NotThere(name) => write!(f, "no program runs with --telemetry {name}"),
            Self::Gone { name, pid } => {
                write!(f, "the program that ran with --telemetry {name} (process {pid}) has died")
            }
            Self::Refused { what, why } => write!(f, "{what}: {why}"),
            Self::System { what, source } => write!(f, "{what}: cannot be read: {source}"),
        }
    }
}

impl std::error::Error for AttachError {}

/// Another process's table.
#[derive(Debug)]
pub struct Attached {
    /// Its reader.
    pub reader: Reader,
    /// The process that writes.
    pub pid: u32,
    started: u64,
    identity: u64,
}

impl Attached {
    /// Whether the process that writes is still there. Reads `/proc`; not for every frame.
    #[must_use]
    pub fn alive(&self) -> bool {
        process::started(self.pid) == Some(self.started)
    }

    /// Tells runs under the same name apart.
    #[must_use]
    pub const fn identity(&self) -> u64 {
        self.identity
    }
}

/// What runs, or lies there.
#[derive(Debug)]
#[non_exhaustive]
pub struct Listed {
    /// The table's name.
    pub name: String,
    /// The process that writes, or why it cannot be read.
    pub process: Result<u32, AttachError>,
}

/// Says what is wrong with `name`; it becomes the name of a file.
fn check_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.len() > LONGEST_NAME || name.starts_with('.') || !name.chars().all(plain) {
        let shown: String = name.escape_default().take(LONGEST_NAME).collect();
        return Err(format!(
            "'{shown}' cannot name telemetry: 1 to {LONGEST_NAME} of the characters A-Z a-z 0-9 . _ -, the first of them no dot"
        ));
    }
    Ok(())
}

/// Makes a table under `name`: [`Telemetry::named`].
pub(super) fn create(name: &str) -> Result<Telemetry> {
    check_name(name).map_err(Error::Config)?;
    let folder = Folder::for_writing()?;
    let system = |action, source| Error::Io { path: folder.path().join(name), action, source };
    let (file, mapping) = mapping::create(WORDS).map_err(|e| system("make memory for", e))?;
    let me = std::process::id();
    let started = process::started(me).ok_or_else(|| {
        system("find this process's start for", std::io::Error::other("/proc cannot be read"))
    })?;
    let words = Words::Shared(mapping);
    let began = MonotonicClock.now().as_nanos();
    // Unique among the runs of a machine since it booted: two runs of one process have different times.
    let identity = began ^ u64::from(me) << 40;
    for (at, value) in
        [(AT_PID, u64::from(me)), (AT_STARTED, started), (AT_BEGAN, began), (AT_IDENTITY, identity)]
    {
        words.get()[at].store(value, Ordering::Relaxed);
    }
    words.describe();
    let fd = u64::try_from(file.as_raw_fd()).unwrap_or_default();
    let contents = Contents { pid: me, started, fd, identity };
    let plate = Plate::put(&folder, name, contents, file)?;
    Ok(Telemetry { table: Arc::new(Table::with_plate(words, plate)) })
}

/// Attaches to the table that runs under `name`.
///
/// # Errors
/// See [`AttachError`].
pub fn attach(name: &str) -> Result<Attached, AttachError> {
    check_name(name).map_err(AttachError::Name)?;
    for folder in Folder::for_reading() {
        let folder = folder?;
        if let Some(contents) = plate::read(&folder, name)? {
            return open(name, &contents);
        }
    }
    Err(AttachError::NotThere(name.to_owned()))
}

/// All names that there are, sorted. What cannot be read is listed with its reason.
///
/// # Errors
/// When a folder cannot be read or trusted.
pub fn list() -> Result<Vec<Listed>, AttachError> {
    let mut all: Vec<Listed> = Vec::new();
    for folder in Folder::for_reading() {
        let folder = folder?;
        for name in folder.names()? {
            // What `attach` would find comes first.
            if check_name(&name).is_ok() && all.iter().all(|listed| listed.name != name) {
                let process = plate::read(&folder, &name)
                    .and_then(|found| found.ok_or_else(|| AttachError::NotThere(name.clone())))
                    .and_then(|contents| open(&name, &contents).map(|attached| attached.pid));
                all.push(Listed { name, process });
            }
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

fn open(name: &str, contents: &Contents) -> Result<Attached, AttachError> {
    let Contents { pid, started, identity, .. } = *contents;
    if process::started(pid) != Some(started) {
        return Err(AttachError::Gone { name: name.to_owned(), pid });
    }
    let mapping = mapping::open(pid, contents.fd)?;
    let words = mapping.words();
    let word = |at: usize| words.get(at).map_or(0, |word| word.load(Ordering::Relaxed));
    let refuse =
        |why: String| Err(AttachError::Refused { what: format!("the memory of process {pid}"), why });
    if word(AT_MAGIC) != MAGIC {
        return refuse("it is no telemetry of scanout".into());
    }
    if word(AT_VERSION) != VERSION {
        return refuse(format!("its layout is version {}; this program reads {VERSION}", word(AT_VERSION)));
    }
    let same = SHAPE.into_iter().enumerate().all(|(i, value)| word(AT_SHAPE + i) == value);
    let named = Stage::ALL.into_iter().enumerate().all(|(i, stage)| {
        let name = text::to_words::<NAME_WORDS>(stage.name());
        (0..NAME_WORDS).all(|j| word(AT_NAMES + i * NAME_WORDS + j) == name[j])
    });
    if words.len() != WORDS || !same || !named {
        return refuse("its layout is not what its version says".into());
    }
    if (word(AT_PID), word(AT_STARTED), word(AT_IDENTITY)) != (u64::from(pid), started, identity) {
        // The process has another table by now, or another process has its number.
        return Err(AttachError::Gone { name: name.to_owned(), pid });
    }
    let reader = Reader::new(Arc::new(Table::new(Words::Shared(mapping))));
    Ok(Attached { reader, pid, started, identity })
}

#[cfg(all(test, not(loom)))]
mod tests;
