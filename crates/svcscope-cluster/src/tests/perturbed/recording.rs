//! A run of the demo as its watches tell it.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use serde_json::Value;

use super::script;
use svcscope_demo::{DemoOptions, DemoServer};
use svcscope_model::inventory::ResourceKind;

/// Where the objects of a kind are.
pub(super) struct RecordedCollection {
    pub(super) kind: ResourceKind,
    pub(super) api: &'static str,
    /// What is asked of the demo beside; the replay has nothing else in it.
    query: &'static str,
}

const fn at(kind: ResourceKind, api: &'static str) -> RecordedCollection {
    RecordedCollection {
        kind,
        api,
        query: "",
    }
}

const NETWORKING: &str = "/apis/networking.k8s.io/v1";
const GATEWAY: &str = "/apis/gateway.networking.k8s.io/v1";
const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";

/// All kinds that the demo serves.
pub(super) const COLLECTIONS: [RecordedCollection; 21] = [
    at(ResourceKind::Namespace, "/api/v1"),
    at(ResourceKind::Service, "/api/v1"),
    at(ResourceKind::EndpointSlice, "/apis/discovery.k8s.io/v1"),
    at(ResourceKind::Pod, "/api/v1"),
    at(ResourceKind::Node, "/api/v1"),
    RecordedCollection {
        query: "&fieldSelector=involvedObject.kind%3DService",
        ..at(ResourceKind::Event, "/api/v1")
    },
    at(ResourceKind::Ingress, NETWORKING),
    at(ResourceKind::IngressClass, NETWORKING),
    at(ResourceKind::NetworkPolicy, NETWORKING),
    at(ResourceKind::ServiceCidr, NETWORKING),
    at(ResourceKind::Gateway, GATEWAY),
    at(ResourceKind::GatewayClass, GATEWAY),
    at(ResourceKind::HttpRoute, GATEWAY),
    at(ResourceKind::GrpcRoute, GATEWAY),
    at(
        ResourceKind::ReferenceGrant,
        "/apis/gateway.networking.k8s.io/v1beta1",
    ),
    at(ResourceKind::ValidatingWebhook, ADMISSION),
    at(ResourceKind::MutatingWebhook, ADMISSION),
    at(ResourceKind::ApiService, "/apis/apiregistration.k8s.io/v1"),
    at(ResourceKind::Deployment, "/apis/apps/v1"),
    at(ResourceKind::StatefulSet, "/apis/apps/v1"),
    RecordedCollection {
        query: "&fieldSelector=type%3Dkubernetes.io%2Ftls",
        ..at(ResourceKind::TlsSecret, "/api/v1")
    },
];

impl RecordedCollection {
    /// The path for all namespaces.
    pub(super) fn path(&self) -> String {
        format!("{}/{}", self.api, self.kind.plural())
    }

    /// The path that is recorded: of what has namespaces, only the run's own.
    fn recorded_path(&self) -> String {
        if self.kind.is_cluster_scoped() {
            return self.path();
        }
        let namespace = script::NAMESPACE;
        format!("{}/namespaces/{namespace}/{}", self.api, self.kind.plural())
    }
}

/// The objects of one kind by namespace and name, as JSON.
pub(super) type ObjectsByKey = BTreeMap<String, Bytes>;

/// The objects of all kinds, in the order of [`COLLECTIONS`].
pub(super) type RecordedState = Vec<ObjectsByKey>;

/// One event of a watch.
pub(super) struct RecordedEvent {
    /// Its place in [`COLLECTIONS`].
    pub(super) collection: usize,
    pub(super) revision: u64,
    pub(super) verb: String,
    pub(super) key: String,
    pub(super) object: Bytes,
}

impl RecordedEvent {
    pub(super) fn kind(&self) -> ResourceKind {
        COLLECTIONS[self.collection].kind
    }

    /// As a line of a watch.
    pub(super) fn line(&self) -> Bytes {
        line(&self.verb, &self.object)
    }

    /// Makes a state that of after this event.
    pub(super) fn apply(&self, state: &mut RecordedState) {
        let objects = &mut state[self.collection];
        if self.verb == "DELETED" {
            objects.remove(&self.key);
        } else {
            objects.insert(self.key.clone(), self.object.clone());
        }
    }
}

impl fmt::Display for RecordedEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, revision) = (self.kind(), self.revision);
        write!(f, "{} {kind} {} at {revision}", self.verb, self.key)
    }
}

/// A line of a watch.
pub(super) fn line(verb: &str, object: &[u8]) -> Bytes {
    let object = String::from_utf8_lossy(object);
    Bytes::from(format!("{{\"type\":\"{verb}\",\"object\":{object}}}\n"))
}

/// A run: what there was at first, and what happened.
pub(super) struct DemoRecording {
    first: RecordedState,
    first_revision: u64,
    pub(super) events: Vec<RecordedEvent>,
}

impl DemoRecording {
    /// What there is after so many events.
    pub(super) fn state(&self, after: usize) -> RecordedState {
        let mut state = self.first.clone();
        for event in &self.events[..after] {
            event.apply(&mut state);
        }
        state
    }

    /// The revision after so many events.
    pub(super) fn revision(&self, after: usize) -> u64 {
        match after.checked_sub(1) {
            Some(last) => self.events[last].revision,
            None => self.first_revision,
        }
    }
}

/// Records the run of [`script`]. Time is paused: it passes where nothing is left to do.
pub(super) fn record() -> DemoRecording {
    svcscope_net::tls::install_crypto_provider();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let server = DemoServer::start(DemoOptions {
            scripted_activity: false,
            node_ports: false,
            history_limit: 100_000,
            ..DemoOptions::default()
        })
        .await
        .expect("a demo cluster");
        let demo = RecordedDemoClient {
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client"),
            server,
        };
        script::prepare(demo.server.control()).await;
        let first_revision = demo.server.control().revision();
        let first = demo.state().await;
        script::run(demo.server.control()).await;
        let mut events = Vec::new();
        for at in 0..COLLECTIONS.len() {
            events.extend(demo.events(at, first_revision).await);
        }
        events.sort_by_key(|event: &RecordedEvent| event.revision);
        let recording = DemoRecording {
            first,
            first_revision,
            events,
        };
        let last = recording.state(recording.events.len());
        let now = demo.state().await;
        for ((last, now), of) in last.iter().zip(&now).zip(&COLLECTIONS) {
            assert_eq!(last, now, "the events of {} make another state", of.kind);
        }
        recording
    })
}

/// A demo cluster and who asks it.
struct RecordedDemoClient {
    server: DemoServer,
    http: reqwest::Client,
}

impl RecordedDemoClient {
    async fn ask(&self, at: usize, query: &str) -> String {
        let collection = &COLLECTIONS[at];
        let url = format!(
            "{}{}?{query}{}",
            self.server.url(),
            collection.recorded_path(),
            collection.query
        );
        let request = self.http.get(url).bearer_auth(self.server.token());
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{}", collection.kind);
        answer.text().await.expect("a text")
    }

    async fn state(&self) -> RecordedState {
        let mut state = RecordedState::new();
        for (at, collection) in COLLECTIONS.iter().enumerate() {
            let text = self.ask(at, "").await;
            let list: Value = serde_json::from_str(&text).expect("a list");
            let items = list["items"].as_array().expect("items");
            let objects: ObjectsByKey = items
                .iter()
                .map(|item| {
                    (
                        key(item),
                        Bytes::from(normalized_object(item, collection).to_string()),
                    )
                })
                .collect();
            state.push(objects);
        }
        state
    }

    async fn events(&self, at: usize, from: u64) -> Vec<RecordedEvent> {
        let query = format!("watch=true&resourceVersion={from}&timeoutSeconds=1");
        let text = self.ask(at, &query).await;
        text.lines()
            .map(|line| {
                let event: Value = serde_json::from_str(line).expect("an event");
                let object = normalized_object(&event["object"], &COLLECTIONS[at]);
                let version = object["metadata"]["resourceVersion"].as_str();
                RecordedEvent {
                    collection: at,
                    revision: version
                        .and_then(|text| text.parse().ok())
                        .expect("a version"),
                    verb: event["type"].as_str().expect("a type").to_owned(),
                    key: key(&object),
                    object: Bytes::from(object.to_string()),
                }
            })
            .collect()
    }
}

fn key(object: &Value) -> String {
    let metadata = &object["metadata"];
    let text = |field: &str| metadata[field].as_str().unwrap_or_default();
    format!("{}/{}", text("namespace"), text("name"))
}

/// Items of lists lack the kind that events have, and an event need not be longer than what is read
/// of it.
fn normalized_object(object: &Value, of: &RecordedCollection) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        for field in ["kind", "apiVersion"] {
            fields.shift_remove(field);
        }
        if of.kind == ResourceKind::TlsSecret {
            fields.shift_remove("data");
        }
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.shift_remove("managedFields");
    }
    object
}
