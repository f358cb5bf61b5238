//! What an ExternalName may point to.

use std::net::IpAddr;

/// Why a name can't be an externalName.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExternalNameError {
    /// Nothing was given.
    #[error("an ExternalName needs the DNS name that it shall point to")]
    Missing,
    /// Not a DNS name, by the rule of RFC 1123 that the API server applies.
    #[error(
        "`{0}` is no DNS name: use lower-case letters, digits, `-` and `.`, each part beginning \
         and ending with a letter or digit, 253 characters in all"
    )]
    Malformed(String),
}

/// Checks a name by the API server's rule (`IsDNS1123Subdomain`), which lets pass what
/// [`is_address`] finds. A trailing dot is left to the server to judge.
pub(crate) fn check(name: &str) -> Result<(), ExternalNameError> {
    if name.is_empty() {
        return Err(ExternalNameError::Missing);
    }
    let plain = name.strip_suffix('.').unwrap_or(name);
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let good_part = |part: &str| {
        part.starts_with(alphanumeric)
            && part.ends_with(alphanumeric)
            && part.chars().all(|c| alphanumeric(c) || c == '-')
    };
    if plain.len() <= 253 && plain.split('.').all(good_part) {
        Ok(())
    } else {
        Err(ExternalNameError::Malformed(name.to_owned()))
    }
}

/// Whether the name is an address: the server takes an IPv4 one, but an alias leads to a name, so
/// that DNS never answers with it.
pub(crate) fn is_address(name: &str) -> bool {
    name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_as_the_server_does() {
        for good in [
            "db.example.com",
            "db.example.com.",
            "a",
            "1.2.3.4",
            "x--y.z",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "DB.example.com",
            "db..example",
            "-db",
            "db-",
            "a_b",
            "http://x",
            "x:80",
            "::1",
            ".",
            &"a".repeat(254),
        ] {
            assert_eq!(
                check(bad),
                Err(ExternalNameError::Malformed(bad.to_owned())),
                "{bad}"
            );
        }
        assert_eq!(check(""), Err(ExternalNameError::Missing));
    }

    #[test]
    fn addresses_are_told_from_names() {
        assert!(is_address("10.1.2.3"));
        assert!(!is_address("10.1.2.3.example.com"));
    }
}
