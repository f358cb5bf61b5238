//! Fields that do less, or something else, than they seem to.

use super::{
    CheckRule, Finding, FindingLocation, RuleContext, RuleFunction, RuleGroup, Severity,
    documentation_urls, words,
};
use svcscope_model::inventory::ServiceType;

pub(super) static RULES: &[&CheckRule] = &[&EXTERNAL_NAME, &AFFINITY, &EXTERNAL_IPS, &DEPRECATED];

const FIELDS: CheckRule = CheckRule {
    group: RuleGroup::Type,
    ..CheckRule::BASE
};

static EXTERNAL_NAME: CheckRule = CheckRule {
    id: "SVC-EXTERNAL-NAME-FIELDS",
    title: "ExternalName with fields that have no effect",
    severity: Severity::Warning,
    about: "An ExternalName Service is an entry of DNS: a selector finds nothing and ports are not \
            translated. Ports alone are a note, because Ingress controllers want them.",
    url: documentation_urls::EXTERNAL_NAME,
    function: RuleFunction::Service(external_name),
    ..FIELDS
};

static AFFINITY: CheckRule = CheckRule {
    id: "SVC-SESSION-AFFINITY",
    title: "sessionAffinity may do something else than it says",
    about: "Through a load balancer or an Ingress all clients may have one address: then all go to \
            one pod. A headless Service ignores it.",
    url: documentation_urls::AFFINITY,
    function: RuleFunction::Service(affinity),
    ..FIELDS
};

static EXTERNAL_IPS: CheckRule = CheckRule {
    id: "SVC-EXTERNAL-IPS",
    title: "externalIPs is set",
    severity: Severity::Warning,
    about: "Whoever may write it can take traffic that is meant for others (CVE-2020-8554), and the \
            field is deprecated. Headless and ExternalName Services ignore it.",
    url: documentation_urls::EXTERNAL_IPS,
    function: RuleFunction::Service(external_ips),
    ..FIELDS
};

static DEPRECATED: CheckRule = CheckRule {
    id: "SVC-TOPOLOGY-DEPRECATED",
    title: "An old name of a topology setting",
    about: "The annotation topology-aware-hints became topology-mode, and trafficDistribution \
            PreferClose became PreferSameZone.",
    url: documentation_urls::TOPOLOGY,
    function: RuleFunction::Service(deprecated),
    ..FIELDS
};

fn external_name(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    if service.service_type != ServiceType::ExternalName {
        return Vec::new();
    }
    let mut fields = Vec::new();
    if !service.selector.is_empty() {
        fields.push("selector");
    }
    if !service.ports.is_empty() {
        fields.push("ports");
    }
    if fields.is_empty() {
        return Vec::new();
    }
    let list = fields.join(" and ");
    let verb = if fields == ["selector"] {
        "has"
    } else {
        "have"
    };
    let found = EXTERNAL_NAME
        .finding(
            FindingLocation::Service,
            format!("{list} without effect"),
            format!("An ExternalName Service is only a name in DNS: {list} {verb} no effect."),
        )
        .evidence(fields.iter().map(|field| format!("spec.{field} is set")));
    vec![if service.selector.is_empty() {
        found.with_severity(Severity::Note)
    } else {
        found.hint("take the selector out, or make it a ClusterIP Service")
    }]
}

fn affinity(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    if !service.session_affinity_client_ip {
        return Vec::new();
    }
    let message = if service.is_headless() {
        "sessionAffinity ClientIP has no effect on a headless Service."
    } else if service.service_type == ServiceType::LoadBalancer {
        "sessionAffinity is ClientIP: if the load balancer or the nodes hide the addresses of \
         clients, all of them go to one pod."
    } else {
        return Vec::new();
    };
    vec![
        AFFINITY
            .finding(FindingLocation::Service, "sessionAffinity", message)
            .evidence(["spec.sessionAffinity: ClientIP"]),
    ]
}

fn external_ips(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    if service.external_ips.is_empty() {
        return Vec::new();
    }
    let list = words::list(&service.external_ips);
    let ignored = service.is_headless() || !case.needs_endpoints();
    let message = if ignored {
        format!("externalIPs ({list}) are ignored on this type of Service.")
    } else {
        format!("Each node accepts all traffic for {list}; externalIPs is deprecated.")
    };
    vec![
        EXTERNAL_IPS
            .finding(FindingLocation::Service, "externalIPs", message)
            .evidence([format!("spec.externalIPs: {list}")])
            .hint("use a LoadBalancer Service or the Gateway API"),
    ]
}

fn deprecated(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    let annotation = "service.kubernetes.io/topology-aware-hints";
    let (old, new) = if service.annotations.contains_key(annotation) {
        (annotation, "service.kubernetes.io/topology-mode")
    } else if service.traffic_distribution.as_deref() == Some("PreferClose") {
        (
            "trafficDistribution: PreferClose",
            "trafficDistribution: PreferSameZone",
        )
    } else {
        return Vec::new();
    };
    vec![
        DEPRECATED
            .finding(
                FindingLocation::Service,
                "old name of a topology setting",
                format!("{old} is an old name of {new}."),
            )
            .evidence([old.to_owned()]),
    ]
}
