//! Programs on Wayland seen from outside: screencopy and virtual input, and `scanout photon` with them.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "looks with its own clock, from outside")]

#[path = "window_photon_wayland/fake.rs"]
mod fake;
#[path = "window_photon_wayland/photon.rs"]
mod photon;
mod small_program;

use std::time::Duration;

use scanout::observe::{
    self, BLACK, Key, Layout, Program, Screencopy, Sway, View, VirtualInput, WHITE, pause, poll_until,
};
use scanout::time::{Clock as _, MonotonicClock};

use fake::Compositor;
use photon::photon;
use small_program::Kind;

const SIZE: (u32, u32) = (1280, 720);
const LIMIT: Duration = Duration::from_secs(20);
const SCANOUT: &str = env!("CARGO_BIN_EXE_scanout");
/// Between two looks.
const LOOK: Duration = Duration::from_micros(200);

struct Headless {
    // Dropped in this order.
    view: Screencopy,
    user: VirtualInput,
    program: Program,
    _sway: Sway,
}

/// A scene of ours on a compositor without any display.
fn headless(scene: &str) -> Headless {
    let sway = Sway::start_headless(SIZE.0, SIZE.1, 60, Layout::Floating).unwrap();
    let user = VirtualInput::connect(&sway, SIZE).unwrap();
    let view = Screencopy::connect(&sway.socket()).unwrap();
    let arguments = ["run", "--display", "window", "--pacing", "immediate", "--scene", scene];
    let quiet = |command: &mut std::process::Command, _: &std::path::Path| {
        command.env("SCANOUT_SHADER_CACHE", "off");
    };
    let program = Program::start(SCANOUT, arguments, &sway.place(), quiet).unwrap();
    assert!(sway.window_of(program.id(), LIMIT).is_some(), "{}", program.stderr());
    Headless { view, user, program, _sway: sway }
}

fn pixels(view: &mut Screencopy, points: &[(u32, u32)]) -> Vec<u32> {
    let mut pixels = vec![0x12_34_56; points.len()];
    view.look(points, &mut pixels).unwrap();
    pixels
}

#[test]
fn screencopy_sees_what_a_key_changes_and_when_it_was_committed() {
    let Headless { mut view, user, mut program, _sway } = headless("flash");
    assert_eq!(view.size(), SIZE);
    let points = [(640, 4), (640, 360), (3, 716)];
    // The screen behind the window may be of another colour until the first frame is there.
    let black = poll_until(LIMIT, || pixels(&mut view, &points).iter().all(|&p| p == BLACK).then_some(()));
    assert!(black.is_some(), "{:x?} {}", pixels(&mut view, &points), program.stderr());
    pause(Duration::from_millis(500));
    // While nothing changes the compositor makes no copies, and with that no frames for us.
    let at_rest = pixels(&mut view, &points);
    let stamp = view.stamp();
    pause(Duration::from_millis(300));
    assert_eq!(pixels(&mut view, &points), at_rest);
    assert_eq!(view.stamp(), stamp, "a copy though nothing was drawn");
    for want in [WHITE, BLACK, WHITE] {
        let pressed = MonotonicClock.now();
        user.key(Key::Space, true).unwrap();
        let end = pressed + LIMIT;
        while pixels(&mut view, &points).iter().any(|&p| p != want) {
            assert!(MonotonicClock.now() < end, "{:x?}", pixels(&mut view, &points));
            pause(LOOK);
        }
        let (seen, stamp) = (MonotonicClock.now(), view.stamp().expect("a time from the compositor"));
        assert!(pressed < stamp && stamp <= seen, "{pressed:?} {stamp:?} {seen:?}");
        user.key(Key::Space, false).unwrap();
        pause(Duration::from_millis(100));
    }
    assert!(program.runs());
}

#[test]
fn screencopy_reads_rows_and_single_points_of_one_frame_alike() {
    let Headless { mut view, user, program: _program, _sway } = headless("drag");
    let row: Vec<(u32, u32)> = (0..SIZE.0).map(|x| (x, 100)).collect();
    for x in [300, 701] {
        user.point(x, 600).unwrap();
        let is_there = |view: &mut Screencopy| {
            let white: Vec<usize> =
                pixels(view, &row).iter().enumerate().filter(|(_, p)| **p == WHITE).map(|(x, _)| x).collect();
            white.len() == 16 && white[0] == x as usize - 8
        };
        assert!(poll_until(LIMIT, || is_there(&mut view).then_some(())).is_some(), "no mark at {x}");
        let marks = [(x, 700), (x - 12, 700)];
        let apart = poll_until(LIMIT, || (pixels(&mut view, &marks) == [WHITE, BLACK]).then_some(()));
        assert!(apart.is_some(), "{:x?}", pixels(&mut view, &marks));
    }
    // Nobody looks while the mark comes to two places; one look has the second.
    for x in [400, 900] {
        user.point(x, 600).unwrap();
        pause(Duration::from_millis(700));
    }
    let white = pixels(&mut view, &row).iter().position(|&p| p == WHITE);
    assert_eq!(white, Some(892), "an older picture than there is");
    assert!(matches!(view.look(&[SIZE], &mut [0]), Err(observe::Error::Outside { .. })));
}

#[test]
fn what_a_compositor_lacks_is_named() {
    let bare = Compositor::start(&[("wl_shm", 1), ("wl_output", 2), ("wl_seat", 7)]);
    let text = Screencopy::connect(bare.socket()).unwrap_err().to_string();
    assert_eq!(text, "the compositor has no screencopy (wlr-screencopy-v1, version 2)");
    let text = VirtualInput::connect_to(bare.socket(), SIZE).unwrap_err().to_string();
    assert_eq!(text, "the compositor has no virtual-keyboard-v1");
    // The first version copies without telling what is new.
    let old = Compositor::start(&[("zwlr_screencopy_manager_v1", 1), ("wl_shm", 1), ("wl_output", 2)]);
    assert!(Screencopy::connect(old.socket()).unwrap_err().to_string().contains("version 2"));
    let without_output = Compositor::start(&[("zwlr_screencopy_manager_v1", 3), ("wl_shm", 1)]);
    let text = Screencopy::connect(without_output.socket()).unwrap_err().to_string();
    assert_eq!(text, "the compositor has no output");
}

#[test]
fn screencopy_of_no_compositor_names_the_socket() {
    let text = Screencopy::connect("/nowhere/wayland-9".as_ref()).unwrap_err().to_string();
    assert!(text.starts_with("no connection to the compositor at /nowhere/wayland-9: "), "{text}");
}

/// A scene of ours, drawn at once.
fn ours(scene: &str) -> [&str; 8] {
    [SCANOUT, "run", "--quiet", "--display", "window", "--pacing=immediate", "--scene", scene]
}

#[test]
fn photon_times_presses_on_a_headless_compositor_by_its_own_stamps() {
    let ran = photon("--server sway-headless=120 --count 8", None, &ours("flash"));
    assert_eq!(ran.number("/first_ms/n") + ran.number("/clicks/lost"), 8.0);
    assert!(ran.number("/first_ms/p50") > 0.0 && ran.number("/all_ms/p50") >= ran.number("/first_ms/p50"));
    assert!(ran.stdout.contains("wlr-screencopy"), "{}", ran.stdout);
    // Each change carries the compositor's own time, and that is said.
    assert!(ran.number("/observer/behind_us/n") >= 8.0, "{:#}", ran.json);
    assert!(ran.stdout.contains("the compositor's stamp of its commit"), "{}", ran.stdout);
    // The floor is that of a Wayland client on a compositor of the same kind.
    assert!(ran.number("/floor/first_ms/n") > 0.0 && ran.number("/cpu/server") > 0.0);
    ran.assert_nothing_left();
}

#[test]
fn photon_times_presses_on_a_nested_compositor_in_its_framebuffer() {
    let ran = photon("--server sway-nested --count 8", None, &ours("flash"));
    assert_eq!(ran.number("/first_ms/n") + ran.number("/clicks/lost"), 8.0);
    assert!(ran.stdout.contains("mapped framebuffer"), "{}", ran.stdout);
    ran.assert_nothing_left();
}

#[test]
fn photon_sees_frames_and_a_dragged_mark_on_a_headless_compositor() {
    let ran = photon("--server sway-headless=60 --mode animation --seconds 2", None, &ours("flip"));
    assert!(ran.number("/animation/interval_ms/n") > 20.0, "{:#}", ran.json);
    let ran = photon("--server sway-headless=60 --mode drag --seconds 2", None, &ours("drag"));
    assert!(ran.number("/drag/lag_ms/n") > 20.0, "{:#}", ran.json);
    ran.assert_nothing_left();
}

/// Not a test: what this binary does when it is run as the small program.
#[test]
fn small_program_runs() {
    small_program::be();
}

fn small(arguments: &str, runtime_dir: Option<&std::path::Path>, kind: Kind) -> photon::Ran {
    let command = small_program::command(kind, "small_program_runs").map(|word| word.into_string().unwrap());
    photon(arguments, runtime_dir, &command.each_ref().map(String::as_str))
}

#[test]
fn photon_finds_few_pixels_by_screencopy_and_follows_them() {
    for (kind, follows) in [(Kind::Button, false), (Kind::Text, true)] {
        let ran = small("--server sway-headless=60 --count 10 --no-floor", None, kind);
        let seen = ran.number("/first_ms/n");
        assert_eq!(seen + ran.number("/clicks/lost") + ran.number("/clicks/unseen"), 10.0, "{:#}", ran.json);
        assert!(seen >= 8.0, "{:#}", ran.json);
        assert_eq!(ran.json["clicks"]["points_follow"], follows, "{:#}", ran.json);
        ran.assert_nothing_left();
    }
    let ran = small("--server sway-headless=60 --count 10 --no-floor", None, Kind::Ticking);
    ran.assert_refused("changes by itself, and the key space changes nothing that can be told");
}

#[test]
fn photon_measures_one_change_per_second_by_screencopy() {
    let ran = small("--server sway-headless=60 --mode animation --seconds 6", None, Kind::Ticking);
    assert!((3.0..=6.0).contains(&ran.number("/animation/interval_ms/n")), "{:#}", ran.json);
    assert!((700.0..1400.0).contains(&ran.number("/animation/interval_ms/p50")), "{:#}", ran.json);
    ran.assert_nothing_left();
}

#[test]
fn photon_brings_the_window_that_is_named_to_the_front() {
    let sway = Sway::start_headless(SIZE.0, SIZE.1, 60, Layout::Tiled).unwrap();
    let socket = sway.socket();
    let start = |kind| {
        let [program, arguments @ ..] = small_program::command(kind, "small_program_runs");
        Program::start(program, arguments, &sway.place(), |_, _| {}).unwrap()
    };
    let button = start(Kind::Button);
    assert!(sway.window_of(button.id(), LIMIT).is_some(), "{}", button.stderr());
    let clock = start(Kind::Ticking);
    assert!(sway.window_of(clock.id(), LIMIT).is_some(), "{}", clock.stderr());
    let display = format!("--display {}", socket.file_name().unwrap().to_str().unwrap());
    let there = |named: &str| photon(&format!("{display} --count 10 --window {named}"), socket.parent(), &[]);
    there("SMALL").assert_refused("2 windows match 'SMALL': 'small ");
    there("nobody").assert_refused("no visible window 'nobody'");
    // The newer one has the keyboard until the one that is named gets it.
    // It is the left one of two; the other changes by itself.
    let ran = there("button --area 0,0,400x300");
    assert!(ran.number("/first_ms/n") >= 8.0, "{:#}", ran.json);
    assert_eq!(ran.json["subject"]["title"], "small button", "{:#}", ran.json);
    assert!(ran.stdout.contains("window: 'small button'"), "{}", ran.stdout);
}

#[test]
fn photon_attaches_to_the_compositor_that_is_named() {
    let sway = Sway::start_headless(SIZE.0, SIZE.1, 60, Layout::Floating).unwrap();
    let socket = sway.socket();
    let name = socket.file_name().unwrap().to_str().unwrap();
    let ran = photon(&format!("--display {name} --count 4"), socket.parent(), &ours("flash"));
    assert_eq!(ran.number("/first_ms/n") + ran.number("/clicks/lost"), 4.0);
    ran.assert_nothing_left();
}

#[test]
fn photon_measures_the_window_that_stays_of_those_a_program_shows() {
    let sway = Sway::start_headless(SIZE.0, SIZE.1, 60, Layout::Tiled).unwrap();
    let socket = sway.socket();
    let name = socket.file_name().unwrap().to_str().unwrap();
    let ran = small(&format!("--display {name} --count 10"), socket.parent(), Kind::Renewed);
    assert!(ran.number("/first_ms/n") >= 8.0, "{:#}", ran.json);
    assert_eq!(ran.json["subject"]["title"], "small renewed", "{:#}", ran.json);
    ran.assert_nothing_left();
}

#[test]
fn photon_refuses_in_one_line_and_leaves_nothing() {
    let ran = photon("--display wayland-9", Some("/nowhere".as_ref()), &ours("flash"));
    ran.assert_refused("no connection to the compositor at /nowhere/wayland-9");
    photon("--display wayland-9", None, &ours("flash")).assert_refused("XDG_RUNTIME_DIR");
    assert_eq!(photon("--server sway-headless=0", None, &ours("flash")).code, Some(2));
    let bare = Compositor::start(&[("wl_shm", 1), ("wl_output", 2), ("wl_seat", 7)]);
    let ran = photon(&format!("--display {}", Compositor::NAME), Some(bare.folder()), &ours("flash"));
    ran.assert_refused("has no screencopy");
    ran.assert_nothing_left();
    let ran = photon("--server sway-headless", None, &["sh", "-c", "echo some reason >&2; exit 3"]);
    ran.assert_refused("some reason");
    ran.assert_nothing_left();
    let ran = photon("--server sway-headless --wait 1", None, &["sleep", "1000"]);
    ran.assert_refused("no window within");
    ran.assert_nothing_left();
}
