//! What the application in the pods says for itself: whether there are pods, and how they answer.

use super::{
    super::{
        PathTestOutcome, PathTestResult,
        plan::PlannedPod,
        port_evidence::{PortEvidence, all_are, answers},
    },
    ConclusionSeverity, RuleConclusion, affected, broken, listed,
};

pub(super) fn no_endpoints(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let plan = evidence.plan;
    let has_some = plan.ready_endpoints > 0 || !plan.pods.is_empty();
    if has_some || !plan.is_visible || plan.external_name.is_some() {
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
        "the Service has no selector and no endpoints were added to it, so every path to it fails",
    )
}

pub(super) fn none_ready(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let plan = evidence.plan;
    if plan.ready_endpoints > 0 || plan.pods.is_empty() || !plan.is_visible {
        return None;
    }
    let pods = many(plan.pods.len() + plan.more_pods, "pod");
    let forwards = evidence.forwards();
    let but = if forwards.iter().any(|(_, result)| answers(result)) {
        "; by a forward the application does answer, so look at the readiness probe"
    } else if evidence.is_of_all_pods()
        && all_are(&forwards, |reach| reach == PathTestOutcome::Refused)
    {
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

/// A targetPort that is a name leads to no backend where no pod declares a port of that name.
pub(super) fn undeclared(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let (plan, port) = (evidence.plan, evidence.port);
    let known = (port.number, port.protocol);
    let is_missing = plan.is_visible && plan.network.undeclared_ports.contains(&known);
    let is_name = port.target.parse::<u16>().is_err();
    // Endpoints that are ready and yet none: it is their port that is missing.
    let mut proxied = evidence.service_proxy().into_iter();
    let is_told = is_name
        && plan.is_visible
        && plan.ready_endpoints > 0
        && proxied.any(|it| it.clues.no_endpoints);
    if !(is_missing || is_told) || evidence.answers_anywhere() {
        return None;
    }
    let whose = if is_missing { "no pod" } else { "no ready pod" };
    broken(
        "target-port-name",
        format!(
            "targetPort `{}` is a name that {whose} declares, so the Service has no endpoint port \
             and every path to it fails",
            port.target
        ),
    )
}

pub(super) fn nothing_listens(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let forwards = evidence.forwards();
    if !all_are(&forwards, |reach| reach == PathTestOutcome::Refused) || evidence.connects_inside()
    {
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
    // A forward leads to the pod's loopback addresses and to no other.
    if !evidence.refused_at_address() || evidence.answers_anywhere() {
        return affected(
            "nothing-on-loopback",
            format!(
                "nothing listens at the pod's loopback address on targetPort {} {pods} (it may \
                 listen at the pod's address only){}",
                evidence.port.target,
                declared.unwrap_or_default()
            ),
        );
    }
    let word = affected(
        "nothing-listens",
        format!(
            "nothing listens on targetPort {} {pods}: the targetPort is wrong, or the application \
             is not up{}",
            evidence.port.target,
            declared.unwrap_or_default()
        ),
    );
    word.map(|word| {
        word.with_severity(if all {
            ConclusionSeverity::Broken
        } else {
            ConclusionSeverity::Affected
        })
    })
}

/// A forward comes to the pod's 127.0.0.1, everybody else to its address.
pub(super) fn own_address_only(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let refused = all_are(&evidence.forwards(), |reach| {
        reach == PathTestOutcome::Refused
    });
    if !refused || !evidence.answers_inside() {
        return None;
    }
    let clients = evidence.client_paths();
    if clients.iter().any(|it| answers(it)) {
        return affected(
            "own-address-only",
            "the application answers at the pod's address and refuses at 127.0.0.1 in the pod: it \
             listens on that address only, so clients reach it and port-forwards do not",
        );
    }
    // The API server takes an address of the pod of whatever family.
    if !clients.is_empty() {
        return None;
    }
    affected(
        "own-address-only",
        "the application answers the API server at the pod's address and refuses at 127.0.0.1 in \
         the pod: it listens on that address only, so port-forwards do not reach it; whether \
         clients in the cluster do was not tested: try --from POD or --inside NAMESPACE",
    )
}

/// What was asked in one language was answered in another. Only what the application says in the
/// pod itself counts, or where no forward could be tried, all that came from inside the cluster.
pub(super) fn wrong_language(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let asked = evidence.port.app_protocol;
    let mut tried: Vec<_> = evidence.forwards().into_iter().map(|(_, it)| it).collect();
    if tried.is_empty() {
        tried = evidence.tried_inside();
    }
    let clue = |wanted: fn(&PathTestResult) -> bool| tried.iter().any(|result| wanted(result));
    let speaks = tried
        .iter()
        .find_map(|result| result.clues.detected_protocol);
    if clue(|result| result.clues.wants_tls) || (asked == "http" && speaks == Some("https")) {
        return affected(
            "wants-tls",
            "the port expects TLS but was tested with plain HTTP: name the port https, or use https",
        );
    }
    if clue(|result| result.clues.is_plaintext) || (asked == "https" && speaks == Some("http")) {
        return affected(
            "speaks-plain",
            "the port speaks plain HTTP but was tested with https: TLS ends somewhere else, or \
                 the port is named wrongly",
        );
    }
    if speaks == Some("h2c") {
        return affected(
            "speaks-h2c",
            "the port speaks HTTP/2 without TLS and nothing else, as gRPC does: a client of \
                 HTTP/1.1 gets no answer",
        );
    }
    if asked == "h2c" && speaks.is_some() {
        return affected(
            "speaks-http1",
            "the port speaks HTTP/1.1 and is asked by HTTP/2 without TLS",
        );
    }
    let strange = tried.iter().find(|result| {
        matches!(
            result.reach,
            PathTestOutcome::NotHttp | PathTestOutcome::TlsFailed
        ) && speaks.is_none()
    })?;
    let all = tried.iter().all(|result| {
        matches!(
            result.reach,
            PathTestOutcome::NotHttp | PathTestOutcome::TlsFailed
        )
    });
    if !all {
        return None;
    }
    affected(
        "wrong-language",
        format!(
            "the port is reachable but does not speak {asked}: {}",
            strange.note
        ),
    )
}

pub(super) fn some_pods(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let forwards = evidence.forwards();
    let (good, bad): (Vec<_>, Vec<_>) = forwards.into_iter().partition(|(_, it)| answers(it));
    if good.is_empty() || bad.is_empty() {
        return None;
    }
    let (first, result) = bad.first()?;
    let how = result.reach.label();
    if bad.len() == 1 && evidence.is_of_all_pods() {
        return affected(
            "some-pods",
            format!(
                "every pod but {first} answers ({how} there): that pod is the problem, and some of the requests go to it"
            ),
        );
    }
    let verb = if good.len() == 1 { "answers" } else { "answer" };
    affected(
        "some-pods",
        format!(
            "{} of {} pods {verb}, but not {} ({how})",
            good.len(),
            good.len() + bad.len(),
            listed(&bad)
        ),
    )
}

pub(super) fn silent(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let forwards = evidence.forwards();
    if !all_are(&forwards, |reach| reach == PathTestOutcome::Silent) || evidence.answers_inside() {
        return None;
    }
    affected(
        "silent",
        "the application takes connections and does not answer in time, in the pod itself: it is \
         slow, or stuck, or waits for something else than HTTP",
    )
}

pub(super) fn cut(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    let forwards = evidence.forwards();
    if !all_are(&forwards, |reach| reach == PathTestOutcome::Reset) || evidence.answers_inside() {
        return None;
    }
    let broke_off = forwards.iter().any(|(_, result)| result.clues.broke_off);
    if broke_off {
        return affected(
            "broke-off",
            "the application starts a response and closes the connection before its end",
        );
    }
    affected(
        "cut",
        "the application accepts connections and closes them without a response",
    )
}

pub(super) fn certificate(evidence: &PortEvidence<'_>) -> Option<RuleConclusion> {
    if let Some(at) = evidence.tried().find_map(|result| result.clues.expired) {
        let day = at.strftime("%Y-%m-%d");
        return affected(
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
    affected(
        "certificate-name",
        format!(
            "the port is reached, and its certificate is for {} and for none of the Service's \
             names: clients that verify it refuse",
            names.join(", ")
        ),
    )
}

fn many(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

fn name(pods: &[PlannedPod]) -> &str {
    pods.first().map_or("", |pod| &pod.name)
}
