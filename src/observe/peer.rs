use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd as _};
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
    let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let whole = size_of::<libc::ucred>() as libc::socklen_t;
    let mut length = whole;
    // Not by rustix 1.1, whose process ids cannot be zero: the kernel says zero of a process that is not seen from here.
    // SAFETY: the socket is borrowed and with that open; both pointers are to locals, and `length` is the size of the first,
    // an array of plain integers to which the kernel writes no more than that.
    #[allow(unsafe_code, reason = "the safe wrapper takes zero for a number that is never zero")]
    let failed = unsafe {
        libc::getsockopt(
            connection.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut peer).cast(),
            &raw mut length,
        )
    };
    (failed == 0 && length == whole).then(|| process(peer.pid)).flatten()
}

/// Zero is a process that is not seen from here, and who opens sockets for those who come later is nobody's server.
fn process(pid: libc::pid_t) -> Option<u32> {
    u32::try_from(pid).ok().filter(|pid| *pid > 1)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
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

    #[test]
    fn peer_that_is_not_seen_from_here_is_no_process() {
        assert_eq!([0, 1, -1, 2].map(process), [None, None, None, Some(2)]);
        // The kernel answers for these as it does for peers of another namespace: with process zero.
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(listener(&TcpStream::connect(server.local_addr().unwrap()).unwrap()), None);
    }
}
