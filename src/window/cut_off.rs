//! Giving up a display server that does not answer.
//!
//! Calls that wait for an answer of a server have no time limit, and most of them lie in libraries. A server that hangs
//! therefore holds whatever thread asks it something, and with it all that the thread has: the figures of a run, too. Once
//! the connection is shut down on this side, such calls return as they do when a server has died, and everything that is done
//! then (`x11.rs`) is done.

use std::ffi::{OsString, c_int};
use std::net::Shutdown;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use super::choice::wayland_socket;

/// Shuts down all connections of this process to the servers that `WAYLAND_DISPLAY` and `DISPLAY` name, those that others have
/// opened among them: whoever waits for one goes on, as if it had died. For the end of a run, when a server was given time
/// enough to answer. Returns how many there were. May be called on any thread.
///
/// Left alone, and able to hang for ever, are servers that are reached over a network, a connection that was handed over in
/// `WAYLAND_SOCKET`, and a server that has bound its socket by another path than the one that is named (a link, say).
pub fn cut_off_display() -> usize {
    let servers = servers(&|name| std::env::var_os(name));
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else { return 0 };
    let numbers: Vec<c_int> =
        open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    numbers.into_iter().filter(|number| cut_off(*number, &servers)).count()
}

/// Whether the number was that of a connection to one of these, which is shut down then.
fn cut_off(number: c_int, servers: &[PathBuf]) -> bool {
    // What is asked and what is shut down is the same connection, whoever closes the number in between.
    let Some(socket) = duplicate(number).map(UnixStream::from) else { return false };
    let Ok(peer) = socket.peer_addr() else { return false };
    let is = |server: &PathBuf| {
        // X servers of Linux listen under a name without a file, too.
        peer.as_pathname() == Some(server) || peer.as_abstract_name() == Some(server.as_os_str().as_bytes())
    };
    servers.iter().any(is) && socket.shutdown(Shutdown::Both).is_ok()
}

fn duplicate(number: c_int) -> Option<OwnedFd> {
    // SAFETY: names once more what is open under the number by now, if anything is, and does nothing else to it.
    let copy = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 0) };
    // SAFETY: the copy is open, and nobody else knows of it.
    (copy >= 0).then(|| unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Where the servers listen that the environment names.
fn servers(variable: &dyn Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let x11 = variable("DISPLAY").and_then(|display| x11_socket(display.to_str()?));
    wayland_socket(variable).into_iter().chain(x11).collect()
}

/// The socket of `:N`, `:N.SCREEN` and `unix:N`, or the one that is named itself. `None` of servers on other machines.
fn x11_socket(display: &str) -> Option<PathBuf> {
    if display.starts_with('/') {
        return Some(display.into());
    }
    let number = display.strip_prefix("unix").unwrap_or(display).strip_prefix(':')?;
    let number: u32 = number.split('.').next()?.parse().ok()?;
    Some(format!("/tmp/.X11-unix/X{number}").into())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::fd::AsRawFd as _;
    use std::os::unix::net::{SocketAddr, UnixListener};
    use std::path::Path;

    use super::*;

    #[test]
    fn servers_are_those_that_the_environment_names() {
        let of = |variables: &[(&str, &str)]| {
            servers(&|name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
            })
        };
        let run = ("XDG_RUNTIME_DIR", "/run/7");
        assert_eq!(of(&[run, ("WAYLAND_DISPLAY", "gamescope-0")]), [Path::new("/run/7/gamescope-0")]);
        assert_eq!(of(&[("WAYLAND_DISPLAY", "/a/socket")]), [Path::new("/a/socket")]);
        for (display, socket) in [
            (":3", Some("/tmp/.X11-unix/X3")),
            (":12.1", Some("/tmp/.X11-unix/X12")),
            ("unix:0", Some("/tmp/.X11-unix/X0")),
            ("/private/x:0", Some("/private/x:0")),
            ("elsewhere:0", None),
            ("", None),
            ("nonsense", None),
        ] {
            assert_eq!(of(&[("DISPLAY", display)]), Vec::from_iter(socket.map(PathBuf::from)), "{display}");
        }
        assert_eq!(of(&[run, ("WAYLAND_DISPLAY", "w"), ("DISPLAY", ":0")]).len(), 2);
        assert_eq!(of(&[run]), Vec::<PathBuf>::new());
    }

    #[test]
    fn only_connections_to_these_servers_are_shut_down() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [named, other] = ["wayland-7", "wayland-77"].map(|name| folder.path().join(name));
        let abstract_name = folder.path().join("X7");
        let address = SocketAddr::from_abstract_name(abstract_name.as_os_str().as_bytes()).expect("a name");
        let _servers = [
            UnixListener::bind(&named).expect("a server"),
            UnixListener::bind(&other).expect("a server"),
            UnixListener::bind_addr(&address).expect("a server"),
        ];
        let mut to_named = UnixStream::connect(&named).expect("it listens");
        let mut to_abstract = UnixStream::connect_addr(&address).expect("it listens");
        let mut to_other = UnixStream::connect(&other).expect("it listens");
        let servers = [named, abstract_name];
        for (socket, wanted) in [(&to_named, true), (&to_abstract, true), (&to_other, false)] {
            assert_eq!(cut_off(socket.as_raw_fd(), &servers), wanted, "{socket:?}");
        }
        let file = std::fs::File::open(folder.path()).expect("a folder");
        assert!(!cut_off(file.as_raw_fd(), &servers), "no socket");
        assert!(!cut_off(-1, &servers), "nothing at all");
        // Whoever reads hears of the end at once; of the others there is nothing to be read yet.
        for cut in [&mut to_named, &mut to_abstract] {
            assert_eq!(cut.read(&mut [0]).ok(), Some(0));
        }
        to_other.set_nonblocking(true).expect("a socket");
        assert!(to_other.read(&mut [0]).is_err());
    }
}
