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

/// The family of `process` that lives: itself, its process group and all that descends from them, and, where orphans are
/// adopted ([`adopt_orphans`]), those who have lost their parents. `others` are children of this process that have nothing to do
/// with it, whose own children are none of it either.
pub(super) fn family_of(process: u32, others: &[u32]) -> Vec<u32> {
    let me = std::process::id();
    let all = living();
    let is_kin = |p: &Living| p.pid == process || p.group == process;
    // A child of ours that nobody knows was adopted.
    let is_adopted = |p: &Living| p.parent == me && is_ours(p.pid);
    let mut kin: Vec<u32> = all.iter().filter(|p| is_kin(p) || is_adopted(p)).map(|p| p.pid).collect();
    kin.retain(|pid| !others.contains(pid));
    descend(&all, &mut kin);
    kin
}

/// A process that has not ended.
struct Living {
    pid: u32,
    parent: u32,
    group: u32,
}

/// All of them.
fn living() -> Vec<Living> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let name = name.to_str()?;
            // One that nobody has waited for has ended.
            let stat = ProcStat::of(name.parse::<u32>().ok().map(|_| name)?).filter(|stat| !stat.ended)?;
            Some(Living { pid: name.parse().ok()?, parent: stat.parent, group: stat.group })
        })
        .collect()
}

/// Adds all that lies below those that are there.
fn descend(all: &[Living], below: &mut Vec<u32>) {
    let mut at = 0;
    while let Some(&above) = below.get(at) {
        let more = all.iter().filter(|p| p.parent == above && is_ours(p.pid));
        let more: Vec<u32> = more.map(|p| p.pid).filter(|pid| !below.contains(pid)).collect();
        below.extend(more);
        at += 1;
    }
}

fn is_ours(pid: u32) -> bool {
    FOREIGN.get().is_none_or(|foreign| !foreign.contains(&pid))
}

/// All processes below this one.
fn descendants() -> Vec<u32> {
    let mut below = vec![std::process::id()];
    descend(&living(), &mut below);
    below.split_off(1)
}
