//! The binary message that carries sound and pictures: a header of twelve bytes, then the media.

use bytes::{BufMut, Bytes, BytesMut};

/// The length of the header.
pub const HEADER_BYTES: usize = 12;

/// The time of media that follow what came before.
const FOLLOWS: u64 = u64::MAX;

/// What a binary message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum MediaKind {
    /// Sound.
    Audio = 1,
    /// A picture.
    Frame = 2,
}

/// A binary message: what it carries, its track, two zero bytes, the media time in milliseconds with the low byte
/// first (all ones where it follows what came before), and the media.
#[must_use]
pub fn media_message(kind: MediaKind, track: u8, at_ms: Option<u64>, media: &[u8]) -> Bytes {
    let mut message = BytesMut::with_capacity(HEADER_BYTES + media.len());
    message.put_u8(kind as u8);
    message.put_u8(track);
    message.put_u16(0);
    message.put_u64_le(at_ms.unwrap_or(FOLLOWS));
    message.extend_from_slice(media);
    message.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_twelve_bytes() {
        let message = media_message(MediaKind::Audio, 3, Some(0x0102), b"xy");
        assert_eq!(&message[..], [1, 3, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, b'x', b'y']);
        let message = media_message(MediaKind::Frame, 0, None, b"");
        assert_eq!(&message[..], [2, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
    }
}
