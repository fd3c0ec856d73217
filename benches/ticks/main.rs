//! How regular ticks are on the screen, measured from outside: scanout at a fixed rate of 120 frames per second, and a
//! plain thread that sleeps to 120 absolute deadlines per second.
//!
//! `cargo bench --bench ticks [-- --rounds N --seconds S --report FILE.json --only NAME,NAME --load idle,busy,realtime,rt_alone]`
//!
//! One Xvfb whose framebuffer is mapped; each program turns its window from black to white and back with each tick,
//! and this process watches one pixel. The programs take turns within each round, in random order. The server and the
//! observer run at real-time priorities where the system grants them: they stand for a display and a camera, which do
//! not compete for the CPU. Where there is more than one CPU the observer has one for itself, and the server and the programs
//! have the others.
//!
//! The machine itself stops a CPU now and then, on some for tens of milliseconds. A witness on each CPU of the programs, at a priority above all
//! others, notes when it was kept from running, and the observer notes the same of itself: intervals in which one of them was
//! stopped for more than a quarter of a millisecond, and those that begin with the first change after it, are left out of every
//! figure of every program, and counted as "machine". Without real-time priority there are no witnesses.
//!
//! - *idle*: nothing else runs on purpose.
//! - *busy*: two processes that are always ready to run.
//! - *realtime*: those, and the programs have real-time priority: scanout asks for it (`--realtime`), the tick thread's
//!   process is started with it, and all its threads with it.
//! - *rt_alone*: the same, and Mesa's software rasteriser draws on the calling thread instead of on threads of its own.

#![cfg_attr(not(target_os = "linux"), allow(unused, reason = "measures on Linux only"))]
#![allow(clippy::print_stdout, reason = "the table is what the program is for")]
#![allow(clippy::print_stderr, reason = "what is wrong is not part of the table")]
#![allow(clippy::disallowed_methods, reason = "measures with its own clock, from outside")]

#[cfg(target_os = "linux")]
#[path = "../support/mod.rs"]
mod common;
#[cfg(target_os = "linux")]
mod contender;
#[cfg(target_os = "linux")]
mod options;
#[cfg(target_os = "linux")]
#[path = "../../tests/support/mod.rs"]
mod support;
#[cfg(target_os = "linux")]
mod table;

#[cfg(target_os = "linux")]
mod linux {
    use std::time::{Duration, Instant};

    use serde_json::json;

    use crate::common::{
        BUSY, Beat, Burden, Cpus, Seen, Ticks, Used, Witnessed, be_busy, eprint_progress, load, machine,
        observe, print_witnesses, raise, watch_ticks, witnessed,
    };
    use crate::contender::{self, Contender, Load, Turn};
    use crate::options::Options;
    use crate::support::rng::Rng;
    use crate::support::x11::X11;
    use crate::support::xvfb::Xvfb;
    use crate::support::{Key, pause, poll_until};
    use crate::table;

    const SIZE: (u32, u32) = (640, 480);
    /// Far from the edges: of a frame that arrives in tiles any pixel will do.
    const WATCHED: (u32, u32) = (320, 240);
    const PERIOD: Duration = Duration::from_nanos(8_333_333);
    /// Time that a program gets to settle: its first frames, sleep learnt.
    const SETTLE: Duration = Duration::from_millis(1_500);
    const SERVER_LEVEL: u8 = 20;
    const OBSERVER_LEVEL: u8 = 30;
    /// Above the observer, which does not sleep while a change is due.
    const WITNESS_LEVEL: u8 = 40;
    const BUSY_PROCESSES: usize = 2;

    pub fn main() {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        if arguments.first().is_some_and(|a| a == BUSY) {
            return be_busy();
        }
        let options = match Options::parse(&arguments) {
            Ok(options) => options,
            Err(e) => {
                eprintln!("ticks: {e}");
                std::process::exit(2);
            }
        };
        let mut all = contender::all();
        all.retain(|c| options.wants(c.name));

        let (machine, cpus) = (machine(), Cpus::divided());
        let server = Xvfb::start_sized(SIZE.0, SIZE.1);
        let user = X11::connect(&server.display());
        let granted = raise(server.id(), SERVER_LEVEL);
        println!("{machine}; {}", cpus.print());
        if !granted {
            println!("no real-time priority for the server and the observer: misses may be theirs");
        }
        let (mut observers, mut witnesses) = (Vec::new(), Vec::new());
        let seed = Instant::now().elapsed().as_nanos() as u64 ^ u64::from(std::process::id()) << 20;
        let mut rng = Rng::new(seed);
        for round in 1..=options.rounds {
            for (i, load) in Load::ALL.into_iter().enumerate() {
                if !options.wants_load(load) || (load.is_realtime() && !granted) {
                    continue;
                }
                let _burden = (load != Load::Idle).then(|| cpus.on_all(|| Burden::of(BUSY_PROCESSES)));
                let mut turns: Vec<&mut Contender> = all.iter_mut().filter(|c| c.absent.is_none()).collect();
                rng.shuffle(&mut turns);
                for contender in turns {
                    let taken = take_turn(contender, (&server, &user, &cpus), load, options.span);
                    if let Some((turn, seen, witnessed)) = taken {
                        contender.turns[i].push(turn);
                        observers.push(seen);
                        witnesses.push(witnessed);
                    }
                }
            }
            eprint_progress(round, options.rounds);
        }
        println!("load after: {}", load());
        let report = json!({
            "machine": machine, "cpus": cpus.print(), "observer": table::print_observer(&observers), "witnesses": print_witnesses(witnesses.iter().map(Option::as_ref)),
            "ticks": table::print(&all),
        });
        if let Some(path) = &options.report {
            let text = serde_json::to_string_pretty(&report).expect("plain values");
            if let Err(e) = std::fs::write(path, text + "\n") {
                eprintln!("ticks: {}: {e}", path.display());
                std::process::exit(1);
            }
        }
    }

    fn take_turn(
        contender: &mut Contender,
        (server, user, cpus): (&Xvfb, &X11, &Cpus),
        load: Load,
        span: Duration,
    ) -> Option<(Turn, Seen, Option<Witnessed>)> {
        let mut app = contender.start(server, user, load)?;
        pause(SETTLE);
        let used = Used::since_now(app.id());
        let beat = Beat::within(PERIOD);
        let (seen, witnessed) = witnessed(WITNESS_LEVEL, &beat, || {
            let watch = || watch_ticks(&server.screen, WATCHED, PERIOD, span, &beat);
            observe(OBSERVER_LEVEL, cpus.observers(), watch)
        });
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
        let stops = witnessed.as_ref().map(|w| &w.stops);
        let ticks = Ticks::of(&seen.at, &seen.unobserved, stops, PERIOD);
        Some((Turn { ticks, cpu, own_missed }, seen, witnessed))
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
