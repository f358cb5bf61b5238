//! A small cluster for tests: an inventory that can be changed while forwards look at it, and a
//! dialer whose pods are functions.

use std::{
    collections::BTreeMap,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf},
    sync::watch,
};

use super::{DialError, DialErrorKind, Dialer, InventoryFeed};
use kube_tunnel::PodStream;
use svcscope_model::inventory::{
    ContainerPort, ContainerRecord, EndpointRecord, EndpointSliceRecord, EndpointSource, Inventory,
    InventoryChange, ObjectKey, OwnerRef, PodRecord, Protocol, RecordDelta, ResourceKind,
    ServicePort, ServiceRecord, ServiceType, SharedStr, SlicePort, SyncState, TargetPort,
    WatchScope,
};

/// Everything stands in namespace `shop`.
const NAMESPACE: &str = "shop";

/// An inventory that tests change.
pub(crate) struct InventoryFixture {
    inventory: watch::Sender<Inventory>,
}

impl Default for InventoryFixture {
    fn default() -> Self {
        Self {
            inventory: watch::Sender::new(Inventory::default()),
        }
    }
}

/// A ready endpoint, at an address by the end of the pod's name.
pub(crate) fn endpoint(pod: &str) -> EndpointRecord {
    let number = pod.bytes().last().unwrap_or_default();
    EndpointRecord {
        address: format!("10.244.0.{number}").into(),
        ready: true,
        serving: true,
        terminating: false,
        pod: Some(SharedStr::from(pod)),
        node: None,
        zone: None,
        hostname: None,
        zone_hints: Box::default(),
        node_hints: Box::default(),
    }
}

impl InventoryFixture {
    /// All kinds live, and Service `web` with `http 80 → "http"`, a UDP port, and DNS on both
    /// protocols.
    pub(crate) fn with_web() -> Self {
        let cluster = Self::default();
        cluster.live();
        let port = |name: &str, protocol, number, target_port| ServicePort {
            name: Some(SharedStr::from(name)),
            protocol,
            port: number,
            target_port,
            node_port: None,
            app_protocol: None,
        };
        cluster.upsert_service(ServiceRecord {
            selector: BTreeMap::from([(SharedStr::from("app"), SharedStr::from("web"))]),
            ports: vec![
                port(
                    "http",
                    Protocol::Tcp,
                    80,
                    TargetPort::Name(SharedStr::from("http")),
                ),
                port("metrics", Protocol::Udp, 9125, TargetPort::Number(9125)),
                port("dns", Protocol::Udp, 53, TargetPort::Number(53)),
                port("dns-tcp", Protocol::Tcp, 53, TargetPort::Number(53)),
            ],
            ..ServiceRecord::new(key("web"))
        });
        cluster
    }

    pub(crate) fn feed(&self) -> InventoryFeed {
        self.inventory.subscribe()
    }

    pub(crate) fn inventory(&self) -> Inventory {
        self.inventory.borrow().clone()
    }

    pub(crate) fn live(&self) {
        for kind in ResourceKind::ALL {
            self.sync(kind, SyncState::Live);
        }
    }

    pub(crate) fn sync(&self, kind: ResourceKind, state: SyncState) {
        self.sync_in(kind, WatchScope::Cluster, state);
    }

    pub(crate) fn sync_in(&self, kind: ResourceKind, scope: WatchScope, state: SyncState) {
        self.change(InventoryChange::Sync(kind, scope, state));
    }

    pub(crate) fn service(&self, name: &str) -> ServiceRecord {
        let inventory = self.inventory();
        inventory.service(&key(name)).unwrap().as_ref().clone()
    }

    pub(crate) fn upsert_service(&self, service: ServiceRecord) {
        self.change(InventoryChange::Service(RecordDelta::Upsert(service)));
    }

    pub(crate) fn external_name(&self, name: &str, host: &str) {
        self.upsert_service(ServiceRecord {
            service_type: ServiceType::ExternalName,
            external_name: Some(SharedStr::from(host)),
            ..self.service(name)
        });
    }

    pub(crate) fn portless(&self, name: &str) {
        self.upsert_service(ServiceRecord {
            ports: Vec::new(),
            cluster_ips: vec![SharedStr::from("None")],
            ..self.service(name)
        });
    }

    /// A slice of Service `web` that resolves port `http` to `port`.
    pub(crate) fn slice(&self, name: &str, port: u16, endpoints: Vec<EndpointRecord>) {
        self.change(InventoryChange::EndpointSlice(RecordDelta::Upsert(
            EndpointSliceRecord {
                key: key(name),
                service: Some(SharedStr::from("web")),
                source: EndpointSource::EndpointSlice,
                address_type: SharedStr::from("IPv4"),
                ports: vec![SlicePort {
                    name: SharedStr::from("http"),
                    protocol: Protocol::Tcp,
                    port: Some(port),
                }],
                endpoints,
                truncated: false,
                managed_by: None,
            },
        )));
    }

    /// Pods behind Service `web`, ready, each at 8080.
    pub(crate) fn ready_pods(&self, names: &[&str]) {
        for name in names {
            self.pod(name, true);
        }
        self.slice(
            "web",
            8080,
            names.iter().map(|name| endpoint(name)).collect(),
        );
    }

    pub(crate) fn pod(&self, name: &str, ready: bool) {
        self.upsert_pod(record(name, ready));
    }

    pub(crate) fn pod_with_port(&self, name: &str, label: &str, value: &str, port: u16) {
        self.upsert_pod(PodRecord {
            labels: BTreeMap::from([(SharedStr::from(label), SharedStr::from(value))]),
            containers: vec![ContainerRecord {
                name: SharedStr::from("main"),
                sidecar: false,
                ports: vec![ContainerPort {
                    name: Some(SharedStr::from("http")),
                    protocol: Protocol::Tcp,
                    port,
                    host_port: None,
                }],
                ready: true,
                restarts: 0,
                reason: None,
                probes: Box::default(),
            }],
            ..record(name, true)
        });
    }

    pub(crate) fn owned(
        &self,
        name: &str,
        ready: bool,
        kind: &str,
        owner: &str,
        hash: Option<&str>,
    ) {
        let hash = hash.map(|hash| (SharedStr::from("pod-template-hash"), SharedStr::from(hash)));
        self.upsert_pod(PodRecord {
            labels: hash.into_iter().collect(),
            owner: Some(OwnerRef {
                kind: SharedStr::from(kind),
                name: SharedStr::from(owner),
            }),
            ..record(name, ready)
        });
    }

    pub(crate) fn deleting(&self, name: &str) {
        let pod = self.inventory().pod(&key(name)).unwrap().as_ref().clone();
        self.upsert_pod(PodRecord {
            deleting: Some(jiff::Timestamp::UNIX_EPOCH),
            ..pod
        });
    }

    pub(crate) fn delete_pod(&self, name: &str) {
        self.change(InventoryChange::Pod(RecordDelta::Remove(key(name))));
    }

    pub(crate) fn upsert_pod(&self, pod: PodRecord) {
        self.change(InventoryChange::Pod(RecordDelta::Upsert(pod)));
    }

    fn change(&self, change: InventoryChange) {
        self.inventory.send_modify(|inventory| {
            inventory.apply(change);
        });
    }
}

pub(crate) fn key(name: &str) -> ObjectKey {
    ObjectKey::new(NAMESPACE, name)
}

fn record(name: &str, ready: bool) -> PodRecord {
    PodRecord {
        uid: SharedStr::from(format!("uid of {name}")),
        ips: vec![SharedStr::from("10.244.0.5")],
        ready,
        ..PodRecord::new(key(name))
    }
}

type StreamHandler = Arc<dyn Fn(DuplexStream) -> BoxFuture<'static, ()> + Send + std::marker::Sync>;

/// What a dial to a pod leads to.
#[derive(Clone)]
enum DialScript {
    Serve(StreamHandler),
    Fail(DialErrorKind, Duration),
    Late,
    Hang,
}

/// A dialer whose pods are functions over in-memory streams.
#[derive(Default)]
pub(crate) struct FakeDialer {
    answers: Mutex<BTreeMap<String, DialScript>>,
    dialled: Mutex<Vec<(String, u16)>>,
}

impl FakeDialer {
    /// A pod that runs `handler` for each connection.
    pub(crate) fn serve<F>(
        &self,
        pod: &str,
        handler: impl Fn(DuplexStream) -> F + Send + std::marker::Sync + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let handler: StreamHandler = Arc::new(move |stream| Box::pin(handler(stream)));
        self.set(pod, DialScript::Serve(handler));
    }

    /// A pod that can't be reached, which shows after a while.
    pub(crate) fn fail(&self, pod: &str, kind: DialErrorKind, after: Duration) {
        self.set(pod, DialScript::Fail(kind, after));
    }

    /// A pod that turns out to refuse when something was sent to it.
    pub(crate) fn refuse_late(&self, pod: &str) {
        self.set(pod, DialScript::Late);
    }

    /// A pod whose dial never ends.
    pub(crate) fn hang(&self, pod: &str) {
        self.set(pod, DialScript::Hang);
    }

    /// Pods and ports in the order in which they were dialled.
    pub(crate) fn dialled(&self) -> Vec<(String, u16)> {
        self.dialled.lock().unwrap().clone()
    }

    fn set(&self, pod: &str, answer: DialScript) {
        self.answers.lock().unwrap().insert(pod.to_owned(), answer);
    }
}

impl Dialer for FakeDialer {
    fn dial<'a>(
        &'a self,
        pod: &'a ObjectKey,
        port: u16,
    ) -> BoxFuture<'a, Result<Box<dyn PodStream>, DialError>> {
        let name = pod.name.to_string();
        self.dialled.lock().unwrap().push((name.clone(), port));
        let answer = self.answers.lock().unwrap().get(&name).cloned();
        Box::pin(async move {
            match answer {
                Some(DialScript::Serve(handler)) => {
                    let (ours, theirs) = tokio::io::duplex(16 * 1024);
                    tokio::spawn(handler(theirs));
                    Ok(Box::new(ours) as Box<dyn PodStream>)
                }
                Some(DialScript::Fail(kind, after)) => {
                    tokio::time::sleep(after).await;
                    Err(DialError {
                        kind,
                        message: format!("pod {name} port {port}: refused by the test").into(),
                    })
                }
                Some(DialScript::Late) => {
                    let refusal = DialError {
                        kind: DialErrorKind::Refused,
                        message: format!("pod {name} port {port}: refused late").into(),
                    };
                    Ok(Box::new(LateRefusalStream(refusal, false, None)) as Box<dyn PodStream>)
                }
                Some(DialScript::Hang) => std::future::pending().await,
                None => Err(DialError {
                    kind: DialErrorKind::PodGone,
                    message: format!("pod {name} not found").into(),
                }),
            }
        })
    }
}

/// Takes what is written, and then says that nobody got it.
struct LateRefusalStream(DialError, bool, Option<Waker>);

impl PodStream for LateRefusalStream {}

impl AsyncRead for LateRefusalStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.1 {
            return Poll::Ready(Err(self.0.clone().into_stream_error()));
        }
        self.2 = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl AsyncWrite for LateRefusalStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.1 = true;
        if let Some(reader) = self.2.take() {
            reader.wake();
        }
        Poll::Ready(Ok(data.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
