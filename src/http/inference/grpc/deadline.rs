//! How long a gRPC client waits: the header `grpc-timeout`.

use std::time::Duration;

use tonic::Status;
use tonic::metadata::MetadataMap;

/// The header.
const HEADER: &str = "grpc-timeout";
/// The most digits that the header may have.
const DIGITS: usize = 8;

/// How long the client waits; none where it does not say.
///
/// # Errors
/// Where the header cannot be understood.
pub(super) fn patience(metadata: &MetadataMap) -> Result<Option<Duration>, Status> {
    let Some(value) = metadata.get(HEADER) else { return Ok(None) };
    let wrong = || Status::invalid_argument("grpc-timeout is at most 8 digits and one of H, M, S, m, u, n");
    value.to_str().ok().and_then(parse).map(Some).ok_or_else(wrong)
}

fn parse(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || digits.len() > DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        'H' => Some(Duration::from_secs(number * 3_600)),
        'M' => Some(Duration::from_secs(number * 60)),
        'S' => Some(Duration::from_secs(number)),
        'm' => Some(Duration::from_millis(number)),
        'u' => Some(Duration::from_micros(number)),
        'n' => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_units_are_known() {
        assert_eq!(parse("2H"), Some(Duration::from_hours(2)));
        assert_eq!(parse("3M"), Some(Duration::from_mins(3)));
        assert_eq!(parse("99999999S"), Some(Duration::from_secs(99_999_999)));
        assert_eq!(parse("5m"), Some(Duration::from_millis(5)));
        assert_eq!(parse("6u"), Some(Duration::from_micros(6)));
        assert_eq!(parse("0n"), Some(Duration::ZERO));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "S", "5", "5x", "-5S", "123456789S", "5é", "１S", "1.5S"] {
            assert_eq!(parse(text), None, "{text}");
        }
        let mut metadata = MetadataMap::new();
        assert!(patience(&metadata).unwrap().is_none());
        metadata.insert(HEADER, "soon".parse().unwrap());
        patience(&metadata).unwrap_err();
    }
}
