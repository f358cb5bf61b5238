//! Bytes in the pieces that they came in: moved on without being copied together.

use std::{collections::VecDeque, io::IoSlice};

use bytes::{Buf, Bytes};

/// Bytes that wait to be written, in their order.
#[derive(Debug, Default)]
pub struct ByteChunks {
    chunks: VecDeque<Bytes>,
    length: usize,
}

impl ByteChunks {
    /// Adds a piece at the end.
    pub fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.length += piece.len();
            self.chunks.push_back(piece);
        }
    }
}

impl Buf for ByteChunks {
    fn remaining(&self) -> usize {
        self.length
    }

    fn chunk(&self) -> &[u8] {
        self.chunks.front().map_or(&[], |piece| piece)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let filled = slices.iter_mut().zip(&self.chunks);
        filled
            .map(|(slice, piece)| *slice = IoSlice::new(piece))
            .count()
    }

    fn advance(&mut self, mut written: usize) {
        self.length = self.length.saturating_sub(written);
        while let Some(piece) = self.chunks.front_mut() {
            if written < piece.len() {
                piece.advance(written);
                return;
            }
            written -= piece.len();
            self.chunks.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_leave_as_they_came(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20),
            steps in prop::collection::vec(1_usize..120, 1..8),
        ) {
            let mut waiting = ByteChunks::default();
            for piece in &pieces {
                waiting.push(Bytes::copy_from_slice(piece));
            }
            prop_assert_eq!(waiting.remaining(), pieces.concat().len());
            let mut got = Vec::new();
            for step in steps.iter().cycle() {
                if !waiting.has_remaining() {
                    break;
                }
                let mut slices = [IoSlice::new(&[]); 3];
                let count = waiting.chunks_vectored(&mut slices);
                prop_assert!(slices[0].starts_with(waiting.chunk()));
                let mut seen: Vec<u8> =
                    slices[..count].iter().flat_map(|it| it.to_vec()).collect();
                seen.truncate(*step);
                let length = seen.len();
                got.append(&mut seen);
                waiting.advance(length);
            }
            prop_assert_eq!(got, pieces.concat());
        }
    }
}
