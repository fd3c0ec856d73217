use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags};
use tempfile::{Builder, TempDir};

use super::family::is_alive;

/// What the names of all of them begin with.
const PREFIX: &str = "scanout-";
/// A file that lies in all of them: a folder of the user's own may be called alike.
const MARK: &str = ".scanout-folder";
/// A compositor that root starts runs as "nobody", and its folder is that user's.
pub(super) const NOBODY: u32 = 65534;

/// A temporary folder that is removed when this is dropped, and by [`sweep_folders`] where that never happens.
///
/// Its name says which process it belongs to (`scanout-KIND-PID-RANDOM`), and that process keeps a lock on it: another one
/// that has come to the same number, or one of the same number in another container that shares `/tmp`, is told apart.
#[derive(Debug)]
pub struct Folder {
    dir: TempDir,
    /// Closed on exec, so that no child keeps it.
    _lock: File,
}

impl Folder {
    /// Makes one in the system's folder for temporary files, for this user only. `kind` is a word for people who look there.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn make(kind: &str) -> io::Result<Self> {
        let name = format!("{PREFIX}{kind}-{}-", std::process::id());
        let dir = Builder::new().prefix(&name).permissions(Permissions::from_mode(0o700)).tempdir()?;
        let lock = open(dir.path())?;
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        File::create(dir.path().join(MARK))?;
        Ok(Self { dir, _lock: lock })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Removes the folders of processes that have died without doing it themselves. Only this user's are touched, no link is
/// followed, and what cannot be removed is left. Returns how many went. Reads the folder for temporary files; not for every
/// frame.
pub fn sweep_folders() -> usize {
    let stale = folders().filter(|(path, pid)| !is_alive(*pid) && is_left(path));
    stale.filter(|(path, _)| remove(path)).count()
}

/// Removes all folders of this process, for when it ends without dropping them. Nothing in them may be used any more.
pub fn remove_own_folders() -> usize {
    let own = folders().filter(|(_, pid)| *pid == std::process::id());
    own.filter(|(path, _)| remove(path)).count()
}

/// Folders of this user whose names are ours and that have the mark, with the processes that they name.
fn folders() -> impl Iterator<Item = (PathBuf, u32)> {
    let me = rustix::process::geteuid();
    let ours = move |uid: u32| uid == me.as_raw() || me.is_root() && uid == NOBODY;
    let entries = std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    entries.filter_map(move |entry| {
        let pid = owner(entry.file_name().to_str()?)?;
        let path = entry.path();
        // Of the entry itself: a link is none of ours.
        let about = path.symlink_metadata().ok()?;
        (about.is_dir() && ours(about.uid()) && is_marked(&path)).then_some((path, pid))
    })
}

fn is_marked(path: &Path) -> bool {
    path.join(MARK).symlink_metadata().is_ok_and(|about| about.is_file())
}

/// The process in a name of ours.
fn owner(name: &str) -> Option<u32> {
    let mut parts = name.strip_prefix(PREFIX)?.rsplitn(3, '-');
    let (_random, pid, _kind) = (parts.next()?, parts.next()?, parts.next()?);
    pid.parse().ok().filter(|pid| *pid != 0)
}

/// Whether nobody has it locked.
fn is_left(path: &Path) -> bool {
    open(path).is_ok_and(|dir| rustix::fs::flock(&dir, FlockOperation::NonBlockingLockExclusive).is_ok())
}

fn open(path: &Path) -> io::Result<File> {
    let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn remove(path: &Path) -> bool {
    let removed = std::fs::remove_dir_all(path);
    if let Err(e) = &removed {
        log::debug!("{}: cannot be removed: {e}", path.display());
    }
    removed.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    /// The number of a process that was there.
    fn dead() -> u32 {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        pid
    }

    #[test]
    fn owners_are_read_from_names_and_other_names_have_none() {
        assert_eq!(owner("scanout-app-123-xY_z9"), Some(123));
        assert_eq!(owner("scanout-two-words-9-a"), Some(9));
        for other in ["scanout-123-x", "scanout-app-x1", "scanout-app-0-x", "other-app-1-x", ""] {
            assert_eq!(owner(other), None, "{other}");
        }
    }

    #[test]
    fn folder_goes_with_its_owner_and_not_before() {
        let folder = Folder::make("unit").unwrap();
        let path = folder.path().to_owned();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o700);
        sweep_folders();
        assert!(path.is_dir(), "its owner lives");
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn sweep_takes_what_the_dead_left_and_neither_links_nor_what_is_locked() {
        let name = |kind: &str| std::env::temp_dir().join(format!("scanout-{kind}-{}-unit", dead()));
        let (left, locked, link) = (name("left"), name("locked"), name("link"));
        let elsewhere = tempfile::tempdir().unwrap();
        std::fs::write(elsewhere.path().join("file"), "kept").unwrap();
        // Other tests sweep meanwhile: they come to be where that is done when they are as they are to be.
        let begun = |name: &str| {
            let begun = elsewhere.path().join(name);
            std::fs::create_dir(&begun).unwrap();
            std::fs::write(begun.join(MARK), "").unwrap();
            symlink(elsewhere.path(), begun.join("link")).unwrap();
            begun
        };
        let (first, second) = (begun("first"), begun("second"));
        let lock = open(&second).unwrap();
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
        std::fs::rename(first, &left).unwrap();
        std::fs::rename(second, &locked).unwrap();
        symlink(elsewhere.path(), &link).unwrap();
        // Whoever else looks at one has it locked for that moment.
        let is_swept = |path: &Path| {
            let swept = || {
                sweep_folders();
                (!path.exists()).then_some(())
            };
            crate::observe::poll_until(std::time::Duration::from_secs(10), swept).is_some()
        };
        let of_the_user = name("2024");
        std::fs::create_dir(&of_the_user).unwrap();
        assert!(is_swept(&left), "nobody has it any more");
        assert!(of_the_user.is_dir(), "it is only called so");
        std::fs::remove_dir(of_the_user).unwrap();
        assert!(locked.is_dir(), "somebody in another container has it");
        assert!(link.is_symlink() && elsewhere.path().join("file").is_file(), "no link is followed");
        drop(lock);
        assert!(is_swept(&locked));
        std::fs::remove_file(link).unwrap();
    }
}
