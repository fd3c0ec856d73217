//! Without a screen, at higher rates: the share of the compositor's frames that show exactly one new frame.

use std::ffi::OsString;

use scanout::observe::{Capture, Captured};
use serde_json::{Value, json};

use crate::common::{Used, median, observe, percentile, raise};
use crate::contender::{Contender, Turn, end};
use crate::nested::{OBSERVER_LEVEL, OUTPUT, SERVER_LEVEL, SETTLE};
use crate::options::Options;
use crate::print::print_pacers;
use crate::support::pause;
use crate::support::sway::{Layout, Sway};
use crate::support::wayland::VirtualInput;

type Program = Result<OsString, String>;

pub fn headless(scanout: &Program, example: &dyn Fn(&str) -> Program, options: &Options) -> Value {
    println!("\nframes of a headless compositor that show exactly one new frame");
    println!(
        "{:<10}{:<18}{:>9}{:>8}{:>9}{:>9}{:>7}  source",
        "nominal", "", "rate, Hz", "frames", "new", "share %", "CPU %"
    );
    let mut out = json!({});
    for hertz in [120, 240] {
        let ticker = format!("fixed={hertz}");
        let mut all = Vec::from([
            Contender::scanout("auto", scanout, "flip", "auto"),
            Contender::scanout("low-latency", scanout, "flip", "low-latency"),
            Contender::scanout("ticker+vsync", scanout, "flip", "ticker+vsync"),
            Contender::scanout(&ticker, scanout, "flip", &ticker),
            Contender::new("naive_loop", &example("naive_loop"), &["flip"]),
        ]);
        if hertz == 120 {
            // The rate that it is made for.
            all.push(Contender::new("reference_tick", &example("reference_tick"), &[]));
        }
        all.retain(|c| options.only.as_ref().is_none_or(|o| o.split(',').any(|n| n == c.name)));
        if all.is_empty() {
            continue;
        }
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
                let frames = observe(OBSERVER_LEVEL, None, || {
                    let mut capture = Capture::connect(&sway).unwrap_or_else(|e| panic!("{e}"));
                    capture.frames((640, 360), options.span()).unwrap_or_else(|e| panic!("{e}"))
                });
                let cpu = used.share();
                let (values, new) = changes(&frames);
                let counts = [values.len(), new, 0, 0];
                c.turns.push(Turn { values, counts, cpu, report: end(app), ..Turn::default() });
            }
        }
        for c in &all {
            if let Some(why) = &c.absent {
                println!("{hertz:<10}{:<18}absent: {why}", c.name);
                continue;
            }
            let rate = 1e3 / percentile(&c.all(), 0.5);
            let share = 100.0 * c.count(1) as f64 / c.count(0) as f64;
            let source = c.turns.first().map_or(&Value::Null, |t| &t.report["target"]["source"]);
            println!(
                "{hertz:<10}{:<18}{rate:>9.1}{:>8}{:>9}{share:>9.2}{:>7.1}  {source}",
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
