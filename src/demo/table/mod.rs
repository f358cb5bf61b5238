//! `meta.k8s.io/v1` Table answers: the columns that kubectl prints for each kind
//! (pkg/printers/internalversion of Kubernetes).

mod cluster;
mod endpoints;
mod fronts;
mod pods;
mod services;
mod workloads;

use serde_json::{Value, json};

use super::json;
use super::resource::Kind;
use super::time;

/// One column: name, type and priority (1 shows in `-o wide` only).
type Column = (&'static str, &'static str, i64);

/// Makes the cells of one row.
type Cells = fn(&Value) -> Vec<Value>;

const NAME: Column = ("Name", "string", 0);
const AGE: Column = ("Age", "string", 0);

/// A table of objects of one kind. `include` is the `includeObject` of the request; `columns` says whether the
/// definitions are sent (in a watch only with its first table).
pub(super) fn of(
    kind: Kind,
    objects: impl IntoIterator<Item = Value>,
    revision: &str,
    include: &str,
    columns: bool,
) -> Value {
    let rows = objects
        .into_iter()
        .map(|object| row(kind, object, include))
        .collect::<Vec<_>>();
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": revision},
        "columnDefinitions": if columns { definitions(kind) } else { Value::Array(Vec::new()) },
        "rows": rows,
    })
}

fn printer(kind: Kind) -> (&'static [Column], Cells) {
    match kind {
        Kind::Service => (&services::COLUMNS, services::cells),
        Kind::Pod => (&pods::COLUMNS, pods::cells),
        Kind::Node => (&cluster::NODE_COLUMNS, cluster::node),
        Kind::Namespace => (&cluster::NAMESPACE_COLUMNS, cluster::namespace),
        Kind::Event => (&cluster::EVENT_COLUMNS, cluster::event),
        Kind::ConfigMap => (&cluster::CONFIG_MAP_COLUMNS, cluster::config_map),
        Kind::Endpoints => (&endpoints::COLUMNS, endpoints::cells),
        Kind::EndpointSlice => (&endpoints::SLICE_COLUMNS, endpoints::slice_cells),
        Kind::Deployment => (&workloads::DEPLOYMENT_COLUMNS, workloads::deployment),
        Kind::ReplicaSet => (&workloads::REPLICA_SET_COLUMNS, workloads::replica_set),
        Kind::StatefulSet => (&workloads::STATEFUL_SET_COLUMNS, workloads::stateful_set),
        Kind::DaemonSet => (&workloads::DAEMON_SET_COLUMNS, workloads::daemon_set),
        Kind::Ingress => (&fronts::INGRESS_COLUMNS, fronts::ingress),
        Kind::Gateway => (&fronts::GATEWAY_COLUMNS, fronts::gateway),
        Kind::HttpRoute | Kind::GrpcRoute | Kind::TlsRoute => {
            (&fronts::ROUTE_COLUMNS, fronts::route)
        }
        Kind::Secret
        | Kind::IngressClass
        | Kind::NetworkPolicy
        | Kind::ServiceCidr
        | Kind::GatewayClass
        | Kind::TcpRoute
        | Kind::UdpRoute
        | Kind::BackendTlsPolicy
        | Kind::ReferenceGrant
        | Kind::ValidatingWebhook
        | Kind::MutatingWebhook
        | Kind::ApiService => (&[NAME, AGE], |object| vec![name(object), age(object)]),
    }
}

/// The row of one object.
pub(super) fn row(kind: Kind, mut object: Value, include: &str) -> Value {
    let (_, cells) = printer(kind);
    let mut row = json!({"cells": cells(&object)});
    match include {
        "None" => {}
        "Object" => json::set(&mut row, "object", object),
        _ => {
            let metadata = json::remove(&mut object, "metadata").unwrap_or_default();
            json::set(
                &mut row,
                "object",
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}),
            );
            json::set(&mut row, "object/metadata", metadata);
        }
    }
    row
}

/// The columns of a kind.
pub(super) fn definitions(kind: Kind) -> Value {
    let (columns, _) = printer(kind);
    columns
        .iter()
        .map(|(name, kind, priority)| {
            let format = if *name == "Name" { "name" } else { "" };
            json!({"name": name, "type": kind, "format": format, "description": "", "priority": priority})
        })
        .collect()
}

/// The object's metadata alone.
pub(super) fn metadata_only(object: &Value, kind: &str) -> Value {
    json!({
        "kind": kind,
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object.get("metadata").cloned().unwrap_or_default(),
    })
}

fn name(object: &Value) -> Value {
    json::text(object, "metadata/name").into()
}

fn age(object: &Value) -> Value {
    time::age(json::text(object, "metadata/creationTimestamp")).into()
}

/// `app=web,tier=front`, or `<none>`.
fn pairs(object: &Value, path: &str) -> Value {
    let pairs = json::object(object, path)
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect::<Vec<_>>();
    or_none(pairs.join(","))
}

fn or_none(text: impl Into<String>) -> Value {
    let text = text.into();
    if text.is_empty() {
        "<none>".into()
    } else {
        text.into()
    }
}
