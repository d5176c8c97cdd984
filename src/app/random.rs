//! Texts that nobody can guess: keys, and the tokens that take sessions up.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::crypto::ring;

/// 256 bits.
const RANDOM_BYTES: usize = 32;

/// 256 random bits in the letters of web addresses; none where the operating system gives no random numbers.
pub(crate) fn random_text() -> Option<String> {
    let mut bytes = [0; RANDOM_BYTES];
    ring::default_provider().secure_random.fill(&mut bytes).ok()?;
    Some(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_like_another() {
        let (one, other) = (random_text().unwrap(), random_text().unwrap());
        assert_eq!(one.len(), 43);
        assert!(one != other && one[..10] != other[..10]);
    }
}
