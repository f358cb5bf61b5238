//! A command in a container over SPDY: one connection, with a stream for each of its standard streams
//! and one for the `Status` that says how it ended (k8s.io/client-go/tools/remotecommand/v4.go).
//!
//! The streams are opened in the order of client-go: error, stdin, stdout, stderr.

use std::{io, time::Duration};

use bytes::{BufMut, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    sync::mpsc,
    time::{Instant, sleep, timeout_at},
};

use super::{
    frame::{self, FrameDecoder, MAX_DATA, SpdyFrame},
    headers::HeaderWriter,
};

/// The numbers of the streams; a client's are odd.
const ERROR: u32 = 1;
const STDIN: u32 = 3;
const STDOUT: u32 = 5;
const STDERR: u32 = 7;

/// The longest `Status` that is worth reading.
const MAX_STATUS: usize = 64 * 1024;
/// How long the last of what a command said may come after how it ended.
const OUTPUT_GRACE_PERIOD: Duration = Duration::from_secs(1);
/// Load balancers in front of API servers cut what is silent, some after 60 s.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const READ_BUFFER: usize = 32 * 1024;

/// What came on the streams.
#[derive(Debug, Default)]
pub struct SpdyCommandOutput {
    /// What the command wrote, at most as much as was wanted.
    pub stdout: Vec<u8>,
    /// The same of stderr.
    pub stderr: Vec<u8>,
    /// The `Status`, empty where the connection ended before it.
    pub status: Vec<u8>,
    /// It said more than was wanted and was left.
    pub is_truncated: bool,
}

/// Opens the streams, says the input and hears the command to its end.
pub async fn run_command(
    stream: impl AsyncRead + AsyncWrite,
    input: Option<&Bytes>,
    most: usize,
) -> io::Result<SpdyCommandOutput> {
    let (mut reader, mut writer) = split(stream);
    let (send, mut waiting) = mpsc::unbounded_channel::<BytesMut>();
    // The receiver lives as long as this function.
    send.send(opening_frames(input)).ok();
    let write = async {
        while let Some(bytes) = waiting.recv().await {
            writer.write_all(&bytes).await?;
            writer.flush().await?;
        }
        io::Result::Ok(())
    };
    let ping = async {
        for id in (1..).step_by(2) {
            sleep(PING_INTERVAL).await;
            send.send(frame_bytes(|out| frame::put_ping(out, id))).ok();
        }
    };
    let read_output = async {
        let mut reader_state = CommandOutputReader::default();
        let mut decoder = FrameDecoder::default();
        loop {
            let mut piece = BytesMut::with_capacity(READ_BUFFER);
            let until = reader_state.deadline;
            let read = async {
                match until {
                    Some(until) => timeout_at(until, reader.read_buf(&mut piece)).await,
                    None => Ok(reader.read_buf(&mut piece).await),
                }
            };
            let count = match read.await {
                Err(_elapsed) => 0,
                Ok(count) => count?,
            };
            if count == 0 {
                return Ok(reader_state.output);
            }
            let mut piece = piece.freeze();
            while let Some(frame) = decoder.next(&mut piece).map_err(io::Error::other)? {
                if let SpdyFrame::Ping { id } = frame
                    && id % 2 == 0
                {
                    send.send(frame_bytes(|out| frame::put_ping(out, id))).ok();
                }
                if reader_state.receive(frame, most) {
                    return Ok(reader_state.output);
                }
            }
        }
    };
    tokio::select! {
        biased;
        Err(error) = write => Err(error),
        heard = read_output => heard,
        () = ping => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// The first bytes: the streams, and all of the input, whose end the command sees.
fn opening_frames(input: Option<&Bytes>) -> BytesMut {
    let mut out = BytesMut::new();
    let mut headers = HeaderWriter::new();
    let mut open = |out: &mut BytesMut, stream, kind| {
        frame::put_open(out, stream, &headers.block(&[("streamtype", kind)]));
    };
    open(&mut out, ERROR, "error");
    if input.is_some() {
        open(&mut out, STDIN, "stdin");
    }
    open(&mut out, STDOUT, "stdout");
    open(&mut out, STDERR, "stderr");
    if let Some(input) = input {
        for part in input.chunks(MAX_DATA) {
            frame::put_data_head(&mut out, STDIN, part.len(), false);
            out.put_slice(part);
        }
        frame::put_data_head(&mut out, STDIN, 0, true);
    }
    out
}

fn frame_bytes(write: impl FnOnce(&mut BytesMut)) -> BytesMut {
    let mut out = BytesMut::new();
    write(&mut out);
    out
}

#[derive(Default)]
struct CommandOutputReader {
    output: SpdyCommandOutput,
    /// Of error, stdout and stderr, which have ended.
    ended: [bool; 3],
    /// Until when the rest is waited for.
    deadline: Option<Instant>,
}

impl CommandOutputReader {
    /// Takes in a frame; says whether nothing more is wanted.
    fn receive(&mut self, frame: SpdyFrame, most: usize) -> bool {
        let (stream, data, fin) = match frame {
            SpdyFrame::Data { stream, data, fin } => (stream, data, fin),
            SpdyFrame::Reset { stream } => (stream, Bytes::new(), true),
            SpdyFrame::Reply { stream, fin: true } => (stream, Bytes::new(), true),
            _ => return false,
        };
        let [error, stdout, stderr] = &mut self.ended;
        let (kept, most, ended) = match stream {
            ERROR => (&mut self.output.status, MAX_STATUS, error),
            STDOUT => (&mut self.output.stdout, most, stdout),
            STDERR => (&mut self.output.stderr, most, stderr),
            _ => return false,
        };
        let room = most.saturating_sub(kept.len());
        kept.extend(data.iter().take(room));
        *ended |= fin;
        if data.len() > room && stream != ERROR {
            self.output.is_truncated = true;
            return true;
        }
        // A kubelet may end the error stream by closing the connection only.
        if stream == ERROR && !data.is_empty() || self.ended[0] {
            self.deadline
                .get_or_insert_with(|| Instant::now() + OUTPUT_GRACE_PERIOD);
        }
        self.ended == [true; 3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(out: &mut BytesMut, stream: u32, data: &[u8], fin: bool) {
        frame::put_data_head(out, stream, data.len(), fin);
        out.put_slice(data);
    }

    async fn answered(
        answer: &[u8],
        input: Option<&'static [u8]>,
        most: usize,
    ) -> (Vec<u8>, SpdyCommandOutput) {
        let (near, far) = tokio::io::duplex(1 << 20);
        let (mut far_read, mut far_write) = split(far);
        far_write.write_all(answer).await.unwrap();
        let input = input.map(Bytes::from_static);
        let spoken = run_command(near, input.as_ref(), most).await.unwrap();
        drop(far_write);
        let mut said = Vec::new();
        far_read.read_to_end(&mut said).await.unwrap();
        (said, spoken)
    }

    #[tokio::test(start_paused = true)]
    async fn streams_and_status_come_apart_in_any_order() {
        let mut answer = BytesMut::new();
        frame::put_ping(&mut answer, 2);
        data(&mut answer, STDOUT, b"out", false);
        data(&mut answer, ERROR, br#"{"status":"#, false);
        data(&mut answer, ERROR, br#""Success"}"#, true);
        data(&mut answer, STDERR, b"err", true);
        data(&mut answer, STDOUT, b"!", true);
        let (said, spoken) = answered(&answer, Some(b"abc"), 8).await;
        assert_eq!(spoken.stdout, b"out!");
        assert_eq!(spoken.stderr, b"err");
        assert_eq!(spoken.status, br#"{"status":"Success"}"#);
        let mut wanted = opening_frames(Some(&Bytes::from_static(b"abc")));
        assert!(wanted.ends_with(b"\0\0\0\x03\0\0\0\x03abc\0\0\0\x03\x01\0\0\0"));
        frame::put_ping(&mut wanted, 2);
        assert!(said.starts_with(&wanted[..wanted.len() - 12]), "{said:?}");
    }

    /// The kubelet of 1.20 closes the connection instead of the streams.
    #[tokio::test(start_paused = true)]
    async fn a_status_is_the_end_where_streams_stay_open() {
        let mut answer = BytesMut::new();
        data(&mut answer, STDOUT, b"out", false);
        data(&mut answer, ERROR, b"{}", false);
        let (_, spoken) = answered(&answer, None, 8).await;
        assert_eq!(
            (spoken.stdout, spoken.status),
            (b"out".to_vec(), b"{}".to_vec())
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_too_much_or_is_no_spdy_is_left() {
        let mut answer = BytesMut::new();
        data(&mut answer, STDOUT, &[b'x'; 100], false);
        let (_, spoken) = answered(&answer, None, 8).await;
        assert!(
            spoken.is_truncated && spoken.stdout.len() == 8,
            "{spoken:?}"
        );
        let (near, mut far) = tokio::io::duplex(1024);
        far.write_all(&[0xff; 64]).await.unwrap();
        assert!(run_command(near, None, 8).await.is_err());
    }
}
