use super::error::Result;
use super::key::Key;
use super::shm_window::{ShmWindow, UserAct};

/// The quickest honest answer to a key or button on Wayland: a window in shared memory that commits its other buffer,
/// white and black in turn, at once and without waiting for a frame. What is measured of it is what the method itself
/// costs, with the compositor's own part: the next refresh, and being seen. To be run as a process of its own, with
/// WAYLAND_DISPLAY set. Returns when Esc is pressed or the window is closed.
///
/// # Errors
/// When there is no compositor, it lacks what every desktop has, or it ends.
pub fn floor_client_wayland((width, height): (u16, u16)) -> Result<()> {
    let mut window = ShmWindow::open("floor", (width, height), 2)?;
    window.write(1, &vec![0xff; usize::from(width) * usize::from(height) * 4])?;
    let mut white = false;
    loop {
        window.show(usize::from(white));
        match window.wait()? {
            UserAct::Close => return Ok(()),
            UserAct::Key(key) if key == Key::Esc.evdev() => return Ok(()),
            UserAct::Key(_) | UserAct::Button => white = !white,
        }
    }
}
