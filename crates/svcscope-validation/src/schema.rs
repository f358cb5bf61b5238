//! The form of objects: which fields a kind has and of which type, as the decoder of the API server
//! takes them (`apimachinery/pkg/runtime/serializer/json`, strict), in its words and those of Go's JSON
//! package.

use std::{collections::HashMap, sync::LazyLock};

use serde_json::Value;

use super::{
    error::{ErrorList, FieldErrorKind},
    field::{self, Field},
    placeholder, quantity,
};

/// The table that `schema/generate.py` makes; it says what the lines mean.
const TABLE: &str = include_str!("../schema/kubernetes.txt");

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::read(TABLE));

struct Schema {
    /// The type of an object by its version and kind.
    kinds: HashMap<(&'static str, &'static str), &'static str>,
    types: HashMap<&'static str, Vec<(&'static str, FieldType)>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum FieldType {
    Text,
    Int32,
    Int64,
    Bool,
    Quantity,
    IntOrText,
    Any,
    Struct(&'static str),
    List(Box<FieldType>),
    Map(Box<FieldType>),
}

impl Schema {
    fn read(table: &'static str) -> Self {
        let mut schema = Self {
            kinds: HashMap::new(),
            types: HashMap::new(),
        };
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ');
            match (words.next(), line.starts_with('@')) {
                (Some(_), true) => {
                    let words: Vec<_> = words.collect();
                    if let [version, kind, name] = words[..] {
                        schema.kinds.insert((version, kind), name);
                    }
                }
                (Some(name), false) => {
                    let fields = words.filter_map(|word| word.split_once('='));
                    let fields = fields.map(|(name, of)| (name, FieldType::read(of)));
                    schema.types.insert(name, fields.collect());
                }
                (None, _) => {}
            }
        }
        schema
    }
}

impl FieldType {
    fn read(word: &'static str) -> Self {
        if let Some(item) = word.strip_prefix("[]") {
            return Self::List(Box::new(Self::read(item)));
        }
        if let Some(value) = word.strip_prefix("{}") {
            return Self::Map(Box::new(Self::read(value)));
        }
        match word {
            // A time or bytes that can't be read are refused too: they are only asked to be texts.
            "s" | "t" | "y" => Self::Text,
            "i" => Self::Int32,
            "l" => Self::Int64,
            "b" => Self::Bool,
            "q" => Self::Quantity,
            "p" => Self::IntOrText,
            "o" => Self::Any,
            name => Self::Struct(name),
        }
    }

    /// What Go calls it.
    fn go_name(&self) -> String {
        match self {
            Self::Text | Self::Quantity => "string".to_owned(),
            Self::Int32 | Self::IntOrText => "int32".to_owned(),
            Self::Int64 => "int64".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::Any => "object".to_owned(),
            Self::Struct(name) => format!("v1.{}", plain_name(name)),
            Self::List(item) => format!("[]{}", item.go_name()),
            Self::Map(value) => format!("map[string]{}", value.go_name()),
        }
    }
}

/// The name of a type without the group that tells it from another.
fn plain_name(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// The type of a kind, where it is known.
pub(crate) fn type_of(version: &str, kind: &str) -> Option<&'static str> {
    let mut known = SCHEMA.kinds.iter();
    let of = known.find(|((of_version, of_kind), _)| *of_version == version && *of_kind == kind);
    of.map(|(_, name)| *name)
}

/// What an object is, by its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A whole object.
    Object,
    /// A strategic merge patch, which says so itself (`$patch`): it is applied to another object.
    Patch,
}

/// Looks at all fields of an object.
pub(crate) fn check(root: &Field<'_>, type_name: &'static str, errors: &mut ErrorList) -> Form {
    check_struct(root, type_name, errors)
}

fn check_struct(at: &Field<'_>, name: &'static str, errors: &mut ErrorList) -> Form {
    let fields = SCHEMA.types.get(name).map_or(&[][..], Vec::as_slice);
    for key in at.value.as_object().into_iter().flat_map(|all| all.keys()) {
        let child = at.field(key);
        let Some((_, of)) = fields.iter().find(|(field, _)| field == key) else {
            if key.starts_with('$') {
                return Form::Patch;
            }
            if !placeholder::is_in_text(key) {
                let text = format!("unknown field {:?}", child.path());
                let error = errors.add(&child, FieldErrorKind::Unknown, text);
                error.nearest = nearest(key, fields);
            }
            continue;
        };
        if check_value(&child, of, name, errors) == Form::Patch {
            return Form::Patch;
        }
    }
    Form::Object
}

fn check_value(
    at: &Field<'_>,
    of: &FieldType,
    owner: &'static str,
    errors: &mut ErrorList,
) -> Form {
    let is_of_type = match (of, at.value) {
        (_, Value::Null)
        | (FieldType::Any, _)
        | (FieldType::Text | FieldType::IntOrText, Value::String(_))
        | (FieldType::Bool, Value::Bool(_)) => true,
        (FieldType::Int32 | FieldType::IntOrText, Value::Number(_)) => {
            field::whole(at.value).is_some_and(|number| i32::try_from(number).is_ok())
        }
        (FieldType::Int64, Value::Number(number)) => {
            number.is_i64() || field::whole(at.value).is_some()
        }
        (FieldType::Quantity, Value::Number(_)) => true,
        (FieldType::Quantity, Value::String(text)) => {
            if !quantity::is_quantity(text) && !placeholder::is_in_text(text) {
                errors.add(at, FieldErrorKind::WrongType, quantity::ERROR.to_owned());
            }
            true
        }
        (FieldType::Struct(name), Value::Object(_)) => return check_struct(at, name, errors),
        (FieldType::List(item), Value::Array(_)) => {
            return all_of(at.items(), |one| check_value(one, item, owner, errors));
        }
        (FieldType::Map(value), Value::Object(fields)) => {
            let values = fields.keys().map(|key| at.key(key));
            return all_of(values, |one| check_value(one, value, owner, errors));
        }
        _ => false,
    };
    if !is_of_type && !placeholder::is_in(at.value) {
        let text = format!(
            "json: cannot unmarshal {} into Go struct field {}.{} of type {}",
            json_name(at.value, of),
            plain_name(owner),
            at.names(),
            of.go_name(),
        );
        errors.add(at, FieldErrorKind::WrongType, text);
    }
    Form::Object
}

fn all_of<'a>(
    values: impl Iterator<Item = Field<'a>>,
    mut check: impl FnMut(&Field<'a>) -> Form,
) -> Form {
    for value in values {
        if check(&value) == Form::Patch {
            return Form::Patch;
        }
    }
    Form::Object
}

/// What Go calls a value of JSON; of a number that does not fit it tells the number.
fn json_name(value: &Value, wanted: &FieldType) -> String {
    let is_number = matches!(
        wanted,
        FieldType::Int32 | FieldType::Int64 | FieldType::IntOrText
    );
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(number) if is_number => format!("number {number}"),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(_) => "array".to_owned(),
        Value::Object(_) => "object".to_owned(),
    }
}

/// The field that was probably meant: a letter or two are wrong.
fn nearest(key: &str, fields: &[(&'static str, FieldType)]) -> Option<&'static str> {
    let wanted = key.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&wanted, &name.to_lowercase());
    let near = fields
        .iter()
        .map(|(name, _)| (distance(name), *name))
        .min()?;
    (near.0 <= 2 && near.0 * 3 <= key.len()).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(object: &Value) -> Vec<String> {
        let kind = object["kind"].as_str().unwrap();
        let name = type_of(object["apiVersion"].as_str().unwrap(), kind).unwrap();
        let mut errors = ErrorList::default();
        check(&Field::root(object), name, &mut errors);
        let told = errors.into_told().into_iter();
        told.map(|error| error.message).collect()
    }

    #[test]
    fn every_type_of_the_table_is_in_it() {
        fn named(of: &FieldType) -> Option<&'static str> {
            match of {
                FieldType::Struct(name) => Some(name),
                FieldType::List(of) | FieldType::Map(of) => named(of),
                _ => None,
            }
        }
        let of_fields = SCHEMA
            .types
            .values()
            .flatten()
            .filter_map(|(_, of)| named(of));
        for name in of_fields.chain(SCHEMA.kinds.values().copied()) {
            assert!(SCHEMA.types.contains_key(name), "{name}");
        }
        assert_eq!(SCHEMA.kinds.len(), 15);
        assert!(TABLE.contains(super::super::KUBERNETES_VERSION));
    }

    #[test]
    fn what_does_not_fit_is_told_in_gos_words() {
        let service = |spec: Value| json!({"apiVersion": "v1", "kind": "Service", "spec": spec});
        assert_eq!(
            told(&service(json!({"selectors": {}, "ports": [{"prot": 1}]}))),
            [
                "unknown field \"spec.selectors\"",
                "unknown field \"spec.ports[0].prot\""
            ]
        );
        assert_eq!(
            told(&service(json!({"selector": {"matchLabels": {"a": "b"}}}))),
            [
                "json: cannot unmarshal object into Go struct field ServiceSpec.spec.selector of type string"
            ]
        );
        assert_eq!(
            told(&service(json!({"ports": {"port": 80}}))),
            [
                "json: cannot unmarshal object into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort"
            ]
        );
        assert_eq!(
            told(&service(
                json!({"ports": [{"port": 80.5, "targetPort": true}]})
            )),
            [
                "json: cannot unmarshal number 80.5 into Go struct field ServicePort.spec.ports.port of type int32",
                "json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.targetPort of type int32"
            ]
        );
    }

    #[test]
    fn what_fits_is_taken() {
        let spec = json!({
            "ports": [{"port": 80.0, "targetPort": "http"}, null],
            "selector": null,
            "type": "${TYPE}",
            "publishNotReadyAddresses": "${YES}",
            "healthCheckNodePort": "{{ port }}",
        });
        let service = json!({"apiVersion": "v1", "kind": "Service", "spec": spec});
        assert_eq!(told(&service), Vec::<String>::new());
        let resources = json!({"limits": {"cpu": 1, "memory": "1Gi", "example.com/x": "2"}});
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"creationTimestamp": null, "managedFields": [{"fieldsV1": {"f:x": {}}}]},
            "spec": {"containers": [{"resources": resources}]},
        });
        assert_eq!(told(&pod), Vec::<String>::new());
        let pod = pod.to_string().replace("1Gi", "1GB");
        let pod = serde_json::from_str(&pod).unwrap();
        assert_eq!(told(&pod), [quantity::ERROR]);
    }

    #[test]
    fn the_field_that_was_meant_is_named() {
        let fields = &SCHEMA.types["ServiceSpec"];
        assert_eq!(nearest("selectors", fields), Some("selector"));
        assert_eq!(nearest("ClusterIP", fields), Some("clusterIP"));
        assert_eq!(nearest("replicas", fields), None);
    }
}
