use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, CreateGCAux, CreateWindowAux, EventMask, PropMode, Rectangle, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use super::error::Result;
use super::key::Key;
use super::x11::{Atoms, X11};

/// The quickest honest answer to a key or button: an X client whose window, in the upper left corner of `display`, is
/// filled by one request, white and black in turn. What is measured of it is what the method itself costs: injection,
/// server, wake-up of a client, and being seen. To be run as a process of its own. Returns when Esc is pressed or the
/// server is gone.
///
/// # Errors
/// When there is no server, or it refuses the window.
pub fn floor_client(display: &str, (width, height): (u16, u16)) -> Result<()> {
    let X11 { connection: c, root, .. } = X11::connect(display)?;
    let atoms = Atoms::new(&c)?.reply()?;
    let screen = &c.setup().roots[0];
    let (window, gc) = (c.generate_id()?, c.generate_id()?);
    let mask = EventMask::KEY_PRESS | EventMask::BUTTON_PRESS | EventMask::EXPOSURE;
    let aux = CreateWindowAux::new().background_pixel(screen.black_pixel).event_mask(mask);
    let class = WindowClass::INPUT_OUTPUT;
    c.create_window(0, window, root, 0, 0, width, height, 0, class, 0, &aux)?;
    let pid = [std::process::id()];
    c.change_property32(PropMode::REPLACE, window, atoms._NET_WM_PID, AtomEnum::CARDINAL, &pid)?;
    c.create_gc(gc, window, &CreateGCAux::new().foreground(screen.white_pixel))?;
    c.map_window(window)?;
    c.flush()?;
    let mut white = false;
    while let Ok(event) = c.wait_for_event() {
        match event {
            Event::KeyPress(e) if e.detail == Key::Esc.x11() => break,
            Event::KeyPress(_) | Event::ButtonPress(_) => {
                white = !white;
                if white {
                    c.poly_fill_rectangle(window, gc, &[Rectangle { x: 0, y: 0, width, height }])?;
                } else {
                    c.clear_area(false, window, 0, 0, 0, 0)?;
                }
                c.flush()?;
            }
            _ => {}
        }
    }
    Ok(())
}
