use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::poll_until;
use crate::proc_stat::ProcStat;

/// What is killed is gone within milliseconds, unless it waits for a disk.
const KILL_LIMIT: Duration = Duration::from_secs(1);

/// Below this process since before it began to adopt: whoever became this program by `exec` may have started them, and
/// they are none of ours.
static FOREIGN: OnceLock<Vec<u32>> = OnceLock::new();

/// From now on, whatever descends from this process and loses its parent becomes a child of this process: programs that
/// leave their process group or session (`setsid`), or fork away, stay within reach of [`end_descendants`]. What descends from it
/// already when this is called for the first time is left alone: a shell that became this program by `exec` may have
/// started it.
///
/// It is a property of the whole process, so that it is for programs to decide, and nothing in [`observe`](super) calls it.
///
/// # Errors
/// When the system refuses; Linux 3.4 and newer do not.
pub fn adopt_orphans() -> io::Result<()> {
    FOREIGN.get_or_init(descendants);
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
            let name = entry.file_name();
            let name = name.to_str()?;
            Some((name.parse().ok()?, parent(name)?))
        })
        .collect();
    let mut below = vec![std::process::id()];
    let mut at = 0;
    while let Some(&above) = below.get(at) {
        let ours = |pid: u32| FOREIGN.get().is_none_or(|foreign| !foreign.contains(&pid));
        below.extend(all.iter().filter(|(pid, parent)| *parent == above && ours(*pid)).map(|(pid, _)| *pid));
        at += 1;
    }
    below.split_off(1)
}

/// Whether there is such a process that has not ended. One that nobody has waited for has.
pub(super) fn is_alive(pid: u32) -> bool {
    parent(&pid.to_string()).is_some()
}

/// The parent of a process; `None` of one that is not there, or has ended and waits for it.
fn parent(pid: &str) -> Option<u32> {
    ProcStat::of(pid).filter(|stat| !stat.ended).map(|stat| stat.parent)
}
