//! What clients ask of an X server, in order, seen through its RECORD extension.

use std::thread::JoinHandle;

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::protocol::record::{CS, ConnectionExt as _, ExtRange, Range, Range8, Range16};
use x11rb::protocol::shm;
use x11rb::protocol::xproto::{GET_GEOMETRY_REQUEST, KEY_PRESS_EVENT};
use x11rb::rust_connection::RustConnection;

/// One thing that was recorded.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Asked {
    /// A key went down.
    Press,
    /// A client asked for the size of a drawable, and waits for the answer.
    Size,
    /// A client handed a picture over in shared memory.
    Picture,
}

/// A recording that runs until it is [ended](Self::end).
pub struct Requests {
    control: RustConnection,
    context: u32,
    seen: JoinHandle<Vec<Asked>>,
}

// From the protocol: what the data of a reply are.
const FROM_SERVER: u8 = 0;
const FROM_CLIENT: u8 = 1;
const START_OF_DATA: u8 = 4;

impl Requests {
    /// Records from now on what all clients of `display` do.
    pub fn record(display: &str) -> Self {
        let (control, _) = x11rb::connect(Some(display)).expect("a connection");
        let shm =
            control.extension_information(shm::X11_EXTENSION_NAME).expect("an answer").expect("MIT-SHM");
        let context = control.generate_id().expect("an id");
        let one = |of: u8| Range8 { first: of, last: of };
        let range = Range {
            core_requests: one(GET_GEOMETRY_REQUEST),
            ext_requests: ExtRange {
                major: one(shm.major_opcode),
                minor: Range16 { first: shm::PUT_IMAGE_REQUEST.into(), last: shm::PUT_IMAGE_REQUEST.into() },
            },
            device_events: one(KEY_PRESS_EVENT),
            ..Range::default()
        };
        let clients = [CS::ALL_CLIENTS.into()];
        control
            .record_create_context(context, 0, &clients, &[range])
            .expect("a request")
            .check()
            .expect("RECORD");
        let (data, _) = x11rb::connect(Some(display)).expect("a connection");
        let (started, starts) = std::sync::mpsc::channel();
        let seen = std::thread::spawn(move || {
            let mut seen = Vec::new();
            for reply in data.record_enable_context(context).expect("a request") {
                let reply = reply.expect("a reply");
                match reply.category {
                    START_OF_DATA => started.send(()).expect("somebody waits"),
                    FROM_SERVER if reply.data.first() == Some(&KEY_PRESS_EVENT) => seen.push(Asked::Press),
                    FROM_CLIENT => seen.extend(requests(&reply.data, shm.major_opcode)),
                    _ => {}
                }
            }
            seen
        });
        starts.recv().expect("the recording starts");
        Self { control, context, seen }
    }

    /// What was recorded.
    pub fn end(self) -> Vec<Asked> {
        self.control.record_disable_context(self.context).expect("a request").check().expect("an end");
        self.seen.join().expect("the recording ends")
    }
}

/// The requests that lie one behind the other in `data`: opcode, minor opcode, and the length in units of four bytes.
fn requests(mut data: &[u8], shm: u8) -> Vec<Asked> {
    let mut found = Vec::new();
    while let [major, minor, low, high, ..] = *data {
        if major == GET_GEOMETRY_REQUEST {
            found.push(Asked::Size);
        } else if (major, minor) == (shm, shm::PUT_IMAGE_REQUEST) {
            found.push(Asked::Picture);
        }
        let length = usize::from(u16::from_ne_bytes([low, high])) * 4;
        data = data.get(length.max(4)..).unwrap_or_default();
    }
    found
}
