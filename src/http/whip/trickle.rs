//! Which ICE session a change is meant for.

use axum::http::HeaderValue;

use super::super::{ApiError, ErrorCode};

/// Checks the condition of a change against the ICE session that there is.
///
/// # Errors
/// `precondition_required` without a condition, `ice_restart_refused` for the one that stands for a restart, and
/// `precondition_failed` for another session's.
pub(super) fn check(condition: Option<&HeaderValue>, current: &HeaderValue) -> Result<(), ApiError> {
    let Some(condition) = condition else {
        let message = "If-Match must name the ICE session, as ETag did";
        return Err(ApiError::new(ErrorCode::PreconditionRequired, message));
    };
    if condition == "*" {
        let message = "an ICE restart is not supported; publish into the same session again instead";
        return Err(ApiError::new(ErrorCode::IceRestartRefused, message));
    }
    let names = condition.to_str().unwrap_or_default().split(',').map(str::trim);
    if names.clone().any(|name| name.as_bytes() == current.as_bytes()) {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::PreconditionFailed, "If-Match names another ICE session"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_must_name_the_session_that_there_is() {
        let code = |condition: Option<&'static str>| {
            let condition = condition.map(HeaderValue::from_static);
            check(condition.as_ref(), &HeaderValue::from_static("\"abc\"")).map_err(|error| error.code)
        };
        assert_eq!(code(Some("\"abc\"")), Ok(()));
        assert_eq!(code(Some("\"x\", \"abc\"")), Ok(()));
        assert_eq!(code(None), Err(ErrorCode::PreconditionRequired));
        assert_eq!(code(Some("*")), Err(ErrorCode::IceRestartRefused));
        for other in ["\"abd\"", "abc", "W/\"abc\"", ""] {
            assert_eq!(code(Some(other)), Err(ErrorCode::PreconditionFailed), "{other}");
        }
    }
}
