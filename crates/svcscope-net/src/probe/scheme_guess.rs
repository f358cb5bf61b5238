//! What a port probably wants, before anybody says.

use super::HttpScheme;
use crate::forward::RemotePort;
use svcscope_model::inventory::{Protocol, ServicePort, ServiceRecord, TargetPort};

/// The scheme that a Service port probably speaks: what `appProtocol` says, else its name, else
/// its number.
pub fn guess_scheme(port: &ServicePort) -> HttpScheme {
    let speaks_tls = |word: &str| {
        word.to_lowercase()
            .split(['-', '.', '/'])
            .any(|part| matches!(part, "https" | "tls" | "ssl" | "wss"))
    };
    let https = match (&port.app_protocol, &port.name) {
        (Some(protocol), _) => speaks_tls(protocol),
        (None, Some(name)) if speaks_tls(name) => true,
        (None, Some(name)) if name.starts_with("http") => false,
        _ => {
            let usual = |number| matches!(number, 443 | 8443 | 6443);
            usual(port.port)
                || matches!(port.target_port, TargetPort::Number(number) if usual(number))
        }
    };
    if https {
        HttpScheme::Https
    } else {
        HttpScheme::Http
    }
}

/// The port that a request without one means: the Service's first TCP port.
pub fn default_port(service: &ServiceRecord) -> Option<RemotePort> {
    service
        .ports
        .iter()
        .find(|port| port.protocol == Protocol::Tcp)
        .map(|port| RemotePort::Number(port.port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use svcscope_model::inventory::{ObjectKey, SharedStr};

    fn port(name: Option<&str>, number: u16, app_protocol: Option<&str>) -> ServicePort {
        ServicePort {
            name: name.map(SharedStr::from),
            protocol: Protocol::Tcp,
            port: number,
            target_port: TargetPort::Number(8080),
            node_port: None,
            app_protocol: app_protocol.map(SharedStr::from),
        }
    }

    #[test]
    fn what_is_said_counts_more_than_the_number() {
        let table = [
            (port(None, 80, None), HttpScheme::Http),
            (port(None, 443, None), HttpScheme::Https),
            (port(None, 8443, None), HttpScheme::Https),
            (port(Some("https"), 80, None), HttpScheme::Https),
            (port(Some("https-admin"), 9000, None), HttpScheme::Https),
            (port(Some("http"), 443, None), HttpScheme::Http),
            (port(Some("web"), 443, None), HttpScheme::Https),
            (port(Some("https"), 443, Some("http")), HttpScheme::Http),
            (port(Some("web"), 80, Some("https")), HttpScheme::Https),
            (
                port(Some("web"), 80, Some("kubernetes.io/wss")),
                HttpScheme::Https,
            ),
            (
                port(Some("web"), 443, Some("kubernetes.io/h2c")),
                HttpScheme::Http,
            ),
        ];
        for (port, scheme) in table {
            assert_eq!(guess_scheme(&port), scheme, "{port:?}");
        }
        let to_8443 = ServicePort {
            target_port: TargetPort::Number(8443),
            ..port(None, 9000, None)
        };
        assert_eq!(guess_scheme(&to_8443), HttpScheme::Https);
    }

    #[test]
    fn udp_is_passed_over() {
        let mut service = ServiceRecord::new(ObjectKey::new("shop", "dns"));
        assert_eq!(default_port(&service), None);
        service.ports = vec![
            ServicePort {
                protocol: Protocol::Udp,
                ..port(None, 53, None)
            },
            port(None, 9153, None),
        ];
        assert_eq!(default_port(&service), Some(RemotePort::Number(9153)));
    }
}
