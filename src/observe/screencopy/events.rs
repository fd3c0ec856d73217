//! What the compositor says.

use wayland_client::globals::GlobalListContents;
use wayland_client::protocol::{wl_buffer, wl_output, wl_registry, wl_shm, wl_shm_pool};
use wayland_client::{Connection, Dispatch, QueueHandle, WEnum, delegate_noop};
use wayland_protocols_wlr::screencopy::v1::client::{
    zwlr_screencopy_frame_v1::{self, ZwlrScreencopyFrameV1},
    zwlr_screencopy_manager_v1::ZwlrScreencopyManagerV1,
};

use super::region::{Form, Wanted, strange};
use super::{STALE, State};
use crate::time::{Clock as _, MonotonicClock, Timestamp};

impl Dispatch<ZwlrScreencopyFrameV1, u64> for State {
    fn event(
        state: &mut Self,
        frame: &ZwlrScreencopyFrameV1,
        event: zwlr_screencopy_frame_v1::Event,
        &id: &u64,
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        use zwlr_screencopy_frame_v1::Event;
        // One that was given back may have had an answer under way.
        let found = state.regions.iter_mut().chain(&mut state.whole).find(|region| region.id == id);
        let Some(region) = found else { return };
        match event {
            Event::Buffer { format, width, height, stride } => {
                let format = match format {
                    WEnum::Value(format) => format,
                    WEnum::Unknown(_) => return state.error = Some(strange()),
                };
                let red_first = match format {
                    wl_shm::Format::Xrgb8888 | wl_shm::Format::Argb8888 => false,
                    wl_shm::Format::Xbgr8888 | wl_shm::Format::Abgr8888 => true,
                    _ => return state.error = Some(strange()),
                };
                let form = Form { width, height, stride, red_first, format };
                if let Err(e) = region.copy(frame, form, handle) {
                    state.error = Some(e);
                }
            }
            Event::Ready { tv_sec_hi, tv_sec_lo, tv_nsec } => {
                let seconds = u64::from(tv_sec_hi) << 32 | u64::from(tv_sec_lo);
                let at = seconds.saturating_mul(1_000_000_000).saturating_add(u64::from(tv_nsec));
                if let Err(e) = region.take() {
                    state.error = Some(e);
                }
                if region.wanted == Wanted::Now {
                    // The refresh was made for us: its time says nothing of a change.
                    return;
                }
                state.copies += 1;
                region.ask(handle);
                let (at, now) = (Timestamp::from_nanos(at), MonotonicClock.now());
                if at <= now && now.saturating_since(at) < STALE {
                    state.stamp = state.stamp.max(Some(at));
                }
            }
            // As when the output is switched off meanwhile; it may be on again the next time.
            Event::Failed => region.ask(handle),
            _ => {}
        }
    }
}

impl Dispatch<wl_output::WlOutput, ()> for State {
    fn event(
        state: &mut Self,
        _: &wl_output::WlOutput,
        event: wl_output::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        use wl_output::{Event, Mode};
        match event {
            Event::Mode { flags: WEnum::Value(flags), width, height, refresh }
                if flags.contains(Mode::Current) =>
            {
                state.mode = (width.unsigned_abs(), height.unsigned_abs());
                state.refresh_millihertz = refresh.unsigned_abs();
            }
            Event::Scale { factor } => state.scale = factor.max(1).unsigned_abs(),
            Event::Geometry { transform: WEnum::Value(transform), .. } => {
                // Every second of the eight ways lies on its side.
                state.turned = u32::from(transform) % 2 == 1;
            }
            _ => {}
        }
    }
}

ignore_registry!(State);

delegate_noop!(State: ignore wl_shm::WlShm);
delegate_noop!(State: ignore wl_buffer::WlBuffer);
delegate_noop!(State: wl_shm_pool::WlShmPool);
delegate_noop!(State: ZwlrScreencopyManagerV1);
