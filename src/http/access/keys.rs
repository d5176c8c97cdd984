//! The keys: found by hash in constant time, each with its rate.

use std::num::NonZeroU32;

use governor::clock::Clock;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::super::{ApiError, ErrorCode};
use super::KeyName;
use crate::config::KeyConfig;

/// The longest key that is looked at, in bytes.
const KEY_LIMIT: usize = 512;

/// All keys of a server.
#[derive(Debug)]
pub(super) struct KeyRing {
    keys: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    name: KeyName,
    sha256: [u8; 32],
    rate: DefaultDirectRateLimiter,
}

impl KeyRing {
    pub(super) fn new(keys: &[KeyConfig]) -> Self {
        let key = |config: &KeyConfig| {
            let each = |count: u32| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
            let quota = Quota::per_second(each(config.requests_per_second)).allow_burst(each(config.burst));
            // A hash that is none was refused with the configuration; it opens nothing.
            let sha256 = config.hash()?;
            Some(Key { name: KeyName(config.name.as_str().into()), sha256, rate: RateLimiter::direct(quota) })
        };
        Self { keys: keys.iter().filter_map(key).collect() }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Finds a key and counts against its rate.
    pub(super) fn admit(&self, presented: &str) -> Result<KeyName, ApiError> {
        let Some(key) = self.find(presented) else {
            return Err(ApiError::new(ErrorCode::Unauthenticated, "this key is not known here"));
        };
        match key.rate.check() {
            Ok(()) => Ok(key.name.clone()),
            Err(refusal) => {
                let wait = refusal.wait_time_from(key.rate.clock().now());
                let retry_after_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
                let message =
                    format!("the key \"{}\" asks too often; try again in {retry_after_ms} ms", key.name.0);
                let error = ApiError::new(ErrorCode::RateLimited, message);
                Err(ApiError { retry_after_ms: Some(retry_after_ms), ..error })
            }
        }
    }

    /// Compares with every key, so that the time tells nothing of which one came close.
    fn find(&self, presented: &str) -> Option<&Key> {
        if presented.len() > KEY_LIMIT {
            return None;
        }
        let hash: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
        self.keys
            .iter()
            .fold(None, |found, key| if bool::from(key.sha256.ct_eq(&hash)) { Some(key) } else { found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hexadecimal::hexadecimal;

    fn ring(keys: &[(&str, &str)]) -> KeyRing {
        let config = |(name, key): &(&str, &str)| KeyConfig {
            name: (*name).to_owned(),
            sha256: hexadecimal(&Sha256::digest(key.as_bytes())),
            requests_per_second: 1,
            burst: 2,
            max_sessions: 1,
        };
        KeyRing::new(&keys.iter().map(config).collect::<Vec<_>>())
    }

    #[test]
    fn each_key_is_found_by_itself_only() {
        let ring = ring(&[("one", "first"), ("two", "second")]);
        let name = |key: &str| ring.find(key).map(|key| key.name.0.to_string());
        assert_eq!(name("first").as_deref(), Some("one"));
        assert_eq!(name("second").as_deref(), Some("two"));
        for wrong in ["", "First", "first ", "secon", &"x".repeat(KEY_LIMIT + 1)] {
            assert_eq!(name(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn one_keys_rate_is_not_anothers() {
        let ring = ring(&[("one", "first"), ("two", "second")]);
        assert!(ring.admit("first").is_ok() && ring.admit("first").is_ok());
        assert_eq!(ring.admit("first").unwrap_err().code, ErrorCode::RateLimited);
        assert!(ring.admit("second").is_ok());
    }
}
