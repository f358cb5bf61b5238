//! A pod template as teams write them: probes, environment, resources, volumes.

use serde_json::{Value, json};

/// The template of the pods of `app`.
pub(super) fn pod(app: &str, ports: &[Value]) -> Value {
    let probed = ports
        .iter()
        .find(|port| {
            port.get("protocol")
                .is_some_and(|protocol| protocol == "TCP")
        })
        .and_then(|port| port.get("name"));
    let mut container = json!({
        "name": app,
        "image": format!("registry.example.com/{app}:1.14.2"),
        "imagePullPolicy": "IfNotPresent",
        "ports": ports,
        "env": [
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}},
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "OTEL_SERVICE_NAME", "value": app},
        ],
        "resources": {
            "limits": {"cpu": "500m", "memory": "256Mi"},
            "requests": {"cpu": "50m", "memory": "64Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": true,
            "runAsNonRoot": true,
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/app", "readOnly": true},
            {"name": "scratch", "mountPath": "/tmp"},
        ],
    });
    if let Some(port) = probed {
        super::super::json::set(&mut container, "readinessProbe", probe(port, "/readyz"));
        super::super::json::set(&mut container, "livenessProbe", probe(port, "/healthz"));
    }
    json!({
        "metadata": {"labels": {"app": app}},
        "spec": {
            "containers": [container],
            "volumes": [
                {"name": "config", "configMap": {"name": format!("{app}-config"), "defaultMode": 420, "optional": true}},
                {"name": "scratch", "emptyDir": {}},
            ],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "serviceAccountName": "default",
            "securityContext": {"fsGroup": 2000, "seccompProfile": {"type": "RuntimeDefault"}},
            "schedulerName": "default-scheduler",
            "enableServiceLinks": true,
            "preemptionPolicy": "PreemptLowerPriority",
            "priority": 0,
            "tolerations": [
                {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
                {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            ],
        },
    })
}

fn probe(port: &Value, path: &str) -> Value {
    json!({
        "httpGet": {"path": path, "port": port, "scheme": "HTTP"},
        "initialDelaySeconds": 1,
        "periodSeconds": 5,
        "timeoutSeconds": 1,
        "successThreshold": 1,
        "failureThreshold": 3,
    })
}
