use std::fmt;
use std::time::Duration;

use glow::HasContext as _;

use super::{Strategy, StreamError, StreamRing, StreamTarget};
use crate::gl::Gl;
use crate::gl::handle::{BufferObject, Handle};
use crate::time::{Clock, MonotonicClock};

/// The environment's wish: the name of a [`Strategy`], or `auto`.
const VARIABLE: &str = "SCANOUT_STREAM";

/// What became of one strategy on this driver.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Trial {
    /// The strategy.
    pub strategy: Strategy,
    /// The shortest time in which a frame wrote its data and handed it over; or what was wrong.
    pub outcome: Result<Duration, String>,
}

/// What was found out about a driver.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Probe {
    /// What to use.
    pub chosen: Strategy,
    /// Every strategy that the driver could have, in the order of [`Strategy::ALL`].
    pub trials: Vec<Trial>,
}

/// Frames in flight, as the trials have them.
const IN_FLIGHT: usize = 2;
/// Frames of the test for correctness: each segment is used several times.
const CHECKED_FRAMES: usize = 9;
/// Bytes of each of those frames.
const CHECKED_BYTES: usize = 4096;
/// Frames that are timed, after as many as there are segments, which are not: the first touch of memory costs more.
const TIMED_FRAMES: usize = 6;
/// Bytes of each timed frame: more than a nearest cache holds, and a few milliseconds for all strategies together.
const TIMED_BYTES: usize = 256 << 10;
/// A strategy is given up for one that is slower by less than this factor when that one is further up in
/// [`Strategy::ALL`]: differences below it do not repeat from start to start.
const AS_FAST: f64 = 1.15;

/// Tries every strategy on this driver: first whether what is written with several frames in flight arrives, then how
/// long writing takes. Takes a few milliseconds and waits for the GPU: for the start of a program.
///
/// # Errors
/// When nothing works, or the driver has no memory.
pub fn probe(gl: &Gl) -> Result<Probe, StreamError> {
    let supported = Strategy::ALL.iter().filter(|s| s.is_supported(gl.caps()));
    let trials: Vec<Trial> = supported
        .map(|&strategy| {
            let outcome = check(gl, strategy).and_then(|()| time(gl, strategy).map_err(|e| e.to_string()));
            Trial { strategy, outcome }
        })
        .collect();
    let chosen = choose(&trials).ok_or(StreamError::NothingWorks)?;
    Ok(Probe { chosen, trials })
}

/// The first strategy that is about as fast as the fastest.
fn choose(trials: &[Trial]) -> Option<Strategy> {
    let (_, fastest) = fastest(trials)?;
    timed(trials).find(|(_, took)| took.as_secs_f64() <= fastest.as_secs_f64() * AS_FAST).map(|(s, _)| s)
}

/// Those that work, with what they took.
fn timed(trials: &[Trial]) -> impl Iterator<Item = (Strategy, Duration)> {
    trials.iter().filter_map(|t| Some((t.strategy, *t.outcome.as_ref().ok()?)))
}

fn fastest(trials: &[Trial]) -> Option<(Strategy, Duration)> {
    timed(trials).min_by_key(|(_, took)| *took)
}

/// Writes frames, has the GPU copy each elsewhere, and compares at the end.
fn check(gl: &Gl, strategy: Strategy) -> Result<(), String> {
    let wrong = |e: StreamError| e.to_string();
    let mut ring =
        StreamRing::new(gl, StreamTarget::Vertex, CHECKED_BYTES, IN_FLIGHT, strategy).map_err(wrong)?;
    let sink = Sink::new(gl, CHECKED_FRAMES * CHECKED_BYTES).map_err(wrong)?;
    for frame in 0..CHECKED_FRAMES {
        ring.begin_frame().map_err(wrong)?;
        // In two parts, one copied and one filled in place.
        let half = CHECKED_BYTES / 2 / size_of::<u32>();
        let first = ring.write(&pattern(frame, 0)[..half]).map_err(wrong)?;
        let (second, values) = ring.alloc::<u32>(half).map_err(wrong)?;
        values.copy_from_slice(&pattern(frame, half)[..half]);
        ring.finish_writes();
        sink.copy(&ring, first, frame * CHECKED_BYTES);
        sink.copy(&ring, second, frame * CHECKED_BYTES + CHECKED_BYTES / 2);
        ring.fence();
    }
    let arrived = sink.read();
    let expected = (0..CHECKED_FRAMES).flat_map(|frame| pattern(frame, 0));
    let wrong = arrived.iter().zip(expected).filter(|&(&a, b)| a != b).count();
    if wrong == 0 { Ok(()) } else { Err(format!("{wrong} of {} values were wrong", arrived.len())) }
}

/// Numbers that differ between frames and places.
fn pattern(frame: usize, from: usize) -> [u32; CHECKED_BYTES / size_of::<u32>()] {
    std::array::from_fn(|i| ((frame as u32 + 1) << 16) ^ (from + i) as u32)
}

fn time(gl: &Gl, strategy: Strategy) -> Result<Duration, StreamError> {
    let mut ring = StreamRing::new(gl, StreamTarget::Vertex, TIMED_BYTES, IN_FLIGHT, strategy)?;
    let sink = Sink::new(gl, TIMED_BYTES)?;
    let values = vec![0x5ca9_0075_u32; TIMED_BYTES / size_of::<u32>()];
    let mut shortest = Duration::MAX;
    for frame in 0..=IN_FLIGHT + TIMED_FRAMES {
        let began = MonotonicClock.now();
        ring.begin_frame()?;
        let range = ring.write(&values)?;
        ring.finish_writes();
        let took = MonotonicClock.now().saturating_since(began);
        sink.copy(&ring, range, 0);
        ring.fence();
        if frame > IN_FLIGHT {
            shortest = shortest.min(took);
        }
    }
    Ok(shortest)
}

/// A buffer that the GPU copies to.
struct Sink {
    handle: Handle<BufferObject>,
    bytes: usize,
}

impl Sink {
    fn new(gl: &Gl, bytes: usize) -> Result<Self, StreamError> {
        // SAFETY: makes a name in the current context.
        let raw = unsafe { gl.raw().create_buffer() }
            .map_err(|detail| StreamError::Driver { operation: "making a buffer", detail })?;
        // SAFETY: the name was just made here, for us alone.
        let handle = unsafe { Handle::from_raw(gl, raw) };
        // SAFETY: the buffer is ours and bound; the size is one of the few above.
        unsafe {
            gl.raw().bind_buffer(glow::COPY_WRITE_BUFFER, Some(raw));
            gl.raw().buffer_data_size(glow::COPY_WRITE_BUFFER, bytes as i32, glow::STREAM_READ);
        }
        Ok(Self { handle, bytes })
    }

    fn copy(&self, ring: &StreamRing, range: super::StreamRange, to: usize) {
        let gl = self.handle.gl().raw();
        // SAFETY: both buffers are alive and both ranges lie within them.
        unsafe {
            gl.bind_buffer(glow::COPY_READ_BUFFER, Some(ring.buffer()));
            gl.bind_buffer(glow::COPY_WRITE_BUFFER, Some(self.handle.raw()));
            gl.copy_buffer_sub_data(
                glow::COPY_READ_BUFFER,
                glow::COPY_WRITE_BUFFER,
                range.offset() as i32,
                to as i32,
                range.len() as i32,
            );
        }
    }

    fn read(&self) -> Vec<u32> {
        let mut values = vec![0_u32; self.bytes / size_of::<u32>()];
        let gl = self.handle.gl().raw();
        // SAFETY: the buffer is alive and as long as what is read into.
        unsafe {
            gl.bind_buffer(glow::COPY_WRITE_BUFFER, Some(self.handle.raw()));
            let bytes = bytemuck::must_cast_slice_mut(&mut values);
            gl.get_buffer_sub_data(glow::COPY_WRITE_BUFFER, 0, bytes);
        }
        values
    }
}

impl fmt::Display for Probe {
    /// One line: what was chosen and why, what the others took, and which the driver cannot have.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, ", self.chosen)?;
        match fastest(&self.trials) {
            Some((strategy, _)) if strategy != self.chosen => {
                write!(f, "slower than {strategy} by less than differs from start to start")?;
            }
            _ => f.write_str("the fastest")?,
        }
        f.write_str(" (")?;
        for (i, trial) in self.trials.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            match &trial.outcome {
                Ok(took) => {
                    let rate = TIMED_BYTES as f64 / took.as_secs_f64().max(1e-9) / 1e9;
                    write!(f, "{comma}{} {rate:.1} GB/s", trial.strategy)?;
                }
                Err(wrong) => write!(f, "{comma}{} failed: {wrong}", trial.strategy)?,
            }
        }
        let tried = |strategy| self.trials.iter().any(|trial| trial.strategy == strategy);
        for strategy in Strategy::ALL.iter().filter(|strategy| !tried(**strategy)) {
            write!(f, ", {strategy} not in this driver: {}", strategy.needs())?;
        }
        f.write_str(")")
    }
}

/// What the environment asks for, or the outcome of a probe, with its name and why in one line.
pub(in crate::gl) fn chosen_by_environment(gl: &Gl) -> Result<(Strategy, String), StreamError> {
    if let Some(strategy) = Strategy::wished()? {
        if !strategy.is_supported(gl.caps()) {
            return Err(StreamError::Unsupported(strategy));
        }
        return Ok((strategy, format!("{strategy}, as {VARIABLE} says")));
    }
    if draws_nothing(&gl.caps().renderer) {
        let strategy = Strategy::SubData;
        return Ok((
            strategy,
            format!("{strategy}: this driver draws nothing, so that nothing can be tried"),
        ));
    }
    let began = MonotonicClock.now();
    let probe = probe(gl)?;
    let took = MonotonicClock.now().saturating_since(began);
    Ok((probe.chosen, format!("{probe}, found out in {took:.1?}")))
}

/// Mesa's no-op driver, for measuring what a program costs by itself. No byte that is streamed to it arrives, and with a
/// thread of its own (Mesa 22.3) it crashes when buffers are mapped that others were freed for, as in a trial.
fn draws_nothing(renderer: &str) -> bool {
    renderer.eq_ignore_ascii_case("noop")
}

impl Strategy {
    /// The environment variable that names the strategy to use, or `auto`.
    pub const VARIABLE: &str = VARIABLE;

    /// What [`VARIABLE`](Self::VARIABLE) asks for; `None` where it is not set, empty or `auto`. For the start of a program, which
    /// then need not open a window only to end.
    ///
    /// # Errors
    /// [`StreamError::UnknownStrategy`] where it names no strategy. Whether the driver can have it is another question.
    pub fn wished() -> Result<Option<Self>, StreamError> {
        parse_wish(&std::env::var_os(VARIABLE).unwrap_or_default().to_string_lossy())
    }
}

fn parse_wish(text: &str) -> Result<Option<Strategy>, StreamError> {
    match text {
        "" | "auto" => Ok(None),
        name => name.parse().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trials(micros: &[(Strategy, Option<u64>)]) -> Vec<Trial> {
        let outcome = |t: Option<u64>| t.map(Duration::from_micros).ok_or_else(|| "wrong".to_owned());
        micros.iter().map(|&(strategy, t)| Trial { strategy, outcome: outcome(t) }).collect()
    }

    #[test]
    fn the_fastest_correct_strategy_is_chosen_and_near_ties_go_to_the_first() {
        use Strategy::{Orphan, Persistent, SubData, Unsynchronized};
        for (case, want) in [
            (&[(Persistent, Some(100)), (Orphan, Some(90)), (SubData, Some(200))][..], Some(Persistent)),
            (&[(Persistent, Some(100)), (Orphan, Some(50)), (SubData, Some(200))], Some(Orphan)),
            (&[(Persistent, None), (Unsynchronized, Some(80)), (SubData, Some(40))], Some(SubData)),
            (&[(Persistent, None), (SubData, None)], None),
        ] {
            assert_eq!(choose(&trials(case)), want, "{case:?}");
        }
    }

    #[test]
    fn the_line_says_why_what_is_not_the_fastest_was_chosen() {
        use Strategy::{Orphan, Persistent, SubData, Unsynchronized};
        let line = |micros: &[(Strategy, Option<u64>)]| {
            let trials = trials(micros);
            Probe { chosen: choose(&trials).expect("one works"), trials }.to_string()
        };
        let near = line(&[(Persistent, Some(100)), (Orphan, Some(90)), (SubData, Some(200))]);
        assert!(
            near.starts_with("persistent, slower than orphan by less than differs from start to start ("),
            "{near}"
        );
        let old = line(&[(Unsynchronized, Some(100)), (Orphan, None), (SubData, Some(200))]);
        assert!(old.starts_with("unsynchronized, the fastest ("), "{old}");
        assert!(old.contains("orphan failed: wrong"), "{old}");
        assert!(
            old.contains("persistent not in this driver: GL 4.4 or GL_ARB_buffer_storage")
                && !old.contains('\n'),
            "{old}"
        );
    }

    #[test]
    fn nothing_is_tried_on_a_driver_that_draws_nothing() {
        assert!(draws_nothing("NOOP"));
        for renderer in ["llvmpipe (LLVM 15.0.6, 256 bits)", "softpipe", "NVIDIA H200/PCIe/SSE2", ""] {
            assert!(!draws_nothing(renderer), "{renderer}");
        }
    }

    #[test]
    fn the_environments_wish_is_a_name_or_auto() {
        assert_eq!(parse_wish(""), Ok(None));
        assert_eq!(parse_wish("auto"), Ok(None));
        assert_eq!(parse_wish("sub-data"), Ok(Some(Strategy::SubData)));
        assert!(matches!(parse_wish("fast"), Err(StreamError::UnknownStrategy(_))));
    }
}
