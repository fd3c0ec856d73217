use std::ffi::{CStr, c_void};

use khronos_egl as egl;

use crate::error::{Error, Result};
use crate::gl::{DebugLevel, Gl};

type Instance = egl::DynamicInstance<egl::EGL1_5>;
type QueryDevices =
    unsafe extern "system" fn(max: egl::Int, devices: *mut *mut c_void, count: *mut egl::Int) -> egl::Boolean;

const PLATFORM_DEVICE: egl::Enum = 0x313F;
const PLATFORM_SURFACELESS: egl::Enum = 0x31DD;
// Of EGL 1.5 and EGL_KHR_create_context alike.
const RESET_NOTIFICATION_STRATEGY: egl::Int = 0x31BD;
const LOSE_CONTEXT_ON_RESET: egl::Int = 0x31BF;
/// Devices that are looked at; a machine with more has its GPUs among the first.
const MAX_DEVICES: usize = 16;

/// An OpenGL context without a surface, current on the thread that made it.
pub(super) struct Context {
    egl: Instance,
    display: egl::Display,
    context: egl::Context,
    platform: &'static str,
    robust: bool,
}

impl Context {
    /// Makes a context and makes it current: on the first EGL device that offers OpenGL 3.3 core, or else on the
    /// surfaceless platform. `robust`: it is to tell when it is lost, where the driver has such contexts.
    pub(super) fn new(level: DebugLevel, robust: bool) -> Result<Self> {
        // SAFETY: loads the system's EGL library, whose initialisers are trusted like any other system library's.
        let egl = unsafe { Instance::load_required() }.map_err(|e| Error::Egl {
            call: "loading libEGL",
            code: 0,
            detail: format!("{e}; install libegl1 or the graphics driver's EGL"),
        })?;
        let mut last = None;
        for (platform, native, name) in candidates(&egl) {
            match open(&egl, platform, native, level, robust) {
                Ok((display, context)) => {
                    log::info!("drawing off screen through EGL ({name})");
                    return Ok(Self { egl, display, context, platform: name, robust });
                }
                Err(e) => {
                    log::debug!("{name}: {e}");
                    last = Some(e);
                }
            }
        }
        Err(last.unwrap_or_else(|| Error::Egl {
            call: "eglQueryDevicesEXT",
            code: 0,
            detail: "there is no device and no surfaceless platform".into(),
        }))
    }

    pub(super) const fn platform(&self) -> &'static str {
        self.platform
    }

    /// Whether it was asked to tell when it is lost.
    pub(super) const fn is_robust(&self) -> bool {
        self.robust
    }

    /// Loads the OpenGL functions.
    pub(super) fn load(&self, level: DebugLevel) -> Result<Gl> {
        let loader = |name: &CStr| {
            let found = name.to_str().ok().and_then(|name| self.egl.get_proc_address(name));
            found.map_or(std::ptr::null(), |f| f as *const c_void)
        };
        // SAFETY: EGL's own loader, for the context that `new` made current on this thread; it stays current until
        // `self` is dropped, which its owner does after everything made from the `Gl`.
        unsafe { Gl::load(loader, level) }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // The display is not terminated: EGL displays are shared by the whole process, and another context of the
        // same device may be alive on another thread.
        let _ = self.egl.make_current(self.display, None, None, None);
        let _ = self.egl.destroy_context(self.display, self.context);
        let _ = self.egl.release_thread();
    }
}

fn candidates(egl: &Instance) -> Vec<(egl::Enum, *mut c_void, &'static str)> {
    let extensions =
        egl.query_string(None, egl::EXTENSIONS).map_or(String::new(), |s| s.to_string_lossy().into());
    let has = |name: &str| extensions.split(' ').any(|e| e == name);
    let mut found = Vec::new();
    if (has("EGL_EXT_platform_device") || has("EGL_EXT_platform_base"))
        && let Some(query) = egl.get_proc_address("eglQueryDevicesEXT")
    {
        // SAFETY: the function of that name has this signature (EGL_EXT_device_enumeration).
        let query: QueryDevices = unsafe { std::mem::transmute(query) };
        let mut devices = [std::ptr::null_mut(); MAX_DEVICES];
        let mut count = 0;
        // SAFETY: the array has room for as many devices as are asked for.
        if unsafe { query(MAX_DEVICES as egl::Int, devices.as_mut_ptr(), &raw mut count) } == egl::TRUE {
            let count = usize::try_from(count).unwrap_or(0).min(MAX_DEVICES);
            found.extend(devices[..count].iter().map(|&d| (PLATFORM_DEVICE, d, "egl-device")));
        }
    }
    if has("EGL_MESA_platform_surfaceless") {
        found.push((PLATFORM_SURFACELESS, std::ptr::null_mut(), "egl-surfaceless"));
    }
    found
}

fn open(
    egl: &Instance,
    platform: egl::Enum,
    native: *mut c_void,
    level: DebugLevel,
    robust: bool,
) -> Result<(egl::Display, egl::Context)> {
    let fail = |call| move |e: egl::Error| Error::Egl { call, code: e.native(), detail: e.to_string() };
    // SAFETY: `native` is a device handle that EGL gave out, or null for the default of the platform.
    let display = unsafe { egl.get_platform_display(platform, native, &[egl::ATTRIB_NONE]) }
        .map_err(fail("eglGetPlatformDisplay"))?;
    egl.initialize(display).map_err(fail("eglInitialize"))?;
    egl.bind_api(egl::OPENGL_API).map_err(fail("eglBindAPI"))?;
    let attributes = [
        egl::SURFACE_TYPE,
        egl::PBUFFER_BIT,
        egl::RENDERABLE_TYPE,
        egl::OPENGL_BIT,
        egl::RED_SIZE,
        8,
        egl::GREEN_SIZE,
        8,
        egl::BLUE_SIZE,
        8,
        egl::NONE,
    ];
    let config = egl
        .choose_first_config(display, &attributes)
        .map_err(fail("eglChooseConfig"))?
        .ok_or(Error::NoConfig { wanted: "8-bit RGB and OpenGL", source: None })?;
    let debug = if level == DebugLevel::Off { egl::FALSE } else { egl::TRUE };
    let attributes = [
        egl::CONTEXT_MAJOR_VERSION,
        3,
        egl::CONTEXT_MINOR_VERSION,
        3,
        egl::CONTEXT_OPENGL_PROFILE_MASK,
        egl::CONTEXT_OPENGL_CORE_PROFILE_BIT,
        egl::CONTEXT_OPENGL_DEBUG,
        debug as egl::Int,
        egl::NONE,
    ];
    // The loss is told; memory accesses are not checked for it, which would cost something on every draw.
    let telling = [&[RESET_NOTIFICATION_STRATEGY, LOSE_CONTEXT_ON_RESET], &attributes[..]].concat();
    let make = |attributes: &[egl::Int]| egl.create_context(display, config, None, attributes);
    let first = if robust { make(&telling).or_else(|_| make(&attributes)) } else { make(&attributes) };
    let context = first
        // A driver that is too old gives what it has; loading its functions then says which version that is.
        .or_else(|e| egl.create_context(display, config, None, &[egl::NONE]).map_err(|_| e))
        .map_err(fail("eglCreateContext"))?;
    if let Err(e) = egl.make_current(display, None, None, Some(context)) {
        let _ = egl.destroy_context(display, context);
        return Err(fail("eglMakeCurrent")(e));
    }
    Ok((display, context))
}
