//! Doors that this machine's own network leads to.

use super::Door;
use crate::{
    forward::{ForwardTarget, RemotePort, service_port},
    inventory::{Inventory, ServicePort, ServiceRecord, Text},
    probe::{CurlError, CurlRequest, FailureKind, Vantage, http::To},
};

/// The place that a door stands for.
pub(super) fn find(request: &CurlRequest, inventory: &Inventory) -> Result<Door, CurlError> {
    let no_way = |reason: String| CurlError::new(FailureKind::NoWay, reason);
    if let Vantage::Elsewhere { host, port } = &request.vantage {
        let to = To::at(host, *port);
        let words = Text::from(format!("this machine, {to}"));
        return Ok(Door::Direct { to, words });
    }
    let ForwardTarget::Service(key) = &request.target else {
        return Err(no_way(format!(
            "only a Service has this door; reach {} by a forward",
            request.target
        )));
    };
    let service = inventory
        .service(key)
        .ok_or_else(|| no_way(format!("there is no Service {key}")))?;
    let port = || {
        service_port(service, &request.port)
            .map_err(|reason| CurlError::new(FailureKind::NoWay, reason))
    };
    let (to, what) = match &request.vantage {
        Vantage::NodePort { node, address } => {
            let port = port()?;
            let number = port.node_port.ok_or_else(|| {
                no_way(format!(
                    "port {} of svc/{} has no nodePort",
                    port.port, key.name
                ))
            })?;
            (To::at(address, number), format!("NodePort on {node}"))
        }
        Vantage::LoadBalancer(address) => {
            (To::at(address, port()?.port), "load balancer".to_owned())
        }
        Vantage::ExternalIp(address) => (To::at(address, port()?.port), "external IP".to_owned()),
        Vantage::ExternalName => {
            let name = service
                .external_name
                .as_ref()
                .ok_or_else(|| no_way(format!("svc/{} is no ExternalName Service", key.name)))?;
            let number = external_port(service, &request.port, request.scheme.usual_port());
            (
                To::at(name.trim_end_matches('.'), number),
                "external name".to_owned(),
            )
        }
        other => {
            return Err(no_way(format!(
                "`{}` is no door that this machine's network leads to",
                other.word()
            )));
        }
    };
    let words = Text::from(format!("{what}, {to}"));
    Ok(Door::Direct { to, words })
}

/// DNS hands out a name and no port: whatever the client asks for is the port.
fn external_port(service: &ServiceRecord, wanted: &RemotePort, usual: u16) -> u16 {
    let listed: Option<ServicePort> = service_port(service, wanted).ok();
    match (listed, wanted) {
        (Some(port), _) => port.port,
        (None, RemotePort::Number(number)) => *number,
        (None, RemotePort::Name(_)) => usual,
    }
}
