use std::borrow::Cow;
use std::fmt;

use glow::HasContext as _;

use super::Gl;
use super::handle::{Handle, ShaderObject};
use super::shader_error::{ShaderError, ShaderFault};
use super::shader_folder::ShaderFolder;
use super::shader_preprocess::{self as preprocess, Flat, Found};

/// What is made of a shader.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ShaderStage {
    /// Runs once per vertex.
    Vertex,
    /// Runs once per fragment.
    Fragment,
    /// The stages put together.
    Link,
    /// The program held against the Rust types that feed it.
    Interface,
}

impl fmt::Display for ShaderStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Vertex => "vertex shader",
            Self::Fragment => "fragment shader",
            Self::Link => "link",
            Self::Interface => "interface check",
        })
    }
}

/// The text of a shader, the name of the file that it came from, the files that it may include, and what is defined for it.
#[derive(Clone, Debug)]
pub struct ShaderSource {
    /// The file, for messages.
    pub file: Cow<'static, str>,
    /// GLSL, beginning with `#version`.
    pub text: Cow<'static, str>,
    /// The file's name in the folder of the shaders, where it came from there.
    name: Option<&'static str>,
    includes: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    defines: Vec<(String, String)>,
}

impl ShaderSource {
    /// `text`, which stands in `file`. It is never read anew from a folder.
    pub fn new(file: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        Self { file: file.into(), text: text.into(), name: None, includes: Vec::new(), defines: Vec::new() }
    }

    /// The file `name` of the folder of the shaders. Used by [`shader_file!`](crate::shader_file).
    #[must_use]
    pub fn embedded(name: &'static str, text: &'static str) -> Self {
        let file = Cow::Owned(format!("{EMBEDDED}{name}"));
        Self { file, text: text.into(), name: Some(name), includes: Vec::new(), defines: Vec::new() }
    }

    /// With `text` as what `#include "name"` stands for.
    #[must_use]
    pub fn include(mut self, name: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        self.includes.push((name.into(), text.into()));
        self
    }

    /// With `#define name value` behind its `#version`: a variant of the same file. A name that is defined again gets the
    /// new value.
    #[must_use]
    pub fn define(mut self, name: impl Into<String>, value: impl fmt::Display) -> Self {
        let name = name.into();
        self.defines.retain(|(n, _)| *n != name);
        self.defines.push((name, value.to_string()));
        self
    }

    /// One text for the driver. Files that `folder` has come from there.
    pub(super) fn flatten(
        &self,
        stage: ShaderStage,
        folder: Option<&ShaderFolder>,
    ) -> Result<Flat, ShaderError> {
        let on_disk = |name: &str| folder.map_or(Ok(None), |folder| folder.read(name));
        let mut shown = self.file.clone();
        let mut text = self.text.clone();
        if let Some(name) = self.name
            && let Some(found) = on_disk(name).map_err(|why| {
                let fault = ShaderFault::IncludeUnreadable { name: name.to_owned(), why };
                ShaderError::of(stage, &self.file, None, fault)
            })?
        {
            (shown, text) = (found.shown.into(), found.text);
        }
        let mut find = |name: &str| {
            let embedded = || {
                let (_, text) = self.includes.iter().find(|(n, _)| n == name)?;
                let shown = if self.name.is_some() { format!("{EMBEDDED}{name}") } else { name.to_owned() };
                Some(Found { shown, text: text.clone() })
            };
            Ok(on_disk(name)?.or_else(embedded))
        };
        preprocess::flatten(&shown, &text, &self.defines, &mut find)
            .map_err(|e| ShaderError::of(stage, &e.file, Some(e.line), e.fault))
    }
}

/// What messages call the folder that shaders are embedded from.
const EMBEDDED: &str = "shaders/";

/// A shader from the folder `shaders/` beside `Cargo.toml`, embedded at build time. The files that it includes are named
/// behind it (`shader_file!("model.frag", "light.glsl")`).
///
/// ```
/// use scanout::shader_file;
///
/// let vertex = shader_file!("triangle.vert");
/// let fragment = shader_file!("triangle.frag").define("SHADES", 4);
/// ```
#[macro_export]
macro_rules! shader_file {
    ($name:literal $(, $include:literal)* $(,)?) => {
        $crate::gl::ShaderSource::embedded(
            $name,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $name)),
        )
        $(.include(
            $include,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $include)),
        ))*
    };
}

/// Compiles one shader.
pub(super) fn compile(gl: &Gl, stage: ShaderStage, flat: &Flat) -> Result<Handle<ShaderObject>, ShaderError> {
    let fail = |log: &str| ShaderError::driver(stage, "", Some(flat), log);
    let kind = match stage {
        ShaderStage::Vertex => glow::VERTEX_SHADER,
        _ => glow::FRAGMENT_SHADER,
    };
    // SAFETY: makes a name in the current context.
    let raw = unsafe { gl.raw().create_shader(kind) }.map_err(|log| fail(&log))?;
    // SAFETY: the name was just made here, for us alone.
    let shader: Handle<ShaderObject> = unsafe { Handle::from_raw(gl, raw) };
    // SAFETY: the shader is ours and alive.
    let (compiled, log) = unsafe {
        gl.raw().shader_source(raw, &flat.text);
        gl.raw().compile_shader(raw);
        (gl.raw().get_shader_compile_status(raw), gl.raw().get_shader_info_log(raw))
    };
    if !compiled {
        return Err(fail(&log));
    }
    if !log.trim().is_empty() {
        log::debug!("{}: {}", flat.files[0], fail(&log).log.trim());
    }
    Ok(shader)
}
