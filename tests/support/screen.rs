//! The screen of an Xvfb as it lies in the mapped framebuffer file (`-fbdir`): what a camera in front of the monitor
//! would see, without asking the server and without disturbing it.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use memmap2::{MmapOptions, MmapRaw};

use super::pause;

/// The header's length without the window name that follows it (XWDFile.h: 25 words).
const HEADER_WORDS: usize = 25;
const FILE_VERSION: u32 = 7;
const Z_PIXMAP: u32 = 2;
/// An XWDColor: pixel, red, green, blue, flags, pad.
const COLOUR_BYTES: usize = 12;

/// Geometry from an XWD header. Its words are big-endian whatever the machine; the pixels follow `byte_order`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct XwdHeader {
    pub width: u32,
    pub height: u32,
    pub bytes_per_line: usize,
    pub pixels_at: usize,
    pub big_endian: bool,
}

impl XwdHeader {
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let word = |i: usize| -> Result<u32, String> {
            let at = bytes.get(4 * i..4 * i + 4).ok_or("the file is shorter than an XWD header")?;
            Ok(u32::from_be_bytes(at.try_into().expect("four bytes")))
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
            pixels_at: header_size as usize + word(19)? as usize * COLOUR_BYTES,
        };
        if header.bytes_per_line < header.width as usize * 4 || !header.pixels_at.is_multiple_of(4) {
            return Err(format!("rows do not fit: {header:?}"));
        }
        Ok(header)
    }

    fn end(&self) -> usize {
        self.pixels_at + self.bytes_per_line * self.height as usize
    }
}

/// A mapped screen. Coordinates are the root window's.
pub struct Screen {
    map: MmapRaw,
    pub header: XwdHeader,
}

impl Screen {
    pub fn open(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let map = MmapOptions::new()
            .map_raw_read_only(&file)
            .map_err(|e| format!("map {}: {e}", path.display()))?;
        let start: Vec<u8> = (0..(HEADER_WORDS * 4).min(map.len())).map(|i| read(&map, i)).collect();
        let header = XwdHeader::parse(&start)?;
        if header.end() > map.len() {
            return Err(format!("{} is shorter than its header says", path.display()));
        }
        Ok(Self { map, header })
    }

    /// The pixel at (x, y) as 0xRRGGBB. About as cheap as a memory access.
    pub fn pixel(&self, x: u32, y: u32) -> u32 {
        assert!(x < self.header.width && y < self.header.height, "({x}, {y}) lies outside the screen");
        let at = self.header.pixels_at + y as usize * self.header.bytes_per_line + x as usize * 4;
        let raw: u32 = read(&self.map, at);
        (if self.header.big_endian { u32::from_be(raw) } else { u32::from_le(raw) }) & WHITE_MASK
    }

    /// One row of pixels.
    pub fn row(&self, y: u32) -> Vec<u32> {
        (0..self.header.width).map(|x| self.pixel(x, y)).collect()
    }

    /// A sum over every `step`-th pixel in both directions, to see whether a picture changed at all.
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
    pub fn spin_until_not(&self, (x, y): (u32, u32), from: u32, limit: Duration) -> Option<(Instant, u32)> {
        let end = Instant::now() + limit;
        loop {
            for _ in 0..64 {
                let now = self.pixel(x, y);
                if now != from {
                    return Some((Instant::now(), now));
                }
                std::hint::spin_loop();
            }
            if Instant::now() > end {
                return None;
            }
        }
    }

    /// Waits until the pixel at (x, y) is `want`, looking every half millisecond.
    pub fn becomes(&self, (x, y): (u32, u32), want: u32, limit: Duration) -> bool {
        self.satisfies(limit, |s| s.pixel(x, y) == want)
    }

    /// Waits until `check` holds, looking every half millisecond.
    pub fn satisfies(&self, limit: Duration, check: impl Fn(&Self) -> bool) -> bool {
        let end = Instant::now() + limit;
        loop {
            if check(self) {
                return true;
            }
            if Instant::now() > end {
                return false;
            }
            pause(Duration::from_micros(500));
        }
    }
}

const WHITE_MASK: u32 = super::WHITE;

/// Reads a plain value out of the map.
fn read<T: ReadableInt>(map: &MmapRaw, at: usize) -> T {
    assert!(at + size_of::<T>() <= map.len() && at.is_multiple_of(align_of::<T>()));
    // SAFETY: inside the map and aligned (asserted); every bit pattern is a valid integer; the server writes the same
    // memory from another process, hence volatile and no reference to it.
    #[allow(unsafe_code, reason = "shared memory of another process cannot be read through a reference")]
    unsafe {
        map.as_ptr().add(at).cast::<T>().read_volatile()
    }
}

/// Integers for which any bit pattern is a value.
trait ReadableInt: Copy {}
impl ReadableInt for u8 {}
impl ReadableInt for u32 {}
