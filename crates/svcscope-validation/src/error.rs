//! What is wrong with a field, in the words of `apimachinery/pkg/util/validation/field/errors.go`.

use std::fmt;

use serde_json::Value;

use super::{field::Field, placeholder};

/// Why a field is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldErrorKind {
    /// The kind has no such field.
    Unknown,
    /// The field is of another type.
    WrongType,
    /// It is missing.
    Required,
    /// It has a value that can't be.
    Invalid,
    /// It has a value that is none of those that there are.
    NotSupported,
    /// Another one has the same value.
    Duplicate,
    /// It may not be set beside another field.
    Forbidden,
    /// It names something that the object doesn't hold.
    NotFound,
    /// It is longer than it may be.
    TooLong,
    /// It holds more items than it may.
    TooMany,
}

/// A field that the API server would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Where it is: `spec.ports[1].nodePort`.
    pub path: String,
    /// The same as a JSON pointer into the object: `/spec/ports/1/nodePort`.
    pub pointer: String,
    /// Why.
    pub kind: FieldErrorKind,
    /// What the API server says, after the path: `Invalid value: 70000: must be between 1 and 65535,
    /// inclusive`.
    pub message: String,
    /// What would make it right all the same, where that depends on the cluster: then it is not
    /// certain to be refused.
    pub unless: Option<&'static str>,
    /// The field that was probably meant.
    pub nearest: Option<&'static str>,
}

/// As kubectl prints it.
impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            // These name the field themselves.
            FieldErrorKind::Unknown | FieldErrorKind::WrongType => f.write_str(&self.message),
            _ => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

/// What was found so far.
#[derive(Default)]
pub(crate) struct ErrorList(Vec<FieldError>);

impl ErrorList {
    /// Whether something of this kind was found.
    pub fn has(&self, kind: FieldErrorKind) -> bool {
        self.0.iter().any(|error| error.kind == kind)
    }

    /// What is to be told: each thing once. What is missing, or said of a field as a whole, is no news
    /// beside a field that doesn't exist there: that is the same mistake.
    pub fn into_told(self) -> Vec<FieldError> {
        let unknown: Vec<String> = self
            .0
            .iter()
            .filter(|error| error.kind == FieldErrorKind::Unknown)
            .map(|error| error.path.clone())
            .collect();
        let follows_from = |error: &FieldError, (parent, name): (&str, &str)| {
            let (at, last) = split(&error.path);
            let is_unknown = matches!(
                error.kind,
                FieldErrorKind::Unknown | FieldErrorKind::WrongType
            );
            let is_missing = error.kind == FieldErrorKind::Required;
            !is_unknown && (error.path == parent || is_missing && (at == parent || last == name))
        };
        let mut told: Vec<FieldError> = Vec::new();
        for error in self.0 {
            let mut causes = unknown.iter().map(|path| split(path));
            if !causes.any(|cause| follows_from(&error, cause)) && !told.contains(&error) {
                told.push(error);
            }
        }
        told
    }

    pub fn add(
        &mut self,
        field: &Field<'_>,
        kind: FieldErrorKind,
        message: String,
    ) -> &mut FieldError {
        self.0.push(FieldError {
            path: field.path(),
            pointer: field.pointer(),
            kind,
            message,
            unless: None,
            nearest: None,
        });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    /// The value is none that may be.
    pub fn invalid(&mut self, field: &Field<'_>, why: impl fmt::Display) {
        if !placeholder::is_in(field.value) {
            self.invalid_value(field, &shown(field.value), why);
        }
    }

    /// The value, which has another form than in the object, is none that may be; with what would
    /// change that.
    pub fn invalid_unless(
        &mut self,
        field: &Field<'_>,
        why: impl fmt::Display,
        unless: &'static str,
    ) {
        if !placeholder::is_in(field.value) {
            let text = format!("Invalid value: {}: {why}", shown(field.value));
            self.add(field, FieldErrorKind::Invalid, text).unless = Some(unless);
        }
    }

    /// The same of a value that is shown in another form.
    pub fn invalid_value(&mut self, field: &Field<'_>, value: &str, why: impl fmt::Display) {
        let text = format!("Invalid value: {value}: {why}");
        self.add(field, FieldErrorKind::Invalid, text);
    }

    /// All that is wrong with the value.
    pub fn invalid_each(&mut self, field: &Field<'_>, reasons: Vec<String>) {
        for reason in reasons {
            self.invalid(field, reason);
        }
    }

    /// The field is missing.
    pub fn required(&mut self, field: &Field<'_>, why: &str) {
        self.add(
            field,
            FieldErrorKind::Required,
            with_reason("Required value", why),
        );
    }

    /// The field may not be set.
    pub fn forbidden(&mut self, field: &Field<'_>, why: &str) {
        self.add(
            field,
            FieldErrorKind::Forbidden,
            with_reason("Forbidden", why),
        );
    }

    /// Another one has the same value.
    pub fn duplicate(&mut self, field: &Field<'_>, value: &str) {
        let text = format!("Duplicate value: {value}");
        self.add(field, FieldErrorKind::Duplicate, text);
    }

    /// The object holds nothing of that name.
    pub fn not_found(&mut self, field: &Field<'_>) {
        if !placeholder::is_in(field.value) {
            let text = format!("Not found: {}", shown(field.value));
            self.add(field, FieldErrorKind::NotFound, text);
        }
    }

    /// The value is none of these. Kubernetes names them in the order of the alphabet.
    pub fn supported(&mut self, field: &Field<'_>, value: &str, supported: &[&str]) {
        if !supported.contains(&value) && !placeholder::is_in(field.value) {
            let all: Vec<_> = supported.iter().map(|one| format!("{one:?}")).collect();
            let all = all.join(", ");
            let text = format!("Unsupported value: {value:?}: supported values: {all}");
            self.add(field, FieldErrorKind::NotSupported, text);
        }
    }

    /// There are more than may be. Says whether it is so.
    pub fn too_many(&mut self, field: &Field<'_>, count: usize, most: usize) -> bool {
        if count > most {
            let text = format!("Too many: {count}: must have at most {most} items");
            self.add(field, FieldErrorKind::TooMany, text);
        }
        count > most
    }

    /// A number that may not be below 0 (`ValidateNonnegativeField`).
    pub fn non_negative(&mut self, field: &Field<'_>) {
        if field.number() < 0 {
            self.invalid(field, "must be greater than or equal to 0");
        }
    }
}

fn with_reason(what: &str, why: &str) -> String {
    match why {
        "" => what.to_owned(),
        why => format!("{what}: {why}"),
    }
}

/// The field that a field is in, and its name there.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

/// A value as the API server writes it; a number that is not there is 0.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "\"\"".to_owned(),
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}
