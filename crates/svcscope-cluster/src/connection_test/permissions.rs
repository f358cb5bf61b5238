//! What the user may do, by SelfSubjectAccessReviews, and where they may look.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, stream};
use serde_json::Value;

use super::{
    StepOutput,
    result::StepFinding,
    running_pod::{RunningPod, RunningPodLookup},
};
use crate::{
    AccessRequest, CallError, CallErrorKind, access_review, api_client::ApiClient,
    connect::ServerVersion, path,
};
use svcscope_model::inventory::{ObjectKey, ResourceKind, SharedStr, WatchScope};

/// So many questions are asked at the same time.
const MAX_CONCURRENT_REVIEWS: usize = 8;

/// What svcscope does beside looking, and the verbs that it needs for it. Of what is upgraded `create` is
/// enough everywhere, and on older servers `get` is too.
const ACTION_VERBS: [(&str, &[&str]); 4] = [
    ("pods/portforward", &["create"]),
    ("pods/exec", &["create"]),
    ("services", &["get", "patch", "create", "delete"]),
    ("services/proxy", &["get"]),
];

/// The server's answers.
pub(super) struct RbacPermissions {
    scopes: BTreeMap<ResourceKind, Vec<WatchScope>>,
    missing: MissingPermissions,
    /// Resources of which the server would not say.
    unknown: BTreeSet<String>,
}

/// By resource as RBAC writes it: the verbs that lack, and in which of the namespaces.
type MissingPermissions = BTreeMap<String, MissingVerbs>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct MissingVerbs {
    verbs: Vec<&'static str>,
    namespaces: BTreeSet<SharedStr>,
}

impl RbacPermissions {
    /// Where a kind is watched: the namespaces that were asked for, else everywhere, or where that
    /// is not permitted the context's namespace.
    pub fn scopes(&self, kind: ResourceKind) -> &[WatchScope] {
        self.scopes.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The verbs of a resource that lack: `create of pods/exec`.
    pub fn missing_of(&self, resource: &str) -> Option<String> {
        let lack = self.missing.get(resource)?;
        Some(format!("{} of {resource}", lack.verbs.join(", ")))
    }

    /// Whether the server would not say what is permitted of a resource.
    pub fn is_unknown(&self, resource: &str) -> bool {
        self.unknown.contains(resource)
    }
}

/// Asks for all that svcscope would do, in these namespaces or in all of them.
pub(super) async fn review_permissions(
    link: &ApiClient,
    namespaces: &[String],
    default_namespace: &str,
    version: Option<&ServerVersion>,
) -> StepOutput<RbacPermissions> {
    let places: Vec<SharedStr> = match namespaces {
        [] => vec!["".into()],
        some => some.iter().map(|name| name.as_str().into()).collect(),
    };
    let mut asked = PermissionCollector {
        link,
        missing: MissingPermissions::new(),
        unknown: BTreeSet::new(),
        review_error: None,
        get_may_upgrade: !version.is_some_and(ServerVersion::needs_create_to_upgrade),
    };
    let mut scopes = BTreeMap::new();
    let mut narrowed = Vec::new();
    for kind in ResourceKind::ALL {
        let (found, is_narrowed) = asked.review_watch(kind, &places, default_namespace).await;
        if is_narrowed {
            narrowed.push(kind.plural());
        }
        scopes.insert(kind, found);
    }
    for (resource, verbs) in ACTION_VERBS {
        asked
            .review_action(resource, verbs, &places, default_namespace)
            .await;
    }
    let PermissionCollector {
        missing,
        unknown,
        review_error: trouble,
        ..
    } = asked;
    let place = match namespaces {
        [] => None,
        [one] => Some(format!("in namespace `{one}`")),
        some => Some(format!("in the namespaces {}", some.join(", "))),
    };
    let finding = permissions_finding(&missing, &narrowed, place, default_namespace, trouble);
    let finding = match absent_namespaces(link, namespaces).await.as_slice() {
        [] => finding,
        some => finding.and_warning(
            &format!("there is no namespace {}", some.join(", ")),
            "check the names of the namespaces (-n)",
        ),
    };
    let permissions = RbacPermissions {
        scopes,
        missing,
        unknown,
    };
    (finding, Some(permissions))
}

/// Which of these namespaces the cluster does not have, as far as it says.
async fn absent_namespaces(link: &ApiClient, namespaces: &[String]) -> Vec<String> {
    let mut absent = Vec::new();
    for name in namespaces {
        let path = format!("/api/v1/namespaces/{}", path::escape_segment(name));
        let asked = link.get("look for a namespace", &path).await;
        if asked.is_err_and(|error| error.kind == CallErrorKind::NotFound) {
            absent.push(format!("`{name}`"));
        }
    }
    absent
}

fn permissions_finding(
    missing: &MissingPermissions,
    narrowed: &[&str],
    place: Option<String>,
    default_namespace: &str,
    trouble: Option<CallError>,
) -> StepFinding {
    if let Some(error) = trouble {
        let advice = "a missing permission will show as an error when it is needed";
        let mut said = format!("could not check all permissions: {}", error.cause);
        for lacks in describe_missing(missing) {
            said.push_str(&format!("; {lacks}"));
        }
        return StepFinding::warning(said, advice);
    }
    if missing.is_empty() && narrowed.is_empty() {
        return StepFinding::ok(format!(
            "list, watch, change Services, port-forward and exec are permitted {}",
            place.as_deref().unwrap_or("in all namespaces")
        ));
    }
    let mut said = describe_missing(missing);
    if !narrowed.is_empty() {
        said.push(format!(
            "{} only in namespace `{default_namespace}`, not in all",
            narrowed.join(", ")
        ));
    }
    let is_blind = ResourceKind::MAP_KINDS.iter().any(|kind| {
        let lack = missing.get(kind.plural());
        lack.is_some_and(|lack| lack.verbs.contains(&"list"))
    });
    let advice = if missing.is_empty() {
        "choose namespaces with -n, or ask an administrator for these rights in all namespaces"
    } else {
        "ask an administrator of the cluster for these verbs (RBAC)"
    };
    let found = said.join("; ");
    if is_blind {
        StepFinding::failed(found, Some(advice))
    } else {
        StepFinding::warning(found, advice)
    }
}

/// `not permitted in namespace `shop`: list of pods; get of services`, for each set of namespaces.
fn describe_missing(missing: &MissingPermissions) -> Vec<String> {
    let mut by_places: BTreeMap<Vec<&str>, Vec<String>> = BTreeMap::new();
    for (resource, lack) in missing {
        let places = lack.namespaces.iter().map(|place| &**place);
        let places = places.filter(|place| !place.is_empty()).collect();
        let words = format!("{} of {resource}", lack.verbs.join(", "));
        by_places.entry(places).or_default().push(words);
    }
    let in_words = |(places, lacks): (Vec<&str>, Vec<String>)| {
        let place = match places.as_slice() {
            [] => String::new(),
            [one] => format!(" in namespace `{one}`"),
            some => format!(" in the namespaces {}", some.join(", ")),
        };
        format!("not permitted{place}: {}", lacks.join("; "))
    };
    by_places.into_iter().map(in_words).collect()
}

struct PermissionCollector<'a> {
    link: &'a ApiClient,
    missing: MissingPermissions,
    unknown: BTreeSet<String>,
    /// The server would not say.
    review_error: Option<CallError>,
    /// Whether `get` of a subresource that is upgraded is enough.
    get_may_upgrade: bool,
}

impl PermissionCollector<'_> {
    /// Where a kind may be listed and watched, and whether that is less than was wanted.
    async fn review_watch(
        &mut self,
        kind: ResourceKind,
        places: &[SharedStr],
        default_namespace: &str,
    ) -> (Vec<WatchScope>, bool) {
        let everywhere: [SharedStr; 1] = ["".into()];
        let wanted: &[SharedStr] = if kind.is_cluster_scoped() {
            &everywhere
        } else {
            places
        };
        let resource = kind.plural();
        let mut lack = self
            .missing_verbs(kind_group(kind), resource, &["list", "watch"], wanted)
            .await;
        let mut scopes: Vec<_> = wanted.iter().map(scope_of).collect();
        let may_be_narrowed = wanted == everywhere && !kind.is_cluster_scoped();
        let is_narrowed = may_be_narrowed && lack.verbs.contains(&"list");
        if is_narrowed {
            let here: [SharedStr; 1] = [default_namespace.into()];
            scopes = here.iter().map(scope_of).collect();
            lack = self
                .missing_verbs(kind_group(kind), resource, &["list", "watch"], &here)
                .await;
            lack.namespaces.clear();
        }
        let is_seen = lack.verbs.is_empty();
        self.add_missing(resource, lack);
        (scopes, is_narrowed && is_seen)
    }

    async fn review_action(
        &mut self,
        resource: &'static str,
        verbs: &[&'static str],
        places: &[SharedStr],
        default_namespace: &str,
    ) {
        let mut lack = self.missing_verbs("", resource, verbs, places).await;
        let is_everywhere = places.iter().all(|place| place.is_empty());
        if !lack.verbs.is_empty() && is_everywhere {
            lack = self
                .missing_verbs("", resource, verbs, &[default_namespace.into()])
                .await;
            lack.namespaces.clear();
        }
        if verbs == ["create"] && !lack.verbs.is_empty() && self.get_may_upgrade {
            let here: [SharedStr; 1] = [default_namespace.into()];
            let places = if is_everywhere { &here } else { places };
            let no_get = self.missing_verbs("", resource, &["get"], places).await;
            if no_get.verbs.is_empty() {
                return;
            }
        }
        self.add_missing(resource, lack);
    }

    fn add_missing(&mut self, resource: &str, lack: MissingVerbs) {
        if !lack.verbs.is_empty() {
            let lacks = self.missing.entry(resource.to_owned()).or_default();
            lacks.verbs.extend(lack.verbs);
            lacks.namespaces.extend(lack.namespaces);
        }
    }

    /// Which of the verbs lack, and in which of these namespaces. What can't be asked for lacks
    /// nowhere, and is noted: the server decides anyway.
    async fn missing_verbs(
        &mut self,
        group: &str,
        resource: &str,
        verbs: &[&'static str],
        places: &[SharedStr],
    ) -> MissingVerbs {
        let link = self.link;
        let questions: Vec<_> = verbs
            .iter()
            .flat_map(|verb| places.iter().map(move |place| (*verb, place)))
            .map(|(verb, place)| {
                let access = AccessRequest {
                    group: group.into(),
                    ..AccessRequest::core(verb, resource, place)
                };
                async move { (verb, place, access_review::ask(link, &access).await) }
            })
            .collect();
        let answers: Vec<_> = stream::iter(questions)
            .buffered(MAX_CONCURRENT_REVIEWS)
            .collect()
            .await;
        let mut lack = MissingVerbs::default();
        for (verb, place, answer) in answers {
            match answer {
                Ok(review) if !review.allowed => {
                    lack.namespaces.insert(place.clone());
                    if !lack.verbs.contains(&verb) {
                        lack.verbs.push(verb);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    self.unknown.insert(resource.to_owned());
                    self.review_error = Some(error);
                }
            }
        }
        lack
    }
}

fn scope_of(place: &SharedStr) -> WatchScope {
    if place.is_empty() {
        WatchScope::Cluster
    } else {
        WatchScope::Namespace(place.clone())
    }
}

fn kind_group(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::EndpointSlice => "discovery.k8s.io",
        _ => "",
    }
}

/// A pod that runs, rather one that is ready, and a port of it.
pub(super) async fn find_running_pod(link: &ApiClient, scopes: &[WatchScope]) -> RunningPodLookup {
    for scope in scopes {
        let place = match scope {
            WatchScope::Cluster => String::new(),
            WatchScope::Namespace(name) => format!("/namespaces/{}", path::escape_segment(name)),
        };
        let path = format!("/api/v1{place}/pods?limit=50&fieldSelector=status.phase%3DRunning");
        let body = link.get("list pods", &path).await?;
        let list: Value = serde_json::from_slice(&body).unwrap_or_default();
        let pods = list["items"].as_array().into_iter().flatten();
        let mut pods: Vec<_> = pods.filter_map(parse_running_pod).collect();
        pods.sort_by_key(|(is_ready, _)| !is_ready);
        if let Some((_, found)) = pods.into_iter().next() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn parse_running_pod(pod: &Value) -> Option<(bool, RunningPod)> {
    if !pod["metadata"]["deletionTimestamp"].is_null() {
        return None;
    }
    let key = ObjectKey::new(
        pod["metadata"]["namespace"].as_str()?,
        pod["metadata"]["name"].as_str()?,
    );
    let mut conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    let is_ready =
        conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True");
    let mut containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let port = containers
        .find_map(|container| container["ports"][0]["containerPort"].as_u64())
        .and_then(|port| u16::try_from(port).ok());
    let found = RunningPod {
        key,
        port: port.unwrap_or(80),
        container: pod["spec"]["containers"][0]["name"]
            .as_str()
            .map(SharedStr::from),
    };
    Some((is_ready, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(missing: &[(&str, &[&'static str])], narrowed: &[&str]) -> crate::ConnectionStepResult {
        let missing = missing
            .iter()
            .map(|(resource, verbs)| {
                let lack = MissingVerbs {
                    verbs: verbs.to_vec(),
                    namespaces: BTreeSet::from(["".into()]),
                };
                ((*resource).to_owned(), lack)
            })
            .collect();
        permissions_finding(&missing, narrowed, None, "shop", None)
            .into_result(crate::ConnectionStep::Permissions, None)
    }

    #[test]
    fn what_lacks_is_said_as_rbac_has_it_and_how_much_it_matters() {
        use crate::StepStatus::{Failed, Ok, Warning};
        assert_eq!(said(&[], &[]).outcome, Ok);
        let nodes = said(&[("nodes", &["list", "watch"])], &["pods"]);
        assert_eq!(nodes.outcome, Warning);
        assert_eq!(
            &*nodes.summary,
            "not permitted: list, watch of nodes; pods only in namespace `shop`, not in all"
        );
        assert_eq!(said(&[("pods", &["list"])], &[]).outcome, Failed);
        assert_eq!(said(&[], &["pods"]).outcome, Warning);
    }

    #[test]
    fn only_the_namespaces_that_lack_are_named() {
        let lack = |places: &[&str]| MissingVerbs {
            verbs: vec!["list"],
            namespaces: places.iter().map(|place| SharedStr::from(*place)).collect(),
        };
        let missing = MissingPermissions::from([
            ("nodes".to_owned(), lack(&[""])),
            ("pods".to_owned(), lack(&["nope"])),
            ("services".to_owned(), lack(&["nope"])),
        ]);
        assert_eq!(
            describe_missing(&missing),
            [
                "not permitted: list of nodes",
                "not permitted in namespace `nope`: list of pods; list of services"
            ]
        );
    }

    #[test]
    fn a_pod_is_asked_with_its_first_container_named() {
        // Servers before 1.21 refuse an exec into a pod of two containers that names none.
        let pod = serde_json::json!({
            "metadata": {"namespace": "shop", "name": "web"},
            "spec": {"containers": [{"name": "box"}, {"name": "web", "ports": [{"containerPort": 8080}]}]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        });
        let (is_ready, found) = parse_running_pod(&pod).unwrap();
        assert!(is_ready);
        assert_eq!(
            (found.container.as_deref(), found.port),
            (Some("box"), 8080)
        );
        let mut going = pod;
        going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        assert!(parse_running_pod(&going).is_none());
    }
}
