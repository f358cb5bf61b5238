//! `apps/v1` Deployment and StatefulSet, the names of TLS Secrets, ServiceCIDR.

use serde::Deserialize;

use super::{
    super::{
        Described, Interner, Resource,
        meta::{Meta, timestamp},
        text::{Pairs, Str, own_some},
    },
    Whole, list,
};
use crate::inventory::{
    Change, Delta, Kind, Related, Rollout, ServiceCidrRecord, TlsSecretRecord, WorkloadRecord,
};

/// Deployments.
pub struct Deployments;

/// StatefulSets.
pub struct StatefulSets;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec<'json> {
    replicas: Option<i64>,
    #[serde(borrow)]
    service_name: Option<Str<'json>>,
    #[serde(borrow)]
    template: Option<Template<'json>>,
}

#[derive(Debug, Deserialize)]
struct Template<'json> {
    #[serde(borrow)]
    metadata: Option<TemplateMeta<'json>>,
}

#[derive(Debug, Deserialize)]
struct TemplateMeta<'json> {
    #[serde(borrow)]
    labels: Option<Pairs<'json>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status<'json> {
    updated_replicas: Option<i64>,
    replicas: Option<i64>,
    available_replicas: Option<i64>,
    #[serde(borrow)]
    conditions: Option<Vec<Progress<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Progress<'json> {
    #[serde(borrow, rename = "type")]
    kind: Option<Str<'json>>,
    #[serde(borrow)]
    reason: Option<Str<'json>>,
    #[serde(borrow)]
    last_update_time: Option<Str<'json>>,
}

type Workload<'json> = Whole<'json, Spec<'json>, Status<'json>>;

impl Resource for Deployments {
    type Object<'json> = Workload<'json>;
    type Record = Related;

    const KIND: Kind = Kind::Deployment;
    const API: &'static str = "/apis/apps/v1";
    const PLURAL: &'static str = "deployments";

    fn records(object: &Workload<'_>, texts: &mut Interner, records: &mut Vec<Related>) {
        records.push(workload(false, object, texts).into());
    }

    fn change(delta: Delta<Related>) -> Change {
        Change::Related(Self::KIND, delta)
    }
}

impl Resource for StatefulSets {
    type Object<'json> = Workload<'json>;
    type Record = Related;

    const KIND: Kind = Kind::StatefulSet;
    const API: &'static str = "/apis/apps/v1";
    const PLURAL: &'static str = "statefulsets";

    fn records(object: &Workload<'_>, texts: &mut Interner, records: &mut Vec<Related>) {
        records.push(workload(true, object, texts).into());
    }

    fn change(delta: Delta<Related>) -> Change {
        Change::Related(Self::KIND, delta)
    }
}

fn workload(stateful: bool, object: &Workload<'_>, texts: &mut Interner) -> WorkloadRecord {
    let spec = object.spec.as_ref();
    let meta = spec.and_then(|spec| spec.template.as_ref()?.metadata.as_ref());
    let replicas = spec.and_then(|spec| spec.replicas).unwrap_or(1);
    WorkloadRecord {
        stateful,
        key: object.metadata().key(texts),
        replicas: u32::try_from(replicas).unwrap_or_default(),
        template: texts.map(meta.and_then(|meta| meta.labels.as_ref())),
        service_name: own_some(spec.and_then(|spec| spec.service_name.as_ref())),
        rollout: rollout(replicas, object.status.as_ref()),
    }
}

/// As `kubectl rollout status` tells it: not all pods are new, some old ones are left, or not all
/// are available. What is said only of a moment is left out, so that a record rarely changes.
fn rollout(wanted: i64, status: Option<&Status<'_>>) -> Option<Rollout> {
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
        .find(|said| said.kind.as_ref().map(Str::as_str) == Some("Progressing"));
    let reason = progress
        .and_then(|said| said.reason.as_ref())
        .map(Str::as_str);
    Some(Rollout {
        moved: progress.and_then(|said| timestamp(said.last_update_time.as_ref())),
        stuck: reason == Some("ProgressDeadlineExceeded"),
    })
}

/// The names of Secrets of type `kubernetes.io/tls`.
pub struct TlsSecrets;

/// `PartialObjectMetadata`: the server is asked for nothing else.
#[derive(Debug, Deserialize)]
pub struct Named<'json> {
    #[serde(borrow, default)]
    metadata: Meta<'json>,
}

impl Described for Named<'_> {
    fn metadata(&self) -> &Meta<'_> {
        &self.metadata
    }
}

impl Resource for TlsSecrets {
    type Object<'json> = Named<'json>;
    type Record = Related;

    const KIND: Kind = Kind::TlsSecret;
    const API: &'static str = "/api/v1";
    const PLURAL: &'static str = "secrets";
    const FIELD_SELECTOR: Option<&'static str> = Some("type%3Dkubernetes.io%2Ftls");
    const METADATA_ONLY: bool = true;

    fn records(object: &Named<'_>, texts: &mut Interner, records: &mut Vec<Related>) {
        let key = object.metadata.key(texts);
        records.push(TlsSecretRecord { key }.into());
    }

    fn change(delta: Delta<Related>) -> Change {
        Change::Related(Self::KIND, delta)
    }
}

/// ServiceCIDRs.
pub struct ServiceCidrs;

#[derive(Debug, Deserialize)]
pub struct CidrSpec<'json> {
    #[serde(borrow)]
    cidrs: Option<Vec<Str<'json>>>,
}

impl Resource for ServiceCidrs {
    type Object<'json> = Whole<'json, CidrSpec<'json>>;
    type Record = Related;

    const KIND: Kind = Kind::ServiceCidr;
    const API: &'static str = "/apis/networking.k8s.io/v1";
    const PLURAL: &'static str = "servicecidrs";

    fn records(object: &Self::Object<'_>, texts: &mut Interner, records: &mut Vec<Related>) {
        let spec = object.spec.as_ref();
        let record = ServiceCidrRecord {
            key: object.metadata().key(texts),
            cidrs: list(spec.and_then(|spec| spec.cidrs.as_deref())),
        };
        records.push(record.into());
    }

    fn change(delta: Delta<Related>) -> Change {
        Change::Related(Self::KIND, delta)
    }
}
