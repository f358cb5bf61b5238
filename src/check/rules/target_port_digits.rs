//! A targetPort that is a number in quotes.

use super::{Finding, Severity, finding, place_of};
use crate::check::case::Case;

/// The API server takes `"9376"` for the name of a container port, and a name must have a letter,
/// so that no pod can have it.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    case.named_ports()
        .filter(|(_, name)| is_digits(name))
        .map(|(port, name)| {
            finding(
                "target-port-digits",
                Severity::Error,
                place_of(case, port),
                format!("targetPort \"{name}\" is a name, not a number"),
            )
            .hint(format!("write targetPort: {name} without quotes"))
        })
        .collect()
}

/// Whether a port name is all digits.
pub(super) fn is_digits(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}
