//! What runs.

use scanout::telemetry::State;
use scanout::telemetry::shared::{self, AttachError};

/// A line for each name, under a head; what cannot be read is said with its reason.
pub fn lines() -> Result<Vec<String>, AttachError> {
    let all = shared::list()?;
    if all.is_empty() {
        return Ok(vec!["nothing runs with --telemetry NAME".into()]);
    }
    let mut lines =
        vec![format!("{:<20} {:>8}  {:<9} {:>9}  {}", "name", "process", "state", "frames", "renderer")];
    for listed in all {
        let name = &listed.name;
        match listed.process.and_then(|_| shared::attach(name)) {
            Ok(attached) => {
                let reader = &attached.reader;
                let renderer = reader.about().map_or_else(|| "not known yet".into(), |about| about.renderer);
                let state = match reader.state() {
                    State::Starting => "starting",
                    State::Ended => "ended",
                    _ => "running",
                };
                let (pid, frames) = (attached.pid, reader.newest());
                lines.push(format!("{name:<20} {pid:>8}  {state:<9} {frames:>9}  {renderer}"));
            }
            Err(why) => lines.push(format!("{name:<20} {why}")),
        }
    }
    Ok(lines)
}
