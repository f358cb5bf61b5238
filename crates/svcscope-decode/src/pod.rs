//! `v1` Pod: by far the most bytes of a cluster, of which a record needs a tenth.

use crate::{
    condition::PartialCondition,
    meta::PartialObject,
    partial::partial,
    port::{IntOrString, protocol},
    resource::watched_resource,
    text::{JsonText, TextInterner, to_addresses},
};
use svcscope_model::inventory::{
    ContainerPort, ContainerProbe, ContainerRecord, PodPhase, PodRecord, ProbeKind, SharedStr,
};

watched_resource! {
    /// Pods.
    PodResource: Pod = "/api/v1" "Pod",
    PartialPod<'json> => PodRecord by pod,
}

type PartialPod<'json> = PartialObject<'json, PartialPodSpec<'json>, PartialPodStatus<'json>>;

partial! {
    pub struct PartialPodSpec<'json> {
        node_name: JsonText<'json>,
        host_network: bool,
        containers: Vec<PartialContainer<'json>>,
        init_containers: Vec<PartialContainer<'json>>,
        readiness_gates: Vec<PartialReadinessGate<'json>>,
    }

    struct PartialReadinessGate<'json> {
        condition_type: Option<JsonText<'json>>,
    }

    struct PartialContainer<'json> {
        name: JsonText<'json>,
        ports: Vec<PartialContainerPort<'json>>,
        restart_policy: JsonText<'json>,
        readiness_probe: Option<PartialContainerProbe<'json>>,
        liveness_probe: Option<PartialContainerProbe<'json>>,
        startup_probe: Option<PartialContainerProbe<'json>>,
    }

    /// A probe: one of the ways to ask, or a command.
    struct PartialContainerProbe<'json> {
        http_get: Option<PartialProbeTarget<'json>>,
        tcp_socket: Option<PartialProbeTarget<'json>>,
        grpc: Option<PartialProbeTarget<'json>>,
    }

    struct PartialProbeTarget<'json> {
        port: Option<IntOrString<'json>>,
    }

    struct PartialContainerPort<'json> {
        name: JsonText<'json>,
        protocol: JsonText<'json>,
        container_port: Option<i64>,
        host_port: Option<i64>,
    }

    pub struct PartialPodStatus<'json> {
        phase: JsonText<'json>,
        pod_ip as "podIP": JsonText<'json>,
        pod_ips as "podIPs": Vec<PartialPodIp<'json>>,
        conditions: Vec<PartialCondition<'json>>,
        container_statuses: Vec<PartialContainerStatus<'json>>,
        init_container_statuses: Vec<PartialContainerStatus<'json>>,
    }

    struct PartialPodIp<'json> {
        ip: JsonText<'json>,
    }

    struct PartialContainerStatus<'json> {
        name: JsonText<'json>,
        ready: bool,
        restart_count: u32,
        state: PartialContainerState<'json>,
    }

    struct PartialContainerState<'json> {
        waiting: Option<PartialStateReason<'json>>,
        terminated: Option<PartialStateReason<'json>>,
    }

    struct PartialStateReason<'json> {
        reason: JsonText<'json>,
    }
}

fn pod(object: &PartialPod<'_>, texts: &mut TextInterner) -> Option<PodRecord> {
    let PartialPod {
        metadata,
        spec,
        status,
    } = object;
    let condition = PartialCondition::find(&status.conditions, "Ready");
    let ready = condition.is_some_and(PartialCondition::is_true);
    Some(PodRecord {
        key: metadata.key(texts),
        uid: metadata.uid.to_shared(),
        created: metadata.created(),
        deleting: metadata.deleting(),
        labels: texts.intern_map(&metadata.labels),
        owner: metadata.controller(texts),
        node: texts.intern_non_empty(&spec.node_name),
        ips: ips(status),
        host_network: spec.host_network,
        phase: phase(&status.phase),
        ready,
        not_ready_message: condition
            .filter(|_| !ready)
            .and_then(PartialCondition::message_or_reason),
        ready_changed: condition.and_then(PartialCondition::last_transition),
        unscheduled: PartialCondition::find(&status.conditions, "PodScheduled")
            .filter(|condition| !condition.is_true())
            .and_then(PartialCondition::message_or_reason),
        closed_gates: closed_gates(spec, status, texts),
        containers: containers(spec, status, texts),
    })
}

fn ips(status: &PartialPodStatus<'_>) -> Vec<SharedStr> {
    let all = to_addresses(status.pod_ips.iter().map(|found| &found.ip));
    if all.is_empty() {
        return status.pod_ip.to_non_empty_address().into_iter().collect();
    }
    all
}

fn phase(text: &JsonText<'_>) -> PodPhase {
    match text.as_str() {
        "Pending" => PodPhase::Pending,
        "Running" => PodPhase::Running,
        "Succeeded" => PodPhase::Succeeded,
        "Failed" => PodPhase::Failed,
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
    let regular = spec.containers.iter().map(|container| (container, false));
    let sidecars = spec
        .init_containers
        .iter()
        .filter(|container| container.restart_policy == "Always")
        .map(|container| (container, true));
    regular
        .chain(sidecars)
        .map(|(container, sidecar)| {
            let statuses = if sidecar {
                &status.init_container_statuses
            } else {
                &status.container_statuses
            };
            let own = statuses.iter().find(|found| found.name == container.name);
            record(container, sidecar, own, texts)
        })
        .collect()
}

fn record(
    container: &PartialContainer<'_>,
    sidecar: bool,
    status: Option<&PartialContainerStatus<'_>>,
    texts: &mut TextInterner,
) -> ContainerRecord {
    let state = status.map(|status| &status.state);
    let reason = state
        .and_then(|state| state.waiting.as_ref().or(state.terminated.as_ref()))
        .and_then(|reason| texts.intern_non_empty(&reason.reason));
    let ports = container.ports.iter().filter_map(|found| {
        Some(ContainerPort {
            name: texts.intern_non_empty(&found.name),
            protocol: protocol(&found.protocol),
            port: texts.port("containerPort", found.container_port)?,
            host_port: texts.port("hostPort", found.host_port),
        })
    });
    ContainerRecord {
        ports: ports.collect(),
        name: texts.intern(container.name.as_str()),
        sidecar,
        ready: status.is_some_and(|status| status.ready),
        restarts: status.map_or(0, |status| status.restart_count),
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
            let targets = [&probe.http_get, &probe.tcp_socket, &probe.grpc];
            let target = targets.into_iter().flatten().next();
            let port = target.and_then(|target| target.port.as_ref());
            ContainerProbe {
                kind,
                port: port.and_then(|port| port.target_port(texts)),
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
    let gates = spec.readiness_gates.iter();
    gates
        .filter_map(|gate| gate.condition_type.as_ref())
        .filter(|gate| {
            let condition = PartialCondition::find(&status.conditions, gate.as_str());
            !condition.is_some_and(PartialCondition::is_true)
        })
        .map(|gate| texts.intern(gate.as_str()))
        .collect()
}
