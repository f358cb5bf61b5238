//! Objects from files instead of an API server, through the same reader.

mod refused;

pub use refused::{RefusedField, RefusedObject};

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    ApiServiceResource, BackendTlsPolicyResource, DeploymentResource, EndpointSliceResource,
    EndpointsResource, EventResource, GatewayClassResource, GatewayResource, GrpcRouteResource,
    HttpRouteResource, IngressClassResource, IngressResource, MutatingWebhookResource,
    NamespaceResource, NetworkPolicyResource, NodeResource, PodResource, ReferenceGrantResource,
    ServiceCidrResource, ServiceResource, StatefulSetResource, TcpRouteResource, TextInterner,
    TlsRouteResource, TlsSecretResource, UdpRouteResource, ValidatingWebhookResource,
    WatchedResource,
};
use svcscope_model::inventory::{
    Inventory, InventoryChange, ObjectKey, RecordDelta, ResourceKind, SharedStr, SyncState,
    WatchScope,
};

/// Something in a file that is no object.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The text can't be read at all.
    #[error("neither JSON nor YAML: {0}")]
    Syntax(String),
    /// A document is no Kubernetes object.
    #[error("document {number} is not a Kubernetes object: {reason}")]
    Object {
        /// The document, counted from 1.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// What files say of a cluster.
#[derive(Default)]
pub struct ManifestReader {
    namespace: String,
    texts: TextInterner,
    changes: Vec<InventoryChange>,
    /// Where there are objects of a kind.
    scopes_with_objects: BTreeSet<(ResourceKind, SharedStr)>,
    /// Templates of pods, and where there are pods that controllers made.
    pod_templates: Vec<Value>,
    namespaces_with_controlled_pods: BTreeSet<String>,
    ignored_kinds: BTreeMap<String, usize>,
    is_export: bool,
    texts_read: usize,
    refused: refused::RefusedObjects,
}

impl ManifestReader {
    /// Nothing yet; objects that name no namespace are in this one.
    pub fn new(namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            ..Self::default()
        }
    }

    /// Reads a file of any number of documents; lists are read as what is in them.
    ///
    /// # Errors
    /// The first document that is no object. Those after it are read all the same.
    pub fn read(&mut self, text: &str) -> Result<(), ManifestError> {
        let read = documents(text).and_then(|documents| {
            let mut first_error = None;
            for (at, document) in documents.into_iter().enumerate() {
                if let Err(reason) = self.add(document) {
                    let number = at + 1;
                    first_error.get_or_insert(ManifestError::Object { number, reason });
                }
            }
            first_error.map_or(Ok(()), Err)
        });
        self.texts_read += 1;
        read
    }

    /// What the API server would refuse of what was read, in the order of the texts.
    pub fn refused(&self) -> Vec<RefusedObject> {
        self.refused.finish()
    }

    /// Adds an object or a list of them; says what is wrong with it.
    pub fn add(&mut self, mut object: Value) -> Result<(), String> {
        if object.is_null() {
            return Ok(());
        }
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let (version, kind) = (text(&object, "apiVersion"), text(&object, "kind"));
        if kind.is_empty() {
            return Err("`kind` is missing".to_owned());
        }
        if let Some(items) = object
            .get_mut("items")
            .and_then(Value::as_array_mut)
            .filter(|_| kind.ends_with("List"))
        {
            let item_kind = kind.trim_end_matches("List").to_owned();
            for mut item in std::mem::take(items) {
                // The items of a typed list don't say what they are.
                if item["kind"].is_null() {
                    item["kind"] = item_kind.clone().into();
                    item["apiVersion"] = version.clone().into();
                }
                self.add(item)?;
            }
            return Ok(());
        }
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        if !object["metadata"].is_object() {
            if is_kubernetes_group(group) {
                return Err(format!("the {kind} has no metadata"));
            }
            // A kustomization.yaml or a tool's configuration.
            *self.ignored_kinds.entry(kind).or_default() += 1;
            return Ok(());
        }
        self.is_export |= svcscope_validation::was_accepted(&object);
        let scoped = !matches!((group, &*kind), ("", "Node" | "Namespace"))
            && !matches!(
                &*kind,
                "IngressClass"
                    | "GatewayClass"
                    | "ServiceCIDR"
                    | "ValidatingWebhookConfiguration"
                    | "MutatingWebhookConfiguration"
                    | "APIService"
            );
        if scoped && object["metadata"]["namespace"].is_null() {
            object["metadata"]["namespace"] = self.namespace.clone().into();
        }
        let is_refused = self.refused.add(&mut object, self.texts_read);
        if (group, &*kind) == ("", "Namespace") {
            add_name_label(&mut object);
        }
        self.pod_templates
            .extend(pods_of_template(group, &kind, &object));
        let namespace = text(&object["metadata"], "namespace");
        if (group, &*kind) == ("", "Pod") && is_controlled(&object) {
            self.namespaces_with_controlled_pods.insert(namespace);
        }
        let decoded = match (group, &*kind) {
            ("", "Service") => self.decode::<ServiceResource>(&object),
            ("", "Pod") => self.decode::<PodResource>(&object),
            ("", "Endpoints") => self.decode::<EndpointsResource>(&object),
            ("", "Node") => self.decode::<NodeResource>(&object),
            ("", "Namespace") => self.decode::<NamespaceResource>(&object),
            ("", "Event") => self.decode::<EventResource>(&object),
            ("discovery.k8s.io", "EndpointSlice") => self.decode::<EndpointSliceResource>(&object),
            ("", "Secret") if object["type"] == "kubernetes.io/tls" => {
                self.decode::<TlsSecretResource>(&object)
            }
            ("apps", "Deployment") => self.decode::<DeploymentResource>(&object),
            ("apps", "StatefulSet") => self.decode::<StatefulSetResource>(&object),
            ("networking.k8s.io", "Ingress") => self.decode::<IngressResource>(&object),
            ("networking.k8s.io", "IngressClass") => self.decode::<IngressClassResource>(&object),
            ("networking.k8s.io", "NetworkPolicy") => self.decode::<NetworkPolicyResource>(&object),
            ("networking.k8s.io", "ServiceCIDR") => self.decode::<ServiceCidrResource>(&object),
            ("gateway.networking.k8s.io", "Gateway") => self.decode::<GatewayResource>(&object),
            ("gateway.networking.k8s.io", "GatewayClass") => {
                self.decode::<GatewayClassResource>(&object)
            }
            ("gateway.networking.k8s.io", "HTTPRoute") => self.decode::<HttpRouteResource>(&object),
            ("gateway.networking.k8s.io", "GRPCRoute") => self.decode::<GrpcRouteResource>(&object),
            ("gateway.networking.k8s.io", "TLSRoute") => self.decode::<TlsRouteResource>(&object),
            ("gateway.networking.k8s.io", "TCPRoute") => self.decode::<TcpRouteResource>(&object),
            ("gateway.networking.k8s.io", "UDPRoute") => self.decode::<UdpRouteResource>(&object),
            ("gateway.networking.k8s.io", "BackendTLSPolicy") => {
                self.decode::<BackendTlsPolicyResource>(&object)
            }
            ("gateway.networking.k8s.io", "ReferenceGrant") => {
                self.decode::<ReferenceGrantResource>(&object)
            }
            ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration") => {
                self.decode::<ValidatingWebhookResource>(&object)
            }
            ("admissionregistration.k8s.io", "MutatingWebhookConfiguration") => {
                self.decode::<MutatingWebhookResource>(&object)
            }
            ("apiregistration.k8s.io", "APIService") => self.decode::<ApiServiceResource>(&object),
            _ => {
                *self.ignored_kinds.entry(kind).or_default() += 1;
                Ok(())
            }
        };
        // Why it can't be read is told already.
        if is_refused { Ok(()) } else { decoded }
    }

    /// Everything as changes, and with it the pods that workloads will make.
    pub fn into_changes(mut self) -> Vec<InventoryChange> {
        self.add_template_pods();
        self.changes
    }

    /// Everything as an inventory. A kind is live in the namespaces where the files have objects of
    /// it, and absent elsewhere: files without pods, or Services, don't say that there are none.
    pub fn into_inventory(mut self) -> Inventory {
        self.add_template_pods();
        let mut inventory = Inventory::default();
        for change in self.changes {
            inventory.apply(change);
        }
        for kind in ResourceKind::ALL {
            let state = SyncState::Absent {
                reason: SharedStr::from(format!("the files contain no {kind}")),
            };
            inventory.apply(InventoryChange::Sync(kind, WatchScope::Cluster, state));
        }
        for (kind, namespace) in self.scopes_with_objects {
            let scope = if namespace.is_empty() {
                WatchScope::Cluster
            } else {
                WatchScope::Namespace(namespace)
            };
            inventory.apply(InventoryChange::Sync(kind, scope, SyncState::Live));
        }
        inventory
    }

    /// The Services that were read, in the order of the files.
    pub fn services(&self) -> impl Iterator<Item = &ObjectKey> {
        self.changes.iter().filter_map(|change| match change {
            InventoryChange::Service(RecordDelta::Upsert(service)) => Some(&service.key),
            _ => None,
        })
    }

    /// Whether an object came out of an API server, so that there is status to judge: an export as
    /// `kubectl get -o yaml` writes it.
    pub fn is_export(&self) -> bool {
        self.is_export
    }

    /// Kinds that nothing is read of, and how many objects of each there are.
    pub fn ignored(&self) -> &BTreeMap<String, usize> {
        &self.ignored_kinds
    }

    /// Pods of templates, where no controller has made them already.
    fn add_template_pods(&mut self) {
        for pod in std::mem::take(&mut self.pod_templates) {
            let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default();
            if !self.namespaces_with_controlled_pods.contains(namespace) {
                // It was made here and is a pod.
                self.decode::<PodResource>(&pod).ok();
            }
        }
    }

    fn decode<R: WatchedResource>(&mut self, object: &Value) -> Result<(), String> {
        let json = object.to_string();
        let object: R::Object<'_> =
            serde_json::from_str(&json).map_err(|error| error.to_string())?;
        let mut records = Vec::new();
        R::records(&object, &mut self.texts, &mut records);
        let namespace = super::namespace_of(&object, &mut self.texts);
        self.scopes_with_objects.insert((R::KIND, namespace));
        let changes = records.into_iter().map(RecordDelta::Upsert).map(R::change);
        self.changes.extend(changes);
        match self.texts.take_decode_problems() {
            None => Ok(()),
            Some(odd) => Err(odd.to_string()),
        }
    }
}

/// The documents of a file. JSON is read as such, because it is read faster.
fn documents(text: &str) -> Result<Vec<Value>, ManifestError> {
    if text.trim_start().starts_with('{') {
        let objects = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        if let Ok(objects) = objects.collect() {
            return Ok(objects);
        }
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            // Exports of whole clusters are long; aliases, which make much of little, stay rare.
            max_documents: MAX_DOCUMENTS,
            max_nodes: MAX_NODES,
            max_events: 2 * MAX_NODES,
            max_total_scalar_bytes: MAX_TEXT,
        },
        with_snippet: false,
    };
    serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| ManifestError::Syntax(error.to_string()))
}

/// What a file may hold: some ten times what a cluster of 10,000 Services and their pods takes.
const MAX_DOCUMENTS: usize = 1_000_000;
const MAX_NODES: usize = 20_000_000;
const MAX_TEXT: usize = 256 << 20;

/// Whether a group is Kubernetes' own, whose objects all have metadata. Kustomize's files have a
/// group and a kind, and no API server knows them.
fn is_kubernetes_group(group: &str) -> bool {
    matches!(group, "" | "apps" | "batch" | "policy" | "autoscaling")
        || (group.ends_with(".k8s.io") && group != "kustomize.config.k8s.io")
}

/// Whether a file is meant for an API server, whatever else is wrong with it: a key `apiVersion`
/// and a key `kind` stand in it.
pub fn looks_like_manifest(text: &str) -> bool {
    let has = |key: &str| {
        text.lines().any(|line| {
            let line = line.trim_start_matches([' ', '-', '{', '"', '\u{feff}']);
            line.strip_prefix(key)
                .is_some_and(|rest| rest.trim_start_matches('"').trim_start().starts_with(':'))
        })
    };
    has("apiVersion") && has("kind")
}

fn is_controlled(object: &Value) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners.is_some_and(|owners| owners.iter().any(|owner| owner["controller"] == true))
}

/// The label that the API server gives each namespace
/// (`pkg/apis/core/v1/defaults.go`, `SetDefaults_Namespace`).
fn add_name_label(namespace: &mut Value) {
    let name = namespace["metadata"]["name"].clone();
    let labels = &mut namespace["metadata"]["labels"];
    if !labels.is_object() {
        *labels = json!({});
    }
    labels["kubernetes.io/metadata.name"] = name;
}

/// Of a StatefulSet no more pods than this are made: each is alike but for its own two labels.
const MAX_STATEFUL_PODS: u64 = 64;

/// The pods that a workload will make: each of a StatefulSet, whose labels tell them apart, else
/// one, named like the workload; several are alike for a Service. One that is scaled to 0 makes
/// none.
fn pods_of_template(group: &str, kind: &str, object: &Value) -> Vec<Value> {
    if object["spec"]["replicas"] == 0 {
        return Vec::new();
    }
    let template = match (group, kind) {
        ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
        | ("", "ReplicationController")
        | ("batch", "Job") => &object["spec"]["template"],
        ("batch", "CronJob") => &object["spec"]["jobTemplate"]["spec"]["template"],
        _ => return Vec::new(),
    };
    let Some(name) = object["metadata"]["name"].as_str() else {
        return Vec::new();
    };
    let pod = |pod_name: &str, labels: &[(&str, &str)]| {
        let mut metadata = template["metadata"].clone();
        if !metadata.is_object() {
            metadata = json!({});
        }
        if !labels.is_empty() && !metadata["labels"].is_object() {
            metadata["labels"] = json!({});
        }
        for (label, value) in labels {
            metadata["labels"][*label] = (*value).into();
        }
        metadata["name"] = pod_name.into();
        metadata["namespace"] = object["metadata"]["namespace"].clone();
        metadata["ownerReferences"] = json!([{"kind": kind, "name": name, "controller": true}]);
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
    };
    match kind {
        // `pkg/controller/statefulset/stateful_set_utils.go`, `initIdentity`.
        "StatefulSet" => {
            let first = object["spec"]["ordinals"]["start"].as_u64().unwrap_or(0);
            let replicas = object["spec"]["replicas"].as_u64().unwrap_or(1);
            let last = first.saturating_add(replicas.min(MAX_STATEFUL_PODS));
            let pods = (first..last).map(|ordinal| {
                let (pod_name, index) = (format!("{name}-{ordinal}"), ordinal.to_string());
                let labels = [
                    ("statefulset.kubernetes.io/pod-name", &*pod_name),
                    ("apps.kubernetes.io/pod-index", &*index),
                ];
                pod(&pod_name, &labels)
            });
            pods.collect()
        }
        // `pkg/apis/batch/v1/labels.go` and the two without a prefix that it follows.
        "Job" => {
            let labels = [("job-name", name), ("batch.kubernetes.io/job-name", name)];
            vec![pod(name, &labels)]
        }
        _ => vec![pod(name, &[])],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = "
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}}}
- {apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: other}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, ports: [{containerPort: 80}]}]}
---
# nothing
";

    fn read(text: &str) -> ManifestReader {
        let mut manifests = ManifestReader::new("shop");
        manifests.read(text).unwrap();
        manifests
    }

    #[test]
    fn lists_templates_and_other_groups_are_read_as_what_they_are() {
        let manifests = read(SHOP);
        assert_eq!(manifests.ignored()["Service"], 1, "Knative's");
        assert!(!manifests.ignored().contains_key("Deployment"));
        let inventory = manifests.into_inventory();
        let web = inventory.service(&ObjectKey::new("shop", "web")).unwrap();
        let pods = inventory.pods_selected_by(web);
        assert_eq!(pods.len(), 1);
        assert_eq!(&*pods[0].workload().unwrap().kind, "Deployment");
        let known = |kind, namespace| inventory.sync(kind, &SharedStr::from(namespace)).is_live();
        assert!(known(ResourceKind::Pod, "shop"));
        assert!(!known(ResourceKind::Pod, "infra"));
        assert!(!known(ResourceKind::EndpointSlice, "shop"));
        assert!(known(ResourceKind::Service, "shop"));
        // Those of other namespaces may come from other files.
        assert!(!known(ResourceKind::Service, "infra"));
    }

    #[test]
    fn what_is_no_manifest_is_told_from_a_broken_one() {
        assert!(looks_like_manifest(
            "---\napiVersion: v1\nkind: Service\nspec: ["
        ));
        assert!(looks_like_manifest(
            "{\n  \"kind\": \"Service\",\n  \"apiVersion\": \"v1\""
        ));
        assert!(!looks_like_manifest("image: {repository: web}\nkind: x"));
        assert!(!looks_like_manifest("# apiVersion: v1\nkinds: [a]"));
        let mut manifests = ManifestReader::new("shop");
        let kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
        manifests.read(kustomization).expect("nothing to read");
        assert_eq!(manifests.ignored()["Kustomization"], 1);
        assert!(manifests.read("apiVersion: v1\nkind: Service\n").is_err());
    }

    #[test]
    fn an_export_is_told_from_what_somebody_wrote() {
        assert!(!read(SHOP).is_export());
        let held = "
apiVersion: v1
kind: Service
metadata: {name: web, uid: 0b1c, resourceVersion: '7'}
";
        assert!(read(held).is_export());
    }

    #[test]
    fn pods_and_namespaces_have_the_labels_that_kubernetes_adds() {
        let text = "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  replicas: 2
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db}]}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: train, namespace: shop}
spec: {template: {spec: {containers: [{name: train}]}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
";
        let inventory = read(text).into_inventory();
        let labels = |name: &str| {
            let pod = inventory.pods().find(|pod| &*pod.key.name == name);
            pod.expect("a pod").labels.clone()
        };
        let db = labels("db-1");
        assert_eq!(&*db["statefulset.kubernetes.io/pod-name"], "db-1");
        assert_eq!(&*db["apps.kubernetes.io/pod-index"], "1");
        assert_eq!(&*db["app"], "db");
        assert_eq!(&*labels("train")["batch.kubernetes.io/job-name"], "train");
        assert_eq!(inventory.pods().count(), 3);
        let shop = inventory.namespaces().next().expect("the namespace");
        assert_eq!(&*shop.labels["kubernetes.io/metadata.name"], "shop");
    }

    #[test]
    fn a_workload_that_is_scaled_to_zero_makes_no_pod() {
        let none = SHOP.replace("spec:\n  template:", "spec:\n  replicas: 0\n  template:");
        assert_ne!(none, SHOP);
        assert_eq!(read(&none).into_inventory().pods().count(), 0);
    }

    #[test]
    fn pods_that_a_controller_made_take_the_place_of_templates() {
        let made = "
apiVersion: v1
kind: Pod
metadata:
  name: web-1
  namespace: shop
  labels: {app: web}
  ownerReferences: [{kind: ReplicaSet, name: web-7f9c, controller: true}]
";
        let inventory = read(&format!("{SHOP}\n---{made}")).into_inventory();
        let names: Vec<_> = inventory.pods().map(|pod| pod.key.to_string()).collect();
        assert_eq!(names, ["shop/web-1"]);
    }

    #[test]
    fn many_documents_are_read_and_bombs_are_not() {
        let one = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web-N}\n";
        let many: String = (0..3_000)
            .map(|n: u32| one.replace('N', &n.to_string()))
            .collect();
        assert_eq!(read(&many).services().count(), 3_000);
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let before = format!("*a{}, ", n - 1).repeat(9);
            bomb.push_str(&format!("a{n}: &a{n} [{before}]\n"));
        }
        let refused = ManifestReader::new("shop").read(&bomb);
        let said = refused.expect_err("it is a bomb").to_string();
        assert!(said.starts_with("neither JSON nor YAML"), "{said}");
        assert!(!said.contains('\n'), "{said}");
    }

    #[test]
    fn what_is_no_object_is_said_with_its_place() {
        let mut manifests = ManifestReader::new("shop");
        let error = manifests.read("kind: Pod\nmetadata: {name: a}\n---\nfoo: 1\n");
        assert_eq!(
            error.unwrap_err().to_string(),
            "document 2 is not a Kubernetes object: `kind` is missing"
        );
        assert!(manifests.read("a: [").is_err());
    }
}
