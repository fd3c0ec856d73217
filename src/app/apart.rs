//! What the process used while frames were kept apart, so that it is in no figure of the run.

use std::sync::Arc;

use parking_lot::Mutex;

use scanout::gl::{CreateContext, Frame, Gl, Renderer};
use scanout::scenes::Visitor;
use scanout::{Logic, Result, Size};

use super::load::Levels;
use super::usage::{Spent, Usage};

/// Filled by the render thread where frames begin to be kept apart and where they cease to be, read when the run is over.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Stretch>);

#[derive(Debug, Default)]
struct Stretch {
    since: Option<Usage>,
    spent: Spent,
}

impl Meter {
    /// From here on frames are kept apart, or are no more.
    fn turn(&self, apart: bool, now: Usage) {
        let mut stretch = self.0.lock();
        if let Some(since) = stretch.since.take() {
            stretch.spent += since.until(&now);
        }
        stretch.since = apart.then_some(now);
    }

    /// What was used up to `now`, the end of the run.
    pub fn spent(&self, now: Usage) -> Spent {
        self.turn(false, now);
        self.0.lock().spent
    }
}

/// Hands a scene on so that the meter hears of its frames.
pub struct Metered<V> {
    pub meter: Arc<Meter>,
    /// The extra load, whose threads' time is told apart from the run's.
    pub levels: Arc<Levels>,
    pub visitor: V,
}

impl<V: Visitor> Visitor for Metered<V> {
    type Output = V::Output;

    fn visit<L, R, F>(self, logic: L, make_renderer: F) -> Self::Output
    where
        L: Logic + 'static,
        L::Snapshot: 'static,
        R: Renderer<L::Snapshot> + 'static,
        F: FnOnce(&CreateContext<'_>) -> Result<R> + Send + 'static,
    {
        let Self { meter, levels, visitor } = self;
        visitor.visit(logic, move |cx: &CreateContext<'_>| {
            Ok(MeteredRenderer { renderer: make_renderer(cx)?, meter, levels, apart: false })
        })
    }
}

struct MeteredRenderer<R> {
    renderer: R,
    meter: Arc<Meter>,
    levels: Arc<Levels>,
    apart: bool,
}

impl<S, R: Renderer<S>> Renderer<S> for MeteredRenderer<R> {
    fn render(&mut self, snapshot: &S, frame: &mut Frame<'_>) {
        if std::mem::replace(&mut self.apart, frame.is_apart()) != frame.is_apart() {
            self.meter.turn(self.apart, Usage::now().without(self.levels.cpu()));
        }
        self.renderer.render(snapshot, frame);
    }

    fn resize(&mut self, gl: &Gl, size: Size) {
        self.renderer.resize(gl, size);
    }

    fn unfinished(&self) -> bool {
        self.renderer.unfinished()
    }

    fn restore(&mut self, cx: &CreateContext<'_>) -> Result<()> {
        self.renderer.restore(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn stretches_add_up_and_the_last_one_ends_with_the_run() {
        let at = |ms: u64| Usage::made_up(ms, ms / 2, ms / 10);
        let meter = Meter::default();
        assert_eq!(meter.spent(at(50)), Spent::default());
        meter.turn(true, at(100));
        meter.turn(false, at(300));
        meter.turn(true, at(1_000));
        let spent = meter.spent(at(1_400));
        assert_eq!(spent, Spent { passed: Duration::from_millis(600), used: at(0).until(&at(600)).used });
        assert_eq!(meter.spent(at(2_000)), spent, "it has ended");
    }
}
