//! Amounts: `apimachinery/pkg/api/resource/quantity.go`.

/// What is said of a text that is no amount.
pub(crate) const ERROR: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const SUFFIXES: &[&str] = &[
    "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei",
];

/// Whether a text is an amount: a decimal number with a suffix or an exponent (`ParseQuantity`).
pub(crate) fn is_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let is_number = number.bytes().any(|byte| byte.is_ascii_digit())
        && number.bytes().filter(|byte| *byte == b'.').count() <= 1;
    let is_exponent = suffix.strip_prefix(['e', 'E']).is_some_and(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    is_number && (SUFFIXES.contains(&suffix) || is_exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_known() {
        for text in [
            "1", "0.5", ".5", "100m", "1Gi", "1e3", "-1", "2E", "12E6", "1.", "5k",
        ] {
            assert!(is_quantity(text), "{text}");
        }
        for text in [
            "", "1 Gi", "1GB", "1gi", "m", "1.2.3", "1K", "1Mb", "1e", ".",
        ] {
            assert!(!is_quantity(text), "{text}");
        }
    }
}
