//! What the user wants a Service to be.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::Serialize;
use serde_json::{Value, json};

use super::ServiceKind;
use svcscope_model::inventory::{ServicePort, ServiceRecord, SharedStr, TrafficPolicy};

/// The two ways between headless and a type with a virtual address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MigrationPath {
    /// Two changes: to ExternalName, where the clusterIP is given up, and on from there.
    ExternalName,
    /// Deleted and created again.
    Recreate,
}

impl MigrationPath {
    /// As the command line spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExternalName => "external-name",
            Self::Recreate => "recreate",
        }
    }
}

impl fmt::Display for MigrationPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `spec.sessionAffinity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum SessionAffinity {
    /// Each connection for itself.
    None,
    /// Connections of one client stay with one pod.
    ClientIP {
        /// For so many seconds (1 to 86,400); none leaves it to the API server (10,800).
        timeout_secs: Option<u32>,
    },
}

impl SessionAffinity {
    /// What a Service has now.
    pub fn of(service: &ServiceRecord) -> Self {
        if service.session_affinity_client_ip {
            Self::ClientIP {
                timeout_secs: service.session_affinity_timeout_secs,
            }
        } else {
            Self::None
        }
    }
}

impl fmt::Display for SessionAffinity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::ClientIP { timeout_secs: None } => f.write_str("ClientIP"),
            Self::ClientIP {
                timeout_secs: Some(secs),
            } => write!(f, "ClientIP ({secs} s)"),
        }
    }
}

/// A change: what shall be otherwise. What is `None` or empty stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DesiredServiceState {
    /// The type.
    pub service_type: Option<ServiceKind>,
    /// How to get to headless and away from it; there is no third way.
    pub migration_path: Option<MigrationPath>,
    /// Where an ExternalName points.
    pub external_name: Option<SharedStr>,
    /// All ports. One without a nodePort keeps the one that it has, known by protocol and port or
    /// by its name, or gets one where the type has them.
    pub ports: Option<Vec<ServicePort>>,
    /// The whole selector; empty means that endpoints are managed outside Kubernetes' controller.
    pub selector: Option<BTreeMap<SharedStr, SharedStr>>,
    /// `spec.sessionAffinity`.
    pub session_affinity: Option<SessionAffinity>,
    /// `spec.externalTrafficPolicy`, where the Service is reachable from outside.
    pub external_traffic_policy: Option<TrafficPolicy>,
    /// `spec.internalTrafficPolicy`.
    pub internal_traffic_policy: Option<TrafficPolicy>,
    /// `spec.loadBalancerSourceRanges`, of a LoadBalancer.
    pub source_ranges: Option<Vec<SharedStr>>,
    /// `spec.loadBalancerClass`: only together with the change to LoadBalancer.
    pub load_balancer_class: Option<SharedStr>,
    /// `spec.allocateLoadBalancerNodePorts`, of a LoadBalancer.
    pub allocate_load_balancer_node_ports: Option<bool>,
    /// `spec.publishNotReadyAddresses`.
    pub publish_not_ready_addresses: Option<bool>,
    /// Virtual addresses to ask for where new ones are given out anyway.
    pub cluster_ips: Option<Vec<SharedStr>>,
    /// `spec.ipFamilies`, where addresses are given out anew.
    pub ip_families: Option<Vec<SharedStr>>,
    /// `spec.ipFamilyPolicy`, where addresses are given out anew.
    pub ip_family_policy: Option<SharedStr>,
    /// Labels to set, and those to remove (none).
    pub labels: BTreeMap<SharedStr, Option<SharedStr>>,
    /// Annotations to set, and those to remove (none).
    pub annotations: BTreeMap<SharedStr, Option<SharedStr>>,
    /// A JSON merge patch of what is none of the above.
    pub merge_patch: Option<Value>,
    /// What the user saw when the request was made. Where somebody has changed since what this request
    /// changes, there is no plan.
    pub seen_record: Option<Arc<ServiceRecord>>,
}

impl DesiredServiceState {
    /// Another type and nothing else.
    pub fn of_type(to: ServiceKind) -> Self {
        Self {
            service_type: Some(to),
            ..Self::default()
        }
    }

    /// An alias of this name.
    pub fn alias_of(host: &str) -> Self {
        Self {
            external_name: Some(SharedStr::from(host)),
            ..Self::of_type(ServiceKind::ExternalName)
        }
    }

    /// What it takes to make `from` of the kind of `to`: what the user can change, and no more.
    /// Addresses and nodePorts of `to` are asked for.
    pub fn between(from: &ServiceRecord, to: &ServiceRecord) -> Self {
        fn changed<T: PartialEq + Clone>(from: &T, to: &T) -> Option<T> {
            (from != to).then(|| to.clone())
        }
        let (was, is) = (ServiceKind::of(from), ServiceKind::of(to));
        let anew = is.has_virtual_ip() && !was.has_virtual_ip();
        let families = anew || (is == ServiceKind::Headless && was != is);
        let published = |service: &ServiceRecord| {
            ServiceKind::of(service).has_node_ports() || !service.external_ips.is_empty()
        };
        let balanced = is == ServiceKind::LoadBalancer;
        Self {
            service_type: changed(&was, &is),
            migration_path: None,
            external_name: changed(&from.external_name, &to.external_name).flatten(),
            ports: changed(&from.ports, &to.ports),
            selector: changed(&from.selector, &to.selector),
            session_affinity: changed(&SessionAffinity::of(from), &SessionAffinity::of(to)),
            external_traffic_policy: changed(
                &from.external_traffic_policy,
                &to.external_traffic_policy,
            )
            .flatten()
            .filter(|_| published(to)),
            internal_traffic_policy: changed(
                &from.internal_traffic_policy,
                &to.internal_traffic_policy,
            )
            .flatten(),
            source_ranges: changed(&from.source_ranges, &to.source_ranges).filter(|_| balanced),
            load_balancer_class: changed(&from.load_balancer_class, &to.load_balancer_class)
                .flatten()
                .filter(|_| balanced),
            allocate_load_balancer_node_ports: changed(
                &from.allocate_load_balancer_node_ports,
                &to.allocate_load_balancer_node_ports,
            )
            .flatten()
            .filter(|_| balanced),
            publish_not_ready_addresses: changed(
                &from.publish_not_ready_addresses,
                &to.publish_not_ready_addresses,
            ),
            cluster_ips: changed(&from.cluster_ips, &to.cluster_ips)
                .filter(|ips| anew && !ips.is_empty()),
            ip_families: changed(&from.ip_families, &to.ip_families)
                .filter(|all| families && !all.is_empty()),
            ip_family_policy: changed(&from.ip_family_policy, &to.ip_family_policy)
                .flatten()
                .filter(|_| families),
            labels: pairs_between(&from.labels, &to.labels),
            annotations: pairs_between(&from.annotations, &to.annotations),
            // With externalIPs a policy outlives the type that brought it.
            merge_patch: (from.external_traffic_policy.is_some()
                && to.external_traffic_policy.is_none()
                && published(to)
                && !is.has_node_ports())
            .then(|| json!({"spec": {"externalTrafficPolicy": null}})),
            seen_record: None,
        }
    }
}

fn pairs_between(
    from: &BTreeMap<SharedStr, SharedStr>,
    to: &BTreeMap<SharedStr, SharedStr>,
) -> BTreeMap<SharedStr, Option<SharedStr>> {
    let set = to
        .iter()
        .filter(|(key, value)| from.get(*key) != Some(*value))
        .map(|(key, value)| (key.clone(), Some(value.clone())));
    let removed = from
        .keys()
        .filter(|key| !to.contains_key(*key))
        .map(|key| (key.clone(), None));
    set.chain(removed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_model::inventory::ObjectKey;

    #[test]
    fn types_are_read_in_any_case() {
        assert_eq!("headless".parse(), Ok(ServiceKind::Headless));
        assert_eq!("nodeport".parse(), Ok(ServiceKind::NodePort));
        let wrong = "external".parse::<ServiceKind>().unwrap_err().to_string();
        assert!(wrong.contains("`external` is no Service type"), "{wrong}");
    }

    #[test]
    fn only_headless_and_a_virtual_address_need_a_way() {
        let barred: Vec<_> = ServiceKind::ALL
            .into_iter()
            .flat_map(|from| ServiceKind::ALL.map(|to| (from, to)))
            .filter(|(from, to)| from.needs_migration_path(*to))
            .collect();
        use ServiceKind::{ClusterIP, Headless, LoadBalancer, NodePort};
        assert_eq!(
            barred,
            [
                (ClusterIP, Headless),
                (Headless, ClusterIP),
                (Headless, NodePort),
                (Headless, LoadBalancer),
                (NodePort, Headless),
                (LoadBalancer, Headless),
            ]
        );
    }

    #[test]
    fn what_lies_between_two_services_is_what_a_person_can_change() {
        let from = ServiceRecord {
            labels: [(SharedStr::from("a"), SharedStr::from("1"))].into(),
            resource_version: SharedStr::from("1"),
            ..ServiceRecord::new(ObjectKey::new("shop", "web"))
        };
        let mut to = from.clone();
        to.resource_version = SharedStr::from("2");
        assert_eq!(
            DesiredServiceState::between(&from, &to),
            DesiredServiceState::default()
        );
        to.service_type = ServiceKind::NodePort.service_type();
        // It keeps its address, and with it the family.
        to.ip_families = vec!["IPv6".into()];
        to.labels = [(SharedStr::from("b"), SharedStr::from("2"))].into();
        let wanted = DesiredServiceState::between(&from, &to);
        assert_eq!(
            wanted,
            DesiredServiceState {
                labels: [
                    (SharedStr::from("a"), None),
                    (SharedStr::from("b"), Some(SharedStr::from("2")))
                ]
                .into(),
                ..DesiredServiceState::of_type(ServiceKind::NodePort)
            }
        );
    }
}
