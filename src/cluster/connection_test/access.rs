//! What the user may do, by SelfSubjectAccessReviews, and where they may look.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, stream};
use serde_json::Value;

use super::{
    Outcome,
    result::Finding,
    server::{FoundPod, RunningPod},
};
use crate::{
    cluster::{Access, CallError, CallErrorKind, connect::Version, link::Link, path, review},
    inventory::{Kind, ObjectKey, Scope, Text},
};

/// So many questions are asked at the same time.
const AT_ONCE: usize = 8;

/// What svcscope does beside looking, and the verbs that it needs for it. Of what is upgraded `create` is
/// enough everywhere, and on older servers `get` is too.
const ACTS: [(&str, &[&str]); 4] = [
    ("pods/portforward", &["create"]),
    ("pods/exec", &["create"]),
    ("services", &["get", "patch", "create", "delete"]),
    ("services/proxy", &["get"]),
];

/// The server's answers.
pub(super) struct Permissions {
    scopes: BTreeMap<Kind, Vec<Scope>>,
    missing: Missing,
    /// Resources of which the server would not say.
    unknown: BTreeSet<String>,
}

/// By resource as RBAC writes it: the verbs that lack, and in which of the namespaces.
type Missing = BTreeMap<String, Lack>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Lack {
    verbs: Vec<&'static str>,
    places: BTreeSet<Text>,
}

impl Permissions {
    /// Where a kind is watched: the namespaces that were asked for, else everywhere, or where that
    /// is not permitted the context's namespace.
    pub fn scopes(&self, kind: Kind) -> &[Scope] {
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
pub(super) async fn permissions(
    link: &Link,
    namespaces: &[String],
    default_namespace: &str,
    version: Option<&Version>,
) -> Outcome<Permissions> {
    let places: Vec<Text> = match namespaces {
        [] => vec!["".into()],
        some => some.iter().map(|name| name.as_str().into()).collect(),
    };
    let mut asked = Asked {
        link,
        missing: Missing::new(),
        unknown: BTreeSet::new(),
        trouble: None,
        get_may_upgrade: !version.is_some_and(Version::needs_create_to_upgrade),
    };
    let mut scopes = BTreeMap::new();
    let mut narrowed = Vec::new();
    for kind in Kind::ALL {
        let (found, is_narrowed) = asked.watched(kind, &places, default_namespace).await;
        if is_narrowed {
            narrowed.push(kind.plural());
        }
        scopes.insert(kind, found);
    }
    for (resource, verbs) in ACTS {
        asked.act(resource, verbs, &places, default_namespace).await;
    }
    let Asked {
        missing,
        unknown,
        trouble,
        ..
    } = asked;
    let place = match namespaces {
        [] => None,
        [one] => Some(format!("in namespace `{one}`")),
        some => Some(format!("in the namespaces {}", some.join(", "))),
    };
    let finding = in_words(&missing, &narrowed, place, default_namespace, trouble);
    let finding = match absent(link, namespaces).await.as_slice() {
        [] => finding,
        some => finding.and_warning(
            &format!("there is no namespace {}", some.join(", ")),
            "check the names of the namespaces (-n)",
        ),
    };
    let permissions = Permissions {
        scopes,
        missing,
        unknown,
    };
    (finding, Some(permissions))
}

/// Which of these namespaces the cluster does not have, as far as it says.
async fn absent(link: &Link, namespaces: &[String]) -> Vec<String> {
    let mut absent = Vec::new();
    for name in namespaces {
        let path = format!("/api/v1/namespaces/{}", path::segment(name));
        let asked = link.get("look for a namespace", &path).await;
        if asked.is_err_and(|error| error.kind == CallErrorKind::NotFound) {
            absent.push(format!("`{name}`"));
        }
    }
    absent
}

fn in_words(
    missing: &Missing,
    narrowed: &[&str],
    place: Option<String>,
    default_namespace: &str,
    trouble: Option<CallError>,
) -> Finding {
    if let Some(error) = trouble {
        let advice = "what is not permitted shows when it is tried";
        let mut said = format!("could not ask for all rights: {}", error.said);
        for lacks in lacks_in_words(missing) {
            said.push_str(&format!("; {lacks}"));
        }
        return Finding::warning(said, advice);
    }
    if missing.is_empty() && narrowed.is_empty() {
        return Finding::ok(format!(
            "list, watch, change Services, port-forward and exec are permitted {}",
            place.as_deref().unwrap_or("in all namespaces")
        ));
    }
    let mut said = lacks_in_words(missing);
    if !narrowed.is_empty() {
        said.push(format!(
            "{} only in namespace `{default_namespace}`, not in all",
            narrowed.join(", ")
        ));
    }
    let is_blind = Kind::DRAWN.iter().any(|kind| {
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
        Finding::failed(found, Some(advice))
    } else {
        Finding::warning(found, advice)
    }
}

/// `not permitted in namespace `shop`: list of pods; get of services`, for each set of namespaces.
fn lacks_in_words(missing: &Missing) -> Vec<String> {
    let mut by_places: BTreeMap<Vec<&str>, Vec<String>> = BTreeMap::new();
    for (resource, lack) in missing {
        let places = lack.places.iter().map(|place| &**place);
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

struct Asked<'a> {
    link: &'a Link,
    missing: Missing,
    unknown: BTreeSet<String>,
    /// The server would not say.
    trouble: Option<CallError>,
    /// Whether `get` of a subresource that is upgraded is enough.
    get_may_upgrade: bool,
}

impl Asked<'_> {
    /// Where a kind may be listed and watched, and whether that is less than was wanted.
    async fn watched(
        &mut self,
        kind: Kind,
        places: &[Text],
        default_namespace: &str,
    ) -> (Vec<Scope>, bool) {
        let everywhere: [Text; 1] = ["".into()];
        let wanted: &[Text] = if kind.is_cluster_scoped() {
            &everywhere
        } else {
            places
        };
        let resource = kind.plural();
        let mut lack = self
            .lacking(kind_group(kind), resource, &["list", "watch"], wanted)
            .await;
        let mut scopes: Vec<_> = wanted.iter().map(scope_of).collect();
        let may_be_narrowed = wanted == everywhere && !kind.is_cluster_scoped();
        let is_narrowed = may_be_narrowed && lack.verbs.contains(&"list");
        if is_narrowed {
            let here: [Text; 1] = [default_namespace.into()];
            scopes = here.iter().map(scope_of).collect();
            lack = self
                .lacking(kind_group(kind), resource, &["list", "watch"], &here)
                .await;
            lack.places.clear();
        }
        let is_seen = lack.verbs.is_empty();
        self.note(resource, lack);
        (scopes, is_narrowed && is_seen)
    }

    async fn act(
        &mut self,
        resource: &'static str,
        verbs: &[&'static str],
        places: &[Text],
        default_namespace: &str,
    ) {
        let mut lack = self.lacking("", resource, verbs, places).await;
        let is_everywhere = places.iter().all(|place| place.is_empty());
        if !lack.verbs.is_empty() && is_everywhere {
            lack = self
                .lacking("", resource, verbs, &[default_namespace.into()])
                .await;
            lack.places.clear();
        }
        if verbs == ["create"] && !lack.verbs.is_empty() && self.get_may_upgrade {
            let here: [Text; 1] = [default_namespace.into()];
            let places = if is_everywhere { &here } else { places };
            let no_get = self.lacking("", resource, &["get"], places).await;
            if no_get.verbs.is_empty() {
                return;
            }
        }
        self.note(resource, lack);
    }

    fn note(&mut self, resource: &str, lack: Lack) {
        if !lack.verbs.is_empty() {
            let lacks = self.missing.entry(resource.to_owned()).or_default();
            lacks.verbs.extend(lack.verbs);
            lacks.places.extend(lack.places);
        }
    }

    /// Which of the verbs lack, and in which of these namespaces. What can't be asked for lacks
    /// nowhere, and is noted: the server has the last word anyway.
    async fn lacking(
        &mut self,
        group: &str,
        resource: &str,
        verbs: &[&'static str],
        places: &[Text],
    ) -> Lack {
        let link = self.link;
        let questions: Vec<_> = verbs
            .iter()
            .flat_map(|verb| places.iter().map(move |place| (*verb, place)))
            .map(|(verb, place)| {
                let access = Access {
                    group: group.into(),
                    ..Access::core(verb, resource, place)
                };
                async move { (verb, place, review::ask(link, &access).await) }
            })
            .collect();
        let answers: Vec<_> = stream::iter(questions).buffered(AT_ONCE).collect().await;
        let mut lack = Lack::default();
        for (verb, place, answer) in answers {
            match answer {
                Ok(review) if !review.allowed => {
                    lack.places.insert(place.clone());
                    if !lack.verbs.contains(&verb) {
                        lack.verbs.push(verb);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    self.unknown.insert(resource.to_owned());
                    self.trouble = Some(error);
                }
            }
        }
        lack
    }
}

fn scope_of(place: &Text) -> Scope {
    if place.is_empty() {
        Scope::Cluster
    } else {
        Scope::Namespace(place.clone())
    }
}

fn kind_group(kind: Kind) -> &'static str {
    match kind {
        Kind::EndpointSlice => "discovery.k8s.io",
        _ => "",
    }
}

/// A pod that runs, rather one that is ready, and a port of it.
pub(super) async fn running_pod(link: &Link, scopes: &[Scope]) -> FoundPod {
    for scope in scopes {
        let place = match scope {
            Scope::Cluster => String::new(),
            Scope::Namespace(name) => format!("/namespaces/{}", path::segment(name)),
        };
        let path = format!("/api/v1{place}/pods?limit=50&fieldSelector=status.phase%3DRunning");
        let body = link.get("list pods", &path).await?;
        let list: Value = serde_json::from_slice(&body).unwrap_or_default();
        let pods = list["items"].as_array().into_iter().flatten();
        let mut pods: Vec<_> = pods.filter_map(pod_of).collect();
        pods.sort_by_key(|(is_ready, _)| !is_ready);
        if let Some((_, found)) = pods.into_iter().next() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn pod_of(pod: &Value) -> Option<(bool, RunningPod)> {
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
            .map(Text::from),
    };
    Some((is_ready, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(missing: &[(&str, &[&'static str])], narrowed: &[&str]) -> crate::cluster::StepResult {
        let missing = missing
            .iter()
            .map(|(resource, verbs)| {
                let lack = Lack {
                    verbs: verbs.to_vec(),
                    places: BTreeSet::from(["".into()]),
                };
                ((*resource).to_owned(), lack)
            })
            .collect();
        in_words(&missing, narrowed, None, "shop", None)
            .of_step(crate::cluster::ConnectionStep::Rights, None)
    }

    #[test]
    fn what_lacks_is_said_as_rbac_has_it_and_how_much_it_matters() {
        use crate::cluster::StepOutcome::{Failed, Ok, Warning};
        assert_eq!(said(&[], &[]).outcome, Ok);
        let nodes = said(&[("nodes", &["list", "watch"])], &["pods"]);
        assert_eq!(nodes.outcome, Warning);
        assert_eq!(
            &*nodes.found,
            "not permitted: list, watch of nodes; pods only in namespace `shop`, not in all"
        );
        assert_eq!(said(&[("pods", &["list"])], &[]).outcome, Failed);
        assert_eq!(said(&[], &["pods"]).outcome, Warning);
    }

    #[test]
    fn only_the_namespaces_that_lack_are_named() {
        let lack = |places: &[&str]| Lack {
            verbs: vec!["list"],
            places: places.iter().map(|place| Text::from(*place)).collect(),
        };
        let missing = Missing::from([
            ("nodes".to_owned(), lack(&[""])),
            ("pods".to_owned(), lack(&["nope"])),
            ("services".to_owned(), lack(&["nope"])),
        ]);
        assert_eq!(
            lacks_in_words(&missing),
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
        let (is_ready, found) = pod_of(&pod).unwrap();
        assert!(is_ready);
        assert_eq!(
            (found.container.as_deref(), found.port),
            (Some("box"), 8080)
        );
        let mut going = pod;
        going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        assert!(pod_of(&going).is_none());
    }
}
