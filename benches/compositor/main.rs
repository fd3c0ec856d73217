//! Pacing under a compositor, measured from outside: sway nested in an Xvfb (60 Hz, its output read through the mapped
//! framebuffer) and sway headless at higher rates (its frames copied one after another).
//!
//! `cargo bench --bench compositor [-- --parts animate,click,drag,headless,hidden,stop,sweep --rounds N --seconds S
//! --report FILE.json --only NAME,NAME --raise yes --other PATH]`
//!
//! The programs take turns within each round, in random order; each turn is a fresh start of the program, each round one
//! of server and compositor. `--raise yes` gives server, compositor and observer real-time priority, where that is
//! granted: on a busy machine they stand for a display that does not compete for the CPU.
//!
//! A witness on each CPU, at a priority above all others, notes when the machine kept it from running: what animate and drag see
//! is also told by whether it stood meanwhile. Without real-time priority there are no witnesses.
//!
//! `--other` is the path of another build of scanout: each of its contenders takes part twice, once as `NAME@other`.
//!
//! `auto_0.05` is `auto` with a declared miss budget of 0.05 % instead of its own 0.5.
//!
//! - *animate*: a scene that moves in every frame. Refreshes without a new frame, steps of another length than the time
//!   between the refreshes.
//! - *click*: from a key press to the changed pixel while a frame is drawn for every refresh.
//! - *drag*: the pointer moves at 1,000 px/s; how old the position is at which the mark appears.
//! - *sweep*: the same for a program that swaps at a given time after the last presentation, with and without leaving
//!   out one refresh each second (not run unless asked for).
//! - *headless*: the share of the compositor's frames that show exactly one new frame.
//! - *hidden*: what a window costs that nobody sees, and how soon it closes.
//! - *stop*: the process is stopped for a while and goes on.

#![cfg_attr(not(target_os = "linux"), allow(unused, reason = "measures on Linux only"))]
#![allow(clippy::print_stdout, reason = "the table is what the program is for")]
#![allow(clippy::disallowed_methods, reason = "measures with its own clock, from outside")]

#[cfg(target_os = "linux")]
mod animate;
#[cfg(target_os = "linux")]
mod away;
#[cfg(target_os = "linux")]
mod click;
#[cfg(target_os = "linux")]
#[path = "../support/mod.rs"]
mod common;
#[cfg(target_os = "linux")]
mod contender;
#[cfg(target_os = "linux")]
mod drag;
#[cfg(target_os = "linux")]
mod headless;
#[cfg(target_os = "linux")]
mod nested;
#[cfg(target_os = "linux")]
mod options;
#[cfg(target_os = "linux")]
mod print;
#[cfg(target_os = "linux")]
#[path = "../../tests/support/mod.rs"]
mod support;

#[cfg(target_os = "linux")]
mod linux {
    use std::time::Instant;

    use serde_json::json;

    use crate::animate::{animate_turn, print_animate};
    use crate::away::{hidden, stop};
    use crate::click::{click_turn, print_click};
    use crate::common::{build_examples, eprint_progress, load, machine, print_witnesses, scanout_binary};
    use crate::contender::Contender;
    use crate::drag::{drag_turn, print_drag};
    use crate::headless::headless;
    use crate::nested::{Nested, Part, SETTLE};
    use crate::options::Options;
    use crate::support::pause;
    use crate::support::rng::Rng;

    pub fn main() {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let options = match Options::parse(&arguments) {
            Ok(options) => options,
            Err(e) => {
                println!("compositor: {e}");
                std::process::exit(2);
            }
        };
        let examples = build_examples(&["naive_loop", "reference_wait", "reference_drag", "reference_tick"]);
        let example = |name: &str| examples.clone().map(|folder| folder.join(name).into_os_string());
        let scanout = scanout_binary();
        println!("{}", machine());
        let mut rng =
            Rng::new(Instant::now().elapsed().as_nanos() as u64 ^ u64::from(std::process::id()) << 20);
        let mut report = json!({ "machine": machine() });

        let (auto, low) = ("auto", "low-latency");
        let drag = example("reference_drag");
        let mut parts: Vec<Part> = vec![
            Part {
                name: "animate",
                is_witnessed: true,
                turn: animate_turn,
                print: print_animate,
                contenders: vec![
                    Contender::new("naive_loop", &example("naive_loop"), &["bars"]),
                    Contender::scanout("ticker-alone", &scanout, "bars", "ticker-alone"),
                    Contender::scanout("vsync-alone", &scanout, "bars", "vsync-alone"),
                    Contender::scanout("ticker+vsync", &scanout, "bars", "ticker+vsync"),
                    Contender::scanout("auto", &scanout, "bars", auto),
                    Contender::scanout("auto_0.05", &scanout, "bars --miss-budget 0.05", auto),
                    Contender::scanout("low-latency", &scanout, "bars", low),
                    Contender::scanout("smooth", &scanout, "bars", "smooth"),
                ],
            },
            Part {
                name: "click",
                is_witnessed: false,
                turn: click_turn,
                print: print_click,
                contenders: vec![
                    Contender::new("naive_loop", &example("naive_loop"), &[]),
                    Contender::new("on_input", &example("reference_wait"), &[]),
                    Contender::scanout("auto", &scanout, "flash --animate", auto),
                    Contender::scanout("auto_0.05", &scanout, "flash --animate --miss-budget 0.05", auto),
                    Contender::scanout("smooth", &scanout, "flash --animate", "smooth"),
                    Contender::scanout("low-latency", &scanout, "flash --animate", low),
                ],
            },
            Part {
                name: "drag",
                is_witnessed: true,
                turn: drag_turn,
                print: print_drag,
                contenders: vec![
                    Contender::new("swap", &drag, &["swap"]),
                    Contender::new("on_input", &drag, &["input"]),
                    Contender::scanout("ticker+vsync", &scanout, "drag", "ticker+vsync"),
                    Contender::scanout("auto", &scanout, "drag", auto),
                    Contender::scanout("auto_0.05", &scanout, "drag --miss-budget 0.05", auto),
                    Contender::scanout("smooth", &scanout, "drag", "smooth"),
                    Contender::scanout("low-latency", &scanout, "drag", low),
                ],
            },
            Part {
                name: "sweep",
                is_witnessed: true,
                turn: drag_turn,
                print: print_drag,
                contenders: (0..34)
                    .flat_map(|i| ["phase", "drained"].map(|way| format!("{way}={:.1}", f64::from(i) / 2.0)))
                    .map(|way| Contender::new(&way, &drag, &[&way]))
                    .collect(),
            },
        ];
        parts.retain(|part| options.part(part.name));
        for part in &mut parts {
            part.contenders
                .retain(|c| options.only.as_ref().is_none_or(|o| o.split(',').any(|n| n == c.name)));
            if let Some(other) = &options.other {
                let ours = part.contenders.iter().filter(|c| c.program == scanout);
                let others: Vec<_> = ours.map(|c| c.by(other)).collect();
                part.contenders.extend(others);
            }
        }
        if !parts.is_empty() {
            for round in 1..=options.rounds {
                let mut nested = Nested::open(options.raise);
                for part in &mut parts {
                    let mut turns: Vec<&mut Contender> = part.contenders.iter_mut().collect();
                    rng.shuffle(&mut turns);
                    for contender in turns {
                        if let Some(app) = contender.start(&nested.sway, &[]) {
                            pause(SETTLE);
                            let turn = (part.turn)(app, &mut nested, &mut rng, &options);
                            contender.turns.push(turn);
                        }
                    }
                }
                eprint_progress(round, options.rounds);
            }
        }
        for part in &parts {
            report[part.name] = (part.print)(&part.contenders);
        }
        let mut witnessed = parts.iter().filter(|p| p.is_witnessed).flat_map(|p| &p.contenders).peekable();
        if witnessed.peek().is_some() {
            let turns = witnessed.flat_map(|c| &c.turns);
            report["witnesses"] = print_witnesses(turns.map(|t| t.witnessed.as_ref()));
        }
        if options.part("headless") {
            report["headless"] = headless(&scanout, &example, &options);
        }
        if options.part("hidden") {
            report["hidden"] = hidden(&scanout, &options);
        }
        if options.part("stop") {
            report["stop"] = stop(&scanout, &options);
        }
        println!("load after: {}", load());
        if let Some(path) = &options.report {
            let text = serde_json::to_string_pretty(&report).expect("plain values");
            std::fs::write(path, text + "\n").unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        }
    }
}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("compositor measures on sway, which needs Linux");
}
