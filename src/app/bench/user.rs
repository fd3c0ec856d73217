//! The user of a scenario: servers of our own, and input that is injected there.

use std::time::Duration;

use scanout::observe::{Error, Injector, Key, Layout, Place as Where, Sway, VirtualInput, X11, Xvfb};
use scanout::pacing::Rate;
use scanout::runtime::InputKind;
use scanout::scenes::Scene;
use scanout::time::Timestamp;

use super::super::synthetic::Synthetic;
use super::place::Place;
use super::scenario::Scenario;

/// After the window is there, before the first event: the program draws its first frames.
const SETTLE: Duration = Duration::from_millis(200);
/// How long one look for the window may take: the user looks again.
const LOOK: Duration = Duration::from_millis(1);
/// Between two looks for the window.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The servers of a run, in the order in which they are to end.
#[allow(clippy::large_enum_variant, reason = "there is one per run")]
enum Servers {
    None,
    X11 { user: X11, _server: Xvfb },
    Wayland { user: VirtualInput, sway: Sway, _server: Option<Xvfb> },
}

/// Where a run takes place, and who gives it input.
pub struct User {
    servers: Servers,
    place: Where,
    gestures: Option<Synthetic>,
    /// Where the window begins on the screen, once it is there.
    origin: Option<(u32, u32)>,
    due: Option<Timestamp>,
    sent: u64,
}

/// What a result says of the input of a place.
pub const fn input_of(place: Place) -> &'static str {
    match place {
        Place::Xvfb => "injected: XTEST",
        Place::SwayNested | Place::SwayHeadless(_) => "injected: virtual keyboard and pointer",
        Place::Headless(_) => "synthetic",
        Place::Desktop => "none",
    }
}

impl User {
    /// Starts the servers that the scenario needs.
    pub fn start(scenario: &Scenario) -> Result<Self, Error> {
        let (width, height) = (scenario.size.width, scenario.size.height);
        let (servers, place) = match scenario.place {
            Place::Headless(_) => (Servers::None, Where::Nowhere),
            Place::Desktop => (Servers::None, Where::Nowhere),
            Place::Xvfb => {
                let server = Xvfb::start(width, height)?;
                let user = X11::connect(&server.display())?;
                user.check_injection()?;
                let place = server.place();
                (Servers::X11 { user, _server: server }, place)
            }
            Place::SwayNested => {
                let server = Xvfb::start(width, height)?;
                let sway = Sway::start_nested(&server, Layout::Tiled)?;
                let user = VirtualInput::connect(&sway, (width, height))?;
                let place = sway.place();
                (Servers::Wayland { user, sway, _server: Some(server) }, place)
            }
            Place::SwayHeadless(hz) => {
                let sway = Sway::start_headless(width, height, hz, Layout::Tiled)?;
                let user = VirtualInput::connect(&sway, (width, height))?;
                let place = sway.place();
                (Servers::Wayland { user, sway, _server: None }, place)
            }
        };
        let injects = !matches!(servers, Servers::None);
        let rate = scenario.events_hz().and_then(Rate::new).filter(|_| injects);
        let scene = Scene::parse(&scenario.scene).ok();
        let gestures = scene.zip(rate).map(|(scene, rate)| Synthetic::new(&scene, rate, scenario.size));
        Ok(Self { servers, place, gestures, origin: None, due: None, sent: 0 })
    }

    /// Where the program is to open its window.
    pub const fn place(&self) -> &Where {
        &self.place
    }

    /// Events that were given.
    pub const fn sent(&self) -> u64 {
        self.sent
    }

    /// Does what is due for the program with this process id. Returns how long there is nothing to do.
    pub fn act(&mut self, pid: u32, now: Timestamp) -> Result<Duration, Error> {
        let Some(gestures) = &mut self.gestures else { return Ok(Duration::MAX) };
        let Some(origin) = self.origin else {
            self.origin = self.servers.window(pid)?;
            if self.origin.is_some() {
                self.due = Some(now + SETTLE);
            }
            return Ok(LOOK_AGAIN);
        };
        let due = self.due.unwrap_or(now);
        if now < due {
            return Ok(due.saturating_since(now));
        }
        for kind in gestures.next() {
            self.servers.inject(kind, origin)?;
        }
        self.sent += 1;
        let wait = gestures.wait();
        self.due = Some(now + wait);
        Ok(wait)
    }
}

impl Servers {
    /// The upper left corner of the program's window, which has the keyboard from then on; `None` until it is there.
    fn window(&mut self, pid: u32) -> Result<Option<(u32, u32)>, Error> {
        match self {
            Self::None => Ok(None),
            Self::X11 { user, .. } => {
                let Some(window) = user.window_of(pid, LOOK) else { return Ok(None) };
                user.focus(window)?;
                let area = user.area(window)?;
                Ok(Some((area.x, area.y)))
            }
            Self::Wayland { user, sway, .. } => {
                let Some(area) = sway.window_of(pid, LOOK) else { return Ok(None) };
                // A pointer inside the window, so that buttons mean it.
                user.point(area.x + area.width / 2, area.y + area.height / 2)?;
                Ok(Some((area.x, area.y)))
            }
        }
    }

    fn inject(&mut self, kind: InputKind, origin: (u32, u32)) -> Result<(), Error> {
        let user: &mut dyn Injector = match self {
            Self::None => return Ok(()),
            Self::X11 { user, .. } => user,
            Self::Wayland { user, .. } => user,
        };
        match kind {
            InputKind::Key { pressed, .. } => user.key(Key::Space, pressed),
            InputKind::Button { pressed, .. } => user.button(pressed),
            InputKind::PointerMoved { position } => {
                user.point(origin.0 + position.x as u32, origin.1 + position.y as u32)
            }
            _ => Ok(()),
        }
    }
}
