//! From a key press to the first changed pixel on the screen, measured from outside, for scanout and for the loops
//! that it has to be compared with; and frames per second where nothing waits.
//!
//! `cargo bench --bench click [-- --rounds N --clicks N --seconds S --look US --report FILE.json --only NAME,NAME]`
//!
//! One Xvfb of 1280x720 whose framebuffer is mapped; XTEST presses the space key at random phases; this process looks
//! at a few pixels until one of them changes: every 20 microseconds and asleep between (`--look`), so that the CPUs are left
//! to who is watched; with `--look 0` it spins, which on a machine of two cores takes one of them away. All programs take turns within each round, in random order, so that
//! whatever else the machine does meets all of them; a claim is a ratio of medians from one run. The floor is an X11
//! client that answers the key with one filled rectangle: what the method itself costs (injection, server, wake-up of
//! a client, and being seen).

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
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use crate::common::{
        build_examples, eprint_progress, load, machine, options, percentile, read, scanout_binary, sorted,
        times,
    };
    use crate::support::app::{App, Place};
    use crate::support::rng::Rng;
    use crate::support::x11::X11;
    use crate::support::xvfb::Xvfb;
    use crate::support::{Key, cpu, pause};
    use scanout::observe::{Screen, floor_client};
    use serde_json::{Value, json};

    const FLOOR_CLIENT: &str = "--floor-client";
    const WIDTH: u16 = 1280;
    const HEIGHT: u16 = 720;
    /// Pixels that are watched: a frame arrives from the top or in tiles, and the first sign of it counts.
    const WATCHED: [(u32, u32); 3] = [(640, 4), (640, 360), (640, 716)];
    const OPEN_LIMIT: Duration = Duration::from_secs(10);
    /// A click that shows nothing for so long is lost; losses are counted, not hidden.
    const CLICK_LIMIT: Duration = Duration::from_secs(1);
    /// Presses before the counted ones of each round: caches, shader variants, first-time allocations.
    const WARM_UP: usize = 10;
    /// Between two looks while frames are counted. Spinning would take a CPU from the program that is measured; this
    /// sees every frame up to some thousands per second.
    const LOOK_EVERY: Duration = Duration::from_micros(100);

    /// Between two looks while a press is waited for.
    const LOOK: Duration = Duration::from_micros(20);

    struct Options {
        rounds: usize,
        clicks: usize,
        seconds: f64,
        look: Duration,
        report: Option<PathBuf>,
        only: Option<String>,
    }

    impl Options {
        fn parse(arguments: &[String]) -> Result<Self, String> {
            let mut o = Self { rounds: 10, clicks: 40, seconds: 1.0, look: LOOK, report: None, only: None };
            options(arguments, |name, value| {
                match name {
                    "--rounds" => o.rounds = times(value)?,
                    "--clicks" => o.clicks = read(value)?,
                    "--seconds" => o.seconds = read(value)?,
                    "--look" => o.look = Duration::from_micros(read(value)?),
                    "--report" => o.report = Some(value.into()),
                    "--only" => o.only = Some(value.into()),
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
            Ok(o)
        }

        fn wants(&self, name: &str) -> bool {
            self.only.as_ref().is_none_or(|only| only.split(',').any(|one| one == name))
        }
    }

    /// A program that takes part.
    struct Contender {
        name: &'static str,
        program: OsString,
        arguments: &'static [&'static str],
        /// Per round, in milliseconds (clicks) or frames per second.
        rounds: Vec<Vec<f64>>,
        lost: usize,
        /// Share of a CPU used while it was measured, the last round's.
        cpu: f64,
        /// Why it no longer takes part.
        absent: Option<String>,
    }

    impl Contender {
        fn new(
            name: &'static str,
            program: Result<OsString, String>,
            arguments: &'static [&'static str],
        ) -> Self {
            let (program, absent) = program.map_or_else(|e| (OsString::new(), Some(e)), |p| (p, None));
            Self { name, program, arguments, rounds: Vec::new(), lost: 0, cpu: 0.0, absent }
        }

        fn all(&self) -> Vec<f64> {
            sorted(self.rounds.iter().flatten().copied())
        }

        /// Starts it and finds its window; a failure takes it out of the run, with the reason.
        fn start(&mut self, server: &Xvfb, user: &X11) -> Option<App> {
            if self.absent.is_some() {
                return None;
            }
            let place = Place::X11 { display: server.display() };
            let mut app =
                App::start_with(&self.program, self.arguments, &place, &[("SDL_VIDEODRIVER", "x11")]);
            match user.focus_window_of(&mut app, OPEN_LIMIT) {
                Ok(_) => Some(app),
                Err(why) => {
                    self.absent = Some(why);
                    None
                }
            }
        }
    }

    pub fn main() {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        if arguments.first().is_some_and(|a| a == FLOOR_CLIENT) {
            let display = std::env::var("DISPLAY").expect("DISPLAY");
            return floor_client(&display, (WIDTH, HEIGHT)).unwrap_or_else(|e| panic!("{e}"));
        }
        let options = match Options::parse(&arguments) {
            Ok(options) => options,
            Err(e) => {
                println!("click: {e}");
                std::process::exit(2);
            }
        };
        let examples = build_examples(&["reference_wait", "reference_poll"]);
        let example = |name: &str| examples.clone().map(|folder| folder.join(name).into_os_string());
        let floor = std::env::current_exe().map(OsString::from).map_err(|e| e.to_string());

        let mut clicked = vec![
            Contender::new("floor", floor, &[FLOOR_CLIENT]),
            Contender::new("sdl2_wait", build_sdl2(), &["flash", "wait"]),
            Contender::new("winit_wait", example("reference_wait"), &[]),
            Contender::new(
                "scanout",
                scanout_binary(),
                &[
                    "run",
                    "--display",
                    "window",
                    "--scene",
                    "flash",
                    "--pacing",
                    "immediate",
                    "--size",
                    "1280x720",
                ],
            ),
        ];
        let mut flipped = vec![
            Contender::new("winit_poll", example("reference_poll"), &[]),
            Contender::new(
                "scanout_flip",
                scanout_binary(),
                &[
                    "run",
                    "--display",
                    "window",
                    "--scene",
                    "flip",
                    "--pacing",
                    "immediate",
                    "--size",
                    "1280x720",
                ],
            ),
        ];
        clicked.retain(|c| options.wants(c.name));
        flipped.retain(|c| options.wants(c.name));

        let server = Xvfb::start_sized(WIDTH.into(), HEIGHT.into());
        let user = X11::connect(&server.display());
        let seed = Instant::now().elapsed().as_nanos() as u64 ^ u64::from(std::process::id()) << 20;
        // The default slack of timers is as long as the time between two looks; where it stays, looks are only rarer.
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
        let mut rng = Rng::new(seed);
        println!("{}", machine());
        for round in 1..=options.rounds {
            let mut turns: Vec<&mut Contender> = clicked.iter_mut().collect();
            rng.shuffle(&mut turns);
            for contender in turns {
                click_round(contender, &server, &user, &mut rng, &options);
            }
            let mut turns: Vec<&mut Contender> = flipped.iter_mut().collect();
            rng.shuffle(&mut turns);
            for contender in turns {
                flip_round(contender, &server, &user, Duration::from_secs_f64(options.seconds));
            }
            eprint_progress(round, options.rounds);
        }
        println!("load after: {}", load());

        let mut report = json!({ "machine": machine(), "clicks": {}, "rates": {} });
        report["clicks"] = print_clicks(&clicked);
        report["rates"] = print_rates(&flipped);
        if let Some(path) = &options.report {
            let text = serde_json::to_string_pretty(&report).expect("plain values");
            std::fs::write(path, text + "\n").unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        }
    }

    fn click_round(contender: &mut Contender, server: &Xvfb, user: &X11, rng: &mut Rng, options: &Options) {
        let Some(mut app) = contender.start(server, user) else { return };
        // The first frame is black like the screen behind it, so it cannot be seen arriving: leave it some time.
        pause(Duration::from_millis(300));
        let mut samples = Vec::with_capacity(options.clicks);
        let (began, before) = (Instant::now(), cpu::used(app.id()));
        for n in 0..WARM_UP + options.clicks {
            // Random phases: against the program's own rhythm, if it has one, and the server's.
            pause(Duration::from_micros(rng.between(5_000, 25_000)));
            match click(&server.screen, user, options.look) {
                Some(ms) if n >= WARM_UP => samples.push(ms),
                Some(_) => {}
                None if n == 0 => {
                    contender.absent = Some("its window does not answer the space key".into());
                    return;
                }
                None => contender.lost += 1,
            }
        }
        if let (Some(a), Some(b)) = (before, cpu::used(app.id())) {
            contender.cpu = b.saturating_sub(a).as_secs_f64() / began.elapsed().as_secs_f64();
        }
        contender.rounds.push(samples);
        user.tap(Key::Esc);
        // Whoever does not leave is ended by the drop.
        crate::support::poll_until(Duration::from_secs(2), || (!app.runs()).then_some(()));
    }

    /// One press; milliseconds until the first watched pixel changed.
    fn click(screen: &Screen, user: &X11, look: Duration) -> Option<f64> {
        let before = WATCHED.map(|(x, y)| screen.pixel(x, y));
        let is = || WATCHED.map(|(x, y)| screen.pixel(x, y));
        let pressed = Instant::now();
        user.key(Key::Space, true);
        let seen = loop {
            if is() != before {
                break Some(pressed.elapsed());
            }
            if pressed.elapsed() > CLICK_LIMIT {
                break None;
            }
            if look.is_zero() {
                std::hint::spin_loop();
            } else {
                pause(look);
            }
        };
        user.key(Key::Space, false);
        // The rest of the frame, before the next press reads its starting point.
        screen.satisfies(Duration::from_millis(200), |_| is().into_iter().zip(before).all(|(a, b)| a != b));
        seen.map(|span| span.as_secs_f64() * 1e3)
    }

    fn flip_round(contender: &mut Contender, server: &Xvfb, user: &X11, span: Duration) {
        let Some(mut app) = contender.start(server, user) else { return };
        pause(Duration::from_millis(500));
        let at = WATCHED[1];
        let (began, before) = (Instant::now(), cpu::used(app.id()));
        let mut changes = 0_u32;
        let mut last = server.screen.pixel(at.0, at.1);
        while began.elapsed() < span {
            let now = server.screen.pixel(at.0, at.1);
            changes += u32::from(now != last);
            last = now;
            pause(LOOK_EVERY);
        }
        let rate = f64::from(changes) / began.elapsed().as_secs_f64();
        if let (Some(a), Some(b)) = (before, cpu::used(app.id())) {
            contender.cpu = b.saturating_sub(a).as_secs_f64() / began.elapsed().as_secs_f64();
        }
        if !app.runs() || changes == 0 {
            contender.absent = Some("its window does not change".into());
            return;
        }
        contender.rounds.push(vec![rate]);
        user.tap(Key::Esc);
        crate::support::poll_until(Duration::from_secs(2), || (!app.runs()).then_some(()));
    }

    fn print_clicks(all: &[Contender]) -> Value {
        println!("\nkey press to first changed pixel, ms");
        println!(
            "{:<14}{:>9}{:>9}{:>9}{:>9}{:>7}{:>6}{:>7}",
            "", "median", "p95", "p99", "max", "n", "lost", "CPU %"
        );
        let mut out = json!({});
        for c in all {
            if let Some(why) = &c.absent {
                println!("{:<14}absent: {why}", c.name);
                out[c.name] = json!({ "absent": why });
                continue;
            }
            let v = c.all();
            let [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1.0].map(|p| percentile(&v, p));
            let cpu = c.cpu * 100.0;
            println!(
                "{:<14}{p50:>9.3}{p95:>9.3}{p99:>9.3}{max:>9.3}{:>7}{:>6}{cpu:>7.0}",
                c.name,
                v.len(),
                c.lost
            );
            out[c.name] = json!({ "median_ms": p50, "p95_ms": p95, "p99_ms": p99, "max_ms": max, "n": v.len(), "lost": c.lost });
        }
        print_ratios(all, "scanout", &mut out);
        out
    }

    fn print_rates(all: &[Contender]) -> Value {
        println!("\nframes per second where nothing waits, seen from outside");
        println!("{:<14}{:>9}{:>9}{:>9}{:>7}", "", "median", "least", "most", "CPU %");
        let mut out = json!({});
        for c in all {
            if let Some(why) = &c.absent {
                println!("{:<14}absent: {why}", c.name);
                out[c.name] = json!({ "absent": why });
                continue;
            }
            let v = c.all();
            let [least, p50, most] = [0.0, 0.5, 1.0].map(|p| percentile(&v, p));
            println!("{:<14}{p50:>9.1}{least:>9.1}{most:>9.1}{:>7.0}", c.name, c.cpu * 100.0);
            out[c.name] = json!({ "median_per_s": p50, "least_per_s": least, "most_per_s": most });
        }
        print_ratios(all, "scanout_flip", &mut out);
        out
    }

    /// The ratio of `ours` to each other's median, with its range over the rounds.
    fn print_ratios(all: &[Contender], ours: &str, out: &mut Value) {
        let Some(us) = all.iter().find(|c| c.name == ours && !c.rounds.is_empty() && c.absent.is_none())
        else {
            return;
        };
        for c in all.iter().filter(|c| c.name != ours && c.absent.is_none() && !c.rounds.is_empty()) {
            let ratio = percentile(&us.all(), 0.5) / percentile(&c.all(), 0.5);
            let median = |r: &Vec<f64>| percentile(&sorted(r.iter().copied()), 0.5);
            let each = sorted(us.rounds.iter().zip(&c.rounds).map(|(a, b)| median(a) / median(b)));
            let (least, most) = (percentile(&each, 0.0), percentile(&each, 1.0));
            println!("{ours} / {:<12} {ratio:.2}  (rounds {least:.2} to {most:.2})", c.name);
            out[ours][format!("ratio_to_{}", c.name)] = json!(ratio);
        }
    }

    /// Compiles the SDL2 reference. Its absence is no error of the bench, but the table says so.
    fn build_sdl2() -> Result<OsString, String> {
        let hint = "run scripts/setup bench (package libsdl2-dev)";
        let flags = Command::new("sdl2-config").args(["--cflags", "--libs"]).stderr(Stdio::null()).output();
        let flags = flags.map_err(|e| format!("sdl2-config: {e}; {hint}"))?;
        let flags = String::from_utf8_lossy(&flags.stdout).into_owned();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/others/sdl2.c");
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdl2_wait");
        std::fs::create_dir_all(env!("CARGO_TARGET_TMPDIR")).map_err(|e| e.to_string())?;
        let built = Command::new("cc")
            .arg("-O2")
            .arg(source)
            .arg("-o")
            .arg(&program)
            .args(flags.split_whitespace())
            .status()
            .map_err(|e| format!("cc: {e}"))?;
        if built.success() { Ok(program.into()) } else { Err(format!("it does not compile; {hint}")) }
    }
}

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("click measures on Xvfb, which needs Linux");
}
