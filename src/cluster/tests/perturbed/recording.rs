//! A run of the demo as its watches tell it.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;
use serde_json::Value;

use super::script;
use crate::{
    demo::{Options, Server},
    inventory::Kind,
};

/// Where the objects of a kind are.
pub(super) struct Collection {
    pub(super) kind: Kind,
    pub(super) api: &'static str,
    /// What is asked of the demo beside; the replay has nothing else in it.
    query: &'static str,
}

const fn at(kind: Kind, api: &'static str) -> Collection {
    Collection {
        kind,
        api,
        query: "",
    }
}

const NETWORKING: &str = "/apis/networking.k8s.io/v1";
const GATEWAY: &str = "/apis/gateway.networking.k8s.io/v1";
const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";

/// All kinds that the demo serves.
pub(super) const COLLECTIONS: [Collection; 21] = [
    at(Kind::Namespace, "/api/v1"),
    at(Kind::Service, "/api/v1"),
    at(Kind::EndpointSlice, "/apis/discovery.k8s.io/v1"),
    at(Kind::Pod, "/api/v1"),
    at(Kind::Node, "/api/v1"),
    Collection {
        query: "&fieldSelector=involvedObject.kind%3DService",
        ..at(Kind::Event, "/api/v1")
    },
    at(Kind::Ingress, NETWORKING),
    at(Kind::IngressClass, NETWORKING),
    at(Kind::NetworkPolicy, NETWORKING),
    at(Kind::ServiceCidr, NETWORKING),
    at(Kind::Gateway, GATEWAY),
    at(Kind::GatewayClass, GATEWAY),
    at(Kind::HttpRoute, GATEWAY),
    at(Kind::GrpcRoute, GATEWAY),
    at(
        Kind::ReferenceGrant,
        "/apis/gateway.networking.k8s.io/v1beta1",
    ),
    at(Kind::ValidatingWebhook, ADMISSION),
    at(Kind::MutatingWebhook, ADMISSION),
    at(Kind::ApiService, "/apis/apiregistration.k8s.io/v1"),
    at(Kind::Deployment, "/apis/apps/v1"),
    at(Kind::StatefulSet, "/apis/apps/v1"),
    Collection {
        query: "&fieldSelector=type%3Dkubernetes.io%2Ftls",
        ..at(Kind::TlsSecret, "/api/v1")
    },
];

impl Collection {
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
pub(super) type Objects = BTreeMap<String, Bytes>;

/// The objects of all kinds, in the order of [`COLLECTIONS`].
pub(super) type State = Vec<Objects>;

/// One event of a watch.
pub(super) struct Event {
    /// Its place in [`COLLECTIONS`].
    pub(super) collection: usize,
    pub(super) revision: u64,
    pub(super) verb: String,
    pub(super) key: String,
    pub(super) object: Bytes,
}

impl Event {
    pub(super) fn kind(&self) -> Kind {
        COLLECTIONS[self.collection].kind
    }

    /// As a line of a watch.
    pub(super) fn line(&self) -> Bytes {
        line(&self.verb, &self.object)
    }

    /// Makes a state that of after this event.
    pub(super) fn apply(&self, state: &mut State) {
        let objects = &mut state[self.collection];
        if self.verb == "DELETED" {
            objects.remove(&self.key);
        } else {
            objects.insert(self.key.clone(), self.object.clone());
        }
    }
}

impl fmt::Display for Event {
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
pub(super) struct Recording {
    first: State,
    first_revision: u64,
    pub(super) events: Vec<Event>,
}

impl Recording {
    /// What there is after so many events.
    pub(super) fn state(&self, after: usize) -> State {
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
pub(super) fn record() -> Recording {
    crate::tls::install_provider();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let server = Server::start(Options {
            life: false,
            node_ports: false,
            history: 100_000,
            ..Options::default()
        })
        .await
        .expect("a demo cluster");
        let demo = Demo {
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
        events.sort_by_key(|event: &Event| event.revision);
        let recording = Recording {
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
struct Demo {
    server: Server,
    http: reqwest::Client,
}

impl Demo {
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

    async fn state(&self) -> State {
        let mut state = State::new();
        for (at, collection) in COLLECTIONS.iter().enumerate() {
            let text = self.ask(at, "").await;
            let list: Value = serde_json::from_str(&text).expect("a list");
            let items = list["items"].as_array().expect("items");
            let objects: Objects = items
                .iter()
                .map(|item| {
                    (
                        key(item),
                        Bytes::from(as_said(item, collection).to_string()),
                    )
                })
                .collect();
            state.push(objects);
        }
        state
    }

    async fn events(&self, at: usize, from: u64) -> Vec<Event> {
        let query = format!("watch=true&resourceVersion={from}&timeoutSeconds=1");
        let text = self.ask(at, &query).await;
        text.lines()
            .map(|line| {
                let event: Value = serde_json::from_str(line).expect("an event");
                let object = as_said(&event["object"], &COLLECTIONS[at]);
                let version = object["metadata"]["resourceVersion"].as_str();
                Event {
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
fn as_said(object: &Value, of: &Collection) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        for field in ["kind", "apiVersion"] {
            fields.shift_remove(field);
        }
        if of.kind == Kind::TlsSecret {
            fields.shift_remove("data");
        }
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.shift_remove("managedFields");
    }
    object
}
