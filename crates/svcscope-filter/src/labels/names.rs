//! What the API server allows as a label's key and value (`IsQualifiedName` and
//! `IsValidLabelValue` in `k8s.io/apimachinery/pkg/util/validation`).

const NAME: &str = "letters, digits, “-”, “_” and “.”, with a letter or digit at both ends";

/// Checks `name` or `prefix/name`; says what is wrong.
pub(super) fn check_key(key: &str) -> Result<(), String> {
    let (prefix, name) = match key.split_once('/') {
        Some((_, rest)) if rest.contains('/') => {
            return Err(format!("the key “{key}” may have one “/” only"));
        }
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if let Some(prefix) = prefix
        && !is_subdomain(prefix)
    {
        return Err(format!(
            "“{prefix}” before the “/” must be a DNS name in lower case of at most 253 characters"
        ));
    }
    if name.is_empty() {
        return Err("the key has no name".to_owned());
    }
    check_name(name, "key")
}

/// Checks a value, which may be empty; says what is wrong.
pub(super) fn check_value(value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Ok(());
    }
    check_name(value, "value")
}

fn check_name(name: &str, what: &str) -> Result<(), String> {
    if name.chars().count() > 63 {
        return Err(format!("a {what} has at most 63 characters"));
    }
    let inside = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let end = |c: char| c.is_ascii_alphanumeric();
    if name.chars().all(inside) && name.starts_with(end) && name.ends_with(end) {
        Ok(())
    } else {
        Err(format!("the {what} “{name}” must be {NAME}"))
    }
}

fn is_subdomain(name: &str) -> bool {
    let end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    !name.is_empty()
        && name.len() <= 253
        && name.split('.').all(|part| {
            part.starts_with(end) && part.ends_with(end) && part.chars().all(|c| end(c) || c == '-')
        })
}
