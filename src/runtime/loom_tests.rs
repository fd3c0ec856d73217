//! Input is not left lying while the logic step changes hands: the protocol of [`InputWaker`](super::seat), as a model,
//! in every order of events. `events` stands for the channel, the tokens for what wakes a parked thread.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering, fence};
use loom::thread;

#[derive(Default)]
struct Model {
    event: AtomicBool,
    lent: AtomicBool,
    render_token: AtomicBool,
    logic_token: AtomicBool,
}

/// The event loop: `InputSender::send` and `InputWaker::wake`.
fn send(m: &Model, fenced: bool) {
    m.event.store(true, Ordering::Release);
    if fenced {
        fence(Ordering::SeqCst);
    }
    let token = if m.lent.load(Ordering::Relaxed) { &m.render_token } else { &m.logic_token };
    token.store(true, Ordering::Release);
}

/// The thread that takes the step: raises or lowers the flag, and looks at the channel before it parks.
fn take(m: &Model, lent: bool, fenced: bool) -> bool {
    m.lent.store(lent, Ordering::Relaxed);
    if fenced {
        fence(Ordering::SeqCst);
    }
    m.event.load(Ordering::Acquire)
}

fn check(to_render: bool, sender_fenced: bool, taker_fenced: bool) {
    loom::model(move || {
        let m = Arc::new(Model::default());
        m.lent.store(!to_render, Ordering::Relaxed);
        let sending = {
            let m = Arc::clone(&m);
            thread::spawn(move || send(&m, sender_fenced))
        };
        let seen = take(&m, to_render, taker_fenced);
        sending.join().unwrap();
        let token = if to_render { &m.render_token } else { &m.logic_token };
        assert!(seen || token.load(Ordering::Acquire), "violation: the taker parks and nobody wakes it");
    });
}

#[test]
fn input_while_the_step_is_lent_or_returned_is_seen_or_wakes_the_taker() {
    check(true, true, true);
    check(false, true, true);
}

/// Guards `InputWaker::wake`: the fence.
#[test]
#[should_panic = "violation"]
fn wake_without_its_fence_is_caught() {
    check(true, false, true);
}

/// Guards `InputWaker::set_lent`: the fence.
#[test]
#[should_panic = "violation"]
fn set_lent_without_its_fence_is_caught() {
    check(true, true, false);
}
