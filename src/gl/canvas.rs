use glow::HasContext as _;

use super::handle::{FramebufferObject, Handle, RenderbufferObject};
use super::{Frame, Gl};
use crate::error::{Error, Result};
use crate::runtime::Size;

/// A picture of its own that is drawn in linear light and shown on the surface: sRGB-encoded 8-bit RGBA with 24-bit
/// depth, with one or several samples per pixel.
///
/// Shaders write linear light; the driver encodes it (IEC 61966-2-1) when it is stored and decodes it when it blends and
/// when it takes the mean of samples. The bytes then go to the surface as they are, so that the same picture arrives
/// whether or not the surface itself could encode.
#[derive(Debug)]
pub struct Canvas {
    /// What is drawn to.
    drawn: Layer,
    /// What samples are resolved to, where there are several.
    resolved: Option<Layer>,
    samples: u32,
    /// Samples that it has where the size allows it.
    wanted: u32,
    /// Bytes that all of it may take.
    most_bytes: u64,
    size: Size,
    /// Shaders write light; otherwise bytes as they are to be.
    light: bool,
}

#[derive(Debug)]
struct Layer {
    framebuffer: Handle<FramebufferObject>,
    colour: Handle<RenderbufferObject>,
    depth: Option<Handle<RenderbufferObject>>,
    format: u32,
}

const OPERATION: &str = "making a canvas";
/// Bytes that a canvas may take: as many as one sample of each pixel takes twice, where a side is as long as drivers draw. A
/// software rasteriser has crashed where it was asked for more, instead of refusing it.
const MOST_BYTES: u64 = 4 << 30;

/// Bytes of a canvas: four each for colour and depth of a sample, and four for the colour of a pixel where samples are resolved.
fn bytes(size: Size, samples: u32) -> u64 {
    let resolved = if samples > 1 { 4 } else { 0 };
    let pixels = u64::from(size.width) * u64::from(size.height);
    pixels.saturating_mul(8 * u64::from(samples) + resolved)
}

/// So many samples, or half of them and so on until all of them fit; one in any case.
fn fitting(size: Size, wanted: u32, most_bytes: u64) -> u32 {
    let mut samples = wanted.max(1);
    while samples > 1 && bytes(size, samples) > most_bytes {
        samples /= 2;
    }
    samples
}

impl Layer {
    fn new(gl: &Gl, depth: bool, format: u32) -> Result<Self> {
        let fail = |detail| Error::Gl { operation: OPERATION, detail };
        let renderbuffer = || -> Result<Handle<RenderbufferObject>> {
            // SAFETY: makes a name in the current context, which goes into a handle that owns it at once.
            unsafe { Ok(Handle::from_raw(gl, gl.raw().create_renderbuffer().map_err(fail)?)) }
        };
        // SAFETY: as above.
        let framebuffer = unsafe { Handle::from_raw(gl, gl.raw().create_framebuffer().map_err(fail)?) };
        let depth = depth.then(renderbuffer).transpose()?;
        Ok(Self { framebuffer, colour: renderbuffer()?, depth, format })
    }

    /// Takes memory. What a driver says of a refusal is no business of the debug hooks: who asks has an answer to it.
    fn allocate(&self, size: Size, samples: u32) -> Result<()> {
        self.framebuffer.gl().attempt(|| self.try_allocate(size, samples))
    }

    fn try_allocate(&self, size: Size, samples: u32) -> Result<()> {
        let gl = self.framebuffer.gl().raw();
        // A count of 0 asks for a buffer without multisampling; 1 may mean the least that there is.
        let samples = if samples > 1 { samples as i32 } else { 0 };
        let (width, height) = (size.width as i32, size.height as i32);
        let depth = self.depth.as_ref().map(|d| (d, glow::DEPTH_COMPONENT24, glow::DEPTH_ATTACHMENT));
        let colour = (&self.colour, self.format, glow::COLOR_ATTACHMENT0);
        // SAFETY: all objects are ours and alive.
        let status = unsafe {
            gl.bind_framebuffer(glow::FRAMEBUFFER, Some(self.framebuffer.raw()));
            for (buffer, format, place) in std::iter::once(colour).chain(depth) {
                gl.bind_renderbuffer(glow::RENDERBUFFER, Some(buffer.raw()));
                gl.renderbuffer_storage_multisample(glow::RENDERBUFFER, samples, format, width, height);
                gl.framebuffer_renderbuffer(glow::FRAMEBUFFER, place, glow::RENDERBUFFER, Some(buffer.raw()));
            }
            gl.check_framebuffer_status(glow::FRAMEBUFFER)
        };
        // Where memory was refused, the buffer may have what it had before, and be complete.
        let refused = self.framebuffer.gl().error_flag();
        if status == glow::FRAMEBUFFER_COMPLETE && refused.is_none() {
            return Ok(());
        }
        let why = refused.unwrap_or("no error flag");
        let detail = format!("{width}x{height}, {samples} samples: framebuffer status {status:#x}, {why}");
        Err(Error::Gl { operation: OPERATION, detail })
    }
}

impl Canvas {
    /// A canvas of `size` pixels with so many samples each; 0 and 1 are one, and more than the driver has are as many as
    /// it has. Where that takes more than 4 GiB, or the driver refuses it, it has half as many, and so on.
    ///
    /// # Errors
    /// When the driver cannot make one of that size.
    pub fn new(gl: &Gl, size: Size, samples: u32) -> Result<Self> {
        Self::make(gl, size, samples, true, MOST_BYTES)
    }

    /// The same for shaders that write bytes as they are to be shown, as they do to a surface: nothing is encoded, and where
    /// there are several samples the mean is that of their bytes.
    ///
    /// # Errors
    /// When the driver cannot make one of that size.
    pub fn of_bytes(gl: &Gl, size: Size, samples: u32) -> Result<Self> {
        Self::make(gl, size, samples, false, MOST_BYTES)
    }

    fn make(gl: &Gl, size: Size, samples: u32, light: bool, most_bytes: u64) -> Result<Self> {
        let samples = samples.clamp(1, gl.caps().max_samples.max(1));
        let format = if light { glow::SRGB8_ALPHA8 } else { glow::RGBA8 };
        let drawn = Layer::new(gl, true, format)?;
        let resolved = (samples > 1).then(|| Layer::new(gl, false, format)).transpose()?;
        let (wanted, size_now) = (samples, Size::default());
        let mut canvas = Self { drawn, resolved, samples, wanted, most_bytes, size: size_now, light };
        canvas.resize(size)?;
        Ok(canvas)
    }

    /// Gives it another size, and as many samples as [`new`](Self::new) would. The contents are lost; the framebuffer that is bound afterwards is one of its own.
    ///
    /// # Errors
    /// When the driver cannot make one of that size. One beyond its limit leaves the canvas as it was.
    pub fn resize(&mut self, size: Size) -> Result<()> {
        let limit = self.drawn.framebuffer.gl().caps().max_target_size;
        if size.is_empty() || size.width > limit || size.height > limit {
            let detail = format!("{}x{} pixels; 1 to {limit} each way fit", size.width, size.height);
            return Err(Error::Gl { operation: OPERATION, detail });
        }
        // Where this fails the old storage is gone too: then it has no size, so that the old one is allocated anew as well.
        self.size = Size::default();
        let mut samples = fitting(size, self.wanted, self.most_bytes);
        while let Err(e) = self.allocate(size, samples) {
            if samples == 1 {
                return Err(e);
            }
            samples /= 2;
        }
        if std::mem::replace(&mut self.samples, samples) != samples && samples < self.wanted {
            let (Size { width, height }, wanted) = (size, self.wanted);
            log::warn!("{samples} sample(s) per pixel: {wanted} are too many for {width}x{height} pixels");
        }
        self.size = size;
        Ok(())
    }

    fn allocate(&self, size: Size, samples: u32) -> Result<()> {
        self.drawn.allocate(size, samples)?;
        match &self.resolved {
            Some(resolved) if samples > 1 => resolved.allocate(size, 1),
            _ => Ok(()),
        }
    }

    /// Samples per pixel, at the size that it has.
    #[must_use]
    pub const fn samples(&self) -> u32 {
        self.samples
    }

    /// Its size in pixels.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Draws go here from now on: in linear light, unless it is one [`of_bytes`](Self::of_bytes).
    pub fn begin(&self) {
        let gl = self.drawn.framebuffer.gl().raw();
        // SAFETY: the framebuffer is ours and alive.
        unsafe {
            gl.bind_framebuffer(glow::FRAMEBUFFER, Some(self.drawn.framebuffer.raw()));
            gl.viewport(0, 0, self.size.width as i32, self.size.height as i32);
            if self.light {
                gl.enable(glow::FRAMEBUFFER_SRGB);
            }
        }
    }

    /// Shows it on the frame's surface, which is what draws go to from now on. Its size must be the frame's. Costs a copy
    /// of the picture, and one more where samples are resolved.
    pub fn finish(&self, frame: &Frame<'_>) {
        let gl = self.drawn.framebuffer.gl().raw();
        let (width, height) = (self.size.width as i32, self.size.height as i32);
        let copy = |from: &Layer| {
            // SAFETY: the framebuffers are alive, the one read is ours; both are of this size.
            unsafe {
                gl.bind_framebuffer(glow::READ_FRAMEBUFFER, Some(from.framebuffer.raw()));
                gl.blit_framebuffer(
                    0,
                    0,
                    width,
                    height,
                    0,
                    0,
                    width,
                    height,
                    glow::COLOR_BUFFER_BIT,
                    glow::NEAREST,
                );
            }
        };
        let last = match self.resolved.as_ref().filter(|_| self.samples > 1) {
            None => &self.drawn,
            Some(resolved) => {
                // Still with encoding on: the mean of samples is that of their light.
                // SAFETY: the framebuffer is ours and alive.
                unsafe { gl.bind_framebuffer(glow::DRAW_FRAMEBUFFER, Some(resolved.framebuffer.raw())) }
                copy(&self.drawn);
                resolved
            }
        };
        // SAFETY: sets state of the current context.
        unsafe { gl.disable(glow::FRAMEBUFFER_SRGB) }
        frame.bind_surface();
        copy(last);
        frame.bind_surface();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_halved_until_they_fit_and_one_is_left_in_any_case() {
        let of = |width, height, samples| fitting(Size::new(width, height), samples, MOST_BYTES);
        for (width, height, wanted, got) in [
            (1280, 720, 4, 4),
            (3840, 2160, 16, 16),
            (7680, 4320, 16, 8),
            (16_384, 16_384, 1, 1),
            (16_384, 16_384, 4, 1),
            (16_384, 8192, 4, 2),
            (32_767, 32_767, 4, 1),
            (u32::MAX, u32::MAX, 16, 1),
            (1, 1, 0, 1),
        ] {
            assert_eq!(of(width, height, wanted), got, "{width}x{height}, {wanted} samples");
        }
    }

    #[cfg(feature = "headless")]
    #[test]
    fn a_canvas_that_grows_too_large_for_its_samples_has_fewer_and_gets_them_back() {
        crate::headless::with_context(crate::gl::DebugLevel::Panic, |gl| {
            if gl.caps().max_samples < 4 {
                return;
            }
            let (small, large) = (Size::new(16, 16), Size::new(64, 64));
            // Enough for one sample of the large one, and not for two.
            let mut canvas = Canvas::make(gl, small, 4, false, bytes(large, 2) - 1).expect("a canvas");
            let held = |canvas: &Canvas| {
                canvas.begin();
                // SAFETY: asks about the framebuffer that is bound.
                unsafe { gl.raw().get_parameter_i32(glow::SAMPLES) }
            };
            assert_eq!((canvas.samples(), held(&canvas)), (4, 4));
            canvas.resize(large).expect("with one sample it fits");
            assert_eq!((canvas.samples(), canvas.size()), (1, large));
            assert!(held(&canvas) <= 1, "the driver has {}", held(&canvas));
            canvas.resize(small).expect("it fits");
            assert_eq!((canvas.samples(), held(&canvas)), (4, 4));
        })
        .unwrap_or_else(|e| panic!("{e}"));
    }

    /// A canvas that asks the driver for more samples than it has first, and has half as many in the end.
    #[cfg(feature = "headless")]
    fn refused_at_first(gl: &Gl) -> Canvas {
        let samples = gl.caps().max_samples;
        let mut canvas = Canvas::make(gl, Size::new(16, 16), samples, false, MOST_BYTES).expect("a canvas");
        canvas.wanted = samples * 2;
        canvas.resize(Size::new(32, 32)).expect("half of them are as many as there are");
        assert_eq!(canvas.samples(), samples);
        canvas
    }

    #[cfg(feature = "headless")]
    #[test]
    fn a_refused_number_of_samples_stops_no_draw() {
        use crate::gl::{DebugLevel, Hook};
        crate::headless::with_context(DebugLevel::Panic, |gl| {
            if gl.caps().max_samples < 2 {
                return;
            }
            let mut canvas = refused_at_first(gl);
            gl.hook(Hook::Draw("what comes next"));
            // One that has no smaller number left to ask for says so, and that is all.
            canvas.drawn.format = glow::RGBA8UI;
            canvas.drawn.depth = None;
            canvas.drawn.allocate(Size::new(8, 8), u32::MAX >> 1).expect_err("so many are refused");
            gl.hook(Hook::Draw("what comes after that"));
        })
        .unwrap_or_else(|e| panic!("{e}"));
    }

    #[cfg(feature = "headless")]
    #[test]
    #[should_panic(expected = "GL_INVALID_ENUM")]
    fn a_refused_number_of_samples_hides_no_error_from_before_it() {
        use crate::gl::{DebugLevel, Hook};
        crate::headless::with_context(DebugLevel::Panic, |gl| {
            // SAFETY: a name that is no capability, which changes nothing.
            unsafe { gl.raw().enable(glow::TRIANGLES) };
            refused_at_first(gl);
            gl.hook(Hook::Draw("what comes next"));
        })
        .unwrap_or_else(|e| panic!("{e}"));
    }
}
