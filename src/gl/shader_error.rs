use std::error::Error as StdError;
use std::fmt;

use super::shader::ShaderStage;
use super::shader_preprocess::Flat;

/// A shader or a program was refused, by the driver or before it got there.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ShaderError {
    /// What was being done.
    pub stage: ShaderStage,
    /// The file, or the name of the program where no file is to blame.
    pub file: String,
    /// The line in that file, from 1.
    pub line: Option<u32>,
    /// What is wrong.
    pub fault: ShaderFault,
    /// The driver's log, whole, with files and their lines in place of its own numbers; the fault's text where no driver
    /// was asked.
    pub log: String,
}

/// What is wrong with a shader or a program.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ShaderFault {
    /// The driver says so.
    Driver {
        /// The line of its log that tells, without its place; [`ShaderError::log`] has all of it.
        message: String,
    },
    /// An `#include` is not written as `#include "file"` on one line.
    Include {
        /// The line.
        line: String,
    },
    /// An `#include` leads out of the folder of the shaders.
    IncludeOutside {
        /// What it names.
        name: String,
    },
    /// There is no such file in the folder, and none was embedded.
    IncludeMissing {
        /// The name.
        name: String,
    },
    /// The file is there and cannot be read.
    IncludeUnreadable {
        /// The name.
        name: String,
        /// The system's reason.
        why: String,
    },
    /// A file includes itself by way of others.
    IncludeCycle {
        /// The files, the first one again at the end.
        chain: Vec<String>,
    },
    /// Includes lie deeper than this.
    IncludeDepth {
        /// The limit.
        limit: usize,
    },
    /// There are more includes than this, counted each time.
    IncludeCount {
        /// The limit.
        limit: usize,
    },
    /// The text with its includes is longer than this.
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// A line has a byte of value zero, at which drivers take the text to end.
    ZeroByte,
    /// A comment is not closed in the file that opens it.
    OpenComment,
    /// A define that is no plain macro: its name is no identifier or is the language's, or its value has several lines.
    Define {
        /// Its name.
        name: String,
    },
    /// The shader and the Rust type that goes with it do not agree.
    Mismatch {
        /// The variable or the member as GLSL has it: `uniform vec3 u_right`.
        glsl: String,
        /// The Rust side: `Uniform<Vec4>`, or field and type.
        rust: String,
    },
}

impl fmt::Display for ShaderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Driver { message } => f.write_str(message),
            Self::Include { line } => {
                write!(f, "`{line}`: an include is written #include \"file\" on one line")
            }
            Self::IncludeOutside { name } => {
                write!(f, "`{name}` is not a plain path below the folder of the shaders")
            }
            Self::IncludeMissing { name } => {
                write!(f, "no file `{name}`: it is in no shader folder, and shader_file! does not embed it")
            }
            Self::IncludeUnreadable { name, why } => write!(f, "`{name}` cannot be read: {why}"),
            Self::IncludeCycle { chain } => write!(f, "includes go round: {}", chain.join(" > ")),
            Self::IncludeDepth { limit } => write!(f, "includes lie more than {limit} deep"),
            Self::IncludeCount { limit } => write!(f, "there are more than {limit} includes"),
            Self::TooLong { limit } => write!(f, "with its includes it is longer than {limit} bytes"),
            Self::ZeroByte => f.write_str("the line has a zero byte: this is no text"),
            Self::OpenComment => write!(f, "a comment is not closed by the end of the file"),
            Self::Define { name } => {
                write!(f, "{name:?} cannot be defined: names are identifiers, values one line")
            }
            Self::Mismatch { glsl, rust } => write!(f, "GLSL has {glsl}, Rust has {rust}"),
        }
    }
}

impl fmt::Display for ShaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {} failed: {}", self.stage, self.fault)
    }
}

impl StdError for ShaderError {}

impl ShaderError {
    /// Whether a user reads the same of both.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let told = |e: &Self| (e.stage, e.line);
        told(self) == told(other) && self.file == other.file && self.fault == other.fault
    }

    /// Something that no driver was asked about.
    pub(super) fn of(stage: ShaderStage, file: &str, line: Option<u32>, fault: ShaderFault) -> Self {
        Self { stage, file: file.to_owned(), line, log: fault.to_string(), fault }
    }

    /// What a driver said of a text, or of a program where there is none. `name` is to blame where no file is.
    pub(super) fn driver(stage: ShaderStage, name: &str, flat: Option<&Flat>, log: &str) -> Self {
        let find = |line| flat.and_then(|flat| flat.place(line));
        let told = telling(log);
        let at = told.and_then(place);
        let message =
            at.map_or(told.unwrap_or("the driver gave no reason"), |p| p.rest.trim_start_matches(is_column));
        let found = at.and_then(|p| find(p.line));
        let whole = flat.and_then(|flat| flat.files.first()).map_or(name, String::as_str);
        let mut named = String::with_capacity(log.len());
        for line in log.lines() {
            match place(line).and_then(|p| Some((find(p.line)?, p))) {
                Some(((file, at), p)) => named.push_str(&format!("{file}:{at}{}", p.rest)),
                None => named.push_str(line),
            }
            named.push('\n');
        }
        Self {
            stage,
            file: found.map_or(whole, |(file, _)| file).to_owned(),
            line: found.map(|(_, line)| line),
            fault: ShaderFault::Driver { message: message.to_owned() },
            log: named,
        }
    }
}

/// The line of a log that says what is wrong: the first error, or else the first line that says something.
fn telling(log: &str) -> Option<&str> {
    let lines = || log.lines().map(str::trim).filter(|l| !l.is_empty());
    let error = |l: &&str| l.to_ascii_lowercase().contains("error");
    lines()
        .find(|l| error(l) && place(l).is_some())
        .or_else(|| lines().find(|l| place(l).is_some()))
        .or_else(|| lines().find(error))
        .or_else(|| lines().next())
}

/// A place in the source that a line of a log begins with.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
struct Place<'a> {
    line: u32,
    /// What follows: perhaps the column, then the message.
    rest: &'a str,
}

/// Drivers write `0:12(5): error: ..` (Mesa), `0(12) : error ..` (NVIDIA) or `ERROR: 0:12: ..` (AMD, Intel, Apple, ANGLE);
/// the first number is that of the source string, of which there is one.
fn place(line: &str) -> Option<Place<'_>> {
    let line = line.trim_start();
    let line = ["ERROR:", "WARNING:"].iter().find_map(|w| line.strip_prefix(w)).unwrap_or(line).trim_start();
    let (_, rest) = number(line)?;
    let bracket = rest.starts_with('(');
    let (at, rest) = number(rest.strip_prefix([':', '('])?)?;
    let rest = if bracket { rest.strip_prefix(')')? } else { rest };
    // A log that breaks off after the number names no line.
    let goes_on = rest.starts_with([':', '(', ' ']);
    goes_on.then_some(Place { line: at, rest })
}

fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

const fn is_column(c: char) -> bool {
    matches!(c, '(' | ')' | ':' | ' ' | '0'..='9')
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::gl::shader_preprocess::{Found, flatten};

    /// Three lines of the shader, with an include of four lines after the first.
    fn flat() -> Flat {
        let light = "l1\nl2\nl3\nl4\n";
        let mut find = |_: &str| Ok(Some(Found { shown: "shaders/light.glsl".into(), text: light.into() }));
        flatten("shaders/x.frag", "x1\n#include \"light.glsl\"\nx3\nx4\n", &[], &mut find).unwrap()
    }

    fn of(log: &str) -> (String, Option<u32>, String) {
        let e = ShaderError::driver(ShaderStage::Fragment, "x", Some(&flat()), log);
        (e.file, e.line, e.fault.to_string())
    }

    #[test]
    fn places_are_led_back_to_files_in_every_dialect() {
        let (x, light) = ("shaders/x.frag", "shaders/light.glsl");
        for (log, file, line, message) in [
            ("0:1(5): error: `foo' undeclared", x, Some(1), "error: `foo' undeclared"),
            ("0:4(2): error: syntax error", light, Some(3), "error: syntax error"),
            ("\n0(6) : error C1008: undefined \"foo\"", x, Some(3), "error C1008: undefined \"foo\""),
            ("0(2) : error C0000: syntax error", light, Some(1), "error C0000: syntax error"),
            ("ERROR: 0:7: 'foo' : undeclared identifier", x, Some(4), "'foo' : undeclared identifier"),
            ("ERROR: 0:5: error(#132) Syntax error", light, Some(4), "error(#132) Syntax error"),
            // What only warns is not to blame.
            ("WARNING: 0:1: hm\nERROR: 0:2: 'x' : no", light, Some(1), "'x' : no"),
            ("0:1(1): warning: hm\n0:3(3): error: no", light, Some(2), "error: no"),
            // A line that the text does not have: the shader is named.
            ("0:500(3): error: no", x, None, "error: no"),
            ("0:0(0): error: no", x, None, "error: no"),
            (
                "ERROR: 2 compilation errors. No code generated.",
                x,
                None,
                "ERROR: 2 compilation errors. No code generated.",
            ),
            ("out of memory", x, None, "out of memory"),
            ("", x, None, "the driver gave no reason"),
            ("12:", x, None, "12:"),
            ("0:99999999999999(1): error", x, None, "0:99999999999999(1): error"),
        ] {
            let got = of(log);
            assert_eq!((got.0.as_str(), got.1, got.2.as_str()), (file, line, message), "{log:?}");
        }
    }

    #[test]
    fn log_keeps_every_line_with_files_in_place_of_numbers() {
        let log = "0:1(1): error: one\nsomething else\n0(2) : error: two\n0:99(1): error: three\n";
        let e = ShaderError::driver(ShaderStage::Vertex, "p", Some(&flat()), log);
        assert_eq!(
            e.log,
            "shaders/x.frag:1(1): error: one\nsomething else\nshaders/light.glsl:1 : error: two\n0:99(1): error: three\n"
        );
    }

    #[test]
    fn error_text_is_one_line_with_file_and_line() {
        let log = "\n0:7(1): error: syntax error\nmore";
        let e = ShaderError::driver(ShaderStage::Fragment, "x", Some(&flat()), log);
        assert_eq!(e.to_string(), "shaders/x.frag:4: fragment shader failed: error: syntax error");
        let e = ShaderError::driver(ShaderStage::Link, "model", None, "error: no main\n");
        assert_eq!(e.to_string(), "model: link failed: error: no main");
        let fault = ShaderFault::IncludeMissing { name: "no.glsl".into() };
        let e = ShaderError::of(ShaderStage::Vertex, "shaders/x.vert", Some(2), fault);
        assert!(
            e.to_string().starts_with("shaders/x.vert:2: vertex shader failed: no file `no.glsl`"),
            "{e}"
        );
    }
}
