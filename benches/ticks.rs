//! How regular ticks are on the screen, measured from outside: scanout at a fixed rate of 120 frames per second, and a
//! plain thread that sleeps to 120 absolute deadlines per second.
//!
//! `cargo bench --bench ticks [-- --rounds N --seconds S --report FILE.json --only NAME,NAME --load idle,busy,realtime,rt_alone]`
//!
//! One Xvfb whose framebuffer is mapped; each program turns its window from black to white and back with each tick,
//! and this process watches one pixel. The programs take turns within each round, in random order. The server and the
//! observer run at real-time priorities where the system grants them: they stand for a display and a camera, which do
//! not compete for the CPU.
//!
//! The observer itself is stopped now and then, on some machines for tens of milliseconds: intervals in which it was, for more
//! than a quarter of one, are left out of every figure of every program, and counted as "unobserved".
//!
//! - *idle*: nothing else runs on purpose.
//! - *busy*: two processes that are always ready to run.
//! - *realtime*: those, and the programs have real-time priority: scanout asks for it (`--realtime`), the tick thread's
//!   process is started with it, and all its threads with it.
//! - *rt_alone*: the same, and Mesa's software rasteriser draws on the calling thread instead of on threads of its own,
//!   which in scanout do not have the priority.

#![cfg_attr(not(target_os = "linux"), allow(unused, reason = "measures on Linux only"))]
#![allow(clippy::print_stdout, reason = "the table is what the program is for")]
#![allow(clippy::disallowed_methods, reason = "measures with its own clock, from outside")]

#[cfg(target_os = "linux")]
#[path = "support/mod.rs"]
mod common;
#[cfg(target_os = "linux")]
#[path = "../tests/support/mod.rs"]
mod support;

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsString;
    use std::path::PathBuf;
    use std::time::{Duration, Instant};

    use serde_json::{Value, json};

    use crate::common::{
        BUSY, Burden, STOPPED, Seen, Ticks, Used, be_busy, build_examples, eprint_progress, load, machine,
        median, observe, percentile, raise, scanout_binary, sorted, watch_ticks,
    };
    use crate::support::app::{App, Place};
    use crate::support::rng::Rng;
    use crate::support::x11::X11;
    use crate::support::xvfb::Xvfb;
    use crate::support::{Key, pause, poll_until};

    const SIZE: (u32, u32) = (640, 480);
    /// Far from the edges: of a frame that arrives in tiles any pixel will do.
    const WATCHED: (u32, u32) = (320, 240);
    const PERIOD: Duration = Duration::from_nanos(8_333_333);
    const OPEN_LIMIT: Duration = Duration::from_secs(10);
    /// Time that a program gets to settle: its first frames, sleep learnt.
    const SETTLE: Duration = Duration::from_millis(1_500);
    const SERVER_LEVEL: u8 = 20;
    const OBSERVER_LEVEL: u8 = 30;
    const PROGRAM_LEVEL: &str = "10";
    const BUSY_PROCESSES: usize = 2;

    #[derive(Copy, Clone, Debug, Eq, PartialEq)]
    enum Load {
        Idle,
        Busy,
        Realtime,
        RealtimeAlone,
    }

    impl Load {
        const ALL: [Self; 4] = [Self::Idle, Self::Busy, Self::Realtime, Self::RealtimeAlone];

        fn is_realtime(self) -> bool {
            matches!(self, Self::Realtime | Self::RealtimeAlone)
        }

        fn name(self) -> &'static str {
            match self {
                Self::Idle => "idle",
                Self::Busy => "busy",
                Self::Realtime => "realtime",
                Self::RealtimeAlone => "rt_alone",
            }
        }
    }

    struct Options {
        rounds: usize,
        seconds: f64,
        report: Option<PathBuf>,
        only: Option<String>,
        loads: Option<String>,
    }

    impl Options {
        fn parse(arguments: &[String]) -> Result<Self, String> {
            let mut o = Self { rounds: 3, seconds: 3.0, report: None, only: None, loads: None };
            let mut rest = arguments.iter();
            while let Some(name) = rest.next() {
                if name == "--bench" {
                    continue; // from cargo
                }
                let value = rest.next().ok_or_else(|| format!("{name}: no value"))?;
                let wrong = |e: &dyn std::fmt::Display| format!("{name} {value}: {e}");
                match name.as_str() {
                    "--rounds" => o.rounds = value.parse().map_err(|e| wrong(&e))?,
                    "--seconds" => o.seconds = value.parse().map_err(|e| wrong(&e))?,
                    "--report" => o.report = Some(value.into()),
                    "--only" => o.only = Some(value.clone()),
                    "--load" => o.loads = Some(value.clone()),
                    _ => return Err(format!("{name}: unknown")),
                }
            }
            Ok(o)
        }

        fn wants(list: Option<&String>, name: &str) -> bool {
            list.is_none_or(|list| list.split(',').any(|one| one == name))
        }
    }

    /// One turn of one program.
    struct Turn {
        ticks: Ticks,
        cpu: f64,
        /// What the program says of itself.
        own_missed: Option<u64>,
    }

    struct Contender {
        name: &'static str,
        program: Result<OsString, String>,
        arguments: &'static [&'static str],
        is_scanout: bool,
        /// Per load.
        turns: [Vec<Turn>; 4],
        absent: Option<String>,
    }

    impl Contender {
        fn new(
            name: &'static str,
            program: Result<OsString, String>,
            arguments: &'static [&'static str],
        ) -> Self {
            let absent = program.as_ref().err().cloned();
            let is_scanout = !arguments.is_empty();
            Self { name, program, arguments, is_scanout, turns: Default::default(), absent }
        }

        fn start(&mut self, server: &Xvfb, user: &X11, load: Load) -> Option<App> {
            let program = self.program.as_ref().ok()?;
            let place = Place::X11 { display: server.display() };
            let realtime = load.is_realtime();
            let alone: &[_] = if load == Load::RealtimeAlone { &[("LP_NUM_THREADS", "0")] } else { &[] };
            let mut arguments: Vec<&str> = self.arguments.to_vec();
            let path = program.to_str().expect("a path in UTF-8");
            let mut app = if realtime && !self.is_scanout {
                App::start_with("chrt", &["--fifo", PROGRAM_LEVEL, path], &place, alone)
            } else {
                if realtime {
                    arguments.extend(["--realtime", PROGRAM_LEVEL]);
                }
                App::start_with(program, &arguments, &place, alone)
            };
            let end = Instant::now() + OPEN_LIMIT;
            while Instant::now() < end && app.runs() {
                if let Some(window) = user.window_of(app.id(), Duration::ZERO) {
                    user.focus(window);
                    return Some(app);
                }
                pause(Duration::from_millis(10));
            }
            let said = app.stderr();
            let said = said.lines().next().unwrap_or("nothing said");
            self.absent =
                Some(if app.runs() { format!("no window: {said}") } else { format!("ended: {said}") });
            None
        }
    }

    const SCANOUT: [&str; 11] = [
        "run",
        "--display",
        "window",
        "--scene",
        "flip",
        "--pacing",
        "fixed=120",
        "--size",
        "640x480",
        "--report",
        "report.json",
    ];
    const SERIAL: [&str; 13] = [
        "run",
        "--display",
        "window",
        "--scene",
        "flip",
        "--pacing",
        "fixed=120",
        "--size",
        "640x480",
        "--report",
        "report.json",
        "--layout",
        "serial",
    ];

    pub fn main() {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        if arguments.first().is_some_and(|a| a == BUSY) {
            return be_busy();
        }
        let options = match Options::parse(&arguments) {
            Ok(options) => options,
            Err(e) => {
                println!("ticks: {e}");
                std::process::exit(2);
            }
        };
        let tick =
            build_examples(&["reference_tick"]).map(|folder| folder.join("reference_tick").into_os_string());
        let mut all = vec![
            Contender::new("tick_thread", tick, &[]),
            Contender::new("scanout", scanout_binary(), &SCANOUT),
            Contender::new("serial", scanout_binary(), &SERIAL),
        ];
        all.retain(|c| Options::wants(options.only.as_ref(), c.name));

        let server = Xvfb::start_sized(SIZE.0, SIZE.1);
        let user = X11::connect(&server.display());
        let granted = raise(server.id(), SERVER_LEVEL);
        println!("{}", machine());
        if !granted {
            println!("no real-time priority for the server and the observer: misses may be theirs");
        }
        let mut observers = Vec::new();
        let seed = Instant::now().elapsed().as_nanos() as u64 ^ u64::from(std::process::id()) << 20;
        let mut rng = Rng::new(seed);
        for round in 1..=options.rounds {
            for (i, load) in Load::ALL.into_iter().enumerate() {
                if !Options::wants(options.loads.as_ref(), load.name()) || (load.is_realtime() && !granted) {
                    continue;
                }
                let _burden = (load != Load::Idle).then(|| Burden::of(BUSY_PROCESSES));
                let mut turns: Vec<&mut Contender> = all.iter_mut().filter(|c| c.absent.is_none()).collect();
                rng.shuffle(&mut turns);
                for contender in turns {
                    let span = Duration::from_secs_f64(options.seconds);
                    if let Some((turn, seen)) = take_turn(contender, &server, &user, load, span) {
                        contender.turns[i].push(turn);
                        observers.push(seen);
                    }
                }
            }
            eprint_progress(round, options.rounds);
        }
        println!("load after: {}", load());
        print_observer(&observers);
        let report = json!({ "machine": machine(), "ticks": print(&all) });
        if let Some(path) = &options.report {
            let text = serde_json::to_string_pretty(&report).expect("plain values");
            std::fs::write(path, text + "\n").unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        }
    }

    fn take_turn(
        contender: &mut Contender,
        server: &Xvfb,
        user: &X11,
        load: Load,
        span: Duration,
    ) -> Option<(Turn, Seen)> {
        let mut app = contender.start(server, user, load)?;
        pause(SETTLE);
        let used = Used::since_now(app.id());
        let seen = observe(OBSERVER_LEVEL, || watch_ticks(&server.screen, WATCHED, PERIOD, span));
        let cpu = used.share();
        if seen.at.is_empty() {
            contender.absent = Some("its window does not change".into());
            return None;
        }
        user.tap(Key::Esc);
        let ended = poll_until(Duration::from_secs(3), || (!app.runs()).then_some(())).is_some();
        let own_missed = (contender.is_scanout && ended)
            .then(|| app.report("report.json")["missed_ticks"].as_u64())
            .flatten();
        Some((Turn { ticks: Ticks::of(&seen, PERIOD), cpu, own_missed }, seen))
    }

    fn print_observer(all: &[Seen]) {
        let gaps = sorted(all.iter().flat_map(|s| &s.gaps).map(|gap| gap.as_secs_f64() * 1e6));
        let changes: usize = all.iter().map(|s| s.at.len()).sum();
        let blind: usize = all.iter().map(|s| s.blind).sum();
        let stopped: usize = all.iter().map(|s| s.unobserved.len()).sum();
        println!(
            "observer: {:.0} % of a CPU; between two looks {:.2} us, p99.9 {:.2} us, at most {:.0} us; {blind} of {changes} \
             changes came before it looked; it was stopped for more than {} us {stopped} times",
            100.0 * median(all.iter().map(|s| s.cpu)),
            percentile(&gaps, 0.5),
            percentile(&gaps, 0.999),
            percentile(&gaps, 1.0),
            STOPPED.as_micros(),
        );
    }

    /// Medians over rounds; misses are sums.
    fn print(all: &[Contender]) -> Value {
        println!(
            "\n\"middle\" is the median of what an interval is off by; \"own\" are the misses that scanout reports; intervals in \
             which the observer was stopped are left out for every program (\"unobserved\")"
        );
        println!("visible interval at 120 ticks per second: medians over rounds, sums of misses");
        println!(
            "{:<10}{:<14}{:>10}{:>12}{:>12}{:>9}{:>8}{:>12}{:>8}{:>8}",
            "", "", "sd, us", "middle, us", "worst, us", "missed", "of", "unobserved", "own", "CPU %"
        );
        let mut out = json!({});
        for (i, load) in Load::ALL.into_iter().enumerate() {
            for c in all {
                if let Some(why) = &c.absent {
                    println!("{:<10}{:<14}absent: {why}", load.name(), c.name);
                    continue;
                }
                let turns = &c.turns[i];
                if turns.is_empty() {
                    continue;
                }
                let [sd, middle, worst] = [
                    median(turns.iter().map(|t| t.ticks.sd * 1e3)),
                    median(turns.iter().map(|t| t.ticks.middle * 1e3)),
                    median(turns.iter().map(|t| t.ticks.worst * 1e3)),
                ];
                let missed: usize = turns.iter().map(|t| t.ticks.missed).sum();
                let of: usize = turns.iter().map(|t| t.ticks.of).sum();
                let unobserved: usize = turns.iter().map(|t| t.ticks.unobserved).sum();
                let own: Option<u64> = turns.iter().map(|t| t.own_missed).sum();
                let cpu = median(turns.iter().map(|t| t.cpu * 100.0));
                let own = own.map_or("-".to_owned(), |n| n.to_string());
                println!(
                    "{:<10}{:<14}{sd:>10.1}{middle:>12.1}{worst:>12.0}{missed:>9}{of:>8}{unobserved:>12}{own:>8}{cpu:>8.1}",
                    load.name(),
                    c.name
                );
                out[load.name()][c.name] = json!({
                    "sd_us": sd, "middle_us": middle, "worst_us": worst, "missed": missed, "of": of,
                    "unobserved": unobserved, "cpu_percent": cpu,
                });
            }
            let Some(reference) = all.iter().find(|c| c.name == "tick_thread") else { continue };
            for c in all.iter().filter(|c| c.is_scanout && !c.turns[i].is_empty()) {
                let each =
                    sorted(c.turns[i].iter().zip(&reference.turns[i]).map(|(a, b)| a.ticks.sd / b.ticks.sd));
                let more = c.turns[i].iter().zip(&reference.turns[i]).map(|(a, b)| (a.cpu - b.cpu) * 100.0);
                println!(
                    "{:<10}{} / tick_thread: sd {:.2} (rounds {:.2} to {:.2}), CPU {:+.1} points",
                    load.name(),
                    c.name,
                    percentile(&each, 0.5),
                    percentile(&each, 0.0),
                    percentile(&each, 1.0),
                    median(more),
                );
            }
        }
        out
    }
}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("ticks measures on Xvfb, which needs Linux");
}
