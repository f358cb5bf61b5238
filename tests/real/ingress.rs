//! Front doors and policies of a real API server: read where they are served, and of no concern
//! where they are not.

use svcscope_engine::Scene;
use svcscope_model::inventory::{ObjectKey, ResourceKind, SyncState};

use crate::{kubeconfig, sample::WebSampleNamespace};

const FRONTS: &str = r#"
apiVersion: v1
kind: Secret
metadata: {name: there, namespace: NAMESPACE}
type: kubernetes.io/tls
data:
  tls.crt: ""
  tls.key: ""
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front, namespace: NAMESPACE}
spec:
  ingressClassName: nobody
  tls:
  - {hosts: [shop.example.com], secretName: there}
  - {hosts: [other.example.com], secretName: missing}
  rules:
  - host: shop.example.com
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {name: http}}}}
      - {path: /pods-port, pathType: Prefix, backend: {service: {name: web, port: {number: 9000}}}}
      - {path: /gone, pathType: Prefix, backend: {service: {name: gone, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: nobody, namespace: NAMESPACE}
spec: {podSelector: {matchLabels: {app: gated}}, policyTypes: [Ingress]}
"#;

fn said(scene: &Scene, service: &ObjectKey) -> Vec<&'static str> {
    let findings = scene.reports.get(service).map(|report| &report.findings);
    findings
        .into_iter()
        .flatten()
        .map(|found| found.id)
        .collect()
}

#[test]
#[ignore = "needs SVCSCOPE_TEST_KUBECONFIG, a real cluster"]
fn ingresses_lead_to_services_and_failures_are_reported() {
    let file = kubeconfig();
    let sample = WebSampleNamespace::deploy(&file, "fronts");
    let fronts = FRONTS.replace("NAMESPACE", &sample.namespace);
    sample.kubectl().apply(&fronts);
    let engine = sample.engine();
    let key = |name: &str| ObjectKey::new(&*sample.namespace, name);
    let web = key("web");
    let took = engine.wait("the Ingress, its class and its Secrets", |scene| {
        let found = said(scene, &web);
        [
            "SVC-INGRESS-NO-PORT",
            "SVC-INGRESS-NO-CLASS",
            "SVC-INGRESS-NO-SECRET",
        ]
        .iter()
        .all(|wanted| found.contains(wanted))
            && said(scene, &key("gone")) == ["SVC-INGRESS-NO-SERVICE"]
            && said(scene, &key("gated")).contains(&"SVC-POLICY-BLOCKED")
    });
    eprintln!(
        "everything was said {} ms after connecting",
        took.as_millis()
    );

    let scene = engine.handle.scene();
    let report = scene.reports.get(&web).expect("its report");
    let secrets: Vec<_> = report
        .findings
        .iter()
        .filter(|found| found.id == "SVC-INGRESS-NO-SECRET")
        .collect();
    assert_eq!(secrets.len(), 1, "the other one is there: {secrets:?}");
    let traffic = scene.topology.service(&web).expect("it is there");
    let front = traffic
        .entry_points
        .iter()
        .find(|entry| entry.ingress.is_some());
    let urls = front.expect("a door for the host").urls();
    assert_eq!(
        urls,
        [
            "https://shop.example.com/",
            "https://shop.example.com/pods-port"
        ]
    );

    // ServiceCIDRs come with 1.33, and few clusters have the Gateway API: nobody need hear of that.
    let state = |wanted: ResourceKind| {
        let mut syncs = scene.inventory.sync_states();
        let state = syncs.find(|(kind, ..)| *kind == wanted);
        state.map(|(.., state)| state)
    };
    let is_known = |state: &SyncState| matches!(state, SyncState::Absent { .. } | SyncState::Live);
    for kind in [ResourceKind::Gateway, ResourceKind::ServiceCidr] {
        let known = state(kind);
        assert!(known.is_some_and(is_known), "{kind}: {known:?}");
    }
    if matches!(state(ResourceKind::Gateway), Some(SyncState::Absent { .. })) {
        let asked = [ResourceKind::HttpRoute, ResourceKind::ReferenceGrant].map(state);
        assert_eq!(asked, [None, None], "what needs a Gateway is not asked for");
    }
    let texts = scene
        .activity
        .iter()
        .map(|activity| activity.text.to_string());
    let noise: Vec<_> = texts.filter(|text| text.contains("gateway")).collect();
    assert!(noise.is_empty(), "{noise:?}");

    sample.run(&["delete", "ingress", "front"]);
    let took = engine.wait("the Ingress to be gone", |scene| {
        said(scene, &key("gone")).is_empty() && !said(scene, &web).contains(&"SVC-INGRESS-NO-PORT")
    });
    eprintln!(
        "a deleted Ingress left the graph after {} ms",
        took.as_millis()
    );
}
