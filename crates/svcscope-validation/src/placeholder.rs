//! Values that something fills in before the object is applied.

use serde_json::Value;

/// What stands around a name that envsubst, Flux, Helm, OpenShift's templates or a script replaces.
const MARKS: &[(&str, &str)] = &[
    ("${", "}"),
    ("{{", "}}"),
    ("$(", ")"),
    ("<", ">"),
    ("[[", "]]"),
    ("@@", "@@"),
    ("%%", "%%"),
];

/// Whether the value is filled in later, or part of it.
pub(crate) fn is_in(value: &Value) -> bool {
    match value {
        Value::String(text) => is_in_text(text),
        Value::Array(items) => items.iter().any(is_in),
        Value::Object(fields) => fields.iter().any(|(key, of)| is_in_text(key) || is_in(of)),
        _ => false,
    }
}

/// The same of a text. A `$NAME` alone is one too.
pub(crate) fn is_in_text(text: &str) -> bool {
    let between = |(open, close): &(&str, &str)| {
        text.split_once(open)
            .is_some_and(|(_, rest)| rest.contains(close))
    };
    let is_variable = text
        .strip_prefix('$')
        .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'));
    is_variable || MARKS.iter().any(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_later_is_known_by_its_marks() {
        for text in [
            "${HOST}",
            "a-{{ .Name }}",
            "$(PORT)",
            "<your-domain>",
            "$HOST",
        ] {
            assert!(is_in_text(text), "{text}");
        }
        for text in ["example.com", "$", "$5", "a<b", "10%", "{}"] {
            assert!(!is_in_text(text), "{text}");
        }
    }
}
