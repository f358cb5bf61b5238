//! Forwards, requests and edits through the real client stack against the demo cluster.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use svcscope_cluster::{
    ClusterClient, ClusterWatches, KubeconfigSource, MergedKubeconfig, connect,
};
use svcscope_demo::{DemoOptions, DemoServer};
use svcscope_edit::{
    self as edit, ChangeOutcome, ChangePlan, DesiredServiceState, EditError, ServiceKind,
    ServiceSnapshot,
};
use svcscope_model::inventory::{
    Inventory, ObjectKey, ResourceKind, ServiceRecord, ServiceType, SharedStr,
};
use svcscope_net::{
    forward::{
        ForwardId, ForwardSpec, ForwardState, ForwardTarget, Forwards, InventoryFeed, RemotePort,
    },
    probe::{
        AccessPath, AccessPaths, CurlError, CurlRequest, CurlResponse, FailureKind, HttpScheme,
        ResponseObserver, TlsOptions, curl, in_cluster::NoInClusterClients,
    },
    tls::install_crypto_provider,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, watch},
};

/// A demo cluster that holds still, and what is known of it.
struct WatchedDemoCluster {
    _server: DemoServer,
    _watches: ClusterWatches,
    cluster: ClusterClient,
    feed: InventoryFeed,
}

async fn demo() -> WatchedDemoCluster {
    install_crypto_provider();
    let server = DemoServer::start(DemoOptions {
        scripted_activity: false,
        ..DemoOptions::default()
    })
    .await
    .unwrap();
    let kubeconfigs =
        MergedKubeconfig::load(&KubeconfigSource::Inline(server.kubeconfig())).unwrap();
    let cluster = connect(&kubeconfigs, None).await.unwrap();
    let (changes, mut changed) = mpsc::channel(64);
    let watches = cluster.watch(Vec::new(), &ResourceKind::ALL.into(), changes);
    let (inventory, feed) = watch::channel(Inventory::default());
    tokio::spawn(async move {
        while let Some(change) = changed.recv().await {
            inventory.send_modify(|inventory| drop(inventory.apply(change)));
        }
    });
    let demo = WatchedDemoCluster {
        _server: server,
        _watches: watches,
        cluster,
        feed,
    };
    demo.until(|inventory| {
        let syncs: Vec<_> = inventory.sync_states().collect();
        syncs.len() >= 6 && syncs.iter().all(|(_, _, sync)| sync.is_settled())
    })
    .await;
    demo
}

impl WatchedDemoCluster {
    async fn until(&self, wanted: impl Fn(&Inventory) -> bool) {
        let mut feed = self.feed.clone();
        feed.wait_for(|inventory| wanted(inventory)).await.unwrap();
    }

    fn service(&self, key: &ObjectKey) -> Arc<ServiceRecord> {
        self.feed.borrow().service(key).unwrap().clone()
    }

    /// Plans with what the server says, and with nobody else's Services in mind.
    async fn plan(&self, key: &ObjectKey, wanted: DesiredServiceState) -> Arc<ChangePlan> {
        let known = ServiceSnapshot::from(self.cluster.writer().read(key).await.unwrap());
        Arc::new(edit::plan_change(&known, wanted, &Inventory::default()).unwrap())
    }

    /// Plans, tries, applies, and waits until the watch shows it.
    async fn change(
        &self,
        key: &ObjectKey,
        wanted: DesiredServiceState,
    ) -> Result<ChangeOutcome, EditError> {
        let plan = self.plan(key, wanted).await;
        let writer = self.cluster.writer();
        edit::dry_run(&plan, &*writer).await?;
        let outcome = edit::apply(&plan, &*writer, &mut Vec::new()).await?;
        let version = &outcome.after.as_ref().unwrap().record.resource_version;
        self.until(|inventory| {
            inventory
                .service(key)
                .is_some_and(|service| service.resource_version == *version)
        })
        .await;
        Ok(outcome)
    }
}

fn shop(name: &str) -> ObjectKey {
    ObjectKey::new("shop", name)
}

impl WatchedDemoCluster {
    async fn curl(&self, request: CurlRequest) -> Result<CurlResponse, CurlError> {
        let ways = AccessPaths {
            inventory: self.feed.clone(),
            dialer: self.cluster.dialer(),
            proxy: self.cluster.proxy(),
            in_cluster: Arc::new(NoInClusterClients),
        };
        let answer = curl(&request, &ways, &ResponseObserver::default()).await?;
        Ok(answer.response)
    }
}

fn get(service: &str, port: u16, path: &str) -> CurlRequest {
    let target = ForwardTarget::Service(shop(service));
    CurlRequest {
        path: path.to_owned(),
        timeout: Duration::from_secs(20),
        ..CurlRequest::new(target, RemotePort::Number(port))
    }
}

fn to(to: ServiceType) -> DesiredServiceState {
    if to == ServiceType::ExternalName {
        DesiredServiceState::alias_of("db.example.com")
    } else {
        DesiredServiceState::of_type(ServiceKind::from(to))
    }
}

async fn ask(to: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(request).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_forward_carries_half_closed_requests_whole() {
    let demo = demo().await;
    let forwards = Forwards::new(demo.feed.clone(), demo.cluster.dialer(), Arc::new(|| {}));
    let spec = ForwardSpec::new(
        ForwardTarget::Service(shop("api")),
        RemotePort::Name(SharedStr::from("http")),
    );
    let status = forwards.start(ForwardId(1), spec).await;
    assert_eq!(status.state, ForwardState::Listening);
    let local = status.local.unwrap();

    let request = b"GET /bytes?n=3000000 HTTP/1.0\r\nhost: api\r\n\r\n";
    let answers = futures::future::join_all((0..8).map(|_| ask(local, request))).await;
    for answer in answers {
        assert!(answer.starts_with(b"HTTP/1.0 200") || answer.starts_with(b"HTTP/1.1 200"));
        let body = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap()
            + 4;
        assert_eq!(answer.len() - body, 3_000_000);
    }
    assert_eq!(forwards.status(ForwardId(1)).unwrap().last_error, None);
}

#[tokio::test]
async fn a_request_reports_its_path_and_its_failures() {
    let demo = demo().await;
    let send = |request| demo.curl(request);
    let response = send(get("api", 8081, "/")).await.unwrap();
    assert_eq!(response.status(), Some(200));
    assert!(response.via.starts_with("port-forward to pod api-"));
    assert!(response.via.ends_with(" port 8080"));

    let nobody = send(get("reports", 80, "/")).await.unwrap_err();
    assert_eq!(nobody.to_string(), "no pod behind http 80");

    let alias = send(get("legacy", 80, "/")).await.unwrap_err();
    assert!(
        alias
            .to_string()
            .contains("connect to legacy.example.invalid")
    );

    // targetPort 8080, but nothing listens at 9 in the pod itself.
    let pod = demo
        .feed
        .borrow()
        .slices_of(&shop("api"))
        .next()
        .unwrap()
        .endpoints[0]
        .pod
        .clone()
        .unwrap();
    let refused = send(CurlRequest {
        target: ForwardTarget::Pod(ObjectKey::new("shop", pod)),
        ..get("api", 9, "/")
    })
    .await
    .unwrap_err();
    assert_eq!(refused.kind, FailureKind::Refused, "{refused:?}");
    assert!(refused.to_string().contains("refused"), "{refused}");
}

#[tokio::test]
async fn a_port_meant_for_tls_answers_it() {
    let demo = demo().await;
    let send = |port, scheme| {
        let request = CurlRequest {
            scheme,
            ..get("web", port, "/")
        };
        demo.curl(request)
    };
    let untrusted = send(443, HttpScheme::Https).await.unwrap_err();
    assert_eq!(untrusted.kind, FailureKind::Certificate, "{untrusted}");
    assert_eq!(
        send(80, HttpScheme::Http).await.unwrap().status(),
        Some(200)
    );
    let mistaken = send(443, HttpScheme::Http).await.unwrap();
    assert_eq!(mistaken.status(), Some(400));
    assert_eq!(
        &mistaken.body[..],
        b"Client sent an HTTP request to an HTTPS server.\n"
    );
    let insecure = CurlRequest {
        scheme: HttpScheme::Https,
        tls: TlsOptions {
            insecure: true,
            ..TlsOptions::default()
        },
        ..get("web", 443, "/")
    };
    assert_eq!(demo.curl(insecure).await.unwrap().status(), Some(200));
}

#[tokio::test]
async fn the_api_servers_proxy_is_an_access_path_of_its_own() {
    let demo = demo().await;
    let by = |request: CurlRequest| CurlRequest {
        access_path: AccessPath::ServiceProxy,
        ..request
    };
    let response = demo.curl(by(get("api", 8081, "/a?b=c"))).await.unwrap();
    assert_eq!(response.status(), Some(200));
    assert_eq!(
        &*response.via,
        "API server's proxy to Service api port 8081"
    );

    let nobody = demo.curl(by(get("reports", 80, "/"))).await.unwrap_err();
    assert_eq!(nobody.kind, FailureKind::NoTarget, "{nobody}");
    assert!(
        nobody.to_string().contains("no endpoints available"),
        "{nobody}"
    );
}

#[tokio::test]
async fn every_type_follows_every_other() {
    use ServiceType::{ClusterIP, ExternalName, LoadBalancer, NodePort};
    let demo = demo().await;
    let cache = shop("cache");
    for wanted in [
        NodePort,
        LoadBalancer,
        ClusterIP,
        LoadBalancer,
        NodePort,
        ExternalName,
        NodePort,
        ClusterIP,
        ExternalName,
        LoadBalancer,
        ExternalName,
        ClusterIP,
    ] {
        let outcome = demo.change(&cache, to(wanted)).await.unwrap();
        let after = outcome.after.unwrap().record;
        assert_eq!(after.service_type, wanted);
        let published = matches!(wanted, NodePort | LoadBalancer);
        assert_eq!(after.ports[0].node_port.is_some(), published);
        assert_eq!(after.external_name.is_some(), wanted == ExternalName);
    }
}

#[tokio::test]
async fn a_taken_node_port_gives_the_servers_words() {
    let demo = demo().await;
    let mut ports = demo.service(&shop("cache")).ports.clone();
    // Service api has it.
    ports[0].node_port = Some(30_080);
    let taken = DesiredServiceState {
        ports: Some(ports),
        ..to(ServiceType::NodePort)
    };
    let error = demo.change(&shop("cache"), taken).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("provided port is already allocated"),
        "{error}"
    );
    assert_eq!(&*error.fields()[0].field, "spec.ports[0].nodePort");
}

#[tokio::test]
async fn a_change_on_an_old_version_is_a_conflict_and_overwrites_nothing() {
    let demo = demo().await;
    let cache = shop("cache");
    let plan = demo.plan(&cache, to(ServiceType::LoadBalancer)).await;
    demo.change(&cache, to(ServiceType::NodePort))
        .await
        .unwrap();
    let error = edit::apply(&plan, &*demo.cluster.writer(), &mut Vec::new())
        .await
        .unwrap_err();
    let conflict = error.conflict().unwrap();
    assert!(
        conflict
            .writers
            .iter()
            .any(|who| who.starts_with("svcscope at")),
        "{conflict:?}"
    );
    let said = error.to_string();
    assert!(
        said.contains(r#"spec.type: "ClusterIP" → "NodePort""#),
        "{said}"
    );
    assert_eq!(demo.service(&cache).service_type, ServiceType::NodePort);
}
