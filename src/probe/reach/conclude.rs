//! What follows from a matrix, in one sentence for each port.
//!
//! Each rule looks at the evidence of one port and knows nothing else. They are asked in the order
//! of a packet's way, from the application outwards: what is wrong nearest to it explains the rest.
//!
//! A rule blames by what the network or the other side did, never by a cell that could not be
//! tested: the fewer cells were tested, the less is said.

use std::fmt::Write as _;

use serde::Serialize;

use super::{
    CellResult, Plan, Reach,
    evidence::{Evidence, Named, all_are, answers},
    families::one_family,
};
use crate::{inventory::Text, probe::Insider};

/// A sentence, and the rule that it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conclusion {
    /// The numbers of the ports that it is about.
    pub ports: Vec<u16>,
    /// The rule's name, which stays the same.
    pub rule: &'static str,
    /// The sentence.
    pub text: Text,
    /// The same in a few words: `nothing listens on targetPort 8080`.
    pub short: Text,
    /// Whether there is nothing to mend, as far as is known.
    pub is_fine: bool,
    /// What it means for the Service.
    pub means: Meaning,
}

/// What a conclusion means for the Service, the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// It works by every path that was tried.
    Works,
    /// Nobody knows: nothing could be tried, or it is not known who answered.
    Unknown,
    /// A path, a pod or a client is affected, or how it is asked.
    Affected,
    /// No client gets an answer from it.
    Broken,
}

/// A rule's word.
pub(super) struct Word {
    rule: &'static str,
    text: String,
    means: Meaning,
}

impl Word {
    fn means(self, means: Meaning) -> Self {
        Self { means, ..self }
    }
}

type Rule = fn(&Evidence<'_>) -> Option<Word>;

/// The order is the order of precedence.
const RULES: [Rule; 20] = [
    external_name,
    no_endpoints,
    none_ready,
    untried,
    nothing_listens,
    own_address_only,
    wrong_language,
    some_pods,
    silent,
    cut,
    one_family,
    loopback,
    dropped,
    service_path,
    dns,
    node_ports,
    outer_addresses,
    another,
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
        let word = weightiest(&evidence).unwrap_or_else(|| unclear(&evidence));
        let same = conclusions
            .iter_mut()
            .find(|known| known.rule == word.rule && *known.text == *word.text);
        match same {
            Some(known) => known.ports.push(port.number),
            None => conclusions.push(Conclusion {
                ports: vec![port.number],
                rule: word.rule,
                short: short(&word, &evidence).into(),
                text: word.text.into(),
                is_fine: is_fine(word.means, &evidence),
                means: word.means,
            }),
        }
    }
    if plan.ports.is_empty() {
        conclusions.push(Conclusion {
            ports: Vec::new(),
            rule: "no-ports",
            text: "the Service lists no ports, so there is nothing to test".into(),
            short: "no ports".into(),
            is_fine: true,
            means: Meaning::Works,
        });
    }
    conclusions
}

/// What means most; of what means the same, what is nearest to the application. A pod that fails
/// does not explain an address that no pod is reached by.
fn weightiest(evidence: &Evidence<'_>) -> Option<Word> {
    let mut found: Option<Word> = None;
    for word in RULES.iter().filter_map(|rule| rule(evidence)) {
        if found.as_ref().is_none_or(|known| word.means > known.means) {
            found = Some(word);
        }
    }
    found
}

/// Where nothing could be tried nothing is to be mended, unless a right or an agreement is missing.
fn is_fine(means: Meaning, evidence: &Evidence<'_>) -> bool {
    let untestable = || evidence.all().all(|cell| cell.reach == Reach::NotTestable);
    means == Meaning::Works || (means == Meaning::Unknown && untestable())
}

/// The few words of a sentence that fit beside a port.
fn short(word: &Word, evidence: &Evidence<'_>) -> String {
    if word.rule == "nothing-listens" {
        return format!("nothing listens on targetPort {}", evidence.port.target);
    }
    let known = match word.rule {
        "own-address-only" => "not on 127.0.0.1",
        "loopback-only" => "listens on loopback only",
        "wants-tls" => "wants TLS",
        "speaks-plain" => "speaks plain HTTP",
        "speaks-h2c" => "speaks HTTP/2 only",
        "speaks-http1" => "speaks HTTP/1.1 only",
        "wrong-language" => "speaks something else",
        "silent" => "no answer in time",
        "cut" | "broke-off" => "connections are cut",
        "dropped" => "packets are dropped",
        "dropped-from-api-server" => "not reached from the API server",
        "service-path" => "its address does not answer",
        "service-proxy" => "not by the API server's proxy",
        "some-names" | "dns-of-pod" | "dns" => "its name does not resolve",
        "some-pods" => "not every pod answers",
        "local-policy" | "some-nodes" | "node-ports" => "nodePort fails from here",
        "outer-address" => "no answer from outside",
        "certificate-expired" => "certificate expired",
        "certificate-name" => "certificate for another name",
        "error-status" => "answers with an error",
        "external-name-unknown" => "DNS knows no such name",
        "external-name-unreachable" => "does not answer",
        _ => "some paths fail",
    };
    known.to_owned()
}

/// Something of it does not work.
pub(super) fn wrong(rule: &'static str, text: impl Into<String>) -> Option<Word> {
    Some(Word {
        rule,
        text: text.into(),
        means: Meaning::Affected,
    })
}

/// Nothing of it works.
fn broken(rule: &'static str, text: impl Into<String>) -> Option<Word> {
    wrong(rule, text).map(|word| word.means(Meaning::Broken))
}

/// What can't be known.
fn unknown(rule: &'static str, text: impl Into<String>) -> Option<Word> {
    wrong(rule, text).map(|word| word.means(Meaning::Unknown))
}

fn untried(evidence: &Evidence<'_>) -> Option<Word> {
    if evidence.tried().next().is_some() {
        return None;
    }
    let first = evidence.all().next();
    let why = first.map_or("there is no path", |result| &*result.note);
    unknown("untried", format!("nothing could be tried: {why}"))
}

fn external_name(evidence: &Evidence<'_>) -> Option<Word> {
    let name = evidence.plan.external_name.as_ref()?;
    let inside = evidence.external_name_from_inside();
    let here = evidence.external_name_from_here();
    if [&inside[..], &here].concat().iter().any(|it| answers(it)) {
        // A name of the cluster's own is not known outside, and need not be.
        if all_unknown(&here) {
            return Some(Word {
                rule: "external-name-inside",
                text: format!(
                    "the Service stands for {name}, which answers in the cluster; the DNS of this \
                     machine knows no such name"
                ),
                means: Meaning::Works,
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
        return wrong(
            "external-name-unknown",
            format!("the Service stands for {name}, and {place} DNS knows no such name"),
        );
    }
    let first = found.iter().find(|it| it.reach != Reach::NoName)?;
    wrong(
        "external-name-unreachable",
        format!(
            "the Service stands for {name}, which does not answer {place}: {}",
            first.reach.words()
        ),
    )
}

fn all_unknown(found: &[&CellResult]) -> bool {
    !found.is_empty() && found.iter().all(|it| it.reach == Reach::NoName)
}

fn no_endpoints(evidence: &Evidence<'_>) -> Option<Word> {
    let plan = evidence.plan;
    let has_some = plan.ready_endpoints > 0 || !plan.pods.is_empty();
    if has_some || !plan.is_seen || plan.external_name.is_some() {
        return None;
    }
    if plan.has_selector {
        return broken(
            "no-endpoints",
            "no pod matches the Service's selector, so it has no endpoints and every path to it \
             ends there",
        );
    }
    broken(
        "no-endpoints",
        "the Service has no selector and nobody gave it endpoints, so every path to it ends there",
    )
}

fn none_ready(evidence: &Evidence<'_>) -> Option<Word> {
    let plan = evidence.plan;
    if plan.ready_endpoints > 0 || plan.pods.is_empty() || !plan.is_seen {
        return None;
    }
    let pods = many(plan.pods.len() + plan.more_pods, "pod");
    let forwards = evidence.forwards();
    let but = if forwards.iter().any(|(_, result)| answers(result)) {
        "; by a forward the application does answer, so look at the readiness probe"
    } else if evidence.is_of_all_pods() && all_are(&forwards, |reach| reach == Reach::Refused) {
        "; nothing listens in them either, so look at the application"
    } else {
        ""
    };
    let none = if plan.pods.len() == 1 {
        format!("the only pod, {}, is not ready", name(&plan.pods))
    } else {
        format!("none of {pods} is ready")
    };
    broken(
        "none-ready",
        format!("{none}, so the Service has no ready endpoints and sends nothing to them{but}"),
    )
}

fn nothing_listens(evidence: &Evidence<'_>) -> Option<Word> {
    let forwards = evidence.forwards();
    if !all_are(&forwards, |reach| reach == Reach::Refused) || evidence.connects_inside() {
        return None;
    }
    let declared = evidence.plan.pods.first().map(|pod| &pod.declared);
    let declared = declared.filter(|ports| !ports.is_empty()).map(|ports| {
        let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
        format!("; the pods declare {}", ports.join(", "))
    });
    let all = evidence.is_of_all_pods();
    let pods = match forwards.as_slice() {
        [(pod, _)] => format!("in pod {pod}"),
        _ if all => "in any of the pods".to_owned(),
        tested => format!("in the {} pods that could be tested", tested.len()),
    };
    let word = wrong(
        "nothing-listens",
        format!(
            "nothing listens on targetPort {} {pods}: the targetPort is wrong, or the application \
             is not up{}",
            evidence.port.target,
            declared.unwrap_or_default()
        ),
    );
    word.map(|word| {
        word.means(if all {
            Meaning::Broken
        } else {
            Meaning::Affected
        })
    })
}

/// A forward comes to the pod's 127.0.0.1, everybody else to its address.
fn own_address_only(evidence: &Evidence<'_>) -> Option<Word> {
    let refused = all_are(&evidence.forwards(), |reach| reach == Reach::Refused);
    if !refused || !evidence.answers_inside() {
        return None;
    }
    wrong(
        "own-address-only",
        "the application answers at the pod's address and refuses at 127.0.0.1 in the pod: it \
         listens on that address only, so clients reach it and port-forwards do not",
    )
}

/// What was asked in one language was answered in another. Only what the application says in the
/// pod itself counts, or where no forward could be tried, all that came from inside the cluster.
fn wrong_language(evidence: &Evidence<'_>) -> Option<Word> {
    let asked = evidence.port.spoken;
    let mut tried: Vec<_> = evidence.forwards().into_iter().map(|(_, it)| it).collect();
    if tried.is_empty() {
        tried = evidence.tried_inside();
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
    if bad.len() == 1 && evidence.is_of_all_pods() {
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
    if !all_are(&forwards, |reach| reach == Reach::Silent) || evidence.answers_inside() {
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
    if !all_are(&forwards, |reach| reach == Reach::Reset) || evidence.answers_inside() {
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
    let (pods, all) = pods_by_address(evidence, evidence.pod_addresses(), refused)?;
    if all {
        return broken(
            "loopback-only",
            "the application answers at 127.0.0.1 in the pod and refuses at the pod's address: it \
             listens on loopback only, so bind it to 0.0.0.0",
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

fn dropped(evidence: &Evidence<'_>) -> Option<Word> {
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

fn service_path(evidence: &Evidence<'_>) -> Option<Word> {
    let direct = [evidence.forwards(), evidence.pod_addresses()].concat();
    if !direct.iter().any(|(_, result)| answers(result)) {
        return None;
    }
    let address = evidence.cluster_ip();
    // Where a connection was opened the path leads somewhere.
    if let Some(first) = address.first()
        && !address.iter().any(|it| it.reach.is_connected())
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

fn dns(evidence: &Evidence<'_>) -> Option<Word> {
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

/// A node that takes the connection leads on: what becomes of it then is the application's.
fn node_ports(evidence: &Evidence<'_>) -> Option<Word> {
    let (good, bad): (Vec<_>, Vec<_>) = evidence
        .node_addresses()
        .into_iter()
        .partition(|(.., it)| it.reach.is_connected());
    let (.., first) = bad.first()?;
    let how = first.reach.words();
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
    if plan.is_seen && plan.is_local && without_pods && plan.more_pods == 0 {
        return wrong(
            "local-policy",
            format!(
                "externalTrafficPolicy is Local, and {nodes} {} no ready pod of the Service, so the \
                 NodePort drops what comes there",
                if bad.len() == 1 { "holds" } else { "hold" }
            ),
        );
    }
    let doubts: Vec<_> = bad
        .iter()
        .map(|(_, address, _)| plan.network.doubtful.iter().find(|(at, _)| at == *address))
        .collect();
    if let Some(Some((_, Some(why)))) = doubts.first()
        && doubts
            .iter()
            .all(|doubt| matches!(doubt, Some((_, Some(_)))))
    {
        return wrong(
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
        return wrong(
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
    wrong(
        "some-nodes",
        format!(
            "the NodePort answers on {} of {} {what} and not on {nodes} ({how}): a firewall, or \
             kube-proxy there, is the problem{perhaps}",
            good.len(),
            good.len() + bad.len()
        ),
    )
}

fn outer_addresses(evidence: &Evidence<'_>) -> Option<Word> {
    let bad = evidence.outer_addresses();
    let bad: Vec<_> = bad
        .into_iter()
        .filter(|(_, it)| !answers(it) && it.reach != Reach::Silent)
        .collect();
    let (_, first) = bad.first()?;
    let (where_, how) = (listed(&bad), first.reach.words());
    wrong(
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
fn another(evidence: &Evidence<'_>) -> Option<Word> {
    let found = evidence.unproven();
    let (_, first) = found.first()?;
    // Where more is wrong that is said.
    if found.len() != evidence.tried().filter(|it| !it.reach.is_reached()).count() {
        return None;
    }
    let (where_, how) = (listed(&found), http_words(first.reach));
    let others: Vec<_> = found
        .into_iter()
        .filter(|(_, it)| it.clues.is_other)
        .collect();
    if let Some((_, other)) = others.first() {
        return unknown(
            "another-answers",
            format!(
                "something else answers at {}, or something in between answers for the Service: \
                 {} there is not what the application answers in the cluster",
                listed(&others),
                http_words(other.reach)
            ),
        );
    }
    unknown(
        "unproven-answer",
        format!(
            "{where_} is answered by something ({how}), not known whether by this Service: no path \
             inside the cluster answered to compare with"
        ),
    )
}

fn http_words(reach: Reach) -> String {
    match reach {
        Reach::Unproven(status) => Reach::Status(status).words(),
        other => other.words(),
    }
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
    // Outside, a load balancer has a certificate for the public name.
    let inside = evidence.tried_inside();
    let names = inside
        .iter()
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
    wrong("reached", text).map(|word| word.means(Meaning::Works))
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
        means: Meaning::Affected,
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
