//! Who ends what is left, whatever happens to the program that started it.
//!
//! `photon` and `bench` start servers, programs of others and temporary folders. What ends in order takes them along; this is
//! for everything else. The program that the user starts is the *keeper*: it starts itself once more, and that second process,
//! the *worker*, does the work. The keeper only waits.
//!
//! | what happens | who notices | what is done |
//! |---|---|---|
//! | Ctrl-C, SIGTERM, SIGHUP | keeper, passes it on | the worker ends in order, as ever |
//! | another one, later | keeper | kills the worker, then as below |
//! | SIGKILL or a crash of the worker | keeper, which waits for it | lets go of what it held down (`held.rs`), ends all that descends from it, removes the worker's folders |
//! | SIGKILL of the keeper | worker: the kernel tells it (`PR_SET_PDEATHSIG`) | the worker ends in order |
//! | a program that leaves its group or session | whoever looks at the end | both adopt orphans (`PR_SET_CHILD_SUBREAPER`), so that it is still a descendant |
//! | a worker that hangs | its own signal thread (`interrupt.rs`) | ends descendants and folders without the main thread |
//! | SIGKILL of both at once | the kernel, for the worker's direct children; the next start, for folders | servers and programs get SIGTERM, folders are swept |
//!
//! Why two processes: after a SIGKILL nothing of a process runs any more, and only an ancestor inherits what it leaves behind. A
//! watcher beside it would have to be told of every child, and could not know those that forked away. The keeper is what the user
//! started, because that is whom a shell, a service manager or a script signals and waits for. Both share a process group, so
//! that Ctrl-Z and `fg` mean both. It sleeps all the time and costs a start of a process.
//!
//! The worker is told that it is one by its own name (`argv[0]`), which, unlike a variable, no program that it starts inherits; and
//! with that where it writes down what it presses on servers that are not ours.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use scanout::observe;
use scanout::time::{Clock as _, MonotonicClock, Timestamp};

use super::Failure;
use super::held::{self, Held};

/// The first word of a worker's command line; the number of its keeper follows, and where there is a record of what is held down,
/// the number of that.
const KEPT_BY: &str = "scanout:kept-by=";
const HELD: &str = " held=";
/// For servers to remove their files. Whoever asks twice wants it at once.
const GRACE: Duration = Duration::from_secs(2);
const SHORT_GRACE: Duration = Duration::from_millis(300);
/// One wish may come as several signals: `timeout` tells the process and then its group, and when a terminal goes away, its
/// shell and the kernel both do. Nobody presses Ctrl-C twice within this time.
const SAME_WISH: Duration = Duration::from_millis(50);

/// Does `work`, which `starts` programs or does not, with a keeper where it does: in that case this process may become the
/// keeper, and returns with what the worker ended with. The log is set up.
pub fn keep(starts: bool, quiet: bool, work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    let keeper = keeper();
    // What is wrong with the variable of the log is said once.
    super::log::init(super::log::Wanted::of(quiet || starts && keeper.is_none()));
    // First of all: it tells what was there before from what is started here.
    if let Err(e) = observe::adopt_orphans() {
        log::warn!("programs that fork away are left behind: {e}");
    }
    if !starts {
        return work();
    }
    observe::sweep_folders();
    match keeper {
        Some((keeper, record)) => {
            work_for(keeper)?;
            if let Some(Err(e)) = record.map(|record| held::open(keeper, record)) {
                log::debug!("should this process be killed while it presses, the press stays: {e}");
            }
            let worked = work();
            end_leftovers();
            worked
        }
        None => wait_for_worker(),
    }
}

/// Ends whatever descends from this process and removes its folders, in a hurry.
pub fn leave_nothing() {
    observe::end_descendants(SHORT_GRACE);
    observe::remove_own_folders();
}

/// Ends what has outlived those who started it. To be called where none of our own children is left.
pub fn end_leftovers() {
    let left = observe::end_descendants(GRACE);
    // Who interrupts has one line coming.
    if left > 0 && !super::interrupt::seen() {
        log::info!(target: super::log::TOLD, "{left} process(es) that the program left behind were ended");
    }
}

/// The keeper's process, and the number that its record has there.
fn keeper() -> Option<(u32, Option<i32>)> {
    let name = std::env::args_os().next()?;
    let told = name.to_str()?.strip_prefix(KEPT_BY)?;
    let (keeper, record) =
        told.split_once(HELD).map_or((told, None), |(keeper, record)| (keeper, record.parse().ok()));
    Some((keeper.parse().ok()?, record))
}

fn work_for(keeper: u32) -> Result<(), Failure> {
    let told = rustix::process::set_parent_process_death_signal(Some(Signal::TERM));
    if let Err(e) = told {
        log::warn!("should the process {keeper} be killed, this one goes on: {e}");
    }
    // It may have been killed before the kernel was asked.
    let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().cast_unsigned());
    if parent == Some(keeper) {
        Ok(())
    } else {
        Err(Failure::Failed("the process that started this one is gone".into()))
    }
}

fn wait_for_worker() -> Result<(), Failure> {
    let failed = |what: &str, e: &dyn std::fmt::Display| Failure::Failed(format!("{what}: {e}"));
    let worker: Arc<Mutex<Option<Pid>>> = Arc::default();
    let hurry = Arc::new(AtomicBool::new(false));
    let (theirs, in_a_hurry) = (Arc::clone(&worker), Arc::clone(&hurry));
    // Locked until there is a worker: a signal that comes before waits for it.
    let mut slot = worker.lock();
    let mut first: Option<Timestamp> = None;
    let installed = ctrlc::set_handler(move || {
        let now = MonotonicClock.now();
        let again = now.saturating_since(*first.get_or_insert(now)) > SAME_WISH;
        in_a_hurry.store(again, Ordering::Relaxed);
        if let Some(pid) = *theirs.lock() {
            // The same wish may have come to it from the terminal already, which makes no difference.
            let _ = kill_process(pid, if again { Signal::KILL } else { Signal::TERM });
        }
    });
    if let Err(e) = installed {
        log::warn!("Ctrl-C will leave programs behind: {e}");
    }
    // The very file that runs, though another may lie in its place by now.
    let mut command = Command::new("/proc/self/exe");
    let held = Held::new().inspect_err(|e| log::debug!("what is held down is not written down: {e}")).ok();
    let record = held.as_ref().map_or_else(String::new, |held| format!("{HELD}{}", held.number()));
    command.arg0(format!("{KEPT_BY}{}{record}", std::process::id())).args(std::env::args_os().skip(1));
    let mut child = command.spawn().map_err(|e| failed("this program cannot be started once more", &e))?;
    let pid = Pid::from_raw(child.id().cast_signed());
    *slot = pid;
    drop(slot);
    // Its number stays its own until it is reaped below: no signal can reach anybody else.
    if let Some(pid) = pid {
        while matches!(
            waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT),
            Err(rustix::io::Errno::INTR)
        ) {}
    }
    *worker.lock() = None;
    // Told below: whatever is known of it, nothing is left behind.
    let status = child.wait();
    let hurry = hurry.load(Ordering::Relaxed);
    let end = || {
        observe::end_descendants(if hurry { SHORT_GRACE } else { GRACE });
    };
    match &held {
        Some(held) => held.release(end),
        None => end(),
    }
    observe::sweep_folders();
    ended(status.map_err(|e| failed("the end of the measurement is not known", &e))?, hurry)
}

/// The worker has said itself why it ended, where it could.
fn ended(status: ExitStatus, hurry: bool) -> Result<(), Failure> {
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(Failure::Told(u8::try_from(code).unwrap_or(1))),
        (None, _) if hurry => Err(Failure::Failed("ended at once; what was measured is lost".into())),
        (None, signal) => {
            let signal = signal.map_or_else(String::new, |signal| format!(" by signal {signal}"));
            Err(Failure::Failed(format!("the measurement was ended{signal}")))
        }
    }
}
