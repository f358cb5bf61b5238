//! A value of an object, and the way to it.

use serde_json::Value;

/// One step on the way to a value.
#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Field(&'a str),
    Index(usize),
    Key(&'a str),
}

/// A value of an object, and the way to it. `null` is the same as nothing, as in Kubernetes.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    pub value: &'a Value,
    step: Step<'a>,
    parent: Option<&'a Field<'a>>,
}

impl<'a> Field<'a> {
    /// The object.
    pub fn root(value: &'a Value) -> Self {
        Self {
            value,
            step: Step::Root,
            parent: None,
        }
    }

    fn below(&'a self, value: &'a Value, step: Step<'a>) -> Self {
        Self {
            value,
            step,
            parent: Some(self),
        }
    }

    /// A field of it, whether it is there or not.
    pub fn field(&'a self, name: &'a str) -> Field<'a> {
        self.below(&self.value[name], Step::Field(name))
    }

    /// The value of a map's key.
    pub fn key(&'a self, key: &'a str) -> Field<'a> {
        self.below(&self.value[key], Step::Key(key))
    }

    /// The items of a list.
    pub fn items(&'a self) -> impl Iterator<Item = Field<'a>> {
        let items = self.value.as_array().map_or(&[][..], Vec::as_slice);
        items
            .iter()
            .enumerate()
            .map(|(at, value)| self.below(value, Step::Index(at)))
    }

    /// How many items a list has, or fields a map.
    pub fn len(&self) -> usize {
        match self.value {
            Value::Array(items) => items.len(),
            Value::Object(fields) => fields.len(),
            _ => 0,
        }
    }

    /// The names of a map, with their texts.
    pub fn texts(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let fields = self.value.as_object().into_iter().flatten();
        fields.map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()))
    }

    /// Whether it is there.
    pub fn is_set(&self) -> bool {
        !self.value.is_null()
    }

    /// Its text, empty where it has none.
    pub fn text(&self) -> &'a str {
        self.value.as_str().unwrap_or_default()
    }

    /// Its text, or what the API server puts there where it has none.
    pub fn text_or(&self, default: &'a str) -> &'a str {
        match self.text() {
            "" => default,
            text => text,
        }
    }

    /// Its number, 0 where it has none.
    pub fn number(&self) -> i64 {
        self.value
            .as_i64()
            .or_else(|| whole(self.value))
            .unwrap_or_default()
    }

    /// `spec.ports[1].nodePort`.
    pub fn path(&self) -> String {
        let mut path = self.parent.map(Field::path).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Field(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
            Step::Index(at) => path.push_str(&format!("[{at}]")),
            Step::Key(key) => path.push_str(&format!("[{key}]")),
        }
        path
    }

    /// `/spec/ports/1/nodePort`: the same as a JSON pointer.
    pub fn pointer(&self) -> String {
        let mut pointer = self.parent.map(Field::pointer).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Index(at) => pointer.push_str(&format!("/{at}")),
            Step::Field(name) | Step::Key(name) => {
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
            }
        }
        pointer
    }

    /// `spec.ports.nodePort`: as Go's JSON package names it, without places in lists and keys of maps.
    pub fn names(&self) -> String {
        let mut names = self.parent.map(Field::names).unwrap_or_default();
        if let Step::Field(name) = self.step {
            if !names.is_empty() {
                names.push('.');
            }
            names.push_str(name);
        }
        names
    }
}

/// A number without a fraction, however it is written: YAML's `80.0` becomes 80 on its way.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    let number = value.as_f64()?;
    let is_whole = number.fract() == 0.0 && number.abs() < 9e15;
    // Smaller than 2^53: it is exact.
    #[expect(clippy::cast_possible_truncation)]
    is_whole.then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_way_is_written_as_kubernetes_does() {
        let object = json!({"spec": {"ports": [{}, {"port": 80.0}]}});
        let root = Field::root(&object);
        let spec = root.field("spec");
        let ports = spec.field("ports");
        let second = ports.items().nth(1).unwrap();
        let port = second.field("port");
        assert_eq!(port.path(), "spec.ports[1].port");
        assert_eq!(port.names(), "spec.ports.port");
        assert_eq!(port.pointer(), "/spec/ports/1/port");
        assert_eq!(port.number(), 80);
        assert!(!second.field("name").is_set());
    }
}
