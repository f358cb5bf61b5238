//! A window without an engine: scenes made by hand, commands caught on the other side.
#![allow(dead_code, reason = "each test uses a part of it")]

mod user_input;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use egui::{Theme, vec2};
use egui_kittest::Harness;
use jiff::{SignedDuration, Timestamp};
use svcscope_edit::{
    ChangePlan, DesiredServiceState, RequestedChange, ServiceKind, ServiceSnapshot, UndoAssessment,
};
use svcscope_engine::{
    ActivityLevel, ActivityMessage, ConnectionState, ContextSummary, EditId, EditState, EditStatus,
    EngineChannels, EngineCommand, RequestState, RequestStatus, Scene, engine_channel,
    settings::SavedForward,
};
use svcscope_model::inventory::{
    EventRecord, InventoryChange, NamespaceRecord, ObjectKey, RecordDelta, ResourceKind, SyncState,
    WatchScope,
};
use svcscope_net::{
    forward::{
        ForwardId, ForwardSpec, ForwardState, ForwardStatus, ForwardTarget, RemotePort,
        TrafficHistory, TrafficVolume,
    },
    probe::{
        CurlRequest, CurlResponse, ExchangeSummary, HttpHead, PhaseTimings, RequestId, ResponseKind,
    },
};
use svcscope_ui::{AppOptions, SvcscopeApp};

use crate::sample_scene;

/// The time of every test.
pub fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().expect("a time")
}

fn ago(secs: i64) -> Timestamp {
    now() - SignedDuration::from_secs(secs)
}

pub fn key(namespace: &str, name: &str) -> ObjectKey {
    ObjectKey::new(namespace, name)
}

/// The cluster of the design's picture, with something in every panel.
pub fn busy_scene() -> Scene {
    let mut sample = sample_scene::shop();
    let mut api = sample
        .inventory
        .service(&key("shop", "api"))
        .expect("in the sample")
        .as_ref()
        .clone();
    api.created = Some(ago(3 * 86_400 + 100));
    api.uid = "6f1d8c0e-51a1-4a9b-9a34-0f6a3c2b7d10".into();
    api.resource_version = "48213".into();
    api.ip_families = vec!["IPv4".into()];
    api.ip_family_policy = Some("SingleStack".into());
    api.external_traffic_policy = Some(svcscope_model::inventory::TrafficPolicy::Cluster);
    api.internal_traffic_policy = Some(svcscope_model::inventory::TrafficPolicy::Cluster);
    api.labels = [
        ("app", "api"),
        ("app.kubernetes.io/managed-by", "Helm"),
        ("team", "checkout"),
    ]
    .map(|(key, value)| (key.into(), value.into()))
    .into();
    sample.put(api);
    for name in ["default", "infra", "kube-system", "shop"] {
        sample
            .inventory
            .apply(InventoryChange::Namespace(RecordDelta::Upsert(
                NamespaceRecord {
                    name: name.into(),
                    labels: Default::default(),
                    terminating: false,
                },
            )));
    }
    sample
        .inventory
        .apply(InventoryChange::Event(RecordDelta::Upsert(EventRecord {
            key: key("shop", "api.1"),
            service: key("shop", "api"),
            warning: true,
            reason: "FailedToUpdateEndpointSlices".into(),
            message: "Error updating Endpoint Slices for Service shop/api: conflict".into(),
            count: 3,
            last_seen: Some(ago(240)),
            source: "endpoint-slice-controller".into(),
        })));
    sample.inventory.apply(InventoryChange::Sync(
        ResourceKind::Event,
        WatchScope::Cluster,
        SyncState::Forbidden {
            message: "events is forbidden: User \"dev\" cannot list resource \"events\"".into(),
        },
    ));
    Scene {
        connection: ConnectionState::Connected,
        context: Some("lab-eu-1".into()),
        server: Some("https://10.88.0.1:6443".into()),
        version: Some("v1.36.2".into()),
        contexts: contexts(),
        forwards: forwards(),
        requests: vec![request(
            RequestId(7),
            RequestState::Done(Arc::new(response())),
        )]
        .into(),
        activity: activity(),
        last_change: Some((ago(2), "pod shop/api-7f9c-gc not ready".into())),
        api_millis: Some(12),
        ..sample.scene(1)
    }
}

pub fn contexts() -> Arc<[ContextSummary]> {
    ["lab-eu-1", "prod-us-2"]
        .map(|name| ContextSummary {
            name: name.into(),
            cluster: name.into(),
            namespace: Some("shop".into()),
            file: Some("/home/dev/.kube/config".into()),
        })
        .into()
}

fn forwards() -> Arc<[ForwardStatus]> {
    let status = |id, name: &str, namespace: &str, port, local: &str, state| {
        let target = ForwardTarget::Service(key(namespace, name));
        let spec = ForwardSpec::new(target, RemotePort::Number(port));
        ForwardStatus {
            local: local.parse::<SocketAddr>().ok(),
            ..ForwardStatus::new(ForwardId(id), spec, state, ago(600))
        }
    };
    let mut web = status(
        1,
        "web",
        "shop",
        80,
        "127.0.0.1:8080",
        ForwardState::Connected,
    );
    web.pod = Some(key("shop", "web-7f9c-kj"));
    web.pod_port = Some(8080);
    web.open = 2;
    web.total = 148;
    web.bytes_down = 1_234_567;
    web.bytes_up = 14_210;
    let mut history = TrafficHistory::default();
    for second in 0..40_u64 {
        let down = 200_000 + (second * 37 % 11) * 80_000;
        history.record(
            ago(45 - second as i64),
            TrafficVolume {
                up: down / 10,
                down,
            },
        );
    }
    for second in [2, 1] {
        let (up, down) = (100_000, 1_000_000);
        history.record(ago(second), TrafficVolume { up, down });
    }
    web.history = Arc::new(history);
    let waiting = ForwardState::Waiting {
        since: ago(12),
        reason: "no ready pod behind pg 5432".into(),
    };
    let failed = ForwardState::Failed {
        reason: "local port 9000 is taken: choose another or leave it empty".into(),
    };
    vec![
        web,
        status(2, "db", "infra", 5432, "127.0.0.1:5432", waiting),
        status(
            3,
            "api",
            "shop",
            8081,
            "127.0.0.1:9001",
            ForwardState::Listening,
        ),
        ForwardStatus {
            free_port: Some(9001),
            ..status(4, "api", "shop", 8081, "", failed)
        },
    ]
    .into()
}

/// With forwards that are kept for the next start.
pub fn scene_with_saved() -> Scene {
    let saved = |name: &str, group: Option<&str>, service: (&str, &str), port| {
        let target = ForwardTarget::Service(key(service.0, service.1));
        let spec = ForwardSpec::new(target, RemotePort::Number(port));
        let mut saved = SavedForward::new(name, spec);
        saved.group = group.map(Into::into);
        saved
    };
    let mut front = saved("front", Some("shop"), ("shop", "web"), 443);
    front.start_with_app = true;
    Scene {
        saved_forwards: vec![
            front,
            saved("back", Some("shop"), ("shop", "api"), 8081),
            saved("db", None, ("infra", "db"), 5432),
        ]
        .into(),
        forwards: forwards().iter().take(1).cloned().collect(),
        ..busy_scene()
    }
}

pub fn request(id: RequestId, state: RequestState) -> RequestStatus {
    RequestStatus {
        id,
        request: Arc::new(CurlRequest {
            path: "/healthz?full=1".to_owned(),
            headers: vec![("Accept".to_owned(), "application/json".to_owned())],
            ..CurlRequest::new(
                ForwardTarget::Service(key("shop", "api")),
                RemotePort::Number(8081),
            )
        }),
        started: ago(30),
        state,
        repeat_statistics: None,
        has_unread_body: false,
    }
}

pub fn response() -> CurlResponse {
    let body = "{\n  \"status\": \"degraded\",\n  \"checks\": {\n    \"db\": true,\n    \"queue\": false\n  },\n  \"uptime_secs\": 86113\n}\n";
    CurlResponse {
        kind: ResponseKind::Http(HttpHead {
            version: "HTTP/1.1".to_owned(),
            status: 503,
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("x-request-id".to_owned(), "b7f1".to_owned()),
            ],
        }),
        body: body.into(),
        body_bytes: body.len() as u64,
        truncated: false,
        pod: Some(key("shop", "api-7f9c-gc")),
        via: "port-forward to pod api-7f9c-gc port 8080".into(),
        hops: Vec::new(),
        address: None,
        phases: PhaseTimings {
            connect: Some(Duration::from_micros(200)),
            pod_dial: Some(Duration::from_millis(4)),
            first_byte: Some(Duration::from_millis(12)),
            total: Duration::from_millis(14),
            ..PhaseTimings::default()
        },
        tls: None,
        exchange: ExchangeSummary::default(),
    }
}

fn activity() -> Arc<[ActivityMessage]> {
    [
        (1, 700, ActivityLevel::Info, "Connected to lab-eu-1"),
        (
            2,
            600,
            ActivityLevel::Info,
            "Forward shop/web listens at 127.0.0.1:8080",
        ),
        (
            3,
            40,
            ActivityLevel::Warning,
            "Forward infra/db waits: no ready pod behind pg 5432",
        ),
        (
            4,
            10,
            ActivityLevel::Error,
            "Forward shop/api failed: local port 9000 is taken: choose another or leave it empty",
        ),
    ]
    .map(|(number, secs, level, text)| ActivityMessage {
        number,
        at: ago(secs),
        level,
        text: text.into(),
        is_of_connection: false,
    })
    .into()
}

/// A plan for shop/api.
pub fn plan(to: ServiceKind) -> ChangePlan {
    let before = busy_scene()
        .inventory
        .service(&key("shop", "api"))
        .expect("in the sample")
        .clone();
    let mut after = before.as_ref().clone();
    after.service_type = to.service_type();
    ChangePlan {
        service: key("shop", "api"),
        title: format!("change Service shop/api from NodePort to {to}").into(),
        before: Some(ServiceSnapshot {
            record: before.clone(),
            object: Arc::new(serde_json::json!({})),
        }),
        projected_service: Some(Arc::new(after)),
        requested_change: RequestedChange::Change(Box::new(DesiredServiceState {
            seen_record: Some(before),
            ..DesiredServiceState::of_type(to)
        })),
        steps: Vec::new(),
        final_manifest: None,
        gains: Vec::new(),
        losses: vec!["nodePort 30080 is released".into()],
        notes: vec!["Helm manages it and may change it back".into()],
        undo_assessment: UndoAssessment {
            sentence: "can be taken back".into(),
            losses: Vec::new(),
        },
    }
}

pub fn scene_with_edit(revision: u64, id: EditId, step: EditState) -> Scene {
    Scene {
        revision,
        edits: vec![EditStatus {
            id,
            service: key("shop", "api"),
            step,
            audit_number: Some(1),
        }]
        .into(),
        ..busy_scene()
    }
}

/// A window with the engine's side of its handle.
pub struct TestWindow {
    pub harness: Harness<'static, SvcscopeApp>,
    pub engine: EngineChannels,
}

impl TestWindow {
    pub fn open(scene: Scene) -> Self {
        Self::open_in(scene, Theme::Dark)
    }

    pub fn open_in(scene: Scene, theme: Theme) -> Self {
        let (handle, engine) = engine_channel(scene);
        let options = AppOptions {
            theme: match theme {
                Theme::Dark => egui::ThemePreference::Dark,
                Theme::Light => egui::ThemePreference::Light,
            },
            clock: now,
            ..AppOptions::default()
        };
        let harness = Harness::builder()
            .with_size(vec2(1600.0, 1000.0))
            .with_theme(theme)
            .with_max_steps(64)
            .build_eframe(move |cc| SvcscopeApp::new(cc, handle, options));
        let mut window = Self { harness, engine };
        window.settle();
        // The first frame tells the engine the shape of the map.
        let told = window.commands();
        assert!(
            matches!(told[..], [] | [EngineCommand::SetMapAspectRatio(_)]),
            "{told:?}"
        );
        // Errors from before the window are told in it; they would hide what a test clicks on.
        while window.shows("Dismiss") {
            window.click_first("Dismiss");
        }
        window
    }

    /// Draws until nothing asks for another frame, or a spinner turns.
    pub fn settle(&mut self) {
        self.harness.run_ok();
    }

    /// The commands that were sent since the last call.
    pub fn commands(&mut self) -> Vec<EngineCommand> {
        let mut commands = Vec::new();
        while let Ok(command) = self.engine.commands.try_recv() {
            commands.push(command);
        }
        commands
    }

    /// Publishes a scene as the engine would.
    pub fn publish(&mut self, scene: Scene) {
        self.engine.publish(scene);
        self.settle();
    }
}
