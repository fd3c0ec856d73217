use std::sync::OnceLock;

use super::format::level_size;
use crate::runtime::Size;

/// Steps of linear light: enough that the darkest shades of sRGB, 12.92 times flatter than the rest, stay apart.
const LINEAR: usize = 4096;

struct Tables {
    /// Linear light of an sRGB byte, 0 to `LINEAR - 1` in sixteenths, so that four of them add up without loss.
    decode: [u32; 256],
    encode: [u8; LINEAR],
}

/// The transfer function of sRGB (IEC 61966-2-1).
fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let top = (LINEAR - 1) as f64;
        let decode = |byte: usize| {
            let c = byte as f64 / 255.0;
            let light = if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
            (light * top * 16.0).round() as u32
        };
        let encode = |step: usize| {
            let light = step as f64 / top;
            let c = if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
            (c * 255.0).round() as u8
        };
        Tables { decode: std::array::from_fn(decode), encode: std::array::from_fn(encode) }
    })
}

/// The next smaller level of an RGBA picture of `size`: each texel the mean of four, colours in linear light. A last row or
/// column that an odd side leaves over is left out, as most drivers do it. `stop` is asked before each row of it; `None` when
/// it says so.
pub(super) fn halve(texels: &[u8], size: Size, srgb: bool, stop: &dyn Fn() -> bool) -> Option<Vec<u8>> {
    let smaller = level_size(size, 1);
    let tables = tables();
    let (width, height) = (size.width as usize, size.height as usize);
    let mut out = Vec::with_capacity(smaller.width as usize * smaller.height as usize * 4);
    for y in 0..smaller.height as usize {
        if stop() {
            return None;
        }
        let rows = [(2 * y).min(height - 1), (2 * y + 1).min(height - 1)];
        let rows = rows.map(|row| &texels[row * width * 4..][..width * 4]);
        for x in 0..smaller.width as usize {
            let columns = [(2 * x).min(width - 1), (2 * x + 1).min(width - 1)];
            let [a, b] = rows.map(|row| columns.map(|c| &row[c * 4..c * 4 + 4]));
            let four = [a[0], a[1], b[0], b[1]];
            for channel in 0..4 {
                let values = four.map(|texel| usize::from(texel[channel]));
                out.push(if srgb && channel < 3 {
                    let sum: u32 = values.map(|v| tables.decode[v]).iter().sum();
                    tables.encode[((sum + 32) / 64) as usize]
                } else {
                    ((values.iter().sum::<usize>() + 2) / 4) as u8
                });
            }
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn halve(texels: &[u8], size: Size, srgb: bool) -> Vec<u8> {
        super::halve(texels, size, srgb, &|| false).expect("nobody stops it")
    }

    #[test]
    fn it_ends_before_the_row_at_which_it_is_told_to() {
        let (texels, size) = (vec![0; 8 * 64 * 4], Size::new(8, 64));
        for last in [1, 2, 31, 32] {
            let asked = Cell::new(0);
            let stop = || {
                asked.set(asked.get() + 1);
                asked.get() == last
            };
            assert_eq!(super::halve(&texels, size, true, &stop), None);
            assert_eq!(asked.get(), last, "nothing goes on after the answer");
        }
    }

    #[test]
    fn every_shade_survives_the_way_through_linear_light() {
        for shade in 0..=255 {
            let texels = [shade; 16];
            assert_eq!(halve(&texels, Size::new(2, 2), true), [shade; 4]);
            assert_eq!(halve(&texels, Size::new(2, 2), false), [shade; 4]);
        }
    }

    #[test]
    fn light_is_averaged_and_not_its_encoding() {
        // Half black, half white: 50 % of the light is 188 in sRGB. Alpha is linear always.
        let texels = [[0, 0, 0, 0], [255, 255, 255, 255]].concat();
        assert_eq!(halve(&texels, Size::new(2, 1), true), [188, 188, 188, 128]);
        assert_eq!(halve(&texels, Size::new(2, 1), false), [128, 128, 128, 128]);
    }

    #[test]
    fn odd_and_thin_pictures_keep_their_texels_in_place() {
        let texel = |n: u8| [n, n, n, n];
        let row: Vec<u8> = [10, 20, 30, 40, 250].into_iter().flat_map(texel).collect();
        assert_eq!(halve(&row, Size::new(5, 1), false), [texel(15), texel(35)].concat());
        assert_eq!(halve(&row, Size::new(1, 5), false), [texel(15), texel(35)].concat());
        assert_eq!(halve(&texel(9), Size::new(1, 1), false), texel(9));
    }
}
