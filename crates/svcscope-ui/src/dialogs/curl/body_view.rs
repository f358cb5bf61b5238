//! A body as the user reads it: indented, as it came, or as bytes.

use egui::text::{LayoutJob, TextFormat};

use crate::theme::ColorTokens;
use svcscope_net::probe::{CurlResponse, RequestId};

/// More than this is shown as it came, and cut: indenting and layout cost a frame its time.
pub(super) const SHOWN_BYTES: usize = 512 * 1024;

/// How a body is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum BodyFormat {
    /// JSON and XML indented, everything else as it came.
    #[default]
    Pretty,
    /// As it came.
    Raw,
    /// As bytes.
    Hex,
}

/// What is shown of a body, made once for each response and choice of how to show it.
#[derive(Debug, Default)]
pub(super) struct BodyView {
    pub(super) format: BodyFormat,
    pub(super) search: String,
    cache: Option<BodyTextCache>,
}

#[derive(Debug)]
struct BodyTextCache {
    key: (RequestId, u64, BodyFormat),
    text: String,
    /// The search that the matches are of, and where they begin.
    matches: (String, Vec<usize>),
}

impl BodyView {
    /// The text, and where the search is found in it.
    pub(super) fn text(&mut self, id: RequestId, response: &CurlResponse) -> (&str, &[usize]) {
        let of = (id, response.body_bytes, self.format);
        let made = match self.cache.take().filter(|made| made.key == of) {
            Some(made) => made,
            None => BodyTextCache {
                key: of,
                text: text(response, self.format),
                matches: (String::new(), Vec::new()),
            },
        };
        let made = self.cache.insert(made);
        if made.matches.0 != self.search {
            made.matches = (self.search.clone(), find(&made.text, &self.search));
        }
        (&made.text, &made.matches.1)
    }
}

fn text(response: &CurlResponse, form: BodyFormat) -> String {
    let body = &response.body;
    let shown = body.get(..SHOWN_BYTES).unwrap_or(body);
    if form == BodyFormat::Hex {
        return hex(shown);
    }
    let kind = response
        .http()
        .and_then(|head| head.header("content-type"))
        .unwrap_or_default()
        .to_ascii_lowercase();
    let is_whole = !response.truncated && shown.len() == body.len();
    let indented = (form == BodyFormat::Pretty && is_whole)
        .then(|| {
            if kind.contains("json") {
                json(shown)
            } else if kind.contains("xml") && !kind.contains("html") {
                xml(shown)
            } else {
                None
            }
        })
        .flatten();
    let text = indented.unwrap_or_else(|| String::from_utf8_lossy(shown).into_owned());
    escape_control_chars(&text)
}

fn json(body: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    serde_json::to_string_pretty(&value).ok()
}

fn xml(body: &[u8]) -> Option<String> {
    use quick_xml::{Reader, Writer, events::Event};
    let mut reader = Reader::from_reader(body);
    reader.config_mut().trim_text(true);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    loop {
        match reader.read_event().ok()? {
            Event::Eof => break,
            event => writer.write_event(event).ok()?,
        }
    }
    String::from_utf8(writer.into_inner()).ok()
}

/// What a font has no shape for is shown by its picture, so that nothing hides.
fn escape_control_chars(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\r' => '\u{240d}',
            '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
            '\x7f' => '\u{2421}',
            '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c => c,
        })
        .collect::<String>()
        .replace("\u{240d}\n", "\n")
}

/// Sixteen bytes a line: offset, bytes, text.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 5);
    for (at, line) in bytes.chunks(16).enumerate() {
        let mut shown = String::new();
        for byte in line {
            write!(shown, "{byte:02x} ").ok();
        }
        let letters: String = line
            .iter()
            .map(|&byte| match byte {
                0x20..=0x7e => char::from(byte),
                _ => '.',
            })
            .collect();
        writeln!(text, "{:08x}  {shown:<48} {letters}", at * 16).ok();
    }
    text
}

/// Where a search begins in a text, in any case of ASCII letters.
fn find(text: &str, search: &str) -> Vec<usize> {
    if search.is_empty() {
        return Vec::new();
    }
    let (text, search) = (text.to_ascii_lowercase(), search.to_ascii_lowercase());
    text.match_indices(&search)
        .map(|(at, _)| at)
        .take(10_000)
        .collect()
}

/// The text with what was found in it marked.
pub(super) fn highlight_matches(
    text: &str,
    found: &[usize],
    length: usize,
    plain: TextFormat,
    tokens: &ColorTokens,
) -> LayoutJob {
    let mark = TextFormat {
        background: tokens.primary,
        ..plain.clone()
    };
    let mut job = LayoutJob::default();
    let mut from = 0;
    for &at in found.iter().filter(|&&at| at + length <= text.len()) {
        if at < from {
            continue;
        }
        job.append(text.get(from..at).unwrap_or_default(), 0.0, plain.clone());
        job.append(
            text.get(at..at + length).unwrap_or_default(),
            0.0,
            mark.clone(),
        );
        from = at + length;
    }
    job.append(text.get(from..).unwrap_or_default(), 0.0, plain);
    job
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structured_bodies_are_indented_and_others_left() {
        assert_eq!(
            json(b"{\"b\":[1],\"a\":{}}").unwrap(),
            "{\n  \"b\": [\n    1\n  ],\n  \"a\": {}\n}"
        );
        assert_eq!(json(b"{"), None);
        assert_eq!(
            xml(b"<a><b x=\"1\">t</b><c/></a>").unwrap(),
            "<a>\n  <b x=\"1\">t</b>\n  <c/>\n</a>"
        );
        assert_eq!(xml(b"<a><b></a>"), None);
    }

    #[test]
    fn nothing_hides_in_a_text() {
        assert_eq!(
            escape_control_chars("a\x1b[31m\r\nb\0\u{202e}c\rd"),
            "a␛[31m\nb␀\u{fffd}c␍d"
        );
    }

    #[test]
    fn bytes_are_shown_beside_their_letters() {
        let shown = hex(b"GET / HTTP/1.1\r\n\xff");
        assert_eq!(
            shown,
            "00000000  47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a  GET / HTTP/1.1..\n\
             00000010  ff                                               .\n"
        );
    }

    #[test]
    fn a_search_finds_every_place_in_any_case() {
        assert_eq!(find("abcABC ab", "AB"), [0, 3, 7]);
        assert!(find("abc", "").is_empty());
        assert_eq!(find("äöä", "ä"), [0, 4]);
    }
}
