//! Files that a run leaves behind.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};

use scanout::Error;
use scanout::runtime::Pixels;

use super::Failure;

fn cannot_write(path: &Path, source: io::Error) -> Error {
    Error::Io { path: path.to_owned(), action: "write", source }
}

/// Says early, before a run whose result would be lost, that a file cannot be written there.
pub fn check(path: &Path) -> Result<(), Failure> {
    let fail = |source| Failure::unusable(&cannot_write(path, source));
    match fs::metadata(path) {
        Ok(m) if m.is_dir() => Err(fail(io::ErrorKind::IsADirectory.into())),
        Ok(m) if is_fifo(&m) => Err(fail(io::Error::other("it is a pipe, which would wait for a reader"))),
        Ok(m) if !m.is_file() => Ok(()),
        Ok(_) if is_link(path) => OpenOptions::new().append(true).open(path).map(drop).map_err(fail),
        _ => {
            let part = part_of(path);
            fs::write(&part, []).and_then(|()| fs::remove_file(&part)).map_err(fail)
        }
    }
}

/// Writes a file whole or not at all. What is no plain file (a device, a link) is written to and not replaced.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let fail = |source| cannot_write(path, source);
    let before = fs::metadata(path).ok();
    if is_link(path) || before.as_ref().is_some_and(|m| !m.is_file()) {
        return fs::write(path, bytes).map_err(fail);
    }
    let part = part_of(path);
    let keep_mode = |()| before.map_or(Ok(()), |m| fs::set_permissions(&part, m.permissions()));
    fs::write(&part, bytes).and_then(keep_mode).and_then(|()| fs::rename(&part, path)).map_err(|e| {
        let _ = fs::remove_file(&part);
        fail(e)
    })
}

/// Whether two paths lead to the same file, as far as can be said before both are there.
pub fn same(a: &Path, b: &Path) -> bool {
    let whole = |path: &Path| {
        fs::canonicalize(path).or_else(|_| {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            fs::canonicalize(folder).map(|folder| folder.join(path.file_name().unwrap_or_default()))
        })
    };
    match (whole(a), whole(b)) {
        (Ok(a), Ok(b)) => a == b && !fs::metadata(&a).is_ok_and(|m| !m.is_file()),
        _ => a == b,
    }
}

fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    part.into()
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|m| m.is_symlink())
}

#[cfg(unix)]
fn is_fifo(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    metadata.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_fifo(_metadata: &Metadata) -> bool {
    false
}

/// A picture as PNG, without its alpha: what is on a screen is opaque.
pub fn png(pixels: &Pixels) -> Result<Vec<u8>, Error> {
    let rgb: Vec<u8> = pixels.rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(&rgb, pixels.size.width, pixels.size.height, ExtendedColorType::Rgb8)
        .map_err(|e| Error::Gl { operation: "encoding the picture", detail: e.to_string() })?;
    Ok(bytes)
}

/// Writes to standard output, without what would steer the terminal.
pub fn print(text: &str) -> Result<(), Error> {
    print_coloured(&plain(text))
}

/// Writes a line to the error output, without what would steer the terminal. There is nobody left to tell that it cannot be
/// written, and the exit code is the same.
pub fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", plain(line));
}

/// Writes to standard output like [`print`], and says whether somebody still reads there.
#[cfg(target_os = "linux")]
pub fn print_to_reader(text: &str) -> Result<bool, Error> {
    let mut out = io::stdout().lock();
    match out.write_all(plain(text).as_bytes()).and_then(|()| out.flush()) {
        Err(source) if source.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(source) => Err(cannot_print(source)),
        Ok(()) => Ok(true),
    }
}

/// What a failed write to standard output is called.
pub fn cannot_print(source: io::Error) -> Error {
    Error::Io { path: "standard output".into(), action: "write", source }
}

/// Writes to standard output as it is: for texts that have escapes of ours. Whoever closed the pipe has read enough.
pub fn print_coloured(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(cannot_print(source)),
        _ => Ok(()),
    }
}

/// The text without what would steer a terminal: names in it may come from files of others.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_steer_the_terminal() {
        assert_eq!(plain("a\tb\n\u{1b}[31mc\u{9b}d\0"), "a\tb\n\u{fffd}[31mc\u{fffd}d\u{fffd}");
    }
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn write_goes_through_links_and_keeps_the_mode() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        write(&file, b"one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&file, &link).unwrap();
        check(&link).unwrap();
        write(&link, b"two").unwrap();
        assert!(is_link(&link));
        assert_eq!(fs::read(&file).unwrap(), b"two");
        write(&file, b"three").unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn check_finds_what_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check(folder.path()).is_err());
        assert!(check(&folder.path().join("no/such/file")).is_err());
        assert!(check(&folder.path().join("file")).is_ok());
        assert!(check(Path::new("/dev/null")).is_ok());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "checking leaves nothing");
    }

    #[test]
    fn same_sees_through_other_spellings() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        assert!(same(&file, &folder.path().join("./a")));
        assert!(!same(&file, &folder.path().join("b")));
        assert!(!same(Path::new("/dev/null"), Path::new("/dev/null")), "a device may take both");
    }
}
