//! What `/proc/PID/stat` says of a process (proc(5)).

/// The fields that are used here.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    not(all(feature = "observe", feature = "telemetry")),
    allow(dead_code, reason = "each reader takes those that it needs")
)]
pub struct ProcStat {
    /// The process that started it, or that adopted it.
    pub parent: u32,
    /// Its process group.
    pub group: u32,
    /// User and system time of all its threads, in clock ticks.
    pub ticks: u64,
    /// When it began, in clock ticks since the machine booted.
    pub started: u64,
    /// It has ended, and waits for its parent at most.
    pub ended: bool,
}

impl ProcStat {
    /// That of the process with this number; `None` where there is none.
    pub fn of(pid: &str) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    pub fn parse(text: &str) -> Option<Self> {
        // The name, in parentheses, may contain anything; the fields after it are plain, the first of them is field 3.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().take(20).collect();
        let field = |n: usize| fields.get(n - 3)?.parse::<u64>().ok();
        Some(Self {
            parent: field(4)?.try_into().ok()?,
            group: field(5)?.try_into().ok()?,
            ticks: field(14)?.checked_add(field(15)?)?,
            started: field(22)?,
            ended: matches!(*fields.first()?, "Z" | "X" | "x"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_any_name() {
        let rest = "1 42 42 0 -1 4194304 100 0 0 0 7 5 0 0 20 0 1 0 9876 1000 10";
        for (name, state, ended) in [("sh", "S", false), ("a) b (c", "Z", true), (") R 1 2 3", "R", false)] {
            let stat = ProcStat::parse(&format!("7 ({name}) {state} {rest}"));
            assert_eq!(
                stat,
                Some(ProcStat { parent: 1, group: 42, ticks: 12, started: 9_876, ended }),
                "{name}"
            );
        }
        for text in ["", "7 (sh", "7 (sh) S 1", "7 (sh) S 1 x 42 0 -1"] {
            assert_eq!(ProcStat::parse(text), None, "{text}");
        }
        assert_eq!(ProcStat::of("4294967295"), None);
        assert!(ProcStat::of(&std::process::id().to_string()).is_some_and(|me| !me.ended && me.started > 0));
    }
}
