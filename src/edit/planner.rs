//! From a wanted type to a plan: the patch, and what it means in sentences. No I/O.
//!
//! The rules are the API server's (`dropTypeDependentFields` and `patchAllocatedValues` in
//! `pkg/registry/core/service`, `validateService` in `pkg/apis/core/validation`): it wipes most
//! fields that no longer apply, if a patch leaves them alone, so that a patch says as little as
//! possible.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Map, Value, json};

use super::{
    ExternalNameError, Plan, TypeChange,
    consequences::{Consequences, consequences},
    external_name,
};
use crate::inventory::{ServicePort, ServiceRecord, ServiceType};

/// The annotation that once was `spec.loadBalancerSourceRanges`; like the field it is refused on
/// other types.
const SOURCE_RANGES_ANNOTATION: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";

/// Why a change can't be planned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The Service is that already.
    #[error("svc/{name} is of type {to} already, with all that was asked for")]
    NothingToDo {
        /// The Service.
        name: String,
        /// The wanted type.
        to: ServiceType,
    },
    /// A finalizer holds back a deleted Service.
    #[error("svc/{name} is being deleted")]
    Deleting {
        /// The Service.
        name: String,
    },
    /// The API server refuses or ignores it in one step.
    #[error(
        "svc/{name} is headless, and a Service keeps its clusterIP `None` for life: the API server \
         refuses the change to {to} or ignores it. There are two ways round: change it to \
         ExternalName first and then to {to} (DNS answers with an alias for a moment), or delete \
         it and create it anew"
    )]
    Headless {
        /// The Service.
        name: String,
        /// The wanted type.
        to: ServiceType,
    },
    /// An ExternalName may have none, every other type needs one.
    #[error("svc/{name} has no ports, and a {to} needs at least one: add it first (kubectl edit)")]
    NoPorts {
        /// The Service.
        name: String,
        /// The wanted type.
        to: ServiceType,
    },
    /// The wanted externalName is missing or malformed.
    #[error(transparent)]
    ExternalName(#[from] ExternalNameError),
    /// An externalName for a type that has none.
    #[error("an externalName means nothing to a {to}")]
    UnwantedExternalName {
        /// The wanted type.
        to: ServiceType,
    },
    /// A nodePort for a type that has none.
    #[error("a {to} has no nodePorts; choose NodePort or LoadBalancer")]
    UnwantedNodePort {
        /// The wanted type.
        to: ServiceType,
    },
    /// More nodePorts than ports, port 0, or one for two ports of a protocol.
    #[error("{0}")]
    NodePorts(String),
}

/// Plans the change of a Service, as it was seen, to another type (or to another externalName or
/// nodePort of the same type).
///
/// The patch is a JSON merge patch with `metadata.resourceVersion` as its precondition. A headless
/// Service can only become an ExternalName in one step.
pub fn plan(service: Arc<ServiceRecord>, change: TypeChange) -> Result<Plan, PlanError> {
    check(&service, &change)?;
    let Consequences {
        gains,
        losses,
        notes,
    } = consequences(&service, &change);
    Ok(Plan {
        service: service.key.clone(),
        patch: patch(&service, &change),
        before: service,
        change,
        gains,
        losses,
        notes,
    })
}

fn check(service: &ServiceRecord, change: &TypeChange) -> Result<(), PlanError> {
    let name = service.key.name.to_string();
    let to = change.to;
    if service.deleting.is_some() {
        return Err(PlanError::Deleting { name });
    }
    if service.is_headless() && matches!(to, ServiceType::NodePort | ServiceType::LoadBalancer) {
        return Err(PlanError::Headless { name, to });
    }
    if to == ServiceType::ExternalName {
        external_name::check(change.external_name.as_deref().unwrap_or_default())?;
    } else if change.external_name.is_some() {
        return Err(PlanError::UnwantedExternalName { to });
    } else if service.ports.is_empty() && service.service_type == ServiceType::ExternalName {
        return Err(PlanError::NoPorts { name, to });
    }
    check_node_ports(service, change)?;
    if service.service_type == to && !asks_more(service, change) {
        // To ask a headless Service to be a ClusterIP would be answered with 200 and no change.
        return Err(if service.is_headless() {
            PlanError::Headless { name, to }
        } else {
            PlanError::NothingToDo { name, to }
        });
    }
    Ok(())
}

fn check_node_ports(service: &ServiceRecord, change: &TypeChange) -> Result<(), PlanError> {
    let wanted = change.node_ports.iter().flatten();
    if !has_node_ports(change.to) {
        return match wanted.count() {
            0 => Ok(()),
            _ => Err(PlanError::UnwantedNodePort { to: change.to }),
        };
    }
    if change.node_ports.len() > service.ports.len() {
        return Err(PlanError::NodePorts(format!(
            "{} nodePorts are wanted for {} ports",
            change.node_ports.len(),
            service.ports.len()
        )));
    }
    let mut taken = BTreeSet::new();
    for (port, node_port) in node_ports(service, change) {
        match node_port {
            Some(0) => {
                return Err(PlanError::NodePorts(
                    "nodePort 0 is none; leave it out to have one allocated".to_owned(),
                ));
            }
            Some(number) if !taken.insert((port.protocol, number)) => {
                return Err(PlanError::NodePorts(format!(
                    "nodePort {number} is wanted for two {} ports",
                    port.protocol
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether the change wants more than the type.
fn asks_more(service: &ServiceRecord, change: &TypeChange) -> bool {
    let other_name = change.to == ServiceType::ExternalName
        && change.external_name.as_deref() != service.external_name.as_deref();
    other_name || node_ports(service, change).any(|(port, node_port)| port.node_port != node_port)
}

pub(crate) fn has_node_ports(service_type: ServiceType) -> bool {
    matches!(
        service_type,
        ServiceType::NodePort | ServiceType::LoadBalancer
    )
}

/// Each port with the nodePort it shall have: the wanted one, else the one it has.
pub(crate) fn node_ports<'a>(
    service: &'a ServiceRecord,
    change: &'a TypeChange,
) -> impl Iterator<Item = (&'a ServicePort, Option<u16>)> {
    service.ports.iter().enumerate().map(|(position, port)| {
        let wanted = change.node_ports.get(position).copied().flatten();
        (port, wanted.or(port.node_port))
    })
}

fn patch(service: &ServiceRecord, change: &TypeChange) -> Value {
    let mut metadata = Map::new();
    metadata.insert(
        "resourceVersion".to_owned(),
        json!(&*service.resource_version),
    );
    let mut spec = Map::new();
    if service.service_type != change.to {
        spec.insert("type".to_owned(), json!(change.to.as_str()));
    }
    match (service.service_type, change.to) {
        (_, ServiceType::ExternalName) => {
            spec.insert("externalName".to_owned(), json!(change.external_name));
        }
        (ServiceType::ExternalName, _) => {
            spec.insert("externalName".to_owned(), Value::Null);
        }
        _ => {}
    }
    if service.service_type == ServiceType::LoadBalancer && change.to != ServiceType::LoadBalancer {
        if !service.source_ranges.is_empty() {
            spec.insert("loadBalancerSourceRanges".to_owned(), Value::Null);
        }
        if service.annotations.contains_key(SOURCE_RANGES_ANNOTATION) {
            metadata.insert(
                "annotations".to_owned(),
                json!({ SOURCE_RANGES_ANNOTATION: null }),
            );
        }
    }
    if change.node_ports.iter().any(Option::is_some) {
        // A merge patch replaces a list whole.
        let ports: Vec<_> = node_ports(service, change)
            .map(|(port, node_port)| whole_port(port, node_port))
            .collect();
        spec.insert("ports".to_owned(), Value::Array(ports));
    }
    json!({ "metadata": metadata, "spec": spec })
}

fn whole_port(port: &ServicePort, node_port: Option<u16>) -> Value {
    let mut object = Map::new();
    let mut set = |field: &str, value: Option<Value>| {
        if let Some(value) = value {
            object.insert(field.to_owned(), value);
        }
    };
    set("name", port.name.as_deref().map(|name| json!(name)));
    set("protocol", Some(json!(port.protocol.as_str())));
    set("port", Some(json!(port.port)));
    set("targetPort", Some(json!(port.target_port)));
    set("nodePort", node_port.map(|number| json!(number)));
    set(
        "appProtocol",
        port.app_protocol.as_deref().map(|word| json!(word)),
    );
    Value::Object(object)
}

#[cfg(test)]
mod tests;
