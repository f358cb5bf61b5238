//! Header blocks: zlib with one state for the whole connection and a dictionary that both sides
//! know (SPDY/3 draft, §2.6.10).
//!
//! Only written, never read: the blocks of the server's answers say nothing that a port-forward
//! needs, and what is not inflated can't do harm.

use bytes::{BufMut, BytesMut};
use miniz_oxide::{
    DataFormat,
    deflate::core::{CompressorOxide, TDEFLFlush, compress},
};

const DICTIONARY: &[u8] = include_bytes!("dictionary.bin");

/// How a zlib stream begins that names the dictionary by its Adler-32 (RFC 1950 §2.2).
const ZLIB_HEADER: [u8; 6] = [0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2];

const LEVEL: u8 = 6;

/// Writes the header blocks of one connection, in their order.
pub struct HeaderWriter {
    deflate: Box<CompressorOxide>,
    is_started: bool,
}

impl HeaderWriter {
    /// The writer of a new connection.
    pub fn new() -> Self {
        let mut writer = Self {
            deflate: Box::default(),
            is_started: false,
        };
        writer.deflate.set_format_and_level(DataFormat::Raw, LEVEL);
        // What was compressed before can be referred to: this is how a dictionary gets in.
        writer.deflated(DICTIONARY);
        writer
    }

    /// The block of these headers. Names are in lower case.
    pub fn block(&mut self, headers: &[(&str, &str)]) -> BytesMut {
        let mut plain = BytesMut::with_capacity(128);
        put_length(&mut plain, headers.len());
        for text in headers.iter().flat_map(|(name, value)| [name, value]) {
            put_length(&mut plain, text.len());
            plain.put_slice(text.as_bytes());
        }
        let deflated = self.deflated(&plain);
        if self.is_started {
            return deflated;
        }
        self.is_started = true;
        let mut block = BytesMut::from(&ZLIB_HEADER[..]);
        block.unsplit(deflated);
        block
    }

    /// Everything up to a byte's border, so that the other side can read it now.
    fn deflated(&mut self, mut plain: &[u8]) -> BytesMut {
        let mut out = BytesMut::new();
        let mut piece = [0; 512];
        loop {
            let (_, read, written) =
                compress(&mut self.deflate, plain, &mut piece, TDEFLFlush::Sync);
            plain = plain.get(read..).unwrap_or_default();
            out.put_slice(piece.get(..written).unwrap_or_default());
            if plain.is_empty() && written < piece.len() {
                return out;
            }
        }
    }
}

fn put_length(plain: &mut BytesMut, length: usize) {
    plain.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
}

#[cfg(test)]
mod tests {
    use miniz_oxide::inflate::core::{
        DecompressorOxide, decompress, inflate_flags::TINFL_FLAG_HAS_MORE_INPUT,
    };

    use super::*;

    /// Inflates the blocks of one connection with the dictionary as what came before.
    fn inflate(blocks: &[BytesMut]) -> Vec<Vec<u8>> {
        let mut inflater = DecompressorOxide::new();
        let mut window = DICTIONARY.to_vec();
        window.resize(32 << 10, 0);
        let mut place = DICTIONARY.len();
        let mut plain = Vec::new();
        for (number, block) in blocks.iter().enumerate() {
            let block = &block[if number == 0 { ZLIB_HEADER.len() } else { 0 }..];
            let flags = TINFL_FLAG_HAS_MORE_INPUT;
            let (_, read, written) = decompress(&mut inflater, block, &mut window, place, flags);
            assert_eq!(read, block.len());
            plain.push(window[place..place + written].to_vec());
            place += written;
        }
        plain
    }

    #[test]
    fn blocks_share_one_state_and_the_dictionary() {
        let mut writer = HeaderWriter::new();
        let first = writer.block(&[("streamtype", "error"), ("port", "8080")]);
        let second = writer.block(&[("streamtype", "data"), ("port", "8080")]);
        assert_eq!(first[..ZLIB_HEADER.len()], ZLIB_HEADER);
        assert!(second.len() < first.len() / 2, "{second:?}");
        let plain = inflate(&[first, second]);
        let expected = b"\0\0\0\x02\0\0\0\x0astreamtype\0\0\0\x05error\0\0\0\x04port\0\0\0\x048080";
        assert_eq!(plain[0], expected);
        assert!(plain[1].ends_with(b"data\0\0\0\x04port\0\0\0\x048080"));
    }

    #[test]
    fn the_dictionary_is_the_one_that_the_start_names() {
        let (mut a, mut b) = (1_u32, 0_u32);
        for byte in DICTIONARY {
            a = (a + u32::from(*byte)) % 65_521;
            b = (b + a) % 65_521;
        }
        assert_eq!((b << 16 | a).to_be_bytes(), ZLIB_HEADER[2..]);
    }

    #[test]
    fn a_long_value_comes_whole() {
        let long = "x1y2".repeat(2000);
        let block = HeaderWriter::new().block(&[("a", &long)]);
        assert!(inflate(&[block])[0].ends_with(long.as_bytes()));
    }
}
