//! Input that nobody gave, for runs off screen, where no server could bring any.

use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;

use scanout::gl::{CreateContext, OverlayFactory, Renderer};
use scanout::pacing::Rate;
use scanout::runtime::{ButtonCode, Ended, InputEvent, InputKind, KeyCode, Runtime};
use scanout::scenes::Scene;
use scanout::sim::Noise;
use scanout::time::{Clock as _, MonotonicClock};
use scanout::{Config, Logic, Size, headless};

/// How often the run is asked whether it is to end early.
const GLANCE: Duration = Duration::from_millis(20);
/// Steps of the pointer from one side of the window to the other.
const STEPS: u32 = 200;

/// Events at random times: the time from one to the next is uniform from half the mean to one and a half, so that they come
/// at every phase of a refresh alike.
#[derive(Clone, Debug)]
pub struct Synthetic {
    gesture: Gesture,
    mean: Duration,
    size: Size,
    noise: Noise,
    sent: u32,
}

/// What is done with the scene.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Gesture {
    Press,
    Move,
    /// Motion with the button held.
    Drag,
}

impl Synthetic {
    /// `rate` events per second that mean something to `scene`.
    pub fn new(scene: &Scene, rate: Rate, size: Size) -> Self {
        let gesture = match scene {
            Scene::Flash { .. } => Gesture::Press,
            Scene::Model(_) => Gesture::Drag,
            _ => Gesture::Move,
        };
        Self { gesture, mean: Duration::from_secs_f64(1.0 / rate.hz()), size, noise: Noise::new(1), sent: 0 }
    }

    /// How long to wait for the next event.
    pub fn wait(&mut self) -> Duration {
        self.mean.mul_f64(0.5 + self.noise.unit())
    }

    /// The next event is due: what it consists of.
    pub fn next(&mut self) -> impl Iterator<Item = InputKind> + use<> {
        let n = self.sent;
        self.sent = n.wrapping_add(1);
        let key = |pressed| InputKind::Key { code: KeyCode::Space, pressed, repeat: false };
        // There and back again, so that no step is a jump.
        let at = (n % (2 * STEPS)).min(2 * STEPS - n % (2 * STEPS)) as f32 / STEPS as f32;
        let position = glam::Vec2::new(at * self.size.width as f32, self.size.height as f32 / 2.0);
        let moved = InputKind::PointerMoved { position };
        let held = InputKind::Button { button: ButtonCode::Primary, pressed: true };
        let [first, second] = match self.gesture {
            Gesture::Press => [Some(key(true)), Some(key(false))],
            Gesture::Drag if n == 0 => [Some(moved), Some(held)],
            Gesture::Move | Gesture::Drag => [Some(moved), None],
        };
        first.into_iter().chain(second)
    }
}

/// As [`headless::run_until`], with this input.
pub fn run<L, R, F>(
    config: &Config,
    logic: L,
    make_renderer: F,
    overlay: Option<OverlayFactory>,
    mut input: Synthetic,
    stop: impl Fn() -> bool,
) -> Ended
where
    L: Logic + 'static,
    L::Snapshot: 'static,
    R: Renderer<L::Snapshot>,
    F: FnOnce(&CreateContext<'_>) -> scanout::Result<R> + Send + 'static,
{
    let (ended, end) = crossbeam_channel::bounded(2);
    let started = headless::start(config, logic, make_renderer, overlay, move || {
        let _ = ended.try_send(());
    });
    let mut runtime: Runtime = match started {
        Ok(runtime) => runtime,
        Err(error) => return Ended::failed(error),
    };
    let clock = MonotonicClock;
    let mut due = clock.now() + input.wait();
    while !stop() {
        let wait = due.saturating_since(clock.now());
        match end.recv_timeout(wait.min(GLANCE)) {
            Err(RecvTimeoutError::Timeout) if wait <= GLANCE => {
                for kind in input.next() {
                    runtime.handle().input(InputEvent::new(clock.now(), kind));
                }
                due = clock.now() + input.wait();
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    runtime.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(scene: &Scene) -> Synthetic {
        Synthetic::new(scene, Rate::new(100.0).unwrap(), Size::new(400, 200))
    }

    #[test]
    fn events_come_at_the_rate_asked_for_and_at_every_phase_of_a_refresh() {
        let mut input = of(&Scene::Flip);
        let (mut at, mut phases) = (0.0, [0_u32; 10]);
        for _ in 0..20_000 {
            at += input.wait().as_secs_f64();
            phases[((at * 120.0).fract() * 10.0) as usize] += 1;
        }
        assert!((at - 200.0).abs() < 2.0, "{at} s for 20,000 events at 100 Hz");
        assert!(phases.iter().all(|n| (1_850..2_150).contains(n)), "{phases:?}");
    }

    #[test]
    fn flash_is_pressed_and_the_pointer_stays_in_the_window() {
        let mut flash = of(&Scene::Flash { animate: false });
        assert!(matches!(flash.next().next(), Some(InputKind::Key { pressed: true, .. })));
        let mut model = of(&Scene::Model(None));
        assert_eq!(model.next().count(), 2, "the button goes down once");
        let mut before: Option<glam::Vec2> = None;
        for _ in 0..1_000 {
            let Some(InputKind::PointerMoved { position }) = model.next().next() else { panic!("no motion") };
            assert!((0.0..=400.0).contains(&position.x));
            assert!(before.is_none_or(|b| (b.x - position.x).abs() <= 2.1), "no jumps");
            before = Some(position);
        }
    }
}
