use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rustix::fs::{FlockOperation, OFlags};
use tempfile::{Builder, TempDir};

/// What the names of all of them begin with.
const PREFIX: &str = "scanout-";
/// A file that lies in all of them: a folder of the user's own may be called alike.
const MARK: &str = ".scanout-folder";
/// A compositor that root starts runs as "nobody", and its folder is that user's.
pub(super) const NOBODY: u32 = 65534;

/// A temporary folder that is removed when this is dropped, and by [`sweep_folders`] where that never happens.
///
/// Its owner keeps a lock on it, which is the sign that somebody lives in it. The name says which process that is
/// (`scanout-KIND-PID-RANDOM`), for people: the number may have come to another one, or be that of one in another container that
/// shares `/tmp`.
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
        OWN.lock().push(dir.path().to_owned());
        Ok(Self { dir, _lock: lock })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        OWN.lock().retain(|own| own != self.dir.path());
    }
}

/// Those that this process has.
static OWN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes the folders of processes that have died without doing it themselves: those that nobody has locked. Only this
/// user's are touched, no link is followed, and what cannot be removed is left. Returns how many went. Reads the folder for
/// temporary files; not for every frame.
pub fn sweep_folders() -> usize {
    folders().filter(|path| is_left(path)).filter(|path| remove(path)).count()
}

/// Removes all folders of this process, for when it ends without dropping them. Nothing in them may be used any more.
pub fn remove_own_folders() -> usize {
    let own = std::mem::take(&mut *OWN.lock());
    own.iter().filter(|path| remove(path)).count()
}

/// Folders of this user whose names are ours and that have the mark.
fn folders() -> impl Iterator<Item = PathBuf> {
    let me = rustix::process::geteuid();
    let ours = move |uid: u32| uid == me.as_raw() || me.is_root() && uid == NOBODY;
    let entries = std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    entries.filter_map(move |entry| {
        owner(entry.file_name().to_str()?)?;
        let path = entry.path();
        // Of the entry itself: a link is none of ours.
        let about = path.symlink_metadata().ok()?;
        (about.is_dir() && ours(about.uid()) && is_marked(&path)).then_some(path)
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
    use crate::observe::poll_until;
    use std::os::unix::fs::symlink;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    /// What makes this test binary be another process that has a folder.
    const BE: &str = "SCANOUT_UNIT_TEST_FOLDER";

    const LIMIT: Duration = Duration::from_secs(20);

    /// Whoever else looks at one has it locked for that moment.
    fn is_swept(path: &Path) -> bool {
        let swept = || {
            sweep_folders();
            (!path.exists()).then_some(())
        };
        poll_until(LIMIT, swept).is_some()
    }

    /// Not a test: a process that has a folder until it is told to remove it or killed.
    #[test]
    fn other_process() {
        if std::env::var_os(BE).is_some() {
            let folder = Folder::make("other").unwrap();
            std::fs::write(folder.path().join("made"), "").unwrap();
            let told = poll_until(LIMIT, || folder.path().join("remove").exists().then_some(()));
            if told.is_some() {
                remove_own_folders();
            }
        }
    }

    /// Another process, and its folder.
    fn other() -> (std::process::Child, PathBuf) {
        let mut other = Command::new(std::env::current_exe().unwrap());
        other.args(["--exact", "observe::folder::tests::other_process"]).env(BE, "1");
        let other = other.stdout(Stdio::null()).spawn().unwrap();
        let name = format!("{PREFIX}other-{}-", other.id());
        let is_it = |path: &PathBuf| {
            path.file_name().is_some_and(|of| of.to_string_lossy().starts_with(&name))
                && path.join("made").exists()
        };
        let made = poll_until(LIMIT, || {
            let entries = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
            entries.map(|entry| entry.path()).find(is_it)
        });
        (other, made.unwrap())
    }

    #[test]
    fn folder_lives_as_long_as_its_process_whatever_number_its_name_says() {
        let (mut owner, made) = other();
        let named = |pid: u32| made.with_file_name(format!("{PREFIX}other-{pid}-unit"));
        // As it looks from another container: nobody here has that number, or somebody else has.
        let (dead, ours) = (named(dead()), named(std::process::id()));
        std::fs::rename(&made, &dead).unwrap();
        sweep_folders();
        assert!(dead.is_dir(), "its process lives");
        std::fs::rename(&dead, &ours).unwrap();
        owner.kill().unwrap();
        owner.wait().unwrap();
        assert!(is_swept(&ours), "its process is dead, whoever has its number");
    }

    #[test]
    fn process_removes_its_own_folders_and_not_those_of_another_of_its_number() {
        let (mut other, made) = other();
        let theirs = made.with_file_name(format!("{PREFIX}other-{}-unit", other.id()));
        let lock = Folder::make("unit").unwrap();
        std::fs::rename(lock.path(), &theirs).unwrap();
        std::fs::write(made.join("remove"), "").unwrap();
        other.wait().unwrap();
        assert!(theirs.is_dir() && !made.exists());
        std::fs::remove_dir_all(theirs).unwrap();
    }

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
