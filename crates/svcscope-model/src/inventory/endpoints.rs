//! The endpoints of a Service as kube-proxy counts them, from all of its slices.

use std::sync::Arc;

use super::{EndpointRecord, EndpointSliceRecord, Inventory, ObjectKey, ServicePort, SharedStr};

/// An endpoint with the slice that lists it.
#[derive(Clone, Copy, Debug)]
pub struct ListedEndpoint<'a> {
    /// The slice.
    pub slice: &'a Arc<EndpointSliceRecord>,
    /// The endpoint.
    pub endpoint: &'a EndpointRecord,
    /// The pods' number, where a port was asked for; none means every port.
    pub port: Option<u16>,
}

impl Inventory {
    /// The slices of a Service that kube-proxy reads: the address type FQDN is deprecated, and it
    /// ignores such slices.
    pub fn usable_slices_of(
        &self,
        service: &ObjectKey,
    ) -> impl Iterator<Item = &Arc<EndpointSliceRecord>> {
        self.slices_of(service)
            .filter(|slice| &*slice.address_type != "FQDN")
    }

    /// The endpoints of a Service, whatever port they serve, one for each address.
    pub fn endpoints_of(&self, service: &ObjectKey) -> Vec<ListedEndpoint<'_>> {
        let listed = self.usable_slices_of(service).flat_map(|slice| {
            let endpoints = slice.endpoints.iter();
            endpoints.map(move |endpoint| ListedEndpoint {
                slice,
                endpoint,
                port: None,
            })
        });
        one_per_address(listed.collect())
    }

    /// The pods that the endpoints of a Service name, by name, each with whether it is a ready
    /// endpoint that stays.
    pub fn endpoint_pods_of(&self, service: &ObjectKey) -> Vec<(&SharedStr, bool)> {
        let mut pods: Vec<_> = self
            .endpoints_of(service)
            .into_iter()
            .filter_map(|listed| {
                let takes = listed.endpoint.ready && !listed.endpoint.terminating;
                Some((listed.endpoint.pod.as_ref()?, takes))
            })
            .collect();
        // A pod with an address of each family is an endpoint twice.
        pods.sort_unstable_by(|a, b| a.0.cmp(b.0).then(b.1.cmp(&a.1)));
        pods.dedup_by(|later, first| later.0 == first.0);
        pods
    }
}

/// The endpoints of a port of a Service, one for each address and number.
///
/// A slice carries resolved numbers under the names of the Service's ports; an unnamed Service
/// port is the empty name. `any_port` says whether one without a number counts, which the API
/// leaves to the reader: kube-proxy ignores it (`endpointInfoByServicePort`), DNS does not.
pub fn endpoints_of_port<'a>(
    slices: &[&'a Arc<EndpointSliceRecord>],
    port: &ServicePort,
    any_port: bool,
) -> Vec<ListedEndpoint<'a>> {
    let name = port.name.as_deref().unwrap_or_default();
    let mut listed = Vec::new();
    for slice in slices {
        let served = slice.ports.iter().filter(|served| {
            *served.name == *name
                && served.protocol == port.protocol
                && (any_port || served.port.is_some())
        });
        for served in served {
            listed.extend(slice.endpoints.iter().map(|endpoint| ListedEndpoint {
                slice,
                endpoint,
                port: served.port,
            }));
        }
    }
    one_per_address(listed)
}

/// kube-proxy keys endpoints by address and port alone (`EndpointSliceCache.addEndpoints`): an
/// endpoint that moves between slices is in both for a moment, and an address may be another
/// pod's already while the one that had it terminates. One that does not terminate wins over one
/// that does. Among several that don't, kube-proxy takes any: here, the best.
fn one_per_address(mut listed: Vec<ListedEndpoint<'_>>) -> Vec<ListedEndpoint<'_>> {
    listed.retain(|one| !one.endpoint.address.is_empty());
    listed.sort_by(|a, b| {
        let place = |one: &ListedEndpoint<'_>| {
            let EndpointRecord {
                ready,
                serving,
                terminating,
                ..
            } = one.endpoint;
            (one.port, *terminating, !ready, !serving)
        };
        (&a.endpoint.address, place(a), &a.endpoint.pod).cmp(&(
            &b.endpoint.address,
            place(b),
            &b.endpoint.pod,
        ))
    });
    listed.dedup_by(|later, first| {
        later.endpoint.address == first.endpoint.address && later.port == first.port
    });
    listed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{key, live, pod, port, put, service, slice, slice_port};

    fn conditions(endpoint: &mut EndpointRecord, ready: bool, serving: bool, terminating: bool) {
        endpoint.ready = ready;
        endpoint.serving = serving;
        endpoint.terminating = terminating;
    }

    /// Two slices that list one address, of the pods web-1 and web-2.
    fn twice(first: (bool, bool, bool), second: (bool, bool, bool)) -> Inventory {
        let mut inventory = live();
        let mut pods = [pod("web", 1), pod("web", 2)];
        for pod in &mut pods {
            pod.ips = vec!["10.244.9.9".into()];
        }
        put(
            &mut inventory,
            service("web", vec![port("http", 80, "8080")]),
        );
        for (n, (pod, said)) in pods.iter().zip([first, second]).enumerate() {
            let ports = vec![slice_port("http", 8080)];
            let mut slice = slice("web", u8::try_from(n).unwrap(), ports, &[pod]);
            conditions(&mut slice.endpoints[0], said.0, said.1, said.2);
            put(&mut inventory, slice);
        }
        inventory
    }

    /// kubernetes#135266: the address of a pod that terminates is another pod's already.
    #[test]
    fn an_address_in_two_slices_is_one_endpoint_that_does_not_terminate() {
        for (first, second) in [
            ((false, true, true), (true, true, false)),
            ((true, true, false), (false, true, true)),
            // publishNotReadyAddresses keeps a terminating pod ready.
            ((true, true, true), (true, true, false)),
        ] {
            let inventory = twice(first, second);
            let found = inventory.endpoints_of(&key("web"));
            let [one] = found.as_slice() else {
                panic!("{found:?}");
            };
            assert!(one.endpoint.ready && !one.endpoint.terminating);
        }
    }

    #[test]
    fn a_waiting_endpoint_wins_over_one_that_terminates() {
        let inventory = twice((false, true, true), (false, false, false));
        let found = inventory.endpoints_of(&key("web"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].endpoint.pod.as_deref(), Some("web-2"));
        let pods = inventory.endpoint_pods_of(&key("web"));
        assert_eq!(pods.len(), 1);
        assert!(!pods[0].1);
    }

    #[test]
    fn a_slice_port_without_a_number_is_ignored_as_kube_proxy_does() {
        let mut inventory = live();
        let web = service("web", vec![port("http", 80, "8080")]);
        let mut port = slice_port("http", 1);
        port.port = None;
        put(
            &mut inventory,
            slice("web", 0, vec![port], &[&pod("web", 1)]),
        );
        let slices: Vec<_> = inventory.usable_slices_of(&web.key).collect();
        assert_eq!(endpoints_of_port(&slices, &web.ports[0], false).len(), 0);
        assert_eq!(endpoints_of_port(&slices, &web.ports[0], true).len(), 1);
    }
}
