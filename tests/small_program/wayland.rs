use std::time::Instant;

use scanout::observe::{ShmWindow, UserAct};

use super::{Kind, NAP, Patch, RENEWAL, RENEWALS, SIZE, State};

/// Until the compositor has gone. The picture is drawn into while it is shown: nothing here is measured that could tear.
pub fn run(mut state: State) {
    let size = (SIZE.0 as u16, SIZE.1 as u16);
    let renewals = if state.kind == Kind::Renewed { RENEWALS } else { 0 };
    for _ in 0..renewals {
        let mut first = ShmWindow::open("small splash", size, 1).expect("a window");
        first.show(0);
        // It is shown when the compositor has said of what size.
        let end = Instant::now() + RENEWAL;
        while Instant::now() < end {
            first.poll().expect("a compositor");
            std::thread::sleep(NAP);
        }
    }
    let mut window = ShmWindow::open(&format!("small {}", state.name()), size, 1).expect("a window");
    let mut drawn: Option<Vec<Patch>> = None;
    loop {
        let patches = state.patches();
        if drawn.as_ref() != Some(&patches) {
            window.write(0, &pixels(&patches)).expect("written");
            window.show(0);
            drawn = Some(patches);
        }
        match window.poll() {
            Ok(Some(UserAct::Key(_))) => state.press(),
            Ok(Some(_)) => {}
            Ok(None) => std::thread::sleep(NAP),
            Err(_) => return,
        }
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
