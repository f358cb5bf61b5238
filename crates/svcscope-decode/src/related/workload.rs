//! `apps/v1` Deployment and StatefulSet, the names of TLS Secrets, ServiceCIDR.

use serde::Deserialize;

use super::{
    super::{
        HasMetadata, TextInterner, WatchedResource,
        meta::{PartialObjectMeta, timestamp},
        text::{JsonText, JsonTextMap, owned_non_empty},
    },
    PartialSpecAndStatus, owned_texts,
};
use svcscope_model::inventory::{
    InventoryChange, RecordDelta, RelatedRecord, ResourceKind, RolloutStatus, ServiceCidrRecord,
    TlsSecretRecord, WorkloadRecord,
};

/// Deployments.
pub struct DeploymentResource;

/// StatefulSets.
pub struct StatefulSetResource;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartialWorkloadSpec<'json> {
    replicas: Option<i64>,
    #[serde(borrow)]
    service_name: Option<JsonText<'json>>,
    #[serde(borrow)]
    template: Option<PartialPodTemplate<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialPodTemplate<'json> {
    #[serde(borrow)]
    metadata: Option<PartialPodTemplateMeta<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialPodTemplateMeta<'json> {
    #[serde(borrow)]
    labels: Option<JsonTextMap<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartialWorkloadStatus<'json> {
    updated_replicas: Option<i64>,
    replicas: Option<i64>,
    available_replicas: Option<i64>,
    #[serde(borrow)]
    conditions: Option<Vec<PartialWorkloadCondition<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialWorkloadCondition<'json> {
    #[serde(borrow, rename = "type")]
    kind: Option<JsonText<'json>>,
    #[serde(borrow)]
    reason: Option<JsonText<'json>>,
    #[serde(borrow)]
    last_update_time: Option<JsonText<'json>>,
}

type PartialWorkload<'json> =
    PartialSpecAndStatus<'json, PartialWorkloadSpec<'json>, PartialWorkloadStatus<'json>>;

impl WatchedResource for DeploymentResource {
    type Object<'json> = PartialWorkload<'json>;
    type Record = RelatedRecord;

    const KIND: ResourceKind = ResourceKind::Deployment;
    const API: &'static str = "/apis/apps/v1";
    const PLURAL: &'static str = "deployments";

    fn records(
        object: &PartialWorkload<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<RelatedRecord>,
    ) {
        records.push(workload(false, object, texts).into());
    }

    fn change(delta: RecordDelta<RelatedRecord>) -> InventoryChange {
        InventoryChange::Related(Self::KIND, delta)
    }
}

impl WatchedResource for StatefulSetResource {
    type Object<'json> = PartialWorkload<'json>;
    type Record = RelatedRecord;

    const KIND: ResourceKind = ResourceKind::StatefulSet;
    const API: &'static str = "/apis/apps/v1";
    const PLURAL: &'static str = "statefulsets";

    fn records(
        object: &PartialWorkload<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<RelatedRecord>,
    ) {
        records.push(workload(true, object, texts).into());
    }

    fn change(delta: RecordDelta<RelatedRecord>) -> InventoryChange {
        InventoryChange::Related(Self::KIND, delta)
    }
}

fn workload(
    stateful: bool,
    object: &PartialWorkload<'_>,
    texts: &mut TextInterner,
) -> WorkloadRecord {
    let spec = object.spec.as_ref();
    let meta = spec.and_then(|spec| spec.template.as_ref()?.metadata.as_ref());
    let replicas = spec.and_then(|spec| spec.replicas).unwrap_or(1);
    WorkloadRecord {
        stateful,
        key: object.metadata().key(texts),
        replicas: u32::try_from(replicas).unwrap_or_default(),
        template: texts.intern_map(meta.and_then(|meta| meta.labels.as_ref())),
        service_name: owned_non_empty(spec.and_then(|spec| spec.service_name.as_ref())),
        rollout: rollout(replicas, object.status.as_ref()),
    }
}

/// As `kubectl rollout status` tells it: not all pods are new, some old ones are left, or not all
/// are available. What is said only of a moment is left out, so that a record rarely changes.
fn rollout(wanted: i64, status: Option<&PartialWorkloadStatus<'_>>) -> Option<RolloutStatus> {
    let status = status?;
    let number = |found: Option<i64>| found.unwrap_or_default();
    let done = number(status.updated_replicas) >= wanted
        && number(status.replicas) <= wanted
        && number(status.available_replicas) >= wanted;
    if done {
        return None;
    }
    let progress = status
        .conditions
        .iter()
        .flatten()
        .find(|said| said.kind.as_ref().map(JsonText::as_str) == Some("Progressing"));
    let reason = progress
        .and_then(|said| said.reason.as_ref())
        .map(JsonText::as_str);
    Some(RolloutStatus {
        moved: progress.and_then(|said| timestamp(said.last_update_time.as_ref())),
        stuck: reason == Some("ProgressDeadlineExceeded"),
    })
}

/// The names of Secrets of type `kubernetes.io/tls`.
pub struct TlsSecretResource;

/// `PartialObjectMetadata`: the server is asked for nothing else.
#[derive(Debug, Deserialize)]
pub struct PartialObjectMetadata<'json> {
    #[serde(borrow, default)]
    metadata: PartialObjectMeta<'json>,
}

impl HasMetadata for PartialObjectMetadata<'_> {
    fn metadata(&self) -> &PartialObjectMeta<'_> {
        &self.metadata
    }
}

impl WatchedResource for TlsSecretResource {
    type Object<'json> = PartialObjectMetadata<'json>;
    type Record = RelatedRecord;

    const KIND: ResourceKind = ResourceKind::TlsSecret;
    const API: &'static str = "/api/v1";
    const PLURAL: &'static str = "secrets";
    const FIELD_SELECTOR: Option<&'static str> = Some("type%3Dkubernetes.io%2Ftls");
    const METADATA_ONLY: bool = true;

    fn records(
        object: &PartialObjectMetadata<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<RelatedRecord>,
    ) {
        let key = object.metadata.key(texts);
        records.push(TlsSecretRecord { key }.into());
    }

    fn change(delta: RecordDelta<RelatedRecord>) -> InventoryChange {
        InventoryChange::Related(Self::KIND, delta)
    }
}

/// ServiceCIDRs.
pub struct ServiceCidrResource;

#[derive(Debug, Deserialize)]
pub struct PartialServiceCidrSpec<'json> {
    #[serde(borrow)]
    cidrs: Option<Vec<JsonText<'json>>>,
}

impl WatchedResource for ServiceCidrResource {
    type Object<'json> = PartialSpecAndStatus<'json, PartialServiceCidrSpec<'json>>;
    type Record = RelatedRecord;

    const KIND: ResourceKind = ResourceKind::ServiceCidr;
    const API: &'static str = "/apis/networking.k8s.io/v1";
    const PLURAL: &'static str = "servicecidrs";

    fn records(
        object: &Self::Object<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<RelatedRecord>,
    ) {
        let spec = object.spec.as_ref();
        let record = ServiceCidrRecord {
            key: object.metadata().key(texts),
            cidrs: owned_texts(spec.and_then(|spec| spec.cidrs.as_deref())),
        };
        records.push(record.into());
    }

    fn change(delta: RecordDelta<RelatedRecord>) -> InventoryChange {
        InventoryChange::Related(Self::KIND, delta)
    }
}
