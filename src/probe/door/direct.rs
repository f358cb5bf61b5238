//! Doors that this machine's own network leads to.

use super::Door;
use crate::{
    inventory::{Inventory, Text},
    probe::{
        CurlError, CurlRequest, Vantage,
        asked::{self, no_way},
        http::To,
    },
};

/// The place that a door stands for.
pub(super) fn find(request: &CurlRequest, inventory: &Inventory) -> Result<Door, CurlError> {
    if let Vantage::Elsewhere { host, port } = &request.vantage {
        let to = To::at(host, *port);
        let words = Text::from(format!("this machine, {to}"));
        return Ok(Door::Direct { to, words });
    }
    let service = asked::service(request, inventory)?;
    let port = || asked::port(request, service);
    let (to, what) = match &request.vantage {
        Vantage::NodePort { node, address } => {
            let port = port()?;
            let number = port.node_port.ok_or_else(|| {
                no_way(format!(
                    "port {} of svc/{} has no nodePort",
                    port.port, service.key.name
                ))
            })?;
            (To::at(address, number), format!("NodePort on {node}"))
        }
        Vantage::LoadBalancer(address) => {
            (To::at(address, port()?.port), "load balancer".to_owned())
        }
        Vantage::ExternalIp(address) => (To::at(address, port()?.port), "external IP".to_owned()),
        Vantage::ExternalName => {
            let name = asked::external_name(service)?;
            let number = asked::external_port(request, service);
            (To::at(name, number), "external name".to_owned())
        }
        other => {
            return Err(no_way(format!(
                "`{}` is no door that this machine's network leads to",
                other.word()
            )));
        }
    };
    let words = Text::from(format!("{what}, {to}"));
    // Whoever may write a Service names these; a load balancer's come from its controller.
    let is_named = matches!(
        request.vantage,
        Vantage::ExternalIp(_) | Vantage::ExternalName
    );
    let to = if is_named && request.spares_local {
        To::Elsewhere(Box::new(to))
    } else {
        to
    };
    Ok(Door::Direct { to, words })
}
