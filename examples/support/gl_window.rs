//! What every small winit + glutin + glow program has to say before its loop begins: a window, a context that
//! fits it (GLX on X11, EGL elsewhere) and the loaded functions. The loops are in the examples.

use std::num::NonZeroU32;

use glow::HasContext as _;
use glutin::config::{ColorBufferType, ConfigTemplateBuilder};
use glutin::context::{ContextApi, ContextAttributesBuilder, PossiblyCurrentContext, Version};
use glutin::display::{GetGlDisplay as _, GlDisplay as _};
use glutin::prelude::{GlSurface as _, NotCurrentGlContext as _};
use glutin::surface::{Surface, SurfaceAttributesBuilder, SwapInterval, WindowSurface};
use glutin_winit::{ApiPreference, DisplayBuilder, GlWindow as _};
use raw_window_handle::HasWindowHandle as _;
use winit::dpi::PhysicalSize;
use winit::event_loop::ActiveEventLoop;
use winit::window::Window;

/// A window with its current context. The fields are dropped in this order: context objects before the window.
pub struct GlWindow {
    pub gl: glow::Context,
    pub surface: Surface<WindowSurface>,
    pub context: PossiblyCurrentContext,
    #[allow(dead_code, reason = "a loop that never sleeps asks its window for nothing")]
    pub window: Window,
}

impl GlWindow {
    /// Opens a 1280x720 window. `vsync`: swap interval 1, else 0.
    pub fn open(event_loop: &ActiveEventLoop, title: &str, vsync: bool) -> Self {
        let attributes =
            Window::default_attributes().with_title(title).with_inner_size(PhysicalSize::new(1280, 720));
        // Without the request for 8 bits, Wayland offers a 10-bit format first, which composites slowly.
        let template = ConfigTemplateBuilder::new().with_buffer_type(ColorBufferType::Rgb {
            r_size: 8,
            g_size: 8,
            b_size: 8,
        });
        let (window, config) = DisplayBuilder::new()
            // GLX on X11, where EGL swaps several times slower; EGL where there is no GLX.
            .with_preference(ApiPreference::FallbackEgl)
            .with_window_attributes(Some(attributes))
            .build(event_loop, template, |mut configs| configs.next().expect("an OpenGL config"))
            .expect("a window and an OpenGL display");
        let window = window.expect("the attributes were given");
        let display = config.display();
        let wish = ContextAttributesBuilder::new()
            .with_context_api(ContextApi::OpenGl(Some(Version::new(3, 3))))
            .build(Some(window.window_handle().expect("a live window").as_raw()));
        let attributes =
            window.build_surface_attributes(SurfaceAttributesBuilder::default()).expect("a live window");
        // SAFETY: the window outlives both, because `GlWindow` drops it last.
        let (context, surface, gl) = unsafe {
            let context = display.create_context(&config, &wish).expect("an OpenGL 3.3 context");
            let surface = display.create_window_surface(&config, &attributes).expect("a window surface");
            let context = context.make_current(&surface).expect("a current context");
            let gl = glow::Context::from_loader_function_cstr(|name| display.get_proc_address(name));
            (context, surface, gl)
        };
        let interval = if vsync { SwapInterval::Wait(NonZeroU32::MIN) } else { SwapInterval::DontWait };
        // Some servers (Xvfb) accept an interval and ignore it; there is nothing to do about an error here.
        let _ = surface.set_swap_interval(&context, interval);
        Self { gl, surface, context, window }
    }

    /// Fills the window with black or white and shows it.
    #[allow(dead_code, reason = "some loops draw and swap apart, or on another thread")]
    pub fn fill(&self, white: bool) {
        self.draw(white);
        self.swap();
    }

    /// Fills the window with black or white.
    #[allow(dead_code, reason = "some loops draw on their own")]
    pub fn draw(&self, white: bool) {
        let v = if white { 1.0 } else { 0.0 };
        // SAFETY: the context is current on this thread, the only one of the program.
        unsafe {
            self.gl.clear_color(v, v, v, 1.0);
            self.gl.clear(glow::COLOR_BUFFER_BIT);
        }
    }

    /// Vertical bars, 80 of 160 pixels wide, that have moved so many to the right.
    #[allow(dead_code, reason = "the picture of one loop")]
    pub fn draw_bars(&self, moved: i64) {
        let PhysicalSize { width, height } = self.window.inner_size();
        self.draw(false);
        // SAFETY: the context is current on this thread, the only one of the program.
        unsafe {
            self.gl.enable(glow::SCISSOR_TEST);
            self.gl.clear_color(1.0, 1.0, 1.0, 1.0);
            let mut left = moved.rem_euclid(160) as i32 - 160;
            while left < width.cast_signed() {
                self.gl.scissor(left, 0, 80, height.cast_signed());
                self.gl.clear(glow::COLOR_BUFFER_BIT);
                left += 160;
            }
            self.gl.disable(glow::SCISSOR_TEST);
        }
    }

    /// Fills the window with a colour, and hands that to the GPU at once. The fence tells when it is done.
    #[allow(dead_code, reason = "for loops that count the frames with the GPU")]
    pub fn draw_fenced(&self, v: f32) -> Option<glow::Fence> {
        // SAFETY: the context is current on this thread, the only one of the program.
        unsafe {
            self.gl.clear_color(v, 0.2, 0.3, 1.0);
            self.gl.clear(glow::COLOR_BUFFER_BIT);
            let fence = self.gl.fence_sync(glow::SYNC_GPU_COMMANDS_COMPLETE, 0).ok();
            self.gl.flush();
            fence
        }
    }

    /// Whether the GPU has just been seen done with what the fence stands behind, which goes then. `wait`: for up to 100 ms,
    /// after which it counts as done.
    #[allow(dead_code, reason = "for loops that count the frames with the GPU")]
    pub fn done(&self, fence: &mut Option<glow::Fence>, wait: bool) -> bool {
        let Some(waited) = *fence else { return false };
        let nanos = if wait { 100_000_000 } else { 0 };
        // SAFETY: the fence is of this context, which is current on this thread, and is not used again once deleted.
        unsafe {
            let state = self.gl.client_wait_sync(waited, glow::SYNC_FLUSH_COMMANDS_BIT, nanos);
            let done = wait || state != glow::TIMEOUT_EXPIRED;
            if done {
                self.gl.delete_sync(waited);
                *fence = None;
            }
            done
        }
    }

    /// Shows what was drawn.
    #[allow(dead_code, reason = "some loops swap on another thread")]
    pub fn swap(&self) {
        self.surface.swap_buffers(&self.context).expect("the swap");
    }

    /// Follows the window's new size.
    #[allow(dead_code, reason = "a loop that draws on another thread keeps its size")]
    pub fn resize(&self, size: PhysicalSize<u32>) {
        if let (Some(w), Some(h)) = (NonZeroU32::new(size.width), NonZeroU32::new(size.height)) {
            self.surface.resize(&self.context, w, h);
            // SAFETY: the context is current on this thread, the only one of the program.
            unsafe { self.gl.viewport(0, 0, size.width.cast_signed(), size.height.cast_signed()) };
        }
    }
}
