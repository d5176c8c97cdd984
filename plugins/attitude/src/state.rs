//! What was learned, as bytes: the same on every machine, and checked when read.
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | `HLAT` |
//! | 4 | the version of this form, 1 |
//! | 4 | the number of coefficients |
//! | 4 | 0 |
//! | 8 | the number of outcomes learned from |
//! | 16 a coefficient | added precision and added precision times mean, the bits of two doubles |
//! | 8 | FNV-1a over all bytes before |
//!
//! All numbers are little-endian.

use heartline_plugin_sdk::MatcherError;

use crate::learning::{COEFFICIENT_COUNT, Evidence};

const MAGIC: &[u8; 4] = b"HLAT";
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 24;
/// The length of a state.
pub(crate) const STATE_BYTES: usize = HEAD_BYTES + 16 * COEFFICIENT_COUNT + 8;
/// No honest run of outcomes adds more to a coefficient; what is read beyond would only make scores overflow.
const HIGHEST: f64 = 1e12;

/// Writes a state.
pub(crate) fn to_bytes(evidence: &[Evidence; COEFFICIENT_COUNT], outcomes: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(STATE_BYTES);
    bytes.extend(MAGIC);
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend((COEFFICIENT_COUNT as u32).to_le_bytes());
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend(outcomes.to_le_bytes());
    for Evidence { precision, shift } in evidence {
        // Adding 0 turns a negative zero into a positive one, which is equal but has other bits.
        bytes.extend((precision + 0.0).to_bits().to_le_bytes());
        bytes.extend((shift + 0.0).to_bits().to_le_bytes());
    }
    let sum = fnv1a(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// Reads a state that [`to_bytes`] wrote.
pub(crate) fn from_bytes(bytes: &[u8]) -> Result<([Evidence; COEFFICIENT_COUNT], u64), MatcherError> {
    let refuse = |problem: &str| MatcherError::State(format!("the state {problem}"));
    let word =
        |at: usize| bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_le_bytes);
    let long =
        |at: usize| bytes.get(at..at + 8).and_then(|long| long.try_into().ok()).map(u64::from_le_bytes);
    if bytes.get(..4) != Some(MAGIC.as_slice()) {
        return Err(refuse("is not one of the attitude matcher"));
    }
    if word(4) != Some(VERSION) {
        return Err(refuse("is of a version that is not known"));
    }
    let count = u32::try_from(COEFFICIENT_COUNT).ok();
    if word(8) != count || word(12) != Some(0) || bytes.len() != STATE_BYTES {
        return Err(refuse("does not have the right length"));
    }
    let end = STATE_BYTES - 8;
    if long(end) != Some(fnv1a(&bytes[..end])) {
        return Err(refuse("was changed: its checksum is wrong"));
    }
    let mut evidence = [Evidence::default(); COEFFICIENT_COUNT];
    for (index, evidence) in evidence.iter_mut().enumerate() {
        let number = |at| long(at).map_or(f64::NAN, f64::from_bits);
        let at = HEAD_BYTES + 16 * index;
        *evidence = Evidence { precision: number(at), shift: number(at + 8) };
        if !((0.0..=HIGHEST).contains(&evidence.precision) && (-HIGHEST..=HIGHEST).contains(&evidence.shift))
        {
            return Err(refuse("has a number outside its range"));
        }
    }
    Ok((evidence, long(16).unwrap_or_default()))
}

/// The checksum; it finds damage, it does not prove where the bytes come from.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence() -> [Evidence; COEFFICIENT_COUNT] {
        std::array::from_fn(|index| Evidence { precision: index as f64, shift: -0.1 * index as f64 })
    }

    #[test]
    fn a_state_comes_back_as_it_was() {
        let bytes = to_bytes(&evidence(), 77);
        assert_eq!(bytes.len(), STATE_BYTES);
        let (read, outcomes) = from_bytes(&bytes).unwrap();
        assert_eq!((read, outcomes), (evidence(), 77));
        assert_eq!(to_bytes(&read, outcomes), bytes);
    }

    #[test]
    fn equal_states_are_equal_bytes() {
        let zero = [Evidence::default(); COEFFICIENT_COUNT];
        let negative = [Evidence { precision: -0.0, shift: -0.0 }; COEFFICIENT_COUNT];
        assert_eq!(zero, negative);
        assert_eq!(to_bytes(&zero, 1), to_bytes(&negative, 1));
    }

    #[test]
    fn every_single_changed_byte_is_found() {
        let bytes = to_bytes(&evidence(), 77);
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 0x10;
            assert!(matches!(from_bytes(&changed), Err(MatcherError::State(_))), "byte {index}");
        }
    }

    #[test]
    fn every_other_length_is_refused() {
        let bytes = to_bytes(&evidence(), 77);
        for length in 0..bytes.len() {
            assert!(from_bytes(&bytes[..length]).is_err(), "{length} bytes");
        }
        let longer: Vec<u8> = bytes.iter().copied().chain([0]).collect();
        assert!(from_bytes(&longer).is_err());
    }

    #[test]
    fn numbers_out_of_range_are_refused_even_with_the_right_checksum() {
        for (precision, shift) in [(-1.0, 0.0), (f64::NAN, 0.0), (0.0, f64::INFINITY), (1e300, 0.0)] {
            let mut evidence = evidence();
            evidence[5] = Evidence { precision, shift };
            assert!(from_bytes(&to_bytes(&evidence, 1)).is_err(), "{precision} {shift}");
        }
    }
}
