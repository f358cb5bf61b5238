//! What a request asks for: its path split into group, resource, name and subresource, and its query.

use std::collections::BTreeMap;

use http::{HeaderMap, Method, header};

use super::resource::ServedResource;

/// The query of a request, decoded. Of a repeated key the values are kept in order.
#[derive(Debug, Default)]
pub(super) struct ApiQueryParams(BTreeMap<String, Vec<String>>);

impl ApiQueryParams {
    /// Reads a query string; empty pairs are skipped, since kube's port-forward starts with `?&`.
    pub(super) fn parse(query: &str) -> Self {
        let mut pairs = BTreeMap::<String, Vec<String>>::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs
                .entry(percent_decode(key, true))
                .or_default()
                .push(percent_decode(value, true));
        }
        Self(pairs)
    }

    pub(super) fn get(&self, key: &str) -> &str {
        self.0
            .get(key)
            .and_then(|values| values.first())
            .map_or("", String::as_str)
    }

    pub(super) fn all(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    pub(super) fn is_true(&self, key: &str) -> bool {
        matches!(self.get(key), "true" | "1" | "True")
    }

    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.get(key).parse().ok()
    }

    pub(super) fn dry_run(&self) -> bool {
        self.get("dryRun") == "All"
    }
}

/// Percent-decoding; in a query `+` is a space.
pub(super) fn percent_decode(text: &str, plus: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let mut ahead = rest.clone();
                let hex = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                match (hex(ahead.next()), hex(ahead.next())) {
                    (Some(high), Some(low)) => {
                        bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                        rest = ahead;
                    }
                    _ => bytes.push(b'%'),
                }
            }
            b'+' if plus => bytes.push(b' '),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A path below a resource.
#[derive(Debug)]
pub(super) struct ApiResourcePath {
    pub(super) resource: &'static ServedResource,
    /// `None` at the cluster scope.
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) subresource: Option<String>,
    /// What follows `…/proxy`, still encoded.
    pub(super) proxy_path: String,
}

impl ApiResourcePath {
    /// Splits `/api/v1/namespaces/shop/services/web/status` and its like.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let mut parts = path.trim_start_matches('/').splitn(3, '/');
        let (group, version, below) = match parts.next()? {
            "api" => ("", parts.next()?, parts.next()?),
            "apis" => {
                let group = parts.next()?;
                let (version, below) = parts.next()?.split_once('/')?;
                (group, version, below)
            }
            _ => return None,
        };
        let mut below = below
            .strip_suffix('/')
            .filter(|_| !below.contains("/proxy/"))
            .unwrap_or(below);
        let mut namespace = None;
        if let Some(inner) = below.strip_prefix("namespaces/") {
            // "namespaces/shop" alone and its own subresources are about the Namespace itself.
            if let Some((name, inner)) = inner.split_once('/')
                && !matches!(inner, "status" | "finalize")
            {
                namespace = Some(percent_decode(name, false));
                below = inner;
            }
        }
        let mut parts = below.splitn(4, '/');
        let resource = ServedResource::find(group, version, parts.next()?)?;
        if namespace.is_some() && !resource.namespaced {
            return None;
        }
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let name = next().map(|part| percent_decode(part, false));
        let subresource = next().map(str::to_owned);
        if resource.namespaced && namespace.is_none() && name.is_some() {
            return None;
        }
        let rest = match below.find("/proxy") {
            Some(at) if subresource.as_deref() == Some("proxy") => below
                .get(at + "/proxy".len()..)
                .unwrap_or_default()
                .to_owned(),
            _ => String::new(),
        };
        Some(Self {
            resource,
            namespace,
            name,
            subresource,
            proxy_path: rest,
        })
    }
}

/// The verb as RBAC knows it.
pub(super) fn rbac_verb(
    method: &Method,
    target: &ApiResourcePath,
    query: &ApiQueryParams,
) -> &'static str {
    let named = target.name.is_some();
    match *method {
        Method::GET | Method::HEAD if target.subresource.is_some() => "get",
        Method::GET | Method::HEAD if query.is_true("watch") => "watch",
        Method::GET | Method::HEAD if named => "get",
        Method::GET | Method::HEAD => "list",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if named => "delete",
        Method::DELETE => "deletecollection",
        _ => "get",
    }
}

/// In which shape the client wants objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ApiResponseFormat {
    FullObject,
    Table,
    MetadataOnly,
}

impl ApiResponseFormat {
    /// The first shape of the Accept header that is served.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accept = headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        for choice in accept.split(',') {
            if !choice.trim().starts_with("application/json") {
                continue;
            }
            if choice.contains("as=Table") {
                return Self::Table;
            }
            if choice.contains("as=PartialObjectMetadata") {
                return Self::MetadataOnly;
            }
            return Self::FullObject;
        }
        Self::FullObject
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::ServedKind;

    #[test]
    fn paths_split() {
        let target =
            ApiResourcePath::parse("/apis/apps/v1/namespaces/shop/deployments/web/scale").unwrap();
        assert_eq!(target.resource.kind, ServedKind::Deployment);
        assert_eq!(target.namespace.as_deref(), Some("shop"));
        assert_eq!(target.name.as_deref(), Some("web"));
        assert_eq!(target.subresource.as_deref(), Some("scale"));
        let namespace = ApiResourcePath::parse("/api/v1/namespaces/shop").unwrap();
        assert_eq!(namespace.resource.kind, ServedKind::Namespace);
        assert_eq!(namespace.name.as_deref(), Some("shop"));
        let proxy =
            ApiResourcePath::parse("/api/v1/namespaces/shop/services/https:web:443/proxy/a/b%20c/")
                .unwrap();
        assert_eq!(proxy.name.as_deref(), Some("https:web:443"));
        assert_eq!(proxy.proxy_path, "/a/b%20c/");
        assert!(ApiResourcePath::parse("/api/v1/podtemplates").is_none());
    }

    #[test]
    fn queries_may_start_with_an_ampersand() {
        let query = ApiQueryParams::parse("&ports=80%2C81&ports=82&labelSelector=a%3Db+");
        assert_eq!(query.all("ports"), ["80,81", "82"]);
        assert_eq!(query.get("labelSelector"), "a=b ");
    }
}
