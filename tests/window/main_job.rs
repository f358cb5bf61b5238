//! The main job as the user clicks it: the real window and engine on the embedded demo cluster.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    time::Duration,
};

use egui::{Key, accesskit::Role};
use serde_json::{Value, json};
use svcscope_demo::WatchFault;
use svcscope_edit::{DesiredServiceState, RequestedChange, ServiceKind};
use svcscope_engine::{
    ConnectionTestStatus, EditId, EditState, EngineCommand, EngineConfig, PersistedSettings,
    connection_text,
    settings::{Settings, ThemeSetting},
};
use svcscope_model::{
    inventory::{ObjectKey, ServiceType, SharedStr},
    layout::{MapPoint, ServiceGrouping},
    topology::NodeId,
};
use svcscope_net::forward::{ForwardState, ForwardStatus};

use crate::live_window::LiveWindow;

fn shop(name: &str) -> ObjectKey {
    ObjectKey::new("shop", name)
}

/// What the cluster itself has.
fn stored(window: &LiveWindow, name: &str) -> Value {
    let service = window.control().get("services", "shop", name);
    service.expect("the Service is there")
}

fn selection(window: &LiveWindow) -> Option<NodeId> {
    window.harness.state().state().view.selection.clone()
}

fn get(to: SocketAddr, path: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(to).expect("the local port is open");
    let request = format!("GET {path} HTTP/1.0\r\nhost: demo\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("written");
    stream.shutdown(Shutdown::Write).expect("half closed");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("read");
    (request, answer)
}

/// A pod of shop/api by its name in the window.
fn api_pod(window: &LiveWindow) -> String {
    let label = window.label_starting("Forward pod shop/api-");
    let label = label.expect("the inspector lists the pods");
    label
        .strip_prefix("Forward pod shop/")
        .expect("found by it")
        .to_owned()
}

#[test]
fn the_cluster_is_listed_and_drawn() {
    let window = LiveWindow::open();
    for name in ["shop/web", "shop/api", "shop/cache", "infra/db"] {
        assert!(window.shows(&format!("Service {name}")), "{name} is listed");
        assert!(
            window.contains_text(&format!("Service {name}, ")),
            "{name} is on the map"
        );
    }
    assert!(window.shows("live"));
    let scene = window.scene();
    let services = scene.inventory.services().count();
    assert!(window.contains_text(&format!("{services} services · ")));
}

#[test]
fn the_connection_is_tested_in_the_window() {
    let mut window = LiveWindow::open();
    let context = window.label_starting("Context ").expect("the menu");
    window.click(&context);
    window.click_containing("Test the connection");
    window.wait_for_text("Everything that was tried works; not tried: exec.");
    assert!(window.contains_text("Kubernetes v1.36"));
    assert!(window.contains_text("permitted; no command was run"));
    let text = connection_text(&tested(&window).steps);
    assert!(!text.contains(&window.control().token()), "{text}");

    window.click("Close");
    window.control().close_port();
    window.wait_for_text("Connection lost");
    window.click("Test the connection");
    window.wait_for_text("Does not work: network.");
    assert_eq!(tested(&window).context.as_deref(), Some("demo"));
}

/// The test as the scene has it.
fn tested(window: &LiveWindow) -> Arc<ConnectionTestStatus> {
    let test = window.scene().connection_test.clone();
    test.expect("a test")
}

#[test]
fn a_click_in_the_list_or_on_the_map_shows_all_about_a_service() {
    let mut window = LiveWindow::open();
    window.click("Service shop/api");
    assert_eq!(selection(&window), Some(NodeId::Service(shop("api"))));
    let api = stored(&window, "api");
    for fact in [
        "app=api",
        "api.shop.svc.cluster.local",
        api["spec"]["clusterIP"].as_str().expect("allocated"),
        "Endpoints (2)",
    ] {
        assert!(window.contains_text(fact), "{fact}");
    }
    let events = window.label_starting("Events (").expect("a section");
    window.click(&events);
    window.click("YAML");
    window.until("the YAML", |window| window.contains_text("nodePort: 30080"));

    window.key(Key::Num0);
    window.click_containing("Service shop/web, LoadBalancer");
    assert_eq!(selection(&window), Some(NodeId::Service(shop("web"))));
    assert!(window.contains_text(".255.7:443"));
    assert!(window.contains_text("managed by Helm"));
}

#[test]
fn a_forward_carries_bytes_says_so_and_ends() {
    let mut window = LiveWindow::open();
    window.click("Service shop/api");
    window.key(Key::F);
    window.click("Start forward");
    window.until("the forward to listen", |window| window.shows("listening"));
    let local = window.forward().local.expect("it listens");
    assert!(window.shows(&local.to_string()));

    let (request, answer) = get(local, "/bytes?n=5000");
    assert!(answer.starts_with(b"HTTP/1.0 200 OK"));
    let (down, up) = (answer.len() as u64, request.len() as u64);
    assert!((5_150..5_249).contains(&down), "{down} bytes are 5.2 kB");
    window.until("the bytes to be counted", |window| {
        window.contains_text(&format!("5.2 kB · {up} B")) && window.shows("0 open, 1 total")
    });
    let forward = window.forward();
    assert_eq!((forward.bytes_down, forward.bytes_up), (down, up));

    window.click("Stop forward shop/api");
    window.until("the forward to stop", |window| window.shows("stopped"));
    TcpListener::bind(local).expect("the local port is free");
    window.click("Remove forward shop/api");
    window.until("an empty list", |window| window.shows("No forwards"));
}

#[test]
fn a_port_and_a_pod_are_forwarded_by_their_own_buttons() {
    let mut window = LiveWindow::open();
    window.click("Service shop/api");
    window.click("Forward shop/api port 8081");
    window.click("Start forward");
    window.wait_for_text("Stop forward shop/api");
    window.until("it to listen", |window| window.forward().local.is_some());
    let local = window.forward().local.expect("it listens");
    let (_, answer) = get(local, "/");
    assert!(String::from_utf8_lossy(&answer).contains("api-"));

    let pod = api_pod(&window);
    window.click(&format!("Forward pod shop/{pod}"));
    window.click("Start forward");
    window.wait_for_text(&format!("Stop forward shop/pod/{pod}"));
    window.until("it to listen", |window| window.forward().local.is_some());
    let forward = window.forward();
    assert_eq!(forward.state, ForwardState::Listening);
    let (_, answer) = get(forward.local.expect("it listens"), "/");
    assert!(String::from_utf8_lossy(&answer).contains(&pod));
}

#[test]
fn a_forward_is_saved_and_its_group_started_with_one_click() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = LiveWindow::open_with(|config| {
        config.persisted_settings = Some(PersistedSettings {
            path: folder.path().join("settings.json"),
            settings: Settings::default(),
        });
    });
    window.click("Service shop/web");
    window.key(Key::F);
    window.click("All 2 ports");
    window.click("All ready pods in turn");
    window.type_into("Name", "web");
    window.type_into("Group", "shop");
    window.click("Start forward");
    let listen = |window: &LiveWindow| {
        let forwards = &window.scene().forwards;
        let up = |status: &ForwardStatus| status.state == ForwardState::Listening;
        forwards.len() == 2 && forwards.iter().all(up)
    };
    window.until("both to listen", listen);
    let local = |status: &ForwardStatus| status.local.expect("it listens");
    let ports: Vec<_> = window
        .scene()
        .forwards
        .iter()
        .map(|status| Some(local(status).port()))
        .collect();
    window.click("Stop all forwards");
    window.until("both to stop", |window| {
        let mut forwards = window.scene().forwards.iter();
        forwards.all(|status| status.state == ForwardState::Stopped)
    });
    window.click("Start group shop");
    window.until("both to listen again", listen);
    // Somebody else may have taken the ports meanwhile.
    let forwards = &window.scene().forwards;
    let tried: Vec<_> = forwards
        .iter()
        .map(|status| status.spec.last_port)
        .collect();
    assert_eq!(tried, ports, "the ports of the last time are tried");
    let (_, answer) = get(local(&forwards[0]), "/");
    assert!(!answer.is_empty());
}

#[test]
fn a_local_port_that_is_taken_is_reported_in_the_list() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port();
    let mut window = LiveWindow::open();
    window.click("Service shop/api");
    window.key(Key::F);
    window.type_into("Local port", &port.to_string());
    window.click("Start forward");
    window.wait_for_text("failed: ");
    assert!(window.contains_text(&port.to_string()));
    assert!(window.shows("Start again forward shop/api"));
}

#[test]
fn a_request_shows_status_body_and_time() {
    let mut window = LiveWindow::open();
    window.click("Service shop/api");
    window.key(Key::C);
    window.type_into("Path", "/");
    window.click("Send");
    window.until("the answer", |window| window.shows("200 OK"));
    assert!(window.contains_text(" to the first byte"));
    assert!(window.contains_text("via port-forward to pod api-"));
    let scene = window.scene();
    let svcscope_engine::RequestState::Done(response) = &scene.requests[0].state else {
        panic!("answered, not {:?}", scene.requests[0].state);
    };
    let body = String::from_utf8_lossy(&response.body).into_owned();
    assert!(body.contains("api-"), "{body}");
    assert!(window.contains_text(body.lines().next().expect("a line")));
    let headers = window.label_starting("Headers (").expect("a choice");
    window.click(&headers);
    assert!(window.contains_text("content-type"));
}

#[test]
fn a_refused_port_gives_the_kubelets_words() {
    let mut window = LiveWindow::open();
    window.click("Service shop/api");
    let pod = api_pod(&window);
    window.click(&format!("Curl pod shop/{pod}"));
    window.click("Other");
    window.type_into("Target port", "9");
    window.click("Send");
    window.wait_for_text("connection refused");
    assert!(window.contains_text("9"));
}

#[test]
fn a_type_is_changed_as_the_server_allows() {
    let mut window = LiveWindow::open();
    window.click("Service shop/cache");
    window.key(Key::T);
    window.choose(ServiceType::NodePort);
    window.wait_for_text("It would accept the change (dry run)");
    assert!(window.contains_text("nodePort"));
    assert_eq!(stored(&window, "cache")["spec"]["type"], "ClusterIP");
    window.click("Apply…");
    let context = window.scene().context.clone().expect("connected");
    assert!(window.contains_text(&format!(
        "In context {context}, namespace shop: change Service shop/cache from ClusterIP to NodePort?"
    )));
    window.click("Yes, change it");
    window.until("the change", |window| {
        window.shows("Service shop/cache is NodePort now")
    });
    window.click("Done");
    let cache = stored(&window, "cache");
    assert_eq!(cache["spec"]["type"], "NodePort");
    let node_port = cache["spec"]["ports"][0]["nodePort"].clone();
    window.until("the map to show it", |window| {
        window.contains_text("Service shop/cache, NodePort")
            && window.contains_text(&format!("Entry point any node :{node_port} of shop/cache"))
    });

    // From what it is now to an alias.
    window.key(Key::T);
    window.choose(ServiceType::ExternalName);
    window.type_into("External name", "cache.example.com");
    window.click("Check with the server");
    window.wait_for_text("It would accept the change (dry run)");
    window.click("Apply…");
    window.click("Yes, change it");
    window.wait_for_text("Service shop/cache is ExternalName now");
    window.click("Done");
    window.wait_for_text("External name cache.example.com of shop/cache");
    assert_eq!(stored(&window, "cache")["spec"]["type"], "ExternalName");
}

#[test]
fn a_node_port_that_is_taken_names_who_holds_it() {
    let mut window = LiveWindow::open();
    window.click("Service shop/cache");
    window.click("Change type…");
    window.choose(ServiceType::NodePort);
    window.wait_for_text("It would accept the change (dry run)");
    window.type_into("nodePort for redis 6379", "30080");
    window.click("Check with the server");
    window.wait_for_text("30080 is held by Service");
    assert!(window.shows("spec.ports[0].nodePort"));
    assert!(!window.shows("Apply…"));
    assert_eq!(stored(&window, "cache")["spec"]["type"], "ClusterIP");
}

#[test]
fn a_conflict_is_shown_and_overwrites_nothing() {
    let mut window = LiveWindow::open();
    window.click("Service shop/cache");
    window.click("Change type…");
    window.choose(ServiceType::NodePort);
    window.wait_for_text("It would accept the change (dry run)");
    let somebody_else = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": "shop", "name": "cache", "labels": {"touched": "yes"}},
    });
    window.control().apply(somebody_else).expect("applied");
    window.click("Apply…");
    window.click("Yes, change it");
    window.wait_for_text("somebody changed the Service after it was read, so nothing was written");
    let cache = stored(&window, "cache");
    assert_eq!(cache["spec"]["type"], "ClusterIP");
    assert_eq!(cache["metadata"]["labels"]["touched"], "yes");

    // Planned anew from what it is now, it goes through.
    window.click("Plan again");
    window.wait_for_text("It would accept the change (dry run)");
    window.click("Apply…");
    window.click("Yes, change it");
    window.wait_for_text("Service shop/cache is NodePort now");
}

#[test]
fn a_lost_server_leaves_the_map_unknown_until_it_is_back() {
    let mut window = LiveWindow::open();
    window.wait_for_text("Service shop/web, LoadBalancer, healthy");
    window.control().close_port();
    window.wait_for_text("Connection lost");
    // One watch after the other learns of it.
    window.wait_for_text("stale since");
    window.wait_for_text("Service shop/web, LoadBalancer, unknown");
    assert!(!window.contains_text(", healthy"));
    window.control().reopen_port();
    window.click("Try again now");
    window.until("the map to be live again", |window| {
        window.shows("live") && !window.contains_text("Connection lost")
    });
    // One watch after the other is live again.
    window.wait_for_text("Service shop/web, LoadBalancer, healthy");
}

#[test]
fn watches_that_are_cut_for_ever_are_reported_and_lists_stand_in() {
    let mut window = LiveWindow::open();
    window.wait_for_text("Service shop/web, LoadBalancer, healthy");
    window.control().break_watches(Some(WatchFault::EndsAtOnce));
    window.control().cut_connections();
    let words = "read every 5 s: the API server closes each watch immediately";
    window.wait_for_text(words);
    assert!(!window.shows("live"));
    // What is read every few seconds is no less true.
    assert!(window.contains_text("Service shop/web, LoadBalancer, healthy"));
    let web = window.control().delete("Service", "shop", "web");
    web.expect("the Service was there");
    window.until("the Service to go", |window| {
        !window.contains_text("Service shop/web, ")
    });
    window.until("all kinds to be read so", |window| window.shows(words));
    let told = window.scene().activity.to_vec();
    let polled = told.iter().filter(|told| told.text.contains("read every"));
    assert_eq!(polled.count(), 1, "once for all kinds: {told:#?}");
    window.control().break_watches(None);
    window.until("the watches to be tried again", |window| {
        window.shows("live")
    });
}

#[test]
fn reconnecting_keeps_the_selection() {
    let mut window = LiveWindow::open();
    window.click("Service shop/api");
    window.click("YAML");
    window.wait_for_text("nodePort: 30080");
    let context = window.scene().context.clone().expect("connected");
    window.click(&format!("Context {context}"));
    window.click(&context);
    window.until("the cluster to be read anew", |window| {
        let scene = window.scene();
        let connections = scene
            .activity
            .iter()
            .filter(|activity| activity.text.starts_with("Connected to"));
        connections.count() == 2 && window.shows("live")
    });
    assert_eq!(selection(&window), Some(NodeId::Service(shop("api"))));
    assert!(!window.contains_text("is gone"));
    window.wait_for_text("nodePort: 30080");
}

#[test]
fn what_is_deleted_is_said_to_be_gone() {
    let mut window = LiveWindow::open();
    window.click("Service shop/cache");
    let deleted = window.control().delete("services", "shop", "cache");
    deleted.expect("deleted");
    window.wait_for_text("Service shop/cache is gone");
    assert_eq!(selection(&window), None);
    assert!(!window.contains_text("Service shop/cache, "));
}

#[test]
fn read_only_refuses_every_edit() {
    let mut window = LiveWindow::open_with(|config| config.read_only = true);
    window.click("Service shop/cache");
    assert!(window.shows("read-only"));
    assert!(!window.enabled("Change type…"));
    window.key(Key::T);
    assert!(!window.contains_text("Change type of shop/cache to"));
    assert!(window.harness.state().state().dialog.is_none());

    // The engine refuses by itself: the grey button is only a courtesy.
    let change = RequestedChange::Change(Box::new(DesiredServiceState::of_type(
        ServiceKind::NodePort,
    )));
    let id = EditId(window.driven.handle.next_id());
    let step = |window: &LiveWindow| {
        let scene = window.scene();
        let edit = scene.edits.iter().find(|edit| edit.id == id);
        edit.map(|edit| edit.step.clone())
    };
    window
        .driven
        .send(EngineCommand::PlanEdit(id, shop("cache"), change));
    window.until("the dry run", |window| {
        matches!(step(window), Some(EditState::Ready { .. }))
    });
    window.driven.send(EngineCommand::ApplyEdit(id));
    window.until("the refusal", |window| match step(window) {
        Some(EditState::Failed { reason, .. }) => reason.contains("read-only"),
        _ => false,
    });
    assert_eq!(stored(&window, "cache")["spec"]["type"], "ClusterIP");
}

#[test]
fn theme_context_and_namespaces_are_known_at_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("settings.json");
    let remember = |config: &mut EngineConfig| {
        config.persisted_settings = Some(PersistedSettings {
            settings: Settings::load(&path).settings,
            path: path.clone(),
        });
    };
    let mut window = LiveWindow::open_with(remember);
    window.click("Switch between light and dark");
    let shop = vec![SharedStr::from("shop")];
    window
        .driven
        .send(EngineCommand::SetNamespaces(shop.clone()));
    window.until("one namespace", |window| {
        *window.scene().namespaces == *shop
    });
    drop(window);

    let mut saved = Settings::load(&path).settings;
    assert_ne!(saved.theme, ThemeSetting::System);
    assert_eq!(saved.last_context.as_deref(), Some("demo"));
    saved.read_only_contexts.insert("demo".to_owned());
    saved.save(&path).expect("saved");
    let window = LiveWindow::open_with(remember);
    assert_eq!(*window.scene().namespaces, *shop);
    assert!(!window.shows("Service infra/db"));
    assert!(window.shows("read-only"));
}

#[test]
fn nothing_happening_asks_for_no_frame() {
    let mut window = LiveWindow::open();
    window.click("Service shop/web");
    // What the engine still has to say about the Service may come in between.
    for _ in 0..20 {
        // Longer than a tooltip waits for the pointer to rest.
        window.harness.run_steps(8);
        // An age on screen may ask for a frame when it changes, nothing for one before that.
        if window.content_for() >= Duration::from_secs(1) {
            return;
        }
    }
    panic!("the window never comes to rest: {:?}", window.content_for());
}

#[test]
fn a_bar_on_the_map_acts_on_what_it_stands_at() {
    let mut window = LiveWindow::open();
    window.click_containing("Service shop/api, NodePort");
    window.click_role(Role::Button, "Forward shop/api");
    window.click("Start forward");
    window.wait_for_text("Stop forward shop/api");
    window.click_role(Role::Button, "Change type of shop/api");
    window.click("Close");
    window.click_role(Role::Button, "Curl shop/api");
    window.click("Send");
    window.until("the answer", |window| window.shows("200 OK"));
}

#[test]
fn a_filter_shows_less_says_so_and_gives_it_back() {
    let mut window = LiveWindow::open();
    let all = window.scene().topology.services().count();
    let places = |window: &LiveWindow| {
        let scene = window.scene();
        let layout = &scene.layout;
        let found = layout.nodes().filter_map(|(at, node)| match &node.id {
            NodeId::Service(key) => Some((key.clone(), layout.area(at).expect("placed"))),
            _ => None,
        });
        found.collect::<std::collections::BTreeMap<_, _>>()
    };
    let before = places(&window);
    assert_eq!(before.len(), all);

    window.key(Key::W);
    window.wait_for_text(" hidden by filter:");
    let wrong = places(&window);
    assert!(wrong.contains_key(&shop("orphan")), "{wrong:?}");
    assert!(!wrong.contains_key(&shop("web")));
    let said = format!("{} of {all} Services shown · ", wrong.len());
    assert!(window.contains_text(&said), "{said}");
    assert!(window.shows("Service shop/web"), "the list has all");

    // What gets well leaves the map, and what goes wrong comes.
    window
        .control()
        .delete("services", "shop", "orphan")
        .expect("deleted");
    window.until("the map to follow", |window| {
        !places(window).contains_key(&shop("orphan"))
    });

    window.click("Show all Services");
    window.until("all Services", |window| {
        !window.contains_text("hidden by filter")
    });
    let mut kept = before;
    kept.remove(&shop("orphan"));
    let after = places(&window);
    assert_eq!(
        after.keys().collect::<Vec<_>>(),
        kept.keys().collect::<Vec<_>>()
    );
    for (key, area) in kept.iter().filter(|(key, _)| &*key.namespace != "shop") {
        let now = after.get(key).expect("still there");
        assert_eq!((now.width, now.height), (area.width, area.height), "{key}");
    }
}

#[test]
fn labels_and_neighbourhoods_are_asked_as_kubectl_would() {
    let mut window = LiveWindow::open();
    window.click("Filter");
    window.type_into(svcscope_ui::filter_bar::LABELS_LABEL, "app in (api,web)");
    window.until("two Services", |window| {
        window.scene().filter_counts.services == 2
    });
    window.click("Clear the filter");
    window.until("all Services", |window| {
        window.scene().filter_counts.hidden() == 0
    });
    window.key(Key::Escape);
    window.click("Service shop/api");
    window.key(Key::H);
    window.until("the neighbourhood", |window| {
        window.shows("Around shop/api")
    });
    window.until("what is around it", |window| {
        window.scene().filter_counts.hidden() > 0
    });
    let scene = window.scene();
    assert!(scene.layout.find(&NodeId::Service(shop("api"))).is_some());
    assert!(scene.layout.find(&NodeId::Service(shop("web"))).is_none());
}

#[test]
fn the_grouping_is_known_at_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("settings.json");
    let remember = |config: &mut EngineConfig| {
        config.persisted_settings = Some(PersistedSettings {
            settings: Settings::load(&path).settings,
            path: path.clone(),
        });
    };
    let grouped = |window: &LiveWindow| window.scene().map_view.grouping;
    let mut window = LiveWindow::open_with(remember);
    assert_eq!(grouped(&window), ServiceGrouping::Namespace);
    let pinned = MapPoint { x: 40.0, y: 300.0 };
    window
        .driven
        .send(EngineCommand::PinService(shop("web"), Some(pinned)));
    window.key(Key::Num3);
    window.until("one district", |window| {
        grouped(window) == ServiceGrouping::None
    });
    drop(window);

    let saved = Settings::load(&path).settings;
    let map = saved.maps.get("demo").expect("remembered by context");
    let [pin] = map.pins.as_slice() else {
        panic!("one pin, not {:?}", map.pins);
    };
    assert_eq!((&*pin.service, pin.x, pin.y), ("web", 40.0, 300.0));
    let window = LiveWindow::open_with(remember);
    assert_eq!(grouped(&window), ServiceGrouping::None);
    assert!(window.shows("Group: none"));
}

#[test]
fn a_paused_map_holds_still_while_changes_are_counted() {
    let mut window = LiveWindow::open();
    window.click("Pause");
    assert!(window.contains_text("0 changes since:"));
    window
        .control()
        .delete("services", "shop", "orphan")
        .expect("deleted");
    window.until("the change to be counted", |window| {
        window.contains_text("Paused ") && !window.contains_text("· 0 changes since:")
    });
    assert!(
        window.contains_text("Service shop/orphan, ClusterIP"),
        "still drawn"
    );
    window.click("Resume the map");
    assert!(!window.contains_text("Service shop/orphan, ClusterIP"));
}

/// A window whose settings are this text.
fn with_settings(folder: &tempfile::TempDir, text: &str) -> (LiveWindow, std::path::PathBuf) {
    let path = folder.path().join("settings.json");
    std::fs::write(&path, text).expect("written");
    let window = LiveWindow::open_with(|config| {
        config.persisted_settings = Some(PersistedSettings {
            settings: Settings::load(&path).settings,
            path: path.clone(),
        });
    });
    (window, path)
}

#[test]
fn an_entry_made_by_hand_stays_and_counts_while_the_window_is_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut window, path) = with_settings(&folder, "{}");
    assert!(!window.shows("read-only"));
    let by_hand = r#"{"read_only_contexts": ["demo"], "minimap": true, "theme": "dark"}"#;
    std::fs::write(&path, by_hand).expect("written");
    // What the window writes is its own key alone.
    window.key(Key::Num2);
    window.until("the grouping in the file", |_| {
        std::fs::read_to_string(&path)
            .expect("read")
            .contains("app")
    });
    let text = std::fs::read_to_string(&path).expect("read");
    for kept in ["\"demo\"", "minimap", "\"dark\""] {
        assert!(text.contains(kept), "{kept} in {text}");
    }
    window.until("the mark", |window| window.shows("read-only"));
    // A file that is spoilt while the window is open closes, and is not written to.
    std::fs::write(&path, "{").expect("written");
    window.key(Key::Num3);
    window.until("the word about it", |window| {
        window.scene().protected_contexts.unknown_reason.is_some()
    });
    assert_eq!(std::fs::read_to_string(&path).expect("read"), "{");
    assert!(window.shows("read-only"));
    // Mended, it opens again, and what was chosen meanwhile is written.
    std::fs::write(&path, "{}").expect("written");
    window.until("no mark", |window| !window.shows("read-only"));
    window.until("what was chosen", |_| {
        let text = std::fs::read_to_string(&path).expect("read");
        text.contains("\"grouping\": \"none\"")
    });
}

#[test]
fn contexts_are_protected_in_the_window_and_a_mark_is_taken_away_after_a_question() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut window, path) = with_settings(&folder, "{}");
    let open = |window: &mut LiveWindow| {
        window.click("Context demo");
        window.click_containing("Protect contexts…");
    };
    open(&mut window);
    window.click("Read-only: demo");
    window.until("the mark", |window| window.shows("read-only"));
    assert!(
        std::fs::read_to_string(&path)
            .expect("read")
            .contains("demo")
    );
    window.click("Read-only: demo");
    assert!(window.contains_text("In context demo changes of Services"));
    assert!(window.scene().read_only, "it was only asked");
    window.click("Keep it");
    window.click("Production: demo");
    window.until("both marks", |window| {
        window.shows("production") && window.shows("read-only")
    });
    window.click("Read-only: demo");
    window.click("Take read-only away from demo");
    window.until("one mark", |window| !window.scene().read_only);
    assert!(window.shows("production"));
    assert_eq!(
        Settings::load(&path).settings.production_contexts,
        ["demo".to_owned()].into()
    );
}
