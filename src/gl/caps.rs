use glow::HasContext as _;

use super::CompressedFormats;

/// What the driver can do, looked up once when the context is taken over. Callers ask this and not the driver.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Capabilities {
    /// `GL_VENDOR`.
    pub vendor: String,
    /// `GL_RENDERER`.
    pub renderer: String,
    /// `GL_VERSION`.
    pub version: String,
    /// The version as numbers.
    pub major_minor: (u32, u32),
    /// The renderer draws on the CPU.
    pub software: bool,
    /// Messages through a callback (GL 4.3 or `GL_KHR_debug`).
    pub debug_output: bool,
    /// Persistently mapped buffers (GL 4.4 or `GL_ARB_buffer_storage`).
    pub buffer_storage: bool,
    /// Draws that name their first instance (GL 4.2 or `GL_ARB_base_instance`).
    pub base_instance: bool,
    /// Many draws from one indirect buffer (GL 4.3 or `GL_ARB_multi_draw_indirect`).
    pub multi_draw_indirect: bool,
    /// Finished programs can be read and kept (GL 4.1 or `GL_ARB_get_program_binary`, with a format to keep them in).
    pub program_binaries: bool,
    /// Time stamps and elapsed times of the GPU (GL 3.3).
    pub timer_query: bool,
    /// Bits of the GPU's time stamps; 0: there are none, whatever the version says.
    pub timestamp_bits: u32,
    /// The context tells when it is lost (GL 4.5, `GL_KHR_robustness` or `GL_ARB_robustness`, and it was made so).
    pub reset_notification: bool,
    /// Counts of shader invocations (GL 4.6 or `GL_ARB_pipeline_statistics_query`).
    pub pipeline_statistics: bool,
    /// Highest anisotropy of texture filtering; 1 where there is none.
    pub max_anisotropy: f32,
    /// Longest side of a 2D texture in texels.
    pub max_texture_size: u32,
    /// Memory for all levels of a texture in one call (GL 4.2 or `GL_ARB_texture_storage`).
    pub texture_storage: bool,
    /// Most layers of a texture array.
    pub max_array_layers: u32,
    /// Compressed texture formats.
    pub compressed: CompressedFormats,
    /// Longest side of a [`RenderTarget`](super::RenderTarget) in pixels.
    pub max_target_size: u32,
    /// Offsets into uniform buffers are multiples of this many bytes.
    pub uniform_alignment: u32,
    /// Highest sample count of a multisampled renderbuffer.
    pub max_samples: u32,
}

/// Parts of renderer names that mean "software".
const SOFTWARE: &[&str] =
    &["llvmpipe", "softpipe", "swrast", "software", "swiftshader", "gdi generic", "noop"];

// Of GL 4.5 and the extensions alike.
const RESET_NOTIFICATION_STRATEGY: u32 = 0x8256;
const LOSE_CONTEXT_ON_RESET: u32 = 0x8252;

impl Capabilities {
    pub(super) fn query(gl: &glow::Context) -> Self {
        let text = |name| {
            // SAFETY: reads a string constant of the current context.
            unsafe { gl.get_parameter_string(name) }
        };
        let number = |name| {
            // SAFETY: reads one integer of the current context into a local.
            let n = unsafe { gl.get_parameter_i32(name) };
            u32::try_from(n).unwrap_or(0)
        };
        let version = gl.version();
        let at_least = |major, minor| (version.major, version.minor) >= (major, minor);
        let has = |extension: &str| gl.supported_extensions().contains(extension);
        let anisotropic = at_least(4, 6)
            || has("GL_EXT_texture_filter_anisotropic")
            || has("GL_ARB_texture_filter_anisotropic");
        let texture_storage = at_least(4, 2) || has("GL_ARB_texture_storage");
        let renderer = text(glow::RENDERER);
        let lower = renderer.to_ascii_lowercase();
        Self {
            vendor: text(glow::VENDOR),
            version: text(glow::VERSION),
            major_minor: (version.major, version.minor),
            software: SOFTWARE.iter().any(|name| lower.contains(name)),
            renderer,
            debug_output: at_least(4, 3) || has("GL_KHR_debug"),
            buffer_storage: at_least(4, 4) || has("GL_ARB_buffer_storage"),
            base_instance: at_least(4, 2) || has("GL_ARB_base_instance"),
            multi_draw_indirect: at_least(4, 3) || has("GL_ARB_multi_draw_indirect"),
            program_binaries: (at_least(4, 1) || has("GL_ARB_get_program_binary"))
                && number(glow::NUM_PROGRAM_BINARY_FORMATS) > 0,
            timer_query: at_least(3, 3) || has("GL_ARB_timer_query"),
            pipeline_statistics: at_least(4, 6) || has("GL_ARB_pipeline_statistics_query"),
            // Asked once the functions are loaded.
            timestamp_bits: 0,
            reset_notification: (at_least(4, 5) || has("GL_KHR_robustness") || has("GL_ARB_robustness"))
                && number(RESET_NOTIFICATION_STRATEGY) == LOSE_CONTEXT_ON_RESET,
            max_anisotropy: if anisotropic {
                // SAFETY: reads one float of the current context; the extension was checked.
                unsafe { gl.get_parameter_f32(glow::MAX_TEXTURE_MAX_ANISOTROPY_EXT) }
            } else {
                1.0
            },
            max_texture_size: number(glow::MAX_TEXTURE_SIZE),
            texture_storage,
            max_array_layers: number(glow::MAX_ARRAY_TEXTURE_LAYERS),
            compressed: CompressedFormats {
                s3tc: has("GL_EXT_texture_compression_s3tc"),
                s3tc_srgb: has("GL_EXT_texture_sRGB") || has("GL_EXT_texture_compression_s3tc_srgb"),
                bptc: at_least(4, 2) || has("GL_ARB_texture_compression_bptc"),
                // Without it, memory for them could only be had together with the texels, all in one frame.
                etc2: texture_storage && (at_least(4, 3) || has("GL_ARB_ES3_compatibility")),
            },
            max_target_size: number(glow::MAX_RENDERBUFFER_SIZE),
            uniform_alignment: number(glow::UNIFORM_BUFFER_OFFSET_ALIGNMENT).max(1),
            max_samples: number(glow::MAX_SAMPLES),
        }
    }
}
