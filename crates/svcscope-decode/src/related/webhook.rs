//! `admissionregistration.k8s.io/v1` and `apiregistration.k8s.io/v1`.

use serde::Deserialize;

use super::{
    super::{
        HasMetadata, TextInterner, WatchedResource,
        meta::PartialObjectMeta,
        port,
        text::{JsonText, owned_text},
    },
    PartialRelatedCondition, PartialSpecAndStatus,
};
use svcscope_model::inventory::{
    ApiServiceRecord, InventoryChange, ObjectKey, RecordDelta, RelatedRecord, ResourceKind,
    ServiceWebhook, SharedStr, WebhookRecord,
};

/// Where the API server goes when no port is said.
const DEFAULT_PORT: u16 = 443;

/// ValidatingWebhookConfigurations.
pub struct ValidatingWebhookResource;

/// MutatingWebhookConfigurations.
pub struct MutatingWebhookResource;

#[derive(Debug, Deserialize)]
pub struct PartialWebhookConfiguration<'json> {
    #[serde(borrow, default)]
    metadata: PartialObjectMeta<'json>,
    #[serde(borrow)]
    webhooks: Option<Vec<PartialWebhook<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialWebhook<'json> {
    #[serde(borrow)]
    name: Option<JsonText<'json>>,
    #[serde(borrow)]
    client_config: Option<PartialWebhookClientConfig<'json>>,
    #[serde(borrow)]
    failure_policy: Option<JsonText<'json>>,
    #[serde(borrow)]
    rules: Option<Vec<PartialWebhookRule<'json>>>,
}

#[derive(Debug, Deserialize)]
struct PartialWebhookClientConfig<'json> {
    #[serde(borrow)]
    service: Option<PartialServiceReference<'json>>,
}

#[derive(Debug, Deserialize)]
struct PartialServiceReference<'json> {
    #[serde(borrow)]
    namespace: Option<JsonText<'json>>,
    #[serde(borrow)]
    name: Option<JsonText<'json>>,
    port: Option<i64>,
}

impl PartialServiceReference<'_> {
    fn key(&self, texts: &mut TextInterner) -> Option<ObjectKey> {
        Some(ObjectKey::new(
            texts.intern_non_empty(self.namespace.as_ref())?,
            texts.intern_non_empty(self.name.as_ref())?,
        ))
    }

    fn port(&self) -> u16 {
        port(self.port).unwrap_or(DEFAULT_PORT)
    }
}

#[derive(Debug, Deserialize)]
struct PartialWebhookRule<'json> {
    #[serde(borrow)]
    operations: Option<Vec<JsonText<'json>>>,
    #[serde(borrow)]
    resources: Option<Vec<JsonText<'json>>>,
}

impl HasMetadata for PartialWebhookConfiguration<'_> {
    fn metadata(&self) -> &PartialObjectMeta<'_> {
        &self.metadata
    }
}

impl WatchedResource for ValidatingWebhookResource {
    type Object<'json> = PartialWebhookConfiguration<'json>;
    type Record = RelatedRecord;

    const KIND: ResourceKind = ResourceKind::ValidatingWebhook;
    const API: &'static str = "/apis/admissionregistration.k8s.io/v1";
    const PLURAL: &'static str = "validatingwebhookconfigurations";

    fn records(
        object: &Self::Object<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<RelatedRecord>,
    ) {
        records.push(configuration(false, object, texts).into());
    }

    fn change(delta: RecordDelta<RelatedRecord>) -> InventoryChange {
        InventoryChange::Related(Self::KIND, delta)
    }
}

impl WatchedResource for MutatingWebhookResource {
    type Object<'json> = PartialWebhookConfiguration<'json>;
    type Record = RelatedRecord;

    const KIND: ResourceKind = ResourceKind::MutatingWebhook;
    const API: &'static str = "/apis/admissionregistration.k8s.io/v1";
    const PLURAL: &'static str = "mutatingwebhookconfigurations";

    fn records(
        object: &Self::Object<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<RelatedRecord>,
    ) {
        records.push(configuration(true, object, texts).into());
    }

    fn change(delta: RecordDelta<RelatedRecord>) -> InventoryChange {
        InventoryChange::Related(Self::KIND, delta)
    }
}

fn configuration(
    mutating: bool,
    object: &PartialWebhookConfiguration<'_>,
    texts: &mut TextInterner,
) -> WebhookRecord {
    let hooks = object.webhooks.iter().flatten().filter_map(|webhook| {
        let service = webhook.client_config.as_ref()?.service.as_ref()?;
        Some(ServiceWebhook {
            name: owned_text(webhook.name.as_ref()),
            service: service.key(texts)?,
            port: service.port(),
            fails: webhook.failure_policy.as_ref().map(JsonText::as_str) != Some("Ignore"),
            about: webhook.rules.iter().flatten().map(about).collect(),
        })
    });
    let hooks = hooks.collect();
    WebhookRecord {
        key: object.metadata.key(texts),
        mutating,
        hooks,
    }
}

/// "create, update of pods".
fn about(rule: &PartialWebhookRule<'_>) -> SharedStr {
    let words = |found: &Option<Vec<JsonText<'_>>>| {
        let words = found.iter().flatten().map(|word| match word.as_str() {
            "*" => "everything".to_owned(),
            word => word.to_lowercase(),
        });
        Vec::from_iter(words).join(", ")
    };
    format!("{} of {}", words(&rule.operations), words(&rule.resources)).into()
}

/// APIServices.
pub struct ApiServiceResource;

#[derive(Debug, Deserialize)]
pub struct PartialApiServiceSpec<'json> {
    #[serde(borrow)]
    service: Option<PartialServiceReference<'json>>,
}

#[derive(Debug, Deserialize)]
pub struct PartialApiServiceStatus<'json> {
    #[serde(borrow)]
    conditions: Option<Vec<PartialRelatedCondition<'json>>>,
}

impl WatchedResource for ApiServiceResource {
    type Object<'json> =
        PartialSpecAndStatus<'json, PartialApiServiceSpec<'json>, PartialApiServiceStatus<'json>>;
    type Record = RelatedRecord;

    const KIND: ResourceKind = ResourceKind::ApiService;
    const API: &'static str = "/apis/apiregistration.k8s.io/v1";
    const PLURAL: &'static str = "apiservices";

    fn records(
        object: &Self::Object<'_>,
        texts: &mut TextInterner,
        records: &mut Vec<RelatedRecord>,
    ) {
        let service = object.spec.as_ref().and_then(|spec| spec.service.as_ref());
        // Most of them are the API server's own: they say nothing about any Service.
        let Some(service) = service else {
            return;
        };
        let said = object.status.as_ref().and_then(|at| at.conditions.as_ref());
        let available = said
            .into_iter()
            .flatten()
            .map(|said| said.record(texts))
            .find(|condition| &*condition.kind == "Available");
        let record = ApiServiceRecord {
            key: object.metadata().key(texts),
            service: service.key(texts),
            port: service.port(),
            available,
        };
        records.push(record.into());
    }

    fn change(delta: RecordDelta<RelatedRecord>) -> InventoryChange {
        InventoryChange::Related(Self::KIND, delta)
    }
}
