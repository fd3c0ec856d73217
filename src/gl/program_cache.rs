use std::cell::Cell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};

/// Bytes that all programs of a cache may take up together, unless told otherwise: some thousand programs of this size of
/// scene, or a few hundred large ones.
const LIMIT: u64 = 64 << 20;
/// Longest program that is read or kept, in bytes.
const MAX_PROGRAM: u64 = 16 << 20;
/// A file that somebody began to write this long ago was abandoned.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Says what a file is and how it is laid out; another layout gets another number at its end.
const MAGIC: [u8; 8] = *b"SCNPROG1";
const HEADER: usize = 8 + 16 + 4 + 8 + 8;

/// Finished programs in a folder, one file each, so that the driver need not compile the same texts on every start.
///
/// A file that is damaged, of another layout or not ours is ignored. Each is written whole or not at all; when all of them
/// together get larger than the limit, those go first that were used longest ago. Several processes may share a folder.
#[derive(Debug)]
pub struct ProgramCache {
    folder: PathBuf,
    limit: u64,
    /// Writing has failed: it is said once and not tried again.
    broken: Cell<bool>,
}

/// A finished program as the driver handed it out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Binary {
    pub(super) format: u32,
    pub(super) bytes: Vec<u8>,
}

impl ProgramCache {
    /// A cache in this folder, which is made if it is not there, for this user alone.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self> {
        let folder = folder.into();
        make_private(&folder).map_err(|source| Error::Io {
            path: folder.clone(),
            action: "make the folder of the program cache",
            source,
        })?;
        Ok(Self { folder, limit: LIMIT, broken: Cell::new(false) })
    }

    /// With another limit, in bytes.
    #[must_use]
    pub const fn with_limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// Where a user's caches belong: `$XDG_CACHE_HOME/scanout/programs` or `~/.cache/..` on Unix, `~/Library/Caches/..` on
    /// macOS, `%LOCALAPPDATA%\..` on Windows. `None` where the environment names no such place.
    #[must_use]
    pub fn user_folder() -> Option<PathBuf> {
        Self::user_folder_in(|name| std::env::var_os(name).map(PathBuf::from))
    }

    fn user_folder_in(env: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
        // The XDG specification has relative paths ignored.
        let place = |name| env(name).filter(|path| path.is_absolute());
        let caches = if cfg!(windows) {
            place("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            place("HOME").map(|home| home.join("Library/Caches"))
        } else {
            place("XDG_CACHE_HOME").or_else(|| place("HOME").map(|home| home.join(".cache")))
        };
        caches.map(|caches| caches.join("scanout").join("programs"))
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, key: u128) -> PathBuf {
        self.folder.join(format!("{key:032x}.bin"))
    }

    /// The program of that key. One that cannot be used is named in the log and ignored.
    pub(super) fn load(&self, key: u128) -> Option<Binary> {
        let path = self.path(key);
        let found = read(&path, key);
        match found {
            Ok(binary) => {
                // What is used stays. Where that cannot be noted, it goes a little sooner.
                let now = fs::File::options().append(true).open(&path);
                let _ = now.and_then(|file| file.set_modified(current_time()));
                Some(binary)
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => {
                self.ignore(key, &e.to_string());
                None
            }
        }
    }

    /// A program that is there and of no use: it is named in the log and removed.
    pub(super) fn ignore(&self, key: u128, why: &str) {
        let path = self.path(key);
        log::warn!("{}: {why}; the program is compiled anew", path.display());
        let _ = fs::remove_file(path);
    }

    /// Keeps a program. That it cannot be kept is named in the log, once, and changes nothing else.
    pub(super) fn store(&self, key: u128, binary: &Binary) {
        if self.broken.get() || binary.bytes.len() as u64 > MAX_PROGRAM.min(self.limit) {
            return;
        }
        if let Err(e) = self.write(key, binary).and_then(|()| self.make_room()) {
            log::warn!("{}: programs are not kept here: {e}", self.folder.display());
            self.broken.set(true);
        }
    }

    fn write(&self, key: u128, binary: &Binary) -> io::Result<()> {
        let mut out = Vec::with_capacity(HEADER + binary.bytes.len());
        out.extend(MAGIC);
        out.extend(key.to_le_bytes());
        out.extend(binary.format.to_le_bytes());
        out.extend((binary.bytes.len() as u64).to_le_bytes());
        out.extend(sum(&binary.bytes).to_le_bytes());
        out.extend(&binary.bytes);
        // Two threads of one process may write the same program.
        let thread = format!("{:?}", std::thread::current().id()).replace(|c: char| !c.is_ascii_digit(), "");
        let part = self.folder.join(format!("{key:032x}.{}-{thread}.part", std::process::id()));
        fs::write(&part, out).and_then(|()| fs::rename(&part, self.path(key))).inspect_err(|_| {
            let _ = fs::remove_file(&part);
        })
    }

    /// Removes what was used longest ago until the rest is within the limit, and what others began and never finished.
    /// Files that are not ours are left alone.
    fn make_room(&self) -> io::Result<()> {
        let mut programs: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // Another process may be making room as well.
            let Ok(data) = entry.metadata() else { continue };
            let Some((stem, kind)) = name.split_once('.').filter(|_| data.is_file()) else { continue };
            if stem.len() != 32 || !stem.bytes().all(|b| b.is_ascii_hexdigit()) {
                continue;
            }
            let used = data.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            if kind == "bin" {
                programs.push((used, data.len(), entry.path()));
            } else if kind.ends_with(".part") && used.elapsed().is_ok_and(|age| age > ABANDONED) {
                let _ = fs::remove_file(entry.path());
            }
        }
        let mut bytes: u64 = programs.iter().map(|p| p.1).sum();
        programs.sort();
        for (_, len, path) in programs {
            if bytes <= self.limit {
                break;
            }
            match fs::remove_file(path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => bytes -= len,
            }
        }
        Ok(())
    }
}

#[allow(clippy::disallowed_methods, reason = "files are stamped with the wall time")]
fn current_time() -> SystemTime {
    SystemTime::now()
}

fn sum(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

fn read(path: &Path, key: u128) -> io::Result<Binary> {
    let bad = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidData, why));
    let about = fs::metadata(path)?;
    // A pipe would wait for a writer, and a device has no end.
    if !about.is_file() {
        return bad("it is no plain file");
    }
    if about.len() > MAX_PROGRAM + HEADER as u64 {
        return bad("it is too large");
    }
    let file = fs::read(path)?;
    let Some((header, bytes)) = file.split_at_checked(HEADER) else { return bad("it is cut off") };
    let mut rest = header;
    let mut take = |n: usize| {
        let (field, after) = rest.split_at(n);
        rest = after;
        field
    };
    if take(8) != MAGIC {
        return bad("it is no program of this layout");
    }
    if take(16) != key.to_le_bytes() {
        return bad("it is another program");
    }
    let format: [u8; 4] = take(4).try_into().expect("four bytes");
    if take(8) != (bytes.len() as u64).to_le_bytes() {
        return bad("it is cut off");
    }
    if take(8) != sum(bytes).to_le_bytes() {
        return bad("it is damaged");
    }
    Ok(Binary { format: u32::from_le_bytes(format), bytes: bytes.to_vec() })
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (tempfile::TempDir, ProgramCache) {
        let dir = tempfile::tempdir().unwrap();
        let cache = ProgramCache::open(dir.path().join("a/b")).unwrap();
        (dir, cache)
    }

    fn binary(n: u8) -> Binary {
        Binary { format: 0x875f, bytes: vec![n; 1000] }
    }

    fn names(cache: &ProgramCache) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(cache.folder())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_kept_is_found_by_its_key_alone() {
        let (_dir, cache) = cache();
        assert_eq!(cache.load(1), None);
        cache.store(1, &binary(7));
        cache.store(u128::MAX, &binary(8));
        assert_eq!(cache.load(1), Some(binary(7)));
        assert_eq!(cache.load(u128::MAX), Some(binary(8)));
        assert_eq!(cache.load(2), None);
        cache.store(1, &binary(9));
        assert_eq!(cache.load(1), Some(binary(9)));
        let other = ProgramCache::open(cache.folder()).unwrap();
        assert_eq!(other.load(1), Some(binary(9)), "for the next run");
        assert_eq!(names(&cache).len(), 2, "nothing else is left: {:?}", names(&cache));
    }

    #[test]
    fn every_damaged_or_foreign_file_is_ignored_and_removed() {
        let (_dir, cache) = cache();
        cache.store(5, &binary(1));
        let path = cache.path(5);
        let good = fs::read(&path).unwrap();
        // Every byte counts, and every length.
        for at in (0..HEADER).chain([HEADER + 1, good.len() - 1]) {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            fs::write(&path, bad).unwrap();
            // The format is the driver's to judge.
            let is_format = (24..28).contains(&at);
            assert_eq!(cache.load(5).is_some(), is_format, "byte {at}");
            assert_eq!(path.exists(), is_format);
        }
        for len in [0, 1, HEADER - 1, HEADER, good.len() - 1] {
            fs::write(&path, &good[..len]).unwrap();
            assert_eq!(cache.load(5), None, "{len} bytes");
        }
        fs::write(&path, [&good[..], b"x"].concat()).unwrap();
        assert_eq!(cache.load(5), None);
        // A whole program under another's name.
        fs::write(&path, &good).unwrap();
        fs::rename(&path, cache.path(6)).unwrap();
        assert_eq!(cache.load(6), None);
        // A device has no end, and says that it has no length.
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/dev/zero", cache.path(9)).unwrap();
            assert_eq!(cache.load(9), None);
        }
        fs::create_dir(cache.path(7)).unwrap();
        assert_eq!(cache.load(7), None);
        let huge = fs::File::create(cache.path(8)).unwrap();
        huge.set_len(MAX_PROGRAM + 1_000_000).unwrap();
        assert_eq!(cache.load(8), None);
    }

    #[test]
    fn least_recently_used_programs_make_room_and_foreign_files_stay() {
        let (_dir, cache) = cache();
        let size = (HEADER + 1000) as u64;
        let cache = cache.with_limit(3 * size);
        let foreign = ["README", "0123.bin", "notes.bin"].map(|n| cache.folder().join(n));
        foreign.iter().for_each(|path| fs::write(path, vec![0; 10_000]).unwrap());
        let day = |n: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(86_400 * n);
        let date = |path: &Path, n| {
            fs::File::options().append(true).open(path).unwrap().set_modified(day(n)).unwrap();
        };
        for key in 1..=3 {
            cache.store(key, &binary(1));
            date(&cache.path(key), key as u64);
        }
        // The oldest is used, so that the second one is the oldest now.
        assert!(cache.load(1).is_some());
        let part = cache.folder().join(format!("{:032x}.1-1.part", 9));
        fs::write(&part, "x").unwrap();
        date(&part, 1);
        cache.store(4, &binary(1));
        let there: Vec<_> = (1..=4).filter(|&key| cache.path(key).exists()).collect();
        assert_eq!(there, [1, 3, 4]);
        assert!(!part.exists(), "abandoned long ago");
        assert!(foreign.iter().all(|path| path.exists()));
        cache.store(5, &Binary { format: 1, bytes: vec![0; 4 * 1100] });
        assert!(!cache.path(5).exists(), "larger than all that may be kept");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_no_failure() {
        let (dir, cache) = cache();
        fs::remove_dir_all(cache.folder()).unwrap();
        cache.store(1, &binary(1));
        assert!(cache.broken.get());
        assert_eq!(cache.load(1), None);
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let e = ProgramCache::open(file.join("x")).unwrap_err().to_string();
        assert!(e.contains("program cache"), "{e}");
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn user_folder_follows_the_environment() {
        use std::os::unix::fs::PermissionsExt as _;
        let of = |vars: &'static [(&str, &str)]| {
            ProgramCache::user_folder_in(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| v.into()))
        };
        let both = &[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")];
        assert_eq!(of(both), Some("/c/scanout/programs".into()));
        let relative = &[("XDG_CACHE_HOME", "c"), ("HOME", "/h")];
        assert_eq!(of(relative), Some("/h/.cache/scanout/programs".into()));
        assert_eq!(of(&[]), None);
        let (_dir, cache) = cache();
        assert_eq!(fs::metadata(cache.folder()).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
