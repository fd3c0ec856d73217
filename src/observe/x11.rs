use std::time::Duration;

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::protocol::xproto::{
    AtomEnum, BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt as _, ImageFormat, InputFocus,
    KEY_PRESS_EVENT, KEY_RELEASE_EVENT, MOTION_NOTIFY_EVENT, MapState, Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use super::error::{Error, Result};
use super::input::Injector;
use super::key::Key;
use super::peer::listener;
use super::{Area, WHITE, poll_until};

x11rb::atom_manager! {
    /// The names by which windows are told apart (EWMH).
    pub(super) Atoms: AtomsCookie {
        _NET_WM_PID,
        _NET_WM_NAME,
    }
}

/// The left one.
const BUTTON: u8 = 1;

/// A second client of an X server that plays the user and, where there is no window manager, its part too.
#[derive(Debug)]
pub struct X11 {
    /// The connection, for requests of one's own.
    pub connection: RustConnection,
    /// The window that the screen is.
    pub root: Window,
    display: String,
    atoms: Atoms,
}

/// Whether the display's number gives a port: x11rb 0.13 adds it to the first one, and panics where that is no 16-bit number.
fn has_a_port(display: &str) -> bool {
    const FIRST: u16 = 6_000;
    let number = display.rsplit_once(':').map_or("", |(_, rest)| rest.split('.').next().unwrap_or_default());
    number.parse::<u16>().map_or(true, |number| number <= u16::MAX - FIRST)
}

impl X11 {
    /// Connects to `display`, which is like `:0`.
    ///
    /// # Errors
    /// When no server answers there or none that takes us.
    pub fn connect(display: &str) -> Result<Self> {
        let refused = |source: x11rb::errors::ConnectError| Error::Connect {
            server: format!("X server {display}"),
            source: source.into(),
        };
        if !has_a_port(display) {
            let source = "there are no displays of such numbers".into();
            return Err(Error::Connect { server: format!("X server {display}"), source });
        }
        let (connection, screen) = RustConnection::connect(Some(display)).map_err(refused)?;
        let root = connection.setup().roots[screen].root;
        let atoms = Atoms::new(&connection)?.reply()?;
        Ok(Self { connection, root, display: display.into(), atoms })
    }

    /// What it is connected to.
    #[must_use]
    pub fn display(&self) -> &str {
        &self.display
    }

    /// The server's process; `None` over a network, and where it is not seen from here.
    #[must_use]
    pub fn server(&self) -> Option<u32> {
        listener(self.connection.stream())
    }

    /// Whether the server lets clients inject input (XTEST).
    ///
    /// # Errors
    /// [`Error::Lacks`] where it does not; else when the server is gone.
    pub fn check_injection(&self) -> Result<()> {
        if self.connection.extension_information("XTEST")?.is_none() {
            return Err(self.lacks("XTEST, without which no input can be injected"));
        }
        self.connection.xtest_get_version(2, 2)?.reply()?;
        Ok(())
    }

    pub(super) fn lacks(&self, what: &'static str) -> Error {
        Error::Lacks { server: format!("X server {}", self.display), what }
    }

    /// Waits for every request so far to have been carried out.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn sync(&self) -> Result<()> {
        self.connection.get_input_focus()?.reply()?;
        Ok(())
    }

    fn children(&self, of: Window) -> Vec<Window> {
        self.connection.query_tree(of).ok().and_then(|c| c.reply().ok()).map_or_else(Vec::new, |t| t.children)
    }

    /// All windows below the root, those below others among them, in no order that means something.
    #[must_use]
    pub fn windows(&self) -> Vec<Window> {
        let mut found = self.children(self.root);
        let mut next = 0;
        while next < found.len() {
            let below = self.children(found[next]);
            found.extend(below);
            next += 1;
        }
        found
    }

    /// A property of 32-bit values; empty when the window has none of this name.
    #[must_use]
    pub fn property_u32(&self, window: Window, name: u32) -> Vec<u32> {
        self.connection
            .get_property(false, window, name, AtomEnum::ANY, 0, 64)
            .ok()
            .and_then(|c| c.reply().ok())
            .and_then(|r| r.value32().map(Iterator::collect))
            .unwrap_or_default()
    }

    /// The process that says that the window is its own.
    #[must_use]
    pub fn pid(&self, window: Window) -> Option<u32> {
        self.property_u32(window, self.atoms._NET_WM_PID).first().copied()
    }

    /// The window's title; empty when it has none.
    #[must_use]
    pub fn title(&self, window: Window) -> String {
        let get = |name| {
            let reply =
                self.connection.get_property(false, window, name, AtomEnum::ANY, 0, 64).ok()?.reply().ok()?;
            (!reply.value.is_empty()).then(|| String::from_utf8_lossy(&reply.value).into_owned())
        };
        get(self.atoms._NET_WM_NAME).or_else(|| get(AtomEnum::WM_NAME.into())).unwrap_or_default()
    }

    /// Visible windows with a title: their titles, and what programs call themselves (WM_CLASS). The frame that a window
    /// manager has put about a window is left out where it has the window's title.
    #[must_use]
    pub fn titled(&self) -> Vec<(Window, String, String)> {
        let mut found = Vec::new();
        self.gather_titled(self.root, &mut found);
        found
    }

    /// All that lie below `of`.
    fn gather_titled(&self, of: Window, found: &mut Vec<(Window, String, String)>) {
        for window in self.children(of).into_iter().filter(|&w| self.is_viewable(w)) {
            let below = found.len();
            self.gather_titled(window, found);
            let title = self.title(window);
            if !title.is_empty() && !found[below..].iter().any(|(_, inner, _)| *inner == title) {
                found.push((window, title, self.class(window)));
            }
        }
    }

    /// What the window's program calls its kind (WM_CLASS); empty when it does not say.
    #[must_use]
    pub fn class(&self, window: Window) -> String {
        let name = AtomEnum::WM_CLASS;
        let reply = self.connection.get_property(false, window, name, AtomEnum::STRING, 0, 64);
        let value = reply.ok().and_then(|c| c.reply().ok()).map_or_else(Vec::new, |r| r.value);
        // Two names, each with a zero byte behind it: of the instance, and of its kind.
        value
            .split(|byte| *byte == 0)
            .nth(1)
            .map_or_else(String::new, |kind| String::from_utf8_lossy(kind).into_owned())
    }

    /// Whether the window and all that it lies in are mapped.
    #[must_use]
    pub fn is_viewable(&self, window: Window) -> bool {
        let reply = self.connection.get_window_attributes(window).ok().and_then(|c| c.reply().ok());
        reply.is_some_and(|a| a.map_state == MapState::VIEWABLE)
    }

    /// The visible window of process `pid`, once it is there.
    #[must_use]
    pub fn window_of(&self, pid: u32, limit: Duration) -> Option<Window> {
        self.wait_for_window(limit, |w| self.pid(w) == Some(pid))
    }

    /// The visible window called `title`, once it is there.
    #[must_use]
    pub fn window_titled(&self, title: &str, limit: Duration) -> Option<Window> {
        self.wait_for_window(limit, |w| self.title(w) == title)
    }

    /// A visible window that is the one, once it is there.
    pub fn wait_for_window(&self, limit: Duration, is_it: impl Fn(Window) -> bool) -> Option<Window> {
        poll_until(limit, || self.windows().into_iter().find(|&w| is_it(w) && self.is_viewable(w)))
    }

    /// Where the window is on the screen. What of it lies beyond the left and upper edge is left out.
    ///
    /// # Errors
    /// When the window or the server is gone.
    pub fn area(&self, window: Window) -> Result<Area> {
        let geometry = self.connection.get_geometry(window)?.reply()?;
        let at = self.connection.translate_coordinates(window, self.root, 0, 0)?.reply()?;
        let side = |at: i16, length: u16| {
            let beyond = u32::from(at.min(0).unsigned_abs());
            (u32::from(at.max(0).unsigned_abs()), u32::from(length).saturating_sub(beyond))
        };
        let ((x, width), (y, height)) = (side(at.dst_x, geometry.width), side(at.dst_y, geometry.height));
        Ok(Area { x, y, width, height })
    }

    fn fake(&self, kind: u8, detail: u8, (x, y): (i16, i16)) -> Result<()> {
        self.connection.xtest_fake_input(kind, detail, 0, self.root, x, y, 0)?;
        Ok(self.connection.flush()?)
    }

    /// Presses a key or lets it go.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn key(&self, key: Key, down: bool) -> Result<()> {
        self.fake(if down { KEY_PRESS_EVENT } else { KEY_RELEASE_EVENT }, key.x11(), (0, 0))
    }

    /// Presses a button (1: the left one) or lets it go.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn button(&self, button: u8, down: bool) -> Result<()> {
        self.fake(if down { BUTTON_PRESS_EVENT } else { BUTTON_RELEASE_EVENT }, button, (0, 0))
    }

    /// Moves the pointer to (x, y) on the screen.
    ///
    /// # Errors
    /// When the server is gone, or no screen is so large.
    pub fn point(&self, x: u32, y: u32) -> Result<()> {
        let size = (i16::MAX as u32, i16::MAX as u32);
        let side = |v: u32| i16::try_from(v).map_err(|_| Error::Outside { at: (x, y), size });
        self.fake(MOTION_NOTIFY_EVENT, 0, (side(x)?, side(y)?))
    }

    /// Moves the pointer into the middle of the window and gives it the keyboard.
    ///
    /// # Errors
    /// When the window is not visible, or the server is gone.
    pub fn focus(&self, window: Window) -> Result<()> {
        let (x, y) = self.area(window)?.centre();
        self.point(x, y)?;
        Ok(self.connection.set_input_focus(InputFocus::POINTER_ROOT, window, x11rb::CURRENT_TIME)?.check()?)
    }

    /// One pixel of the window through the server (GetImage), as 0xRRGGBB. The mapped screen is cheaper; this is for
    /// servers whose screen is not mapped.
    ///
    /// # Errors
    /// When the pixel is not visible, or the server is gone.
    pub fn image_pixel(&self, window: Window, x: i16, y: i16) -> Result<u32> {
        let reply =
            self.connection.get_image(ImageFormat::Z_PIXMAP, window, x, y, 1, 1, u32::MAX)?.reply()?;
        let pixel = reply.data.first_chunk().map(|&raw| u32::from_le_bytes(raw) & WHITE);
        pixel.ok_or_else(|| self.lacks("32 bits per pixel"))
    }
}

impl Injector for X11 {
    fn name(&self) -> &'static str {
        "XTEST"
    }

    fn key(&mut self, key: Key, down: bool) -> Result<()> {
        Self::key(self, key, down)
    }

    fn button(&mut self, down: bool) -> Result<()> {
        Self::button(self, BUTTON, down)
    }

    fn point(&mut self, x: u32, y: u32) -> Result<()> {
        Self::point(self, x, y)
    }

    fn repeats_after(&self, key: Key) -> Option<Duration> {
        Self::repeats_after(self, key)
    }

    fn sync(&mut self) -> Result<()> {
        Self::sync(self)
    }
}
