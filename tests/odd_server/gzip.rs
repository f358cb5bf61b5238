//! A gzip file of zeros (RFC 1952).

/// So many zeros, compressed.
pub fn zeros(count: usize) -> Vec<u8> {
    let plain = vec![0; count];
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    file.extend(miniz_oxide::deflate::compress_to_vec(&plain, 6));
    file.extend(crc(&plain).to_le_bytes());
    file.extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
    file
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}
