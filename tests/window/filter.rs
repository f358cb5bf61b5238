//! What chooses the Services on the map, clicked and typed: each control sends the right command,
//! and what is left out is always said.

use std::sync::Arc;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use svcscope_check::Health;
use svcscope_engine::{EngineCommand, MapView, Scene};
use svcscope_filter::{
    FilterCounts, FilterCriterion, LabelFilter, SearchQuery, ServiceFilter, ServiceKind,
};
use svcscope_model::layout::ServiceGrouping;

use crate::test_window::{TestWindow, busy_scene, key};

impl TestWindow {
    /// The one view that was asked for since the last call.
    #[track_caller]
    fn wanted(&mut self) -> MapView {
        let commands = self.commands();
        let [EngineCommand::SetMapView(view)] = commands.as_slice() else {
            panic!("one view, not {commands:?}");
        };
        view.clone()
    }

    #[track_caller]
    fn wanted_filter(&mut self) -> ServiceFilter {
        self.wanted().filter
    }
}

fn only(filter: ServiceFilter) -> MapView {
    MapView {
        filter,
        ..MapView::default()
    }
}

/// The scene that an engine would publish for a filter.
fn filtered(revision: u64, filter: ServiceFilter, shown: FilterCounts) -> Scene {
    Scene {
        revision,
        map_view: Arc::new(only(filter)),
        filter_counts: shown,
        ..busy_scene()
    }
}

fn some_shown(services: usize) -> FilterCounts {
    FilterCounts {
        services,
        of_services: 12,
        pods: 3,
        of_pods: 31,
        hidden_by: [(FilterCriterion::Type, 12 - services)].into(),
    }
}

fn node_ports() -> ServiceFilter {
    ServiceFilter {
        types: [ServiceKind::NodePort].into(),
        ..ServiceFilter::default()
    }
}

#[test]
fn each_key_asks_for_what_it_says() {
    let mut window = TestWindow::open(busy_scene());
    window.press(Key::W);
    assert!(window.wanted_filter().only_problems);
    window.press(Key::W);
    assert!(!window.wanted_filter().only_problems, "again shows all");
    window.press(Key::Num2);
    assert_eq!(window.wanted().grouping, ServiceGrouping::App);
    window.press(Key::Num3);
    assert_eq!(window.wanted().grouping, ServiceGrouping::None);
    window.press(Key::Num1);
    assert_eq!(window.wanted().grouping, ServiceGrouping::Namespace);
    window.press(Key::Num1);
    assert_eq!(window.commands(), [], "that is so already");
    window.press(Key::X);
    assert_eq!(window.commands(), [], "nothing is filtered");
    window.press(Key::H);
    assert_eq!(window.commands(), [], "nothing is selected");
    window.press(Key::L);
    let commands = window.commands();
    let [EngineCommand::ResetLayout { aspect }] = commands.as_slice() else {
        panic!("tidy up, not {commands:?}");
    };
    assert!((0.5..3.0).contains(aspect), "{aspect}");
    window.key(Modifiers::COMMAND, Key::Z);
    assert_eq!(window.commands(), [], "nothing that was dragged was moved");
    window.publish(Scene {
        revision: 2,
        reset_pin_count: 1,
        ..busy_scene()
    });
    window.key(Modifiers::COMMAND, Key::Z);
    assert_eq!(window.commands(), [EngineCommand::UndoResetLayout]);
}

#[test]
fn the_neighbourhood_is_offered_by_key_inspector_and_menu() {
    let around_api = Some(key("shop", "api"));
    let mut window = TestWindow::open(busy_scene());
    window.click("Service shop/api");
    window.commands();
    window.press(Key::H);
    assert_eq!(window.wanted_filter().neighbourhood, around_api);
    assert!(window.shows("Around shop/api"), "the chip is there at once");
    window.click("Remove the filter Around shop/api");
    assert_eq!(window.wanted_filter(), ServiceFilter::default());

    window.click("More actions");
    window
        .harness
        .get_by_label_contains("Show the neighbourhood")
        .click();
    window.settle();
    assert_eq!(window.wanted_filter().neighbourhood, around_api);
    window.press(Key::X);
    window.commands();

    window
        .harness
        .get_by_label("Service shop/api")
        .click_secondary();
    window.settle();
    window
        .harness
        .get_by_label_contains("Show the neighbourhood")
        .click();
    window.settle();
    assert_eq!(window.wanted_filter().neighbourhood, around_api);
}

#[test]
fn the_menu_chooses_types_and_states() {
    let mut window = TestWindow::open(busy_scene());
    window.click("Filter");
    window.harness.get_by_label_contains("NodePort (").click();
    window.settle();
    assert_eq!(window.wanted_filter(), node_ports());
    window.harness.get_by_label_contains("broken (").click();
    window.settle();
    let both = ServiceFilter {
        health: [Health::Broken].into(),
        ..node_ports()
    };
    assert_eq!(window.wanted_filter(), both, "added to what was chosen");
    window.click("Clear the filter");
    assert_eq!(window.wanted_filter(), ServiceFilter::default());
}

#[test]
fn the_menu_opens_by_key_on_the_text_field() {
    let mut window = TestWindow::open(busy_scene());
    window.key(Modifiers::COMMAND, Key::F);
    let field = window
        .harness
        .get_by_label(svcscope_ui::filter_bar::TEXT_LABEL);
    assert!(field.is_focused());
    field.type_text("ns:shop web");
    window.settle();
    assert_eq!(
        window.wanted_filter().text,
        SearchQuery::parse("ns:shop web")
    );
}

#[test]
fn an_invalid_label_selector_is_reported_in_place_and_not_sent() {
    const LABELS: &str = svcscope_ui::filter_bar::LABELS_LABEL;
    let mut window = TestWindow::open(busy_scene());
    window.click("Filter");
    window.type_into(LABELS, "app in (a");
    assert!(window.contains_text("at character 10: found the end, expected “,” or “)”"));
    assert_eq!(window.commands(), []);
    window.type_into(LABELS, "app in (a,b)");
    assert!(!window.contains_text("at character"));
    let wanted = LabelFilter::parse("app in (a,b)").expect("a selector");
    assert_eq!(window.wanted_filter().labels, wanted);
    window.type_into(LABELS, "app=");
    window.click("Clear the filter");
    window.settle();
    let field = window.harness.get_by_label(LABELS);
    assert_eq!(
        field.value().as_deref(),
        Some(""),
        "the field is empty again"
    );
}

#[test]
fn what_is_hidden_is_reported_as_long_as_it_is() {
    let mut window = TestWindow::open(busy_scene());
    assert!(!window.contains_text("hidden by filter"));
    window.publish(filtered(2, node_ports(), some_shown(2)));
    assert!(window.contains_text("2 of 12 Services shown · 10 hidden by filter:"));
    assert!(window.shows("Type: NodePort"));
    window.click("Remove the filter Type: NodePort");
    assert_eq!(window.wanted_filter(), ServiceFilter::default());
    window.publish(busy_scene());
    window.publish(filtered(4, node_ports(), some_shown(2)));
    window.click("Show all Services");
    assert_eq!(window.wanted_filter(), ServiceFilter::default());
}

#[test]
fn a_map_without_a_service_says_why() {
    let mut window = TestWindow::open(busy_scene());
    window.publish(filtered(2, node_ports(), some_shown(0)));
    assert!(window.contains_text("Nothing to show"));
    assert!(window.contains_text("0 of 12 Services shown · 12 hidden by filter:"));
    window.click("Clear the filter");
    assert_eq!(window.wanted_filter(), ServiceFilter::default());
}

#[test]
fn a_selection_that_is_not_on_the_map_is_said_to_be_hidden() {
    let mut window = TestWindow::open(busy_scene());
    window.click("Service shop/api");
    let mut scene = filtered(2, node_ports(), some_shown(2));
    scene.layout = Arc::default();
    window.publish(scene);
    assert!(window.contains_text("The selected shop/api is among the hidden"));
}

#[test]
fn grouping_is_chosen_from_its_menu() {
    let mut window = TestWindow::open(busy_scene());
    window.click("Group: namespace");
    window.click("Group by application");
    assert_eq!(window.wanted().grouping, ServiceGrouping::App);
    assert!(window.shows("Group: application"));
}

#[test]
fn a_paused_map_keeps_its_picture_while_the_rest_goes_on() {
    let mut window = TestWindow::open(busy_scene());
    window.click("Pause");
    assert!(window.contains_text("Paused 0 s ago · 0 changes since:"));
    let mut next = busy_scene();
    next.revision = 2;
    next.map_revision += 1;
    next.change_count = 34;
    next.layout = Arc::default();
    window.publish(next);
    assert!(window.contains_text("· 34 changes since:"));
    assert!(
        window.contains_text("Service shop/api, NodePort"),
        "still drawn"
    );
    assert!(window.contains_text("34 changes"), "the status bar goes on");
    window.press(Key::P);
    assert!(!window.contains_text("Paused"));
    assert!(!window.contains_text("Service shop/api, NodePort"));

    window.click("Pause");
    window.press(Key::W);
    assert!(
        !window.contains_text("Paused"),
        "another picture was asked for"
    );
}

#[test]
fn every_command_of_the_map_is_in_the_palette() {
    for (words, wanted) in [("only problems", true), ("group by application", false)] {
        let mut window = TestWindow::open(busy_scene());
        window.key(Modifiers::COMMAND, Key::K);
        window.type_into("Find a command", words);
        window.press(Key::Enter);
        let view = window.wanted();
        assert_eq!(view.filter.only_problems, wanted);
        assert_eq!(view.grouping == ServiceGrouping::App, !wanted);
    }
}

#[test]
fn what_another_cluster_shows_is_not_what_was_asked_of_the_last_one() {
    let mut window = TestWindow::open(busy_scene());
    window.press(Key::W);
    assert!(window.shows("Only problems"));
    let mut other = busy_scene();
    other.revision = 2;
    other.context = Some("prod-us-2".into());
    window.publish(other);
    assert!(!window.shows("Only problems"));
}
