//! The least window manager that fullscreen, minimising and focus need (ICCCM and a little EWMH): no frames, no
//! decorations, one thread. A real one would bring its own animations, placements and versions into the tests.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use scanout::observe;
use x11rb::connection::Connection as _;
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _,
    CreateWindowAux, EventMask, InputFocus, PropMode, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::x11::{Atoms, ICONIC_STATE, NORMAL_STATE, X11};

/// A running window manager; dropping it ends its thread.
pub struct WindowManager {
    shared: Arc<Shared>,
    check: Window,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    connection: RustConnection,
    root: Window,
    atoms: Atoms,
}

impl WindowManager {
    pub fn start(display: &str) -> Self {
        let X11 { user: observe::X11 { connection, root, .. }, atoms } = X11::connect(display);
        let shared = Arc::new(Shared { connection, root, atoms });
        let check = shared.announce().expect("to become the window manager");
        let manager = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("test-wm".into())
            .spawn(move || manager.serve(check))
            .expect("a thread");
        Self { shared, check, thread: Some(thread) }
    }
}

impl Drop for WindowManager {
    fn drop(&mut self) {
        let stop = ClientMessageEvent::new(32, self.check, self.shared.atoms._SCANOUT_TEST_STOP, [0; 5]);
        // When the server is gone the thread has noticed it by itself.
        let _ = self.shared.connection.send_event(false, self.check, EventMask::NO_EVENT, stop);
        let _ = self.shared.connection.flush();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn announce(&self) -> Result<Window, ReplyOrIdError> {
        let (c, a) = (&self.connection, &self.atoms);
        let mask = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        c.change_window_attributes(self.root, &ChangeWindowAttributesAux::new().event_mask(mask))?.check()?;
        let check = c.generate_id()?;
        let aux = CreateWindowAux::new().override_redirect(1);
        c.create_window(0, check, self.root, -9, -9, 1, 1, 0, WindowClass::INPUT_ONLY, 0, &aux)?;
        c.change_property8(PropMode::REPLACE, check, a._NET_WM_NAME, a.UTF8_STRING, b"scanout test")?;
        for window in [check, self.root] {
            let kind = AtomEnum::WINDOW;
            c.change_property32(PropMode::REPLACE, window, a._NET_SUPPORTING_WM_CHECK, kind, &[check])?;
        }
        let supported = [
            a._NET_SUPPORTED,
            a._NET_SUPPORTING_WM_CHECK,
            a._NET_ACTIVE_WINDOW,
            a._NET_WM_STATE,
            a._NET_WM_STATE_FULLSCREEN,
            a._NET_WM_STATE_HIDDEN,
        ];
        c.change_property32(PropMode::REPLACE, self.root, a._NET_SUPPORTED, AtomEnum::ATOM, &supported)?;
        c.sync()?;
        Ok(check)
    }

    fn serve(&self, check: Window) {
        let mut before_fullscreen = HashMap::new();
        // An error here means that the server is gone; a request about a window that has just closed comes back as
        // an `Event::Error`, which nobody needs.
        while let Ok(event) = self.connection.wait_for_event() {
            let done = match event {
                Event::MapRequest(e) => self.show(e.window),
                Event::ConfigureRequest(e) => {
                    let aux = ConfigureWindowAux::from_configure_request(&e);
                    self.connection.configure_window(e.window, &aux).map(drop).map_err(Into::into)
                }
                Event::ClientMessage(e) if e.window == check => return,
                Event::ClientMessage(e) => self.message(&e, &mut before_fullscreen),
                _ => Ok(()),
            };
            if done.is_err() || self.connection.flush().is_err() {
                return;
            }
        }
    }

    fn message(
        &self,
        event: &ClientMessageEvent,
        before_fullscreen: &mut HashMap<Window, ConfigureWindowAux>,
    ) -> Result<(), ReplyOrIdError> {
        let (window, data, a) = (event.window, event.data.as_data32(), &self.atoms);
        if event.type_ == a.WM_CHANGE_STATE && data[0] == ICONIC_STATE {
            self.set_states(window, ICONIC_STATE, &[a._NET_WM_STATE_HIDDEN])?;
            self.connection.unmap_window(window)?;
        } else if event.type_ == a._NET_ACTIVE_WINDOW {
            self.show(window)?;
        } else if event.type_ == a._NET_WM_STATE && data[1..3].contains(&a._NET_WM_STATE_FULLSCREEN) {
            let is = before_fullscreen.contains_key(&window);
            // 0 removes, 1 adds, 2 toggles.
            let wanted = data[0] == 1 || (data[0] == 2 && !is);
            if wanted && !is {
                before_fullscreen.insert(window, self.geometry(window)?);
                let screen = self.geometry(self.root)?;
                self.set_states(window, NORMAL_STATE, &[a._NET_WM_STATE_FULLSCREEN])?;
                self.connection.configure_window(window, &screen)?;
            } else if !wanted && let Some(before) = before_fullscreen.remove(&window) {
                self.set_states(window, NORMAL_STATE, &[])?;
                self.connection.configure_window(window, &before)?;
            }
        }
        Ok(())
    }

    fn geometry(&self, window: Window) -> Result<ConfigureWindowAux, ReplyOrIdError> {
        let g = self.connection.get_geometry(window)?.reply()?;
        let aux = ConfigureWindowAux::new().x(i32::from(g.x)).y(i32::from(g.y));
        Ok(aux.width(u32::from(g.width)).height(u32::from(g.height)))
    }

    fn show(&self, window: Window) -> Result<(), ReplyOrIdError> {
        let (c, a) = (&self.connection, &self.atoms);
        self.set_states(window, NORMAL_STATE, &[])?;
        c.map_window(window)?;
        c.set_input_focus(InputFocus::POINTER_ROOT, window, x11rb::CURRENT_TIME)?;
        c.change_property32(PropMode::REPLACE, self.root, a._NET_ACTIVE_WINDOW, AtomEnum::WINDOW, &[window])?;
        Ok(())
    }

    fn set_states(&self, window: Window, state: u32, net: &[u32]) -> Result<(), ReplyOrIdError> {
        let (c, a) = (&self.connection, &self.atoms);
        c.change_property32(PropMode::REPLACE, window, a.WM_STATE, a.WM_STATE, &[state, 0])?;
        c.change_property32(PropMode::REPLACE, window, a._NET_WM_STATE, AtomEnum::ATOM, net)?;
        Ok(())
    }
}
