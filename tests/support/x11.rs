//! A second X11 client that plays the user and, where there is no window manager, its part too.

use std::time::Duration;

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ClientMessageEvent, ConfigureWindowAux,
    ConnectionExt as _, EventMask, ImageFormat, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, MOTION_NOTIFY_EVENT,
    MapState, Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use super::{Key, poll_until};

x11rb::atom_manager! {
    /// The names that window managers and clients agree on (ICCCM, EWMH).
    pub Atoms: AtomsCookie {
        WM_PROTOCOLS,
        WM_DELETE_WINDOW,
        WM_CHANGE_STATE,
        WM_STATE,
        UTF8_STRING,
        _NET_WM_PID,
        _NET_WM_NAME,
        _NET_WM_STATE,
        _NET_WM_STATE_FULLSCREEN,
        _NET_WM_STATE_HIDDEN,
        _NET_SUPPORTED,
        _NET_SUPPORTING_WM_CHECK,
        _NET_ACTIVE_WINDOW,
        _SCANOUT_TEST_STOP,
    }
}

/// WM_STATE values and the wish in WM_CHANGE_STATE (ICCCM 4.1.3.1).
pub const NORMAL_STATE: u32 = 1;
pub const ICONIC_STATE: u32 = 3;

/// A place on the screen.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Area {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl Area {
    pub fn centre(self) -> (u32, u32) {
        (self.x + self.width / 2, self.y + self.height / 2)
    }

    /// The four corner pixels and the centre.
    pub fn marks(self) -> [(u32, u32); 5] {
        let (right, bottom) = (self.x + self.width - 1, self.y + self.height - 1);
        [(self.x, self.y), (right, self.y), (self.x, bottom), (right, bottom), self.centre()]
    }
}

pub struct X11 {
    pub connection: RustConnection,
    pub root: Window,
    pub atoms: Atoms,
}

impl X11 {
    pub fn connect(display: &str) -> Self {
        let (connection, screen) = RustConnection::connect(Some(display)).expect("an X11 connection");
        let root = connection.setup().roots[screen].root;
        let atoms = Atoms::new(&connection).expect("request").reply().expect("atoms");
        Self { connection, root, atoms }
    }

    /// Waits for every request so far to have been carried out.
    pub fn sync(&self) {
        self.connection.get_input_focus().expect("request").reply().expect("a live server");
    }

    fn children(&self, of: Window) -> Vec<Window> {
        self.connection.query_tree(of).ok().and_then(|c| c.reply().ok()).map_or_else(Vec::new, |t| t.children)
    }

    fn all_windows(&self) -> Vec<Window> {
        let mut found = self.children(self.root);
        let mut next = 0;
        while next < found.len() {
            let below = self.children(found[next]);
            found.extend(below);
            next += 1;
        }
        found
    }

    fn property_u32(&self, window: Window, name: u32) -> Vec<u32> {
        self.connection
            .get_property(false, window, name, AtomEnum::ANY, 0, 64)
            .ok()
            .and_then(|c| c.reply().ok())
            .and_then(|r| r.value32().map(Iterator::collect))
            .unwrap_or_default()
    }

    fn title(&self, window: Window) -> String {
        let get = |name| {
            let reply =
                self.connection.get_property(false, window, name, AtomEnum::ANY, 0, 64).ok()?.reply().ok()?;
            (!reply.value.is_empty()).then(|| String::from_utf8_lossy(&reply.value).into_owned())
        };
        get(self.atoms._NET_WM_NAME).or_else(|| get(AtomEnum::WM_NAME.into())).unwrap_or_default()
    }

    pub fn is_viewable(&self, window: Window) -> bool {
        let reply = self.connection.get_window_attributes(window).ok().and_then(|c| c.reply().ok());
        reply.is_some_and(|a| a.map_state == MapState::VIEWABLE)
    }

    /// The visible window of process `pid`, once it is there.
    pub fn window_of(&self, pid: u32, limit: Duration) -> Option<Window> {
        self.wait_for_window(limit, |w| self.property_u32(w, self.atoms._NET_WM_PID).first() == Some(&pid))
    }

    /// The visible window called `title`, once it is there.
    pub fn window_titled(&self, title: &str, limit: Duration) -> Option<Window> {
        self.wait_for_window(limit, |w| self.title(w) == title)
    }

    fn wait_for_window(&self, limit: Duration, is_it: impl Fn(Window) -> bool) -> Option<Window> {
        poll_until(limit, || self.all_windows().into_iter().find(|&w| is_it(w) && self.is_viewable(w)))
    }

    /// Where the window is on the screen; windows in these tests never reach beyond its left and upper edge.
    pub fn area(&self, window: Window) -> Area {
        let geometry = self.connection.get_geometry(window).expect("request").reply().expect("a live window");
        let at = self.connection.translate_coordinates(window, self.root, 0, 0).expect("request");
        let at = at.reply().expect("a live window");
        Area {
            x: at.dst_x.try_into().expect("on the screen"),
            y: at.dst_y.try_into().expect("on the screen"),
            width: geometry.width.into(),
            height: geometry.height.into(),
        }
    }

    fn fake(&self, kind: u8, detail: u8, (x, y): (i16, i16)) {
        self.connection.xtest_fake_input(kind, detail, 0, self.root, x, y, 0).expect("XTEST");
        self.connection.flush().expect("a live server");
    }

    pub fn key(&self, key: Key, down: bool) {
        self.fake(if down { KEY_PRESS_EVENT } else { KEY_RELEASE_EVENT }, key.x11(), (0, 0));
    }

    /// Presses and releases.
    pub fn tap(&self, key: Key) {
        self.key(key, true);
        self.key(key, false);
    }

    pub fn button(&self, button: u8, down: bool) {
        self.fake(if down { BUTTON_PRESS_EVENT } else { BUTTON_RELEASE_EVENT }, button, (0, 0));
    }

    /// Presses and releases the left button.
    pub fn click(&self) {
        self.button(1, true);
        self.button(1, false);
    }

    /// Moves the pointer to (x, y) on the screen.
    pub fn point(&self, x: u32, y: u32) {
        let at = (x.try_into().expect("a coordinate"), y.try_into().expect("a coordinate"));
        self.fake(MOTION_NOTIFY_EVENT, 0, at);
    }

    /// Moves the pointer to (x, y) and gives the window the keyboard.
    pub fn focus(&self, window: Window) {
        let (x, y) = self.area(window).centre();
        self.point(x, y);
        let set =
            self.connection.set_input_focus(x11rb::protocol::xproto::InputFocus::POINTER_ROOT, window, 0u32);
        set.expect("request").check().expect("a visible window");
    }

    pub fn resize(&self, window: Window, width: u32, height: u32) {
        let aux = ConfigureWindowAux::new().width(width).height(height);
        self.connection.configure_window(window, &aux).expect("request");
        self.connection.flush().expect("a live server");
    }

    pub fn map(&self, window: Window) {
        self.connection.map_window(window).expect("request");
        self.sync();
    }

    pub fn unmap(&self, window: Window) {
        self.connection.unmap_window(window).expect("request");
        self.sync();
    }

    fn message(&self, to: Window, mask: EventMask, about: Window, kind: u32, data: [u32; 5]) {
        let event = ClientMessageEvent::new(32, about, kind, data);
        self.connection.send_event(false, to, mask, event).expect("request");
        self.sync();
    }

    fn tell_manager(&self, about: Window, kind: u32, data: [u32; 5]) {
        let mask = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        self.message(self.root, mask, about, kind, data);
    }

    /// Asks the window to close, as the cross in its title bar does.
    pub fn close(&self, window: Window) {
        let data = [self.atoms.WM_DELETE_WINDOW, 0, 0, 0, 0];
        self.message(window, EventMask::NO_EVENT, window, self.atoms.WM_PROTOCOLS, data);
    }

    /// Asks the window manager to minimise the window.
    pub fn iconify(&self, window: Window) {
        self.tell_manager(window, self.atoms.WM_CHANGE_STATE, [ICONIC_STATE, 0, 0, 0, 0]);
    }

    /// Asks the window manager to show and focus the window.
    pub fn activate(&self, window: Window) {
        self.tell_manager(window, self.atoms._NET_ACTIVE_WINDOW, [2, 0, 0, 0, 0]);
    }

    /// Asks the window manager for fullscreen or back.
    pub fn set_fullscreen(&self, window: Window, on: bool) {
        let data = [u32::from(on), self.atoms._NET_WM_STATE_FULLSCREEN, 0, 1, 0];
        self.tell_manager(window, self.atoms._NET_WM_STATE, data);
    }

    /// Whether the window manager has marked the window as fullscreen.
    pub fn is_fullscreen(&self, window: Window) -> bool {
        self.property_u32(window, self.atoms._NET_WM_STATE).contains(&self.atoms._NET_WM_STATE_FULLSCREEN)
    }

    /// One pixel of the window through the server (GetImage), as 0xRRGGBB. The mapped screen is cheaper; this is for
    /// servers whose screen is not mapped.
    pub fn image_pixel(&self, window: Window, x: i16, y: i16) -> u32 {
        let get =
            self.connection.get_image(ImageFormat::Z_PIXMAP, window, x, y, 1, 1, u32::MAX).expect("request");
        let data = get.reply().expect("a visible pixel").data;
        u32::from_le_bytes(data[..4].try_into().expect("32 bits per pixel")) & super::WHITE
    }
}
