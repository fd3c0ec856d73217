use std::fmt;
use std::time::Duration;

use crate::time::Timestamp;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// What an [`Event`] tells of.
        #[derive(Copy, Clone, Debug, Eq, PartialEq, Hash)]
        #[non_exhaustive]
        pub enum Kind { $($(#[doc = $doc])+ $name,)+ }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name in files.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

kinds! {
    /// Some part of the program that somebody gave a name.
    Scope = "scope",
    /// A step of the logic. `frame` is the number of the snapshot that it made, `value` for how many nanoseconds the thread
    /// was on a processor (0: not told).
    Logic = "logic",
    /// The drawing of a frame, up to its last call. `value` as for a step of the logic.
    Render = "render",
    /// Swap was called and returned. `value` as for a step of the logic.
    Swap = "swap",
    /// A frame could not begin, or swap could not return, before the GPU had finished an earlier one.
    Fence = "fence",
    /// A thread slept. `value` is by how many nanoseconds it woke too late.
    Sleep = "sleep",
    /// Data went to the driver. `value` is how many bytes.
    Upload = "upload",
    /// The driver compiled or linked a shader.
    Compile = "compile",
    /// A pass on the GPU, on the CPU's clock.
    Gpu = "gpu",
    /// Shader invocations of the frame: `value` vertices, `delay` fragments.
    Invocations = "invocations",
    /// The display began a refresh. `value` is its own count, or 0.
    Vblank = "vblank",
    /// A plan was made. `end` is when to wake, `value` the display time aimed at (0: none), `delay` the time that the frame
    /// is given. `frame` is the plan's number.
    Plan = "plan",
}

impl Kind {
    /// The kind of that [name](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether a thread was busy with it, or waited in it: it has a place on that thread's track.
    #[must_use]
    pub const fn is_span(self) -> bool {
        !matches!(self, Self::Gpu | Self::Vblank | Self::Plan | Self::Invocations)
    }
}

/// Something that happened between two times.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub struct Event<'a> {
    /// What.
    pub kind: Kind,
    /// What it is called.
    pub name: &'a str,
    /// The frame that it belongs to, where it belongs to one; 0 otherwise.
    pub frame: u64,
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// See [`Kind`].
    pub value: u64,
    /// For how many nanoseconds of it the thread was ready to run and the system ran something else, where the system
    /// tells. For some kinds something else: see [`Kind`].
    pub delay: u64,
}

impl<'a> Event<'a> {
    /// An event without value and delay.
    #[must_use]
    pub const fn new(kind: Kind, name: &'a str, frame: u64, start: Timestamp, end: Timestamp) -> Self {
        Self { kind, name, frame, start, end, value: 0, delay: 0 }
    }

    /// How long it took.
    #[must_use]
    pub const fn span(&self) -> Duration {
        self.end.saturating_since(self.start)
    }
}

/// Longest text of a [`Message`], in bytes.
const TEXT: usize = 200;

/// What the driver said (`KHR_debug`).
#[derive(Copy, Clone, Eq, PartialEq)]
pub struct Message {
    /// When it arrived.
    pub at: Timestamp,
    /// `GL_DEBUG_SOURCE_..`.
    pub source: u32,
    /// `GL_DEBUG_TYPE_..`.
    pub kind: u32,
    /// The driver's number for it.
    pub id: u32,
    /// `GL_DEBUG_SEVERITY_..`.
    pub severity: u32,
    text: [u8; TEXT],
    len: u8,
}

impl Message {
    /// A message with the beginning of `text`, as much of it as has room. Does not allocate.
    #[must_use]
    pub fn new(at: Timestamp, [source, kind, id, severity]: [u32; 4], text: &str) -> Self {
        let text = text.trim_end();
        let len = text.floor_char_boundary(TEXT);
        let mut bytes = [0; TEXT];
        bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
        Self { at, source, kind, id, severity, text: bytes, len: len as u8 }
    }

    /// What it says.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.text[..usize::from(self.len)]).unwrap_or_default()
    }

    /// The source in words.
    #[must_use]
    pub const fn source_name(&self) -> &'static str {
        match self.source {
            0x8246 => "API",
            0x8247 => "window system",
            0x8248 => "shader compiler",
            0x8249 => "third party",
            0x824A => "application",
            _ => "other",
        }
    }

    /// The kind in words.
    #[must_use]
    pub const fn kind_name(&self) -> &'static str {
        match self.kind {
            0x824C => "error",
            0x824D => "deprecated",
            0x824E => "undefined behaviour",
            0x824F => "portability",
            0x8250 => "performance",
            0x8268 => "marker",
            0x8269 => "push group",
            0x826A => "pop group",
            _ => "other",
        }
    }

    /// The severity in words.
    #[must_use]
    pub const fn severity_name(&self) -> &'static str {
        match self.severity {
            0x9146 => "high",
            0x9147 => "medium",
            0x9148 => "low",
            _ => "notification",
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} {} {}: {}", self.at, self.severity_name(), self.kind_name(), self.id, self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_their_names() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(*kind));
        }
        assert_eq!(Kind::from_name("nothing"), None);
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let long = "é".repeat(TEXT);
        let message = Message::new(Timestamp::ZERO, [0x8246, 0x8250, 7, 0x9146], &long);
        assert_eq!(message.text(), "é".repeat(TEXT / 2));
        let short = Message::new(Timestamp::ZERO, [0; 4], "slow path\n");
        assert_eq!(
            (short.text(), short.severity_name(), short.kind_name()),
            ("slow path", "notification", "other")
        );
        assert_eq!(
            (message.source_name(), message.kind_name(), message.severity_name()),
            ("API", "performance", "high")
        );
    }
}
