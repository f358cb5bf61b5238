//! The objects that the sample and the generated cluster are made of.

use serde_json::{Value, json};

use super::super::json;
use super::pod_template;

/// A port of a Service in the making.
#[derive(Debug, Clone)]
pub(crate) struct ServicePortBuilder(Value);

impl ServicePortBuilder {
    pub(crate) fn new(name: &str, port: u16) -> Self {
        let mut value = json!({"port": port, "protocol": "TCP"});
        if !name.is_empty() {
            json::set(&mut value, "name", name);
        }
        Self(value)
    }

    pub(crate) fn target_port(self, number: u16) -> Self {
        self.with("targetPort", number)
    }

    pub(crate) fn target_name(self, name: &str) -> Self {
        self.with("targetPort", name)
    }

    pub(crate) fn node_port(self, port: u16) -> Self {
        self.with("nodePort", port)
    }

    pub(crate) fn udp(self) -> Self {
        self.with("protocol", "UDP")
    }

    fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        json::set(&mut self.0, field, value);
        self
    }
}

fn service(name: &str, kind: &str, ports: &[ServicePortBuilder]) -> Value {
    let ports = ports.iter().map(|port| port.0.clone()).collect::<Vec<_>>();
    json!({
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"type": kind, "selector": {"app": name}, "ports": ports},
    })
}

pub(crate) fn cluster_ip(name: &str, ports: &[ServicePortBuilder]) -> Value {
    service(name, "ClusterIP", ports)
}

pub(crate) fn node_port(name: &str, ports: &[ServicePortBuilder]) -> Value {
    service(name, "NodePort", ports)
}

pub(crate) fn load_balancer(name: &str, ports: &[ServicePortBuilder]) -> Value {
    service(name, "LoadBalancer", ports)
}

pub(crate) fn headless(name: &str, ports: &[ServicePortBuilder]) -> Value {
    let mut service = service(name, "ClusterIP", ports);
    json::set(&mut service, "spec/clusterIP", "None");
    service
}

pub(crate) fn external_name(name: &str, host: &str) -> Value {
    json!({
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"type": "ExternalName", "externalName": host},
    })
}

/// A slice that the user wrote for a Service without selector.
pub(crate) fn manual_slice(
    service: &str,
    name: &str,
    addresses: &[&str],
    (port_name, port): (&str, u16),
) -> Value {
    let endpoints = addresses
        .iter()
        .map(|address| json!({"addresses": [address], "conditions": {"ready": true}}))
        .collect::<Vec<_>>();
    json!({
        "kind": "EndpointSlice",
        "apiVersion": "discovery.k8s.io/v1",
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{"name": port_name, "port": port, "protocol": "TCP"}],
    })
}

/// A set of equal pods.
#[derive(Debug, Clone)]
pub(crate) struct WorkloadBuilder {
    name: String,
    replicas: usize,
    ports: Vec<Value>,
}

impl WorkloadBuilder {
    pub(crate) fn new(name: &str, replicas: usize, ports: &[(&str, u16)]) -> Self {
        let ports = ports
            .iter()
            .map(|(name, port)| json!({"name": name, "containerPort": port, "protocol": "TCP"}))
            .collect();
        Self {
            name: name.to_owned(),
            replicas,
            ports,
        }
    }

    pub(crate) fn udp(mut self, name: &str, port: u16) -> Self {
        self.ports
            .push(json!({"name": name, "containerPort": port, "protocol": "UDP"}));
        self
    }

    pub(crate) fn deployment(&self) -> Value {
        let mut object = self.of_kind("Deployment");
        json::set(&mut object, "spec/replicas", self.replicas);
        object
    }

    pub(crate) fn stateful_set(&self) -> Value {
        let mut object = self.of_kind("StatefulSet");
        json::set(&mut object, "spec/replicas", self.replicas);
        json::set(&mut object, "spec/serviceName", self.name.as_str());
        object
    }

    pub(crate) fn daemon_set(&self) -> Value {
        let mut object = self.of_kind("DaemonSet");
        json::set(&mut object, "spec/template/spec/hostNetwork", true);
        object
    }

    fn of_kind(&self, kind: &str) -> Value {
        json!({
            "kind": kind,
            "apiVersion": "apps/v1",
            "metadata": {"name": self.name, "labels": {"app": self.name}},
            "spec": {
                "selector": {"matchLabels": {"app": self.name}},
                "template": pod_template::pod(&self.name, &self.ports),
            },
        })
    }
}

pub(crate) fn namespace(name: &str) -> Value {
    json!({
        "kind": "Namespace",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]},
    })
}

pub(crate) fn node(name: &str, index: usize, address: String) -> Value {
    let mut labels = json!({
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/region": "lab-eu",
        "topology.kubernetes.io/zone": format!("lab-eu-{}", index % 3 + 1),
    });
    if index == 0 {
        json::ensure_object(&mut labels).insert(
            "node-role.kubernetes.io/control-plane".to_owned(),
            "".into(),
        );
    }
    let condition = |kind: &str, status: &str, reason: &str| {
        let now = super::super::time::now();
        json!({"type": kind, "status": status, "reason": reason, "message": reason,
            "lastHeartbeatTime": now, "lastTransitionTime": now})
    };
    let size = json!({"cpu": "8", "memory": "32Gi", "pods": "254", "ephemeral-storage": "100Gi"});
    json!({
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": labels},
        "spec": {"podCIDR": format!("10.244.{}.0/24", index % 256)},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": address},
                {"type": "Hostname", "address": name},
            ],
            "capacity": size,
            "allocatable": size,
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID"),
                condition("Ready", "True", "KubeletReady"),
            ],
            "nodeInfo": {
                "architecture": "amd64",
                "operatingSystem": "linux",
                "osImage": "svcscope demo",
                "kernelVersion": "0.0.0-demo",
                "kubeletVersion": "v1.36.0-demo",
                "kubeProxyVersion": "v1.36.0-demo",
                "containerRuntimeVersion": "demo://1.0.0",
                "machineID": "",
                "systemUUID": "",
                "bootID": "",
            },
        },
    })
}
