//! What lies under a name that is no table is refused with a reason; a table is what others can read and nobody can write.
//! What takes two processes is in `tests/headless_watch.rs`.

use std::fs::{self, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::*;
use crate::telemetry::State;

/// A name of its own for each test; they share the folder with each other and with what runs here.
fn name(test: &str) -> String {
    format!("unit-{}-{test}", std::process::id())
}

fn path(name: &str) -> std::path::PathBuf {
    Folder::for_writing().expect("a folder").path().join(name)
}

fn refused(name: &str) -> String {
    attach(name).expect_err("no table").to_string()
}

#[test]
fn table_can_be_read_under_its_name_until_it_is_dropped() {
    let name = name("life");
    let telemetry = create(&name).expect("a table");
    let plate = fs::metadata(path(&name)).expect("a plate");
    assert_eq!((plate.mode() & 0o777, plate.nlink()), (0o600, 1));
    let attached = attach(&name).expect("it is there");
    assert_eq!((attached.pid, attached.alive()), (std::process::id(), true));
    assert_eq!(attached.reader.state(), State::Starting);
    assert!(list().expect("a list").iter().any(|l| l.name == name && l.process.is_ok()));
    let (_, frames) = telemetry.claim().expect("the first run");
    drop(frames);
    assert_eq!(attached.reader.state(), State::Ended);
    drop(telemetry);
    assert!(!path(&name).exists());
    assert!(matches!(attach(&name), Err(AttachError::NotThere(_))));
    assert_eq!(attached.reader.state(), State::Ended, "what was mapped stays");
}

#[test]
fn name_in_use_is_refused_and_one_of_a_dead_process_is_taken() {
    let name = name("twice");
    let first = create(&name).expect("a table");
    let why = create(&name).expect_err("in use").to_string();
    assert!(why.contains("in use by process"), "{why}");
    assert!(attach(&name).is_ok(), "the first is as it was");
    drop(first);
}

/// A folder of its own, where nobody else starts and sweeps.
fn private() -> (tempfile::TempDir, Folder) {
    let dir = tempfile::tempdir().expect("a folder");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).expect("a mode");
    let folder = Folder::open(dir.path()).expect("it is private");
    (dir, folder)
}

/// This process with another start is one that died.
fn dead() -> Contents {
    Contents { pid: std::process::id(), started: 1, fd: 0, identity: 0 }
}

fn put(folder: &Folder, name: &str, contents: Contents) -> Plate {
    Plate::put(folder, name, contents, fs::File::open("/dev/null").expect("a file")).expect("a plate")
}

#[test]
fn name_of_a_dead_process_is_taken_and_its_plate_takes_no_other_away() {
    let (dir, folder) = private();
    let left = put(&folder, "one", dead());
    let found = plate::read(&folder, "one").expect("a plate").expect("it is there");
    assert!(matches!(open("one", &found), Err(AttachError::Gone { .. })));
    let me = Contents { started: process::started(dead().pid).expect("alive"), ..dead() };
    let second = put(&folder, "one", me);
    drop(left);
    assert!(dir.path().join("one").exists(), "a plate that is not the same file is not taken away");
    drop(second);
    assert!(!dir.path().join("one").exists());
}

#[test]
fn what_the_dead_left_goes_with_the_next_start_and_nothing_else() {
    let (dir, folder) = private();
    let me = Contents { started: process::started(dead().pid).expect("alive"), ..dead() };
    let alive = put(&folder, "alive", me);
    // As after SIGKILL: nothing is dropped.
    std::mem::forget(put(&folder, "killed", dead()));
    fs::write(dir.path().join(".killed.7"), "half a plate").expect("a file");
    for other in ["foreign", ".hidden"] {
        fs::write(dir.path().join(other), "of somebody else").expect("a file");
    }
    symlink("/etc/passwd", dir.path().join("link")).expect("a link");
    let next = put(&folder, "next", me);
    let mut names = folder.names().expect("names");
    names.sort();
    assert_eq!(names, [".hidden", "alive", "foreign", "link", "next"]);
    drop((alive, next));
}

#[test]
fn what_is_no_plate_is_refused_with_a_reason_and_left_alone() {
    let name = name("foreign");
    let path = path(&name);
    let put = |bytes: &[u8], mode: u32| {
        fs::write(&path, bytes).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    for (bytes, mode, reason) in [
        (&b""[..], 0o600, "truncated"),
        (b"scanoutP\x01\0\0\0\0\0\0\0", 0o600, "truncated"),
        (b"scanoutP\x63\0\0\0\0\0\0\0", 0o600, "version is 99"),
        (b"something else, and longer than a plate is, so that", 0o600, "no plate"),
        (b"scanoutP\x01\0\0\0\0\0\0\0", 0o644, "others than its owner"),
    ] {
        put(bytes, mode);
        assert!(refused(&name).contains(reason), "{reason}: {}", refused(&name));
        let why = create(&name).expect_err("not ours to remove").to_string();
        assert!(why.contains(reason) && !why.contains('\n'), "{why}");
        assert_eq!(fs::read(&path).expect("it is there"), bytes);
    }
    fs::remove_file(&path).expect("it is there");
    symlink("/etc/passwd", &path).expect("a link");
    assert!(refused(&name).contains("link"));
    fs::remove_file(&path).expect("it is there");
    // A pipe that nobody writes to is not waited for.
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a pipe");
    assert!(refused(&name).contains("no file"));
    fs::remove_file(&path).expect("it is there");
}

/// A plate that names another descriptor of a live process: nothing is opened that is no table.
#[test]
fn plate_that_leads_elsewhere_is_refused() {
    let name = name("elsewhere");
    let me = std::process::id();
    let started = process::started(me).expect("alive");
    let folder = Folder::for_writing().expect("a folder");
    let lead = |fd: u64| {
        let contents = Contents { pid: me, started, fd, identity: 1 };
        let file = fs::File::open("/dev/null").expect("a file");
        let plate = Plate::put(&folder, &name, contents, file).expect("a plate");
        let why = refused(&name);
        drop(plate);
        why
    };
    let null = fs::File::open("/dev/null").expect("a file");
    assert!(lead(null.as_raw_fd().unsigned_abs().into()).contains("no telemetry"));
    assert!(lead(u64::MAX).contains("cannot be read"));
    let memory = |bytes: u64, seal: bool| {
        let flags = rustix::fs::MemfdFlags::CLOEXEC | rustix::fs::MemfdFlags::ALLOW_SEALING;
        let file = fs::File::from(rustix::fs::memfd_create("scanout-telemetry", flags).expect("memory"));
        file.set_len(bytes).expect("a size");
        if seal {
            let seals = rustix::fs::SealFlags::SHRINK | rustix::fs::SealFlags::GROW;
            rustix::fs::fcntl_add_seals(&file, seals).expect("seals");
        }
        file
    };
    for (bytes, seal, reason) in [
        (WORDS as u64 * 8, false, "not sealed"),
        (12, true, "its size"),
        (0, true, "its size"),
        (8, true, "no telemetry"),
        (WORDS as u64 * 8, true, "no telemetry"),
    ] {
        let file = memory(bytes, seal);
        let why = lead(file.as_raw_fd().unsigned_abs().into());
        assert!(why.contains(reason), "{bytes} bytes: {why}");
    }
    // The first words are right and the rest is not.
    let mut file = memory(WORDS as u64 * 8, true);
    for (version, reason) in [(3, "version 3"), (VERSION, "not what its version says")] {
        file.rewind().expect("the start");
        file.write_all(&[MAGIC.to_le_bytes(), version.to_le_bytes()].concat()).expect("written");
        let why = lead(file.as_raw_fd().unsigned_abs().into());
        assert!(why.contains(reason), "{why}");
    }
}

/// The kernel keeps everybody but the writer's own mapping from changing a byte or the size of a table.
#[test]
fn nobody_can_write_to_a_table_or_change_its_size() {
    let name = name("sealed");
    let _telemetry = create(&name).expect("a table");
    let folder = Folder::for_writing().expect("a folder");
    let contents = plate::read(&folder, &name).expect("a plate").expect("a plate");
    let path = format!("/proc/{}/fd/{}", contents.pid, contents.fd);
    let mut file = OpenOptions::new().read(true).write(true).open(&path).expect("the same user may open it");
    assert!(file.set_len(0).is_err() && file.set_len(1 << 20).is_err());
    assert!(file.write(&[0; 8]).is_err());
    assert!(memmap2::MmapOptions::new().map_raw(&file).is_err());
    assert!(memmap2::MmapOptions::new().map_raw_read_only(&file).is_ok());
    assert_eq!(file.metadata().expect("its size").len(), WORDS as u64 * 8);
}

#[test]
fn names_that_are_no_file_names_of_ours_are_refused_in_one_line() {
    for name in ["", ".", "..", ".x", "a/b", "a b", "ä", "a\nb", &"x".repeat(65)] {
        for why in
            [create(name).expect_err("no name").to_string(), attach(name).expect_err("no name").to_string()]
        {
            assert!(why.contains("cannot name telemetry") && why.lines().count() == 1, "{why}");
        }
    }
    assert!(check_name("run-1.a_B").is_ok());
}
