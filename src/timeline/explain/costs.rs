use std::collections::HashMap;
use std::ops::Index;

use super::Cause;
use super::spans::Spans;
use crate::stats::{FrameRecord, Stage};
use crate::time::{Timestamp, nanos};
use crate::timeline::{Event, Kind};

/// Sleeps that end later than this tell of a system that had something else to do, in nanoseconds.
const OVERSLEPT: u64 = 500_000;

/// What held one frame up, by causes, in nanoseconds.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub struct Costs([u64; Cause::ALL.len()]);

impl Index<Cause> for Costs {
    type Output = u64;

    fn index(&self, cause: Cause) -> &u64 {
        &self.0[cause as usize]
    }
}

impl Costs {
    pub(super) const fn add(&mut self, cause: Cause, nanos: u64) {
        self.0[cause as usize] += nanos;
    }
}

/// A span of one frame, with what the system says of its thread.
#[derive(Copy, Clone, Debug, Default)]
struct Told {
    /// Ready to run, and something else ran.
    delay: u64,
    /// On a processor; `None`: nobody told.
    ran: Option<u64>,
}

/// What happened, in a form in which it can be asked what happened when.
#[derive(Debug, Default)]
pub(super) struct Happened {
    /// The GPU was busy.
    gpu: Spans,
    fences: Spans,
    compiles: Spans,
    uploads: Spans,
    swaps: Spans,
    draws: Spans,
    steps: Spans,
    /// A thread should have woken and had not.
    overslept: Spans,
    /// What the render thread says of its drawing and swap, by frame; the logic's step by snapshot.
    told: HashMap<(Kind, u64), Told>,
    /// The end of each frame's last pass.
    gpu_end: HashMap<u64, Timestamp>,
    /// What each pass took, by frame and name.
    pub(super) passes: Vec<(u64, String, u64)>,
    /// Vertices and fragments, by frame.
    pub(super) invocations: HashMap<u64, (u64, u64)>,
}

impl Happened {
    pub(super) fn new(events: &[Event<'_>]) -> Self {
        let spans = |kind: Kind| -> Spans {
            events.iter().filter(|e| e.kind == kind).map(|e| (e.start, e.end)).collect()
        };
        let late = events.iter().filter(|e| e.kind == Kind::Sleep && e.value > OVERSLEPT);
        let mut index = Self {
            gpu: spans(Kind::Gpu),
            fences: spans(Kind::Fence),
            compiles: spans(Kind::Compile),
            uploads: spans(Kind::Upload),
            swaps: spans(Kind::Swap),
            draws: spans(Kind::Render),
            steps: spans(Kind::Logic),
            overslept: late
                .map(|e| (e.end.offset(-i64::try_from(e.value).unwrap_or(i64::MAX)), e.end))
                .collect(),
            ..Self::default()
        };
        // A shader that is compiled while data goes up is a compile.
        index.uploads = index.uploads.without(&index.compiles);
        // A swap that waits for a fence waits for that.
        index.swaps = index.swaps.without(&index.fences);
        for event in events {
            match event.kind {
                Kind::Logic | Kind::Render | Kind::Swap => {
                    let ran = Some(event.value).filter(|ran| *ran > 0);
                    index.told.insert((event.kind, event.frame), Told { delay: event.delay, ran });
                }
                Kind::Gpu => {
                    let end = index.gpu_end.entry(event.frame).or_insert(event.end);
                    *end = event.end.max(*end);
                    index.passes.push((event.frame, event.name.to_owned(), nanos(event.span())));
                }
                Kind::Invocations => {
                    index.invocations.insert(event.frame, (event.value, event.delay));
                }
                _ => {}
            }
        }
        index
    }

    pub(super) const fn gpu_timed(&self) -> bool {
        !self.gpu.is_empty()
    }

    fn told(&self, kind: Kind, id: u64) -> Told {
        self.told.get(&(kind, id)).copied().unwrap_or_default()
    }

    /// When the GPU was done with the frame, as well as it is known: a fence is seen some time later.
    fn gpu_done(&self, record: &FrameRecord) -> Option<Timestamp> {
        let seen = record.at(Stage::GpuDone);
        match (self.gpu_end.get(&record.id.0).copied(), seen) {
            (Some(end), Some(seen)) => Some(end.min(seen)),
            (end, seen) => end.or(seen),
        }
    }

    /// When all of ours was done with the frame.
    pub(super) fn ready(&self, record: &FrameRecord) -> Option<Timestamp> {
        let shown = record.at(Stage::Presented)?;
        // Swap may wait until the frame is displayed, or longer.
        let swapped = record.at(Stage::SwapEnd).filter(|at| *at <= shown).or(record.at(Stage::SwapBegin));
        self.gpu_done(record).max(swapped)
    }

    /// A wait, which is the GPU's where that was busy.
    fn waited(&self, costs: &mut Costs, cause: Cause, from: Timestamp, to: Timestamp) {
        let busy = self.gpu.covered(from, to);
        costs.add(Cause::Gpu, busy);
        costs.add(cause, nanos(to.saturating_since(from)).saturating_sub(busy));
    }

    /// What the render thread did, whichever frame it was for; the rest, in which it did nothing of its own, is `rest`'s.
    fn render_thread(&self, costs: &mut Costs, from: Timestamp, to: Timestamp, rest: Option<Cause>) {
        let fences: Vec<_> = self.fences.within(from, to).collect();
        let mut left = nanos(to.saturating_since(from));
        for &(a, b) in &fences {
            self.waited(costs, Cause::Fence, a, b);
            left = left.saturating_sub(nanos(b.saturating_since(a)));
        }
        for (a, b) in self.swaps.within(from, to) {
            self.waited(costs, Cause::Driver, a, b);
            left = left.saturating_sub(nanos(b.saturating_since(a)));
        }
        for (a, b) in self.draws.within(from, to) {
            let (compile, upload) = (self.compiles.covered(a, b), self.uploads.covered(a, b));
            let all = nanos(b.saturating_since(a));
            costs.add(Cause::Compile, compile);
            costs.add(Cause::Upload, upload);
            costs.add(Cause::Render, all.saturating_sub(compile + upload));
            left = left.saturating_sub(all);
        }
        if let Some(rest) = rest {
            costs.add(rest, left);
        }
    }

    /// Time in which a thread of ours did not run although it could have: waiting for a processor as the system tells,
    /// and standing still while another thread overslept as well (a process that was stopped).
    fn not_scheduled(&self, told: Told, from: Timestamp, to: Timestamp) -> u64 {
        let all = nanos(to.saturating_since(from));
        let still = told.ran.map_or(0, |ran| all.saturating_sub(ran + told.delay));
        (told.delay + still.min(self.overslept.covered(from, to))).min(all)
    }

    /// What held the frame up.
    pub(super) fn costs(&self, record: &FrameRecord) -> Costs {
        let mut costs = Costs::default();
        let at = |stage| record.at(stage);
        if let (Some(sampled), Some(done)) = (at(Stage::InputSampled), at(Stage::LogicDone)) {
            if let Some(planned) = record.planned.filter(|planned| *planned < sampled && !record.after_idle) {
                self.start(&mut costs, planned, sampled);
            }
            let lost = self.not_scheduled(self.told(Kind::Logic, record.snapshot), sampled, done);
            costs.add(Cause::Scheduler, lost);
            costs.add(Cause::Logic, nanos(done.saturating_since(sampled)).saturating_sub(lost));
        }
        let (Some(acquired), Some(submitted)) = (at(Stage::SnapshotAcquired), at(Stage::Submitted)) else {
            return costs;
        };
        if let Some(published) = at(Stage::SnapshotPublished) {
            self.render_thread(&mut costs, published, acquired, Some(Cause::Scheduler));
        }
        self.drawing(&mut costs, record.id.0, acquired, submitted);
        let (Some(swap), Some(swapped)) = (at(Stage::SwapBegin), at(Stage::SwapEnd)) else { return costs };
        // What is beyond the planned hold.
        let due = record.swap_at.map_or(submitted, |at| at.max(submitted));
        costs.add(Cause::Scheduler, nanos(swap.saturating_since(due)));
        let shown = at(Stage::Presented).unwrap_or(Timestamp::MAX);
        // What swap waited for after the display had the frame did not hold that up.
        let end = swapped.min(shown.max(swap));
        let lost = self.not_scheduled(self.told(Kind::Swap, record.id.0), swap, end);
        costs.add(Cause::Scheduler, lost);
        let mut waits = Costs::default();
        self.render_thread(&mut waits, swap, end, Some(Cause::Driver));
        for cause in [Cause::Gpu, Cause::Fence, Cause::Driver] {
            // Whoever was not running did not wait for anybody either.
            let share = waits[cause] as f64 / nanos(end.saturating_since(swap)).max(1) as f64;
            costs.add(cause, waits[cause].saturating_sub((lost as f64 * share) as u64));
        }
        if let Some(done) = self.gpu_done(record).filter(|done| *done > end) {
            let done = done.min(shown);
            if self.gpu_timed() {
                costs.add(Cause::Gpu, self.gpu.covered(end, done));
            } else {
                // A fence that is seen late is all that is known.
                costs.add(Cause::Fence, nanos(done.saturating_since(end)));
            }
        }
        costs
    }

    /// From when the step was to begin until it did.
    fn start(&self, costs: &mut Costs, planned: Timestamp, sampled: Timestamp) {
        let overslept = self.overslept.covered(planned, sampled);
        costs.add(Cause::Scheduler, overslept);
        if overslept == 0 {
            // The plan came late, or the step before took until now.
            costs.add(Cause::Logic, self.steps.covered(planned, sampled));
            self.render_thread(costs, planned, sampled, None);
        }
    }

    fn drawing(&self, costs: &mut Costs, id: u64, from: Timestamp, to: Timestamp) {
        let told = self.told(Kind::Render, id);
        let all = nanos(to.saturating_since(from));
        let lost = self.not_scheduled(told, from, to);
        let (compile, upload) = (self.compiles.covered(from, to), self.uploads.covered(from, to));
        costs.add(Cause::Scheduler, lost);
        costs.add(Cause::Compile, compile);
        costs.add(Cause::Upload, upload);
        let mut fences = 0;
        for (a, b) in self.fences.within(from, to) {
            self.waited(costs, Cause::Fence, a, b);
            fences += nanos(b.saturating_since(a));
        }
        let rest = all.saturating_sub(lost + compile + upload + fences);
        // Neither running nor ready to run: something did not return. Compilers have threads of their own as well.
        let still = told
            .ran
            .map_or(0, |ran| all.saturating_sub(ran + told.delay))
            .saturating_sub(lost + fences)
            .min(rest);
        let busy = self.gpu.covered(from, to).min(still);
        costs.add(Cause::Gpu, busy);
        costs.add(Cause::Driver, still - busy);
        costs.add(Cause::Render, rest - still);
    }
}
