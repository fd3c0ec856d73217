use std::fs::File;
use std::path::Path;
use std::time::Duration;

use memmap2::{MmapOptions, MmapRaw};

use super::error::{Error, Result};
use super::memory::read;
use super::view::View;
use super::{Area, WHITE, pause};
use crate::time::{Clock as _, MonotonicClock, Timestamp};

/// The header's length without the window name that follows it (XWDFile.h: 25 words).
const HEADER_WORDS: usize = 25;
const FILE_VERSION: u32 = 7;
const Z_PIXMAP: u32 = 2;
/// An XWDColor: pixel, red, green, blue, flags, pad.
const COLOUR_BYTES: usize = 12;

/// Geometry from an XWD header. Its words are big-endian whatever the machine; the pixels follow `big_endian`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "they are what they are called; XWDFile.h has them")]
pub struct XwdHeader {
    pub width: u32,
    pub height: u32,
    pub bytes_per_line: usize,
    pub pixels_at: usize,
    pub big_endian: bool,
}

impl XwdHeader {
    /// Reads it from the first bytes of a file.
    ///
    /// # Errors
    /// When they are no header, or one of another kind of picture than 32 bits per pixel, 0xRRGGBB; in words.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let word = |i: usize| -> Result<u32, String> {
            let at = bytes.get(4 * i..).and_then(<[u8]>::first_chunk);
            at.map(|&at| u32::from_be_bytes(at)).ok_or_else(|| "it is shorter than an XWD header".into())
        };
        word(HEADER_WORDS - 1)?;
        let [header_size, version, format] = [word(0)?, word(1)?, word(2)?];
        if version != FILE_VERSION || format != Z_PIXMAP {
            return Err(format!(
                "XWD version {version} format {format}, expected {FILE_VERSION} and {Z_PIXMAP}"
            ));
        }
        let bits_per_pixel = word(11)?;
        if bits_per_pixel != 32 {
            return Err(format!("{bits_per_pixel} bits per pixel, expected 32"));
        }
        if [word(14)?, word(15)?, word(16)?] != [0xff_00_00, 0xff_00, 0xff] {
            return Err("the channels are not 0xRRGGBB".into());
        }
        let header = Self {
            width: word(4)?,
            height: word(5)?,
            big_endian: word(7)? != 0,
            bytes_per_line: word(12)? as usize,
            pixels_at: (word(19)? as usize)
                .checked_mul(COLOUR_BYTES)
                .and_then(|colours| colours.checked_add(header_size as usize))
                .ok_or("its colours do not fit into memory")?,
        };
        if header.bytes_per_line < header.width as usize * 4 || !header.pixels_at.is_multiple_of(4) {
            return Err(format!("rows do not fit: {header:?}"));
        }
        Ok(header)
    }

    fn end(&self) -> Option<usize> {
        self.bytes_per_line.checked_mul(self.height as usize)?.checked_add(self.pixels_at)
    }
}

/// The screen of an Xvfb as it lies in the mapped framebuffer file (`-fbdir`): what a camera in front of the monitor
/// would see, without asking the server and without disturbing it. Coordinates are the root window's.
#[derive(Debug)]
pub struct Screen {
    map: MmapRaw,
    /// What the file says of its pixels.
    pub header: XwdHeader,
}

impl Screen {
    /// Maps the file.
    ///
    /// # Errors
    /// When it cannot be read, or is no screen.
    pub fn open(path: &Path) -> Result<Self> {
        let refuse = |why: String| Error::Screen { path: path.into(), why };
        let file = File::open(path).map_err(|e| refuse(e.to_string()))?;
        let map = MmapOptions::new().map_raw_read_only(&file).map_err(|e| refuse(e.to_string()))?;
        let start: Vec<u8> = (0..HEADER_WORDS * 4).map_while(|at| read(&map, at)).collect();
        let header = XwdHeader::parse(&start).map_err(refuse)?;
        if header.end().is_none_or(|end| end > map.len()) {
            return Err(refuse("it is shorter than its header says".into()));
        }
        Ok(Self { map, header })
    }

    /// The pixel at (x, y) as 0xRRGGBB; `None` outside the screen. About as cheap as a memory access.
    #[must_use]
    pub fn get(&self, x: u32, y: u32) -> Option<u32> {
        if x >= self.header.width || y >= self.header.height {
            return None;
        }
        let at = self.header.pixels_at + y as usize * self.header.bytes_per_line + x as usize * 4;
        let raw: u32 = read(&self.map, at)?;
        Some((if self.header.big_endian { u32::from_be(raw) } else { u32::from_le(raw) }) & WHITE)
    }

    /// The pixel at (x, y) as 0xRRGGBB.
    ///
    /// # Panics
    /// When (x, y) lies outside the screen.
    #[must_use]
    #[track_caller]
    pub fn pixel(&self, x: u32, y: u32) -> u32 {
        self.get(x, y).unwrap_or_else(|| panic!("({x}, {y}) lies outside the screen"))
    }

    /// One row of pixels; none outside the screen.
    #[must_use]
    pub fn row(&self, y: u32) -> Vec<u32> {
        (0..self.header.width).map_while(|x| self.get(x, y)).collect()
    }

    /// A sum over every `step`-th pixel in both directions, to see whether a picture changed at all.
    ///
    /// # Panics
    /// For a step of 0.
    #[must_use]
    pub fn fingerprint(&self, step: usize) -> u64 {
        let mut sum = 0xcbf2_9ce4_8422_2325_u64;
        for y in (0..self.header.height).step_by(step) {
            for x in (0..self.header.width).step_by(step) {
                sum = (sum ^ u64::from(self.pixel(x, y))).wrapping_mul(0x100_0000_01b3);
            }
        }
        sum
    }

    /// Spins until the pixel at (x, y) is no longer `from`; returns when that was seen and what it is now. Takes one
    /// CPU whole: for measurements. Tests use [`becomes`](Self::becomes).
    ///
    /// # Panics
    /// When (x, y) lies outside the screen.
    #[must_use]
    pub fn spin_until_not(&self, (x, y): (u32, u32), from: u32, limit: Duration) -> Option<(Timestamp, u32)> {
        let end = MonotonicClock.now() + limit;
        loop {
            for _ in 0..64 {
                let now = self.pixel(x, y);
                if now != from {
                    return Some((MonotonicClock.now(), now));
                }
                std::hint::spin_loop();
            }
            if MonotonicClock.now() > end {
                return None;
            }
        }
    }

    /// Waits until the pixel at (x, y) is `want`, looking every half millisecond: whether it came to be.
    ///
    /// # Panics
    /// When (x, y) lies outside the screen.
    #[must_use]
    pub fn becomes(&self, (x, y): (u32, u32), want: u32, limit: Duration) -> bool {
        self.satisfies(limit, |s| s.pixel(x, y) == want)
    }

    /// Waits until `check` holds, looking every half millisecond: whether it came to hold.
    pub fn satisfies(&self, limit: Duration, check: impl Fn(&Self) -> bool) -> bool {
        let end = MonotonicClock.now() + limit;
        loop {
            if check(self) {
                return true;
            }
            if MonotonicClock.now() > end {
                return false;
            }
            pause(Duration::from_micros(500));
        }
    }
}

impl View for Screen {
    fn name(&self) -> &'static str {
        "mapped framebuffer"
    }

    fn size(&self) -> (u32, u32) {
        (self.header.width, self.header.height)
    }

    fn look(&mut self, points: &[(u32, u32)], pixels: &mut [u32]) -> Result<()> {
        let size = self.size();
        for (&(x, y), pixel) in points.iter().zip(pixels) {
            *pixel = self.get(x, y).ok_or(Error::Outside { at: (x, y), size })?;
        }
        Ok(())
    }

    fn picture(&mut self, area: Area, pixels: &mut Vec<u32>) -> Result<()> {
        area.check_inside(View::size(self))?;
        pixels.clear();
        let rows = area.y..area.y + area.height;
        for y in rows {
            let from = self.header.pixels_at + y as usize * self.header.bytes_per_line + area.x as usize * 4;
            // In the map, as the area lies on the screen.
            let row = (0..area.width as usize).map_while(|x| read::<u32>(&self.map, from + x * 4));
            let big_endian = self.header.big_endian;
            pixels.extend(
                row.map(|raw| (if big_endian { u32::from_be(raw) } else { u32::from_le(raw) }) & WHITE),
            );
        }
        Ok(())
    }
}
