//! Where it happens: a server with a program in it, or a window that is there.

use std::time::Duration;

use scanout::observe::{Area, Fate, Injector, Place, Program, SharedImage, Sway, View, X11, Xvfb, cpu};

use scanout::time::{Clock as _, MonotonicClock};

use super::args::{PhotonArgs, Server};
use super::going_on::{self, OnX11 as OnX11Window, Shown, no_window, still_runs};
use super::subject::Subject;
use super::trouble::{Outcome, Trouble};
use super::watcher::{self, rest};
use super::wayland::Wayland;
use super::windows::{Candidate, choose};
use crate::app::held::Recorded;

/// For the first picture to arrive after the window.
pub const SETTLE: Duration = Duration::from_millis(300);
/// A window that is smaller shows nothing to be measured.
pub const LEAST: u32 = 16;

/// All that is needed to measure a program. Dropped in this order: the program before its server.
pub struct Stage {
    pub view: Box<dyn View + Send>,
    pub input: Box<dyn Injector + Send>,
    pub program: Option<Program>,
    /// Which window it is, where that is known.
    pub subject: Option<Subject>,
    pub shown: Shown,
    /// What is looked at: the window, or the whole screen where none was named.
    pub area: Area,
    /// For reports: `xvfb`, `:0`.
    pub server: String,
    /// Whether looks are so cheap that many points may be looked at.
    pub cheap: bool,
    pub own: Option<Own>,
    /// The process of a server that is not ours.
    pub listener: Option<u32>,
}

/// What was started besides the program. Dropped in this order: a compositor before the server that it is nested in.
pub enum Own {
    Xvfb(Xvfb),
    Sway(Sway),
    Nested(Sway, Xvfb),
}

impl Own {
    /// Its processes.
    pub fn pids(&self) -> Vec<u32> {
        match self {
            Self::Xvfb(server) => vec![server.id()],
            Self::Sway(sway) => vec![sway.id()],
            Self::Nested(sway, server) => vec![sway.id(), server.id()],
        }
    }

    pub const fn sway(&self) -> Option<&Sway> {
        match self {
            Self::Xvfb(_) => None,
            Self::Sway(sway) | Self::Nested(sway, _) => Some(sway),
        }
    }
}

impl Stage {
    /// Starts what is to be started, and finds the window.
    pub fn open(args: &PhotonArgs) -> Outcome<Self> {
        Base::open(args)?.stage(args)
    }

    /// The processes of the server, where it is ours.
    pub fn server_pids(&self) -> Vec<u32> {
        self.own.as_ref().map_or_else(Vec::new, Own::pids)
    }

    /// Fails when the program or its window has gone.
    pub fn check(&mut self, when: &str) -> Outcome<()> {
        going_on::check(self.program.as_mut(), &mut self.shown, self.own.as_ref(), when, false)
    }

    /// The processes of the server, as far as they are known.
    pub fn serving(&self) -> Vec<u32> {
        if self.own.is_some() { self.server_pids() } else { self.listener.into_iter().collect() }
    }

    /// CPU time of the program with all that it started, or of the process that the window names with its group.
    pub fn used(&self) -> Option<Duration> {
        match &self.program {
            Some(program) => {
                let family = program.family(&self.server_pids());
                family.into_iter().filter_map(cpu::used).reduce(|a, b| a + b)
            }
            None => {
                let pid = self.subject.as_ref()?.pid?;
                cpu::used_by_group(pid).or_else(|| cpu::used(pid))
            }
        }
    }
}

/// A server with a connection to it, before there is a program.
pub enum Base {
    X11(OnX11),
    Wayland(Wayland),
}

/// An X server.
pub struct OnX11 {
    user: X11,
    view: Box<dyn View + Send>,
    server: String,
    own: Option<Xvfb>,
}

impl Base {
    pub fn open(args: &PhotonArgs) -> Outcome<Self> {
        let named = args.display.clone();
        // A window that is named without a display is on the one that the environment names.
        let named = named.or_else(|| {
            let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
            args.window.as_ref().and_then(|_| variable("DISPLAY").or_else(|| variable("WAYLAND_DISPLAY")))
        });
        if args.window.is_some() && named.is_none() {
            return Err(Trouble::Bad(
                "--window needs --display, or DISPLAY or WAYLAND_DISPLAY in the environment".into(),
            ));
        }
        if named.is_none() && args.command.is_empty() {
            return Err(Trouble::Bad(
                "there is nothing to measure: put the program and its arguments after `--`, or name a --window or \
                 --display"
                    .into(),
            ));
        }
        match named {
            // Names of X servers have a colon in them, whatever stands before it.
            Some(display) if display.contains(':') => {
                let user = X11::connect(&display)?;
                let view = Box::new(SharedImage::connect(&display)?);
                user.check_injection()?;
                Ok(Self::X11(OnX11 { user, view, server: display, own: None }))
            }
            Some(display) => Ok(Self::Wayland(Wayland::attached(&display)?)),
            None => Self::own(args.server.unwrap_or_default(), args.size.width, args.size.height),
        }
    }

    /// A server of our own.
    pub fn own(server: Server, width: u32, height: u32) -> Outcome<Self> {
        Ok(match server {
            Server::Xvfb => {
                let server = Xvfb::start(width, height)?;
                let (user, view) = (X11::connect(&server.display())?, Box::new(server.view()?));
                user.check_injection()?;
                // A key that is held until it is answered would come again, and be answered then.
                user.stop_repeating()?;
                Self::X11(OnX11 { user, view, server: "xvfb".into(), own: Some(server) })
            }
            Server::SwayNested => Self::Wayland(Wayland::nested(width, height)?),
            Server::SwayHeadless(hertz) => Self::Wayland(Wayland::headless(width, height, hertz)?),
        })
    }

    fn stage(self, args: &PhotonArgs) -> Outcome<Stage> {
        let program = match args.command.split_first() {
            Some((program, arguments)) => Some(Program::start(program, arguments, &self.place(), |_, _| {})?),
            None => None,
        };
        self.with(program, args.window.as_deref(), args.wait)
    }

    /// With a program that was started on it, or the window that is named.
    pub fn with(self, program: Option<Program>, named: Option<&str>, limit: Duration) -> Outcome<Stage> {
        match self {
            Self::X11(base) => base.with(program, named, limit),
            Self::Wayland(base) => base.with(program, named, limit),
        }
    }

    /// The address for programs.
    pub fn place(&self) -> Place {
        match self {
            Self::X11(base) => Place::X11 { display: base.user.display().into() },
            Self::Wayland(base) => base.place(),
        }
    }
}

impl OnX11 {
    fn with(self, mut program: Option<Program>, named: Option<&str>, limit: Duration) -> Outcome<Stage> {
        let Self { user, view, server, own } = self;
        let own = own.map(Own::Xvfb);
        let others = own.as_ref().map_or_else(Vec::new, Own::pids);
        let window = match (&mut program, named) {
            (Some(program), _) => Some(window_of(&user, program, &others, limit)?),
            (None, Some(named)) => Some(window_named(&user, named)?),
            (None, None) => None,
        };
        let screen = view.size();
        let whole = Area { x: 0, y: 0, width: screen.0, height: screen.1 };
        let area = window.map_or(Ok(whole), |window| user.area(window))?;
        let area = on_screen(area, screen)?;
        if let Some(window) = window {
            user.focus(window)?;
        }
        let subject = window.map(|window| Subject::on_x11(&user, window));
        let (cheap, listener) = (own.is_some(), user.server());
        // By a connection of its own: the other one is the injector's.
        let shown = window.map_or(Ok(Shown::Unknown), |window| {
            X11::connect(user.display()).map(|user| Shown::OnX11(Box::new(OnX11Window::new(user, window))))
        })?;
        // What is pressed on a server of ours goes with it.
        let input: Box<dyn Injector + Send> =
            if cheap { Box::new(user) } else { Box::new(Recorded::new(user)) };
        settle(Stage { view, input, program, subject, shown, area, server, cheap, own, listener })
    }
}

/// What of a window lies on the screen, if that is enough.
pub fn on_screen(area: Area, screen: (u32, u32)) -> Outcome<Area> {
    let area = area.on_screen(screen).filter(|area| area.width >= LEAST && area.height >= LEAST);
    area.ok_or_else(|| {
        Trouble::Bad(format!("less than {LEAST}x{LEAST} pixels of the window lie on the screen"))
    })
}

/// The first picture may still be on its way, and cannot be told from what was there before.
pub fn settle(mut stage: Stage) -> Outcome<Stage> {
    rest(SETTLE)?;
    stage.check("after it had shown a window")?;
    Ok(stage)
}

/// The visible window of a program that was just started, or why there is none. Some programs make their window anew for
/// another way of drawing, or show something else before it: it is the one that stays. `others` are the processes of our
/// server; where there are none, it is another's.
fn window_of(user: &X11, program: &mut Program, others: &[u32], limit: Duration) -> Outcome<u32> {
    let end = MonotonicClock.now() + limit;
    loop {
        let window = first_window(user, program, others, end.saturating_since(MonotonicClock.now()))?;
        rest(SETTLE)?;
        match window {
            Some(window) if user.fate(window)? == Fate::Shown => return Ok(window),
            Some(_) if MonotonicClock.now() < end => {}
            _ => return Err(no_window(program, limit)),
        }
    }
}

/// The largest one that is visible by now, or as soon as there is one.
fn first_window(user: &X11, program: &mut Program, others: &[u32], limit: Duration) -> Outcome<Option<u32>> {
    watcher::ask(limit, || {
        let is_large = |w: &u32| user.area(*w).is_ok_and(|a| a.width >= LEAST && a.height >= LEAST);
        let large: Vec<u32> = user.windows().into_iter().filter(is_large).collect();
        let named: Vec<(u32, u32)> = large.iter().filter_map(|&w| Some((w, user.pid(w)?))).collect();
        // Asked only when there is somebody to be of it.
        let family = if named.is_empty() { Vec::new() } else { program.family(others) };
        let of_program = named.into_iter().filter(|(_, pid)| family.contains(pid));
        let of_program: Vec<u32> = of_program.map(|(window, _)| window).collect();
        // Nobody else is on a server of ours: there a program need not say that a window is its own.
        let ours = || if others.is_empty() { Vec::new() } else { large.clone() };
        still_runs(program, others, "before it showed a window", || {
            Ok(!of_program.is_empty() || !ours().is_empty())
        })?;
        let viewable = |windows: Vec<u32>| windows.into_iter().filter(|&w| user.is_viewable(w));
        let mut seen: Vec<u32> = viewable(of_program).collect();
        if seen.is_empty() {
            seen.extend(viewable(ours()));
        }
        // Splash screens and hints are smaller than what is meant.
        let size = |w: &u32| user.area(*w).map_or(0, |a| u64::from(a.width) * u64::from(a.height));
        Ok(seen.into_iter().rev().max_by_key(size))
    })
}

fn window_named(user: &X11, named: &str) -> Outcome<u32> {
    let hex = named.strip_prefix("0x").or_else(|| named.strip_prefix("0X"));
    let id = hex.map_or_else(|| named.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok());
    if let Some(id) = id.filter(|&id| user.is_viewable(id)) {
        return Ok(id);
    }
    let candidate =
        |(id, title, kind)| Candidate { id, names: vec![title, kind], sure: Some(format!("0x{id:x}")) };
    let all: Vec<_> = user.titled().into_iter().map(candidate).collect();
    choose(named, &all).map_err(|wrong| Trouble::Bad(format!("{wrong} on {}", user.display())))
}
