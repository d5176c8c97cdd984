//! A key frame of VP8 becomes a picture: a lossy WebP file is a VP8 key frame in a RIFF container, so wrapping the bytes
//! is all that it takes, and the media room's image library decodes it.

/// The three bytes of the frame tag, three of the start code and four of the dimensions.
const HEADER_BYTES: usize = 10;
const START_CODE: [u8; 3] = [0x9d, 0x01, 0x2a];
/// The lower bits of a dimension; the two above ask a player to scale, which says nothing about the picture.
const DIMENSION_MASK: u16 = 0x3fff;

/// Why a frame is no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PictureFault {
    /// The frame is shorter than a key frame's header or than the partition that its header promises.
    #[error("the frame is cut off")]
    CutOff,
    /// The frame builds upon an earlier one.
    #[error("the frame is not a key frame")]
    NotKeyFrame,
    /// The frame is not meant to be shown.
    #[error("the frame is not shown")]
    Hidden,
    /// The frame is not VP8.
    #[error("the frame has no start code")]
    NoStartCode,
    /// The picture has no pixels.
    #[error("the picture has no pixels")]
    NoPixels,
    /// The frame is larger than a WebP file can be.
    #[error("the frame is too large")]
    TooLarge,
}

/// The picture of a key frame, as a WebP file.
///
/// # Errors
/// [`PictureFault`] where the frame is not a whole key frame that is meant to be shown.
pub fn still_picture(frame: &[u8]) -> Result<Vec<u8>, PictureFault> {
    check(frame)?;
    let padding = frame.len() % 2;
    let frame_bytes = u32::try_from(frame.len()).map_err(|_| PictureFault::TooLarge)?;
    // The name of the form, the head of the chunk, and the chunk, which is padded to an even length.
    let form_bytes = frame_bytes.checked_add(13).ok_or(PictureFault::TooLarge)? & !1;
    let mut file = Vec::with_capacity(frame.len() + 21);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&form_bytes.to_le_bytes());
    file.extend_from_slice(b"WEBPVP8 ");
    file.extend_from_slice(&frame_bytes.to_le_bytes());
    file.extend_from_slice(frame);
    file.extend_from_slice(&[0][..padding]);
    Ok(file)
}

fn check(frame: &[u8]) -> Result<(), PictureFault> {
    let &[tag0, tag1, tag2, ..] = frame else { return Err(PictureFault::CutOff) };
    if tag0 & 1 != 0 {
        return Err(PictureFault::NotKeyFrame);
    }
    let header = frame.get(..HEADER_BYTES).ok_or(PictureFault::CutOff)?;
    if header[3..6] != START_CODE {
        return Err(PictureFault::NoStartCode);
    }
    if tag0 & 0x10 == 0 {
        return Err(PictureFault::Hidden);
    }
    let dimension = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]) & DIMENSION_MASK;
    if dimension(6) == 0 || dimension(8) == 0 {
        return Err(PictureFault::NoPixels);
    }
    let first_partition_bytes = u32::from_le_bytes([tag0, tag1, tag2, 0]) >> 5;
    // The first partition holds how every block is predicted; without all of it there is no picture at all.
    if frame.len() - HEADER_BYTES <= first_partition_bytes as usize {
        return Err(PictureFault::CutOff);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;
    use crate::media::{MediaLimits, decode_image};

    /// A lossy WebP file of 64 by 48 pixels, from which the frame is taken as a browser would send it.
    const FILE: &[u8] = include_bytes!("../../tests/webrtc/fixtures/small.webp");

    fn frame() -> Vec<u8> {
        let length = u32::from_le_bytes(FILE[16..20].try_into().unwrap()) as usize;
        FILE[20..20 + length].to_vec()
    }

    #[test]
    fn a_key_frame_becomes_the_file_that_it_came_from() {
        let file = still_picture(&frame()).unwrap();
        assert_eq!(file, FILE);
        let picture = decode_image(&file, &MediaLimits::default()).unwrap();
        assert_eq!((picture.width, picture.height), (64, 48));
    }

    #[test]
    fn odd_lengths_are_padded_and_the_sizes_add_up() {
        for surplus in 0..2 {
            let mut frame = frame();
            frame.resize(frame.len() / 2 * 2 + surplus, 0);
            let file = still_picture(&frame).unwrap();
            assert_eq!(file.len() % 2, 0);
            assert_eq!(u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize, file.len() - 8);
            assert_eq!(u32::from_le_bytes(file[16..20].try_into().unwrap()) as usize, frame.len());
            assert!(decode_image(&file, &MediaLimits::default()).is_ok());
        }
    }

    #[test]
    fn whatever_is_no_whole_key_frame_is_refused() {
        let changed = |at: usize, change: fn(u8) -> u8| {
            let mut frame = frame();
            frame[at] = change(frame[at]);
            still_picture(&frame).unwrap_err()
        };
        assert_eq!(changed(0, |tag| tag | 1), PictureFault::NotKeyFrame);
        assert_eq!(changed(0, |tag| tag & !0x10), PictureFault::Hidden);
        assert_eq!(changed(3, |_| 0), PictureFault::NoStartCode);
        assert_eq!(changed(6, |_| 0), PictureFault::NoPixels);
        assert_eq!(changed(2, |_| 0xff), PictureFault::CutOff);
        for length in [0, 2, 3, 9, 10, 12] {
            assert_eq!(still_picture(&frame()[..length]), Err(PictureFault::CutOff), "{length}");
        }
        assert_eq!(still_picture(&[0x31]), Err(PictureFault::CutOff));
    }

    #[test]
    fn a_wish_to_be_scaled_does_not_count_as_size() {
        let mut frame = frame();
        frame[7] |= 0x40;
        let picture = decode_image(&still_picture(&frame).unwrap(), &MediaLimits::default()).unwrap();
        assert_eq!((picture.width, picture.height), (64, 48));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_a_picture_or_a_fault(change in vec(any::<(Index, u8)>(), 0..40), cut in any::<Index>()) {
            let mut frame = frame();
            for (at, byte) in change {
                let length = frame.len();
                frame[at.index(length)] = byte;
            }
            frame.truncate(cut.index(frame.len()) + 1);
            if let Ok(file) = still_picture(&frame) {
                // The decoder may refuse what is inside; it must only not fall over.
                let _ = decode_image(&file, &MediaLimits { max_image_pixels: 1 << 16, ..MediaLimits::default() });
            }
        }
    }
}
