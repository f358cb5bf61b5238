//! Kinds on demand: `spec` and `status` of each, in partial types of their own.

mod gateway;
mod ingress;
mod policy;
mod webhook;
mod workload;

use serde::Deserialize;

pub use gateway::{
    BackendTlsPolicies, GatewayClasses, Gateways, GrpcRoutes, HttpRoutes, ReferenceGrants,
    TcpRoutes, TlsRoutes, UdpRoutes,
};
pub use ingress::{IngressClasses, Ingresses};
pub use policy::NetworkPolicies;
pub use webhook::{ApiServices, MutatingWebhooks, ValidatingWebhooks};
pub use workload::{Deployments, ServiceCidrs, StatefulSets, TlsSecrets};

use super::{
    Described,
    meta::Meta,
    text::{Interner, Pairs, Str, own},
};
use crate::inventory::{Condition, LabelSelector, Operator, Requirement, Text};

/// An object of which `spec` and `status` are all that matters.
#[derive(Debug, Deserialize)]
pub struct Whole<'json, S, T = serde::de::IgnoredAny> {
    #[serde(borrow, default)]
    metadata: Meta<'json>,
    spec: Option<S>,
    status: Option<T>,
}

impl<S, T> Described for Whole<'_, S, T> {
    fn metadata(&self) -> &Meta<'_> {
        &self.metadata
    }
}

/// `LabelSelector`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Selector<'json> {
    #[serde(borrow)]
    match_labels: Option<Pairs<'json>>,
    #[serde(borrow)]
    match_expressions: Option<Vec<Expression<'json>>>,
}

#[derive(Debug, Deserialize)]
struct Expression<'json> {
    #[serde(borrow)]
    key: Option<Str<'json>>,
    #[serde(borrow)]
    operator: Option<Str<'json>>,
    #[serde(borrow)]
    values: Option<Vec<Str<'json>>>,
}

fn selector(found: Option<&Selector<'_>>, texts: &mut Interner) -> LabelSelector {
    let Some(found) = found else {
        return LabelSelector::default();
    };
    let expressions = found.match_expressions.iter().flatten();
    LabelSelector {
        labels: texts.map(found.match_labels.as_ref()),
        expressions: expressions
            .filter_map(|expression| {
                Some(Requirement {
                    key: texts.common_some(expression.key.as_ref())?,
                    operator: match expression.operator.as_ref()?.as_str() {
                        "In" => Operator::In,
                        "NotIn" => Operator::NotIn,
                        "Exists" => Operator::Exists,
                        "DoesNotExist" => Operator::DoesNotExist,
                        _ => return None,
                    },
                    values: list(expression.values.as_deref()),
                })
            })
            .collect(),
    }
}

/// An entry of `status.conditions`.
#[derive(Debug, Deserialize)]
struct Said<'json> {
    #[serde(borrow, rename = "type")]
    kind: Option<Str<'json>>,
    #[serde(borrow)]
    status: Option<Str<'json>>,
    #[serde(borrow)]
    reason: Option<Str<'json>>,
    #[serde(borrow)]
    message: Option<Str<'json>>,
}

impl Said<'_> {
    fn record(&self, texts: &mut Interner) -> Condition {
        Condition {
            kind: texts.common_some(self.kind.as_ref()).unwrap_or_default(),
            holds: match self.status.as_ref().map(Str::as_str) {
                Some("True") => Some(true),
                Some("False") => Some(false),
                _ => None,
            },
            reason: texts.common_some(self.reason.as_ref()).unwrap_or_default(),
            message: own(self.message.as_ref()),
        }
    }
}

fn conditions(said: Option<&Vec<Said<'_>>>, texts: &mut Interner) -> Vec<Condition> {
    let said = said.into_iter().flatten();
    said.map(|condition| condition.record(texts)).collect()
}

/// Texts that hardly occur again.
fn list(found: Option<&[Str<'_>]>) -> Vec<Text> {
    let found = found.unwrap_or_default();
    found.iter().map(|text| own(Some(text))).collect()
}
