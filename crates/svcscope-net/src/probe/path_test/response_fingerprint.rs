//! Whether an answer from outside the cluster is the Service's.
//!
//! At a load balancer's address anything may answer: the balancer itself, a proxy on the way, a
//! machine that has the address for another reason. Such an answer is the Service's where it looks
//! like what the application says in the cluster, by a path that nothing else can stand in.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::probe::{AccessPath, HttpHead};

/// So much of a body is compared.
const COMPARED: usize = 4 * 1024;

/// Headers that whoever passes an answer on may change, add or take away (RFC 9110, "Message
/// Forwarding"), or that are another one each time.
const IN_TRANSIT: [&str; 9] = [
    "age",
    "cache-control",
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "trailer",
    "transfer-encoding",
    "vary",
];

/// By what an HTTP answer can be told from another application's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseFingerprint {
    pub(super) status: u16,
    pub(super) server: Option<String>,
    content: Option<String>,
    names: BTreeSet<String>,
    /// A hash of how the body begins; none where there is none.
    body: Option<u64>,
}

impl ResponseFingerprint {
    /// Of an answer.
    pub(super) fn of(head: &HttpHead, body: &[u8]) -> Self {
        let begin = body.get(..COMPARED).unwrap_or(body);
        let mut hasher = DefaultHasher::new();
        begin.hash(&mut hasher);
        Self {
            status: head.status,
            server: head.header("server").map(str::to_lowercase),
            content: head.header("content-type").map(str::to_lowercase),
            names: head
                .headers
                .iter()
                .map(|(name, _)| name.to_lowercase())
                .filter(|name| !IN_TRANSIT.contains(&&**name))
                .collect(),
            body: (!begin.is_empty()).then(|| hasher.finish()),
        }
    }

    /// Whether an answer from outside shows that it is the same application: the same words, or
    /// the same kind of words under all of its own headers.
    pub(super) fn matches(&self, outer: &Self) -> bool {
        if self.status != outer.status {
            return false;
        }
        let same_body = self.body.is_some() && self.body == outer.body;
        // A balancer may name itself where the application does not.
        let same_head = (self.server.is_none() || self.server == outer.server)
            && self.content == outer.content
            && self.names.is_subset(&outer.names);
        same_body || same_head
    }
}

/// Whether anything else than the cluster may answer there.
pub(super) fn is_outside(vantage: &AccessPath) -> bool {
    matches!(
        vantage,
        AccessPath::NodePort { .. } | AccessPath::LoadBalancer(_) | AccessPath::ExternalIp(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> ResponseFingerprint {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let head = HttpHead {
            version: "HTTP/1.1".to_owned(),
            status,
            headers: headers.collect(),
        };
        ResponseFingerprint::of(&head, body.as_bytes())
    }

    #[test]
    fn an_application_is_known_by_its_words_or_by_its_headers() {
        let plain = ("Content-Type", "text/plain");
        let own = answer(200, &[plain, ("X-App", "web")], "I am web-1");
        let balanced = [plain, ("X-App", "web"), ("Via", "1.1 lb"), ("Server", "lb")];
        assert!(own.matches(&answer(200, &balanced, "I am web-2")));
        assert!(own.matches(&answer(200, &[("Server", "lb")], "I am web-1")));
        assert!(!own.matches(&answer(200, &[plain], "I am web-2")));
        assert!(!own.matches(&answer(404, &balanced, "I am web-1")));
        let named = answer(200, &[plain, ("Server", "nginx")], "a");
        assert!(!named.matches(&answer(200, &[plain, ("Server", "awselb")], "b")));
    }
}
