//! What is worked out for each family, and when it is kept.

use super::*;
use crate::{
    canvas::render_model::{ServiceGroupSummary, rect_of},
    theme::Health,
};
use svcscope_check::ServiceReport;
use svcscope_model::{
    inventory::ObjectKey,
    layout::{MapLayout, PlacedNodeKind},
};

#[test]
fn rows_hold_their_cards_and_never_meet() {
    let scene = scene(shop());
    let mut facts = MapRenderModel::default();
    facts.update(&scene);
    let mut count = 0;
    for (at, placed) in scene.layout.components.iter().enumerate() {
        let facts = facts.component(at).expect("facts of every family");
        let rows: Vec<_> = placed
            .component
            .nodes
            .iter()
            .zip(&facts.service_rows)
            .filter_map(|(node, row)| row.map(|row| (node, row)))
            .collect();
        count += rows.len();
        for (at, (node, row)) in rows.iter().enumerate() {
            assert!(matches!(node.kind, PlacedNodeKind::Service { .. }));
            assert!(row.contains_rect(rect_of(&node.area)), "{:?}", node.id);
            assert_eq!(row.width(), placed.component.size.width);
            for (other, other_row) in &rows[at + 1..] {
                let meet = row.intersect(*other_row);
                assert!(
                    !meet.is_positive(),
                    "{:?} and {:?}: {meet}",
                    node.id,
                    other.id
                );
            }
        }
    }
    assert_eq!(count, 3, "one for each Service");
}

#[test]
fn what_was_not_checked_is_unknown_and_never_healthy() {
    let checked = scene(shop());
    let unchecked = Scene {
        reports: imbl::OrdMap::new(),
        ..checked.clone()
    };
    let mut facts = MapRenderModel::default();
    facts.update(&checked);
    facts.update(&unchecked);
    let at = checked
        .layout
        .find(&NodeId::Service(key("web")))
        .expect("it is on the map");
    let states = &facts
        .component(at.component)
        .expect("its facts")
        .node_health;
    assert_eq!(states[at.node], Health::Unknown);
    let district = facts.group_summary(0).expect("one district");
    assert_eq!(district.worst(), Health::Unknown);
}

#[test]
fn facts_of_what_did_not_change_are_kept() {
    let before = scene(shop());
    let mut facts = MapRenderModel::default();
    facts.update(&before);
    let first: Vec<_> = (0..2)
        .map(|at| Arc::clone(facts.component(at).expect("two families")))
        .collect();
    facts.update(&before.clone());
    for (at, first) in first.iter().enumerate() {
        let now = facts.component(at).expect("still there");
        assert!(Arc::ptr_eq(now, first), "nothing changed");
    }
    // A family goes and another report comes.
    let mut layout = MapLayout::clone(&before.layout);
    layout.components.remove(0);
    layout.groups[0].components = 0..1;
    let after = Scene {
        layout: Arc::new(layout),
        ..before.clone()
    };
    facts.update(&after);
    let kept = facts.component(0).expect("one family");
    assert!(Arc::ptr_eq(kept, &first[1]), "it only moved up");
    assert_eq!(facts.group_summary(0), Some(first[1].summary));
}

#[test]
fn another_report_makes_the_facts_of_its_family_anew() {
    let before = scene(shop());
    let mut facts = MapRenderModel::default();
    facts.update(&before);
    let family = |key: ObjectKey| {
        let at = before.layout.find(&NodeId::Service(key));
        at.expect("it is on the map").component
    };
    let (web, legacy) = (family(key("web")), family(key("legacy")));
    let of =
        |facts: &MapRenderModel, at: usize| Arc::clone(facts.component(at).expect("its facts"));
    let first = (of(&facts, web), of(&facts, legacy));
    let mut report = ServiceReport::clone(&before.reports[&key("web")]);
    report.health = Health::Broken;
    let mut after = before.clone();
    after.reports.insert(key("web"), Arc::new(report));
    facts.update(&after);
    assert!(!Arc::ptr_eq(&of(&facts, web), &first.0));
    assert!(Arc::ptr_eq(&of(&facts, legacy), &first.1));
    assert_eq!(of(&facts, web).summary.broken, 1);
}

#[test]
fn a_district_is_as_bad_as_its_worst_service() {
    let good = ServiceGroupSummary {
        healthy: 3,
        unknown: 1,
        ..ServiceGroupSummary::default()
    };
    assert_eq!(good.worst(), Health::Healthy);
    assert_eq!(
        ServiceGroupSummary {
            degraded: 1,
            ..good
        }
        .worst(),
        Health::Degraded
    );
    let bad = ServiceGroupSummary {
        degraded: 1,
        broken: 1,
        ..good
    };
    assert_eq!(bad.worst(), Health::Broken);
    assert_eq!(ServiceGroupSummary::default().worst(), Health::Unknown);
}
