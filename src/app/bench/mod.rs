//! `scanout bench`: scenarios measured, stored and compared.

mod args;
mod child;
pub mod compare;
pub mod csv;
mod gate;
pub mod html;
pub mod json;
mod machine;
#[cfg(test)]
mod made_up;
mod measure;
mod outcome;
mod place;
pub mod report_cmd;
pub mod result;
mod rounds;
mod scenario;
mod stop;
mod suite;
mod table;
mod user;

use std::path::PathBuf;

pub use self::args::BenchArgs;
use self::gate::Gate;
use self::outcome::Outcome;
use self::scenario::Scenario;
use self::stop::Stop;
use self::suite::{BUILT_IN, Suite};
use super::{Failure, output};

/// Does what the command line says. Everything that can be wrong is found out before anything is measured.
pub fn run(args: &BenchArgs) -> Result<(), Failure> {
    if let Some(name) = &args.print_suite {
        let found = BUILT_IN.iter().find(|(known, _)| known == name);
        let text = found.map(|(_, text)| *text);
        return Ok(output::print(
            text.ok_or_else(|| Failure::Usage(format!("no built-in suite is called {name:?}")))?,
        )?);
    }
    let mut suite = Suite::find(&args.suite)?;
    select(&mut suite, &args.only)?;
    if args.list {
        return Ok(output::print(&list(&suite))?);
    }
    let gate = args.budget.map(|budget| Gate::new(&args.metric, budget, args.percentile)).transpose()?;
    if let Some(gate) = &gate {
        enough(gate, &suite.scenarios)?;
    }
    let base = args.compare.as_deref().map(json::read).transpose()?;
    let builds = rounds::builds(args)?;
    check_outputs(args)?;
    let stop = Stop::install();
    let measured = rounds::measure(&suite, &builds, args, &stop);
    Outcome { args, gate, base, measured, interrupted: stop.seen() }.finish()
}

/// Leaves the scenarios that have one of these texts in their name.
fn select(suite: &mut Suite, only: &[String]) -> Result<(), Failure> {
    if only.is_empty() {
        return Ok(());
    }
    if let Some(none) = only.iter().find(|text| !suite.scenarios.iter().any(|s| s.name.contains(*text))) {
        return Err(Failure::Usage(format!("no scenario of {} has {none:?} in its name", suite.name)));
    }
    suite.scenarios.retain(|s| only.iter().any(|text| s.name.contains(text)));
    Ok(())
}

/// Refuses a percentile that no run of this suite could tell.
fn enough(gate: &Gate, scenarios: &[Scenario]) -> Result<(), Failure> {
    match scenarios.iter().find(|s| s.seconds.is_none() && s.frames < gate.needs()) {
        Some(few) => Err(Failure::Usage(format!(
            "{gate} takes {} frames, and scenario {:?} has {}",
            gate.needs(),
            few.name,
            few.frames
        ))),
        None => Ok(()),
    }
}

/// Finds out early that a file cannot be written.
fn check_outputs(args: &BenchArgs) -> Result<(), Failure> {
    let mut files: Vec<(&str, PathBuf)> = Vec::new();
    files.extend(args.save.clone().map(|path| ("--save", path)));
    files.extend(args.save.as_deref().filter(|_| args.interleave).map(|p| ("--save", outcome::beside(p))));
    files.extend(args.html.clone().map(|path| ("--html", path)));
    files.extend(args.csv.clone().filter(|path| !path.is_dir()).map(|path| ("--csv", path)));
    for (i, (option, path)) in files.iter().enumerate() {
        output::check(path)?;
        if let Some((other, _)) = files[..i].iter().find(|(_, before)| output::same(before, path)) {
            let path = path.display();
            return Err(Failure::Usage(format!("{path}: {other} and {option} cannot be the same file")));
        }
    }
    Ok(())
}

/// The scenarios, one in a line.
fn list(suite: &Suite) -> String {
    let line = |s: &Scenario| {
        let input = s.events_hz().map_or(String::new(), |hz| format!(" at {hz:.0} Hz"));
        format!("{:<44} {}, input {}{input}\n", s.name, s.length(), user::input_of(s.place))
    };
    suite.scenarios.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::measure::tests::scenario;
    use super::*;
    use std::time::Duration;

    fn suite(names: &[&str]) -> Suite {
        Suite { name: "s".into(), scenarios: names.iter().map(|name| scenario(name)).collect() }
    }

    #[test]
    fn only_takes_what_has_the_text_and_refuses_what_has_nothing() {
        let mut three = suite(&["flip a", "flip b", "flash a"]);
        select(&mut three, &["flash".into(), "b".into()]).unwrap();
        let left: Vec<_> = three.scenarios.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(left, ["flip b", "flash a"]);
        assert!(
            matches!(select(&mut three, &["x".into()]), Err(Failure::Usage(text)) if text.contains("\"x\""))
        );
    }

    #[test]
    fn percentile_that_a_scenario_cannot_tell_is_refused_before_it_is_run() {
        let gate = |p| Gate::new("SampleToPhoton", Duration::from_millis(8), p).unwrap();
        let two = suite(&["flip a", "flip b"]);
        assert!(enough(&gate(99.0), &two.scenarios).is_ok());
        assert!(
            matches!(enough(&gate(99.9), &two.scenarios), Err(Failure::Usage(text)) if text.contains("10000"))
        );
    }
}
