use std::time::Duration;

use super::StreamError;
use crate::time::Timestamp;
use crate::timeline::{self, Kind};

/// What a ring has done so far.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct StreamStats {
    /// Frames begun.
    pub frames: u64,
    /// Bytes written, without what alignment left out.
    pub bytes: u64,
    /// Bytes written since the last frame began.
    pub frame_bytes: usize,
    /// The most that a frame took from its segment, with what alignment left out.
    pub most_bytes: usize,
    /// How often a frame began with a wait for the GPU.
    pub waits: u64,
    /// How long all those waits took.
    pub waited: Duration,
    /// The longest of them.
    pub longest_wait: Duration,
}

/// What the ring asks of the driver. A trait, so that the order of things can be tested against a GPU that is late.
pub(super) trait Fences {
    type Fence;

    /// A fence behind all commands so far; when the driver has none left, how long all commands were waited for instead.
    fn insert(&mut self) -> Result<Self::Fence, Duration>;

    /// Whether the GPU has passed it.
    fn is_signalled(&mut self, fence: &Self::Fence) -> bool;

    /// Waits for the GPU to pass it. False when that did not happen within seconds.
    fn wait(&mut self, fence: &Self::Fence) -> bool;

    fn delete(&mut self, fence: Self::Fence);

    fn now(&self) -> Timestamp;
}

/// Which bytes of the buffer belong to this frame, and when they may be written. It knows nothing of OpenGL.
#[derive(Debug)]
pub(super) struct Segments<F: Fences> {
    pub(super) fences: F,
    /// For each segment, the fence behind its last use.
    held: Vec<Option<F::Fence>>,
    segment_bytes: usize,
    current: usize,
    /// Bytes of the segment that are taken, alignment included.
    taken: usize,
    /// The frame has begun and has no fence yet.
    open: bool,
    stats: StreamStats,
    /// Off where the driver itself keeps what it still reads.
    pub(super) fenced: bool,
}

impl<F: Fences> Segments<F> {
    pub(super) fn new(fences: F, segments: usize, segment_bytes: usize) -> Self {
        Self {
            fences,
            held: (0..segments).map(|_| None).collect(),
            segment_bytes,
            current: segments - 1,
            taken: 0,
            open: false,
            stats: StreamStats::default(),
            fenced: true,
        }
    }

    /// Whether the next frame can begin without a wait.
    pub(super) fn is_ready(&mut self) -> bool {
        let next = (self.current + 1) % self.held.len();
        // With a single segment, the frame that is still open has no fence yet and is certainly not done.
        if self.fenced && next == self.current && self.open && self.taken > 0 {
            return false;
        }
        let Self { held, fences, .. } = self;
        held[next].as_ref().is_none_or(|fence| fences.is_signalled(fence))
    }

    /// Goes on to the next segment, once the GPU is done with it.
    pub(super) fn begin(&mut self) -> Result<(), StreamError> {
        // Whoever set no fence is protected all the same: whatever used the segment was asked for before now.
        self.fence();
        let next = (self.current + 1) % self.held.len();
        if let Some(fence) = self.held[next].take() {
            let done = self.fences.is_signalled(&fence) || self.wait(&fence);
            if !done {
                self.held[next] = Some(fence);
                return Err(StreamError::Hung);
            }
            self.fences.delete(fence);
        }
        self.current = next;
        self.taken = 0;
        self.open = true;
        self.stats.frames += 1;
        self.stats.frame_bytes = 0;
        Ok(())
    }

    #[cold]
    fn wait(&mut self, fence: &F::Fence) -> bool {
        crate::profile::scope!("wait for streamed data");
        let _wait = timeline::span(Kind::Fence, "streamed data");
        let began = self.fences.now();
        let done = self.fences.wait(fence);
        let waited = self.fences.now().saturating_since(began);
        self.count_wait(waited);
        done
    }

    fn count_wait(&mut self, waited: Duration) {
        self.stats.waits += 1;
        self.stats.waited += waited;
        self.stats.longest_wait = self.stats.longest_wait.max(waited);
    }

    /// Takes `bytes` bytes from the segment. Returns where they begin in the buffer, which is a multiple of `alignment`.
    pub(super) fn take(&mut self, bytes: usize, alignment: usize) -> Result<usize, StreamError> {
        if !self.open {
            return Err(StreamError::NotBegun);
        }
        let start = self.start();
        let left = self.segment_bytes - self.taken;
        let at = (start + self.taken).next_multiple_of(alignment.max(1));
        let end = at.checked_add(bytes).filter(|&end| end <= start + self.segment_bytes);
        let end = end.ok_or(StreamError::TooLarge { asked: bytes, left, segment: self.segment_bytes })?;
        self.taken = end - start;
        self.stats.bytes += bytes as u64;
        self.stats.frame_bytes += bytes;
        self.stats.most_bytes = self.stats.most_bytes.max(self.taken);
        Ok(at)
    }

    /// Puts a fence behind what the frame has drawn. No more writes until the next frame.
    pub(super) fn fence(&mut self) {
        let open = std::mem::replace(&mut self.open, false);
        if !open || self.taken == 0 || !self.fenced {
            return;
        }
        let fence = self.fences.insert();
        if let Err(waited) = fence {
            self.count_wait(waited);
        }
        if let Some(old) = std::mem::replace(&mut self.held[self.current], fence.ok()) {
            self.fences.delete(old);
        }
    }

    /// Where this frame's segment begins in the buffer.
    pub(super) const fn start(&self) -> usize {
        self.current * self.segment_bytes
    }

    /// Where it ends.
    pub(super) const fn end(&self) -> usize {
        self.start() + self.segment_bytes
    }

    pub(super) const fn segment_bytes(&self) -> usize {
        self.segment_bytes
    }

    pub(super) const fn stats(&self) -> StreamStats {
        self.stats
    }
}

impl<F: Fences> Drop for Segments<F> {
    fn drop(&mut self) {
        for fence in self.held.iter_mut().filter_map(Option::take) {
            self.fences.delete(fence);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    /// A GPU that runs commands only when it is waited for, or when it is `lag` fences behind: as late as a driver may be.
    #[derive(Debug, Default)]
    struct LateGpu {
        memory: Vec<u8>,
        /// Reads that were asked for and not made yet; a fence is `None`.
        queue: Vec<Option<usize>>,
        seen: Vec<u8>,
        inserted: usize,
        passed: usize,
        deleted: Rc<Cell<usize>>,
        lag: usize,
        hangs: bool,
        without_fences: bool,
        time: Timestamp,
    }

    impl LateGpu {
        fn run_until(&mut self, fence: usize) {
            while self.passed < fence {
                self.run_one();
            }
        }

        fn run_all(&mut self) {
            while !self.queue.is_empty() {
                self.run_one();
            }
        }

        fn run_one(&mut self) {
            match self.queue.remove(0) {
                Some(at) => self.seen.push(self.memory[at]),
                None => self.passed += 1,
            }
        }
    }

    impl Fences for LateGpu {
        type Fence = usize;

        fn insert(&mut self) -> Result<usize, Duration> {
            if self.without_fences {
                self.run_all();
                return Err(Duration::from_millis(7));
            }
            self.queue.push(None);
            self.inserted += 1;
            self.run_until(self.inserted.saturating_sub(self.lag));
            Ok(self.inserted)
        }

        fn is_signalled(&mut self, fence: &usize) -> bool {
            self.passed >= *fence
        }

        fn wait(&mut self, fence: &usize) -> bool {
            self.time += Duration::from_millis(3);
            if !self.hangs {
                self.run_until(*fence);
            }
            !self.hangs
        }

        fn delete(&mut self, _: usize) {
            self.deleted.set(self.deleted.get() + 1);
        }

        fn now(&self) -> Timestamp {
            self.time
        }
    }

    fn ring(segments: usize, lag: usize) -> Segments<LateGpu> {
        let gpu = LateGpu { memory: vec![0; segments * 16], lag, ..LateGpu::default() };
        Segments::new(gpu, segments, 16)
    }

    /// Each frame writes its number and has the GPU read it, later. What the GPU saw.
    fn play(ring: &mut Segments<LateGpu>, frames: u8) -> Vec<u8> {
        for frame in 1..=frames {
            ring.begin().expect("a frame");
            let at = ring.take(4, 4).expect("room");
            ring.fences.memory[at..at + 4].fill(frame);
            ring.fences.queue.push(Some(at));
            ring.fence();
        }
        ring.fences.run_all();
        std::mem::take(&mut ring.fences.seen)
    }

    #[test]
    fn a_gpu_within_the_frames_in_flight_is_never_waited_for() {
        for lag in 0..=2 {
            let mut ring = ring(3, lag);
            assert_eq!(play(&mut ring, 50), (1..=50).collect::<Vec<_>>(), "lag {lag}");
            assert_eq!((ring.stats().waits, ring.stats().frames), (0, 50), "lag {lag}");
        }
    }

    #[test]
    fn a_later_gpu_is_waited_for_and_each_wait_is_counted_and_timed() {
        let mut ring = ring(3, 10);
        assert_eq!(play(&mut ring, 50), (1..=50).collect::<Vec<_>>());
        let stats = ring.stats();
        // The first three segments were free.
        assert_eq!((stats.waits, stats.longest_wait), (47, Duration::from_millis(3)));
        assert_eq!(stats.waited, Duration::from_millis(3 * 47));
    }

    #[test]
    fn without_its_fences_the_ring_hands_the_gpu_data_of_later_frames() {
        let mut ring = ring(3, 10);
        ring.fenced = false;
        let seen = play(&mut ring, 50);
        let wrong = seen.iter().zip(1..).filter(|&(&saw, wrote)| saw != wrote).count();
        assert!(wrong > 30, "{wrong} of {seen:?}");
        assert_eq!(ring.stats().waits, 0);
    }

    #[test]
    fn a_frame_that_set_no_fence_gets_one() {
        let mut ring = ring(2, 10);
        for frame in 1..=20 {
            ring.begin().expect("a frame");
            let at = ring.take(1, 1).expect("room");
            ring.fences.memory[at] = frame;
            ring.fences.queue.push(Some(at));
        }
        ring.fence();
        ring.fences.run_all();
        assert_eq!(ring.fences.seen, (1..=20).collect::<Vec<_>>());
    }

    #[test]
    fn whether_a_frame_would_wait_can_be_asked_first() {
        let mut ring = ring(2, 1);
        for _ in 0..2 {
            assert!(ring.is_ready());
            ring.begin().expect("a frame");
            ring.take(4, 4).expect("room");
            ring.fence();
        }
        ring.fences.lag = 10;
        assert!(ring.is_ready(), "the first frame is done");
        ring.begin().expect("a frame");
        ring.take(4, 4).expect("room");
        ring.fence();
        assert!(!ring.is_ready(), "the second is not");
        assert_eq!(ring.stats().waits, 0);
    }

    #[test]
    fn a_gpu_that_hangs_is_an_error_and_can_recover() {
        let mut ring = ring(1, 10);
        ring.begin().expect("a frame");
        ring.take(4, 4).expect("room");
        ring.fences.hangs = true;
        assert_eq!(ring.begin(), Err(StreamError::Hung));
        assert_eq!(ring.take(4, 4), Err(StreamError::NotBegun));
        ring.fences.hangs = false;
        assert_eq!(ring.begin(), Ok(()));
        assert_eq!(ring.stats().waits, 2);
    }

    #[test]
    fn writes_are_aligned_and_never_leave_their_segment() {
        let mut ring = ring(2, 0);
        assert_eq!(ring.take(1, 1), Err(StreamError::NotBegun));
        ring.begin().expect("a frame");
        assert_eq!(ring.take(3, 4), Ok(0));
        assert_eq!(ring.take(5, 4), Ok(4));
        let too_large = |asked, left| Err(StreamError::TooLarge { asked, left, segment: 16 });
        assert_eq!(ring.take(8, 4), too_large(8, 7));
        assert_eq!(ring.take(usize::MAX, 4), too_large(usize::MAX, 7));
        assert_eq!(ring.take(4, 4), Ok(12), "a write that was refused took nothing");
        ring.begin().expect("a frame");
        // The second segment begins at 16: the first multiple of 12 in it is 24.
        assert_eq!(ring.take(5, 12), Ok(24), "elements of 12 bytes are counted from the start of the buffer");
        assert_eq!(ring.take(4, 12), too_large(4, 3));
        assert_eq!(ring.stats().most_bytes, 16);
        assert_eq!(ring.stats().bytes, 17);
    }

    #[test]
    fn a_driver_without_a_fence_left_is_waited_for_and_that_is_counted() {
        let mut ring = ring(3, 10);
        ring.fences.without_fences = true;
        assert_eq!(play(&mut ring, 20), (1..=20).collect::<Vec<_>>());
        assert_eq!((ring.stats().waits, ring.stats().longest_wait), (20, Duration::from_millis(7)));
    }

    #[test]
    fn every_fence_is_given_back() {
        let mut ring = ring(3, 2);
        play(&mut ring, 20);
        let (inserted, deleted) = (ring.fences.inserted, Rc::clone(&ring.fences.deleted));
        assert!(deleted.get() < inserted, "some are still held");
        drop(ring);
        assert_eq!(deleted.get(), inserted);
    }
}
