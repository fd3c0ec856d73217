//! From a key press to the changed pixel while a frame is drawn for every refresh.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{Used, observe};
use crate::contender::{Contender, Turn, end};
use crate::nested::{NAP, Nested, OBSERVER_LEVEL};
use crate::options::Options;
use crate::print::print_latency;
use crate::support::app::App;
use crate::support::rng::Rng;
use crate::support::{Key, pause};

pub fn click_turn(app: App, nested: &mut Nested, rng: &mut Rng, options: &Options) -> Turn {
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
        let seen = observe(OBSERVER_LEVEL, None, || {
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
    Turn { values, counts: [lost, 0, 0, 0], cpu, report: end(app), ..Turn::default() }
}

pub fn print_click(all: &[Contender]) -> Value {
    println!(
        "\nkey press to changed pixel, nested at 60 Hz, ms (on_input draws only then, the others all the time)"
    );
    print_latency(all, "lost", 0)
}
