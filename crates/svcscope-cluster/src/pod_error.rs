//! What a failed call about a pod means.

use crate::{CallError, CallErrorKind};
use svcscope_net::probe::in_cluster::{PodError, PodErrorKind};

/// The error of a call that was tried for a pod or in it.
pub(super) fn to_pod_error(tried: &str, error: &CallError) -> PodError {
    let said = &error.cause;
    let kind = match error.kind {
        CallErrorKind::NotFound => PodErrorKind::Gone,
        CallErrorKind::Forbidden => refusal_kind(said),
        CallErrorKind::Unauthorized | CallErrorKind::Credentials => PodErrorKind::Unauthorized,
        CallErrorKind::Unreachable | CallErrorKind::Untrusted => PodErrorKind::Unreachable,
        // Admission webhooks choose their code.
        _ if refusal_kind(said) == PodErrorKind::Policy => PodErrorKind::Policy,
        _ => PodErrorKind::Other,
    };
    PodError::new(kind, tried, said)
}

/// A 403 is RBAC's, or an admission plugin's; only the words tell which
/// (plugin/pkg/admission/resourcequota, limitranger, pod-security-admission, webhook).
fn refusal_kind(said: &str) -> PodErrorKind {
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(&[
        "exceeded quota",
        "failed quota",
        "usage per Pod",
        "usage per Container",
    ]) {
        PodErrorKind::Quota
    } else if has(&[
        "violates PodSecurity",
        "pod security policy",
        "admission webhook",
        "denied the request",
    ]) {
        PodErrorKind::Policy
    } else {
        PodErrorKind::Forbidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_of_a_refusal_are_told_apart() {
        for (said, kind) in [
            (
                r#"pods "svcscope-probe" is forbidden: exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2"#,
                PodErrorKind::Quota,
            ),
            (
                r#"pods "svcscope-probe" is forbidden: violates PodSecurity "restricted:latest": unrestricted capabilities"#,
                PodErrorKind::Policy,
            ),
            (
                r#"pods is forbidden: User "eve" cannot create resource "pods" in API group "" in the namespace "shop""#,
                PodErrorKind::Forbidden,
            ),
            (
                r#"admission webhook "validate.kyverno.svc-fail" denied the request: image registry is not allowed"#,
                PodErrorKind::Policy,
            ),
        ] {
            let error = CallError::new(CallErrorKind::Forbidden, "create it", said);
            let error = to_pod_error("create a probe pod in namespace shop", &error);
            assert_eq!(error.kind, kind, "{said}");
            assert!(error.message.contains(said));
        }
    }
}
