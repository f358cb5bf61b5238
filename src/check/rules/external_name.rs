//! ExternalName: a DNS alias of a name elsewhere.

use std::net::IpAddr;

use super::{Finding, Place, Severity, finding};
use crate::check::case::Case;
use crate::inventory::Text;

fn name<'a>(case: &Case<'a>) -> Option<&'a Text> {
    case.service()
        .external_name
        .as_ref()
        .filter(|_| !case.needs_endpoints())
}

fn is_address(name: &str) -> bool {
    name.parse::<IpAddr>().is_ok()
}

/// DNS answers with an alias, and an alias of an address is no name that resolves.
pub(super) fn is_an_address(case: &Case<'_>) -> Vec<Finding> {
    name(case)
        .filter(|name| is_address(name))
        .map(|name| {
            finding(
                "external-name-is-an-address",
                Severity::Error,
                Place::Service,
                format!("{name} is an address, DNS needs a name"),
            )
            .hint("use a Service without selector and an EndpointSlice with this address")
        })
        .into_iter()
        .collect()
}

/// Nothing in the cluster says whether the name elsewhere answers.
pub(super) fn not_tested(case: &Case<'_>) -> Vec<Finding> {
    name(case)
        .filter(|name| !is_address(name))
        .map(|name| {
            finding(
                "external-name-not-tested",
                Severity::Note,
                Place::Service,
                "not tested",
            )
            .hint(format!("traffic leaves the cluster for {name}"))
        })
        .into_iter()
        .collect()
}
