//! Which window system, where the environment names two.

use std::ffi::OsString;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// What a window opens on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum System {
    /// winit takes it wherever its variable is set.
    Wayland,
    /// Named alone, or beside a compositor that does not answer: winit would end there, and cannot be asked a second time.
    X11 {
        /// Why not Wayland, where that is named, too.
        instead_of_wayland: Option<String>,
    },
    /// Neither is named.
    Nothing,
}

impl System {
    /// By what the environment says now. A compositor is asked for a connection where that makes a difference.
    pub(super) fn now() -> Self {
        decide(&|name| std::env::var_os(name), &|socket| UnixStream::connect(socket).map(drop))
    }
}

/// Whether a window opens on X11, by what the environment says now.
pub fn opens_on_x11() -> bool {
    matches!(System::now(), System::X11 { .. })
}

/// Where the compositor listens that the environment names.
pub(super) fn wayland_socket(variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let named = |name| variable(name).filter(|value| !value.is_empty());
    let path = PathBuf::from(named("WAYLAND_DISPLAY")?);
    if path.is_absolute() {
        return Some(path);
    }
    Some(Path::new(&named("XDG_RUNTIME_DIR")?).join(path))
}

fn decide(variable: &dyn Fn(&str) -> Option<OsString>, connect: &dyn Fn(&Path) -> io::Result<()>) -> System {
    let named = |name| variable(name).filter(|value| !value.is_empty());
    if named("WAYLAND_SOCKET").is_some() {
        return System::Wayland; // a connection that is open already
    }
    let why = match (named("WAYLAND_DISPLAY"), named("DISPLAY")) {
        (None, None) => return System::Nothing,
        (None, Some(_)) => return System::X11 { instead_of_wayland: None },
        (Some(_), None) => return System::Wayland,
        (Some(name), Some(_)) => match wayland_socket(variable) {
            None => {
                let name = Path::new(&name).display();
                Some(format!("WAYLAND_DISPLAY names {name}, but XDG_RUNTIME_DIR is not set"))
            }
            Some(socket) => connect(&socket).err().map(|why| {
                format!("WAYLAND_DISPLAY names {}, where no compositor answers ({why})", socket.display())
            }),
        },
    };
    match why {
        None => System::Wayland,
        instead_of_wayland => System::X11 { instead_of_wayland },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x11_is_taken_only_where_it_is_named_and_the_compositor_does_not_answer() {
        let all = [("WAYLAND_DISPLAY", "wayland-7"), ("DISPLAY", ":7"), ("XDG_RUNTIME_DIR", "/run/7")];
        let with = |variables: &[(&str, &str)], answers: bool| {
            let variable = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
            };
            decide(&variable, &|socket| {
                assert!(socket == Path::new("/run/7/wayland-7") || socket == Path::new("/a/socket"));
                if answers { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
            })
        };
        let instead = |system: System| match system {
            System::X11 { instead_of_wayland } => instead_of_wayland,
            other => panic!("{other:?}"),
        };
        let why = instead(with(&all, false)).expect("a reason");
        assert!(why.contains("/run/7/wayland-7"), "{why}");
        assert_eq!(with(&all, true), System::Wayland, "the compositor answers");
        let without = |missing| all.map(|(name, value)| (name, if name == missing { "" } else { value }));
        assert_eq!(with(&without("DISPLAY"), false), System::Wayland, "there is no other");
        assert_eq!(instead(with(&without("WAYLAND_DISPLAY"), false)), None, "there is no other");
        assert_eq!(with(&all[2..], false), System::Nothing);
        assert!(instead(with(&all[..2], true)).is_some(), "nobody says where the socket is");
        let absolute = [("WAYLAND_DISPLAY", "/a/socket"), all[1]];
        assert!(instead(with(&absolute, false)).is_some());
        assert_eq!(with(&absolute, true), System::Wayland);
        let open = [&all[..], &[("WAYLAND_SOCKET", "5")]].concat();
        assert_eq!(with(&open, false), System::Wayland, "it is open already");
    }
}
