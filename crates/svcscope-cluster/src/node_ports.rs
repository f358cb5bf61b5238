//! What a cluster says of its nodePorts where kubeadm put it: kube-proxy's ConfigMap, and the flags of
//! the API server's static pod. Neither need be there, or be permitted to read.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::{CallError, CallErrorKind, api_client::ApiClient};
use svcscope_edit::{DEFAULT_NODE_PORT_RANGE, range_of};
use svcscope_model::inventory::{KubeProxyConfig, NodePortRules, SharedStr};

const KUBE_PROXY_PATH: &str = "/api/v1/namespaces/kube-system/configmaps/kube-proxy";
/// The label that kubeadm gives to static pods; one of them is enough.
const API_SERVER_PODS_PATH: &str =
    "/api/v1/namespaces/kube-system/pods?labelSelector=component%3Dkube-apiserver&limit=1";

/// Reads both. An error is a temporary one; what does not exist or is not permitted stays unknown.
pub(super) async fn read(link: &ApiClient) -> Result<NodePortRules, CallError> {
    let (proxy, server) = futures::join!(
        link.get("read how kube-proxy is configured", KUBE_PROXY_PATH),
        link.get("read the flags of the API server", API_SERVER_PODS_PATH),
    );
    let proxy = unless_unavailable(proxy)?;
    let server = unless_unavailable(server)?;
    Ok(NodePortRules {
        range: server.and_then(|body| parse_node_port_range(&body)),
        proxy: proxy.and_then(|body| parse_kube_proxy_config(&body)),
    })
}

fn unless_unavailable(answer: Result<Bytes, CallError>) -> Result<Option<Bytes>, CallError> {
    match answer {
        Ok(body) => Ok(Some(body)),
        Err(error)
            if matches!(
                error.kind,
                CallErrorKind::Forbidden | CallErrorKind::NotFound | CallErrorKind::Invalid
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// `--service-node-port-range` of a pod of kube-apiserver. One without the flag has the default; no
/// pod tells nothing.
fn parse_node_port_range(pods: &[u8]) -> Option<std::ops::RangeInclusive<u16>> {
    let list: Value = serde_json::from_slice(pods).ok()?;
    let containers = list.pointer("/items/0/spec/containers")?.as_array()?;
    let words = containers
        .iter()
        .flat_map(|container| ["command", "args"].map(|field| container.get(field)))
        .flatten()
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(Value::as_str);
    let words: Vec<_> = words.collect();
    let is_server = words.iter().any(|word| word.ends_with("kube-apiserver"));
    let flag = "--service-node-port-range";
    let at = words.iter().position(|word| word.starts_with(flag));
    let Some(at) = at else {
        return is_server.then_some(DEFAULT_NODE_PORT_RANGE);
    };
    let word = words.get(at)?;
    match word.split_once('=') {
        Some((_, range)) => range_of(range),
        None => range_of(words.get(at + 1)?),
    }
}

/// `kubeproxy.config.k8s.io/v1alpha1`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KubeProxyConfigFile {
    kind: String,
    mode: Option<String>,
    node_port_addresses: Option<Vec<String>>,
    iptables: Option<IptablesConfig>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IptablesConfig {
    localhost_node_ports: Option<bool>,
}

fn parse_kube_proxy_config(config_map: &[u8]) -> Option<KubeProxyConfig> {
    let map: Value = serde_json::from_slice(config_map).ok()?;
    let files = map.get("data")?.as_object()?.values();
    let found = files
        .filter_map(Value::as_str)
        .filter_map(|text| serde_saphyr::from_str::<KubeProxyConfigFile>(text).ok())
        .find(|found| found.kind == "KubeProxyConfiguration")?;
    let addresses = found.node_port_addresses.unwrap_or_default();
    Some(KubeProxyConfig {
        mode: SharedStr::from(found.mode.unwrap_or_default()),
        node_port_addresses: addresses.into_iter().map(SharedStr::from).collect(),
        localhost_node_ports: found.iptables.and_then(|it| it.localhost_node_ports),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kubeadm_s_config_map_is_read() {
        // As kubeadm 1.34 writes it, shortened.
        let config = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nbindAddress: 0.0.0.0\n\
                      clusterCIDR: 10.244.0.0/16\nconntrack:\n  maxPerCore: null\n\
                      iptables:\n  localhostNodePorts: null\n  masqueradeAll: false\n\
                      kind: KubeProxyConfiguration\nmode: nftables\nnodePortAddresses: null\n";
        let map = json!({"data": {
            "kubeconfig.conf": "apiVersion: v1\nkind: Config\nclusters: []\n",
            "config.conf": config,
        }});
        let read = |map: &Value| parse_kube_proxy_config(map.to_string().as_bytes());
        let found = read(&map).unwrap();
        assert_eq!(&*found.mode, "nftables");
        assert!(found.node_port_addresses.is_empty());
        let other = config
            .replace(
                "nodePortAddresses: null",
                "nodePortAddresses: [10.0.0.0/8, \"fd00::/8\"]",
            )
            .replace("localhostNodePorts: null", "localhostNodePorts: false");
        let found = read(&json!({"data": {"config.conf": other}})).unwrap();
        assert_eq!(found.node_port_addresses.len(), 2);
        assert_eq!(found.localhost_node_ports, Some(false));
        for nothing in [
            json!({}),
            json!({"data": {"x": "kind: Config"}}),
            json!({"data": {"x": ": :"}}),
        ] {
            assert_eq!(read(&nothing), None, "{nothing}");
        }
    }

    #[test]
    fn the_flag_of_the_static_pod_is_read() {
        let pod = |words: Value| {
            let pods = json!({"items": [{"spec": {"containers": [{"command": words}]}}]});
            parse_node_port_range(pods.to_string().as_bytes())
        };
        let equals = json!(["kube-apiserver", "--service-node-port-range=20000-22767"]);
        assert_eq!(pod(equals), Some(20000..=22767));
        let apart = json!([
            "/usr/bin/kube-apiserver",
            "--service-node-port-range",
            "80-90"
        ]);
        assert_eq!(pod(apart), Some(80..=90));
        assert_eq!(
            pod(json!(["kube-apiserver", "--v=2"])),
            Some(DEFAULT_NODE_PORT_RANGE)
        );
        assert_eq!(pod(json!(["something-else"])), None);
        assert_eq!(parse_node_port_range(br#"{"items": []}"#), None);
    }
}
