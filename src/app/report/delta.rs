//! What animation steps were made of, for reports.

use serde::Serialize;

use scanout::Summary;
use scanout::pacing::DeltaTime;
use scanout::runtime::Filtered;

/// As `--delta` had it.
#[derive(Debug, Serialize)]
pub struct Delta {
    /// By its name on the command line.
    from: String,
    /// What the filter did, since the start; absent where there was none.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    filtered: Option<Filtered>,
}

impl Delta {
    pub fn new(summary: &Summary) -> Self {
        let filters = matches!(summary.delta, DeltaTime::Reference(_));
        Self { from: summary.delta.to_string(), filtered: filters.then_some(summary.filtered) }
    }

    /// In a line, unless it is the default.
    pub fn line(&self) -> Option<String> {
        let filtered = self.filtered.map_or_else(String::new, |Filtered { discarded, by_median }| {
            format!(", {discarded} discarded, {by_median} by median")
        });
        (self.from != DeltaTime::default().to_string()).then(|| format!("{}{filtered}", self.from))
    }
}
