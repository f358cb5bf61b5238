//! Where a targetPort leads on a pod.

use super::{PodRecord, ServicePort, TargetPort};

/// The pod's port that a Service port leads to, as the EndpointSlice controller's `FindPort`
/// decides it (`pkg/api/v1/endpoints`/`k8s.io/endpointslice` in Kubernetes).
///
/// A number is taken as it is: a pod need not declare it. A name must be declared by the pod with
/// the Service port's protocol, in a container or in an init container that restarts always; the
/// first in that order wins. Without one the pod gets no traffic for this port.
pub fn resolve_target_port(port: &ServicePort, pod: &PodRecord) -> Option<u16> {
    let wanted = match &port.target_port {
        TargetPort::Number(number) => return Some(*number),
        TargetPort::Name(name) => name,
    };
    let find = |sidecar: bool| {
        pod.containers
            .iter()
            .filter(move |container| container.sidecar == sidecar)
            .flat_map(|container| &container.ports)
            .find(|declared| {
                declared.name.as_ref() == Some(wanted) && declared.protocol == port.protocol
            })
            .map(|declared| declared.port)
    };
    find(false).or_else(|| find(true))
}

/// Whether the EndpointSlice controller lists a pod that a selector matches: it has an address
/// and has not finished (`ShouldPodBeInEndpoints`, with terminating pods included).
pub fn should_be_endpoint(pod: &PodRecord) -> bool {
    pod.is_active() && !pod.ips.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{
        ContainerPort, ContainerRecord, ObjectKey, PodPhase, Protocol, SharedStr,
    };

    fn service_port(target_port: TargetPort, protocol: Protocol) -> ServicePort {
        ServicePort {
            name: None,
            protocol,
            port: 80,
            target_port,
            node_port: None,
            app_protocol: None,
        }
    }

    fn container(sidecar: bool, ports: &[(&str, Protocol, u16)]) -> ContainerRecord {
        ContainerRecord {
            name: SharedStr::from("c"),
            sidecar,
            ports: ports
                .iter()
                .map(|(name, protocol, port)| ContainerPort {
                    name: (!name.is_empty()).then(|| SharedStr::from(*name)),
                    protocol: *protocol,
                    port: *port,
                    host_port: None,
                })
                .collect(),
            ready: true,
            restarts: 0,
            reason: None,
            probes: Box::default(),
        }
    }

    fn pod(containers: Vec<ContainerRecord>) -> PodRecord {
        PodRecord {
            containers,
            ..PodRecord::new(ObjectKey::new("shop", "web-1"))
        }
    }

    fn named(name: &str) -> TargetPort {
        TargetPort::Name(SharedStr::from(name))
    }

    #[test]
    fn a_number_needs_no_declaration() {
        let port = service_port(TargetPort::Number(9376), Protocol::Tcp);
        assert_eq!(resolve_target_port(&port, &pod(Vec::new())), Some(9376));
    }

    #[test]
    fn a_name_needs_the_same_protocol() {
        let dns = pod(vec![container(
            false,
            &[("dns", Protocol::Udp, 53), ("dns", Protocol::Tcp, 5353)],
        )]);
        let over = |protocol| resolve_target_port(&service_port(named("dns"), protocol), &dns);
        assert_eq!(over(Protocol::Udp), Some(53));
        assert_eq!(over(Protocol::Tcp), Some(5353));
        assert_eq!(over(Protocol::Sctp), None);
    }

    #[test]
    fn a_name_is_found_in_any_container_and_the_first_wins() {
        let two = pod(vec![
            container(
                false,
                &[("", Protocol::Tcp, 1), ("metrics", Protocol::Tcp, 9090)],
            ),
            container(false, &[("http", Protocol::Tcp, 8080)]),
            container(false, &[("http", Protocol::Tcp, 8081)]),
        ]);
        let port = service_port(named("http"), Protocol::Tcp);
        assert_eq!(resolve_target_port(&port, &two), Some(8080));
        let port = service_port(named("grpc"), Protocol::Tcp);
        assert_eq!(resolve_target_port(&port, &two), None);
    }

    #[test]
    fn a_sidecar_is_asked_after_the_containers() {
        let with_proxy = pod(vec![
            container(
                true,
                &[
                    ("http", Protocol::Tcp, 15001),
                    ("admin", Protocol::Tcp, 15000),
                ],
            ),
            container(false, &[("http", Protocol::Tcp, 8080)]),
        ]);
        let find =
            |name| resolve_target_port(&service_port(named(name), Protocol::Tcp), &with_proxy);
        assert_eq!(find("http"), Some(8080));
        assert_eq!(find("admin"), Some(15000));
    }

    #[test]
    fn a_string_of_digits_is_a_name() {
        let numbers = pod(vec![container(false, &[("http", Protocol::Tcp, 9376)])]);
        let port = service_port(named("9376"), Protocol::Tcp);
        assert_eq!(resolve_target_port(&port, &numbers), None);
    }

    #[test]
    fn finished_pods_and_pods_without_address_are_no_endpoints() {
        let mut pod = pod(Vec::new());
        assert!(!should_be_endpoint(&pod), "no address yet");
        pod.ips = vec![SharedStr::from("10.244.0.5")];
        for (phase, expected) in [
            (PodPhase::Pending, true),
            (PodPhase::Running, true),
            (PodPhase::Unknown, true),
            (PodPhase::Succeeded, false),
            (PodPhase::Failed, false),
        ] {
            pod.phase = phase;
            assert_eq!(should_be_endpoint(&pod), expected, "{phase:?}");
        }
        pod.phase = PodPhase::Running;
        pod.deleting = Some(jiff::Timestamp::UNIX_EPOCH);
        assert!(
            should_be_endpoint(&pod),
            "a terminating pod is listed as not ready"
        );
    }
}
