//! Addresses as Kubernetes reads them: old objects may hold forms that new ones may not (KEP-4858).

use std::{
    borrow::Cow,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// An address as Kubernetes' `netutils.ParseIPSloppy` reads it (k8s.io/utils/net/parse.go):
/// leading zeros of IPv4 are decimal, and an IPv4 address that is written as IPv6 is IPv4.
pub fn parse_ip(text: &str) -> Option<IpAddr> {
    let Some((head, tail)) = text.rsplit_once(':') else {
        return parse_v4(text).map(IpAddr::V4);
    };
    let address: Ipv6Addr = match parse_v4(tail) {
        // The form with an IPv4 tail: `::ffff:010.1.2.3`.
        Some(tail) if text.contains('.') => format!("{head}:{tail}").parse().ok()?,
        _ => text.parse().ok()?,
    };
    Some(address.to_canonical())
}

fn parse_v4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0_u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = part.trim_start_matches('0');
        *octet = if digits.is_empty() {
            0
        } else {
            digits.parse().ok()?
        };
    }
    parts.next().is_none().then(|| octets.into())
}

/// A range as `netutils.ParseCIDRSloppy` reads it: its first address and the length of its prefix.
/// Bits of the host are left out.
pub fn parse_cidr(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/')?;
    let length: u8 = length.parse().ok()?;
    let first = match parse_ip(address)? {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.checked_sub(length.into())?);
            Ipv4Addr::from(u32::from(address) & mask.unwrap_or(0)).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.checked_sub(length.into())?);
            Ipv6Addr::from(u128::from(address) & mask.unwrap_or(0)).into()
        }
    };
    Some((first, length))
}

/// The one form of an address by which it may be compared; other text stays as it is.
pub fn canonical(text: &str) -> Cow<'_, str> {
    match parse_ip(text) {
        // What Rust reads as IPv4 is in this form already.
        Some(IpAddr::V4(_)) if text.parse::<Ipv4Addr>().is_ok() => Cow::Borrowed(text),
        Some(address) => {
            let address = address.to_string();
            if address == text {
                Cow::Borrowed(text)
            } else {
                Cow::Owned(address)
            }
        }
        None => Cow::Borrowed(text),
    }
}

/// Whether two texts are the same address, or the same text.
pub fn is_same_address(a: &str, b: &str) -> bool {
    a == b || canonical(a) == canonical(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_forms_of_an_address_are_the_address() {
        for (old, new) in [
            ("010.1.2.3", "10.1.2.3"),
            ("10.000.02.3", "10.0.2.3"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
            ("::ffff:010.2.3.4", "10.2.3.4"),
            ("2001:DB8:0:0::01", "2001:db8::1"),
            ("fd00:0:0:0:0:0:0:1", "fd00::1"),
            ("10.1.2.3", "10.1.2.3"),
            ("fd00::1", "fd00::1"),
        ] {
            assert_eq!(canonical(old), new);
            assert!(is_same_address(old, new), "{old}");
        }
    }

    #[test]
    fn what_is_no_address_stays_as_it_is() {
        for text in [
            "",
            "None",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "1.2.3.+4",
            "lb.example",
            "fe80::1%eth0",
            "1.2.3.",
            ":::",
            "::1.2.3",
            "99999999999999999999.1.1.1",
        ] {
            assert_eq!(parse_ip(text), None, "{text}");
            assert_eq!(canonical(text), text);
        }
    }

    #[test]
    fn a_range_begins_where_its_prefix_does() {
        let first = |text| parse_cidr(text).map(|(first, length)| format!("{first}/{length}"));
        assert_eq!(first("010.1.2.3/8").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(first("10.1.2.3/32").as_deref(), Some("10.1.2.3/32"));
        assert_eq!(first("10.1.2.3/0").as_deref(), Some("0.0.0.0/0"));
        assert_eq!(first("2001:db8::5/64").as_deref(), Some("2001:db8::/64"));
        assert_eq!(first("::1/0").as_deref(), Some("::/0"));
        for bad in ["10.1.2.3", "10.1.2.3/33", "::/129", "a/8", "10.0.0.0/-1"] {
            assert_eq!(first(bad), None, "{bad}");
        }
    }
}
