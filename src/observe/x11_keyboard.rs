//! Keys of an X server that are held down come again and again: answers to that are none to a press.

use std::time::Duration;

use x11rb::connection::RequestConnection as _;
use x11rb::protocol::xkb::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{AutoRepeatMode, ChangeKeyboardControlAux, ConnectionExt as _};

use super::error::Result;
use super::key::Key;
use super::x11::X11;

impl X11 {
    /// Turns that off for everybody on the server: for servers of one's own.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn stop_repeating(&self) -> Result<()> {
        let off = ChangeKeyboardControlAux::new().auto_repeat_mode(AutoRepeatMode::OFF);
        Ok(self.connection.change_keyboard_control(&off)?.check()?)
    }

    /// After how long a key that is held down comes for the second time; `None` where it does not, or the server does not
    /// say (XKB). Waits for up to four answers of the server.
    #[must_use]
    pub fn repeats_after(&self, key: Key) -> Option<Duration> {
        let control = self.connection.get_keyboard_control().ok()?.reply().ok()?;
        let (byte, bit) = (usize::from(key.x11() / 8), key.x11() % 8);
        let repeats = control.auto_repeats[byte] >> bit & 1 == 1;
        if control.global_auto_repeat != AutoRepeatMode::ON || !repeats {
            return None;
        }
        self.connection.extension_information(xkb::X11_EXTENSION_NAME).ok()??;
        let version = self.connection.xkb_use_extension(1, 0).ok()?.reply().ok()?;
        let core = xkb::ID::USE_CORE_KBD.into();
        let controls =
            version.supported.then(|| self.connection.xkb_get_controls(core).ok()?.reply().ok())??;
        Some(Duration::from_millis(controls.repeat_delay.into()))
    }
}
