//! What a port speaks, as meshes and Ingress controllers have to guess it.

use super::{
    CheckRule, Finding, RuleContext, RuleFunction, RuleGroup, documentation_urls, place_of,
};

pub(super) static RULES: &[&CheckRule] = &[&UNKNOWN];

/// The values of the domain that Kubernetes defines.
const DEFINED: [&str; 3] = ["h2c", "ws", "wss"];

static UNKNOWN: CheckRule = CheckRule {
    id: "SVC-APP-PROTOCOL",
    group: RuleGroup::Ports,
    title: "What a port speaks has to be guessed",
    about: "Said of a port named like gRPC without appProtocol, and of a value below \
            kubernetes.io/ that is not defined: h2c, ws and wss are. Other values have other \
            owners.",
    url: documentation_urls::APP_PROTOCOL,
    function: RuleFunction::Service(check),
    ..CheckRule::BASE
};

fn check(case: &RuleContext<'_>) -> Vec<Finding> {
    let ports = case.service().ports.iter();
    ports
        .filter_map(|port| {
            let name = port.name.as_deref().unwrap_or_default();
            let (short, message) = match port.app_protocol.as_deref() {
                None if name == "grpc" || name.starts_with("grpc-") => (
                    "no appProtocol".to_owned(),
                    format!(
                        "Port {} is named {name} and says no appProtocol: a mesh or an Ingress \
                         controller has to guess that it speaks HTTP/2.",
                        port.port
                    ),
                ),
                Some(value) if is_undefined(value) => (
                    format!("appProtocol {value}"),
                    format!(
                        "appProtocol {value} of port {} is not defined; kubernetes.io/h2c, \
                         kubernetes.io/ws and kubernetes.io/wss are.",
                        port.port
                    ),
                ),
                _ => return None,
            };
            Some(UNKNOWN.finding(place_of(case, port), short, message))
        })
        .collect()
}

fn is_undefined(value: &str) -> bool {
    let own = value.strip_prefix("kubernetes.io/");
    own.is_some_and(|own| !DEFINED.contains(&own))
}
