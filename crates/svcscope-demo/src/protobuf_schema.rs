//! The field numbers of the objects that `kubectl create …` posts as protobuf: Service, Namespace and what a
//! generated Deployment holds (generated.proto of core/v1, apps/v1 and meta/v1). Fields that no generator of
//! kubectl sets are left out: a body with one of those, not empty, is refused rather than half read.

use ProtobufFieldType::{Bool, EmptyMessage, Ignored, Int, IntOrString, Map, Message, Text};

/// How the bytes of a field are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum ProtobufFieldType {
    Text,
    Int,
    Bool,
    Map,
    IntOrString,
    Message(&'static [ProtobufFieldSpec]),
    /// An empty object, present or not: `emptyDir` and its like.
    EmptyMessage,
    /// Known and of no use here (creation timestamps, empty status).
    Ignored,
}

/// Number, name, whether it is a list, and how it is read.
pub(super) type ProtobufFieldSpec = (u64, &'static str, bool, ProtobufFieldType);

const META: &[ProtobufFieldSpec] = &[
    (1, "name", false, Text),
    (2, "generateName", false, Text),
    (3, "namespace", false, Text),
    (4, "selfLink", false, Ignored),
    (5, "uid", false, Ignored),
    (6, "resourceVersion", false, Ignored),
    (7, "generation", false, Ignored),
    (8, "creationTimestamp", false, Ignored),
    (11, "labels", true, Map),
    (12, "annotations", true, Map),
];

const SERVICE_PORT: &[ProtobufFieldSpec] = &[
    (1, "name", false, Text),
    (2, "protocol", false, Text),
    (3, "port", false, Int),
    (4, "targetPort", false, IntOrString),
    (5, "nodePort", false, Int),
    (6, "appProtocol", false, Text),
];

const SERVICE_SPEC: &[ProtobufFieldSpec] = &[
    (1, "ports", true, Message(SERVICE_PORT)),
    (2, "selector", true, Map),
    (3, "clusterIP", false, Text),
    (4, "type", false, Text),
    (5, "externalIPs", true, Text),
    (7, "sessionAffinity", false, Text),
    (8, "loadBalancerIP", false, Text),
    (9, "loadBalancerSourceRanges", true, Text),
    (10, "externalName", false, Text),
    (11, "externalTrafficPolicy", false, Text),
    (12, "healthCheckNodePort", false, Int),
    (13, "publishNotReadyAddresses", false, Bool),
    (17, "ipFamilyPolicy", false, Text),
    (18, "clusterIPs", true, Text),
    (19, "ipFamilies", true, Text),
    (20, "allocateLoadBalancerNodePorts", false, Bool),
    (21, "loadBalancerClass", false, Text),
    (22, "internalTrafficPolicy", false, Text),
];

const CONTAINER_PORT: &[ProtobufFieldSpec] = &[
    (1, "name", false, Text),
    (2, "hostPort", false, Int),
    (3, "containerPort", false, Int),
    (4, "protocol", false, Text),
    (5, "hostIP", false, Text),
];

const CONTAINER: &[ProtobufFieldSpec] = &[
    (1, "name", false, Text),
    (2, "image", false, Text),
    (3, "command", true, Text),
    (4, "args", true, Text),
    (6, "ports", true, Message(CONTAINER_PORT)),
    (8, "resources", false, EmptyMessage),
    (13, "terminationMessagePath", false, Text),
    (14, "imagePullPolicy", false, Text),
    (16, "stdin", false, Bool),
    (17, "stdinOnce", false, Bool),
    (18, "tty", false, Bool),
    (20, "terminationMessagePolicy", false, Text),
];

const POD_SPEC: &[ProtobufFieldSpec] = &[
    (2, "containers", true, Message(CONTAINER)),
    (3, "restartPolicy", false, Text),
    (6, "dnsPolicy", false, Text),
    (8, "serviceAccountName", false, Text),
    (9, "serviceAccount", false, Text),
    (10, "nodeName", false, Text),
    (11, "hostNetwork", false, Bool),
    (12, "hostPID", false, Bool),
    (13, "hostIPC", false, Bool),
    (14, "securityContext", false, EmptyMessage),
    (16, "hostname", false, Text),
    (17, "subdomain", false, Text),
    (19, "schedulerName", false, Text),
];

const TEMPLATE: &[ProtobufFieldSpec] = &[
    (1, "metadata", false, Message(META)),
    (2, "spec", false, Message(POD_SPEC)),
];

const SELECTOR: &[ProtobufFieldSpec] = &[(1, "matchLabels", true, Map)];

const DEPLOYMENT_SPEC: &[ProtobufFieldSpec] = &[
    (1, "replicas", false, Int),
    (2, "selector", false, Message(SELECTOR)),
    (3, "template", false, Message(TEMPLATE)),
    (4, "strategy", false, EmptyMessage),
    (5, "minReadySeconds", false, Int),
    (7, "paused", false, Bool),
];

const CONFIG_MAP: &[ProtobufFieldSpec] = &[
    (1, "metadata", false, Message(META)),
    (2, "data", true, Map),
    (4, "immutable", false, Bool),
];

const SERVICE: &[ProtobufFieldSpec] = &[
    (1, "metadata", false, Message(META)),
    (2, "spec", false, Message(SERVICE_SPEC)),
    (3, "status", false, Ignored),
];

const NAMESPACE: &[ProtobufFieldSpec] = &[
    (1, "metadata", false, Message(META)),
    (2, "spec", false, Ignored),
    (3, "status", false, Ignored),
];

const DEPLOYMENT: &[ProtobufFieldSpec] = &[
    (1, "metadata", false, Message(META)),
    (2, "spec", false, Message(DEPLOYMENT_SPEC)),
    (3, "status", false, Ignored),
];

const POD: &[ProtobufFieldSpec] = &[
    (1, "metadata", false, Message(META)),
    (2, "spec", false, Message(POD_SPEC)),
    (3, "status", false, Ignored),
];

/// The options of a deletion, which kubectl's typed clients post as protobuf too.
const DELETE_OPTIONS: &[ProtobufFieldSpec] = &[
    (1, "gracePeriodSeconds", false, Int),
    (3, "orphanDependents", false, Bool),
    (4, "propagationPolicy", false, Text),
];

const ATTRIBUTES: &[ProtobufFieldSpec] = &[
    (1, "namespace", false, Text),
    (2, "verb", false, Text),
    (3, "group", false, Text),
    (4, "version", false, Text),
    (5, "resource", false, Text),
    (6, "subresource", false, Text),
    (7, "name", false, Text),
    (8, "fieldSelector", false, Ignored),
    (9, "labelSelector", false, Ignored),
];

const PATH_ATTRIBUTES: &[ProtobufFieldSpec] = &[(1, "path", false, Text), (2, "verb", false, Text)];

const ACCESS_REVIEW: &[ProtobufFieldSpec] = &[
    (1, "metadata", false, Ignored),
    (
        2,
        "spec",
        false,
        Message(&[
            (1, "resourceAttributes", false, Message(ATTRIBUTES)),
            (2, "nonResourceAttributes", false, Message(PATH_ATTRIBUTES)),
        ]),
    ),
    (3, "status", false, Ignored),
];

const RULES_REVIEW: &[ProtobufFieldSpec] = &[
    (1, "metadata", false, Ignored),
    (2, "spec", false, Message(&[(1, "namespace", false, Text)])),
    (3, "status", false, Ignored),
];

/// The fields of a kind.
pub(super) fn fields_of_kind(kind: &str) -> Option<&'static [ProtobufFieldSpec]> {
    match kind {
        "ConfigMap" => Some(CONFIG_MAP),
        "DeleteOptions" => Some(DELETE_OPTIONS),
        "Deployment" => Some(DEPLOYMENT),
        "Namespace" => Some(NAMESPACE),
        "Pod" => Some(POD),
        "SelfSubjectAccessReview" => Some(ACCESS_REVIEW),
        "SelfSubjectRulesReview" => Some(RULES_REVIEW),
        "Service" => Some(SERVICE),
        _ => None,
    }
}
