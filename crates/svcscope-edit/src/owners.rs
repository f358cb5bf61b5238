//! Who else looks after a Service and may change it back.

use svcscope_model::inventory::{ServiceRecord, SharedStr};

/// Managers through which people or the cluster itself write: naming them warns of nothing.
const NEUTRAL_FIELD_MANAGERS: [&str; 6] = [
    "kubectl",
    "svcscope",
    "kube-controller-manager",
    "cloud-controller-manager",
    "kube-apiserver",
    "Mozilla",
];

/// A sentence for each owner that is likely to revert a change.
///
/// Helm, Argo CD and Flux are known by the labels and annotations that they document; operators by
/// their entries in `metadata.managedFields`.
pub(crate) fn warnings(service: &ServiceRecord) -> Vec<SharedStr> {
    let label = |name: &str| service.labels.get(name).map(|value| &**value);
    let annotation = |name: &str| service.annotations.get(name).map(|value| &**value);
    let mut found: Vec<SharedStr> = Vec::new();
    let mut say = |sentence: String| found.push(sentence.into());

    let is_helm = label("app.kubernetes.io/managed-by") == Some("Helm")
        || annotation("meta.helm.sh/release-name").is_some();
    let flux_helm = label("helm.toolkit.fluxcd.io/name");
    if let Some(release) = flux_helm {
        say(format!(
            "Flux manages it (HelmRelease {release}): the change may be reverted within minutes"
        ));
    } else if is_helm {
        let release = annotation("meta.helm.sh/release-name")
            .map_or_else(String::new, |release| format!(" (release {release})"));
        say(format!(
            "Helm manages it{release}: the next upgrade may revert the change"
        ));
    }
    let kustomization = label("kustomize.toolkit.fluxcd.io/name");
    if let Some(kustomization) = kustomization {
        say(format!(
            "Flux manages it (Kustomization {kustomization}): the change may be reverted within \
             minutes"
        ));
    }
    let argo = annotation("argocd.argoproj.io/tracking-id")
        .and_then(|id| id.split(':').next())
        .or_else(|| label("argocd.argoproj.io/instance"));
    if let Some(application) = argo {
        say(format!(
            "Argo CD manages it (application {application}): the change shows as out of sync and \
             self-heal reverts it"
        ));
    }
    if let Some(owner) = annotation("objectset.rio.cattle.io/owner-name") {
        say(format!(
            "Fleet or Rancher manages it ({owner}): the change may be reverted within minutes"
        ));
    }
    if let Some(by) = label("app.kubernetes.io/managed-by").filter(|by| *by != "Helm") {
        say(format!(
            "it says that {by} manages it, which may revert the change"
        ));
    }
    if annotation("kubectl.kubernetes.io/last-applied-configuration").is_some() {
        say("it was made by kubectl apply: applying its manifest again reverts the change".into());
    }
    let is_said = [
        ("helm", flux_helm.is_some() || is_helm, "Helm or Flux"),
        ("argocd", argo.is_some(), "Argo CD"),
        ("kustomize-controller", kustomization.is_some(), "Flux"),
    ];
    for manager in &service.managers {
        let lower = manager.to_lowercase();
        let harmless = NEUTRAL_FIELD_MANAGERS
            .iter()
            .any(|known| lower.starts_with(&known.to_lowercase()));
        match is_said.iter().find(|(word, ..)| lower.starts_with(word)) {
            Some((_, true, _)) => {}
            Some((_, false, owner)) => say(format!(
                "{owner} (`{manager}`) writes its spec and may revert the change"
            )),
            None if harmless => {}
            None => say(format!(
                "`{manager}` writes its spec as well and may revert the change"
            )),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_model::inventory::ObjectKey;

    fn service(labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> ServiceRecord {
        let map = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(name, value)| (SharedStr::from(*name), SharedStr::from(*value)))
                .collect()
        };
        ServiceRecord {
            labels: map(labels),
            annotations: map(annotations),
            ..ServiceRecord::new(ObjectKey::new("shop", "web"))
        }
    }

    #[track_caller]
    fn assert_only(service: &ServiceRecord, part: &str) {
        let found = warnings(service);
        assert!(
            found.len() == 1 && found.iter().all(|one| one.contains(part)),
            "{found:?}"
        );
    }

    #[test]
    fn the_usual_owners_are_named_once_each() {
        assert!(warnings(&service(&[], &[])).is_empty());
        assert_only(
            &service(
                &[("app.kubernetes.io/managed-by", "Helm")],
                &[("meta.helm.sh/release-name", "shop")],
            ),
            "Helm manages it (release shop)",
        );
        assert_only(
            &service(&[], &[("meta.helm.sh/release-name", "shop")]),
            "Helm manages it (release shop)",
        );
        assert_only(
            &service(
                &[
                    ("app.kubernetes.io/managed-by", "Helm"),
                    ("helm.toolkit.fluxcd.io/name", "shop"),
                ],
                &[("meta.helm.sh/release-name", "shop")],
            ),
            "Flux manages it (HelmRelease shop)",
        );
        assert_only(
            &service(&[("kustomize.toolkit.fluxcd.io/name", "apps")], &[]),
            "Flux manages it (Kustomization apps)",
        );
        assert_only(
            &service(
                &[],
                &[("argocd.argoproj.io/tracking-id", "store:/Service:shop/web")],
            ),
            "application store",
        );
        assert_only(
            &service(
                &[],
                &[("kubectl.kubernetes.io/last-applied-configuration", "{}")],
            ),
            "kubectl apply",
        );
    }

    #[test]
    fn operators_are_known_by_managed_fields() {
        let mut service = service(&[], &[]);
        service.managers = ["kubectl-edit", "svcscope", "redis-operator"]
            .map(SharedStr::from)
            .to_vec();
        assert_only(&service, "`redis-operator` writes its spec");
    }

    #[test]
    fn a_known_owner_without_its_label_is_known_by_managed_fields() {
        for (manager, said) in [
            ("argocd-controller", "Argo CD (`argocd-controller`)"),
            ("helm", "Helm or Flux (`helm`)"),
            ("kustomize-controller", "Flux (`kustomize-controller`)"),
        ] {
            let mut service = service(&[], &[]);
            service.managers = vec![SharedStr::from(manager)];
            assert_only(&service, said);
        }
        let mut labelled = service(&[("kustomize.toolkit.fluxcd.io/name", "apps")], &[]);
        labelled.managers = vec![SharedStr::from("kustomize-controller")];
        assert_only(&labelled, "Kustomization apps");
        let fleet = [("objectset.rio.cattle.io/owner-name", "shop")];
        assert_only(&service(&[], &fleet), "Fleet or Rancher manages it (shop)");
        let other = [("app.kubernetes.io/managed-by", "shop-operator")];
        assert_only(&service(&other, &[]), "shop-operator manages it");
    }
}
