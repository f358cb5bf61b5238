//! What the user types to find Services.
//!
//! Words are joined by "and". A plain word is looked for in names, namespaces, types, states,
//! ports, addresses, labels and pods; `ns:`, `type:`, `state:`, `port:`, `pod:` and `label:` look
//! in one place only.

use std::fmt;

use svcscope_check::{Health, ServiceReport};
use svcscope_model::topology::{BackendTarget, EntryPoint, PortTraffic, ServiceTraffic};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SearchField {
    Any,
    Namespace,
    Type,
    Health,
    Port,
    Pod,
    Label,
}

/// A text that was typed, ready to be compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    text: String,
    terms: Vec<(SearchField, String)>,
}

impl SearchQuery {
    /// Reads what was typed.
    pub fn parse(text: &str) -> Self {
        let terms = text
            .split_whitespace()
            .filter_map(|word| {
                let (field, wanted) = match word.split_once(':') {
                    Some(("ns" | "namespace", rest)) => (SearchField::Namespace, rest),
                    Some(("type", rest)) => (SearchField::Type, rest),
                    Some(("state", rest)) => (SearchField::Health, rest),
                    Some(("port", rest)) => (SearchField::Port, rest),
                    Some(("pod", rest)) => (SearchField::Pod, rest),
                    Some(("label", rest)) => (SearchField::Label, rest),
                    _ => (SearchField::Any, word),
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
    pub fn matches(&self, traffic: &ServiceTraffic, report: Option<&ServiceReport>) -> bool {
        self.terms
            .iter()
            .all(|(field, wanted)| matches(*field, wanted, traffic, report))
    }
}

/// As it was typed.
impl fmt::Display for SearchQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn matches(
    field: SearchField,
    wanted: &str,
    traffic: &ServiceTraffic,
    report: Option<&ServiceReport>,
) -> bool {
    let service = &traffic.service;
    let in_namespace = || contains(&service.key.namespace, wanted);
    let in_type = || contains(service.type_word(), wanted);
    let in_state = || {
        let state = report.map_or(Health::Unknown, |report| report.health);
        state.word().starts_with(wanted)
    };
    let in_port = || traffic.ports.iter().any(|port| port_matches(port, wanted));
    let in_pod = || traffic.ports.iter().any(|port| pod_matches(port, wanted));
    let in_label = || {
        service
            .labels
            .iter()
            .chain(&service.selector)
            .any(|(key, value)| contains(&format!("{key}={value}"), wanted))
    };
    match field {
        SearchField::Namespace => in_namespace(),
        SearchField::Type => in_type(),
        SearchField::Health => in_state(),
        SearchField::Port => in_port(),
        SearchField::Pod => in_pod(),
        SearchField::Label => in_label(),
        SearchField::Any => {
            contains(&service.key.to_string(), wanted)
                || in_type()
                || in_state()
                || in_port()
                || in_label()
                || in_pod()
                || address_matches(traffic, wanted)
        }
    }
}

fn port_matches(port: &PortTraffic, wanted: &str) -> bool {
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

fn pod_matches(port: &PortTraffic, wanted: &str) -> bool {
    port.backends.iter().any(|backend| {
        let named = match &backend.target {
            BackendTarget::Pod(key) => contains(&key.name, wanted),
            BackendTarget::Address(_) => false,
        };
        named || contains(&backend.address, wanted)
    })
}

fn address_matches(traffic: &ServiceTraffic, wanted: &str) -> bool {
    contains(&traffic.dns_name, wanted)
        || traffic
            .entry_points
            .iter()
            .flat_map(|entry| &entry.addresses)
            .any(|address| contains(address, wanted))
        || traffic
            .entry_points
            .iter()
            .any(|entry| ingress_matches(entry, wanted))
        || traffic
            .service
            .cluster_ips
            .iter()
            .chain(&traffic.service.external_name)
            .any(|address| contains(address, wanted))
}

/// A host finds the Service behind it, and so does the Ingress or route that has it.
fn ingress_matches(entry: &EntryPoint, wanted: &str) -> bool {
    entry.ingress.is_some()
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
    use svcscope_model::inventory::{
        ObjectKey, Protocol, ServicePort, ServiceRecord, ServiceType, SharedStr, TargetPort,
    };
    use svcscope_model::topology::{
        EntryPointId, EntryPointKind, IngressHost, IngressHostPath, PortBackend,
    };

    fn api() -> ServiceTraffic {
        let mut service = ServiceRecord::new(ObjectKey::new("shop", "api"));
        service.service_type = ServiceType::NodePort;
        service.cluster_ips = vec![SharedStr::from("10.96.93.120")];
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
            entry_points: vec![host()],
            ports: vec![PortTraffic {
                port,
                backends: vec![PortBackend {
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

    fn host() -> EntryPoint {
        let path = IngressHostPath {
            path: "/cart".into(),
            exact: false,
            port_ref: "http".into(),
            port: None,
        };
        EntryPoint {
            id: EntryPointId {
                service: ObjectKey::new("shop", "api"),
                kind: EntryPointKind::Ingress,
                address: "buy.example.com".into(),
                node_port: None,
                object: Some(ObjectKey::new("shop", "front")),
            },
            addresses: Vec::new(),
            ports: Vec::new(),
            ingress: Some(Arc::new(IngressHost {
                encrypted: true,
                paths: vec![path],
                ..IngressHost::default()
            })),
            notes: Vec::new(),
        }
    }

    fn found(text: &str) -> bool {
        let report = ServiceReport {
            health: Health::Degraded,
            ready: 1,
            expected: 2,
            ports: Vec::new(),
            findings: Vec::new(),
            suppressed: Vec::new(),
        };
        SearchQuery::parse(text).matches(&api(), Some(&report))
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
        assert!(SearchQuery::parse("type: ").is_empty());
    }

    #[test]
    fn it_reads_back_as_it_was_typed() {
        assert_eq!(
            SearchQuery::parse(" ns:Shop  web ").to_string(),
            "ns:Shop  web"
        );
    }
}
