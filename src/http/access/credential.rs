//! Where a key stands in a request: in a header, or in a WebSocket's subprotocols, and never in the address.

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};

use super::super::{ApiError, ErrorCode};

/// What a key follows in a WebSocket's subprotocols: pages cannot set a WebSocket's headers, but these.
pub const SUBPROTOCOL_PREFIX: &str = "heartline.key.";
/// Names of the query under which people send keys.
const QUERY_NAMES: [&str; 5] = ["key", "api_key", "apikey", "api-key", "access_token"];

/// Takes the key out of a request, so that no answer and no log can repeat it.
pub(super) fn take(request: &mut Request) -> Result<Option<String>, ApiError> {
    if let Some(name) =
        query_names(request).find(|name| QUERY_NAMES.contains(&name.to_ascii_lowercase().as_str()))
    {
        let message = format!(
            "keys are not taken from the address (\"{name}\"), because logs and histories keep it; send \
             \"Authorization: Bearer KEY\", and make a new key, for this one has been seen"
        );
        return Err(ApiError::new(ErrorCode::Unauthenticated, message));
    }
    let subprotocol = take_subprotocol(request);
    let Some(value) = request.headers_mut().remove(AUTHORIZATION) else { return Ok(subprotocol) };
    let bearer = value.to_str().ok().and_then(|text| {
        let (scheme, key) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim().to_owned())
    });
    bearer.map(Some).ok_or_else(|| {
        let message = "the header Authorization is not \"Bearer KEY\"";
        ApiError::new(ErrorCode::Unauthenticated, message)
    })
}

fn query_names(request: &Request) -> impl Iterator<Item = &str> {
    let pairs = request.uri().query().unwrap_or_default().split('&');
    pairs.map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name))
}

/// Takes the key out of the offered subprotocols and leaves the others.
fn take_subprotocol(request: &mut Request) -> Option<String> {
    let headers = request.headers_mut();
    let offered: Vec<String> = headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|protocol| protocol.trim().to_owned())
        .collect();
    let key = offered.iter().find_map(|protocol| protocol.strip_prefix(SUBPROTOCOL_PREFIX))?.to_owned();
    let others: Vec<&str> =
        offered.iter().map(String::as_str).filter(|other| !other.starts_with(SUBPROTOCOL_PREFIX)).collect();
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    if let (false, Ok(value)) = (others.is_empty(), HeaderValue::from_str(&others.join(", "))) {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, value);
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(uri: &str, headers: &[(&'static str, &str)]) -> Request {
        let builder = Request::builder().uri(uri);
        let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
        builder.body(Body::empty()).unwrap()
    }

    fn key(headers: &[(&'static str, &str)]) -> Option<String> {
        take(&mut request("/v1/models", headers)).unwrap()
    }

    #[test]
    fn a_key_stands_in_the_header() {
        assert_eq!(key(&[("authorization", "Bearer abc")]).as_deref(), Some("abc"));
        assert_eq!(key(&[("authorization", "bearer  abc")]).as_deref(), Some("abc"));
        assert_eq!(key(&[]), None);
        for wrong in ["abc", "Basic YTpi", "Bearerabc", ""] {
            let error = take(&mut request("/", &[("authorization", wrong)])).unwrap_err();
            assert_eq!(error.code, ErrorCode::Unauthenticated, "{wrong}");
        }
    }

    #[test]
    fn a_page_sends_it_among_the_subprotocols_and_nobody_sees_it_again() {
        let mut request = request(
            "/v1/live",
            &[("sec-websocket-protocol", "heartline.v1, heartline.key.abc-_"), ("authorization", "Bearer x")],
        );
        assert_eq!(take(&mut request).unwrap().as_deref(), Some("x"), "the header is the plainer word");
        assert_eq!(request.headers()[SEC_WEBSOCKET_PROTOCOL], "heartline.v1");
        assert!(!request.headers().contains_key(AUTHORIZATION));
        let lines = [("sec-websocket-protocol", "heartline.key.abc"), ("sec-websocket-protocol", "other")];
        assert_eq!(key(&lines).as_deref(), Some("abc"));
        assert_eq!(key(&[("sec-websocket-protocol", "heartline.v1")]), None);
    }

    #[test]
    fn a_key_in_the_address_is_refused_even_beside_a_good_one() {
        for query in ["key=abc", "a=1&api_key=abc", "ACCESS_TOKEN=abc", "key"] {
            let mut request = request(&format!("/v1/models?{query}"), &[("authorization", "Bearer abc")]);
            let error = take(&mut request).unwrap_err();
            assert!(error.message.contains("address") && !error.message.contains("abc"), "{error:?}");
        }
        assert!(take(&mut request("/v1/models?keys=1&after=key", &[])).is_ok());
    }
}
