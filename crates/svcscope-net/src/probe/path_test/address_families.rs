//! What a Service of two address families comes to where only one of them answers.

use super::{
    PathTestOutcome, PathTestResult,
    port_evidence::{PathLayer, PortEvidence, answers},
    rule_conclusion::{RuleConclusion, affected},
};
use crate::probe::{AccessPath, InClusterName};
use svcscope_model::inventory::IpFamily;

type TestedPath<'a> = (&'a AccessPath, &'a PathTestResult);

/// One family fails where the other answers: said of the layer nearest to the application, which
/// explains those further out.
pub(super) fn one_family(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let families = &evidence.plan.network.families;
    // A pod is forwarded to, and asked by the API server, over whatever family it has: that does
    // not tell what it does in the one family of its Service.
    if let [IpFamily::IPv6] = families.as_slice() {
        let failing = evidence.over_family(PathLayer::Pods, IpFamily::IPv6);
        return pods(
            &failing,
            &evidence.bypassing_service(),
            IpFamily::IPv6,
            "the pod",
            answers_past_pods(evidence, IpFamily::IPv6),
        );
    }
    if families.len() < 2 {
        return None;
    }
    PathLayer::ALL.into_iter().find_map(|layer| {
        let mut families = families.iter().copied();
        families.find_map(|family| fails(evidence, layer, family))
    })
}

fn fails(
    evidence: &PortEvidence<'_>,
    layer: PathLayer,
    family: IpFamily,
) -> Option<RuleConclusion> {
    let failing = evidence.over_family(layer, family);
    let other = evidence.over_family(layer, family.other());
    if layer == PathLayer::Pods {
        let elsewhere = answers_past_pods(evidence, family);
        return pods(&failing, &other, family, family.other().as_str(), elsewhere);
    }
    let (_, first) = failing.first()?;
    let all_fail = !failing.iter().any(|(_, result)| answers(result));
    if !all_fail || !other.iter().any(|(_, result)| answers(result)) {
        return None;
    }
    let how = first.reach.label();
    let only = format!("{} answers, {family} does not ({how}", family.other());
    if evidence.plan.network.without_endpoints.contains(&family) {
        return affected(
            "one-family-no-endpoints",
            format!(
                "{only}): the Service has no ready endpoint of {family}, for its pods have no \
                 {family} address, or somebody else writes its endpoints and gave it none"
            ),
        );
    }
    let has_no_pods = evidence.over_family(PathLayer::Pods, family).is_empty();
    if first.reach == PathTestOutcome::Refused && has_no_pods && !evidence.answers_over(family) {
        return affected(
            "one-family-unproven",
            format!(
                "{only} at {}): the application may listen on {} only, or what lies between, \
                 kube-proxy with it, is the problem for {family} alone; --from POD or --inside \
                 NAMESPACE tells which",
                match layer {
                    PathLayer::ClusterIp | PathLayer::Pods => "the clusterIP".to_owned(),
                    PathLayer::NodePorts => "the NodePort from this machine".to_owned(),
                    PathLayer::Outside => format!("{} from this machine", at(&failing)),
                },
                family.other()
            ),
        );
    }
    affected(
        "one-family",
        match layer {
            PathLayer::ClusterIp | PathLayer::Pods => format!(
                "{only} at the clusterIP): kube-proxy, a policy or the network is the problem, for \
                 {family} alone"
            ),
            PathLayer::NodePorts => format!(
                "{only} at the NodePort from this machine): what lies between this machine and the \
                 nodes, or kube-proxy there, is the problem, for {family} alone"
            ),
            PathLayer::Outside => format!(
                "{only} from this machine at {}): the load balancer, or the route to it, is the \
                 problem, for {family} alone",
                at(&failing)
            ),
        },
    )
}

/// Pods that fail at their address of one family and answer by `other`, which is called `works`.
/// Where the family answers `elsewhere`, the application listens on it.
fn pods(
    failing: &[TestedPath<'_>],
    other: &[TestedPath<'_>],
    family: IpFamily,
    works: &str,
    elsewhere: bool,
) -> Option<RuleConclusion> {
    let answering = |cells: &[TestedPath<'_>], pod: &str| {
        let mut cells = cells.iter().filter(|(vantage, _)| pod_of(vantage) == pod);
        cells.any(|(_, result)| answers(result))
    };
    let lost: Vec<_> = failing
        .iter()
        .filter(|(vantage, _)| {
            let pod = pod_of(vantage);
            !answering(failing, pod) && answering(other, pod)
        })
        .collect();
    let (_, first) = lost.first()?;
    let mut names: Vec<_> = lost.iter().map(|(vantage, _)| pod_of(vantage)).collect();
    names.dedup();
    let all = failing
        .iter()
        .all(|(vantage, _)| names.contains(&pod_of(vantage)));
    let whose = if all {
        "the pods".to_owned()
    } else {
        format!("pod {}", names.join(", "))
    };
    let how = first.reach.label();
    let why = match first.reach {
        PathTestOutcome::Refused if all && elsewhere => format!(
            "{family} answers by another path, so the application listens on it, and what lies \
             between that pod and the pods' {family} addresses refuses"
        ),
        PathTestOutcome::Refused => format!(
            "the application in {whose} listens on {} only, so bind it to {}",
            match works == family.other().as_str() {
                true => works,
                false => "IPv4, or on loopback,",
            },
            match family {
                IpFamily::IPv6 => "[::]",
                IpFamily::IPv4 => "0.0.0.0",
            }
        ),
        PathTestOutcome::TimedOut | PathTestOutcome::Unreachable => format!(
            "{family} packets to {whose} are dropped, so a NetworkPolicy or the cluster's {family} \
             network is the problem"
        ),
        _ => format!("{whose} answer otherwise over {family}"),
    };
    affected(
        "one-family-pods",
        format!("{works} answers, {family} does not ({how} at the pods' addresses): {why}"),
    )
}

/// Whether the Service answers over a family anywhere but at its pods' addresses.
fn answers_past_pods(evidence: &PortEvidence<'_>, family: IpFamily) -> bool {
    let mut layers = PathLayer::ALL
        .into_iter()
        .filter(|it| *it != PathLayer::Pods);
    layers.any(|layer| {
        let cells = evidence.over_family(layer, family);
        cells.iter().any(|(_, result)| answers(result))
    })
}

fn pod_of(vantage: &AccessPath) -> &str {
    match vantage {
        AccessPath::ForwardPod(pod)
        | AccessPath::PodProxy(pod)
        | AccessPath::InCluster {
            to: InClusterName::Pod(pod, _),
            ..
        } => pod,
        _ => "",
    }
}

fn at(cells: &[TestedPath<'_>]) -> String {
    let addresses = cells.iter().filter_map(|(vantage, _)| match vantage {
        AccessPath::LoadBalancer(address) | AccessPath::ExternalIp(address) => Some(&**address),
        _ => None,
    });
    addresses.collect::<Vec<_>>().join(", ")
}
