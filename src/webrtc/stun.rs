//! The one thing that the socket's reader must know of a datagram before a peer sees it: whom a connectivity check asks
//! for. Everything else about such a check, its integrity included, is verified by the peer.

const HEADER_BYTES: usize = 20;
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const MAGIC: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const USERNAME: u16 = 0x0006;

/// Whether a datagram is STUN at all: its first byte is 0 or 1, which none of the protocols beside it has.
pub(super) fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|&byte| byte < 2)
}

/// The local user fragment that a binding request names: the part of its user name before the colon.
pub(super) fn asked_fragment(datagram: &[u8]) -> Option<&str> {
    let (header, mut attributes) = datagram.split_at_checked(HEADER_BYTES)?;
    if header[..2] != BINDING_REQUEST || header[4..8] != MAGIC {
        return None;
    }
    while let Some((head, rest)) = attributes.split_at_checked(4) {
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let value = rest.get(..length)?;
        if kind == USERNAME {
            return std::str::from_utf8(value).ok()?.split_once(':').map(|(local, _)| local);
        }
        // Attributes are padded to four bytes.
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn request(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0x00, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        bytes.extend([7; 12]);
        for (kind, value) in attributes {
            bytes.extend(kind.to_be_bytes());
            bytes.extend((value.len() as u16).to_be_bytes());
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        let length = (bytes.len() - HEADER_BYTES) as u16;
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        bytes
    }

    #[test]
    fn the_fragment_is_found_behind_other_attributes() {
        let bytes = request(&[(0x0024, &[1, 2, 3, 4]), (0x8022, b"soft!"), (USERNAME, b"mine:theirs")]);
        assert!(is_stun(&bytes));
        assert_eq!(asked_fragment(&bytes), Some("mine"));
    }

    #[test]
    fn whatever_else_names_nobody() {
        let good = request(&[(USERNAME, b"mine:theirs")]);
        let mut response = good.clone();
        response[0] = 0x01;
        let mut classic = good.clone();
        classic[5] = 0;
        for bytes in
            [&b""[..], &[0x80; 40], &response, &classic, &request(&[]), &request(&[(USERNAME, b"mine")])]
        {
            assert_eq!(asked_fragment(bytes), None, "{bytes:?}");
        }
        assert_eq!(asked_fragment(&request(&[(USERNAME, &[0xff, b':'])])), None);
        // The last byte is padding, which nobody reads.
        for length in 0..good.len() - 1 {
            assert_eq!(asked_fragment(&good[..length]), None, "cut to {length}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_name_somebody_or_nobody(bytes in vec(any::<u8>(), 0..200), lengths in vec(any::<u16>(), 0..4)) {
            let _ = asked_fragment(&bytes);
            let attributes: Vec<(u16, &[u8])> = lengths.iter().map(|&kind| (kind, &bytes[..])).collect();
            let _ = asked_fragment(&request(&attributes));
        }
    }
}
