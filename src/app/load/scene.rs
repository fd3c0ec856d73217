use std::sync::Arc;
use std::time::Duration;

use scanout::gl::{CreateContext, Frame, Gl, Renderer};
use scanout::runtime::{Demand, InputEvent};
use scanout::scenes::Visitor;
use scanout::time::{Clock as _, MonotonicClock};
use scanout::{Logic, Result, Size, Tick};

use super::Levels;
use super::gpu::{Lazy, PASS};

/// Hands a scene on with the load built in: spikes of its logic, and extra work for the GPU after it.
pub struct WithLoad<V> {
    levels: Arc<Levels>,
    visitor: V,
}

impl<V> WithLoad<V> {
    pub const fn new(levels: Arc<Levels>, visitor: V) -> Self {
        Self { levels, visitor }
    }
}

impl<V: Visitor> Visitor for WithLoad<V> {
    type Output = V::Output;

    fn visit<L, R, F>(self, logic: L, make_renderer: F) -> Self::Output
    where
        L: Logic + 'static,
        L::Snapshot: 'static,
        R: Renderer<L::Snapshot> + 'static,
        F: FnOnce(&CreateContext<'_>) -> Result<R> + Send + 'static,
    {
        let levels = Arc::clone(&self.levels);
        let logic = LoadedLogic { logic, levels: self.levels, updates: 0 };
        self.visitor.visit(logic, move |cx: &CreateContext<'_>| {
            let renderer = make_renderer(cx)?;
            Ok(LoadedRenderer { renderer, gpu: Lazy::prepared(cx, &levels)?, levels })
        })
    }
}

/// A world some of whose updates take longer.
struct LoadedLogic<L> {
    logic: L,
    levels: Arc<Levels>,
    updates: u32,
}

impl<L: Logic> Logic for LoadedLogic<L> {
    type Snapshot = L::Snapshot;

    fn input(&mut self, event: &InputEvent) {
        self.logic.input(event);
    }

    fn update(&mut self, tick: &Tick) {
        self.logic.update(tick);
        let Some(spike) = self.levels.spike() else {
            self.updates = 0;
            return;
        };
        self.updates += 1;
        if self.updates >= spike.every.get() {
            self.updates = 0;
            burn(spike.burns);
        }
    }

    fn fixed_step(&self) -> Option<Duration> {
        self.logic.fixed_step()
    }

    fn blend(&mut self, alpha: f64) {
        self.logic.blend(alpha);
    }

    fn extract(&self, out: &mut Self::Snapshot) {
        self.logic.extract(out);
    }

    fn changed(&self) -> bool {
        self.logic.changed()
    }

    fn demand(&self) -> Demand {
        self.logic.demand()
    }
}

/// Uses the CPU for so long.
fn burn(span: Duration) {
    let end = MonotonicClock.now() + span;
    while MonotonicClock.now() < end {
        std::hint::spin_loop();
    }
}

/// A renderer that gives the GPU more to do.
struct LoadedRenderer<R> {
    renderer: R,
    gpu: Lazy,
    levels: Arc<Levels>,
}

impl<S, R: Renderer<S>> Renderer<S> for LoadedRenderer<R> {
    fn render(&mut self, snapshot: &S, frame: &mut Frame<'_>) {
        self.renderer.render(snapshot, frame);
        let wanted = self.levels.gpu();
        if !wanted.is_zero()
            && let Some(gpu) = self.gpu.get(frame.gl())
        {
            frame.pass(PASS);
            gpu.draw(wanted, frame, &self.levels);
        }
    }

    fn resize(&mut self, gl: &Gl, size: Size) {
        self.renderer.resize(gl, size);
    }

    fn unfinished(&self) -> bool {
        self.renderer.unfinished()
    }

    fn restore(&mut self, cx: &CreateContext<'_>) -> Result<()> {
        self.gpu = Lazy::None;
        self.renderer.restore(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Still;

    impl Logic for Still {
        type Snapshot = ();
        fn update(&mut self, _: &Tick) {}
        fn extract(&self, (): &mut ()) {}
    }

    #[test]
    fn one_update_in_so_many_takes_longer() {
        let levels = Arc::new(Levels::new("spike=20/4".parse().unwrap()));
        let mut logic = LoadedLogic { logic: Still, levels: Arc::clone(&levels), updates: 0 };
        let long = |logic: &mut LoadedLogic<Still>| {
            let began = MonotonicClock.now();
            logic.update(&Tick::default());
            MonotonicClock.now().saturating_since(began) >= Duration::from_millis(20)
        };
        // A machine that is busy makes updates longer, never shorter.
        let took: Vec<bool> = (0..8).map(|_| long(&mut logic)).collect();
        assert!(took[3] && took[7], "{took:?}");
        let counted: Vec<u32> = (0..4)
            .map(|_| {
                logic.update(&Tick::default());
                logic.updates
            })
            .collect();
        assert_eq!(counted, [1, 2, 3, 0]);
        levels.set("".parse().unwrap());
        logic.update(&Tick::default());
        assert_eq!(logic.updates, 0, "without spikes none is counted towards one");
    }
}
