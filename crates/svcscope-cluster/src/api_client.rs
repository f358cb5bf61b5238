//! The one client of the API server, which is rebuilt when its credentials expire.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError};
use jiff::Timestamp;
use kube::{Client, client::Body, core::Status};
use tokio::time::timeout;

use super::{
    CallError, CallErrorKind, ExecPluginError, FileStamps, KubeconfigChange, MergedKubeconfig,
    connect_error::ConnectError,
    credentialed_client::CredentialedClient,
    credentials::authenticate,
    error::retry_after,
    login::{LoginContext, LoginEvent},
    renewal::{ClientRenewal, RenewalReason},
};
use svcscope_model::inventory::SharedStr;

/// How long the API server may think before it sends the head of an answer.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// As often client-go asks again (`maxRetries` in rest/request.go).
const MAX_RETRIES: u32 = 10;

/// Where a server asks for a longer wait than this, the user is informed instead.
pub(super) const MAX_RETRY_WAIT: Duration = Duration::from_secs(10 * 60);

/// The longest answer to a small question, unzipped: discovery of a large group is a tenth of it.
const MAX_BODY: usize = 32 << 20;

/// The longest body of an error that is worth reading.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// What a client was built from and the newest client.
pub(super) struct ApiClient {
    kubeconfigs: MergedKubeconfig,
    login: LoginContext,
    /// The context in use.
    pub context: String,
    newest_client: Arc<ArcSwap<CredentialedClient>>,
    renewal: Mutex<Option<ClientRenewal>>,
    /// The user gave up on a login: none begins by itself until they reconnect.
    is_cancelled: AtomicBool,
    /// Called when a request waits; without it none does.
    wait_observer: Option<RetryWaitObserver>,
}

/// Called with a sentence about what a request waits for, and how long.
pub type RetryWaitObserver = Arc<dyn Fn(SharedStr) + Send + Sync>;

impl ApiClient {
    /// Builds the first client; the server is not asked yet.
    pub async fn open(
        kubeconfigs: &MergedKubeconfig,
        context: Option<&str>,
        tell: Option<RetryWaitObserver>,
        login: &LoginContext,
    ) -> Result<Self, ConnectError> {
        let session = build(kubeconfigs, context, 0, None, login).await?;
        Ok(Self {
            kubeconfigs: kubeconfigs.clone(),
            login: login.clone(),
            context: session.fingerprint.context.clone(),
            newest_client: Arc::new(ArcSwap::from_pointee(session)),
            renewal: Mutex::default(),
            is_cancelled: AtomicBool::new(false),
            wait_observer: tell,
        })
    }

    /// A link over a client that a test made.
    #[cfg(test)]
    pub fn for_test(kubeconfigs: MergedKubeconfig, client: Client) -> Self {
        let context = "test".to_owned();
        let session = CredentialedClient {
            client,
            server: "http://test".to_owned(),
            notices: Vec::new(),
            fingerprint: crate::kubeconfig::KubeconfigFingerprint {
                context: context.clone(),
                fingerprint: 0,
                server_fingerprint: 0,
                files: Vec::new(),
            },
            generation: 0,
            valid_until: None,
            credential_source: None,
            id_token: None,
            replaced_refused_at: None,
        };
        Self {
            kubeconfigs,
            login: LoginContext::default(),
            context,
            newest_client: Arc::new(ArcSwap::from_pointee(session)),
            renewal: Mutex::default(),
            is_cancelled: AtomicBool::new(false),
            wait_observer: None,
        }
    }

    /// The newest client, whatever its credentials are worth.
    pub fn current_client(&self) -> Arc<CredentialedClient> {
        self.newest_client.load_full()
    }

    /// The client to use now, rebuilt first where its credentials have expired and not before, as
    /// client-go does (exec.go, `credsExpired`): a token that lasts a minute is used for a minute.
    pub async fn valid_client(&self) -> Result<Arc<CredentialedClient>, ConnectError> {
        let session = self.current_client();
        match session.valid_until {
            Some(until) if until <= Timestamp::now() => {
                self.replace(&session, RenewalReason::Expired).await
            }
            _ => Ok(session),
        }
    }

    /// A new client in place of one that the API server answered with 401.
    pub async fn renew(
        &self,
        refused: &CredentialedClient,
    ) -> Result<Arc<CredentialedClient>, ConnectError> {
        self.replace(refused, RenewalReason::Refused).await
    }

    /// A new client because the user asked for it.
    pub async fn renew_now(&self) -> Result<Arc<CredentialedClient>, ConnectError> {
        self.replace(&self.current_client(), RenewalReason::Requested)
            .await
    }

    /// Gives up on a login that is under way.
    pub fn cancel_login(&self) {
        let renewal = self.renewal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(renewal) = renewal.as_ref().filter(|renewal| renewal.is_running()) {
            self.is_cancelled.store(true, Ordering::Relaxed);
            renewal.cancel();
        }
    }

    /// Reads the kubeconfig again and builds a new client in place of `stale`; concurrent callers
    /// share it, so that a plugin runs once.
    async fn replace(
        &self,
        stale: &CredentialedClient,
        reason: RenewalReason,
    ) -> Result<Arc<CredentialedClient>, ConnectError> {
        if reason == RenewalReason::Requested {
            self.is_cancelled.store(false, Ordering::Relaxed);
        } else if self.is_cancelled.load(Ordering::Relaxed) {
            return Err(ExecPluginError::Cancelled.into());
        }
        let outcome = {
            let mut renewal = self.renewal.lock().unwrap_or_else(PoisonError::into_inner);
            let newest = self.newest_client.load_full();
            if newest.generation != stale.generation {
                return Ok(newest);
            }
            let running = renewal.as_ref().filter(|renewal| renewal.is_running());
            match running.map(ClientRenewal::outcome) {
                Some(running) => running,
                None if reason == RenewalReason::Refused && newest.was_just_replaced() => {
                    return Ok(newest);
                }
                None => renewal.insert(self.start_renewal(newest, reason)).outcome(),
            }
        };
        outcome.await
    }

    fn start_renewal(
        &self,
        stale: Arc<CredentialedClient>,
        reason: RenewalReason,
    ) -> ClientRenewal {
        let (kubeconfigs, context) = (self.kubeconfigs.clone(), self.context.clone());
        let (login, newest) = (self.login.clone(), self.newest_client.clone());
        ClientRenewal::start(async move {
            let is_refused = reason == RenewalReason::Refused;
            let refused = stale.id_token.clone().filter(|_| is_refused);
            let kubeconfigs = kubeconfigs.reload()?;
            let generation = stale.generation + 1;
            let mut session =
                build(&kubeconfigs, Some(&context), generation, refused, &login).await?;
            // What is known of one cluster is not mixed with another one.
            if session.fingerprint.server_fingerprint != stale.fingerprint.server_fingerprint {
                return Err(ConnectError::ServerChanged(context));
            }
            if is_refused {
                session.replaced_refused_at = Some(Instant::now());
                if let Some(giver) = &session.credential_source {
                    let words = format!(
                        "the API server rejected the credentials (401), so {giver} was asked again"
                    );
                    login.notify(&LoginEvent::Notice(words.into()));
                }
            }
            let session = Arc::new(session);
            newest.store(session.clone());
            Ok(session)
        })
    }

    /// Does something with the newest client; a 401 rebuilds it and tries once more. `tried` completes
    /// "could not …".
    pub async fn with_client<T, F>(
        &self,
        action: &str,
        attempt: impl Fn(Client) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let login = |error: ConnectError| error.into_call_error(action);
        let session = self.valid_client().await.map_err(login)?;
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
        action: &str,
        request: &Request<Bytes>,
        response_timeout: Duration,
    ) -> Result<Response<Body>, CallError> {
        self.with_client(action, |client| {
            send_once(client, action, request, response_timeout)
        })
        .await
    }

    /// As [`Self::send`], with the whole body; tried again where the server says when.
    pub async fn fetch(
        &self,
        action: &str,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, CallError> {
        self.with_retries(action, MAX_RETRY_WAIT, || self.fetch_once(action, request))
            .await
    }

    async fn fetch_once(
        &self,
        action: &str,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, CallError> {
        let (head, body) = self
            .send(action, request, RESPONSE_TIMEOUT)
            .await?
            .into_parts();
        let body = http_body_util::Limited::new(body, MAX_BODY).collect();
        let body = timeout(RESPONSE_TIMEOUT, body)
            .await
            .map_err(|_elapsed| CallError::timed_out(action, RESPONSE_TIMEOUT))?
            .map_err(|error| match error.downcast_ref::<LengthLimitError>() {
                Some(_) => {
                    let said = format!("the answer is longer than {} MiB", MAX_BODY >> 20);
                    CallError::new(CallErrorKind::Other, action, &said)
                }
                None => CallError::from_transport(action, &*error),
            })?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }

    /// Tries something, and again where the answer is 429 or 5xx with a `Retry-After`: any verb, for
    /// such a server has done nothing, and up to ten times (`withRetry` of client-go,
    /// rest/with_retry.go). All pauses together are at most `within`; dropping the future ends it.
    ///
    /// Watches and their lists don't use it: their supervisors know what to say meanwhile.
    pub async fn with_retries<T, F>(
        &self,
        action: &str,
        within: Duration,
        attempt: impl Fn() -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let mut left = within;
        for retry in 1..=MAX_RETRIES {
            match attempt().await {
                Err(error)
                    if self
                        .wait_before_retry(action, &error, retry, &mut left)
                        .await => {}
                settled => return settled,
            }
        }
        attempt().await
    }

    /// Waits as long as an error asks for, and says so; whether that was done and a retry makes
    /// sense.
    pub async fn wait_before_retry(
        &self,
        action: &str,
        error: &CallError,
        retry: u32,
        left: &mut Duration,
    ) -> bool {
        let (Some(tell), Some(wait)) = (&self.wait_observer, error.retry_delay()) else {
            return false;
        };
        let Some(rest) = left.checked_sub(wait).filter(|_| retry <= MAX_RETRIES) else {
            return false;
        };
        *left = rest;
        let seconds = wait.as_secs();
        tell(SharedStr::from(format!(
            "waiting {seconds} s, as the API server asks, to {action} (retry {retry} of {MAX_RETRIES}): {}",
            error.cause
        )));
        tokio::time::sleep(wait).await;
        true
    }

    /// Waits until the kubeconfig, or a file that it names, was written, and reads it again.
    pub async fn next_kubeconfig_change(
        &self,
        before: &mut Option<FileStamps>,
    ) -> KubeconfigChange {
        let basis = self.current_client().fingerprint.clone();
        *before = Some(match before.take() {
            Some(stamps) => self.kubeconfigs.wait_until_written(&basis, &stamps).await,
            // It may have been written since it was read.
            None => self.kubeconfigs.stamps(&basis).await,
        });
        let kubeconfigs = self.kubeconfigs.clone();
        // A client that was built meanwhile may know it already.
        let basis = self.current_client().fingerprint.clone();
        let reading = tokio::task::spawn_blocking(move || kubeconfigs.compare_with(&basis));
        reading.await.unwrap_or_else(|panic| KubeconfigChange {
            contexts: None,
            in_use: Err(format!("reading the kubeconfig failed: {panic}")),
            is_other_server: false,
        })
    }

    /// A check that callers can use to ask whether the API server answers.
    pub fn liveness_check(self: &Arc<Self>) -> kube_tunnel::LivenessCheck {
        let link = self.clone();
        Arc::new(move || {
            let link = link.clone();
            Box::pin(async move { link.is_alive().await })
        })
    }

    /// Whether the API server answers at all, if only that it is busy or a permission is missing.
    /// Asked twice, because a kept connection may have been closed meanwhile.
    async fn is_alive(&self) -> bool {
        let asked = async {
            for _ in 0..2 {
                if !matches!(self.ping().await, Err(CallErrorKind::Unreachable)) {
                    return true;
                }
            }
            false
        };
        timeout(RESPONSE_TIMEOUT, asked).await.unwrap_or(false)
    }

    /// Requests any answer of the API server, now.
    async fn ping(&self) -> Result<(), CallErrorKind> {
        let action = "check that the API server responds";
        let asked = async {
            self.fetch_once(action, &get_request(action, "/version")?)
                .await
        };
        asked.await.map(drop).map_err(|error| error.kind)
    }

    /// GET of a small thing, without waiting where the server is busy.
    pub async fn get_now(&self, action: &str, path: &str) -> Result<Bytes, CallError> {
        let request = get_request(action, path)?;
        Ok(self.fetch_once(action, &request).await?.into_body())
    }

    /// GET of a small thing.
    pub async fn get(&self, action: &str, path: &str) -> Result<Bytes, CallError> {
        let request = get_request(action, path)?;
        Ok(self.fetch(action, &request).await?.into_body())
    }
}

/// A GET request for `path`.
pub(super) fn get_request(action: &str, path: &str) -> Result<Request<Bytes>, CallError> {
    request_with_body(
        action,
        http::Method::GET,
        path,
        "application/json",
        Bytes::new(),
    )
}

/// A request with a body.
pub(super) fn request_with_body(
    action: &str,
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
        .map_err(|error| CallError::new(CallErrorKind::Other, action, &error.to_string()))
}

async fn build(
    kubeconfigs: &MergedKubeconfig,
    context: Option<&str>,
    generation: u64,
    refused: Option<String>,
    login: &LoginContext,
) -> Result<CredentialedClient, ConnectError> {
    let authenticated = authenticate(kubeconfigs, context, refused, login).await?;
    Ok(CredentialedClient {
        client: authenticated.client,
        server: authenticated.server,
        notices: authenticated.notices,
        fingerprint: authenticated.basis,
        generation,
        valid_until: authenticated.valid_until,
        credential_source: authenticated.credential_source,
        id_token: authenticated.id_token,
        replaced_refused_at: None,
    })
}

async fn send_once(
    client: Client,
    action: &str,
    request: &Request<Bytes>,
    response_timeout: Duration,
) -> Result<Response<Body>, CallError> {
    let request = request.clone().map(Body::from);
    let response = tokio::time::timeout(response_timeout, client.send(request))
        .await
        .map_err(|_elapsed| CallError::timed_out(action, response_timeout))?
        .map_err(|error| CallError::from_client(action, &error))?;
    if response.status().is_success() || response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(response);
    }
    Err(error_response(action, response).await)
}

/// What the server said: a `Status`, or what something before it says.
pub(super) async fn error_response(action: &str, response: Response<Body>) -> CallError {
    let (head, body) = response.into_parts();
    let mut read = Vec::new();
    let began = tokio::time::timeout(RESPONSE_TIMEOUT, read_beginning(body, &mut read)).await;
    // A broken or endless response is reported by the part of it that came.
    began.ok();
    let body = Bytes::from(read);
    match serde_json::from_slice::<Status>(&body) {
        Ok(mut status) if is_status(&body) => {
            status.code = head.status.as_u16();
            CallError::from_status(action, status, retry_after(&head))
        }
        _ => CallError::from_non_status(action, &head, &body),
    }
}

/// Reads what an answer begins with.
async fn read_beginning(mut body: Body, read: &mut Vec<u8>) {
    while let Some(Ok(frame)) = body.frame().await {
        let data = frame.into_data().unwrap_or_default();
        let room = MAX_ERROR_BODY.saturating_sub(read.len());
        read.extend(data.iter().take(room));
        if data.len() >= room {
            return;
        }
    }
}

/// Every field of a `Status` may be absent, so that any object would be one.
fn is_status(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct StatusShape {
        #[serde(default)]
        kind: String,
        #[serde(default)]
        message: String,
    }
    serde_json::from_slice::<StatusShape>(body)
        .is_ok_and(|it| it.kind == "Status" || !it.message.is_empty())
}
