//! What one picture of the map has that the last one had not: which family is which, which nodes
//! changed, came or went.

use std::{cmp::Ordering, sync::Arc};

use egui::Rect;

use super::facts::{Facts, FamilyFacts, rect_of};
use crate::{
    engine::Scene,
    inventory::Kind,
    layout::{Layout, NodeAt, PlacedFamily, PlacedWhat},
    topology::NodeId,
    ui::theme::State,
};

/// Whether all that a map is made of is there and current. Until then what comes is no change, but the
/// rest of the first picture.
pub(super) fn is_settled(scene: &Scene) -> bool {
    let inventory = &scene.inventory;
    inventory.completeness_of(Kind::DRAWN).is_complete()
        && Kind::DRAWN.into_iter().any(|kind| inventory.is_seen(kind))
}

/// Which family of an old layout is which of a new one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pairs {
    /// For each old family the new one.
    pub new_of: Vec<Option<usize>>,
    /// For each new family the old one.
    pub old_of: Vec<Option<usize>>,
}

impl Pairs {
    /// Finds them. Both layouts are sorted in the same way, so that one walk through both finds
    /// nearly all without a look-up; what lost or won a first Service is looked for by the others.
    pub fn new(old: &Layout, new: &Layout) -> Self {
        let mut pairs = Self {
            new_of: vec![None; old.families.len()],
            old_of: vec![None; new.families.len()],
        };
        let (mut left, mut right) = (0, 0);
        while let (Some(before), Some(now)) = (old.families.get(left), new.families.get(right)) {
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
        for (at, placed) in new.families.iter().enumerate() {
            if pairs.old_of.get(at) == Some(&None)
                && let Some(before) = homes(old, placed)
                    .into_iter()
                    .find(|before| pairs.new_of.get(*before) == Some(&None))
            {
                pairs.join(before, at);
            }
        }
        pairs
    }

    fn join(&mut self, old: usize, new: usize) {
        if let (Some(new_of), Some(old_of)) = (self.new_of.get_mut(old), self.old_of.get_mut(new)) {
            (*new_of, *old_of) = (Some(new), Some(old));
        }
    }

    /// Whether nothing of the old layout is in the new one.
    pub fn is_all_new(&self) -> bool {
        self.old_of.iter().all(Option::is_none)
    }
}

fn order(old: &Layout, before: &PlacedFamily, new: &Layout, now: &PlacedFamily) -> Ordering {
    if Arc::ptr_eq(&before.family, &now.family) {
        return Ordering::Equal;
    }
    let name = |layout: &Layout, placed: &PlacedFamily| {
        let district = layout.districts.get(placed.district);
        district.map(|district| district.name.clone())
    };
    name(old, before).cmp(&name(new, now)).then_with(|| {
        before
            .family
            .services()
            .next()
            .cmp(&now.family.services().next())
    })
}

/// The families of another layout that have Services of this one.
fn homes(other: &Layout, placed: &PlacedFamily) -> Vec<usize> {
    let mut homes: Vec<usize> = placed
        .family
        .services()
        .filter_map(|key| other.find(&NodeId::Service(key.clone())))
        .map(|at| at.family)
        .collect();
    homes.dedup();
    homes
}

/// A node that is not as it was.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Changed {
    /// Where it is in the new layout.
    pub at: NodeAt,
    /// Which it is.
    pub id: NodeId,
    /// How it stands now.
    pub state: State,
}

/// A node that is no more.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Gone {
    /// Which it was.
    pub id: NodeId,
    /// Where it stood, in map units.
    pub area: Rect,
    /// Its row at middle distance, if it had one.
    pub row: Option<Rect>,
}

/// What changed from one picture to the next.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Changes {
    pub changed: Vec<Changed>,
    pub gone: Vec<Gone>,
}

impl Changes {
    /// Compares a layout and its facts with a new one and `now`; costs what changed.
    pub fn between(
        old: &Layout,
        before: &[Arc<FamilyFacts>],
        new: &Layout,
        now: &Facts,
        pairs: &Pairs,
    ) -> Self {
        let mut changes = Self::default();
        for (family, placed) in new.families.iter().enumerate() {
            let Some(facts) = now.family(family) else {
                continue;
            };
            let known = pairs.old_of.get(family).copied().flatten();
            match known.and_then(|at| before.get(at)) {
                Some(same) if Arc::ptr_eq(same, facts) => {}
                Some(last) => changes.compare(old, placed, family, last, facts),
                None => changes.came(family, facts),
            }
        }
        for (at, (placed, facts)) in old.families.iter().zip(before).enumerate() {
            let known = pairs.new_of.get(at).copied().flatten();
            let same = known.and_then(|at| now.family(at));
            if same.is_none_or(|same| !Arc::ptr_eq(&same.family, &facts.family)) {
                changes.went(new, placed, facts);
            }
        }
        changes
    }

    fn push(&mut self, family: usize, facts: &FamilyFacts, node: usize) {
        if let (Some(placed), Some(state)) = (facts.family.nodes.get(node), facts.states.get(node))
        {
            self.changed.push(Changed {
                at: NodeAt { family, node },
                id: placed.id.clone(),
                state: *state,
            });
        }
    }

    /// A family that was not there: its Services stand for all of it.
    fn came(&mut self, family: usize, facts: &FamilyFacts) {
        for &node in &facts.services {
            self.push(family, facts, node);
        }
    }

    fn compare(
        &mut self,
        old: &Layout,
        placed: &PlacedFamily,
        family: usize,
        last: &FamilyFacts,
        facts: &FamilyFacts,
    ) {
        let others = homes(old, placed);
        let was_elsewhere = |id: &NodeId| {
            others.iter().any(|at| {
                let other = old.families.get(*at);
                other.is_some_and(|other| other.family.index.contains_key(id))
            })
        };
        let counts = recounted(last, facts);
        for (node, (placed, state)) in facts.family.nodes.iter().zip(&facts.states).enumerate() {
            let before = last.family.index.get(&placed.id);
            let differs = match before.map(|before| last.states.get(*before)) {
                // A door stands as its Service does, unless it is pending: that is its own.
                Some(before) if matches!(placed.id, NodeId::Entry(_)) => {
                    (before == Some(&State::Pending)) != (*state == State::Pending)
                }
                Some(before) => before != Some(state),
                None => !was_elsewhere(&placed.id),
            };
            if differs || counts.contains(&node) {
                self.push(family, facts, node);
            }
        }
    }

    fn went(&mut self, new: &Layout, placed: &PlacedFamily, facts: &FamilyFacts) {
        let others = homes(new, placed);
        let origin = egui::vec2(placed.origin.x, placed.origin.y);
        for (at, node) in placed.family.nodes.iter().enumerate() {
            let is_there = others.iter().any(|other| {
                let other = new.families.get(*other);
                other.is_some_and(|other| other.family.index.contains_key(&node.id))
            });
            if !is_there {
                let row = facts.rows.get(at).copied().flatten();
                self.gone.push(Gone {
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
fn recounted(last: &FamilyFacts, facts: &FamilyFacts) -> Vec<usize> {
    let mut found = Vec::new();
    for (&service, now) in facts.services.iter().zip(&facts.endpoints) {
        let id = facts.family.nodes.get(service).map(|node| &node.id);
        let before = id
            .and_then(|id| last.family.index.get(id))
            .and_then(|node| last.services.iter().position(|service| service == node))
            .and_then(|at| last.endpoints.get(at));
        if before.is_none_or(|before| before == now) {
            continue;
        }
        found.push(service);
        found.extend(
            facts
                .family
                .edges
                .iter()
                .filter(|edge| edge.from == service)
                .map(|edge| edge.to)
                .filter(|to| {
                    let node = facts.family.nodes.get(*to);
                    node.is_some_and(|node| matches!(node.what, PlacedWhat::Group { .. }))
                }),
        );
    }
    found
}
