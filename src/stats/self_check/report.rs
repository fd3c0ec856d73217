use std::fmt;

use super::finding::{Check, Finding};

/// What a [`SelfCheck`](super::SelfCheck) came to.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SelfReport {
    /// The frames that were looked at.
    pub frames: usize,
    /// What is wrong, in the order of [`Check::ALL`]; empty where nothing was found.
    pub findings: Vec<Finding>,
    /// From a frame's swap to its display, in frames, of the median frame: 1 or 2 are normal. Where nobody measures display
    /// times it is how many frames are with the GPU; `None` where nobody says when that is done either.
    pub queue_frames: Option<u32>,
    /// What could not be looked at, and what was missing.
    pub unmeasured: Vec<(Check, &'static str)>,
}

impl SelfReport {
    /// What was found by `check`, if anything.
    #[must_use]
    pub fn finding(&self, check: Check) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.check() == check)
    }

    /// The report as lines: a finding each, with what can be done about it, then what was not measured. Allocates.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> =
            self.findings.iter().flat_map(|f| [f.to_string(), format!("  -> {}", f.advice())]).collect();
        if lines.is_empty() {
            lines.push(format!("nothing found in {} frames", self.frames));
        }
        let missing: Vec<_> = self
            .unmeasured
            .iter()
            .map(|(check, why)| format!("{} ({why})", check.name().replace('_', " ")))
            .collect();
        if !missing.is_empty() {
            lines.push(format!("not measured: {}", missing.join("; ")));
        }
        lines
    }
}

impl fmt::Display for SelfReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().join("\n"))
    }
}
