use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::control::Control;
use super::host::Handle;
use super::input::input_channel;
use super::logic::{Due, LogicStep};
use super::options::RunOptions;
use super::render::{self, Backend, RenderStep};
use super::seat::{self, InputWaker, LogicSeat};
use super::signal::{self, Waker};
use super::slot::Slot;
use super::summary::{Ended, Summary};
use super::world::Logic;
use crate::display::priority::{self, Priority};
use crate::display::sleep::Sleeper;
use crate::error::{Error, Result, ThreadName};
use crate::sync::snapshot::{self, DEFAULT_SLOTS};
use crate::telemetry::Telemetry;
use crate::time::{Clock, MonotonicClock};
use crate::timeline::{self, Collector};

/// The two threads of a run. This file is the one place that starts threads.
#[derive(Debug)]
pub struct Runtime {
    handle: Handle,
    logic: Worker<()>,
    render: Worker<Ended>,
    inputs: InputWaker,
    timeout: Duration,
    collector: Option<Collector>,
}

impl Runtime {
    /// Starts both threads. `make_backend` runs on the render thread, and what it makes stays there. `on_end` is
    /// called from a thread that ends the run by itself (limit reached, error, panic), so that the host can stop
    /// waiting for events.
    ///
    /// # Errors
    /// When the system refuses a thread, or the [telemetry table](RunOptions::telemetry) had a run already.
    pub fn start<L, B, F>(
        options: RunOptions,
        logic: L,
        make_backend: F,
        on_end: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self>
    where
        L: Logic + 'static,
        L::Snapshot: 'static,
        B: Backend<L::Snapshot>,
        F: FnOnce() -> Result<B> + Send + 'static,
    {
        let (timeout, realtime) = (options.shutdown_timeout, options.realtime);
        let (step_stamps, frame_stamps) = match options.telemetry.as_ref().map(Telemetry::claim) {
            None => (None, None),
            Some(Some((steps, frames))) => (Some(steps), Some(frames)),
            Some(None) => {
                return Err(Error::Config(
                    "a telemetry table is for one run, and this one had its run".into(),
                ));
            }
        };
        let control = Arc::new(Control::default());
        let (logic_waker, render_waker) = (Waker::new(), Waker::new());
        let input_waker = InputWaker::new(logic_waker.clone(), render_waker.clone());
        let (input, inputs, latest) = input_channel(input_waker.clone());
        let (snapshots_in, snapshots_out) =
            snapshot::buffer::<_, DEFAULT_SLOTS>(|_| Slot::<L::Snapshot>::default());
        let (orders_in, orders_out) =
            snapshot::buffer::<_, DEFAULT_SLOTS>(|_| super::logic::Order::default());
        let on_end: Arc<dyn Fn() + Send + Sync> = Arc::new(on_end);
        let collector = (options.timeline_events > 0).then(|| Collector::new(options.timeline_events));

        let ending = {
            let (control, logic, render) = (Arc::clone(&control), logic_waker.clone(), render_waker.clone());
            move || {
                control.stop();
                logic.wake();
                render.wake();
                on_end();
            }
        };
        let mut step = LogicStep::new(logic, inputs, orders_out, snapshots_in);
        step.stamp_into(step_stamps);
        step.go_by(options.delta);
        let (logic_seat, mut render_seat) = seat::seat(step, options.layout, input_waker.clone());
        let logic_worker = {
            let (control, render) = (Arc::clone(&control), render_waker.clone());
            let collector = collector.clone();
            Worker::spawn(ThreadName::Logic, ending.clone(), move || {
                let _recording = collector.map(|c| c.record_here("logic"));
                if let Some(level) = realtime {
                    // Whether it was granted is told by the render thread.
                    let _ = priority::request_realtime(level);
                }
                run_logic(logic_seat, &control, &render);
                Ok(())
            })?
        };
        let render_worker = {
            let (control, logic) = (Arc::clone(&control), logic_waker.clone());
            let collector = collector.clone();
            Worker::spawn(ThreadName::Render, ending, move || {
                let clock = MonotonicClock;
                let _recording = collector.map(|c| c.record_here("render"));
                // Before a context is made off screen: a software rasteriser's threads inherit it, and a frame waits for them.
                // (For a window they are there already, and have it from `lend_realtime`.)
                let priority = options.realtime.map_or(Priority::Normal, priority::request_realtime);
                if let Priority::Refused(why) = &priority {
                    log::warn!("no real-time priority: {why}");
                }
                let backend = make_backend()?;
                let mut step =
                    RenderStep::new(backend, snapshots_out, orders_in, logic, latest, priority, options);
                step.stamp_into(frame_stamps);
                // What is drawn with is not used again after a panic; the figures are.
                let outcome = catch_unwind(AssertUnwindSafe(|| {
                    render::run(&mut step, &mut render_seat, &control, &clock)
                }));
                // Also after a panic in the drawing: the world ends on its own thread.
                render_seat.close();
                let failed = match outcome {
                    Ok(outcome) => outcome.err(),
                    Err(panic) => Some(panicked(ThreadName::Render, panic.as_ref())),
                };
                Ok(step.finish(clock.now(), failed))
            })
        };
        let handle = Handle { control, input, logic: logic_waker, render: render_waker };
        let render = match render_worker {
            Ok(worker) => worker,
            Err(e) => {
                handle.stop();
                logic_worker.go();
                return Err(e);
            }
        };
        // Each thread knows whom to wake before either makes work for the other.
        handle.logic.bind(logic_worker.thread.thread().clone());
        handle.render.bind(render.thread.thread().clone());
        logic_worker.go();
        render.go();
        Ok(Self { handle, logic: logic_worker, render, inputs: input_waker, timeout, collector })
    }

    /// The host's grip on the run.
    pub fn handle(&mut self) -> &mut Handle {
        &mut self.handle
    }

    /// Whether the threads were asked to end, or ended by themselves.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.handle.stopping()
    }

    /// How long each thread may take to end from now on, in place of [`RunOptions::shutdown_timeout`].
    pub fn set_shutdown_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Asks both threads to end and collects the result.
    ///
    /// # Errors
    /// Whatever ended the run: a panic on a thread (with its message), an error of the backend, or a thread that
    /// did not end in time. [`end`](Self::end) gives the figures as well.
    pub fn finish(self) -> Result<Summary> {
        self.end().into_result()
    }

    /// As [`finish`](Self::finish), with the figures also when the run failed.
    pub fn end(self) -> Ended {
        self.handle.stop();
        let logic = self.logic.join(self.timeout);
        let render = match self.render.join(self.timeout) {
            // A step that was lent hangs, and not what is drawn or swapped.
            Err(Error::ThreadStuck { .. }) if self.inputs.stepping() => {
                Err(Error::ThreadStuck { thread: ThreadName::Logic })
            }
            outcome => outcome,
        };
        let Ended { mut summary, error } = render.unwrap_or_else(Ended::failed);
        // A thread that did not end has not handed its events over: what the other one has is told.
        if let (Some(summary), Some(collector)) = (&mut summary, &self.collector) {
            summary.timeline = Some(summary.told(collector.collect()));
        }
        let error = match (logic, error) {
            // A thread that does not end says less than what made the other one fail; and while the step is lent, the logic
            // thread only waits for it.
            (Err(Error::ThreadStuck { .. }), Some(cause)) => Some(cause),
            // When both failed, the logic's panic is the cause more often than the consequence.
            (Err(cause), _) => Some(cause),
            (Ok(()), error) => error,
        };
        Ended { summary, error }
    }
}

fn run_logic<L: Logic>(mut seat: LogicSeat<L>, control: &Control, render: &Waker) {
    let clock = MonotonicClock;
    let mut sleeper = Sleeper::new();
    while !control.stopping() {
        let Some(step) = seat.step(render) else { return };
        // Waiting for the step may have used up the wake-up that came with a stop.
        if control.stopping() {
            return;
        }
        match step.due(clock.now()) {
            Due::Now => {
                step.spun(sleeper.spun());
                if step.step(&clock).is_some() {
                    render.wake();
                }
            }
            Due::At(at) => timeline::sleeping(Some(at), || {
                sleeper.until_or_woken(at);
            }),
            Due::Idle => timeline::sleeping(None, || signal::park(None)),
        }
    }
}

/// A thread that reports how it ended.
#[derive(Debug)]
struct Worker<T> {
    name: ThreadName,
    thread: JoinHandle<()>,
    go: crossbeam_channel::Sender<()>,
    result: Receiver<Result<T>>,
}

impl<T: Send + 'static> Worker<T> {
    #[allow(clippy::disallowed_methods, reason = "the one place that starts threads")]
    fn spawn(
        name: ThreadName,
        ending: impl FnOnce() + Send + 'static,
        body: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<Self> {
        let (go, started) = bounded(1);
        let (tx, result) = bounded(1);
        let main = move || {
            if started.recv().is_err() {
                return;
            }
            // The body owns what it works on; after a panic nothing of it is used again.
            let outcome = catch_unwind(AssertUnwindSafe(body))
                .unwrap_or_else(|payload| Err(panicked(name, payload.as_ref())));
            let _ = tx.send(outcome);
            ending();
        };
        let thread = Builder::new()
            .name(name.os_name().into())
            .spawn(main)
            .map_err(|source| Error::Spawn { thread: name, source })?;
        Ok(Self { name, thread, go, result })
    }

    fn go(&self) {
        let _ = self.go.send(());
    }

    fn join(self, timeout: Duration) -> Result<T> {
        match self.result.recv_timeout(timeout) {
            Ok(outcome) => {
                let _ = self.thread.join();
                outcome
            }
            Err(RecvTimeoutError::Timeout) => Err(Error::ThreadStuck { thread: self.name }),
            // Cannot happen: the thread sends before it ends, also after a panic.
            Err(RecvTimeoutError::Disconnected) => {
                Err(Error::ThreadPanicked { thread: self.name, message: "it ended without a result".into() })
            }
        }
    }
}

/// Starts a thread beside those of the run, for whoever joins it or not. A panic in it is said in the log.
#[cfg(feature = "gl")]
#[allow(clippy::disallowed_methods, reason = "the one place that starts threads")]
pub(crate) fn spawn_helper(name: ThreadName, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    let caught = move || {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(body)) {
            log::error!("{}", panicked(name, panic.as_ref()));
        }
    };
    let builder = Builder::new().name(name.os_name().into());
    builder.spawn(caught).map_err(|source| Error::Spawn { thread: name, source })
}

fn panicked(thread: ThreadName, payload: &(dyn Any + Send)) -> Error {
    Error::ThreadPanicked { thread, message: panic_message(payload) }
}

/// What a panic said.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "(no message)".to_owned())
}
