//! The terminal: keys in, pictures out, and everything as it was at the end.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd;
use std::time::Duration;

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use scanout::Error;
use scanout::time::{Clock as _, MonotonicClock};

use super::super::Failure;
use super::Stop;
use super::live::Live;
use super::picture::Picture;
use super::view::{self, Shown};

/// How often the table is read.
const READ_EVERY: Duration = Duration::from_millis(25);
/// How often the picture is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// Shows the program until the user has seen enough. The terminal is restored however this ends, by a panic as well.
pub fn follow(live: &mut Live, limit: Option<Duration>, stop: &Stop) -> Result<(), Failure> {
    let mut terminal = ratatui::try_init().map_err(failed)?;
    let outcome = turn(&mut terminal, live, limit, stop);
    let restored = ratatui::try_restore().map_err(failed);
    outcome.and(restored)
}

fn turn(
    terminal: &mut DefaultTerminal,
    live: &mut Live,
    limit: Option<Duration>,
    stop: &Stop,
) -> Result<(), Failure> {
    let began = MonotonicClock.now();
    let keys = Keyboard::open().map_err(failed)?;
    let mut drawn = None;
    let mut picture = Picture::of(live);
    let mut shown = Shown::default();
    loop {
        live.look()?;
        let now = MonotonicClock.now();
        if stop.asked() {
            return Ok(());
        }
        if limit.is_some_and(|limit| now.saturating_since(began) >= limit) {
            return Picture::of(live).lacks().map_or(Ok(()), |why| Err(Failure::Failed(why)));
        }
        if drawn.is_none_or(|at| now.saturating_since(at) >= DRAW_EVERY) {
            drawn = Some(now);
            if !shown.paused {
                picture = Picture::of(live);
            }
            terminal.draw(|frame| view::draw(frame, &picture, &mut shown)).map_err(failed)?;
        }
        if !keys.wait(READ_EVERY).map_err(failed)? {
            // The terminal is closed: nobody sees the rest.
            return Ok(());
        }
        if !event::poll(Duration::ZERO).map_err(failed)? {
            continue;
        }
        match event::read().map_err(failed)? {
            Event::Key(key) if key.kind != KeyEventKind::Release => match key.code {
                KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Ok(()),
                // A closed input is Ctrl-Space or Ctrl-D to some terminals, and no wish.
                _ if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => continue,
                KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
                KeyCode::Char('p' | ' ') => shown.paused = !shown.paused,
                KeyCode::Char('r') => live.reset(),
                KeyCode::Down | KeyCode::Char('j') => shown.first = shown.first.saturating_add(1),
                KeyCode::Up | KeyCode::Char('k') => shown.first = shown.first.saturating_sub(1),
                _ => continue,
            },
            Event::Resize(..) => {}
            _ => continue,
        }
        // What was asked for is seen at once.
        drawn = None;
    }
}

/// Where keys come from, as crossterm reads them: standard input where that is the terminal, the terminal otherwise.
///
/// Waiting is done here, because crossterm (0.29) reads a terminal that was closed again and again and never returns.
struct Keyboard(Option<File>);

impl Keyboard {
    fn open() -> io::Result<Self> {
        if io::stdin().is_terminal() {
            Ok(Self(None))
        } else {
            File::open("/dev/tty").map(|tty| Self(Some(tty)))
        }
    }

    /// Waits for a key for up to `span`. Whether there still is a terminal.
    fn wait(&self, span: Duration) -> io::Result<bool> {
        let stdin = io::stdin();
        let fd = self.0.as_ref().map_or_else(|| stdin.as_fd(), AsFd::as_fd);
        let mut asked = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
        let limit = Timespec::try_from(span).map_err(io::Error::other)?;
        match poll(&mut asked, Some(&limit)) {
            // A window that changed its size, for one.
            Err(Errno::INTR) => Ok(true),
            Err(e) => Err(e.into()),
            Ok(_) => Ok(!asked[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)),
        }
    }
}

fn failed(source: io::Error) -> Failure {
    Failure::Run(Error::Io { path: "the terminal".into(), action: "use", source })
}
