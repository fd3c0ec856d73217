//! What draws, and to what.

use super::line::{Group, Line, State};
use super::phases::Measured;

pub fn lines(measured: &Measured, out: &mut Vec<Line>) {
    let target = &measured.summary.target;
    let text = format!("{} / {} / {}", target.vendor, target.renderer, target.version);
    let renderer = |state, text: String| Line::new(Group::Graphics, "renderer", "renderer", state, text);
    out.push(if target.software {
        let state = if measured.off_screen { State::Note } else { State::Problem };
        renderer(state, format!("{text}: a software rasteriser, the processor draws"))
            .advise(if cfg!(target_os = "linux") {
                "where there is a GPU: install its driver, see that /dev/dri is there and may be opened, and unset LIBGL_ALWAYS_SOFTWARE"
            } else {
                "where there is a GPU: install its maker's driver"
            })
    } else {
        renderer(State::Ok, text)
    });
    let surface = |state, text: &str| {
        Line::new(Group::Graphics, "surface", "surface", state, format!("{}: {text}", target.surface))
    };
    out.push(match target.surface.as_str() {
        "x11-glx" => surface(State::Ok, "a window on X11, through GLX"),
        "x11-egl" => surface(State::Note, "a window on X11, through EGL")
            .advise("GLX swaps faster on Mesa's software drivers; it was not to be had here"),
        "wayland-egl" => surface(State::Ok, "a window on Wayland, through EGL"),
        _ if measured.off_screen => surface(State::Note, "off screen, against a simulated display").advise(
            "run it where there is a display (or with --display window) to learn something about that",
        ),
        _ => surface(State::Ok, "a window"),
    });
}
