//! What the EndpointSlices of a Service say, and what they should.

use std::{collections::BTreeSet, net::IpAddr};

use jiff::SignedDuration;

use super::{
    CheckRule, Finding, FindingLocation, Health, ObjectRef, RuleContext, RuleFunction, RuleGroup,
    Severity, WITH_BOTH, WITH_SLICES, documentation_urls, words,
};
use svcscope_model::inventory::{
    EndpointRecord, EndpointSliceRecord, hints::HintCounts, ports::resolve_target_port,
};
use svcscope_model::topology::BackendTarget;

pub(super) static RULES: &[&CheckRule] = &[
    &NO_SLICES,
    &STALE_ENDPOINT,
    &EXTRA_PORT,
    &FQDN,
    &LAG,
    &MANY,
    &BAD_ADDRESS,
    &HOST_NETWORK,
    &HINTS,
];

/// Who writes the slices of a Service with a selector.
pub(super) const CONTROLLER: &str = "endpointslice-controller.k8s.io";
/// How long the controller may take for the first slice.
const FIRST_SLICE: SignedDuration = SignedDuration::from_secs(10);
/// How long the slices may lag behind a pod.
const LAG_AFTER: SignedDuration = SignedDuration::from_secs(30);
/// What one Endpoints object holds at the most.
const LARGE: usize = 1_000;

const SLICES: CheckRule = CheckRule {
    group: RuleGroup::Endpoints,
    severity: Severity::Warning,
    required_kinds: WITH_SLICES,
    url: documentation_urls::SLICES,
    ..CheckRule::BASE
};

static NO_SLICES: CheckRule = CheckRule {
    id: "SVC-NO-SLICES",
    needs_cluster_state: true,
    title: "The EndpointSlice controller has made no slice",
    severity: Severity::Error,
    implied_health: Health::Broken,
    supersedes: &["SVC-NO-READY-ENDPOINT", "SVC-HEADLESS-EMPTY"],
    about: "Each Service with a selector has a slice ten seconds after it was made, even if no pod \
            matches. Without one the controller does not run or may not write.",
    function: RuleFunction::Service(no_slices),
    ..SLICES
};

static STALE_ENDPOINT: CheckRule = CheckRule {
    id: "SVC-ENDPOINT-STALE",
    needs_cluster_state: true,
    title: "An endpoint that was written by hand names a pod that is gone or has another address",
    implied_health: Health::Degraded,
    required_kinds: WITH_BOTH,
    reads_other_services: true,
    about: "Nobody follows the pods for a slice that was written by hand: traffic goes to an address \
            that may be another pod's by now.",
    function: RuleFunction::Service(stale_endpoint),
    ..SLICES
};

static EXTRA_PORT: CheckRule = CheckRule {
    id: "SVC-SLICE-PORT-UNKNOWN",
    title: "A slice that was written by hand has a port that the Service has not",
    about: "Ports of slices are matched by name and protocol; what matches no Service port is \
            ignored. Said only where all ports of the Service have endpoints.",
    function: RuleFunction::Service(extra_port),
    ..SLICES
};

static FQDN: CheckRule = CheckRule {
    id: "SVC-SLICE-FQDN",
    title: "A slice of address type FQDN",
    about: "The address type is deprecated, and kube-proxy ignores such slices.",
    function: RuleFunction::Service(fqdn),
    ..SLICES
};

static LAG: CheckRule = CheckRule {
    id: "SVC-ENDPOINTS-LAG",
    needs_cluster_state: true,
    title: "A pod has been ready for a while and gets no traffic",
    implied_health: Health::Degraded,
    required_kinds: WITH_BOTH,
    about: "The EndpointSlice controller writes a change within seconds. A pod that has been ready \
            for 30 s and that no slice lists as ready shows that it lags or stands still.",
    function: RuleFunction::Service(lag),
    ..SLICES
};

static MANY: CheckRule = CheckRule {
    id: "SVC-MANY-ENDPOINTS",
    title: "More than 1,000 endpoints",
    severity: Severity::Note,
    about: "Whatever reads the old Endpoints sees only 1,000 of them.",
    function: RuleFunction::Service(many),
    ..SLICES
};

static BAD_ADDRESS: CheckRule = CheckRule {
    id: "SVC-ENDPOINT-ADDRESS",
    title: "An endpoint at an address that can't be one",
    reads_other_services: true,
    about: "Addresses of the node itself (loopback, link-local) and those of Services are no \
            backends: kube-proxy does not forward there.",
    url: documentation_urls::SELECTORLESS,
    function: RuleFunction::Service(bad_address),
    ..SLICES
};

static HOST_NETWORK: CheckRule = CheckRule {
    id: "SVC-HOST-NETWORK",
    title: "The pods use the network of their nodes",
    severity: Severity::Note,
    required_kinds: super::WITH_PODS,
    about: "Their addresses are those of the nodes. NetworkPolicies mostly don't apply to them, and \
            their ports clash with whatever else the node runs.",
    function: RuleFunction::Service(host_network),
    ..SLICES
};

static HINTS: CheckRule = CheckRule {
    id: "SVC-HINTS-IGNORED",
    title: "Topology hints that kube-proxy ignores",
    about: "kube-proxy keeps traffic on a node (forNodes) or in a zone (forZones) only if each ready \
            endpoint has such a hint and at least one is for that node or zone. Where hints for nodes \
            do not count, those for zones may.",
    url: documentation_urls::TOPOLOGY,
    function: RuleFunction::Service(hints),
    ..SLICES
};

fn slice_ref(slice: &EndpointSliceRecord) -> ObjectRef {
    ObjectRef::new("EndpointSlice", slice.key.clone())
}

/// Slices that no controller keeps.
fn by_hand<'a>(case: &RuleContext<'a>) -> impl Iterator<Item = &'a EndpointSliceRecord> {
    let slices = case.slices.iter().map(|slice| &***slice);
    slices.filter(|slice| slice.is_manual())
}

fn endpoints<'a>(
    case: &RuleContext<'a>,
) -> impl Iterator<Item = (&'a EndpointSliceRecord, &'a EndpointRecord)> {
    by_hand(case).flat_map(|slice| {
        slice
            .endpoints
            .iter()
            .map(move |endpoint| (slice, endpoint))
    })
}

fn no_slices(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    let Some(created) = service.created else {
        return Vec::new();
    };
    let applies = case.needs_endpoints() && !service.selector.is_empty() && case.slices.is_empty();
    if !applies || case.inputs.index.reads_endpoints() || case.is_younger_than(created, FIRST_SLICE)
    {
        return Vec::new();
    }
    vec![
        NO_SLICES
            .finding(
                FindingLocation::Service,
                "no EndpointSlice",
                format!(
                    "No EndpointSlice has its name, though it has had a selector for {}: their \
                     controller does not run or may not write.",
                    words::duration(case.age(created))
                ),
            )
            .evidence([format!(
                "no EndpointSlice with label kubernetes.io/service-name: {}",
                service.key.name
            )])
            .hint("look at kube-controller-manager"),
    ]
}

fn stale_endpoint(case: &RuleContext<'_>) -> Vec<Finding> {
    let stale: Vec<_> = endpoints(case)
        .filter(|(_, endpoint)| endpoint.ready)
        .filter_map(|(slice, endpoint)| {
            let name = endpoint.pod.as_ref()?;
            let key = svcscope_model::inventory::ObjectKey::new(
                slice.key.namespace.clone(),
                name.clone(),
            );
            let why = match case.inventory.pod(&key) {
                None => format!("there is no pod {name}"),
                // Its address is free for others at once (kubernetes#109414); whose it is now no change
                // of this Service would tell.
                Some(pod) if !pod.is_active() => format!("pod {name} has finished"),
                Some(pod) if !pod.ips.contains(&endpoint.address) => {
                    format!("pod {name} has {}", words::list(&pod.ips))
                }
                Some(_) => return None,
            };
            Some((slice, &endpoint.address, why))
        })
        .collect();
    let Some((_, address, why)) = stale.first() else {
        return Vec::new();
    };
    vec![
        STALE_ENDPOINT
            .finding(
                FindingLocation::Service,
                format!("stale endpoint {address}"),
                format!(
                    "{} written by hand {} stale: {address}, and {why}.",
                    words::counted(stale.len(), "endpoint"),
                    words::are(stale.len())
                ),
            )
            .with_objects(words::some(&stale).map(|(slice, ..)| slice_ref(slice)))
            .evidence(
                words::some(&stale)
                    .map(|(slice, address, why)| format!("{}: {address}, {why}", slice.key.name)),
            )
            .hint("correct the slice, or give the Service a selector"),
    ]
}

fn extra_port(case: &RuleContext<'_>) -> Vec<Finding> {
    let ports = &case.traffic.ports;
    if ports.is_empty() || ports.iter().any(|port| port.backends.is_empty()) {
        return Vec::new();
    }
    let extra: Vec<_> = by_hand(case)
        .flat_map(|slice| slice.ports.iter().map(move |port| (slice, port)))
        .filter(|(_, served)| {
            !ports.iter().any(|traffic| {
                let name = traffic.port.name.as_deref().unwrap_or_default();
                *served.name == *name && served.protocol == traffic.port.protocol
            })
        })
        .collect();
    let Some((slice, port)) = extra.first() else {
        return Vec::new();
    };
    let name = format!("`{}` ({})", port.name, port.protocol);
    vec![
        EXTRA_PORT
            .finding(
                FindingLocation::Service,
                format!("slice port {name} matches nothing"),
                format!(
                    "Port {name} of EndpointSlice {} matches no port of the Service and gets no traffic.",
                    slice.key.name
                ),
            )
            .with_objects([slice_ref(slice)])
            .evidence([format!(
                "ports of the Service: {}",
                words::list(ports.iter().map(|traffic| words::port(&traffic.port)))
            )])
            .hint("name the port in the slice like the one of the Service"),
    ]
}

fn fqdn(case: &RuleContext<'_>) -> Vec<Finding> {
    let slices: Vec<_> = case
        .inventory
        .slices_of(&case.service().key)
        .filter(|slice| &*slice.address_type == "FQDN")
        .collect();
    if slices.is_empty() {
        return Vec::new();
    }
    let names = words::list(slices.iter().map(|slice| &slice.key.name));
    vec![
        FQDN.finding(
            FindingLocation::Service,
            "slice of type FQDN",
            format!("kube-proxy ignores EndpointSlices of address type FQDN: {names}."),
        )
        .with_objects(words::some(&slices).map(|slice| slice_ref(slice)))
        .evidence(
            words::some(&slices).map(|slice| format!("{}: addressType: FQDN", slice.key.name)),
        )
        .hint("use an ExternalName Service for a name, slices for addresses"),
    ]
}

fn lag(case: &RuleContext<'_>) -> Vec<Finding> {
    // Where nothing is ready at all, another rule says so.
    let none = case.ready.is_empty() || case.traffic.ports.is_empty();
    if !case.needs_endpoints() || none || case.ready.len() == case.expected.len() {
        return Vec::new();
    }
    let lagging: Vec<_> = case
        .candidates()
        .filter(|pod| pod.ready && !pod.ips.is_empty())
        .filter(|pod| {
            let target = BackendTarget::Pod(pod.key.clone());
            case.expected.contains(&target) && !case.ready.contains(&target)
        })
        .filter(|pod| {
            let ports = &case.service().ports;
            ports
                .iter()
                .any(|port| resolve_target_port(port, pod).is_some())
        })
        .filter_map(|pod| {
            let since = pod.ready_changed?;
            (!case.is_younger_than(since, LAG_AFTER)).then_some((pod, since))
        })
        .collect();
    if lagging.is_empty() {
        return Vec::new();
    }
    let names = words::list(lagging.iter().map(|(pod, _)| &pod.key.name));
    vec![
        LAG.finding(
            FindingLocation::Service,
            format!("{} ready, not listed", words::pods(lagging.len())),
            format!(
                "{} {} been ready for more than 30 s, and no EndpointSlice lists {} as ready: {names}.",
                words::pods(lagging.len()),
                if lagging.len() == 1 { "has" } else { "have" },
                if lagging.len() == 1 { "it" } else { "them" },
            ),
        )
        .with_objects(words::some(&lagging).map(|(pod, _)| ObjectRef::pod(&pod.key)))
        .evidence(
            words::some(&lagging)
                .map(|(pod, since)| format!("{}: Ready since {since:.0}", pod.key.name)),
        )
        .hint("the EndpointSlice controller lags: look at kube-controller-manager"),
    ]
}

fn many(case: &RuleContext<'_>) -> Vec<Finding> {
    let count = case.inventory.endpoints_of(&case.service().key).len();
    if count <= LARGE {
        return Vec::new();
    }
    let slices = case.slices.len();
    vec![MANY.finding(
        FindingLocation::Service,
        format!("{count} endpoints"),
        format!(
            "It has {count} endpoints in {slices} slices; the old Endpoints show 1,000 of them."
        ),
    )]
}

fn bad_address(case: &RuleContext<'_>) -> Vec<Finding> {
    let bad: Vec<_> = endpoints(case)
        .filter_map(|(slice, endpoint)| {
            let address: IpAddr = endpoint.address.parse().ok()?;
            let is_own = address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || match address {
                    IpAddr::V4(v4) => v4.is_link_local(),
                    IpAddr::V6(v6) => v6.is_unicast_link_local(),
                };
            let service = case.inputs.index.service_at(&endpoint.address);
            let what = match service {
                Some(key) => format!("the address of Service {key}"),
                None if is_own => "no address of another machine".to_owned(),
                None => return None,
            };
            Some((slice, &endpoint.address, what))
        })
        .collect();
    let Some((_, address, what)) = bad.first() else {
        return Vec::new();
    };
    vec![
        BAD_ADDRESS
            .finding(
                FindingLocation::Service,
                format!("{address} is no backend"),
                format!("Endpoint {address} is {what}: kube-proxy does not forward there."),
            )
            .with_objects(words::some(&bad).map(|(slice, ..)| slice_ref(slice)))
            .evidence(
                words::some(&bad)
                    .map(|(slice, address, what)| format!("{}: {address}, {what}", slice.key.name)),
            )
            .hint("write the addresses of the machines that serve, or use ExternalName"),
    ]
}

fn host_network(case: &RuleContext<'_>) -> Vec<Finding> {
    let pods: Vec<_> = case.candidates().filter(|pod| pod.host_network).collect();
    if !case.needs_endpoints() || pods.is_empty() {
        return Vec::new();
    }
    vec![
        HOST_NETWORK
            .finding(
                FindingLocation::Service,
                "pods on host network",
                format!(
                    "{} of its {} {} the network of the node: the address is the node's, and \
                     NetworkPolicies mostly don't apply.",
                    pods.len(),
                    words::pods(case.candidates().count()),
                    words::verb(pods.len(), "use")
                ),
            )
            .with_objects(words::some(&pods).map(|pod| ObjectRef::pod(&pod.key)))
            .evidence(
                words::some(&pods).map(|pod| format!("{}: spec.hostNetwork: true", pod.key.name)),
            ),
    ]
}

fn hints(case: &RuleContext<'_>) -> Vec<Finding> {
    let listed = case.inventory.endpoints_of(&case.service().key);
    let ready: Vec<_> = listed
        .iter()
        .map(|listed| listed.endpoint)
        .filter(|endpoint| endpoint.ready)
        .collect();
    let counts = HintCounts::of(ready.iter().copied());
    let some_have = |hinted: usize| hinted > 0 && hinted < counts.ready;
    let only =
        |hinted: usize| format!("only {hinted} of {} ready endpoints have one", counts.ready);
    let zones: BTreeSet<_> = ready.iter().filter_map(|one| one.zone.as_ref()).collect();
    let served: BTreeSet<_> = ready.iter().flat_map(|one| &one.zone_hints).collect();
    let missing: Vec<_> = zones.difference(&served).collect();
    let mut found = Vec::new();
    if some_have(counts.for_nodes) {
        found.push(ignored(case, "forNodes", &only(counts.for_nodes)).hint(
            if counts.zones_count() {
                "traffic stays in its zone, but not on its node, until each endpoint has a hint"
            } else {
                "traffic is spread over all nodes until each endpoint has a hint"
            },
        ));
    }
    let why = if some_have(counts.for_zones) {
        only(counts.for_zones)
    } else if counts.zones_count() && !missing.is_empty() {
        format!("none is for {}", words::list(missing))
    } else {
        return found;
    };
    found.push(
        ignored(case, "forZones", &why)
            .hint("traffic is spread over all zones until each endpoint has a hint"),
    );
    found
}

fn ignored(case: &RuleContext<'_>, field: &str, why: &str) -> Finding {
    let what = match field {
        "forNodes" => "hints for nodes",
        _ => "topology hints",
    };
    HINTS
        .finding(
            FindingLocation::Service,
            format!("{what} ignored"),
            format!("kube-proxy ignores the {what}: {why}."),
        )
        .with_objects(words::some(&case.slices).map(|slice| slice_ref(slice)))
        .evidence([format!("endpoints[].hints.{field}: {why}")])
}
