//! Suites of scenarios: built-in ones and files of the user's own, in one form.

mod entry;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use self::entry::File;
use super::place::Place;
use super::scenario::Scenario;
use crate::app::{Failure, plain_file};

/// The built-in suites by name, as their files are.
pub const BUILT_IN: [(&str, &str); 2] =
    [("quick", include_str!("../suites/quick.toml")), ("full", include_str!("../suites/full.toml"))];

/// Larger than any suite that somebody wrote.
const LARGEST: u64 = 1 << 20;
/// More scenarios than anybody waits for: lists multiply quickly.
const MOST_SCENARIOS: usize = 2_000;

/// Scenarios under a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    pub name: String,
    pub scenarios: Vec<Scenario>,
}

impl Suite {
    /// The built-in suite of this name, or the file at this path.
    pub fn find(name: &str) -> Result<Self, Failure> {
        if let Some((name, text)) = BUILT_IN.into_iter().find(|(known, _)| *known == name) {
            return Self::parse(name, text).map_err(Failure::Usage);
        }
        let path = Path::new(name);
        if path.extension().is_none_or(|e| e != "toml") {
            return Err(Failure::Usage(format!(
                "no suite is called {name:?}; there are: quick, full, or a .toml file"
            )));
        }
        let fail = |why: &dyn fmt::Display| Failure::Usage(format!("{name}: {why}"));
        let bytes = plain_file::read(path, LARGEST, "which no suite is").map_err(|e| fail(&e))?;
        let text = String::from_utf8(bytes).map_err(|_| fail(&"it is no text"))?;
        Self::parse(name, &text).map_err(Failure::Usage)
    }

    /// The suite in `text`; `file` is named in errors, with the line.
    fn parse(file: &str, text: &str) -> Result<Self, String> {
        let parsed: File = toml::from_str(text).map_err(|e| {
            let line = e.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let why = e.message().replace('\n', " ");
            line.map_or(format!("{file}: {why}"), |line| format!("{file}:{line}: {why}"))
        })?;
        let stem = Path::new(file).file_stem().map_or(file.into(), |s| s.to_string_lossy());
        let name = parsed.name.unwrap_or_else(|| stem.into_owned());
        let mut scenarios = Vec::new();
        if parsed.scenario.iter().any(|entry| entry.frames.is_some() && entry.seconds.is_some()) {
            return Err(format!(
                "{file}: a scenario lasts for its frames or for its seconds, and not for both"
            ));
        }
        for entry in parsed.scenario {
            // Before it is expanded: four long lists would fill the memory first.
            if scenarios.len().saturating_add(entry.combinations()) > MOST_SCENARIOS {
                return Err(format!("{file}: there are more than {MOST_SCENARIOS} scenarios"));
            }
            entry.expand(&mut scenarios);
        }
        if scenarios.is_empty() {
            return Err(format!("{file}: there is no [[scenario]]"));
        }
        if let Some(odd) =
            scenarios.iter().find(|s| s.name.trim().is_empty() || s.name.chars().any(char::is_control))
        {
            return Err(format!("{file}: {:?} cannot name a scenario: a name is one line of text", odd.name));
        }
        // What the bench itself reads is not the suite's to move.
        let ours = |arg: &&String| ["--report", "--frame-log", "--help"].iter().any(|o| arg.starts_with(o));
        if let Some(arg) = scenarios.iter().flat_map(|s| &s.args).find(ours) {
            return Err(format!("{file}: {arg:?} cannot be among the args of a scenario: the bench sets it"));
        }
        let waits = |s: &&Scenario| s.place == Place::Desktop && s.waits_for_input() && s.seconds.is_none();
        if let Some(waits) = scenarios.iter().find(waits) {
            let name = &waits.name;
            return Err(format!(
                "{file}: {name:?} would wait for ever: nothing is injected on the desktop; give it --animate, or seconds"
            ));
        }
        let mut names = BTreeSet::new();
        match scenarios.iter().find(|s| !names.insert(s.name.clone())) {
            Some(twice) => Err(format!("{file}: two scenarios are called {:?}; give them names", twice.name)),
            None => Ok(Self { name, scenarios }),
        }
    }
}

#[cfg(test)]
mod tests;
