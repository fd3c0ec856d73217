use std::time::Duration;

use scanout::gl::{
    CreateContext, Frame, Gl, Mesh, Primitive, Program, RenderTarget, ShaderSource, Uniform, read_pixels,
};
use scanout::time::{Clock as _, MonotonicClock};
use scanout::{Result, Size};

use super::{GpuMeasured, Levels};

/// The side of the picture that nobody sees, in pixels: enough fragments for all units of a GPU, few enough that one round of
/// the loop takes a software rasteriser microseconds.
const SIDE: u32 = 256;
/// A calibration is long enough beside what reading back costs.
const LONG_ENOUGH: Duration = Duration::from_millis(3);
/// Most rounds of the shader's loop: a driver that draws nothing would let the calibration grow for ever.
const MOST_ROUNDS: i32 = 1 << 22;
/// Draws of which the quickest counts, since the machine may be busy.
const TRIES: usize = 3;
/// Times that are averaged before the rounds are set anew.
const AVERAGED: u64 = 24;
/// Times of frames before a change come this many frames late at most.
const LATE: u64 = 12;
/// The calibration is changed by at most this factor at a time.
const LARGEST_CHANGE: f64 = 2.0;

/// The pass of a frame in which the extra work is drawn.
pub(super) const PASS: &str = "load";

const VERTEX: &str = "#version 330 core
void main() {
    // One triangle over everything.
    vec2 corner = vec2(float((gl_VertexID << 1) & 2), float(gl_VertexID & 2));
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
";

const FRAGMENT: &str = "#version 330 core
uniform int u_rounds;
out vec4 o_colour;

void main() {
    // Each round needs the one before, and the result is the colour: nothing can be left out.
    vec2 z = gl_FragCoord.xy * 0.0039;
    for (int i = 0; i < u_rounds; ++i) {
        z = fract(vec2(z.x * z.x - z.y * z.y, 2.0 * z.x * z.y) + 0.37);
    }
    o_colour = vec4(z, 0.0, 1.0);
}
";

/// Draws a picture that nobody sees, in which a shader runs a loop as long as is wanted.
pub(super) struct GpuLoad {
    program: Program,
    rounds: Uniform<i32>,
    mesh: Mesh,
    target: RenderTarget,
    tuning: Tuning,
}

impl GpuLoad {
    /// Compiles the shader and finds out how long a round takes, which waits for the GPU.
    pub(super) fn new(gl: &Gl) -> Result<Self> {
        let source = |name, text| ShaderSource::new(name, text);
        let program = Program::new(gl, "load", &source("load.vert", VERTEX), &source("load.frag", FRAGMENT))?;
        let load = Self {
            rounds: program.uniform("u_rounds")?,
            program,
            mesh: Mesh::generated(gl, Primitive::Triangles, 3)?,
            target: RenderTarget::new(gl, Size::new(SIDE, SIDE))?,
            tuning: Tuning::default(),
        };
        let per_round = load.calibrate(gl)?;
        Ok(Self { tuning: Tuning { per_round, ..Tuning::default() }, ..load })
    }

    fn run(&self, rounds: i32) {
        self.target.begin();
        self.program.set(&self.rounds, rounds);
        self.program.use_program();
        self.mesh.draw();
    }

    /// Nanoseconds per round.
    fn calibrate(&self, gl: &Gl) -> Result<f64> {
        let timed = |rounds| -> Result<Duration> {
            let mut quickest = Duration::MAX;
            for _ in 0..TRIES {
                let began = MonotonicClock.now();
                self.run(rounds);
                read_pixels(gl, Size::new(1, 1))?;
                quickest = quickest.min(MonotonicClock.now().saturating_since(began));
            }
            Ok(quickest)
        };
        let _compiled = timed(1)?;
        let fixed = timed(1)?;
        let mut rounds = 16;
        loop {
            let took = timed(rounds)?.saturating_sub(fixed);
            if took >= LONG_ENOUGH || rounds >= MOST_ROUNDS {
                return Ok((took.as_secs_f64() * 1e9 / f64::from(rounds - 1)).max(1e-3));
            }
            rounds *= 4;
        }
    }

    /// Draws about `wanted` of work. No allocation.
    pub(super) fn draw(&mut self, wanted: Duration, frame: &mut Frame<'_>, levels: &Levels) {
        let stats = frame.stats();
        let timed = stats.gpu_passes().iter().find(|(name, _)| *name == PASS);
        let timed = timed.map(|(_, times)| (times.count(), times.total()));
        levels.gpu_takes(self.tuning.look(wanted, frame.id().0, timed));
        frame.set_depth_test(false);
        frame.set_blending(false);
        frame.set_face_culling(false, false);
        self.run(self.tuning.rounds(wanted));
        frame.bind_surface();
    }
}

/// How many rounds take how long.
#[derive(Copy, Clone, Debug, Default)]
struct Tuning {
    /// Nanoseconds.
    per_round: f64,
    wanted: Duration,
    /// Times that come before this frame are of another number of rounds.
    settles: u64,
    /// How many times had come, and their sum in nanoseconds, when the averaging began.
    from: Option<(u64, f64)>,
    told: Option<Duration>,
}

impl Tuning {
    fn rounds(&self, wanted: Duration) -> i32 {
        let rounds = wanted.as_secs_f64() * 1e9 / self.per_round.max(1e-3);
        rounds.round().clamp(1.0, f64::from(MOST_ROUNDS)) as i32
    }

    /// Before each draw: sets the calibration right where the GPU's times say that it is off. `timed`: how many times of the
    /// pass have come so far, and their sum.
    fn look(&mut self, wanted: Duration, frame: u64, timed: Option<(u64, f64)>) -> GpuMeasured {
        if wanted != self.wanted {
            (self.wanted, self.settles, self.from, self.told) = (wanted, frame + LATE, None, None);
        }
        if let Some((count, sum)) = timed.filter(|_| frame >= self.settles) {
            let (from, before) = *self.from.get_or_insert((count, sum));
            if count >= from + AVERAGED {
                let mean = (sum - before) / (count - from) as f64;
                self.told = Some(Duration::from_nanos(mean.max(0.0) as u64));
                let off = mean / (wanted.as_secs_f64() * 1e9);
                if off.is_finite() && off > 0.0 {
                    self.per_round *= off.clamp(1.0 / LARGEST_CHANGE, LARGEST_CHANGE);
                }
                (self.from, self.settles) = (None, frame + LATE);
            }
        }
        match self.told {
            Some(told) => GpuMeasured::Timed(told),
            // What the rounds are thought to take, which is less than what is wanted where there can be no more of them.
            None => {
                let nanos = self.per_round * f64::from(self.rounds(wanted));
                GpuMeasured::Estimated(Duration::from_nanos(nanos.max(0.0) as u64))
            }
        }
    }
}

/// Makes it when it is first wanted, and in a new context anew.
#[derive(Default)]
pub(super) enum Lazy {
    #[default]
    None,
    Some(Box<GpuLoad>),
    /// It could not be made, which was said.
    Failed,
}

impl Lazy {
    /// At the start, so that no frame waits for it.
    pub(super) fn prepared(cx: &CreateContext<'_>, levels: &Levels) -> Result<Self> {
        if levels.gpu().is_zero() { Ok(Self::None) } else { Ok(Self::Some(Box::new(GpuLoad::new(cx.gl)?))) }
    }

    pub(super) fn get(&mut self, gl: &Gl) -> Option<&mut GpuLoad> {
        if let Self::None = self {
            *self = match GpuLoad::new(gl) {
                Ok(load) => Self::Some(Box::new(load)),
                Err(e) => {
                    log::error!("there is no extra GPU load: {e}");
                    Self::Failed
                }
            };
        }
        if let Self::Some(load) = self { Some(load) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_follow_what_the_gpu_was_timed_to_take() {
        // In truth a round takes 30 ns; the calibration said 10.
        let (truth, wanted) = (30.0, Duration::from_millis(4));
        let mut tuning = Tuning { per_round: 10.0, ..Tuning::default() };
        let (mut count, mut sum) = (0, 0.0);
        let mut told = GpuMeasured::Not;
        for frame in 1..=400 {
            told = tuning.look(wanted, frame, Some((count, sum)));
            if frame == 1 {
                assert_eq!(told, GpuMeasured::Estimated(wanted));
            }
            count += 1;
            sum += f64::from(tuning.rounds(wanted)) * truth;
        }
        let GpuMeasured::Timed(told) = told else { panic!("{told:?}") };
        assert!((told.as_secs_f64() * 1e3 - 4.0).abs() < 0.05, "{told:?}");
        let takes = f64::from(tuning.rounds(wanted)) * truth / 1e6;
        assert!((takes - 4.0).abs() < 0.05, "{takes}");
    }

    #[test]
    fn nothing_that_the_gpu_says_makes_rounds_that_cannot_be() {
        let mut tuning = Tuning::default();
        for wanted in [Duration::ZERO, Duration::from_secs(1)] {
            for (frame, sum) in [(1, 0.0), (20, -1.0), (60, f64::NAN), (120, 1e30)] {
                tuning.look(wanted, frame, Some((frame * 2, sum)));
                assert!((1..=MOST_ROUNDS).contains(&tuning.rounds(wanted)));
            }
        }
    }
}
