//! The rules of the kinds other than Service: few, but those a client meets.

use serde_json::{Value, json};

use super::json;
use super::names;
use super::resource::Kind;
use super::status::{Cause, Status};

/// Whether `metadata.generation` follows the spec of this kind.
pub(super) fn counts_generations(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Deployment
            | Kind::ReplicaSet
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::EndpointSlice
            | Kind::Ingress
            | Kind::NetworkPolicy
            | Kind::Gateway
            | Kind::GatewayClass
            | Kind::HttpRoute
            | Kind::GrpcRoute
            | Kind::TlsRoute
            | Kind::TcpRoute
            | Kind::UdpRoute
            | Kind::BackendTlsPolicy
            | Kind::ReferenceGrant
    )
}

/// Fills and checks a new object.
pub(super) fn create(kind: Kind, object: &mut Value) -> Result<(), Status> {
    let name = json::text(object, "metadata/name").to_owned();
    let mut causes = Vec::new();
    if name.is_empty() {
        causes.push(Cause::required(
            "metadata.name",
            "name or generateName is required",
        ));
    } else if kind != Kind::Service
        && let Some(wrong) = names::subdomain(&name)
    {
        causes.push(Cause::invalid("metadata.name", &json!(name), wrong));
    }
    match kind {
        Kind::Pod => {
            pod_defaults(object);
            if json::list(object, "spec/containers").is_empty() {
                causes.push(Cause::required("spec.containers", ""));
            }
        }
        Kind::Namespace => json::set(object, "status/phase", "Active"),
        Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::DaemonSet => {
            workload_defaults(kind, object);
            causes.extend(selector(object));
        }
        Kind::EndpointSlice => causes.extend(address_type(object)),
        Kind::Secret => json::default(object, "type", "Opaque"),
        _ => {}
    }
    refuse(kind, &name, &causes)
}

/// Fills and checks a changed object.
pub(super) fn update(kind: Kind, new: &mut Value, old: &Value) -> Result<(), Status> {
    let name = json::text(old, "metadata/name");
    let mut causes = Vec::new();
    match kind {
        Kind::Pod => causes.extend(fixed_pod(new, old)),
        Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::DaemonSet => {
            workload_defaults(kind, new);
            if json::at(new, "spec/selector") != json::at(old, "spec/selector") {
                let selector = json::at(new, "spec/selector").cloned().unwrap_or_default();
                causes.push(Cause::invalid(
                    "spec.selector",
                    &selector,
                    "field is immutable",
                ));
            }
        }
        Kind::EndpointSlice if json::at(new, "addressType") != json::at(old, "addressType") => {
            let kind = json!(json::text(new, "addressType"));
            causes.push(Cause::invalid("addressType", &kind, "field is immutable"));
        }
        _ => {}
    }
    refuse(kind, name, &causes)
}

fn refuse(kind: Kind, name: &str, causes: &[Cause]) -> Result<(), Status> {
    if causes.is_empty() {
        Ok(())
    } else {
        Err(Status::invalid(kind.resource(), name, causes))
    }
}

fn pod_defaults(pod: &mut Value) {
    json::default(pod, "spec/restartPolicy", "Always");
    json::default(pod, "spec/terminationGracePeriodSeconds", 30);
    json::default(pod, "spec/dnsPolicy", "ClusterFirst");
    json::default(pod, "spec/serviceAccountName", "default");
    json::default(pod, "spec/schedulerName", "default-scheduler");
    json::default(pod, "spec/enableServiceLinks", true);
    for list in ["spec/containers", "spec/initContainers"] {
        for container in json::list_mut(pod, list).into_iter().flatten() {
            json::default(container, "imagePullPolicy", "IfNotPresent");
            for port in json::list_mut(container, "ports").into_iter().flatten() {
                json::default(port, "protocol", "TCP");
            }
        }
    }
    json::set(
        pod,
        "status",
        json!({"phase": "Pending", "qosClass": "Burstable"}),
    );
}

fn workload_defaults(kind: Kind, object: &mut Value) {
    if kind != Kind::DaemonSet {
        json::default(object, "spec/replicas", 1);
    }
    if kind == Kind::Deployment {
        json::default(object, "spec/strategy/type", "RollingUpdate");
        json::default(object, "spec/progressDeadlineSeconds", 600);
        json::default(object, "spec/revisionHistoryLimit", 10);
    }
}

fn selector(object: &Value) -> Option<Cause> {
    let wanted = super::store::labels(object, "spec/selector/matchLabels");
    if wanted.is_empty() {
        return Some(Cause::required("spec.selector", ""));
    }
    let has = super::store::labels(object, "spec/template/metadata/labels");
    let met = wanted
        .iter()
        .all(|(key, value)| has.get(key) == Some(value));
    (!met).then(|| {
        Cause::invalid(
            "spec.template.metadata.labels",
            &json!(has),
            "`selector` does not match template `labels`",
        )
    })
}

fn address_type(slice: &Value) -> Option<Cause> {
    let supported = ["FQDN", "IPv4", "IPv6"];
    match json::text(slice, "addressType") {
        "" => Some(Cause::required("addressType", "")),
        known if supported.contains(&known) => None,
        other => Some(Cause::unsupported("addressType", other, &supported)),
    }
}

/// A pod's spec is fixed but for its images.
fn fixed_pod(new: &Value, old: &Value) -> Option<Cause> {
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
        Cause::forbidden(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        )
    })
}
