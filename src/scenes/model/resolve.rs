//! URIs: `data:` is decoded, a relative path is read if it stays below the model's folder, all else is refused.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::error::ModelError;
use super::limits::Allowance;

/// Reads the file at `path`, as long as it is a regular file that fits what is left of `allowance`.
pub(super) fn read_file(path: &Path, allowance: &mut Allowance) -> Result<Vec<u8>, ModelError> {
    let io = |source| ModelError::Io { path: path.to_owned(), source };
    // Asked before opening: opening a pipe without a writer would wait for ever.
    let metadata = std::fs::metadata(path).map_err(io)?;
    if !metadata.is_file() {
        return Err(ModelError::NotAFile { path: path.to_owned() });
    }
    allowance.take(metadata.len())?;
    let mut bytes = Vec::new();
    // The file may grow meanwhile: what was taken from the allowance is also what is read.
    File::open(path).map_err(io)?.take(metadata.len()).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

/// The bytes that `uri` stands for. `folder` is the model's folder, already canonical.
pub(super) fn resolve(
    uri: &str,
    folder: Option<&Path>,
    allowance: &mut Allowance,
) -> Result<Vec<u8>, ModelError> {
    if uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
        let Some((head, body)) = uri[5..].split_once(',') else {
            return Err(ModelError::uri(uri, "has no comma between type and data"));
        };
        if !head.ends_with(";base64") {
            return Err(ModelError::uri(uri, "is not base64"));
        }
        allowance.take(body.len() as u64 / 4 * 3)?;
        return decode_base64(body).ok_or_else(|| ModelError::uri(uri, "holds broken base64"));
    }
    let path = below(uri, folder)?;
    read_file(&path, allowance)
}

/// The canonical path of a relative URI, proven to lie below `folder`.
fn below(uri: &str, folder: Option<&Path>) -> Result<PathBuf, ModelError> {
    let refuse = |reason| ModelError::uri(uri, reason);
    let relative = decode_percent(uri).ok_or_else(|| refuse("is not percent-encoded UTF-8"))?;
    if relative.is_empty() {
        return Err(refuse("is empty"));
    }
    if relative.contains('\0') {
        return Err(refuse("holds a zero byte"));
    }
    // A colon also begins a Windows drive or stream, a backslash also separates there: refused everywhere, so
    // that a model that loads on one system loads on all.
    if relative.contains(':') {
        return Err(refuse("has a scheme or drive, and only relative files and data: are read"));
    }
    if relative.contains('\\') {
        return Err(refuse("holds a backslash"));
    }
    let relative = Path::new(&relative);
    for component in relative.components() {
        match component {
            Component::Normal(_) | Component::CurDir => {}
            Component::ParentDir => return Err(refuse("leaves the model's folder with `..`")),
            Component::RootDir | Component::Prefix(_) => return Err(refuse("is an absolute path")),
        }
    }
    let folder = folder.ok_or_else(|| refuse("needs the model's folder, which is not known"))?;
    let joined = folder.join(relative);
    let path = joined.canonicalize().map_err(|source| ModelError::Io { path: joined, source })?;
    if !path.starts_with(folder) {
        return Err(refuse("leads outside the model's folder through a symbolic link"));
    }
    Ok(path)
}

fn decode_percent(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        if b == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            out.push((high * 16 + low) as u8);
        } else {
            out.push(b);
        }
    }
    String::from_utf8(out).ok()
}

/// Standard or URL-safe alphabet, padding optional, nothing else.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    if text.len() - digits.len() > 2 || digits.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for group in digits.chunks(4) {
        let mut word = 0_u32;
        for &digit in group {
            let value = match digit {
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => return None,
            };
            word = word << 6 | u32::from(value);
        }
        word <<= 6 * (4 - group.len());
        out.extend_from_slice(&word.to_be_bytes()[1..group.len()]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes::model::limits::Budget;

    #[test]
    fn base64_table() {
        let cases: [(&str, Option<&[u8]>); 12] = [
            ("", Some(b"")),
            ("Zg==", Some(b"f")),
            ("Zg", Some(b"f")),
            ("Zm8=", Some(b"fo")),
            ("Zm9v", Some(b"foo")),
            ("Zm9vYg==", Some(b"foob")),
            ("+/-_", Some(&[0xfb, 0xff, 0xbf])),
            ("Z", None),
            ("Zm9vY", None),
            ("Zm 9v", None),
            ("Zg===", None),
            ("Z===", None),
        ];
        for (text, bytes) in cases {
            assert_eq!(decode_base64(text).as_deref(), bytes, "{text}");
        }
    }

    #[test]
    fn percent_table() {
        for (text, decoded) in [
            ("a%20b.png", Some("a b.png")),
            ("%2e%2E/x", Some("../x")),
            ("%C3%A4", Some("ä")),
            ("%C3", None),
            ("%", None),
            ("%4", None),
            ("%zz", None),
            ("%+1", None),
        ] {
            assert_eq!(decode_percent(text).as_deref(), decoded, "{text}");
        }
    }

    #[test]
    fn resolve_more_than_the_allowance_is_refused() {
        let mut budget = Budget::new();
        let left = budget.source_bytes.left();
        budget.source_bytes.take(left - 2).unwrap();
        let data = resolve("data:application/octet-stream;base64,Zm9v", None, &mut budget.source_bytes);
        assert!(matches!(data, Err(ModelError::TooLarge { .. })));
    }
}
