//! What a self-check came to, for reports.

use std::collections::BTreeMap;

use serde::Serialize;

use scanout::stats::SelfReport;

/// [`SelfReport`], for programs.
#[derive(Clone, Debug, Serialize)]
pub struct SelfCheck {
    /// The frames that were looked at, the last ones.
    frames: usize,
    findings: Vec<Finding>,
    /// What could not be looked at: the check, and what was missing.
    unmeasured: BTreeMap<&'static str, &'static str>,
    /// The same, for people.
    #[serde(skip)]
    pub lines: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Finding {
    check: &'static str,
    text: String,
    advice: &'static str,
    /// Times are milliseconds and end in `_ms`; shares are of 1.
    figures: BTreeMap<&'static str, f64>,
}

/// As the report has them; a short run says how short it was.
fn lines(report: &SelfReport) -> Vec<String> {
    let mut lines = report.lines();
    let (seen, wanted) = (report.frames, scanout::stats::SelfCheck::FRAMES);
    if seen < wanted {
        lines.push(format!("looked at {seen} frames, all there are: what is rare takes {wanted}"));
    }
    lines
}

impl From<SelfReport> for SelfCheck {
    fn from(report: SelfReport) -> Self {
        let finding = |f: &scanout::stats::Finding| Finding {
            check: f.check().name(),
            text: f.to_string(),
            advice: f.advice(),
            figures: f.figures().into_iter().collect(),
        };
        Self {
            frames: report.frames,
            findings: report.findings.iter().map(finding).collect(),
            unmeasured: report.unmeasured.iter().map(|(check, why)| (check.name(), *why)).collect(),
            lines: lines(&report),
        }
    }
}
