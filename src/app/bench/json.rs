//! Results as JSON files: `scanout.bench/1`, described in docs/bench-format.md.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use serde::Deserialize;

use scanout::Error;

use super::result::{BENCH_SCHEMA, BenchResult, Samples, ScenarioResult, can_be, numbers};
use crate::app::{Failure, output, plain_file};

/// Far above what a suite leaves behind, and little enough to be held in memory.
const LARGEST: u64 = 512 << 20;

/// Writes a result, whole or not at all.
///
/// # Errors
/// [`Failure::Run`] where the file cannot be written, or where the result has a figure that is no number: JSON could not
/// say it, and what is written must be readable.
pub fn write(path: &Path, result: &BenchResult) -> Result<(), Failure> {
    let failed = |why: String| {
        let source = io::Error::new(io::ErrorKind::InvalidData, why);
        Failure::Run(Error::Io { path: path.to_owned(), action: "write", source })
    };
    check(result).map_err(failed)?;
    let mut text = serde_json::to_vec(result).map_err(|e| failed(e.to_string()))?;
    text.push(b'\n');
    Ok(output::write(path, &text)?)
}

/// Reads a result. Fields that this version does not know are passed over.
///
/// # Errors
/// [`Failure::Usage`], in one line, where there is no such plain file, or where it is not a result of this version.
pub fn read(path: &Path) -> Result<BenchResult, Failure> {
    let refused = |why: &str| Failure::Usage(format!("cannot read {}: {why}", path.display()));
    let text = plain_file::read(path, LARGEST, "which no result of a bench is")
        .map_err(|e| refused(&e.to_string()))?;
    parse(&text).map_err(|why| refused(&why))
}

/// A result from the contents of a file, or why there is none in it.
pub fn parse(text: &[u8]) -> Result<BenchResult, String> {
    #[derive(Deserialize)]
    struct Version {
        schema: Option<String>,
    }
    let broken = |e: serde_json::Error| match e.classify() {
        serde_json::error::Category::Eof if text.trim_ascii().is_empty() => "it is empty".to_owned(),
        serde_json::error::Category::Eof => "the file is cut off".to_owned(),
        serde_json::error::Category::Data => format!("it is no {BENCH_SCHEMA}: {e}"),
        _ => format!("it is no JSON: {e}"),
    };
    // Before anything else is read: another version may have the same fields with other meanings.
    match serde_json::from_slice(text).map_err(broken)? {
        Version { schema: Some(schema) } if schema == BENCH_SCHEMA => {}
        Version { schema: Some(schema) } => {
            let schema: String = schema.chars().filter(|c| !c.is_control()).take(40).collect();
            return Err(format!("its schema is {schema}, and this program reads {BENCH_SCHEMA}"));
        }
        Version { schema: None } => {
            return Err(format!("it is no {BENCH_SCHEMA}; `scanout bench --save FILE` writes one"));
        }
    }
    let result = serde_json::from_slice(text).map_err(broken)?;
    check(&result).map_err(|why| format!("it is no {BENCH_SCHEMA}: {why}"))?;
    Ok(result)
}

/// What the form asks for beyond the types of its fields.
fn check(result: &BenchResult) -> Result<(), String> {
    let mut names = BTreeSet::new();
    for scenario in &result.scenarios {
        let name = &scenario.name;
        if !names.insert(name) {
            return Err(format!("there are two scenarios {name:?}"));
        }
        check_scenario(scenario).map_err(|why| format!("scenario {name:?}: {why}"))?;
    }
    let machine = &result.machine;
    finite("the load average", [machine.load_before, machine.load_after].into_iter().flatten())
}

fn check_scenario(scenario: &ScenarioResult) -> Result<(), String> {
    let s = scenario;
    let shares = [s.refresh_hz, s.measured_hz, s.miss_budget, s.cpu_share, s.spin_share, s.wakeups_per_s];
    finite("a rate or share", shares.into_iter().flatten().chain([s.elapsed_s, s.frames_per_second]))?;
    for (name, figures) in &s.metrics {
        finite(name, figures.iter().flat_map(numbers))?;
    }
    for (name, Samples { every, ms, rounds }) in &s.samples {
        finite(name, ms.iter().copied())?;
        if *every == 0 {
            return Err(format!("samples of {name}: `every` is 0"));
        }
        let sum = rounds.iter().try_fold(0_u64, |sum, n| sum.checked_add(*n));
        if !rounds.is_empty() && sum != Some(ms.len() as u64) {
            return Err(format!("samples of {name}: the rounds do not add up to {} values", ms.len()));
        }
    }
    Ok(())
}

fn finite(what: &str, mut values: impl Iterator<Item = f64>) -> Result<(), String> {
    match values.find(|v| !can_be(*v)) {
        Some(v) if v.is_finite() => Err(format!("{what} has a value of {v:e}, which nothing can measure")),
        Some(v) => Err(format!("{what} has a value of {v}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::bench::made_up;

    const GOLDEN: &str = include_str!("../../../tests/golden/bench-1.json");

    #[test]
    fn what_is_written_is_read_back_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.json");
        let result = made_up::result(3, 0.0);
        write(&path, &result).unwrap();
        assert_eq!(read(&path).unwrap(), result);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// The file is what the first program with this version wrote, and must be read for as long as the version is.
    #[test]
    fn the_golden_file_of_version_1_still_says_the_same() {
        let result = parse(GOLDEN.as_bytes()).unwrap();
        assert_eq!((result.suite.as_str(), result.began_unix_s), ("quick", 1_790_000_000));
        assert_eq!(result.interleaved.as_deref(), Some("1790000000-77"));
        assert_eq!((result.machine.cores, result.machine.load_after), (2, None));
        let [scenario, failed] = &result.scenarios[..] else { panic!("two scenarios") };
        assert_eq!((scenario.size, scenario.software, scenario.missed_vsyncs), ([640, 360], true, Some(2)));
        let click = scenario.metrics["ClickToPhoton"].unwrap();
        assert_eq!((click.n, click.p99, click.p999), (4, 9.75, None));
        assert_eq!(scenario.metrics["LatchToPhoton"], None);
        let samples = &scenario.samples["ClickToPhoton"];
        assert_eq!(
            (samples.every, &samples.ms[..], &samples.rounds[..]),
            (1, &[8.5, 9.0, 9.25, 9.75][..], &[2, 2][..])
        );
        assert!(scenario.samples["SampleToPhoton"].rounds.is_empty());
        let [first, second] = &scenario.strip[..] else { panic!("two frames") };
        assert_eq!((first.id, first.input_received, first.queued), (301, Some(5_000_000), Some(0)));
        assert_eq!((second.presented, second.dropped), (None, true));
        assert!(failed.error.as_deref().is_some_and(|e| e.contains("no virtual keyboard")));
        // Written again it keeps every field that was in the file.
        let again = serde_json::to_value(&result).unwrap();
        assert_eq!(lost(&serde_json::from_str(GOLDEN).unwrap(), &again, "file"), Vec::<String>::new());
    }

    /// Where `again` has not what `file` has.
    fn lost(file: &serde_json::Value, again: &serde_json::Value, path: &str) -> Vec<String> {
        use serde_json::Value::{Array, Object};
        match (file, again) {
            (Object(a), Object(b)) => a
                .iter()
                .flat_map(|(key, value)| match b.get(key) {
                    Some(other) => lost(value, other, &format!("{path}.{key}")),
                    None => vec![format!("{path}.{key}")],
                })
                .collect(),
            (Array(a), Array(b)) if a.len() == b.len() => {
                a.iter().zip(b).flat_map(|(a, b)| lost(a, b, path)).collect()
            }
            (a, b) if a == b => Vec::new(),
            _ => vec![path.to_owned()],
        }
    }

    #[test]
    fn fields_of_later_programs_are_passed_over() {
        let text = GOLDEN.replacen("\"suite\"", "\"colour\": [1, {\"a\": null}], \"suite\"", 1);
        assert_eq!(parse(text.as_bytes()), parse(GOLDEN.as_bytes()));
    }

    #[test]
    fn what_is_no_result_is_refused_in_one_line() {
        let golden = |from: &str, to: &str| GOLDEN.replacen(from, to, 1);
        for (text, why) in [
            (String::new(), "empty"),
            ("{]".into(), "no JSON"),
            ("[1]".into(), "no scanout.bench/1"),
            ("{}".into(), "no scanout.bench/1"),
            (GOLDEN[..GOLDEN.len() / 2].to_owned(), "cut off"),
            (
                golden("scanout.bench/1", "scanout.bench/2"),
                "scanout.bench/2, and this program reads scanout.bench/1",
            ),
            (golden("scanout.bench/1", "scanout.frames/1"), "scanout.frames/1"),
            (golden("9.25", "NaN"), "no JSON"),
            (golden("9.25", "1e999"), "out of range"),
            (golden("9.25", "null"), "null"),
            (golden("9.25", "1e300"), "1e300"),
            (golden("9.75", "-1e300"), "-1e300"),
            (golden("\"every\": 1", "\"every\": 0"), "`every`"),
            (golden("\"rounds\": [2, 2]", "\"rounds\": [2, 3]"), "rounds"),
            (golden("\"rounds\": [2, 2]", "\"rounds\": [18446744073709551615, 5]"), "rounds"),
            (golden("\"suite\": \"quick\",", ""), "suite"),
            (golden("flash-immediate-wayland", "flash-immediate"), "two scenarios"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(why) && !error.contains('\n'), "{why}: {error}");
        }
    }

    #[test]
    fn what_is_no_plain_file_is_refused_as_wrong_usage() {
        for path in ["/no/such/file.json", "/dev/zero", "/"] {
            let Err(Failure::Usage(why)) = read(Path::new(path)) else { panic!("{path} was read") };
            assert!(why.contains(path) && !why.contains('\n'), "{why}");
        }
    }

    #[test]
    fn a_figure_that_is_no_number_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.json");
        let mut result = made_up::result(3, 0.0);
        result.scenarios[0].samples.values_mut().next().unwrap().ms[1] = f64::NAN;
        let Err(Failure::Run(error)) = write(&path, &result) else { panic!("it was written") };
        assert!(error.to_string().contains("NaN"));
        assert!(!path.exists());
    }
}
