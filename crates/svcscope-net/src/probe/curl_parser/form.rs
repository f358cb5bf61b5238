//! `-F`: a form of several parts (RFC 7578), in the bytes that curl sends.

use super::{CurlFlagError, FileReader, payload::PayloadKind};

/// How curl tells a type by a name's end (lib/mime.c, `Curl_mime_contenttype`).
const TYPES: [(&str, &str); 10] = [
    (".gif", "image/gif"),
    (".jpg", "image/jpeg"),
    (".jpeg", "image/jpeg"),
    (".png", "image/png"),
    (".svg", "image/svg+xml"),
    (".txt", "text/plain"),
    (".htm", "text/html"),
    (".html", "text/html"),
    (".pdf", "application/pdf"),
    (".xml", "application/xml"),
];

/// The type of a form, unless `-H` gives another one.
pub(super) const TYPE: &str = "multipart/form-data";

#[derive(Debug, Default, PartialEq, Eq)]
struct FormPart {
    name: String,
    filename: Option<String>,
    content_type: Option<String>,
    content: Vec<u8>,
}

/// The body that the parts make.
pub(super) fn form(
    words: &[(PayloadKind, String)],
    content_type: &str,
    boundary: &str,
    read: FileReader<'_>,
) -> Result<Vec<u8>, CurlFlagError> {
    // Parts of anything but a form are attachments (lib/mime.c, `Curl_mime_prepare_headers`).
    let of_whole = content_type.split(';').next().unwrap_or_default().trim();
    let disposition = if of_whole.eq_ignore_ascii_case(TYPE) {
        "form-data"
    } else {
        "attachment"
    };
    let mut body = Vec::new();
    for (kind, word) in words {
        let part = match kind {
            PayloadKind::FormString => {
                let (name, content) = name_of(word)?;
                FormPart {
                    name: name.to_owned(),
                    content: content.as_bytes().to_vec(),
                    ..FormPart::default()
                }
            }
            _ => part(word, read)?,
        };
        let mut head = format!("--{boundary}\r\nContent-Disposition: {disposition}");
        if !part.name.is_empty() {
            head.push_str(&format!("; name=\"{}\"", escaped(&part.name)));
        }
        if let Some(filename) = &part.filename {
            head.push_str(&format!("; filename=\"{}\"", escaped(filename)));
        }
        if let Some(content_type) = &part.content_type {
            head.push_str(&format!("\r\nContent-Type: {content_type}"));
        }
        head.push_str("\r\n\r\n");
        body.extend(head.into_bytes());
        body.extend(part.content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").into_bytes());
    Ok(body)
}

fn name_of(word: &str) -> Result<(&str, &str), CurlFlagError> {
    word.split_once('=').ok_or_else(|| {
        CurlFlagError::Usage(format!(
            "`-F {word}` is no part of a form: write NAME=CONTENT"
        ))
    })
}

/// `NAME=CONTENT`, `NAME=@FILE`, `NAME=<FILE`, each with `;type=` and `;filename=` behind it.
fn part(word: &str, read: FileReader<'_>) -> Result<FormPart, CurlFlagError> {
    let refused =
        |what: &str| CurlFlagError::Usage(format!("`-F {word}`: {what} is not followed here"));
    let (name, given) = name_of(word)?;
    if given.starts_with('(') || given.starts_with("=)") || given == ")" {
        return Err(refused("a form within a form"));
    }
    let (sign, given) = match given.strip_prefix(['@', '<']) {
        Some(rest) => (given.chars().next(), rest),
        None => (None, given),
    };
    let (content, mut rest) = value(given);
    let mut part = FormPart {
        name: name.to_owned(),
        ..FormPart::default()
    };
    let mut is_type = false;
    while let Some(more) = rest.strip_prefix(';') {
        let more = more.trim_start();
        let (attribute, typed) = more.split_once('=').unwrap_or((more, ""));
        let (said, after) = value(typed);
        rest = after;
        match attribute {
            "type" => part.content_type = Some(said.trim().to_owned()),
            "filename" => part.filename = Some(said),
            "headers" | "encoder" => return Err(refused(&format!("`;{attribute}=`"))),
            // A type may have parameters: `text/plain;charset=utf-8`.
            _ if is_type => {
                let (whole, after) = raw(more);
                rest = after;
                if let Some(content_type) = &mut part.content_type {
                    content_type.push_str(&format!(";{whole}"));
                }
            }
            _ => return Err(refused(&format!("`;{more}`"))),
        }
        is_type = part.content_type.is_some() && attribute != "filename";
    }
    if !rest.is_empty() {
        return Err(refused(&format!("`{rest}`")));
    }
    if sign.is_some() && content.contains(',') {
        return Err(refused("more than one file in a part"));
    }
    if sign == Some('@') {
        let base = content.rsplit(['/', '\\']).next().unwrap_or(&content);
        let filename = part.filename.get_or_insert_with(|| base.to_owned());
        // Of stdin curl says no type.
        let other = (content != "-").then_some("application/octet-stream");
        let guessed = guess(filename).or_else(|| guess(&content)).or(other);
        part.content_type = part.content_type.or_else(|| guessed.map(str::to_owned));
    } else if let (Some(filename), None) = (&part.filename, &part.content_type) {
        part.content_type = guess(filename).map(str::to_owned);
    }
    part.content = match sign {
        Some(_) => read(&content)?,
        None => content.into_bytes(),
    };
    Ok(part)
}

/// A value up to the next `;`; within quotes that is part of it, `\"` and `\\` stand for themselves.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = raw(text);
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut rest = quoted.char_indices();
    while let Some((at, c)) = rest.next() {
        match c {
            '"' => {
                let after = quoted.get(at + 1..).unwrap_or_default();
                return (value, after.trim_start());
            }
            '\\' => match rest.next() {
                Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                Some((_, other)) => value.extend(['\\', other]),
                None => value.push('\\'),
            },
            c => value.push(c),
        }
    }
    // A quote that is never closed is none.
    let (value, rest) = raw(text);
    (value.to_owned(), rest)
}

fn raw(text: &str) -> (&str, &str) {
    text.split_at(text.find(';').unwrap_or(text.len()))
}

fn guess(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let known = TYPES.iter().find(|(end, _)| name.ends_with(end));
    known.map(|(_, content_type)| *content_type)
}

/// As browsers do (HTML, "multipart form data").
fn escaped(text: &str) -> String {
    text.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(word: &str) -> Result<FormPart, String> {
        let read = |file: &str| Ok(format!("content of {file}").into_bytes());
        part(word, &read).map_err(|error| error.to_string())
    }

    #[test]
    fn a_part_is_read_as_curl_reads_it() {
        let text = parts("a=b c\"d").unwrap();
        assert_eq!((&*text.name, &text.content[..]), ("a", &b"b c\"d"[..]));
        assert_eq!((text.filename, text.content_type), (None, None));
        let file = parts("f=@dir/x.PNG").unwrap();
        assert_eq!(file.filename.as_deref(), Some("x.PNG"));
        assert_eq!(file.content_type.as_deref(), Some("image/png"));
        assert_eq!(file.content, b"content of dir/x.PNG");
        let named = parts("f=@\"a;b\";type=text/x;charset=u8;filename=\"q\\\"z\"").unwrap();
        assert_eq!(named.filename.as_deref(), Some("q\"z"));
        assert_eq!(named.content_type.as_deref(), Some("text/x;charset=u8"));
        assert_eq!(named.content, b"content of a;b");
        let inline = parts("f=<x.txt").unwrap();
        assert_eq!((inline.filename, inline.content_type), (None, None));
        for refused in [
            "nothing",
            "f=@a,b",
            "f=(;type=x",
            "f=a;headers=@x",
            "f=a;odd=1",
        ] {
            parts(refused).unwrap_err();
        }
    }
}
