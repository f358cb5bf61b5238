//! The frames that come from a server: no bytes make the reader panic, and where they are cut
//! changes nothing.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "only the reader is tried")]
#[path = "../../crates/kube-tunnel/src/frame.rs"]
mod frame;

use frame::{FrameDecoder, SpdyFrame};

fuzz_target!(|input: (u8, &[u8])| {
    let (cut, bytes) = input;
    let (first, second) = bytes.split_at(usize::from(cut).min(bytes.len()));
    assert_eq!(read(&[bytes]), read(&[first, second]));
});

/// What the frames say: the others, and of each stream's data how much there is.
fn read(pieces: &[&[u8]]) -> Option<(Vec<SpdyFrame>, usize)> {
    let mut decoder = FrameDecoder::default();
    let (mut others, mut data_bytes) = (Vec::new(), 0);
    for piece in pieces {
        let mut piece = Bytes::copy_from_slice(piece);
        while let Some(frame) = decoder.next(&mut piece).ok()? {
            match frame {
                SpdyFrame::Data { data, fin: false, .. } => data_bytes += data.len(),
                SpdyFrame::Data { data, stream, fin } => {
                    data_bytes += data.len();
                    others.push(SpdyFrame::Data { stream, data: Bytes::new(), fin });
                }
                other => others.push(other),
            }
        }
        assert!(piece.is_empty(), "bytes were left over");
    }
    Some((others, data_bytes))
}
