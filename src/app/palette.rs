//! The colours and letters that the page of a bench and the HUD have in common, so that a stage looks the same in both. The
//! page's style sheet repeats them; a test holds the two together.

use scanout::stats::blame::Part;

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// The parts of a frame's way, in the order of [`Part::ALL`]: after the set of Okabe and Ito ("Color Universal Design", 2008),
/// which is told apart without seeing red or green, and light enough for dark letters.
pub const PARTS: [Rgb; Part::COUNT] = [
    [0xb4, 0xb4, 0xb4],
    [0x56, 0xb4, 0xe9],
    [0xe8, 0xd9, 0x4a],
    [0xe6, 0x9f, 0x00],
    [0xcc, 0x79, 0xa7],
    [0x2f, 0xae, 0x87],
];
/// What stands for each part where there is no room for its name.
pub const LETTER_OF: [&str; Part::COUNT] = ["I", "L", "H", "R", "G", "D"];
/// Letters on the colours of parts.
pub const ON_PART: Rgb = [0x11, 0x11, 0x11];

/// The page's dark scheme, in which the HUD always is.
pub mod dark {
    use super::Rgb;

    /// Behind everything.
    pub const BACKGROUND: Rgb = [0x16, 0x18, 0x1b];
    /// Behind a plot.
    pub const PANEL: Rgb = [0x1f, 0x22, 0x26];
    /// Lines between things.
    pub const LINE: Rgb = [0x3d, 0x41, 0x47];
    /// Letters.
    pub const INK: Rgb = [0xec, 0xec, 0xec];
    /// Letters that matter less.
    pub const SOFT: Rgb = [0xad, 0xad, 0xad];
    /// What it is about: the new result, our pacing.
    pub const NEW: Rgb = [0x6c, 0xbc, 0xf0];
    /// What that is compared with: the base, the naive loop.
    pub const BASE: Rgb = [0xff, 0x9a, 0x5c];
    /// Late, slower.
    pub const BAD: Rgb = [0xff, 0x8a, 0x80];
    /// In time, faster.
    pub const GOOD: Rgb = [0x7d, 0xdb, 0x9c];
}
