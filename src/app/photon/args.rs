use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use scanout::Size;

use crate::app::cli;
use crate::app::number::whole;

/// What `scanout photon` starts for itself.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum Server {
    /// An X server without a monitor; its screen is read from shared memory.
    #[default]
    Xvfb,
    /// A compositor nested in one, which it waits for as for a display of 60 Hz.
    SwayNested,
    /// A compositor without any display, at so many Hz; its screen is read by screencopy.
    SwayHeadless(u32),
}

/// Of a headless compositor, unless told otherwise.
const HERTZ: u32 = 60;
/// Rates that it takes.
const RATES: std::ops::RangeInclusive<u32> = 1..=1_000;

/// What is measured.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Mode {
    /// From a press to the first and to the last sample point that changes.
    #[default]
    Click,
    /// Intervals between changes of a point that changes with every frame.
    Animation,
    /// Lag of a mark that the program drags after the pointer.
    Drag,
}

#[derive(Clone, Debug, Args)]
pub struct PhotonArgs {
    /// The program to measure, after `--`, with its arguments
    #[arg(last = true, value_name = "CMD")]
    pub command: Vec<OsString>,
    /// Start this server for it: xvfb (the default unless --display or --window is given), sway-nested, or
    /// sway-headless[=HZ]
    #[arg(long, value_name = "NAME", value_parser = server, conflicts_with_all = ["display", "window"])]
    pub server: Option<Server>,
    /// Use this X server or Wayland compositor that runs, and send it input
    #[arg(long, value_name = ":N|wayland-N", value_parser = display)]
    pub display: Option<String>,
    /// Measure this window that is there, and send it input: by its number, its title, or a part of that
    #[arg(long, value_name = "ID|TITLE", conflicts_with = "command", value_parser = window)]
    pub window: Option<String>,
    /// Size of the server's screen in pixels
    #[arg(long, value_name = "WxH", default_value = "1280x720", value_parser = cli::size, allow_hyphen_values = true)]
    pub size: Size,
    /// What is measured
    #[arg(long, value_enum, default_value_t)]
    pub mode: Mode,
    /// Presses that are counted (click)
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = whole::<u32>(1..=100_000))]
    pub count: u32,
    /// How long to measure, and at most to look for what moves (default: 5, or what a slow animation needs; click: until
    /// all presses are done)
    #[arg(long, value_name = "S", value_parser = cli::seconds)]
    pub seconds: Option<Duration>,
    /// Key to press (click): a to z, 0 to 9, f1 to f12, space, enter, tab, esc, backspace, up, down, left, right
    #[arg(long, value_name = "NAME", default_value = "space", value_parser = key)]
    pub key: KeyName,
    /// Press the left button in the middle of the window instead of a key (click)
    #[arg(long, conflicts_with = "key")]
    pub button: bool,
    /// Sample point in pixels from the window's upper left corner, may be given again (default: a grid over the window, and
    /// points where some presses show that it changes)
    #[arg(long = "at", value_name = "X,Y", value_parser = point, allow_hyphen_values = true)]
    pub points: Vec<(u32, u32)>,
    /// Look only at this part of the window, from its upper left corner in pixels (click, animation)
    #[arg(long, value_name = "X,Y,WxH", value_parser = area, allow_hyphen_values = true, conflicts_with = "points")]
    pub area: Option<[u32; 4]>,
    /// Refresh rate in Hz that intervals are held against (animation; default: learnt from them)
    #[arg(long, value_name = "HZ", value_parser = cli::refresh)]
    pub refresh: Option<f64>,
    /// Speed of the pointer in pixels per second (drag)
    #[arg(long, value_name = "PX/S", default_value_t = 1_000.0, value_parser = speed)]
    pub speed: f64,
    /// Row in which the mark is looked for, in pixels from the window's upper edge (drag; default: a seventh of its height)
    #[arg(long, value_name = "Y", value_parser = whole::<u32>(0..=u64::from(u32::MAX)))]
    pub row: Option<u32>,
    /// Microseconds asleep between two looks at the screen; 0 spins, which takes a CPU from the program
    #[arg(long, value_name = "US", default_value_t = 20, value_parser = whole::<u64>(0..=100_000))]
    pub look: u64,
    /// How long the program may take to show a window
    #[arg(long, value_name = "S", default_value = "10", value_parser = cli::seconds)]
    pub wait: Duration,
    /// Leave out the measurement of what the method itself costs
    #[arg(long)]
    pub no_floor: bool,
    /// Write all figures and values to a file, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Say nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
    /// Be the program by which the floor is measured
    #[arg(long, hide = true, value_name = "WxH", value_parser = cli::size)]
    pub floor_client: Option<Size>,
}

/// A key's name, known to be one where keys can be injected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyName(pub String);

#[cfg(target_os = "linux")]
fn key(text: &str) -> Result<KeyName, String> {
    let key: scanout::observe::Key =
        text.parse().map_err(|e: scanout::observe::ParseKeyError| e.to_string())?;
    Ok(KeyName(key.name().into()))
}

#[cfg(not(target_os = "linux"))]
fn key(text: &str) -> Result<KeyName, String> {
    Ok(KeyName(text.into()))
}

fn display(text: &str) -> Result<String, String> {
    Some(text.to_owned())
        .filter(|t| !t.is_empty())
        .ok_or_else(|| "a display is named like :0 or wayland-1".into())
}

fn window(text: &str) -> Result<String, String> {
    let named = Some(text.to_owned()).filter(|t| !t.is_empty());
    named.ok_or_else(|| "a window is named by its number, its title, or a part of that".into())
}

fn server(text: &str) -> Result<Server, String> {
    let wrong =
        || format!("servers are xvfb, sway-nested and sway-headless[=HZ], with 1 to {} Hz", RATES.end());
    match text.split_once('=') {
        None if text == "xvfb" => Ok(Server::Xvfb),
        None if text == "sway-nested" => Ok(Server::SwayNested),
        None if text == "sway-headless" => Ok(Server::SwayHeadless(HERTZ)),
        Some(("sway-headless", hertz)) => {
            let hertz = hertz.parse().ok().filter(|hertz| RATES.contains(hertz));
            hertz.map(Server::SwayHeadless).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

fn point(text: &str) -> Result<(u32, u32), String> {
    let both = text.split_once(',').and_then(|(x, y)| Some((x.trim().parse().ok()?, y.trim().parse().ok()?)));
    both.ok_or_else(|| "a point is written like 640,360".into())
}

fn area(text: &str) -> Result<[u32; 4], String> {
    let wrong = || "an area is written like 100,50,320x240".to_owned();
    let (at, size) = text.rsplit_once(',').ok_or_else(wrong)?;
    let (x, y) = point(at).map_err(|_| wrong())?;
    let size = cli::size(size).map_err(|_| wrong())?;
    Ok([x, y, size.width, size.height])
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: Option<f64> = text.parse().ok();
    speed
        .filter(|v| (10.0..=20_000.0).contains(v))
        .ok_or_else(|| "a speed is a number from 10 to 20000".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_have_a_place_and_a_size() {
        assert_eq!(area("100,50,320x240"), Ok([100, 50, 320, 240]));
        assert_eq!(area("0,0,1x1"), Ok([0, 0, 1, 1]));
        for wrong in ["", "1,2", "320x240", "1,2,3", "1,2,0x5", "-1,2,3x4", "1,2,3x4,5"] {
            assert!(area(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn servers_are_named_with_a_rate_only_where_they_have_one() {
        assert_eq!(server("xvfb"), Ok(Server::Xvfb));
        assert_eq!(server("sway-headless"), Ok(Server::SwayHeadless(HERTZ)));
        assert_eq!(server("sway-headless=120"), Ok(Server::SwayHeadless(120)));
        for wrong in
            ["", "sway", "xvfb=60", "sway-headless=0", "sway-headless=x", "sway-headless=", "sway-nested=60"]
        {
            assert!(server(wrong).is_err(), "{wrong}");
        }
    }
}
