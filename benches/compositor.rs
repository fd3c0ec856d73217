//! Pacing under a compositor, measured from outside: sway nested in an Xvfb (60 Hz, its output read through the mapped
//! framebuffer) and sway headless at higher rates (its frames copied one after another).
//!
//! `cargo bench --bench compositor [-- --parts animate,click,drag,headless,hidden,stop,sweep --rounds N --seconds S
//! --report FILE.json --only NAME,NAME --raise yes]`
//!
//! The programs take turns within each round, in random order; each turn is a fresh start of the program, each round one
//! of server and compositor. `--raise yes` gives server, compositor and observer real-time priority, where that is
//! granted: on a busy machine they stand for a display that does not compete for the CPU.
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

    use rustix::process::Signal;
    use scanout::observe::{Capture, Captured, Screen};
    use serde_json::{Value, json};

    use crate::common::{
        Used, build_examples, eprint_progress, load, machine, median, observe, percentile, raise,
        scanout_binary, sorted,
    };
    use crate::support::app::App;
    use crate::support::rng::Rng;
    use crate::support::sway::{Layout, Sway};
    use crate::support::wayland::VirtualInput;
    use crate::support::xvfb::Xvfb;
    use crate::support::{Key, pause, poll_until};

    const OUTPUT: (u32, u32) = (1280, 720);
    const OPEN_LIMIT: Duration = Duration::from_secs(10);
    const END_LIMIT: Duration = Duration::from_secs(3);
    /// For the pacer to lock and its budget to settle.
    const SETTLE: Duration = Duration::from_millis(2_500);
    /// Between two looks: short beside a refresh, and it leaves the CPU to who is being watched.
    const NAP: Duration = Duration::from_micros(100);
    const REFRESH: f64 = 1.0 / 60.0;
    const SERVER_LEVEL: u8 = 20;
    const OBSERVER_LEVEL: u8 = 30;

    struct Options {
        parts: String,
        rounds: usize,
        seconds: f64,
        clicks: usize,
        stop_seconds: f64,
        report: Option<PathBuf>,
        only: Option<String>,
        raise: bool,
    }

    impl Options {
        fn parse(arguments: &[String]) -> Result<Self, String> {
            let mut o = Self {
                parts: "animate,click,drag,headless,hidden,stop".into(),
                rounds: 2,
                seconds: 3.0,
                clicks: 25,
                stop_seconds: 10.0,
                report: None,
                only: None,
                raise: false,
            };
            let mut rest = arguments.iter();
            while let Some(name) = rest.next() {
                if name == "--bench" {
                    continue; // from cargo
                }
                let value = rest.next().ok_or_else(|| format!("{name}: no value"))?;
                let wrong = |e: &dyn std::fmt::Display| format!("{name} {value}: {e}");
                match name.as_str() {
                    "--parts" => o.parts = value.clone(),
                    "--rounds" => o.rounds = value.parse().map_err(|e| wrong(&e))?,
                    "--seconds" => o.seconds = value.parse().map_err(|e| wrong(&e))?,
                    "--clicks" => o.clicks = value.parse().map_err(|e| wrong(&e))?,
                    "--stop-seconds" => o.stop_seconds = value.parse().map_err(|e| wrong(&e))?,
                    "--report" => o.report = Some(value.into()),
                    "--only" => o.only = Some(value.clone()),
                    "--raise" => o.raise = value == "yes",
                    _ => return Err(format!("{name}: unknown")),
                }
            }
            Ok(o)
        }

        fn part(&self, name: &str) -> bool {
            self.parts.split(',').any(|part| part == name)
        }

        fn span(&self) -> Duration {
            Duration::from_secs_f64(self.seconds)
        }
    }

    /// A program that takes part.
    struct Contender {
        name: String,
        program: Result<OsString, String>,
        arguments: Vec<String>,
        turns: Vec<Turn>,
        absent: Option<String>,
    }

    /// What one start of it came to.
    #[derive(Default)]
    struct Turn {
        values: Vec<f64>,
        /// What of it is counted, by the part's own rules.
        counts: [usize; 4],
        cpu: f64,
        report: Value,
    }

    impl Contender {
        fn new(name: &str, program: &Result<OsString, String>, arguments: &[&str]) -> Self {
            Self {
                name: name.into(),
                program: program.clone(),
                arguments: arguments.iter().map(|&a| a.into()).collect(),
                turns: Vec::new(),
                absent: program.as_ref().err().cloned(),
            }
        }

        fn scanout(name: &str, program: &Result<OsString, String>, scene: &str, pacing: &str) -> Self {
            let mut arguments = vec!["run", "--display", "window", "--size", "1280x720"];
            arguments.extend(["--report", "report.json", "--pacing", pacing, "--scene"]);
            arguments.extend(scene.split(' '));
            Self::new(name, program, &arguments)
        }

        /// Starts it in `sway` and finds its window; a failure takes it out of the run, with the reason.
        fn start(&mut self, sway: &Sway, variables: &[(&str, &str)]) -> Option<App> {
            if self.absent.is_some() {
                return None;
            }
            let program = self.program.as_ref().ok()?;
            let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
            let app = App::start_with(program, &arguments, &sway.place(), variables);
            if sway.window_of(app.id(), OPEN_LIMIT).is_some() {
                return Some(app);
            }
            let said = app.stderr();
            self.absent = Some(format!("no window: {}", said.lines().next().unwrap_or("nothing said")));
            None
        }

        fn all(&self) -> Vec<f64> {
            sorted(self.turns.iter().flat_map(|t| &t.values).copied())
        }

        fn count(&self, i: usize) -> usize {
            self.turns.iter().map(|t| t.counts[i]).sum()
        }

        fn cpu(&self) -> f64 {
            median(self.turns.iter().map(|t| t.cpu * 100.0))
        }
    }

    /// Asks the program to end; its report, where it writes one.
    fn end(mut app: App) -> Value {
        app.interrupt();
        let ended = poll_until(END_LIMIT, || (!app.runs()).then_some(())).is_some();
        if let Some(folder) = std::env::var_os("SCANOUT_BENCH_LOGS") {
            let _ = std::fs::write(PathBuf::from(folder).join(format!("{}.log", app.id())), app.stderr());
        }
        if ended && app.folder().join("report.json").exists() {
            app.report("report.json")
        } else {
            Value::Null
        }
    }

    struct Nested {
        // Dropped in this order.
        user: VirtualInput,
        sway: Sway,
        server: Xvfb,
    }

    impl Nested {
        fn open(raised: bool) -> Self {
            let server = Xvfb::start_sized(OUTPUT.0, OUTPUT.1);
            let sway = Sway::start_nested(&server, Layout::Floating);
            let user = VirtualInput::connect(&sway, OUTPUT);
            if raised {
                raise(server.id(), SERVER_LEVEL);
                raise(sway.id(), SERVER_LEVEL);
            }
            Self { user, sway, server }
        }
    }

    pub fn main() {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let options = match Options::parse(&arguments) {
            Ok(options) => options,
            Err(e) => {
                println!("compositor: {e}");
                std::process::exit(2);
            }
        };
        let examples = build_examples(&["naive_loop", "reference_wait", "reference_drag"]);
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
                turn: animate_turn,
                print: print_animate,
                contenders: vec![
                    Contender::scanout("auto", &scanout, "bars", auto),
                    Contender::scanout("low-latency", &scanout, "bars", low),
                    Contender::scanout("smooth", &scanout, "bars", "smooth"),
                ],
            },
            Part {
                name: "click",
                turn: click_turn,
                print: print_click,
                contenders: vec![
                    Contender::new("naive_loop", &example("naive_loop"), &[]),
                    Contender::new("on_input", &example("reference_wait"), &[]),
                    Contender::scanout("auto", &scanout, "flash --animate", auto),
                    Contender::scanout("low-latency", &scanout, "flash --animate", low),
                ],
            },
            Part {
                name: "drag",
                turn: drag_turn,
                print: print_drag,
                contenders: vec![
                    Contender::new("swap", &drag, &["swap"]),
                    Contender::new("on_input", &drag, &["input"]),
                    Contender::scanout("auto", &scanout, "drag", auto),
                    Contender::scanout("low-latency", &scanout, "drag", low),
                ],
            },
            Part {
                name: "sweep",
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
        if options.part("headless") {
            report["headless"] = headless(&scanout, &options);
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

    /// What is measured of each program in turn, nested.
    struct Part {
        name: &'static str,
        turn: fn(App, &mut Nested, &mut Rng, &Options) -> Turn,
        print: fn(&[Contender]) -> Value,
        contenders: Vec<Contender>,
    }

    // ---- animate

    /// Of the scene `bars`: the distance of two bars and their speed, in pixels.
    const PITCH: i32 = 160;
    const SPEED: f64 = 480.0;
    /// A step is of another length than the time it took when it is off by more than this share of a refresh.
    const OFF: f64 = 0.3;

    /// Where the first bar begins, modulo the pitch.
    fn bar(screen: &Screen) -> Option<i32> {
        let bright = |x: u32| screen.pixel(x, 360) & 0xff > 0x80;
        // The left edge of a bar: bright with dark before it.
        (1..PITCH as u32 + 1).find(|&x| bright(x) && !bright(x - 1)).map(|x| x as i32 % PITCH)
    }

    fn animate_turn(app: App, nested: &mut Nested, _: &mut Rng, options: &Options) -> Turn {
        let used = Used::since_now(app.id());
        let seen = observe(OBSERVER_LEVEL, || {
            let (screen, start) = (&nested.server.screen, Instant::now());
            let (mut last, mut seen) = (bar(screen), Vec::new());
            while start.elapsed() < options.span() {
                let now = bar(screen);
                if now != last {
                    seen.push((Instant::now(), now));
                    last = now;
                }
                pause(NAP);
            }
            seen
        });
        let cpu = used.share();
        let (mut refreshes, mut repeated, mut off, mut unread) = (0, 0, 0, 0);
        let mut apart = Vec::new();
        for pair in seen.windows(2) {
            let dt = (pair[1].0 - pair[0].0).as_secs_f64();
            apart.push(dt * 1e3);
            let k = (dt / REFRESH).round().max(0.0);
            refreshes += k as usize;
            repeated += (k as usize).saturating_sub(1);
            let (Some(a), Some(b)) = (pair[0].1, pair[1].1) else {
                unread += 1;
                continue;
            };
            let moved = f64::from((b - a).rem_euclid(PITCH));
            let off_by = (moved - k * REFRESH * SPEED).abs() / (REFRESH * SPEED);
            off += usize::from(off_by > OFF);
        }
        Turn { values: apart, counts: [refreshes, repeated, off, unread], cpu, report: end(app) }
    }

    fn print_animate(all: &[Contender]) -> Value {
        println!(
            "\na scene that moves in every frame, nested at 60 Hz: as seen on the screen, and as scanout reports it"
        );
        println!(
            "{:<14}{:>10}{:>10}{:>8}{:>10}{:>7} | {:>8}{:>8}{:>10}{:>12}{:>14}",
            "",
            "refreshes",
            "repeated",
            "off",
            "p99 apart",
            "CPU %",
            "missed",
            "dropped",
            "late",
            "display ms",
            "sample->disp"
        );
        let mut out = json!({});
        for c in all.iter().filter(|c| !c.turns.is_empty()) {
            let sum = |pick: &dyn Fn(&Value) -> Option<u64>| {
                c.turns
                    .iter()
                    .map(|t| pick(&t.report))
                    .sum::<Option<u64>>()
                    .map_or("-".into(), |n| n.to_string())
            };
            let ms =
                |name: &str| median(c.turns.iter().filter_map(|t| t.report["metrics"][name]["p50"].as_f64()));
            println!(
                "{:<14}{:>10}{:>10}{:>8}{:>10.2}{:>7.1} | {:>8}{:>8}{:>10}{:>12.2}{:>14.2}",
                c.name,
                c.count(0),
                c.count(1),
                c.count(2),
                percentile(&c.all(), 0.99),
                c.cpu(),
                sum(&|r| r["missed_vsyncs"].as_u64()),
                sum(&|r| r["counters"]["dropped"].as_u64()),
                sum(&|r| r["deadline_misses"].as_u64()),
                ms("MsUntilDisplayed"),
                ms("SampleToPhoton"),
            );
            out[&c.name] = json!({ "refreshes": c.count(0), "repeated": c.count(1), "off": c.count(2), "cpu_percent": c.cpu() });
        }
        print_absent(all);
        print_pacers(all);
        out
    }

    /// What the pacer of each start had come to at its end.
    fn print_pacers(all: &[Contender]) {
        for (c, t) in all.iter().flat_map(|c| c.turns.iter().map(move |t| (c, t))) {
            let p = &t.report["pacer"];
            if p.is_null() {
                continue;
            }
            let ms = |name: &str| p[name].as_f64().unwrap_or(f64::NAN);
            println!(
                "{:<14}pacer: {} x {}, budget {:.1} ms, of it reserve {:.1}, missed {} of {}, drains {}, spinning {:.1} %",
                c.name,
                p["divisor"],
                p["layout"].as_str().unwrap_or("-"),
                ms("budget_ms"),
                ms("reserve_ms"),
                p["missed"],
                p["judged"],
                p["drains"],
                t.report["cost"]["spin_share"].as_f64().unwrap_or(f64::NAN) * 100.0,
            );
        }
    }

    fn print_absent(all: &[Contender]) {
        for c in all {
            if let Some(why) = &c.absent {
                println!("{:<14}absent: {why}", c.name);
            }
        }
    }

    // ---- click

    fn click_turn(app: App, nested: &mut Nested, rng: &mut Rng, options: &Options) -> Turn {
        const AT: (u32, u32) = (640, 360);
        const LIMIT: Duration = Duration::from_secs(1);
        let used = Used::since_now(app.id());
        let (mut values, mut lost) = (Vec::new(), 0);
        for n in 0..options.clicks + 3 {
            pause(Duration::from_micros(rng.between(60_000, 110_000)));
            let (screen, user) = (&nested.server.screen, &nested.user);
            let before = screen.pixel(AT.0, AT.1);
            let pressed = Instant::now();
            user.key(Key::Space, true);
            let seen = observe(OBSERVER_LEVEL, || {
                while pressed.elapsed() < LIMIT {
                    if screen.pixel(AT.0, AT.1) != before {
                        return Some(pressed.elapsed());
                    }
                    pause(NAP);
                }
                None
            });
            user.key(Key::Space, false);
            match seen {
                Some(span) if n >= 3 => values.push(span.as_secs_f64() * 1e3),
                Some(_) => {}
                None => lost += 1,
            }
        }
        let cpu = used.share();
        Turn { values, counts: [lost, 0, 0, 0], cpu, report: end(app) }
    }

    fn print_click(all: &[Contender]) -> Value {
        println!(
            "\nkey press to changed pixel, nested at 60 Hz, ms (on_input draws only then, the others all the time)"
        );
        print_latency(all, "lost", 0)
    }

    fn print_latency(all: &[Contender], counted: &str, count: usize) -> Value {
        println!(
            "{:<14}{:>9}{:>9}{:>9}{:>7}{:>8}{:>7}  median of each start",
            "", "median", "p99", "max", "n", counted, "CPU %"
        );
        let mut out = json!({});
        for c in all.iter().filter(|c| !c.turns.is_empty()) {
            let v = c.all();
            let starts: Vec<String> = c
                .turns
                .iter()
                .map(|t| {
                    let v = sorted(t.values.iter().copied());
                    format!("{:.1} ({:.1})", percentile(&v, 0.5), percentile(&v, 0.99))
                })
                .collect();
            let [p50, p99, max] = [0.5, 0.99, 1.0].map(|p| percentile(&v, p));
            println!(
                "{:<14}{p50:>9.2}{p99:>9.2}{max:>9.2}{:>7}{:>8}{:>7.1}  {}",
                c.name,
                v.len(),
                c.count(count),
                c.cpu(),
                starts.join(", ")
            );
            out[&c.name] = json!({ "median_ms": p50, "p99_ms": p99, "max_ms": max, "n": v.len(), "cpu_percent": c.cpu() });
        }
        print_absent(all);
        print_pacers(all);
        for c in all.iter().filter(|c| c.turns.iter().any(|t| !t.report.is_null())) {
            let of = |name: &str, p: &str| {
                let each = c.turns.iter().map(|t| t.report["metrics"][name][p].as_f64().unwrap_or(f64::NAN));
                each.map(|ms| format!("{ms:.1}")).collect::<Vec<_>>().join(", ")
            };
            println!(
                "{:<14}reports, each start: swap to display {} (p99 {}); sample to display {} (p99 {}); dropped {:?}",
                c.name,
                of("MsUntilDisplayed", "p50"),
                of("MsUntilDisplayed", "p99"),
                of("SampleToPhoton", "p50"),
                of("SampleToPhoton", "p99"),
                c.turns.iter().map(|t| t.report["counters"]["dropped"].as_u64()).collect::<Vec<_>>(),
            );
        }
        out
    }

    // ---- drag

    /// The pointer goes to and fro between these, in pixels, at so many per second.
    const WAY: (f64, f64) = (100.0, 1_180.0);
    const POINTER_SPEED: f64 = 1_000.0;
    /// So near to where it turns, a position may be from before or after.
    const TURN: f64 = 130.0;
    const POINTER_EVERY: Duration = Duration::from_millis(1);
    /// Below the row that is read: a drawn pointer would be taken for the mark.
    const POINTER_Y: u32 = 600;
    const MARK: u32 = 16;

    /// The middle of the mark.
    fn mark(screen: &Screen, near: u32) -> Option<u32> {
        let bright = |x: u32| screen.pixel(x, 100) & 0xff > 0x80;
        let find = |range: std::ops::Range<u32>| range.step_by(8).find(|&x| bright(x));
        let hit = find(near.saturating_sub(100)..(near + 100).min(OUTPUT.0)).or_else(|| find(0..OUTPUT.0))?;
        let left = (hit.saturating_sub(MARK)..=hit).find(|&x| bright(x))?;
        Some(left + MARK / 2)
    }

    fn drag_turn(app: App, nested: &mut Nested, _: &mut Rng, options: &Options) -> Turn {
        let used = Used::since_now(app.id());
        let (screen, user) = (&nested.server.screen, &nested.user);
        let values = observe(OBSERVER_LEVEL, || {
            let span = WAY.1 - WAY.0;
            let start = Instant::now();
            // When each position was injected last.
            let mut injected = vec![None; OUTPUT.0 as usize];
            let (mut due, mut last, mut lags) = (start, mark(screen, 0), Vec::new());
            while start.elapsed() < options.span() {
                let now = Instant::now();
                let gone = (now - start).as_secs_f64() * POINTER_SPEED;
                let there = gone % (2.0 * span);
                let x = WAY.0 + if there < span { there } else { 2.0 * span - there };
                if now >= due {
                    let x = x.round() as u32;
                    user.point(x, POINTER_Y);
                    injected[x as usize] = Some(now);
                    due = now.max(due + POINTER_EVERY);
                }
                let seen = mark(screen, x as u32);
                if seen != last {
                    last = seen;
                    let at = Instant::now();
                    let clear = (WAY.0 + TURN..WAY.1 - TURN).contains(&x);
                    let from = seen.and_then(|x| injected.get(x as usize).copied().flatten());
                    if let (true, Some(from)) = (clear && gone > 2.0 * TURN, from) {
                        lags.push((at - from).as_secs_f64() * 1e3);
                    }
                }
                pause(NAP);
            }
            lags
        });
        let cpu = used.share();
        let repeated = values.len();
        Turn { values, counts: [repeated, 0, 0, 0], cpu, report: end(app) }
    }

    fn print_drag(all: &[Contender]) -> Value {
        println!(
            "\nlag of a mark behind the pointer when it appears, 1,000 px/s, nested at 60 Hz, ms (P99 of each start)"
        );
        print_latency(all, "frames", 0)
    }

    // ---- headless

    fn headless(scanout: &Result<OsString, String>, options: &Options) -> Value {
        println!("\nframes of a headless compositor that show exactly one new frame");
        println!(
            "{:<10}{:<14}{:>9}{:>8}{:>9}{:>9}{:>7}  source",
            "nominal", "", "rate, Hz", "frames", "new", "share %", "CPU %"
        );
        let mut out = json!({});
        for hertz in [120, 240] {
            let ticker = format!("fixed={hertz}");
            let mut all = [
                Contender::scanout("auto", scanout, "flip", "auto"),
                Contender::scanout("low-latency", scanout, "flip", "low-latency"),
                Contender::scanout("ticker", scanout, "flip", &ticker),
            ];
            for _ in 0..options.rounds {
                let sway = Sway::start_headless(OUTPUT.0, OUTPUT.1, hertz, Layout::Floating);
                let _user = VirtualInput::connect(&sway, OUTPUT);
                if options.raise {
                    raise(sway.id(), SERVER_LEVEL);
                }
                for c in &mut all {
                    let Some(app) = c.start(&sway, &[]) else { continue };
                    pause(SETTLE);
                    let used = Used::since_now(app.id());
                    let frames = observe(OBSERVER_LEVEL, || {
                        let mut capture = Capture::connect(&sway).unwrap_or_else(|e| panic!("{e}"));
                        capture.frames((640, 360), options.span()).unwrap_or_else(|e| panic!("{e}"))
                    });
                    let cpu = used.share();
                    let (values, new) = changes(&frames);
                    let counts = [values.len(), new, 0, 0];
                    c.turns.push(Turn { values, counts, cpu, report: end(app) });
                }
            }
            for c in &all {
                if let Some(why) = &c.absent {
                    println!("{hertz:<10}{:<14}absent: {why}", c.name);
                    continue;
                }
                let rate = 1e3 / percentile(&c.all(), 0.5);
                let share = 100.0 * c.count(1) as f64 / c.count(0) as f64;
                let source = c.turns.first().map_or(&Value::Null, |t| &t.report["target"]["source"]);
                println!(
                    "{hertz:<10}{:<14}{rate:>9.1}{:>8}{:>9}{share:>9.2}{:>7.1}  {source}",
                    c.name,
                    c.count(0),
                    c.count(1),
                    c.cpu()
                );
                out[hertz.to_string()][&c.name] =
                    json!({ "rate_hz": rate, "share_percent": share, "cpu_percent": c.cpu() });
            }
            print_pacers(&all);
        }
        out
    }

    /// Intervals in ms, and how many frames differ from the one before. Between frames that were not copied one after
    /// the other nothing can be said; they are left out.
    fn changes(frames: &[Captured]) -> (Vec<f64>, usize) {
        let apart: Vec<f64> = frames.windows(2).map(|f| (f[1].at - f[0].at) as f64 / 1e6).collect();
        let period = median(apart.iter().copied());
        let next = frames.windows(2).zip(&apart).filter(|(_, apart)| **apart < 1.6 * period);
        let new = next.clone().filter(|(f, _)| f[0].pixel != f[1].pixel).count();
        (next.map(|(_, apart)| *apart).collect(), new)
    }

    // ---- hidden, stop

    /// How often all threads of a process have waited so far: each wait ends with a wake-up.
    fn waits(pid: u32) -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let of = |task: std::fs::DirEntry| {
            let status = std::fs::read_to_string(task.path().join("status")).ok()?;
            status
                .lines()
                .find_map(|l| l.strip_prefix("voluntary_ctxt_switches:"))?
                .trim()
                .parse::<u64>()
                .ok()
        };
        tasks.filter_map(of).sum()
    }

    fn hidden(scanout: &Result<OsString, String>, options: &Options) -> Value {
        println!("\na hidden window (nested)");
        println!(
            "{:<14}{:>16}{:>16}{:>7}{:>22}{:>18}",
            "", "swaps in it", "wake-ups per s", "CPU %", "first frame shown, ms", "closed after, ms"
        );
        let mut out = json!({});
        for pacing in ["auto", "vsync", "immediate"] {
            let nested = Nested::open(options.raise);
            let mut c = Contender::scanout(pacing, scanout, "bars", pacing);
            // It tells each request that is made of the compositor.
            let Some(mut app) = c.start(&nested.sway, &[("WAYLAND_DEBUG", "client")]) else {
                print_absent(&[c]);
                continue;
            };
            let swaps = |app: &App| {
                app.stderr().lines().filter(|l| l.contains("wl_surface") && l.contains(".attach(")).count()
            };
            pause(SETTLE);
            nested.sway.hide();
            pause(Duration::from_millis(500));
            let (before, woken, used) = (swaps(&app), waits(app.id()), Used::since_now(app.id()));
            pause(options.span());
            let drawn = swaps(&app) - before;
            let (wakes, cpu) = ((waits(app.id()) - woken) as f64 / options.seconds, used.share() * 100.0);
            let screen = &nested.server.screen;
            let at = screen.fingerprint(7);
            let shown = Instant::now();
            nested.sway.show();
            let back =
                poll_until(Duration::from_secs(3), || (screen.fingerprint(7) != at).then(|| shown.elapsed()));
            pause(Duration::from_millis(500));
            nested.sway.hide();
            pause(Duration::from_secs(1));
            let asked = Instant::now();
            nested.sway.close(app.id());
            let closed = poll_until(END_LIMIT, || (!app.runs()).then(|| asked.elapsed()));
            let ms =
                |d: Option<Duration>| d.map_or("never".into(), |d| format!("{:.1}", d.as_secs_f64() * 1e3));
            println!(
                "{pacing:<14}{:>16}{wakes:>16.1}{cpu:>7.1}{:>22}{:>18}",
                format!("{drawn} in {:.0} s", options.seconds),
                ms(back),
                ms(closed)
            );
            out[pacing] =
                json!({ "swaps": drawn, "wakes_per_s": wakes, "cpu_percent": cpu, "closed_ms": ms(closed) });
        }
        out
    }

    fn stop(scanout: &Result<OsString, String>, options: &Options) -> Value {
        println!("\nstopped for {:.0} s and gone on (nested, bars, auto)", options.stop_seconds);
        let mut nested = Nested::open(options.raise);
        let mut c = Contender::scanout("auto", scanout, "bars", "auto");
        let Some(mut app) = c.start(&nested.sway, &[]) else {
            print_absent(&[c]);
            return Value::Null;
        };
        pause(SETTLE);
        app.signal(Signal::STOP);
        pause(Duration::from_secs_f64(options.stop_seconds));
        app.signal(Signal::CONT);
        pause(Duration::from_secs(1));
        let turn = animate_turn(app, &mut nested, &mut Rng::new(1), options);
        let [refreshes, repeated, off, _] = turn.counts;
        println!(
            "snaps reported: {}; one second later: {repeated} of {refreshes} refreshes repeated, {off} steps off; reported \
             missed in all: {}; animation error, largest: {} ms",
            turn.report["snaps"],
            turn.report["missed_vsyncs"],
            turn.report["metrics"]["AnimationError"]["max"]
        );
        json!({ "snaps": turn.report["snaps"], "repeated": repeated, "of": refreshes })
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
