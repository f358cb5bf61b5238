//! The bearer token of a user, trimmed and checked before anything is built from it.
//!
//! kube passes a token on unchanged: one with a line end panics in the layer below, and one of a
//! file that ends with a line break, as most files do, is refused. client-go trims what it reads
//! (`transport.fileTokenSource`).

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use http::{HeaderValue, Request, header::AUTHORIZATION};
use kube::config::AuthInfo;

use super::bounded_file;

/// A file is read again after so long, as client-go does (`NewCachedFileTokenSource`).
const CACHE_TTL: Duration = Duration::from_secs(60);

/// Why a token can't be sent. Never with the token itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    #[error(
        "the token of {0} contains a line break or another character that HTTP headers don't allow; nothing was sent"
    )]
    NotSendable(String),
    #[error("could not read the token of {owner} from {path}: {reason}")]
    Unreadable {
        owner: String,
        path: String,
        reason: String,
    },
    #[error("the token file {path} of {owner} is empty")]
    Empty { owner: String, path: String },
}

/// Trims and checks the token of a user, and takes a token file out: it is read here from now on.
pub(super) fn prepare_token(
    owner: &str,
    user: &mut AuthInfo,
) -> Result<Option<FileToken>, TokenError> {
    let owner = || match owner {
        "" => "the context".to_owned(),
        name => format!("user `{name}`"),
    };
    // Its text is only to be had by writing the user out.
    let written = serde_json::to_value(&*user).unwrap_or_default();
    user.token = match written["token"].as_str().map(str::trim) {
        None | Some("") => None,
        Some(token) => {
            bearer_header(token).ok_or_else(|| TokenError::NotSendable(owner()))?;
            Some(token.to_owned().into())
        }
    };
    let is_basic = user.username.is_some() && user.password.is_some();
    if is_basic {
        return Ok(None);
    }
    let Some(path) = user.token_file.take() else {
        return Ok(None);
    };
    // What the file holds goes before the token beside it, which does while the file can't be read
    // (bearerAuthRoundTripper).
    let token = user.token.take();
    match FileToken::read(owner(), path.into()) {
        Err(error) if token.is_some() => {
            tracing::warn!("{error}; using the kubeconfig's token instead");
            user.token = token;
            Ok(None)
        }
        read => read.map(Some),
    }
}

/// The token in a file, trimmed.
pub(super) fn read_token_file(path: &Path) -> Result<String, String> {
    let content = bounded_file::read(path, bounded_file::MAX_CREDENTIAL)?;
    let text =
        String::from_utf8(content).map_err(|_shows_it| "it is not valid UTF-8".to_owned())?;
    Ok(text.trim().to_owned())
}

/// `Bearer …`, where HTTP allows it.
fn bearer_header(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A token of a file that is replaced now and then.
#[derive(Clone)]
pub(super) struct FileToken {
    path: Arc<PathBuf>,
    cached: Arc<Mutex<(Instant, HeaderValue)>>,
}

impl FileToken {
    fn read(owner: String, path: PathBuf) -> Result<Self, TokenError> {
        let shown = || path.display().to_string();
        let token = read_token_file(&path).map_err(|said| TokenError::Unreadable {
            owner: owner.clone(),
            path: shown(),
            reason: said,
        })?;
        if token.is_empty() {
            let path = shown();
            return Err(TokenError::Empty { owner, path });
        }
        let value = bearer_header(&token).ok_or(TokenError::NotSendable(owner))?;
        Ok(Self {
            path: Arc::new(path),
            cached: Arc::new(Mutex::new((Instant::now(), value))),
        })
    }

    /// Gives a request the token. One that can't be read again is used on (kubernetes#68164).
    pub fn authorize<B>(&self, mut request: Request<B>) -> Request<B> {
        let value = self.current_header(CACHE_TTL);
        request.headers_mut().insert(AUTHORIZATION, value);
        request
    }

    fn current_header(&self, kept: Duration) -> HeaderValue {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.0.elapsed() >= kept {
            cached.0 = Instant::now();
            let token = read_token_file(&self.path).unwrap_or_default();
            if let Some(value) = bearer_header(&token).filter(|_| !token.is_empty()) {
                cached.1 = value;
            }
        }
        cached.1.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn with_token(token: &str) -> AuthInfo {
        AuthInfo {
            token: Some(token.to_owned().into()),
            ..AuthInfo::default()
        }
    }

    #[test]
    fn a_token_that_is_no_header_is_refused_and_not_shown() {
        for token in ["a\ne[31m", "s3cret\u{7f}", "s3cret\0x"] {
            let error = prepare_token("eve", &mut with_token(token)).err().unwrap();
            assert_eq!(error, TokenError::NotSendable("user `eve`".to_owned()));
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn blanks_and_line_ends_around_a_token_are_no_part_of_it() {
        let mut user = with_token(" t0k\n");
        prepare_token("eve", &mut user).unwrap();
        assert_eq!(serde_json::to_value(&user).unwrap()["token"], "t0k");
        let mut empty = with_token("\n");
        prepare_token("eve", &mut empty).unwrap();
        assert!(empty.token.is_none());
    }

    #[test]
    fn a_token_file_goes_before_the_token_beside_it_while_it_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let mut both = with_token("beside");
        both.token_file = Some(path.display().to_string());
        for useless in [None, Some(""), Some("\n"), Some("a\nb")] {
            if let Some(useless) = useless {
                fs::write(&path, useless).unwrap();
            }
            let mut user = both.clone();
            assert!(
                prepare_token("eve", &mut user).unwrap().is_none(),
                "{useless:?}"
            );
            assert_eq!(serde_json::to_value(&user).unwrap()["token"], "beside");
        }
        fs::write(&path, "file\n").unwrap();
        let token = prepare_token("eve", &mut both).unwrap().unwrap();
        assert_eq!(token.current_header(CACHE_TTL), "Bearer file");
        assert!(both.token.is_none(), "only one is sent");
    }

    #[test]
    fn a_token_file_is_trimmed_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let mut user = AuthInfo {
            token_file: Some(path.display().to_string()),
            ..AuthInfo::default()
        };
        let missing = prepare_token("eve", &mut user.clone()).err().unwrap();
        assert!(
            matches!(missing, TokenError::Unreadable { .. }),
            "{missing}"
        );
        fs::write(&path, "\n").unwrap();
        let empty = prepare_token("eve", &mut user.clone()).err().unwrap();
        assert!(matches!(empty, TokenError::Empty { .. }), "{empty}");
        fs::write(&path, "one\r\n").unwrap();
        let token = prepare_token("eve", &mut user).unwrap().unwrap();
        assert!(user.token_file.is_none(), "kube would read it untrimmed");
        assert_eq!(token.current_header(CACHE_TTL), "Bearer one");
        fs::write(&path, "two\n").unwrap();
        assert_eq!(
            token.current_header(CACHE_TTL),
            "Bearer one",
            "it is kept for a minute"
        );
        assert_eq!(token.current_header(Duration::ZERO), "Bearer two");
        for useless in ["", "a\nb"] {
            fs::write(&path, useless).unwrap();
            assert_eq!(token.current_header(Duration::ZERO), "Bearer two");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(token.current_header(Duration::ZERO), "Bearer two");
    }
}
