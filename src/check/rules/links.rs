//! Pages of the Kubernetes documentation that findings point at.

pub(super) const DEBUG_SERVICES: &str =
    "https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/";
pub(super) const SERVICE: &str = "https://kubernetes.io/docs/concepts/services-networking/service/";
pub(super) const SELECTORLESS: &str =
    "https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors";
pub(super) const PORTS: &str =
    "https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports";
pub(super) const EXTERNAL_NAME: &str =
    "https://kubernetes.io/docs/concepts/services-networking/service/#externalname";
pub(super) const LOAD_BALANCER: &str =
    "https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer";
pub(super) const SLICES: &str =
    "https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/";
pub(super) const POD_LIFECYCLE: &str =
    "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/";
pub(super) const PROBES: &str = "https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/";
pub(super) const RBAC: &str = "https://kubernetes.io/docs/reference/access-authn-authz/rbac/";
pub(super) const INGRESS: &str = "https://kubernetes.io/docs/concepts/services-networking/ingress/";
pub(super) const INGRESS_TLS: &str =
    "https://kubernetes.io/docs/concepts/services-networking/ingress/#tls";
pub(super) const GATEWAY: &str = "https://kubernetes.io/docs/concepts/services-networking/gateway/";
pub(super) const WEBHOOKS: &str =
    "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/";
pub(super) const AGGREGATION: &str =
    "https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/";
pub(super) const POLICIES: &str =
    "https://kubernetes.io/docs/concepts/services-networking/network-policies/";
