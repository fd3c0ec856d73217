use std::error::Error as StdError;
use std::fmt;

use super::format::TextureFormat;
use crate::runtime::Size;

/// Why there is no texture.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TextureError {
    /// The file could not be read.
    Read(String),
    /// The bytes are in no format that is known.
    UnknownFormat,
    /// The picture is damaged, or needs more memory than is allowed.
    Decode(String),
    /// The decoder broke; this is a fault in it.
    DecoderPanicked(String),
    /// A KTX2 file that is damaged.
    Ktx(String),
    /// A KTX2 file with something that is not read: what it is.
    KtxUnsupported(&'static str),
    /// The driver does not take this format.
    Unsupported {
        /// The format.
        format: TextureFormat,
        /// Whether it was to be sRGB.
        srgb: bool,
    },
    /// There are no texels.
    Empty,
    /// A side is longer than the driver takes.
    TooLarge {
        /// The size.
        size: Size,
        /// The longest side.
        limit: u32,
    },
    /// An array has no layers, or not so many.
    Layers {
        /// How many were asked for.
        layers: u32,
        /// How many there can be.
        most: u32,
    },
    /// No levels, or more than the size has.
    Levels {
        /// How many there are.
        count: usize,
        /// How many there can be.
        most: u32,
    },
    /// A level has too few or too many bytes.
    Length {
        /// The level, 0 being the largest.
        level: u32,
        /// How many bytes it has.
        got: usize,
        /// How many its size asks for.
        wanted: usize,
    },
    /// The driver has no name or no memory left.
    Driver(String),
    /// The driver would not take its texels, however often they were offered.
    Upload(String),
    /// It was not wanted any more.
    Cancelled,
}

impl fmt::Display for TextureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(why) => write!(f, "cannot be read: {why}"),
            Self::UnknownFormat => f.write_str("is neither PNG nor JPEG nor KTX2"),
            Self::Decode(why) => write!(f, "cannot be decoded: {why}"),
            Self::DecoderPanicked(why) => write!(f, "broke the decoder: {why}"),
            Self::Ktx(why) => write!(f, "is a damaged KTX2 file: {why}"),
            Self::KtxUnsupported(what) => write!(f, "is a KTX2 file with {what}, which is not read"),
            Self::Unsupported { format, srgb } => {
                let encoding = if *srgb { "sRGB " } else { "" };
                write!(f, "has the format {encoding}{format:?}, which this driver does not take")
            }
            Self::Empty => f.write_str("has no texels"),
            Self::TooLarge { size: Size { width, height }, limit } => {
                write!(f, "has {width}x{height} texels; 1 to {limit} each way fit")
            }
            Self::Layers { layers, most } => write!(f, "has no {layers} layers; 1 to {most} fit"),
            Self::Levels { count, most } => write!(f, "has {count} mip levels; its size has 1 to {most}"),
            Self::Length { level, got, wanted } => {
                write!(f, "has {got} bytes in mip level {level}, which asks for {wanted}")
            }
            Self::Driver(why) => write!(f, "could not be made: {why}"),
            Self::Upload(why) => write!(f, "could not be uploaded: {why}"),
            Self::Cancelled => f.write_str("was not wanted any more"),
        }
    }
}

impl StdError for TextureError {}
