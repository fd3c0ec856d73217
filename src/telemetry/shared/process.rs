//! Which process is which, though numbers are used again.

/// When the process began, in clock ticks since the machine booted; `None` where it is gone, or has ended and waits for its
/// parent.
pub(super) fn started(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may have any character in it.
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    let state = fields.next()?;
    // The state is field 3, the start field 22 (proc(5)).
    let started = fields.nth(18)?.parse().ok()?;
    (!matches!(state, "Z" | "X" | "x")).then_some(started)
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
