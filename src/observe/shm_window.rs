use std::collections::VecDeque;
use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;

use wayland_client::backend::WaylandError;
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::{
    wl_buffer, wl_compositor, wl_keyboard, wl_pointer, wl_registry, wl_seat, wl_shm, wl_shm_pool, wl_surface,
};
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, WEnum, delegate_noop};
use wayland_protocols::xdg::shell::client::{xdg_surface, xdg_toplevel, xdg_wm_base};

use super::error::{Error, Result};

/// Of the format that every compositor takes: blue, green, red, unused.
const BYTES_PER_PIXEL: usize = 4;

/// A window on Wayland that shows one of some pictures in shared memory: the least that a client can do. It is what programs
/// are made of by which the ways of observing are tried out, and whose floor is measured.
#[derive(Debug)]
pub struct ShmWindow {
    queue: EventQueue<Client>,
    client: Client,
    file: File,
    bytes: usize,
}

/// What a user has done to a [`ShmWindow`].
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum UserAct {
    /// A key was pressed: its code in the kernel.
    Key(u32),
    /// A button was pressed.
    Button,
    /// The window is to be closed.
    Close,
}

impl ShmWindow {
    /// Opens one on the compositor that WAYLAND_DISPLAY names, with so many black pictures of this many pixels. It is shown with
    /// the first [`show`](Self::show).
    ///
    /// # Errors
    /// When there is no compositor, it lacks what every desktop has, or no screen is so large.
    pub fn open(title: &str, (width, height): (u16, u16), pictures: u8) -> Result<Self> {
        let connect = |source: wayland_client::ConnectError| Error::Connect {
            server: "the compositor that WAYLAND_DISPLAY names".into(),
            source: source.into(),
        };
        let connection = Connection::connect_to_env().map_err(connect)?;
        let (globals, queue) = registry_queue_init::<Client>(&connection).map_err(Error::wayland)?;
        let handle = queue.handle();
        let lacks = |what| move |_| Error::Lacks { server: "the compositor".into(), what };
        let compositor: wl_compositor::WlCompositor =
            globals.bind(&handle, 4..=4, ()).map_err(lacks("wl_compositor 4"))?;
        let shm: wl_shm::WlShm = globals.bind(&handle, 1..=1, ()).map_err(lacks("shared memory (wl_shm)"))?;
        let shell: xdg_wm_base::XdgWmBase = globals.bind(&handle, 1..=1, ()).map_err(lacks("xdg_wm_base"))?;
        let _seat: wl_seat::WlSeat = globals.bind(&handle, 1..=1, ()).map_err(lacks("seat"))?;

        let bytes = usize::from(width) * usize::from(height) * BYTES_PER_PIXEL;
        // Only sizes that no screen has do not fit.
        let all = bytes.checked_mul(pictures.into()).and_then(|all| i32::try_from(all).ok());
        let all =
            all.ok_or_else(|| Error::Lacks { server: "the compositor".into(), what: "window of that size" })?;
        let file = tempfile::tempfile().map_err(Error::io(PICTURES))?;
        file.set_len(u64::from(all.cast_unsigned())).map_err(Error::io(PICTURES))?;
        let pool = shm.create_pool(file.as_fd(), all, &handle, ());
        let (one, width, height) = (all / i32::from(pictures.max(1)), i32::from(width), i32::from(height));
        let buffer = |n: u8| {
            let stride = width * BYTES_PER_PIXEL as i32;
            let format = wl_shm::Format::Xrgb8888;
            pool.create_buffer(i32::from(n) * one, width, height, stride, format, &handle, ())
        };
        let surface = compositor.create_surface(&handle, ());
        let window = shell.get_xdg_surface(&surface, &handle, ());
        window.get_toplevel(&handle, ()).set_title(title.into());
        surface.commit();
        let buffers = (0..pictures).map(buffer).collect();
        let client = Client {
            surface,
            buffers,
            picture: None,
            configured: false,
            keyboard: false,
            pointer: false,
            acts: VecDeque::new(),
        };
        Ok(Self { queue, client, file, bytes })
    }

    /// Draws a picture anew, as rows of four bytes per pixel (blue, green, red, unused). One that is shown may tear.
    ///
    /// # Errors
    /// When the system takes no more.
    ///
    /// # Panics
    /// When there is no such picture, or it has another size.
    pub fn write(&self, picture: usize, bytes: &[u8]) -> Result<()> {
        assert!(picture < self.client.buffers.len() && bytes.len() == self.bytes, "no such picture");
        self.file.write_all_at(bytes, (picture * self.bytes) as u64).map_err(Error::io(PICTURES))
    }

    /// Shows a picture from now on. It is sent with the next wait, or once the window is there.
    ///
    /// # Panics
    /// When there is no such picture.
    pub fn show(&mut self, picture: usize) {
        assert!(picture < self.client.buffers.len(), "no such picture");
        self.client.picture = Some(picture);
        if self.client.configured {
            self.client.commit();
        }
    }

    /// Waits for the user.
    ///
    /// # Errors
    /// When the compositor is gone.
    pub fn wait(&mut self) -> Result<UserAct> {
        loop {
            if let Some(act) = self.client.acts.pop_front() {
                return Ok(act);
            }
            self.queue.blocking_dispatch(&mut self.client).map_err(Error::wayland)?;
        }
    }

    /// What the user has done, if anything. Returns at once.
    ///
    /// # Errors
    /// When the compositor is gone.
    pub fn poll(&mut self) -> Result<Option<UserAct>> {
        self.queue.flush().map_err(Error::wayland)?;
        if let Some(guard) = self.queue.prepare_read() {
            match guard.read() {
                Ok(_) => {}
                Err(WaylandError::Io(e)) if e.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(e) => return Err(Error::wayland(e)),
            }
        }
        self.queue.dispatch_pending(&mut self.client).map_err(Error::wayland)?;
        Ok(self.client.acts.pop_front())
    }
}

const PICTURES: &str = "a file for the window";

#[derive(Debug)]
struct Client {
    surface: wl_surface::WlSurface,
    buffers: Vec<wl_buffer::WlBuffer>,
    picture: Option<usize>,
    configured: bool,
    keyboard: bool,
    pointer: bool,
    acts: VecDeque<UserAct>,
}

impl Client {
    fn commit(&self) {
        if let Some(picture) = self.picture {
            self.surface.attach(Some(&self.buffers[picture]), 0, 0);
            self.surface.damage_buffer(0, 0, i32::MAX, i32::MAX);
        }
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
            // The size stays that of the pictures, whatever was wished for.
            if client.configured {
                client.surface.commit();
            } else {
                client.configured = true;
                client.commit();
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
        if matches!(event, xdg_toplevel::Event::Close) {
            client.acts.push_back(UserAct::Close);
        }
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
        // What a seat has is told again when it changes; with two objects each press would come twice. Devices come and go
        // with those who observe; one that went says nothing any more.
        if let wl_seat::Event::Capabilities { capabilities: WEnum::Value(has) } = event {
            let keyboard = has.contains(wl_seat::Capability::Keyboard);
            if keyboard && !client.keyboard {
                seat.get_keyboard(handle, ());
            }
            let pointer = has.contains(wl_seat::Capability::Pointer);
            if pointer && !client.pointer {
                seat.get_pointer(handle, ());
            }
            (client.keyboard, client.pointer) = (keyboard, pointer);
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
        if let wl_keyboard::Event::Key { key, state, .. } = event
            && state == pressed
        {
            client.acts.push_back(UserAct::Key(key));
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
            client.acts.push_back(UserAct::Button);
        }
    }
}

ignore_registry!(Client);

delegate_noop!(Client: wl_compositor::WlCompositor);
delegate_noop!(Client: wl_shm_pool::WlShmPool);
delegate_noop!(Client: ignore wl_shm::WlShm);
delegate_noop!(Client: ignore wl_buffer::WlBuffer);
delegate_noop!(Client: ignore wl_surface::WlSurface);
