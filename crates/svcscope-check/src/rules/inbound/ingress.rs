//! Ingresses that lead to a Service.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{
    CheckRule, Finding, Health, INBOUND, MissingService, RuleContext, RuleFunction, Severity, at,
    documentation_urls, ingress_ref, ingresses, offered, place_words, words,
};
use svcscope_model::inventory::{
    IngressBackend, IngressClassRecord, IngressPort, IngressRecord, RelatedRecord, ResourceKind,
    ServiceRecord, ServiceType, TargetPort, TlsSecretRecord,
};
use svcscope_model::topology::ingress_port;

pub(in crate::rules) static RULES: &[&CheckRule] = &[
    &NO_SERVICE,
    &NO_PORT,
    &NO_CLASS,
    &NO_SECRET,
    &CLAIMED_TWICE,
    &NO_ADDRESS,
    &TO_EXTERNAL_NAME,
];

static NO_SERVICE: CheckRule = CheckRule {
    id: "SVC-INGRESS-NO-SERVICE",
    title: "An Ingress leads to a Service that does not exist",
    required_kinds: &[ResourceKind::Service, ResourceKind::Ingress],
    about: "An Ingress sends requests to Services of its own namespace. Where there is none of \
            that name, its controller answers 503 or leaves the whole rule out.",
    function: RuleFunction::MissingService(no_service),
    ..INBOUND
};

/// Whether a backend names an action in an annotation instead of a Service, as AWS' load balancer
/// controller reads it (docs/guide/ingress/annotations.md, `actions.${action-name}`).
fn is_alb_action(backend: &IngressBackend) -> bool {
    matches!(&backend.port, Some(IngressPort::Name(name)) if &**name == "use-annotation")
}

fn no_service(absent: &MissingService<'_>) -> Vec<Finding> {
    let key = absent.key;
    let leading = absent.inputs.inventory.related_to_service(key);
    leading
        .filter_map(|related| match related {
            RelatedRecord::Ingress(ingress) => Some(ingress),
            _ => None,
        })
        .map(|ingress| {
            let places: BTreeSet<_> = ingress
                .backends()
                .filter(|(_, _, to)| to.service == key.name && !is_alb_action(to))
                .map(|(host, path, _)| place_words(host, path.map_or("", |path| &path.path)))
                .collect();
            (ingress, places)
        })
        .filter(|(_, places)| !places.is_empty())
        .map(|(ingress, places)| {
            let message = format!(
                "Ingress {} sends {} to Service {}, and namespace {} has no such Service.",
                ingress.key,
                words::list(places),
                key.name,
                key.namespace
            );
            at(
                &NO_SERVICE,
                ingress_ref(ingress),
                format!("no Service {}", key.name),
                message,
            )
            .evidence([format!("backend.service.name: {}", key.name)])
            .hint("correct the name in the Ingress, or create the Service")
        })
        .collect()
}

static NO_PORT: CheckRule = CheckRule {
    id: "SVC-INGRESS-NO-PORT",
    title: "An Ingress refers to a port that the Service does not have",
    required_kinds: &[ResourceKind::Service, ResourceKind::Ingress],
    about: "The port of an Ingress backend is one of the Service, by its number or its name; not \
            a targetPort, a containerPort or a nodePort. Without it the controller has nowhere to \
            send the requests.",
    function: RuleFunction::Service(no_port),
    ..INBOUND
};

fn no_port(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    let mut found = Vec::new();
    if service.service_type == ServiceType::ExternalName {
        return found;
    }
    for ingress in ingresses(case) {
        let mut said = BTreeSet::new();
        for (host, path, to) in ingress.backends() {
            let Some(port) = to.port.as_ref().filter(|_| to.service == service.key.name) else {
                continue;
            };
            if ingress_port(service, port).is_some() || !said.insert(port) {
                continue;
            }
            let place = place_words(host, path.map_or("", |path| &path.path));
            let message = format!(
                "Ingress {} sends {place} to port {port} of the Service, which has no such port.",
                ingress.key
            );
            let finding = at(
                &NO_PORT,
                ingress_ref(ingress),
                format!("Ingress asks for port {port}"),
                message,
            );
            found.push(
                finding
                    .evidence([format!("backend.service.port: {port}")])
                    .hint(meant(service, port)),
            );
        }
    }
    found
}

/// What was probably meant: people write the pods' port where the Service's belongs.
fn meant(service: &ServiceRecord, said: &IngressPort) -> String {
    let is = |target: &TargetPort| match (target, said) {
        (TargetPort::Number(a), IngressPort::Number(b)) => a == b,
        (TargetPort::Name(a), IngressPort::Name(b)) => a == b,
        _ => false,
    };
    let by_target = service.ports.iter().find(|port| is(&port.target_port));
    match by_target {
        Some(port) => format!(
            "{said} is the targetPort of port {}; an Ingress names the Service's port",
            port.port
        ),
        None => offered(service),
    }
}

static NO_CLASS: CheckRule = CheckRule {
    id: "SVC-INGRESS-NO-CLASS",
    title: "No controller is responsible for an Ingress",
    required_kinds: &[
        ResourceKind::Service,
        ResourceKind::Ingress,
        ResourceKind::IngressClass,
    ],
    supersedes: &["SVC-INGRESS-NO-ADDRESS"],
    about: "Controllers take the Ingresses of their IngressClass. One that names none is taken \
            where a class is marked as the default; one that names a class that is not there by \
            nobody. An Ingress that has an address is served all the same, and not meant.",
    function: RuleFunction::Service(no_class),
    ..INBOUND
};

fn no_class(case: &RuleContext<'_>) -> Vec<Finding> {
    let classes = || {
        case.inventory
            .related::<IngressClassRecord>(ResourceKind::IngressClass)
    };
    let unserved = ingresses(case)
        .filter(|ingress| ingress.addresses.is_empty() && !ingress.class_by_annotation);
    unserved
        .filter_map(|ingress| {
            let (short, message, severity) = match &ingress.class {
                None if classes().any(|class| class.is_default) => return None,
                None => (
                    "Ingress without a class".to_owned(),
                    format!(
                        "Ingress {} names no class, no IngressClass is the default, and nobody \
                         has given it an address.",
                        ingress.key
                    ),
                    Severity::Warning,
                ),
                Some(class) if classes().any(|known| known.key.name == *class) => return None,
                Some(class) => (
                    format!("no IngressClass {class}"),
                    format!(
                        "Ingress {} is of class {class}, which does not exist: no controller \
                         takes it.",
                        ingress.key
                    ),
                    Severity::Error,
                ),
            };
            let known: Vec<_> = classes().map(|class| &class.key.name).collect();
            let hint = if known.is_empty() {
                "the cluster has no IngressClass; is a controller installed?".to_owned()
            } else {
                format!("classes here: {}", words::list(known))
            };
            let class = ingress.class.as_deref().unwrap_or("not set");
            Some(
                at(&NO_CLASS, ingress_ref(ingress), short, message)
                    .with_severity(severity)
                    .evidence([format!("spec.ingressClassName: {class}")])
                    .evidence(["status.loadBalancer.ingress is empty"])
                    .hint(hint),
            )
        })
        .collect()
}

static NO_SECRET: CheckRule = CheckRule {
    id: "SVC-INGRESS-NO-SECRET",
    // Secrets are made by others: cert-manager, External Secrets, by hand.
    needs_cluster_state: true,
    title: "The certificate of an Ingress is not there",
    required_kinds: &[
        ResourceKind::Service,
        ResourceKind::Ingress,
        ResourceKind::TlsSecret,
    ],
    about: "TLS of an Ingress takes its certificate from a Secret of type kubernetes.io/tls in the \
            same namespace. Without it most controllers answer with a certificate of their own, \
            which no client trusts. Only the names of such Secrets are read, never what is in them.",
    url: documentation_urls::INGRESS_TLS,
    function: RuleFunction::Service(no_secret),
    ..INBOUND
};

/// Whoever issues certificates needs about this long.
const ISSUED: SignedDuration = SignedDuration::from_mins(5);

fn no_secret(case: &RuleContext<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for ingress in ingresses(case) {
        let is_missing = |key: &svcscope_model::inventory::ObjectKey| {
            let held = case
                .inventory
                .related_at::<TlsSecretRecord>(ResourceKind::TlsSecret, key);
            held.is_none()
        };
        let missing: BTreeSet<_> = ingress.secrets().filter(is_missing).collect();
        for secret in missing {
            let is_young = ingress
                .created
                .is_some_and(|created| case.is_younger_than(created, ISSUED));
            let message = format!(
                "Ingress {} takes its certificate from Secret {}: namespace {} has no Secret of \
                 this name and of type kubernetes.io/tls.",
                ingress.key, secret.name, secret.namespace
            );
            let finding = at(
                &NO_SECRET,
                ingress_ref(ingress),
                format!("no TLS Secret {}", secret.name),
                message,
            );
            let severity = if is_young {
                Severity::Note
            } else {
                Severity::Error
            };
            found.push(
                finding
                    .with_severity(severity)
                    .evidence([format!("spec.tls[].secretName: {}", secret.name)])
                    .hint(
                        "create it, or check what should create it (cert-manager: its Certificate)",
                    ),
            );
        }
    }
    found
}

static CLAIMED_TWICE: CheckRule = CheckRule {
    id: "SVC-INGRESS-CLAIMED-TWICE",
    title: "Two Ingresses claim the same host and path",
    required_kinds: &[ResourceKind::Service, ResourceKind::Ingress],
    reads_other_services: true,
    about: "Where two Ingresses of one class send the same host and path to different backends, \
            the controller decides which one counts, and the other is ignored. Those that share \
            on purpose (canary) are not meant.",
    function: RuleFunction::Service(claimed_twice),
    ..INBOUND
};

/// Whether two backends lead to the same port of a Service, by number or by name.
fn leads_alike(service: &ServiceRecord, one: &IngressBackend, other: &IngressBackend) -> bool {
    let port = |backend: &IngressBackend| {
        let wanted = backend.port.as_ref();
        wanted.and_then(|wanted| ingress_port(service, wanted))
    };
    one == other
        || (one.service == other.service && port(one).is_some() && port(one) == port(other))
}

fn claimed_twice(case: &RuleContext<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for ingress in ingresses(case).filter(|ingress| !ingress.canary) {
        let others = case
            .inventory
            .related::<IngressRecord>(ResourceKind::Ingress);
        let rivals = others.filter(|other| {
            other.key != ingress.key && !other.canary && other.class == ingress.class
        });
        for rival in rivals {
            let clashes: BTreeSet<_> = ingress
                .backends()
                .filter(|(_, _, to)| to.service == case.service().key.name)
                .filter_map(|(host, path, to)| {
                    let path = path?;
                    let is_same = |(other_host, other, other_to): (&str, _, &IngressBackend)| {
                        let other: Option<&svcscope_model::inventory::IngressPath> = other;
                        let elsewhere = rival.key.namespace != ingress.key.namespace
                            || !leads_alike(case.service(), other_to, to);
                        host == other_host
                            && elsewhere
                            && other.is_some_and(|other| {
                                other.path == path.path && other.exact == path.exact
                            })
                    };
                    let mut theirs = rival.backends();
                    theirs.any(is_same).then(|| place_words(host, &path.path))
                })
                .collect();
            if clashes.is_empty() {
                continue;
            }
            let places = words::list(&clashes);
            let message = format!(
                "Ingress {} and Ingress {} both claim {places} and lead elsewhere: only one of \
                 them counts.",
                ingress.key, rival.key
            );
            found.push(
                at(
                    &CLAIMED_TWICE,
                    ingress_ref(ingress),
                    format!(
                        "{} is claimed twice",
                        clashes.first().map_or("", |place| place)
                    ),
                    message,
                )
                .with_objects([ingress_ref(rival)])
                .hint(
                    "ingress-nginx lets the older one win; give one of them another host or path",
                ),
            );
        }
    }
    found
}

static NO_ADDRESS: CheckRule = CheckRule {
    id: "SVC-INGRESS-NO-ADDRESS",
    title: "An Ingress has no address",
    severity: Severity::Warning,
    required_kinds: &[ResourceKind::Service, ResourceKind::Ingress],
    about: "A controller that takes an Ingress writes the address at which it answers into the \
            status. Five minutes without one mean that none has taken it. Some controllers are \
            set up not to write it: where no Ingress of the class has an address, this is a note.",
    function: RuleFunction::Service(no_address),
    ..INBOUND
};

/// A controller takes an Ingress within seconds, a cloud's in some minutes.
const TAKEN: SignedDuration = SignedDuration::from_mins(5);

fn no_address(case: &RuleContext<'_>) -> Vec<Finding> {
    let without = ingresses(case).filter(|ingress| ingress.addresses.is_empty());
    without
        .filter_map(|ingress| {
            let created = ingress.created?;
            if case.is_younger_than(created, TAKEN) {
                return None;
            }
            let mut others = case.inventory.related::<IngressRecord>(ResourceKind::Ingress);
            let others_have =
                others.any(|other| other.class == ingress.class && !other.addresses.is_empty());
            let severity = if others_have {
                Severity::Warning
            } else {
                Severity::Note
            };
            let message = format!(
                "Ingress {} has had no address for {}: no controller has taken it, or none says so.",
                ingress.key,
                words::duration(case.age(created))
            );
            Some(
                at(
                    &NO_ADDRESS,
                    ingress_ref(ingress),
                    "Ingress has no address".to_owned(),
                    message,
                )
                .with_severity(severity)
                .evidence(["status.loadBalancer.ingress is empty"])
                .hint("look at the log of the controller of its class"),
            )
        })
        .collect()
}

static TO_EXTERNAL_NAME: CheckRule = CheckRule {
    id: "SVC-INGRESS-TO-EXTERNAL-NAME",
    title: "An Ingress leads to an ExternalName Service",
    severity: Severity::Note,
    implied_health: Health::Healthy,
    required_kinds: &[ResourceKind::Service, ResourceKind::Ingress],
    about: "Controllers differ in what they do with an ExternalName backend: some refuse it, \
            because whoever may edit the Service could lead requests anywhere.",
    url: documentation_urls::EXTERNAL_NAME,
    function: RuleFunction::Service(to_external_name),
    ..INBOUND
};

fn to_external_name(case: &RuleContext<'_>) -> Vec<Finding> {
    if case.service().service_type != ServiceType::ExternalName {
        return Vec::new();
    }
    ingresses(case)
        .map(|ingress| {
            let message = format!(
                "Ingress {} leads to an ExternalName Service, which many controllers refuse unless configured to allow it.",
                ingress.key
            );
            at(
                &TO_EXTERNAL_NAME,
                ingress_ref(ingress),
                "Ingress to an ExternalName".to_owned(),
                message,
            )
        })
        .collect()
}
