//! The X Present extension, over a connection of its own.
//!
//! Two things are told: refreshes of the screen that shows the window (`NotifyMSC`, asked for one ahead while frames are
//! drawn), and, where the driver presents through the extension, when each frame was displayed (`CompleteNotify`). UST
//! is in microseconds of `CLOCK_MONOTONIC`, MSC counts refreshes.
//!
//! The server's times are those of the vertical blank where it drives a display, and of a timer where it has none
//! (Xvfb). Which it is cannot be asked; a frame that was displayed by a page flip shows that there is a display.
//!
//! Beside that, whether the window is mapped: nothing of an unmapped (or iconified) one is shown. And the nominal rate of the
//! display under it, where that changes: the window system says so to whoever asked for it, and winit does not.
//!
//! Cost: one request of 40 bytes and one event per refresh; x11rb allocates for each event. When displays have changed, or the
//! window has come to rest after a move, one poll waits for four answers of the server.

use std::time::Duration;

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::errors::{ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::Event;
use x11rb::protocol::present::{
    self, CompleteKind, CompleteMode, CompleteNotifyEvent, ConnectionExt as _, EventMask,
};
use x11rb::protocol::xproto::{self, ChangeWindowAttributesAux, ConnectionExt as _};
use x11rb::rust_connection::RustConnection;

use super::{SourceError, SourceEvent, VsyncSource, x11_rate};
use crate::pacing::{FrameId, Origin, Presentation, VblankSample};
use crate::time::Timestamp;

/// Marks our own requests: everybody who listens on a window hears the answers to all.
const SERIAL: u32 = 0x5ca0_0000;
const SERIAL_MASK: u32 = 0xffff_0000;

/// A window that has not moved for so long has come to rest.
const AT_REST: Duration = Duration::from_millis(250);

/// Ticks and presentation times from the X server.
pub struct X11Present {
    connection: RustConnection,
    window: u32,
    serial: u32,
    armed: bool,
    drawn: bool,
    last_msc: Option<u64>,
    flipped: bool,
    frames: Completions,
    /// The display's nominal rate may be another one than before: from then on it is looked at.
    look_from: Option<Timestamp>,
    failed: Option<SourceError>,
}

impl X11Present {
    /// Connects to `display` (what `DISPLAY` names, where that is `None`) and listens on `window`, which may be another
    /// connection's.
    ///
    /// # Errors
    /// When the server does not answer, or has no Present extension.
    pub fn open(display: Option<&str>, window: u32) -> Result<Self, SourceError> {
        let (connection, screen) = RustConnection::connect(display)
            .map_err(|e| SourceError::new(format!("no connection of its own: {e}")))?;
        let there = connection.extension_information(present::X11_EXTENSION_NAME).map_err(broken)?;
        if there.is_none() {
            return Err(SourceError::new("the server has no Present extension"));
        }
        connection.present_query_version(1, 2).map_err(broken)?.reply().map_err(refused)?;
        let id = connection.generate_id().map_err(|e: ReplyOrIdError| SourceError::new(e.to_string()))?;
        let select = connection.present_select_input(id, window, EventMask::COMPLETE_NOTIFY);
        select.map_err(broken)?.check().map_err(refused)?;
        // Each client has an event mask of its own on a window.
        let listen = ChangeWindowAttributesAux::new().event_mask(xproto::EventMask::STRUCTURE_NOTIFY);
        connection.change_window_attributes(window, &listen).map_err(broken)?.check().map_err(refused)?;
        x11_rate::listen(&connection, screen);
        Ok(Self {
            connection,
            window,
            serial: SERIAL,
            armed: false,
            drawn: false,
            last_msc: None,
            flipped: false,
            frames: Completions::default(),
            // It may have changed since the window was made.
            look_from: Some(Timestamp::ZERO),
            failed: None,
        })
    }

    fn arm(&mut self) {
        self.serial = SERIAL | (self.serial + 1) & !SERIAL_MASK;
        // The next refresh, whichever that is.
        let asked = self.connection.present_notify_msc(self.window, self.serial, 0, 1, 0).map(drop);
        match asked.and_then(|()| self.connection.flush()) {
            Ok(()) => (self.armed, self.drawn) = (true, false),
            Err(e) => self.failed = Some(broken(e)),
        }
    }

    fn complete(&mut self, event: &CompleteNotifyEvent, sink: &mut dyn FnMut(SourceEvent)) {
        // Microseconds of the server's monotonic clock; zero where it does not know.
        let at = Timestamp::from_nanos(event.ust.saturating_mul(1_000));
        let known = event.ust > 0;
        if event.kind == CompleteKind::NOTIFY_MSC {
            if event.serial & SERIAL_MASK != SERIAL {
                return;
            }
            self.armed = false;
            if self.drawn {
                self.arm();
            }
        } else if event.kind == CompleteKind::PIXMAP {
            if event.mode == CompleteMode::FLIP {
                self.flipped = true;
            }
            if let Some(id) = self.frames.complete(event.serial) {
                sink(SourceEvent::Presented(
                    id,
                    match event.mode {
                        CompleteMode::SKIP => Presentation::Dropped,
                        _ if known => Presentation::At(at, self.told_by()),
                        _ => return,
                    },
                ));
            }
            if event.mode == CompleteMode::SKIP {
                return;
            }
        }
        if known && self.last_msc.replace(event.msc) != Some(event.msc) {
            let origin = self.told_by();
            let sequence = Some(event.msc);
            sink(SourceEvent::Vblank(VblankSample { at, sequence, period: None, origin }));
        }
    }

    const fn told_by(&self) -> Origin {
        if self.flipped { Origin::Hardware } else { Origin::Compositor }
    }
}

impl VsyncSource for X11Present {
    fn name(&self) -> &'static str {
        "X11 Present"
    }

    fn origin(&self) -> Origin {
        if self.answers() { self.told_by() } else { Origin::Estimated }
    }

    fn answers(&self) -> bool {
        self.frames.answered()
    }

    fn before_swap(&mut self, id: FrameId, _now: Timestamp) {
        self.frames.swapped(id);
    }

    fn after_swap(&mut self, _id: FrameId, _now: Timestamp) {
        self.drawn = true;
        if !self.armed {
            self.arm();
        }
    }

    fn poll(&mut self, now: Timestamp, sink: &mut dyn FnMut(SourceEvent)) -> Result<(), SourceError> {
        while self.failed.is_none() {
            match self.connection.poll_for_event() {
                Ok(Some(Event::PresentCompleteNotify(event))) => self.complete(&event, sink),
                // An iconified window is unmapped by its window manager; winit does not tell.
                Ok(Some(Event::UnmapNotify(event))) if event.window == self.window => {
                    sink(SourceEvent::Visible(false));
                }
                Ok(Some(Event::MapNotify(event))) if event.window == self.window => {
                    sink(SourceEvent::Visible(true));
                }
                Ok(Some(Event::RandrNotify(_) | Event::RandrScreenChangeNotify(_))) => {
                    self.look_from = Some(now);
                }
                Ok(Some(Event::ConfigureNotify(event))) if event.window == self.window => {
                    self.look_from = Some(now + AT_REST);
                }
                Ok(Some(Event::Error(e))) => {
                    self.failed = Some(SourceError::new(format!("the server refused: {:?}", e.error_kind)));
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(e) => self.failed = Some(broken(e)),
            }
        }
        if self.look_from.take_if(|from| now >= *from).is_some()
            && let Some(hz) = x11_rate::of(&self.connection, self.window)
        {
            sink(SourceEvent::Rate(hz));
        }
        self.failed.clone().map_or(Ok(()), Err)
    }
}

impl std::fmt::Debug for X11Present {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("X11Present").field("window", &self.window).finish_non_exhaustive()
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn broken(e: ConnectionError) -> SourceError {
    SourceError::lost(format!("the X server does not answer: {e}"))
}

fn refused(e: ReplyError) -> SourceError {
    match e {
        ReplyError::ConnectionError(e) => broken(e),
        ReplyError::X11Error(e) => SourceError::new(format!("the server refused: {:?}", e.error_kind)),
    }
}

/// Swaps whose completion may be outstanding.
const SWAPS: u64 = 64;
/// A completion may come after those of so many later swaps: servers tell of one that was overtaken after the one that overtook it.
const OUT_OF_ORDER: u64 = 4;

/// Which swap a completion belongs to. Drivers number their presentations; Mesa does so from 1 per window. Where the
/// numbers do not fit, completions belong to swaps in their order.
#[derive(Debug)]
struct Completions {
    /// By swap number modulo [`SWAPS`]; swap numbers count from 1.
    ids: [FrameId; SWAPS as usize],
    swaps: u64,
    /// The newest that is complete, and of those before it the ones that are, the nearest in the lowest bit.
    completed: u64,
    before: u64,
    /// Swap number minus serial, once known.
    offset: Option<u32>,
}

impl Default for Completions {
    fn default() -> Self {
        Self { ids: [FrameId(0); SWAPS as usize], swaps: 0, completed: 0, before: 0, offset: None }
    }
}

impl Completions {
    fn swapped(&mut self, id: FrameId) {
        self.swaps += 1;
        self.ids[(self.swaps % SWAPS) as usize] = id;
    }

    fn complete(&mut self, serial: u32) -> Option<FrameId> {
        let wanted = serial.wrapping_add(self.offset.unwrap_or(0));
        let behind = u64::from((self.swaps as u32).wrapping_sub(wanted));
        let named = self.swaps.checked_sub(behind).filter(|n| *n > 0);
        if let Some(late) =
            named.and_then(|n| self.completed.checked_sub(n)).filter(|late| *late <= OUT_OF_ORDER)
            && self.offset.is_some()
        {
            let bit = 1 << late.checked_sub(1)?;
            let is_new = self.before & bit == 0;
            self.before |= bit;
            return is_new.then(|| self.ids[((self.completed - late) % SWAPS) as usize]);
        }
        let open = self.completed + 1..=self.swaps;
        let number =
            named.filter(|n| open.contains(n)).or_else(|| (!open.is_empty()).then_some(*open.start()))?;
        self.offset = Some((number as u32).wrapping_sub(serial));
        let step = number - self.completed;
        self.before = if step < u64::from(u64::BITS) { self.before << step | 1 << (step - 1) } else { 0 };
        self.completed = number;
        // Of one that comes after so many others it is not remembered which frame it was.
        (number + SWAPS > self.swaps).then(|| self.ids[(number % SWAPS) as usize])
    }

    /// Whether completions come for the frames of late.
    const fn answered(&self) -> bool {
        self.completed > 0 && self.swaps - self.completed < SWAPS / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swap(c: &mut Completions, ids: impl IntoIterator<Item = u64>) {
        ids.into_iter().for_each(|id| c.swapped(FrameId(id)));
    }

    #[test]
    fn completions_belong_to_swaps_by_number_and_lost_ones_shift_nothing() {
        let mut c = Completions::default();
        assert_eq!(c.complete(1), None, "nothing was swapped");
        swap(&mut c, 10..14);
        assert_eq!(c.complete(1), Some(FrameId(10)));
        assert_eq!(c.complete(2), Some(FrameId(11)));
        assert_eq!(c.complete(4), Some(FrameId(13)), "3 was lost");
        assert_eq!(c.complete(4), None, "nothing is open");
        assert!(c.answered());
    }

    #[test]
    fn a_completion_that_comes_after_the_next_one_is_still_its_own() {
        let mut c = Completions::default();
        swap(&mut c, 10..14);
        assert_eq!(c.complete(1), Some(FrameId(10)));
        assert_eq!(c.complete(3), Some(FrameId(12)));
        assert_eq!(c.complete(2), Some(FrameId(11)), "overtaken, and told of later");
        assert_eq!([2, 3, 1].map(|again| c.complete(again)), [None; 3], "once each, though 4 is open");
        assert_eq!(c.complete(4), Some(FrameId(13)));
    }

    #[test]
    fn completions_with_other_numbers_belong_to_swaps_in_order() {
        for first in [77_u32, u32::MAX - 1] {
            let mut c = Completions::default();
            swap(&mut c, 1..6);
            assert_eq!(c.complete(first), Some(FrameId(1)));
            assert_eq!(c.complete(first.wrapping_add(1)), Some(FrameId(2)));
            assert_eq!(c.complete(first.wrapping_add(3)), Some(FrameId(4)), "one was lost");
        }
    }

    #[test]
    fn completions_that_stop_are_no_longer_waited_for() {
        let mut c = Completions::default();
        swap(&mut c, 1..=3);
        assert!(!c.answered());
        c.complete(1);
        assert!(c.answered());
        swap(&mut c, 4..=200);
        assert!(!c.answered());
        // They come again, after more swaps than are remembered.
        assert_eq!(c.complete(2), None);
        assert_eq!(c.complete(199), Some(FrameId(199)));
        assert!(c.answered());
    }
}
