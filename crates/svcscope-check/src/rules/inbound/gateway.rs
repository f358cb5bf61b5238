//! Gateways that the routes of a Service are attached to.

use super::{
    CheckRule, Finding, INBOUND, ObjectRef, RuleContext, RuleFunction, Severity, at,
    documentation_urls, route_ref, routes, words,
};
use svcscope_model::inventory::{
    AllowedRoutes, GatewayListener, GatewayRecord, ParentRef, ResourceKind, RouteRecord,
};

pub(in crate::rules) static RULES: &[&CheckRule] = &[&MISSING, &NOT_ALLOWED, &NOT_PROGRAMMED];

const WITH_NAMESPACES: [ResourceKind; 6] = {
    let [a, b, c, d, e] = ResourceKind::ROUTES;
    [a, b, c, d, e, ResourceKind::Namespace]
};

const GATEWAY: CheckRule = CheckRule {
    required_kinds: &[ResourceKind::Service, ResourceKind::Gateway],
    optional_kinds: &WITH_NAMESPACES,
    url: documentation_urls::GATEWAY,
    ..INBOUND
};

static MISSING: CheckRule = CheckRule {
    id: "SVC-GATEWAY-MISSING",
    title: "A route names a Gateway or a listener that does not exist",
    supersedes: &["SVC-ROUTE-REFUSED"],
    about: "A route does nothing by itself: a Gateway has to take it. One that names a Gateway, or \
            a listener of it, that is not there is taken by none.",
    function: RuleFunction::Service(missing),
    ..GATEWAY
};

/// The routes with each of their parents, and the Gateway as far as it is there.
fn parents<'a>(
    case: &RuleContext<'a>,
) -> impl Iterator<Item = (&'a RouteRecord, &'a ParentRef, Option<&'a GatewayRecord>)> {
    let inventory = case.inventory;
    routes(case).flat_map(move |route| {
        route.parents.iter().map(move |parent| {
            let gateway = inventory.related_at(ResourceKind::Gateway, &parent.gateway);
            (route, parent, gateway)
        })
    })
}

fn missing(case: &RuleContext<'_>) -> Vec<Finding> {
    parents(case)
        .filter_map(|(route, parent, gateway)| {
            // A Gateway of a namespace that is not watched may well be there.
            if !case
                .inventory
                .sync(ResourceKind::Gateway, &parent.gateway.namespace)
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

static NOT_ALLOWED: CheckRule = CheckRule {
    id: "SVC-GATEWAY-NAMESPACE",
    title: "A Gateway takes no routes of this namespace",
    supersedes: &["SVC-ROUTE-REFUSED"],
    about: "The listeners of a Gateway take the routes of its own namespace, unless they say \
            otherwise in allowedRoutes.namespaces.",
    function: RuleFunction::Service(not_allowed),
    ..GATEWAY
};

fn not_allowed(case: &RuleContext<'_>) -> Vec<Finding> {
    parents(case)
        .filter_map(|(route, parent, gateway)| {
            let gateway = gateway?;
            let listeners: Vec<&GatewayListener> = gateway
                .listeners
                .iter()
                .filter(|own| parent.asks_for(own))
                .collect();
            let takes = |listener: &&GatewayListener| match &listener.allowed {
                AllowedRoutes::All => true,
                AllowedRoutes::None => false,
                AllowedRoutes::Same => gateway.key.namespace == route.key.namespace,
                AllowedRoutes::Selector(selector) => {
                    let mut namespaces = case.inventory.namespaces();
                    let known = namespaces.find(|known| known.name == route.key.namespace);
                    // The labels of a namespace that may not be read are unknown.
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

static NOT_PROGRAMMED: CheckRule = CheckRule {
    id: "SVC-GATEWAY-NOT-READY",
    title: "A Gateway is not in effect",
    severity: Severity::Warning,
    about: "The controller of a Gateway says whether it accepted it and whether it is in effect \
            (Programmed). Until then nothing comes in through it.",
    function: RuleFunction::Service(not_programmed),
    ..GATEWAY
};

fn not_programmed(case: &RuleContext<'_>) -> Vec<Finding> {
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
