//! The authorities of a PEM bundle.

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// The certificates of a bundle that can be read. What else stands there is passed over, as
/// `CertPool.AppendCertsFromPEM` does (Go's crypto/x509/cert_pool.go): one broken certificate of many
/// costs itself alone, also where its end is missing.
pub fn authorities_in_pem(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    let is_begin = |rest: &[u8]| rest.starts_with(BEGIN);
    let begins = (0..pem.len()).filter(|&at| pem.get(at..).is_some_and(is_begin));
    begins
        .filter_map(|at| CertificateDer::from_pem_slice(first_pem_block(pem.get(at..)?)).ok())
        .filter(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok())
        .collect()
}

const BEGIN: &[u8] = b"-----BEGIN ";

/// Up to where the next one begins.
fn first_pem_block(from: &[u8]) -> &[u8] {
    let next = from
        .windows(BEGIN.len())
        .skip(1)
        .position(|window| window == BEGIN);
    next.and_then(|at| from.get(..=at)).unwrap_or(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CA: &str = include_str!("fixtures/ca.pem");
    const OTHER: &str = include_str!("fixtures/other.pem");
    const KEY: &str = include_str!("fixtures/self.key");

    fn count(bundle: &str) -> usize {
        authorities_in_pem(bundle.as_bytes()).len()
    }

    #[test]
    fn what_can_not_be_read_costs_itself_alone() {
        let no_base64 = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
        let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for junk in [
            no_base64,
            no_certificate,
            KEY,
            "words\n",
            "\u{feff}\r\n",
            "",
        ] {
            assert_eq!(count(&format!("{CA}{junk}{OTHER}")), 2, "{junk:?}");
            assert_eq!(count(junk), 0, "{junk:?}");
        }
        assert_eq!(count(&CA.replace('\n', "\r\n")), 1);
    }

    #[test]
    fn a_certificate_that_is_cut_short_costs_itself_alone() {
        let half = &CA[..CA.len() / 2];
        assert_eq!(count(&format!("{OTHER}{half}")), 1);
        assert_eq!(count(&format!("{OTHER}{half}\n{CA}")), 2);
    }
}
