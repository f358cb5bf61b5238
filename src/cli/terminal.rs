//! Text of others on a terminal: what would command it is shown instead of obeyed.

use std::io::{self, Write};

/// A text of others for one line: control characters as their pictures (U+2400 to U+2421), those
/// of C1 (which some terminals obey) and those that turn the direction of writing as U+FFFD.
pub(super) fn harmless(text: &str) -> String {
    text.chars().map(|c| shown(c, false)).collect()
}

fn shown(c: char, keeps_lines: bool) -> char {
    match c {
        '\n' | '\t' if keeps_lines => c,
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    }
}

/// A writer that makes everything harmless but line breaks and tabs. A character may come in two
/// pieces.
pub(super) struct Harmless<W> {
    out: W,
    held: Vec<u8>,
}

impl<W: Write> Harmless<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            held: Vec::new(),
        }
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        // A line break of the network is one line break.
        let text = text.replace("\r\n", "\n");
        let shown: String = text.chars().map(|c| shown(c, true)).collect();
        self.out.write_all(shown.as_bytes())
    }
}

impl<W: Write> Write for Harmless<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        let held = std::mem::take(&mut self.held);
        let mut rest = held.as_slice();
        while !rest.is_empty() {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.put(text)?;
                    break;
                }
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    self.put(&String::from_utf8_lossy(good))?;
                    let Some(length) = error.error_len() else {
                        // The rest of the character is still to come.
                        self.held = bad.to_vec();
                        break;
                    };
                    self.put("\u{fffd}")?;
                    rest = bad.get(length..).unwrap_or_default();
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.held).is_empty() {
            self.put("\u{fffd}")?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn through(pieces: &[&[u8]]) -> String {
        let mut out = Harmless::new(Vec::new());
        for piece in pieces {
            out.write_all(piece).unwrap();
        }
        out.flush().unwrap();
        String::from_utf8(out.out).unwrap()
    }

    #[test]
    fn what_would_command_the_terminal_is_shown() {
        assert_eq!(
            through(&[b"\x1b[2J\x1b]0;title\x07 a\tb\r\nc\rd\x7f"]),
            "␛[2J␛]0;title␇ a\tb\nc␍d␡"
        );
        assert_eq!(harmless("a\nb\u{9b}31m\u{202e}"), "a␊b\u{fffd}31m\u{fffd}");
    }

    #[test]
    fn a_character_in_two_pieces_is_one_and_a_broken_one_is_marked() {
        assert_eq!(through(&[b"\xc3", b"\xa4!"]), "ä!");
        assert_eq!(through(&[b"a\xffb"]), "a\u{fffd}b");
        assert_eq!(through(&[b"a\xe2\x82"]), "a\u{fffd}");
    }

    proptest! {
        #[test]
        fn nothing_that_commands_comes_through(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..6)
        ) {
            let slices: Vec<_> = pieces.iter().map(Vec::as_slice).collect();
            let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
            prop_assert!(!through(&slices).contains(obeyed));
        }
    }
}
