//! A targetPort that is a number in quotes.

use super::{
    CheckRule, Finding, Health, RuleContext, RuleFunction, RuleGroup, Severity, SuggestedFix,
    documentation_urls, place_of,
};
use svcscope_model::inventory::TargetPort;

pub(super) static RULES: &[&CheckRule] = &[&DIGITS];

static DIGITS: CheckRule = CheckRule {
    id: "SVC-PORT-DIGITS",
    group: RuleGroup::Ports,
    title: "targetPort is a number in quotes",
    severity: Severity::Error,
    implied_health: Health::Broken,
    supersedes: &["SVC-PORT-NO-ENDPOINTS"],
    about: "A targetPort in quotes is the name of a container port. A port name must have a \
            letter, so that no pod can have this one.",
    url: documentation_urls::PORTS,
    function: RuleFunction::Service(check),
    ..CheckRule::BASE
};

fn check(case: &RuleContext<'_>) -> Vec<Finding> {
    case.named_ports()
        .filter(|(_, name)| is_digits(name))
        .map(|(port, name)| {
            let found = DIGITS
                .finding(
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
                Ok(number) if number != 0 => found.fix(SuggestedFix::TargetPort {
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
