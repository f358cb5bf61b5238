//! The rules of the kinds other than Service: few, but those a client meets.

use serde_json::{Value, json};

use super::json;
use super::name_validation;
use super::resource::ServedKind;
use super::status::{FailureStatus, FieldViolation};

/// Whether `metadata.generation` follows the spec of this kind.
pub(super) fn counts_generations(kind: ServedKind) -> bool {
    matches!(
        kind,
        ServedKind::Deployment
            | ServedKind::ReplicaSet
            | ServedKind::StatefulSet
            | ServedKind::DaemonSet
            | ServedKind::EndpointSlice
            | ServedKind::Ingress
            | ServedKind::NetworkPolicy
            | ServedKind::Gateway
            | ServedKind::GatewayClass
            | ServedKind::HttpRoute
            | ServedKind::GrpcRoute
            | ServedKind::TlsRoute
            | ServedKind::TcpRoute
            | ServedKind::UdpRoute
            | ServedKind::BackendTlsPolicy
            | ServedKind::ReferenceGrant
    )
}

/// Fills and checks a new object.
pub(super) fn create(kind: ServedKind, object: &mut Value) -> Result<(), FailureStatus> {
    let name = json::text(object, "metadata/name").to_owned();
    let mut causes = Vec::new();
    if name.is_empty() {
        causes.push(FieldViolation::required(
            "metadata.name",
            "name or generateName is required",
        ));
    } else if kind != ServedKind::Service
        && let Some(wrong) = name_validation::subdomain_error(&name)
    {
        causes.push(FieldViolation::invalid(
            "metadata.name",
            &json!(name),
            wrong,
        ));
    }
    match kind {
        ServedKind::Pod => {
            pod_defaults(object);
            if json::list(object, "spec/containers").is_empty() {
                causes.push(FieldViolation::required("spec.containers", ""));
            }
        }
        ServedKind::Namespace => json::set(object, "status/phase", "Active"),
        ServedKind::Deployment
        | ServedKind::ReplicaSet
        | ServedKind::StatefulSet
        | ServedKind::DaemonSet => {
            workload_defaults(kind, object);
            causes.extend(selector(object));
        }
        ServedKind::EndpointSlice => causes.extend(address_type(object)),
        ServedKind::Secret => json::set_default(object, "type", "Opaque"),
        _ => {}
    }
    refuse(kind, &name, &causes)
}

/// Fills and checks a changed object.
pub(super) fn update(kind: ServedKind, new: &mut Value, old: &Value) -> Result<(), FailureStatus> {
    let name = json::text(old, "metadata/name");
    let mut causes = Vec::new();
    match kind {
        ServedKind::Pod => causes.extend(fixed_pod(new, old)),
        ServedKind::Deployment
        | ServedKind::ReplicaSet
        | ServedKind::StatefulSet
        | ServedKind::DaemonSet => {
            workload_defaults(kind, new);
            if json::at(new, "spec/selector") != json::at(old, "spec/selector") {
                let selector = json::at(new, "spec/selector").cloned().unwrap_or_default();
                causes.push(FieldViolation::invalid(
                    "spec.selector",
                    &selector,
                    "field is immutable",
                ));
            }
        }
        ServedKind::EndpointSlice
            if json::at(new, "addressType") != json::at(old, "addressType") =>
        {
            let kind = json!(json::text(new, "addressType"));
            causes.push(FieldViolation::invalid(
                "addressType",
                &kind,
                "field is immutable",
            ));
        }
        _ => {}
    }
    refuse(kind, name, &causes)
}

fn refuse(kind: ServedKind, name: &str, causes: &[FieldViolation]) -> Result<(), FailureStatus> {
    if causes.is_empty() {
        Ok(())
    } else {
        Err(FailureStatus::invalid(kind.resource(), name, causes))
    }
}

fn pod_defaults(pod: &mut Value) {
    json::set_default(pod, "spec/restartPolicy", "Always");
    json::set_default(pod, "spec/terminationGracePeriodSeconds", 30);
    json::set_default(pod, "spec/dnsPolicy", "ClusterFirst");
    json::set_default(pod, "spec/serviceAccountName", "default");
    json::set_default(pod, "spec/schedulerName", "default-scheduler");
    json::set_default(pod, "spec/enableServiceLinks", true);
    for list in ["spec/containers", "spec/initContainers"] {
        for container in json::list_mut(pod, list).into_iter().flatten() {
            json::set_default(container, "imagePullPolicy", "IfNotPresent");
            for port in json::list_mut(container, "ports").into_iter().flatten() {
                json::set_default(port, "protocol", "TCP");
            }
        }
    }
    json::set(
        pod,
        "status",
        json!({"phase": "Pending", "qosClass": "Burstable"}),
    );
}

fn workload_defaults(kind: ServedKind, object: &mut Value) {
    if kind != ServedKind::DaemonSet {
        json::set_default(object, "spec/replicas", 1);
    }
    if kind == ServedKind::Deployment {
        json::set_default(object, "spec/strategy/type", "RollingUpdate");
        json::set_default(object, "spec/progressDeadlineSeconds", 600);
        json::set_default(object, "spec/revisionHistoryLimit", 10);
    }
}

fn selector(object: &Value) -> Option<FieldViolation> {
    let wanted = super::store::labels(object, "spec/selector/matchLabels");
    if wanted.is_empty() {
        return Some(FieldViolation::required("spec.selector", ""));
    }
    let has = super::store::labels(object, "spec/template/metadata/labels");
    let met = wanted
        .iter()
        .all(|(key, value)| has.get(key) == Some(value));
    (!met).then(|| {
        FieldViolation::invalid(
            "spec.template.metadata.labels",
            &json!(has),
            "`selector` does not match template `labels`",
        )
    })
}

fn address_type(slice: &Value) -> Option<FieldViolation> {
    let supported = ["FQDN", "IPv4", "IPv6"];
    match json::text(slice, "addressType") {
        "" => Some(FieldViolation::required("addressType", "")),
        known if supported.contains(&known) => None,
        other => Some(FieldViolation::unsupported(
            "addressType",
            other,
            &supported,
        )),
    }
}

/// A pod's spec is fixed but for its images.
fn fixed_pod(new: &Value, old: &Value) -> Option<FieldViolation> {
    let bare = |pod: &Value| {
        let mut spec = pod.get("spec").cloned().unwrap_or_default();
        for list in ["containers", "initContainers"] {
            for container in json::list_mut(&mut spec, list).into_iter().flatten() {
                json::remove(container, "image");
            }
        }
        json::remove(&mut spec, "activeDeadlineSeconds");
        json::remove(&mut spec, "tolerations");
        spec
    };
    (bare(new) != bare(old)).then(|| {
        FieldViolation::forbidden(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        )
    })
}
