use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, CreateGCAux, CreateWindowAux, EventMask, PropMode, Rectangle, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use super::{Kind, NAP, RENEWAL, RENEWALS, SIZE, State};

/// Until the server has gone.
pub fn run(mut state: State) {
    let (c, screen) = x11rb::connect(None).expect("an X server");
    let screen = &c.setup().roots[screen];
    let renewals = if state.kind == Kind::Renewed { RENEWALS } else { 0 };
    for _ in 0..renewals {
        let first = id(&c);
        let class = WindowClass::INPUT_OUTPUT;
        let aux = CreateWindowAux::new().background_pixel(screen.white_pixel);
        c.create_window(0, first, screen.root, 0, 0, 500, 400, 0, class, 0, &aux).expect("request");
        c.map_window(first).expect("request");
        c.flush().expect("an X server");
        std::thread::sleep(RENEWAL);
        c.destroy_window(first).expect("request");
    }
    let (window, white, black) = (id(&c), id(&c), id(&c));
    let mask = EventMask::KEY_PRESS | EventMask::EXPOSURE | EventMask::FOCUS_CHANGE;
    let aux = CreateWindowAux::new().background_pixel(screen.black_pixel).event_mask(mask);
    let (width, height) = (SIZE.0 as u16, SIZE.1 as u16);
    let class = WindowClass::INPUT_OUTPUT;
    c.create_window(0, window, screen.root, 0, 0, width, height, 0, class, 0, &aux).expect("request");
    for (gc, colour) in [(white, screen.white_pixel), (black, screen.black_pixel)] {
        c.create_gc(gc, window, &CreateGCAux::new().foreground(colour)).expect("request");
    }
    let name = c.intern_atom(false, b"_NET_WM_PID").expect("request").reply().expect("an atom").atom;
    let pid = [std::process::id()];
    c.change_property32(PropMode::REPLACE, window, name, AtomEnum::CARDINAL, &pid).expect("request");
    c.map_window(window).expect("request");
    let (mut drawn, mut focused) = (Vec::new(), state.kind != Kind::Focused);
    while let Ok(event) = c.poll_for_event() {
        match event {
            Some(Event::KeyPress(_)) if focused => state.press(),
            Some(Event::FocusIn(_)) => focused = true,
            Some(Event::FocusOut(_)) => focused = state.kind != Kind::Focused,
            Some(Event::Expose(_)) => drawn.clear(),
            _ => {}
        }
        let patches = state.patches();
        if patches != drawn {
            // Only what differs, as toolkits do.
            for (gc, now, before) in [(black, &drawn, &patches), (white, &patches, &drawn)] {
                let some = now.iter().filter(|patch| !before.contains(patch));
                let some: Vec<Rectangle> = some.map(|p| p.map(|v| v as u16)).map(rectangle).collect();
                c.poly_fill_rectangle(window, gc, &some).expect("request");
            }
            drawn = patches;
        }
        if c.flush().is_err() {
            return;
        }
        if event.is_none() {
            std::thread::sleep(NAP);
        }
    }
}

fn id(c: &impl x11rb::connection::Connection) -> u32 {
    c.generate_id().expect("an id")
}

fn rectangle([x, y, width, height]: [u16; 4]) -> Rectangle {
    Rectangle { x: x as i16, y: y as i16, width, height }
}
