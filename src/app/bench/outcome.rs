//! What comes of a bench: tables, files, verdicts, exit code.

use std::path::{Path, PathBuf};

use super::super::Failure;
use super::super::output;
use super::args::BenchArgs;
use super::compare::{self, Comparison};
use super::gate::{Gate, Verdict};
use super::measure::Measured;
use super::result::BenchResult;
use super::rounds::Both;
use super::{csv, html, json, table};

/// Bytes of a file name that come from the scenario: file systems take 255 in all.
const LONGEST_NAME: usize = 200;

/// All that was measured, and what was asked about it.
pub struct Outcome<'a> {
    pub args: &'a BenchArgs,
    pub gate: Option<Gate>,
    /// What `--compare` names.
    pub base: Option<BenchResult>,
    pub measured: Both,
    pub interrupted: bool,
}

impl Outcome<'_> {
    /// Prints, writes and judges, in this order: what was measured is kept whatever the verdict is.
    pub fn finish(self) -> Result<(), Failure> {
        let this = self.measured.this.whole();
        let against = self.measured.base.as_ref().map(|half| half.whole());
        let mut text = String::new();
        if !self.args.quiet {
            text.push_str(&table::whole(&this));
        }
        let mut wrote = |what: &str, path: &Path| {
            if !self.args.quiet {
                text.push_str(&format!("{what}: {}\n", path.display()));
            }
        };
        if let Some(path) = &self.args.save {
            json::write(path, &this)?;
            wrote("results", path);
            if let Some(against) = &against {
                let path = beside(path);
                json::write(&path, against)?;
                wrote("results of the base", &path);
            }
        }
        if let Some(path) = &self.args.csv {
            for (path, runs) in self.frames(path) {
                csv::write_frames(&path, &runs)?;
                wrote("frames", &path);
            }
        }
        // The base is older, or the other build; what is new is this one.
        let base = against.as_ref().or(self.base.as_ref());
        let comparison = base.map(|base| compare::compare(base, &this, &compare::Options::default()));
        if let Some(path) = &self.args.html {
            html::write(path, &this, base.zip(comparison.as_ref()))?;
            wrote("page", path);
        }
        match &comparison {
            Some(comparison) if self.args.quiet => text.push_str(&comparison.verdicts()),
            Some(comparison) => {
                text.push('\n');
                text.push_str(&comparison.to_table());
            }
            None => {}
        }
        let (lines, broken) = self.judged();
        for line in &lines {
            text.push_str(line);
            text.push('\n');
        }
        output::print(&text)?;
        self.verdict(&broken, comparison.as_ref())
    }

    /// The frames of all runs for one file, or of each scenario for a file of its own in a folder.
    fn frames(&self, path: &Path) -> Vec<(PathBuf, Vec<csv::Frames<'_>>)> {
        fn of(m: &Measured) -> Vec<csv::Frames<'_>> {
            let rows = m.logs.iter().map(|log| &log.frames[..]);
            rows.map(|rows| csv::Frames { scenario: &m.result.name, process: None, rows }).collect()
        }
        let all = self.measured.this.scenarios.iter().filter(|m| !m.logs.is_empty());
        if path.is_dir() {
            return all.map(|m| (path.join(file_name(&m.result.name)), of(m))).collect();
        }
        vec![(path.to_owned(), all.flat_map(of).collect())]
    }

    /// The gate's line for each scenario, and those that broke it.
    fn judged(&self) -> (Vec<String>, Vec<String>) {
        let Some(gate) = &self.gate else { return Default::default() };
        let (mut lines, mut broken) = (Vec::new(), Vec::new());
        for measured in self.measured.this.scenarios.iter().filter(|m| m.result.error.is_none()) {
            let verdict = gate.judge(measured);
            let line = gate.line(&measured.result.name, &verdict);
            if matches!(verdict, Verdict::Broken { .. }) {
                broken.push(line.clone());
            }
            lines.push(line);
        }
        (lines, broken)
    }

    /// The exit code, with one line where it is not 0. What could not be measured comes before what was not good enough.
    fn verdict(&self, broken: &[String], comparison: Option<&Comparison>) -> Result<(), Failure> {
        let halves = [("", Some(&self.measured.this)), (" of the base", self.measured.base.as_ref())];
        let all: Vec<_> = halves
            .into_iter()
            .filter_map(|(whose, half)| Some((whose, half?)))
            .flat_map(|(whose, half)| half.scenarios.iter().map(move |m| (whose, &m.result)))
            .collect();
        if self.interrupted {
            let done = all.iter().filter(|(_, s)| s.error.is_none()).count();
            return Err(Failure::Failed(format!(
                "interrupted: {done} of {} scenarios were measured",
                all.len()
            )));
        }
        let failed: Vec<_> =
            all.iter().filter_map(|(whose, s)| Some((whose, &s.name, s.error.as_ref()?))).collect();
        if let Some((whose, name, why)) = failed.first() {
            let more =
                if failed.len() > 1 { format!(" (and {} more)", failed.len() - 1) } else { String::new() };
            return Err(Failure::Usage(format!("scenario {name:?}{whose} was not measured: {why}{more}")));
        }
        if let [first, more @ ..] = broken {
            let first = first.trim_start_matches("broken").trim();
            let more = if more.is_empty() { String::new() } else { format!(" (and by {} more)", more.len()) };
            return Err(Failure::Failed(format!("the budget was broken by {first}{more}")));
        }
        if let Some(gate) = &self.gate {
            let verdicts: Vec<_> = self.measured.this.scenarios.iter().map(|m| (m, gate.judge(m))).collect();
            let few = verdicts.iter().find(|(_, v)| matches!(v, Verdict::TooFew { .. }));
            if let Some((measured, verdict)) = few {
                let line = gate.line(&measured.result.name, verdict);
                return Err(Failure::Usage(line.trim_start_matches(['-', ' ']).to_owned()));
            }
            if verdicts.iter().all(|(_, v)| *v == Verdict::NotMeasured) {
                return Err(Failure::Usage(format!("no scenario measured {}", gate.metric.name())));
            }
        }
        if comparison.is_some_and(Comparison::is_empty) {
            return Err(Failure::Usage(
                "nothing could be compared: the base has figures of no such scenario".into(),
            ));
        }
        if let Some(comparison) = comparison.filter(|c| c.regressed()) {
            return Err(Failure::Failed(regression(comparison)));
        }
        Ok(())
    }
}

/// A scenario's name as that of a file. Letters, digits and a few signs are themselves, a space is `_`, and each byte of all
/// else `%` and its number in hexadecimal: two names never have one file. What is too long for a file system ends with a
/// number made from all of it.
fn file_name(name: &str) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut plain = String::new();
    for (i, byte) in name.bytes().enumerate() {
        match byte {
            b' ' => plain.push('_'),
            // A file that begins with a dot is hidden.
            b'.' if i == 0 => plain.push_str("%2E"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'=' | b'.' | b',' | b'-' => plain.push(byte.into()),
            _ => plain.push_str(&format!("%{byte:02X}")),
        }
    }
    if plain.len() > LONGEST_NAME {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        plain.truncate(LONGEST_NAME);
        plain.push_str(&format!("~{:016x}", hasher.finish()));
    }
    plain + ".csv"
}

/// What got worse, in one line.
fn regression(comparison: &Comparison) -> String {
    let mut what: Vec<String> = comparison.broken.iter().map(|name| format!("{name} fails now")).collect();
    what.extend(comparison.slower().into_iter().map(|slower| format!("{slower} is slower")));
    format!("worse than the base: {}", what.join("; "))
}

/// Where the results of the base of `--interleave` go: `new.json` has `new.base.json` beside it.
pub fn beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map_or(String::new(), |e| format!(".{}", e.to_string_lossy()));
    path.with_file_name(format!("{stem}.base{extension}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_scenarios_are_names_of_files() {
        assert_eq!(file_name("flip auto headless=120 spike=6/20"), "flip_auto_headless=120_spike=6%2F20.csv");
        assert_eq!(file_name("../x"), "%2E.%2Fx.csv");
    }

    #[test]
    fn two_scenarios_never_have_one_file() {
        let long = "x".repeat(1_000);
        let (long_a, long_b) = (format!("{long}a"), format!("{long}b"));
        let names = [
            "a b", "a-b", "a_b", "a/b", "a:b", "a%b", "a%2Fb", "a\u{e9}b", "ab", ".a", "%2Ea", &long_a,
            &long_b,
        ];
        let files: std::collections::BTreeSet<_> = names.iter().map(|name| file_name(name)).collect();
        assert_eq!(files.len(), names.len(), "{files:?}");
        assert!(files.iter().all(|file| file.len() < 255 && !file.contains('/') && !file.starts_with('.')));
    }

    #[test]
    fn results_of_the_base_stand_beside_those_of_this_build() {
        assert_eq!(beside(Path::new("a/new.json")), Path::new("a/new.base.json"));
        assert_eq!(beside(Path::new("new")), Path::new("new.base"));
    }
}
