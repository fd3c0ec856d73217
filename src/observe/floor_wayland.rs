use std::io::Write as _;
use std::os::fd::AsFd as _;

use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::{
    wl_buffer, wl_compositor, wl_keyboard, wl_pointer, wl_registry, wl_seat, wl_shm, wl_shm_pool, wl_surface,
};
use wayland_client::{Connection, Dispatch, QueueHandle, WEnum, delegate_noop};
use wayland_protocols::xdg::shell::client::{xdg_surface, xdg_toplevel, xdg_wm_base};

use super::error::{Error, Result};
use super::key::Key;

const BYTES_PER_PIXEL: usize = 4;

/// The quickest honest answer to a key or button on Wayland: a window in shared memory that commits its other buffer,
/// white and black in turn, at once and without waiting for a frame. What is measured of it is what the method itself
/// costs, with the compositor's own part: the next refresh, and being seen. To be run as a process of its own, with
/// WAYLAND_DISPLAY set. Returns when Esc is pressed or the window is closed.
///
/// # Errors
/// When there is no compositor, it lacks what every desktop has, or it ends.
pub fn floor_client_wayland((width, height): (u16, u16)) -> Result<()> {
    let connect = |source: wayland_client::ConnectError| Error::Connect {
        server: "the compositor that WAYLAND_DISPLAY names".into(),
        source: source.into(),
    };
    let connection = Connection::connect_to_env().map_err(connect)?;
    let (globals, mut queue) = registry_queue_init::<Client>(&connection).map_err(Error::wayland)?;
    let handle = queue.handle();
    let lacks = |what| move |_| Error::Lacks { server: "the compositor".into(), what };
    let compositor: wl_compositor::WlCompositor =
        globals.bind(&handle, 4..=4, ()).map_err(lacks("wl_compositor 4"))?;
    let shm: wl_shm::WlShm = globals.bind(&handle, 1..=1, ()).map_err(lacks("shared memory (wl_shm)"))?;
    let shell: xdg_wm_base::XdgWmBase = globals.bind(&handle, 1..=1, ()).map_err(lacks("xdg_wm_base"))?;
    let _seat: wl_seat::WlSeat = globals.bind(&handle, 1..=1, ()).map_err(lacks("seat"))?;

    let size = usize::from(width) * usize::from(height) * BYTES_PER_PIXEL;
    // Only sizes that no screen has do not fit.
    let both = size.checked_mul(2).and_then(|both| i32::try_from(both).ok());
    let both =
        both.ok_or_else(|| Error::Lacks { server: "the compositor".into(), what: "window of that size" })?;
    let (half, width, height) = (both / 2, i32::from(width), i32::from(height));
    let mut file = tempfile::tempfile().map_err(Error::io("a file for the window"))?;
    let written = file.write_all(&vec![0; size]).and_then(|()| file.write_all(&vec![0xff; size]));
    written.map_err(Error::io("a file for the window"))?;
    let pool = shm.create_pool(file.as_fd(), both, &handle, ());
    let buffer = |from| {
        let stride = width * BYTES_PER_PIXEL as i32;
        pool.create_buffer(from, width, height, stride, wl_shm::Format::Xrgb8888, &handle, ())
    };
    let surface = compositor.create_surface(&handle, ());
    let window = shell.get_xdg_surface(&surface, &handle, ());
    let toplevel = window.get_toplevel(&handle, ());
    toplevel.set_title("floor".into());
    surface.commit();
    let mut client = Client {
        surface,
        buffers: [buffer(0), buffer(half)],
        white: false,
        shown: false,
        keyboard: false,
        pointer: false,
        ended: false,
    };
    while !client.ended {
        queue.blocking_dispatch(&mut client).map_err(Error::wayland)?;
    }
    Ok(())
}

struct Client {
    surface: wl_surface::WlSurface,
    buffers: [wl_buffer::WlBuffer; 2],
    white: bool,
    shown: bool,
    keyboard: bool,
    pointer: bool,
    ended: bool,
}

impl Client {
    fn turn(&mut self) {
        self.white = !self.white;
        self.show();
    }

    fn show(&self) {
        self.surface.attach(Some(&self.buffers[usize::from(self.white)]), 0, 0);
        self.surface.damage_buffer(0, 0, i32::MAX, i32::MAX);
        self.surface.commit();
    }
}

impl Dispatch<xdg_surface::XdgSurface, ()> for Client {
    fn event(
        client: &mut Self,
        window: &xdg_surface::XdgSurface,
        event: xdg_surface::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_surface::Event::Configure { serial } = event {
            window.ack_configure(serial);
            // The size stays that of the buffers, whatever was wished for.
            if client.shown {
                client.surface.commit();
            } else {
                client.shown = true;
                client.show();
            }
        }
    }
}

impl Dispatch<xdg_toplevel::XdgToplevel, ()> for Client {
    fn event(
        client: &mut Self,
        _: &xdg_toplevel::XdgToplevel,
        event: xdg_toplevel::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        client.ended |= matches!(event, xdg_toplevel::Event::Close);
    }
}

impl Dispatch<xdg_wm_base::XdgWmBase, ()> for Client {
    fn event(
        _: &mut Self,
        shell: &xdg_wm_base::XdgWmBase,
        event: xdg_wm_base::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_wm_base::Event::Ping { serial } = event {
            shell.pong(serial);
        }
    }
}

impl Dispatch<wl_seat::WlSeat, ()> for Client {
    fn event(
        client: &mut Self,
        seat: &wl_seat::WlSeat,
        event: wl_seat::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        // What a seat has is told again when it changes; with two objects each press would come twice.
        if let wl_seat::Event::Capabilities { capabilities: WEnum::Value(has) } = event {
            if has.contains(wl_seat::Capability::Keyboard) && !client.keyboard {
                client.keyboard = true;
                seat.get_keyboard(handle, ());
            }
            if has.contains(wl_seat::Capability::Pointer) && !client.pointer {
                client.pointer = true;
                seat.get_pointer(handle, ());
            }
        }
    }
}

impl Dispatch<wl_keyboard::WlKeyboard, ()> for Client {
    fn event(
        client: &mut Self,
        _: &wl_keyboard::WlKeyboard,
        event: wl_keyboard::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let pressed = WEnum::Value(wl_keyboard::KeyState::Pressed);
        match event {
            wl_keyboard::Event::Key { key, state, .. } if state == pressed && key == Key::Esc.evdev() => {
                client.ended = true;
            }
            wl_keyboard::Event::Key { state, .. } if state == pressed => client.turn(),
            _ => {}
        }
    }
}

impl Dispatch<wl_pointer::WlPointer, ()> for Client {
    fn event(
        client: &mut Self,
        _: &wl_pointer::WlPointer,
        event: wl_pointer::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wl_pointer::Event::Button { state: WEnum::Value(wl_pointer::ButtonState::Pressed), .. } = event
        {
            client.turn();
        }
    }
}

ignore_registry!(Client);

delegate_noop!(Client: wl_compositor::WlCompositor);
delegate_noop!(Client: wl_shm_pool::WlShmPool);
delegate_noop!(Client: ignore wl_shm::WlShm);
delegate_noop!(Client: ignore wl_buffer::WlBuffer);
delegate_noop!(Client: ignore wl_surface::WlSurface);
