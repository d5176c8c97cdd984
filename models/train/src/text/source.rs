//! The source file: multilingual-e5-small with its tokenizer, little-endian and packed.
//!
//! - Header: `E5S1`, u32 version 1, i32 width, blocks, heads, inner width, vocabulary, positions, token types, f32
//!   epsilon, i32 weights a Q4 block.
//! - Tokenizer: i32 pieces, begin, end, padding, unknown; u64 bytes of the pieces' text; u32 offsets, one more than
//!   pieces; f32 scores; the text.
//! - Normalisation: i32 entries, u32 bytes; each entry u32 character, u8 count, u32 characters it becomes.
//! - Directory: i32 tensors; each u16 length and name, u8 kind (0 f32, 1 Q4_0), u32 values, u64 offset, u64 bytes.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::TrainError;

/// The source file, taken apart.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) width: usize,
    pub(crate) blocks: usize,
    pub(crate) heads: usize,
    pub(crate) inner_width: usize,
    pub(crate) epsilon: f32,
    /// Pieces with their scores.
    pub(crate) pieces: Vec<(String, f32)>,
    pub(crate) normalization: BTreeMap<char, String>,
    tensors: BTreeMap<String, Entry>,
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct Entry {
    is_q4: bool,
    offset: usize,
    length: usize,
}

/// The bytes of a tensor.
pub(crate) enum Payload<'a> {
    F32(Vec<f32>),
    Q4(&'a [u8]),
}

impl Source {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self, TrainError> {
        let bytes = std::fs::read(path).map_err(TrainError::file(path))?;
        Self::parse(bytes).ok_or_else(|| TrainError::data(path, "it is damaged or of another format"))
    }

    fn parse(bytes: Vec<u8>) -> Option<Self> {
        let mut reader = Reader { bytes: &bytes, at: 0 };
        if reader.take(4)? != b"E5S1" || reader.number()? != 1 {
            return None;
        }
        let [width, blocks, heads, inner_width] =
            [reader.number()?, reader.number()?, reader.number()?, reader.number()?];
        reader.take(12)?;
        let epsilon = reader.float()?;
        if reader.number()? != 32 {
            return None;
        }
        let pieces = reader.pieces()?;
        let normalization = reader.normalization()?;
        let tensors = reader.directory()?;
        Some(Self { width, blocks, heads, inner_width, epsilon, pieces, normalization, tensors, bytes })
    }

    /// A tensor's payload.
    pub(crate) fn tensor(&self, name: &str) -> Result<Payload<'_>, TrainError> {
        let missing = || TrainError::Disagreement(format!("the source has no tensor {name}"));
        let entry = self.tensors.get(name).ok_or_else(missing)?;
        let end = entry.offset.checked_add(entry.length).ok_or_else(missing)?;
        let bytes = self.bytes.get(entry.offset..end).ok_or_else(missing)?;
        if entry.is_q4 {
            return Ok(Payload::Q4(bytes));
        }
        let values = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        Ok(Payload::F32(values))
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn word(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn number(&mut self) -> Option<usize> {
        usize::try_from(self.word()?).ok()
    }

    fn long(&mut self) -> Option<usize> {
        usize::try_from(u64::from_le_bytes(self.take(8)?.try_into().ok()?)).ok()
    }

    fn float(&mut self) -> Option<f32> {
        Some(f32::from_bits(self.word()?))
    }

    fn pieces(&mut self) -> Option<Vec<(String, f32)>> {
        let count = self.number()?;
        self.take(16)?;
        let length = self.long()?;
        let offsets = (0..=count).map(|_| self.number()).collect::<Option<Vec<_>>>()?;
        let scores = (0..count).map(|_| self.float()).collect::<Option<Vec<_>>>()?;
        let text = self.take(length)?;
        let piece = |index: usize| {
            let bytes = text.get(offsets[index]..offsets[index + 1])?;
            Some((String::from_utf8(bytes.to_vec()).ok()?, scores[index]))
        };
        (0..count).map(piece).collect()
    }

    fn normalization(&mut self) -> Option<BTreeMap<char, String>> {
        let count = self.number()?;
        self.take(4)?;
        let mut map = BTreeMap::new();
        for _ in 0..count {
            let character = char::from_u32(self.word()?)?;
            let length = self.take(1)?[0];
            let becomes = (0..length).map(|_| char::from_u32(self.word()?)).collect::<Option<String>>()?;
            map.insert(character, becomes);
        }
        Some(map)
    }

    fn directory(&mut self) -> Option<BTreeMap<String, Entry>> {
        let count = self.number()?;
        let mut tensors = BTreeMap::new();
        for _ in 0..count {
            let length = u16::from_le_bytes(self.take(2)?.try_into().ok()?);
            let name = String::from_utf8(self.take(length.into())?.to_vec()).ok()?;
            let is_q4 = self.take(1)?[0] == 1;
            self.take(4)?;
            let (offset, length) = (self.long()?, self.long()?);
            tensors.insert(name, Entry { is_q4, offset, length });
        }
        Some(tensors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_files_are_refused() {
        assert!(Source::parse(Vec::new()).is_none());
        assert!(Source::parse(b"E5S1\x01\0\0\0".to_vec()).is_none());
        assert!(Source::parse(vec![0; 100]).is_none());
    }
}
