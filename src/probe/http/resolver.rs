//! Where to connect, whatever the URL says.

use std::{io, net::SocketAddr, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Marks;
use crate::inventory::Text;

/// Where to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::probe) enum To {
    /// This address.
    Address(SocketAddr),
    /// What this name resolves to here, at this port.
    Name(Text, u16),
}

impl To {
    /// An address or a name, at this port.
    pub(in crate::probe) fn at(host: &str, port: u16) -> Self {
        match host.trim_matches(['[', ']']).parse() {
            Ok(ip) => Self::Address(SocketAddr::new(ip, port)),
            Err(_a_name) => Self::Name(Text::from(host), port),
        }
    }

    /// The addresses that it stands for, asking DNS where it is a name.
    pub(in crate::probe) async fn resolve(
        &self,
        marks: &Marks,
    ) -> Result<Vec<SocketAddr>, NameError> {
        match self {
            Self::Address(address) => Ok(vec![*address]),
            Self::Name(name, port) => {
                marks.resolving();
                let found: Vec<_> = tokio::net::lookup_host((&**name, *port))
                    .await
                    .map_err(|source| NameError {
                        name: name.clone(),
                        source,
                    })?
                    .collect();
                marks.resolved();
                Ok(found)
            }
        }
    }
}

/// `10.0.0.7:80`, `shop.example.com:443`.
impl std::fmt::Display for To {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

/// A name that does not resolve.
#[derive(Debug, thiserror::Error)]
#[error("{name} does not resolve here: {source}")]
pub(in crate::probe) struct NameError {
    name: Text,
    source: io::Error,
}

/// Answers every question of reqwest with the same place.
pub(super) struct Pinned {
    pub(super) to: To,
    pub(super) marks: Arc<Marks>,
}

impl Resolve for Pinned {
    fn resolve(&self, _of_the_url: Name) -> Resolving {
        let (to, marks) = (self.to.clone(), self.marks.clone());
        Box::pin(async move {
            let found = to.resolve(&marks).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
