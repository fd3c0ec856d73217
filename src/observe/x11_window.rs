//! What becomes of a window of an X server and of its keyboard, told by the server without being asked each time.

use x11rb::connection::Connection as _;
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt as _, EventMask, InputFocus, MapState, Window,
};

use super::error::Result;
use super::x11::X11;

/// What has become of a window.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fate {
    /// It and all that it lies in are mapped.
    Shown,
    /// It is there and not mapped: minimised, or on another workspace.
    Hidden,
    /// There is none of this number any more.
    Closed,
}

/// To whom what is typed comes.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Keyboard {
    /// To the window, or to another one of its process.
    Here,
    /// To another window.
    Elsewhere,
    /// To none.
    Nowhere,
}

/// The answer; `None` where the server says that there is no such window.
fn answer<T>(reply: Result<T, ReplyError>) -> Result<Option<T>> {
    match reply {
        Ok(reply) => Ok(Some(reply)),
        Err(ReplyError::X11Error(_)) => Ok(None),
        Err(gone) => Err(gone.into()),
    }
}

impl X11 {
    /// What has become of the window. Waits for one answer of the server.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn fate(&self, window: Window) -> Result<Fate> {
        let attributes = answer(self.connection.get_window_attributes(window)?.reply())?;
        Ok(attributes.map_or(Fate::Closed, |a| {
            if a.map_state == MapState::VIEWABLE { Fate::Shown } else { Fate::Hidden }
        }))
    }

    /// To whom what is typed comes. Where the keyboard goes with the pointer, or belongs to what the window lies in, that is
    /// the window under the pointer, which is taken to be this one ([`focus`](Self::focus) puts it there). Waits for several
    /// answers of the server.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn keyboard(&self, window: Window) -> Result<Keyboard> {
        let focus = self.connection.get_input_focus()?.reply()?.focus;
        if focus == u32::from(InputFocus::NONE) {
            return Ok(Keyboard::Nowhere);
        }
        let ours = focus == u32::from(InputFocus::POINTER_ROOT)
            || self.way_up(window)?.contains(&focus)
            || (focus != self.root && self.way_up(focus)?.contains(&window))
            || self.pid(focus).is_some_and(|pid| self.pid(window) == Some(pid));
        Ok(if ours { Keyboard::Here } else { Keyboard::Elsewhere })
    }

    /// The window and all that it lies in, up to the root; itself alone when it is closed.
    fn way_up(&self, window: Window) -> Result<Vec<Window>> {
        let mut way = vec![window];
        while let Some(tree) = answer(self.connection.query_tree(way[way.len() - 1])?.reply())? {
            if tree.parent == 0 {
                break;
            }
            way.push(tree.parent);
        }
        Ok(way)
    }

    /// Asks the server to tell what may change [`fate`](Self::fate) and [`keyboard`](Self::keyboard), before these are asked:
    /// [`has_news`](Self::has_news). What this connection was told of these windows before is told no more. Waits for several
    /// answers of the server.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn attend(&self, window: Window) -> Result<()> {
        let mask = EventMask::STRUCTURE_NOTIFY | EventMask::FOCUS_CHANGE;
        let told = ChangeWindowAttributesAux::new().event_mask(mask);
        // Whoever closes in between is told of by an error, which is news as well.
        for window in self.way_up(window)? {
            self.connection.change_window_attributes(window, &told)?;
        }
        // Who has the keyboard may lie elsewhere, and lose it before it is listened to.
        let mut listened_to = u32::from(InputFocus::NONE);
        loop {
            let focus = self.connection.get_input_focus()?.reply()?.focus;
            let no_window = [InputFocus::NONE, InputFocus::POINTER_ROOT].map(u32::from).contains(&focus);
            if no_window || focus == listened_to {
                return Ok(());
            }
            self.connection.change_window_attributes(focus, &told)?;
            listened_to = focus;
        }
    }

    /// Whether the server has told anything since the last call. Reads what has arrived: one system call, no request and no
    /// wait.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn has_news(&self) -> Result<bool> {
        let mut any = false;
        while self.connection.poll_for_event()?.is_some() {
            any = true;
        }
        Ok(any)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use x11rb::COPY_DEPTH_FROM_PARENT;
    use x11rb::protocol::xproto::{CreateWindowAux, WindowClass};

    use super::*;
    use crate::observe::{Xvfb, poll_until};

    fn open(user: &X11, parent: Window) -> Window {
        let (id, depth) = (user.connection.generate_id().unwrap(), COPY_DEPTH_FROM_PARENT);
        let (class, aux) = (WindowClass::INPUT_OUTPUT, CreateWindowAux::new());
        user.connection.create_window(depth, id, parent, 0, 0, 50, 50, 0, class, 0, &aux).unwrap();
        user.connection.map_window(id).unwrap();
        id
    }

    fn give(user: &X11, to: Window) {
        let request = user.connection.set_input_focus(InputFocus::NONE, to, x11rb::CURRENT_TIME);
        request.unwrap().check().unwrap();
    }

    #[test]
    fn keyboard_and_fate_of_a_window_are_told_apart_and_told() {
        let server = Xvfb::start(200, 200).unwrap();
        let (user, seer) =
            (X11::connect(&server.display()).unwrap(), X11::connect(&server.display()).unwrap());
        let frame = open(&user, user.root);
        let (window, other) = (open(&user, frame), open(&user, user.root));
        let (inner, third) = (open(&user, window), open(&user, user.root));
        user.sync().unwrap();
        let learn = || {
            seer.attend(window).unwrap();
            seer.has_news().unwrap();
        };
        // What comes to a connection comes in its time.
        let limit = Duration::from_secs(20);
        let told = || poll_until(limit, || seer.has_news().unwrap().then_some(())).is_some();
        learn();
        for (focus, whose) in [
            (window, Keyboard::Here),
            (inner, Keyboard::Here),
            (frame, Keyboard::Here),
            (other, Keyboard::Elsewhere),
            (third, Keyboard::Elsewhere),
            (user.root, Keyboard::Here),
            (InputFocus::NONE.into(), Keyboard::Nowhere),
            (other, Keyboard::Elsewhere),
            (InputFocus::POINTER_ROOT.into(), Keyboard::Here),
            (other, Keyboard::Elsewhere),
            (window, Keyboard::Here),
        ] {
            give(&user, focus);
            assert!(told(), "nothing told of {focus:x}");
            assert_eq!(seer.keyboard(window).unwrap(), whose, "{focus:x}");
            learn();
        }
        assert!(!seer.has_news().unwrap(), "nothing has changed since");
        assert_eq!(seer.fate(window).unwrap(), Fate::Shown);
        // As a window manager does with the windows of another workspace.
        user.connection.unmap_window(frame).unwrap();
        user.sync().unwrap();
        assert!(told() && seer.fate(window).unwrap() == Fate::Hidden);
        learn();
        user.connection.destroy_window(window).unwrap();
        user.sync().unwrap();
        assert!(told() && seer.fate(window).unwrap() == Fate::Closed);
        drop(server);
        assert!(seer.fate(window).is_err() && seer.keyboard(window).is_err() && seer.has_news().is_err());
    }
}
