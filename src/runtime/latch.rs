use std::cell::{Cell, RefCell};

use super::input::LatestInput;
use crate::sync::snapshot::{self, DEFAULT_SLOTS, Reader};
use crate::time::Timestamp;

/// The newest input, to be read immediately before what depends on it is handed to the GPU (a late latch).
#[derive(Debug)]
pub struct Latch {
    latest: RefCell<Reader<LatestInput>>,
    taken: Cell<Option<Timestamp>>,
}

impl Latch {
    /// A latch over this buffer.
    pub(super) const fn new(latest: Reader<LatestInput>) -> Self {
        Self { latest: RefCell::new(latest), taken: Cell::new(None) }
    }

    /// A latch that never has any input, for pictures without a run.
    #[must_use]
    pub fn empty() -> Self {
        Self::new(snapshot::buffer::<_, DEFAULT_SLOTS>(|_| LatestInput::default()).1)
    }

    /// The newest input. Its sample time goes into the frame's record. About as cheap as reading the clock; never waits.
    pub fn read(&self, now: Timestamp) -> LatestInput {
        self.taken.set(Some(now));
        self.latest.try_borrow_mut().map(|mut latest| *latest.acquire().value).unwrap_or_default()
    }

    /// A frame begins: nothing was read for it yet.
    pub(super) fn begin(&self) {
        self.taken.set(None);
    }

    /// When it was read for this frame, if it was.
    pub(super) const fn taken(&self) -> Option<Timestamp> {
        self.taken.get()
    }
}
