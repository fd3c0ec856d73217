//! A compositor in a server whose screen is mapped, and what is measured in it.

use std::time::Duration;

use serde_json::Value;

use crate::common::raise;
use crate::contender::{Contender, Turn};
use crate::options::Options;
use crate::support::app::App;
use crate::support::rng::Rng;
use crate::support::sway::{Layout, Sway};
use crate::support::wayland::VirtualInput;
use crate::support::xvfb::Xvfb;

pub const OUTPUT: (u32, u32) = (1280, 720);
/// For the pacer to lock and its budget to settle.
pub const SETTLE: Duration = Duration::from_millis(2_500);
/// Between two looks: short beside a refresh, and it leaves the CPU to who is being watched.
pub const NAP: Duration = Duration::from_micros(100);
pub const REFRESH: Duration = Duration::from_nanos(16_666_667);
pub const SERVER_LEVEL: u8 = 20;
pub const OBSERVER_LEVEL: u8 = 30;
/// Above the observer, so that nothing of the bench keeps them from running.
pub const WITNESS_LEVEL: u8 = 40;

pub struct Nested {
    // Dropped in this order.
    pub user: VirtualInput,
    pub sway: Sway,
    pub server: Xvfb,
}

impl Nested {
    pub fn open(raised: bool) -> Self {
        let server = Xvfb::start_sized(OUTPUT.0, OUTPUT.1);
        let sway = Sway::start_nested(&server, Layout::Floating);
        let user = VirtualInput::connect(&sway, OUTPUT);
        if raised {
            raise(server.id(), SERVER_LEVEL);
            raise(sway.id(), SERVER_LEVEL);
        }
        Self { user, sway, server }
    }
}

/// What is measured of each program in turn, nested.
pub struct Part {
    pub name: &'static str,
    /// Whether its turns have witnesses of what the machine does.
    pub is_witnessed: bool,
    pub turn: fn(App, &mut Nested, &mut Rng, &Options) -> Turn,
    pub print: fn(&[Contender]) -> Value,
    pub contenders: Vec<Contender>,
}
