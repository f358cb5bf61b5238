//! The test of all paths as the user clicks it, on the embedded demo cluster.

use egui::Key;
use serde_json::json;
use svcscope_model::inventory::ObjectKey;

use crate::live_window::LiveWindow;

#[test]
fn one_key_tries_all_paths_and_a_menu_asks_from_inside() {
    let mut window = LiveWindow::open();
    let nobody = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "nobody", "namespace": "shop"},
        "spec": {"selector": {"app": "nobody-has-this"}, "ports": [{"port": 80}]},
    });
    window.control().apply(nobody).expect("it is created");
    window.until("the Service to be seen", |window| {
        let key = ObjectKey::new("shop", "nobody");
        window.scene().inventory.service(&key).is_some() && window.shows("Service shop/nobody")
    });
    window.click("Service shop/nobody");
    window.key(Key::R);
    window.wait_for_text("Paths to shop/nobody");
    window.until("a round to end", |window| {
        let reach = window.scene().path_test.as_ref();
        reach.is_some_and(|reach| reach.rounds > 0)
    });
    window.wait_for_text("no pod matches the Service's selector");
    assert!(window.contains_text("only from inside the cluster"));

    // To choose a probe pod is to agree to it.
    window.click("From inside…");
    window.click("Create a probe pod in shop for this test");
    window.until("the Service to be asked from inside", |window| {
        let reach = window.scene().path_test.as_ref();
        reach.is_some_and(|reach| reach.rounds > 0 && reach.request.options.exec_targets.len() == 1)
    });
    window.wait_for_text("in shop: cluster IP");
    window.until("the probe pod to go", |window| {
        let pods = window.control().list("Pod", Some("shop"));
        let names = pods
            .iter()
            .filter_map(|pod| pod["metadata"]["name"].as_str());
        !names.collect::<String>().contains("svcscope-probe")
    });
}

#[test]
fn a_test_can_go_on_and_be_stopped() {
    let mut window = LiveWindow::open();
    window.click("Service shop/web");
    window.key(Key::R);
    window.until("a round to end", |window| {
        let reach = window.scene().path_test.as_ref();
        reach.is_some_and(|reach| reach.rounds == 1 && !reach.is_running)
    });
    window.click("Test all paths every 5 seconds");
    window.until("it to go on", |window| {
        let reach = window.scene().path_test.as_ref();
        reach.is_some_and(|reach| reach.repeats && reach.rounds == 1)
    });
    window.click("Stop the test of paths");
    window.until("it to be stopped", |window| {
        let reach = window.scene().path_test.as_ref();
        reach.is_some_and(|reach| !reach.repeats && !reach.is_running)
    });
    assert!(window.contains_text("Test all paths again"));
}
