use std::fs::File;

/// How long the calling thread has been ready to run while the system ran something else. Linux tells it in
/// `schedstat`; elsewhere it is not known and counts as 0. Reading it is one system call of about a microsecond, and no
/// allocation.
#[derive(Debug)]
pub(super) struct RunDelay(Option<File>);

impl RunDelay {
    /// For the calling thread.
    pub(super) fn new() -> Self {
        Self(if cfg!(target_os = "linux") { File::open("/proc/thread-self/schedstat").ok() } else { None })
    }

    /// In nanoseconds, since the thread began.
    pub(super) fn read(&self) -> u64 {
        let mut bytes = [0_u8; 64];
        let len = self.0.as_ref().and_then(|file| read_from_start(file, &mut bytes)).unwrap_or(0);
        parse(&bytes[..len]).unwrap_or(0)
    }
}

/// For how many nanoseconds the calling thread has been on a processor; 0 where nobody tells.
#[cfg(unix)]
pub(super) fn thread_time() -> u64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(t.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(t.tv_nsec).unwrap_or(0)
}

#[cfg(not(unix))]
pub(super) fn thread_time() -> u64 {
    0
}

#[cfg(unix)]
fn read_from_start(file: &File, bytes: &mut [u8]) -> Option<usize> {
    use std::os::unix::fs::FileExt as _;
    file.read_at(bytes, 0).ok()
}

#[cfg(not(unix))]
fn read_from_start(_file: &File, _bytes: &mut [u8]) -> Option<usize> {
    None
}

/// The second of three numbers: time on a processor, time waited for one, time slices.
fn parse(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_number_is_taken_and_nonsense_is_zero() {
        assert_eq!(parse(b"78546 2396217 2\n"), Some(2_396_217));
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"1 x 2"), None);
        assert_eq!(RunDelay(None).read(), 0);
    }
}
