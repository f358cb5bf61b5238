//! What lies between the pods and their clients in the cluster: loopback, policies, kube-proxy, DNS.

use super::{
    super::{
        Reach,
        evidence::{Evidence, Named, answers},
    },
    Word, all_unknown, broken, wrong,
};
use crate::{
    inventory::{IpFamily, Text},
    probe::Insider,
};

/// By a forward the port is reached at 127.0.0.1, by the network at the pod's address.
pub(super) fn loopback(evidence: &Evidence<'_>) -> Option<Word> {
    let refused = |reach| reach == Reach::Refused;
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
    wrong(
        "loopback-only",
        format!(
            "the application listens on loopback only in {pods}: it answers there at 127.0.0.1 and \
             refuses at the pod's address"
        ),
    )
}

pub(super) fn dropped(evidence: &Evidence<'_>) -> Option<Word> {
    let lost = |reach| matches!(reach, Reach::TimedOut | Reach::Unreachable);
    let inside = evidence.pod_addresses_from_inside();
    if let Some((pods, all)) = pods_by_address(evidence, inside, lost) {
        let whose = if all { "the pods".to_owned() } else { pods };
        return wrong(
            "dropped",
            format!(
                "the application answers by a forward, and packets to {whose} over the network are \
                 dropped: a NetworkPolicy or a firewall is the problem"
            ),
        );
    }
    // Whether the API server's own machine is in the pods' network is a matter of the cluster.
    let (pods, _) = pods_by_address(evidence, evidence.pod_addresses(), lost)?;
    wrong(
        "dropped-from-api-server",
        format!(
            "the application answers by a forward, and the API server does not reach {pods} over \
             the network: a NetworkPolicy, a firewall or the way from the API server to the pods \
             is the problem; a test from inside the cluster tells whether clients there are affected"
        ),
    )
}

/// The pods that answer by a forward and fail like this at their address: their names, and whether
/// these are all pods of the Service.
fn pods_by_address(
    evidence: &Evidence<'_>,
    addresses: Vec<Named<'_>>,
    fails: impl Fn(Reach) -> bool,
) -> Option<(String, bool)> {
    let forwards = evidence.forwards();
    let answering = |pod: &Text| {
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
    let lost: Vec<Named<'_>> = tried
        .iter()
        .filter(|(_, result)| fails(result.reach))
        .filter(|(pod, _)| {
            let mut others = all_addresses.iter().filter(|(name, _)| name == pod);
            others.all(|(_, result)| !result.reach.is_connected())
        })
        .copied()
        .collect();
    let mut names: Vec<Text> = lost.iter().map(|(pod, _)| (*pod).clone()).collect();
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
fn perhaps_not_listening(evidence: &Evidence<'_>, first: Reach) -> Option<Word> {
    let is_six = evidence.plan.network.families.as_slice() == [IpFamily::IPv6];
    if !is_six || first != Reach::Refused || evidence.answers_over(IpFamily::IPv6) {
        return None;
    }
    wrong(
        "one-family-unproven",
        "the pods answer by a forward and the Service does not over IPv6 (refused): the \
         application may listen on IPv4, or on loopback, only, or kube-proxy or the path to the \
         pods is the problem; --from POD or --inside NAMESPACE tells which",
    )
}

pub(super) fn service_path(evidence: &Evidence<'_>) -> Option<Word> {
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
        return wrong(
            "service-path",
            format!(
                "the pods answer and the Service's own address does not ({}): the Service, \
                 kube-proxy or a policy is the problem",
                first.reach.words()
            ),
        );
    }
    let proxied = evidence.service_proxy();
    let failed = proxied.iter().find(|it| !it.reach.is_connected())?;
    if address.iter().any(|result| answers(result)) {
        return wrong(
            "service-proxy",
            format!(
                "the Service answers in the cluster and not through the API server's proxy ({}): \
                 only what uses that proxy is affected",
                failed.reach.words()
            ),
        );
    }
    if let Some(word) = perhaps_not_listening(evidence, failed.reach) {
        return Some(word);
    }
    wrong(
        "service-path",
        format!(
            "the pods answer by a forward and the API server does not reach them through the \
             Service ({}): the Service, its endpoints, a policy or the way from the API server to \
             the pods is the problem",
            failed.reach.words()
        ),
    )
}

pub(super) fn dns(evidence: &Evidence<'_>) -> Option<Word> {
    let asked = evidence.names_by_insider();
    let (lost, found): (Vec<_>, Vec<_>) =
        asked.into_iter().partition(|(_, names)| all_unknown(names));
    let mut names = found.iter().flat_map(|(_, names)| names);
    if names.any(|it| it.reach == Reach::NoName) {
        return wrong(
            "some-names",
            "not every name of the Service resolves in that pod: its DNS search domains are not \
             the usual ones",
        );
    }
    let (insider, _) = lost.first()?;
    let place = insider_words(insider);
    if !found.is_empty() {
        return wrong(
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
    wrong(
        "dns",
        format!("{but} {place}: the cluster's DNS, or the resolver of that pod, is the problem"),
    )
}

fn insider_words(insider: &Insider) -> String {
    match insider {
        Insider::ProbePod { namespace, .. } => format!("in the probe pod in {namespace}"),
        Insider::Pod { pod, .. } => format!("in pod {}", pod.name),
    }
}
