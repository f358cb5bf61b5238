//! Gateways that the routes of a Service are attached to.

use super::{
    Case, FRONT, Find, Finding, ObjectRef, Rule, Severity, at, links, route_ref, routes, words,
};
use crate::inventory::{AllowedRoutes, GatewayRecord, Kind, Listener, ParentRef, RouteRecord};

pub(in crate::check::rules) static RULES: &[&Rule] = &[&MISSING, &NOT_ALLOWED, &NOT_PROGRAMMED];

const WITH_NAMESPACES: [Kind; 6] = {
    let [a, b, c, d, e] = Kind::ROUTES;
    [a, b, c, d, e, Kind::Namespace]
};

const GATEWAY: Rule = Rule {
    needs: &[Kind::Service, Kind::Gateway],
    also: &WITH_NAMESPACES,
    url: links::GATEWAY,
    ..FRONT
};

static MISSING: Rule = Rule {
    id: "SVC-GATEWAY-MISSING",
    title: "A route names a Gateway or a listener that does not exist",
    silences: &["SVC-ROUTE-REFUSED"],
    about: "A route does nothing by itself: a Gateway has to take it. One that names a Gateway, or \
            a listener of it, that is not there is taken by none.",
    find: Find::Service(missing),
    ..GATEWAY
};

/// The routes with each of their parents, and the Gateway as far as it is there.
fn parents<'a>(
    case: &Case<'a>,
) -> impl Iterator<Item = (&'a RouteRecord, &'a ParentRef, Option<&'a GatewayRecord>)> {
    let inventory = case.inventory;
    routes(case).flat_map(move |route| {
        route.parents.iter().map(move |parent| {
            let gateway = inventory.related_at(Kind::Gateway, &parent.gateway);
            (route, parent, gateway)
        })
    })
}

fn missing(case: &Case<'_>) -> Vec<Finding> {
    parents(case)
        .filter_map(|(route, parent, gateway)| {
            // A Gateway of a namespace that is not watched may well be there.
            if !case
                .inventory
                .sync(Kind::Gateway, &parent.gateway.namespace)
                .is_current()
            {
                return None;
            }
            let kind = route.kind.as_str();
            let (short, message) = match (gateway, &parent.section) {
                (None, _) => (
                    format!("no Gateway {}", parent.gateway.name),
                    format!(
                        "{kind} {} belongs to Gateway {}, which does not exist.",
                        route.key, parent.gateway
                    ),
                ),
                (Some(gateway), Some(section))
                    if !gateway.listeners.iter().any(|own| own.name == *section) =>
                {
                    let listeners = words::list(gateway.listeners.iter().map(|own| &own.name));
                    (
                        format!("no listener {section}"),
                        format!(
                            "{kind} {} belongs to listener {section} of Gateway {}, which has only \
                             {listeners}.",
                            route.key, gateway.key
                        ),
                    )
                }
                _ => return None,
            };
            Some(
                at(&MISSING, route_ref(route), short, message)
                    .evidence([format!("spec.parentRefs[]: {}", parent.gateway)])
                    .hint("correct the parentRef, or create what it names"),
            )
        })
        .collect()
}

static NOT_ALLOWED: Rule = Rule {
    id: "SVC-GATEWAY-NAMESPACE",
    title: "A Gateway takes no routes of this namespace",
    silences: &["SVC-ROUTE-REFUSED"],
    about: "The listeners of a Gateway take the routes of its own namespace, unless they say \
            otherwise in allowedRoutes.namespaces.",
    find: Find::Service(not_allowed),
    ..GATEWAY
};

fn not_allowed(case: &Case<'_>) -> Vec<Finding> {
    parents(case)
        .filter_map(|(route, parent, gateway)| {
            let gateway = gateway?;
            let listeners: Vec<&Listener> = gateway
                .listeners
                .iter()
                .filter(|own| parent.asks_for(own))
                .collect();
            let takes = |listener: &&Listener| match &listener.allowed {
                AllowedRoutes::All => true,
                AllowedRoutes::None => false,
                AllowedRoutes::Same => gateway.key.namespace == route.key.namespace,
                AllowedRoutes::Selector(selector) => {
                    let mut namespaces = case.inventory.namespaces();
                    let known = namespaces.find(|known| known.name == route.key.namespace);
                    // Of a namespace that may not be seen nobody knows the labels.
                    known.is_none_or(|known| selector.matches(&known.labels))
                }
            };
            if listeners.is_empty() || listeners.iter().any(takes) {
                return None;
            }
            let kind = route.kind.as_str();
            let message = format!(
                "No listener of Gateway {} takes routes of namespace {}, where {kind} {} is.",
                gateway.key, route.key.namespace, route.key
            );
            Some(
                at(
                    &NOT_ALLOWED,
                    route_ref(route),
                    format!("Gateway takes no {kind} from here"),
                    message,
                )
                .evidence(["spec.listeners[].allowedRoutes.namespaces of the Gateway"])
                .hint("allow the namespace in the listener, or move the route"),
            )
        })
        .collect()
}

static NOT_PROGRAMMED: Rule = Rule {
    id: "SVC-GATEWAY-NOT-READY",
    title: "A Gateway is not in effect",
    severity: Severity::Warning,
    about: "The controller of a Gateway says whether it accepted it and whether it is in effect \
            (Programmed). Until then nothing comes in through it.",
    find: Find::Service(not_programmed),
    ..GATEWAY
};

fn not_programmed(case: &Case<'_>) -> Vec<Finding> {
    let mut told = std::collections::BTreeSet::new();
    let mut found = Vec::new();
    for gateway in parents(case).filter_map(|(_, _, gateway)| gateway) {
        let failed = gateway.conditions.iter().find(|condition| {
            matches!(&*condition.kind, "Accepted" | "Programmed") && condition.holds == Some(false)
        });
        let Some(failed) = failed.filter(|_| told.insert(&gateway.key)) else {
            continue;
        };
        let message = format!(
            "Gateway {} lets nothing in: {} is False, {}.",
            gateway.key, failed.kind, failed.reason
        );
        let object = ObjectRef::new("Gateway", gateway.key.clone());
        let finding = at(
            &NOT_PROGRAMMED,
            object,
            format!("Gateway: {}", failed.reason),
            message,
        );
        let said = format!("status.conditions[{}]: {}", failed.kind, failed.reason);
        found.push(finding.evidence([said]).hint(if failed.message.is_empty() {
            format!("look at the controller of class {}", gateway.class)
        } else {
            format!("its controller says: {}", words::one_line(&failed.message))
        }));
    }
    found
}
