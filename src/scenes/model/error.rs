//! Why a model could not be loaded: what is wrong, where, and what to do, in one line.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a model could not be loaded.
///
/// The text is one line however hostile the file is: strings that come from the file are escaped and cut.
#[derive(Debug)]
#[non_exhaustive]
pub enum ModelError {
    /// A file could not be opened or read.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path leads to a folder, a pipe or a device.
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The bytes are neither glTF JSON nor a whole GLB container.
    Container {
        /// What is wrong with them.
        detail: String,
    },
    /// The JSON is broken, or a property has the wrong type.
    Json {
        /// The parser's words, with line and column.
        source: serde_json::Error,
    },
    /// The file was written for another version of glTF.
    Version {
        /// `asset.version` or the GLB header's version.
        found: String,
    },
    /// The file cannot be shown rightly without an extension that is not supported.
    Extension {
        /// Its name, from `extensionsRequired`.
        name: String,
    },
    /// An index leads to nothing.
    Dangling {
        /// The property that holds the index.
        place: String,
        /// The array it points into.
        target: &'static str,
        /// The index.
        index: u64,
        /// How many entries the array has.
        count: usize,
    },
    /// A property or its data breaks a rule of glTF.
    Invalid {
        /// The property.
        place: String,
        /// The rule.
        detail: String,
    },
    /// The file asks for more than a limit of [`limits`](super::limits).
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much the file asks for, at least.
        asked: u64,
        /// The limit.
        limit: u64,
    },
    /// A URI is not allowed or not readable.
    Uri {
        /// The URI, shortened.
        uri: String,
        /// Why not.
        reason: &'static str,
    },
    /// An image could not be decoded.
    Image {
        /// Its index in `images`.
        index: usize,
        /// What the decoder said.
        source: image::ImageError,
    },
    /// The scene has no vertex to draw.
    Empty,
}

impl ModelError {
    pub(super) fn invalid(place: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid { place: place.into(), detail: detail.into() }
    }

    pub(super) fn uri(uri: &str, reason: &'static str) -> Self {
        Self::Uri { uri: short(uri, 80), reason }
    }
}

impl fmt::Display for ModelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => {
                write!(f, "cannot read {path:?}: {}; check the path and its permissions", one_line(source))
            }
            Self::NotAFile { path } => {
                write!(f, "{path:?} is not a regular file; give the path of a .gltf or .glb file")
            }
            Self::Container { detail } => {
                write!(f, "not a glTF file: {detail}; give a glTF 2.0 .gltf or .glb file")
            }
            Self::Json { source } => {
                write!(f, "broken glTF JSON: {}; export the file again or mend it there", one_line(source))
            }
            Self::Version { found } => {
                write!(f, "glTF version {} is not supported; export as glTF 2.0", short(found, 20))
            }
            Self::Extension { name } => write!(
                f,
                "the file requires the extension {}, which is not supported; export without it",
                short(name, 60)
            ),
            Self::Dangling { place, target, index, count } => {
                write!(f, "{place} refers to {target}[{index}], but there are {count}; export the file again")
            }
            Self::Invalid { place, detail } => write!(f, "{place}: {detail}; export the file again"),
            Self::TooLarge { what, asked, limit } => {
                write!(f, "too many {what}: {asked}, the limit is {limit}; simplify the model")
            }
            Self::Uri { uri, reason } => write!(
                f,
                "the URI {uri} {reason}; keep the model's files in its folder and refer to them relatively"
            ),
            Self::Image { index, source } => {
                write!(f, "images[{index}] cannot be decoded: {}; save it as a PNG or JPEG", one_line(source))
            }
            Self::Empty => write!(f, "the scene has nothing to draw; give a file with a mesh in its scene"),
        }
    }
}

impl std::error::Error for ModelError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Json { source } => Some(source),
            Self::Image { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// `text` in quotes, control characters escaped, cut after `max` characters: it came from a file.
pub(super) fn short(text: &str, max: usize) -> String {
    let cut: String = text.chars().take(max).collect();
    let dots = if cut.len() < text.len() { "..." } else { "" };
    format!("{cut:?}{dots}")
}

/// Another library's error text on one line of bounded length.
fn one_line(error: &dyn fmt::Display) -> String {
    let text = error.to_string();
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(160).collect();
    if line.len() < text.len() {
        line.push_str("...");
    }
    line
}
