//! One cluster, user or context of a kubeconfig, read field by field. An error names the file, the
//! entry and the field, and never shows its value: it can be a secret.

use std::{
    fmt,
    path::{MAIN_SEPARATOR, Path, PathBuf},
    sync::Arc,
};

use base64::{
    Engine as _, alphabet,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;

use super::KubeconfigError;

/// As Go's decoder, which asks for padding and passes over what the last bits hold.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Of which list an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KubeconfigSectionKind {
    Cluster,
    User,
    Context,
}

impl KubeconfigSectionKind {
    /// The field that holds the entry beside its name, and the word for it.
    pub fn field(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::User => "user",
            Self::Context => "context",
        }
    }
}

/// Where a text comes from.
#[derive(Clone, Debug, Default)]
pub(super) struct KubeconfigOrigin {
    /// None where it was given as text.
    pub file: Option<Arc<Path>>,
}

impl KubeconfigOrigin {
    pub fn description(&self) -> String {
        match &self.file {
            Some(file) => format!("the kubeconfig {}", file.display()),
            None => "the kubeconfig".to_owned(),
        }
    }
}

/// An entry, or an object within one.
#[derive(Clone)]
pub(super) struct KubeconfigSection {
    kind: KubeconfigSectionKind,
    pub name: String,
    origin: KubeconfigOrigin,
    /// `exec.` within `exec`.
    prefix: String,
    body: Value,
}

impl fmt::Debug for KubeconfigSection {
    // Without the body, which holds secrets.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{} `{}`", self.kind.field(), self.name)
    }
}

type FieldResult<T> = Result<T, KubeconfigError>;

impl KubeconfigSection {
    pub fn new(
        kind: KubeconfigSectionKind,
        name: String,
        origin: &KubeconfigOrigin,
        body: Value,
    ) -> Self {
        Self {
            kind,
            name,
            origin: origin.clone(),
            prefix: String::new(),
            body,
        }
    }

    /// The file that contains it.
    pub fn file(&self) -> Option<&Path> {
        self.origin.file.as_deref()
    }

    /// This field can't be used.
    pub fn invalid_field(&self, field: &str, reason: impl fmt::Display) -> KubeconfigError {
        KubeconfigError::BadField {
            field: format!("{}{field}", self.prefix),
            owner: format!("{} `{}`", self.kind.field(), self.name),
            origin: self.origin.description(),
            reason: reason.to_string(),
        }
    }

    fn get(&self, field: &str) -> FieldResult<Option<&Value>> {
        match &self.body {
            Value::Null => Ok(None),
            Value::Object(fields) => Ok(fields.get(field).filter(|value| !value.is_null())),
            other => {
                let said = format!("it must be a mapping, not {}", kind_of(other));
                // Its own name, not that of what is looked for within it.
                let own = self.prefix.trim_end_matches('.').to_owned();
                let whole = Self {
                    prefix: String::new(),
                    ..self.clone()
                };
                let own = if own.is_empty() {
                    self.kind.field()
                } else {
                    &own
                };
                Err(whole.invalid_field(own, said))
            }
        }
    }

    /// Text; the empty one is as good as none, as in Go.
    pub fn text(&self, field: &str) -> FieldResult<Option<String>> {
        match self.get(field)? {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(other) => Err(self.not_text_error(field, other)),
        }
    }

    fn not_text_error(&self, field: &str, value: &Value) -> KubeconfigError {
        let hint = match value {
            Value::Number(_) | Value::Bool(_) => "; put it into quotes",
            _ => "",
        };
        self.invalid_field(
            field,
            format!("it must be text, not {}{hint}", kind_of(value)),
        )
    }

    pub fn flag(&self, field: &str) -> FieldResult<bool> {
        match self.get(field)? {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => {
                let said = format!("it must be true or false, not {}", kind_of(other));
                Err(self.invalid_field(field, said))
            }
        }
    }

    /// A path; a relative one is meant from the folder of the kubeconfig (ResolveLocalPaths).
    pub fn path(&self, field: &str) -> FieldResult<Option<PathBuf>> {
        Ok(self.text(field)?.map(|path| self.resolved(&path)))
    }

    /// A program: a path where there is a separator in it, else a name to be searched for.
    pub fn program(&self, field: &str) -> FieldResult<Option<String>> {
        let resolve = |command: String| {
            if command.contains([MAIN_SEPARATOR, '/']) {
                self.resolved(&command).display().to_string()
            } else {
                command
            }
        };
        Ok(self.text(field)?.map(resolve))
    }

    fn resolved(&self, path: &str) -> PathBuf {
        match self.file().and_then(Path::parent) {
            Some(folder) => folder.join(path),
            None => path.into(),
        }
    }

    /// Base64, with white space anywhere: a block of lines is no fault.
    pub fn base64(&self, field: &str) -> FieldResult<Option<Vec<u8>>> {
        let Some(mut text) = self.text(field)? else {
            return Ok(None);
        };
        text.retain(|letter| !letter.is_ascii_whitespace());
        let decoded = BASE64
            .decode(text)
            .map_err(|_shows_a_byte| self.invalid_field(field, "it is not valid base64"))?;
        Ok(Some(decoded).filter(|decoded| !decoded.is_empty()))
    }

    /// A list of text; nothing in it is the empty text.
    pub fn list(&self, field: &str) -> FieldResult<Vec<String>> {
        self.list_of(field, self.get(field)?)
    }

    fn list_of(&self, field: &str, value: Option<&Value>) -> FieldResult<Vec<String>> {
        let items = match value {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(other) => {
                let said = format!("it must be a list, not {}", kind_of(other));
                return Err(self.invalid_field(field, said));
            }
        };
        let text = |item: &Value| match item {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text.clone()),
            other => Err(self.not_text_error(field, other)),
        };
        items.iter().map(text).collect()
    }

    /// The mappings of a list; anything else in it is passed over.
    pub fn objects(&self, field: &str) -> FieldResult<Vec<Self>> {
        let items = match self.get(field)? {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(other) => {
                let said = format!("it must be a list, not {}", kind_of(other));
                return Err(self.invalid_field(field, said));
            }
        };
        let objects = items.iter().filter(|item| item.is_object());
        Ok(objects.map(|item| self.nested(field, item)).collect())
    }

    pub fn object(&self, field: &str) -> FieldResult<Option<Self>> {
        Ok(self.get(field)?.map(|value| self.nested(field, value)))
    }

    fn nested(&self, field: &str, body: &Value) -> Self {
        Self {
            prefix: format!("{}{field}.", self.prefix),
            body: body.clone(),
            kind: self.kind,
            name: self.name.clone(),
            origin: self.origin.clone(),
        }
    }

    /// Any value.
    pub fn raw(&self, field: &str) -> FieldResult<Option<Value>> {
        Ok(self.get(field)?.cloned())
    }

    /// A mapping to text.
    pub fn texts(&self, field: &str) -> FieldResult<Vec<(String, String)>> {
        let Some(inner) = self.object(field)? else {
            return Ok(Vec::new());
        };
        let keys = inner.keys()?;
        let pair = |key: String| Ok((key.clone(), inner.text(&key)?.unwrap_or_default()));
        keys.into_iter().map(pair).collect()
    }

    /// A mapping to lists of text.
    pub fn lists(&self, field: &str) -> FieldResult<Vec<(String, Vec<String>)>> {
        let Some(inner) = self.object(field)? else {
            return Ok(Vec::new());
        };
        let keys = inner.keys()?;
        let pair = |key: String| Ok((key.clone(), inner.list(&key)?));
        keys.into_iter().map(pair).collect()
    }

    fn keys(&self) -> FieldResult<Vec<String>> {
        self.get("")?;
        let fields = self.body.as_object().into_iter().flatten();
        Ok(fields.map(|(key, _)| key.clone()).collect())
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
