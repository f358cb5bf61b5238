//! Objects in files that the API server would refuse.

use super::{
    CheckRule, Finding, FindingLocation, Health, RuleFunction, RuleGroup, Severity,
    documentation_urls,
};
use svcscope_model::inventory::SharedStr;

pub(super) static RULES: &[&CheckRule] = &[&REFUSED];

static REFUSED: CheckRule = CheckRule {
    id: "SVC-REFUSED",
    group: RuleGroup::Manifests,
    title: "The API server would refuse the object",
    severity: Severity::Error,
    implied_health: Health::Broken,
    required_kinds: &[],
    about: "A field that the kind doesn't have, a value of another type, or one that Kubernetes' rules \
            of validation don't take: the object never comes to be, and what leads to it leads \
            nowhere. The words are those of the API server, its fields those of Kubernetes 1.36. \
            kubectl refuses unknown fields by default since 1.27; clients that don't ask for it lose \
            them without a word. Only of objects in files, of Service, Endpoints, EndpointSlice, \
            Ingress, IngressClass, NetworkPolicy, Namespace, pods and the workloads of Kubernetes. \
            What depends on the cluster is a warning; patches, values that are filled in later \
            (${NAME}) and objects that an API server has given out are not judged.",
    url: documentation_urls::OBJECTS,
    function: RuleFunction::Manifest,
    ..CheckRule::BASE
};

/// An object in a file that the API server would refuse, with why: the first reason is the message,
/// all of them are the evidence.
pub fn refused(
    location: FindingLocation,
    severity: Severity,
    reasons: Vec<SharedStr>,
    hint: Option<SharedStr>,
) -> Finding {
    let first = reasons.first().map_or("", |reason| &**reason);
    let more = match reasons.len() {
        0 | 1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    let words = match severity {
        Severity::Error => "The API server would refuse it",
        _ => "The API server may refuse it",
    };
    let message = format!("{words}: {first}{more}");
    let finding = REFUSED.finding(location, "would be refused", message);
    Finding {
        hint,
        ..finding.with_severity(severity).evidence(reasons)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_is_told_and_how_many_more_there_are() {
        let reasons = vec!["a: Required value".into(), "b: Required value".into()];
        let found = refused(FindingLocation::Service, Severity::Error, reasons, None);
        assert_eq!(
            &*found.message,
            "The API server would refuse it: a: Required value (and 1 more)"
        );
        assert_eq!(found.evidence.len(), 2);
        assert_eq!(found.id, "SVC-REFUSED");
    }
}
