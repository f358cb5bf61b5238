//! Front doors: what leads to a Service from outside, and where it fails before the Service.

mod api;
mod gateway;
mod ingress;
mod route;

use super::{
    CheckRule, Finding, FindingLocation, Health, ObjectRef, RuleContext, RuleFunction, RuleGroup,
    Severity, documentation_urls, words,
};
use crate::rule_context::MissingService;
use svcscope_model::inventory::{IngressRecord, RelatedRecord, RouteRecord, ServiceRecord};

pub(super) use api::RULES as CALLERS;
pub(super) use gateway::RULES as GATEWAYS;
pub(super) use ingress::RULES as INGRESSES;
pub(super) use route::RULES as ROUTES;

/// A rule about front doors: one that fails leaves the others, and the way inside the cluster.
const INBOUND: CheckRule = CheckRule {
    group: RuleGroup::Ingress,
    severity: Severity::Error,
    implied_health: Health::Degraded,
    url: documentation_urls::INGRESS,
    ..CheckRule::BASE
};

fn ingresses<'a>(case: &RuleContext<'a>) -> impl Iterator<Item = &'a IngressRecord> {
    inbound_records(case).filter_map(|related| related.try_into().ok())
}

/// The routes that lead here, not those that only tell a mesh where its requests go.
fn routes<'a>(case: &RuleContext<'a>) -> impl Iterator<Item = &'a RouteRecord> {
    let key = &case.traffic.service.key;
    inbound_records(case)
        .filter_map(|related| <&RouteRecord>::try_from(related).ok())
        .filter(move |route| route.leads_to(key))
}

fn inbound_records<'a>(case: &RuleContext<'a>) -> impl Iterator<Item = &'a RelatedRecord> {
    case.inventory.related_to_service(&case.traffic.service.key)
}

fn ingress_ref(ingress: &IngressRecord) -> ObjectRef {
    ObjectRef::new("Ingress", ingress.key.clone())
}

fn route_ref(route: &RouteRecord) -> ObjectRef {
    ObjectRef::new(route.kind.as_str(), route.key.clone())
}

/// "it offers 80/TCP (http), 443/TCP".
fn offered(service: &ServiceRecord) -> String {
    if service.ports.is_empty() {
        return "the Service has no ports".to_owned();
    }
    let ports = service.ports.iter().map(words::port);
    format!("the Service offers {}", words::list(ports))
}

/// A place as the user reads it: `shop.example.com/cart`, `every host`.
fn place_words(host: &str, path: &str) -> String {
    match (host.is_empty(), path) {
        (true, "" | "/") => "every request".to_owned(),
        (true, path) => format!("{path} of every host"),
        (false, path) => format!("{host}{path}"),
    }
}

/// Something found at an object.
fn at(rule: &CheckRule, object: ObjectRef, short: String, message: String) -> Finding {
    rule.finding(FindingLocation::Object(object.clone()), short, message)
        .with_objects([object])
}
