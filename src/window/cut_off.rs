//! Giving up a display server that does not answer.
//!
//! Calls that wait for an answer of a server have no time limit, and most of them lie in libraries. A server that hangs
//! therefore holds whatever thread asks it something, and with it all that the thread has: the figures of a run, too. Once
//! the connection is shut down on this side, such calls return as they do when a server has died, and everything that is done
//! then (`x11.rs`) is done.

use std::ffi::c_int;
use std::mem::{MaybeUninit, offset_of, size_of};

/// Where X servers listen, as a file or as a name without one.
const X11: &[u8] = b".X11-unix/X";
/// The end of a Wayland compositor's path where nobody has named it otherwise.
const WAYLAND: &[u8] = b"/wayland-";

/// Shuts down all connections of this process to display servers of this machine: whoever waits for one goes on, as if it had
/// died. For the end of a run, when a server was given time enough to answer. Returns how many there were. May be called on
/// any thread. Servers that are reached over a network are left alone.
pub fn cut_off_display() -> usize {
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else { return 0 };
    let numbers = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter(|fd| leads_to_a_display(*fd) && shut_down(*fd)).count()
}

fn leads_to_a_display(fd: c_int) -> bool {
    let mut address = MaybeUninit::<libc::sockaddr_un>::zeroed();
    let mut length = size_of::<libc::sockaddr_un>() as libc::socklen_t;
    // SAFETY: the address has room for `length` bytes; what is no socket is refused.
    if unsafe { libc::getpeername(fd, address.as_mut_ptr().cast(), &raw mut length) } != 0 {
        return false;
    }
    // SAFETY: zeroes are an address, and the rest was written by the system.
    let address = unsafe { address.assume_init() };
    if c_int::from(address.sun_family) != libc::AF_UNIX {
        return false;
    }
    let named = (length as usize).saturating_sub(offset_of!(libc::sockaddr_un, sun_path));
    let path: Vec<u8> = address.sun_path.iter().take(named).map(|byte| byte.cast_unsigned()).collect();
    is_a_display(&path)
}

fn is_a_display(path: &[u8]) -> bool {
    [X11, WAYLAND].iter().any(|part| path.windows(part.len()).any(|here| here == *part))
}

fn shut_down(fd: c_int) -> bool {
    // SAFETY: a number that is no socket any more is refused by the system.
    unsafe { libc::shutdown(fd, libc::SHUT_RDWR) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_display_servers_are_taken() {
        for display in ["/tmp/.X11-unix/X0", "\0/tmp/.X11-unix/X12", "/run/user/1000/wayland-1"] {
            assert!(is_a_display(display.as_bytes()), "{display}");
        }
        for other in ["", "/run/user/1000/bus", "/tmp/scanout-X11", "/run/user/1000/pulse/native"] {
            assert!(!is_a_display(other.as_bytes()), "{other}");
        }
    }
}
