//! Forms of names: `apimachinery/pkg/util/validation/validation.go` and
//! `apimachinery/pkg/api/validate/content`. Each function gives all that is wrong with a text.

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

fn too_long(text: &str, most: usize) -> Option<String> {
    (text.len() > most).then(|| format!("must be no more than {most} characters"))
}

/// The message of `RegexError`.
fn form(what: &str, examples: &[&str], expression: &str) -> String {
    let examples: Vec<_> = examples.iter().map(|one| format!("'{one}', ")).collect();
    let examples = examples.join(" or ");
    format!("{what} (e.g. {examples}regex used for validation is '{expression}')")
}

fn is_lower_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Starts and ends with one of `edge`, and has only those and `inner` between.
fn is_formed(text: &str, edge: fn(u8) -> bool, inner: &[u8]) -> bool {
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.iter().all(|end| end.is_some_and(|byte| edge(*byte)))
        && bytes.iter().all(|byte| edge(*byte) || inner.contains(byte))
}

fn is_label(text: &str) -> bool {
    is_formed(text, is_lower_or_digit, b"-")
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

/// `IsDNS1123Label`.
pub(crate) fn dns_label(text: &str) -> Vec<String> {
    let mut wrong = Vec::from_iter(too_long(text, 63));
    if !is_label(text) {
        wrong.push(if is_subdomain(text) {
            "must not contain dots".to_owned()
        } else {
            form(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
                &["my-name", "123-abc"],
                LABEL,
            )
        });
    }
    wrong
}

/// `IsDNS1035Label`.
pub(crate) fn dns_1035_label(text: &str) -> Vec<String> {
    let mut wrong = Vec::from_iter(too_long(text, 63));
    if !is_label(text) || text.starts_with(|c: char| c.is_ascii_digit()) {
        wrong.push(form(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
            &["my-name", "abc-123"],
            "[a-z]([-a-z0-9]*[a-z0-9])?",
        ));
    }
    wrong
}

/// `IsDNS1123Subdomain`.
pub(crate) fn dns_subdomain(text: &str) -> Vec<String> {
    let mut wrong = Vec::from_iter(too_long(text, 253));
    if !is_subdomain(text) {
        wrong.push(form(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
            &["example.com"],
            &format!("{LABEL}(\\.{LABEL})*"),
        ));
    }
    wrong
}

/// `IsWildcardDNS1123Subdomain`.
pub(crate) fn wildcard_subdomain(text: &str) -> Vec<String> {
    let mut wrong = Vec::from_iter(too_long(text, 253));
    if !text.strip_prefix("*.").is_some_and(is_subdomain) {
        wrong.push(form(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
            &["*.example.com"],
            &format!("\\*\\.{LABEL}(\\.{LABEL})*"),
        ));
    }
    wrong
}

/// `IsFullyQualifiedDomainName`: at least two labels, a dot at the end may be.
pub(crate) fn fully_qualified_domain(text: &str) -> Vec<String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let wrong = dns_subdomain(name);
    if !wrong.is_empty() {
        return wrong;
    }
    if !name.contains('.') {
        let few = "should be a domain with at least two segments separated by dots";
        return vec![few.to_owned()];
    }
    name.split('.').flat_map(dns_label).collect()
}

/// `IsLabelKey`, which was `IsQualifiedName`: the key of a label, or another qualified name.
pub(crate) fn qualified_name(text: &str) -> Vec<String> {
    let what = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    let said = |before: &str| {
        form(
            &format!("{before}{what}"),
            &["MyName", "my.name", "123-abc"],
            "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]",
        )
    };
    let mut wrong = Vec::new();
    let name = match text.split_once('/') {
        None => text,
        Some((_, name)) if name.contains('/') => {
            let said = said("a valid label key ");
            return vec![format!(
                "{said} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
        Some(("", name)) => {
            wrong.push("prefix part must be non-empty".to_owned());
            name
        }
        Some((prefix, name)) => {
            let of_prefix = dns_subdomain(prefix).into_iter();
            wrong.extend(of_prefix.map(|why| format!("prefix part {why}")));
            name
        }
    };
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    }
    wrong.extend(too_long(name, 63).map(|why| format!("name part {why}")));
    if !is_formed(name, |byte| byte.is_ascii_alphanumeric(), b"-_.") {
        wrong.push(said("name part "));
    }
    wrong
}

/// `IsLabelValue`.
pub(crate) fn label_value(text: &str) -> Vec<String> {
    let mut wrong = Vec::from_iter(too_long(text, 63));
    if !text.is_empty() && !is_formed(text, |byte| byte.is_ascii_alphanumeric(), b"-_.") {
        wrong.push(form(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            &["MyValue", "my_value", "12345"],
            "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
        ));
    }
    wrong
}

/// `IsValidPortNum`.
pub(crate) fn port_number(number: i64) -> Vec<String> {
    match number {
        1..=65_535 => Vec::new(),
        _ => vec!["must be between 1 and 65535, inclusive".to_owned()],
    }
}

/// `IsValidPortName`: a name as IANA gives it to services.
pub(crate) fn port_name(text: &str) -> Vec<String> {
    let is_known = |byte: u8| is_lower_or_digit(byte) || byte == b'-';
    let rules = [
        (
            text.is_empty() || !text.bytes().all(is_known),
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (
            !text.bytes().any(|byte| byte.is_ascii_lowercase()),
            "must contain at least one letter (a-z)",
        ),
        (text.contains("--"), "must not contain consecutive hyphens"),
        (
            text.starts_with('-') || text.ends_with('-'),
            "must not begin or end with a hyphen",
        ),
    ];
    let mut wrong = Vec::from_iter(too_long(text, 15));
    wrong.extend(
        rules
            .iter()
            .filter(|(is_so, _)| *is_so)
            .map(|(_, why)| (*why).to_owned()),
    );
    wrong
}

/// `IsDomainPrefixedPath`: `example.com/ingress-controller`.
pub(crate) fn domain_prefixed_path(text: &str) -> Vec<String> {
    let Some((host, path)) = text
        .split_once('/')
        .filter(|(host, path)| !host.is_empty() && !path.is_empty())
    else {
        return vec!["must be a domain-prefixed path (such as \"acme.io/foo\")".to_owned()];
    };
    let mut wrong = dns_subdomain(host);
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    if !path.bytes().all(is_known) {
        let expression = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
        wrong.push(format!(
            "Invalid path (regex used for validation is '{expression}')"
        ));
    }
    wrong
}

/// `IsPathSegmentName`: can stand between the slashes of a URL.
pub(crate) fn path_segment(text: &str) -> Vec<String> {
    match text {
        "." | ".." => vec![format!("may not be '{text}'")],
        _ => ["/", "%"]
            .iter()
            .filter(|part| text.contains(**part))
            .map(|part| format!("may not contain '{part}'"))
            .collect(),
    }
}

/// `IsHTTPHeaderName`.
pub(crate) fn header_name(text: &str) -> Vec<String> {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !text.is_empty() && text.bytes().all(is_known) {
        return Vec::new();
    }
    vec![form(
        "a valid HTTP header must consist of alphanumeric characters or '-'",
        &["X-Header-Name"],
        "[-A-Za-z0-9]+",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(check: fn(&str) -> Vec<String>, texts: &[&str]) {
        for text in texts {
            assert_eq!(check(text), Vec::<String>::new(), "{text}");
        }
    }

    fn refused(check: fn(&str) -> Vec<String>, texts: &[&str]) {
        for text in texts {
            assert!(!check(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn names_are_taken_and_refused_as_in_kubernetes() {
        let (long, longer) = ("a".repeat(63), "a".repeat(64));
        taken(dns_label, &["a", "0", "a-b", "0-9", &long]);
        refused(
            dns_label,
            &["", "-a", "a-", "A", "a.b", "a_b", "ä", &longer],
        );
        taken(dns_1035_label, &["a", "a0-b"]);
        refused(dns_1035_label, &["0", "0a", "", "a-", &longer]);
        taken(dns_subdomain, &["a", "a.b", "0.1", "a-b.c"]);
        refused(
            dns_subdomain,
            &["", ".a", "a.", "a..b", "A.b", "a:80", "https://a"],
        );
        taken(wildcard_subdomain, &["*.a", "*.a.b"]);
        refused(wildcard_subdomain, &["*", "*a", "a.*", "*.*.a", "*."]);
        taken(fully_qualified_domain, &["a.b", "a.b."]);
        refused(fully_qualified_domain, &["a", "a.", "A.b", ""]);
        taken(qualified_name, &["a", "a/b", "a.b/C_d.e", "1"]);
        refused(
            qualified_name,
            &["", "/a", "a/", "a/b/c", "-a", "A/b", "a b", &longer],
        );
        taken(label_value, &["", "a", "A.b_c-1"]);
        refused(label_value, &["-", "a b", "a/b", "a.", &longer]);
        taken(port_name, &["a", "http-alt", "1a"]);
        refused(
            port_name,
            &[
                "",
                "80",
                "Http",
                "a--b",
                "-a",
                "a-",
                "abcdefghijklmnop",
                "a.b",
            ],
        );
        taken(domain_prefixed_path, &["a.io/b", "a/b/c"]);
        refused(domain_prefixed_path, &["a", "/a", "a/", "A/b", "a/b c"]);
    }

    #[test]
    fn the_words_are_those_of_kubernetes() {
        assert_eq!(
            dns_1035_label("1"),
            [
                "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
            ]
        );
        assert_eq!(dns_label("a.b"), ["must not contain dots"]);
        assert_eq!(port_number(0), ["must be between 1 and 65535, inclusive"]);
    }
}
