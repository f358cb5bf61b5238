//! What a person types to find Services.
//!
//! Words are joined by "and". A plain word is looked for in names, namespaces, types, states,
//! ports, addresses, labels and pods; `ns:`, `type:`, `state:`, `port:`, `pod:` and `label:` look
//! in one place only.

use std::fmt;

use crate::check::{Report, Verdict};
use crate::topology::{BackendTarget, Entry, PortTraffic, ServiceTraffic};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Any,
    Namespace,
    Type,
    State,
    Port,
    Pod,
    Label,
}

/// A text that was typed, ready to be compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    text: String,
    terms: Vec<(Field, String)>,
}

impl Query {
    /// Reads what was typed.
    pub fn parse(text: &str) -> Self {
        let terms = text
            .split_whitespace()
            .filter_map(|word| {
                let (field, wanted) = match word.split_once(':') {
                    Some(("ns" | "namespace", rest)) => (Field::Namespace, rest),
                    Some(("type", rest)) => (Field::Type, rest),
                    Some(("state", rest)) => (Field::State, rest),
                    Some(("port", rest)) => (Field::Port, rest),
                    Some(("pod", rest)) => (Field::Pod, rest),
                    Some(("label", rest)) => (Field::Label, rest),
                    _ => (Field::Any, word),
                };
                (!wanted.is_empty()).then(|| (field, wanted.to_lowercase()))
            })
            .collect();
        Self {
            text: text.trim().to_owned(),
            terms,
        }
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a Service is meant.
    pub fn matches(&self, traffic: &ServiceTraffic, report: Option<&Report>) -> bool {
        self.terms
            .iter()
            .all(|(field, wanted)| matches(*field, wanted, traffic, report))
    }
}

/// As it was typed.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn matches(field: Field, wanted: &str, traffic: &ServiceTraffic, report: Option<&Report>) -> bool {
    let service = &traffic.service;
    let in_namespace = || contains(&service.key.namespace, wanted);
    let in_type = || contains(service.type_word(), wanted);
    let in_state = || {
        let state = report.map_or(Verdict::Unknown, |report| report.verdict);
        state.word().starts_with(wanted)
    };
    let in_port = || traffic.ports.iter().any(|port| port_is(port, wanted));
    let in_pod = || traffic.ports.iter().any(|port| pod_is(port, wanted));
    let in_label = || {
        service
            .labels
            .iter()
            .chain(&service.selector)
            .any(|(key, value)| contains(&format!("{key}={value}"), wanted))
    };
    match field {
        Field::Namespace => in_namespace(),
        Field::Type => in_type(),
        Field::State => in_state(),
        Field::Port => in_port(),
        Field::Pod => in_pod(),
        Field::Label => in_label(),
        Field::Any => {
            contains(&service.key.to_string(), wanted)
                || in_type()
                || in_state()
                || in_port()
                || in_label()
                || in_pod()
                || address_is(traffic, wanted)
        }
    }
}

fn port_is(port: &PortTraffic, wanted: &str) -> bool {
    let spec = &port.port;
    let is = |number: u16| number.to_string() == wanted;
    is(spec.port)
        || spec.node_port.is_some_and(is)
        || spec.target_port.to_string() == wanted
        || spec
            .name
            .as_ref()
            .is_some_and(|name| contains(name, wanted))
}

fn pod_is(port: &PortTraffic, wanted: &str) -> bool {
    port.backends.iter().any(|backend| {
        let named = match &backend.target {
            BackendTarget::Pod(key) => contains(&key.name, wanted),
            BackendTarget::Address(_) => false,
        };
        named || contains(&backend.address, wanted)
    })
}

fn address_is(traffic: &ServiceTraffic, wanted: &str) -> bool {
    contains(&traffic.dns_name, wanted)
        || traffic
            .entries
            .iter()
            .flat_map(|entry| &entry.addresses)
            .any(|address| contains(address, wanted))
        || traffic.entries.iter().any(|entry| front_is(entry, wanted))
        || traffic
            .service
            .cluster_ips
            .iter()
            .chain(&traffic.service.external_name)
            .any(|address| contains(address, wanted))
}

/// A host finds the Service behind it, and so does the Ingress or route that has it.
fn front_is(entry: &Entry, wanted: &str) -> bool {
    entry.front.is_some()
        && (contains(&entry.id.address, wanted)
            || entry.urls().iter().any(|url| contains(url, wanted))
            || entry
                .id
                .object
                .as_ref()
                .is_some_and(|object| contains(&object.to_string(), wanted)))
}

/// Whether `wanted`, which is in lower case, stands in `text` in any case.
fn contains(text: &str, wanted: &str) -> bool {
    text.to_lowercase().contains(wanted)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::inventory::{
        ObjectKey, Protocol, ServicePort, ServiceRecord, ServiceType, TargetPort, Text,
    };
    use crate::topology::{Backend, EntryId, EntryKind, Front, FrontPath};

    fn api() -> ServiceTraffic {
        let mut service = ServiceRecord::new(ObjectKey::new("shop", "api"));
        service.service_type = ServiceType::NodePort;
        service.cluster_ips = vec![Text::from("10.96.93.120")];
        service.labels.insert("team".into(), "Checkout".into());
        let port = ServicePort {
            name: Some("http".into()),
            protocol: Protocol::Tcp,
            port: 8081,
            target_port: TargetPort::Name("web".into()),
            node_port: Some(30080),
            app_protocol: None,
        };
        service.ports.push(port.clone());
        ServiceTraffic {
            service: Arc::new(service),
            dns_name: "api.shop.svc.cluster.local".into(),
            entries: vec![host()],
            ports: vec![PortTraffic {
                port,
                backends: vec![Backend {
                    target: BackendTarget::Pod(ObjectKey::new("shop", "api-5875-jqm")),
                    address: "10.244.0.7".into(),
                    port: Some(8080),
                    node: None,
                    workload: None,
                    ready: true,
                    serving: true,
                    terminating: false,
                    zone_hints: Box::default(),
                    node_hints: Box::default(),
                }],
                backend_tls: None,
            }],
        }
    }

    fn host() -> Entry {
        let path = FrontPath {
            path: "/cart".into(),
            exact: false,
            said: "http".into(),
            port: None,
        };
        Entry {
            id: EntryId {
                service: ObjectKey::new("shop", "api"),
                kind: EntryKind::Ingress,
                address: "buy.example.com".into(),
                node_port: None,
                object: Some(ObjectKey::new("shop", "front")),
            },
            addresses: Vec::new(),
            ports: Vec::new(),
            front: Some(Arc::new(Front {
                encrypted: true,
                paths: vec![path],
                ..Front::default()
            })),
            notes: Vec::new(),
        }
    }

    fn found(text: &str) -> bool {
        let report = Report {
            verdict: Verdict::Degraded,
            ready: 1,
            wanted: 2,
            ports: Vec::new(),
            findings: Vec::new(),
            suppressed: Vec::new(),
        };
        Query::parse(text).matches(&api(), Some(&report))
    }

    #[test]
    fn a_service_is_found_by_everything_that_is_known_of_it() {
        for text in [
            "",
            "api",
            "SHOP",
            "shop/api",
            "Buy.Example",
            "https://buy.example.com/cart",
            "shop/front",
            "nodeport",
            "degraded",
            "8081",
            "30080",
            "http",
            "web",
            "10.96.93",
            "5875-jqm",
            "10.244.0.7",
            "team=checkout",
            "svc.cluster",
        ] {
            assert!(found(text), "{text}");
        }
        assert!(!found("payments"));
    }

    #[test]
    fn words_are_joined_by_and() {
        assert!(found("api 8081"));
        assert!(!found("api 9999"));
    }

    #[test]
    fn a_field_looks_in_one_place_only() {
        assert!(found(
            "type:nodeport state:degraded ns:shop port:http pod:jqm label:team"
        ));
        assert!(!found("ns:api"));
        assert!(!found("state:healthy"));
        assert!(!found("port:808"));
    }

    #[test]
    fn a_field_without_a_value_asks_for_nothing_yet() {
        assert!(Query::parse("type: ").is_empty());
    }

    #[test]
    fn it_reads_back_as_it_was_typed() {
        assert_eq!(Query::parse(" ns:Shop  web ").to_string(), "ns:Shop  web");
    }
}
