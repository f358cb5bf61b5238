//! Permissions: one token, all allowed but what a test forbids, and the reviews that report it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, header};

use super::request::ApiResourcePath;
use super::status::FailureStatus;

/// Where a [`DenyRule`] counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DenyScope {
    /// Everywhere.
    Everywhere,
    /// Only for requests over all namespaces (and for cluster-scoped kinds).
    ClusterWide,
    /// Only in one namespace.
    Namespace(String),
}

/// A right that the demo's user does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenyRule {
    /// The verb (`list`, `patch`, …), or `*`.
    pub verb: String,
    /// The plural name with its subresource (`pods`, `pods/portforward`), or `*`.
    pub resource: String,
    /// Where it counts.
    pub scope: DenyScope,
}

impl DenyRule {
    /// No `verb` on `resource` in `scope`.
    pub fn new(verb: &str, resource: &str, scope: DenyScope) -> Self {
        Self {
            verb: verb.to_owned(),
            resource: resource.to_owned(),
            scope,
        }
    }

    fn matches(&self, verb: &str, resource: &str, namespace: Option<&str>) -> bool {
        let fits = |wanted: &str, is: &str| wanted == "*" || wanted == is;
        fits(&self.verb, verb)
            && fits(&self.resource, resource)
            && match &self.scope {
                DenyScope::Everywhere => true,
                DenyScope::ClusterWide => namespace.is_none(),
                DenyScope::Namespace(wanted) => namespace == Some(wanted),
            }
    }
}

/// The token and the denials.
#[derive(Debug)]
pub(super) struct ApiAccessControl {
    token: Mutex<String>,
    deny_rules: Mutex<Vec<DenyRule>>,
}

impl ApiAccessControl {
    pub(super) fn new(token: String) -> Self {
        Self {
            token: Mutex::new(token),
            deny_rules: Mutex::default(),
        }
    }

    pub(super) fn token(&self) -> String {
        lock(&self.token).clone()
    }

    pub(super) fn set_token(&self, token: String) {
        *lock(&self.token) = token;
    }

    pub(super) fn deny(&self, denial: DenyRule) {
        lock(&self.deny_rules).push(denial);
    }

    pub(super) fn allow_all(&self) {
        lock(&self.deny_rules).clear();
    }

    /// Whether the request shows the token.
    pub(super) fn accepts_token(&self, headers: &HeaderMap) -> bool {
        let shown = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        shown.is_some_and(|shown| shown.trim() == *lock(&self.token))
    }

    /// The path below the token, if it begins with it. Over plain HTTP kubectl sends no credentials at all
    /// (client-go's clientcmd drops them), so the token may also be in the URL, as a path prefix.
    pub(super) fn strip_token_prefix<'p>(&self, path: &'p str) -> Option<&'p str> {
        let below = path
            .strip_prefix('/')?
            .strip_prefix(lock(&self.token).as_str())?;
        match below {
            "" => Some("/"),
            below => below.starts_with('/').then_some(below),
        }
    }

    pub(super) fn allows(&self, verb: &str, resource: &str, namespace: Option<&str>) -> bool {
        !lock(&self.deny_rules)
            .iter()
            .any(|denial| denial.matches(verb, resource, namespace))
    }

    /// Refuses a request that its user may not make.
    pub(super) fn permit(&self, verb: &str, target: &ApiResourcePath) -> Result<(), FailureStatus> {
        let resource = match &target.subresource {
            Some(subresource) => format!("{}/{subresource}", target.resource.plural),
            None => target.resource.plural.to_owned(),
        };
        let namespace = target.namespace.as_deref();
        let mut verbs = vec![verb];
        let upgrades = matches!(target.subresource.as_deref(), Some("portforward" | "exec"));
        if upgrades && verb == "get" {
            // Since 1.35 an upgrade by GET must be allowed to create as well.
            verbs.push("create");
        }
        for verb in verbs {
            if !self.allows(verb, &resource, namespace) {
                let group = target.resource.group;
                return Err(FailureStatus::forbidden(
                    verb,
                    &resource,
                    group,
                    namespace,
                    target.name.as_deref(),
                ));
            }
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_may_stand_in_the_path() {
        let access = ApiAccessControl::new("secret".to_owned());
        assert_eq!(access.strip_token_prefix("/secret/api/v1"), Some("/api/v1"));
        assert_eq!(access.strip_token_prefix("/secret"), Some("/"));
        assert_eq!(access.strip_token_prefix("/secretly/api"), None);
        assert_eq!(access.strip_token_prefix("/api/v1"), None);
    }

    #[test]
    fn denials_have_a_scope() {
        let access = ApiAccessControl::new(String::new());
        access.deny(DenyRule::new("list", "pods", DenyScope::ClusterWide));
        assert!(!access.allows("list", "pods", None));
        assert!(access.allows("list", "pods", Some("shop")));
        access.deny(DenyRule::new(
            "*",
            "*",
            DenyScope::Namespace("shop".to_owned()),
        ));
        assert!(!access.allows("get", "services", Some("shop")));
        assert!(access.allows("get", "services", Some("infra")));
    }
}
