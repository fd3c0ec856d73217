//! Real-time priority for a thread that has deadlines.

use std::fmt;

/// The priority to ask for: above everything that is scheduled fairly, and below what an audio server or the kernel's
/// own threads usually run at, because a late picture is better than a click in the sound.
pub const REALTIME_LEVEL: u8 = 10;

/// How a thread is scheduled.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Priority {
    /// Fairly, like everything else.
    #[default]
    Normal,
    /// First in, first out (`SCHED_FIFO`), with this priority: before every thread that is scheduled fairly.
    Realtime(u8),
    /// Fairly, because real-time priority was asked for and refused, for this reason.
    Refused(String),
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("normal"),
            Self::Realtime(level) => write!(f, "real-time {level}"),
            Self::Refused(reason) => write!(f, "normal (real-time refused: {reason})"),
        }
    }
}

/// Asks the system to schedule the calling thread before all others (`SCHED_FIFO`), with priority `level` brought into
/// the system's range ([`REALTIME_LEVEL`] is a good one), and returns what came of it, as the system tells it
/// afterwards. Never fails: a refusal is an answer.
///
/// Linux grants it to root, to `CAP_SYS_NICE`, and to whom `RLIMIT_RTPRIO` allows it; the rtkit service is not asked.
/// Systems that are not Unix refuse, and so does a build without the feature `realtime`.
///
/// A thread inherits this from the one that starts it. Graphics drivers start threads when a display is opened or a
/// context made: where frames wait for them (a software rasteriser), ask before that, or use [`lend_realtime`]. A real-time
/// thread that never sleeps takes a whole processor from everything else. Allocates; call it once.
#[must_use]
pub fn request_realtime(level: u8) -> Priority {
    system::request(level).unwrap_or_else(Priority::Refused)
}

/// Gives the calling thread real-time priority as [`request_realtime`] does, until the returned value is dropped: for
/// threads that others start meanwhile and that inherit it, such as a software rasteriser's when a display is opened.
/// Where it is refused, nothing changes.
#[must_use]
pub fn lend_realtime(level: u8) -> Lent {
    let before = system::Before::now();
    // Whether it was granted is told by the threads that ask for good.
    let _ = request_realtime(level);
    Lent { before, _here: std::marker::PhantomData }
}

/// See [`lend_realtime`].
#[derive(Debug)]
pub struct Lent {
    before: system::Before,
    /// It is this thread's.
    _here: std::marker::PhantomData<*const ()>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.before.restore();
    }
}

/// How the calling thread is scheduled: [`Priority::Normal`] or [`Priority::Realtime`]. Where the system does not tell:
/// normal.
#[must_use]
pub fn current() -> Priority {
    system::current().unwrap_or_default()
}

#[cfg(all(unix, feature = "realtime"))]
#[allow(unsafe_code, reason = "calls of the system")]
mod system {
    use std::mem::MaybeUninit;

    use thread_priority::{
        Error, RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id, thread_schedule_policy_param,
    };

    use super::Priority;

    const FIFO: ThreadSchedulePolicy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);

    pub(super) fn request(level: u8) -> Result<Priority, String> {
        let least = ThreadPriority::min_value_for_policy(FIFO).map_err(reason)?;
        let most = ThreadPriority::max_value_for_policy(FIFO).map_err(reason)?.max(least);
        let level = u8::try_from(i32::from(level).clamp(least, most)).unwrap_or(u8::MAX);
        let value = ThreadPriorityValue::try_from(level)?;
        set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Crossplatform(value), FIFO)
            .map_err(reason)?;
        match current()? {
            Priority::Normal => Err("the system accepted it and did nothing".to_owned()),
            granted => Ok(granted),
        }
    }

    pub(super) fn current() -> Result<Priority, String> {
        let (policy, params) = thread_schedule_policy_param(thread_native_id()).map_err(reason)?;
        Ok(match policy {
            ThreadSchedulePolicy::Realtime(_) => {
                Priority::Realtime(u8::try_from(params.sched_priority).unwrap_or(u8::MAX))
            }
            ThreadSchedulePolicy::Normal(_) => Priority::Normal,
        })
    }

    #[allow(clippy::needless_pass_by_value, reason = "the shape of map_err")]
    fn reason(error: Error) -> String {
        match error {
            Error::OS(code) => std::io::Error::from_raw_os_error(code).to_string(),
            other => other.to_string(),
        }
    }

    /// How the calling thread was scheduled. (The crate above would set its niceness as well.)
    #[derive(Debug)]
    pub(super) struct Before(Option<(libc::c_int, libc::sched_param)>);

    impl Before {
        pub(super) fn now() -> Self {
            // Some systems' parameters have fields that are nobody's business.
            let (mut policy, mut params) = (0, MaybeUninit::zeroed());
            // SAFETY: asks about the calling thread; both places are ours to write to.
            let failed = unsafe {
                libc::pthread_getschedparam(libc::pthread_self(), &raw mut policy, params.as_mut_ptr())
            };
            // SAFETY: the call has succeeded and has filled them in.
            Self((failed == 0).then(|| (policy, unsafe { params.assume_init() })))
        }

        pub(super) fn restore(&self) {
            let Some((policy, params)) = &self.0 else { return };
            // SAFETY: sets how the calling thread is scheduled; the parameters are those that it had.
            let failed = unsafe { libc::pthread_setschedparam(libc::pthread_self(), *policy, params) };
            if failed != 0 {
                log::warn!("a thread keeps its real-time priority: {}", reason(Error::OS(failed)));
            }
        }
    }
}

#[cfg(not(all(unix, feature = "realtime")))]
mod system {
    use super::Priority;

    pub(super) fn request(_level: u8) -> Result<Priority, String> {
        Err(if cfg!(feature = "realtime") {
            "not supported on this system".to_owned()
        } else {
            "built without the feature `realtime`".to_owned()
        })
    }

    pub(super) fn current() -> Result<Priority, String> {
        Ok(Priority::Normal)
    }

    #[derive(Debug)]
    pub(super) struct Before;

    impl Before {
        pub(super) fn now() -> Self {
            Self
        }

        #[allow(clippy::unused_self, reason = "the same names everywhere")]
        pub(super) fn restore(&self) {}
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "threads whose priority nothing else is to inherit")]
mod tests {
    use super::*;

    #[test]
    fn any_level_is_answered_and_the_answer_is_true() {
        for level in [0, 1, REALTIME_LEVEL, 99, 100, 255] {
            std::thread::spawn(move || {
                assert_eq!(current(), Priority::Normal);
                match request_realtime(level) {
                    Priority::Refused(reason) => {
                        assert!(!reason.is_empty());
                        assert_eq!(current(), Priority::Normal);
                    }
                    granted => {
                        assert_ne!(granted, Priority::Normal);
                        assert_eq!(granted, current());
                    }
                }
            })
            .join()
            .unwrap();
        }
    }

    #[test]
    fn text_names_level_and_reason() {
        assert_eq!(Priority::Realtime(10).to_string(), "real-time 10");
        assert_eq!(Priority::Refused("no".into()).to_string(), "normal (real-time refused: no)");
    }

    #[cfg(all(target_os = "linux", feature = "realtime"))]
    mod linux {
        use super::*;
        use std::process::Command;

        use rustix::process::{Resource, Rlimit, setrlimit};
        use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};

        /// Scheduling policy and real-time priority of the calling thread, from the kernel's own table (proc(5)).
        fn kernel_says() -> (u32, u32) {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
            // Fields 40 and 41, counted from 1; the first one after the name is field 3.
            (fields[41 - 3].parse().unwrap(), fields[40 - 3].parse().unwrap())
        }

        #[test]
        fn realtime_is_granted_where_the_system_grants_it_to_others() {
            // util-linux asks the same thing of the same system.
            let allowed = Command::new("chrt").args(["-f", "10", "true"]).status().is_ok_and(|s| s.success());
            std::thread::spawn(move || {
                let got = request_realtime(REALTIME_LEVEL);
                if allowed {
                    assert_eq!(got, Priority::Realtime(10));
                    assert_eq!(kernel_says(), (1, 10), "SCHED_FIFO with priority 10");
                }
            })
            .join()
            .unwrap();
        }

        #[test]
        fn lent_priority_is_inherited_and_given_back() {
            let allowed = Command::new("chrt").args(["-f", "10", "true"]).status().is_ok_and(|s| s.success());
            std::thread::spawn(move || {
                let before = kernel_says();
                let lent = lend_realtime(REALTIME_LEVEL);
                let heir = std::thread::spawn(kernel_says).join().unwrap();
                assert_eq!(heir, if allowed { (1, 10) } else { before });
                drop(lent);
                assert_eq!(kernel_says(), before);
                assert_eq!(std::thread::spawn(kernel_says).join().unwrap(), before);
            })
            .join()
            .unwrap();
        }

        #[test]
        fn without_privilege_realtime_is_refused_with_the_systems_reason() {
            std::thread::spawn(|| {
                // Capabilities belong to this thread alone; the limit is of no use to any other test.
                let none = CapabilitySet::empty();
                let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
                set_capabilities(None, sets).unwrap();
                setrlimit(Resource::Rtprio, Rlimit { current: Some(0), maximum: Some(0) }).unwrap();
                let Priority::Refused(reason) = request_realtime(REALTIME_LEVEL) else {
                    panic!("granted without privilege");
                };
                assert!(reason.contains("not permitted"), "{reason}");
                assert_eq!(kernel_says(), (0, 0));
            })
            .join()
            .unwrap();
        }
    }
}
