//! Keeps a panic of a third-party decoder from reaching the caller. Decoders of untrusted bytes are large, and a
//! panic in one of them says that the bytes are bad, not that the server is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::MediaError;

/// Runs a decoder; its panic becomes [`MediaError::Damaged`]. The decoder's state must not outlive the call.
pub(super) fn fenced<T>(decode: impl FnOnce() -> Result<T, MediaError>) -> Result<T, MediaError> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        tracing::warn!("a media decoder panicked");
        Err(MediaError::Damaged("the decoder gave up".to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_and_a_value_passes() {
        let result: Result<u8, MediaError> = fenced(|| panic!("on purpose"));
        assert_eq!(result.unwrap_err().code(), "media_damaged");
        assert_eq!(fenced(|| Ok(7)).unwrap(), 7);
    }
}
