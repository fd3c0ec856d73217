//! Whether a program that was started goes on: its first process, or what that has left behind and shows a window.

use std::time::Duration;

use scanout::observe::{Fate, Keyboard, Program, Sway, Toplevel, Toplevels, X11};

use super::stage::{LEAST, Own};
use super::trouble::{Outcome, Trouble};

/// A program that closes its window has so long to end before the window is missed.
const CLOSING: Duration = Duration::from_secs(1);

/// The window that is measured, to ask whether it is still there.
pub enum Shown {
    OnX11(Box<OnX11>),
    Listed(Listed),
    /// Any, on a compositor of ours where nobody else is.
    OnOurs,
    /// Nobody says.
    Unknown,
}

/// A window of an X server, by a connection of its own: the server is asked only when it has told of something, so that it
/// has no work of this while it is measured.
pub struct OnX11 {
    user: X11,
    window: u32,
    known: Option<State>,
}

impl OnX11 {
    pub const fn new(user: X11, window: u32) -> Self {
        Self { user, window, known: None }
    }

    fn state(&mut self) -> Outcome<State> {
        let Self { user, window, known } = self;
        let news = user.has_news()?;
        if let Some(state) = known.filter(|_| !news) {
            return Ok(state);
        }
        // In this order, so that what changes in between is told.
        user.attend(*window)?;
        let state = State { fate: user.fate(*window)?, keyboard: user.keyboard(*window)? };
        *known = Some(state);
        Ok(state)
    }
}

/// A window on a compositor that is not ours, by the number that it has there. The compositor tells by itself what changes.
pub struct Listed {
    windows: Toplevels,
    id: u64,
    /// Whether it was seen to have the keyboard: some compositors do not say who has it.
    had_keyboard: bool,
}

impl Listed {
    pub const fn new(windows: Toplevels, id: u64) -> Self {
        Self { windows, id, had_keyboard: false }
    }

    fn state(&mut self) -> Outcome<State> {
        let all = self.windows.told()?;
        Ok(among(&all, self.id, &mut self.had_keyboard))
    }
}

fn among(all: &[Toplevel], id: u64, had_keyboard: &mut bool) -> State {
    let Some(window) = all.iter().find(|window| window.id == id) else {
        return State { fate: Fate::Closed, keyboard: Keyboard::Nowhere };
    };
    *had_keyboard |= window.active;
    let keyboard = if window.active || !*had_keyboard {
        Keyboard::Here
    } else if all.iter().any(|window| window.active) {
        Keyboard::Elsewhere
    } else {
        Keyboard::Nowhere
    };
    State { fate: Fate::Shown, keyboard }
}

/// What is known of the window.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
struct State {
    fate: Fate,
    keyboard: Keyboard,
}

impl Shown {
    /// `None` where nobody says, or no single window is meant.
    fn state(&mut self) -> Outcome<Option<State>> {
        match self {
            Self::OnX11(window) => window.state().map(Some),
            Self::Listed(window) => window.state().map(Some),
            Self::OnOurs | Self::Unknown => Ok(None),
        }
    }

    fn is_there(&mut self, sway: Option<&Sway>) -> Outcome<bool> {
        if let Some(state) = self.state()? {
            return Ok(state.fate == Fate::Shown);
        }
        let Some(sway) = sway else { return Ok(false) };
        Ok(sway.windows()?.iter().any(|(_, area)| area.width >= LEAST && area.height >= LEAST))
    }
}

/// Fails when there is nothing to go on with: the program or its window has gone, or, on a desktop, what is typed would come
/// to another window (`types`). As cheap as a system call or two while nothing changes.
pub fn check(
    program: Option<&mut Program>,
    shown: &mut Shown,
    own: Option<&Own>,
    when: &str,
    types: bool,
) -> Outcome<()> {
    let (sway, others) = (own.and_then(Own::sway), own.map_or_else(Vec::new, Own::pids));
    let state = shown.state()?;
    let gone = match state.map(|state| state.fate) {
        None | Some(Fate::Shown) => None,
        Some(Fate::Closed) => Some("was closed"),
        Some(_) => Some("is no longer shown"),
    };
    if let Some(program) = program {
        if gone.is_some() {
            // Windows close before their program ends.
            program.process().wait(CLOSING);
        }
        still_runs(program, &others, when, || shown.is_there(sway))?;
    }
    if let Some(gone) = gone {
        return Err(Trouble::Bad(format!("the window {gone} {when}")));
    }
    let lost = match state.map(|state| state.keyboard) {
        Some(Keyboard::Elsewhere) => "another window took the keyboard",
        Some(Keyboard::Nowhere) => "the window lost the keyboard, which no window has,",
        _ => return Ok(()),
    };
    if own.is_none() && types { Err(Trouble::Bad(format!("{lost} {when}"))) } else { Ok(()) }
}

/// Fails with the program's last words when it has ended, unless it went into the background: then it ended well, or
/// `shows` a window all the same, and somebody of its family is left. What a program that failed leaves behind and shows
/// nothing is no program to wait for. `others` are our other children.
pub fn still_runs(
    program: &mut Program,
    others: &[u32],
    when: &str,
    shows: impl FnOnce() -> Outcome<bool>,
) -> Outcome<()> {
    let Some(status) = program.process().ended() else { return Ok(()) };
    if !program.family(others).is_empty() && (status.success() || shows()?) {
        return Ok(());
    }
    let ending = program.process().ending().unwrap_or_default();
    Err(Trouble::Bad(format!("{ending} {when}{}", said(program, ": "))))
}

/// The program runs and has no window.
pub fn no_window(program: &mut Program, limit: Duration) -> Trouble {
    let said = said(program, "; it said: ");
    let name = match program.process().ending() {
        None => program.process().name().to_owned(),
        Some(ending) => format!("{ending}, and what it left running"),
    };
    Trouble::Bad(format!("{name} shows no window within {:.1} s{said}", limit.as_secs_f64()))
}

fn said(program: &Program, before: &str) -> String {
    program.said().map_or_else(String::new, |said| format!("{before}{said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(id: u64, active: bool) -> Toplevel {
        let mut window = Toplevel::default();
        (window.id, window.active) = (id, active);
        window
    }

    #[test]
    fn window_that_was_given_the_keyboard_later_is_seen_to_lose_it() {
        let mut had = false;
        let mut keyboard = |all: &[Toplevel]| among(all, 2, &mut had).keyboard;
        assert_eq!(keyboard(&[window(1, true), window(2, false)]), Keyboard::Here, "perhaps nobody says");
        assert_eq!(keyboard(&[window(1, false), window(2, true)]), Keyboard::Here);
        assert_eq!(keyboard(&[window(1, true), window(2, false)]), Keyboard::Elsewhere);
        assert_eq!(keyboard(&[window(1, false), window(2, false)]), Keyboard::Nowhere);
        assert_eq!(among(&[window(1, true)], 2, &mut had).fate, Fate::Closed);
    }
}
