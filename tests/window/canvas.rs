//! The canvas as the user, a keyboard and a screen reader meet it.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use egui::{Event, Key, Modifiers, MouseWheelUnit, Pos2, TouchPhase, pos2, vec2};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use svcscope_engine::Scene;
use svcscope_model::{
    inventory::{ObjectKey, Protocol},
    topology::{NodeId, PortId},
};
use svcscope_ui::{
    canvas::{CanvasEvent, CanvasInput, DetailLevel, MapCanvas},
    theme::{self, ColorTokens},
};

use crate::sample_scene;

struct CanvasInteractionState {
    canvas: MapCanvas,
    scene: Arc<Scene>,
    selection: Option<NodeId>,
    only: Option<ObjectKey>,
    bare: bool,
    events: Vec<CanvasEvent>,
}

impl CanvasInteractionState {
    fn new(scene: Scene) -> Self {
        Self {
            canvas: MapCanvas::default(),
            scene: Arc::new(scene),
            selection: None,
            only: None,
            bare: false,
            events: Vec::new(),
        }
    }
}

/// The window's part: keeps the selection and notes the events.
fn show(ui: &mut egui::Ui, state: &mut CanvasInteractionState) {
    let only = state.only.clone();
    let input = CanvasInput {
        scene: &state.scene,
        tokens: ColorTokens::of(ui.ctx()),
        selection: state.selection.as_ref(),
        matches_search: &move |key| only.as_ref().is_none_or(|only| only == key),
        stale: false,
        now: jiff::Timestamp::UNIX_EPOCH,
        hide_controls: state.bare,
    };
    for event in state.canvas.ui(ui, &input) {
        if let CanvasEvent::Select(id) = &event {
            state.selection = id.clone();
        }
        state.events.push(event);
    }
}

fn harness(scene: Scene) -> Harness<'static, CanvasInteractionState> {
    harness_at(scene, 1.0 / 60.0)
}

fn harness_at(scene: Scene, seconds_a_frame: f32) -> Harness<'static, CanvasInteractionState> {
    // The faces must be there before the first text is laid out.
    let ready = Rc::new(RefCell::new(false));
    let mut harness = Harness::builder()
        .with_size(vec2(1400.0, 900.0))
        .with_step_dt(seconds_a_frame)
        .with_max_steps(60)
        .build_ui_state(
            move |ui, state: &mut CanvasInteractionState| {
                if ready.replace(true) {
                    show(ui, state);
                } else {
                    theme::apply(ui.ctx());
                    ui.ctx().request_repaint();
                }
            },
            CanvasInteractionState::new(scene),
        );
    harness.run();
    harness
}

fn shop() -> Harness<'static, CanvasInteractionState> {
    harness(sample_scene::shop().scene(1))
}

fn service(namespace: &str, name: &str) -> NodeId {
    NodeId::Service(ObjectKey::new(namespace, name))
}

fn wheel(harness: &mut Harness<'_, CanvasInteractionState>, at: Pos2, notches: f32) {
    wheel_with(harness, at, notches, Modifiers::NONE);
}

fn wheel_with(
    harness: &mut Harness<'_, CanvasInteractionState>,
    at: Pos2,
    notches: f32,
    modifiers: Modifiers,
) {
    harness.event(Event::PointerMoved(at));
    harness.event_modifiers(
        Event::MouseWheel {
            unit: MouseWheelUnit::Line,
            delta: vec2(0.0, notches),
            phase: TouchPhase::Move,
            modifiers,
        },
        modifiers,
    );
}

fn shapes_painted(harness: &Harness<'_, CanvasInteractionState>) -> usize {
    harness.output().shapes.len()
}

#[test]
fn a_click_on_a_label_selects_the_node() {
    let mut harness = shop();
    harness
        .get_by_label("Service shop/api, NodePort, degraded")
        .click();
    harness.run();
    assert_eq!(harness.state().selection, Some(service("shop", "api")));
    harness.get_by_label("Port shop/web http 80").click();
    harness.run();
    assert_eq!(
        harness.state().selection,
        Some(NodeId::Port(PortId {
            service: ObjectKey::new("shop", "web"),
            protocol: Protocol::Tcp,
            port: 80,
        }))
    );
}

#[test]
fn everything_in_view_has_a_label_with_its_state() {
    let harness = shop();
    for label in [
        "Service shop/web, LoadBalancer, healthy",
        "Service shop/orphan, ClusterIP, broken",
        "Service shop/legacy, ExternalName, unknown",
        "Service infra/db, headless, healthy",
        "Port shop/web https 443",
        "Entry point any node :30080 of shop/api",
        "Entry point load balancer 203.0.113.7:443,80 of shop/web",
        "Entry point load balancer of shop/payments, pending",
        "External name legacy.example.com of shop/legacy",
        "Pods of deployment/queue in infra, 24 pods, 22 ready",
    ] {
        assert!(harness.query_by_label(label).is_some(), "{label}");
    }
    let pods = harness.query_all_by_label_contains("Pod shop/api-").count();
    assert_eq!(pods, 2);
    assert_eq!(
        harness
            .query_all_by_label_contains("Pod shop/api-")
            .filter(|node| node
                .accesskit_node()
                .label()
                .is_some_and(|l| l.ends_with("not ready")))
            .count(),
        1
    );
}

#[test]
fn tab_walks_the_nodes_and_enter_opens_one() {
    let mut harness = shop();
    harness
        .get_by_label("Service shop/web, LoadBalancer, healthy")
        .focus();
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(
        harness.state().events,
        vec![CanvasEvent::Open(service("shop", "web"))]
    );
    harness.key_press(Key::Tab);
    harness.run();
    harness.key_press(Key::Space);
    harness.run();
    assert!(
        matches!(&harness.state().selection, Some(NodeId::Port(port)) if port.port == 443),
        "the next stop is the first port, not {:?}",
        harness.state().selection
    );
}

#[test]
fn arrows_walk_along_edges() {
    let mut harness = shop();
    harness
        .get_by_label("Service shop/api, NodePort, degraded")
        .click();
    harness.run();
    harness.key_press(Key::ArrowLeft);
    harness.run();
    assert!(matches!(
        &harness.state().selection,
        Some(NodeId::EntryPoint(entry)) if entry.node_port == Some(30080)
    ));
    harness.key_press(Key::ArrowRight);
    harness.run();
    assert_eq!(harness.state().selection, Some(service("shop", "api")));
    harness.key_press(Key::ArrowRight);
    harness.run();
    assert!(matches!(&harness.state().selection, Some(NodeId::Pod(_))));
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(harness.state().selection, None);
}

#[test]
fn the_buttons_stand_at_the_selected_service() {
    let mut harness = shop();
    assert!(harness.query_by_label("Forward shop/api").is_none());
    harness.state_mut().selection = Some(service("shop", "api"));
    harness.run();
    for (label, event) in [
        (
            "Forward shop/api",
            CanvasEvent::Forward(service("shop", "api")),
        ),
        ("Curl shop/api", CanvasEvent::Curl(service("shop", "api"))),
        (
            "Change type of shop/api",
            CanvasEvent::ChangeType(service("shop", "api")),
        ),
    ] {
        harness.state_mut().events.clear();
        harness.get_by_label(label).click();
        harness.run();
        assert_eq!(harness.state().events, vec![event]);
    }
}

#[test]
fn a_port_offers_to_forward_itself() {
    let mut harness = shop();
    harness.get_by_label("Port shop/web http 80").click();
    harness.run();
    harness.get_by_label("Forward shop/web port 80").click();
    harness.run();
    assert!(matches!(
        harness.state().events.last(),
        Some(CanvasEvent::Forward(NodeId::Port(port))) if port.port == 80
    ));
}

#[test]
fn a_right_click_asks_for_the_menu() {
    let mut harness = shop();
    harness
        .get_by_label("Service shop/web, LoadBalancer, healthy")
        .click_secondary();
    harness.run();
    assert!(matches!(
        harness.state().events.as_slice(),
        [CanvasEvent::Menu(id, _)] if *id == service("shop", "web")
    ));
}

#[test]
fn a_click_on_the_background_deselects() {
    let mut harness = shop();
    harness.state_mut().selection = Some(service("shop", "web"));
    harness.run();
    harness.hover_at(pos2(700.0, 880.0));
    harness.drag_at(pos2(700.0, 880.0));
    harness.drop_at(pos2(700.0, 880.0));
    harness.run();
    assert_eq!(harness.state().selection, None);
}

#[test]
fn an_idle_canvas_comes_to_rest_and_paints_the_same() {
    let mut harness = shop();
    let painted = shapes_painted(&harness);
    // `run` panics if frames never stop being asked for.
    let frames = harness.run();
    assert!(frames <= 2, "{frames} frames with nothing to do");
    assert_eq!(
        shapes_painted(&harness),
        painted,
        "kept shapes are the same"
    );
    assert!(painted > 200);
    assert!(delay(&harness) > std::time::Duration::from_secs(3600));
}

#[test]
fn a_new_map_revision_thaws_the_picture() {
    let mut harness = shop();
    assert!(
        harness
            .query_by_label("Service shop/late, ClusterIP, healthy")
            .is_none()
    );
    let mut sample = sample_scene::shop();
    sample.service(
        "shop",
        "late",
        svcscope_model::inventory::ServiceType::ClusterIP,
        &[("http", 80, 8080, None)],
        (1, 0),
    );
    harness.state_mut().scene = Arc::new(sample.scene(2));
    harness.run();
    assert!(
        harness
            .query_by_label("Service shop/late, ClusterIP, healthy")
            .is_some()
    );
}

#[test]
fn what_is_out_of_view_makes_no_shapes() {
    let few = {
        let mut harness = harness(sample_scene::large(40, 5).scene(1));
        near_first_service(&mut harness);
        shapes_painted(&harness)
    };
    let mut harness = harness(sample_scene::large(400, 5).scene(1));
    near_first_service(&mut harness);
    let many = shapes_painted(&harness);
    assert!(
        many < few * 2,
        "{many} shapes with ten times the Services, {few} before"
    );
    assert_eq!(
        harness
            .query_all_by_label_contains("Service team-09/")
            .count(),
        0
    );
}

fn near_first_service(harness: &mut Harness<'_, CanvasInteractionState>) {
    harness
        .state_mut()
        .canvas
        .focus_on(&service("team-00", "svc-0"));
    harness.run();
    assert_eq!(
        DetailLevel::of(harness.state().canvas.zoom()),
        DetailLevel::Full
    );
    assert!(
        harness
            .query_by_label_contains("Service team-00/svc-0,")
            .is_some()
    );
}

#[test]
fn the_wheel_zooms_the_same_at_every_frame_rate() {
    for modifiers in [Modifiers::NONE, Modifiers::COMMAND] {
        let zooms = [30.0, 60.0, 144.0].map(|rate| {
            let mut harness = harness_at(sample_scene::shop().scene(1), 1.0 / rate);
            let before = harness.state().canvas.zoom();
            for _ in 0..2 {
                wheel_with(&mut harness, pos2(500.0, 300.0), 1.0, modifiers);
                harness.run();
            }
            harness.state().canvas.zoom() / before
        });
        assert!(zooms[0] > 1.2 && zooms[0] < 2.0, "{zooms:?}");
        for zoom in zooms {
            assert!((zoom / zooms[0] - 1.0).abs() < 0.01, "{zooms:?}");
        }
    }
}

#[test]
fn zoom_stops_at_its_limits() {
    let mut harness = shop();
    wheel(&mut harness, pos2(500.0, 300.0), 500.0);
    harness.run();
    assert_eq!(harness.state().canvas.zoom(), 4.0);
    wheel(&mut harness, pos2(500.0, 300.0), -500.0);
    harness.run();
    assert_eq!(harness.state().canvas.zoom(), 0.02);
}

#[test]
fn the_map_is_fitted_until_the_user_moves_it() {
    let mut harness = shop();
    let fitted = harness.state().canvas.zoom();
    harness.state_mut().scene = Arc::new(sample_scene::large(200, 5).scene(2));
    harness.run();
    let grown = harness.state().canvas.zoom();
    assert!(grown < fitted, "follows the map as it grows");
    wheel(&mut harness, pos2(500.0, 300.0), 1.0);
    harness.run();
    let chosen = harness.state().canvas.zoom();
    harness.state_mut().scene = Arc::new(sample_scene::shop().scene(3));
    harness.run();
    assert_eq!(
        harness.state().canvas.zoom(),
        chosen,
        "the user's view stays"
    );
    harness.state_mut().canvas.fit_all();
    harness.run();
    assert!((harness.state().canvas.zoom() - fitted).abs() < 1e-3);
}

#[test]
fn zoomed_out_namespaces_are_chips_and_a_click_zooms_in() {
    let mut harness = harness(sample_scene::large(400, 5).scene(1));
    assert_eq!(
        DetailLevel::of(harness.state().canvas.zoom()),
        DetailLevel::Overview
    );
    assert_eq!(harness.query_all_by_label_contains("Service ").count(), 0);
    let before = harness.state().canvas.zoom();
    harness
        .get_by_label("Namespace team-03, 40 services · 200 pods, degraded")
        .click();
    harness.run();
    assert!(harness.state().canvas.zoom() > before * 2.0);
    assert!(
        harness
            .query_all_by_label_contains("Service team-03/")
            .count()
            > 1
    );
}

#[test]
fn hovering_lights_the_path_and_leaving_puts_it_out() {
    let mut harness = shop();
    let colors = |harness: &Harness<'_, CanvasInteractionState>| {
        let mut painted: Vec<String> = harness
            .output()
            .shapes
            .iter()
            .map(|shape| format!("{:?}", shape.shape))
            .collect();
        painted.sort();
        painted
    };
    harness.hover_at(pos2(5.0, 5.0));
    harness.run();
    let calm = colors(&harness);
    harness.get_by_label("Port shop/web http 80").hover();
    harness.run();
    assert_ne!(colors(&harness), calm);
    harness.hover_at(pos2(5.0, 5.0));
    harness.run();
    assert_eq!(colors(&harness), calm);
}

fn drag(harness: &mut Harness<'_, CanvasInteractionState>, from: Pos2, way: egui::Vec2) {
    harness.hover_at(from);
    harness.drag_at(from);
    harness.run();
    for step in 1_u8..=4 {
        harness.hover_at(from + way / 4.0 * f32::from(step));
        harness.run();
    }
    harness.drop_at(from + way);
    harness.step();
}

#[test]
fn dragging_moves_a_whole_family_and_asks_to_pin_it() {
    let mut harness = shop();
    let card = "Service shop/api, NodePort, degraded";
    let door = "Entry point any node :30080 of shop/api";
    let before = [card, door].map(|label| harness.get_by_label(label).rect());
    drag(&mut harness, before[0].center(), vec2(0.0, 60.0));
    let after = [card, door].map(|label| harness.get_by_label(label).rect());
    for (before, after) in before.iter().zip(&after) {
        let moved = after.min - before.min;
        assert!((moved - vec2(0.0, 60.0)).length() < 8.0, "{moved}");
    }
    let Some(CanvasEvent::Pin(service, place)) = harness.state().events.last().cloned() else {
        panic!("no pin but {:?}", harness.state().events);
    };
    assert_eq!(service, ObjectKey::new("shop", "api"));
    let scene = harness.state().scene.clone();
    let at = scene
        .layout
        .find(&NodeId::Service(service))
        .expect("on the map");
    let district = scene.layout.group(at).expect("its district").area;
    let home = scene.layout.component(at).expect("its family").origin;
    assert!((place.x - (home.x - district.x)).abs() < 0.01);
    let moved = (place.y - (home.y - district.y)) * harness.state().canvas.zoom();
    assert!((moved - 60.0).abs() < 8.0, "{moved}");
}

#[test]
fn a_family_stays_where_it_was_put_until_the_engine_has_spoken() {
    let mut harness = shop();
    let label = "Service shop/api, NodePort, degraded";
    let before = harness.get_by_label(label).rect();
    drag(&mut harness, before.center(), vec2(0.0, 60.0));
    let put = harness.get_by_label(label).rect();
    // Another change comes first, by which nothing moves.
    harness.state_mut().scene = Arc::new(sample_scene::shop().scene(2));
    harness.step();
    assert_eq!(harness.get_by_label(label).rect(), put);
    // The engine does not agree: what is drawn glides back to what is true.
    for _ in 0..120 {
        harness.step();
    }
    assert_eq!(harness.get_by_label(label).rect(), before);
}

#[test]
fn escape_puts_back_what_is_in_hand() {
    let mut harness = shop();
    let label = "Service shop/api, NodePort, degraded";
    harness.get_by_label(label).click();
    harness.run();
    let before = harness.get_by_label(label).rect();
    harness.hover_at(before.center());
    harness.drag_at(before.center());
    harness.run();
    harness.hover_at(before.center() + vec2(0.0, 70.0));
    harness.run();
    assert!(harness.get_by_label(label).rect().top() > before.top() + 40.0);
    harness.key_press(Key::Escape);
    harness.run();
    run_for(&mut harness, 20);
    assert_eq!(harness.get_by_label(label).rect(), before);
    harness.drop_at(before.center() + vec2(0.0, 70.0));
    harness.run();
    assert_eq!(harness.get_by_label(label).rect(), before);
    let events = &harness.state().events;
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, CanvasEvent::Pin(..))),
        "{events:?}"
    );
}

#[test]
fn a_family_can_not_be_dragged_out_of_its_district() {
    let mut harness = shop();
    let label = "Service shop/api, NodePort, degraded";
    let before = harness.get_by_label(label).rect();
    drag(&mut harness, before.center(), vec2(-400.0, 2000.0));
    let Some(CanvasEvent::Pin(_, place)) = harness.state().events.last() else {
        panic!("no pin but {:?}", harness.state().events);
    };
    let scene = &harness.state().scene;
    let at = scene
        .layout
        .find(&service("shop", "api"))
        .expect("on the map");
    let district = scene.layout.group(at).expect("its district");
    let room = district.content();
    let size = scene
        .layout
        .component(at)
        .expect("its family")
        .component
        .size;
    assert_eq!(place.x, room.x - district.area.x);
    assert!((place.y + size.height - (room.bottom() - district.area.y)).abs() < 0.1);
}

/// The shop with its `api` moved down by so many map units, as a layout that keeps a pin has it.
fn shop_with_api_lower(revision: u64, by: f32) -> Scene {
    let mut scene = sample_scene::shop().scene(revision);
    let mut layout = svcscope_model::layout::MapLayout::clone(&scene.layout);
    let at = layout
        .find(&service("shop", "api"))
        .expect("api is on the map");
    layout.components[at.component].origin.y += by;
    scene.layout = Arc::new(layout);
    scene
}

#[test]
fn what_a_new_layout_moves_glides_there_and_comes_to_rest() {
    let mut harness = shop();
    let label = "Service shop/api, NodePort, degraded";
    let before = harness.get_by_label(label).rect();
    let way = 40.0 * harness.state().canvas.zoom();
    harness.state_mut().scene = Arc::new(shop_with_api_lower(2, 40.0));
    let mut tops = Vec::new();
    for _ in 0..30 {
        harness.step();
        tops.push(harness.get_by_label(label).rect().top() - before.top());
    }
    assert!(tops[0] < way / 4.0, "it starts where it stood: {tops:?}");
    assert!(tops.windows(2).all(|pair| pair[0] <= pair[1] + 0.01));
    let underway = tops.iter().filter(|top| **top < way - 0.5).count();
    assert!(
        (6..=14).contains(&underway),
        "200 ms at 60 a second: {underway}"
    );
    assert!((tops[29] - way).abs() < 0.5, "it arrives: {tops:?}");
    assert_eq!(harness.run(), 1, "and then it is at rest");
}

#[test]
fn another_cluster_does_not_glide() {
    let mut harness = shop();
    let label = "Service shop/api, NodePort, degraded";
    let before = harness.get_by_label(label).rect();
    let mut scene = shop_with_api_lower(2, 40.0);
    scene.context = Some("other".into());
    harness.state_mut().scene = Arc::new(scene);
    harness.step();
    let way = harness.get_by_label(label).rect().top() - before.top();
    assert!(
        (way - 40.0 * harness.state().canvas.zoom()).abs() < 0.5,
        "{way}"
    );
}

#[test]
fn a_change_pulses_and_fades_and_then_costs_nothing() {
    let mut harness = shop();
    harness.state_mut().scene = Arc::new(sample_scene::unhealthy_shop().scene(2));
    harness.step();
    harness.step();
    let pulsing = shapes_painted(&harness);
    for _ in 0..60 {
        harness.step();
    }
    assert_eq!(
        shapes_painted(&harness),
        pulsing,
        "one second later it is still seen"
    );
    let soon = delay(&harness);
    assert!(
        soon <= std::time::Duration::from_millis(50) && !soon.is_zero(),
        "{soon:?}"
    );
    for _ in 0..90 {
        harness.step();
    }
    assert!(shapes_painted(&harness) < pulsing);
    assert!(delay(&harness) > std::time::Duration::from_secs(3600));
}

/// When the canvas wants to be drawn again.
fn delay(harness: &Harness<'_, CanvasInteractionState>) -> std::time::Duration {
    let outputs = harness.output().viewport_output.values();
    let delays = outputs.map(|output| output.repaint_delay);
    delays.min().expect("one window")
}

#[test]
fn what_a_filter_shows_or_hides_is_no_change() {
    let mut harness = shop();
    let mut scene = sample_scene::unhealthy_shop().scene(2);
    scene.map_view = Arc::new(svcscope_engine::MapView {
        grouping: svcscope_model::layout::ServiceGrouping::App,
        ..svcscope_engine::MapView::default()
    });
    harness.state_mut().scene = Arc::new(scene);
    harness.run();
    run_for(&mut harness, 30);
    assert!(delay(&harness) > std::time::Duration::from_secs(3600));
}

#[test]
fn a_filter_that_leaves_only_what_is_out_of_view_brings_it_into_view() {
    let all = sample_scene::large(400, 3).scene(1);
    let low = |placed: &&svcscope_model::layout::PlacedComponent| placed.origin.y as i64;
    let lowest = all.layout.components.iter().max_by_key(low).expect("some");
    let lowest = NodeId::Service(lowest.component.services().next().expect("one").clone());
    let mut harness = harness(all);
    harness.state_mut().canvas.focus_on(&lowest);
    harness.run();
    run_for(&mut harness, 60);
    let on_screen = |harness: &Harness<'_, CanvasInteractionState>| {
        harness
            .query_all_by_label_contains("Service shop/")
            .next()
            .is_some()
    };
    assert!(!on_screen(&harness));
    let mut scene = sample_scene::shop().scene(2);
    scene.map_view = Arc::new(svcscope_engine::MapView {
        filter: svcscope_filter::ServiceFilter {
            only_problems: true,
            ..svcscope_filter::ServiceFilter::default()
        },
        ..svcscope_engine::MapView::default()
    });
    harness.state_mut().scene = Arc::new(scene);
    harness.run();
    run_for(&mut harness, 60);
    assert!(on_screen(&harness));
}

#[test]
fn the_rest_of_the_first_lists_is_no_change() {
    use svcscope_model::inventory::{InventoryChange, ResourceKind, SyncState, WatchScope};
    let mut first = sample_scene::shop();
    let syncing = |sample: &mut sample_scene::SampleInventoryBuilder, sync| {
        let change = InventoryChange::Sync(ResourceKind::Pod, WatchScope::Cluster, sync);
        sample.inventory.apply(change);
    };
    syncing(&mut first, SyncState::Syncing);
    let mut harness = harness(first.scene(1));
    harness.state_mut().scene = Arc::new(sample_scene::shop().scene(2));
    harness.run();
    assert!(delay(&harness) > std::time::Duration::from_secs(3600));
}

#[test]
fn dragging_the_background_pans() {
    let mut harness = shop();
    let label = "Service shop/web, LoadBalancer, healthy";
    let before = harness.get_by_label(label).rect();
    let start = pos2(600.0, 870.0);
    harness.hover_at(start);
    harness.drag_at(start);
    harness.run();
    harness.hover_at(start - vec2(50.0, 30.0));
    harness.run();
    harness.drop_at(start - vec2(50.0, 30.0));
    harness.run();
    let moved = harness.get_by_label(label).rect().min - before.min;
    assert!((moved - vec2(-50.0, -30.0)).length() < 1.0, "{moved}");
}

fn double_click(harness: &mut Harness<'_, CanvasInteractionState>, at: Pos2) {
    for _ in 0..2 {
        harness.hover_at(at);
        harness.drag_at(at);
        harness.drop_at(at);
        harness.step();
    }
    harness.run();
}

fn run_for(harness: &mut Harness<'_, CanvasInteractionState>, frames: usize) {
    for _ in 0..frames {
        harness.step();
    }
}

#[test]
fn a_double_click_goes_in_and_escape_goes_out_level_by_level() {
    let mut harness = harness(sample_scene::large(400, 5).scene(1));
    let whole = harness.state().canvas.zoom();
    assert_eq!(DetailLevel::of(whole), DetailLevel::Overview);
    let chip = harness.get_by_label_contains("Namespace team-03,").rect();
    double_click(&mut harness, chip.center());
    run_for(&mut harness, 60);
    let district = harness.state().canvas.zoom();
    assert_eq!(
        DetailLevel::of(district),
        DetailLevel::Compact,
        "one level, not two"
    );
    let row = harness
        .get_by_label_contains("Service team-03/svc-130,")
        .rect();
    double_click(&mut harness, row.center());
    run_for(&mut harness, 30);
    assert_eq!(
        DetailLevel::of(harness.state().canvas.zoom()),
        DetailLevel::Full
    );
    assert_eq!(
        harness.state().selection,
        Some(service("team-03", "svc-130"))
    );
    // First what is selected is let go, then it goes out.
    for (zoom, at) in [
        (None, "deselects"),
        (Some(district), "district"),
        (Some(whole), "map"),
    ] {
        let before = harness.state().canvas.zoom();
        harness.key_press(Key::Escape);
        harness.run();
        run_for(&mut harness, 30);
        let now = harness.state().canvas.zoom();
        let wanted = zoom.unwrap_or(before);
        assert!(
            (now / wanted - 1.0).abs() < 0.01,
            "{at}: {now}, not {wanted}"
        );
    }
    assert_eq!(harness.state().selection, None);
}

#[test]
fn the_minimap_is_there_while_some_of_the_map_is_not_in_view() {
    let mut harness = harness(sample_scene::large(400, 5).scene(1));
    let minimap = "Minimap: click to move the view there";
    assert!(harness.query_by_label(minimap).is_none(), "all is in view");
    near_first_service(&mut harness);
    let place = harness.get_by_label(minimap).rect();
    harness.hover_at(place.right_bottom() - vec2(12.0, 12.0));
    harness.drag_at(place.right_bottom() - vec2(12.0, 12.0));
    harness.run();
    harness.drop_at(place.right_bottom() - vec2(12.0, 12.0));
    harness.run();
    assert!(
        harness
            .query_by_label_contains("Service team-00/svc-0,")
            .is_none(),
        "the view went to the other corner"
    );
    assert_eq!(
        DetailLevel::of(harness.state().canvas.zoom()),
        DetailLevel::Full
    );
    assert_eq!(
        harness.state().selection,
        None,
        "a click there selects nothing"
    );
    harness.get_by_label("Show or hide the minimap").click();
    harness.run();
    assert!(harness.query_by_label(minimap).is_none());
    harness.state_mut().canvas.toggle_minimap();
    harness.run();
    assert!(harness.query_by_label(minimap).is_some());
}

#[test]
fn a_fit_shows_all_that_belongs_to_the_selection() {
    let mut harness = harness(sample_scene::large(400, 5).scene(1));
    harness
        .state_mut()
        .canvas
        .fit_component(&service("team-03", "svc-132"));
    harness.run();
    run_for(&mut harness, 30);
    for label in [
        "Service team-03/svc-132,",
        "Entry point any node :30132 of team-03/svc-132",
        "Pod team-03/svc-132-",
    ] {
        assert!(
            harness.query_all_by_label_contains(label).count() > 0,
            "{label}"
        );
    }
}

#[test]
fn many_small_turns_of_the_wheel_are_one_large_one() {
    let zoomed = |turns: &[f32]| {
        let mut harness = shop();
        for notches in turns {
            wheel(&mut harness, pos2(500.0, 300.0), *notches);
        }
        harness.run();
        harness.state().canvas.zoom()
    };
    let large = zoomed(&[2.0]);
    let small = zoomed(&[0.1; 20]);
    assert!((small / large - 1.0).abs() < 1e-3, "{small} and {large}");
}

#[test]
fn the_legend_says_all_of_it_in_words_too() {
    let mut harness = shop();
    assert_eq!(harness.query_all_by_label_contains("Legend. ").count(), 0);
    harness.get_by_label("Legend").click();
    harness.run();
    let label = harness
        .get_by_label_contains("Legend. ")
        .accesskit_node()
        .label()
        .expect("a label");
    for word in [
        "headless",
        "ExternalName",
        "load balancer",
        "degraded",
        "draining",
    ] {
        assert!(label.contains(word), "{word} in {label}");
    }
}

#[test]
fn a_bare_map_has_no_buttons_and_the_same_view() {
    let mut scene = sample_scene::shop().scene(1);
    scene.context = Some("here".into());
    let mut harness = harness(scene);
    wheel(&mut harness, pos2(500.0, 300.0), 2.0);
    harness.run();
    let zoom = harness.state().canvas.zoom();
    let viewpoint = harness.state().canvas.viewport();
    let scene = harness.state().scene.clone();
    harness.state_mut().canvas = MapCanvas::from_viewport(&viewpoint, &scene);
    harness.state_mut().bare = true;
    harness.run();
    assert_eq!(harness.state().canvas.zoom(), zoom);
    assert!(harness.query_by_label("Zoom in").is_none());
    assert!(shapes_painted(&harness) > 100);
}

#[test]
fn a_search_dims_what_it_leaves_out() {
    let mut harness = shop();
    let before = format!("{:?}", harness.output().shapes);
    harness.state_mut().only = Some(ObjectKey::new("shop", "web"));
    harness.run();
    assert_ne!(format!("{:?}", harness.output().shapes), before);
    harness.state_mut().only = None;
    harness.run();
    assert_eq!(format!("{:?}", harness.output().shapes), before);
}

#[test]
fn an_empty_cluster_is_no_reason_to_fall() {
    let mut harness = harness(Scene::default());
    harness.state_mut().canvas.fit_all();
    harness.run();
    harness.state_mut().canvas.focus_on(&service("no", "where"));
    harness.run();
    wheel(&mut harness, pos2(100.0, 100.0), -3.0);
    harness.run();
}
