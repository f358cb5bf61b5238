//! A certificate in words.

use std::time::Duration;

use jiff::Timestamp;
use rustls::{CertificateError, pki_types::CertificateDer};
use x509_cert::{
    Certificate,
    der::Decode,
    ext::pkix::{SubjectAltName, name::GeneralName},
    time::Time,
};

use crate::probe::CertificateSummary;
use svcscope_model::inventory::SharedStr;

/// What a certificate says of itself. One that can't be read says so.
pub fn summarize_certificate(certificate: &CertificateDer<'_>) -> CertificateSummary {
    let Ok(read) = Certificate::from_der(certificate) else {
        return CertificateSummary {
            subject: SharedStr::from("a certificate that can't be read"),
            issuer: SharedStr::from(""),
            names: Vec::new(),
            not_before: None,
            not_after: None,
        };
    };
    let inner = &read.tbs_certificate;
    CertificateSummary {
        subject: inner.subject.to_string().into(),
        issuer: inner.issuer.to_string().into(),
        names: names(&read),
        not_before: moment(inner.validity.not_before),
        not_after: moment(inner.validity.not_after),
    }
}

fn moment(time: Time) -> Option<Timestamp> {
    let since: Duration = time.to_unix_duration();
    Timestamp::from_second(i64::try_from(since.as_secs()).ok()?).ok()
}

fn names(certificate: &Certificate) -> Vec<SharedStr> {
    let found = certificate.tbs_certificate.get::<SubjectAltName>();
    let Ok(Some((_critical, SubjectAltName(names)))) = found else {
        return Vec::new();
    };
    names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DnsName(name) => Some(SharedStr::from(name.as_str())),
            GeneralName::IpAddress(bytes) => address(bytes.as_bytes()).map(SharedStr::from),
            GeneralName::UniformResourceIdentifier(uri) => Some(SharedStr::from(uri.as_str())),
            _ => None,
        })
        .collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    let four: Result<[u8; 4], _> = bytes.try_into();
    let sixteen: Result<[u8; 16], _> = bytes.try_into();
    match (four, sixteen) {
        (Ok(four), _) => Some(std::net::Ipv4Addr::from(four).to_string()),
        (_, Ok(sixteen)) => Some(std::net::Ipv6Addr::from(sixteen).to_string()),
        _ => None,
    }
}

/// Why a certificate is not trusted.
pub fn rejection_reason(error: &rustls::Error, name: &str) -> String {
    let rustls::Error::InvalidCertificate(why) = error else {
        return error.to_string();
    };
    let at = |time: &rustls::pki_types::UnixTime| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Timestamp::from_second(seconds).map_or_else(
            |_far| "?".to_owned(),
            |at| at.strftime("%Y-%m-%d").to_string(),
        )
    };
    match why {
        CertificateError::Expired => "it has expired".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("it has expired on {}", at(not_after))
        }
        CertificateError::NotValidYet => "it is not valid yet".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("it is not valid before {}", at(not_before))
        }
        CertificateError::NotValidForName => format!("it is not for the name {name}"),
        CertificateError::NotValidForNameContext { presented, .. } => match presented.as_slice() {
            [] => format!("it is not for the name {name}"),
            _ => format!(
                "it is not for the name {name}, but for {}",
                presented
                    .iter()
                    .map(|name| bare(name))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        },
        CertificateError::UnknownIssuer => {
            "it is signed by no authority that this machine trusts".to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not for servers".to_owned()
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. } => {
            "its signature algorithm is not supported".to_owned()
        }
        CertificateError::Other(other) => format!("it can't be verified ({other})"),
        other => other.to_string(),
    }
}

/// webpki writes names as `DnsName("x")`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner);
    inner.trim_end_matches(')').trim_matches('"')
}
