//! The window, clicked by what its widgets are called: each button sends the right command.

use std::sync::Arc;

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use svcscope_edit::{
    ChangeOutcome, FieldError, MigrationOption, MigrationPath, RequestedChange, ServiceKind,
    ServiceSnapshot, WriteResponse,
};
use svcscope_engine::{
    ActivityLevel, ActivityMessage, ConnectionSecurityWarning, ConnectionState, ConnectionStep,
    ConnectionStepResult, ConnectionTestStatus, EditId, EditState, EngineCommand, LoginStatus,
    NextAttempt, RequestState, Scene, StepStatus,
};
use svcscope_model::{
    inventory::{Inventory, InventoryChange, ResourceKind, SyncState, WatchScope},
    topology::NodeId,
};
use svcscope_net::{
    forward::{ForwardId, ForwardSpec, ForwardTarget, RemotePort, SpreadPolicy},
    probe::{HttpScheme, RequestId},
};

use crate::{
    sample_scene,
    test_window::{
        TestWindow, busy_scene, contexts, key, now, plan, request, response, scene_with_edit,
        scene_with_saved,
    },
};

impl TestWindow {
    fn enabled(&self, label: &str) -> bool {
        !self
            .harness
            .get_by_label(label)
            .accesskit_node()
            .is_disabled()
    }
}

fn with_api_selected(scene: Scene) -> TestWindow {
    let mut window = TestWindow::open(scene);
    window.click("Service shop/api");
    window.commands();
    window
}

fn api_target() -> ForwardTarget {
    ForwardTarget::Service(key("shop", "api"))
}

#[test]
fn a_click_in_the_list_selects_and_has_the_engine_inspect() {
    let mut window = TestWindow::open(busy_scene());
    window.click("Service shop/api");
    assert_eq!(
        window.selection(),
        Some(NodeId::Service(key("shop", "api")))
    );
    assert_eq!(
        window.commands(),
        [EngineCommand::InspectService(Some(key("shop", "api")))]
    );
    window.key(Modifiers::NONE, Key::Escape);
    assert_eq!(window.selection(), None);
    assert_eq!(window.commands(), [EngineCommand::InspectService(None)]);
}

#[test]
fn forward_asks_for_a_port_and_starts() {
    let mut window = with_api_selected(busy_scene());
    window.click("Forward");
    window.type_into("Local port", "18080");
    window.click("Start forward");
    let spec = ForwardSpec {
        local_port: Some(18080),
        ..ForwardSpec::new(api_target(), RemotePort::Number(8081))
    };
    assert_eq!(
        window.commands(),
        [EngineCommand::StartForward(ForwardId(1), spec)]
    );
    assert!(!window.shows("Start forward"), "the dialog is closed");
}

#[test]
fn a_local_port_that_is_none_is_refused_with_words() {
    let mut window = with_api_selected(busy_scene());
    window.key(Modifiers::NONE, Key::F);
    window.type_into("Local port", "70000");
    assert!(window.contains_text("from 1 to 65535"));
    assert!(!window.enabled("Start forward"));
    assert_eq!(window.commands(), []);
}

#[test]
fn a_ports_own_buttons_open_the_dialogs_on_that_port() {
    let mut window = TestWindow::open(busy_scene());
    window.click("Service shop/web");
    window.commands();
    window.click("Forward shop/web port 80");
    window.click("Start forward");
    let spec = ForwardSpec::new(
        ForwardTarget::Service(key("shop", "web")),
        RemotePort::Number(80),
    );
    assert_eq!(
        window.commands(),
        [EngineCommand::StartForward(ForwardId(1), spec)]
    );
    // Where the dialog's button was, the pointer is now over the map, which has the same buttons.
    window.harness.event(egui::Event::PointerGone);
    window.settle();
    window.click("Curl shop/web port 443");
    window.click("Send");
    let commands = window.commands();
    let [EngineCommand::SendRequest(_, request, None)] = commands.as_slice() else {
        panic!("one request, not {commands:?}");
    };
    assert_eq!(request.port, RemotePort::Number(443));
    assert_eq!(request.scheme, HttpScheme::Https, "guessed by name");
}

#[test]
fn a_pod_has_its_own_forward() {
    let mut window = with_api_selected(busy_scene());
    window.click("Forward pod shop/api-7f9c-bd");
    window.click("Start forward");
    let spec = ForwardSpec::new(
        ForwardTarget::Pod(key("shop", "api-7f9c-bd")),
        RemotePort::Number(8080),
    );
    assert_eq!(
        window.commands(),
        [EngineCommand::StartForward(ForwardId(1), spec)]
    );
}

#[test]
fn curl_sends_what_is_filled_in_and_shows_the_answer() {
    let mut window = with_api_selected(busy_scene());
    window.click("Curl");
    window.type_into("Path", "healthz");
    window.type_into("Headers", "X-Trace: 1");
    window.click("Send");
    let commands = window.commands();
    let [EngineCommand::SendRequest(id, sent, None)] = commands.as_slice() else {
        panic!("one request, not {commands:?}");
    };
    assert_eq!(sent.target, api_target());
    assert_eq!(sent.method, "GET");
    assert_eq!(sent.path, "/healthz");
    assert_eq!(sent.headers, [("X-Trace".to_owned(), "1".to_owned())]);

    let running = Scene {
        revision: 2,
        requests: vec![request(*id, RequestState::Running)].into(),
        ..busy_scene()
    };
    window.publish(running);
    window.click("Cancel request");
    assert_eq!(window.commands(), [EngineCommand::CancelRequest(*id)]);

    let done = Scene {
        revision: 3,
        requests: vec![request(*id, RequestState::Done(Arc::new(response())))].into(),
        ..busy_scene()
    };
    window.publish(done);
    assert!(window.shows("503 Service Unavailable"));
    assert!(window.contains_text("\"status\": \"degraded\""));
}

#[test]
fn a_type_change_is_planned_confirmed_by_name_and_applied() {
    let mut window = with_api_selected(busy_scene());
    window.click("Change type…");
    window.click("ClusterIP");
    let plan = Arc::new(plan(ServiceKind::ClusterIP));
    let id = EditId(1);
    assert_eq!(
        window.commands(),
        [EngineCommand::PlanEdit(
            id,
            key("shop", "api"),
            plan.requested_change.clone()
        )]
    );

    let after = plan
        .projected_service
        .as_ref()
        .expect("a change")
        .as_ref()
        .clone();
    let preview = Arc::new(WriteResponse {
        service: after.clone(),
        object: serde_json::json!({}),
        warnings: Vec::new(),
    });
    let ready = EditState::Ready {
        plan: plan.clone(),
        preview,
    };
    window.publish(scene_with_edit(2, id, ready));
    assert!(window.contains_text("nodePort 30080 is released"));
    assert!(window.contains_text("Helm manages it"));
    window.click("Apply…");
    assert_eq!(window.commands(), [], "nothing before the question");
    assert!(window.contains_text(
        "In context lab-eu-1, namespace shop: change Service shop/api from NodePort to ClusterIP?"
    ));
    window.click("Yes, change it");
    assert_eq!(window.commands(), [EngineCommand::ApplyEdit(id)]);

    let outcome = Arc::new(ChangeOutcome {
        plan: plan.clone(),
        after: Some(ServiceSnapshot {
            record: Arc::new(after),
            object: Arc::new(serde_json::json!({})),
        }),
        warnings: Vec::new(),
    });
    window.publish(scene_with_edit(3, id, EditState::Applied(outcome)));
    assert!(window.contains_text("Service shop/api is ClusterIP now"));
    window.click("Undo…");
    let commands = window.commands();
    assert_eq!(
        commands,
        [
            EngineCommand::DiscardEdit(id),
            EngineCommand::UndoEdit(EditId(2), 1)
        ],
        "the old plan is dropped and the opposite one made"
    );
}

#[test]
fn the_servers_own_words_are_shown_by_field() {
    let mut window = with_api_selected(busy_scene());
    window.key(Modifiers::NONE, Key::T);
    window.click("LoadBalancer");
    window.commands();
    let failed = EditState::Failed {
        reason: "Service \"api\" is invalid".into(),
        fields: vec![FieldError {
            field: "spec.ports[0].nodePort".into(),
            message: "provided port is already allocated".into(),
        }],
        migration_options: Vec::new(),
        conflict: None,
    };
    window.publish(scene_with_edit(2, EditId(1), failed));
    assert!(window.contains_text("Service \"api\" is invalid"));
    assert!(window.contains_text("spec.ports[0].nodePort"));
    assert!(window.contains_text("provided port is already allocated"));
    assert!(!window.shows("Apply…"));
}

#[test]
fn both_ways_to_headless_are_offered_with_their_price() {
    let mut window = with_api_selected(busy_scene());
    window.key(Modifiers::NONE, Key::T);
    window.click("Headless");
    window.commands();
    let way = |via, price: &str| MigrationOption {
        path: via,
        costs: vec![price.into()],
    };
    let failed = EditState::Failed {
        reason: "svc/api can't become Headless in one step".into(),
        fields: Vec::new(),
        migration_options: vec![
            way(MigrationPath::ExternalName, "nobody finds it for a moment"),
            way(MigrationPath::Recreate, "its uid changes"),
        ],
        conflict: None,
    };
    window.publish(scene_with_edit(2, EditId(1), failed));
    assert!(window.contains_text("nobody finds it for a moment"));
    assert!(window.contains_text("its uid changes"));
    window.click("Delete and create again");
    let commands = window.commands();
    let Some(EngineCommand::PlanEdit(_, _, RequestedChange::Change(change))) = commands.last()
    else {
        panic!("a plan, not {commands:?}");
    };
    assert_eq!(change.migration_path, Some(MigrationPath::Recreate));
}

#[test]
fn an_alias_asks_for_its_name_before_it_is_planned() {
    let mut window = with_api_selected(busy_scene());
    window.click("Change type…");
    window.click("ExternalName");
    assert_eq!(window.commands(), []);
    assert!(!window.enabled("Check with the server"));
    window.type_into("External name", "api.example.com");
    window.click("Check with the server");
    let commands = window.commands();
    let [EngineCommand::PlanEdit(_, _, RequestedChange::Change(change))] = commands.as_slice()
    else {
        panic!("one plan, not {commands:?}");
    };
    assert_eq!(change.external_name.as_deref(), Some("api.example.com"));
    window.click("Close");
    assert_eq!(window.commands(), [EngineCommand::DiscardEdit(EditId(1))]);
}

#[test]
fn the_list_of_forwards_stops_and_removes() {
    let mut window = TestWindow::open(busy_scene());
    window.click("Stop forward shop/web");
    assert_eq!(
        window.commands(),
        [EngineCommand::StopForward(ForwardId(1))]
    );
    window.click("Remove forward shop/api");
    assert_eq!(
        window.commands(),
        [EngineCommand::RemoveForward(ForwardId(4))]
    );
    window.click("Stop all forwards");
    assert_eq!(window.commands().len(), 4);
}

#[test]
fn a_forward_starts_again_in_its_place_or_at_the_port_that_is_free() {
    let mut window = TestWindow::open(busy_scene());
    let forwards = busy_scene().forwards;
    window.click("Start again forward shop/api");
    assert_eq!(
        window.commands(),
        [EngineCommand::StartForward(
            ForwardId(4),
            forwards[3].spec.clone()
        )]
    );
    window.click("Use port 9001 for forward shop/api");
    let spec = ForwardSpec {
        local_port: Some(9001),
        ..forwards[3].spec.clone()
    };
    assert_eq!(
        window.commands(),
        [EngineCommand::StartForward(ForwardId(4), spec)]
    );

    window.click("More for forward shop/web");
    window.click("Restart");
    let again = ForwardSpec {
        last_port: Some(8080),
        ..forwards[0].spec.clone()
    };
    assert_eq!(
        window.commands(),
        [EngineCommand::StartForward(ForwardId(1), again.clone())]
    );
    window.click("More for forward shop/web");
    window.click("All ready pods in turn");
    let spec = ForwardSpec {
        spread: SpreadPolicy::Balanced,
        ..again
    };
    assert_eq!(
        window.commands(),
        [EngineCommand::StartForward(ForwardId(1), spec)]
    );
}

#[test]
fn what_flows_is_drawn_and_falls_silent_by_itself() {
    let window = TestWindow::open(busy_scene());
    // 2 MB and 200 kB in the last two seconds; the current one is just beginning.
    assert!(window.shows("Traffic of forward shop/web: ↓ 1.0 MB/s ↑ 100 kB/s"));
    assert!(window.shows("1.1 MB/s"));
}

#[test]
fn a_forward_is_saved_by_name_and_group() {
    let mut window = TestWindow::open(busy_scene());
    window.click("More for forward shop/web");
    window.click("Save…");
    window
        .harness
        .key_press_modifiers(Modifiers::NONE, Key::Tab);
    window.type_into("Group", "shop");
    window.click("Start with the app");
    window.click("Save forward");
    let commands = window.commands();
    let [
        EngineCommand::SaveForward {
            running: Some(ForwardId(1)),
            previous_name: None,
            forward,
        },
    ] = commands.as_slice()
    else {
        panic!("one forward is saved, not {commands:?}");
    };
    assert_eq!(&*forward.name, "web");
    assert_eq!(forward.group.as_deref(), Some("shop"));
    assert!(forward.start_with_app);
    assert_eq!(forward.spec.target, busy_scene().forwards[0].spec.target);
    assert!(!window.shows("Save forward"), "the dialog is closed");
}

#[test]
fn saved_forwards_start_by_one_and_by_group_and_are_edited_and_forgotten() {
    let mut window = TestWindow::open(scene_with_saved());
    assert!(window.shows("saved in shop, starts with the app"));
    window.click("Start forward front");
    assert_eq!(
        window.commands(),
        [EngineCommand::StartSavedForwards(vec!["front".into()])]
    );
    window.click("Start group shop");
    let group = vec!["front".into(), "back".into()];
    assert_eq!(
        window.commands(),
        [EngineCommand::StartSavedForwards(group.clone())]
    );
    window.click("Start all saved forwards");
    let all = vec!["front".into(), "back".into(), "db".into()];
    assert_eq!(window.commands(), [EngineCommand::StartSavedForwards(all)]);

    window.key(Modifiers::COMMAND, Key::K);
    window.type_into("Find a command", "start group shop");
    window.key(Modifiers::NONE, Key::Enter);
    assert_eq!(
        window.commands(),
        [EngineCommand::StartSavedForwards(group)]
    );
    window.key(Modifiers::COMMAND, Key::K);
    window.type_into("Find a command", "stop forward shop/web");
    window.key(Modifiers::NONE, Key::Enter);
    assert_eq!(
        window.commands(),
        [EngineCommand::StopForward(ForwardId(1))]
    );

    window.key(Modifiers::COMMAND, Key::K);
    window.type_into("Find a command", "forward a port of infra/db");
    window.key(Modifiers::NONE, Key::Enter);
    assert!(window.shows("Start forward"));
    window.click("Cancel");
    window.commands();

    window.click("Edit forward db");
    window.type_into("Local port", "15432");
    window.click("All ready pods in turn");
    window.click("Save forward");
    let commands = window.commands();
    let [
        EngineCommand::SaveForward {
            running: None,
            previous_name: Some(was),
            forward,
        },
    ] = commands.as_slice()
    else {
        panic!("one forward is saved, not {commands:?}");
    };
    assert_eq!((&**was, &*forward.name), ("db", "db"));
    assert_eq!(forward.spec.local_port, Some(15432));
    assert_eq!(forward.spec.spread, SpreadPolicy::Balanced);

    window.click("Forget forward db");
    assert_eq!(
        window.commands(),
        [EngineCommand::ForgetForward("db".into())]
    );
}

#[test]
fn saved_forwards_go_to_a_file_and_come_from_one() {
    let mut window = TestWindow::open(scene_with_saved());
    window.click("Export forwards…");
    assert!(window.contains_text("3 saved forwards of this context"));
    window.type_into("File", "/tmp/mine.json");
    window.click("Export");
    let file = std::path::PathBuf::from("/tmp/mine.json");
    assert_eq!(
        window.commands(),
        [EngineCommand::ExportForwards(file.clone())]
    );
    window.click("Import forwards…");
    window.type_into("File", "mine.json");
    assert!(window.contains_text("give the whole path"));
    assert!(!window.enabled("Show what it holds"));
    window.type_into("File", "/tmp/mine.json");
    window.click("Show what it holds");
    assert_eq!(
        window.commands(),
        [EngineCommand::PreviewForwardImport(file)]
    );
}

#[test]
fn the_dialog_asks_where_connections_go_and_warns_of_other_addresses() {
    let mut window = with_api_selected(busy_scene());
    window.click("Forward");
    window.click("Only this pod");
    window.click("Another address");
    assert!(window.contains_text("Anyone who can reach this address can reach the pods"));
    window.type_into("Address to listen at", "nowhere");
    assert!(!window.enabled("Start forward"));
    window.type_into("Address to listen at", "192.168.1.7");
    window.type_into("Name", "api");
    window.type_into("Group", "shop");
    window.click("Start forward");
    let commands = window.commands();
    let [
        EngineCommand::SaveForward { forward, .. },
        EngineCommand::StartForward(ForwardId(1), spec),
    ] = commands.as_slice()
    else {
        panic!("saved and started, not {commands:?}");
    };
    assert_eq!(spec.local_address, "192.168.1.7".parse().ok());
    assert!(matches!(&spec.spread, SpreadPolicy::Pinned(pod) if pod.starts_with("api-")));
    assert_eq!(spec.name.as_deref(), Some("api"));
    assert_eq!(forward.spec, *spec);
    assert_eq!(forward.group.as_deref(), Some("shop"));
}

#[test]
fn all_ports_of_a_service_are_forwarded_at_once() {
    let mut window = TestWindow::open(busy_scene());
    window.click("Service shop/web");
    window.commands();
    window.key(Modifiers::NONE, Key::F);
    window.click("All 2 ports");
    window.click("All ready pods in turn");
    window.click("Start forward");
    let started = window.commands().into_iter().map(|command| match command {
        EngineCommand::StartForward(_, spec) if spec.spread == SpreadPolicy::Balanced => spec.port,
        other => panic!("a forward, not {other:?}"),
    });
    let ports: Vec<_> = started.collect();
    assert_eq!(ports, [RemotePort::Number(443), RemotePort::Number(80)]);
}

#[test]
fn a_problem_leads_to_its_service() {
    let mut window = TestWindow::open(busy_scene());
    window.key(Modifiers::COMMAND, Key::Num3);
    let problem = window
        .harness
        .query_all_by_label_contains("Problem of shop/orphan:")
        .next()
        .expect("the orphan is listed");
    problem.click();
    window.settle();
    assert_eq!(
        window.selection().as_ref().and_then(service_of),
        Some(key("shop", "orphan"))
    );
}

fn service_of(node: &NodeId) -> Option<svcscope_model::inventory::ObjectKey> {
    svcscope_ui::state::service_of(node).cloned()
}

#[test]
fn search_finds_says_when_nothing_does_and_is_cleared() {
    let mut window = TestWindow::open(busy_scene());
    window.key(Modifiers::NONE, Key::Slash);
    window
        .harness
        .get_by_label("Search Services")
        .type_text("type:loadbalancer");
    window.settle();
    assert!(window.shows("Service shop/web"));
    assert!(!window.shows("Service infra/db"));
    assert!(window.shows("2 hits"));
    window
        .harness
        .get_by_label("Search Services")
        .type_text(" nothing-like-this");
    window.settle();
    assert!(window.contains_text("Nothing matches"));
    window.click("Clear search");
    assert!(window.shows("Service infra/db"));
}

#[test]
fn escape_clears_a_search_and_leaves_the_map_where_it_is() {
    let mut window = TestWindow::open(busy_scene());
    window.click("Map");
    window.press(Key::Plus);
    window.press(Key::Plus);
    window.type_into("Search Services", "web");
    // Back on the map, where Escape would go out one level.
    window.click("Map");
    let zoom = |window: &TestWindow| window.harness.state().state().canvas.zoom();
    let before = zoom(&window);
    window.press(Key::Escape);
    assert_eq!(window.harness.state().state().view.search, "");
    assert_eq!(zoom(&window), before);
    window.press(Key::Escape);
    assert!(zoom(&window) < before, "nothing else is left to leave");
}

#[test]
fn a_key_moves_into_the_search_and_is_not_typed_there() {
    let mut window = TestWindow::open(busy_scene());
    window.harness.event(egui::Event::Text("/".to_owned()));
    window.key(Modifiers::NONE, Key::Slash);
    assert_eq!(window.harness.state().state().view.search, "");
}

#[test]
fn the_palette_runs_a_command_and_goes_to_a_service() {
    let mut window = TestWindow::open(busy_scene());
    window.key(Modifiers::COMMAND, Key::K);
    window
        .harness
        .get_by_label("Find a command")
        .type_text("infra/queue");
    window.settle();
    window.key(Modifiers::NONE, Key::Enter);
    assert_eq!(
        window.selection(),
        Some(NodeId::Service(key("infra", "queue")))
    );
    window.commands();
    window.key(Modifiers::COMMAND, Key::K);
    window
        .harness
        .get_by_label("Find a command")
        .type_text("reconnect");
    window.settle();
    window.key(Modifiers::NONE, Key::Enter);
    assert_eq!(window.commands(), [EngineCommand::Reconnect]);
}

#[test]
fn frame_times_are_shown_on_request_and_cost_no_frame() {
    let mut window = TestWindow::open(busy_scene());
    assert!(window.harness.query_by_label_contains("frames/s").is_none());
    window.key(Modifiers::COMMAND, Key::K);
    window
        .harness
        .get_by_label("Find a command")
        .type_text("frame times");
    window.settle();
    window.key(Modifiers::NONE, Key::Enter);
    // Settling fails where frames ask for more frames.
    window.settle();
    window.harness.get_by_label_contains("frames/s");
}

#[test]
fn an_alias_offers_no_forward_and_says_why() {
    let mut window = TestWindow::open(busy_scene());
    window.click("Service shop/legacy");
    assert!(!window.enabled("Forward"));
    assert!(window.enabled("Curl"), "through its external name");
    assert!(window.enabled("Change type…"));
    window.commands();
    window.key(Modifiers::NONE, Key::F);
    assert!(!window.shows("Start forward"));
}

#[test]
fn a_number_of_the_overview_lists_what_it_counts() {
    let mut window = TestWindow::open(busy_scene());
    window.click("List broken Services");
    assert!(window.shows("Service shop/orphan"));
    assert!(!window.shows("Service shop/web"));
}

#[test]
fn the_right_button_opens_a_menu_of_what_can_be_done() {
    let mut window = TestWindow::open(busy_scene());
    window
        .harness
        .get_by_label("Service infra/db")
        .click_secondary();
    window.settle();
    window.commands();
    window
        .harness
        .get_by_label_contains("Forward a port…")
        .click();
    window.settle();
    window.key(Modifiers::NONE, Key::Enter);
    let spec = ForwardSpec::new(
        ForwardTarget::Service(key("infra", "db")),
        RemotePort::Number(5432),
    );
    assert_eq!(
        window.commands(),
        [EngineCommand::StartForward(ForwardId(1), spec)]
    );
}

#[test]
fn read_only_greys_what_writes_and_nothing_else() {
    let window = with_api_selected(Scene {
        read_only: true,
        ..busy_scene()
    });
    assert!(!window.enabled("Change type…"));
    assert!(window.enabled("Forward"));
    assert!(window.shows("read-only"));
}

#[test]
fn a_lost_connection_says_since_when_and_calls_nothing_healthy() {
    let mut window = with_api_selected(Scene {
        connection: ConnectionState::Lost {
            since: now() - jiff::SignedDuration::from_secs(42),
            reason: "connection reset".into(),
        },
        ..busy_scene()
    });
    assert!(window.contains_text("Connection lost 42 s ago: connection reset"));
    assert!(window.contains_text("stale since"));
    assert!(!window.shows("healthy"));
    assert!(!window.enabled("Forward"));
    window.click("Try again now");
    assert_eq!(window.commands(), [EngineCommand::Reconnect]);
}

#[test]
fn a_failed_connection_offers_to_try_again_and_other_contexts() {
    let mut window = TestWindow::open(Scene {
        connection: ConnectionState::Failed {
            reason: "exec plugin aws-iam-authenticator: not found".into(),
        },
        context: Some("lab-eu-1".into()),
        contexts: contexts(),
        ..Scene::default()
    });
    assert!(window.contains_text("aws-iam-authenticator: not found"));
    window.click("Try again");
    window.click("Connect to prod-us-2");
    assert_eq!(
        window.commands(),
        [
            EngineCommand::Reconnect,
            EngineCommand::Connect(Some("prod-us-2".into()))
        ]
    );
}

#[test]
fn a_failed_connection_is_tested_step_by_step() {
    let failed = || Scene {
        connection: ConnectionState::Failed {
            reason: "no response in time".into(),
        },
        context: Some("lab-eu-1".into()),
        ..Scene::default()
    };
    let mut window = TestWindow::open(failed());
    window.click("Test the connection");
    assert_eq!(
        window.commands(),
        [EngineCommand::StartConnectionTest { run_command: false }]
    );
    let step = |step, outcome, found: &str, advice: Option<&str>| ConnectionStepResult {
        step,
        outcome,
        summary: found.into(),
        advice: advice.map(Into::into),
        millis: Some(3),
    };
    let mut steps = vec![step(
        ConnectionStep::Kubeconfig,
        StepStatus::Ok,
        "context `lab-eu-1`",
        None,
    )];
    let status = |steps: &[ConnectionStepResult], is_running| {
        Some(Arc::new(ConnectionTestStatus {
            context: Some("lab-eu-1".into()),
            began: now(),
            run_command: false,
            steps: steps.to_vec(),
            is_running,
        }))
    };
    window.publish(Scene {
        connection_test: status(&steps, true),
        ..failed()
    });
    assert!(window.contains_text("context `lab-eu-1`"));
    assert!(window.contains_text("Testing: proxy…"));
    window.click("Stop the test");
    assert_eq!(window.commands(), [EngineCommand::StopConnectionTest]);

    for which in ConnectionStep::ALL.into_iter().skip(1) {
        steps.push(match which {
            ConnectionStep::Proxy => step(
                which,
                StepStatus::Failed,
                "the proxy answers 407",
                Some("put the password into proxy-url"),
            ),
            _ => step(which, StepStatus::NotTried, "not tried", None),
        });
    }
    window.publish(Scene {
        connection_test: status(&steps, false),
        ..failed()
    });
    assert!(window.contains_text("Does not work: proxy."));
    assert!(window.contains_text("put the password into proxy-url"));
    window.click("Copy as text");
    assert!(window.contains_text("Copied the test of the connection"));
    window.click("Run the command “true” in a running container too, which shows up in audit logs");
    window.click("Test again");
    assert_eq!(
        window.commands(),
        [EngineCommand::StartConnectionTest { run_command: true }]
    );
}

#[test]
fn no_permission_is_reported_in_the_servers_words() {
    let mut inventory = Inventory::default();
    inventory.apply(InventoryChange::Sync(
        ResourceKind::Service,
        WatchScope::Cluster,
        SyncState::Forbidden {
            message: "services is forbidden: User \"dev\" cannot list resource".into(),
        },
    ));
    let window = TestWindow::open(Scene {
        connection: ConnectionState::Connected,
        inventory,
        ..Scene::default()
    });
    assert!(window.contains_text("services is forbidden: User \"dev\""));
    assert!(window.contains_text("? services"), "not known is not none");
}

/// A connected scene in which these kinds stand so; the first word is the namespace, none the cluster.
fn scene_of(states: &[(ResourceKind, &str, SyncState)]) -> Scene {
    let mut inventory = Inventory::default();
    for (kind, namespace, state) in states {
        let scope = match *namespace {
            "" => WatchScope::Cluster,
            name => WatchScope::Namespace(name.into()),
        };
        inventory.apply(InventoryChange::Sync(*kind, scope, state.clone()));
    }
    Scene {
        connection: ConnectionState::Connected,
        inventory,
        ..Scene::default()
    }
}

const NAMESPACED: [ResourceKind; 4] = [
    ResourceKind::Service,
    ResourceKind::EndpointSlice,
    ResourceKind::Pod,
    ResourceKind::Event,
];
const WHOLE: [ResourceKind; 2] = [ResourceKind::Namespace, ResourceKind::Node];

#[test]
fn a_chosen_namespace_is_live_and_no_kind_is_called_not_available() {
    let mut states: Vec<_> = WHOLE.map(|kind| (kind, "", SyncState::Live)).into();
    let absent = || SyncState::Absent {
        reason: "only namespace shop is watched".into(),
    };
    for kind in NAMESPACED {
        states.extend([(kind, "", absent()), (kind, "shop", SyncState::Live)]);
    }
    let window = TestWindow::open(Scene {
        namespaces: ["shop".into()].into(),
        ..scene_of(&states)
    });
    assert!(window.shows("live"));
    assert!(window.contains_text("0 services · 0 pods · 0 nodes"));
    assert!(!window.contains_text("not available"));
    assert!(window.contains_text("Namespace: shop"));
    assert!(window.contains_text("None in the namespaces that are watched."));
}

#[test]
fn a_namespace_that_stands_in_for_the_cluster_is_named_on_the_button() {
    let mut states: Vec<_> = WHOLE.map(|kind| (kind, "", SyncState::Live)).into();
    for kind in NAMESPACED {
        let message = format!("{kind} is forbidden").into();
        states.extend([
            (kind, "", SyncState::Forbidden { message }),
            (kind, "shop", SyncState::Live),
        ]);
    }
    let window = TestWindow::open(scene_of(&states));
    assert!(window.shows("live"));
    assert!(!window.contains_text("not permitted"));
    assert!(!window.contains_text("All namespaces"));
    assert!(window.contains_text("Namespace: shop"));
}

#[test]
fn a_namespace_that_is_refused_beside_one_that_is_not_is_no_live_view() {
    let mut states: Vec<_> = WHOLE.map(|kind| (kind, "", SyncState::Live)).into();
    let refused = |kind: ResourceKind| SyncState::Forbidden {
        message: format!("{kind} in b is forbidden").into(),
    };
    for kind in NAMESPACED {
        let reason = "only namespaces a and b are watched".into();
        states.extend([
            (kind, "", SyncState::Absent { reason }),
            (kind, "a", SyncState::Live),
            (kind, "b", refused(kind)),
        ]);
    }
    let window = TestWindow::open(scene_of(&states));
    assert!(window.shows("partly visible"));
    assert!(!window.shows("live"));
    assert!(window.contains_text("4 kinds not permitted"));
    assert!(!window.contains_text("pods in b: not permitted"));

    let mut states: Vec<_> = NAMESPACED.map(|kind| (kind, "", SyncState::Live)).into();
    states.extend(WHOLE.map(|kind| (kind, "", refused(kind))));
    let window = TestWindow::open(scene_of(&states));
    assert!(window.shows("live"), "the map needs no nodes");
    assert!(window.contains_text("nodes: not permitted"));
    assert!(window.contains_text("0 errors"));
    let window = TestWindow::open(scene_of(&[(ResourceKind::Service, "", SyncState::Syncing)]));
    assert!(window.contains_text("? errors"));
    assert!(!window.contains_text("0 errors"));
}

#[test]
fn what_was_never_listed_is_neither_live_nor_a_number() {
    let failing = || SyncState::Failing {
        reason: "could not list pods: 503".into(),
    };
    let mut states: Vec<_> = WHOLE.map(|kind| (kind, "", SyncState::Live)).into();
    states.extend(NAMESPACED.map(|kind| (kind, "", SyncState::Live)));
    states.push((ResourceKind::Pod, "", failing()));
    let window = TestWindow::open(scene_of(&states));
    assert!(!window.shows("live"));
    assert!(window.contains_text("0 services · ? pods · 0 nodes"));
    assert!(window.contains_text("pods: not listed yet"));
    let nothing = scene_of(&[(ResourceKind::Service, "", failing())]);
    let window = TestWindow::open(nothing);
    assert!(window.contains_text("could not list pods: 503"));
    assert!(!window.contains_text("They appear once the cluster has listed them"));
}

#[test]
fn a_list_that_is_refused_or_dead_is_not_said_to_appear() {
    let refused = scene_of(&[(
        ResourceKind::Service,
        "",
        SyncState::Forbidden {
            message: "services is forbidden".into(),
        },
    )]);
    let dead = Scene {
        connection: ConnectionState::Failed {
            reason: "connection refused".into(),
        },
        ..Scene::default()
    };
    for scene in [refused, dead] {
        let window = TestWindow::open(scene);
        assert!(!window.contains_text("They appear once"));
    }
}

#[test]
fn one_stale_kind_is_not_live() {
    let mut states: Vec<_> = WHOLE.map(|kind| (kind, "", SyncState::Live)).into();
    states.extend(NAMESPACED.map(|kind| (kind, "", SyncState::Live)));
    let stale = SyncState::Stale {
        since: now() - jiff::SignedDuration::from_secs(42),
        reason: "could not watch pods: 500".into(),
    };
    states.push((ResourceKind::Pod, "", stale));
    let window = TestWindow::open(scene_of(&states));
    assert!(window.contains_text("partly stale"));
    assert!(!window.shows("live"));
}

#[test]
fn a_failed_connection_says_when_it_is_tried_again() {
    let failed = |next_attempt| Scene {
        connection: ConnectionState::Failed {
            reason: "connection refused".into(),
        },
        context: Some("lab-eu-1".into()),
        contexts: contexts(),
        next_attempt,
        ..Scene::default()
    };
    let soon = NextAttempt::At(now() + jiff::SignedDuration::from_secs(4));
    let window = TestWindow::open(failed(soon));
    assert!(window.contains_text("Trying again in 4 s"));
    assert!(window.contains_text("not connected, trying again in 4 s"));
    assert!(window.contains_text("Context lab-eu-1"));
    let window = TestWindow::open(failed(NextAttempt::AfterKubeconfigChange));
    assert!(window.contains_text("Trying again once the kubeconfig changes"));
}

#[test]
fn what_is_not_protected_and_another_current_context_stand_in_the_bar() {
    let mut window = TestWindow::open(Scene {
        notices: [ConnectionSecurityWarning {
            label: "TLS not verified".into(),
            sentence: "the certificate of https://lab is not verified".into(),
        }]
        .into(),
        suggested_context: Some("prod-us-2".into()),
        ..busy_scene()
    });
    assert!(window.contains_text("TLS not verified"));
    window.click("Switch to prod-us-2");
    assert_eq!(
        window.commands(),
        [EngineCommand::Connect(Some("prod-us-2".into()))]
    );
}

#[test]
fn contexts_and_namespaces_are_switched_from_the_bar() {
    let mut window = TestWindow::open(busy_scene());
    window.click("Context lab-eu-1");
    window.click("prod-us-2");
    assert_eq!(
        window.commands(),
        [EngineCommand::Connect(Some("prod-us-2".into()))]
    );
    window.click("All namespaces");
    window.click("shop");
    assert_eq!(
        window.commands(),
        [EngineCommand::SetNamespaces(vec!["shop".into()])]
    );
}

#[test]
fn what_happens_is_reported_once_by_a_notice() {
    let mut window = TestWindow::open(busy_scene());
    let news = |revision| {
        let mut scene = Scene {
            revision,
            ..busy_scene()
        };
        let mut activity = scene.activity.to_vec();
        activity.push(ActivityMessage {
            number: 5,
            at: now(),
            level: ActivityLevel::Info,
            text: "Forward infra/db found a ready pod".into(),
            is_of_connection: false,
        });
        scene.activity = activity.into();
        scene
    };
    window.publish(news(2));
    assert!(window.shows("Forward infra/db found a ready pod"));
    window.click("Dismiss");
    window.publish(news(3));
    assert!(!window.shows("Forward infra/db found a ready pod"));
}

#[test]
fn a_selection_that_is_gone_is_dropped_with_a_word() {
    let mut window = with_api_selected(busy_scene());
    window.publish(Scene {
        revision: 2,
        connection: ConnectionState::Connected,
        ..sample_scene::SampleInventoryBuilder::new().scene(2)
    });
    assert_eq!(window.selection(), None);
    assert!(window.contains_text("Service shop/api is gone"));
}

#[test]
fn the_window_comes_to_rest() {
    let mut window = with_api_selected(busy_scene());
    window
        .harness
        .try_run()
        .expect("no frame asks for the next one");
}

#[test]
fn every_running_request_can_be_cancelled_from_the_list() {
    let mut window = TestWindow::open(Scene {
        requests: vec![request(RequestId(9), RequestState::Running)].into(),
        ..busy_scene()
    });
    window.key(Modifiers::COMMAND, Key::Num2);
    window.click("Cancel request shop/api");
    assert_eq!(
        window.commands(),
        [EngineCommand::CancelRequest(RequestId(9))]
    );
}

#[test]
fn forwards_of_others_are_shown_before_they_are_imported() {
    let file = std::path::PathBuf::from("/tmp/theirs.json");
    let target = ForwardTarget::Service(key("shop", "web"));
    let spec = ForwardSpec {
        local_address: Some("0.0.0.0".parse().expect("an address")),
        local_port: Some(8080),
        ..ForwardSpec::new(target, RemotePort::Number(80))
    };
    let mut evil = svcscope_engine::settings::SavedForward::new("evil", spec);
    evil.start_with_app = true;
    let mut window = TestWindow::open(Scene {
        import_offer: Some(Arc::new(svcscope_engine::ForwardImportPreview {
            file: file.clone(),
            forwards: vec![evil],
        })),
        ..scene_with_saved()
    });
    window.click("Import forwards…");
    window.type_into("File", "/tmp/theirs.json");
    assert!(
        !window.contains_text("evil"),
        "only what was asked for is shown"
    );
    window.click("Show what it holds");
    assert_eq!(
        window.commands(),
        [EngineCommand::PreviewForwardImport(file.clone())]
    );
    assert!(
        window.contains_text(
            "evil: 0.0.0.0, port 8080 → svc/web port 80 in shop, starts with the app"
        )
    );
    assert!(!window.enabled("Import"));
    window.type_into("Word", "listen");
    window.click("Import");
    assert_eq!(window.commands(), [EngineCommand::ImportForwards(file)]);
}

#[test]
fn a_production_context_is_marked_and_asks_once_before_a_risk() {
    let mut window = with_api_selected(Scene {
        production: true,
        context: Some("prod".into()),
        ..busy_scene()
    });
    assert!(window.shows("production"));
    window.click("Curl");
    assert!(!window.contains_text("Allow in prod"), "a GET is no risk");
    window.click("Paste a curl line");
    window.type_into("Curl line", "curl -X POST http://x/");
    window.click("Fill in");
    assert!(window.contains_text("marked as production: allow it first"));
    window.click("Allow in prod");
    assert_eq!(
        window.commands(),
        [EngineCommand::AllowInProduction("prod".into())]
    );
}

#[test]
fn a_login_that_waits_shows_its_words_and_can_be_cancelled() {
    let mut login = LoginStatus::new(1, "the credential plugin `kubelogin`".into());
    login.started_at = now();
    let quick = Scene {
        login: Some(Arc::new(login.clone())),
        ..busy_scene()
    };
    assert!(
        !TestWindow::open(quick).contains_text("Waiting for"),
        "most take a moment and say nothing"
    );
    login.append_output("To sign in, open https://x.example/device, code ", false);
    login.append_output("AB-12", true);
    let scene = Scene {
        connection: ConnectionState::Connecting,
        login: Some(Arc::new(login)),
        ..Scene::default()
    };
    let mut window = TestWindow::open(scene);
    assert!(window.contains_text("Waiting for the credential plugin `kubelogin`"));
    assert!(window.contains_text("https://x.example/device"));
    assert!(window.contains_text("AB-12"));
    window.click("Cancel the login");
    assert_eq!(window.commands(), [EngineCommand::CancelLogin]);
}
