//! `v1` Pod: by far the most bytes of a cluster, of which a record needs a tenth.

use serde::Deserialize;

use super::{
    HasMetadata, TextInterner, WatchedResource,
    endpoint_slice::protocol,
    meta::PartialObjectMeta,
    node::PartialCondition,
    port,
    service::IntOrString,
    text::{JsonText, canonical_non_empty_address, owned_text},
};
use svcscope_model::inventory::{
    ContainerPort, ContainerProbe, ContainerRecord, InventoryChange, PodPhase, PodRecord,
    ProbeKind, RecordDelta, ResourceKind, SharedStr, TargetPort,
};

/// Pods.
pub struct PodResource;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PartialPod<'json> {
    #[serde(borrow)]
    metadata: PartialObjectMeta<'json>,
    #[serde(borrow)]
    spec: PartialPodSpec<'json>,
    #[serde(borrow)]
    status: PartialPodStatus<'json>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PartialPodSpec<'json> {
    #[serde(borrow)]
    node_name: Option<JsonText<'json>>,
    host_network: Option<bool>,
    #[serde(borrow)]
    containers: Option<Vec<PartialContainer<'json>>>,
    #[serde(borrow)]
    init_containers: Option<Vec<PartialContainer<'json>>>,
    #[serde(borrow)]
    readiness_gates: Option<Vec<PartialReadinessGate<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialReadinessGate<'json> {
    #[serde(borrow)]
    condition_type: Option<JsonText<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialContainer<'json> {
    #[serde(borrow)]
    name: Option<JsonText<'json>>,
    #[serde(borrow)]
    ports: Option<Vec<PartialContainerPort<'json>>>,
    #[serde(borrow)]
    restart_policy: Option<JsonText<'json>>,
    #[serde(borrow)]
    readiness_probe: Option<PartialContainerProbe<'json>>,
    #[serde(borrow)]
    liveness_probe: Option<PartialContainerProbe<'json>>,
    #[serde(borrow)]
    startup_probe: Option<PartialContainerProbe<'json>>,
}

/// A probe: one of the ways to ask, or a command.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialContainerProbe<'json> {
    #[serde(borrow)]
    http_get: Option<PartialProbeTarget<'json>>,
    #[serde(borrow)]
    tcp_socket: Option<PartialProbeTarget<'json>>,
    #[serde(borrow)]
    grpc: Option<PartialProbeTarget<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialProbeTarget<'json> {
    #[serde(borrow)]
    port: Option<IntOrString<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialContainerPort<'json> {
    #[serde(borrow)]
    name: Option<JsonText<'json>>,
    #[serde(borrow)]
    protocol: Option<JsonText<'json>>,
    container_port: Option<i64>,
    host_port: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PartialPodStatus<'json> {
    #[serde(borrow)]
    phase: Option<JsonText<'json>>,
    #[serde(borrow, rename = "podIP")]
    pod_ip: Option<JsonText<'json>>,
    #[serde(borrow, rename = "podIPs")]
    pod_ips: Option<Vec<PartialPodIp<'json>>>,
    #[serde(borrow)]
    conditions: Option<Vec<PartialCondition<'json>>>,
    #[serde(borrow)]
    container_statuses: Option<Vec<PartialContainerStatus<'json>>>,
    #[serde(borrow)]
    init_container_statuses: Option<Vec<PartialContainerStatus<'json>>>,
}

#[derive(Debug, Deserialize)]
struct PartialPodIp<'json> {
    #[serde(borrow)]
    ip: Option<JsonText<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialContainerStatus<'json> {
    #[serde(borrow)]
    name: Option<JsonText<'json>>,
    ready: Option<bool>,
    restart_count: Option<u32>,
    #[serde(borrow)]
    state: Option<PartialContainerState<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialContainerState<'json> {
    #[serde(borrow)]
    waiting: Option<PartialStateReason<'json>>,
    #[serde(borrow)]
    terminated: Option<PartialStateReason<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialStateReason<'json> {
    #[serde(borrow)]
    reason: Option<JsonText<'json>>,
}

impl HasMetadata for PartialPod<'_> {
    fn metadata(&self) -> &PartialObjectMeta<'_> {
        &self.metadata
    }
}

impl WatchedResource for PodResource {
    type Object<'json> = PartialPod<'json>;
    type Record = PodRecord;

    const KIND: ResourceKind = ResourceKind::Pod;
    const API: &'static str = "/api/v1";
    const PLURAL: &'static str = "pods";

    fn records(object: &PartialPod<'_>, texts: &mut TextInterner, records: &mut Vec<PodRecord>) {
        let PartialPod {
            metadata,
            spec,
            status,
        } = object;
        let condition = PartialCondition::find_ready(status.conditions.as_ref());
        let ready = condition.is_some_and(PartialCondition::is_true);
        records.push(PodRecord {
            key: metadata.key(texts),
            uid: owned_text(metadata.uid.as_ref()),
            created: metadata.created(),
            deleting: metadata.deleting(),
            labels: texts.intern_map(metadata.labels.as_ref()),
            owner: metadata.controller(texts),
            node: texts.intern_non_empty(spec.node_name.as_ref()),
            ips: ips(status),
            host_network: spec.host_network.unwrap_or(false),
            phase: phase(status.phase.as_ref()),
            ready,
            not_ready_message: condition
                .filter(|_| !ready)
                .and_then(PartialCondition::message_or_reason),
            ready_changed: condition.and_then(PartialCondition::last_transition),
            unscheduled: PartialCondition::find_by_type(status.conditions.as_ref(), "PodScheduled")
                .filter(|condition| !condition.is_true())
                .and_then(PartialCondition::message_or_reason),
            closed_gates: closed_gates(spec, status, texts),
            containers: containers(spec, status, texts),
        });
    }

    fn change(delta: RecordDelta<PodRecord>) -> InventoryChange {
        InventoryChange::Pod(delta)
    }
}

fn ips(status: &PartialPodStatus<'_>) -> Vec<SharedStr> {
    let all: Vec<_> = status
        .pod_ips
        .iter()
        .flatten()
        .filter_map(|found| canonical_non_empty_address(found.ip.as_ref()))
        .collect();
    if all.is_empty() {
        return canonical_non_empty_address(status.pod_ip.as_ref())
            .into_iter()
            .collect();
    }
    all
}

fn phase(text: Option<&JsonText<'_>>) -> PodPhase {
    match text.map(JsonText::as_str) {
        Some("Pending") => PodPhase::Pending,
        Some("Running") => PodPhase::Running,
        Some("Succeeded") => PodPhase::Succeeded,
        Some("Failed") => PodPhase::Failed,
        _ => PodPhase::Unknown,
    }
}

/// Regular containers, then init containers that restart always: a named targetPort may be
/// declared in either.
fn containers(
    spec: &PartialPodSpec<'_>,
    status: &PartialPodStatus<'_>,
    texts: &mut TextInterner,
) -> Vec<ContainerRecord> {
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
    container: &PartialContainer<'_>,
    sidecar: bool,
    status: Option<&PartialContainerStatus<'_>>,
    texts: &mut TextInterner,
) -> ContainerRecord {
    let state = status.and_then(|status| status.state.as_ref());
    let reason = state
        .and_then(|state| state.waiting.as_ref().or(state.terminated.as_ref()))
        .and_then(|reason| texts.intern_non_empty(reason.reason.as_ref()));
    ContainerRecord {
        name: texts
            .intern_non_empty(container.name.as_ref())
            .unwrap_or_default(),
        sidecar,
        ports: container
            .ports
            .iter()
            .flatten()
            .filter_map(|found| {
                Some(ContainerPort {
                    name: texts.intern_non_empty(found.name.as_ref()),
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

fn probes(container: &PartialContainer<'_>, texts: &mut TextInterner) -> Box<[ContainerProbe]> {
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
            ContainerProbe {
                kind,
                port: match asked.and_then(|asked| asked.port.as_ref()) {
                    Some(IntOrString::Int(number)) => port(Some(*number)).map(TargetPort::Number),
                    Some(IntOrString::String(name)) => {
                        Some(TargetPort::Name(texts.intern(name.as_str())))
                    }
                    None => None,
                },
            }
        })
        .collect()
}

/// Readiness gates whose condition is missing or not true.
fn closed_gates(
    spec: &PartialPodSpec<'_>,
    status: &PartialPodStatus<'_>,
    texts: &mut TextInterner,
) -> Box<[SharedStr]> {
    spec.readiness_gates
        .iter()
        .flatten()
        .filter_map(|gate| gate.condition_type.as_ref())
        .filter(|gate| {
            let condition =
                PartialCondition::find_by_type(status.conditions.as_ref(), gate.as_str());
            !condition.is_some_and(PartialCondition::is_true)
        })
        .map(|gate| texts.intern(gate.as_str()))
        .collect()
}
