use super::*;
use crate::{PathTestId, PathTestRequest, path_test::PathTestEvent};
use svcscope_check::Health;
use svcscope_filter::{SearchQuery, ServiceFilter};
use svcscope_model::{
    inventory::{PodRecord, RecordDelta, ServiceRecord, SyncState, WatchScope},
    topology::NodeId,
};
use svcscope_net::probe::{
    AccessPath, ExecTarget,
    path_test::{
        ConclusionSeverity, PathTestConclusion, PathTestOptions, PathTestOutcome, PathTestResult,
        plan,
    },
};
use svcscope_testkit::sample::{key, pod, port, service, slice, slice_port};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const NAMES: [&str; 4] = ["api", "db", "queue", "web"];

fn up(record: ServiceRecord) -> InventoryChange {
    InventoryChange::Service(RecordDelta::Upsert(record))
}

fn with_pod(name: &str, pod: PodRecord) -> [InventoryChange; 2] {
    let slice = slice(name, 1, vec![slice_port("http", 8080)], &[&pod]);
    [
        InventoryChange::Pod(RecordDelta::Upsert(pod)),
        InventoryChange::EndpointSlice(RecordDelta::Upsert(slice)),
    ]
}

/// Some Services with a pod each, read and laid out.
fn live_model() -> ClusterModel {
    let mut model = ClusterModel::default();
    for name in NAMES {
        model.apply([up(service(name, vec![port("http", 80, "8080")]))], NOW);
        model.apply(with_pod(name, pod(name, 1)), NOW);
    }
    let live = ResourceKind::ALL
        .map(|kind| InventoryChange::Sync(kind, WatchScope::Cluster, SyncState::Live));
    model.apply(live, NOW);
    assert!(model.update_layout());
    model
}

#[test]
fn a_model_without_checks_reports_nothing_also_after_it_was_cleared() {
    let mut model = ClusterModel::new(&AnalysisScope::without_checks(ResourceKind::MAP_KINDS));
    for _ in 0..2 {
        model.apply([up(service("web", vec![port("http", 80, "8080")]))], NOW);
        assert!(scene(&model).topology.service(&key("web")).is_some());
        assert!(model.reports().is_empty());
        model.clear();
    }
}

fn scene(model: &ClusterModel) -> Scene {
    let mut scene = Scene::default();
    model.write_to_scene(&mut scene);
    scene
}

fn text(text: &str) -> MapView {
    MapView {
        filter: ServiceFilter {
            text: SearchQuery::parse(text),
            ..ServiceFilter::default()
        },
        ..MapView::default()
    }
}

fn place(scene: &Scene, name: &str) -> Option<MapPoint> {
    let layout = &scene.layout;
    let area = layout.area(layout.find(&NodeId::Service(key(name)))?)?;
    Some(MapPoint {
        x: area.x,
        y: area.y,
    })
}

#[test]
fn only_what_is_shown_is_laid_out() {
    let mut model = live_model();
    assert!(model.set_view(text("web")));
    assert!(!model.set_view(text("web")), "the same again");
    assert!(model.update_layout());
    let scene = scene(&model);
    assert!(place(&scene, "web").is_some());
    assert!(place(&scene, "api").is_none());
    assert_eq!(
        (
            scene.filter_counts.services,
            scene.filter_counts.of_services
        ),
        (1, 4)
    );
    assert_eq!(
        (scene.filter_counts.pods, scene.filter_counts.of_pods),
        (1, 4)
    );
    assert_eq!(
        scene.topology.services().count(),
        4,
        "the graph stays whole"
    );
    assert_eq!(scene.map_view.filter.text.to_string(), "web");
}

#[test]
fn clearing_a_filter_brings_back_the_same_places() {
    let mut model = live_model();
    let before = scene(&model).layout;
    model.set_view(text("web"));
    model.update_layout();
    model.set_view(text("db"));
    model.update_layout();
    assert!(model.set_view(MapView::default()));
    model.update_layout();
    assert_eq!(*scene(&model).layout, *before);
}

#[test]
fn what_changed_meanwhile_is_there_when_the_filter_is_cleared() {
    let mut model = live_model();
    model.set_view(text("web"));
    model.update_layout();
    let before = place(&scene(&model), "web");
    model.apply([up(service("cache", vec![port("tcp", 6379, "6379")]))], NOW);
    assert!(!model.update_layout(), "what is hidden asks for no layout");
    assert_eq!(place(&scene(&model), "web"), before);
    model.set_view(MapView::default());
    assert!(model.update_layout());
    let scene = scene(&model);
    assert!(place(&scene, "cache").is_some());
    assert_eq!(scene.filter_counts.services, 5);
}

#[test]
fn a_service_comes_and_goes_as_it_meets_the_filter() {
    let mut model = live_model();
    model.set_view(MapView {
        filter: ServiceFilter {
            only_problems: true,
            ..ServiceFilter::default()
        },
        ..MapView::default()
    });
    model.update_layout();
    assert_eq!(scene(&model).filter_counts.services, 0);
    let mut late = pod("web", 1);
    late.ready = false;
    model.apply(with_pod("web", late), NOW);
    assert!(model.update_layout());
    assert!(place(&scene(&model), "web").is_some());
    model.apply(with_pod("web", pod("web", 1)), NOW);
    assert!(model.update_layout());
    assert!(place(&scene(&model), "web").is_none());
}

#[test]
fn a_first_list_is_no_change_and_what_follows_is() {
    let mut model = live_model();
    assert_eq!(scene(&model).change_count, 0);
    let mut late = pod("web", 1);
    late.ready = false;
    model.apply(with_pod("web", late.clone()), NOW);
    assert_eq!(scene(&model).change_count, 2, "the pod and its slice");
    model.apply(with_pod("web", late), NOW);
    assert_eq!(scene(&model).change_count, 2, "nothing new");
}

#[test]
fn everything_is_laid_out_once_more_when_the_first_lists_are_there() {
    let mut model = ClusterModel::default();
    model.apply([up(service("web", Vec::new()))], NOW);
    assert!(model.update_layout());
    model.apply([up(service("api", Vec::new()))], NOW);
    // The second one may be too soon after the first one: then it is put off, not forgotten.
    let put_off = !model.update_layout();
    assert_eq!(put_off, model.layout_due().is_some());
    let live = ResourceKind::ALL
        .map(|kind| InventoryChange::Sync(kind, WatchScope::Cluster, SyncState::Live));
    model.apply(live, NOW);
    assert!(model.update_layout(), "at once");
    assert_eq!(model.layout_due(), None);
    assert!(place(&scene(&model), "api").is_some());
}

#[test]
fn another_cluster_starts_empty_with_what_was_chosen() {
    let mut model = live_model();
    model.set_view(text("web"));
    model.clear();
    model.update_layout();
    let cleared = scene(&model);
    assert!(cleared.layout.is_empty());
    assert_eq!(cleared.filter_counts, Default::default());
    assert_eq!(*cleared.map_view, text("web"));
}

/// Where the family of a Service stands in its district.
fn origin(scene: &Scene, name: &str) -> (f32, f32) {
    let layout = &scene.layout;
    let at = layout.find(&NodeId::Service(key(name))).unwrap();
    let district = layout.group(at).unwrap().area;
    let family = layout.component(at).unwrap().origin;
    (family.x - district.x, family.y - district.y)
}

#[test]
fn a_pin_moves_a_family_holds_while_filtered_and_ends_by_tidying_up() {
    let mut model = live_model();
    let before = scene(&model);
    model.set_view(text("web"));
    model.update_layout();
    let there = MapPoint { x: 40.0, y: 400.0 };
    assert_eq!(model.pin(&key("web"), Some(there)), []);
    assert!(model.update_layout());
    assert_eq!(origin(&scene(&model), "web"), (40.0, 400.0));
    model.set_view(MapView::default());
    assert!(model.update_layout());
    assert_eq!(origin(&scene(&model), "web"), (40.0, 400.0));
    assert_eq!(scene(&model).reset_pin_count, 0);
    model.reset_layout(1.6);
    assert!(model.update_layout());
    assert_eq!(*scene(&model).layout, *before.layout);

    // It can be taken back, once.
    assert_eq!(scene(&model).reset_pin_count, 1);
    assert_eq!(model.undo_reset_layout(), [(key("web"), there)]);
    assert!(model.update_layout());
    assert_eq!(origin(&scene(&model), "web"), (40.0, 400.0));
    assert_eq!(scene(&model).reset_pin_count, 0);
    assert_eq!(model.undo_reset_layout(), []);
}

#[test]
fn what_was_put_elsewhere_after_tidying_up_stays_there_when_that_is_undone() {
    let mut model = live_model();
    let (first, second) = (
        MapPoint { x: 40.0, y: 400.0 },
        MapPoint { x: 90.0, y: 900.0 },
    );
    model.pin(&key("web"), Some(first));
    model.reset_layout(1.6);
    model.pin(&key("web"), Some(second));
    assert_eq!(model.undo_reset_layout(), []);
    assert!(model.update_layout());
    assert_eq!(origin(&scene(&model), "web"), (90.0, 900.0));
}

/// The end of a test of `web` that found this.
fn tested(model: &mut ClusterModel, means: Option<ConclusionSeverity>) -> bool {
    tested_from(model, Vec::new(), means)
}

/// The same, also from inside: those paths fail where anything does.
fn tested_from(
    model: &mut ClusterModel,
    insiders: Vec<ExecTarget>,
    means: Option<ConclusionSeverity>,
) -> bool {
    let options = PathTestOptions {
        exec_targets: insiders,
        ..PathTestOptions::default()
    };
    let asked = PathTestRequest {
        service: key("web"),
        options: options.clone(),
        repeat_interval: None,
    };
    let mut status = PathTestStatus::new(PathTestId(1), asked);
    let inventory = model.inventory().clone();
    let service = inventory.service(&key("web")).expect("the Service");
    let planned = plan(service, &inventory, &options);
    let cells = planned.cells.clone();
    status.apply_event(PathTestEvent::RoundStarted(
        Arc::new(planned),
        Box::new(inventory),
    ));
    for (at, cell) in cells.iter().enumerate() {
        let is_inside = matches!(cell.access_path, AccessPath::InCluster { .. });
        let reach = match (&cell.request, is_inside, means) {
            (Err(_), ..) => PathTestOutcome::NotTestable,
            (Ok(_), true, Some(ConclusionSeverity::Broken)) => PathTestOutcome::Refused,
            _ => PathTestOutcome::Status(200),
        };
        status.apply_event(PathTestEvent::PathTested(
            at,
            Box::new(PathTestResult::not_tried(reach, "")),
        ));
    }
    let found = means.map(|means| PathTestConclusion {
        ports: vec![80],
        rule: "nothing-listens",
        text: "nothing listens on targetPort 8080 in any of the pods".into(),
        short: "nothing listens on targetPort 8080".into(),
        is_fine: means == ConclusionSeverity::Works,
        severity: means,
    });
    status.apply_event(PathTestEvent::RoundEnded {
        results: vec![PathTestResult::not_tried(PathTestOutcome::Refused, "why")],
        conclusions: found.into_iter().collect(),
        duration: std::time::Duration::from_secs(1),
    });
    let result = status.health_evidence().expect("a result");
    model.record_path_test(&status, result, NOW)
}

fn verdict(model: &ClusterModel) -> Health {
    scene(model).reports[&key("web")].health
}

#[test]
fn what_a_test_found_stays_until_the_service_changes() {
    let mut model = live_model();
    assert_eq!(verdict(&model), Health::Healthy);
    assert!(tested(&mut model, Some(ConclusionSeverity::Broken)));
    let shown = scene(&model);
    assert_eq!(shown.reports[&key("web")].health, Health::Broken);
    let short = &shown.reports[&key("web")].findings[0].short;
    assert!(
        short.starts_with("nothing listens on targetPort 8080 (tested "),
        "{short}"
    );
    assert!(shown.path_test_of(&key("web")).is_some());

    // Another Service, and what is no part of a packet's way, leave it.
    model.apply([up(service("api", vec![port("http", 81, "8080")]))], NOW);
    let mut labelled = service("web", vec![port("http", 80, "8080")]);
    labelled.labels.insert("team".into(), "a".into());
    model.apply([up(labelled)], NOW);
    assert_eq!(verdict(&model), Health::Broken);

    // Now it leads elsewhere: whether that answers is unknown.
    model.apply([up(service("web", vec![port("http", 80, "9090")]))], NOW);
    assert!(scene(&model).path_test_of(&key("web")).is_none());
    let report = scene(&model).reports[&key("web")].clone();
    assert!(
        report
            .findings
            .iter()
            .all(|it| !it.id.starts_with("SVC-TESTED")),
        "{report:?}"
    );
    // And back again is not what was tested either.
    model.apply([up(service("web", vec![port("http", 80, "8080")]))], NOW);
    assert_eq!(verdict(&model), Health::Healthy);

    // A later test that finds no problems takes the place of the first.
    assert!(tested(&mut model, Some(ConclusionSeverity::Affected)));
    assert_eq!(verdict(&model), Health::Degraded);
    assert!(tested(&mut model, Some(ConclusionSeverity::Works)));
    assert_eq!(verdict(&model), Health::Healthy);

    // Another cluster knows nothing of it.
    tested(&mut model, Some(ConclusionSeverity::Broken));
    model.clear();
    assert!(scene(&model).path_tests.is_empty());
}

#[test]
fn fewer_paths_that_work_prove_nothing_about_one_that_failed() {
    let mut model = live_model();
    let from = ExecTarget::Pod {
        pod: key("api-1"),
        container: None,
    };
    assert!(tested_from(
        &mut model,
        vec![from.clone()],
        Some(ConclusionSeverity::Broken)
    ));
    assert!(
        !tested(&mut model, Some(ConclusionSeverity::Works)),
        "from outside alone"
    );
    assert_eq!(verdict(&model), Health::Broken);
    assert!(tested_from(
        &mut model,
        vec![from],
        Some(ConclusionSeverity::Works)
    ));
    assert_eq!(verdict(&model), Health::Healthy);
}

#[test]
fn what_changed_while_it_was_tested_is_not_kept() {
    let mut model = live_model();
    let asked = PathTestRequest {
        service: key("web"),
        options: PathTestOptions::default(),
        repeat_interval: None,
    };
    let mut status = PathTestStatus::new(PathTestId(1), asked);
    let inventory = model.inventory().clone();
    let service_now = inventory.service(&key("web")).expect("the Service");
    let planned = plan(service_now, &inventory, &PathTestOptions::default());
    status.apply_event(PathTestEvent::RoundStarted(
        Arc::new(planned),
        Box::new(inventory),
    ));
    model.apply([up(service("web", vec![port("http", 80, "9090")]))], NOW);
    let result = status.health_evidence().expect("a result");
    assert!(!model.record_path_test(&status, result, NOW));
    assert!(scene(&model).path_tests.is_empty());
}
