//! A sway of the test's own: nested in an Xvfb (a real 60 Hz throttle, seen from outside through the framebuffer), or
//! headless (any rate, pixels through grim).

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::app::Place;
use super::process::Process;
use super::x11::Area;
use super::xvfb::Xvfb;
use super::{pause, poll_until};

const START_LIMIT: Duration = Duration::from_secs(20);
/// sway refuses to run as root; "nobody" owns nothing else.
const NOBODY: u32 = 65534;

/// i3's IPC: magic, length, kind, payload (sway-ipc(7)).
const MAGIC: &[u8; 6] = b"i3-ipc";
const RUN_COMMAND: u32 = 0;
const GET_TREE: u32 = 4;

/// How new windows are placed.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Layout {
    /// The window gets the whole output.
    Tiled,
    /// The window keeps the size that it asks for, in the upper left corner.
    Floating,
}

pub struct Sway {
    // Before the folder: it writes there until its end.
    process: Process,
    folder: TempDir,
    display: String,
    ipc: UnixStream,
}

impl Sway {
    /// Nested in `server`, whose screen its output fills.
    pub fn start_nested(server: &Xvfb, layout: Layout) -> Self {
        let header = &server.screen.header;
        let mode = format!("{}x{}", header.width, header.height);
        Self::start(&mode, layout, &[("WLR_BACKENDS", "x11"), ("DISPLAY", &server.display())])
    }

    /// Without any display, at a nominal rate (the true one is a little lower).
    pub fn start_headless(width: u32, height: u32, hertz: u32, layout: Layout) -> Self {
        let mode = format!("{width}x{height}@{hertz}Hz");
        Self::start(&mode, layout, &[("WLR_BACKENDS", "headless"), ("WLR_LIBINPUT_NO_DEVICES", "1")])
    }

    /// Without any display, with two outputs side by side that have different rates: `HEADLESS-1`, where windows open,
    /// and `HEADLESS-2`.
    pub fn start_with_two_outputs(width: u32, height: u32, hertz: [u32; 2]) -> Self {
        let mode = |hertz| format!("{width}x{height}@{hertz}Hz");
        let variables =
            [("WLR_BACKENDS", "headless"), ("WLR_LIBINPUT_NO_DEVICES", "1"), ("WLR_HEADLESS_OUTPUTS", "2")];
        let sway = Self::start(&mode(hertz[0]), Layout::Floating, &variables);
        sway.command(&format!("output HEADLESS-2 mode --custom {}", mode(hertz[1])));
        sway.command(&format!("output HEADLESS-2 position {width} 0"));
        sway.command("focus output HEADLESS-1");
        sway
    }

    /// Puts the window of `pid` onto another output.
    pub fn move_to_output(&self, pid: u32, name: &str) {
        self.command(&format!("[pid={pid}] move window to output {name}"));
    }

    fn start(mode: &str, layout: Layout, variables: &[(&str, &str)]) -> Self {
        let folder = TempDir::with_prefix("scanout-sway-").expect("a temporary folder");
        let path = folder.path();
        let config = path.join("config");
        fs::write(&config, config_text(mode, layout)).expect("the configuration");
        let log = fs::File::create(path.join("log")).expect("a log file");
        let uid = rustix::process::geteuid().is_root().then_some(NOBODY);
        // A runtime folder must be private to its owner.
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("permissions");
        if let Some(uid) = uid {
            chown(path, Some(uid), Some(uid)).expect("a folder for the compositor's user");
            chown(&config, Some(uid), Some(uid)).expect("a configuration for the compositor's user");
        }
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
                .stdout(log.try_clone().expect("a second handle"))
                .stderr(log);
        });
        let ready = poll_until(START_LIMIT, || {
            process.ended().map_or_else(
                || Some(Ok((UnixStream::connect(&socket).ok()?, wayland_socket(path)?))),
                |status| Some(Err(status)),
            )
        });
        let log = fs::read_to_string(path.join("log")).unwrap_or_default();
        let Some(Ok((ipc, display))) = ready else { panic!("sway did not start: {ready:?}\n{log}") };
        ipc.set_read_timeout(Some(START_LIMIT)).expect("a timeout");
        let sway = Self { process, folder, display, ipc };
        // The output appears a little after the sockets.
        let there = poll_until(START_LIMIT, || {
            sway.tree()["nodes"].as_array().is_some_and(|n| n.len() > 1).then_some(())
        });
        assert!(there.is_some(), "sway has no output\n{log}");
        sway
    }

    /// The environment for a client.
    pub fn place(&self) -> Place {
        Place::Wayland { runtime_dir: self.folder.path().into(), display: self.display.clone() }
    }

    /// The socket to connect to.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(&self.display)
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The compositor dies at once, as in a crash.
    pub fn crash(&mut self) {
        self.process.kill();
    }

    fn ask(&self, kind: u32, payload: &str) -> Value {
        let mut message = MAGIC.to_vec();
        message.extend(u32::try_from(payload.len()).expect("a short command").to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend(payload.as_bytes());
        let mut ipc = &self.ipc;
        ipc.write_all(&message).expect("sway's IPC");
        let mut head = [0; 14];
        ipc.read_exact(&mut head).expect("sway's answer");
        let length = u32::from_ne_bytes(head[6..10].try_into().expect("four bytes"));
        let mut body = vec![0; length as usize];
        ipc.read_exact(&mut body).expect("sway's answer");
        serde_json::from_slice(&body).expect("JSON from sway")
    }

    /// Runs a command as swaymsg does. Panics when sway refuses it.
    #[track_caller]
    pub fn command(&self, text: &str) {
        let answer = self.ask(RUN_COMMAND, text);
        let ok = answer.as_array().is_some_and(|all| all.iter().all(|one| one["success"] == true));
        assert!(ok, "swaymsg {text}: {answer}");
    }

    pub fn tree(&self) -> Value {
        self.ask(GET_TREE, "")
    }

    fn node(&self, pid: u32) -> Option<Value> {
        fn find(node: &Value, pid: u32) -> Option<&Value> {
            if node["pid"] == pid {
                return Some(node);
            }
            let below = ["nodes", "floating_nodes"].into_iter().filter_map(|k| node[k].as_array()).flatten();
            below.into_iter().find_map(|n| find(n, pid))
        }
        find(&self.tree(), pid).cloned()
    }

    /// Where the window of `pid` is, once there is one.
    pub fn window_of(&self, pid: u32, limit: Duration) -> Option<Area> {
        poll_until(limit, || {
            let node = self.node(pid)?;
            let of = |key: &str| u32::try_from(node["rect"][key].as_i64()?).ok();
            Some(Area { x: of("x")?, y: of("y")?, width: of("width")?, height: of("height")? })
        })
    }

    pub fn is_visible(&self, pid: u32) -> bool {
        self.node(pid).is_some_and(|n| n["visible"] == true)
    }

    pub fn is_fullscreen(&self, pid: u32) -> bool {
        self.node(pid).is_some_and(|n| n["fullscreen_mode"] == 1)
    }

    /// The user looks at another workspace: frame callbacks stop.
    pub fn hide(&self) {
        self.command("workspace number 2");
    }

    pub fn show(&self) {
        self.command("workspace number 1");
    }

    /// Gives a floating window another size. It would keep its centre and, with many sizes, wander off the output;
    /// so it is put back into the corner.
    pub fn resize(&self, pid: u32, width: u32, height: u32) {
        self.command(&format!("[pid={pid}] resize set {width} px {height} px, move position 0 0"));
    }

    /// Resizes until `shows` says that the window has followed: whether it did within `limit`. `shows` gets to wait a
    /// little itself.
    ///
    /// On a busy machine sway 1.7 now and then changes its tree without sending the configure event that belongs to it
    /// (seen in WAYLAND_DEBUG), after many sizes in a row. A different size and the wanted one again get it going; a
    /// program that does not follow its configure events fails all the same.
    pub fn resize_until(
        &self,
        pid: u32,
        (width, height): (u32, u32),
        limit: Duration,
        shows: impl Fn(Area) -> bool,
    ) -> bool {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            self.resize(pid, width, height);
            if shows(Area { x: 0, y: 0, width, height }) {
                return true;
            }
            self.resize(pid, width - 2, height - 2);
            pause(Duration::from_millis(100));
        }
        false
    }

    pub fn set_fullscreen(&self, pid: u32, on: bool) {
        self.command(&format!("[pid={pid}] fullscreen {}", if on { "enable" } else { "disable" }));
    }

    /// Asks the window to close.
    pub fn close(&self, pid: u32) {
        self.command(&format!("[pid={pid}] kill"));
    }

    /// The output's pixels through grim: width, height, rows of 0xRRGGBB. Takes tens of milliseconds.
    pub fn grab(&self) -> (u32, u32, Vec<u32>) {
        let output = Command::new("grim")
            .args(["-t", "ppm", "-"])
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("WAYLAND_DISPLAY", &self.display)
            .output()
            .unwrap_or_else(|e| panic!("grim: {e}: run `apt-get install grim` or scripts/setup test"));
        assert!(output.status.success(), "grim: {}", String::from_utf8_lossy(&output.stderr));
        parse_ppm(&output.stdout).expect("a picture from grim")
    }
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
