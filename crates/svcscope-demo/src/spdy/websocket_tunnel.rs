//! SPDY inside a WebSocket (`SPDY/3.1+portforward.k8s.io`): binary messages in a row are its bytes, wherever
//! they are cut.

use bytes::BytesMut;
use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message};

use super::session;

/// The most bytes of one message, and how many wait on the way in or out.
const MAX_MESSAGE_BYTES: usize = 32 << 10;
const BUFFER: usize = 256 << 10;

/// Serves one session inside a WebSocket until the client ends it.
pub(in super::super) async fn serve_websocket<S>(
    socket: WebSocketStream<S>,
    pod: &Value,
) -> Result<(), tungstenite::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let (near, far) = tokio::io::duplex(BUFFER);
    let (mut read, mut write) = tokio::io::split(near);
    let (mut sink, mut messages) = socket.split();
    let receive = async {
        while let Some(message) = messages.next().await {
            match message? {
                Message::Binary(bytes) => write.write_all(&bytes).await?,
                Message::Close(_) => break,
                // Pings are answered by the library.
                _ => {}
            }
        }
        Ok(())
    };
    let send = async {
        loop {
            let mut piece = BytesMut::with_capacity(MAX_MESSAGE_BYTES);
            if read.read_buf(&mut piece).await? == 0 {
                return sink.send(Message::Close(None)).await;
            }
            sink.send(Message::Binary(piece.freeze())).await?;
        }
    };
    tokio::select! {
        received = receive => received,
        sent = send => sent,
        served = session::serve(far, pod) => Ok(served?),
    }
}
