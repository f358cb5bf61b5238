//! The one way to the API server: a client that is rebuilt when its credentials end.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError};
use jiff::{SignedDuration, Timestamp};
use kube::{Client, client::Body, core::Status};
use tokio::{sync::Mutex, time::timeout};

use super::{
    CallError, CallErrorKind, Kubeconfigs, bearer, connect::ConnectError, error::retry_after,
    exec_plugin, stack,
};
use crate::inventory::Text;

/// How long the API server may think before it sends the head of an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Credentials are renewed this long before they end.
const EARLY: SignedDuration = SignedDuration::from_secs(60);

/// As often client-go asks again (`maxRetries` in rest/request.go).
const MOST_RETRIES: u32 = 10;

/// Who asks for more patience than this is told to the user instead.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);

/// The longest answer to a small question, unzipped: discovery of a large group is a tenth of it.
const MAX_BODY: usize = 32 << 20;

/// The longest body of an error that is worth reading.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// Says whether the API server answers, within [`PATIENCE`]: asked by whoever can't tell a pod that
/// holds the connection up from a network that is dead.
pub(super) type Witness = Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// What a client was built from and the newest client.
pub(super) struct Link {
    kubeconfigs: Kubeconfigs,
    /// The context in use.
    pub context: String,
    /// The address of the API server, without a path: that can hold a token.
    pub server: String,
    session: ArcSwap<Session>,
    rebuilding: Mutex<()>,
    /// Who is told that a request waits; without anybody none does.
    tell: Option<Tell>,
}

/// Told in a sentence what a request waits for, and how long.
pub type Tell = Arc<dyn Fn(Text) + Send + Sync>;

/// A client and how long it will do.
pub(super) struct Session {
    pub client: Client,
    generation: u64,
    valid_until: Option<Timestamp>,
}

impl Session {
    /// Until when the credentials of a plugin are valid, as it said.
    pub fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }
}

impl Link {
    /// Builds the first client; the server is not asked yet.
    pub async fn open(
        kubeconfigs: &Kubeconfigs,
        context: Option<&str>,
        tell: Option<Tell>,
    ) -> Result<Self, ConnectError> {
        let target = kubeconfigs.target(context)?;
        let context = target.context.clone();
        let server = shown(&target.config.cluster_url);
        let session = build(kubeconfigs, &context, 0).await?;
        Ok(Self {
            kubeconfigs: kubeconfigs.clone(),
            context,
            server,
            session: ArcSwap::from_pointee(session),
            rebuilding: Mutex::new(()),
            tell,
        })
    }

    /// A link over a client that a test made.
    #[cfg(test)]
    pub fn over(kubeconfigs: Kubeconfigs, client: Client) -> Self {
        let session = Session {
            client,
            generation: 0,
            valid_until: None,
        };
        Self {
            kubeconfigs,
            context: "test".to_owned(),
            server: "http://test".to_owned(),
            session: ArcSwap::from_pointee(session),
            rebuilding: Mutex::new(()),
            tell: None,
        }
    }

    /// The newest client, whatever its credentials are worth.
    pub fn current(&self) -> Arc<Session> {
        self.session.load_full()
    }

    /// The client to use now, rebuilt first where its credentials are about to end. One that can't
    /// be rebuilt does until they have ended.
    pub async fn session(&self) -> Result<Arc<Session>, ConnectError> {
        let session = self.current();
        let Some(until) = session.valid_until else {
            return Ok(session);
        };
        let now = Timestamp::now();
        if now + EARLY < until {
            return Ok(session);
        }
        match self.renew(&session).await {
            Err(_until_then) if now < until => Ok(session),
            renewed => renewed,
        }
    }

    /// Reads the kubeconfig again and builds a new client in place of `stale`; whoever comes at
    /// the same time shares it, so that a plugin runs once.
    pub async fn renew(&self, stale: &Session) -> Result<Arc<Session>, ConnectError> {
        let _single = self.rebuilding.lock().await;
        let newest = self.session.load_full();
        if newest.generation != stale.generation {
            return Ok(newest);
        }
        let kubeconfigs = self.kubeconfigs.reload()?;
        let session = Arc::new(build(&kubeconfigs, &self.context, newest.generation + 1).await?);
        self.session.store(session.clone());
        Ok(session)
    }

    /// Does something with the newest client; a 401 rebuilds it and tries once more. `tried` completes
    /// "could not …".
    pub async fn with_client<T, F>(
        &self,
        tried: &str,
        attempt: impl Fn(Client) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let login = |error: ConnectError| error.while_trying(tried);
        let session = self.session().await.map_err(login)?;
        match attempt(session.client.clone()).await {
            Err(error) if error.kind == CallErrorKind::Unauthorized => {
                let renewed = self.renew(&session).await.map_err(login)?;
                attempt(renewed.client.clone()).await
            }
            answered => answered,
        }
    }

    /// Sends a request and returns the answer if it is a good one.
    pub async fn send(
        &self,
        tried: &str,
        request: &Request<Bytes>,
        patience: Duration,
    ) -> Result<Response<Body>, CallError> {
        self.with_client(tried, |client| send_once(client, tried, request, patience))
            .await
    }

    /// As [`Self::send`], with the whole body; tried again where the server says when.
    pub async fn fetch(
        &self,
        tried: &str,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, CallError> {
        self.patiently(tried, LONGEST_WAIT, || self.fetch_once(tried, request))
            .await
    }

    async fn fetch_once(
        &self,
        tried: &str,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, CallError> {
        let (head, body) = self.send(tried, request, PATIENCE).await?.into_parts();
        let body = http_body_util::Limited::new(body, MAX_BODY).collect();
        let body = timeout(PATIENCE, body)
            .await
            .map_err(|_elapsed| CallError::timed_out(tried, PATIENCE))?
            .map_err(|error| match error.downcast_ref::<LengthLimitError>() {
                Some(_) => {
                    let said = format!("the answer is longer than {} MiB", MAX_BODY >> 20);
                    CallError::new(CallErrorKind::Other, tried, &said)
                }
                None => CallError::from_transport(tried, &*error),
            })?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }

    /// Tries something, and again where the answer is 429 or 5xx with a `Retry-After`: any verb, for
    /// such a server has done nothing, and up to ten times (`withRetry` of client-go,
    /// rest/with_retry.go). All pauses together are at most `within`; dropping the future ends it.
    ///
    /// Watches and their lists don't use it: their supervisors know what to say meanwhile.
    pub async fn patiently<T, F>(
        &self,
        tried: &str,
        within: Duration,
        attempt: impl Fn() -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let mut left = within;
        for retry in 1..=MOST_RETRIES {
            match attempt().await {
                Err(error) if self.pause(tried, &error, retry, &mut left).await => {}
                settled => return settled,
            }
        }
        attempt().await
    }

    /// Waits as long as an error asks for, and says so; whether that was done and a retry makes
    /// sense.
    pub async fn pause(
        &self,
        tried: &str,
        error: &CallError,
        retry: u32,
        left: &mut Duration,
    ) -> bool {
        let (Some(tell), Some(wait)) = (&self.tell, error.wants_a_retry()) else {
            return false;
        };
        let Some(rest) = left.checked_sub(wait).filter(|_| retry <= MOST_RETRIES) else {
            return false;
        };
        *left = rest;
        let seconds = wait.as_secs();
        tell(Text::from(format!(
            "waiting {seconds} s, as the API server asks, to {tried} (retry {retry} of {MOST_RETRIES}): {}",
            error.said
        )));
        tokio::time::sleep(wait).await;
        true
    }

    /// Has somebody ask whether the API server lives.
    pub fn witness(self: &Arc<Self>) -> Witness {
        let link = self.clone();
        Arc::new(move || {
            let link = link.clone();
            Box::pin(async move { link.answers().await })
        })
    }

    /// Whether the API server says anything, be it that it is busy or that a right lacks. Asked
    /// twice, for a kept connection may have been closed meanwhile.
    async fn answers(&self) -> bool {
        let asked = async {
            for _ in 0..2 {
                if !matches!(self.ping().await, Err(CallErrorKind::Unreachable)) {
                    return true;
                }
            }
            false
        };
        timeout(PATIENCE, asked).await.unwrap_or(false)
    }

    /// Has the API server say anything at all, now.
    async fn ping(&self) -> Result<(), CallErrorKind> {
        let tried = "ask the API server whether it lives";
        let asked = async { self.fetch_once(tried, &get(tried, "/version")?).await };
        asked.await.map(drop).map_err(|error| error.kind)
    }

    /// GET of a small thing, without waiting where the server is busy.
    pub async fn get_now(&self, tried: &str, path: &str) -> Result<Bytes, CallError> {
        let request = get(tried, path)?;
        Ok(self.fetch_once(tried, &request).await?.into_body())
    }

    /// GET of a small thing.
    pub async fn get(&self, tried: &str, path: &str) -> Result<Bytes, CallError> {
        let request = get(tried, path)?;
        Ok(self.fetch(tried, &request).await?.into_body())
    }
}

/// Scheme, host and port, without the user and the path, which can be secrets.
pub(super) fn shown(server: &http::Uri) -> String {
    let host = server.host().unwrap_or_default();
    let port = server
        .port()
        .map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{host}{port}", server.scheme_str().unwrap_or("https"))
}

/// A GET request for `path`.
pub(super) fn get(tried: &str, path: &str) -> Result<Request<Bytes>, CallError> {
    with_body(
        tried,
        http::Method::GET,
        path,
        "application/json",
        Bytes::new(),
    )
}

/// A request with a body.
pub(super) fn with_body(
    tried: &str,
    method: http::Method,
    path: &str,
    content_type: &str,
    body: Bytes,
) -> Result<Request<Bytes>, CallError> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(http::header::ACCEPT, "application/json");
    if !body.is_empty() {
        request = request.header(http::header::CONTENT_TYPE, content_type);
    }
    request
        .body(body)
        .map_err(|error| CallError::new(CallErrorKind::Other, tried, &error.to_string()))
}

async fn build(
    kubeconfigs: &Kubeconfigs,
    context: &str,
    generation: u64,
) -> Result<Session, ConnectError> {
    let target = kubeconfigs.target(Some(context))?;
    let mut config = target.config;
    let mut valid_until = None;
    if let Some(exec) = &target.exec {
        valid_until = exec_plugin::ask(exec, &mut config.auth_info).await?;
    }
    // A legacy auth-provider is a program that kube runs right here, and key files are read.
    let client = tokio::task::spawn_blocking(move || {
        let token = bearer::prepare(&target.user, &mut config.auth_info)
            .map_err(|error| ConnectError::Client(error.to_string()))?;
        stack::build(config, token).map_err(|error| {
            ConnectError::Client(CallError::from_client("use it", &error).said.to_string())
        })
    })
    .await
    .map_err(|error| ConnectError::Client(error.to_string()))??;
    Ok(Session {
        client,
        generation,
        valid_until,
    })
}

async fn send_once(
    client: Client,
    tried: &str,
    request: &Request<Bytes>,
    patience: Duration,
) -> Result<Response<Body>, CallError> {
    let request = request.clone().map(Body::from);
    let response = tokio::time::timeout(patience, client.send(request))
        .await
        .map_err(|_elapsed| CallError::timed_out(tried, patience))?
        .map_err(|error| CallError::from_client(tried, &error))?;
    if response.status().is_success() || response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(response);
    }
    Err(refusal(tried, response).await)
}

/// What the server said: a `Status`, or what something before it says.
pub(super) async fn refusal(tried: &str, response: Response<Body>) -> CallError {
    let (head, body) = response.into_parts();
    let limited = http_body_util::Limited::new(body, MAX_ERROR_BODY);
    let body = match tokio::time::timeout(PATIENCE, limited.collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        _ => Bytes::new(),
    };
    match serde_json::from_slice::<Status>(&body) {
        Ok(mut status) if is_status(&body) => {
            status.code = head.status.as_u16();
            CallError::from_status(tried, status, retry_after(&head))
        }
        _ => CallError::from_page(tried, &head, &body),
    }
}

/// Every field of a `Status` may be absent, so that any object would be one.
fn is_status(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Kind {
        #[serde(default)]
        kind: String,
        #[serde(default)]
        message: String,
    }
    serde_json::from_slice::<Kind>(body)
        .is_ok_and(|it| it.kind == "Status" || !it.message.is_empty())
}

/// An API server that answers, or does not.
#[cfg(test)]
pub(super) fn witness(lives: bool) -> Witness {
    Arc::new(move || Box::pin(async move { lives }))
}
