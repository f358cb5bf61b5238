//! Endpoints that turn ready and not ready again and again.

use super::{Case, Find, Finding, Group, ObjectRef, Place, Rule, Severity, Verdict, WITH_PODS};
use super::{links, words};
use crate::check::flaps::WINDOW;

pub(super) static RULES: &[&Rule] = &[&FLAPPING];

/// Turns in the window from which on it is no rollout any more: each pod of a rollout turns once.
const MANY: usize = 4;

static FLAPPING: Rule = Rule {
    id: "SVC-POD-FLAPPING",
    group: Group::Pods,
    title: "A pod turns ready and not ready again and again",
    severity: Severity::Warning,
    means: Verdict::Degraded,
    needs: WITH_PODS,
    about: "Four turns within five minutes are no rollout any more. Each one cuts connections or \
            sends some where nobody listens. It is known only of the time that svcscope watches.",
    url: links::PROBES,
    find: Find::Service(flapping),
    ..Rule::BASE
};

fn flapping(case: &Case<'_>) -> Vec<Finding> {
    if !case.needs_endpoints() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for pod in case.candidates() {
        let turns = case.world.flaps.turns(&pod.key, case.now);
        if turns > 0 {
            case.time_matters.set(true);
        }
        if turns < MANY {
            continue;
        }
        let restarts: u32 = pod
            .containers
            .iter()
            .map(|container| container.restarts)
            .sum();
        let minutes = WINDOW.as_mins();
        let name = &pod.key.name;
        found.push(
            FLAPPING
                .found(
                    Place::Pod(pod.key.clone()),
                    format!("{name} flaps"),
                    format!("Pod {name} turned ready or not ready {turns} times in {minutes} min."),
                )
                .about([ObjectRef::pod(&pod.key)])
                .evidence([format!(
                    "{name}: {}",
                    words::counted(restarts as usize, "restart")
                )])
                .hint("look at the readiness probe and at why the containers restart"),
        );
    }
    found
}
