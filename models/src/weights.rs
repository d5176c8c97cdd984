//! Reading and writing weights: safetensors, with two compact encodings beside f32 and f16.
//!
//! - `F32`, `F16`: as they are.
//! - `q4_0`: a `U8` tensor of `[rows, columns / 32 * 18]` whose metadata entry `encoding.NAME` is `q4_0`. A block
//!   of 18 bytes holds 32 weights: an f16 scale, then 16 bytes whose low nibbles are weights 0 to 15 and whose
//!   high nibbles are weights 16 to 31, each `(nibble - 8) * scale`.
//! - `int8`: an `I8` tensor with an `F32` tensor `NAME.scale` that has one scale a row.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::ModelError;

const Q4_BLOCK_WEIGHTS: usize = 32;
const Q4_BLOCK_BYTES: usize = 18;

/// The tensors of a weights file.
#[derive(Debug)]
pub struct Weights<'a> {
    tensors: SafeTensors<'a>,
    metadata: HashMap<String, String>,
}

impl<'a> Weights<'a> {
    /// Reads the directory of a weights file.
    ///
    /// # Errors
    /// [`ModelError::Weights`] where the bytes are not safetensors.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ModelError> {
        let invalid = |error: safetensors::SafeTensorError| ModelError::Weights(error.to_string());
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(invalid)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        Ok(Self { tensors: SafeTensors::deserialize(bytes).map_err(invalid)?, metadata })
    }

    /// The names of all tensors.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.tensors.names().into_iter().map(ToString::to_string).collect()
    }

    /// A tensor's values as f32, row-major, whatever its encoding.
    ///
    /// # Errors
    /// [`ModelError::MissingTensor`], [`ModelError::Shape`] or, for an unknown encoding, [`ModelError::Weights`].
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let view = self.view(name)?;
        match (view.dtype(), self.encoding(name)) {
            (Dtype::F32, None) => {
                check_shape(name, shape, view.shape())?;
                Ok(view
                    .data()
                    .chunks_exact(4)
                    .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                    .collect())
            }
            (Dtype::F16, None) => {
                check_shape(name, shape, view.shape())?;
                Ok(view.data().chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect())
            }
            (Dtype::I8, None) => {
                check_shape(name, shape, view.shape())?;
                let rows = shape.first().copied().unwrap_or(1);
                let scales = self.values(&format!("{name}.scale"), &[rows])?;
                let columns = (view.data().len() / rows.max(1)).max(1);
                let scaled = view.data().chunks(columns).zip(scales);
                Ok(scaled
                    .flat_map(|(row, s)| row.iter().map(move |b| f32::from(b.cast_signed()) * s))
                    .collect())
            }
            (Dtype::U8, Some("q4_0")) => {
                check_shape(name, &q4_shape(name, shape)?, view.shape())?;
                Ok(view.data().chunks_exact(Q4_BLOCK_BYTES).flat_map(q4_block).collect())
            }
            (dtype, encoding) => {
                let encoding = encoding.unwrap_or("none");
                Err(ModelError::Weights(format!("tensor {name} is {dtype:?} with encoding {encoding}")))
            }
        }
    }

    fn view(&self, name: &str) -> Result<TensorView<'_>, ModelError> {
        self.tensors.tensor(name).map_err(|_| ModelError::MissingTensor(name.to_owned()))
    }

    fn encoding(&self, name: &str) -> Option<&str> {
        self.metadata.get(&format!("encoding.{name}")).map(String::as_str)
    }

    /// A matrix whose rows are read one by one. `q4_0` stays as it is, at a seventh of the memory.
    pub(crate) fn row_table(&self, name: &str, shape: [usize; 2]) -> Result<RowTable, ModelError> {
        let view = self.view(name)?;
        let rows = if (view.dtype(), self.encoding(name)) == (Dtype::U8, Some("q4_0")) {
            check_shape(name, &q4_shape(name, &shape)?, view.shape())?;
            Rows::Q4(view.data().to_vec())
        } else {
            Rows::Plain(self.values(name, &shape)?)
        };
        Ok(RowTable { rows, width: shape[1] })
    }

    /// A matrix of a known width and any number of rows.
    ///
    /// # Errors
    /// As [`Self::values`].
    pub fn rows(&self, name: &str, width: usize) -> Result<Vec<f32>, ModelError> {
        let view = self.view(name)?;
        let rows = view.shape().first().copied().unwrap_or(0);
        self.values(name, &[rows, width])
    }

    /// A tensor on a device.
    ///
    /// # Errors
    /// As [`Self::values`].
    pub fn tensor<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
        device: &burn::tensor::Device,
    ) -> Result<Tensor<D>, ModelError> {
        let values = self.values(name, &shape)?;
        Ok(Tensor::from_data(TensorData::new(values, shape.to_vec()), device))
    }
}

/// A matrix of which single rows are read.
#[derive(Debug)]
pub(crate) struct RowTable {
    rows: Rows,
    width: usize,
}

#[derive(Debug)]
enum Rows {
    Plain(Vec<f32>),
    Q4(Vec<u8>),
}

impl RowTable {
    /// Reads a row; one that is not there leaves `into` as it is.
    pub(crate) fn read(&self, row: usize, into: &mut [f32]) {
        match &self.rows {
            Rows::Plain(values) => {
                let values = values.chunks_exact(self.width.max(1)).nth(row).unwrap_or_default();
                into.iter_mut().zip(values).for_each(|(into, value)| *into = *value);
            }
            Rows::Q4(bytes) => {
                let length = self.width / Q4_BLOCK_WEIGHTS * Q4_BLOCK_BYTES;
                let bytes = bytes.chunks_exact(length.max(1)).nth(row).unwrap_or_default();
                let values = bytes.chunks_exact(Q4_BLOCK_BYTES).flat_map(q4_block);
                into.iter_mut().zip(values).for_each(|(into, value)| *into = value);
            }
        }
    }
}

fn check_shape(name: &str, expected: &[usize], found: &[usize]) -> Result<(), ModelError> {
    if expected == found {
        return Ok(());
    }
    Err(ModelError::Shape { name: name.to_owned(), expected: expected.to_vec(), found: found.to_vec() })
}

/// The byte shape of a `q4_0` tensor, given the shape of its weights.
fn q4_shape(name: &str, shape: &[usize]) -> Result<Vec<usize>, ModelError> {
    match *shape {
        [rows, columns] if columns.is_multiple_of(Q4_BLOCK_WEIGHTS) => {
            Ok(vec![rows, columns / Q4_BLOCK_WEIGHTS * Q4_BLOCK_BYTES])
        }
        _ => Err(ModelError::Weights(format!(
            "tensor {name}: q4_0 needs rows of a multiple of 32, not {shape:?}"
        ))),
    }
}

fn q4_block(block: &[u8]) -> [f32; Q4_BLOCK_WEIGHTS] {
    let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
    let mut weights = [0.0; Q4_BLOCK_WEIGHTS];
    for (index, byte) in block[2..].iter().enumerate() {
        weights[index] = (f32::from(byte & 0x0f) - 8.0) * scale;
        weights[index + Q4_BLOCK_WEIGHTS / 2] = (f32::from(byte >> 4) - 8.0) * scale;
    }
    weights
}

/// Collects tensors and writes them as one file.
#[derive(Debug, Default)]
pub struct WeightsWriter {
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
    metadata: HashMap<String, String>,
}

impl WeightsWriter {
    /// Adds a tensor as it is.
    pub fn put_f32(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.tensors.push((name.to_owned(), Dtype::F32, shape.to_vec(), bytes));
    }

    /// Adds a tensor rounded to half precision.
    pub fn put_f16(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect();
        self.tensors.push((name.to_owned(), Dtype::F16, shape.to_vec(), bytes));
    }

    /// Adds a tensor as 8-bit integers with one scale a row; the first dimension counts the rows.
    pub fn put_int8(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let rows = shape.first().copied().unwrap_or(1).max(1);
        let mut bytes = Vec::with_capacity(values.len());
        let mut scales = Vec::with_capacity(rows);
        for row in values.chunks((values.len() / rows).max(1)) {
            let largest = row.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
            #[expect(clippy::cast_possible_truncation, reason = "the quotient is within -127 to 127")]
            bytes.extend(row.iter().map(|value| ((value / scale).round() as i8).cast_unsigned()));
            scales.push(scale);
        }
        self.tensors.push((name.to_owned(), Dtype::I8, shape.to_vec(), bytes));
        self.put_f32(&format!("{name}.scale"), &[rows], &scales);
    }

    /// Adds a matrix that is already in `q4_0` blocks.
    ///
    /// # Errors
    /// [`ModelError::Weights`] where the shape is no matrix with rows of a multiple of 32 or the bytes do not fit it.
    pub fn put_q4_0(&mut self, name: &str, shape: [usize; 2], blocks: &[u8]) -> Result<(), ModelError> {
        let bytes = q4_shape(name, &shape)?;
        if bytes.iter().product::<usize>() != blocks.len() {
            return Err(ModelError::Weights(format!(
                "tensor {name}: {} bytes do not fit {shape:?}",
                blocks.len()
            )));
        }
        self.metadata.insert(format!("encoding.{name}"), "q4_0".to_owned());
        self.tensors.push((name.to_owned(), Dtype::U8, bytes, blocks.to_vec()));
        Ok(())
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`ModelError::Weights`] where a tensor's bytes do not fit its shape or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ModelError> {
        let invalid = |error: safetensors::SafeTensorError| ModelError::Weights(error.to_string());
        let views = self
            .tensors
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((name, TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(invalid)?;
        safetensors::serialize_to_file(views, Some(self.metadata.clone()), path).map_err(invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(fill: impl Fn(&mut WeightsWriter)) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let mut writer = WeightsWriter::default();
        fill(&mut writer);
        writer.write(&path).unwrap();
        std::fs::read(path).unwrap()
    }

    #[test]
    fn every_encoding_round_trips() {
        let values: Vec<f32> = (0..64_i16).map(|index| f32::from(index - 32) / 32.0).collect();
        let bytes = round_trip(|writer| {
            writer.put_f32("a", &[2, 32], &values);
            writer.put_f16("b", &[2, 32], &values);
            writer.put_int8("c", &[2, 32], &values);
        });
        let weights = Weights::parse(&bytes).unwrap();
        for (name, tolerance) in [("a", 0.0), ("b", 1e-3), ("c", 5e-3)] {
            for (found, expected) in weights.values(name, &[2, 32]).unwrap().iter().zip(&values) {
                assert!((found - expected).abs() <= tolerance, "{name}: {found} {expected}");
            }
        }
    }

    #[test]
    fn q4_0_is_decoded_by_nibbles() {
        let mut block = f16::from_f32(0.5).to_le_bytes().to_vec();
        block.extend([0x1f_u8; 16]);
        let bytes = round_trip(|writer| writer.put_q4_0("q", [1, 32], &block).unwrap());
        let values = Weights::parse(&bytes).unwrap().values("q", &[1, 32]).unwrap();
        assert_eq!(values[..16], [3.5; 16]);
        assert_eq!(values[16..], [-3.5; 16]);
    }

    #[test]
    fn rows_of_a_table_are_those_of_the_matrix() {
        let mut block = f16::from_f32(0.5).to_le_bytes().to_vec();
        block.extend([0x1f_u8; 16]);
        let blocks = [vec![0; 36], block.clone(), block].concat();
        let plain: Vec<f32> = (0..128_u8).map(f32::from).collect();
        let bytes = round_trip(|writer| {
            writer.put_q4_0("q", [2, 64], &blocks).unwrap();
            writer.put_f32("p", &[2, 64], &plain);
        });
        let weights = Weights::parse(&bytes).unwrap();
        for name in ["q", "p"] {
            let (table, values) =
                (weights.row_table(name, [2, 64]).unwrap(), weights.values(name, &[2, 64]).unwrap());
            for row in 0..2 {
                let mut found = [9.0; 64];
                table.read(row, &mut found);
                assert_eq!(found, values[row * 64..(row + 1) * 64]);
            }
            let mut beyond = [9.0; 64];
            table.read(2, &mut beyond);
            assert_eq!(beyond, [9.0; 64]);
            assert!(matches!(weights.row_table(name, [3, 64]), Err(ModelError::Shape { .. })));
        }
    }

    #[test]
    fn wrong_names_shapes_and_bytes_are_refused() {
        let bytes = round_trip(|writer| writer.put_f32("a", &[2], &[1.0, 2.0]));
        let weights = Weights::parse(&bytes).unwrap();
        assert!(matches!(weights.values("b", &[2]), Err(ModelError::MissingTensor(_))));
        assert!(matches!(weights.values("a", &[3]), Err(ModelError::Shape { .. })));
        assert!(matches!(Weights::parse(&bytes[..5]), Err(ModelError::Weights(_))));
        let mut writer = WeightsWriter::default();
        assert!(writer.put_q4_0("q", [1, 31], &[0; 18]).is_err());
    }
}
