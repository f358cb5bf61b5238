//! Heads of answers in the bytes of HTTP/1, as `curl -i` prints them.

use bytes::Bytes;
use http::{HeaderMap, Version};

use super::HttpHead;

/// All heads of an answer: those that only ask for patience, and the one that counts.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::probe) struct ResponseHeads {
    pub last: HttpHead,
    /// How many bytes all of them take.
    pub length: usize,
}

impl ResponseHeads {
    /// Reads the heads, of which curl says how long they are together if it came to say that.
    /// Without its word the first that is no `1xx` is taken for the last.
    pub fn read(printed: &[u8], known: Option<usize>) -> Option<Self> {
        let known = known.filter(|length| (1..=printed.len()).contains(length));
        let (mut at, mut heads) = (0, Vec::new());
        loop {
            let rest = printed.get(at..)?;
            let end = rest.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
            heads.push(head(rest.get(..end)?)?);
            at += end;
            let is_last = match known {
                Some(length) => at >= length,
                None => heads.last().is_some_and(|head| head.status >= 200),
            };
            if is_last {
                break;
            }
        }
        let last = heads.pop()?;
        Some(Self { last, length: at })
    }
}

/// A head as curl writes one that did not come in these bytes: of HTTP/2, or by somebody else.
pub(super) fn head_bytes(head: &http::response::Parts) -> Bytes {
    let status = head.status;
    let line = match head.version {
        Version::HTTP_2 => format!("HTTP/2 {} \r\n", status.as_u16()),
        version => {
            let reason = status.canonical_reason().unwrap_or_default();
            format!("{version:?} {} {reason}\r\n", status.as_u16())
        }
    };
    let mut bytes = line.into_bytes();
    bytes.extend(field_lines(&head.headers));
    bytes.extend(b"\r\n");
    bytes.into()
}

/// Fields as lines.
pub(super) fn field_lines(fields: &HeaderMap) -> Vec<u8> {
    let mut lines = Vec::new();
    for (name, value) in fields {
        lines.extend_from_slice(name.as_str().as_bytes());
        lines.extend(b": ");
        lines.extend_from_slice(value.as_bytes());
        lines.extend(b"\r\n");
    }
    lines
}

/// One head; what is no UTF-8 is replaced.
fn head(bytes: &[u8]) -> Option<HttpHead> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split("\r\n");
    let (version, rest) = lines.next()?.split_once(' ')?;
    let version = match version.strip_prefix("HTTP/")? {
        "2" => "HTTP/2.0".to_owned(),
        "3" => "HTTP/3.0".to_owned(),
        number => format!("HTTP/{number}"),
    };
    let status = rest.split(' ').next()?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    Some(HttpHead {
        version,
        status,
        headers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_comes_before_the_head_that_counts() {
        let printed = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: /b\r\n\r\n\
            HTTP/2 200 \r\ncontent-type: text/plain\r\nx: \xff\r\n\r\nHTTP/1.1 body\r\n\r\n";
        let length = printed.len() - "HTTP/1.1 body\r\n\r\n".len();
        let heads = ResponseHeads::read(printed, Some(length)).unwrap();
        assert_eq!(heads.length, length);
        assert_eq!((heads.last.status, &*heads.last.version), (200, "HTTP/2.0"));
        assert_eq!(heads.last.header("X"), Some("\u{fffd}"));
        assert_eq!(ResponseHeads::read(printed, None), Some(heads));
    }

    #[test]
    fn what_is_no_head_is_none() {
        assert_eq!(ResponseHeads::read(b"hello\r\n\r\n", None), None);
        assert_eq!(ResponseHeads::read(b"HTTP/1.1 200 OK\r\n", None), None);
        assert_eq!(ResponseHeads::read(b"", Some(10)), None);
    }
}
