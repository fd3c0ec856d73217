//! What is done to a shader's text before the driver sees it: `#include "file"` and defines. Everything else in the text is
//! the driver's business.
//!
//! The driver counts the lines of the whole text, and a table leads its numbers back to files. `#line` with numbers of
//! source strings would be the language's own way, but drivers lose them: Mesa 22.3 reports some errors of an included file
//! under string 0. A `#line` that a file has itself is left out, since it would only put the count wrong.

use std::borrow::Cow;

use super::shader_error::ShaderFault;

/// Includes within includes, at most: real shaders stay far below, and a message names the chain before a stack ends.
pub(super) const MAX_DEPTH: usize = 16;
/// Includes in all, at most: files without text that include each other several times never get too long.
pub(super) const MAX_INCLUDES: usize = 1000;
/// Longest text with all includes, in bytes. A file that includes another twice doubles it at every level.
pub(super) const MAX_TEXT: usize = 1 << 20;

/// A file that an `#include` led to.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// What messages call it.
    pub(super) shown: String,
    pub(super) text: Cow<'static, str>,
}

/// Where includes are looked for, by name; an error is why a file that is there cannot be read.
pub(super) type Find<'a> = dyn FnMut(&str) -> Result<Option<Found>, String> + 'a;

/// One text for the driver.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Flat {
    pub(super) text: String,
    /// What messages call the files: the shader itself, then each include where it was taken in.
    pub(super) files: Vec<String>,
    /// Which line of which file each line of the text is; defines belong to the line that they follow.
    lines: Vec<(usize, u32)>,
}

/// Something wrong with the text, at a line of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Refused {
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) fault: ShaderFault,
}

/// Puts the text together. `shown` is what messages call the shader.
pub(super) fn flatten(
    shown: &str,
    text: &str,
    defines: &[(String, String)],
    find: &mut Find<'_>,
) -> Result<Flat, Refused> {
    for (name, value) in defines {
        if !is_identifier(name) || name.starts_with("gl_") || value.contains(['\n', '\r']) {
            let fault = ShaderFault::Define { name: name.clone() };
            return Err(Refused { file: shown.to_owned(), line: 1, fault });
        }
    }
    let mut writer = Writer { flat: Flat::default(), once: Vec::new(), find };
    let mut pending = Some(defines);
    if version_of(text).is_none() {
        // Without a version the language is GLSL 1.10, in which defines may stand anywhere.
        writer.define(pending.take().unwrap_or_default(), 1);
    }
    writer.file(shown, None, text, &mut vec![], &mut pending)?;
    Ok(writer.flat)
}

struct Writer<'a, 'f> {
    flat: Flat,
    /// Names of files that asked to be taken in once only.
    once: Vec<String>,
    find: &'a mut Find<'f>,
}

impl Writer<'_, '_> {
    /// Adds one file. `chain` has the names of the files that led to it.
    fn file(
        &mut self,
        shown: &str,
        name: Option<&str>,
        text: &str,
        chain: &mut Vec<String>,
        defines: &mut Option<&[(String, String)]>,
    ) -> Result<(), Refused> {
        let number = self.flat.files.len();
        self.flat.files.push(shown.to_owned());
        let refuse = |line, fault| Err(Refused { file: shown.to_owned(), line, fault });
        let mut scanner = Scanner::default();
        for (line, at) in text.lines().zip(1_u32..) {
            let directive = scanner.line(line);
            if line.contains('\0') {
                return refuse(at, ShaderFault::ZeroByte);
            }
            if self.flat.text.len() + line.len() > MAX_TEXT {
                return refuse(at, ShaderFault::TooLong { limit: MAX_TEXT });
            }
            match directive {
                Some(Directive::Include(Some(wanted))) if !scanner.in_comment => {
                    if !self.once.iter().any(|n| n == wanted) {
                        self.include(shown, at, name, wanted, chain)?;
                    }
                    continue;
                }
                Some(Directive::Include(_)) => {
                    return refuse(at, ShaderFault::Include { line: line.trim().to_owned() });
                }
                Some(Directive::Once) => {
                    self.once.extend(name.map(str::to_owned));
                    continue;
                }
                Some(Directive::Line) => continue,
                _ => {}
            }
            self.push(line, number, at);
            if matches!(directive, Some(Directive::Version(_)))
                && let Some(defines) = defines.take()
            {
                self.define(defines, at);
            }
        }
        if scanner.in_comment {
            let last = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
            return refuse(last, ShaderFault::OpenComment);
        }
        Ok(())
    }

    fn include(
        &mut self,
        from: &str,
        line: u32,
        name: Option<&str>,
        wanted: &str,
        chain: &mut Vec<String>,
    ) -> Result<(), Refused> {
        let refuse = |fault| Err(Refused { file: from.to_owned(), line, fault });
        if !is_plain_name(wanted) {
            return refuse(ShaderFault::IncludeOutside { name: wanted.to_owned() });
        }
        chain.push(name.unwrap_or(from).to_owned());
        if chain.iter().any(|n| n == wanted) {
            let mut chain = std::mem::take(chain);
            chain.push(wanted.to_owned());
            return refuse(ShaderFault::IncludeCycle { chain });
        }
        if chain.len() > MAX_DEPTH {
            return refuse(ShaderFault::IncludeDepth { limit: MAX_DEPTH });
        }
        if self.flat.files.len() > MAX_INCLUDES {
            return refuse(ShaderFault::IncludeCount { limit: MAX_INCLUDES });
        }
        let found = match (self.find)(wanted) {
            Ok(Some(found)) => found,
            Ok(None) => return refuse(ShaderFault::IncludeMissing { name: wanted.to_owned() }),
            Err(why) => return refuse(ShaderFault::IncludeUnreadable { name: wanted.to_owned(), why }),
        };
        self.file(&found.shown, Some(wanted), &found.text, chain, &mut None)?;
        chain.pop();
        Ok(())
    }

    fn define(&mut self, defines: &[(String, String)], at: u32) {
        for (name, value) in defines {
            self.push(&format!("#define {name} {value}"), 0, at);
        }
    }

    fn push(&mut self, line: &str, file: usize, at: u32) {
        self.flat.text.push_str(line);
        self.flat.text.push('\n');
        self.flat.lines.push((file, at));
    }
}

impl Flat {
    /// The file and the line in it that a line of the text is, counted from 1.
    pub(super) fn place(&self, line: u32) -> Option<(&str, u32)> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let &(file, line) = self.lines.get(index)?;
        Some((self.files.get(file)?, line))
    }

    /// The first line of the text that has `word` in it and, if there is one, `qualifier` as well: where it is declared,
    /// as file and line.
    pub(super) fn declaration(&self, word: &str, qualifier: &str) -> Option<(&str, u32)> {
        let lines = || self.text.lines().zip(1..).filter(|(text, _)| has_word(text, word));
        let found = lines().find(|(text, _)| has_word(text, qualifier)).or_else(|| lines().next());
        found.and_then(|(_, line)| self.place(line))
    }
}

fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part))
}

fn is_identifier(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A name that stays inside the folder that it is looked for in.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.contains(['\\', ':', '\0']) && name.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn version_of(text: &str) -> Option<u32> {
    let mut scanner = Scanner::default();
    text.lines().find_map(|line| match scanner.line(line) {
        Some(Directive::Version(version)) => version,
        _ => None,
    })
}

/// The directives that matter here.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Directive<'a> {
    /// `#include`, with the name where it is written in quotes.
    Include(Option<&'a str>),
    Version(Option<u32>),
    /// `#pragma once`
    Once,
    /// `#line`
    Line,
}

/// Tells code from comments, line by line.
#[derive(Debug, Default)]
struct Scanner {
    in_comment: bool,
    /// The line before ended in a backslash: this one belongs to it.
    continued: bool,
}

impl Scanner {
    fn line<'a>(&mut self, line: &'a str) -> Option<Directive<'a>> {
        let whole = !std::mem::replace(&mut self.continued, line.ends_with('\\'));
        let code = self.code(line)?;
        whole.then(|| directive(code)).flatten()
    }

    /// The line from its first character of code on, up to a comment behind it. Moves the state to the line's end.
    fn code<'a>(&mut self, line: &'a str) -> Option<&'a str> {
        let bytes = line.as_bytes();
        let (mut at, mut first, mut end) = (0, None, bytes.len());
        let mut quoted = false;
        while at < bytes.len() {
            let two = &bytes[at..(at + 2).min(bytes.len())];
            if self.in_comment {
                self.in_comment = two != b"*/";
                at += if self.in_comment { 1 } else { 2 };
            } else if !quoted && (two == b"//" || two == b"/*") {
                if first.is_some() {
                    end = end.min(at);
                }
                if two == b"//" {
                    break;
                }
                self.in_comment = true;
                at += 2;
            } else {
                quoted ^= bytes[at] == b'"';
                if !bytes[at].is_ascii_whitespace() {
                    first.get_or_insert(at);
                }
                at += 1;
            }
        }
        // Both ends lie beside ASCII characters.
        first.map(|first| &line[first..end])
    }
}

fn directive(code: &str) -> Option<Directive<'_>> {
    let rest = code.strip_prefix('#')?.trim_start();
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (word, rest) = (&rest[..end], rest[end..].trim());
    Some(match word {
        "include" => {
            let name = rest.strip_prefix('"').and_then(|r| r.strip_suffix('"'));
            Directive::Include(name.filter(|n| !n.is_empty() && !n.contains('"')))
        }
        "version" => Directive::Version(rest.split_whitespace().next().and_then(|v| v.parse().ok())),
        "pragma" if rest == "once" => Directive::Once,
        "line" => Directive::Line,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
