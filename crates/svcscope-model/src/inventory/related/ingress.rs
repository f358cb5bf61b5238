//! Ingress and IngressClass.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::inventory::{ObjectKey, SharedStr};

/// `service.port` of a backend.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum IngressPort {
    /// `number`.
    Number(u16),
    /// `name`.
    Name(SharedStr),
}

impl std::fmt::Display for IngressPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A Service that an Ingress sends requests to, in its own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IngressBackend {
    /// The Service's name.
    pub service: SharedStr,
    /// Its port; none where the object says neither number nor name.
    pub port: Option<IngressPort>,
}

/// One entry of `rules[].http.paths`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IngressPath {
    /// `path`; empty means all.
    pub path: SharedStr,
    /// `pathType` is `Exact`.
    pub exact: bool,
    /// Where it leads; none where the backend is a resource other than a Service.
    pub backend: Option<IngressBackend>,
}

/// One entry of `rules`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IngressRule {
    /// `host`; empty means every one.
    pub host: SharedStr,
    /// Its paths.
    pub paths: Vec<IngressPath>,
}

/// One entry of `tls`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IngressTls {
    /// `hosts`; none means every one.
    pub hosts: Vec<SharedStr>,
    /// `secretName`; none where the controller has a certificate of its own.
    pub secret: Option<SharedStr>,
}

/// An Ingress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IngressRecord {
    /// Namespace and name.
    pub key: ObjectKey,
    /// `metadata.creationTimestamp`.
    pub created: Option<Timestamp>,
    /// `spec.ingressClassName`, else the annotation `kubernetes.io/ingress.class`.
    pub class: Option<SharedStr>,
    /// Whether the class was said by the annotation, which names no IngressClass.
    pub class_by_annotation: bool,
    /// Annotation `nginx.ingress.kubernetes.io/canary: "true"`: it shares the hosts and paths of
    /// another one on purpose.
    pub canary: bool,
    /// `spec.defaultBackend`.
    pub default_backend: Option<IngressBackend>,
    /// `spec.rules`.
    pub rules: Vec<IngressRule>,
    /// `spec.tls`.
    pub tls: Vec<IngressTls>,
    /// `status.loadBalancer.ingress`: addresses and host names.
    pub addresses: Vec<SharedStr>,
}

impl IngressRecord {
    /// An Ingress with nothing in it.
    pub fn new(key: ObjectKey) -> Self {
        Self {
            key,
            created: None,
            class: None,
            class_by_annotation: false,
            canary: false,
            default_backend: None,
            rules: Vec::new(),
            tls: Vec::new(),
            addresses: Vec::new(),
        }
    }

    /// Each way through it: host (empty: every one), path (none: whatever no rule takes) and
    /// where that leads.
    pub fn backends(&self) -> impl Iterator<Item = (&str, Option<&IngressPath>, &IngressBackend)> {
        let default = self
            .default_backend
            .iter()
            .map(|backend| ("", None, backend));
        let rules = self.rules.iter().flat_map(|rule| {
            rule.paths.iter().filter_map(|path| {
                let backend = path.backend.as_ref()?;
                Some((&*rule.host, Some(path), backend))
            })
        });
        rules.chain(default)
    }

    /// The Services that it leads to.
    pub fn services(&self) -> BTreeSet<ObjectKey> {
        self.backends()
            .map(|(_, _, to)| ObjectKey::new(self.key.namespace.clone(), to.service.clone()))
            .collect()
    }

    /// Whether requests for this host come encrypted.
    pub fn encrypts(&self, host: &str) -> bool {
        self.tls.iter().any(|tls| {
            tls.hosts.is_empty() || tls.hosts.iter().any(|covered| covers(covered, host))
        })
    }

    /// The Secrets that its certificates are in.
    pub fn secrets(&self) -> impl Iterator<Item = ObjectKey> {
        self.tls
            .iter()
            .filter_map(|tls| tls.secret.as_ref())
            .map(|name| ObjectKey::new(self.key.namespace.clone(), name.clone()))
    }
}

/// Whether a host name, which may begin with `*.`, covers another: a `*` stands for one label.
fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => host
            .split_once('.')
            .is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent)),
        None => pattern.eq_ignore_ascii_case(host),
    }
}

/// An IngressClass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IngressClassRecord {
    /// Its name.
    pub key: ObjectKey,
    /// `spec.controller`.
    pub controller: SharedStr,
    /// Annotation `ingressclass.kubernetes.io/is-default-class: "true"`.
    pub is_default: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        assert!(covers("*.example.com", "shop.example.com"));
        assert!(!covers("*.example.com", "a.shop.example.com"));
        assert!(!covers("*.example.com", "example.com"));
        assert!(covers("Shop.example.com", "shop.example.com"));
    }
}
