//! Undoes what `--compressed` asked for (RFC 9110, section 8.4.1).

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// A body that is being decoded.
pub(super) enum BodyDecoder {
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    /// Nothing has come yet that shows which of the two is meant by `deflate`.
    Unknown,
    Zlib(Box<ZlibDecoder<Vec<u8>>>),
    /// Without a header, as some servers send it.
    Raw(Box<DeflateDecoder<Vec<u8>>>),
    /// One that nobody asked for.
    Unsupported(String),
}

impl BodyDecoder {
    /// For a `Content-Encoding`; none where there is nothing to undo.
    pub(super) fn of(encoding: &str) -> Option<Self> {
        match encoding.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))),
            "deflate" => Some(Self::Unknown),
            "" | "identity" | "none" => None,
            other => Some(Self::Unsupported(other.to_owned())),
        }
    }

    /// What a piece decodes to.
    pub(super) fn decode(&mut self, piece: &[u8]) -> io::Result<Bytes> {
        if let (Self::Unknown, Some(first)) = (&*self, piece.first()) {
            // RFC 1950: the method of zlib is 8.
            *self = if first & 0x0f == 8 {
                Self::Zlib(Box::new(ZlibDecoder::new(Vec::new())))
            } else {
                Self::Raw(Box::new(DeflateDecoder::new(Vec::new())))
            };
        }
        let out = match self {
            Self::Unknown => return Ok(Bytes::new()),
            Self::Unsupported(_) if piece.is_empty() => return Ok(Bytes::new()),
            Self::Unsupported(name) => {
                let said = format!("Content-Encoding {name} is neither gzip nor deflate");
                return Err(io::Error::other(said));
            }
            Self::Gzip(decoder) => {
                decoder.write_all(piece)?;
                decoder.get_mut()
            }
            Self::Zlib(decoder) => {
                decoder.write_all(piece)?;
                decoder.get_mut()
            }
            Self::Raw(decoder) => {
                decoder.write_all(piece)?;
                decoder.get_mut()
            }
        };
        Ok(std::mem::take(out).into())
    }

    /// What is left at the end, or that it broke off.
    pub(super) fn finish(self) -> io::Result<Bytes> {
        match self {
            Self::Unknown | Self::Unsupported(_) => Ok(Vec::new()),
            Self::Gzip(decoder) => decoder.finish(),
            Self::Zlib(decoder) => decoder.finish(),
            Self::Raw(decoder) => decoder.finish(),
        }
        .map(Bytes::from)
    }
}

#[cfg(test)]
mod tests {
    use flate2::{
        Compression,
        write::{DeflateEncoder, GzEncoder, ZlibEncoder},
    };

    use super::*;

    #[test]
    fn all_three_forms_are_undone_in_any_pieces() {
        let text = b"svcscope ".repeat(500);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&text).unwrap();
        zlib.write_all(&text).unwrap();
        raw.write_all(&text).unwrap();
        let forms = [
            ("gzip", gzip.finish().unwrap()),
            ("deflate", zlib.finish().unwrap()),
            ("Deflate", raw.finish().unwrap()),
        ];
        for (name, packed) in forms {
            for size in [1, 7, packed.len()] {
                let mut decoder = BodyDecoder::of(name).unwrap();
                let mut out = Vec::new();
                for piece in packed.chunks(size) {
                    out.extend(decoder.decode(piece).unwrap());
                }
                out.extend(decoder.finish().unwrap());
                assert_eq!(out, text, "{name} {size}");
            }
        }
        assert!(BodyDecoder::of("br").unwrap().decode(b"x").is_err());
        assert!(BodyDecoder::of("identity").is_none());
        let broken = BodyDecoder::of("gzip").unwrap().decode(b"no gzip at all");
        assert!(broken.is_err());
    }
}
