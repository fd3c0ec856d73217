//! A second X11 client that plays the user and, where there is no window manager, its part too. What fails is a panic.

use std::ops::Deref;
use std::time::Duration;

pub use scanout::observe::Area;
use scanout::observe::{self, Key};
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, EventMask, Window,
};

use super::app::App;

x11rb::atom_manager! {
    /// The names that window managers and clients agree on (ICCCM, EWMH).
    pub Atoms: AtomsCookie {
        WM_PROTOCOLS,
        WM_DELETE_WINDOW,
        WM_CHANGE_STATE,
        WM_STATE,
        UTF8_STRING,
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

pub struct X11 {
    pub user: observe::X11,
    pub atoms: Atoms,
}

impl Deref for X11 {
    type Target = observe::X11;

    fn deref(&self) -> &Self::Target {
        &self.user
    }
}

#[track_caller]
fn done<T>(outcome: observe::Result<T>) -> T {
    outcome.unwrap_or_else(|e| panic!("{e}"))
}

impl X11 {
    pub fn connect(display: &str) -> Self {
        let user = done(observe::X11::connect(display));
        done(user.check_injection());
        let atoms = Atoms::new(&user.connection).expect("request").reply().expect("atoms");
        Self { user, atoms }
    }

    #[track_caller]
    pub fn sync(&self) {
        done(self.user.sync());
    }

    #[track_caller]
    pub fn area(&self, window: Window) -> Area {
        done(self.user.area(window))
    }

    #[track_caller]
    pub fn key(&self, key: Key, down: bool) {
        done(self.user.key(key, down));
    }

    /// Presses and releases.
    pub fn tap(&self, key: Key) {
        self.key(key, true);
        self.key(key, false);
    }

    #[track_caller]
    pub fn button(&self, button: u8, down: bool) {
        done(self.user.button(button, down));
    }

    /// Presses and releases the left button.
    pub fn click(&self) {
        self.button(1, true);
        self.button(1, false);
    }

    #[track_caller]
    pub fn point(&self, x: u32, y: u32) {
        done(self.user.point(x, y));
    }

    #[track_caller]
    pub fn focus(&self, window: Window) {
        done(self.user.focus(window));
    }

    /// Waits for the window of `app` and gives it the keyboard; where none comes, why.
    pub fn focus_window_of(&self, app: &mut App, limit: Duration) -> Result<Window, String> {
        match app.poll_while_running(limit, |pid| self.window_of(pid, Duration::ZERO)) {
            Some(window) => {
                self.focus(window);
                Ok(window)
            }
            None => {
                let said = app.stderr();
                let said = said.lines().next().unwrap_or("nothing said");
                Err(if app.runs() { format!("no window: {said}") } else { format!("ended: {said}") })
            }
        }
    }

    #[track_caller]
    pub fn image_pixel(&self, window: Window, x: i16, y: i16) -> u32 {
        done(self.user.image_pixel(window, x, y))
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
}
