//! The `auth-provider` of a user in the text of a kubeconfig: read, and changed so that nothing
//! else of the text is.

use std::{collections::HashMap, fs, io, ops::Range, path::Path};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, Spanned};

#[derive(Deserialize)]
struct OidcUsersDocument {
    users: Option<Vec<NamedOidcUser>>,
}

#[derive(Deserialize)]
struct NamedOidcUser {
    name: Option<String>,
    user: Option<OidcUserFields>,
}

#[derive(Deserialize)]
struct OidcUserFields {
    #[serde(rename = "auth-provider")]
    auth_provider: Option<OidcProviderConfig>,
}

#[derive(Deserialize)]
struct OidcProviderConfig {
    config: Option<HashMap<String, Spanned<Option<String>>>>,
}

/// Whether a file has a user of this name. A pipe can't be read twice, nor written.
pub(super) fn has_user(file: &Path, user: &str) -> bool {
    file.is_file() && read(file).is_ok_and(|text| find_user(&text, user).is_some())
}

/// `auth-provider.config` of the user as the file has it now.
pub(super) fn config_of(file: &Path, user: &str) -> io::Result<HashMap<String, String>> {
    let text = read(file)?;
    let fields = provider_fields(&text, user).unwrap_or_default();
    let values = fields.into_iter();
    Ok(values
        .filter_map(|(name, field)| Some((name, field.value?)))
        .collect())
}

/// The text of a kubeconfig.
pub(super) fn read(file: &Path) -> io::Result<String> {
    fs::read_to_string(file)
}

/// The text with other values for these fields of the user's `auth-provider.config`. Where the
/// places of the values can't be determined, the whole text is rewritten, as kubectl always does.
pub(super) fn with_fields(
    text: &str,
    user: &str,
    new: &[(&str, &str)],
) -> Result<String, &'static str> {
    let wanted =
        changed_document(text, user, new).ok_or("the user has no auth-provider there any more")?;
    let is_right = |text: &String| parse::<Value>(text).as_ref() == Some(&wanted);
    edit_in_place(text, user, new)
        .filter(is_right)
        .or_else(|| serde_saphyr::to_string(&wanted).ok().filter(is_right))
        .ok_or("the file can't be edited without changing other settings")
}

/// The content that the changed text must parse to.
fn changed_document(text: &str, user: &str, new: &[(&str, &str)]) -> Option<Value> {
    let mut document: Value = parse(text)?;
    let users = document.get_mut("users")?.as_array_mut()?;
    let entry = users.iter_mut().find(|entry| entry["name"] == user)?;
    let config = entry.get_mut("user")?.get_mut("auth-provider")?;
    let config = config.get_mut("config")?.as_object_mut()?;
    for (name, value) in new {
        config.insert((*name).to_owned(), Value::from(*value));
    }
    Some(document)
}

fn edit_in_place(text: &str, user: &str, new: &[(&str, &str)]) -> Option<String> {
    let fields = provider_fields(text, user)?;
    let mut changes = Vec::new();
    for (name, value) in new {
        changes.push(match fields.get(*name) {
            Some(field) => (value_range(field)?, quoted_scalar(value)),
            None => insert_field(text, &fields, name, value)?,
        });
    }
    // From the end, so that the places of the others stay.
    changes.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut text = text.to_owned();
    for (range, value) in changes {
        text.get(range.clone())?;
        text.replace_range(range, &value);
    }
    Some(text)
}

/// A field that is not there yet goes before the line of one that is.
fn insert_field(
    text: &str,
    fields: &HashMap<String, Spanned<Option<String>>>,
    name: &str,
    value: &str,
) -> Option<(Range<usize>, String)> {
    let (sibling, field) = fields.iter().min_by_key(|(name, _)| name.as_str())?;
    let start = value_range(field)?.start;
    let line = text.get(..start)?.rfind('\n').map_or(0, |end| end + 1);
    let head = text.get(line..start)?;
    let indent = head.len() - head.trim_start().len();
    let (indent, key) = head.split_at_checked(indent)?;
    (key.trim_end().strip_suffix(':')? == sibling).then_some(())?;
    Some((
        line..line,
        format!("{indent}{name}: {}\n", quoted_scalar(value)),
    ))
}

/// In double quotes as in JSON, which YAML reads as well.
fn quoted_scalar(value: &str) -> String {
    Value::from(value).to_string()
}

fn value_range(field: &Spanned<Option<String>>) -> Option<Range<usize>> {
    let span = field.referenced.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len()?).ok()?;
    Some(start..start + length)
}

fn provider_fields(text: &str, user: &str) -> Option<HashMap<String, Spanned<Option<String>>>> {
    find_user(text, user)?.user?.auth_provider?.config
}

fn find_user(text: &str, user: &str) -> Option<NamedOidcUser> {
    let users = parse::<OidcUsersDocument>(text)?.users?;
    users
        .into_iter()
        .find(|entry| entry.name.as_deref() == Some(user))
}

/// A key that is there twice counts as the last one, as in Go.
fn parse<T: DeserializeOwned>(text: &str) -> Option<T> {
    let options = serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::LastWins };
    serde_saphyr::from_str_with_options(text, options).ok()
}
