//! Endpoints that turn ready and not ready again and again.

use super::{
    CheckRule, Finding, FindingLocation, Health, ObjectRef, RuleContext, RuleFunction, RuleGroup,
    Severity, WITH_PODS,
};
use super::{documentation_urls, words};
use crate::readiness_flaps::FLAP_WINDOW;

pub(super) static RULES: &[&CheckRule] = &[&FLAPPING];

/// Turns in the window from which on it is no rollout any more: each pod of a rollout turns once.
const MANY: usize = 4;

static FLAPPING: CheckRule = CheckRule {
    id: "SVC-POD-FLAPPING",
    group: RuleGroup::Pods,
    title: "The readiness of a pod is flapping",
    severity: Severity::Warning,
    implied_health: Health::Degraded,
    required_kinds: WITH_PODS,
    about: "Four turns within five minutes are no rollout any more. Each one cuts connections or \
            sends some where nobody listens. It is known only of the time that svcscope watches.",
    url: documentation_urls::PROBES,
    function: RuleFunction::Service(flapping),
    ..CheckRule::BASE
};

fn flapping(case: &RuleContext<'_>) -> Vec<Finding> {
    if !case.needs_endpoints() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for pod in case.candidates() {
        let turns = case.inputs.readiness_flaps.flap_count(&pod.key, case.now);
        if turns > 0 {
            case.time_dependent.set(true);
        }
        if turns < MANY {
            continue;
        }
        let restarts: u32 = pod
            .containers
            .iter()
            .map(|container| container.restarts)
            .sum();
        let minutes = FLAP_WINDOW.as_mins();
        let name = &pod.key.name;
        found.push(
            FLAPPING
                .finding(
                    FindingLocation::Pod(pod.key.clone()),
                    format!("{name} flaps"),
                    format!("Pod {name} turned ready or not ready {turns} times in {minutes} min."),
                )
                .with_objects([ObjectRef::pod(&pod.key)])
                .evidence([format!(
                    "{name}: {}",
                    words::counted(restarts as usize, "restart")
                )])
                .hint("look at the readiness probe and at why the containers restart"),
        );
    }
    found
}
