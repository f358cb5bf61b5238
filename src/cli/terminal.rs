//! All that the command line prints.
//!
//! What a cluster says may hold escapes that command a terminal and line breaks that forge lines, so
//! that nothing of `cli/` prints but by this module (`tests/cli/conventions.rs` holds that): a line by
//! `eprintln!` and `println!`, which here are this module's own; a page as [`TerminalLines`]; data, which
//! escapes for itself, as [`OutputBytes`].

use std::{
    fmt,
    io::{self, Write},
};

use serde::Serialize;

use svcscope_model::inventory::plain::{plain, plain_json, plain_lines};

/// As the standard library's, but one line on stderr, whatever is written in it.
macro_rules! eprintln {
    ($($word:tt)*) => {
        $crate::cli::terminal::print_error_line(format_args!($($word)*))
    };
}

/// As the standard library's, but one line on stdout, whatever is written in it.
macro_rules! println {
    ($($word:tt)*) => {
        $crate::cli::terminal::print_line(format_args!($($word)*))
    };
}

/// A line on stderr. A closed pipe there is no reason to end.
pub(super) fn print_error_line(line: fmt::Arguments<'_>) {
    let line = format!("{}\n", plain(&line.to_string()));
    io::stderr().lock().write_all(line.as_bytes()).ok();
}

/// A text on stderr whose line breaks are its own, with none added.
pub(super) fn print_error_text(text: &str) {
    let mut stderr = io::stderr().lock();
    stderr.write_all(plain_lines(text).as_bytes()).ok();
    stderr.flush().ok();
}

/// A question on stderr, answered on the same line.
pub(super) fn print_question(question: &str) {
    let mut stderr = io::stderr().lock();
    stderr.write_all(plain(question).as_bytes()).ok();
    stderr.flush().ok();
}

/// A line on stdout. A closed pipe there is no reason to end.
pub(super) fn print_line(line: fmt::Arguments<'_>) {
    let mut lines = TerminalLines::default();
    lines.add(&line.to_string());
    OutputBytes::lines(lines).print().ok();
}

/// Lines for the user.
#[derive(Default)]
pub(super) struct TerminalLines(String);

impl TerminalLines {
    /// Adds one line, whatever is written in it.
    pub fn add(&mut self, line: &str) {
        self.0.push_str(&plain(line));
        self.0.push('\n');
    }

    /// Adds the lines of a text whose line breaks are our own.
    pub fn add_all(&mut self, text: &str) {
        text.lines().for_each(|line| self.add(line));
    }

    /// Prints them on stderr, where stdout belongs to something else.
    pub fn print_to_stderr(&self) {
        io::stderr().lock().write_all(self.0.as_bytes()).ok();
    }
}

/// What is written to stdout or to a file, as it is.
pub(super) struct OutputBytes(Vec<u8>);

impl OutputBytes {
    /// Lines for the user.
    pub fn lines(lines: TerminalLines) -> Self {
        Self(lines.0.into_bytes())
    }

    /// JSON, or lines of it.
    pub fn json(json: String) -> Self {
        Self(plain_json(json).into_bytes())
    }

    /// A value as one line of JSON.
    pub fn json_line(value: &impl Serialize) -> serde_json::Result<Self> {
        Ok(Self::json(serde_json::to_string(value)? + "\n"))
    }

    /// A text of another form: its own writer has escaped what is not its own, but for what only a
    /// terminal takes amiss.
    pub fn text(text: &str) -> Self {
        Self(plain_lines(text).into_owned().into_bytes())
    }

    /// A picture.
    pub fn picture(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Writes to stdout.
    pub fn print(&self) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(&self.0).and_then(|()| stdout.flush()) {
            // Who reads has read enough: `svcscope map | head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }
}

/// Where log lines go: stderr, one line each. tracing_subscriber writes an event at once.
pub(super) struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        print_error_line(format_args!("{}", String::from_utf8_lossy(event)));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A text of others for one line.
pub(super) fn escape_line(text: &str) -> String {
    plain(text).into_owned()
}

/// A writer that makes everything harmless but line breaks and tabs. A character may come in two
/// pieces.
pub(super) struct EscapingWriter<W> {
    out: W,
    pending_bytes: Vec<u8>,
}

impl<W: Write> EscapingWriter<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            pending_bytes: Vec::new(),
        }
    }

    fn write_escaped(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(plain_lines(text).as_bytes())
    }
}

impl<W: Write> Write for EscapingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending_bytes.extend_from_slice(bytes);
        let held = std::mem::take(&mut self.pending_bytes);
        let mut rest = held.as_slice();
        while !rest.is_empty() {
            match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.write_escaped(text)?;
                    break;
                }
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    self.write_escaped(&String::from_utf8_lossy(good))?;
                    let Some(length) = error.error_len() else {
                        // The rest of the character is still to come.
                        self.pending_bytes = bad.to_vec();
                        break;
                    };
                    self.write_escaped("\u{fffd}")?;
                    rest = bad.get(length..).unwrap_or_default();
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.pending_bytes).is_empty() {
            self.write_escaped("\u{fffd}")?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn through(pieces: &[&[u8]]) -> String {
        let mut out = EscapingWriter::new(Vec::new());
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
        assert_eq!(
            escape_line("a\nb\u{9b}31m\u{202e}"),
            "a b\u{fffd}31m\u{fffd}"
        );
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
