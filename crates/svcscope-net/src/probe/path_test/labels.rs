//! Doors in words.

use crate::probe::{AccessPath, ExecTarget, InClusterName};

/// A door in words, with whom or what it leads to: `forward to web-0`, `in shop: cluster IP`.
pub fn access_path_label(vantage: &AccessPath) -> String {
    match vantage {
        AccessPath::Forward => "forward".to_owned(),
        AccessPath::ForwardPod(pod) => format!("forward to {pod}"),
        AccessPath::ServiceProxy => "API server to the Service".to_owned(),
        AccessPath::PodProxy(pod) => format!("API server to {pod}"),
        AccessPath::NodePort { node, address } => format!("nodePort on {node} {address}"),
        AccessPath::LoadBalancer(address) => format!("load balancer {address}"),
        AccessPath::ExternalIp(address) => format!("external IP {address}"),
        AccessPath::ExternalName => "external name, from here".to_owned(),
        AccessPath::RedirectTarget { host, port } => format!("{host}:{port}"),
        AccessPath::InCluster { from, to } => {
            let from = match from {
                ExecTarget::ProbePod { namespace, .. } => format!("in {namespace}"),
                ExecTarget::Pod { pod, .. } => format!("in {}", pod.name),
            };
            let to = match to {
                InClusterName::ClusterIp(None) => "cluster IP".to_owned(),
                InClusterName::ClusterIp(Some(family)) => format!("{family} cluster IP"),
                InClusterName::Short => "short name".to_owned(),
                InClusterName::WithNamespace => "name with namespace".to_owned(),
                InClusterName::Full => "full name".to_owned(),
                InClusterName::Pod(pod, None) => format!("address of {pod}"),
                InClusterName::Pod(pod, Some(family)) => format!("{family} address of {pod}"),
                InClusterName::ExternalName => "external name".to_owned(),
            };
            format!("{from}: {to}")
        }
    }
}
