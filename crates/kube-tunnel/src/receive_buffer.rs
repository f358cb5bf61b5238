//! What came for a stream and waits for its reader.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

/// Pieces smaller than this are copied together: each would keep the whole buffer alive that it
/// was received in.
const SMALL_CHUNK: usize = 8 * 1024;

/// Bytes in their order; large pieces are kept as they came.
#[derive(Debug, Default)]
pub(super) struct ReceiveBuffer {
    chunks: VecDeque<Bytes>,
    /// Small pieces, after all others.
    tail: BytesMut,
    length: usize,
}

impl ReceiveBuffer {
    pub fn len(&self) -> usize {
        self.length
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub fn push(&mut self, piece: Bytes) {
        self.length += piece.len();
        if piece.len() < SMALL_CHUNK {
            self.tail.extend_from_slice(&piece);
            if self.tail.len() < SMALL_CHUNK {
                return;
            }
        }
        if !self.tail.is_empty() {
            self.chunks.push_back(self.tail.split().freeze());
        }
        if piece.len() >= SMALL_CHUNK {
            self.chunks.push_back(piece);
        }
    }

    /// The next bytes, at most `most`.
    pub fn pop(&mut self, most: usize) -> Option<Bytes> {
        let piece = match self.chunks.front_mut() {
            Some(front) if front.len() > most => front.split_to(most),
            Some(_) => self.chunks.pop_front()?,
            None if self.tail.is_empty() => return None,
            None => self.tail.split_to(self.tail.len().min(most)).freeze(),
        };
        self.length = self.length.saturating_sub(piece.remaining());
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_leave_as_they_came(
            pieces in prop::collection::vec((0_usize..10_000, any::<u8>(), 1_usize..9000), 0..40),
        ) {
            let mut inbox = ReceiveBuffer::default();
            let (mut put, mut got) = (Vec::new(), Vec::new());
            for (length, fill, most) in pieces {
                let piece: Vec<u8> = (0..length).map(|at| fill.wrapping_add(at as u8)).collect();
                put.extend_from_slice(&piece);
                inbox.push(piece.into());
                got.extend(inbox.pop(most).unwrap_or_default());
                prop_assert_eq!(inbox.len(), put.len() - got.len());
            }
            while let Some(piece) = inbox.pop(usize::MAX) {
                got.extend(piece);
            }
            prop_assert!(inbox.is_empty());
            prop_assert_eq!(got, put);
        }
    }
}
