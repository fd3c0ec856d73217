//! The load that a run was under, for its report.

use serde::Serialize;

use crate::app::load::{GpuMeasured, Levels, LoadSpec};

/// The load that a run was put under besides its scene.
#[derive(Debug, Serialize)]
pub struct ExtraLoad {
    /// As `--load` takes it; empty for none.
    asked: String,
    /// The same at the end: the HUD's sliders change it.
    at_end: String,
    /// Time on the CPU of the load's own threads, in seconds. Spikes and GPU work are the run's.
    threads_cpu_s: f64,
    /// What the GPU work was measured to take a frame, in milliseconds; `null` where the driver does not time it.
    gpu_timed_ms: Option<f64>,
    /// What it was tuned to take by draws that were waited for, in milliseconds; `null` where it is timed or there is none.
    gpu_estimated_ms: Option<f64>,
}

impl ExtraLoad {
    /// `None`: there was no load at any time that is known of.
    pub fn new(asked: LoadSpec, levels: &Levels) -> Option<Self> {
        let at_end = levels.spec();
        if asked.is_none() && at_end.is_none() && levels.cpu().is_zero() {
            return None;
        }
        let ms = |took: std::time::Duration| Some(took.as_secs_f64() * 1e3);
        let (gpu_timed_ms, gpu_estimated_ms) = match levels.gpu_measured() {
            GpuMeasured::Not => (None, None),
            GpuMeasured::Estimated(took) => (None, ms(took)),
            GpuMeasured::Timed(took) => (ms(took), None),
        };
        let (asked, at_end) = (asked.to_string(), at_end.to_string());
        let threads_cpu_s = levels.cpu().as_secs_f64();
        Some(Self { asked, at_end, threads_cpu_s, gpu_timed_ms, gpu_estimated_ms })
    }

    pub fn line(&self) -> String {
        let name = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
        let mut text = name(&self.asked);
        if self.at_end != self.asked {
            text.push_str(&format!(" at first, {} at the end", name(&self.at_end)));
        }
        text.push_str(&format!("; its threads used {:.2} s of CPU time", self.threads_cpu_s));
        match (self.gpu_timed_ms, self.gpu_estimated_ms) {
            (Some(ms), _) => text.push_str(&format!("; GPU work timed at {ms:.2} ms")),
            (None, Some(ms)) => text.push_str(&format!("; GPU work estimated at {ms:.2} ms, not timed")),
            (None, None) => {}
        }
        text
    }
}
