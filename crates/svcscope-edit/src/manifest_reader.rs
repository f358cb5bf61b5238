//! Reads what the user wrote as a Service, and names the field where it is none.
//!
//! What the API server says is read in `cluster/`, which forgives what it does not know; what a
//! person writes is read here, where a mistake is theirs to know.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{FieldError, snapshot::value_at};
use svcscope_model::inventory::{
    ObjectKey, Protocol, ServicePort, ServiceRecord, ServiceType, SharedStr, TargetPort,
    TrafficPolicy, address::canonical,
};

/// The record of a Service object, or what is wrong with it by field.
///
/// `status`, `uid` and `resourceVersion` are left alone: they are not the user's to write.
pub(crate) fn parse_service(object: &Value) -> Result<ServiceRecord, Vec<FieldError>> {
    let mut reader = ManifestFieldReader {
        object,
        errors: Vec::new(),
    };
    let name = reader.text("metadata/name").unwrap_or_default();
    let namespace = reader.text("metadata/namespace").unwrap_or_default();
    let service_type = reader.one_of("spec/type", &ServiceType::ALL, ServiceType::as_str);
    let cluster_ips = reader.addresses("spec/clusterIPs");
    let affinity = reader.one_of("spec/sessionAffinity", &["None", "ClientIP"], |word| word);
    let policies = [TrafficPolicy::Cluster, TrafficPolicy::Local];
    let record = ServiceRecord {
        labels: reader.pairs("metadata/labels"),
        annotations: reader.pairs("metadata/annotations"),
        service_type: service_type.unwrap_or_default(),
        // `clusterIP` leads where the two differ, as `NormalizeClusterIPs` has it.
        cluster_ips: match reader
            .text("spec/clusterIP")
            .map(|ip| SharedStr::from(&*canonical(&ip)))
        {
            Some(ip) if cluster_ips.first() == Some(&ip) => cluster_ips,
            Some(ip) if !ip.is_empty() => vec![ip],
            _ => Vec::new(),
        },
        selector: reader.pairs("spec/selector"),
        ports: reader.ports(),
        external_name: reader
            .text("spec/externalName")
            .filter(|name| !name.is_empty()),
        external_ips: reader.addresses("spec/externalIPs"),
        load_balancer_class: reader.text("spec/loadBalancerClass"),
        source_ranges: reader.texts("spec/loadBalancerSourceRanges"),
        session_affinity_client_ip: affinity == Some("ClientIP"),
        session_affinity_timeout_secs: reader
            .number("spec/sessionAffinityConfig/clientIP/timeoutSeconds")
            .and_then(|secs| u32::try_from(secs).ok()),
        external_traffic_policy: reader.one_of(
            "spec/externalTrafficPolicy",
            &policies,
            TrafficPolicy::as_str,
        ),
        internal_traffic_policy: reader.one_of(
            "spec/internalTrafficPolicy",
            &policies,
            TrafficPolicy::as_str,
        ),
        traffic_distribution: reader.text("spec/trafficDistribution"),
        publish_not_ready_addresses: reader
            .flag("spec/publishNotReadyAddresses")
            .unwrap_or(false),
        allocate_load_balancer_node_ports: reader.flag("spec/allocateLoadBalancerNodePorts"),
        ip_families: reader.texts("spec/ipFamilies"),
        ip_family_policy: reader.text("spec/ipFamilyPolicy"),
        ..ServiceRecord::new(ObjectKey::new(namespace, name))
    };
    if reader.errors.is_empty() {
        Ok(record)
    } else {
        Err(reader.errors)
    }
}

struct ManifestFieldReader<'a> {
    object: &'a Value,
    errors: Vec<FieldError>,
}

impl<'a> ManifestFieldReader<'a> {
    fn value_at(&self, path: &str) -> Option<&'a Value> {
        value_at(self.object, path).filter(|value| !value.is_null())
    }

    fn report_wrong_type(&mut self, path: &str, found: &Value, wanted: &str) {
        self.errors.push(FieldError {
            field: path.replace('/', ".").into(),
            message: format!("must be {wanted}, and is {found}").into(),
        });
    }

    fn text(&mut self, path: &str) -> Option<SharedStr> {
        let found = self.value_at(path)?;
        if found.as_str().is_none() {
            self.report_wrong_type(path, found, "a text");
        }
        found.as_str().map(SharedStr::from)
    }

    fn flag(&mut self, path: &str) -> Option<bool> {
        let found = self.value_at(path)?;
        if found.as_bool().is_none() {
            self.report_wrong_type(path, found, "true or false");
        }
        found.as_bool()
    }

    fn number(&mut self, path: &str) -> Option<u64> {
        let found = self.value_at(path)?;
        if found.as_u64().is_none() {
            self.report_wrong_type(path, found, "a whole number");
        }
        found.as_u64()
    }

    fn one_of<T: Copy>(
        &mut self,
        path: &str,
        known: &[T],
        word: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let found = self.value_at(path)?;
        let text = found.as_str().filter(|text| !text.is_empty())?;
        let one = known.iter().copied().find(|one| word(*one) == text);
        if one.is_none() {
            let words: Vec<_> = known.iter().map(|one| word(*one)).collect();
            self.report_wrong_type(path, found, &format!("one of {}", words.join(", ")));
        }
        one
    }

    /// Addresses in the form by which they are compared; the object keeps its own.
    fn addresses(&mut self, path: &str) -> Vec<SharedStr> {
        let texts = self.texts(path).into_iter();
        texts
            .map(|text| SharedStr::from(&*canonical(&text)))
            .collect()
    }

    fn texts(&mut self, path: &str) -> Vec<SharedStr> {
        let Some(found) = self.value_at(path) else {
            return Vec::new();
        };
        let all: Option<Vec<SharedStr>> = found.as_array().and_then(|items| {
            items
                .iter()
                .map(|item| item.as_str().map(SharedStr::from))
                .collect()
        });
        if all.is_none() {
            self.report_wrong_type(path, found, "a list of texts");
        }
        all.unwrap_or_default()
    }

    fn pairs(&mut self, path: &str) -> BTreeMap<SharedStr, SharedStr> {
        let Some(found) = self.value_at(path) else {
            return BTreeMap::new();
        };
        let pair = |(key, value): (&String, &Value)| {
            Some((SharedStr::from(&**key), SharedStr::from(value.as_str()?)))
        };
        let all: Option<BTreeMap<_, _>> = found
            .as_object()
            .and_then(|pairs| pairs.iter().map(pair).collect());
        if all.is_none() {
            self.report_wrong_type(path, found, "texts by name (quote numbers and yes or no)");
        }
        all.unwrap_or_default()
    }

    fn ports(&mut self) -> Vec<ServicePort> {
        let Some(found) = self.value_at("spec/ports") else {
            return Vec::new();
        };
        let Some(items) = found.as_array() else {
            self.report_wrong_type("spec/ports", found, "a list");
            return Vec::new();
        };
        items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| self.port(&format!("spec.ports[{index}]"), item))
            .collect()
    }

    fn port(&mut self, path: &str, item: &'a Value) -> Option<ServicePort> {
        let Some(fields) = item.as_object() else {
            self.report_wrong_type(path, item, "an object");
            return None;
        };
        let port = match port_number(fields, "port") {
            Ok(Some(port)) => Some(port),
            Ok(None) => {
                self.errors.push(FieldError {
                    field: format!("{path}.port").into(),
                    message: "is missing".into(),
                });
                None
            }
            Err(found) => {
                self.report_wrong_type(&format!("{path}.port"), found, PORT);
                None
            }
        };
        let target_port = match fields.get("targetPort") {
            None | Some(Value::Null) => port.map(TargetPort::Number),
            Some(Value::String(name)) => Some(TargetPort::Name(SharedStr::from(&**name))),
            Some(_) => match port_number(fields, "targetPort") {
                Ok(number) => number.or(port).map(TargetPort::Number),
                Err(found) => {
                    let wanted = "a number from 1 to 65535 or the name of a container port";
                    self.report_wrong_type(&format!("{path}.targetPort"), found, wanted);
                    None
                }
            },
        };
        let node_port = port_number(fields, "nodePort").unwrap_or_else(|found| {
            self.report_wrong_type(&format!("{path}.nodePort"), found, PORT);
            None
        });
        let protocols = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];
        let protocol = match fields.get("protocol") {
            None | Some(Value::Null) => Some(Protocol::Tcp),
            Some(found) => {
                let known = protocols
                    .into_iter()
                    .find(|known| found.as_str() == Some(known.as_str()));
                if known.is_none() {
                    self.report_wrong_type(&format!("{path}.protocol"), found, "TCP, UDP or SCTP");
                }
                known
            }
        };
        let text = |name: &str| {
            let text = fields.get(name)?.as_str()?;
            (!text.is_empty()).then(|| SharedStr::from(text))
        };
        Some(ServicePort {
            name: text("name"),
            protocol: protocol?,
            port: port?,
            target_port: target_port?,
            node_port,
            app_protocol: text("appProtocol"),
        })
    }
}

const PORT: &str = "a number from 1 to 65535";

/// Zero is none, as the API server has it; the value itself where it is no port.
fn port_number<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<u16>, &'a Value> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64().map(u16::try_from) {
            Some(Ok(0)) => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            _ => Err(value),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_is_read_as_the_api_server_would() {
        let read = parse_service(&json!({
            "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
            "spec": {
                "type": "NodePort", "clusterIP": "10.96.0.7", "selector": {"app": "web"},
                "sessionAffinity": "ClientIP",
                "ports": [
                    {"port": 80},
                    {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": "dns", "nodePort": 0}
                ],
            },
        }))
        .unwrap();
        assert_eq!(read.service_type, ServiceType::NodePort);
        assert_eq!(read.cluster_ips, [SharedStr::from("10.96.0.7")]);
        assert!(read.session_affinity_client_ip);
        assert_eq!(read.ports[0].target_port, TargetPort::Number(80));
        assert_eq!(read.ports[1].protocol, Protocol::Udp);
        assert_eq!(read.ports[1].node_port, None);
    }

    #[test]
    fn a_mistake_is_named_by_its_field() {
        let errors = parse_service(&json!({
            "metadata": {"labels": {"on": true}},
            "spec": {
                "type": "Nodeport",
                "ports": [{"port": 70000}, {"targetPort": 1.5}, {"port": 1, "protocol": "tcp"}],
            },
        }))
        .unwrap_err();
        let fields: Vec<_> = errors.iter().map(|error| &*error.field).collect();
        assert_eq!(
            fields,
            [
                "spec.type",
                "metadata.labels",
                "spec.ports[0].port",
                "spec.ports[1].port",
                "spec.ports[1].targetPort",
                "spec.ports[2].protocol",
            ]
        );
        assert!(
            errors[0].message.contains("ClusterIP, NodePort"),
            "{errors:?}"
        );
    }
}
