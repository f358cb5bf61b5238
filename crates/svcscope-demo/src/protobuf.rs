//! Reading the protobuf bodies that kubectl posts for access reviews and for what its generators create; it
//! offers nothing else there. Answers are JSON, which it takes.
//!
//! A body is `k8s\0` and a `runtime.Unknown`: field 1 the type, field 2 the raw message.

use serde_json::{Map, Value};

use super::json;
use super::protobuf_schema::{self, ProtobufFieldSpec, ProtobufFieldType};

/// A field as it is encoded.
enum ProtobufWireValue<'b> {
    Number(u64),
    Bytes(&'b [u8]),
}

/// The object in a protobuf body, or why it can't be read.
pub(super) fn decode_object(body: &[u8]) -> Result<Value, String> {
    let cut = || "the protobuf body is cut short".to_owned();
    let unknown = body
        .strip_prefix(b"k8s\0")
        .ok_or("the body does not begin as Kubernetes protobuf")?;
    let (mut kind, mut api_version, mut raw) = (String::new(), String::new(), &[][..]);
    for (number, value) in split_fields(unknown).ok_or_else(cut)? {
        match (number, value) {
            (1, ProtobufWireValue::Bytes(bytes)) => {
                for (number, value) in split_fields(bytes).ok_or_else(cut)? {
                    match (number, value) {
                        (1, ProtobufWireValue::Bytes(bytes)) => api_version = decode_string(bytes)?,
                        (2, ProtobufWireValue::Bytes(bytes)) => kind = decode_string(bytes)?,
                        _ => {}
                    }
                }
            }
            (2, ProtobufWireValue::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let rows = protobuf_schema::fields_of_kind(&kind)
        .ok_or_else(|| format!("the demo cluster does not read {kind} as protobuf; send JSON"))?;
    let mut object = decode_message(raw, rows)?;
    json::set(&mut object, "kind", kind);
    json::set(&mut object, "apiVersion", api_version);
    Ok(object)
}

/// Reads a message by its rows. Go writes the zero values of its structs out: for the API they are as good as
/// absent, known or not.
fn decode_message(bytes: &[u8], rows: &[ProtobufFieldSpec]) -> Result<Value, String> {
    let mut object = Value::Object(Map::new());
    for (number, raw) in split_fields(bytes).ok_or("a message is cut short")? {
        let row = rows.iter().find(|(wanted, ..)| *wanted == number);
        let Some((_, name, many, field)) = row else {
            if matches!(
                raw,
                ProtobufWireValue::Number(0) | ProtobufWireValue::Bytes([])
            ) {
                continue;
            }
            return Err(format!(
                "the demo cluster does not know field {number} of this message; send JSON"
            ));
        };
        let Some(value) = decode_field(raw, *field)? else {
            continue;
        };
        match (many, value) {
            (true, Value::Object(entry)) if matches!(field, ProtobufFieldType::Map) => {
                json::object_mut(&mut object, name).extend(entry);
            }
            (true, value) => {
                let list = json::ensure_object(&mut object)
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
fn decode_field(
    raw: ProtobufWireValue<'_>,
    field: ProtobufFieldType,
) -> Result<Option<Value>, String> {
    Ok(match (field, raw) {
        (ProtobufFieldType::Ignored, _) => None,
        (ProtobufFieldType::Text, ProtobufWireValue::Bytes(bytes)) => Some(decode_string(bytes)?)
            .filter(|text| !text.is_empty())
            .map(Value::from),
        (ProtobufFieldType::Int, ProtobufWireValue::Number(number)) => {
            Some(number.cast_signed().into())
        }
        (ProtobufFieldType::Bool, ProtobufWireValue::Number(number)) => {
            (number != 0).then_some(Value::Bool(true))
        }
        (ProtobufFieldType::Map, ProtobufWireValue::Bytes(bytes)) => Some(decode_map_entry(bytes)?),
        (ProtobufFieldType::IntOrString, ProtobufWireValue::Bytes(bytes)) => int_or_string(bytes)?,
        (ProtobufFieldType::Message(rows), ProtobufWireValue::Bytes(bytes)) => {
            Some(decode_message(bytes, rows)?)
        }
        (ProtobufFieldType::EmptyMessage, ProtobufWireValue::Bytes(_)) => {
            Some(Value::Object(Map::new()))
        }
        _ => return Err("a field has another type than expected".to_owned()),
    })
}

fn decode_map_entry(bytes: &[u8]) -> Result<Value, String> {
    let (mut key, mut value) = (String::new(), String::new());
    for (number, raw) in split_fields(bytes).ok_or("a map is cut short")? {
        match (number, raw) {
            (1, ProtobufWireValue::Bytes(bytes)) => key = decode_string(bytes)?,
            (2, ProtobufWireValue::Bytes(bytes)) => value = decode_string(bytes)?,
            _ => {}
        }
    }
    Ok(Value::Object(Map::from_iter([(key, value.into())])))
}

fn int_or_string(bytes: &[u8]) -> Result<Option<Value>, String> {
    let (mut is_text, mut number, mut name) = (false, 0, String::new());
    for (field, raw) in split_fields(bytes).ok_or("an IntOrString is cut short")? {
        match (field, raw) {
            (1, ProtobufWireValue::Number(kind)) => is_text = kind == 1,
            (2, ProtobufWireValue::Number(value)) => number = value.cast_signed(),
            (3, ProtobufWireValue::Bytes(bytes)) => name = decode_string(bytes)?,
            _ => {}
        }
    }
    Ok(match (is_text, number) {
        (true, _) => Some(name.into()),
        (false, 0) => None,
        (false, number) => Some(number.into()),
    })
}

fn decode_string(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string())
}

fn split_fields(mut bytes: &[u8]) -> Option<Vec<(u64, ProtobufWireValue<'_>)>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = take_varint(&mut bytes)?;
        let raw = match tag & 7 {
            0 => ProtobufWireValue::Number(take_varint(&mut bytes)?),
            1 => take_bytes(&mut bytes, 8)?,
            2 => {
                let length = usize::try_from(take_varint(&mut bytes)?).ok()?;
                take_bytes(&mut bytes, length)?
            }
            5 => take_bytes(&mut bytes, 4)?,
            _ => return None,
        };
        found.push((tag >> 3, raw));
    }
    Some(found)
}

fn take_bytes<'b>(bytes: &mut &'b [u8], length: usize) -> Option<ProtobufWireValue<'b>> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(ProtobufWireValue::Bytes(taken))
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
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
            decode_object(&body).unwrap()["spec"],
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
            decode_object(&body(b"v1", b"Service", &raw)).unwrap(),
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
        assert!(decode_object(&body(b"v1", b"Secret", b"")).is_err());
        assert!(decode_object(&body(b"v1", b"Service", &field(2, &field(14, b"x")))).is_err());
        assert!(decode_object(&body(b"v1", b"Service", &field(2, &field(14, b"")))).is_ok());
        assert!(decode_object(b"k8s\0\x0a\xff").is_err());
        assert!(decode_object(b"{}").is_err());
    }
}
