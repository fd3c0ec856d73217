use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::poll_until;

/// What is killed is gone within milliseconds, unless it waits for a disk.
const KILL_LIMIT: Duration = Duration::from_secs(1);

/// From now on, whatever descends from this process and loses its parent becomes a child of this process: programs that
/// leave their process group or session (`setsid`), or fork away, stay within reach of [`end_descendants`].
///
/// It is a property of the whole process, so that it is for programs to decide, and nothing in [`observe`](super) calls it.
///
/// # Errors
/// When the system refuses; Linux 3.4 and newer do not.
pub fn adopt_orphans() -> io::Result<()> {
    // Any number turns it on.
    Ok(rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// Ends everything that descends from this process, however far away: asked first (`SIGTERM`, and to go on where it was
/// stopped), and by force after `grace`. Returns how many there were. What became nobody's child before
/// [`adopt_orphans`] is not found.
///
/// Reads all of `/proc`, some milliseconds, and waits for up to `grace` and a second.
pub fn end_descendants(grace: Duration) -> usize {
    let found = descendants();
    if found.is_empty() {
        return 0;
    }
    for &pid in &found {
        send(pid, Signal::TERM);
        send(pid, Signal::CONT);
    }
    let gone = || descendants().is_empty().then_some(());
    let mut all = found;
    if poll_until(grace, gone).is_none() {
        // Each look finds what those of the look before have started meanwhile: their children come to us.
        let killed = poll_until(KILL_LIMIT, || {
            let left = descendants();
            left.iter().for_each(|&pid| send(pid, Signal::KILL));
            all.extend(&left);
            left.is_empty().then_some(())
        });
        if killed.is_none() {
            log::warn!("processes {:?} do not end", descendants());
        }
    }
    all.sort_unstable();
    all.dedup();
    all.len()
}

fn send(pid: u32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
        // It may have ended since.
        let _ = kill_process(pid, signal);
    }
}

/// All processes below this one that have not ended.
fn descendants() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let all: Vec<(u32, u32)> = entries
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            Some((pid, parent(&std::fs::read_to_string(entry.path().join("stat")).ok()?)?))
        })
        .collect();
    let mut below = vec![std::process::id()];
    let mut at = 0;
    while let Some(&above) = below.get(at) {
        below.extend(all.iter().filter(|(_, parent)| *parent == above).map(|(pid, _)| *pid));
        at += 1;
    }
    below.split_off(1)
}

/// Whether there is such a process that has not ended. One that nobody has waited for has.
pub(super) fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| parent(&stat).is_some())
}

/// The parent in the text of `/proc/PID/stat`; `None` of one that has ended and waits for it.
fn parent(stat: &str) -> Option<u32> {
    // The name, in parentheses, may have any character in it.
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    let (state, parent) = (fields.next()?, fields.next()?);
    (!matches!(state, "Z" | "X" | "x")).then(|| parent.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_read_whatever_the_name_is_and_the_dead_have_none() {
        assert_eq!(parent("7 (a) b (c)) S 3 7 7"), Some(3));
        assert_eq!(parent("7 (a) Z 3 7 7"), None);
        assert_eq!(parent("7 (a"), None);
        assert_eq!(parent(""), None);
    }
}
