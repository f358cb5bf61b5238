//! Services changed, made and deleted as the user clicks it: the real window and engine on the
//! embedded demo cluster.

use egui::{Key, Modifiers, accesskit::Role};
use egui_kittest::kittest::Queryable as _;
use serde_json::{Value, json};
use svcscope_engine::{PersistedSettings, settings::Settings};

use crate::live_window::LiveWindow;

fn stored(window: &LiveWindow, name: &str) -> Option<Value> {
    window.control().get("services", "shop", name)
}

fn spec(window: &LiveWindow, name: &str) -> Value {
    stored(window, name).expect("the Service is there")["spec"].clone()
}

/// The plan of what is filled in, confirmed.
#[track_caller]
fn carry_out(window: &mut LiveWindow, yes: &str, done: &str) {
    window.click("Check with the server");
    confirm(window, yes, done);
}

#[track_caller]
fn confirm(window: &mut LiveWindow, yes: &str, done: &str) {
    window.wait_for_text("It would accept the change (dry run)");
    window.click("Apply…");
    window.click(yes);
    window.wait_for_text(done);
}

#[test]
fn a_port_is_added_and_the_change_undone_from_the_list() {
    let mut window = LiveWindow::open();
    window.click("Service shop/cache");
    window.key(Key::E);
    window.click_containing("Add a port");
    window.type_into("port of port 2", "9121");
    window.type_into("name of port 2", "metrics");
    window.type_into("targetPort of port 2", "9121");
    window.click("Check with the server");
    window.wait_for_text("It would accept the change (dry run)");
    assert!(
        window.contains_text("comes metrics 9121 → 9121"),
        "the map's ghost says it"
    );
    assert_eq!(spec(&window, "cache")["ports"][1], Value::Null);
    window.click("Apply…");
    assert!(window.contains_text("change ports of Service shop/cache?"));
    window.click("Yes, change it");
    window.wait_for_text("Service shop/cache is ClusterIP now");
    window.click("Done");
    assert_eq!(spec(&window, "cache")["ports"][1]["port"], 9121);

    window.click("Changes 1");
    window.click("Undo change ports of Service shop/cache");
    confirm(
        &mut window,
        "Yes, change it",
        "Service shop/cache is ClusterIP now",
    );
    let ports = spec(&window, "cache")["ports"].clone();
    assert_eq!(ports.as_array().map(Vec::len), Some(1), "{ports}");
    assert!(window.shows("Changes 2"));
}

#[test]
fn ports_that_can_not_be_are_reported_at_their_field() {
    let mut window = LiveWindow::open();
    window.click("Service shop/cache");
    window.key(Key::E);
    window.type_into("port of port 1", "redis");
    assert!(window.contains_text("`redis` is not a port"));
    assert!(!window.enabled("Check with the server"));
    window.type_into("port of port 1", "6379");
    window.type_into("targetPort of port 1", "Not_A_Name");
    window.click("Check with the server");
    window.wait_for_text("spec.ports[0].targetPort");
    assert!(!window.shows("Apply…"));
}

#[test]
fn a_selector_says_and_lights_what_it_finds_while_it_is_typed() {
    let mut window = LiveWindow::open();
    window.click("Service shop/cache");
    window.key(Key::E);
    window.click_role(Role::RadioButton, "Selector");
    assert!(window.contains_text("The same pods as now."));
    window.type_into("Value of label to select by 1", "web");
    window.wait_for_text("Matches 3 of");
    let lit = |window: &LiveWindow| window.harness.state().state().view.highlighted_pods.clone();
    let pods = lit(&window).expect("pods are lit");
    assert_eq!(pods.len(), 3);
    assert!(
        pods.iter().all(|pod| pod.name.starts_with("web-")),
        "{pods:?}"
    );
    window.type_into("Value of label to select by 1", "nobody");
    window.wait_for_text("Matches 0 of");
    carry_out(
        &mut window,
        "Yes, change it",
        "Service shop/cache is ClusterIP now",
    );
    window.click("Done");
    assert_eq!(lit(&window), None);
    assert_eq!(spec(&window, "cache")["selector"], json!({"app": "nobody"}));
}

#[test]
fn yaml_that_is_typed_becomes_a_patch() {
    let mut window = LiveWindow::open();
    window.click("Service shop/cache");
    window.key(Key::E);
    window.click_role(Role::RadioButton, "YAML");
    window.until("the YAML", |window| window.shows("YAML of the Service"));
    let yaml = window.scene().yaml.clone().expect("asked for");
    let text = yaml.text.clone().expect("read");
    window.type_into("YAML of the Service", "spec: [");
    assert!(window.contains_text("this is not valid YAML"));
    assert!(!window.enabled("Check with the server"));
    let changed = text.replace("spec:\n", "spec:\n  sessionAffinity: ClientIP\n");
    let changed = changed.replace("  sessionAffinity: None\n", "");
    window.type_into("YAML of the Service", &changed);
    carry_out(
        &mut window,
        "Yes, change it",
        "Service shop/cache is ClusterIP now",
    );
    assert_eq!(spec(&window, "cache")["sessionAffinity"], "ClientIP");
}

#[test]
fn a_service_is_deleted_by_name_and_comes_back() {
    let mut window = LiveWindow::open();
    window.click("Service shop/cache");
    let before = spec(&window, "cache");
    window.key(Key::Delete);
    window.wait_for_text("It would accept the change (dry run)");
    window.click("Apply…");
    assert!(window.contains_text("delete Service shop/cache?"));
    assert!(!window.enabled("Yes, delete it"));
    window.type_into("Name of the Service", "cache");
    window.click("Yes, delete it");
    window.wait_for_text("Service shop/cache is deleted");
    assert_eq!(stored(&window, "cache"), None);
    window.click("Undo…");
    confirm(
        &mut window,
        "Yes, create it",
        "Service shop/cache is ClusterIP now",
    );
    let after = spec(&window, "cache");
    for field in ["ports", "selector", "clusterIP"] {
        assert_eq!(after[field], before[field], "{field}");
    }
}

#[test]
fn a_pod_is_exposed_and_a_service_duplicated() {
    let mut window = LiveWindow::open();
    window.click("Service shop/web");
    window.key(Key::Z);
    window.wait_for_text("Pod shop/web-");
    let pod = window
        .label_starting("Pod shop/web-")
        .expect("a pod is drawn");
    window.click(&pod);
    run(&mut window, "Expose…");
    window.type_into("Name of the new Service", "web-direct");
    carry_out(
        &mut window,
        "Yes, create it",
        "Service shop/web-direct is ClusterIP now",
    );
    window.click("Done");
    let direct = spec(&window, "web-direct");
    let ports = direct["ports"].as_array().cloned().unwrap_or_default();
    let targets: Vec<_> = ports
        .iter()
        .map(|port| port["targetPort"].to_string())
        .collect();
    assert_eq!(targets.len(), 2, "what its container declares: {targets:?}");
    window.wait_for_text("Service shop/web-direct");

    window.click("Service shop/cache");
    run(&mut window, "Duplicate…");
    carry_out(
        &mut window,
        "Yes, create it",
        "Service shop/cache-copy is ClusterIP now",
    );
    let (copy, cache) = (spec(&window, "cache-copy"), spec(&window, "cache"));
    assert_eq!(copy["selector"], cache["selector"]);
    assert_ne!(copy["clusterIP"], cache["clusterIP"]);
}

#[test]
fn headless_offers_both_ways_with_their_price() {
    let mut window = LiveWindow::open();
    window.click("Service shop/cache");
    window.key(Key::T);
    window.click_role(Role::RadioButton, "Headless");
    window.until("both ways", |window| {
        window.shows("Through ExternalName") && window.shows("Delete and create again")
    });
    assert!(!window.shows("Apply…"));
    window.click("Delete and create again");
    confirm(
        &mut window,
        "Yes, change it",
        "Service shop/cache is headless now",
    );
    assert_eq!(spec(&window, "cache")["clusterIP"], "None");
}

#[test]
fn production_asks_for_the_name_and_the_audit_log_goes_to_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = LiveWindow::open_with(|config| {
        let context = config.context.clone().unwrap_or_else(|| "demo".into());
        config.persisted_settings = Some(PersistedSettings {
            settings: Settings {
                production_contexts: [context.to_string()].into(),
                ..Settings::default()
            },
            path: folder.path().join("settings.json"),
        });
    });
    window.until("the context", |window| window.scene().production);
    window.click("Service shop/cache");
    window.key(Key::T);
    window.click_role(Role::RadioButton, "NodePort");
    window.wait_for_text("It would accept the change (dry run)");
    window.click("Apply…");
    assert!(window.contains_text("This context is marked as production."));
    assert!(!window.enabled("Yes, change it"));
    window.type_into("Name of the Service", "cache");
    window.click("Yes, change it");
    window.wait_for_text("Service shop/cache is NodePort now");
    window.click("Done");

    run(&mut window, "Export the audit log…");
    let file = folder.path().join("changes.json");
    window.type_into("File", &file.display().to_string());
    window.click_role(Role::Button, "Export");
    window.until("the file", |_| file.exists());
    let journal: Value =
        serde_json::from_slice(&std::fs::read(&file).expect("read")).expect("JSON");
    let said = journal.to_string();
    assert!(said.contains("from ClusterIP to NodePort"), "{said}");
}

/// Runs a command by the palette.
#[track_caller]
fn run(window: &mut LiveWindow, command: &str) {
    window
        .harness
        .key_press_modifiers(Modifiers::COMMAND, Key::K);
    window.settle();
    window
        .harness
        .get_by_label("Find a command")
        .type_text(command);
    window.settle();
    window.key(Key::Enter);
}
