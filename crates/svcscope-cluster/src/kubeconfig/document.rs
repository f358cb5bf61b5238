//! A kubeconfig's text, taken apart: which entries it has. What is in them is read when it is
//! used ([`super::entry`]), so that one that can't be understood costs only itself.
//!
//! The rules are those of client-go's codec (tools/clientcmd/api/latest, sigs.k8s.io/yaml): only
//! the first document counts, of a duplicate key the last, and what is not known is ignored.

use serde_json::{Map, Value};
use serde_saphyr::{DuplicateKeyPolicy, NonFiniteFloatPolicy, Options};

use super::section::{KubeconfigOrigin, KubeconfigSection, KubeconfigSectionKind};

/// The entries of one text.
#[derive(Default)]
pub(super) struct KubeconfigDocument {
    pub current_context: Option<String>,
    pub clusters: Vec<KubeconfigSection>,
    pub users: Vec<KubeconfigSection>,
    pub contexts: Vec<KubeconfigSection>,
}

impl KubeconfigDocument {
    /// Or in words what is wrong, without a piece of the text: it holds secrets.
    pub fn parse(text: &str, origin: &KubeconfigOrigin) -> Result<Self, String> {
        let mut root = match mapping(first_document(text))? {
            Value::Null => return Ok(Self::default()),
            Value::Object(root) => root,
            _ => {
                return Err(
                    "it is not a mapping with `clusters`, `users` and `contexts`".to_owned(),
                );
            }
        };
        let current_context = match root.remove("current-context") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
            Some(_) => return Err("`current-context` must be text; put it into quotes".to_owned()),
        };
        Ok(Self {
            current_context,
            clusters: entries(
                &mut root,
                "clusters",
                KubeconfigSectionKind::Cluster,
                origin,
            )?,
            users: entries(&mut root, "users", KubeconfigSectionKind::User, origin)?,
            contexts: entries(
                &mut root,
                "contexts",
                KubeconfigSectionKind::Context,
                origin,
            )?,
        })
    }
}

fn mapping(text: &str) -> Result<Value, String> {
    // The text's own length is bounded, and what aliases make of it is.
    let budget = Options::default().budget.map(|mut budget| {
        budget.max_events = usize::MAX;
        budget.max_nodes = usize::MAX;
        budget.max_total_scalar_bytes = usize::MAX;
        budget
    });
    let options = serde_saphyr::options! {
        budget: budget,
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
    };
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    // Without the excerpt, which could show a token.
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| error.without_snippet().to_string())
}

/// The text up to where a second document begins.
fn first_document(text: &str) -> &str {
    let mut begun = false;
    let mut length = 0;
    for line in text.split_inclusive('\n') {
        let marker = |mark: &str| {
            let rest = line.strip_prefix(mark)?;
            let ends = rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']);
            ends.then(|| rest.trim())
        };
        if begun && (marker("---").is_some() || marker("...").is_some()) {
            break;
        }
        let bare = line.trim();
        let is_before = bare.is_empty() || bare.starts_with('#') || line.starts_with('%');
        begun |= !is_before && marker("---").is_none_or(|rest| !rest.is_empty());
        length += line.len();
    }
    &text[..length]
}

fn entries(
    root: &mut Map<String, Value>,
    field: &str,
    kind: KubeconfigSectionKind,
    origin: &KubeconfigOrigin,
) -> Result<Vec<KubeconfigSection>, String> {
    let items = match root.remove(field) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err(format!("`{field}` must be a list")),
    };
    let entry = |item: Value| {
        let Value::Object(mut item) = item else {
            return None;
        };
        // Without a name nothing can refer to it.
        let name = match item.remove("name")? {
            Value::String(name) if !name.is_empty() => name,
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return None,
        };
        let body = item.remove(kind.field()).unwrap_or_default();
        Some(KubeconfigSection::new(kind, name, origin, body))
    };
    Ok(items.into_iter().filter_map(entry).collect())
}

/// A file's bytes as text: UTF-8, or what its byte order mark says, as libyaml reads it.
pub(super) fn decode(bytes: &[u8]) -> Result<String, String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        if bytes.len() % 2 == 1 {
            return Err("it is UTF-16 and ends in the middle of a character".to_owned());
        }
        let units: Vec<_> = bytes
            .chunks_exact(2)
            .filter_map(|pair| pair.try_into().ok().map(unit))
            .collect();
        String::from_utf16(&units).map_err(|_error| "it is not valid UTF-16".to_owned())
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => String::from_utf8(rest.to_vec()).map_err(|error| {
            format!(
                "it is not valid UTF-8 at byte {}",
                error.utf8_error().valid_up_to()
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_document_counts() {
        let first = "# c\n--- # here\na: |\n  ---\n  x\nb: -----BEGIN\n";
        for rest in ["---\n[", "--- {", "...\n", "---"] {
            assert_eq!(first_document(&format!("{first}{rest}")), first, "{rest}");
        }
        assert_eq!(first_document("--- {a: 1}\n---\nx"), "--- {a: 1}\n");
        assert_eq!(
            first_document("%YAML 1.2\n---\na: 1\n"),
            "%YAML 1.2\n---\na: 1\n"
        );
    }

    #[test]
    fn bytes_are_read_by_their_mark() {
        assert_eq!(decode(b"\xef\xbb\xbfa").unwrap(), "a");
        assert_eq!(decode(b"\xff\xfea\0").unwrap(), "a");
        assert_eq!(decode(b"\xfe\xff\0a").unwrap(), "a");
        assert!(decode(b"\xff\xfea\0b").unwrap_err().contains("UTF-16"));
        assert!(decode(b"\xff\xfe\x00\xd8").unwrap_err().contains("UTF-16"));
        assert_eq!(
            decode(b"ab\xff").unwrap_err(),
            "it is not valid UTF-8 at byte 2"
        );
    }
}
