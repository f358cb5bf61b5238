//! Addresses and ranges: `apimachinery/pkg/util/validation/ip.go`, and `ValidateNonSpecialIP` of
//! `pkg/apis/core/validation/validation.go`.
//!
//! Fields that are older than Go 1.17 take zeros before a number (`010.1.2.3`) and IPv4 in IPv6, and
//! whether a server refuses them depends on its feature gate `StrictIPCIDRValidation`: they are taken.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{error::ErrorList, field::Field};

/// `ParseIPSloppy`.
pub(crate) fn parse(text: &str) -> Option<IpAddr> {
    match text.parse::<Ipv6Addr>() {
        Ok(address) => Some(match address.to_ipv4_mapped() {
            Some(mapped) => IpAddr::V4(mapped),
            None => IpAddr::V6(address),
        }),
        Err(_) => parse_v4(text).map(IpAddr::V4),
    }
}

fn parse_v4(text: &str) -> Option<Ipv4Addr> {
    let mut bytes = Vec::new();
    for part in text.split('.') {
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        bytes.push(part.parse::<u8>().ok()?);
    }
    <[u8; 4]>::try_from(bytes).ok().map(Ipv4Addr::from)
}

/// An address and how many bits of it count (`ParseCIDRSloppy`).
pub(crate) fn parse_range(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/')?;
    let address = parse(address)?;
    let is_number = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
    let bits: u8 = bits.parse().ok().filter(|_| is_number)?;
    (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
}

/// Whether an address is in a range.
pub(crate) fn contains((range, bits): (IpAddr, u8), address: IpAddr) -> bool {
    let number = |address: IpAddr| match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)) << 96,
        IpAddr::V6(v6) => u128::from(v6),
    };
    let rest = 128 - u32::from(bits);
    let head = |address| number(address).checked_shr(rest).unwrap_or_default();
    range.is_ipv4() == address.is_ipv4() && head(range) == head(address)
}

/// `IsValidIPForLegacyField`. Says whether it is an address.
pub(crate) fn check_ip(field: &Field<'_>, errors: &mut ErrorList) -> bool {
    let is_address = parse(field.text()).is_some();
    if !is_address {
        errors.invalid(
            field,
            "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        );
    }
    is_address
}

/// `IsValidCIDRForLegacyField`, of a text that may stand between others.
pub(crate) fn check_range(field: &Field<'_>, text: &str, errors: &mut ErrorList) {
    if parse_range(text).is_none() {
        errors.invalid(
            field,
            "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
        );
    }
}

/// `ValidateNonSpecialIP`: an address that one machine can have and others reach.
pub(crate) fn check_not_special(field: &Field<'_>, errors: &mut ErrorList) {
    let text = field.text();
    let Some(address) = parse(text) else {
        return;
    };
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let link_local_multicast = match address {
        IpAddr::V4(v4) => v4.octets().starts_with(&[224, 0, 0]),
        IpAddr::V6(v6) => v6.segments()[0] & 0xff0f == 0xff02,
    };
    if address.is_unspecified() {
        errors.invalid(field, format!("may not be unspecified ({text})"));
    } else if address.is_loopback() {
        errors.invalid(
            field,
            "may not be in the loopback range (127.0.0.0/8, ::1/128)",
        );
    } else if link_local {
        errors.invalid(
            field,
            "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
        );
    } else if link_local_multicast {
        errors.invalid(
            field,
            "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_ranges_are_read_as_leniently_as_kubernetes_does() {
        for text in ["10.0.0.1", "010.1.2.3", "::1", "fd00::1", "::ffff:10.0.0.1"] {
            assert!(parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            "10.0.0",
            "256.1.1.1",
            "10.0.0.1/24",
            "a",
            "1:2",
            "10.0.0.1:80",
            "+1.2.3.4",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
        for text in ["10.0.0.0/8", "10.0.0.1/8", "fd00::/64", "0.0.0.0/0"] {
            assert!(parse_range(text).is_some(), "{text}");
        }
        for text in [
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0.0/",
            "fd00::/129",
            "/8",
            "10.0.0.0/+8",
        ] {
            assert!(parse_range(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_in_a_range_is_known() {
        let is_in = |range: &str, address: &str| {
            contains(parse_range(range).unwrap(), parse(address).unwrap())
        };
        assert!(is_in("10.0.0.0/8", "10.9.8.7"));
        assert!(!is_in("10.0.0.0/8", "11.0.0.0"));
        assert!(is_in("0.0.0.0/0", "1.2.3.4"));
        assert!(!is_in("0.0.0.0/0", "fd00::1"));
        assert!(is_in("fd00::/64", "fd00::1:2"));
        assert!(is_in("10.1.2.3/32", "10.1.2.3"));
    }
}
