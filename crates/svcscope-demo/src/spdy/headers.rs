//! Header blocks: zlib with one state for the whole connection and a dictionary that both sides know.

use bytes::{Buf, Bytes};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// The dictionary of SPDY/3 (§2.6.10.1 of the draft).
const DICTIONARY: &[u8] = include_bytes!("dictionary.bin");
/// Its Adler-32, by which a zlib stream names it.
const DICTIONARY_ID: u32 = 0xe3c6_a7c2;
/// How far back deflate refers, in bytes.
const WINDOW: usize = 32 << 10;
/// The largest header block that is read, in bytes; kubectl's are about a hundred.
const MAX_BLOCK_BYTES: usize = 16 << 10;

/// A block without headers, for every answer: a stored piece (length, its complement, the number 0 in four
/// bytes) and an empty one, without which kubectl waits for more and drops the connection.
const EMPTY_BLOCK: &[u8] = &[
    0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0, // the number of headers
    0, 0, 0, 0xff, 0xff, // flush
];
/// The header of a zlib stream without a dictionary; stored pieces refer to nothing.
const ZLIB_HEADER: &[u8] = &[0x78, 0x01];

/// Why a header block can't be read. The state is lost with it, so the connection ends.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum ClientHeaderError {
    #[error("a header block does not begin as zlib with the dictionary of SPDY/3")]
    Start,
    #[error("a header block does not inflate")]
    Deflate,
    #[error("a header block is longer than {MAX_BLOCK_BYTES} bytes")]
    TooLong,
    #[error("a header block ends early")]
    Short,
}

/// Headers in their order; names are in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClientHeaders(Vec<(String, String)>);

impl ClientHeaders {
    /// The value of a header, or `""`.
    pub(super) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(header, _)| header == name);
        found.map_or("", |(_, value)| value)
    }

    fn parse(mut plain: Bytes) -> Option<Self> {
        let count = plain.try_get_u32().ok()?;
        let mut headers = Vec::new();
        for _ in 0..count {
            let name = text(&mut plain)?.to_lowercase();
            headers.push((name, text(&mut plain)?));
        }
        Some(Self(headers))
    }
}

fn text(plain: &mut Bytes) -> Option<String> {
    let length = usize::try_from(plain.try_get_u32().ok()?).ok()?;
    let bytes = (length <= plain.len()).then(|| plain.split_to(length))?;
    String::from_utf8(bytes.to_vec()).ok()
}

/// Reads the header blocks of one connection, in their order.
pub(super) struct ClientHeaderReader {
    inflater: Box<DecompressorOxide>,
    /// What was inflated last, round and round; at first the dictionary.
    window: Vec<u8>,
    window_position: usize,
    is_started: bool,
}

impl ClientHeaderReader {
    pub(super) fn new() -> Self {
        let mut window = DICTIONARY.to_vec();
        window.resize(WINDOW, 0);
        Self {
            inflater: Box::default(),
            window,
            window_position: DICTIONARY.len(),
            is_started: false,
        }
    }

    pub(super) fn read(&mut self, mut block: Bytes) -> Result<ClientHeaders, ClientHeaderError> {
        if !self.is_started {
            read_zlib_header(&mut block).ok_or(ClientHeaderError::Start)?;
            self.is_started = true;
        }
        let mut plain = Vec::new();
        loop {
            let (status, read, written) = decompress(
                &mut self.inflater,
                &block,
                &mut self.window,
                self.window_position,
                TINFL_FLAG_HAS_MORE_INPUT,
            );
            block.advance(read.min(block.len()));
            let end = self.window_position + written;
            plain.extend_from_slice(
                self.window
                    .get(self.window_position..end)
                    .unwrap_or_default(),
            );
            self.window_position = end % WINDOW;
            if plain.len() > MAX_BLOCK_BYTES {
                return Err(ClientHeaderError::TooLong);
            }
            match status {
                TINFLStatus::NeedsMoreInput => break,
                TINFLStatus::HasMoreOutput => {}
                _ => return Err(ClientHeaderError::Deflate),
            }
        }
        ClientHeaders::parse(plain.into()).ok_or(ClientHeaderError::Short)
    }
}

/// Takes the two bytes of a zlib header and the dictionary's name (RFC 1950 §2.2).
fn read_zlib_header(block: &mut Bytes) -> Option<()> {
    const DEFLATE: u16 = 8;
    const NAMES_DICTIONARY: u16 = 0x20;
    let header = block.try_get_u16().ok()?;
    if header % 31 != 0 || (header >> 8) & 0xf != DEFLATE {
        return None;
    }
    if header & NAMES_DICTIONARY == 0 {
        return Some(());
    }
    (block.try_get_u32().ok()? == DICTIONARY_ID).then_some(())
}

/// The block of an answer without headers; the first of a connection begins the zlib stream.
pub(super) fn empty_block(first: bool) -> Vec<u8> {
    let start = if first { ZLIB_HEADER } else { &[] };
    [start, EMPTY_BLOCK].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two blocks as zlib writes them with the dictionary at level 9, flushed after each.
    const FIRST: &str = "78f9e3c6a7c202253a703a2b294a4dcc851625aca9a0808614cb45e01c6061606100a4398b20d198094ade8c0600000000ffff";
    const SECOND: &str = "c2aa19540e2512d60b000000ffff";

    fn bytes(hex: &str) -> Bytes {
        let digits = hex.as_bytes().chunks(2);
        digits
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect::<Vec<_>>()
            .into()
    }

    #[test]
    fn blocks_share_one_state_and_the_dictionary() {
        let mut reader = ClientHeaderReader::new();
        let first = reader.read(bytes(FIRST)).unwrap();
        assert_eq!(first.get("streamtype"), "error");
        assert_eq!(first.get("port"), "8080");
        let second = reader.read(bytes(SECOND)).unwrap();
        assert_eq!(second.get("streamtype"), "data");
        assert_eq!(second.get("requestid"), "0");
        assert_eq!(second.get("absent"), "");
    }

    #[test]
    fn a_block_inflates_to_so_much_and_no_more() {
        let mut reader = ClientHeaderReader::new();
        assert_eq!(
            reader.read(bytes("78f9e3c6a7c2ecc13101000000c220fba75e0d0f60000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000c0ad000000ffff")),
            Err(ClientHeaderError::TooLong)
        );
    }

    #[test]
    fn broken_blocks_are_refused() {
        let read = |block: &[u8]| ClientHeaderReader::new().read(Bytes::copy_from_slice(block));
        assert_eq!(read(b"GET / HTTP/1.1"), Err(ClientHeaderError::Start));
        assert_eq!(read(&[0x78, 0x01, 0xff]), Err(ClientHeaderError::Deflate));
        let mut short = empty_block(true);
        short.truncate(8);
        assert_eq!(read(&short), Err(ClientHeaderError::Short));
    }

    #[test]
    fn the_empty_block_reads_as_no_headers() {
        let mut reader = ClientHeaderReader::new();
        for first in [true, false, false] {
            let block = empty_block(first).into();
            assert_eq!(reader.read(block), Ok(ClientHeaders(Vec::new())));
        }
    }
}
