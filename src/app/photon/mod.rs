//! `scanout photon`: any program's latency and pacing as its user sees them, measured from outside.

#[cfg(target_os = "linux")]
mod alone;
#[cfg(target_os = "linux")]
mod animation;
mod args;
#[cfg(target_os = "linux")]
mod calibrate;
#[cfg(target_os = "linux")]
mod click;
#[cfg(target_os = "linux")]
mod cost;
#[cfg(target_os = "linux")]
mod disturbed;
#[cfg(target_os = "linux")]
mod drag;
#[cfg(target_os = "linux")]
mod figures;
#[cfg(target_os = "linux")]
mod follow;
#[cfg(target_os = "linux")]
mod going_on;
#[cfg(target_os = "linux")]
mod grid;
#[cfg(target_os = "linux")]
mod measure;
#[cfg(target_os = "linux")]
mod misses;
#[cfg(target_os = "linux")]
mod outside;
#[cfg(target_os = "linux")]
mod press;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod slow;
#[cfg(target_os = "linux")]
mod stage;
#[cfg(target_os = "linux")]
mod subject;
#[cfg(target_os = "linux")]
mod survey;
#[cfg(target_os = "linux")]
mod text;
#[cfg(target_os = "linux")]
mod trial;
#[cfg(target_os = "linux")]
mod trouble;
#[cfg(target_os = "linux")]
mod watcher;
#[cfg(target_os = "linux")]
mod wayland;
#[cfg(target_os = "linux")]
mod windows;

pub use args::{Mode, PhotonArgs};
#[cfg(target_os = "linux")]
pub use measure::run;

/// Says that there is nothing here to look through.
#[cfg(not(target_os = "linux"))]
pub fn run(_: &PhotonArgs) -> Result<(), super::Failure> {
    Err(super::Failure::Usage("photon looks at display servers of Linux, and this is another system".into()))
}
