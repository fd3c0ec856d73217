use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::error::{Error, Result};
use super::folder::{Folder, NOBODY};
use super::process::Process;
use super::program::{Place, first_line};
use super::sway_ipc::Ipc;
use super::transcript::Transcript;
use super::xvfb::{Xvfb, said};
use super::{Area, poll_until};

const START_LIMIT: Duration = Duration::from_secs(20);

/// How new windows are placed.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Layout {
    /// The window gets the whole output.
    Tiled,
    /// The window keeps the size that it asks for, in the upper left corner.
    Floating,
}

/// A sway of one's own: nested in an [`Xvfb`] (a real 60 Hz throttle, seen from outside through the framebuffer), or
/// headless (any rate, pixels through screencopy or grim). Needs the package `sway`.
#[derive(Debug)]
pub struct Sway {
    // Before the folder: it writes there until its end.
    process: Process,
    folder: Folder,
    display: String,
    ipc: Ipc,
    log: Transcript,
}

impl Sway {
    /// Nested in `server`, whose screen its output fills.
    ///
    /// # Errors
    /// When sway is not installed or does not start; so for the others.
    pub fn start_nested(server: &Xvfb, layout: Layout) -> Result<Self> {
        let header = &server.screen.header;
        let mode = format!("{}x{}", header.width, header.height);
        Self::start(&mode, layout, &[("WLR_BACKENDS", "x11"), ("DISPLAY", &server.display())])
    }

    /// Without any display, at a nominal rate (the true one is a little lower).
    ///
    /// # Errors
    /// When sway is not installed or does not start.
    pub fn start_headless(width: u32, height: u32, hertz: u32, layout: Layout) -> Result<Self> {
        let mode = format!("{width}x{height}@{hertz}Hz");
        Self::start(&mode, layout, &[("WLR_BACKENDS", "headless"), ("WLR_LIBINPUT_NO_DEVICES", "1")])
    }

    /// Without any display, with two outputs side by side that have different rates: `HEADLESS-1`, where windows open,
    /// and `HEADLESS-2`.
    ///
    /// # Errors
    /// When sway is not installed or does not start.
    pub fn start_with_two_outputs(width: u32, height: u32, hertz: [u32; 2]) -> Result<Self> {
        let mode = |hertz| format!("{width}x{height}@{hertz}Hz");
        let variables =
            [("WLR_BACKENDS", "headless"), ("WLR_LIBINPUT_NO_DEVICES", "1"), ("WLR_HEADLESS_OUTPUTS", "2")];
        let sway = Self::start(&mode(hertz[0]), Layout::Floating, &variables)?;
        sway.command(&format!("output HEADLESS-2 mode --custom {}", mode(hertz[1])))?;
        sway.command(&format!("output HEADLESS-2 position {width} 0"))?;
        sway.command("focus output HEADLESS-1")?;
        Ok(sway)
    }

    fn start(mode: &str, layout: Layout, variables: &[(&str, &str)]) -> Result<Self> {
        let folder = Folder::make("sway").map_err(Error::io("a temporary folder"))?;
        let path = folder.path();
        let config = path.join("config");
        let uid = rustix::process::geteuid().is_root().then_some(NOBODY);
        let files = || {
            fs::write(&config, config_text(mode, layout))?;
            // A runtime folder must be private to its owner.
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
            if let Some(uid) = uid {
                chown(path, Some(uid), Some(uid))?;
                chown(&config, Some(uid), Some(uid))?;
            }
            Ok(())
        };
        files().map_err(Error::io("a folder for sway"))?;
        let socket = path.join("ipc");
        let mut process = Process::start_as(uid, "sway", "sway", |command| {
            for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "XAUTHORITY"] {
                command.env_remove(name);
            }
            command
                .arg("--config")
                .arg(&config)
                .env("HOME", path)
                .env("XDG_RUNTIME_DIR", path)
                .env("SWAYSOCK", &socket)
                .env("WLR_RENDERER", "pixman")
                .env("LIBSEAT_BACKEND", "noop")
                .envs(variables.iter().copied())
                .current_dir(path)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
        })?;
        let no_thread = || Error::io("a thread that reads what sway writes");
        let child = process.child();
        let out = Transcript::of_any(child.stdout.take()).map_err(no_thread())?;
        let err = Transcript::of_any(child.stderr.take()).map_err(no_thread())?;
        let ready = poll_until(START_LIMIT, || {
            if process.ended().is_some() {
                return Some(None);
            }
            Some(Some((Ipc::connect(&socket, START_LIMIT).ok()?, wayland_socket(path)?)))
        });
        let not_ready = |said| Error::NotReady { server: "sway", said };
        let Some(Some((ipc, display))) = ready else {
            return Err(not_ready(said(&[&err, &out], &mut process)));
        };
        let sway = Self { process, folder, display, ipc, log: err };
        // The output appears a little after the sockets.
        let there = poll_until(START_LIMIT, || {
            let tree = sway.tree().ok()?;
            tree["nodes"].as_array().is_some_and(|n| n.len() > 1).then_some(())
        });
        there.map(|()| sway).ok_or_else(|| not_ready("it has no output".into()))
    }

    /// The environment for a program.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::Wayland { runtime_dir: self.folder.path().into(), display: self.display.clone() }
    }

    /// The socket to connect to.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(&self.display)
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it has written to its standard error, where its log goes; of much, the beginning and the end ([`Transcript`]).
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.process.ended().is_none()
    }

    /// The compositor dies at once, as in a crash.
    pub fn crash(&mut self) {
        self.process.kill();
    }

    /// Runs a command as swaymsg does.
    ///
    /// # Errors
    /// When sway refuses it, or is gone.
    pub fn command(&self, text: &str) -> Result<()> {
        self.ipc.command(text)
    }

    /// All that it has on its outputs, as sway-ipc(7) describes it.
    ///
    /// # Errors
    /// When it is gone.
    pub fn tree(&self) -> Result<Value> {
        self.ipc.tree()
    }

    fn node(&self, pid: u32) -> Option<Value> {
        fn find(node: &Value, pid: u32) -> Option<&Value> {
            if node["pid"] == pid {
                return Some(node);
            }
            let below = ["nodes", "floating_nodes"].into_iter().filter_map(|k| node[k].as_array()).flatten();
            below.into_iter().find_map(|n| find(n, pid))
        }
        find(&self.tree().ok()?, pid).cloned()
    }

    /// All windows, by the process that each belongs to.
    ///
    /// # Errors
    /// When it is gone.
    pub fn windows(&self) -> Result<Vec<(u32, Area)>> {
        fn gather(node: &Value, found: &mut Vec<(u32, Area)>) {
            let pid = node["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
            found.extend(pid.zip(area(node)));
            let below = ["nodes", "floating_nodes"].into_iter().filter_map(|k| node[k].as_array()).flatten();
            below.for_each(|node| gather(node, found));
        }
        let mut found = Vec::new();
        gather(&self.tree()?, &mut found);
        Ok(found)
    }

    /// Where the window of `pid` is, once there is one.
    #[must_use]
    pub fn window_of(&self, pid: u32, limit: Duration) -> Option<Area> {
        poll_until(limit, || area(&self.node(pid)?))
    }

    /// Whether the window of `pid` is on an output.
    #[must_use]
    pub fn is_visible(&self, pid: u32) -> bool {
        self.node(pid).is_some_and(|n| n["visible"] == true)
    }

    /// Whether the window of `pid` fills its output.
    #[must_use]
    pub fn is_fullscreen(&self, pid: u32) -> bool {
        self.node(pid).is_some_and(|n| n["fullscreen_mode"] == 1)
    }

    /// The output's pixels through grim (package `grim`): width, height, rows of 0xRRGGBB. Takes tens of milliseconds.
    ///
    /// # Errors
    /// When grim is not installed, or says why it did not copy.
    pub fn grab(&self) -> Result<(u32, u32, Vec<u32>)> {
        let output = Command::new("grim")
            .args(["-t", "ppm", "-"])
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("WAYLAND_DISPLAY", &self.display)
            .output()
            .map_err(|_| Error::Missing { program: "grim".into(), package: "grim" })?;
        if !output.status.success() {
            let said = first_line(&String::from_utf8_lossy(&output.stderr));
            return Err(Error::sway(format!("grim: {}", said.unwrap_or_else(|| output.status.to_string()))));
        }
        parse_ppm(&output.stdout).ok_or_else(|| Error::sway("grim: no picture"))
    }
}

fn area(node: &Value) -> Option<Area> {
    let of = |key: &str| u32::try_from(node["rect"][key].as_i64()?).ok();
    Some(Area { x: of("x")?, y: of("y")?, width: of("width")?, height: of("height")? })
}

fn config_text(mode: &str, layout: Layout) -> String {
    let placement = match layout {
        Layout::Tiled => "",
        Layout::Floating => "for_window [shell=\"xdg_shell\"] floating enable, move position 0 0\n",
    };
    // The pointer would be drawn into the pixels that are read; without the focus rule, a pointer that happens to lie
    // elsewhere would take the keyboard away.
    format!(
        "xwayland disable\n\
         output * mode --custom {mode}\n\
         default_border none\n\
         default_floating_border none\n\
         floating_maximum_size -1 x -1\n\
         focus_follows_mouse no\n\
         seat * hide_cursor 100\n\
         {placement}"
    )
}

fn wayland_socket(folder: &Path) -> Option<String> {
    let names = fs::read_dir(folder).ok()?.filter_map(|e| e.ok()?.file_name().into_string().ok());
    names.into_iter().find(|n| n.starts_with("wayland-") && !n.ends_with(".lock"))
}

/// A binary PPM with 8 bits per channel: `P6 width height 255` and one white space byte before the pixels.
fn parse_ppm(bytes: &[u8]) -> Option<(u32, u32, Vec<u32>)> {
    let mut words = bytes.splitn(5, u8::is_ascii_whitespace);
    let mut word = || std::str::from_utf8(words.next()?).ok();
    if word()? != "P6" {
        return None;
    }
    let (width, height): (u32, u32) = (word()?.parse().ok()?, word()?.parse().ok()?);
    if word()? != "255" {
        return None;
    }
    let data = words.next()?;
    let pixels: Vec<u32> = data
        .chunks_exact(3)
        .map(|p| u32::from(p[0]) << 16 | u32::from(p[1]) << 8 | u32::from(p[2]))
        .collect();
    (pixels.len() == width as usize * height as usize).then_some((width, height, pixels))
}
