//! Every request's identifier: the client's own where it is usable, otherwise a new one.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries it, in both directions.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest identifier taken from a client, in bytes.
const LENGTH_LIMIT: usize = 128;

/// An identifier that is safe in headers, logs and JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestId(String);

impl RequestId {
    /// The identifier of a request with these headers.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        headers
            .get(HEADER)
            .and_then(|value| value.to_str().ok())
            .filter(|text| !text.is_empty() && text.len() <= LENGTH_LIMIT)
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()))
            .map_or_else(|| Self(uuid::Uuid::now_v7().to_string()), |text| Self(text.to_owned()))
    }

    /// The identifier as text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The identifier as a header's value.
    pub(super) fn header_value(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or_else(|_| HeaderValue::from_static("invalid"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &[u8]) -> RequestId {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_bytes(value).unwrap());
        RequestId::of(&headers)
    }

    #[test]
    fn a_usable_identifier_is_kept() {
        assert_eq!(of(b"call-7").as_str(), "call-7");
    }

    #[test]
    fn unusable_ones_are_replaced_by_fresh_ones() {
        let long = "x".repeat(LENGTH_LIMIT + 1);
        for value in [&b""[..], b"two words", &[0xe9], long.as_bytes()] {
            let id = of(value);
            assert_eq!(id.as_str().len(), 36, "{value:?}");
        }
        assert_ne!(of(b""), of(b""));
    }
}
