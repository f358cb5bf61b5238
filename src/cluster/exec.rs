//! A command in a container, over the WebSocket that `pods/exec` upgrades to.
//!
//! The protocol is `v5.channel.k8s.io`, or `v4` from servers before 1.30
//! (k8s.io/apimachinery/pkg/util/remotecommand/constants.go): the first byte of a message names its
//! channel, 0 to 2 for the standard streams and 3 for a `Status` that says how the command ended.
//! v5 can close a channel (255); in v4 the command never sees the end of its input.
//!
//! Not kube's `Api::exec`: it reads through pipes of 1 KiB, never pings, and tells the
//! container's words only after its tasks were joined.

use std::{sync::Arc, time::Duration};

use bytes::{BufMut, Bytes, BytesMut};
use futures::{Sink, SinkExt, Stream, StreamExt};
use http::Request;
use kube::core::Status;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::{self, Message};

use super::{CallError, CallErrorKind, link::Link, path, pods::to_pod_error};
use crate::probe::inside::{PodCommand, PodError, PodErrorKind, PodOutput};

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
const CLOSE: u8 = 255;

/// What one message carries up.
const MAX_FRAME: usize = 32 * 1024;
/// How long the upgrade may take: TLS, the API server, the kubelet.
const UPGRADE: Duration = Duration::from_secs(10);
/// Load balancers in front of API servers cut what is silent, some after 60 s.
const PING: Duration = Duration::from_secs(20);

/// Runs a command and waits for its end, at most for its limit.
pub(super) async fn run(link: &Arc<Link>, command: &PodCommand) -> Result<PodOutput, PodError> {
    let program = command.words.first().map_or("", String::as_str);
    let tried = format!("run {program} in pod {}", command.pod);
    let carried = async {
        let connection = connect(link, command, &tried)
            .await
            .map_err(|error| refused(&tried, &error))?;
        let closes = connection.supports_stream_close();
        carry(connection.into_stream(), command, closes, &tried).await
    };
    timeout(command.limit, carried).await.map_err(|_elapsed| {
        let said = format!("it did not end within {} s", command.limit.as_secs_f32());
        PodError::new(PodErrorKind::TimedOut, &tried, &said)
    })?
}

async fn connect(
    link: &Arc<Link>,
    command: &PodCommand,
    tried: &str,
) -> Result<kube::client::Connection, CallError> {
    let session = link
        .session()
        .await
        .map_err(|error| error.while_trying(tried))?;
    match upgrade(&session.client, command, tried).await {
        Err(error) if error.kind == CallErrorKind::Unauthorized => {
            let renewed = link
                .renew(&session)
                .await
                .map_err(|error| error.while_trying(tried))?;
            upgrade(&renewed.client, command, tried).await
        }
        answered => answered,
    }
}

async fn upgrade(
    client: &kube::Client,
    command: &PodCommand,
    tried: &str,
) -> Result<kube::client::Connection, CallError> {
    let request = Request::get(address(command))
        .body(Vec::new())
        .map_err(|error| CallError::new(CallErrorKind::Other, tried, &error.to_string()))?;
    timeout(UPGRADE, client.connect(request))
        .await
        .map_err(|_elapsed| CallError::timed_out(tried, UPGRADE))?
        .map_err(|error| CallError::from_client(tried, &error))
}

fn address(command: &PodCommand) -> String {
    let pod = &command.pod;
    let object = path::object("/api/v1", &pod.namespace, "pods", &pod.name);
    let mut address = format!("{object}/exec?stdout=true&stderr=true");
    if command.stdin.is_some() {
        address.push_str("&stdin=true");
    }
    if let Some(container) = &command.container {
        address.push_str("&container=");
        address.push_str(&path::segment(container));
    }
    for word in &command.words {
        address.push_str("&command=");
        address.push_str(&path::segment(word));
    }
    address
}

/// Talks over an upgraded socket until the command has ended or has said too much.
async fn carry<S>(
    socket: S,
    command: &PodCommand,
    closes: bool,
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
        if closes && command.stdin.is_some() {
            sink.send(frame(CLOSE, &[STDIN])).await?;
        }
        loop {
            sleep(PING).await;
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
                STATUS => return Ok(ended(data, output, tried)),
                _ => continue,
            };
            let room = command.most - kept.len();
            kept.extend(data.iter().take(room));
            if data.len() > room {
                return Ok(Ok(output));
            }
        }
        Ok(Err(PodError::new(
            PodErrorKind::Other,
            tried,
            "the connection ended before the command did",
        )))
    };
    let broken =
        |error: tungstenite::Error| to_pod_error(tried, &CallError::from_transport(tried, &error));
    tokio::select! {
        biased;
        heard = listen => heard.map_err(broken)?,
        fed = feed => Err(broken(match fed {
            Err(error) => error,
            Ok(never) => never,
        })),
    }
}

/// What the `Status` of the last channel makes of what was said.
fn ended(status: &[u8], output: PodOutput, tried: &str) -> Result<PodOutput, PodError> {
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
fn refused(tried: &str, error: &CallError) -> PodError {
    let said = &error.said;
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
    use crate::inventory::ObjectKey;

    fn command(stdin: Option<&'static [u8]>) -> PodCommand {
        PodCommand {
            stdin: stdin.map(Bytes::from_static),
            most: 8,
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
        carry(near, &command(None), false, "run curl in pod shop/web-0").await
    }

    #[test]
    fn every_word_is_an_argument_of_its_own() {
        assert_eq!(
            address(&command(Some(b"x"))),
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
        assert!(output.is_cut());
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_told_apart() {
        let words = r#"{"status":"Failure","reason":"InternalError","message":"error executing command in container: failed to exec in container: failed to start exec \"x\": OCI runtime exec failed: exec failed: container_linux.go:380: starting container process caused: exec: \"curl\": executable file not found in $PATH: unknown"}"#;
        let error = answered(&[(3, words)]).await.unwrap_err();
        assert_eq!(error.kind, PodErrorKind::NoProgram);
        assert!(error.message.contains("probe pod"), "{error}");
        let unfinished = answered(&[(1, "a")]).await.unwrap_err();
        assert!(unfinished.message.contains("ended before"), "{unfinished}");
    }

    #[tokio::test]
    async fn input_is_sent_and_closed_where_that_can_be() {
        let (near, mut far) = pair().await;
        let request = command(Some(b"abc"));
        let mut carried: Pin<Box<_>> = Box::pin(carry(near, &request, true, "run"));
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
