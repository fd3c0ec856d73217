use super::{FrameRecord, Stage};
use crate::time::Timestamp;

/// What frames that were never displayed leave to the next one that is.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Carry {
    input: Option<Timestamp>,
    idle: bool,
}

impl Carry {
    /// Takes what a frame that was not displayed has to hand on, or gives it to one that was. Frames come in their order.
    /// Returns whether it was displayed.
    pub(super) fn pass(&mut self, record: &mut FrameRecord) -> bool {
        let input = earliest(self.input, record.at(Stage::InputReceived));
        if record.dropped || record.at(Stage::Presented).is_none() {
            // Its input shows up, as far as is known, with the next frame that is displayed.
            self.input = input;
            self.idle |= record.after_idle;
            return false;
        }
        // The gap is one before the next frame that is displayed.
        record.after_idle |= std::mem::take(&mut self.idle);
        record.set(Stage::InputReceived, input);
        self.input = None;
        true
    }
}

fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        _ => a.or(b),
    }
}
