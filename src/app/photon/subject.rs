//! Which window was measured.

use std::fmt;
use std::path::Path;

use scanout::observe::{Toplevel, X11};
use serde::Serialize;

/// A window as its server tells of it. What it does not tell is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Subject {
    /// Its number on an X server, as `xwininfo` writes it.
    pub id: Option<String>,
    pub title: Option<String>,
    /// What its program calls itself (WM_CLASS, app id).
    pub class: Option<String>,
    /// The process that has it.
    pub pid: Option<u32>,
    /// What that process was started as.
    pub program: Option<String>,
}

impl Subject {
    pub fn on_x11(user: &X11, window: u32) -> Self {
        let id = Some(format!("0x{window:x}"));
        let (title, class) = (told(&user.title(window)), told(&user.class(window)));
        Self { id, title, class, ..Self::of_process(user.pid(window)) }
    }

    pub fn of_process(pid: Option<u32>) -> Self {
        Self { pid, program: pid.and_then(program), ..Self::default() }
    }
}

impl From<&Toplevel> for Subject {
    fn from(window: &Toplevel) -> Self {
        Self { title: told(&window.title), class: told(&window.app_id), ..Self::default() }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title =
            self.title.as_ref().map_or_else(|| "without a title".into(), |title| format!("'{title}'"));
        let id = self.id.iter().map(|id| format!("{id} ")).collect::<String>();
        write!(f, "{id}{title}")?;
        if let Some(class) = &self.class {
            write!(f, " ({class})")?;
        }
        match (self.pid, &self.program) {
            (Some(pid), Some(program)) => write!(f, ", of process {pid} ({program})"),
            (Some(pid), None) => write!(f, ", of process {pid}"),
            (None, _) => write!(f, ", of an unknown process"),
        }
    }
}

/// In one line, if there is something.
fn told(text: &str) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(text).filter(|text| !text.is_empty())
}

/// The name of the file that the process was started as.
fn program(pid: u32) -> Option<String> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let first = String::from_utf8_lossy(line.split(|byte| *byte == 0).next()?).into_owned();
    told(&Path::new(&first).file_name()?.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_is_told_by_what_is_known_of_it() {
        let whole = Subject {
            id: Some("0x2a".into()),
            title: told(" notes\n.txt "),
            class: Some("Ed".into()),
            pid: Some(7),
            program: Some("ed".into()),
        };
        assert_eq!(whole.to_string(), "0x2a 'notes .txt' (Ed), of process 7 (ed)");
        assert_eq!(Subject::default().to_string(), "without a title, of an unknown process");
        assert_eq!(told("\n"), None);
        let me = program(std::process::id()).unwrap();
        assert!(!me.is_empty() && !me.contains('/'), "{me}");
    }
}
