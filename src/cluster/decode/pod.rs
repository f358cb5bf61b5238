//! `v1` Pod: by far the most bytes of a cluster, of which a record needs a tenth.

use serde::Deserialize;

use super::{
    Described, Interner, Resource,
    endpoint_slice::protocol,
    meta::Meta,
    node::Condition,
    port,
    service::IntOrString,
    text::{Str, address_some, own},
};
use crate::inventory::{
    Change, ContainerPort, ContainerRecord, Delta, Kind, PodPhase, PodRecord, Probe, ProbeKind,
    TargetPort, Text,
};

/// Pods.
pub struct Pods;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Pod<'json> {
    #[serde(borrow)]
    metadata: Meta<'json>,
    #[serde(borrow)]
    spec: Spec<'json>,
    #[serde(borrow)]
    status: Status<'json>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec<'json> {
    #[serde(borrow)]
    node_name: Option<Str<'json>>,
    host_network: Option<bool>,
    #[serde(borrow)]
    containers: Option<Vec<Container<'json>>>,
    #[serde(borrow)]
    init_containers: Option<Vec<Container<'json>>>,
    #[serde(borrow)]
    readiness_gates: Option<Vec<Gate<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Gate<'json> {
    #[serde(borrow)]
    condition_type: Option<Str<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container<'json> {
    #[serde(borrow)]
    name: Option<Str<'json>>,
    #[serde(borrow)]
    ports: Option<Vec<Port<'json>>>,
    #[serde(borrow)]
    restart_policy: Option<Str<'json>>,
    #[serde(borrow)]
    readiness_probe: Option<Handler<'json>>,
    #[serde(borrow)]
    liveness_probe: Option<Handler<'json>>,
    #[serde(borrow)]
    startup_probe: Option<Handler<'json>>,
}

/// A probe: one of the ways to ask, or a command.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Handler<'json> {
    #[serde(borrow)]
    http_get: Option<Asked<'json>>,
    #[serde(borrow)]
    tcp_socket: Option<Asked<'json>>,
    #[serde(borrow)]
    grpc: Option<Asked<'json>>,
}

#[derive(Debug, Deserialize)]
struct Asked<'json> {
    #[serde(borrow)]
    port: Option<IntOrString<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Port<'json> {
    #[serde(borrow)]
    name: Option<Str<'json>>,
    #[serde(borrow)]
    protocol: Option<Str<'json>>,
    container_port: Option<i64>,
    host_port: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status<'json> {
    #[serde(borrow)]
    phase: Option<Str<'json>>,
    #[serde(borrow, rename = "podIP")]
    pod_ip: Option<Str<'json>>,
    #[serde(borrow, rename = "podIPs")]
    pod_ips: Option<Vec<PodIp<'json>>>,
    #[serde(borrow)]
    conditions: Option<Vec<Condition<'json>>>,
    #[serde(borrow)]
    container_statuses: Option<Vec<ContainerStatus<'json>>>,
    #[serde(borrow)]
    init_container_statuses: Option<Vec<ContainerStatus<'json>>>,
}

#[derive(Debug, Deserialize)]
struct PodIp<'json> {
    #[serde(borrow)]
    ip: Option<Str<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerStatus<'json> {
    #[serde(borrow)]
    name: Option<Str<'json>>,
    ready: Option<bool>,
    restart_count: Option<u32>,
    #[serde(borrow)]
    state: Option<State<'json>>,
}

#[derive(Debug, Deserialize)]
struct State<'json> {
    #[serde(borrow)]
    waiting: Option<Reason<'json>>,
    #[serde(borrow)]
    terminated: Option<Reason<'json>>,
}

#[derive(Debug, Deserialize)]
struct Reason<'json> {
    #[serde(borrow)]
    reason: Option<Str<'json>>,
}

impl Described for Pod<'_> {
    fn metadata(&self) -> &Meta<'_> {
        &self.metadata
    }
}

impl Resource for Pods {
    type Object<'json> = Pod<'json>;
    type Record = PodRecord;

    const KIND: Kind = Kind::Pod;
    const API: &'static str = "/api/v1";
    const PLURAL: &'static str = "pods";

    fn records(object: &Pod<'_>, texts: &mut Interner, records: &mut Vec<PodRecord>) {
        let Pod {
            metadata,
            spec,
            status,
        } = object;
        let condition = Condition::ready_of(status.conditions.as_ref());
        let ready = condition.is_some_and(Condition::is_true);
        records.push(PodRecord {
            key: metadata.key(texts),
            uid: own(metadata.uid.as_ref()),
            created: metadata.created(),
            deleting: metadata.deleting(),
            labels: texts.map(metadata.labels.as_ref()),
            owner: metadata.controller(texts),
            node: texts.common_some(spec.node_name.as_ref()),
            ips: ips(status),
            host_network: spec.host_network.unwrap_or(false),
            phase: phase(status.phase.as_ref()),
            ready,
            not_ready_message: condition.filter(|_| !ready).and_then(Condition::words),
            ready_changed: condition.and_then(Condition::changed),
            unscheduled: Condition::of(status.conditions.as_ref(), "PodScheduled")
                .filter(|condition| !condition.is_true())
                .and_then(Condition::words),
            closed_gates: closed_gates(spec, status, texts),
            containers: containers(spec, status, texts),
        });
    }

    fn change(delta: Delta<PodRecord>) -> Change {
        Change::Pod(delta)
    }
}

fn ips(status: &Status<'_>) -> Vec<Text> {
    let all: Vec<_> = status
        .pod_ips
        .iter()
        .flatten()
        .filter_map(|found| address_some(found.ip.as_ref()))
        .collect();
    if all.is_empty() {
        return address_some(status.pod_ip.as_ref()).into_iter().collect();
    }
    all
}

fn phase(text: Option<&Str<'_>>) -> PodPhase {
    match text.map(Str::as_str) {
        Some("Pending") => PodPhase::Pending,
        Some("Running") => PodPhase::Running,
        Some("Succeeded") => PodPhase::Succeeded,
        Some("Failed") => PodPhase::Failed,
        _ => PodPhase::Unknown,
    }
}

/// Regular containers, then init containers that restart always: a named targetPort may be
/// declared in either.
fn containers(spec: &Spec<'_>, status: &Status<'_>, texts: &mut Interner) -> Vec<ContainerRecord> {
    let regular = spec
        .containers
        .iter()
        .flatten()
        .map(|container| (container, false));
    let sidecars = spec
        .init_containers
        .iter()
        .flatten()
        .filter(|container| {
            container
                .restart_policy
                .as_ref()
                .is_some_and(|policy| policy.as_str() == "Always")
        })
        .map(|container| (container, true));
    regular
        .chain(sidecars)
        .map(|(container, sidecar)| {
            let statuses = if sidecar {
                &status.init_container_statuses
            } else {
                &status.container_statuses
            };
            let state = statuses
                .iter()
                .flatten()
                .find(|found| found.name == container.name);
            record(container, sidecar, state, texts)
        })
        .collect()
}

fn record(
    container: &Container<'_>,
    sidecar: bool,
    status: Option<&ContainerStatus<'_>>,
    texts: &mut Interner,
) -> ContainerRecord {
    let state = status.and_then(|status| status.state.as_ref());
    let reason = state
        .and_then(|state| state.waiting.as_ref().or(state.terminated.as_ref()))
        .and_then(|reason| texts.common_some(reason.reason.as_ref()));
    ContainerRecord {
        name: texts
            .common_some(container.name.as_ref())
            .unwrap_or_default(),
        sidecar,
        ports: container
            .ports
            .iter()
            .flatten()
            .filter_map(|found| {
                Some(ContainerPort {
                    name: texts.common_some(found.name.as_ref()),
                    protocol: protocol(found.protocol.as_ref()),
                    port: texts.port("containerPort", found.container_port)?,
                    host_port: texts.port("hostPort", found.host_port),
                })
            })
            .collect(),
        ready: status.and_then(|status| status.ready).unwrap_or(false),
        restarts: status.and_then(|status| status.restart_count).unwrap_or(0),
        reason,
        probes: probes(container, texts),
    }
}

fn probes(container: &Container<'_>, texts: &mut Interner) -> Box<[Probe]> {
    let all = [
        (ProbeKind::Readiness, &container.readiness_probe),
        (ProbeKind::Liveness, &container.liveness_probe),
        (ProbeKind::Startup, &container.startup_probe),
    ];
    let handled = all
        .into_iter()
        .filter_map(|(kind, probe)| Some((kind, probe.as_ref()?)));
    handled
        .map(|(kind, probe)| {
            let asked = [&probe.http_get, &probe.tcp_socket, &probe.grpc];
            let asked = asked.into_iter().flatten().next();
            Probe {
                kind,
                port: match asked.and_then(|asked| asked.port.as_ref()) {
                    Some(IntOrString::Int(number)) => port(Some(*number)).map(TargetPort::Number),
                    Some(IntOrString::String(name)) => {
                        Some(TargetPort::Name(texts.common(name.as_str())))
                    }
                    None => None,
                },
            }
        })
        .collect()
}

/// Readiness gates whose condition is missing or not true.
fn closed_gates(spec: &Spec<'_>, status: &Status<'_>, texts: &mut Interner) -> Box<[Text]> {
    spec.readiness_gates
        .iter()
        .flatten()
        .filter_map(|gate| gate.condition_type.as_ref())
        .filter(|gate| {
            let condition = Condition::of(status.conditions.as_ref(), gate.as_str());
            !condition.is_some_and(Condition::is_true)
        })
        .map(|gate| texts.common(gate.as_str()))
        .collect()
}
