//! Words of the command line about changes: ports, nodePorts, and how to go about it.

use std::{fmt, str::FromStr};

use clap::ValueEnum;

use svcscope_edit::MigrationPath;
use svcscope_model::inventory::{Protocol, ServicePort, SharedStr, TargetPort};

/// What every command that changes something understands.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct EditFlags {
    /// Have the server check everything and store nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Show what differs, as a unified diff of the YAML
    #[arg(long)]
    pub diff: bool,
    /// Print the Service as it then is, instead of one line
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub output: Option<ObjectFormat>,
    /// Skip the confirmation; required in scripts. In a production context use --confirm instead
    #[arg(short, long)]
    pub yes: bool,
    /// Do it without asking, also in a production context: the Service's name, as it would be typed
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
}

/// How an object is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ObjectFormat {
    /// As the API server has it.
    Json,
    /// YAML without managedFields.
    Yaml,
}

/// How a Service becomes headless, or is headless no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MigrationPathArg {
    /// Two changes: the Service object stays, DNS answers with nothing for a moment.
    ExternalName,
    /// Deleted and created again.
    Recreate,
}

impl From<MigrationPathArg> for MigrationPath {
    fn from(via: MigrationPathArg) -> Self {
        match via {
            MigrationPathArg::ExternalName => Self::ExternalName,
            MigrationPathArg::Recreate => Self::Recreate,
        }
    }
}

/// A word that is no port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParsePortError {
    /// Of `--port`.
    #[error(
        "`{0}` is no port of a Service: write [NAME:]PORT[:TARGETPORT][/PROTOCOL], for example 80, \
         http:80:8080 or dns:53:dns/UDP"
    )]
    Port(String),
    /// Of `--node-port`.
    #[error(
        "`{0}` is no nodePort: write NAME=NUMBER or PORT=NUMBER, or the number alone where the \
         Service has one port"
    )]
    NodePort(String),
    /// Of `--remove`.
    #[error(
        "`{0}` names no port: write its name, or its number with the protocol if that is not TCP"
    )]
    Named(String),
}

/// `[NAME:]PORT[:TARGETPORT][/PROTOCOL]`; TARGETPORT is a number or the name of a container port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortArg {
    name: Option<SharedStr>,
    port: u16,
    target: Option<TargetPort>,
    protocol: Protocol,
}

impl PortArg {
    /// The port of a Service. Where that is known, it keeps what the word does not say: its
    /// nodePort and appProtocol, and its targetPort and name where they are left out.
    pub fn port(&self, known: &[ServicePort]) -> ServicePort {
        let held = known
            .iter()
            .find(|held| (held.protocol, held.port) == (self.protocol, self.port))
            .or_else(|| {
                let same = |held: &&ServicePort| held.name.is_some() && held.name == self.name;
                known.iter().find(same)
            });
        ServicePort {
            name: self
                .name
                .clone()
                .or_else(|| held.and_then(|held| held.name.clone())),
            protocol: self.protocol,
            port: self.port,
            target_port: self
                .target
                .clone()
                .or_else(|| held.map(|held| held.target_port.clone()))
                .unwrap_or(TargetPort::Number(self.port)),
            node_port: held.and_then(|held| held.node_port),
            app_protocol: held.and_then(|held| held.app_protocol.clone()),
        }
    }
}

impl FromStr for PortArg {
    type Err = ParsePortError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let wrong = || ParsePortError::Port(word.to_owned());
        let (rest, protocol) = protocol(word).ok_or_else(wrong)?;
        let parts: Vec<_> = rest.split(':').collect();
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let (name, port, target) = match parts.as_slice() {
            [port] => (None, *port, None),
            [port, target] if is_number(port) => (None, *port, Some(*target)),
            [name, port] => (Some(*name), *port, None),
            [name, port, target] => (Some(*name), *port, Some(*target)),
            _ => return Err(wrong()),
        };
        let target = match target {
            None => None,
            Some("") => return Err(wrong()),
            Some(digits) if is_number(digits) => {
                Some(TargetPort::Number(number(digits).ok_or_else(wrong)?))
            }
            Some(name) => Some(TargetPort::Name(name.into())),
        };
        if name == Some("") {
            return Err(wrong());
        }
        Ok(Self {
            name: name.map(SharedStr::from),
            port: number(port).ok_or_else(wrong)?,
            target,
            protocol,
        })
    }
}

/// Which port of a Service: `http`, `80`, `53/UDP`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortSelector {
    /// By its name.
    Name(SharedStr),
    /// By its number.
    Number(u16, Protocol),
}

impl PortSelector {
    /// Whether it is this one.
    pub fn is(&self, port: &ServicePort) -> bool {
        match self {
            Self::Name(name) => port.name.as_ref() == Some(name),
            Self::Number(number, protocol) => (port.port, port.protocol) == (*number, *protocol),
        }
    }
}

impl FromStr for PortSelector {
    type Err = ParsePortError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let wrong = || ParsePortError::Named(word.to_owned());
        let (rest, protocol) = protocol(word).ok_or_else(wrong)?;
        match number(rest) {
            Some(port) => Ok(Self::Number(port, protocol)),
            None if rest.is_empty() || rest != word => Err(wrong()),
            None => Ok(Self::Name(rest.into())),
        }
    }
}

impl fmt::Display for PortSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Number(number, protocol) => write!(f, "{number}/{protocol}"),
        }
    }
}

/// `NAME=N`, `PORT=N`, or `N` alone for a Service with one port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePortArg {
    /// Whose.
    pub of: Option<PortSelector>,
    /// The nodePort.
    pub number: u16,
}

impl FromStr for NodePortArg {
    type Err = ParsePortError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let wrong = || ParsePortError::NodePort(word.to_owned());
        let (of, digits) = match word.split_once('=') {
            Some((of, digits)) => (Some(of.parse().map_err(|_named| wrong())?), digits),
            None => (None, word),
        };
        Ok(Self {
            of,
            number: number(digits).ok_or_else(wrong)?,
        })
    }
}

/// Gives ports their nodePorts, or says which of them is not there.
pub(super) fn with_node_ports(
    mut ports: Vec<ServicePort>,
    wanted: &[NodePortArg],
) -> Result<Vec<ServicePort>, String> {
    for requested in wanted {
        let found = match &requested.of {
            Some(of) => ports.iter_mut().find(|port| of.is(port)),
            None => match ports.as_mut_slice() {
                [only] => Some(only),
                several => {
                    return Err(format!(
                        "the Service has {} ports: say which shall have nodePort {} (NAME={})",
                        several.len(),
                        requested.number,
                        requested.number
                    ));
                }
            },
        };
        match (found, &requested.of) {
            (Some(port), _) => port.node_port = Some(requested.number),
            (None, Some(of)) => return Err(format!("the Service has no port {of}")),
            (None, None) => {}
        }
    }
    Ok(ports)
}

fn protocol(word: &str) -> Option<(&str, Protocol)> {
    let Some((rest, name)) = word.split_once('/') else {
        return Some((word, Protocol::Tcp));
    };
    [Protocol::Tcp, Protocol::Udp, Protocol::Sctp]
        .into_iter()
        .find(|known| known.as_str().eq_ignore_ascii_case(name))
        .map(|protocol| (rest, protocol))
}

fn number(digits: &str) -> Option<u16> {
    digits.parse().ok().filter(|number| *number != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(word: &str) -> ServicePort {
        word.parse::<PortArg>().unwrap().port(&[])
    }

    #[test]
    fn ports_are_read_with_and_without_name_target_and_protocol() {
        let plain = port("80");
        assert_eq!((plain.port, plain.name), (80, None));
        assert_eq!(plain.target_port, TargetPort::Number(80));
        assert_eq!(port("80:8080").target_port, TargetPort::Number(8080));
        assert_eq!(port("80:web").target_port, TargetPort::Name("web".into()));
        let whole = port("dns:53:5353/udp");
        assert_eq!(whole.name.as_deref(), Some("dns"));
        assert_eq!(whole.protocol, Protocol::Udp);
        assert_eq!(whole.target_port, TargetPort::Number(5353));
        for wrong in [
            "", "http", "0", "70000", ":80", "80:", "a:b", "a:1:2:3", "80/x",
        ] {
            assert!(wrong.parse::<PortArg>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_known_port_keeps_what_is_not_said() {
        let known = ServicePort {
            node_port: Some(30080),
            ..port("http:80:web")
        };
        let kept = "80"
            .parse::<PortArg>()
            .unwrap()
            .port(std::slice::from_ref(&known));
        assert_eq!(kept, known);
        let moved = "http:81".parse::<PortArg>().unwrap().port(&[known]);
        assert_eq!((moved.port, moved.node_port), (81, Some(30080)));
        assert_eq!(moved.target_port, TargetPort::Name("web".into()));
    }

    #[test]
    fn node_ports_find_their_port() {
        let ports = || vec![port("http:80"), port("dns:53/UDP")];
        let given = |words: &[&str]| {
            let wanted: Vec<_> = words.iter().map(|word| word.parse().unwrap()).collect();
            with_node_ports(ports(), &wanted)
        };
        let both = given(&["http=30080", "53/udp=30053"]).unwrap();
        let numbers: Vec<_> = both.iter().map(|port| port.node_port).collect();
        assert_eq!(numbers, [Some(30080), Some(30053)]);
        assert!(given(&["30080"]).unwrap_err().contains("say which"));
        assert!(given(&["53=30053"]).unwrap_err().contains("no port 53/TCP"));
        assert!("http=0".parse::<NodePortArg>().is_err());
    }
}
