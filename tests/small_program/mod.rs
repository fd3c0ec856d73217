//! A program that changes few pixels: on X11, or in shared memory on Wayland where WAYLAND_DISPLAY is set. A test binary
//! runs itself as it.

mod wayland;
mod x11;

use std::env;
use std::ffi::OsString;
use std::time::{Duration, Instant};

use rustix::process::{Signal, getppid, kill_process};

/// What makes the test binary be the program, and which.
const VARIABLE: &str = "SCANOUT_TEST_SMALL_PROGRAM";
pub const SIZE: (u32, u32) = (400, 300);
/// Between two looks for events.
const NAP: Duration = Duration::from_millis(2);
/// So many windows come before the one that stays, each for so long: more than is between two looks for windows, and less
/// than a window has to stay to be meant.
const RENEWALS: u32 = 20;
const RENEWAL: Duration = Duration::from_millis(60);
const BLINK: Duration = Duration::from_millis(400);

/// x, y, width, height of what is white on black.
pub type Patch = [u32; 4];

#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A key turns a patch of 10x6 pixels on and off.
    Button,
    /// A key writes one more letter of 5x7 pixels.
    Text,
    /// The same with a caret that blinks when nothing is pressed.
    Caret,
    /// A button that answers only while the window has said that it has the keyboard (X11).
    Focused,
    /// A button in a window that replaces others, each of which is shown for too short a time to be meant.
    Renewed,
    /// A button that tells its parent of the first press (SIGUSR1), and answers it when the parent has ended.
    Left,
    /// A key turns one of three patches of 60x40 pixels on or off, one after the other; the third lies apart.
    Wandering,
    /// A patch moves once per second, whatever is pressed.
    Ticking,
}

const KINDS: [(Kind, &str); 8] = [
    (Kind::Button, "button"),
    (Kind::Focused, "focused"),
    (Kind::Text, "text"),
    (Kind::Caret, "caret"),
    (Kind::Renewed, "renewed"),
    (Kind::Left, "left"),
    (Kind::Wandering, "wandering"),
    (Kind::Ticking, "ticking"),
];

/// The arguments of `sh` that runs it: `test` is the name of the test that calls [`be`].
pub fn command(kind: Kind, test: &str) -> [OsString; 3] {
    let name = name_of(kind);
    let me = env::current_exe().expect("a path");
    let line = format!("{VARIABLE}={name} exec '{}' --exact {test} --nocapture", me.display());
    ["sh".into(), "-c".into(), line.into()]
}

/// Is the program, until its window or its display has gone, where the test binary was started as it.
pub fn be() {
    let Ok(name) = env::var(VARIABLE) else { return };
    let kind = KINDS.iter().find(|(_, of)| *of == name).expect("a kind").0;
    let state = State { kind, presses: 0, pressed_at: Instant::now(), start: Instant::now() };
    if env::var_os("WAYLAND_DISPLAY").is_some() {
        wayland::run(state);
    } else {
        x11::run(state);
    }
    std::process::exit(0);
}

fn name_of(kind: Kind) -> &'static str {
    KINDS.iter().find(|(of, _)| *of == kind).expect("all are there").1
}

/// Tells the parent of a press, and waits until it has ended.
fn outlive_parent() {
    let parent = getppid().expect("a parent");
    kill_process(parent, Signal::USR1).expect("told");
    while getppid() == Some(parent) {
        std::thread::sleep(NAP);
    }
}

struct State {
    kind: Kind,
    presses: u32,
    pressed_at: Instant,
    start: Instant,
}

impl State {
    fn name(&self) -> &'static str {
        name_of(self.kind)
    }

    fn press(&mut self) {
        if self.kind == Kind::Left && self.presses == 0 {
            outlive_parent();
        }
        self.presses += 1;
        self.pressed_at = Instant::now();
    }

    fn patches(&self) -> Vec<Patch> {
        let letter = |n: u32| [20 + 8 * (n % 40), 27 + 12 * (n / 40), 5, 7];
        match self.kind {
            Kind::Button | Kind::Focused | Kind::Renewed | Kind::Left => {
                (self.presses % 2 == 1).then_some([203, 80, 10, 6]).into_iter().collect()
            }
            Kind::Text => (0..self.presses).map(letter).collect(),
            Kind::Caret => {
                let [x, y, ..] = letter(self.presses);
                let shown = (self.pressed_at.elapsed().as_millis() / BLINK.as_millis()).is_multiple_of(2);
                let caret = shown.then_some([x, y - 1, 1, 9]);
                (0..self.presses).map(letter).chain(caret).collect()
            }
            Kind::Wandering => {
                let places = [[30, 30, 60, 40], [120, 80, 60, 40], [300, 200, 60, 40]];
                let turned = |n: &u32| ((self.presses + 2 - n) / 3) % 2 == 1;
                (0..3).filter(turned).map(|n| places[n as usize]).collect()
            }
            Kind::Ticking => {
                let n = self.start.elapsed().as_secs() as u32;
                vec![[30 + 20 * (n % 10), 150, 12, 12]]
            }
        }
    }
}
