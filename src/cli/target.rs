//! Targets and ports as they are written on a command line.

use std::{fmt, str::FromStr};

use svcscope_model::inventory::{ObjectKey, SharedStr};
use svcscope_net::forward::{ForwardTarget, RemotePort};

/// `svc/NAME`, `pod/NAME`, `deployment/NAME`, each with an optional `:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetArg {
    kind: SharedStr,
    name: SharedStr,
    /// The port after the colon, where one was given.
    pub port: Option<RemotePort>,
}

/// A word that is no target or port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseTargetError {
    /// The part before the slash.
    #[error(
        "`{0}` can't be forwarded to; use svc, pod, deployment, statefulset, daemonset, replicaset or job"
    )]
    Kind(String),
    /// Nothing after the slash.
    #[error("`{0}` names nothing; write for example svc/web")]
    Name(String),
    /// A port that is neither a number from 1 to 65535 nor a name.
    #[error("`{0}` is no port: a number from 1 to 65535 or the name of a port is needed")]
    Port(String),
}

impl TargetArg {
    /// The target in this namespace.
    pub fn in_namespace(&self, namespace: &str) -> ForwardTarget {
        ForwardTarget::from_kind(&self.kind, ObjectKey::new(namespace, self.name.clone()))
    }

    /// Its kind in Kubernetes' own spelling.
    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// Its name.
    pub(super) fn name(&self) -> &SharedStr {
        &self.name
    }

    /// Whether it is a Service.
    pub fn is_service(&self) -> bool {
        &*self.kind == "Service"
    }
}

impl FromStr for TargetArg {
    type Err = ParseTargetError;

    /// A bare name is a pod, as in `kubectl port-forward`.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let (kind, rest) = word.split_once('/').unwrap_or(("pod", word));
        let Some(kind) = ForwardTarget::kind(kind) else {
            return Err(ParseTargetError::Kind(kind.to_owned()));
        };
        let (name, port) = match rest.split_once(':') {
            Some((name, port)) => (name, Some(parse_port(port)?)),
            None => (rest, None),
        };
        if name.is_empty() {
            return Err(ParseTargetError::Name(word.to_owned()));
        }
        Ok(Self {
            kind: SharedStr::from(kind),
            name: SharedStr::from(name),
            port,
        })
    }
}

impl fmt::Display for TargetArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.in_namespace(""))
    }
}

/// `[LOCAL:]REMOTE`. Without LOCAL the local port is the same number, as in kubectl; with an empty
/// or zero LOCAL, or a REMOTE that is a name, it is any free one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortPair {
    /// The local port, none for any free one.
    pub local: Option<u16>,
    /// The port of the target.
    pub remote: RemotePort,
}

impl FromStr for PortPair {
    type Err = ParseTargetError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let Some((local, remote)) = word.split_once(':') else {
            let remote = parse_port(word)?;
            let local = match remote {
                RemotePort::Number(number) => Some(number),
                RemotePort::Name(_) => None,
            };
            return Ok(Self { local, remote });
        };
        let local = match local {
            "" => None,
            digits => digits
                .parse()
                .map(|number: u16| (number != 0).then_some(number))
                .map_err(|_number| ParseTargetError::Port(digits.to_owned()))?,
        };
        Ok(Self {
            local,
            remote: parse_port(remote)?,
        })
    }
}

/// A number, or a name as Kubernetes allows it for ports: it holds a letter.
fn parse_port(word: &str) -> Result<RemotePort, ParseTargetError> {
    let wrong = || ParseTargetError::Port(word.to_owned());
    if word.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        let fits = word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        return fits
            .then(|| RemotePort::Name(SharedStr::from(word)))
            .ok_or_else(wrong);
    }
    match word.parse::<u16>() {
        Ok(number) if number != 0 => Ok(RemotePort::Number(number)),
        _ => Err(wrong()),
    }
}

/// Where a forward listens: an address, or `localhost`, which is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenAddress(pub Option<std::net::IpAddr>);

/// A word that is no address to listen at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an address to listen at is localhost or an IP address such as 0.0.0.0")]
pub struct ParseListenAddressError;

impl FromStr for ListenAddress {
    type Err = ParseListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "localhost" => Ok(Self(None)),
            ip => ip
                .parse()
                .map(|ip| Self(Some(ip)))
                .map_err(|_no_address| ParseListenAddressError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_as_kubectl_reads_them() {
        let service: TargetArg = "svc/web:http".parse().unwrap();
        assert_eq!(
            service.in_namespace("shop"),
            ForwardTarget::Service(ObjectKey::new("shop", "web"))
        );
        assert_eq!(service.port, Some(RemotePort::Name("http".into())));
        assert_eq!(
            "deploy/web".parse::<TargetArg>().unwrap().to_string(),
            "deployment/web"
        );
        assert_eq!(
            "web-0".parse::<TargetArg>().unwrap().to_string(),
            "pod/web-0"
        );
        assert!(matches!(
            "cm/x".parse::<TargetArg>(),
            Err(ParseTargetError::Kind(_))
        ));
        assert!(matches!(
            "svc/".parse::<TargetArg>(),
            Err(ParseTargetError::Name(_))
        ));
        assert!(matches!(
            "svc/x:0".parse::<TargetArg>(),
            Err(ParseTargetError::Port(_))
        ));
    }

    #[test]
    fn ports_are_read_as_kubectl_reads_them() {
        let pair = |word: &str| word.parse::<PortPair>();
        assert_eq!(
            pair("80").unwrap(),
            PortPair {
                local: Some(80),
                remote: RemotePort::Number(80)
            }
        );
        assert_eq!(
            pair("8080:http").unwrap(),
            PortPair {
                local: Some(8080),
                remote: RemotePort::Name("http".into())
            }
        );
        assert_eq!(pair(":80").unwrap().local, None);
        assert_eq!(pair("0:80").unwrap().local, None);
        assert_eq!(pair("http").unwrap().local, None);
        for wrong in ["", "70000", "80:", "x:80", "80:70000", "-1"] {
            assert!(pair(wrong).is_err(), "{wrong}");
        }
    }
}
