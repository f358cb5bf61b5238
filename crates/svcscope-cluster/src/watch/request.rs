//! The requests of lists and watches.

use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderValue, Request,
    header::{ACCEPT, ACCEPT_ENCODING},
};

use crate::{api_client, error::CallError, path};
use svcscope_decode::ResourceDescriptor;
use svcscope_model::inventory::WatchScope;

/// Objects a page: about 2 MB of pods.
const PAGE_SIZE: usize = 500;

/// No fall-back: where the server can't leave the rest out, it is not asked for.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,\
                        application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// A watch that begins with a list may take this long; the silence of a dead one is noticed anyway.
const STREAMED_LIST: Duration = Duration::from_secs(290);

/// "list pods in namespace shop".
pub(super) fn action(resource: &ResourceDescriptor, verb: &str, scope: &WatchScope) -> String {
    match scope {
        WatchScope::Cluster if resource.kind.is_cluster_scoped() => {
            format!("{verb} {}", resource.plural)
        }
        WatchScope::Cluster => format!("{verb} {} in all namespaces", resource.plural),
        WatchScope::Namespace(name) => format!("{verb} {} in namespace `{name}`", resource.plural),
    }
}

fn collection(resource: &ResourceDescriptor, scope: &WatchScope) -> String {
    let place = match scope {
        WatchScope::Cluster => String::new(),
        WatchScope::Namespace(name) => format!("/namespaces/{}", path::escape_segment(name)),
    };
    let filter = resource
        .field_selector
        .map_or_else(String::new, |filter| format!("&fieldSelector={filter}"));
    format!("{}{place}/{}?{filter}", resource.api, resource.plural)
}

/// The next page of a list; an empty token means the first.
pub(super) fn page(
    resource: &ResourceDescriptor,
    scope: &WatchScope,
    token: &str,
) -> Result<Request<Bytes>, CallError> {
    let next = if token.is_empty() {
        String::new()
    } else {
        format!("&continue={}", path::escape_segment(token))
    };
    let uri = format!("{}&limit={PAGE_SIZE}{next}", collection(resource, scope));
    get(resource, &action(resource, "list", scope), &uri)
}

/// A list and a watch of metadata are asked for alike: the server answers in the form that fits.
fn get(
    resource: &ResourceDescriptor,
    action: &str,
    uri: &str,
) -> Result<Request<Bytes>, CallError> {
    let mut request = api_client::get_request(action, uri)?;
    if resource.metadata_only {
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static(METADATA));
    }
    Ok(request)
}

/// Whether the list is permitted at all, for one object's worth of work.
pub(super) fn probe(
    resource: &ResourceDescriptor,
    scope: &WatchScope,
) -> Result<Request<Bytes>, CallError> {
    let uri = format!("{}&limit=1", collection(resource, scope));
    get(resource, &action(resource, "list", scope), &uri)
}

/// A watch from `version` on, or one that begins with a list.
pub(super) fn watch(
    resource: &ResourceDescriptor,
    scope: &WatchScope,
    version: Option<&str>,
    lasting: Duration,
) -> Result<Request<Bytes>, CallError> {
    let (from, lasting) = match version {
        Some(version) => (
            format!("&resourceVersion={}", path::escape_segment(version)),
            lasting,
        ),
        None => (
            "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan".to_owned(),
            STREAMED_LIST,
        ),
    };
    let uri = format!(
        "{}&watch=true&allowWatchBookmarks=true&timeoutSeconds={}{from}",
        collection(resource, scope),
        lasting.as_secs().max(1),
    );
    let mut request = get(resource, &action(resource, "watch", scope), &uri)?;
    // Newer servers zip each event by itself, of which the decoder would read only the first.
    let identity = HeaderValue::from_static("identity");
    request.headers_mut().insert(ACCEPT_ENCODING, identity);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_model::inventory::ResourceKind;

    fn of(kind: ResourceKind) -> ResourceDescriptor {
        ResourceDescriptor::of_kind(kind)
    }

    #[test]
    fn of_a_secret_only_the_metadata_is_asked_for() {
        let list = page(&of(ResourceKind::TlsSecret), &WatchScope::Cluster, "").unwrap();
        let watch = watch(
            &of(ResourceKind::TlsSecret),
            &WatchScope::Cluster,
            None,
            Duration::from_secs(40),
        )
        .unwrap();
        for request in [list, watch] {
            let accepted = request.headers()[ACCEPT].to_str().unwrap();
            for form in accepted.split(',') {
                assert!(form.contains("as=PartialObjectMetadata"), "{form}");
            }
            let uri = request.uri().to_string();
            assert!(
                uri.contains("fieldSelector=type%3Dkubernetes.io%2Ftls"),
                "{uri}"
            );
        }
    }

    #[test]
    fn a_list_is_paged_and_its_token_escaped() {
        let request = page(&of(ResourceKind::Pod), &WatchScope::Cluster, "a=/b").unwrap();
        assert_eq!(request.uri(), "/api/v1/pods?&limit=500&continue=a%3D%2Fb");
    }

    #[test]
    fn events_are_filtered_by_the_server() {
        let scope = WatchScope::Namespace("shop".into());
        let request = watch(
            &of(ResourceKind::Event),
            &scope,
            Some("17"),
            Duration::from_secs(40),
        )
        .unwrap();
        assert_eq!(
            request.uri(),
            "/api/v1/namespaces/shop/events?&fieldSelector=involvedObject.kind%3DService\
             &watch=true&allowWatchBookmarks=true&timeoutSeconds=40&resourceVersion=17"
        );
    }

    #[test]
    fn a_watch_is_never_zipped() {
        let request = watch(
            &of(ResourceKind::Pod),
            &WatchScope::Cluster,
            None,
            Duration::from_secs(40),
        )
        .unwrap();
        assert_eq!(request.headers()[ACCEPT_ENCODING], "identity");
        assert!(request.uri().to_string().contains("sendInitialEvents=true"));
    }
}
