//! What the server can do, as far as it is known.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::discovery::ApiDiscoveryCache;
use crate::connect::ServerVersion;

/// What was learned about the server and need not be tried again.
#[derive(Clone)]
pub(crate) struct ServerCapabilities {
    streaming_lists: Arc<AtomicBool>,
    pub(super) discovery: ApiDiscoveryCache,
}

impl ServerCapabilities {
    /// Streaming lists came with 1.27; an older server might not know the parameter and ignore it, and
    /// so might one that does not say which it is.
    pub fn new(version: Option<&ServerVersion>) -> Self {
        let streaming = version.is_some_and(|version| version.is_at_least(27));
        Self {
            streaming_lists: Arc::new(AtomicBool::new(streaming)),
            discovery: ApiDiscoveryCache::default(),
        }
    }

    /// Whether the server may know streaming lists.
    pub fn streams_lists(&self) -> bool {
        self.streaming_lists.load(Ordering::Relaxed)
    }

    pub(super) fn disable_streaming_lists(&self) {
        self.streaming_lists.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams(major: &str, minor: &str) -> bool {
        let version = ServerVersion {
            major: major.to_owned(),
            minor: minor.to_owned(),
            git_version: String::new(),
        };
        ServerCapabilities::new(Some(&version)).streams_lists()
    }

    #[test]
    fn streaming_lists_are_asked_only_of_servers_that_could_know_them() {
        assert!(!streams("1", "20"));
        assert!(!streams("1", "26+"));
        assert!(streams("1", "27"));
        assert!(streams("1", "34+"));
        assert!(streams("2", "0"));
        assert!(!streams("", ""));
        assert!(!ServerCapabilities::new(None).streams_lists());
    }
}
