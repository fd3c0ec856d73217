//! Presentation-time feedback and frame callbacks, on somebody else's Wayland connection.
//!
//! The connection is winit's. Whoever reads its socket (winit on the main thread, EGL during a swap) sorts events into
//! their queues; what is for us lies in a queue of our own until [`poll`](VsyncSource::poll) takes it out. We never
//! read: with libwayland a reader waits for everybody else who has announced to read, and that is the main thread
//! asleep.
//!
//! Both requests are made right before the swap, so that they belong to the commit that EGL makes. Two sources come of
//! them:
//!
//! - [`WaylandPresentation`]: the compositor says for each commit when it was displayed, or that it never was. A stamp is
//!   [`Origin::Hardware`] where the compositor flags it as from the display's clock, or its completion as from the
//!   display.
//! - [`FrameCallbacks`]: the arrival of the callback, which compositors send when they repaint. The stamp in it is in
//!   milliseconds of no particular clock and only tells repaints apart. No callback means that the window is not shown.
//!
//! Cost: two requests and two events per frame; wayland-client allocates for each object.
#![allow(unsafe_code, reason = "the connection and the surface come as raw pointers from another library")]

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::rc::Rc;
use std::time::Duration;

use wayland_client::backend::{Backend, ObjectId};
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::wl_callback::{self, WlCallback};
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::protocol::wl_surface::WlSurface;
use wayland_client::{Connection, Dispatch, EventQueue, Proxy, QueueHandle};
use wayland_protocols::wp::presentation_time::client::wp_presentation::{self, WpPresentation};
use wayland_protocols::wp::presentation_time::client::wp_presentation_feedback::{
    self, Kind, WpPresentationFeedback,
};

use super::{Attribution, SourceError, SourceEvent, VsyncSource, patience};
use crate::pacing::{FrameId, Origin, Presentation, VblankSample};
use crate::time::{Clock, MonotonicClock, Timestamp};

/// `CLOCK_MONOTONIC` of Linux and the BSDs that Wayland runs on (FreeBSD and its descendants count differently).
#[cfg(target_os = "linux")]
const CLOCK_MONOTONIC: u32 = 1;
#[cfg(any(target_os = "freebsd", target_os = "dragonfly"))]
const CLOCK_MONOTONIC: u32 = 4;
#[cfg(any(target_os = "netbsd", target_os = "openbsd"))]
const CLOCK_MONOTONIC: u32 = 3;

/// An arrival is as exact as the queue is looked at often.
const EXACT: Duration = Duration::from_millis(2);

/// What the two sources share.
struct Shared {
    // Dropped in this order: objects before the queue, the queue before the connection.
    presentation: Option<WpPresentation>,
    surface: WlSurface,
    queue: EventQueue<State>,
    connection: Connection,
    state: State,
    polled: Timestamp,
    before: Timestamp,
    lost: Option<SourceError>,
}

#[derive(Default)]
struct State {
    clock: Option<u32>,
    feedback: Vec<(FrameId, Outcome)>,
    callbacks: Vec<(FrameId, u32)>,
    attribution: Attribution,
}

enum Outcome {
    Presented(VblankSample),
    Discarded,
}

impl Shared {
    /// Sorts out what has arrived, once per `now`.
    fn dispatch(&mut self, now: Timestamp) -> Result<(), SourceError> {
        if self.lost.is_none() && self.polled != now {
            (self.before, self.polled) = (self.polled, now);
            if let Err(e) = self.queue.dispatch_pending(&mut self.state) {
                self.lost = Some(SourceError::lost(format!("the compositor does not answer: {e}")));
            }
        }
        self.lost.clone().map_or(Ok(()), Err)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(presentation) = self.presentation.take() {
            presentation.destroy();
            // The compositor may be gone.
            let _ = self.connection.flush();
        }
    }
}

/// Binds to the surface that a window is drawn to. `hz` is the nominal refresh rate, where it is known. `on_hidden` is
/// called when the window is found hidden, before an empty commit: a frame callback that it asks for comes when the
/// window is shown again.
///
/// # Errors
/// The first result: when the compositor has no presentation feedback that can be used. The outer one: when the
/// connection is of no use at all.
///
/// # Safety
/// `display` is a live `wl_display` and `surface` a live `wl_surface` on it; both outlive what is returned.
pub unsafe fn open(
    display: NonNull<c_void>,
    surface: NonNull<c_void>,
    hz: Option<f64>,
    on_hidden: Box<dyn Fn()>,
) -> Result<(Result<WaylandPresentation, SourceError>, FrameCallbacks), SourceError> {
    let failed = |e: &dyn std::fmt::Display| SourceError::new(format!("the connection cannot be used: {e}"));
    // SAFETY: the caller promises a live display that outlives the backend, which is dropped with the sources.
    let backend = unsafe { Backend::from_foreign_display(display.as_ptr().cast()) };
    let connection = Connection::from_backend(backend);
    let (globals, mut queue) = registry_queue_init::<State>(&connection).map_err(|e| failed(&e))?;
    let handle = queue.handle();
    // SAFETY: the caller promises a live wl_surface.
    let id = unsafe { ObjectId::from_ptr(WlSurface::interface(), surface.as_ptr().cast()) };
    let surface = WlSurface::from_id(&connection, id.map_err(|e| failed(&e))?).map_err(|e| failed(&e))?;
    let mut state = State::default();
    let mut why = None;
    let presentation = match globals.bind::<WpPresentation, _, _>(&handle, 1..=1, ()) {
        Ok(presentation) => {
            queue.roundtrip(&mut state).map_err(|e| failed(&e))?;
            why = match state.clock {
                Some(CLOCK_MONOTONIC) => None,
                Some(id) => Some(format!("its stamps are of clock {id}, not of CLOCK_MONOTONIC")),
                None => Some("it does not say which clock its stamps are of".into()),
            };
            Some(presentation)
        }
        Err(e) => {
            why.get_or_insert(format!("the compositor has none: {e}"));
            None
        }
    };
    let shared = Rc::new(RefCell::new(Shared {
        presentation,
        surface,
        queue,
        connection,
        state,
        polled: Timestamp::ZERO,
        before: Timestamp::ZERO,
        lost: None,
    }));
    let feedback = match why {
        None => {
            Ok(WaylandPresentation { shared: Rc::clone(&shared), origin: Origin::Compositor, shifted: false })
        }
        Some(why) => Err(SourceError::new(why)),
    };
    let callbacks = FrameCallbacks {
        shared,
        patience: patience(hz.filter(|hz| *hz >= 1.0).map(|hz| Duration::from_secs_f64(1.0 / hz))),
        on_hidden,
        newest: FrameId(0),
        open: false,
        waiting: None,
        seen: false,
        hidden: false,
    };
    Ok((feedback, callbacks))
}

/// Presentation-time feedback: see the [module](self).
pub struct WaylandPresentation {
    shared: Rc<RefCell<Shared>>,
    origin: Origin,
    /// Stamps were found to belong to a later commit than they name.
    shifted: bool,
}

impl std::fmt::Debug for WaylandPresentation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WaylandPresentation").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl VsyncSource for WaylandPresentation {
    fn name(&self) -> &'static str {
        "wp_presentation"
    }

    fn origin(&self) -> Origin {
        self.origin
    }

    fn answers(&self) -> bool {
        true
    }

    fn before_swap(&mut self, id: FrameId, _now: Timestamp) {
        let shared = self.shared.borrow();
        if let Some(presentation) = &shared.presentation {
            presentation.feedback(&shared.surface, &shared.queue.handle(), id);
        }
    }

    fn after_swap(&mut self, _id: FrameId, _now: Timestamp) {}

    fn poll(&mut self, now: Timestamp, sink: &mut dyn FnMut(SourceEvent)) -> Result<(), SourceError> {
        let mut shared = self.shared.borrow_mut();
        let dispatched = shared.dispatch(now);
        let State { feedback, attribution, .. } = &mut shared.state;
        for (id, outcome) in feedback.drain(..) {
            match outcome {
                Outcome::Discarded => sink(SourceEvent::Presented(id, Presentation::Dropped)),
                Outcome::Presented(sample) => {
                    self.origin = sample.origin;
                    sink(SourceEvent::Vblank(sample));
                    let shown = attribution.presented(id, sample.at);
                    if attribution.shifted() != self.shifted {
                        self.shifted = attribution.shifted();
                        if self.shifted {
                            log::info!("the compositor's display times name the commit before: corrected");
                        }
                    }
                    if let Some(id) = shown {
                        sink(SourceEvent::Presented(id, Presentation::At(sample.at, sample.origin)));
                    }
                }
            }
        }
        if shared.state.clock.is_some_and(|id| id != CLOCK_MONOTONIC) {
            return Err(SourceError::new("has changed to another clock than CLOCK_MONOTONIC"));
        }
        dispatched
    }
}

/// Frame callbacks: see the [module](self).
pub struct FrameCallbacks {
    shared: Rc<RefCell<Shared>>,
    patience: Duration,
    on_hidden: Box<dyn Fn()>,
    newest: FrameId,
    /// A callback is outstanding.
    open: bool,
    /// Since when nothing but the compositor keeps it from coming.
    waiting: Option<Timestamp>,
    seen: bool,
    hidden: bool,
}

impl std::fmt::Debug for FrameCallbacks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrameCallbacks").field("newest", &self.newest).finish_non_exhaustive()
    }
}

impl VsyncSource for FrameCallbacks {
    fn name(&self) -> &'static str {
        "frame callbacks"
    }

    fn origin(&self) -> Origin {
        Origin::Estimated
    }

    fn answers(&self) -> bool {
        true
    }

    fn tells_visibility(&self) -> bool {
        true
    }

    fn one_by_one(&self) -> bool {
        true
    }

    fn poll_every(&self) -> Duration {
        EXACT / 2
    }

    fn set_refresh(&mut self, hz: f64) {
        self.patience = patience((hz >= 1.0).then(|| Duration::from_secs_f64(1.0 / hz)));
    }

    fn before_swap(&mut self, id: FrameId, _now: Timestamp) {
        let shared = self.shared.borrow();
        shared.surface.frame(&shared.queue.handle(), id);
        self.newest = id;
    }

    fn after_swap(&mut self, _id: FrameId, _now: Timestamp) {
        self.open = true;
        // Whoever draws has a reason to; it is found out anew whether in vain.
        self.hidden = false;
    }

    fn gpu_done(&mut self, _id: FrameId, at: Timestamp) {
        if self.open {
            self.waiting.get_or_insert(at);
        }
    }

    fn poll(&mut self, now: Timestamp, sink: &mut dyn FnMut(SourceEvent)) -> Result<(), SourceError> {
        let mut shared = self.shared.borrow_mut();
        let dispatched = shared.dispatch(now);
        let exact = now.saturating_since(shared.before) <= EXACT;
        let callbacks = &mut shared.state.callbacks;
        if !callbacks.is_empty() {
            (self.waiting, self.seen) = (None, true);
            if exact {
                sink(SourceEvent::Vblank(VblankSample {
                    at: now,
                    sequence: None,
                    period: None,
                    origin: Origin::Estimated,
                }));
            }
            if std::mem::take(&mut self.hidden) {
                sink(SourceEvent::Visible(true));
            }
        }
        for &(id, stamp) in callbacks.iter() {
            self.open &= id != self.newest;
            let what = if superseded(callbacks, (id, stamp)) {
                Presentation::Dropped
            } else {
                Presentation::Estimated(now)
            };
            sink(SourceEvent::Presented(id, what));
        }
        callbacks.clear();
        dispatched?;
        if self.seen && self.waiting.is_some_and(|since| now.saturating_since(since) > self.patience) {
            (self.waiting, self.hidden) = (None, true);
            (self.on_hidden)();
            shared.surface.commit();
            // Should that fail, dispatching says so.
            let _ = shared.connection.flush();
            sink(SourceEvent::Visible(false));
        }
        Ok(())
    }
}

impl Dispatch<WlRegistry, GlobalListContents> for State {
    fn event(
        _: &mut Self,
        _: &WlRegistry,
        _: wl_registry::Event,
        _: &GlobalListContents,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

impl Dispatch<WpPresentation, ()> for State {
    fn event(
        state: &mut Self,
        _: &WpPresentation,
        event: wp_presentation::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wp_presentation::Event::ClockId { clk_id } = event {
            state.clock = Some(clk_id);
        }
    }
}

impl Dispatch<WpPresentationFeedback, FrameId> for State {
    fn event(
        state: &mut Self,
        _: &WpPresentationFeedback,
        event: wp_presentation_feedback::Event,
        id: &FrameId,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        use wp_presentation_feedback::Event;
        let outcome = match event {
            Event::Presented { tv_sec_hi, tv_sec_lo, tv_nsec, refresh, seq_hi, seq_lo, flags } => {
                let kind = Kind::from_bits_truncate(flags.into());
                let hardware = kind.intersects(Kind::HwClock | Kind::HwCompletion);
                let seconds = join(tv_sec_hi, tv_sec_lo);
                let sequence = join(seq_hi, seq_lo);
                Outcome::Presented(VblankSample {
                    at: Timestamp::from_nanos(
                        seconds.saturating_mul(1_000_000_000).saturating_add(tv_nsec.into()),
                    ),
                    // Zero: not known, by the protocol.
                    sequence: (sequence > 0).then_some(sequence),
                    period: (refresh > 0).then(|| Duration::from_nanos(refresh.into())),
                    origin: if hardware { Origin::Hardware } else { Origin::Compositor },
                })
            }
            Event::Discarded => Outcome::Discarded,
            _ => return,
        };
        state.feedback.push((*id, outcome));
    }
}

impl Dispatch<WlCallback, FrameId> for State {
    fn event(
        state: &mut Self,
        _: &WlCallback,
        event: wl_callback::Event,
        id: &FrameId,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wl_callback::Event::Done { callback_data } = event {
            state.callbacks.push((*id, callback_data));
            state.attribution.repainted(*id, stamp_near(MonotonicClock.now(), callback_data));
        }
    }
}

/// Whether a later commit was shown in this one's place. All callbacks up to the commit that a repaint shows come with it,
/// and with its stamp; in which order is the compositor's choice.
fn superseded(callbacks: &[(FrameId, u32)], (id, stamp): (FrameId, u32)) -> bool {
    callbacks.iter().any(|(other, at)| *at == stamp && *other > id)
}

/// The stamp of a callback, where it is of the monotonic clock; otherwise its arrival.
fn stamp_near(now: Timestamp, ms: u32) -> Timestamp {
    const MS: u64 = 1_000_000;
    // Milliseconds since the stamp, by the low 32 bits of both; in the middle of the millisecond that it names.
    let ago = ((now.as_nanos() / MS) as u32).wrapping_sub(ms);
    if ago < 1_000 {
        Timestamp::from_nanos((now.as_nanos() / MS - u64::from(ago)) * MS + MS / 2)
    } else {
        now
    }
}

const fn join(hi: u32, lo: u32) -> u64 {
    (hi as u64) << 32 | lo as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repaint_shows_the_newest_of_its_commits_in_whatever_order_it_answers() {
        let shown = |callbacks: &[(FrameId, u32)]| {
            let shown = callbacks.iter().filter(|callback| !superseded(callbacks, **callback));
            shown.map(|(id, _)| id.0).collect::<Vec<_>>()
        };
        let mut callbacks = [(3, 20), (4, 20), (5, 20), (6, 36)].map(|(id, ms)| (FrameId(id), ms));
        assert_eq!(shown(&callbacks), [5, 6]);
        callbacks.reverse();
        assert_eq!(shown(&callbacks), [6, 5]);
    }
}
