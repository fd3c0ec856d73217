//! From a window system to a context that can be handed to the render thread. The order is in the types: each step
//! takes what the step before it made.

use std::ffi::{CStr, c_void};
use std::mem::ManuallyDrop;
use std::num::NonZeroU32;

use glutin::config::{ColorBufferType, Config as GlConfig, ConfigTemplateBuilder, GlConfig as _};
use glutin::context::{
    ContextApi, ContextAttributes, ContextAttributesBuilder, GlProfile, NotCurrentContext,
    NotCurrentGlContext as _, PossiblyCurrentContext, PossiblyCurrentGlContext as _, Robustness, Version,
};
#[cfg(x11_platform)]
use glutin::display::{AsRawDisplay as _, GetDisplayExtensions as _, RawDisplay};
use glutin::display::{Display, DisplayApiPreference, GlDisplay as _};
#[cfg(x11_platform)]
use glutin::surface::{AsRawSurface as _, RawSurface};
use glutin::surface::{Surface, SurfaceAttributesBuilder, WindowSurface};
use raw_window_handle::{HasDisplayHandle as _, HasWindowHandle as _, RawWindowHandle};
use winit::event_loop::{ActiveEventLoop, EventLoopProxy};
use winit::window::{Fullscreen, Window, WindowAttributes};

use super::app::Wake;
use crate::config::Config;
use crate::display::priority::lend_realtime;
#[cfg(x11_platform)]
use crate::display::{SourceError, SyncControl};
use crate::error::{Error, Result};
use crate::gl::{DebugLevel, Gl};
use crate::runtime::Size;

type Proxy = EventLoopProxy<Wake>;

/// A window with a context that is current nowhere yet. The window stays on the main thread; [`Detached`] moves to the
/// render thread.
pub(super) struct Opened {
    pub(super) window: Window,
    pub(super) detached: Detached,
}

/// A surface and its context on their way to the render thread.
///
/// The fields drop in this order: what was made over the connection before the connection.
pub(super) struct Detached {
    context: NotCurrentContext,
    surface: Surface<WindowSurface>,
    display: Display,
    connection: Connection,
    wanted: Wanted,
    pub(super) kind: &'static str,
}

/// What a context is made by, so that another one can take its place.
struct Wanted {
    config: GlConfig,
    /// What WGL makes contexts by way of.
    window: RawWindowHandle,
    debug: DebugLevel,
    robust: bool,
}

// SAFETY: the configuration may be used on any thread, as the display may that it came from. The handle is a name here,
// and `App` keeps the window alive until the render thread has ended.
unsafe impl Send for Wanted {}

/// The context, current on this thread. The fields drop in the order of [`Detached`]'s; when the server is gone, those
/// that would talk to it are left behind.
pub(super) struct Current {
    pub(super) context: ManuallyDrop<PossiblyCurrentContext>,
    pub(super) surface: ManuallyDrop<Surface<WindowSurface>>,
    display: ManuallyDrop<Display>,
    #[cfg_attr(not(x11_platform), allow(dead_code, reason = "there is none elsewhere"))]
    connection: Connection,
    wanted: Wanted,
}

#[cfg(x11_platform)]
type Connection = Option<super::x11::Connection>;
#[cfg(not(x11_platform))]
type Connection = ();

/// Steps 2 to 4.
pub(super) fn open(events: &ActiveEventLoop, config: &Config, proxy: &Proxy) -> Result<Opened> {
    let attributes = WindowAttributes::default()
        .with_title(config.title.clone())
        .with_inner_size(winit::dpi::PhysicalSize::new(config.size.width, config.size.height))
        .with_fullscreen(config.fullscreen.then_some(Fullscreen::Borderless(None)));
    // WGL describes framebuffers by way of a window, so there the window comes before step 2.
    let mut early = None;
    if cfg!(windows) {
        let window =
            events.create_window(attributes.clone()).map_err(|e| Error::Window { source: Box::new(e) })?;
        early = Some(window);
    }
    let early_handle = early.as_ref().and_then(|w| w.window_handle().ok()).map(|h| h.as_raw());
    // A software rasteriser starts its threads when the display is first asked for something. Frames wait for them, so
    // that they have to inherit what the render thread asks for later.
    let lent = config.realtime.map(lend_realtime);
    let (display, connection) = connect(events, early_handle, proxy)?;
    let gl_config = choose(&display, early_handle)?;
    let window = match early.take() {
        Some(window) => window,
        // With the visual of the configuration, where windows have one.
        None => glutin_winit::finalize_window(events, attributes, &gl_config)
            .map_err(|e| Error::Window { source: Box::new(e) })?,
    };
    let handle = window.window_handle().map_err(|e| Error::Window { source: Box::new(e) })?.as_raw();
    let (debug, robust) = (config.debug, config.survive_resets);
    let wanted = Wanted { config: gl_config.clone(), window: handle, debug, robust };
    let context = create_context(&display, &wanted)?;
    drop(lent);
    let size = window.inner_size();
    let surface_attributes = SurfaceAttributesBuilder::<WindowSurface>::new().build(
        handle,
        NonZeroU32::new(size.width).unwrap_or(NonZeroU32::MIN),
        NonZeroU32::new(size.height).unwrap_or(NonZeroU32::MIN),
    );
    // SAFETY: the handle belongs to `window`, which `App` drops after the render thread has dropped the surface.
    let surface = unsafe { display.create_window_surface(&gl_config, &surface_attributes) }
        .map_err(|e| Error::Surface { operation: "making the window's surface", source: Box::new(e) })?;
    let kind = kind(&display, handle);
    Ok(Opened { window, detached: Detached { context, surface, display, connection, wanted, kind } })
}

impl Detached {
    /// Step 5, on the render thread.
    pub(super) fn make_current(self) -> Result<Current> {
        let Self { context, surface, display, connection, wanted, .. } = self;
        let context = context
            .make_current(&surface)
            .map_err(|e| Error::Surface { operation: "making the context current", source: Box::new(e) })?;
        #[cfg(x11_platform)]
        if let Some(connection) = &connection {
            connection.opened();
        }
        Ok(Current {
            context: ManuallyDrop::new(context),
            surface: ManuallyDrop::new(surface),
            display: ManuallyDrop::new(display),
            connection,
            wanted,
        })
    }
}

impl Drop for Current {
    /// A context that is current can only be marked for destruction: it is released first.
    fn drop(&mut self) {
        if self.lost() {
            return;
        }
        if let Err(e) = self.context.make_not_current_in_place() {
            log::debug!("releasing the context: {e}");
        }
        // SAFETY: none of them is used again.
        unsafe {
            ManuallyDrop::drop(&mut self.context);
            ManuallyDrop::drop(&mut self.surface);
            ManuallyDrop::drop(&mut self.display);
        }
    }
}

impl Current {
    /// Whether the display server is known to be gone.
    pub(super) fn lost(&self) -> bool {
        #[cfg(x11_platform)]
        let lost = self.connection.as_ref().is_some_and(super::x11::Connection::lost);
        #[cfg(not(x11_platform))]
        let lost = {
            let () = self.connection;
            false
        };
        lost
    }

    pub(super) fn is_x11(&self) -> bool {
        #[cfg(x11_platform)]
        let x11 = self.connection.is_some();
        #[cfg(not(x11_platform))]
        let x11 = false;
        x11
    }

    /// Puts a new context in the place of one that was lost.
    pub(super) fn renew(&mut self) -> Result<()> {
        let new = create_context(&self.display, &self.wanted)?
            .make_current(&*self.surface)
            .map_err(|e| Error::Surface { operation: "making the context current", source: Box::new(e) })?;
        // No longer current: it goes at once.
        drop(std::mem::replace(&mut *self.context, new));
        Ok(())
    }

    /// Step 6.
    pub(super) fn load(&self, level: DebugLevel) -> Result<Gl> {
        let loader = |name: &CStr| -> *const c_void { self.display.get_proc_address(name) };
        // SAFETY: the display's own loader, for the context that is current on this thread by `make_current`; the
        // surface that takes it over drops it after everything made from the `Gl`.
        unsafe { Gl::load(loader, level) }
    }

    /// What the driver itself knows of refreshes.
    #[cfg(x11_platform)]
    pub(super) fn sync_control(&self) -> std::result::Result<SyncControl, SourceError> {
        let loader = |name: &CStr| -> *const c_void { self.display.get_proc_address(name) };
        let screen = self.connection.as_ref().map_or(0, |c| c.screen);
        match (&*self.display, self.display.raw_display(), self.surface.raw_surface()) {
            (Display::Glx(_), RawDisplay::Glx(display), RawSurface::Glx(drawable)) => {
                // SAFETY: the display's own loader; display and drawable live as long as `self`, which the surface that
                // takes both over drops last.
                unsafe { SyncControl::glx(display.cast_mut(), screen, drawable as _, &loader) }
            }
            (Display::Egl(egl), RawDisplay::Egl(display), RawSurface::Egl(surface)) => {
                let listed = egl.extensions().contains("EGL_CHROMIUM_sync_control");
                // SAFETY: as above.
                unsafe { SyncControl::egl(display.cast_mut(), surface.cast_mut(), listed, &loader) }
            }
            _ => Err(SourceError::new("no such driver interface")),
        }
    }
}

#[cfg(x11_platform)]
fn connect(
    events: &ActiveEventLoop,
    _window: Option<RawWindowHandle>,
    proxy: &Proxy,
) -> Result<(Display, Connection)> {
    use raw_window_handle::RawDisplayHandle;

    let mut handle =
        events.display_handle().map_err(|e| Error::NoWindowSystem { source: Box::new(e) })?.as_raw();
    let mut connection = None;
    if let RawDisplayHandle::Xlib(winits) = handle {
        let proxy = proxy.clone();
        let loss = super::x11::Loss::new(move || {
            let _ = proxy.send_event(Wake::Lost);
        });
        let own = super::x11::Connection::open(winits.display, winits.screen, loss)?;
        handle = own.handle();
        connection = Some(own);
    }
    // On X11 swaps through EGL were measured to take three times as long as through GLX.
    let preference =
        DisplayApiPreference::GlxThenEgl(Box::new(winit::platform::x11::register_xlib_error_hook));
    // SAFETY: the connection outlives what is made from the display: our own by the order of the fields that keep
    // them, winit's (Wayland) because `App` joins the render thread when the event loop exits.
    let display =
        unsafe { Display::new(handle, preference) }.map_err(|e| Error::Context { source: Box::new(e) })?;
    Ok((display, connection))
}

#[cfg(not(x11_platform))]
fn connect(
    events: &ActiveEventLoop,
    _window: Option<RawWindowHandle>,
    _proxy: &Proxy,
) -> Result<(Display, Connection)> {
    let handle = events.display_handle().map_err(|e| Error::NoWindowSystem { source: Box::new(e) })?;
    #[cfg(windows)]
    let preference = DisplayApiPreference::WglThenEgl(_window);
    #[cfg(target_os = "macos")]
    let preference = DisplayApiPreference::Cgl;
    // SAFETY: `App` joins the render thread, which owns what is made from the display, when the event loop exits.
    let display = unsafe { Display::new(handle.as_raw(), preference) }
        .map_err(|e| Error::Context { source: Box::new(e) })?;
    Ok((display, ()))
}

fn choose(display: &Display, window: Option<RawWindowHandle>) -> Result<GlConfig> {
    const WANTED: &str = "8-bit RGB, 24-bit depth and OpenGL";
    let mut template =
        ConfigTemplateBuilder::new().with_alpha_size(0).with_depth_size(24).with_stencil_size(0);
    if let Some(window) = window {
        template = template.compatible_with_native_window(window);
    }
    // SAFETY: the template refers to no window but the one given, which is alive.
    let configs = unsafe { display.find_configs(template.build()) }
        .map_err(|e| Error::NoConfig { wanted: WANTED, source: Some(Box::new(e)) })?;
    // 10-bit configurations come first on some systems: no sRGB there, and compositing is many times slower.
    configs
        .filter(|c| c.color_buffer_type() == Some(ColorBufferType::Rgb { r_size: 8, g_size: 8, b_size: 8 }))
        .min_by_key(|c| {
            (c.num_samples(), !c.hardware_accelerated(), c.alpha_size(), c.depth_size().abs_diff(24))
        })
        .ok_or(Error::NoConfig { wanted: WANTED, source: None })
}

fn create_context(display: &Display, wanted: &Wanted) -> Result<NotCurrentContext> {
    let Wanted { config, window, debug, robust } = wanted;
    let window = *window;
    let attributes = || {
        ContextAttributesBuilder::new()
            .with_profile(GlProfile::Core)
            .with_context_api(ContextApi::OpenGl(Some(Version::new(3, 3))))
            .with_debug(*debug != DebugLevel::Off)
    };
    let make = |attributes: &ContextAttributes| {
        // SAFETY: the window is alive.
        unsafe { display.create_context(config, attributes) }
    };
    let telling = attributes().with_robustness(Robustness::RobustLoseContextOnReset).build(Some(window));
    let first = if *robust { make(&telling).ok() } else { None };
    first
        .map_or_else(|| make(&attributes().build(Some(window))), Ok)
        // A driver that is too old gives what it has; loading its functions then says which version that is.
        .or_else(|e| make(&ContextAttributesBuilder::new().build(Some(window))).map_err(|_| e))
        .map_err(|e| Error::Context { source: Box::new(e) })
}

fn kind(display: &Display, window: RawWindowHandle) -> &'static str {
    #[cfg_attr(
        not(egl_backend),
        allow(unused_variables, reason = "only EGL is used on more than one system")
    )]
    let wayland = matches!(window, RawWindowHandle::Wayland(_));
    match display {
        #[cfg(egl_backend)]
        Display::Egl(_) if wayland => "wayland-egl",
        #[cfg(egl_backend)]
        Display::Egl(_) => "x11-egl",
        #[cfg(x11_platform)]
        Display::Glx(_) => "x11-glx",
        #[allow(unreachable_patterns, reason = "other platforms have other variants")]
        _ if cfg!(windows) => "wgl",
        #[allow(unreachable_patterns, reason = "other platforms have other variants")]
        _ => "cgl",
    }
}

/// The size of a window's drawing area.
pub(super) fn size_of(size: winit::dpi::PhysicalSize<u32>) -> Size {
    Size::new(size.width, size.height)
}
