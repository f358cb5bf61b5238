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
pub(super) const NODE_PORT: &str =
    "https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport";
pub(super) const HEADLESS: &str =
    "https://kubernetes.io/docs/concepts/services-networking/service/#headless-services";
pub(super) const STATEFUL_SET: &str =
    "https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-network-id";
pub(super) const TRAFFIC_POLICY: &str =
    "https://kubernetes.io/docs/reference/networking/virtual-ips/#traffic-policies";
pub(super) const SOURCE_IP: &str = "https://kubernetes.io/docs/tutorials/services/source-ip/";
pub(super) const AFFINITY: &str =
    "https://kubernetes.io/docs/reference/networking/virtual-ips/#session-affinity";
pub(super) const EXTERNAL_IPS: &str =
    "https://kubernetes.io/docs/concepts/services-networking/service/#external-ips";
pub(super) const APP_PROTOCOL: &str =
    "https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol";
pub(super) const TOPOLOGY: &str =
    "https://kubernetes.io/docs/concepts/services-networking/topology-aware-routing/";
pub(super) const DUAL_STACK: &str =
    "https://kubernetes.io/docs/concepts/services-networking/dual-stack/";
pub(super) const CLUSTER_IP: &str =
    "https://kubernetes.io/docs/concepts/services-networking/cluster-ip-allocation/";
pub(super) const READINESS_GATES: &str =
    "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-readiness-gate";
pub(super) const SCHEDULING: &str =
    "https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/";
pub(super) const NODES: &str = "https://kubernetes.io/docs/concepts/architecture/nodes/";
pub(super) const SPREAD: &str =
    "https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/";
pub(super) const DNS: &str =
    "https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/";
pub(super) const VIRTUAL_IPS: &str = "https://kubernetes.io/docs/reference/networking/virtual-ips/";
pub(super) const FINALIZERS: &str =
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/";
pub(super) const MANAGED_FIELDS: &str =
    "https://kubernetes.io/docs/reference/using-api/server-side-apply/";
pub(super) const OBJECTS: &str =
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/";
