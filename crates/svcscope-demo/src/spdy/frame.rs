//! Frames: eight bytes of head, then what its length says.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, BufReader};

use super::headers::{self, ClientHeaderReader, ClientHeaders};

/// A control frame of version 3, in its first two bytes.
const CONTROL: u16 = 0x8003;
const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const PING: u16 = 6;
const HEADERS: u16 = 8;
/// The flag of the last frame that a side sends on a stream.
const FIN: u8 = 1;
/// Status of RST_STREAM: the one that sends it is not interested any more. Kubernetes refuses streams by it.
const CANCEL: u32 = 5;

/// A frame of the client, as far as port-forwards need it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ClientFrame {
    SynStream {
        stream: u32,
        fin: bool,
        headers: ClientHeaders,
    },
    Data {
        stream: u32,
        fin: bool,
        data: Bytes,
    },
    Reset {
        stream: u32,
    },
    Ping {
        id: u32,
    },
    /// SETTINGS, WINDOW_UPDATE, GOAWAY and what else needs no answer.
    Other,
}

/// Reads frames from a connection.
pub(super) struct ClientFrameReader<R> {
    read: BufReader<R>,
    headers: ClientHeaderReader,
}

impl<R: AsyncRead + Unpin> ClientFrameReader<R> {
    pub(super) fn new(read: R) -> Self {
        Self {
            read: BufReader::with_capacity(64 << 10, read),
            headers: ClientHeaderReader::new(),
        }
    }

    /// The next frame, or `None` at the end of the connection.
    pub(super) async fn next(&mut self) -> io::Result<Option<ClientFrame>> {
        let first = match self.read.read_u32().await {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            first => first?,
        };
        let flags = self.read.read_u8().await?;
        let length = self.read.read_uint_24().await?;
        let mut body = vec![0; length];
        self.read.read_exact(&mut body).await?;
        let mut body = Bytes::from(body);
        if first >> 31 == 0 {
            return Ok(Some(ClientFrame::Data {
                stream: first,
                fin: flags & FIN != 0,
                data: body,
            }));
        }
        let [version, kind] = [first >> 16, first & 0xffff].map(|half| u16::try_from(half).ok());
        if version != Some(CONTROL) {
            return Err(invalid("a frame of another version than SPDY/3"));
        }
        match kind {
            Some(SYN_STREAM) => {
                let stream = number(&mut body)?;
                // The stream it belongs to, its priority and its slot say nothing here.
                let block = body.slice(body.len().min(6)..);
                Ok(Some(ClientFrame::SynStream {
                    stream,
                    fin: flags & FIN != 0,
                    headers: self.headers.read(block).map_err(invalid)?,
                }))
            }
            Some(SYN_REPLY | HEADERS) => {
                number(&mut body)?;
                // It says nothing here, but it moves the state of all later blocks.
                self.headers.read(body).map_err(invalid)?;
                Ok(Some(ClientFrame::Other))
            }
            Some(RST_STREAM) => Ok(Some(ClientFrame::Reset {
                stream: number(&mut body)?,
            })),
            Some(PING) => Ok(Some(ClientFrame::Ping {
                id: number(&mut body)?,
            })),
            _ => Ok(Some(ClientFrame::Other)),
        }
    }
}

/// The three bytes of a length.
trait ReadFrameLength {
    async fn read_uint_24(&mut self) -> io::Result<usize>;
}

impl<R: AsyncRead + Unpin> ReadFrameLength for R {
    async fn read_uint_24(&mut self) -> io::Result<usize> {
        let high = self.read_u8().await?;
        let low = self.read_u16().await?;
        Ok(usize::from(high) << 16 | usize::from(low))
    }
}

fn number(body: &mut Bytes) -> io::Result<u32> {
    body.try_get_u32()
        .map_err(|_short| invalid("a frame that is too short for its kind"))
}

fn invalid(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// The acceptance of a stream; `first` on a connection for the first one.
pub(super) fn syn_reply(stream: u32, first: bool) -> Bytes {
    control(SYN_REPLY, stream, &headers::empty_block(first))
}

/// The refusal of a stream.
pub(super) fn rst_stream(stream: u32) -> Bytes {
    control(RST_STREAM, stream, &CANCEL.to_be_bytes())
}

/// The answer to a ping: the ping.
pub(super) fn ping(id: u32) -> Bytes {
    control(PING, id, &[])
}

/// Data on a stream. It must fit the 24 bits of a length, which all callers' buffers do.
pub(super) fn data(stream: u32, data: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(8 + data.len());
    frame.put_u32(stream);
    frame.put_u8(0);
    frame.put_uint(data.len() as u64, 3);
    frame.put_slice(data);
    frame.freeze()
}

/// The end of what this side sends on a stream.
pub(super) fn fin(stream: u32) -> Bytes {
    let mut frame = BytesMut::with_capacity(8);
    frame.put_u32(stream);
    frame.put_u8(FIN);
    frame.put_uint(0, 3);
    frame.freeze()
}

fn control(kind: u16, number: u32, rest: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(12 + rest.len());
    frame.put_u16(CONTROL);
    frame.put_u16(kind);
    frame.put_u8(0);
    frame.put_uint(4 + rest.len() as u64, 3);
    frame.put_u32(number);
    frame.put_slice(rest);
    frame.freeze()
}
