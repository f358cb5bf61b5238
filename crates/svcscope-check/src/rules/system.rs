//! Services that the whole cluster depends on.

use super::{
    CheckRule, Finding, FindingLocation, Health, ObjectRef, RuleContext, RuleFunction, RuleGroup,
    Severity, WITH_BOTH, documentation_urls, words,
};
use crate::system_objects::{SYSTEM_NAMESPACE, api_service};

pub(super) static RULES: &[&CheckRule] = &[&DNS_DOWN, &KUBE_PROXY];

static DNS_DOWN: CheckRule = CheckRule {
    id: "SVC-DNS-DOWN",
    group: RuleGroup::Lifecycle,
    title: "The cluster's DNS has no ready pod",
    severity: Severity::Error,
    implied_health: Health::Broken,
    required_kinds: WITH_BOTH,
    supersedes: &["SVC-PODS-NONE-READY", "SVC-SELECTOR-NO-MATCH"],
    about: "Names of Services don't resolve anywhere in the cluster, addresses still work. Known by \
            the label k8s-app: kube-dns in kube-system, which CoreDNS has too.",
    url: documentation_urls::DNS,
    function: RuleFunction::Service(dns_down),
    ..CheckRule::BASE
};

static KUBE_PROXY: CheckRule = CheckRule {
    id: "SVC-KUBE-PROXY-NOT-READY",
    group: RuleGroup::Lifecycle,
    title: "kube-proxy is not ready on some nodes",
    severity: Severity::Warning,
    required_kinds: WITH_BOTH,
    reads_other_services: true,
    about: "The rules by which such a node finds the pods of any Service may be old. Said once, of \
            the API server's own Service; clusters that replace kube-proxy are not looked at.",
    url: documentation_urls::VIRTUAL_IPS,
    function: RuleFunction::Service(kube_proxy),
    ..CheckRule::BASE
};

fn dns_down(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    let is_dns = service.labels.get("k8s-app").map(|app| &**app) == Some("kube-dns");
    if &*service.key.namespace != SYSTEM_NAMESPACE || !is_dns || !case.ready.is_empty() {
        return Vec::new();
    }
    // A rollout is no outage.
    let mut waiting = case.not_ready_pods().into_iter().peekable();
    if waiting.peek().is_some() && waiting.all(|pod| case.is_starting(pod)) {
        return Vec::new();
    }
    let pods = case.candidates().count();
    let lines = case.candidates().map(|pod| {
        let why = pod
            .not_ready_message
            .as_deref()
            .or_else(|| pod.trouble().map(|why| &**why));
        format!("{}: {}", pod.key.name, why.unwrap_or("not ready"))
    });
    vec![
        DNS_DOWN
            .finding(
                FindingLocation::Service,
                "cluster DNS is down",
                format!(
                    "The cluster's DNS is down: names fail, addresses still work. {}.",
                    words::none_ready(pods, "")
                ),
            )
            .with_objects(words::some(
                case.candidates().map(|pod| ObjectRef::pod(&pod.key)),
            ))
            .evidence(words::some(lines))
            .hint("look at the pods of CoreDNS"),
    ]
}

fn kube_proxy(case: &RuleContext<'_>) -> Vec<Finding> {
    if case.service().key != api_service() {
        return Vec::new();
    }
    let bad: Vec<_> = case
        .inputs
        .index
        .kube_proxies()
        .filter_map(|key| case.inventory.pod(key))
        .filter(|pod| pod.is_active() && pod.deleting.is_none())
        .filter(|pod| !pod.ready && !case.is_starting(pod))
        .collect();
    if bad.is_empty() {
        return Vec::new();
    }
    let nodes = words::list(
        bad.iter()
            .map(|pod| pod.node.as_deref().unwrap_or("no node yet")),
    );
    vec![
        KUBE_PROXY
            .finding(
                FindingLocation::Service,
                format!("kube-proxy not ready on {nodes}"),
                format!(
                    "kube-proxy is not ready on {nodes}: Services may lead to old endpoints there."
                ),
            )
            .with_objects(words::some(&bad).map(|pod| ObjectRef::pod(&pod.key)))
            .evidence(words::some(bad.iter().map(|pod| {
                let why = pod.not_ready_message.as_deref().unwrap_or("not ready");
                format!("{}: {why}", pod.key.name)
            })))
            .hint("look at the pods of kube-proxy on these nodes"),
    ]
}
