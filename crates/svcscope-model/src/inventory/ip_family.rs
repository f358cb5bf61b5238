//! IPv4 and IPv6.

use std::{fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

/// `spec.ipFamilies[]` of a Service, `addressType` of a slice that kube-proxy reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum IpFamily {
    /// Version 4.
    IPv4,
    /// Version 6.
    IPv6,
}

impl IpFamily {
    /// Both.
    pub const ALL: [Self; 2] = [Self::IPv4, Self::IPv6];

    /// The family of an address; none for a name. Old objects may hold IPv4 addresses with leading
    /// zeros (`ParseIPSloppy`), which are addresses all the same.
    pub fn of(address: &str) -> Option<Self> {
        match address.parse() {
            Ok(IpAddr::V4(_)) => Some(Self::IPv4),
            Ok(IpAddr::V6(_)) => Some(Self::IPv6),
            Err(_not_strict) => {
                let parts = address.split('.');
                let is_sloppy = parts.clone().count() == 4
                    && parts
                        .clone()
                        .all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
                    && !parts.clone().any(str::is_empty);
                is_sloppy.then_some(Self::IPv4)
            }
        }
    }

    /// The family of that name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::IPv4 => Self::IPv6,
            Self::IPv6 => Self::IPv4,
        }
    }

    /// Kubernetes' own spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IPv4 => "IPv4",
            Self::IPv6 => "IPv6",
        }
    }
}

impl fmt::Display for IpFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_known_by_the_address() {
        assert_eq!(IpFamily::of("10.0.0.7"), Some(IpFamily::IPv4));
        assert_eq!(IpFamily::of("010.000.0.7"), Some(IpFamily::IPv4));
        assert_eq!(IpFamily::of("fd00::7"), Some(IpFamily::IPv6));
        for no_address in ["None", "", "lb.example.com", "1.2.3", "1.2.3."] {
            assert_eq!(IpFamily::of(no_address), None, "{no_address}");
        }
        assert_eq!(IpFamily::named("IPv6"), Some(IpFamily::IPv6));
        assert_eq!(IpFamily::named("FQDN"), None);
    }
}
