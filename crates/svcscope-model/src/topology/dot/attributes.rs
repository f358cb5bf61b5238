//! Words in a Graphviz document, whatever letters they are made of.

use std::fmt;

use crate::inventory::plain::is_control_char;

/// A quoted name or label. A line feed breaks a label.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            // A backslash starts an escape, also before the closing quote.
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            letter => out.push(printable(letter)),
        }
    }
    out.push('"');
    out
}

/// A text inside of a label that is written like HTML.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Graphviz stumbles over one that stands just before a tag.
            ']' => out.push_str("&#93;"),
            letter => out.push(printable(letter)),
        }
    }
    out
}

/// What neither a C string nor XML can hold, or what commands a terminal, is shown as what it is: something unreadable.
fn printable(letter: char) -> char {
    match letter {
        letter if is_control_char(letter) => '\u{fffd}',
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        letter => letter,
    }
}

/// ` [a="b", c=<d>]`, or nothing.
#[derive(Default)]
pub(super) struct DotAttributes(Vec<String>);

impl DotAttributes {
    /// An attribute with a text.
    pub fn text(mut self, name: &str, value: &str) -> Self {
        self.0.push(format!("{name}={}", quoted(value)));
        self
    }

    /// An attribute with markup.
    pub fn markup(mut self, name: &str, value: &str) -> Self {
        self.0.push(format!("{name}=<{value}>"));
        self
    }
}

impl fmt::Display for DotAttributes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(out, " [{}]", self.0.join(", "))
    }
}
