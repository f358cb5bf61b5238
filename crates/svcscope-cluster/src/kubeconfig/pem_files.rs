//! The client certificate and its key, as Go's `tls.X509KeyPair` takes them out of PEM.

use std::path::PathBuf;

use super::{KubeconfigError, section::KubeconfigSection};
use crate::bounded_file;

/// The content of `FIELD-data`, else of the file that `FIELD` names, and which of the two it is.
pub(super) fn pem_field(
    entry: &KubeconfigSection,
    field: &'static str,
    files: &mut Vec<PathBuf>,
) -> Result<Option<(&'static str, Vec<u8>)>, KubeconfigError> {
    let data = match field {
        "client-certificate" => "client-certificate-data",
        "client-key" => "client-key-data",
        _ => "certificate-authority-data",
    };
    if let Some(content) = entry.base64(data)? {
        return Ok(Some((data, content)));
    }
    let Some(path) = entry.path(field)? else {
        return Ok(None);
    };
    files.push(path.clone());
    let content = bounded_file::read(&path, bounded_file::MAX_CREDENTIAL)
        .map_err(|said| entry.invalid_field(field, format!("{}: {said}", path.display())))?;
    Ok(Some((field, content)))
}

/// All certificates, whatever surrounds them.
pub(super) fn certificates(pem: &[u8]) -> Result<String, &'static str> {
    let text = String::from_utf8_lossy(pem);
    let found: String = blocks(&text)
        .filter(|(label, _)| *label == "CERTIFICATE")
        .map(|(_, block)| block)
        .collect();
    if found.is_empty() {
        return Err("it holds no PEM certificate");
    }
    Ok(found)
}

/// The first private key.
pub(super) fn private_key(pem: &[u8]) -> Result<String, &'static str> {
    let text = String::from_utf8_lossy(pem);
    let key = blocks(&text)
        .find(|(label, _)| label.ends_with("PRIVATE KEY"))
        .ok_or("it holds no PEM private key")?;
    // RFC 1421 and PKCS #8.
    if key.0.starts_with("ENCRYPTED") || key.1.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(
            "the private key is encrypted, which kubectl can't use either; decrypt it: openssl pkey -in FILE -out NEWFILE",
        );
    }
    Ok(key.1)
}

/// Each block of PEM with its label.
fn blocks(text: &str) -> impl Iterator<Item = (&str, String)> {
    let mut lines = text.lines().map(str::trim);
    std::iter::from_fn(move || {
        loop {
            let label = lines
                .next()?
                .strip_prefix("-----BEGIN ")
                .and_then(|rest| rest.strip_suffix("-----"));
            let Some(label) = label else { continue };
            let end = format!("-----END {label}-----");
            let mut block = format!("-----BEGIN {label}-----\n");
            loop {
                let line = lines.next()?;
                block.push_str(line);
                block.push('\n');
                if line == end {
                    return Some((label, block));
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "Bag Attributes\r\n-----BEGIN EC PARAMETERS-----\nAA==\n-----END EC PARAMETERS-----\n-----BEGIN EC PRIVATE KEY-----\r\nBB==\r\n-----END EC PRIVATE KEY-----\n -----BEGIN CERTIFICATE-----\nCC==\n-----END CERTIFICATE-----";

    #[test]
    fn each_is_found_in_one_file_of_both() {
        let key = private_key(PEM.as_bytes()).unwrap();
        assert_eq!(
            key,
            "-----BEGIN EC PRIVATE KEY-----\nBB==\n-----END EC PRIVATE KEY-----\n"
        );
        let certificate = certificates(PEM.as_bytes()).unwrap();
        assert_eq!(
            certificate,
            "-----BEGIN CERTIFICATE-----\nCC==\n-----END CERTIFICATE-----\n"
        );
    }

    #[test]
    fn an_encrypted_key_and_none_are_said_to_be_so() {
        let pkcs8 =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let rfc1421 = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAA==\n-----END RSA PRIVATE KEY-----\n";
        for pem in [pkcs8, rfc1421] {
            let said = private_key(pem.as_bytes()).unwrap_err();
            assert!(said.contains("is encrypted"), "{said}");
        }
        let cut = "-----BEGIN PRIVATE KEY-----\nAA==\n";
        assert_eq!(
            private_key(cut.as_bytes()).unwrap_err(),
            "it holds no PEM private key"
        );
        assert_eq!(
            certificates(b"\xff\x00").unwrap_err(),
            "it holds no PEM certificate"
        );
    }
}
