//! `meta.k8s.io/v1` Table answers: the columns that kubectl prints for each kind
//! (pkg/printers/internalversion of Kubernetes).

mod cluster;
mod endpoints;
mod ingress;
mod pods;
mod services;
mod workloads;

use serde_json::{Value, json};

use super::json;
use super::resource::ServedKind;
use super::time;

/// One column: name, type and priority (1 shows in `-o wide` only).
type PrinterColumn = (&'static str, &'static str, i64);

/// Makes the cells of one row.
type RowPrinter = fn(&Value) -> Vec<Value>;

const NAME: PrinterColumn = ("Name", "string", 0);
const AGE: PrinterColumn = ("Age", "string", 0);

/// A table of objects of one kind. `include` is the `includeObject` of the request; `columns` says whether the
/// definitions are sent (in a watch only with its first table).
pub(super) fn table_of(
    kind: ServedKind,
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
        "columnDefinitions": if columns { column_definitions(kind) } else { Value::Array(Vec::new()) },
        "rows": rows,
    })
}

fn printer(kind: ServedKind) -> (&'static [PrinterColumn], RowPrinter) {
    match kind {
        ServedKind::Service => (&services::COLUMNS, services::cells),
        ServedKind::Pod => (&pods::COLUMNS, pods::cells),
        ServedKind::Node => (&cluster::NODE_COLUMNS, cluster::node),
        ServedKind::Namespace => (&cluster::NAMESPACE_COLUMNS, cluster::namespace),
        ServedKind::Event => (&cluster::EVENT_COLUMNS, cluster::event),
        ServedKind::ConfigMap => (&cluster::CONFIG_MAP_COLUMNS, cluster::config_map),
        ServedKind::Endpoints => (&endpoints::COLUMNS, endpoints::cells),
        ServedKind::EndpointSlice => (&endpoints::SLICE_COLUMNS, endpoints::slice_cells),
        ServedKind::Deployment => (&workloads::DEPLOYMENT_COLUMNS, workloads::deployment),
        ServedKind::ReplicaSet => (&workloads::REPLICA_SET_COLUMNS, workloads::replica_set),
        ServedKind::StatefulSet => (&workloads::STATEFUL_SET_COLUMNS, workloads::stateful_set),
        ServedKind::DaemonSet => (&workloads::DAEMON_SET_COLUMNS, workloads::daemon_set),
        ServedKind::Ingress => (&ingress::INGRESS_COLUMNS, ingress::ingress_cells),
        ServedKind::Gateway => (&ingress::GATEWAY_COLUMNS, ingress::gateway_cells),
        ServedKind::HttpRoute | ServedKind::GrpcRoute | ServedKind::TlsRoute => {
            (&ingress::ROUTE_COLUMNS, ingress::route_cells)
        }
        ServedKind::Secret
        | ServedKind::IngressClass
        | ServedKind::NetworkPolicy
        | ServedKind::ServiceCidr
        | ServedKind::GatewayClass
        | ServedKind::TcpRoute
        | ServedKind::UdpRoute
        | ServedKind::BackendTlsPolicy
        | ServedKind::ReferenceGrant
        | ServedKind::ValidatingWebhook
        | ServedKind::MutatingWebhook
        | ServedKind::ApiService => (&[NAME, AGE], |object| vec![name(object), age(object)]),
    }
}

/// The row of one object.
pub(super) fn row(kind: ServedKind, mut object: Value, include: &str) -> Value {
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
pub(super) fn column_definitions(kind: ServedKind) -> Value {
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
