use std::io::{ErrorKind, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use wayland_client::backend::WaylandError;
use wayland_client::globals::{GlobalList, GlobalListContents, registry_queue_init};
use wayland_client::protocol::{wl_keyboard, wl_pointer, wl_registry, wl_seat};
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, delegate_noop};
use wayland_protocols_misc::zwp_virtual_keyboard_v1::client::{
    zwp_virtual_keyboard_manager_v1::ZwpVirtualKeyboardManagerV1,
    zwp_virtual_keyboard_v1::ZwpVirtualKeyboardV1,
};
use wayland_protocols_wlr::virtual_pointer::v1::client::{
    zwlr_virtual_pointer_manager_v1::ZwlrVirtualPointerManagerV1,
    zwlr_virtual_pointer_v1::ZwlrVirtualPointerV1,
};

use super::error::{Error, Result};
use super::input::Injector;
use super::key::Key;
use super::pause;
use super::sway::Sway;
use crate::time::{Clock as _, MonotonicClock};

/// The compositor compiles it with the system's XKB rules.
const KEYMAP: &str = "xkb_keymap {
    xkb_keycodes { include \"evdev+aliases(qwerty)\" };
    xkb_types { include \"complete\" };
    xkb_compat { include \"complete\" };
    xkb_symbols { include \"pc+us+inet(evdev)\" };
};
";

/// BTN_LEFT of linux/input-event-codes.h.
const LEFT_BUTTON: u32 = 0x110;

/// A keyboard and a pointer that exist only in the compositor (virtual-keyboard-v1, wlr-virtual-pointer-v1). Make them
/// before the program starts, so that the seat has both from its first moment.
#[derive(Debug)]
pub struct VirtualInput {
    queue: EventQueue<State>,
    keyboard: ZwpVirtualKeyboardV1,
    pointer: ZwlrVirtualPointerV1,
    extent: (u32, u32),
}

#[derive(Debug)]
struct State;

ignore_registry!(State);
delegate_noop!(State: ignore wl_seat::WlSeat);
delegate_noop!(State: ZwpVirtualKeyboardManagerV1);
delegate_noop!(State: ZwpVirtualKeyboardV1);
delegate_noop!(State: ZwlrVirtualPointerManagerV1);
delegate_noop!(State: ZwlrVirtualPointerV1);

impl VirtualInput {
    /// For a compositor whose only output has `extent` pixels.
    ///
    /// # Errors
    /// When the compositor is gone, or has no such protocols.
    pub fn connect(sway: &Sway, extent: (u32, u32)) -> Result<Self> {
        Self::connect_to(&sway.socket(), extent)
    }

    /// The same by the compositor's socket.
    ///
    /// # Errors
    /// When no compositor answers there, or it has no such protocols.
    pub fn connect_to(socket: &Path, extent: (u32, u32)) -> Result<Self> {
        let (globals, mut queue) = registry::<State>(socket)?;
        let handle = queue.handle();
        let lacks = |what| Error::Lacks { server: "the compositor".into(), what };
        let seat: wl_seat::WlSeat = globals.bind(&handle, 1..=7, ()).map_err(|_| lacks("seat"))?;
        let keyboards: ZwpVirtualKeyboardManagerV1 =
            globals.bind(&handle, 1..=1, ()).map_err(|_| lacks("virtual-keyboard-v1"))?;
        let pointers: ZwlrVirtualPointerManagerV1 =
            globals.bind(&handle, 1..=2, ()).map_err(|_| lacks("wlr-virtual-pointer-v1"))?;
        let keyboard = keyboards.create_virtual_keyboard(&seat, &handle, ());
        let mut keymap = tempfile::tempfile().map_err(Error::io("a file for the keymap"))?;
        // The size counts the closing zero byte.
        let written = keymap.write_all(KEYMAP.as_bytes()).and_then(|()| keymap.write_all(&[0]));
        written.map_err(Error::io("a file for the keymap"))?;
        let size = KEYMAP.len() as u32 + 1;
        keyboard.keymap(wl_keyboard::KeymapFormat::XkbV1.into(), keymap.as_fd(), size);
        let pointer = pointers.create_virtual_pointer(Some(&seat), &handle, ());
        queue.roundtrip(&mut State).map_err(Error::wayland)?;
        Ok(Self { queue, keyboard, pointer, extent })
    }

    fn time() -> u32 {
        // Milliseconds that wrap after 49 days.
        (MonotonicClock.now().as_nanos() / 1_000_000) as u32
    }

    fn flush(&self) -> Result<()> {
        flush(&self.queue)
    }

    /// Presses a key or lets it go.
    ///
    /// # Errors
    /// When the compositor is gone; so for the others.
    pub fn key(&self, key: Key, down: bool) -> Result<()> {
        self.keyboard.key(Self::time(), key.evdev(), u32::from(down));
        self.flush()
    }

    /// Presses the left button, or lets it go.
    ///
    /// # Errors
    /// When the compositor is gone.
    pub fn button(&self, down: bool) -> Result<()> {
        let state = if down { wl_pointer::ButtonState::Pressed } else { wl_pointer::ButtonState::Released };
        self.pointer.button(Self::time(), LEFT_BUTTON, state);
        self.pointer.frame();
        self.flush()
    }

    /// Moves the pointer to (x, y) on the output.
    ///
    /// # Errors
    /// When the compositor is gone.
    pub fn point(&self, x: u32, y: u32) -> Result<()> {
        self.pointer.motion_absolute(Self::time(), x, y, self.extent.0, self.extent.1);
        self.pointer.frame();
        self.flush()
    }

    /// Waits until the compositor has taken in all of it.
    ///
    /// # Errors
    /// When the compositor is gone.
    pub fn sync(&mut self) -> Result<()> {
        self.queue.roundtrip(&mut State).map(drop).map_err(Error::wayland)
    }
}

impl Injector for VirtualInput {
    fn name(&self) -> &'static str {
        "virtual keyboard and pointer"
    }

    fn key(&mut self, key: Key, down: bool) -> Result<()> {
        Self::key(self, key, down)
    }

    fn button(&mut self, down: bool) -> Result<()> {
        Self::button(self, down)
    }

    fn point(&mut self, x: u32, y: u32) -> Result<()> {
        Self::point(self, x, y)
    }

    fn sync(&mut self) -> Result<()> {
        Self::sync(self)
    }
}

/// For how long a compositor may not read what is sent to it before it counts as gone.
const UNREAD: Duration = Duration::from_secs(2);
/// Between two attempts at a socket that is full.
const TRY_EVERY: Duration = Duration::from_micros(200);

/// Sends what was asked for. A compositor that has too much to do lets its socket fill up, which is no error of its own.
pub(super) fn flush<S>(queue: &EventQueue<S>) -> Result<()> {
    let end = MonotonicClock.now() + UNREAD;
    loop {
        match queue.flush() {
            Err(WaylandError::Io(e)) if e.kind() == ErrorKind::WouldBlock && MonotonicClock.now() < end => {
                pause(TRY_EVERY);
            }
            outcome => return outcome.map_err(Error::wayland),
        }
    }
}

/// Takes in what has come, without a request and without waiting.
pub(super) fn take_in<S>(queue: &mut EventQueue<S>, state: &mut S) -> Result<()> {
    if let Some(guard) = queue.prepare_read() {
        match guard.read() {
            Ok(_) => {}
            Err(WaylandError::Io(e)) if e.kind() == ErrorKind::WouldBlock => {}
            Err(e) => return Err(Error::wayland(e)),
        }
    }
    queue.dispatch_pending(state).map_err(Error::wayland)?;
    Ok(())
}

/// A connection to the compositor at `socket`, with what it offers.
pub(super) fn registry<S>(socket: &Path) -> Result<(GlobalList, EventQueue<S>)>
where
    S: Dispatch<wl_registry::WlRegistry, GlobalListContents> + 'static,
{
    let server = || format!("the compositor at {}", socket.display());
    let stream = UnixStream::connect(socket);
    let stream = stream.map_err(|source| Error::Connect { server: server(), source: source.into() })?;
    let connection = Connection::from_socket(stream).map_err(Error::wayland)?;
    registry_queue_init(&connection).map_err(Error::wayland)
}
