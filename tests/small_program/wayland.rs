use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;

use wayland_client::backend::WaylandError;
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::{
    wl_buffer, wl_compositor, wl_keyboard, wl_registry, wl_seat, wl_shm, wl_shm_pool, wl_surface,
};
use wayland_client::{Connection, Dispatch, QueueHandle, WEnum, delegate_noop};
use wayland_protocols::xdg::shell::client::{xdg_surface, xdg_toplevel, xdg_wm_base};

use super::{NAP, Patch, SIZE, State};

/// A window whose buffer is drawn into while it is shown: nothing here is measured that could tear.
struct Client {
    state: State,
    configured: bool,
    keyboard: bool,
}

/// Until the compositor has gone.
pub fn run(state: State) {
    let connection = Connection::connect_to_env().expect("a compositor");
    let (globals, mut queue) = registry_queue_init::<Client>(&connection).expect("its globals");
    let handle = queue.handle();
    let compositor: wl_compositor::WlCompositor = globals.bind(&handle, 4..=4, ()).expect("wl_compositor");
    let shm: wl_shm::WlShm = globals.bind(&handle, 1..=1, ()).expect("wl_shm");
    let shell: xdg_wm_base::XdgWmBase = globals.bind(&handle, 1..=1, ()).expect("xdg_wm_base");
    let _seat: wl_seat::WlSeat = globals.bind(&handle, 1..=1, ()).expect("wl_seat");
    let (width, height) = SIZE;
    let file = tempfile::tempfile().expect("a file");
    file.set_len(u64::from(width * height * 4)).expect("room");
    let (width, height) = (width as i32, height as i32);
    let pool = shm.create_pool(file.as_fd(), width * height * 4, &handle, ());
    let format = wl_shm::Format::Xrgb8888;
    let buffer = pool.create_buffer(0, width, height, width * 4, format, &handle, ());
    let surface = compositor.create_surface(&handle, ());
    let window = shell.get_xdg_surface(&surface, &handle, ());
    window.get_toplevel(&handle, ()).set_title(format!("small {}", state.name()));
    surface.commit();
    let mut client = Client { state, configured: false, keyboard: false };
    let mut drawn: Option<Vec<Patch>> = None;
    loop {
        let patches = client.state.patches();
        if client.configured && drawn.as_ref() != Some(&patches) {
            file.write_all_at(&pixels(&patches), 0).expect("written");
            surface.attach(Some(&buffer), 0, 0);
            surface.damage_buffer(0, 0, width, height);
            surface.commit();
            drawn = Some(patches);
        }
        if queue.flush().is_err() {
            return;
        }
        if let Some(guard) = queue.prepare_read() {
            match guard.read() {
                Ok(_) => {}
                Err(WaylandError::Io(e)) if e.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
        if queue.dispatch_pending(&mut client).is_err() {
            return;
        }
        std::thread::sleep(NAP);
    }
}

fn pixels(patches: &[Patch]) -> Vec<u8> {
    let mut all = vec![0; (SIZE.0 * SIZE.1 * 4) as usize];
    for &[x, y, width, height] in patches {
        for y in y..y + height {
            let from = ((y * SIZE.0 + x) * 4) as usize;
            all[from..from + width as usize * 4].fill(0xff);
        }
    }
    all
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
            client.configured = true;
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
        if let wl_seat::Event::Capabilities { capabilities: WEnum::Value(has) } = event {
            // Keyboards come and go with those who observe; one that went says nothing any more.
            let there = has.contains(wl_seat::Capability::Keyboard);
            if there && !client.keyboard {
                seat.get_keyboard(handle, ());
            }
            client.keyboard = there;
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
        if let wl_keyboard::Event::Key { state: WEnum::Value(wl_keyboard::KeyState::Pressed), .. } = event {
            client.state.press();
        }
    }
}

impl Dispatch<wl_registry::WlRegistry, GlobalListContents> for Client {
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

delegate_noop!(Client: wl_compositor::WlCompositor);
delegate_noop!(Client: wl_shm_pool::WlShmPool);
delegate_noop!(Client: ignore wl_shm::WlShm);
delegate_noop!(Client: ignore wl_buffer::WlBuffer);
delegate_noop!(Client: ignore wl_surface::WlSurface);
delegate_noop!(Client: ignore xdg_toplevel::XdgToplevel);
