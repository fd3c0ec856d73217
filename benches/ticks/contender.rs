//! The programs that tick, and under which load.

use std::ffi::OsString;
use std::time::Duration;

use crate::common::{Ticks, build_examples, scanout_binary};
use crate::support::app::{App, Place};
use crate::support::x11::X11;
use crate::support::xvfb::Xvfb;

const OPEN_LIMIT: Duration = Duration::from_secs(10);
const PROGRAM_LEVEL: &str = "10";

#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Load {
    Idle,
    Busy,
    Realtime,
    RealtimeAlone,
}

impl Load {
    pub const ALL: [Self; 4] = [Self::Idle, Self::Busy, Self::Realtime, Self::RealtimeAlone];

    pub fn is_realtime(self) -> bool {
        matches!(self, Self::Realtime | Self::RealtimeAlone)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::Realtime => "realtime",
            Self::RealtimeAlone => "rt_alone",
        }
    }
}

/// One turn of one program.
pub struct Turn {
    pub ticks: Ticks,
    pub cpu: f64,
    /// What the program says of itself.
    pub own_missed: Option<u64>,
}

pub struct Contender {
    pub name: &'static str,
    program: Result<OsString, String>,
    arguments: Vec<&'static str>,
    pub is_scanout: bool,
    /// Per load.
    pub turns: [Vec<Turn>; 4],
    pub absent: Option<String>,
}

/// What the others are measured against.
pub const REFERENCE: &str = "tick_thread";
pub const NAMES: [&str; 3] = [REFERENCE, "scanout", "serial"];

pub fn all() -> Vec<Contender> {
    const RUN: &str =
        "run --display window --scene flip --pacing fixed=120 --size 640x480 --report report.json";
    let tick = build_examples(&["reference_tick"]).map(|folder| folder.join("reference_tick").into());
    let run = || RUN.split(' ').collect::<Vec<_>>();
    let mut serial = run();
    serial.extend(["--layout", "serial"]);
    vec![
        Contender::new(NAMES[0], tick, vec![]),
        Contender::new(NAMES[1], scanout_binary(), run()),
        Contender::new(NAMES[2], scanout_binary(), serial),
    ]
}

impl Contender {
    fn new(name: &'static str, program: Result<OsString, String>, arguments: Vec<&'static str>) -> Self {
        let absent = program.as_ref().err().cloned();
        let is_scanout = !arguments.is_empty();
        Self { name, program, arguments, is_scanout, turns: Default::default(), absent }
    }

    /// Starts it and finds its window; a failure takes it out of the run, with the reason.
    pub fn start(&mut self, server: &Xvfb, user: &X11, load: Load) -> Option<App> {
        let program = self.program.as_ref().ok()?;
        let place = Place::X11 { display: server.display() };
        let realtime = load.is_realtime();
        let alone: &[_] = if load == Load::RealtimeAlone { &[("LP_NUM_THREADS", "0")] } else { &[] };
        let mut arguments = self.arguments.clone();
        let path = program.to_str().expect("a path in UTF-8");
        let mut app = if realtime && !self.is_scanout {
            App::start_with("chrt", &["--fifo", PROGRAM_LEVEL, path], &place, alone)
        } else {
            if realtime {
                arguments.extend(["--realtime", PROGRAM_LEVEL]);
            }
            App::start_with(program, &arguments, &place, alone)
        };
        match user.focus_window_of(&mut app, OPEN_LIMIT) {
            Ok(_) => Some(app),
            Err(why) => {
                self.absent = Some(why);
                None
            }
        }
    }
}
