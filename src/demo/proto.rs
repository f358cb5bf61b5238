//! Reading the protobuf bodies that kubectl posts for access reviews and for what its generators create; it
//! offers nothing else there. Answers are JSON, which it takes.
//!
//! A body is `k8s\0` and a `runtime.Unknown`: field 1 the type, field 2 the raw message.

use serde_json::{Map, Value};

use super::json;
use super::proto_schema::{self, Field, Row};

/// A field as it stands in the bytes.
enum Raw<'b> {
    Number(u64),
    Bytes(&'b [u8]),
}

/// The object in a protobuf body, or why it can't be read.
pub(super) fn read(body: &[u8]) -> Result<Value, String> {
    let cut = || "the protobuf body is cut short".to_owned();
    let unknown = body
        .strip_prefix(b"k8s\0")
        .ok_or("the body does not begin as Kubernetes protobuf")?;
    let (mut kind, mut api_version, mut raw) = (String::new(), String::new(), &[][..]);
    for (number, value) in fields(unknown).ok_or_else(cut)? {
        match (number, value) {
            (1, Raw::Bytes(bytes)) => {
                for (number, value) in fields(bytes).ok_or_else(cut)? {
                    match (number, value) {
                        (1, Raw::Bytes(bytes)) => api_version = text(bytes)?,
                        (2, Raw::Bytes(bytes)) => kind = text(bytes)?,
                        _ => {}
                    }
                }
            }
            (2, Raw::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let rows = proto_schema::of(&kind)
        .ok_or_else(|| format!("the demo cluster does not read {kind} as protobuf; send JSON"))?;
    let mut object = message(raw, rows)?;
    json::set(&mut object, "kind", kind);
    json::set(&mut object, "apiVersion", api_version);
    Ok(object)
}

/// Reads a message by its rows. Go writes the zero values of its structs out: for the API they are as good as
/// absent, known or not.
fn message(bytes: &[u8], rows: &[Row]) -> Result<Value, String> {
    let mut object = Value::Object(Map::new());
    for (number, raw) in fields(bytes).ok_or("a message is cut short")? {
        let row = rows.iter().find(|(wanted, ..)| *wanted == number);
        let Some((_, name, many, field)) = row else {
            if matches!(raw, Raw::Number(0) | Raw::Bytes([])) {
                continue;
            }
            return Err(format!(
                "the demo cluster does not know field {number} of this message; send JSON"
            ));
        };
        let Some(value) = value(raw, *field)? else {
            continue;
        };
        match (many, value) {
            (true, Value::Object(entry)) if matches!(field, Field::Map) => {
                json::object_mut(&mut object, name).extend(entry);
            }
            (true, value) => {
                let list = json::entry(&mut object)
                    .entry(*name)
                    .or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(items) = list {
                    items.push(value);
                }
            }
            (false, value) => json::set(&mut object, name, value),
        }
    }
    Ok(object)
}

/// A field's value, if it says anything.
fn value(raw: Raw<'_>, field: Field) -> Result<Option<Value>, String> {
    Ok(match (field, raw) {
        (Field::Skip, _) => None,
        (Field::Text, Raw::Bytes(bytes)) => Some(text(bytes)?)
            .filter(|text| !text.is_empty())
            .map(Value::from),
        (Field::Int, Raw::Number(number)) => Some(number.cast_signed().into()),
        (Field::Bool, Raw::Number(number)) => (number != 0).then_some(Value::Bool(true)),
        (Field::Map, Raw::Bytes(bytes)) => Some(pair(bytes)?),
        (Field::IntOrString, Raw::Bytes(bytes)) => int_or_string(bytes)?,
        (Field::Message(rows), Raw::Bytes(bytes)) => Some(message(bytes, rows)?),
        (Field::Keep, Raw::Bytes(_)) => Some(Value::Object(Map::new())),
        _ => return Err("a field has another type than expected".to_owned()),
    })
}

fn pair(bytes: &[u8]) -> Result<Value, String> {
    let (mut key, mut value) = (String::new(), String::new());
    for (number, raw) in fields(bytes).ok_or("a map is cut short")? {
        match (number, raw) {
            (1, Raw::Bytes(bytes)) => key = text(bytes)?,
            (2, Raw::Bytes(bytes)) => value = text(bytes)?,
            _ => {}
        }
    }
    Ok(Value::Object(Map::from_iter([(key, value.into())])))
}

fn int_or_string(bytes: &[u8]) -> Result<Option<Value>, String> {
    let (mut is_text, mut number, mut name) = (false, 0, String::new());
    for (field, raw) in fields(bytes).ok_or("an IntOrString is cut short")? {
        match (field, raw) {
            (1, Raw::Number(kind)) => is_text = kind == 1,
            (2, Raw::Number(value)) => number = value.cast_signed(),
            (3, Raw::Bytes(bytes)) => name = text(bytes)?,
            _ => {}
        }
    }
    Ok(match (is_text, number) {
        (true, _) => Some(name.into()),
        (false, 0) => None,
        (false, number) => Some(number.into()),
    })
}

fn text(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string())
}

fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, Raw<'_>)>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let raw = match tag & 7 {
            0 => Raw::Number(varint(&mut bytes)?),
            1 => take(&mut bytes, 8)?,
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                take(&mut bytes, length)?
            }
            5 => take(&mut bytes, 4)?,
            _ => return None,
        };
        found.push((tag >> 3, raw));
    }
    Some(found)
}

fn take<'b>(bytes: &mut &'b [u8], length: usize) -> Option<Raw<'b>> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(Raw::Bytes(taken))
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(number: u8, value: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2, u8::try_from(value.len()).unwrap()];
        bytes.extend_from_slice(value);
        bytes
    }

    fn body(api_version: &[u8], kind: &[u8], raw: &[u8]) -> Vec<u8> {
        let kind = [field(1, api_version), field(2, kind)].concat();
        [b"k8s\0".to_vec(), field(1, &kind), field(2, raw)].concat()
    }

    #[test]
    fn an_access_review_is_read() {
        let attributes = [field(1, b"shop"), field(2, b"patch"), field(5, b"services")].concat();
        let raw = [field(1, b""), field(2, &field(1, &attributes))].concat();
        let body = body(b"authorization.k8s.io/v1", b"SelfSubjectAccessReview", &raw);
        assert_eq!(
            read(&body).unwrap()["spec"],
            json!({"resourceAttributes": {"namespace": "shop", "verb": "patch", "resource": "services"}})
        );
    }

    #[test]
    fn a_service_is_read_with_maps_lists_and_int_or_string() {
        // type 0 (a number), 8080
        let target = [0x08, 0, 0x10, 0x90, 0x3f];
        let port = [
            field(1, b"http"),
            vec![3 << 3, 80],
            field(4, &target),
            vec![5 << 3, 0],
        ]
        .concat();
        let label = [field(1, b"app"), field(2, b"web")].concat();
        let spec = [field(1, &port), field(2, &label), field(3, b"")].concat();
        let raw = [field(1, &field(1, b"web")), field(2, &spec)].concat();
        assert_eq!(
            read(&body(b"v1", b"Service", &raw)).unwrap(),
            json!({
                "metadata": {"name": "web"},
                "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8080, "nodePort": 0}], "selector": {"app": "web"}},
                "kind": "Service",
                "apiVersion": "v1",
            })
        );
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert!(read(&body(b"v1", b"Secret", b"")).is_err());
        assert!(read(&body(b"v1", b"Service", &field(2, &field(14, b"x")))).is_err());
        assert!(read(&body(b"v1", b"Service", &field(2, &field(14, b"")))).is_ok());
        assert!(read(b"k8s\0\x0a\xff").is_err());
        assert!(read(b"{}").is_err());
    }
}
