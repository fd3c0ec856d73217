//! The runs of a bench: each scenario once, or in turns with another build.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressStyle};

use super::super::{Failure, keeper};
use super::args::BenchArgs;
use super::child::{self, Build};
use super::child_report::Run;
use super::compare::{FEWEST_ROUNDS, P99_OF_ROUND};
use super::machine;
use super::measure::Measured;
use super::result::{BENCH_SCHEMA, BenchResult};
use super::scenario::Scenario;
use super::stop::Stop;
use super::suite::Suite;
use super::user::input_of;

/// The builds that are measured: this one, and the base that it is compared with.
#[derive(Clone, Debug)]
pub struct Builds {
    pub this: Build,
    pub base: Option<Build>,
}

/// What was measured of one build: the result without its scenarios, and those.
#[derive(Debug)]
pub struct Half {
    pub result: BenchResult,
    pub scenarios: Vec<Measured>,
}

impl Half {
    /// The result with its scenarios.
    pub fn whole(&self) -> BenchResult {
        let scenarios = self.scenarios.iter().map(|m| m.result.clone()).collect();
        BenchResult { scenarios, ..self.result.clone() }
    }
}

/// What was measured: of this build, and of the base of `--interleave`.
#[derive(Debug)]
pub struct Both {
    pub this: Half,
    pub base: Option<Half>,
}

/// Which programs are to be measured.
pub fn builds(args: &BenchArgs) -> Result<Builds, Failure> {
    let usage = |text: String| Err(Failure::Usage(text));
    let here = match std::env::current_exe() {
        Ok(path) => path,
        Err(e) => return usage(format!("this program cannot find itself: {e}")),
    };
    let this = Build { program: here.clone(), args: Vec::new() };
    if !args.interleave {
        return Ok(Builds { this, base: None });
    }
    if args.against.is_none() && args.against_args.is_none() {
        return usage("--interleave compares with --against PROGRAM, --against-args OPTIONS, or both".into());
    }
    let program = match &args.against {
        // A name is looked up; a path stays one though the runs have folders of their own.
        Some(path) if path.components().count() > 1 => {
            std::path::absolute(path).unwrap_or_else(|_| path.clone())
        }
        Some(name) => name.clone(),
        None => here,
    };
    if !scanout::observe::is_there(program.as_os_str()) {
        return usage(format!("{}: there is no such program", program.display()));
    }
    let words = args.against_args.as_deref().unwrap_or_default().split_whitespace();
    let base = Build { program, args: words.map(str::to_owned).collect() };
    Ok(Builds { this, base: Some(base) })
}

/// Runs the suite. What fails is said in its scenario; the others go on.
pub fn measure(suite: &Suite, builds: &Builds, args: &BenchArgs, stop: &Stop) -> Both {
    let began = unix_seconds();
    let machine = machine::describe();
    let progress = Progress::new(suite, args);
    let mut both: [Vec<Measured>; 2] = [Vec::new(), Vec::new()];
    for scenario in &suite.scenarios {
        let measured = one(scenario, builds, args, stop, &progress);
        for (all, one) in both.iter_mut().zip(measured) {
            all.push(one);
        }
    }
    progress.bar.finish_and_clear();
    let machine = super::result::Machine { load_after: machine::load(), ..machine };
    let result = BenchResult {
        schema: BENCH_SCHEMA.into(),
        scanout: env!("CARGO_PKG_VERSION").into(),
        began_unix_s: began,
        suite: suite.name.clone(),
        machine,
        interleaved: builds.base.is_some().then(|| format!("{began}-{}", std::process::id())),
        scenarios: Vec::new(),
    };
    let [this, base] = both;
    Both {
        this: Half { result: result.clone(), scenarios: this },
        base: builds.base.as_ref().map(|_| Half { result, scenarios: base }),
    }
}

/// About how long all of it takes.
pub fn estimate(scenarios: &[Scenario], args: &BenchArgs) -> Duration {
    let turns = if args.interleave { args.rounds } else { 1 };
    let builds = if args.interleave { 2 } else { 1 };
    let runs = u32::try_from(turns * builds).unwrap_or(u32::MAX);
    scenarios.iter().map(|s| s.part(turns).estimate().saturating_mul(runs)).sum()
}

/// What `--interleave` with so many rounds will not be able to tell, and what could; a line each.
pub fn notes(scenarios: &[Scenario], rounds: u64) -> String {
    let mut out = String::new();
    if rounds < FEWEST_ROUNDS as u64 {
        out.push_str(&format!(
            "note: fewer than {FEWEST_ROUNDS} rounds are not compared pair by pair: what drifts will look like a change\n"
        ));
    }
    let needed = P99_OF_ROUND as u64;
    let short: Vec<&Scenario> =
        scenarios.iter().filter(|s| s.seconds.is_none() && s.part(rounds).frames < needed).collect();
    let Some(fewest) = short.iter().map(|s| s.frames).min() else { return out };
    out.push_str(&format!(
        "note: no P99 will be compared in {} of {} scenario(s): it takes {needed} values of each turn. It would have them with \
         frames = {} in the suite",
        short.len(),
        scenarios.len(),
        needed * rounds
    ));
    // The most rounds of which each still has as many frames.
    let carries = fewest.div_ceil(needed - 1).saturating_sub(1);
    if carries >= FEWEST_ROUNDS as u64 {
        out.push_str(&format!(", or with --rounds {carries}, which tells less of medians"));
    }
    out.push_str("; a metric that not every frame has takes more\n");
    out
}

/// One scenario: of this build, and of the base in turns with it.
fn one(
    scenario: &Scenario,
    builds: &Builds,
    args: &BenchArgs,
    stop: &Stop,
    progress: &Progress,
) -> Vec<Measured> {
    let builds: Vec<&Build> = std::iter::once(&builds.this).chain(&builds.base).collect();
    let rounds = if builds.len() > 1 { args.rounds } else { 1 };
    let part = scenario.part(rounds);
    let mut runs: Vec<Vec<Run>> = vec![Vec::new(); builds.len()];
    let mut failed: Vec<Option<String>> = vec![None; builds.len()];
    let mut warnings: Vec<Vec<String>> = vec![Vec::new(); builds.len()];
    for round in 0..rounds {
        // Whoever comes second finds a warmer machine: they take turns in that as well.
        let turns = order(builds.len(), round);
        for which in turns {
            if stop.seen() || failed.iter().any(Option::is_some) {
                break;
            }
            progress.begin(&scenario.name);
            let ran = child::run(&part, builds[which], args.limit, stop, |passed| progress.at(&part, passed));
            // What it left behind would be in the figures of the next one.
            keeper::end_leftovers();
            match ran {
                Ok(ran) => {
                    warnings[which].extend(lost_input(&part, &ran));
                    runs[which].push(ran.run);
                    if ran.interrupted {
                        warnings[which].push("interrupted before it was complete".into());
                    }
                }
                Err(why) if stop.seen() => log::debug!("{}: {why}", scenario.name),
                Err(why) => failed[which] = Some(why),
            }
            progress.done(&part);
        }
    }
    // Of turns that did not come in pairs nothing can be compared, unless the other build has none at all.
    let pairs = runs.iter().map(Vec::len).min().filter(|pairs| *pairs > 0);
    let input = input_of(scenario.place);
    let results = runs.iter_mut().zip(failed).zip(warnings).map(|((runs, failed), warnings)| {
        if let Some(why) = failed {
            return Measured::failed(scenario, input, why);
        }
        runs.truncate(pairs.unwrap_or(runs.len()));
        if runs.is_empty() {
            let why =
                if stop.seen() { "interrupted before it was measured" } else { "the other build failed" };
            return Measured::failed(scenario, input, why.into());
        }
        let mut measured = Measured::from_runs(scenario, input, runs);
        measured.result.warnings.extend(warnings);
        measured
    });
    results.collect()
}

/// Which build comes first in a round: the first one in even rounds.
fn order(builds: usize, round: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..builds).collect();
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

/// Presses that no frame came of.
fn lost_input(scenario: &Scenario, ran: &child::Ran) -> Option<String> {
    let drawn = ran.run.log.pushed_out + ran.run.log.frames.len() as u64;
    // The first frame comes without a press, the last press may have come when the run was over.
    let missing = ran.events.saturating_sub(drawn + 1);
    (scenario.waits_for_input() && missing > 0)
        .then(|| format!("{missing} of {} presses made no frame", ran.events))
}

/// How far it is; nothing where nobody looks on (indicatif hides it unless standard error is a terminal).
struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new(suite: &Suite, args: &BenchArgs) -> Self {
        let bar = ProgressBar::new(millis(estimate(&suite.scenarios, args)));
        let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {msg:32!}");
        bar.set_style(style.expect("a constant template"));
        Self { bar }
    }

    fn begin(&self, name: &str) {
        self.bar.set_message(name.to_owned());
        self.bar.reset_elapsed();
    }

    fn at(&self, scenario: &Scenario, passed: Duration) {
        // What takes longer than was thought waits at its end.
        let part = millis(passed.min(scenario.estimate()));
        let done = self.done_before();
        self.bar.set_position(done + part);
    }

    fn done(&self, scenario: &Scenario) {
        let done = self.done_before() + millis(scenario.estimate());
        self.bar.set_prefix(done.to_string());
        self.bar.set_position(done);
    }

    /// What was done before the current run; the bar's own place has a part of that run in it.
    fn done_before(&self) -> u64 {
        self.bar.prefix().parse().unwrap_or(0)
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[allow(clippy::disallowed_methods, reason = "the header of a result says when it was measured")]
fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::super::measure::tests::scenario;
    use super::*;

    #[test]
    fn builds_take_turns_in_coming_first() {
        let first: Vec<usize> = (0..6).map(|round| order(2, round)[0]).collect();
        assert_eq!(first, [0, 1, 0, 1, 0, 1]);
        assert_eq!(order(1, 1), [0]);
    }

    #[test]
    fn turns_too_short_for_a_p99_are_told_of_with_what_would_do() {
        let of = |frames| Scenario { frames, ..scenario("a") };
        let text = notes(&[of(560), of(3_000)], 20);
        assert!(
            text.contains("1 of 2") && text.contains("frames = 2000") && text.contains("--rounds 5"),
            "{text}"
        );
        // What it says would do does, and a round more or a frame fewer would not.
        assert!(notes(&[of(560)], 5).is_empty() && !notes(&[of(560)], 6).is_empty());
        assert!(notes(&[of(2_000)], 20).is_empty() && !notes(&[of(1_900)], 20).is_empty());
        // Three rounds would be no pairs.
        assert!(!notes(&[of(350)], 20).contains("--rounds"));
        assert!(notes(&[of(5_000)], 3).contains("pair by pair"));
        assert!(
            notes(&[Scenario { seconds: Some(1.0), ..of(60) }], 20).is_empty(),
            "nobody knows how many frames"
        );
    }
}
