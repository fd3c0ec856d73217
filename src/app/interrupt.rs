//! Ctrl-C, SIGTERM and SIGHUP: asked to end, they end in order, and where what they wait for does not
//! answer, they end all the same.
//!
//! Signals arrive on a thread of their own (`ctrlc`), which marks the wish and waits. Whoever acts on the wish says so
//! ([`heard`]). If nobody does for some time, which is the program's to say, the main thread hangs in a call that nothing ends
//! (a display server that is stopped answers no request), and this thread ends the program: children first, then folders, one
//! line, exit code 1. Further signals change nothing here; for programs with a keeper, that one ends everything at the second
//! (`keeper.rs`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use scanout::display::sleep;
use scanout::time::{Clock as _, MonotonicClock};

/// The last words of what measures others.
#[cfg(target_os = "linux")]
pub const NOT_ALL_MEASURED: &str =
    "scanout: stopped before everything was measured; the display does not answer";

static SEEN: AtomicBool = AtomicBool::new(false);
static CUT_OFF: AtomicBool = AtomicBool::new(false);
static HEARD: AtomicBool = AtomicBool::new(false);
static ACTION: Mutex<Option<Action>> = Mutex::new(None);

type Action = Box<dyn Fn() + Send>;

/// Who is started to survive the terminal (`nohup`) does: the listener below would hear of its end all the same. Called first
/// of all, while there is but one thread, so that all that come after inherit it.
#[cfg(target_os = "linux")]
pub fn leave_hangups_to_nohup() {
    use nix::sys::signal::{SigSet, Signal};
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    if ignored >> (Signal::SIGHUP as u32 - 1) & 1 == 1 {
        let mut hangup = SigSet::empty();
        hangup.add(Signal::SIGHUP);
        if let Err(e) = hangup.thread_block() {
            log::debug!("SIGHUP ends this program: {e}");
        }
    }
}

/// Listens from now on. A wish that nobody has heard after `unheard`, and an end that takes longer than `wind_up` after that,
/// end the program with these last words.
pub fn install(unheard: Duration, wind_up: Duration, last_words: &'static str) {
    set(move || {
        // This is the handler's own thread: it may wait. What ends in order ends the process before.
        sleep::until(MonotonicClock.now() + unheard);
        if HEARD.load(Ordering::Relaxed) {
            sleep::until(MonotonicClock.now() + wind_up);
        }
        give_up(last_words);
    });
}

/// Listens, and does what comes `after` the wish was passed on.
fn set(after: impl Fn() + Send + 'static) {
    let installed = ctrlc::set_handler(move || {
        SEEN.store(true, Ordering::Relaxed);
        if let Some(action) = &*ACTION.lock() {
            action();
        }
        after();
    });
    if let Err(e) = installed {
        log::warn!("Ctrl-C will end the program at once: {e}");
    }
}

/// As [`install`] for whoever has figures to write: when nothing has ended after `unheard`, the display server is given up, so
/// that what waits for it goes on as if it had died and the figures are written. `wind_up` is for that, and for files that are
/// being written already: then no connection is left to be given up, and nothing hangs.
pub fn install_for_figures(unheard: Duration, wind_up: Duration, last_words: &'static str) {
    set(move || {
        // This is the handler's own thread: it may wait. What ends in order ends the process before.
        sleep::until(MonotonicClock.now() + unheard);
        #[cfg(target_os = "linux")]
        {
            // Before, since what it ends looks for the cause at once.
            CUT_OFF.store(true, Ordering::Relaxed);
            let cut = scanout::window::cut_off_display();
            CUT_OFF.store(cut > 0, Ordering::Relaxed);
        }
        sleep::until(MonotonicClock.now() + wind_up);
        give_up(last_words);
    });
}

/// Whether the display server did not answer and was given up.
pub fn display_given_up() -> bool {
    CUT_OFF.load(Ordering::Relaxed)
}

/// Whether the user has had enough. Who asks does something about it: that is what [`install`] waits for.
pub fn seen() -> bool {
    let seen = SEEN.load(Ordering::Relaxed);
    if seen {
        heard();
    }
    seen
}

/// The wish has come to whoever ends things.
pub fn heard() {
    HEARD.store(true, Ordering::Relaxed);
}

/// What to do at once when the user has had enough, or has had already.
pub fn on_signal(action: impl Fn() + Send + 'static) {
    let mut slot = ACTION.lock();
    if SEEN.load(Ordering::Relaxed) {
        action();
    }
    *slot = Some(Box::new(action));
}

/// The last resort.
fn give_up(last_words: &str) -> ! {
    super::output::complain(last_words);
    #[cfg(target_os = "linux")]
    super::keeper::leave_nothing();
    // Without what `exit` would run under threads that hang or still draw, destructors of drivers among it. What was to be
    // kept has been written: files are written whole by whoever measures, and nobody does here.
    scanout::window::end_process(1)
}
