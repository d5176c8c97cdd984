//! Signatures as Standard Webhooks has them: HMAC-SHA256 over the message's name, the time and the body.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The value of the header `webhook-signature`.
pub(super) fn sign(key: &[u8], id: &str, unix_s: u64, body: &[u8]) -> String {
    // A key of any length makes an HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(id.as_bytes());
    mac.update(format!(".{unix_s}.").as_bytes());
    mac.update(body);
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_has_its_signature() {
        // The example of the specification and of every library's own tests.
        let key = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_part_counts() {
        let signed = sign(b"key", "id", 1, b"body");
        for other in [
            sign(b"kez", "id", 1, b"body"),
            sign(b"key", "ie", 1, b"body"),
            sign(b"key", "id", 2, b"body"),
            sign(b"key", "id", 1, b"bodz"),
        ] {
            assert_ne!(signed, other);
        }
    }
}
