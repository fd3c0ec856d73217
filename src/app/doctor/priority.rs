//! Whether threads may run before all others, and by what.

use scanout::display::priority::{Priority, REALTIME_LEVEL, request_realtime};

use super::line::{Group, Line, State};

/// Bit of the capability that lets a process raise its priority (capabilities(7)).
const CAP_SYS_NICE: u32 = 23;
/// What the rtkit service brings.
const RTKIT: [&str; 2] = [
    "/usr/share/dbus-1/system-services/org.freedesktop.RealtimeKit1.service",
    "/usr/local/share/dbus-1/system-services/org.freedesktop.RealtimeKit1.service",
];

const REFUSED: &str = if cfg!(target_os = "linux") {
    "frames are begun late while others compute; allow it with `setcap cap_sys_nice+ep` or a line `@video - rtprio 20` in /etc/security/limits.conf"
} else {
    "frames are begun late while others compute; leave processors to it"
};

pub fn lines(out: &mut Vec<Line>) {
    let line = |state, text: String| Line::new(Group::Timing, "realtime", "real time", state, text);
    let rtkit = RTKIT.iter().any(|path| std::path::Path::new(path).exists());
    let by = reasons();
    let beside = if rtkit { "; the rtkit service is installed, and scanout does not ask it" } else { "" };
    out.push(match asked() {
        Priority::Realtime(level) => {
            let by = if by.is_empty() { "by a way unknown".into() } else { by.join(" and ") };
            line(State::Ok, format!("granted, level {level}, {by}; --realtime asks for it"))
                .figure("level", f64::from(level))
        }
        Priority::Refused(why) => line(State::Note, format!("refused ({why}){beside}")).advise(REFUSED),
        _ => line(State::NotMeasured, format!("the system gave no answer{beside}")),
    });
}

/// Asked on a thread of its own, which ends with what it was given.
#[allow(clippy::disallowed_methods, reason = "a thread that takes its priority away with it")]
fn asked() -> Priority {
    std::thread::spawn(|| request_realtime(REALTIME_LEVEL)).join().unwrap_or_default()
}

/// What would allow it, as the kernel tells of this process.
fn reasons() -> Vec<String> {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let mut reasons = Vec::new();
    if has_capability(&read("/proc/self/status")) {
        reasons.push("by CAP_SYS_NICE".to_owned());
    }
    if let Some(level) = rlimit(&read("/proc/self/limits")) {
        reasons.push(format!("by RLIMIT_RTPRIO {level}"));
    }
    reasons
}

fn has_capability(status: &str) -> bool {
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .is_some_and(|set| set >> CAP_SYS_NICE & 1 == 1)
}

fn rlimit(limits: &str) -> Option<&str> {
    let rest = limits.lines().find_map(|line| line.strip_prefix("Max realtime priority"))?;
    rest.split_whitespace().next().filter(|soft| *soft != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_allows_it_is_read_from_the_kernels_tables() {
        assert!(has_capability("Name:\tx\nCapEff:\t0000000000800000\nCapBnd:\t0\n"));
        assert!(!has_capability("CapEff:\t00000000007fffff\n"));
        assert!(!has_capability("CapPrm:\t0000000000800000\n"), "permitted is not effective");
        assert!(!has_capability(""));
        let limits = |soft: &str| format!("Max realtime priority     {soft}          99          \n");
        assert_eq!(rlimit(&limits("0")), None);
        assert_eq!(rlimit(&limits("20")), Some("20"));
        assert_eq!(rlimit(&limits("unlimited")), Some("unlimited"));
        assert_eq!(rlimit("nothing of that"), None);
    }
}
