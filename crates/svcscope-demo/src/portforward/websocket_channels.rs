//! Protocol `v4.channel.k8s.io`: for the i-th port, channel 2i carries data and 2i+1 errors; the first message on
//! each names the port. The pod is dialled when the session begins.

use bytes::{BufMut, Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, frame::coding::CloseCode};

use super::super::pod_backend::PodBackend;
use super::connection_refused_message;

type UpgradedWebSocket = WebSocketStream<TokioIo<Upgraded>>;
type WebSocketError = tokio_tungstenite::tungstenite::Error;

pub(super) async fn relay_channels(
    mut socket: UpgradedWebSocket,
    pod: &Value,
    ports: &[u16],
) -> Result<(), WebSocketError> {
    let (out, mut outgoing) = mpsc::channel::<Message>(16);
    let mut pods = Vec::new();
    for (index, port) in ports.iter().enumerate() {
        let channel = u8::try_from(index * 2).unwrap_or(u8::MAX - 1);
        socket
            .send(channel_message(channel, &port.to_le_bytes()))
            .await?;
        socket
            .send(channel_message(channel + 1, &port.to_le_bytes()))
            .await?;
        pods.push(connect_to_pod(pod, *port, channel, &out));
    }
    drop(out);
    let (mut sink, mut stream) = socket.split();
    let send = async {
        while let Some(message) = outgoing.recv().await {
            sink.send(message).await?;
        }
        let close = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        sink.send(Message::Close(Some(close))).await
    };
    let receive = async {
        while let Some(message) = stream.next().await {
            match message? {
                Message::Binary(bytes) => deliver_to_pod(&mut pods, &bytes).await,
                Message::Close(_) => break,
                _ => {}
            }
        }
        // This protocol knows no half-close: the end of the socket is the end of all.
        Ok(())
    };
    tokio::select! {
        sent = send => sent,
        received = receive => received,
    }
}

async fn deliver_to_pod(pods: &mut [Option<WriteHalf<DuplexStream>>], bytes: &Bytes) {
    let Some((channel, data)) = bytes.split_first() else {
        return;
    };
    let Some(pod) = pods
        .get_mut(usize::from(*channel / 2))
        .filter(|_| channel % 2 == 0)
    else {
        return;
    };
    if let Some(writer) = pod
        && writer.write_all(data).await.is_err()
    {
        *pod = None;
    }
}

/// Dials a port of the pod; what it sends goes out on its channel, a refusal on the error channel.
fn connect_to_pod(
    pod: &Value,
    port: u16,
    channel: u8,
    out: &mpsc::Sender<Message>,
) -> Option<WriteHalf<DuplexStream>> {
    let out = out.clone();
    let Some(backend) = PodBackend::find(pod, port) else {
        let refused = channel_message(
            channel + 1,
            connection_refused_message(pod, port).as_bytes(),
        );
        tokio::spawn(async move { out.send(refused).await });
        return None;
    };
    let (near, far) = tokio::io::duplex(256 << 10);
    tokio::spawn(backend.serve(far));
    let (reader, writer) = tokio::io::split(near);
    tokio::spawn(relay_from_pod(reader, channel, out));
    Some(writer)
}

async fn relay_from_pod(
    mut reader: ReadHalf<DuplexStream>,
    channel: u8,
    out: mpsc::Sender<Message>,
) {
    loop {
        let mut bytes = BytesMut::with_capacity(32 << 10);
        bytes.put_u8(channel);
        // The pod's half stays open for as long as this reads: the end of the session must end it.
        let read = tokio::select! {
            read = reader.read_buf(&mut bytes) => read,
            () = out.closed() => return,
        };
        match read {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                if out.send(Message::Binary(bytes.freeze())).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn channel_message(channel: u8, data: &[u8]) -> Message {
    let mut bytes = BytesMut::with_capacity(data.len() + 1);
    bytes.put_u8(channel);
    bytes.extend_from_slice(data);
    Message::Binary(bytes.freeze())
}
