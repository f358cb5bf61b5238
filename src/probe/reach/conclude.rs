//! What follows from a matrix, in one sentence for each port.
//!
//! Each rule looks at the evidence of one port and knows nothing else. They are asked in the order
//! of a packet's way, from the application outwards: what is wrong nearest to it explains the rest.

use std::fmt::Write as _;

use serde::Serialize;

use super::{
    CellResult, Plan, Reach,
    evidence::{Evidence, Named, all_are, answers},
};
use crate::inventory::Text;

/// A sentence, and the rule that it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conclusion {
    /// The numbers of the ports that it is about.
    pub ports: Vec<u16>,
    /// The rule's name, which stays the same.
    pub rule: &'static str,
    /// The sentence.
    pub text: Text,
    /// Whether there is nothing to mend.
    pub is_fine: bool,
}

/// A rule's word.
struct Word {
    rule: &'static str,
    text: String,
    is_fine: bool,
}

type Rule = fn(&Evidence<'_>) -> Option<Word>;

/// The order is the order of precedence.
const RULES: [Rule; 17] = [
    external_name,
    no_endpoints,
    none_ready,
    untried,
    nothing_listens,
    wrong_language,
    some_pods,
    silent,
    cut,
    loopback,
    dropped,
    service_path,
    dns,
    node_ports,
    outer_addresses,
    certificate,
    reached,
];

/// What follows, one for each port; ports of which the same is to be said share one.
pub fn conclude(plan: &Plan, results: &[CellResult]) -> Vec<Conclusion> {
    let mut conclusions: Vec<Conclusion> = Vec::new();
    for (index, port) in plan.ports.iter().enumerate() {
        let Some(evidence) = Evidence::of(plan, index, results) else {
            continue;
        };
        let word = RULES.iter().find_map(|rule| rule(&evidence));
        let word = word.unwrap_or_else(|| unclear(&evidence));
        let same = conclusions
            .iter_mut()
            .find(|known| known.rule == word.rule && *known.text == *word.text);
        match same {
            Some(known) => known.ports.push(port.number),
            None => conclusions.push(Conclusion {
                ports: vec![port.number],
                rule: word.rule,
                text: word.text.into(),
                is_fine: word.is_fine,
            }),
        }
    }
    if plan.ports.is_empty() {
        conclusions.push(Conclusion {
            ports: Vec::new(),
            rule: "no-ports",
            text: "the Service lists no ports, so there is nothing to test".into(),
            is_fine: true,
        });
    }
    conclusions
}

fn wrong(rule: &'static str, text: impl Into<String>) -> Option<Word> {
    Some(Word {
        rule,
        text: text.into(),
        is_fine: false,
    })
}

fn untried(evidence: &Evidence<'_>) -> Option<Word> {
    if evidence.tried().next().is_some() {
        return None;
    }
    let first = evidence.all().next();
    let why = first.map_or("there is no path", |result| &*result.note);
    let is_fine = evidence.all().all(|cell| cell.reach == Reach::NotTestable);
    Some(Word {
        rule: "untried",
        text: format!("nothing could be tried: {why}"),
        is_fine,
    })
}

fn external_name(evidence: &Evidence<'_>) -> Option<Word> {
    let name = evidence.plan.external_name.as_ref()?;
    let found = evidence.external_name();
    if found.iter().any(|result| answers(result)) {
        return None;
    }
    if found.iter().any(|result| result.reach == Reach::NoName) {
        return wrong(
            "external-name-unknown",
            format!("the Service stands for {name}, and DNS knows no such name"),
        );
    }
    let first = found.first()?;
    wrong(
        "external-name-unreachable",
        format!(
            "the Service stands for {name}, which does not answer: {}",
            first.reach.words()
        ),
    )
}

fn no_endpoints(evidence: &Evidence<'_>) -> Option<Word> {
    let plan = evidence.plan;
    if plan.ready_endpoints > 0 || !plan.pods.is_empty() || plan.external_name.is_some() {
        return None;
    }
    if plan.has_selector {
        return wrong(
            "no-endpoints",
            "no pod matches the Service's selector, so it has no endpoints and every path to it \
             ends there",
        );
    }
    wrong(
        "no-endpoints",
        "the Service has no selector and nobody gave it endpoints, so every path to it ends there",
    )
}

fn none_ready(evidence: &Evidence<'_>) -> Option<Word> {
    let plan = evidence.plan;
    if plan.ready_endpoints > 0 || plan.pods.is_empty() {
        return None;
    }
    let pods = many(plan.pods.len() + plan.more_pods, "pod");
    let forwards = evidence.forwards();
    let but = if forwards.iter().any(|(_, result)| answers(result)) {
        "; by a forward the application does answer, so look at the readiness probe"
    } else if all_are(&forwards, |reach| reach == Reach::Refused) {
        "; nothing listens in them either, so look at the application"
    } else {
        ""
    };
    let none = if plan.pods.len() == 1 {
        format!("the only pod, {}, is not ready", name(&plan.pods))
    } else {
        format!("none of {pods} is ready")
    };
    wrong(
        "none-ready",
        format!("{none}, so the Service has no ready endpoints and sends nothing to them{but}"),
    )
}

fn nothing_listens(evidence: &Evidence<'_>) -> Option<Word> {
    let forwards = evidence.forwards();
    if !all_are(&forwards, |reach| reach == Reach::Refused) {
        return None;
    }
    let declared = evidence.plan.pods.first().map(|pod| &pod.declared);
    let declared = declared.filter(|ports| !ports.is_empty()).map(|ports| {
        let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
        format!("; the pods declare {}", ports.join(", "))
    });
    let pods = match forwards.as_slice() {
        [(pod, _)] => format!("in pod {pod}"),
        _ => "in any of the pods".to_owned(),
    };
    wrong(
        "nothing-listens",
        format!(
            "nothing listens on targetPort {} {pods}: the targetPort is wrong, or the application \
             is not up{}",
            evidence.port.target,
            declared.unwrap_or_default()
        ),
    )
}

/// What was asked in one language was answered in another. Only what the application says in the
/// pod itself counts, or where no forward could be tried, all that came.
fn wrong_language(evidence: &Evidence<'_>) -> Option<Word> {
    let asked = evidence.port.spoken;
    let mut tried: Vec<_> = evidence.forwards().into_iter().map(|(_, it)| it).collect();
    if tried.is_empty() {
        tried = evidence.tried().collect();
    }
    let clue = |wanted: fn(&CellResult) -> bool| tried.iter().any(|result| wanted(result));
    let speaks = tried.iter().find_map(|result| result.clues.speaks);
    if clue(|result| result.clues.wants_tls) || (asked == "http" && speaks == Some("https")) {
        return wrong(
            "wants-tls",
            "the port wants TLS and is asked in plain http: name the port https, or ask \
                 it by https",
        );
    }
    if clue(|result| result.clues.is_plain) || (asked == "https" && speaks == Some("http")) {
        return wrong(
            "speaks-plain",
            "the port speaks plain HTTP and is asked by https: TLS ends somewhere else, or \
                 the port is named wrongly",
        );
    }
    if speaks == Some("h2c") {
        return wrong(
            "speaks-h2c",
            "the port speaks HTTP/2 without TLS and nothing else, as gRPC does: a client of \
                 HTTP/1.1 gets no answer",
        );
    }
    if asked == "h2c" && speaks.is_some() {
        return wrong(
            "speaks-http1",
            "the port speaks HTTP/1.1 and is asked by HTTP/2 without TLS",
        );
    }
    let strange = tried.iter().find(|result| {
        matches!(result.reach, Reach::NotHttp | Reach::TlsFailed) && speaks.is_none()
    })?;
    let all = tried
        .iter()
        .all(|result| matches!(result.reach, Reach::NotHttp | Reach::TlsFailed));
    if !all {
        return None;
    }
    wrong(
        "wrong-language",
        format!(
            "the port is reached and does not speak {asked}: {}",
            strange.note
        ),
    )
}

fn some_pods(evidence: &Evidence<'_>) -> Option<Word> {
    let forwards = evidence.forwards();
    let (good, bad): (Vec<_>, Vec<_>) = forwards.into_iter().partition(|(_, it)| answers(it));
    if good.is_empty() || bad.is_empty() {
        return None;
    }
    let (first, result) = bad.first()?;
    let how = result.reach.words();
    if bad.len() == 1 {
        return wrong(
            "some-pods",
            format!(
                "every pod but {first} answers ({how} there): that pod is the problem, and a part \
                 of all requests meets it"
            ),
        );
    }
    let verb = if good.len() == 1 { "answers" } else { "answer" };
    wrong(
        "some-pods",
        format!(
            "{} of {} pods {verb}, but not {} ({how})",
            good.len(),
            good.len() + bad.len(),
            listed(&bad)
        ),
    )
}

fn silent(evidence: &Evidence<'_>) -> Option<Word> {
    let forwards = evidence.forwards();
    if !all_are(&forwards, |reach| {
        matches!(reach, Reach::Silent | Reach::TimedOut)
    }) {
        return None;
    }
    wrong(
        "silent",
        "the application takes connections and does not answer in time, in the pod itself: it is \
         slow, or stuck, or waits for something else than HTTP",
    )
}

fn cut(evidence: &Evidence<'_>) -> Option<Word> {
    let forwards = evidence.forwards();
    if !all_are(&forwards, |reach| reach == Reach::Reset) {
        return None;
    }
    let broke_off = forwards.iter().any(|(_, result)| result.clues.broke_off);
    if broke_off {
        return wrong(
            "broke-off",
            "the application begins an answer and cuts the connection in the middle of it",
        );
    }
    wrong(
        "cut",
        "the application takes connections and cuts them without an answer",
    )
}

/// By a forward the port is reached at 127.0.0.1, by the network at the pod's address.
fn loopback(evidence: &Evidence<'_>) -> Option<Word> {
    let refused = |reach| reach == Reach::Refused;
    pods_by_address(evidence, refused).map(|(pods, all)| Word {
        rule: "loopback-only",
        text: if all {
            "the application answers at 127.0.0.1 in the pod and refuses at the pod's address: it \
             listens on loopback only, so bind it to 0.0.0.0"
                .to_owned()
        } else {
            format!(
                "the application listens on loopback only in {pods}: it answers there at 127.0.0.1 \
                 and refuses at the pod's address"
            )
        },
        is_fine: false,
    })
}

fn dropped(evidence: &Evidence<'_>) -> Option<Word> {
    let lost = |reach| matches!(reach, Reach::TimedOut | Reach::Unreachable);
    pods_by_address(evidence, lost).map(|(pods, all)| {
        let whose = if all { "the pods".to_owned() } else { pods };
        Word {
            rule: "dropped",
            text: format!(
                "the application answers by a forward, and packets to {whose} over the network are \
                 dropped: a NetworkPolicy or a firewall is the problem"
            ),
            is_fine: false,
        }
    })
}

/// The pods that answer by a forward and fail like this at their address: their names, and whether
/// these are all that were tried.
fn pods_by_address(
    evidence: &Evidence<'_>,
    fails: impl Fn(Reach) -> bool,
) -> Option<(String, bool)> {
    let forwards = evidence.forwards();
    let answering = |pod: &Text| {
        forwards
            .iter()
            .any(|(name, result)| *name == pod && answers(result))
    };
    let addresses = evidence.pod_addresses();
    let tried: Vec<_> = addresses
        .into_iter()
        .filter(|(pod, _)| answering(pod))
        .collect();
    // A pod that is reached from anywhere listens at its address.
    let lost: Vec<Named<'_>> = tried
        .iter()
        .filter(|(_, result)| fails(result.reach))
        .filter(|(pod, _)| {
            let others = tried.iter().filter(|(name, _)| name == pod);
            others.clone().all(|(_, result)| !answers(result))
        })
        .copied()
        .collect();
    let mut names: Vec<Text> = lost.iter().map(|(pod, _)| (*pod).clone()).collect();
    names.dedup();
    if names.is_empty() {
        return None;
    }
    let pods = tried.iter().all(|(pod, _)| names.contains(pod));
    let names = names.iter().map(|name| format!("pod {name}"));
    Some((names.collect::<Vec<_>>().join(", "), pods))
}

fn service_path(evidence: &Evidence<'_>) -> Option<Word> {
    let direct = [evidence.forwards(), evidence.pod_addresses()].concat();
    if !direct.iter().any(|(_, result)| answers(result)) {
        return None;
    }
    let address = evidence.cluster_ip();
    if let Some(first) = address.first()
        && !address.iter().any(|result| answers(result))
    {
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
    let failed = proxied.iter().find(|result| !answers(result))?;
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
    wrong(
        "service-path",
        format!(
            "the pods answer by a forward and the Service's path does not ({}): the Service, its \
             endpoints or a policy is the problem",
            failed.reach.words()
        ),
    )
}

fn dns(evidence: &Evidence<'_>) -> Option<Word> {
    let names = evidence.names();
    let unknown = names.iter().filter(|it| it.reach == Reach::NoName).count();
    if unknown == 0 {
        return None;
    }
    let address_answers = evidence.cluster_ip().iter().any(|result| answers(result));
    if unknown < names.len() {
        return wrong(
            "some-names",
            "not every name of the Service resolves in that pod: its DNS search domains are not \
             the usual ones",
        );
    }
    if address_answers {
        return wrong(
            "dns",
            "the Service answers at its address and its name does not resolve: the cluster's DNS is \
             the problem",
        );
    }
    wrong(
        "dns",
        "the Service's name does not resolve in the cluster: its DNS is the problem",
    )
}

fn node_ports(evidence: &Evidence<'_>) -> Option<Word> {
    let (good, bad): (Vec<_>, Vec<_>) = evidence
        .node_ports()
        .into_iter()
        .partition(|(_, it)| answers(it));
    let (_, first) = bad.first()?;
    let how = first.reach.words();
    let nodes = listed(&bad);
    let plan = evidence.plan;
    let without_pods = bad.iter().all(|(node, _)| !plan.has_ready_pod_on(node));
    if plan.is_local && without_pods && plan.more_pods == 0 {
        return wrong(
            "local-policy",
            format!(
                "externalTrafficPolicy is Local, and {nodes} {} no ready pod of the Service, so the \
                 NodePort drops what comes there",
                if bad.len() == 1 { "holds" } else { "hold" }
            ),
        );
    }
    if good.is_empty() {
        return wrong(
            "node-ports",
            format!(
                "the Service answers in the cluster, and the NodePort on no node from this machine \
                 ({how}): a firewall or a route between this machine and the nodes is the problem"
            ),
        );
    }
    wrong(
        "some-nodes",
        format!(
            "the NodePort answers on {} of {} nodes and not on {nodes} ({how}): a firewall, or \
             kube-proxy there, is the problem",
            good.len(),
            good.len() + bad.len()
        ),
    )
}

fn outer_addresses(evidence: &Evidence<'_>) -> Option<Word> {
    let bad = evidence.outer_addresses();
    let bad: Vec<_> = bad.into_iter().filter(|(_, it)| !answers(it)).collect();
    let (_, first) = bad.first()?;
    wrong(
        "outer-address",
        format!(
            "the Service answers, and not at {} from this machine ({}): the load balancer, its \
             health checks or the route to it is the problem",
            listed(&bad),
            first.reach.words()
        ),
    )
}

fn certificate(evidence: &Evidence<'_>) -> Option<Word> {
    if let Some(at) = evidence.tried().find_map(|result| result.clues.expired) {
        let day = at.strftime("%Y-%m-%d");
        return wrong(
            "certificate-expired",
            format!(
                "the port is reached, and its certificate has expired on {day}: clients that \
                 verify it refuse"
            ),
        );
    }
    let names = evidence
        .tried()
        .find_map(|result| result.clues.other_names.as_ref())?;
    wrong(
        "certificate-name",
        format!(
            "the port is reached, and its certificate is for {} and for none of the Service's \
             names: clients that verify it refuse",
            names.join(", ")
        ),
    )
}

fn reached(evidence: &Evidence<'_>) -> Option<Word> {
    let tried = evidence.tried().count();
    if !evidence.tried().all(|result| result.reach.is_reached()) {
        return None;
    }
    let mut text = match tried {
        1 => "the one path that was tried leads to the application".to_owned(),
        _ => format!("all {tried} paths that were tried lead to the application"),
    };
    let statuses: Vec<_> = evidence
        .tried()
        .filter_map(|result| match result.reach {
            Reach::Status(status) => Some(status),
            _ => None,
        })
        .collect();
    if let Some(worst) = statuses.iter().max().filter(|status| **status >= 500) {
        write!(text, ", which answers {worst} itself").ok();
        return wrong("error-status", text);
    }
    if let Some(to) = evidence.tried().find_map(|it| it.clues.redirect.as_ref()) {
        write!(text, ", which redirects to {to}, another host").ok();
    }
    if evidence.tried().any(|result| result.clues.is_long) {
        text.push_str(", with a body that is long or has no end");
    }
    Some(Word {
        rule: "reached",
        text,
        is_fine: true,
    })
}

/// No rule knows more.
fn unclear(evidence: &Evidence<'_>) -> Word {
    let tried = evidence.tried().count();
    let failed: Vec<_> = evidence
        .tried()
        .filter(|result| !result.reach.is_reached())
        .collect();
    let mut ways: Vec<String> = failed.iter().map(|result| result.reach.words()).collect();
    ways.sort();
    ways.dedup();
    Word {
        rule: "unclear",
        text: format!(
            "{} of {tried} paths that were tried do not lead to the application ({})",
            failed.len(),
            ways.join(", ")
        ),
        is_fine: false,
    }
}

fn many(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

fn listed(named: &[Named<'_>]) -> String {
    let mut names: Vec<_> = named.iter().map(|(name, _)| name.to_string()).collect();
    names.dedup();
    names.join(", ")
}

fn name(pods: &[super::plan::PlannedPod]) -> &str {
    pods.first().map_or("", |pod| &pod.name)
}
