//! Wayland: sway nested in an X server of ours or without any display, or a compositor that runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use scanout::observe::{
    Area, Layout, Place, Program, Screencopy, Sway, Toplevel, Toplevels, View, VirtualInput, Xvfb, server_at,
};
use scanout::time::{Clock as _, MonotonicClock};

use super::going_on::{Listed, Shown, no_window, still_runs};
use super::stage::{LEAST, Own, SETTLE, Stage, on_screen, settle};
use super::subject::Subject;
use super::trouble::{Outcome, Trouble};
use super::watcher;
use super::windows::{Candidate, choose};

/// Where the compositor does not tell of windows, the program gets so long to show one.
const BLIND: Duration = Duration::from_secs(2);

/// Programs make a key that is held until it is answered come again, as they are told to, and answer that.
const NO_REPEATS: &str = "input * repeat_rate 0";

/// A compositor with a keyboard and a pointer of ours, before there is a program. They are made first, so that the
/// program finds them there.
pub struct Wayland {
    user: VirtualInput,
    view: Box<dyn View + Send>,
    server: String,
    place: Place,
    /// Whether looks are so cheap that many points may be looked at.
    cheap: bool,
    own: Option<Own>,
    /// Of a compositor that is not ours, with the number of windows at the start, where it tells of them.
    windows: Option<(Toplevels, u64)>,
    /// Its process, where it is not ours.
    listener: Option<u32>,
}

impl Wayland {
    /// sway nested in an Xvfb, whose screen is looked at: a display at 60 Hz that the compositor waits for.
    pub fn nested(width: u32, height: u32) -> Outcome<Self> {
        let server = Xvfb::start(width, height)?;
        let sway = Sway::start_nested(&server, Layout::Floating)?;
        sway.command(NO_REPEATS)?;
        let user = VirtualInput::connect(&sway, (width, height))?;
        let (view, place) = (Box::new(server.view()?), sway.place());
        Ok(Self {
            user,
            view,
            server: "sway-nested".into(),
            place,
            cheap: true,
            own: Some(Own::Nested(sway, server)),
            windows: None,
            listener: None,
        })
    }

    /// sway without any display, looked at by screencopy. The true rate is somewhat below the one asked for.
    pub fn headless(width: u32, height: u32, hertz: u32) -> Outcome<Self> {
        let sway = Sway::start_headless(width, height, hertz, Layout::Floating)?;
        sway.command(NO_REPEATS)?;
        let user = VirtualInput::connect(&sway, (width, height))?;
        let (view, place) = (Box::new(Screencopy::connect(&sway.socket())?), sway.place());
        let server = format!("sway-headless={hertz}");
        Ok(Self {
            user,
            view,
            server,
            place,
            cheap: false,
            own: Some(Own::Sway(sway)),
            windows: None,
            listener: None,
        })
    }

    /// A compositor that runs, by its name (`wayland-1`) or the path of its socket.
    pub fn attached(name: &str) -> Outcome<Self> {
        let socket = socket(name, std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from))?;
        let view = Screencopy::connect(&socket)?;
        let user = VirtualInput::connect_to(&socket, view.size())?;
        let runtime_dir = socket.parent().map_or_else(PathBuf::new, Path::to_owned);
        let display = socket.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let place = Place::Wayland { runtime_dir, display };
        // Not every compositor has the list; then nobody says when the window is there.
        let windows = Toplevels::connect(&socket).and_then(|mut all| all.opened().map(|n| (all, n))).ok();
        let (view, server, listener) = (Box::new(view), name.into(), server_at(&socket));
        Ok(Self { user, view, server, place, cheap: false, own: None, windows, listener })
    }

    /// Where programs are started.
    pub fn place(&self) -> Place {
        self.place.clone()
    }

    /// With a program that was started there. Where the compositor is not ours, nobody says where the window is: all of
    /// the first output is looked at.
    pub fn with(self, mut program: Option<Program>, named: Option<&str>, limit: Duration) -> Outcome<Stage> {
        let Self { user, view, server, place: _, cheap, own, windows, listener } = self;
        let screen = view.size();
        let whole = Area { x: 0, y: 0, width: screen.0, height: screen.1 };
        let others = own.as_ref().map_or_else(Vec::new, Own::pids);
        let (subject, area, shown) = match (&mut program, own.as_ref().and_then(Own::sway)) {
            (Some(program), Some(sway)) => {
                let (pid, area) = window_of(sway, program, &others, limit)?;
                (Some(Subject::of_process(Some(pid))), area, Shown::OnOurs)
            }
            (Some(program), None) => {
                let (subject, shown) = wait_for_window(windows, program, limit)?;
                (subject, whole, shown)
            }
            (None, _) => {
                let window = named.map(|named| activate(windows, named, limit)).transpose()?;
                let (subject, shown) = window.unzip();
                (subject, whole, shown.unwrap_or(Shown::Unknown))
            }
        };
        let area = on_screen(area, screen)?;
        let input = Box::new(user);
        settle(Stage { view, input, program, subject, shown, area, server, cheap, own, listener })
    }
}

/// The largest window of a program that was just started with the process that has it, or why there is none. `others` are
/// the compositor's processes.
fn window_of(sway: &Sway, program: &mut Program, others: &[u32], limit: Duration) -> Outcome<(u32, Area)> {
    let found = watcher::ask(limit, || {
        // Nobody else is on this compositor: a window whose process is of another family is the program's all the same.
        let mut windows = sway.windows()?;
        windows.retain(|(_, area)| area.width >= LEAST && area.height >= LEAST);
        still_runs(program, others, "before it showed a window", || Ok(!windows.is_empty()))?;
        let family = if windows.len() > 1 { program.family(others) } else { Vec::new() };
        let size = |(_, area): &(u32, Area)| u64::from(area.width) * u64::from(area.height);
        let own = windows.iter().copied().filter(|(pid, _)| family.contains(pid)).max_by_key(size);
        Ok(own.or_else(|| windows.iter().copied().max_by_key(size)))
    })?;
    found.ok_or_else(|| no_window(program, limit))
}

/// The newest window that has opened since, of those that stay: some programs show something else before it. Somebody
/// else's may be taken for it.
fn wait_for_window(
    windows: Option<(Toplevels, u64)>,
    program: &mut Program,
    limit: Duration,
) -> Outcome<(Option<Subject>, Shown)> {
    let Some((mut windows, before)) = windows else {
        return watcher::rest(BLIND).map(|()| (None, Shown::Unknown));
    };
    let end = MonotonicClock.now() + limit;
    loop {
        let left = end.saturating_since(MonotonicClock.now());
        let newest = watcher::ask(left, || {
            let opened = windows.windows()?.into_iter().map(|window| window.id).filter(|id| *id > before);
            let newest = opened.max();
            still_runs(program, &[], "before it showed a window", || Ok(newest.is_some()))?;
            Ok(newest)
        })?;
        let Some(newest) = newest else { return Err(no_window(program, limit)) };
        watcher::rest(SETTLE)?;
        // What it is called may have come a moment later.
        if let Some(window) = windows.windows()?.iter().find(|window| window.id == newest) {
            return Ok((Some(Subject::from(window)), Shown::Listed(Listed::new(windows, newest))));
        }
        if MonotonicClock.now() >= end {
            return Err(no_window(program, limit));
        }
    }
}

/// Brings a window that is there to the front and gives it the keyboard. Where it is, nobody says.
fn activate(windows: Option<(Toplevels, u64)>, named: &str, limit: Duration) -> Outcome<(Subject, Shown)> {
    let Some((mut windows, _)) = windows else {
        return Err(Trouble::Bad(
            "the compositor tells nobody of others' windows (wlr-foreign-toplevel-management-v1): --window cannot be used \
             there"
                .into(),
        ));
    };
    let all = windows.windows()?;
    let candidate =
        |w: &Toplevel| Candidate { id: w.id, names: vec![w.title.clone(), w.app_id.clone()], sure: None };
    let id = choose(named, &all.iter().map(candidate).collect::<Vec<_>>()).map_err(Trouble::Bad)?;
    windows.activate(id)?;
    let active = watcher::ask(limit, || {
        let all = windows.windows()?;
        Ok(all.iter().find(|window| window.id == id && window.active).map(Subject::from))
    })?;
    let shown = Shown::Listed(Listed::new(windows, id));
    active
        .map(|subject| (subject, shown))
        .ok_or_else(|| Trouble::Bad(format!("the window '{named}' does not come to the front")))
}

fn socket(name: &str, runtime_dir: Option<PathBuf>) -> Outcome<PathBuf> {
    if name.contains('/') {
        return Ok(name.into());
    }
    let folder = runtime_dir.filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.ok_or_else(|| {
        Trouble::Bad(format!(
            "--display {name} needs XDG_RUNTIME_DIR in the environment, or the path of the socket"
        ))
    })?;
    Ok(folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_is_a_path_or_a_name_in_the_runtime_folder() {
        let path = |name, folder: Option<&str>| socket(name, folder.map(PathBuf::from)).ok();
        assert_eq!(path("wayland-1", Some("/run/user/7")), Some("/run/user/7/wayland-1".into()));
        assert_eq!(path("/tmp/w", None), Some("/tmp/w".into()));
        assert_eq!(path("wayland-1", None), None);
        assert_eq!(path("wayland-1", Some("")), None);
    }
}
