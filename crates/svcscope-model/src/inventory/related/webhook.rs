//! Services that the API server itself calls: admission webhooks and aggregated APIs.

use serde::{Deserialize, Serialize};

use super::StatusCondition;
use crate::inventory::{ObjectKey, SharedStr};

/// One entry of `webhooks` that names a Service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ServiceWebhook {
    /// `name`.
    pub name: SharedStr,
    /// `clientConfig.service`.
    pub service: ObjectKey,
    /// `clientConfig.service.port`; 443 where nothing is said.
    pub port: u16,
    /// `failurePolicy` is `Fail`, the default: what it can't be asked about is refused.
    pub fails: bool,
    /// What it is asked about: `create, update of pods`.
    pub about: Vec<SharedStr>,
}

/// A ValidatingWebhookConfiguration or a MutatingWebhookConfiguration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WebhookRecord {
    /// Its name.
    pub key: ObjectKey,
    /// Whether it is the mutating kind.
    pub mutating: bool,
    /// Webhooks that are Services; those that are URLs are left out.
    pub hooks: Vec<ServiceWebhook>,
}

/// An APIService.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiServiceRecord {
    /// Its name: `v1beta1.metrics.k8s.io`.
    pub key: ObjectKey,
    /// `spec.service`; none for what the API server serves itself.
    pub service: Option<ObjectKey>,
    /// `spec.service.port`; 443 where nothing is said.
    pub port: u16,
    /// The condition `Available`.
    pub available: Option<StatusCondition>,
}
