//! Who puts windows on the screen.

use super::line::{Group, Line, State};

pub fn lines(out: &mut Vec<Line>) {
    #[cfg(x11_platform)]
    out.extend(unix::lines());
    #[cfg(not(x11_platform))]
    out.push(line(State::NotMeasured, "it is the system's own".into()));
}

fn line(state: State, text: String) -> Line {
    Line::new(Group::Display, "compositor", "compositor", state, text)
}

#[cfg(x11_platform)]
mod unix {
    use std::path::{Path, PathBuf};

    use wayland_client::globals::{GlobalListContents, registry_queue_init};
    use wayland_client::protocol::wl_registry::{self, WlRegistry};
    use wayland_client::{Connection, Dispatch, QueueHandle};
    use x11rb::connection::{Connection as _, RequestConnection as _};
    use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _};

    use super::super::line::{Line, State};
    use super::line;

    /// Interfaces that only one family of compositors has.
    const FAMILIES: &[(&str, &str)] = &[
        ("hyprland_", "Hyprland"),
        ("zcosmic_", "COSMIC"),
        ("org_kde_plasma", "KWin (KDE)"),
        ("kde_output", "KWin (KDE)"),
        ("gtk_shell1", "Mutter (GNOME)"),
        ("weston_", "Weston"),
        ("zwlr_", "wlroots"),
    ];

    pub fn lines() -> Vec<Line> {
        let named = |name| std::env::var_os(name).is_some_and(|v| !v.is_empty());
        let wayland = named("WAYLAND_DISPLAY") || named("WAYLAND_SOCKET");
        let mut lines = Vec::new();
        if wayland {
            lines.push(wayland_line());
        }
        if named("DISPLAY") {
            lines.push(x11_line(wayland));
        }
        if lines.is_empty() {
            lines.push(line(State::Note, "no display server is named (DISPLAY, WAYLAND_DISPLAY)".into()));
        }
        lines
    }

    struct Globals;

    impl Dispatch<WlRegistry, GlobalListContents> for Globals {
        fn event(
            _: &mut Self,
            _: &WlRegistry,
            _: wl_registry::Event,
            _: &GlobalListContents,
            _: &Connection,
            _: &QueueHandle<Self>,
        ) {
        }
    }

    fn wayland_line() -> Line {
        // A connection that is open already belongs to the window, which has closed it.
        if std::env::var_os("WAYLAND_SOCKET").is_some() {
            return line(State::NotMeasured, "Wayland: the connection was handed over and is used up".into());
        }
        let globals = match globals() {
            Ok(globals) => globals,
            Err(why) => return silent(format!("Wayland: nobody answers ({why})"), "WAYLAND_DISPLAY"),
        };
        let process = socket().and_then(|path| peer(&path));
        let family = FAMILIES
            .iter()
            .find(|(mark, _)| globals.iter().any(|g| g.starts_with(mark)))
            .map(|(_, name)| *name);
        let name = match (process, family) {
            (Some(process), Some(family)) => format!("{process} ({family})"),
            (Some(process), None) => process,
            (None, Some(family)) => family.to_owned(),
            (None, None) => "one that does not say who it is".into(),
        };
        let feedback = globals.iter().any(|g| g == "wp_presentation");
        let text =
            format!("Wayland, {name}; {} presentation feedback", if feedback { "with" } else { "without" });
        if feedback {
            line(State::Ok, text)
        } else {
            line(State::Problem, text)
                .advise("nothing can say when frames are displayed: use a newer compositor")
        }
        .figure("globals", globals.len() as f64)
    }

    fn globals() -> Result<Vec<String>, String> {
        let connection = Connection::connect_to_env().map_err(|e| e.to_string())?;
        let (globals, _queue) = registry_queue_init::<Globals>(&connection).map_err(|e| e.to_string())?;
        Ok(globals.contents().clone_list().into_iter().map(|g| g.interface).collect())
    }

    fn socket() -> Option<PathBuf> {
        let name = std::env::var_os("WAYLAND_DISPLAY")?;
        let path = Path::new(&name);
        if path.is_absolute() {
            return Some(path.to_owned());
        }
        Some(Path::new(&std::env::var_os("XDG_RUNTIME_DIR")?).join(path))
    }

    /// The name of the process at the other end of a socket, where it may be seen.
    fn peer(socket: &Path) -> Option<String> {
        let path = format!("/proc/{}/comm", scanout::observe::server_at(socket)?);
        let name = std::fs::read_to_string(path).ok()?;
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    }

    fn silent(text: String, variable: &str) -> Line {
        line(State::Problem, text)
            .advise(format!("correct {variable}, or unset it where there is no such server"))
    }

    fn x11_line(beside_wayland: bool) -> Line {
        // x11rb panics in debug builds where the display's number is no port's.
        match std::panic::catch_unwind(|| x11(beside_wayland)) {
            Ok(Ok(line)) => line,
            Ok(Err(why)) => silent(format!("X11: nobody answers ({why})"), "DISPLAY"),
            Err(_) => silent("X11: DISPLAY names no display".into(), "DISPLAY"),
        }
    }

    fn x11(beside_wayland: bool) -> Result<Line, Box<dyn std::error::Error>> {
        let (connection, screen) = x11rb::connect(None)?;
        let root = connection.setup().roots.get(screen).ok_or("it has no screen")?.root;
        let vendor = String::from_utf8_lossy(&connection.setup().vendor).into_owned();
        let release = connection.setup().release_number;
        let atom = |name: &str| -> Result<u32, Box<dyn std::error::Error>> {
            Ok(connection.intern_atom(false, name.as_bytes())?.reply()?.atom)
        };
        let check = atom("_NET_SUPPORTING_WM_CHECK")?;
        let property = |window, of| -> Result<Vec<u8>, Box<dyn std::error::Error>> {
            Ok(connection.get_property(false, window, of, AtomEnum::ANY, 0, 64)?.reply()?.value)
        };
        let owner = property(root, check)?;
        let name = match owner.get(..4).and_then(|b| b.try_into().ok()).map(u32::from_ne_bytes) {
            // The window may have gone with its manager: then nobody manages.
            Some(window) => property(window, atom("_NET_WM_NAME")?).ok(),
            None => None,
        };
        let manager = name.map(|n| String::from_utf8_lossy(&n).chars().filter(|c| !c.is_control()).collect());
        let selection = atom(&format!("_NET_WM_CM_S{screen}"))?;
        let composited = connection.get_selection_owner(selection)?.reply()?.owner != x11rb::NONE;
        let xwayland = connection.extension_information("XWAYLAND")?.is_some();
        let manager: String = manager.unwrap_or_else(|| "no window manager".into());
        let server = format!("X11 ({vendor} {})", version(release));
        let compositing = if composited { "composited" } else { "no compositor" };
        let text = format!("{server}, {manager}, {compositing}");
        Ok(if xwayland {
            let text = format!("{text}: XWayland, a guest of a Wayland compositor");
            if beside_wayland {
                line(State::Ok, format!("{text}; the window above is Wayland's own"))
            } else {
                line(State::Problem, text).advise(
                    "frames take one compositor more: set WAYLAND_DISPLAY, so that windows are Wayland's own",
                )
            }
        } else if composited {
            line(State::Note, text)
                .advise("a compositor adds up to a refresh; most let full-screen windows through without it")
        } else {
            line(State::Ok, text)
        })
    }

    /// X.Org counts releases as one number: 12101007 is 1.21.1.7, which is known as 21.1.7.
    fn version(release: u32) -> String {
        let [major, minor, patch, snap] = [10_000_000, 100_000, 1_000, 1].map(|unit| release / unit % 100);
        let newer = major == 1 && minor >= 20;
        if newer { format!("{minor}.{patch}.{snap}") } else { format!("{major}.{minor}.{patch}.{snap}") }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn releases_are_written_as_people_know_them() {
            assert_eq!(version(12_101_007), "21.1.7");
            assert_eq!(version(11_905_000), "1.19.5.0");
        }
    }
}
