//! As much of a compositor as it takes to be asked what it has: it tells of its globals and does nothing else.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Object and opcodes of the core protocol.
const DISPLAY: u32 = 1;
const SYNC: u16 = 0;
const GET_REGISTRY: u16 = 1;
const DELETE_ID: u16 = 1;
const GLOBAL: u16 = 0;
const DONE: u16 = 0;

/// It listens at `socket` for as long as the test runs.
pub struct Compositor {
    folder: TempDir,
    socket: PathBuf,
}

impl Compositor {
    pub const NAME: &str = "wayland-9";

    /// With these interfaces in these versions.
    pub fn start(globals: &[(&'static str, u32)]) -> Self {
        let folder = TempDir::with_prefix("scanout-fake-").unwrap();
        let listener = UnixListener::bind(folder.path().join(Self::NAME)).unwrap();
        let globals = globals.to_vec();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let globals = globals.clone();
                std::thread::spawn(move || serve(client, &globals));
            }
        });
        Self { socket: folder.path().join(Self::NAME), folder }
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn send(client: &mut UnixStream, object: u32, opcode: u16, arguments: &[u8]) {
    let size = 8 + u32::try_from(arguments.len()).unwrap();
    let mut message = [object.to_ne_bytes(), (size << 16 | u32::from(opcode)).to_ne_bytes()].concat();
    message.extend(arguments);
    // A client that has gone needs no answer.
    let _ = client.write_all(&message);
}

/// Answers until the client goes.
fn serve(mut client: UnixStream, globals: &[(&str, u32)]) {
    let mut head = [0; 8];
    while client.read_exact(&mut head).is_ok() {
        let word = |at: usize| u32::from_ne_bytes(head[at..at + 4].try_into().unwrap());
        let (object, size, opcode) = (word(0), word(4) >> 16, (word(4) & 0xffff) as u16);
        let mut body = vec![0; size as usize - 8];
        client.read_exact(&mut body).unwrap();
        if object != DISPLAY {
            continue;
        }
        let new_id = u32::from_ne_bytes(body[..4].try_into().unwrap());
        match opcode {
            GET_REGISTRY => {
                for (name, (interface, version)) in (1_u32..).zip(globals) {
                    let mut text = interface.as_bytes().to_vec();
                    text.push(0);
                    let length = u32::try_from(text.len()).unwrap();
                    text.resize(text.len().next_multiple_of(4), 0);
                    let arguments =
                        [&name.to_ne_bytes()[..], &length.to_ne_bytes(), &text, &version.to_ne_bytes()];
                    send(&mut client, new_id, GLOBAL, &arguments.concat());
                }
            }
            SYNC => {
                send(&mut client, new_id, DONE, &0_u32.to_ne_bytes());
                send(&mut client, DISPLAY, DELETE_ID, &new_id.to_ne_bytes());
            }
            _ => {}
        }
    }
}
