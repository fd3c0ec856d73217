use std::path::Path;

use wayland_client::globals::GlobalListContents;
use wayland_client::protocol::{wl_registry, wl_seat};
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, delegate_noop, event_created_child};
use wayland_protocols_wlr::foreign_toplevel::v1::client::{
    zwlr_foreign_toplevel_handle_v1::{self, ZwlrForeignToplevelHandleV1},
    zwlr_foreign_toplevel_manager_v1::{self, ZwlrForeignToplevelManagerV1},
};

use super::error::{Error, Result};
use super::wayland::{flush, registry, take_in};

/// The windows of a compositor (wlr-foreign-toplevel-management-v1). Where they are, and of which process, it does not say.
#[derive(Debug)]
pub struct Toplevels {
    queue: EventQueue<State>,
    state: State,
    seat: Option<wl_seat::WlSeat>,
}

/// A window as its compositor tells of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Toplevel {
    /// By which [`Toplevels::activate`] knows it: the first that it heard of is 1, the next 2.
    pub id: u64,
    /// What stands above it.
    pub title: String,
    /// What its program calls itself.
    pub app_id: String,
    /// Whether it has the keyboard.
    pub active: bool,
}

#[derive(Debug, Default)]
struct State {
    opened: u64,
    windows: Vec<(ZwlrForeignToplevelHandleV1, Toplevel)>,
}

impl Toplevels {
    /// Of the compositor that listens at `socket`.
    ///
    /// # Errors
    /// When none answers there, or it does not tell of windows.
    pub fn connect(socket: &Path) -> Result<Self> {
        let (globals, mut queue) = registry::<State>(socket)?;
        let manager = globals.bind::<ZwlrForeignToplevelManagerV1, _, _>(&queue.handle(), 1..=3, ());
        manager.map_err(|_| Error::Lacks {
            server: "the compositor".into(),
            what: "list of windows (wlr-foreign-toplevel-management-v1)",
        })?;
        let seat = globals.bind(&queue.handle(), 1..=1, ()).ok();
        let mut state = State::default();
        queue.roundtrip(&mut state).map_err(Error::wayland)?;
        Ok(Self { queue, state, seat })
    }

    /// Those that are open. Waits for the compositor's answer.
    ///
    /// # Errors
    /// When the compositor is gone.
    pub fn windows(&mut self) -> Result<Vec<Toplevel>> {
        self.queue.roundtrip(&mut self.state).map_err(Error::wayland)?;
        Ok(self.list())
    }

    /// Those that are open by what the compositor has told until now. Reads that without a request and without a wait.
    ///
    /// # Errors
    /// When the compositor is gone.
    pub fn told(&mut self) -> Result<Vec<Toplevel>> {
        take_in(&mut self.queue, &mut self.state)?;
        Ok(self.list())
    }

    fn list(&self) -> Vec<Toplevel> {
        self.state.windows.iter().map(|(_, window)| window.clone()).collect()
    }

    /// Asks that a window come to the front and get the keyboard; the compositor may do so later, or not at all. One that
    /// has closed is passed over.
    ///
    /// # Errors
    /// When the compositor has no seat, or is gone.
    pub fn activate(&mut self, id: u64) -> Result<()> {
        let lacks = || Error::Lacks { server: "the compositor".into(), what: "seat" };
        let seat = self.seat.as_ref().ok_or_else(lacks)?;
        if let Some((handle, _)) = self.state.windows.iter().find(|(_, window)| window.id == id) {
            handle.activate(seat);
        }
        flush(&self.queue)
    }

    /// Windows up to now, with those that were closed since the connection was made. Waits for the compositor's answer.
    ///
    /// # Errors
    /// When the compositor is gone.
    pub fn opened(&mut self) -> Result<u64> {
        self.queue.roundtrip(&mut self.state).map_err(Error::wayland)?;
        Ok(self.state.opened)
    }
}

/// Among the states of a window.
const ACTIVATED: u32 = zwlr_foreign_toplevel_handle_v1::State::Activated as u32;

impl Dispatch<ZwlrForeignToplevelManagerV1, ()> for State {
    fn event(
        state: &mut Self,
        _: &ZwlrForeignToplevelManagerV1,
        event: zwlr_foreign_toplevel_manager_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let zwlr_foreign_toplevel_manager_v1::Event::Toplevel { toplevel } = event {
            state.opened += 1;
            state.windows.push((toplevel, Toplevel { id: state.opened, ..Toplevel::default() }));
        }
    }

    event_created_child!(State, ZwlrForeignToplevelManagerV1, [
        zwlr_foreign_toplevel_manager_v1::EVT_TOPLEVEL_OPCODE => (ZwlrForeignToplevelHandleV1, ()),
    ]);
}

impl Dispatch<ZwlrForeignToplevelHandleV1, ()> for State {
    fn event(
        state: &mut Self,
        handle: &ZwlrForeignToplevelHandleV1,
        event: zwlr_foreign_toplevel_handle_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        use zwlr_foreign_toplevel_handle_v1::Event;
        let Some(at) = state.windows.iter().position(|(of, _)| of == handle) else { return };
        let window = &mut state.windows[at].1;
        match event {
            Event::Title { title } => window.title = title,
            Event::AppId { app_id } => window.app_id = app_id,
            Event::State { state } => {
                let states =
                    state.chunks_exact(4).filter_map(|raw| raw.try_into().ok()).map(u32::from_ne_bytes);
                window.active = states.into_iter().any(|state| state == ACTIVATED);
            }
            Event::Closed => {
                handle.destroy();
                state.windows.remove(at);
            }
            _ => {}
        }
    }
}

ignore_registry!(State);

delegate_noop!(State: ignore wl_seat::WlSeat);
