//! The instruments before what is measured with them: a window of known content must be seen as it is, input must
//! arrive, and nothing may be left behind.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "limits on real processes are real time")]

mod support;

use std::path::Path;
use std::time::Duration;

use scanout::observe::XwdHeader;
use scanout::time::{Clock as _, MonotonicClock};
use support::wm::WindowManager;
use support::x11::X11;
use support::xvfb::Xvfb;
use support::{BLACK, Key, poll_until};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{ConnectionExt as _, CreateWindowAux, EventMask, WindowClass};

const LIMIT: Duration = Duration::from_secs(5);
const ORANGE: u32 = 0xff_80_01;

/// A window that the server itself fills with orange.
fn orange_window(x11: &X11, (x, y): (i16, i16), (width, height): (u16, u16)) -> u32 {
    let window = x11.connection.generate_id().expect("an id");
    let mask = EventMask::KEY_PRESS | EventMask::BUTTON_PRESS | EventMask::POINTER_MOTION;
    let aux = CreateWindowAux::new().background_pixel(ORANGE).event_mask(mask);
    let class = WindowClass::INPUT_OUTPUT;
    x11.connection
        .create_window(0, window, x11.root, x, y, width, height, 0, class, 0, &aux)
        .expect("request");
    x11.map(window);
    window
}

#[test]
fn window_of_known_place_and_colour_is_seen_pixel_by_pixel() {
    let server = Xvfb::start_sized(333, 222);
    let x11 = X11::connect(&server.display());
    assert_eq!((server.screen.header.width, server.screen.header.height), (333, 222));
    let before = server.screen.fingerprint(1);
    let window = orange_window(&x11, (31, 17), (100, 50));
    let area = x11.area(window);
    assert_eq!((area.x, area.y, area.width, area.height), (31, 17, 100, 50));
    assert!(server.screen.satisfies(LIMIT, |s| s.fingerprint(1) != before));
    for (x, y) in area.marks() {
        assert!(server.screen.becomes((x, y), ORANGE, LIMIT), "({x}, {y})");
    }
    for (x, y) in [(30, 40), (131, 40), (60, 16), (60, 67)] {
        assert_eq!(server.screen.pixel(x, y), BLACK, "outside, ({x}, {y})");
    }
    // The server's own answer agrees with the mapped memory.
    assert_eq!(x11.image_pixel(window, 99, 49), ORANGE);
    assert_eq!(server.screen.row(20).iter().filter(|&&p| p == ORANGE).count(), 100);

    // The measuring loop sees a change and does not report one that never came.
    assert!(server.screen.spin_until_not((60, 40), ORANGE, Duration::from_millis(50)).is_none());
    let asked = MonotonicClock.now();
    x11.unmap(window);
    let (seen, colour) = server.screen.spin_until_not((60, 40), ORANGE, LIMIT).expect("the window is gone");
    assert!(seen >= asked && colour == BLACK);
}

#[test]
fn injected_input_arrives_in_order() {
    let server = Xvfb::start();
    let x11 = X11::connect(&server.display());
    let window = orange_window(&x11, (0, 0), (640, 480));
    x11.focus(window);
    x11.sync();
    while let Ok(Some(_)) = x11.connection.poll_for_event() {}
    x11.point(123, 45);
    x11.tap(Key::Space);
    x11.click();
    x11.tap(Key::F11);
    let mut got = Vec::new();
    let all = poll_until(LIMIT, || {
        while let Ok(Some(event)) = x11.connection.poll_for_event() {
            got.push(match event {
                Event::MotionNotify(e) => format!("motion {} {}", e.event_x, e.event_y),
                Event::KeyPress(e) => format!("key {}", e.detail),
                Event::ButtonPress(e) => format!("button {}", e.detail),
                // The first key from another keyboard (XTEST has its own) announces that one's layout.
                Event::MappingNotify(_) => continue,
                other => format!("{other:?}"),
            });
        }
        (got.len() >= 4).then_some(())
    });
    assert!(all.is_some(), "{got:?}");
    assert_eq!(got, ["motion 123 45", "key 65", "button 1", "key 95"]);
}

#[test]
fn window_manager_hides_shows_and_makes_fullscreen() {
    let server = Xvfb::start();
    let manager = WindowManager::start(&server.display());
    let x11 = X11::connect(&server.display());
    let window = orange_window(&x11, (10, 20), (300, 200));
    assert!(poll_until(LIMIT, || x11.is_viewable(window).then_some(())).is_some());
    x11.iconify(window);
    assert!(poll_until(LIMIT, || (!x11.is_viewable(window)).then_some(())).is_some());
    x11.activate(window);
    assert!(poll_until(LIMIT, || x11.is_viewable(window).then_some(())).is_some());
    for wanted in [true, false] {
        x11.set_fullscreen(window, wanted);
        let width = if wanted { 1280 } else { 300 };
        let done = || (x11.is_fullscreen(window) == wanted && x11.area(window).width == width).then_some(());
        assert!(poll_until(LIMIT, done).is_some(), "fullscreen {wanted}");
    }
    drop(manager);
}

#[test]
fn dropped_and_crashed_servers_leave_nothing_behind() {
    for crash in [false, true] {
        let mut server = Xvfb::start();
        let socket = format!("/tmp/.X11-unix/X{}", &server.display()[1..]);
        let (process, id) = (format!("/proc/{}", server.id()), server.id());
        assert!(Path::new(&socket).exists() && Path::new(&process).exists());
        if crash {
            server.crash();
        }
        drop(server);
        // Another test's server may have taken the display at once, but not under this process id.
        assert!(!Path::new(&process).exists(), "process {id} is still there");
        let lock = std::fs::read_to_string(socket.replace(".X11-unix/X", ".X") + "-lock").unwrap_or_default();
        assert_ne!(lock.trim(), id.to_string(), "its lock is still there");
    }
}

#[test]
fn xwd_header_of_another_kind_is_refused() {
    let mut words = [0_u32; 25];
    // A 4x2 screen: header size, version, format, depth, width, height, .., bits per pixel, bytes per line, masks,
    // number of colours.
    for (at, value) in [(0, 160), (1, 7), (2, 2), (3, 24), (4, 4), (5, 2), (11, 32), (12, 16), (19, 256)] {
        words[at] = value;
    }
    words[14..17].copy_from_slice(&[0xff_00_00, 0xff_00, 0xff]);
    let bytes = |w: &[u32]| w.iter().flat_map(|v| v.to_be_bytes()).collect::<Vec<u8>>();
    let good = XwdHeader::parse(&bytes(&words)).expect("a good header");
    assert_eq!((good.width, good.height, good.bytes_per_line, good.pixels_at), (4, 2, 16, 160 + 256 * 12));
    assert!(!good.big_endian);
    for (at, value, why) in [
        (1, 6, "version"),
        (2, 1, "format"),
        (11, 16, "bits per pixel"),
        (14, 0xff, "channel order"),
        (12, 15, "short rows"),
        (0, 161, "unaligned pixels"),
    ] {
        let mut bad = words;
        bad[at] = value;
        assert!(XwdHeader::parse(&bytes(&bad)).is_err(), "{why}");
    }
    assert!(XwdHeader::parse(&bytes(&words)[..99]).is_err(), "cut short");
}
