//! What lies between the pods and their clients in the cluster: loopback, policies, kube-proxy, DNS.

use super::{
    super::{
        PathTestOutcome,
        port_evidence::{NamedResult, PortEvidence, answers},
    },
    RuleConclusion, affected, all_unknown, broken,
};
use crate::probe::ExecTarget;
use svcscope_model::inventory::{IpFamily, SharedStr};

/// By a forward the port is reached at 127.0.0.1, by the network at the pod's address.
pub(super) fn loopback(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let refused = |reach| reach == PathTestOutcome::Refused;
    let (pods, all) = pods_by_address(evidence, evidence.pod_addresses(), refused)?;
    if all {
        let has_six = evidence.plan.network.families.contains(&IpFamily::IPv6);
        return broken(
            "loopback-only",
            format!(
                "the application answers at 127.0.0.1 in the pod and refuses at the pod's address: \
                 it listens on loopback only, so bind it to {}",
                if has_six { "[::]" } else { "0.0.0.0" }
            ),
        );
    }
    affected(
        "loopback-only",
        format!(
            "the application listens on loopback only in {pods}: it answers there at 127.0.0.1 and \
             refuses at the pod's address"
        ),
    )
}

pub(super) fn dropped(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let lost = |reach| {
        matches!(
            reach,
            PathTestOutcome::TimedOut | PathTestOutcome::Unreachable
        )
    };
    let inside = evidence.pod_addresses_from_inside();
    if let Some((pods, all)) = pods_by_address(evidence, inside, lost) {
        let whose = if all { "the pods".to_owned() } else { pods };
        return affected(
            "dropped",
            format!(
                "the application answers by a forward, and packets to {whose} over the network are \
                 dropped: a NetworkPolicy or a firewall is the problem"
            ),
        );
    }
    // Whether the API server's own machine is in the pods' network is a matter of the cluster.
    let (pods, _) = pods_by_address(evidence, evidence.pod_addresses(), lost)?;
    affected(
        "dropped-from-api-server",
        format!(
            "the application answers by a forward, and the API server does not reach {pods} over \
             the network: a NetworkPolicy, a firewall or the network path from the API server to the pods \
             is the problem; a test from inside the cluster tells whether clients there are affected"
        ),
    )
}

/// The pods that answer by a forward and fail like this at their address: their names, and whether
/// these are all pods of the Service.
fn pods_by_address(
    evidence: &PortEvidence<'_>,
    addresses: Vec<NamedResult<'_>>,
    fails: impl Fn(PathTestOutcome) -> bool,
) -> Option<(String, bool)> {
    let forwards = evidence.forwards();
    let answering = |pod: &SharedStr| {
        forwards
            .iter()
            .any(|(name, result)| *name == pod && answers(result))
    };
    let tried: Vec<_> = addresses
        .into_iter()
        .filter(|(pod, _)| answering(pod))
        .collect();
    // A pod that is reached from anywhere listens at its address.
    let all_addresses = evidence.pod_addresses();
    let lost: Vec<NamedResult<'_>> = tried
        .iter()
        .filter(|(_, result)| fails(result.reach))
        .filter(|(pod, _)| {
            let mut others = all_addresses.iter().filter(|(name, _)| name == pod);
            others.all(|(_, result)| !result.reach.is_connected())
        })
        .copied()
        .collect();
    let mut names: Vec<SharedStr> = lost.iter().map(|(pod, _)| (*pod).clone()).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        return None;
    }
    let all = names.len() == evidence.plan.pods.len() && evidence.plan.more_pods == 0;
    let names = names.iter().map(|name| format!("pod {name}"));
    Some((names.collect::<Vec<_>>().join(", "), all))
}

/// In a Service of IPv6 alone a refusal may be the application's, which a forward and the API
/// server's way to the pod do not tell: they take whatever family there is.
fn perhaps_not_listening(
    evidence: &PortEvidence<'_>,
    first: PathTestOutcome,
) -> Option<RuleConclusion> {
    let is_six = evidence.plan.network.families.as_slice() == [IpFamily::IPv6];
    if !is_six || first != PathTestOutcome::Refused || evidence.answers_over(IpFamily::IPv6) {
        return None;
    }
    affected(
        "one-family-unproven",
        "the pods answer by a forward and the Service does not over IPv6 (refused): the \
         application may listen on IPv4, or on loopback, only, or kube-proxy or the path to the \
         pods is the problem; --from POD or --inside NAMESPACE tells which",
    )
}

pub(super) fn service_path(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let direct = [evidence.forwards(), evidence.pod_addresses()].concat();
    if !direct.iter().any(|(_, result)| answers(result)) {
        return None;
    }
    let address = evidence.cluster_ip();
    // Where a connection was opened the path leads somewhere.
    if let Some(first) = address.first()
        && !address.iter().any(|it| it.reach.is_connected())
    {
        if let Some(word) = perhaps_not_listening(evidence, first.reach) {
            return Some(word);
        }
        return affected(
            "service-path",
            format!(
                "the pods answer and the Service's own address does not ({}): the Service, \
                 kube-proxy or a policy is the problem",
                first.reach.label()
            ),
        );
    }
    let proxied = evidence.service_proxy();
    let failed = proxied.iter().find(|it| !it.reach.is_connected())?;
    if address.iter().any(|result| answers(result)) {
        return affected(
            "service-proxy",
            format!(
                "the Service answers in the cluster and not through the API server's proxy ({}): \
                 only what uses that proxy is affected",
                failed.reach.label()
            ),
        );
    }
    if let Some(word) = perhaps_not_listening(evidence, failed.reach) {
        return Some(word);
    }
    affected(
        "service-path",
        format!(
            "the pods answer by a forward and the API server does not reach them through the \
             Service ({}): the Service, its endpoints, a policy or the way from the API server to \
             the pods is the problem",
            failed.reach.label()
        ),
    )
}

pub(super) fn dns(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let asked = evidence.names_by_exec_target();
    let (lost, found): (Vec<_>, Vec<_>) =
        asked.into_iter().partition(|(_, names)| all_unknown(names));
    let mut names = found.iter().flat_map(|(_, names)| names);
    if names.any(|it| it.reach == PathTestOutcome::NoName) {
        return affected(
            "some-names",
            "not every name of the Service resolves in that pod: its DNS search domains are not \
             the usual ones",
        );
    }
    let (insider, _) = lost.first()?;
    let place = exec_target_label(insider);
    if !found.is_empty() {
        return affected(
            "dns-of-pod",
            format!(
                "the Service's name resolves in one pod and not {place}: the resolver of that pod, \
                 or what it may reach, is the problem"
            ),
        );
    }
    let address_answers = evidence.cluster_ip().iter().any(|result| answers(result));
    let but = if address_answers {
        "the Service answers at its address and its name does not resolve"
    } else {
        "the Service's name does not resolve"
    };
    affected(
        "dns",
        format!("{but} {place}: the cluster's DNS, or the resolver of that pod, is the problem"),
    )
}

fn exec_target_label(insider: &ExecTarget) -> String {
    match insider {
        ExecTarget::ProbePod { namespace, .. } => format!("in the probe pod in {namespace}"),
        ExecTarget::Pod { pod, .. } => format!("in pod {}", pod.name),
    }
}
