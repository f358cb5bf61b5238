//! What the checks say, as the user meets it: the real window and engine on the embedded demo
//! cluster.

use std::sync::Arc;

use serde_json::{Value, json};
use svcscope_demo as demo;
use svcscope_engine::{Notifier, PersistedSettings, settings::Settings};
use svcscope_model::inventory::ResourceKind;

use crate::live_window::LiveWindow;

fn spec(window: &LiveWindow, name: &str) -> Value {
    let stored = window.control().get("services", "shop", name);
    stored.expect("the Service is there")["spec"].clone()
}

/// Opens it and waits until what is watched on demand is there too.
fn open() -> LiveWindow {
    let mut window = LiveWindow::open();
    until_fronts(&mut window);
    window
}

fn until_fronts(window: &mut LiveWindow) {
    window.until("front doors to be read", |window| {
        let live = |wanted| {
            let mut syncs = window.scene().inventory.sync_states();
            syncs.any(|(kind, _, state)| kind == wanted && state.is_live())
        };
        [
            ResourceKind::Ingress,
            ResourceKind::HttpRoute,
            ResourceKind::TlsSecret,
            ResourceKind::NetworkPolicy,
        ]
        .into_iter()
        .all(live)
    });
}

/// What the mended Service is like is read back before it is said.
#[track_caller]
fn apply(window: &mut LiveWindow, done: &str) {
    window.wait_for_text("It would accept the change (dry run)");
    window.click("Apply…");
    window.click("Yes, change it");
    window.wait_for_text(done);
    window.click("Done");
}

#[test]
fn a_button_mends_a_target_port_that_no_pod_declares() {
    let mut window = open();
    window.click("Service shop/wrongport");
    assert!(window.contains_text("leads to the container port named web-ui"));
    window.click("Set targetPort of port 80 to http…");
    assert_eq!(
        spec(&window, "wrongport")["ports"][0]["targetPort"],
        "web-ui"
    );
    apply(&mut window, "Service shop/wrongport is ClusterIP now");
    assert_eq!(spec(&window, "wrongport")["ports"][0]["targetPort"], "http");
    window.until("the finding to go", |window| {
        !window.contains_text("leads to the container port named web-ui")
    });
    window.until("what is gone to be listed", |window| {
        window.scene().history.resolved().len() > 0
    });
    window.click_containing("Problems: ");
    window.click_containing("Resolved (");
    assert!(window.contains_text("Gone from shop/wrongport"));
}

#[test]
fn a_button_mends_a_selector_by_its_nearest_match() {
    let mut window = open();
    window.click("Service shop/orphan");
    window.click("Select app=orphan-worker…");
    apply(&mut window, "Service shop/orphan is ClusterIP now");
    assert_eq!(spec(&window, "orphan")["selector"]["app"], "orphan-worker");
}

#[test]
fn a_packet_is_walked_to_where_it_ends() {
    let mut window = open();
    window.click("Service shop/orphan");
    window.click("Trace a packet");
    assert!(window.contains_text("To port 80/TCP: does not arrive"));
    assert!(window.shows("selector app=orfan"));
    assert!(!window.shows("endpoints"), "it ended before");
    window.click("Service shop/api");
    window.wait_for_text("To port 8081/TCP: arrives");
    assert!(window.contains_text("Ingress shop.example.com/api"));
}

#[test]
fn what_is_suppressed_is_counted_and_comes_back() {
    let settings = tempfile::NamedTempFile::new().expect("a file");
    let path = settings.path().to_owned();
    let mut window = LiveWindow::open_with(|config| {
        config.persisted_settings = Some(PersistedSettings {
            path,
            settings: Settings::default(),
        });
    });
    until_fronts(&mut window);
    window.click("Service shop/orphan");
    assert!(window.contains_text("matches none of"));
    window.click("Suppress");
    window.click("For shop/orphan");
    window.wait_for_text("Suppressed: 1");
    window.click("Suppressed: 1");
    window.wait_for_text("Show SVC-SELECTOR-NO-MATCH again");
    window.click("Show SVC-SELECTOR-NO-MATCH again");
    window.until("the finding to be told again", |window| {
        !window.contains_text("Suppressed: 1") && window.contains_text("matches none of")
    });
}

#[test]
fn problems_are_filtered_and_one_click_flies_there() {
    let mut window = open();
    window.click_containing("Problems: ");
    assert!(window.contains_text("Problem of shop/checkout: Ingress shop/checkout sends"));
    assert!(window.contains_text("Problem of shop/orphan"));
    window.type_into("Filter problems", "checkout");
    assert!(!window.contains_text("Problem of shop/orphan"));
    window.click_containing("Problem of shop/checkout");
    assert!(window.contains_text("Namespace shop has no such Service."));
    window.type_into("Filter problems", "nobody says this");
    assert!(window.contains_text("No problem says that"));
    window.type_into("Filter problems", "legacy");
    assert!(!window.contains_text("Problem of shop/legacy"), "a note");
    window.click_containing("Notes (");
    assert!(window.contains_text("Problem of shop/legacy"));
}

#[test]
fn a_host_is_an_entry_point_of_its_services_and_finds_them() {
    let mut window = open();
    window.type_into("Search Services", "shop.example.com");
    let found = |window: &LiveWindow, name: &str| {
        let label = format!("Service shop/{name}");
        window.shows(&label)
    };
    assert!(found(&window, "web") && found(&window, "api"));
    assert!(!found(&window, "cache"), "it has no such host");
    window.click("Service shop/web");
    assert!(window.contains_text("https://shop.example.com/"));
    let web = &window.scene().topology;
    let key = svcscope_model::inventory::ObjectKey::new("shop", "web");
    let traffic = web.service(&key).expect("web is there");
    let front = traffic
        .entry_points
        .iter()
        .find(|entry| entry.ingress.is_some());
    let front = front
        .expect("the Ingress")
        .ingress
        .as_ref()
        .expect("its front");
    assert!(front.encrypted);
    assert_eq!(&*front.class_or_gateways, "nginx");
}

/// Keeps what would be shown on the desktop, or has no desktop at all.
#[derive(Debug, Default)]
struct RecordingNotifier {
    shown: std::sync::Mutex<Vec<String>>,
    missing: bool,
}

impl Notifier for RecordingNotifier {
    fn show(&self, title: &str, _body: &str) -> Result<(), String> {
        if self.missing {
            return Err("could not show a notice: there is no desktop".to_owned());
        }
        self.shown.lock().expect("no panic").push(title.to_owned());
        Ok(())
    }
}

fn cache_selects(window: &LiveWindow, app: &str) {
    let change = json!({
        "kind": "Service", "apiVersion": "v1",
        "metadata": {"name": "cache", "namespace": "shop"},
        "spec": {"selector": {"app": app}},
    });
    window.control().apply(change).expect("the demo takes it");
}

#[test]
fn an_alert_says_when_a_service_breaks_and_recovers() {
    let desk = Arc::new(RecordingNotifier::default());
    let settings = tempfile::NamedTempFile::new().expect("a file");
    let path = settings.path().to_owned();
    // An empty file is none that can be used.
    std::fs::write(&path, "{}").expect("written");
    let mut window = LiveWindow::open_with(|config| {
        config.notifier = desk.clone();
        config.persisted_settings = Some(PersistedSettings {
            path: path.clone(),
            settings: Settings::default(),
        });
    });
    window.click("Service shop/cache");
    window.click("Alert me when this Service breaks or recovers");
    window.until("the bell to be on", |window| {
        window.shows("Turn off alerts for this Service")
    });
    cache_selects(&window, "cash");
    let told = |title: &str| {
        desk.shown
            .lock()
            .expect("no panic")
            .iter()
            .any(|it| it == title)
    };
    window.until("the break to be told", |_| {
        told("Service shop/cache is broken")
    });
    cache_selects(&window, "cache");
    window.until("the healing to be told", |_| {
        told("Service shop/cache works again")
    });
    assert_eq!(desk.shown.lock().expect("no panic").len(), 2);
    window.until("the bell to be remembered", |_| {
        let saved = std::fs::read_to_string(&path).unwrap_or_default();
        saved.contains("shop/cache")
    });
}

#[test]
fn where_there_is_no_desktop_the_list_of_activities_says_so() {
    let desk = Arc::new(RecordingNotifier {
        missing: true,
        ..RecordingNotifier::default()
    });
    let mut window = LiveWindow::open_with(|config| config.notifier = desk.clone());
    window.click("Service shop/cache");
    window.click("Alert me when this Service breaks or recovers");
    window.until("the bell to be on", |window| {
        window.shows("Turn off alerts for this Service")
    });
    cache_selects(&window, "cash");
    window.until("both to be said", |window| {
        let said = |part: &str| {
            let mut all = window.scene().activity.iter();
            all.any(|activity| activity.text.contains(part))
        };
        said("Service shop/cache is broken") && said("there is no desktop")
    });
}

/// What may not be read is no trouble of the window's: only what needs it stays unsaid.
#[test]
fn kinds_on_demand_that_are_refused_are_no_trouble() {
    let mut window = open();
    for resource in ["ingresses", "secrets", "networkpolicies"] {
        for verb in ["list", "watch"] {
            window.control().deny(demo::DenyRule::new(
                verb,
                resource,
                demo::DenyScope::Everywhere,
            ));
        }
    }
    window.click("Service shop/web");
    window
        .driven
        .handle
        .send(svcscope_engine::EngineCommand::Reconnect);
    window.until("the refusal to be known", |window| {
        let mut syncs = window.scene().inventory.sync_states();
        syncs.any(|(kind, _, state)| {
            kind == ResourceKind::Ingress
                && matches!(
                    state,
                    svcscope_model::inventory::SyncState::Forbidden { .. }
                )
        })
    });
    assert!(!window.contains_text("ingresses"), "nobody is told");
    let report = &window.scene().reports[&svcscope_model::inventory::ObjectKey::new("shop", "web")];
    assert_ne!(report.health, svcscope_check::Health::Unknown);
}
