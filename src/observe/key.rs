use std::fmt;
use std::str::FromStr;

macro_rules! keys {
    ($($key:ident = $code:literal $name:literal),+ $(,)?) => {
        /// A key by its place on the keyboard: its code in linux/input-event-codes.h. X11 adds [`Key::X11_OFFSET`].
        #[derive(Copy, Clone, Debug, Eq, PartialEq)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "they are what is written on them")]
        pub enum Key {
            $($key = $code),+
        }

        impl Key {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$key),+];

            /// As it is written on a command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$key => $name),+
                }
            }
        }
    };
}

keys! {
    Esc = 1 "esc", Digit1 = 2 "1", Digit2 = 3 "2", Digit3 = 4 "3", Digit4 = 5 "4", Digit5 = 6 "5", Digit6 = 7 "6",
    Digit7 = 8 "7", Digit8 = 9 "8", Digit9 = 10 "9", Digit0 = 11 "0", Backspace = 14 "backspace", Tab = 15 "tab",
    Q = 16 "q", W = 17 "w", E = 18 "e", R = 19 "r", T = 20 "t", Y = 21 "y", U = 22 "u", I = 23 "i", O = 24 "o",
    P = 25 "p", Enter = 28 "enter", A = 30 "a", S = 31 "s", D = 32 "d", F = 33 "f", G = 34 "g", H = 35 "h", J = 36 "j",
    K = 37 "k", L = 38 "l", Z = 44 "z", X = 45 "x", C = 46 "c", V = 47 "v", B = 48 "b", N = 49 "n", M = 50 "m",
    Space = 57 "space", F1 = 59 "f1", F2 = 60 "f2", F3 = 61 "f3", F4 = 62 "f4", F5 = 63 "f5", F6 = 64 "f6",
    F7 = 65 "f7", F8 = 66 "f8", F9 = 67 "f9", F10 = 68 "f10", F11 = 87 "f11", F12 = 88 "f12", Up = 103 "up",
    Left = 105 "left", Right = 106 "right", Down = 108 "down",
}

impl Key {
    /// What X11 adds to the code.
    pub const X11_OFFSET: u8 = 8;

    /// Its code in the kernel and on Wayland.
    #[must_use]
    pub const fn evdev(self) -> u32 {
        self as u32
    }

    /// Its code on X11 with the usual (evdev) rules.
    #[must_use]
    pub const fn x11(self) -> u8 {
        self as u8 + Self::X11_OFFSET
    }
}

/// No key is called so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ParseKeyError(String);

impl fmt::Display for ParseKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no key '{}'; there are a to z, 0 to 9, f1 to f12, space, enter, tab, backspace, esc, up, down, left, right",
            self.0
        )
    }
}

impl std::error::Error for ParseKeyError {}

impl FromStr for Key {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|key| key.name().eq_ignore_ascii_case(text));
        found.copied().ok_or_else(|| ParseKeyError(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_keys_and_others_are_refused() {
        for &key in Key::ALL {
            assert_eq!(key.name().parse(), Ok(key));
        }
        assert_eq!("SPACE".parse(), Ok(Key::Space));
        assert_eq!((Key::Space.x11(), Key::F11.x11()), (65, 95));
        assert!("".parse::<Key>().is_err() && "spacebar".parse::<Key>().is_err());
    }
}
