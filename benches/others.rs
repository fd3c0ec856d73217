//! The tables of the README: scanout's modes beside the loops in examples/ and programs made with other toolkits
//! (benches/others), all seen from outside by `scanout photon`.
//!
//! `scripts/compare [--servers NAME,..] [--modes NAME,..] [--rounds N] [--count N] [--seconds S] [--only NAME,..]
//! [--json FILE]`
//!
//! Each turn is a fresh server with a fresh program in it. In each round every program has one turn in every mode on
//! every server, in random order, so that whatever else the machine does meets all of them. A figure in the tables is
//! the median of the rounds' figures; all of them are in the JSON, as `photon` wrote them.

#![cfg_attr(not(target_os = "linux"), allow(unused, reason = "measures on Linux only"))]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the tables are what the program is for")]
#![allow(clippy::disallowed_methods, reason = "measures with its own clock, from outside")]

#[cfg(target_os = "linux")]
#[path = "support/mod.rs"]
mod common;
#[cfg(target_os = "linux")]
#[path = "support/contenders.rs"]
mod contenders;
#[cfg(target_os = "linux")]
#[path = "../tests/support/mod.rs"]
mod support;

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::{OsStr, OsString};
    use std::path::{Path, PathBuf};
    use std::process::{Command, ExitCode, Stdio};
    use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

    use clap::Parser;
    use serde_json::{Value, json};

    use crate::common::{load, machine, median, scanout_binary};
    use crate::contenders::{Contender, Mode, Server, contenders};
    use crate::support::rng::Rng;
    use crate::support::{pause, poll_until};

    /// For a server, a compositor, a program and the presses; far above what a turn takes.
    const TURN_LIMIT: Duration = Duration::from_secs(180);

    /// Measures scanout and other programs from outside and prints tables.
    #[derive(Debug, Parser)]
    #[command(name = "scripts/compare")]
    struct Options {
        /// Where the programs run
        #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Server::Xvfb, Server::SwayNested, Server::SwayHeadless])]
        servers: Vec<Server>,
        /// What is measured
        #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Mode::Click, Mode::Animation, Mode::Drag])]
        modes: Vec<Mode>,
        /// Turns of each program in each mode on each server
        #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
        rounds: u32,
        /// Presses of a turn
        #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
        count: u32,
        /// How long animations and drags are watched
        #[arg(long, value_name = "S", default_value_t = 5.0)]
        seconds: f64,
        /// These programs alone, by their names in the tables
        #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
        only: Vec<String>,
        /// Where all figures are written
        #[arg(long, value_name = "FILE", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/others/compare.json"))]
        json: PathBuf,
        /// From cargo
        #[arg(long, hide = true)]
        bench: bool,
    }

    /// One program in one mode on one server, and what its turns came to.
    struct Entry {
        server: Server,
        mode: Mode,
        contender: Contender,
        turns: Vec<Value>,
        /// Why a turn gave no figures; after the first, there are no more.
        absent: Option<String>,
    }

    impl Entry {
        /// The median over the turns of the figure at `path`; `None` when no turn has it.
        fn figure(&self, path: &str) -> Option<f64> {
            let all: Vec<f64> = self.turns.iter().filter_map(|t| t.pointer(path)?.as_f64()).collect();
            (!all.is_empty()).then(|| median(all.into_iter()))
        }

        fn turn(&mut self, scanout: &OsStr, options: &Options) {
            let program = match &self.contender.program {
                Ok(program) => program,
                Err(why) => {
                    self.absent = Some(why.clone());
                    return;
                }
            };
            let report = std::env::temp_dir().join(format!("scanout-others-{}.json", std::process::id()));
            let mut photon = Command::new(scanout);
            photon.args(["photon", "--server", self.server.name(), "--mode", self.mode.name()]);
            photon.args(["--no-floor", "--size", "1280x720"]);
            if self.mode.name() == "click" {
                photon.args(["--count", &options.count.to_string()]);
            }
            photon.args(["--seconds", &options.seconds.to_string(), "--json"]).arg(&report);
            photon.arg("--").arg(program).args(&self.contender.arguments);
            let measured = run(photon).and_then(|()| read(&report));
            // It may never have been written.
            let _ = std::fs::remove_file(&report);
            match measured {
                Ok(turn) => self.turns.push(turn),
                Err(why) => self.absent = Some(why),
            }
        }
    }

    /// Runs `photon`; its line of error when it fails.
    fn run(mut photon: Command) -> Result<(), String> {
        let said = tempfile::NamedTempFile::new().map_err(|e| e.to_string())?;
        let stderr = said.reopen().map_err(|e| e.to_string())?;
        let started = photon.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).spawn();
        let mut child = started.map_err(|e| format!("scanout photon: {e}"))?;
        let Some(status) = poll_until(TURN_LIMIT, || child.try_wait().ok().flatten()) else {
            // Ctrl+C rather than the end at once, so that it ends what it has started.
            if let Some(id) = rustix::process::Pid::from_raw(child.id().cast_signed()) {
                let _ = rustix::process::kill_process(id, rustix::process::Signal::INT);
            }
            pause(Duration::from_secs(5));
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("it took more than {} s", TURN_LIMIT.as_secs()));
        };
        if status.success() {
            return Ok(());
        }
        let said = std::fs::read_to_string(said.path()).unwrap_or_default();
        let last = said.lines().rev().find(|l| l.starts_with("scanout: ")).or_else(|| said.lines().last());
        Err(last.map_or_else(|| status.to_string(), |l| l.trim_start_matches("scanout: ").to_owned()))
    }

    fn read(path: &Path) -> Result<Value, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
    }

    pub fn main() -> ExitCode {
        let options = Options::parse();
        let scanout = match scanout_binary() {
            Ok(scanout) => scanout,
            Err(why) => {
                eprintln!("others: {why}");
                return ExitCode::FAILURE;
            }
        };
        let mut entries = entries(&scanout, &options);
        if entries.is_empty() {
            eprintln!("others: there is no program called {}", options.only.join(" or "));
            return ExitCode::from(2);
        }
        let (began, before) = (SystemTime::now(), machine());
        let seed = began.duration_since(UNIX_EPOCH).map_or(1, |d| d.as_nanos() as u64);
        let mut rng = Rng::new(seed);
        let start = Instant::now();
        for round in 1..=options.rounds {
            let mut turns: Vec<&mut Entry> = entries.iter_mut().collect();
            rng.shuffle(&mut turns);
            let of = turns.len();
            for (n, entry) in turns.into_iter().enumerate().filter(|(_, e)| e.absent.is_none()) {
                let name = &entry.contender.name;
                eprintln!(
                    "{:>5} s  round {round} of {}, turn {} of {of}: {} {} {name}",
                    start.elapsed().as_secs(),
                    options.rounds,
                    n + 1,
                    entry.server.name(),
                    entry.mode.name(),
                );
                entry.turn(&scanout, &options);
            }
        }
        println!("{before}; load after: {}", load());
        println!(
            "\nTimes in milliseconds, seen in the framebuffer; each figure is the median of {} turns.",
            options.rounds
        );
        for &server in &options.servers {
            for &mode in &options.modes {
                print_table(server, mode, &entries);
            }
        }
        let text = serde_json::to_string_pretty(&stored(&entries, &before, began)).unwrap_or_default();
        if let Err(e) = std::fs::write(&options.json, text + "\n") {
            eprintln!("others: {}: {e}", options.json.display());
            return ExitCode::FAILURE;
        }
        ExitCode::SUCCESS
    }

    fn entries(scanout: &OsString, options: &Options) -> Vec<Entry> {
        let mut all = Vec::new();
        for &server in &options.servers {
            for &mode in &options.modes {
                let wanted = |c: &Contender| options.only.is_empty() || options.only.contains(&c.name);
                all.extend(
                    contenders(scanout, server, mode).into_iter().filter(wanted).map(|contender| Entry {
                        server,
                        mode,
                        contender,
                        turns: Vec::new(),
                        absent: None,
                    }),
                );
            }
        }
        all
    }

    fn print_table(server: Server, mode: Mode, entries: &[Entry]) {
        let columns = mode.columns();
        println!("\n**{} on {}**\n", mode.title(), server.title());
        println!("| program | {} |", columns.map(|(title, _)| title).join(" | "));
        println!("|---|{}", "---:|".repeat(columns.len()));
        for entry in entries.iter().filter(|e| e.server == server && e.mode == mode) {
            let name = &entry.contender.name;
            if let (Some(why), true) = (&entry.absent, entry.turns.is_empty()) {
                println!("| {name} | absent: {} |{}", why.replace('|', "/"), " |".repeat(columns.len() - 1));
                continue;
            }
            let cell =
                |path: &str| entry.figure(path).map_or_else(|| "not measured".into(), |v| format!("{v:.2}"));
            let cells = columns.map(|(_, path)| cell(path));
            let note = entry.absent.as_ref().map_or_else(String::new, |why| format!(" (then: {why})"));
            println!("| {name}{note} | {} |", cells.join(" | "));
        }
    }

    /// Everything, for later.
    fn stored(entries: &[Entry], machine: &str, began: SystemTime) -> Value {
        let all: Vec<Value> = entries
            .iter()
            .map(|e| {
                let medians: serde_json::Map<String, Value> = e
                    .mode
                    .columns()
                    .iter()
                    .map(|(title, path)| ((*title).to_owned(), json!(e.figure(path))))
                    .collect();
                json!({
                    "server": e.server.name(),
                    "mode": e.mode.name(),
                    "program": e.contender.name,
                    "absent": e.absent,
                    "medians": medians,
                    "turns": e.turns,
                })
            })
            .collect();
        json!({
            "schema": "scanout.others/1",
            "machine": machine,
            "load_after": load(),
            "began_unix_s": began.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()),
            "entries": all,
        })
    }
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("others measures on Xvfb and sway, which need Linux");
}
