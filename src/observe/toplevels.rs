use std::path::Path;

use wayland_client::globals::GlobalListContents;
use wayland_client::protocol::wl_registry;
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, event_created_child};
use wayland_protocols_wlr::foreign_toplevel::v1::client::{
    zwlr_foreign_toplevel_handle_v1::{self, ZwlrForeignToplevelHandleV1},
    zwlr_foreign_toplevel_manager_v1::{self, ZwlrForeignToplevelManagerV1},
};

use super::error::{Error, Result};
use super::wayland::registry;

/// How many windows a compositor has (wlr-foreign-toplevel-management-v1). Whose they are and where, it does not say.
#[derive(Debug)]
pub struct Toplevels {
    queue: EventQueue<State>,
    state: State,
}

#[derive(Debug, Default)]
struct State {
    opened: u64,
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
        let mut state = State::default();
        queue.roundtrip(&mut state).map_err(Error::wayland)?;
        Ok(Self { queue, state })
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

impl Dispatch<ZwlrForeignToplevelManagerV1, ()> for State {
    fn event(
        state: &mut Self,
        _: &ZwlrForeignToplevelManagerV1,
        event: zwlr_foreign_toplevel_manager_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        state.opened += u64::from(matches!(event, zwlr_foreign_toplevel_manager_v1::Event::Toplevel { .. }));
    }

    event_created_child!(State, ZwlrForeignToplevelManagerV1, [
        zwlr_foreign_toplevel_manager_v1::EVT_TOPLEVEL_OPCODE => (ZwlrForeignToplevelHandleV1, ()),
    ]);
}

impl Dispatch<ZwlrForeignToplevelHandleV1, ()> for State {
    fn event(
        _: &mut Self,
        window: &ZwlrForeignToplevelHandleV1,
        event: zwlr_foreign_toplevel_handle_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if matches!(event, zwlr_foreign_toplevel_handle_v1::Event::Closed) {
            window.destroy();
        }
    }
}

ignore_registry!(State);
