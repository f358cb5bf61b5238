//! A client and the credentials that it was built with.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::Client;

use crate::{SecurityNotice, kubeconfig::KubeconfigFingerprint};

/// Credentials that replaced refused ones and are refused, too, are not replaced for so long: a
/// plugin or an issuer is not asked for each request of a server that takes nothing.
const REFUSED_RENEWAL_PAUSE: Duration = Duration::from_secs(10);

/// A client and how long it will do.
pub(super) struct CredentialedClient {
    pub client: Client,
    /// The address of the API server, without a path: that can hold a token.
    pub server: String,
    /// What the user must know of how the connection is protected.
    pub notices: Vec<SecurityNotice>,
    /// What of the kubeconfig it was made from.
    pub fingerprint: KubeconfigFingerprint,
    pub generation: u64,
    pub valid_until: Option<Timestamp>,
    /// What gave the credentials, where it can give new ones.
    pub credential_source: Option<String>,
    pub id_token: Option<String>,
    /// When it took the place of one that was refused.
    pub replaced_refused_at: Option<Instant>,
}

impl CredentialedClient {
    /// Until when the credentials of a plugin are valid, as it said.
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    /// Whether credentials were just asked for because the last ones were refused.
    pub fn was_just_replaced(&self) -> bool {
        self.replaced_refused_at
            .is_some_and(|then| then.elapsed() < REFUSED_RENEWAL_PAUSE)
    }
}
