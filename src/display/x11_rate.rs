//! The nominal refresh rate of the display that shows an X11 window, and word that it may be another one.

use x11rb::connection::{Connection, RequestConnection as _};
use x11rb::protocol::randr::{self, ConnectionExt as _, ModeInfo, NotifyMask};
use x11rb::protocol::xproto::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

/// Asks to be told when a display changes. Where the server does not know of displays nothing is ever told.
pub(super) fn listen(connection: &RustConnection, screen: usize) {
    let there = connection.extension_information(randr::X11_EXTENSION_NAME);
    if let (Ok(Some(_)), Some(screen)) = (there, connection.setup().roots.get(screen)) {
        // What an old server does not know of is never told.
        if let Ok(version) = connection.randr_query_version(1, 3) {
            version.discard_reply_and_errors();
        }
        let mask = NotifyMask::SCREEN_CHANGE | NotifyMask::CRTC_CHANGE;
        if let Ok(listening) = connection.randr_select_input(screen.root, mask) {
            listening.ignore_error();
        }
    }
}

/// The rate in Hz of the display that the middle of the window lies on; `None` where nobody says. Waits for four answers of the
/// server, one after the other.
pub(super) fn of(connection: &RustConnection, window: u32) -> Option<f64> {
    let is = connection.get_geometry(window).ok()?.reply().ok()?;
    let (x, y) = ((is.width / 2).cast_signed(), (is.height / 2).cast_signed());
    let middle = connection.translate_coordinates(window, is.root, x, y).ok()?.reply().ok()?;
    let (x, y) = (i32::from(middle.dst_x), i32::from(middle.dst_y));
    let all = connection.randr_get_screen_resources_current(is.root).ok()?.reply().ok()?;
    let time = all.config_timestamp;
    let asked: Vec<_> =
        all.crtcs.iter().filter_map(|&crtc| connection.randr_get_crtc_info(crtc, time).ok()).collect();
    let lit = asked.into_iter().filter_map(|lit| lit.reply().ok());
    lit.filter_map(|lit| {
        let hz = all.modes.iter().find(|mode| mode.id == lit.mode).and_then(rate)?;
        let (left, top) = (i32::from(lit.x), i32::from(lit.y));
        let across = left..left + i32::from(lit.width);
        let down = top..top + i32::from(lit.height);
        (across.contains(&x) && down.contains(&y)).then_some(hz)
    })
    .next()
}

/// Refreshes per second: pixels per second by pixels per refresh, those that are not shown among them.
fn rate(mode: &ModeInfo) -> Option<f64> {
    let pixels = f64::from(mode.htotal) * f64::from(mode.vtotal);
    let interlaced = if mode.mode_flags.contains(randr::ModeFlag::INTERLACE) { 2.0 } else { 1.0 };
    let doubled = if mode.mode_flags.contains(randr::ModeFlag::DOUBLE_SCAN) { 2.0 } else { 1.0 };
    let hz = f64::from(mode.dot_clock) / pixels * interlaced / doubled;
    (hz.is_finite() && hz >= 1.0).then_some(hz)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_modes_that_displays_have() {
        let mode = |dot_clock, htotal, vtotal| ModeInfo { dot_clock, htotal, vtotal, ..ModeInfo::default() };
        for (clock, across, down, hz) in [
            (148_500_000, 2_200, 1_125, 60.0),
            (148_352_000, 2_200, 1_125, 59.94),
            (594_000_000, 4_400, 2_250, 60.0),
        ] {
            let is = rate(&mode(clock, across, down)).expect("a rate");
            assert!((is - hz).abs() < 0.001, "{is}");
        }
        let interlaced =
            ModeInfo { mode_flags: randr::ModeFlag::INTERLACE, ..mode(74_250_000, 2_200, 1_125) };
        assert!((rate(&interlaced).expect("a rate") - 60.0).abs() < 0.001, "fields, not frames");
        // Xvfb's own.
        assert_eq!(rate(&mode(0, 0, 0)), None);
        assert_eq!(rate(&mode(1, 2_000, 2_000)), None);
    }
}
