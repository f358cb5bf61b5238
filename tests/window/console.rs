//! The request console in the window, on the demo cluster.

use egui::Key;
use egui_kittest::kittest::Queryable as _;
use svcscope_engine::{RequestState, RequestStatus};
use svcscope_net::probe::AccessPath;

use crate::live_window::LiveWindow;

/// The console of a Service.
fn console(service: &str) -> LiveWindow {
    let mut window = LiveWindow::open();
    window.click(&format!("Service shop/{service}"));
    window.key(Key::C);
    window.until("the console", |window| window.shows("Send"));
    window
}

fn choose_access_path(window: &mut LiveWindow, label: &str) {
    window.click("Via");
    window.until(label, |window| window.shows(label));
    window.click(label);
}

fn newest(window: &LiveWindow) -> RequestStatus {
    window.scene().requests.last().expect("a request").clone()
}

#[test]
fn a_request_takes_the_chosen_access_path() {
    let mut window = console("api");
    assert!(window.contains_text("kube-proxy and NetworkPolicy are not involved"));
    choose_access_path(&mut window, "API server's proxy to the Service");
    assert!(window.contains_text("It asks under its own Host name"));
    window.click("Send");
    window.wait_for_text("via API server's proxy to Service api port 8081");
    assert!(window.shows("200 OK"));
    assert_eq!(
        newest(&window).request.access_path,
        AccessPath::ServiceProxy
    );
}

#[test]
fn a_certificate_is_a_finding_and_no_wall() {
    let mut window = console("web");
    let port = window.label_starting("https 443").expect("a port");
    window.click(&port);
    window.click("Send");
    window.wait_for_text("certificate is not trusted");
    window.click("Ignore the certificate");
    assert!(window.contains_text("anyone between here and the server can answer"));
    window.click("Send");
    window.until("the answer", |window| window.shows("200 OK"));
    assert!(window.contains_text("The certificate was ignored: "));
    window.click("Certificates");
    assert!(window.contains_text("Asked for web.shop.svc"));
    assert!(window.contains_text("valid from "));
}

#[test]
fn a_request_is_repeated_and_the_pods_are_counted() {
    let mut window = console("web");
    let port = window.label_starting("http 80").expect("a port");
    window.click(&port);
    window.type_into("Times", "12");
    window.click("Repeat");
    window.wait_for_text("12 of 12 sent");
    window.until("the end", |window| !newest(window).state.is_under_way());
    let repeated = newest(&window).repeat_statistics.expect("repeated");
    let (status, count) = repeated.statuses.first_key_value().expect("a status");
    assert_eq!(*count, 12, "{repeated:?}");
    assert!(window.contains_text(&format!("{status}: 12×")));
    assert_eq!(repeated.pods.values().sum::<u32>(), 12);
    assert!(
        repeated.pods.len() > 1,
        "spread over the pods: {repeated:?}"
    );
}

#[test]
fn a_pasted_curl_line_becomes_a_request() {
    let mut window = console("api");
    window.click("Paste a curl line");
    window.type_into(
        "Curl line",
        "curl -X PUT 'http://shop.example.com/api/x?y=1' -H 'X-A: b' -d '{}' -o out",
    );
    window.click("Fill in");
    assert!(window.contains_text("These mean nothing here: -o out"));
    window.click("Send");
    window.until("the answer", |window| {
        let last = window.scene().requests.last();
        last.is_some_and(|last| matches!(last.state, RequestState::Done(_)))
    });
    let request = newest(&window).request;
    assert_eq!((&*request.method, &*request.path), ("PUT", "/api/x?y=1"));
    assert_eq!(request.body.as_deref(), Some(&b"{}"[..]));
    let host = ("Host".to_owned(), "shop.example.com".to_owned());
    assert!(request.headers.contains(&host));

    window.click("Paste a curl line");
    window.type_into("Curl line", "wget x");
    window.click("Fill in");
    assert!(window.contains_text("does not begin with `curl`"));
}

#[test]
fn what_is_searched_is_found_and_two_answers_are_compared() {
    let mut window = console("api");
    window.click("Send");
    window.until("the answer", |window| window.shows("200 OK"));
    window.type_into("Find in the body", "pod");
    window.wait_for_text(" found");
    window.click("Hex");
    assert!(window.contains_text("00000000  "));

    window.type_into("Path", "/other");
    window.click("Send");
    window.until("two answers", |window| {
        let requests = &window.scene().requests;
        requests.len() == 2 && requests.iter().all(|it| !it.state.is_under_way())
    });
    let title = window
        .label_starting("Sent to this target")
        .expect("a list");
    window.click(&title);
    let ticks: Vec<_> = window
        .harness
        .query_all_by_role(egui::accesskit::Role::CheckBox)
        .collect();
    assert_eq!(ticks.len(), 2);
    for tick in ticks {
        tick.click();
    }
    window.settle();
    assert!(window.contains_text("+ "), "what differs is shown");
    assert!(window.contains_text("- "), "what differs is shown");
}

#[test]
fn a_long_body_pauses_and_its_whole_can_be_saved() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("body");
    let mut window = console("api");
    window.type_into("Path", "/bytes?n=3000000");
    window.click("Send");
    window.wait_for_text("Save the whole body to read on");
    window.click("Save the whole body…");
    window.type_into("File", &file.display().to_string());
    window.click("Save");
    let written = || std::fs::metadata(&file).map_or(0, |file| file.len());
    window.until("the file", |_| written() == 3_000_000);
}

#[test]
fn other_questions_than_http_are_asked() {
    let mut window = console("web");
    let port = window.label_starting("https 443").expect("a port");
    window.click(&port);
    window.click("More");
    window.click("TCP connect");
    window.click("Send");
    window.until("connected", |window| window.shows("connected"));
    window.click("TLS handshake");
    window.click("Send");
    window.wait_for_text("certificate is not trusted");
    assert!(window.contains_text("Asked for web.shop.svc"));
}

#[test]
fn from_inside_only_with_a_pod_that_was_agreed_to() {
    let mut window = console("api");
    choose_access_path(&mut window, "Inside the cluster…");
    assert!(window.contains_text("tick the box that allows creating a probe pod"));
    assert!(!window.enabled("Send"));
    window.click("Create a probe pod in namespace shop");
    assert!(window.enabled("Send"));
    window.click("Send");
    window.until("the answer", |window| {
        let last = window.scene().requests.last();
        last.is_some_and(|last| !last.state.is_under_way())
    });
    assert!(window.shows("200 OK"), "{:?}", newest(&window).state);
    assert!(window.contains_text("via "));
}
