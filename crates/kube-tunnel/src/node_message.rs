//! What a node says, as text that can be shown.

/// One line: line breaks and tabs are blanks, control characters their pictures (U+2400 to U+2421),
/// those of C1 and those that turn the direction of writing (UAX #9) U+FFFD. A node can't command the
/// terminal on which its message is shown.
pub fn printable_line(message: &str) -> String {
    let printable = |c| match c {
        '\n' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    };
    message
        .trim_end_matches(['\r', '\n'])
        .replace("\r\n", "\n")
        .chars()
        .map(printable)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_commands_no_terminal_and_stays_one_line() {
        let shown = printable_line("a\u{1b}[2J\r\nb\u{9b}\u{202e}c\u{7f}\n");
        assert_eq!(shown, "a␛[2J b\u{fffd}\u{fffd}c␡");
    }
}
