//! A command in a container, over the WebSocket that `pods/exec` upgrades to, or over SPDY where that is
//! not permitted.
//!
//! The protocol is `v5.channel.k8s.io`, or `v4` from servers before 1.30
//! (k8s.io/apimachinery/pkg/util/remotecommand/constants.go): the first byte of a message names its
//! channel, 0 to 2 for the standard streams and 3 for a `Status` that says how the command ended.
//! v5 can close a channel (255); in v4 the command never sees the end of its input.
//!
//! Not kube's `Api::exec`: it reads through pipes of 1 KiB, never pings, and returns the
//! container's output only after its tasks were joined.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::{BufMut, Bytes, BytesMut};
use futures::{Sink, SinkExt, Stream, StreamExt};
use kube::core::Status;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message},
};

use super::{
    CallError, CallErrorKind,
    api_client::ApiClient,
    path,
    pod_error::to_pod_error,
    upgrade::{self, UpgradedStream},
};
use svcscope_net::probe::in_cluster::{PodCommand, PodError, PodErrorKind, PodOutput};

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
const CLOSE: u8 = 255;

/// What one message carries up.
const MAX_FRAME: usize = 32 * 1024;
/// How long the upgrade may take: TLS, the API server, the kubelet.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);
/// Load balancers in front of API servers cut what is silent, some after 60 s.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// What a WebSocket carries, the better one first, which can close a channel.
const WEBSOCKET_PROTOCOLS: &str = "v5.channel.k8s.io, v4.channel.k8s.io";
const CLOSABLE_PROTOCOL: &str = "v5.channel.k8s.io";
/// What SPDY carries: streams that end with a `Status`.
const SPDY_PROTOCOL: &str = "v4.channel.k8s.io";

/// Runs commands over one connection, and remembers which protocol its user may use.
pub(super) struct PodCommandRunner {
    link: Arc<ApiClient>,
    prefers_spdy: AtomicBool,
}

impl PodCommandRunner {
    pub fn new(link: Arc<ApiClient>) -> Self {
        Self {
            link,
            prefers_spdy: AtomicBool::new(false),
        }
    }

    /// Runs a command and waits for its end, at most for its limit.
    ///
    /// A WebSocket needs the verb `get` of `pods/exec` (from 1.35 on also `create`), SPDY needs
    /// `create` alone: where one is refused the other may do, as in kubectl
    /// (`NewFallbackExecutor` in client-go/tools/remotecommand/fallback.go).
    pub async fn run(&self, command: &PodCommand) -> Result<PodOutput, PodError> {
        let program = command.argv.first().map_or("", String::as_str);
        let tried = format!("run {program} in pod {}", command.pod);
        let carried = async {
            let prefers_spdy = self.prefers_spdy.load(Ordering::Relaxed);
            let connected = match self.connect(command, prefers_spdy, &tried).await {
                Err(error) if error.kind == CallErrorKind::Forbidden => {
                    let other = self.connect(command, !prefers_spdy, &tried).await;
                    if other.is_ok() {
                        self.prefers_spdy.store(!prefers_spdy, Ordering::Relaxed);
                    }
                    // A server may not know the other one.
                    other.map_err(|other| match other.kind {
                        CallErrorKind::Forbidden if !prefers_spdy => other,
                        _ => error,
                    })
                }
                connected => connected,
            };
            match connected.map_err(|error| upgrade_refused_error(&tried, &error))? {
                ExecConnection::WebSocket(socket, closes) => {
                    run_over_websocket(socket, command, closes, &tried).await
                }
                ExecConnection::Spdy(stream) => run_over_spdy(stream, command, &tried).await,
            }
        };
        timeout(command.limit, carried).await.map_err(|_elapsed| {
            let said = format!(
                "the command did not finish within {} s",
                command.limit.as_secs_f32()
            );
            PodError::new(PodErrorKind::TimedOut, &tried, &said)
        })?
    }

    async fn connect(
        &self,
        command: &PodCommand,
        by_spdy: bool,
        tried: &str,
    ) -> Result<ExecConnection, CallError> {
        let upgraded = || {
            self.link
                .with_client(tried, |client| upgrade(client, command, by_spdy, tried))
        };
        self.link
            .with_retries(tried, UPGRADE_TIMEOUT, upgraded)
            .await
    }
}

/// What the connection was upgraded to.
enum ExecConnection {
    /// With whether a channel can be closed.
    WebSocket(Box<WebSocketStream<UpgradedStream>>, bool),
    Spdy(UpgradedStream),
}

async fn upgrade(
    client: kube::Client,
    command: &PodCommand,
    by_spdy: bool,
    tried: &str,
) -> Result<ExecConnection, CallError> {
    let upgraded = async {
        if by_spdy {
            let address = exec_path(command);
            let stream = upgrade::upgrade_to_spdy(&client, &address, SPDY_PROTOCOL, tried).await?;
            return Ok(ExecConnection::Spdy(stream));
        }
        let (socket, protocol) =
            upgrade::upgrade_to_websocket(&client, &exec_path(command), WEBSOCKET_PROTOCOLS, tried)
                .await?;
        Ok(ExecConnection::WebSocket(
            Box::new(socket),
            protocol == CLOSABLE_PROTOCOL,
        ))
    };
    timeout(UPGRADE_TIMEOUT, upgraded)
        .await
        .map_err(|_elapsed| CallError::timed_out(tried, UPGRADE_TIMEOUT))?
}

/// As [`run_over_websocket`], over SPDY.
async fn run_over_spdy(
    stream: UpgradedStream,
    command: &PodCommand,
    tried: &str,
) -> Result<PodOutput, PodError> {
    let output_and_status =
        kube_tunnel::run_command(stream, command.stdin.as_ref(), command.max_output)
            .await
            .map_err(|error| to_pod_error(tried, &CallError::from_transport(tried, &error)))?;
    let output = PodOutput {
        code: None,
        stdout: output_and_status.stdout,
        stderr: output_and_status.stderr,
    };
    match output_and_status.status.as_slice() {
        _ if output_and_status.is_truncated => Ok(output),
        [] => Err(unfinished_error(tried)),
        status => output_of_status(status, output, tried),
    }
}

fn unfinished_error(tried: &str) -> PodError {
    let said = "the connection closed before the command finished";
    PodError::new(PodErrorKind::Other, tried, said)
}

fn exec_path(command: &PodCommand) -> String {
    let pod = &command.pod;
    let object = path::object("/api/v1", &pod.namespace, "pods", &pod.name);
    let mut address = format!("{object}/exec?stdout=true&stderr=true");
    if command.stdin.is_some() {
        address.push_str("&stdin=true");
    }
    if let Some(container) = &command.container {
        address.push_str("&container=");
        address.push_str(&path::escape_segment(container));
    }
    for word in &command.argv {
        address.push_str("&command=");
        address.push_str(&path::escape_segment(word));
    }
    address
}

/// Exchanges messages over an upgraded socket until the command ends or exceeds the output limit.
async fn run_over_websocket<S>(
    socket: S,
    command: &PodCommand,
    can_close_stdin: bool,
    tried: &str,
) -> Result<PodOutput, PodError>
where
    S: Sink<Message, Error = tungstenite::Error>
        + Stream<Item = Result<Message, tungstenite::Error>>
        + Unpin,
{
    let (mut sink, mut stream) = socket.split();
    let feed = async {
        let mut input = command.stdin.clone().unwrap_or_default();
        while !input.is_empty() {
            let part = input.split_to(input.len().min(MAX_FRAME));
            sink.send(frame(STDIN, &part)).await?;
        }
        if can_close_stdin && command.stdin.is_some() {
            sink.send(frame(CLOSE, &[STDIN])).await?;
        }
        loop {
            sleep(PING_INTERVAL).await;
            sink.send(Message::Ping(Bytes::new())).await?;
        }
    };
    let listen = async {
        let mut output = PodOutput::default();
        while let Some(message) = stream.next().await {
            let payload = match message? {
                Message::Binary(payload) => payload,
                Message::Close(_) => break,
                _ => continue,
            };
            let Some((channel, data)) = payload.split_first() else {
                continue;
            };
            let kept = match *channel {
                STDOUT => &mut output.stdout,
                STDERR => &mut output.stderr,
                STATUS => return Ok(output_of_status(data, output, tried)),
                _ => continue,
            };
            let room = command.max_output - kept.len();
            kept.extend(data.iter().take(room));
            if data.len() > room {
                return Ok(Ok(output));
            }
        }
        Ok(Err(unfinished_error(tried)))
    };
    let broken =
        |error: tungstenite::Error| to_pod_error(tried, &CallError::from_transport(tried, &error));
    tokio::select! {
        biased;
        listened = listen => listened.map_err(broken)?,
        fed = feed => Err(broken(match fed {
            Err(error) => error,
            Ok(never) => never,
        })),
    }
}

/// The outcome by the `Status` of the last channel and the output.
fn output_of_status(status: &[u8], output: PodOutput, tried: &str) -> Result<PodOutput, PodError> {
    let Ok(status) = serde_json::from_slice::<Status>(status) else {
        let said = String::from_utf8_lossy(status);
        return Err(PodError::new(PodErrorKind::Other, tried, &said));
    };
    if status.is_success() {
        return Ok(PodOutput {
            code: Some(0),
            ..output
        });
    }
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let code = causes
        .filter(|cause| cause.reason == "ExitCode")
        .find_map(|cause| cause.message.parse().ok());
    // Some runtimes say with a code that they found no program, the words then being on stderr.
    let runtime = String::from_utf8_lossy(&output.stderr);
    match code {
        Some(126 | 127) if is_no_program(&runtime) => Err(PodError::new(
            PodErrorKind::NoProgram,
            tried,
            runtime.trim(),
        )),
        Some(_) => Ok(PodOutput { code, ..output }),
        None => {
            let kind = if is_no_program(&status.message) {
                PodErrorKind::NoProgram
            } else {
                PodErrorKind::Other
            };
            Err(PodError::new(kind, tried, status.message.trim()))
        }
    }
}

/// What runc and crun say; there is no code for it.
fn is_no_program(words: &str) -> bool {
    words.contains("executable file") && words.contains("not found")
        || words.contains("no such file or directory") && words.contains("exec")
}

/// The server did not switch protocols.
fn upgrade_refused_error(tried: &str, error: &CallError) -> PodError {
    let said = &error.cause;
    let is_container = said.contains("container not found")
        || said.contains("is not valid for pod")
        || said.contains("is not running")
        || said.contains("does not have a host assigned");
    if is_container {
        PodError::new(PodErrorKind::NoContainer, tried, said)
    } else {
        to_pod_error(tried, error)
    }
}

fn frame(channel: u8, data: &[u8]) -> Message {
    let mut bytes = BytesMut::with_capacity(1 + data.len());
    bytes.put_u8(channel);
    bytes.put_slice(data);
    Message::Binary(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use tokio::io::DuplexStream;
    use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

    use super::*;
    use svcscope_model::inventory::ObjectKey;

    fn command(stdin: Option<&'static [u8]>) -> PodCommand {
        PodCommand {
            stdin: stdin.map(Bytes::from_static),
            max_output: 8,
            ..PodCommand::new(
                ObjectKey::new("shop", "web-0"),
                vec!["curl".to_owned(), "-H".to_owned(), "a: b&c".to_owned()],
                Duration::from_secs(5),
            )
        }
    }

    async fn pair() -> (WebSocketStream<DuplexStream>, WebSocketStream<DuplexStream>) {
        let (near, far) = tokio::io::duplex(64 * 1024);
        tokio::join!(
            WebSocketStream::from_raw_socket(near, Role::Client, None),
            WebSocketStream::from_raw_socket(far, Role::Server, None)
        )
    }

    async fn answered(messages: &[(u8, &str)]) -> Result<PodOutput, PodError> {
        let (near, mut far) = pair().await;
        for (channel, data) in messages {
            far.send(frame(*channel, data.as_bytes())).await.unwrap();
        }
        far.close(None).await.unwrap();
        run_over_websocket(near, &command(None), false, "run curl in pod shop/web-0").await
    }

    #[test]
    fn every_word_is_an_argument_of_its_own() {
        assert_eq!(
            exec_path(&command(Some(b"x"))),
            "/api/v1/namespaces/shop/pods/web-0/exec?stdout=true&stderr=true&stdin=true\
             &command=curl&command=-H&command=a%3A%20b%26c"
        );
    }

    #[tokio::test]
    async fn streams_and_the_exit_code_come_apart() {
        let status = r#"{"status":"Failure","reason":"NonZeroExitCode","message":"command terminated with non-zero exit code",
            "details":{"causes":[{"reason":"ExitCode","message":"7"}]}}"#;
        let output = answered(&[(1, ""), (1, "out"), (2, "err"), (1, "!"), (3, status)])
            .await
            .unwrap();
        assert_eq!(output.code, Some(7));
        assert_eq!(output.stdout, b"out!");
        assert_eq!(output.stderr, b"err");
        let fine = answered(&[(3, r#"{"status":"Success"}"#)]).await.unwrap();
        assert_eq!(fine.code, Some(0));
    }

    #[tokio::test]
    async fn who_says_too_much_is_left() {
        let output = answered(&[(1, "12345"), (1, "67890")]).await.unwrap();
        assert_eq!(output.stdout, b"12345678");
        assert!(output.is_truncated());
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_distinguished() {
        let words = r#"{"status":"Failure","reason":"InternalError","message":"error executing command in container: failed to exec in container: failed to start exec \"x\": OCI runtime exec failed: exec failed: container_linux.go:380: starting container process caused: exec: \"curl\": executable file not found in $PATH: unknown"}"#;
        let error = answered(&[(3, words)]).await.unwrap_err();
        assert_eq!(error.kind, PodErrorKind::NoProgram);
        assert!(error.message.contains("probe pod"), "{error}");
        let unfinished = answered(&[(1, "a")]).await.unwrap_err();
        assert!(unfinished.message.contains("closed before"), "{unfinished}");
    }

    #[tokio::test]
    async fn input_is_sent_and_closed_where_that_can_be() {
        let (near, mut far) = pair().await;
        let request = command(Some(b"abc"));
        let mut carried: Pin<Box<_>> = Box::pin(run_over_websocket(near, &request, true, "run"));
        let mut got = Vec::new();
        while got.len() < 2 {
            tokio::select! {
                message = far.next() => got.push(message.unwrap().unwrap()),
                _ = &mut carried => panic!("the command has not ended"),
            }
        }
        assert_eq!(got, [frame(0, b"abc"), frame(255, &[0])]);
    }
}
