//! SPDY/3.1 frames: eight bytes of head, then what the length in them says (SPDY/3 draft, §2.2).
//!
//! The reader keeps at most sixteen bytes of a frame: data is passed on as it comes, wherever it
//! was cut, and what a port-forward does not need is skipped. So no length that a server claims
//! costs memory.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// A control frame of version 3, in its first two bytes.
const CONTROL: u16 = 0x8003;
const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const PING: u16 = 6;
const GOAWAY: u16 = 7;
const HEADERS: u16 = 8;

/// The flag of the last frame that a side sends on a stream.
const FIN: u8 = 1;
/// The bit that tells control frames from data, and is reserved in a stream's number.
const HIGH_BIT: u32 = 1 << 31;
/// Status of RST_STREAM: whoever opened the stream does not want it any more.
const CANCEL: u32 = 5;
/// Status of RST_STREAM: not accepted, and nothing was done for it.
const REFUSED: u32 = 3;

/// How long the head of a frame is.
pub const HEAD_LENGTH: usize = 8;
/// How much of a control frame says something here: a number and a status.
const CONTROL_BODY_LENGTH: usize = 8;

/// The most data of one frame that is sent: large enough to cost little, small enough that other
/// streams wait for a moment only. With its head it fills four TLS records.
pub const MAX_DATA: usize = 64 * 1024 - HEAD_LENGTH;

/// What a server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpdyFrame {
    /// The server opens a stream; port-forwards know no such thing.
    Open {
        /// The stream's number.
        stream: u32,
    },
    /// The server accepts a stream, with `fin` without anything to say on it.
    Reply {
        /// The stream's number.
        stream: u32,
        /// Nothing will follow.
        fin: bool,
    },
    /// The server ends a stream.
    Reset {
        /// The stream's number.
        stream: u32,
    },
    /// A ping, or the answer to one: then it has an odd number.
    Ping {
        /// Which one.
        id: u32,
    },
    /// The server takes no more streams.
    GoAway,
    /// Data, or a piece of it.
    Data {
        /// The stream's number.
        stream: u32,
        /// The bytes.
        data: Bytes,
        /// Nothing will follow.
        fin: bool,
    },
}

/// Why bytes are no SPDY/3.1. The connection is of no use afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not version 3.
    #[error("the server sent something that is not SPDY/3.1")]
    Version,
    /// A control frame lacks what its kind must have.
    #[error("the server sent a SPDY frame that is too short for its kind")]
    Short,
}

/// Reads frames out of pieces of any size.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    state: DecoderState,
}

#[derive(Debug)]
enum DecoderState {
    Head(PartialBytes<HEAD_LENGTH>),
    Control {
        kind: u16,
        fin: bool,
        remaining: usize,
        body: PartialBytes<CONTROL_BODY_LENGTH>,
    },
    Data {
        stream: u32,
        fin: bool,
        remaining: usize,
    },
}

impl Default for DecoderState {
    fn default() -> Self {
        Self::Head(PartialBytes::default())
    }
}

/// The first bytes of something, as far as they have come.
#[derive(Debug, Clone, Copy)]
struct PartialBytes<const N: usize> {
    bytes: [u8; N],
    filled: usize,
}

impl<const N: usize> Default for PartialBytes<N> {
    fn default() -> Self {
        Self {
            bytes: [0; N],
            filled: 0,
        }
    }
}

impl<const N: usize> PartialBytes<N> {
    /// Takes what is missing, as far as it is there.
    fn fill(&mut self, input: &mut Bytes) {
        let taken = (N - self.filled).min(input.len());
        if let Some(place) = self.bytes.get_mut(self.filled..self.filled + taken) {
            input.copy_to_slice(place);
        }
        self.filled += taken;
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
}

impl FrameDecoder {
    /// Takes the next frame, or piece of data, off `input`; `None` when more is needed.
    pub fn next(&mut self, input: &mut Bytes) -> Result<Option<SpdyFrame>, FrameError> {
        loop {
            match &mut self.state {
                DecoderState::Head(head) => {
                    head.fill(input);
                    if head.filled < HEAD_LENGTH {
                        return Ok(None);
                    }
                    self.state = state_after_head(head.bytes())?;
                }
                DecoderState::Control {
                    kind,
                    fin,
                    remaining: left,
                    body,
                } => {
                    let mut mine = input.split_to((*left).min(input.len()));
                    *left -= mine.len();
                    body.fill(&mut mine);
                    if *left > 0 {
                        return Ok(None);
                    }
                    let frame = decode_control(*kind, *fin, body.bytes())?;
                    self.state = DecoderState::default();
                    if frame.is_some() {
                        return Ok(frame);
                    }
                }
                DecoderState::Data {
                    stream,
                    fin,
                    remaining: left,
                } => {
                    if *left > 0 && input.is_empty() {
                        return Ok(None);
                    }
                    let data = input.split_to((*left).min(input.len()));
                    *left -= data.len();
                    let (stream, fin) = (*stream, *fin && *left == 0);
                    if *left == 0 {
                        self.state = DecoderState::default();
                    }
                    if fin || !data.is_empty() {
                        return Ok(Some(SpdyFrame::Data { stream, data, fin }));
                    }
                }
            }
        }
    }
}

/// What follows a head.
fn state_after_head(mut head: &[u8]) -> Result<DecoderState, FrameError> {
    let first = head.try_get_u32().map_err(short)?;
    let rest = head.try_get_u32().map_err(short)?;
    let fin = rest >> 24 & u32::from(FIN) != 0;
    let left = usize::try_from(rest & 0x00ff_ffff).unwrap_or(usize::MAX);
    if first & HIGH_BIT == 0 {
        return Ok(DecoderState::Data {
            stream: first,
            fin,
            remaining: left,
        });
    }
    if first >> 16 != u32::from(CONTROL) {
        return Err(FrameError::Version);
    }
    Ok(DecoderState::Control {
        kind: u16::try_from(first & 0xffff).unwrap_or_default(),
        fin,
        remaining: left,
        body: PartialBytes::default(),
    })
}

/// A control frame that says something here. SETTINGS and WINDOW_UPDATE do not: Kubernetes sends
/// none that would mean anything.
fn decode_control(kind: u16, fin: bool, mut body: &[u8]) -> Result<Option<SpdyFrame>, FrameError> {
    let mut number = || body.try_get_u32().map_err(short);
    let mut stream = || Ok(number()? & !HIGH_BIT);
    Ok(match kind {
        SYN_STREAM => Some(SpdyFrame::Open { stream: stream()? }),
        SYN_REPLY => Some(SpdyFrame::Reply {
            stream: stream()?,
            fin,
        }),
        RST_STREAM => Some(SpdyFrame::Reset { stream: stream()? }),
        PING => Some(SpdyFrame::Ping { id: number()? }),
        GOAWAY => Some(SpdyFrame::GoAway),
        HEADERS if fin => Some(SpdyFrame::Data {
            stream: stream()?,
            data: Bytes::new(),
            fin,
        }),
        _ => None,
    })
}

fn short(_short: bytes::TryGetError) -> FrameError {
    FrameError::Short
}

/// Writes the opening of a stream, with its header block.
pub fn put_open(out: &mut BytesMut, stream: u32, block: &[u8]) {
    // The stream that it belongs to, its priority and its slot say nothing here.
    put_control(out, SYN_STREAM, 10 + block.len());
    out.put_u32(stream);
    out.put_u32(0);
    out.put_u16(0);
    out.put_slice(block);
}

/// Writes that a stream is not wanted any more.
pub fn put_cancel(out: &mut BytesMut, stream: u32) {
    put_reset(out, stream, CANCEL);
}

/// Writes that a stream of the server is not accepted.
pub fn put_refusal(out: &mut BytesMut, stream: u32) {
    put_reset(out, stream, REFUSED);
}

fn put_reset(out: &mut BytesMut, stream: u32, status: u32) {
    put_control(out, RST_STREAM, 8);
    out.put_u32(stream);
    out.put_u32(status);
}

/// Writes a ping, or the answer to one.
pub fn put_ping(out: &mut BytesMut, id: u32) {
    put_control(out, PING, 4);
    out.put_u32(id);
}

/// Writes that this side is about to leave.
pub fn put_go_away(out: &mut BytesMut) {
    put_control(out, GOAWAY, 8);
    out.put_u64(0);
}

/// Writes the head of a data frame; `length` bytes must follow, at most [`MAX_DATA`].
pub fn put_data_head(out: &mut BytesMut, stream: u32, length: usize, fin: bool) {
    out.put_u32(stream);
    put_flags_and_length(out, fin, length);
}

fn put_control(out: &mut BytesMut, kind: u16, length: usize) {
    out.put_u16(CONTROL);
    out.put_u16(kind);
    put_flags_and_length(out, false, length);
}

fn put_flags_and_length(out: &mut BytesMut, fin: bool, length: usize) {
    out.put_u8(if fin { FIN } else { 0 });
    out.put_uint(length as u64, 3);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All frames in these pieces.
    fn decode(pieces: &[&[u8]]) -> Result<Vec<SpdyFrame>, FrameError> {
        let mut decoder = FrameDecoder::default();
        let mut frames = Vec::new();
        for piece in pieces {
            let mut piece = Bytes::copy_from_slice(piece);
            while let Some(frame) = decoder.next(&mut piece)? {
                frames.push(frame);
            }
            assert!(piece.is_empty(), "what is not understood must be skipped");
        }
        Ok(frames)
    }

    fn data(stream: u32, data: &'static [u8], fin: bool) -> SpdyFrame {
        let data = Bytes::from_static(data);
        SpdyFrame::Data { stream, data, fin }
    }

    #[test]
    fn frames_of_a_server_are_read() {
        let reply = b"\x80\x03\0\x02\0\0\0\x0f\0\0\0\x03\x78\x01\0\x04\0\xfb\xff\0\0\0\0";
        let hello = b"\0\0\0\x03\0\0\0\x05hello";
        let end = b"\0\0\0\x03\x01\0\0\0";
        let reset = b"\x80\x03\0\x03\0\0\0\x08\0\0\0\x03\0\0\0\x05";
        let ping = b"\x80\x03\0\x06\0\0\0\x04\0\0\0\x07";
        let away = b"\x80\x03\0\x07\0\0\0\x08\0\0\0\0\0\0\0\0";
        let all = [&reply[..], hello, end, reset, ping, away].concat();
        let stream = 3;
        let expected = [
            SpdyFrame::Reply { stream, fin: false },
            data(3, b"hello", false),
            data(3, b"", true),
            SpdyFrame::Reset { stream },
            SpdyFrame::Ping { id: 7 },
            SpdyFrame::GoAway,
        ];
        assert_eq!(decode(&[&all]).unwrap(), expected);
    }

    #[test]
    fn data_is_passed_on_before_its_frame_is_complete() {
        let frames = decode(&[b"\0\0\0\x03\x01\0\0\x05he", b"l", b"lo"]).unwrap();
        let expected = [
            data(3, b"he", false),
            data(3, b"l", false),
            data(3, b"lo", true),
        ];
        assert_eq!(frames, expected);
    }

    #[test]
    fn what_needs_no_answer_is_skipped_whatever_its_length() {
        let settings = b"\x80\x03\0\x04\0\0\0\x04\0\0\0\0";
        let window = b"\x80\x03\0\x09\0\0\0\x08\0\0\0\x03\0\0\x10\0";
        let unknown = [&b"\x80\x03\0\x7f\0\xff\xff\xff"[..], &[7; 0xff_ffff]].concat();
        let all = [&settings[..], window, &unknown, b"\0\0\0\x01\x01\0\0\0"].concat();
        assert_eq!(decode(&[&all]).unwrap(), [data(1, b"", true)]);
    }

    #[test]
    fn other_protocols_and_short_frames_are_errors() {
        let answer = decode(&[b"\xffTTP/1.1 200 OK"]);
        assert_eq!(answer, Err(FrameError::Version));
        assert_eq!(
            decode(&[b"\x80\x03\0\x03\0\0\0\x02\0\0"]),
            Err(FrameError::Short)
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut out = BytesMut::new();
        put_open(&mut out, 5, b"block");
        put_data_head(&mut out, 5, 2, true);
        out.put_slice(b"hi");
        put_cancel(&mut out, 5);
        put_refusal(&mut out, 2);
        put_ping(&mut out, 9);
        put_go_away(&mut out);
        let expected = [
            SpdyFrame::Open { stream: 5 },
            data(5, b"hi", true),
            SpdyFrame::Reset { stream: 5 },
            SpdyFrame::Reset { stream: 2 },
            SpdyFrame::Ping { id: 9 },
            SpdyFrame::GoAway,
        ];
        assert_eq!(decode(&[&out]).unwrap(), expected);
    }

    proptest! {
        /// No bytes make it panic or keep more than the frames say, and where they are cut
        /// changes nothing but the pieces of data.
        #[test]
        fn arbitrary_bytes_are_frames_or_an_error(
            bytes in prop::collection::vec(prop_oneof![3 => Just(0_u8), 1 => any::<u8>()], 0..400),
            control in any::<bool>(),
            cut in 0_usize..400,
        ) {
            let start: &[u8] = if control { b"\x80\x03\0" } else { b"" };
            let bytes = [start, &bytes].concat();
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            let whole = decode(&[&bytes]).map(|frames| joined(&frames));
            let parts = decode(&[first, second]).map(|frames| joined(&frames));
            prop_assert_eq!(whole, parts);
        }
    }

    /// The frames with adjacent pieces of one stream's data made one.
    fn joined(frames: &[SpdyFrame]) -> Vec<(Option<u32>, Vec<u8>, Option<SpdyFrame>)> {
        let mut all: Vec<(Option<u32>, Vec<u8>, Option<SpdyFrame>)> = Vec::new();
        for frame in frames {
            let SpdyFrame::Data { stream, data, fin } = frame else {
                all.push((None, Vec::new(), Some(frame.clone())));
                continue;
            };
            match all.last_mut() {
                Some((Some(last), bytes, _)) if last == stream => bytes.extend_from_slice(data),
                _ => all.push((Some(*stream), data.to_vec(), None)),
            }
            if *fin {
                all.push((None, Vec::new(), Some(SpdyFrame::Reset { stream: *stream })));
            }
        }
        all
    }
}
