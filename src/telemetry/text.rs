//! Short texts in words, without allocation on the writer's side.

use std::fmt;

/// `text` in `N` words, filled up with 0; cut between two characters where it is longer. A value that is shown is written
/// into it as well.
pub(super) fn to_words<const N: usize>(text: impl fmt::Display) -> [u64; N] {
    struct Bytes<const N: usize> {
        words: [u64; N],
        len: usize,
    }
    impl<const N: usize> fmt::Write for Bytes<N> {
        fn write_str(&mut self, s: &str) -> fmt::Result {
            for c in s.chars() {
                let mut bytes = [0; 4];
                let bytes = c.encode_utf8(&mut bytes).as_bytes();
                if c == '\0' || self.len + bytes.len() > N * 8 {
                    return Err(fmt::Error);
                }
                for byte in bytes {
                    self.words[self.len / 8] |= u64::from(*byte) << (self.len % 8 * 8);
                    self.len += 1;
                }
            }
            Ok(())
        }
    }
    let mut out = Bytes { words: [0; N], len: 0 };
    // An error means that it is cut.
    let _ = fmt::write(&mut out, format_args!("{text}"));
    out.words
}

/// The text in `words`. Whatever is no text of ours, control characters above all, comes out as a question mark: it may be
/// shown in a terminal. Allocates.
pub(super) fn from_words(words: &[u64]) -> String {
    let bytes: Vec<u8> =
        words.iter().flat_map(|word| word.to_le_bytes()).take_while(|byte| *byte != 0).collect();
    let clean = |c: char| if c.is_control() || c == char::REPLACEMENT_CHARACTER { '?' } else { c };
    String::from_utf8_lossy(&bytes).chars().map(clean).collect()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_cut_between_characters_and_without_controls() {
        assert_eq!(from_words(&to_words::<4>("llvmpipe")), "llvmpipe");
        assert_eq!(from_words(&to_words::<1>("abcdefgh")), "abcdefgh");
        assert_eq!(from_words(&to_words::<1>("abcdefgä")), "abcdefg");
        assert_eq!(from_words(&to_words::<2>("a\x1b[2J\0b")), "a?[2J");
        assert_eq!(from_words(&to_words::<2>(1.5)), "1.5");
        assert_eq!(from_words(&[u64::MAX, 0]), "????????");
        assert_eq!(from_words(&[]), "");
    }
}
