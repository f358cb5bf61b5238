//! What words of flags stand for: percent-encoding, paths, netrc(5).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::{CurlFlagError, FileReader};

/// What curl leaves as it is (lib/escape.c, `ISUNRESERVED`).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// As curl encodes it.
pub(super) fn percent_encoded(bytes: &[u8]) -> String {
    percent_encode(bytes, UNRESERVED).to_string()
}

/// `CONTENT`, `=CONTENT`, `NAME=CONTENT`, `@FILE`, `NAME@FILE`.
pub(super) fn url_encoded(word: &str, read: FileReader<'_>) -> Result<String, CurlFlagError> {
    let encode = |bytes: &[u8]| percent_encoded(bytes).replace("%20", "+");
    let (name, content) = match (word.split_once('='), word.split_once('@')) {
        (Some((name, content)), _) => (name, encode(content.as_bytes())),
        (None, Some((name, file))) => (name, encode(&read(file)?)),
        (None, None) => ("", encode(word.as_bytes())),
    };
    Ok(if name.is_empty() {
        content
    } else {
        format!("{name}={content}")
    })
}

/// A path without `.` and `..` (RFC 3986, section 5.2.4), as curl sends it unless `--path-as-is`.
pub(super) fn without_dots(path: &str) -> String {
    let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    let mut kept = Vec::new();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                // The first is what stands before the first slash: nothing.
                if segment == ".." && kept.len() > 1 {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    kept.join("/") + query
}

/// `NAME:PASSWORD` for a host (netrc(5)): that of its own `machine`, else of `default`.
pub(super) fn netrc(text: &str, host: &str) -> Option<String> {
    let mut words = text.lines().flat_map(netrc_words);
    let (mut is_for_host, mut login, mut password) = (false, None, None);
    while let Some(word) = words.next() {
        match &*word {
            "machine" | "default" if is_for_host && password.is_some() => break,
            "machine" => is_for_host = words.next().is_some_and(|it| it.eq_ignore_ascii_case(host)),
            "default" => is_for_host = true,
            "login" if is_for_host => login = words.next(),
            "password" if is_for_host => password = words.next(),
            _ => {}
        }
    }
    Some(format!("{}:{}", login.unwrap_or_default(), password?))
}

/// The words of a line as curl reads them (lib/netrc.c): in double quotes a word may have spaces, and
/// `\n`, `\r`, `\t` and any escaped character; a word that begins with `#` ends the line.
fn netrc_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let Some(quoted) = rest.strip_prefix('"') else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            words.push(word.to_owned());
            rest = after.trim_start();
            continue;
        };
        let mut word = String::new();
        let mut characters = quoted.chars();
        while let Some(c) = characters.next().filter(|c| *c != '"') {
            word.push(match c {
                '\\' => match characters.next() {
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('t') => '\t',
                    other => other.unwrap_or('\\'),
                },
                c => c,
            });
        }
        words.push(word);
        rest = characters.as_str().trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_go_and_queries_stay() {
        for (path, sent) in [
            ("/a/../b/./c?x=/../y", "/b/c?x=/../y"),
            ("/..", "/"),
            ("/a/.", "/a/"),
            ("/a/b/..", "/a/"),
            ("/../../a", "/a"),
            ("/a//b", "/a//b"),
            ("/", "/"),
            ("/.a/..b", "/.a/..b"),
        ] {
            assert_eq!(without_dots(path), sent, "{path}");
        }
    }

    #[test]
    fn netrc_names_the_password_of_the_host() {
        let text = "# mine\nmachine a login ann password one\nmachine b\n login bob\n password two\n\
                    default login eve password three";
        assert_eq!(netrc(text, "A").as_deref(), Some("ann:one"));
        assert_eq!(netrc(text, "b").as_deref(), Some("bob:two"));
        assert_eq!(netrc(text, "c").as_deref(), Some("eve:three"));
        assert_eq!(netrc("machine a login x", "a"), None);
        let quoted = "machine a login \"a n\" password \"p \\\"q\\\\ \\tw\"";
        assert_eq!(netrc(quoted, "a").as_deref(), Some("a n:p \"q\\ \tw"));
    }
}
