//! `admissionregistration.k8s.io/v1` and `apiregistration.k8s.io/v1`.

use serde::Deserialize;

use super::{
    super::{
        Described, Interner, Resource,
        meta::Meta,
        port,
        text::{Str, own},
    },
    Said, Whole,
};
use crate::inventory::{
    ApiServiceRecord, Change, Delta, Hook, Kind, ObjectKey, Related, Text, WebhookRecord,
};

/// Where the API server goes when no port is said.
const DEFAULT_PORT: u16 = 443;

/// ValidatingWebhookConfigurations.
pub struct ValidatingWebhooks;

/// MutatingWebhookConfigurations.
pub struct MutatingWebhooks;

#[derive(Debug, Deserialize)]
pub struct Configuration<'json> {
    #[serde(borrow, default)]
    metadata: Meta<'json>,
    #[serde(borrow)]
    webhooks: Option<Vec<Webhook<'json>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook<'json> {
    #[serde(borrow)]
    name: Option<Str<'json>>,
    #[serde(borrow)]
    client_config: Option<ClientConfig<'json>>,
    #[serde(borrow)]
    failure_policy: Option<Str<'json>>,
    #[serde(borrow)]
    rules: Option<Vec<Rule<'json>>>,
}

#[derive(Debug, Deserialize)]
struct ClientConfig<'json> {
    #[serde(borrow)]
    service: Option<Service<'json>>,
}

#[derive(Debug, Deserialize)]
struct Service<'json> {
    #[serde(borrow)]
    namespace: Option<Str<'json>>,
    #[serde(borrow)]
    name: Option<Str<'json>>,
    port: Option<i64>,
}

impl Service<'_> {
    fn key(&self, texts: &mut Interner) -> Option<ObjectKey> {
        Some(ObjectKey::new(
            texts.common_some(self.namespace.as_ref())?,
            texts.common_some(self.name.as_ref())?,
        ))
    }

    fn port(&self) -> u16 {
        port(self.port).unwrap_or(DEFAULT_PORT)
    }
}

#[derive(Debug, Deserialize)]
struct Rule<'json> {
    #[serde(borrow)]
    operations: Option<Vec<Str<'json>>>,
    #[serde(borrow)]
    resources: Option<Vec<Str<'json>>>,
}

impl Described for Configuration<'_> {
    fn metadata(&self) -> &Meta<'_> {
        &self.metadata
    }
}

impl Resource for ValidatingWebhooks {
    type Object<'json> = Configuration<'json>;
    type Record = Related;

    const KIND: Kind = Kind::ValidatingWebhook;
    const API: &'static str = "/apis/admissionregistration.k8s.io/v1";
    const PLURAL: &'static str = "validatingwebhookconfigurations";

    fn records(object: &Self::Object<'_>, texts: &mut Interner, records: &mut Vec<Related>) {
        records.push(configuration(false, object, texts).into());
    }

    fn change(delta: Delta<Related>) -> Change {
        Change::Related(Self::KIND, delta)
    }
}

impl Resource for MutatingWebhooks {
    type Object<'json> = Configuration<'json>;
    type Record = Related;

    const KIND: Kind = Kind::MutatingWebhook;
    const API: &'static str = "/apis/admissionregistration.k8s.io/v1";
    const PLURAL: &'static str = "mutatingwebhookconfigurations";

    fn records(object: &Self::Object<'_>, texts: &mut Interner, records: &mut Vec<Related>) {
        records.push(configuration(true, object, texts).into());
    }

    fn change(delta: Delta<Related>) -> Change {
        Change::Related(Self::KIND, delta)
    }
}

fn configuration(
    mutating: bool,
    object: &Configuration<'_>,
    texts: &mut Interner,
) -> WebhookRecord {
    let hooks = object.webhooks.iter().flatten().filter_map(|webhook| {
        let service = webhook.client_config.as_ref()?.service.as_ref()?;
        Some(Hook {
            name: own(webhook.name.as_ref()),
            service: service.key(texts)?,
            port: service.port(),
            fails: webhook.failure_policy.as_ref().map(Str::as_str) != Some("Ignore"),
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
fn about(rule: &Rule<'_>) -> Text {
    let words = |found: &Option<Vec<Str<'_>>>| {
        let words = found.iter().flatten().map(|word| match word.as_str() {
            "*" => "everything".to_owned(),
            word => word.to_lowercase(),
        });
        Vec::from_iter(words).join(", ")
    };
    format!("{} of {}", words(&rule.operations), words(&rule.resources)).into()
}

/// APIServices.
pub struct ApiServices;

#[derive(Debug, Deserialize)]
pub struct ApiSpec<'json> {
    #[serde(borrow)]
    service: Option<Service<'json>>,
}

#[derive(Debug, Deserialize)]
pub struct ApiStatus<'json> {
    #[serde(borrow)]
    conditions: Option<Vec<Said<'json>>>,
}

impl Resource for ApiServices {
    type Object<'json> = Whole<'json, ApiSpec<'json>, ApiStatus<'json>>;
    type Record = Related;

    const KIND: Kind = Kind::ApiService;
    const API: &'static str = "/apis/apiregistration.k8s.io/v1";
    const PLURAL: &'static str = "apiservices";

    fn records(object: &Self::Object<'_>, texts: &mut Interner, records: &mut Vec<Related>) {
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

    fn change(delta: Delta<Related>) -> Change {
        Change::Related(Self::KIND, delta)
    }
}
