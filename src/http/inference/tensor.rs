//! Tensors in memory, and how they look as little-endian bytes.

use axum::body::Bytes;

use super::Datatype;
use super::limits::{DIMENSION_LIMIT, ELEMENT_LIMIT};
use crate::http::ApiError;

use super::fault::{invalid, shown};

/// The bytes before each element of BYTES, which say how long it is.
const LENGTH_BYTES: usize = 4;

/// A named tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Its size in each dimension.
    pub shape: Vec<usize>,
    /// Its elements in row-major order, as many as the shape says.
    pub values: Values,
}

/// The elements of a tensor, of the datatypes that models here take or give.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// FP32
    Floats(Vec<f32>),
    /// INT32
    Integers(Vec<i32>),
    /// UINT8
    Octets(Bytes),
    /// BYTES
    Elements(Vec<Bytes>),
}

impl Values {
    /// Their datatype.
    #[must_use]
    pub const fn datatype(&self) -> Datatype {
        match self {
            Self::Floats(_) => Datatype::Fp32,
            Self::Integers(_) => Datatype::Int32,
            Self::Octets(_) => Datatype::Uint8,
            Self::Elements(_) => Datatype::Bytes,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Floats(values) => values.len(),
            Self::Integers(values) => values.len(),
            Self::Octets(values) => values.len(),
            Self::Elements(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads elements from their bytes. What is said of bytes and elements is checked before memory is taken.
    ///
    /// # Errors
    /// `input_invalid`
    pub fn from_raw(datatype: Datatype, count: usize, raw: Bytes) -> Result<Self, ApiError> {
        let expect = |width: usize| {
            let fits = count.checked_mul(width) == Some(raw.len());
            let message = || {
                format!("{} bytes are not {count} elements of {} ({width} each)", raw.len(), datatype.name())
            };
            fits.then_some(()).ok_or_else(|| invalid(message()))
        };
        match datatype {
            Datatype::Fp32 => {
                expect(4)?;
                Ok(Self::Floats(words(&raw).map(f32::from_le_bytes).collect()))
            }
            Datatype::Int32 => {
                expect(4)?;
                Ok(Self::Integers(words(&raw).map(i32::from_le_bytes).collect()))
            }
            Datatype::Uint8 => {
                expect(1)?;
                Ok(Self::Octets(raw))
            }
            Datatype::Bytes => elements(count, &raw).map(Self::Elements),
            other => Err(untaken(other)),
        }
    }

    /// The elements as bytes.
    ///
    /// # Errors
    /// `input_invalid` for an element of 4 GiB or more, whose length cannot be written.
    pub fn to_raw(&self) -> Result<Bytes, ApiError> {
        match self {
            Self::Floats(values) => Ok(values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            Self::Integers(values) => Ok(values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            Self::Octets(values) => Ok(values.clone()),
            Self::Elements(values) => {
                let size: usize = values.iter().map(|value| LENGTH_BYTES + value.len()).sum();
                let mut raw = Vec::with_capacity(size);
                for value in values {
                    let length = u32::try_from(value.len());
                    let length = length.map_err(|_| invalid("an element of BYTES is 4 GiB or longer"))?;
                    raw.extend_from_slice(&length.to_le_bytes());
                    raw.extend_from_slice(value);
                }
                Ok(Bytes::from(raw))
            }
        }
    }
}

/// A datatype that is the protocol's and no model's.
pub(super) fn untaken(datatype: Datatype) -> ApiError {
    invalid(format!("no model here takes {}", datatype.name()))
}

/// The datatype of a name that a client sent.
pub(super) fn datatype_of(name: &str) -> Result<Datatype, ApiError> {
    Datatype::of(name).ok_or_else(|| invalid(format!("{} is not a datatype of the protocol", shown(name))))
}

/// How many elements a shape holds.
///
/// # Errors
/// `input_invalid` for a shape without or with too many dimensions, or for more elements than can be counted.
pub fn element_count(shape: &[usize]) -> Result<usize, ApiError> {
    if shape.is_empty() || shape.len() > DIMENSION_LIMIT {
        let message = format!("a shape has 1 to {DIMENSION_LIMIT} dimensions, not {}", shape.len());
        return Err(invalid(message));
    }
    let count = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
    count.ok_or_else(|| invalid(format!("the shape {shape:?} holds more elements than can be counted")))
}

fn words(raw: &[u8]) -> impl Iterator<Item = [u8; 4]> {
    raw.as_chunks().0.iter().copied()
}

/// Cuts bytes into elements, each after its length.
fn elements(count: usize, raw: &Bytes) -> Result<Vec<Bytes>, ApiError> {
    // Each element takes its length at least, so the count is bounded by the bytes before memory is taken for it.
    if count > ELEMENT_LIMIT || count > raw.len() / LENGTH_BYTES {
        let message = format!("{} bytes are not {count} elements of BYTES", raw.len());
        return Err(invalid(if count > ELEMENT_LIMIT {
            format!("{count} elements of BYTES are more than {ELEMENT_LIMIT}")
        } else {
            message
        }));
    }
    let mut found = Vec::with_capacity(count);
    let mut rest = raw.clone();
    for index in 0..count {
        let cut = || invalid(format!("the bytes end within element {index} of {count}"));
        let length = rest.first_chunk().copied().map(u32::from_le_bytes).ok_or_else(cut)?;
        let length = usize::try_from(length).map_err(|_| cut())?;
        if length > rest.len() - LENGTH_BYTES {
            return Err(cut());
        }
        let _ = rest.split_to(LENGTH_BYTES);
        found.push(rest.split_to(length));
    }
    if !rest.is_empty() {
        return Err(invalid(format!("{} bytes are left over after {count} elements", rest.len())));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(raw: &[u8]) -> Bytes {
        Bytes::copy_from_slice(raw)
    }

    #[test]
    fn elements_come_back_as_they_were() {
        let all = [
            Values::Floats(vec![0.0, -1.5, f32::MAX]),
            Values::Integers(vec![0, -1, i32::MAX]),
            Values::Octets(bytes(&[0, 255])),
            Values::Elements(vec![bytes(b""), bytes(b"one"), bytes(&[0, 255])]),
        ];
        for values in all {
            let raw = values.to_raw().unwrap();
            assert_eq!(Values::from_raw(values.datatype(), values.len(), raw).unwrap(), values);
        }
        assert_eq!(Values::Floats(vec![1.0]).to_raw().unwrap(), bytes(&[0, 0, 0x80, 0x3f]));
        assert_eq!(Values::Elements(vec![bytes(b"a")]).to_raw().unwrap(), bytes(&[1, 0, 0, 0, b'a']));
    }

    #[test]
    fn counts_that_do_not_fit_are_refused() {
        for (datatype, count, raw) in [
            (Datatype::Fp32, 2, &[0_u8; 7][..]),
            (Datatype::Fp32, usize::MAX, &[0; 8]),
            (Datatype::Uint8, 3, &[0; 2]),
            (Datatype::Bytes, 1, &[0; 3]),
            (Datatype::Bytes, 1, &[2, 0, 0, 0, b'a']),
            (Datatype::Bytes, 1, &[255, 255, 255, 255]),
            (Datatype::Bytes, 1, &[0, 0, 0, 0, 0]),
            (Datatype::Bytes, 0, &[0]),
            (Datatype::Bytes, usize::MAX, &[0; 8]),
            (Datatype::Fp64, 1, &[0; 8]),
        ] {
            let error = Values::from_raw(datatype, count, bytes(raw)).unwrap_err();
            assert_eq!(error.code, crate::http::ErrorCode::InputInvalid, "{datatype:?} {count}");
        }
        let many = bytes(&vec![0; (ELEMENT_LIMIT + 1) * LENGTH_BYTES]);
        let error = Values::from_raw(Datatype::Bytes, ELEMENT_LIMIT + 1, many).unwrap_err();
        assert!(error.message.contains("100000"), "{}", error.message);
    }

    #[test]
    fn shapes_that_overflow_are_refused() {
        assert_eq!(element_count(&[2, 3, 4]).unwrap(), 24);
        assert_eq!(element_count(&[usize::MAX, 0]).unwrap(), 0);
        for shape in [&[][..], &[1; 9], &[usize::MAX, 2], &[1 << 32, 1 << 32]] {
            element_count(shape).unwrap_err();
        }
    }
}
