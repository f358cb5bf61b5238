//! A Service for pods that have none: what `kubectl expose` does.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{ServiceKind, patch::merged_port_json, snapshot::value_at};
use svcscope_model::inventory::{
    ContainerPort, ObjectKey, PodRecord, Protocol, ServicePort, SharedStr, TargetPort,
};

/// Kinds that can be exposed, with the names that kubectl takes for them.
const KINDS: [(&str, &[&str]); 4] = [
    ("Pod", &["pod", "pods", "po"]),
    ("Deployment", &["deployment", "deployments", "deploy"]),
    ("StatefulSet", &["statefulset", "statefulsets", "sts"]),
    ("DaemonSet", &["daemonset", "daemonsets", "ds"]),
];

/// Whose pods a Service shall lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExposableWorkload {
    /// `Pod`, `Deployment`, `StatefulSet` or `DaemonSet`.
    pub kind: SharedStr,
    /// Namespace and name.
    pub key: ObjectKey,
    /// Its own labels, which the Service gets too.
    pub labels: BTreeMap<SharedStr, SharedStr>,
    /// What its pods have: the labels of a pod, else `spec.selector.matchLabels`.
    pub selector: BTreeMap<SharedStr, SharedStr>,
    /// The ports that its containers declare.
    pub ports: Vec<ContainerPort>,
}

/// What to expose and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExposeOptions {
    /// The Service's name; none is the workload's.
    pub name: Option<SharedStr>,
    /// Its type; none is ClusterIP. An ExternalName leads to no pods.
    pub to: Option<ServiceKind>,
    /// Its ports; none are those of the containers.
    pub ports: Vec<ServicePort>,
}

/// Why something can't be exposed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExposeError {
    /// A kind without pods of its own.
    #[error("`{0}` can't be exposed; use pod, deployment, statefulset or daemonset")]
    Kind(String),
    /// A selector of a Service can't say what the workload's says.
    #[error(
        "{0} selects its pods by matchExpressions, which the selector of a Service can't say: create \
         the Service from a manifest"
    )]
    Expressions(SharedStr),
    /// Nothing to select by.
    #[error("{0} has no labels that a Service could select its pods by")]
    NoLabels(SharedStr),
    /// Nothing to lead to.
    #[error("the containers of {0} declare no ports: say which (--port)")]
    NoPorts(SharedStr),
    /// ExternalName.
    #[error("an ExternalName is an alias of a name elsewhere and leads to no pods")]
    ExternalName,
}

impl ExposableWorkload {
    /// The kind that a word names, in Kubernetes' own spelling.
    pub fn kind_of(word: &str) -> Result<&'static str, ExposeError> {
        let lower = word.to_lowercase();
        KINDS
            .into_iter()
            .find(|(_, words)| words.contains(&&*lower))
            .map(|(kind, _)| kind)
            .ok_or_else(|| ExposeError::Kind(word.to_owned()))
    }

    /// A pod as it is known.
    pub fn of_pod(pod: &PodRecord) -> Self {
        let mut selector = pod.labels.clone();
        // They name this one generation of pods, which the next rollout replaces.
        for volatile in ["pod-template-hash", "controller-revision-hash"] {
            selector.remove(volatile);
        }
        Self {
            kind: "Pod".into(),
            key: pod.key.clone(),
            labels: selector.clone(),
            selector,
            ports: pod
                .containers
                .iter()
                .flat_map(|container| container.ports.iter().cloned())
                .collect(),
        }
    }

    /// A workload as the API server says it.
    pub fn read(kind: &str, key: ObjectKey, object: &Value) -> Result<Self, ExposeError> {
        let named = || SharedStr::from(format!("{} {}", kind.to_lowercase(), key.name));
        let expressions = value_at(object, "spec/selector/matchExpressions");
        if expressions
            .and_then(Value::as_array)
            .is_some_and(|all| !all.is_empty())
        {
            return Err(ExposeError::Expressions(named()));
        }
        let containers =
            value_at(object, "spec/template/spec/containers").and_then(Value::as_array);
        let ports = containers
            .into_iter()
            .flatten()
            .filter_map(|container| container.get("ports")?.as_array())
            .flatten()
            .filter_map(container_port)
            .collect();
        Ok(Self {
            labels: pairs(value_at(object, "metadata/labels")),
            selector: pairs(value_at(object, "spec/selector/matchLabels")),
            kind: kind.into(),
            key,
            ports,
        })
    }

    /// `deployment web`.
    fn named(&self) -> SharedStr {
        format!("{} {}", self.kind.to_lowercase(), self.key.name).into()
    }

    /// Ports of a Service that leads to all that the containers declare, under the same numbers.
    pub fn service_ports(&self) -> Vec<ServicePort> {
        let mut declared: Vec<&ContainerPort> = Vec::new();
        for port in &self.ports {
            let is_known =
                |known: &&ContainerPort| (known.protocol, known.port) == (port.protocol, port.port);
            if !declared.iter().any(is_known) {
                declared.push(port);
            }
        }
        let several = declared.len() > 1;
        let is_unique = |name: &SharedStr| {
            let same = |port: &&&ContainerPort| port.name.as_ref() == Some(name);
            declared.iter().filter(same).count() == 1
        };
        declared
            .iter()
            .enumerate()
            .map(|(index, port)| {
                let own = port.name.clone().filter(is_unique);
                ServicePort {
                    // A container port's name finds the port in every pod, whatever its number is.
                    target_port: own
                        .clone()
                        .map_or(TargetPort::Number(port.port), TargetPort::Name),
                    name: own.or_else(|| several.then(|| format!("port-{}", index + 1).into())),
                    protocol: port.protocol,
                    port: port.port,
                    node_port: None,
                    app_protocol: None,
                }
            })
            .collect()
    }
}

/// The object of a Service that leads to the pods of a workload.
pub fn expose(
    workload: &ExposableWorkload,
    exposure: &ExposeOptions,
) -> Result<Value, ExposeError> {
    if workload.selector.is_empty() {
        return Err(ExposeError::NoLabels(workload.named()));
    }
    let to = exposure.to.unwrap_or(ServiceKind::ClusterIP);
    if to == ServiceKind::ExternalName {
        return Err(ExposeError::ExternalName);
    }
    let ports = if exposure.ports.is_empty() {
        workload.service_ports()
    } else {
        exposure.ports.clone()
    };
    if ports.is_empty() {
        return Err(ExposeError::NoPorts(workload.named()));
    }
    let name = exposure.name.clone().unwrap_or_else(|| {
        let name: String = workload.key.name.chars().take(63).collect();
        name.trim_end_matches(['-', '.']).into()
    });
    let ports: Vec<_> = ports
        .iter()
        .map(|port| merged_port_json(Map::new(), port))
        .collect();
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name, "namespace": workload.key.namespace, "labels": workload.labels,
        },
        "spec": {
            "type": to.service_type().as_str(), "selector": workload.selector, "ports": ports,
        },
    });
    if to == ServiceKind::Headless {
        let spec = super::snapshot::ensure_object(&mut object, &["spec"]);
        spec.insert("clusterIP".to_owned(), json!("None"));
    }
    Ok(object)
}

fn pairs(value: Option<&Value>) -> BTreeMap<SharedStr, SharedStr> {
    value
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| {
            Some((SharedStr::from(&**key), SharedStr::from(value.as_str()?)))
        })
        .collect()
}

fn container_port(value: &Value) -> Option<ContainerPort> {
    let protocol = match value.get("protocol").and_then(Value::as_str) {
        Some("UDP") => Protocol::Udp,
        Some("SCTP") => Protocol::Sctp,
        _ => Protocol::Tcp,
    };
    Some(ContainerPort {
        name: value
            .get("name")
            .and_then(Value::as_str)
            .map(SharedStr::from),
        protocol,
        port: u16::try_from(value.get("containerPort")?.as_u64()?).ok()?,
        host_port: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment() -> Value {
        json!({
            "metadata": {"name": "web", "labels": {"team": "shop"}},
            "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"spec": {"containers": [
                    {"ports": [{"name": "http", "containerPort": 8080}, {"containerPort": 9090}]},
                    {"ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]},
                    {},
                ]}},
            },
        })
    }

    fn web() -> ExposableWorkload {
        let key = ObjectKey::new("shop", "web");
        ExposableWorkload::read("Deployment", key, &deployment()).unwrap()
    }

    #[test]
    fn ports_come_from_all_containers_and_lead_to_names_where_there_are_any() {
        let object = expose(&web(), &ExposeOptions::default()).unwrap();
        assert_eq!(
            object,
            json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {"name": "web", "namespace": "shop", "labels": {"team": "shop"}},
                "spec": {
                    "type": "ClusterIP", "selector": {"app": "web"},
                    "ports": [
                        {"name": "http", "protocol": "TCP", "port": 8080, "targetPort": "http"},
                        {"name": "port-2", "protocol": "TCP", "port": 9090, "targetPort": 9090},
                        {"name": "dns", "protocol": "UDP", "port": 53, "targetPort": "dns"},
                    ],
                },
            })
        );
    }

    #[test]
    fn what_can_not_be_selected_or_reached_is_said() {
        let mut object = deployment();
        object["spec"]["selector"]["matchExpressions"] = json!([{"key": "a"}]);
        let key = || ObjectKey::new("shop", "web");
        assert!(matches!(
            ExposableWorkload::read("Deployment", key(), &object),
            Err(ExposeError::Expressions(_))
        ));
        let pod = PodRecord::new(key());
        let error =
            expose(&ExposableWorkload::of_pod(&pod), &ExposeOptions::default()).unwrap_err();
        assert_eq!(error, ExposeError::NoLabels("pod web".into()));
        let mut silent = web();
        silent.ports.clear();
        let error = expose(&silent, &ExposeOptions::default()).unwrap_err();
        assert_eq!(error, ExposeError::NoPorts("deployment web".into()));
        assert!(ExposableWorkload::kind_of("deploy").is_ok());
        assert!(ExposableWorkload::kind_of("cm").is_err());
    }

    #[test]
    fn a_pods_generation_is_not_selected_by() {
        let mut pod = PodRecord::new(ObjectKey::new("shop", "web-1"));
        for (key, value) in [("app", "web"), ("pod-template-hash", "7f9c")] {
            pod.labels.insert(key.into(), value.into());
        }
        let workload = ExposableWorkload::of_pod(&pod);
        assert_eq!(workload.selector, [("app".into(), "web".into())].into());
    }
}
