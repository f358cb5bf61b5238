//! `apps/v1` Deployment and StatefulSet, the names of TLS Secrets, ServiceCIDR.

use crate::{
    condition::PartialCondition,
    meta::PartialObject,
    partial::partial,
    resource::watched_resource,
    text::{JsonText, JsonTextMap, TextInterner, to_shared_texts},
};
use svcscope_model::inventory::{
    RelatedRecord, RolloutStatus, ServiceCidrRecord, TlsSecretRecord, WorkloadRecord,
};

watched_resource! {
    /// Deployments.
    DeploymentResource: Deployment = "/apis/apps/v1" "Deployment",
    PartialWorkload<'json> => RelatedRecord by |object, texts| workload(false, object, texts),
}

watched_resource! {
    /// StatefulSets.
    StatefulSetResource: StatefulSet = "/apis/apps/v1" "StatefulSet",
    PartialWorkload<'json> => RelatedRecord by |object, texts| workload(true, object, texts),
}

watched_resource! {
    /// The names of Secrets of type `kubernetes.io/tls`.
    TlsSecretResource: TlsSecret = "/api/v1" "Secret",
    PartialObject<'json> => RelatedRecord by tls_secret,
    const FIELD_SELECTOR: Option<&'static str> = Some("type%3Dkubernetes.io%2Ftls");
    const METADATA_ONLY: bool = true;
}

watched_resource! {
    /// ServiceCIDRs.
    ServiceCidrResource: ServiceCidr = "/apis/networking.k8s.io/v1" "ServiceCIDR",
    PartialServiceCidr<'json> => RelatedRecord by service_cidr,
}

type PartialWorkload<'json> =
    PartialObject<'json, PartialWorkloadSpec<'json>, Option<PartialWorkloadStatus<'json>>>;
type PartialServiceCidr<'json> = PartialObject<'json, PartialServiceCidrSpec<'json>>;

partial! {
    pub struct PartialWorkloadSpec<'json> {
        replicas: Option<i64>,
        service_name: JsonText<'json>,
        template: PartialPodTemplate<'json>,
    }

    struct PartialPodTemplate<'json> {
        metadata: PartialPodTemplateMeta<'json>,
    }

    struct PartialPodTemplateMeta<'json> {
        labels: JsonTextMap<'json>,
    }

    pub struct PartialWorkloadStatus<'json> {
        updated_replicas: i64,
        replicas: i64,
        available_replicas: i64,
        conditions: Vec<PartialCondition<'json>>,
    }

    pub struct PartialServiceCidrSpec<'json> {
        cidrs: Vec<JsonText<'json>>,
    }
}

fn workload(
    stateful: bool,
    object: &PartialWorkload<'_>,
    texts: &mut TextInterner,
) -> Option<WorkloadRecord> {
    let replicas = object.spec.replicas.unwrap_or(1);
    Some(WorkloadRecord {
        stateful,
        key: object.metadata.key(texts),
        replicas: u32::try_from(replicas).unwrap_or_default(),
        template: texts.intern_map(&object.spec.template.metadata.labels),
        service_name: object.spec.service_name.to_non_empty(),
        rollout: rollout(replicas, object.status.as_ref()),
    })
}

/// As `kubectl rollout status` decides it: not all pods are new, some old ones are left, or not all
/// are available. What lasts only a moment is left out, so that a record rarely changes.
fn rollout(wanted: i64, status: Option<&PartialWorkloadStatus<'_>>) -> Option<RolloutStatus> {
    let status = status?;
    let is_done = status.updated_replicas >= wanted
        && status.replicas <= wanted
        && status.available_replicas >= wanted;
    if is_done {
        return None;
    }
    let progress = PartialCondition::find(&status.conditions, "Progressing");
    Some(RolloutStatus {
        moved: progress.and_then(|condition| condition.last_update_time.timestamp()),
        stuck: progress.is_some_and(|condition| condition.reason == "ProgressDeadlineExceeded"),
    })
}

fn tls_secret(object: &PartialObject<'_>, texts: &mut TextInterner) -> Option<TlsSecretRecord> {
    let key = object.metadata.key(texts);
    Some(TlsSecretRecord { key })
}

fn service_cidr(
    object: &PartialServiceCidr<'_>,
    texts: &mut TextInterner,
) -> Option<ServiceCidrRecord> {
    Some(ServiceCidrRecord {
        key: object.metadata.key(texts),
        cidrs: to_shared_texts(&object.spec.cidrs),
    })
}
