//! What one picture of the map has that the last one had not: which family is which, which nodes
//! changed, came or went.

use std::{cmp::Ordering, sync::Arc};

use egui::Rect;

use super::render_model::{ComponentRenderModel, MapRenderModel, rect_of};
use crate::theme::Health;
use svcscope_engine::Scene;
use svcscope_model::{
    inventory::ResourceKind,
    layout::{LayoutNodeRef, MapLayout, PlacedComponent, PlacedNodeKind},
    topology::NodeId,
};

/// Whether all that a map is made of is there and current. Until then what comes is no change, but the
/// rest of the first picture.
pub(super) fn has_complete_lists(scene: &Scene) -> bool {
    let inventory = &scene.inventory;
    inventory
        .completeness_of(ResourceKind::MAP_KINDS)
        .is_complete()
        && ResourceKind::MAP_KINDS
            .into_iter()
            .any(|kind| inventory.was_listed(kind))
}

/// Which family of an old layout is which of a new one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ComponentMatching {
    /// For each old family the new one.
    pub new_index: Vec<Option<usize>>,
    /// For each new family the old one.
    pub old_index: Vec<Option<usize>>,
}

impl ComponentMatching {
    /// Finds them. Both layouts are sorted in the same way, so that one walk through both finds
    /// nearly all without a look-up; what lost or won a first Service is looked for by the others.
    pub fn new(old: &MapLayout, new: &MapLayout) -> Self {
        let mut pairs = Self {
            new_index: vec![None; old.components.len()],
            old_index: vec![None; new.components.len()],
        };
        let (mut left, mut right) = (0, 0);
        while let (Some(before), Some(now)) = (old.components.get(left), new.components.get(right))
        {
            match order(old, before, new, now) {
                Ordering::Less => left += 1,
                Ordering::Greater => right += 1,
                Ordering::Equal => {
                    pairs.join(left, right);
                    left += 1;
                    right += 1;
                }
            }
        }
        for (at, placed) in new.components.iter().enumerate() {
            if pairs.old_index.get(at) == Some(&None)
                && let Some(before) = components_sharing_services(old, placed)
                    .into_iter()
                    .find(|before| pairs.new_index.get(*before) == Some(&None))
            {
                pairs.join(before, at);
            }
        }
        pairs
    }

    fn join(&mut self, old: usize, new: usize) {
        if let (Some(new_of), Some(old_of)) =
            (self.new_index.get_mut(old), self.old_index.get_mut(new))
        {
            (*new_of, *old_of) = (Some(new), Some(old));
        }
    }

    /// Whether nothing of the old layout is in the new one.
    pub fn is_all_new(&self) -> bool {
        self.old_index.iter().all(Option::is_none)
    }
}

fn order(
    old: &MapLayout,
    before: &PlacedComponent,
    new: &MapLayout,
    now: &PlacedComponent,
) -> Ordering {
    if Arc::ptr_eq(&before.component, &now.component) {
        return Ordering::Equal;
    }
    let name = |layout: &MapLayout, placed: &PlacedComponent| {
        let district = layout.groups.get(placed.group);
        district.map(|district| district.name.clone())
    };
    name(old, before).cmp(&name(new, now)).then_with(|| {
        before
            .component
            .services()
            .next()
            .cmp(&now.component.services().next())
    })
}

/// The families of another layout that have Services of this one.
fn components_sharing_services(other: &MapLayout, placed: &PlacedComponent) -> Vec<usize> {
    let mut homes: Vec<usize> = placed
        .component
        .services()
        .filter_map(|key| other.find(&NodeId::Service(key.clone())))
        .map(|at| at.component)
        .collect();
    homes.dedup();
    homes
}

/// A node that is not as it was.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ChangedNode {
    /// Where it is in the new layout.
    pub at: LayoutNodeRef,
    /// Which it is.
    pub id: NodeId,
    /// How it stands now.
    pub state: Health,
}

/// A node that is no more.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RemovedNode {
    /// Which it was.
    pub id: NodeId,
    /// Where it stood, in map units.
    pub area: Rect,
    /// Its row at middle distance, if it had one.
    pub row: Option<Rect>,
}

/// What changed from one picture to the next.
#[derive(Debug, Default, PartialEq)]
pub(super) struct MapChanges {
    pub changed: Vec<ChangedNode>,
    pub removed: Vec<RemovedNode>,
}

impl MapChanges {
    /// Compares a layout and its facts with a new one and `now`; costs what changed.
    pub fn between(
        old: &MapLayout,
        before: &[Arc<ComponentRenderModel>],
        new: &MapLayout,
        now: &MapRenderModel,
        pairs: &ComponentMatching,
    ) -> Self {
        let mut changes = Self::default();
        for (family, placed) in new.components.iter().enumerate() {
            let Some(facts) = now.component(family) else {
                continue;
            };
            let known = pairs.old_index.get(family).copied().flatten();
            match known.and_then(|at| before.get(at)) {
                Some(same) if Arc::ptr_eq(same, facts) => {}
                Some(last) => changes.compare(old, placed, family, last, facts),
                None => changes.add_new_component(family, facts),
            }
        }
        for (at, (placed, facts)) in old.components.iter().zip(before).enumerate() {
            let known = pairs.new_index.get(at).copied().flatten();
            let same = known.and_then(|at| now.component(at));
            if same.is_none_or(|same| !Arc::ptr_eq(&same.component, &facts.component)) {
                changes.add_removed_nodes(new, placed, facts);
            }
        }
        changes
    }

    fn push(&mut self, component: usize, model: &ComponentRenderModel, node: usize) {
        if let (Some(placed), Some(state)) =
            (model.component.nodes.get(node), model.node_health.get(node))
        {
            self.changed.push(ChangedNode {
                at: LayoutNodeRef { component, node },
                id: placed.id.clone(),
                state: *state,
            });
        }
    }

    /// A family that was not there: its Services stand for all of it.
    fn add_new_component(&mut self, component: usize, model: &ComponentRenderModel) {
        for &node in &model.services {
            self.push(component, model, node);
        }
    }

    fn compare(
        &mut self,
        old: &MapLayout,
        placed: &PlacedComponent,
        component: usize,
        last: &ComponentRenderModel,
        model: &ComponentRenderModel,
    ) {
        let others = components_sharing_services(old, placed);
        let was_elsewhere = |id: &NodeId| {
            others.iter().any(|at| {
                let other = old.components.get(*at);
                other.is_some_and(|other| other.component.index.contains_key(id))
            })
        };
        let counts = nodes_with_new_counts(last, model);
        for (node, (placed, state)) in model
            .component
            .nodes
            .iter()
            .zip(&model.node_health)
            .enumerate()
        {
            let before = last.component.index.get(&placed.id);
            let differs = match before.map(|before| last.node_health.get(*before)) {
                // An entry point stands as its Service does, unless it is pending: that is its own.
                Some(before) if matches!(placed.id, NodeId::EntryPoint(_)) => {
                    (before == Some(&Health::Pending)) != (*state == Health::Pending)
                }
                Some(before) => before != Some(state),
                None => !was_elsewhere(&placed.id),
            };
            if differs || counts.contains(&node) {
                self.push(component, model, node);
            }
        }
    }

    fn add_removed_nodes(
        &mut self,
        new: &MapLayout,
        placed: &PlacedComponent,
        model: &ComponentRenderModel,
    ) {
        let others = components_sharing_services(new, placed);
        let origin = egui::vec2(placed.origin.x, placed.origin.y);
        for (at, node) in placed.component.nodes.iter().enumerate() {
            let is_there = others.iter().any(|other| {
                let other = new.components.get(*other);
                other.is_some_and(|other| other.component.index.contains_key(&node.id))
            });
            if !is_there {
                let row = model.service_rows.get(at).copied().flatten();
                self.removed.push(RemovedNode {
                    id: node.id.clone(),
                    area: rect_of(&node.area).translate(origin),
                    row: row.map(|row| row.translate(origin)),
                });
            }
        }
    }
}

/// Services that have other numbers of pods than before, and the groups behind them: a group stands
/// as its best pod does, so that its state alone would not tell.
fn nodes_with_new_counts(last: &ComponentRenderModel, model: &ComponentRenderModel) -> Vec<usize> {
    let mut found = Vec::new();
    for (&service, now) in model.services.iter().zip(&model.endpoint_counts) {
        let id = model.component.nodes.get(service).map(|node| &node.id);
        let before = id
            .and_then(|id| last.component.index.get(id))
            .and_then(|node| last.services.iter().position(|service| service == node))
            .and_then(|at| last.endpoint_counts.get(at));
        if before.is_none_or(|before| before == now) {
            continue;
        }
        found.push(service);
        found.extend(
            model
                .component
                .edges
                .iter()
                .filter(|edge| edge.from == service)
                .map(|edge| edge.to)
                .filter(|to| {
                    let node = model.component.nodes.get(*to);
                    node.is_some_and(|node| matches!(node.kind, PlacedNodeKind::PodGroup { .. }))
                }),
        );
    }
    found
}
