//! One session: pairs of streams come together, each pair is a connection to a port of the pod.

use std::collections::BTreeMap;
use std::io;

use bytes::{Bytes, BytesMut};
use serde_json::Value;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf,
};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::super::pod_backend::PodBackend;
use super::super::portforward;
use super::frame::{self, ClientFrame, ClientFrameReader};
use super::headers::ClientHeaders;

/// How many bytes wait on the way to a pod, and how many on the way back.
const BUFFER: usize = 256 << 10;
/// How many bytes of a pod go into one frame at most.
const MAX_FRAME_BYTES: usize = 32 << 10;

/// Serves one session over a connection until the client ends it.
pub(in super::super) async fn serve<S>(connection: S, pod: &Value) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Send,
{
    let (read, mut write) = tokio::io::split(connection);
    let (out, mut outgoing) = mpsc::channel::<Bytes>(16);
    let send = async {
        while let Some(frame) = outgoing.recv().await {
            write.write_all(&frame).await?;
            write.flush().await?;
        }
        Ok(())
    };
    let mut session = SpdyServerSession {
        pod,
        out,
        has_replied: false,
        streams: BTreeMap::new(),
        partial_pairs: BTreeMap::new(),
    };
    tokio::select! {
        sent = send => sent,
        received = session.receive(ClientFrameReader::new(read)) => received,
    }
}

struct SpdyServerSession<'p> {
    pod: &'p Value,
    out: mpsc::Sender<Bytes>,
    /// Whether a stream was accepted before: the first answer begins the compression.
    has_replied: bool,
    /// The data streams. Error streams carry nothing from the client.
    streams: BTreeMap<u32, PortForwardDataStream>,
    /// Pairs of which one stream is still missing, by their request's id.
    partial_pairs: BTreeMap<String, PartialStreamPair>,
}

struct PortForwardDataStream {
    /// `None` once the client has ended its half.
    to_pod: Option<WriteHalf<DuplexStream>>,
    /// Carries what the pod sends; there is none before the pair is complete.
    from_pod: Option<AbortOnDropHandle<()>>,
}

impl PortForwardDataStream {
    fn is_finished(&self) -> bool {
        self.to_pod.is_none()
            && self
                .from_pod
                .as_ref()
                .is_some_and(|pump| pump.is_finished())
    }
}

#[derive(Default)]
struct PartialStreamPair {
    error: Option<u32>,
    data: Option<PendingDataStream>,
}

/// A data stream that waits for its error stream.
struct PendingDataStream {
    stream: u32,
    port: u16,
    near: ReadHalf<DuplexStream>,
    far: DuplexStream,
}

impl SpdyServerSession<'_> {
    async fn receive<R: AsyncRead + Unpin>(
        &mut self,
        mut frames: ClientFrameReader<R>,
    ) -> io::Result<()> {
        while let Some(frame) = frames.next().await? {
            match frame {
                ClientFrame::SynStream {
                    stream,
                    fin,
                    headers,
                } => {
                    self.open(stream, &headers).await;
                    if fin {
                        self.deliver(stream, &[], true).await;
                    }
                }
                ClientFrame::Data { stream, fin, data } => self.deliver(stream, &data, fin).await,
                ClientFrame::Reset { stream } => self.drop_stream(stream),
                ClientFrame::Ping { id } => self.send(frame::ping(id)).await,
                ClientFrame::Other => {}
            }
        }
        Ok(())
    }

    /// Sends a frame. When it can't, the connection is at its end and the session ends by that.
    async fn send(&self, frame: Bytes) {
        if self.out.send(frame).await.is_err() {
            tracing::trace!("a frame came after the end of its connection");
        }
    }

    async fn open(&mut self, stream: u32, headers: &ClientHeaders) {
        self.streams.retain(|_, stream| !stream.is_finished());
        let port = headers.get("port").parse::<u16>().ok();
        let port = port.filter(|port| *port > 0);
        let (Some(port), kind @ ("error" | "data")) = (port, headers.get("streamtype")) else {
            return self.send(frame::rst_stream(stream)).await;
        };
        let id = request_id(stream, kind, headers);
        let pair = self.partial_pairs.entry(id.clone()).or_default();
        let is_taken = match kind {
            "error" => pair.error.is_some(),
            _ => pair.data.is_some(),
        };
        if is_taken || self.streams.contains_key(&stream) {
            return self.send(frame::rst_stream(stream)).await;
        }
        if kind == "error" {
            pair.error = Some(stream);
        } else {
            // The client may send before its pair is complete: the buffer keeps it.
            let (near, far) = tokio::io::duplex(BUFFER);
            let (near, to_pod) = tokio::io::split(near);
            pair.data = Some(PendingDataStream {
                stream,
                port,
                near,
                far,
            });
            let opened = PortForwardDataStream {
                to_pod: Some(to_pod),
                from_pod: None,
            };
            self.streams.insert(stream, opened);
        }
        self.send(frame::syn_reply(stream, !self.has_replied)).await;
        self.has_replied = true;
        if let Some((error, data)) = self.take_complete_pair(&id) {
            self.connect(error, data).await;
        }
    }

    /// Takes a pair out when both of its streams are there.
    fn take_complete_pair(&mut self, id: &str) -> Option<(u32, PendingDataStream)> {
        let pair = self.partial_pairs.get_mut(id)?;
        let error = pair.error?;
        let data = pair.data.take()?;
        self.partial_pairs.remove(id);
        Some((error, data))
    }

    /// Dials the pod for a complete pair.
    async fn connect(&mut self, error: u32, data: PendingDataStream) {
        let stream = data.stream;
        let Some(backend) = PodBackend::find(self.pod, data.port) else {
            self.streams.remove(&stream);
            let refusal = portforward::connection_refused_message(self.pod, data.port);
            self.send(frame::data(error, refusal.as_bytes())).await;
            self.send(frame::fin(error)).await;
            self.send(frame::fin(stream)).await;
            return;
        };
        tokio::spawn(backend.serve(data.far));
        let pump = tokio::spawn(relay_from_pod(data.near, stream, error, self.out.clone()));
        if let Some(opened) = self.streams.get_mut(&stream) {
            opened.from_pod = Some(AbortOnDropHandle::new(pump));
        }
    }

    async fn deliver(&mut self, stream: u32, data: &[u8], fin: bool) {
        // What comes for an error stream or a stream that was reset goes nowhere.
        let Some(stream) = self.streams.get_mut(&stream) else {
            return;
        };
        let Some(pod) = &mut stream.to_pod else {
            return;
        };
        let mut over = pod.write_all(data).await.is_err();
        if fin && !over {
            over = true;
            if let Err(error) = pod.shutdown().await {
                tracing::debug!(%error, "a demo pod was gone before its client had ended");
            }
        }
        if over {
            stream.to_pod = None;
        }
    }

    fn drop_stream(&mut self, stream: u32) {
        self.streams.remove(&stream);
        self.partial_pairs.retain(|_, pair| {
            let data = pair.data.as_ref().map(|data| data.stream);
            pair.error != Some(stream) && data != Some(stream)
        });
    }
}

/// The id of a pair. Old clients give none: their streams follow each other, error before data.
fn request_id(stream: u32, kind: &str, headers: &ClientHeaders) -> String {
    match (headers.get("requestid"), kind) {
        ("", "data") => stream.saturating_sub(2).to_string(),
        ("", _) => stream.to_string(),
        (id, _) => id.to_owned(),
    }
}

/// Carries what the pod sends; its end is the end of both streams on this side.
async fn relay_from_pod(
    mut near: ReadHalf<DuplexStream>,
    stream: u32,
    error: u32,
    out: mpsc::Sender<Bytes>,
) {
    let mut buffer = BytesMut::with_capacity(MAX_FRAME_BYTES);
    loop {
        buffer.clear();
        let read = near.read_buf(&mut buffer).await;
        let frame = match read {
            Ok(0) | Err(_) => break,
            Ok(_) => frame::data(stream, &buffer),
        };
        if out.send(frame).await.is_err() {
            return;
        }
    }
    for end in [stream, error] {
        if out.send(frame::fin(end)).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
