//! Which window system, where the environment names two.

use std::ffi::OsString;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// Why not Wayland, where the environment names both a compositor and an X server, and only the former does not answer. winit
/// takes Wayland wherever its variable is set, and would end there; it cannot be asked a second time.
pub(super) fn instead_of_wayland() -> Option<String> {
    decide(&|name| std::env::var_os(name), &|socket| UnixStream::connect(socket).map(drop))
}

fn decide(
    variable: &dyn Fn(&str) -> Option<OsString>,
    connect: &dyn Fn(&Path) -> io::Result<()>,
) -> Option<String> {
    let named = |name| variable(name).filter(|value| !value.is_empty());
    if named("WAYLAND_SOCKET").is_some() {
        return None; // a connection that is open already
    }
    let (name, _) = named("WAYLAND_DISPLAY").zip(named("DISPLAY"))?;
    let socket = match (PathBuf::from(&name), named("XDG_RUNTIME_DIR")) {
        (path, _) if path.is_absolute() => path,
        (path, Some(folder)) => Path::new(&folder).join(path),
        (path, None) => {
            return Some(format!("WAYLAND_DISPLAY names {}, but XDG_RUNTIME_DIR is not set", path.display()));
        }
    };
    let why = connect(&socket).err()?;
    Some(format!("WAYLAND_DISPLAY names {}, where no compositor answers ({why})", socket.display()))
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
        let why = with(&all, false).expect("a reason");
        assert!(why.contains("/run/7/wayland-7"), "{why}");
        assert_eq!(with(&all, true), None, "the compositor answers");
        for missing in ["WAYLAND_DISPLAY", "DISPLAY"] {
            let rest = all.map(|(name, value)| (name, if name == missing { "" } else { value }));
            assert_eq!(with(&rest, false), None, "without {missing}");
        }
        assert!(with(&all[..2], true).is_some(), "nobody says where the socket is");
        let absolute = [("WAYLAND_DISPLAY", "/a/socket"), all[1]];
        assert!(with(&absolute, false).is_some() && with(&absolute, true).is_none());
        assert_eq!(with(&[&all[..], &[("WAYLAND_SOCKET", "5")]].concat(), false), None, "it is open already");
    }
}
