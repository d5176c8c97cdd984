//! Reading `model.bin` of CTranslate2, version 6: a list of named arrays.
//!
//! Little-endian without padding: version, name of the specification, its revision, count of arrays; then for each
//! array its name, rank, dimensions, type, size in bytes and values. A name is a `u16` length that counts a closing
//! zero byte, then the bytes.

use std::collections::BTreeMap;
use std::path::Path;

use half::f16;

use crate::error::TrainError;

const VERSION: u32 = 6;
const FLOAT32: u8 = 0;
const FLOAT16: u8 = 4;

/// The floating-point arrays of a model file, as they are stored.
pub(crate) struct Source {
    bytes: Vec<u8>,
    arrays: BTreeMap<String, Array>,
}

struct Array {
    shape: Vec<usize>,
    kind: u8,
    start: usize,
    end: usize,
}

impl Source {
    /// Reads a file that was cut into parts.
    pub(crate) fn open(parts: &[&Path]) -> Result<Self, TrainError> {
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend(std::fs::read(part).map_err(TrainError::file(part))?);
        }
        Self::parse(bytes).map_err(|reason| TrainError::data(parts[0], reason))
    }

    fn parse(bytes: Vec<u8>) -> Result<Self, String> {
        let mut cursor = Cursor { bytes: &bytes, position: 0 };
        let version = cursor.number()?;
        if version != VERSION {
            return Err(format!("version {version} is not {VERSION}"));
        }
        cursor.text()?;
        cursor.number()?;
        let count = cursor.number()?;
        let mut arrays = BTreeMap::new();
        for _ in 0..count {
            let name = cursor.text()?;
            let rank = cursor.take(1)?[0];
            let shape = (0..rank).map(|_| cursor.size()).collect::<Result<_, _>>()?;
            let kind = cursor.take(1)?[0];
            let length = cursor.size()?;
            let start = cursor.position;
            cursor.take(length)?;
            arrays.insert(name, Array { shape, kind, start, end: start + length });
        }
        Ok(Self { bytes, arrays })
    }

    /// An array's values; its shape must be the expected one.
    pub(crate) fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, TrainError> {
        let wrong = |reason: String| TrainError::Arguments(format!("the source's array {name} {reason}"));
        let array = self.arrays.get(name).ok_or_else(|| wrong("is missing".to_owned()))?;
        if array.shape != shape {
            return Err(wrong(format!("has shape {:?} instead of {shape:?}", array.shape)));
        }
        let bytes = &self.bytes[array.start..array.end];
        let values: Vec<f32> = match array.kind {
            FLOAT32 => bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            FLOAT16 => {
                bytes.as_chunks::<2>().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect()
            }
            kind => return Err(wrong(format!("has type {kind}, which is not a floating-point type"))),
        };
        if values.len() != shape.iter().product::<usize>() {
            return Err(wrong(format!("has {} values", values.len())));
        }
        Ok(values)
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let end = self.position.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| format!("it ends within the {length} bytes at {}", self.position))?;
        let taken = &self.bytes[self.position..end];
        self.position = end;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, String> {
        Ok(self.take(4)?.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn size(&mut self) -> Result<usize, String> {
        usize::try_from(self.number()?).map_err(|error| error.to_string())
    }

    fn text(&mut self) -> Result<String, String> {
        let length = self.take(2)?.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte));
        let text = self.take(length)?;
        let text = text.strip_suffix(&[0]).ok_or("a name has no closing zero")?;
        String::from_utf8(text.to_vec()).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Vec<u8> {
        let length = u16::try_from(text.len() + 1).unwrap();
        [&length.to_le_bytes()[..], text.as_bytes(), &[0]].concat()
    }

    fn file() -> Vec<u8> {
        let mut bytes = 6_u32.to_le_bytes().to_vec();
        bytes.extend(text("Spec"));
        bytes.extend(3_u32.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(text("encoder/a"));
        bytes.push(2);
        bytes.extend([1_u32, 2].iter().flat_map(|size| size.to_le_bytes()));
        bytes.push(FLOAT16);
        bytes.extend(4_u32.to_le_bytes());
        bytes.extend([f16::from_f32(0.5), f16::from_f32(-2.0)].iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    #[test]
    fn an_array_is_read_and_its_shape_is_checked() {
        let source = Source::parse(file()).unwrap();
        assert_eq!(source.values("encoder/a", &[1, 2]).unwrap(), [0.5, -2.0]);
        assert!(source.values("encoder/a", &[2]).is_err());
        assert!(source.values("encoder/b", &[2]).is_err());
    }

    #[test]
    fn a_cut_file_is_refused_at_every_length() {
        let bytes = file();
        for length in 0..bytes.len() {
            assert!(Source::parse(bytes[..length].to_vec()).is_err(), "{length}");
        }
    }
}
