//! The other end of a session: scripted frame by frame, or an echo.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::super::{
    frame::{self, FrameDecoder, SpdyFrame},
    session::TunnelSession,
    transport::RawStreamTransport,
};
use crate::liveness::fixed_liveness;

/// A node whose every frame the test reads and writes.
pub struct ScriptedNode {
    io: DuplexStream,
    decoder: FrameDecoder,
    input: Bytes,
}

/// A session with a node at its other end; so many bytes fit between them each way.
pub fn session(buffer: usize) -> (Arc<TunnelSession>, ScriptedNode) {
    let (near, far) = duplex(buffer);
    (
        TunnelSession::start(RawStreamTransport::new(near), fixed_liveness(true)),
        ScriptedNode::new(far),
    )
}

impl ScriptedNode {
    pub fn new(io: DuplexStream) -> Self {
        Self {
            io,
            decoder: FrameDecoder::default(),
            input: Bytes::new(),
        }
    }

    /// The next frame; `None` at the end.
    pub async fn next(&mut self) -> Option<SpdyFrame> {
        loop {
            if let Some(frame) = self.decoder.next(&mut self.input).unwrap() {
                return Some(frame);
            }
            let mut read = BytesMut::with_capacity(64 * 1024);
            if self.io.read_buf(&mut read).await.ok()? == 0 {
                return None;
            }
            self.input = read.freeze();
        }
    }

    /// As [`Self::next`], after answering pings.
    pub async fn next_but_pings(&mut self) -> Option<SpdyFrame> {
        loop {
            match self.next().await? {
                SpdyFrame::Ping { id } => self.write(|out| frame::put_ping(out, id)).await,
                other => return Some(other),
            }
        }
    }

    pub async fn write(&mut self, put: impl FnOnce(&mut BytesMut)) {
        let mut out = BytesMut::new();
        put(&mut out);
        // A session that has ended reads nothing more.
        self.io.write_all(&out).await.ok();
    }

    /// Takes the next pair of streams; returns the data stream's number.
    pub async fn accept(&mut self) -> u32 {
        let stream = self.expect_pair().await;
        self.reply(stream - 2).await;
        self.reply(stream).await;
        stream
    }

    /// Reads the next pair of streams, in client-go's order.
    pub async fn expect_pair(&mut self) -> u32 {
        let Some(SpdyFrame::Open { stream: error }) = self.next_but_pings().await else {
            panic!("no error stream");
        };
        let end = SpdyFrame::Data {
            stream: error,
            data: Bytes::new(),
            fin: true,
        };
        assert_eq!(self.next_but_pings().await, Some(end));
        let data = SpdyFrame::Open { stream: error + 2 };
        assert_eq!(self.next_but_pings().await, Some(data));
        error + 2
    }

    pub async fn reply(&mut self, stream: u32) {
        // What comes after the number is a header block, which nobody reads.
        let head = [0x80, 3, 0, 2, 0, 0, 0, 8];
        self.write(|out| {
            out.put_slice(&head);
            out.put_u32(stream);
            out.put_u32(0xdead_beef);
        })
        .await;
    }

    /// Sends data; with its end, the end of the error stream as well.
    pub async fn data(&mut self, stream: u32, data: &[u8], fin: bool) {
        self.data_alone(stream, data, fin).await;
        if fin && stream % 4 == 3 {
            self.data_alone(stream - 2, b"", true).await;
        }
    }

    pub async fn data_alone(&mut self, stream: u32, data: &[u8], fin: bool) {
        self.write(|out| {
            frame::put_data_head(out, stream, data.len(), fin);
            out.put_slice(data);
        })
        .await;
    }

    /// Data of a stream until that has ended or is reset.
    pub async fn read_to_end(&mut self, wanted: u32) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            match self.next_but_pings().await {
                Some(SpdyFrame::Data { stream, data, fin }) if stream == wanted => {
                    all.extend_from_slice(&data);
                    if fin {
                        return all;
                    }
                }
                Some(SpdyFrame::Reset { stream }) if stream == wanted => return all,
                Some(_) => {}
                None => return all,
            }
        }
    }

    /// Gives back on every stream what comes on it, and ends it after the client; refuses streams
    /// with `words` where there are some.
    pub async fn echo(mut self, words: Option<&str>) {
        while let Some(next) = self.next_but_pings().await {
            match next {
                SpdyFrame::Open { stream } => {
                    self.reply(stream).await;
                    if let Some(words) = words.filter(|_| stream % 4 == 3) {
                        self.data(stream - 2, words.as_bytes(), true).await;
                        self.data(stream, b"", true).await;
                    }
                }
                SpdyFrame::Data { stream, data, fin } if stream % 4 == 3 => {
                    self.data(stream, &data, fin).await;
                }
                _ => {}
            }
        }
    }
}
