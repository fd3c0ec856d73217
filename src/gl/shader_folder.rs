use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;

use super::shader_preprocess::{Found, is_plain_name};
use crate::error::{Error, Result, ThreadName};
use crate::runtime::spawn_helper;

/// How often the files are looked at. A file counts as changed when two looks in a row find it the same again, so that one
/// which is still being written is left alone; asking for the times of a few files costs some microseconds.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Longest file that is taken for a shader, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// A folder on disk whose shaders take the place of those that were embedded, also when they change while the program runs.
///
/// A thread of its own looks at the files that were asked for, by their times: no system calls and no allocations on the
/// render thread while nothing changes. (Change notification would bring a crate per platform for the sake of a tenth of a
/// second, and does not reach network and container mounts.)
#[derive(Debug)]
pub struct ShaderFolder {
    path: PathBuf,
    shared: Arc<Shared>,
    /// Ends the thread when it is dropped.
    _stop: Sender<()>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Rises when the text of a file has changed.
    generation: AtomicU64,
    files: Mutex<BTreeMap<String, File>>,
}

/// A file that somebody asked for.
#[derive(Clone, Debug, PartialEq)]
struct File {
    /// What `text` was read at.
    stamp: Stamp,
    /// What the last look found.
    seen: Stamp,
    text: Text,
}

/// When a file was changed and how long it is; `None`: it is not there.
type Stamp = Option<(SystemTime, u64)>;
/// What is in a file; `None`: it is not there. Or why it cannot be read.
type Text = Result<Option<Arc<str>>, String>;

impl ShaderFolder {
    /// Looks for shaders in this folder from now on.
    ///
    /// # Errors
    /// When it is no folder that can be read, or the system refuses a thread.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let fail = |source| Error::Io { path: path.clone(), action: "watch as a folder of shaders", source };
        fs::read_dir(&path).map_err(fail)?;
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = bounded::<()>(0);
        let (folder, files) = (path.clone(), Arc::clone(&shared));
        spawn_helper(ThreadName::Shaders, move || {
            while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                look(&folder, &files);
            }
        })?;
        Ok(Self { path, shared, _stop: stop })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Rises when a file that was asked for has changed. One atomic load.
    pub(super) fn generation(&self) -> u64 {
        // Acquire pairs with the release in `look`: who sees the number finds the texts that belong to it.
        self.shared.generation.load(Ordering::Acquire)
    }

    /// What is in a file, as far as the last look knows; one that nobody has asked for before is read here.
    pub(super) fn read(&self, name: &str) -> Result<Option<Found>, String> {
        let known = self.shared.files.lock().get(name).map(|file| file.text.clone());
        let text = known.unwrap_or_else(|| {
            let (stamp, text) = read(&self.path, name);
            let file = File { stamp, seen: stamp, text: text.clone() };
            self.shared.files.lock().insert(name.to_owned(), file);
            text
        })?;
        let shown = || self.path.join(name).display().to_string();
        Ok(text.map(|text| Found { shown: shown(), text: text.to_string().into() }))
    }
}

/// One look at every file that was asked for.
fn look(folder: &Path, shared: &Shared) {
    let files = shared.files.lock().clone();
    let mut changed = false;
    for (name, mut file) in files {
        let stamp = stamp(folder, &name);
        if stamp != file.stamp && stamp == file.seen {
            let (stamp, text) = read(folder, &name);
            (file.stamp, file.seen) = (stamp, stamp);
            // A file that was only touched has not changed.
            if text != file.text {
                (file.text, changed) = (text, true);
            }
        } else if stamp == file.seen {
            continue;
        } else {
            file.seen = stamp;
        }
        shared.files.lock().insert(name, file);
    }
    if changed {
        shared.generation.fetch_add(1, Ordering::Release);
    }
}

fn stamp(folder: &Path, name: &str) -> Stamp {
    let metadata = fs::metadata(folder.join(name)).ok().filter(fs::Metadata::is_file)?;
    Some((metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH), metadata.len()))
}

fn read(folder: &Path, name: &str) -> (Stamp, Text) {
    if !is_plain_name(name) {
        return (None, Ok(None));
    }
    // Before the text: a file that changes in between is read again.
    let Some(stamp) = stamp(folder, name) else {
        // A folder or a device by the name of a shader is a slip that should not go unseen; one that is not there is none.
        let there = fs::metadata(folder.join(name)).is_ok();
        return (None, if there { Err("it is no file".into()) } else { Ok(None) });
    };
    let text = if stamp.1 > MAX_FILE {
        Err(format!("{} bytes are too many for a shader", stamp.1))
    } else {
        fs::read_to_string(folder.join(name)).map(|text| Some(text.into())).map_err(|e| e.to_string())
    };
    (Some(stamp), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder without its thread, so that looks are the test's.
    fn folder() -> (tempfile::TempDir, ShaderFolder) {
        let dir = tempfile::tempdir().unwrap();
        let (path, shared) = (dir.path().to_owned(), Arc::new(Shared::default()));
        let _stop = bounded(0).0;
        (dir, ShaderFolder { path, shared, _stop })
    }

    fn text(folder: &ShaderFolder, name: &str) -> Option<String> {
        folder.read(name).unwrap().map(|found| found.text.into_owned())
    }

    #[test]
    fn changes_are_taken_over_when_two_looks_agree() {
        let (dir, folder) = folder();
        let file = dir.path().join("a.frag");
        fs::write(&file, "one").unwrap();
        assert_eq!(text(&folder, "a.frag").as_deref(), Some("one"));
        look(&folder.path, &folder.shared);
        assert_eq!(folder.generation(), 0);
        for wanted in ["two2", "three"] {
            let before = folder.generation();
            fs::write(&file, wanted).unwrap();
            look(&folder.path, &folder.shared);
            assert_eq!(folder.generation(), before, "it may still be being written");
            look(&folder.path, &folder.shared);
            assert_eq!((folder.generation(), text(&folder, "a.frag").as_deref()), (before + 1, Some(wanted)));
            look(&folder.path, &folder.shared);
            assert_eq!(folder.generation(), before + 1);
        }
    }

    #[test]
    fn files_that_come_go_or_are_only_touched() {
        let (dir, folder) = folder();
        let file = dir.path().join("a.glsl");
        let look_twice = || {
            look(&folder.path, &folder.shared);
            look(&folder.path, &folder.shared);
            folder.generation()
        };
        assert_eq!(text(&folder, "a.glsl"), None, "not there yet, and asked for");
        fs::write(&file, "x").unwrap();
        assert_eq!((look_twice(), text(&folder, "a.glsl").as_deref()), (1, Some("x")));
        let touched = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        fs::File::options().append(true).open(&file).unwrap().set_modified(touched).unwrap();
        assert_eq!(look_twice(), 1, "touched");
        fs::remove_file(&file).unwrap();
        assert_eq!((look_twice(), text(&folder, "a.glsl")), (2, None));
        fs::write(&file, [0xff, 0xfe]).unwrap();
        assert_eq!(look_twice(), 3);
        assert!(folder.read("a.glsl").unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn what_is_no_shader_in_the_folder_is_not_read() {
        let (dir, folder) = folder();
        fs::create_dir(dir.path().join("sub")).unwrap();
        fs::write(dir.path().join("sub/ok.glsl"), "ok").unwrap();
        fs::File::create(dir.path().join("huge")).unwrap().set_len(MAX_FILE + 1).unwrap();
        assert_eq!(text(&folder, "sub/ok.glsl").as_deref(), Some("ok"));
        assert_eq!(text(&folder, "../sub/ok.glsl"), None);
        assert!(folder.read("sub").unwrap_err().contains("no file"));
        assert!(folder.read("huge").unwrap_err().contains("too many"));
        assert!(ShaderFolder::open(dir.path().join("no")).is_err());
        assert!(ShaderFolder::open(dir.path().join("huge")).is_err());
    }

    #[test]
    fn thread_ends_with_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let folder = ShaderFolder::open(dir.path()).unwrap();
        let shared = Arc::downgrade(&folder.shared);
        drop(folder);
        let give_up = crate::display::sleep::until;
        for _ in 0..200 {
            if shared.upgrade().is_none() {
                return;
            }
            use crate::time::Clock as _;
            give_up(crate::time::MonotonicClock.now() + Duration::from_millis(10));
        }
        panic!("the thread keeps the folder's files");
    }
}
