//! Which process is which, though numbers are used again.

use crate::proc_stat::ProcStat;

/// When the process began, in clock ticks since the machine booted; `None` where it is gone, or has ended and waits for its
/// parent.
pub(super) fn started(pid: u32) -> Option<u64> {
    ProcStat::of(&pid.to_string()).filter(|stat| !stat.ended).map(|stat| stat.started)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_one_start_and_one_that_is_not_there_none() {
        let me = std::process::id();
        assert!(started(me).is_some());
        assert_eq!(started(me), started(me));
        assert_eq!(started(u32::MAX), None);
    }
}
