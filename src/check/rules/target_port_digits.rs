//! A targetPort that is a number in quotes.

use super::{Case, Find, Finding, Fix, Group, Rule, Severity, Verdict, links, place_of};
use crate::inventory::TargetPort;

pub(super) static RULES: &[&Rule] = &[&DIGITS];

static DIGITS: Rule = Rule {
    id: "SVC-PORT-DIGITS",
    group: Group::Ports,
    title: "targetPort is a number in quotes",
    severity: Severity::Error,
    means: Verdict::Broken,
    silences: &["SVC-PORT-NO-ENDPOINTS"],
    about: "A targetPort in quotes is the name of a container port. A port name must have a \
            letter, so that no pod can have this one.",
    url: links::PORTS,
    find: Find::Service(check),
    ..Rule::BASE
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    case.named_ports()
        .filter(|(_, name)| is_digits(name))
        .map(|(port, name)| {
            let found = DIGITS
                .found(
                    place_of(case, port),
                    format!("targetPort \"{name}\" is a name, not a number"),
                    format!(
                        "The targetPort \"{name}\" of port {} is the name of a container port, not \
                         the number {name}; no pod can have a port of that name.",
                        port.port
                    ),
                )
                .evidence([format!("spec.ports[].targetPort: \"{name}\" (a string)")])
                .hint(format!("write targetPort: {name} without quotes"));
            match name.parse() {
                Ok(number) if number != 0 => found.fix(Fix::TargetPort {
                    port: case.port_id(port),
                    to: TargetPort::Number(number),
                }),
                _ => found,
            }
        })
        .collect()
}

/// Whether a port name is all digits.
pub(super) fn is_digits(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}
