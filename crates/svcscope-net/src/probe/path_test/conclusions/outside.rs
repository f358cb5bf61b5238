//! What clients outside the cluster meet: nodePorts, load balancers, external names.

use super::{
    super::{
        PathTestOutcome,
        port_evidence::{PortEvidence, answers},
    },
    ConclusionSeverity, RuleConclusion, affected, all_unknown, listed, unknown,
};

pub(super) fn external_name(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let name = evidence.plan.external_name.as_ref()?;
    let inside = evidence.external_name_from_inside();
    let here = evidence.external_name_from_here();
    if [&inside[..], &here].concat().iter().any(|it| answers(it)) {
        // A name of the cluster's own is not known outside, and need not be.
        if all_unknown(&here) {
            return Some(RuleConclusion {
                rule: "external-name-inside",
                text: format!(
                    "the Service stands for {name}, which answers in the cluster; the DNS of this \
                     machine knows no such name"
                ),
                severity: ConclusionSeverity::Works,
            });
        }
        return None;
    }
    // Its clients are inside: what DNS says here, it need not say there.
    let (found, place) = if inside.is_empty() {
        (here, "from this machine")
    } else {
        (inside, "from inside the cluster")
    };
    if all_unknown(&found) {
        return affected(
            "external-name-unknown",
            format!("the Service is an alias for {name}, and {place} DNS knows no such name"),
        );
    }
    let first = found
        .iter()
        .find(|it| it.reach != PathTestOutcome::NoName)?;
    affected(
        "external-name-unreachable",
        format!(
            "the Service is an alias for {name}, which does not answer {place}: {}",
            first.reach.label()
        ),
    )
}

/// A node that takes the connection leads on: what becomes of it then is the application's.
pub(super) fn node_ports(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let (good, bad): (Vec<_>, Vec<_>) = evidence
        .node_addresses()
        .into_iter()
        .partition(|(.., it)| it.reach.is_connected());
    let (.., first) = bad.first()?;
    let how = first.reach.label();
    let plan = evidence.plan;
    // A node that is asked over both families is named with the address.
    let has_families = plan.network.families.len() > 1;
    let what = if has_families { "addresses" } else { "nodes" };
    let mut nodes: Vec<_> = bad
        .iter()
        .map(|(node, address, _)| match has_families {
            true => format!("{node} ({address})"),
            false => node.to_string(),
        })
        .collect();
    nodes.dedup();
    let nodes = nodes.join(", ");
    let without_pods = bad.iter().all(|(node, ..)| !plan.has_ready_pod_on(node));
    if plan.is_visible && plan.is_traffic_policy_local && without_pods && plan.more_pods == 0 {
        return affected(
            "local-policy",
            format!(
                "externalTrafficPolicy is Local, and {nodes} {} no ready pod of the Service, so the NodePort drops traffic sent to them",
                if bad.len() == 1 { "holds" } else { "hold" }
            ),
        );
    }
    let doubts: Vec<_> = bad
        .iter()
        .map(|(_, address, _)| {
            plan.network
                .unserved_addresses
                .iter()
                .find(|(at, _)| at == *address)
        })
        .collect();
    if let Some(Some((_, Some(why)))) = doubts.first()
        && doubts
            .iter()
            .all(|doubt| matches!(doubt, Some((_, Some(_)))))
    {
        return affected(
            "node-address-not-served",
            format!("the NodePort does not answer at {nodes} ({how}): {why}"),
        );
    }
    let perhaps = if doubts.iter().all(Option::is_some) {
        "; or kube-proxy does not serve nodePorts at an address that is not the node's primary one, \
         as in nftables mode"
    } else {
        ""
    };
    if good.is_empty() {
        return affected(
            "node-ports",
            if evidence.answers_inside() {
                format!(
                    "the Service answers in the cluster, and the NodePort on no node from this \
                     machine ({how}): a firewall or a route between this machine and the nodes is \
                     the problem{perhaps}"
                )
            } else {
                format!(
                    "the NodePort answers on no node from this machine ({how}), and no path inside \
                     the cluster could be tried to tell why"
                )
            },
        );
    }
    affected(
        "some-nodes",
        format!(
            "the NodePort answers on {} of {} {what} and not on {nodes} ({how}): a firewall, or \
             kube-proxy there, is the problem{perhaps}",
            good.len(),
            good.len() + bad.len()
        ),
    )
}

pub(super) fn outer_addresses(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let bad = evidence.outer_addresses();
    let bad: Vec<_> = bad
        .into_iter()
        .filter(|(_, it)| !answers(it) && it.reach != PathTestOutcome::Silent)
        .collect();
    let (_, first) = bad.first()?;
    let (where_, how) = (listed(&bad), first.reach.label());
    affected(
        "outer-address",
        if evidence.answers_inside() {
            format!(
                "the Service answers, and not at {where_} from this machine ({how}): the load \
                 balancer, its health checks or the route to it is the problem"
            )
        } else {
            format!(
                "nothing answers at {where_} from this machine ({how}), and no path inside the \
                 cluster could be tried to tell why"
            )
        },
    )
}

/// An answer from outside that is not known to be the Service's.
pub(super) fn unproven_response(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let found = evidence.unproven();
    let (_, first) = found.first()?;
    // Where more is wrong that is said.
    if found.len() != evidence.tried().filter(|it| !it.reach.is_reached()).count() {
        return None;
    }
    let (where_, how) = (listed(&found), http_words(first.reach));
    if let Some(word) = different_application(evidence) {
        return Some(word);
    }
    unknown(
        "unproven-answer",
        format!(
            "{where_} is answered by something ({how}), not known whether by this Service: no path \
             inside the cluster answered to compare with"
        ),
    )
}

/// An answer that is known not to be like the application's.
pub(super) fn different_application(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let mut others = evidence.unproven();
    others.retain(|(_, it)| it.clues.differs_from_cluster);
    let (_, other) = others.first()?;
    unknown(
        "another-answers",
        format!(
            "something else answers at {}, or a proxy answers for the Service: {} differs from the application's response inside the cluster",
            listed(&others),
            http_words(other.reach)
        ),
    )
}

fn http_words(reach: PathTestOutcome) -> String {
    match reach {
        PathTestOutcome::Unproven(status) => PathTestOutcome::Status(status).label(),
        other => other.label(),
    }
}
