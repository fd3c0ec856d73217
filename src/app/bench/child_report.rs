//! What one run leaves behind: its report and its frames.

use std::collections::BTreeMap;

use serde::Deserialize;

use scanout::stats::{FRAME_LOG_SCHEMA, FrameLog};

use super::result::{Figures, can_be, numbers};

/// The report of a child, as far as it is used here. What another build does not say counts as not measured.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ChildReport {
    pub schema: String,
    pub pacing: String,
    pub target: Target,
    pub elapsed_s: f64,
    pub frames_per_second: Option<f64>,
    pub warmup_frames: u64,
    pub counters: Counters,
    pub missed_vsyncs: Option<u64>,
    pub refreshes: Option<u64>,
    pub animation_errors_over_half: Option<u64>,
    pub deadline_misses: Option<u64>,
    pub deadlines: Option<u64>,
    pub pacer: Pacer,
    pub cost: Cost,
    pub error: Option<String>,
    pub metrics: BTreeMap<String, Option<Figures>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Target {
    pub vendor: String,
    pub renderer: String,
    pub version: String,
    pub software: bool,
    pub refresh_hz: Option<f64>,
    pub measured_hz: Option<f64>,
    pub source: String,
    pub origin: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Counters {
    pub measured: u64,
    pub dropped: u64,
    pub repeated: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pacer {
    pub declared_miss_share: Option<f64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Cost {
    pub cpu_share: Option<f64>,
    pub spin_share: Option<f64>,
    pub wakeups_per_s: Option<f64>,
}

/// What one run of a scenario left behind.
#[derive(Clone, Debug)]
pub struct Run {
    pub report: ChildReport,
    pub log: FrameLog,
}

impl Run {
    /// From the contents of its two files.
    pub fn parse(report: &[u8], log: &[u8]) -> Result<Self, String> {
        let report: ChildReport =
            serde_json::from_slice(report).map_err(|e| format!("its report cannot be read: {e}"))?;
        // Of a build that is not ours anything may come.
        for (name, figures) in &report.metrics {
            if let Some(odd) = figures.iter().flat_map(numbers).find(|v| !can_be(*v)) {
                return Err(format!("its report says {odd:e} of {name}, which nothing can measure"));
            }
        }
        let log: FrameLog =
            serde_json::from_slice(log).map_err(|e| format!("its frame log cannot be read: {e}"))?;
        if log.schema != FRAME_LOG_SCHEMA {
            return Err(format!("its frame log is no {FRAME_LOG_SCHEMA}"));
        }
        Ok(Self { report, log })
    }
}
