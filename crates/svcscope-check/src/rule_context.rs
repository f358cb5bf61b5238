//! What the rules look at: one Service with everything that joins it.

use std::{
    cell::{Cell, OnceCell},
    collections::BTreeSet,
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    RuleSuppressions,
    cross_references::{CrossReferenceIndex, peers},
    path_tests::PathTestStore,
    readiness_flaps::ReadinessFlaps,
};
use svcscope_model::inventory::{
    EndpointRecord, EndpointSliceRecord, EventRecord, Inventory, ListCompleteness, ObjectKey,
    PodRecord, ResourceKind, ServicePort, ServiceRecord, ServiceType, TargetPort,
};
use svcscope_model::topology::{BackendState, BackendTarget, PortId, ServiceTraffic, Topology};

/// How long a pod may take to become ready before that is wrong.
const STARTUP_GRACE: SignedDuration = SignedDuration::from_secs(30);

/// Why a container waits that nothing is wrong with (pkg/kubelet).
const STARTING: [&str; 2] = ["ContainerCreating", "PodInitializing"];

/// How far the objects of a kind can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DataReliability {
    /// Nothing is held, or not all: not listed yet, not permitted, not served.
    Unavailable,
    /// What is held was true once: the watch is lost, or the server cut the list.
    Stale,
    /// What is held is what the cluster holds.
    Live,
}

/// Everything that rules may look at.
pub(super) struct CheckInputs<'a> {
    /// The traffic of all Services.
    pub topology: &'a Topology,
    /// All records.
    pub inventory: &'a Inventory,
    /// What leads from one Service to another.
    pub index: &'a CrossReferenceIndex,
    /// How often pods turned ready or not ready lately.
    pub readiness_flaps: &'a ReadinessFlaps,
    /// What tests of paths found.
    pub path_tests: &'a PathTestStore,
    /// What nobody wants to hear of.
    pub suppressions: &'a RuleSuppressions,
    /// The moment to judge ages by.
    pub now: Timestamp,
}

impl CheckInputs<'_> {
    /// How far the objects of a kind in the namespace of a Service can be relied on.
    pub(super) fn reliability(&self, kind: ResourceKind, service: &ObjectKey) -> DataReliability {
        match self.inventory.completeness_in(kind, &service.namespace) {
            ListCompleteness::Live | ListCompleteness::Polled => DataReliability::Live,
            ListCompleteness::Stale => DataReliability::Stale,
            ListCompleteness::Unlisted | ListCompleteness::Partial => DataReliability::Unavailable,
        }
    }
}

/// The name of a Service that does not exist.
pub(super) struct MissingService<'a> {
    /// The name.
    pub key: &'a ObjectKey,
    /// Everything else.
    pub inputs: &'a CheckInputs<'a>,
}

/// No fewer than there are kinds; one beyond would only be looked up each time.
const KINDS: usize = 32;

/// One Service as the rules see it.
pub(super) struct RuleContext<'a> {
    /// Its doors, ports and backends.
    pub traffic: &'a ServiceTraffic,
    /// Everything else.
    pub inputs: &'a CheckInputs<'a>,
    /// All records.
    pub inventory: &'a Inventory,
    /// The moment to judge ages by: through [`RuleContext::is_younger_than`], or say that it matters.
    pub now: Timestamp,
    /// Other Services that share backend pods with it, by name.
    pub peers: Vec<ObjectKey>,
    events: OnceCell<Vec<&'a Arc<EventRecord>>>,
    /// How far each kind can be relied on, by its place in the enum: a hundred rules ask the same.
    reliability: [Cell<Option<DataReliability>>; KINDS],
    /// Whether the rule that runs would say something else later.
    pub time_dependent: Cell<bool>,
    /// Pods that its selector matches, finished ones too.
    pub selected: Vec<&'a Arc<PodRecord>>,
    /// Its slices, without the deprecated FQDN ones that kube-proxy ignores.
    pub slices: Vec<&'a Arc<EndpointSliceRecord>>,
    /// What takes new traffic on at least one port.
    pub ready: BTreeSet<BackendTarget>,
    /// What should take traffic.
    pub expected: BTreeSet<BackendTarget>,
}

impl<'a> RuleContext<'a> {
    pub(super) fn new(traffic: &'a ServiceTraffic, world: &'a CheckInputs<'a>) -> Self {
        let inventory = world.inventory;
        let service = &traffic.service;
        let mut case = Self {
            traffic,
            inputs: world,
            inventory,
            now: world.now,
            peers: peers(world.topology, &service.key),
            events: OnceCell::new(),
            reliability: Default::default(),
            time_dependent: Cell::new(false),
            selected: inventory.pods_selected_by(service),
            slices: inventory.usable_slices_of(&service.key).collect(),
            ready: BTreeSet::new(),
            expected: BTreeSet::new(),
        };
        let mut targets = case.targets();
        // Without the pods, what the slices list is all there is to go by.
        if !case.needs_endpoints() {
            // DNS leads elsewhere, whatever the selector finds.
        } else if !service.selector.is_empty()
            && case.reliability(ResourceKind::Pod) > DataReliability::Unavailable
        {
            case.expected = case.candidates().map(target).collect();
        } else {
            case.expected = targets.iter().map(|(target, _)| target.clone()).collect();
        }
        targets.retain(|(_, state)| *state == BackendState::Ready);
        case.ready = targets.into_iter().map(|(target, _)| target).collect();
        let shadowed = case.duplicate_address_pods();
        case.expected.retain(|target| !shadowed.contains(target));
        let ready = case.ready.iter().cloned();
        case.expected.extend(ready);
        case
    }

    /// The Service.
    pub(super) fn service(&self) -> &'a ServiceRecord {
        &self.traffic.service
    }

    /// Events about it, the oldest first.
    pub(super) fn events(&self) -> &[&'a Arc<EventRecord>] {
        let read = || self.inventory.events_of(&self.service().key);
        self.events.get_or_init(read)
    }

    /// Whether traffic to it is meant to end at endpoints.
    pub(super) fn needs_endpoints(&self) -> bool {
        self.service().service_type != ServiceType::ExternalName
    }

    /// Selected pods that can take traffic or are about to: neither finished nor going.
    pub(super) fn candidates(&self) -> impl Iterator<Item = &'a Arc<PodRecord>> + '_ {
        self.selected
            .iter()
            .copied()
            .filter(|pod| pod.is_active() && pod.deleting.is_none())
    }

    /// Candidates that are not ready, and that no slice lists as ready all the same
    /// (`publishNotReadyAddresses`).
    pub(super) fn not_ready_pods(&self) -> Vec<&'a Arc<PodRecord>> {
        self.candidates()
            .filter(|pod| !pod.ready && !self.ready.contains(&target(pod)))
            .collect()
    }

    /// Whether a pod that is not ready is just young: nothing went wrong yet.
    pub(super) fn is_starting(&self, pod: &PodRecord) -> bool {
        let trouble = pod.trouble().map(|reason| &**reason);
        trouble.is_none_or(|reason| STARTING.contains(&reason))
            && pod
                .created
                .is_some_and(|created| self.is_younger_than(created, STARTUP_GRACE))
    }

    /// Whether less than this has passed since then; if so, the rule is asked again when time has
    /// passed.
    pub(super) fn is_younger_than(&self, then: Timestamp, limit: SignedDuration) -> bool {
        let younger = self.now.duration_since(then) < limit;
        if younger {
            self.time_dependent.set(true);
        }
        younger
    }

    /// How long ago something was; the rule is asked again when time has passed.
    pub(super) fn age(&self, then: Timestamp) -> SignedDuration {
        self.time_dependent.set(true);
        self.now.duration_since(then).max(SignedDuration::ZERO)
    }

    /// The identity of one of its ports.
    pub(super) fn port_id(&self, port: &ServicePort) -> PortId {
        PortId {
            service: self.service().key.clone(),
            protocol: port.protocol,
            port: port.port,
        }
    }

    /// Ports whose targetPort is a name, with that name.
    pub(super) fn named_ports(&self) -> impl Iterator<Item = (&'a ServicePort, &'a str)> + '_ {
        self.traffic
            .ports
            .iter()
            .filter(|_| self.needs_endpoints())
            .filter_map(|traffic| match &traffic.port.target_port {
                TargetPort::Name(name) => Some((&traffic.port, &**name)),
                TargetPort::Number(_) => None,
            })
    }

    /// How far the objects of a kind in the Service's namespace can be relied on.
    pub(super) fn reliability(&self, kind: ResourceKind) -> DataReliability {
        let kept = self.reliability.get(kind as usize);
        if let Some(known) = kept.and_then(Cell::get) {
            return known;
        }
        let truncated =
            kind == ResourceKind::EndpointSlice && self.slices.iter().any(|s| s.truncated);
        let known = match self.inputs.reliability(kind, &self.service().key) {
            DataReliability::Live if truncated => DataReliability::Stale,
            known => known,
        };
        if let Some(kept) = kept {
            kept.set(Some(known));
        }
        known
    }

    /// Ready pods whose address another ready pod has too, as pods on host networks may: to
    /// kube-proxy they are one endpoint.
    fn duplicate_address_pods(&self) -> BTreeSet<BackendTarget> {
        if self.ready.len() >= self.expected.len() {
            return BTreeSet::new();
        }
        let endpoints = self.slices.iter().flat_map(|slice| &slice.endpoints);
        let ready = endpoints.filter(|endpoint| endpoint.ready);
        let (mut taken, mut others) = (BTreeSet::new(), Vec::new());
        for endpoint in ready {
            let target = self.target_of(endpoint);
            if self.ready.contains(&target) {
                taken.insert(&endpoint.address);
            } else {
                others.push((&endpoint.address, target));
            }
        }
        others.retain(|(address, _)| taken.contains(address));
        others.into_iter().map(|(_, target)| target).collect()
    }

    fn target_of(&self, endpoint: &EndpointRecord) -> BackendTarget {
        let namespace = &self.service().key.namespace;
        endpoint.pod.as_ref().map_or_else(
            || BackendTarget::Address(endpoint.address.clone()),
            |pod| BackendTarget::Pod(ObjectKey::new(namespace.clone(), pod.clone())),
        )
    }

    /// Everything behind the Service. A headless Service may have no ports; its slices say what
    /// DNS answers.
    fn targets(&self) -> Vec<(BackendTarget, BackendState)> {
        if !self.traffic.ports.is_empty() {
            return self
                .traffic
                .ports
                .iter()
                .flat_map(|port| &port.backends)
                .map(|backend| (backend.target.clone(), backend.state()))
                .collect();
        }
        let endpoints = self.inventory.endpoints_of(&self.service().key);
        endpoints
            .into_iter()
            .map(|listed| {
                let endpoint = listed.endpoint;
                let target = self.target_of(endpoint);
                let state = if endpoint.ready {
                    BackendState::Ready
                } else {
                    BackendState::NotReady
                };
                (target, state)
            })
            .collect()
    }
}

fn target(pod: &Arc<PodRecord>) -> BackendTarget {
    BackendTarget::Pod(pod.key.clone())
}
