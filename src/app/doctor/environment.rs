//! Variables that change how drivers and this program behave, where they are set.

use super::line::{Group, Line, State};
use crate::app::environment::OURS;

/// What a variable does, and whether it is worth a warning.
const KNOWN: &[(&str, State, &str)] = &[
    ("vblank_mode", State::Note, "Mesa: 0 and 1 change what swap interval a program gets, 3 forces it"),
    (
        "MESA_GLTHREAD",
        State::Note,
        "Mesa: true moves calls to another thread; frames per second rise, latency often does too",
    ),
    (
        "mesa_glthread",
        State::Note,
        "Mesa: true moves calls to another thread; frames per second rise, latency often does too",
    ),
    ("LIBGL_ALWAYS_SOFTWARE", State::Problem, "Mesa: the processor draws although there may be a GPU"),
    ("GALLIUM_DRIVER", State::Note, "Mesa: names the driver"),
    ("MESA_LOADER_DRIVER_OVERRIDE", State::Note, "Mesa: names the driver"),
    ("LIBGL_ALWAYS_INDIRECT", State::Problem, "Mesa: OpenGL 1.4 through the X server"),
    ("LIBGL_DRI3_DISABLE", State::Note, "Mesa: the older way to the screen, with another queue"),
    ("LP_NUM_THREADS", State::Note, "llvmpipe: the threads that draw"),
    ("GALLIUM_NOOP", State::Problem, "Mesa: nothing is drawn at all"),
    ("__GL_MaxFramesAllowed", State::Note, "NVIDIA: frames that the driver queues"),
    ("__GL_SYNC_TO_VBLANK", State::Note, "NVIDIA: 0 and 1 overrule the swap interval"),
    ("__GL_YIELD", State::Note, "NVIDIA: how a swap waits"),
    ("__GL_THREADED_OPTIMIZATIONS", State::Note, "NVIDIA: moves calls to another thread"),
    ("DRI_PRIME", State::Note, "another GPU than the display's draws: each frame is copied"),
    ("PROTON_HIDE_NVIDIA_GPU", State::Note, "changes which GPU programs see"),
    ("MANGOHUD", State::Note, "an overlay draws into every frame"),
    ("ENABLE_VKBASALT", State::Note, "a layer changes every frame"),
];

pub fn lines(out: &mut Vec<Line>) {
    let set: Vec<(String, String)> = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect();
    out.extend(lines_of(&set));
}

fn lines_of(set: &[(String, String)]) -> Vec<Line> {
    let line = |state, text: String| Line::new(Group::Machine, "environment", "environment", state, text);
    // An empty one, and a switch that is off, does nothing.
    let on = |value: &str| !value.is_empty();
    let mut lines: Vec<Line> = Vec::new();
    for (name, value) in set.iter().filter(|(_, value)| on(value)) {
        if let Some((_, state, what)) = KNOWN.iter().find(|(known, ..)| known == name) {
            let off = *state == State::Problem && ["0", "false", "no"].contains(&value.as_str());
            let state = if off { State::Note } else { *state };
            lines.push(line(state, format!("{name}={} is set: {what}", short(value))));
        } else if OURS.contains(&name.as_str()) {
            lines.push(line(State::Note, format!("{name}={} is set: it changes this program", short(value))));
        } else if name.starts_with("SCANOUT_") {
            let ours = OURS.join(" and ");
            let text = format!("{name}={} is set and does nothing: this program has {ours}", short(value));
            lines.push(line(State::Note, text));
        }
    }
    if lines.is_empty() {
        lines.push(line(State::Ok, "no variable that is known to change drivers is set".into()));
    }
    lines
}

/// The beginning of a value, without what a terminal would obey.
fn short(value: &str) -> String {
    let printable: String = value.chars().filter(|c| !c.is_control()).take(40).collect();
    if printable.chars().count() < value.chars().count() { format!("{printable}..") } else { printable }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(set: &[(&str, &str)]) -> Vec<(State, String)> {
        let set: Vec<_> = set.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        lines_of(&set).into_iter().map(|line| (line.state, line.text)).collect()
    }

    #[test]
    fn variables_that_change_drivers_are_told_and_others_are_not() {
        assert_eq!(told(&[("PATH", "/bin"), ("vblank_mode", "")])[0].0, State::Ok);
        let lines = told(&[("PATH", "/bin"), ("vblank_mode", "0"), ("SCANOUT_STREAM", "orphan")]);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].1.starts_with("vblank_mode=0 is set"), "{lines:?}");
        assert!(lines[1].1.starts_with("SCANOUT_STREAM=orphan is set"), "{lines:?}");
        assert!(lines[1].1.contains("changes this program"), "{lines:?}");
        assert!(told(&[("SCANOUT_STRAEM", "orphan")])[0].1.contains("does nothing"), "a slip");
        assert_eq!(told(&[("LIBGL_ALWAYS_SOFTWARE", "1")])[0].0, State::Problem);
        assert_eq!(told(&[("LIBGL_ALWAYS_SOFTWARE", "0")])[0].0, State::Note, "it is off");
    }

    #[test]
    fn values_are_cut_and_do_not_reach_the_terminal_as_they_are() {
        let long = "x".repeat(500);
        assert!(told(&[("SCANOUT_X", &long)])[0].1.len() < 160);
        assert!(!told(&[("SCANOUT_X", "a\x1b[31mb")])[0].1.contains('\x1b'));
    }
}
