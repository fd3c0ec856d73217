use super::{Backend, RenderStep};
use crate::error::Result;
use crate::pacing::Pacing;
use crate::runtime::Demand;
use crate::runtime::Size;
use crate::runtime::control::Wishes;
use crate::time::Timestamp;

impl<S, B: Backend<S>> RenderStep<S, B> {
    /// Takes over what the host asked for since the last call.
    pub(in crate::runtime) fn apply(&mut self, wishes: Wishes, now: Timestamp) -> Result<()> {
        if let Some((size, scale)) = wishes.size {
            self.set_size(size, scale, wishes.wandered, now)?;
        }
        if !self.pane.shown && (wishes.redraw || wishes.size.is_some()) {
            // Something has happened to the window. If it is still hidden, the display says so again.
            self.set_shown(true, now);
        }
        if let Some(visible) = wishes.visible
            && visible != self.pane.visible
        {
            self.pane.visible = visible;
            self.tell_visible(now);
        }
        if let Some(hz) = wishes.refresh_hz {
            self.set_refresh(hz);
        }
        let stepped = (0..wishes.next_pacing).fold(self.pacer.mode(), |mode, _| mode.next());
        let stepped = (wishes.next_pacing > 0).then_some(stepped);
        if let Some(mode) = wishes.pacing.or(stepped) {
            self.set_pacing(mode, now);
        }
        self.apply_limits(&wishes, now);
        if wishes.toggle_overlay {
            self.backend.toggle_overlay();
        }
        let rests = self.snapshots.current().marks.demand == Demand::OnInput;
        self.pane.redraw |= wishes.redraw || wishes.toggle_overlay || (wishes.overlay_input && rests);
        Ok(())
    }

    /// The display's nominal rate is another one, whoever said so. What is no rate changes nothing.
    pub(super) fn set_refresh(&mut self, hz: f64) {
        if !(hz.is_finite() && hz >= 1.0) {
            return;
        }
        self.pacer.set_refresh(hz);
        self.backend.set_refresh(hz);
        self.figures.set_refresh_hz(hz);
        self.tell_refresh();
    }

    /// `wandered`: it had other sizes in between, so that one like the present is news as well.
    fn set_size(&mut self, size: Size, scale: f32, wandered: bool, now: Timestamp) -> Result<()> {
        if size == self.pane.size && (scale - self.pane.scale).abs() <= f32::EPSILON && !wandered {
            return Ok(());
        }
        if self.pane.size.is_empty() {
            self.standstill.ended(now);
        }
        (self.pane.size, self.pane.scale) = (size, scale);
        self.resize()?;
        self.pane.redraw = true;
        Ok(())
    }

    fn set_pacing(&mut self, mode: Pacing, now: Timestamp) {
        log::info!("pacing: {mode}");
        self.counted.switched(self.pacer.mode(), mode, now, &self.pacer.state());
        self.pacer.set_mode(mode);
        self.throttle.ask(&mut self.backend, &mut self.pacer);
        self.tell_refresh();
        self.tell_readers();
        self.standstill.changed();
        // The order in hand may be for a time that the old mode had far ahead.
        if mode == Pacing::Host {
            self.orders.withdraw();
        } else {
            self.order_next(now);
        }
    }

    /// What frames are made within: the share that may miss, the cap, the layout, the host's ticks.
    fn apply_limits(&mut self, wishes: &Wishes, now: Timestamp) {
        if let Some(budget) = wishes.miss_budget {
            self.pacer.set_miss_budget(budget);
        }
        if let Some(cap) = wishes.cap {
            self.pacer.set_cap(cap);
            self.standstill.changed();
            self.tell_refresh();
            // The order in hand may be for a time that the old cap had far ahead.
            self.order_next(now);
        }
        if let Some(range) = wishes.vrr {
            self.pacer.set_vrr(range);
            self.standstill.changed();
            self.tell_refresh();
            self.order_next(now);
        }
        if let Some(layout) = wishes.layout {
            self.options.layout = layout;
            self.pacer.set_layout(layout);
        }
        if let Some(target) = wishes.host_tick {
            self.pacer.host_tick(target);
            if self.pacer.mode() == Pacing::Host {
                self.orders.order(&mut self.pacer, now);
            }
        }
    }
}
