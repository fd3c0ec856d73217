//! i3's IPC as sway speaks it: magic, length, kind, payload (sway-ipc(7)).

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::error::{Error, Result};

const MAGIC: &[u8; 6] = b"i3-ipc";
const RUN_COMMAND: u32 = 0;
const GET_TREE: u32 = 4;
/// Magic, length, kind.
const HEAD: usize = 14;
/// An answer that is longer is none; the tree of some windows has some kilobytes.
const LONGEST: u32 = 64 << 20;

#[derive(Debug)]
pub(super) struct Ipc(UnixStream);

impl Ipc {
    pub(super) fn connect(socket: &Path, limit: Duration) -> std::io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(limit))?;
        stream.set_write_timeout(Some(limit))?;
        Ok(Self(stream))
    }

    fn ask(&self, kind: u32, payload: &str) -> Result<Value> {
        let lost = |source: std::io::Error| Error::Server { server: "sway", source: source.into() };
        let length = u32::try_from(payload.len()).map_err(|_| Error::sway("a command is too long"))?;
        let mut message = MAGIC.to_vec();
        message.extend(length.to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend(payload.as_bytes());
        let mut stream = &self.0;
        stream.write_all(&message).map_err(lost)?;
        let mut head = [0; HEAD];
        stream.read_exact(&mut head).map_err(lost)?;
        let length = u32::from_ne_bytes([head[6], head[7], head[8], head[9]]);
        if !head.starts_with(MAGIC) || length > LONGEST {
            return Err(Error::sway("its answer is none"));
        }
        let mut body = vec![0; length as usize];
        stream.read_exact(&mut body).map_err(lost)?;
        serde_json::from_slice(&body).map_err(|e| Error::sway(format!("its answer is no JSON: {e}")))
    }

    /// Runs a command as swaymsg does.
    pub(super) fn command(&self, text: &str) -> Result<()> {
        let answer = self.ask(RUN_COMMAND, text)?;
        let ok = answer.as_array().is_some_and(|all| all.iter().all(|one| one["success"] == true));
        if ok { Ok(()) } else { Err(Error::sway(format!("`{text}` is refused: {answer}"))) }
    }

    pub(super) fn tree(&self) -> Result<Value> {
        self.ask(GET_TREE, "")
    }
}
