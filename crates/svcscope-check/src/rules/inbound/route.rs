//! Routes of the Gateway API that lead to a Service.

use std::collections::BTreeSet;

use super::{
    CheckRule, Finding, Health, INBOUND, MissingService, RuleContext, RuleFunction, Severity, at,
    documentation_urls, inbound_records, offered, route_ref, routes, words,
};
use svcscope_model::inventory::{
    Protocol, ReferenceGrantRecord, RelatedRecord, ResourceKind, RouteRecord, ServiceType,
};

pub(in crate::rules) static RULES: &[&CheckRule] =
    &[&NO_SERVICE, &NO_PORT, &NOT_GRANTED, &REFUSED, &MESH];

const ROUTE: CheckRule = CheckRule {
    optional_kinds: &ResourceKind::ROUTES,
    url: documentation_urls::GATEWAY,
    ..INBOUND
};

static NO_SERVICE: CheckRule = CheckRule {
    id: "SVC-ROUTE-NO-SERVICE",
    title: "A route leads to a Service that does not exist",
    about: "A Gateway answers 500 to what a route sends to a Service that is not there.",
    function: RuleFunction::MissingService(no_service),
    ..ROUTE
};

fn no_service(absent: &MissingService<'_>) -> Vec<Finding> {
    let key = absent.key;
    let leading = absent.inputs.inventory.related_to_service(key);
    leading
        .filter_map(|related| match related {
            RelatedRecord::Route(route) if route.leads_to(key) => Some(route),
            _ => None,
        })
        .map(|route| {
            let kind = route.kind.as_str();
            let message = format!(
                "{kind} {} sends requests to Service {key}, which does not exist.",
                route.key
            );
            at(
                &NO_SERVICE,
                route_ref(route),
                format!("no Service {}", key.name),
                message,
            )
            .evidence([format!("spec.rules[].backendRefs[].name: {}", key.name)])
            .hint("correct the name or the namespace in the route, or create the Service")
        })
        .collect()
}

static NO_PORT: CheckRule = CheckRule {
    id: "SVC-ROUTE-NO-PORT",
    title: "A route refers to a port that the Service does not have",
    supersedes: &["SVC-ROUTE-REFUSED"],
    about: "A backendRef to a Service must say one of the Service's ports by its number.",
    function: RuleFunction::Service(no_port),
    ..ROUTE
};

fn no_port(case: &RuleContext<'_>) -> Vec<Finding> {
    let service = case.service();
    let mut found = Vec::new();
    if service.service_type == ServiceType::ExternalName {
        return found;
    }
    for route in routes(case) {
        let said: BTreeSet<Option<u16>> = route
            .rules
            .iter()
            .flat_map(|rule| &rule.backends)
            .filter(|backend| backend.service == service.key)
            .map(|backend| backend.port)
            .collect();
        let protocol = route.kind.protocol();
        let has = |wanted: Option<u16>| {
            let mut ports = service.ports.iter();
            ports.any(|own| own.protocol == protocol && Some(own.port) == wanted)
        };
        for port in said.into_iter().filter(|port| !has(*port)) {
            let kind = route.kind.as_str();
            let (short, asked) = match port {
                Some(port) => (
                    format!("{kind} asks for port {port}"),
                    match protocol {
                        Protocol::Udp => format!(
                            "sends datagrams to port {port}/UDP of the Service, which has no such port"
                        ),
                        _ => format!(
                            "sends requests to port {port} of the Service, which has no such port"
                        ),
                    },
                ),
                None => (
                    format!("{kind} has no port"),
                    "does not say to which port of the Service".to_owned(),
                ),
            };
            let message = format!("{kind} {} {asked}.", route.key);
            let said = port.map_or_else(|| "not set".to_owned(), |port| port.to_string());
            found.push(
                at(&NO_PORT, route_ref(route), short, message)
                    .evidence([format!("spec.rules[].backendRefs[].port: {said}")])
                    .hint(offered(service)),
            );
        }
    }
    found
}

static NOT_GRANTED: CheckRule = CheckRule {
    id: "SVC-ROUTE-NOT-GRANTED",
    title: "A route of another namespace has no ReferenceGrant for this Service",
    required_kinds: &[ResourceKind::Service, ResourceKind::ReferenceGrant],
    supersedes: &["SVC-ROUTE-REFUSED"],
    about: "A route may send requests to a Service of another namespace only where a \
            ReferenceGrant of that namespace permits it.",
    function: RuleFunction::Service(not_granted),
    ..ROUTE
};

fn not_granted(case: &RuleContext<'_>) -> Vec<Finding> {
    let key = &case.service().key;
    let foreign = routes(case).filter(|route| route.key.namespace != key.namespace);
    foreign
        .filter(|route| {
            let mut grants = case
                .inventory
                .related_in::<ReferenceGrantRecord>(ResourceKind::ReferenceGrant, &key.namespace);
            !grants.any(|grant| grant.permits(route, key))
        })
        .map(|route| {
            let kind = route.kind.as_str();
            let message = format!(
                "{kind} {} leads here from another namespace, and no ReferenceGrant of namespace \
                 {} permits that.",
                route.key, key.namespace
            );
            at(
                &NOT_GRANTED,
                route_ref(route),
                format!("{kind} without a ReferenceGrant"),
                message,
            )
            .hint(format!(
                "create a ReferenceGrant in {} from {kind} of {} to Service {}",
                key.namespace, route.key.namespace, key.name
            ))
        })
        .collect()
}

static REFUSED: CheckRule = CheckRule {
    id: "SVC-ROUTE-REFUSED",
    title: "A Gateway does not take a route",
    severity: Severity::Warning,
    about: "The controller of a Gateway says in the status of a route whether it accepted it \
            (Accepted), whether everything that it refers to is there (ResolvedRefs) and whether \
            it is in effect (Programmed).",
    function: RuleFunction::Service(refused),
    ..ROUTE
};

fn refused(case: &RuleContext<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for route in routes(case) {
        let kind = route.kind.as_str();
        for (parent, condition) in route.failed_conditions() {
            let message = format!(
                "Gateway {} does not take {kind} {}: {} is False, {}.",
                parent.gateway, route.key, condition.kind, condition.reason
            );
            let finding = at(
                &REFUSED,
                route_ref(route),
                format!("{kind}: {}", condition.reason),
                message,
            );
            let said = format!(
                "status.parents[].conditions[{}]: {}",
                condition.kind, condition.reason
            );
            let finding = finding.evidence([said]);
            found.push(if condition.message.is_empty() {
                finding
            } else {
                finding.hint(format!(
                    "its controller says: {}",
                    words::one_line(&condition.message)
                ))
            });
        }
    }
    found
}

static MESH: CheckRule = CheckRule {
    id: "SVC-MESH-ROUTE",
    title: "A mesh may lead the requests of the Service elsewhere",
    severity: Severity::Note,
    implied_health: Health::Healthy,
    about: "A route whose parentRef is a Service (GAMMA) tells a mesh where requests to that Service \
            go. Whether a mesh follows it depends on the client's pod; svcscope says that it is \
            there and does not follow it.",
    function: RuleFunction::Service(mesh),
    ..ROUTE
};

fn mesh(case: &RuleContext<'_>) -> Vec<Finding> {
    let key = &case.service().key;
    let all = inbound_records(case).filter_map(|related| <&RouteRecord>::try_from(related).ok());
    all.filter(|route| route.mesh_services().any(|service| service == key))
        .map(|route| {
            let kind = route.kind.as_str();
            let mut to: Vec<String> = route
                .services()
                .iter()
                .map(|service| format!("Service {service}"))
                .collect();
            to.extend(route.elsewhere.iter().map(ToString::to_string));
            let to = match to.as_slice() {
                [] => "nowhere".to_owned(),
                some => words::list(some),
            };
            let message = format!(
                "A mesh route may lead requests elsewhere: {kind} {} leads to {to}.",
                route.key
            );
            let short = format!("mesh {kind} {}", route.key.name);
            at(&MESH, route_ref(route), short, message)
                .evidence([format!("spec.parentRefs[]: Service {key}")])
        })
        .collect()
}
