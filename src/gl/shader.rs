use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use glow::HasContext as _;

use super::Gl;
use super::handle::{Handle, ShaderObject};

/// A kind of shader.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ShaderStage {
    /// Runs once per vertex.
    Vertex,
    /// Runs once per fragment.
    Fragment,
    /// The stages put together.
    Link,
}

impl fmt::Display for ShaderStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Vertex => "vertex shader",
            Self::Fragment => "fragment shader",
            Self::Link => "link",
        })
    }
}

/// The text of a shader and the name of the file that it came from.
#[derive(Clone, Debug)]
pub struct ShaderSource {
    /// The file, for messages.
    pub file: Cow<'static, str>,
    /// GLSL, beginning with `#version`.
    pub text: Cow<'static, str>,
}

impl ShaderSource {
    /// `text`, which stands in `file`.
    pub fn new(file: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        Self { file: file.into(), text: text.into() }
    }
}

/// A shader from the folder `shaders/`, embedded at build time.
#[macro_export]
macro_rules! shader_file {
    ($name:literal) => {
        $crate::gl::ShaderSource::new(
            concat!("shaders/", $name),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $name)),
        )
    };
}

/// The driver refused a shader or a program.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ShaderError {
    /// What was being done.
    pub stage: ShaderStage,
    /// The file of the shader, or the name of the program.
    pub file: String,
    /// The line that the driver's log names first, from 1.
    pub line: Option<u32>,
    /// The driver's log, whole.
    pub log: String,
}

impl fmt::Display for ShaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        // One line: the first of the log that says something. `log` has the rest.
        let first =
            self.log.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or("the driver gave no reason");
        write!(f, ": {} failed: {first}", self.stage)
    }
}

impl StdError for ShaderError {}

/// Compiles one shader.
pub(super) fn compile(
    gl: &Gl,
    stage: ShaderStage,
    source: &ShaderSource,
) -> Result<Handle<ShaderObject>, ShaderError> {
    let fail = |log: String| ShaderError {
        stage,
        file: source.file.clone().into_owned(),
        line: log_line(&log),
        log,
    };
    let kind = match stage {
        ShaderStage::Vertex => glow::VERTEX_SHADER,
        ShaderStage::Fragment | ShaderStage::Link => glow::FRAGMENT_SHADER,
    };
    // SAFETY: makes a name in the current context.
    let raw = unsafe { gl.raw().create_shader(kind) }.map_err(fail)?;
    // SAFETY: the name was just made here, for us alone.
    let shader: Handle<ShaderObject> = unsafe { Handle::from_raw(gl, raw) };
    // SAFETY: the shader is ours and alive.
    let (compiled, log) = unsafe {
        gl.raw().shader_source(raw, &source.text);
        gl.raw().compile_shader(raw);
        (gl.raw().get_shader_compile_status(raw), gl.raw().get_shader_info_log(raw))
    };
    if compiled {
        if !log.trim().is_empty() {
            log::debug!("{}: {}", source.file, log.trim());
        }
        Ok(shader)
    } else {
        Err(fail(log))
    }
}

/// The first line number in a driver's log. Drivers write `0:12(5): error` (Mesa), `0(12) : error` (NVIDIA) or
/// `ERROR: 0:12:` (AMD, Intel, Apple); the number before it is that of the source string.
pub(super) fn log_line(log: &str) -> Option<u32> {
    log.lines().find_map(|line| {
        let line = line.trim_start().trim_start_matches("ERROR:").trim_start();
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        if rest.len() == line.len() {
            return None;
        }
        let rest = rest.strip_prefix([':', '('])?;
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        rest[..end].parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_numbers_are_found_in_every_dialect() {
        for (log, want) in [
            ("0:12(5): error: `foo' undeclared", Some(12)),
            ("\n0(7) : error C1008: undefined variable \"foo\"", Some(7)),
            ("ERROR: 0:3: 'foo' : undeclared identifier", Some(3)),
            ("ERROR: 2 compilation errors. No code generated.", None),
            ("out of memory", None),
            ("", None),
            ("12:", None),
        ] {
            assert_eq!(log_line(log), want, "{log:?}");
        }
    }

    #[test]
    fn error_text_is_one_line_with_file_and_line() {
        let e = ShaderError {
            stage: ShaderStage::Fragment,
            file: "shaders/x.frag".into(),
            line: Some(4),
            log: "\n0:4(1): error: syntax error\nmore".into(),
        };
        assert_eq!(e.to_string(), "shaders/x.frag:4: fragment shader failed: 0:4(1): error: syntax error");
    }
}
