//! Whether it was the telephone company that called.
//!
//! Twilio signs the request that opens a stream: the header `X-Twilio-Signature` is the base64 of an HMAC-SHA1 of the
//! stream's full URL under the account's token. Behind a proxy the server does not see that URL, so it is configured.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;

/// The header of the signature.
pub const HEADER: &str = "x-twilio-signature";

/// Whether the headers carry a signature of this URL under this token.
///
/// The URL counts with `wss` and with `https`, and with and without a slash at its end: which of them is signed has
/// differed. No one without the token can sign any of the four.
#[must_use]
pub fn is_signed(headers: &HeaderMap, token: &str, url: &str) -> bool {
    let given = headers.get(HEADER).and_then(|value| value.to_str().ok());
    let Some(given) = given.and_then(|value| STANDARD.decode(value.trim()).ok()) else { return false };
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/');
    // All four are computed whatever the first ones say, so that the time tells nothing.
    ["wss", "https"]
        .iter()
        .flat_map(|scheme| ["", "/"].map(|end| format!("{scheme}://{rest}{end}")))
        .fold(false, |found, url| found | matches(token, &url, &given))
}

/// Compares in a time that does not depend on where the two differ.
fn matches(token: &str, url: &str, given: &[u8]) -> bool {
    Hmac::<Sha1>::new_from_slice(token.as_bytes())
        .is_ok_and(|mac| mac.chain_update(url.as_bytes()).verify_slice(given).is_ok())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn signed(token: &str, url: &str) -> HeaderMap {
        let mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap().chain_update(url.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        HeaderMap::from_iter([(HEADER.parse().unwrap(), HeaderValue::from_str(&signature).unwrap())])
    }

    #[test]
    fn the_hash_is_the_one_that_is_published() {
        // HMAC-SHA1 of "what do ya want for nothing?" under "Jefe", the second case of RFC 2202.
        let expected = [
            0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74, 0x16, 0xd5, 0xf1, 0x84, 0xdf, 0x9c,
            0x25, 0x9a, 0x7c, 0x79,
        ];
        assert!(matches("Jefe", "what do ya want for nothing?", &expected));
        assert!(!matches("Jefe", "what do ya want for nothing!", &expected));
    }

    #[test]
    fn a_signature_holds_for_its_url_and_its_token_only() {
        let configured = "wss://calls.example.com/v1/twilio";
        for url in [
            "wss://calls.example.com/v1/twilio",
            "wss://calls.example.com/v1/twilio/",
            "https://calls.example.com/v1/twilio",
        ] {
            assert!(is_signed(&signed("token", url), "token", configured), "{url}");
            assert!(!is_signed(&signed("other", url), "token", configured), "{url}");
        }
        for url in ["wss://calls.example.com/v1/other", "http://calls.example.com/v1/twilio", ""] {
            assert!(!is_signed(&signed("token", url), "token", configured), "{url}");
        }
    }

    #[test]
    fn without_a_signature_nothing_is_signed() {
        let url = "wss://calls.example.com/v1/twilio";
        assert!(!is_signed(&HeaderMap::new(), "token", url));
        for nonsense in ["", "AAAA", "not base64 at all", "=="] {
            let headers =
                HeaderMap::from_iter([(HEADER.parse().unwrap(), HeaderValue::from_static(nonsense))]);
            assert!(!is_signed(&headers, "token", url), "{nonsense}");
        }
    }
}
