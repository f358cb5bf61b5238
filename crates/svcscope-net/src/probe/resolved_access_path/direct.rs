//! Doors that this machine's own network leads to.

use super::ResolvedAccessPath;
use crate::probe::{
    AccessPath, CurlError, CurlRequest,
    http::ConnectAddress,
    target_lookup::{self, no_target},
};
use svcscope_model::inventory::{Inventory, SharedStr};

/// The place that a door stands for.
pub(super) fn resolve(
    request: &CurlRequest,
    inventory: &Inventory,
) -> Result<ResolvedAccessPath, CurlError> {
    if let AccessPath::RedirectTarget { host, port } = &request.access_path {
        let to = ConnectAddress::at(host, *port);
        let words = SharedStr::from(format!("this machine, {to}"));
        return Ok(ResolvedAccessPath::Direct {
            to,
            description: words,
        });
    }
    let service = target_lookup::service(request, inventory)?;
    let port = || target_lookup::port(request, service);
    let (to, what) = match &request.access_path {
        AccessPath::NodePort { node, address } => {
            let port = port()?;
            let number = port.node_port.ok_or_else(|| {
                no_target(format!(
                    "port {} of svc/{} has no nodePort",
                    port.port, service.key.name
                ))
            })?;
            (
                ConnectAddress::at(address, number),
                format!("NodePort on {node}"),
            )
        }
        AccessPath::LoadBalancer(address) => (
            ConnectAddress::at(address, port()?.port),
            "load balancer".to_owned(),
        ),
        AccessPath::ExternalIp(address) => (
            ConnectAddress::at(address, port()?.port),
            "external IP".to_owned(),
        ),
        AccessPath::ExternalName => {
            let name = target_lookup::external_name(service)?;
            let number = target_lookup::external_port(request, service);
            (ConnectAddress::at(name, number), "external name".to_owned())
        }
        other => {
            return Err(no_target(format!(
                "`{}` is not an access path that this machine's network can reach",
                other.via_flag()
            )));
        }
    };
    let words = SharedStr::from(format!("{what}, {to}"));
    // Whoever may write a Service names these; a load balancer's come from its controller.
    let is_named = matches!(
        request.access_path,
        AccessPath::ExternalIp(_) | AccessPath::ExternalName
    );
    let to = if is_named && request.skips_local_addresses {
        ConnectAddress::NotLocal(Box::new(to))
    } else {
        to
    };
    Ok(ResolvedAccessPath::Direct {
        to,
        description: words,
    })
}
