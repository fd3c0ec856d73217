//! Who used the machine while it was measured.

use std::time::Duration;

use serde::Serialize;

use scanout::observe::cpu;
use scanout::time::{Clock as _, MonotonicClock, Timestamp};

/// CPU time up to now.
#[derive(Copy, Clone, Debug)]
pub struct Look {
    at: Timestamp,
    program: Option<f64>,
    server: Option<f64>,
    observer: Option<f64>,
    machine: Option<cpu::Machine>,
}

/// Shares of one CPU between two looks: 1 is one CPU whole. Absent where the process is not known or has ended.
#[derive(Copy, Clone, Debug, Default, PartialEq, Serialize)]
pub struct Shares {
    pub program: Option<f64>,
    pub server: Option<f64>,
    pub observer: Option<f64>,
    /// Everything else on the machine; where that of the program or of the server is not known, with it.
    pub rest: Option<f64>,
    /// What a hypervisor took away.
    pub stolen: Option<f64>,
}

impl Shares {
    /// Who is in [`rest`](Self::rest) because its own share is not known.
    pub const fn among_rest(&self) -> Option<&'static str> {
        match (self.program.is_some(), self.server.is_some()) {
            (true, true) => None,
            (false, true) => Some("the program itself"),
            (true, false) => Some("the display server"),
            (false, false) => Some("the program itself and the display server"),
        }
    }
}

impl Look {
    /// `program`: what it has used; `server`: its processes, none where it is not ours.
    pub fn now(program: Option<Duration>, server: &[u32]) -> Self {
        let used = |pid: u32| cpu::used(pid).map(|span| span.as_secs_f64());
        Self {
            at: MonotonicClock.now(),
            program: program.map(|span| span.as_secs_f64()),
            server: server.iter().map(|&pid| used(pid)).reduce(|a, b| Some(a? + b?)).flatten(),
            observer: used(std::process::id()),
            machine: cpu::machine(),
        }
    }

    pub fn since(&self, before: &Self) -> Shares {
        let passed = self.at.saturating_since(before.at).as_secs_f64();
        // Of a family one of which has ended meanwhile, what it used is not known.
        let share = |then: Option<f64>, now: Option<f64>| {
            let used = now? - then?;
            (used >= 0.0).then_some(used / passed)
        };
        let machine = |of: fn(&cpu::Machine) -> f64| {
            share(before.machine.as_ref().map(of), self.machine.as_ref().map(of))
        };
        let (program, server) = (share(before.program, self.program), share(before.server, self.server));
        let observer = share(before.observer, self.observer);
        let ours: f64 = [program, server, observer].into_iter().flatten().sum();
        Shares {
            program,
            server,
            observer,
            rest: machine(|m| m.busy.as_secs_f64()).map(|busy| (busy - ours).max(0.0)),
            stolen: machine(|m| m.stolen.as_secs_f64()),
        }
    }
}
