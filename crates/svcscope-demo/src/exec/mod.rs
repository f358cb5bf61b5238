//! `pods/exec`: commands in containers, over one upgraded connection.
//!
//! In comes a request that names a container and a command; out go the output of the command, on
//! channels of its own, and a `Status` that says how it ended. The containers hold next to nothing:
//! [`container_command`] defines what, [`pod_network`] routes their connections.

mod container_command;
mod curl;
mod flags;
mod pod_http;
pub(super) mod pod_network;
mod programs;
mod wget;

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{
    self,
    protocol::{CloseFrame, Message, Role, frame::coding::CloseCode},
};

use super::api_request::ApiRequest;
use super::cluster;
use super::cluster::DemoCluster;
use super::json;
use super::portforward::handshake;
use super::resource::ServedKind;
use super::response::ApiResponse;
use super::status::FailureStatus;
use super::store::NamespacedName;
use container_command::{ContainerCommand, ContainerCommandResult};

/// The protocols spoken, the better one first. The newer can say that a channel is closed.
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
const CLOSE: u8 = 255;
/// The most that a command is given to read.
const MAX_STDIN_BYTES: usize = 4 << 20;
/// What one message carries.
const FRAME: usize = 32 << 10;

pub(super) async fn answer(
    app: Arc<DemoCluster>,
    mut call: ApiRequest,
) -> Result<ApiResponse, FailureStatus> {
    let key = NamespacedName::new(
        call.target.namespace.as_deref().unwrap_or_default(),
        call.target.name.as_deref().unwrap_or_default(),
    );
    let pod = cluster::find(&app, ServedKind::Pod, &key)?;
    let container = running_container(&pod, call.query.get("container"))?;
    let words = call.query.all("command").to_vec();
    if words.is_empty() {
        return Err(FailureStatus::bad_request(
            "you must specify at least 1 command",
        ));
    }
    let protocol = handshake::negotiate_websocket(&call.request, &PROTOCOLS)?;
    let reads = call.query.is_true("stdin");
    let upgrade = hyper::upgrade::on(&mut call.request);
    let program = ContainerCommand {
        app: app.clone(),
        pod,
        container,
        argv: words,
    };
    tokio::spawn(async move {
        let closes = protocol.name == PROTOCOLS[0];
        let carried = tokio::select! {
            carried = run_session(upgrade, program, reads, closes) => carried,
            () = app.connections_cut() => Ok(()),
        };
        if let Err(error) = carried {
            tracing::debug!(%error, "an exec ended early");
        }
    });
    Ok(protocol.answer)
}

/// The container that is meant, if it runs.
fn running_container(pod: &Value, container_name: &str) -> Result<Value, FailureStatus> {
    let containers = json::list(pod, "spec/containers");
    let name = json::text(pod, "metadata/name");
    let found = match container_name {
        "" => containers.first(),
        wanted => containers
            .iter()
            .find(|one| json::text(one, "name") == wanted),
    };
    let found = found.ok_or_else(|| {
        FailureStatus::bad_request(format!(
            "container {container_name} is not valid for pod {name}"
        ))
    })?;
    let called = json::text(found, "name");
    let runs = json::list(pod, "status/containerStatuses")
        .iter()
        .any(|status| {
            json::text(status, "name") == called && json::at(status, "state/running").is_some()
        });
    if runs {
        return Ok(found.clone());
    }
    let words = format!("unable to upgrade connection: container not found (\"{called}\")");
    Err(FailureStatus::new(500, "InternalError", words))
}

async fn run_session(
    upgrade: OnUpgrade,
    program: ContainerCommand,
    has_stdin: bool,
    signals_channel_close: bool,
) -> Result<(), tungstenite::Error> {
    let connection = TokioIo::new(upgrade.await.map_err(std::io::Error::other)?);
    let mut socket = WebSocketStream::from_raw_socket(connection, Role::Server, None).await;
    let mut input = Vec::new();
    if has_stdin && program.reads_stdin() {
        input = read_stdin(&mut socket, signals_channel_close).await?;
    }
    let (mut sink, mut stream) = socket.split();
    let run = async {
        let ended = program.run(&input).await;
        for (channel, said) in [(STDOUT, &ended.stdout), (STDERR, &ended.stderr)] {
            for part in said.chunks(FRAME) {
                sink.send(frame(channel, part)).await?;
            }
        }
        sink.send(frame(STATUS, exit_status(&ended).to_string().as_bytes()))
            .await?;
        let close = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        sink.send(Message::Close(Some(close))).await
    };
    // A client that disconnects leaves the command running, as with a real kubelet; here there is
    // nothing that could run on.
    let hung_up = async {
        while let Some(Ok(message)) = stream.next().await {
            if matches!(message, Message::Close(_)) {
                break;
            }
        }
    };
    tokio::select! {
        ran = run => ran,
        () = hung_up => Ok(()),
    }
}

/// Reads until the client closes the channel; in the older protocol it can't, and one message is all.
async fn read_stdin(
    socket: &mut WebSocketStream<TokioIo<Upgraded>>,
    signals_channel_close: bool,
) -> Result<Vec<u8>, tungstenite::Error> {
    let mut input = Vec::new();
    while let Some(message) = socket.next().await {
        let Message::Binary(bytes) = message? else {
            continue;
        };
        match bytes.split_first() {
            Some((&STDIN, data)) => input.extend_from_slice(data),
            Some((&CLOSE, _)) => break,
            _ => {}
        }
        if !signals_channel_close || input.len() > MAX_STDIN_BYTES {
            break;
        }
    }
    Ok(input)
}

/// As the kubelet reports it (k8s.io/apiserver/pkg/util/wsstream, remotecommand v4).
fn exit_status(result: &ContainerCommandResult) -> Value {
    let failure = |reason: &str, message: String, details: Value| {
        json!({
            "metadata": {}, "status": "Failure",
            "reason": reason, "message": message, "details": details,
        })
    };
    match &result.code {
        Ok(0) => json!({"metadata": {}, "status": "Success"}),
        Ok(code) => failure(
            "NonZeroExitCode",
            format!("command terminated with non-zero exit code: exit status {code}"),
            json!({"causes": [{"reason": "ExitCode", "message": code.to_string()}]}),
        ),
        Err(words) => failure("InternalError", words.clone(), json!({})),
    }
}

fn frame(channel: u8, data: &[u8]) -> Message {
    let mut bytes = BytesMut::with_capacity(data.len() + 1);
    bytes.put_u8(channel);
    bytes.extend_from_slice(data);
    Message::Binary(Bytes::from(bytes))
}
