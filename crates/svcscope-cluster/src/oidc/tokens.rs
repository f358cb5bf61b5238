//! The tokens of a login, and until when they are valid.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// A token counts as expired so long before it is, as in client-go (`expiryDelta`).
pub const EXPIRY_DELTA: SignedDuration = SignedDuration::from_secs(10);

pub const ID_TOKEN: &str = "id-token";
pub const REFRESH_TOKEN: &str = "refresh-token";

/// What a login holds.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OidcTokens {
    pub id: String,
    pub refresh: String,
}

impl OidcTokens {
    /// Those of an `auth-provider.config`.
    pub fn of(config: &HashMap<String, String>) -> Self {
        let field = |name| config.get(name).map_or("", |value| value.trim()).to_owned();
        Self {
            id: field(ID_TOKEN),
            refresh: field(REFRESH_TOKEN),
        }
    }

    /// The ID token, where it can still be used, and when that ends.
    pub fn usable(&self, refused: Option<&str>) -> Option<IdToken> {
        let until = expiry(&self.id)?.checked_sub(EXPIRY_DELTA).ok()?;
        let is_usable = Timestamp::now() < until && refused != Some(self.id.as_str());
        is_usable.then(|| IdToken {
            token: self.id.clone(),
            expires_at: until,
        })
    }

    /// What is wrong with the ID token.
    pub fn problem(&self, refused: Option<&str>) -> String {
        match (self.id.as_str(), expiry(&self.id)) {
            ("", _) => "there is no ID token".to_owned(),
            (id, _) if refused == Some(id) => {
                "the API server no longer accepts the ID token".to_owned()
            }
            (_, None) => "the ID token is not a JWT with an expiry time".to_owned(),
            (_, Some(end)) => format!("the ID token expired at {end:.0}"),
        }
    }
}

/// An ID token and until when it is to be used.
#[derive(Clone, PartialEq, Eq)]
pub struct IdToken {
    pub token: String,
    pub expires_at: Timestamp,
}

/// Until when a token is valid, where it is a JWT (RFC 7519 §4.1.4). Some issuers write a fraction.
pub fn expiry(token: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct IdTokenClaims {
        exp: f64,
    }
    let mut parts = token.split('.');
    let claims = parts.nth(1)?;
    (parts.count() == 1).then_some(())?;
    let claims: IdTokenClaims =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let seconds = SignedDuration::try_from_secs_f64(claims.exp).ok()?;
    Timestamp::from_duration(seconds).ok()
}
