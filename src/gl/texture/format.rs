use crate::gl::Capabilities;
use crate::runtime::Size;

/// How texels are stored. The names are those of Vulkan and KTX2, in short.
#[derive(Copy, Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum TextureFormat {
    /// Four bytes per texel.
    Rgba8,
    /// Blocks of 4x4 texels in 8 bytes: colour without alpha (S3TC DXT1).
    Bc1Rgb,
    /// The same with one bit of alpha.
    Bc1Rgba,
    /// 16 bytes: colour, four bits of alpha (DXT3).
    Bc2,
    /// 16 bytes: colour and smooth alpha (DXT5).
    Bc3,
    /// 8 bytes: red only (RGTC).
    Bc4,
    /// 16 bytes: red and green (RGTC), for normal maps.
    Bc5,
    /// 16 bytes: half floats without a sign (BPTC).
    Bc6hUnsigned,
    /// 16 bytes: half floats (BPTC).
    Bc6hSigned,
    /// 16 bytes: colour and alpha of high quality (BPTC).
    Bc7,
    /// 8 bytes: colour without alpha.
    Etc2Rgb,
    /// 8 bytes: one bit of alpha.
    Etc2Rgba1,
    /// 16 bytes: smooth alpha.
    Etc2Rgba8,
}

/// Families of compressed formats that a driver takes.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct CompressedFormats {
    /// BC1 to BC3 (`GL_EXT_texture_compression_s3tc`).
    pub s3tc: bool,
    /// The same in sRGB (`GL_EXT_texture_sRGB`).
    pub s3tc_srgb: bool,
    /// BC6H and BC7 (GL 4.2 or `GL_ARB_texture_compression_bptc`).
    pub bptc: bool,
    /// ETC2 (GL 4.3, or `GL_ARB_ES3_compatibility` with `GL_ARB_texture_storage`).
    pub etc2: bool,
}

impl TextureFormat {
    /// Every format.
    pub const ALL: &[Self] = &[
        Self::Rgba8,
        Self::Bc1Rgb,
        Self::Bc1Rgba,
        Self::Bc2,
        Self::Bc3,
        Self::Bc4,
        Self::Bc5,
        Self::Bc6hUnsigned,
        Self::Bc6hSigned,
        Self::Bc7,
        Self::Etc2Rgb,
        Self::Etc2Rgba1,
        Self::Etc2Rgba8,
    ];

    /// Whether texels come in blocks.
    #[must_use]
    pub const fn is_compressed(self) -> bool {
        !matches!(self, Self::Rgba8)
    }

    /// Texels along the side of a block.
    #[must_use]
    pub const fn block_side(self) -> u32 {
        if self.is_compressed() { 4 } else { 1 }
    }

    /// Bytes of a block.
    #[must_use]
    pub const fn block_bytes(self) -> usize {
        match self {
            Self::Rgba8 => 4,
            Self::Bc1Rgb | Self::Bc1Rgba | Self::Bc4 | Self::Etc2Rgb | Self::Etc2Rgba1 => 8,
            _ => 16,
        }
    }

    /// Bytes of a picture; `None` beyond what can be addressed.
    #[must_use]
    pub fn bytes(self, size: Size) -> Option<usize> {
        let blocks = |side: u32| side.div_ceil(self.block_side()) as usize;
        blocks(size.width).checked_mul(blocks(size.height))?.checked_mul(self.block_bytes())
    }

    /// Whether a driver takes it.
    #[must_use]
    pub const fn is_supported(self, srgb: bool, caps: &Capabilities) -> bool {
        self.is_among(srgb, caps.compressed)
    }

    pub(in crate::gl) const fn is_among(self, srgb: bool, compressed: CompressedFormats) -> bool {
        match self {
            Self::Bc1Rgb | Self::Bc1Rgba | Self::Bc2 | Self::Bc3 => {
                compressed.s3tc && (!srgb || compressed.s3tc_srgb)
            }
            Self::Bc6hUnsigned | Self::Bc6hSigned | Self::Bc7 => compressed.bptc,
            Self::Etc2Rgb | Self::Etc2Rgba1 | Self::Etc2Rgba8 => compressed.etc2,
            // RGTC is in every OpenGL that scanout draws with.
            Self::Rgba8 | Self::Bc4 | Self::Bc5 => true,
        }
    }

    /// OpenGL's internal format. Formats without an sRGB variant hold no colours and are linear always.
    #[must_use]
    pub const fn internal(self, srgb: bool) -> u32 {
        match (self, srgb) {
            (Self::Rgba8, false) => glow::RGBA8,
            (Self::Rgba8, true) => glow::SRGB8_ALPHA8,
            (Self::Bc1Rgb, false) => glow::COMPRESSED_RGB_S3TC_DXT1_EXT,
            (Self::Bc1Rgb, true) => glow::COMPRESSED_SRGB_S3TC_DXT1_EXT,
            (Self::Bc1Rgba, false) => glow::COMPRESSED_RGBA_S3TC_DXT1_EXT,
            (Self::Bc1Rgba, true) => glow::COMPRESSED_SRGB_ALPHA_S3TC_DXT1_EXT,
            (Self::Bc2, false) => glow::COMPRESSED_RGBA_S3TC_DXT3_EXT,
            (Self::Bc2, true) => glow::COMPRESSED_SRGB_ALPHA_S3TC_DXT3_EXT,
            (Self::Bc3, false) => glow::COMPRESSED_RGBA_S3TC_DXT5_EXT,
            (Self::Bc3, true) => glow::COMPRESSED_SRGB_ALPHA_S3TC_DXT5_EXT,
            (Self::Bc4, _) => glow::COMPRESSED_RED_RGTC1,
            (Self::Bc5, _) => glow::COMPRESSED_RG_RGTC2,
            (Self::Bc6hUnsigned, _) => glow::COMPRESSED_RGB_BPTC_UNSIGNED_FLOAT,
            (Self::Bc6hSigned, _) => glow::COMPRESSED_RGB_BPTC_SIGNED_FLOAT,
            (Self::Bc7, false) => glow::COMPRESSED_RGBA_BPTC_UNORM,
            (Self::Bc7, true) => glow::COMPRESSED_SRGB_ALPHA_BPTC_UNORM,
            (Self::Etc2Rgb, false) => glow::COMPRESSED_RGB8_ETC2,
            (Self::Etc2Rgb, true) => glow::COMPRESSED_SRGB8_ETC2,
            (Self::Etc2Rgba1, false) => glow::COMPRESSED_RGB8_PUNCHTHROUGH_ALPHA1_ETC2,
            (Self::Etc2Rgba1, true) => glow::COMPRESSED_SRGB8_PUNCHTHROUGH_ALPHA1_ETC2,
            (Self::Etc2Rgba8, false) => glow::COMPRESSED_RGBA8_ETC2_EAC,
            (Self::Etc2Rgba8, true) => glow::COMPRESSED_SRGB8_ALPHA8_ETC2_EAC,
        }
    }
}

/// The size of a mip level: halved each time, rounded down, at least one texel.
#[must_use]
pub const fn level_size(size: Size, level: u32) -> Size {
    const fn halved(side: u32, times: u32) -> u32 {
        let side = if times < 32 { side >> times } else { 0 };
        if side == 0 { 1 } else { side }
    }
    Size::new(halved(size.width, level), halved(size.height, level))
}

/// How many levels lead from a size down to one texel.
#[must_use]
pub const fn full_levels(size: Size) -> u32 {
    let longest = if size.width > size.height { size.width } else { size.height };
    32 - longest.leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_halve_down_to_one_texel() {
        assert_eq!(full_levels(Size::new(1, 1)), 1);
        assert_eq!(full_levels(Size::new(256, 3)), 9);
        assert_eq!(full_levels(Size::new(100, 255)), 8);
        assert_eq!(level_size(Size::new(100, 37), 2), Size::new(25, 9));
        assert_eq!(level_size(Size::new(256, 3), 8), Size::new(1, 1));
        assert_eq!(level_size(Size::new(256, 3), 99), Size::new(1, 1));
    }

    #[test]
    fn compressed_pictures_are_whole_blocks() {
        assert_eq!(TextureFormat::Rgba8.bytes(Size::new(5, 3)), Some(60));
        assert_eq!(TextureFormat::Bc1Rgb.bytes(Size::new(5, 3)), Some(16));
        assert_eq!(TextureFormat::Bc7.bytes(Size::new(1, 1)), Some(16));
        assert_eq!(TextureFormat::Bc7.bytes(Size::new(8, 9)), Some(96));
    }
}
