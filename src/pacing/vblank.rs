use std::time::Duration;

use super::Origin;
use crate::time::Timestamp;

/// One time at which a display (or a compositor that stands before it) began a refresh, as a source tells it.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct VblankSample {
    /// When. Stamps arrive late and out of regular order; what counts is the time that they name.
    pub at: Timestamp,
    /// The display's own count of refreshes, where the source has one. Two samples that are `n` refreshes apart
    /// differ by `n`.
    pub sequence: Option<u64>,
    /// The refresh interval that the source states, where it states one. Not trusted, only compared.
    pub period: Option<Duration>,
    /// Who says so.
    pub origin: Origin,
}
