use glow::HasContext as _;

use super::Gl;
use crate::pacing::FrameId;

/// `GL_VERTEX_SHADER_INVOCATIONS` and `GL_FRAGMENT_SHADER_INVOCATIONS`, which glow does not name.
const COUNTED: [u32; 2] = [0x82F0, 0x82F4];
/// Frames whose counts are waited for.
const FRAMES: usize = 8;
/// As for time stamps.
const AFTER: u64 = 3;

/// Counts how often a frame's vertex and fragment shaders ran (`ARB_pipeline_statistics_query`), polled frames later and
/// never waited for. It tells vertex from fragment work, as far as numbers do: not what one of them took.
#[derive(Debug)]
pub(super) struct Invocations {
    gl: Gl,
    slots: Vec<(FrameId, [glow::Query; 2])>,
    oldest: usize,
    waiting: usize,
    open: bool,
}

impl Invocations {
    /// For the context; `None` where the driver does not count.
    pub(super) fn new(gl: &Gl) -> Option<Self> {
        if !gl.caps().pipeline_statistics {
            return None;
        }
        let mut slots = Vec::with_capacity(FRAMES);
        for _ in 0..FRAMES {
            // SAFETY: makes names in the current context.
            let made = unsafe { (gl.raw().create_query(), gl.raw().create_query()) };
            slots.push((FrameId(0), [made.0.ok()?, made.1.ok()?]));
        }
        Some(Self { gl: gl.clone(), slots, oldest: 0, waiting: 0, open: false })
    }

    pub(super) fn begin(&mut self, frame: FrameId) {
        if self.waiting == FRAMES {
            self.pop();
        }
        let slot = &mut self.slots[(self.oldest + self.waiting) % FRAMES];
        slot.0 = frame;
        self.waiting += 1;
        self.open = true;
        for (target, query) in COUNTED.into_iter().zip(slot.1) {
            // SAFETY: the query is ours, is used for this target only, and no other of this target is open.
            unsafe { self.gl.raw().begin_query(target, query) }
        }
    }

    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.open) {
            for target in COUNTED {
                // SAFETY: a query of this target was begun.
                unsafe { self.gl.raw().end_query(target) }
            }
        }
    }

    /// Hands out vertices and fragments of frames that are at least three older than `newest`.
    pub(super) fn poll(&mut self, newest: FrameId, mut sink: impl FnMut(FrameId, u64, u64)) {
        let count = |query: glow::Query, what| {
            // SAFETY: the query is ours and has ended.
            unsafe { self.gl.raw().get_query_parameter_u32(query, what) }
        };
        let mut done = 0;
        while done < self.waiting {
            let (frame, [vertices, fragments]) = self.slots[(self.oldest + done) % FRAMES];
            if frame.0 + AFTER > newest.0
                || [vertices, fragments].into_iter().any(|q| count(q, glow::QUERY_RESULT_AVAILABLE) == 0)
            {
                break;
            }
            let result = |query| u64::from(count(query, glow::QUERY_RESULT));
            sink(frame, result(vertices), result(fragments));
            done += 1;
        }
        (0..done).for_each(|_| self.pop());
    }

    fn pop(&mut self) {
        self.oldest = (self.oldest + 1) % FRAMES;
        self.waiting -= 1;
    }
}

impl Drop for Invocations {
    fn drop(&mut self) {
        if self.gl.is_alive() {
            for query in self.slots.iter().flat_map(|(_, queries)| queries) {
                // SAFETY: the query is ours and alive, and forgotten with this.
                unsafe { self.gl.raw().delete_query(*query) }
            }
        }
    }
}
