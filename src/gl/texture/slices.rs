use super::data::TextureData;
use super::format::{TextureFormat, level_size};
use crate::runtime::Size;

/// A part of a texture that is uploaded by one call: whole rows of blocks, or a part of one row.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub(in crate::gl) struct Slice {
    pub level: u32,
    /// Left, top, width and height in texels.
    pub area: [u32; 4],
    /// Where its bytes begin in the level's.
    pub from: usize,
    pub bytes: usize,
}

/// Cuts a texture into slices, the largest level first, from top to bottom.
#[derive(Clone, Debug)]
pub(in crate::gl) struct Slices {
    format: TextureFormat,
    size: Size,
    levels: u32,
    level: u32,
    /// The next block.
    column: usize,
    row: usize,
}

impl Slices {
    pub(in crate::gl) fn of(data: &TextureData) -> Self {
        let (format, size, levels) = (data.format(), data.size(), data.levels());
        Self { format, size, levels, level: 0, column: 0, row: 0 }
    }

    /// The next slice of at most `budget` bytes; `None` when nothing is left, or not even a block fits.
    pub(in crate::gl) fn next(&mut self, budget: usize) -> Option<Slice> {
        let (side, block) = (self.format.block_side(), self.format.block_bytes());
        if self.level >= self.levels || budget < block {
            return None;
        }
        let size = level_size(self.size, self.level);
        let columns = size.width.div_ceil(side) as usize;
        let rows = size.height.div_ceil(side) as usize;
        let whole_rows = budget / (columns * block);
        let (wide, high) = if self.column == 0 && whole_rows > 0 {
            (columns, whole_rows.min(rows - self.row))
        } else {
            ((columns - self.column).min(budget / block), 1)
        };
        let (left, top) = (self.column as u32 * side, self.row as u32 * side);
        let slice = Slice {
            level: self.level,
            // The last blocks may stick out over the edge.
            area: [
                left,
                top,
                (wide as u32 * side).min(size.width - left),
                (high as u32 * side).min(size.height - top),
            ],
            from: (self.row * columns + self.column) * block,
            bytes: wide * high * block,
        };
        self.column += wide;
        if self.column == columns {
            (self.column, self.row) = (0, self.row + high);
        }
        if self.row == rows {
            (self.row, self.level) = (0, self.level + 1);
        }
        Some(slice)
    }

    #[cfg_attr(not(feature = "textures"), allow(dead_code, reason = "the loader's"))]
    pub(in crate::gl) const fn is_done(&self) -> bool {
        self.level >= self.levels
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn data(format: TextureFormat, size: Size) -> TextureData {
        let levels = (0..super::super::format::full_levels(size)).map(|level| {
            let bytes = format.bytes(level_size(size, level)).expect("a small one");
            Arc::new(vec![0_u8; bytes]) as super::super::SharedBytes
        });
        TextureData::new(format, false, size, levels.collect()).expect("it fits")
    }

    #[test]
    fn slices_cover_every_texel_once_and_never_exceed_the_budget() {
        for format in [TextureFormat::Rgba8, TextureFormat::Bc1Rgb, TextureFormat::Bc7] {
            for (width, height) in [(1, 1), (4, 4), (5, 3), (33, 17), (130, 2), (2, 130), (64, 64)] {
                let data = data(format, Size::new(width, height));
                for budget in [16, 20, 64, 100, 257, 4096, 1 << 20] {
                    let mut slices = Slices::of(&data);
                    let mut seen: Vec<Vec<u8>> = (0..data.levels())
                        .map(|level| {
                            let s = level_size(data.size(), level);
                            vec![0; s.width as usize * s.height as usize]
                        })
                        .collect();
                    let mut next = (0, 0);
                    while let Some(slice) = slices.next(budget) {
                        assert!(slice.bytes <= budget, "{slice:?} with {budget}");
                        // The bytes follow each other without gaps.
                        if slice.level != next.0 {
                            assert_eq!(next.1, data.level(next.0).len(), "{slice:?}");
                            next = (slice.level, 0);
                        }
                        assert_eq!(slice.from, next.1);
                        next.1 += slice.bytes;
                        let size = level_size(data.size(), slice.level);
                        let [left, top, wide, high] = slice.area;
                        for y in top..top + high {
                            for x in left..left + wide {
                                seen[slice.level as usize][(y * size.width + x) as usize] += 1;
                            }
                        }
                    }
                    assert!(slices.is_done(), "{format:?} {width}x{height} with {budget}");
                    assert!(seen.iter().flatten().all(|&n| n == 1), "{format:?} {width}x{height}, {budget}");
                }
            }
        }
    }

    #[test]
    fn less_than_a_block_moves_nothing() {
        let mut slices = Slices::of(&data(TextureFormat::Bc7, Size::new(8, 8)));
        assert_eq!(slices.next(15), None);
        assert!(!slices.is_done());
        assert_eq!(slices.next(16).map(|s| s.area), Some([0, 0, 4, 4]));
    }
}
