//! Values that only one object of a cluster can have: ports of nodes and addresses of Services
//! (`pkg/registry/core/service/portallocator` and `ipallocator`).

use std::collections::{BTreeMap, btree_map::Entry};

use serde_json::Value;

use super::{FieldError, FieldErrorKind, error::ErrorList, field::Field};

/// Who has a value already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenBy<P> {
    /// Namespace and name of the Service: `shop/web`.
    pub service: String,
    /// Where it was read.
    pub place: P,
}

/// What the Services that were looked at so far have taken.
#[derive(Debug)]
pub struct TakenValues<P> {
    node_ports: BTreeMap<i64, TakenBy<P>>,
    addresses: BTreeMap<String, TakenBy<P>>,
}

impl<P> Default for TakenValues<P> {
    fn default() -> Self {
        Self {
            node_ports: BTreeMap::new(),
            addresses: BTreeMap::new(),
        }
    }
}

impl<P: Clone> TakenValues<P> {
    /// Looks at one more object, and gives the values that another Service has taken. The same Service
    /// once more takes them from nobody.
    pub fn add(&mut self, object: &Value, place: &P) -> Vec<(FieldError, TakenBy<P>)> {
        if object["apiVersion"] != "v1" || object["kind"] != "Service" {
            return Vec::new();
        }
        let root = Field::root(object);
        let metadata = root.field("metadata");
        let (namespace, name) = (metadata.field("namespace"), metadata.field("name"));
        let holder = TakenBy {
            service: format!("{}/{}", namespace.text(), name.text()),
            place: place.clone(),
        };
        let spec = root.field("spec");
        let mut told = Vec::new();
        let has_node_ports = matches!(spec.field("type").text(), "NodePort" | "LoadBalancer");
        let mut own = Vec::new();
        for port in spec.field("ports").items().filter(|_| has_node_ports) {
            let field = port.field("nodePort");
            let number = field.number();
            if number == 0 || own.contains(&number) {
                continue;
            }
            own.push(number);
            if let Some(other) = taken_by_other(self.node_ports.entry(number), &holder) {
                told.push((error(&field, "provided port is already allocated"), other));
            }
        }
        let (one, list) = (spec.field("clusterIP"), spec.field("clusterIPs"));
        let all: Vec<_> = if list.len() > 0 {
            list.items().collect()
        } else {
            vec![one]
        };
        for field in all {
            let address = field.text();
            if matches!(address, "" | "None") {
                continue;
            }
            let entry = self.addresses.entry(address.to_owned());
            if let Some(other) = taken_by_other(entry, &holder) {
                let why =
                    format!("failed to allocate IP {address}: provided IP is already allocated");
                told.push((error(&field, &why), other));
            }
        }
        if super::was_accepted(object) {
            return Vec::new();
        }
        told
    }
}

fn taken_by_other<K: Ord, P: Clone>(
    entry: Entry<'_, K, TakenBy<P>>,
    holder: &TakenBy<P>,
) -> Option<TakenBy<P>> {
    match entry {
        Entry::Occupied(other) if other.get().service != holder.service => {
            Some(other.get().clone())
        }
        Entry::Occupied(_) => None,
        Entry::Vacant(free) => {
            free.insert(holder.clone());
            None
        }
    }
}

fn error(field: &Field<'_>, why: &str) -> FieldError {
    let mut errors = ErrorList::default();
    let text = format!("Invalid value: {}: {why}", field.value);
    errors.add(field, FieldErrorKind::Invalid, text).clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn service(name: &str, spec: &Value) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"namespace": "shop", "name": name},
            "spec": spec,
        })
    }

    #[test]
    fn a_value_is_told_at_the_second_who_has_it() {
        let mut taken = TakenValues::default();
        let with_port =
            json!({"type": "NodePort", "ports": [{"nodePort": 30080}, {"nodePort": 30080}]});
        assert!(taken.add(&service("a", &with_port), &1).is_empty());
        assert!(
            taken.add(&service("a", &with_port), &2).is_empty(),
            "the same Service"
        );
        let told = taken.add(&service("b", &with_port), &3);
        assert_eq!(told.len(), 1);
        assert_eq!(
            told[0].0.to_string(),
            "spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated"
        );
        assert_eq!((&*told[0].1.service, told[0].1.place), ("shop/a", 1));
        let not_used = json!({"ports": [{"nodePort": 30080}]});
        assert!(taken.add(&service("c", &not_used), &4).is_empty());
        let with_address = json!({"clusterIP": "10.0.0.5"});
        assert!(taken.add(&service("a", &with_address), &5).is_empty());
        assert_eq!(taken.add(&service("b", &with_address), &6).len(), 1);
        let headless = json!({"clusterIP": "None"});
        assert!(taken.add(&service("c", &headless), &7).is_empty());
        assert!(taken.add(&service("d", &headless), &8).is_empty());
    }
}
