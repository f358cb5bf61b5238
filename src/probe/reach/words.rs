//! Doors in words.

use crate::probe::{InsideName, Insider, Vantage};

/// A door in words, with whom or what it leads to: `forward to web-0`, `in shop: cluster IP`.
pub fn vantage_words(vantage: &Vantage) -> String {
    match vantage {
        Vantage::Forward => "forward".to_owned(),
        Vantage::ForwardPod(pod) => format!("forward to {pod}"),
        Vantage::ServiceProxy => "API server to the Service".to_owned(),
        Vantage::PodProxy(pod) => format!("API server to {pod}"),
        Vantage::NodePort { node, address } => format!("nodePort on {node} {address}"),
        Vantage::LoadBalancer(address) => format!("load balancer {address}"),
        Vantage::ExternalIp(address) => format!("external IP {address}"),
        Vantage::ExternalName => "external name, from here".to_owned(),
        Vantage::Elsewhere { host, port } => format!("{host}:{port}"),
        Vantage::Inside { from, to } => {
            let from = match from {
                Insider::ProbePod { namespace, .. } => format!("in {namespace}"),
                Insider::Pod { pod, .. } => format!("in {}", pod.name),
            };
            let to = match to {
                InsideName::ClusterIp(None) => "cluster IP".to_owned(),
                InsideName::ClusterIp(Some(family)) => format!("{family} cluster IP"),
                InsideName::Short => "short name".to_owned(),
                InsideName::WithNamespace => "name with namespace".to_owned(),
                InsideName::Full => "full name".to_owned(),
                InsideName::Pod(pod, None) => format!("address of {pod}"),
                InsideName::Pod(pod, Some(family)) => format!("{family} address of {pod}"),
                InsideName::ExternalName => "external name".to_owned(),
            };
            format!("{from}: {to}")
        }
    }
}
