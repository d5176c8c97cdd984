//! The faults of requests to the protocol, as the house's errors: every one has a code, and the code has a status.

use crate::http::{ApiError, ErrorCode};

/// A request that is well-formed and not what the model or the protocol takes.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InputInvalid, message)
}

/// A body that is not what its headers promise.
pub(super) fn malformed(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::BodyUnreadable, message)
}

/// A request beyond a limit on rows.
pub(super) fn too_many_rows(found: usize, limit: usize) -> ApiError {
    let message = format!("{found} rows are more than a request may have, {limit}");
    ApiError::new(ErrorCode::TooManyRows, message)
}

/// A model that is not served here.
pub(super) fn unknown_model(name: &str) -> ApiError {
    let message = format!("there is no model {}; GET /v2/models/stats lists them", shown(name));
    ApiError::new(ErrorCode::ModelUnknown, message)
}

/// A version that is not loaded.
pub(super) fn unknown_version(name: &str, version: &str, loaded: u32) -> ApiError {
    let message = format!("version {} of model {name} is not loaded; version {loaded} is", shown(version));
    ApiError::new(ErrorCode::ModelUnknown, message)
}

/// A model that is known and not loaded.
pub(super) fn not_loaded(name: &str) -> ApiError {
    ApiError::new(ErrorCode::ModelNotLoaded, format!("model {name} is not loaded"))
}

/// What a client sent, short and in quotation marks, for a message.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 64;
    if text.chars().count() > LONGEST {
        let short: String = text.chars().take(LONGEST).collect();
        format!("{short:?}...")
    } else {
        format!("{text:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_send_is_shown_short() {
        assert_eq!(shown("text"), "\"text\"");
        assert_eq!(shown("a\nb"), "\"a\\nb\"");
        let long = shown(&"é".repeat(10_000));
        assert!(long.len() < 200 && long.ends_with("..."), "{long}");
    }
}
