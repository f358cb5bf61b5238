//! A command line into words, as bash splits it.
//!
//! POSIX "Shell Command Language", section 2.2 (quoting), and bash's `$'…'`, which browsers write
//! when they copy a request as curl. Nothing is expanded: a `$` stands for itself.

/// A line that ends within a quote, or means more than one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShellSplitError {
    /// The quote is never closed.
    #[error("the quote {0} is opened and not closed")]
    Open(char),
    /// A pipe, a redirection, a second command.
    #[error("`{0}` is the shell's, not curl's: paste only the curl command")]
    Shell(char),
}

type RemainingChars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Splits a line.
pub(super) fn split(line: &str) -> Result<Vec<String>, ShellSplitError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\\' => match rest.next() {
                // A line that goes on.
                Some('\n') | None => {}
                Some('\r') if rest.peek() == Some(&'\n') => {
                    rest.next();
                }
                Some(escaped) => word.get_or_insert_default().push(escaped),
            },
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or(ShellSplitError::Open(c))? {
                        '\'' => break,
                        within => word.push(within),
                    }
                }
            }
            '"' => double(&mut rest, word.get_or_insert_default())?,
            '$' if rest.peek() == Some(&'\'') => {
                rest.next();
                ansi_c(&mut rest, word.get_or_insert_default())?;
            }
            '|' | ';' | '<' | '>' | '&' | '`' => return Err(ShellSplitError::Shell(c)),
            '#' if word.is_none() => while rest.next_if(|&c| c != '\n').is_some() {},
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn double(rest: &mut RemainingChars<'_>, word: &mut String) -> Result<(), ShellSplitError> {
    loop {
        match rest.next().ok_or(ShellSplitError::Open('"'))? {
            '"' => return Ok(()),
            '\\' => match rest.next().ok_or(ShellSplitError::Open('"'))? {
                '\n' => {}
                escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                other => word.extend(['\\', other]),
            },
            within => word.push(within),
        }
    }
}

/// bash(1), "QUOTING". Bytes that are no text together become U+FFFD.
fn ansi_c(rest: &mut RemainingChars<'_>, word: &mut String) -> Result<(), ShellSplitError> {
    let mut bytes = Vec::new();
    let put = |bytes: &mut Vec<u8>, c: char| bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
    loop {
        let c = match rest.next().ok_or(ShellSplitError::Open('\''))? {
            '\'' => break,
            '\\' => rest.next().ok_or(ShellSplitError::Open('\''))?,
            within => {
                put(&mut bytes, within);
                continue;
            }
        };
        let meant = match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\x07',
            'b' => '\x08',
            'e' | 'E' => '\x1b',
            'f' => '\x0c',
            'v' => '\x0b',
            // A byte, not a character: several of them may be one.
            'x' => {
                bytes.push((number(rest, 0, 2, 16) & 0xff) as u8);
                continue;
            }
            '0'..='7' => {
                let first = c.to_digit(8).unwrap_or_default();
                bytes.push((number(rest, first, 2, 8) & 0xff) as u8);
                continue;
            }
            'u' => char::from_u32(number(rest, 0, 4, 16)).unwrap_or('\u{fffd}'),
            'U' => char::from_u32(number(rest, 0, 8, 16)).unwrap_or('\u{fffd}'),
            '\\' | '\'' | '"' | '?' => c,
            other => {
                put(&mut bytes, '\\');
                other
            }
        };
        put(&mut bytes, meant);
    }
    word.push_str(&String::from_utf8_lossy(&bytes));
    Ok(())
}

/// Up to so many more digits behind a number that has begun.
fn number(rest: &mut RemainingChars<'_>, begun: u32, digits: usize, radix: u32) -> u32 {
    let mut value = begun;
    for _ in 0..digits {
        let Some(digit) = rest.peek().and_then(|c| c.to_digit(radix)) else {
            break;
        };
        value = value.wrapping_mul(radix).wrapping_add(digit);
        rest.next();
    }
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::probe::terminal_commands::quoted;

    #[test]
    fn words_are_those_of_a_shell() {
        let table: [(&str, &[&str]); 9] = [
            ("curl  -v\thttp://x", &["curl", "-v", "http://x"]),
            ("a\\ b 'c d' \"e f\"", &["a b", "c d", "e f"]),
            ("-H'X: y'\"z\"", &["-HX: yz"]),
            ("'' \"\"", &["", ""]),
            ("curl \\\n  -k \\\r\n -L", &["curl", "-k", "-L"]),
            ("\"\\\"\\\\\\n$x\"", &["\"\\\\n$x"]),
            ("$'a\\n\\'\\x41\\u00e4\\303\\244'", &["a\n'A\u{e4}\u{e4}"]),
            ("a # not a word", &["a"]),
            ("a#b", &["a#b"]),
        ];
        for (line, words) in table {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
        assert_eq!(split("a 'b"), Err(ShellSplitError::Open('\'')));
        assert_eq!(split("a \"b\\\""), Err(ShellSplitError::Open('"')));
        assert_eq!(split("curl x | jq ."), Err(ShellSplitError::Shell('|')));
    }

    proptest! {
        #[test]
        fn what_is_quoted_is_read_back(words in prop::collection::vec(any::<String>(), 0..8)) {
            let line: Vec<_> = words.iter().map(|word| quoted(word)).collect();
            prop_assert_eq!(split(&line.join(" ")), Ok(words));
        }

        #[test]
        fn any_line_is_split_or_refused(line in r#"[\-a-z0-9'"\\$ \n|;#xuU{}@:/]{0,60}"#) {
            split(&line).ok();
        }
    }
}
