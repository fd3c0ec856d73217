//! From bytes to JSON and the binary chunk: `.glb` is taken apart here, and the JSON is weighed before it is parsed.

use super::error::ModelError;
use super::limits::{MAX_JSON_BYTES, MAX_JSON_OBJECTS, MAX_JSON_VALUES};
use super::schema::Document;

const GLB_MAGIC: &[u8] = b"glTF";
const HEADER_LEN: usize = 12;
const CHUNK_HEADER_LEN: usize = 8;
const CHUNK_JSON: u32 = 0x4E4F_534A;
const CHUNK_BIN: u32 = 0x004E_4942;

/// The two parts of a model file.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) json: &'a [u8],
    /// The GLB's binary chunk, padding included.
    pub(super) bin: Option<&'a [u8]>,
}

/// Splits a `.glb`; takes anything else for JSON.
pub(super) fn split(bytes: &[u8]) -> Result<Parts<'_>, ModelError> {
    if bytes.starts_with(GLB_MAGIC) {
        return split_glb(bytes);
    }
    // Some editors put a byte order mark before the JSON; glTF forbids it, but it does no harm.
    let json = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match json.iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'{') => Ok(Parts { json, bin: None }),
        Some(_) => Err(container("it begins neither with `{` nor with the GLB magic")),
        None => Err(container("it is empty")),
    }
}

fn split_glb(bytes: &[u8]) -> Result<Parts<'_>, ModelError> {
    let word = |at: usize| {
        let b = bytes.get(at..at + 4)?;
        Some(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    };
    let (Some(version), Some(length)) = (word(4), word(8)) else {
        return Err(container("the GLB header is cut off"));
    };
    if version != 2 {
        return Err(ModelError::Version { found: version.to_string() });
    }
    let length = length as usize;
    if length < HEADER_LEN || length > bytes.len() {
        return Err(container(format!("the GLB header says {length} bytes, there are {}", bytes.len())));
    }
    let mut json = None;
    let mut bin = None;
    let mut at = HEADER_LEN;
    // Bytes behind the stated length are not the model's.
    while length - at >= CHUNK_HEADER_LEN {
        let (Some(chunk_len), Some(kind)) = (word(at), word(at + 4)) else { break };
        at += CHUNK_HEADER_LEN;
        let chunk_len = chunk_len as usize;
        if chunk_len > length - at {
            return Err(container(format!("a GLB chunk says {chunk_len} bytes, {} are left", length - at)));
        }
        let chunk = &bytes[at..at + chunk_len];
        match (kind, json) {
            (CHUNK_JSON, None) => json = Some(chunk),
            (_, None) => return Err(container("the first GLB chunk is not JSON")),
            (CHUNK_BIN, Some(_)) if bin.is_none() => bin = Some(chunk),
            // Chunks of other kinds must be skipped, says the specification.
            _ => {}
        }
        at += chunk_len;
    }
    let json = json.ok_or_else(|| container("the GLB has no JSON chunk"))?;
    Ok(Parts { json, bin })
}

/// Parses the JSON after weighing it: the parser would allocate whatever the file makes it.
///
/// Nesting needs no check of ours: `serde_json` stops at 128 levels.
pub(super) fn parse(json: &[u8]) -> Result<Document, ModelError> {
    if json.len() as u64 > MAX_JSON_BYTES {
        let asked = json.len() as u64;
        return Err(ModelError::TooLarge { what: "bytes of JSON", asked, limit: MAX_JSON_BYTES });
    }
    let (objects, values) = weigh(json);
    if objects > MAX_JSON_OBJECTS {
        return Err(ModelError::TooLarge { what: "JSON objects", asked: objects, limit: MAX_JSON_OBJECTS });
    }
    if values > MAX_JSON_VALUES {
        return Err(ModelError::TooLarge { what: "JSON values", asked: values, limit: MAX_JSON_VALUES });
    }
    // A GLB pads its JSON with spaces; some writers pad with zeros, which the parser would refuse.
    let end = json.iter().rposition(|&b| !matches!(b, 0 | b' ')).map_or(0, |last| last + 1);
    serde_json::from_slice(&json[..end]).map_err(|source| ModelError::Json { source })
}

/// Objects, and objects + arrays + commas, outside strings: an upper bound of what parsing creates.
fn weigh(json: &[u8]) -> (u64, u64) {
    let (mut objects, mut values) = (0, 0);
    let mut in_string = false;
    let mut bytes = json.iter();
    while let Some(&b) = bytes.next() {
        match b {
            b'\\' if in_string => {
                bytes.next();
            }
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' => {
                objects += 1;
                values += 1;
            }
            b'[' | b',' => values += 1,
            _ => {}
        }
    }
    (objects, values)
}

fn container(detail: impl Into<String>) -> ModelError {
    ModelError::Container { detail: detail.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weigh_counts_outside_strings_only() {
        assert_eq!(weigh(br#"{"a":"{[,\"{","b":[1,2]}"#), (1, 4));
        assert_eq!(weigh(br#"[{},{}]"#), (2, 4));
        assert_eq!(weigh(br#""unclosed \"#), (0, 0));
    }

    #[test]
    fn split_lying_lengths_is_an_error() {
        let glb = |length: u32, chunk: u32| {
            let mut v = b"glTF\x02\0\0\0".to_vec();
            v.extend(length.to_le_bytes());
            v.extend(chunk.to_le_bytes());
            v.extend(b"JSON{}  ");
            v
        };
        assert!(split(&glb(24, 4)).is_ok());
        for (length, chunk) in
            [(0, 4), (11, 4), (25, 4), (u32::MAX, 4), (24, 5), (24, u32::MAX), (12, 4), (19, 4)]
        {
            assert!(
                matches!(split(&glb(length, chunk)), Err(ModelError::Container { .. })),
                "{length} {chunk}"
            );
        }
    }

    #[test]
    fn parse_too_many_objects_is_refused_before_parsing() {
        let many = format!("[{}", "{},".repeat(MAX_JSON_OBJECTS as usize + 1));
        assert!(matches!(parse(many.as_bytes()), Err(ModelError::TooLarge { what: "JSON objects", .. })));
        let many = format!("[{}", "0,".repeat(MAX_JSON_VALUES as usize + 1));
        assert!(matches!(parse(many.as_bytes()), Err(ModelError::TooLarge { what: "JSON values", .. })));
    }

    #[test]
    fn parse_deep_nesting_is_an_error() {
        let deep = format!("{{\"extras\":{}", "[".repeat(1_000_000));
        assert!(matches!(parse(deep.as_bytes()), Err(ModelError::Json { .. })));
    }
}
