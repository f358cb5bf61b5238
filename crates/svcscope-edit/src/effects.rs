//! What a change gives and takes, in sentences with the actual values.

use super::{
    ServiceKind, SessionAffinity, external_name,
    projection::SOURCE_RANGES_ANNOTATION,
    projection::{has_families_by_default, matching_port},
};
use svcscope_model::inventory::{
    Inventory, IpFamily, ObjectKey, ResourceKind, ServicePort, ServiceRecord, ServiceType,
    SharedStr, TrafficPolicy,
};

/// What a change means.
#[derive(Default)]
pub(crate) struct ChangeEffects {
    pub(crate) gains: Vec<SharedStr>,
    pub(crate) losses: Vec<SharedStr>,
    pub(crate) notes: Vec<SharedStr>,
}

impl ChangeEffects {
    fn gain(&mut self, sentence: impl Into<SharedStr>) {
        self.gains.push(sentence.into());
    }

    fn lose(&mut self, sentence: impl Into<SharedStr>) {
        self.losses.push(sentence.into());
    }

    fn note(&mut self, sentence: impl Into<SharedStr>) {
        self.notes.push(sentence.into());
    }
}

/// What it means that `before` becomes `after`.
pub(crate) fn change_effects(
    before: &ServiceRecord,
    after: &ServiceRecord,
    inventory: &Inventory,
) -> ChangeEffects {
    let mut all = ChangeEffects::default();
    address(&mut all, before, after);
    families(&mut all, before, after, inventory);
    ports(&mut all, before, after);
    node_ports(&mut all, before, after, inventory);
    load_balancer(&mut all, before, after);
    external_name_effects(&mut all, before, after);
    selector(&mut all, before, after, inventory);
    policies(&mut all, before, after);
    external_ips(&mut all, before, after);
    all
}

fn address(all: &mut ChangeEffects, before: &ServiceRecord, after: &ServiceRecord) {
    let (was, to) = (ServiceKind::of(before), ServiceKind::of(after));
    if was == to {
        return;
    }
    if was == ServiceKind::Headless {
        all.lose("its DNS name no longer answers with the pods' addresses");
    }
    let released: Vec<_> = before
        .virtual_ips()
        .filter(|ip| !after.cluster_ips.contains(ip))
        .map(|ip| &**ip)
        .collect();
    if !released.is_empty() {
        all.lose(format!(
            "clusterIP {} is released and may be taken by another Service",
            released.join(", ")
        ));
    }
    if to == ServiceKind::Headless {
        all.gain("its DNS name answers with the addresses of its ready pods");
    }
    if to.has_virtual_ip() && !was.has_virtual_ip() {
        let asked: Vec<_> = after.virtual_ips().map(|ip| &**ip).collect();
        if asked.is_empty() {
            all.gain("a clusterIP, allocated by the cluster");
        } else {
            all.gain(format!(
                "clusterIP {}, if it is still free",
                asked.join(", ")
            ));
        }
    }
    if was == ServiceKind::ExternalName && after.selector.is_empty() {
        all.note("it has no selector, so it has no backends until its endpoints are written by hand or by a controller");
    }
}

fn families(
    all: &mut ChangeEffects,
    before: &ServiceRecord,
    after: &ServiceRecord,
    inventory: &Inventory,
) {
    let was = (&before.ip_families, &before.ip_family_policy);
    let is_alias = |service| ServiceKind::of(service) == ServiceKind::ExternalName;
    if before.ip_families.is_empty()
        || is_alias(before)
        || has_families_by_default(before)
        || was == (&after.ip_families, &after.ip_family_policy)
    {
        return;
    }
    let said = |service: &ServiceRecord| {
        let policy = service.ip_family_policy.as_deref().unwrap_or("SingleStack");
        format!("ipFamilies {} ({policy})", service.ip_families.join(", "))
    };
    if !is_alias(after) {
        all.note(format!("{} instead of {}", said(after), said(before)));
        return;
    }
    // What the cluster prefers comes back by itself.
    let usual = inventory
        .service(&ObjectKey::new("default", "kubernetes"))
        .and_then(|api| api.families().first().copied())
        .unwrap_or(IpFamily::IPv4);
    let is_usual = matches!(before.families().as_slice(), [only] if *only == usual)
        && matches!(
            before.ip_family_policy.as_deref(),
            None | Some("SingleStack")
        );
    if !is_usual {
        all.lose(format!(
            "{} is dropped; changing back gives the one family that the cluster prefers unless \
             these are asked for",
            said(before)
        ));
    }
}

fn ports(all: &mut ChangeEffects, before: &ServiceRecord, after: &ServiceRecord) {
    for port in &before.ports {
        let Some(now) = matching_port(&after.ports, port) else {
            all.lose(format!(
                "{} is removed: its clients are cut off",
                label(port)
            ));
            continue;
        };
        if (now.port, now.protocol) != (port.port, port.protocol) {
            all.lose(format!(
                "{} answers at {}/{} instead of {}/{}",
                label(port),
                now.port,
                now.protocol,
                port.port,
                port.protocol
            ));
        }
        if now.target_port != port.target_port {
            all.note(format!(
                "{} leads to {} in the pods instead of {}",
                label(now),
                now.target_port,
                port.target_port
            ));
        }
        if now.name != port.name {
            let name = |port: &ServicePort| {
                port.name
                    .as_deref()
                    .map_or_else(|| "no name".to_owned(), |name| format!("name `{name}`"))
            };
            all.note(format!(
                "port {}/{} has {} instead of {}",
                now.port,
                now.protocol,
                name(now),
                name(port)
            ));
        }
        if now.app_protocol != port.app_protocol {
            let word = now.app_protocol.as_deref().unwrap_or("none");
            all.note(format!("appProtocol of {} is {word}", label(now)));
        }
    }
    let is_new = |port: &&ServicePort| matching_port(&before.ports, port).is_none();
    for port in after.ports.iter().filter(is_new) {
        all.gain(format!(
            "{}/{}, to {} in the pods",
            label(port),
            port.protocol,
            port.target_port
        ));
    }
}

fn node_ports(
    all: &mut ChangeEffects,
    before: &ServiceRecord,
    after: &ServiceRecord,
    inventory: &Inventory,
) {
    let to = ServiceKind::of(after);
    for port in &before.ports {
        let Some(number) = port.node_port else {
            continue;
        };
        if after.ports.iter().any(|now| now.node_port == Some(number)) {
            if before.service_type != after.service_type {
                all.note(format!("nodePort {number} ({}) stays", label(port)));
            }
        } else {
            all.lose(format!(
                "nodePort {number} ({}) is released and may be taken by another Service",
                label(port)
            ));
        }
    }
    if !to.has_node_ports() {
        return;
    }
    // A load balancer that reaches pods directly may be told to go without.
    let allocates =
        to == ServiceKind::NodePort || after.allocate_load_balancer_node_ports != Some(false);
    let gained = all.gains.len();
    for port in &after.ports {
        match port.node_port {
            None if allocates => all.gain(format!(
                "a port on every node for {}, allocated when the change is applied",
                label(port)
            )),
            Some(number) if before.ports.iter().all(|was| was.node_port != Some(number)) => all
                .gain(format!(
                    "nodePort {number} on every node for {}",
                    label(port)
                )),
            _ => {}
        }
    }
    if all.gains.len() > gained
        && let Some(limits) = inventory.node_port_rules().limits_message()
    {
        all.note(limits);
    }
}

fn load_balancer(all: &mut ChangeEffects, before: &ServiceRecord, after: &ServiceRecord) {
    let (was, to) = (ServiceKind::of(before), ServiceKind::of(after));
    let balanced = ServiceKind::LoadBalancer;
    if was != balanced && to == balanced {
        all.gain("an external address, as soon as the cluster's load balancer grants one");
        all.note(
            "without a load balancer controller the address stays pending; with a cloud's it may \
             cost money",
        );
        if after.selector.is_empty() {
            all.note("it has no selector: a load balancer would lead to nothing");
        }
    }
    if was == balanced && to == balanced && before.source_ranges != after.source_ranges {
        let all_ranges = |ranges: &[SharedStr]| match ranges {
            [] => "any client".to_owned(),
            some => some.join(", "),
        };
        all.note(format!(
            "the load balancer admits {} instead of {}, where it can filter",
            all_ranges(&after.source_ranges),
            all_ranges(&before.source_ranges)
        ));
    }
    if was != balanced || to == balanced {
        return;
    }
    let addresses: Vec<_> = before
        .load_balancer
        .iter()
        .filter_map(|point| point.address().map(|address| &**address))
        .collect();
    if addresses.is_empty() {
        all.lose("the load balancer, which has no address yet, is no longer asked for");
    } else {
        all.lose(format!(
            "external address {} is gone at once, with the DNS records that name it; the load \
             balancer is deleted a little later; changing back may give another address",
            addresses.join(", ")
        ));
    }
    if !before.source_ranges.is_empty() {
        all.lose(format!(
            "loadBalancerSourceRanges ({}) are removed, which only a LoadBalancer may have",
            before.source_ranges.join(", ")
        ));
    }
    if before.source_ranges.is_empty()
        && let Some(ranges) = before.annotations.get(SOURCE_RANGES_ANNOTATION)
    {
        all.lose(format!(
            "annotation {SOURCE_RANGES_ANNOTATION} ({ranges}) is removed, which only a LoadBalancer \
             may have"
        ));
    }
    if before.allocate_load_balancer_node_ports == Some(false) {
        all.lose(
            "allocateLoadBalancerNodePorts false is dropped; a LoadBalancer again has nodePorts \
             unless it is asked for",
        );
    }
    if let Some(class) = &before.load_balancer_class {
        all.lose(format!("loadBalancerClass {class} is dropped"));
    }
    if let Some(port) = before.health_check_node_port {
        all.lose(format!("healthCheckNodePort {port} is released"));
    }
}

fn external_name_effects(all: &mut ChangeEffects, before: &ServiceRecord, after: &ServiceRecord) {
    if before.external_name == after.external_name {
        return;
    }
    if let Some(old) = &before.external_name {
        all.lose(format!("its DNS name is no longer an alias of {old}"));
    }
    let Some(new) = &after.external_name else {
        return;
    };
    all.gain(format!("its DNS name becomes an alias of {new}"));
    if ServiceKind::of(before) != ServiceKind::ExternalName {
        all.lose("its pods are no longer reached through it; open connections break");
        if !after.selector.is_empty() {
            all.note("the selector stays in the object and has no effect");
        }
    }
    if external_name::is_address(new) {
        all.note(format!(
            "{new} is an address: the API server accepts it, but DNS never answers it, because an \
             alias leads to a name"
        ));
    }
}

fn selector(
    all: &mut ChangeEffects,
    before: &ServiceRecord,
    after: &ServiceRecord,
    inventory: &Inventory,
) {
    if before.selector == after.selector || ServiceKind::of(after) == ServiceKind::ExternalName {
        return;
    }
    let of_all = inventory.pods_in(&after.key.namespace).count();
    let found = |service: &ServiceRecord| inventory.pods_selected_by(service).len();
    let said = format!(
        "the selector finds {} of {of_all} pods of the namespace; before it found {}",
        found(after),
        found(before)
    );
    if after.selector.is_empty() {
        all.lose(
            "it no longer selects pods: its endpoints must be written by hand or by a controller",
        );
    } else if let Some(unseen) = inventory.why_unknown(ResourceKind::Pod, &after.key.namespace) {
        all.note(format!(
            "which pods the selector finds is not known: {unseen}"
        ));
    } else if found(after) == 0 && of_all > 0 {
        all.lose(said);
    } else {
        all.note(said);
    }
}

fn policies(all: &mut ChangeEffects, before: &ServiceRecord, after: &ServiceRecord) {
    let (was, is) = (
        before.external_traffic_policy,
        after.external_traffic_policy,
    );
    match (was, is) {
        (Some(TrafficPolicy::Local), None) => {
            all.lose("externalTrafficPolicy Local is dropped; changing back gives Cluster unless it is asked for");
        }
        (Some(was), Some(is)) if was != is => {
            let meaning = match is {
                TrafficPolicy::Local => {
                    "a node without a ready pod refuses traffic from outside; client addresses are kept"
                }
                TrafficPolicy::Cluster => {
                    "every node takes traffic from outside; client addresses are hidden"
                }
            };
            all.note(format!(
                "externalTrafficPolicy {} instead of {}: {meaning}",
                is.as_str(),
                was.as_str()
            ));
        }
        _ => {}
    }
    if let Some(is) = after.internal_traffic_policy
        && before.internal_traffic_policy.is_some_and(|was| was != is)
    {
        let meaning = match is {
            TrafficPolicy::Local => "clients reach only pods of their own node",
            TrafficPolicy::Cluster => "clients reach pods of every node",
        };
        all.note(format!("internalTrafficPolicy {}: {meaning}", is.as_str()));
    }
    let (was, is) = (SessionAffinity::of(before), SessionAffinity::of(after));
    if was != is {
        all.note(format!("sessionAffinity {is} instead of {was}"));
    }
    match (
        before.publish_not_ready_addresses,
        after.publish_not_ready_addresses,
    ) {
        (false, true) => all.note("traffic reaches pods that are not ready as well"),
        (true, false) => all.note("traffic reaches ready pods only"),
        _ => {}
    }
}

/// KEP-5707. The server warns of the field itself; what it means for traffic it does not say.
fn external_ips(all: &mut ChangeEffects, before: &ServiceRecord, after: &ServiceRecord) {
    let is_alias = after.service_type == ServiceType::ExternalName;
    let kept = before.external_ips == after.external_ips;
    if after.external_ips.is_empty() || is_alias || after.is_headless() || kept {
        return;
    }
    all.note(format!(
        "externalIPs ({}) are deprecated since Kubernetes 1.36: kube-proxy serves them only while its \
         feature gate AllowServiceExternalIPs is on, and a cluster may refuse them",
        after.external_ips.join(", ")
    ));
}

fn label(port: &ServicePort) -> String {
    match &port.name {
        Some(name) => format!("{name} {}", port.port),
        None => format!("port {}", port.port),
    }
}
