use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// So much of the beginning is kept, and so much of the end: a program may write without end.
const KEPT: usize = 256 << 10;
/// What one read takes at most.
const CHUNK: usize = 64 << 10;
/// The last words of a program that has ended are read within microseconds, unless somebody else has its output open.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What comes out of a pipe, its beginning and its end: whatever is written in between is read and forgotten, so that the
/// writer is not held up and neither disk nor memory fills.
#[derive(Clone, Debug)]
pub struct Transcript(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    text: Mutex<Text>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Text {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: u64,
    ended: bool,
}

impl Transcript {
    /// Reads `pipe` to its end on a thread of its own, which sleeps while nothing is written. It lives until everybody who can
    /// write has closed the pipe.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn of(pipe: impl Read + Send + 'static) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new().name("scanout-output".into()).spawn(move || {
            theirs.read(pipe);
            theirs.text.lock().ended = true;
            theirs.ended.notify_all();
        })?;
        Ok(Self(shared))
    }

    /// The same of a pipe that may not be there: of none, nothing was written.
    pub(super) fn of_any(pipe: Option<impl Read + Send + 'static>) -> io::Result<Self> {
        pipe.map_or_else(
            || {
                Ok(Self(Arc::new(Shared {
                    text: Mutex::new(Text { ended: true, ..Text::default() }),
                    ..Shared::default()
                })))
            },
            Self::of,
        )
    }

    /// What was written so far. What was left out is said in its place.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.text.lock().whole()
    }

    /// The same when the writer has ended: what is still on its way is waited for, for up to 0.2 s.
    #[must_use]
    pub fn whole(&self) -> String {
        let mut text = self.0.text.lock();
        if !text.ended {
            let _ = self.0.ended.wait_for(&mut text, LAST_WORDS);
        }
        text.whole()
    }
}

impl Shared {
    fn read(&self, mut pipe: impl Read) {
        let mut chunk = vec![0; CHUNK];
        loop {
            match pipe.read(&mut chunk) {
                Ok(0) => return,
                Ok(n) => self.text.lock().push(&chunk[..n]),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}

impl Text {
    fn push(&mut self, bytes: &[u8]) {
        let (head, tail) = bytes.split_at(bytes.len().min(KEPT - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(tail);
        let over = self.tail.len().saturating_sub(KEPT);
        self.tail.drain(..over);
        self.left_out += over as u64;
    }

    fn whole(&self) -> String {
        let mut bytes = self.head.clone();
        if self.left_out > 0 {
            bytes.extend_from_slice(format!("\n[{} bytes left out]\n", self.left_out).as_bytes());
        }
        bytes.extend(&self.tail);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(chunks: &[usize]) -> Text {
        let mut text = Text::default();
        let mut written = 0_usize;
        for &n in chunks {
            let bytes: Vec<u8> = (written..written + n).map(|i| b'a' + (i % 26) as u8).collect();
            text.push(&bytes);
            written += n;
        }
        text
    }

    #[test]
    fn everything_is_kept_up_to_both_bounds_and_then_the_middle_goes() {
        let most = 2 * KEPT;
        assert_eq!(kept(&[1, KEPT, KEPT - 1]).left_out, 0);
        assert_eq!(kept(&[most]).whole(), kept(&[7; 1]).whole() + &kept(&[most]).whole()[7..]);
        let more = kept(&[1_000; 2_000]);
        assert_eq!(more.left_out, 2_000_000 - most as u64);
        let whole = more.whole();
        assert!(
            whole.starts_with("abcdefg")
                && whole.contains(&format!("\n[{} bytes left out]\n", more.left_out))
        );
        // The last byte that was written is the last one that is kept.
        assert_eq!(whole.as_bytes().last(), Some(&(b'a' + (1_999_999_usize % 26) as u8)));
        assert!(whole.len() < most + 100);
    }

    #[test]
    fn program_that_floods_ends_with_its_last_words_and_is_not_held_up() {
        use std::process::{Command, Stdio};
        let script = "echo first; yes | head -c 5000000; echo last";
        let mut shell = Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
        let transcript = Transcript::of(shell.stdout.take().unwrap()).unwrap();
        assert!(shell.wait().unwrap().success());
        let text = transcript.whole();
        assert!(text.starts_with("first\ny\n") && text.ends_with("y\nlast\n"), "{}", text.len());
        assert!(text.len() < 2 * KEPT + 100 && text.contains("bytes left out"));
    }
}
