use std::ffi::{CStr, c_void};

use glow::HasContext as _;

use super::Gl;
use crate::pacing::FrameId;
use crate::time::{Clock as _, MonotonicClock};
use crate::timeline::{ClockMap, Reading};

/// Passes that one frame is timed in; more are counted and not timed.
pub const MAX_PASSES: usize = 8;
/// Frames whose times are waited for. A driver queues three, and a hiccup a few more.
const FRAMES: usize = 8;
/// Frames after which results are looked for: earlier than that, asking can make some drivers flush.
const AFTER: u64 = 3;
/// Frames between two readings of both clocks.
const CORRELATE_EVERY: u64 = 64;
/// Readings of which the least doubtful is kept.
const TRIES: usize = 3;

/// What glow 0.17 does not offer: how many bits a time stamp has, and 64-bit results without query buffers (GL 4.4), for
/// which it calls a function that is not there.
#[derive(Copy, Clone, Debug)]
pub(super) struct Functions {
    result: extern "system" fn(u32, u32, *mut u64),
    /// Bits of a time stamp; 0: there are none.
    pub(super) bits: u32,
}

impl Functions {
    /// # Safety
    /// As for [`Gl::load`]; the context has timer queries.
    pub(super) unsafe fn load(mut loader: impl FnMut(&CStr) -> *const c_void) -> Option<Self> {
        let (query, result) = (loader(c"glGetQueryiv"), loader(c"glGetQueryObjectui64v"));
        if query.is_null() || result.is_null() {
            return None;
        }
        // SAFETY: the caller's loader gives the functions of these names, whose C signatures these are.
        let (query, result) = unsafe {
            (
                std::mem::transmute::<*const c_void, extern "system" fn(u32, u32, *mut i32)>(query),
                std::mem::transmute::<*const c_void, extern "system" fn(u32, u32, *mut u64)>(result),
            )
        };
        let mut bits = 0;
        query(glow::TIMESTAMP, glow::QUERY_COUNTER_BITS, &raw mut bits);
        Some(Self { result, bits: u32::try_from(bits).unwrap_or(0) })
    }
}

/// The time that a pass took on the GPU, on the CPU's clock.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct GpuPass {
    /// The frame.
    pub frame: FrameId,
    /// The pass.
    pub name: &'static str,
    /// When the GPU had done all that came before it.
    pub begin: crate::time::Timestamp,
    /// When it had done the pass.
    pub end: crate::time::Timestamp,
}

/// Whether the passes of frames are timed on the GPU.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum GpuTiming {
    /// On GPUs, where a time stamp costs next to nothing; and on software rasterisers, which it slows down, only while a
    /// [`Timeline`](crate::timeline::Timeline) is recorded.
    #[default]
    Auto,
    /// Wherever the driver has time stamps.
    On,
    /// Never.
    Off,
}

impl GpuTiming {
    /// Whether to time in this context.
    pub(super) fn wanted(self, gl: &Gl) -> bool {
        match self {
            Self::Auto => !gl.caps().software || crate::timeline::is_on(),
            Self::On => true,
            Self::Off => false,
        }
    }
}

impl std::str::FromStr for GpuTiming {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err("GPU timing is one of: auto, on, off".into()),
        }
    }
}

/// One frame's queries.
#[derive(Debug)]
struct Slot {
    frame: FrameId,
    /// The beginning of each pass, and the end of the last.
    queries: [glow::Query; MAX_PASSES + 1],
    names: [&'static str; MAX_PASSES],
    passes: usize,
    open: bool,
}

/// Time stamps of the GPU between the passes of each frame: a ring of queries, polled frames later and never waited for.
/// After it is made it allocates nothing.
#[derive(Debug)]
pub struct GpuTimer {
    gl: Gl,
    slots: Vec<Slot>,
    /// The slot of the oldest frame that is waited for, and how many are.
    oldest: usize,
    waiting: usize,
    clock: ClockMap,
    correlated: FrameId,
    /// The implicit pass has no name of its own yet.
    implicit: bool,
    overflowed: u64,
    lost: u64,
}

impl GpuTimer {
    /// A timer for the context; `None` where the driver has no time stamps.
    #[must_use]
    pub fn new(gl: &Gl) -> Option<Self> {
        if gl.caps().timestamp_bits == 0 {
            return None;
        }
        let mut slots = Vec::with_capacity(FRAMES);
        for _ in 0..FRAMES {
            slots.push(Slot {
                frame: FrameId(0),
                queries: queries(gl)?,
                names: [""; MAX_PASSES],
                passes: 0,
                open: false,
            });
        }
        let mut timer = Self {
            gl: gl.clone(),
            slots,
            oldest: 0,
            waiting: 0,
            clock: ClockMap::new(),
            correlated: FrameId(0),
            implicit: false,
            overflowed: 0,
            lost: 0,
        };
        timer.correlate();
        Some(timer)
    }

    /// The frame's commands begin here. They belong to a pass called `scene` until [`pass`](Self::pass) names another;
    /// what came before the first name belongs to it.
    pub fn begin(&mut self, frame: FrameId) {
        if frame.0 >= self.correlated.0 + CORRELATE_EVERY {
            self.correlated = frame;
            self.correlate();
        }
        if self.waiting == FRAMES {
            // Its queries are needed; what has not come in so many frames is not waited for.
            self.lost += 1;
            self.pop();
        }
        let slot = &mut self.slots[(self.oldest + self.waiting) % FRAMES];
        (slot.frame, slot.passes, slot.open) = (frame, 0, true);
        self.implicit = false;
        self.waiting += 1;
        self.pass("scene");
        self.implicit = true;
    }

    /// From here to the next pass, or to the frame's end, commands belong to the pass `name`. One query; beyond
    /// [`MAX_PASSES`] a pass is counted in [`overflowed`](Self::overflowed) and its time belongs to the pass before.
    pub fn pass(&mut self, name: &'static str) {
        if self.waiting == 0 {
            return;
        }
        let slot = &mut self.slots[(self.oldest + self.waiting - 1) % FRAMES];
        if !slot.open {
            return;
        }
        if std::mem::take(&mut self.implicit) {
            slot.names[0] = name;
        } else if slot.passes < MAX_PASSES {
            slot.names[slot.passes] = name;
            stamp(&self.gl, slot.queries[slot.passes]);
            slot.passes += 1;
        } else {
            self.overflowed += 1;
        }
    }

    /// The frame's commands end here.
    pub fn end(&mut self) {
        self.implicit = false;
        if self.waiting == 0 {
            return;
        }
        let slot = &mut self.slots[(self.oldest + self.waiting - 1) % FRAMES];
        if std::mem::take(&mut slot.open) {
            stamp(&self.gl, slot.queries[slot.passes]);
        }
    }

    /// Hands out the passes of frames that are at least three older than `newest`, where their times are there. Never
    /// waits. `all`: the younger ones as well, at the end of a run.
    pub fn poll(&mut self, newest: FrameId, all: bool, mut sink: impl FnMut(GpuPass)) {
        while self.waiting > 0 {
            let slot = &self.slots[self.oldest];
            let young = slot.frame.0 + AFTER > newest.0 && !all;
            if slot.open || young || !available(&self.gl, slot.queries[slot.passes]) {
                return;
            }
            let mut begin = self.clock.to_cpu(result(&self.gl, slot.queries[0]));
            for i in 0..slot.passes {
                let end = self.clock.to_cpu(result(&self.gl, slot.queries[i + 1]));
                if let (Some(begin), Some(end)) = (begin, end) {
                    // Tiles that are done in any order can stamp the end of a pass before its beginning.
                    sink(GpuPass { frame: slot.frame, name: slot.names[i], begin, end: end.max(begin) });
                }
                begin = end.max(begin);
            }
            self.pop();
        }
    }

    /// Passes beyond [`MAX_PASSES`] in one frame so far.
    #[must_use]
    pub const fn overflowed(&self) -> u64 {
        self.overflowed
    }

    /// Frames whose times did not come before their queries were needed again.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// How the GPU's clock lies on the CPU's.
    #[must_use]
    pub const fn clock(&self) -> &ClockMap {
        &self.clock
    }

    fn pop(&mut self) {
        self.oldest = (self.oldest + 1) % FRAMES;
        self.waiting -= 1;
    }

    /// Reads both clocks. The driver answers without waiting for the GPU's work.
    fn correlate(&mut self) {
        let read = || {
            let before = MonotonicClock.now();
            // SAFETY: reads one integer of the current context, which has time stamps.
            let gpu = unsafe { self.gl.raw().get_parameter_i64(glow::TIMESTAMP) };
            Reading { before, gpu: gpu.cast_unsigned(), after: MonotonicClock.now() }
        };
        let best = (0..TRIES).map(|_| read()).min_by_key(|r| r.after.saturating_since(r.before));
        if let Some(best) = best {
            self.clock.learn(best);
        }
    }
}

impl Drop for GpuTimer {
    fn drop(&mut self) {
        if self.gl.is_alive() {
            for query in self.slots.iter().flat_map(|slot| slot.queries) {
                // SAFETY: the query is ours and alive, and forgotten with this.
                unsafe { self.gl.raw().delete_query(query) }
            }
        }
    }
}

fn queries(gl: &Gl) -> Option<[glow::Query; MAX_PASSES + 1]> {
    let mut made = Vec::with_capacity(MAX_PASSES + 1);
    for _ in 0..=MAX_PASSES {
        // SAFETY: makes a name in the current context.
        made.push(unsafe { gl.raw().create_query() }.ok()?);
    }
    made.try_into().ok()
}

/// Asks for a time stamp between the commands before and after it.
///
/// llvmpipe works all commands between two flushes tile by tile, and answers with the time at which the last tile came to
/// the stamp: without a flush on either side the passes of a frame would all seem to lie in its last tile.
fn stamp(gl: &Gl, query: glow::Query) {
    let software = gl.caps().software;
    // SAFETY: commands in the current context; the query is ours, and used for time stamps only.
    unsafe {
        if software {
            gl.raw().flush();
        }
        gl.raw().query_counter(query, glow::TIMESTAMP);
        if software {
            gl.raw().flush();
        }
    }
}

fn available(gl: &Gl, query: glow::Query) -> bool {
    // SAFETY: the query is ours and was asked for its time stamp.
    unsafe { gl.raw().get_query_parameter_u32(query, glow::QUERY_RESULT_AVAILABLE) != 0 }
}

/// The stamp of a query that is available, or that comes before one that is in the same frame.
fn result(gl: &Gl, query: glow::Query) -> u64 {
    let mut stamp = 0;
    if let Some(functions) = gl.timer_functions() {
        (functions.result)(query.0.get(), glow::QUERY_RESULT, &raw mut stamp);
    }
    stamp
}
