//! From flags to a target, its port and an access path.

use crate::cli::{
    args::{AccessPathArg, CurlArgs, InClusterAddressArg},
    exit::{CliExit, cli_error},
};
use svcscope_engine::Scene;
use svcscope_model::inventory::{
    IpFamily, ObjectKey, ResourceKind, ServicePort, ServiceType, SharedStr, SyncState,
};
use svcscope_net::{
    forward::{ForwardTarget, RemotePort},
    probe::{self, AccessPath, CurlRequest, ExecTarget, HttpScheme, InClusterName, RequestKind},
};

/// The request but for what curl's own flags say.
pub(super) fn request(
    task: &CurlArgs,
    namespace: &str,
    scene: &Scene,
) -> anyhow::Result<CurlRequest> {
    let target = task.target.in_namespace(namespace);
    let (port, service_port) = port(task, &target, scene)?;
    // A BackendTLSPolicy says what Gateways speak to the port, and so does a request.
    let policy = service_port.as_ref().filter(|_| !task.http);
    let policy = policy.and_then(|port| scene.inventory.backend_tls(target.key(), port));
    let name_by_policy = policy.map(|policy| policy.hostname.clone());
    let scheme = match (
        task.https || name_by_policy.is_some(),
        task.http,
        &service_port,
    ) {
        (true, ..) => HttpScheme::Https,
        (_, true, _) | (.., None) => HttpScheme::Http,
        (.., Some(port)) => probe::guess_scheme(port),
    };
    let path = match task.path.strip_prefix('/') {
        Some(_) => task.path.clone(),
        None => format!("/{}", task.path),
    };
    let ask = match (task.tcp, task.tls, &task.grpc_health) {
        (true, ..) => RequestKind::Tcp,
        (_, true, _) => RequestKind::Tls,
        (.., Some(service)) => RequestKind::GrpcHealth(SharedStr::from(service.as_str())),
        _ => RequestKind::Http,
    };
    let mut request = CurlRequest {
        scheme,
        path,
        kind: ask,
        ..CurlRequest::new(target, port)
    };
    let asked = task.server_name.as_deref().map(SharedStr::from);
    request.tls.server_name = asked.or(name_by_policy);
    request.access_path = choose_access_path(task, &request, scene)?;
    Ok(request)
}

fn port(
    task: &CurlArgs,
    target: &ForwardTarget,
    scene: &Scene,
) -> anyhow::Result<(RemotePort, Option<ServicePort>)> {
    let ForwardTarget::Service(key) = target else {
        return match &task.target.port {
            Some(port) => Ok((port.clone(), None)),
            None => Err(cli_error(
                CliExit::Usage,
                format!("which port? Write for example {}:8080", task.target),
            )),
        };
    };
    let Some(service) = scene.inventory.service(key) else {
        return Err(cli_error(
            CliExit::NotFound,
            format!("there is no Service {key}"),
        ));
    };
    let found = choose_port(&service.ports, task.target.port.as_ref());
    match (found, &task.target.port) {
        (Some(port), _) => Ok((RemotePort::Number(port.port), Some(port.clone()))),
        // DNS hands out a name: the port is the client's to choose.
        (None, wanted) if service.service_type == ServiceType::ExternalName => {
            let usual = if task.https { 443 } else { 80 };
            Ok((wanted.clone().unwrap_or(RemotePort::Number(usual)), None))
        }
        (None, _) => Err(cli_error(
            CliExit::NotFound,
            format!("Service {key} has {}", port_list(&service.ports)),
        )),
    }
}

/// The port that was asked for, else the first one that carries TCP.
fn choose_port<'a>(
    ports: &'a [ServicePort],
    wanted: Option<&RemotePort>,
) -> Option<&'a ServicePort> {
    let mut tcp = ports
        .iter()
        .filter(|port| port.protocol == svcscope_model::inventory::Protocol::Tcp);
    match wanted {
        None => tcp.next(),
        Some(RemotePort::Number(number)) => tcp.find(|port| port.port == *number),
        Some(RemotePort::Name(name)) => tcp.find(|port| port.name.as_ref() == Some(name)),
    }
}

fn port_list(ports: &[ServicePort]) -> String {
    if ports.is_empty() {
        return "no ports".to_owned();
    }
    let listed: Vec<_> = ports
        .iter()
        .map(|port| match &port.name {
            Some(name) => format!("{name} {}/{}", port.port, port.protocol),
            None => format!("{}/{}", port.port, port.protocol),
        })
        .collect();
    format!("only these ports: {}", listed.join(", "))
}

/// The address family that was asked for.
fn family(task: &CurlArgs) -> Option<IpFamily> {
    match (task.ipv4, task.ipv6) {
        (true, _) => Some(IpFamily::IPv4),
        (_, true) => Some(IpFamily::IPv6),
        _ => None,
    }
}

/// From a pod in the cluster.
fn in_cluster_path(task: &CurlArgs, namespace: &str, scene: &Scene) -> anyhow::Result<AccessPath> {
    let usage = |words: &str| cli_error(CliExit::Usage, words);
    let from = match (&task.inside, &task.from) {
        (Some(namespace), _) => ExecTarget::ProbePod {
            namespace: SharedStr::from(namespace.as_str()),
            // Whoever gives the flag agrees to what it says.
            user_consented: true,
        },
        (None, Some(pod)) => parse_exec_target(pod, namespace),
        (None, None) => {
            return Err(usage(
                "from where in the cluster? --inside NAMESPACE makes a pod for it and removes it \
                 afterwards; --from POD takes one that is there",
            ));
        }
    };
    // Where pods may not be listed the API server says so when it is asked.
    if let ExecTarget::Pod { pod, .. } = &from
        && matches!(
            scene.inventory.sync(ResourceKind::Pod, &pod.namespace),
            SyncState::Live | SyncState::Polled { .. }
        )
        && scene.inventory.pod(pod).is_none()
    {
        let said = format!("there is no pod {pod} to send it from");
        return Err(cli_error(CliExit::NotFound, said));
    }
    let to = match task.in_cluster_address {
        InClusterAddressArg::Full => InClusterName::Full,
        InClusterAddressArg::Namespaced => InClusterName::WithNamespace,
        InClusterAddressArg::Short => InClusterName::Short,
        InClusterAddressArg::Ip => InClusterName::ClusterIp(family(task)),
        InClusterAddressArg::External => InClusterName::ExternalName,
        InClusterAddressArg::Pod => match &task.pod {
            Some(pod) => InClusterName::Pod(SharedStr::from(pod.as_str()), family(task)),
            None => return Err(usage("which pod? Name it with --pod")),
        },
    };
    Ok(AccessPath::InCluster { from, to })
}

/// `[NAMESPACE/]POD[:CONTAINER]`.
pub(in crate::cli) fn parse_exec_target(word: &str, namespace: &str) -> ExecTarget {
    let (pod, container) = match word.split_once(':') {
        Some((pod, container)) => (pod, Some(SharedStr::from(container))),
        None => (word, None),
    };
    let (namespace, name) = pod.split_once('/').unwrap_or((namespace, pod));
    ExecTarget::Pod {
        pod: ObjectKey::new(namespace, name),
        container,
    }
}

/// The first access path of the requested kind.
fn choose_access_path(
    task: &CurlArgs,
    request: &CurlRequest,
    scene: &Scene,
) -> anyhow::Result<AccessPath> {
    let offered = probe::access_path_choices(&request.target, &request.port, &scene.inventory);
    let Some(via) = task.via else {
        let usual = offered.into_iter().next().map(|choice| choice.access_path);
        let to_pod = task.pod.as_deref().map(SharedStr::from);
        return Ok(to_pod.map_or_else(|| usual.unwrap_or_default(), AccessPath::ForwardPod));
    };
    if via == AccessPathArg::Cluster {
        return in_cluster_path(task, &request.target.key().namespace, scene);
    }
    match (via, task.pod.as_deref()) {
        (AccessPathArg::Forward, Some(pod)) => {
            return Ok(AccessPath::ForwardPod(SharedStr::from(pod)));
        }
        (AccessPathArg::Proxy, Some(pod)) => return Ok(AccessPath::PodProxy(SharedStr::from(pod))),
        _ => {}
    }
    let fits = |vantage: &AccessPath| match (via, vantage) {
        (AccessPathArg::Forward, AccessPath::Forward)
        | (AccessPathArg::Proxy, AccessPath::ServiceProxy) => true,
        (AccessPathArg::Nodeport, AccessPath::NodePort { node, address }) => {
            let wanted = task.node.as_deref();
            wanted.is_none_or(|wanted| wanted == &**node || wanted == &**address)
        }
        (AccessPathArg::Lb, AccessPath::LoadBalancer(_) | AccessPath::ExternalIp(_))
        | (AccessPathArg::External, AccessPath::ExternalName) => true,
        _ => false,
    };
    let wanted = family(task);
    let is_of = |vantage: &AccessPath| wanted.is_none() || vantage.family() == wanted;
    let found = offered
        .iter()
        .find(|choice| fits(&choice.access_path) && is_of(&choice.access_path));
    found
        .map(|choice| choice.access_path.clone())
        .ok_or_else(|| {
            // Several access paths have one word: the pods' stand at the end.
            let mut words: Vec<&str> = Vec::new();
            for word in offered.iter().map(|choice| choice.access_path.via_flag()) {
                if !words.contains(&word) {
                    words.push(word);
                }
            }
            let of = wanted.map_or_else(String::new, |family| format!(" of {family}"));
            cli_error(
                CliExit::NotFound,
                format!(
                    "{} can't be reached that way{of}; --via takes: {}",
                    task.target,
                    words.join(", ")
                ),
            )
        })
}
