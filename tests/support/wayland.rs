//! A keyboard and a pointer that exist only in the compositor (virtual-keyboard-v1, wlr-virtual-pointer-v1).
//! Make them before the program starts, so that the seat has both from its first moment.

use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::Instant;

use wayland_client::globals::{GlobalListContents, registry_queue_init};
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

use super::Key;
use super::sway::Sway;

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

pub struct VirtualInput {
    queue: EventQueue<State>,
    keyboard: ZwpVirtualKeyboardV1,
    pointer: ZwlrVirtualPointerV1,
    extent: (u32, u32),
    start: Instant,
}

struct State;

impl Dispatch<wl_registry::WlRegistry, GlobalListContents> for State {
    fn event(
        _: &mut Self,
        _: &wl_registry::WlRegistry,
        _: wl_registry::Event,
        _: &GlobalListContents,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}
delegate_noop!(State: ignore wl_seat::WlSeat);
delegate_noop!(State: ZwpVirtualKeyboardManagerV1);
delegate_noop!(State: ZwpVirtualKeyboardV1);
delegate_noop!(State: ZwlrVirtualPointerManagerV1);
delegate_noop!(State: ZwlrVirtualPointerV1);

impl VirtualInput {
    /// For a compositor whose only output has `extent` pixels.
    pub fn connect(sway: &Sway, extent: (u32, u32)) -> Self {
        let stream = UnixStream::connect(sway.socket()).expect("the compositor's socket");
        let connection = Connection::from_socket(stream).expect("a Wayland connection");
        let (globals, mut queue) = registry_queue_init::<State>(&connection).expect("the registry");
        let handle = queue.handle();
        let seat: wl_seat::WlSeat = globals.bind(&handle, 1..=7, ()).expect("a seat");
        let keyboards: ZwpVirtualKeyboardManagerV1 =
            globals.bind(&handle, 1..=1, ()).expect("virtual-keyboard-v1 in the compositor");
        let pointers: ZwlrVirtualPointerManagerV1 =
            globals.bind(&handle, 1..=2, ()).expect("wlr-virtual-pointer-v1 in the compositor");
        let keyboard = keyboards.create_virtual_keyboard(&seat, &handle, ());
        let mut keymap = tempfile::tempfile().expect("a temporary file");
        // The size counts the closing zero byte.
        keymap.write_all(KEYMAP.as_bytes()).and_then(|()| keymap.write_all(&[0])).expect("the keymap");
        let size = u32::try_from(KEYMAP.len() + 1).expect("a short keymap");
        keyboard.keymap(wl_keyboard::KeymapFormat::XkbV1.into(), keymap.as_fd(), size);
        let pointer = pointers.create_virtual_pointer(Some(&seat), &handle, ());
        queue.roundtrip(&mut State).expect("the compositor accepts both");
        Self { queue, keyboard, pointer, extent, start: Instant::now() }
    }

    fn time(&self) -> u32 {
        // Milliseconds that wrap after 49 days.
        self.start.elapsed().as_millis() as u32
    }

    fn flush(&self) {
        self.queue.flush().expect("a live compositor");
    }

    pub fn key(&self, key: Key, down: bool) {
        self.keyboard.key(self.time(), key.evdev(), u32::from(down));
        self.flush();
    }

    /// Presses and releases.
    pub fn tap(&self, key: Key) {
        self.key(key, true);
        self.key(key, false);
    }

    pub fn button(&self, down: bool) {
        let state = if down { wl_pointer::ButtonState::Pressed } else { wl_pointer::ButtonState::Released };
        self.pointer.button(self.time(), LEFT_BUTTON, state);
        self.pointer.frame();
        self.flush();
    }

    /// Presses and releases the left button.
    pub fn click(&self) {
        self.button(true);
        self.button(false);
    }

    /// Moves the pointer to (x, y) on the output.
    pub fn point(&self, x: u32, y: u32) {
        self.pointer.motion_absolute(self.time(), x, y, self.extent.0, self.extent.1);
        self.pointer.frame();
        self.flush();
    }

    /// Waits until the compositor has taken in all of it.
    pub fn sync(&mut self) {
        self.queue.roundtrip(&mut State).expect("a live compositor");
    }
}
