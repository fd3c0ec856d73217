//! `scanout bench`: scenarios measured, stored and compared.

mod args;
mod bound;
mod child;
mod child_report;
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
use std::time::Duration;

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
        return Ok(output::print(text.ok_or_else(|| {
            let names: Vec<&str> = BUILT_IN.iter().map(|(known, _)| *known).collect();
            Failure::Usage(format!("no built-in suite is called {name:?}; there are: {}", names.join(", ")))
        })?)?);
    }
    let mut suite = Suite::find(&args.suite)?;
    select(&mut suite, &args.only)?;
    if args.list {
        return Ok(output::print(&list(&suite, args))?);
    }
    let gate = args.budget.map(|budget| Gate::new(&args.metric, budget, args.percentile)).transpose()?;
    if let Some(gate) = &gate {
        enough(gate, &suite.scenarios)?;
    }
    let mut base = args.compare.as_deref().map(json::read).transpose()?;
    if let Some(base) = &mut base {
        // What was left out on purpose is not missing.
        base.scenarios.retain(|s| is_selected(&s.name, &args.only));
    }
    let builds = rounds::builds(args)?;
    check_outputs(args)?;
    if args.interleave && !args.quiet {
        output::print(&rounds::notes(&suite.scenarios, args.rounds))?;
    }
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
    suite.scenarios.retain(|s| is_selected(&s.name, only));
    Ok(())
}

/// Whether a scenario of this name is among those of `--only`.
fn is_selected(name: &str, only: &[String]) -> bool {
    only.is_empty() || only.iter().any(|text| name.contains(text))
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

/// The scenarios, one in a line, and about how long all of them take.
fn list(suite: &Suite, args: &BenchArgs) -> String {
    let line = |s: &Scenario| {
        let input = s.events_hz().map_or(String::new(), |hz| format!(" at {hz:.0} Hz"));
        let took = s.estimate().as_secs_f64();
        format!(
            "{:<44} {}, about {took:.0} s, input {}{input}\n",
            s.name,
            s.length(),
            user::input_of(s.place)
        )
    };
    let mut out: String = suite.scenarios.iter().map(line).collect();
    let turns =
        if args.interleave { format!(", in {} turns of both builds", args.rounds) } else { String::new() };
    let n = suite.scenarios.len();
    let took = rounds::estimate(&suite.scenarios, args);
    out.push_str(&format!("{n} scenario(s){turns}: about {}\n", minutes(took)));
    out
}

fn minutes(span: Duration) -> String {
    match span.as_secs_f64() {
        s if s < 90.0 => format!("{s:.0} s"),
        s => format!("{:.0} min", s / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use super::measure::tests::scenario;
    use super::*;

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
    fn list_says_how_long_it_takes() {
        use clap::Parser as _;
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            bench: BenchArgs,
        }
        let args = |more: &[&str]| Line::parse_from([&["bench"], more].concat()).bench;
        // 510 frames at 100 Hz, and the start.
        let two = suite(&["flip a", "flip b"]);
        let text = list(&two, &args(&[]));
        assert!(text.lines().all(|line| line.contains("about")), "{text}");
        assert!(text.ends_with("2 scenario(s): about 11 s\n"), "{text}");
        // 70 frames for each of 80 turns.
        let turns = list(&two, &args(&["--interleave"]));
        assert!(turns.ends_with("2 scenario(s), in 20 turns of both builds: about 2 min\n"), "{turns}");
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
