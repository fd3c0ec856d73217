//! Whether a program that was started goes on: its first process, or what that has left behind and shows a window.

use std::time::Duration;

use scanout::observe::{Program, Sway, Toplevel, Toplevels, X11};

use super::stage::{LEAST, Own};
use super::trouble::{Outcome, Trouble};

/// A program that closes its window has so long to end before the window is missed.
const CLOSING: Duration = Duration::from_secs(1);

/// The window that is measured, to ask whether it is still there.
pub enum Shown {
    OnX11(Box<X11>, u32),
    /// On a compositor that is not ours, by the number that it has there, and whether it had the keyboard at the start.
    Listed(Toplevels, u64, bool),
    /// Any, on a compositor of ours where nobody else is.
    OnOurs,
    /// Nobody says.
    Unknown,
}

impl Shown {
    fn is_there(&mut self, sway: Option<&Sway>) -> bool {
        match self {
            Self::OnX11(user, window) => user.is_viewable(*window),
            Self::Listed(windows, id, _) => find(windows, *id).is_some(),
            Self::OnOurs => sway.and_then(|sway| sway.windows().ok()).is_some_and(|windows| {
                windows.iter().any(|(_, area)| area.width >= LEAST && area.height >= LEAST)
            }),
            Self::Unknown => false,
        }
    }

    /// Whether it is known to be gone, where that is asked in a moment.
    fn is_gone(&mut self) -> bool {
        matches!(self, Self::OnX11(..) | Self::Listed(..)) && !self.is_there(None)
    }

    /// Whether another window is known to have the keyboard.
    fn has_lost_keyboard(&mut self) -> bool {
        match self {
            Self::OnX11(user, window) => !user.has_keyboard(*window),
            Self::Listed(windows, id, had) => *had && find(windows, *id).is_some_and(|window| !window.active),
            Self::OnOurs | Self::Unknown => false,
        }
    }
}

fn find(windows: &mut Toplevels, id: u64) -> Option<Toplevel> {
    windows.windows().ok()?.into_iter().find(|window| window.id == id)
}

/// Fails when there is nothing to go on with: the program or its window has gone, or, on a desktop, what is typed would come
/// to another window (`types`).
pub fn check(
    program: Option<&mut Program>,
    shown: &mut Shown,
    own: Option<&Own>,
    when: &str,
    types: bool,
) -> Outcome<()> {
    let (sway, others) = (own.and_then(Own::sway), own.map_or_else(Vec::new, Own::pids));
    let gone = shown.is_gone();
    if let Some(program) = program {
        if gone {
            // Windows close before their program ends.
            program.process().wait(CLOSING);
        }
        still_runs(program, &others, when, || shown.is_there(sway))?;
    }
    if gone {
        return Err(Trouble::Bad(format!("the window was closed {when}")));
    }
    if own.is_none() && types && shown.has_lost_keyboard() {
        return Err(Trouble::Bad(format!("another window took the keyboard {when}")));
    }
    Ok(())
}

/// Fails with the program's last words when it has ended, unless it went into the background: then it ended well, or
/// `shows` a window all the same, and somebody of its family is left. What a program that failed leaves behind and shows
/// nothing is no program to wait for. `others` are our other children.
pub fn still_runs(
    program: &mut Program,
    others: &[u32],
    when: &str,
    shows: impl FnOnce() -> bool,
) -> Outcome<()> {
    let Some(status) = program.process().ended() else { return Ok(()) };
    if !program.family(others).is_empty() && (status.success() || shows()) {
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
