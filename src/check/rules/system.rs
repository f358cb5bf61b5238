//! Services that the whole cluster depends on.

use super::{
    Case, Find, Finding, Group, ObjectRef, Place, Rule, Severity, Verdict, WITH_BOTH, links, words,
};
use crate::inventory::{ObjectKey, PodRecord};

pub(super) static RULES: &[&Rule] = &[&DNS_DOWN, &KUBE_PROXY];

/// The namespace of the cluster's own workloads.
pub(super) const SYSTEM: &str = "kube-system";

static DNS_DOWN: Rule = Rule {
    id: "SVC-DNS-DOWN",
    group: Group::Lifecycle,
    title: "The cluster's DNS has no ready pod",
    severity: Severity::Error,
    means: Verdict::Broken,
    needs: WITH_BOTH,
    silences: &["SVC-PODS-NONE-READY", "SVC-SELECTOR-NO-MATCH"],
    about: "Names of Services don't resolve anywhere in the cluster, addresses still work. Known by \
            the label k8s-app: kube-dns in kube-system, which CoreDNS has too.",
    url: links::DNS,
    find: Find::Service(dns_down),
    ..Rule::BASE
};

static KUBE_PROXY: Rule = Rule {
    id: "SVC-KUBE-PROXY-NOT-READY",
    group: Group::Lifecycle,
    title: "kube-proxy is not ready on some nodes",
    severity: Severity::Warning,
    needs: WITH_BOTH,
    looks_at_others: true,
    about: "The rules by which such a node finds the pods of any Service may be old. Said once, of \
            the API server's own Service; clusters that replace kube-proxy are not looked at.",
    url: links::VIRTUAL_IPS,
    find: Find::Service(kube_proxy),
    ..Rule::BASE
};

fn dns_down(case: &Case<'_>) -> Vec<Finding> {
    let service = case.service();
    let is_dns = service.labels.get("k8s-app").map(|app| &**app) == Some("kube-dns");
    if &*service.key.namespace != SYSTEM || !is_dns || !case.ready.is_empty() {
        return Vec::new();
    }
    // A rollout is no outage.
    let mut waiting = case.waiting().into_iter().peekable();
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
            .found(
                Place::Service,
                "cluster DNS is down",
                format!(
                    "The cluster's DNS is down: names fail, addresses still work. {}.",
                    words::none_ready(pods, "")
                ),
            )
            .about(words::some(
                case.candidates().map(|pod| ObjectRef::pod(&pod.key)),
            ))
            .evidence(words::some(lines))
            .hint("look at the pods of CoreDNS"),
    ]
}

/// Whether a pod is kube-proxy's, as kubeadm and most clusters label it.
pub(in crate::check) fn is_kube_proxy(pod: &PodRecord) -> bool {
    &*pod.key.namespace == SYSTEM
        && pod.labels.get("k8s-app").map(|app| &**app) == Some("kube-proxy")
}

/// The Service that stands for the cluster.
pub(in crate::check) fn api_service() -> ObjectKey {
    ObjectKey::new("default", "kubernetes")
}

fn kube_proxy(case: &Case<'_>) -> Vec<Finding> {
    let key = &case.service().key;
    if (&*key.namespace, &*key.name) != ("default", "kubernetes") {
        return Vec::new();
    }
    let bad: Vec<_> = case
        .world
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
            .found(
                Place::Service,
                format!("kube-proxy not ready on {nodes}"),
                format!(
                    "kube-proxy is not ready on {nodes}: Services may lead to old endpoints there."
                ),
            )
            .about(words::some(&bad).map(|pod| ObjectRef::pod(&pod.key)))
            .evidence(words::some(bad.iter().map(|pod| {
                let why = pod.not_ready_message.as_deref().unwrap_or("not ready");
                format!("{}: {why}", pod.key.name)
            })))
            .hint("look at the pods of kube-proxy on these nodes"),
    ]
}
