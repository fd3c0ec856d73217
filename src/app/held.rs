//! What is held down on a display server that is not ours, for whoever is left when the one who pressed it is killed.
//!
//! A key that was pressed by XTEST stays down when its client dies. The worker therefore writes what it is about to press into
//! a file without a name, in memory, that its keeper has open as well, and clears it when it has let go; the keeper, which
//! outlives it, reads that when the worker has ended, however that came about (`keeper.rs`). A write is one system call of about a
//! microsecond and waits for nobody, which is why this is no pipe. On Wayland there is nothing to do: virtual devices go with
//! their connection.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::sync::OnceLock;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};
use rustix::fs::{MemfdFlags, memfd_create};

use scanout::observe::{self, Injector, Key, X11};

/// A server that takes nothing in for so long hangs.
const LIMIT: Duration = Duration::from_secs(2);
/// The name of a display is followed by zeroes up to here.
const DISPLAY: std::ops::Range<usize> = 2..258;
const BUTTON: u8 = 1;
const KEY: u8 = 2;

/// Of the worker: where it writes.
static RECORD: OnceLock<File> = OnceLock::new();

/// The keeper's side. What is in it: what is held (nothing, a button, a key), which key, and on which display.
pub struct Held(File);

impl Held {
    pub fn new() -> io::Result<Self> {
        let file: OwnedFd = memfd_create("scanout-held", MemfdFlags::CLOEXEC)?;
        let file = File::from(file);
        file.set_len(DISPLAY.end as u64)?;
        Ok(Self(file))
    }

    /// By which another process of this user finds it.
    pub fn number(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// Lets go of what the worker has left pressed, if anything, while `meanwhile` is done. The worker has ended.
    pub fn release(&self, meanwhile: impl FnOnce()) {
        let Some((what, display)) = self.read() else { return meanwhile() };
        // A server that hangs would hold up the end of everything.
        let (done, outcome) = bounded(1);
        let (theirs, at) = (what, display.clone());
        let started = std::thread::Builder::new().name("scanout-release".into()).spawn(move || {
            // Nobody listens any more: it came too late.
            let _ = done.send(theirs.release(&at));
        });
        meanwhile();
        let why = match started.map(|_| outcome.recv_timeout(LIMIT)) {
            Ok(Ok(Ok(()))) => return,
            // What was held down went with the server.
            Ok(Ok(Err(e @ observe::Error::Connect { .. }))) => {
                return log::debug!("{} was held down: {e}", what.name());
            }
            Ok(Ok(Err(e))) => e.to_string(),
            Ok(Err(RecvTimeoutError::Timeout)) => "it does not answer".into(),
            Ok(Err(e)) => e.to_string(),
            Err(e) => e.to_string(),
        };
        log::warn!("{} may still be held down on X server {display}: {why}", what.name());
    }

    fn read(&self) -> Option<(What, String)> {
        let mut record = [0; DISPLAY.end];
        self.0.read_exact_at(&mut record, 0).ok()?;
        let what = What::read([record[0], record[1]])?;
        let display = record[DISPLAY].split(|byte| *byte == 0).next()?;
        Some((what, String::from_utf8(display.to_vec()).ok()?))
    }
}

/// The worker's side: opens what its keeper has under this number.
pub fn open(keeper: u32, number: i32) -> io::Result<()> {
    // By its path, so that no program that is started inherits it.
    let record = OpenOptions::new().read(true).write(true).open(format!("/proc/{keeper}/fd/{number}"))?;
    // A second one cannot come.
    let _ = RECORD.set(record);
    Ok(())
}

/// What can be held down.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum What {
    Button,
    Key(Key),
}

impl What {
    const fn written(self) -> [u8; 2] {
        match self {
            Self::Button => [BUTTON, 0],
            Self::Key(key) => [KEY, key as u8],
        }
    }

    fn read([kind, code]: [u8; 2]) -> Option<Self> {
        match kind {
            BUTTON => Some(Self::Button),
            KEY => Key::ALL.iter().copied().find(|key| *key as u8 == code).map(Self::Key),
            _ => None,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Button => "the left button".into(),
            Self::Key(key) => format!("the key {}", key.name()),
        }
    }

    fn release(self, display: &str) -> observe::Result<()> {
        let mut user = X11::connect(display)?;
        user.check_injection()?;
        match self {
            Self::Button => Injector::button(&mut user, false)?,
            Self::Key(key) => Injector::key(&mut user, key, false)?,
        }
        user.sync()
    }
}

/// An X server that is not ours, with each press written down before it is made.
#[derive(Debug)]
pub struct Recorded {
    user: X11,
    record: Option<&'static File>,
}

impl Recorded {
    /// Where nobody keeps this process there is nobody to write for.
    pub fn new(user: X11) -> Self {
        let name = user.display().as_bytes();
        // With a zero behind it.
        let fits = name.len() < DISPLAY.len();
        let record = RECORD.get().filter(|_| fits);
        let record = record.filter(|record| record.write_all_at(name, DISPLAY.start as u64).is_ok());
        if record.is_none() {
            log::debug!("should this process be killed while it presses, the press stays");
        }
        Self { user, record }
    }

    /// Before it is pressed, and after it was let go: whoever is killed in between has it in the record.
    fn note(&self, what: Option<What>) {
        if let Some(record) = self.record {
            // A file in memory of two bytes: it cannot fail, and the press would be right all the same.
            let _ = record.write_all_at(&what.map_or([0; 2], What::written), 0);
        }
    }

    /// What was let go is in the server, not only on its way: a server that sees a client end drops what it has not read of it,
    /// and the key would stay down.
    fn taken_in(&mut self) -> observe::Result<()> {
        Injector::sync(&mut self.user)?;
        self.note(None);
        Ok(())
    }
}

impl Injector for Recorded {
    fn name(&self) -> &'static str {
        Injector::name(&self.user)
    }

    fn key(&mut self, key: Key, down: bool) -> observe::Result<()> {
        if down {
            self.note(Some(What::Key(key)));
        }
        Injector::key(&mut self.user, key, down)?;
        if !down {
            self.taken_in()?;
        }
        Ok(())
    }

    fn button(&mut self, down: bool) -> observe::Result<()> {
        if down {
            self.note(Some(What::Button));
        }
        Injector::button(&mut self.user, down)?;
        if !down {
            self.taken_in()?;
        }
        Ok(())
    }

    fn point(&mut self, x: u32, y: u32) -> observe::Result<()> {
        Injector::point(&mut self.user, x, y)
    }

    fn repeats_after(&self, key: Key) -> Option<Duration> {
        Injector::repeats_after(&self.user, key)
    }

    fn sync(&mut self) -> observe::Result<()> {
        Injector::sync(&mut self.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_down_is_read_and_nothing_is_nothing() {
        for what in Key::ALL.iter().copied().map(What::Key).chain([What::Button]) {
            assert_eq!(What::read(what.written()), Some(what));
        }
        assert_eq!(What::read([0; 2]), None);
        let held = Held::new().unwrap();
        assert_eq!(held.read(), None, "as it is made");
        // As another process opens it.
        let path = format!("/proc/{}/fd/{}", std::process::id(), held.number());
        let theirs = OpenOptions::new().write(true).open(path).unwrap();
        theirs.write_all_at(b":17.0", DISPLAY.start as u64).unwrap();
        assert_eq!(held.read(), None, "a display alone");
        theirs.write_all_at(&What::Key(Key::Space).written(), 0).unwrap();
        assert_eq!(held.read(), Some((What::Key(Key::Space), ":17.0".into())));
    }
}
