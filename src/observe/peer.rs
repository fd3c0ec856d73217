use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// The process that listens at a socket in the file system, as the kernel tells it: that of a Wayland compositor, say. `None`
/// where nobody answers, or where the first process of the system has opened it for others.
#[must_use]
pub fn server_at(socket: &Path) -> Option<u32> {
    listener(&UnixStream::connect(socket).ok()?)
}

/// The process at the other end of a connection; `None` over a network, and in a container that does not see it.
pub(super) fn listener(connection: &impl AsFd) -> Option<u32> {
    let peer = rustix::net::sockopt::socket_peercred(connection).ok()?;
    // Who opens sockets for those who come later is nobody's server.
    Some(peer.pid.as_raw_nonzero().get().cast_unsigned()).filter(|pid| *pid > 1)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn listener_is_the_process_that_made_the_socket() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        assert_eq!(server_at(&socket), None, "nobody listens");
        let _listener = UnixListener::bind(&socket).unwrap();
        assert_eq!(server_at(&socket), Some(std::process::id()));
    }
}
