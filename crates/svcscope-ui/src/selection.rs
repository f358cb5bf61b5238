//! What is selected: what can be done with it, and which one is next.

use super::{
    derived_state::ServiceListRow,
    state::{AppState, service_of},
};
use svcscope_edit::ExposableWorkload;
use svcscope_engine::Scene;
use svcscope_model::{
    inventory::{ObjectKey, ResourceKind, SharedStr},
    topology::NodeId,
};
use svcscope_net::forward::ForwardTarget;

/// The kind and name of what a Service can be made for.
pub fn expose_target(node: &NodeId) -> Option<(SharedStr, ObjectKey)> {
    match node {
        NodeId::Pod(key) => Some((SharedStr::from("Pod"), key.clone())),
        NodeId::Workload(workload) => {
            let kind = ExposableWorkload::kind_of(&workload.kind).ok()?;
            let key = ObjectKey::new(workload.namespace.clone(), workload.name.clone());
            Some((kind.into(), key))
        }
        _ => None,
    }
}

/// What a forward or a request to this node would lead to.
pub(super) fn target_of(node: &NodeId) -> Option<ForwardTarget> {
    match node {
        NodeId::Pod(key) => Some(ForwardTarget::Pod(key.clone())),
        NodeId::Workload(workload) => Some(ForwardTarget::Workload {
            kind: workload.kind.clone(),
            key: ObjectKey::new(workload.namespace.clone(), workload.name.clone()),
        }),
        other => service_of(other).cloned().map(ForwardTarget::Service),
    }
}

pub(super) fn select_adjacent_service(state: &mut AppState, forwards: bool) {
    let view = &mut state.view;
    let listed: Vec<&ObjectKey> = view.derived.listed_services().collect();
    let at = view
        .selected_service()
        .and_then(|key| listed.iter().position(|listed| *listed == key));
    let last = listed.len().saturating_sub(1);
    let next = match (at, forwards) {
        (None, true) => 0,
        (None, false) => last,
        (Some(at), true) => (at + 1).min(last),
        (Some(at), false) => at.saturating_sub(1),
    };
    if let Some(key) = listed.get(next).map(|key| (*key).clone()) {
        select_service(state, key);
    }
}

pub(super) fn next_problem(state: &mut AppState) {
    let mut services: Vec<ObjectKey> = Vec::new();
    for problem in &state.view.derived.problems {
        if !services.contains(&problem.service) {
            services.push(problem.service.clone());
        }
    }
    let at = state
        .view
        .selected_service()
        .and_then(|key| services.iter().position(|service| service == key));
    let next = at.map_or(0, |at| (at + 1) % services.len());
    if let Some(key) = services.get(next) {
        select_service(state, key.clone());
    }
}

fn select_service(state: &mut AppState, key: ObjectKey) {
    let node = NodeId::Service(key);
    state.canvas.focus_on(&node);
    state.view.selection = Some(node);
    state.view.scroll_to_selection = true;
}

/// The row of a Service in the list.
pub fn row_of(rows: &[ServiceListRow], key: &ObjectKey) -> Option<usize> {
    rows.iter()
        .position(|row| matches!(row, ServiceListRow::Service(listed) if listed == key))
}

/// Forgets a selection that no longer exists. What is not read yet may still come.
pub fn drop_lost_selection(state: &mut AppState, scene: &Scene) {
    let inventory = &scene.inventory;
    let is_read = |kind, key: &ObjectKey| inventory.sync(kind, &key.namespace).is_current();
    let lost = match &state.view.selection {
        Some(NodeId::Pod(key)) => inventory.pod(key).is_none() && is_read(ResourceKind::Pod, key),
        Some(node) => service_of(node)
            .filter(|key| !scene.reports.contains_key(*key))
            .is_some_and(|key| {
                inventory.service(key).is_none() && is_read(ResourceKind::Service, key)
            }),
        None => false,
    };
    if lost {
        if let Some(node) = state.view.selection.take() {
            state.toasts.notice(format!("{} is gone", name_of(&node)));
        }
        state.view.menu = None;
    }
}

fn name_of(node: &NodeId) -> SharedStr {
    match node {
        NodeId::Pod(key) => format!("Pod {key}").into(),
        other => service_of(other).map_or_else(
            || SharedStr::from("What was selected"),
            |key| format!("Service {key}").into(),
        ),
    }
}
