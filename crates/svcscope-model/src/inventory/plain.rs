//! Text of others that can command nothing: no terminal, no reader of lines, no direction of writing.
//!
//! kubectl does the same with what it prints of Events (CVE-2021-25743,
//! cli-runtime/pkg/printers/terminal.go).

use std::borrow::Cow;

/// Whether a character commands a terminal (C0, DEL, C1), ends a line, or turns the direction of
/// writing (Unicode bidirectional algorithm, UAX #9).
pub fn is_control_char(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text of others as one line: line breaks and tabs are blanks, other control characters their
/// pictures (U+2400 to U+2421), and those of C1 and those that turn the direction of writing U+FFFD.
pub fn plain_line(text: &str) -> String {
    plain(text).into_owned()
}

/// As [`plain_line`]; borrowed where there is nothing to replace.
pub fn plain(text: &str) -> Cow<'_, str> {
    let is_printable = |byte: u8| (b' '..0x7f).contains(&byte);
    if text.bytes().all(is_printable) || !text.contains(is_control_char) {
        return Cow::Borrowed(text);
    }
    // Messages often end in a line break, and a line break of Windows is one.
    let text = text.trim_end_matches(['\r', '\n']).replace("\r\n", "\n");
    Cow::Owned(text.chars().map(replacement_char).collect())
}

fn replacement_char(c: char) -> char {
    match c {
        '\n' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        c if is_control_char(c) => '\u{fffd}',
        c => c,
    }
}

/// A text of several lines, each as [`plain_line`] has it; tabs stay.
pub fn plain_lines(text: &str) -> Cow<'_, str> {
    let is_harmless = |c: char| matches!(c, '\n' | '\t') || !is_control_char(c);
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n");
    let keep = |c: char| {
        if is_harmless(c) {
            c
        } else {
            replacement_char(c)
        }
    };
    Cow::Owned(text.chars().map(keep).collect())
}

/// JSON that is read back as the same, of which no byte commands a terminal: JSON's writers escape
/// C0 only (RFC 8259 §7). The others can stand only within its strings.
pub fn plain_json(json: String) -> String {
    let is_raw = |c: char| c != '\n' && is_control_char(c);
    if !json.contains(is_raw) {
        return json;
    }
    let mut plain = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if is_raw(c) {
            plain.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_commands_is_shown_and_one_line_stays_one() {
        assert_eq!(plain("quota ä 世界"), "quota ä 世界");
        assert!(matches!(plain("quota"), Cow::Borrowed(_)));
        assert_eq!(
            plain("a\x1b]52;c;eA==\x07\x1b[2J\r\nb\u{9b}31m\u{202e}c\x7f\u{2028}\rd\n"),
            "a␛]52;c;eA==␇␛[2J b\u{fffd}31m\u{fffd}c␡ ␍d"
        );
        assert_eq!(plain_lines("a: 1\r\n\tb\x1b\n"), "a: 1\n\tb␛\n");
    }

    proptest! {
        #[test]
        fn nothing_commanding_is_left(letters in prop::collection::vec(any::<char>(), 0..20)) {
            let text = String::from_iter(letters);
            prop_assert!(!plain(&text).contains(is_control_char));
            let is_raw = |c: char| !matches!(c, '\n' | '\t') && is_control_char(c);
            prop_assert!(!plain_lines(&text).contains(is_raw));
        }

        #[test]
        fn json_says_the_same(letters in prop::collection::vec(any::<char>(), 0..20)) {
            let text = String::from_iter(letters);
            let text = format!("{text}\x1b\u{9b}\u{202e}\x7f");
            let json = plain_json(serde_json::to_string_pretty(&[&text]).unwrap());
            prop_assert!(!json.contains(|c| c != '\n' && is_control_char(c)));
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), [text]);
        }
    }
}
