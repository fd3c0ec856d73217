use crate::error::Result;
use crate::gl::{CreateContext, Frame, Renderer};
use crate::runtime::{Demand, InputEvent, InputKind, KeyCode, Logic, Tick};

/// The whole window, black or white.
#[derive(Clone, Debug)]
pub struct Flash {
    white: bool,
    shown: bool,
    changed: bool,
    flip: bool,
    demand: Demand,
}

impl Flash {
    /// Turns on space and mouse buttons, and starts black. With `animate` a frame is drawn all the time.
    #[must_use]
    pub const fn on_input(animate: bool) -> Self {
        Self {
            white: false,
            shown: false,
            changed: true,
            flip: false,
            demand: if animate { Demand::EveryFrame } else { Demand::OnInput },
        }
    }

    /// Turns with every frame.
    #[must_use]
    pub const fn every_frame() -> Self {
        Self { white: false, shown: false, changed: true, flip: true, demand: Demand::EveryFrame }
    }
}

impl Logic for Flash {
    /// Whether it is white.
    type Snapshot = bool;

    fn input(&mut self, event: &InputEvent) {
        let turn = matches!(
            event.kind,
            InputKind::Key { code: KeyCode::Space, pressed: true, repeat: false }
                | InputKind::Button { pressed: true, .. }
        );
        self.white ^= turn && !self.flip;
    }

    fn update(&mut self, _tick: &Tick) {
        self.white ^= self.flip;
        self.changed = self.white != self.shown;
        self.shown = self.white;
    }

    fn changed(&self) -> bool {
        self.changed
    }

    fn extract(&self, white: &mut bool) {
        *white = self.white;
    }

    fn demand(&self) -> Demand {
        self.demand
    }
}

#[derive(Debug)]
pub(super) struct FlashRenderer;

impl Renderer<bool> for FlashRenderer {
    fn render(&mut self, white: &bool, frame: &mut Frame<'_>) {
        let level = if *white { 1.0 } else { 0.0 };
        frame.pass("flash");
        frame.clear([level, level, level, 1.0]);
    }

    fn restore(&mut self, _: &CreateContext<'_>) -> Result<()> {
        Ok(()) // nothing of it lives in a context
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn press(code: KeyCode, repeat: bool) -> InputEvent {
        InputEvent::new(Timestamp::ZERO, InputKind::Key { code, pressed: true, repeat })
    }

    #[test]
    fn flash_turns_once_per_press_and_not_on_repeats_or_other_keys() {
        let mut flash = Flash::on_input(false);
        flash.input(&press(KeyCode::Space, false));
        assert!(flash.white);
        flash.input(&press(KeyCode::Space, true));
        flash.input(&press(KeyCode::KeyA, false));
        assert!(flash.white);
        flash.update(&Tick::default());
        assert!(flash.white);
        flash.input(&press(KeyCode::Space, false));
        assert!(!flash.white);
    }

    #[test]
    fn flip_turns_with_every_step_whatever_the_input() {
        let mut flip = Flash::every_frame();
        flip.input(&press(KeyCode::Space, false));
        flip.update(&Tick::default());
        assert!(flip.white);
        flip.update(&Tick::default());
        assert!(!flip.white);
    }
}
