//! `admissionregistration.k8s.io/v1` and `apiregistration.k8s.io/v1`.

use crate::{
    condition::{PartialCondition, conditions},
    meta::{HasMetadata, PartialObject, PartialObjectMeta},
    partial::partial,
    resource::watched_resource,
    text::{JsonText, TextInterner, port_number},
};
use svcscope_model::inventory::{
    ApiServiceRecord, ObjectKey, RelatedRecord, ServiceWebhook, SharedStr, WebhookRecord,
};

/// Where the API server goes when no port is said.
const DEFAULT_PORT: u16 = 443;

watched_resource! {
    /// ValidatingWebhookConfigurations.
    ValidatingWebhookResource: ValidatingWebhook =
        "/apis/admissionregistration.k8s.io/v1" "ValidatingWebhookConfiguration",
    PartialWebhookConfiguration<'json> => RelatedRecord
        by |object, texts| configuration(false, object, texts),
}

watched_resource! {
    /// MutatingWebhookConfigurations.
    MutatingWebhookResource: MutatingWebhook =
        "/apis/admissionregistration.k8s.io/v1" "MutatingWebhookConfiguration",
    PartialWebhookConfiguration<'json> => RelatedRecord
        by |object, texts| configuration(true, object, texts),
}

watched_resource! {
    /// APIServices.
    ApiServiceResource: ApiService = "/apis/apiregistration.k8s.io/v1" "APIService",
    PartialApiService<'json> => RelatedRecord by api_service,
}

type PartialApiService<'json> =
    PartialObject<'json, PartialApiServiceSpec<'json>, PartialApiServiceStatus<'json>>;

partial! {
    pub struct PartialWebhookConfiguration<'json> {
        metadata: PartialObjectMeta<'json>,
        webhooks: Vec<PartialWebhook<'json>>,
    }

    struct PartialWebhook<'json> {
        name: JsonText<'json>,
        client_config: PartialWebhookClientConfig<'json>,
        failure_policy: JsonText<'json>,
        rules: Vec<PartialWebhookRule<'json>>,
    }

    struct PartialWebhookClientConfig<'json> {
        service: Option<PartialServiceReference<'json>>,
    }

    struct PartialServiceReference<'json> {
        namespace: JsonText<'json>,
        name: JsonText<'json>,
        port: Option<i64>,
    }

    struct PartialWebhookRule<'json> {
        operations: Vec<JsonText<'json>>,
        resources: Vec<JsonText<'json>>,
    }

    pub struct PartialApiServiceSpec<'json> {
        service: Option<PartialServiceReference<'json>>,
    }

    pub struct PartialApiServiceStatus<'json> {
        conditions: Vec<PartialCondition<'json>>,
    }
}

impl PartialServiceReference<'_> {
    fn key(&self, texts: &mut TextInterner) -> Option<ObjectKey> {
        Some(ObjectKey::new(
            texts.intern_non_empty(&self.namespace)?,
            texts.intern_non_empty(&self.name)?,
        ))
    }

    fn port(&self) -> u16 {
        port_number(self.port).unwrap_or(DEFAULT_PORT)
    }
}

impl HasMetadata for PartialWebhookConfiguration<'_> {
    fn metadata(&self) -> &PartialObjectMeta<'_> {
        &self.metadata
    }
}

fn configuration(
    mutating: bool,
    object: &PartialWebhookConfiguration<'_>,
    texts: &mut TextInterner,
) -> Option<WebhookRecord> {
    let hooks = object.webhooks.iter().filter_map(|webhook| {
        let service = webhook.client_config.service.as_ref()?;
        Some(ServiceWebhook {
            name: webhook.name.to_shared(),
            service: service.key(texts)?,
            port: service.port(),
            fails: webhook.failure_policy != "Ignore",
            about: webhook.rules.iter().map(about).collect(),
        })
    });
    let hooks = hooks.collect();
    Some(WebhookRecord {
        key: object.metadata.key(texts),
        mutating,
        hooks,
    })
}

/// "create, update of pods".
fn about(rule: &PartialWebhookRule<'_>) -> SharedStr {
    let words = |found: &[JsonText<'_>]| {
        let words = found.iter().map(|word| match word.as_str() {
            "*" => "everything".to_owned(),
            word => word.to_lowercase(),
        });
        Vec::from_iter(words).join(", ")
    };
    format!("{} of {}", words(&rule.operations), words(&rule.resources)).into()
}

/// None for most of them, which are the API server's own: they say nothing about any Service.
fn api_service(
    object: &PartialApiService<'_>,
    texts: &mut TextInterner,
) -> Option<ApiServiceRecord> {
    let service = object.spec.service.as_ref()?;
    let conditions = conditions(&object.status.conditions, texts);
    Some(ApiServiceRecord {
        key: object.metadata.key(texts),
        service: service.key(texts),
        port: service.port(),
        available: conditions
            .into_iter()
            .find(|condition| &*condition.kind == "Available"),
    })
}
