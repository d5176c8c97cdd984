//! Recognises formats by their first bytes, so that arbitrary bytes are never searched for something decodable, and
//! sees where an MP4 file was cut off, which its parser cannot tell from damage.

/// The media within the bytes of a known audio format, after an ID3 tag where there is one. `None` where the format
/// is not known.
pub(super) fn audio(bytes: &[u8]) -> Option<&[u8]> {
    let media = skip_id3(bytes);
    let is_known = match media {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => true,
        [b'f', b'L', b'a', b'C', ..] | [b'O', b'g', b'g', b'S', ..] => true,
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => true,
        // The sync word of MPEG audio and ADTS: eleven ones, then a layer and a bit rate that are not all ones.
        [0xff, second, third, ..] => second & 0xe0 == 0xe0 && third & 0xf0 != 0xf0,
        _ => false,
    };
    is_known.then_some(media)
}

/// Leaves out an ID3v2 tag: ten bytes of header, the last four of them the size with seven bits a byte.
fn skip_id3(bytes: &[u8]) -> &[u8] {
    let [b'I', b'D', b'3', _, _, _, size @ ..] = bytes else { return bytes };
    let Some(size) = size.first_chunk::<4>() else { return bytes };
    let size = size.iter().fold(0, |size, byte| size << 7 | usize::from(byte & 0x7f));
    bytes.get(10 + size..).unwrap_or_default()
}

/// Whether the last of an MP4 file's boxes ends beyond the file. Other formats are never said to be cut off.
pub(super) fn mp4_is_cut_off(media: &[u8]) -> bool {
    if media.get(4..8) != Some(b"ftyp") {
        return false;
    }
    let mut rest = media;
    while let Some(size) = rest.first_chunk::<4>() {
        let size = match u32::from_be_bytes(*size) {
            // The last box may leave its size open.
            0 => return false,
            // The size follows the name, in 64 bits.
            1 => match rest.get(8..).and_then(|bytes| bytes.first_chunk::<8>()) {
                Some(size) => u64::from_be_bytes(*size),
                None => return true,
            },
            size => u64::from(size),
        };
        // A box is no shorter than its header; what claims to be is damaged, not cut off.
        if size < 8 {
            return false;
        }
        match usize::try_from(size).ok().and_then(|size| rest.get(size..)) {
            Some(following) => rest = following,
            None => return true,
        }
    }
    !rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_formats_are_seen() {
        for bytes in [
            &b"RIFF\0\0\0\0WAVE"[..],
            b"fLaC\0",
            b"OggS\0",
            b"\0\0\0\x20ftypM4A ",
            b"\xff\xfb\x90\x00",
            b"\xff\xf1\x50\x80",
        ] {
            assert_eq!(audio(bytes), Some(bytes), "{bytes:?}");
        }
    }

    #[test]
    fn other_things_are_not() {
        for bytes in
            [&b""[..], b"RIFF", b"RIFF\0\0\0\0WEBP", b"\xff\xd8\xff\xe0", b"\x89PNG", b"\xff\xff\xff\xff"]
        {
            assert_eq!(audio(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn boxes_must_fit_into_the_file() {
        let file = b"\0\0\0\x0cftypM4A \0\0\0\x01mdat\0\0\0\0\0\0\0\x12ab";
        assert!(!mp4_is_cut_off(file));
        for length in [13, 20, 24, 29] {
            assert!(mp4_is_cut_off(&file[..length]), "{length}");
        }
        assert!(!mp4_is_cut_off(b"\0\0\0\x0cftypM4A \0\0\0\0mdatabc"), "an open end is no cut");
        assert!(!mp4_is_cut_off(b"\0\0\0\x0cftypM4A \0\0\0\x07mdatabc"), "damage is no cut");
        assert!(!mp4_is_cut_off(b"fLaC") && !mp4_is_cut_off(b""));
    }

    #[test]
    fn a_tag_is_left_out() {
        let mut bytes = b"ID3\x04\0\0\0\0\x01\x02".to_vec();
        bytes.extend_from_slice(&[0; 130]);
        bytes.extend_from_slice(b"fLaC!");
        assert_eq!(audio(&bytes), Some(&b"fLaC!"[..]));
        assert_eq!(audio(b"ID3\x04\0\0\x7f\x7f\x7f\x7fabc"), None);
        assert_eq!(audio(b"ID3"), None);
    }
}
