//! What words of flags stand for: percent-encoding, paths, netrc(5).

use super::{FlagError, ReadFile};

/// As curl encodes it (lib/escape.c), a space as `+` (src/tool_getparam.c, `data_urlencode`).
pub(super) fn percent_encoded(bytes: &[u8]) -> String {
    let mut encoded = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// `CONTENT`, `=CONTENT`, `NAME=CONTENT`, `@FILE`, `NAME@FILE`.
pub(super) fn url_encoded(word: &str, read: ReadFile<'_>) -> Result<String, FlagError> {
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
    let mut words = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(str::split_whitespace);
    let (mut is_for_host, mut login, mut password) = (false, None, None);
    while let Some(word) = words.next() {
        match word {
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
    }
}
