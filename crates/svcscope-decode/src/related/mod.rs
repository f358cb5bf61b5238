//! Kinds on demand: `spec` and `status` of each, in partial types of their own.

mod gateway;
mod ingress;
mod policy;
mod webhook;
mod workload;

use serde::Deserialize;

pub use gateway::{
    BackendTlsPolicyResource, GatewayClassResource, GatewayResource, GrpcRouteResource,
    HttpRouteResource, ReferenceGrantResource, TcpRouteResource, TlsRouteResource,
    UdpRouteResource,
};
pub use ingress::{IngressClassResource, IngressResource};
pub use policy::NetworkPolicyResource;
pub use webhook::{ApiServiceResource, MutatingWebhookResource, ValidatingWebhookResource};
pub use workload::{
    DeploymentResource, ServiceCidrResource, StatefulSetResource, TlsSecretResource,
};

use super::{
    HasMetadata,
    meta::PartialObjectMeta,
    text::{JsonText, JsonTextMap, TextInterner, owned_text},
};
use svcscope_model::inventory::{
    LabelSelector, SelectorOperator, SelectorRequirement, SharedStr, StatusCondition,
};

/// An object of which `spec` and `status` are all that matters.
#[derive(Debug, Deserialize)]
pub struct PartialSpecAndStatus<'json, S, T = serde::de::IgnoredAny> {
    #[serde(borrow, default)]
    metadata: PartialObjectMeta<'json>,
    spec: Option<S>,
    status: Option<T>,
}

impl<S, T> HasMetadata for PartialSpecAndStatus<'_, S, T> {
    fn metadata(&self) -> &PartialObjectMeta<'_> {
        &self.metadata
    }
}

/// `LabelSelector`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialLabelSelector<'json> {
    #[serde(borrow)]
    match_labels: Option<JsonTextMap<'json>>,
    #[serde(borrow)]
    match_expressions: Option<Vec<PartialLabelRequirement<'json>>>,
}

#[derive(Debug, Deserialize)]
struct PartialLabelRequirement<'json> {
    #[serde(borrow)]
    key: Option<JsonText<'json>>,
    #[serde(borrow)]
    operator: Option<JsonText<'json>>,
    #[serde(borrow)]
    values: Option<Vec<JsonText<'json>>>,
}

fn selector(found: Option<&PartialLabelSelector<'_>>, texts: &mut TextInterner) -> LabelSelector {
    let Some(found) = found else {
        return LabelSelector::default();
    };
    let expressions = found.match_expressions.iter().flatten();
    LabelSelector {
        labels: texts.intern_map(found.match_labels.as_ref()),
        expressions: expressions
            .filter_map(|expression| {
                Some(SelectorRequirement {
                    key: texts.intern_non_empty(expression.key.as_ref())?,
                    operator: match expression.operator.as_ref()?.as_str() {
                        "In" => SelectorOperator::In,
                        "NotIn" => SelectorOperator::NotIn,
                        "Exists" => SelectorOperator::Exists,
                        "DoesNotExist" => SelectorOperator::DoesNotExist,
                        _ => return None,
                    },
                    values: owned_texts(expression.values.as_deref()),
                })
            })
            .collect(),
    }
}

/// An entry of `status.conditions`.
#[derive(Debug, Deserialize)]
struct PartialRelatedCondition<'json> {
    #[serde(borrow, rename = "type")]
    kind: Option<JsonText<'json>>,
    #[serde(borrow)]
    status: Option<JsonText<'json>>,
    #[serde(borrow)]
    reason: Option<JsonText<'json>>,
    #[serde(borrow)]
    message: Option<JsonText<'json>>,
}

impl PartialRelatedCondition<'_> {
    fn record(&self, texts: &mut TextInterner) -> StatusCondition {
        StatusCondition {
            kind: texts
                .intern_non_empty(self.kind.as_ref())
                .unwrap_or_default(),
            holds: match self.status.as_ref().map(JsonText::as_str) {
                Some("True") => Some(true),
                Some("False") => Some(false),
                _ => None,
            },
            reason: texts
                .intern_non_empty(self.reason.as_ref())
                .unwrap_or_default(),
            message: owned_text(self.message.as_ref()),
        }
    }
}

fn conditions(
    said: Option<&Vec<PartialRelatedCondition<'_>>>,
    texts: &mut TextInterner,
) -> Vec<StatusCondition> {
    let said = said.into_iter().flatten();
    said.map(|condition| condition.record(texts)).collect()
}

/// Texts that hardly occur again.
fn owned_texts(found: Option<&[JsonText<'_>]>) -> Vec<SharedStr> {
    let found = found.unwrap_or_default();
    found.iter().map(|text| owned_text(Some(text))).collect()
}
